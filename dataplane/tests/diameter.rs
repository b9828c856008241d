//! Diameter over SCTP through a whole gateway: requests and their answers, both ways, and what attackers try.

mod common;

use common::diameter::{INSERT_DATA, PURGE, Said, UPDATE_LOCATION, chunk, frame, inbound, outbound, realm};
use common::traffic::{chunks_of, packet};
use common::{Gateway, NOW_MS, Step, key, policy};
use sealgate_config::model::{Ber, DessSameSecond, Mode, Oversize, Policy, Profile, UnknownPeer};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::diameter::{self, AvpId, Flags, WATCHDOG_ANSWER};
use sealgate_wire::sctp::Data;
use sealgate_wire::sec::dess::{Group, SystemTime};
use sealgate_wire::sec::{Sorter, dia0, dia1};
use sealgate_wire::{Reason, m3ua};

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// A policy under which answers need their request from the first moment on.
fn strict() -> Policy {
    let mut policy = policy();
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    policy
}

/// The messages that left by a port.
fn left(step: &Step, port: usize) -> Vec<Vec<u8>> {
    step.sent[port].iter().flat_map(|frame| chunks_of(frame)).map(|(.., user)| user).collect()
}

/// Whether a message carries a signature of HOME that holds, and is the plain one without it.
fn is_signed_by_home(octets: &[u8], plain: &[u8]) -> bool {
    let message = diameter::Message::parse(octets).expect("sound");
    let group = Group::read(&message.dess.expect("signed")).expect("a group");
    let found = dia1::parse(&group).expect("native");
    assert_eq!(found.claim.identity, realm(1).as_bytes());
    let (mut tbs, mut without) = (Vec::new(), Vec::new());
    dia1::write_tbs(&message.view, found.covered, group.parts(), &mut Sorter::new(), &mut tbs).expect("sound");
    assert!(diameter::rebuild(&message.view, |avp| Some(*avp) == message.dess, &[], &mut without));
    assert_eq!(without, plain);
    key("home-ec").public().verify(&tbs, found.claim.signature)
}

