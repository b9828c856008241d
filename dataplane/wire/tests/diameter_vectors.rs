//! Every Diameter frame of the shared vectors: refused by the codec exactly where the vector names one of its reasons, the
//! octets that a signature covers as the vector gives them, and stripped, signed or replaced to the octet.

mod vectors;

use std::time::Duration;

use sealgate_wire::diameter::{self, Avp, AvpId, FLAG_VENDOR, Message, View, WATCHDOG_ANSWER};
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::sec::dess::{Group, Signer, SystemTime};
use sealgate_wire::sec::{Sorter, dia0, dia1};
use vectors::Step;

/// What decoding can say; everything else in the vectors is state, policy, trust or signature.
const CODEC: &[Reason] = &[
    Reason::DiaVersion,
    Reason::DiaLength,
    Reason::DiaFlags,
    Reason::DiaAvpLength,
    Reason::DiaAvpDepth,
    Reason::DiaAvpDup,
    Reason::DiaOriginMissing,
];

/// What the security AVPs say of themselves, without a key and without memory.
const SECURITY: &[Reason] = &[
    Reason::SecIdentityMissing,
    Reason::SecSyntax,
    Reason::SecVersion,
    Reason::SecFlags,
    Reason::SecAlgUnsupported,
    Reason::SecSigForm,
    Reason::SecTimePast,
    Reason::SecTimeFuture,
];

/// The Diameter message of the first DATA chunk.
fn message_of(frame: &[u8]) -> Option<Vec<u8>> {
    let (ppid, user) = vectors::user_of(frame)?;
    (ppid == diameter::PPID).then_some(user)
}

fn steps(file: &str) -> Vec<Step> {
    vectors::steps(file, message_of)
}

const FILES: [(&str, bool); 2] = [("diameter_native", true), ("diameter_dess", false)];

#[test]
fn the_codec_refuses_what_the_vectors_name() {
    let mut refused = 0;
    for (file, _) in FILES {
        for Step { id, message, reason, .. } in steps(file) {
            let want = CODEC.contains(&reason).then_some(reason);
            let got = Message::parse(&message);
            assert_eq!(got.err().map(|refusal| refusal.reason), want, "{id} {:?}", got.err());
            refused += usize::from(want.is_some());
            if let Ok(message) = got {
                assert_eq!(message.header.is_hop_local(), reason == Reason::OkNotSubject, "{id}");
                assert!(message.canonical, "{id}");
            }
        }
    }
    assert_eq!(refused, 4, "dn-004, dn-016, dn-017, dn-018");
}

/// What a signed message says of itself and what its signature covers.
fn security(message: &Message<'_>, native: bool, at_ms: u64, tbs: &mut Vec<u8>) -> Option<Result<(), Refusal>> {
    let dess = message.dess?;
    let mut sorter = Sorter::new();
    let mut check = || {
        let group = Group::read(&dess)?;
        assert_eq!(group.is_native(), native);
        let in_window = |result: Result<(), Reason>| result.map_err(|reason| reason.at(dess.at));
        if native {
            let found = dia1::parse(&group)?;
            in_window(found.header.tvp.check(at_ms, Duration::from_secs(10), Duration::from_secs(5)))?;
            dia1::write_tbs(&message.view, found.covered, group.parts(), &mut sorter, tbs)
        } else {
            let claim = group.claim()?;
            in_window(claim.time.check(at_ms, Duration::from_secs(30), Duration::from_secs(30)))?;
            dia0::write_tbs(&message.view, group.parts(), &mut sorter, tbs)
        }
    };
    Some(check())
}

#[test]
fn signatures_cover_what_the_vectors_say() {
    let (mut compared, mut refused) = (0, 0);
    for (file, native) in FILES {
        for Step { id, message, at_ms, reason, tbs: want, .. } in steps(file) {
            let Ok(message) = Message::parse(&message) else { continue };
            let mut tbs = Vec::new();
            let Some(got) = security(&message, native, at_ms, &mut tbs) else {
                assert!(want.is_none(), "{id}");
                continue;
            };
            let named = SECURITY.contains(&reason).then_some(reason);
            assert_eq!(got.err().map(|refusal| refusal.reason), named, "{id} {got:?}");
            refused += usize::from(named.is_some());
            if let Some(want) = want {
                assert_eq!(tbs, want, "{id}");
                compared += 1;
            }
        }
    }
    assert_eq!((compared, refused), (8, 4), "strings compared, refused");
}

#[test]
fn what_passes_leaves_without_its_signature() {
    let mut stripped = 0;
    for (file, _) in FILES {
        for Step { id, message, out_upper, out_frame, .. } in steps(file) {
            let Some(want) = out_upper else { continue };
            let parsed = Message::parse(&message).expect("passes");
            let mut out = Vec::new();
            assert!(diameter::rebuild(&parsed.view, |avp| Some(*avp) == parsed.dess, &[], &mut out));
            assert_eq!(out, want, "{id}");
            assert_eq!(out_frame.and_then(|frame| message_of(&frame)), Some(out), "{id}");
            stripped += usize::from(parsed.dess.is_some());
        }
    }
    assert_eq!(stripped, 11);
}

#[test]
fn what_is_refused_becomes_the_filler() {
    let mut replaced = 0;
    for (file, _) in FILES {
        for Step { id, reason, out_frame, .. } in steps(file).into_iter().filter(|step| !step.reason.passes()) {
            let out = out_frame.and_then(|frame| message_of(&frame));
            assert_eq!(out.as_deref(), Some(&WATCHDOG_ANSWER[..]), "{id} {reason:?}");
            replaced += 1;
        }
    }
    assert_eq!(replaced, 27);
}

