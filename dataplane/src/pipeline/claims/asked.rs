//! What a TCAP message asks, as operator rules see it: each invoked operation by itself.

use sealgate_config::model::{Category, Protocol};
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;
use sealgate_wire::ber::Rules as Coding;
use sealgate_wire::tcap::{self, ComponentKind};
use sealgate_wire::{cap, map};

use super::ruling::{Rulings, facts};
use super::{Carrier, Scene};
use crate::pipeline::slots::Message;
use crate::policy::Snapshot;
use crate::policy::rules::Facts;
use crate::state::Direction;

/// The rules for one message, and what all of its parts have in common.
pub(super) struct Asked<'s> {
    snapshot: &'s Snapshot,
    rulings: Rulings<'s>,
    facts: Facts<'s>,
    is_map: bool,
}

impl<'s> Asked<'s> {
    /// `None` where no rule has anything to say.
    ///
    /// * `is_map`: as the called subsystem says, unless a context says more
    #[inline(always)]
    pub(super) fn of(
        scene: &Scene<'s>,
        carrier: &Carrier<'_>,
        parsed: &'s tcap::Message<'_>,
        is_map: bool,
        message: &mut Message,
    ) -> Option<Self> {
        let way = message.way.unwrap_or(Direction::In);
        let idle = |protocol| scene.snapshot.ruleset.is_idle(protocol, way);
        if idle(Protocol::Map) && idle(Protocol::Cap) {
            return None;
        }
        Self::with_rules(scene, carrier, parsed, is_map, way, message)
    }

    #[inline(never)]
    fn with_rules(
        scene: &Scene<'s>,
        carrier: &Carrier<'_>,
        parsed: &'s tcap::Message<'_>,
        is_map: bool,
        way: Direction,
        message: &mut Message,
    ) -> Option<Self> {
        let ac = parsed.application_context().ok().flatten().map_or(&[][..], |oid| oid.0);
        let is_map = is_map && cap::context(ac).is_none();
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
    pub(super) fn part(&self, component: &tcap::Component<'_>, imsi: Option<Digits>, message: &mut Message) {
        let imsi = imsi.or_else(|| if self.is_map { None } else { self.subscriber(component) });
        self.rulings.part(&self.about(component, imsi), component.parameter_offset, message);
    }

    /// The same of a message that invokes nothing.
    pub(super) fn whole(&self, message: &mut Message) {
        self.rulings.answer(&self.facts, 0, message);
    }

    /// Whether the rule for an operation switches the check off that it would be refused by.
    #[cold]
    pub(super) fn excuses(&self, reason: Reason, component: &tcap::Component<'_>) -> bool {
        self.rulings.excuses(reason, &self.about(component, self.subscriber(component)))
    }

    /// The same, where there may be no rules; noted for the verdict.
    #[cold]
    pub(super) fn excuse(
        asked: &Option<Self>,
        message: &mut Message,
        reason: Reason,
        component: &tcap::Component<'_>,
    ) -> bool {
        let excused = asked.as_ref().is_some_and(|asked| asked.excuses(reason, component));
        message.excused |= excused;
        excused
    }

    fn about(&self, component: &tcap::Component<'_>, imsi: Option<Digits>) -> Facts<'s> {
        let op = component.local();
        let snapshot = self.snapshot;
        let categories = if self.is_map { &snapshot.categories } else { &snapshot.cap_categories };
        let category = op.map_or(Category::None, |op| categories.category(op));
        Facts { code: op.and_then(|op| u32::try_from(op).ok()), imsi, category, ..self.facts }
    }

    /// The subscriber of an argument, if it can be read.
    pub(super) fn subscriber(&self, component: &tcap::Component<'_>) -> Option<Digits> {
        let (op, parameter) = (component.local()?, component.parameter);
        if self.is_map {
            map::identities(op, ComponentKind::Invoke, 0, parameter, Coding::Lenient).ok()?.imsi
        } else {
            cap::identities(op, ComponentKind::Invoke, parameter, Coding::Lenient).ok()?.imsi
        }
    }
}
