//! Running a gateway for a while, by the CPU time of this thread.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sealgate_crypto::tables::Tier;

use crate::gateway::{Gateway, NOW_MS};

/// Turns between two looks at the clock: so many that a look does not count, so few that a slice of milliseconds holds.
const LOOK_TURNS: u32 = 8;

/// CPU time of this thread: what others do on the same core does not count.
pub fn cpu_now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Messages judged; copies of known ones do not count.
    pub messages: u64,
    /// CPU time of the run.
    pub elapsed: Duration,
}

impl Outcome {
    /// Nanoseconds per message.
    pub fn ns(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1e9 / self.messages.max(1) as f64
    }

    /// Messages per second.
    pub fn per_second(&self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Turns for `time`, or until the input ends.
pub fn run(gateway: &mut Gateway, time: Duration) -> Outcome {
    let before = gateway.worker.stats().messages;
    let start = cpu_now();
    let mut elapsed = Duration::ZERO;
    while elapsed < time && !gateway.worker.is_done() {
        turns(gateway, LOOK_TURNS);
        elapsed = cpu_now().saturating_sub(start);
    }
    Outcome { messages: gateway.worker.stats().messages - before, elapsed }
}

/// Verifies what comes until the keys in use have the widest tables that they get, or for five seconds.
///
/// As long as the gateway lives, others with the same ring of keys start where it is.
pub fn warm(gateway: &mut Gateway) {
    let until = Instant::now() + Duration::from_secs(5);
    while gateway.crypto.stats().tables.keys[Tier::Wide as usize] == 0 && Instant::now() < until {
        if gateway.worker.turn(NOW_MS) == 0 {
            // All was verified: the keeper counts what was asked, and makes tables, in its own time.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// This many turns, for tools that count for themselves.
pub fn turns(gateway: &mut Gateway, turns: u32) {
    for _ in 0..turns {
        gateway.worker.turn(NOW_MS);
    }
}

/// Nanoseconds of one turn that finds nothing to do.
pub fn empty_turn(gateway: &mut Gateway, time: Duration) -> f64 {
    let start = cpu_now();
    let mut turns = 0_u64;
    while cpu_now().saturating_sub(start) < time {
        for _ in 0..1024 {
            gateway.worker.turn(NOW_MS);
        }
        turns += 1024;
    }
    cpu_now().saturating_sub(start).as_secs_f64() * 1e9 / turns as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;
    use sealgate_config::model::Mode;
    use sealgate_crypto::keyring::KeyRing;
    use sealgate_crypto::pool::PoolConfig;
    use std::error::Error;

    #[test]
    fn a_corpus_played_again_is_judged_again() -> Result<(), Box<dyn Error>> {
        let frames = traffic::unsigned(false);
        let rounds = 3 * frames.len() as u64;
        let mut gateway =
            Gateway::new(Mode::Prefer, false, frames, Vec::new(), Some(3), PoolConfig::default(), &KeyRing::new())?;
        turns(&mut gateway, rounds as u32 / 32 + 2);
        let stats = gateway.worker.stats();
        assert_eq!((stats.messages, stats.repeated), (rounds, 0));
        Ok(())
    }
}
