//! Alarms, refused messages, associations and replay memories, in tables.

use super::{list, moment, number, rows, text};
use crate::cli::CliError;
use crate::cli::table::Table;
use crate::report::pcapng::{Side, Writer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt::Write;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use time::OffsetDateTime;
use time::macros::format_description;

pub(super) fn alarms(document: &Value) -> String {
    if rows(document).is_empty() {
        return "no alarm stands\n".to_owned();
    }
    let mut table = Table::new(&["alarm", "severity", "since", "what"]);
    for alarm in rows(document) {
        table.row([text(alarm, "name"), text(alarm, "severity"), moment(alarm, "since"), text(alarm, "text")]);
    }
    table.show()
}

pub(super) fn refused(document: &Value) -> String {
    if rows(document).is_empty() {
        return "no refused message is kept\n".to_owned();
    }
    let mut out = String::new();
    for one in rows(document) {
        let _ = writeln!(out, "{}", verdict(one));
    }
    out
}

/// One verdict on one line.
pub(in crate::cli) fn verdict(one: &Value) -> String {
    let mut line = format!("{}  {}", instant(one, "time_ms"), text(one, "reason"));
    for (label, key) in [("would be", "would"), ("rule", "rule")] {
        let value = text(one, key);
        if !value.is_empty() {
            let _ = write!(line, "  {label} {value}");
        }
    }
    if number(one, "octet") > 0 {
        let _ = write!(line, " octet {}", text(one, "octet"));
    }
    for (label, key) in [("", "direction"), ("link", "link"), ("peer", "peer"), ("tsn", "tsn")] {
        let value = text(one, key);
        if !value.is_empty() {
            let _ = write!(line, "  {label}{}{value}", if label.is_empty() { "" } else { " " });
        }
    }
    let title = |key: &str| text(one, &format!("{key}.title"));
    if !title("calling").is_empty() || !title("called").is_empty() {
        let ssn = |key: &str| text(one, &format!("{key}.ssn"));
        let parties = ["calling", "called"].map(|key| format!("{}/{}", title(key), ssn(key)));
        let _ = write!(line, "  {} > {}", parties[0], parties[1]);
    }
    let operations: Vec<String> = list(one, "operations").iter().map(Value::to_string).collect();
    if !text(one, "tcap").is_empty() {
        let _ = write!(line, "  {} {}", text(one, "tcap"), operations.join(","));
    }
    // Names come from files of the operator, but a trace goes to a terminal.
    line.chars().filter(|c| !c.is_control()).collect::<String>().trim_end().to_owned()
}

/// Sources of a peer that are shown.
const SOURCES: usize = 5;

pub(super) fn migration(document: &Value) -> String {
    let titles = [
        "peer",
        "mode",
        "window",
        "#messages",
        "#valid %",
        "#absent %",
        "#unknown signer %",
        "#invalid %",
        "#unchecked %",
    ];
    let (mut table, mut notes) = (Table::new(&titles), String::new());
    let states = ["valid", "absent", "unknown_signer", "invalid", "unchecked"];
    for peer in rows(document) {
        for window in list(peer, "windows") {
            let counts = states.map(|state| number(window, &format!("signatures.{state}")));
            let all: u64 = counts.iter().sum();
            let share =
                |count: u64| if all == 0 { String::new() } else { format!("{:.2}", count as f64 * 100.0 / all as f64) };
            let mut row = vec![text(peer, "peer"), text(peer, "mode"), text(window, "window"), all.to_string()];
            row.extend(counts.map(share));
            table.row(row);
        }
        let sources = list(peer, "sources");
        if !sources.is_empty() {
            let shown: Vec<_> = sources.iter().take(SOURCES).map(|one| text(one, "title")).collect();
            let hidden = sources.len().saturating_sub(SOURCES);
            let more = if hidden > 0 { format!(" and {hidden} more (--json)") } else { String::new() };
            let name = text(peer, "peer");
            let _ = writeln!(notes, "in mode require {name} would lose messages of: {}{more}", shown.join(", "));
        }
    }
    format!("{}{notes}", table.show())
}

pub(super) fn associations(document: &Value) -> String {
    let titles = ["#worker", "link", "#remote", "#local", "tags", "last packet", "#waiting in", "#out", "#fragments"];
    let (mut table, mut notes) = (Table::new(&titles), String::new());
    for worker in rows(document) {
        for one in list(worker, "associations") {
            table.row([
                text(worker, "worker"),
                text(one, "link"),
                text(one, "remote"),
                text(one, "local"),
                (if text(one, "proven") == "true" { "proven" } else { "not proven" }).to_owned(),
                instant(one, "seen_ms"),
                text(one, "waiting.0"),
                text(one, "waiting.1"),
                (number(one, "fragments.0") + number(one, "fragments.1")).to_string(),
            ]);
        }
        let hidden = number(worker, "total").saturating_sub(number(worker, "shown"));
        if hidden > 0 {
            let _ = writeln!(notes, "{hidden} more of worker {} were not shown", text(worker, "worker"));
        }
        if text(worker, "current") == "false" {
            let _ = writeln!(
                notes,
                "worker {} did not answer in time; this is what it showed before",
                text(worker, "worker")
            );
        }
    }
    table.show() + &notes
}

/// Peers with open transactions that are shown.
const PEERS: usize = 10;

/// Who has the most transactions open, and how many he may.
fn open(document: &Value) -> String {
    let peers = document.get("transactions").map_or(&[][..], |counts| list(counts, "peers"));
    if peers.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["peer", "#begun by it", "#by us", "#limit of each"]);
    for peer in peers.iter().take(PEERS) {
        table.row(["peer", "by_them", "by_us", "limit"].map(|key| text(peer, key)));
    }
    let hidden = peers.len().saturating_sub(PEERS);
    let more = if hidden > 0 { format!("{hidden} more peers have fewer open (--json)\n") } else { String::new() };
    table.show() + &more
}

