//! ISUP through a whole gateway: calls that leave signed and come in verified, marked, or not at all.

mod common;

use common::isup::{OURS, THEIRS, iam, m3ua, signed};
use common::traffic::{Call, chunks_of, frame, inbound, outbound};
use common::{Gateway, NOW_MS, Step, key, policy};
use sealgate_config::model::{Mode, Policy};
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

#[test]
fn a_link_without_need_takes_signatures_off_and_marks_only_what_held() {
    let mut policy = policy();
    policy.links[0].isup.mark = true;
    let marked = |policy: &Policy, isup: &[u8]| {
        let step = Gateway::running(policy).frame(0, &frame(&inbound(), 1, &m3ua(isup, false)), NOW_MS);
        (reasons(&step), left(&step, 1))
    };
    let mut shown = iam(THEIRS, (OURS, 4));
    let at = shown.len() - 1 - 6 - 1; // plan and screening of the calling number
    shown[at] |= 3;
    assert_eq!(marked(&policy, &signed(&key("a-ec"), false, (OURS, 4), 1)), (vec![Reason::OkVerified], shown));
    policy.links[0].isup.mode = Mode::Ignore;
    let plain = iam(THEIRS, (OURS, 4));
    assert_eq!(marked(&policy, &signed(&key("a-ec"), false, (OURS, 4), 1)), (vec![Reason::OkIgnored], plain.clone()));
    assert_eq!(marked(&policy, &plain), (vec![Reason::OkUnsignedAllowed], plain.clone()));
    // Nobody vouches for the number of an unsigned call: whether it is there is not asked, but where one is required.
    let mut nameless = plain;
    nameless.truncate(nameless.len() - 11);
    nameless.push(0);
    let mut policy = common::policy();
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
