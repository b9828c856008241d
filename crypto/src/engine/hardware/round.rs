//! What becomes of the checks of one call: sets of their places.

use super::device::Status;
use crate::engine::CHECKS;

/// A set of places, below [`CHECKS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(u64);

impl Places {
    /// The first `count` places.
    pub(super) fn first(count: usize) -> Self {
        (0..count).fold(Self::default(), Self::with)
    }

    pub(super) fn with(self, place: usize) -> Self {
        if place < CHECKS { Self(self.0 | 1 << place) } else { self }
    }

    pub(super) fn add(&mut self, place: usize) {
        *self = self.with(place);
    }

    pub(super) fn has(self, place: usize) -> bool {
        place < CHECKS && self.0 >> place & 1 == 1
    }

    pub(super) fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..CHECKS).filter(move |place| self.has(*place))
    }
}

/// Checks by what the device made of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// Refused without asking anybody: r or s out of range.
    pub(super) refused: Places,
    /// The device was to have these ...
    pub(super) wanted: Places,
    /// ... and took these.
    pub(super) sent: Places,
    /// It says that they hold.
    pub(super) yes: Places,
    /// It says that they do not.
    pub(super) no: Places,
    /// Errors: may be a no.
    pub(super) unsure: Places,
    /// Came back without an answer.
    pub(super) unanswered: Places,
}

impl Round {
    pub(super) fn see(&mut self, place: usize, status: Status) {
        match status {
            Status::Success => self.yes.add(place),
            Status::AuthFailed => self.no.add(place),
            Status::Error | Status::InvalidArgs => self.unsure.add(place),
            Status::NotProcessed | Status::InvalidSession | Status::Unknown => self.unanswered.add(place),
        }
    }

    /// What the device gave a verdict on.
    pub(super) fn verdicts(&self) -> Places {
        self.yes.or(self.no)
    }

    /// What came back at all.
    pub(super) fn answered(&self) -> Places {
        self.verdicts().or(self.unsure).or(self.unanswered)
    }

    /// Nothing that came back in this round counts.
    pub(super) fn forget(&mut self) {
        (self.yes, self.no) = <(Places, Places)>::default();
        (self.unsure, self.unanswered) = <(Places, Places)>::default();
    }
}
