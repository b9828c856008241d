//! UDP datagrams (RFC 768) over IPv4 and IPv6.

use core::net::IpAddr;

use crate::{Reason, Refusal};

/// Protocol number of UDP.
pub const PROTOCOL: u8 = 17;
/// Octets of the header.
pub const HEADER_LEN: usize = 8;

/// A datagram, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// From.
    pub source_port: u16,
    /// To.
    pub destination_port: u16,
    /// What it carries.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads a datagram that fills its packet, and checks its checksum.
    ///
    /// * `octets`: the payload of an IP packet, to its own end
    /// # Errors
    /// [`Reason::L4Length`] if the header is cut, or its length is not that of the packet: what would stand behind the
    /// datagram nobody looks at. [`Reason::L4Checksum`]: none is none over IPv4 alone (RFC 8200 §8.1).
    pub fn parse(source: IpAddr, destination: IpAddr, octets: &'a [u8]) -> Result<Self, Refusal> {
        let (&[s0, s1, d0, d1, l0, l1, c0, c1], payload) =
            octets.split_first_chunk::<HEADER_LEN>().ok_or(Reason::L4Length.at(octets.len()))?;
        if usize::from(u16::from_be_bytes([l0, l1])) != octets.len() {
            return Err(Reason::L4Length.at(4));
        }
        let none = [c0, c1] == [0, 0];
        let sound = if none { source.is_ipv4() } else { sum(source, destination, octets) == Some(0xffff) };
        if !sound {
            return Err(Reason::L4Checksum.at(6));
        }
        Ok(Self { source_port: u16::from_be_bytes([s0, s1]), destination_port: u16::from_be_bytes([d0, d1]), payload })
    }
}

/// Appends a datagram between these addresses; `false`, and nothing appended, if it is longer than any, or the addresses
/// are of two families.
pub fn emit(source: (IpAddr, u16), destination: (IpAddr, u16), payload: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let Ok(len) = u16::try_from(HEADER_LEN + payload.len()) else { return false };
    for word in [source.1, destination.1, len, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(payload);
    let made = out.get(start..).and_then(|datagram| sum(source.0, destination.0, datagram));
    match (made, out.get_mut(start + 6..start + 8)) {
        (Some(sum), Some(place)) => {
            // A sum of zero says that there is none: it is written as its other form.
            place.copy_from_slice(&(if sum == 0xffff { 0xffff } else { !sum }).to_be_bytes());
            true
        }
        _ => {
            out.truncate(start);
            false
        }
    }
}

/// One's complement sum over pseudo header and datagram; 0xffff if its checksum holds. `None` for addresses of two families.
fn sum(source: IpAddr, destination: IpAddr, datagram: &[u8]) -> Option<u16> {
    let mut total = u64::from(PROTOCOL) + datagram.len() as u64;
    let mut add = |octets: &[u8]| {
        for pair in octets.chunks(2) {
            let &[high, ref low @ ..] = pair else { continue };
            total += u64::from(high) << 8 | u64::from(low.first().copied().unwrap_or(0));
        }
    };
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            add(&source.octets());
            add(&destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            add(&source.octets());
            add(&destination.octets());
        }
        _ => return None,
    }
    add(datagram);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    Some(total as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn what_is_written_is_read_and_each_octet_counts() {
        let v4 = |last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last));
        let v6 = |last| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        for (from, to) in [(v4(1), v4(2)), (v6(1), v6(2))] {
            let mut octets = Vec::new();
            assert!(emit((from, 5060), (to, 5061), b"odd", &mut octets));
            let read = Datagram::parse(from, to, &octets).expect("sound");
            assert_eq!((read.source_port, read.destination_port, read.payload), (5060, 5061, &b"odd"[..]));
            for at in (0..octets.len()).filter(|at| !(4..6).contains(at)) {
                let mut bad = octets.clone();
                bad[at] ^= 1;
                assert_eq!(Datagram::parse(from, to, &bad), Err(Reason::L4Checksum.at(6)), "octet {at}");
            }
            octets[6..8].fill(0);
            assert_eq!(Datagram::parse(from, to, &octets).is_ok(), from.is_ipv4(), "no checksum");
        }
        let mut octets = Vec::new();
        assert!(!emit((v4(1), 1), (v6(1), 1), b"", &mut octets) && octets.is_empty());
        assert!(!emit((v4(1), 1), (v4(2), 1), &[0; 65_528], &mut octets) && octets.is_empty());
    }

    #[test]
    fn a_datagram_fills_its_packet() {
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let mut octets = Vec::new();
        assert!(emit((ip, 1), (ip, 2), b"x", &mut octets));
        octets.push(0);
        assert_eq!(Datagram::parse(ip, ip, &octets), Err(Reason::L4Length.at(4)));
        assert_eq!(Datagram::parse(ip, ip, &octets[..8]), Err(Reason::L4Length.at(4)));
        assert_eq!(Datagram::parse(ip, ip, &octets[..7]), Err(Reason::L4Length.at(7)));
    }

    #[test]
    fn a_sum_of_zero_is_not_taken_for_none() {
        let ip = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        let found = (0..=u16::MAX).any(|word| {
            let mut octets = Vec::new();
            assert!(emit((ip, 0), (ip, 0), &word.to_be_bytes(), &mut octets));
            let read = Datagram::parse(ip, ip, &octets);
            read.is_ok() && octets[6..8] == [0xff, 0xff]
        });
        assert!(found);
    }
}
