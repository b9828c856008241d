//! CAP (3GPP TS 29.078, phases 1 to 4): operations, application contexts, and whom an initial message speaks of.

use crate::addr::Digits;
use crate::argument::{self, Field, Party, enter, fields, imsi, isup, msisdn, node, other, read_isup};
use crate::ber::{self, Rules};
use crate::reason::Refusal;
use crate::tcap::ComponentKind;

/// Every operation with its name, in the order of its code (TS 29.078 §5 and §6, §8 for GPRS, §7 for SMS).
pub const OPERATIONS: &[(i32, &str)] = &[
    (0, "initialDP"),
    (16, "assistRequestInstructions"),
    (17, "establishTemporaryConnection"),
    (18, "disconnectForwardConnection"),
    (19, "connectToResource"),
    (20, "connect"),
    (22, "releaseCall"),
    (23, "requestReportBCSMEvent"),
    (24, "eventReportBCSM"),
    (27, "collectInformation"),
    (31, "continue"),
    (32, "initiateCallAttempt"),
    (33, "resetTimer"),
    (34, "furnishChargingInformation"),
    (35, "applyCharging"),
    (36, "applyChargingReport"),
    (41, "callGap"),
    (44, "callInformationReport"),
    (45, "callInformationRequest"),
    (46, "sendChargingInformation"),
    (47, "playAnnouncement"),
    (48, "promptAndCollectUserInformation"),
    (49, "specializedResourceReport"),
    (53, "cancel"),
    (55, "activityTest"),
    (56, "continueWithArgument"),
    (60, "initialDPSMS"),
    (61, "furnishChargingInformationSMS"),
    (62, "connectSMS"),
    (63, "requestReportSMSEvent"),
    (64, "eventReportSMS"),
    (65, "continueSMS"),
    (66, "releaseSMS"),
    (67, "resetTimerSMS"),
    (70, "activityTestGPRS"),
    (71, "applyChargingGPRS"),
    (72, "applyChargingReportGPRS"),
    (73, "cancelGPRS"),
    (74, "connectGPRS"),
    (75, "continueGPRS"),
    (76, "entityReleasedGPRS"),
    (77, "furnishChargingInformationGPRS"),
    (78, "initialDPGPRS"),
    (79, "releaseGPRS"),
    (80, "eventReportGPRS"),
    (81, "requestReportGPRSEvent"),
    (82, "resetTimerGPRS"),
    (83, "sendChargingInformationGPRS"),
    (86, "dFCWithArgument"),
    (88, "continueWithArgument"),
    (90, "disconnectLeg"),
    (93, "moveLeg"),
    (95, "splitLeg"),
    (96, "entityReleased"),
    (97, "playTone"),
];

/// The name of an operation in TS 29.078.
pub fn operation_name(op: i32) -> Option<&'static str> {
    OPERATIONS.iter().find(|(code, _)| *code == op).map(|(_, name)| *name)
}

/// An application context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// What it is for.
    pub name: &'static str,
    /// CAMEL phase, 1 to 4.
    pub phase: u8,
}

const CONTEXTS: &[(&[u8], Context)] = &[
    (&[4, 0, 0, 1, 0, 50, 0], Context { name: "gsmSSF-gsmSCF", phase: 1 }),
    (&[4, 0, 0, 1, 0, 50, 1], Context { name: "gsmSSF-gsmSCF", phase: 2 }),
    (&[4, 0, 0, 1, 0, 51, 1], Context { name: "assistHandoff", phase: 2 }),
    (&[4, 0, 0, 1, 0, 52, 1], Context { name: "gsmSRF-gsmSCF", phase: 2 }),
    (&[4, 0, 0, 1, 21, 3, 4], Context { name: "gsmSSF-gsmSCF", phase: 3 }),
    (&[4, 0, 0, 1, 21, 3, 6], Context { name: "assistHandoff", phase: 3 }),
    (&[4, 0, 0, 1, 21, 3, 14], Context { name: "gsmSRF-gsmSCF", phase: 3 }),
    (&[4, 0, 0, 1, 21, 3, 50], Context { name: "gprsSSF-gsmSCF", phase: 3 }),
    (&[4, 0, 0, 1, 21, 3, 51], Context { name: "gsmSCF-gprsSSF", phase: 3 }),
    (&[4, 0, 0, 1, 21, 3, 61], Context { name: "smsSSF-gsmSCF", phase: 3 }),
    (&[4, 0, 0, 1, 23, 3, 4], Context { name: "gsmSSF-gsmSCF", phase: 4 }),
    (&[4, 0, 0, 1, 23, 3, 6], Context { name: "assistHandoff", phase: 4 }),
    (&[4, 0, 0, 1, 23, 3, 8], Context { name: "gsmSCF-gsmSSF", phase: 4 }),
    (&[4, 0, 0, 1, 23, 3, 14], Context { name: "gsmSRF-gsmSCF", phase: 4 }),
    (&[4, 0, 0, 1, 23, 3, 61], Context { name: "smsSSF-gsmSCF", phase: 4 }),
];

/// The application context with exactly this name (content of its OBJECT IDENTIFIER); one arc more or less: `None`.
pub fn context(oid: &[u8]) -> Option<Context> {
    CONTEXTS.iter().find(|(name, _)| *name == oid).map(|(_, context)| *context)
}

/// Location information inside CAP: VLR and MSC numbers.
const LOCATION: &[Field] = &[other(0x81), other(0x86)];

