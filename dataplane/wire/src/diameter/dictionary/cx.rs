//! Cx and Dx: between CSCF, HSS and SLF (TS 29.229).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777216, name: "Cx/Dx", source: "TS 29.229 §6", commands: COMMANDS };

/// TS 29.229 §6.1.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    300 "User-Authorization" "UAR"
    301 "Server-Assignment" "SAR"
    302 "Location-Info" "LIR"
    303 "Multimedia-Auth" "MAR"
    304 "Registration-Termination" "RTR"
    305 "Push-Profile" "PPR"
};

/// TS 29.229 §6.3.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    600 OctetString "Visited-Network-Identifier"
    601 Utf8String "Public-Identity"
    602 Utf8String "Server-Name"
    603 Grouped "Server-Capabilities"
    604 Unsigned32 "Mandatory-Capability"
    605 Unsigned32 "Optional-Capability"
    606 OctetString "User-Data"
    607 Unsigned32 "SIP-Number-Auth-Items"
    608 Utf8String "SIP-Authentication-Scheme"
    609 OctetString "SIP-Authenticate"
    610 OctetString "SIP-Authorization"
    611 OctetString "SIP-Authentication-Context"
    612 Grouped "SIP-Auth-Data-Item"
    613 Unsigned32 "SIP-Item-Number"
    614 Enumerated "Server-Assignment-Type"
    615 Grouped "Deregistration-Reason"
    616 Enumerated "Reason-Code"
    617 Utf8String "Reason-Info"
    618 Grouped "Charging-Information"
    619 Uri "Primary-Event-Charging-Function-Name"
    620 Uri "Secondary-Event-Charging-Function-Name"
    621 Uri "Primary-Charging-Collection-Function-Name"
    622 Uri "Secondary-Charging-Collection-Function-Name"
    623 Enumerated "User-Authorization-Type"
    624 Enumerated "User-Data-Already-Available"
    625 OctetString "Confidentiality-Key"
    626 OctetString "Integrity-Key"
    628 Grouped "Supported-Features"
    629 Unsigned32 "Feature-List-ID"
    630 Unsigned32 "Feature-List"
    631 Grouped "Supported-Applications"
    632 Grouped "Associated-Identities"
    633 Enumerated "Originating-Request"
    634 Utf8String "Wildcarded-Public-Identity"
    635 Grouped "SIP-Digest-Authenticate"
    636 Utf8String "Wildcarded-IMPU"
    637 Unsigned32 "UAR-Flags"
    638 Enumerated "Loose-Route-Indication"
    639 Grouped "SCSCF-Restoration-Info"
    640 OctetString "Path"
    641 OctetString "Contact"
    642 Grouped "Subscription-Info"
    643 OctetString "Call-ID-SIP-Header"
    644 OctetString "From-SIP-Header"
    645 OctetString "To-SIP-Header"
    646 OctetString "Record-Route"
    647 Grouped "Associated-Registered-Identities"
    648 Enumerated "Multiple-Registration-Indication"
    649 Grouped "Restoration-Info"
    650 Enumerated "Session-Priority"
    651 Grouped "Identity-with-Emergency-Registration"
    652 Enumerated "Priviledged-Sender-Indication"
    653 Unsigned32 "LIA-Flags"
    654 Unsigned32 "Initial-CSeq-Sequence-Number"
    655 Unsigned32 "SAR-Flags"
    656 Grouped "Allowed-WAF-WWSF-Identities"
    657 Utf8String "WebRTC-Authentication-Function-Name"
    658 Utf8String "WebRTC-Web-Server-Function-Name"
    659 Unsigned32 "RTR-Flags"
};
