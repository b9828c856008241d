//! Frames that wait for crypto: in flow order, no flow behind another's signature, a full queue never a way around.

mod common;

use common::traffic::{Call, chunks_of, frame, inbound};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::Reason;
use sealgate_wire::frame_builder::Path;

/// Turns until nothing is on its way, at most ten seconds.
fn settle(gateway: &mut Gateway) -> common::Step {
    let mut all = gateway.collect();
    for _ in 0..10_000 {
        let step = gateway.turn(NOW_MS);
        for (all, more) in all.sent.iter_mut().zip(step.sent) {
            all.extend(more);
        }
        all.records.extend(step.records);
        if gateway.worker.in_flight() == 0 {
            return all;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("frames are stuck");
}

fn journal() -> WorkerConfig {
    WorkerConfig { journal: true, ..WorkerConfig::default() }
}

#[test]
fn order_within_a_flow_survives_a_crypto_thread() {
    let config = PoolConfig { cores: vec![0], batch: 8, ..PoolConfig::default() };
    let mut gateway = Gateway::with_crypto(&policy(), journal(), config);
    let own = key("a-ec");
    // Signed ones wait, the others are refused at once: they must not overtake.
    let frames: Vec<_> = (0..100)
        .map(|i| {
            let call = Call::inbound(i);
            let user = if i % 3 == 0 { call.unsigned() } else { call.signed(&own, u64::from(i), NOW_MS) };
            frame(&inbound(), 1000 + i, &user)
        })
        .collect();
    for burst in frames.chunks(32) {
        let burst: Vec<_> = burst.iter().map(Vec::as_slice).collect();
        let port = gateway.worker.port_mut(0).expect("port");
        burst.iter().for_each(|octets| assert!(port.inject(octets).expect("fits")));
        gateway.worker.turn(NOW_MS);
    }
    let all = settle(&mut gateway);
    let tsns: Vec<_> = all.sent[1].iter().map(|frame| chunks_of(frame)[0].0).collect();
    assert_eq!(tsns, (1000..1100).collect::<Vec<_>>());
    let count = |reason| all.records.iter().filter(|record| record.reason == reason).count();
    assert_eq!((count(Reason::OkVerified), count(Reason::SecMissing)), (66, 34));
    gateway.worker.publish();
    let (received, accounted) = gateway.worker.stats().frame_balance();
    assert_eq!(received, accounted);
    assert_eq!(gateway.pool.in_use(), 0);
}

#[test]
fn a_flow_does_not_wait_for_another_flows_fragment() {
    let mut policy = policy();
    policy.links[0].vtag_in = None;
    let mut gateway = Gateway::new(&policy, journal());
    let other = Path { source_port: 2906, ..inbound() };
    let user = Call::inbound(1).unsigned();
    let held = sealgate_wire::sctp::Data { end: false, ..common::traffic::chunk(5, &user[..40]) };
    let step = gateway.frame(0, &common::traffic::packet(&inbound(), &[held]), NOW_MS);
    assert!(step.sent[1].is_empty());
    let step = gateway.frame(0, &frame(&other, 9, &Call::inbound(2).unsigned()), NOW_MS);
    assert_eq!(chunks_of(&step.sent[1][0])[0].0, 9);
}

/// A pool to which all jobs of these tests cost the same, whether tables of their keys are made yet or not.
fn alike() -> PoolConfig {
    PoolConfig { engine: EngineKind::Reference, ..PoolConfig::default() }
}

#[test]
fn a_full_crypto_queue_refuses_under_its_own_reason() {
    let config = PoolConfig { queue: 8, batch: 8, share_percent: 100, ..alike() };
    let mut gateway = Gateway::with_crypto(&policy(), journal(), config);
    let own = key("a-ec");
    let frames: Vec<_> =
        (0..20).map(|i| frame(&inbound(), i, &Call::inbound(i).signed(&own, u64::from(i) + 1, NOW_MS))).collect();
    let burst: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    let step = gateway.burst(0, &burst, NOW_MS);
    let count = |reason| step.records.iter().filter(|record| record.reason == reason).count();
    assert_eq!((count(Reason::OkVerified), count(Reason::ResCryptoQueue)), (8, 12));
    assert_eq!(step.sent[1].len(), 20, "each keeps its TSN");
}

#[test]
fn one_peer_may_hold_its_share_of_the_queue_and_no_more() {
    let config = PoolConfig { queue: 16, batch: 16, share_percent: 50, ..alike() };
    let mut gateway = Gateway::with_crypto(&policy(), journal(), config);
    let (a, b) = (key("a-ec"), key("b-ec"));
    let mut frames: Vec<_> =
        (0..12).map(|i| frame(&inbound(), i, &Call::inbound(i).signed(&a, u64::from(i) + 1, NOW_MS))).collect();
    let from_b = Call { calling: "999030000011", node: "999030000011", ..Call::inbound(99) };
    frames.push(frame(&inbound(), 99, &from_b.signed(&b, 1, NOW_MS)));
    let burst: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    let step = gateway.burst(0, &burst, NOW_MS);
    let reasons: Vec<_> = step.records.iter().map(|record| (record.peer, record.reason)).collect();
    let good = |peer| reasons.iter().filter(|record| **record == (peer, Reason::OkVerified)).count();
    assert_eq!((good(1), good(2)), (8, 1), "{reasons:?}");
}
