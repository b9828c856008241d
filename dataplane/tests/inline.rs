//! The rules that keep an association alive (DESIGN 3, formats 1.5 and 3), each as frames in and frames out.

mod common;
#[path = "inline/sigtran.rs"]
mod sigtran;

use common::traffic::{Call, chunk, chunks_of, frame, inbound, outbound, packet};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::{Oversize, Policy};
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::frame_builder::{emit_init, emit_sack};
use sealgate_wire::sctp::{ChunkKind, Data, emit_chunk};
use sealgate_wire::{Reason, m3ua, sctp};

fn reasons(step: &common::Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// A policy that asks for open transactions only where a test opens them, and takes associations as they come.
fn open_policy() -> Policy {
    let mut policy = policy();
    policy.links[0].vtag_in = None;
    policy
}

#[test]
fn a_retransmission_gets_the_first_verdict_and_the_first_octets() {
    let mut gateway = Gateway::running(&policy());
    let signed = frame(&inbound(), 1000, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    let first = gateway.frame(0, &signed, NOW_MS);
    assert_eq!(reasons(&first), [Reason::OkVerified]);
    // 30 s later its time stamp is too old and its number used: neither may matter.
    let again = gateway.frame(0, &signed, NOW_MS + 30_000);
    assert_eq!(reasons(&again), [Reason::OkVerified]);
    assert_eq!(again.sent, first.sent);
    assert_eq!(gateway.worker.stats().repeated, 1);
    // The same message under another TSN is a replay.
    let replay = frame(&inbound(), 1001, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    assert_eq!(reasons(&gateway.frame(0, &replay, NOW_MS)), [Reason::SecReplay]);
    // The same TSN with other octets is judged afresh.
    let other = frame(&inbound(), 1000, &Call::inbound(2).unsigned());
    assert_eq!(reasons(&gateway.frame(0, &other, NOW_MS)), [Reason::SecMissing]);
}

#[test]
fn a_retransmission_in_the_same_burst_waits_for_the_first() {
    let mut gateway = Gateway::running(&policy());
    let signed = frame(&inbound(), 1000, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    let step = gateway.burst(0, &[&signed, &signed], NOW_MS);
    assert_eq!(step.sent[1].len(), 2);
    assert_eq!(step.sent[1][0], step.sent[1][1]);
    assert_eq!(gateway.worker.stats().messages, 1);
}

#[test]
fn a_retransmission_of_ours_carries_the_same_signature() {
    let mut gateway = Gateway::running(&policy());
    let plain = frame(&outbound(), 7, &Call::outbound(1).unsigned());
    let first = gateway.frame(1, &plain, NOW_MS);
    let again = gateway.frame(1, &plain, NOW_MS + 1000);
    assert_eq!(reasons(&first), [Reason::OkSignedEgress]);
    assert_eq!(first.sent, again.sent);
}

#[test]
fn a_refused_message_keeps_its_tsn_and_becomes_a_heartbeat_ack() {
    let mut gateway = Gateway::running(&policy());
    let step = gateway.frame(0, &frame(&inbound(), 77, &Call::inbound(1).unsigned()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SecMissing]);
    assert_eq!(chunks_of(&step.sent[1][0]), [(77, true, true, m3ua::BEAT_ACK.to_vec())]);
    // Sent again, it stays refused even if policy would let it pass by then.
    let again = gateway.frame(0, &frame(&inbound(), 77, &Call::inbound(1).unsigned()), NOW_MS + 1);
    assert_eq!(reasons(&again), [Reason::SecMissing]);
    assert_eq!(again.sent, step.sent);
}

/// One message cut into DATA chunks of these lengths.
fn cut(first_tsn: u32, user: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    cut_over(m3ua::PPID, first_tsn, user, lengths)
}

/// The same under this payload protocol.
fn cut_over(ppid: u32, first_tsn: u32, user: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = user;
    let last = lengths.len() - 1;
    let pieces = lengths.iter().enumerate().map(|(i, &len)| {
        let (mine, others) = rest.split_at(if i == last { rest.len() } else { len });
        rest = others;
        let data = Data { begin: i == 0, end: i == last, ssn: 9, ppid, ..chunk(first_tsn + i as u32, mine) };
        packet(&inbound(), &[data])
    });
    pieces.collect()
}

#[test]
fn a_message_in_three_chunks_is_judged_once_and_laid_over_its_chunks() {
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut gateway = Gateway::running(&policy());
        let call = Call::inbound(3);
        let parts = cut(50, &call.signed(&key("a-ec"), 9, NOW_MS), &[100, 100, 0]);
        for &i in &order[..2] {
            let step = gateway.frame(0, &parts[i], NOW_MS);
            assert!(step.sent[1].is_empty() && step.records.is_empty(), "held");
        }
        let step = gateway.frame(0, &parts[order[2]], NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkVerified], "{order:?}");
        let mut left: Vec<_> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).collect();
        assert_eq!(left.iter().map(|c| c.0).collect::<Vec<_>>(), order.map(|i| 50 + i as u32), "order of arrival kept");
        left.sort();
        assert_eq!(left.iter().map(|c| (c.1, c.2)).collect::<Vec<_>>(), [(true, false), (false, false), (false, true)]);
        let octets: Vec<u8> = left.iter().flat_map(|c| c.3.clone()).collect();
        assert_eq!(octets, call.unsigned(), "stripped");
        assert!(left.iter().all(|c| !c.3.is_empty()));
    }
}

#[test]
fn a_held_chunk_that_comes_twice_gets_one_share_of_the_message() {
    let mut gateway = Gateway::running(&policy());
    let call = Call::inbound(3);
    let parts = cut(50, &call.signed(&key("a-ec"), 9, NOW_MS), &[100, 0]);
    let step = gateway.burst(0, &[&parts[0], &parts[0], &parts[1]], NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkVerified]);
    let left: Vec<_> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).collect();
    assert_eq!(left.iter().map(|c| c.0).collect::<Vec<_>>(), [50, 50, 51]);
    assert_eq!(left[0], left[1], "both copies alike");
    assert_eq!([&left[0].3[..], &left[2].3[..]].concat(), call.unsigned(), "nothing missing");
}

