//! Policy and trust swapped under traffic: none lost, none judged by a mixture of two. What a swap costs a turn: `sgperf reload`.
//!
//! Two policies take turns, each with its certificates. Each message would pass if one of them said what it claims and the other what follows from it;
//! under either alone it is refused, under reasons that tell which.

mod common;

use common::traffic::{Call, frame, inbound};
use common::{NOW_MS, key, keys, policy, trust};
use sealgate_config::model::{Mode, Policy};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::Trust;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::engine::{Engine, EngineConfig};
use sealgate_dataplane::io::mem::{MemFrame, MemPool, MemPort};
use sealgate_dataplane::io::{Frame, FrameIo};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Swaps in all.
const SWAPS: u32 = 1000;
/// Messages from one swap to the next.
const BETWEEN: u32 = 24;
/// Frames on their way at most: what one association without a handshake may have waiting.
const WINDOW: u32 = 100;

fn clock() -> u64 {
    NOW_MS
}

/// Answers need a transaction of ours, which nobody has opened; unsigned messages of B are refused.
fn one() -> Policy {
    let mut policy = policy();
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    for peer in &mut policy.peers {
        peer.mode = Mode::Require;
    }
    policy
}

/// Answers need none, but A's certificate is revoked, see [`revoked`]; unsigned messages of B pass. Another peer stands before
/// both, and another link.
fn two() -> Policy {
    let mut policy = policy();
    policy.defaults.transactions.check = false;
    let mut first = policy.peers[0].clone();
    first.name = "Z".to_owned();
    first.gt = vec!["99909".parse().expect("digits")];
    for peer in &mut policy.peers {
        peer.mode = if peer.name == "B" { Mode::Prefer } else { Mode::Require };
    }
    policy.peers.insert(0, first);
    let mut link = policy.links[0].clone();
    link.name = "ss7-0".to_owned();
    link.remote = vec!["192.0.2.99".parse().expect("an address")];
    policy.links.insert(0, link);
    policy
}

/// The same certificates, of which A's is revoked.
fn revoked(trust: &Trust) -> Trust {
    let mut trust = trust.clone();
    let own = trust.signers.iter_mut().filter(|signer| signer.certificate.name == "a-ec");
    own.for_each(|signer| signer.revoked = true);
    trust
}

/// Signed answers of A and unsigned requests of B, in turns.
fn frames(count: u32) -> Vec<Vec<u8>> {
    let key = key("a-ec");
    let each = |number: u32| {
        let call = Call::inbound(number);
        let user = match number % 2 {
            0 => call.m3ua(&call.udt(&call.sign(&call.end(), &key, NOW_MS * 1000 + u64::from(number), NOW_MS))),
            _ => Call { calling: "999030000011", node: "999030000011", ..call }.unsigned(),
        };
        frame(&inbound(), number, &user)
    };
    (1..=count).map(each).collect()
}

