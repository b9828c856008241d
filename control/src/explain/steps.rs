//! The steps of a verdict in their order (formats 2, 4.5, 5 and 13.2), and the step at which each reason belongs.

use super::walk::{Profile, Walk};
use super::{Outcome, Step};
use sealgate_config::model::LinkKind;
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;

/// Steps of a frame: name, and what is checked.
const FRAME: &[(&str, &str)] = &[
    ("L2", "Ethernet and VLAN tags"),
    ("IP", "IP header, its checksum, no fragment, no options"),
    ("LINK", "addresses belong to a link, and to its side"),
    ("CRC", "SCTP checksum"),
    ("TAG", "SCTP verification tag of the association"),
    ("CHUNK", "SCTP chunks: lengths and types"),
    ("ROOM", "room in our tables"),
];
/// No steps.
const NOTHING: &[(&str, &str)] = &[];
/// Steps of every message before its security step.
const SCREEN: &[(&str, &str)] = &[
    ("PPID", "payload is M3UA"),
    ("M3UA", "M3UA"),
    ("MTP3", "MTP3 label allowed on the link"),
    ("SCCP", "SCCP"),
    ("SVC", "service message brings back what we signed"),
    ("CGPA", "calling address"),
    ("CDPA", "called address"),
    ("SSN", "subsystems"),
    ("SEG", "segments fit together"),
    ("TCAP", "TCAP structure"),
    ("PEER", "sender is a peer"),
    ("MODE", "signed, where it must be"),
];
/// V1 to V18 of SG-TCAP-1 (formats 4.5), and the point at which the signature is queued.
const NATIVE: &[(&str, &str)] = &[
    ("V1", "one security component"),
    ("V2", "it is the last one"),
    ("V3", "profile allowed"),
    ("V4", "shape"),
    ("V5", "version, flags, algorithm"),
    ("V6", "index and copy"),
    ("V7", "signature length"),
    ("V8", "algorithm allowed"),
    ("V9", "not reflected"),
    ("V10", "signer known"),
    ("V11", "certificate in force"),
    ("V12", "time"),
    ("V13", "no replay"),
    ("V14", "signed for this destination"),
    ("V15", "signer may speak for the sender"),
    ("V16", "signer's role"),
    ("ROOM2", "room for the job"),
    ("V17", "signature"),
    ("V18", "counted once"),
];
/// The same for SG-TCAP-0, in its order (formats 5).
const SIGFW: &[(&str, &str)] = &[
    ("V1", "one security component"),
    ("V2", "it is the last one"),
    ("V3", "profile allowed, and a BEGIN"),
    ("V4", "shape"),
    ("V10", "key known"),
    ("V11", "certificate in force"),
    ("V12", "time"),
    ("V7", "signature length"),
    ("V13", "no replay"),
    ("ROOM2", "room for the job"),
    ("V17", "signature"),
    ("V18", "counted once"),
];
/// The built-in checks of formats 13.2.
const POLICY: &[(&str, &str)] = &[
    ("P1", "answers what was asked"),
    ("P1R", "rate of what cannot be signed"),
    ("P2", "no global operation"),
    ("P3", "invoke ids"),
    ("P4", "application context present"),
    ("P5", "application context known"),
    ("P6", "no category 1 operation"),
    ("P7", "operation of the context"),
    ("P8", "identities inside"),
    ("P8R", "short messages are routed by the home router"),
    ("DLG", "room for one dialogue more"),
];
/// What happens on the way out.
const OUT: &[(&str, &str)] = &[("PPID", "payload is M3UA"), ("M3UA", "M3UA"), ("SIGN", "signed towards the peer")];
/// Steps of a Diameter message before its security step.
const DIAMETER: &[(&str, &str)] = &[
    ("PPID", "payload is Diameter"),
    ("DIA", "Diameter header and AVPs"),
    ("PEER", "sender is a peer"),
    ("REQ", "answers an open request"),
    ("MODE", "signed, where it must be"),
];
/// SG-DIA-1 (formats 6), with the numbers of SG-TCAP-1.
const DIA1: &[(&str, &str)] = &[
    ("V1", "one security AVP, its children once"),
    ("V3", "profile allowed"),
    ("V4", "children there"),
    ("V5", "version, flags, algorithm"),
    ("V7", "signature length"),
    ("V8", "algorithm allowed"),
    ("V9", "not reflected"),
    ("V10", "signer known"),
    ("V11", "certificate in force"),
    ("V12", "time"),
    ("V13", "no replay"),
    ("V15", "signer may speak for the sender"),
    ("V16", "signer's role"),
    ("ROOM2", "room for the job"),
    ("V17", "signature"),
    ("V18", "counted once"),
];
/// SG-DIA-0, in its order (formats 7).
const DESS: &[(&str, &str)] = &[
    ("V1", "one security AVP, its children once"),
    ("V3", "profile allowed"),
    ("V4", "children there"),
    ("V10", "key known"),
    ("V11", "certificate in force"),
    ("KIND", "type of signature is the key's"),
    ("V12", "time"),
    ("V7", "form of the signature"),
    ("V13", "no replay"),
    ("ROOM2", "room for the job"),
    ("V17", "signature"),
    ("V18", "counted once"),
];
/// The built-in checks of Diameter (formats 13.2).
const DIAMETER_POLICY: &[(&str, &str)] = &[
    ("D1", "application allowed on the link"),
    ("D2", "command of the application"),
    ("D3", "host under its realm"),
    ("D4", "way of the request"),
    ("D5", "no category 1 command"),
    ("D9", "short messages are routed by the home router"),
    ("D8", "nothing unknown that must be understood"),
    ("D6", "visited network is the sender's"),
    ("D7", "category 2: subscriber is the sender's"),
    ("DLG", "room for one dialogue more"),
];
/// Steps of an ISUP message (formats 9).
const ISUP: &[(&str, &str)] = &[
    ("PPID", "payload is M3UA"),
    ("M3UA", "M3UA"),
    ("MTP3", "MTP3 label allowed on the link"),
    ("ISUP", "ISUP structure"),
    ("CGPN", "calling number"),
    ("MODE", "signed, where it must be"),
];
/// SG-ISUP-1, with the numbers of SG-TCAP-1.
const ISUP1: &[(&str, &str)] = &[
    ("V4", "shape"),
    ("V5", "version, flags, algorithm"),
    ("V7", "signature length"),
    ("V10", "signer known"),
    ("V11", "certificate in force"),
    ("V12", "time"),
    ("V13", "no replay"),
    ("V14", "signed for this called number"),
    ("V15", "signer may speak for the calling number"),
    ("ROOM2", "room for the job"),
    ("V17", "signature"),
    ("V18", "counted once"),
];
/// Steps of a datagram of SIP.
const SIP_FRAME: &[(&str, &str)] = &[
    ("L2", "Ethernet and VLAN tags"),
    ("IP", "IP header, its checksum, no fragment, no options"),
    ("LINK", "addresses belong to a link, and to its side"),
    ("UDP", "UDP length and checksum"),
    ("ROOM", "room in our tables"),
    ("SIP", "SIP message"),
    ("TN", "numbers"),
    ("PEER", "caller is of a peer"),
];
/// Steps of a datagram of GTP.
const GTP_FRAME: &[(&str, &str)] = &[
    ("L2", "Ethernet and VLAN tags"),
    ("IP", "IP header, its checksum, no fragment, no options"),
    ("LINK", "addresses belong to a link, and to its side"),
    ("UDP", "UDP length and checksum"),
    ("ROOM", "room in our tables"),
    ("PORT", "ports of GTP that are open here"),
];
/// What is asked of those that come in.
const GTP: &[(&str, &str)] = &[
    ("PEER", "address is of a peer"),
    ("GTP", "GTP header and elements"),
    ("TYPE", "message type allowed"),
    ("IMSI", "whose subscriber"),
    ("WHERE", "network and addresses of the sender"),
    ("TUNNEL", "tunnel is the peer's, and an answer has its question"),
];
/// S1 to S13 of formats 8, in the order in which they are taken: the signature last.
const STIR: &[(&str, &str)] = &[
    ("S1", "a PASSporT, where it must be"),
    ("S2", "form of the PASSporT"),
    ("S4", "algorithm and names"),
    ("S5", "host of the certificate allowed"),
    ("S6", "certificate at hand"),
    ("S7", "certificate in force"),
    ("S8", "time"),
    ("S9", "numbers of the call"),
    ("S10", "signer may speak for the caller"),
    ("S13", "attestation"),
    ("S12", "no replay"),
    ("ROOM2", "room for the job"),
    ("S11", "signature"),
];
/// What happens to SIP on the way out.
const SIP_OUT: &[(&str, &str)] = &[("SIP", "SIP message"), ("SIGN", "signed towards the peer")];
/// What happens to Diameter on the way out.
const DIAMETER_OUT: &[(&str, &str)] =
    &[("PPID", "payload is Diameter"), ("DIA", "Diameter header and AVPs"), ("SIGN", "signed towards the peer")];

