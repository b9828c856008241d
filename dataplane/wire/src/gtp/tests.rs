//! The codec field by field, check by check, and over any octets.

use core::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::fuzzing;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Create PDP Context Request; tshark 4.0.17 reads the same fields.
fn create_pdp() -> Vec<u8> {
    hex("32 10 0081 00000000 33d5 00 00
         02 00 01 31 81 31 39 72 f6    03 00 f1 10 00 01 ff    0e 05   0f fe   10 93 12 56 23   11 92 05 f1 58   14 05
         80 0002 f121   83 001c 08 696e7465726e6574 06 6d6e63303031 06 6d6363303031 04 67707273
         85 0004 0a5a0001   85 0004 0a5a0001   86 0007 91 99 79 94 01 69 f1   87 0004 020b921f   97 0001 01
         98 0008 01 00f110 0001 0002   9a 0008 5376474894488109")
}

/// Create Session Request; the same.
fn create_session() -> Vec<u8> {
    hex("48 20 00a5 00000000 6a7908 00
         01 0008 00 00 01 81 14 64 09 11 f8   4c 0006 00 99 79 00 25 23 40   4b 0008 00 5376213928614083
         53 0003 00 00f110   52 0001 00 06   57 0009 00 86 06d00be6 0a5a0001
         47 0017 00 03 696d73 06 6d6e63303031 06 6d6363303031 04 67707273
         80 0001 00 00   63 0001 00 01   4f 0005 00 01 00000000   7f 0001 00 00
         48 0008 00 0000c350 000186a0
         5d 001f 00 49 0001 00 05  50 0016 00 7c09 0000000000 0000000000 0000000000 0000000000")
}

fn digits(text: &str) -> Option<crate::addr::Digits> {
    text.parse().ok()
}

fn text(apn: Option<Apn<'_>>) -> String {
    let mut out = Vec::new();
    apn.expect("there").write(&mut out);
    String::from_utf8(out).expect("letters")
}

/// Where the value of the first element of this type begins.
fn place(octets: &[u8], kind: u8) -> usize {
    let (view, _) = View::split(octets, 0).expect("sound");
    view.ies().flatten().find(|ie| ie.kind == kind).expect("there").value_at
}

#[test]
fn version_1_reads_field_by_field() -> Result<(), Refusal> {
    let octets = create_pdp();
    let message = Message::parse(&octets)?;
    assert_eq!(message.view.name(), Some("Create PDP Context Request"));
    assert_eq!((message.view.version, message.view.teid, message.view.sequence), (Version::V1, Some(0), 0x33d5));
    assert_eq!((message.imsi, message.msisdn), (digits("001013181393276"), digits("99974910961")));
    assert_eq!(text(message.apn), "internet.mnc001.mcc001.gprs");
    assert_eq!(message.rai, Some(Rai { plmn: digits("00101").expect("digits"), lac: 1, rac: 0xff }));
    assert_eq!((message.sender_teid, message.cause, message.extension), (Some(0x9205_f158), None, None));
    assert_eq!((message.network(), message.serving_network), (digits("00101"), None));
    assert_eq!(message.sender_addresses().collect::<Vec<_>>(), [core::net::IpAddr::from([10, 90, 0, 1])]);
    let answer = hex("3211 0011 9205f158 33d5 0000  01 80  08 fe  ff 0006 7ed9 01020304");
    let message = Message::parse(&answer)?;
    assert_eq!((message.cause, message.extension, message.imsi), (Some(0x80), Some(32473), None));
    Ok(())
}

#[test]
fn version_2_reads_field_by_field() -> Result<(), Refusal> {
    let octets = create_session();
    let message = Message::parse(&octets)?;
    assert_eq!(message.view.name(), Some("Create Session Request"));
    assert_eq!((message.view.version, message.view.teid, message.view.sequence), (Version::V2, Some(0), 0x6a_7908));
    assert_eq!((message.imsi, message.msisdn), (digits("001018414690118"), digits("999700523204")));
    assert_eq!((text(message.apn).as_str(), message.serving_network), ("ims.mnc001.mcc001.gprs", digits("00101")));
    let own = FTeid { interface: 6, teid: 0x06d0_0be6, v4: Some(Ipv4Addr::new(10, 90, 0, 1)), v6: None };
    assert_eq!(message.endpoints().collect::<Vec<_>>(), [(0, own)]);
    assert_eq!(message.sender_addresses().collect::<Vec<_>>(), [core::net::IpAddr::from([10, 90, 0, 1])]);
    assert_eq!((message.sender_teid, message.cause), (Some(0x06d0_0be6), None));
    let group = message.view.ies().flatten().find(Ie::is_group).expect("a bearer context");
    assert_eq!(group.children().flatten().map(|ie| ie.kind).collect::<Vec<_>>(), [73, 80]);
    let echo = hex("4001 0009 6a7914 00 03 0001 00 09");
    let message = Message::parse(&echo)?;
    assert_eq!((message.view.teid, message.view.kind, message.view.sequence), (None, Kind::ECHO_REQUEST, 0x6a_7914));
    Ok(())
}

#[test]
fn who_shall_be_asked_next_is_not_the_sender() -> Result<(), Refusal> {
    // Of a mobility node: itself at interface type 10, the gateway beside it at instance 1.
    let octets = hex(concat!(
        "4820 002e 00000000 000001 00",
        "01 0008 00 00010110325476f8",
        "57 0009 00 8a00000001 7f000002",
        "57 0009 01 8700000000 7f000004",
    ));
    assert_eq!(Message::parse(&octets)?.sender_addresses().count(), 0);
    // The same endpoint in an answer is that of who answers.
    let mut answer = octets.clone();
    answer[1] = 33;
    let senders = |octets: &[u8]| Message::parse(octets).map(|message| message.sender_addresses().collect::<Vec<_>>());
    assert_eq!(senders(&answer)?, [core::net::IpAddr::from([127, 0, 0, 4])]);
    // At instance 0 it is the sender's.
    let mut own = octets;
    let place = own.len() - 10;
    own[place] = 0;
    own.drain(place - 3 - 13..place - 3);
    own[3] -= 13;
    assert_eq!(senders(&own)?, [core::net::IpAddr::from([127, 0, 0, 4])]);
    Ok(())
}

/// Create Session Response that carries a Create Bearer Request.
fn piggyback() -> Vec<u8> {
    hex("5821 000e 062c1afb 6a790e 00 02 0002 00 10 00   485f 000d ff6ed9a4 6a7977 00 49 0001 00 05")
}

#[test]
fn a_second_message_is_read_as_the_first_one_is() {
    let octets = piggyback();
    let read = Datagram::parse(&octets).expect("sound");
    let kinds: Vec<_> = read.messages().map(|message| (message.view.kind.0, message.view.at)).collect();
    assert_eq!((kinds, read.first.cause), (vec![(33, 0), (95, 18)], Some(16)));
    assert_eq!(Message::parse(&octets), Err(Reason::GtpLength.at(18)), "one was wanted");
    for (at, octet, want) in [
        (0, 0x48, Reason::GtpLength.at(2)),   // not announced
        (18, 0x58, Reason::GtpLength.at(20)), // a third one announced
        (18, 0x32, Reason::GtpLength.at(20)), // a first octet of version 1: another length
        (19, 0xf0, Reason::GtpType.at(19)),
        (21, 0x0e, Reason::GtpLength.at(20)),
    ] {
        let mut bad = octets.clone();
        bad[at] = octet;
        assert_eq!(Datagram::parse(&bad), Err(want), "octet {at} set to {octet:02x}");
    }
    let third = [&octets[..18], &octets[..]].concat();
    assert_eq!(Datagram::parse(&third), Err(Reason::GtpLength.at(36)));
    let first = [&octets[..18], &create_pdp()[..]].concat();
    assert_eq!(Datagram::parse(&first), Err(Reason::GtpVersion.at(18)));
    assert_eq!(Datagram::parse(&octets[..18]), Err(Reason::GtpLength.at(2)), "announced, and nothing there");
}

/// One octet changed, and what that earns.
fn each(octets: &[u8], cases: &[(usize, u8, Refusal)]) {
    assert!(Datagram::parse(octets).is_ok());
    for &(at, octet, want) in cases {
        let mut bad = octets.to_vec();
        bad[at] = octet;
        assert_eq!(Datagram::parse(&bad), Err(want), "octet {at} set to {octet:02x}");
    }
}

#[test]
fn each_check_of_version_1_is_earned_by_one_octet() {
    let octets = create_pdp();
    let (imsi, rai, apn, msisdn) = (place(&octets, 2), place(&octets, 3), place(&octets, 131), place(&octets, 134));
    let ie = |at: usize| Reason::GtpIe.at(at);
    each(
        &octets,
        &[
            (0, 0x12, Reason::GtpVersion.at(0)), // version 0
            (0, 0x72, Reason::GtpVersion.at(0)), // version 3
            (0, 0x22, Reason::GtpVersion.at(0)), // GTP'
            (0, 0x30, Reason::GtpVersion.at(0)), // no sequence number
            (1, 4, Reason::GtpType.at(1)),       // Node Alive Request of GTP'
            (1, 255, Reason::GtpInGtp.at(1)),
            (3, 0x80, Reason::GtpLength.at(2)),
            (3, 0x82, Reason::GtpLength.at(2)),
            (11, 1, Reason::GtpLength.at(11)), // an extension header without its flag
            (imsi - 1, 6, ie(imsi - 1)),       // no such element
            (rai + 6, 19, ie(rai + 8)),        // behind it an element of a lower number
            (imsi, 0xf0, ie(imsi - 1)),        // filler inside
            (imsi, 0xa0, ie(imsi - 1)),
            (rai, 0x0a, ie(rai - 1)),
            (apn, 0, ie(apn - 3)),
            (apn, 7, ie(apn - 3)),
            (apn + 3, b'.', ie(apn - 3)),
            (msisdn + 3, 0xc4, ie(msisdn - 3)),
            (octets.len() - 9, 9, ie(octets.len() - 11)),
        ],
    );
}

#[test]
fn each_check_of_version_2_is_earned_by_one_octet() {
    let octets = create_session();
    let (imsi, network, endpoint) = (place(&octets, 1), place(&octets, 83), place(&octets, 87));
    let (apn, msisdn, bearer) = (place(&octets, 71), place(&octets, 76), place(&octets, 93));
    let ie = |at: usize| Reason::GtpIe.at(at);
    each(
        &octets,
        &[
            (0, 0x40, Reason::GtpVersion.at(0)), // without a tunnel endpoint
            (0, 0x58, Reason::GtpLength.at(2)),
            (1, 1, Reason::GtpVersion.at(0)), // an echo with one
            (1, 240, Reason::GtpType.at(1)),
            (3, 0xa4, Reason::GtpLength.at(2)),
            (3, 0xa6, Reason::GtpLength.at(2)),
            (imsi - 1, 0x10, ie(imsi - 4)), // a spare bit
            (imsi - 4, 0, ie(imsi - 4)),
            (imsi - 2, 9, ie(imsi - 4)),
            (imsi + 7, 0x88, ie(imsi - 4)),  // 16 digits
            (msisdn - 4, 1, ie(msisdn - 4)), // a second IMSI
            (msisdn + 1, 0xf7, ie(msisdn - 4)),
            (network, 0xc0, ie(network - 4)),
            (endpoint, 0xc6, ie(endpoint - 4)), // an IPv6 address that is not there
            (endpoint, 0x06, ie(endpoint - 4)), // no address
            (apn + 3, 0, ie(apn - 4)),
            (bearer + 2, 2, ie(bearer + 6)),
            (bearer + 7, 0x17, ie(bearer + 5)),
            (bearer - 2, 0x1e, ie(bearer + 5)),
        ],
    );
}

#[test]
fn causes_and_groups_have_their_bounds() {
    let message = |body: &str| {
        let body = hex(body);
        let mut octets = vec![0x48, 33, 0, body.len() as u8 + 8, 0, 0, 0, 1, 0, 0, 1, 0];
        octets.extend_from_slice(&body);
        octets
    };
    for (body, want) in [
        ("02 0002 00 1000", Ok(Some(16))),
        ("02 0006 00 4900 57000001", Ok(Some(0x49))),
        ("02 0001 00 10", Err(Reason::GtpIe.at(12))),
        ("02 0003 00 100000", Err(Reason::GtpIe.at(12))),
        ("02 0000 00", Err(Reason::GtpIe.at(12))),
        ("02 0002 00 1000 02 0002 00 4900", Err(Reason::GtpIe.at(18))),
        ("02 0002 01 1000 02 0002 00 4900", Ok(Some(0x49))),
        ("5d 0006 00 02 0002 00 1000", Ok(None)), // of a bearer
        ("6d 000a 00 5d 0006 00 02 0002 00 4900", Ok(None)),
        ("6d 000e 00 5d 000a 00 5d 0006 00 02 0002 00 4900", Err(Reason::GtpIe.at(20))),
        ("57 0009 00 86 00000001 0a5a0001 57 0009 01 86 00000002 0a5a0001", Ok(None)),
        ("57 0009 00 86 00000001 0a5a0001 57 0009 00 86 00000002 0a5a0001", Err(Reason::GtpIe.at(25))),
        ("5d 0005 00 57 0001 00 86", Err(Reason::GtpIe.at(16))),
        ("47 0002 00 0161", Ok(None)),
        ("47 0000 00", Err(Reason::GtpIe.at(12))),
        ("ff 0002 00 7ed9", Ok(None)),
        ("ff 0001 00 7e", Err(Reason::GtpIe.at(12))),
        ("47 00", Err(Reason::GtpIe.at(12))),
    ] {
        let octets = message(body);
        assert_eq!(Message::parse(&octets).map(|message| message.cause), want, "{body}");
    }
    let many = "49 0001 00 05".repeat(MAX_IES);
    let mut octets = message("");
    octets.extend(hex(&many));
    octets[2..4].copy_from_slice(&((MAX_IES * 5 + 8) as u16).to_be_bytes());
    assert!(Message::parse(&octets).is_ok());
    octets.extend(hex("49 0001 00 05"));
    octets[2..4].copy_from_slice(&((MAX_IES * 5 + 13) as u16).to_be_bytes());
    assert_eq!(Message::parse(&octets), Err(Reason::GtpIe.at(12 + MAX_IES * 5)));
}

#[test]
fn headers_of_version_1_are_walked() {
    for (octets, want) in [
        // MS Info Change Reporting support, Suspend Request, one that nobody must understand.
        ("36 10 000c 00000000 0001 00 02  01 0000 c1  01 0000 00", Ok(20)),
        ("36 10 0008 00000000 0001 00 20  01 0000 00", Ok(16)),
        ("36 10 0004 00000000 0001 00 00", Ok(12)),
        ("36 10 0008 00000000 0001 00 c0  01 0000 00", Err(Reason::GtpLength.at(11))), // PDCP numbers: user plane
        ("36 10 0008 00000000 0001 00 02  00 0000 00", Err(Reason::GtpLength.at(12))),
        ("36 10 0008 00000000 0001 00 02  02 0000 00", Err(Reason::GtpLength.at(12))),
        ("36 10 0008 00000000 0001 00 02  01 0000 02", Err(Reason::GtpLength.at(16))),
        ("32 10 0003 00000000 0001 00", Err(Reason::GtpLength.at(2))),
        ("32 10 00", Err(Reason::GtpLength.at(3))),
    ] {
        let octets = hex(octets);
        assert_eq!(View::split(&octets, 0).map(|(view, _)| view.header_len), want, "{octets:02x?}");
    }
    // Extension Header Type List has a length of one octet.
    let notification = hex("321f 0008 00000000 33e0 0000 8d 02 01c0");
    assert_eq!(Message::parse(&notification).map(|message| message.view.ies().count()), Ok(1));
}

#[test]
fn a_subscriber_speaks_no_gtp() {
    let tunnel = |flags: &str, packet: &[u8]| {
        let flags = hex(flags);
        let mut octets = vec![flags[0], 255, 0, 0, 0, 0, 0, 1];
        octets.extend_from_slice(&flags[1..]);
        octets.extend_from_slice(packet);
        let len = (octets.len() - 8) as u16;
        octets[2..4].copy_from_slice(&len.to_be_bytes());
        octets
    };
    let v4 = |protocol: u8, offset: u8, port: u16| {
        let mut packet = hex("45 00 001c 0001 0000 40 11 0000 0a000001 0a5a0001 c000 084b 0008 0000");
        (packet[9], packet[7]) = (protocol, offset);
        packet[22..24].copy_from_slice(&port.to_be_bytes());
        packet
    };
    let v6 = |next: u8, behind: &str| {
        let mut packet = hex("60000000 0010 00 40");
        packet[6] = next;
        packet.extend_from_slice(&[0xfd; 32]);
        packet.extend(hex(behind));
        packet
    };
    let nested = Err(Reason::GtpInGtp);
    for (octets, want, why) in [
        (tunnel("30", &v4(17, 0, 53)), Ok(()), "a question for a name"),
        (tunnel("30", &v4(17, 0, 2123)), nested, "GTP-C"),
        (tunnel("30", &v4(17, 0, 2152)), nested, "GTP-U"),
        (tunnel("30", &v4(17, 0, 3386)), nested, "GTP'"),
        (tunnel("30", &v4(6, 0, 3386)), nested, "GTP' over TCP"),
        (tunnel("30", &v4(6, 0, 2123)), Ok(()), "nobody speaks GTP-C over TCP"),
        (tunnel("30", &v4(17, 1, 2123)), Ok(()), "a later fragment"),
        (tunnel("32 0001 00 00", &v4(17, 0, 2123)), nested, "with a number"),
        (tunnel("34 0000 00 85 01 1000 00", &v4(17, 0, 2123)), nested, "with a container"),
        (tunnel("34 0000 00 85 01 1000 00", &v4(17, 0, 443)), Ok(()), "with a container"),
        (tunnel("30", &v4(17, 0, 53)[..22]), nested, "its ports are not there"),
        (tunnel("30", &v6(17, "c000 0035 0008 0000")), Ok(()), "IPv6"),
        (tunnel("30", &v6(17, "c000 084b 0008 0000")), nested, "IPv6"),
        (tunnel("30", &v6(60, "1100 0000 0000 0000 c000 084b 0008 0000")), nested, "behind options"),
        (tunnel("30", &v6(51, "1101 0000 0000 0000 0000 0000 c000 084b 0008 0000")), nested, "authenticated"),
        (tunnel("30", &v6(44, "1100 0008 0000 0000 c000 084b 0008 0000")), Ok(()), "a later fragment"),
        (tunnel("30", &v6(44, "3c00 0001 0000 0000 1100 0000 0000 0000")), nested, "the ports come later"),
        (tunnel("30", &v6(0, &"0000 0000 0000 0000".repeat(17))), nested, "more headers than any host sends"),
        (tunnel("30", &[0x02, 0, 0, 0, 0, 1]), Ok(()), "Ethernet"),
        (hex("30 fe 0000 00000001"), Ok(()), "End Marker"),
        (hex("30 10 0000 00000001"), Err(Reason::GtpType), "a control message on the port of the user plane"),
        (hex("30 ff 0001 00000001"), Err(Reason::GtpLength), "cut"),
        (hex("30 ff 0000 000001"), Err(Reason::GtpLength), "cut"),
        (hex("48 20 0008 00000000 6a7908 00"), Err(Reason::GtpVersion), "version 2"),
        (hex("34 ff 0004 00000001 0000 00 85"), Err(Reason::GtpLength), "a header that is not there"),
    ] {
        assert_eq!(user_plane::judge(&octets).map_err(|refusal| refusal.reason), want, "{why}: {octets:02x?}");
    }
}

#[test]
fn names_are_those_of_their_version() {
    assert_eq!(message_name(Version::V1, Kind(32)), Some("Send Routeing Information for GPRS Request"));
    assert_eq!(message_name(Version::V2, Kind(32)), Some("Create Session Request"));
    assert_eq!(message_name(Version::V1, Kind::G_PDU), None);
    assert_eq!((ie_name(Version::V1, 2), ie_name(Version::V2, 1)), (Some("IMSI"), Some("IMSI")));
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) {
        fuzzing::gtp::gtp(&octets);
    }

    #[test]
    fn nor_do_messages_nearly_right(second in any::<bool>(), changes in vec((any::<usize>(), any::<u8>()), 0..4)) {
        let mut octets = if second { [create_session(), piggyback()][changes.len() % 2].clone() } else { create_pdp() };
        for (at, octet) in changes {
            let len = octets.len();
            octets[at % len] = octet;
        }
        fuzzing::gtp::gtp(&octets);
    }
}
