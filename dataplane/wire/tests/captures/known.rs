//! Every place where we read something else than tshark 4.0.17, with the reason.

use super::ledger::{Known, known};

const ICMP: &str = "the SCTP header is quoted inside an ICMP error: no SCTP packet";
const PPIDS: &str = "payload protocol identifier is 3 with its octets swapped: the standard knows 3 only (RFC 4666 §1.4.2), tshark goes by port";
const PC24: &str = "point codes of more than 14 bits belong to national variants (ANSI, China), not to Q.704";
const CO2: &str = "connection-oriented SCCP: refused (formats 11.2)";
const M2UA: &str = "M2UA (RFC 3331) is not taken apart";
const TLEN: &str = "the TCAP message says two octets more than its SCCP data has: BerLength";
const CO: &str = "connection-oriented SCCP, with RANAP and identities inside: refused (formats 11.2)";
const INAPC: &str = "tshark leaves its column of INAP operation codes (inap.local) empty";
const INAPN: &str = "numbers of INAP: its operations are not MAP or CAP";
const VLAN3: &str = "three VLAN tags: at most two are read";
const IPOPT: &str = "IPv4 options are refused (formats 2)";
const FRAG: &str = "IP fragments are put together by the gateway, not by the decoders";
const TUN: &str = "a tunnel inside IP: not taken apart";
const X46: &str = "the capture cut the packet: shorter than its IP header says";
const X48: &str = "the IP header says 65535 octets, more than there are";
const TPDU: &str = "the second number stands inside the short message (TS 23.040), which is not taken apart";
const SSN0: &str = "tshark does not look behind SSN 0";
const COUNT: &str = "24 components, at most 16 are read (formats 11.1)";
const TYPE: &str = "no message type of Q.713";
const UDP: &str = "SCTP inside UDP (RFC 6951) is not taken apart";
const PPID0: &str = "payload protocol identifier is not 3 (RFC 4666 §1.4.2): tshark goes by port";
const LEN4G: &str = "the message says 4294967295 octets: BerLength, where tshark reads on";
const NOTID: &str = "an empty BEGIN: no transaction id (Q.773 §3.1.2)";
const TID0: &str = "a transaction id without octets: Q.773 wants one to four";

const SYNTAX: &str = "a UNIDIRECTIONAL with the syntax of a structured dialogue: Q.773 §3.2 has another for it";

pub const KNOWN: &[Known] = &[
    known("sctp_tls_port3869_freediameter", (2, 79), "", 12, ICMP),
    known("ss7_m3ua_asp_startup", (5, 12), "", 15, PPIDS),
    known("ss7_m3ua_bicc", (1, 1), "", 6, PC24),
    known("ss7_m3ua_bssap_le_icmp", (2, 6), "", 12, ICMP),
    known("ss7_m3ua_bssap_le_icmp", (31, 45), "", 14, CO2),
    known("ss7_m3ua_m2ua_synth_arkime", (5, 5), "", 13, M2UA),
    known("ss7_m3ua_m2ua_synth_arkime", (20, 20), "", 5, TLEN),
    known("ss7_m3ua_m2ua_synth_arkime", (21, 22), "", 26, M2UA),
    known("ss7_m3ua_m2ua_synth_arkime", (51, 75), "", 40, TLEN),
    known("ss7_m3ua_m2ua_synth_arkime", (78, 78), "", 13, M2UA),
    known("ss7_m3ua_m2ua_synth_arkime", (86, 90), "", 10, TLEN),
    known("ss7_m3ua_ranap_sccp_conn", (31, 32), "m3ua.", 10, PC24),
    known("ss7_m3ua_ranap_sccp_conn", (3, 484), "", 604, CO),
    known("ss7_m3ua_sccp_udt_24bit_pc", (1, 22), "", 264, PC24),
    known("syn_inap_cs1", (10, 17), "codes", 8, INAPC),
    known("syn_inap_cs1", (10, 16), "e164.msisdn", 4, INAPN),
    known("syn_l2l3_encaps_ss7", (6, 6), "", 33, VLAN3),
    known("syn_l2l3_encaps_ss7", (12, 13), "", 66, IPOPT),
    known("syn_l2l3_encaps_ss7", (16, 29), "", 132, FRAG),
    known("syn_l2l3_encaps_ss7", (39, 41), "", 66, FRAG),
    known("syn_l2l3_encaps_ss7", (44, 45), "", 66, TUN),
    known("syn_l2l3_encaps_ss7", (46, 46), "", 3, X46),
    known("syn_l2l3_encaps_ss7", (48, 48), "", 33, X48),
    known("syn_map_operations", (33, 47), "e164.msisdn", 3, TPDU),
    known("syn_sccp_shapes", (20, 20), "", 6, SSN0),
    known("syn_sccp_shapes", (48, 48), "", 8, COUNT),
    known("syn_sccp_shapes", (50, 55), "", 25, CO2),
    known("syn_sccp_shapes", (63, 63), "", 1, TYPE),
    known("syn_sctp_over_udp", (1, 4), "", 132, UDP),
    known("syn_sctp_shapes_ss7", (28, 30), "", 69, PPID0),
    known("syn_tcap_shapes", (30, 30), "tcap.application_context_name", 1, SYNTAX),
    known("syn_tcap_shapes", (33, 33), "", 7, LEN4G),
    known("syn_tcap_shapes", (34, 34), "", 1, NOTID),
    known("syn_tcap_shapes", (37, 37), "", 7, TID0),
];
