//! The pool with engines that wait, break, hang and lie.

use crate::alg::Alg;
use crate::client::Client;
use crate::engine::{Check, Engine, Reference, Verdicts};
use crate::job::Outcome;
use crate::keyring::{KeyHandle, KeyRing};
use crate::pool::{Parts, Pool, PoolConfig, PoolStats};
use crate::selftest::{test_signer, test_signer_of};
use crate::sign::SigningKey;
use crate::tables::{Table, Tier, Unmade, Workshop};
use crate::verify::PublicKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Waits while `held`, dies while `broken`, and denies what is so while it is `lying`; otherwise the reference.
#[derive(Clone, Default)]
struct Fragile {
    held: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
    lying: Arc<AtomicBool>,
}

impl Engine for Fragile {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        while self.held.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // Even what was granted before does not count when the engine does not come to its end.
        Reference.verify(checks, verdicts);
        assert!(!self.broken.load(Ordering::Acquire), "engine told to break");
        if self.lying.load(Ordering::Acquire) {
            for (place, check) in checks.iter().enumerate() {
                // An engine that grants too much is the worse one.
                if !Reference::holds(check) {
                    verdicts.grant(place);
                }
            }
        }
    }
}

struct Scene {
    ring: KeyRing,
    own: SigningKey,
    key: KeyHandle,
    good: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let (ring, own) = (KeyRing::new(), test_signer());
        let mut out = [0; 256];
        let len = own.sign(b"m", &mut out).unwrap();
        Self { key: ring.install(&own.public()).unwrap(), ring, own, good: out[..len].to_vec() }
    }

    fn start(&self, cores: &[usize], workers: usize, engines: Vec<Fragile>) -> (Pool, Vec<Client>) {
        let made = AtomicU32::new(0);
        let maker = move || {
            // The last one again for threads that are started again.
            let index = made.fetch_add(1, Ordering::Relaxed) as usize;
            Box::new(engines[index.min(engines.len() - 1)].clone()) as Box<dyn Engine>
        };
        let config =
            PoolConfig { cores: cores.to_vec(), batch: 4, queue: 64, share_percent: 100, ..PoolConfig::default() };
        let parts = Parts { maker: Arc::new(maker), workshop: None, patience: 20, pause: Duration::from_millis(1) };
        Pool::start_with(config, workers, &self.ring, parts).unwrap()
    }

    fn ask(&self, client: &mut Client, tickets: std::ops::Range<u64>) {
        for ticket in tickets {
            client.verify(ticket, 0, &self.key, b"m", &self.good).unwrap();
        }
    }
}

