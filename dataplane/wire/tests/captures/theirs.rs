//! What tshark reads of SS7 and SCTP in each frame.

use std::path::Path;

use super::ours::Fields;
use super::tshark;

/// Fields that are compared as they are, numbers by value.
const PLAIN: &[&str] = &[
    "sctp.srcport",
    "sctp.dstport",
    "sctp.verification_tag",
    "sctp.chunk_type",
    "sctp.data_b_bit",
    "sctp.data_e_bit",
    "sctp.data_tsn_raw",
    "sctp.data_sid",
    "sctp.data_ssn",
    "sctp.data_payload_proto_id",
    "m3ua.message_class",
    "m3ua.message_type",
    "m3ua.routing_context",
    "m3ua.protocol_data_opc",
    "m3ua.protocol_data_dpc",
    "m3ua.protocol_data_si",
    "m3ua.protocol_data_ni",
    "m3ua.protocol_data_sls",
    "sccp.message_type",
    "sccp.class",
    "sccp.called.ri",
    "sccp.called.pc",
    "sccp.called.ssn",
    "sccp.calling.ri",
    "sccp.calling.pc",
    "sccp.calling.ssn",
    "sccp.segmentation.first",
    "sccp.segmentation.remaining",
    "sccp.segmentation.slr",
    "sccp.return_cause",
    "tcap.unidirectional_element",
    "tcap.begin_element",
    "tcap.continue_element",
    "tcap.end_element",
    "tcap.abort_element",
];

/// Fields that are text, digits or octets.
const TEXT: &[&str] = &[
    "sccp.called.digits",
    "sccp.calling.digits",
    "tcap.otid",
    "tcap.dtid",
    "tcap.application_context_name",
    "e212.imsi",
    "e164.msisdn",
];

/// Columns that together make one of ours: MAP, CAP and INAP have dissectors of their own.
const JOINED: &[(&str, &[&str])] = &[
    ("codes", &["gsm_old.localValue", "camel.local", "inap.local"]),
    ("invokes", &["gsm_old.invoke_element", "camel.invoke_element", "inap.invoke_element"]),
    (
        "results",
        &["gsm_old.returnResultLast_element", "gsm_old.returnResultNotLast_element", "camel.returnResult_element"],
    ),
    ("errors", &["gsm_old.returnError_element", "camel.returnError_element"]),
    ("rejects", &["gsm_old.reject_element"]),
    ("invoke ids", &["gsm_old.invokeID"]),
];

/// One frame as tshark reads it.
pub struct Row {
    pub fields: Fields,
    /// tshark gave up somewhere: nothing to agree on.
    pub malformed: bool,
    /// Protocols of the frame.
    pub protocols: String,
}

/// Reads the expected decode that stands beside `capture`.
pub fn rows(capture: &Path) -> Option<Vec<Row>> {
    tshark::rows(capture, |line| {
        let list = |name| line.get(name).split(';').filter(|value| !value.is_empty());
        let mut fields = Fields::new();
        let mut set = |name, values: Vec<String>| {
            if !values.is_empty() {
                fields.insert(name, values);
            }
        };
        for name in PLAIN {
            set(name, list(name).map(number).collect());
        }
        for name in TEXT {
            set(name, list(name).map(str::to_owned).collect());
        }
        for (name, columns) in JOINED {
            set(name, columns.iter().flat_map(|column| list(column)).map(number).collect());
        }
        Row { fields, malformed: line.malformed(), protocols: line.get("frame.protocols").to_owned() }
    })
}

/// tshark prints some numbers in hexadecimal.
fn number(text: &str) -> String {
    match text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16)) {
        Some(Ok(value)) => value.to_string(),
        _ => text.to_owned(),
    }
}
