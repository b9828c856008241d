//! Reading one message for display, layer by layer, through the same codecs as the packet path; what each layer shows
//! is also what the steps of the verdict were taken on.

use sealgate_config::model::{LinkKind, Mode};
use sealgate_crypto::pki::CertState;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::{LinkId, Peer, PeerId};
use sealgate_dataplane::policy::tables::Protocol;
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::{GlobalTitle, Plan, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::sccp::{Address, Kind, Unitdata};
use sealgate_wire::sec::{Header, tcap0, tcap1};
use sealgate_wire::tcap::{self, ComponentKind, Operation};
use sealgate_wire::{cap, map};
use std::collections::BTreeMap;
use std::ops::Range;

use super::sigtran::{self, Behind};
use super::{Line, clock, hex};

/// What one message shows.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// What its link carries.
    pub kind: LinkKind,
    /// It came over TCP.
    pub tcp: bool,
    /// Layers, top down.
    pub lines: Vec<Line>,
    /// What each step had to look at, by its name; a step that is not here did not apply.
    pub looked: BTreeMap<&'static str, String>,
    /// Which security component it carries.
    pub profile: Option<Profile>,
    /// Parts of the frame that a reason may point at.
    pub places: Places,
    /// It is a UDTS, XUDTS or LUDTS.
    pub service: bool,
    /// The whole TCAP message, if it did not lie in one piece in the frame.
    pub gathered: Option<Vec<u8>>,
    /// First octet of the security parameter in the TCAP message, and its length.
    pub parameter: Option<(usize, usize)>,
    /// The peer it claims to be from, or is for.
    pub peer: PeerId,
}

/// Which security component a message carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Profile {
    Native,
    SigFw,
    Dia1,
    Dess,
    Isup,
    Stir,
}

/// Where things lie in the frame, or in the gathered TCAP message for those of TCAP.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub user: Option<Range<usize>>,
    pub label: Option<Range<usize>>,
    pub sccp: Option<Range<usize>>,
    pub calling: Option<Range<usize>>,
    pub called: Option<Range<usize>>,
    pub tcap: Option<Range<usize>>,
    pub component: Option<Range<usize>>,
    pub sai: Option<Range<usize>>,
    pub tvp: Option<Range<usize>>,
    pub seq: Option<Range<usize>>,
    pub signature: Option<Range<usize>>,
}

/// What is known besides the octets.
pub(super) struct Scene<'s> {
    pub snapshot: &'s Snapshot,
    pub way: Direction,
    pub link: LinkId,
    pub now_ms: u64,
}

/// Where `part` lies in `whole`, of which it is a piece.
pub(super) fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let from = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (from + part.len() <= whole.len()).then_some(from..from + part.len())
}

