//! Making the packet that leaves: chunks in their order, each as its plan says, lengths and checksums anew.

use std::collections::VecDeque;

use sealgate_config::model::LinkKind;
use sealgate_wire::sctp::{self, ChunkKind, Data};
use sealgate_wire::{Reason, ip};

use super::carrier;
use super::slots::{Action, FrameSlot, Plan};
use crate::io::{Frame, FrameIo};

/// The shortest Ethernet frame without its check sequence.
const ETHERNET_MIN: usize = 60;

/// What became of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Left {
    /// It left, in this many frames more than one.
    Sent {
        /// Frames made for what did not fit.
        more: u64,
    },
    /// Nothing of it leaves.
    Dropped(Reason),
}

/// Buffers of this stage.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The packet that is being made: link and network headers, SCTP header, chunks.
    out: Vec<u8>,
    /// Where each further packet begins in `out`.
    starts: Vec<usize>,
    filler: Vec<u8>,
}

/// CRC-32C of an SCTP packet, its checksum field counted as zeros (RFC 9260 §6.8), with the CPU's instructions.
pub(super) fn checksum(packet: &[u8]) -> Option<u32> {
    let (header, chunks) = packet.split_first_chunk::<{ sctp::HEADER_LEN }>()?;
    let mut header = *header;
    header[8..].fill(0);
    Some(crc32c::crc32c_append(crc32c::crc32c(&header), chunks))
}

/// Sends a settled frame: as it came where nothing in it changed, else as its plans say.
///
/// * `mtu`: largest IP packet of the link; a packet that outgrows it is split between chunks
pub(super) fn send<P: FrameIo>(
    slot: &mut FrameSlot<P::Frame>,
    mtu: usize,
    port: &mut P,
    queue: &mut VecDeque<P::Frame>,
    desk: &mut Desk,
) -> Result<Left, Reason> {
    let frame = slot.frame.take().ok_or(Reason::IntBug)?;
    if slot.plans.iter().all(|plan| plan.action == Action::AsCame) {
        queue.push_back(frame);
        return Ok(Left::Sent { more: 0 });
    }
    let places = (slot.ip, slot.sctp, slot.end);
    let shape = make(frame.octets(), places, slot.kind, &slot.plans, &slot.octets, mtu, desk)?;
    deliver(frame, shape, port, queue, desk)
}

/// Lengths of the frame that a packet is made from.
#[derive(Clone, Copy)]
struct Shape {
    ip: usize,
    sctp: usize,
    /// Octets of the link, network and SCTP headers.
    headers: usize,
    original: usize,
}

/// Puts the packets that leave into `desk.out`.
fn make(
    whole: &[u8],
    (ip, sctp_at, end): (usize, usize, usize),
    kind: LinkKind,
    plans: &[Plan],
    octets: &[u8],
    mtu: usize,
    desk: &mut Desk,
) -> Result<Shape, Reason> {
    desk.out.clear();
    desk.starts.clear();
    let (head, packet) = match (whole.get(..sctp_at), whole.get(sctp_at..end)) {
        (Some(head), Some(packet)) => (head, packet),
        _ => return Err(Reason::IntBug),
    };
    let header = packet.get(..sctp::HEADER_LEN).ok_or(Reason::IntBug)?;
    let headers = head.len() + header.len();
    desk.starts.push(0);
    desk.out.extend_from_slice(head);
    desk.out.extend_from_slice(header);
    let limit = ip + mtu;
    let mut next = plans.iter();
    for chunk in sctp::Packet::parse(packet).map_err(|_| Reason::IntBug)?.chunks() {
        let from = desk.out.len();
        if chunk.kind == ChunkKind::DATA {
            let plan = next.next().ok_or(Reason::IntBug)?;
            put_data(&chunk, kind, plan, octets, &mut desk.filler, &mut desk.out)?;
        } else if !chunk.emit(&mut desk.out) {
            return Err(Reason::IntBug);
        }
        let start = desk.starts.last().copied().unwrap_or(0);
        if desk.out.len() - start > limit && from - start > headers {
            // Past the MTU, and not alone: it moves into a packet of its own, behind headers put in front of it.
            desk.starts.push(from);
            let chunk_len = desk.out.len() - from;
            desk.out.extend_from_slice(head);
            desk.out.extend_from_slice(header);
            if let Some(moved) = desk.out.get_mut(from..) {
                moved.rotate_left(chunk_len);
            }
        }
    }
    Ok(Shape { ip, sctp: sctp_at, headers, original: whole.len() })
}

