//! The policy step of single messages, timed where it happens: in the turn, with whatever the rest of it left in the caches.

use std::time::Duration;

use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::pipeline::{Part, Worker, alone};

use super::clock::Tsc;
use crate::gateway::NOW_MS;
use crate::measure::cpu_now;

/// Readings that are made to know what two of them cost.
const TRIAL: usize = 20_001;

/// The policy step, nanoseconds a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyNs {
    /// Built-in checks and the search for a rule, median.
    pub screen: f64,
    /// What they come to, with the verdict, median.
    pub apply: f64,
    /// Both, mean, without the slowest hundredth: interruptions are among that.
    pub mean: f64,
}

impl PolicyNs {
    /// Both, median.
    pub fn whole(&self) -> f64 {
        self.screen + self.apply
    }
}

/// Turns for so much CPU time. What reading the counter costs is taken off; what it keeps a processor from doing at once is not.
pub fn policy_ns<P: FrameIo>(worker: &mut Worker<P>, tsc: &Tsc, time: Duration) -> PolicyNs {
    let clock = tsc.clone();
    worker.time_policy(Some(Box::new(move || clock.now())));
    let began = cpu_now();
    while cpu_now().saturating_sub(began) < time && !worker.is_done() {
        worker.turn(NOW_MS);
    }
    let mut times = [Part::Screen, Part::Apply].map(|part| worker.policy_times(part));
    worker.time_policy(None);
    let mut own = own(tsc);
    times.iter_mut().chain([&mut own]).for_each(|times| times.sort_unstable());
    // Each figure without the same figure of two readings with nothing between them.
    let of = |what: fn(&[u64]) -> f64| times.each_ref().map(|times| ticks_ns(tsc, what(times) - what(&own)));
    let ([screen, apply], means) = (of(median), of(mean));
    PolicyNs { screen, apply, mean: means.iter().sum() }
}

/// Ticks between two readings with nothing between them.
fn own(tsc: &Tsc) -> Vec<u64> {
    let trial = |_| {
        let began = alone(|| tsc.now());
        alone(|| tsc.now()).wrapping_sub(began)
    };
    (0..TRIAL).map(trial).collect()
}

fn ticks_ns(tsc: &Tsc, ticks: f64) -> f64 {
    // What took no time may seem to take less than that.
    tsc.ns(1_000_000) / 1e6 * ticks.max(0.0)
}

fn median(sorted: &[u64]) -> f64 {
    sorted.get(sorted.len() / 2).map_or(0.0, |middle| *middle as f64)
}

/// Without the slowest hundredth.
fn mean(sorted: &[u64]) -> f64 {
    let kept = sorted.get(..sorted.len() * 99 / 100).unwrap_or_default();
    kept.iter().sum::<u64>() as f64 / kept.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Subject;
    use sealgate_crypto::keyring::KeyRing;

    #[test]
    fn a_step_takes_time_and_the_turn_goes_on_untimed() {
        let mut gateway = Subject::new(20).gateway(true, &KeyRing::new()).unwrap_or_else(|error| panic!("{error}"));
        let found = policy_ns(&mut gateway.worker, &Tsc::new(), Duration::from_millis(20));
        assert!(found.screen > 0.0 && found.mean > 0.0 && found.whole() >= found.screen, "{found:?}");
        gateway.worker.turn(NOW_MS);
        assert!(gateway.worker.policy_times(Part::Screen).is_empty());
    }
}
