//! IP fragments, tags, labels and extension headers through a whole gateway.

mod common;

use std::net::{IpAddr, Ipv6Addr};

use common::cuts::{LINKS, behind, cut, whole};
use common::traffic::{Call, frame, inbound, outbound};
use common::{Gateway, NOW_MS, Step, hex, key, policy, vectors};
use sealgate_config::model::{IpFragments, LinkKind, OnFail, Policy};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::sip::{Message, Start};
use sealgate_wire::{Reason, eth, ip, udp};

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// The policy of the vectors, where every link reassembles, with this MTU.
fn reassembling(mtu: u16) -> Policy {
    let mut policy = policy();
    for link in &mut policy.links {
        (link.ip_fragments, link.mtu) = (IpFragments::Reassemble, Some(mtu));
    }
    policy
}

/// The first frame of a vector of calls over UDP.
fn invite(id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let found = file["vectors"].as_array().expect("a list").iter().find(|vector| vector["id"] == id).expect("an id");
    hex(found["frames"][0]["frame_hex"].as_str().expect("a frame"))
}

/// What becomes of these frames in one burst, with every frame accounted for.
fn through(gateway: &mut Gateway, port: usize, frames: &[Vec<u8>]) -> Step {
    let frames: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    let step = gateway.burst(port, &frames, NOW_MS);
    balanced(gateway);
    step
}

fn balanced(gateway: &mut Gateway) {
    gateway.worker.publish();
    let (frames, messages) = (gateway.worker.stats().frame_balance(), gateway.worker.stats().message_balance());
    assert_eq!((frames.0, messages.0), (frames.1, messages.1), "accounted for");
}

/// A frame whose IPv4 header says no identification and nothing of fragments.
fn anonymous(mut frame: Vec<u8>) -> Vec<u8> {
    let at = eth::Frame::parse(&frame).expect("Ethernet").header_len;
    if frame[at] >> 4 == 4 {
        frame[at + 4..at + 8].fill(0);
        let len = usize::from(u16::from_be_bytes([frame[at + 2], frame[at + 3]]));
        assert!(ip::set_lengths(&mut frame[at..], len - 20));
    }
    frame
}

#[test]
fn fragments_are_refused_where_nobody_asked_for_them() {
    let pieces = cut(&invite("si-001"), 576, 7);
    assert_eq!(pieces.len(), 2);
    let mut gateway = Gateway::running(&policy());
    let step = through(&mut gateway, 0, &pieces);
    assert_eq!(reasons(&step), [Reason::IpFragment; 2]);
    assert!(step.sent.iter().all(Vec::is_empty));
    assert!(step.records.iter().all(|record| record.link.is_some() && record.tsn.is_none()), "their link is known");
    assert_eq!(gateway.worker.stats().frames_dropped[Reason::IpFragment.index()], 2);
}

#[test]
fn a_call_in_fragments_is_judged_as_the_one_it_is() {
    for (id, want) in [
        ("si-001", Reason::OkVerified),
        ("si-003", Reason::StirOrig),
        ("si-008", Reason::StirMissing),
        ("si-010", Reason::StirSig),
    ] {
        for link in LINKS {
            let plain = behind(&invite(id), link);
            let passed = Gateway::running(&reassembling(1500)).frame(0, &plain, NOW_MS);
            assert_eq!(reasons(&passed), [want], "{id} behind {link:02x?}");
            for (size, mtu) in [(576, 1500), (576, 576), (300, 576), (400, 300)] {
                let pieces = cut(&plain, size, 7);
                let mut gateway = Gateway::running(&reassembling(mtu));
                let step = through(&mut gateway, 0, &pieces);
                let mut wanted = vec![Reason::OkHeld; pieces.len() - 1];
                wanted.push(want);
                assert_eq!(reasons(&step), wanted, "{id} cut at {size}, behind {link:02x?}");
                assert_eq!(gateway.worker.stats().joined, pieces.len() as u64 - 1);
                assert_eq!(step.sent[1].is_empty(), !want.passes());
                if want.passes() {
                    // One packet where it fits, else fragments that are that packet.
                    let one = &passed.sent[1][0];
                    let fits = one.len() - eth::Frame::parse(one).expect("Ethernet").header_len <= usize::from(mtu);
                    let left = if fits { step.sent[1][0].clone() } else { whole(&step.sent[1], mtu.into()) };
                    assert_eq!(step.sent[1].len() == 1, fits, "MTU {mtu}");
                    assert_eq!(anonymous(left), anonymous(one.clone()), "{id} cut at {size}, MTU {mtu}");
                }
            }
        }
    }
}

