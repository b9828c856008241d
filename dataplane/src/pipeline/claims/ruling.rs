//! What operator rules say of a message, part by part: noted with the claims, carried out with the verdict.

use sealgate_config::model::Protocol;
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;

use super::Scene;
use crate::pipeline::slots::Message;
use crate::policy::Snapshot;
use crate::policy::rules::{Facts, Rules, check_of};
use crate::state::Direction;

/// The rules for one message.
#[derive(Clone)]
pub(super) struct Rulings<'s> {
    rules: &'s Rules,
    protocol: Protocol,
    way: Direction,
}

impl<'s> Rulings<'s> {
    /// `None` where there is nothing to ask.
    #[inline]
    pub(super) fn of(snapshot: &'s Snapshot, protocol: Protocol, way: Direction) -> Option<Self> {
        let rules = &*snapshot.ruleset;
        (!rules.is_idle(protocol, way)).then_some(Self { rules, protocol, way })
    }

    /// Whether a rule asks for subscribers.
    #[inline]
    pub(super) fn name_subscribers(&self) -> bool {
        self.rules.name_subscribers(self.protocol, self.way)
    }

    /// Takes note of what becomes of the message for the sake of one of its parts, which begins at an octet.
    pub(super) fn part(&self, facts: &Facts<'_>, at: usize, message: &mut Message) {
        message.unmatched |= !self.answer(facts, at, message);
    }

    /// The same of what asks for nothing: answers, and what ends a dialogue. A policy that wants a rule for every message wants
    /// one for what was asked. Returns whether there is a rule.
    pub(super) fn answer(&self, facts: &Facts<'_>, at: usize, message: &mut Message) -> bool {
        let Some(mut ruling) = self.rules.first(self.protocol, self.way, facts) else { return false };
        ruling.at = at as u32;
        message.ruling = Some(message.ruling.map_or(ruling, |before| before.stricter(ruling)));
        true
    }

    /// Whether the rule for a part switches the check off that the reason is of.
    #[cold]
    pub(super) fn excuses(&self, reason: Reason, facts: &Facts<'_>) -> bool {
        check_of(reason).is_some()
            && self.rules.overrides(self.protocol, self.way)
            && self.rules.first(self.protocol, self.way, facts).is_some_and(|ruling| ruling.overrides.has(reason))
    }
}

/// What all parts of a message have in common, as rules see it. In its place: to write it down and then copy it takes longer.
#[inline(always)]
pub(super) fn facts<'m>(scene: &Scene<'_>, message: &mut Message, calling: Option<Digits>) -> Facts<'m> {
    if let Some(calling) = calling.filter(|_| scene.snapshot.ruleset.meter_callers()) {
        message.caller = scene.shared.key.hash(&[&calling.packed(), &[calling.len() as u8]]) | 1;
    }
    let signer = message.signer.and_then(|id| scene.snapshot.signers.get(id as usize));
    Facts {
        peer: message.peer,
        calling,
        signature: message.state,
        signer: signer.map(|signer| (signer.trust.certificate.sai, signer.trust.certificate.role)),
        minute: (scene.now_ms / 60_000 % 1440) as u16,
        ..Facts::default()
    }
}
