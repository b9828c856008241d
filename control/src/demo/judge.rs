//! Holding what the gateway did against what was sent: message by message on what left, and row by row in its counters.

use super::drive::Ran;
use super::kind::Kind;
use super::traffic::{Sent, Traffic};
use super::world::Operator;
use crate::cli::CliError;
use sealgate_config::model::LinkKind;
use sealgate_dataplane::io::pcap::Reader;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_wire::ber::Rules;
use sealgate_wire::sctp::{self, ChunkKind, Data};
use sealgate_wire::sec::tcap1;
use sealgate_wire::{Reason, diameter, eth, ip, isup, m3ua, sccp, sip, tcap, udp};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// One line of the demo's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who says so.
    pub from: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Messages sent.
    pub sent: usize,
    /// Those that left the gateway.
    pub passed: usize,
    /// The first frame that has one, if possible one that has nothing else.
    pub frame: u64,
}

/// The demo's own verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The table.
    pub rows: Vec<Row>,
    /// Messages; two halves are one.
    pub total: usize,
    /// What was not as expected, a sentence each.
    pub wrong: Vec<String>,
}

impl Judged {
    /// Messages judged as expected.
    pub fn right(&self) -> usize {
        self.total.saturating_sub(self.wrong.len())
    }
}

/// What stands in a chunk that left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
    /// The no-op of its protocol.
    Nothing,
    /// A message without a signature.
    Plain,
    /// A message with one.
    Signed,
}

/// Which chunk: link, direction, TSN.
type Key<'k> = (&'k str, Direction, u32);

/// Compares.
///
/// * `snapshot`: the policy that the gateway ran with, for names
/// # Errors
/// A capture of what left that cannot be read.
pub fn judge(traffic: &Traffic, ran: &Ran, snapshot: &Snapshot) -> Result<Judged, CliError> {
    let mut left = HashMap::new();
    for path in &ran.outputs {
        read(path, snapshot, &mut left)?;
    }
    let link = |id: Option<u16>| id.and_then(|id| snapshot.links.get(usize::from(id))).map(|link| link.name.as_str());
    let reasons: Option<HashMap<Key<'_>, Reason>> = ran.records.as_ref().map(|records| {
        let key = |record: &sealgate_dataplane::pipeline::Record| Some((link(record.link)?, record.way?, record.tsn?));
        records.iter().filter_map(|record| Some((key(record)?, record.reason))).collect()
    });
    let mut shared: HashMap<u64, usize> = HashMap::new();
    for sent in &traffic.sent {
        *shared.entry(sent.frame).or_default() += 1;
    }
    let alone = |frame: u64| shared.get(&frame) == Some(&1);
    let mut wrong = Vec::new();
    let mut rows: BTreeMap<(usize, usize), Row> = BTreeMap::new();
    for sent in &traffic.sent {
        let key = (sent.link, sent.direction(), sent.tsn);
        let got = left.get(&key).copied();
        let expected = sent.kind.expected();
        let datagram = sent.kind.is_datagram();
        let want = match expected {
            Reason::OkSignedEgress => Some(Left::Signed),
            reason if reason.passes() => Some(Left::Plain),
            _ => (!datagram).then_some(Left::Nothing), // a refused datagram goes nowhere
        };
        if got != want {
            let got = got.map_or("nothing at all", |left| match left {
                Left::Nothing => "a no-op",
                Left::Plain => "a message without signature",
                Left::Signed => "a message with signature",
            });
            wrong.push(format!("frame {} chunk {} ({}): {got} left", sent.frame, sent.chunk, sent.kind.words()));
        } else if !datagram // those have no number in a verdict: the counters tell
            && let Some(reason) = reasons.as_ref().map(|reasons| reasons.get(&key).copied())
            && reason != Some(expected)
        {
            let got = reason.map_or("no verdict", Reason::name);
            let (frame, chunk) = (sent.frame, sent.chunk);
            wrong.push(format!("frame {frame} chunk {chunk} ({}): {got}, not {}", sent.kind.words(), expected.name()));
        }
        if sent.kind == Kind::FirstSegment {
            continue;
        }
        let (place, from) = place(sent);
        let kind = Kind::ALL.iter().position(|kind| *kind == sent.kind).unwrap_or(0);
        let row =
            rows.entry((place, kind)).or_insert(Row { from, kind: sent.kind, sent: 0, passed: 0, frame: sent.frame });
        if row.sent > 0 && !alone(row.frame) && alone(sent.frame) {
            row.frame = sent.frame;
        }
        row.sent += 1;
        row.passed += usize::from(matches!(got, Some(Left::Plain | Left::Signed)));
    }
    counters(traffic, ran, snapshot, &mut wrong);
    let rows: Vec<Row> = rows.into_values().collect();
    Ok(Judged { total: rows.iter().map(|row| row.sent).sum(), rows, wrong })
}

