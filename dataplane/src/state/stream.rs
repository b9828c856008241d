//! TCP connections that go through the gateway: messages found, judged and changed while both ends keep their own
//! connection with each other (formats 3).
//!
//! The gateway is no end of the connection. It acknowledges nothing on its own: what the receiver has not, the sender
//! keeps and sends again. A change of length is a step between two number spaces; sequence numbers one way,
//! acknowledgements, SACK blocks and windows the other way are translated.
//!
//! | met | rule |
//! |---|---|
//! | octets of a message that is not whole or not judged | held; the acknowledgement with them goes on alone at once |
//! | octets behind a hole | held, up to `input_octets` and 32 pieces; the sender gets the last acknowledgement again, with SACK of what is held if `sack_held` |
//! | the same octets again | the same output again, all of a changed message that is missing |
//! | other octets under numbers that were here | those seen first stand; counted while they wait for release, ignored after |
//! | octets that the receiver has acknowledged | an empty segment before its window, which it answers with where it is |
//! | half a message for `hold_deadline_ms`, or a longer one than `hold_octets` | refused: filler in its place as it comes, and the next message is judged again |
//! | the same, and its length is not known; no message begins like that; FIN in such a header | RST to both ends |
//! | FIN in a message of known length | what is there of it becomes filler |
//! | a message longer than the receiver's window | its sender may send all of it; it leaves as the window opens |
//! | growth beyond the receiver's window | kept until it opens |
//! | URG | flag and pointer are cleared: a receiver would take one octet out of the line, and read another message than we did (RFC 6093) |
//! | octets with a SYN (RFC 7413) | taken off; their sender sends them again |
//! | options but MSS, window scale, SACK, timestamps | taken off: others change how octets are counted, or cover them (RFC 5925, RFC 8684) |
//! | ECE, CWR | stay; the bits before them are cleared, so nobody agrees on their use |
//! | RST | ends the flow only with a number that the other end takes (RFC 5961 §3) |
//! | SYN in an open flow | goes on; it counts once the other end answers it (RFC 5961 §4) |
//!
//! A connection met in mid-stream (`adopt`) has the numbers that its ends use: its receiver's acknowledgement is where
//! its octets go on. Nothing passes before a receiver said so, and what follows must be a message whose end is that of the
//! octets at hand or the begin of another: otherwise both ends are reset. An attacker who knows the moment of a restart could begin inside
//! a message of his own; whoever minds sets `adopt` off, and restarts connections with the gateway. If the gateway before
//! had changed lengths, acknowledgements contradict the octets, and both ends are reset as well.
//!
//! # How a worker drives it
//! * For each frame whose addresses are those of a link over TCP: [`Streams::segment`] with the octets before the TCP header
//!   (Ethernet and IP: the `head`), under the way it goes. The frame itself is consumed, whatever it answers: all that leaves goes
//!   through [`Sink::send`].
//! * [`Sink::send`] lays a segment into a new frame with [`Departure::lay`] and sends it by the port of its way. Each flow
//!   keeps the head of the last frame of each way whose numbers its receiver would take, so a segment that leaves later, or that answers one of the other way, has
//!   addresses, VLAN tags and hop limit of that. Congestion marks of IP are those of that frame too.
//! * [`Sink::offer`] is given each whole message once, in order. The worker decodes it there and then, and remembers the
//!   ticket; [`Streams::message`] shows the octets again until it is settled. Its verdict goes to [`Streams::settle`], after
//!   the call that offered it; of one flow in any order. Each ticket is to be settled, or its flow stands still.
//! * Once a turn: [`Streams::expire`].
//!
//! Nothing allocates once buffers, lists and table have met the load: buffers are pooled and have sizes of powers of two;
//! a flow without octets under way has none.

mod buffer;
mod flow;
pub mod fuzzing;
mod half;
mod map;
mod protocol;

pub use protocol::{Border, DIAMETER, Protocol, SIP};

use core::net::IpAddr;
use std::collections::HashMap;

use sealgate_wire::tcp::{self, Flags, Header, Options, Segment};
use sealgate_wire::{Reason, ip};

use super::Direction;
use super::blocks::Blocks;
use buffer::Pool;
use flow::{Flow, Phase};
use half::Shared;

/// Most octets before a TCP header: Ethernet, tags or labels, IPv6.
pub const HEAD_LEN: usize = 96;
/// How many flows are looked at to find one that can go, and each turn to find those whose time is over.
const LOOKS: usize = 32;

