//! Two honest hosts, a network that loses, delays and turns round, and the gateway between them, in simulated time.
#![allow(dead_code, reason = "each test uses its part")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr};

use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::stream::{Config, DIAMETER, Departure, Fate, Key, Sink, Streams, Ticket};
use sealgate_wire::tcp::{self, Blocks, Flags, Header, Options, Segment};
use sealgate_wire::{eth, ip};

pub const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
pub const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
pub const KEY: Key = Key { link: 1, remote: REMOTE, local: LOCAL, remote_port: 40_000, local_port: 3868 };

/// Numbers that repeat themselves.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Ethernet and IPv4 before a TCP header, for one way.
pub fn head(way: Direction) -> Vec<u8> {
    let mut head = vec![2, 0, 0, 0, 0, way as u8, 2, 0, 0, 0, 0, 9, 8, 0];
    head.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, tcp::PROTOCOL, 0, 0]);
    let addresses = if way == Direction::In { [REMOTE, LOCAL] } else { [LOCAL, REMOTE] };
    for address in addresses {
        let IpAddr::V4(address) = address else { continue };
        head.extend_from_slice(&address.octets());
    }
    head
}

/// A Diameter message of `len` octets; its end-to-end identifier is `id`, which is all that a verdict looks at.
pub fn message(id: u32, len: usize) -> Vec<u8> {
    let len = len.max(20).next_multiple_of(4);
    let mut out = vec![1];
    out.extend_from_slice(&(len as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[0x80, 0, 1, 60, 1, 0, 0, 35]);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    let mut dice = Dice::new(u64::from(id) + 7);
    out.truncate(20);
    out.resize(len, 0);
    out[20..].iter_mut().for_each(|octet| *octet = dice.next() as u8);
    out
}

/// What a verdict makes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Other(Vec<u8>),
    Refuse,
}

/// By the identifier: six of ten pass, the others are stripped, grow, become other octets or are refused.
pub fn verdict(octets: &[u8]) -> Verdict {
    let id = u32::from_be_bytes(octets[16..20].try_into().unwrap());
    let resized = |len: usize| {
        let mut other = octets.to_vec();
        other.resize(len.max(20), 0x5a);
        other[1..4].copy_from_slice(&(len.max(20) as u32).to_be_bytes()[1..]);
        Verdict::Other(other)
    };
    match id % 10 {
        6 => resized(octets.len() - (octets.len() - 20) / 8 * 4),
        7 => resized(octets.len() + 4 * (1 + id as usize % 60)),
        8 => resized(octets.len()),
        9 => Verdict::Refuse,
        _ => Verdict::Pass,
    }
}

pub fn filler(len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    (DIAMETER.fill)(len, 0, &mut out);
    out
}

/// What the receiver should have of a message.
pub fn outcome(octets: &[u8]) -> Vec<u8> {
    match verdict(octets) {
        Verdict::Pass => octets.to_vec(),
        Verdict::Other(other) => other,
        Verdict::Refuse => filler(octets.len()),
    }
}

/// One end: sends a stream, receives another.
pub struct End {
    pub way: Direction,
    pub isn: u32,
    pub peer_isn: Option<u32>,
    /// What it sends; offsets count from its first octet.
    pub out: Vec<u8>,
    pub una: u64,
    pub nxt: u64,
    pub closing: bool,
    peer_edge: u64,
    peer_shift: u8,
    peer_mss: usize,
    pub shift: u8,
    pub mss: u16,
    pub sack: bool,
    pub timestamps: bool,
    sacked: Vec<(u64, u64)>,
    duplicates: u32,
    rto_at: Option<u64>,
    backoff: u32,
    pub cwnd: u64,
    /// Largest payload it sends of its own accord.
    pub largest: u64,
    /// What it received in order.
    pub got: Vec<u8>,
    early: BTreeMap<u64, Vec<u8>>,
    pub fin_at: Option<u64>,
    pub capacity: u64,
    pub unread: u64,
    offered: u64,
    ts_recent: u32,
    last_ack: u64,
    pub established: bool,
    pub reset: bool,
    pub retransmissions: u64,
    pub late: u64,
}

