//! ISUP through a whole gateway: calls that leave signed and come in verified, marked, or not at all.

mod common;

use common::isup::{OURS, THEIRS, iam, m3ua, number, signed};
use common::traffic::{Call, chunks_of, frame, inbound, outbound};
use common::{Gateway, NOW_MS, Step, key, policy};
use sealgate_config::model::{Mode, Policy};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::Reason;
use sealgate_wire::isup::{Iam, View};
use sealgate_wire::sec::isup1;

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// The ISUP message that left by a port.
fn left(step: &Step, port: usize) -> Vec<u8> {
    let user = chunks_of(&step.sent[port][0]).remove(0).3;
    sealgate_wire::m3ua::Data::parse(sealgate_wire::m3ua::View::new(&user).expect("M3UA")).expect("DATA").user.to_vec()
}

fn signing(copy_called: bool) -> Policy {
    let mut policy = policy();
    (policy.links[0].isup.sign, policy.links[0].isup.copy_called) = (true, copy_called);
    policy
}

/// What leaves for a call of ours.
fn sent(policy: &Policy, isup: &[u8]) -> (Vec<Reason>, Vec<u8>) {
    let step = Gateway::running(policy).frame(1, &frame(&outbound(), 1, &m3ua(isup, true)), NOW_MS);
    (reasons(&step), left(&step, 0))
}

#[test]
fn a_call_of_ours_leaves_signed_over_what_others_will_see() {
    for copied in [false, true] {
        let plain = iam(OURS, (THEIRS, 4));
        let (verdict, octets) = sent(&signing(copied), &plain);
        assert_eq!(verdict, [Reason::OkSignedEgress]);
        let read = View::new(&octets).and_then(Iam::parse).expect("sound");
        let found = isup1::parse(&read.app.expect("signed")).expect("sound");
        assert_eq!(found.copy.is_some(), copied);
        let mut tbs = Vec::new();
        let (calling, called) = (OURS.parse().expect("digits"), THEIRS.parse().expect("digits"));
        isup1::write_tbs(found.covered, found.copy, &calling, &called, 10, 0, &mut tbs);
        assert!(key("home-ec").public().verify(&tbs, found.signature));
        let mut back = Vec::new();
        assert!(sealgate_wire::isup::strip(&read, &mut back));
        assert_eq!(back, plain);
    }
}

#[test]
fn what_cannot_or_need_not_be_signed_leaves_as_it_came() {
    let good = iam(OURS, (THEIRS, 4));
    let mut answer = good.clone();
    answer[2] = 6; // an address complete message
    let mut cut = good.clone();
    cut.truncate(12);
    let mut long = good.clone();
    long.pop();
    long.extend_from_slice(&[0x03, 160]); // access transport
    long.extend_from_slice(&[0; 161]);
    for (isup, policy, want, why) in [
        (&good, policy(), Reason::OkNotSubject, "the link does not sign"),
        (&answer, signing(false), Reason::OkNotSubject, "no IAM"),
        (&cut, signing(false), Reason::OkNotSubject, "not ours to refuse"),
        (&iam(THEIRS, (OURS, 4)), signing(false), Reason::OkUnsignedAllowed, "not our number"),
        (&iam(OURS, ("20000011", 3)), signing(false), Reason::OkUnsignedAllowed, "a national number"),
        (&long, signing(false), Reason::OkUnsignedAllowed, "no room"),
    ] {
        assert_eq!(sent(&policy, isup), (vec![want], isup.clone()), "{why}");
    }
}

#[test]
fn a_country_code_may_go_only_where_the_called_number_was_copied() {
    let mut gateway = Gateway::running(&policy());
    for (tsn, copied, called, want) in [
        (1, false, (OURS, 4), Reason::OkVerified),
        (2, true, ("10000001", 3), Reason::OkVerified),
        (3, true, ("10000002", 3), Reason::SecCdpaMismatch),
        (4, false, ("10000001", 3), Reason::IsupNumForm),
        (5, false, ("999010000002", 4), Reason::SecSigInvalid),
    ] {
        let isup = signed(&key("a-ec"), copied, called, u64::from(tsn));
        let step = gateway.frame(0, &frame(&inbound(), tsn, &m3ua(&isup, false)), NOW_MS);
        assert_eq!(reasons(&step), [want], "{called:?}, copied: {copied}");
        if want == Reason::OkVerified {
            assert_eq!(left(&step, 1), iam(THEIRS, called));
        }
    }
    let again = signed(&key("a-ec"), false, (OURS, 4), 1);
    let step = gateway.frame(0, &frame(&inbound(), 9, &m3ua(&again, false)), NOW_MS);
    assert_eq!(reasons(&step), [Reason::SecReplay]);
}

