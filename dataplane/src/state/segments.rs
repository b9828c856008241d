//! Reassembly of segmented XUDT and LUDT messages (Q.714 §4.1.1.2.3; formats 11.2).
//!
//! The key is the calling address, the called address and the local reference, all as received: a segment whose
//! addresses differ in one octet belongs to another message. The first segment says how many follow and each next one
//! counts down by one; whatever does not fit clears the message, so nobody can slip a part of his own in between.

use super::blocks::{Blocks, Chain};
use super::keyed::Key;
use sealgate_wire::Reason;

/// Limits of [`Segments`], per link.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Longest time between the first and the last segment, milliseconds.
    pub timeout_ms: u64,
    /// Most segments in a message. The wire cannot say more than 16.
    pub segments: u8,
    /// Most open messages.
    pub contexts: usize,
    /// Most octets of addresses and data in open messages, rounded up to blocks of 128 a message.
    pub octets: usize,
}

impl Default for Config {
    /// 10 s, 16 segments, 4096 messages (formats 11.2), 8 MiB.
    fn default() -> Self {
        Self { timeout_ms: 10_000, segments: 16, contexts: 4096, octets: 8 << 20 }
    }
}

/// One segment as it came.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Calling party address, the octets after its length.
    pub calling: &'a [u8],
    /// Called party address, the octets after its length.
    pub called: &'a [u8],
    /// Segmentation local reference (Q.713 §3.17).
    pub local_ref: [u8; 3],
    /// The F bit: the first segment.
    pub first: bool,
    /// How many segments follow, 0 to 15.
    pub remaining: u8,
    /// The data parameter: a part of a TCAP message.
    pub data: &'a [u8],
}

