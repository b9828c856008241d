//! Rx: between application function and PCRF (TS 29.214).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777236, name: "Rx", source: "TS 29.214 §5", commands: COMMANDS };

/// TS 29.214 §5.6.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    258 "Re-Auth" "RAR"
    265 "AA" "AAR"
    274 "Abort-Session" "ASR"
    275 "Session-Termination" "STR"
};

/// TS 29.214 §5.3.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    500 Enumerated "Abort-Cause"
    501 Address "Access-Network-Charging-Address"
    502 Grouped "Access-Network-Charging-Identifier"
    503 OctetString "Access-Network-Charging-Identifier-Value"
    504 OctetString "AF-Application-Identifier"
    505 OctetString "AF-Charging-Identifier"
    506 OctetString "Authorization-Token"
    507 IpFilterRule "Flow-Description"
    508 Grouped "Flow-Grouping"
    509 Unsigned32 "Flow-Number"
    510 Grouped "Flows"
    511 Enumerated "Flow-Status"
    512 Enumerated "Flow-Usage"
    513 Enumerated "Specific-Action"
    515 Unsigned32 "Max-Requested-Bandwidth-DL"
    516 Unsigned32 "Max-Requested-Bandwidth-UL"
    517 Grouped "Media-Component-Description"
    518 Unsigned32 "Media-Component-Number"
    519 Grouped "Media-Sub-Component"
    520 Enumerated "Media-Type"
    521 Unsigned32 "RR-Bandwidth"
    522 Unsigned32 "RS-Bandwidth"
    523 Enumerated "SIP-Forking-Indication"
    524 OctetString "Codec-Data"
    525 OctetString "Service-URN"
    526 Grouped "Acceptable-Service-Info"
    527 Enumerated "Service-Info-Status"
    528 OctetString "MPS-Identifier"
    529 Enumerated "AF-Signalling-Protocol"
    530 Grouped "Sponsored-Connectivity-Data"
    531 Utf8String "Sponsor-Identity"
    532 Utf8String "Application-Service-Provider-Identity"
    533 Enumerated "Rx-Request-Type"
    534 Unsigned32 "Min-Requested-Bandwidth-DL"
    535 Unsigned32 "Min-Requested-Bandwidth-UL"
    536 Enumerated "Required-Access-Info"
    537 OctetString "IP-Domain-Id"
    538 OctetString "GCS-Identifier"
    539 Unsigned32 "Sharing-Key-DL"
    540 Unsigned32 "Sharing-Key-UL"
    541 Unsigned32 "Retry-Interval"
    542 Enumerated "Sponsoring-Action"
    543 Unsigned32 "Max-Supported-Bandwidth-DL"
    544 Unsigned32 "Max-Supported-Bandwidth-UL"
    545 Unsigned32 "Min-Desired-Bandwidth-DL"
    546 Unsigned32 "Min-Desired-Bandwidth-UL"
    547 OctetString "MCPTT-Identifier"
    548 Unsigned32 "Service-Authorization-Info"
    549 Unsigned32 "Media-Component-Status"
    550 Enumerated "Priority-Sharing-Indicator"
    551 Unsigned32 "AF-Requested-Data"
    552 Unsigned64 "Content-Version"
    553 Unsigned32 "Pre-emption-Control-Info"
    554 Unsigned32 "Extended-Max-Requested-BW-DL"
    555 Unsigned32 "Extended-Max-Requested-BW-UL"
    556 Unsigned32 "Extended-Max-Supported-BW-DL"
    557 Unsigned32 "Extended-Max-Supported-BW-UL"
    558 Unsigned32 "Extended-Min-Desired-BW-DL"
    559 Unsigned32 "Extended-Min-Desired-BW-UL"
    560 Unsigned32 "Extended-Min-Requested-BW-DL"
    561 Unsigned32 "Extended-Min-Requested-BW-UL"
    562 OctetString "MCVideo-Identifier"
    563 OctetString "IMS-Content-Identifier"
    564 Enumerated "IMS-Content-Type"
};
