//! Why each message of a capture passed or not: the same worker with a journal, and beside it the octets read for
//! people. The verdict is always the worker's; what is shown around it is what the worker's steps had before them.

mod connection;
mod diameter;
mod gtp;
mod isup;
mod sigtran;
mod sip;
mod steps;
mod walk;

use crate::offline::{How, OfflineError, millis, worker_config};
use sealgate_config::model::LinkKind;
use sealgate_crypto::pool::{Pool, PoolConfig, PoolError};
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::io::pcap::{Fault, PcapError, Reader};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Record, Worker};
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::ip_fragments::{self, IpFragments, Piece, Progress};
use sealgate_wire::diameter::is_ppid;
use sealgate_wire::ip::fragment::{self, Fragment};
use sealgate_wire::sccp::Unitdata;
use sealgate_wire::sctp::{self, ChunkKind, Data};
use sealgate_wire::{Reason, eth, ip, m2pa, m3ua, sua, udp};
use serde::Serialize;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use walk::{Scene, Walk};

/// Octets of a frame that a buffer holds.
const ROOM: usize = 65_536 + 22;
/// Parts of unfinished messages that are kept for display.
const PARTS: usize = 65_536;

/// One layer of a frame, as people read it.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The layer.
    pub layer: &'static str,
    /// What it says.
    pub text: String,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not, and the message was refused for it.
    Failed,
    /// It did not, and the peer's mode lets the message go on as unsigned.
    Tolerated,
    /// It does not apply, or an earlier step ended the message.
    NotTaken,
}

/// One step of a verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name: V1 to V18 are those of the profile.
    pub step: &'static str,
    /// What it is about.
    pub what: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// What it looked at; empty where it was not taken.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// A verdict and its steps.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// passed, held or refused.
    pub fate: &'static str,
    /// The reason's number.
    pub code: u16,
    /// The reason's name.
    pub reason: &'static str,
    /// The reason in a sentence.
    pub text: &'static str,
    /// The operator whose rules it was judged by, and what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Each step in its order.
    pub steps: Vec<Step>,
    /// The octets that the reason is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub octets: Option<Excerpt>,
}

/// Octets around those that a reason is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// What they are counted in: the frame, or a message that came in parts.
    pub of: &'static str,
    /// What they are; empty: only their place is known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub field: &'static str,
    /// First octet that the reason is about, from 0.
    pub at: usize,
    /// How many.
    pub len: usize,
    /// First octet shown.
    pub from: usize,
    /// Octets shown, hexadecimal.
    pub hex: String,
}

/// One user message of a frame.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Number of its DATA chunk in the association; over TCP the sequence number of its first octet.
    pub tsn: u32,
    /// Its layers from M3UA on.
    pub layers: Vec<Line>,
    /// The verdict; `None`: a fragment, whose message is judged with its last one.
    pub verdict: Option<Verdict>,
}

/// One frame of a capture.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// Its number in the capture, from 1 as other tools count.
    pub frame: u64,
    /// When, UTC.
    pub time: String,
    /// Octets.
    pub len: usize,
    /// Which way it goes, if its link is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<&'static str>,
    /// The layers that its messages share.
    pub layers: Vec<Line>,
    /// The frame's own verdict, where it carries no message or never came so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Its messages.
    pub messages: Vec<Message>,
}

/// Goes through a capture; `each` gets every frame in its order, and ends it by returning false.
///
/// * `wanted`: show this frame only (from 1); those before it are judged all the same
/// # Errors
/// What is wrong with the file.
pub fn explain(
    snapshot: Snapshot,
    file: &Path,
    cold: bool,
    wanted: Option<u64>,
    each: &mut dyn FnMut(Frame) -> bool,
) -> Result<(), OfflineError> {
    let pool = MemPool::new(8192, ROOM);
    let ports = [MemPort::new(&pool), MemPort::new(&pool)];
    let (crypto, mut clients) = Pool::start(PoolConfig::default(), 1, &snapshot.ring)?;
    let Some(client) = clients.pop() else { return Err(PoolError::Config("workers").into()) };
    let mut input = Reader::open(file)?;
    let mut octets = Vec::new();
    let mut next = input.read(&mut octets)?;
    let first = next.map(|record| record.time).unwrap_or_default();
    let shared = Arc::new(Shared::new(&snapshot));
    let cell = Arc::new(PolicyCell::new(snapshot));
    let snapshot = cell.current();
    let config = worker_config(first, How { cold, journal: true });
    let mut worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
    let mut reading = Reading::default();
    let (mut number, mut now) = (0, first);
    while let Some(record) = next {
        number += 1;
        if record.link != sealgate_dataplane::io::pcap::ETHERNET {
            let fault = Fault::LinkType(record.link);
            return Err(PcapError { file: file.to_owned(), offset: record.offset, fault }.into());
        }
        now = now.max(record.time);
        let repeated = worker.stats().repeated;
        let taken = worker.port_mut(0).map(|port| port.inject(&octets));
        worker.turn(millis(now));
        let records = worker.take_journal();
        while worker.port_mut(1).and_then(MemPort::take_sent).is_some() {}
        let again = worker.stats().repeated > repeated;
        let show = wanted.is_none_or(|wanted| wanted == number);
        if taken.is_some_and(|taken| taken.is_ok_and(|taken| taken)) {
            let frame = reading.frame(&snapshot, number, record.time, millis(now), &octets, &records, again);
            if show && !each(frame) {
                break;
            }
        }
        if wanted.is_some_and(|wanted| wanted <= number) {
            break;
        }
        next = input.read(&mut octets)?;
    }
    drop(worker);
    crypto.stop();
    Ok(())
}

