//! Reading, checking, signing, marking and refusing an INVITE allocates nothing once its buffers are warm.

#[path = "counting/allocator.rs"]
mod allocator;

use sealgate_wire::addr::Digits;
use sealgate_wire::sec::passport::{self, Attest, Compact, Identity, Outgoing, Scratch};
use sealgate_wire::sip::{self, Borders, Message, Name, Piece, Verstat};

const INVITE: &[u8] = b"INVITE sip:+999015550001@home.example SIP/2.0\r\nv : SIP/2.0/TCP a;branch=z9hG4bKa\r\n\
    From: <sip:+999025550001@a.example;verstat=x;user=phone>;tag=1\r\nTo:\r\n <tel:+999015550001>\r\nCall-ID: a\r\n\
    CSeq: 1 INVITE\r\nP-Asserted-Identity: <sip:bob@a.example>, <tel:+999025550001>\r\n\
    Date: Wed, 18 Nov 2026 11:06:40 GMT\r\nContent-Length: 5\r\n\r\nv=0\r\n";
const NOW: u64 = 1_795_000_000;

/// Buffers of a worker.
#[derive(Default)]
struct Warm {
    scratch: Scratch,
    line: Vec<u8>,
    signed: Vec<u8>,
    out: Vec<u8>,
}

/// An INVITE signed by us, in full or compact form, checked as a neighbour would, then marked, refused and overwritten.
fn there_and_back(compact_form: bool, warm: &mut Warm) {
    let plain = Message::stream(INVITE).expect("sound");
    let dest: [Digits; 1] = [plain.called().expect("a number").digits];
    let orig = plain.calling(true).expect("a number").digits;
    let outgoing = Outgoing {
        x5u: "https://certs.example/a.pem",
        attest: Attest::A,
        origid: "123e4567-e89b-12d3-a456-426655440000",
        orig,
        dest: &dest,
        iat: NOW,
    };
    warm.line.clear();
    let input = outgoing.input(&mut warm.scratch).expect("plain");
    if compact_form {
        passport::emit_identity(b".", &[0x55; 64], outgoing.x5u.as_bytes(), None, &mut warm.line);
    } else {
        outgoing.emit(input, &[0x55; 64], &mut warm.line);
    }
    warm.signed.clear();
    assert!(sip::rebuild(&plain.view, true, |_| false, &warm.line, &mut warm.signed));
    assert_eq!(Borders::default().next(&warm.signed), Ok(Some(Piece::Message(warm.signed.len()))));
    let message = Message::stream(&warm.signed).expect("ours");
    assert!(message.is_initial_invite() && message.branch().is_some());
    let identity: Identity<'_> = passport::select(&message, |_| false).expect("one");
    let date = message.date().expect("sound");
    let compact = Compact { orig: &orig, dest: &dest[0], date };
    let passport = identity.read(&compact, &mut warm.scratch).expect("ours");
    assert!(passport::x5u_host(identity.info).is_some());
    assert_eq!(passport::fresh(NOW, passport.claims.iat, date, 60), Ok(()));
    assert_eq!(passport::div_chain(&passport, &[], &orig, &dest[0]), Ok(()));
    assert_eq!(passport.attested(Attest::A), Ok(()));
    assert_eq!(identity.signature(), Ok([0x55; 64]));
    warm.out.clear();
    let is_identity = |header: &sip::Header<'_>| header.name == Name::Identity;
    assert_eq!(sip::mark(&message, Some(Verstat::Passed), true, is_identity, b"", &mut warm.out), Ok(()));
    warm.out.clear();
    warm.line.clear();
    sip::emit_reason(438, false, Some(identity.signature_text()), &mut warm.line);
    assert!(sip::emit_rejection(&message, 438, false, b"sg", &warm.line, &mut warm.out));
    sip::fill(warm.out.len(), 0, &mut warm.out);
}

#[test]
fn a_warm_worker_allocates_nothing() {
    let mut warm = Warm::default();
    let mut turns = || [false, true].into_iter().for_each(|form| there_and_back(form, &mut warm));
    turns();
    let before = allocator::so_far();
    (0..10).for_each(|_| turns());
    assert_eq!(allocator::so_far() - before, 0);
    assert!(before > 0, "the counter counts");
}
