//! One connection: its handshake, and how what one end sends moves both directions on.

use sealgate_wire::Reason;
use sealgate_wire::tcp::{Blocks, Flags, Header, Options, Segment};

use super::half::{Acked, Half, Lost, Shared, first_position, position};
use super::{Departure, Direction, HEAD_LEN, Key, Protocol, Sink, Ticket};

/// The octets before a TCP header, as they last went one way.
#[derive(Clone, Copy)]
struct Head {
    octets: [u8; HEAD_LEN],
    len: usize,
}

impl Head {
    const NONE: Self = Self { octets: [0; HEAD_LEN], len: 0 };

    fn get(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// What a SYN said, until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Greeting {
    seq: u32,
    window: u16,
    options: Options,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// A SYN was here and no answer.
    Opening,
    /// Octets flow.
    Open,
    /// Both ends closed and know it.
    Closed,
    /// One end reset it: nothing goes through any more.
    Reset,
    /// We reset it: each end that still sends is told again.
    Dead,
}

/// What the segment that is being answered says beside its octets.
#[derive(Clone, Copy, Default)]
struct Aside {
    /// ECE and CWR.
    flags: Flags,
    sack: Blocks,
}

pub(super) struct Flow {
    pub(super) key: Key,
    pub(super) generation: u32,
    pub(super) phase: Phase,
    pub(super) last_ms: u64,
    /// In the list of those with half a message.
    pub(super) listed: bool,
    /// The last segment was one that its receiver would take: so its frame shows how frames of its way look.
    pub(super) fresh: bool,
    pub(super) protocol: Protocol,
    pub(super) halves: [Half; 2],
    heads: [Head; 2],
    greetings: [Option<Greeting>; 2],
    /// Initial sequence numbers of both ends, where their handshake was seen.
    initial: [Option<u32>; 2],
}

const ECN: Flags = Flags(Flags::ECE.0 | Flags::CWR.0);

impl Flow {
    pub(super) fn new(key: Key, protocol: Protocol) -> Self {
        Self {
            key,
            generation: 0,
            phase: Phase::Opening,
            last_ms: 0,
            listed: false,
            fresh: false,
            protocol,
            halves: [Half::default(), Half::default()],
            heads: [Head::NONE; 2],
            greetings: [None; 2],
            initial: [None; 2],
        }
    }

    /// Makes it one that nothing is known of.
    pub(super) fn forget(&mut self, shared: &mut Shared) {
        self.generation = self.generation.wrapping_add(1);
        self.halves.iter_mut().for_each(|half| half.forget(shared));
        (self.heads, self.greetings, self.initial) = ([Head::NONE; 2], [None; 2], [None; 2]);
        self.phase = Phase::Opening;
    }

    /// True if the head of a frame may be kept before its segment is judged: nothing is known that it could spoil.
    pub(super) fn wants_head(&self, way: Direction) -> bool {
        self.phase != Phase::Open || self.heads.get(way as usize).is_none_or(|head| head.len == 0)
    }

    /// Keeps the octets before the TCP header. `false` if they are none or too many.
    pub(super) fn keep_head(&mut self, way: Direction, head: &[u8]) -> bool {
        let Some(kept) = self.heads.get_mut(way as usize) else { return false };
        let Some(room) = kept.octets.get_mut(..head.len()).filter(|room| !room.is_empty()) else { return false };
        room.copy_from_slice(head);
        kept.len = head.len();
        true
    }

    /// True if a half message is held.
    pub(super) fn holds(&self) -> bool {
        self.halves.iter().any(|half| half.half_since.is_some())
    }

    /// Judges one segment and sends what follows from it.
    pub(super) fn segment(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        way: Direction,
        segment: &Segment<'_>,
        now_ms: u64,
        sink: &mut dyn Sink,
    ) -> Reason {
        let flags = segment.header.flags;
        self.fresh = false;
        shared.counters.urgent += u64::from(flags.has(Flags::URG));
        shared.counters.options += u64::from(segment.options.others);
        if flags.has(Flags::SYN) {
            return self.greeting(shared, way, segment, sink);
        }
        if flags.has(Flags::RST) {
            return self.reset(shared, way, segment, sink);
        }
        if !flags.has(Flags::ACK) || self.phase == Phase::Reset {
            shared.counters.out_of_place += 1;
            return Reason::TcpStream;
        }
        if self.phase == Phase::Dead {
            self.answer_dead(way, segment, sink);
            return Reason::TcpStream;
        }
        if self.phase == Phase::Opening {
            shared.counters.adopted += 1;
            if !shared.config.adopt {
                self.phase = Phase::Dead;
                shared.counters.resets += 1;
                self.answer_dead(way, segment, sink);
                return Reason::TcpStream;
            }
            self.phase = Phase::Open;
        }
        let taken = self.take(shared, slot, way, segment, now_ms, sink);
        match taken {
            Ok(reason) => reason,
            Err(Lost) => {
                self.kill(shared, sink);
                Reason::TcpStream
            }
        }
    }

