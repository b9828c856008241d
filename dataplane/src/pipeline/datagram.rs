//! SIP and GTP over UDP: a datagram is a message. A refused one goes nowhere, and where a link of SIP says so its sender gets a
//! response.

use sealgate_config::model::{LinkKind, OnFail};
use sealgate_wire::udp::{self, Datagram};
use sealgate_wire::{Reason, Refusal, eth, ip, sip};

use super::association::Key;
use super::claims::{self, Next, Scene};
use super::decode::Layers;
use super::parked::{Parked, call_of};
use super::slots::{Action, Answer, FrameId, FrameSlot, Part, Plan};
use super::worker::{Sides, Worker};
use crate::io::{Frame, FrameIo};
use crate::policy::Snapshot;
use crate::state::Direction;
use crate::state::fingerprint::Fingerprint;

/// Part of all frame slots that one direction of a link may take, as a divisor.
const SHARE: usize = 8;

impl<P: FrameIo> Worker<P> {
    /// Judges one datagram. An error drops it.
    ///
    /// * `entered`: the frame; taken from there as soon as it goes on
    pub(super) fn datagram(
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
        let (source, destination) = addresses(frame.octets()).ok_or(bug)?;
        let (far, near) = if way == Direction::In { (source, destination) } else { (destination, source) };
        // What one worker has of a link is one flow: its order is kept. All calls of a link are at one worker; of GTP, which has
        // a subscriber's traffic too, what goes to and from one node.
        let key = Key { link, remote: 0, local: 0 };
        let spread = if config.kind == LinkKind::Gtp { Key::of_node(link, far) } else { key };
        let owner = spread.owner(self.config.workers);
        if owner != self.config.index && !handed {
            return self.hand_over(entered, port, owner);
        }
        let octets = frame.octets().get(layers.sctp..layers.end).ok_or(bug)?;
        let datagram = Datagram::parse(source, destination, octets)?;
        let (remote, local) = match way {
            Direction::In => (datagram.source_port, datagram.destination_port),
            Direction::Out => (datagram.destination_port, datagram.source_port),
        };
        if config.ports.is_some_and(|ports| ports.remote != remote || ports.local != local) {
            return Err(Reason::L4PeerUnknown.at(0));
        }
        let ends = claims::gtp::Ends {
            remote: far,
            local: near,
            way,
            source_port: datagram.source_port,
            destination_port: datagram.destination_port,
        };
        let assoc = self.associations.find(key, None, true, self.now_ms).map_err(|reason| reason.at(0))?;
        let association = self.associations.get_mut(assoc).ok_or(bug)?;
        association.seen_ms = self.now_ms;
        let queue = &association.flows[way as usize].queue;
        if queue.len() >= self.config.frames.div_ceil(SHARE) {
            return Err(Reason::ResOverload.at(0));
        }
        if self.messages.room() == 0 {
            return Err(Reason::ResTableFull.at(0));
        }
        let mut slot = self.spare_frames.pop().unwrap_or_else(|| Box::new(FrameSlot::spare()));
        slot.frame = entered.take();
        (slot.number, slot.way) = (number, way);
        slot.exit = if self.config.sides == Sides::ByPort { 1 - port.min(1) } else { 1 };
        (slot.link, slot.kind, slot.assoc) = (link, config.kind, assoc);
        (slot.ip, slot.sctp, slot.end) = (layers.ip, layers.sctp, layers.end);
        let id = match self.frames.insert(slot) {
            Ok(id) => id,
            Err(mut slot) => {
                *entered = slot.frame.take();
                self.keep(slot);
                return Err(Reason::ResTableFull.at(0));
            }
        };
        let since_ms = self.hold_ms;
        if !self.parked.is_empty() && self.follows_parked(id, ends) {
            return Ok(());
        }
        self.judge_datagram(snapshot, id, ends, since_ms)
    }

