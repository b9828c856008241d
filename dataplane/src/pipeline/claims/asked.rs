//! What a TCAP message asks, as operator rules see it: each invoked operation by itself.

use sealgate_config::model::{Category, Protocol};
use sealgate_wire::addr::Digits;
use sealgate_wire::ber::Rules as Coding;
use sealgate_wire::tcap::{self, ComponentKind};
use sealgate_wire::{Reason, Refusal};
use sealgate_wire::{cap, map};

use super::ruling::{Rulings, facts};
use super::screen::User;
use super::{Carrier, Scene};
use crate::pipeline::slots::Message;
use crate::policy::rules::Facts;
use crate::policy::{Snapshot, tables};
use crate::state::Direction;

/// The rules for one message, and what is asked of them.
#[derive(Clone)]
pub(super) struct Asked<'s> {
    snapshot: &'s Snapshot,
    rulings: Rulings<'s>,
    facts: Facts<'s>,
    is_map: bool,
}

impl<'s> Asked<'s> {
    /// `None` where no rule has anything to say.
    ///
    /// * `is_map`: as the called subsystem says, unless a context says more; `known`: that of the context, where it is known
    #[inline(always)]
    pub(super) fn of(
        scene: &Scene<'s>,
        carrier: &Carrier<'_>,
        parsed: &'s tcap::Message<'_>,
        is_map: bool,
        known: Option<tables::Protocol>,
        message: &mut Message,
    ) -> Option<Self> {
        let way = message.way.unwrap_or(Direction::In);
        let idle = |protocol| scene.snapshot.ruleset.is_idle(protocol, way);
        if idle(Protocol::Map) && idle(Protocol::Cap) {
            return None;
        }
        Self::with_rules(scene, carrier, parsed, (is_map, known), way, message)
    }

    #[inline(never)]
    fn with_rules(
        scene: &Scene<'s>,
        carrier: &Carrier<'_>,
        parsed: &'s tcap::Message<'_>,
        (is_map, known): (bool, Option<tables::Protocol>),
        way: Direction,
        message: &mut Message,
    ) -> Option<Self> {
        let ac = parsed.application_context().ok().flatten().map_or(&[][..], |oid| oid.0);
        let is_map = known.map_or_else(|| is_map && cap::context(ac).is_none(), |known| known == tables::Protocol::Map);
        let protocol = if is_map { Protocol::Map } else { Protocol::Cap };
        let rulings = Rulings::of(scene.snapshot, protocol, way)?;
        let facts = Facts {
            ac,
            called: Some(carrier.called.0.digits),
            opc: carrier.opc.map(|code| code.0),
            ..facts(scene, message, Some(carrier.calling.0.digits))
        };
        Some(Self { snapshot: scene.snapshot, rulings, facts, is_map })
    }

    /// Takes note of what the rules say of an invoked operation.
    pub(super) fn part(&mut self, component: &tcap::Component<'_>, imsi: Option<Digits>, message: &mut Message) {
        self.turn_to(component, imsi);
        self.rulings.part(&self.facts, component.parameter_offset, message);
    }

    /// The same of a message that invokes nothing.
    pub(super) fn whole(&self, message: &mut Message) {
        self.rulings.answer(&self.facts, 0, message);
    }

    /// Whether the rule for an operation switches the check off that it would be refused by.
    #[cold]
    pub(super) fn excuses(&self, reason: Reason, component: &tcap::Component<'_>) -> bool {
        let mut about = self.clone();
        about.turn_to(component, self.subscriber(component));
        self.rulings.excuses(reason, &about.facts)
    }

    /// Refuses a message for an operation, unless the rule for it switches that check off; noted for the verdict.
    ///
    /// # Errors
    /// The reason, at the operation.
    #[cold]
    pub(super) fn refuse(
        asked: &Option<Self>,
        message: &mut Message,
        reason: Reason,
        component: &tcap::Component<'_>,
    ) -> Result<(), Refusal> {
        if !asked.as_ref().is_some_and(|asked| asked.excuses(reason, component)) {
            return Err(reason.at(component.parameter_offset));
        }
        message.excused = true;
        Ok(())
    }

    /// Takes note of what the rules say of each operation, or of a message that invokes none.
    pub(super) fn all(&mut self, user: User<'_, '_>, message: &mut Message) {
        let part = |component: &tcap::Component<'_>| {
            self.part(component, self.subscriber(component), message);
            Ok(())
        };
        if user.each_invoke(part).is_ok() && !user.asks() {
            self.whole(message);
        }
    }

    /// Turns to one of several operations. In its place: there is much else that is asked of each of them.
    fn turn_to(&mut self, component: &tcap::Component<'_>, imsi: Option<Digits>) {
        let op = component.local();
        let snapshot = self.snapshot;
        let categories = if self.is_map { &snapshot.categories } else { &snapshot.cap_categories };
        self.facts.category = op.map_or(Category::None, |op| categories.category(op));
        self.facts.code = op.and_then(|op| u32::try_from(op).ok());
        self.facts.imsi = imsi;
    }

    /// The subscriber of an argument, if it can be read, and if there is a rule for that.
    pub(super) fn subscriber(&self, component: &tcap::Component<'_>) -> Option<Digits> {
        if !self.rulings.name_subscribers() {
            return None;
        }
        let (op, parameter) = (component.local()?, component.parameter);
        if self.is_map {
            map::identities(op, ComponentKind::Invoke, 0, parameter, Coding::Lenient).ok()?.imsi
        } else {
            cap::identities(op, ComponentKind::Invoke, parameter, Coding::Lenient).ok()?.imsi
        }
    }
}