    /// SYN, with ACK or without: goes on as it is but for octets, urgent pointer and what we do not know.
    fn greeting(&mut self, shared: &mut Shared, way: Direction, segment: &Segment<'_>, sink: &mut dyn Sink) -> Reason {
        let (here, back) = (way as usize, way.opposite() as usize);
        let Header { seq, ack, flags, window, .. } = segment.header;
        if flags.has(Flags::RST) || flags.has(Flags::FIN) {
            shared.counters.out_of_place += 1;
            return Reason::TcpStream;
        }
        // Fast open (RFC 7413): who sends octets with a SYN sends them again, once it is acknowledged without them.
        shared.counters.syn_data += u64::from(!segment.payload.is_empty());
        let mut options = Options { others: false, sack: Blocks::default(), ..segment.options };
        let most = u16::try_from(shared.config.mss).unwrap_or(u16::MAX);
        options.mss = options.mss.map(|mss| mss.min(most));
        let greeting = Greeting { seq, window, options };
        if !flags.has(Flags::ACK) {
            if matches!(self.phase, Phase::Closed | Phase::Reset | Phase::Dead) {
                self.phase = Phase::Opening;
                self.generation = self.generation.wrapping_add(1);
                self.halves.iter_mut().for_each(|half| half.forget(shared));
                (self.greetings, self.initial) = ([None; 2], [None; 2]);
            }
            // A live connection stays what it is until the other end answers: anybody can send a SYN (RFC 5961 §4).
            if let Some(place) = self.greetings.get_mut(here) {
                *place = Some(greeting);
            }
        } else {
            let [answered, known] = [back, here].map(|i| self.initial.get(i).copied().flatten());
            let again = known == Some(seq) && answered.is_some_and(|initial| initial.wrapping_add(1) == ack);
            if !again {
                let asked = self.greetings.get(back).copied().flatten();
                let Some(asked) = asked.filter(|asked| asked.seq.wrapping_add(1) == ack) else {
                    shared.counters.out_of_place += 1;
                    return Reason::TcpStream;
                };
                self.establish(shared, way, asked, greeting);
            }
        }
        let kept = Flags::SYN.with(Flags::ACK).with(ECN);
        let header = Header { flags: flags.only(kept), urgent: 0, ..segment.header };
        self.depart(way, header, &options, &[], sink);
        Reason::OkNotSubject
    }

    /// * `way`: of the answer
    fn establish(&mut self, shared: &mut Shared, way: Direction, asked: Greeting, answer: Greeting) {
        self.generation = self.generation.wrapping_add(1);
        self.phase = Phase::Open;
        shared.counters.opened += 1;
        let scaled = asked.options.window_scale.is_some() && answer.options.window_scale.is_some();
        // A receiver says what may be sent to it: the sender's half takes it from the other's greeting.
        for (sender, from, to) in [(way.opposite(), asked, answer), (way, answer, asked)] {
            let Some(half) = self.halves.get_mut(sender as usize) else { continue };
            half.forget(shared);
            half.scale = if scaled { to.options.window_scale.unwrap_or(0).min(14) } else { 0 };
            let least = if self.key.remote.is_ipv6() { 1220 } else { 536 };
            half.mss = usize::from(to.options.mss.unwrap_or(least));
            half.sack = from.options.sack_permitted && to.options.sack_permitted;
            half.begin(first_position(from.seq) + 1, u64::from(to.window), to.seq, shared);
            if let Some(place) = self.initial.get_mut(sender as usize) {
                *place = Some(from.seq);
            }
        }
        self.greetings = [None; 2];
    }

