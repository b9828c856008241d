//! `sgperf vdev-work`: what `loop` runs in a process of its own, since EAL starts once in a process.

use clap::{Args, ValueEnum};
use std::error::Error;
use std::path::PathBuf;

#[derive(Args)]
pub struct VdevWork {
    mode: Mode,
    /// Capture that the first port receives.
    full: PathBuf,
    /// Capture that the second port receives.
    quiet: PathBuf,
    /// Core to poll on.
    core: usize,
    /// Frames before those that count.
    #[arg(default_value_t = 0)]
    lead: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Receive and send.
    Forward,
    /// Receive and send over null devices.
    Null,
    /// The whole turn.
    Work,
}

#[cfg(feature = "dpdk")]
pub fn run(args: &VdevWork) -> Result<(), Box<dyn Error>> {
    use sealgate_perf::rival::ports;
    let cost = match args.mode {
        Mode::Forward => ports::forward(&args.full, &args.quiet, args.core),
        Mode::Null => ports::null(args.core),
        Mode::Work => ports::work(&args.full, &args.quiet, args.lead, args.core),
    }?;
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

#[cfg(not(feature = "dpdk"))]
pub fn run(args: &VdevWork) -> Result<(), Box<dyn Error>> {
    let VdevWork { mode: Mode::Forward | Mode::Null | Mode::Work, full: _, quiet: _, core: _, lead: _ } = args;
    Err("built without feature \"dpdk\": cargo run --release -p sealgate-perf --features dpdk".into())
}