/// The step at which a reason belongs; empty for one that no message gets here.
///
/// * `at`: the octet that came with the reason: it tells apart steps that share one
fn step_of(reason: Reason, at: u32, walk: &Walk, way: Direction) -> &'static str {
    if walk.kind == LinkKind::Diameter
        && let Some(step) = step_of_diameter(reason, walk)
    {
        return step;
    }
    if walk.kind == LinkKind::Gtp
        && let Some(step) = step_of_gtp(reason, at)
    {
        return step;
    }
    // Before a message is known that opens one, room is that of the frame.
    if reason == Reason::ResTableFull && walk.looked.contains_key("DLG") {
        return "DLG";
    }
    match walk.profile {
        Some(Profile::Isup) if let Some(step) = step_of_isup(reason, at) => return step,
        Some(Profile::Stir) if let Some(step) = step_of_sip(reason) => return step,
        _ => {}
    }
    let component = walk.places.component.is_some();
    match reason {
        Reason::L2Runt | Reason::L2Ethertype | Reason::Vlan => "L2",
        Reason::IpHeader | Reason::IpChecksum | Reason::IpFragment | Reason::IpOptions => "IP",
        Reason::L4PeerUnknown => "LINK",
        Reason::SctpCrc32c => "CRC",
        Reason::SctpVtag | Reason::SctpAssocUnknown => "TAG",
        Reason::SctpChunkLen | Reason::SctpChunkType => "CHUNK",
        Reason::ResTableFull | Reason::ResOverload | Reason::ResMempool | Reason::SctpReasm => "ROOM",
        Reason::SctpPpid => "PPID",
        Reason::M3uaVersion | Reason::M3uaLength | Reason::M3uaParam | Reason::M3uaClass => "M3UA",
        Reason::M2paForm => "M2PA",
        Reason::SuaForm => "SUA",
        Reason::M3uaRc | Reason::Mtp3Si | Reason::Mtp3Opc | Reason::Mtp3Dpc | Reason::Mtp3Ni => "MTP3",
        Reason::SccpType
        | Reason::SccpTruncated
        | Reason::SccpPointer
        | Reason::SccpGtForm
        | Reason::SccpGti
        | Reason::SccpHopCounter
        | Reason::SccpOptParam => "SCCP",
        Reason::SccpServiceUnsolicited => "SVC",
        Reason::SccpCgpaMissing | Reason::SccpCgpaOwn => "CGPA",
        Reason::SccpCdpaForeign => "CDPA",
        Reason::SccpSsn => "SSN",
        Reason::SccpReasmConflict | Reason::SccpReasmLimit | Reason::SccpReasmTimeout => "SEG",
        Reason::PolPeerUnknown => "PEER",
        Reason::SecMissing => "MODE",
        Reason::SecDup => "V1",
        Reason::SecPosition => "V2",
        Reason::SecProfile => "V3",
        // The index shows at octet 4 of the parameter, a copy at octet 24 of the header; the shape at its start.
        Reason::SecSyntax if is_inside(at, walk) => "V6",
        Reason::SecSyntax => "V4",
        Reason::SecVersion | Reason::SecFlags | Reason::SecAlgUnsupported => "V5",
        Reason::SecSigForm => "V7",
        Reason::SecAlgDowngrade => "V8",
        Reason::SecReflected => "V9",
        Reason::CrtUnknownSai | Reason::SecKeyType => "V10",
        Reason::CrtNotYetValid
        | Reason::CrtExpired
        | Reason::CrtRevoked
        | Reason::CrtCrlStale
        | Reason::CrtRepoStale => "V11",
        Reason::SecTimePast | Reason::SecTimeFuture => "V12",
        // Only the first look knows the component; the mark itself has no place.
        Reason::SecReplay if at == 0 => "V18",
        Reason::SecReplay | Reason::SecSeqOld => "V13",
        Reason::SecCdpaMismatch => "V14",
        Reason::CrtResource => "V15",
        Reason::CrtRole => "V16",
        Reason::ResSignFailed if way == Direction::Out => "SIGN",
        Reason::ResCryptoQueue if way == Direction::Out => "SIGN",
        Reason::ResCryptoQueue | Reason::ResSignFailed if component => "ROOM2",
        Reason::SecSigInvalid => "V17",
        Reason::TcapState | Reason::DetResponseSpoof => "P1",
        Reason::PolRate => "P1R",
        Reason::TcapGlobalOpcode => "P2",
        Reason::TcapInvokeIdDup => "P3",
        Reason::TcapAcMissing => "P4",
        Reason::TcapAcOpcode if at == 0 => "P5",
        Reason::TcapAcOpcode => "P7",
        Reason::PolCat1 => "P6",
        Reason::PolHomeRouting => "P8R",
        Reason::MapParam
        | Reason::MapDupParam
        | Reason::PolXlayerAddr
        | Reason::PolCat2
        | Reason::PolHomeImsi
        | Reason::PolImsiGt => "P8",
        // TCAP and BER before the peer is known; the dialogue portion is opened only when its context is asked for.
        Reason::TcapDialogue if walk.looked.contains_key("P4") => "P4",
        Reason::TcapTag
        | Reason::TcapTid
        | Reason::TcapElement
        | Reason::TcapDialogue
        | Reason::TcapComponent
        | Reason::TcapComponentCount
        | Reason::TcapTrailing
        | Reason::BerLength
        | Reason::BerIndefinite
        | Reason::BerNonMinimal
        | Reason::BerDepth
        | Reason::BerTagLong => "TCAP",
        _ => "",
    }
}

