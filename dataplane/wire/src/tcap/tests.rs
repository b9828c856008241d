use super::*;
use crate::reason::Reason;
use proptest::{collection::vec, prelude::*};

/// Vector tp-001 to tp-037 without their envelope: a BEGIN with updateLocation.
///
/// 0 message, 2 otid, 8 dialogue, 40 component portion, 42 invoke, 44 invoke id, 47 operation code, 50 parameter.
const BEGIN: &str = "624e4804112233446b1e281c060700118605010101a011600f80020780a1090607040000010001036c26\
                     a124020101020102301c040800010121436587f9810791990903000011040791990903000011";
/// An END with a result.
const END: &str = "645549040a0a0a0a6b2a2828060700118605010101a01d611b80020780a109060704000001001403a203020100a305a103\
                   0201006c21a21f020101301a02012d3015040800010321436587f9a009810791990903000011";

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn refusal(octets: &[u8], rules: Rules) -> Option<Refusal> {
    Message::parse(octets, rules).err()
}

#[test]
fn a_begin_reads_field_by_field() -> Result<(), Refusal> {
    let octets = octets(BEGIN);
    let message = Message::parse(&octets, Rules::Strict)?;
    assert_eq!((message.kind, message.dtid, message.canonical), (MessageKind::Begin, None, true));
    assert_eq!(message.otid, Tid::new(&[0x11, 0x22, 0x33, 0x44]));
    assert_eq!(message.elements.iter().map(|element| element[0]).collect::<Vec<_>>(), [OTID, DIALOGUE]);
    let context = message.application_context()?.map(|oid| oid.to_string());
    assert_eq!(context.as_deref(), Some("0.4.0.0.1.0.1.3"));
    let invoke = message.components.get(0).unwrap();
    assert_eq!((invoke.kind, invoke.invoke_id, invoke.local()), (ComponentKind::Invoke, Some(1), Some(2)));
    assert_eq!((invoke.parameter.len(), invoke.parameter_offset), (30, 50));
    assert_eq!(invoke.raw, &octets[42..]);
    Ok(())
}

#[test]
fn an_end_reads_field_by_field() -> Result<(), Refusal> {
    let octets = octets(END);
    let message = Message::parse(&octets, Rules::Strict)?;
    assert_eq!((message.kind, message.otid), (MessageKind::End, None));
    assert_eq!(message.dtid.map(|id| id.to_string()).as_deref(), Some("0a0a0a0a"));
    assert_eq!(message.application_context()?.map(|oid| oid.to_string()).as_deref(), Some("0.4.0.0.1.0.20.3"));
    let result = message.components.get(0).unwrap();
    assert_eq!((result.kind, result.local(), result.parameter[0]), (ComponentKind::ReturnResultLast, Some(45), 0x30));
    Ok(())
}

#[test]
fn each_check_is_earned_by_one_octet() {
    let good = octets(BEGIN);
    assert_eq!(refusal(&good, Rules::Strict), None);
    for (at, octet, want) in [
        (0, 0x66, Reason::TcapTag.at(0)),
        (1, 0x4f, Reason::BerLength.at(1)),
        (1, 0x4d, Reason::TcapTrailing.at(79)),
        (2, 0x49, Reason::TcapElement.at(2)), // a dtid in a BEGIN
        (8, 0x70, Reason::TcapElement.at(8)),
        (8, 0x4a, Reason::TcapElement.at(8)), // an abort cause in a BEGIN
        (9, 0x80, Reason::BerIndefinite.at(9)),
        (10, 0x00, Reason::BerLength.at(10)), // end-of-contents inside
        (41, 0x27, Reason::BerLength.at(41)),
        (42, 0xa5, Reason::TcapComponent.at(42)),
        (43, 0x25, Reason::BerLength.at(43)),
        (44, 0x04, Reason::TcapComponent.at(44)), // invoke id is no INTEGER
        (47, 0x80, Reason::TcapComponent.at(50)), // linked id, then no operation code
        (47, 0x04, Reason::TcapComponent.at(47)), // operation code is no INTEGER
        (50, 0x9f, Reason::BerTagLong.at(50)),
        (52, 0x1f, Reason::BerTagLong.at(52)),
        (53, 0x1d, Reason::BerLength.at(53)),
    ] {
        let mut bad = good.clone();
        bad[at] = octet;
        let got = refusal(&bad, Rules::Strict).map(|refusal| (refusal.reason, refusal.at));
        assert_eq!(got, Some((want.reason, want.at)), "octet {at} set to {octet:#x}");
    }
}

