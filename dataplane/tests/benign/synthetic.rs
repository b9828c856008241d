//! Stand-ins made for this project, as good as any but for what is malformed on purpose.

use super::case::{CASE, Case, Link, NOBODY, ONE, OTHER, Operator, link, m3ua};

const CODES: [&[u32]; 2] = [&[14248], &[15526]];
const NATIONAL: &str = ", ni: [national], si: [sccp, isup]";

/// Who asks in the stand-ins and who answers, in one network: a subscriber of 001-01 has the HSS of 999-70.
const VISITED: Operator = Operator {
    gt: &["99970282083", "99970403821", "99970314994"],
    plmns: &["00101"],
    realms: &["epc.mnc001.mcc001.3gppnetwork.org"],
    nodes: &["10.90.0.1"],
    ..NOBODY
};
const HOME: Operator = Operator {
    gt: &["99970123241", "99970561648", "99970687434"],
    plmns: &["00101", "99970"],
    realms: &["epc.mnc070.mcc999.3gppnetwork.org"],
    nodes: &["10.90.0.2"],
    ..NOBODY
};

/// Whose agents answer for a node that cannot be reached.
const HUB: Operator = Operator { realms: &["ipx.example"], ..NOBODY };

/// Inside one network its own nodes ask for what nobody else may know.
const OWN_NODES: &str = "
  - {id: own-hosts, match: {protocol: diameter, direction: in, peer: [peer-0], category: [cat1]}, action: allow, overrides: [cat1]}
  - {id: own-nodes, match: {protocol: map, direction: in, peer: PEERS, category: [cat1]}, action: allow, overrides: [cat1]}";

/// Subsystem 150 is that of a GGSN, which asks inside its network only.
const WITH_GGSN: &str = "  ssns: [6, 7, 8, 9, 145, 146, 147, 148, 149, 150]\n";

/// Certificates of callers are at one host; that of the stand-ins is a bare key, so that nobody has it.
const KNOWN_HOST: &str = "stir: {hosts: [cert.example.org], x5u_miss: unverified}\n";

const SS7: &[Link] = &[m3ua(&["10.20.1.1"], &["10.20.1.2"], CODES, NATIONAL)];

/// Diameter as the home has it, to which the hub is a stranger.
const DIAMETER_SCTP: Case = Case {
    capture: "synthetic/syn_diameter_sctp",
    rules: OWN_NODES,
    links: &[link(
        "diameter",
        &["10.50.0.1"],
        &["10.50.0.2"],
        ", applications: [base, s6a, s13, s6c, sgd, slg, slh, cx, sh, rx, gx, gy]",
    )],
    ends: [&[VISITED], &[HOME]],
    homes: &[1],
    ..CASE
};
const DIAMETER_TCP: Case = Case {
    capture: "synthetic/syn_diameter_tcp",
    links: &[link(
        "diameter",
        &["10.51.0.1"],
        &["10.51.0.2"],
        ", transports: [tcp], applications: [base, s6a, s13, s6c, sgd, slg, slh, cx, sh, rx, gx, gy]",
    )],
    ..DIAMETER_SCTP
};

