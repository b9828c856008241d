//! SLh: between GMLC and HSS (TS 29.173).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777291, name: "SLh", source: "TS 29.173 §6", commands: COMMANDS };

/// TS 29.173 §6.3.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    8388622 "LCS-Routing-Info" "RIR"
};

/// TS 29.173 §6.4.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    2400 OctetString "LMSI"
    2401 Grouped "Serving-Node"
    2402 Identity "MME-Name"
    2403 OctetString "MSC-Number"
    2404 Unsigned32 "LCS-Capabilities-Sets"
    2405 Address "GMLC-Address"
    2406 Grouped "Additional-Serving-Node"
    2407 Address "PPR-Address"
    2408 Identity "MME-Realm"
    2409 Identity "SGSN-Name"
    2410 Identity "SGSN-Realm"
    2411 Unsigned32 "RIA-Flags"
};
