//! Verdicts: what was proven meets what policy wants, and the message's chunks learn what becomes of them.

use sealgate_config::model::{self as config, LinkKind, Screening};
use sealgate_crypto::pool::Outcome;
use sealgate_wire::Reason;
use sealgate_wire::sec::passport::base64url;

use super::association::Associations;
use super::carrier;
use super::claims::Scene;
use super::slots::{Action, FrameSlot, Message, MessageId, Once, Record, SignatureState, Slab, Transaction};
use super::tap::{Ear, Looked};
use super::{Part, detect, ruled};
use crate::io::Frame;
use crate::policy::decide;
use crate::state::Direction;
use crate::state::dialogues::{Begun, Opening};
use crate::state::retransmit;

/// Takes in what the crypto pool says of one job: a proof, a signature, or the reason why neither came.
///
/// Answers for a ticket that nobody waits for are dropped.
pub(super) fn answered(
    messages: &mut Slab<Box<Message>>,
    outcome: Outcome<'_>,
    ready: &mut Vec<(MessageId, Result<(), Reason>)>,
) {
    let Ok(id) = MessageId::try_from(outcome.ticket()) else { return };
    let Some(message) = messages.get_mut(id) else { return };
    let result = match outcome {
        Outcome::Verified(proof) => {
            message.proof = Some(proof);
            Ok(())
        }
        Outcome::Refused { .. } if message.returned => Err(Reason::SccpServiceUnsolicited),
        Outcome::Refused { .. } if message.kind == LinkKind::Sip => Err(Reason::StirSig),
        Outcome::Refused { .. } => Err(Reason::SecSigInvalid),
        Outcome::Signed { signature, .. } => seal(message, signature),
        Outcome::Stale { .. } => Err(Reason::ResCryptoKey),
        Outcome::Failed { .. } if message.way == Some(Direction::Out) => Err(Reason::ResSignFailed),
        Outcome::Failed { .. } => Err(Reason::ResCryptoThread),
    };
    // The slot must stay its own until the last answer: the next message in it would be taken for this one.
    let result = message.failed.map_or(result, Err);
    if message.further > 0 {
        message.further -= 1;
        message.failed = result.err();
        return;
    }
    ready.push((id, result));
}

/// Puts our signature into its place.
fn seal(message: &mut Message, signature: &[u8]) -> Result<(), Reason> {
    let (from, to) = message.signature.ok_or(Reason::IntBug)?;
    let place = message.output.get_mut(from..to).ok_or(Reason::IntBug)?;
    if message.kind == LinkKind::Sip {
        // In a header it is text.
        return if base64url::encode_into(signature, place) { Ok(()) } else { Err(Reason::ResSignFailed) };
    }
    if place.len() != signature.len() {
        return Err(Reason::ResSignFailed);
    }
    place.copy_from_slice(signature);
    Ok(())
}

/// The verdict of one message: the reason under which it passes, or why it does not.
pub(super) fn judge(
    scene: &mut Scene<'_>,
    message: &mut Message,
    so_far: Result<(), Reason>,
) -> Result<Reason, (Reason, u32)> {
    match message.way {
        Some(Direction::In) => judge_inbound(scene, message, so_far),
        Some(Direction::Out) => judge_outbound(scene, message, so_far),
        None => Err((Reason::IntBug, 0)),
    }
}

fn judge_inbound(
    scene: &mut Scene<'_>,
    message: &mut Message,
    so_far: Result<(), Reason>,
) -> Result<Reason, (Reason, u32)> {
    let here = |reason: Reason| (reason, 0);
    so_far.map_err(here)?;
    if message.state == SignatureState::Claimed {
        // V18: marked only now that the signature held, in one step; whoever comes second is a replay.
        match (message.proof.is_some(), message.once) {
            (false, _) => return Err(here(Reason::IntBug)),
            (true, Once::Nothing) => {}
            (true, Once::Sequence { sai, node, seq }) => {
                scene.shared.replay.mark(sai, node, seq, scene.now_ms).map_err(here)?;
            }
            (true, Once::Digest(digest)) => scene.shared.digests.insert_new(&digest, scene.now_ms).map_err(here)?,
            (true, Once::Call { input, call }) => {
                let digests = &scene.shared.digests;
                let again = digests.insert_new(&input, scene.now_ms).is_err();
                if again && digests.check(&call, scene.now_ms).is_ok() {
                    return Err(here(Reason::StirReplay));
                }
                let _ = digests.insert_new(&call, scene.now_ms); // known: the same transaction comes again
            }
            (true, Once::DigestAgain(digest)) => match scene.shared.digests.insert_new(&digest, scene.now_ms) {
                Ok(()) | Err(Reason::SecReplay) => {}
                Err(reason) => return Err(here(reason)),
            },
        }
    }
    if let Transaction::Answers { key, ends, abort, anybody, unknown_until_ms, counterpart } = message.transaction {
        if let Some(grace) = unknown_until_ms {
            match scene.shared.dialogues.lookup(key, scene.now_ms) {
                Some(asked) if anybody || asked == message.peer || asked == super::worker::ANY_PEER => {}
                Some(_) => return Err(here(Reason::DetResponseSpoof)),
                // After a start the transactions of before are not known: give them time to end.
                None if scene.now_ms < grace => {}
                None if message.kind == LinkKind::Diameter => return Err((Reason::DiaState, 12)),
                None => return Err(here(Reason::TcapState)),
            }
        }
        if abort
            && message.state == SignatureState::Absent
            && !scene.shared.allow(message.peer, scene.snapshot.defaults.abort_per_peer, scene.now_ms)
        {
            return Err(here(Reason::PolRate));
        }
        screened(scene, message)?;
        if ends {
            scene.shared.dialogues.close(key);
        } else if let Some(counterpart) = counterpart {
            scene.shared.dialogues.joined(key, counterpart, scene.now_ms);
        }
    } else {
        screened(scene, message)?;
    }
    let grant = decide::grant(message.state, message.proof.take()).map_err(here)?;
    opened(scene, message)?;
    detect::remember(scene, message);
    Ok(match message.ruling.map(|ruling| ruling.action) {
        Some(config::Action::Mark) => Reason::OkMarked,
        _ if message.excused => Reason::OkAllowList,
        _ => grant.reason(),
    })
}

