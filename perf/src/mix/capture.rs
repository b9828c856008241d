//! Messages out of a capture, as far as they can be played again.

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;
use std::path::Path;

use sealgate_dataplane::io::pcap;
use sealgate_wire::addr::Plan;
use sealgate_wire::ber::{self, Rules};
use sealgate_wire::sccp::{self, Unitdata};
use sealgate_wire::sec::tcap1;
use sealgate_wire::tcap::{self, MessageKind};
use sealgate_wire::{eth, ip, m3ua, sctp};

use super::Side;
use super::message::{HOME, Octets, Party, SI, in_m3ua, sign_for};
use super::values::Values;
use super::world::World;

/// Messages of one capture that are kept, at most: each is a template.
const MOST: usize = 65_536;
/// Room for user data in a packet of 1500 octets.
const LONGEST: usize = 1500 - ip::V4_HEADER_LEN - sctp::HEADER_LEN - sctp::DATA_HEADER_LEN;
/// Subsystem of CAP, whose signatures have an operation code of their own (formats 4.1).
const CAP: u8 = 146;

/// What was taken of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Frames in it.
    pub frames: u64,
    /// Messages that are played.
    pub messages: u64,
    /// Of these, signed afresh each time.
    pub signed: u64,
    /// Frames and messages that are not, by what they are.
    pub left_out: BTreeMap<&'static str, u64>,
}

/// A message that can be played.
pub(super) struct Captured {
    pub(super) side: Side,
    /// Number of its association in the capture, in the order of appearance.
    pub(super) flow: usize,
    /// It shares the packet of the message before.
    pub(super) joined: bool,
    /// The peer that signs it.
    pub(super) signer: Option<usize>,
    sccp: Vec<u8>,
    /// Place of the originating transaction identifier in it; empty if it has none.
    transaction: Range<usize>,
}

/// Why a message cannot be played.
type Unfit = &'static str;

/// Who speaks in a capture: both ends by address and port, the lower first.
type Ends = [(std::net::IpAddr, u16); 2];

/// Reads all that can be played.
///
/// * `sign`: BEGINs from titles of the world's peers are signed
pub(super) fn read(path: &Path, world: &World, sign: bool) -> Result<(Vec<Captured>, Taken), Box<dyn Error>> {
    let mut reader = pcap::Reader::open(path)?;
    let (mut messages, mut taken) = (Vec::new(), Taken::default());
    let mut flows: Vec<Ends> = Vec::new();
    let mut octets = Vec::new();
    while let Some(record) = reader.read(&mut octets)? {
        taken.frames += 1;
        let Some((ends, chunks)) = packet(record.link, &mut octets) else {
            *taken.left_out.entry("no SCTP over IP").or_default() += 1;
            continue;
        };
        let flow = flows.iter().position(|known| *known == ends).unwrap_or_else(|| {
            flows.push(ends);
            flows.len() - 1
        });
        let mut joined = false;
        for chunk in chunks.chunks().filter(|chunk| chunk.kind == sctp::ChunkKind::DATA) {
            let unfit = match message(&chunk, world, sign) {
                Ok(_) if messages.len() == MOST => "more messages than are kept",
                Ok(message) => {
                    taken.signed += u64::from(message.signer.is_some());
                    messages.push(Captured { flow, joined, ..message });
                    joined = true;
                    continue;
                }
                Err(unfit) => unfit,
            };
            *taken.left_out.entry(unfit).or_default() += 1;
        }
    }
    taken.messages = messages.len() as u64;
    if messages.is_empty() {
        let why: Vec<_> = taken.left_out.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        return Err(format!("{}: nothing in it can be played ({})", path.display(), why.join(", ")).into());
    }
    Ok((messages, taken))
}