impl End {
    pub fn new(way: Direction, isn: u32, out: Vec<u8>) -> Self {
        Self {
            way,
            isn,
            peer_isn: None,
            out,
            una: 0,
            nxt: 0,
            closing: true,
            peer_edge: 0,
            peer_shift: 0,
            peer_mss: 536,
            shift: 3,
            mss: 1460,
            sack: true,
            timestamps: true,
            sacked: Vec::new(),
            duplicates: 0,
            rto_at: None,
            backoff: 0,
            cwnd: 14_600,
            largest: 1460,
            got: Vec::new(),
            early: BTreeMap::new(),
            fin_at: None,
            capacity: 60_000,
            unread: 0,
            offered: 0,
            ts_recent: 0,
            last_ack: 0,
            established: false,
            reset: false,
            retransmissions: 0,
            late: 0,
        }
    }

    fn received(&self) -> u64 {
        self.got.len() as u64 + u64::from(self.fin_at == Some(self.got.len() as u64))
    }

    pub fn is_done(&self) -> bool {
        let all = self.out.len() as u64 + u64::from(self.closing);
        self.reset || self.established && self.una == all
    }

    fn build(&mut self, now: u64, flags: Flags, at: u64, payload: &[u8]) -> Vec<u8> {
        let received = self.received();
        let edge = (self.got.len() as u64 + self.capacity.saturating_sub(self.unread)).max(received);
        let syn = flags.has(Flags::SYN);
        let shift = if syn { 0 } else { self.shift };
        let window = u16::try_from((edge - received) >> shift).unwrap_or(u16::MAX);
        self.offered = self.offered.max(received + (u64::from(window) << shift));
        self.last_ack = received;
        let mut options = Options::default();
        if syn {
            options.mss = Some(self.mss);
            options.window_scale = Some(self.shift);
            options.sack_permitted = self.sack;
        }
        if self.timestamps {
            options.timestamps = Some((now as u32 + 1, self.ts_recent));
        }
        if self.sack && !syn {
            let mut blocks: Vec<(u64, u64)> = Vec::new();
            for (&from, octets) in &self.early {
                match blocks.last_mut() {
                    Some(last) if last.1 >= from => last.1 = last.1.max(from + octets.len() as u64),
                    _ => blocks.push((from, from + octets.len() as u64)),
                }
            }
            let base = self.peer_isn.unwrap_or(0).wrapping_add(1);
            options.sack = Blocks::default();
            for (from, to) in blocks.into_iter().take(3) {
                options.sack.push(base.wrapping_add(from as u32), base.wrapping_add(to as u32));
            }
        }
        let (source_port, destination_port) = if self.way == Direction::In { (40_000, 3868) } else { (3868, 40_000) };
        let ack = self.peer_isn.map_or(0, |isn| isn.wrapping_add(1).wrapping_add(received as u32));
        let flags = if self.peer_isn.is_some() { flags.with(Flags::ACK) } else { flags };
        let seq = if syn { self.isn } else { self.isn.wrapping_add(1).wrapping_add(at as u32) };
        let header = Header { source_port, destination_port, seq, ack, flags, window, urgent: 0 };
        let mut out = head(self.way);
        tcp::emit(&header, &options, payload, &mut out);
        let (from, to) = if self.way == Direction::In { (REMOTE, LOCAL) } else { (LOCAL, REMOTE) };
        assert!(tcp::seal(from, to, &mut out[34..]));
        let len = out.len() - 34;
        assert!(ip::set_lengths(&mut out[14..], len));
        out
    }

    pub fn connect(&mut self, now: u64, out: &mut Vec<Vec<u8>>) {
        self.rto_at = Some(now + 300);
        let syn = self.build(now, Flags::SYN, 0, &[]);
        out.push(syn);
    }

    fn piece(&mut self, now: u64, at: u64, most: u64, dice: &mut Dice, out: &mut Vec<Vec<u8>>) -> u64 {
        let mss = (self.peer_mss as u64 - if self.timestamps { 12 } else { 0 }).min(most.max(1));
        let size = match dice.below(4) {
            0 => 1 + dice.below(mss.min(30)),
            1 => 1 + dice.below(mss),
            _ => mss,
        };
        let end = (at + size).min(self.out.len() as u64);
        let payload = self.out[at.min(end) as usize..end as usize].to_vec();
        let fin = self.closing && end == self.out.len() as u64;
        let flags = if fin { Flags::FIN } else { Flags::PSH };
        let frame = self.build(now, flags, at, &payload);
        out.push(frame);
        end + u64::from(fin)
    }

