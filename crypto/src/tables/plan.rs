//! Which key gets which table: a pure function of how busy keys are and of the memory there may be.

use super::Tier;

/// Heat that one verification leaves; see [`cool`].
pub(crate) const HIT: u64 = 256;

/// A key in use has been asked this often in the last seconds.
const IN_USE: u64 = 64 * HIT;

/// The busiest are those with at least this part of all heat, so that there are at most as many.
const BUSIEST: u64 = 128;

/// A key that has a table counts as so many times as hot when it is about keeping it: no two keys take turns.
const STAY: u64 = 2;

/// The heat of a key one period later, with what it was asked meanwhile: half of it is gone after eleven periods.
pub(crate) fn cool(heat: u64, hits: u32) -> u64 {
    heat - heat.div_ceil(16) + u64::from(hits) * HIT
}

/// A key that tables are there for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) now: Tier,
    pub(crate) heat: u64,
    /// Octets of a table of each tier; nothing costs nothing.
    pub(crate) costs: [usize; 4],
}

/// Finds a tier for each candidate, so that all together stay within `budget` octets.
///
/// Memory goes where it saves most: a small table for each key that is asked at all, a wider one for keys in use, the
/// widest for the busiest, and what is left gives keys that nobody asks yet a small one.
/// * `order`: room for working; `tiers`: the answer, one a candidate
pub(crate) fn plan(candidates: &[Candidate], budget: usize, order: &mut Vec<u32>, tiers: &mut Vec<Tier>) {
    tiers.clear();
    tiers.resize(candidates.len(), Tier::None);
    let total: u64 = candidates.iter().map(|candidate| candidate.heat).sum();
    let busiest = (total / BUSIEST).max(IN_USE);
    let mut left = budget;
    for (tier, least) in [(Tier::Small, 1), (Tier::Base, IN_USE), (Tier::Wide, busiest), (Tier::Small, 0)] {
        let weight = |candidate: &Candidate| candidate.heat * if candidate.now >= tier { STAY } else { 1 };
        order.clear();
        order.extend((0..).zip(candidates).filter(|(_, one)| weight(one) >= least).map(|(index, _)| index));
        let key = |index: &u32| {
            let one = candidates.get(*index as usize);
            (std::cmp::Reverse(one.map(|one| (weight(one), one.now >= tier))), *index)
        };
        order.sort_unstable_by_key(key);
        for &index in order.iter() {
            let (Some(one), Some(given)) = (candidates.get(index as usize), tiers.get_mut(index as usize)) else {
                continue;
            };
            let cost = |tier: Tier| one.costs.get(tier as usize).copied().unwrap_or(usize::MAX);
            // One step at a time: who did not get the narrower one does not get the wider one.
            if *given as usize + 1 == tier as usize {
                let more = cost(tier).saturating_sub(cost(*given));
                if more <= left {
                    left -= more;
                    *given = tier;
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COSTS: [usize; 4] = [0, 51, 256, 802];

    fn tiers(candidates: &[Candidate], budget: usize) -> Vec<Tier> {
        let mut tiers = Vec::new();
        plan(candidates, budget, &mut Vec::new(), &mut tiers);
        tiers
    }

    fn one(now: Tier, hits: u64) -> Candidate {
        Candidate { now, heat: hits * HIT, costs: COSTS }
    }

    #[test]
    fn with_memory_for_all_each_gets_what_its_use_asks_for() {
        let keys = [one(Tier::None, 0), one(Tier::None, 1), one(Tier::None, 64), one(Tier::None, 100_000)];
        assert_eq!(tiers(&keys, 1 << 20), [Tier::Small, Tier::Small, Tier::Base, Tier::Wide]);
    }

    #[test]
    fn memory_goes_to_the_busy_first() {
        let keys = [one(Tier::Small, 0), one(Tier::Base, 70), one(Tier::None, 5000), one(Tier::None, 3)];
        assert_eq!(tiers(&keys, 50), [Tier::None; 4]);
        assert_eq!(tiers(&keys, 51), [Tier::None, Tier::None, Tier::Small, Tier::None]);
        assert_eq!(tiers(&keys, 153), [Tier::None, Tier::Small, Tier::Small, Tier::Small]);
        assert_eq!(tiers(&keys, 153 + 205), [Tier::None, Tier::Small, Tier::Base, Tier::Small]);
        assert_eq!(tiers(&keys, 153 + 205 + 51), [Tier::Small, Tier::Small, Tier::Base, Tier::Small]);
        assert_eq!(tiers(&keys, 153 + 410 + 546), [Tier::None, Tier::Base, Tier::Wide, Tier::Small]);
    }

    #[test]
    fn who_has_a_table_keeps_it_against_one_that_is_a_little_hotter() {
        let budget = 51;
        assert_eq!(tiers(&[one(Tier::Small, 10), one(Tier::None, 19)], budget), [Tier::Small, Tier::None]);
        assert_eq!(tiers(&[one(Tier::Small, 10), one(Tier::None, 21)], budget), [Tier::None, Tier::Small]);
        assert_eq!(tiers(&[one(Tier::Base, 40), one(Tier::Small, 40)], 1000), [Tier::Base, Tier::Small]);
    }

    #[test]
    fn at_most_so_many_are_the_busiest() {
        let keys = vec![one(Tier::None, 1000); 1000];
        assert!(tiers(&keys, usize::MAX).iter().all(|&tier| tier == Tier::Base));
        let mut keys = keys;
        keys.iter_mut().take(50).for_each(|key| key.heat *= 100);
        assert_eq!(tiers(&keys, usize::MAX).iter().filter(|&&tier| tier == Tier::Wide).count(), 50);
    }

    #[test]
    fn a_key_that_nobody_asks_cools_to_nothing() {
        let mut heat = cool(0, 1);
        let periods = std::iter::repeat_with(|| {
            heat = cool(heat, 0);
            heat
        });
        assert!((40..100).contains(&periods.take_while(|&heat| heat > 0).count()));
        let steady = (0..1000).fold(0, |heat, _| cool(heat, 10));
        assert!((150 * HIT..=160 * HIT).contains(&steady), "{steady}");
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_a_plan_is_its_own_plan(
            keys in proptest::collection::vec((0..4_usize, 0..2000_u64), 0..60), budget in 0..20_000_usize,
        ) {
            let mut keys: Vec<_> = keys.into_iter().map(|(now, hits)| one(Tier::ALL[now], hits)).collect();
            let cost = |tiers: &[Tier]| tiers.iter().map(|&tier| COSTS[tier as usize]).sum::<usize>();
            let first = tiers(&keys, budget);
            prop_assert!(cost(&first) <= budget);
            // With the plan carried out and the same use, it settles: tables do not come and go for ever.
            let mut last = first;
            for _ in 0..8 {
                keys.iter_mut().zip(&last).for_each(|(key, &tier)| key.now = tier);
                last = tiers(&keys, budget);
            }
            keys.iter_mut().zip(&last).for_each(|(key, &tier)| key.now = tier);
            prop_assert_eq!(tiers(&keys, budget), last);
        }
    }
}
