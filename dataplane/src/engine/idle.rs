//! What a worker does while nothing comes: poll on where the core is its own, make room where it is not.

use std::time::Duration;
use std::{hint, thread};

/// How a worker passes turns in which nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Idle turns in a row after which it offers its core to others; before that it polls on.
    pub spins: u32,
    /// Idle turns after that, each of which yields; then it sleeps.
    pub yields: u32,
    /// How long it sleeps between two turns; zero: it never does.
    pub sleep: Duration,
}

impl Idle {
    /// For a core of its own: nothing but polling, no system call ever.
    pub const POLL: Self = Self { spins: u32::MAX, yields: 0, sleep: Duration::ZERO };

    /// For a core that others need too, as in a lab: an idle worker takes about a tenth of it, and the first frame after a
    /// silence waits about a tenth of a millisecond.
    pub const POLITE: Self = Self { spins: 64, yields: 64, sleep: Duration::from_micros(50) };
}

/// Idle turns so far.
pub(super) struct Rest {
    how: Idle,
    turns: u32,
}

impl Rest {
    pub(super) fn new(how: Idle) -> Self {
        Self { how, turns: 0 }
    }

    /// Something came.
    pub(super) fn reset(&mut self) {
        self.turns = 0;
    }

    /// Nothing came. While frames wait for an answer, or for room, it does not sleep.
    pub(super) fn pause(&mut self, busy: bool) {
        self.turns = self.turns.saturating_add(1);
        if self.turns <= self.how.spins {
            hint::spin_loop();
        } else if busy || self.how.sleep.is_zero() || self.turns - self.how.spins <= self.how.yields {
            thread::yield_now();
        } else {
            thread::sleep(self.how.sleep);
        }
    }
}
