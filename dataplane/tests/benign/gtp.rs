//! GTP-C.

use super::case::{CASE, Case, NOBODY, Operator, link};

pub const CASES: &[Case] = &[
    Case {
        capture: "gtp_v1c_pdp_ctx",
        links: &[
            link("gtp", &["192.169.100.1"], &["10.100.200.33", "10.100.200.34", "10.100.200.49"], ""),
            link("gtp", &["127.0.0.2"], &["127.0.0.1"], ""),
        ],
        ends: [
            &[
                Operator { plmns: &["46006"], nodes: &["192.169.100.1"], ..NOBODY },
                Operator { plmns: &["24001"], nodes: &["127.0.0.2"], ..NOBODY },
            ],
            &[Operator {
                plmns: &["46000"],
                nodes: &["10.100.200.33", "10.100.200.34", "10.100.200.49", "127.0.0.1"],
                ..NOBODY
            }],
        ],
        ..CASE
    },
    Case {
        capture: "gtp_v1c_prime",
        links: &[link("gtp", &["127.0.0.2"], &["127.0.0.1"], "")],
        ends: [
            &[Operator { plmns: &["24001"], nodes: &["127.0.0.2"], ..NOBODY }],
            &[Operator { plmns: &["24002"], nodes: &["127.0.0.1"], ..NOBODY }],
        ],
        ..CASE
    },
    Case {
        capture: "gtp_v2c_mixed_a",
        links: &[link("gtp", &["10.101.0.2"], &["10.102.0.2"], ""), link("gtp", &["10.1.10.11"], &["10.1.10.41"], "")],
        ends: [
            &[
                Operator { plmns: &["987654"], nodes: &["10.101.0.2"], ..NOBODY },
                Operator { plmns: &["40505"], nodes: &["10.1.10.11"], ..NOBODY },
            ],
            &[Operator { plmns: &["01123"], nodes: &["10.102.0.2", "10.1.10.41"], ..NOBODY }],
        ],
        ..CASE
    },
    Case {
        capture: "gtp_v2c_session",
        links: &[link("gtp", &["10.10.97.3"], &["10.10.97.5"], ""), link("gtp", &["10.10.97.5"], &["10.10.97.6"], "")],
        ends: [
            &[Operator { plmns: &["000000"], nodes: &["10.10.97.3", "10.10.97.5"], ..NOBODY }],
            &[Operator { plmns: &["33333"], nodes: &["10.10.97.6", "10.10.97.5"], ..NOBODY }],
        ],
        ..CASE
    },
];
