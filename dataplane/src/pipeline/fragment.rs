//! IP fragments on links that reassemble: put together before anything is judged, and cut again where a packet is longer than
//! its link carries.
//!
//! What was put together leaves as one packet where it fits the link's MTU, else in new fragments of that MTU: those that came
//! are gone by then, and a message that got shorter needs fewer. A packet must fit a packet buffer.

use std::collections::VecDeque;

use sealgate_config::model::IpFragments;
use sealgate_wire::ip::fragment::{self, Cuts, Fragment};
use sealgate_wire::{Reason, Refusal, eth, ip};

use super::association::Key;
use super::decode::link_of;
use super::worker::Worker;
use crate::io::{Frame, FrameIo};
use crate::policy::Snapshot;
use crate::state::ip_fragments::{self, IpFragments as Table, Piece, Progress};

/// What a worker knows of fragments.
#[derive(Debug)]
pub(super) struct Defragmenter {
    table: Table,
    /// A frame that is being made.
    octets: Vec<u8>,
    /// A frame that is being cut.
    whole: Vec<u8>,
    /// Identification of the last IPv6 packet that was cut.
    id: u32,
}

impl Defragmenter {
    /// * `id`: where identifications begin; workers begin far from each other
    pub(super) fn new(id: u32) -> Self {
        Self { table: Table::new(ip_fragments::Config::default()), octets: Vec::new(), whole: Vec::new(), id }
    }

    /// Lets go of what waited too long; how many datagrams that were since the last call.
    pub(super) fn expire(&mut self, now_ms: u64) -> u64 {
        self.table.expire(now_ms);
        self.table.take_lost()
    }
}

impl<P: FrameIo> Worker<P> {
    /// Takes a frame that [`ip::Packet::parse`] refuses as a fragment.
    ///
    /// * `refusal`: what becomes of it where its link refuses fragments
    pub(super) fn fragment(
        &mut self,
        snapshot: &Snapshot,
        frame: P::Frame,
        port: usize,
        number: u64,
        handed: bool,
        refusal: Refusal,
    ) {
        let found = find(frame.octets()).and_then(|found| found.ok_or(refusal)).and_then(|found| {
            Ok((found, link_of(snapshot, found.1.source, found.1.destination, port, self.config.sides)?))
        });
        let ((front_len, read), (link, way)) = match found {
            Ok(found) => found,
            Err(refusal) => return self.drop_frame(number, None, None, refusal, frame.octets()),
        };
        let config = snapshot.links.get(usize::from(link)).map(|link| link.config.ip_fragments);
        if config != Some(IpFragments::Reassemble) {
            return self.drop_frame(number, Some(way), Some(link), refusal, frame.octets());
        }
        // Cards spread fragments by their addresses, whole packets by their ports too: those of a link meet at one worker.
        let owner = Key { link, remote: 0, local: 0 }.owner(self.config.workers);
        if owner != self.config.index && !handed {
            let mut entered = Some(frame);
            if let Err(refusal) = self.hand_over(&mut entered, port, owner) {
                let octets = entered.as_ref().map_or(&[][..], |frame| frame.octets());
                self.drop_frame(number, Some(way), Some(link), refusal, octets);
            }
            return;
        }
        let key = ip_fragments::Key { link, way, source: read.source, destination: read.destination, id: read.id };
        let front = frame.octets().get(..front_len + read.headers.len()).unwrap_or(&[]);
        let piece = Piece { offset: read.offset, more: read.more, front, payload: read.payload };
        let Defragmenter { table, octets, .. } = &mut self.fragments;
        // A fragment that is a whole packet belongs to no other (RFC 6946).
        let alone = read.offset == 0 && !read.more;
        let progress = if alone {
            Ok(Progress::Whole { front, body: read.payload })
        } else {
            table.push(&key, &piece, self.now_ms)
        };
        let (front, body) = match progress {
            Ok(Progress::Held | Progress::Again) => {
                self.stats.joined += 1;
                return self.note(number, Some(way), Some(link), Reason::OkHeld);
            }
            Ok(Progress::Whole { front, body }) => (front, body),
            Err(reason) => {
                return self.drop_frame(number, Some(way), Some(link), reason.at(refusal.at as usize), frame.octets());
            }
        };
        octets.clear();
        let made = whole(front, body, octets);
        let mut frame = frame;
        // Longer than a buffer: its last fragment is refused, and the others are gone.
        let set = made.is_some() && frame.set(octets).is_ok();
        if !set {
            return self.drop_frame(number, Some(way), Some(link), Reason::IpFragment.at(2), frame.octets());
        }
        let exit = 1 - port.min(1);
        let queued = self.out.get(exit).map_or(0, VecDeque::len);
        self.enter(snapshot, frame, port, number, false);
        // What needs no verdict has left already.
        // Its link reassembles, and so it cuts.
        let mtu = snapshot.links.get(usize::from(link)).map_or(usize::MAX, |link| usize::from(link.mtu));
        self.cut(exit, queued, mtu);
    }

