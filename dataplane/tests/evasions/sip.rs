//! SIP read in two ways (formats 11.4): folded, shortened and repeated headers, lengths, numbers.

use std::net::IpAddr;

use sealgate_wire::{Reason, ip, udp};

use super::kit::*;

/// A datagram from the neighbour to our host.
fn frame(payload: &[u8]) -> Carried {
    let (theirs, ours) = ([192, 0, 2, 30], [198, 51, 100, 30]);
    let mut out = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&theirs);
    out.extend_from_slice(&ours);
    assert!(udp::emit((IpAddr::from(theirs), 5060), (IpAddr::from(ours), 5060), payload, &mut out));
    assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + payload.len()));
    Carried::Frame(out)
}

const HEADERS: [&str; 8] = [
    "Via: SIP/2.0/UDP sbc.example;branch=z9hG4bK7",
    "Max-Forwards: 70",
    "From: <sip:+999030000011@b.example>;tag=1",
    "To: <sip:+999010000001@home.example>",
    "Call-ID: 7@b",
    "CSeq: 1 INVITE",
    "Date: Wed, 18 Nov 2026 11:06:40 GMT",
    "Content-Length: 5",
];

/// An INVITE with one header in another form, or left out, and one more at the end.
fn invite(at: usize, instead: Option<&str>, more: &[&str]) -> Vec<u8> {
    let mut out = String::from("INVITE sip:+999010000001@home.example SIP/2.0\r\n");
    for (i, header) in HEADERS.iter().enumerate() {
        let header = if i == at { instead } else { Some(*header) };
        header.into_iter().for_each(|header| out += &format!("{header}\r\n"));
    }
    more.iter().for_each(|header| out += &format!("{header}\r\n"));
    out += "\r\nv=0\r\n";
    out.into_bytes()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |name: &str, payload: Vec<u8>, want| all.push(case(name, frame(&payload), want));
    let plain = |more: &[&str]| invite(99, None, more);
    for (name, again) in [
        ("From twice", "From: <sip:+999010000009@home.example>;tag=2"),
        ("From twice, once short", "f: <sip:+999010000009@home.example>;tag=2"),
        ("From twice, in capitals", "FROM: <sip:+999010000009@home.example>;tag=2"),
        ("From twice, with a space before the colon", "From : <sip:+999010000009@home.example>;tag=2"),
        ("To twice", "To: <sip:+999010000002@home.example>"),
        ("To twice, once short", "t: <sip:+999010000002@home.example>"),
        ("Call-ID twice, once short", "i: 8@b"),
        ("CSeq twice", "CSeq: 2 INVITE"),
        ("Date twice", "Date: Wed, 18 Nov 2026 11:06:41 GMT"),
        ("Max-Forwards twice", "Max-Forwards: 1"),
        ("Content-Length twice", "Content-Length: 5"),
        ("Content-Length twice, once short", "l: 0"),
    ] {
        add(name, plain(&[again]), Reason::SipHdrDup);
    }
    for (name, at) in [("From", 2), ("To", 3), ("Call-ID", 4), ("CSeq", 5)] {
        add(&format!("no {name}"), invite(at, None, &[]), Reason::SipHdrMissing);
    }
    add("a method other than the line's", invite(5, Some("CSeq: 1 BYE"), &[]), Reason::SipSyntax);
    add("a header without a colon", plain(&["From"]), Reason::SipSyntax);
    add("a length beyond the datagram", invite(7, Some("Content-Length: 500"), &[]), Reason::SipSyntax);
    add("a length that is no number", invite(7, Some("Content-Length: 5x"), &[]), Reason::SipSyntax);
    add("a number with letters", invite(2, Some("From: <sip:+99903ABC011@b.example>;tag=1"), &[]), Reason::SipTnForm);
    add(
        "a number of sixteen digits",
        invite(2, Some("From: <sip:+9990300000110000@b.example>;tag=1"), &[]),
        Reason::SipTnForm,
    );
    add("no number", invite(2, Some("From: <sip:@b.example>;tag=1"), &[]), Reason::SipSyntax);
    add("our number", invite(2, Some("From: <sip:+999010000009@b.example>;tag=1"), &[]), Reason::PolPeerUnknown);
    add(
        "our number in another header that counts more",
        plain(&["P-Asserted-Identity: <sip:+999010000009@b.example>"]),
        Reason::PolPeerUnknown,
    );
    add(
        "our number folded",
        invite(2, Some("From:\r\n <sip:+999010000009@b.example>;tag=1"), &[]),
        Reason::PolPeerUnknown,
    );
    add(
        "our number in short form",
        invite(2, Some("f:<sip:+999010000009@b.example>;tag=1"), &[]),
        Reason::PolPeerUnknown,
    );
    add(
        "our number with separators",
        invite(2, Some("From: <sip:+999-01.0000(009)@b.example>;tag=1"), &[]),
        Reason::PolPeerUnknown,
    );
    add("our number escaped", invite(2, Some("From: <sip:%2B999010000009@b.example>;tag=1"), &[]), Reason::SipTnForm);
    add("nobody's number", invite(2, Some("From: <sip:+999070000011@b.example>;tag=1"), &[]), Reason::PolPeerUnknown);
    let benign: [(&str, Vec<u8>); 6] = [
        ("as it should be", plain(&[])),
        ("From in short form", invite(2, Some("f: <sip:+999030000011@b.example>;tag=1"), &[])),
        ("From folded", invite(2, Some("From:\r\n\t<sip:+999030000011@b.example>;tag=1"), &[])),
        ("a second Via", plain(&["Via: SIP/2.0/UDP other.example;branch=z9hG4bK8"])),
        ("a header that nobody knows", plain(&["X-From: <sip:+999010000009@b.example>"])),
        ("B's number with separators", invite(2, Some("From: <sip:+999-03.0000(011)@b.example>;tag=1"), &[])),
    ];
    for (name, payload) in benign {
        add(name, payload, Reason::OkUnsignedAllowed);
    }
    all
}
