//! SGd and Gdd: between MME or SGSN and SMS centres (TS 29.338).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777313, name: "SGd/Gdd", source: "TS 29.338 §6", commands: COMMANDS };

/// TS 29.338 §6.3.2. The alert is that of S6c, from MME to SMS-GMSC.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    8388645 "MO-Forward-Short-Message" "OFR"
    8388646 "MT-Forward-Short-Message" "TFR"
    8388648 "Alert-Service-Centre" "ALR"
};

/// TS 29.338 §6.3.3.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    3300 OctetString "SC-Address"
    3301 OctetString "SM-RP-UI"
    3302 Unsigned32 "TFR-Flags"
    3303 Grouped "SM-Delivery-Failure-Cause"
    3304 Enumerated "SM-Enumerated-Delivery-Failure-Cause"
    3305 OctetString "SM-Diagnostic-Info"
    3306 Unsigned32 "SM-Delivery-Timer"
    3307 Time "SM-Delivery-Start-Time"
    3324 Grouped "SMSMI-Correlation-ID"
    3325 Utf8String "HSS-ID"
    3326 Utf8String "Originating-SIP-URI"
    3327 Utf8String "Destination-SIP-URI"
    3328 Unsigned32 "OFR-Flags"
    3330 Time "Maximum-Retransmission-Time"
    3331 Time "Requested-Retransmission-Time"
    3332 OctetString "SMS-GMSC-Address"
};