    /// Cuts the frames at the end of a port's queue that are longer than their link carries.
    ///
    /// * `from`: the first of them; `mtu`: of their link
    #[cold]
    pub(super) fn cut(&mut self, exit: usize, from: usize, mtu: usize) {
        let (Some(port), Some(queue)) = (self.ports.get_mut(exit), self.out.get_mut(exit)) else { return };
        let Defragmenter { octets, whole, id, .. } = &mut self.fragments;
        // Each goes to the end, and so they keep their order.
        for _ in from..queue.len() {
            let Some(frame) = queue.remove(from) else { return };
            let Some((front_len, end)) = too_long(frame.octets(), mtu) else {
                queue.push_back(frame);
                continue;
            };
            *id = id.wrapping_add(1);
            whole.clear();
            whole.extend_from_slice(frame.octets());
            let (front, packet) =
                whole.get(..end).and_then(|whole| whole.split_at_checked(front_len)).unwrap_or_default();
            let mut cuts = Cuts::new(packet, mtu, *id);
            let mut entered = Some(frame);
            while let Some(cuts) = cuts.as_mut() {
                octets.clear();
                octets.extend_from_slice(front);
                if !cuts.next(octets) {
                    break;
                }
                // The last piece takes the frame that came; without a buffer for one before it nothing more of it leaves.
                let last = cuts.is_done();
                let piece = if last { entered.take() } else { port.alloc() };
                let Some(mut piece) = piece else { break };
                if piece.set(octets).is_err() {
                    entered = Some(piece).filter(|_| last);
                    break;
                }
                queue.push_back(piece);
                self.stats.made += u64::from(!last);
            }
            if entered.is_some() {
                self.stats.frames_dropped[Reason::ResMempool.index()] += 1;
            }
        }
    }
}

/// Where the network layer of a fragment begins, and the fragment; `None`: it is none.
fn find(frame: &[u8]) -> Result<Option<(usize, Fragment<'_>)>, Refusal> {
    let ethernet = eth::Frame::parse(frame)?;
    let read = Fragment::parse(ethernet.ethertype, ethernet.payload)?;
    Ok(read.map(|read| (ethernet.header_len, read)))
}

/// Appends the frame of a whole packet.
///
/// * `front`: of the frame of its first fragment, to the end of the network's headers
fn whole(front: &[u8], body: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let ethernet = eth::Frame::parse(front).ok()?;
    let (link, headers) = front.split_at_checked(ethernet.header_len)?;
    out.extend_from_slice(link);
    fragment::emit_whole(headers, body.len(), out).then_some(())?;
    out.extend_from_slice(body);
    Some(())
}

/// Where the packet of a frame begins and ends, if it is longer than this.
fn too_long(frame: &[u8], mtu: usize) -> Option<(usize, usize)> {
    if frame.len() <= eth::HEADER_LEN + mtu {
        return None;
    }
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    (packet.total_len > mtu).then_some((ethernet.header_len, ethernet.header_len + packet.total_len))
}
