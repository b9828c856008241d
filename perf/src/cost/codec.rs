//! Decoders layer by layer, as the pipeline calls them.

use sealgate_wire::addr::{Digits, GlobalTitle, PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::tcap::Tid;
use sealgate_wire::{eth, ip, m3ua, map, sccp, sctp, tcap};

/// MAP version of the corpus' application context.
const MAP_VERSION: u8 = 3;

/// What is read from the signalling of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Originating point code.
    pub opc: PointCode,
    /// Destination point code.
    pub dpc: PointCode,
    /// Called party.
    pub called: (GlobalTitle, Ssn),
    /// Calling party.
    pub calling: (GlobalTitle, Ssn),
    /// Originating transaction id.
    pub otid: Tid,
    /// Operation code of the first component.
    pub operation: i32,
    /// The subscriber.
    pub imsi: Digits,
}

/// The SCTP packet of a frame.
pub fn packet(frame: &[u8]) -> Option<&[u8]> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    Some(ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??.payload)
}

/// The M3UA message in the first DATA chunk of an SCTP packet.
pub fn user(packet: &[u8]) -> Option<&[u8]> {
    let packet = sctp::Packet::parse(packet).ok()?;
    let chunk = packet.chunks().find(|chunk| chunk.kind == sctp::ChunkKind::DATA)?;
    Some(sctp::Data::parse(&chunk).ok()?.user)
}

/// The SCCP message of an M3UA message, with its point codes.
pub fn sccp_of(user: &[u8]) -> Option<m3ua::Data<'_>> {
    m3ua::Data::parse(m3ua::View::new(user).ok()?).ok()
}

/// Both parties of an SCCP message, and its TCAP message.
#[expect(clippy::type_complexity, reason = "two parties and octets need no name")]
pub fn parties(sccp: &[u8]) -> Option<((GlobalTitle, Ssn), (GlobalTitle, Ssn), &[u8])> {
    let unitdata = sccp::Unitdata::parse(sccp).ok()?;
    let party = |octets| {
        let (title, ssn) = sccp::party(octets).ok()?;
        Some((title?, ssn?))
    };
    Some((party(unitdata.called)?, party(unitdata.calling)?, unitdata.data))
}

/// The subscriber in the parameter of an invoke, read as if no such parameter was seen before.
pub fn subscriber(operation: i32, parameter: &[u8]) -> Option<Digits> {
    let mut found = map::Identities::default();
    found.read(operation, tcap::ComponentKind::Invoke, MAP_VERSION, parameter, Rules::Lenient).ok()?;
    found.imsi
}

/// What a worker knows of messages like those before: by it, it reads most with less work.
#[derive(Debug, Default)]
pub struct Reader {
    messages: tcap::Known,
    arguments: map::Known,
}

impl Reader {
    /// From an M3UA message to the subscriber.
    #[inline(never)]
    pub fn signalling(&mut self, user: &[u8]) -> Option<Reading> {
        let data = sccp_of(user)?;
        let (called, calling, octets) = parties(data.user)?;
        let mut room = tcap::Room::new();
        let message = self.messages.read(&mut room, octets, Rules::Lenient).ok()?;
        let component = message.components.iter().next()?;
        let (operation, kind) = (component.local()?, tcap::ComponentKind::Invoke);
        let mut found = map::Identities::default();
        self.arguments.read(operation, kind, MAP_VERSION, component.parameter, Rules::Lenient, &mut found).ok()?;
        Some(Reading {
            opc: data.opc,
            dpc: data.dpc,
            called,
            calling,
            otid: message.otid?,
            operation,
            imsi: found.imsi?,
        })
    }

    /// From Ethernet to the subscriber, with the check of the SCTP packet.
    pub fn whole(&mut self, frame: &[u8]) -> Option<Reading> {
        let packet = packet(frame)?;
        if crc(packet) != sctp::Header::parse(packet).ok()?.checksum {
            return None;
        }
        self.signalling(user(packet)?)
    }
}

/// From an M3UA message to the subscriber, read as if no such message was seen before.
#[inline(never)]
pub fn signalling(user: &[u8]) -> Option<Reading> {
    let data = sccp_of(user)?;
    let (called, calling, octets) = parties(data.user)?;
    let mut room = tcap::Room::new();
    let message = room.read(octets, Rules::Lenient).ok()?;
    let component = message.components.iter().next()?;
    let operation = component.local()?;
    let imsi = subscriber(operation, component.parameter)?;
    Some(Reading { opc: data.opc, dpc: data.dpc, called, calling, otid: message.otid?, operation, imsi })
}

/// CRC-32C of an SCTP packet, its checksum field counted as zeros, with the processor's instructions: as the pipeline's.
#[inline(never)]
pub fn crc(packet: &[u8]) -> u32 {
    let Some((header, chunks)) = packet.split_first_chunk::<{ sctp::HEADER_LEN }>() else { return 0 };
    let mut header = *header;
    header[8..].fill(0);
    crc32c::crc32c_append(crc32c::crc32c(&header), chunks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;

    #[test]
    fn what_is_known_is_read_like_what_is_new() {
        let mut reader = Reader::default();
        for frame in traffic::first(256, false) {
            let user = packet(&frame).and_then(user).expect("the corpus is well-formed");
            assert_eq!(reader.signalling(user), signalling(user));
        }
    }

    #[test]
    fn a_message_of_the_corpus_is_read_to_its_subscriber() {
        let frames = traffic::unsigned(false);
        let mut reader = Reader::default();
        let reading = reader.whole(&frames[7]).expect("the corpus is well-formed");
        assert_eq!((reading.opc, reading.dpc, reading.operation), (PointCode(4128), PointCode(4112), 2));
        assert_eq!(reading.imsi.to_string(), "001020000000007");
        assert_eq!(reading.calling.0.digits.to_string(), "999020000011");
        let mut bad = frames[7].clone();
        let last = bad.len() - 5;
        bad[last] ^= 1;
        assert_eq!(reader.whole(&bad), None, "the checksum is not looked at");
    }
}
