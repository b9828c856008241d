//! SIP over UDP through a whole gateway: calls that leave signed, and what becomes of those that come in.

#[path = "sip/callers.rs"]
mod callers;
mod common;

use std::net::IpAddr;

use common::{Gateway, NOW_MS, Step, hex, key, policy, vectors};
use sealgate_config::model::{Attest, Ber, Mode, OnFail, Policy};
use sealgate_wire::sec::passport::{self, Compact, Identity, Scratch};
use sealgate_wire::sip::{Message, Start};
use sealgate_wire::{Reason, eth, ip, udp};

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// The first frame of a vector.
fn vector(id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let found = file["vectors"].as_array().expect("a list").iter().find(|vector| vector["id"] == id).expect("an id");
    hex(found["frames"][0]["frame_hex"].as_str().expect("a frame"))
}

/// What a frame carries, whose checksums hold.
fn payload(frame: &[u8]) -> Vec<u8> {
    let ethernet = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    udp::Datagram::parse(packet.source, packet.destination, packet.payload).expect("UDP").payload.to_vec()
}

/// A frame from neighbour to host, or the other way.
fn frame(outward: bool, payload: &[u8]) -> Vec<u8> {
    let (theirs, ours) = ([192, 0, 2, 30], [198, 51, 100, 30]);
    let (from, to) = if outward { (ours, theirs) } else { (theirs, ours) };
    let mut out = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    assert!(udp::emit((IpAddr::from(from), 5060), (IpAddr::from(to), 5060), payload, &mut out));
    assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + payload.len()));
    out
}

/// An INVITE.
fn invite(from: &str, to: &str, more: &str) -> Vec<u8> {
    format!(
        "INVITE sip:+{to}@far.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK7\r\nMax-Forwards: 70\r\n\
         From: <sip:+{from}@home.example>;tag=1\r\nTo: <sip:+{to}@far.example>\r\nCall-ID: 7@home\r\nCSeq: 1 INVITE\r\n\
         {more}Content-Length: 5\r\n\r\nv=0\r\n"
    )
    .into_bytes()
}

const OURS: &str = "999010000001";
const THEIRS: &str = "999020000011";