/// Limits of [`Streams`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Most connections.
    pub flows: usize,
    /// Most octets of a message that is held; longer ones are refused.
    pub hold_octets: usize,
    /// Longest hold of half a message, milliseconds.
    pub hold_deadline_ms: u64,
    /// By how much a message may grow.
    pub growth_octets: usize,
    /// Most octets of one direction that are not released, those behind holes included; at least 65535.
    pub input_octets: usize,
    /// Most octets of one direction that are released and not acknowledged; at least a message and its growth.
    pub output_octets: usize,
    /// Most messages of one direction that are not released.
    pub messages: usize,
    /// Most changes of length of one direction that are not acknowledged.
    pub steps: usize,
    /// Octets of all buffers of all flows.
    pub pool_octets: usize,
    /// Octets of all verdicts that change octets and wait for their turn.
    pub settled_octets: usize,
    /// Most octets of a segment with its options: that of the link; greetings that offer more are lowered to it.
    pub mss: usize,
    /// A sender is told by SACK which octets behind a hole are here. Those are not acknowledged, and their sender keeps
    /// them (RFC 2018 §8), but the receiver has them not: off, unless losses before the gateway cost too many messages.
    pub sack_held: bool,
    /// Connections met in mid-stream are taken over; else both ends are reset.
    pub adopt: bool,
    /// A connection that nothing was heard of for this long is forgotten, milliseconds.
    pub idle_ms: u64,
    /// One that ended, milliseconds: twice the maximum segment lifetime.
    pub closed_ms: u64,
    /// A SYN without answer, milliseconds.
    pub opening_ms: u64,
    /// An open connection heard of within this time does not make room for another, milliseconds.
    pub guard_ms: u64,
}

impl Default for Config {
    /// 64 KiB and 200 ms (formats 3); 1024 connections, 256 KiB a direction each way, 64 MiB in all; two hours idle, two
    /// minutes closed.
    fn default() -> Self {
        Self {
            flows: 1024,
            hold_octets: 64 << 10,
            hold_deadline_ms: 200,
            growth_octets: 4096,
            input_octets: 256 << 10,
            output_octets: 256 << 10,
            messages: 256,
            steps: 256,
            pool_octets: 64 << 20,
            settled_octets: 4 << 20,
            mss: 1460,
            sack_held: false,
            adopt: true,
            idle_ms: 7_200_000,
            closed_ms: 120_000,
            opening_ms: 30_000,
            guard_ms: 60_000,
        }
    }
}

impl Config {
    /// With limits that let a longest message through.
    fn sound(self) -> Self {
        Self {
            input_octets: self.input_octets.max(usize::from(u16::MAX)).max(self.hold_octets),
            output_octets: self.output_octets.max(self.hold_octets + self.growth_octets),
            messages: self.messages.max(2),
            steps: self.steps.max(1),
            flows: self.flows.max(1),
            ..self
        }
    }
}

/// Those limits of [`Config`] that may change while connections are open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// See [`Config::hold_octets`]; half a message that is longer than a new limit is refused.
    pub hold_octets: usize,
    /// See [`Config::hold_deadline_ms`].
    pub hold_deadline_ms: u64,
    /// See [`Config::mss`]; holds for connections that open from now on.
    pub mss: usize,
    /// See [`Config::adopt`].
    pub adopt: bool,
}

/// A connection as a link sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// Number of the link.
    pub link: u32,
    /// The neighbour: who sends towards [`Direction::In`].
    pub remote: IpAddr,
    /// Our own host.
    pub local: IpAddr,
    /// Of the neighbour.
    pub remote_port: u16,
    /// Of our own host.
    pub local_port: u16,
}

/// Names a message that waits for its verdict.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket {
    slot: u32,
    generation: u32,
    way: Direction,
    number: u32,
}

impl Ticket {
    /// Which way the message goes.
    pub const fn way(&self) -> Direction {
        self.way
    }

