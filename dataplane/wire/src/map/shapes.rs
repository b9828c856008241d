//! Where subscribers and nodes stand in the arguments and results of MAP operations (TS 29.002 §17.7).
//!
//! Each table covers all versions of its operation; tags are those of the encoding: 04 OCTET STRING, 30 SEQUENCE, 80 [0] ...

use crate::argument::{Field, centre, each, enter, fields, imsi, msisdn, node, other, skip};

/// SubscriberIdentity: CHOICE { imsi \[0\], msisdn \[1\] }.
const IDENTITY: &[Field] = &[imsi(0x80).need(0), msisdn(0x81).need(0)];

/// CancelLocation's Identity with LMSI: SEQUENCE { imsi, lmsi }.
const WITH_LMSI: &[Field] = &[imsi(0x04).need(0), skip(0x04)];

const FORWARD_SM: &[Field] = &[enter(
    0x30,
    &[
        imsi(0x80),
        skip(0x81),
        msisdn(0x82),
        centre(0x84), // as destination or origin, see Role::Centre
        centre(0x84),
        skip(0x04), // the short message
        imsi(0x04), // of a mobile originating one
    ],
)
.need(0)];

/// LCS-ClientID: the external client's number.
const LCS_CLIENT: &[Field] = &[enter(0xa1, &[other(0x80)])];

const LOCATION: &[Field] = &[other(0x81), other(0x86)];
const LOCATION_GPRS: &[Field] = &[other(0x83)];
/// The IMSI under \[8\] is that of number portability (MNPInfoRes).
const SUBSCRIBER_INFO: &[Field] =
    &[enter(0xa0, LOCATION), enter(0xa3, LOCATION_GPRS), enter(0xa8, &[imsi(0x81), msisdn(0x82)])];

/// GSM and forwarding data of insertSubscriberData: SEQUENCE OF CHOICE { forwardingInfo \[0\] ... }.
const PROVISIONED_SS: &[Field] = &[enter(0xa0, &[each(0x30, &[each(0x30, &[other(0x85)])])]), each(0xa4, &[])];
/// O-CSI and the like: SEQUENCE { SEQUENCE OF { trigger, service key, gsmSCF-Address \[0\] } ... }.
const CSI: &[Field] = &[each(0x30, &[enter(0x30, &[other(0x80)])])];

/// Where the identities of an invoke's argument stand; `None` for operations without any.
pub(super) fn argument(op: i32, version: u8) -> Option<&'static [Field]> {
    Some(match op {
        2 => fields![
            enter(0x30, &[imsi(0x04).need(0), node(0x80).need(1), node(0x81).need(1), node(0x04).need(2)]).need(0)
        ],
        3 if version >= 3 => CANCEL_3,
        3 if version > 0 => CANCEL_2,
        3 => CANCEL_ANY,
        4 => fields![enter(0x30, &[imsi(0x80).need(0), other(0x81), msisdn(0x82), other(0x88)]).need(0)],
        5 => fields![enter(0x30, &[imsi(0x04).need(0), msisdn(0x04).need(1)]).need(0)],
        6 => fields![enter(0x30, &[imsi(0x83)])],
        7 => fields![
            enter(0x30, &[imsi(0x80), msisdn(0x81), each(0xa7, PROVISIONED_SS), enter(0xad, &[enter(0xa0, CSI)])])
                .need(0)
        ],
        8 => fields![enter(0x30, &[imsi(0x80).need(0)]).need(0)],
        9 => fields![enter(0x30, &[imsi(0x80)])],
        10 => fields![enter(0x30, &[other(0x84)])],
        15 => fields![enter(0x30, &[imsi(0x04).need(0), skip(0x04), node(0x80), node(0x81)]).need(0)],
        21 => fields![enter(0x30, &[node(0x84)])],
        22 => fields![enter(0x30, &[msisdn(0x80).need(0), node(0x86)]).need(0)],
        23 => fields![enter(0x30, &[imsi(0x04).need(0), node(0x04).need(1), skip(0x04)]).need(0)],
        24 => fields![enter(0x30, &[imsi(0x80).need(0), node(0x82).need(1)]).need(0)],
        25 => fields![enter(0x30, &[imsi(0x80).need(0), node(0x81).need(1)]).need(0)],
        26 | 74 | 75 | 87 | 88 => fields![enter(0x30, &[imsi(0x80).need(0)]).need(0)],
        36 => fields![enter(0x30, &[imsi(0x04).need(0)]).need(0)],
        37 => fields![enter(0x30, &[node(0x04).need(0)]).need(0)],
        44 | 46 => FORWARD_SM,
        45 => fields![enter(0x30, &[msisdn(0x80).need(0), node(0x82).need(1), imsi(0x8c)]).need(0)],
        47 => fields![enter(0x30, &[msisdn(0x04).need(0), node(0x04).need(1)]).need(0)],
        48 => fields![imsi(0x04).need(0)],
        49 | 64 => fields![enter(0x30, &[msisdn(0x04).need(0), other(0x04)]).need(0)],
        50 | 51 | 73 => fields![enter(0x30, &[imsi(0x80)])],
        53 => fields![enter(0x30, &[imsi(0x04).need(0), msisdn(0x04), node(0x80), node(0x81)]).need(0)],
        54 => fields![enter(0x30, &[imsi(0x04).need(0), node(0x04)]).need(0)],
        55 => fields![enter(0x30, &[node(0x82)])],
        56 if version >= 3 => SAI_3,
        56 if version > 0 => SAI_2,
        56 => SAI_ANY,
        57 => fields![enter(0x30, &[imsi(0x04).need(0), skip(0x04)]).need(0)],
        58 => fields![msisdn(0x04).need(0)],
        59..=61 => fields![enter(0x30, &[msisdn(0x80)])],
        62 => fields![enter(0x30, &[enter(0xa0, IDENTITY).need(0), node(0x82).need(1)]).need(0)],
        63 => fields![enter(0x30, &[msisdn(0x04)])],
        65 => fields![enter(0x30, &[enter(0xa0, IDENTITY).need(0), node(0x81).need(1)]).need(0)],
        66 => fields![enter(0x30, &[imsi(0x80).need(0)]).need(0)],
        67 if version >= 3 => PURGE_3,
        67 if version > 0 => PURGE_2,
        67 => PURGE_ANY,
        70 => fields![enter(0x30, &[imsi(0x80).need(0)]).need(0)],
        71 => fields![enter(0x30, &[enter(0xa0, IDENTITY).need(0), node(0x83).need(1)]).need(0)],
        72 => fields![enter(0x30, &[imsi(0x80).need(0), msisdn(0x81).need(1)]).need(0)],
        83 => fields![enter(0x30, &[node(0x04).need(0), enter(0xa0, LCS_CLIENT), imsi(0x82), msisdn(0x83)]).need(0)],
        85 => fields![enter(0x30, &[node(0x80).need(0), enter(0xa1, IDENTITY).need(1)]).need(0)],
        86 => fields![
            enter(
                0x30,
                &[
                    enter(0x30, LCS_CLIENT).need(0),
                    enter(0x30, &[node(0x04).need(0)]).need(1),
                    msisdn(0x80),
                    imsi(0x81),
                    other(0x83),
                    other(0x84),
                ],
            )
            .need(0)
        ],
        89 => fields![enter(0x30, &[imsi(0x81).need(0), msisdn(0x82).need(1)]).need(0)],
        _ => return None,
    })
}

