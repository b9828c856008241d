//! A device in a whole pool.

use super::super::board::{DeviceState, Hardware};
use super::super::queue::PROBATION;
use super::super::stand_in::{Fate, StandIn};
use crate::alg::Alg;
use crate::job::Outcome;
use crate::keyring::KeyRing;
use crate::pool::{Pool, PoolConfig, PoolStats};
use crate::selftest::test_signer;
use std::time::{Duration, Instant};

/// Asks the pool `count` times about one good and one forged signature in turns. Returns how many verdicts were wrong.
fn ask(pool: &mut Scene, count: usize) -> usize {
    let (mut wrong, deadline) = (0, Instant::now() + Duration::from_secs(60));
    for first in (0..count).step_by(64) {
        for ticket in first..count.min(first + 64) {
            let signature = pool.signatures.get(ticket % 2).unwrap();
            // Each of a peer of its own: one whose signatures do not hold has few in flight.
            pool.client.verify(ticket as u64, (ticket % 64) as u32, &pool.key, b"m", signature).unwrap();
        }
        while pool.client.in_flight() > 0 {
            pool.client.flush();
            pool.client.collect(&mut |outcome| {
                let held = matches!(outcome, Outcome::Verified(_));
                wrong += usize::from(held != (outcome.ticket() % 2 == 0));
            });
            assert!(Instant::now() < deadline);
        }
    }
    wrong
}

struct Scene {
    pool: Pool,
    client: crate::pool::Client,
    key: crate::keyring::KeyHandle,
    signatures: [Vec<u8>; 2],
}

impl Scene {
    fn new(device: &StandIn) -> Self {
        let (ring, own) = (KeyRing::new(), test_signer());
        let mut out = [0; 256];
        let len = own.sign(b"m", &mut out).unwrap();
        let good = out[..len].to_vec();
        let mut forged = good.clone();
        forged[40] ^= 1;
        let key = ring.install(&own.public()).unwrap();
        let hardware = Some(Hardware::new(Box::new(device.clone())));
        let config = PoolConfig { hardware, base_window: 10, ..PoolConfig::default() };
        let (pool, mut clients) = Pool::start(config, 1, &ring).unwrap();
        Self { pool, client: clients.pop().unwrap(), key, signatures: [good, forged] }
    }

    fn wait_for(&self, what: impl Fn(&PoolStats) -> bool) -> PoolStats {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let stats = self.pool.stats();
            if what(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "{stats:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_pool_asks_its_device_and_says_so() {
    let device = StandIn::new(64, &[Alg::P256]);
    let mut scene = Scene::new(&device);
    assert_eq!(ask(&mut scene, PROBATION + 1000), 0);
    let stats = scene.pool.stats();
    let answered = stats.device.as_ref().map(|device| device.answered).unwrap();
    // The pool's known answers were part of its probation.
    assert!((1000..1200).contains(&answered), "{answered}");
    assert_eq!((stats.verified, stats.refused), (1012, 1012));
    let words: Vec<_> = stats.engines.iter().map(|choice| (choice.alg, choice.engine)).collect();
    assert!(words.contains(&(Alg::P256, "device")) && words.contains(&(Alg::P384, "tables")), "{words:?}");
    assert!(stats.engines.iter().any(|choice| choice.why.starts_with("stand-in, else tables: ")));
    // One in 1,024 of its verdicts are checked as well.
    assert!(scene.wait_for(|stats| stats.checked >= 2).mismatches == 0);
    assert_eq!(scene.pool.stop(), 0);
}

#[test]
fn a_lie_that_a_sample_finds_takes_the_device_out_and_leaves_the_tables() {
    let device = StandIn::new(64, &[Alg::P256]);
    let mut scene = Scene::new(&device);
    assert_eq!(ask(&mut scene, PROBATION), 0);
    device.with(|world| world.usual = Fate::Lie);
    let mut wrong = 0;
    let deadline = Instant::now() + Duration::from_secs(60);
    while scene.pool.stats().device.is_some_and(|device| device.state == DeviceState::Serving) {
        wrong += ask(&mut scene, 64);
        assert!(Instant::now() < deadline);
    }
    assert!(wrong > 0, "it lied");
    let stats = scene.wait_for(|stats| !stats.evidence.is_empty());
    let device = stats.device.unwrap();
    assert_eq!((device.state, stats.mismatches), (DeviceState::Wrong, 0));
    assert!(device.wrong > 0 && stats.evidence.iter().all(|one| one.by_device && one.engine != one.reference));
    assert!(stats.engines.iter().any(|choice| choice.alg == Alg::P256 && choice.engine == "tables"));
    assert_eq!(ask(&mut scene, 500), 0);
    assert_eq!(scene.pool.stop(), 0);
}