#[test]
fn a_request_of_ours_leaves_signed_and_its_answer_comes_in_once() {
    let mut gateway = Gateway::running(&strict());
    let ask = Said::request(UPDATE_LOCATION, 1, 2, 100);
    let step = gateway.frame(1, &frame(&outbound(), 1, &ask.plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
    assert!(is_signed_by_home(&left(&step, 0)[0], &ask.plain()));
    let answer = ask.answer();
    let step = gateway.frame(0, &frame(&inbound(), 1, &answer.signed(&key("a-ec"), 1, NOW_MS)), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkVerified]);
    assert_eq!(left(&step, 1), [answer.plain()]);
    // The request is answered: a second answer, freshly signed, has none.
    let step = gateway.frame(0, &frame(&inbound(), 2, &answer.signed(&key("a-ec"), 2, NOW_MS)), NOW_MS);
    assert_eq!(reasons(&step), [Reason::DiaState]);
    assert_eq!(left(&step, 1), [WATCHDOG_ANSWER.to_vec()]);
}

#[test]
fn the_unspecified_identifier_is_as_good_as_the_own_one_and_stays() {
    let ppids = |step: &Step, port: usize| {
        let identifier = |frame: &Vec<u8>| {
            let at = frame.len() - frame_of(frame).len();
            u32::from_be_bytes(frame[at + 24..at + 28].try_into().expect("four octets"))
        };
        step.sent[port].iter().map(identifier).collect::<Vec<_>>()
    };
    let mut gateway = Gateway::running(&strict());
    let ask = Said::request(UPDATE_LOCATION, 2, 1, 100).signed(&key("a-ec"), 1, NOW_MS);
    // What is rewritten, and what takes the place of a refused one, goes on under it; instead of one that is not good stands
    // the own one.
    for (tsn, ppid, want, left_as) in [
        (1, 0, Reason::OkVerified, 0),
        (2, 0, Reason::SecReplay, 0),
        (3, diameter::PPID_DTLS, Reason::SctpPpid, diameter::PPID),
    ] {
        let step = gateway.frame(0, &packet(&inbound(), &[Data { ppid, ..chunk(tsn, &ask) }]), NOW_MS);
        assert_eq!((reasons(&step), ppids(&step, 1)), (vec![want], vec![left_as]), "{ppid}");
    }
}

/// The SCTP packet of a frame of IPv4.
fn frame_of(frame: &[u8]) -> &[u8] {
    let ethernet = sealgate_wire::eth::Frame::parse(frame).expect("Ethernet");
    sealgate_wire::ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP").payload
}

#[test]
fn only_who_was_asked_answers_unless_it_is_an_error() {
    let mut policy = strict();
    policy.peers[1].mode = Mode::Ignore;
    let mut gateway = Gateway::running(&policy);
    let ask = Said::request(UPDATE_LOCATION, 1, 2, 100);
    gateway.frame(1, &frame(&outbound(), 1, &ask.plain()), NOW_MS);
    let mut other = Said { from: 3, ..ask.answer() };
    let step = gateway.frame(0, &frame(&inbound(), 1, &other.plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::DetResponseSpoof]);
    let wrong = diameter::Header { hop_by_hop: 101, ..other.header };
    let step = gateway.frame(0, &frame(&inbound(), 2, &Said { header: wrong, ..other.clone() }.plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::DiaState]);
    other.header.flags.0 |= Flags::ERROR.0;
    let step = gateway.frame(0, &frame(&inbound(), 3, &other.plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkUnsignedAllowed], "an agent's own");
}

#[test]
fn an_answer_of_ours_is_signed_for_who_asked() {
    let mut gateway = Gateway::running(&strict());
    let ask = Said::request(UPDATE_LOCATION, 2, 1, 100);
    let step = gateway.frame(0, &frame(&inbound(), 1, &ask.signed(&key("a-ec"), 1, NOW_MS)), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkVerified]);
    let answer = ask.answer().plain();
    let step = gateway.frame(1, &frame(&outbound(), 1, &answer), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
    assert!(is_signed_by_home(&left(&step, 0)[0], &answer));
    // B is not signed towards, and an answer to nobody is for nobody.
    let ask = Said::request(UPDATE_LOCATION, 3, 1, 200);
    gateway.frame(0, &frame(&inbound(), 2, &ask.plain()), NOW_MS);
    for (tsn, answer) in [(2, ask.answer()), (3, Said::request(UPDATE_LOCATION, 3, 1, 300).answer())] {
        let step = gateway.frame(1, &frame(&outbound(), tsn, &answer.plain()), NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkUnsignedAllowed]);
        assert_eq!(left(&step, 0), [answer.plain()]);
    }
}

#[test]
fn a_refused_request_opens_nothing() {
    let mut gateway = Gateway::running(&strict());
    let ask = Said::request(UPDATE_LOCATION, 2, 1, 100);
    let step = gateway.frame(0, &frame(&inbound(), 1, &ask.plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SecMissing]);
    let step = gateway.frame(1, &frame(&outbound(), 1, &ask.answer().plain()), NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkUnsignedAllowed], "nobody to sign for");
}

#[test]
fn what_neighbours_say_to_each_other_passes_both_ways() {
    let mut gateway = Gateway::running(&strict());
    for (i, command) in [257, 280, 282].into_iter().enumerate() {
        for flags in [Flags::REQUEST, Flags(0)] {
            let header = diameter::Header { flags, command, application: 0, hop_by_hop: 9, end_to_end: 9 };
            // Nobody that we know.
            let said = Said { header, from: 9, to: Some(8), imsi: "", more: Vec::new() }.plain();
            let tsn = 10 * i as u32 + u32::from(flags.0);
            let step = gateway.frame(0, &frame(&inbound(), tsn, &said), NOW_MS);
            assert_eq!((reasons(&step), left(&step, 1)), (vec![Reason::OkNotSubject], vec![said.clone()]));
            let step = gateway.frame(1, &frame(&outbound(), tsn, &said), NOW_MS);
            assert_eq!((reasons(&step), left(&step, 0)), (vec![Reason::OkNotSubject], vec![said]));
        }
    }
}

