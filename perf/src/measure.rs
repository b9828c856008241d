//! Time per message, as a whole and by stage.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sealgate_crypto::tables::Tier;
use sealgate_dataplane::pipeline::worker::{Stage, Watch};
use sealgate_wire::ber::Rules;
use sealgate_wire::{eth, ip, m3ua, sccp, sctp, tcap};

use crate::gateway::{Gateway, NOW_MS};

/// CPU time of this thread: what others do on the same core does not count.
pub fn cpu_now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Messages judged; copies of known ones do not count.
    pub messages: u64,
    /// CPU time of the run.
    pub elapsed: Duration,
    /// Time by stage; empty in a run that nobody watched.
    pub stages: BTreeMap<Stage, Duration>,
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

    /// Nanoseconds per message of one stage.
    pub fn stage_ns(&self, stage: Stage) -> f64 {
        self.stages.get(&stage).map_or(0.0, |time| time.as_secs_f64() * 1e9 / self.messages.max(1) as f64)
    }
}

/// A clock that is read once a stage.
struct Laps {
    last: Duration,
    stages: BTreeMap<Stage, Duration>,
}

impl Watch for Laps {
    fn ended(&mut self, stage: Stage) {
        let now = cpu_now();
        *self.stages.entry(stage).or_default() += now.saturating_sub(self.last);
        self.last = now;
    }
}

/// Turns for `time`, or until the input ends.
pub fn run(gateway: &mut Gateway, time: Duration, watched: bool) -> Outcome {
    let before = gateway.worker.stats().messages;
    let start = cpu_now();
    let mut laps = Laps { last: start, stages: BTreeMap::new() };
    let mut turns = 0_u32;
    loop {
        if watched {
            laps.last = cpu_now();
            gateway.worker.turn_watched(NOW_MS, &mut laps);
        } else {
            gateway.worker.turn(NOW_MS);
        }
        turns += 1;
        if turns.is_multiple_of(64) && (cpu_now().saturating_sub(start) >= time || gateway.worker.is_done()) {
            break;
        }
    }
    Outcome {
        messages: gateway.worker.stats().messages - before,
        elapsed: cpu_now().saturating_sub(start),
        stages: laps.stages,
    }
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

/// Nanoseconds per frame of all decoders from Ethernet to TCAP, without what is done with their result.
pub fn decode(frames: &[Vec<u8>], time: Duration) -> f64 {
    let start = cpu_now();
    let mut read = 0_u64;
    while cpu_now().saturating_sub(start) < time {
        for frame in frames {
            black_box(decode_one(black_box(frame)));
            read += 1;
        }
    }
    cpu_now().saturating_sub(start).as_secs_f64() * 1e9 / read as f64
}

/// The number of components, so that nothing is optimised away.
fn decode_one(frame: &[u8]) -> Option<usize> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    let mut components = 0;
    for chunk in sctp::Packet::parse(packet.payload).ok()?.chunks().filter(|chunk| chunk.kind == sctp::ChunkKind::DATA)
    {
        let data = sctp::Data::parse(&chunk).ok()?;
        let message = m3ua::Data::parse(m3ua::View::new(data.user).ok()?).ok()?;
        let unitdata = sccp::Unitdata::parse(message.user).ok()?;
        black_box(sccp::Address::parse(unitdata.called).ok()?.title().ok()?);
        black_box(sccp::Address::parse(unitdata.calling).ok()?.title().ok()?);
        components += tcap::Message::parse(unitdata.data, Rules::Lenient).ok()?.components.len();
    }
    Some(components)
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
