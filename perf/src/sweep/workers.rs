//! Workers beside each other.

use std::error::Error;
use std::sync::Barrier;

use super::axes::{self, Case};
use super::inline::{pool, setting};
use super::rig::{Common, Rig, Slice};
use super::{Curve, Measured, Plan, Step, axis};
use crate::model::Model;
use crate::pool::stay_on;
use crate::record::{Document, Figure};

/// Frames of a turn.
const BURST: usize = 32;

/// What workers beside each other came to.
pub(super) struct Workers {
    pub(super) curves: Vec<Curve>,
    /// CPU time of a worker over time by the clock, in each slice.
    shares: Vec<f64>,
}

impl Workers {
    /// A worker's pace beside most others against alone; a figure of the document too.
    ///
    /// And a note of how much of its core a worker had, without which nobody can read what is by the clock.
    pub(super) fn pace(&self, document: &mut Document) -> Option<(usize, f64)> {
        let share = Figure::new("", self.shares.clone()).median;
        document.notes.push(format!(
            "by the clock: workers had {:.0} % of their cores (median of all slices); the rest went to others",
            share * 100.0
        ));
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
    let point = |count| Measured { x: count as f64, setting, samples: Vec::new() };
    let mut by_cpu: Vec<_> = counts.clone().map(point).collect();
    let mut by_clock: Vec<_> = counts.map(point).collect();
    let mut shares = Vec::new();
    for round in 0..plan.rounds {
        for (place, (cpu, clock)) in by_cpu.iter_mut().zip(&mut by_clock).enumerate() {
            let slices = together(plan, &mut rigs, place + 1)?;
            cpu.samples.push(slices.iter().map(|slice| 1e9 / slice.ns()).sum());
            shares.extend(slices.iter().map(|slice| slice.cpu.as_secs_f64() / slice.wall.as_secs_f64()));
            let longest = slices.iter().map(|slice| slice.wall).max().unwrap_or_default();
            clock.samples.push(slices.iter().map(|slice| slice.messages as f64).sum::<f64>() / longest.as_secs_f64());
            progress(Step::Measured(round * plan.cores.len() + place + 1, plan.rounds * plan.cores.len()));
        }
    }
    let curve = |name, title, points, model: fn(&Model, &Measured) -> Option<f64>| Curve {
        name,
        title,
        x: axis("workers", "", false),
        y: axis("messages/s", "", false),
        points,
        model,
    };
    let curves = vec![
        curve(
            "workers",
            "Messages of workers together, unsigned, by the sum of their CPU-time rates",
            by_cpu,
            |model, point| Some(point.x * 1e9 / model.worker_ns(&point.setting)?),
        ),
        curve("workers-clock", "Messages of workers together, unsigned, by the clock", by_clock, |_, _| None),
    ];
    Ok(Workers { curves, shares })
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