    fn last(&self) -> u64 {
        self.out.len() as u64 + u64::from(self.closing)
    }

    /// Sends what it may.
    pub fn pump(&mut self, now: u64, dice: &mut Dice, out: &mut Vec<Vec<u8>>) {
        if !self.established || self.reset {
            return;
        }
        while self.nxt < self.last() && self.nxt < self.peer_edge && self.nxt - self.una < self.cwnd {
            let most = (self.peer_edge - self.nxt).min(self.largest);
            self.nxt = self.piece(now, self.nxt, most, dice, out).max(self.nxt);
        }
        if self.rto_at.is_none() && self.una < self.last() {
            self.rto_at = Some(now + 200);
        }
    }

    pub fn tick(&mut self, now: u64, dice: &mut Dice, out: &mut Vec<Vec<u8>>) {
        if self.reset || self.rto_at.is_none_or(|at| now < at) {
            return;
        }
        self.backoff = (self.backoff + 1).min(4);
        self.rto_at = Some(now + (200 << self.backoff));
        if !self.established {
            if self.peer_isn.is_some() || self.way == Direction::In {
                let syn = self.build(now, Flags::SYN, 0, &[]);
                out.push(syn);
            }
            return;
        }
        if self.una == self.last() {
            self.rto_at = None;
        } else if self.nxt == self.una {
            // The window is shut: one octet asks.
            self.nxt = self.piece(now, self.una, 1, dice, out);
        } else {
            self.sacked.clear();
            // More than a cautious host would: it may not know that all but one piece of a message is held.
            self.again(now, u32::MAX, dice, out);
        }
    }

    /// Sends again from the oldest octet on, in other pieces than before.
    fn again(&mut self, now: u64, mut pieces: u32, dice: &mut Dice, out: &mut Vec<Vec<u8>>) {
        let mut at = self.una;
        while at < self.nxt && pieces > 0 {
            if let Some(&(_, right)) = self.sacked.iter().find(|(left, right)| *left <= at && at < *right) {
                at = right;
                continue;
            }
            let most = (self.nxt.min(self.out.len() as u64) - at.min(self.out.len() as u64)).min(self.largest);
            at = self.piece(now, at, most, dice, out).max(at + 1);
            self.retransmissions += 1;
            pieces -= 1;
        }
    }

