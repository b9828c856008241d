//! Replay windows as octets, and back: width and `idle_ms`, how many windows, then each one in the order of signer and
//! node with its highest number, its last mark, and its marks by blocks of 32 numbers, the highest block first. Numbers
//! are microseconds, so that a window is nearly empty: blocks without a mark are left out.

use sealgate_wire::cursor::Reader;

use super::super::carry::{CarryError, be32, be64};
use super::super::sync::Ordering;
use super::{LIVE, NODE_SHIFT, ReplayMemory, STATE, Window};

/// Octets of a block: how far below the one of the highest number it lies, and its marks.
const BLOCK: usize = 8;

/// Windows that were read and found good, with the places that they will have.
pub struct Windows<'a>(Vec<(usize, Carried<'a>)>);

#[derive(Clone, Copy)]
struct Carried<'a> {
    sai: [u8; 8],
    node: u8,
    top: u64,
    last_ms: u64,
    blocks: &'a [u8],
}

impl Carried<'_> {
    /// Each block with its marks.
    fn blocks(&self) -> impl Iterator<Item = (u64, u64)> {
        self.blocks.chunks_exact(BLOCK).filter_map(|block| {
            let mut reader = Reader::new(block);
            let block = (self.top / 32).checked_sub(reader.be32()?.into())?;
            Some((block, reader.be32()?.into()))
        })
    }
}

impl ReplayMemory {
    /// Appends all windows. Only once nobody marks any more: a mark meanwhile may be missing.
    pub fn export(&self, out: &mut Vec<u8>) {
        let mut live: Vec<(u64, u8, usize, &Window)> = self
            .windows
            .iter()
            .enumerate()
            .map(|(at, window)| (at, window, window.guard.load(Ordering::Acquire)))
            .filter(|(.., guard)| guard & STATE == LIVE)
            .map(|(at, window, guard)| (window.sai.load(Ordering::Acquire), (guard >> NODE_SHIFT) as u8, at, window))
            .collect();
        live.sort_unstable_by_key(|&(sai, node, ..)| (sai, node));
        out.extend_from_slice(&(self.w as u32).to_be_bytes());
        out.extend_from_slice(&self.idle_ms.to_be_bytes());
        out.extend_from_slice(&(live.len() as u32).to_be_bytes());
        for (sai, node, at, window) in live {
            let top = window.top.load(Ordering::Acquire);
            out.extend_from_slice(&sai.to_be_bytes());
            out.push(node);
            out.extend_from_slice(&top.to_be_bytes());
            out.extend_from_slice(&window.last_ms.load(Ordering::Relaxed).to_be_bytes());
            let marked = || {
                (0..self.words_per_window as u64).filter_map(|back| {
                    let block = (top / 32).checked_sub(back)?;
                    let (word, tag) = self.slot(at, block)?;
                    let have = word.load(Ordering::Acquire);
                    let bits = have & self.valid(block, top);
                    (have >> 32 == tag && bits != 0).then_some((back as u32, bits as u32))
                })
            };
            out.extend_from_slice(&(marked().count() as u32).to_be_bytes());
            for (back, bits) in marked() {
                out.extend_from_slice(&back.to_be_bytes());
                out.extend_from_slice(&bits.to_be_bytes());
            }
        }
    }

    /// Fills an empty memory with what [`ReplayMemory::export`] wrote. The borrow says when: before workers share it.
    ///
    /// A window that is idle by `now_ms` and finds no place is left out, as it may be given away at any time.
    /// # Errors
    /// [`CarryError`]; nothing was changed.
    pub fn import(&mut self, octets: &[u8], now_ms: u64) -> Result<(), CarryError> {
        let windows = self.read(Reader::new(octets), now_ms)?;
        self.apply(windows);
        Ok(())
    }