    /// Whether two messages are of one connection.
    pub const fn same_connection(&self, other: Ticket) -> bool {
        self.slot == other.slot && self.generation == other.generation
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate<'a> {
    /// It leaves as it came.
    AsCame,
    /// These octets leave in its place. None, too many, or more than there is memory for: it is refused.
    Octets(&'a [u8]),
    /// The filler of its protocol leaves, as long as itself.
    Refused,
}

/// The connection of a ticket ended before its verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// A segment to send.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    /// Its connection.
    pub key: &'a Key,
    /// Which way it goes.
    pub way: Direction,
    /// What stood before the TCP header of the last frame that went this way.
    pub head: &'a [u8],
    /// Of the segment.
    pub header: Header,
    /// Of the segment.
    pub options: &'a Options,
    /// Of the segment.
    pub payload: &'a [u8],
}

impl Departure<'_> {
    /// Appends the whole frame: head with its lengths and checksum made again, header with its checksum, octets.
    ///
    /// `false`, and nothing appended, if the head is none of an IP packet between these addresses.
    pub fn lay(&self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let ip_len = if self.key.remote.is_ipv6() { ip::V6_HEADER_LEN } else { ip::V4_HEADER_LEN };
        let (from, to) = match self.way {
            Direction::In => (self.key.remote, self.key.local),
            Direction::Out => (self.key.local, self.key.remote),
        };
        out.extend_from_slice(self.head);
        tcp::emit(&self.header, self.options, self.payload, out);
        let (at, end) = (start + self.head.len(), out.len());
        let laid = self.head.len() >= ip_len
            && out.get_mut(at..).is_some_and(|segment| tcp::seal(from, to, segment))
            && out.get_mut(at - ip_len..).is_some_and(|packet| ip::set_lengths(packet, end - at));
        if !laid {
            out.truncate(start);
        }
        laid
    }
}

/// Where segments and messages go.
pub trait Sink {
    /// Takes a segment that leaves now.
    fn send(&mut self, departure: &Departure<'_>);
    /// Takes a whole message to be judged; its verdict goes to [`Streams::settle`].
    fn offer(&mut self, ticket: Ticket, octets: &[u8]);
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Handshakes seen.
    pub opened: u64,
    /// Connections met in mid-stream.
    pub adopted: u64,
    /// Segments of those before their receiver said where it is.
    pub unsynced: u64,
    /// Connections that we reset.
    pub resets: u64,
    /// Messages offered.
    pub offered: u64,
    /// Messages refused because they are too long, or cut by FIN.
    pub refused_long: u64,
    /// Messages refused because they stayed half too long.
    pub refused_late: u64,
    /// Verdicts whose octets found no room, or were none: refused instead.
    pub no_room: u64,
    /// Segments with other octets, or another end, than were seen first.
    pub conflicts: u64,
    /// Segments behind more holes than are kept.
    pub out_of_order_full: u64,
    /// Segments that found no buffer.
    pub no_buffer: u64,
    /// Segments outside what their receiver takes, or that fit no handshake.
    pub out_of_place: u64,
    /// Acknowledgements of what never left.
    pub beyond: u64,
    /// Retransmissions answered with what left the first time.
    pub retransmitted: u64,
    /// Empty segments that ask a receiver where it is.
    pub asked: u64,
    /// Acknowledgements repeated because of a hole.
    pub duplicate_acks: u64,
    /// Segments whose URG was cleared.
    pub urgent: u64,
    /// Segments with options that were taken off.
    pub options: u64,
    /// Greetings whose octets were taken off.
    pub syn_data: u64,
    /// Connections forgotten to make room for others.
    pub evicted: u64,
    /// Connections forgotten because their time was over.
    pub expired: u64,
    /// Segments without a place in the table.
    pub table_full: u64,
}

/// All connections of one worker.
pub struct Streams {
    shared: Shared,
    index: HashMap<Key, u32>,
    flows: Vec<Flow>,
    /// Slots that nobody uses.
    free: Vec<u32>,
    /// Slots with half a message.
    halves: Vec<u32>,
    /// Where the next look begins.
    hand: usize,
}

impl Streams {
    /// An empty table. Its slots are made as they are used, and kept.
    pub fn new(config: Config) -> Self {
        let config = config.sound();
        Self {
            shared: Shared {
                pool: Pool::new(config.pool_octets),
                blocks: Blocks::new(config.settled_octets),
                counters: Counters::default(),
                config,
            },
            // Twice the room: a map that is at most half full clears its graves in place.
            index: HashMap::with_capacity(2 * config.flows),
            flows: Vec::new(),
            free: Vec::with_capacity(config.flows),
            halves: Vec::with_capacity(config.flows),
            hand: 0,
        }
    }

