//! What must hold of the frames that leave, found out from the frames alone and from the verdicts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sealgate_config::model::{Mode, Profile};
use sealgate_wire::ber::Rules;
use sealgate_wire::diameter::{PPID as DIAMETER, is_ppid};
use sealgate_wire::sctp::{self, ChunkKind, Data, Packet};
use sealgate_wire::sec::tcap0;
use sealgate_wire::tcap::{self, ComponentKind};
use sealgate_wire::{Reason, eth, ip, m2pa, m3ua};

use super::mend::Protected;
use super::rig::Rig;
use super::sigtran::{self, Carried};
use super::{diameter, gtp, isup, sip};
use crate::pipeline::Record;
use crate::policy::Snapshot;
use crate::state::Direction;
use crate::stats::Stats;

/// What names a DATA chunk in one direction: everything in it but its user data.
type Name = (u32, u16, u16, u8);

/// One direction, named by the port where it comes in.
#[derive(Default)]
struct Way {
    /// Frames as they came.
    frames: HashSet<Vec<u8>>,
    /// User data of chunks as they came.
    chunks: HashMap<Name, Vec<Vec<u8>>>,
    /// How often a message whose last chunk has this TSN was granted.
    granted: HashMap<u32, usize>,
    /// User data that left and was neither a filler nor a part of a message, by TSN.
    spent: HashMap<u32, usize>,
    /// Parts of messages that left, by TSN: B and E bits, user data.
    parts: HashMap<u32, (bool, bool, Vec<u8>)>,
}

pub(super) struct Judge<'r> {
    rig: &'r Rig,
    snapshot: Arc<Snapshot>,
    ways: [Way; 2],
}

impl<'r> Judge<'r> {
    pub fn new(rig: &'r Rig, snapshot: Arc<Snapshot>) -> Self {
        Self { rig, snapshot, ways: [Way::default(), Way::default()] }
    }

    /// A frame came in by this port.
    pub fn came(&mut self, port: usize, frame: &[u8]) {
        let [interconnect, home] = &mut self.ways;
        let way = if port == 0 { interconnect } else { home };
        way.frames.insert(frame.to_vec());
        for (name, _, user) in data_of(frame).into_iter().flatten() {
            way.chunks.entry(name).or_default().push(user.to_vec());
        }
    }

    /// Verdicts of one turn.
    pub fn verdicts(&mut self, records: &[Record]) {
        for record in records {
            let (Some(tsn), Some(way)) = (record.tsn, record.way) else { continue };
            let [inbound, outbound] = &mut self.ways;
            let way = if way == Direction::In { inbound } else { outbound };
            // A chunk that came again while the first one waited says "held", and leaves as the first one does.
            if record.reason.passes() || record.reason == Reason::OkHeld {
                *way.granted.entry(tsn).or_default() += 1;
            }
        }
    }

    /// A frame left by this port.
    pub fn left(&mut self, port: usize, frame: &[u8]) {
        let [interconnect, home] = &mut self.ways;
        let way = if port == 0 { home } else { interconnect };
        if let Some(payload) = sip::payload_of(frame) {
            if gtp::is_of(&self.snapshot, frame) {
                return gtp::left(&way.frames, port, frame, payload);
            }
            return sip::left(&way.frames, port, frame, payload);
        }
        let Some(chunks) = data_of(frame) else {
            // No packet of a link, or one that carries no user data: nothing may change in it.
            assert!(way.frames.contains(frame), "a frame left that never came: {frame:02x?}");
            return;
        };
        if !way.frames.contains(frame) {
            well_formed(frame);
        }
        for (name, ppid, user) in chunks {
            // Only a link of Diameter lets the unspecified one through.
            let ppid = if is_ppid(ppid) { DIAMETER } else { ppid };
            let Some(came) = way.chunks.get(&name) else { panic!("a chunk left that never came: {name:?}") };
            let as_came = came.iter().any(|came| came == user);
            if ppid == m2pa::PPID && name.3 & 3 == 3 {
                sigtran::numbered(came, user);
            }
            if port == 1 {
                let earned = as_came || came.iter().any(|came| may_change(&self.snapshot, ppid, came));
                if name.3 & 3 == 3 && !is_filler(user) {
                    match ppid {
                        DIAMETER => diameter::proven(&self.snapshot, came, user),
                        _ => proven(self.rig, &self.snapshot, ppid, came, user),
                    }
                }
                towards_home(&self.snapshot, way, (name, ppid), user, earned);
            } else if name.3 & 3 == 3 {
                let signed = |message: &Read<'_>| message.security.is_some_and(|(place, last)| place == last);
                let signed = match ppid {
                    DIAMETER => diameter::is_signed(user),
                    _ => match isup::is_signed(ppid, user) {
                        Some(is_signed) => is_signed,
                        None => Read::new(&self.snapshot, ppid, user).is_some_and(|message| signed(&message)),
                    },
                };
                assert!(as_came || signed || is_filler(user), "changed on its way out: {user:02x?}");
            }
        }
    }
}

