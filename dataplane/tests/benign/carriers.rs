//! SCTP that carries what no link does, or nothing of signalling: refused for what it carries, and not for how.

use super::case::{CASE, Case, Link, NOBODY, ONE, OTHER, Operator, link};

/// A link of M3UA between these hosts.
const fn between(one: &'static [&'static str], other: &'static [&'static str]) -> Link {
    Link { kind: "m3ua", hosts: [one, other], codes: [&[1], &[2]], more: "" }
}

pub const CASES: &[Case] = &[
    Case {
        capture: "sctp_addip_handover",
        links: &[between(&["192.168.0.101", "192.168.0.102"], &["192.168.0.100"])],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sctp_bundling",
        links: &[between(&["192.168.170.8"], &["192.168.170.56"])],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sctp_decode_edge",
        links: &[between(&["192.168.170.56"], &["192.168.170.8"]), between(&["10.0.0.1"], &["10.0.0.2"])],
        ends: [ONE, OTHER],
        mend: false,
        homes: &[1],
        ..CASE
    },
    Case {
        capture: "sctp_forces",
        links: &[between(&["211.129.72.8"], &["150.140.254.202"])],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sctp_fragments_netperfmeter",
        links: &[between(&["192.168.0.20"], &["192.168.0.27"])],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sctp_tls_port3869_freediameter",
        links: &[
            link("diameter", &["192.168.103.20"], &["192.168.103.10"], ""),
            link("diameter", &["192.168.103.20"], &["192.168.103.30"], ""),
        ],
        ends: [
            &[Operator { realms: &["one.example"], ..NOBODY }],
            &[Operator { realms: &["other.example"], ..NOBODY }],
        ],
        ..CASE
    },
    Case {
        capture: "l2_sctp_encaps_a",
        links: &[between(&["10.132.0.10"], &["10.132.0.20"])],
        ends: [ONE, OTHER],
        homes: &[1],
        ..CASE
    },
];

/// Captures that are not run here, each with the cause.
pub const NOT_RUN: &[(&str, &str)] = &[
    ("ss7_m3ua_bicc", "BICC between point codes of 24 bits (329729): no link of the product has either"),
    (
        "ss7_m3ua_sccp_udt_24bit_pc",
        "the point codes of China, 24 bits, and text of a maker in SCCP: no link has such codes",
    ),
    ("ss7_m2ua_ansi_map_ota", "MTP, SCCP and TCAP of ANSI with IS-41: another family of protocols"),
    (
        "ss7_native_mtp2_map_ul_errors",
        "frames of MTP2; ss7_wrapped_m3ua_map_ul_errors has the same messages and is run",
    ),
    ("l2_mpls", "no signalling: link_captures.rs has it"),
    ("l2_vlan_qinq", "no signalling: link_captures.rs has it"),
    ("l3_ipv4_fragments", "no signalling: link_captures.rs has it"),
    ("l3_ipv4_options", "no signalling: link_captures.rs has it"),
    ("l3_ipv6_fragments", "no signalling: link_captures.rs has it"),
];
