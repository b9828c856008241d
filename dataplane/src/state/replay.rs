//! Replay windows per signer and node (formats 1.5), shared by all workers without a lock on the way of a message.
//!
//! A window is a ring of W/32 + 1 words of 64 bits: the low half marks 32 sequence numbers, the high half is the lap of
//! the ring, modulo 2^32, that they belong to. With one word more than W needs, a word of a later lap proves that `top`
//! is far enough ahead for every number of the earlier lap to be old. A mark is a `fetch_max` on `top`, then one
//! compare-and-swap on the word; in that order, whoever sees a later lap in a word also sees the `top` that goes with
//! it, and refuses. So no interleaving accepts a number twice, and no jump of SEQ can make it so: where two laps look
//! alike (2^32 laps are nine years of microseconds) the fault is a refusal.
//!
//! Windows lie in a pool of fixed size that is its own hash table. A window that was idle for `idle_ms` may change its
//! owner. That is safe against a mark in progress because each mark pins its window first, in the same word that holds
//! the window's generation: the new owner takes only a window without pins, and a mark that pins too late finds another
//! generation and looks again. Opening a window, once for each new signer and node, is serialised by a flag.

mod carry;

use super::count::Count;
use super::keyed::Key;
use super::sync::{AtomicU32, AtomicU64, Ordering, spin_loop};
use sealgate_wire::Reason;

/// Limits of [`ReplayMemory`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many windows there are, rounded up to a power of two. Plan twice as many as signers times nodes.
    pub windows: usize,
    /// How far behind the highest number one may still come: a power of two from 1024 to 1048576.
    pub w: u32,
    /// Most windows in use by one signer, so that one certificate holder cannot take the whole pool.
    pub nodes_per_signer: usize,
    /// A window without a mark for longer than this may be given away, milliseconds. Not below twice the time window
    /// (past + future): a message that old is refused for its time.
    pub idle_ms: u64,
}

impl Default for Config {
    /// 256 windows of 65536 numbers, 4 MiB together; 16 nodes a signer; 30 s for the time window of 10 + 5 s.
    fn default() -> Self {
        Self { windows: 256, w: 65_536, nodes_per_signer: 16, idle_ms: 30_000 }
    }
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Windows opened for a new signer or node.
    pub opened: u64,
    /// Of these, in the place of an idle one.
    pub reclaimed: u64,
    /// Numbers refused as already used.
    pub replays: u64,
    /// Numbers refused as below the window.
    pub old: u64,
    /// Messages refused because no window was free within the probe.
    pub full: u64,
    /// Messages refused because their signer uses too many nodes.
    pub signer_full: u64,
}

/// How many places a key may have.
const PROBE: usize = 32;
/// How long one waits for another worker to open a window. Zeroing one takes microseconds.
const SPINS: u32 = 100_000;

/// Fields of a guard word, from the high end: 32 bits generation, 8 bits node, 2 bits state, 22 bits pins.
const PIN: u64 = 1;
const PINS: u64 = (1 << 22) - 1;
const STATE: u64 = 3 << 22;
const LIVE: u64 = 1 << 22;
/// Taken by the one that opens it.
const BUSY: u64 = 2 << 22;
const NODE_SHIFT: u32 = 24;
const GENERATION: u64 = !0 << 32;

#[repr(align(64))]
struct Window {
    guard: AtomicU64,
    sai: AtomicU64,
    /// Highest number marked.
    top: AtomicU64,
    last_ms: AtomicU64,
}

/// A window found, and the generation it was found in.
#[derive(Clone, Copy)]
struct Found<'a> {
    window: &'a Window,
    words: &'a [AtomicU64],
    generation: u64,
}

/// The windows of all signers. Share it behind an `Arc`; all memory is taken in [`ReplayMemory::new`].
pub struct ReplayMemory {
    windows: Box<[Window]>,
    words: Box<[AtomicU64]>,
    words_per_window: usize,
    w: u64,
    nodes_per_signer: usize,
    idle_ms: u64,
    key: Key,
    opening: AtomicU32,
    opened: Count,
    reclaimed: Count,
    replays: Count,
    old: Count,
    full: Count,
    signer_full: Count,
}

impl ReplayMemory {
    /// Empty windows. `w` outside its limits is brought to the nearest power of two within them.
    pub fn new(config: Config, key: Key) -> Self {
        let w = config.w.clamp(1024, 1 << 20).next_power_of_two();
        Self::build(config, w, key)
    }

