//! Faults of what a policy says of M2PA and SUA.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = concat!(
    home!(),
    r#"  tn_prefixes: ["99901"]
  signing: {cert: home-ec, node_base: 1}
links:
  mtp-1:
    type: m2pa
    remote: [192.0.2.10]
    local: [198.51.100.10]
    opcs: [4128]
    dpcs: [4112]
    si: [sccp, isup]
    isup_sign: yes
  sua-1:
    type: sua
    remote: [192.0.2.20]
    local: [198.51.100.20]
    ports: {remote: 14001, local: 14001}
    routing_contexts: [1]
peers:
  A:
    gt: ["99902"]
    plmns: ["00102"]
"#,
);

#[test]
fn faults_of_m2pa_and_sua() {
    let cases: &[super::Case] = &[
        (
            "    isup_sign: yes",
            "    routing_contexts: [1]",
            &[
                "p.yaml:15: links.mtp-1.routing_contexts: unknown key; known here: type, remote, local, ports, vtag_in, opcs, dpcs, ni, si, isup_mode, isup_sign, isup_mark, isup_copy_called, mtu, ip_fragments",
            ],
        ),
        ("    dpcs: [4112]\n", "", &["p.yaml:8: links.mtp-1.dpcs: missing; give it, as dpcs: [4128]"]),
        (
            "    routing_contexts: [1]",
            "    si: [sccp]",
            &[
                "p.yaml:21: links.sua-1.si: unknown key; known here: type, remote, local, ports, vtag_in, routing_contexts, opcs, dpcs, mtu, ip_fragments",
            ],
        ),
        (
            "    routing_contexts: [1]",
            "    transports: [tcp]",
            &[
                "p.yaml:21: links.sua-1.transports: unknown key; known here: type, remote, local, ports, vtag_in, routing_contexts, opcs, dpcs, mtu, ip_fragments",
            ],
        ),
        (
            "    routing_contexts: [1]",
            "    dpcs: [16384]",
            &["p.yaml:21: links.sua-1.dpcs[0]: 16384 is out of range; give 0 to 16383 (14 bits)"],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}

#[test]
fn what_is_read_is_written_and_read_again() {
    let policy = parse_policy_for(POLICY, "p.yaml", 4).expect("sound");
    let [mtp, sua] = policy.links.as_slice() else { panic!("two links") };
    assert!(mtp.transports.sctp && mtp.isup.sign && mtp.si == [3, 5] && mtp.opcs == [4128] && mtp.ni == [0]);
    assert!(sua.transports.sctp && sua.opcs.is_empty() && sua.si.is_empty() && sua.routing_contexts == [1]);
    let written = policy.to_yaml();
    assert_eq!(parse_policy_for(&written, "p.yaml", 4).expect("sound"), policy, "{written}");
}