/// A BEGIN without dialogue around these octets as its component portion; they begin at octet 10.
fn around(components: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    emit_begin(Tid { octets: [1, 2, 3, 4], len: 4 }, None, components, &mut out);
    out
}

#[test]
fn each_component_check_is_earned() -> Result<(), Refusal> {
    let component = |at| Some(Reason::TcapComponent.at(at));
    for (hex, want) in [
        ("a106 020101 020102", None),
        ("a108 020101 020102 0500", None),
        ("a106 020101 060142", None), // tp-010: read, and refused by policy
        ("a107 020101 02020047", Some(Reason::BerNonMinimal.at(17))), // tp-037
        ("a107 020101 0202ff80", Some(Reason::BerNonMinimal.at(17))),
        ("a107 02020101 020102", component(12)), // invoke id of two octets
        ("a103 020101", component(15)),          // no operation code
        ("a106 020101 050002", Some(Reason::BerLength.at(17))),
        ("a105 020101 0500", component(15)),
        ("a105 020101 0200", component(15)),
        ("a10a 020101 02050102030405", component(15)),
        ("a109 020101 800101 020102", None),
        ("a10a 020101 80020101 020102", component(15)), // linked id of two octets
        ("a10a 020101 020102 0500 0500", component(20)), // two parameters
        ("a205 020101 3000", component(17)),            // a result without operation code
        ("a20a 020101 3005 020102 0500", None),
        ("a20c 020101 3005 020102 0500 0500", component(22)),
        ("a20c 020101 3007 020102 0500 0500", component(22)),
        ("a20a 020101 a105 020102 0500", component(15)),
        ("a203 020101", None),
        ("a306 020101 020101", None),
        ("a303 020101", component(15)),
        ("a406 020101 810101", None),
        ("a405 0500 810101", None),
        ("a305 0500 020101", component(12)), // only a reject may not know the id
        ("a406 020101 840101", component(15)),
        ("a506 020101 020102", component(10)),
        ("8106 020101 020102", component(10)),
    ] {
        assert_eq!(refusal(&around(&octets(hex)), Rules::Strict), want, "{hex}");
    }
    let linked = around(&octets("a109 020101 800107 020102"));
    assert_eq!(Message::parse(&linked, Rules::Strict)?.components.get(0).unwrap().linked_id, Some(7));
    let reject = around(&octets("a405 0500 810102"));
    assert_eq!(Message::parse(&reject, Rules::Strict)?.components.get(0).unwrap().error, Some(2));
    Ok(())
}

#[test]
fn a_seventeenth_component_is_too_many() {
    for (count, want) in [(16, None), (17, Some(Reason::TcapComponentCount.at(12 + 16 * 8)))] {
        let many = octets("a106020101020102").repeat(count);
        assert_eq!(refusal(&around(&many), Rules::Strict), want);
    }
}

#[test]
fn each_message_check_is_earned() {
    for (hex, rules, want) in [
        ("", Rules::Strict, Reason::TcapTag.at(0)),
        ("e206c70401020304", Rules::Strict, Reason::TcapTag.at(0)), // ANSI T1.114
        ("620a480611223330313200", Rules::Strict, Reason::BerLength.at(1)),
        ("6208480611223330 3132", Rules::Strict, Reason::TcapTid.at(2)), // tp-016
        ("62024800", Rules::Strict, Reason::TcapTid.at(2)),
        ("6200", Rules::Strict, Reason::TcapTid.at(2)),
        ("6503480101", Rules::Strict, Reason::TcapTid.at(2)), // CONTINUE with one id
        ("6506490101480101", Rules::Strict, Reason::TcapElement.at(5)), // ids in the wrong order
        ("6206480101480102", Rules::Strict, Reason::TcapElement.at(5)), // twice
        ("62054801016c00ff", Rules::Strict, Reason::TcapTrailing.at(7)), // tp-028
        ("62084801017001786c00", Rules::Strict, Reason::TcapElement.at(5)), // tp-030
        ("62074801016c006c00", Rules::Strict, Reason::TcapElement.at(7)), // tp-031
        ("670549010a6c00", Rules::Strict, Reason::TcapElement.at(5)), // an ABORT has no components
        ("62074801016c800000", Rules::Strict, Reason::BerIndefinite.at(6)), // tp-022
        ("62074801016c820000", Rules::Strict, Reason::BerNonMinimal.at(6)), // tp-024
        ("62074801016c850000", Rules::Lenient, Reason::BerLength.at(6)),
        ("62064801016c8000", Rules::Lenient, Reason::BerLength.at(7)), // never closed
        ("6208480101 6c039f0000", Rules::Lenient, Reason::BerTagLong.at(7)), // tp-026
    ] {
        assert_eq!(refusal(&octets(hex), rules), Some(want), "{hex}");
    }
}