#[test]
fn our_signer_writes_the_same_message() {
    let mut signed = 0;
    for (file, native) in FILES {
        for Step { id, message, out_upper, tbs: want, .. } in steps(file) {
            let Ok(parsed) = Message::parse(&message) else { continue };
            let (Some(dess), Some(unsigned)) = (parsed.dess, out_upper) else { continue };
            let group = Group::read(&dess).expect("passes");
            let claim = group.claim().expect("passes");
            let protection = native.then(|| dia1::parse(&group).expect("passes"));
            let alg = protection.map_or(3, |found| found.header.alg);
            let signer = Signer::new(claim.identity, claim.time, alg, protection.map(|found| found.covered));
            let view = View::new(&unsigned).expect("ours");
            let (mut sorter, mut tbs, mut added, mut out) = (Sorter::new(), Vec::new(), Vec::new(), Vec::new());
            let done = match protection {
                Some(found) => dia1::write_tbs(&view, found.covered, signer.parts(), &mut sorter, &mut tbs),
                None => dia0::write_tbs(&view, signer.parts(), &mut sorter, &mut tbs),
            };
            assert_eq!(done, Ok(()), "{id}");
            assert!(want.is_none_or(|want| want == tbs), "{id}");
            assert!(signer.emit(claim.signature, &mut added));
            assert_eq!(added.len(), signer.len(claim.signature.len()), "{id}");
            assert!(diameter::rebuild(&view, |_| false, &added, &mut out));
            assert_eq!(out, message, "{id}");
            signed += 1;
        }
    }
    assert_eq!(signed, 11);
}

#[test]
fn system_times_are_of_the_moment_of_signing() {
    for (file, _) in FILES {
        for Step { id, message, at_ms, reason, .. } in steps(file) {
            let Ok(Message { dess: Some(dess), .. }) = Message::parse(&message) else { continue };
            let Ok(claim) = Group::read(&dess).expect("sound").claim() else { continue };
            let aside = [Reason::SecTimePast, Reason::SecTimeFuture].contains(&reason);
            assert_eq!(claim.time == SystemTime::from_unix_ms(at_ms), !aside, "{id}");
        }
    }
}

/// Bits of each octet that may change on the way: what formats 6 and 7 leave uncovered, and the signature itself.
fn uncovered(octets: &[u8], native: bool) -> Vec<u8> {
    let message = Message::parse(octets).expect("sound");
    let dess = message.dess.expect("signed");
    let mut free = vec![0; octets.len()];
    free[4] = if native { 0x10 } else { 0xff };
    free[12..16].fill(0xff); // hop-by-hop
    let mut leave = |avp: &Avp<'_>, flags: u8, vendor: bool| {
        free[avp.at + 4] = flags;
        let behind = avp.data_at() + avp.data.len();
        free[behind..avp.at + avp.raw.len()].fill(0xff);
        if vendor && avp.flags & FLAG_VENDOR != 0 {
            free[avp.at + 8..avp.at + 12].fill(0xff);
        }
    };
    for avp in message.view.avps().flatten() {
        leave(&avp, if native { 0x3f } else { 0x7f }, !native && avp != dess);
    }
    leave(&dess, 0x7f, false);
    for child in dess.children().flatten() {
        leave(&child, if native { 0x3f } else { 0x1f }, false);
    }
    let routes = |avp: &Avp<'_>| matches!(avp.id.code(), 282) || native && avp.id == AvpId::PROXY_INFO;
    let signature = |avp: &Avp<'_>| avp.id == AvpId::DESS_DIGITAL_SIGNATURE;
    let left_out = message.view.avps().flatten().filter(routes).chain(dess.children().flatten().filter(signature));
    left_out.for_each(|avp| free[avp.at..avp.at + avp.raw.len()].fill(0xff));
    free
}

#[test]
fn each_bit_is_covered_that_is_not_left_out() {
    let (mut covered, mut left_out) = (0, 0);
    for (file, native, ids) in
        [("diameter_native", true, ["dn-001", "dn-003"]), ("diameter_dess", false, ["dd-001", "dd-003"])]
    {
        for Step { id, message: octets, at_ms, .. } in steps(file).into_iter().filter(|step| ids.contains(&&*step.id)) {
            let free = uncovered(&octets, native);
            let (mut want, mut got) = (Vec::new(), Vec::new());
            security(&Message::parse(&octets).expect("sound"), native, at_ms, &mut want)
                .expect("signed")
                .expect("sound");
            for (at, free) in free.iter().enumerate() {
                for bit in (0..8).map(|bit| 1 << bit) {
                    let mut changed = octets.clone();
                    changed[at] ^= bit;
                    let Ok(message) = Message::parse(&changed) else { continue };
                    let Some(group) = message.dess.and_then(|dess| Group::read(&dess).ok()) else { continue };
                    if group.is_native() != native || group.claim().is_err() {
                        continue;
                    }
                    let Some(Ok(())) = security(&message, native, at_ms, &mut got) else { continue };
                    assert!(got != want || free & bit != 0, "{id}: bit {bit:#x} of octet {at} may change unseen");
                    covered += usize::from(got != want);
                    left_out += usize::from(got == want);
                }
            }
        }
    }
    assert!(covered > 8000 && left_out > 4000, "{covered} changes seen, {left_out} left out");
}