    /// RST: only one that the other end will believe ends anything here.
    fn reset(&mut self, shared: &mut Shared, way: Direction, segment: &Segment<'_>, sink: &mut dyn Sink) -> Reason {
        let (here, back) = (way as usize, way.opposite() as usize);
        let header = Header {
            flags: segment.header.flags.only(Flags::RST.with(Flags::ACK)),
            urgent: 0,
            window: 0,
            ..segment.header
        };
        let [half, other] = [here, back].map(|i| self.halves.get(i));
        let (Some(half), Some(other)) = (half, other) else { return Reason::IntBug };
        let (seq, ends) = match self.phase {
            Phase::Dead | Phase::Reset => return Reason::OkNotSubject,
            Phase::Opening => {
                let asked = self.greetings.get(back).copied().flatten();
                let refuses = asked.is_some_and(|asked| asked.seq.wrapping_add(1) == segment.header.ack);
                (segment.header.seq, refuses && segment.header.flags.has(Flags::ACK))
            }
            Phase::Open | Phase::Closed if !half.synced => (segment.header.seq, false),
            Phase::Open | Phase::Closed => {
                let at = position(segment.header.seq, half.acked);
                if !half.accepts(at, 0) {
                    shared.counters.out_of_place += 1;
                    return Reason::TcpStream;
                }
                if at == half.acked {
                    (half.una as u32, true)
                } else if at >= half.next && at <= half.next + 1 {
                    (half.sent as u32, true)
                } else {
                    (half.output_position(at) as u32, false)
                }
            }
        };
        let ack = if other.synced { other.acked as u32 } else { segment.header.ack };
        self.depart(way, Header { seq, ack, ..header }, &Options::default(), &[], sink);
        if ends {
            self.end(shared, Phase::Reset);
        }
        Reason::OkNotSubject
    }

    fn end(&mut self, shared: &mut Shared, phase: Phase) {
        self.phase = phase;
        self.generation = self.generation.wrapping_add(1);
        self.halves.iter_mut().for_each(|half| half.clear(shared));
    }

    /// Resets both ends: nobody can tell where the next message begins, or nobody may know it.
    pub(super) fn kill(&mut self, shared: &mut Shared, sink: &mut dyn Sink) {
        shared.counters.resets += 1;
        for way in [Direction::In, Direction::Out] {
            let (Some(half), Some(other)) = (self.half(way), self.half(way.opposite())) else { continue };
            if half.synced {
                let header = Header {
                    seq: half.sent as u32,
                    ack: other.acked as u32,
                    flags: if other.synced { Flags::RST.with(Flags::ACK) } else { Flags::RST },
                    ..Header::default()
                };
                self.depart(way, header, &Options::default(), &[], sink);
            }
        }
        self.end(shared, Phase::Dead);
    }

    /// As a host does that knows of no connection (RFC 9293 §3.10.7.1): its number is the one the sender waits for.
    fn answer_dead(&self, way: Direction, segment: &Segment<'_>, sink: &mut dyn Sink) {
        let header = Header { seq: segment.header.ack, flags: Flags::RST, ..Header::default() };
        self.depart(way.opposite(), header, &Options::default(), &[], sink);
    }

    fn half(&self, way: Direction) -> Option<&Half> {
        self.halves.get(way as usize)
    }

