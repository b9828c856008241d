//! Keeps the tables of a ring as the use of its keys asks for, within the memory there may be.

use super::plan::{Candidate, cool, plan};
use super::{Hits, Table, TableStats, Tier, Unmade, Workshop};
use crate::keyring::{Entry, KeyId, KeyRing, Keys};
use crate::verify::PublicKey;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

/// Tables made in one round, and then published together. A round's tables replace others that are freed only once every
/// engine has gone on, so this bounds what is there beyond the budget.
const ROUND: usize = 128;

/// How busy a slot is.
#[derive(Clone, Copy, Default)]
struct Warmth {
    generation: u32,
    heat: u64,
}

/// A table to be made.
struct Order {
    id: KeyId,
    key: PublicKey,
    tier: Tier,
    /// Keys without any table first, then the busiest.
    rank: (Reverse<bool>, Reverse<u64>),
}

/// The tables of one ring. Dropped, it leaves them as they are.
pub(crate) struct Tables {
    ring: KeyRing,
    workshop: Arc<dyn Workshop>,
    budget: usize,
    threads: Option<rayon::ThreadPool>,
    warmth: Vec<Warmth>,
    /// Counts as last read: by engine, then by slot.
    seen: Vec<Vec<u32>>,
    /// Keys for which a table could not be made, or came out wrong: none is tried again.
    left_out: HashSet<KeyId>,
    stats: TableStats,
    ids: Vec<KeyId>,
    candidates: Vec<Candidate>,
    order: Vec<u32>,
    tiers: Vec<Tier>,
}

impl Tables {
    /// Takes the tables of `ring` into care; `None` if another pool does that already.
    /// * `budget`: octets that all tables together may have; `threads`: where they are made
    pub(crate) fn tend(
        ring: &KeyRing,
        workshop: Arc<dyn Workshop>,
        budget: usize,
        threads: Option<rayon::ThreadPool>,
    ) -> Option<Self> {
        ring.tend().then(|| Self {
            ring: ring.clone(),
            workshop,
            budget,
            threads,
            warmth: Vec::new(),
            seen: Vec::new(),
            left_out: HashSet::new(),
            stats: TableStats { budget, ..TableStats::default() },
            ids: Vec::new(),
            candidates: Vec::new(),
            order: Vec::new(),
            tiers: Vec::new(),
        })
    }

    pub(crate) fn stats(&self) -> &TableStats {
        &self.stats
    }

    /// Takes in what engines counted since the last time; call it at even intervals.
    pub(crate) fn count<'h>(&mut self, engines: impl Iterator<Item = &'h Arc<Hits>>) {
        let keys = self.ring.current();
        let slots = keys.slots();
        self.warmth.resize(slots, Warmth::default());
        let mut sums = std::mem::take(&mut self.order);
        sums.clear();
        sums.resize(slots, 0);
        for (index, hits) in engines.enumerate() {
            hits.make_room(slots);
            if self.seen.len() <= index {
                self.seen.push(Vec::new());
            }
            let Some(seen) = self.seen.get_mut(index) else { continue };
            seen.resize(slots, 0);
            for ((slot, seen), sum) in (0..).zip(seen).zip(&mut sums) {
                let now = hits.get(slot);
                // A thread that was started again counts from nothing.
                *sum += if now >= *seen { now - *seen } else { now };
                *seen = now;
            }
        }
        for (warmth, &hits) in self.warmth.iter_mut().zip(&sums) {
            warmth.heat = cool(warmth.heat, hits);
        }
        self.order = sums;
    }

    /// One round: finds out what each key should have, and makes some of what is missing.
    pub(crate) fn round(&mut self) {
        let keys = self.ring.current();
        self.survey(&keys);
        plan(&self.candidates, self.budget, &mut self.order, &mut self.tiers);
        let changes =
            || self.ids.iter().zip(&self.candidates).zip(&self.tiers).filter(|((_, one), tier)| one.now != **tier);
        // What goes, goes first: its memory is part of the budget of what comes.
        if changes().any(|(_, tier)| *tier == Tier::None) {
            self.ring.attach(changes().filter(|(_, tier)| **tier == Tier::None).map(|((id, _), _)| (*id, None)));
        }
        let mut orders = Vec::new();
        for ((&id, one), &tier) in changes().filter(|(_, tier)| **tier != Tier::None) {
            let crate::keyring::Found::Key(entry) = keys.find(id) else { continue };
            let rank = (Reverse(one.now == Tier::None), Reverse(one.heat));
            orders.push(Order { id, key: entry.key.clone(), tier, rank });
        }
        drop(keys);
        self.make(orders);
        let keys = self.ring.current();
        self.survey(&keys);
    }

    /// Reads what there is into candidates and statistics.
    fn survey(&mut self, keys: &Keys) {
        let Self { warmth, workshop, left_out, stats, ids, candidates, .. } = self;
        warmth.resize(keys.slots(), Warmth::default());
        ids.clear();
        candidates.clear();
        (stats.keys, stats.octets) = ([0; 4], 0);
        for (id, entry) in keys.iter().filter(|(_, entry)| entry.signer.is_none()) {
            let now = tier(entry);
            if let Some(count) = stats.keys.get_mut(now as usize) {
                *count += 1;
            }
            stats.octets += entry.table.as_ref().map_or(0, |table| table.octets());
            let (Some(costs), Some(warmth)) = (workshop.costs(entry.key.alg()), warmth.get_mut(id.slot as usize))
            else {
                continue;
            };
            if warmth.generation != id.generation {
                *warmth = Warmth { generation: id.generation, heat: 0 };
            }
            if !left_out.contains(&id) {
                ids.push(id);
                candidates.push(Candidate { now, heat: warmth.heat, costs });
            }
        }
    }

    fn make(&mut self, mut orders: Vec<Order>) {
        let total = orders.len();
        orders.sort_unstable_by_key(|order| order.rank);
        orders.truncate(ROUND);
        self.stats.pending = total - orders.len();
        if orders.is_empty() {
            return;
        }
        let workshop = &self.workshop;
        let one = |order: &Order| (order.id, workshop.make(&order.key, order.tier).map(Arc::new));
        let all = || orders.par_iter().map(one).collect::<Vec<(KeyId, Result<Arc<Table>, Unmade>)>>();
        let made = match &self.threads {
            Some(threads) => threads.install(all),
            None => orders.iter().map(one).collect(),
        };
        for (id, table) in &made {
            match table {
                Ok(_) => self.stats.built += 1,
                Err(why) => {
                    self.stats.faulty += u64::from(*why == Unmade::Wrong);
                    self.left_out.insert(*id);
                }
            }
        }
        // A key whose table came out wrong keeps what it had, which was checked.
        self.ring.attach(made.into_iter().filter_map(|(id, table)| Some((id, Some(table.ok()?)))));
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.ring.untend();
    }
}

