//! Links of M2PA and SUA: numbers that stay whole, what passes between neighbours, what leaves signed and comes back.

use sealgate_config::model::{LinkKind, Oversize, Policy};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::addr::PointCode;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::Data;
use sealgate_wire::{Reason, m2pa, m3ua, sua};

use super::common::isup;
use super::common::sigtran::{BSN, around, message, ppid, turn};
use super::common::traffic::{Call, chunk, chunks_of, digits, inbound, outbound, packet};
use super::common::{Gateway, NOW_MS, Step, key, policy};
use super::{cut_over, handshake, open_policy, reasons, segments};

const KINDS: [LinkKind; 2] = [LinkKind::M2pa, LinkKind::Sua];

fn over(kind: LinkKind) -> Policy {
    let mut policy = policy();
    turn(&mut policy.links[0], kind);
    policy
}

/// A frame with one message of such a link.
fn frame(kind: LinkKind, path: &Path, tsn: u32, user: &[u8]) -> Vec<u8> {
    packet(path, &[Data { ppid: ppid(kind), ..chunk(tsn, user) }])
}

/// The message of M3UA in the other protocol, numbered by `tsn`.
fn said(kind: LinkKind, tsn: u32, user: &[u8]) -> Vec<u8> {
    message(kind, tsn, user).expect("can be said there")
}

/// The one message that left by a port.
fn left(step: &Step, port: usize) -> Vec<u8> {
    assert_eq!(step.sent[port].len(), 1);
    chunks_of(&step.sent[port][0]).remove(0).3
}

/// Numbers, priority and MSU of user data.
fn data(user: &[u8]) -> (u32, u32, u8, Vec<u8>) {
    let message = m2pa::Message::parse(user).expect("M2PA");
    let m2pa::Body::Data { priority, msu } = message.body else { panic!("{message:?}") };
    (message.fsn, message.bsn, priority, msu.to_vec())
}

/// What takes the place of a message of M2PA.
fn filler(user: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(m2pa::emit_filler(user, user.len(), &mut out));
    out
}

#[test]
fn a_refused_msu_keeps_its_number_and_goes_to_nobody() {
    let mut gateway = Gateway::running(&over(LinkKind::M2pa));
    let users: Vec<_> = (7..10).map(|fsn| said(LinkKind::M2pa, fsn, &Call::inbound(fsn).unsigned())).collect();
    let signed = said(LinkKind::M2pa, 10, &Call::inbound(9).signed(&key("a-ec"), 5, NOW_MS));
    let tsns = 100..;
    let chunks: Vec<_> = users.iter().chain([&signed]).zip(tsns).collect();
    let chunks: Vec<_> = chunks.iter().map(|(user, tsn)| Data { ppid: m2pa::PPID, ..chunk(*tsn, user) }).collect();
    let bundle = packet(&inbound(), &chunks);
    let step = gateway.frame(0, &bundle, NOW_MS);
    assert_eq!(reasons(&step)[..3], [Reason::SecMissing; 3]);
    assert_eq!(reasons(&step)[3], Reason::OkVerified);
    let came: Vec<_> = users.iter().chain([&signed]).collect();
    let sent = chunks_of(&step.sent[1][0]);
    for ((user, (tsn, _, _, left)), number) in came.iter().zip(&sent).zip(7..) {
        let (fsn, bsn, priority, msu) = data(left);
        assert_eq!((fsn, bsn, priority, *tsn), (number, BSN, 0x40, 93 + number));
        let (label, old) = (m2pa::Msu::parse(&msu).expect("a label"), data(user).3);
        let old = m2pa::Msu::parse(&old).expect("a label");
        assert_eq!((label.opc, label.dpc, label.ni, label.sls), (old.opc, old.dpc, old.ni, old.sls));
        match number {
            10 => assert_eq!(left, &said(LinkKind::M2pa, 10, &Call::inbound(9).unsigned()), "stripped"),
            _ => assert!(label.si == 0 && label.user.iter().all(|octet| *octet == 0) && left.len() == user.len()),
        }
    }
    // Sent again, the same octets.
    assert_eq!(gateway.frame(0, &bundle, NOW_MS + 30_000).sent, step.sent);
}