/// Reads a message as far as it can be read.
///
/// * `kind`: what its link carries: M3UA, M2PA or SUA
/// * `frame`: the frame that `user` is a piece of, or `user` itself where it was put together from several chunks
/// * `gather`: hands in a segment and takes the whole TCAP message when it was the last one
pub(super) fn message(
    scene: &Scene<'_>,
    kind: LinkKind,
    frame: &[u8],
    user: &[u8],
    gather: &mut dyn FnMut(&Unitdata<'_>) -> Option<Vec<u8>>,
) -> Walk {
    let mut walk = Walk { kind, ..Walk::default() };
    walk.places.user = place(frame, user);
    let inbound = scene.way == Direction::In;
    let (unitdata, name, (called, called_shown), (calling, calling_shown)) =
        match sigtran::message(scene, &mut walk, frame, user) {
            Behind::Nothing => return walk,
            Behind::Mtp3 { si: 5, user } => {
                super::isup::message(scene, &mut walk, frame, user);
                return walk;
            }
            Behind::Mtp3 { si: 3, user } => match Unitdata::parse(user) {
                Ok(unitdata) => {
                    let of = |octets| (party(octets), shown(octets));
                    (unitdata, kind_name(unitdata.kind), of(unitdata.called), of(unitdata.calling))
                }
                Err(refusal) => {
                    walk.line("SCCP", format!("cannot be read: {}", refusal.reason.text()));
                    walk.look("SCCP", "type, pointers and addresses");
                    return walk;
                }
            },
            Behind::Mtp3 { si, .. } => {
                walk.line("user", format!("service indicator {si} is not SCCP"));
                return walk;
            }
            Behind::Users { unitdata, name, called, calling } => (unitdata, name, called, calling),
        };
    walk.service = unitdata.kind.is_service();
    walk.places.called = place(frame, unitdata.called);
    walk.places.calling = place(frame, unitdata.calling);
    let segment = unitdata.segmentation.map(|s| {
        let first = if s.first { "first segment" } else { "segment" };
        format!(", {first}, {} more to come, reference {}", s.remaining, hex(&s.local_ref))
    });
    let layer = if kind == LinkKind::Sua { "SUA" } else { "SCCP" };
    walk.line(layer, format!("{name}, {calling_shown} calls {called_shown}{}", segment.clone().unwrap_or_default()));
    let read = if kind == LinkKind::Sua { "both addresses" } else { "type, pointers, both addresses" };
    walk.look("SCCP", format!("{name}, {read}"));
    let (Some(called), Some(calling)) = (called, calling) else {
        if !walk.service && inbound {
            walk.look("CGPA", "a title must be there and not be ours");
            walk.look("CDPA", "a title must be there and be ours");
        }
        return walk;
    };
    if inbound && !walk.service {
        walk.look("CGPA", format!("{} must not be ours", calling.0.digits));
        walk.look("CDPA", format!("{} must be ours", called.0.digits));
        walk.look("SSN", format!("{} and {} must be in ssns", calling.1.0, called.1.0));
    }
    let mut octets = unitdata.data;
    let whole;
    if let Some(text) = segment {
        if inbound {
            walk.look("SEG", text.trim_start_matches(", "));
        }
        let Some(found) = gather(&unitdata) else {
            walk.line("TCAP", format!("a part, {} octets; its message is judged with the last part", octets.len()));
            let id = scene.snapshot.peer(&calling.0).unwrap_or(0);
            walk.peer = if inbound { id } else { 0 };
            return walk;
        };
        whole = found;
        octets = &whole;
        walk.places.tcap = Some(0..octets.len());
        let base = octets;
        tcap(scene, &mut walk, base, octets, called, calling);
        walk.gathered = Some(whole);
        return walk;
    }
    walk.places.tcap = place(frame, octets);
    tcap(scene, &mut walk, frame, octets, called, calling);
    walk
}

type Party = (GlobalTitle, Ssn);

fn party(octets: &[u8]) -> Option<Party> {
    let address = Address::parse(octets).ok()?;
    Some((address.title().ok()??, address.ssn.unwrap_or(Ssn(0))))
}

/// An address as far as it can be read.
fn shown(octets: &[u8]) -> String {
    let Ok(address) = Address::parse(octets) else { return format!("[{}]", hex(octets)) };
    let title = match address.gt.and_then(|gt| Some((gt.digits()?, gt.plan))) {
        Some((digits, Some(7))) => format!("E.214 {digits}"),
        Some((digits, _)) => digits.to_string(),
        None => address.point_code.map_or("no title".to_owned(), |code| format!("point code {code}")),
    };
    match address.ssn {
        Some(ssn) => format!("{title} ({})", ssn_name(ssn)),
        None => title,
    }
}

pub(super) fn ssn_name(ssn: Ssn) -> String {
    let name = match ssn.0 {
        6 => "HLR",
        7 => "VLR",
        8 => "MSC",
        9 => "EIR",
        145 => "GMLC",
        146 => "CAP",
        147 => "gsmSCF",
        148 => "SIWF",
        149 => "SGSN",
        other => return format!("SSN {other}"),
    };
    format!("SSN {} {name}", ssn.0)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Udt => "UDT",
        Kind::Udts => "UDTS",
        Kind::Xudt => "XUDT",
        Kind::Xudts => "XUDTS",
        Kind::Ludt => "LUDT",
        Kind::Ludts => "LUDTS",
    }
}