/// Puts the first packet into the frame that came and each other one into a frame of its own.
fn deliver<P: FrameIo>(
    frame: P::Frame,
    shape: Shape,
    port: &mut P,
    queue: &mut VecDeque<P::Frame>,
    desk: &mut Desk,
) -> Result<Left, Reason> {
    let least = if shape.original >= ETHERNET_MIN { ETHERNET_MIN } else { 0 };
    let mut first = Some(frame);
    let mut sent = 0;
    for i in 0..desk.starts.len() {
        let start = desk.starts.get(i).copied().unwrap_or(0);
        let end = desk.starts.get(i + 1).copied().unwrap_or(desk.out.len());
        if end - start <= shape.headers {
            continue; // every chunk of it was left out
        }
        let made = desk.out.get_mut(start..end).ok_or(Reason::IntBug)?;
        finish(made, shape.ip, shape.sctp)?;
        let mut frame = match first.take() {
            Some(frame) => frame,
            None => port.alloc().ok_or(Reason::ResMempool)?,
        };
        put(&mut frame, made, least, &mut desk.filler)?;
        queue.push_back(frame);
        sent += 1;
    }
    if sent == 0 { Ok(Left::Dropped(Reason::SctpReasm)) } else { Ok(Left::Sent { more: sent - 1 }) }
}

/// Puts octets into a frame, filled up to the least that Ethernet carries.
fn put<F: Frame>(frame: &mut F, octets: &[u8], least: usize, spare: &mut Vec<u8>) -> Result<(), Reason> {
    if octets.len() >= least {
        return frame.set(octets).map_err(|_| Reason::ResMempool);
    }
    spare.clear();
    spare.extend_from_slice(octets);
    spare.resize(least, 0);
    frame.set(spare).map_err(|_| Reason::ResMempool)
}

/// Lengths and checksums of a packet made anew.
fn finish(frame: &mut [u8], ip_at: usize, sctp_at: usize) -> Result<(), Reason> {
    let packet = frame.get_mut(sctp_at..).ok_or(Reason::IntBug)?;
    let crc = checksum(packet).ok_or(Reason::IntBug)?;
    if !sctp::seal(packet, crc) {
        return Err(Reason::IntBug);
    }
    let header_len = sctp_at - ip_at;
    let payload_len = packet.len();
    let network = frame.get_mut(ip_at..).ok_or(Reason::IntBug)?;
    debug_assert_eq!(network.len(), header_len + payload_len);
    if ip::set_lengths(network, payload_len) { Ok(()) } else { Err(Reason::IntBug) }
}

/// Appends one DATA chunk as its plan says.
fn put_data(
    chunk: &sctp::Chunk<'_>,
    kind: LinkKind,
    plan: &Plan,
    octets: &[u8],
    filler: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let emitted = match plan.action {
        Action::AsCame => chunk.emit(out),
        Action::Octets { from, to } => {
            let data = Data::parse(chunk).map_err(|_| Reason::IntBug)?;
            let user = octets.get(from as usize..to as usize).ok_or(Reason::IntBug)?;
            sctp::emit_data(&Data { ppid: carrier::leaves_as(kind, data.ppid), user, ..data }, out)
        }
        Action::Filler { total } => {
            let data = Data::parse(chunk).map_err(|_| Reason::IntBug)?;
            filler.clear();
            let refused = if data.is_whole() { data.user } else { &[] };
            carrier::emit_filler(kind, refused, total as usize, filler);
            sctp::emit_data(&Data { ppid: carrier::leaves_as(kind, data.ppid), user: filler, ..data }, out)
        }
        Action::ForwardTsn => {
            let data = Data::parse(chunk).map_err(|_| Reason::IntBug)?;
            let stream = (!data.unordered).then_some((data.stream, data.ssn));
            sctp::emit_forward_tsn(data.tsn, stream, out);
            true
        }
        Action::Discard => true,
        Action::Drop(..) | Action::Wait(_) | Action::Again | Action::Fragment => false,
    };
    if emitted { Ok(()) } else { Err(Reason::IntBug) }
}
