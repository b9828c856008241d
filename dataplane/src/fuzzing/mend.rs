//! Making frames good again, so that a change inside is not stopped at the first checksum, length or signature.

use sealgate_wire::ber::Rules;
use sealgate_wire::sctp::{self, ChunkKind, Data, Packet};
use sealgate_wire::sec::{Tvp, tcap1};
use sealgate_wire::{eth, ip, tcap};

use super::rig::Rig;
use super::sigtran::{self, Carried};

/// First octet of the IP header, IP version and header length, where the frame has them. No check is made: what is
/// mended may be broken.
fn network(frame: &[u8]) -> Option<(usize, u8, usize)> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let version = *ethernet.payload.first()?;
    match (ethernet.ethertype, version >> 4) {
        (0x0800, 4) => Some((ethernet.header_len, 4, usize::from(version & 15) * 4)),
        (0x86dd, 6) => Some((ethernet.header_len, 6, 40)),
        _ => None,
    }
}

/// IPv4 header checksum and CRC-32C, over the lengths that the frame claims.
pub(super) fn checksums(frame: &mut [u8]) {
    let _ = try_checksums(frame);
}

fn try_checksums(frame: &mut [u8]) -> Option<()> {
    let (at, version, header_len) = network(frame)?;
    let field = |frame: &[u8], at: usize| Some(usize::from(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?])));
    let end = if version == 4 {
        let header = frame.get_mut(at..at + header_len)?;
        header.get_mut(10..12)?.fill(0);
        let sum = ip::inet_checksum(header);
        header.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
        at + field(frame, at + 2)?
    } else {
        at + 40 + field(frame, at + 4)?
    };
    let packet = frame.get_mut(at + header_len..end)?;
    let crc = sctp::packet_crc32c(packet);
    sctp::seal(packet, crc).then_some(())
}

/// IP length, the length of the first chunk if it is DATA, and those of M3UA and its user part: each as if the rest of
/// the frame belonged to it.
pub(super) fn lengths(frame: &mut [u8]) {
    let _ = try_lengths(frame);
}

fn try_lengths(frame: &mut [u8]) -> Option<()> {
    let (at, version, header_len) = network(frame)?;
    let whole = frame.len().checked_sub(at + header_len)?;
    let put = |frame: &mut [u8], at: usize, value: usize| {
        frame.get_mut(at..at + 2)?.copy_from_slice(&u16::try_from(value).ok()?.to_be_bytes());
        Some(())
    };
    match version {
        4 => put(frame, at + 2, header_len + whole)?,
        _ => put(frame, at + 4, whole)?,
    }
    let chunk = at + header_len + sctp::HEADER_LEN;
    if *frame.get(chunk)? != ChunkKind::DATA.0 {
        return Some(());
    }
    let user = chunk + 16;
    put(frame, chunk + 2, frame.len().checked_sub(chunk)?)?;
    put(frame, user + 6, frame.len().checked_sub(user)?)?;
    // The first parameter that is Protocol Data takes the rest.
    let mut param = user + 8;
    while let Some(&[t0, t1, n0, n1]) = frame.get(param..).and_then(|rest| rest.first_chunk()) {
        if (t0, t1) == (2, 0x10) {
            return put(frame, param + 2, frame.len() - param);
        }
        param += sctp::padded(usize::from(u16::from_be_bytes([n0, n1])).max(4));
    }
    Some(())
}

/// Stamps the SG-TCAP-1 component of each whole message anew and signs the message with the key of its SAI.
pub(super) fn sign(rig: &Rig, frame: &mut [u8], now_ms: u64, seq: u64) {
    for (chunk, seq) in (0..4).zip(seq * 4..) {
        let _ = try_sign(rig, frame, now_ms, seq, chunk);
    }
}

fn try_sign(rig: &Rig, frame: &mut [u8], now_ms: u64, seq: u64, chunk: usize) -> Option<()> {
    const TVP: usize = 12;
    let (header_at, signature_at) = places(frame, chunk)?;
    let covered = frame.get_mut(header_at)?;
    covered.get_mut(TVP..TVP + 4)?.copy_from_slice(&Tvp::from_unix_ms(now_ms).0.to_be_bytes());
    covered.get_mut(TVP + 4..TVP + 12)?.copy_from_slice(&seq.to_be_bytes());
    let (ppid, user) = user_of(frame, chunk)?;
    let protected = Protected::new(ppid, user)?;
    let mut signature = [0; 256];
    let len = rig.key(protected.protection.header.sai)?.sign(&protected.tbs()?, &mut signature).ok()?;
    let place = frame.get_mut(signature_at)?;
    (place.len() == len).then(|| place.copy_from_slice(signature.get(..len).unwrap_or(&[])))
}

type Place = core::ops::Range<usize>;

/// Where header and signature lie in the frame.
fn places(frame: &[u8], chunk: usize) -> Option<(Place, Place)> {
    let (ppid, user) = user_of(frame, chunk)?;
    let Protected { protection, .. } = Protected::new(ppid, user)?;
    let place = |part: &[u8]| {
        let from = part.as_ptr() as usize - frame.as_ptr() as usize;
        from..from + part.len()
    };
    Some((place(protection.covered), place(protection.signature)))
}

/// Payload protocol and user data of a DATA chunk.
fn user_of(frame: &[u8], chunk: usize) -> Option<(u32, &[u8])> {
    let (at, _, header_len) = network(frame)?;
    let packet = Packet::parse(frame.get(at + header_len..)?).ok().or_else(|| {
        // Octets behind the packet, as Ethernet's padding, made it unreadable.
        let ethernet = eth::Frame::parse(frame).ok()?;
        Packet::parse(ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??.payload).ok()
    })?;
    let data = packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA).nth(chunk)?;
    let data = Data::parse(&data).ok()?;
    Some((data.ppid, data.user))
}

/// A whole message with an SG-TCAP-1 component at its end.
pub(super) struct Protected<'a> {
    carried: Carried<'a>,
    message: tcap::Message<'a>,
    protection: tcap1::Protection<'a>,
}

impl<'a> Protected<'a> {
    /// * `user`: a message of M3UA, M2PA or SUA
    pub fn new(ppid: u32, user: &'a [u8]) -> Option<Self> {
        let carried = sigtran::carried(ppid, user)?;
        let message = tcap::Message::parse(carried.data, Rules::Lenient).ok()?;
        let protection = tcap1::parse(message.components.last()?.parameter).ok()?;
        Some(Self { carried, message, protection })
    }

    /// Whether the signature holds under the key of its SAI.
    pub fn holds(&self, rig: &Rig) -> bool {
        let key = rig.key(self.protection.header.sai).map(|key| key.public());
        let proven = key.zip(self.tbs()).map(|(key, tbs)| key.verify(&tbs, self.protection.signature));
        proven == Some(true)
    }

    /// What the signature must cover.
    fn tbs(&self) -> Option<Vec<u8>> {
        let party = |(title, ssn): sigtran::Party| title.zip(ssn);
        let subject = tcap1::Subject {
            calling: party(self.carried.calling)?,
            called: party(self.carried.called)?,
            tag: self.message.kind as u8,
        };
        let before = self.message.components.len().checked_sub(1)?;
        let components = self.message.components.iter().take(before).map(|component| component.raw);
        let elements = self.message.elements.iter().copied();
        let copy = self.protection.header.copy.map(|copy| copy.octets());
        let mut tbs = Vec::new();
        tcap1::write_tbs(self.protection.covered, copy, &subject, elements, components, &mut tbs);
        Some(tbs)
    }
}
