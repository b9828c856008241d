//! The engine over ports in memory: owners, order, conservation, draining, and what happens when something breaks.
//!
//! No case waits for a length of time: each goes on when it has seen what it waits for, and fails after a minute.

mod common;

use common::{hex, keys, policy, trust, vectors};
use sealgate_config::model::{IpFragments, Policy};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::engine::{Engine, EngineConfig, EngineError, Idle, WorkerState};
use sealgate_dataplane::io::mem::{MemFrame, MemPool, MemPort};
use sealgate_dataplane::io::{Frame, FrameIo};
use sealgate_dataplane::policy::Snapshot;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::{self, ChunkKind, Data, Packet};
use sealgate_wire::{Reason, eth, ip};
use std::collections::{BTreeMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

/// The clock of a gateway that stands still.
fn clock() -> u64 {
    common::NOW_MS
}

/// Waits for something that must come.
fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !seen() {
        assert!(Instant::now() < end, "no {what} within a minute");
        thread::sleep(Duration::from_millis(1));
    }
}

fn config(workers: usize) -> EngineConfig {
    EngineConfig { cores: vec![None; workers], started_ms: 0, first_seq: 1, clock, ..EngineConfig::default() }
}

/// The policy of the vectors, for associations that this file makes up, and with a node number for each worker.
fn snapshot(policy: &Policy) -> Snapshot {
    Snapshot::compile(policy, &trust(), &keys(), 1500, &KeyRing::new()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The user message of the vector that our side sends towards operator A.
fn user() -> Vec<u8> {
    let text = std::fs::read_to_string(vectors().join("tcap_native.json")).expect("vectors");
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let all = parsed["vectors"].as_array().expect("vectors");
    let egress = all.iter().find(|vector| vector["direction"] == "egress").expect("an egress vector");
    chunks(&hex(egress["frames"][0]["frame_hex"].as_str().expect("hex"))).remove(0).2
}

/// Source port, TSN and user data of each DATA chunk of a frame.
fn chunks(frame: &[u8]) -> Vec<(u16, u32, Vec<u8>)> {
    let ethernet = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    let sctp = Packet::parse(packet.payload).expect("SCTP");
    let data = sctp.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA);
    data.map(|chunk| Data::parse(&chunk).expect("DATA")).map(|d| (sctp.source_port, d.tsn, d.user.to_vec())).collect()
}

/// A frame from our side: association `assoc`, its `number`th message.
fn frame(user: &[u8], assoc: u16, number: u32, end: bool) -> Vec<u8> {
    let path = Path {
        source_mac: [2, 0, 0, 0, 0, 1],
        destination_mac: [2, 0, 0, 0, 0, 2],
        vlan: None,
        source: "198.51.100.10".parse().expect("address"),
        destination: "192.0.2.10".parse().expect("address"),
        source_port: 10_000 + assoc,
        destination_port: 2905,
        vtag: 0x1000 + u32::from(assoc),
    };
    let data = Data {
        begin: true,
        end,
        unordered: false,
        immediate: false,
        tsn: 1000 + number,
        stream: 1,
        ssn: number as u16,
        ppid: 3,
        user,
    };
    let mut out = Vec::new();
    assert!(path.emit(number as u16, |out| assert!(sctp::emit_data(&data, out)), &mut out));
    out
}

/// The far ends of a gateway's cables: for each worker what is plugged into its interconnect and its home port.
struct Bench {
    pool: MemPool,
    ends: Vec<[MemPort; 2]>,
    burst: Vec<MemFrame>,
}

impl Bench {
    fn new(workers: usize) -> (Self, Vec<[MemPort; 2]>) {
        let pool = MemPool::new(16_384, 2048);
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (a, b) = (MemPort::cable(&pool, 8192), MemPort::cable(&pool, 8192));
            near.push([a.0, b.0]);
            far.push([a.1, b.1]);
        }
        (Self { pool, ends: far, burst: Vec::new() }, near)
    }

    /// Gives a frame to the home port's queue of a worker.
    fn send(&mut self, worker: usize, octets: &[u8]) {
        let frame = self.pool.filled(octets).expect("fits").expect("a buffer");
        let mut queue: VecDeque<_> = [frame].into();
        assert_eq!(self.ends[worker][1].tx(&mut queue), 1, "the cable is long enough");
    }

    /// What left by the interconnect port of any worker since the last call.
    fn received(&mut self) -> Vec<Vec<u8>> {
        let mut got = Vec::new();
        for [interconnect, _] in &mut self.ends {
            while interconnect.rx(&mut self.burst, 64) > 0 {
                got.extend(self.burst.drain(..).map(|frame| frame.octets().to_vec()));
            }
        }
        got
    }
}

