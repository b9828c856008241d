//! ISUP through a whole gateway: calls that leave signed and come in verified, marked, or not at all.

mod common;

use common::traffic::{Call, chunks_of, frame, inbound, outbound};
use common::{Gateway, NOW_MS, Step, key, policy};
use sealgate_config::model::{Mode, Policy};
use sealgate_wire::addr::PointCode;
use sealgate_wire::isup::{Iam, View};
use sealgate_wire::sec::isup1;
use sealgate_wire::{Reason, m3ua};

/// A number parameter's content: international, E.164, `screen`ed, with ST if `complete`.
fn number(digits: &str, nature: u8, screen: u8, complete: bool) -> Vec<u8> {
    let mut nibbles: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    nibbles.extend(complete.then_some(15));
    let odd = nibbles.len() % 2;
    nibbles.extend((odd == 1).then_some(0));
    let mut out = vec![(odd as u8) << 7 | nature, 0x10 | screen];
    out.extend(nibbles.chunks(2).map(|pair| pair[0] | pair[1] << 4));
    out
}

/// An IAM; `called`: digits and nature of address.
fn iam(calling: &str, called: (&str, u8)) -> Vec<u8> {
    let called = number(called.0, called.1, 0, true);
    let calling = number(calling, 4, 0, false);
    let mut out = vec![7, 0, 1, 0, 0x20, 0, 10, 0, 2, called.len() as u8 + 2, called.len() as u8];
    out.extend_from_slice(&called);
    out.extend_from_slice(&[0x0a, calling.len() as u8]);
    out.extend_from_slice(&calling);
    out.push(0);
    out
}

/// The M3UA message around an ISUP message.
fn m3ua(isup: &[u8], outward: bool) -> Vec<u8> {
    let (opc, dpc) = if outward { (4112, 4128) } else { (4128, 4112) };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(opc),
        dpc: PointCode(dpc),
        si: 5,
        ni: 0,
        mp: 0,
        sls: 3,
        user: isup,
    };
    let mut out = Vec::new();
    assert!(data.emit(&mut out));
    out
}

fn reasons(step: &Step) -> Vec<Reason> {
    step.records.iter().map(|record| record.reason).collect()
}

/// The ISUP message that left by a port.
fn left(step: &Step, port: usize) -> Vec<u8> {
    let user = chunks_of(&step.sent[port][0]).remove(0).3;
    m3ua::Data::parse(m3ua::View::new(&user).expect("M3UA")).expect("DATA").user.to_vec()
}

fn signing(copy_called: bool) -> Policy {
    let mut policy = policy();
    (policy.links[0].isup.sign, policy.links[0].isup.copy_called) = (true, copy_called);
    policy
}

const OURS: &str = "999010000001";
const THEIRS: &str = "999020000011";

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

/// A call of A, signed as A's gateway would.
fn signed(copied: bool, called: (&str, u8), seq: u64) -> Vec<u8> {
    let plain = iam(THEIRS, called);
    let read = View::new(&plain).and_then(Iam::parse).expect("sound");
    let key = key("a-ec");
    let tvp = sealgate_wire::sec::Tvp::from_unix_ms(NOW_MS);
    let sai = key.public().sai();
    let header = sealgate_wire::sec::Header { alg: 1, flags: 0, node: 1, sai, tvp, seq, copy: None };
    let (calling, ours) = (THEIRS.parse().expect("digits"), OURS.parse().expect("digits"));
    let (mut covered, mut tbs, mut parameter, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    isup1::put_covered(&header, copied.then_some(&ours), &mut covered);
    let copy = covered.get(25..).filter(|_| copied);
    isup1::write_tbs(&covered, copy, &calling, &ours, 10, 0, &mut tbs);
    let mut signature = [0; 256];
    assert_eq!(key.sign(&tbs, &mut signature).expect("signed"), 64);
    assert!(isup1::emit_parameter(&covered, &signature[..64], &mut parameter));
    assert!(sealgate_wire::isup::append(&read, &parameter, &mut out));
    out
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
        let isup = signed(copied, called, u64::from(tsn));
        let step = gateway.frame(0, &frame(&inbound(), tsn, &m3ua(&isup, false)), NOW_MS);
        assert_eq!(reasons(&step), [want], "{called:?}, copied: {copied}");
        if want == Reason::OkVerified {
            assert_eq!(left(&step, 1), iam(THEIRS, called));
        }
    }
    let again = signed(false, (OURS, 4), 1);
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
    assert_eq!(marked(&policy, &signed(false, (OURS, 4), 1)), (vec![Reason::OkVerified], shown));
    policy.links[0].isup.mode = Mode::Ignore;
    let plain = iam(THEIRS, (OURS, 4));
    assert_eq!(marked(&policy, &signed(false, (OURS, 4), 1)), (vec![Reason::OkIgnored], plain.clone()));
    assert_eq!(marked(&policy, &plain), (vec![Reason::OkUnsignedAllowed], plain));
}

#[test]
fn sccp_beside_it_is_not_touched() {
    let mut gateway = Gateway::running(&policy());
    let call = Call::inbound(1).signed(&key("a-ec"), 5, NOW_MS);
    assert_eq!(reasons(&gateway.frame(0, &frame(&inbound(), 1, &call), NOW_MS)), [Reason::OkVerified]);
}
