//! From a frame to its user messages: link, network and transport layer in the order of formats 2, steps 1 to 4.

use std::net::IpAddr;

use sealgate_config::model::LinkKind;
use sealgate_wire::sctp::{self, ChunkKind, Data, Header, Init, Packet, Sack};
use sealgate_wire::{Reason, Refusal, eth, ip, tcp, udp};

use super::association::Key;
use super::carrier;
use super::claims::{self, Next, Scene};
use super::rewrite::checksum;
use super::slots::{Action, AssocId, FrameId, FrameSlot, MessageId, Part, Plan, Record};
use super::worker::{Sides, Worker, action_of, is_pending};
use crate::io::{Frame, FrameIo};
use crate::policy::Snapshot;
use crate::policy::snapshot::LinkId;
use crate::state::Direction;
use crate::state::fragments::{Fragment, Progress};
use crate::state::retransmit::{Outcome, Seen, Stored, What};
use crate::state::tags::{Effect, Signs};

/// Address resolution (RFC 826).
const ARP: u16 = 0x0806;
/// ICMP and ICMPv6 (RFC 792, RFC 4443).
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
/// Router and neighbour discovery (RFC 4861 §4).
const DISCOVERY: core::ops::RangeInclusive<u8> = 133..=137;

/// Part of all frame slots that one direction of an association may take, as a divisor; and of one not proven yet.
const FLOW_SHARE: usize = 8;
const UNPROVEN_SHARE: usize = 32;

/// Where the layers of a frame lie, and who speaks to whom.
#[derive(Clone, Copy)]
pub(super) struct Layers {
    pub(super) way: Direction,
    pub(super) link: LinkId,
    pub(super) ip: usize,
    /// Where the transport layer begins.
    pub(super) sctp: usize,
    pub(super) end: usize,
}

/// What a frame is.
enum Kind {
    /// It passes without a verdict.
    NotSubject,
    /// It is of a link.
    Link(Transport, Layers),
}

/// What the messages of a frame come in.
enum Transport {
    Sctp,
    Udp,
    Tcp,
}

/// A message made of fragments, whose other parts lie in frames before.
struct Join {
    message: MessageId,
    first: u32,
    last: u32,
}

impl<P: FrameIo> Worker<P> {
    /// Takes one frame from a port, or from the worker whose queue it came by.
    pub(super) fn take_frame(&mut self, snapshot: &Snapshot, frame: P::Frame, port: usize, handed: bool) {
        let number = self.received;
        self.received += 1;
        self.enter(snapshot, frame, port, number, handed);
    }

    /// The same of a frame that has its number.
    pub(super) fn enter(&mut self, snapshot: &Snapshot, frame: P::Frame, port: usize, number: u64, handed: bool) {
        let exit = 1 - port.min(1);
        let (kind, layers) = match classify(snapshot, frame.octets(), port, self.config.sides) {
            Ok(Kind::Link(kind, layers)) => (kind, layers),
            Ok(Kind::NotSubject) => {
                self.note(number, None, None, Reason::OkNotSubject);
                return self.forward(frame, exit);
            }
            Err(refusal) if refusal.reason == Reason::IpFragment => {
                return self.fragment(snapshot, frame, port, number, handed, refusal);
            }
            Err(refusal) => return self.drop_frame(number, None, None, refusal, frame.octets()),
        };
        let (way, link) = (Some(layers.way), Some(layers.link));
        let mut frame = Some(frame);
        let taken = match kind {
            Transport::Sctp => self.sctp(snapshot, &mut frame, layers, port, number, handed),
            Transport::Udp => self.datagram(snapshot, &mut frame, layers, port, number, handed),
            Transport::Tcp => self.segment(snapshot, &mut frame, layers, port, number, handed),
        };
        if let Err(refusal) = taken {
            self.drop_frame(number, way, link, refusal, frame.as_ref().map_or(&[], |frame| frame.octets()));
        }
    }