/// The same of ISUP. A called number that must be international is asked for behind the replay, without a place.
fn step_of_isup(reason: Reason, at: u32) -> Option<&'static str> {
    Some(match reason {
        Reason::IsupNumForm if at == 0 => "V14",
        Reason::IsupNumForm if at > 2 => "ISUP",
        Reason::IsupTruncated | Reason::IsupPointer | Reason::IsupParamDup => "ISUP",
        Reason::IsupCgpnMissing | Reason::IsupNumForm => "CGPN",
        Reason::SecSyntax => "V4",
        _ => return None,
    })
}

/// The same of GTP.
fn step_of_gtp(reason: Reason, at: u32) -> Option<&'static str> {
    Some(match reason {
        Reason::L4Length | Reason::L4Checksum => "UDP",
        Reason::L4PeerUnknown if at == 2 => "PORT",
        Reason::PolPeerUnknown => "PEER",
        Reason::GtpVersion | Reason::GtpLength | Reason::GtpIe | Reason::GtpInGtp => "GTP",
        Reason::GtpType => "TYPE",
        Reason::PolHomeImsi | Reason::PolImsiGt => "IMSI",
        Reason::PolVplmnRealm | Reason::PolXlayerAddr => "WHERE",
        Reason::GtpState => "TUNNEL",
        _ => return None,
    })
}

