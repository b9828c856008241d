//! What each peer has in flight, by cost: a table of fixed size, exact, without a heap after its making.

/// Counts by share number. Linear probing with deletion by shifting back, so old peers leave no traces.
pub(crate) struct Shares {
    slots: Box<[Slot]>,
    mask: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    share: u32,
    /// Cost of its jobs together. 0: the slot is free.
    cost: u32,
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
            .find(|&at| self.slots.get(at).is_some_and(|slot| slot.cost == 0 || slot.share == share))
    }

    /// Cost of what `share` has in flight.
    pub(crate) fn get(&self, share: u32) -> u32 {
        self.find(share).and_then(|at| self.slots.get(at)).map_or(0, |slot| slot.cost)
    }

    /// One more job, of this cost; 0 counts as 1.
    pub(crate) fn add(&mut self, share: u32, cost: u8) {
        if let Some(slot) = self.find(share).and_then(|at| self.slots.get_mut(at)) {
            *slot = Slot { share, cost: slot.cost + u32::from(cost.max(1)) };
        }
    }

    /// One job less, of the cost that it was added with; a share that has none is left alone.
    pub(crate) fn release(&mut self, share: u32, cost: u8) {
        let Some(at) = self.find(share) else { return };
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.cost > 0) else { return };
        slot.cost = slot.cost.saturating_sub(cost.max(1).into());
        if slot.cost == 0 {
            self.close_gap(at);
        }
    }

    /// Moves later entries of the same run into the gap where that brings them nearer to their home.
    fn close_gap(&mut self, mut gap: usize) {
        let mut at = gap;
        for _ in 0..self.slots.len() {
            at = at.wrapping_add(1) & self.mask;
            let Some(&slot) = self.slots.get(at).filter(|slot| slot.cost > 0) else { return };
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

/// Peers that are told apart; more of them share a mark.
const MARKS: usize = 1 << 12;

/// What one signature that does not hold adds; one that holds takes 1 away.
const WORSE: u8 = 16;

/// From here on a peer is bad: ten in a row that do not hold, or more than one in seventeen over time.
const BAD: u8 = 160;

/// How a peer's signatures did lately.
pub(crate) struct Standing(Box<[u8]>);

impl Standing {
    pub(crate) fn new() -> Self {
        Self(vec![0; MARKS].into_boxed_slice())
    }

    /// A signature of the peer's did not hold.
    pub(crate) fn worse(&mut self, share: u32) {
        self.change(share, |mark| mark.saturating_add(WORSE));
    }

    /// A signature of the peer's held.
    pub(crate) fn better(&mut self, share: u32) {
        self.change(share, |mark| mark.saturating_sub(1));
    }

    /// Whether most of what it sends is for nothing.
    pub(crate) fn is_bad(&self, share: u32) -> bool {
        self.0.get(share as usize % MARKS).is_some_and(|&mark| mark >= BAD)
    }

    fn change(&mut self, share: u32, change: impl Fn(u8) -> u8) {
        if let Some(mark) = self.0.get_mut(share as usize % MARKS) {
            *mark = change(*mark);
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
        fn counts_as_a_map_does(ops in proptest::collection::vec((any::<bool>(), 0..40_u32, 1..=255_u8), 0..400)) {
            let (mut shares, mut map, mut total) = (Shares::new(32), HashMap::<u32, Vec<u8>>::new(), 0);
            for (add, share, cost) in ops {
                let costs = map.entry(share).or_default();
                if add && total < 32 {
                    shares.add(share, cost);
                    costs.push(cost);
                    total += 1;
                } else if !add {
                    let cost = costs.pop();
                    shares.release(share, cost.unwrap_or(1));
                    total -= i32::from(cost.is_some());
                }
                for (share, costs) in &map {
                    prop_assert_eq!(shares.get(*share), costs.iter().map(|&cost| u32::from(cost)).sum::<u32>());
                }
            }
        }
    }

    #[test]
    fn a_peer_is_bad_while_much_of_its_does_not_hold() {
        let mut standing = Standing::new();
        (0..9).for_each(|_| standing.worse(7));
        assert!(!standing.is_bad(7));
        standing.worse(7);
        assert!(standing.is_bad(7) && !standing.is_bad(8));
        (0..1000).for_each(|_| standing.worse(7));
        (0..200).for_each(|_| standing.better(7));
        assert!(!standing.is_bad(7));
        // One in a hundred that is damaged on its way does no harm, one in ten does.
        for (good, bad) in [(99, false), (9, true)] {
            for _ in 0..100 {
                standing.worse(8);
                (0..good).for_each(|_| standing.better(8));
            }
            standing.worse(8);
            assert_eq!(standing.is_bad(8), bad, "{good}");
        }
    }
}