/// Sends `each` messages on each of `associations`, association by association to another worker's queue, and returns
/// what left, by source port.
fn pass(bench: &mut Bench, workers: usize, associations: u16, each: u32) -> BTreeMap<u16, Vec<u32>> {
    let user = user();
    let (mut sent, mut got, mut left) = (0, 0, BTreeMap::<u16, Vec<u32>>::new());
    let mut take = |bench: &mut Bench, got: &mut u32| {
        for octets in bench.received() {
            for (port, tsn, data) in chunks(&octets) {
                assert!(data.len() > user.len(), "it left signed");
                left.entry(port).or_default().push(tsn - 1000);
                *got += 1;
            }
        }
    };
    for number in 0..each {
        for assoc in 0..associations {
            bench.send(usize::from(assoc) % workers, &frame(&user, assoc, number, true));
            sent += 1;
        }
        // A full mailbox is overload and drops; this test is not about that.
        until("answer of the workers", || {
            take(bench, &mut got);
            sent - got < 256
        });
    }
    until("last frame", || {
        take(bench, &mut got);
        got == sent
    });
    left
}

#[test]
fn any_queue_leads_to_the_owner_and_order_is_kept_until_the_input_ends() {
    for workers in [1, 3] {
        let (mut bench, ports) = Bench::new(workers);
        let engine = Engine::start(config(workers), snapshot(&policy()), ports, || Ok(())).expect("started");
        assert!(engine.is_healthy() && !engine.is_finished());
        let left = pass(&mut bench, workers, 24, 40);
        assert_eq!(left.len(), 24);
        assert!(left.values().all(|tsns| tsns.iter().copied().eq(0..40)), "{workers} workers: {left:?}");
        let pool = bench.pool.clone();
        drop(bench);
        until("end", || engine.is_finished());
        let stats = engine.stats();
        assert_eq!((stats.total(Reason::OkSignedEgress), stats.messages, stats.adopted), (960, 960, 0));
        assert_eq!(stats.frame_balance().0, stats.frame_balance().1);
        assert_eq!(stats.message_balance(), (960, 960));
        assert_eq!((stats.handed, stats.handed > 0), (stats.taken, workers > 1), "{workers} workers");
        assert!(workers == 1 || engine.workers().iter().all(|worker| worker.stats.messages > 0), "all of them work");
        let stopped = engine.stop(Duration::from_secs(60));
        assert_eq!((stopped.late, stopped.failed, stopped.stuck), (0, 0, 0));
        assert!(engine.workers().iter().all(|worker| worker.state == WorkerState::Done));
        assert_eq!(pool.in_use(), 0, "every buffer came back");
    }
}

#[test]
fn fragments_on_any_queue_meet_at_one_worker_and_go_on_to_the_owner() {
    let mut policy = policy();
    policy.links.iter_mut().for_each(|link| link.ip_fragments = IpFragments::Reassemble);
    for workers in [1, 3] {
        let (mut bench, ports) = Bench::new(workers);
        let engine = Engine::start(config(workers), snapshot(&policy), ports, || Ok(())).expect("started");
        let user = user();
        for number in 0..4 {
            for assoc in 0..12 {
                let pieces = common::cuts::cut(&frame(&user, assoc, number, true), 120, number);
                assert!(pieces.len() > 1);
                for (i, piece) in pieces.iter().enumerate() {
                    bench.send((usize::from(assoc) + i) % workers, piece);
                }
                let mut left = Vec::new();
                until("the whole message", || {
                    left.extend(bench.received());
                    !left.is_empty()
                });
                let got = chunks(&left[0]).remove(0);
                assert_eq!((left.len(), got.0, got.1), (1, 10_000 + assoc, 1000 + number));
                assert!(got.2.len() > user.len(), "it left signed");
            }
        }
        let pool = bench.pool.clone();
        drop(bench);
        until("end", || engine.is_finished());
        let stats = engine.stats();
        assert_eq!((stats.total(Reason::OkSignedEgress), stats.messages), (48, 48));
        assert_eq!(stats.frame_balance().0, stats.frame_balance().1);
        assert!(stats.joined >= 48 && (workers == 1 || stats.handed > 48));
        engine.stop(Duration::from_secs(60));
        assert_eq!(pool.in_use(), 0, "every buffer came back");
    }
}

#[test]
fn stopping_drains_what_was_received_and_takes_no_more() {
    let user = user();
    let (mut bench, ports) = Bench::new(2);
    // A crypto thread, so that frames are parked when the stop comes.
    let core = core_affinity::get_core_ids().and_then(|cores| cores.first().copied()).expect("a core");
    let crypto = PoolConfig { cores: vec![core.id], ..PoolConfig::default() };
    let engine =
        Engine::start(EngineConfig { crypto, ..config(2) }, snapshot(&policy()), ports, || Ok(())).expect("up");
    for number in 0..100 {
        for assoc in 0..20 {
            bench.send(usize::from(assoc) % 2, &frame(&user, assoc, number, true));
        }
    }
    let stopped = engine.stop(Duration::from_secs(60));
    assert_eq!((stopped.late, stopped.failed, stopped.stuck), (0, 0, 0));
    let stats = engine.stats();
    assert_eq!((stats.frames_held, stats.messages_waiting), (0, 0));
    assert_eq!(stats.frame_balance().0, stats.frame_balance().1);
    assert_eq!(stats.message_balance().0, stats.message_balance().1);
    assert_eq!(bench.received().len() as u64, stats.tx[0]);
    assert!(stats.rx[1] <= 2000);
    assert_eq!(engine.stop(Duration::ZERO), stopped, "a second call finds nothing to do");
    assert_eq!(engine.crypto().signed, stats.total(Reason::OkSignedEgress));
}