#[test]
fn a_message_is_of_its_link_and_no_other_protocol() {
    let mut gateway = Gateway::running(&policy());
    let said = Said::request(UPDATE_LOCATION, 3, 1, 1).plain();
    for (tsn, ppid) in [(1, m3ua::PPID), (2, diameter::PPID_DTLS), (3, diameter::PPID.swap_bytes())] {
        let octets = packet(&inbound(), &[Data { ppid, ..chunk(tsn, &said) }]);
        let step = gateway.frame(0, &octets, NOW_MS);
        assert_eq!(reasons(&step), [Reason::SctpPpid], "{ppid}");
        assert_eq!(left(&step, 1), [WATCHDOG_ANSWER.to_vec()]);
    }
    let octets = packet(&common::traffic::inbound(), &[chunk(1, &said)]);
    assert_eq!(reasons(&gateway.frame(0, &octets, NOW_MS)), [Reason::SctpPpid], "over an SS7 link");
}

/// From B, whose signature is not required.
fn screened(said: &Said) -> Reason {
    let step = Gateway::running(&policy()).frame(0, &frame(&inbound(), 1, &said.plain()), NOW_MS);
    reasons(&step)[0]
}

#[test]
fn who_speaks_of_whom_and_over_what_way() {
    let good = Said { imsi: "001030000000001", ..Said::request(INSERT_DATA, 3, 1, 1) };
    assert_eq!(screened(&good), Reason::OkUnsignedAllowed);
    let with = |more: Vec<(u32, Vec<u8>)>| Said { more, ..good.clone() };
    let record = |name: &str| (AvpId::ROUTE_RECORD.code(), name.as_bytes().to_vec());
    let many = (0..33).map(|i| record(&format!("agent{i}.ipx.example"))).collect();
    let home = format!("DRA.{}", realm(1));
    for (said, want, why) in [
        (Said { imsi: "001010000000001", ..good.clone() }, Reason::PolHomeImsi, "a subscriber of ours"),
        (Said { imsi: "001020000000001", ..good.clone() }, Reason::PolRealmImsi, "one of A"),
        (Said { imsi: "", ..good.clone() }, Reason::PolCat2, "nobody"),
        (Said { imsi: "alice", ..good.clone() }, Reason::PolCat2, "nobody that we can read"),
        (with(vec![record("a.ipx.example"), record("b.ipx.example")]), Reason::OkUnsignedAllowed, "two agents"),
        (with(vec![record("a.ipx.example"), record("A.ipx.Example")]), Reason::DiaRouteRecord, "a loop"),
        (with(vec![record(&home)]), Reason::DiaRouteRecord, "it was here"),
        (with(many), Reason::DiaRouteRecord, "a long way"),
        (Said { from: 1, ..good.clone() }, Reason::PolPeerUnknown, "our own realm from outside"),
        (Said { from: 7, ..good.clone() }, Reason::PolPeerUnknown, "a stranger"),
    ] {
        assert_eq!(screened(&said), want, "{why}");
    }
    // A number of a second subscriber, where an application may put one, is looked at too.
    let second = [(AvpId::new(0, 450), vec![0, 0, 0, 1]), (AvpId::new(0, 444), b"001010000000009".to_vec())];
    let mut group = Vec::new();
    second.iter().for_each(|(id, data)| assert!(diameter::emit_avp(*id, 0x40, data, &mut group)));
    assert_eq!(screened(&with(vec![(443, group)])), Reason::PolHomeImsi);
}

#[test]
fn our_realm_from_outside_stays_out_where_unknown_peers_may_speak() {
    let mut policy = policy();
    (policy.defaults.unknown_peer, policy.defaults.mode) = (UnknownPeer::TreatAsDefault, Mode::Ignore);
    let mut gateway = Gateway::running(&policy);
    for (tsn, from, want) in [(1, 1, Reason::PolPeerUnknown), (2, 7, Reason::OkUnsignedAllowed)] {
        let said = Said::request(PURGE, from, 1, 1).plain();
        assert_eq!(reasons(&gateway.frame(0, &frame(&inbound(), tsn, &said), NOW_MS)), [want]);
    }
}

