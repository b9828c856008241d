//! Time and cycles.

use std::time::{Duration, Instant};

/// How long the counter is compared with the system's clock, and how often.
const CALIBRATION: (Duration, usize) = (Duration::from_millis(10), 5);
/// A counter that goes at the pace of nanoseconds to this part is no counter but the system's clock.
const NANOSECONDS: f64 = 1e-4;

/// The time stamp counter of the processor, which goes at one pace whatever the core's clock does.
///
/// Cycles in our figures are cycles of this counter, as DPDK's are: not those of the core, which boosts and throttles.
#[derive(Clone, Debug)]
pub struct Tsc {
    clock: quanta::Clock,
    hz: f64,
    counts_cycles: bool,
}

impl Tsc {
    /// Finds the counter and its pace; takes 50 ms.
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let (window, times) = CALIBRATION;
        let mut paces: Vec<f64> = (0..times).map(|_| pace(&clock, window)).collect();
        paces.sort_by(f64::total_cmp);
        let hz = paces.get(times / 2).copied().unwrap_or(1e9);
        Self { counts_cycles: (hz / 1e9 - 1.0).abs() > NANOSECONDS, clock, hz }
    }

    /// Ticks since an arbitrary start.
    #[inline]
    pub fn now(&self) -> u64 {
        self.clock.raw()
    }

    /// Nanoseconds of so many ticks.
    pub fn ns(&self, ticks: u64) -> f64 {
        ticks as f64 * 1e9 / self.hz
    }

    /// Ticks in a second; `None` where the processor has no counter that can be used, and ticks are nanoseconds.
    pub fn hz(&self) -> Option<f64> {
        self.counts_cycles.then_some(self.hz)
    }
}

impl Default for Tsc {
    fn default() -> Self {
        Self::new()
    }
}

fn pace(clock: &quanta::Clock, window: Duration) -> f64 {
    let (began, start) = (Instant::now(), clock.raw());
    // Spinning, not sleeping: a thread that wakes late would read the two clocks at two times.
    while began.elapsed() < window {
        std::hint::spin_loop();
    }
    let (ticks, time) = (clock.raw().wrapping_sub(start), began.elapsed());
    ticks as f64 / time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds() {
        let tsc = Tsc::new();
        let (start, began) = (tsc.now(), Instant::now());
        while began.elapsed() < Duration::from_millis(20) {}
        let (ns, clock) = (tsc.ns(tsc.now() - start), began.elapsed().as_nanos() as f64);
        // Half, since the thread may lose its core between the two readings.
        assert!((0.5..1.5).contains(&(ns / clock)), "{ns} ns by the counter, {clock} by the clock");
    }
}
