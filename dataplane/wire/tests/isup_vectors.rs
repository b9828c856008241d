//! Every ISUP frame of the shared vectors: refused by the codec exactly where the vector names one of its reasons, the octets
//! that a signature covers as the vector gives them, and stripped to the octet.

mod vectors;

use std::time::Duration;

use sealgate_wire::addr::Digits;
use sealgate_wire::isup::{self, Iam, View};
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::sec::isup1;
use vectors::Step;

/// What decoding and the parameter can say without a key and without memory; everything else is policy, trust or signature.
const OURS: &[Reason] = &[
    Reason::IsupTruncated,
    Reason::IsupPointer,
    Reason::IsupParamDup,
    Reason::IsupNumForm,
    Reason::SecCdpaMismatch,
    Reason::SecTimePast,
    Reason::SecTimeFuture,
    Reason::SecSyntax,
    Reason::SecVersion,
    Reason::SecFlags,
    Reason::SecAlgUnsupported,
    Reason::SecSigForm,
];

/// The ISUP message of the first DATA chunk; `None`: a filler.
fn message_of(frame: &[u8]) -> Option<Vec<u8>> {
    vectors::service_of(frame, 5)
}

fn steps() -> Vec<Step> {
    vectors::steps("isup", message_of)
}

/// Everything about a message that needs neither key nor memory, in the order of formats 9; `true`: an IAM that is signed.
fn check(octets: &[u8], at_ms: u64, tbs: &mut Vec<u8>) -> Result<bool, Refusal> {
    let view = View::new(octets)?;
    if view.kind() != isup::IAM {
        return Ok(false);
    }
    let iam = Iam::parse(view)?;
    let calling = iam.calling.ok_or(Reason::IsupCgpnMissing.at(2))?;
    let form = Reason::IsupNumForm.at(2);
    let number = calling.digits().filter(|_| calling.is_international()).ok_or(form)?;
    let called = iam.called.digits().ok_or(form)?;
    let Some(app) = &iam.app else { return Ok(false) };
    let found = isup1::parse(app)?;
    let window = (Duration::from_secs(10), Duration::from_secs(5));
    found.header.tvp.check(at_ms, window.0, window.1).map_err(|reason| reason.at(0))?;
    match found.copy {
        Some(copy) => {
            let copied: Digits = String::from_utf8_lossy(&copy[2..]).parse().expect("digits");
            if !copied.to_string().ends_with(&called.to_string()) {
                return Err(Reason::SecCdpaMismatch.at(0));
            }
        }
        None if !iam.called.is_international() => return Err(form),
        None => {}
    }
    isup1::write_tbs(found.covered, found.copy, &number, &called, iam.cpc, calling.presentation(), tbs);
    Ok(true)
}

#[test]
fn each_message_is_refused_where_its_vector_says() {
    let (mut refused, mut covered, mut steps_seen) = (0, 0, 0);
    for Step { id, message, at_ms, reason, tbs, .. } in steps() {
        let mut ours = Vec::new();
        let got = check(&message, at_ms, &mut ours);
        let want = OURS.contains(&reason).then_some(reason);
        assert_eq!(got.err().map(|refusal| refusal.reason), want, "{id}: {got:?}");
        if let Some(tbs) = tbs {
            assert_eq!((got, ours), (Ok(true), tbs), "{id}");
            covered += 1;
        }
        refused += usize::from(want.is_some());
        steps_seen += 1;
    }
    assert_eq!((steps_seen, refused, covered), (12, 5, 2), "is-007 to is-010 and is-012; is-001 and is-006");
}

#[test]
fn what_passes_leaves_without_our_parameter() {
    let mut stripped = 0;
    for Step { id, message, reason, out_upper, out_frame, .. } in steps() {
        if !reason.passes() {
            assert_eq!(out_frame.and_then(|frame| message_of(&frame)), None, "{id}: a filler leaves");
            continue;
        }
        let out = out_frame.and_then(|frame| message_of(&frame)).or(out_upper).unwrap_or_else(|| message.clone());
        let view = View::new(&message).expect("sound");
        let mut made = message.clone();
        if view.kind() == isup::IAM {
            let iam = Iam::parse(view).expect("sound");
            made.clear();
            assert!(isup::strip(&iam, &mut made), "{id}");
            stripped += usize::from(iam.app.is_some());
        }
        assert_eq!(made, out, "{id}");
    }
    assert_eq!(stripped, 2);
}
