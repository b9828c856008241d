//! Reading one Diameter message for display, as [`super::walk`] does for SS7.

use sealgate_config::model::{Category, LinkKind, Mode};
use sealgate_crypto::alg::Alg;
use sealgate_dataplane::policy::snapshot::Peer;
use sealgate_dataplane::state::Direction;
use sealgate_wire::diameter::{self, Flags, Header, Shown, View, dictionary};
use sealgate_wire::sec::dess::{Claim, Group};
use sealgate_wire::sec::dia1;

use super::walk::{Profile, Scene, Walk, age_text, dialogue, mode_name, place, stamp, state_text};
use super::{clock, hex};

pub(super) use sealgate_wire::diameter::PPID;

/// The most AVPs that are shown; subscriber profiles have hundreds.
const MAX_LINES: usize = 64;
/// Send-Routing-Info-for-SM of S6c (TS 29.338 §5).
const SEND_ROUTING_INFO_FOR_SM: u32 = 8_388_647;

/// Reads a message as far as it can be read.
///
/// * `frame`: the frame that `user` is a piece of, or `user` itself where it was put together from several chunks
pub(super) fn message(scene: &Scene<'_>, frame: &[u8], user: &[u8]) -> Walk {
    let mut walk = Walk { kind: LinkKind::Diameter, ..Walk::default() };
    walk.places.user = place(frame, user);
    walk.places.tcap = walk.places.user.clone(); // what octets of a reason are counted in
    let view = match View::new(user) {
        Ok(view) => view,
        Err(refusal) => {
            walk.line("Diameter", format!("cannot be read: {}", refusal.reason.text()));
            walk.look("DIA", "version and length");
            return walk;
        }
    };
    walk.line("Diameter", title(&view.header()));
    let mut lines = 0;
    diameter::tree(&view, &mut |depth, avp| {
        lines += 1;
        if lines <= MAX_LINES {
            walk.line("AVP", format!("{}{}", "  ".repeat(depth), Shown(avp)));
        }
    });
    if lines > MAX_LINES {
        walk.line("AVP", format!("and {} more", lines - MAX_LINES));
    }
    let parsed = match diameter::Message::parse(user) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            walk.line("Diameter", format!("refused in decoding: {}", refusal.reason.text()));
            walk.look("DIA", "header and AVPs");
            return walk;
        }
    };
    walk.look("DIA", "version, length, flags, every AVP inside of its parent, none twice that may be there once");
    if parsed.header.is_hop_local() {
        return walk;
    }
    if scene.way == Direction::In {
        inbound(scene, &mut walk, frame, &parsed);
    } else if let Some(realm) = parsed.destination_realm {
        walk.peer = scene.snapshot.peer_by_realm(realm).unwrap_or(0);
    }
    walk
}

fn inbound(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], parsed: &diameter::Message<'_>) {
    let snapshot = scene.snapshot;
    let realm = parsed.origin_realm.unwrap_or_default();
    walk.places.calling = place(frame, realm);
    let known = snapshot.peer_of_realm(realm);
    walk.peer = known.unwrap_or(0);
    let peer = known.and_then(|id| snapshot.peers.get(usize::from(id)));
    let named = peer.map_or("no peer".to_owned(), |peer| format!("peers.{}", peer.name));
    walk.look("PEER", format!("Origin-Realm {} is {named}", text(realm)));
    let Some(peer) = peer else { return };
    if !parsed.header.is_request() {
        walk.look("REQ", "an answer needs its request, by both identifiers and over the same link");
    }
    let carries = if parsed.dess.is_some() { "is signed" } else { "is not signed" };
    walk.look("MODE", format!("{named}.mode: {}; the message {carries}", mode_name(peer.mode)));
    match parsed.dess.as_ref().filter(|_| peer.mode != Mode::Ignore) {
        Some(dess) => security(scene, walk, frame, dess, peer, realm),
        None if parsed.dess.is_some() => walk.line("security", "DESS-Signature, not looked at: mode ignore".into()),
        None => walk.line("security", "none: the message is not signed".into()),
    }
    let header = &parsed.header;
    let link = snapshot.links.get(usize::from(scene.link)).map_or("", |link| link.name.as_str());
    walk.look("D1", format!("{} in links.{link}.applications", application(header.application)));
    walk.look("D2", format!("{} belongs to it", command(header)));
    walk.look("D3", format!("{} under {}", text(parsed.origin_host.unwrap_or_default()), text(realm)));
    if !header.is_request() {
        return;
    }
    dialogue(scene, walk, peer);
    if parsed.route_record_count > 0 {
        walk.look("D4", format!("{} Route-Records, none twice and none of ours", parsed.route_record_count));
    }
    if snapshot.commands.category(header.application, header.command) != Some(Category::None) {
        walk.look("D8", "no unknown AVP with its mandatory bit set");
    }
    walk.look("D5", format!("{} is not of category cat1", command(header)));
    if snapshot.home_router.is_set().1 && header.command == SEND_ROUTING_INFO_FOR_SM {
        let host = parsed.destination_host.map_or("no host, and is routed by realm".into(), text);
        walk.look("D9", format!("it names {host}; a host must be of home.sms_router.hosts"));
    }
    if let Some(visited) = parsed.visited_plmn {
        let plmn = diameter::plmn(visited).map_or(hex(visited), |plmn| plmn.to_string());
        walk.look("D6", format!("{plmn} in {named}.plmns"));
    } else if diameter::names_visited_network(header) {
        walk.look("D6", format!("no Visited-PLMN-Id; it must be there, and in {named}.plmns"));
    }
    if snapshot.commands.category(header.application, header.command) == Some(Category::Cat2) {
        let found = diameter::identities(parsed);
        let imsi: Vec<_> = found.imsi.iter().map(ToString::to_string).collect();
        walk.look("D7", format!("IMSI {} of {named}.plmns, and not ours", imsi.join(", ")));
    }
}