    /// Writes a frame's own verdict down.
    pub(super) fn note(&mut self, frame: u64, way: Option<Direction>, link: Option<LinkId>, reason: Reason) {
        if let Some(journal) = &mut self.journal {
            journal.push(Record::of(frame, way, link, reason));
        }
    }

    /// Judges one SCTP packet. An error drops the whole frame.
    ///
    /// * `entered`: the frame; taken from there as soon as it goes on
    fn sctp(
        &mut self,
        snapshot: &Snapshot,
        entered: &mut Option<P::Frame>,
        layers: Layers,
        port: usize,
        number: u64,
        handed: bool,
    ) -> Result<(), Refusal> {
        let Layers { way, link, .. } = layers;
        let frame = entered.as_ref().ok_or(Reason::IntBug.at(0))?;
        let octets = frame.octets().get(layers.sctp..layers.end).ok_or(Reason::IntBug.at(0))?;
        let header = Header::parse(octets)?;
        let (remote, local) = match way {
            Direction::In => (header.source_port, header.destination_port),
            Direction::Out => (header.destination_port, header.source_port),
        };
        let config = &snapshot.links.get(usize::from(link)).ok_or(Reason::IntBug.at(0))?.config;
        if config.ports.is_some_and(|ports| ports.remote != remote || ports.local != local) {
            return Err(Reason::L4PeerUnknown.at(0));
        }
        let kind = config.kind;
        let key = Key { link, remote, local };
        let owner = key.owner(self.config.workers);
        if owner != self.config.index && !handed {
            return self.hand_over(entered, port, owner);
        }
        if checksum(octets) != Some(header.checksum) {
            return Err(Reason::SctpCrc32c.at(8));
        }
        let now_ms = self.now_ms;
        let adopt = snapshot.defaults.adopt;
        let walked = Packet::parse(octets).and_then(|packet| Ok((packet, signs_of(&packet)?)));
        let assoc = self.associations.find(key, config.vtag_in, adopt, now_ms).map_err(|reason| reason.at(0))?;
        let association = self.associations.get_mut(assoc).ok_or(Reason::IntBug.at(0))?;
        let (packet, (signs, data_chunks)) = match walked {
            Ok(walked) => walked,
            // The tag comes before the chunks: a packet that is not of this association says nothing about its sender.
            Err(_) if association.tags.contradicts(way, header.vtag) => return Err(Reason::SctpVtag.at(4)),
            Err(refusal) => return Err(refusal),
        };
        let proven = association.tags.is_proven();
        let effect = association.tags.judge(way, header.vtag, &signs).map_err(|reason| reason.at(4))?;
        association.seen_ms = now_ms;
        if signs.acked.is_some() {
            association.flows[way.opposite() as usize].acked = signs.acked;
        }
        match effect {
            Effect::None if !proven && association.tags.is_proven() => self.stats.adopted += 1,
            Effect::None => {}
            Effect::Fresh | Effect::Ended => {
                association.forget();
                // Fragments that wait for the rest of a message of the old association wait in vain.
                for way in [Direction::In, Direction::Out] {
                    self.give_up(assoc, way, (0, u32::MAX), false);
                }
            }
        }
        let exit = match self.config.sides {
            Sides::ByPort => 1 - port.min(1),
            Sides::ByAddress => 1,
        };
        if data_chunks == 0 {
            let frame = entered.take().ok_or(Reason::IntBug.at(0))?;
            self.note(number, Some(way), Some(link), Reason::OkNotSubject);
            self.forward(frame, exit);
            return Ok(());
        }
        debug_assert_eq!(packet.vtag, header.vtag);
        let Some(association) = self.associations.get_mut(assoc) else { return Err(Reason::IntBug.at(0)) };
        // One flow must never take the slots of all: what it holds back is its own affair.
        let slots = self.config.frames;
        let share =
            if association.tags.is_proven() { slots.div_ceil(FLOW_SHARE) } else { slots.div_ceil(UNPROVEN_SHARE) };
        let queue = &mut association.flows[way as usize].queue;
        if queue.len() >= share {
            return Err(Reason::ResOverload.at(0));
        }
        let mut slot = self.spare_frames.pop().unwrap_or_else(|| Box::new(FrameSlot::spare()));
        slot.frame = entered.take();
        (slot.number, slot.way, slot.exit) = (number, way, exit);
        (slot.link, slot.kind, slot.assoc) = (link, kind, assoc);
        (slot.ip, slot.sctp, slot.end) = (layers.ip, layers.sctp, layers.end);
        let id = match self.frames.insert(slot) {
            Ok(id) => id,
            Err(mut slot) => {
                *entered = slot.frame.take();
                self.keep(slot);
                return Err(Reason::ResTableFull.at(0));
            }
        };
        queue.push_back(id);
        let mut joins = Vec::new();
        self.chunks(snapshot, id, assoc, way, link, &mut joins)?;
        for join in joins {
            self.join(assoc, way, &join);
        }
        self.dirty.push((assoc, way));
        Ok(())
    }