#[test]
fn what_neighbours_tell_each_other_passes_as_it_came() {
    let status = |octet: u8, filler: usize| {
        let mut out =
            vec![1, 0, 11, 2, 0, 0, 0, 20 + filler as u8, 0, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0, 0, 0, octet];
        out.resize(20 + filler, 0);
        out
    };
    let empty = vec![1, 0, 11, 1, 0, 0, 0, 16, 0, 0, 0, 9, 0, 0, 0, 8];
    let network = |si: u8| {
        let user = [0x11, 0x20, 1, 2];
        let label = m2pa::Msu { si, ni: 2, spare: 0, dpc: PointCode(9), opc: PointCode(8), sls: 1, user: &user };
        let mut msu = Vec::new();
        assert!(label.emit(&mut msu));
        around(3, &msu)
    };
    let between = [status(4, 0), status(9, 0), status(2, 40), empty, network(0), network(1), network(2)];
    let control = |class: u8, kind: u8| vec![1, 0, class, kind, 0, 0, 0, 8];
    let asp = [control(0, 0), control(2, 1), control(3, 1), control(4, 1), control(9, 1)];
    for (kind, users) in [(LinkKind::M2pa, &between[..]), (LinkKind::Sua, &asp)] {
        let mut gateway = Gateway::running(&over(kind));
        for (tsn, user) in (1..).zip(users) {
            for (port, path) in [(0, inbound()), (1, outbound())] {
                let came = frame(kind, &path, tsn, user);
                let step = gateway.frame(port, &came, NOW_MS);
                assert_eq!(reasons(&step), [Reason::OkNotSubject], "{user:02x?}");
                assert_eq!(step.sent[1 - port], [came]);
            }
        }
    }
    // And nothing else does: service indicators that the link does not have, connections, classes that nobody knows.
    let mut gateway = Gateway::running(&over(LinkKind::M2pa));
    for (tsn, si) in (1..).zip([4, 6, 7, 13, 15]) {
        let step = gateway.frame(0, &frame(LinkKind::M2pa, &inbound(), tsn, &network(si)), NOW_MS);
        assert_eq!((reasons(&step), left(&step, 1)), (vec![Reason::Mtp3Si], filler(&network(si))));
    }
    let mut gateway = Gateway::running(&over(LinkKind::Sua));
    for (tsn, (class, want)) in
        (1..).zip([(8, Reason::SccpType), (1, Reason::SuaForm), (5, Reason::SuaForm), (7, Reason::SuaForm)])
    {
        let step = gateway.frame(0, &frame(LinkKind::Sua, &inbound(), tsn, &control(class, 1)), NOW_MS);
        assert_eq!((reasons(&step), left(&step, 1)), (vec![want], m3ua::BEAT_ACK.to_vec()), "class {class}");
    }
}

