//! `sgperf sync`: turns of a worker beside a sync.

use clap::Args;
use sealgate_perf::sync::{self, Turns};
use serde_json::json;
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
    let operators = sync::operators(args.operators)?;
    let mut rounds = Vec::new();
    if !args.json {
        head(&format!("{} operators", args.operators));
    }
    for _ in 0..args.rounds.max(1) {
        let outcome = sync::measure(&operators, args.core, Duration::from_millis(args.ms))?;
        let mut round = serde_json::Map::new();
        for (phase, turns) in [("quiet", &outcome.quiet), ("sync", &outcome.sync)] {
            show(phase, turns, args.json, &mut round);
        }
        let (published, whole) = (outcome.published.as_secs_f64(), outcome.sync.elapsed.as_secs_f64());
        round.insert("published_s".to_owned(), json!(published));
        round.insert("tables_s".to_owned(), json!(whole));
        if !args.json {
            println!("{:>20}  published after {published:.1} s, {} tables after {whole:.1} s", "", outcome.tables);
        }
        rounds.push(round);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rounds)?);
    }
    Ok(())
}

/// The head of a table of turns.
pub fn head(what: &str) {
    let what = format!("{what}; microseconds of a worker's turn");
    println!(
        "{what:<50} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "p50", "p99", "p99.9", "longest", "turns", "interrupted"
    );
}

/// Turns of one phase: rows of the table, and their figures.
pub fn show(phase: &str, turns: &Turns, quiet: bool, round: &mut serde_json::Map<String, serde_json::Value>) {
    for (by, sorted) in [("cpu", &turns.cpu_ns), ("clock", &turns.clock_ns)] {
        let [p50, p99, p999, longest] = [500, 990, 999, 1000].map(|of| Turns::at(sorted, of));
        for (name, value) in [("p50", p50), ("p99", p99), ("p999", p999), ("longest", longest)] {
            round.insert(format!("{phase}_{by}_{name}_us"), json!(value));
        }
        if !quiet {
            println!(
                "{phase:>20}, {by:<28} {p50:>9.1} {p99:>9.1} {p999:>9.1} {longest:>9.1} {:>9} {:>10}",
                sorted.len(),
                turns.taken_away
            );
        }
    }
    round.insert(format!("{phase}_interrupted"), json!(turns.taken_away));
}
