//! Diameter: a message from either side, its peer, its request, and what leaves of it (RFC 6733; formats 6, 7, 13.2).

mod asked;
mod outbound;
mod screen;
mod sg_dia0;
mod sg_dia1;

pub(crate) use outbound::outbound;

use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyHandle;
use sealgate_wire::ber::Rules;
use sealgate_wire::diameter::{self, Flags, Header};
use sealgate_wire::sec::dess::Group;
use sealgate_wire::{Reason, Refusal};

use super::{Next, Scene, busy};
use crate::pipeline::detect;
use crate::pipeline::slots::{Message, MessageId, SignatureState, Transaction};
use crate::pipeline::worker::ANY_PEER;
use crate::policy::decide;
use crate::policy::snapshot::{LinkId, Peer};
use crate::state::Direction;
use crate::state::dialogues::Begun;

/// A signature that everything but itself already speaks for.
struct Claim<'a> {
    /// The key it must hold under; what it covers is in `scratch.tbs`.
    key: &'a KeyHandle,
    signature: Signature<'a>,
}

/// A signature in the form that keys want.
enum Signature<'a> {
    /// It came in it.
    Raw(&'a [u8]),
    /// It was DER.
    Made(sealgate_wire::sec::ecdsa::Raw),
}

impl Signature<'_> {
    fn octets(&self) -> &[u8] {
        match self {
            Signature::Raw(octets) => octets,
            Signature::Made(raw) => raw,
        }
    }
}

/// Judges all of a message from interconnect but its signature.
///
/// * `octets`: one Diameter message
///
/// # Errors
/// The first reason of formats 2, steps 5 to 9.
pub(crate) fn inbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let parsed = diameter::Message::parse(octets)?;
    if parsed.header.is_hop_local() {
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    let snapshot = scene.snapshot;
    let realm = parsed.origin_realm.ok_or(Reason::IntBug.at(0))?;
    let unknown = Reason::PolPeerUnknown.at(0);
    let peer_id = snapshot.peer_of_realm(realm).ok_or(unknown)?;
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    if !peer.links.is_empty() && !peer.links.contains(&message.link) {
        return Err(unknown);
    }
    message.transaction = transaction(scene, message, &parsed.header);
    open(scene, message)?;
    let mut claim = None;
    message.state = match parsed.dess {
        None => decide::unsigned_of(peer.mode).map_err(|reason| reason.at(0))?,
        Some(_) if peer.mode == Mode::Ignore => SignatureState::Unchecked,
        Some(dess) => match check(scene, &parsed, &dess, peer, message) {
            Ok(found) => {
                claim = Some(found);
                SignatureState::Claimed
            }
            Err(refusal) => {
                decide::after_failure(peer.mode, refusal.reason).map_err(|reason| reason.at(refusal.at as usize))?
            }
        },
    };
    message.screened = screen::screen(scene, &parsed, peer, message).err();
    message.event = detect::of_diameter(scene, &parsed, message);
    let canonicalise = snapshot.rules == Rules::Lenient && !parsed.canonical;
    if parsed.dess.is_some() || canonicalise {
        if !diameter::rebuild(&parsed.view, |avp| Some(*avp) == parsed.dess, &[], &mut message.output) {
            return Err(Reason::IntBug.at(0));
        }
        if canonicalise {
            diameter::clear_padding(&mut message.output);
        }
    }
    let Some(claim) = claim else { return Ok(Next::Judge) };
    let signature = claim.signature.octets();
    let tbs = &scene.scratch.tbs;
    scene.crypto.verify(u64::from(id), u32::from(peer_id), claim.key, tbs, signature).map_err(busy)?;
    Ok(Next::Wait)
}

/// The security step up to the signature, in the profile that the group shows.
fn check<'a, 'w: 'a>(
    scene: &mut Scene<'w>,
    parsed: &diameter::Message<'a>,
    dess: &diameter::Avp<'a>,
    peer: &Peer,
    message: &mut Message,
) -> Result<Claim<'a>, Refusal> {
    let group = Group::read(dess)?;
    if group.is_native() {
        sg_dia1::check(scene, parsed, &group, dess.at, peer, message)
    } else {
        sg_dia0::check(scene, parsed, &group, dess.at, peer, message)
    }
}

/// What a message opens, or must find open: a request is known by its link and both of its identifiers.
fn transaction(scene: &Scene<'_>, message: &Message, header: &Header) -> Transaction {
    let way = message.way.unwrap_or(Direction::In);
    if header.is_request() {
        let begun = Some(if way == Direction::In { Begun::ByThem } else { Begun::ByUs });
        let key = request_key(scene, message.link, way, header);
        return Transaction::Opens { key, about: Some(0), begun, counterpart: None };
    }
    let key = request_key(scene, message.link, way.opposite(), header);
    let limits = &scene.snapshot.defaults.transactions;
    let grace = scene.started_ms.saturating_add(u64::from(limits.grace_s) * 1000);
    // An error may be an agent's, which answers for whom it could not reach (RFC 6733 §7.2).
    let anybody = header.flags.has(Flags::ERROR);
    let unknown_until_ms = limits.check.then_some(grace);
    Transaction::Answers { key, ends: true, abort: false, anybody, unknown_until_ms, counterpart: None }
}

/// The key of a request that came by this link, this way.
fn request_key(scene: &Scene<'_>, link: LinkId, way: Direction, header: &Header) -> u64 {
    scene.shared.request_key(link, way, header.hop_by_hop, header.end_to_end)
}

/// The cheap look before any signature: an answer needs its request. The verdict looks again.
fn open(scene: &Scene<'_>, message: &Message) -> Result<(), Refusal> {
    let Transaction::Answers { key, anybody, unknown_until_ms: Some(grace), .. } = message.transaction else {
        return Ok(());
    };
    match scene.shared.dialogues.lookup(key, scene.now_ms) {
        Some(asked) if anybody || asked == message.peer || asked == ANY_PEER => Ok(()),
        Some(_) => Err(Reason::DetResponseSpoof.at(0)),
        None if scene.now_ms < grace => Ok(()),
        None => Err(Reason::DiaState.at(12)),
    }
}
