//! A message from our own network: signed where its destination's operator is signed towards (formats 4.4).

use sealgate_config::model::{CopyCalled, LinkKind, Oversize, Profile, Protocol};
use sealgate_wire::addr::{Plan, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::sccp::{Kind, Unitdata};
use sealgate_wire::sec::{FLAG_WAS_UDT, Header, Tvp, tcap0, tcap1};
use sealgate_wire::tcap::{ComponentKind, MessageKind, Tid};
use sealgate_wire::{Reason, Refusal, ip, sccp, sctp, tcap};

use super::asked::Asked;
use super::sccp::{Shape, fits};
use super::{Carrier, Found, Next, SI_ISUP, SI_SCCP, Scene, busy, isup, native_opcode, reassemble, sg_tcap0};
use crate::pipeline::carrier::{self, Opened};
use crate::pipeline::detect;
use crate::pipeline::slots::{Message, MessageId, Transaction};
use crate::policy::snapshot::{Own, Peer};
use crate::policy::tables::Contexts;
use crate::state::Direction;
use crate::state::dialogues::Begun;

/// Prepares a message of our own network for its way out.
///
/// What is malformed is not ours to refuse here: it leaves as it came, unsigned, and the other side judges it.
///
/// # Errors
/// [`Reason::ResSignFailed`] where it should be signed and cannot, and the peer's `oversize` is refuse; the reasons of
/// a link's protocol for what is not that.
pub(crate) fn outbound(
    scene: &mut Scene<'_>,
    user: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let parted = match carrier::open(message.kind, user)? {
        Opened::Neighbours | Opened::Unread(_) => None,
        Opened::Mtp3(mtp3) if mtp3.si == SI_ISUP => {
            let link = scene.snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
            return isup::outbound(scene, user, (mtp3.user, mtp3.opc), &link.config.isup, message, id);
        }
        Opened::Mtp3(mtp3) if mtp3.si != SI_SCCP => None,
        Opened::Mtp3(mtp3) => parties(mtp3.user).map(|parties| (Some(mtp3.opc), parties)),
        Opened::Users(users) => {
            let party = |party: Result<carrier::Party, Refusal>| {
                let (title, ssn) = party.ok()?;
                Some((title?, ssn.unwrap_or(Ssn(0))))
            };
            let parties = party(users.called).zip(party(users.calling));
            parties.map(|(called, calling)| (users.opc, (users.unitdata, called, calling)))
        }
    };
    let Some((opc, (unitdata, called, calling))) = parted else { return Ok(Next::Pass(Reason::OkNotSubject)) };
    message.event = detect::of_result(scene, unitdata.data, &called.0);
    let snapshot = scene.snapshot;
    let mut carrier = Carrier { kind: message.kind, user, unitdata, segmented: false, opc, called, calling };
    let Some(peer_id) = snapshot.peer_by_digits(&called.0.digits) else {
        track(scene, message, 0, unitdata.data, [&called, &calling]);
        ruled(scene, &carrier, unitdata.data, message);
        return Ok(Next::Judge);
    };
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    if unitdata.kind.is_service() {
        return Ok(Next::Pass(Reason::OkUnsignedAllowed));
    }
    let first = unitdata.segmentation.is_none_or(|segmentation| segmentation.first);
    if first {
        track(scene, message, peer_id, unitdata.data, [&called, &calling]);
    }
    if unitdata.segmentation.is_none() {
        ruled(scene, &carrier, unitdata.data, message);
    }
    let (Some(profile), Some(own)) = (peer.sign, &snapshot.own) else {
        return Ok(Next::Judge);
    };
    if !snapshot.is_home(&calling.0) {
        return Ok(Next::Judge); // not ours to speak for
    }
    let Some(segmentation) = unitdata.segmentation else {
        return sign(scene, &carrier, unitdata.data, own, profile, peer, message, id);
    };
    // Segments that left as no-ops could not be brought back: decide before the first one is touched.
    let fits_whole = match message.kind {
        LinkKind::M2pa => false, // what one MSU holds needs no segments
        LinkKind::Sua => true,
        _ => peer.ludt,
    };
    if !fits_whole {
        return unsigned(scene, peer);
    }
    let Some(whole) = reassemble(scene, message.link, Direction::Out, &unitdata, segmentation)? else {
        return Ok(Next::Held);
    };
    carrier.segmented = true;
    track(scene, message, peer_id, &whole, [&called, &calling]);
    ruled(scene, &carrier, &whole, message);
    let next = sign(scene, &carrier, &whole, own, profile, peer, message, id);
    scene.scratch.whole = whole;
    next
}

/// The SCCP message and its parties, where both have a title that can be signed for.
fn parties(octets: &[u8]) -> Option<(Unitdata<'_>, super::Party, super::Party)> {
    let unitdata = Unitdata::parse(octets).ok()?;
    let party = |octets| {
        let (title, ssn) = sccp::party(octets).ok()?;
        Some((title?, ssn.unwrap_or(Ssn(0))))
    };
    Some((unitdata, party(unitdata.called)?, party(unitdata.calling)?))
}

/// Notes the transaction that the message opens for us, so that its answer finds it, and of which application context it is; or the
/// one that it ends.
fn track(scene: &Scene<'_>, message: &mut Message, peer: u16, tcap: &[u8], parties: [&super::Party; 2]) {
    let [called, calling] = parties;
    let counterpart = |id: Tid| scene.shared.counterpart_key(id.as_octets(), &called.0.digits, &calling.0.digits);
    let Some(opening) = tcap::opening(tcap) else {
        if let Some(id) = tcap::ending(tcap) {
            message.transaction = Transaction::Ends { counterpart: counterpart(id) };
        }
        return;
    };
    let begins = opening.kind == MessageKind::Begin;
    let known = opening.context.and_then(|name| scene.snapshot.contexts.find(name.0));
    // By our first answer we take up the context of a dialogue that the other side has begun.
    let about = known.map(|(number, _)| Contexts::word(number, !begins));
    // Of a peer of MAP version 1, an answer without a context may be the first one, under an id that had one before.
    let nameless = scene.snapshot.peers.get(usize::from(peer)).is_some_and(|peer| peer.allow_no_ac);
    message.peer = peer;
    message.transaction = Transaction::Opens {
        key: scene.shared.transaction_key(opening.id.as_octets(), &calling.0.digits),
        about: about.or((begins || nameless).then_some(0)),
        begun: begins.then_some(Begun::ByUs),
        counterpart: opening.answers.map(counterpart),
    };
}

/// Takes note of what operator rules say of a message that is not in segments.
fn ruled(scene: &mut Scene<'_>, carrier: &Carrier<'_>, octets: &[u8], message: &mut Message) {
    let snapshot = scene.snapshot;
    let is_map = !snapshot.is_other_tcap(carrier.called.1.0, carrier.calling.1.0);
    let idle = |protocol| snapshot.ruleset.is_idle(protocol, Direction::Out);
    if idle(Protocol::Map) && idle(Protocol::Cap) {
        return;
    }
    let mut room = tcap::Room::new();
    let Ok(parsed) = scene.scratch.messages.read(&mut room, octets, Rules::Lenient) else { return };
    let Some(mut asked) = Asked::of(scene, carrier, parsed, is_map, None, message) else { return };
    let invokes = || parsed.components.iter().filter(|component| component.kind == ComponentKind::Invoke);
    invokes().for_each(|component| {
        let imsi = asked.subscriber(component);
        asked.part(component, imsi, message);
    });
    if invokes().next().is_none() {
        asked.whole(message);
    }
}

/// What becomes of a message that should be signed and cannot be.
pub(super) fn unsigned(scene: &mut Scene<'_>, peer: &Peer) -> Result<Next, Refusal> {
    match peer.oversize {
        Oversize::Refuse => Err(Reason::ResSignFailed.at(0)),
        Oversize::Unsigned => {
            scene.stats.event(Reason::ResSignFailed);
            Ok(Next::Judge)
        }
    }
}

/// Makes the message with room for our signature and asks for it.
#[expect(clippy::too_many_arguments, reason = "one message, who signs it and for whom")]
fn sign(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    octets: &[u8],
    own: &Own,
    profile: Profile,
    peer: &Peer,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let cannot = |scene: &mut Scene<'_>| {
        if carrier.segmented { Err(Reason::ResSignFailed.at(0)) } else { unsigned(scene, peer) }
    };
    let mut room = tcap::Room::new();
    let Ok(parsed) = scene.scratch.messages.read(&mut room, octets, Rules::Lenient) else { return cannot(scene) };
    if parsed.kind == MessageKind::Abort {
        return Ok(Next::Judge);
    }
    let opcode = native_opcode(scene.snapshot, peer, carrier.called.1, carrier.calling.1);
    if Found::within(parsed, opcode).count > 0 {
        return Ok(Next::Judge); // somebody behind us signed already
    }
    let made = match profile {
        Profile::SgTcap0 if parsed.kind != MessageKind::Begin => return Ok(Next::Judge),
        Profile::SgTcap0 => sg_tcap0_component(scene, carrier, parsed, own, peer),
        _ => sg_tcap1_component(scene, carrier, parsed, own, peer, opcode),
    };
    let Some((kind, signature_len)) = made else { return cannot(scene) };
    let scratch = &mut *scene.scratch;
    scratch.tcap.clear();
    tcap::rebuild(parsed, None, Some(&scratch.component), false, &mut scratch.tcap);
    let shape = Shape { udt: kind == Kind::Udt, segmented: carrier.segmented, ludt: kind == Kind::Ludt };
    let made = carrier.put(&scratch.tcap, shape, &mut scratch.sccp, &mut message.output);
    if made.is_err_and(|refusal| refusal.reason == Reason::IntBug) {
        return Err(Reason::IntBug.at(0));
    }
    if made.is_err() || too_long(scene, message) {
        message.output.clear();
        return cannot(scene);
    }
    message.signature = place_of_signature(message.kind, &message.output, signature_len);
    if message.signature.is_none() {
        return Err(Reason::IntBug.at(0));
    }
    message.unsigned_instead = peer.oversize == Oversize::Unsigned && !carrier.segmented;
    scene.crypto.sign(u64::from(id), &own.key, &scene.scratch.tbs).map_err(busy)?;
    Ok(Next::Wait)
}