#[test]
fn padding_that_nobody_looked_at_becomes_zero() {
    let mut policy = policy();
    policy.defaults.ber = Ber::Canonicalise;
    let clean = Said { more: vec![(25, vec![7; 2])], ..Said::request(UPDATE_LOCATION, 3, 1, 1) }.plain();
    let mut dirty = clean.clone();
    let end = dirty.len();
    dirty[end - 2..].copy_from_slice(b"xy");
    let step = Gateway::running(&policy).frame(0, &frame(&inbound(), 1, &dirty), NOW_MS);
    assert_eq!((reasons(&step), left(&step, 1)), (vec![Reason::OkUnsignedAllowed], vec![clean]));
}

/// A message cut into DATA chunks of this many octets, each in a packet of its own.
fn cut(path: &sealgate_wire::frame_builder::Path, user: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = user.len().div_ceil(size) - 1;
    let part = |(i, part)| {
        let data = Data { begin: i == 0, end: i == last, tsn: 100 + i as u32, ssn: 7, ..chunk(0, part) };
        packet(path, &[data])
    };
    user.chunks(size).enumerate().map(part).collect()
}

#[test]
fn a_message_in_several_chunks_is_judged_once_and_keeps_its_chunks() {
    let mut policy = policy();
    policy.links.iter_mut().for_each(|link| link.mtu = Some(1500));
    let long = Said { more: vec![(25, vec![7; 3000])], ..Said::request(UPDATE_LOCATION, 2, 1, 1) };
    let signed = long.signed(&key("a-ec"), 1, NOW_MS);
    for (octets, reason) in [(signed, Reason::OkVerified), (long.plain(), Reason::SecMissing)] {
        let mut gateway = Gateway::running(&policy);
        let mut got: Vec<Vec<u8>> = Vec::new();
        let mut verdicts = Vec::new();
        for frame in cut(&inbound(), &octets, 1300) {
            let step = gateway.frame(0, &frame, NOW_MS);
            verdicts.extend(reasons(&step));
            got.extend(left(&step, 1));
        }
        assert_eq!((verdicts, got.len()), (vec![reason], 3));
        assert!(got.iter().all(|part| !part.is_empty()));
        let whole = got.concat();
        match reason {
            Reason::OkVerified => assert_eq!(whole, long.plain()),
            _ => {
                // One answer that nobody waits for, as long as the message.
                let filler = diameter::Message::parse(&whole).expect("sound");
                assert_eq!((filler.header.command, whole.len()), (280, octets.len()));
            }
        }
    }
}

#[test]
fn a_signature_takes_its_room_in_all_chunks_of_a_long_message() {
    let mut policy = policy();
    policy.links.iter_mut().for_each(|link| link.mtu = Some(1500));
    policy.peers[0].oversize = Oversize::Refuse;
    let long = Said { more: vec![(25, vec![7; 3500])], ..Said::request(UPDATE_LOCATION, 1, 2, 1) };
    // 150 octets below the MTU, as operators set their hosts; then none, where the signature has no room.
    for (size, want) in [(1300, Reason::OkSignedEgress), (1452, Reason::ResSignFailed)] {
        let mut gateway = Gateway::running(&policy);
        let (mut got, mut verdicts) = (Vec::new(), Vec::new());
        for frame in cut(&outbound(), &long.plain(), size) {
            let step = gateway.frame(1, &frame, NOW_MS);
            verdicts.extend(reasons(&step));
            assert!(step.sent[0].iter().all(|frame| frame.len() <= 14 + 1500), "longer than the link carries");
            got.extend(left(&step, 0));
        }
        assert_eq!(verdicts, [want], "{size}");
        if want == Reason::OkSignedEgress {
            assert_eq!(got.len(), 3);
            assert!(is_signed_by_home(&got.concat(), &long.plain()));
        }
    }
}

