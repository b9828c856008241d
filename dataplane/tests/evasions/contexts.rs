//! Application contexts: names with an arc more or less, in other order and coding, of another protocol, twice or not at all,
//! in units and syntaxes that a host does not read.

use sealgate_wire::Reason;

use super::kit::*;

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let good = invoke(1, 2, &update_location(B, THEIRS));
    let mut refused = |name: &str, tcap: Vec<u8>, want: Reason| all.push(case(name, ss7(&tcap), want));
    // What another decoder might cut, round or skip to a name that allows the operation.
    let names: &[(&str, &[u8])] = &[
        ("an arc more", &[4, 0, 0, 1, 0, 1, 3, 0]),
        ("two arcs more", &[4, 0, 0, 1, 0, 1, 3, 1, 3]),
        ("an arc less", &[4, 0, 0, 1, 0, 1]),
        ("two arcs less", &[4, 0, 0, 1, 0]),
        ("the last two alone", &[1, 3]),
        ("version before number", &[4, 0, 0, 1, 0, 3, 1]),
        ("domain before organisation", &[4, 0, 1, 0, 0, 1, 3]),
        ("another root", &[0x54, 0, 0, 1, 0, 1, 3]),
        ("umts-Network", &[4, 0, 0, 1, 1, 1, 3]),
        ("a version that there is not", &[4, 0, 0, 1, 0, 1, 4]),
        ("version 0", &[4, 0, 0, 1, 0, 1, 0]),
        ("a number that there is not", &[4, 0, 0, 1, 0, 30, 3]),
        ("an arc with leading zeros", &[4, 0, 0, 1, 0, 0x80, 1, 3]),
        ("the last arc with leading zeros", &[4, 0, 0, 1, 0, 1, 0x80, 3]),
        ("a version beyond an octet", &[4, 0, 0, 1, 0, 1, 0x82, 3]),
        ("a number beyond an octet", &[4, 0, 0, 1, 0, 0x82, 1, 3]),
        ("a zero in front", &[0, 4, 0, 0, 1, 0, 1, 3]),
        ("padded to eight", &[4, 0, 0, 1, 0, 1, 3, 3]),
    ];
    for (name, oid) in names {
        refused(name, begin(oid, &[&good]), Reason::TcapAcOpcode);
    }
    refused("an arc that goes on", begin(&[4, 0, 0, 1, 0, 1, 0x83], &[&good]), Reason::TcapDialogue);
    refused("an empty name", begin(&[], &[&good]), Reason::TcapDialogue);
    // Units that a host answers with an abort, or takes for no dialogue at all.
    refused("an answer in a BEGIN", begin_with(&accept(&LOCATION), &[&good]), Reason::TcapDialogue);
    refused("an abort in a BEGIN", begin_with(&portion(&of(0x64, &[&[0x80, 1, 0]])), &[&good]), Reason::TcapDialogue);
    refused("a request in an END", end(&fresh(), &request(&LOCATION), &[]), Reason::TcapDialogue);
    refused("a request in a CONTINUE", go_on(&fresh(), &fresh(), &request(&LOCATION), &[&good]), Reason::TcapDialogue);
    let name = of(0xa1, &[&tlv(6, &LOCATION)]);
    let other = of(0xa1, &[&tlv(6, &INTERROGATION)]);
    refused("two names", begin_with(&portion(&of(0x60, &[&name, &other])), &[&good]), Reason::TcapDialogue);
    refused("the same name twice", begin_with(&portion(&of(0x60, &[&name, &name])), &[&good]), Reason::TcapDialogue);
    refused("no name", begin_with(&portion(&of(0x60, &[&[0x80, 2, 7, 0x80]])), &[&good]), Reason::TcapDialogue);
    let two = of(0xa1, &[&tlv(6, &LOCATION), &tlv(6, &INTERROGATION)]);
    refused("two names in one", begin_with(&portion(&of(0x60, &[&two])), &[&good]), Reason::TcapDialogue);
    let text = of(0xa1, &[&tlv(4, &LOCATION)]);
    refused("a name that is none", begin_with(&portion(&of(0x60, &[&text])), &[&good]), Reason::TcapDialogue);
    let units = [of(0x60, &[&name]), of(0x60, &[&other])].concat();
    refused("two units", begin_with(&portion(&units), &[&good]), Reason::TcapDialogue);
    let unit = tlv(0xa0, &of(0x60, &[&name]));
    for (name, syntax) in [
        ("another syntax", &[6, 7, 0, 0x11, 0x86, 5, 1, 1, 2][..]),
        ("the syntax without dialogue", &[6, 7, 0, 0x11, 0x86, 5, 1, 2, 1]),
        ("the syntax cut", &[6, 6, 0, 0x11, 0x86, 5, 1, 1]),
        ("the syntax of MAP's own part", &[6, 7, 4, 0, 0, 1, 1, 1, 1]),
    ] {
        refused(name, begin_with(&of(0x6b, &[&of(0x28, &[syntax, &unit])]), &[&good]), Reason::TcapDialogue);
    }
    let external = of(0x28, &[&SYNTAX, &unit]);
    refused("no syntax", begin_with(&of(0x6b, &[&of(0x28, &[&unit])]), &[&good]), Reason::TcapDialogue);
    refused("two externals", begin_with(&of(0x6b, &[&external, &external]), &[&good]), Reason::TcapDialogue);
    refused("an empty portion", begin_with(&[0x6b, 0], &[&good]), Reason::TcapDialogue);
    let octets = tlv(0x81, &of(0x60, &[&name]));
    refused("octet aligned", begin_with(&of(0x6b, &[&of(0x28, &[&SYNTAX, &octets])]), &[&good]), Reason::TcapDialogue);
    refused("none", begin_with(&[], &[&good]), Reason::TcapAcMissing);
    // Operations of other contexts, and of the other side.
    for (name, context, op, want) in [
        ("cancelLocation in a location update", LOCATION, 3, Reason::TcapAcOpcode),
        ("sendAuthenticationInfo in a location update", LOCATION, 56, Reason::TcapAcOpcode),
        ("what only the answering side invokes", LOCATION, 7, Reason::TcapAcOpcode),
        ("mt-ForwardSM to a gateway", map(20, 3), 44, Reason::TcapAcOpcode),
        ("cat1 comes first", LOCATION, 71, Reason::PolCat1),
        ("an unknown operation", LOCATION, 127, Reason::TcapAcOpcode),
        ("an operation of CAP", LOCATION, 0, Reason::TcapAcOpcode),
    ] {
        refused(name, begin(&context, &[&invoke(1, op, &[0x30, 0])]), want);
    }
    let dp = of(0x30, &[&[0x80, 1, 5]]);
    for (name, context, op, want) in [
        ("MAP in a dialogue of CAP", CAP_2, 7, Reason::TcapAcOpcode),
        ("what only the gsmSCF invokes", CAP_2, 20, Reason::TcapAcOpcode),
        ("an operation of phase 4 in phase 2", CAP_2, 96, Reason::TcapAcOpcode),
        ("initialDPSMS in a call", CAP_2, 60, Reason::TcapAcOpcode),
        ("initialDP in a short message", [4, 0, 0, 1, 21, 3, 61], 0, Reason::TcapAcOpcode),
        ("initiateCallAttempt in phase 3", [4, 0, 0, 1, 21, 3, 4], 32, Reason::TcapAcOpcode),
        ("a phase that there is not", [4, 0, 0, 1, 0, 50, 2], 0, Reason::TcapAcOpcode),
        ("CAP's arcs mixed", [4, 0, 0, 1, 21, 3, 8], 0, Reason::TcapAcOpcode),
        ("initialDP", CAP_2, 0, Reason::OkUnsignedAllowed),
        ("eventReportBCSM", CAP_2, 24, Reason::OkUnsignedAllowed),
        ("entityReleased in phase 4", [4, 0, 0, 1, 23, 3, 4], 96, Reason::OkUnsignedAllowed),
        ("initialDPSMS", [4, 0, 0, 1, 21, 3, 61], 60, Reason::OkUnsignedAllowed),
        ("initialDPGPRS", [4, 0, 0, 1, 21, 3, 50], 78, Reason::OkUnsignedAllowed),
        ("initiateCallAttempt", [4, 0, 0, 1, 23, 3, 8], 32, Reason::OkUnsignedAllowed),
    ] {
        let tcap = begin(&context, &[&invoke(1, op, &dp)]);
        all.push(case(name, to_ssn(146, &tcap), want));
    }
    all.push(benign("the exact name", ss7(&begin(&LOCATION, &[&good]))));
    all.push(benign("without a version", ss7(&begin_with(&portion(&of(0x60, &[&name])), &[&good]))));
    let user = of(0xbe, &[&of(0x28, &[&[6, 7, 4, 0, 0, 1, 1, 1, 1], &tlv(0xa0, &[0xa0, 0])])]);
    let more = portion(&of(0x60, &[&[0x80, 2, 7, 0x80], &name, &user]));
    all.push(benign("with user information", ss7(&begin_with(&more, &[&good]))));
    all.push(benign("version 2", ss7(&begin(&map(1, 2), &[&good]))));
    all.push(benign("an answer", ss7(&end(&fresh(), &accept(&LOCATION), &[]))));
    all.push(benign("none, of whom it is allowed", ss7(&begin_with(&[], &[&good]))).under("version-1"));
    all
}