fn shape(op: i32) -> Option<&'static [Field]> {
    Some(match op {
        // initialDP: called [2], calling, original called, redirecting party, IMSI [50], location [52], MSC address [55],
        // GMSC address in the extension [59]
        0 => fields![enter(
            0x30,
            &[
                isup(0x82),
                isup(0x83),
                isup(0x8c),
                isup(0x9d),
                imsi(0x9f32),
                enter(0xbf34, LOCATION),
                node(0x9f37),
                enter(0xbf3b, &[other(0x80), other(0x81)]),
            ],
        )],
        // initialDPSMS: calling party [2] as an address, IMSI [4], location [5], SMSC [7], MSC address [14]
        60 => fields![enter(0x30, &[msisdn(0x82), imsi(0x84), enter(0xa5, LOCATION), other(0x87), node(0x8e)])],
        // initialDPGPRS: MSISDN [2], IMSI [3]
        78 => fields![enter(0x30, &[msisdn(0x82), imsi(0x83)])],
        _ => return None,
    })
}

/// Whom the argument of an initial operation speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Identities {
    /// The subscriber by IMSI.
    pub imsi: Option<Digits>,
    /// The subscriber by number, where it is an address string (SMS and GPRS).
    pub msisdn: Option<Digits>,
    /// The MSC or SGSN that asks: it must belong to the sender.
    pub node: Option<Digits>,
    /// Calling party number of a call (Q.763 §3.10), where it is an international one.
    pub calling: Option<Digits>,
    /// Called party number of a call (Q.763 §3.9), where it is an international one.
    pub called: Option<Digits>,
}

/// Reports every address string and IMSI in an initial argument, in the order of the tree.
///
/// # Errors
/// As [`crate::map::visit`]: CAP has no reasons of its own.
pub fn visit(
    op: i32,
    kind: ComponentKind,
    parameter: &[u8],
    rules: Rules,
    each: &mut impl FnMut(Party, Digits),
) -> Result<(), Refusal> {
    match shape(op).filter(|_| kind == ComponentKind::Invoke) {
        Some(fields) => argument::visit(parameter, fields, rules, 0, &mut |place, number| {
            if let Some(number) = number {
                each(place.party, number);
            }
        }),
        None => Ok(()),
    }
}

/// The identities inside an initial argument (initialDP, initialDPSMS, initialDPGPRS); empty for other operations.
///
/// # Errors
/// Those of [`visit`]. The numbers of a call are for display: one that cannot be read is left out.
pub fn identities(op: i32, kind: ComponentKind, parameter: &[u8], rules: Rules) -> Result<Identities, Refusal> {
    let mut found = Identities::default();
    visit(op, kind, parameter, rules, &mut |party, digits| match party {
        Party::Imsi => found.imsi = Some(digits),
        Party::Msisdn => found.msisdn = Some(digits),
        Party::Node => found.node = Some(digits),
        Party::Other => {}
    })?;
    if op == 0 && kind == ComponentKind::Invoke && !parameter.is_empty() {
        let (argument, _) = ber::next(parameter, rules, 0)?;
        // Only a SEQUENCE was walked above; what hides in another element says nothing.
        let inside = Some(argument).filter(|argument| argument.tag == 0x30);
        for element in inside.iter().flat_map(|argument| argument.elements(rules, 1)).map_while(Result::ok) {
            match element.tag {
                0x82 => found.called = read_isup(element.value),
                0x83 => found.calling = read_isup(element.value),
                _ => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;
    use proptest::{collection::vec, prelude::*};

    /// serviceKey, called, calling, IMSI \[50\], MSC address \[55\].
    const INITIAL_DP: [u8; 33] = [
        0x30, 0x1f, 0x80, 0x01, 0x05, 0x82, 0x04, 0x84, 0x10, 0x21, 0x03, 0x83, 0x04, 0x04, 0x11, 0x65, 0x87, 0x9f,
        0x32, 0x03, 0x21, 0x43, 0x65, 0x9f, 0x37, 0x03, 0x91, 0x99, 0xf9, 0x9f, 0x38, 0x01, 0x81,
    ];

    #[test]
    fn an_initial_dp_reads_field_by_field() -> Result<(), Refusal> {
        let found = identities(0, ComponentKind::Invoke, &INITIAL_DP, Rules::Strict)?;
        let text = |digits: Option<Digits>| digits.map(|digits| digits.to_string()).unwrap_or_default();
        assert_eq!((text(found.imsi), text(found.node)), ("123456".into(), "999".into()));
        assert_eq!((text(found.called), text(found.calling)), ("123".into(), "5678".into()));
        assert_eq!(identities(31, ComponentKind::Invoke, &[], Rules::Strict), Ok(Identities::default()));
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (at, octet, want) in [
            (20, 0xab, Reason::MapParam.at(17)), // IMSI with overdecadic digits
            (26, 0x11, Reason::MapParam.at(23)), // MSC address without the extension bit
            (24, 0x32, Reason::MapDupParam.at(23)),
        ] {
            let mut bad = INITIAL_DP;
            bad[at] = octet;
            let got = identities(0, ComponentKind::Invoke, &bad, Rules::Strict);
            assert_eq!(got, Err(want), "octet {at} set to {octet:#x}");
        }
    }

    #[test]
    fn only_the_exact_context_is_known() {
        assert_eq!(context(&[4, 0, 0, 1, 0, 50, 1]).map(|context| context.phase), Some(2));
        assert_eq!(context(&[4, 0, 0, 1, 0, 50, 1, 0]), None);
        assert_eq!(context(&[4, 0, 0, 1, 0, 50, 2]), None);
    }

    #[test]
    fn operations_are_sorted() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(operation_name(0), Some("initialDP"));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) { crate::fuzzing::upper::cap(&octets); }

        #[test]
        fn no_octet_of_an_argument_panics(at in 0_usize..33, octet: u8) {
            let mut parameter = INITIAL_DP;
            parameter[at] = octet;
            crate::fuzzing::upper::cap(&parameter);
        }
    }
}
