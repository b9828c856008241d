//! The codec field by field, check by check, and over any octets.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::fuzzing;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// CLDT as RFC 3868 §3.2.1 lays it out; the address octets are read so by tshark 4.0.17.
fn cldt() -> Vec<u8> {
    hex("01000701 0000007c
         0006 0008 00000005   0115 0008 00000081
         0102 0024 0001 0005  8001 0012 000000 04 0b 00 01 04 997920288003 0000  8003 0008 00000007
         0103 0018 0002 0003  8002 0008 00003ca6  8003 0008 00000006
         0116 0008 00000009   0101 0008 0000000f   0117 0008 81004455
         010b 0006 6204 0000  0113 0008 00000007")
}

fn cldr() -> Vec<u8> {
    hex("01000702 00000048  0006 0008 00000005  0106 0008 00000102
         0102 0018 0002 0003  8002 0008 00003ca6  8003 0008 00000006
         0103 0018 0002 0001  8002 0008 000037a8  8003 0008 00000007")
}

fn read(octets: &[u8]) -> Result<Connectionless<'_>, Refusal> {
    Connectionless::parse(View::new(octets)?)
}

#[test]
fn messages_read_field_by_field_and_write_back() {
    let octets = cldt();
    let message = read(&octets).expect("sound");
    assert_eq!(message.kind, Kind::Data { class: 0x81, sequence: 9 });
    assert_eq!((message.routing_context, message.hops, message.importance), (5, Some(15), Some(7)));
    let title = message.source.canonical().expect("E.164");
    assert_eq!((title.plan, title.digits.to_string().as_str()), (Plan::E164, "99970282083"));
    assert_eq!((message.source.routing, message.source.ssn), (Routing::Title, Some(Ssn::VLR)));
    let there = message.destination;
    assert_eq!(
        (there.routing, there.point_code, there.ssn),
        (Routing::Subsystem, Some(PointCode(15526)), Some(Ssn::HLR))
    );
    assert_eq!((there.canonical(), message.data), (None, Some(&[0x62, 4][..])));
    assert_eq!(message.segment, Some(Segment { first: true, remaining: 1, reference: 0x4455 }));
    let answer = cldr();
    let returned = read(&answer).expect("sound");
    assert_eq!((returned.kind, returned.data), (Kind::Response { cause: 0x0102 }, None));
    for message in [message, returned] {
        let mut out = Vec::new();
        assert!(message.emit(&mut out));
        assert_eq!(read(&out), Ok(message));
    }
    let mut out = Vec::new();
    assert!(rebuild(&octets, b"other", &mut out));
    let whole = Connectionless { segment: None, ..message };
    assert_eq!(read(&out), Ok(Connectionless { data: Some(b"other"), ..whole }));
    let mut same = Vec::new();
    assert!(rebuild(&out, &[0x62, 4], &mut same));
    assert_eq!(read(&same), Ok(whole));
    let (source, destination) = addresses(View::new(&octets).expect("sound"));
    assert_eq!((source, destination), (&octets[28..60], &octets[64..84]));
}

#[test]
fn a_party_is_what_sccp_would_be_told() {
    let octets = cldt();
    let message = read(&octets).expect("sound");
    let (source, title) = (message.source, message.source.title.expect("there"));
    let digits = source.canonical().map(|title| title.digits.to_string());
    let party = source.party().expect("sound");
    assert_eq!((party.0.map(|title| title.digits.to_string()), party.1), (digits, Some(Ssn::VLR)));
    assert_eq!(Address { includes: 1, ..source }.party(), Ok((None, Some(Ssn::VLR))), "a title that SCCP does not get");
    assert_eq!(Address { includes: 4, ..source }.party().map(|(_, ssn)| ssn), Ok(None));
    assert_eq!(message.destination.party(), Ok((None, Some(Ssn::HLR))));
    for (title, want) in [
        (Title { indicator: 2, ..title }, Reason::SccpGti),
        (Title { nature: 3, ..title }, Reason::SccpGtForm),
        (Title { plan: 6, ..title }, Reason::SccpGtForm),
    ] {
        assert_eq!(Address { title: Some(title), ..source }.party(), Err(want.at(0)));
    }
}

#[test]
fn each_check_is_earned_by_one_octet() {
    let (data, response) = (cldt(), cldr());
    for (octets, at, octet, want) in [
        (&data, 0, 2, 0),
        (&data, 7, 0x7b, 4),
        (&data, 2, 8, 2),    // connection-oriented
        (&data, 3, 3, 2),    // no such type
        (&data, 3, 2, 16),   // a response with a class
        (&data, 9, 7, 8),    // no such parameter
        (&data, 11, 9, 8),   // five octets
        (&data, 17, 6, 16),  // a cause, which CLDT does not have
        (&data, 23, 2, 124), // class 2
        (&data, 22, 1, 16),
        (&data, 25, 3, 60), // two destinations
        (&data, 29, 3, 24), // by host name
        (&data, 31, 7, 24), // a point code for SCCP that is not there
        (&data, 31, 13, 24),
        (&data, 36, 1, 32),    // reserved
        (&data, 40, 13, 32),   // more digits than there are
        (&data, 40, 9, 32),    // fewer
        (&data, 49, 0x13, 32), // filler
        (&data, 53, 2, 24),    // the subsystem as a point code: then none
        (&data, 56, 1, 52),
        (&data, 74, 0x7c, 68), // 15 bits
        (&data, 85, 0x15, 84), // the class twice
        (&data, 96, 1, 92),
        (&data, 111, 4, 114), // none, and something behind it
        (&response, 11, 4, 8),
        (&response, 17, 0x15, 16),
        (&response, 20, 1, 16),
    ] {
        let mut bad = octets.clone();
        bad[at] = octet;
        assert_eq!(read(&bad), Err(Reason::SuaForm.at(want)), "octet {at} set to {octet:02x}");
    }
    assert_eq!(View::new(&data[..7]), Err(Reason::SuaForm.at(7)));
}

#[test]
fn each_parameter_that_must_be_there_is_missed() {
    let octets = cldt();
    let view = View::new(&octets).expect("sound");
    let all: Vec<_> = view.params().flatten().collect();
    for skip in &all {
        let mut out = octets[..HEADER_LEN].to_vec();
        all.iter().filter(|param| param.tag != skip.tag).for_each(|param| {
            emit_param(param.tag, param.value, &mut out);
        });
        finish(0, &mut out);
        let needed =
            matches!(skip.tag, ROUTING_CONTEXT | PROTOCOL_CLASS | SOURCE | DESTINATION | SEQUENCE_CONTROL | DATA);
        let want = if needed { Err(Reason::SuaForm.at(out.len())) } else { Ok(()) };
        assert_eq!(read(&out).map(|_| ()), want, "without {:04x}", skip.tag);
        let mut twice = octets.clone();
        emit_param(skip.tag, skip.value, &mut twice);
        finish(0, &mut twice);
        assert_eq!(read(&twice), Err(Reason::SuaForm.at(octets.len())), "{:04x} twice", skip.tag);
    }
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) {
        fuzzing::sigtran::sua(&octets);
    }

    #[test]
    fn nor_do_messages_nearly_right(changes in vec((0..124_usize, any::<u8>()), 0..3)) {
        let mut octets = cldt();
        changes.into_iter().for_each(|(at, octet)| octets[at] = octet);
        fuzzing::sigtran::sua(&octets);
    }
}
