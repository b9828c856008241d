//! Messages in several SCTP DATA chunks, of one association and direction (RFC 9260 §6.9; formats 3).
//!
//! The fragments of a message have consecutive TSNs, from the one with the B bit to the one with the E bit, and share
//! stream, stream sequence number and PPID. They are kept until that run is whole, so that a message is judged once and
//! none of it leaves before. A hold is bounded in octets and in time: see [`Lost`].

use super::blocks::{Blocks, Chain};

/// Limits of [`Fragments`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Most octets of one message.
    pub octets: usize,
    /// Most messages on hold at once.
    pub messages: usize,
    /// Most fragments of all of them.
    pub fragments: usize,
    /// Longest hold since the first fragment that came, milliseconds.
    pub deadline_ms: u64,
}

impl Default for Config {
    /// 64 KiB and 200 ms (formats 3), 16 messages of 1024 fragments together.
    fn default() -> Self {
        Self { octets: 64 << 10, messages: 16, fragments: 1024, deadline_ms: 200 }
    }
}

/// One DATA chunk that is not a whole message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
    /// Transmission sequence number.
    pub tsn: u32,
    /// The B bit: first fragment.
    pub begin: bool,
    /// The E bit: last fragment.
    pub end: bool,
    /// The U bit.
    pub unordered: bool,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number; without meaning where `unordered`.
    pub ssn: u16,
    /// Payload protocol identifier.
    pub ppid: u32,
    /// User octets.
    pub payload: &'a [u8],
}

/// A whole message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// TSN of the fragment with the B bit.
    pub first_tsn: u32,
    /// TSN of the fragment with the E bit.
    pub last_tsn: u32,
    /// All user octets.
    pub octets: &'a [u8],
    /// Where in `octets` each fragment ends: one entry for each TSN from `first_tsn` to `last_tsn`.
    pub ends: &'a [u32],
    /// The U bit.
    pub unordered: bool,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number.
    pub ssn: u16,
    /// Payload protocol identifier.
    pub ppid: u32,
}

/// Chunks that are given up, counted as [`Reason::SctpReasm`](sealgate_wire::Reason::SctpReasm).
///
/// Where FORWARD TSN was negotiated, each TSN of the range becomes one, and the caller says so with
/// [`Fragments::abandon`] so that the rest of the message shares its fate. Otherwise the chunks are dropped without
/// acknowledgement and the neighbour sends them again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The lowest TSN.
    pub first_tsn: u32,
    /// The highest TSN. Between them there may be some that never came.
    pub last_tsn: u32,
    /// True if the fragment with the E bit is among them: nothing of the message is still to come above.
    pub end: bool,
    /// The U bit.
    pub unordered: bool,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number.
    pub ssn: u16,
}

/// What a fragment led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress<'a> {
    /// Kept, or already here with the same octets; more must come.
    Held,
    /// The message is whole, and no longer kept.
    Complete(Message<'a>),
    /// [`Reason::SctpReasm`](sealgate_wire::Reason::SctpReasm): beyond a limit, in contradiction to another fragment, or part of a message that was
    /// abandoned. This fragment and all of its message are given up.
    Refused(Lost),
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Fragments kept.
    pub held: u64,
    /// Messages completed.
    pub completed: u64,
    /// Fragments that were already here.
    pub duplicates: u64,
    /// Refusals because fragments contradict each other.
    pub conflicts: u64,
    /// Refusals because of a limit.
    pub limited: u64,
    /// Fragments of abandoned messages.
    pub abandoned: u64,
    /// Messages past the deadline.
    pub expired: u64,
}

/// How far apart the TSNs of fragments on hold may be.
const FAR: u32 = 1 << 16;

#[derive(Clone, Copy)]
struct Entry {
    tsn: u32,
    begin: bool,
    end: bool,
    unordered: bool,
    stream: u16,
    ssn: u16,
    ppid: u32,
    chain: Chain,
    at_ms: u64,
}

/// How two neighbours in TSN order relate.
#[derive(PartialEq, Eq)]
enum Relation {
    /// Parts of one message.
    Same,
    /// Parts of different messages.
    Different,
    /// Neither is possible.
    Contradiction,
}