#[test]
fn a_thousand_swaps_at_full_speed_lose_nothing_and_mix_nothing() {
    let frames = frames(SWAPS * BETWEEN);
    let total = u32::try_from(frames.len()).expect("a number");
    let (one, two, trust, keys) = (one(), two(), trust(), keys());
    let revoked = revoked(&trust);
    let snapshot = Snapshot::compile(&one, &trust, &keys, 1500, &KeyRing::new()).expect("compiled");
    let pool = MemPool::new(4096, 2048);
    let ((near, mut wire), (host, mut home)) = (MemPort::cable(&pool, 1024), MemPort::cable(&pool, 1024));
    let core = core_affinity::get_core_ids().and_then(|cores| cores.last().copied()).expect("a core");
    // A crypto thread, so that claims and verdict of a message lie turns apart.
    let crypto = PoolConfig { cores: vec![core.id], ..PoolConfig::default() };
    let config = EngineConfig { crypto, started_ms: 0, first_seq: 1, clock, ..EngineConfig::default() };
    let engine = Engine::start(config, snapshot, vec![[near, host]], || Ok(())).expect("started");
    let got = AtomicU32::new(0);
    let swaps = thread::scope(|scope| {
        let control = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            for swap in 1..=SWAPS {
                let (next, trust) = if swap % 2 == 1 { (&two, &revoked) } else { (&one, &trust) };
                let next = engine.snapshot().next(next, trust, &keys, 1500).expect("compiled");
                let began = Instant::now();
                while got.load(Ordering::Acquire) < (swap - 1) * BETWEEN {
                    assert!(began.elapsed() < Duration::from_secs(20), "no more messages come");
                    thread::yield_now();
                }
                let began = Instant::now();
                engine.publish(next);
                while engine.reclaim() > 0 {
                    assert!(began.elapsed() < Duration::from_secs(20), "a worker holds on to an old snapshot");
                    thread::yield_now();
                }
                longest = longest.max(began.elapsed());
            }
            longest
        });
        let (mut sent, mut burst) = (0, Vec::new());
        let began = Instant::now();
        while got.load(Ordering::Acquire) < total {
            let mut queue = VecDeque::new();
            while sent - got.load(Ordering::Acquire) < WINDOW && queue.len() < 32 && sent < total {
                queue.push_back(pool.filled(&frames[sent as usize]).expect("fits").expect("a buffer"));
                sent += 1;
            }
            let count = queue.len();
            assert_eq!(wire.tx(&mut queue), count, "the cable is long enough");
            while home.rx(&mut burst, 64) > 0 {
                let left = burst.drain(..).filter(|frame: &MemFrame| !frame.octets().is_empty()).count();
                got.fetch_add(u32::try_from(left).expect("a burst"), Ordering::AcqRel);
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{} of {total} came", got.load(Ordering::Acquire));
            thread::yield_now();
        }
        control.join().expect("swapped")
    });
    engine.stop(Duration::from_secs(20));
    let stats = engine.stats();
    println!("{SWAPS} swaps, {total} messages; from a swap until the old snapshot was free at most {swaps:?}");
    for reason in sealgate_wire::reason::ALL.iter().filter(|reason| stats.total(**reason) > 0) {
        println!("{}: {}", reason.name(), stats.total(*reason));
    }
    assert_eq!(stats.frames_dropped.iter().sum::<u64>(), 0);
    assert_eq!(stats.message_balance(), (total.into(), total.into()));
    // Each verdict is that of one policy, and both had their say.
    let counts = |reasons: &[Reason]| reasons.iter().map(|reason| stats.total(*reason)).collect::<Vec<_>>();
    let answers = counts(&[Reason::TcapState, Reason::CrtRevoked]);
    let requests = counts(&[Reason::SecMissing, Reason::OkUnsignedAllowed]);
    assert_eq!(
        (answers.iter().sum::<u64>(), requests.iter().sum::<u64>()),
        (u64::from(total / 2), u64::from(total / 2))
    );
    assert!(answers.iter().chain(&requests).all(|count| *count > 100), "{answers:?} {requests:?}");
    // And counts for its peer, wherever that stands in a file.
    let snapshot = engine.snapshot();
    let row = |name: &str| {
        let at = snapshot.peers.iter().position(|peer| peer.name == name).expect("known");
        let row = stats.verdicts(u16::try_from(at).expect("a peer"), Direction::In).expect("a row");
        row.iter().sum::<u64>()
    };
    assert_eq!((row("A"), row("B"), row("Z")), (u64::from(total / 2), u64::from(total / 2), 0));
    assert_eq!(pool.in_use(), 0, "every buffer came back");
}

/// Peers with so many prefixes in all.
fn large(prefixes: u32) -> Policy {
    let mut policy = policy();
    let template = policy.peers[1].clone();
    for peer in 0..1000 {
        let gt = (0..prefixes / 1000).map(|one| format!("98{peer:03}{one:05}").parse().expect("digits")).collect();
        let name = format!("p-{peer}");
        policy.peers.push(sealgate_config::model::Peer { name, gt, plmns: Vec::new(), ..template.clone() });
    }
    policy
}

#[test]
fn a_policy_of_many_prefixes_is_in_force_with_the_next_turn_and_the_one_before_is_freed_by_control() {
    let (small, large, trust, keys) = (policy(), large(100_000), trust(), keys());
    let mut gateway = common::Gateway::running(&small);
    let far = Call { calling: "980070001211", node: "980070001211", ..Call::inbound(1) };
    for swap in 0..4 {
        let (next, want) =
            if swap % 2 == 0 { (&large, Reason::OkUnsignedAllowed) } else { (&small, Reason::PolPeerUnknown) };
        let next = gateway.cell.current().next(next, &trust, &keys, 1500).expect("compiled");
        assert_eq!(next.peers.len(), 1 + 4 + 1000, "who is gone keeps its place");
        let old = gateway.cell.publish(Arc::new(next));
        let step = gateway.frame(0, &frame(&inbound(), 1 + swap, &far.unsigned()), NOW_MS);
        assert_eq!(step.records.iter().map(|record| record.reason).collect::<Vec<_>>(), [want]);
        assert_eq!(Arc::strong_count(&old), 1, "ours alone");
    }
}
