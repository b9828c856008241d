//! A warm worker allocates nothing: a counting allocator looks on while it verifies, refuses, strips and forwards, with
//! control at the tap all the time.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::traffic::{Call, chunk, frame, inbound, outbound, packet};
use common::{Gateway, NOW_MS, key, policy};
use common::{diameter, gtp, isup};
use sealgate_config::model::Mode;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::io::mem::MemPort;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::pipeline::tap::{Filter, Tap};
use sealgate_wire::Reason;

struct Counting;

thread_local! {
    /// Of this thread, which is the worker: the crypto pool's keeper makes tables meanwhile.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Turns over frames that loop for ever, first to warm up, then counted. Returns allocations, and messages
/// that control was given.
fn allocations(mode: Mode, inward: Vec<Vec<u8>>, outward: Vec<Vec<u8>>, turns: usize) -> (u64, u64, Gateway) {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| {
        peer.mode = mode;
        peer.sign = false;
    });
    // The log of rewritten octets grows by doubling up to its limit: a small limit is reached while warming up.
    policy.defaults.retransmission.octets = 65_536;
    let tap = |shared: &mut sealgate_dataplane::pipeline::worker::Shared| shared.tap = Tap::new(1, 4);
    let mut gateway = Gateway::with_memory(&policy, WorkerConfig::default(), PoolConfig::default(), tap);
    // Somebody traces everything, and control takes refused messages and traced ones all the time.
    let over = Arc::new(AtomicBool::new(false));
    let control = {
        let (shared, over) = (Arc::clone(&gateway.shared), Arc::clone(&over));
        std::thread::spawn(move || {
            let session = shared.tap.begin(Filter::default()).expect("room");
            let (mut refused, mut traced, mut out) = (0_u64, 0, Vec::new());
            while !over.load(Ordering::Relaxed) {
                shared.tap.refused().drain(|_| refused += 1);
                shared.tap.take(session, 512, &mut out);
                traced += out.drain(..).count();
                shared.tap.ask_views();
            }
            (refused, traced)
        })
    };
    for (port, frames) in [(0, inward), (1, outward)] {
        let corpus: Arc<[Vec<u8>]> = frames.into();
        let mut looping = MemPort::looping(&gateway.pool, corpus, None).expect("frames fit");
        looping.drop_sent();
        *gateway.worker.port_mut(port).expect("port") = looping;
    }
    for i in 0..turns {
        gateway.worker.turn(NOW_MS + i as u64 / 100);
    }
    let before = ALLOCATIONS.get();
    for i in 0..turns {
        gateway.worker.turn(NOW_MS + (turns + i) as u64 / 100);
    }
    let count = ALLOCATIONS.get() - before;
    over.store(true, Ordering::Relaxed);
    let (refused, traced) = control.join().expect("no panic");
    assert!(traced > 0);
    (count, refused, gateway)
}

#[test]
fn a_warm_turn_allocates_nothing() {
    // Unsigned and allowed, unsigned and refused, two in one packet, and a stranger: each under its own TSN.
    let outward: Vec<_> = (0..64).map(|i| frame(&outbound(), i, &Call::outbound(i).unsigned())).collect();
    for (mode, want) in [(Mode::Prefer, Reason::OkUnsignedAllowed), (Mode::Require, Reason::SecMissing)] {
        let (count, kept, mut gateway) = allocations(mode, fresh_tsns(), outward.clone(), 400);
        gateway.worker.publish();
        assert!(gateway.worker.stats().total(want) > 0, "{want:?}");
        assert_eq!(count, 0, "allocations in mode {mode:?}");
        assert!(kept > 0, "refused messages, or samples of those that pass unsigned");
    }
    // Signed: the whole way through the crypto pool, stripped and rewritten, replays and forgeries among them.
    let own = key("a-ec");
    let signed: Vec<_> =
        (0..6000).map(|i| frame(&inbound(), i, &Call::inbound(i).signed(&own, u64::from(i), NOW_MS))).collect();
    let (count, _, mut gateway) = allocations(Mode::Require, signed, Vec::new(), 60);
    gateway.worker.publish();
    assert!(gateway.worker.stats().total(Reason::OkVerified) > 2000);
    assert_eq!(count, 0, "allocations while verifying");
}