/// Whether the message, alone in its packet, is longer than its link carries. One that came in several chunks leaves in as
/// many: each of them takes its share.
pub(super) fn too_long(scene: &Scene<'_>, message: &Message) -> bool {
    if message.ticket.is_some() {
        return false; // a connection cuts it as it likes
    }
    let Some(link) = scene.snapshot.links.get(usize::from(message.link)) else { return true };
    let ip =
        if link.config.remote.iter().any(|address| address.is_ipv6()) { ip::V6_HEADER_LEN } else { ip::V4_HEADER_LEN };
    let growth = message.output.len().saturating_sub(message.len).div_ceil(message.fragments.max(1));
    let chunk = message.longest + growth;
    let alone = ip + sctp::HEADER_LEN + sctp::DATA_HEADER_LEN + chunk.next_multiple_of(4);
    alone > usize::from(link.mtu)
}

/// Puts the component of SG-TCAP-1 into `scratch.component`, its signature still zeros, and what it covers into
/// `scratch.tbs`. Returns the SCCP type that can carry the result and the length of the signature.
fn sg_tcap1_component(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    parsed: &tcap::Message<'_>,
    own: &Own,
    peer: &Peer,
    opcode: i32,
) -> Option<(Kind, usize)> {
    let signature_len = own.public.key().signature_len();
    let scratch = &mut *scene.scratch;
    let copied = peer.copy_called == CopyCalled::Always || carrier.called.0.plan == Plan::E214;
    scratch.other.clear();
    if copied {
        carrier.called.0.write_canonical(carrier.called.1, &mut scratch.other);
    }
    let covered_len = Header::LEN + if copied { 1 + scratch.other.len() } else { 0 };
    let component_len = tcap1::component_len(covered_len, own.alg);
    let original = carrier.unitdata.kind;
    let (called, calling) = (carrier.unitdata.called.len(), carrier.unitdata.calling.len());
    let signed_len = signed_len(parsed, component_len);
    let roomy = peer.m3ua_only && carrier.kind != LinkKind::M2pa;
    let kind = if !carrier.segmented && fits(original, called, calling, signed_len, roomy) {
        original
    } else if peer.ludt || original == Kind::Ludt {
        Kind::Ludt
    } else {
        return None;
    };
    let flags = if original == Kind::Udt && kind != Kind::Udt { FLAG_WAS_UDT } else { 0 };
    scene.signer.seq += 1;
    let header = Header {
        alg: own.alg,
        flags,
        node: scene.signer.node,
        sai: own.sai,
        tvp: Tvp::from_unix_ms(scene.now_ms),
        seq: scene.signer.seq,
        copy: None,
    };
    let header = if copied { header.with_copy(&scratch.other)? } else { header };
    scratch.covered.clear();
    header.emit(&mut scratch.covered);
    let used = |id: u8| parsed.components.iter().any(|component| component.invoke_id == Some(id));
    let invoke_id = (0..=127).rev().find(|&id| !used(id))?;
    scratch.component.clear();
    let zeros = [0; 256];
    let room = zeros.get(..signature_len)?;
    let opcode = u8::try_from(opcode).ok()?;
    tcap1::emit_component(invoke_id, opcode, own.sai, &scratch.covered, room, &mut scratch.component);
    let subject = tcap1::Subject { calling: carrier.calling, called: carrier.called, tag: parsed.kind as u8 };
    let copy = header.copy.map(|copy| copy.octets());
    let elements = parsed.elements.iter().copied();
    let components = parsed.components.iter().map(|component| component.raw);
    tcap1::write_tbs(&scratch.covered, copy, &subject, elements, components, &mut scratch.tbs);
    Some((kind, signature_len))
}