#[test]
fn a_call_of_ours_leaves_with_a_passport_that_holds() {
    let plain = invite(OURS, THEIRS, "");
    let step = Gateway::running(&policy()).frame(1, &frame(true, &plain), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
    let left = payload(&step.sent[0][0]);
    let message = Message::datagram(&left).expect("sound");
    let header = message.identities().next().expect("signed");
    let identity = Identity::parse(&header).expect("sound");
    let (calling, called) = (OURS.parse().expect("digits"), THEIRS.parse().expect("digits"));
    let mut scratch = Scratch::default();
    let read = identity.read(&Compact { orig: &calling, dest: &called, date: None }, &mut scratch).expect("sound");
    assert_eq!(read.names(&calling, &called), Ok(()));
    assert_eq!(read.attested(Attest::A), Ok(()));
    assert_eq!(passport::fresh(NOW_MS / 1000, read.claims.iat, None, 0), Ok(()));
    assert!(key("home-ec").public().verify(read.input, &identity.signature().expect("64 octets")));
    // Nothing else changed.
    let mut back = Vec::new();
    assert!(sealgate_wire::sip::rebuild(&message.view, false, |other| other.at == header.at, b"", &mut back));
    assert_eq!(back, plain);
}

#[test]
fn other_calls_leave_as_they_came() {
    let signed = "Identity: x.y.z;info=<https://a.example/c>;alg=ES256\r\n";
    let long = format!("Subject: {}\r\n", "x".repeat(1000));
    let mut again = invite(OURS, THEIRS, "");
    again.splice(..6, *b"OPTION");
    for (message, want, why) in [
        (invite(THEIRS, OURS, ""), Reason::OkUnsignedAllowed, "not our number"),
        (invite(OURS, "999030000011", ""), Reason::OkUnsignedAllowed, "B is not signed towards"),
        (invite(OURS, THEIRS, signed), Reason::OkUnsignedAllowed, "signed behind us"),
        (invite(OURS, THEIRS, &long), Reason::OkUnsignedAllowed, "no room in the packet"),
        (b"\r\n\r\n".to_vec(), Reason::OkNotSubject, "keeps the path open"),
        (b"OPTIONS broken".to_vec(), Reason::OkNotSubject, "not ours to refuse"),
        (b"SIP/2.0 200 OK\r\n\r\n".to_vec(), Reason::OkNotSubject, "a response"),
    ] {
        let step = Gateway::running(&policy()).frame(1, &frame(true, &message), NOW_MS);
        assert_eq!((reasons(&step), payload(&step.sent[0][0])), (vec![want], message), "{why}");
    }
}

fn rejecting() -> Policy {
    let mut policy = policy();
    policy.links.iter_mut().for_each(|link| link.sip.on_fail = OnFail::Reject);
    policy
}

#[test]
fn a_refused_call_is_answered_where_the_link_says_so() {
    for (id, status) in [("si-008", 428), ("si-010", 438), ("si-006", 403), ("si-022", 0)] {
        let forged = vector(id);
        let mut gateway = Gateway::running(&rejecting());
        let step = gateway.frame(0, &forged, NOW_MS);
        assert!(step.sent[1].is_empty(), "{id} came in");
        if status == 0 {
            assert!(step.sent[0].is_empty(), "{id}: what cannot be read gets no answer");
            continue;
        }
        let [answer] = &step.sent[0][..] else { panic!("{id}: {} answers", step.sent[0].len()) };
        assert_eq!((&answer[..6], &answer[6..12]), (&forged[6..12], &forged[..6]), "{id}: MAC addresses");
        let (octets, asked) = (payload(answer), payload(&forged));
        let (answer, asked) = (Message::datagram(&octets).expect("sound"), Message::datagram(&asked).expect("sound"));
        assert!(matches!(answer.view.start(), Start::Response { status: got, .. } if got == status), "{id}");
        assert_eq!((answer.call_id, answer.branch(), answer.cseq), (asked.call_id, asked.branch(), asked.cseq));
        assert!(answer.to.tag.is_some_and(|tag| tag.len() == 16));
        gateway.worker.publish();
        let (came, accounted) = gateway.worker.stats().frame_balance();
        assert_eq!(came, accounted, "{id}");
        // The same call again gets the same answer.
        assert_eq!(gateway.frame(0, &forged, NOW_MS + 500).sent[0], step.sent[0]);
    }
}

#[test]
fn the_ack_of_a_rejection_ends_here() {
    let ack = |tag: &str, method: &str| {
        format!(
            "{method} sip:+{OURS}@home.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK7\r\nMax-Forwards: 70\r\n\
             From: <sip:+{THEIRS}@far.example>;tag=1\r\nTo: <sip:+{OURS}@home.example>;tag={tag}\r\nCall-ID: 7@home\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    };
    let mut gateway = Gateway::running(&rejecting());
    let step = gateway.frame(0, &frame(false, &invite(THEIRS, OURS, "")), NOW_MS);
    assert_eq!(reasons(&step), [Reason::StirMissing]);
    let answer = payload(&step.sent[0][0]);
    let tag = Message::datagram(&answer).expect("sound").to.tag.expect("a tag");
    let tag = std::str::from_utf8(tag).expect("text");
    let step = gateway.frame(0, &frame(false, &ack(tag, "ACK")), NOW_MS);
    assert_eq!((reasons(&step), step.sent), (vec![Reason::OkAnswered], Default::default()));
    gateway.worker.publish();
    let (came, accounted) = gateway.worker.stats().frame_balance();
    assert_eq!(came, accounted);
    // Those of other servers, other requests, and where nothing is rejected.
    for (policy, message) in [
        (rejecting(), ack("7", "ACK")),
        (rejecting(), ack(&tag.to_uppercase(), "ACK")),
        (rejecting(), ack(tag, "BYE")),
        (policy(), ack(tag, "ACK")),
    ] {
        let step = Gateway::running(&policy).frame(0, &frame(false, &message), NOW_MS);
        assert_eq!((reasons(&step), payload(&step.sent[1][0])), (vec![Reason::OkNotSubject], message));
    }
}

#[test]
fn a_message_that_two_could_read_differently_leaves_in_one_form() {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| peer.mode = Mode::Ignore);
    let plain = invite(THEIRS, OURS, "");
    let trailing = [&plain[..], b"v=0\r\nGET"].concat();
    let folded = invite(THEIRS, OURS, "Subject : a\r\n  b\r\n");
    let joined = invite(THEIRS, OURS, "Subject: a b\r\n");
    for (ber, came, want) in [
        (Ber::Strict, &trailing, &plain),
        (Ber::Canonicalise, &trailing, &plain),
        (Ber::Strict, &folded, &folded),
        (Ber::Canonicalise, &folded, &joined),
    ] {
        policy.defaults.ber = ber;
        let step = Gateway::running(&policy).frame(0, &frame(false, came), NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkUnsignedAllowed]);
        assert_eq!(String::from_utf8_lossy(&payload(&step.sent[1][0])), String::from_utf8_lossy(want));
    }
}

#[test]
fn who_calls_from_where() {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| peer.mode = Mode::Ignore);
    policy.peers[1].links = vec!["dia-1".into()];
    for (message, want) in [
        (invite(OURS, THEIRS, ""), Reason::PolPeerUnknown),
        (invite("447700900123", OURS, ""), Reason::PolPeerUnknown),
        (invite("999030000011", OURS, ""), Reason::PolPeerUnknown), // B may not come in here
        (invite(THEIRS, "alice", ""), Reason::SipTnForm),
        (b"INVITE\r\n".to_vec(), Reason::SipSyntax),
    ] {
        let step = Gateway::running(&policy).frame(0, &frame(false, &message), NOW_MS);
        assert_eq!((reasons(&step), step.sent.iter().map(Vec::len).sum::<usize>()), (vec![want], 0));
    }
}