#[test]
fn nor_does_one_over_diameter_and_isup() {
    let own = key("a-ec");
    let ask = |i: u32| diameter::Said::request(diameter::UPDATE_LOCATION, 2, 1, i);
    let inward: Vec<_> = (0..6000)
        .map(|i| match i % 4 {
            0 => diameter::frame(&diameter::inbound(), i, &ask(i).signed(&own, u64::from(i), NOW_MS)),
            1 => diameter::frame(&diameter::inbound(), i, &ask(i).plain()),
            2 => frame(&inbound(), i, &isup::m3ua(&isup::signed(&own, false, (isup::OURS, 4), u64::from(i)), false)),
            _ => frame(&inbound(), i, &isup::m3ua(&isup::iam(isup::THEIRS, (isup::OURS, 4)), false)),
        })
        .collect();
    let outward: Vec<_> = (0..6000)
        .map(|i| match i % 2 {
            0 => diameter::frame(&diameter::outbound(), i, &ask(i).answer().plain()),
            _ => frame(&outbound(), i, &isup::m3ua(&isup::iam(isup::OURS, (isup::THEIRS, 4)), true)),
        })
        .collect();
    let (count, kept, mut gateway) = allocations(Mode::Require, inward, outward, 120);
    gateway.worker.publish();
    let stats = gateway.worker.stats();
    assert!(stats.total(Reason::OkVerified) > 1000 && stats.total(Reason::SecMissing) > 1000 && kept > 0);
    assert_eq!(count, 0, "allocations over Diameter and ISUP");
}

#[test]
fn nor_does_one_over_udp() {
    let text = std::fs::read_to_string(common::vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let frames = file["vectors"].as_array().expect("a list").iter().flat_map(|vector| vector["frames"].as_array());
    let inward: Vec<_> =
        frames.flatten().map(|frame| common::hex(frame["frame_hex"].as_str().expect("a frame"))).collect();
    let (count, kept, mut gateway) = allocations(Mode::Require, inward, Vec::new(), 120);
    gateway.worker.publish();
    let stats = gateway.worker.stats();
    assert!(stats.total(Reason::OkVerified) > 1000 && stats.total(Reason::StirOrig) > 100 && kept > 0);
    assert_eq!(count, 0, "allocations over UDP");
}

#[test]
fn nor_does_one_over_gtp() {
    let said = gtp::Said { imsi: "001010123456789", network: 2, address: gtp::A };
    let inward = vec![
        gtp::control(gtp::A, &gtp::v2(32, 0, &said.v2())),
        gtp::control(gtp::A, &gtp::v1(16, 0, &said.v1())),
        gtp::control(gtp::B, &gtp::v2(32, 0, &said.v2())),
        gtp::control(gtp::A, &gtp::ECHO),
        gtp::frame((gtp::A, 2152), (gtp::OURS, 2152), &gtp::tunnelled(53)),
        gtp::frame((gtp::A, 2152), (gtp::OURS, 2152), &gtp::tunnelled(2123)),
    ];
    let outward = vec![gtp::frame((gtp::OURS, 2123), (gtp::A, 2123), &gtp::v2(33, 9, &[2, 0, 2, 0, 16, 0]))];
    let (count, kept, mut gateway) = allocations(Mode::Require, inward, outward, 400);
    gateway.worker.publish();
    let stats = gateway.worker.stats();
    assert!(stats.total(Reason::OkUnsignedAllowed) > 1000 && stats.total(Reason::OkNotSubject) > 1000);
    assert!(stats.total(Reason::PolVplmnRealm) > 1000 && stats.total(Reason::GtpInGtp) > 1000 && kept > 0);
    assert_eq!(count, 0, "allocations over GTP");
}

/// The same messages under more TSNs than the retransmission memory holds, bundled by two.
fn fresh_tsns() -> Vec<Vec<u8>> {
    (0..5000_u32)
        .map(|i| {
            let user = Call::inbound(i % 64).unsigned();
            packet(&inbound(), &[chunk(2 * i, &user), chunk(2 * i + 1, &user)])
        })
        .collect()
}