#[test]
fn what_two_ends_could_read_differently_is_refused_and_its_number_kept() {
    let good = said(LinkKind::M2pa, 5, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    let changed = |at: usize, octet: u8| {
        let mut bad = good.clone();
        bad[at] = octet;
        bad
    };
    let msu = data(&good).3;
    let mut label_alone = around(5, &msu[..5]);
    let mut too_long = around(5, &[&msu[..], &[0; 273]].concat()[..273]);
    too_long.push(0);
    let len = too_long.len() as u32;
    too_long[4..8].copy_from_slice(&len.to_be_bytes());
    let numbered = [
        (changed(7, good[7] + 1), Reason::M2paForm, "longer than it is"),
        (changed(7, good[7] - 1), Reason::M2paForm, "shorter than it is"),
        (changed(4, 1), Reason::M2paForm, "16 MiB"),
        (changed(1, 1), Reason::M2paForm, "spare"),
        (too_long.clone(), Reason::M2paForm, "274 octets"),
        (around(5, &msu[..3]), Reason::M2paForm, "half a label"),
        (std::mem::take(&mut label_alone), Reason::M2paForm, "a label and nothing"),
        (changed(18, 0x21), Reason::Mtp3Dpc, "a destination that is not allowed"),
        (changed(20, 0xf4), Reason::Mtp3Opc, "an origin that is not allowed"),
        (changed(17, 0x83), Reason::Mtp3Ni, "a network that is not allowed"),
    ];
    for (user, want, why) in &numbered {
        let mut gateway = Gateway::running(&over(LinkKind::M2pa));
        let step = gateway.frame(0, &frame(LinkKind::M2pa, &inbound(), 1, user), NOW_MS);
        assert_eq!(reasons(&step), [*want], "{why}");
        let sent = left(&step, 1);
        assert_eq!(sent, filler(user), "{why}");
        let (fsn, bsn, ..) = if user.len() == too_long.len() { (5, BSN, 0, Vec::new()) } else { data(&sent) };
        assert_eq!((fsn, bsn, sent.len()), (5, BSN, user.len().max(m2pa::HEADER_LEN + 1 + m2pa::MIN_MSU)), "{why}");
    }
    // What nobody would take for a number has none to keep.
    for (user, why) in [
        (changed(0, 2), "version 2"),
        (changed(2, 1), "a class of others"),
        (changed(3, 3), "no such type"),
        (changed(8, 1), "25 bits"),
        (good[..16].to_vec(), "cut"),
        (good[..9].to_vec(), "cut in its header"),
    ] {
        let mut gateway = Gateway::running(&over(LinkKind::M2pa));
        let step = gateway.frame(0, &frame(LinkKind::M2pa, &inbound(), 1, &user), NOW_MS);
        assert_eq!((reasons(&step), left(&step, 1)), (vec![Reason::M2paForm], m3ua::BEAT_ACK.to_vec()), "{why}");
    }
}

#[test]
fn only_its_own_payload_protocol_is_let_in() {
    for kind in KINDS {
        let user = said(kind, 5, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
        for (tsn, ppid) in (1..).zip([0, 3, 4, 5, 46]) {
            let mut gateway = Gateway::running(&over(kind));
            let came = packet(&inbound(), &[Data { ppid, ..chunk(tsn, &user) }]);
            let step = gateway.frame(0, &came, NOW_MS);
            if ppid == super::common::sigtran::ppid(kind) {
                assert_eq!(reasons(&step), [Reason::OkVerified]);
                continue;
            }
            assert_eq!(reasons(&step), [Reason::SctpPpid], "{ppid}");
            let want = if kind == LinkKind::M2pa { filler(&user) } else { m3ua::BEAT_ACK.to_vec() };
            assert_eq!(left(&step, 1), want);
        }
    }
}

#[test]
fn a_message_in_chunks_keeps_its_number_whatever_becomes_of_it() {
    let call = Call::inbound(3);
    let cut = |user: &[u8]| cut_over(m2pa::PPID, 50, user, &[1, 18, 40, 0]);
    for (user, want, verdict) in [
        (call.signed(&key("a-ec"), 9, NOW_MS), Some(call.unsigned()), Reason::OkVerified),
        (call.unsigned(), None, Reason::SecMissing),
    ] {
        let user = said(LinkKind::M2pa, 6, &user);
        let want = want.map_or_else(|| filler(&user), |user| said(LinkKind::M2pa, 6, &user));
        let mut gateway = Gateway::running(&over(LinkKind::M2pa));
        let parts = cut(&user);
        for part in &parts[..3] {
            assert!(gateway.frame(0, part, NOW_MS).sent[1].is_empty());
        }
        let step = gateway.frame(0, &parts[3], NOW_MS);
        assert_eq!(reasons(&step), [verdict]);
        let left: Vec<_> = step.sent[1].iter().flat_map(|frame| chunks_of(frame)).collect();
        assert!(left.len() == 4 && left.iter().all(|part| !part.3.is_empty()));
        let whole: Vec<u8> = left.iter().flat_map(|part| part.3.clone()).collect();
        assert_eq!(whole, want);
        // Each part again, as it left.
        for (part, sent) in parts.iter().zip(&step.sent[1]) {
            assert_eq!(gateway.frame(0, part, NOW_MS).sent[1], std::slice::from_ref(sent));
        }
    }
    // A hole in the numbers would end the link: where others get a FORWARD TSN, the neighbour's stack sends it again.
    let mut policy = open_policy();
    turn(&mut policy.links[0], LinkKind::M2pa);
    let mut gateway = Gateway::running(&policy);
    handshake(&mut gateway, true);
    let parts = cut(&said(LinkKind::M2pa, 6, &call.signed(&key("a-ec"), 9, NOW_MS)));
    gateway.frame(0, &parts[0], NOW_MS);
    for i in 0..20 {
        assert!(gateway.turn(NOW_MS + 50 * i).sent[1].is_empty());
    }
    assert_eq!(gateway.worker.stats().events[Reason::SctpReasm.index()], 1);
    for part in &parts[..3] {
        assert!(gateway.frame(0, part, NOW_MS + 1000).sent[1].is_empty());
    }
    assert_eq!(reasons(&gateway.frame(0, &parts[3], NOW_MS + 1000)), [Reason::OkVerified]);
}

/// The gateway of operator A, as it sees HOME.
fn other_end(kind: LinkKind) -> Gateway {
    let mut policy = over(kind);
    let home = &mut policy.home;
    home.gt_prefixes.iter_mut().for_each(|prefix| prefix.digits = digits("99902"));
    (home.plmns, home.signing, home.tn_prefixes) = (vec![digits("00102")], None, vec![digits("99902")]);
    home.realms.clear();
    policy.stir.sign = None;
    let peer = &mut policy.peers[0];
    (peer.gt, peer.plmns, peer.sign) = (vec![digits("99901")], vec![digits("00102")], false);
    let link = &mut policy.links[0];
    std::mem::swap(&mut link.opcs, &mut link.dpcs);
    Gateway::running(&policy)
}

#[test]
fn what_leaves_signed_is_verified_at_the_other_end() {
    let call = isup::m3ua(&isup::iam(isup::OURS, (isup::THEIRS, 4)), true);
    for (kind, plain) in [
        (LinkKind::M2pa, Call::outbound(1).unsigned()),
        (LinkKind::Sua, Call::outbound(1).unsigned()),
        (LinkKind::M2pa, call),
    ] {
        let mut policy = over(kind);
        policy.links[0].isup.sign = kind == LinkKind::M2pa;
        let plain = said(kind, 77, &plain);
        let step = Gateway::running(&policy).frame(1, &frame(kind, &outbound(), 5, &plain), NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkSignedEgress], "{kind:?}");
        let signed = left(&step, 0);
        assert!(signed.len() > plain.len() + 64);
        if kind == LinkKind::M2pa {
            let (fsn, bsn, priority, _) = data(&signed);
            assert_eq!((fsn, bsn, priority), (77, BSN, 0x40));
        }
        let mut there = other_end(kind);
        let step = there.frame(0, &frame(kind, &inbound(), 9, &signed), NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkVerified], "{kind:?}");
        assert_eq!(left(&step, 1), plain, "as it was before");
        // One octet of the message changed on its way, or the same message again.
        let mut forged = signed.clone();
        let at = plain.len() / 2;
        forged[at] ^= 1;
        for (tsn, user) in [(10, &forged), (11, &signed)] {
            let step = there.frame(0, &frame(kind, &inbound(), tsn, user), NOW_MS);
            assert!(!reasons(&step)[0].passes(), "{:?}", reasons(&step));
        }
    }
}