/// What policy makes of a message whose security step held: its built-in checks first, then what was seen before it, then the
/// operator's rules.
#[inline(always)]
fn screened(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    let began = scene.scratch.timed.begin(Part::Apply);
    let result = looked_at(scene, message);
    scene.scratch.timed.end(Part::Apply, began);
    result
}

#[inline(always)]
fn looked_at(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    if let Some(refusal) = message.screened {
        ruled::refuse(scene, message, refusal)?;
    }
    if let Err(reason) = detect::judge(scene, message) {
        if message.ruling.is_some_and(|ruling| ruling.overrides.has(reason)) {
            message.excused = true;
        } else {
            ruled::refuse(scene, message, reason.at(0))?;
        }
    }
    ruled::apply(scene, message)
}

fn judge_outbound(
    scene: &mut Scene<'_>,
    message: &mut Message,
    so_far: Result<(), Reason>,
) -> Result<Reason, (Reason, u32)> {
    let reason = match so_far {
        Ok(()) if message.signature.is_some() => Reason::OkSignedEgress,
        Ok(()) => Reason::OkUnsignedAllowed,
        Err(reason) if message.unsigned_instead => {
            scene.stats.event(reason);
            message.output.clear();
            Reason::OkUnsignedAllowed
        }
        Err(reason) => return Err((reason, 0)),
    };
    ruled::apply(scene, message)?;
    opened(scene, message)?;
    detect::remember(scene, message);
    Ok(reason)
}

/// Remembers the dialogue that a message opens, or forgets the one that it ends.
///
/// A peer that has as many open as it may gets no further one, neither from its BEGIN, which our side would only answer in vain, nor
/// from that answer. What we begin ourselves counts apart: whoever speaks in a peer's name cannot keep us from speaking to it.
///
/// # Errors
/// [`Reason::ResTableFull`] if there are as many open with this peer as may be.
fn opened(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    let dialogues = &scene.shared.dialogues;
    match message.transaction {
        Transaction::None | Transaction::Answers { .. } => Ok(()),
        Transaction::Begins => {
            let (most, _) = limits(scene, message)?;
            if dialogues.count(message.peer, Begun::ByThem) < most { Ok(()) } else { beyond(scene, message) }
        }
        Transaction::Opens { key, about, begun, counterpart } => {
            let (most, timeout_s) = limits(scene, message)?;
            let opening = Opening { peer: message.peer, about, begun, most, timeout_s };
            if !dialogues.open(key, opening, scene.now_ms) {
                beyond(scene, message)?;
                dialogues.open(key, Opening { most: u32::MAX, ..opening }, scene.now_ms);
            }
            if let Some(counterpart) = counterpart {
                dialogues.joined(key, counterpart, scene.now_ms);
            }
            Ok(())
        }
        Transaction::Ends { counterpart } => {
            dialogues.close_counterpart(counterpart);
            Ok(())
        }
    }
}

/// How many dialogues either side may have begun with this peer, and for how many seconds one is remembered.
fn limits(scene: &Scene<'_>, message: &Message) -> Result<(u32, u32), (Reason, u32)> {
    let peer = scene.snapshot.peers.get(usize::from(message.peer)).ok_or((Reason::IntBug, 0))?;
    // Where nobody asks whether a dialogue is open, nobody is refused for it.
    let most = if scene.snapshot.defaults.transactions.check { peer.transactions.limit } else { u32::MAX };
    Ok((most, peer.transactions.timeout_s))
}