/// What a segment led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress<'a> {
    /// Kept; more must come.
    Held,
    /// It was the last one: the data of all segments, in order.
    Complete(&'a [u8]),
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Messages opened by a first segment that is not their last.
    pub opened: u64,
    /// Messages completed, those of one segment among them.
    pub completed: u64,
    /// Messages given up because another first segment came with their key.
    pub replaced: u64,
    /// Segments that fitted no message.
    pub conflicts: u64,
    /// Segments beyond a limit.
    pub limited: u64,
    /// Messages given up because they took too long.
    pub expired: u64,
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Context {
    hash: u64,
    local_ref: [u8; 3],
    remaining: u8,
    started_ms: u64,
    /// Calling address, called address and data, one after the other.
    chain: Chain,
    calling: u32,
    called: u32,
    /// Next in the bucket, or in the list of free contexts.
    next: u32,
    older: u32,
    newer: u32,
}

/// The open messages of one link.
///
/// Contexts and blocks are taken as they are first needed and then used again, so a warm link allocates nothing. A full
/// table takes a new message only in the place of an expired one.
pub struct Segments {
    config: Config,
    key: Key,
    contexts: Vec<Context>,
    buckets: Box<[u32]>,
    free: u32,
    oldest: u32,
    newest: u32,
    blocks: Blocks,
    out: Vec<u8>,
    open: usize,
    /// Expired inside `push`, not yet reported by `expire`.
    unreported: usize,
    counters: Counters,
}

impl Segments {
    /// An empty table. `key` spreads it over its buckets.
    pub fn new(config: Config, key: Key) -> Self {
        let contexts = config.contexts.clamp(1, 1 << 20);
        Self {
            config: Config { contexts, ..config },
            key,
            contexts: Vec::new(),
            buckets: vec![NONE; contexts.next_power_of_two()].into_boxed_slice(),
            free: NONE,
            oldest: NONE,
            newest: NONE,
            blocks: Blocks::new(config.octets),
            out: Vec::new(),
            open: 0,
            unreported: 0,
            counters: Counters::default(),
        }
    }

    /// Takes one segment. The octets of [`Progress::Complete`] stay until the next call.
    /// # Errors
    /// * [`Reason::SccpReasmConflict`]: not a first segment, and no open message wants exactly this one next; a message
    ///   with this key is given up.
    /// * [`Reason::SccpReasmLimit`]: more segments, messages or octets than configured; the message is given up.
    /// # Source
    /// Q.714 §4.1.1.2.3; formats 11.2.
    pub fn push(&mut self, segment: &Segment<'_>, now_ms: u64) -> Result<Progress<'_>, Reason> {
        self.unreported += self.sweep(now_ms);
        let hash = self.key.hash(&[segment.calling, segment.called, &segment.local_ref]);
        let open = self.find(hash, segment);
        let outcome = if segment.first { self.first(hash, open, segment, now_ms) } else { self.next(open, segment) };
        match outcome {
            Ok(false) => Ok(Progress::Held),
            Ok(true) => {
                self.counters.completed += 1;
                Ok(Progress::Complete(&self.out))
            }
            Err(reason) => {
                let count = match reason {
                    Reason::SccpReasmConflict => &mut self.counters.conflicts,
                    _ => &mut self.counters.limited,
                };
                *count += 1;
                Err(reason)
            }
        }
    }

    /// Gives up the messages that are open for longer than the time limit, and says how many they are since the last
    /// call: each counts as [`Reason::SccpReasmTimeout`].
    pub fn expire(&mut self, now_ms: u64) -> usize {
        self.sweep(now_ms) + core::mem::take(&mut self.unreported)
    }

    /// How many messages are open.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Opens a message; true if its first segment is its last.
    fn first(&mut self, hash: u64, open: Option<u32>, segment: &Segment<'_>, now_ms: u64) -> Result<bool, Reason> {
        if let Some(id) = open {
            self.remove(id);
            self.counters.replaced += 1;
        }
        if segment.remaining >= self.config.segments.min(16) {
            return Err(Reason::SccpReasmLimit);
        }
        if segment.remaining == 0 {
            self.out.clear();
            self.out.extend_from_slice(segment.data);
            return Ok(true);
        }
        let mut chain = Chain::EMPTY;
        for octets in [segment.calling, segment.called, segment.data] {
            if !self.blocks.append(&mut chain, octets) {
                self.blocks.free(chain);
                return Err(Reason::SccpReasmLimit);
            }
        }
        let context = Context {
            hash,
            local_ref: segment.local_ref,
            remaining: segment.remaining,
            started_ms: now_ms,
            chain,
            calling: segment.calling.len() as u32,
            called: segment.called.len() as u32,
            next: NONE,
            older: NONE,
            newer: NONE,
        };
        if !self.insert(context) {
            self.blocks.free(chain);
            return Err(Reason::SccpReasmLimit);
        }
        self.counters.opened += 1;
        Ok(false)
    }

    /// Continues a message; true if that was its last segment.
    fn next(&mut self, open: Option<u32>, segment: &Segment<'_>) -> Result<bool, Reason> {
        let id = open.ok_or(Reason::SccpReasmConflict)?;
        let context = self.contexts.get_mut(id as usize).ok_or(Reason::IntBug)?;
        let fault = if context.remaining.checked_sub(1) != Some(segment.remaining) {
            Some(Reason::SccpReasmConflict)
        } else if !self.blocks.append(&mut context.chain, segment.data) {
            Some(Reason::SccpReasmLimit)
        } else {
            None
        };
        context.remaining = segment.remaining;
        let Context { chain, calling, called, .. } = *context;
        if let Some(reason) = fault {
            self.remove(id);
            return Err(reason);
        }
        if segment.remaining > 0 {
            return Ok(false);
        }
        self.out.clear();
        self.blocks.copy(chain, calling as usize + called as usize, &mut self.out);
        self.remove(id);
        Ok(true)
    }

    fn sweep(&mut self, now_ms: u64) -> usize {
        let mut expired = 0;
        while let Some(context) = self.contexts.get(self.oldest as usize)
            && now_ms.saturating_sub(context.started_ms) > self.config.timeout_ms
        {
            self.remove(self.oldest);
            expired += 1;
        }
        self.counters.expired += expired as u64;
        expired
    }

    fn bucket(&self, hash: u64) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }

    fn find(&self, hash: u64, segment: &Segment<'_>) -> Option<u32> {
        let mut id = self.buckets.get(self.bucket(hash)).copied()?;
        loop {
            let context = self.contexts.get(id as usize)?;
            if context.hash == hash
                && context.local_ref == segment.local_ref
                && context.calling as usize == segment.calling.len()
                && context.called as usize == segment.called.len()
                && self.blocks.starts_with(context.chain, &[segment.calling, segment.called])
            {
                return Some(id);
            }
            id = context.next;
        }
    }

    fn insert(&mut self, mut context: Context) -> bool {
        let bucket = self.bucket(context.hash);
        let Some(head) = self.buckets.get_mut(bucket) else { return false };
        context.next = *head;
        context.older = self.newest;
        let id = if let Some(free) = self.contexts.get_mut(self.free as usize) {
            let id = core::mem::replace(&mut self.free, free.next);
            *free = context;
            id
        } else if self.contexts.len() < self.config.contexts {
            self.contexts.push(context);
            self.contexts.len() as u32 - 1
        } else {
            return false;
        };
        *head = id;
        match self.contexts.get_mut(self.newest as usize) {
            Some(newest) => newest.newer = id,
            None => self.oldest = id,
        }
        self.newest = id;
        self.open += 1;
        true
    }

    fn remove(&mut self, id: u32) {
        let Some(&Context { hash, chain, next, older, newer, .. }) = self.contexts.get(id as usize) else { return };
        self.blocks.free(chain);
        match self.contexts.get_mut(older as usize) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
        match self.contexts.get_mut(newer as usize) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        let bucket = self.bucket(hash);
        if let Some(head) = self.buckets.get_mut(bucket) {
            if *head == id {
                *head = next;
            } else {
                let mut at = *head;
                while let Some(context) = self.contexts.get_mut(at as usize) {
                    if context.next == id {
                        context.next = next;
                        break;
                    }
                    at = context.next;
                }
            }
        }
        if let Some(context) = self.contexts.get_mut(id as usize) {
            context.next = self.free;
            self.free = id;
            self.open -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const KEY: Key = Key::new(1, 2);

    fn segment(local_ref: u8, first: bool, remaining: u8, data: &[u8]) -> Segment<'_> {
        Segment { calling: b"calling", called: b"called", local_ref: [0, 0, local_ref], first, remaining, data }
    }

    #[test]
    fn segments_in_order_become_one_message() {
        let mut table = Segments::new(Config::default(), KEY);
        assert_eq!(table.push(&segment(1, true, 2, b"one "), 0), Ok(Progress::Held));
        assert_eq!(table.push(&segment(2, true, 1, b"other "), 0), Ok(Progress::Held));
        assert_eq!(table.push(&segment(1, false, 1, b"two "), 5_000), Ok(Progress::Held));
        assert_eq!(table.push(&segment(1, false, 0, b"three"), 10_000), Ok(Progress::Complete(b"one two three")));
        assert_eq!(table.push(&segment(2, false, 0, b"done"), 10_000), Ok(Progress::Complete(b"other done")));
        assert_eq!(table.push(&segment(1, true, 0, b"alone"), 10_000), Ok(Progress::Complete(b"alone")));
        assert_eq!((table.open(), table.blocks.in_use()), (0, 0));
    }

    #[test]
    fn a_misfit_clears_and_a_new_first_replaces() {
        let mut table = Segments::new(Config::default(), KEY);
        for misfit in [segment(1, false, 2, b""), segment(1, false, 0, b""), segment(1, false, 15, b"")] {
            assert_eq!(table.push(&segment(1, true, 2, b"a"), 0), Ok(Progress::Held));
            assert_eq!(table.push(&misfit, 0), Err(Reason::SccpReasmConflict));
            assert_eq!(table.push(&segment(1, false, 1, b"b"), 0), Err(Reason::SccpReasmConflict), "it is gone");
        }
        assert_eq!(table.push(&segment(1, true, 2, b"a"), 0), Ok(Progress::Held));
        assert_eq!(table.push(&segment(1, true, 1, b"x"), 0), Ok(Progress::Held));
        let foreign = Segment { calling: b"callinh", ..segment(1, false, 0, b"evil") };
        assert_eq!(table.push(&foreign, 0), Err(Reason::SccpReasmConflict), "another sender's segment fits nothing");
        let shifted = Segment { calling: b"callingc", called: b"alled", ..segment(1, false, 0, b"evil") };
        assert_eq!(table.push(&shifted, 0), Err(Reason::SccpReasmConflict));
        assert_eq!(table.push(&segment(1, false, 0, b"y"), 0), Ok(Progress::Complete(b"xy")));
        assert_eq!(table.blocks.in_use(), 0);
    }

    #[test]
    fn time_is_up_after_ten_seconds_from_the_first_segment() {
        let mut table = Segments::new(Config::default(), KEY);
        assert_eq!(table.push(&segment(1, true, 2, b"a"), 100), Ok(Progress::Held));
        assert_eq!(table.push(&segment(1, false, 1, b"b"), 9_000), Ok(Progress::Held));
        assert_eq!(table.expire(10_100), 0, "exactly at the limit");
        assert_eq!(table.push(&segment(1, false, 0, b"c"), 10_101), Err(Reason::SccpReasmConflict));
        assert_eq!((table.expire(10_101), table.expire(10_101)), (1, 0), "reported once");
        assert_eq!((table.open(), table.counters().expired), (0, 1));
    }

    #[test]
    fn a_full_table_takes_only_the_place_of_an_expired_message() {
        let config = Config { contexts: 5, ..Config::default() };
        let mut table = Segments::new(config, KEY);
        for n in 0..5 {
            assert_eq!(table.push(&segment(n, true, 1, b"a"), u64::from(n)), Ok(Progress::Held));
        }
        assert_eq!(table.push(&segment(9, true, 1, b"a"), 10_000), Err(Reason::SccpReasmLimit));
        assert_eq!(table.push(&segment(9, true, 1, b"a"), 10_001), Ok(Progress::Held));
        assert_eq!(table.push(&segment(0, false, 0, b"b"), 10_001), Err(Reason::SccpReasmConflict), "it made room");
        assert_eq!(table.push(&segment(1, false, 0, b"b"), 10_001), Ok(Progress::Complete(b"ab")));
        assert_eq!((table.expire(10_001), table.open(), table.contexts.len()), (1, 4, 5));
    }

    #[test]
    fn segments_and_octets_are_bounded() {
        let mut table = Segments::new(Config { segments: 4, octets: 256, ..Config::default() }, KEY);
        assert_eq!(table.push(&segment(1, true, 4, b"a"), 0), Err(Reason::SccpReasmLimit), "five segments");
        assert_eq!(table.push(&segment(1, true, 3, &[1; 200]), 0), Ok(Progress::Held));
        assert_eq!(table.push(&segment(2, true, 3, b"a"), 0), Err(Reason::SccpReasmLimit), "no block left");
        assert_eq!(table.push(&segment(1, false, 2, &[1; 100]), 0), Err(Reason::SccpReasmLimit));
        assert_eq!((table.open(), table.blocks.in_use()), (0, 0), "what cannot be completed is not kept");
        assert_eq!(table.counters().limited, 3);
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_table(
            steps in proptest::collection::vec((0..6_u8, 0..3_u8, any::<bool>(), 0..4_u8, 0..300_usize, 0..4_000_u64), 0..120),
        ) {
            let mut table = Segments::new(Config { contexts: 4, ..Config::default() }, KEY);
            let mut model: BTreeMap<(u8, u8), (u64, u8, Vec<u8>)> = BTreeMap::new();
            let (mut now, mut expired, mut reported) = (0, 0, 0);
            for (i, (from, local_ref, first, remaining, len, wait)) in steps.into_iter().enumerate() {
                now += wait;
                let before = model.len();
                model.retain(|_, (started, ..)| now - *started <= 10_000);
                expired += before - model.len();
                let data = vec![i as u8; len];
                let calling = [from % 2; 3];
                // Mostly the segment that fits, or most messages would never end.
                let key = (from % 2, local_ref);
                let (first, remaining) = match model.get(&key) {
                    Some((_, left, _)) if from < 4 => (false, left - 1),
                    _ => (first, remaining),
                };
                let want = if first {
                    model.remove(&key);
                    if remaining == 0 {
                        Ok(Some(data.clone()))
                    } else if model.len() == 4 {
                        Err(Reason::SccpReasmLimit)
                    } else {
                        model.insert(key, (now, remaining, data.clone()));
                        Ok(None)
                    }
                } else {
                    match model.remove(&key) {
                        Some((started, left, mut octets)) if left == remaining + 1 => {
                            octets.extend(&data);
                            if remaining == 0 {
                                Ok(Some(octets))
                            } else {
                                model.insert(key, (started, remaining, octets));
                                Ok(None)
                            }
                        }
                        _ => Err(Reason::SccpReasmConflict),
                    }
                };
                let segment = Segment {
                    calling: &calling, called: b"called", local_ref: [local_ref; 3], first, remaining, data: &data,
                };
                let got = table.push(&segment, now).map(|progress| match progress {
                    Progress::Held => None,
                    Progress::Complete(octets) => Some(octets.to_vec()),
                });
                prop_assert_eq!(got, want);
                prop_assert_eq!(table.open(), model.len());
                if i % 3 == 0 {
                    reported += table.expire(now);
                    prop_assert_eq!(reported, expired);
                }
            }
        }
    }
}
