//! SS7 over M3UA.

use super::case::{CASE, Case, Link, NOBODY, OF_A_MAKER, ONE, OTHER, Operator, link, m3ua};

const NATIONAL: &str = ", ni: [national]";

/// Of a mobile network: a service platform with both its hosts, and its signalling points.
const PLATFORM: &[&[&str]] = &[&["10.51.11.129", "10.51.11.145"], &["10.51.11.130", "10.51.11.146"]];
const NEAR: &[u32] = &[98];
const FAR: &[u32] = &[89, 602, 702, 14830, 14831];

/// The links of a platform that has two hosts of two addresses each, to neighbours of one or two.
const PLATFORM_LINKS: &[Link] = &[
    m3ua(PLATFORM[0], &["10.130.97.130", "10.130.97.138"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.130.97.131", "10.130.97.139"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.160.97.130", "10.160.97.138"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.160.97.131", "10.160.97.139"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.50.96.21", "10.50.98.21"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.50.96.32", "10.50.98.31"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.50.97.12", "10.50.99.11"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.144.128.50"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.51.11.1"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[0], &["10.51.11.2", "10.51.11.18"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.130.97.130", "10.130.97.138"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.130.97.131", "10.130.97.139"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.160.97.130", "10.160.97.138"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.160.97.131", "10.160.97.139"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.50.96.21", "10.50.98.21"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.50.96.32", "10.50.98.31"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.50.97.12", "10.50.99.11"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.144.128.50"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.51.11.1", "10.51.11.17"], [NEAR, FAR], NATIONAL),
    m3ua(PLATFORM[1], &["10.51.11.2"], [NEAR, FAR], NATIONAL),
    link("diameter", &["10.51.11.131"], &["10.51.11.1"], ", applications: [base, ericsson_cip]"),
    link("diameter", &["10.51.11.131"], &["10.51.11.2"], ", applications: [base, ericsson_cip]"),
    link("diameter", &["10.51.11.147"], &["10.51.11.17"], ", applications: [base, ericsson_cip]"),
    link("diameter", &["10.51.11.147"], &["10.51.11.18"], ", applications: [base, ericsson_cip]"),
    link("diameter", &["172.16.116.1"], &["10.51.11.138"], ", transports: [tcp], applications: [base, gy]"),
    link("diameter", &["172.16.116.2"], &["10.51.11.138"], ", transports: [tcp], applications: [base, gy]"),
];

/// Its maker's title and realm: a platform of messages and prepaid calls.
const OF_PLATFORM: Operator = Operator {
    gt: &["353857000098"],
    plmns: &["27203", "27211"],
    realms: &["openmindnetworks.com", "intmet.ie"],
    ..NOBODY
};
const OF_NETWORK: Operator = Operator {
    gt: &["353857000910", "353857000120", "353857000889"],
    plmns: &["27203", "27211"],
    realms: &["intmet.ie"],
    ..NOBODY
};

/// The network lets its own platform ask where a subscriber is. Hosts of both are named after another realm than theirs.
const PLATFORM_RULES: &str = "
  - {id: platform, match: {protocol: map, direction: in, peer: PEERS, opcode: [71]}, action: allow, overrides: [cat1]}
  - {id: named-otherwise, match: {protocol: diameter, direction: in, peer: PEERS}, action: allow, overrides: [host_realm]}";

/// Signalling points of the simulator, halved.
const SIMULATED: [&[u32]; 2] = [
    &[293, 294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 560, 561],
    &[562, 563, 564, 565, 566, 567, 568, 569, 570, 571, 572, 573, 574, 575],
];
/// The two operators whose titles it has.
const OF_72: Operator = Operator { gt: &["5372640"], plmns: &["36802"], ..NOBODY };
const OF_54: Operator = Operator { gt: &["5354990"], plmns: &["36801"], ..NOBODY };

const SIMULATOR: Case = Case {
    capture: "ss7_m3ua_map_srism_load",
    party: "5354990",
    asks: true,
    links: &[m3ua(&["10.90.117.210"], &["10.90.0.132"], SIMULATED, NATIONAL)],
    ends: [&[OF_72], &[OF_54]],
    homes: &[1],
    ..CASE
};

const PLATFORM_CASE: Case = Case {
    links: PLATFORM_LINKS,
    ends: [&[OF_PLATFORM], &[OF_NETWORK]],
    rules: PLATFORM_RULES,
    sections: OF_A_MAKER,
    ..CASE
};

pub const CASES: &[Case] = &[
    Case {
        capture: "ss7_m3ua_asp_startup",
        links: &[m3ua(&["192.168.250.1"], &["10.9.148.33"], [&[2000], &[1169]], NATIONAL)],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "ss7_m3ua_bssap_le_icmp",
        links: &[m3ua(&["10.118.213.211"], &["10.118.213.212"], [&[10], &[210]], "")],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "ss7_m3ua_bundled_multihomed",
        links: &[
            m3ua(&["10.173.48.13"], &["88.82.6.134"], [&[1110], &[2627]], NATIONAL),
            m3ua(&["10.173.48.13"], &["88.82.6.130"], [&[1110], &[2627]], NATIONAL),
        ],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case { capture: "ss7_m3ua_cap2_map_diameter_mix", ..PLATFORM_CASE },
    Case { capture: "ss7_m3ua_map_ati_bundled", ..PLATFORM_CASE },
    Case {
        capture: "ss7_m3ua_isup_calls",
        links: &[m3ua(&["192.168.10.2"], &["192.168.10.3"], [&[2], &[1]], ", ni: [national], si: [isup]")],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "ss7_m3ua_m2ua_synth_arkime",
        links: &[
            m3ua(&["10.1.1.1"], &["10.2.2.2"], [&[200, 300, 600, 401], &[400, 20, 500]], ", si: [sccp, isup]"),
            m3ua(&["10.3.3.3"], &["10.4.4.4"], [&[200, 300, 600, 401], &[400, 20, 500]], ", si: [sccp, isup]"),
            m3ua(&["10.5.5.5"], &["10.6.6.6"], [&[600], &[500]], ", si: [sccp, isup]"),
            m3ua(&["10.7.7.7"], &["10.8.8.8"], [&[600], &[500]], ", si: [sccp, isup]"),
            m3ua(&["10.20.1.1"], &["10.20.1.2"], [&[600], &[500]], ", si: [sccp, isup]"),
            m3ua(&["10.20.3.1"], &["10.20.3.2"], [&[600], &[500]], ", si: [sccp, isup]"),
            m3ua(&["10.20.4.1"], &["10.20.4.2"], [&[600], &[500]], ", si: [sccp, isup]"),
        ],
        ends: [ONE, OTHER],
        homes: &[1],
        ..CASE
    },
    // A simulator that is 27 signalling points at once: of what it sends, the share that one operator could send another.
    SIMULATOR,
    Case {
        party: "5372640",
        links: &[m3ua(&["10.90.117.210"], &["10.90.0.132"], [SIMULATED[1], SIMULATED[0]], NATIONAL)],
        ends: [&[OF_54], &[OF_72]],
        ..SIMULATOR
    },
    Case {
        capture: "ss7_wrapped_m3ua_map_ul_errors",
        anew: true,
        links: &[m3ua(&["10.1.0.1"], &["10.1.0.2"], [&[808], &[19, 2027]], NATIONAL)],
        ends: [
            &[Operator { gt: &["852902503470"], plmns: &["45406"], ..NOBODY }],
            &[Operator { gt: &["919819111111"], plmns: &["40420"], ..NOBODY }],
        ],
        answers: &[19],
        ..CASE
    },
    Case {
        capture: "ss7_m2ua_camel1_ssn200_152",
        anew: true,
        links: &[m3ua(&["1.1.1.1"], &["2.2.2.2"], [&[10], &[100]], NATIONAL)],
        ends: [ONE, OTHER],
        answers: &[100],
        ..CASE
    },
    Case {
        capture: "ss7_m2ua_camel2",
        anew: true,
        links: &[m3ua(&["1.1.1.1"], &["2.2.2.2"], [&[4000], &[304]], NATIONAL)],
        ends: [
            &[Operator { gt: &["2207750007"], plmns: &["60702"], ..NOBODY }],
            &[Operator { gt: &["2207750004"], plmns: &["60702"], ..NOBODY }],
        ],
        answers: &[304],
        ..CASE
    },
    Case {
        capture: "ss7_m2ua_map_ussd",
        anew: true,
        links: &[m3ua(&["1.1.1.1"], &["2.2.2.2"], [&[1041], &[8744]], NATIONAL)],
        ends: [
            &[Operator { gt: &["27829106146"], plmns: &["65501"], ..NOBODY }],
            &[Operator { gt: &["278291600"], plmns: &["65501"], ..NOBODY }],
        ],
        homes: &[1],
        ..CASE
    },
    Case {
        capture: "ss7_m3ua_ranap_sccp_conn",
        links: &[m3ua(&["193.168.189.2"], &["193.168.189.100"], [&[8007], &[8001]], "")],
        ends: [ONE, OTHER],
        ..CASE
    },
];
