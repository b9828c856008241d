//! Which verdicts a trace wants, and what a message says of itself.

use sealgate_config::model::LinkKind;
use sealgate_wire::addr::{Digits, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::reason::{ALL, COUNT};
use sealgate_wire::sccp::{self, Unitdata};
use sealgate_wire::{Reason, Refusal, tcap};

use super::is_refusal;
use crate::pipeline::carrier::{self, Opened};
use crate::pipeline::slots::Record;
use crate::policy::snapshot::{LinkId, PeerId};
use crate::state::Direction;

const WORDS: usize = COUNT.div_ceil(64);

/// Some of all reasons.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReasonSet([u64; WORDS]);

impl ReasonSet {
    /// These.
    pub fn of(reasons: impl IntoIterator<Item = Reason>) -> Self {
        let mut set = Self::default();
        for reason in reasons {
            if let Some(word) = set.0.get_mut(reason.index() / 64) {
                *word |= 1 << (reason.index() % 64);
            }
        }
        set
    }

    /// All under which something is refused.
    pub fn refusals() -> Self {
        Self::of(ALL.iter().copied().filter(|reason| is_refusal(*reason)))
    }

    /// Whether this one is among them.
    pub fn has(&self, reason: Reason) -> bool {
        self.0.get(reason.index() / 64).is_some_and(|word| word >> (reason.index() % 64) & 1 == 1)
    }
}

/// Which verdicts are wanted: those for which all that is given holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Who the message claims to be from, or whom it is for.
    pub peer: Option<PeerId>,
    /// Which way it goes.
    pub way: Option<Direction>,
    /// Its link.
    pub link: Option<LinkId>,
    /// Its verdict's reason is one of these.
    pub reasons: Option<ReasonSet>,
    /// The calling Global Title begins with this.
    pub calling: Option<Digits>,
    /// The called Global Title begins with this.
    pub called: Option<Digits>,
    /// One of its operations has this local code.
    pub operation: Option<i32>,
    /// This operator rule decided it, see [`crate::policy::rules::tag_of`].
    pub rule: Option<u64>,
}

impl Filter {
    /// Whether a message with this verdict may match, whatever it says.
    pub(super) fn may_match(&self, record: &Record) -> bool {
        self.peer.is_none_or(|peer| record.peer == peer && record.tsn.is_some())
            && self.way.is_none_or(|way| record.way == Some(way))
            && self.link.is_none_or(|link| record.link == Some(link))
            && self.rule.is_none_or(|rule| record.rule == rule)
            && self.reasons.is_none_or(|reasons| reasons.has(record.reason))
    }

    /// Whether what it says matches.
    pub(super) fn matches(&self, spoken: &Spoken) -> bool {
        let begins = |prefix: Option<Digits>, title: &Option<(Digits, Ssn)>| {
            prefix.is_none_or(|prefix| title.is_some_and(|(digits, _)| digits.starts_with(&prefix)))
        };
        begins(self.calling, &spoken.calling)
            && begins(self.called, &spoken.called)
            && self.operation.is_none_or(|code| spoken.operations().contains(&code))
    }
}

/// Operations of a message that are told of.
const OPERATIONS: usize = 4;

/// What a message says of itself, as far as it can be read; nothing in here was checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spoken {
    /// Calling Global Title and subsystem.
    pub calling: Option<(Digits, Ssn)>,
    /// Called Global Title and subsystem.
    pub called: Option<(Digits, Ssn)>,
    /// Type of the TCAP message.
    pub kind: Option<tcap::MessageKind>,
    operations: [i32; OPERATIONS],
    count: u8,
}

impl Spoken {
    /// Reads a message of M3UA, M2PA or SUA as far as it goes.
    pub fn read(kind: LinkKind, user: &[u8]) -> Self {
        let mut spoken = Self::default();
        let party = |party: Result<carrier::Party, Refusal>| {
            let (title, ssn) = party.ok()?;
            Some((title?.digits, ssn.unwrap_or(Ssn(0))))
        };
        let data = match carrier::open(kind, user) {
            Ok(Opened::Mtp3(mtp3)) => {
                let Ok(unitdata) = Unitdata::parse(mtp3.user) else { return spoken };
                spoken.calling = party(sccp::party(unitdata.calling));
                spoken.called = party(sccp::party(unitdata.called));
                unitdata.data
            }
            Ok(Opened::Users(users)) => {
                (spoken.calling, spoken.called) = (party(users.calling), party(users.called));
                users.unitdata.data
            }
            _ => return spoken,
        };
        let mut room = tcap::Room::new();
        if let Ok(parsed) = room.read(data, Rules::Lenient) {
            spoken.kind = Some(parsed.kind);
            let codes = parsed.components.iter().filter_map(tcap::Component::local);
            for (place, code) in spoken.operations.iter_mut().zip(codes) {
                *place = code;
                spoken.count += 1;
            }
        }
        spoken
    }

    /// Local codes of its first operations, at most four, a security component's among them.
    pub fn operations(&self) -> &[i32] {
        self.operations.get(..usize::from(self.count)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        let set = ReasonSet::of([Reason::OkVerified, Reason::IntConfig]);
        assert!(set.has(Reason::OkVerified) && set.has(Reason::IntConfig) && !set.has(Reason::SecMissing));
        let refusals = ReasonSet::refusals();
        assert!(!refusals.has(Reason::OkHeld) && !refusals.has(Reason::OkIgnored) && refusals.has(Reason::L2Runt));
    }

    #[test]
    fn a_rule_is_asked_for_by_its_tag() {
        let of = |rule| Record { rule, ..Record::of(0, None, None, Reason::OkVerified) };
        let wanted = Filter { rule: Some(5), ..Filter::default() };
        assert!(wanted.may_match(&of(5)) && !wanted.may_match(&of(6)) && !wanted.may_match(&of(0)));
        assert!(Filter::default().may_match(&of(5)));
    }

    #[test]
    fn no_octets_panic() {
        for octets in [&b""[..], b"\x01\x00\x01\x01\x00\x00\x00\x08", &[0xff; 64]] {
            for kind in [LinkKind::M3ua, LinkKind::M2pa, LinkKind::Sua] {
                assert_eq!(Spoken::read(kind, octets), Spoken::default());
            }
        }
    }
}