/// The SCTP packet in a frame, whose IP checksum is mended: a capture made where it was sent may have none yet.
fn packet(link: u32, octets: &mut [u8]) -> Option<(Ends, sctp::Packet<'_>)> {
    let (ethertype, at) = network(link, octets)?;
    let octets = octets.get_mut(at..)?;
    if ethertype == eth::IPV4 {
        let header = octets.get_mut(..ip::V4_HEADER_LEN)?;
        header.get_mut(10..12)?.fill(0);
        let sum = ip::inet_checksum(header);
        header.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
    }
    let packet = ip::Packet::parse(ethertype, octets).ok()??;
    let sctp = (packet.protocol == ip::SCTP).then(|| sctp::Packet::parse(packet.payload).ok())??;
    let mut ends = [(packet.source, sctp.source_port), (packet.destination, sctp.destination_port)];
    ends.sort_unstable();
    Some((ends, sctp))
}

/// Ethertype and place of the network layer, by the link types that Linux captures (tcpdump.org).
fn network(link: u32, octets: &[u8]) -> Option<(u16, usize)> {
    const RAW: u32 = 101;
    const COOKED: u32 = 113;
    const COOKED_2: u32 = 276;
    let named = |at: usize, len| Some((u16::from_be_bytes(*octets.get(at..)?.first_chunk()?), len));
    match link {
        pcap::ETHERNET => {
            let frame = eth::Frame::parse(octets).ok()?;
            Some((frame.ethertype, octets.len() - frame.payload.len()))
        }
        RAW => match octets.first()? >> 4 {
            4 => Some((eth::IPV4, 0)),
            _ => Some((eth::IPV6, 0)),
        },
        COOKED => named(14, 16),
        COOKED_2 => named(0, 20),
        _ => None,
    }
}

fn message(chunk: &sctp::Chunk<'_>, world: &World, sign: bool) -> Result<Captured, Unfit> {
    let data = sctp::Data::parse(chunk).map_err(|_| "no DATA chunk that can be read")?;
    if !data.is_whole() {
        return Err("a part of a message, in SCTP");
    }
    let carried = m3ua::View::new(data.user).and_then(m3ua::Data::parse).map_err(|_| "no DATA of M3UA")?;
    if carried.si != SI {
        return Err("no SCCP");
    }
    let unitdata = Unitdata::parse(carried.user).map_err(|_| "no SCCP message that can be read")?;
    if unitdata.segmentation.is_some() {
        return Err("a part of a message, in SCCP");
    }
    if unitdata.kind.is_service() {
        return Err("an SCCP message that came back");
    }
    let parsed = tcap::Message::parse(unitdata.data, Rules::Lenient).map_err(|_| "no TCAP that can be read")?;
    if parsed.dtid.is_some() {
        return Err("an answer: its question is not asked again");
    }
    let parties = party(unitdata.calling).zip(party(unitdata.called));
    let ours = HOME.get(..5).unwrap_or(HOME);
    let home = parties.is_some_and(|(calling, _)| calling.0.digits.to_string().starts_with(ours));
    let side = if home { Side::Home } else { Side::Interconnect };
    let signer = parties.filter(|_| sign && side == Side::Interconnect && parsed.kind == MessageKind::Begin);
    let signer = signer.and_then(|(calling, _)| world.numbering.peer_of(&calling.0.digits.to_string()));
    let (mut tcap, mut unsigned) = (unitdata.data.to_vec(), Vec::new());
    if signer.is_some()
        && let Some(place) = parsed.components.iter().position(|component| tcap1::parse(component.parameter).is_ok())
    {
        // What was signed once is signed afresh.
        tcap::rebuild(&parsed, Some(place), None, false, &mut unsigned);
        tcap.clone_from(&unsigned);
    }
    let whole = rewrapped(&unitdata, unitdata.kind, &tcap)?;
    let transaction = place(&whole)?;
    let captured = Captured { side, flow: 0, joined: false, signer, sccp: whole, transaction };
    let [probe, _] = Values::probes(super::values::Field::Seq);
    let made = captured.compose(&probe)?;
    if made.user.len() > LONGEST { Err("longer than a packet") } else { Ok(captured) }
}

fn party(address: &[u8]) -> Option<Party> {
    let (title, ssn) = sccp::party(address).ok()?;
    Some((title.filter(|title| title.plan == Plan::E164)?, ssn?))
}

