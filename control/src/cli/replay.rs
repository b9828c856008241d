//! `sealgate replay`: what the gateway would have done with a capture.

use super::CliError;
use crate::material::Source;
use crate::offline::{self, How, OfflineError, Replayed};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sealgate_dataplane::io::pcap::{PcapError, Reader, Resolution, Writer};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::stats::Stats;
use sealgate_wire::Reason;
use sealgate_wire::reason::ALL;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Captures below this many octets are done before a bar could be seen.
const LARGE: u64 = 8 * 1024 * 1024;

/// Arguments of `sealgate replay`.
///
/// The capture holds both directions; each frame's addresses tell which way it goes, its time is the gateway's clock.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Capture to read: pcap or pcapng, Ethernet.
    input: PathBuf,
    /// Capture to write: what would have left, both directions, at its time. Left out: only the table.
    #[arg(short, long, value_name = "OUT.pcap")]
    output: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Take the first frame for the moment the gateway starts; otherwise it has been running for long, and what it
    /// cannot know from the capture (transactions opened before it) is refused.
    #[arg(long)]
    cold: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl From<PcapError> for CliError {
    fn from(fault: PcapError) -> Self {
        Self::new(fault.to_string(), "captures are pcap or pcapng files of Ethernet frames")
    }
}

impl From<OfflineError> for CliError {
    fn from(fault: OfflineError) -> Self {
        match fault {
            OfflineError::Pcap(fault) => fault.into(),
            other => {
                Self::new(other.to_string(), "nothing that this library says can be trusted: do not use this build")
            }
        }
    }
}

/// Runs the command and prints what became of the messages.
/// # Errors
/// Files that cannot be read, written or compiled.
pub fn run(args: Args) -> Result<(), CliError> {
    let first = offline::first_time(&args.input)?.unwrap_or_default();
    let compiled = args.source.compile(offline::millis(first))?;
    for note in compiled.notes.iter().filter(|_| !args.json) {
        eprintln!("note: {note}");
    }
    let names: Vec<String> = compiled.snapshot.peers.iter().map(|peer| peer.name.clone()).collect();
    let file = File::open(&args.input).map_err(|fault| PcapError {
        file: args.input.clone(),
        offset: 0,
        fault: fault.into(),
    })?;
    let len = file.metadata().map_or(0, |data| data.len());
    let bar = bar(len, args.json);
    let input = Reader::new(&args.input, bar.wrap_read(BufReader::with_capacity(1 << 20, file)))?;
    let output = args.output.as_ref().map(|path| Writer::create(path, Resolution::Nano)).transpose()?;
    let replayed = offline::replay(compiled.snapshot, input, output, How { cold: args.cold, journal: false })?;
    bar.finish_and_clear();
    let shown = if args.json {
        format!("{:#}", as_json(&replayed, &names))
    } else {
        let out = args.output.as_ref().map(|path| format!("what left       {}\n", path.display())).unwrap_or_default();
        table(&replayed, &names) + &out
    };
    super::print(&format!("{}\n", shown.trim_end()));
    Ok(())
}

fn bar(len: u64, json: bool) -> ProgressBar {
    let hidden = json || len < LARGE;
    let bar = ProgressBar::with_draw_target(
        Some(len),
        if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3}%  {binary_bytes} of {binary_total_bytes}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// One line of the table.
struct Row<'n> {
    peer: &'n str,
    way: Direction,
    reason: Reason,
    count: u64,
}

fn rows<'n>(stats: &Stats, names: &'n [String]) -> Vec<Row<'n>> {
    let mut rows = Vec::new();
    for (id, peer) in names.iter().enumerate() {
        for way in [Direction::In, Direction::Out] {
            let counts = u16::try_from(id).ok().and_then(|id| stats.verdicts(id, way));
            for (&reason, count) in ALL.iter().zip(counts.into_iter().flatten()).filter(|(_, count)| *count > 0) {
                rows.push(Row { peer, way, reason, count });
            }
        }
    }
    rows
}