    /// Plans each DATA chunk of a frame that has its slot.
    fn chunks(
        &mut self,
        snapshot: &Snapshot,
        id: FrameId,
        assoc: AssocId,
        way: Direction,
        link: LinkId,
        joins: &mut Vec<Join>,
    ) -> Result<(), Refusal> {
        let Some(slot) = self.frames.get_mut(id) else { return Err(Reason::IntBug.at(0)) };
        let FrameSlot { frame, number, kind, sctp, end, plans, octets: stored, waiting, .. } = &mut **slot;
        let kind = *kind;
        let octets = frame.as_ref().and_then(|frame| frame.octets().get(*sctp..*end)).unwrap_or(&[]);
        let mut lost = Vec::new();
        for chunk in Packet::chunks_again(octets).filter(|chunk| chunk.kind == ChunkKind::DATA) {
            let Ok(data) = Data::parse(&chunk) else { continue };
            // The I bit may differ from one transmission to the next (RFC 7053).
            let print = self.fingerprints.of(data.flags() & !sctp::FLAG_I, chunk.value);
            let Some(association) = self.associations.get_mut(assoc) else { continue };
            let flow = &mut association.flows[way as usize];
            let mut plan = Plan { tsn: data.tsn, print, user_len: data.user.len() as u32, action: Action::Again };
            match flow.sent(&snapshot.defaults).look(data.tsn, print) {
                Seen::Same(Stored::Kept(outcome)) => {
                    self.stats.repeated += 1;
                    if !is_pending(&outcome) {
                        plan.action = action_of(outcome.what, stored);
                    } // else its first copy still waits: it learns its fate when it leaves
                    if let Some(journal) = &mut self.journal {
                        let record = Record::of(*number, Some(way), Some(link), outcome.verdict);
                        journal.push(Record { tsn: Some(data.tsn), ..record });
                    }
                    plans.push(plan);
                    continue;
                }
                Seen::Other if !data.is_whole() => {
                    // A host may hold the first one, and join this one to it: two harmless halves, one forged message.
                    self.stats.event(Reason::SctpDupTsn);
                    plan.action = Action::Discard;
                    plans.push(plan);
                    continue;
                }
                Seen::New | Seen::Other | Seen::Same(Stored::Overwritten { .. }) => {}
            }
            // So far ahead a chunk would push out what is remembered of one that its receiver still waits for.
            let reach = snapshot.defaults.retransmission.tsns as i32;
            if flow.acked.is_some_and(|acked| data.tsn.wrapping_sub(acked) as i32 > reach) {
                self.stats.event(Reason::ResTableFull);
                plan.action = Action::Discard;
                plans.push(plan);
                continue;
            }
            let place = Part { frame: id, plan: plans.len() };
            let whole: &[u8];
            let mut parts = None;
            let mut longest = data.user.len();
            let mut ppid = data.ppid;
            if data.is_whole() {
                whole = data.user;
            } else {
                let offered = association.tags.forward_tsn() && carrier::may_skip(kind);
                let acked = flow.acked;
                let fragment = Fragment {
                    tsn: data.tsn,
                    begin: data.begin,
                    end: data.end,
                    unordered: data.unordered,
                    stream: data.stream,
                    ssn: data.ssn,
                    ppid: data.ppid,
                    payload: data.user,
                };
                let held = flow.held(&snapshot.defaults);
                match held.push(&fragment, self.hold_ms) {
                    Progress::Held => {
                        if !self.holding.contains(&(assoc, way)) {
                            self.holding.push((assoc, way));
                        }
                        plan.action = Action::Fragment;
                        plans.push(plan);
                        *waiting += 1;
                        continue;
                    }
                    Progress::Refused(range) => {
                        // It would acknowledge what is missing below it too: only where nothing is.
                        let next = acked.is_none_or(|acked| acked.wrapping_add(1) == range.first_tsn);
                        let forward = offered && next;
                        if forward {
                            held.abandon(range, self.hold_ms);
                        }
                        self.stats.event(Reason::SctpReasm);
                        plan.action = if forward { Action::ForwardTsn } else { Action::Discard };
                        plans.push(plan);
                        lost.push((range.first_tsn, range.last_tsn, forward));
                        continue;
                    }
                    Progress::Complete(message) => {
                        ppid = message.ppid;
                        parts = Some((message.first_tsn, message.last_tsn));
                        let starts = std::iter::once(0).chain(message.ends.iter().copied());
                        let lens = message.ends.iter().zip(starts).map(|(end, start)| end.wrapping_sub(start) as usize);
                        longest = lens.max().unwrap_or(0);
                        self.scratch.whole.clear();
                        self.scratch.whole.extend_from_slice(message.octets);
                        whole = &[];
                    }
                }
            }
            let mut message = self.spare_messages.pop().unwrap_or_default();
            message.way = Some(way);
            (message.link, message.kind, message.assoc) = (link, kind, assoc);
            let Ok(message_id) = self.messages.insert(message) else {
                // No slot for a message: it is refused like any other, its peer unknown.
                self.stats.messages += 1;
                self.stats.count(0, way, Reason::ResTableFull);
                if let Some(frame) = &*frame {
                    let record = Record::of(*number, Some(way), Some(link), Reason::ResTableFull);
                    let record = Record { tsn: Some(data.tsn), ..record };
                    self.ear.frame(&self.shared.tap, self.now_ms, record, frame.octets());
                }
                plan.action = Action::Filler { total: 0 };
                if let Some((first, last)) = parts {
                    plan.action = Action::Discard; // all of its parts come again
                    lost.push((first, last, false));
                }
                plans.push(plan);
                continue;
            };
            self.stats.messages += 1;
            plan.action = Action::Wait(message_id);
            plans.push(plan);
            *waiting += 1;
            let pending = Outcome { verdict: Reason::OkHeld, what: What::AsCame };
            flow.sent(&snapshot.defaults).remember(data.tsn, print, pending, self.now_ms);
            let collected = std::mem::take(&mut self.scratch.whole);
            let user = if parts.is_some() { collected.as_slice() } else { whole };
            let Some(message) = self.messages.get_mut(message_id) else { continue };
            message.len = user.len();
            message.longest = longest;
            message.fragments = parts.map_or(1, |(first, last): (u32, u32)| last.wrapping_sub(first) as usize + 1);
            message.parts.push(place);
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
            let next = if !carrier::may_come_as(kind, ppid) {
                Err(Reason::SctpPpid.at(chunk.offset + 12))
            } else {
                match (kind, way) {
                    (LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua, Direction::In) => {
                        claims::inbound(&mut scene, user, message, message_id)
                    }
                    (LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua, Direction::Out) => {
                        claims::outbound(&mut scene, user, message, message_id)
                    }
                    (LinkKind::Diameter, Direction::In) => {
                        claims::diameter::inbound(&mut scene, user, message, message_id)
                    }
                    (LinkKind::Sip | LinkKind::Gtp, _) => Err(Reason::SctpPpid.at(chunk.offset + 12)),
                    (LinkKind::Diameter, Direction::Out) => {
                        claims::diameter::outbound(&mut scene, user, message, message_id)
                    }
                }
            };
            if parts.is_some() {
                self.scratch.whole = collected;
            }
            message.settled = Next::settled(next);
            if next != Ok(Next::Wait) {
                self.ready.push((message_id, Ok(())));
            }
            if let Some((first, last)) = parts {
                joins.push(Join { message: message_id, first, last });
            }
        }
        for (first, last, forward) in lost {
            self.give_up(assoc, way, (first, last), forward);
        }
        Ok(())
    }