/// The SCCP message with other data, in another message type.
fn rewrapped(original: &Unitdata<'_>, kind: sccp::Kind, data: &[u8]) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::new();
    let &Unitdata { class, hop, called, calling, importance, .. } = original;
    sccp::emit(kind, class, hop, called, calling, data, None, importance, &mut out).map_err(|_| "does not fit SCCP")?;
    Ok(out)
}

/// Where the originating transaction identifier lies in an SCCP message.
fn place(octets: &[u8]) -> Result<Range<usize>, Unfit> {
    const OTID: u8 = 0x48;
    let unitdata = Unitdata::parse(octets).map_err(|_| "no SCCP message that can be read")?;
    let parsed = tcap::Message::parse(unitdata.data, Rules::Lenient).map_err(|_| "no TCAP that can be read")?;
    let element = parsed.elements.iter().find(|element| element.first() == Some(&OTID));
    let element = element.and_then(|element| ber::next(element, Rules::Lenient, 0).ok());
    Ok(element.map_or(0..0, |(element, _)| {
        let start = element.value.as_ptr() as usize - octets.as_ptr() as usize;
        start..start + element.value.len()
    }))
}

impl Captured {
    /// Octets of its transaction identifier.
    pub(super) fn transaction_len(&self) -> usize {
        self.transaction.len()
    }

    /// It with these values, of which it has the transaction identifier and what belongs to a signature.
    pub(super) fn compose(&self, values: &Values) -> Result<Octets, Unfit> {
        let mut sccp = self.sccp.clone();
        if let Some(to) = sccp.get_mut(self.transaction.clone()) {
            let from = values.transaction.len() - to.len();
            to.copy_from_slice(values.transaction.get(from..).unwrap_or_default());
        }
        let mut tbs = Vec::new();
        if self.signer.is_none() {
            return Ok(Octets { user: in_m3ua(&sccp)?, tbs });
        }
        let unitdata = Unitdata::parse(&sccp).map_err(|_| "no SCCP message that can be read")?;
        let parties = party(unitdata.calling).zip(party(unitdata.called)).ok_or("no title that can sign")?;
        let (calling, called) = parties;
        let other = [calling, called].iter().any(|(_, ssn)| ssn.0 == CAP);
        let opcode = if other { tcap1::OPCODE_OTHER } else { tcap1::OPCODE_MAP };
        let extended = unitdata.kind != sccp::Kind::Udt;
        let (signed, kind) = sign_for(unitdata.data, opcode, parties, extended, values, &mut tbs)?;
        Ok(Octets { user: in_m3ua(&rewrapped(&unitdata, kind, &signed)?)?, tbs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_wire::frame_builder::{Path, emit_sack};

    #[test]
    fn a_packet_is_found_behind_every_link_layer_and_its_checksum_mended() {
        let path = Path {
            source_mac: [2; 6],
            destination_mac: [4; 6],
            vlan: None,
            source: [192, 0, 2, 1].into(),
            destination: [192, 0, 2, 2].into(),
            source_port: 7,
            destination_port: 2905,
            vtag: 9,
        };
        let mut frame = Vec::new();
        assert!(path.emit(1, |out| emit_sack(1, out), &mut frame));
        frame[24] ^= 0xff; // in the IP checksum
        let behind = &frame[14..];
        let before = |octets: &[u8]| [octets, behind].concat();
        let mut cooked = [0; 16];
        cooked[14] = 8;
        let mut cooked_2 = [0; 20];
        cooked_2[0] = 8;
        for (link, mut octets) in
            [(1, frame.clone()), (101, before(&[])), (113, before(&cooked)), (276, before(&cooked_2))]
        {
            let found = packet(link, &mut octets).map(|(ends, packet)| (ends[0].1, packet.vtag));
            assert_eq!(found, Some((7, 9)), "{link}");
        }
        assert!(packet(1, &mut frame[..20]).is_none() && packet(141, &mut frame).is_none());
    }
}
