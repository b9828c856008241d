//! One direction of one connection: octets as they came, messages that wait for their verdicts, octets as they leave.
//!
//! Positions are sequence numbers that do not wrap, see [`map`](super::map). As they came:
//! `base <= cut <= next`; before `base` all is released, before `cut` messages are delimited, before `next` nothing is
//! missing. As they leave: `una <= sent <= end` and the FIN behind it; before `una` the receiver has all, before `sent`
//! it was sent, before `end` it may be. `base` and `end` are the same place.

use std::collections::VecDeque;

use sealgate_wire::tcp;

use super::super::blocks::{Blocks, Chain};
use super::buffer::{Pool, Window};
use super::map::{Map, Step};
use super::{Border, Config, Counters, Protocol};

/// Pieces beyond a hole that are kept.
const RANGES: usize = 32;
/// A segment this small passes any path (RFC 9293 §3.7.1), so no lesser one is taken for a sign of its MTU.
pub(super) const LEAST_SEGMENT: usize = 536;
/// No host sends smaller segments because it is told to: Linux has the same bound.
const LEAST_MSS: usize = 48;
/// Signs that both ends of an adopted connection count differently, until it is given up.
const DOUBTS: u8 = 8;

/// The position next to `near` whose wire form is `seq`.
#[inline]
pub(super) fn position(seq: u32, near: u64) -> u64 {
    let distance = seq.wrapping_sub(near as u32) as i32;
    near.wrapping_add_signed(i64::from(distance))
}

/// A position whose wire form is `seq`, with room before it.
#[inline]
pub(super) fn first_position(seq: u32) -> u64 {
    (1 << 32) + u64::from(seq)
}

/// What is to leave in a message's place.
#[derive(Debug)]
enum What {
    Waiting,
    AsCame,
    Octets(Chain),
    /// Octets from `at` on of the filler for a message of `total`.
    Filler {
        total: usize,
        at: usize,
    },
}

/// A message, or a piece of one that is refused without being judged.
#[derive(Debug)]
struct Pending {
    len: usize,
    what: What,
}

/// Where nobody can tell how the stream goes on.
#[derive(Debug)]
pub(super) struct Lost;

/// What an acknowledgement said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acked {
    /// It counts.
    Counts,
    /// A later one was here before.
    Old,
    /// Of octets that never left.
    Beyond,
    /// Again and again, of octets before those that we adopted the connection with.
    Doubtful,
}

/// What all flows share.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) pool: Pool,
    pub(super) blocks: Blocks,
    pub(super) counters: Counters,
}

#[derive(Default)]
pub(super) struct Half {
    /// Its positions are known.
    pub(super) synced: bool,
    /// Met in mid-stream, and the receiver has acknowledged nothing of ours yet.
    unproven: bool,
    doubts: u8,

    base: u64,
    cut: u64,
    pub(super) next: u64,
    input: Window,
    ranges: [(u64, u64); RANGES],
    range_count: usize,
    fin: Option<u64>,
    pending: VecDeque<Pending>,
    /// Number of the first of `pending`.
    first: u32,
    /// A message that is refused as it comes: its octets, and how many of them were.
    filling: Option<(usize, usize)>,
    /// Of the message at `cut`: octets in which its border was not found, and its length as soon as that is known.
    looked: usize,
    known: Option<usize>,
    /// Since when there is half a message.
    pub(super) half_since: Option<u64>,

    pub(super) una: u64,
    pub(super) sent: u64,
    pub(super) end: u64,
    output: Window,
    map: Map,

    /// What the sender was told that the receiver has.
    pub(super) acked: u64,
    /// The first position that the receiver does not take.
    pub(super) edge: u64,
    /// The first position that the sender may not send.
    promised: u64,
    /// Of the segment that told the window.
    window_seq: u32,
    window: u16,
    /// The sender may send more, and nobody told it yet.
    pub(super) invites: bool,
    /// By how much the receiver shifts its windows.
    pub(super) scale: u8,
    /// The handshake was not seen: the scale is at least that.
    pub(super) scale_unknown: bool,
    /// What the receiver takes in one segment.
    pub(super) mss: usize,
    /// The handshake allows SACK to the sender.
    pub(super) sack: bool,

