//! `sealgate explain`: why each message of a capture passes or not.

use super::CliError;
use crate::explain::{self, Excerpt, Frame, Outcome, Verdict};
use crate::material::Source;
use crate::offline;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `sealgate explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Capture to read: pcap or pcapng, Ethernet, both directions.
    file: PathBuf,
    /// Only this frame, counted from 1. Those before it are judged all the same: a replay needs its original.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    frame: Option<u64>,
    #[command(flatten)]
    source: Source,
    /// Take the first frame for the moment the gateway starts; otherwise it has been running for long.
    #[arg(long)]
    cold: bool,
    /// Show every step on a line of its own, also those that were not taken.
    #[arg(long)]
    all_steps: bool,
    /// Print one JSON document a frame.
    #[arg(long)]
    json: bool,
}

/// Runs the command and prints every frame, or the one that is asked for.
/// # Errors
/// Files that cannot be read or compiled, and a frame that the capture does not have.
pub fn run(args: Args) -> Result<(), CliError> {
    let first = offline::first_time(&args.file)?.unwrap_or_default();
    let compiled = args.source.compile(offline::millis(first))?;
    for note in compiled.notes.iter().filter(|_| !args.json) {
        eprintln!("note: {note}");
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut shown = 0_u64;
    explain::explain(compiled.snapshot, &args.file, args.cold, args.frame, &mut |frame| {
        shown += 1;
        let text = if args.json { format!("{}\n", json!(frame)) } else { text(&frame, args.all_steps) };
        out.write_all(text.as_bytes()).is_ok() // a reader that went away (`| head`) is no fault of ours
    })?;
    let _ = out.flush();
    match args.frame {
        Some(frame) if shown == 0 => {
            Err(CliError::new(format!("{} has no frame {frame}", args.file.display()), "frames are counted from 1"))
        }
        _ => Ok(()),
    }
}

/// One frame for people.
pub fn text(frame: &Frame, all_steps: bool) -> String {
    let mut text = format!("frame {}  {} UTC  {} octets\n", frame.frame, frame.time, frame.len);
    for line in &frame.layers {
        text += &format!("  {:9} {}\n", line.layer, line.text);
    }
    if let Some(verdict) = &frame.verdict {
        text += &verdict_text(verdict, all_steps);
    }
    let tcp = frame.layers.iter().any(|line| line.layer == "TCP");
    let name = if tcp { "sequence number" } else { "TSN" };
    for (i, message) in frame.messages.iter().enumerate() {
        text += &format!("  message {} of {}, {name} {}\n", i + 1, frame.messages.len(), message.tsn);
        for line in &message.layers {
            text += &format!("  {:9} {}\n", line.layer, line.text);
        }
        if let Some(verdict) = &message.verdict {
            text += &verdict_text(verdict, all_steps);
        }
    }
    text.push('\n');
    text
}

fn verdict_text(verdict: &Verdict, all_steps: bool) -> String {
    let mut text = String::new();
    let mut plain: Vec<&str> = Vec::new();
    for step in &verdict.steps {
        let mark = match step.outcome {
            // Those that need no words stand in one line.
            Outcome::Passed if step.detail.is_empty() && !all_steps => {
                plain.push(step.step);
                continue;
            }
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Tolerated => "allowed",
            Outcome::NotTaken if all_steps => "-",
            Outcome::NotTaken => continue,
        };
        if !plain.is_empty() {
            text += &format!("    ok      {}\n", std::mem::take(&mut plain).join(", "));
        }
        let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
        text += &format!("    {mark:7} {:6} {}{detail}\n", step.step, step.what);
    }
    if !plain.is_empty() {
        text += &format!("    ok      {}\n", plain.join(", "));
    }
    let not_taken = verdict.steps.iter().filter(|step| step.outcome == Outcome::NotTaken).count();
    if not_taken > 0 && !all_steps {
        text += &format!("    -       {not_taken} steps that do not apply or were not reached\n");
    }
    let fate = match verdict.fate {
        "passed" => "PASSED",
        "held" => "HELD",
        _ => "REFUSED",
    };
    text += &format!("  {fate:9} {} {}: {}\n", verdict.code, verdict.reason, verdict.text);
    if let Some(rule) = &verdict.rule {
        text += &format!("  {:9} {rule}\n", "rule");
    }
    if let Some(excerpt) = &verdict.octets {
        text += &excerpt_text(excerpt);
    }
    text
}

/// Lines of sixteen octets, those that the reason is about in brackets.
fn excerpt_text(excerpt: &Excerpt) -> String {
    let (first, last) = (excerpt.at, excerpt.at + excerpt.len - 1);
    let which = if first == last { format!("octet {first}") } else { format!("octets {first} to {last}") };
    let field = if excerpt.field.is_empty() { String::new() } else { format!("{}, ", excerpt.field) };
    let mut text = format!("  {:9} {field}{which} of the {}\n", "where", excerpt.of);
    let octets: Vec<&str> = (0..excerpt.hex.len()).step_by(2).filter_map(|at| excerpt.hex.get(at..at + 2)).collect();
    for (row, line) in octets.chunks(16).enumerate() {
        let start = excerpt.from + row * 16;
        text += &format!("    {start:04x} ");
        for (i, octet) in line.iter().enumerate() {
            let at = start + i;
            let inside = |at: usize| (first..=last).contains(&at);
            let open = if inside(at) && (at == first || i == 0) { '[' } else { ' ' };
            text.push(if i > 0 && inside(at - 1) && !inside(at) { ']' } else { open });
            text += octet;
        }
        let end = start + line.len() - 1;
        text.push_str(if (first..=last).contains(&end) { "]\n" } else { "\n" });
    }
    if last >= excerpt.from + octets.len() {
        text += &format!("    ...  up to {last:04x}\n");
    }
    text
}
