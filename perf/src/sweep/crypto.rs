//! A worker with crypto threads beside it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::axes::{self, Case};
use super::inline::{Inline, pool, setting};
use super::rig::{Common, Rig, Slice, signed};
use super::{Curve, Measured, Plan, Step, axis};
use crate::mix::Profile;
use crate::model::{Observation, Setting};
use crate::pool::thread_cpu;

/// Frames of a turn.
const BURST: usize = 32;

/// Names of the curves.
const OFFLOAD: &str = "offload";
const KEYS: &str = "crypto-keys";
const THREADS: &str = "crypto";

/// A point, how it is measured, and what of a slice counts there.
struct Task {
    curve: &'static str,
    profile: Profile,
    common: Arc<Common>,
    cores: Vec<usize>,
    point: Measured,
    sample: fn(&Slice, Duration) -> f64,
}

/// What crypto threads came to.
pub(super) struct Crypto {
    pub(super) curves: Vec<Curve>,
}

impl Crypto {
    fn of(&self, name: &str) -> Vec<Observation> {
        let curves = self.curves.iter().filter(|curve| curve.name == name);
        curves.flat_map(|curve| &curve.points).map(Measured::observation).collect()
    }

    /// A worker's time where crypto threads verify.
    pub(super) fn worker(&self) -> Vec<Observation> {
        self.of(OFFLOAD)
    }

    /// A crypto thread's time for a signature.
    pub(super) fn thread(&self) -> Vec<Observation> {
        self.of(KEYS)
    }
}

/// Measures them; each point has the machine for itself, since crypto threads poll.
pub(super) fn crypto(
    plan: &Plan,
    inline: &mut Inline,
    notes: &mut Vec<String>,
    progress: &mut impl FnMut(Step),
) -> Result<Crypto, Box<dyn Error>> {
    let mut tasks = tasks(plan, inline, notes, progress)?;
    let (all, mut done) = (plan.rounds * tasks.len(), 0);
    for _ in 0..plan.rounds {
        for task in &mut tasks {
            inline.keep_warm(&task.profile)?;
            let (slice, cpu) = beside(plan, task)?;
            task.point.samples.push((task.sample)(&slice, cpu));
            done += 1;
            progress(Step::Measured(done, all));
        }
    }
    Ok(Crypto { curves: curves(tasks) })
}

fn tasks(
    plan: &Plan,
    inline: &mut Inline,
    notes: &mut Vec<String>,
    progress: &mut impl FnMut(Step),
) -> Result<Vec<Task>, Box<dyn Error>> {
    let others = plan.cores.get(1..).unwrap_or(&[]);
    let share = |percent: f64| Profile { judgement: signed(percent / 100.0), ..axes::base() };
    let mut wanted: Vec<(&'static str, f64, Profile, usize)> = Vec::new();
    if plan.wants("offload") {
        wanted.extend(axes::OFFLOADED.map(|percent| (OFFLOAD, percent, share(percent), 1)));
    }
    if plan.wants("crypto") {
        wanted.extend(axes::of_many_keys(plan.keys).into_iter().map(|(keys, profile)| (KEYS, keys, profile, 1)));
        wanted.extend((0..=others.len()).map(|threads| (THREADS, threads as f64, share(100.0), threads)));
    }
    let mut tasks = Vec::new();
    for (curve, x, profile, threads) in wanted.iter().cloned() {
        progress(Step::Ready(tasks.len(), wanted.len()));
        // Tables first: a thread that polls leaves no core for those who make them.
        inline.warm_up(plan, &profile, notes)?;
        let common = inline.common(&profile)?;
        let octets = Rig::octets(&profile, &common.world)?;
        let case = Case { x: Some(x), profile, burst: BURST };
        let setting = Setting { offload: threads > 0, ..setting(&case, octets) };
        tasks.push(Task {
            curve,
            common,
            cores: others.iter().copied().take(threads).collect(),
            point: Measured { x, setting, samples: Vec::new() },
            profile: case.profile,
            sample: match curve {
                OFFLOAD => |slice, _| slice.ns(),
                KEYS => |slice, cpu| cpu.as_secs_f64() * 1e9 / slice.messages.max(1) as f64,
                _ => |slice, _| slice.messages as f64 / slice.wall.as_secs_f64(),
            },
        });
    }
    Ok(tasks)
}

fn curves(tasks: Vec<Task>) -> Vec<Curve> {
    let curve = |name, title, x, y, model| Curve { name, title, x, y, points: Vec::new(), model };
    let mut curves = vec![
        curve(
            OFFLOAD,
            "Cost for the worker where a crypto thread verifies",
            axis("signed", "%", false),
            axis("CPU time of a message", "ns", false),
            |model, point| model.worker_ns(&point.setting),
        ),
        curve(
            KEYS,
            "Cost of a signature for the crypto thread",
            axis("keys", "", true),
            axis("CPU time of a signature", "ns", false),
            |model, point| model.crypto_ns(&point.setting),
        ),
        curve(
            THREADS,
            "Messages of one worker against crypto threads, all signed, by the clock",
            axis("crypto threads", "", false),
            axis("messages/s", "", false),
            // By the clock: what others take of the cores is in it, and not in the model.
            |_, _| None,
        ),
    ];
    for task in tasks {
        if let Some(curve) = curves.iter_mut().find(|curve| curve.name == task.curve) {
            curve.points.push(task.point);
        }
    }
    curves.retain(|curve| !curve.points.is_empty());
    curves
}

/// A slice of a worker with its crypto threads, and the CPU time of the first of them.
fn beside(plan: &Plan, task: &Task) -> Result<(Slice, Duration), Box<dyn Error>> {
    let mut rig = Rig::new(&task.common, &task.profile, BURST, pool(plan, &task.cores))?;
    let [lead, load] = rig.load(plan.slice);
    rig.lead(lead)?;
    let cpu = || task.cores.first().map_or(Ok(Duration::ZERO), |core| thread_cpu(*core));
    let before = cpu()?;
    let slice = rig.count(load)?;
    let spent = cpu()?.saturating_sub(before);
    rig.stop()?;
    Ok((slice, spent))
}
