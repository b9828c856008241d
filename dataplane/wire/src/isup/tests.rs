use super::*;
use crate::sec::{FLAG_CALLED_COPY, Header, Tvp, isup1};

/// 999020000011 calls 999010000001: NAI 4, plan E.164, presentation allowed, screened by the network; ST behind the called.
#[rustfmt::skip]
const CALL: [u8; 33] = [
    0x07, 0x01, 0x01, 0x00, 0x20, 0x00, 0x0a, 0x00, 0x02, 0x0b,
    0x09, 0x84, 0x10, 0x99, 0x09, 0x01, 0x00, 0x00, 0x10, 0x0f,
    0x0a, 0x08, 0x04, 0x13, 0x99, 0x09, 0x02, 0x00, 0x00, 0x11,
    0x08, 0x00, 0x00,
];

fn digits(text: &str) -> Digits {
    text.parse().expect("digits")
}

fn read(octets: &[u8]) -> Result<Iam<'_>, Refusal> {
    View::new(octets).and_then(Iam::parse)
}

/// With a parameter of ours behind a header of this kind.
fn signed(flags: u8) -> Vec<u8> {
    let (mut covered, mut parameter, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let header = Header { alg: 1, flags: 0, node: 3, sai: [7; 8], tvp: Tvp(9), seq: 5, copy: None };
    let copied = (flags == FLAG_CALLED_COPY).then(|| digits("999010000001"));
    isup1::put_covered(&header, copied.as_ref(), &mut covered);
    assert!(isup1::emit_parameter(&covered, &[0xaa; 64], &mut parameter));
    assert!(append(&read(&CALL).expect("sound"), &parameter, &mut out));
    out
}

#[test]
fn a_call_reads_field_by_field() -> Result<(), Refusal> {
    let view = View::new(&CALL)?;
    assert_eq!((view.cic(), view.kind()), (0x107, IAM));
    let iam = Iam::parse(view)?;
    let calling = iam.calling.ok_or(Reason::IsupCgpnMissing.at(0))?;
    assert_eq!((iam.cpc, iam.app), (10, None));
    assert_eq!((iam.called.digits(), calling.digits()), (Some(digits("999010000001")), Some(digits("999020000011"))));
    assert!(iam.called.is_international() && calling.is_international());
    assert_eq!(calling.presentation(), 0);
    Ok(())
}

#[test]
fn each_check_is_earned_by_one_octet() {
    for (at, octet, want) in [
        (8, 3, Reason::IsupPointer.at(8)),
        (8, 1, Reason::IsupPointer.at(8)),
        (9, 0, Reason::IsupPointer.at(9)),
        (9, 0x0c, Reason::IsupPointer.at(9)),
        (9, 0x0a, Reason::IsupPointer.at(9)),
        (10, 0x40, Reason::IsupPointer.at(8)),
        (10, 8, Reason::IsupPointer.at(9)),
        (21, 0x40, Reason::IsupTruncated.at(20)),
        (21, 1, Reason::IsupNumForm.at(22)),
        (30, 0, Reason::IsupPointer.at(31)),
    ] {
        let mut bad = CALL;
        bad[at] = octet;
        assert_eq!(read(&bad).map(|_| ()), Err(want), "octet {at} set to {octet}");
    }
    for len in 3..CALL.len() {
        let want = match len {
            ..10 => Reason::IsupTruncated.at(len), // the fixed part
            10..20 => Reason::IsupPointer.at(8),   // the called number
            20 => Reason::IsupPointer.at(9),       // an optional part is pointed at, and not there
            21..30 => Reason::IsupTruncated.at(20),
            30..32 => Reason::IsupTruncated.at(30),
            _ => Reason::IsupTruncated.at(32), // what ends it
        };
        assert_eq!(read(&CALL[..len]).map(|_| ()), Err(want), "{len} octets");
    }
    assert_eq!(View::new(&CALL[..2]), Err(Reason::IsupTruncated.at(2)));
    let mut twice = CALL[..30].to_vec();
    twice.extend_from_slice(&CALL[20..30]);
    twice.push(0);
    assert_eq!(read(&twice).map(|_| ()), Err(Reason::IsupParamDup.at(30)));
    // Two parameters of ours, one of which an exchange might forget; of other applications there may be several.
    let ours = [APPLICATION_TRANSPORT, 1, CONTEXT];
    for (others, want) in [(true, None), (false, Some(Reason::IsupParamDup.at(35)))] {
        let mut calls = CALL[..32].to_vec();
        calls.extend_from_slice(&ours);
        calls.extend_from_slice(&ours);
        calls.push(0);
        if others {
            (calls[34], calls[37]) = (0x85, 0x85);
        }
        assert_eq!(read(&calls).err(), want, "of others: {others}");
    }
}

#[test]
fn numbers_have_one_reading() {
    let of =
        |content: &[u8]| Number::parse(content, true, 0).ok().and_then(|number| number.digits()).map(|d| d.to_string());
    for (content, want) in [
        (&[0x84, 0x10, 0x21, 0x0f][..], Some("12")), // odd: the upper nibble is filler, ST below
        (&[0x04, 0x10, 0x21, 0xf3], Some("123")),    // even, ST above
        (&[0x04, 0x10, 0x21, 0x43], Some("1234")),
        (&[0x84, 0x10, 0x21, 0x43], Some("123")),
        (&[0x04, 0x10, 0x2b, 0x43], None), // code 11
        (&[0x04, 0x10, 0x2f, 0x43], None), // ST in front
        (&[0x04, 0x40, 0x21, 0x43], None), // telex
        (&[0x04, 0x10], None),
        (&[0x84, 0x10], None),
        (&[0x84, 0x10, 0x0f], None),                   // ST alone
        (&[0x04, 0x10, 1, 2, 3, 4, 5, 6, 7, 8], None), // sixteen
    ] {
        assert_eq!(of(content).as_deref(), want, "{content:02x?}");
    }
    let caller = Number::parse(&[0x04, 0x10, 0x21, 0xf3], false, 0).map(|number| number.digits());
    assert_eq!(caller, Ok(None), "ST ends called numbers alone");
    assert_eq!(Number::parse(&[0x04], true, 7), Err(Reason::IsupNumForm.at(7)));
    for (content, want) in [([0x03, 0x10], false), ([0x84, 0x10], true), ([0x04, 0x40], false)] {
        assert_eq!(Number::parse(&content, true, 0).map(|number| number.is_international()), Ok(want));
    }
}

#[test]
fn a_parameter_goes_in_and_comes_out() -> Result<(), Refusal> {
    for flags in [0, FLAG_CALLED_COPY] {
        let octets = signed(flags);
        let iam = read(&octets)?;
        let found = isup1::parse(&iam.app.ok_or(Reason::IntBug.at(0))?)?;
        assert_eq!((found.header.seq, found.header.flags, found.signature), (5, flags, &[0xaa; 64][..]));
        assert_eq!(found.copy, (flags > 0).then_some(&b"\x01\x0c999010000001"[..]));
        assert_eq!(octets[octets.len() - 65..], [&[0xaa; 64][..], &[0]].concat());
        let mut out = Vec::new();
        assert!(strip(&iam, &mut out));
        assert_eq!(out, CALL);
    }
    // A call without optional part gets one, and loses it again.
    let mut bare = CALL[..20].to_vec();
    bare[9] = 0;
    let iam = read(&bare)?;
    let (mut out, mut parameter, mut back) = (Vec::new(), Vec::new(), Vec::new());
    assert!(isup1::emit_parameter(&[0; 24], &[0; 64], &mut parameter) && append(&iam, &parameter, &mut out));
    assert!(strip(&read(&out)?, &mut back));
    assert_eq!(back, bare);
    // Another application's transport stays.
    let other = [0x78, 3, 0x85, 0x80, 0xc0];
    let (mut both, mut left) = (Vec::new(), Vec::new());
    assert!(append(&read(&CALL)?, &other, &mut both));
    assert_eq!(read(&both)?.app, None);
    assert!(strip(&read(&both)?, &mut left));
    assert_eq!(left, both);
    Ok(())
}

#[test]
fn each_check_of_the_parameter_is_earned_by_one_octet() {
    let good = signed(FLAG_CALLED_COPY);
    let start = read(&good).expect("sound").app.expect("signed").at;
    for (at, octet, want) in [
        (1, 0x81, Reason::SecSyntax.at(start)),
        (2, 0x80, Reason::SecSyntax.at(start)), // goes on with what came before
        (2, 0xc1, Reason::SecSyntax.at(start)), // one more segment follows
        (2, 0x40, Reason::SecSyntax.at(start)), // one more octet of the kind
        (3, 1, Reason::SecSyntax.at(start)),
        (5, 2, Reason::SecVersion.at(start + 5)),
        (6, 9, Reason::SecAlgUnsupported.at(start + 6)),
        (6, 4, Reason::SecSigForm.at(start + 5 + 24 + 15)),
        (7, 3, Reason::SecFlags.at(start + 7)),
        (7, 0x11, Reason::SecFlags.at(start + 7)),
        (7, 0, Reason::SecSigForm.at(start + 5 + 24)),
        (29, 13, Reason::SecSyntax.at(start + 29)),
        (30, 7, Reason::SecSyntax.at(start + 29)),
        (31, 11, Reason::SecSyntax.at(start + 29)),
        (32, b'a', Reason::SecSyntax.at(start + 29)),
    ] {
        let mut bad = good.clone();
        bad[start + at] = octet;
        let app = read(&bad).expect("sound").app.expect("ours");
        assert_eq!(isup1::parse(&app).map(|_| ()), Err(want), "octet {at} set to {octet:02x}");
    }
    // Version, then flags, then algorithm (V5).
    for (version, alg, flags, want) in [
        (2, 9, 3, Reason::SecVersion.at(start + 5)),
        (1, 9, 2, Reason::SecFlags.at(start + 7)),
        (1, 9, 0x81, Reason::SecFlags.at(start + 7)),
        (1, 9, 1, Reason::SecAlgUnsupported.at(start + 6)),
    ] {
        let mut bad = good.clone();
        bad[start + 5..start + 8].copy_from_slice(&[version, alg, flags]);
        let app = read(&bad).expect("sound").app.expect("ours");
        assert_eq!(isup1::parse(&app).map(|_| ()), Err(want), "{version} {alg} {flags:02x}");
    }
}

#[test]
fn an_exchange_sees_who_vouches_for_the_number() -> Result<(), Refusal> {
    // As it arrives: the calling number as if its network had looked, and another one to show instead of it.
    let mut claimed = Vec::new();
    assert!(append(&read(&CALL)?, &[GENERIC_NUMBER, 4, 6, 4, 0x13, 0x21], &mut claimed));
    let (calling, generic) = (23, 36);
    for screened in 0..4 {
        claimed[calling] = 0x10 | screened;
        claimed[generic] = 0x10 | (screened ^ 1);
        let (mut passed, mut unverified, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        assert!(mark(&claimed, Mark::Passed, &mut passed) && mark(&claimed, Mark::Failed, &mut failed));
        assert!(mark(&claimed, Mark::Unverified, &mut unverified));
        let mut want = claimed.clone();
        (want[calling], want[generic]) = (0x13, 0x10);
        assert_eq!(passed, want);
        want[calling] = 0x10;
        assert_eq!(unverified, want);
        let iam = read(&failed)?;
        assert_eq!(iam.calling.map(|number| (number.presentation(), number.digits())), Some((2, None)));
        assert_eq!(iam.optional, [CALLING_NUMBER, 2, 0, 0x0b, 8, 0]);
    }
    let mut passed = Vec::new();
    assert!(!mark(&CALL[..9], Mark::Passed, &mut passed));
    Ok(())
}

proptest::proptest! {
    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..96)) {
        crate::fuzzing::isup::isup(&octets);
    }

    #[test]
    fn a_call_with_octets_changed_panics_nowhere(changes in proptest::collection::vec((0..130_usize, proptest::prelude::any::<u8>()), 1..4)) {
        let mut octets = signed(FLAG_CALLED_COPY);
        for (at, octet) in changes {
            if let Some(place) = octets.get_mut(at) { *place = octet; }
        }
        crate::fuzzing::isup::isup(&octets);
    }
}