    /// Makes the frames that hold the other parts of a message wait for its verdict.
    fn join(&mut self, assoc: AssocId, way: Direction, join: &Join) {
        let Some(association) = self.associations.get_mut(assoc) else { return };
        let Some(message) = self.messages.get_mut(join.message) else { return };
        let own = message.parts.pop();
        let span = join.last.wrapping_sub(join.first);
        for &frame in &association.flows[way as usize].queue {
            let Some(slot) = self.frames.get_mut(frame) else { continue };
            for (i, plan) in slot.plans.iter_mut().enumerate() {
                let part = Part { frame, plan: i };
                if Some(part) == own || plan.action != Action::Fragment || plan.tsn.wrapping_sub(join.first) > span {
                    continue;
                }
                plan.action = Action::Wait(join.message);
                message.parts.push(part);
            }
        }
        message.parts.extend(own);
        let frames = &mut self.frames;
        // The message is laid over its chunks in the order of their TSNs, whatever order they came in.
        message.parts.sort_by_key(|part| {
            let plan = frames.get_mut(part.frame).and_then(|slot| slot.plans.get(part.plan));
            plan.map_or(u32::MAX, |plan| plan.tsn.wrapping_sub(join.first))
        });
        // A chunk that came twice while it was held has one share: the copy behind leaves as the first one does.
        let mut before = None;
        message.parts.retain(|part| {
            let Some(slot) = frames.get_mut(part.frame) else { return false };
            let Some(plan) = slot.plans.get_mut(part.plan) else { return false };
            let first = before.replace(plan.tsn) != Some(plan.tsn);
            if !first {
                plan.action = Action::Again;
                slot.waiting = slot.waiting.saturating_sub(1);
            }
            first
        });
        // From now on each of them is known, so that a copy waits for the verdict and not for a message of its own.
        let Some(sent) = association.flows[way as usize].sent.as_mut() else { return };
        let pending = Outcome { verdict: Reason::OkHeld, what: What::AsCame };
        for part in &message.parts {
            let plan = frames.get_mut(part.frame).and_then(|slot| slot.plans.get(part.plan));
            if let Some(plan) = plan {
                sent.remember(plan.tsn, plan.print, pending, self.now_ms);
            }
        }
    }
}