/// The same of SIP.
fn step_of_sip(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::L4Length | Reason::L4Checksum => "UDP",
        Reason::SipSyntax | Reason::SipHdrDup | Reason::SipHdrMissing | Reason::SipTooBig | Reason::SipMethod => "SIP",
        Reason::SipTnForm => "TN",
        Reason::StirMissing | Reason::StirPpt => "S1",
        Reason::StirSyntax | Reason::StirDate => "S2",
        Reason::StirAlg => "S4",
        Reason::StirX5uDenied => "S5",
        Reason::StirX5uUnavailable => "S6",
        Reason::StirCert => "S7",
        Reason::StirStale => "S8",
        Reason::StirOrig | Reason::StirDest | Reason::StirDiv => "S9",
        Reason::StirTn => "S10",
        Reason::StirAttest => "S13",
        Reason::StirReplay => "S12",
        Reason::StirSig => "S11",
        Reason::ResCryptoQueue | Reason::ResCryptoShare => "ROOM2",
        _ => return None,
    })
}

/// The same of reasons that mean something else in Diameter, or come from nowhere else.
fn step_of_diameter(reason: Reason, walk: &Walk) -> Option<&'static str> {
    let decoding = || !walk.looked.contains_key("PEER");
    Some(match reason {
        Reason::DiaAvpDup | Reason::DiaAvpLength if !decoding() => "V1",
        Reason::DiaVersion
        | Reason::DiaLength
        | Reason::DiaFlags
        | Reason::DiaAvpLength
        | Reason::DiaAvpDepth
        | Reason::DiaAvpDup
        | Reason::DiaOriginMissing => "DIA",
        Reason::DiaState | Reason::DetResponseSpoof => "REQ",
        Reason::SecIdentityMissing | Reason::SecSyntax => "V4",
        Reason::SecKeyType if walk.profile == Some(Profile::Dess) => "KIND",
        Reason::DiaApp => "D1",
        Reason::DiaCmdApp => "D2",
        Reason::PolHostRealm => "D3",
        Reason::DiaRouteRecord => "D4",
        Reason::DiaAvpUnknown => "D8",
        Reason::PolCat1 => "D5",
        Reason::PolHomeRouting => "D9",
        Reason::PolVplmnRealm => "D6",
        Reason::PolCat2 | Reason::PolHomeImsi | Reason::PolRealmImsi => "D7",
        _ => return None,
    })
}