/// Which chunk: link, direction, ports of both ends, TSN.
type ChunkKey = (u16, Direction, u16, u16, u32);

/// What is remembered from frame to frame, for display only.
#[derive(Default)]
struct Reading {
    /// Chunks seen: their digest, and in which frame.
    seen: HashMap<ChunkKey, ([u8; 32], u64)>,
    /// Fragments of user messages that are not whole yet: whether each begins one, and its octets.
    fragments: HashMap<ChunkKey, (bool, bool, Vec<u8>)>,
    /// Connections over TCP.
    connections: connection::Connections,
    /// Segments of SCCP messages that are not whole yet.
    segments: HashMap<Vec<u8>, Vec<u8>>,
    /// IP packets that are not whole yet.
    packets: IpFragments,
}

impl Reading {
    #[expect(clippy::too_many_arguments, reason = "one frame and all that is known of it")]
    fn frame(
        &mut self,
        snapshot: &Snapshot,
        number: u64,
        time: Duration,
        now_ms: u64,
        octets: &[u8],
        records: &[Record],
        again: bool,
    ) -> Frame {
        let mut frame = Frame {
            frame: number,
            time: clock(millis(time)),
            len: octets.len(),
            way: None,
            layers: Vec::new(),
            verdict: None,
            messages: Vec::new(),
        };
        let own = records.iter().find(|record| record.tsn.is_none());
        let whole = self.packet(octets, now_ms, own.map(|record| record.reason), &mut frame.layers);
        let octets = whole.as_deref().unwrap_or(octets);
        let lower = lower(octets, &mut frame.layers);
        let own = records.iter().find(|record| record.tsn.is_none());
        if let Some(record) = own {
            let base = base_of(record.reason, octets);
            let steps = if record.reason.passes() { Vec::new() } else { steps::of_frame(record.reason, record.at) };
            let at = base.map(|base| base + record.at as usize).filter(|_| !record.reason.passes());
            frame.verdict = Some(Verdict {
                octets: at.and_then(|at| excerpt("frame", "", octets, at..at + 1)),
                ..verdict(record.reason, None, steps)
            });
        }
        let link = records.iter().find_map(|record| Some((record.link?, record.way?)));
        let Some((_, packet, ends)) = lower else {
            if let Some(piece) = self.connections.take(snapshot, octets, now_ms, &mut frame.layers) {
                frame.way = Some(if piece.way == Direction::In { "in" } else { "out" });
                let scene = Scene { snapshot, way: piece.way, link: piece.link, now_ms };
                frame.messages.extend(
                    piece.messages.iter().map(|(seq, octets)| of_connection(&scene, records, piece.kind, *seq, octets)),
                );
                return frame;
            }
            if let (Some((link, way)), Some(record)) = (link, own) {
                datagram(&Scene { snapshot, way, link, now_ms }, record, octets, &mut frame);
            }
            return frame;
        };
        let link = link.or_else(|| link_of(snapshot, ends));
        if let Some((link, way)) = link {
            frame.way = Some(if way == Direction::In { "in" } else { "out" });
            let name = snapshot.links.get(usize::from(link)).map_or("", |link| link.name.as_str());
            let text = match way {
                Direction::In => format!("from interconnect to home, links.{name}"),
                Direction::Out => format!("from home to interconnect, links.{name}"),
            };
            frame.layers.push(Line { layer: "way", text });
        }
        // Messages of a frame that was dropped whole have no verdict, but what they say may tell whose it was.
        let (link, way) = link.unwrap_or((u16::MAX, Direction::In));
        let scene = Scene { snapshot, way, link, now_ms };
        // A packet of no link is shown as what its chunks say that they carry.
        let known = snapshot.links.get(usize::from(link)).map(|link| link.config.kind);
        for chunk in packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA) {
            let Ok(data) = Data::parse(&chunk) else { continue };
            let key = (link, way, packet.source_port, packet.destination_port, data.tsn);
            let digest = sealgate_crypto::verify::sha256(chunk.value);
            let before = self.seen.get(&key).filter(|(old, _)| again && *old == digest).map(|(_, frame)| *frame);
            if self.seen.len() >= PARTS {
                self.seen.clear();
            }
            self.seen.entry(key).or_insert((digest, number));
            let record = records.iter().find(|record| record.tsn == Some(data.tsn));
            let whole = if data.is_whole() { None } else { self.fragment(key, &data) };
            let user = whole.as_deref().unwrap_or(data.user);
            let mut message = Message { tsn: data.tsn, layers: Vec::new(), verdict: None };
            let said = PPIDS.iter().find(|(_, ppid)| *ppid == data.ppid).map_or(LinkKind::M3ua, |(kind, _)| *kind);
            let kind = known.unwrap_or(said);
            let ppid = PPIDS.iter().find(|(other, _)| *other == kind).map_or(m3ua::PPID, |(_, ppid)| *ppid);
            if !data.is_whole() && whole.is_none() {
                let text = format!("a part of a message, {} octets; it is judged when all parts are here", user.len());
                message.layers.push(Line { layer: "fragment", text });
            } else if data.ppid != ppid && !(kind == LinkKind::Diameter && is_ppid(data.ppid)) {
                let text = format!("protocol {}, where the link carries {}", data.ppid, carried(kind));
                message.layers.push(Line { layer: "payload", text });
                message.verdict = record.map(|record| {
                    let walk = Walk { kind, ..Walk::default() };
                    let steps = steps::of_message(record.reason, record.at, &walk, way, before);
                    verdict(record.reason, None, steps)
                });
            } else {
                let frame = if whole.is_some() { user } else { octets };
                let collected = whole.as_ref().map(|_| "message put together from its chunks");
                let repeated = before.is_some();
                let mut gather =
                    |unitdata: &Unitdata<'_>| if repeated { None } else { self.segment(link, way, unitdata) };
                let read = match kind {
                    LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua => {
                        walk::message(&scene, kind, frame, user, &mut gather)
                    }
                    LinkKind::Diameter => diameter::message(&scene, frame, user),
                    LinkKind::Sip | LinkKind::Gtp => Walk { kind, ..Walk::default() }, // nothing of it comes over SCTP
                };
                message.verdict = record.map(|record| judged(snapshot, record, &read, way, before, frame, collected));
                message.layers = read.lines;
            }
            frame.messages.push(message);
        }
        frame
    }

    /// Keeps an IP fragment that the gateway keeps; the frame of the whole packet if it was the last one missing.
    fn packet(&mut self, octets: &[u8], now_ms: u64, own: Option<Reason>, lines: &mut Vec<Line>) -> Option<Vec<u8>> {
        let ethernet = eth::Frame::parse(octets).ok()?;
        let read = Fragment::parse(ethernet.ethertype, ethernet.payload).ok()??;
        let behind = if read.more { "more follows" } else { "the last one" };
        let (from, to) = (read.offset, read.offset + read.payload.len());
        let text = format!("octets {from} to {to} of packet {:#x}, {behind}", read.id.0);
        lines.push(Line { layer: "fragment", text });
        if own == Some(Reason::IpFragment) {
            return None;
        }
        let (source, destination) = (read.source, read.destination);
        // Which way it goes is part of its addresses already.
        let key = ip_fragments::Key { link: 0, way: Direction::In, source, destination, id: read.id };
        let front = octets.get(..ethernet.header_len + read.headers.len())?;
        let piece = Piece { offset: read.offset, more: read.more, front, payload: read.payload };
        let mut whole = Vec::new();
        let (front, body) = if read.offset == 0 && !read.more {
            (front, read.payload)
        } else {
            match self.packets.push(&key, &piece, now_ms) {
                Ok(Progress::Whole { front, body }) => (front, body),
                _ => return None,
            }
        };
        let (link, headers) = front.split_at_checked(ethernet.header_len)?;
        whole.extend_from_slice(link);
        if !fragment::emit_whole(headers, body.len(), &mut whole) {
            return None;
        }
        whole.extend_from_slice(body);
        lines.push(Line { layer: "fragment", text: format!("put together: {} octets", whole.len()) });
        Some(whole)
    }

    /// Keeps a fragment; the whole message if it was the last one missing.
    fn fragment(&mut self, key: ChunkKey, data: &Data<'_>) -> Option<Vec<u8>> {
        if self.fragments.len() >= PARTS {
            self.fragments.clear();
        }
        self.fragments.insert(key, (data.begin, data.end, data.user.to_vec()));
        let at = |tsn: u32| (key.0, key.1, key.2, key.3, tsn);
        let mut first = key.4;
        while !self.fragments.get(&at(first))?.0 {
            first = first.wrapping_sub(1);
        }
        let (mut whole, mut tsn) = (Vec::new(), first);
        loop {
            let (_, end, octets) = self.fragments.get(&at(tsn))?;
            whole.extend_from_slice(octets);
            if *end {
                break;
            }
            tsn = tsn.wrapping_add(1);
        }
        while first != tsn.wrapping_add(1) {
            self.fragments.remove(&at(first));
            first = first.wrapping_add(1);
        }
        Some(whole)
    }

    /// Keeps a segment; the whole TCAP message if it was the last one.
    fn segment(&mut self, link: u16, way: Direction, unitdata: &Unitdata<'_>) -> Option<Vec<u8>> {
        let segmentation = unitdata.segmentation?;
        let key = [&link.to_be_bytes()[..], &[way as u8], unitdata.called, unitdata.calling, &segmentation.local_ref]
            .concat();
        if self.segments.len() >= PARTS {
            self.segments.clear();
        }
        let mut whole = self.segments.remove(&key).filter(|_| !segmentation.first).unwrap_or_default();
        whole.extend_from_slice(unitdata.data);
        if segmentation.remaining == 0 {
            return Some(whole);
        }
        self.segments.insert(key, whole);
        None
    }
}