/// Link, network and transport layer of a frame, and the link it belongs to.
fn classify(snapshot: &Snapshot, frame: &[u8], port: usize, sides: Sides) -> Result<Kind, Refusal> {
    let ethernet = eth::Frame::parse(frame)?;
    let Some(packet) = ip::Packet::parse(ethernet.ethertype, ethernet.payload)? else {
        // Hosts on both sides must find each other; whatever else is not IP could carry what is not judged here.
        return if ethernet.ethertype == ARP { Ok(Kind::NotSubject) } else { Err(Reason::L2Ethertype.at(12)) };
    };
    if packet.protocol == ICMPV6 && packet.payload.first().is_some_and(|kind| DISCOVERY.contains(kind)) {
        return Ok(Kind::NotSubject); // hosts on both sides must find each other; it never leaves the wire
    }
    let (link, way) = link_of(snapshot, packet.source, packet.destination, port, sides)?;
    let over = snapshot.links.get(usize::from(link)).map(|link| link.config.transports).unwrap_or_default();
    let at = ethernet.header_len;
    let layers = Layers { way, link, ip: at, sctp: at + packet.header_len, end: at + packet.total_len };
    match packet.protocol {
        ip::SCTP if over.sctp => Ok(Kind::Link(Transport::Sctp, layers)),
        udp::PROTOCOL if over.udp => Ok(Kind::Link(Transport::Udp, layers)),
        tcp::PROTOCOL if over.tcp => Ok(Kind::Link(Transport::Tcp, layers)),
        ICMP | ICMPV6 => Ok(Kind::NotSubject),
        _ => Err(Reason::L4PeerUnknown.at(9)),
    }
}

