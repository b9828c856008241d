//! A message from interconnect: screening of its layers in the order of formats 2, then its security step.

use sealgate_config::model::{LinkKind, Mode, Protocol};
use sealgate_crypto::keyring::KeyHandle;
use sealgate_wire::addr::{PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::sccp::{Kind, Unitdata};
use sealgate_wire::{Reason, Refusal, sccp, tcap};

use super::sccp::Shape;
use super::{
    Carrier, Found, Next, SI_ISUP, SI_SCCP, Scene, busy, isup, native_opcode, reassemble, screen, sg_tcap0, sg_tcap1,
};
use crate::pipeline::Part;
use crate::pipeline::carrier::{self, Opened};
use crate::pipeline::detect;
use crate::pipeline::slots::{Message, MessageId, SignatureState, Transaction};
use crate::policy::decide;
use crate::state::Direction;

/// Below this many octets of TCAP a SigFW sender uses UDT (formats 5).
const SIGFW_UDT: usize = 240;

/// Judges all of a message but its signature and its transaction.
///
/// * `user`: one message of M3UA, M2PA or SUA
///
/// # Errors
/// The first reason of formats 2, steps 5 to 9.
pub(crate) fn inbound(
    scene: &mut Scene<'_>,
    user: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    if message.kind == LinkKind::Sua {
        return users(scene, user, message, id);
    }
    let Some(mtp3) = carrier::open_mtp3(message.kind, user)? else { return Ok(Next::Pass(Reason::OkNotSubject)) };
    let link = scene.snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
    let link = &link.config;
    mtp3.screen(link)?;
    if mtp3.si == SI_ISUP {
        return isup::inbound(scene, user, (mtp3.user, mtp3.opc), &link.isup, message, id);
    }
    if mtp3.si != SI_SCCP {
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    let unitdata = Unitdata::parse(mtp3.user)?;
    let called = sccp::party(unitdata.called)?;
    let calling = sccp::party(unitdata.calling)?;
    sent(scene, user, unitdata, Some(mtp3.opc), called, calling, message, id)
}

/// A message of SUA.
#[inline(never)]
fn users(scene: &mut Scene<'_>, user: &[u8], message: &mut Message, id: MessageId) -> Result<Next, Refusal> {
    let users = match carrier::open(message.kind, user)? {
        Opened::Users(users) => users,
        Opened::Unread(refusal) => return Err(refusal),
        Opened::Neighbours | Opened::Mtp3(_) => return Ok(Next::Pass(Reason::OkNotSubject)),
    };
    let link = scene.snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
    users.screen(&link.config)?;
    sent(scene, user, users.unitdata, users.opc, users.called?, users.calling?, message, id)
}

/// What one user of SCCP sends another.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one message, taken apart")]
fn sent(
    scene: &mut Scene<'_>,
    user: &[u8],
    unitdata: Unitdata<'_>,
    opc: Option<PointCode>,
    (called_title, called_ssn): carrier::Party,
    (calling_title, calling_ssn): carrier::Party,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let (called_ssn, calling_ssn) = (called_ssn.unwrap_or(Ssn(0)), calling_ssn.unwrap_or(Ssn(0)));
    if unitdata.kind.is_service() {
        let parties =
            called_title.map(|title| (title, called_ssn)).zip(calling_title.map(|title| (title, calling_ssn)));
        return super::service::inbound(scene, user, unitdata, parties, message, id);
    }
    let calling_title = calling_title.ok_or(Reason::SccpCgpaMissing.at(0))?;
    if scene.snapshot.is_home(&calling_title) {
        return Err(Reason::SccpCgpaOwn.at(0));
    }
    let called_title =
        called_title.filter(|title| scene.snapshot.is_home(title)).ok_or(Reason::SccpCdpaForeign.at(0))?;
    if !scene.snapshot.ssns[usize::from(called_ssn.0)] || !scene.snapshot.ssns[usize::from(calling_ssn.0)] {
        return Err(Reason::SccpSsn.at(0));
    }
    // Whose rules they are stands in memory that was not used for long; taking TCAP apart takes as long as that takes to come.
    scene.snapshot.ruleset.expect(Protocol::Map, Direction::In, &calling_title.digits);
    let mut carrier = Carrier {
        kind: message.kind,
        user,
        unitdata,
        segmented: false,
        opc,
        called: (called_title, called_ssn),
        calling: (calling_title, calling_ssn),
    };
    let Some(segmentation) = unitdata.segmentation else {
        return tcap(scene, &carrier, unitdata.data, message, id);
    };
    // Who is nobody's gets no memory for the parts of a message that would be refused for it.
    message.peer = scene.snapshot.peer(&calling_title).ok_or(Reason::PolPeerUnknown.at(0))?;
    let Some(whole) = reassemble(scene, message.link, Direction::In, &unitdata, segmentation)? else {
        return Ok(Next::Held);
    };
    carrier.segmented = true;
    let next = tcap(scene, &carrier, &whole, message, id);
    scene.scratch.whole = whole;
    next
}

/// One whole TCAP message: its structure, its peer, its security step, and what leaves if all holds.
fn tcap(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    octets: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let snapshot = scene.snapshot;
    let mut room = tcap::Room::new();
    let parsed = scene.scratch.messages.read(&mut room, octets, snapshot.rules)?;
    let peer_id = snapshot.peer(&carrier.calling.0).ok_or(Reason::PolPeerUnknown.at(0))?;
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    if !peer.links.is_empty() && !peer.links.contains(&message.link) {
        return Err(Reason::PolPeerUnknown.at(0));
    }
    let opcode = native_opcode(snapshot, peer, carrier.called.1, carrier.calling.1);
    let found = Found::within(parsed, opcode);
    let mut claim = None;
    message.state = if found.count == 0 {
        decide::unsigned(peer, parsed.kind).map_err(|reason| reason.at(0))?
    } else if peer.mode == Mode::Ignore {
        SignatureState::Unchecked
    } else {
        let checked = if found.native.is_some() || found.count > 1 {
            sg_tcap1::check(scene, carrier, parsed, found, opcode, peer, message)
        } else {
            sg_tcap0::check(scene, carrier, parsed, found, peer, message)
        };
        match checked {
            Ok(found) => {
                claim = Some(found);
                SignatureState::Claimed
            }
            Err(refusal) => {
                decide::after_failure(peer.mode, refusal.reason).map_err(|reason| reason.at(refusal.at as usize))?
            }
        }
    };
    message.transaction = answered(scene, carrier, parsed);
    let open = match message.transaction {
        Transaction::Answers { key, .. } => Some(key),
        _ => None,
    };
    let user = screen::User { message: parsed, found, opcode, open };
    let began = scene.scratch.timed.begin(Part::Screen);
    message.screened = screen::screen(scene, carrier, user, message).err();
    scene.scratch.timed.end(Part::Screen, began);
    if message.screened.is_some() {
        // Operations before the one that a check speaks against may have had a rule: the verdict is due to none of those.
        (message.ruling, message.unmatched) = (None, false);
    }
    message.event = detect::of_tcap(scene, carrier, parsed, found, opcode);
    if let Err(refusal) = strip(scene, carrier, parsed, found, opcode, peer.ludt, message) {
        // What cannot be carried on is the last thing that is wrong with a message, not the first.
        message.output.clear();
        message.screened.get_or_insert(refusal);
    }
    let Some(claim) = claim else { return Ok(Next::Judge) };
    scene
        .crypto
        .verify(u64::from(id), u32::from(peer_id), claim.key, &scene.scratch.tbs, claim.signature)
        .map_err(busy)?;
    Ok(Next::Wait)
}

/// A signature that everything but itself already speaks for.
pub(super) struct Claim<'a> {
    /// The key it must hold under; what it covers is in `scratch.tbs`.
    pub key: &'a KeyHandle,
    /// Raw signature.
    pub signature: &'a [u8],
}

/// The transaction of ours that the message answers, if it answers one, or begins.
fn answered(scene: &Scene<'_>, carrier: &Carrier<'_>, parsed: &tcap::Message<'_>) -> Transaction {
    let Some(id) = parsed.dtid else {
        return if parsed.kind == tcap::MessageKind::Begin { Transaction::Begins } else { Transaction::None };
    };
    let key = scene.shared.transaction_key(id.as_octets(), &carrier.called.0.digits);
    let abort = parsed.kind == tcap::MessageKind::Abort;
    let limits = &scene.snapshot.defaults.transactions;
    let grace = || scene.started_ms.saturating_add(u64::from(limits.grace_s) * 1000);
    let ends = abort || parsed.kind == tcap::MessageKind::End;
    let (calling, called) = (&carrier.calling.0.digits, &carrier.called.0.digits);
    let counterpart = parsed.otid.map(|id| scene.shared.counterpart_key(id.as_octets(), calling, called));
    let unknown_until_ms = limits.check.then(grace);
    Transaction::Answers { key, ends, abort, anybody: false, unknown_until_ms, counterpart }
}

/// Makes the message that leaves if it passes, where it is not the one that came.
fn strip(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    parsed: &tcap::Message<'_>,
    found: Found,
    opcode: i32,
    ludt: bool,
    message: &mut Message,
) -> Result<(), Refusal> {
    let canonical = scene.snapshot.rules == Rules::Lenient;
    if found.count == 0 && !carrier.segmented && (parsed.canonical || !canonical) {
        return Ok(());
    }
    let scratch = &mut *scene.scratch;
    scratch.tcap.clear();
    tcap::rebuild(parsed, found.native.or(found.sigfw), None, canonical, &mut scratch.tcap);
    for _ in 1..found.count {
        // Only a peer in mode ignore gets here with more than one: take them out one after the other.
        let again = tcap::Message::parse(&scratch.tcap, scene.snapshot.rules)?;
        let place = (0..again.components.len()).find(|&i| found.is(&again, i, opcode));
        scratch.other.clear();
        tcap::rebuild(&again, place, None, canonical, &mut scratch.other);
        std::mem::swap(&mut scratch.tcap, &mut scratch.other);
    }
    let was_udt = found.native.is_some_and(|i| sg_tcap1::was_udt(parsed, i));
    let sigfw = found.native.is_none() && found.sigfw.is_some() && scratch.tcap.len() < SIGFW_UDT;
    let udt = carrier.unitdata.kind == Kind::Udt || was_udt || sigfw;
    let shape = Shape { udt, segmented: carrier.segmented, ludt };
    carrier.put(&scratch.tcap, shape, &mut scratch.sccp, &mut message.output)
}