fn tier(entry: &Entry) -> Tier {
    entry.table.as_ref().map_or(Tier::None, |table| table.tier())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::alg::Alg;
    use crate::keyring::Found;
    use crate::selftest::test_keys;

    /// Tables of 10, 100 and 1,000 octets, wrong ones for one key.
    struct Toy(Option<PublicKey>);

    impl Workshop for Toy {
        fn costs(&self, _: Alg) -> Option<[usize; 4]> {
            Some([0, 10, 100, 1000])
        }

        fn make(&self, key: &PublicKey, tier: Tier) -> Result<Table, Unmade> {
            let octets = self.costs(key.alg()).ok_or(Unmade::Unfit)?[tier as usize];
            if self.0.as_ref() == Some(key) { Err(Unmade::Wrong) } else { Ok(Table::stand_in_at(tier, octets)) }
        }
    }

    fn tables(ring: &KeyRing, budget: usize, wrong: Option<PublicKey>) -> Tables {
        Tables::tend(ring, Arc::new(Toy(wrong)), budget, None).unwrap()
    }

    #[test]
    fn keys_get_small_tables_and_busy_ones_wider_ones() {
        let (ring, keys) = (KeyRing::new(), test_keys(4));
        let handles = ring.install_all(&keys).unwrap();
        let (mut tables, hits) = (tables(&ring, 10_000, None), Arc::<Hits>::default());
        tables.count([&hits].into_iter());
        tables.round();
        assert_eq!((tables.stats().keys, tables.stats().octets, tables.stats().built), ([0, 4, 0, 0], 40, 4));
        (0..100).for_each(|_| hits.hit(handles[1].id().slot));
        (0..100_000).for_each(|_| hits.hit(handles[2].id().slot));
        tables.count([&hits].into_iter());
        tables.round();
        assert_eq!((tables.stats().keys, tables.stats().octets), ([0, 2, 1, 1], 1120));
        // Nobody asks any more, and memory is not short: they keep theirs for a while, and then not the wide one.
        tables.count([&hits].into_iter());
        tables.round();
        assert_eq!(tables.stats().keys, [0, 2, 1, 1]);
        for _ in 0..300 {
            tables.count([&hits].into_iter());
        }
        tables.round();
        assert_eq!((tables.stats().keys, tables.stats().pending), ([0, 4, 0, 0], 0));
    }

    #[test]
    fn the_budget_is_kept_and_the_busy_go_first() {
        let (ring, keys) = (KeyRing::new(), test_keys(4));
        let handles = ring.install_all(&keys).unwrap();
        let (mut tables, hits) = (tables(&ring, 25, None), Arc::<Hits>::default());
        tables.round();
        assert_eq!(tables.stats().keys, [2, 2, 0, 0]);
        tables.count([&hits].into_iter());
        (0..50).for_each(|_| hits.hit(handles[3].id().slot));
        tables.count([&hits].into_iter());
        tables.round();
        assert_eq!((tables.stats().keys, tables.stats().octets), ([2, 2, 0, 0], 20));
        assert!(matches!(ring.current().find(handles[3].id()), Found::Key(entry) if entry.table.is_some()));
    }

    #[test]
    fn a_wrong_table_is_thrown_away_and_not_tried_again() {
        let (ring, keys) = (KeyRing::new(), test_keys(2));
        let handles = ring.install_all(&keys).unwrap();
        let mut tables = tables(&ring, 1000, Some(keys[0].clone()));
        for _ in 0..3 {
            tables.round();
            assert_eq!((tables.stats().keys, tables.stats().faulty, tables.stats().built), ([1, 1, 0, 0], 1, 1));
        }
        assert!(matches!(ring.current().find(handles[0].id()), Found::Key(entry) if entry.table.is_none()));
    }

    #[test]
    fn many_keys_come_in_rounds() {
        let (ring, keys) = (KeyRing::new(), test_keys(ROUND + 3));
        let _handles = ring.install_all(&keys).unwrap();
        let mut tables = tables(&ring, 1 << 20, None);
        tables.round();
        assert_eq!((tables.stats().keys[1], tables.stats().pending), (ROUND, 3));
        tables.round();
        assert_eq!((tables.stats().keys[1], tables.stats().pending), (ROUND + 3, 0));
    }

    #[test]
    fn a_ring_is_in_one_care_at_a_time() {
        let ring = KeyRing::new();
        let first = tables(&ring, 1, None);
        assert!(Tables::tend(&ring, Arc::new(Toy(None)), 1, None).is_none());
        drop(first);
        assert!(Tables::tend(&ring, Arc::new(Toy(None)), 1, None).is_some());
    }
}