/// One signed call and what its sender says of itself.
fn judged(gateway: &mut Gateway, tsn: u32, isup: &[u8]) -> Vec<Reason> {
    reasons(&gateway.frame(0, &frame(&inbound(), tsn, &m3ua(isup, false)), NOW_MS))
}

#[test]
fn a_signature_covers_who_calls_whom_and_what_is_said_of_them() {
    let good = signed(&key("a-ec"), true, (OURS, 4), 1);
    let calling = number(THEIRS, 4, 0, false);
    let plan = good.windows(calling.len()).position(|octets| octets == calling).expect("A calls") + 1;
    let copy = good.windows(12).position(|octets| octets == OURS.as_bytes()).expect("copied");
    let mut gateway = Gateway::running(&policy());
    for (tsn, at, octet, want, why) in [
        (1, 6, 0x0b, Reason::SecSigInvalid, "another category"),
        (2, plan, 0x14, Reason::SecSigInvalid, "presentation restricted"),
        (3, plan, 0x1c, Reason::SecSigInvalid, "presentation 3"),
        (4, plan + 6, 0x01, Reason::SecSigInvalid, "another caller of A"),
        (5, copy, b'8', Reason::SecCdpaMismatch, "another copy than is called"),
        (6, copy - 8, 7, Reason::SecSigInvalid, "another sequence number"),
        (7, 0, 9, Reason::OkVerified, "another circuit"),
    ] {
        let mut bad = good.clone();
        assert_ne!(bad[at], octet, "{why}");
        bad[at] = octet;
        assert_eq!(judged(&mut gateway, tsn, &bad), [want], "{why}");
    }
}

#[test]
fn only_a_certificate_in_force_that_covers_the_caller_counts() {
    for (name, want) in [
        ("a-ec", Reason::OkVerified),
        ("a-ed", Reason::SecKeyType), // the header says ECDSA
        ("b-ec", Reason::CrtResource),
        ("a-expired", Reason::CrtExpired),
        ("a-future", Reason::CrtNotYetValid),
        ("a-revoked", Reason::CrtRevoked),
        ("unknown-ec", Reason::CrtUnknownSai),
    ] {
        let mut gateway = Gateway::running(&policy());
        assert_eq!(judged(&mut gateway, 1, &signed(&key(name), false, (OURS, 4), 1)), [want], "{name}");
    }
}

#[test]
fn a_number_used_before_is_refused_before_anything_dear() {
    let mut gateway = Gateway::running(&policy());
    let first = signed(&key("a-ec"), true, (OURS, 4), 70_000);
    // Before it counts, its signature must hold.
    let mut forged = first.clone();
    *forged.last_mut().expect("octets") = 0;
    let place = forged.len() - 2;
    forged[place] ^= 1;
    assert_eq!(judged(&mut gateway, 1, &forged), [Reason::SecSigInvalid]);
    assert_eq!(judged(&mut gateway, 2, &first), [Reason::OkVerified]);
    assert_eq!(judged(&mut gateway, 3, &forged), [Reason::SecReplay], "its signature is not looked at");
    let elsewhere = signed(&key("a-ec"), true, ("10000002", 3), 70_000);
    assert_eq!(judged(&mut gateway, 4, &elsewhere), [Reason::SecReplay], "nor whom it calls");
    let old = signed(&key("a-ec"), true, (OURS, 4), 1);
    assert_eq!(judged(&mut gateway, 5, &old), [Reason::SecSeqOld]);
    // Two copies in one burst: both pass the first look.
    let copies =
        [6, 7].map(|tsn| frame(&inbound(), tsn, &m3ua(&signed(&key("a-ec"), false, (OURS, 4), 70_001), false)));
    let step = gateway.burst(0, &[&copies[0], &copies[1]], NOW_MS);
    assert_eq!(reasons(&step), [Reason::OkVerified, Reason::SecReplay]);
}

#[test]
fn a_call_signed_before_the_memory_begins_may_be_a_replay() {
    let config = WorkerConfig { journal: true, started_ms: NOW_MS + 1000, ..WorkerConfig::default() };
    let mut gateway = Gateway::new(&policy(), config);
    let step = gateway.frame(
        0,
        &frame(&inbound(), 1, &m3ua(&signed(&key("a-ec"), false, (OURS, 4), 1), false)),
        NOW_MS + 2000,
    );
    assert_eq!(reasons(&step), [Reason::SecTimePast]);
}

#[test]
fn a_call_that_carries_a_signature_already_gets_no_second_one() {
    // Of our own number, signed elsewhere in our network.
    let plain = iam(OURS, (THEIRS, 4));
    let read = View::new(&plain).and_then(Iam::parse).expect("sound");
    let (mut parameter, mut whole) = (Vec::new(), Vec::new());
    assert!(isup1::emit_parameter(&[0; 24], &[0; 64], &mut parameter));
    assert!(sealgate_wire::isup::append(&read, &parameter, &mut whole));
    assert_eq!(sent(&signing(false), &whole), (vec![Reason::OkUnsignedAllowed], whole));
}

