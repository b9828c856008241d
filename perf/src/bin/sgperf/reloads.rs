//! `sgperf reload`: turns of a worker beside swaps of its policy.

use super::syncs::{head, tell};
use clap::Args;
use sealgate_perf::record::Document;
use sealgate_perf::reload::{self, Outcome};
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Reload {
    /// Prefixes of Global Titles in each of the two policies that take turns.
    #[arg(long, default_value_t = 0)]
    prefixes: usize,
    /// Swaps, one after the other.
    #[arg(long, default_value_t = 1000)]
    swaps: usize,
    /// Rounds: a phase without swaps, then the swaps.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Milliseconds of the phase without swaps.
    #[arg(long, default_value_t = 3000)]
    ms: u64,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Reload) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("reload");
    if !args.json {
        head(&format!("{} swaps, {} prefixes", args.swaps, args.prefixes));
    }
    for _ in 0..args.rounds.max(1) {
        let outcome = reload::measure(args.prefixes, args.swaps, args.core, Duration::from_millis(args.ms))?;
        for (phase, turns) in [("quiet", &outcome.quiet), ("swaps", &outcome.swaps)] {
            tell(phase, turns, args.json, &mut document);
        }
        let line = swaps(&outcome, &mut document);
        if !args.json {
            println!("{line}");
        }
    }
    if args.json { document.print(true) } else { Ok(()) }
}

/// Adds what swaps took and cost to the document; returns that for people.
fn swaps(outcome: &Outcome, document: &mut Document) -> String {
    let millis = |sorted: &[Duration], of_100: usize| {
        let at = (sorted.len() * of_100 / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let mut add = |name: &str, sorted: &[Duration]| {
        let [middle, longest] = [50, 100].map(|of_100| millis(sorted, of_100));
        document.add_or_note(&format!("{name}_p50_ms"), "ms", middle);
        document.add_or_note(&format!("{name}_longest_ms"), "ms", longest);
        (middle, longest)
    };
    let (compiled, slowest) = add("compile", &outcome.compile);
    let (moved, last) = add("moved_on", &outcome.moved_on);
    let Outcome { messages, lost, .. } = outcome;
    document.add("messages", "messages", *messages as f64);
    document.add("lost", "messages", *lost as f64);
    format!(
        "{0:>20}  compiled in {compiled:.1} ms (longest {slowest:.1})\n\
         {0:>20}  the worker had moved on after {moved:.2} ms (longest {last:.2}), what was before is freed by control\n\
         {0:>20}  {messages} messages during the swaps, {lost} lost or misjudged",
        ""
    )
}