/// The verdict of a message as its record has it, with steps and octets from what was read.
fn judged(
    snapshot: &Snapshot,
    record: &Record,
    read: &Walk,
    way: Direction,
    before: Option<u64>,
    frame: &[u8],
    collected: Option<&'static str>,
) -> Verdict {
    let id = if record.peer == 0 { read.peer } else { record.peer };
    let peer = snapshot.peers.get(usize::from(id)).filter(|_| id != 0);
    let sign = if read.kind == LinkKind::Diameter {
        peer.and_then(|peer| peer.sign_diameter)
    } else {
        peer.and_then(|peer| peer.sign)
    };
    let rule = peer.map(|peer| match (way, sign.is_some()) {
        (Direction::In, _) => format!("peers.{}, mode {}", peer.name, walk::mode_name(peer.mode)),
        (Direction::Out, true) => format!("peers.{}, signed towards", peer.name),
        (Direction::Out, false) => format!("peers.{}, not signed towards", peer.name),
    });
    let ruled = snapshot.ruleset.name_of(record.rule).map(|name| format!("rules.{name}"));
    let rule = [rule, ruled].into_iter().flatten().reduce(|peer, rule| format!("{peer}; {rule}"));
    let steps = steps::of_message(record.reason, record.at, read, way, before);
    let octets = if record.reason.refuses() { point(record, read) } else { None };
    let octets = octets.and_then(|(in_tcap, field, range)| match &read.gathered {
        Some(whole) if in_tcap => excerpt("TCAP message put together from its segments", field, whole, range),
        _ => excerpt(collected.unwrap_or("frame"), field, frame, range),
    });
    Verdict { octets, ..verdict(record.reason, rule, steps) }
}