    /// Judges a datagram that has its slot, up to its signature.
    ///
    /// * `since_ms`: when it came, by the clock of holds
    pub(super) fn judge_datagram(
        &mut self,
        snapshot: &Snapshot,
        id: FrameId,
        ends: claims::gtp::Ends,
        since_ms: u64,
    ) -> Result<(), Refusal> {
        let bug = Reason::IntBug.at(0);
        let may_wait = self.may_wait(snapshot, since_ms);
        let slot = self.frames.get_mut(id).ok_or(bug)?;
        let FrameSlot { frame, way, link, kind, assoc, sctp, end, plans, waiting, .. } = &mut **slot;
        let (way, link, kind, assoc) = (*way, *link, *kind, *assoc);
        let user = frame.as_ref().and_then(|frame| frame.octets().get(*sctp + udp::HEADER_LEN..*end)).unwrap_or(&[]);
        let mut message = self.spare_messages.pop().unwrap_or_default();
        message.way = Some(way);
        (message.link, message.kind, message.assoc) = (link, kind, assoc);
        message.may_wait = may_wait;
        let Ok(message_id) = self.messages.insert(message) else { return Err(bug) };
        let message = self.messages.get_mut(message_id).ok_or(bug)?;
        let print = Fingerprint::default();
        plans.push(Plan { tsn: 0, print, user_len: user.len() as u32, action: Action::Wait(message_id) });
        *waiting += 1;
        (message.len, message.longest, message.fragments) = (user.len(), user.len(), 1);
        message.parts.push(Part { frame: id, plan: 0 });
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
            (LinkKind::Gtp, Direction::In) => claims::gtp::inbound(&mut scene, user, message, ends),
            (LinkKind::Gtp, Direction::Out) => claims::gtp::outbound(&mut scene, user, message, ends),
            (_, Direction::In) => claims::sip::inbound(&mut scene, user, message, message_id),
            (_, Direction::Out) => claims::sip::outbound(&mut scene, user, message, message_id),
        };
        if next == Ok(Next::Later) {
            let call = call_of(&self.fingerprints, user).ok_or(bug)?;
            plans.clear();
            *waiting = 0;
            self.put_back(message_id);
            self.parked.push_back(Parked { frame: id, call, ends, since_ms, follows: false });
            return Ok(());
        }
        self.stats.messages += 1;
        let association = self.associations.get_mut(assoc).ok_or(bug)?;
        association.flows[way as usize].queue.push_back(id);
        message.settled = Next::settled(next);
        if next != Ok(Next::Wait) {
            self.ready.push((message_id, Ok(())));
        }
        self.dirty.push((assoc, way));
        Ok(())
    }

    /// Gives a frame to the worker that owns its flow.
    pub(super) fn hand_over(
        &mut self,
        entered: &mut Option<P::Frame>,
        port: usize,
        owner: usize,
    ) -> Result<(), Refusal> {
        let Some(mailbox) = self.mailboxes.get(owner) else { return Err(Reason::IntBug.at(0)) };
        let frame = entered.take().ok_or(Reason::IntBug.at(0))?;
        match mailbox.push((frame, port)) {
            Ok(()) => {
                self.stats.handed += 1;
                Ok(())
            }
            Err((frame, _)) => {
                *entered = Some(frame);
                Err(Reason::ResOverload.at(0))
            }
        }
    }

    /// A settled datagram leaves, or goes nowhere.
    pub(super) fn leave_datagram(&mut self, snapshot: &Snapshot, slot: &mut FrameSlot<P::Frame>) {
        let Some(mut frame) = slot.frame.take() else { return };
        let action = slot.plans.first().map_or(Action::Drop(Reason::IntBug, Answer::AsLink), |plan| plan.action);
        let left = match action {
            Action::AsCame => Ok(()),
            Action::Octets { from, to } => {
                let payload = slot.octets.get(from as usize..to as usize).unwrap_or(&[]);
                self.datagram.clear();
                let made = around(frame.octets(), (slot.ip, slot.sctp), false, payload, &mut self.datagram);
                let set = made && frame.set(&self.datagram).is_ok();
                if set { Ok(()) } else { Err(Reason::ResMempool) }
            }
            Action::Drop(reason, answer) => {
                self.reject(snapshot, slot, frame.octets(), (reason, answer));
                Err(reason)
            }
            _ => Err(Reason::IntBug),
        };
        match left {
            Ok(()) => self.forward(frame, slot.exit),
            Err(reason) => self.stats.frames_dropped[reason.index()] += 1,
        }
    }

    /// Answers a refused request with the status of its reason, where the link or a rule says so and the sender is outside.
    fn reject(
        &mut self,
        snapshot: &Snapshot,
        slot: &FrameSlot<P::Frame>,
        octets: &[u8],
        (reason, answer): (Reason, Answer),
    ) {
        let rules = snapshot.links.get(usize::from(slot.link)).map(|link| &link.config.sip);
        let wanted = match answer {
            Answer::AsLink => rules.is_some_and(|rules| rules.on_fail == OnFail::Reject),
            Answer::Given => true,
            Answer::Withheld => false,
        };
        let wanted = wanted && slot.way == Direction::In && slot.kind == LinkKind::Sip;
        // A capture has no way back.
        let (Some(status), true, Sides::ByPort) = (reason.sip_status(), wanted, self.config.sides) else { return };
        let Some(user) = octets.get(slot.sctp + udp::HEADER_LEN..slot.end) else { return };
        let Ok(request) = sip::Message::datagram(user) else { return };
        let tag = claims::sip::rejection_tag(request.call_id);
        self.response.clear();
        if !sip::emit_rejection(&request, status, reason == Reason::StirStale, &tag, &[], &mut self.response) {
            return;
        }
        self.datagram.clear();
        if !around(octets, (slot.ip, slot.sctp), true, &self.response, &mut self.datagram) {
            return;
        }
        let back = 1 - slot.exit.min(1);
        let (Some(port), Some(queue)) = (self.ports.get_mut(back), self.out.get_mut(back)) else { return };
        if let Some(mut frame) = port.alloc()
            && frame.set(&self.datagram).is_ok()
        {
            queue.push_back(frame);
            self.stats.made += 1;
        }
    }
}

