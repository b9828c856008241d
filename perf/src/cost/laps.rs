//! The turn, stage by stage.

use std::time::Duration;

use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::pipeline::Worker;
use sealgate_dataplane::pipeline::worker::{Stage, Watch};

use super::clock::Tsc;
use crate::gateway::NOW_MS;
use crate::measure::cpu_now;

/// All stages, in the order of the turn.
pub const STAGES: [Stage; 5] = [Stage::Claims, Stage::Verify, Stage::Verdict, Stage::Rewrite, Stage::Transmit];

/// A turn that took so much longer by the counter than by the CPU time of its thread was interrupted.
const INTERRUPTED_NS: f64 = 3000.0;
/// Laps that are run to know what one costs.
const TRIAL: u64 = 20_000;

/// Time burnt at the end of one stage of every turn: what a slower stage looks like.
#[derive(Clone, Copy, Debug)]
pub struct Burn {
    /// In this stage.
    pub stage: Stage,
    /// Nanoseconds a turn.
    pub ns: f64,
}

/// A stop watch that reads the time stamp counter once a stage.
struct Laps<'a> {
    tsc: &'a Tsc,
    last: u64,
    turn: [u64; STAGES.len()],
    burn: Option<(Stage, u64)>,
}

impl<'a> Laps<'a> {
    fn new(tsc: &'a Tsc, burn: Option<Burn>) -> Self {
        let ticks_per_ns = 1.0 / tsc.ns(1);
        let burn = burn.map(|burn| (burn.stage, (burn.ns * ticks_per_ns) as u64));
        Self { tsc, last: tsc.now(), turn: [0; STAGES.len()], burn }
    }

    fn start(&mut self) {
        self.last = self.tsc.now();
    }

    /// Ticks that one reading adds to the stage that it ends.
    fn cost(tsc: &Tsc) -> f64 {
        let mut laps = Laps::new(tsc, None);
        // The least of several: an interruption only ever adds.
        let trial = |_| {
            laps.turn = [0; STAGES.len()];
            laps.start();
            for _ in 0..TRIAL {
                laps.ended(std::hint::black_box(Stage::Verify));
            }
            laps.turn.iter().sum::<u64>() as f64 / TRIAL as f64
        };
        (0..5).map(trial).fold(f64::INFINITY, f64::min)
    }
}

impl Watch for Laps<'_> {
    fn ended(&mut self, stage: Stage) {
        if let Some((burnt, ticks)) = self.burn
            && burnt == stage
        {
            let start = self.tsc.now();
            while self.tsc.now().wrapping_sub(start) < ticks {
                std::hint::spin_loop();
            }
        }
        let now = self.tsc.now();
        if let Some(ticks) = self.turn.get_mut(stage as usize) {
            *ticks += now.wrapping_sub(self.last);
        }
        self.last = now;
    }
}

/// Time by stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    /// Messages judged in turns that count.
    pub messages: u64,
    /// Turns that count.
    pub turns: u64,
    /// Turns within which the system took the core away; they are left out.
    pub interrupted: u64,
    /// Nanoseconds of each of [`STAGES`], without what reading the counter cost.
    ns: [f64; STAGES.len()],
}

impl Stages {
    /// Nanoseconds per message.
    pub fn ns(&self, stage: Stage) -> f64 {
        self.ns.get(stage as usize).copied().unwrap_or(0.0) / self.messages.max(1) as f64
    }

    /// Nanoseconds per message of all stages.
    pub fn sum(&self) -> f64 {
        STAGES.iter().map(|&stage| self.ns(stage)).sum()
    }
}

/// Turns for so much CPU time, or until the input ends.
///
/// The counter goes on while another thread has the core. So each turn is also timed by the CPU time of its thread, outside
/// of its stages, and a turn that was interrupted counts for nothing.
pub fn by_stage<P: FrameIo>(worker: &mut Worker<P>, tsc: &Tsc, time: Duration, burn: Option<Burn>) -> Stages {
    let lap = Laps::cost(tsc);
    let mut laps = Laps::new(tsc, burn);
    let (mut found, mut ticks) = (Stages::default(), [0; STAGES.len()]);
    let began = cpu_now();
    let mut cpu = began;
    while cpu.saturating_sub(began) < time && !worker.is_done() {
        let messages = worker.stats().messages;
        laps.turn = [0; STAGES.len()];
        laps.start();
        worker.turn_watched(NOW_MS, &mut laps);
        let after = cpu_now();
        let (by_counter, by_cpu) = (tsc.ns(laps.turn.iter().sum()), after.saturating_sub(cpu).as_nanos() as f64);
        cpu = after;
        if by_counter > by_cpu + INTERRUPTED_NS {
            found.interrupted += 1;
            continue;
        }
        found.turns += 1;
        found.messages += worker.stats().messages - messages;
        ticks.iter_mut().zip(laps.turn).for_each(|(sum, turn)| *sum += turn);
    }
    let own = lap * found.turns as f64;
    for (ns, ticks) in found.ns.iter_mut().zip(ticks) {
        *ns = tsc.ns((ticks as f64 - own).max(0.0) as u64);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_places_of_their_list() {
        for (place, stage) in STAGES.into_iter().enumerate() {
            assert_eq!(stage as usize, place);
        }
    }

    #[test]
    fn a_lap_costs_less_than_a_stage() {
        let tsc = Tsc::new();
        let ns = tsc.ns(Laps::cost(&tsc) as u64);
        assert!((1.0..1000.0).contains(&ns), "{ns} ns");
    }
}