#[test]
fn encoding_comes_before_contents() {
    // A misplaced element first, a broken length behind it: the length is told.
    assert_eq!(refusal(&octets("62077001786c05000000"), Rules::Strict), Some(Reason::TcapTrailing.at(9)));
    assert_eq!(refusal(&octets("62077001784801056c7f"), Rules::Strict), Some(Reason::TcapTrailing.at(9)));
    assert_eq!(refusal(&octets("62087001784801056c7f"), Rules::Strict), Some(Reason::BerLength.at(9)));
    // A component of no kind first, one that runs out behind it.
    let two = around(&octets("a506020101020102 a107020101020102"));
    assert_eq!(refusal(&two, Rules::Strict), Some(Reason::BerLength.at(19)));
}

#[test]
fn lenient_forms_are_read_and_written_anew() -> Result<(), Refusal> {
    let strict = octets(BEGIN);
    // tp-023 and tp-025.
    for hex in [
        BEGIN.replace("624e", "6250").replace("6c26", "6c80") + "0000",
        BEGIN.replace("624e", "6250").replace("6c26", "6c820026"),
        BEGIN.replace("624e", "6280") + "0000",
    ] {
        let octets = octets(&hex);
        let message = Message::parse(&octets, Rules::Lenient)?;
        assert!(!message.canonical && !message.outer_minimal);
        let mut out = Vec::new();
        rebuild(&message, None, None, true, &mut out);
        assert_eq!(out, strict, "{hex}");
        out.clear();
        rebuild(&message, None, None, false, &mut out);
        assert_eq!(out, strict, "only outer lengths were long");
    }
    // The dialogue portion is long: outer lengths are fine, the tree is not canonical.
    let inner = octets(&BEGIN.replace("624e", "624f").replace("6b1e", "6b811e"));
    let message = Message::parse(&inner, Rules::Lenient)?;
    assert!(message.outer_minimal && !message.canonical);
    let (mut anew, mut kept) = (Vec::new(), Vec::new());
    rebuild(&message, None, None, true, &mut anew);
    rebuild(&message, None, None, false, &mut kept);
    assert_eq!((anew, kept), (strict, inner));
    Ok(())
}

#[test]
fn a_component_comes_and_goes() -> Result<(), Refusal> {
    let plain = octets(BEGIN);
    let mut extra = Vec::new();
    emit_invoke(127, 81, &[0x04, 0x00], &mut extra);
    let mut with = Vec::new();
    rebuild(&Message::parse(&plain, Rules::Strict)?, None, Some(&extra), false, &mut with);
    let message = Message::parse(&with, Rules::Strict)?;
    assert_eq!((message.components.len(), message.components.get(1).unwrap().local()), (2, Some(81)));
    let mut without = Vec::new();
    rebuild(&message, Some(1), None, false, &mut without);
    assert_eq!(without, plain);
    // A portion that becomes empty is left out, one that is missing is made.
    let empty = octets("6506 480101 490102");
    let mut made = Vec::new();
    rebuild(&Message::parse(&empty, Rules::Strict)?, None, Some(&extra), false, &mut made);
    let mut gone = Vec::new();
    rebuild(&Message::parse(&made, Rules::Strict)?, Some(0), None, false, &mut gone);
    assert_eq!(gone, empty);
    // An ABORT takes none.
    let mut abort = Vec::new();
    emit_abort(Tid { octets: [7; 4], len: 1 }, 1, &mut abort);
    let mut same = Vec::new();
    rebuild(&Message::parse(&abort, Rules::Strict)?, None, Some(&extra), false, &mut same);
    assert_eq!(same, abort);
    assert_eq!(Message::parse(&abort, Rules::Strict)?.abort_cause, Some(1));
    Ok(())
}