#[test]
fn fragments_come_in_any_order_and_more_than_once() {
    let plain = invite("si-001");
    let pieces = cut(&plain, 300, 7);
    for turn in 0..pieces.len() {
        let mut mixed = pieces.clone();
        mixed.rotate_left(turn);
        mixed.insert(1, mixed[0].clone());
        let mut gateway = Gateway::running(&reassembling(1500));
        let step = through(&mut gateway, 0, &mixed);
        assert_eq!(reasons(&step).last(), Some(&Reason::OkVerified), "from {turn}");
        assert_eq!(step.sent[1].len(), 1);
    }
    // Two calls at a time, their fragments between each other.
    let other = cut(&invite("si-009"), 300, 8);
    let mixed: Vec<_> = pieces.iter().zip(&other).flat_map(|(one, two)| [one.clone(), two.clone()]).collect();
    let rest: Vec<_> = pieces.iter().skip(other.len()).chain(other.iter().skip(pieces.len())).cloned().collect();
    let step = through(&mut Gateway::running(&reassembling(1500)), 0, &[mixed, rest].concat());
    let passed = reasons(&step).into_iter().filter(|reason| *reason != Reason::OkHeld).count();
    assert_eq!((passed, step.sent[1].len()), (2, 2));
}

#[test]
fn what_two_hosts_could_put_together_in_two_ways_goes_nowhere() {
    // A sound call whose first fragment comes a second time with another number in it.
    let plain = invite("si-001");
    let pieces = cut(&plain, 576, 7);
    let mut forged = pieces[0].clone();
    let at = forged.windows(7).position(|octets| octets == b"INVITE ").expect("a call") + 12;
    forged[at] ^= 1;
    let mut gateway = Gateway::running(&reassembling(1500));
    let step = through(&mut gateway, 0, &[pieces[0].clone(), forged, pieces[1].clone(), pieces[0].clone()]);
    let refused = Reason::IpFragment;
    assert_eq!(reasons(&step), [Reason::OkHeld, refused, refused, refused]);
    assert!(step.sent.iter().all(Vec::is_empty));
    // An overlap that the second fragment could win.
    let shifted = cut(&plain, 308, 9);
    let mut other = cut(&plain, 300, 9);
    other.remove(0);
    let step = through(&mut Gateway::running(&reassembling(1500)), 0, &[vec![shifted[0].clone()], other].concat());
    assert_eq!(reasons(&step).into_iter().filter(|reason| *reason == refused).count(), step.records.len() - 1);
    assert!(step.sent.iter().all(Vec::is_empty));
}

#[test]
fn what_lacks_a_fragment_is_given_up_and_counted() {
    let pieces = cut(&invite("si-001"), 576, 7);
    let mut gateway = Gateway::running(&reassembling(1500));
    assert_eq!(reasons(&gateway.frame(0, &pieces[0], NOW_MS)), [Reason::OkHeld]);
    gateway.turn(NOW_MS + 2000);
    assert_eq!(gateway.worker.stats().events[Reason::IpFragment.index()], 0);
    gateway.turn(NOW_MS + 2020);
    assert_eq!(gateway.worker.stats().events[Reason::IpFragment.index()], 1);
    let late = gateway.frame(0, &pieces[1], NOW_MS + 2020);
    assert_eq!(reasons(&late), [Reason::OkHeld], "the rest of nothing");
    balanced(&mut gateway);
}

#[test]
fn a_call_longer_than_any_buffer_is_refused() {
    let long = |octets: usize| {
        let plain = invite("si-009");
        let mut user = plain[42..].to_vec();
        let at = user.windows(8).position(|octets| octets == b"Call-ID:").expect("a header");
        user.splice(at..at, format!("Subject: {}\r\n", "x".repeat(octets)).into_bytes());
        let mut out = plain[..34].to_vec();
        let (from, to) = (IpAddr::from([192, 0, 2, 30]), IpAddr::from([198, 51, 100, 30]));
        assert!(udp::emit((from, 5060), (to, 5060), &user, &mut out));
        assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + user.len()));
        out
    };
    let policy = reassembling(1500);
    for (octets, want) in [(1400, Reason::OkUnsignedAllowed), (1600, Reason::IpFragment)] {
        let mut gateway = Gateway::running(&policy);
        let pieces = cut(&long(octets), 1500, 7);
        let step = through(&mut gateway, 0, &pieces);
        assert_eq!(reasons(&step).last(), Some(&want), "{octets} more");
        if want.passes() {
            assert_eq!(step.sent[1], pieces, "in the cuts that it came in");
        } else {
            assert!(step.sent[1].is_empty());
        }
    }
}

