//! Faults of what a policy says of SMS home routing.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = r#"version: 1
home:
  gt_prefixes: [{plan: e164, digits: "99901"}, {plan: e214, digits: "99907"}]
  plmns: ["00101"]
  realms: [epc.mnc001.mcc001.3gppnetwork.org]
  sms_router:
    gt: ["99901000077", "999015*"]
    hosts: [SMSR.epc.mnc001.mcc001.3gppnetwork.org]
links:
  ss7-1: {type: m3ua, remote: [192.0.2.10], local: [198.51.100.10], opcs: [4128], dpcs: [4112]}
peers:
  A: {gt: ["99902"]}
rules:
  - {id: r, match: {peer: [A], opcode: [45]}, action: allow, overrides: [home_routing]}
"#;

#[test]
fn faults_of_sms_home_routing() {
    let cases: &[super::Case] = &[
        (
            "\"99901000077\", ",
            "\"99902000077\", ",
            &[
                "p.yaml:7: home.sms_router.gt[0]: 99902000077 does not lie in home.gt_prefixes of e164; give a title of yours, or add its prefix",
            ],
        ),
        (
            "\"99901000077\", ",
            "\"99907000077\", ",
            &[
                "p.yaml:7: home.sms_router.gt[0]: 99907000077 does not lie in home.gt_prefixes of e164; give a title of yours, or add its prefix",
            ],
        ),
        (
            "\"999015*\"",
            "\"999*15\"",
            &[
                "p.yaml:7: home.sms_router.gt[1]: \"999*15\" is not a Global Title; give 1 to 15 digits in quotes, and * behind them for all that begin so",
            ],
        ),
        (
            "\"999015*\"",
            "999015",
            &[
                "p.yaml:7: home.sms_router.gt[1]: 999015 is a number, not a Global Title of 1 to 15 digits; put it in quotes: \"999015\"",
            ],
        ),
        (
            "SMSR.epc.mnc001",
            "smsr.epc.mnc002",
            &[
                "p.yaml:8: home.sms_router.hosts[0]: smsr.epc.mnc002.mcc001.3gppnetwork.org does not lie under home.realms; give a host of yours, or add its realm",
            ],
        ),
        (
            "\n    gt: [\"99901000077\", \"999015*\"]\n    hosts: [SMSR.epc.mnc001.mcc001.3gppnetwork.org]",
            " {}",
            &["p.yaml:6: home.sms_router: it names no router; give gt: [\"99901000077\"], or hosts, or both"],
        ),
        ("    hosts:", "    realms:", &["p.yaml:8: home.sms_router.realms: unknown key; known here: gt, hosts"]),
        (
            "overrides: [home_routing]",
            "overrides: [home_router]",
            &[
                "p.yaml:14: rules[0].overrides[0]: \"home_router\" is not a built-in check (did you mean \"home_routing\"?); use cat1, cat2, cat3, home_routing, xlayer_addr, ac_missing, ac_opcode, command, host_realm, vplmn_realm, velocity, previous_location, multi_request, multi_protocol, cross_generation, scan or flood",
            ],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}

#[test]
fn what_is_printed_reads_the_same() {
    let read = |text: &str| parse_policy_for(text, "p.yaml", 4).unwrap_or_else(|faults| panic!("{faults}"));
    let policy = read(POLICY);
    let router = policy.home.sms_router.as_ref().expect("set");
    let titles: Vec<_> = router.gt.iter().map(|title| (title.digits.to_string(), title.prefix)).collect();
    assert_eq!(titles, [("99901000077".to_owned(), false), ("999015".to_owned(), true)]);
    assert_eq!(router.hosts, ["smsr.epc.mnc001.mcc001.3gppnetwork.org"]);
    assert_eq!(read(&policy.to_yaml()), policy);
}
