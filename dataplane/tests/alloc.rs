//! A warm worker allocates nothing: a counting allocator looks on while it verifies, refuses, strips and forwards, with
//! control at the tap all the time.

#[path = "../wire/tests/counting/allocator.rs"]
mod allocator;
mod common;
#[path = "detection/world.rs"]
mod world;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::traffic::{Call, chunk, frame, inbound, outbound, packet};
use common::{Gateway, NOW_MS, key, policy};
use common::{diameter, gtp, isup, sigtran};
use sealgate_config::model::{Action, Check, IpFragments, LinkKind, Match, Mode, Over, Per, Rate, Rule};
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::io::mem::MemPort;
use sealgate_dataplane::pipeline::tap::{Filter, Tap};
use sealgate_dataplane::pipeline::worker::BURST;
use sealgate_dataplane::pipeline::{Sides, WorkerConfig};
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::Data;
use sealgate_wire::tcp::{Flags, Header, Options};
use sealgate_wire::{Reason, ip, tcp};

/// The most turns that wait for the crypto threads, which may have no core of their own.
const PATIENCE: usize = 2_000_000;

/// Turns over frames that loop for ever, first to warm up, then counted, until all of `wanted` came so often. Returns
/// allocations, and messages that control was given.
fn allocations(mode: Mode, frames: (Vec<Vec<u8>>, Vec<Vec<u8>>), turns: usize, wanted: &[(Reason, u64)]) -> (u64, u64) {
    allocations_of(WorkerConfig::default(), mode, frames, turns, wanted)
}

/// Rules that ask for everything, and one that holds for all of it.
fn rules() -> Vec<Rule> {
    let rule = |id: &str, matches: Match, action: Action| Rule {
        id: id.to_owned(),
        matches,
        action,
        overrides: vec![Check::Cat1],
        log: false,
    };
    let prefixes = || (100..200).map(|n: u32| n.to_string().parse().expect("digits")).collect();
    let mut all: Vec<Rule> = (0..50)
        .map(|i| {
            rule(
                &format!("r{i}"),
                Match { calling: prefixes(), opcode: vec![200 + i], ..Match::default() },
                Action::Alert,
            )
        })
        .collect();
    let pace = Rate { per: Per::CallingGt, per_second: 1_000_000, burst: 1_000_000, over: Over::Drop };
    all.push(rule("all", Match::default(), Action::RateLimit(pace)));
    all
}

/// The same of such a worker.
fn allocations_of(
    config: WorkerConfig,
    mode: Mode,
    (inward, outward): (Vec<Vec<u8>>, Vec<Vec<u8>>),
    turns: usize,
    wanted: &[(Reason, u64)],
) -> (u64, u64) {
    // With all detectors, and rules that every message goes through up to the last.
    let mut policy = policy();
    policy.rules = rules();
    policy.detection = world::watching(world::all).detection;
    let diameter = policy.links.iter_mut().find(|link| link.name == "dia-1").expect("there");
    diameter.transports.tcp = true;
    policy.defaults.tcp.connections = 16; // a slot of the table is made when it is first used
    policy.peers.iter_mut().for_each(|peer| {
        peer.mode = mode;
        peer.sign = false;
    });
    for (host, kind) in [(11, LinkKind::M2pa), (12, LinkKind::Sua)] {
        let mut link = policy.links[0].clone();
        (link.name, link.remote, link.local) =
            (format!("{kind:?}"), vec![[192, 0, 2, host].into()], vec![[198, 51, 100, host].into()]);
        sigtran::turn(&mut link, kind);
        policy.links.push(link);
    }
    policy.links.iter_mut().for_each(|link| link.ip_fragments = IpFragments::Reassemble);
    for link in policy.links.iter_mut().filter(|link| link.kind == LinkKind::Sip) {
        link.mtu = Some(576); // calls are longer
    }
    // Peers may have fewer dialogues open than are opened here; what answers none is let pass.
    let transactions = &mut policy.defaults.transactions;
    (transactions.check, transactions.per_peer, transactions.grace_s) = (true, 5000, u32::MAX);
    // The log of rewritten octets grows by doubling up to its limit: a small limit is reached while warming up.
    policy.defaults.retransmission.octets = 65_536;
    let tap = |shared: &mut sealgate_dataplane::pipeline::worker::Shared| shared.tap = Tap::new(1, 4);
    let mut gateway = Gateway::with_memory(&policy, config, PoolConfig::default(), tap);
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
    let before = allocator::so_far();
    let mut ran = 0;
    let missing = |gateway: &Gateway| wanted.iter().any(|&(want, least)| gateway.worker.stats().total(want) < least);
    while ran < turns || missing(&gateway) && ran < PATIENCE {
        gateway.worker.turn(NOW_MS + turns as u64 / 100);
        if ran >= turns {
            std::thread::yield_now();
        }
        ran += 1;
    }
    let count = allocator::so_far() - before;
    over.store(true, Ordering::Relaxed);
    let (refused, traced) = control.join().expect("no panic");
    assert!(traced > 0);
    for &(want, least) in wanted {
        let total = gateway.worker.stats().total(want);
        assert!(total >= least, "{total} of {least} {want:?}");
    }
    (count, refused)
}