/// Octets of the TCAP message with a component of this length as its last.
fn signed_len(parsed: &tcap::Message<'_>, component_len: usize) -> usize {
    let head = |length: usize| 2 + usize::from(length > 0x7f) + usize::from(length > 0xff);
    let elements: usize = parsed.elements.iter().map(|element| element.len()).sum();
    let components: usize =
        parsed.components.iter().map(|component| component.raw.len()).sum::<usize>() + component_len;
    let inside = elements + head(components) + components;
    head(inside) + inside
}

/// The same for SG-TCAP-0: RSA only, and always longer than a UDT (formats 5).
fn sg_tcap0_component(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    parsed: &tcap::Message<'_>,
    own: &Own,
    peer: &Peer,
) -> Option<(Kind, usize)> {
    const RSA: u8 = 3;
    if own.alg != RSA || !peer.ludt && carrier.kind != LinkKind::Sua {
        return None;
    }
    let signature_len = own.public.key().signature_len();
    let tvp = Tvp::from_unix_ms(scene.now_ms);
    let scratch = &mut *scene.scratch;
    sg_tcap0::string(parsed, None, carrier, tvp, true, &mut scratch.canonical, &mut scratch.tbs);
    let zeros = [0; 512];
    scratch.component.clear();
    tcap0::emit_component(tvp, zeros.get(..signature_len)?, &mut scratch.component);
    Some((Kind::Ludt, signature_len))
}

/// Where our signature lies in the message: it ends the last component, which ends the data of SCCP or SUA.
fn place_of_signature(kind: LinkKind, output: &[u8], signature_len: usize) -> Option<(usize, usize)> {
    let part = carrier::part(kind, output)?;
    let data = if kind == LinkKind::Sua { part } else { Unitdata::parse(part).ok()?.data };
    let end = data.as_ptr() as usize - output.as_ptr() as usize + data.len();
    Some((end.checked_sub(signature_len)?, end))
}
