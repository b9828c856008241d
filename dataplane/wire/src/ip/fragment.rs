//! Fragments of IPv4 (RFC 791 §3.2) and IPv6 (RFC 8200 §4.5) packets: read, and made.

use core::net::IpAddr;

use super::extension::{self, HOP_BY_HOP};
use super::{DONT_FRAGMENT, FRAGMENT_HEADER, V4_HEADER_LEN, V6_HEADER_LEN, set_lengths, v4_header, v6};
use crate::eth::{IPV4, IPV6};
use crate::{Reason, Refusal};

/// Octets of an IPv6 fragment header.
const HEADER_LEN: usize = 8;
/// More fragments follow, in an IPv4 header.
const MORE: u16 = 0x2000;
/// Fragments but the last have a multiple of so many octets.
const UNIT: usize = 8;
/// Octets of a packet, at most.
const MAX_PACKET: usize = 65_535;

/// One fragment, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// What tells the packets between two hosts apart: identification, and over IPv4 the protocol (RFC 791 §3.2).
    pub id: (u32, u8),
    /// Place of `payload` in the payload of the whole packet, octets.
    pub offset: usize,
    /// Whether more follows behind it.
    pub more: bool,
    /// The headers in front: of IPv4, or of IPv6 with the extension headers up to that of the fragment.
    pub headers: &'a [u8],
    /// Its part of the packet.
    pub payload: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads the fragment behind an Ethernet header. `None` if the packet is none.
    /// # Errors
    /// [`Reason::IpHeader`], [`Reason::IpChecksum`] and [`Reason::IpOptions`] as [`super::Packet::parse`] has them;
    /// [`Reason::IpFragment`] for a fragment without octets, for one that is not the last and no multiple of eight octets, and
    /// for one that ends behind the longest packet.
    pub fn parse(ethertype: u16, octets: &'a [u8]) -> Result<Option<Self>, Refusal> {
        let fragment = match ethertype {
            IPV4 => Self::parse_v4(octets)?,
            IPV6 => Self::parse_v6(octets)?,
            _ => None,
        };
        let Some(Self { offset, more, headers, payload, .. }) = fragment else { return Ok(None) };
        let uneven = more && !payload.len().is_multiple_of(UNIT);
        if payload.is_empty() || uneven || headers.len() + offset + payload.len() > MAX_PACKET {
            return Err(Reason::IpFragment.at(if ethertype == IPV4 { 2 } else { 4 }));
        }
        Ok(fragment)
    }

    fn parse_v4(octets: &'a [u8]) -> Result<Option<Self>, Refusal> {
        let (head, headers, payload) = v4_header(octets)?;
        let place = u16::from_be_bytes([head[6], head[7]]);
        if place & super::FRAGMENT == 0 {
            return Ok(None);
        }
        if headers.len() > V4_HEADER_LEN {
            return Err(Reason::IpOptions.at(V4_HEADER_LEN));
        }
        Ok(Some(Self {
            source: [head[12], head[13], head[14], head[15]].into(),
            destination: [head[16], head[17], head[18], head[19]].into(),
            id: (u16::from_be_bytes([head[4], head[5]]).into(), head[9]),
            offset: usize::from(place & 0x1fff) * UNIT,
            more: place & MORE != 0,
            headers,
            payload,
        }))
    }

    fn parse_v6(octets: &'a [u8]) -> Result<Option<Self>, Refusal> {
        let cut = Reason::IpHeader.at(octets.len());
        let (head, rest) = octets.split_first_chunk::<V6_HEADER_LEN>().ok_or(cut)?;
        if head[0] >> 4 != 6 {
            return Err(Reason::IpHeader.at(0));
        }
        let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let whole = rest.get(..len).ok_or(Reason::IpHeader.at(4))?;
        let behind = extension::walk(head[6], 6, whole, V6_HEADER_LEN)?;
        if behind.protocol != FRAGMENT_HEADER {
            return Ok(None);
        }
        let at = V6_HEADER_LEN + behind.len;
        let cut = Reason::IpHeader.at(at);
        let (&[_, _, o0, o1, i0, i1, i2, i3], payload) =
            whole.get(behind.len..).and_then(|rest| rest.split_first_chunk::<HEADER_LEN>()).ok_or(cut)?;
        let place = u16::from_be_bytes([o0, o1]);
        Ok(Some(Self {
            source: v6(head, 8),
            destination: v6(head, 24),
            id: (u32::from_be_bytes([i0, i1, i2, i3]), 0),
            offset: usize::from(place & !7),
            more: place & 1 != 0,
            headers: octets.get(..at + HEADER_LEN).ok_or(cut)?,
            payload,
        }))
    }
}