    /// The latest timestamps of the sender.
    pub(super) timestamps: Option<(u32, u32)>,
    /// Of the segments that came lately, the largest payload: larger ones might not pass the path.
    largest: usize,
}

impl Half {
    /// Begins at a position; the input up to it is acknowledged, nothing behind it was seen.
    ///
    /// * `window`: octets that the receiver takes
    /// * `window_seq`: of the segment that says so
    pub(super) fn begin(&mut self, position: u64, window: u64, window_seq: u32, shared: &mut Shared) {
        self.clear(shared);
        self.synced = true;
        self.fin = None;
        for place in [&mut self.base, &mut self.cut, &mut self.next, &mut self.una, &mut self.sent, &mut self.end] {
            *place = position;
        }
        self.acked = position;
        self.edge = position + window;
        self.window_seq = window_seq;
        self.promised = position;
        self.largest = LEAST_SEGMENT;
        self.map.reset(position);
        self.promise(shared.config.input_octets);
    }

    /// Begins where the receiver of a connection met in mid-stream is.
    pub(super) fn adopt(&mut self, position: u64, window: u16, window_seq: u32, shared: &mut Shared) {
        self.scale_unknown = true;
        self.unproven = true;
        self.window = window;
        self.begin(position, u64::from(window) << self.scale, window_seq, shared);
    }

    /// True as long as an adopted position may turn out to be another one.
    pub(super) fn is_unproven(&self) -> bool {
        self.unproven && self.sent == self.una
    }

    /// Looks for signs that a gateway before us changed lengths: since we adopted the connection nothing came in order, and
    /// its sender repeats what the receiver has, or what is not next. `Err` after some of them.
    pub(super) fn doubt(&mut self, at: u64, len: u64) -> Result<(), Lost> {
        let begins = self.unproven && self.next == self.una;
        let repeats = at + len <= self.acked || self.ranges().first().is_some_and(|range| range.0 == at);
        if len > 0 && begins && repeats {
            self.doubts = self.doubts.saturating_add(1);
        }
        if self.doubts > DOUBTS { Err(Lost) } else { Ok(()) }
    }

    /// Gives all memory back; open tickets are void.
    pub(super) fn clear(&mut self, shared: &mut Shared) {
        self.input.consume(usize::MAX, &mut shared.pool);
        self.output.consume(usize::MAX, &mut shared.pool);
        self.first = self.first.wrapping_add(self.pending.len() as u32);
        for pending in self.pending.drain(..) {
            if let What::Octets(chain) = pending.what {
                shared.blocks.free(chain);
            }
        }
        (self.range_count, self.filling, self.half_since) = (0, None, None);
        (self.looked, self.known) = (0, None);
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self, shared: &mut Shared) {
        self.clear(shared);
        (self.synced, self.unproven, self.scale_unknown) = (false, false, false);
        (self.doubts, self.scale, self.mss, self.sack, self.timestamps) = (0, 0, shared.config.mss, false, None);
    }

    /// All octets that came are acknowledged, and the FIN behind them.
    pub(super) fn is_finished(&self) -> bool {
        self.fin_is_next() && self.una > self.end
    }

    /// Nothing is missing before the FIN, and all of it is released.
    fn fin_is_next(&self) -> bool {
        self.fin == Some(self.base) && self.base == self.next
    }

    /// Where the positions of FIN or of the last octet that was promised end: what is behind is no business of ours.
    pub(super) fn accepts(&self, at: u64, len: u64) -> bool {
        let last = if self.scale_unknown { self.next + (1 << 30) } else { self.promised.max(self.next + 1) };
        at <= last + 1 && at + len + 1 >= self.acked
    }

    /// Takes a segment's octets. Octets that are here already stay; different ones are counted and nothing else.
    ///
    /// `false` if there is no memory for them.
    pub(super) fn insert(&mut self, at: u64, payload: &[u8], fin: bool, shared: &mut Shared) -> bool {
        let whole_end = at + payload.len() as u64;
        self.note_segment_size(payload.len(), whole_end);
        let limit = self.base + shared.config.input_octets as u64;
        let limit = self.fin.map_or(limit, |fin| limit.min(fin));
        let (start, end) = (at.max(self.base), whole_end.min(limit));
        if start < end {
            let octets = payload.get((start - at) as usize..(end - at) as usize).unwrap_or_default();
            if !self.store(start, octets, shared) {
                return false;
            }
        }
        let beyond = self.ranges().last().map_or(self.next, |range| range.1);
        if fin && self.fin.is_none() && whole_end >= beyond {
            self.fin = Some(whole_end);
        } else if fin && self.fin != Some(whole_end) || !fin && self.fin.is_some_and(|fin| whole_end > fin) {
            shared.counters.conflicts += 1;
        }
        true
    }