fn verdict(reason: Reason, rule: Option<String>, steps: Vec<Step>) -> Verdict {
    let fate = crate::cli::replay::fate(reason);
    Verdict { fate, code: reason.code(), reason: reason.name(), text: reason.text(), rule, steps, octets: None }
}

/// Reads a message of a connection over TCP, and gives it its verdict.
fn of_connection(scene: &Scene<'_>, records: &[Record], kind: LinkKind, seq: u32, octets: &[u8]) -> Message {
    let mut read = match kind {
        LinkKind::Diameter => diameter::message(scene, octets, octets),
        _ => sip::message(scene, octets, octets),
    };
    read.tcp = true;
    let record = records.iter().find(|record| record.tsn == Some(seq));
    let verdict = record.map(|record| judged(scene.snapshot, record, &read, scene.way, None, octets, Some("message")));
    Message { tsn: seq, layers: read.lines, verdict }
}

/// Reads a datagram of a link that goes over UDP, and gives the frame its verdict.
fn datagram(scene: &Scene<'_>, record: &Record, octets: &[u8], frame: &mut Frame) {
    let kind = scene.snapshot.links.get(usize::from(scene.link)).map(|link| link.config.kind);
    let (Some(kind), Some((ports, user))) = (kind.filter(|kind| kind.is_datagram()), payload(octets)) else { return };
    frame.way = Some(if scene.way == Direction::In { "in" } else { "out" });
    let read = match kind {
        LinkKind::Gtp => gtp::message(scene, octets, user, ports, record.peer),
        _ => sip::message(scene, octets, user),
    };
    frame.verdict = Some(judged(scene.snapshot, record, &read, scene.way, None, octets, None));
    frame.layers.extend(read.lines);
}