/// The call with this screening indicator of its calling number, which no signature covers.
fn screened(mut isup: Vec<u8>, screening: u8) -> Vec<u8> {
    let calling = number(THEIRS, 4, 0, false);
    let at = isup.windows(calling.len()).position(|octets| octets == calling).expect("A calls") + 1;
    isup[at] |= screening;
    isup
}

/// The call with one more optional parameter as the first.
fn with(isup: &[u8], parameter: &[u8]) -> Vec<u8> {
    let optional = 9 + usize::from(isup[9]);
    [&isup[..optional], parameter, &isup[optional..]].concat()
}

#[test]
fn an_exchange_is_told_who_vouches_for_a_number_and_not_what_the_sender_says() {
    use Reason::{OkIgnored, OkUnknownSigner, OkUnsignedAllowed, OkVerified};
    let plain = iam(THEIRS, (OURS, 4));
    let signed = |by: &str| signed(&key(by), false, (OURS, 4), 1);
    let hidden = {
        let mut out = plain.clone();
        out.truncate(out.len() - 11);
        out.extend_from_slice(&[0x0a, 2, 0, 0x0b, 0]); // address not available, says the network
        out
    };
    // A second number to show: an additional calling party number, as verified by its network.
    let (generic, lowered) = ([0xc0, 5, 6, 4, 0x13, 0x21, 0x43], [0xc0, 5, 6, 4, 0x10, 0x21, 0x43]);
    for (mode, isup, want, left_plain, why) in [
        (Mode::Require, signed("a-ec"), OkVerified, screened(plain.clone(), 3), "verified"),
        (Mode::Prefer, signed("a-ec"), OkVerified, screened(plain.clone(), 3), "verified"),
        (Mode::Prefer, plain.clone(), OkUnsignedAllowed, plain.clone(), "not signed"),
        (Mode::Ignore, plain.clone(), OkUnsignedAllowed, plain.clone(), "not signed"),
        (Mode::Ignore, signed("a-ec"), OkIgnored, plain.clone(), "not looked at"),
        (Mode::Prefer, signed("unknown-ec"), OkUnknownSigner, hidden, "signed by nobody we know"),
    ] {
        for said in [0, 1, 3] {
            for second in [false, true] {
                let mut policy = policy();
                policy.links[0].isup.mode = mode;
                policy.links[0].isup.mark = true;
                let (mut isup, mut plain) = (screened(isup.clone(), said), left_plain.clone());
                if second {
                    isup = with(&isup, &generic);
                }
                if second && want != OkUnknownSigner {
                    plain = with(&plain, &lowered);
                }
                let judge = |policy: &Policy| {
                    let frame = frame(&inbound(), 1, &m3ua(&isup, false));
                    let step = Gateway::running(policy).frame(0, &frame, NOW_MS);
                    (reasons(&step), left(&step, 1))
                };
                assert_eq!(judge(&policy), (vec![want], plain), "{mode:?}, {why}, screening {said}, second: {second}");
                // Where the operator did not ask for it, a number stays what its network said.
                policy.links[0].isup.mark = false;
                let read = View::new(&isup).and_then(Iam::parse).expect("sound");
                let mut stripped = Vec::new();
                assert!(sealgate_wire::isup::strip(&read, &mut stripped));
                assert_eq!(judge(&policy), (vec![want], stripped), "{mode:?}, {why}, screening {said}, unmarked");
            }
        }
    }
}

#[test]
fn a_call_without_a_number_passes_where_none_is_required() {
    let mut nameless = iam(THEIRS, (OURS, 4));
    nameless.truncate(nameless.len() - 11);
    nameless.push(0);
    let mut policy = policy();
    for (mode, want) in [
        (Mode::Ignore, Reason::OkUnsignedAllowed),
        (Mode::Prefer, Reason::OkUnsignedAllowed),
        (Mode::Require, Reason::IsupCgpnMissing),
    ] {
        policy.links[0].isup.mode = mode;
        let step = Gateway::running(&policy).frame(0, &frame(&inbound(), 1, &m3ua(&nameless, false)), NOW_MS);
        assert_eq!(reasons(&step), [want], "{mode:?}");
    }
}

#[test]
fn sccp_beside_it_is_not_touched() {
    let mut gateway = Gateway::running(&policy());
    let call = Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS);
    assert_eq!(reasons(&gateway.frame(0, &frame(&inbound(), 1, &call), NOW_MS)), [Reason::OkVerified]);
}