impl Entry {
    fn relation(&self, next: &Self) -> Relation {
        let adjacent = next.tsn == self.tsn.wrapping_add(1);
        let border = self.end || next.begin;
        let header = (self.unordered, self.stream, self.ppid) == (next.unordered, next.stream, next.ppid)
            && (self.unordered || self.ssn == next.ssn);
        // Among ordered messages on hold, one stream and stream sequence number is one message, gaps or not.
        let numbered = !self.unordered && !next.unordered && (self.stream, self.ssn) == (next.stream, next.ssn);
        match (adjacent, border) {
            (true, true) if self.end && next.begin && !numbered => Relation::Different,
            (true, true) => Relation::Contradiction,
            (true, false) if header => Relation::Same,
            (true, false) => Relation::Contradiction,
            (false, _) if !numbered => Relation::Different,
            (false, false) if header => Relation::Same,
            (false, _) => Relation::Contradiction,
        }
    }
}

/// How many abandoned messages are remembered; the oldest goes first.
const ABANDONED: usize = 16;

/// For how long, milliseconds: by then the neighbour has taken a FORWARD TSN, or the association is gone.
const ABANDONED_MS: u64 = 60_000;

#[derive(Clone, Copy)]
struct Abandoned {
    lost: Lost,
    until_ms: u64,
}

/// The messages on hold in one association and direction.
///
/// Memory is taken as it is first needed: at most `messages` times `octets`, and a record for each fragment.
pub struct Fragments {
    config: Config,
    /// In serial order of their TSNs (RFC 1982).
    entries: Vec<Entry>,
    blocks: Blocks,
    octets: Vec<u8>,
    ends: Vec<u32>,
    abandoned: [Option<Abandoned>; ABANDONED],
    oldest_abandoned: usize,
    counters: Counters,
}

impl Fragments {
    /// Nothing on hold.
    pub fn new(config: Config) -> Self {
        let fragments = config.fragments.clamp(1, 1 << 16);
        // Each message may waste the rest of its blocks, one for each fragment.
        let octets = config.octets.saturating_mul(config.messages);
        Self {
            config: Config { fragments, ..config },
            entries: Vec::new(),
            blocks: Blocks::new(octets),
            octets: Vec::new(),
            ends: Vec::new(),
            abandoned: [None; ABANDONED],
            oldest_abandoned: 0,
            counters: Counters::default(),
        }
    }

