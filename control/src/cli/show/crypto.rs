//! What the crypto pool says of itself, for people.

use super::{list, number, text};
use serde_json::Value;
use std::fmt::Write;
use std::io::IsTerminal;

/// Engines, tables of keys, and first of all what the reference found wrong with them.
pub(super) fn crypto(document: &Value, out: &mut String) {
    let get = |path: &str| text(document, path);
    // Red where there is a screen; the words say it anywhere.
    let (red, plain) = if std::io::stdout().is_terminal() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    if number(document, "self_check.mismatches") > 0 {
        let _ = writeln!(
            out,
            "{red}CRITICAL: {} verdict(s) of an engine were wrong; the reference answers alone. Report the evidence:{plain}",
            get("self_check.mismatches")
        );
    }
    if get("device.state") == "out for good" {
        let _ = writeln!(
            out,
            "{red}CRITICAL: {} is not asked any more, {}: {} wrong verdict(s). Report the evidence:{plain}",
            get("device.name"),
            get("device.why"),
            get("device.wrong")
        );
    }
    let evidence = document.get("self_check").map_or(&[][..], |check| list(check, "evidence"));
    for one in evidence {
        let verdict = |key: &str| if text(one, key) == "true" { "valid" } else { "invalid" };
        let _ = writeln!(
            out,
            "  {} key {} signed {} signature {}: {} says {}, reference says {}",
            text(one, "alg"),
            text(one, "key"),
            text(one, "signed"),
            text(one, "signature"),
            if text(one, "by_device") == "true" { "device" } else { "engine" },
            verdict("engine"),
            verdict("reference")
        );
    }
    let engines = list(document, "engines").iter();
    let engines: Vec<_> =
        engines.map(|one| format!("{}: {} ({})", text(one, "alg"), text(one, "engine"), text(one, "why"))).collect();
    let _ = writeln!(out, "engines {}", engines.join("; "));
    device(document, out);
    let _ = writeln!(
        out,
        "key tables {} wide, {} base, {} small, {} without; {} of {} MiB; {} verdicts checked again",
        get("tables.keys.wide"),
        get("tables.keys.base"),
        get("tables.keys.small"),
        get("tables.keys.none"),
        number(document, "tables.octets") >> 20,
        number(document, "tables.budget") >> 20,
        get("self_check.checked")
    );
    for (path, what) in [
        ("lost", "crypto thread(s) died again and again and are not started any more"),
        ("restarts", "time(s) a crypto thread had to be started again"),
        ("tables.faulty", "table(s) of keys came out wrong and were thrown away"),
    ] {
        if number(document, path) > 0 {
            let _ = writeln!(out, "attention: {} {what}", get(path));
        }
    }
}

/// What the crypto device does, and why it does not.
fn device(document: &Value, out: &mut String) {
    let get = |path: &str| text(document, path);
    if get("device.name").is_empty() {
        return;
    }
    let _ = write!(out, "device {}: {}", get("device.name"), get("device.state"));
    if !get("device.why").is_empty() {
        let _ = write!(out, " ({})", get("device.why"));
    }
    // One that was never used has nothing to count.
    if get("device.state") != "not used" {
        let _ = write!(
            out,
            "; {} thread(s) ask it, {} answered; not answered: {} queue full, {} lost, {} errors; {} time(s) out of service, \
             {} restart(s)",
            get("device.threads"),
            get("device.answered"),
            get("device.full"),
            get("device.lost"),
            get("device.errors"),
            get("device.outs"),
            get("device.restarts")
        );
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(device: Value) -> String {
        let evidence = json!([{ "alg": "p256", "key": "04", "signed": "aa", "signature": "bb", "engine": true,
            "reference": false, "by_device": true }]);
        let evidence = if device["state"] == "out for good" { evidence } else { json!([]) };
        let document =
            json!({ "engines": [], "device": device, "self_check": { "mismatches": 0, "evidence": evidence } });
        let mut out = String::new();
        crypto(&document, &mut out);
        out
    }

    fn device(state: &str, why: &str) -> Value {
        json!({ "name": "0000:3d:01.0 (crypto_qat)", "state": state, "why": why, "threads": 2, "answered": 7, "full": 1,
            "lost": 3, "errors": 4, "outs": 5, "restarts": 6, "wrong": 1 })
    }

    #[test]
    fn a_device_has_its_line_and_a_wrong_verdict_its_evidence() {
        assert!(!shown(Value::Null).contains("device"));
        assert_eq!(
            shown(device("in service", "")).lines().nth(1),
            Some(
                "device 0000:3d:01.0 (crypto_qat): in service; 2 thread(s) ask it, 7 answered; not answered: 1 queue full, \
                 3 lost, 4 errors; 5 time(s) out of service, 6 restart(s)"
            )
        );
        let refused = shown(device("not used", "no such device"));
        assert_eq!(refused.lines().nth(1), Some("device 0000:3d:01.0 (crypto_qat): not used (no such device)"));
        let wrong = shown(device("out for good", "it gave a wrong verdict"));
        assert!(
            wrong.contains(
                "CRITICAL: 0000:3d:01.0 (crypto_qat) is not asked any more, it gave a wrong verdict: 1 wrong"
            )
        );
        assert!(
            wrong.contains("p256 key 04 signed aa signature bb: device says valid, reference says invalid"),
            "{wrong}"
        );
    }
}
