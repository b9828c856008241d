//! Certificates, and the repository that they come from.

use super::more::alarms;
use super::{list, moment, number, rows, text};
use crate::cli::table::Table;
use serde_json::Value;
use std::fmt::Write;

pub(super) fn trust(document: &Value) -> String {
    let mut signers = Table::new(&["signer", "state", "algorithm", "role", "valid to", "Global Titles"]);
    for signer in list(document, "signers") {
        let titles = signer.get("gt_prefixes").map_or(&[][..], rows);
        signers.row([
            text(signer, "name"),
            text(signer, "state"),
            text(signer, "alg"),
            text(signer, "role"),
            moment(signer, "valid_to"),
            titles.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        ]);
    }
    let mut lists = Table::new(&["revocation list", "next due", "#revoked", "issuer"]);
    for list in list(document, "crls") {
        lists.row([text(list, "name"), moment(list, "next_update"), text(list, "revoked"), text(list, "issuer")]);
    }
    let mut out = format!("{}\n{}", signers.show(), lists.show());
    if !list(document, "callers").is_empty() {
        let mut callers = Table::new(&["certificate of callers", "state", "valid to", "serial"]);
        for one in list(document, "callers") {
            callers.row([text(one, "name"), text(one, "state"), moment(one, "valid_to"), text(one, "serial")]);
        }
        let _ = write!(out, "\n{}", callers.show());
    }
    if let Some(fetching) = document.get("fetching").filter(|fetching| fetching.is_object()) {
        let count = |key: &str| number(fetching, key);
        let (fetched, failed, refused) = (count("fetched"), count("failed"), count("refused"));
        let _ = writeln!(
            out,
            "\ncertificates of callers: {fetched} fetched, {failed} URL(s) gave none, {refused} left alone (limits, hosts, queries)"
        );
        let last = text(fetching, "last_failure");
        if !last.is_empty() {
            let _ = writeln!(out, "the last that gave none: {last}");
        }
    }
    if !list(document, "rejected").is_empty() {
        let mut rejected = Table::new(&["not used", "fault", "detail"]);
        for one in list(document, "rejected") {
            rejected.row(["name", "fault", "detail"].map(|key| text(one, key)));
        }
        let _ = write!(out, "\n{}", rejected.show());
    }
    out
}

pub(super) fn repository(document: &Value) -> String {
    if document.get("followed").and_then(Value::as_bool) != Some(true) {
        return "no repository is followed\n".to_owned();
    }
    let get = |path: &str| text(document, path);
    let mut out = String::new();
    let _ = match get("serial").is_empty() {
        true => writeln!(out, "nothing is held yet"),
        false => writeln!(
            out,
            "serial {} of session {}, {} objects, made {}, next due {}",
            get("serial"),
            get("session"),
            get("objects"),
            moment(document, "this_update"),
            moment(document, "next_update")
        ),
    };
    let stale = document.get("stale").and_then(Value::as_bool) == Some(true);
    let _ = writeln!(
        out,
        "checked {}{}, next look in {} s, {} swap(s), {} failure(s) in a row",
        moment(document, "checked"),
        if stale { " (too long ago)" } else { "" },
        number(document, "next_look_s"),
        number(document, "swaps"),
        number(document, "failures")
    );
    let first = number(document, "asked_first");
    for (at, mirror) in (0_u64..).zip(list(document, "mirrors")) {
        let mark = if at == first { " (asked first)" } else { "" };
        let _ = writeln!(out, "mirror {}{mark}", mirror.as_str().unwrap_or_default());
    }
    if document.get("held_back").and_then(Value::as_bool) == Some(true) {
        let _ = writeln!(out, "held back until you agree: sealgate repository confirm");
    }
    if !list(document, "alarms").is_empty() {
        let _ = write!(out, "\n{}", alarms(document.get("alarms").unwrap_or(&Value::Null)));
    }
    out
}