#[test]
fn messages_over_sctp_in_fragments_are_judged_and_rewritten() {
    for mtu in [1500, 200] {
        let mut gateway = Gateway::running(&reassembling(mtu));
        let good = frame(&inbound(), 1, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
        let bare = frame(&inbound(), 2, &Call::inbound(2).unsigned());
        for (plain, want, id) in [(&good, Reason::OkVerified, 1), (&bare, Reason::SecMissing, 2)] {
            let pieces = cut(plain, 120, id);
            assert!(pieces.len() > 1);
            let step = through(&mut gateway, 0, &pieces);
            assert_eq!(reasons(&step).last(), Some(&want));
            let one = &Gateway::running(&reassembling(1500)).frame(0, plain, NOW_MS).sent[1][0];
            let fits = step.sent[1].len() == 1;
            let left = if fits { step.sent[1][0].clone() } else { whole(&step.sent[1], mtu.into()) };
            // Padding of a short frame is no part of it.
            let left = anonymous(left);
            assert_eq!(left, anonymous(one.clone())[..left.len()], "MTU {mtu}");
        }
    }
    // The other way as well.
    let mut gateway = Gateway::running(&reassembling(1500));
    let plain = frame(&outbound(), 1, &Call::outbound(1).unsigned());
    let step = through(&mut gateway, 1, &cut(&plain, 120, 3));
    assert_eq!(reasons(&step).last(), Some(&Reason::OkSignedEgress));
}

#[test]
fn a_fragment_of_strangers_or_on_the_wrong_side_is_refused() {
    let pieces = cut(&invite("si-001"), 576, 7);
    let mut gateway = Gateway::running(&reassembling(1500));
    let step = through(&mut gateway, 1, &pieces);
    assert_eq!(reasons(&step), [Reason::L4PeerUnknown; 2], "their address from within");
    let mut strange = pieces.clone();
    for piece in &mut strange {
        piece[29] ^= 1;
        let len = usize::from(u16::from_be_bytes([piece[16], piece[17]]));
        assert!(ip::set_lengths(&mut piece[14..], len - 20));
    }
    assert_eq!(reasons(&through(&mut gateway, 0, &strange)), [Reason::L4PeerUnknown; 2]);
}

#[test]
fn a_pool_that_runs_dry_loses_frames_and_no_count() {
    let mut gateway = Gateway::running(&reassembling(300));
    let pieces = cut(&invite("si-001"), 576, 7);
    let mut taken = Vec::new();
    // What is left in the pool is what comes in, and one more.
    assert_eq!(reasons(&gateway.frame(0, &pieces[0], NOW_MS)), [Reason::OkHeld]);
    while let Some(frame) = sealgate_dataplane::io::FrameIo::alloc(gateway.worker.port_mut(0).expect("port")) {
        taken.push(frame);
    }
    drop(taken.split_off(taken.len() - 2));
    let step = gateway.frame(0, &pieces[1], NOW_MS);
    assert_eq!((reasons(&step), step.sent[1].len()), (vec![Reason::OkVerified], 1));
    assert_eq!(gateway.worker.stats().frames_dropped[Reason::ResMempool.index()], 1);
    balanced(&mut gateway);
    drop(taken);
}

/// A link of calls between two hosts of IPv6.
fn over_v6(mtu: u16) -> (Policy, IpAddr, IpAddr) {
    let mut policy = reassembling(mtu);
    let (theirs, ours): (Ipv6Addr, Ipv6Addr) =
        ("2001:db8::30".parse().expect("v6"), "2001:db8:1::30".parse().expect("v6"));
    let link = policy.links.iter_mut().find(|link| link.kind == LinkKind::Sip).expect("a link");
    (link.remote, link.local) = (vec![theirs.into()], vec![ours.into()]);
    (policy, theirs.into(), ours.into())
}

/// The call of a vector over IPv6, behind these extension headers, the first of which is `next`.
fn invite_v6(id: &str, next: u8, headers: &[u8], (from, to): (IpAddr, IpAddr)) -> Vec<u8> {
    let plain = invite(id);
    let mut out = plain[..12].to_vec();
    out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, 64]);
    for address in [from, to] {
        let IpAddr::V6(address) = address else { panic!("v6") };
        out.extend_from_slice(&address.octets());
    }
    out.extend_from_slice(headers);
    assert!(udp::emit((from, 5060), (to, 5060), &plain[42..], &mut out));
    let len = (out.len() - 54) as u16;
    out[18..20].copy_from_slice(&len.to_be_bytes());
    out
}