    /// A segment of an open connection.
    fn take(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        way: Direction,
        segment: &Segment<'_>,
        now_ms: u64,
        sink: &mut dyn Sink,
    ) -> Result<Reason, Lost> {
        let Segment { header, options, payload } = segment;
        let fin = header.flags.has(Flags::FIN);
        let len = payload.len() as u64 + u64::from(fin);
        let [incoming, outgoing] = &mut self.halves;
        let (half, other) = match way {
            Direction::In => (incoming, outgoing),
            Direction::Out => (outgoing, incoming),
        };
        let mut ack = Acked::Counts;
        let mut stale = false;
        if half.synced {
            let at = position(header.seq, half.next);
            if at > half.next + (1 << 30) || !half.scale_unknown && !half.accepts(at, 0) && at > half.next {
                shared.counters.out_of_place += 1;
                return Ok(Reason::TcpStream);
            }
            // What is wholly before its time says nothing of the present (RFC 9293 §3.10.7.4).
            stale = !half.accepts(at, len);
        }
        if !other.synced {
            other.adopt(first_position(header.ack), header.window, header.seq, shared);
        } else if !stale {
            ack = other.acknowledge(header.ack, header.window, header.seq, shared);
            if ack != Acked::Counts && other.is_unproven() {
                other.adopt(first_position(header.ack), header.window, header.seq, shared);
                ack = Acked::Counts;
            }
        }
        self.fresh = !stale && ack == Acked::Counts;
        if ack == Acked::Doubtful {
            return Err(Lost);
        }
        if ack == Acked::Beyond {
            shared.counters.beyond += 1;
            return Ok(Reason::TcpStream);
        }
        let later = |old: (u32, u32), new: (u32, u32)| if new.0.wrapping_sub(old.0) as i32 >= 0 { new } else { old };
        // One that is late must not leave with an earlier time than what left before it (RFC 7323 §5).
        half.timestamps = match (half.timestamps, options.timestamps) {
            (Some(old), Some(new)) => Some(later(old, new)),
            (None, Some(new)) => Some(new),
            (old, None) => old,
        };
        let mut aside = Aside { flags: header.flags.only(ECN), sack: Blocks::default() };
        for block in options.sack.iter().filter_map(|block| other.translate_block(block)) {
            aside.sack.push(block.0, block.1);
        }
        if !half.synced {
            // Nobody has said yet where the receiver is: an empty segment before this one makes it say so.
            let before = u32::from(len > 0);
            shared.counters.unsynced += 1;
            self.pure(way, header.seq.wrapping_sub(before), &aside, shared, sink);
            self.advance(shared, slot, way.opposite(), now_ms, Aside::default(), sink)?;
            return Ok(if len > 0 { Reason::OkHeld } else { Reason::OkNotSubject });
        }
        let at = position(header.seq, half.next);
        half.doubt(at, len)?;
        let (hole, sent) = (at > half.next && len > 0, half.sent);
        let all_known = at + len <= half.next;
        if len > 0 {
            half.learn_scale(at + len, shared);
        }
        let again = half.again(at, at + payload.len() as u64);
        let had_memory = len == 0 || half.insert(at, payload, fin, shared);
        if !had_memory {
            shared.counters.no_buffer += 1;
        }
        let mut left = false;
        if len > 0 {
            let to = if fin { again.1.max(sent) } else { again.1 };
            left = self.send_again(shared, way, again.0, to.min(sent), &mut aside, sink);
        }
        left |= self.advance(shared, slot, way, now_ms, aside, sink)?;
        if !left {
            self.say(shared, way, at, len, all_known, ack == Acked::Old, &aside, sink);
        }
        if hole && self.half(way.opposite()).is_some_and(|half| half.synced) {
            // The receiver never sees what is behind a hole: its last acknowledgement again is what it would say.
            shared.counters.duplicate_acks += 1;
            let seq = self.half(way.opposite()).map_or(0, |half| half.sent) as u32;
            let sender = self.half(way).filter(|half| shared.config.sack_held && half.sack);
            let sack = sender.map(Half::held_blocks).unwrap_or_default();
            self.pure(way.opposite(), seq, &Aside { sack, ..Aside::default() }, shared, sink);
        }
        self.advance(shared, slot, way.opposite(), now_ms, Aside::default(), sink)?;
        if self.phase == Phase::Open && self.halves.iter().all(Half::is_finished) {
            self.phase = Phase::Closed;
        }
        Ok(match (len, had_memory) {
            (0, _) => Reason::OkNotSubject,
            (_, true) => Reason::OkHeld,
            (_, false) => Reason::ResMempool,
        })
    }

    /// A segment without octets for one whose octets did not leave, or that has none.
    #[expect(clippy::too_many_arguments, reason = "what is known of one segment")]
    fn say(
        &mut self,
        shared: &mut Shared,
        way: Direction,
        at: u64,
        len: u64,
        all_known: bool,
        old: bool,
        aside: &Aside,
        sink: &mut dyn Sink,
    ) {
        let Some(half) = self.half(way) else { return };
        let asks = if len > 0 { all_known || half.edge <= half.sent } else { at < half.acked };
        if asks {
            // The receiver answers what is before its window with where it is: an acknowledgement or a window that the
            // sender lost is said again, one that opened meanwhile is told.
            shared.counters.asked += 1;
            let seq = half.una.wrapping_sub(1) as u32;
            self.pure(way, seq, aside, shared, sink);
        } else if len > 0 || !old || !aside.sack.is_empty() {
            let seq = half.sent as u32;
            self.pure(way, seq, aside, shared, sink);
        }
    }

    /// Frames, releases and sends as much as there is. True if anything was sent.
    fn advance(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        way: Direction,
        now_ms: u64,
        mut aside: Aside,
        sink: &mut dyn Sink,
    ) -> Result<bool, Lost> {
        let (protocol, generation) = (self.protocol, self.generation);
        let Some(half) = self.halves.get_mut(way as usize).filter(|half| half.synced) else { return Ok(false) };
        loop {
            half.frame(&protocol, now_ms, shared, &mut |number, octets| {
                sink.offer(Ticket { slot, generation, way, number }, octets);
            })?;
            if !half.release(&protocol, shared) {
                break;
            }
        }
        let (from, invites) = (half.sent, core::mem::take(&mut half.invites));
        if invites && let Some(seq) = self.half(way.opposite()).filter(|other| other.synced).map(|other| other.sent) {
            self.pure(way.opposite(), seq as u32, &Aside::default(), shared, sink);
        }
        let left = self.send(shared, way, from, u64::MAX, &mut aside, sink);
        Ok(left)
    }