    /// Takes one segment. What it leads to goes to `sink`; the segment itself goes nowhere.
    ///
    /// * `way`: where it goes
    /// * `head`: the octets of its frame before the TCP header, at most [`HEAD_LEN`]
    /// * `protocol`: of the link
    ///
    /// Returns what the segment counts as: [`Reason::OkHeld`] with octets, which are judged message by message,
    /// [`Reason::OkNotSubject`] without; [`Reason::TcpStream`], [`Reason::ResTableFull`] or [`Reason::ResMempool`] if it was refused.
    #[expect(clippy::too_many_arguments, reason = "a frame in its parts")]
    pub fn segment(
        &mut self,
        key: &Key,
        way: Direction,
        head: &[u8],
        segment: &Segment<'_>,
        protocol: &Protocol,
        now_ms: u64,
        sink: &mut dyn Sink,
    ) -> Reason {
        let slot = match self.index.get(key).copied() {
            Some(slot) => slot,
            None if segment.header.flags.has(Flags::RST) => {
                // Nothing to end here; whether there is there, its receiver knows.
                let header = Header {
                    urgent: 0,
                    flags: segment.header.flags.only(Flags::RST.with(Flags::ACK)),
                    ..segment.header
                };
                sink.send(&Departure { key, way, head, header, options: &Options::default(), payload: &[] });
                return Reason::OkNotSubject;
            }
            None => match self.open(key, protocol, now_ms) {
                Some(slot) => slot,
                None => {
                    self.shared.counters.table_full += 1;
                    return Reason::ResTableFull;
                }
            },
        };
        let Some(flow) = self.flows.get_mut(slot as usize) else { return Reason::IntBug };
        // Anybody can send a frame with these addresses: where the flow is open, one with the right numbers shows the way.
        if flow.wants_head(way) && !flow.keep_head(way, head) {
            return Reason::L2Runt;
        }
        let reason = flow.segment(&mut self.shared, slot, way, segment, now_ms, sink);
        if flow.fresh {
            flow.keep_head(way, head);
        }
        if flow.fresh || flow.phase != Phase::Open {
            flow.last_ms = now_ms;
        }
        self.list(slot);
        reason
    }

    /// Takes a verdict. What it sets free goes to `sink`.
    /// # Errors
    /// [`Gone`] if nothing waits under this ticket any more: its connection ended or was forgotten.
    pub fn settle(&mut self, ticket: Ticket, fate: Fate<'_>, now_ms: u64, sink: &mut dyn Sink) -> Result<(), Gone> {
        let flow = self.flows.get_mut(ticket.slot as usize).filter(|flow| flow.generation == ticket.generation);
        let flow = flow.ok_or(Gone)?;
        let half = flow.halves.get_mut(ticket.way as usize).ok_or(Gone)?;
        half.settle(ticket.number, fate, &mut self.shared).ok_or(Gone)?;
        flow.settled(&mut self.shared, ticket.slot, ticket.way, now_ms, sink);
        self.list(ticket.slot);
        Ok(())
    }

    /// Takes over limits.
    pub fn limit(&mut self, limits: &Limits) {
        let Limits { hold_octets, hold_deadline_ms, mss, adopt } = *limits;
        self.shared.config = Config { hold_octets, hold_deadline_ms, mss, adopt, ..self.shared.config }.sound();
    }

    /// Appends a message that waits for its verdict as one frame, as if it had come in one segment: for those who look on.
    /// `false`, and nothing appended, if nothing waits under this ticket or it is longer than a packet.
    pub fn picture(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        let flow = self.flows.get(ticket.slot as usize).filter(|flow| flow.generation == ticket.generation);
        let (Some(flow), Some(octets)) = (flow, self.message(ticket)) else { return false };
        let Some(half) = flow.halves.get(ticket.way as usize) else { return false };
        let header = Header {
            seq: half.place(ticket.number),
            flags: Flags::ACK.with(Flags::PSH),
            window: u16::MAX,
            ..Header::default()
        };
        flow.departure(ticket.way, header, &Options::default(), octets).is_some_and(|departure| departure.lay(out))
    }

    /// The sequence number of the first octet of a message, as it came.
    pub fn place(&self, ticket: Ticket) -> Option<u32> {
        let flow = self.flows.get(ticket.slot as usize).filter(|flow| flow.generation == ticket.generation)?;
        Some(flow.halves.get(ticket.way as usize)?.place(ticket.number))
    }

