//! Every place where we read something else than tshark 4.0.17, with the reason.

use super::ledger::{Known, known};

const LATE: &str =
    "captured behind its own answer: tshark takes the segment for a retransmission and does not look into it";
const VENDOR: &str = "a group of vendor 193 (Ericsson), which is in no table of ours: its inside stays octets";
const TWICE: &str = "Auth-Session-State occurs twice, which strict decoding refuses (formats 11.3)";
const TPDU: &str = "the number stands inside the short message (TS 23.040), which is not taken apart";

pub const KNOWN: &[Known] = &[
    known("dia_tcp_gx_sy", (23, 4579), "", 2133, LATE),
    known("dia_tcp_ro_ccr", (1, 34), "diameter.avp.code", 5, VENDOR),
    known("ss7_m3ua_cap2_map_diameter_mix", (74, 74), "diameter.avp.code", 1, VENDOR),
    known("ss7_m3ua_cap2_map_diameter_mix", (407, 407), "", 9, LATE),
    known("ss7_m3ua_map_ati_bundled", (325, 2333), "", 72, LATE),
    known("ss7_m3ua_map_ati_bundled", (3421, 3421), "diameter.avp.code", 1, VENDOR),
    known("syn_diameter_sctp", (35, 35), "e164.msisdn", 1, TPDU),
    known("syn_diameter_sctp", (41, 41), "strict", 1, TWICE),
    known("syn_diameter_tcp", (40, 40), "e164.msisdn", 1, TPDU),
    known("syn_diameter_tcp", (47, 47), "strict", 1, TWICE),
];