/// The link between two hosts, and which way a packet of theirs goes.
#[inline]
pub(super) fn link_of(
    snapshot: &Snapshot,
    source: IpAddr,
    destination: IpAddr,
    port: usize,
    sides: Sides,
) -> Result<(LinkId, Direction), Refusal> {
    let inbound = snapshot.link(source, destination).map(|link| (link, Direction::In));
    let outbound = || snapshot.link(destination, source).map(|link| (link, Direction::Out));
    let (link, way) = inbound.or_else(outbound).ok_or(Reason::L4PeerUnknown.at(12))?;
    let side = if port == 0 { Direction::In } else { Direction::Out };
    if sides == Sides::ByPort && side != way {
        return Err(Reason::L4PeerUnknown.at(12)); // our own address from outside, or theirs from within
    }
    Ok((link, way))
}

/// What the chunks of a packet say about the association, and how many of them are DATA.
///
/// A chunk that carries user data in a form that is not judged here never passes: neither I-DATA (RFC 8260) nor a type
/// that nobody knows.
fn signs_of(packet: &Packet<'_>) -> Result<(Signs, usize), Refusal> {
    let mut signs = Signs::default();
    let mut data_chunks = 0;
    for chunk in packet.chunks() {
        let reflected = chunk.flags & sctp::FLAG_T != 0;
        match chunk.kind {
            ChunkKind::DATA => {
                let data = Data::parse(&chunk)?;
                signs.first_tsn.get_or_insert(data.tsn);
                data_chunks += 1;
            }
            ChunkKind::INIT => {
                let init = Init::parse(&chunk)?;
                signs.init = Some((init.initiate_tag, init.forward_tsn));
            }
            ChunkKind::INIT_ACK => {
                let init = Init::parse(&chunk)?;
                signs.init_ack = Some((init.initiate_tag, init.forward_tsn));
            }
            ChunkKind::SACK => signs.acked = Sack::parse(&chunk).ok().map(|sack| sack.cumulative_tsn),
            ChunkKind::COOKIE_ECHO => signs.cookie_echo = true,
            ChunkKind::ABORT | ChunkKind::SHUTDOWN_COMPLETE => signs.end = Some(reflected),
            ChunkKind::I_DATA => return Err(Reason::SctpChunkType.at(chunk.offset)),
            kind if !kind.is_known() => return Err(Reason::SctpChunkType.at(chunk.offset)),
            _ => {}
        }
    }
    // INIT, INIT ACK and SHUTDOWN COMPLETE travel alone (RFC 9260 §6.10): with company they are somebody's trick.
    let alone = signs.init.is_some() || signs.init_ack.is_some();
    if alone && packet.chunks().count() > 1 {
        return Err(Reason::SctpChunkType.at(sctp::HEADER_LEN));
    }
    Ok((signs, data_chunks))
}