#[test]
fn a_copy_of_a_chunk_behind_its_whole_message_holds_nothing_up() {
    let mut gateway = Gateway::running(&policy());
    let parts = cut(50, &Call::inbound(3).signed(&key("a-ec"), 9, NOW_MS), &[100, 0]);
    let step = gateway.burst(0, &[&parts[0], &parts[1], &parts[0]], NOW_MS);
    let left: Vec<_> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).collect();
    assert_eq!(left.iter().map(|c| c.0).collect::<Vec<_>>(), [50, 51, 50]);
    assert_eq!(left[0], left[2], "both copies alike");
}

#[test]
fn a_refused_message_in_chunks_becomes_one_filler_of_its_length() {
    let mut gateway = Gateway::running(&policy());
    let user = Call::inbound(3).unsigned();
    for part in &cut(50, &user, &[40, 60, 0])[..2] {
        assert!(gateway.frame(0, part, NOW_MS).sent[1].is_empty());
    }
    let step = gateway.frame(0, &cut(50, &user, &[40, 60, 0])[2], NOW_MS);
    assert_eq!(reasons(&step), [Reason::SecMissing]);
    let octets: Vec<u8> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).flat_map(|c| c.3).collect();
    assert_eq!(octets.len(), user.len());
    assert_eq!(m3ua::View::new(&octets).map(|view| view.kind()), Ok((3, 6)));
}