    /// Takes a frame from the network.
    pub fn take(&mut self, now: u64, frame: &[u8], dice: &mut Dice, out: &mut Vec<Vec<u8>>) {
        let frame = eth::Frame::parse(frame).expect("Ethernet");
        let packet = ip::Packet::parse(frame.ethertype, frame.payload).expect("good IP").expect("IP");
        assert_eq!(tcp::checksum(packet.source, packet.destination, packet.payload), Some(0));
        let segment = Segment::parse(packet.payload).expect("good TCP");
        let Header { seq, ack, flags, window, .. } = segment.header;
        assert!(
            segment.payload.len() + segment.options.len() <= usize::from(self.mss),
            "{} octets",
            segment.payload.len()
        );
        if self.reset {
            return;
        }
        if flags.has(Flags::RST) {
            let here = self.peer_isn.map(|isn| isn.wrapping_add(1).wrapping_add(self.received() as u32));
            if here == Some(seq) || !self.established {
                self.reset = true;
            } else {
                let frame = self.build(now, Flags::ACK, self.nxt, &[]); // RFC 5961 §3
                out.push(frame);
            }
            return;
        }
        if flags.has(Flags::SYN) {
            assert!(segment.payload.is_empty() && !segment.options.others);
            if self.peer_isn.is_none() {
                self.peer_isn = Some(seq);
                self.peer_shift = segment.options.window_scale.unwrap_or(0);
                self.peer_mss = usize::from(segment.options.mss.unwrap_or(536));
                self.timestamps &= segment.options.timestamps.is_some();
                self.ts_recent = segment.options.timestamps.map_or(0, |ts| ts.0);
                self.rto_at = Some(now + 300);
            }
            if flags.has(Flags::ACK) {
                if !self.established {
                    self.peer_edge = u64::from(window);
                    (self.rto_at, self.backoff) = (None, 0);
                }
                self.established = true;
                let frame = self.build(now, Flags::ACK, self.nxt, &[]);
                out.push(frame);
                self.pump(now, dice, out);
            } else {
                let frame = self.build(now, Flags::SYN, 0, &[]);
                out.push(frame);
            }
            return;
        }
        let Some(peer_isn) = self.peer_isn else { return };
        let near = |seq: u32, near: u64| near.wrapping_add_signed(i64::from(seq.wrapping_sub(near as u32) as i32));
        let at = near(seq.wrapping_sub(peer_isn.wrapping_add(1)), self.got.len() as u64);
        if let Some((value, _)) = segment.options.timestamps {
            if (value.wrapping_sub(self.ts_recent) as i32) < 0 {
                self.late += 1; // PAWS
                let frame = self.build(now, Flags::ACK, self.nxt, &[]);
                out.push(frame);
                return;
            }
            if at as i64 <= self.last_ack as i64 {
                self.ts_recent = value;
            }
        }
        let len = segment.payload.len() as u64 + u64::from(flags.has(Flags::FIN));
        let (signed_at, end) = (at as i64, (at as i64) + len as i64);
        if len > 0 {
            assert!(end <= self.offered as i64, "{end} is beyond the {} that were offered", self.offered);
        }
        if !self.established {
            self.established = true;
            (self.rto_at, self.backoff) = (None, 0);
            self.peer_edge = u64::from(window) << self.peer_shift;
        }
        // What it acknowledges.
        let acked = near(ack.wrapping_sub(self.isn.wrapping_add(1)), self.una);
        assert!(acked as i64 <= self.nxt.max(self.una + 1) as i64, "acknowledges what was never sent");
        if (signed_at..).start >= -1 && acked >= self.una && acked <= self.nxt {
            let edge = acked + (u64::from(window) << self.peer_shift);
            if acked > self.una {
                self.una = acked;
                (self.duplicates, self.backoff) = (0, 0);
                self.sacked.retain(|(_, right)| *right > acked);
                self.rto_at = (self.una < self.last()).then_some(now + 200);
                self.peer_edge = self.peer_edge.max(edge);
            } else if len == 0 && edge <= self.peer_edge && self.nxt > self.una {
                self.duplicates += 1;
                if self.duplicates == 3 {
                    self.again(now, 1, dice, out);
                }
            }
            self.peer_edge = self.peer_edge.max(edge);
            for (left, right) in segment.options.sack.iter() {
                let base = self.isn.wrapping_add(1);
                let (left, right) = (near(left.wrapping_sub(base), self.una), near(right.wrapping_sub(base), self.una));
                assert!(left < right && right <= self.nxt, "SACK {left}..{right} of {}", self.nxt);
                self.sacked.push((left, right));
                self.sacked.sort_unstable();
            }
        }
        let answer = len > 0 || signed_at < self.got.len() as i64;
        if flags.has(Flags::FIN) {
            self.fin_at = Some((end - 1) as u64);
        }
        if !segment.payload.is_empty() {
            let skip = (self.got.len() as i64 - signed_at).max(0) as usize;
            if skip < segment.payload.len() {
                let from = (signed_at + skip as i64) as u64;
                let fresh = segment.payload[skip..].to_vec();
                let longer = self.early.get(&from).is_none_or(|old| old.len() < fresh.len());
                if longer {
                    self.early.insert(from, fresh);
                }
            }
            while let Some((&from, _)) =
                self.early.first_key_value().filter(|(from, _)| **from <= self.got.len() as u64)
            {
                let octets = self.early.remove(&from).unwrap();
                let skip = self.got.len() - from as usize;
                if let Some(fresh) = octets.get(skip..) {
                    self.got.extend_from_slice(fresh);
                    self.unread += fresh.len() as u64;
                }
            }
        }
        let before = out.len();
        self.pump(now, dice, out);
        if answer && out.len() == before {
            let frame = self.build(now, Flags::ACK, self.nxt, &[]);
            out.push(frame);
        }
    }