/// A short message forwarded to a subscriber of A, with so many octets of text.
fn long(octets: usize, centre: &str) -> Vec<u8> {
    let (mut argument, mut component, mut message) = (Vec::new(), Vec::new(), Vec::new());
    sealgate_wire::map::mt_forward_sm(&digits("001020000000001"), &digits(centre), &vec![0x11; octets], &mut argument);
    sealgate_wire::tcap::emit_invoke(1, 44, &argument, &mut component);
    let id = sealgate_wire::tcap::Tid::new(&[1, 2, 3, 4]).expect("id");
    let context = [0x04, 0x00, 0x00, 0x01, 0x00, 0x19, 0x03];
    sealgate_wire::tcap::emit_begin(id, Some(&context), &component, &mut message);
    message
}

#[test]
fn an_msu_has_room_for_272_octets_and_no_more() {
    let long = |octets| long(octets, "999010000001");
    let call = Call::outbound(1);
    // Whatever a peer's links of M3UA may carry: neither 255 octets in a UDT nor an LUDT go through MTP level 2.
    for (octets, oversize, want) in [
        (40, Oversize::Refuse, Reason::OkSignedEgress),
        (90, Oversize::Unsigned, Reason::OkUnsignedAllowed),
        (90, Oversize::Refuse, Reason::ResSignFailed),
    ] {
        let mut policy = over(LinkKind::M2pa);
        let peer = &mut policy.peers[0];
        (peer.ludt, peer.m3ua_only, peer.oversize) = (true, true, oversize);
        let user = said(LinkKind::M2pa, 3, &call.m3ua(&call.udt(&long(octets))));
        let mut gateway = Gateway::running(&policy);
        let step = gateway.frame(1, &frame(LinkKind::M2pa, &outbound(), 5, &user), NOW_MS);
        assert_eq!(reasons(&step), [want], "{octets}");
        let sent = left(&step, 0);
        match want {
            Reason::OkUnsignedAllowed => assert_eq!(sent, user),
            Reason::ResSignFailed => assert_eq!(sent, filler(&user)),
            _ => assert!(data(&sent).3.len() <= m2pa::MAX_MSU),
        }
        assert_eq!(data(&sent).0, 3);
    }
    // Segments cannot become one MSU: they leave as they came, each of them. SUA carries the whole, signed.
    let parts = segments(&call, &long(200), 160);
    for kind in KINDS {
        let mut policy = over(kind);
        policy.peers[0].ludt = kind == LinkKind::M2pa;
        let mut gateway = Gateway::running(&policy);
        let users: Vec<_> = (1..).zip(&parts).map(|(tsn, part)| said(kind, tsn, part)).collect();
        let steps: Vec<_> = (1..)
            .zip(&users)
            .map(|(tsn, user)| gateway.frame(1, &frame(kind, &outbound(), tsn, user), NOW_MS))
            .collect();
        let verdicts: Vec<_> = steps.iter().map(|step| reasons(step)[0]).collect();
        if kind == LinkKind::M2pa {
            assert_eq!(verdicts, [Reason::OkUnsignedAllowed; 2]);
            assert!(steps.iter().zip(&users).all(|(step, user)| left(step, 0) == *user));
            continue;
        }
        assert_eq!(verdicts, [Reason::OkHeld, Reason::OkSignedEgress]);
        assert_eq!(left(&steps[0], 0), m3ua::BEAT_ACK);
        let whole = left(&steps[1], 0);
        let read = sua::View::new(&whole).and_then(sua::Connectionless::parse).expect("SUA");
        assert!(read.segment.is_none() && read.data.is_some_and(|data| data.len() > 300));
        let step = other_end(kind).frame(0, &frame(kind, &inbound(), 9, &whole), NOW_MS);
        assert_eq!(reasons(&step), [Reason::OkVerified]);
        let plain = left(&step, 1);
        let read = sua::View::new(&plain).and_then(sua::Connectionless::parse).expect("SUA");
        assert_eq!(read.data, Some(&long(200)[..]));
    }
}