#[test]
fn the_same_second_may_sign_twice_where_the_policy_lets_it() {
    let file = std::fs::read_to_string(common::vectors().join("diameter_dess.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
    let octets = common::hex(file["vectors"][0]["frames"][0]["frame_hex"].as_str().expect("a frame"));
    let user = chunks_of(&octets).remove(0).3;
    // Signed at the full second of NOW_MS.
    for (rule, wait_ms, want) in [
        (DessSameSecond::Drop, 10, Reason::SecReplay),
        (DessSameSecond::Allow, 10, Reason::OkVerified),
        (DessSameSecond::Allow, 1000, Reason::SecReplay),
    ] {
        let mut policy = policy();
        policy.defaults.dess_same_second = rule;
        let mut gateway = Gateway::running(&policy);
        assert_eq!(reasons(&gateway.frame(0, &frame(&inbound(), 1, &user), NOW_MS)), [Reason::OkVerified]);
        let again = gateway.frame(0, &frame(&inbound(), 2, &user), NOW_MS + wait_ms);
        assert_eq!(reasons(&again), [want], "{rule:?} after {wait_ms} ms");
    }
}

#[test]
fn dess_of_ours_leaves_with_a_signature_of_rsa_that_holds() {
    let mut policy = policy();
    policy.peers[0].sign_profile_diameter = Profile::SgDia0;
    let mut gateway = Gateway::signing_as(&policy, "c-rsa");
    let long = vec![(25, vec![7; 700])];
    for (tsn, said) in [
        Said::request(UPDATE_LOCATION, 1, 2, 1),
        Said::request(INSERT_DATA, 1, 2, 2),
        Said { more: long, ..Said::request(UPDATE_LOCATION, 1, 2, 3) },
    ]
    .into_iter()
    .enumerate()
    {
        let plain = said.plain();
        // Not a full second: the time in it is that of NTP, without a fraction.
        let step = gateway.frame(1, &frame(&outbound(), tsn as u32 + 1, &plain), NOW_MS + 250);
        assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
        let signed = left(&step, 0).remove(0);
        let message = diameter::Message::parse(&signed).expect("sound");
        let group = Group::read(&message.dess.expect("signed")).expect("a group");
        let claim = group.claim().expect("a claim");
        assert!(!group.is_native());
        assert_eq!(claim.identity, realm(1).as_bytes());
        assert_eq!(claim.time, SystemTime::from_unix_ms(NOW_MS));
        let (mut tbs, mut without) = (Vec::new(), Vec::new());
        dia0::write_tbs(&message.view, group.parts(), &mut Sorter::new(), &mut tbs).expect("sound");
        let public = key("c-rsa").public();
        assert!(public.verify(&tbs, claim.signature));
        *tbs.last_mut().expect("octets") ^= 1;
        assert!(!public.verify(&tbs, claim.signature));
        assert!(diameter::rebuild(&message.view, |avp| Some(*avp) == message.dess, &[], &mut without));
        assert_eq!(without, plain);
    }
    // To a peer of the native profile the same key signs in that.
    policy.peers[0].sign_profile_diameter = Profile::SgDia1;
    let said = Said::request(UPDATE_LOCATION, 1, 2, 1).plain();
    let step = Gateway::signing_as(&policy, "c-rsa").frame(1, &frame(&outbound(), 1, &said), NOW_MS);
    let signed = left(&step, 0).remove(0);
    let dess = diameter::Message::parse(&signed).expect("sound").dess.expect("signed");
    assert!(Group::read(&dess).expect("a group").is_native());
}

#[test]
fn dess_of_ours_needs_a_key_of_rsa() {
    let mut policy = policy();
    policy.peers[0].sign_profile_diameter = Profile::SgDia0;
    let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
    let mut gateway = Gateway::new(&policy, config);
    let said = Said::request(UPDATE_LOCATION, 1, 2, 1).plain();
    let step = gateway.frame(1, &frame(&outbound(), 1, &said), NOW_MS);
    assert_eq!((reasons(&step), left(&step, 0)), (vec![Reason::OkUnsignedAllowed], vec![said]));
}
