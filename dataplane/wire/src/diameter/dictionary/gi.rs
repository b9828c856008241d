//! Gi and SGi: AVPs that Gx, Gy and Rx take over (TS 29.061).

use super::{Definition, definitions};

/// TS 29.061 §16.4.7.2 and §16.5.
#[rustfmt::skip]
pub(super) const AVPS: &[Definition] = definitions! {
    1 Utf8String "3GPP-IMSI"
    2 OctetString "3GPP-Charging-Id"
    3 Enumerated "3GPP-PDP-Type"
    4 OctetString "3GPP-CG-Address"
    5 Utf8String "3GPP-GPRS-Negotiated-QoS-Profile"
    6 OctetString "3GPP-SGSN-Address"
    7 OctetString "3GPP-GGSN-Address"
    8 Utf8String "3GPP-IMSI-MCC-MNC"
    9 Utf8String "3GPP-GGSN-MCC-MNC"
    10 OctetString "3GPP-NSAPI"
    11 OctetString "3GPP-Session-Stop-Indicator"
    12 Utf8String "3GPP-Selection-Mode"
    13 Utf8String "3GPP-Charging-Characteristics"
    14 OctetString "3GPP-CG-IPv6-Address"
    15 OctetString "3GPP-SGSN-IPv6-Address"
    16 OctetString "3GPP-GGSN-IPv6-Address"
    17 OctetString "3GPP-IPv6-DNS-Servers"
    18 Utf8String "3GPP-SGSN-MCC-MNC"
    19 OctetString "3GPP-Teardown-Indicator"
    20 OctetString "3GPP-IMEISV"
    21 OctetString "3GPP-RAT-Type"
    22 OctetString "3GPP-User-Location-Info"
    23 OctetString "3GPP-MS-TimeZone"
    24 OctetString "3GPP-CAMEL-Charging-Info"
    25 OctetString "3GPP-Packet-Filter"
    26 OctetString "3GPP-Negotiated-DSCP"
    27 OctetString "3GPP-Allocate-IP-Type"
    29 OctetString "TWAN-Identifier"
    30 OctetString "3GPP-User-Location-Info-Time"
    31 OctetString "3GPP-Secondary-RAT-Usage"
};