#[test]
fn each_dialogue_check_is_earned() -> Result<(), Refusal> {
    let bad = Some(Reason::TcapDialogue.at(8));
    for (at, octet) in [
        (10, 0x29), // no EXTERNAL
        (12, 0x04), // no name of the dialogue syntax
        (21, 0xa1), // no single ASN.1 type
        (29, 0xa2), // no application context name
        (31, 0x04), // no OBJECT IDENTIFIER
        (39, 0x83), // the last arc does not end
    ] {
        let mut octets = octets(BEGIN);
        octets[at] = octet;
        let got = Message::parse(&octets, Rules::Strict)?.application_context().err();
        assert_eq!(got, bad, "octet {at} set to {octet:#x}");
    }
    // Two names: a filter and a host could each take another.
    let name = "a109060704000001000103";
    let long = BEGIN.replace(name, &name.repeat(2)).replace("600f8002", "601a8002").replace("a011", "a01c");
    let long = octets(&long.replace("281c", "2827").replace("6b1e", "6b29").replace("624e", "6259"));
    assert_eq!(Message::parse(&long, Rules::Strict)?.application_context(), Err(Reason::TcapDialogue.at(8)));
    // An ABRT has none, and that is no fault.
    let abrt = octets("671b 490101 6b16 2814 06070011860501010 1 a009 6407 80010 1be020500");
    assert_eq!(Message::parse(&abrt, Rules::Strict)?.application_context(), Ok(None));
    Ok(())
}

#[test]
fn every_emitted_kind_reads_back() -> Result<(), Refusal> {
    let (a, b) = (Tid { octets: [1, 2, 3, 4], len: 4 }, Tid { octets: [9, 0, 0, 0], len: 1 });
    let context = [4, 0, 0, 1, 0, 1, 3];
    let mut parts = Vec::new();
    emit_invoke(1, 2, &[0x30, 0], &mut parts);
    emit_result_last(2, 45, &[0x30, 0], &mut parts);
    emit_result_last(3, 45, &[], &mut parts);
    emit_error(4, 34, &[], &mut parts);
    for context in [None, Some(&context[..])] {
        let mut out = Vec::new();
        let mut ends = Vec::new();
        for write in 0..4 {
            match write {
                0 => emit_begin(a, context, &parts, &mut out),
                1 => emit_continue(a, b, context, &parts, &mut out),
                2 => emit_end(b, context, &parts, &mut out),
                _ => emit_unidirectional(context, &parts, &mut out),
            }
            ends.push(out.len());
        }
        let mut start = 0;
        for end in ends {
            let message = Message::parse(&out[start..end], Rules::Strict)?;
            assert!(message.canonical);
            assert_eq!(message.application_context()?.map(|oid| oid.0), context);
            let locals: Vec<_> = message.components.iter().map(|c| (c.invoke_id, c.local(), c.error)).collect();
            let want = [(1, Some(2), None), (2, Some(45), None), (3, None, None), (4, None, Some(34))];
            assert_eq!(locals, want.map(|(id, local, error)| (Some(id), local, error)));
            start = end;
        }
    }
    Ok(())
}

#[test]
fn object_identifiers_print_dotted() {
    for (octets, want) in [
        (&[4, 0, 0, 1, 0, 1, 3][..], "0.4.0.0.1.0.1.3"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d], "1.2.840.113549"),
        (&[0x88, 0x37, 1], "2.999.1"),
        (&[], ""),
    ] {
        assert_eq!(Oid(octets).to_string(), want);
    }
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) { crate::fuzzing::upper::tcap(&octets); }

    #[test]
    fn no_two_octets_of_a_message_panic(at in 0_usize..87, octet: u8, also in 0_usize..87, second: u8) {
        for hex in [BEGIN, END] {
            let mut octets = octets(hex);
            let len = octets.len();
            octets[at % len] = octet;
            octets[also % len] = second;
            crate::fuzzing::upper::tcap(&octets);
        }
    }
}