    /// The application reads; a window that was shut and opens is told.
    pub fn read(&mut self, now: u64, octets: u64, out: &mut Vec<Vec<u8>>) {
        let before = self.capacity.saturating_sub(self.unread);
        self.unread = self.unread.saturating_sub(octets);
        let after = self.capacity.saturating_sub(self.unread);
        if self.established && !self.reset && before < self.capacity / 4 && after > before {
            let frame = self.build(now, Flags::ACK, self.nxt, &[]);
            out.push(frame);
        }
    }

    /// Ends it at once.
    pub fn abort(&mut self, now: u64) -> Vec<u8> {
        self.reset = true;
        self.build(now, Flags::RST, self.nxt, &[])
    }
}

/// What the gateway wants.
#[derive(Default)]
pub struct Out {
    pub frames: Vec<(Direction, Vec<u8>)>,
    pub offers: Vec<(Ticket, Vec<u8>)>,
}

impl Sink for Out {
    fn send(&mut self, departure: &Departure<'_>) {
        let mut frame = Vec::new();
        assert!(departure.lay(&mut frame));
        self.frames.push((departure.way, frame));
    }

    fn offer(&mut self, ticket: Ticket, octets: &[u8]) {
        self.offers.push((ticket, octets.to_vec()));
    }
}

/// Gives the gateway a frame.
pub fn give(streams: &mut Streams, way: Direction, frame: &[u8], now: u64, out: &mut Out) -> sealgate_wire::Reason {
    let parsed = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(parsed.ethertype, parsed.payload).expect("good IP").expect("IP");
    let segment = Segment::parse(packet.payload).expect("good TCP");
    streams.segment(&KEY, way, &frame[..34], &segment, &DIAMETER, now, out)
}

/// What stands between the two hosts.
pub trait Middle {
    /// Takes a frame.
    fn give(&mut self, way: Direction, frame: &[u8], now: u64, out: &mut Out);
    /// Takes the verdict of a message that it offered.
    fn settle(&mut self, ticket: Ticket, octets: &[u8], verdict: &Verdict, now: u64, out: &mut Out);
    /// Time has passed.
    fn tick(&mut self, now: u64, out: &mut Out);
}

impl Middle for Streams {
    fn give(&mut self, way: Direction, frame: &[u8], now: u64, out: &mut Out) {
        give(self, way, frame, now, out);
    }

    fn settle(&mut self, ticket: Ticket, octets: &[u8], verdict: &Verdict, now: u64, out: &mut Out) {
        assert!(self.message(ticket).is_none_or(|message| message == octets));
        let fate = match verdict {
            Verdict::Pass => Fate::AsCame,
            Verdict::Other(other) => Fate::Octets(other),
            Verdict::Refuse => Fate::Refused,
        };
        let _ = Streams::settle(self, ticket, fate, now, out);
    }

    fn tick(&mut self, now: u64, out: &mut Out) {
        self.expire(now, out);
    }
}

enum Event {
    AtGateway(Direction, Vec<u8>),
    AtEnd(Direction, Vec<u8>),
    Settle(Ticket, Vec<u8>),
    Tick,
}

/// Of the network and the verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Percent of the segments that are lost on each hop.
    pub loss: u64,
    /// Each hop takes up to so many milliseconds: longer than the pause between segments, so they overtake each other.
    pub delay: u64,
    /// A verdict takes up to so many milliseconds.
    pub verdict: u64,
}

pub struct World<M = Streams> {
    pub now: u64,
    pub streams: M,
    pub ends: [End; 2],
    pub dice: Dice,
    pub weather: Weather,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    serial: u64,
    /// Octets the applications read a tick; all if none.
    pub reads: Option<u64>,
    pub judge: fn(&[u8]) -> Verdict,
    /// Frames that arrive at an end are shown here.
    pub watch: Option<fn(Direction, &[u8])>,
}

impl World {
    pub fn new(config: Config, seed: u64, weather: Weather, outs: [Vec<u8>; 2], isns: [u32; 2]) -> Self {
        World::around(Streams::new(config), 1_000_000, seed, weather, outs, isns)
    }
}