const CANCEL_2: &[Field] = &[imsi(0x04).need(0), enter(0x30, WITH_LMSI).need(0)];
const CANCEL_3_INSIDE: &[Field] =
    &[imsi(0x04).first().need(0), enter(0x30, WITH_LMSI).first().need(0), other(0x81), other(0x82)];
const CANCEL_3: &[Field] = &[enter(0xa3, CANCEL_3_INSIDE).need(0)];
const CANCEL_ANY: &[Field] =
    &[imsi(0x04).need(0), enter(0x30, WITH_LMSI).need(0), enter(0xa3, CANCEL_3_INSIDE).need(0)];

const SAI_2: &[Field] = &[imsi(0x04).need(0)];
const SAI_3_INSIDE: &[Field] = &[imsi(0x80).need(0)];
const SAI_3: &[Field] = &[enter(0x30, SAI_3_INSIDE).need(0)];
const SAI_ANY: &[Field] = &[imsi(0x04).need(0), enter(0x30, SAI_3_INSIDE).need(0)];

const PURGE_2_INSIDE: &[Field] = &[imsi(0x04).need(0), node(0x04)];
const PURGE_3_INSIDE: &[Field] = &[imsi(0x04).need(0), node(0x80), node(0x81)];
const PURGE_2: &[Field] = &[enter(0x30, PURGE_2_INSIDE).need(0)];
const PURGE_3: &[Field] = &[enter(0xa3, PURGE_3_INSIDE).need(0)];
const PURGE_ANY: &[Field] = &[enter(0x30, PURGE_2_INSIDE).need(0), enter(0xa3, PURGE_3_INSIDE).need(0)];

/// Routing information of sendRoutingInfo: CHOICE { roamingNumber, forwardingData { forwardedToNumber \[5\] } }.
const SRI_RESULT: &[Field] = &[imsi(0x89), other(0x04), enter(0x30, &[other(0x85)]), other(0x82), msisdn(0x8c)];
const HLR_NUMBER: &[Field] = &[node(0x04), enter(0x30, &[node(0x04)])];

/// Where the identities of a result stand. Nothing is mandatory: results are judged by their transaction.
pub(super) fn result(op: i32) -> Option<&'static [Field]> {
    Some(match op {
        2 | 57 => HLR_NUMBER,
        4 => fields![other(0x04), enter(0x30, &[other(0x04)])],
        22 => fields![enter(0xa3, SRI_RESULT), enter(0x30, &[imsi(0x04), other(0x04), enter(0x30, &[other(0x85)])])],
        23 => fields![enter(0x30, &[node(0x04)])],
        45 => fields![enter(
            0x30,
            &[imsi(0x04), enter(0xa0, &[other(0x80), other(0x81), enter(0xa6, &[other(0x80), other(0x81)])])],
        )],
        55 => fields![enter(0xa3, &[imsi(0x04)]), enter(0x30, &[imsi(0x04)])],
        58 => fields![imsi(0x04)],
        70 | 71 => fields![enter(0x30, &[enter(0x30, SUBSCRIBER_INFO)])],
        85 => fields![enter(0x30, &[enter(0xa0, IDENTITY), enter(0xa1, &[other(0x04)])])],
        _ => return None,
    })
}