    fn note_segment_size(&mut self, len: usize, end: u64) {
        if len > self.largest {
            self.largest = len;
        } else if len > 0 && end <= self.next {
            // Smaller the second time: the sender learned that the path takes no more.
            self.largest = len.max(LEAST_SEGMENT);
        }
    }

    /// The pieces behind holes, as SACK blocks.
    pub(super) fn held_blocks(&self) -> tcp::Blocks {
        let mut blocks = tcp::Blocks::default();
        self.ranges().iter().for_each(|&(left, right)| blocks.push(left as u32, right as u32));
        blocks
    }

    fn ranges(&self) -> &[(u64, u64)] {
        self.ranges.get(..self.range_count).unwrap_or_default()
    }

    fn store(&mut self, start: u64, octets: &[u8], shared: &mut Shared) -> bool {
        let end = start + octets.len() as u64;
        let touches = |range: &&(u64, u64)| range.0 <= end && start <= range.1;
        if start > self.next && self.range_count == RANGES && self.ranges().iter().find(touches).is_none() {
            shared.counters.out_of_order_full += 1;
            return true;
        }
        if !self.input.reach((end - self.base) as usize, &mut shared.pool) {
            return false;
        }
        // What is there already is compared, what is not is written.
        let (mut at, mut conflict, base) = (start, false, self.base);
        let ordered = [(self.base, self.next)];
        let known = ordered.iter().chain(self.ranges.get(..self.range_count).unwrap_or_default());
        for &(left, right) in known.chain(&[(u64::MAX, u64::MAX)]) {
            if right <= at {
                continue;
            }
            let piece =
                |from: u64, to: u64| octets.get((from - start) as usize..(to - start) as usize).unwrap_or_default();
            let gap_end = left.clamp(at, end);
            let gap = piece(at, gap_end);
            if let Some(room) = self.input.octets_mut((at - base) as usize).get_mut(..gap.len()) {
                room.copy_from_slice(gap);
            }
            at = gap_end;
            let there_end = right.clamp(at, end);
            let there = piece(at, there_end);
            conflict |= self.input.octets_mut((at - base) as usize).get(..there.len()) != Some(there);
            at = there_end;
            if at == end {
                break;
            }
        }
        shared.counters.conflicts += u64::from(conflict);
        self.add_range(start, end);
        true
    }

    /// Notes that octets are here, and moves `next` over all that touches it.
    fn add_range(&mut self, mut start: u64, mut end: u64) {
        let mut kept = 0;
        for i in 0..self.range_count {
            let Some(&(left, right)) = self.ranges.get(i) else { break };
            if left <= end && start <= right {
                (start, end) = (start.min(left), end.max(right));
            } else if let Some(place) = self.ranges.get_mut(kept) {
                *place = (left, right);
                kept += 1;
            }
        }
        self.range_count = kept;
        if start <= self.next {
            self.next = self.next.max(end);
        } else {
            let i = self.ranges().partition_point(|range| range.0 < start);
            if let Some(behind) = self.ranges.get_mut(i..=kept) {
                behind.rotate_right(1);
                if let Some(place) = behind.first_mut() {
                    *place = (start, end);
                }
                self.range_count = kept + 1;
            }
        }
    }

