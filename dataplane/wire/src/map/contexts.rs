//! Application contexts of MAP and the operations each allows (TS 29.002 §17.3).

/// One application context in one version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// Name without version, as in `networkLocUp`.
    pub name: &'static str,
    /// Last arc of the object identifier.
    pub version: u8,
    /// Codes that the side which opened the dialogue may invoke.
    pub operations: &'static [u8],
    /// Codes that the answering side may invoke in the same dialogue.
    pub responder: &'static [u8],
}

/// {itu-t(0) identified-organization(4) etsi(0) mobileDomain(0) gsm-Network(1) applicationContext(0)}.
const PREFIX: [u8; 5] = [4, 0, 0, 1, 0];

struct Row {
    number: u8,
    versions: core::ops::RangeInclusive<u8>,
    name: &'static str,
    operations: &'static [u8],
    responder: &'static [u8],
}

const fn row(
    number: u8,
    versions: core::ops::RangeInclusive<u8>,
    name: &'static str,
    operations: &'static [u8],
    responder: &'static [u8],
) -> Row {
    Row { number, versions, name, operations, responder }
}

/// Sorted by number; a context whose operations changed has a row for each group of versions.
const TABLE: &[Row] = &[
    row(1, 1..=1, "networkLocUp", &[2, 9, 50, 54], &[7, 37, 38, 50]),
    row(1, 2..=3, "networkLocUp", &[2, 57], &[7, 38, 50]),
    row(2, 1..=3, "locationCancellation", &[3], &[]),
    row(3, 1..=3, "roamingNumberEnquiry", &[4], &[]),
    row(4, 3..=3, "istAlerting", &[87], &[]),
    row(5, 1..=3, "locationInfoRetrieval", &[22], &[]),
    row(6, 3..=4, "callControlTransfer", &[6], &[]),
    row(7, 3..=3, "reporting", &[73, 74, 75], &[73, 74, 75]),
    row(8, 3..=3, "callCompletion", &[76, 77], &[]),
    row(9, 3..=3, "serviceTermination", &[88], &[]),
    row(10, 1..=3, "reset", &[37], &[]),
    row(11, 1..=1, "handoverControl", &[28, 33, 29, 30, 35], &[34, 29, 33, 30]),
    row(11, 2..=3, "handoverControl", &[34, 68], &[29, 33, 69]),
    row(12, 3..=3, "sIWFSAllocation", &[31, 32], &[32]),
    row(13, 1..=3, "equipmentMngt", &[43], &[]),
    row(14, 1..=1, "infoRetrieval", &[9], &[]),
    row(14, 2..=3, "infoRetrieval", &[56], &[]),
    row(15, 2..=3, "interVlrInfoRetrieval", &[55], &[]),
    row(16, 1..=3, "subscriberDataMngt", &[7, 8], &[]),
    row(17, 1..=3, "tracing", &[50, 51], &[]),
    row(18, 1..=1, "networkFunctionalSs", &[10, 11, 12, 13, 14, 17, 19, 54], &[16, 18]),
    row(18, 2..=2, "networkFunctionalSs", &[10, 11, 12, 13, 14, 17], &[18]),
    row(19, 2..=2, "networkUnstructuredSs", &[59, 60, 61], &[60, 61]),
    row(20, 1..=3, "shortMsgGateway", &[45, 47], &[63]),
    row(21, 1..=3, "shortMsgMO-Relay", &[46], &[]),
    row(22, 3..=3, "subscriberDataModificationNotification", &[5], &[]),
    row(23, 1..=1, "shortMsgAlert", &[49], &[]),
    row(23, 2..=2, "shortMsgAlert", &[64], &[]),
    row(24, 1..=1, "mwdMngt", &[48], &[]),
    row(24, 2..=3, "mwdMngt", &[66], &[]),
    row(25, 2..=2, "shortMsgMT-Relay", &[46], &[]),
    row(25, 3..=3, "shortMsgMT-Relay", &[44], &[]),
    row(26, 2..=2, "imsiRetrieval", &[58], &[]),
    row(27, 2..=3, "msPurging", &[67], &[]),
    row(28, 3..=3, "subscriberInfoEnquiry", &[70], &[]),
    row(29, 3..=3, "anyTimeEnquiry", &[71], &[]),
    row(31, 3..=3, "groupCallControl", &[39, 42], &[40, 41]),
    row(32, 3..=3, "gprsLocationUpdate", &[23], &[7, 50]),
    row(33, 3..=4, "gprsLocationInfoRetrieval", &[24], &[]),
    row(34, 3..=3, "failureReport", &[25], &[]),
    row(35, 3..=3, "gprsNotify", &[26], &[]),
    row(36, 3..=3, "ss-InvocationNotification", &[72], &[]),
    row(37, 3..=3, "locationSvcGateway", &[85], &[]),
    row(38, 3..=3, "locationSvcEnquiry", &[83, 86], &[]),
    row(39, 3..=3, "authenticationFailureReport", &[15], &[]),
    row(40, 3..=3, "secureTransportHandling", &[78, 79, 80, 81], &[78, 79, 80, 81]),
    row(41, 3..=3, "shortMsgMT-Relay-VGCS", &[21], &[]),
    row(42, 3..=3, "mm-EventReporting", &[89], &[]),
    row(43, 3..=3, "anyTimeInfoHandling", &[62, 65], &[]),
    row(44, 3..=3, "resourceManagement", &[20], &[]),
    row(45, 3..=3, "groupCallInfoRetrieval", &[84], &[]),
    row(46, 3..=3, "vcsgLocationUpdate", &[53], &[7]),
    row(47, 3..=3, "vcsgLocationCancellation", &[36], &[]),
];

