//! S6c: between HSS and SMS-GMSC, IP-SM-GW or SMS router (TS 29.338).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777312, name: "S6c", source: "TS 29.338 §5", commands: COMMANDS };

/// TS 29.338 §5.3.2.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    8388647 "Send-Routing-Info-for-SM" "SRR"
    8388648 "Alert-Service-Centre" "ALR"
    8388649 "Report-SM-Delivery-Status" "RDR"
};

/// TS 29.338 §5.3.3.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    3308 Enumerated "SM-RP-MTI"
    3309 OctetString "SM-RP-SMEA"
    3310 Unsigned32 "SRR-Flags"
    3311 Enumerated "SM-Delivery-Not-Intended"
    3312 Unsigned32 "MWD-Status"
    3313 Unsigned32 "MME-Absent-User-Diagnostic-SM"
    3314 Unsigned32 "MSC-Absent-User-Diagnostic-SM"
    3315 Unsigned32 "SGSN-Absent-User-Diagnostic-SM"
    3316 Grouped "SM-Delivery-Outcome"
    3317 Grouped "MME-SM-Delivery-Outcome"
    3318 Grouped "MSC-SM-Delivery-Outcome"
    3319 Grouped "SGSN-SM-Delivery-Outcome"
    3320 Grouped "IP-SM-GW-SM-Delivery-Outcome"
    3321 Enumerated "SM-Delivery-Cause"
    3322 Unsigned32 "Absent-User-Diagnostic-SM"
    3323 Unsigned32 "RDR-Flags"
    3329 Time "Maximum-UE-Availability-Time"
    3333 Unsigned32 "SMS-GMSC-Alert-Event"
    3334 Unsigned32 "SMSF-3GPP-Absent-User-Diagnostic-SM"
    3335 Unsigned32 "SMSF-Non-3GPP-Absent-User-Diagnostic-SM"
    3336 Grouped "SMSF-3GPP-SM-Delivery-Outcome"
    3337 Grouped "SMSF-Non-3GPP-SM-Delivery-Outcome"
    3338 OctetString "SMSF-3GPP-Number"
    3339 OctetString "SMSF-Non-3GPP-Number"
    3340 Identity "SMSF-3GPP-Name"
    3341 Identity "SMSF-Non-3GPP-Name"
    3342 Identity "SMSF-3GPP-Realm"
    3343 Identity "SMSF-Non-3GPP-Realm"
    3344 Grouped "SMSF-3GPP-Address"
    3345 Grouped "SMSF-Non-3GPP-Address"
};
