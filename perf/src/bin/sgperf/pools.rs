//! `sgperf pool`: the pool against the engine alone.

use clap::Args;
use sealgate_perf::pool::{self, Load};
use sealgate_perf::record::{Document, Figure};
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
    let mut document = Document::begin("pool");
    let load = Load::new(args.keys)?;
    pool::measure(&load, args.worker, args.crypto, args.rounds.max(1), args.ms)?.tell(&mut document);
    document.add("keys", "keys", args.keys as f64);
    if args.json {
        return document.print(true);
    }
    println!("P-256, {} keys, per second of one core, and of the engine alone:", args.keys);
    let bare = document.median("bare_p256_per_s").unwrap_or(f64::NAN);
    for (name, figure) in [
        ("aws-lc-rs", "reference_p256_per_s"),
        ("engine alone", "bare_p256_per_s"),
        ("pool, crypto thread", "pool_p256_per_s"),
        ("the same by the clock", "pool_p256_per_s_wall"),
        ("inline, with hash", "inline_p256_per_s"),
    ] {
        let Some(Figure { median, low, high, .. }) = document.figures.get(figure) else { continue };
        println!("{name:>22} {median:>10.0} /s ({low:.0} to {high:.0})  {:>5.1} %", 100.0 * median / bare);
    }
    Ok(())
}
