//! MAP versions mixed: an operation, or the shape of an argument, of another version than the context says.

use sealgate_wire::Reason;

use super::kit::*;

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let empty = of(0x30, &[]);
    // Operations that a version does not have, by the packages of TS 09.02 and TS 29.002 §17.2.
    for (name, context, op) in [
        ("restoreData", map(1, 1), 57),
        ("sendParameters", map(1, 2), 9),
        ("beginSubscriberActivity", map(1, 3), 54),
        ("noteSubscriberPresent", map(24, 2), 48),
        ("readyForSM", map(24, 1), 66),
        ("alertServiceCentre", map(23, 1), 64),
        ("alertServiceCentreWithoutResult", map(23, 2), 49),
        ("sendAuthenticationInfo", map(14, 1), 56),
        ("sendParameters", map(14, 3), 9),
        ("mt-ForwardSM", map(25, 2), 44),
        ("forwardSM", map(25, 3), 46),
        ("beginSubscriberActivity", map(18, 2), 54),
        ("forwardSS-Notification", map(18, 1), 16),
        ("traceSubscriberActivity", map(11, 2), 52),
        ("prepareHandover", map(11, 1), 68),
    ] {
        let version = context[6];
        let tcap = begin(&context, &[&invoke(1, op, &empty)]);
        all.push(case(format!("{name} ({op}) in version {version}"), ss7(&tcap), Reason::TcapAcOpcode));
    }
    // Versions that a context does not have.
    for (name, context) in [
        ("anyTimeEnquiry 1", map(29, 1)),
        ("anyTimeEnquiry 2", map(29, 2)),
        ("subscriberInfoEnquiry 2", map(28, 2)),
        ("imsiRetrieval 3", map(26, 3)),
        ("shortMsgMT-Relay 1", map(25, 1)),
        ("networkUnstructuredSs 3", map(19, 3)),
        ("gprsLocationUpdate 2", map(32, 2)),
        ("msPurging 1", map(27, 1)),
        ("locationCancellation 4", map(2, 4)),
    ] {
        all.push(case(name, ss7(&begin(&context, &[&invoke(1, 70, &empty)])), Reason::TcapAcOpcode));
    }
    let (string, inside) = (imsi(4, B), of(0x30, &[&imsi(0x80, B), &[2, 1, 1]]));
    let (cancel_2, cancel_3) = (imsi(4, B), of(0xa3, &[&imsi(4, B)]));
    let (purge_2, purge_3) =
        (of(0x30, &[&imsi(4, B), &number(4, THEIRS)]), of(0xa3, &[&imsi(4, B), &number(0x80, THEIRS)]));
    // Context, operation, and its argument in versions 2 and 3.
    type Shape<'a> = (&'a str, u8, i32, &'a [u8], &'a [u8]);
    let shapes: [Shape<'_>; 3] = [
        ("sendAuthenticationInfo", 14, 56, &string, &inside),
        ("cancelLocation", 2, 3, &cancel_2, &cancel_3),
        ("purgeMS", 27, 67, &purge_2, &purge_3),
    ];
    for (name, number, op, two, three) in shapes {
        for (version, argument, want) in [
            (2, three, Reason::MapParam),
            (3, two, Reason::MapParam),
            (2, two, Reason::OkUnsignedAllowed),
            (3, three, Reason::OkUnsignedAllowed),
        ] {
            let shape = if argument == two { 2 } else { 3 };
            let tcap = begin(&map(number, version), &[&invoke(1, op, argument)]);
            all.push(case(format!("{name} of version {shape} in a dialogue of version {version}"), ss7(&tcap), want));
        }
    }
    // Of ours, in either shape: the shape is no way around the subscriber.
    let ours: [(&str, u8, Vec<u8>); 2] = [("2", 2, imsi(4, HOME)), ("3", 3, of(0xa3, &[&imsi(4, HOME)]))];
    for (name, version, argument) in ours {
        let tcap = begin(&map(2, version), &[&invoke(1, 3, &argument)]);
        all.push(case(format!("cancelLocation of ours in version {name}"), ss7(&tcap), Reason::PolHomeImsi));
    }
    // A peer of version 1, which names no context: its shapes are those of version 1, and category 1 is what it is.
    for (name, op, argument, want) in [
        ("cancelLocation of version 3 without a context", 3, of(0xa3, &[&imsi(4, B)]), Reason::MapParam),
        ("cancelLocation of ours without a context", 3, imsi(4, HOME), Reason::PolHomeImsi),
        ("anyTimeInterrogation without a context", 71, interrogation(HOME), Reason::PolCat1),
        ("insertSubscriberData of nobody without a context", 7, of(0x30, &[]), Reason::PolCat2),
        ("cancelLocation without a context", 3, imsi(4, B), Reason::OkUnsignedAllowed),
        ("sendParameters without a context", 9, imsi(0x80, B), Reason::OkUnsignedAllowed),
    ] {
        all.push(case(name, ss7(&begin_with(&[], &[&invoke(1, op, &argument)])), want).under("version-1"));
    }
    all
}
