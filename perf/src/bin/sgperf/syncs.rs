//! `sgperf sync`: turns of a worker beside a sync.

use clap::Args;
use sealgate_perf::record::Document;
use sealgate_perf::sync::{self, Turns};
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Sync {
    /// Operators, with a certificate and a key each.
    #[arg(long, default_value_t = 10_000)]
    operators: usize,
    /// Rounds: quiet, then a sync.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Milliseconds of a quiet phase.
    #[arg(long, default_value_t = 3000)]
    ms: u64,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Sync) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("sync");
    let operators = sync::operators(args.operators)?;
    if !args.json {
        head(&format!("{} operators", args.operators));
    }
    for _ in 0..args.rounds.max(1) {
        let outcome = sync::measure(&operators, args.core, Duration::from_millis(args.ms))?;
        for (phase, turns) in [("quiet", &outcome.quiet), ("sync", &outcome.sync)] {
            tell(phase, turns, args.json, &mut document);
        }
        let (published, whole) = (outcome.published.as_secs_f64(), outcome.sync.elapsed.as_secs_f64());
        document.add("published_s", "s", published);
        document.add("tables_s", "s", whole);
        if !args.json {
            println!("{:>20}  published after {published:.1} s, {} tables after {whole:.1} s", "", outcome.tables);
        }
    }
    if args.json { document.print(true) } else { Ok(()) }
}

/// The head of a table of turns.
pub fn head(what: &str) {
    let what = format!("{what}; microseconds of a worker's turn");
    println!(
        "{what:<50} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "p50", "p99", "p99.9", "longest", "turns", "interrupted"
    );
}

/// Turns of one phase, into the document; rows of the table too, if not `quiet`.
pub fn tell(phase: &str, turns: &Turns, quiet: bool, document: &mut Document) {
    for (by, sorted) in [("cpu", &turns.cpu_ns), ("clock", &turns.clock_ns)] {
        let [p50, p99, p999, longest] = [500, 990, 999, 1000].map(|of| Turns::at(sorted, of));
        for (name, value) in [("p50", p50), ("p99", p99), ("p999", p999), ("longest", longest)] {
            document.add_or_note(&format!("{phase}_{by}_{name}_us"), "us", value);
        }
        if !quiet {
            println!(
                "{phase:>20}, {by:<28} {p50:>9.1} {p99:>9.1} {p999:>9.1} {longest:>9.1} {:>9} {:>10}",
                sorted.len(),
                turns.taken_away
            );
        }
    }
    document.add(&format!("{phase}_interrupted"), "times", turns.taken_away as f64);
}
