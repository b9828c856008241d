//! Diameter and SIP over TCP: segments go into their connection, messages come out of it, and what leaves are segments of our
//! making (see [`crate::state::stream`]).

use std::collections::VecDeque;

use sealgate_config::model::LinkKind;
use sealgate_wire::tcp::{self, Segment};
use sealgate_wire::{Reason, Refusal, ip};

use super::association;
use super::claims::{self, Next, Scene};
use super::datagram::addresses;
use super::decode::Layers;
use super::parked::WAIT_MS;
use super::slots::{Message, MessageId, Record};
use super::tap::is_offered;
use super::worker::{Sides, Worker};
use crate::io::{Frame, FrameIo};
use crate::policy::Snapshot;
use crate::policy::snapshot::LinkId;
use crate::state::Direction;
use crate::state::stream::{self, DIAMETER, Departure, Fate, Key, Limits, Protocol, Sink, Streams, Ticket};
use crate::stats::Stats;

/// Where segments and messages of a worker's connections go.
pub(super) struct Outlet<'w, P: FrameIo> {
    ports: &'w mut [P; 2],
    out: &'w mut [VecDeque<P::Frame>; 2],
    stats: &'w mut Stats,
    /// A frame being made.
    laid: &'w mut Vec<u8>,
    /// Messages that are whole now.
    offered: &'w mut Vec<Offer>,
    /// What is noted of them.
    frame: u64,
    now_ms: u64,
    sides: Sides,
}

/// A message that its connection has whole, and nobody has looked at yet.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    ticket: Ticket,
    /// The frame that made it whole.
    frame: u64,
    /// Since when, by the clock of holds.
    since_ms: u64,
    /// It waits for a certificate, and was looked at last when this many of them could have come.
    waits: Option<u64>,
}

/// How long a message waits for room in the crypto pool or among messages, before it is refused. A hole in a connection that is
/// filled makes hundreds of them whole at once, and none of them is to blame for it.
const PATIENCE_MS: u64 = 1000;
/// Connections that are skipped for the rest of a look because a message of theirs found no room.
const SKIPPED: usize = 8;

impl<P: FrameIo> Sink for Outlet<'_, P> {
    fn send(&mut self, departure: &Departure<'_>) {
        let exit = match (self.sides, departure.way) {
            (Sides::ByPort, Direction::Out) => 0,
            _ => 1,
        };
        self.laid.clear();
        let (Some(port), Some(queue)) = (self.ports.get_mut(exit), self.out.get_mut(exit)) else { return };
        // What finds no frame is as if it was lost on the wire: its sender sends it again.
        if !departure.lay(self.laid) {
            return self.stats.event(Reason::IntBug);
        }
        let Some(mut frame) = port.alloc() else { return self.stats.event(Reason::ResMempool) };
        if frame.set(self.laid).is_err() {
            return self.stats.event(Reason::ResMempool);
        }
        queue.push_back(frame);
        self.stats.made += 1;
    }

    fn offer(&mut self, ticket: Ticket, _: &[u8]) {
        self.offered.push(Offer { ticket, frame: self.frame, since_ms: self.now_ms, waits: None });
    }
}

/// The connections of a worker, empty.
pub(super) fn streams(snapshot: &Snapshot) -> Streams {
    let config = stream::Config {
        flows: snapshot.defaults.tcp.connections as usize,
        // What is held longer than its sender's patience is sent again, by SACK only what is missing.
        sack_held: true,
        ..stream::Config::default()
    };
    let mut streams = Streams::new(config);
    streams.limit(&limits(snapshot));
    streams
}

/// What a policy says of all connections.
pub(super) fn limits(snapshot: &Snapshot) -> Limits {
    let defaults = &snapshot.defaults;
    let links = snapshot.links.iter().filter(|link| link.config.transports.tcp);
    let mtu = links.map(|link| {
        let v6 = link.config.remote.iter().any(|remote| remote.is_ipv6());
        usize::from(link.mtu).saturating_sub(if v6 { ip::V6_HEADER_LEN } else { ip::V4_HEADER_LEN })
    });
    Limits {
        hold_octets: defaults.hold.octets as usize,
        hold_deadline_ms: u64::from(defaults.tcp.hold_ms),
        mss: mtu.min().unwrap_or(usize::from(u16::MAX)).saturating_sub(tcp::HEADER_LEN),
        adopt: defaults.adopt,
    }
}

/// What the connections of a link carry; `None`: nothing that comes over TCP.
const fn protocol(kind: LinkKind) -> Option<Protocol> {
    match kind {
        LinkKind::Diameter => Some(DIAMETER),
        LinkKind::Sip => Some(stream::SIP),
        LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua | LinkKind::Gtp => None,
    }
}