/// What a frame carries over UDP, from which port and to which.
fn payload(octets: &[u8]) -> Option<((u16, u16), &[u8])> {
    let ethernet = eth::Frame::parse(octets).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    let datagram = udp::Datagram::parse(packet.source, packet.destination, packet.payload).ok()?;
    Some(((datagram.source_port, datagram.destination_port), datagram.payload))
}

/// What comes over SCTP, and how its chunks are marked.
const PPIDS: [(LinkKind, u32); 4] = [
    (LinkKind::M3ua, m3ua::PPID),
    (LinkKind::M2pa, m2pa::PPID),
    (LinkKind::Sua, sua::PPID),
    (LinkKind::Diameter, diameter::PPID),
];

/// A carrier's name.
fn carried(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::M3ua => "M3UA",
        LinkKind::M2pa => "M2PA",
        LinkKind::Sua => "SUA",
        LinkKind::Diameter => "Diameter",
        LinkKind::Sip => "SIP",
        LinkKind::Gtp => "GTP",
    }
}

/// What a reason points at: the field it is about where that is known, else the octet that came with it; whether it is
/// counted in the TCAP message, and its name.
fn point(record: &Record, read: &Walk) -> Option<(bool, &'static str, Range<usize>)> {
    let places = &read.places;
    let at = record.at as usize;
    let octet = |base: &Option<Range<usize>>| {
        let base = base.as_ref()?;
        let at = base.start + at;
        (at < base.end).then_some(at..at + 1)
    };
    // In M2PA a point code lies across octets.
    let code_len = if read.kind == LinkKind::M2pa { 2 } else { 4 };
    let code = |base: &Option<Range<usize>>| octet(base).map(|octet| octet.start..octet.start + code_len);
    let (in_tcap, field, range) = match record.reason {
        Reason::M3uaVersion
        | Reason::M3uaLength
        | Reason::M3uaParam
        | Reason::M3uaClass
        | Reason::M2paForm
        | Reason::SuaForm => (false, "", octet(&places.user)),
        Reason::Mtp3Si => (false, "service indicator", octet(&places.label)),
        Reason::Mtp3Ni => (false, "network indicator", octet(&places.label)),
        Reason::Mtp3Opc => (false, "originating point code", code(&places.label)),
        Reason::Mtp3Dpc => (false, "destination point code", code(&places.label)),
        Reason::PolPeerUnknown | Reason::CrtResource if read.kind == LinkKind::Diameter => {
            (false, "Origin-Realm", places.calling.clone())
        }
        Reason::GtpVersion | Reason::GtpLength | Reason::GtpIe | Reason::GtpType | Reason::GtpInGtp => {
            (false, "", octet(&places.user))
        }
        Reason::SccpCgpaOwn | Reason::SccpCgpaMissing | Reason::PolPeerUnknown | Reason::CrtResource => {
            (false, "calling address", places.calling.clone())
        }
        Reason::SccpCdpaForeign | Reason::SecCdpaMismatch => (false, "called address", places.called.clone()),
        Reason::SccpType | Reason::SccpPointer | Reason::SccpHopCounter | Reason::SccpOptParam => {
            (false, "", octet(&places.sccp))
        }
        Reason::SecSigInvalid | Reason::SecSigForm => (true, "signature", places.signature.clone()),
        Reason::SecTimePast | Reason::SecTimeFuture => (true, "time stamp", places.tvp.clone()),
        Reason::SecReplay | Reason::SecSeqOld => (true, "sequence number", places.seq.clone()),
        Reason::CrtUnknownSai
        | Reason::CrtExpired
        | Reason::CrtNotYetValid
        | Reason::CrtRevoked
        | Reason::CrtCrlStale
        | Reason::CrtRole
        | Reason::SecKeyType
        | Reason::SecReflected => (true, "signer (SAI)", places.sai.clone()),
        // Of these the octet is one of the TCAP message, if it has one.
        Reason::StirSig => (true, "signature", places.signature.clone()),
        reason if (200..800).contains(&reason.code()) && at > 0 => (true, "", octet(&places.tcap)),
        _ => return None,
    };
    Some((in_tcap, field, range?))
}

