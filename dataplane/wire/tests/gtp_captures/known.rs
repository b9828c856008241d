//! Every place where we read something else than tshark 4.0.17, with the reason.

use super::ledger::{Known, known};

const COUNTED: &str =
    "the maker of the attack counted 51 octets where 55 follow: what is behind the message nobody announced";
const CUT: &str = "made so on purpose: the length leads beyond the datagram";

pub const KNOWN: &[Known] = &[
    known("gtp_v2c_mixed_a", (8, 9), "refused", 2, COUNTED),
    known("mix_ss7_diameter_gtp_attacks", (5, 10), "refused", 2, COUNTED),
    known("syn_gtpc_v1_v2", (56, 58), "refused", 2, CUT),
];

/// What tshark calls malformed, and why we refuse it.
pub const MALFORMED: &[&str] = &[
    "syn_gtpc_v1_v2 57 Refusal { reason: GtpLength, at: 2 }", // a header cut short
    "syn_gtpc_v1_v2 59 Refusal { reason: GtpIe, at: 12 }",    // an address longer than the message
    "syn_gtpc_v1_v2 60 Refusal { reason: GtpLength, at: 1 }", // one octet
];