impl<P: FrameIo> Worker<P> {
    /// Takes one segment. An error drops the frame.
    ///
    /// * `entered`: the frame; taken from there as soon as it goes on
    pub(super) fn segment(
        &mut self,
        snapshot: &Snapshot,
        entered: &mut Option<P::Frame>,
        layers: Layers,
        port: usize,
        number: u64,
        handed: bool,
    ) -> Result<(), Refusal> {
        let Layers { way, link, .. } = layers;
        let bug = Reason::IntBug.at(0);
        let config = &snapshot.links.get(usize::from(link)).ok_or(bug)?.config;
        let frame = entered.as_ref().ok_or(bug)?;
        let octets = frame.octets().get(layers.sctp..layers.end).ok_or(bug)?;
        let (source, destination) = addresses(frame.octets()).ok_or(bug)?;
        let segment = Segment::parse(octets)?;
        let header = &segment.header;
        let (remote, local, remote_port, local_port) = match way {
            Direction::In => (source, destination, header.source_port, header.destination_port),
            Direction::Out => (destination, source, header.destination_port, header.source_port),
        };
        // Whoever opens a connection takes any port for his own end: one that fits is enough.
        if config.ports.is_some_and(|ports| ports.remote != remote_port && ports.local != local_port) {
            return Err(Reason::L4PeerUnknown.at(0));
        }
        let owner = association::Key { link, remote: remote_port, local: local_port }.owner(self.config.workers);
        if owner != self.config.index && !handed {
            return self.hand_over(entered, port, owner);
        }
        if tcp::checksum(source, destination, octets) != Some(0) {
            return Err(Reason::L4Checksum.at(16));
        }
        let protocol = protocol(config.kind).ok_or(Reason::L4PeerUnknown.at(9))?;
        let mut head = [0; stream::HEAD_LEN];
        let head = plain_head(frame.octets(), layers.ip, &mut head).ok_or(Reason::L2Runt.at(0))?;
        let key = Key { link: u32::from(link), remote, local, remote_port, local_port };
        let mut outlet = Outlet {
            ports: &mut self.ports,
            out: &mut self.out,
            stats: &mut self.stats,
            laid: &mut self.datagram,
            offered: &mut self.offered,
            frame: number,
            now_ms: self.hold_ms,
            sides: self.config.sides,
        };
        let reason = self.streams.segment(&key, way, head, &segment, &protocol, self.hold_ms, &mut outlet);
        let empty = segment.payload.is_empty();
        if reason != Reason::OkHeld && !reason.passes() {
            return Err(reason.at(0));
        }
        *entered = None;
        self.stats.streamed += 1;
        if let Some(journal) = self.journal.as_mut().filter(|_| empty) {
            journal.push(Record::of(number, Some(way), Some(link), reason));
        }
        Ok(())
    }

    /// Judges what connections have whole, up to signatures. What finds no room stays for the next time.
    pub(super) fn take_offered(&mut self, snapshot: &Snapshot) {
        let (mut skipped, mut count) = ([None; SKIPPED], 0);
        let (mut i, mut kept) = (0, 0);
        // A verdict may make room for more of them.
        while let Some(&offer) = self.offered.get(i) {
            i += 1;
            let full = count == SKIPPED;
            // What waits for a certificate waits alone: it takes no room from others.
            let waited = self.hold_ms.saturating_sub(offer.since_ms) < WAIT_MS;
            let waits = waited && offer.waits.is_some_and(|look| look == self.looks);
            let skip =
                waits || full || skipped.iter().flatten().any(|other: &Ticket| other.same_connection(offer.ticket));
            let mut offer = offer;
            if !skip && self.offered(snapshot, &mut offer) {
                continue;
            }
            if let Some(place) = skipped.get_mut(count).filter(|_| !skip && offer.waits != Some(self.looks)) {
                (*place, count) = (Some(offer.ticket), count + 1);
            }
            if let Some(place) = self.offered.get_mut(kept) {
                (*place, kept) = (offer, kept + 1);
            }
        }
        self.offered.truncate(kept);
    }