/// Appends the headers of the whole packet, as those of its first fragment say them.
///
/// `false`, and nothing appended, for what are no headers of a fragment, and for a packet longer than any.
/// * `headers`: [`Fragment::headers`]; `payload_len`: octets that all fragments have together
pub fn emit_whole(headers: &[u8], payload_len: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.extend_from_slice(headers);
    let made = out.get_mut(start..).and_then(|packet| match packet.first()? >> 4 {
        4 => {
            let place = packet.get_mut(6..8)?.first_chunk_mut::<2>()?;
            *place = (u16::from_be_bytes(*place) & DONT_FRAGMENT).to_be_bytes();
            set_lengths(packet, payload_len).then_some(packet.len())
        }
        6 => {
            let len = packet.len().checked_sub(HEADER_LEN)?;
            let next = *packet.get(len)?;
            // With a hop-by-hop header it is that which names what follows.
            let named_at = if packet.get(6) == Some(&HOP_BY_HOP) { V6_HEADER_LEN } else { 6 };
            *packet.get_mut(named_at)? = next;
            let rest = u16::try_from((len.checked_sub(V6_HEADER_LEN)?).checked_add(payload_len)?).ok()?;
            *packet.get_mut(4..6)?.first_chunk_mut()? = rest.to_be_bytes();
            Some(len)
        }
        _ => None,
    });
    out.truncate(start + made.unwrap_or(0));
    made.is_some()
}

/// Cuts a packet that is longer than its link carries.
#[derive(Clone, Copy, Debug)]
pub struct Cuts<'a> {
    /// What each fragment begins with: all in front of the place of a fragment header.
    front: &'a [u8],
    /// What is cut.
    body: &'a [u8],
    /// Octets of the body that lie in fragments already.
    done: usize,
    /// Octets of the body in each fragment but the last.
    room: usize,
    /// Identification of the fragments; over IPv4 the packet's own.
    id: u32,
    /// Protocol of the body.
    protocol: u8,
}

impl<'a> Cuts<'a> {
    /// Cuts to be made in a packet that [`super::Packet::parse`] has read. `None` if it cannot be cut so short.
    ///
    /// * `packet`: to its own end; `mtu`: octets of a packet at most; `id`: identification over IPv6, never used lately between
    ///   these hosts
    pub fn new(packet: &'a [u8], mtu: usize, id: u32) -> Option<Self> {
        let (front_len, protocol, header_len) = match packet.first()? >> 4 {
            4 => (usize::from(packet.first()? & 0x0f) * 4, *packet.get(9)?, 0),
            // A hop-by-hop header is for those on the way: it stays in front (RFC 8200 §4.5).
            6 if packet.get(6) == Some(&HOP_BY_HOP) => {
                let &[next, units] = packet.get(V6_HEADER_LEN..)?.first_chunk()?;
                (V6_HEADER_LEN + (usize::from(units) + 1) * 8, next, HEADER_LEN)
            }
            6 => (V6_HEADER_LEN, *packet.get(6)?, HEADER_LEN),
            _ => return None,
        };
        let (front, body) = packet.split_at_checked(front_len)?;
        let room = mtu.checked_sub(front_len + header_len)? / UNIT * UNIT;
        (room > 0).then_some(Self { front, body, done: 0, room, id, protocol })
    }

    /// True once all of the packet lies in fragments.
    pub fn is_done(&self) -> bool {
        self.done >= self.body.len()
    }

    /// Appends the next fragment; `false`, and nothing appended, behind the last.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(rest) = self.body.get(self.done..).filter(|rest| !rest.is_empty()) else { return false };
        let (piece, more) = match rest.split_at_checked(self.room) {
            Some((piece, behind)) if !behind.is_empty() => (piece, true),
            _ => (rest, false),
        };
        let start = out.len();
        out.extend_from_slice(self.front);
        let made = match self.front.first().map(|octet| octet >> 4) {
            Some(4) => {
                let place = (self.done / UNIT) as u16 | if more { MORE } else { 0 };
                let head = out.get_mut(start..);
                head.is_some_and(|head| {
                    let put = head.get_mut(6..8).map(|octets| octets.copy_from_slice(&place.to_be_bytes()));
                    put.is_some() && set_lengths(head, piece.len())
                })
            }
            _ => {
                let named_at = start + if self.front.len() > V6_HEADER_LEN { V6_HEADER_LEN } else { 6 };
                if let Some(next) = out.get_mut(named_at) {
                    *next = FRAGMENT_HEADER;
                }
                out.extend_from_slice(&[self.protocol, 0]);
                out.extend_from_slice(&(self.done as u16 | u16::from(more)).to_be_bytes());
                out.extend_from_slice(&self.id.to_be_bytes());
                let len = u16::try_from(self.front.len() - V6_HEADER_LEN + HEADER_LEN + piece.len());
                let place = out.get_mut(start + 4..start + 6);
                len.ok().zip(place).map(|(len, place)| place.copy_from_slice(&len.to_be_bytes())).is_some()
            }
        };
        if !made {
            out.truncate(start);
            self.done = self.body.len();
            return false;
        }
        out.extend_from_slice(piece);
        self.done += piece.len();
        true
    }
}

#[cfg(test)]
mod tests;