/// * `earned`: it came like that, or what came had something to take out
fn towards_home(snapshot: &Snapshot, way: &mut Way, (name, ppid): (Name, u32), user: &[u8], earned: bool) {
    let (tsn, _, _, bits) = name;
    let (begin, end) = (bits & 2 != 0, bits & 1 != 0);
    if begin && end {
        if is_filler(user) {
            return;
        }
        let spent = way.spent.entry(tsn).or_default();
        *spent += 1;
        let granted = way.granted.get(&tsn).copied().unwrap_or(0);
        assert!(*spent <= granted, "user data of TSN {tsn:#x} left {spent} times and was granted {granted} times");
        assert!(earned, "changed without a reason: {user:02x?}");
        clean(snapshot, ppid, user);
        return;
    }
    // A host keeps the first chunk under a number and ignores those that come after it.
    way.parts.entry(tsn).or_insert_with(|| (begin, end, user.to_vec()));
    let Some(whole) = message_around(&way.parts, tsn) else { return };
    let (last, user) = whole;
    if is_filler(&user) {
        return;
    }
    assert!(way.granted.contains_key(&last), "a message in parts up to TSN {last:#x} left and was not granted");
    clean(snapshot, ppid, &user);
}

/// The message whose parts lie around this TSN, if they are all there: its last TSN and its octets.
fn message_around(parts: &HashMap<u32, (bool, bool, Vec<u8>)>, tsn: u32) -> Option<(u32, Vec<u8>)> {
    let mut first = tsn;
    while !parts.get(&first)?.0 {
        first = first.wrapping_sub(1);
        if first == tsn {
            return None;
        }
    }
    let mut octets = Vec::new();
    let mut at = first;
    loop {
        let (begin, end, user) = parts.get(&at)?;
        if *begin && at != first {
            return None;
        }
        octets.extend_from_slice(user);
        if *end {
            return Some((at, octets));
        }
        at = at.wrapping_add(1);
        if at == first {
            return None;
        }
    }
}

/// A Heartbeat Ack whose data, if it has any, is zeros; a Device-Watchdog-Answer to nobody; or an MSU to nobody.
fn is_filler(user: &[u8]) -> bool {
    if diameter::is_filler(user) || sigtran::is_filler(user) {
        return true;
    }
    let Ok(view) = m3ua::View::new(user) else { return false };
    view.kind() == (3, 6) && view.params().flatten().all(|param| param.tag == 9 && param.value.iter().all(|&o| o == 0))
}

/// What a whole message towards TCAP says.
struct Read<'a> {
    carried: Carried<'a>,
    /// `None`: SCCP carries no TCAP that can be read.
    message: Option<tcap::Message<'a>>,
    /// Place of the first security component, and of the last component.
    security: Option<(usize, usize)>,
}

impl<'a> Read<'a> {
    /// `None` if it is nothing for a user of SCCP.
    fn new(snapshot: &Snapshot, ppid: u32, user: &'a [u8]) -> Option<Self> {
        let carried = sigtran::carried(ppid, user)?;
        let ssn = |party: sigtran::Party| party.1.map_or(0, |ssn| ssn.0);
        let native = if snapshot.is_other_tcap(ssn(carried.called), ssn(carried.calling)) { 106 } else { 81 };
        let message = tcap::Message::parse(carried.data, Rules::Lenient).ok();
        let security = message.as_ref().and_then(|message| {
            let is_one = |component: &tcap::Component<'_>| {
                let code = component.local();
                component.kind == ComponentKind::Invoke && (code == Some(native) || code == Some(tcap0::OPCODE))
            };
            let place = message.components.iter().position(is_one)?;
            Some((place, message.components.len() - 1))
        });
        Some(Self { carried, message, security })
    }
}

/// Whether a message that came may leave towards home in another form: it is signed, a segment, or read leniently.
fn may_change(snapshot: &Snapshot, ppid: u32, came: &[u8]) -> bool {
    if ppid == DIAMETER {
        return diameter::may_change(snapshot, came);
    }
    if let Some(signed) = isup::is_signed(ppid, came) {
        return signed;
    }
    Read::new(snapshot, ppid, came).is_some_and(|read| {
        let canonicalised = snapshot.rules == Rules::Lenient && read.message.is_some_and(|message| !message.canonical);
        read.security.is_some() || read.carried.segment || canonicalised
    })
}