    /// Judges a message that its connection has whole, up to its signature. `false` if there is no room for it now.
    fn offered(&mut self, snapshot: &Snapshot, offer: &mut Offer) -> bool {
        let Offer { ticket, frame, since_ms, .. } = *offer;
        let may_wait = self.may_wait(snapshot, since_ms);
        let way = ticket.way();
        let Some(link) = self.streams.key(ticket).and_then(|key| LinkId::try_from(key.link).ok()) else { return true };
        let kind = snapshot.links.get(usize::from(link)).map(|link| link.config.kind).unwrap_or_default();
        let patient = self.hold_ms.saturating_sub(since_ms) < PATIENCE_MS;
        let mut message = self.spare_messages.pop().unwrap_or_default();
        (message.way, message.may_wait) = (Some(way), may_wait);
        (message.link, message.kind, message.ticket) = (link, kind, Some(ticket));
        (message.seq, message.frame) = (self.streams.place(ticket).unwrap_or_default(), frame);
        let id = match self.messages.insert(message) {
            Ok(id) => id,
            Err(mut message) => {
                if !patient {
                    self.stats.messages += 1;
                    message.settled = Some((Reason::ResTableFull, 0, false));
                    self.settle_at_once(snapshot, &mut message);
                }
                message.reset();
                self.spare_messages.push(message);
                return !patient;
            }
        };
        let (Some(message), Some(octets)) = (self.messages.get_mut(id), self.streams.message(ticket)) else {
            self.put_back(id); // its connection ended
            return true;
        };
        (message.len, message.longest, message.fragments) = (octets.len(), octets.len(), 1);
        let mut scene = Scene {
            snapshot,
            shared: &self.shared,
            crypto: &mut self.crypto,
            segments: &mut self.segments,
            scratch: &mut self.scratch,
            signer: &mut self.signer,
            stats: &mut self.stats,
            now_ms: self.now_ms,
            started_ms: self.config.started_ms,
        };
        let next = match (kind, way) {
            (LinkKind::Diameter, Direction::In) => claims::diameter::inbound(&mut scene, octets, message, id),
            (LinkKind::Diameter, Direction::Out) => claims::diameter::outbound(&mut scene, octets, message, id),
            (LinkKind::Sip, Direction::In) => claims::sip::inbound(&mut scene, octets, message, id),
            (LinkKind::Sip, Direction::Out) => claims::sip::outbound(&mut scene, octets, message, id),
            (LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua | LinkKind::Gtp, _) => Err(Reason::IntBug.at(0)),
        };
        let full = |refusal: &Refusal| matches!(refusal.reason, Reason::ResCryptoQueue | Reason::ResCryptoShare);
        if patient && next.as_ref().is_err_and(full) {
            self.put_back(id);
            return false;
        }
        if next == Ok(Next::Later) {
            offer.waits = Some(self.looks);
            self.put_back(id);
            return false;
        }
        self.stats.messages += 1;
        message.settled = Next::settled(next);
        if next != Ok(Next::Wait) {
            self.ready.push((id, Ok(())));
        }
        true
    }

    /// Messages of connections that wait for a certificate.
    pub(super) fn offers_waiting(&self) -> usize {
        self.offered.iter().filter(|offer| offer.waits.is_some()).count()
    }

    /// Empties the slot of a message that nobody waits for.
    pub(super) fn put_back(&mut self, id: MessageId) {
        if let Some(mut message) = self.messages.remove(id) {
            message.reset();
            self.spare_messages.push(message);
        }
    }

    /// Gives a connection the verdict of one of its messages.
    pub(super) fn settle_stream(&mut self, message: &Message, ticket: Ticket, leaves: bool) {
        let fate = match message.output.as_slice() {
            _ if !leaves => Fate::Refused,
            [] => Fate::AsCame,
            octets => Fate::Octets(octets),
        };
        let mut outlet = Outlet {
            ports: &mut self.ports,
            out: &mut self.out,
            stats: &mut self.stats,
            laid: &mut self.datagram,
            offered: &mut self.offered,
            frame: self.received.saturating_sub(1),
            now_ms: self.hold_ms,
            sides: self.config.sides,
        };
        // Its connection may have ended meanwhile: then nobody waits for it.
        let _ = self.streams.settle(ticket, fate, self.hold_ms, &mut outlet);
    }

    /// Refuses what was held too long, and forgets connections whose time is over.
    pub(super) fn expire_streams(&mut self) {
        let mut outlet = Outlet {
            ports: &mut self.ports,
            out: &mut self.out,
            stats: &mut self.stats,
            laid: &mut self.datagram,
            offered: &mut self.offered,
            frame: self.received.saturating_sub(1),
            now_ms: self.hold_ms,
            sides: self.config.sides,
        };
        self.streams.expire(self.hold_ms, &mut outlet);
    }
}

/// A frame made of a message for those who are offered it under this reason; empty if nobody is.
#[cold]
pub(super) fn picture<'o>(streams: &Streams, ticket: Ticket, reason: Reason, out: &'o mut Vec<u8>) -> &'o [u8] {
    out.clear();
    if is_offered(reason, Some(ticket.way())) {
        streams.picture(ticket, out);
    }
    out
}

/// The octets before a TCP header as those that leave have them: link layer with its tags and labels, and the plain header of IP.
/// Options and extension headers go: where the TCP header begins, both ends of the gateway must read alike.
fn plain_head<'h>(frame: &[u8], ip_at: usize, head: &'h mut [u8; stream::HEAD_LEN]) -> Option<&'h [u8]> {
    let six = frame.get(ip_at)? >> 4 == 6;
    let len = ip_at + if six { ip::V6_HEADER_LEN } else { ip::V4_HEADER_LEN };
    head.get_mut(..len)?.copy_from_slice(frame.get(..len)?);
    if six {
        *head.get_mut(ip_at + 6)? = tcp::PROTOCOL;
    } else {
        *head.get_mut(ip_at)? = 0x45;
    }
    head.get(..len)
}
