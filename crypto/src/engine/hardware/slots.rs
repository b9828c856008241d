//! The places of operations on their way, and names for them: no completion can be taken for another operation's.

use std::collections::VecDeque;

/// What a completion is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// The answer to what this check of the present round asked.
    Answer(usize),
    /// An answer that nobody waits for any more. Its place is free again.
    Late,
    /// We asked nothing of that name, or had its answer: the device is confused.
    Stray,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Free,
    /// On its way, for this check of the present round.
    Asked(usize),
    /// On its way still when its round was over. The device may write to its memory until it comes back.
    Abandoned,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Counts uses, so that each operation has another cookie.
    generation: u64,
    is: Use,
}

/// All places of a queue.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Longest unused first: a cookie comes again as late as can be.
    free: VecDeque<u16>,
}

impl Slots {
    pub(super) fn new(places: usize) -> Self {
        let free: VecDeque<u16> = (0..=u16::MAX).take(places).collect();
        Self { slots: vec![Slot { generation: 0, is: Use::Free }; free.len()], free }
    }

    /// A place for a check of this round, and its cookie.
    pub(super) fn take(&mut self, check: usize) -> Option<(u16, u64)> {
        let place = self.free.pop_front()?;
        let slot = self.slots.get_mut(usize::from(place))?;
        *slot = Slot { generation: slot.generation + 1, is: Use::Asked(check) };
        Some((place, slot.generation << 16 | u64::from(place)))
    }

    /// Gives a place back that the device did not take.
    pub(super) fn put_back(&mut self, place: u16) {
        if let Some(slot) = self.slots.get_mut(usize::from(place)) {
            slot.is = Use::Free;
            self.free.push_front(place);
        }
    }

    /// Sees a completion.
    pub(super) fn back(&mut self, cookie: u64) -> Back {
        let (place, generation) = (cookie & 0xffff, cookie >> 16);
        let slot = usize::try_from(place).ok().and_then(|place| self.slots.get_mut(place));
        let Some(slot) = slot.filter(|slot| slot.generation == generation) else { return Back::Stray };
        let back = match slot.is {
            Use::Free => return Back::Stray,
            Use::Asked(check) => Back::Answer(check),
            Use::Abandoned => Back::Late,
        };
        slot.is = Use::Free;
        self.free.extend(u16::try_from(place));
        back
    }

    /// The round is over: nobody waits any more for what is on its way. Returns how much that is.
    pub(super) fn abandon(&mut self) -> usize {
        self.slots.iter_mut().filter(|slot| slot.is != Use::Free).map(|slot| slot.is = Use::Abandoned).count()
    }

    /// The device was restarted: nothing is on its way.
    pub(super) fn reclaim(&mut self) {
        for (slot, place) in self.slots.iter_mut().zip(0..).filter(|(slot, _)| slot.is != Use::Free) {
            slot.is = Use::Free;
            self.free.push_back(place);
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// How many places are on their way.
    pub(super) fn out(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_counts_once_and_for_its_own_check_only() {
        let mut slots = Slots::new(2);
        let (place, first) = slots.take(7).unwrap();
        let (_, second) = slots.take(8).unwrap();
        assert_eq!((slots.take(9), slots.out()), (None, 2));
        assert_eq!((slots.back(first), slots.back(first)), (Back::Answer(7), Back::Stray));
        let (again, third) = slots.take(9).unwrap();
        assert_eq!((again, slots.back(first)), (place, Back::Stray));
        assert!(first != third && second != third);
        assert_eq!((slots.back(u64::MAX), slots.back(5)), (Back::Stray, Back::Stray));
        assert_eq!((slots.back(third), slots.back(second), slots.out()), (Back::Answer(9), Back::Answer(8), 0));
    }

    #[test]
    fn a_place_that_was_given_up_is_not_used_until_it_comes_back() {
        let mut slots = Slots::new(2);
        let (_, lost) = slots.take(0).unwrap();
        assert_eq!(slots.abandon(), 1);
        let (place, taken) = slots.take(1).unwrap();
        assert_eq!((slots.take(2), slots.back(taken)), (None, Back::Answer(1)));
        assert_eq!((slots.back(lost), slots.out()), (Back::Late, 0));
        let (given, _) = slots.take(0).unwrap();
        slots.put_back(given);
        assert_eq!((given, slots.out()), (place.min(given), 0));
    }

    #[test]
    fn after_a_restart_all_places_are_free_and_old_cookies_are_strangers() {
        let mut slots = Slots::new(3);
        let old: Vec<_> = (0..3).map(|check| slots.take(check).unwrap().1).collect();
        slots.abandon();
        slots.reclaim();
        assert_eq!(slots.out(), 0);
        let new: Vec<_> = (0..3).map(|check| slots.take(check).unwrap().1).collect();
        assert!(old.iter().all(|cookie| slots.back(*cookie) == Back::Stray));
        assert!((0..3).all(|check| slots.back(new[check]) == Back::Answer(check)));
    }
}