pub const CASES: &[Case] = &[
    Case {
        capture: "synthetic/syn_cap_phases",
        links: SS7,
        ends: [
            &[Operator { gt: &["99970282083"], plmns: &["99970"], ..NOBODY }],
            &[Operator { gt: &["99970403821"], plmns: &["00101"], ..NOBODY }],
        ],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_inap_cs1",
        rules: "
  - {id: inap, match: {protocol: cap, direction: in, peer: PEERS, ac: [\"0.4.0.1.1.0.0.0\"]}, action: allow, overrides: [ac_opcode]}",
        defaults: "  ssns: [241]\n  other_tcap_ssns: [241]\n",
        links: SS7,
        ends: [&[Operator { gt: &["99970282083"], ..NOBODY }], &[Operator { gt: &["99970403821"], ..NOBODY }]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_isup_messages",
        links: SS7,
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_map_operations",
        anew: true,
        titles: HOME.gt,
        defaults: WITH_GGSN,
        rules: OWN_NODES,
        links: SS7,
        ends: [&[Operator { more: ", allow_no_ac: yes", ..VISITED }], &[Operator { more: ", allow_no_ac: yes", ..HOME }]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sccp_shapes",
        rules: OWN_NODES,
        // What comes in segments goes on in one piece.
        defaults: "  ludt: yes\n",
        links: SS7,
        // By subscribers too its HLR is called (E.214).
        ends: [&[VISITED], &[Operator { gt: &["99970123241", "99970561648", "99970687434", "00101"], ..HOME }]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_tcap_shapes",
        rules: OWN_NODES,
        links: SS7,
        ends: [&[VISITED], &[HOME]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_m2pa_itu",
        rules: OWN_NODES,
        links: &[Link { kind: "m2pa", hosts: [&["10.40.0.1"], &["10.40.0.2"]], codes: CODES, more: NATIONAL }],
        ends: [&[VISITED], &[HOME]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sua",
        defaults: WITH_GGSN,
        rules: OWN_NODES,
        links: &[link("sua", &["10.30.0.1"], &["10.30.0.2"], "")],
        ends: [&[VISITED], &[HOME]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sctp_over_udp",
        links: &[m3ua(&["10.73.0.1"], &["10.73.0.2"], CODES, NATIONAL)],
        ends: [&[VISITED], &[HOME]],
        homes: &[1],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sctp_shapes_ss7",
        rules: OWN_NODES,
        links: &[
            m3ua(&["10.70.0.1"], &["10.70.0.2"], CODES, NATIONAL),
            m3ua(&["10.71.0.1"], &["10.71.0.2"], CODES, NATIONAL),
        ],
        ends: [&[VISITED], &[HOME]],
        mend: false,
        ..CASE
    },
    Case {
        capture: "synthetic/syn_l2l3_encaps_ss7",
        rules: OWN_NODES,
        links: &[
            m3ua(&["10.80.0.1"], &["10.80.0.2"], CODES, ", ni: [national], ip_fragments: reassemble"),
            m3ua(&["2001:db8:80::1"], &["2001:db8:80::2"], CODES, ", ni: [national], ip_fragments: reassemble"),
        ],
        ends: [&[VISITED], &[HOME]],
        mend: false,
        homes: &[1],
        ..CASE
    },
    DIAMETER_SCTP,
    Case { ends: [&[VISITED], &[HOME, HUB]], homes: &[0], ..DIAMETER_SCTP },
    DIAMETER_TCP,
    Case { ends: [&[VISITED], &[HOME, HUB]], homes: &[0], ..DIAMETER_TCP },
    Case {
        capture: "synthetic/syn_gtpc_v1_v2",
        links: &[link("gtp", &["10.90.0.1"], &["10.90.0.2"], "")],
        ends: [&[VISITED], &[HOME]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sip_identity",
        sections: KNOWN_HOST,
        links: &[
            link("sip", &["10.60.0.1"], &["10.60.0.2"], ", ip_fragments: reassemble"),
            link("sip", &["2001:db8:60::1"], &["2001:db8:60::2"], ", ip_fragments: reassemble"),
        ],
        ends: [&[Operator { gt: &["99970"], ..NOBODY }], &[Operator { gt: &["99971"], ..NOBODY }]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sip_isup_bodies",
        sections: KNOWN_HOST,
        links: &[link("sip", &["10.60.0.1"], &["10.60.0.2"], "")],
        ends: [&[Operator { gt: &["99970"], ..NOBODY }], &[Operator { gt: &["99971"], ..NOBODY }]],
        ..CASE
    },
    Case {
        capture: "synthetic/syn_sip_tcp_identity",
        sections: KNOWN_HOST,
        links: &[link("sip", &["10.61.0.1"], &["10.61.0.2"], ", transports: [tcp]")],
        ends: [&[Operator { gt: &["99970"], ..NOBODY }], &[Operator { gt: &["99971"], ..NOBODY }]],
        ..CASE
    },
];