/// Reads one TCAP message; `base`: what places are counted in.
fn tcap(scene: &Scene<'_>, walk: &mut Walk, base: &[u8], octets: &[u8], called: Party, calling: Party) {
    let snapshot = scene.snapshot;
    let inbound = scene.way == Direction::In;
    let rules = if inbound { snapshot.rules } else { Rules::Lenient };
    let parsed = match tcap::Message::parse(octets, rules) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            walk.line("TCAP", format!("cannot be read: {}", refusal.reason.text()));
            walk.look_in(inbound && !walk.service, "TCAP", "structure");
            return;
        }
    };
    let id = |name: &str, tid: Option<tcap::Tid>| tid.map(|tid| format!(", {name} {tid}")).unwrap_or_default();
    let context = match parsed.application_context() {
        Ok(Some(oid)) => format!(", context {}", context_name(oid)),
        Ok(None) => String::new(),
        Err(_) => ", dialogue portion malformed".to_owned(),
    };
    walk.line(
        "TCAP",
        format!("{}{}{}{context}", message_name(parsed.kind), id("from", parsed.otid), id("to", parsed.dtid)),
    );
    let of = if inbound { &calling } else { &called };
    let found_peer = if inbound { snapshot.peer(&of.0) } else { snapshot.peer_by_digits(&of.0.digits) };
    walk.peer = found_peer.unwrap_or(0);
    let peer = snapshot.peers.get(usize::from(walk.peer));
    let judged = inbound && !walk.service;
    walk.look_in(judged, "TCAP", &format!("{}, {} components", message_name(parsed.kind), parsed.components.len()));
    let other = snapshot.is_other_tcap(called.1.0, calling.1.0);
    let opcode = peer.map_or(tcap1::OPCODE_MAP, |peer| if other { peer.opcode_other } else { peer.opcode_map });
    let security = |c: &tcap::Component<'_>| {
        c.kind == ComponentKind::Invoke && c.local().is_some_and(|code| code == opcode || code == tcap0::OPCODE)
    };
    for component in parsed.components.iter().filter(|component| !security(component)) {
        let line = component_line(component, &parsed, other, rules);
        walk.line(if other { "CAP" } else { "MAP" }, line);
    }
    let Some(peer) = peer.filter(|_| judged) else {
        for component in parsed.components.iter().filter(|component| security(component)) {
            walk.line("security", format!("a security component, {} octets", component.raw.len()));
        }
        return;
    };
    let named = if found_peer.is_some() { format!("peers.{}", peer.name) } else { "no peer".to_owned() };
    walk.look("PEER", format!("{} is {named}", calling.0.digits));
    if found_peer.is_none() {
        return;
    }
    let all: Vec<_> = parsed.components.iter().filter(|component| security(component)).collect();
    walk.look("MODE", format!("{named}.mode: {}; {}", mode_name(peer.mode), carries(all.len())));
    let first = all.first().copied();
    if let Some(component) = first.filter(|_| peer.mode != Mode::Ignore) {
        walk.places.component = place(base, component.raw);
        walk.parameter = Some((component.parameter_offset, component.parameter.len()));
        let native = all.iter().any(|c| c.local() == Some(opcode)) || all.len() > 1;
        walk.profile = Some(if native { Profile::Native } else { Profile::SigFw });
        walk.look("V1", format!("{} found", all.len()));
        walk.look("V2", format!("of {} components", parsed.components.len()));
        if native {
            let component = all.iter().copied().find(|c| c.local() == Some(opcode)).unwrap_or(component);
            native_security(scene, walk, base, component, peer, &calling);
        } else {
            sigfw_security(scene, walk, base, component, peer, &calling);
        }
    } else if first.is_some() {
        walk.line("security", "a security component, not looked at: mode ignore".to_owned());
    } else {
        walk.line("security", "none: the message is not signed".to_owned());
    }
    policy(scene, walk, &parsed, peer, other, &security);
}

fn carries(count: usize) -> String {
    match count {
        0 => "the message is not signed".to_owned(),
        1 => "the message is signed".to_owned(),
        more => format!("the message has {more} security components"),
    }
}