    fn build(config: Config, w: u32, key: Key) -> Self {
        let windows = config.windows.clamp(1, 1 << 16).next_power_of_two();
        let words_per_window = w as usize / 32 + 1;
        let zero = || AtomicU64::new(0);
        Self {
            windows: (0..windows)
                .map(|_| Window { guard: zero(), sai: zero(), top: zero(), last_ms: zero() })
                .collect(),
            words: (0..windows * words_per_window).map(|_| zero()).collect(),
            words_per_window,
            w: w.into(),
            nodes_per_signer: config.nodes_per_signer,
            idle_ms: config.idle_ms,
            key,
            opening: AtomicU32::new(0),
            opened: Count::default(),
            reclaimed: Count::default(),
            replays: Count::default(),
            old: Count::default(),
            full: Count::default(),
            signer_full: Count::default(),
        }
    }

    /// The look before the signature is verified. Changes nothing; a signer or node without a window is fine.
    /// # Errors
    /// * [`Reason::SecReplay`]: the number is marked.
    /// * [`Reason::SecSeqOld`]: it is at or below the highest one minus W.
    /// # Source
    /// formats 1.5.
    pub fn check(&self, sai: [u8; 8], node: u8, seq: u64, _now_ms: u64) -> Result<(), Reason> {
        let Some(found) = self.find(sai, node) else { return Ok(()) };
        let (word, tag, bit) = self.place(&found, seq)?;
        let marked = word.load(Ordering::Acquire);
        let top = found.window.top.load(Ordering::Acquire);
        // The loads above acquire: had they read what a new owner wrote, this one would read the new generation.
        if found.window.guard.load(Ordering::Acquire) & GENERATION != found.generation {
            return Ok(());
        }
        if self.is_old(seq, top) {
            return self.refuse(Reason::SecSeqOld);
        }
        if marked >> 32 == tag && marked & bit != 0 {
            return self.refuse(Reason::SecReplay);
        }
        Ok(())
    }

    /// The mark after the signature proved good: one atomic step. The first mark of a signer and node opens a window
    /// there, whatever its number is.
    /// # Errors
    /// * [`Reason::SecReplay`]: the number is marked, perhaps by another worker a moment ago.
    /// * [`Reason::SecSeqOld`]: the window moved on.
    /// * [`Reason::ResTableFull`]: no window is free, or the signer has as many as it may.
    pub fn mark(&self, sai: [u8; 8], node: u8, seq: u64, now_ms: u64) -> Result<(), Reason> {
        // A second round follows an opening, a further one only if the window was given away in between.
        for _ in 0..8 {
            let Some(found) = self.find(sai, node) else {
                self.open(sai, node, now_ms)?;
                continue;
            };
            let guard = found.window.guard.fetch_add(PIN, Ordering::Acquire);
            let ours = guard & STATE == LIVE && guard & GENERATION == found.generation;
            let outcome = ours.then(|| self.mark_in(&found, seq, now_ms));
            found.window.guard.fetch_sub(PIN, Ordering::Release);
            match outcome {
                Some(Ok(())) => return Ok(()),
                Some(Err(reason)) => return self.refuse(reason),
                None => {}
            }
        }
        self.refuse(Reason::ResTableFull)
    }

    /// How many windows have an owner, idle ones among them.
    pub fn in_use(&self) -> usize {
        self.windows.iter().filter(|window| window.guard.load(Ordering::Relaxed) & STATE != 0).count()
    }

    /// How many windows there are.
    pub fn capacity(&self) -> usize {
        self.windows.len()
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        Counters {
            opened: self.opened.get(),
            reclaimed: self.reclaimed.get(),
            replays: self.replays.get(),
            old: self.old.get(),
            full: self.full.get(),
            signer_full: self.signer_full.get(),
        }
    }

    fn refuse(&self, reason: Reason) -> Result<(), Reason> {
        match reason {
            Reason::SecReplay => self.replays.add(),
            Reason::SecSeqOld => self.old.add(),
            _ => self.full.add(),
        }
        Err(reason)
    }

    fn is_old(&self, seq: u64, top: u64) -> bool {
        top.checked_sub(self.w).is_some_and(|floor| seq <= floor)
    }

