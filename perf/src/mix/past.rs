//! Signed messages that were sent, to be sent again.

use super::message::Kind;
use super::values::Values;

/// A message as it was sent.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) template: usize,
    pub(super) values: Values,
    /// Its copy must use the same: what overtakes its original on another way is judged first, and passes.
    pub(super) association: u16,
    /// The chunk it was sent in.
    pub(super) tsn: u32,
}

/// Signed messages that are remembered.
const ROOM: usize = 2048;
/// How many are needed before one is repeated.
const LEAST: usize = 256;

/// The last signed messages. Only the older half is repeated: an original must be judged before its copy, and a gateway
/// judges hundreds of messages at a time. An original that was refused because the gateway had too much to do is not known
/// to it: then the copy passes.
pub(super) struct Past {
    records: Vec<Record>,
    oldest: usize,
}

impl Past {
    pub(super) fn new() -> Self {
        Self { records: Vec::with_capacity(ROOM), oldest: 0 }
    }

    #[inline]
    pub(super) fn add(&mut self, record: Record) {
        if self.records.len() < ROOM {
            self.records.push(record);
        } else if let Some(place) = self.records.get_mut(self.oldest) {
            *place = record;
            self.oldest = (self.oldest + 1) % ROOM;
        }
    }

    /// One of the older half.
    ///
    /// * `bits`: 32 random ones
    pub(super) fn pick(&self, bits: u32) -> Option<&Record> {
        let len = self.records.len();
        let age = super::dice::scale(bits, len as u32 / 2) as usize;
        self.records.get((self.oldest + age) % ROOM).filter(|_| len >= LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Side;
    use super::super::message::Form;
    use super::super::operation::Operation;
    use super::super::values::Field;
    use super::*;

    #[test]
    fn only_the_older_half_is_repeated() {
        let kind = Kind {
            operation: Operation::PurgeMs,
            side: Side::Interconnect,
            answer: false,
            form: Form::Signed,
            extended: false,
        };
        let [values, _] = Values::probes(Field::Number);
        let mut past = Past::new();
        for template in 0..3 * ROOM {
            let picked = [0, u32::MAX / 2, u32::MAX].map(|bits| past.pick(bits).map(|record| record.template));
            let len = template.min(ROOM);
            if len < LEAST {
                assert_eq!(picked, [None; 3]);
            } else {
                let (oldest, half) = (template - len, template - len + len / 2);
                assert_eq!((picked[0], picked[2]), (Some(oldest), Some(half - 1)), "{template}");
                assert!(picked[1].is_some_and(|picked| (oldest..half).contains(&picked)));
            }
            past.add(Record { kind, template, values, association: 0, tsn: 0 });
        }
    }
}