/// SG-TCAP-1: V3 to V18 of formats 4.5.
fn native_security(
    scene: &Scene<'_>,
    walk: &mut Walk,
    base: &[u8],
    component: &tcap::Component<'_>,
    peer: &Peer,
    calling: &Party,
) {
    let snapshot = scene.snapshot;
    walk.look("V3", format!("SG-TCAP-1 must be in peers.{}.profiles", peer.name));
    let steps: [(&'static str, &str); 3] = [
        ("V4", "exactly that of the profile"),
        ("V5", "version 1, no reserved flag, algorithm known"),
        ("V6", "index is the front of the SAI; copy well formed"),
    ];
    for (step, text) in steps {
        walk.look(step, text);
    }
    walk.look("V7", "signature length of the algorithm");
    let Ok(protection) = tcap1::parse(component.parameter) else {
        walk.line("security", "SG-TCAP-1, cannot be read".to_owned());
        return;
    };
    let header = &protection.header;
    walk.places.signature = place(base, protection.signature);
    if let Some(covered) = place(base, protection.covered) {
        let at = covered.start;
        walk.places.sai = Some(at + 4..at + 12);
        walk.places.tvp = Some(at + 12..at + 16);
        walk.places.seq = Some(at + 16..at + 24);
    }
    let signers = snapshot.signers_of(header.sai);
    let certificate = signers.first().and_then(|&id| snapshot.signers.get(id as usize));
    let name = certificate.map_or("not known", |signer| signer.trust.certificate.name.as_str());
    let (sai, stamp) = (hex(&header.sai), stamp(header, scene.now_ms));
    let alg = sealgate_crypto::alg::Alg::from_wire(header.alg).map_or("?", |alg| alg.name());
    walk.line(
        "security",
        format!(
            "SG-TCAP-1, {alg}, SAI {sai} (certificate {name}), signed {}, number {} of counter {}",
            clock(stamp.0),
            header.seq,
            header.node
        ),
    );
    walk.look("V5", format!("version 1, flags {:02x}, algorithm {} ({alg})", header.flags, header.alg));
    walk.look("V7", format!("{} octets", protection.signature.len()));
    walk.look("V8", format!("{alg} must be in peers.{}.algs", peer.name));
    walk.look("V9", format!("SAI {sai} must not be ours"));
    walk.look("V10", format!("SAI {sai}: certificate {name}"));
    if let Some(signer) = certificate {
        let state = signer.trust.state((scene.now_ms / 1000) as i64);
        walk.look("V11", format!("{name}: {}", state_text(state, &signer.trust)));
    }
    let (past, future) = (peer.window.0.as_secs_f64(), peer.window.1.as_secs_f64());
    walk.look("V12", format!("{}; window {past} s past, {future} s ahead", age_text(stamp.1)));
    walk.look("V13", format!("number {} must not have been used before", header.seq));
    if header.copy.is_some() {
        walk.look("V14", "copy of the called address");
    }
    if let Some(signer) = certificate {
        let own = &signer.trust.certificate.identifiers;
        let list: Vec<_> = own
            .gt_prefixes
            .iter()
            .map(|(plan, digits)| format!("{}{digits}*", if *plan == 7 { "E.214 " } else { "" }))
            .collect();
        let list = if own.any { "every title".to_owned() } else { list.join(", ") };
        let plan = if calling.0.plan == Plan::E214 { "E.214 " } else { "" };
        walk.look("V15", format!("{name} covers {list}; calling is {plan}{}", calling.0.digits));
        let role = signer.trust.certificate.role.map_or("none".to_owned(), |role| format!("{role:?}").to_lowercase());
        walk.look("V16", format!("role {role} must be in peers.{}.signer_roles", peer.name));
    }
    walk.look("ROOM2", "the crypto queue and the carrier have room");
    walk.look("V17", format!("{alg}, by {name}, over header, both addresses, dialogue and components"));
    walk.look("V18", format!("number {} marked as used", header.seq));
}

/// Time of signing in milliseconds since 1970, nearest to now, and its age in tenths of a second.
pub(super) fn stamp(header: &Header<'_>, now_ms: u64) -> (u64, i32) {
    let age = header.tvp.age_tenths(now_ms);
    let now = i64::try_from(now_ms / 100 * 100).unwrap_or(i64::MAX);
    (u64::try_from(now - i64::from(age) * 100).unwrap_or(0), age)
}

pub(super) fn age_text(tenths: i32) -> String {
    let seconds = f64::from(tenths.unsigned_abs()) / 10.0;
    if tenths < 0 { format!("{seconds} s ahead of our clock") } else { format!("{seconds} s old") }
}

pub(super) fn state_text(state: CertState, signer: &sealgate_crypto::pki::Signer) -> String {
    let certificate = &signer.certificate;
    let day = |at: i64| clock(u64::try_from(at).unwrap_or(0) * 1000);
    match state {
        CertState::Good => format!("valid until {}, not revoked", day(certificate.not_after)),
        CertState::NotYetValid => format!("valid from {}", day(certificate.not_before)),
        CertState::Expired => format!("expired {}", day(certificate.not_after)),
        CertState::Revoked => "on its authority's revocation list".to_owned(),
        CertState::CrlStale => "its authority's revocation list is missing or late".to_owned(),
        CertState::RepoStale => "the certificate repository was not checked for too long".to_owned(),
    }
}

/// SG-TCAP-0: the steps of formats 5.
fn sigfw_security(
    scene: &Scene<'_>,
    walk: &mut Walk,
    base: &[u8],
    component: &tcap::Component<'_>,
    peer: &Peer,
    calling: &Party,
) {
    walk.look("V3", format!("BEGIN, and SG-TCAP-0 in peers.{}.profiles", peer.name));
    walk.look("V4", "exactly that of the profile");
    let Ok(protection) = tcap0::parse(component.parameter) else {
        walk.line("security", "SG-TCAP-0 (SigFW), cannot be read".to_owned());
        return;
    };
    walk.places.signature = place(base, protection.signature);
    let age = protection.tvp.age_tenths(scene.now_ms);
    walk.line("security", format!("SG-TCAP-0 (SigFW), RSA, {}", age_text(age)));
    walk.look("V10", format!("sigfw_keys: longest prefix of {}", calling.0.digits));
    let window = &scene.snapshot.defaults.compat_window;
    if scene.snapshot.sigfw_key(&calling.0).is_some() {
        walk.look("V11", "certificate of the key, if it has one");
    }
    walk.look(
        "V12",
        format!("{}; window {} s past, {} s ahead", age_text(age), window.past_ms / 1000, window.future_ms / 1000),
    );
    walk.look("V7", format!("{} octets", protection.signature.len()));
    walk.look("V13", "what was signed has not been seen before");
    walk.look("ROOM2", "the crypto queue and the carrier have room");
    walk.look("V17", "RSA, over addresses, time and components");
    walk.look("V18", "what was signed is marked as seen");
}

/// How many dialogues a peer may have begun that are still open.
pub(super) fn dialogue(scene: &Scene<'_>, walk: &mut Walk, peer: &Peer) {
    if scene.snapshot.defaults.transactions.check {
        walk.look("DLG", format!("fewer than {} that {} began are open", peer.transactions.limit, peer.name));
    }
}

/// sendRoutingInfoForSM (TS 29.002 §12).
const SEND_ROUTING_INFO_FOR_SM: i32 = 45;

/// The built-in checks of formats 13.2.
fn policy(
    scene: &Scene<'_>,
    walk: &mut Walk,
    parsed: &tcap::Message<'_>,
    peer: &Peer,
    other: bool,
    security: &dyn Fn(&tcap::Component<'_>) -> bool,
) {
    let snapshot = scene.snapshot;
    if let Some(tid) = parsed.dtid {
        if snapshot.defaults.transactions.check {
            walk.look("P1", format!("transaction {tid} must be open, and {} asked", peer.name));
        }
        if parsed.kind == tcap::MessageKind::Abort {
            walk.look("P1R", format!("at most {} unsigned aborts a second", snapshot.defaults.abort_per_peer));
        }
    }
    if parsed.kind == tcap::MessageKind::Begin {
        dialogue(scene, walk, peer);
    }
    let operations: Vec<i32> = parsed
        .components
        .iter()
        .filter(|c| c.kind == ComponentKind::Invoke && !security(c))
        .filter_map(|c| c.local())
        .collect();
    let names: Vec<String> = operations.iter().map(|&op| operation_name(op, other)).collect();
    let names = names.join(", ");
    walk.look("P2", "no operation code may be an OBJECT IDENTIFIER");
    walk.look("P3", "no invoke id may come twice");
    let begin = parsed.kind == tcap::MessageKind::Begin;
    let context = parsed.application_context().ok().flatten();
    let known = context.and_then(|oid| snapshot.contexts.find(oid.0)).map(|(_, known)| known);
    let is_context = |protocol| known.is_some_and(|known| known.protocol == protocol);
    if begin {
        walk.look("P4", if context.is_some() { "there is one" } else { "there is none" });
        if let Some(oid) = context {
            walk.look("P5", format!("{} must be a known context", context_name(oid)));
        }
    } else if let Some(oid) = context {
        walk.look("P5", format!("{} must be the one that the dialogue was opened with", context_name(oid)));
    }
    // In a BEGIN its context says whether it is MAP; later in a dialogue, its subsystems do.
    let is_map = if begin { context.is_none() || is_context(Protocol::Map) } else { !other };
    if names.is_empty() {
        return;
    }
    if is_map || is_context(Protocol::Cap) {
        walk.look("P6", format!("{names} must not be of category cat1"));
    }
    match context.filter(|_| known.is_some()) {
        Some(oid) if begin => walk.look("P7", format!("{names} must belong to {}", context_name(oid))),
        _ if begin => {}
        _ => walk.look("P7", format!("{names} must belong to the context of the dialogue, where it was seen to begin")),
    }
    if !other {
        let cat2 = operations.iter().any(|&op| snapshot.categories.is_cat2(op));
        let imsi = if cat2 { format!("; IMSI of peers.{}.plmns, not of home.plmns", peer.name) } else { String::new() };
        walk.look("P8", format!("node numbers inside {names} must belong to {}{imsi}", peer.name));
        if snapshot.home_router.is_set().0 && operations.contains(&SEND_ROUTING_INFO_FOR_SM) {
            walk.look("P8R", format!("{names} must be addressed to home.sms_router.gt"));
        }
    }
}

fn context_name(oid: tcap::Oid<'_>) -> String {
    if let Some(context) = map::context(oid.0) {
        return format!("{} v{} ({oid})", context.name, context.version);
    }
    match cap::context(oid.0) {
        Some(context) => format!("{} phase {} ({oid})", context.name, context.phase),
        None => format!("unknown ({oid})"),
    }
}

fn operation_name(op: i32, other: bool) -> String {
    let name = if other { cap::operation_name(op) } else { map::operation_name(op) };
    name.map_or_else(|| format!("operation {op}"), |name| format!("{name} ({op})"))
}

fn component_line(component: &tcap::Component<'_>, parsed: &tcap::Message<'_>, other: bool, rules: Rules) -> String {
    let kind = match component.kind {
        ComponentKind::Invoke => "invoke",
        ComponentKind::ReturnResultLast => "result",
        ComponentKind::ReturnResultNotLast => "part of a result",
        ComponentKind::ReturnError => "error",
        ComponentKind::Reject => "reject",
    };
    let id = component.invoke_id.map(|id| format!(" {id}")).unwrap_or_default();
    let mut line = match component.operation {
        Operation::Local(op) => format!("{kind}{id} {}", operation_name(op, other)),
        Operation::Global(oid) => format!("{kind}{id} global operation {}", tcap::Oid(oid)),
        Operation::None => match component.error {
            Some(code) => format!("{kind}{id} code {code}"),
            None => format!("{kind}{id}"),
        },
    };
    let Some(op) = component.local() else { return line };
    let mut add = |name: &str, digits: Option<&dyn std::fmt::Display>| {
        if let Some(digits) = digits {
            line += &format!(", {name} {digits}");
        }
    };
    if other {
        if let Ok(found) = cap::identities(op, component.kind, component.parameter, rules) {
            for (name, digits) in [
                ("IMSI", found.imsi),
                ("MSISDN", found.msisdn),
                ("node", found.node),
                ("calling", found.calling),
                ("called", found.called),
            ] {
                add(name, digits.as_ref().map(|digits| digits as &dyn std::fmt::Display));
            }
        }
        return line;
    }
    let context = parsed.application_context().ok().flatten();
    let version = context.and_then(|oid| map::context(oid.0)).map_or(0, |context| context.version);
    match map::identities(op, component.kind, version, component.parameter, rules) {
        Ok(found) => {
            for (name, digits) in [("IMSI", found.imsi), ("MSISDN", found.msisdn)] {
                add(name, digits.as_ref().map(|digits| digits as &dyn std::fmt::Display));
            }
            for node in found.nodes.iter() {
                add("node", Some(node));
            }
        }
        Err(refusal) => line += &format!(", argument cannot be read: {}", refusal.reason.text()),
    }
    line
}

fn message_name(kind: tcap::MessageKind) -> &'static str {
    match kind {
        tcap::MessageKind::Unidirectional => "UNIDIRECTIONAL",
        tcap::MessageKind::Begin => "BEGIN",
        tcap::MessageKind::End => "END",
        tcap::MessageKind::Continue => "CONTINUE",
        tcap::MessageKind::Abort => "ABORT",
    }
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Require => "require",
        Mode::Prefer => "prefer",
        Mode::Ignore => "ignore",
    }
}

impl Walk {
    pub fn line(&mut self, layer: &'static str, text: String) {
        self.lines.push(Line { layer, text });
    }

    pub(super) fn look(&mut self, step: &'static str, text: impl Into<String>) {
        self.looked.insert(step, text.into());
    }

    fn look_in(&mut self, applies: bool, step: &'static str, text: &str) {
        if applies {
            self.look(step, text);
        }
    }
}
