//! `sgperf loop` and `sgperf once`: what a message costs on one core, over ports in memory.

use clap::Args;
use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_perf::cost::{self, Plan, forwarders};
use sealgate_perf::gateway::Gateway;
use sealgate_perf::record::Document;
use sealgate_perf::{measure, traffic};
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Loop {
    /// Rounds, in each of which every candidate has a slice.
    #[arg(long, default_value_t = 21)]
    pub rounds: usize,
    /// Milliseconds of a slice.
    #[arg(long, default_value_t = 20)]
    pub ms: u64,
    /// Rounds over DPDK's ports, each with two runs of dpdk-testpmd and two of ours; 0 leaves them out.
    #[arg(long, default_value_t = 5)]
    pub port_rounds: usize,
    /// Core to stay on.
    #[arg(long, default_value_t = 0)]
    pub core: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub fn once(turns: u32) -> Result<(), Box<dyn Error>> {
    let frames = traffic::unsigned(false);
    let mut gateway =
        Gateway::new(Mode::Prefer, false, frames, Vec::new(), None, PoolConfig::default(), &KeyRing::new())?;
    measure::turns(&mut gateway, turns);
    println!("{} messages", gateway.worker.stats().messages);
    Ok(())
}

pub fn run(args: &Loop) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("loop");
    measure(args, &mut document)?;
    document.print(args.json)
}

/// All of it, into a document.
pub fn measure(args: &Loop, document: &mut Document) -> Result<(), Box<dyn Error>> {
    if !core_affinity::set_for_current(core_affinity::CoreId { id: args.core }) {
        return Err(format!("core {} is not available; choose another with --core", args.core).into());
    }
    let plan = Plan { rounds: args.rounds.max(1), slice: Duration::from_millis(args.ms.max(1)) };
    cost::measure(&plan, document, |round| eprint!("\rround {} of {}", round + 1, plan.rounds))?;
    eprintln!();
    let program = std::env::current_exe()?;
    cost::instructions(&program, document);
    if args.port_rounds == 0 {
        document.notes.push("no testpmd_io_ratio, testpmd_csum_ratio, io_forward_ratio: --port-rounds is 0".to_owned());
    } else {
        let shown = |round| eprint!("\rround {} of {} over DPDK's ports", round + 1, args.port_rounds);
        forwarders::measure(args.port_rounds, args.core, &program, document, shown)?;
        eprintln!();
    }
    Ok(())
}
