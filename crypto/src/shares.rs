//! How many jobs each peer has in flight: a table of fixed size, exact, without a heap after its making.

/// Counts by share number. Linear probing with deletion by shifting back, so old peers leave no traces.
pub(crate) struct Shares {
    slots: Box<[Slot]>,
    mask: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    share: u32,
    /// 0: the slot is free.
    jobs: u32,
}

impl Shares {
    /// For at most `jobs` jobs in flight, hence as many shares; half of the slots stay free.
    pub(crate) fn new(jobs: usize) -> Self {
        let len = jobs.max(1).saturating_mul(2).next_power_of_two();
        Self { slots: vec![Slot::default(); len].into_boxed_slice(), mask: len - 1 }
    }

    fn home(&self, share: u32) -> usize {
        // Fibonacci hashing: neighbouring peer numbers spread over the table. Peers cannot choose their numbers.
        (u64::from(share).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask
    }

    /// Slot of `share`, or the free slot where it would go; `None` when the table is full of others.
    fn find(&self, share: u32) -> Option<usize> {
        let home = self.home(share);
        (0..self.slots.len())
            .map(|step| home.wrapping_add(step) & self.mask)
            .find(|&at| self.slots.get(at).is_some_and(|slot| slot.jobs == 0 || slot.share == share))
    }

    /// Jobs that `share` has in flight.
    pub(crate) fn get(&self, share: u32) -> u32 {
        self.find(share).and_then(|at| self.slots.get(at)).map_or(0, |slot| slot.jobs)
    }

    /// Counts one more.
    pub(crate) fn add(&mut self, share: u32) {
        if let Some(slot) = self.find(share).and_then(|at| self.slots.get_mut(at)) {
            *slot = Slot { share, jobs: slot.jobs + 1 };
        }
    }

    /// Counts one less; a share that has none is left alone.
    pub(crate) fn release(&mut self, share: u32) {
        let Some(at) = self.find(share) else { return };
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.jobs > 0) else { return };
        slot.jobs -= 1;
        if slot.jobs == 0 {
            self.close_gap(at);
        }
    }

    /// Moves later entries of the same run into the gap where that brings them nearer to their home.
    fn close_gap(&mut self, mut gap: usize) {
        let mut at = gap;
        for _ in 0..self.slots.len() {
            at = at.wrapping_add(1) & self.mask;
            let Some(&slot) = self.slots.get(at).filter(|slot| slot.jobs > 0) else { return };
            let from_home = at.wrapping_sub(self.home(slot.share)) & self.mask;
            let from_gap = at.wrapping_sub(gap) & self.mask;
            if from_home >= from_gap {
                for (to, value) in [(gap, slot), (at, Slot::default())] {
                    if let Some(place) = self.slots.get_mut(to) {
                        *place = value;
                    }
                }
                gap = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn counts_as_a_map_does(ops in proptest::collection::vec((any::<bool>(), 0..40_u32), 0..400)) {
            let (mut shares, mut map, mut total) = (Shares::new(32), HashMap::new(), 0);
            for (add, share) in ops {
                let count = map.entry(share).or_insert(0);
                if add && total < 32 {
                    shares.add(share);
                    *count += 1;
                    total += 1;
                } else if !add {
                    shares.release(share);
                    total -= i32::from(*count > 0);
                    *count = u32::saturating_sub(*count, 1);
                }
                for (share, count) in &map {
                    prop_assert_eq!(shares.get(*share), *count);
                }
            }
        }
    }
}
