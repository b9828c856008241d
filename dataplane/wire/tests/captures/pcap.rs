//! Classic pcap files, either byte order: just enough for this test.

use sealgate_wire::eth::Frame;
use sealgate_wire::{Reason, ip};

/// The IP packet of a frame, its header checksum made again if that is what is wrong: some captures were generated without,
/// and tshark does not look at it.
pub fn mended(frame: &Frame<'_>) -> Vec<u8> {
    let mut packet = frame.payload.to_vec();
    if let Err(refusal) = ip::Packet::parse(frame.ethertype, &packet)
        && refusal.reason == Reason::IpChecksum
    {
        let header = usize::from(packet[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        ip::set_lengths(&mut packet, total - header);
    }
    packet
}

/// The frames of an Ethernet capture; `None` if it is not a classic pcap file of Ethernet frames.
pub fn frames(file: &[u8]) -> Option<Vec<&[u8]>> {
    let (magic, _) = file.split_first_chunk()?;
    let little = match u32::from_le_bytes(*magic) {
        0xa1b2_c3d4 | 0xa1b2_3c4d => true,
        0xd4c3_b2a1 | 0x4d3c_b2a1 => false,
        _ => return None,
    };
    let word = |at: usize| {
        let octets = file.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) } as usize)
    };
    if word(20)? != 1 {
        return None; // link type
    }
    let mut frames = Vec::new();
    let mut at = 24;
    while let Some(len) = word(at + 8) {
        frames.push(file.get(at + 16..at + 16 + len)?);
        at += 16 + len;
    }
    Some(frames)
}