impl<M: Middle> World<M> {
    /// Two hosts with that between them, from this time on.
    pub fn around(middle: M, now: u64, seed: u64, weather: Weather, outs: [Vec<u8>; 2], isns: [u32; 2]) -> Self {
        let [a, b] = outs;
        let mut world = Self {
            now,
            streams: middle,
            ends: [End::new(Direction::In, isns[0], a), End::new(Direction::Out, isns[1], b)],
            dice: Dice::new(seed),
            weather,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            serial: 0,
            reads: None,
            judge: verdict,
            watch: None,
        };
        world.at(1, Event::Tick);
        world
    }

    fn at(&mut self, after: u64, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((self.now + after, self.serial)));
        self.events.insert(self.serial, event);
    }

    pub fn connect(&mut self) {
        let mut out = Vec::new();
        self.ends[0].connect(self.now, &mut out);
        self.leave_end(0, out);
    }

    pub fn leave_end(&mut self, end: usize, frames: Vec<Vec<u8>>) {
        let way = self.ends[end].way;
        for frame in frames {
            if !self.dice.chance(self.weather.loss) {
                let delay = 1 + self.dice.below(self.weather.delay);
                self.at(delay, Event::AtGateway(way, frame));
            }
        }
    }

    pub fn leave_gateway(&mut self, out: Out) {
        for (way, frame) in out.frames {
            if !self.dice.chance(self.weather.loss) {
                let delay = 1 + self.dice.below(self.weather.delay);
                self.at(delay, Event::AtEnd(way, frame));
            }
        }
        for (ticket, octets) in out.offers {
            let delay = self.dice.below(self.weather.verdict + 1);
            self.at(delay, Event::Settle(ticket, octets));
        }
    }

    /// Runs until both ends are done and nothing is under way, or for so many milliseconds.
    pub fn run(&mut self, for_ms: u64) -> bool {
        let until = self.now + for_ms;
        while let Some(Reverse((now, serial))) = self.queue.pop() {
            if now > until {
                self.queue.push(Reverse((now, serial)));
                return false;
            }
            self.now = now;
            let event = self.events.remove(&serial).unwrap();
            self.step(event);
            if self.ends.iter().all(End::is_done) && self.events.len() <= 1 {
                return true;
            }
        }
        false
    }

    fn step(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::AtGateway(way, frame) => {
                let mut out = Out::default();
                self.streams.give(way, &frame, now, &mut out);
                self.leave_gateway(out);
            }
            Event::AtEnd(way, frame) => {
                if let Some(watch) = self.watch {
                    watch(way, &frame);
                }
                let to = 1 - way as usize;
                let mut out = Vec::new();
                let mut dice = Dice::new(self.dice.next());
                self.ends[to].take(now, &frame, &mut dice, &mut out);
                self.leave_end(to, out);
            }
            Event::Settle(ticket, octets) => {
                let mut out = Out::default();
                let verdict = (self.judge)(&octets);
                self.streams.settle(ticket, &octets, &verdict, now, &mut out);
                self.leave_gateway(out);
            }
            Event::Tick => {
                let mut expired = Out::default();
                self.streams.tick(now, &mut expired);
                self.leave_gateway(expired);
                for i in 0..2 {
                    let mut out = Vec::new();
                    let mut dice = Dice::new(self.dice.next());
                    self.ends[i].tick(now, &mut dice, &mut out);
                    let octets = self.reads.map_or(u64::MAX, |most| dice.below(most + 1));
                    self.ends[i].read(now, octets, &mut out);
                    self.leave_end(i, out);
                }
                self.at(5, Event::Tick);
            }
        }
    }
}

/// Messages of one direction, one after another.
pub fn stream(first: u32, count: u32, seed: u64, longest: u64) -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice::new(seed);
    let (mut sent, mut wanted) = (Vec::new(), Vec::new());
    for id in first..first + count {
        let len = 20
            + match dice.below(20) {
                0 => dice.below(longest),
                _ => dice.below(380),
            };
        let message = message(id, len as usize);
        wanted.extend(outcome(&message));
        sent.extend(message);
    }
    (sent, wanted)
}
