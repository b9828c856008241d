//! The policy's word carried out: what its built-in checks and the operator's rules make of a message whose security step held.

use sealgate_config::model::{Action, Over, Per, Rate, Screening, Unmatched};
use sealgate_wire::{Reason, Refusal};

use super::claims::Scene;
use super::slots::{Answer, Message};
use crate::policy::Snapshot;
use crate::policy::rules::Ruling;
use crate::state::buckets::Pace;

/// Refuses a message for what it asks, or takes note that it would be refused, as its peer is screened (formats 13.3).
///
/// # Errors
/// The refusal.
pub(super) fn refuse(scene: &mut Scene<'_>, message: &mut Message, refusal: Refusal) -> Result<(), (Reason, u32)> {
    let peer = scene.snapshot.peers.get(usize::from(message.peer));
    let screening = peer.map_or(Screening::Active, |peer| peer.screening);
    if screening == Screening::Active || !refusal.reason.is_policy() {
        return Err((refusal.reason, refusal.at));
    }
    // What it would be refused for first.
    if message.would.is_none() {
        message.would = Some(refusal);
    }
    Ok(())
}

/// Does what the rules say.
///
/// # Errors
/// [`Reason::PolRule`], [`Reason::PolRate`], or [`Reason::PolDefaultDeny`].
#[inline(always)]
pub(super) fn apply(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    if message.ruling.is_none() && !message.unmatched {
        return Ok(());
    }
    carry_out(scene, message)
}

#[inline(never)]
fn carry_out(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    let ruleset = &scene.snapshot.ruleset;
    let Some(ruling) = message.ruling else { return default(scene, message) };
    let reason = match ruling.action {
        Action::Drop | Action::Reject => Some(Reason::PolRule),
        Action::RateLimit(rate) if !within(scene, message, &ruling, rate) => match rate.over {
            Over::Drop | Over::Reject => Some(Reason::PolRate),
            Over::Alert => {
                scene.stats.event(Reason::PolRate);
                message.ruling = Some(ruling.told());
                None
            }
        },
        Action::Alert => {
            scene.stats.event(Reason::PolRule);
            None
        }
        Action::Allow | Action::RateLimit(_) | Action::Mark => None,
    };
    ruleset.count(&ruling, reason.is_some(), usize::from(scene.signer.node));
    match reason {
        Some(reason) => refuse(scene, message, reason.at(ruling.at as usize)),
        None => default(scene, message),
    }
}

/// What becomes of a message with a part that no rule matches.
fn default(scene: &mut Scene<'_>, message: &mut Message) -> Result<(), (Reason, u32)> {
    if message.unmatched && scene.snapshot.ruleset.unmatched != Unmatched::Allow {
        return refuse(scene, message, Reason::PolDefaultDeny.at(0));
    }
    Ok(())
}

/// Whether there is a token left. Of a peer that is only looked at, tokens are taken all the same, or nothing could be learned.
fn within(scene: &Scene<'_>, message: &Message, ruling: &Ruling, rate: Rate) -> bool {
    let whose = match rate.per {
        Per::Rule => 0,
        Per::Peer => u64::from(message.peer) + 1,
        Per::CallingGt => message.caller,
    };
    let key = scene.shared.key.hash(&[&ruling.tag.to_be_bytes(), &whose.to_be_bytes()]);
    let pace = Pace { per_second: rate.per_second, burst: rate.burst };
    scene.shared.buckets.take(key, pace, scene.now_ms)
}

/// Whether the sender of a message that is refused for this is told: a rule says so for what it refuses.
pub(super) fn answer(snapshot: &Snapshot, message: &Message, reason: Reason) -> Answer {
    let given = |given: bool| if given { Answer::Given } else { Answer::Withheld };
    match (reason, message.ruling.map(|ruling| ruling.action)) {
        (Reason::PolRule, Some(action)) => given(action == Action::Reject),
        (Reason::PolRate, Some(Action::RateLimit(rate))) => given(rate.over == Over::Reject),
        (Reason::PolDefaultDeny, _) => given(snapshot.ruleset.unmatched == Unmatched::Reject),
        _ => Answer::AsLink,
    }
}

/// The rule to which a verdict is due, see [`crate::policy::rules::tag_of`]; 0: none. What was refused before rules were asked is due
/// to none.
pub(super) fn decided(message: &Message, reason: Reason, leaves: bool) -> u64 {
    let counts = leaves || matches!(reason, Reason::PolRule | Reason::PolRate);
    message.ruling.filter(|_| counts).map_or(0, |ruling| ruling.tag)
}