/// What became of a message of this reason, in a word.
pub(crate) fn fate(reason: Reason) -> &'static str {
    match reason {
        Reason::OkHeld => "held",
        Reason::OkAnswered => "ended here",
        reason if reason.passes() => "passed",
        _ => "refused",
    }
}

pub(crate) fn way_name(way: Direction) -> &'static str {
    match way {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn non_zero(counts: &[u64]) -> impl Iterator<Item = (Reason, u64)> {
    ALL.iter().copied().zip(counts.iter().copied()).filter(|(_, count)| *count > 0)
}

fn table(replayed: &Replayed, names: &[String]) -> String {
    let stats = &replayed.stats;
    let rows = rows(stats, names);
    let width = rows.iter().map(|row| row.peer.len()).max().unwrap_or(0).max(8);
    let mut text = format!("{:width$}  way  fate     messages  reason\n", "operator");
    for row in &rows {
        let (way, fate, reason) = (way_name(row.way), fate(row.reason), row.reason);
        text += &format!(
            "{:width$}  {way:3}  {fate:7}  {:>8}  {} {} {}\n",
            row.peer,
            row.count,
            reason.code(),
            reason.name(),
            reason.text()
        );
    }
    if rows.is_empty() {
        text += "no messages\n";
    }
    let dropped: Vec<_> = non_zero(&stats.frames_dropped).collect();
    if !dropped.is_empty() {
        text += "\nframes dropped whole\n";
    }
    for (reason, count) in dropped {
        text += &format!("{count:>10}  {} {} {}\n", reason.code(), reason.name(), reason.text());
    }
    let events: Vec<_> = non_zero(&stats.events).collect();
    if !events.is_empty() {
        text += "\nbesides\n";
    }
    for (reason, count) in events {
        text += &format!("{count:>10}  {} {} {}\n", reason.code(), reason.name(), reason.text());
    }
    let seconds = replayed.took.as_secs_f64();
    let rate = if seconds > 0.0 { stats.messages as f64 / seconds } else { 0.0 };
    text += &format!(
        "\nframes          {} in, {} out\nmessages        {}, and {} chunks that came again\n",
        stats.rx[0], stats.tx[1], stats.messages, stats.repeated
    );
    if replayed.waiting > 0 {
        text += &format!(
            "still waiting   {} frames hold a part of a message whose rest is not in the capture\n",
            replayed.waiting
        );
    }
    if replayed.oversized > 0 {
        text += &format!("passed over     {} frames longer than any IP packet\n", replayed.oversized);
    }
    text += &format!(
        "time            {:.1} s of traffic in {seconds:.2} s ({rate:.0} messages/s, one core, signatures included)\n",
        replayed.span.as_secs_f64()
    );
    text
}

fn as_json(replayed: &Replayed, names: &[String]) -> Value {
    let stats = &replayed.stats;
    let list = |counts: &[u64]| -> Vec<Value> {
        non_zero(counts)
            .map(|(reason, count)| json!({ "code": reason.code(), "reason": reason.name(), "count": count }))
            .collect()
    };
    let verdicts: Vec<Value> = rows(stats, names)
        .iter()
        .map(|row| {
            json!({ "peer": row.peer, "way": way_name(row.way), "fate": fate(row.reason), "code": row.reason.code(),
                "reason": row.reason.name(), "count": row.count })
        })
        .collect();
    json!({ "frames": { "in": stats.rx[0], "out": stats.tx[1], "dropped": list(&stats.frames_dropped),
            "waiting": replayed.waiting, "oversized": replayed.oversized },
        "messages": stats.messages, "repeated": stats.repeated, "verdicts": verdicts, "events": list(&stats.events),
        "traffic_seconds": replayed.span.as_secs_f64(), "took_seconds": replayed.took.as_secs_f64() })
}
