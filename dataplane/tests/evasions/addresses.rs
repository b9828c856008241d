//! Subsystems and global titles in forms that a filter does not match and a network routes all the same, and SCCP around them
//! (formats 11.2).

use sealgate_wire::Reason;

use super::kit::*;

fn good() -> Vec<u8> {
    begin(&LOCATION, &[&invoke(1, 2, &update_location(B, THEIRS))])
}

fn between(called: &[u8], calling: &[u8]) -> Carried {
    Carried::In(inward(&udt(called, calling, &good())))
}

/// An address with this indicator octet and what follows it.
fn raw(indicators: u8, rest: &[u8]) -> Vec<u8> {
    [&[indicators][..], rest].concat()
}

/// Digits in packed form: 999030000011.
const PACKED: [u8; 6] = [0x99, 0x09, 0x03, 0, 0, 0x11];

/// A title of indicator 4 with these octets before B's digits.
fn title(coding: u8, nature: u8) -> Vec<u8> {
    [&[0x12, 7, 0, coding, nature][..], &PACKED].concat()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let (ours, theirs) = (address(OURS, 6), address(THEIRS, 7));
    for ssn in [0, 1, 2, 3, 4, 5, 10, 11, 12, 142, 144, 150, 249, 250, 252, 254, 255] {
        all.push(case(format!("to subsystem {ssn}"), between(&address(OURS, ssn), &theirs), Reason::SccpSsn));
        all.push(case(format!("from subsystem {ssn}"), between(&ours, &address(THEIRS, ssn)), Reason::SccpSsn));
    }
    for ssn in [6, 7, 8, 9, 145, 147, 148, 149] {
        all.push(benign(format!("to subsystem {ssn}"), between(&address(OURS, ssn), &theirs)));
    }
    let mut calling = |name: &str, octets: Vec<u8>, want| all.push(case(name, between(&ours, &octets), want));
    calling("no subsystem", raw(0x10, &[&[0, 0x12, 4][..], &PACKED].concat()), Reason::SccpSsn);
    calling("no title", raw(0x42, &[7]), Reason::SccpCgpaMissing);
    calling("no title, a point code", raw(0x43, &[0x20, 0x10, 7]), Reason::SccpCgpaMissing);
    calling("indicator 1", raw(0x06, &[&[7, 4][..], &PACKED].concat()), Reason::SccpGti);
    calling("indicator 2", raw(0x0a, &[&[7, 0][..], &PACKED].concat()), Reason::SccpGti);
    calling("indicator 3", raw(0x0e, &[&[7, 0, 0x12][..], &PACKED].concat()), Reason::SccpGti);
    calling("indicator 5", raw(0x16, &[&[7, 0, 0x12, 4][..], &PACKED].concat()), Reason::SccpGti);
    calling("indicator 15", raw(0x3e, &[&[7, 0, 0x12, 4][..], &PACKED].concat()), Reason::SccpGti);
    for plan in [0, 2, 3, 4, 5, 6, 8, 14, 15] {
        calling(&format!("plan {plan}"), title(plan << 4 | 2, 4), Reason::SccpGtForm);
    }
    for nature in [0, 1, 2, 3, 5, 0x7f] {
        calling(&format!("nature {nature}"), title(0x12, nature), Reason::SccpGtForm);
    }
    for scheme in [0, 3, 15] {
        calling(&format!("encoding scheme {scheme}"), title(0x10 | scheme, 4), Reason::SccpGtForm);
    }
    let digits = |octets: &[u8]| raw(0x12, &[&[7, 0, 0x12, 4][..], octets].concat());
    calling("an overdecadic digit", digits(&[0x99, 0x09, 0x03, 0x0b, 0, 0x11]), Reason::SccpGtForm);
    calling("a filler as a digit", digits(&[0x99, 0x09, 0x03, 0, 0, 0xf1]), Reason::SccpGtForm);
    calling("no digits", digits(&[]), Reason::SccpGtForm);
    calling("sixteen digits", digits(&[&PACKED[..], &[0, 0]].concat()), Reason::SccpGtForm);
    calling("cut behind the plan", raw(0x12, &[7, 0, 0x12]), Reason::SccpTruncated);
    calling("nobody's digits", address("999070000011", 7), Reason::PolPeerUnknown);
    calling("a prefix of B's alone", address("9990", 7), Reason::PolPeerUnknown);
    calling("B's digits behind others", address("0099903000001", 7), Reason::PolPeerUnknown);
    calling("our own title", address("999010000009", 7), Reason::SccpCgpaOwn);
    calling("our own prefix, shortest", address("99901", 7), Reason::SccpCgpaOwn);
    let own = |coding: u8| raw(0x12, &[7, 0, coding, 4, 0x99, 0x09, 0x01, 0, 0, 0x90]);
    calling("our own title in E.214", own(0x72), Reason::SccpCgpaOwn);
    calling("our own title in an odd coding", own(0x11), Reason::SccpCgpaOwn);
    calling("B's in E.214", title(0x72, 4), Reason::OkUnsignedAllowed);
    calling(
        "with another translation type",
        raw(0x12, &[&[7, 9, 0x12, 4][..], &PACKED].concat()),
        Reason::OkUnsignedAllowed,
    );
    calling(
        "with a point code",
        raw(0x13, &[&[0x20, 0x10, 7, 0, 0x12, 4][..], &PACKED].concat()),
        Reason::OkUnsignedAllowed,
    );
    calling("routed on its subsystem", raw(0x52, &[&[7, 0, 0x12, 4][..], &PACKED].concat()), Reason::OkUnsignedAllowed);
    calling("plain", theirs.clone(), Reason::OkUnsignedAllowed);
    let mut called = |name: &str, octets: Vec<u8>, want| all.push(case(name, between(&octets, &theirs), want));
    called("not ours", address("999020000001", 6), Reason::SccpCdpaForeign);
    called("no title of ours", raw(0x42, &[6]), Reason::SccpCdpaForeign);
    called("almost ours", address("99900100000", 6), Reason::SccpCdpaForeign);
    called("ours in a national form", raw(0x12, &[6, 0, 0x12, 3, 0x99, 0x09, 0x01, 0, 0, 0x10]), Reason::SccpGtForm);
    called("ours in indicator 2", raw(0x0a, &[6, 0, 0x99, 0x09, 0x01, 0, 0, 0x10]), Reason::SccpGti);
    called("ours in E.214", raw(0x12, &[6, 0, 0x72, 4, 0x99, 0x09, 0x01, 0, 0, 0x10]), Reason::OkUnsignedAllowed);
    all.extend(pointers());
    all
}

