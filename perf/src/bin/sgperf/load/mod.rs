//! `sgperf load`: a tester against a gateway.

mod args;
#[cfg(feature = "dpdk")]
pub mod elsewhere;

pub use self::args::{Load, depth};

use self::args::{Measure, Over};
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
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

pub fn run(args: &Load) -> Result<(), Box<dyn Error>> {
    args.check()?;
    let mut document = Document::begin("load");
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    document.notes.push(args.setting());
    let outcome = measure(args, &mut document);
    if document.figures.is_empty() {
        return outcome;
    }
    // What was measured before something failed took minutes: it is told all the same.
    if let Err(error) = &outcome {
        document.notes.push(format!("not all was measured: {error}"));
    }
    if let Some(folder) = &args.out {
        document.run.end();
        let path = folder.join("load.json");
        std::fs::write(&path, serde_json::to_string_pretty(&document)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    document.print(args.json).and(outcome)
}

/// Measures everything that is asked for into the document.
pub fn measure(args: &Load, document: &mut Document) -> Result<(), Box<dyn Error>> {
    if args.over == Over::Memif || !args.ports.is_empty() {
        return elsewhere(args, document);
    }
    if args.measure.contains(&Measure::Floor) {
        let profile = Profile::find(args.mixes.first().ok_or("no traffic")?)?;
        floor_alone(args, &profile, document)?;
        forwarder_over_rings(args, &profile, document)?;
    }
    args.mixes.iter().try_for_each(|mix| over_rings(args, &Profile::find(mix)?, document))
}

#[cfg(feature = "dpdk")]
fn elsewhere(args: &Load, document: &mut Document) -> Result<(), Box<dyn Error>> {
    elsewhere::measure(args, document)
}

#[cfg(not(feature = "dpdk"))]
fn elsewhere(_: &Load, _: &mut Document) -> Result<(), Box<dyn Error>> {
    Err("memif and network cards need DPDK: build with --features dpdk (libdpdk-dev), or use --over ring".into())
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
            let of = args.rate.map_or_else(|| "NDR".to_owned(), |rate| format!("{rate:.0}/s"));
            for share in [10, 50, 90] {
                let rate = ndr * f64::from(share) / 100.0;
                let outcome =
                    bench.latency(&format!("{share} % of {of}"), &share.to_string(), rate, 5.0 * args.seconds)?;
                if let Some(folder) = &args.out {
                    let file = format!("{name}-{share}.hdr");
                    hdr::write(&folder.join(&file), &outcome.latency, began, outcome.seconds)?;
                    bench.file_of_last(&file);
                }
            }
        }
        if has(Measure::Reload) && !args.ports.is_empty() {
            bench.note("reload: not measured: nobody here can tell a gateway elsewhere to");
        } else if has(Measure::Reload) {
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
    } else if has(Measure::Ndr) {
        bench.note("no load holds, so nothing was measured at a share of it; --rate gives one");
    }
    if has(Measure::BackToBack) {
        bench.back_to_back(args.max_rate, args.seconds, 5)?;
    }
    Ok(bench.end())
}
