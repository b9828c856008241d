//! SMS home routing through a whole gateway: what no signature, but a rule or `screening` changes of it. How it is evaded:
//! `evasions/home_routing.rs`.

mod common;

use common::traffic::{Call, digits, frame, inbound};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::{Action, Check, Match, Policy, RouterTitle, Rule, Screening, SmsRouter};
use sealgate_dataplane::pipeline::Record;
use sealgate_wire::{Reason, map, tcap};

/// Our HLR and our router.
const HLR: &str = "999010000001";
const ROUTER: &str = "99901000077";

fn routed() -> Policy {
    let mut policy = policy();
    let title = RouterTitle { digits: digits(ROUTER), prefix: false };
    policy.home.sms_router = Some(SmsRouter { gt: vec![title], hosts: Vec::new() });
    policy
}

/// What becomes of a signed sendRoutingInfoForSM of A to a title of ours.
fn judge(policy: &Policy, called: &'static str) -> Record {
    let call = Call { called, ..Call::inbound(1) };
    let (mut argument, mut component, mut message) = (Vec::new(), Vec::new(), Vec::new());
    map::send_routing_info_for_sm(&digits("999015550001"), &digits(call.calling), &mut argument);
    tcap::emit_invoke(1, 45, &argument, &mut component);
    let id = tcap::Tid::new(&[0, 0, 0, 1]).expect("four octets");
    tcap::emit_begin(id, Some(&[4, 0, 0, 1, 0, 20, 3]), &component, &mut message);
    let user = call.m3ua(&call.udt(&call.sign(&message, &key("a-ec"), 1, NOW_MS)));
    let step = Gateway::running(policy).frame(0, &frame(&inbound(), 1, &user), NOW_MS);
    assert_eq!(step.records.len(), 1);
    step.records[0]
}

#[test]
fn a_good_signature_does_not_lead_past_the_router() {
    assert_eq!(judge(&policy(), HLR).reason, Reason::OkVerified, "where there is none");
    let record = judge(&routed(), HLR);
    assert_eq!(record.reason, Reason::PolHomeRouting);
    assert!(record.at > 40, "where its operation begins, octet {}", record.at);
    assert_eq!(judge(&routed(), ROUTER).reason, Reason::OkVerified);
}

#[test]
fn hosts_alone_say_nothing_of_titles() {
    let mut policy = routed();
    let router = policy.home.sms_router.as_mut().expect("set");
    (router.gt, router.hosts) = (Vec::new(), vec!["smsr.epc.mnc001.mcc001.3gppnetwork.org".to_owned()]);
    assert_eq!(judge(&policy, HLR).reason, Reason::OkVerified);
}

#[test]
fn who_is_only_looked_at_passes_and_is_counted() {
    for screening in [Screening::Learn, Screening::Test] {
        let mut policy = routed();
        policy.peers[0].screening = screening;
        let record = judge(&policy, HLR);
        assert_eq!((record.reason, record.would), (Reason::OkVerified, Some(Reason::PolHomeRouting)));
        assert_eq!(judge(&policy, ROUTER).would, None);
    }
}

#[test]
fn a_rule_lets_one_peer_ask_the_register_itself() {
    let with = |overrides: Vec<Check>| {
        let mut policy = routed();
        let matches = Match { peer: vec!["A".to_owned()], opcode: vec![45], ..Match::default() };
        policy.rules = vec![Rule { id: "own".to_owned(), matches, action: Action::Allow, overrides, log: false }];
        judge(&policy, HLR).reason
    };
    assert_eq!(with(vec![Check::HomeRouting]), Reason::OkAllowList);
    assert_eq!(with(vec![Check::Cat1, Check::XlayerAddr]), Reason::PolHomeRouting);
}