/// Pointers that another decoder follows elsewhere, and message types without a place here.
fn pointers() -> Vec<Case> {
    let sccp = udt(&address(OURS, 6), &address(THEIRS, 7), &good());
    let (called, calling) = (usize::from(sccp[2]) + 2, usize::from(sccp[3]) + 3);
    let data = usize::from(sccp[4]) + 4;
    let with = |at: usize, octet: u8| {
        let mut changed = sccp.clone();
        changed[at] = octet;
        Carried::In(inward(&changed))
    };
    let mut all = vec![benign("as it should be", Carried::In(inward(&sccp)))];
    for (name, at, octet, want) in [
        ("a called address in the fixed part", 2, 1, Reason::SccpPointer),
        ("a called address upon the pointers", 2, 2, Reason::SccpPointer),
        ("the called address as calling one", 3, (called - 3) as u8, Reason::SccpPointer),
        ("the data upon the calling address", 4, (calling - 4) as u8, Reason::SccpPointer),
        ("a called address inside of the calling one", 2, (calling) as u8, Reason::SccpPointer),
        ("a pointer behind the message", 4, 0xff, Reason::SccpPointer),
        ("a pointer to itself", 3, 0, Reason::SccpPointer),
        ("a called address longer than the message", called, 0xf0, Reason::SccpPointer),
        ("a called address upon the calling one", called, sccp[called] + 1, Reason::SccpPointer),
        ("a calling address upon the data", calling, sccp[calling] + 1, Reason::SccpPointer),
        ("data longer than the message", data, sccp[data] + 5, Reason::SccpPointer),
        ("connection request", 0, 1, Reason::SccpType),
        ("data form 1", 0, 6, Reason::SccpType),
        ("a type that there is not", 0, 0x15, Reason::SccpType),
    ] {
        all.push(case(name, with(at, octet), want));
    }
    all
}
