//! Diameter over SCTP and TCP, and what comes with it.

use super::case::{CASE, Case, NOBODY, OF_A_MAKER, Operator, link};

const REALM: &str = "epc.mnc001.mcc001.3gppnetwork.org";
const IMS: &str = "ims.mnc001.mcc001.3gppnetwork.org";

/// A core whose agents all call themselves "string", towards servers of another operator.
const AGENTS: Operator = Operator { plmns: &["00101"], realms: &["string"], nodes: &["172.16.1.12"], ..NOBODY };
const SERVERS: Operator =
    Operator { plmns: &["00102", "99999"], realms: &["magma.com"], nodes: &["172.16.1.2"], ..NOBODY };

const CORE_LINKS: &[super::case::Link] = &[
    link("diameter", &["172.16.1.13"], &["172.16.1.14"], ", applications: [base, gy]"),
    link("diameter", &["172.16.1.13"], &["172.16.1.6"], ", applications: [base, gx]"),
    link("diameter", &["172.16.1.13"], &["172.16.1.9"], ", applications: [base, s6a]"),
    link("diameter", &["172.16.1.12"], &["172.16.1.9"], ", applications: [base, s6a]"),
    link("gtp", &["172.16.1.12"], &["172.16.1.2"], ""),
];

/// One network: what its own nodes tell each other.
const LOCAL: Operator =
    Operator { plmns: &["90170"], realms: &["localdomain"], nodes: &["127.0.0.2", "127.0.0.3"], ..NOBODY };
const IMS_CORE: Operator = Operator { plmns: &["00101"], realms: &[REALM, IMS], nodes: &["127.0.0.2"], ..NOBODY };

/// Hosts of the peer are named after another realm, or not after any, which both have agreed upon.
const NAMED_OTHERWISE: &str = "
  - {id: named-otherwise, match: {protocol: diameter, direction: in, peer: PEERS}, action: allow, overrides: [host_realm]}";

/// The HSS of a network answers its own IMS, and subscribers register there.
const OWN_IMS: &str = "
  - {id: own-ims, match: {protocol: diameter, direction: in, peer: PEERS, command: [300, 301, 302, 303]},
     action: allow, overrides: [cat1]}
  - {id: registrations, match: {protocol: sip, direction: in, method: [REGISTER]}, action: allow}";