/// The DESS-Signature of a message, in either profile.
fn security(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], dess: &diameter::Avp<'_>, peer: &Peer, realm: &[u8]) {
    walk.places.component = place(frame, dess.raw);
    let Ok(group) = Group::read(dess) else {
        walk.profile = Some(Profile::Dess);
        walk.line("security", "DESS-Signature whose inside cannot be read".into());
        walk.look("V1", "children, none twice");
        return;
    };
    walk.look("V1", "children, none twice");
    let native = group.is_native();
    walk.profile = Some(if native { Profile::Dia1 } else { Profile::Dess });
    let name = if native { "SG-DIA-1" } else { "SG-DIA-0 (DESS)" };
    walk.look("V3", format!("{name} must be in peers.{}.profiles", peer.name));
    let Ok(claim) = group.claim() else {
        walk.line("security", format!("{name} that lacks identity, time, type or signature"));
        walk.look("V4", "the four AVPs of DESS");
        return;
    };
    walk.look("V4", "identity, time, type and signature are there");
    walk.places.signature = place(frame, claim.signature);
    if native {
        sg_dia1(scene, walk, frame, &group, peer, realm);
    } else {
        sg_dia0(scene, walk, &claim, realm);
    }
}

fn sg_dia1(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], group: &Group<'_>, peer: &Peer, realm: &[u8]) {
    let found = match dia1::parse(group) {
        Ok(found) => found,
        Err(refusal) => {
            walk.line("security", format!("SG-DIA-1 that cannot be read: {}", refusal.reason.text()));
            walk.look("V5", "version, no flag, algorithm known");
            walk.look("V7", "signature length of the algorithm");
            return;
        }
    };
    let header = &found.header;
    if let Some(start) = place(frame, found.covered).map(|range| range.start) {
        walk.places.sai = Some(start + 4..start + 12);
        walk.places.tvp = Some(start + 12..start + 16);
        walk.places.seq = Some(start + 16..start + 24);
    }
    let signers = scene.snapshot.signers_of(header.sai);
    let certificate = signers.first().and_then(|&id| scene.snapshot.signers.get(id as usize));
    let name = certificate.map_or("not known", |signer| signer.trust.certificate.name.as_str());
    let (sai, stamp, identity) = (hex(&header.sai), stamp(header, scene.now_ms), text(found.claim.identity));
    let alg = Alg::from_wire(header.alg).map_or("?", |alg| alg.name());
    walk.line(
        "security",
        format!(
            "SG-DIA-1 as {identity}, {alg}, SAI {sai} (certificate {name}), signed {}, number {} of counter {}",
            clock(stamp.0),
            header.seq,
            header.node
        ),
    );
    walk.look("V5", format!("version 1, no flags, algorithm {} ({alg})", header.alg));
    walk.look("V7", format!("{} octets", found.claim.signature.len()));
    walk.look("V8", format!("{alg} must be in peers.{}.algs", peer.name));
    walk.look("V9", format!("SAI {sai} must not be ours"));
    walk.look("V10", format!("SAI {sai}: certificate {name}"));
    let Some(signer) = certificate else { return };
    let state = signer.trust.state((scene.now_ms / 1000) as i64);
    walk.look("V11", format!("{name}: {}", state_text(state, &signer.trust)));
    let (past, future) = (peer.window.0.as_secs_f64(), peer.window.1.as_secs_f64());
    walk.look("V12", format!("{}; window {past} s past, {future} s ahead", age_text(stamp.1)));
    walk.look("V13", format!("number {} must not have been used before", header.seq));
    let own = &signer.trust.certificate.identifiers;
    let list = if own.any { "every realm".to_owned() } else { own.realms.join(", ") };
    walk.look("V15", format!("{name} covers {list}; origin is {}, signed as {identity}", text(realm)));
    let role = signer.trust.certificate.role.map_or("none".to_owned(), |role| format!("{role:?}").to_lowercase());
    walk.look("V16", format!("role {role} must be in peers.{}.signer_roles", peer.name));
    walk.look("ROOM2", "the crypto queue has room");
    walk.look("V17", format!("{alg}, by {name}, over header, command, identifiers and sorted AVPs"));
    walk.look("V18", format!("number {} marked as used", header.seq));
}

