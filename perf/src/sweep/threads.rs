//! Sweeps with more than one thread: crypto threads beside a worker, and workers beside each other.

use std::error::Error;
use std::sync::Barrier;
use std::time::Duration;

use super::axes::{self, Case};
use super::inline::{Inline, pool, setting};
use super::rig::{Common, Rig, Slice, signed};
use super::{Curve, Measured, Plan, Step, axis};
use crate::mix::Profile;
use crate::model::{Observation, Server, Setting};
use crate::pool::{stay_on, thread_cpu};
use crate::record::{Document, Figure};

/// Frames of a turn.
const BURST: usize = 32;

/// What crypto threads came to.
pub(super) struct Crypto {
    /// A worker's time against the share signed; a thread's time against keys; messages a second against threads.
    pub(super) curves: Vec<Curve>,
}

impl Crypto {
    fn of(&self, name: &str) -> Vec<Observation> {
        let curve = self.curves.iter().filter(|curve| curve.name == name);
        curve.flat_map(|curve| &curve.points).map(Measured::observation).collect()
    }

    pub(super) fn worker(&self) -> Vec<Observation> {
        self.of("offload")
    }

    pub(super) fn crypto(&self) -> Vec<Observation> {
        self.of("crypto-keys")
    }
}

fn point(x: f64, setting: Setting) -> Measured {
    Measured { x, setting, samples: Vec::new() }
}

