//! SIP over UDP and TCP.

use super::case::{CASE, Case, NOBODY, ONE, OTHER, Operator, link};

const fn numbers(gt: &'static [&'static str]) -> Operator {
    Operator { gt, ..NOBODY }
}

/// Subscribers register, and ask to be told of what happens: where both ends of a link are of one operator.
const OWN_ACCESS: &str = "
  - {id: access, match: {protocol: sip, direction: in, method: [REGISTER, SUBSCRIBE, OPTIONS, PUBLISH, INFO]}, action: allow}";

const TCP: &str = ", transports: [tcp]";

pub const CASES: &[Case] = &[
    Case {
        capture: "sip_forms",
        links: &[
            link("sip", &["1.1.1.1"], &["2.2.2.2"], ""),
            link("sip", &["200.57.7.195"], &["200.57.7.204"], ""),
            link("sip", &["10.0.2.15"], &["10.0.2.20"], ""),
            link("sip", &["178.45.73.241"], &["213.192.59.75"], ""),
            link("sip", &["10.129.34.51"], &["10.3.160.214"], ""),
            link("sip", &["10.129.34.51"], &["10.129.34.61"], TCP),
        ],
        ends: [&[numbers(&["816666"])], &[numbers(&["972"])]],
        ..CASE
    },
    Case {
        capture: "sip_tcp_large_body",
        links: &[link("sip", &["127.0.0.2"], &["127.0.0.1"], ", transports: [tcp], mtu: 9600")],
        apart: &[(59809, "127.0.0.2")],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sip_tcp_segments",
        links: &[link("sip", &["10.192.243.79"], &["10.108.158.224"], TCP)],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sip_tcp_small",
        links: &[link("sip", &["127.0.0.2"], &["127.0.0.1"], TCP), link("sip", &["1.1.1.1"], &["2.2.2.2"], TCP)],
        apart: &[(58882, "127.0.0.2")],
        ends: [&[numbers(&["1"])], &[numbers(&["987654"])]],
        rules: OWN_ACCESS,
        ..CASE
    },
    Case {
        capture: "sip_udp_calls_accept_isup",
        links: &[
            link("sip", &["174.132.174.114"], &["8.19.97.196"], ""),
            link("sip", &["174.132.174.114"], &["208.76.18.250"], ""),
        ],
        ends: [&[numbers(&["1208"])], &[numbers(&["1818", "1310"])]],
        ..CASE
    },
    Case {
        capture: "sip_udp_calls_ndpi",
        links: &[
            link("sip", &["192.168.1.2"], &["212.242.33.35"], ""),
            link("sip", &["192.168.1.2"], &["200.68.120.81"], ""),
        ],
        ends: [&[numbers(&["35104723", "816666"])], &[numbers(&["972", "00972", "35104724"])]],
        rules: OWN_ACCESS,
        ..CASE
    },
    Case {
        capture: "sip_udp_fail_reg",
        links: &[
            link("sip", &["172.16.98.1"], &["172.16.98.101"], ""),
            link("sip", &["192.168.8.183", "192.168.8.138", "176.9.39.206"], &["192.168.8.13"], ""),
        ],
        ends: [&[numbers(&["8801", "8804"])], &[numbers(&["8802"])]],
        rules: OWN_ACCESS,
        ..CASE
    },
    Case {
        capture: "sip_udp_ipfixprobe",
        links: &[link("sip", &["147.32.77.113"], &["195.113.172.38", "195.113.172.39", "195.113.172.40"], "")],
        ends: [&[numbers(&["100"])], &[numbers(&["6"])]],
        rules: OWN_ACCESS,
        ..CASE
    },
    Case {
        capture: "sip_udp_ipv6_fragments",
        links: &[
            link(
                "sip",
                &["fd17:625c:f037:2:a00:27ff:feb9:1521"],
                &["fd17:625c:f037:2:a00:27ff:feb9:3519"],
                ", ip_fragments: reassemble",
            ),
            link(
                "sip",
                &["fd17:625c:f037:2:a00:27ff:feb9:3519"],
                &["fd17:625c:f037:2:a00:27ff:feb9:4222"],
                ", ip_fragments: reassemble",
            ),
        ],
        ends: [&[numbers(&["08019200026"])], &[numbers(&["08019200028"])]],
        rules: OWN_ACCESS,
        ..CASE
    },
    Case {
        capture: "sip_udp_load_sipp",
        links: &[link("sip", &["127.0.0.2"], &["127.0.0.1"], "")],
        apart: &[(5061, "127.0.0.2")],
        ends: [ONE, OTHER],
        ..CASE
    },
    Case {
        capture: "sip_udp_protos_fuzz",
        links: &[
            link("sip", &["192.168.1.2"], &["212.242.33.35"], ""),
            link("sip", &["192.168.1.2"], &["200.68.120.81"], ""),
        ],
        ends: [&[numbers(&["35104723", "816666"])], &[numbers(&["972", "00972", "35104724"])]],
        rules: OWN_ACCESS,
        homes: &[1],
        ..CASE
    },
    Case {
        capture: "sip_udp_t38",
        links: &[link("sip", &["84.44.107.78"], &["84.44.127.6"], "")],
        ends: [&[numbers(&["7710"])], &[numbers(&["02122151210"])]],
        ..CASE
    },
];
