//! The command that measures.

mod attacks;
mod compares;
mod cost;
mod counts;
mod engines;
mod fulls;
mod load;
mod mixes;
mod pools;
mod quick;
mod reloads;
mod reports;
mod ruling;
mod sweeps;
mod syncs;
mod vdevs;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures what Sealgate costs.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// What a message costs on one core: the whole turn, its stages, its codecs, and rivals at the same work.
    ///
    /// Frames come from memory and go nowhere: the same worker turn as in the product, without a port's cost. Candidates take
    /// turns in short slices, so that a ratio compares the same seconds; each figure is the median of the rounds. With
    /// feature "dpdk" and Debian's dpdk-dev also the worker over DPDK's ports against dpdk-testpmd.
    Loop(cost::Loop),
    /// A little of everything in less than five minutes, and a report of it.
    Quick(quick::Quick),
    /// Verification engines against aws-lc-rs, by algorithm, keys and batch, then the pool; all in one process, in turns.
    Crypto(engines::Crypto),
    /// Verifications per second through the crypto pool, against the bare engine and aws-lc-rs, all in one run.
    Pool(pools::Pool),
    /// What an attacker takes from honest peers at one crypto thread: garbage, forced exceptions, dear algorithms.
    Attack(attacks::Attack),
    /// Whether a sync of thousands of operators makes any turn of a worker longer.
    Sync(syncs::Sync),
    /// What swaps of policy and trust cost a worker's turns, and whether a message is lost by them.
    Reload(reloads::Reload),
    /// What operator rules cost a message, by their number.
    Rules(ruling::Ruling),
    /// What memories that an attacker has filled to their limit cost valid traffic, and what they have forgotten.
    Full(fulls::Full),
    /// Two documents side by side; ends with status 1 if a ratio differs too much.
    Compare(compares::Compare),
    /// A tester against a gateway: the highest load of which nothing is lost, latency from the due time, and what comes
    /// of bursts, reloads and overload.
    Load(load::Load),
    /// The gateway of `load`, in a process of its own.
    #[cfg(feature = "dpdk")]
    #[command(hide = true)]
    Gateway,
    /// One traffic of `load`, in a process of its own.
    #[cfg(feature = "dpdk")]
    #[command(hide = true)]
    LoadPart,
    /// What a mix of traffic is made of, and what making it costs; as a capture and a configuration too.
    Mix(mixes::Mix),
    /// How cost grows with what traffic and policy are like, and a model of it.
    Sweep(sweeps::Sweep),
    /// Messages a second of a given server, by the model of a sweep, and how sure that is.
    Predict(sweeps::Predict),
    /// One page, plots as PNG and SVG, and the raw data of what was measured.
    Report(reports::Report),
    /// Judges unsigned messages and prints nothing else: for callgrind and profilers.
    Once {
        /// Turns of up to 32 messages.
        #[arg(long, default_value_t = 1000)]
        turns: u32,
    },
    /// Instructions per message by codec and stage, counted by callgrind, against a baseline.
    Icount(counts::Icount),
    /// What `icount` runs under callgrind.
    #[command(hide = true)]
    IcountWork(counts::Burden),
    /// What `loop` runs over DPDK's ports.
    #[command(hide = true)]
    VdevWork(vdevs::VdevWork),
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Loop(args) => cost::run(&args),
        Verb::Quick(args) => quick::run(&args),
        Verb::Crypto(args) => engines::run(&args),
        Verb::Pool(args) => pools::run(&args),
        Verb::Attack(args) => attacks::run(&args),
        Verb::Sync(args) => syncs::run(&args),
        Verb::Reload(args) => reloads::run(&args),
        Verb::Rules(args) => ruling::run(&args),
        Verb::Full(args) => fulls::run(&args),
        Verb::Compare(args) => compares::run(&args),
        Verb::Load(args) => load::run(&args),
        #[cfg(feature = "dpdk")]
        Verb::Gateway => load::elsewhere::gateway(),
        #[cfg(feature = "dpdk")]
        Verb::LoadPart => load::elsewhere::part(),
        Verb::Mix(args) => mixes::run(&args),
        Verb::Sweep(args) => sweeps::run(&args),
        Verb::Predict(args) => sweeps::predict(&args),
        Verb::Report(args) => reports::run(&args),
        Verb::Once { turns } => cost::once(turns),
        Verb::Icount(args) => counts::run(&args),
        Verb::IcountWork(args) => counts::work(&args),
        Verb::VdevWork(args) => vdevs::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}
