//! GTP through a whole gateway: who may say what of whom, and where it comes from.

mod common;
#[path = "gtp/tunnels.rs"]
mod tunnels;

use common::gtp::{A, B, ECHO, NOBODY, OURS, Said, control, frame, tunnelled, v1, v2};
use common::{Gateway, NOW_MS, Step, policy};
use sealgate_config::model::UnknownPeer;
use sealgate_wire::Reason;

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// A subscriber of ours, of A, of B and of nobody that we know.
const OUR_SUBSCRIBER: &str = "001010123456789";
const OF_A: &str = "001020123456789";
const OF_B: &str = "001030123456789";
const OF_NOBODY: &str = "262011234567890";

/// A subscriber of ours who is with A.
const ROAMER: Said<'static> = Said { imsi: OUR_SUBSCRIBER, network: 2, address: A };

/// What comes in, as a whole gateway judges it: it leaves as it came, or not at all.
fn judged(octets: &[u8]) -> (Reason, u16) {
    let mut gateway = Gateway::running(&policy());
    let step = gateway.frame(0, octets, NOW_MS);
    let [record] = &step.records[..] else { panic!("{:?}", reasons(&step)) };
    let left: Vec<_> = step.sent[1].iter().map(Vec::as_slice).collect();
    let want: &[&[u8]] = if record.reason.passes() { &[octets] } else { &[] };
    assert_eq!((left.as_slice(), step.sent[0].len()), (want, 0), "{:?}", record.reason);
    gateway.worker.publish();
    let (came, accounted) = gateway.worker.stats().frame_balance();
    assert_eq!(came, accounted);
    (record.reason, record.peer)
}

#[test]
fn a_peer_speaks_of_our_subscribers_and_its_own() {
    for (message, want, why) in [
        (v2(32, 0, &ROAMER.v2()), Reason::OkUnsignedAllowed, "our subscriber roams there"),
        (v1(16, 0, &ROAMER.v1()), Reason::OkUnsignedAllowed, "the same in version 1"),
        (ECHO.to_vec(), Reason::OkNotSubject, "nodes to each other"),
        (v1(1, 0, &[]), Reason::OkNotSubject, "the same in version 1"),
        (v1(27, 0, &[2, 0x62, 0x12, 0x10, 0x32, 0x54, 0x76, 0x98, 0xf0]), Reason::PolImsiGt, "of a third network"),
        (v2(32, 0, &Said { imsi: OF_A, ..ROAMER }.v2()), Reason::OkUnsignedAllowed, "its own"),
        (v2(32, 0, &Said { imsi: OF_B, ..ROAMER }.v2()), Reason::PolImsiGt, "of B, from A"),
        (v2(32, 0, &Said { imsi: OF_NOBODY, ..ROAMER }.v2()), Reason::PolImsiGt, "of nobody"),
        (v2(32, 0, &Said { imsi: "", ..ROAMER }.v2()), Reason::PolImsiGt, "a session without a subscriber"),
        (v1(16, 0, &Said { imsi: "", ..ROAMER }.v1()), Reason::PolImsiGt, "the same in version 1"),
        (v1(16, 9, &Said { imsi: "", ..ROAMER }.v1()), Reason::OkUnsignedAllowed, "another context of a session"),
        (v2(32, 0, &Said { network: 3, ..ROAMER }.v2()), Reason::PolVplmnRealm, "A says that B serves"),
        (v1(16, 0, &Said { network: 1, ..ROAMER }.v1()), Reason::PolVplmnRealm, "A says that we serve"),
        (v2(32, 0, &Said { address: B, ..ROAMER }.v2()), Reason::PolXlayerAddr, "answers to B"),
        (v1(16, 0, &Said { address: NOBODY, ..ROAMER }.v1()), Reason::PolXlayerAddr, "answers to nobody"),
        (v2(32, 0, &Said { address: [192, 0, 2, 97], ..ROAMER }.v2()), Reason::OkUnsignedAllowed, "another node of A"),
        (v2(130, 0, &ROAMER.v2()), Reason::GtpType, "contexts do not move over this link"),
        (v1(32, 0, &[]), Reason::GtpType, "nobody asks where a subscriber is"),
        (v1(255, 0, &[]), Reason::GtpInGtp, "user data"),
        (v2(32, 0, &[1, 0, 9, 0]), Reason::GtpIe, "cut"),
        (vec![0x2e, 1, 0, 4, 0, 0, 0, 0, 0, 7, 0, 0], Reason::GtpVersion, "GTP'"),
        (b"\0".to_vec(), Reason::GtpLength, "nothing"),
    ] {
        assert_eq!(judged(&control(A, &message)), (want, 1), "{why}");
    }
}

#[test]
fn our_own_subscriber_is_nobody_elses_to_page() {
    let mut body = vec![2];
    body.extend_from_slice(&ROAMER.v1()[1..9]);
    body.extend_from_slice(&[17, 0, 0, 0, 9]);
    assert_eq!(judged(&control(A, &v1(27, 0, &body))).0, Reason::PolHomeImsi);
    let of_a = Said { imsi: OF_A, ..ROAMER }.v1();
    body[1..9].copy_from_slice(&of_a[1..9]);
    assert_eq!(judged(&control(A, &v1(27, 0, &body))).0, Reason::OkUnsignedAllowed, "A's subscriber, who is with us");
}