/// Source and destination of the packet in a frame.
pub(super) fn addresses(frame: &[u8]) -> Option<(core::net::IpAddr, core::net::IpAddr)> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    Some((packet.source, packet.destination))
}

/// Appends a frame like this one with another payload; `back`: the other way.
fn around(frame: &[u8], (ip_at, udp_at): (usize, usize), back: bool, payload: &[u8], out: &mut Vec<u8>) -> bool {
    let mut made = || -> Option<()> {
        let (mut from, mut to) = addresses(frame)?;
        let ports = frame.get(udp_at..)?.first_chunk::<4>()?;
        let mut source = u16::from_be_bytes([ports[0], ports[1]]);
        let mut destination = u16::from_be_bytes([ports[2], ports[3]]);
        out.extend_from_slice(frame.get(..udp_at)?);
        if back {
            std::mem::swap(&mut from, &mut to);
            std::mem::swap(&mut source, &mut destination);
            let (destination_mac, rest) = out.split_at_mut_checked(6)?;
            destination_mac.swap_with_slice(rest.get_mut(..6)?);
            // The addresses are next to each other in both versions.
            let (first, len) = if from.is_ipv4() { (ip_at + 12, 4) } else { (ip_at + 8, 16) };
            let (one, other) = out.get_mut(first..first + 2 * len)?.split_at_mut_checked(len)?;
            one.swap_with_slice(other);
        }
        if !udp::emit((from, source), (to, destination), payload, out) {
            return None;
        }
        let packet = out.get_mut(ip_at..)?;
        ip::set_lengths(packet, udp::HEADER_LEN + payload.len()).then_some(())
    };
    made().is_some()
}