/// Whether a fault of syntax is one of index or copy: the payload was long enough to be read, then.
fn is_inside(at: u32, walk: &Walk) -> bool {
    const LEAST: usize = 2 + 10 + 2 + 24;
    walk.parameter.is_some_and(|(parameter, len)| {
        let octet = (at as usize).saturating_sub(parameter);
        len >= LEAST && (octet == 4 || octet >= 24)
    })
}

/// Every step of a frame that was dropped before its messages were looked at.
pub(super) fn of_frame(reason: Reason, at: u32) -> Vec<Step> {
    let failed = step_of(reason, at, &Walk::default(), Direction::In);
    // A frame that is not of a link at all ends there: nothing behind it was looked at.
    mark(FRAME.iter().copied(), failed, &|_| Some(String::new()))
}

/// What stands between the addresses of a packet and the message, over TCP.
const TCP: &[(&str, &str)] = &[
    ("TCP", "TCP header and checksum"),
    ("FLOW", "in its place in the connection"),
    ("WHOLE", "the whole message is here"),
];

/// The steps of a table as they are over TCP: no step of another transport.
fn over_tcp<'t>(table: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let others = ["CRC", "TAG", "CHUNK", "PPID", "UDP"];
    let link = table.iter().position(|(step, _)| *step == "LINK").map_or(0, |at| at + 1);
    let (before, after) = table.split_at_checked(link).unwrap_or((table, &[]));
    let after = after.iter().filter(|(step, _)| !others.contains(step));
    before.iter().chain(TCP).chain(after).copied().collect()
}

/// A step of M3UA as it is in what else carries its users.
fn carried_by(kind: LinkKind, step: (&'static str, &'static str)) -> (&'static str, &'static str) {
    match (kind, step.0) {
        (LinkKind::M2pa, "M3UA") => ("M2PA", "M2PA"),
        (LinkKind::M2pa, "PPID") => ("PPID", "payload is M2PA"),
        (LinkKind::Sua, "M3UA") => ("SUA", "SUA"),
        (LinkKind::Sua, "PPID") => ("PPID", "payload is SUA"),
        (LinkKind::Sua, "MTP3") => ("MTP3", "routing context and point codes allowed on the link"),
        _ => step,
    }
}