/// Where the layer begins that a frame's own reason counts in.
fn base_of(reason: Reason, octets: &[u8]) -> Option<usize> {
    let ethernet = eth::Frame::parse(octets).ok();
    match reason {
        Reason::L2Runt | Reason::L2Ethertype | Reason::Vlan => Some(0),
        Reason::IpHeader | Reason::IpChecksum | Reason::IpFragment | Reason::IpOptions | Reason::L4PeerUnknown => {
            ethernet.map(|frame| frame.header_len)
        }
        Reason::SctpCrc32c | Reason::SctpVtag | Reason::SctpChunkLen | Reason::SctpChunkType => {
            let frame = ethernet?;
            let packet = ip::Packet::parse(frame.ethertype, frame.payload).ok()??;
            Some(frame.header_len + packet.header_len)
        }
        _ => None,
    }
}

type Ends = (std::net::IpAddr, std::net::IpAddr);

fn link_of(snapshot: &Snapshot, (source, destination): Ends) -> Option<(u16, Direction)> {
    let inbound = snapshot.link(source, destination).map(|link| (link, Direction::In));
    inbound.or_else(|| snapshot.link(destination, source).map(|link| (link, Direction::Out)))
}

/// Reads link, network and transport layer.
fn lower<'f>(octets: &'f [u8], lines: &mut Vec<Line>) -> Option<(usize, sctp::Packet<'f>, Ends)> {
    let mut say = |layer, text| lines.push(Line { layer, text });
    let frame = match eth::Frame::parse(octets) {
        Ok(frame) => frame,
        Err(refusal) => {
            say("Ethernet", refusal.reason.text().to_owned());
            return None;
        }
    };
    let packet = match ip::Packet::parse(frame.ethertype, frame.payload) {
        Ok(Some(packet)) => packet,
        Ok(None) => {
            say("Ethernet", format!("type {:04x}, not IP", frame.ethertype));
            return None;
        }
        Err(refusal) => {
            say("IP", refusal.reason.text().to_owned());
            return None;
        }
    };
    let count = |of: u8, what: &str| if of > 0 { format!(", {of} {what}") } else { String::new() };
    let tags = count(frame.vlans, "VLAN tags") + &count(frame.labels, "MPLS labels");
    say("IP", format!("{} to {}{tags}", packet.source, packet.destination));
    if packet.protocol != ip::SCTP {
        say("payload", format!("IP protocol {}", packet.protocol));
        return None;
    }
    let parsed = match sctp::Packet::parse(packet.payload) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            say("SCTP", refusal.reason.text().to_owned());
            return None;
        }
    };
    let chunks: Vec<String> = parsed
        .chunks()
        .map(|chunk| chunk.kind.name().map_or_else(|| format!("type {}", chunk.kind.0), str::to_owned))
        .collect();
    say(
        "SCTP",
        format!(
            "port {} to {}, tag {:08x}: {}",
            parsed.source_port,
            parsed.destination_port,
            parsed.vtag,
            chunks.join(", ")
        ),
    );
    Some((frame.header_len, parsed, (packet.source, packet.destination)))
}

/// The octets around a range, from a line of sixteen before it.
fn excerpt(of: &'static str, field: &'static str, octets: &[u8], range: Range<usize>) -> Option<Excerpt> {
    if range.is_empty() || range.end > octets.len() {
        return None;
    }
    let from = range.start / 16 * 16;
    let to = range.end.div_ceil(16).saturating_mul(16).min(from + 96).min(octets.len());
    Some(Excerpt { of, field, at: range.start, len: range.len(), from, hex: hex(octets.get(from..to)?) })
}

/// Octets in hexadecimal.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A moment in UTC, to the millisecond.
fn clock(ms: u64) -> String {
    let format =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    moment.and_then(|moment| moment.format(format).ok()).unwrap_or_else(|| format!("{ms} ms"))
}