#[test]
fn a_warm_turn_allocates_nothing() {
    // Unsigned and allowed, unsigned and refused, two in one packet, and a stranger: each under its own TSN.
    let outward: Vec<_> = (0..64).map(|i| frame(&outbound(), i, &Call::outbound(i).unsigned())).collect();
    for (mode, want) in [(Mode::Prefer, Reason::OkUnsignedAllowed), (Mode::Require, Reason::SecMissing)] {
        let (count, kept) = allocations(mode, (fresh_tsns(), outward.clone()), 400, &[(want, 1)]);
        assert_eq!(count, 0, "allocations in mode {mode:?}");
        assert!(kept > 0, "refused messages, or samples of those that pass unsigned");
    }
    // Signed: the whole way through the crypto pool, stripped and rewritten, replays and forgeries among them.
    let own = key("a-ec");
    let signed: Vec<_> =
        (0..6000).map(|i| frame(&inbound(), i, &Call::inbound(i).signed(&own, u64::from(i), NOW_MS))).collect();
    let (count, _) = allocations(Mode::Require, (signed, Vec::new()), 60, &[(Reason::OkVerified, 2000)]);
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
    let wanted = [(Reason::OkVerified, 1000), (Reason::SecMissing, 1000)];
    let (count, kept) = allocations(Mode::Require, (inward, outward), 120, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations over Diameter and ISUP");
}

#[test]
fn nor_does_one_that_refuses_dialogues_beyond_a_limit() {
    let ask = |i: u32| diameter::Said::request(diameter::UPDATE_LOCATION, 2, 1, i).plain();
    let inward: Vec<_> = (0..13_000).map(|i| diameter::frame(&diameter::inbound(), i, &ask(i))).collect();
    // Our side answers a few, each of which makes room for another.
    let answer = |i: u32| diameter::Said::request(diameter::UPDATE_LOCATION, 2, 1, i * 2).answer().plain();
    let outward: Vec<_> = (0..13_000).map(|i| diameter::frame(&diameter::outbound(), i, &answer(i / 8))).collect();
    let wanted = [(Reason::OkUnsignedAllowed, 5500), (Reason::ResTableFull, 5000)];
    let (count, kept) = allocations(Mode::Prefer, (inward, outward), 200, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations of dialogues");
}

#[test]
fn nor_does_one_over_m2pa_and_sua() {
    let own = key("a-ec");
    let message = |i: u32| match i % 4 {
        0 | 1 => Call::inbound(i).signed(&own, u64::from(i), NOW_MS),
        2 => Call::inbound(i).unsigned(),
        _ => Call::inbound(i).m3ua(&[9, 0x80]), // SCCP that is cut
    };
    let said = |path: Path, host: u8, kind: LinkKind, i: u32, user: &[u8]| {
        let path = Path { source: on(path.source, host), destination: on(path.destination, host), ..path };
        let user = sigtran::message(kind, i, user).unwrap_or_else(|| vec![1, 0, 7, 9, 0, 0, 0, 8]);
        packet(&path, &[Data { ppid: sigtran::ppid(kind), ..chunk(i, &user) }])
    };
    let either = |i: u32| if i % 8 < 4 { (11, LinkKind::M2pa) } else { (12, LinkKind::Sua) };
    let inward = (0..8000).map(|i| said(inbound(), either(i).0, either(i).1, i, &message(i))).collect();
    let outward =
        (0..8000).map(|i| said(outbound(), either(i).0, either(i).1, i, &Call::outbound(i).unsigned())).collect();
    let wanted = [
        (Reason::OkVerified, 1500),
        (Reason::SecMissing, 700),
        (Reason::SccpTruncated, 300),
        (Reason::SuaForm, 300),
        (Reason::OkUnsignedAllowed, 1500),
    ];
    let (count, kept) = allocations(Mode::Require, (inward, outward), 300, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations over M2PA and SUA");
}

/// Another host of the same network.
fn on(address: IpAddr, host: u8) -> IpAddr {
    let IpAddr::V4(v4) = address else { return address };
    let [a, b, c, _] = v4.octets();
    IpAddr::from([a, b, c, host])
}

#[test]
fn nor_does_one_over_udp() {
    let text = std::fs::read_to_string(common::vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let frames = file["vectors"].as_array().expect("a list").iter().flat_map(|vector| vector["frames"].as_array());
    let inward: Vec<_> =
        frames.flatten().map(|frame| common::hex(frame["frame_hex"].as_str().expect("a frame"))).collect();
    let wanted = [(Reason::OkVerified, 1000), (Reason::StirOrig, 100)];
    let (count, kept) = allocations(Mode::Require, (inward, Vec::new()), 120, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations over UDP");
}

#[test]
fn nor_does_one_over_tcp() {
    let own = key("a-ec");
    // A connection each turn, from its greeting on, and the end of the one before: each turn is like the others.
    let (mut frames, mut before) = (Vec::new(), (0, 0));
    for port in 0..300_u16 {
        let mut octets = Vec::new();
        for i in 0..20 {
            let number = u32::from(port) * 20 + i;
            let said = diameter::Said::request(diameter::UPDATE_LOCATION, 2, 1, number);
            octets.extend(if i % 4 == 0 { said.plain() } else { said.signed(&own, u64::from(number), NOW_MS) });
        }
        frames.push(segment(false, before.0, Flags::RST, (before.1, 0), b""));
        frames.push(segment(false, port, Flags::SYN, (6, 0), b""));
        frames.push(segment(true, port, Flags::SYN.with(Flags::ACK), (0, 7), b""));
        let mut seq = 7;
        for piece in octets.chunks(700) {
            frames.push(segment(false, port, Flags::ACK, (seq, 1), piece));
            seq += piece.len() as u32;
        }
        let acks = std::iter::repeat_with(|| segment(false, port, Flags::ACK, (seq, 1), b""));
        frames.extend(acks.take(BURST - frames.len() % BURST));
        before = (port, seq);
    }
    assert_eq!(frames.len(), 300 * BURST);
    let wanted = [(Reason::OkVerified, 4000), (Reason::SecMissing, 1000)];
    let config = WorkerConfig { sides: Sides::ByAddress, ..WorkerConfig::default() };
    let (count, kept) = allocations_of(config, Mode::Require, (frames, Vec::new()), 140, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations over TCP");
}

/// A frame over TCP, from the neighbour or to it.
fn segment(outward: bool, port: u16, flags: Flags, (seq, ack): (u32, u32), payload: &[u8]) -> Vec<u8> {
    let (theirs, ours) = (([192, 0, 2, 20], 40_000 + port), ([198, 51, 100, 20], 3868));
    let ((from, source_port), (to, destination_port)) = if outward { (ours, theirs) } else { (theirs, ours) };
    let mut out = vec![2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, tcp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    let header = Header { source_port, destination_port, seq, ack, flags, window: 60_000, urgent: 0 };
    tcp::emit(&header, &Options::default(), payload, &mut out);
    assert!(tcp::seal(from.into(), to.into(), &mut out[34..]));
    let len = out.len() - 34;
    assert!(ip::set_lengths(&mut out[14..], len));
    out
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
    // An endpoint of ours is given out, spoken to, and taken back; what we ask is answered, and what nobody asked is counted.
    let endpoint = [&[2, 0, 2, 0, 16, 0, 87, 0, 9, 1, 0x87, 0, 0, 0, 77][..], &gtp::OURS].concat();
    let ours = |payload: &[u8]| gtp::frame((gtp::OURS, 2123), (gtp::A, 2123), payload);
    let yes = [2, 0, 2, 0, 16, 0];
    let outward = vec![
        ours(&gtp::v2(33, 9, &endpoint)),
        ours(&gtp::v2(37, 9, &yes)),
        ours(&gtp::v2(34, 9, &endpoint[6..])),
        ours(&gtp::v1(17, 9, &[1, 128])),
    ];
    let inward = [
        inward,
        [(34, 77), (36, 77), (34, 78)].map(|(kind, teid)| gtp::control(gtp::A, &gtp::v2(kind, teid, &[]))).into(),
    ];
    let inward = [inward.concat(), vec![gtp::control(gtp::A, &gtp::v2(35, 77, &yes))]].concat();
    let wanted = [Reason::OkUnsignedAllowed, Reason::OkNotSubject, Reason::PolVplmnRealm, Reason::GtpInGtp];
    let (count, kept) = allocations(Mode::Require, (inward, outward), 400, &wanted.map(|reason| (reason, 1000)));
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations over GTP");
}

#[test]
fn nor_does_one_that_puts_fragments_together_and_cuts_again() {
    let text = std::fs::read_to_string(common::vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let frames = file["vectors"].as_array().expect("a list").iter().flat_map(|vector| vector["frames"].as_array());
    let whole = frames.flatten().map(|frame| common::hex(frame["frame_hex"].as_str().expect("a frame")));
    let mut inward: Vec<_> =
        whole.enumerate().flat_map(|(i, frame)| common::cuts::cut(&frame, 400, i as u32)).collect();
    // One that never becomes whole, and one that overlaps.
    let lost = common::cuts::cut(&inward_whole(), 400, 900);
    inward.extend([lost[0].clone(), lost[0].clone()]);
    let other = common::cuts::cut(&inward_whole(), 408, 900);
    inward.push(other[1].clone());
    // Nothing but fragments comes in, and what passes is longer than its link carries.
    let (count, _) = allocations(Mode::Require, (inward, Vec::new()), 240, &[(Reason::OkVerified, 400)]);
    assert_eq!(count, 0, "allocations over fragments");
}

#[test]
fn nor_does_one_that_looks_for_what_several_messages_show() {
    const MESSAGES: u32 = 6000;
    let path = |outward: bool| if outward { outbound() } else { inbound() };
    let over_map = |outward, i: u32, user: &[u8]| frame(&path(outward), i, user);
    let over_lte = |i: u32, said: &world::Lte| diameter::frame(&diameter::inbound(), i, &said.octets());
    let (mut inward, mut outward) = (Vec::new(), Vec::new());
    for i in 0..MESSAGES {
        // Each subscriber appears at B, 9000 km away at A, and speaks from everywhere.
        let (imsi, operator) = (format!("00101{:010}", i / 10), 3 - (i / 10 % 2) as u8);
        let said = match i % 10 {
            0 => world::Said::update(3, i, &imsi),
            1 => world::Said::update(2, i, &imsi),
            2 => world::Said::ussd(operator, i, &imsi),
            3 => world::Said::purge(operator, i, &imsi),
            4 => world::Said::deliver(operator, i, &imsi),
            5 => world::Said::vectors(operator, i, &imsi),
            6 => world::Said::call(operator, i, &imsi),
            7 => {
                let request = world::s6a(diameter::UPDATE_LOCATION, 4, i, &imsi);
                inward.push(over_lte(i, &request));
                let answer = world::s6a_answer(&request, 2001);
                outward.push(diameter::frame(&diameter::outbound(), i, &answer.octets()));
                continue;
            }
            8 => {
                let question = world::Said::route(operator, i, "999010000077");
                inward.push(over_map(false, i, &question.begin()));
                outward.push(over_map(true, i, &question.routed(&imsi)));
                continue;
            }
            _ => world::Said::update_gprs(3, i, &imsi),
        };
        // Answers to what moves, and many that nobody waits for: as many frames as come in, so that each meets its question.
        outward.push(over_map(true, i, &said.accepted()));
        inward.push(over_map(false, i, &said.begin()));
    }
    let wanted = [
        (Reason::DetVelocity, 300),
        (Reason::DetPrevLocation, 300),
        (Reason::DetMultiRequest, 100),
        (Reason::OkUnsignedAllowed, 2000),
    ];
    let (count, kept) = allocations(Mode::Prefer, (inward, outward), 400, &wanted);
    assert!(kept > 0);
    assert_eq!(count, 0, "allocations of detectors");
}

/// A call of the vectors.
fn inward_whole() -> Vec<u8> {
    let text = std::fs::read_to_string(common::vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    common::hex(file["vectors"][0]["frames"][0]["frame_hex"].as_str().expect("a frame"))
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
