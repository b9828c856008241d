//! Operator rules on their way through the real pipeline: what each action does, in each protocol, and what a peer that is only
//! learned or tested is counted for (formats 13.1, 13.3).

mod common;

use common::{Gateway, NOW_MS, Step, gtp, hex, policy, traffic, vectors};
use sealgate_config::model::Policy;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::policy::rules::tag_of;
use sealgate_wire::Reason;

/// The policy of the vectors with these lines behind it; `{}` before them: what `defaults` and peers say besides.
fn with(rules: &str, changes: &[(&str, &str)]) -> Policy {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors-policy.yaml");
    let mut text = std::fs::read_to_string(path).expect("the policy of the vectors");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text.push_str(rules);
    sealgate_config::parse_policy(&text, "rules").unwrap_or_else(|faults| panic!("{faults}"))
}

/// The frame of a vector.
fn frame(file: &str, id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(vectors().join(format!("{file}.json"))).expect("vectors");
    let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let all = parsed["vectors"].as_array().expect("vectors");
    let vector = all.iter().find(|vector| vector["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    hex(vector["frames"][0]["frame_hex"].as_str().expect("hex"))
}

/// The same message of MAP under another number.
fn renumbered(frame: &[u8], tsn: u32) -> Vec<u8> {
    let (_, _, _, user) = traffic::chunks_of(frame).remove(0);
    traffic::frame(&traffic::inbound(), tsn, &user)
}

fn running(policy: &Policy) -> Gateway {
    Gateway::new(policy, WorkerConfig { journal: true, ..WorkerConfig::default() })
}

/// Reasons, and the rule that counted.
fn verdicts(step: &Step) -> Vec<(Reason, u64)> {
    step.records.iter().map(|record| (record.reason, record.rule)).collect()
}

/// What becomes of a frame from interconnect under this policy.
fn judge(policy: &Policy, octets: &[u8]) -> (Reason, u64) {
    let step = running(policy).frame(0, octets, NOW_MS);
    let all = verdicts(&step);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]
}

/// sendAuthenticationInfo of peer B, unsigned, which passes.
const SAI: (&str, &str) = ("tcap_policy", "tp-034");
/// anyTimeInterrogation, of category 1.
const ATI: (&str, &str) = ("tcap_policy", "tp-001");

#[test]
fn the_first_rule_that_matches_counts() {
    let sai = frame(SAI.0, SAI.1);
    assert_eq!(judge(&policy(), &sai), (Reason::OkUnsignedAllowed, 0), "without rules");
    let rules = "
rules:
  - {id: other, match: {protocol: map, opcode: [45]}, action: drop}
  - {id: no-sai, match: {protocol: map, direction: in, peer: [B], opcode: [56], signature: [absent]}, action: drop}
  - {id: all, match: {}, action: allow}
";
    assert_eq!(judge(&with(rules, &[]), &sai), (Reason::PolRule, tag_of("no-sai")));
    let record = running(&with(rules, &[])).frame(0, &sai, NOW_MS).records[0];
    assert!(record.at > 40, "where its operation begins, octet {}", record.at);
    for unfit in ["direction: out", "peer: [A]", "opcode: [57]", "signature: [valid]", "protocol: cap"] {
        let key = unfit.split(':').next().expect("a key");
        let old = ["protocol: map", "direction: in", "peer: [B]", "opcode: [56]", "signature: [absent]"];
        let old = old.iter().find(|one| one.starts_with(key)).expect("that key");
        let at = rules.find("no-sai").expect("the rule");
        let changed = format!("{}{}", &rules[..at], rules[at..].replacen(old, unfit, 1));
        assert_eq!(judge(&with(&changed, &[]), &sai), (Reason::OkUnsignedAllowed, tag_of("all")), "{unfit}");
    }
}

#[test]
fn every_key_of_a_match_is_asked_of_the_message() {
    let sai = frame(SAI.0, SAI.1);
    let of = |matches: &str| {
        let rules = format!("\nrules:\n  - {{id: r, match: {{{matches}}}, action: drop}}\n");
        judge(&with(&rules, &[]), &sai).0
    };
    for (fits, not) in [
        ("ac: [\"0.4.0.0.1.0.14.3\"]", "ac: [\"0.4.0.0.1.0.14.2\"]"),
        ("calling_gt: [\"99903000\"]", "calling_gt: [\"999031\"]"),
        ("called_gt: [\"99901\"]", "called_gt: [\"99902\"]"),
        ("opc: [4144]", "opc: [4128]"),
        ("imsi_prefix: [\"00101\"]", "imsi_prefix: [\"00103\"]"),
        ("time: {from: \"11:00\", to: \"13:00\"}", "time: {from: \"13:00\", to: \"11:00\"}"),
        ("time: {from: \"13:00\", to: \"14:00\", tz: \"+02:00\"}", "time: {from: \"13:00\", to: \"14:00\"}"),
    ] {
        assert_eq!((of(fits), of(not)), (Reason::PolRule, Reason::OkUnsignedAllowed), "{fits}");
    }
}

#[test]
fn a_signer_is_asked_about_where_there_is_one() {
    let signed = frame("tcap_native", "tn-001");
    assert_eq!(judge(&policy(), &signed).0, Reason::OkVerified);
    let of = |matches: &str| {
        let rules = format!("\nrules:\n  - {{id: r, match: {{{matches}}}, action: drop}}\n");
        judge(&with(&rules, &[]), &signed).0
    };
    assert_eq!(of("signer: {role: [csp]}"), Reason::PolRule);
    assert_eq!(of("signer: {role: [hub]}"), Reason::OkVerified);
    assert_eq!(of("signer: {sai: [\"0102030405060708\"]}"), Reason::OkVerified);
    assert_eq!(of("signature: [valid]"), Reason::PolRule);
    assert_eq!(of("signature: [absent, unchecked, unknown_signer]"), Reason::OkVerified);
}

#[test]
fn an_allow_with_an_override_lets_a_refused_operation_pass_and_without_it_does_not() {
    let ati = frame(ATI.0, ATI.1);
    let rule = |more: &str| {
        with(&format!("\nrules:\n  - {{id: ati, match: {{protocol: map, opcode: [71]}}, action: allow{more}}}\n"), &[])
    };
    assert_eq!(judge(&rule(""), &ati).0, Reason::PolCat1, "allow alone ends the list, and undoes nothing");
    assert_eq!(judge(&rule(", overrides: [cat2]"), &ati).0, Reason::PolCat1);
    assert_eq!(judge(&rule(", overrides: [cat1]"), &ati), (Reason::OkAllowList, tag_of("ati")));
}

#[test]
fn an_override_for_one_operation_excuses_no_other_beside_it() {
    // Two components: a harmless one and anyTimeInterrogation.
    let two = frame("tcap_policy", "tp-011");
    let reason = judge(&policy(), &two).0;
    let rule = |opcode: &str| {
        let text = format!(
            "\nrules:\n  - {{id: r, match: {{opcode: [{opcode}]}}, action: allow, overrides: [cat1, ac_opcode]}}\n"
        );
        judge(&with(&text, &[]), &two).0
    };
    assert_eq!(reason, Reason::PolCat1);
    assert_eq!(rule("45"), Reason::PolCat1, "the rule is for the other one");
    assert_eq!(rule("71"), Reason::OkAllowList);
}

#[test]
fn of_several_operations_the_one_that_is_refused_counts() {
    let two = frame("tcap_policy", "tp-012");
    // Make the invoke identifiers differ, so that it is well made.
    let reason = judge(&policy(), &two).0;
    assert_eq!(reason, Reason::TcapInvokeIdDup, "rules have no say in what is malformed");
    let all = "\nrules:\n  - {id: all, match: {}, action: rate_limit, rate: {tokens_per_s: 9, burst: 9}}\n";
    let forged = frame("tcap_native", "tn-020");
    let before = judge(&policy(), &forged);
    assert!(before.0.refuses());
    assert_eq!(judge(&with(all, &[]), &forged), before, "nor does a refusal of something else name one");
    let rules =
        "\nrules:\n  - {id: r, match: {}, action: allow, overrides: [cat1, cat2, cat3, ac_opcode, ac_missing]}\n";
    assert_eq!(judge(&with(rules, &[]), &two).0, Reason::TcapInvokeIdDup);
}

#[test]
fn a_rate_is_kept_by_who_calls_and_over_time() {
    let sai = frame(SAI.0, SAI.1);
    let rules = |per: &str, over: &str| {
        with(
            &format!(
                "\nrules:\n  - {{id: rate, match: {{opcode: [56]}}, action: rate_limit, \
                 rate: {{per: {per}, tokens_per_s: 2, burst: 3, over: {over}}}}}\n"
            ),
            &[],
        )
    };
    for per in ["calling_gt", "peer", "rule"] {
        let mut gateway = running(&rules(per, "drop"));
        let mut tsn = 0;
        let mut passes = |at_ms: u64, tries: usize| {
            let sent = |_: &usize| {
                tsn += 1;
                let step = gateway.frame(0, &renumbered(&sai, tsn), at_ms);
                let all = verdicts(&step);
                assert!(
                    matches!(all[..], [(Reason::OkUnsignedAllowed | Reason::PolRate, rule)] if rule == tag_of("rate"))
                );
                all[0].0.passes()
            };
            (0..tries).filter(sent).count()
        };
        assert_eq!((passes(NOW_MS, 10), passes(NOW_MS + 499, 2), passes(NOW_MS + 500, 2)), (3, 0, 1), "{per}");
        assert_eq!(passes(NOW_MS + 60_000, 10), 3);
    }
    let mut gateway = running(&rules("rule", "alert"));
    for tsn in 1..=10 {
        let step = gateway.frame(0, &renumbered(&sai, tsn), NOW_MS);
        assert_eq!(verdicts(&step), [(Reason::OkUnsignedAllowed, tag_of("rate"))]);
    }
    assert_eq!(gateway.worker.stats().events[Reason::PolRate.index()], 7, "what is beyond is told");
}

#[test]
fn what_no_rule_matches_is_as_the_default_has_it_but_answers_are_not_asked() {
    let rules = "\nrules:\n  - {id: r, match: {protocol: map, opcode: [2]}, action: allow}\n";
    let deny = with(rules, &[("  unknown_peer: drop", "  unknown_peer: drop\n  unmatched: drop")]);
    assert_eq!(judge(&deny, &frame(SAI.0, SAI.1)), (Reason::PolDefaultDeny, 0));
    // An END with a result, of peer A, signed.
    let answer = frame("tcap_native", "tn-004");
    let before = judge(&policy(), &answer).0;
    assert!(before.passes());
    assert_eq!(judge(&deny, &answer).0, before);
}

#[test]
fn a_peer_that_is_learned_or_tested_passes_and_is_counted() {
    let ati = frame(ATI.0, ATI.1);
    for word in ["learn", "test"] {
        let policy = with("", &[("  B:\n", &format!("  B:\n    screening: {word}\n"))]);
        let mut gateway = running(&policy);
        let step = gateway.frame(0, &ati, NOW_MS);
        let record = step.records[0];
        assert_eq!((record.reason, record.would), (Reason::OkUnsignedAllowed, Some(Reason::PolCat1)), "{word}");
        assert_eq!(step.sent[1], std::slice::from_ref(&ati), "as it came");
        let stats = gateway.worker.stats();
        let row = stats.would_be(2, sealgate_dataplane::state::Direction::In);
        assert_eq!(row.map(|row| row[Reason::PolCat1.index()]), Some(1));
    }
    // What is malformed, or badly signed, is refused whatever its peer.
    let policy = with("", &[("  B:\n", "  B:\n    screening: learn\n")]);
    assert_eq!(judge(&policy, &frame("tcap_policy", "tp-010")).0, Reason::TcapGlobalOpcode);
}

#[test]
fn what_a_check_speaks_against_is_due_to_no_rule_for_what_stands_before_it() {
    use sealgate_wire::{map, tcap};
    // Two questions for routing, of which the second names another operator's centre.
    let node = "999030000011";
    let mut components = Vec::new();
    for (id, centre) in [(1, node), (2, "999040000011")] {
        let mut argument = Vec::new();
        map::send_routing_info_for_sm(&traffic::digits("999010000077"), &traffic::digits(centre), &mut argument);
        tcap::emit_invoke(id, 45, &argument, &mut components);
    }
    let (mut begin, id) = (Vec::new(), tcap::Tid::new(&[0, 0, 0, 1]).expect("four octets"));
    tcap::emit_begin(id, Some(&[4, 0, 0, 1, 0, 20, 3]), &components, &mut begin);
    let call = traffic::Call { calling: node, node, ..traffic::Call::inbound(1) };
    let octets = traffic::frame(&traffic::inbound(), 1, &call.m3ua(&call.udt(&begin)));
    let rules = "\nrules:\n  - {id: r, match: {protocol: map, opcode: [45]}, action: alert}\n";
    assert_eq!(judge(&with(rules, &[]), &octets), (Reason::PolXlayerAddr, 0));
    let learned = with(rules, &[("  B:\n", "  B:\n    screening: learn\n")]);
    let record = running(&learned).frame(0, &octets, NOW_MS).records[0];
    assert_eq!((record.reason, record.would), (Reason::OkUnsignedAllowed, Some(Reason::PolXlayerAddr)));
    assert_eq!((record.rule, record.logged), (0, false), "{record:?}");
}

#[test]
fn diameter_is_ruled_by_command_realm_and_subscriber() {
    let request = frame("diameter_native", "dn-001");
    assert_eq!(judge(&policy(), &request).0, Reason::OkVerified);
    let of = |matches: &str| {
        let rules = format!("\nrules:\n  - {{id: r, match: {{protocol: diameter, {matches}}}, action: drop}}\n");
        judge(&with(&rules, &[]), &request).0
    };
    for (fits, not) in [
        ("command: [316]", "command: [318]"),
        ("origin_realm: [mnc002.mcc001.3gppnetwork.org]", "origin_realm: [mnc003.mcc001.3gppnetwork.org]"),
        ("imsi_prefix: [\"00101\"]", "imsi_prefix: [\"00102\"]"),
        ("signer: {role: [csp]}", "signer: {role: [carrier]}"),
    ] {
        assert_eq!((of(fits), of(not)), (Reason::PolRule, Reason::OkVerified), "{fits}");
    }
    let ac = "\nrules:\n  - {id: r, match: {opcode: [316]}, action: drop}\n";
    assert!(sealgate_config::parse_policy(ac, "rules").is_err(), "an operation code is one octet");
}

#[test]
fn calls_of_isup_and_sip_are_ruled_by_their_numbers() {
    for (file, id, protocol) in [("isup", "is-001", "isup"), ("sip_identity", "si-001", "sip")] {
        let call = frame(file, id);
        let passes = judge(&policy(), &call).0;
        assert!(passes.passes(), "{id}: {passes:?}");
        let of = |matches: &str| {
            let rules = format!("\nrules:\n  - {{id: r, match: {{protocol: {protocol}, {matches}}}, action: drop}}\n");
            judge(&with(&rules, &[]), &call).0
        };
        assert_eq!((of("calling_gt: [\"99902\"]"), of("calling_gt: [\"99903\"]")), (Reason::PolRule, passes), "{id}");
        assert_eq!((of("called_gt: [\"99901\"]"), of("called_gt: [\"99905\"]")), (Reason::PolRule, passes), "{id}");
        assert_eq!(of("signature: [valid]"), Reason::PolRule, "{id}");
    }
}

#[test]
fn a_call_is_marked_or_rejected_by_a_rule_whatever_its_link_does() {
    let call = frame("sip_identity", "si-001");
    let rule =
        |action: &str| with(&format!("\nrules:\n  - {{id: r, match: {{protocol: sip}}, action: {action}}}\n"), &[]);
    let step = running(&rule("mark")).frame(0, &call, NOW_MS);
    assert_eq!(verdicts(&step), [(Reason::OkMarked, tag_of("r"))]);
    let text = String::from_utf8_lossy(&step.sent[1][0]).into_owned();
    assert!(text.contains("verstat=TN-Validation-Failed"), "{text}");
    let step = running(&rule("reject")).frame(0, &call, NOW_MS);
    assert_eq!(verdicts(&step), [(Reason::PolRule, tag_of("r"))]);
    assert!(step.sent[1].is_empty());
    let text = String::from_utf8_lossy(&step.sent[0][0]).into_owned();
    assert!(text.contains("SIP/2.0 403"), "{text}");
    assert!(running(&rule("drop")).frame(0, &call, NOW_MS).sent.iter().all(Vec::is_empty), "refused without an answer");
}

#[test]
fn gtp_is_ruled_by_message_and_subscriber_and_nodes_are_never_asked_for_a_rule() {
    let said = gtp::Said { imsi: "001010123456789", network: 2, address: gtp::A };
    let session = gtp::control(gtp::A, &gtp::v2(32, 0, &said.v2()));
    let echo = gtp::control(gtp::A, &gtp::ECHO);
    let of = |matches: &str, frame: &[u8]| {
        let rules = format!("\nrules:\n  - {{id: r, match: {{protocol: gtp, {matches}}}, action: drop}}\n");
        judge(&with(&rules, &[]), frame).0
    };
    for (fits, not) in [("message: [32]", "message: [16]"), ("imsi_prefix: [\"00101\"]", "imsi_prefix: [\"00102\"]")] {
        assert_eq!((of(fits, &session), of(not, &session)), (Reason::PolRule, Reason::OkUnsignedAllowed), "{fits}");
        assert_eq!(of(fits, &echo), Reason::OkNotSubject);
    }
    let deny = with("", &[("  unknown_peer: drop", "  unknown_peer: drop\n  unmatched: drop")]);
    assert_eq!((judge(&deny, &session).0, judge(&deny, &echo).0), (Reason::PolDefaultDeny, Reason::OkNotSubject));
    // What a peer may not say is counted only, where it is learned.
    let other = gtp::Said { imsi: "001030123456789", ..said };
    let foreign = gtp::control(gtp::A, &gtp::v2(32, 0, &other.v2()));
    assert_eq!(judge(&policy(), &foreign).0, Reason::PolImsiGt);
    let learned = with("", &[("  A:\n", "  A:\n    screening: learn\n")]);
    let record = running(&learned).frame(0, &foreign, NOW_MS).records[0];
    assert_eq!((record.reason.passes(), record.would), (true, Some(Reason::PolImsiGt)));
}

#[test]
fn what_leaves_is_ruled_too() {
    let call = traffic::Call::outbound(7);
    let frame = traffic::frame(&traffic::outbound(), 1, &call.unsigned());
    let rules = |way: &str| {
        with(
            &format!(
                "\nrules:\n  - {{id: r, match: {{protocol: map, direction: {way}, peer: [A], opcode: [2]}}, action: drop}}\n"
            ),
            &[],
        )
    };
    let out = |policy: &Policy| verdicts(&running(policy).frame(1, &frame, NOW_MS));
    assert_eq!(out(&rules("out")), [(Reason::PolRule, tag_of("r"))]);
    assert_eq!(out(&rules("in")), [(Reason::OkSignedEgress, 0)]);
    let subscribers = |prefix: &str| {
        with(
            &format!("\nrules:\n  - {{id: r, match: {{direction: out, imsi_prefix: [\"{prefix}\"]}}, action: drop}}\n"),
            &[],
        )
    };
    assert_eq!(out(&subscribers("00102")), [(Reason::PolRule, tag_of("r"))]);
    assert_eq!(out(&subscribers("00103")), [(Reason::OkSignedEgress, 0)]);
}

#[test]
fn each_caller_has_a_rate_of_its_own() {
    let passes = |per: &str| {
        let rule = format!(
            "\nrules:\n  - {{id: r, match: {{direction: in, opcode: [2]}}, action: rate_limit, \
             rate: {{per: {per}, tokens_per_s: 1, burst: 3}}}}\n"
        );
        let mut gateway = running(&with(&rule, &[]));
        let mut number = 0;
        ["999030000011", "999030000012"].map(|node| {
            let mut sent = |_: &usize| {
                number += 1;
                let call = traffic::Call { calling: node, node, ..traffic::Call::inbound(number) };
                let frame = traffic::frame(&traffic::inbound(), number, &call.unsigned());
                gateway.frame(0, &frame, NOW_MS).records[0].reason.passes()
            };
            (0..5).filter(|i| sent(i)).count()
        })
    };
    assert_eq!(["calling_gt", "peer", "rule"].map(passes), [[3, 3], [3, 0], [3, 0]]);
}

#[test]
fn what_a_rule_wants_in_the_log_gets_there() {
    use sealgate_dataplane::pipeline::tap::Tap;
    let sai = frame(SAI.0, SAI.1);
    let rule = |rest: &str| with(&format!("\nrules:\n  - {{id: one, match: {{opcode: [56]}}, {rest}}}\n"), &[]);
    for (rest, logged, reason) in [
        ("action: allow", false, Reason::OkUnsignedAllowed),
        ("action: allow, log: yes", true, Reason::OkUnsignedAllowed),
        ("action: alert", true, Reason::OkUnsignedAllowed),
        ("action: drop", false, Reason::PolRule),
        ("action: drop, log: yes", true, Reason::PolRule),
    ] {
        let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
        let mut gateway =
            Gateway::with_memory(&rule(rest), config, Default::default(), |shared| shared.tap = Tap::new(1, 4));
        let records: Vec<_> = (0..400).flat_map(|i| gateway.frame(0, &renumbered(&sai, i), NOW_MS).records).collect();
        assert!(records.iter().all(|one| (one.reason, one.logged) == (reason, logged)), "{rest}: {records:?}");
        let (mut seen, refused) = (0, gateway.shared.tap.refused());
        refused.drain(|capture| seen += u64::from(capture.is_logged()));
        // Control has not come by meanwhile: so many wait for it, and the rest is counted.
        assert_eq!((seen, refused.unlogged()), if logged { (256, 144) } else { (0, 0) }, "{rest}");
    }
    // Beyond a rate that alerts, and only there.
    let rate = rule("action: rate_limit, rate: {per: rule, tokens_per_s: 1, burst: 2, over: alert}");
    let mut gateway = running(&rate);
    let logged: Vec<bool> =
        (0..4).flat_map(|i| gateway.frame(0, &renumbered(&sai, i), NOW_MS).records).map(|one| one.logged).collect();
    assert_eq!(logged, [false, false, true, true]);
}
