//! What a Diameter message asks, as operator rules see it: its command, of each subscriber that it names.

use sealgate_config::model::{Category, Protocol};
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;
use sealgate_wire::diameter::{self, identities};

use crate::pipeline::claims::Scene;
use crate::pipeline::claims::ruling::{Rulings, facts};
use crate::pipeline::slots::Message;
use crate::policy::rules::Facts;
use crate::state::Direction;

/// Where a message says its command (RFC 6733 §3).
const COMMAND: usize = 5;

/// The rules for one message.
pub(super) struct Asked<'s> {
    rulings: Rulings<'s>,
    facts: Facts<'s>,
    /// Subscribers that it names; the first ones, and whether there are more.
    named: diameter::Identities,
}

impl<'s> Asked<'s> {
    /// `None` where no rule has anything to say.
    #[inline]
    pub(super) fn of(scene: &Scene<'s>, parsed: &diameter::Message<'s>, message: &mut Message) -> Option<Self> {
        let way = message.way.unwrap_or(Direction::In);
        let rulings = Rulings::of(scene.snapshot, Protocol::Diameter, way)?;
        let command = parsed.header.command;
        let category = scene.snapshot.commands.category(parsed.header.application, command).unwrap_or(Category::None);
        if scene.snapshot.ruleset.meter_callers() {
            // Who speaks is a host here, which has no digits.
            let host = parsed.origin_host.unwrap_or_default();
            message.caller = scene.shared.key.hash(&[host]) | 1;
        }
        let realm = parsed.origin_realm.unwrap_or_default();
        let facts = Facts { code: Some(command), realm, category, ..facts(scene, message, None) };
        Some(Self { rulings, facts, named: identities(parsed) })
    }

    /// Takes note of what the rules say of a request: of several subscribers, the worst.
    pub(super) fn request(&self, message: &mut Message) {
        self.subscribers(|facts| {
            self.rulings.part(&facts, COMMAND, message);
            true
        });
    }

    /// The same of an answer, which has no command to be asked about: that was in the request.
    pub(super) fn answer(&self, message: &mut Message) {
        self.rulings.answer(&Facts { code: None, category: Category::None, ..self.facts }, COMMAND, message);
    }

    /// Whether the rule switches the check off that the message would be refused by, for each subscriber.
    #[cold]
    pub(super) fn excuses(&self, reason: Reason) -> bool {
        self.subscribers(|facts| self.rulings.excuses(reason, &facts))
    }

    /// Whether `each` holds of all subscribers, or of a message that names none.
    fn subscribers(&self, mut each: impl FnMut(Facts<'s>) -> bool) -> bool {
        let about = |imsi: Option<Digits>| Facts { imsi, ..self.facts };
        // Who is beyond the first ones is nobody that a rule could name.
        if (self.named.imsi.is_empty() || self.named.more) && !each(about(None)) {
            return false;
        }
        self.named.imsi.iter().all(|imsi| each(about(Some(*imsi))))
    }
}
