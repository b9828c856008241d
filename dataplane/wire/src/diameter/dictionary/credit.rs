//! Credit control, the base of Gy and Ro (RFC 8506).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 4, name: "Credit-Control (Gy, Ro)", source: "RFC 8506 §3; TS 32.299 §6.4", commands: COMMANDS };

/// RFC 8506 §3; re-authorization and abort as RFC 6733 §8.3 and §8.5 have them.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    258 "Re-Auth" "RAR"
    272 "Credit-Control" "CCR"
    274 "Abort-Session" "ASR"
};

/// RFC 8506 §8.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    411 OctetString "CC-Correlation-Id"
    412 Unsigned64 "CC-Input-Octets"
    413 Grouped "CC-Money"
    414 Unsigned64 "CC-Output-Octets"
    415 Unsigned32 "CC-Request-Number"
    416 Enumerated "CC-Request-Type"
    417 Unsigned64 "CC-Service-Specific-Units"
    418 Enumerated "CC-Session-Failover"
    419 Unsigned64 "CC-Sub-Session-Id"
    420 Unsigned32 "CC-Time"
    421 Unsigned64 "CC-Total-Octets"
    422 Enumerated "Check-Balance-Result"
    423 Grouped "Cost-Information"
    424 Utf8String "Cost-Unit"
    425 Unsigned32 "Currency-Code"
    426 Enumerated "Credit-Control"
    427 Enumerated "Credit-Control-Failure-Handling"
    428 Enumerated "Direct-Debiting-Failure-Handling"
    429 Integer32 "Exponent"
    430 Grouped "Final-Unit-Indication"
    431 Grouped "Granted-Service-Unit"
    432 Unsigned32 "Rating-Group"
    433 Enumerated "Redirect-Address-Type"
    434 Grouped "Redirect-Server"
    435 Utf8String "Redirect-Server-Address"
    436 Enumerated "Requested-Action"
    437 Grouped "Requested-Service-Unit"
    438 IpFilterRule "Restriction-Filter-Rule"
    439 Unsigned32 "Service-Identifier"
    440 Grouped "Service-Parameter-Info"
    441 Unsigned32 "Service-Parameter-Type"
    442 OctetString "Service-Parameter-Value"
    443 Grouped "Subscription-Id"
    444 Utf8String "Subscription-Id-Data"
    445 Grouped "Unit-Value"
    446 Grouped "Used-Service-Unit"
    447 Integer64 "Value-Digits"
    448 Unsigned32 "Validity-Time"
    449 Enumerated "Final-Unit-Action"
    450 Enumerated "Subscription-Id-Type"
    451 Time "Tariff-Time-Change"
    452 Enumerated "Tariff-Change-Usage"
    453 Unsigned32 "G-S-U-Pool-Identifier"
    454 Enumerated "CC-Unit-Type"
    455 Enumerated "Multiple-Services-Indicator"
    456 Grouped "Multiple-Services-Credit-Control"
    457 Grouped "G-S-U-Pool-Reference"
    458 Grouped "User-Equipment-Info"
    459 Enumerated "User-Equipment-Info-Type"
    460 OctetString "User-Equipment-Info-Value"
    461 Utf8String "Service-Context-Id"
    653 Grouped "User-Equipment-Info-Extension"
    654 OctetString "User-Equipment-Info-IMEISV"
    655 OctetString "User-Equipment-Info-MAC"
    656 OctetString "User-Equipment-Info-EUI64"
    657 OctetString "User-Equipment-Info-ModifiedEUI64"
    658 OctetString "User-Equipment-Info-IMEI"
};
