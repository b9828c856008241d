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
    /// Association and TSN of the chunk it was sent in.
    pub(super) sent: (u16, u32),
}

/// Questions that are remembered.
const ROOM: usize = 4096;
/// How many have been asked since, at least, when one is answered: its answer comes by the other port, and must not be
/// judged before the question is known.
const LEAST: usize = 1024;

/// Questions that never came through, and are skipped at once to find one that did.
const SKIPPED: usize = 8;

/// What one side has asked, the oldest first. What is forgotten is never answered.
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
    ///
    /// * `passed`: whether the chunk of this association and TSN passed the gateway. An answer to a question that it never
    ///   let through would be refused.
    #[inline]
    pub(super) fn take(&mut self, passed: impl Fn(u16, u32) -> bool) -> Option<Question> {
        for _ in 0..SKIPPED {
            if self.0.len() < LEAST {
                break;
            }
            let oldest = self.0.pop_front().filter(|question| passed(question.sent.0, question.sent.1));
            if oldest.is_some() {
                return oldest;
            }
        }
        None
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
        let all = |_, _| true;
        let question = |key| Question { operation: Operation::PurgeMs, values, key, sent: (0, key) };
        for key in 0..LEAST as u32 - 1 {
            asked.add(question(key));
            assert!(asked.take(all).is_none());
        }
        asked.add(question(7000));
        assert_eq!(asked.take(all).map(|question| question.key), Some(0));
        assert!(asked.take(all).is_none(), "the next is too young");
        for key in 0..ROOM as u32 {
            asked.add(question(10_000 + key));
        }
        assert_eq!(asked.take(all).map(|question| question.key), Some(10_000), "older ones are forgotten");
        let late = |_, tsn| tsn >= 10_005;
        assert_eq!(asked.take(late).map(|question| question.key), Some(10_005), "those that were lost are skipped");
        assert!(asked.take(|_, _| false).is_none());
        assert_eq!(asked.take(all).map(|question| question.key), Some(10_006 + SKIPPED as u32), "a few at a time");
    }
}