    /// The connection of a message.
    pub fn key(&self, ticket: Ticket) -> Option<&Key> {
        let flow = self.flows.get(ticket.slot as usize).filter(|flow| flow.generation == ticket.generation)?;
        Some(&flow.key)
    }

    /// The octets of a message that waits for its verdict.
    pub fn message(&self, ticket: Ticket) -> Option<&[u8]> {
        let flow = self.flows.get(ticket.slot as usize).filter(|flow| flow.generation == ticket.generation)?;
        flow.halves.get(ticket.way as usize)?.message(ticket.number)
    }

    /// Refuses half messages that were held too long, and forgets some connections whose time is over.
    pub fn expire(&mut self, now_ms: u64, sink: &mut dyn Sink) {
        let mut i = 0;
        while let Some(&slot) = self.halves.get(i) {
            let Some(flow) = self.flows.get_mut(slot as usize) else { break };
            flow.overdue(&mut self.shared, slot, now_ms, sink);
            if flow.holds() {
                i += 1;
            } else {
                flow.listed = false;
                self.halves.swap_remove(i);
            }
        }
        for _ in 0..LOOKS.min(self.flows.len()) {
            self.hand = (self.hand + 1) % self.flows.len().max(1);
            let Some(flow) = self.flows.get(self.hand) else { continue };
            let config = &self.shared.config;
            let keep_ms = match flow.phase {
                Phase::Opening => config.opening_ms,
                Phase::Open => config.idle_ms,
                Phase::Closed | Phase::Reset | Phase::Dead => config.closed_ms,
            };
            let key = flow.key;
            if now_ms.saturating_sub(flow.last_ms) > keep_ms && self.index.get(&key) == Some(&(self.hand as u32)) {
                self.shared.counters.expired += 1;
                self.drop_flow(&key);
            }
        }
    }

    /// Events since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Connections in the table.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Octets of all buffers, in use or not.
    pub fn buffered(&self) -> usize {
        self.shared.pool.octets()
    }

    /// Puts a flow into the list of those with half a message.
    fn list(&mut self, slot: u32) {
        if let Some(flow) = self.flows.get_mut(slot as usize)
            && !flow.listed
            && flow.holds()
        {
            flow.listed = true;
            self.halves.push(slot);
        }
    }

    fn open(&mut self, key: &Key, protocol: &Protocol, now_ms: u64) -> Option<u32> {
        if self.free.is_empty() && self.flows.len() >= self.shared.config.flows {
            let victim = self.victim(now_ms)?;
            self.shared.counters.evicted += 1;
            self.drop_flow(&victim);
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.flows.push(Flow::new(*key, *protocol));
                self.flows.len() as u32 - 1
            }
        };
        let flow = self.flows.get_mut(slot as usize)?;
        flow.forget(&mut self.shared);
        (flow.key, flow.protocol, flow.last_ms) = (*key, *protocol, now_ms);
        self.index.insert(*key, slot);
        Some(slot)
    }

    /// Which of the next few goes: one that ended before one that never opened before one that is silent, the oldest of
    /// those. Nobody can push out a connection that is in use.
    fn victim(&mut self, now_ms: u64) -> Option<Key> {
        let mut best: Option<(u8, u64, Key)> = None;
        for _ in 0..LOOKS.min(self.flows.len()) {
            self.hand = (self.hand + 1) % self.flows.len();
            let Some(flow) = self.flows.get(self.hand) else { continue };
            let class = match flow.phase {
                Phase::Closed | Phase::Reset | Phase::Dead => 0,
                Phase::Opening => 1,
                Phase::Open => 2,
            };
            let silent = now_ms.saturating_sub(flow.last_ms) >= self.shared.config.guard_ms;
            if (class < 2 || silent) && best.is_none_or(|(c, at, _)| (class, flow.last_ms) < (c, at)) {
                best = Some((class, flow.last_ms, flow.key));
            }
        }
        best.map(|(_, _, key)| key)
    }

    fn drop_flow(&mut self, key: &Key) {
        let Some(slot) = self.index.remove(key) else { return };
        if let Some(flow) = self.flows.get_mut(slot as usize) {
            flow.forget(&mut self.shared);
        }
        self.free.push(slot);
    }
}
