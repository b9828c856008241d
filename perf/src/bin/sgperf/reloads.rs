//! `sgperf reload`: turns of a worker beside swaps of its policy.

use super::syncs::{head, show};
use clap::Args;
use sealgate_perf::reload;
use serde_json::json;
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
    let outcome = reload::measure(args.prefixes, args.swaps, args.core, Duration::from_millis(args.ms))?;
    let mut round = serde_json::Map::new();
    if !args.json {
        head(&format!("{} swaps, {} prefixes", args.swaps, args.prefixes));
    }
    for (phase, turns) in [("quiet", &outcome.quiet), ("swaps", &outcome.swaps)] {
        show(phase, turns, args.json, &mut round);
    }
    let millis = |times: &[Duration], of_100: usize| {
        let at = (times.len() * of_100 / 100).min(times.len().saturating_sub(1));
        times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let (compile, moved) = (&outcome.compile, &outcome.moved_on);
    for (name, times) in [("compile", compile), ("moved_on", moved)] {
        round.insert(format!("{name}_p50_ms"), json!(millis(times, 50)));
        round.insert(format!("{name}_longest_ms"), json!(millis(times, 100)));
    }
    round.insert("messages".to_owned(), json!(outcome.messages));
    round.insert("lost".to_owned(), json!(outcome.lost));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&round)?);
    } else {
        println!("{:>20}  compiled in {:.1} ms (longest {:.1})", "", millis(compile, 50), millis(compile, 100));
        println!(
            "{:>20}  the worker had moved on after {:.2} ms (longest {:.2}), what was before is freed by control",
            "",
            millis(moved, 50),
            millis(moved, 100)
        );
        println!("{:>20}  {} messages during the swaps, {} lost or misjudged", "", outcome.messages, outcome.lost);
    }
    Ok(())
}