/// What leaves towards home as a message of a peer that must sign came with a signature that holds, judged here without
/// the pipeline. Left out: what came in segments, and SG-TCAP-0.
fn proven(rig: &Rig, snapshot: &Snapshot, ppid: u32, came: &[Vec<u8>], user: &[u8]) {
    let Some(Read { carried, message: Some(message), .. }) = Read::new(snapshot, ppid, user) else { return };
    let Some(peer) = carried.calling.0.and_then(|title| snapshot.peer(&title)) else {
        panic!("a message of nobody we know left towards home: {user:02x?}");
    };
    let Some(peer) = snapshot.peers.get(usize::from(peer)) else { panic!("no such peer") };
    let native = peer.allows_profile(Profile::SgTcap1) && !peer.allows_profile(Profile::SgTcap0);
    if peer.mode != Mode::Require || !native || message.kind == tcap::MessageKind::Abort || carried.service {
        return;
    }
    let in_segments = |came: &[u8]| Read::new(snapshot, ppid, came).is_some_and(|read| read.carried.segment);
    let signed = |came: &[u8]| Protected::new(ppid, came).is_some_and(|message| message.holds(rig));
    let earned = came.iter().any(|came| in_segments(came) || signed(came));
    assert!(earned, "a message of a peer that must sign left unproven: {user:02x?}");
}

/// No message that home would take for TCAP has a security component, and none of Diameter a signature.
fn clean(snapshot: &Snapshot, ppid: u32, user: &[u8]) {
    if ppid == DIAMETER {
        return diameter::clean(user);
    }
    assert_ne!(isup::is_signed(ppid, user), Some(true), "a signed call left towards home: {user:02x?}");
    let carries_sccp = sigtran::is_for_sccp(ppid, user);
    let Some(read) = Read::new(snapshot, ppid, user) else {
        assert!(!carries_sccp, "SCCP that cannot be read was granted: {user:02x?}");
        return;
    };
    // A service message brings back what it was given, and no more than fits (formats 4.6).
    let service = read.carried.service;
    assert!(service || !read.carried.segment, "a segment was granted: {user:02x?}");
    assert!(service || read.message.is_some(), "unreadable TCAP was granted: {user:02x?}");
    assert_eq!(read.security, None, "a security component left towards home: {user:02x?}");
}

/// Lengths and checksums of a packet that we made.
fn well_formed(frame: &[u8]) {
    let Ok(ethernet) = eth::Frame::parse(frame) else { panic!("no Ethernet: {frame:02x?}") };
    let packet = match ip::Packet::parse(ethernet.ethertype, ethernet.payload) {
        Ok(Some(packet)) => packet,
        other => panic!("{other:?}: {frame:02x?}"),
    };
    let over = ethernet.payload.get(packet.total_len..).unwrap_or(&[]);
    assert!(over.is_empty() || frame.len() == 60, "octets behind the packet: {over:02x?}");
    let header = sctp::Header::parse(packet.payload);
    assert_eq!(header.map(|header| header.checksum), Ok(sctp::packet_crc32c(packet.payload)), "CRC-32C");
    let sctp = Packet::parse(packet.payload).unwrap_or_else(|refusal| panic!("{refusal:?}: {frame:02x?}"));
    for chunk in sctp.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA) {
        assert!(Data::parse(&chunk).is_ok(), "a DATA chunk that cannot be read: {frame:02x?}");
    }
}

/// Names, payload protocols and user data of all DATA chunks of a frame; `None` if it is no packet with chunks that can be walked.
fn data_of(frame: &[u8]) -> Option<Vec<(Name, u32, &[u8])>> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    if packet.protocol != ip::SCTP {
        return None;
    }
    let sctp = Packet::parse(packet.payload).ok()?;
    let chunks = sctp.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA);
    let data = chunks.filter_map(|chunk| Data::parse(&chunk).ok());
    let bits = |data: &Data<'_>| u8::from(data.unordered) << 2 | u8::from(data.begin) << 1 | u8::from(data.end);
    Some(data.map(|data| ((data.tsn, data.stream, data.ssn, bits(&data)), data.ppid, data.user)).collect())
}

/// No counter says that a bug of ours was met.
pub(super) fn no_fault_of_ours(stats: &Stats) {
    let bug = Reason::IntBug;
    let [frames, events] = [stats.frames_dropped, stats.events].map(|row| row.get(bug.index()).copied().unwrap_or(0));
    assert_eq!((frames, events, stats.total(bug)), (0, 0, 0), "INT_BUG: {stats:?}");
}