fn drain(client: &mut Client) -> Vec<(u64, bool)> {
    let (mut seen, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    while client.in_flight() > 0 {
        client.flush();
        client.collect(&mut |outcome| {
            assert!(matches!(outcome, Outcome::Verified(_) | Outcome::Failed { .. }), "{outcome:?}");
            seen.push((outcome.ticket(), matches!(outcome, Outcome::Verified(_))));
        });
        assert!(Instant::now() < deadline, "{} jobs never came back", client.in_flight());
        std::thread::yield_now();
    }
    seen.sort_unstable();
    seen
}

fn wait_for(pool: &Pool, what: impl Fn(&PoolStats) -> bool) -> PoolStats {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let stats = pool.stats();
        if what(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "{stats:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_thread_that_dies_fails_what_it_had_and_is_started_again() {
    let (scene, engine) = (Scene::new(), Fragile::default());
    let (pool, mut clients) = scene.start(&[0], 2, vec![engine.clone()]);
    engine.held.store(true, Ordering::Release);
    for client in &mut clients {
        scene.ask(client, 0..30);
        client.flush();
    }
    engine.broken.store(true, Ordering::Release);
    engine.held.store(false, Ordering::Release);
    for client in &mut clients {
        let seen = drain(client);
        assert!(seen.iter().map(|(ticket, _)| *ticket).eq(0..30));
        assert!(seen.iter().all(|(_, verified)| !verified), "a chunk cut short proves nothing");
    }
    // The next lives fail their known answers with such an engine, and do not get to answer anything.
    wait_for(&pool, |stats| stats.restarts >= 2);
    engine.broken.store(false, Ordering::Release);
    wait_for(&pool, |stats| stats.alive == 1);
    for client in &mut clients {
        // The first look of the worker finds the new rings.
        client.collect(&mut |outcome| panic!("{outcome:?}"));
        scene.ask(client, 30..40);
        assert!(drain(client).into_iter().eq((30..40).map(|ticket| (ticket, true))));
    }
    let stats = pool.stats();
    assert_eq!((stats.threads, stats.lost, stats.verified, stats.failed), (1, 0, 20, 60));
    assert_eq!(pool.stop(), 0);
}

#[test]
fn a_thread_that_hangs_is_given_up_and_replaced() {
    let (scene, engines) = (Scene::new(), vec![Fragile::default(), Fragile::default()]);
    let (pool, mut clients) = scene.start(&[0], 1, engines.clone());
    let client = &mut clients[0];
    engines[0].held.store(true, Ordering::Release);
    scene.ask(client, 0..10);
    let seen = drain(client);
    assert!(seen.into_iter().eq((0..10).map(|ticket| (ticket, false))));
    wait_for(&pool, |stats| (stats.alive, stats.restarts) == (1, 1));
    client.collect(&mut |outcome| panic!("{outcome:?}"));
    scene.ask(client, 10..20);
    assert!(drain(client).into_iter().eq((10..20).map(|ticket| (ticket, true))));
    // Late answers of the one before find nobody.
    engines[0].held.store(false, Ordering::Release);
    scene.ask(client, 20..30);
    assert!(drain(client).into_iter().eq((20..30).map(|ticket| (ticket, true))));
    assert_eq!((pool.stats().verified, pool.stats().failed), (20, 10));
    assert_eq!(pool.stop(), 0);
}

/// The number of a job that was given up is given to another one; the thread then comes to itself and answers the first.
#[test]
fn a_late_answer_never_counts_for_another_job() {
    let (scene, engines) = (Scene::new(), vec![Fragile::default(), Fragile::default()]);
    let (pool, mut clients) = scene.start(&[0], 1, engines.clone());
    let client = &mut clients[0];
    // The next thread does not come up yet, so that the old rings stay.
    engines.iter().for_each(|engine| engine.held.store(true, Ordering::Release));
    scene.ask(client, 0..4);
    assert!(drain(client).into_iter().eq((0..4).map(|ticket| (ticket, false))));
    let mut bad = scene.good.clone();
    bad[40] ^= 1;
    engines[0].held.store(false, Ordering::Release);
    // More than once, so that the answers are there at one time or another.
    for ticket in 4..200 {
        client.verify(ticket, 0, &scene.key, b"m", &bad).unwrap();
        std::thread::yield_now();
        assert_eq!(drain(client), [(ticket, false)]);
    }
    engines[1].held.store(false, Ordering::Release);
    wait_for(&pool, |stats| stats.alive == 1);
    client.collect(&mut |outcome| panic!("{outcome:?}"));
    scene.ask(client, 200..210);
    assert!(drain(client).into_iter().eq((200..210).map(|ticket| (ticket, true))));
    assert_eq!(pool.stop(), 0);
}

#[test]
fn a_thread_that_dies_again_and_again_is_left_dead() {
    let (scene, engine) = (Scene::new(), Fragile::default());
    let (pool, mut clients) = scene.start(&[0], 1, vec![engine.clone()]);
    engine.broken.store(true, Ordering::Release);
    scene.ask(&mut clients[0], 0..4);
    assert_eq!(drain(&mut clients[0]).len(), 4);
    let stats = wait_for(&pool, |stats| stats.lost == 1);
    assert_eq!((stats.alive, stats.restarts), (0, 8));
    // Later jobs fail, they do not wait and they do not pass.
    scene.ask(&mut clients[0], 4..5);
    assert_eq!(drain(&mut clients[0]), [(4, false)]);
    assert_eq!(pool.stop(), 0);
}

#[test]
fn the_other_thread_takes_over() {
    let (scene, engines) = (Scene::new(), vec![Fragile::default(), Fragile::default()]);
    let (pool, mut clients) = scene.start(&[0, 1], 1, engines.clone());
    let client = &mut clients[0];
    engines[0].broken.store(true, Ordering::Release);
    // More than one chunk: the first thread gets one of them.
    scene.ask(client, 0..8);
    assert!(drain(client).iter().any(|(_, verified)| !verified));
    scene.ask(client, 0..16);
    assert!(drain(client).into_iter().eq((0..16).map(|ticket| (ticket, true))));
    assert_eq!(pool.stop(), 0);
}

#[test]
fn a_full_queue_says_so_while_the_thread_is_busy() {
    let (scene, engine) = (Scene::new(), Fragile::default());
    let (pool, mut clients) = scene.start(&[0], 1, vec![engine.clone()]);
    let client = &mut clients[0];
    engine.held.store(true, Ordering::Release);
    for ticket in 0..64 {
        scene.ask(client, ticket..ticket + 1);
        client.flush();
    }
    assert_eq!(client.verify(64, 0, &scene.key, b"m", &scene.good), Err(crate::client::Busy::Queue));
    engine.held.store(false, Ordering::Release);
    assert!(drain(client).into_iter().eq((0..64).map(|ticket| (ticket, true))));
    assert_eq!(pool.stop(), 0);
}

#[test]
fn inline_runs_everything_at_flush() {
    let (scene, engine) = (Scene::new(), Fragile::default());
    let (pool, mut clients) = scene.start(&[], 1, vec![engine]);
    let client = &mut clients[0];
    scene.ask(client, 0..9);
    client.collect(&mut |outcome| panic!("{outcome:?} before flush"));
    client.flush();
    let mut tickets = Vec::new();
    client.collect(&mut |outcome| tickets.push(outcome.ticket()));
    assert!(tickets.into_iter().eq(0..9), "inline keeps the order");
    let stats = pool.stats();
    assert_eq!((stats.threads, stats.batches, stats.verified), (0, 3, 9));
    assert_eq!(pool.stop(), 0);
}

#[test]
fn an_engine_that_lies_is_found_out_and_answers_nothing_more() {
    for cores in [&[][..], &[0]] {
        let (scene, engine) = (Scene::new(), Fragile::default());
        let (pool, mut clients) = scene.start(cores, 1, vec![engine.clone()]);
        let client = &mut clients[0];
        let mut bad = scene.good.clone();
        bad[40] ^= 1;
        engine.lying.store(true, Ordering::Release);
        let (mut asked, mut granted) = (0_u64, 0);
        let deadline = Instant::now() + Duration::from_secs(60);
        while pool.stats().mismatches == 0 {
            client.verify(asked, 0, &scene.key, b"m", &bad).unwrap();
            asked += 1;
            granted += drain_all(client);
            assert!(Instant::now() < deadline);
        }
        assert!(granted > 0, "it did lie");
        // From now on the truth, although the engine goes on lying.
        for _ in 0..10 {
            client.verify(0, 0, &scene.key, b"m", &bad).unwrap();
            assert_eq!(drain_all(client), 0);
            scene.ask(client, 0..1);
            assert_eq!(drain_all(client), 1);
        }
        let stats = pool.stats();
        let evidence = &stats.evidence[0];
        assert_eq!((evidence.engine, evidence.reference), (true, false));
        assert_eq!(evidence.key, scene.own.public().bits());
        assert_eq!((&evidence.signature, &evidence.signed[..]), (&bad, &crate::verify::sha256(b"m")[..]));
        assert!(stats.engines.iter().all(|choice| choice.engine == "reference"));
        assert_eq!(pool.stop(), 0);
    }
}

/// How many were verified.
fn drain_all(client: &mut Client) -> usize {
    let mut verified = 0;
    while client.in_flight() > 0 {
        client.flush();
        client.collect(&mut |outcome| verified += usize::from(matches!(outcome, Outcome::Verified(_))));
        std::thread::yield_now();
    }
    verified
}

/// Queues of pools in which peers compete: some 200 milliseconds of work of cost 1 for the reference, and of a pool whose
/// tables are as fast as costs say. A worker that has to wait for its core then leaves the thread with work.
const QUEUES: [usize; 2] = [4096, 65_536];

/// The second one's part of the pool's time, of two peers who always want more; the first goes first in every turn and asks
/// ten times as often.
///
/// * `costs`: of a job of each
fn compete(scene: &Scene, client: &mut Client, first: (&KeyHandle, &[u8]), costs: [u64; 2], queue: usize) -> f64 {
    let (mut done, mut early, mut turned_away) = ([0_u64; 2], [0_u64; 2], 0_u64);
    while done[0] + done[1] < 8 * queue as u64 {
        let (key, signature) = first;
        for _ in 0..320 {
            if client.verify(0, 1, key, b"m", signature).is_err() {
                break;
            }
        }
        for _ in 0..32 {
            turned_away += u64::from(client.verify(1, 2, &scene.key, b"m", &scene.good).is_err());
        }
        client.flush();
        client.collect(&mut |outcome| {
            let who = usize::from(outcome.ticket() == 1);
            done[who] += costs[who];
        });
        // What came before the queue was full does not count.
        if done[0] + done[1] < 2 * queue as u64 {
            early = done;
        }
    }
    assert!(turned_away > 0, "more was asked than could be done");
    let [flood, honest] = [done[0] - early[0], done[1] - early[1]];
    let part = honest as f64 / (flood + honest) as f64;
    println!("honest part of the pool's time: {part:.3}");
    part
}

fn rivals(scene: &Scene, workers: usize, workshop: Option<Arc<dyn Workshop>>) -> (Pool, Vec<Client>) {
    let config = PoolConfig {
        cores: vec![0],
        queue: QUEUES[usize::from(workshop.is_some())],
        share_percent: 50,
        ..PoolConfig::default()
    };
    let maker = move || Box::new(Fragile::default()) as Box<dyn Engine>;
    let parts = Parts { maker: Arc::new(maker), workshop, patience: 1000, pause: Duration::from_millis(1) };
    Pool::start_with(config, workers, &scene.ring, parts).unwrap()
}

/// A key of P-384 and its signature of "m": without a table that costs 75, and one of P-256 costs 20.
fn dear(scene: &Scene) -> (KeyHandle, Vec<u8>) {
    let own = test_signer_of(Alg::P384);
    let mut out = [0; 256];
    let len = own.sign(b"m", &mut out).unwrap();
    (scene.ring.install(&own.public()).unwrap(), out[..len].to_vec())
}

/// Makes no table of any key, so that jobs have the costs of a pool with tables and keys without.
struct Nobody;

impl Workshop for Nobody {
    fn costs(&self, _: Alg) -> Option<[usize; 4]> {
        None
    }

    fn make(&self, _: &PublicKey, _: Tier) -> Result<Table, Unmade> {
        Err(Unmade::Unfit)
    }
}

#[test]
fn a_flood_of_good_signatures_takes_no_more_than_its_share() {
    let scene = Scene::new();
    let (pool, mut clients) = rivals(&scene, 1, None);
    let part = compete(&scene, &mut clients[0], (&scene.key, &scene.good), [1, 1], QUEUES[0]);
    // Half of it, but for the flood's being first each time that a place is free.
    assert!(part > 0.45, "{part}");
    assert_eq!(pool.stop(), 0);
}

#[test]
fn a_flood_of_garbage_takes_next_to_nothing() {
    let scene = Scene::new();
    let (pool, mut clients) = rivals(&scene, 1, None);
    let mut bad = scene.good.clone();
    bad[40] ^= 1;
    let part = compete(&scene, &mut clients[0], (&scene.key, &bad), [1, 1], QUEUES[0]);
    assert!(part > 0.9, "{part}");
    assert_eq!(pool.stop(), 0);
}

#[test]
fn a_dear_flood_gets_as_much_time_and_not_as_many_jobs() {
    let scene = Scene::new();
    let (key, signature) = dear(&scene);
    let (pool, mut clients) = rivals(&scene, 1, Some(Arc::new(Nobody)));
    let part = compete(&scene, &mut clients[0], (&key, &signature), [75, 20], QUEUES[1]);
    assert!(part > 0.45, "{part}");
    assert_eq!(pool.stop(), 0);
}

/// Cost counts between workers too: a chunk takes from each the same work, not the same number.
#[test]
fn a_worker_with_dear_jobs_takes_no_more_than_its_part() {
    let scene = Scene::new();
    let (key, signature) = dear(&scene);
    let (pool, mut clients) = rivals(&scene, 2, Some(Arc::new(Nobody)));
    let mut done = [0_u64; 2];
    while done[1] < 20 * 2_000 {
        for (number, client) in clients.iter_mut().enumerate() {
            let (key, signature, cost) =
                if number == 0 { (&key, &signature, 75) } else { (&scene.key, &scene.good, 20) };
            // Until the queue is full, which it should be.
            while client.verify(0, 1, key, b"m", signature).is_ok() {}
            client.flush();
            client.collect(&mut |_| done[number] += cost);
        }
    }
    let part = done[1] as f64 / (done[0] + done[1]) as f64;
    println!("the other worker's part of the time: {part:.3}");
    assert!((0.45..0.6).contains(&part), "{done:?}");
    assert_eq!(pool.stop(), 0);
}