    /// The half of an import that can fail, and changes nothing.
    /// # Errors
    /// [`CarryError`].
    pub(in crate::state) fn read<'a>(&self, mut reader: Reader<'a>, now_ms: u64) -> Result<Windows<'a>, CarryError> {
        if self.in_use() != 0 {
            return Err(CarryError::InUse);
        }
        let (theirs, ours) = (be32(&mut reader)?, self.w as u32);
        if theirs != ours {
            return Err(CarryError::Width { theirs, ours });
        }
        let (theirs_ms, ours_ms) = (be64(&mut reader)?, self.idle_ms);
        if theirs_ms < ours_ms {
            return Err(CarryError::Kept { theirs_ms, ours_ms });
        }
        let count = be32(&mut reader)?;
        let mut windows = Vec::new();
        let mut before = None;
        for _ in 0..count {
            let at = reader.at();
            let one = self.read_one(&mut reader, now_ms)?;
            // In their order, and so none twice: two windows of one key would accept a number twice.
            if before.replace((one.sai, one.node)) >= Some((one.sai, one.node)) {
                return Err(CarryError::Malformed(at));
            }
            windows.push(one);
        }
        if !reader.is_empty() {
            return Err(CarryError::Malformed(reader.at()));
        }
        self.places(windows, now_ms)
    }

    fn read_one<'a>(&self, reader: &mut Reader<'a>, now_ms: u64) -> Result<Carried<'a>, CarryError> {
        let begin = reader.at();
        let malformed = |at: usize| CarryError::Malformed(at);
        let sai = *reader.array().ok_or(malformed(begin))?;
        let node = reader.u8().ok_or(malformed(begin))?;
        let top = be64(reader)?;
        // One of a clock that was set back would stay for ever.
        let last_ms = be64(reader)?.min(now_ms);
        let count = be32(reader)? as usize;
        let at = reader.at();
        let octets = count.checked_mul(BLOCK).and_then(|len| reader.take(len)).ok_or(malformed(at))?;
        let one = Carried { sai, node, top, last_ms, blocks: octets };
        let mut last: Option<u64> = None;
        let mut good = 0;
        for (block, bits) in one.blocks() {
            if bits == 0 || bits & !self.valid(block, top) != 0 || last.is_some_and(|last| block >= last) {
                return Err(malformed(at + good * BLOCK));
            }
            last = Some(block);
            good += 1;
        }
        if good == count { Ok(one) } else { Err(malformed(at)) }
    }

    /// Finds each window its place, those marked last first.
    fn places<'a>(&self, mut windows: Vec<Carried<'a>>, now_ms: u64) -> Result<Windows<'a>, CarryError> {
        windows.sort_by_key(|one| core::cmp::Reverse(one.last_ms));
        let mut taken = vec![false; self.windows.len()];
        let mut placed = Vec::with_capacity(windows.len());
        for one in windows {
            let free = self.probe(one.sai, one.node).map(|(at, _)| at).find(|&at| taken.get(at) == Some(&false));
            match free {
                Some(at) => {
                    if let Some(taken) = taken.get_mut(at) {
                        *taken = true;
                    }
                    placed.push((at, one));
                }
                None if now_ms.saturating_sub(one.last_ms) > self.idle_ms => {}
                None => return Err(CarryError::Room),
            }
        }
        Ok(Windows(placed))
    }

    /// The half of an import that cannot fail.
    pub(in crate::state) fn apply(&mut self, windows: Windows<'_>) {
        for (at, one) in windows.0 {
            let Some(window) = self.windows.get(at) else { continue };
            for (block, bits) in one.blocks() {
                if let Some((word, tag)) = self.slot(at, block) {
                    word.store(tag << 32 | bits, Ordering::Release);
                }
            }
            window.top.store(one.top, Ordering::Release);
            window.sai.store(u64::from_be_bytes(one.sai), Ordering::Release);
            window.last_ms.store(one.last_ms, Ordering::Relaxed);
            self.settle(window, one.node.into());
        }
    }

    /// The word of a block in the window at a place, and the tag of its lap.
    fn slot(&self, at: usize, block: u64) -> Option<(&super::AtomicU64, u64)> {
        let ring = self.words_per_window as u64;
        let word = self.words.get(at * self.words_per_window + (block % ring) as usize)?;
        Some((word, (block / ring) & 0xffff_ffff))
    }

    /// The bits of a block that a window with this highest number can have: not above it, and not old.
    fn valid(&self, block: u64, top: u64) -> u64 {
        const ALL: u64 = 0xffff_ffff;
        let first = top.checked_sub(self.w).map_or(0, |floor| floor + 1);
        let from = match block.cmp(&(first / 32)) {
            core::cmp::Ordering::Less => 0,
            core::cmp::Ordering::Equal => ALL << (first % 32) & ALL,
            core::cmp::Ordering::Greater => ALL,
        };
        let to = match block.cmp(&(top / 32)) {
            core::cmp::Ordering::Less => ALL,
            core::cmp::Ordering::Equal => ALL >> (31 - top % 32),
            core::cmp::Ordering::Greater => 0,
        };
        from & to
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::super::keyed::Key;
    use super::super::{Config, Counters};
    use super::*;
    use proptest::prelude::*;
    use sealgate_wire::Reason;

    const SAI: [u8; 8] = *b"signer-1";
    const SMALL: Config = Config { windows: 4, w: 1024, nodes_per_signer: 16, idle_ms: 30_000 };

    fn memory(config: Config, key: u64) -> ReplayMemory {
        ReplayMemory::new(config, Key::new(key, 4))
    }

    fn exported(memory: &ReplayMemory) -> Vec<u8> {
        let mut out = Vec::new();
        memory.export(&mut out);
        out
    }

    #[test]
    fn windows_go_to_a_pool_of_another_size_and_key() {
        let old = memory(Config { windows: 64, ..SMALL }, 1);
        for node in 0..40 {
            old.mark(SAI, node % 16, 9_000 + u64::from(node), 5).unwrap();
        }
        let mut new = memory(Config { windows: 128, ..SMALL }, 2);
        new.import(&exported(&old), 10).unwrap();
        assert_eq!(new.in_use(), 16);
        for node in 0..40 {
            assert_eq!(new.mark(SAI, node % 16, 9_000 + u64::from(node), 10), Err(Reason::SecReplay));
        }
        assert_eq!(exported(&new), exported(&old), "and so on to the third");
        assert_eq!(new.counters(), Counters { replays: 40, ..Counters::default() }, "import counts nothing");
    }

    #[test]
    fn a_pool_too_small_takes_the_fresh_or_none() {
        let old = memory(Config { windows: 8, ..SMALL }, 1);
        for node in 0..6 {
            old.mark(SAI, node, 9_000, if node < 4 { 40_000 } else { 0 }).unwrap();
        }
        let octets = exported(&old);
        let mut small = memory(SMALL, 2);
        assert_eq!(small.import(&octets, 30_000), Err(CarryError::Room), "six are in use, four fit");
        assert_eq!(small.in_use(), 0);
        small.import(&octets, 40_000).unwrap();
        for node in 0..4 {
            assert_eq!(small.check(SAI, node, 9_000, 40_000), Err(Reason::SecReplay), "{node}");
        }
        assert_eq!(small.mark(SAI, 6, 1, 70_001), Ok(()), "what came over becomes idle like all others");
    }

    #[test]
    fn a_mark_of_a_clock_ahead_does_not_keep_a_window_for_ever() {
        let old = memory(SMALL, 1);
        old.mark(SAI, 0, 9_000, u64::MAX).unwrap();
        let mut new = memory(Config { windows: 1, ..SMALL }, 1);
        new.import(&exported(&old), 1_000).unwrap();
        assert_eq!(new.mark(SAI, 1, 9_000, 31_000), Err(Reason::ResTableFull));
        assert_eq!(new.mark(SAI, 1, 9_000, 31_001), Ok(()));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..96), head in any::<bool>()) {
            let mut all = if head { exported(&memory(SMALL, 1))[..12].to_vec() } else { Vec::new() };
            all.extend(octets);
            let mut memory = memory(SMALL, 1);
            if memory.import(&all, u64::MAX).is_err() {
                prop_assert_eq!(memory.in_use(), 0);
            } else {
                prop_assert_eq!(exported(&memory), all, "what loads is what would be written");
            }
        }

        #[test]
        fn marks_are_kept_wherever_the_window_stands(
            start in prop_oneof![Just(0), Just(1_000), any::<u64>()],
            steps in proptest::collection::vec(prop_oneof![8 => -1100_i64..40, 2 => 0..3000_i64], 0..60),
        ) {
            let old = memory(SMALL, 1);
            let (mut top, mut seen) = (start, vec![start]);
            for step in steps {
                let seq = top.saturating_add_signed(step);
                let _ = old.mark(SAI, 0, seq, 0);
                top = top.max(seq);
                seen.extend([seq, seq.saturating_add(1), seq.saturating_sub(1)]);
            }
            let mut new = memory(SMALL, 2);
            prop_assert_eq!(new.import(&exported(&old), 0), Ok(()));
            for seq in seen {
                prop_assert_eq!(new.check(SAI, 0, seq, 0), old.check(SAI, 0, seq, 0));
                prop_assert_eq!(new.mark(SAI, 0, seq, 0), old.mark(SAI, 0, seq, 0));
            }
        }
    }
}