fn sg_dia0(scene: &Scene<'_>, walk: &mut Walk, claim: &Claim<'_>, realm: &[u8]) {
    let age_ms = claim.time.age_ms(scene.now_ms);
    let signed = clock(scene.now_ms.saturating_add_signed(-age_ms));
    walk.line("security", format!("SG-DIA-0 (DESS), signed as {} at {signed}", text(claim.identity)));
    let known = scene.snapshot.dess_key(realm, claim.identity);
    let key = if known.is_some() { "dess_keys has a key" } else { "dess_keys has no key" };
    walk.look("V10", format!("{key} of {} for {}", text(claim.identity), text(realm)));
    let Some(known) = known else { return };
    let signer = known.signer.and_then(|id| scene.snapshot.signers.get(id as usize));
    let name = signer.map_or("a key without certificate", |signer| signer.trust.certificate.name.as_str());
    walk.look("V11", name);
    walk.look("KIND", format!("type {} says {}", claim.kind, if claim.kind == 0 { "RSA" } else { "ECDSA" }));
    let window = &scene.snapshot.defaults.compat_window;
    let age = age_text((age_ms / 100) as i32);
    walk.look("V12", format!("{age}; window {} s past, {} s ahead", window.past_ms / 1000, window.future_ms / 1000));
    walk.look("V7", format!("{} octets", claim.signature.len()));
    walk.look("V13", "this string under this Origin-Host and these identifiers");
    walk.look("ROOM2", "the crypto queue has room");
    walk.look("V17", "over application, command, end-to-end identifier and sorted AVPs");
    walk.look("V18", "what was signed is marked as seen");
}

/// "Update-Location-Request (ULR) of S6a/S6d, hop-by-hop 00000001, end-to-end 00000002".
fn title(header: &Header) -> String {
    let flag = |flag, name| if header.flags.has(flag) { name } else { "" };
    let flags = [
        flag(Flags::PROXIABLE, ", proxiable"),
        flag(Flags::ERROR, ", error"),
        flag(Flags::RETRANSMITTED, ", retransmitted"),
    ];
    format!(
        "{} of {}, hop-by-hop {:08x}, end-to-end {:08x}{}",
        command(header),
        application(header.application),
        header.hop_by_hop,
        header.end_to_end,
        flags.concat()
    )
}

fn command(header: &Header) -> String {
    let known = dictionary::application(header.application).and_then(|known| known.command(header.command));
    match (known, header.is_request()) {
        (Some(known), true) => format!("{}-Request ({})", known.name, known.request),
        (Some(known), false) => format!("{}-Answer ({})", known.name, known.answer()),
        (None, true) => format!("request {}", header.command),
        (None, false) => format!("answer {}", header.command),
    }
}

fn application(id: u32) -> String {
    dictionary::application(id).map_or(format!("application {id}"), |known| known.name.to_owned())
}

/// A name from the network: it cannot write on a terminal what it is not.
fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).escape_debug().to_string()
}
