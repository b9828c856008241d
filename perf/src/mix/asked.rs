//! Questions that wait for their answer.

use std::collections::VecDeque;

use super::operation::Operation;
use super::values::Values;

/// A dialogue that was opened.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) operation: Operation,
    /// Of the question; the answer has the same transaction, peer and subscriber.
    pub(super) values: Values,
    /// The peer's key.
    pub(super) key: u32,
}

/// Questions that are remembered.
const ROOM: usize = 4096;
/// How many have been asked since, at least, when one is answered: its answer comes by the other port, and must not be
/// judged before the question is known.
const LEAST: usize = 1024;

/// What one side has asked, the oldest first. What is forgotten is never answered. A question that the gateway lost because it
/// had too much to do is not known to it: then it refuses the answer, unless it has only just started.
pub(super) struct Asked(VecDeque<Question>);

impl Asked {
    pub(super) fn new() -> Self {
        Self(VecDeque::with_capacity(ROOM))
    }

    #[inline]
    pub(super) fn add(&mut self, question: Question) {
        if self.0.len() == ROOM {
            self.0.pop_front();
        }
        self.0.push_back(question);
    }

    /// The oldest question that is old enough to be answered; it is answered once.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Question> {
        if self.0.len() < LEAST { None } else { self.0.pop_front() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::Field;
    use super::*;

    #[test]
    fn the_oldest_is_answered_once_and_not_too_early() {
        let [values, _] = Values::probes(Field::Number);
        let mut asked = Asked::new();
        let question = |key| Question { operation: Operation::PurgeMs, values, key };
        for key in 0..LEAST as u32 - 1 {
            asked.add(question(key));
            assert!(asked.take().is_none());
        }
        asked.add(question(7000));
        assert_eq!(asked.take().map(|question| question.key), Some(0));
        assert!(asked.take().is_none(), "the next is too young");
        for key in 0..ROOM as u32 {
            asked.add(question(10_000 + key));
        }
        assert_eq!(asked.take().map(|question| question.key), Some(10_000), "older ones are forgotten");
    }
}