#[test]
fn segments_from_outside_become_one_msu_or_none() {
    let mut policy = over(LinkKind::M2pa);
    (policy.peers[0].ludt, policy.peers[0].mode) = (true, sealgate_config::model::Mode::Prefer);
    let call = Call::inbound(1);
    let long = long(200, "999020000011");
    for (tcap, verdict) in [
        (call.signed_tcap(&key("a-ec"), 3, NOW_MS), Reason::OkVerified),
        (call.sign(&long, &key("a-ec"), 4, NOW_MS), Reason::ResSignFailed),
        (long, Reason::ResSignFailed),
    ] {
        let parts = segments(&call, &tcap, tcap.len().div_ceil(2));
        let mut gateway = Gateway::running(&policy);
        for (tsn, (part, want)) in (1..).zip(parts.iter().zip([Reason::OkHeld, verdict])) {
            let user = said(LinkKind::M2pa, tsn, part);
            let step = gateway.frame(0, &frame(LinkKind::M2pa, &inbound(), tsn, &user), NOW_MS);
            assert_eq!(reasons(&step), [want]);
            let sent = left(&step, 1);
            assert_eq!(data(&sent).0, tsn);
            assert_eq!(sent == filler(&user), want != Reason::OkVerified);
        }
    }
}

#[test]
fn an_address_of_sua_is_what_sccp_would_get() {
    let kind = LinkKind::Sua;
    let good = said(kind, 1, &Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS));
    let read = sua::View::new(&good).and_then(sua::Connectionless::parse).expect("sound");
    let (mut policy, mut tsn) = (over(kind), 0);
    (policy.links[0].opcs, policy.links[0].dpcs) = (vec![4128], vec![4112]);
    let mut gateway = Gateway::running(&policy);
    let mut verdict = |changed: sua::Connectionless<'_>| {
        let mut user = Vec::new();
        assert!(changed.emit(&mut user));
        tsn += 1;
        reasons(&gateway.frame(0, &frame(kind, &inbound(), tsn, &user), NOW_MS))[0]
    };
    let from = |source: sua::Address| sua::Connectionless { source, ..read };
    let to = |destination: sua::Address| sua::Connectionless { destination, ..read };
    let at = |code: u32| Some(PointCode(code));
    let (source, destination) = (read.source, read.destination);
    let subsystem = sua::Routing::Subsystem;
    for (message, want, why) in [
        (sua::Connectionless { routing_context: 2, ..read }, Reason::M3uaRc, "another routing context"),
        (from(sua::Address { point_code: at(4129), ..source }), Reason::Mtp3Opc, "another origin"),
        (to(sua::Address { point_code: at(4113), ..destination }), Reason::Mtp3Dpc, "another destination"),
        (from(sua::Address { includes: 1, ..source }), Reason::SccpCgpaMissing, "a title that SCCP does not get"),
        (
            from(sua::Address { routing: subsystem, title: None, includes: 1, ..source }),
            Reason::SccpCgpaMissing,
            "none",
        ),
        (to(sua::Address { includes: 1, ..destination }), Reason::SccpCdpaForeign, "none to go to"),
        (to(sua::Address { includes: 4, ..destination }), Reason::SccpSsn, "no subsystem"),
        (from(destination), Reason::SccpCgpaOwn, "one of ours from outside"),
        (to(source), Reason::SccpCdpaForeign, "to somebody else"),
        (
            sua::Connectionless { kind: sua::Kind::Response { cause: 0x101 }, ..read },
            Reason::SccpServiceUnsolicited,
            "one that we did not send",
        ),
        (from(sua::Address { point_code: at(4128), ..source }), Reason::OkVerified, "with its point code"),
        (read, Reason::SecReplay, "again"),
    ] {
        assert_eq!(verdict(message), want, "{why}");
    }
}