#[test]
fn what_follows_a_held_chunk_waits_behind_it_and_control_does_not() {
    let mut gateway = Gateway::running(&policy());
    let parts = cut(50, &Call::inbound(3).signed(&key("a-ec"), 9, NOW_MS), &[100, 0]);
    let whole = frame(&inbound(), 52, &Call::inbound(4).signed(&key("a-ec"), 10, NOW_MS));
    let mut sack = Vec::new();
    assert!(inbound().emit(1, |out| emit_sack(9, out), &mut sack));
    assert!(gateway.frame(0, &parts[0], NOW_MS).sent[1].is_empty());
    assert!(gateway.frame(0, &whole, NOW_MS).sent[1].is_empty());
    assert_eq!(gateway.frame(0, &sack, NOW_MS).sent[1].len(), 1);
    let step = gateway.frame(0, &parts[1], NOW_MS);
    let tsns: Vec<_> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).map(|c| c.0).collect();
    assert_eq!(tsns, [50, 52, 51], "in the order of arrival");
}

/// Sets the association up from interconnect.
fn handshake(gateway: &mut Gateway, forward_tsn: bool) {
    let control = |path: &sealgate_wire::frame_builder::Path, chunks: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        assert!(path.emit(1, chunks, &mut out));
        out
    };
    let init = sealgate_wire::frame_builder::Path { vtag: 0, ..inbound() };
    let (ours, theirs) = (inbound().vtag, outbound().vtag);
    let frames = [
        (0, control(&init, &|out| emit_init(ChunkKind::INIT, theirs, 50, forward_tsn, out))),
        (1, control(&outbound(), &|out| emit_init(ChunkKind::INIT_ACK, ours, 7, forward_tsn, out))),
        (0, control(&inbound(), &|out| assert!(emit_chunk(ChunkKind::COOKIE_ECHO, 0, &[&[1, 2, 3, 4]], out)))),
        (1, control(&outbound(), &|out| assert!(emit_chunk(ChunkKind::COOKIE_ACK, 0, &[], out)))),
    ];
    for (port, frame) in frames {
        let step = gateway.frame(port, &frame, NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkNotSubject]);
        assert_eq!(step.sent[1 - port], [frame]);
    }
}

#[test]
fn a_hold_past_its_deadline_becomes_forward_tsn_or_is_sent_again() {
    for forward in [true, false] {
        let mut gateway = Gateway::running(&open_policy());
        handshake(&mut gateway, forward);
        let parts = cut(50, &Call::inbound(3).signed(&key("a-ec"), 9, NOW_MS), &[100, 100, 0]);
        assert!(gateway.frame(0, &parts[0], NOW_MS).sent[1].is_empty());
        assert!(gateway.frame(0, &parts[1], NOW_MS + 50).sent[1].is_empty());
        assert!(gateway.turn(NOW_MS + 10_050).sent[1].is_empty(), "a pause of ours is not the neighbour's");
        let mut step = gateway.turn(NOW_MS + 10_100);
        for i in 1..10 {
            let more = gateway.turn(NOW_MS + 10_100 + 50 * i);
            step.sent[1].extend(more.sent[1].clone());
        }
        assert_eq!(gateway.worker.stats().events[Reason::SctpReasm.index()], 1);
        if forward {
            let kinds: Vec<_> = step.sent[1].iter().map(|frame| first_kind(frame)).collect();
            assert_eq!(kinds, [ChunkKind::FORWARD_TSN; 2]);
            // The rest of that message shares its fate.
            let step = gateway.frame(0, &parts[2], NOW_MS + 310);
            assert_eq!(first_kind(&step.sent[1][0]), ChunkKind::FORWARD_TSN);
        } else {
            assert!(step.sent[1].is_empty());
            assert_eq!(gateway.worker.stats().frames_dropped[Reason::SctpReasm.index()], 2);
            // The neighbour's stack sends it again, and now it is whole in time.
            for part in &parts[..2] {
                assert!(gateway.frame(0, part, NOW_MS + 400).sent[1].is_empty());
            }
            assert_eq!(reasons(&gateway.frame(0, &parts[2], NOW_MS + 410)), [Reason::OkVerified]);
        }
        assert_eq!(gateway.worker.in_flight(), 0);
    }
}

