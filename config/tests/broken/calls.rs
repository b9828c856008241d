//! Faults of what a policy says of calls: ISUP and SIP.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = concat!(
    home!(),
    r#"  tn_prefixes: ["99901"]
  signing: {cert: home-ec, node_base: 1}
"#,
    ss7_link!(),
    r#"    si: [isup]
    isup_sign: yes
  sip-1:
    type: sip
    remote: [192.0.2.30]
    local: [198.51.100.30]
    default_cc: "999"
peers:
  A:
    gt: ["99902"]
    min_attest: B
stir:
  hosts: [certs.example]
  certificates:
    - {x5u: "https://certs.example/a.pem", cert: a}
  window: 60s
  sign: {x5u: "https://certs.example/h.pem", attest: A, origid: 123e4567-e89b-12d3-a456-426614174000}
"#,
);

#[test]
fn faults_of_calls() {
    let cases: &[super::Case] = &[
        (
            "  tn_prefixes: [\"99901\"]\n",
            "",
            &["p.yaml:14: links.ss7-1.isup_sign: no number is ours to sign for; give home.tn_prefixes, as [\"99901\"]"],
        ),
        (
            "  signing: {cert: home-ec, node_base: 1}\n",
            "",
            &["p.yaml:14: links.ss7-1.isup_sign: nothing to sign with; give home.signing: {cert: NAME, node_base: 1}"],
        ),
        (
            "default_cc: \"999\"",
            "vtag_in: 7",
            &[
                "p.yaml:20: links.sip-1.vtag_in: unknown key; known here: type, remote, local, ports, transports, use_pai, default_cc, on_fail, mtu, ip_fragments",
            ],
        ),
        (
            "default_cc: \"999\"",
            "on_fail: pass",
            &["p.yaml:20: links.sip-1.on_fail: \"pass\" is not a rule for refused calls; use drop, reject or mark"],
        ),
        (
            "default_cc: \"999\"",
            "ip_fragments: yes",
            &["p.yaml:20: links.sip-1.ip_fragments: \"yes\" is not a rule for IP fragments; use refuse or reassemble"],
        ),
        (
            "isup_sign: yes",
            "ip_fragments: reasemble",
            &[
                "p.yaml:15: links.ss7-1.ip_fragments: \"reasemble\" is not a rule for IP fragments (did you mean \"reassemble\"?); use refuse or reassemble",
            ],
        ),
        (
            "min_attest: B",
            "min_attest: D",
            &["p.yaml:24: peers.A.min_attest: \"D\" is not an attestation (did you mean \"A\"?); use A, B or C"],
        ),
        (
            "https://certs.example/a.pem",
            "http://certs.example/a.pem",
            &[
                "p.yaml:28: stir.certificates[0].x5u: \"http://certs.example/a.pem\" is not an https URL; give it as https://certs.example/home.pem",
            ],
        ),
        (
            "https://certs.example/a.pem",
            "https://other.example/a.pem",
            &[
                "p.yaml:28: stir.certificates[0]: host other.example is not in stir.hosts; add it there: others are refused",
            ],
        ),
        (
            "cert: a}\n",
            "cert: a}\n    - {x5u: \"https://certs.example/a.pem\", cert: b}\n",
            &["p.yaml:29: stir.certificates[1]: this URL stands here already; keep one; the first is on line 28"],
        ),
        ("window: 60s", "window: 61s", &["p.yaml:29: stir.window: 61s is out of range; give 1s to 1min"]),
        (
            "window: 60s",
            "x5u_miss: wait",
            &[
                "p.yaml:29: stir.x5u_miss: \"wait\" is not a rule for certificates not known yet; use reject, hold or unverified",
            ],
        ),
        ("window: 60s", "hold_max: 0", &["p.yaml:29: stir.hold_max: 0 is out of range; give 1 to 4096 calls"]),
        (
            "attest: A,",
            "attest: A, levels: [{numbers: \"999\", attest: B}, {numbers: \"999\", attest: C}],",
            &["p.yaml:30: stir.sign.levels[1]: these numbers stand here already; keep one; the first is on line 30"],
        ),
        (
            "attest: A,",
            "attest: A, levels: [{numbers: \"+999\", attest: E}],",
            &[
                "p.yaml:30: stir.sign.levels[0].numbers: \"+999\" is not 1 to 15 digits; give 1 to 15 digits, in quotes",
                "p.yaml:30: stir.sign.levels[0].attest: \"E\" is not an attestation (did you mean \"A\"?); use A, B or C",
            ],
        ),
        (
            "123e4567-e89b-12d3-a456-426614174000",
            "123e4567",
            &["p.yaml:30: stir.sign.origid: \"123e4567\" is not a UUID; make one with uuidgen"],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}