    /// Sends output that was sent before.
    fn send_again(
        &mut self,
        shared: &mut Shared,
        way: Direction,
        from: u64,
        to: u64,
        aside: &mut Aside,
        sink: &mut dyn Sink,
    ) -> bool {
        let left = from < to && self.send(shared, way, from, to, aside, sink);
        shared.counters.retransmitted += u64::from(left);
        left
    }

    /// Sends the output from one position to another, in segments that the receiver takes.
    fn send(
        &mut self,
        shared: &mut Shared,
        way: Direction,
        mut from: u64,
        to: u64,
        aside: &mut Aside,
        sink: &mut dyn Sink,
    ) -> bool {
        let mut left = false;
        let limit = shared.config.input_octets;
        let window = self.halves.get_mut(way.opposite() as usize).map_or(0, |other| other.window_field(limit));
        while from < to {
            let (Some(half), Some(other)) = (self.half(way), self.half(way.opposite())) else { break };
            let options = Options { timestamps: half.timestamps, sack: aside.sack, ..Options::default() };
            let (octets, fin) = half.piece(from, to, half.most_payload(options.len(), shared));
            if octets.is_empty() && !fin {
                break;
            }
            let end = from + octets.len() as u64;
            let mut flags = Flags::ACK.with(aside.flags);
            if end == half.end {
                flags = flags.with(Flags::PSH);
            }
            if fin {
                flags = flags.with(Flags::FIN);
            }
            let header = Header { seq: from as u32, ack: other.acked as u32, flags, window, ..Header::default() };
            self.depart(way, header, &options, octets, sink);
            *aside = Aside::default();
            from = end + u64::from(fin);
            left = true;
            if let Some(half) = self.halves.get_mut(way as usize) {
                half.sent = half.sent.max(from);
            }
        }
        left
    }

    /// Sends an acknowledgement alone.
    fn pure(&mut self, way: Direction, seq: u32, aside: &Aside, shared: &mut Shared, sink: &mut dyn Sink) {
        let limit = shared.config.input_octets;
        let window = self.halves.get_mut(way.opposite() as usize).map_or(0, |other| other.window_field(limit));
        let (Some(half), Some(other)) = (self.half(way), self.half(way.opposite())) else { return };
        let options = Options { timestamps: half.timestamps, sack: aside.sack, ..Options::default() };
        let header =
            Header { seq, ack: other.acked as u32, flags: Flags::ACK.with(aside.flags), window, ..Header::default() };
        self.depart(way, header, &options, &[], sink);
    }

    fn depart(&self, way: Direction, header: Header, options: &Options, payload: &[u8], sink: &mut dyn Sink) {
        if let Some(departure) = self.departure(way, header, options, payload) {
            sink.send(&departure);
        }
    }

    /// A segment of this flow; `None` as long as no frame was seen this way.
    pub(super) fn departure<'a>(
        &'a self,
        way: Direction,
        header: Header,
        options: &'a Options,
        payload: &'a [u8],
    ) -> Option<Departure<'a>> {
        let head = self.heads.get(way as usize).map(Head::get).filter(|head| !head.is_empty())?;
        let (source_port, destination_port) = match way {
            Direction::In => (self.key.remote_port, self.key.local_port),
            Direction::Out => (self.key.local_port, self.key.remote_port),
        };
        let header = Header { source_port, destination_port, ..header };
        Some(Departure { key: &self.key, way, head, header, options, payload })
    }

    /// Refuses half messages that were held too long.
    pub(super) fn overdue(&mut self, shared: &mut Shared, slot: u32, now_ms: u64, sink: &mut dyn Sink) {
        for way in [Direction::In, Direction::Out] {
            let protocol = self.protocol;
            let Some(half) = self.halves.get_mut(way as usize) else { continue };
            let deadline = shared.config.hold_deadline_ms;
            if half.half_since.is_none_or(|since| now_ms.saturating_sub(since) < deadline) {
                continue;
            }
            let refused = half.overdue(&protocol, shared);
            if refused.is_err() || self.advance(shared, slot, way, now_ms, Aside::default(), sink).is_err() {
                self.kill(shared, sink);
                return;
            }
        }
    }

    /// Goes on after a verdict.
    pub(super) fn settled(&mut self, shared: &mut Shared, slot: u32, way: Direction, now_ms: u64, sink: &mut dyn Sink) {
        if self.advance(shared, slot, way, now_ms, Aside::default(), sink).is_err() {
            self.kill(shared, sink);
        }
    }
}