    /// Takes one fragment. What [`Progress::Complete`] shows stays until the next call.
    ///
    /// A fragment that is already here with the same octets is not kept twice. A chunk with both B and E set is a whole
    /// message by itself and is returned as such unless it contradicts what is on hold.
    pub fn push(&mut self, fragment: &Fragment<'_>, now_ms: u64) -> Progress<'_> {
        if let Some(lost) = self.of_abandoned(fragment, now_ms) {
            self.counters.abandoned += 1;
            return Progress::Refused(lost);
        }
        // Numbers far apart have no order (RFC 1982): nothing honest is that far from what is on hold.
        let far = |entry: &Entry| (fragment.tsn.wrapping_sub(entry.tsn) as i32).unsigned_abs() > FAR;
        if self.entries.first().is_some_and(far) || self.entries.last().is_some_and(far) {
            self.counters.limited += 1;
            let &Fragment { tsn, end, unordered, stream, ssn, .. } = fragment;
            return Progress::Refused(Lost { first_tsn: tsn, last_tsn: tsn, end, unordered, stream, ssn });
        }
        let at = self.entries.partition_point(|entry| before(entry.tsn, fragment.tsn));
        let mut entry = Entry {
            tsn: fragment.tsn,
            begin: fragment.begin,
            end: fragment.end,
            unordered: fragment.unordered,
            stream: fragment.stream,
            ssn: fragment.ssn,
            ppid: fragment.ppid,
            chain: Chain::EMPTY,
            at_ms: now_ms,
        };
        if let Some(old) = self.entries.get(at).filter(|old| old.tsn == fragment.tsn) {
            let bits = |e: &Entry| (e.begin, e.end, e.unordered, e.stream, e.ssn, e.ppid, e.chain.len());
            entry.chain = old.chain;
            let len = fragment.payload.len();
            let same = len == old.chain.len() && bits(old) == bits(&entry);
            if same && self.blocks.starts_with(old.chain, &[fragment.payload]) {
                self.counters.duplicates += 1;
                return Progress::Held;
            }
            self.counters.conflicts += 1;
            return Progress::Refused(self.give_up(at));
        }
        // Neighbours first: what contradicts them takes them along, so that the neighbour starts afresh.
        for (neighbour, relation) in [
            at.checked_sub(1).map(|i| (i, self.entries.get(i).map(|left| left.relation(&entry)))),
            Some((at, self.entries.get(at).map(|right| entry.relation(right)))),
        ]
        .into_iter()
        .flatten()
        {
            if relation == Some(Relation::Contradiction) {
                self.counters.conflicts += 1;
                let lost = self.give_up(neighbour);
                return Progress::Refused(lost.with(&entry));
            }
        }
        if self.entries.len() >= self.config.fragments || !self.blocks.append(&mut entry.chain, fragment.payload) {
            self.counters.limited += 1;
            // Without this fragment the rest of its message waits in vain.
            let neighbour = if self.related(at.wrapping_sub(1), &entry) { at.wrapping_sub(1) } else { at };
            let lost = Lost::of(&entry);
            return Progress::Refused(match self.related(neighbour, &entry) {
                true => self.give_up(neighbour).with(&entry),
                false => lost,
            });
        }
        self.entries.insert(at, entry);
        self.counters.held += 1;
        let (from, to) = self.message(at);
        let octets: usize = self.range(from, to).iter().map(|entry| entry.chain.len()).sum();
        if octets > self.config.octets || (from + 1 == to && self.messages() > self.config.messages) {
            self.counters.limited += 1;
            return Progress::Refused(self.give_up(at));
        }
        if self.is_whole(from, to) { self.complete(from, to) } else { Progress::Held }
    }

    /// Takes the next message that is past its deadline, if any: call until `None`, once a turn.
    pub fn expired(&mut self, now_ms: u64) -> Option<Lost> {
        let limit = self.config.deadline_ms;
        let late = self.entries.iter().position(|entry| now_ms.saturating_sub(entry.at_ms) > limit)?;
        self.counters.expired += 1;
        Some(self.give_up(late))
    }

    /// Has the rest of a message refused, and the fragments in `lost` if they come again. Only where the caller turns
    /// each of them into a FORWARD TSN: without one the neighbour sends the message again, and it may then pass.
    pub fn abandon(&mut self, lost: Lost, now_ms: u64) {
        if let Some(place) = self.abandoned.get_mut(self.oldest_abandoned) {
            *place = Some(Abandoned { lost, until_ms: now_ms.saturating_add(ABANDONED_MS) });
        }
        self.oldest_abandoned = (self.oldest_abandoned + 1) % ABANDONED;
    }

    /// Forgets everything: the association ended or was set up anew.
    pub fn clear(&mut self) {
        while let Some(entry) = self.entries.pop() {
            self.blocks.free(entry.chain);
        }
        self.abandoned = [None; ABANDONED];
    }

    /// How many fragments are on hold.
    pub fn held(&self) -> usize {
        self.entries.len()
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// If `fragment` belongs to an abandoned message: itself, as lost.
    fn of_abandoned(&mut self, fragment: &Fragment<'_>, now_ms: u64) -> Option<Lost> {
        let tsn = fragment.tsn;
        // Stream sequence numbers come round after 65536 messages; a rest is never that far away.
        let reach = self.config.fragments as u32;
        let live = self.abandoned.iter_mut().flatten().filter(|abandoned| now_ms <= abandoned.until_ms);
        let of = live.map(|abandoned| &mut abandoned.lost).find(|lost| {
            let inside = !before(tsn, lost.first_tsn) && !before(lost.last_tsn, tsn);
            let header = (lost.unordered, lost.stream) == (fragment.unordered, fragment.stream)
                && (lost.unordered || lost.ssn == fragment.ssn);
            let ahead = tsn.wrapping_sub(lost.last_tsn);
            let rest =
                !lost.end && !fragment.begin && (ahead == 1 || (!lost.unordered && (1..=reach).contains(&ahead)));
            header && (inside || rest)
        })?;
        if before(of.last_tsn, tsn) {
            of.last_tsn = tsn;
            of.end = fragment.end;
        }
        Some(Lost { first_tsn: tsn, last_tsn: tsn, end: fragment.end, ..*of })
    }

    /// True if the entry at `neighbour` is a part of the message of `entry`.
    fn related(&self, neighbour: usize, entry: &Entry) -> bool {
        self.entries.get(neighbour).is_some_and(|other| match before(other.tsn, entry.tsn) {
            true => other.relation(entry) == Relation::Same,
            false => entry.relation(other) == Relation::Same,
        })
    }

    fn range(&self, from: usize, to: usize) -> &[Entry] {
        self.entries.get(from..to).unwrap_or_default()
    }

    fn same(&self, left: usize) -> bool {
        let pair = (self.entries.get(left), self.entries.get(left + 1));
        matches!(pair, (Some(left), Some(right)) if left.relation(right) == Relation::Same)
    }

    /// The entries of one message around `at`: from, to (excluded).
    fn message(&self, at: usize) -> (usize, usize) {
        let (mut from, mut to) = (at, at + 1);
        while from > 0 && self.same(from - 1) {
            from -= 1;
        }
        while self.same(to - 1) {
            to += 1;
        }
        (from, to)
    }

    fn messages(&self) -> usize {
        (0..self.entries.len()).filter(|&i| i == 0 || !self.same(i - 1)).count()
    }

    fn is_whole(&self, from: usize, to: usize) -> bool {
        let run = self.range(from, to);
        let consecutive = |pair: &[Entry]| matches!(pair, [a, b] if b.tsn == a.tsn.wrapping_add(1));
        run.first().is_some_and(|first| first.begin)
            && run.last().is_some_and(|last| last.end)
            && run.windows(2).all(consecutive)
    }

    fn complete(&mut self, from: usize, to: usize) -> Progress<'_> {
        self.octets.clear();
        self.ends.clear();
        let mut ends = None;
        for entry in self.entries.drain(from..to) {
            self.blocks.copy(entry.chain, 0, &mut self.octets);
            self.blocks.free(entry.chain);
            self.ends.push(self.octets.len() as u32);
            let first = ends.map_or(entry, |(first, _)| first);
            ends = Some((first, entry.tsn));
        }
        let Some((first, last_tsn)) = ends else { return Progress::Held };
        self.counters.completed += 1;
        Progress::Complete(Message {
            first_tsn: first.tsn,
            last_tsn,
            octets: &self.octets,
            ends: &self.ends,
            unordered: first.unordered,
            stream: first.stream,
            ssn: first.ssn,
            ppid: first.ppid,
        })
    }

    /// Drops the message around `at`, which exists.
    fn give_up(&mut self, at: usize) -> Lost {
        let (from, to) = self.message(at);
        let mut lost: Option<Lost> = None;
        for entry in self.entries.drain(from..to.min(self.entries.len())) {
            self.blocks.free(entry.chain);
            lost = Some(lost.map_or(Lost::of(&entry), |lost| lost.with(&entry)));
        }
        lost.unwrap_or(Lost { first_tsn: 0, last_tsn: 0, end: true, unordered: true, stream: 0, ssn: 0 })
    }
}

impl Lost {
    fn of(entry: &Entry) -> Self {
        let Entry { tsn, end, unordered, stream, ssn, .. } = *entry;
        Self { first_tsn: tsn, last_tsn: tsn, end, unordered, stream, ssn }
    }

    fn with(mut self, entry: &Entry) -> Self {
        if before(entry.tsn, self.first_tsn) {
            self.first_tsn = entry.tsn;
        }
        if before(self.last_tsn, entry.tsn) {
            self.last_tsn = entry.tsn;
        }
        self.end |= entry.end;
        self
    }
}

/// Serial order (RFC 1982): the shorter way round says which is first.
fn before(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) > 0
}

#[cfg(test)]
mod tests;
