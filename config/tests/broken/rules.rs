//! Faults of operator rules.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = concat!(
    home!(),
    ss7_link!(),
    r#"peers:
  A:
    gt: ["99902"]
rules:
  - id: no-ati
    match:
      protocol: map
      peer: [A]
      opcode: [71]
      ac: ["0.4.0.0.1.0.29.3"]
    action: drop
  - id: slow
    match: {protocol: map, calling_gt: ["99902"], time: {from: "22:00", to: "06:00", tz: "+01:00"}}
    action: rate_limit
    rate: {per: calling_gt, tokens_per_s: 20, burst: 100}
"#,
);

#[test]
fn faults_of_rules() {
    let cases: &[super::Case] = &[
        (
            "id: slow",
            "id: no-ati",
            &["p.yaml:23: rules[1]: a rule \"no-ati\" stands here already; keep one; the first is on line 16"],
        ),
        (
            "id: slow",
            "id: \"too slow\"",
            &[
                "p.yaml:23: rules[1].id: \"too slow\" cannot name a rule; use 1 to 32 letters, digits, - _ or ., a letter or digit first",
            ],
        ),
        (
            "action: drop",
            "action: dorp",
            &[
                "p.yaml:22: rules[0].action: \"dorp\" is not an action (did you mean \"drop\"?); use allow, drop, reject, alert, rate_limit or mark",
            ],
        ),
        (
            "peer: [A]",
            "peer: [a]",
            &[
                "p.yaml:19: rules[0].match.peer[0]: there is no peer \"a\" (did you mean \"A\"?); name one of peers, or unknown for senders of none",
            ],
        ),
        (
            "opcode: [71]",
            "command: [316]",
            &[
                "p.yaml:20: rules[0].match.command: a message of this protocol has none; take the key out, or use protocol diameter",
            ],
        ),
        (
            "0.4.0.0.1.0.29.3",
            "0.40.0",
            &[
                "p.yaml:21: rules[0].match.ac[0]: \"0.40.0\" is no object identifier; give numbers with dots between them, as \"0.4.0.0.1.0.29.3\"",
            ],
        ),
        (
            "    action: drop",
            "    action: drop\n    overrides: [cat1]\n    rate: {tokens_per_s: 1, burst: 1}",
            &[
                "p.yaml:23: rules[0].overrides: a rule that refuses switches no check off; take overrides out, or use action: allow",
                "p.yaml:24: rules[0].rate: only action rate_limit has a rate; take the key out, or use rate_limit",
            ],
        ),
        (
            "    action: drop",
            "    action: drop\n    log: maybe",
            &["p.yaml:23: rules[0].log: \"maybe\" is neither yes nor no; use yes or no"],
        ),
        (
            "    action: drop",
            "    action: mark",
            &[
                "p.yaml:22: rules[0].action: nothing but a call of SIP can be marked; give match.protocol: sip, or use alert",
            ],
        ),
        (
            "    rate: {per: calling_gt, tokens_per_s: 20, burst: 100}",
            "    log: no",
            &["p.yaml:23: rules[1]: no rate; give rate: {per: calling_gt, tokens_per_s: 20, burst: 100}"],
        ),
        (
            "tokens_per_s: 20, burst: 100",
            "tokens_per_s: 1, burst: 3600",
            &["p.yaml:26: rules[1].rate.burst: 3600 messages take more than an hour at 1 a second; give at most 3600"],
        ),
        (
            "from: \"22:00\"",
            "from: \"24:00\"",
            &[
                "p.yaml:24: rules[1].match.time.from: \"24:00\" is no time of day; give hours and minutes in quotes, as \"06:00\"",
            ],
        ),
        (
            "tz: \"+01:00\"",
            "tz: Europe/Berlin",
            &[
                "p.yaml:24: rules[1].match.time.tz: \"Europe/Berlin\" is no distance from UTC; use UTC, or hours and minutes, as \"+01:00\"",
            ],
        ),
        (
            "    gt: [\"99902\"]",
            "    gt: [\"99902\"]\n    screening: off",
            &["p.yaml:15: peers.A.screening: \"off\" is not a mode of screening; use learn, test or active"],
        ),
        (
            "peers:",
            "defaults: {unmatched: refuse}\npeers:",
            &["p.yaml:12: defaults.unmatched: \"refuse\" is not what becomes of the rest; use allow, drop or reject"],
        ),
    ];
    check(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 1).map(|_| ()));
}

#[test]
fn what_is_read_is_written_and_read_again() {
    let policy = Policy::parse(POLICY).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(policy.rules.len(), 2);
    let span = policy.rules[1].matches.time.expect("a time");
    assert_eq!((span.from, span.to), (21 * 60, 5 * 60), "of UTC");
    assert!(span.has(0) && span.has(1439) && !span.has(720));
    let again = Policy::parse(&policy.to_yaml()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again, policy);
}
