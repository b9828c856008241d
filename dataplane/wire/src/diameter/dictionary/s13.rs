//! S13 and S13': between MME or SGSN and EIR (TS 29.272).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777252, name: "S13/S13'", source: "TS 29.272 §7.1.8", commands: COMMANDS };

/// TS 29.272 §7.2.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    324 "ME-Identity-Check" "ECR"
};

/// TS 29.272 §7.3.3 to §7.3.6, §7.3.51.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    1401 Grouped "Terminal-Information"
    1402 Utf8String "IMEI"
    1403 Utf8String "Software-Version"
    1445 Enumerated "Equipment-Status"
    1471 OctetString "3GPP2-MEID"
};
