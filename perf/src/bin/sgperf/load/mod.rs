//! `sgperf load`: a tester against a gateway.

#[cfg(feature = "dpdk")]
pub mod elsewhere;

use clap::{Args, ValueEnum};
use sealgate_dataplane::io::FrameIo;
use sealgate_perf::fault::Fault;
use sealgate_perf::load::bench::Bench;
use sealgate_perf::load::cable;
use sealgate_perf::load::feed::Traffic;
use sealgate_perf::load::forward::Forwarder;
use sealgate_perf::load::hdr;
use sealgate_perf::load::rig::{Device, Nobody, Rig, Setup};
use sealgate_perf::load::search::Goal;
use sealgate_perf::load::tester::Tester;
use sealgate_perf::mix::{Profile, World};
use sealgate_perf::pool::stay_on;
use sealgate_perf::record::Document;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Args, Clone, Serialize, Deserialize)]
pub struct Load {
    /// Traffic: names of built-in profiles (see `sgperf mix --list`), or files.
    #[arg(default_values = ["unsigned", "signed-10", "signed-50", "signed-100"])]
    mixes: Vec<String>,
    /// What connects tester and gateway.
    #[arg(long, value_enum, default_value_t = if cfg!(feature = "dpdk") { Over::Memif } else { Over::Ring })]
    over: Over,
    /// Devices of this tester that lead to a gateway elsewhere: to its interconnect and to its home port (needs DPDK).
    /// `sgperf mix PROFILE --write DIR` writes that gateway's configuration.
    #[arg(long, num_args = 2, value_names = ["INTERCONNECT", "HOME"])]
    ports: Vec<String>,
    /// Frames that wait in each ring or queue: a power of two, 64 to 16384. What comes while nobody polls must fit.
    #[arg(long, default_value_t = cable::DEPTH as u16, value_parser = depth)]
    depth: u16,
    /// Cores of the gateway's workers.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    worker_cores: Vec<usize>,
    /// Cores of its crypto threads; none: workers verify for themselves.
    #[arg(long, value_delimiter = ',')]
    crypto_cores: Vec<usize>,
    /// Core of the tester.
    #[arg(long, default_value_t = 1)]
    tester_core: usize,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [
        Measure::Floor, Measure::Ndr, Measure::Pdr, Measure::Latency, Measure::Reload, Measure::BackToBack])]
    measure: Vec<Measure>,
    /// Seconds of a trial that counts.
    #[arg(long, default_value_t = Goal::NDR.seconds)]
    seconds: f64,
    /// Such trials of a load that holds.
    #[arg(long, default_value_t = Goal::NDR.trials)]
    trials: u32,
    /// Share of them that may lose something.
    #[arg(long, default_value_t = Goal::NDR.exceed)]
    exceed: f64,
    /// How close the search comes, as a share of the load.
    #[arg(long, default_value_t = Goal::NDR.width)]
    width: f64,
    /// Highest load tried, messages a second.
    #[arg(long, default_value_t = Goal::NDR.range.1)]
    max_rate: f64,
    /// Load of the soak, of latencies and of overload, instead of the NDR found: messages a second.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds of the soak.
    #[arg(long, default_value_t = 600)]
    soak_seconds: u64,
    /// Something that goes wrong in the gateway on purpose: burn:STEPS, lose:N, stall:MICROSECONDS/MILLISECONDS.
    #[arg(long, default_value = "")]
    fault: String,
    /// Directory for the document and for whole histograms.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