    /// The word of a number, the tag of its lap and its bit.
    fn place<'a>(&self, found: &Found<'a>, seq: u64) -> Result<(&'a AtomicU64, u64, u64), Reason> {
        let block = seq / 32;
        let ring = self.words_per_window as u64;
        let word = found.words.get((block % ring) as usize).ok_or(Reason::IntBug)?;
        Ok((word, (block / ring) & 0xffff_ffff, 1 << (seq % 32)))
    }

    /// Marks in a pinned window.
    fn mark_in(&self, found: &Found<'_>, seq: u64, now_ms: u64) -> Result<(), Reason> {
        let (word, tag, bit) = self.place(found, seq)?;
        let top = &found.window.top;
        if self.is_old(seq, top.load(Ordering::Acquire)) {
            return Err(Reason::SecSeqOld);
        }
        // Before the word, see the head of this file. If the number is already marked, `top` is at or above it.
        top.fetch_max(seq, Ordering::AcqRel);
        let mut have = word.load(Ordering::Acquire);
        loop {
            if self.is_old(seq, top.load(Ordering::Acquire)) {
                return Err(Reason::SecSeqOld);
            }
            let want = if have >> 32 != tag {
                tag << 32 | bit
            } else if have & bit == 0 {
                have | bit
            } else {
                return Err(Reason::SecReplay);
            };
            match word.compare_exchange(have, want, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => have = now,
            }
        }
        let last = &found.window.last_ms;
        if last.load(Ordering::Relaxed) < now_ms {
            last.fetch_max(now_ms, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The places of a key, in order. Which they are nobody outside can tell.
    fn probe(&self, sai: [u8; 8], node: u8) -> impl Iterator<Item = (usize, &Window)> {
        let hash = self.key.hash(&[&sai, &[node]]);
        // An odd step visits all of a power of two.
        let (start, step) = (hash as usize, (hash >> 32) as usize | 1);
        let mask = self.windows.len() - 1;
        (0..PROBE.min(self.windows.len())).filter_map(move |i| {
            let at = start.wrapping_add(step.wrapping_mul(i)) & mask;
            Some((at, self.windows.get(at)?))
        })
    }

    fn find(&self, sai: [u8; 8], node: u8) -> Option<Found<'_>> {
        for (at, window) in self.probe(sai, node) {
            let guard = window.guard.load(Ordering::Acquire);
            match guard & STATE {
                // Windows are opened at the first free place and never become free again.
                0 => return None,
                LIVE if (guard >> NODE_SHIFT) as u8 == node
                    && window.sai.load(Ordering::Acquire) == u64::from_be_bytes(sai) =>
                {
                    let words = self.words.get(at * self.words_per_window..)?.get(..self.words_per_window)?;
                    return Some(Found { window, words, generation: guard & GENERATION });
                }
                _ => {}
            }
        }
        None
    }

    /// Opens a window, one worker at a time: two windows of one key would accept a number twice.
    fn open(&self, sai: [u8; 8], node: u8, now_ms: u64) -> Result<(), Reason> {
        let mut spins = 0;
        while self.opening.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spins += 1;
            if spins == SPINS {
                return self.refuse(Reason::ResTableFull);
            }
            spin_loop();
        }
        // While it waited, another worker may have opened this very window.
        let outcome = if self.find(sai, node).is_some() { Ok(()) } else { self.open_alone(sai, node, now_ms) };
        self.opening.store(0, Ordering::Release);
        outcome
    }

    fn open_alone(&self, sai: [u8; 8], node: u8, now_ms: u64) -> Result<(), Reason> {
        let signer = u64::from_be_bytes(sai);
        let in_use = self.windows.iter().filter(|window| {
            window.guard.load(Ordering::Acquire) & STATE == LIVE
                && window.sai.load(Ordering::Relaxed) == signer
                && !self.is_idle(window, now_ms)
        });
        if in_use.count() >= self.nodes_per_signer {
            self.signer_full.add();
            return Err(Reason::ResTableFull);
        }
        // The first free place, or else the one that was idle for longest.
        let mut best: Option<(usize, &Window, u64)> = None;
        for (at, window) in self.probe(sai, node) {
            if window.guard.load(Ordering::Acquire) & STATE == 0 {
                best = Some((at, window, 0));
                break;
            }
            let last = window.last_ms.load(Ordering::Relaxed);
            if self.is_idle(window, now_ms) && best.is_none_or(|(.., least)| last < least) {
                best = Some((at, window, last));
            }
        }
        let Some((at, window, _)) = best else { return self.refuse(Reason::ResTableFull) };
        let guard = window.guard.load(Ordering::Acquire);
        let fresh = guard & STATE == 0;
        let taken = (guard & GENERATION).wrapping_add(1 << 32) | BUSY;
        // Fails where it is pinned: somebody is marking, so it is no longer idle.
        if guard & PINS != 0
            || window.guard.compare_exchange(guard, taken, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return self.refuse(Reason::ResTableFull);
        }
        if !fresh && !self.is_idle(window, now_ms) {
            // A mark came and went since the first look: give it back.
            self.settle(window, u64::from((guard >> NODE_SHIFT) as u8));
            return self.refuse(Reason::ResTableFull);
        }
        if !fresh {
            let from = at * self.words_per_window;
            for word in self.words.get(from..from + self.words_per_window).unwrap_or_default() {
                word.store(0, Ordering::Release);
            }
            window.top.store(0, Ordering::Release);
            self.reclaimed.add();
        }
        window.sai.store(signer, Ordering::Release);
        window.last_ms.store(now_ms, Ordering::Relaxed);
        self.settle(window, u64::from(node));
        self.opened.add();
        Ok(())
    }

    /// Makes a taken window live in a new generation. Pins that come and go meanwhile stay counted.
    fn settle(&self, window: &Window, node: u64) {
        let mut guard = window.guard.load(Ordering::Relaxed);
        loop {
            let live = (guard & GENERATION).wrapping_add(1 << 32) | node << NODE_SHIFT | LIVE | (guard & PINS);
            match window.guard.compare_exchange(guard, live, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => guard = now,
            }
        }
    }

    fn is_idle(&self, window: &Window, now_ms: u64) -> bool {
        now_ms.saturating_sub(window.last_ms.load(Ordering::Relaxed)) > self.idle_ms
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const KEY: Key = Key::new(3, 4);
    const SAI: [u8; 8] = *b"signer-1";
    /// Microseconds since 1970 in 2026.
    const NOW: u64 = 1_790_000_000_000_000;

    fn small() -> Config {
        Config { windows: 4, w: 1024, nodes_per_signer: 16, idle_ms: 30_000 }
    }

    #[test]
    fn a_number_passes_once_and_old_ones_never() {
        let memory = ReplayMemory::new(Config::default(), KEY);
        assert_eq!(memory.check(SAI, 0, 0, 0), Ok(()), "unknown");
        assert_eq!(memory.mark(SAI, 0, NOW, 0), Ok(()));
        assert_eq!(memory.check(SAI, 0, NOW, 0), Err(Reason::SecReplay));
        assert_eq!(memory.mark(SAI, 0, NOW, 0), Err(Reason::SecReplay));
        assert_eq!(memory.mark(SAI, 1, NOW, 0), Ok(()), "each node counts for itself");
        assert_eq!(memory.mark(*b"signer-2", 0, NOW, 0), Ok(()), "and each signer");
        for (seq, want) in [
            (NOW - 65_535, Ok(())),
            (NOW - 65_536, Err(Reason::SecSeqOld)),
            (0, Err(Reason::SecSeqOld)),
            (NOW + 65_535, Ok(())),
            (NOW - 1, Err(Reason::SecSeqOld)),
            (NOW, Err(Reason::SecReplay)),
            (NOW + 1, Ok(())),
        ] {
            assert_eq!(memory.check(SAI, 0, seq, 0), want, "{seq}");
            assert_eq!(memory.mark(SAI, 0, seq, 0), want, "{seq}");
        }
        let Counters { opened, replays, old, .. } = memory.counters();
        assert_eq!((opened, replays, old), (3, 4, 6));
    }

    #[test]
    fn far_jumps_neither_lock_out_nor_let_in() {
        let memory = ReplayMemory::new(small(), KEY);
        let lap = u64::from(1024_u32 / 32 + 1) * 32;
        let mut marked = Vec::new();
        for seq in
            [0, 5, lap + 5, NOW, NOW + lap, NOW + (lap << 31) + 1, NOW + (lap << 32) + 2, u64::MAX - lap, u64::MAX]
        {
            assert_eq!(memory.mark(SAI, 0, seq, 0), Ok(()), "{seq}");
            marked.push(seq);
            for &seq in &marked {
                assert!(memory.check(SAI, 0, seq, 0).is_err() && memory.mark(SAI, 0, seq, 0).is_err(), "{seq} again");
            }
        }
    }

    #[test]
    fn a_full_pool_refuses_and_gives_away_only_what_is_idle() {
        let memory = ReplayMemory::new(small(), KEY);
        for node in 0..4 {
            assert_eq!(memory.mark(SAI, node, NOW, u64::from(node)), Ok(()));
        }
        assert_eq!(memory.mark(SAI, 4, NOW, 30_000), Err(Reason::ResTableFull));
        assert_eq!(memory.mark(SAI, 0, NOW + 1, 30_000), Ok(()), "a mark keeps it");
        assert_eq!(memory.mark(SAI, 4, 7, 30_002), Ok(()), "in the place of node 1");
        assert_eq!(memory.mark(SAI, 4, NOW, 30_002), Ok(()), "which left nothing behind");
        assert_eq!(memory.mark(SAI, 4, NOW, 30_002), Err(Reason::SecReplay));
        for node in [0, 2, 3] {
            assert_eq!(memory.mark(SAI, node, NOW, 30_002), Err(Reason::SecReplay), "node {node} is still there");
        }
        assert_eq!(memory.check(SAI, 1, NOW, 30_002), Ok(()), "forgotten; its time window is long over");
        let Counters { opened, reclaimed, full, .. } = memory.counters();
        assert_eq!((opened, reclaimed, full, memory.in_use(), memory.capacity()), (5, 1, 1, 4, 4));
    }

    #[test]
    fn one_signer_cannot_take_the_pool() {
        let memory = ReplayMemory::new(Config { windows: 256, nodes_per_signer: 3, ..small() }, KEY);
        for node in 0..=255 {
            let want = if node < 3 { Ok(()) } else { Err(Reason::ResTableFull) };
            assert_eq!(memory.mark(SAI, node, NOW, 0), want);
        }
        assert_eq!(memory.mark(*b"signer-2", 0, NOW, 0), Ok(()));
        assert_eq!(memory.mark(SAI, 9, NOW, 30_001), Ok(()), "its other nodes are idle");
        assert_eq!(memory.counters().signer_full, 253);
    }

    #[test]
    fn half_full_as_planned_the_pool_has_room_for_all() {
        let memory = ReplayMemory::new(Config { windows: 256, ..small() }, KEY);
        for signer in 0..128_u64 {
            assert_eq!(memory.mark(signer.to_be_bytes(), 0, NOW, 0), Ok(()));
        }
    }

    #[test]
    fn threads_accept_each_number_once() {
        let memory = ReplayMemory::new(Config { windows: 4, ..small() }, KEY);
        let accepted: usize = std::thread::scope(|scope| {
            let run = || (0..20_000).filter(|i| memory.mark(SAI, 0, NOW + i, 0).is_ok()).count();
            let threads = [scope.spawn(run), scope.spawn(run), scope.spawn(run)];
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // A worker may be overtaken by more than W, never so that a number passes twice.
        assert!(accepted <= 20_000 && accepted > 0, "{accepted}");
        assert_eq!(memory.counters().opened, 1);
    }

    proptest! {
        #[test]
        fn agrees_with_a_set(
            start in prop_oneof![Just(0), Just(NOW), any::<u64>()],
            steps in proptest::collection::vec(
                prop_oneof![8 => -1100_i64..40, 2 => 0..3000_i64, 1 => 0..1_i64 << 40, 1 => Just(-1024), 1 => Just(-1023)], 0..300),
        ) {
            let memory = ReplayMemory::new(small(), KEY);
            let mut model = BTreeSet::new();
            let mut top: Option<u64> = None;
            for step in steps {
                let seq = top.unwrap_or(start).saturating_add_signed(step);
                let want = match top {
                    Some(top) if top >= 1024 && seq <= top - 1024 => Err(Reason::SecSeqOld),
                    _ if !model.insert(seq) => Err(Reason::SecReplay),
                    _ => Ok(()),
                };
                if want.is_ok() {
                    top = top.max(Some(seq));
                }
                prop_assert_eq!(memory.check(SAI, 0, seq, 0), want);
                prop_assert_eq!(memory.mark(SAI, 0, seq, 0), want);
            }
        }
    }
}

#[cfg(all(test, loom))]
mod models;