    /// Finds messages in what is here in order, and offers each with its number.
    pub(super) fn frame(
        &mut self,
        protocol: &Protocol,
        now_ms: u64,
        shared: &mut Shared,
        offer: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<(), Lost> {
        loop {
            let here = (self.next - self.cut) as usize;
            if here == 0 {
                self.half_since = None;
                return Ok(());
            }
            if let Some((total, done)) = self.filling {
                let len = here.min(total - done);
                if !self.push_filler(total, done, len, shared) {
                    return Ok(());
                }
                self.filling = (done + len < total).then_some((total, done + len));
                continue;
            }
            let octets = self.input.octets();
            let octets =
                octets.get((self.cut - self.base) as usize..).and_then(|rest| rest.get(..here)).unwrap_or_default();
            let ends = self.fin == Some(self.next);
            let border = match self.known.take() {
                Some(len) => Border::Whole(len),
                None => (protocol.border)(octets, std::mem::take(&mut self.looked)),
            };
            match border {
                Border::Malformed | Border::Whole(0) => return Err(Lost),
                Border::NeedMore if ends || here >= shared.config.hold_octets => return Err(Lost),
                Border::Whole(len) if len > shared.config.hold_octets || len > here && ends => {
                    shared.counters.refused_long += 1;
                    self.filling = Some((len, 0));
                }
                Border::Whole(len) if len <= here => {
                    if self.pending.len() >= shared.config.messages {
                        self.known = Some(len);
                        return Ok(());
                    }
                    let (message, behind) = octets.split_at_checked(len).unwrap_or_default();
                    // In mid-stream a header is one only if the next one, or the segment's end, is where it says.
                    if self.unproven && !behind.is_empty() && (protocol.border)(behind, 0) == Border::Malformed {
                        return Err(Lost);
                    }
                    offer(self.first.wrapping_add(self.pending.len() as u32), message);
                    shared.counters.offered += 1;
                    self.pending.push_back(Pending { len, what: What::Waiting });
                    self.cut += len as u64;
                    self.half_since = None;
                }
                border => {
                    let len = if let Border::Whole(len) = border { len } else { here + LEAST_SEGMENT };
                    (self.looked, self.known) = match border {
                        Border::Whole(len) => (0, Some(len)),
                        _ => (here, None),
                    };
                    self.half_since.get_or_insert(now_ms);
                    self.invite(self.cut + len as u64, shared);
                    return Ok(());
                }
            }
        }
    }

    /// Lets the sender send up to the end of a message that is longer than what the receiver takes: it is kept here, and
    /// leaves as the receiver's window opens. Without that it would be half for ever.
    fn invite(&mut self, end: u64, shared: &Shared) {
        // A window field rounds down.
        let end = end.min(self.base + shared.config.input_octets as u64) + (1 << self.scale) - 1;
        if end > self.promised {
            self.promised = end;
            self.invites = true;
        }
    }

    fn push_filler(&mut self, total: usize, at: usize, len: usize, shared: &Shared) -> bool {
        if let Some(Pending { len: before, what: What::Filler { total: same, at: start } }) = self.pending.back_mut()
            && (*same, *start + *before) == (total, at)
            && at > 0
        {
            *before += len;
        } else if self.pending.len() >= shared.config.messages {
            return false;
        } else {
            self.pending.push_back(Pending { len, what: What::Filler { total, at } });
        }
        self.cut += len as u64;
        self.half_since = None;
        true
    }

    /// Refuses the half message that was held too long. `Err` if nobody knows how long it is.
    pub(super) fn overdue(&mut self, protocol: &Protocol, shared: &mut Shared) -> Result<(), Lost> {
        self.half_since = None;
        let octets = self.input.octets().get((self.cut - self.base) as usize..).unwrap_or_default();
        let octets = octets.get(..(self.next - self.cut) as usize).unwrap_or_default();
        self.looked = 0;
        let border = self.known.take().map_or_else(|| (protocol.border)(octets, 0), Border::Whole);
        match border {
            Border::Whole(len) if len > octets.len() => {
                shared.counters.refused_late += 1;
                self.filling = Some((len, 0));
                Ok(())
            }
            Border::Whole(len) if len > 0 => Ok(()),
            _ => Err(Lost),
        }
    }

    fn waiting(&mut self, number: u32) -> Option<&mut Pending> {
        let pending = self.pending.get_mut(number.wrapping_sub(self.first) as usize)?;
        matches!(pending.what, What::Waiting).then_some(pending)
    }

    /// The octets of a message that waits for its verdict.
    pub(super) fn message(&self, number: u32) -> Option<&[u8]> {
        let i = number.wrapping_sub(self.first) as usize;
        let pending = self.pending.get(i).filter(|pending| matches!(pending.what, What::Waiting))?;
        let at: usize = self.pending.iter().take(i).map(|pending| pending.len).sum();
        self.input.octets().get(at..at + pending.len)
    }

    /// The sequence number that a pending message came under.
    pub(super) fn place(&self, number: u32) -> u32 {
        let before = number.wrapping_sub(self.first) as usize;
        let at: usize = self.pending.iter().take(before).map(|pending| pending.len).sum();
        (self.base + at as u64) as u32
    }

    /// Writes down a verdict; `None` if that message does not wait for one.
    pub(super) fn settle(&mut self, number: u32, fate: super::Fate<'_>, shared: &mut Shared) -> Option<()> {
        let pending = self.waiting(number)?;
        let filler = What::Filler { total: pending.len, at: 0 };
        let most = shared.config.hold_octets + shared.config.growth_octets;
        pending.what = match fate {
            super::Fate::AsCame => What::AsCame,
            super::Fate::Refused => filler,
            super::Fate::Octets(octets) => {
                let mut chain = Chain::EMPTY;
                let fits = !octets.is_empty() && octets.len() <= most;
                if fits && shared.blocks.append(&mut chain, octets) {
                    What::Octets(chain)
                } else {
                    shared.counters.no_room += 1;
                    filler
                }
            }
        };
        Some(())
    }

    /// Moves what is settled from the front of the input to the end of the output. True if anything moved.
    pub(super) fn release(&mut self, protocol: &Protocol, shared: &mut Shared) -> bool {
        let before = self.base;
        while let Some(pending) = self.pending.front_mut() {
            let room = shared.config.output_octets.saturating_sub(self.output.len());
            let pool = &mut shared.pool;
            let (from, to) = match &mut pending.what {
                What::Waiting => break,
                What::AsCame if pending.len <= room => {
                    let octets = self.input.octets().get(..pending.len).unwrap_or_default();
                    if !self.output.append(octets, pool) {
                        break;
                    }
                    (pending.len, pending.len)
                }
                What::Octets(chain) if chain.len() <= room => {
                    let (len, at) = (chain.len(), self.output.len());
                    let changes = len != pending.len;
                    if changes && self.map.len() >= shared.config.steps || !self.output.reach(at + len, pool) {
                        break;
                    }
                    let mut place = self.output.octets_mut(at);
                    for piece in shared.blocks.pieces(*chain) {
                        let (now, later) = place.split_at_mut(piece.len().min(place.len()));
                        now.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
                        place = later;
                    }
                    shared.blocks.free(*chain);
                    (pending.len, len)
                }
                What::Filler { total, at } if room > 0 => {
                    let (len, end) = (pending.len.min(room), self.output.len());
                    if !self.output.reach(end + len, pool) {
                        break;
                    }
                    (protocol.fill)(*total, *at, self.output.octets_mut(end));
                    *at += len;
                    (len, len)
                }
                What::AsCame | What::Octets(_) | What::Filler { .. } => break,
            };
            self.input.consume(from, pool);
            let step = Step { input: (self.base, self.base + from as u64), output: (self.end, self.end + to as u64) };
            if from != to {
                self.map.push(step);
            }
            (self.base, self.end) = (step.input.1, step.output.1);
            if from < pending.len {
                pending.len -= from;
            } else {
                self.pending.pop_front();
                self.first = self.first.wrapping_add(1);
            }
        }
        self.base != before
    }

    /// Takes what the receiver says: its next position, and its window behind it.
    ///
    /// * `seq`: of the segment that says so
    pub(super) fn acknowledge(&mut self, ack: u32, window: u16, seq: u32, shared: &mut Shared) -> Acked {
        let at = position(ack, self.una);
        if at > self.sent {
            return Acked::Beyond;
        }
        if at < self.una {
            self.doubts = self.doubts.saturating_add(u8::from(self.unproven && self.sent > self.una));
            return if self.doubts > DOUBTS { Acked::Doubtful } else { Acked::Old };
        }
        let octets = at.min(self.end) - self.una.min(self.end);
        self.output.consume(octets as usize, &mut shared.pool);
        let moved = at > self.una;
        self.una = at;
        if moved {
            (self.unproven, self.doubts) = (false, 0);
        }
        self.acked = self.acked.max(self.map.to_input(at, false));
        self.map.prune(at);
        let newer = seq.wrapping_sub(self.window_seq) as i32;
        let edge = at + (u64::from(window) << self.scale);
        // The latest segment counts; of several with the same numbers the one that offers most, in whatever order.
        if moved || newer > 0 || newer == 0 && edge > self.edge {
            (self.edge, self.window) = (edge, window);
            if newer > 0 || moved {
                self.window_seq = seq;
            }
        }
        self.promise(shared.config.input_octets);
        Acked::Counts
    }

    /// A sender within its rights went up to `end`: so the unknown scale is at least what makes that right.
    pub(super) fn learn_scale(&mut self, end: u64, shared: &Shared) {
        while self.scale_unknown && end > self.promised && self.scale < 14 && self.window > 0 {
            self.scale += 1;
            self.edge = self.edge.max(self.una + (u64::from(self.window) << self.scale));
            self.promise(shared.config.input_octets);
        }
    }

    /// Moves the last position that the sender may send. It never moves back: what comes under an older promise is
    /// kept here.
    fn promise(&mut self, limit: usize) {
        let takes = match self.edge.checked_sub(self.end) {
            Some(room) => self.base + room,
            None => self.map.to_input(self.edge, false),
        };
        self.promised = self.promised.max(takes.min(self.base + limit as u64));
    }

    /// The window field for the sender.
    pub(super) fn window_field(&mut self, limit: usize) -> u16 {
        self.promise(limit);
        let octets = self.promised.saturating_sub(self.acked);
        u16::try_from(octets >> self.scale).unwrap_or(u16::MAX)
    }

    /// What the sender may be told of a block that the receiver has: whole messages only. `None` if it is none.
    pub(super) fn translate_block(&self, (left, right): (u32, u32)) -> Option<(u32, u32)> {
        let (left, right) = (position(left, self.una), position(right, self.una));
        if left < self.una || right > self.sent || left >= right {
            return None; // of octets that are acknowledged (RFC 2883), or that never left
        }
        let (left, right) = (self.map.to_input(left, true), self.map.to_input(right, false));
        (left < right).then_some((left as u32, right as u32))
    }

    /// Which part of the output answers octets that came again, as far as it was sent and is not acknowledged.
    ///
    /// Of a message whose length changed, as many octets at the same distance from its start, and all of the rest with its
    /// end. Once the receiver has a part of such a message, the sender still knows of nothing, and its retransmission of
    /// the start means all that is missing.
    pub(super) fn again(&self, from: u64, to: u64) -> (u64, u64) {
        let to = to.min(self.base);
        let place = |at: u64, is_end: bool| match self.map.at_input(at) {
            Some(step) if at > step.input.0 || !is_end => {
                let known = step.output.0 >= self.una;
                match (known, is_end) {
                    (true, _) => (step.output.0 + (at - step.input.0)).min(step.output.1),
                    (false, true) => step.output.1,
                    (false, false) => self.una,
                }
            }
            _ => self.map.to_output(at, is_end),
        };
        let sent = self.sent.min(self.end);
        if from >= to {
            return (sent, sent);
        }
        (place(from, false).clamp(self.una.min(sent), sent), place(to, true).clamp(self.una.min(sent), sent))
    }

    /// Where an input position is on the other side, for segments without octets.
    pub(super) fn output_position(&self, at: u64) -> u64 {
        if at >= self.base { self.end + (at - self.base) } else { self.map.to_output(at, false) }
    }

    /// The octets to send from a position on, at most `most`, none beyond `to` or what the receiver takes; and whether the
    /// FIN goes with them.
    pub(super) fn piece(&self, from: u64, to: u64, most: usize) -> (&[u8], bool) {
        let first = self.una.min(self.end);
        let until = to.min(self.end).min(self.edge);
        let len = until.saturating_sub(from).min(most as u64) as usize;
        let octets = from.checked_sub(first).and_then(|at| self.output.octets().get(at as usize..));
        let octets = octets.and_then(|octets| octets.get(..len)).unwrap_or_default();
        let end = from + octets.len() as u64;
        (octets, end == self.end && to > end && self.fin_is_next() && self.edge > end)
    }

    /// Most octets of a segment's payload beside options of `options` octets.
    pub(super) fn most_payload(&self, options: usize, shared: &Shared) -> usize {
        let mss = self.mss.min(shared.config.mss).max(LEAST_MSS);
        mss.saturating_sub(options).min(self.largest).max(1)
    }
}
