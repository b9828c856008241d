//! Ways around the inline rules that a neighbour or somebody who forges its address might try.

mod common;

use common::traffic::{Call, chunk, chunks_of, frame, inbound, packet};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::{Mode, Profile};
use sealgate_wire::sctp::Data;
use sealgate_wire::{Reason, m3ua};

fn reasons(step: &common::Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

fn part(tsn: u32, user: &[u8], begin: bool, end: bool) -> Vec<u8> {
    packet(&inbound(), &[Data { begin, end, ssn: 9, ..chunk(tsn, user) }])
}

/// An M3UA Heartbeat of this length.
fn beat(total: usize) -> Vec<u8> {
    let mut out = vec![1, 0, 3, 3];
    out.extend((total as u32).to_be_bytes());
    out.extend([0, 9]);
    out.extend(((total - 8) as u16).to_be_bytes());
    out.resize(total, 0);
    out
}

#[test]
fn two_harmless_messages_do_not_make_a_forged_one_under_the_same_numbers() {
    let mut gateway = Gateway::running(&policy());
    let forged = Call::inbound(1).unsigned();
    // The first octet of one Heartbeat and the tail of another would be the forged message.
    let one = beat(16);
    let head = 12 + (4 - (12 + forged.len() - 1) % 4) % 4;
    let mut two = beat(head + forged.len() - 1);
    two[head..].copy_from_slice(&forged[1..]);
    assert_eq!(one[..1], forged[..1]);
    let frames = [
        part(10, &one[..1], true, false),
        part(11, &one[1..], false, true),
        part(10, &two[..head], true, false),
        part(11, &two[head..], false, true),
    ];
    let left: Vec<_> = frames.iter().flat_map(|octets| gateway.frame(0, octets, NOW_MS).sent[1].clone()).collect();
    let chunks: Vec<_> = left.iter().flat_map(|frame| chunks_of(frame)).collect();
    for head in chunks.iter().filter(|chunk| chunk.0 == 10) {
        for tail in chunks.iter().filter(|chunk| chunk.0 == 11) {
            let joined = [head.3.as_slice(), &tail.3].concat();
            let data = m3ua::View::new(&joined).and_then(m3ua::Data::parse);
            assert!(data.is_err(), "a host could read {data:?}");
        }
    }
    assert_eq!(gateway.worker.stats().events[Reason::SctpDupTsn.index()], 2);
}

#[test]
fn a_chunk_far_beyond_what_was_acknowledged_does_not_push_out_what_is_remembered() {
    let mut gateway = Gateway::running(&policy());
    let mut sack = Vec::new();
    let outbound = common::traffic::outbound();
    assert!(outbound.emit(1, |out| sealgate_wire::frame_builder::emit_sack(999, out), &mut sack));
    gateway.frame(1, &sack, NOW_MS);
    let near = gateway.frame(0, &frame(&inbound(), 999 + 4096, &Call::inbound(1).unsigned()), NOW_MS);
    assert_eq!(near.sent[1].len(), 1);
    let far = gateway.frame(0, &frame(&inbound(), 1000 + 4096, &Call::inbound(2).unsigned()), NOW_MS);
    assert!(far.sent[1].is_empty());
}

#[test]
fn fragments_that_contradict_each_other_hold_nobody_up() {
    // In one packet, and all around the circle of numbers.
    let first = |tsn, user| Data { begin: true, end: false, ssn: 9, ..chunk(tsn, user) };
    let one = vec![packet(&inbound(), &[first(10, b"x"), first(11, b"y")])];
    let middle = |tsn| part(tsn, b"x", false, false);
    for frames in [one, vec![middle(0), middle(0x6000_0000), middle(0xc000_0000)]] {
        let mut gateway = Gateway::running(&policy());
        for octets in &frames {
            gateway.frame(0, octets, NOW_MS);
        }
        for i in 1..20 {
            gateway.turn(NOW_MS + 50 * i);
        }
        assert_eq!(gateway.worker.in_flight(), 0);
        let good = frame(&inbound(), 20, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
        assert_eq!(gateway.frame(0, &good, NOW_MS + 1000).sent[1].len(), 1);
    }
}

#[test]
fn one_flow_cannot_take_every_slot() {
    let mut gateway = Gateway::running(&policy());
    gateway.frame(0, &part(1, b"x", true, false), NOW_MS);
    for tsn in 2..1000 {
        gateway.frame(0, &frame(&inbound(), tsn, &Call::inbound(tsn).unsigned()), NOW_MS);
    }
    assert!(gateway.worker.in_flight() <= 4096 / 8);
    assert!(gateway.worker.stats().frames_dropped[Reason::ResOverload.index()] > 0);
    let other = sealgate_wire::frame_builder::Path { source_port: 2906, ..inbound() };
    let step = gateway.frame(0, &frame(&other, 1, &Call::inbound(1).unsigned()), NOW_MS);
    assert_eq!(step.sent[1].len(), 1, "another association goes on");
}

#[test]
fn a_unidirectional_message_is_not_an_answer() {
    let mut policy = policy();
    let peer = &mut policy.peers[0];
    (peer.mode, peer.profiles) = (Mode::Require, vec![Profile::SgTcap0]);
    let mut gateway = Gateway::running(&policy);
    let (mut component, mut message) = (Vec::new(), Vec::new());
    sealgate_wire::tcap::emit_invoke(1, 2, &[], &mut component);
    sealgate_wire::tcap::emit_unidirectional(None, &component, &mut message);
    let call = Call::inbound(1);
    let step = gateway.frame(0, &frame(&inbound(), 1, &call.m3ua(&call.udt(&message))), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SecMissing]);
}

#[test]
fn a_caller_cannot_choose_his_screening_by_his_own_subsystem() {
    let mut policy = policy();
    policy.peers[0].mode = Mode::Prefer;
    let mut gateway = Gateway::running(&policy);
    // The node numbers inside belong to somebody else, and the caller says that it is a CAP entity.
    let call = Call { node: "999030000011", ..Call::inbound(1) };
    let (called, mut calling) = call.addresses();
    calling[1] = 146;
    let mut out = Vec::new();
    let kind = sealgate_wire::sccp::Kind::Udt;
    sealgate_wire::sccp::emit(kind, 0, None, &called, &calling, &call.tcap(), None, None, &mut out).expect("fits");
    let step = gateway.frame(0, &frame(&inbound(), 1, &call.m3ua(&out)), NOW_MS);
    assert_eq!(reasons(&step), [Reason::PolXlayerAddr]);
}

#[test]
fn what_is_neither_ip_nor_arp_does_not_pass() {
    let mut gateway = Gateway::running(&policy());
    let mut mpls = frame(&inbound(), 1, &Call::inbound(1).unsigned());
    mpls[12..14].copy_from_slice(&[0x88, 0x47]);
    let step = gateway.frame(0, &mpls, NOW_MS);
    assert_eq!((reasons(&step), step.sent[1].len()), (vec![Reason::L2Ethertype], 0));
}