/// Where a message stands in the table, and under which name.
fn place(sent: &Sent) -> (usize, &'static str) {
    if sent.direction() == Direction::Out {
        return (4, Operator::Home.name());
    }
    match sent.peer {
        "A" => (0, "A"),
        "B" => (1, "B"),
        "C" => (2, "C"),
        _ => (3, "HOME?"),
    }
}

/// The gateway's own counters must say the same.
fn counters(traffic: &Traffic, ran: &Ran, snapshot: &Snapshot, wrong: &mut Vec<String>) {
    let mut want: BTreeMap<(&str, u8, Reason), u64> = BTreeMap::new();
    for sent in &traffic.sent {
        *want.entry((sent.peer, sent.direction() as u8, sent.kind.expected())).or_default() += 1;
    }
    for (id, peer) in snapshot.peers.iter().enumerate() {
        for way in [Direction::In, Direction::Out] {
            let row = u16::try_from(id).ok().and_then(|id| ran.stats.verdicts(id, way));
            for (&reason, count) in sealgate_wire::reason::ALL.iter().zip(row.into_iter().flatten()) {
                let expected = want.remove(&(peer.name.as_str(), way as u8, reason)).unwrap_or(0);
                if count != expected {
                    let name = reason.name();
                    wrong.push(format!("counter of {} {name}: {count}, {expected} were sent", peer.name));
                }
            }
        }
    }
}

/// Reads what left.
fn read<'s>(path: &Path, snapshot: &'s Snapshot, left: &mut HashMap<Key<'s>, Left>) -> Result<(), CliError> {
    let mut reader = Reader::open(path)?;
    let mut octets = Vec::new();
    while reader.read(&mut octets)?.is_some() {
        frame(&octets, snapshot, left);
    }
    Ok(())
}

fn frame<'s>(octets: &[u8], snapshot: &'s Snapshot, left: &mut HashMap<Key<'s>, Left>) -> Option<()> {
    let ethernet = eth::Frame::parse(octets).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    let number = ethernet.payload.get(4..6).and_then(|octets| octets.try_into().ok()).map(u16::from_be_bytes)?;
    let inbound = snapshot.link(packet.source, packet.destination).map(|link| (link, Direction::In));
    let (link, way) =
        inbound.or_else(|| snapshot.link(packet.destination, packet.source).map(|link| (link, Direction::Out)))?;
    let link = snapshot.links.get(usize::from(link))?;
    let name = link.name.as_str();
    if packet.protocol == udp::PROTOCOL {
        let datagram = udp::Datagram::parse(packet.source, packet.destination, packet.payload).ok()?;
        let content = if link.config.kind == LinkKind::Sip { of_sip(datagram.payload, way) } else { Left::Plain };
        left.insert((name, way, number.into()), content);
        return Some(());
    }
    for chunk in sctp::Packet::parse(packet.payload).ok()?.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA) {
        let data = Data::parse(&chunk).ok()?;
        let content = if data.ppid == diameter::PPID { of_diameter(data.user) } else { content(data.user) };
        left.insert((name, way, data.tsn), content);
    }
    Some(())
}

/// The same of SIP, which keeps the signature of who calls us.
fn of_sip(user: &[u8], way: Direction) -> Left {
    match sip::Message::datagram(user) {
        Ok(message) if way == Direction::In || message.identity_count == 0 => Left::Plain,
        _ => Left::Signed,
    }
}

/// The same of Diameter.
fn of_diameter(user: &[u8]) -> Left {
    match diameter::Message::parse(user) {
        Ok(message) if message.header.is_hop_local() => Left::Nothing,
        Ok(message) if message.dess.is_none() => Left::Plain,
        _ => Left::Signed,
    }
}

/// What one message is that left; what cannot be read counts as one with a signature: it should not be there.
fn content(user: &[u8]) -> Left {
    let Ok(view) = m3ua::View::new(user) else { return Left::Signed };
    if !view.is_data() {
        return Left::Nothing;
    }
    let signed = || {
        let data = m3ua::Data::parse(view).ok()?;
        if data.si == 5 {
            let call = isup::View::new(data.user).and_then(isup::Iam::parse).ok()?;
            return Some(call.app.is_some());
        }
        let unitdata = sccp::Unitdata::parse(data.user).ok()?;
        let parsed = tcap::Message::parse(unitdata.data, Rules::Strict).ok()?;
        Some(parsed.components.iter().any(|component| component.local() == Some(tcap1::OPCODE_MAP)))
    };
    if signed() == Some(false) { Left::Plain } else { Left::Signed }
}