enum Over {
    /// Rings in memory, one process.
    Ring,
    /// Shared memory interfaces of DPDK, two processes.
    Memif,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
enum Measure {
    /// The tester alone, and through a forwarder: what it can do, and the latency that is its own.
    Floor,
    /// The highest load of which nothing is lost.
    Ndr,
    /// The highest load of which at most 0.5 % are lost.
    Pdr,
    /// Latency at 10, 50 and 90 % of the NDR.
    Latency,
    /// Reloads at 90 % of the NDR.
    Reload,
    /// The longest burst of which nothing is lost.
    BackToBack,
    /// Twice and ten times the NDR.
    Overload,
    /// 90 % of the NDR for a long time.
    Soak,
}

fn depth(text: &str) -> Result<u16, String> {
    let depth = text.parse().ok().filter(|depth: &u16| depth.is_power_of_two() && (64..=16384).contains(depth));
    depth.ok_or_else(|| "a power of two, 64 to 16384".to_owned())
}

impl Load {
    /// Short trials over rings in memory: unsigned traffic and signed.
    pub fn quick(core: usize) -> Self {
        Self {
            mixes: ["unsigned", "signed-100"].map(str::to_owned).to_vec(),
            over: Over::Ring,
            ports: Vec::new(),
            depth: cable::DEPTH as u16,
            worker_cores: vec![core],
            crypto_cores: Vec::new(),
            tester_core: core + 1,
            measure: vec![Measure::Floor, Measure::Ndr, Measure::Latency],
            seconds: 0.2,
            trials: 5,
            exceed: 0.0,
            width: 0.02,
            max_rate: Goal::NDR.range.1,
            rate: None,
            soak_seconds: 0,
            fault: String::new(),
            out: None,
            json: true,
        }
    }
}

pub fn run(args: &Load) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("load");
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    measure(args, &mut document)?;
    if let Some(folder) = &args.out {
        document.run.end();
        let path = folder.join("load.json");
        std::fs::write(&path, serde_json::to_string_pretty(&document)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    document.print(args.json)
}

/// Measures everything that is asked for into the document.
pub fn measure(args: &Load, document: &mut Document) -> Result<(), Box<dyn Error>> {
    if args.over == Over::Memif || !args.ports.is_empty() {
        return elsewhere(args, document);
    }
    if args.measure.contains(&Measure::Floor) {
        let profile = open_profile(args.mixes.first().ok_or("no traffic")?)?;
        floor_alone(args, &profile, document)?;
        forwarder_over_rings(args, &profile, document)?;
    }
    args.mixes.iter().try_for_each(|mix| over_rings(args, &open_profile(mix)?, document))
}

#[cfg(feature = "dpdk")]
fn elsewhere(args: &Load, document: &mut Document) -> Result<(), Box<dyn Error>> {
    elsewhere::measure(args, document)
}

#[cfg(not(feature = "dpdk"))]
fn elsewhere(_: &Load, _: &mut Document) -> Result<(), Box<dyn Error>> {
    Err("memif and network cards need DPDK: build with --features dpdk (libdpdk-dev), or use --over ring".into())
}

/// A profile that comes with the program, or a file.
pub fn open_profile(name: &str) -> Result<Profile, Box<dyn Error>> {
    let built_in = Profile::names().any(|known| known == name);
    Ok(if built_in { Profile::named(name)? } else { Profile::read(Path::new(name))? })
}

fn fault(args: &Load) -> Result<Fault, String> {
    if args.fault.is_empty() { Ok(Fault::default()) } else { args.fault.parse() }
}

fn setup(args: &Load) -> Result<Setup, String> {
    Ok(Setup { workers: args.worker_cores.clone(), crypto: args.crypto_cores.clone(), fault: fault(args)? })
}

fn over_rings(args: &Load, profile: &Profile, document: &mut Document) -> Result<(), Box<dyn Error>> {
    let setup = setup(args)?;
    if setup.workers.len() != 1 {
        return Err("rings in memory are one queue: give one worker core, or use network cards".into());
    }
    let world = Arc::new(World::new(profile)?);
    let (near, far) = cable::pair(args.depth.into());
    let rig = Rig::start(Arc::clone(&world), &setup, vec![far], || Ok(()))?;
    stay_on(args.tester_core);
    let tester = Tester::new(near, Traffic::new(profile, &world)?);
    let (_tester, rig) = drive(args, profile, tester, rig, document)?;
    rig.stop();
    Ok(())
}

/// The tester against itself: what it can send and receive on its core.
fn floor_alone(args: &Load, profile: &Profile, document: &mut Document) -> Result<(), Box<dyn Error>> {
    stay_on(args.tester_core);
    // A message a frame: what counts are frames.
    let profile = &Profile { bundled: 0.0, ..profile.clone() };
    let alone = Tester::new(cable::short(), Traffic::new(profile, &World::new(profile)?)?);
    let mut bench = Bench::new(alone, Nobody, document, "tester", profile.rate, profile.seed)?;
    bench.forwards_all();
    for _ in 0..5 {
        bench.full_rate((5.0 * args.seconds).min(1.0))?;
    }
    drop(bench.end());
    Ok(())
}

/// The latency that is the tester's own and that of what lies between.
fn forwarder_over_rings(args: &Load, profile: &Profile, document: &mut Document) -> Result<(), Box<dyn Error>> {
    let (near, far) = cable::pair(args.depth.into());
    let core = *args.worker_cores.first().ok_or("no worker core")?;
    let forwarder = Forwarder::start(far, core, || Ok(()))?;
    stay_on(args.tester_core);
    let tester = Tester::new(near, Traffic::new(profile, &World::new(profile)?)?);
    through_forwarder(tester, profile, forwarder, 2.0 * args.seconds, document)
}

fn through_forwarder<P: FrameIo>(
    tester: Tester<P, Traffic>,
    profile: &Profile,
    device: impl Device,
    seconds: f64,
    document: &mut Document,
) -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::new(tester, device, document, "floor", profile.rate, profile.seed)?;
    bench.forwards_all();
    for (name, key, rate) in [("100,000/s", "100k", 1e5), ("1,000,000/s", "1m", 1e6)] {
        bench.latency(name, key, rate, seconds)?;
    }
    let (_tester, device) = bench.end();
    drop(device);
    Ok(())
}

/// All that is to be measured with one traffic.
fn drive<P: FrameIo, D: Device>(
    args: &Load,
    profile: &Profile,
    tester: Tester<P, Traffic>,
    device: D,
    document: &mut Document,
) -> Result<(Tester<P, Traffic>, D), Box<dyn Error>> {
    let has = |measure| args.measure.contains(&measure);
    let goal = Goal {
        seconds: args.seconds,
        trials: args.trials,
        exceed: args.exceed,
        width: args.width,
        range: (Goal::NDR.range.0, args.max_rate),
        ..Goal::NDR
    };
    let name = profile.name.clone();
    let began = document.run.began_unix_s;
    let mut bench = Bench::new(tester, device, document, &name, profile.rate, profile.seed)?;
    bench.warm(args.seconds.max(0.5))?;
    let ndr = match args.rate {
        Some(rate) => Some(rate),
        None if has(Measure::Ndr) => bench.search("ndr", &goal)?.holds,
        None => None,
    };
    if has(Measure::Pdr) {
        bench.search("pdr", &Goal { loss_ratio: Goal::PDR.loss_ratio, ..goal })?;
    }
    if let Some(ndr) = ndr {
        if has(Measure::Latency) {
            for share in [10, 50, 90] {
                let rate = ndr * f64::from(share) / 100.0;
                let outcome =
                    bench.latency(&format!("{share} % of NDR"), &share.to_string(), rate, 5.0 * args.seconds)?;
                if let Some(folder) = &args.out {
                    let file = format!("{name}-{share}.hdr");
                    hdr::write(&folder.join(&file), &outcome.latency, began, outcome.seconds)?;
                    bench.file_of_last(&file);
                }
            }
        }
        if has(Measure::Reload) {
            bench.reload(ndr * 0.9, 10, args.seconds)?;
        }
        if has(Measure::Overload) {
            for times in [2.0, 10.0] {
                bench.overload(times, ndr, args.seconds)?;
            }
        }
        if has(Measure::Soak) {
            bench.soak(ndr * 0.9, Duration::from_secs(args.soak_seconds))?;
        }
    }
    if has(Measure::BackToBack) {
        bench.back_to_back(args.max_rate, 5)?;
    }
    Ok(bench.end())
}
