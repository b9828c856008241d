//! The codec field by field, check by check, and over any octets.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// An Update-Location-Request of S6a.
fn ulr() -> Vec<u8> {
    let header =
        Header { flags: Flags(0xc0), command: 316, application: 16_777_251, hop_by_hop: 0x1001, end_to_end: 0x2002 };
    let tgpp = |code| AvpId::new(AvpId::TGPP, code);
    let vendor_application = {
        let mut group = Vec::new();
        emit_avp(AvpId::new(0, 266), FLAG_MANDATORY, &10415_u32.to_be_bytes(), &mut group);
        emit_avp(AvpId::new(0, 258), FLAG_MANDATORY, &16_777_251_u32.to_be_bytes(), &mut group);
        group
    };
    let avps: [(AvpId, &[u8]); 10] = [
        (AvpId::SESSION_ID, b"mme1.a.example;1;2"),
        (AvpId::new(0, 260), &vendor_application),
        (AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1]),
        (AvpId::ORIGIN_HOST, b"mme1.a.example"),
        (AvpId::ORIGIN_REALM, b"a.example"),
        (AvpId::DESTINATION_HOST, b"hss1.b.example"),
        (AvpId::DESTINATION_REALM, b"b.example"),
        (AvpId::USER_NAME, b"001010123456789"),
        (tgpp(1405), &[0, 0, 0, 2]),
        (AvpId::VISITED_PLMN_ID, &[0x00, 0xf1, 0x20]),
    ];
    message(&header, &avps)
}

