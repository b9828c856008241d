//! Faults put into a gateway on purpose, to see whether a measurement shows them, and a look at how often it polls.

use std::collections::VecDeque;
use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use quanta::Clock;
use sealgate_dataplane::io::FrameIo;
use serde::{Deserialize, Serialize};

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Steps of an empty loop for each frame received; [`steps_for`] tells how many take a given time.
    pub burn: u32,
    /// One frame of so many sent is lost; 0: none.
    pub lose_one_in: u64,
    /// How long the port stalls, microseconds, and how often, milliseconds; 0: never.
    pub stall_us: u64,
    /// See `stall_us`.
    pub every_ms: u64,
}

impl FromStr for Fault {
    type Err = String;

    /// `burn:STEPS`, `lose:N`, `stall:US/MS`, or several with commas between.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut fault = Self::default();
        for part in text.split(',') {
            let bad = || format!("{part}: not a fault; write burn:STEPS, lose:N or stall:MICROSECONDS/MILLISECONDS");
            let (name, value) = part.split_once(':').ok_or_else(bad)?;
            match name {
                "burn" => fault.burn = value.parse().map_err(|_| bad())?,
                "lose" => fault.lose_one_in = value.parse().map_err(|_| bad())?,
                "stall" => {
                    let (long, often) = value.split_once('/').ok_or_else(bad)?;
                    (fault.stall_us, fault.every_ms) =
                        (long.parse().map_err(|_| bad())?, often.parse().map_err(|_| bad())?);
                }
                _ => return Err(bad()),
            }
        }
        Ok(fault)
    }
}

/// A loop of this many steps, each of which waits for the one before.
#[inline(never)]
pub fn burn(steps: u32) {
    let mut sum = 0_u32;
    for step in 0..steps {
        sum = black_box(sum.wrapping_add(step));
    }
}

/// How many steps of [`burn`] take this long here: of several tries the fastest, since others may want the core too.
pub fn steps_for(time: Duration) -> u32 {
    const TRIED: u32 = 100_000;
    let clock = Clock::new();
    let tries = (0..20).map(|_| {
        let began = clock.raw();
        burn(TRIED);
        clock.delta_as_nanos(began, clock.raw())
    });
    let fastest = tries.min().unwrap_or(1).max(1);
    (time.as_nanos() as u64 * u64::from(TRIED) / fastest) as u32
}

/// The longest time between two polls since the last [`Gap::take`], nanoseconds. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Gap(Arc<AtomicU64>);

impl Gap {
    /// The longest gap since the last call.
    pub fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }
}

/// Changes how much a running port burns. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Burner(Arc<AtomicU32>);

impl Burner {
    /// From now on so many steps for each frame received.
    pub fn set(&self, steps: u32) {
        self.0.store(steps, Ordering::Relaxed);
    }
}

/// A port with a fault, which also notes how long nobody looked at it.
pub struct Probe<P> {
    port: P,
    fault: Fault,
    burner: Burner,
    gap: Gap,
    clock: Clock,
    polled: u64,
    stalled: u64,
    sent: u64,
    lost: u64,
}

impl<P> Probe<P> {
    /// This port with this fault.
    pub fn new(port: P, fault: Fault, gap: Gap) -> Self {
        let clock = Clock::new();
        let now = clock.raw();
        let burner = Burner::default();
        burner.set(fault.burn);
        Self { port, fault, burner, gap, clock, polled: now, stalled: now, sent: 0, lost: 0 }
    }

    /// What changes how much it burns.
    pub fn burner(&self) -> Burner {
        self.burner.clone()
    }

    /// Frames that were lost on purpose.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn stall(&mut self, now: u64) {
        let since = self.clock.delta_as_nanos(self.stalled, now);
        if since < self.fault.every_ms * 1_000_000 {
            return;
        }
        self.stalled = now;
        let until = self.fault.stall_us * 1000;
        while self.clock.delta_as_nanos(now, self.clock.raw()) < until {
            std::hint::spin_loop();
        }
    }
}

impl<P: FrameIo> FrameIo for Probe<P> {
    type Frame = P::Frame;

    fn rx(&mut self, out: &mut Vec<P::Frame>, max: usize) -> usize {
        let now = self.clock.raw();
        let gap = self.clock.delta_as_nanos(self.polled, now);
        self.polled = now;
        // Only this thread writes but for the swap to 0, and a gap lost to that shows in the next trial.
        if gap > self.gap.0.load(Ordering::Relaxed) {
            self.gap.0.store(gap, Ordering::Relaxed);
        }
        if self.fault.stall_us > 0 {
            self.stall(now);
        }
        let received = self.port.rx(out, max);
        let steps = self.burner.0.load(Ordering::Relaxed);
        if steps > 0 {
            (0..received).for_each(|_| burn(steps));
        }
        received
    }

    fn tx(&mut self, frames: &mut VecDeque<P::Frame>) -> usize {
        let mut lost = 0;
        if self.fault.lose_one_in > 0 {
            let mut number = self.sent;
            frames.retain(|_| {
                number += 1;
                !number.is_multiple_of(self.fault.lose_one_in)
            });
            lost = (self.sent..number).filter(|before| (before + 1).is_multiple_of(self.fault.lose_one_in)).count();
        }
        let sent = self.port.tx(frames);
        self.sent += (sent + lost) as u64;
        self.lost += lost as u64;
        sent + lost
    }

    fn alloc(&mut self) -> Option<P::Frame> {
        self.port.alloc()
    }

    fn exhausted(&self) -> bool {
        self.port.exhausted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_dataplane::io::mem::{MemPool, MemPort};
    use std::error::Error;

    #[test]
    fn faults_are_written_as_they_are_read() {
        let fault: Result<Fault, _> = "burn:300,lose:1000000,stall:2000/100".parse();
        assert_eq!(fault, Ok(Fault { burn: 300, lose_one_in: 1_000_000, stall_us: 2000, every_ms: 100 }));
        for bad in ["", "burn", "burn:x", "lose:-1", "stall:5", "drop:3"] {
            assert!(bad.parse::<Fault>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_frame_of_so_many_is_lost() -> Result<(), Box<dyn Error>> {
        let pool = MemPool::new(64, 64);
        let fault = Fault { lose_one_in: 10, ..Fault::default() };
        let mut port = Probe::new(MemPort::new(&pool), fault, Gap::default());
        for _ in 0..7 {
            let mut frames: VecDeque<_> = (0..5).filter_map(|_| port.alloc()).collect();
            assert_eq!((port.tx(&mut frames), frames.len()), (5, 0));
        }
        assert_eq!(port.lost(), 3);
        let arrived = std::iter::from_fn(|| port.port.take_sent()).count();
        assert_eq!(arrived, 32);
        Ok(())
    }

    #[test]
    fn a_stall_is_a_gap() {
        let pool = MemPool::new(4, 64);
        let (gap, mut out) = (Gap::default(), Vec::new());
        let fault = Fault { stall_us: 2000, every_ms: 1, ..Fault::default() };
        let mut port = Probe::new(MemPort::new(&pool), fault, gap.clone());
        std::thread::sleep(Duration::from_millis(2));
        port.rx(&mut out, 1);
        gap.take();
        port.rx(&mut out, 1);
        assert!(gap.take() >= Duration::from_millis(2));
        assert_eq!(gap.take(), Duration::ZERO);
    }
}
