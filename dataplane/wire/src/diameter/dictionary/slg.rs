//! SLg: between GMLC and MME or SGSN (TS 29.172).

use super::{Application, Definition, commands, definitions};

pub(super) const APPLICATION: Application =
    Application { id: 16777255, name: "SLg", source: "TS 29.172 §7", commands: COMMANDS };

/// TS 29.172 §7.3.
#[rustfmt::skip]
const COMMANDS: &[super::Command] = commands! {
    8388620 "Provide-Location" "PLR"
    8388621 "Location-Report" "LRR"
};

/// TS 29.172 §7.4.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    2500 Enumerated "SLg-Location-Type"
    2501 Grouped "LCS-EPS-Client-Name"
    2502 Grouped "LCS-Requestor-Name"
    2503 Unsigned32 "LCS-Priority"
    2504 Grouped "LCS-QoS"
    2505 Unsigned32 "Horizontal-Accuracy"
    2506 Unsigned32 "Vertical-Accuracy"
    2507 Enumerated "Vertical-Requested"
    2508 Enumerated "Velocity-Requested"
    2509 Enumerated "Response-Time"
    2510 Unsigned32 "Supported-GAD-Shapes"
    2511 Utf8String "LCS-Codeword"
    2512 Enumerated "LCS-Privacy-Check"
    2513 Enumerated "Accuracy-Fulfilment-Indicator"
    2514 Unsigned32 "Age-Of-Location-Estimate"
    2515 OctetString "Velocity-Estimate"
    2516 OctetString "EUTRAN-Positioning-Data"
    2517 OctetString "ECGI"
    2518 Enumerated "Location-Event"
    2519 Enumerated "Pseudonym-Indicator"
    2520 Unsigned32 "LCS-Service-Type-ID"
    2521 Grouped "LCS-Privacy-Check-Non-Session"
    2522 Grouped "LCS-Privacy-Check-Session"
    2523 Enumerated "LCS-QoS-Class"
    2524 Grouped "GERAN-Positioning-Info"
    2525 OctetString "GERAN-Positioning-Data"
    2526 OctetString "GERAN-GANSS-Positioning-Data"
    2527 Grouped "UTRAN-Positioning-Info"
    2528 OctetString "UTRAN-Positioning-Data"
    2529 OctetString "UTRAN-GANSS-Positioning-Data"
    2530 Unsigned32 "LRR-Flags"
    2531 OctetString "LCS-Reference-Number"
    2532 Unsigned32 "Deferred-Location-Type"
    2533 Grouped "Area-Event-Info"
    2534 Grouped "Area-Definition"
    2535 Grouped "Area"
    2536 Unsigned32 "Area-Type"
    2537 OctetString "Area-Identification"
    2538 Enumerated "Occurrence-Info"
    2539 Unsigned32 "Interval-Time"
    2540 Grouped "Periodic-LDR-Information"
    2541 Unsigned32 "Reporting-Amount"
    2542 Unsigned32 "Reporting-Interval"
    2543 Grouped "Reporting-PLMN-List"
    2544 Grouped "PLMN-ID-List"
    2545 Unsigned32 "PLR-Flags"
    2546 Unsigned32 "PLA-Flags"
    2547 Grouped "Deferred-MT-LR-Data"
    2548 Unsigned32 "Termination-Cause"
    2549 Unsigned32 "LRA-Flags"
    2550 Enumerated "Periodic-Location-Support-Indicator"
    2551 Enumerated "Prioritized-List-Indicator"
    2552 Grouped "ESMLC-Cell-Info"
    2553 Unsigned32 "Cell-Portion-ID"
    2554 OctetString "1xRTT-RCID"
    2555 Grouped "Delayed-Location-Reporting-Data"
    2556 Utf8String "Civic-Address"
    2557 Unsigned32 "Barometric-Pressure"
    2558 OctetString "UTRAN-Additional-Positioning-Data"
    2559 Grouped "Motion-Event-Info"
    2560 Unsigned32 "Linear-Distance"
    2561 Unsigned32 "Maximum-Interval"
    2562 Unsigned32 "Sampling-Interval"
    2563 Unsigned32 "Reporting-Duration"
    2564 Unsigned32 "Reporting-Location-Requirements"
    2565 Grouped "Additional-Area"
};