pub(super) fn replay(document: &Value) -> String {
    let get = |path: &str| text(document, path);
    let counts = format!(
        "replay windows: {} of {} in use, {} opened, {} in the place of an idle one; refused: {} replays, {} too old, {} for want \
         of a window\n\
         digests of SG-TCAP-0: {} replays refused, {} evicted within their time\n\
         transactions: {} open; {} opened, {} expired, {} evicted, {} refused as one more than their peer may have open\n\
         detection: {} octets; registrations of subscribers: {} seen, {} expired, {} evicted; evicted besides: {} steps, {} \
         updates, {} sources\n",
        get("windows.in_use"),
        get("windows.limit"),
        get("windows.opened"),
        get("windows.reclaimed"),
        get("windows.replays"),
        get("windows.old"),
        number(document, "windows.refused_full") + number(document, "windows.refused_signer_full"),
        get("digests.replays"),
        get("digests.evicted"),
        get("transactions.open"),
        get("transactions.opened"),
        get("transactions.expired"),
        get("transactions.evicted"),
        get("transactions.refused"),
        get("detection.memory_octets"),
        get("detection.subscribers.opened"),
        get("detection.subscribers.expired"),
        get("detection.subscribers.evicted"),
        get("detection.steps.evicted"),
        get("detection.updates.evicted"),
        get("detection.sources.evicted"),
    );
    counts + &open(document)
}

/// Milliseconds since 1970 as a time of day, UTC.
fn instant(document: &Value, key: &str) -> String {
    let ms = i128::from(number(document, key));
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let time = OffsetDateTime::from_unix_timestamp_nanos(ms * 1_000_000).ok();
    time.and_then(|time| time.format(&form).ok()).unwrap_or_default()
}

/// Writes refused messages to a capture file that only its owner can read. Returns how many.
/// # Errors
/// What the system says of the file.
pub(super) fn write_pcapng(file: &Path, document: &Value) -> Result<usize, CliError> {
    let written = || -> io::Result<usize> {
        let output = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
        // It may have been there before, open to others.
        output.set_permissions(Permissions::from_mode(0o600))?;
        let mut writer = Writer::new(BufWriter::new(output))?;
        for one in rows(document) {
            let side = match text(one, "direction").as_str() {
                "in" => Side::Interconnect,
                "out" => Side::Home,
                _ => Side::Unknown,
            };
            let octets = STANDARD.decode(text(one, "frame")).map_err(io::Error::other)?;
            let len = usize::try_from(number(one, "len")).unwrap_or(0);
            let time_ns = number(one, "time_ms").saturating_mul(1_000_000);
            writer.packet(side, time_ns, &octets, len, &comment(one))?;
        }
        writer.finish()?;
        Ok(rows(document).len())
    };
    written().map_err(|error| CliError::new(format!("{}: {error}", file.display()), "give another file"))
}

/// A verdict as a packet's comment.
fn comment(one: &Value) -> String {
    let get = |key: &str| text(one, key);
    let mut words = format!("{} ({}) octet {}: {}", get("reason"), get("code"), get("octet"), get("text"));
    for key in ["peer", "link", "worker"] {
        if !get(key).is_empty() {
            let _ = write!(words, "; {key} {}", get(key));
        }
    }
    words
}
