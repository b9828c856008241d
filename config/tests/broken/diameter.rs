//! Faults of what a policy says of Diameter.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = concat!(
    home!(),
    r#"  realms: [epc.mnc001.mcc001.3gppnetwork.org]
  signing: {cert: home-ec, node_base: 1}
links:
  dia-1:
    type: diameter
    remote: [192.0.2.20]
    local: [198.51.100.20]
    applications: [s6a, sgd]
peers:
  A:
    realms: [epc.mnc002.mcc001.3gppnetwork.org]
    sign: yes
  C:
    realms: [EPC.mnc004.mcc001.3gppnetwork.org]
    profiles: [SG-DIA-0]
categories:
  diameter: {cat1: [318], cat2: [317]}
dess_keys:
  - {realm: epc.mnc004.mcc001.3gppnetwork.org, identity: dra.epc.mnc004.mcc001.3gppnetwork.org, cert: c-rsa}
"#,
);

#[test]
fn faults_of_diameter() {
    let cases: &[super::Case] = &[
        (
            "applications: [s6a, sgd]",
            "applications: [s6a, s6b]",
            &[
                "p.yaml:12: links.dia-1.applications[1]: \"s6b\" is not an application (did you mean \"s6a\"?); use base, gy, cx, sh, rx, gx, s6a, s13, slg, slh, s6c or sgd",
            ],
        ),
        (
            "applications: [s6a, sgd]",
            "opcs: [1]",
            &[
                "p.yaml:12: links.dia-1.opcs: unknown key; known here: type, remote, local, ports, transports, vtag_in, applications, mtu, ip_fragments",
            ],
        ),
        (
            "applications: [s6a, sgd]",
            "transports: [tcp, udp]",
            &["p.yaml:12: links.dia-1.transports[1]: \"udp\" is not a transport of this type; use sctp or tcp"],
        ),
        (
            "links:\n",
            "defaults: {tcp: {hold: 200ms, connections: 1}}\nlinks:\n",
            &[
                "p.yaml:7: defaults.tcp.hold: 200ms is out of range; give 250ms to 30s",
                "p.yaml:7: defaults.tcp.connections: 1 is out of range; give 16 to 65536 connections",
            ],
        ),
        (
            "    realms: [epc.mnc002.mcc001.3gppnetwork.org]\n",
            "",
            &["p.yaml:14: peers.A.gt: missing; give it, as gt: [\"99902\"], or give realms"],
        ),
        (
            "realms: [epc.mnc002.mcc001.3gppnetwork.org]",
            "realms: [mcc001.3gppnetwork.org]",
            &[
                "p.yaml:15: peers.A.realms[0]: mcc001.3gppnetwork.org and our own realm epc.mnc001.mcc001.3gppnetwork.org lie one in the other; nobody else may claim our realms: take it out, or name realms apart from ours",
            ],
        ),
        (
            "realms: [epc.mnc002.mcc001.3gppnetwork.org]",
            "realms: [epc.mnc004.mcc001.3gppnetwork.org]",
            &[
                "p.yaml:18: peers.C.realms[0]: the realm epc.mnc004.mcc001.3gppnetwork.org is peer A's too (line 15); keep it with one of them",
            ],
        ),
        (
            "realms: [epc.mnc002.mcc001.3gppnetwork.org]",
            "realms: [\"epc..org\"]",
            &[
                "p.yaml:15: peers.A.realms[0]: \"epc..org\" is not a realm; give it as epc.mnc001.mcc001.3gppnetwork.org",
            ],
        ),
        (
            "  realms: [epc.mnc001.mcc001.3gppnetwork.org]\n  signing",
            "  signing",
            &[
                "p.yaml:15: peers.A.sign: no realm to sign Diameter as; give home.realms, as [epc.mnc001.mcc001.3gppnetwork.org]",
            ],
        ),
        (
            "sign: yes",
            "sign_profile_diameter: SG-TCAP-1",
            &[
                "p.yaml:16: peers.A.sign_profile_diameter: \"SG-TCAP-1\" is not a profile for it (did you mean \"SG-DIA-1\"?); use SG-DIA-1 or SG-DIA-0",
            ],
        ),
        (
            "cat2: [317]",
            "cat2: [318]",
            &[
                "p.yaml:21: categories.diameter.cat2[0]: command 318 is in a category already; keep one; the first is on line 21",
            ],
        ),
        (
            "profiles: [SG-DIA-0]",
            "profiles: [SG-DIA-1]",
            &[
                "p.yaml:23: dess_keys[0]: no peer with realm epc.mnc004.mcc001.3gppnetwork.org may use SG-DIA-0; add SG-DIA-0 to the peer's profiles, or take the key out",
            ],
        ),
        (
            "dess_keys:\n",
            "dess_keys:\n  - {realm: epc.mnc004.mcc001.3gppnetwork.org, identity: DRA.epc.mnc004.mcc001.3gppnetwork.org, cert: x}\n",
            &[
                "p.yaml:24: dess_keys[1]: realm epc.mnc004.mcc001.3gppnetwork.org has a key of dra.epc.mnc004.mcc001.3gppnetwork.org already; keep one; the first is on line 23",
            ],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}