/// One dialogue more than a peer may have open. Where it is only looked at it gets that one: an operator learns from it what it needs.
#[cold]
fn beyond(scene: &Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    scene.shared.dialogues.refuse();
    let peer = scene.snapshot.peers.get(usize::from(message.peer));
    if peer.is_none_or(|peer| peer.screening == Screening::Active) {
        return Err((Reason::ResTableFull, 0));
    }
    message.would.get_or_insert(Reason::ResTableFull.at(0));
    Ok(())
}

/// Everything a settled message touches.
pub(super) struct Ledger<'w, F> {
    pub frames: &'w mut Slab<Box<FrameSlot<F>>>,
    pub associations: &'w mut Associations,
    pub journal: &'w mut Option<Vec<Record>>,
    pub ear: &'w Ear,
    /// A frame made of a message that lies in none, if somebody looks on.
    pub picture: &'w [u8],
}

/// Tells the chunks of a message what becomes of them, remembers it for retransmissions, and counts it.
///
/// * `leaves`: false: the no-op of its protocol takes its place
///
/// Returns whether it leaves.
pub(super) fn settle<F: Frame>(
    ledger: &mut Ledger<'_, F>,
    scene: &mut Scene<'_>,
    message: &mut Message,
    reason: Reason,
    at: u32,
    leaves: bool,
) -> bool {
    let Some(way) = message.way else { return false };
    // Cut into more parts than octets are left of it, a message cannot be laid over them: no chunk may be empty.
    let shredded = leaves && !message.output.is_empty() && message.output.len() < message.parts.len();
    let (reason, leaves) = if shredded { (Reason::SctpReasm, false) } else { (reason, leaves) };
    scene.stats.count(message.peer, way, reason);
    if !leaves {
        message.output.clear();
        if message.parts.len() > 1 {
            carrier::fill(message, ledger.frames);
        }
    }
    let mut last = (message.frame, message.ticket.map(|_| message.seq));
    let mut rest = message.output.as_slice();
    let spread = message.parts.len() > 1 && !message.output.is_empty();
    let mut remaining = message.parts.len();
    // A division, which one whole chunk need not wait for.
    let growth = if spread { message.output.len().saturating_sub(message.len).div_ceil(remaining.max(1)) } else { 0 };
    for part in &message.parts {
        remaining -= 1;
        let Some(slot) = ledger.frames.get_mut(part.frame) else { continue };
        let Some(plan) = slot.plans.get_mut(part.plan) else { continue };
        let octets = if spread {
            // The same chunks, each with what it had and its part of the growth; none is left empty.
            let share = if remaining == 0 {
                rest.len()
            } else {
                (plan.user_len as usize + growth).min(rest.len().saturating_sub(remaining))
            };
            let (mine, others) = rest.split_at_checked(share).unwrap_or((rest, &[]));
            rest = others;
            Some(mine)
        } else if message.output.is_empty() {
            None
        } else {
            Some(message.output.as_slice())
        };
        plan.action = match octets {
            Some(octets) => {
                let from = slot.octets.len();
                slot.octets.extend_from_slice(octets);
                Action::Octets { from: from as u32, to: slot.octets.len() as u32 }
            }
            None if leaves => Action::AsCame,
            None if message.kind.is_datagram() => Action::Drop(reason, ruled::answer(scene.snapshot, message, reason)),
            None => Action::Filler { total: 0 },
        };
        let what = match octets {
            Some(octets) => retransmit::What::Octets(octets),
            None if leaves => retransmit::What::AsCame,
            None => retransmit::What::Filler,
        };
        let (tsn, print) = (plan.tsn, plan.print);
        slot.waiting = slot.waiting.saturating_sub(1);
        if message.kind.is_datagram() {
            last = (slot.number, None); // a datagram has no number, and a copy of it is judged like another
            continue;
        }
        last = (slot.number, Some(tsn));
        if let Some(association) = ledger.associations.get_mut(message.assoc)
            && let Some(flow) = association.flows.get_mut(way as usize)
        {
            let outcome = retransmit::Outcome { verdict: reason, what };
            flow.sent(&scene.snapshot.defaults).remember(tsn, print, outcome, scene.now_ms);
        }
    }
    let (frame, tsn) = last;
    let rule = ruled::decided(message, reason, leaves);
    let would = message.would.filter(|_| leaves).map(|refusal| refusal.reason);
    if let Some(reason) = would {
        scene.stats.count_would(message.peer, way, reason);
    }
    let (way, link, peer) = (Some(way), Some(message.link), message.peer);
    let logged = rule != 0 && message.ruling.is_some_and(|ruling| ruling.log);
    let record = Record { frame, way, link, peer, tsn, reason, at, rule, would, logged };
    let seen = Looked { frames: ledger.frames, message, picture: ledger.picture };
    ledger.ear.message(&scene.shared.tap, scene.now_ms, record, seen);
    if let Some(journal) = ledger.journal {
        journal.push(record);
    }
    leaves
}
