use super::*;
use crate::tcap::ComponentKind::{Invoke, ReturnError, ReturnResultLast};
use proptest::{collection::vec, prelude::*};

fn digits(text: &str) -> Digits {
    text.parse().unwrap_or_default()
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Subscriber, then nodes, then others, as text.
fn read(op: i32, kind: ComponentKind, version: u8, parameter: &[u8]) -> Result<String, Refusal> {
    let found = identities(op, kind, version, parameter, Rules::Strict)?;
    let show = |digits: Option<Digits>| digits.map_or_else(|| "-".into(), |digits| digits.to_string());
    Ok(format!("{} {} {:?} {:?}", show(found.imsi), show(found.msisdn), found.nodes, found.others))
}

#[test]
fn what_is_written_is_read() {
    let (imsi, number, node) = (digits("001012345678901"), digits("999701632221"), digits("99970282083"));
    let mut out = Vec::new();
    let mut check = |op, kind, write: &dyn Fn(&mut Vec<u8>), want: &str| {
        out.clear();
        write(&mut out);
        assert_eq!(read(op, kind, 3, &out).as_deref(), Ok(want), "{op} {out:02x?}");
    };
    check(
        2,
        Invoke,
        &|o| update_location(&imsi, &number, &node, o),
        r#"001012345678901 - ["999701632221", "99970282083"] []"#,
    );
    check(2, ReturnResultLast, &|o| update_location_result(&node, o), r#"- - ["99970282083"] []"#);
    check(3, Invoke, &|o| cancel_location(&imsi, o), "001012345678901 - [] []");
    check(7, Invoke, &|o| insert_subscriber_data(&imsi, &number, o), "001012345678901 999701632221 [] []");
    check(45, Invoke, &|o| send_routing_info_for_sm(&number, &node, o), r#"- 999701632221 ["99970282083"] []"#);
    check(
        45,
        ReturnResultLast,
        &|o| send_routing_info_for_sm_result(&imsi, &node, o),
        r#"001012345678901 - [] ["99970282083"]"#,
    );
    check(71, Invoke, &|o| any_time_interrogation(&imsi, &node, o), r#"001012345678901 - ["99970282083"] []"#);
    check(56, Invoke, &|o| send_authentication_info(&imsi, 5, o), "001012345678901 - [] []");
    check(44, Invoke, &|o| mt_forward_sm(&imsi, &node, b"tpdu", o), r#"001012345678901 - ["99970282083"] []"#);
    check(67, Invoke, &|o| purge_ms(&imsi, &node, o), r#"001012345678901 - ["99970282083"] []"#);
}

#[test]
fn a_service_centre_is_the_sender_or_the_destination() {
    // Mobile originating: centre first, then the subscriber's number.
    let mo = octets("3012 8403910130 8203914105 040154 0403214365");
    assert_eq!(read(46, Invoke, 3, &mo).as_deref(), Ok(r#"123456 1450 [] ["1003"]"#));
    // Mobile terminating in version 2: IMSI first, then the centre.
    let mt = octets("300d 8003214365 8403910130 040154");
    assert_eq!(read(46, Invoke, 2, &mt).as_deref(), Ok(r#"123456 - ["1003"] []"#));
}

#[test]
fn each_check_is_earned() {
    for (op, kind, version, hex, want) in [
        (2, Invoke, 3, "300c 0403214365 8101910 4029121", Reason::MapParam.at(7)),
        (2, Invoke, 3, "300f 0403214365 8103910130 04029121 00", Reason::BerLength.at(16)),
        (2, Invoke, 3, "300a 8103910130 0403214365", Reason::MapParam.at(12)), // no VLR number
        (2, Invoke, 3, "3009 0403214365 04029121", Reason::MapParam.at(11)),   // no MSC number
        (2, Invoke, 3, "", Reason::MapParam.at(0)),
        (2, Invoke, 3, "0500", Reason::MapParam.at(2)),
        (2, Invoke, 3, "3011 0403214365 81029121 04029121 04029121", Reason::MapDupParam.at(15)),
        (2, Invoke, 3, "3011 0403214365 81029121 81029121 04029121", Reason::MapDupParam.at(11)),
        (2, Invoke, 3, "3011 0403214365 80029121 81029121 04029121", Reason::MapDupParam.at(11)), // both alternatives
        (7, Invoke, 3, "300a 8003214365 8003214365", Reason::MapDupParam.at(7)),                  // tp-027
        (71, Invoke, 3, "3011 a009 8003214365 81029121 a100 83029121", Reason::MapDupParam.at(9)),
        (71, Invoke, 3, "3009 a005 8003214365 a100", Reason::MapParam.at(11)),
        (3, Invoke, 3, "0403214365", Reason::MapParam.at(5)), // the shape of version 2
        (3, Invoke, 2, "a305 0403214365", Reason::MapParam.at(7)),
        (56, Invoke, 3, "0403214365", Reason::MapParam.at(5)),
        (67, Invoke, 2, "a305 0403214365", Reason::MapParam.at(7)),
        (45, ReturnResultLast, 3, "3005 04032143b5", Reason::MapParam.at(2)),
    ] {
        let parameter = octets(hex);
        assert_eq!(read(op, kind, version, &parameter), Err(want), "{op} {hex}");
    }
}

#[test]
fn versions_differ_in_shape() {
    for (op, version, hex, want) in [
        (3, 1, "0403214365", "123456 - [] []"),
        (3, 2, "3008 0403214365 040101", "123456 - [] []"),
        (3, 3, "a30a 3008 0403214365 040101", "123456 - [] []"),
        // An extension container after the identity is not another identity.
        (3, 3, "a30f 0403214365 0a0100 3005 0403214366", "123456 - [] []"),
        (3, 0, "0403214365", "123456 - [] []"),
        (56, 2, "0403214365", "123456 - [] []"),
        (67, 2, "3009 0403214365 04029121", r#"123456 - ["12"] []"#),
        (85, 3, "300b 80029121 a105 8003214365", r#"123456 - ["12"] []"#),
        (10, 2, "3007 040121 84029121", r#"- - [] ["12"]"#),
        (999, 3, "04", "- - [] []"),
    ] {
        assert_eq!(read(op, Invoke, version, &octets(hex)).as_deref(), Ok(want), "{op} {hex}");
    }
    assert_eq!(read(2, ReturnError, 3, &octets("04")).as_deref(), Ok("- - [] []"));
}

#[test]
fn operations_have_their_names() {
    assert_eq!(operation_name(2), Some("updateLocation"));
    assert_eq!(operation_name(81), Some("secureTransportClass4"));
    assert_eq!(operation_name(100), None);
    assert_eq!(OpCode::ANY_TIME_INTERROGATION, OpCode(71));
    assert!(OPERATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) { crate::fuzzing::upper::map(&octets); }

    #[test]
    fn no_octet_of_an_argument_panics(at in 0_usize..30, octet: u8) {
        let mut parameter = octets("301c040800010121436587f9810791990902000011040791990902000011");
        parameter[at] = octet;
        crate::fuzzing::upper::map(&parameter);
    }
}