#[test]
fn datagrams_of_other_links_and_broken_ones_stay_out() {
    let mut gateway = Gateway::running(&policy());
    let good = frame(false, &invite(THEIRS, OURS, ""));
    let mut broken = good.clone();
    *broken.last_mut().expect("octets") ^= 1;
    assert_eq!(reasons(&gateway.frame(0, &broken, NOW_MS)), [Reason::L4Checksum]);
    let mut short = good.clone();
    short[14 + 20 + 5] ^= 1;
    assert_eq!(reasons(&gateway.frame(0, &short, NOW_MS)), [Reason::L4Length]);
    let mut policy = policy();
    policy.links.retain(|link| link.name != "sip-1");
    policy.links[1].remote = vec![[192, 0, 2, 30].into()];
    policy.links[1].local = vec![[198, 51, 100, 30].into()];
    assert_eq!(reasons(&Gateway::running(&policy).frame(0, &good, NOW_MS)), [Reason::L4PeerUnknown], "over Diameter's");
}

#[test]
fn what_a_peer_must_vouch_for() {
    let mut policy = policy();
    for (least, want) in [(Attest::A, Reason::OkVerified), (Attest::B, Reason::OkVerified)] {
        policy.peers[0].min_attest = least;
        assert_eq!(reasons(&Gateway::running(&policy).frame(0, &vector("si-001"), NOW_MS)), [want], "{least:?}");
    }
    // The compact form vouches for nothing.
    policy.peers[0].min_attest = Attest::C;
    assert_eq!(reasons(&Gateway::running(&policy).frame(0, &vector("si-002"), NOW_MS)), [Reason::OkVerified]);
    // A certificate that is not at hand: refused, or taken for unsigned by who prefers.
    policy.peers[0].mode = Mode::Prefer;
    assert_eq!(reasons(&Gateway::running(&policy).frame(0, &vector("si-014"), NOW_MS)), [Reason::OkUnknownSigner]);
    assert_eq!(reasons(&Gateway::running(&policy).frame(0, &vector("si-010"), NOW_MS)), [Reason::StirSig]);
}