fn message(header: &Header, avps: &[(AvpId, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = begin(header, &mut out);
    for (id, data) in avps {
        assert!(emit_avp(*id, FLAG_MANDATORY, data, &mut out));
    }
    assert!(finish(start, &mut out));
    out
}

/// Where the AVP of this name begins.
fn place(message: &[u8], id: AvpId) -> usize {
    let view = View::new(message).expect("sound");
    view.avps().flatten().find(|avp| avp.id == id).expect("there").at
}

#[test]
fn a_message_reads_field_by_field() -> Result<(), Refusal> {
    let octets = ulr();
    let message = Message::parse(&octets)?;
    assert!(message.header.is_request() && !message.header.is_hop_local());
    assert_eq!((message.header.command, message.header.application), (316, 16_777_251));
    assert_eq!((message.header.hop_by_hop, message.header.end_to_end), (0x1001, 0x2002));
    assert_eq!(message.session_id, Some(&b"mme1.a.example;1;2"[..]));
    assert_eq!(message.origin_host, Some(&b"mme1.a.example"[..]));
    assert_eq!(message.origin_realm, Some(&b"a.example"[..]));
    assert_eq!(message.destination_host, Some(&b"hss1.b.example"[..]));
    assert_eq!(message.destination_realm, Some(&b"b.example"[..]));
    assert_eq!(message.user_name, Some(&b"001010123456789"[..]));
    assert_eq!((message.auth_session_state, message.result_code), (Some(1), None));
    assert_eq!(message.visited_plmn, Some(&[0x00, 0xf1, 0x20][..]));
    assert!(message.canonical && message.dess.is_none());
    Ok(())
}

#[test]
fn each_check_is_earned_by_one_octet() {
    let good = ulr();
    let host = place(&good, AvpId::ORIGIN_HOST);
    let group = place(&good, AvpId::new(0, 260));
    let state = place(&good, AvpId::AUTH_SESSION_STATE);
    for (at, octet, want) in [
        (0, 2, Reason::DiaVersion.at(0)),
        (3, good[3] + 4, Reason::DiaLength.at(1)),
        (3, good[3] - 4, Reason::DiaLength.at(1)),
        (4, 0xc1, Reason::DiaFlags.at(4)),
        (4, 0xe0, Reason::DiaFlags.at(4)),
        (host + 7, 7, Reason::DiaAvpLength.at(host + 5)),
        (host + 5, 1, Reason::DiaAvpLength.at(host + 5)),
        (host + 4, 0xc0, Reason::DiaOriginMissing.at(good.len())), // another vendor's 264
        (state + 7, 11, Reason::DiaAvpLength.at(state + 5)),
        (group + 8 + 7, 7, Reason::DiaAvpLength.at(group + 8 + 5)),
        (group + 8 + 7, 28, Reason::DiaAvpLength.at(group + 8 + 5)),
        (host + 3, 13, Reason::DiaOriginMissing.at(good.len())),
    ] {
        let mut bad = good.clone();
        bad[at] = octet;
        assert_eq!(Message::parse(&bad).map(|_| ()), Err(want), "octet {at} set to {octet}");
    }
    assert_eq!(Message::parse(&good[..19]), Err(Reason::DiaLength.at(19)));
}

#[test]
fn an_avp_ends_inside_of_its_parent_with_its_padding() {
    for (tail, want) in
        [(&[0, 0, 0, 1][..], 0), (&[0, 0, 0, 1, 0, 0, 0, 9, b'x'], 5), (&[0, 0, 0, 1, 0x80, 0, 0, 8], 5)]
    {
        let mut octets = ulr();
        let at = octets.len();
        octets.extend_from_slice(tail);
        assert!(finish(0, &mut octets));
        assert_eq!(Message::parse(&octets).map(|_| ()), Err(Reason::DiaAvpLength.at(at + want)), "{tail:?}");
    }
}

#[test]
fn what_may_occur_once_does() {
    for id in [
        AvpId::SESSION_ID,
        AvpId::ORIGIN_HOST,
        AvpId::ORIGIN_REALM,
        AvpId::DESTINATION_HOST,
        AvpId::DESTINATION_REALM,
        AvpId::USER_NAME,
        AvpId::AUTH_SESSION_STATE,
        AvpId::RESULT_CODE,
        AvpId::DESS_SIGNATURE,
        AvpId::VISITED_PLMN_ID,
    ] {
        let mut octets = ulr();
        let known = View::new(&octets).is_ok_and(|view| view.avps().flatten().any(|avp| avp.id == id));
        for _ in usize::from(known)..2 {
            emit_avp(id, 0, &[0, 0, 0, 1], &mut octets);
        }
        finish(0, &mut octets);
        let second = octets.len() - if id.vendor() == 0 { 12 } else { 16 };
        assert_eq!(Message::parse(&octets).map(|_| ()), Err(Reason::DiaAvpDup.at(second)), "{id:?}");
    }
}

#[test]
fn neighbours_may_talk_without_an_origin() {
    for (command, application, want) in [
        (280, 0, Ok(())),
        (257, 0, Ok(())),
        (282, 0, Ok(())),
        (280, 4, Err(Reason::DiaOriginMissing.at(20))),
        (258, 0, Err(Reason::DiaOriginMissing.at(20))),
    ] {
        let header = Header { flags: Flags::REQUEST, command, application, ..Header::default() };
        assert_eq!(Message::parse(&message(&header, &[])).map(|_| ()), want, "{command} {application}");
    }
}

/// `depth` groups in each other, the innermost one empty.
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = Vec::new();
    for _ in 0..depth {
        let mut group = Vec::new();
        emit_avp(AvpId::PROXY_INFO, 0, &inner, &mut group);
        inner = group;
    }
    let mut octets = ulr();
    octets.extend_from_slice(&inner);
    finish(0, &mut octets);
    octets
}

#[test]
fn groups_nest_eight_deep() {
    let from = ulr().len();
    assert!(Message::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Message::parse(&nested(MAX_DEPTH + 1)).map(|_| ()), Err(Reason::DiaAvpDepth.at(from + MAX_DEPTH * 8)));
    let mut octets = ulr();
    let known = View::new(&octets).map_or(0, |view| view.avps().count()) + 2;
    while octets.len() < 20 + 60_000 {
        emit_avp(AvpId::new(0, 25), 0, &[], &mut octets);
    }
    finish(0, &mut octets);
    let at = from + 8 * (MAX_AVPS - known);
    assert_eq!(Message::parse(&octets).map(|_| ()), Err(Reason::DiaAvpDepth.at(at)));
    octets.truncate(at);
    finish(0, &mut octets);
    assert!(Message::parse(&octets).is_ok());
}

#[test]
fn what_nobody_here_reads_is_not_entered() {
    for id in [AvpId::FAILED_AVP, AvpId::DESS_SIGNATURE, AvpId::new(9, 260), AvpId::new(0, 1000)] {
        let mut octets = ulr();
        emit_avp(id, 0, &[1, 2, 3, 4, 0, 0xff, 0xff, 0xff], &mut octets);
        finish(0, &mut octets);
        assert!(Message::parse(&octets).is_ok(), "{id:?}");
    }
}

#[test]
fn padding_is_seen_and_cleared() -> Result<(), Refusal> {
    let good = ulr();
    let host = place(&good, AvpId::ORIGIN_HOST);
    let mut inner = Vec::new();
    emit_avp(AvpId::new(0, 280), 0, b"dra.x", &mut inner);
    let mut octets = good.clone();
    emit_avp(AvpId::PROXY_INFO, 0, &inner, &mut octets);
    finish(0, &mut octets);
    // Octets that only look like an AVP with padding are data.
    assert!(emit_avp(AvpId::new(0, 25), 0, &[0, 0, 0, 33, 0, 0, 0, 9, 1, 2, 3, 4], &mut octets));
    finish(0, &mut octets);
    let class = octets.len() - 20;
    for at in [host + 22, class - 1] {
        let mut dirty = octets.clone();
        dirty[at] = 0xff;
        assert!(!Message::parse(&dirty)?.canonical, "octet {at}");
        clear_padding(&mut dirty);
        assert_eq!(dirty, octets);
    }
    Ok(())
}

#[test]
fn results_and_routes_are_read() -> Result<(), Refusal> {
    let mut result = Vec::new();
    emit_avp(AvpId::new(0, 266), 0, &10415_u32.to_be_bytes(), &mut result);
    emit_avp(AvpId::EXPERIMENTAL_RESULT_CODE, 0, &5001_u32.to_be_bytes(), &mut result);
    let header = Header { command: 316, application: 16_777_251, ..Header::default() };
    let avps: [(AvpId, &[u8]); 5] = [
        (AvpId::ORIGIN_HOST, b"h.r"),
        (AvpId::ORIGIN_REALM, b"r"),
        (AvpId::ROUTE_RECORD, b"a"),
        (AvpId::EXPERIMENTAL_RESULT, &result),
        (AvpId::ROUTE_RECORD, b"b"),
    ];
    let octets = message(&header, &avps);
    let answer = Message::parse(&octets)?;
    assert!(!answer.header.is_request());
    assert_eq!(answer.experimental_result(), Some((10415, 5001)));
    assert!(answer.route_records().eq([b"a", b"b"]));
    Ok(())
}

#[test]
fn a_stream_shows_where_a_message_ends() {
    let octets = ulr();
    assert_eq!(stream_len(&octets), Ok(Some(octets.len())));
    assert_eq!(stream_len(&[1, 0, 0, 20]), Ok(Some(20)), "no AVPs");
    for cut in 0..4 {
        assert_eq!(stream_len(&octets[..cut]), Ok(None));
    }
    for (front, want) in [
        (&[2][..], Reason::DiaVersion.at(0)),
        (&[1, 0, 0, 16], Reason::DiaLength.at(1)),
        (&[1, 0, 0, 22], Reason::DiaLength.at(1)),
    ] {
        assert_eq!(stream_len(front), Err(want));
    }
}

#[test]
fn a_realm_covers_whole_labels() {
    for (name, realm, want) in [
        ("mme1.a.example", "a.example", true),
        ("A.Example", "a.example", true),
        ("mme1.ba.example", "a.example", false),
        ("ba.example", "a.example", false),
        ("example", "a.example", false),
        (".a.example", "a.example", true),
        ("mme1", "", false),
    ] {
        assert_eq!(is_within(name.as_bytes(), realm.as_bytes()), want, "{name} in {realm}");
    }
}

#[test]
fn what_is_too_long_is_not_written() {
    let mut out = vec![7];
    assert!(!emit_avp(AvpId::new(0, 25), 0, &vec![0; MAX_LEN], &mut out));
    let octets = ulr();
    let view = View::new(&octets).expect("sound");
    assert!(!rebuild(&view, |_| false, &vec![0; MAX_LEN], &mut out));
    assert_eq!(out, [7]);
    assert!(emit_avp(AvpId::new(0, 25), 0, &vec![0; MAX_LEN - 8], &mut out), "the longest");
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..128)) {
        crate::fuzzing::diameter::diameter(&octets);
        crate::fuzzing::diameter::diameter_sec(&octets);
    }

    #[test]
    fn no_changed_message_panics(at in 0_usize..240, octet: u8, cut in 0_usize..240, mended: bool) {
        let mut octets = ulr();
        if let Some(place) = octets.get_mut(at) {
            *place = octet;
        }
        octets.truncate(octets.len() - cut.min(octets.len()));
        if mended {
            finish(0, &mut octets);
        }
        crate::fuzzing::diameter::diameter(&octets);
        crate::fuzzing::diameter::diameter_sec(&octets);
    }

    #[test]
    fn written_avps_read_back(
        flags in any::<u8>(), command in 0_u32..1 << 24, application: u32, ids: (u32, u32),
        avps in vec((prop_oneof![Just(0_u32), Just(10415), any::<u32>()], 0_u32..2000, 0_u8..0x80, vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let header = Header { flags: Flags(flags), command, application, hop_by_hop: ids.0, end_to_end: ids.1 };
        let mut out = Vec::new();
        let start = begin(&header, &mut out);
        for (vendor, code, flags, data) in &avps {
            prop_assert!(emit_avp(AvpId::new(*vendor, *code), *flags, data, &mut out));
        }
        prop_assert!(finish(start, &mut out));
        let view = View::new(&out).expect("what we wrote");
        prop_assert_eq!(view.header(), header);
        let read: Vec<_> = view.avps().map(|avp| avp.expect("what we wrote")).map(|avp| {
            (avp.id.vendor(), avp.id.code(), avp.flags & !FLAG_VENDOR, avp.data.to_vec())
        }).collect();
        prop_assert_eq!(read, avps);
    }
}