#[test]
fn a_deadline_ends_what_would_wait_for_ever() {
    let (mut bench, ports) = Bench::new(1);
    let engine = Engine::start(config(1), snapshot(&policy()), ports, || Ok(())).expect("started");
    // The first fragment of a message whose rest never comes, under a clock that never reaches its deadline.
    bench.send(0, &frame(&user()[..40], 0, 0, false));
    until("held fragment", || engine.stats().frames_held == 1);
    let stopped = engine.stop(Duration::from_millis(20));
    assert_eq!((stopped.late, stopped.failed), (1, 0));
    assert!(engine.is_finished() && bench.received().is_empty());
    let stats = engine.stats();
    assert_eq!((stats.frame_balance(), stats.frames_held), ((1, 1), 1));
    drop(bench.ends);
    assert_eq!(bench.pool.in_use(), 0, "the frame was dropped");
}

#[test]
fn another_snapshot_holds_from_the_next_turn_on() {
    let user = user();
    let (mut bench, ports) = Bench::new(1);
    let engine = Engine::start(config(1), snapshot(&policy()), ports, || Ok(())).expect("started");
    bench.send(0, &frame(&user, 0, 0, true));
    until("signed message", || bench.received().iter().any(|octets| chunks(octets)[0].2.len() > user.len()));
    let mut silent = policy();
    silent.home.signing = None;
    silent.peers.iter_mut().for_each(|peer| peer.sign = false);
    engine.publish(snapshot(&silent));
    assert!(engine.snapshot().own.is_none());
    bench.send(0, &frame(&user, 0, 1, true));
    until("message as it came", || bench.received().iter().any(|octets| chunks(octets)[0].2 == user));
}

#[test]
fn what_cannot_start_leaves_nothing_behind() {
    let start = |config: EngineConfig, enter: fn() -> Result<(), String>| {
        let (bench, ports) = Bench::new(2);
        let error = Engine::start(config, snapshot(&policy()), ports, enter).err().expect("an error");
        // The workers' ends are gone with their threads.
        assert!(bench.ends.iter().flatten().all(FrameIo::exhausted));
        error
    };
    let none = start(config(0), || Ok(()));
    assert!(matches!(none, EngineError::Queues { workers: 0, queues: 2 }), "{none}");
    let pinned = start(EngineConfig { cores: vec![None, Some(1023)], ..config(2) }, || Ok(()));
    assert!(matches!(pinned, EngineError::Pin { worker: 1, core: 1023 }), "{pinned}");
    let refused = start(config(2), || Err("no number left".to_owned()));
    assert!(matches!(&refused, EngineError::Enter(_, why) if why == "no number left"), "{refused}");
    let crypto = PoolConfig { batch: 0, ..PoolConfig::default() };
    assert!(matches!(start(EngineConfig { crypto, ..config(2) }, || Ok(())), EngineError::Crypto(_)));
}

/// A port that breaks when the first frame comes.
struct Brittle(MemPort);

impl FrameIo for Brittle {
    type Frame = MemFrame;
    fn rx(&mut self, out: &mut Vec<MemFrame>, max: usize) -> usize {
        let got = self.0.rx(out, max);
        assert_eq!(got, 0, "this port breaks on purpose");
        got
    }
    fn tx(&mut self, frames: &mut VecDeque<MemFrame>) -> usize {
        self.0.tx(frames)
    }
    fn alloc(&mut self) -> Option<MemFrame> {
        self.0.alloc()
    }
    fn exhausted(&self) -> bool {
        self.0.exhausted()
    }
}

/// Only where a panic unwinds: release builds end as a whole.
#[test]
fn a_worker_that_panics_forwards_nothing_and_shows() {
    let (mut bench, ports) = Bench::new(2);
    let ports = ports.into_iter().map(|pair| pair.map(Brittle)).collect();
    let idle = Idle { spins: 0, yields: 0, ..Idle::POLITE };
    let engine = Engine::start(EngineConfig { idle, ..config(2) }, snapshot(&policy()), ports, || Ok(())).expect("up");
    bench.send(1, &frame(&user(), 0, 0, true));
    until("failure", || !engine.is_healthy());
    let states: Vec<_> = engine.workers().iter().map(|worker| worker.state).collect();
    assert_eq!(states, [WorkerState::Running, WorkerState::Failed]);
    assert!(!engine.is_finished());
    let stopped = engine.stop(Duration::from_secs(60));
    assert_eq!((stopped.late, stopped.failed), (0, 1));
    assert!(bench.received().is_empty());
}