pub const CASES: &[Case] = &[
    Case { capture: "dia_s6a_gtpv2_inbound_roaming", links: CORE_LINKS, ends: [&[AGENTS], &[SERVERS]], ..CASE },
    Case { capture: "dia_sctp_s6a_gx_gy_attach", links: CORE_LINKS, ends: [&[AGENTS], &[SERVERS]], ..CASE },
    Case { capture: "dia_sctp_s6a_gx_gy_load", links: CORE_LINKS, ends: [&[AGENTS], &[SERVERS]], ..CASE },
    Case {
        capture: "dia_s6a_gtpv2_testattach",
        links: &[
            link("diameter", &["127.0.0.1"], &["127.0.0.8"], ", applications: [base, s6a]"),
            link("diameter", &["127.0.0.1"], &["127.0.0.9"], ", applications: [base, gx]"),
            link("gtp", &["127.0.0.2"], &["127.0.0.3"], ", messages_v2: [1, 2, 3, 32, 33, 34, 35, 36, 37, 170, 171]"),
            link("gtp", &["127.0.0.3"], &["127.0.0.4"], ""),
        ],
        ends: [&[LOCAL], &[Operator { nodes: &["127.0.0.3", "127.0.0.4"], ..LOCAL }]],
        ..CASE
    },
    Case {
        capture: "dia_cx_ims_ipsec_reg",
        links: &[
            link("diameter", &["127.0.0.1", "192.168.101.1"], &["127.0.0.4"], ", applications: [base, s6a]"),
            link(
                "diameter",
                &["127.0.0.1", "192.168.100.1"],
                &["127.0.0.5"],
                ", transports: [sctp, tcp], applications: [base, gx, rx]",
            ),
            link("diameter", &["10.4.128.31"], &["10.4.128.21"], ", transports: [tcp], applications: [base, cx]"),
            link("sip", &["10.4.128.25"], &["10.4.128.26"], ""),
            link("gtp", &["127.0.0.2"], &["127.0.0.3"], ""),
        ],
        apart: &[(33078, "10.4.128.31"), (33164, "10.4.128.31"), (5060, "10.4.128.25"), (4060, "10.4.128.26")],
        ends: [&[IMS_CORE], &[Operator { nodes: &["127.0.0.3"], ..IMS_CORE }]],
        rules: OWN_IMS,
        ..CASE
    },
    Case {
        capture: "dia_cx_rx_gx_volte_sip_gtpv2",
        links: &[
            link("diameter", &["127.0.0.1"], &["127.0.0.3"], ", applications: [base, gx]"),
            link("diameter", &["10.4.128.31"], &["10.4.128.21"], ", transports: [tcp], applications: [base, cx]"),
            link("sip", &["10.4.128.25"], &["10.4.128.26"], ""),
            link("gtp", &["127.0.0.2"], &["127.0.0.3"], ""),
        ],
        apart: &[(39196, "10.4.128.31"), (5060, "10.4.128.25"), (6060, "10.4.128.26")],
        ends: [&[Operator { gt: &["02"], ..IMS_CORE }], &[Operator { gt: &["01"], nodes: &["127.0.0.3"], ..IMS_CORE }]],
        rules: OWN_IMS,
        ..CASE
    },
    Case {
        capture: "dia_synth_arkime",
        links: &[
            link("diameter", &["192.168.1.100"], &["192.168.1.200"], ", transports: [tcp], applications: [base]"),
            link("diameter", &["10.0.0.1"], &["10.0.0.2"], ", transports: [tcp], applications: [base, gx]"),
            link("diameter", &["172.16.0.1"], &["172.16.0.2"], ", applications: [base, s6a]"),
            link("diameter", &["192.168.50.1"], &["192.168.50.2"], ", applications: [base]"),
        ],
        ends: [
            &[Operator {
                plmns: &["310260"],
                realms: &["example.com", "3gpp.com", "lte.operator.net", "isp.com"],
                ..NOBODY
            }],
            &[Operator {
                plmns: &["310260"],
                realms: &["example.com", "3gpp.com", "lte.operator.net", "isp.com"],
                ..NOBODY
            }],
        ],
        ..CASE
    },
    Case {
        capture: "dia_tcp_gx_sy",
        links: &[
            link(
                "diameter",
                &["192.168.11.1"],
                &["172.30.27.176"],
                ", transports: [tcp], applications: [base, ericsson_sy]",
            ),
            link("diameter", &["192.168.11.1"], &["192.168.11.6"], ", transports: [tcp], applications: [base, gx]"),
        ],
        ends: [
            &[Operator { realms: &["taiwanmobile.com"], ..NOBODY }],
            &[Operator { realms: &["taiwanmobile.com"], ..NOBODY }],
        ],
        sections: OF_A_MAKER,
        rules: NAMED_OTHERWISE,
        ..CASE
    },
    Case {
        capture: "dia_tcp_ndpi",
        links: &[link(
            "diameter",
            &["10.201.9.245"],
            &["10.201.9.11"],
            ", transports: [tcp], applications: [base, gy]",
        )],
        ends: [
            &[Operator { realms: &["netxcell.com"], ..NOBODY }],
            &[Operator { realms: &["comverse.com"], ..NOBODY }],
        ],
        ..CASE
    },
    Case {
        capture: "dia_tcp_ro_ccr",
        links: &[
            link("diameter", &["10.51.11.35"], &["10.51.11.138"], ", transports: [tcp], applications: [base, gy]"),
            link("diameter", &["10.51.11.35"], &["10.51.11.142"], ", transports: [tcp], applications: [base, gy]"),
        ],
        ends: [
            &[Operator { realms: &["clientx.ericsson.com"], ..NOBODY }],
            &[Operator { realms: &["tstccn.intmet.ie", "ccn.intmet.ie"], ..NOBODY }],
        ],
        rules: NAMED_OTHERWISE,
        ..CASE
    },
];