#[test]
fn extension_headers_that_hosts_skip_are_kept_and_others_refused() {
    let (policy, theirs, ours) = over_v6(1500);
    const UDP: u8 = udp::PROTOCOL;
    for (next, headers, want) in [
        (UDP, &[][..], Reason::OkVerified),
        (0, &[UDP, 0, 5, 2, 0, 0, 1, 0], Reason::OkVerified),
        (60, &[UDP, 0, 1, 4, 0, 0, 0, 0], Reason::OkVerified),
        (0, &[60, 0, 5, 2, 0, 0, 1, 0, UDP, 0, 1, 4, 0, 0, 0, 0], Reason::OkVerified),
        (60, &[UDP, 0, 0xc2, 4, 0, 1, 0, 0], Reason::IpOptions),
        (43, &[UDP, 0, 4, 0, 0, 0, 0, 0], Reason::IpOptions),
        (0, &[0, 0, 1, 4, 0, 0, 0, 0, UDP, 0, 1, 4, 0, 0, 0, 0], Reason::IpOptions),
        (51, &[UDP, 4, 0, 0, 0, 0, 0, 0], Reason::L4PeerUnknown),
    ] {
        let plain = invite_v6("si-001", next, headers, (theirs, ours));
        let mut gateway = Gateway::running(&policy);
        let step = through(&mut gateway, 0, std::slice::from_ref(&plain));
        assert_eq!(reasons(&step), [want], "{next} {headers:02x?}");
        if want != Reason::OkVerified {
            assert!(step.sent[1].is_empty());
            continue;
        }
        let left = &step.sent[1][0];
        assert_eq!(left[20..54 + headers.len()], plain[20..54 + headers.len()], "kept");
        let packet = ip::Packet::parse(eth::IPV6, &left[14..]).expect("IP").expect("IP");
        assert!(udp::Datagram::parse(theirs, ours, packet.payload).is_ok());
        for mtu in [1500, 600] {
            let (policy, ..) = over_v6(mtu);
            let mut gateway = Gateway::running(&policy);
            let step = through(&mut gateway, 0, &cut(&plain, 500, 0xfeed_beef));
            assert_eq!(reasons(&step).last(), Some(&want));
            let fits = step.sent[1].len() == 1;
            let again = if fits { step.sent[1][0].clone() } else { whole(&step.sent[1], mtu.into()) };
            assert_eq!((&again, fits), (left, mtu == 1500), "{next} {headers:02x?}");
        }
    }
    // A fragment that is all of its packet belongs to no other (RFC 6946).
    let plain = invite_v6("si-001", UDP, &[], (theirs, ours));
    let mut gateway = Gateway::running(&policy);
    let atomic = cut(&plain, 1500, 7);
    assert_eq!(atomic.len(), 1);
    let piece = cut(&plain, 600, 7).remove(0);
    let step = through(&mut gateway, 0, &[piece, atomic[0].clone()]);
    assert_eq!(reasons(&step), [Reason::OkHeld, Reason::OkVerified]);
}

#[test]
fn a_rejection_goes_back_behind_the_same_tags_and_labels() {
    let mut policy = reassembling(1500);
    policy.links.iter_mut().for_each(|link| link.sip.on_fail = OnFail::Reject);
    for link in LINKS {
        let plain = behind(&invite("si-008"), link);
        for frames in [vec![plain.clone()], cut(&plain, 300, 7)] {
            let step = through(&mut Gateway::running(&policy), 0, &frames);
            assert_eq!(reasons(&step).last(), Some(&Reason::StirMissing));
            let back = &step.sent[0][0];
            assert_eq!((&back[..6], &back[6..12], &back[12..12 + link.len()]), (&plain[6..12], &plain[..6], *link));
            let ethernet = eth::Frame::parse(back).expect("Ethernet");
            let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
            let datagram = udp::Datagram::parse(packet.source, packet.destination, packet.payload).expect("UDP");
            let response = Message::datagram(datagram.payload).expect("SIP");
            assert!(matches!(response.view.start(), Start::Response { status: 428, .. }));
        }
    }
}

#[test]
fn messages_behind_tags_and_labels_are_rewritten_behind_them() {
    let good = frame(&inbound(), 1, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    let bare = frame(&inbound(), 2, &Call::inbound(2).unsigned());
    let config = || WorkerConfig { journal: true, ..WorkerConfig::default() };
    for (plain, want) in [(&good, Reason::OkVerified), (&bare, Reason::SecMissing)] {
        let one = Gateway::new(&policy(), config()).frame(0, plain, NOW_MS).sent[1][0].clone();
        for link in LINKS {
            let step = through(&mut Gateway::new(&policy(), config()), 0, &[behind(plain, link)]);
            assert_eq!(reasons(&step), [want]);
            let left = &step.sent[1][0];
            let wanted = behind(&one, link);
            assert_eq!(left[..], wanted[..left.len()], "behind {link:02x?}");
            assert!(wanted[left.len()..].iter().all(|octet| *octet == 0), "nothing but padding is missing");
        }
    }
}