/// A worker with crypto threads; each point has the machine for itself, since crypto threads poll.
pub(super) fn crypto(
    plan: &Plan,
    inline: &mut Inline,
    notes: &mut Vec<String>,
    progress: &mut impl FnMut(Step),
) -> Result<Crypto, Box<dyn Error>> {
    let others = plan.cores.get(1..).unwrap_or(&[]);
    let one = others.get(..1).unwrap_or(&[]);
    let share = |percent: f64| (percent, Profile { judgement: signed(percent / 100.0), ..axes::base() });
    let (shares, keys, all_signed) = (axes::OFFLOADED.map(share), axes::of_many_keys(plan.keys), share(100.0).1);
    // Tables first: a thread that polls leaves no core for those who make them.
    for profile in keys.iter().map(|(_, profile)| profile).chain([&all_signed]) {
        inline.warm_up(plan, profile, notes)?;
    }
    let mut ready = |x: f64, profile: &Profile| -> Result<_, Box<dyn Error>> {
        let common = inline.common(profile)?;
        let octets = Rig::octets(profile, &common.world)?;
        let case = Case { x: Some(x), profile: profile.clone(), burst: BURST };
        Ok((common, point(x, Setting { offload: true, ..setting(&case, octets) })))
    };
    let mut worker = shares
        .iter()
        .map(|(x, profile)| Ok((ready(*x, profile)?, profile)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let mut thread = keys
        .iter()
        .map(|(x, profile)| Ok((ready(*x, profile)?, profile)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let (base, mut threads) = {
        let (common, zero) = ready(0.0, &all_signed)?;
        let more = (1..=others.len()).map(|threads| point(threads as f64, zero.setting));
        let alone = point(0.0, Setting { offload: false, ..zero.setting });
        (common, std::iter::once(alone).chain(more).collect::<Vec<_>>())
    };
    let all = plan.rounds * (worker.len() + thread.len() + threads.len());
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(Step::Measured(done, all));
    };
    for _ in 0..plan.rounds {
        for ((common, point), profile) in &mut worker {
            inline.keep_warm(profile)?;
            let (slice, _) = beside(plan, common, profile, one)?;
            point.samples.push(slice.ns());
            step();
        }
        for ((common, point), profile) in &mut thread {
            inline.keep_warm(profile)?;
            let (slice, cpu) = beside(plan, common, profile, one)?;
            point.samples.push(cpu.as_secs_f64() * 1e9 / slice.messages.max(1) as f64);
            step();
        }
        for point in &mut threads {
            inline.keep_warm(&all_signed)?;
            let cores = others.get(..point.x as usize).unwrap_or(&[]);
            let (slice, _) = beside(plan, &base, &all_signed, cores)?;
            point.samples.push(slice.messages as f64 / slice.wall.as_secs_f64());
            step();
        }
    }
    let points = |all: Vec<((_, Measured), _)>| all.into_iter().map(|((_, point), _)| point).collect();
    let curves = vec![
        Curve {
            name: "offload",
            title: "Cost for the worker where a crypto thread verifies",
            x: axis("signed", "%", false),
            y: axis("CPU time of a message", "ns", false),
            points: points(worker),
            model: |model, point| model.worker_ns(&point.setting),
        },
        Curve {
            name: "crypto-keys",
            title: "Cost of a signature for the crypto thread",
            x: axis("keys", "", true),
            y: axis("CPU time of a signature", "ns", false),
            points: points(thread),
            model: |model, point| model.crypto_ns(&point.setting),
        },
        Curve {
            name: "crypto",
            title: "Messages of one worker against crypto threads, all signed, by the clock",
            x: axis("crypto threads", "", false),
            y: axis("messages/s", "", false),
            points: threads,
            model: |model, point| {
                let server = Server { workers: 1, crypto: point.x as usize, ghz: model.ghz };
                Some(model.predict(&server, &point.setting).ok()?.per_second.middle)
            },
        },
    ];
    Ok(Crypto { curves: curves.into_iter().filter(|curve| plan.only.is_empty() || wanted(plan, curve.name)).collect() })
}

fn wanted(plan: &Plan, curve: &str) -> bool {
    match curve {
        "offload" => plan.wants("offload"),
        _ => plan.wants("crypto"),
    }
}

/// A slice of a worker with crypto threads on these cores, and the CPU time of the first of them.
fn beside(
    plan: &Plan,
    common: &Common,
    profile: &Profile,
    cores: &[usize],
) -> Result<(Slice, Duration), Box<dyn Error>> {
    let mut rig = Rig::new(common, profile, BURST, pool(plan, cores))?;
    let [lead, load] = rig.load(plan.slice);
    rig.lead(lead)?;
    let cpu = |core: Option<&usize>| core.map_or(Ok(Duration::ZERO), |core| thread_cpu(*core));
    let before = cpu(cores.first())?;
    let slice = rig.count(load)?;
    let spent = cpu(cores.first())?.saturating_sub(before);
    rig.stop()?;
    Ok((slice, spent))
}

/// What workers beside each other came to.
pub(super) struct Workers {
    pub(super) curves: Vec<Curve>,
}

impl Workers {
    /// A worker's pace beside most others against alone; a figure of the document too.
    pub(super) fn pace(&self, document: &mut Document) -> Option<(usize, f64)> {
        let points = &self.curves.first()?.points;
        let (alone, most) = (points.first()?, points.last()?);
        if most.x < 2.0 {
            return None;
        }
        let samples: Vec<_> = alone.samples.iter().zip(&most.samples).map(|(one, all)| all / (one * most.x)).collect();
        let figure = Figure::new("", samples);
        let pace = figure.median;
        document.figures.insert(format!("workers_{}_pace_ratio_to_alone", most.x as usize), figure);
        Some((most.x as usize, pace))
    }
}

/// Workers 1 to as many as there are cores, unsigned traffic, each on a core of its own.
///
/// They share policy and machine; memories of signers are not touched by unsigned traffic.
pub(super) fn workers(plan: &Plan, progress: &mut impl FnMut(Step)) -> Result<Workers, Box<dyn Error>> {
    let profile = axes::base();
    let common = Common::new(&profile)?;
    let case = Case { x: None, profile: profile.clone(), burst: BURST };
    let setting = setting(&case, Rig::octets(&profile, &common.world)?);
    let rig = |_| Rig::new(&common, &profile, BURST, pool(plan, &[]));
    let mut rigs = plan.cores.iter().map(rig).collect::<Result<Vec<_>, _>>()?;
    let counts = 1..=plan.cores.len();
    let mut by_cpu: Vec<_> = counts.clone().map(|count| point(count as f64, setting)).collect();
    let mut by_clock: Vec<_> = counts.map(|count| point(count as f64, setting)).collect();
    for round in 0..plan.rounds {
        for (place, (cpu, clock)) in by_cpu.iter_mut().zip(&mut by_clock).enumerate() {
            let slices = together(plan, &mut rigs, place + 1)?;
            cpu.samples.push(slices.iter().map(|slice| 1e9 / slice.ns()).sum());
            let longest = slices.iter().map(|slice| slice.wall).max().unwrap_or_default();
            clock.samples.push(slices.iter().map(|slice| slice.messages as f64).sum::<f64>() / longest.as_secs_f64());
            progress(Step::Measured(round * plan.cores.len() + place + 1, plan.rounds * plan.cores.len()));
        }
    }
    let curve = |name, title, points| Curve {
        name,
        title,
        x: axis("workers", "", false),
        y: axis("messages/s", "", false),
        points,
        model: |model, point| Some(point.x * 1e9 / model.worker_ns(&point.setting)?),
    };
    let curves = vec![
        curve("workers", "Messages of workers together, unsigned, by the sum of their CPU-time rates", by_cpu),
        curve("workers-clock", "Messages of workers together, unsigned, by the clock", by_clock),
    ];
    Ok(Workers { curves })
}

/// A slice of so many workers at once.
fn together(plan: &Plan, rigs: &mut [Rig], count: usize) -> Result<Vec<Slice>, Box<dyn Error>> {
    let barrier = Barrier::new(count);
    let joined = std::thread::scope(|scope| {
        let threads: Vec<_> = rigs
            .iter_mut()
            .zip(&plan.cores)
            .take(count)
            .map(|(rig, core)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    stay_on(*core);
                    let [lead, load] = rig.load(plan.slice);
                    let led = rig.lead(lead);
                    barrier.wait();
                    led.and_then(|()| rig.count(load)).map_err(|fault| fault.to_string())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    joined.into_iter().map(|slice| Ok(slice.map_err(|_| "a worker panicked")??)).collect()
}
