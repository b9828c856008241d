//! How often each key was asked for: counted by one engine, read by control.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::keyring::MAX_KEYS;

/// Slots of one part; parts are made as slots are used.
const PART: usize = 4096;

/// Counts of one engine by slot. They wrap; control looks at differences.
pub(crate) struct Hits(Box<[OnceLock<Box<[AtomicU32]>>]>);

impl Default for Hits {
    fn default() -> Self {
        Self((0..MAX_KEYS / PART).map(|_| OnceLock::new()).collect())
    }
}

impl Hits {
    /// Control only: makes room for so many slots.
    pub(crate) fn make_room(&self, slots: usize) {
        for part in self.0.iter().take(slots.div_ceil(PART)) {
            part.get_or_init(|| (0..PART).map(|_| AtomicU32::new(0)).collect());
        }
    }

    fn count(&self, slot: u32) -> Option<&AtomicU32> {
        self.0.get(slot as usize / PART)?.get()?.get(slot as usize % PART)
    }

    /// One more. Only the engine writes, so this is a load and a store; a slot without room is not counted.
    pub(crate) fn hit(&self, slot: u32) {
        if let Some(count) = self.count(slot) {
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// The count as it is.
    pub(crate) fn get(&self, slot: u32) -> u32 {
        self.count(slot).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn counts_where_there_is_room() {
        let hits = Hits::default();
        hits.hit(5000);
        assert_eq!(hits.get(5000), 0);
        hits.make_room(5001);
        (0..3).for_each(|_| hits.hit(5000));
        hits.hit(0);
        hits.hit(u32::MAX);
        assert_eq!((hits.get(5000), hits.get(0), hits.get(4999)), (3, 1, 0));
    }
}