/// Every step of a message, each with what became of it.
pub(super) fn of_message(reason: Reason, at: u32, walk: &Walk, way: Direction, repeated: Option<u64>) -> Vec<Step> {
    if let Some(first) = repeated {
        let all = |name: &str| FRAME.iter().any(|(step, _)| *step == name).then(String::new);
        let mut steps = mark(FRAME.iter().copied(), "", &all);
        let detail = format!("the same chunk as in frame {first}: it gets the same verdict and the same octets again");
        steps.push(Step { step: "AGAIN", what: "seen before", outcome: Outcome::Passed, detail });
        return steps;
    }
    let security: &[_] = match walk.profile {
        Some(Profile::SigFw) => SIGFW,
        Some(Profile::Dess) => DESS,
        Some(Profile::Isup) => ISUP1,
        Some(Profile::Stir) => STIR,
        _ if walk.kind == LinkKind::Diameter => DIA1,
        _ => NATIVE,
    };
    let (screen, policy, out) = match walk.kind {
        LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua if walk.profile == Some(Profile::Isup) => (ISUP, NOTHING, OUT),
        LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua => (SCREEN, POLICY, OUT),
        LinkKind::Sip => (NOTHING, NOTHING, SIP_OUT),
        LinkKind::Gtp => (GTP, NOTHING, NOTHING),
        LinkKind::Diameter => (DIAMETER, DIAMETER_POLICY, DIAMETER_OUT),
    };
    let table: Vec<_> = match way {
        Direction::In if walk.kind == LinkKind::Gtp => GTP_FRAME.iter().chain(screen).copied().collect(),
        Direction::Out if walk.kind == LinkKind::Gtp => GTP_FRAME.to_vec(),
        Direction::In if walk.kind == LinkKind::Sip => SIP_FRAME.iter().chain(security).copied().collect(),
        Direction::Out if walk.kind == LinkKind::Sip => SIP_FRAME.iter().take(5).chain(out).copied().collect(),
        Direction::In => FRAME.iter().chain(screen).chain(security).chain(policy).copied().collect(),
        Direction::Out => FRAME.iter().chain(out).copied().collect(),
    };
    let mut table = if walk.tcp { over_tcp(&table) } else { table };
    table.iter_mut().for_each(|step| *step = carried_by(walk.kind, *step));
    let refused = reason.refuses();
    let failed = if refused { step_of(reason, at, walk, way) } else { "" };
    let detail = |name: &str| match name {
        name if TCP.iter().any(|(step, _)| *step == name) => Some(String::new()),
        name if FRAME.iter().any(|(step, _)| *step == name) => Some(String::new()),
        "UDP" => Some(String::new()),
        "PPID" => Some(String::new()),
        "SVC" if walk.service => Some("a signature of ours, with the addresses exchanged".to_owned()),
        "SIGN" => signing(reason),
        name => walk.looked.get(name).cloned(),
    };
    let mut steps = mark(table.into_iter(), failed, &detail);
    if reason == Reason::OkUnknownSigner {
        tolerate(&mut steps, walk);
    }
    steps
}

fn signing(reason: Reason) -> Option<String> {
    match reason {
        Reason::OkSignedEgress => Some("our signature was added".to_owned()),
        Reason::OkUnsignedAllowed => Some("left without a signature: none is asked for, or it has no room".to_owned()),
        Reason::ResSignFailed => Some("it has no room for a signature, and oversize is refuse".to_owned()),
        Reason::ResCryptoQueue => Some("the crypto queue is full".to_owned()),
        _ => None,
    }
}

/// In mode prefer a signer that is not known does not end the message: the steps behind it were not taken.
fn tolerate(steps: &mut [Step], walk: &Walk) {
    let unknown = if walk.looked.contains_key("V11") { "V11" } else { "V10" };
    let mut behind = false;
    for step in steps.iter_mut().filter(|step| step.step.starts_with('V') || step.step == "ROOM2") {
        if behind {
            step.outcome = Outcome::NotTaken;
        } else if step.step == unknown {
            step.outcome = Outcome::Tolerated;
            behind = true;
        }
    }
}

/// Marks steps in their order: passed up to the one that failed, which is the last that was taken.
fn mark(
    table: impl Iterator<Item = (&'static str, &'static str)>,
    failed: &str,
    detail: &dyn Fn(&str) -> Option<String>,
) -> Vec<Step> {
    let mut over = false;
    table
        .map(|(step, what)| {
            let looked = detail(step);
            let outcome = if over {
                Outcome::NotTaken
            } else if step == failed {
                over = true;
                Outcome::Failed
            } else if looked.is_some() {
                Outcome::Passed
            } else {
                Outcome::NotTaken
            };
            let detail = if outcome == Outcome::NotTaken { String::new() } else { looked.unwrap_or_default() };
            Step { step, what, outcome, detail }
        })
        .collect()
}