/// The application context with exactly this name (content of its OBJECT IDENTIFIER).
///
/// One arc more, one less, or a version that TS 29.002 does not define: `None`.
pub fn context(oid: &[u8]) -> Option<Context> {
    let (prefix, &[number, version]) = oid.split_last_chunk()?;
    if prefix != PREFIX {
        return None;
    }
    let row = TABLE.iter().find(|row| row.number == number && row.versions.contains(&version))?;
    Some(Context { name: row.name, version, operations: row.operations, responder: row.responder })
}

/// Number and latest version of the first application context whose opening side may invoke this operation: the last two arcs
/// of its name.
pub fn context_of(operation: u8) -> Option<(u8, u8)> {
    let has = |row: &&Row| row.operations.contains(&operation);
    let first = TABLE.iter().find(has)?;
    let versions = TABLE.iter().filter(|row| row.number == first.number).filter(has).map(|row| *row.versions.end());
    Some((first.number, versions.max()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC_OPS of the reference verifier, without resumeCallHandling (6), which networkLocUp does not have (TS 29.002 §17.3.2.2).
    #[test]
    fn the_contexts_of_the_vectors_allow_the_same_operations() {
        for (number, want) in
            [(1, &[2, 57][..]), (2, &[3]), (14, &[56]), (16, &[7, 8]), (20, &[45, 47]), (25, &[44]), (29, &[71])]
        {
            let got = context(&[4, 0, 0, 1, 0, number, 3]).map(|context| context.operations);
            assert_eq!(got, Some(want), "context {number}");
        }
    }

    #[test]
    fn only_the_exact_name_is_known() {
        assert_eq!(context(&[4, 0, 0, 1, 0, 29, 3]).map(|context| context.name), Some("anyTimeEnquiry"));
        for oid in [
            &[4, 0, 0, 1, 0, 29, 3, 0][..], // tp-015
            &[4, 0, 0, 1, 0, 29],
            &[4, 0, 0, 1, 0, 29, 1],
            &[4, 0, 0, 1, 1, 29, 3],
            &[4, 0, 0, 1, 0, 30, 3],
            &[4, 0, 0, 1, 0, 0x81, 29, 3],
            &[3],
            &[],
        ] {
            assert_eq!(context(oid), None, "{oid:?}");
        }
    }

    #[test]
    fn every_operation_of_a_context_has_a_name() {
        for row in TABLE {
            for code in row.operations.iter().chain(row.responder) {
                assert!(super::super::operation_name(i32::from(*code)).is_some(), "{} {code}", row.name);
            }
        }
        assert!(
            TABLE.windows(2).all(|pair| {
                (pair[0].number, *pair[0].versions.end()) < (pair[1].number, *pair[1].versions.start())
            })
        );
    }
}
