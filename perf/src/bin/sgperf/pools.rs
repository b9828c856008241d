//! `sgperf pool`: the pool against the engine alone.

use clap::Args;
use sealgate_perf::pool::{self, Load};
use serde_json::json;
use std::error::Error;

#[derive(Args)]
pub struct Pool {
    /// Keys, drawn at random; each has a table of the middle width.
    #[arg(long, default_value_t = 100)]
    keys: usize,
    /// Rounds, each of all measurements in turn.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Milliseconds of each measurement.
    #[arg(long, default_value_t = 100)]
    ms: u64,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    worker: usize,
    /// Core of the crypto thread.
    #[arg(long, default_value_t = 1)]
    crypto: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Pool) -> Result<(), Box<dyn Error>> {
    let load = Load::new(args.keys)?;
    let speeds = pool::measure(&load, args.worker, args.crypto, args.rounds, args.ms)?;
    let to_bare = |speed: f64| speed / speeds.bare;
    if args.json {
        println!(
            "{}",
            json!({ "keys": args.keys, "reference_p256_per_s": speeds.reference, "bare_p256_per_s": speeds.bare,
                "pool_p256_per_s": speeds.pool, "pool_p256_per_s_wall": speeds.pool_wall, "inline_p256_per_s": speeds.inline,
                "pool_to_bare": to_bare(speeds.pool), "inline_to_bare": to_bare(speeds.inline),
                "bare_to_reference": speeds.bare / speeds.reference })
        );
    } else {
        println!("P-256, {} keys, per second of one core:", args.keys);
        for (name, speed) in [
            ("aws-lc-rs", speeds.reference),
            ("engine alone", speeds.bare),
            ("pool, crypto thread", speeds.pool),
            ("the same by the clock", speeds.pool_wall),
            ("inline, with hash", speeds.inline),
        ] {
            println!("{name:>22} {speed:>10.0} /s  {:>5.1} %", 100.0 * to_bare(speed));
        }
    }
    Ok(())
}