#[test]
fn both_messages_of_a_datagram_are_judged() {
    let answer = |first: u8| {
        let mut out = v2(33, 9, &[2, 0, 2, 0, 16, 0]);
        out[0] |= 0x10;
        out.extend_from_slice(&v2(first, 9, &[73, 0, 1, 0, 5]));
        out
    };
    assert_eq!(judged(&control(A, &answer(95))).0, Reason::OkUnsignedAllowed);
    assert_eq!(judged(&control(A, &answer(101))).0, Reason::GtpType, "all connections of a set, behind an answer");
}

#[test]
fn addresses_and_ports_say_who_speaks() {
    let session = v2(32, 0, &ROAMER.v2());
    assert_eq!(judged(&control(NOBODY, &session)), (Reason::PolPeerUnknown, 0));
    assert_eq!(judged(&control([192, 0, 2, 129], &session)).0, Reason::L4PeerUnknown, "outside of the link");
    assert_eq!(judged(&control(B, &session)).0, Reason::PolVplmnRealm, "A's message from B");
    assert_eq!(judged(&control(B, &v1(1, 0, &[]))), (Reason::GtpType, 2), "B speaks version 2 alone");
    assert_eq!(judged(&control(B, &v2(36, 9, &[]))), (Reason::GtpType, 2), "and not all of it");
    assert_eq!(judged(&frame((A, 2123), (OURS, 40_000), &v2(33, 9, &[]))).0, Reason::OkUnsignedAllowed, "an answer");
    assert_eq!(judged(&frame((A, 40_000), (OURS, 2123), &session)).0, Reason::OkUnsignedAllowed, "from any port");
    assert_eq!(judged(&frame((A, 3386), (OURS, 3386), &session)).0, Reason::L4PeerUnknown, "GTP'");
    assert_eq!(
        judged(&frame((A, 2123), (OURS, 2152), &session)).0,
        Reason::GtpVersion,
        "on the port of the user plane"
    );
    let mut lenient = policy();
    lenient.defaults.unknown_peer = UnknownPeer::TreatAsDefault;
    let mut gateway = Gateway::running(&lenient);
    let strange = v2(36, 9, &[]);
    assert_eq!(reasons(&gateway.frame(0, &control(NOBODY, &strange), NOW_MS)), [Reason::OkUnsignedAllowed]);
    assert_eq!(reasons(&gateway.frame(0, &control(NOBODY, &session), NOW_MS)), [Reason::PolVplmnRealm]);
    let mut elsewhere = policy();
    elsewhere.peers[0].links = vec!["ss7-1".into()];
    assert_eq!(
        reasons(&Gateway::running(&elsewhere).frame(0, &control(A, &session), NOW_MS)),
        [Reason::PolPeerUnknown],
        "A may not come in here"
    );
}

#[test]
fn tunnels_pass_where_nobody_speaks_gtp_in_them() {
    for (port, want) in [(53, Reason::OkNotSubject), (2123, Reason::GtpInGtp), (2152, Reason::GtpInGtp)] {
        assert_eq!(judged(&frame((A, 2152), (OURS, 2152), &tunnelled(port))).0, want, "{port}");
        let out = frame((OURS, 2152), (A, 2152), &tunnelled(port));
        let step = Gateway::running(&policy()).frame(1, &out, NOW_MS);
        assert_eq!((reasons(&step), step.sent[0].len()), (vec![want], usize::from(want.passes())), "{port} outwards");
    }
    let mut closed = policy();
    closed.links.iter_mut().for_each(|link| link.gtp.user_plane = false);
    let mut gateway = Gateway::running(&closed);
    let packet = frame((A, 2152), (OURS, 2152), &tunnelled(53));
    assert_eq!(reasons(&gateway.frame(0, &packet, NOW_MS)), [Reason::L4PeerUnknown]);
    let packet = frame((OURS, 2152), (A, 2152), &tunnelled(53));
    assert_eq!(reasons(&gateway.frame(1, &packet, NOW_MS)), [Reason::L4PeerUnknown]);
}

#[test]
fn what_we_send_leaves_as_it_is() {
    for payload in [v2(32, 0, &ROAMER.v2()), v1(32, 0, &[]), b"broken".to_vec()] {
        let out = frame((OURS, 2123), (A, 2123), &payload);
        let step = Gateway::running(&policy()).frame(1, &out, NOW_MS);
        assert_eq!((reasons(&step), &step.sent[0]), (vec![Reason::OkNotSubject], &vec![out]));
        assert_eq!(step.records[0].peer, 1);
    }
    let step = Gateway::running(&policy()).frame(1, &frame((OURS, 1), (A, 1), b""), NOW_MS);
    assert_eq!(reasons(&step), [Reason::L4PeerUnknown]);
}
