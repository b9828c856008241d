//! Every place where we read something else than tshark 4.0.17, with the reason.

use super::ledger::{Known, known};

const FRAG: &str = "IP fragments are put together by the gateway, not by the decoders";
const NULL: &str = "a telephone asserts `<sip:0298765432100@<null>>`: no host";
const ESCAPED: &str = "the display name begins with a backslash, which is no character of a word";
const TWO_TO: &str = "two To headers, one of them compact (formats 11.4)";
const PPPOE: &str = "PPPoE is not taken off: the gateway stands behind the router that does";
const TOO_BIG: &str = "a body of 65536 octets: longer than 64 KiB with its head (formats 11.4)";
const ICMP: &str = "the request is quoted inside an ICMP error: no datagram of SIP";
const TWO_TAGS: &str = "To has two tags";
const DAMAGED: &str = "octets of the message were changed at random: not of the grammar";
const DAMAGED_IP: &str = "octets of the IP header were changed at random: refused there";

pub const KNOWN: &[Known] = &[
    known("dia_cx_ims_ipsec_reg", (128, 128), "", 6, FRAG),
    known("dia_cx_rx_gx_volte_sip_gtpv2", (14, 14), "", 6, FRAG),
    known("dia_cx_rx_gx_volte_sip_gtpv2", (41, 49), "refused", 3, NULL),
    known("dia_cx_rx_gx_volte_sip_gtpv2", (52, 80), "", 42, FRAG),
    known("sip_forms", (1, 1), "refused", 1, ESCAPED),
    known("sip_forms", (2, 2), "refused", 1, TWO_TO),
    known("sip_forms", (3, 4), "refused", 2, ESCAPED),
    known("sip_forms", (6, 6), "", 6, PPPOE),
    known("sip_tcp_large_body", (9, 9), "", 7, TOO_BIG),
    known("sip_udp_ipfixprobe", (7, 15), "", 30, ICMP),
    known("sip_udp_ipv6_fragments", (2, 5), "", 16, FRAG),
    known("sip_udp_ipv6_fragments", (26, 27), "refused", 2, TWO_TAGS),
    known("sip_udp_protos_fuzz", (20, 650), "refused", 21, DAMAGED),
    known("sip_udp_protos_fuzz", (454, 640), "", 8, DAMAGED_IP),
    known("syn_sip_identity", (20, 34), "", 27, FRAG),
];

/// What becomes of the form and the parties of PASSporTs, by capture: nothing, or the name of a reason; how many.
pub const PASSPORTS: &[(&str, &str, usize)] = &[
    ("syn_sip_identity", "", 7),
    ("syn_sip_identity", "R_STIR_DEST", 1), // frame 40: for another number, on purpose
    ("syn_sip_identity", "R_STIR_SYNTAX", 1), // frame 37: `a.b.c`
    ("syn_sip_isup_bodies", "", 2),
    ("syn_sip_tcp_identity", "", 5),
];