fn first_kind(frame: &[u8]) -> ChunkKind {
    let ip = sealgate_wire::ip::Packet::parse(sealgate_wire::eth::IPV4, &frame[14..]).expect("IP").expect("IP");
    let packet = sctp::Packet::parse(ip.payload).expect("SCTP");
    packet.chunks().next().expect("a chunk").kind
}

#[test]
fn a_packet_that_outgrows_the_mtu_is_split_between_its_chunks() {
    let mut policy = policy();
    policy.links[0].mtu = Some(600);
    let mut gateway = Gateway::running(&policy);
    let users: Vec<_> = (0..3).map(|i| Call::outbound(i).unsigned()).collect();
    let chunks: Vec<_> = users.iter().enumerate().map(|(i, user)| chunk(100 + i as u32, user)).collect();
    let whole = packet(&outbound(), &chunks);
    assert!(whole.len() - 14 <= 600);
    let step = gateway.frame(1, &whole, NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkSignedEgress; 3]);
    assert!(step.sent[0].len() > 1 && step.sent[0].iter().all(|frame| frame.len() - 14 <= 600));
    let tsns: Vec<_> = step.sent[0].iter().flat_map(|frame| chunks_of(frame)).map(|c| c.0).collect();
    assert_eq!(tsns, [100, 101, 102]);
    let (received, accounted) = {
        gateway.worker.publish();
        gateway.worker.stats().frame_balance()
    };
    assert_eq!(received, accounted);
}

#[test]
fn what_cannot_grow_leaves_unsigned_or_is_refused_as_the_peer_has_it() {
    for oversize in [Oversize::Unsigned, Oversize::Refuse] {
        let mut policy = policy();
        policy.peers[0].oversize = oversize;
        let mut gateway = Gateway::running(&policy);
        let call = Call::outbound(1);
        // 130 octets of private extension push the signed message past 238 octets of TCAP.
        let mut argument = Vec::new();
        sealgate_wire::ber::put_tlv(0x04, &[0x55; 130], &mut argument);
        let (mut component, mut message) = (Vec::new(), Vec::new());
        sealgate_wire::tcap::emit_invoke(1, 2, &argument, &mut component);
        let id = sealgate_wire::tcap::Tid::new(&[1, 2, 3, 4]).expect("id");
        sealgate_wire::tcap::emit_begin(id, None, &component, &mut message);
        let plain = frame(&outbound(), 5, &call.m3ua(&call.udt(&message)));
        let step = gateway.frame(1, &plain, NOW_MS);
        match oversize {
            Oversize::Unsigned => {
                assert_eq!(reasons(&step), [Reason::OkUnsignedAllowed]);
                assert_eq!(step.sent[0], [plain]);
                assert_eq!(gateway.worker.stats().events[Reason::ResSignFailed.index()], 1);
            }
            Oversize::Refuse => {
                assert_eq!(reasons(&step), [Reason::ResSignFailed]);
                assert_eq!(chunks_of(&step.sent[0][0])[0].3, m3ua::BEAT_ACK);
            }
        }
    }
}

