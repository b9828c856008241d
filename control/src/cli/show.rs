//! `sealgate show`: what a running gateway does, in tables or in JSON.

mod crypto;
pub(super) mod more;
mod policy;
mod trust;

use self::crypto::crypto;
use self::trust::{repository, trust};
use super::door::Door;
use super::table::Table;
use super::{CliError, print};
use crate::admin::{self, Request, Words};
use crate::report::What;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::Value;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;

/// Arguments of `sealgate show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to show.
    #[arg(default_value = "status")]
    what: What,
    #[command(flatten)]
    door: Door,
    /// Print JSON, one document on one line.
    #[arg(long)]
    json: bool,
    /// With refused: only those of this reason, as R_SEC_MISSING.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// With refused: write their frames to a capture file, each with its verdict as comment. They hold subscribers' data.
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    pcapng: Option<PathBuf>,
    /// Show it again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
}

impl ValueEnum for What {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Status,
            Self::Alarms,
            Self::Peers,
            Self::Reasons,
            Self::Refused,
            Self::Migration,
            Self::Rules,
            Self::Screening,
            Self::Workers,
            Self::Associations,
            Self::Replay,
            Self::Trust,
            Self::Repository,
            Self::Policy,
            Self::All,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Status => "is it well, and what went through",
            Self::Peers => "verdicts by operator",
            Self::Reasons => "verdicts by reason",
            Self::Workers => "what each worker did",
            Self::Trust => "certificates and revocation lists",
            Self::Repository => "the repository that is followed, and its alarms",
            Self::Associations => "associations of each worker",
            Self::Replay => "memories against replays, open transactions, and what detectors remember",
            Self::Alarms => "what stands, with its severity and since when",
            Self::Refused => "the last refused messages of each reason",
            Self::Migration => "how far each peer is from mode require",
            Self::Rules => "operator rules, and what each has done",
            Self::Screening => "what active screening of each peer would refuse, with examples",
            Self::Policy => "the policy in force, every key given",
            Self::All => "all but policy, refused, migration, rules and screening",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// Runs the command.
/// # Errors
/// No gateway answers, or the configuration cannot be read.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    if args.what != What::Refused && (args.reason.is_some() || args.pcapng.is_some()) {
        let error = CliError::new("--reason and --pcapng go with refused", "sealgate show refused --help");
        return Err(error.with_code(CliError::CONFIGURATION));
    }
    let socket = args.door.socket()?;
    let mut request = Request::new("show", args.what.name());
    request.frames = args.pcapng.is_some();
    request.filter = args.reason.map(|reason| Words { reasons: vec![reason], ..Words::default() });
    loop {
        let document = admin::send(&socket, &request)?;
        if let Some(file) = &args.pcapng {
            let count = more::write_pcapng(file, &document)?;
            print(&format!("{count} frame(s) in {}, readable for you alone\n", file.display()));
            return Ok(ExitCode::SUCCESS);
        }
        let text = if args.json { format!("{document}\n") } else { show(args.what, &document) };
        // Home and clear, so that a watched table stays in its place; only where there is a screen.
        let clear = args.watch.is_some() && !args.json && std::io::stdout().is_terminal();
        print(&format!("{}{text}", if clear { "\x1b[H\x1b[2J" } else { "" }));
        match args.watch {
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// A document in words and tables.
fn show(what: What, document: &Value) -> String {
    match what {
        What::Status => status(document),
        What::Workers => workers(document),
        What::Peers => peers(document),
        What::Reasons => reasons(document),
        What::Trust => trust(document),
        What::Repository => repository(document),
        What::Policy => text(document, "yaml"),
        What::Associations => more::associations(document),
        What::Replay => more::replay(document),
        What::Alarms => more::alarms(document),
        What::Refused => more::refused(document),
        What::Migration => more::migration(document),
        What::Rules => policy::rules(document),
        What::Screening => policy::screening(document),
        What::All => {
            let part = |what: &What| show(*what, document.get(what.name()).unwrap_or(&Value::Null));
            let parts = What::value_variants().iter().filter(|what| what.is_part());
            parts.map(part).collect::<Vec<_>>().join("\n")
        }
    }
}

/// What a run came to: its status, and the verdicts of the document on everything.
pub(super) fn summary(all: &Value) -> String {
    let part = |key: &str| all.get(key).unwrap_or(&Value::Null);
    let mut text = status(part("status"));
    if !rows(part("reasons")).is_empty() {
        text.push('\n');
        text.push_str(&reasons(part("reasons")));
    }
    text
}

/// The value at a path of keys with dots, as text; empty if it is not there.
fn text(document: &Value, path: &str) -> String {
    let found = path.split('.').try_fold(document, |value, key| match key.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(key),
    });
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn rows(document: &Value) -> &[Value] {
    document.as_array().map_or(&[], Vec::as_slice)
}

fn list<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document.get(key).map_or(&[], rows)
}

fn number(document: &Value, path: &str) -> u64 {
    text(document, path).parse().unwrap_or(0)
}

fn status(document: &Value) -> String {
    let get = |path: &str| text(document, path);
    let mut out = String::new();
    let up = number(document, "uptime_s");
    let _ = writeln!(
        out,
        "sealgate {}: {}, process {}, up {}:{:02}:{:02}, {}",
        get("version"),
        get("state"),
        get("pid"),
        up / 3600,
        up / 60 % 60,
        up % 60,
        get("config")
    );
    let _ = writeln!(
        out,
        "workers {} of {}, crypto threads {} of {}; signers {} good, {} not usable now, {} objects rejected",
        get("workers.running"),
        get("workers.configured"),
        get("crypto.alive"),
        get("crypto.threads"),
        get("signers.good"),
        get("signers.other"),
        get("signers.rejected")
    );
    crypto(document.get("crypto").unwrap_or(&Value::Null), &mut out);
    for peer in list(document, "not_requiring_signatures") {
        let _ = writeln!(out, "attention: {} needs no signature (mode {})", text(peer, "peer"), text(peer, "mode"));
    }
    for alarm in list(document, "alarms") {
        // From the log's words, which may quote strangers but hold no control characters.
        let since = moment(alarm, "since");
        let (name, severity, what) = (text(alarm, "name"), text(alarm, "severity"), text(alarm, "text"));
        let _ = writeln!(out, "alarm {name} ({severity}, since {since}): {what}");
    }
    if document.get("signs") == Some(&Value::Bool(false)) {
        let _ = writeln!(out, "attention: nothing is signed (the policy has no home.signing)");
    }
    if get("memory.locked") == "false" {
        let _ = writeln!(out, "attention: memory may reach swap, and private keys with it ({})", get("memory.why"));
    }
    let mut ports = Table::new(&["port", "device", "driver", "link", "#received", "#sent", "#missed", "#errors"]);
    for port in list(document, "ports") {
        let errors = ["rx_errors", "tx_errors", "no_buffer"];
        let errors: u64 = errors.iter().map(|key| number(port, &format!("device_counters.{key}"))).sum();
        let known = port.get("device_counters").is_some_and(Value::is_object);
        ports.row([
            text(port, "side"),
            text(port, "device"),
            text(port, "driver"),
            text(port, "device_counters.link"),
            text(port, "rx"),
            text(port, "tx"),
            text(port, "device_counters.missed"),
            if known { errors.to_string() } else { String::new() },
        ]);
    }
    let mut counts = Table::new(&["", "#received", "#passed on", "#refused", "#waiting", "#repeated"]);
    counts.row([
        "frames".to_owned(),
        get("frames.received"),
        get("frames.sent"),
        get("frames.dropped"),
        get("frames.held"),
    ]);
    counts.row([
        "messages".to_owned(),
        get("messages.received"),
        get("messages.passed"),
        get("messages.refused"),
        get("messages.waiting"),
        get("messages.repeated"),
    ]);
    out.push('\n');
    out.push_str(&ports.show());
    out.push('\n');
    out.push_str(&counts.show());
    if get("frames.unaccounted") != "0" {
        let _ = writeln!(out, "attention: {} frames are unaccounted for", get("frames.unaccounted"));
    }
    out
}

fn workers(document: &Value) -> String {
    let titles =
        ["#worker", "#core", "state", "#busy %", "#received", "#sent", "#dropped", "#held", "#handed", "#taken"];
    let mut table = Table::new(&titles);
    for worker in rows(document) {
        let (turns, idle) = (number(worker, "turns"), number(worker, "idle_turns"));
        let both = |key: &str| (number(worker, &format!("{key}.0")) + number(worker, &format!("{key}.1"))).to_string();
        table.row([
            text(worker, "worker"),
            text(worker, "core"),
            text(worker, "state"),
            (turns.saturating_sub(idle) * 100).checked_div(turns).unwrap_or(0).to_string(),
            both("rx"),
            both("tx"),
            text(worker, "dropped"),
            text(worker, "held"),
            text(worker, "handed"),
            text(worker, "taken"),
        ]);
    }
    table.show()
}

fn peers(document: &Value) -> String {
    let mut table = Table::new(&["peer", "mode", "direction", "#passed", "#refused", "reasons"]);
    for peer in rows(document) {
        for way in ["in", "out"] {
            let Some(row) = peer.get(way) else { continue };
            let reasons = row.get("reasons").and_then(Value::as_object);
            let mut reasons: Vec<_> =
                reasons.into_iter().flatten().map(|(name, count)| (count.as_u64().unwrap_or(0), name)).collect();
            reasons.sort_by(|a, b| b.cmp(a));
            let reasons: Vec<_> = reasons.iter().map(|(count, name)| format!("{name} {count}")).collect();
            table.row([
                text(peer, "peer"),
                text(peer, "mode"),
                way.to_owned(),
                text(row, "passed"),
                text(row, "refused"),
                reasons.join(", "),
            ]);
        }
    }
    table.show()
}

fn reasons(document: &Value) -> String {
    if rows(document).is_empty() {
        return "no verdict yet\n".to_owned();
    }
    let mut table = Table::new(&["#code", "reason", "#in", "#out", "#frames", "#events", "meaning"]);
    for reason in rows(document) {
        let cells = ["code", "name", "in", "out", "frames", "events", "text"];
        table.row(cells.map(|key| text(reason, key)));
    }
    table.show()
}

/// Seconds since 1970 as a time of day, UTC.
fn moment(document: &Value, key: &str) -> String {
    let seconds = document.get(key).and_then(Value::as_i64);
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    time.and_then(|time| time.format(&form).ok()).unwrap_or_default()
}