#[test]
fn what_is_ours_and_cannot_be_read_leaves_as_it_came() {
    let kind = LinkKind::Sua;
    let good = said(kind, 1, &Call::outbound(1).unsigned());
    let read = sua::View::new(&good).and_then(sua::Connectionless::parse).expect("sound");
    let national = read.source.title.map(|title| sua::Title { nature: 3, ..title });
    let mut other = Vec::new();
    assert!(sua::Connectionless { source: sua::Address { title: national, ..read.source }, ..read }.emit(&mut other));
    let mut twice = good.clone();
    twice.extend_from_slice(&[1, 1, 0, 8, 0, 0, 0, 1].repeat(2));
    twice[7] += 16;
    let connection = vec![1, 0, 8, 1, 0, 0, 0, 8];
    let mut cut = good.clone();
    cut[7] -= 4;
    for (user, inside, outside) in [
        (other, Reason::OkNotSubject, Reason::SccpGtForm),
        (twice, Reason::OkNotSubject, Reason::SuaForm),
        (connection, Reason::OkNotSubject, Reason::SccpType),
        (cut, Reason::SuaForm, Reason::SuaForm),
    ] {
        let mut gateway = Gateway::running(&over(kind));
        let step = gateway.frame(1, &frame(kind, &outbound(), 1, &user), NOW_MS);
        assert_eq!(reasons(&step), [inside]);
        assert_eq!(left(&step, 0) == user, inside.passes());
        let step = gateway.frame(0, &frame(kind, &inbound(), 1, &user), NOW_MS);
        assert_eq!(reasons(&step), [outside]);
    }
}

#[test]
fn ours_that_comes_back_in_sua_is_known_again() {
    let kind = LinkKind::Sua;
    let mut gateway = Gateway::new(&over(kind), WorkerConfig { journal: true, ..WorkerConfig::default() });
    let plain = said(kind, 1, &Call::outbound(1).unsigned());
    let step = gateway.frame(1, &frame(kind, &outbound(), 5, &plain), NOW_MS);
    let signed = left(&step, 0);
    let sent = sua::View::new(&signed).and_then(sua::Connectionless::parse).expect("SUA");
    let (source, destination) = (sent.destination, sent.source);
    let back = sua::Connectionless { kind: sua::Kind::Response { cause: 0x101 }, source, destination, ..sent };
    let mut user = Vec::new();
    assert!(back.emit(&mut user));
    let step = gateway.frame(0, &frame(kind, &inbound(), 9, &user), NOW_MS);
    assert!(reasons(&step)[0].passes(), "{:?}", reasons(&step));
    let mine = left(&step, 1);
    let got = sua::View::new(&mine).and_then(sua::Connectionless::parse).expect("SUA");
    let was = sua::View::new(&plain).and_then(sua::Connectionless::parse).expect("SUA");
    assert_eq!((got.data, got.kind), (was.data, back.kind), "without our signature");
}
