//! Sh and Dh: between application server, HSS and SLF (TS 29.329).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777217, name: "Sh/Dh", source: "TS 29.329 §6", commands: COMMANDS };

/// TS 29.329 §6.1.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    306 "User-Data" "UDR"
    307 "Profile-Update" "PUR"
    308 "Subscribe-Notifications" "SNR"
    309 "Push-Notification" "PNR"
};

/// TS 29.329 §6.3.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    700 Grouped "User-Identity"
    701 OctetString "MSISDN"
    702 OctetString "User-Data"
    703 Enumerated "Data-Reference"
    704 OctetString "Service-Indication"
    705 Enumerated "Subs-Req-Type"
    706 Enumerated "Requested-Domain"
    707 Enumerated "Current-Location"
    708 Enumerated "Identity-Set"
    709 Time "Expiry-Time"
    710 Enumerated "Send-Data-Indication"
    711 OctetString "DSAI-Tag"
    712 Enumerated "One-Time-Notification"
    713 Unsigned32 "Requested-Nodes"
    714 Enumerated "Serving-Node-Indication"
    715 Grouped "Repository-Data-ID"
    716 Unsigned32 "Sequence-Number"
    717 Enumerated "Pre-paging-Supported"
    718 Enumerated "Local-Time-Zone-Indication"
    719 Unsigned32 "UDR-Flags"
    720 Grouped "Call-Reference-Info"
    721 OctetString "Call-Reference-Number"
    722 OctetString "AS-Number"
};