#[test]
fn a_long_message_leaves_as_ludt_and_comes_back_as_udt() {
    let mut policy = policy();
    policy.peers[0].ludt = true;
    let mut gateway = Gateway::running(&policy);
    let mut call = Call::outbound(1);
    let mut argument = Vec::new();
    sealgate_wire::map::mt_forward_sm(
        &common::traffic::digits("001020000000001"),
        &common::traffic::digits("999010000001"),
        &[0x11; 120],
        &mut argument,
    );
    let (mut component, mut message) = (Vec::new(), Vec::new());
    sealgate_wire::tcap::emit_invoke(1, 44, &argument, &mut component);
    let id = sealgate_wire::tcap::Tid::new(&[1, 2, 3, 4]).expect("id");
    let context = [0x04, 0x00, 0x00, 0x01, 0x00, 0x19, 0x03];
    sealgate_wire::tcap::emit_begin(id, Some(&context), &component, &mut message);
    call.called = "999020000011";
    let plain = call.m3ua(&call.udt(&message));
    let step = gateway.frame(1, &frame(&outbound(), 5, &plain), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
    let left = chunks_of(&step.sent[0][0]).remove(0).3;
    let data = m3ua::Data::parse(m3ua::View::new(&left).expect("M3UA")).expect("DATA");
    let unitdata = sealgate_wire::sccp::Unitdata::parse(data.user).expect("SCCP");
    assert_eq!(unitdata.kind, sealgate_wire::sccp::Kind::Ludt);
    let signed = sealgate_wire::tcap::Message::parse(unitdata.data, Default::default()).expect("TCAP");
    let security = signed.components.last().expect("a component");
    let protection = sealgate_wire::sec::tcap1::parse(security.parameter).expect("security");
    assert_eq!(protection.header.flags & sealgate_wire::sec::FLAG_WAS_UDT, sealgate_wire::sec::FLAG_WAS_UDT);
}

#[test]
fn tags_come_from_the_handshake_and_strangers_are_refused() {
    let mut gateway = Gateway::running(&open_policy());
    handshake(&mut gateway, true);
    let good = frame(&inbound(), 50, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    assert_eq!(reasons(&gateway.frame(0, &good, NOW_MS)), [Reason::OkVerified]);
    let stranger = sealgate_wire::frame_builder::Path { vtag: 0xbad, ..inbound() };
    let step = gateway.frame(0, &frame(&stranger, 51, &Call::inbound(2).unsigned()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SctpVtag]);
    assert!(step.sent[1].is_empty());
}

#[test]
fn a_running_association_is_taken_over_after_a_restart() {
    let mut gateway = Gateway::running(&open_policy());
    let good = frame(&inbound(), 50, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    assert_eq!(reasons(&gateway.frame(0, &good, NOW_MS)), [Reason::OkVerified]);
    let mut sack = Vec::new();
    assert!(outbound().emit(1, |out| emit_sack(50, out), &mut sack));
    gateway.frame(1, &sack, NOW_MS);
    let stranger = sealgate_wire::frame_builder::Path { vtag: 0xbad, ..inbound() };
    let step = gateway.frame(0, &frame(&stranger, 51, &Call::inbound(2).unsigned()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SctpVtag]);
    assert_eq!(gateway.worker.stats().adopted, 1);
}

#[test]
fn a_new_association_forgets_the_old_ones_retransmissions() {
    let mut gateway = Gateway::running(&open_policy());
    handshake(&mut gateway, true);
    let plain = frame(&inbound(), 50, &Call::inbound(1).unsigned());
    assert_eq!(reasons(&gateway.frame(0, &plain, NOW_MS)), [Reason::SecMissing]);
    handshake(&mut gateway, true);
    gateway.frame(0, &plain, NOW_MS);
    assert_eq!((gateway.worker.stats().repeated, gateway.worker.stats().messages), (0, 2));
}

#[test]
fn our_address_from_outside_and_data_in_disguise_are_refused() {
    let mut gateway = Gateway::running(&policy());
    // HOME's own packet, sent in from interconnect.
    let spoofed = frame(&outbound(), 5, &Call::outbound(1).unsigned());
    assert_eq!(reasons(&gateway.frame(0, &spoofed, NOW_MS)), [Reason::L4PeerUnknown]);
    let mut hidden = Vec::new();
    let interleaved = |out: &mut Vec<u8>| assert!(emit_chunk(ChunkKind::I_DATA, 3, &[&[0; 32]], out));
    assert!(inbound().emit(1, interleaved, &mut hidden));
    let step = gateway.frame(0, &hidden, NOW_MS);
    assert_eq!((reasons(&step), step.sent[1].len()), (vec![Reason::SctpChunkType], 0));
}

#[test]
fn an_answer_needs_an_open_transaction_with_the_peer_that_was_asked() {
    let mut policy = policy();
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    let mut gateway = Gateway::new(&policy, WorkerConfig { journal: true, ..WorkerConfig::default() });
    let answer = |calling: &'static str, id: u32, tsn: u32| {
        let call = Call { calling, ..Call::inbound(id) };
        let mut end = Vec::new();
        let tid = sealgate_wire::tcap::Tid::new(&id.to_be_bytes()).expect("id");
        sealgate_wire::tcap::emit_end(tid, None, &[], &mut end);
        frame(&inbound(), tsn, &call.m3ua(&call.udt(&end)))
    };
    policy.peers.iter_mut().for_each(|peer| peer.mode = sealgate_config::model::Mode::Prefer);
    let mut gateway_prefer = Gateway::new(&policy, WorkerConfig { journal: true, ..WorkerConfig::default() });
    std::mem::swap(&mut gateway, &mut gateway_prefer);
    assert_eq!(reasons(&gateway.frame(0, &answer("999020000011", 9, 1), NOW_MS)), [Reason::TcapState]);
    let asked = frame(&outbound(), 5, &Call::outbound(9).unsigned());
    assert_eq!(reasons(&gateway.frame(1, &asked, NOW_MS)), [Reason::OkSignedEgress]);
    assert_eq!(reasons(&gateway.frame(0, &answer("999030000011", 9, 2), NOW_MS)), [Reason::DetResponseSpoof]);
    assert_eq!(reasons(&gateway.frame(0, &answer("999020000011", 9, 3), NOW_MS)), [Reason::OkUnsignedAllowed]);
    assert_eq!(reasons(&gateway.frame(0, &answer("999020000011", 9, 4), NOW_MS)), [Reason::TcapState], "closed");
}

#[test]
fn what_was_signed_before_our_start_is_refused_where_that_is_strict() {
    let config = |started_ms| WorkerConfig { journal: true, started_ms, ..WorkerConfig::default() };
    let before = frame(&inbound(), 1, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS - 2000));
    let mut gateway = Gateway::new(&policy(), config(NOW_MS - 1000));
    assert_eq!(reasons(&gateway.frame(0, &before, NOW_MS)), [Reason::SecTimePast]);
    let mut lenient = policy();
    lenient.defaults.cold_start = sealgate_config::model::ColdStart::Lenient;
    let mut gateway = Gateway::new(&lenient, config(NOW_MS - 1000));
    assert_eq!(reasons(&gateway.frame(0, &before, NOW_MS)), [Reason::OkVerified]);
}

#[test]
fn a_memory_that_was_handed_over_replaces_the_cold_start() {
    let started = |started_ms| WorkerConfig { journal: true, started_ms, ..WorkerConfig::default() };
    let call = |id: u32, seq, at_ms| frame(&inbound(), id, &Call::inbound(id).signed(&key("a-ec"), seq, at_ms));
    let (early, accepted, missed) = (call(1, 5, NOW_MS - 6000), call(2, 7, NOW_MS - 3000), call(3, 6, NOW_MS - 2000));
    let mut first = Gateway::new(&policy(), started(NOW_MS - 5000));
    assert_eq!(reasons(&first.frame(0, &early, NOW_MS - 4000)), [Reason::SecTimePast], "it began cold");
    assert_eq!(reasons(&first.frame(0, &accepted, NOW_MS - 2500)), [Reason::OkVerified]);
    let left = first.shared.export(NOW_MS - 5000, NOW_MS - 1500);

    let heir = |octets: &[u8], started_ms| {
        let octets = octets.to_vec();
        let import = move |shared: &mut sealgate_dataplane::pipeline::worker::Shared| {
            assert!(shared.import(&octets, started_ms).is_ok());
        };
        Gateway::with_memory(&policy(), started(started_ms), PoolConfig::default(), import)
    };
    let mut second = heir(&left, NOW_MS - 1000);
    assert_eq!(reasons(&second.frame(0, &accepted, NOW_MS)), [Reason::SecReplay], "accepted before the restart");
    assert_eq!(reasons(&second.frame(0, &missed, NOW_MS)), [Reason::OkVerified], "signed before it, and new");
    assert_eq!(reasons(&second.frame(0, &early, NOW_MS)), [Reason::SecTimePast], "not known to anybody");
    let left = second.shared.export(NOW_MS - 1000, NOW_MS);
    let mut third = heir(&left, NOW_MS);
    for (octets, want) in [(&early, Reason::SecTimePast), (&accepted, Reason::SecReplay), (&missed, Reason::SecReplay)]
    {
        assert_eq!(reasons(&third.frame(0, octets, NOW_MS)), [want], "and so on");
    }
}

/// A TCAP message in XUDT segments of this many octets each.
fn segments(call: &Call, tcap: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (called, calling) = call.addresses();
    let pieces: Vec<_> = tcap.chunks(size).collect();
    let segment = |(i, data): (usize, &&[u8])| {
        let segmentation = sealgate_wire::sccp::Segmentation {
            first: i == 0,
            in_sequence: false,
            remaining: (pieces.len() - 1 - i) as u8,
            local_ref: [1, 2, 3],
        };
        let mut out = Vec::new();
        let kind = sealgate_wire::sccp::Kind::Xudt;
        sealgate_wire::sccp::emit(kind, 0x81, Some(15), &called, &calling, data, Some(segmentation), None, &mut out)
            .expect("fits");
        call.m3ua(&out)
    };
    pieces.iter().enumerate().map(segment).collect()
}

#[test]
fn a_long_unsigned_message_needs_ludt_and_says_so_last() {
    for (ludt, mode, want) in [
        (true, sealgate_config::model::Mode::Prefer, Reason::OkUnsignedAllowed),
        (false, sealgate_config::model::Mode::Prefer, Reason::ResSignFailed),
        (false, sealgate_config::model::Mode::Require, Reason::SecMissing),
    ] {
        let mut policy = policy();
        (policy.peers[0].ludt, policy.peers[0].mode) = (ludt, mode);
        let mut gateway = Gateway::running(&policy);
        let call = Call::inbound(1);
        let mut argument = Vec::new();
        let imsi = common::traffic::digits("001010000000001");
        let centre = common::traffic::digits("999020000011");
        sealgate_wire::map::mt_forward_sm(&imsi, &centre, &[0x11; 250], &mut argument);
        let (mut component, mut message) = (Vec::new(), Vec::new());
        sealgate_wire::tcap::emit_invoke(1, 44, &argument, &mut component);
        let id = sealgate_wire::tcap::Tid::new(&[1, 2, 3, 4]).expect("id");
        let context = [0x04, 0x00, 0x00, 0x01, 0x00, 0x19, 0x03];
        sealgate_wire::tcap::emit_begin(id, Some(&context), &component, &mut message);
        let parts = segments(&call, &message, 200);
        let first = gateway.frame(0, &frame(&inbound(), 1, &parts[0]), NOW_MS);
        assert_eq!(chunks_of(&first.sent[1][0])[0].3, m3ua::BEAT_ACK, "a segment leaves as a no-op at once");
        let step = gateway.frame(0, &frame(&inbound(), 2, &parts[1]), NOW_MS);
        assert_eq!(reasons(&step), [want], "ludt {ludt}, {mode:?}");
        if ludt {
            let user = chunks_of(&step.sent[1][0]).remove(0).3;
            let data = m3ua::Data::parse(m3ua::View::new(&user).expect("M3UA")).expect("DATA");
            let unitdata = sealgate_wire::sccp::Unitdata::parse(data.user).expect("SCCP");
            assert_eq!((unitdata.kind, unitdata.class), (sealgate_wire::sccp::Kind::Ludt, 0x80));
            assert_eq!(unitdata.data, message);
        }
    }
}

#[test]
fn segments_that_stay_away_are_counted_once() {
    let mut gateway = Gateway::running(&policy());
    let parts = segments(&Call::inbound(1), &[0x62; 300], 200);
    gateway.frame(0, &frame(&inbound(), 1, &parts[0]), NOW_MS);
    gateway.turn(NOW_MS + 10_100);
    gateway.turn(NOW_MS + 20_200);
    assert_eq!(gateway.worker.stats().events[Reason::SccpReasmTimeout.index()], 1);
}
