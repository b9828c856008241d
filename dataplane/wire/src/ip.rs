//! IPv4 (RFC 791) and IPv6 (RFC 8200): packets that are whole, and [`fragment`]s.

mod extension;
pub mod fragment;

pub use extension::MAX_LEN as MAX_EXTENSIONS;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::eth::{IPV4, IPV6};
use crate::{Reason, Refusal};

/// Protocol number of SCTP.
pub const SCTP: u8 = 132;
/// Octets of an IPv4 header without options.
pub const V4_HEADER_LEN: usize = 20;
/// Octets of an IPv6 header without extension headers.
pub const V6_HEADER_LEN: usize = 40;

/// More fragments, and the fragment offset: one bit of either makes a fragment (RFC 791 §3.1).
const FRAGMENT: u16 = 0x3fff;
const DONT_FRAGMENT: u16 = 0x4000;
const TTL: u8 = 64;

/// Protocol number of an IPv6 fragment header.
const FRAGMENT_HEADER: u8 = 44;

/// A packet, read in place: whole, without IPv4 options, its IPv4 header checksum right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// Of the payload: 132 is SCTP.
    pub protocol: u8,
    /// Octets before the payload, IPv6 extension headers included.
    pub header_len: usize,
    /// Octets of header and payload. What stands behind is padding of the Ethernet frame.
    pub total_len: usize,
    /// Up to the packet's own end.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the packet behind an Ethernet header. `None` if `ethertype` is neither IPv4 nor IPv6.
    /// # Errors
    /// In this order: [`Reason::IpHeader`] on version, header length or total length; [`Reason::IpChecksum`] (IPv4);
    /// [`Reason::IpFragment`]; [`Reason::IpOptions`] on IPv4 options, among them those that name a route, and on IPv6 extension
    /// headers that a host need not skip. A whole message behind any of the last two is not looked at: the host and we might
    /// read it differently.
    #[inline]
    pub fn parse(ethertype: u16, octets: &'a [u8]) -> Result<Option<Self>, Refusal> {
        match ethertype {
            IPV4 => Self::parse_v4(octets).map(Some),
            IPV6 => Self::parse_v6(octets).map(Some),
            _ => Ok(None),
        }
    }

    #[inline]
    fn parse_v4(octets: &'a [u8]) -> Result<Self, Refusal> {
        let (head, header, payload) = v4_header(octets)?;
        if u16::from_be_bytes([head[6], head[7]]) & FRAGMENT != 0 {
            return Err(Reason::IpFragment.at(6));
        }
        if header.len() > V4_HEADER_LEN {
            return Err(Reason::IpOptions.at(V4_HEADER_LEN));
        }
        Ok(Self {
            source: Ipv4Addr::new(head[12], head[13], head[14], head[15]).into(),
            destination: Ipv4Addr::new(head[16], head[17], head[18], head[19]).into(),
            protocol: head[9],
            header_len: V4_HEADER_LEN,
            total_len: V4_HEADER_LEN + payload.len(),
            payload,
        })
    }

    #[inline]
    fn parse_v6(octets: &'a [u8]) -> Result<Self, Refusal> {
        let cut = Reason::IpHeader.at(octets.len());
        let (head, rest) = octets.split_first_chunk::<V6_HEADER_LEN>().ok_or(cut)?;
        if head[0] >> 4 != 6 {
            return Err(Reason::IpHeader.at(0));
        }
        let payload_len = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let whole = rest.get(..payload_len).ok_or(Reason::IpHeader.at(4))?;
        let behind = extension::walk(head[6], 6, whole, V6_HEADER_LEN)?;
        if behind.protocol == FRAGMENT_HEADER {
            return Err(Reason::IpFragment.at(behind.named_at));
        }
        Ok(Self {
            source: v6(head, 8),
            destination: v6(head, 24),
            protocol: behind.protocol,
            header_len: V6_HEADER_LEN + behind.len,
            total_len: V6_HEADER_LEN + payload_len,
            payload: whole.get(behind.len..).unwrap_or(&[]),
        })
    }
}

/// The fixed part of an IPv4 header, the whole header, and what it says is the payload.
type V4<'a> = (&'a [u8; V4_HEADER_LEN], &'a [u8], &'a [u8]);

#[inline]
fn v4_header(octets: &[u8]) -> Result<V4<'_>, Refusal> {
    let cut = Reason::IpHeader.at(octets.len());
    let (head, _) = octets.split_first_chunk::<V4_HEADER_LEN>().ok_or(cut)?;
    let header_len = usize::from(head[0] & 0x0f) * 4;
    if head[0] >> 4 != 4 || header_len < V4_HEADER_LEN {
        return Err(Reason::IpHeader.at(0));
    }
    let total_len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let whole = octets.get(..total_len).ok_or(Reason::IpHeader.at(2))?;
    let (header, payload) = whole.split_at_checked(header_len).ok_or(Reason::IpHeader.at(2))?;
    // A fuzzer never guesses a checksum; it should see what comes behind.
    if inet_checksum(header) != 0 && !cfg!(fuzzing) {
        return Err(Reason::IpChecksum.at(10));
    }
    Ok((head, header, payload))
}

/// The address at octet `at` of an IPv6 header, 8 or 24.
#[inline]
fn v6(head: &[u8; V6_HEADER_LEN], at: usize) -> IpAddr {
    let octets = head.get(at..).and_then(|rest| rest.first_chunk::<16>());
    octets.map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets)).into()
}

/// One's complement of the one's complement sum (RFC 1071). Over a header that holds its checksum: 0 if it is right.
#[inline]
pub fn inet_checksum(octets: &[u8]) -> u16 {
    let (words, rest) = octets.as_chunks::<4>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum += u64::from(u32::from_be_bytes(last));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Writes the length of a new payload, and the checksum that follows from it, into the header at the front of `packet`.
///
/// `packet` begins with the header that [`Packet::parse`] read, IPv6 extension headers included; the payload itself is not looked
/// at. Everything else in the header stays. `false`, and nothing written, if there is no header or the packet would pass 65535
/// octets.
#[inline]
pub fn set_lengths(packet: &mut [u8], payload_len: usize) -> bool {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => set_lengths_v4(packet, payload_len),
        Some(6) => set_lengths_v6(packet, payload_len),
        _ => false,
    }
}

fn set_lengths_v4(packet: &mut [u8], payload_len: usize) -> bool {
    let header_len = packet.first().map_or(0, |octet| usize::from(octet & 0x0f) * 4);
    let Ok(total) = u16::try_from(header_len.saturating_add(payload_len)) else { return false };
    let Some(header) = packet.get_mut(..header_len) else { return false };
    let Some(head) = header.first_chunk_mut::<V4_HEADER_LEN>() else { return false };
    [head[2], head[3]] = total.to_be_bytes();
    [head[10], head[11]] = [0; 2];
    let checksum = inet_checksum(header).to_be_bytes();
    let Some(head) = header.first_chunk_mut::<V4_HEADER_LEN>() else { return false };
    [head[10], head[11]] = checksum;
    true
}

fn set_lengths_v6(packet: &mut [u8], payload_len: usize) -> bool {
    let Some((head, rest)) = packet.split_first_chunk_mut::<V6_HEADER_LEN>() else { return false };
    let Ok(behind) = extension::walk(head[6], 6, rest, V6_HEADER_LEN) else { return false };
    let Ok(len) = u16::try_from(behind.len.saturating_add(payload_len)) else { return false };
    [head[4], head[5]] = len.to_be_bytes();
    true
}

/// Appends an IPv4 header of 20 octets: do not fragment, time to live 64.
///
/// `false`, and nothing appended, if the packet would pass 65535 octets.
pub fn emit_v4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    payload_len: usize,
    identification: u16,
    out: &mut Vec<u8>,
) -> bool {
    let mut head = [0; V4_HEADER_LEN];
    head[0] = 0x45;
    [head[4], head[5]] = identification.to_be_bytes();
    [head[6], head[7]] = DONT_FRAGMENT.to_be_bytes();
    [head[8], head[9]] = [TTL, protocol];
    [head[12], head[13], head[14], head[15]] = source.octets();
    [head[16], head[17], head[18], head[19]] = destination.octets();
    let fits = set_lengths_v4(&mut head, payload_len);
    if fits {
        out.extend_from_slice(&head);
    }
    fits
}

/// Appends an IPv6 header of 40 octets: no extension header, hop limit 64.
///
/// `false`, and nothing appended, if the payload is longer than 65535 octets.
pub fn emit_v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, payload_len: usize, out: &mut Vec<u8>) -> bool {
    let Ok(len) = u16::try_from(payload_len) else { return false };
    out.extend_from_slice(&[0x60, 0, 0, 0]);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&[protocol, TTL]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const PAYLOAD: &[u8] = b"twelve octets";

    fn v4_packet() -> Vec<u8> {
        let mut out = Vec::new();
        assert!(emit_v4([192, 0, 2, 10].into(), [198, 51, 100, 10].into(), SCTP, PAYLOAD.len(), 1, &mut out));
        out.extend_from_slice(PAYLOAD);
        out
    }

    fn v6_packet() -> Vec<u8> {
        let mut out = Vec::new();
        let (source, destination) = (Ipv6Addr::LOCALHOST, Ipv6Addr::from(0x2001_0db8 << 96 | 0xa));
        assert!(emit_v6(source, destination, SCTP, PAYLOAD.len(), &mut out));
        out.extend_from_slice(PAYLOAD);
        out
    }

    /// Sets one octet and makes the checksum right again, so that the check behind it is reached.
    fn v4_with(at: usize, octet: u8) -> Vec<u8> {
        let mut packet = v4_packet();
        packet[at] = octet;
        let header_len = (usize::from(packet[0] & 15) * 4).clamp(20, packet.len());
        packet[10..12].fill(0);
        let checksum = inet_checksum(&packet[..header_len]).to_be_bytes();
        packet[10..12].copy_from_slice(&checksum);
        packet
    }

    #[test]
    fn the_header_checksum_of_a_captured_packet() {
        // Header of vector tr-001.
        let header = [
            0x45, 0x00, 0x00, 0xc0, 0x00, 0x01, 0x40, 0x00, 0x40, 0x84, 0x4d, 0x71, 0xc0, 0x00, 0x02, 0x0a, 0xc6, 0x33,
            0x64, 0x0a,
        ];
        assert_eq!(inet_checksum(&header), 0);
        let mut made = Vec::new();
        assert!(emit_v4([192, 0, 2, 10].into(), [198, 51, 100, 10].into(), SCTP, 0xc0 - 20, 1, &mut made));
        assert_eq!(made, header);
        assert_eq!(inet_checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2, "RFC 1071 §3");
        assert_eq!(inet_checksum(&[1]), !0x0100, "an odd octet is a high one");
    }

    #[test]
    fn both_versions_read_field_by_field() -> Result<(), Refusal> {
        let mut octets = v4_packet();
        octets.extend_from_slice(&[0; 14]); // padding of a short frame
        let packet = Packet::parse(IPV4, &octets)?.unwrap();
        assert_eq!((packet.source, packet.destination), ([192, 0, 2, 10].into(), [198, 51, 100, 10].into()));
        assert_eq!((packet.protocol, packet.header_len, packet.total_len), (SCTP, 20, 20 + PAYLOAD.len()));
        assert_eq!(packet.payload, PAYLOAD);
        let mut octets = v6_packet();
        octets.push(0);
        let packet = Packet::parse(IPV6, &octets)?.unwrap();
        assert_eq!(packet.source, Ipv6Addr::LOCALHOST);
        assert_eq!(packet.destination.to_string(), "2001:db8::a");
        assert_eq!((packet.protocol, packet.header_len, packet.total_len), (SCTP, 40, 40 + PAYLOAD.len()));
        assert_eq!(packet.payload, PAYLOAD);
        assert_eq!(Packet::parse(0x0806, &octets), Ok(None));
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        let total = 20 + PAYLOAD.len() as u8;
        for (at, octet, want) in [
            (0, 0x65, Reason::IpHeader.at(0)),
            (0, 0x44, Reason::IpHeader.at(0)),
            (0, 0x4f, Reason::IpHeader.at(2)),
            (0, 0x46, Reason::IpOptions.at(20)),
            (3, 19, Reason::IpHeader.at(2)),
            (3, total + 1, Reason::IpHeader.at(2)),
            (6, 0x20, Reason::IpFragment.at(6)),
            (6, 0x50, Reason::IpFragment.at(6)),
            (7, 1, Reason::IpFragment.at(6)),
        ] {
            assert_eq!(Packet::parse(IPV4, &v4_with(at, octet)), Err(want), "octet {at} set to {octet}");
        }
        for at in [1, 4, 8, 9, 10, 11, 12, 19] {
            let mut bad = v4_packet();
            bad[at] ^= 1;
            assert_eq!(Packet::parse(IPV4, &bad), Err(Reason::IpChecksum.at(10)), "octet {at}");
        }
        for (at, octet, want) in [
            (0, 0x40, Reason::IpHeader.at(0)),
            (5, PAYLOAD.len() as u8 + 1, Reason::IpHeader.at(4)),
            (6, 44, Reason::IpFragment.at(6)),
            (6, 43, Reason::IpOptions.at(6)),
            (6, 135, Reason::IpOptions.at(6)),
            (6, 139, Reason::IpOptions.at(6)),
            (6, 140, Reason::IpOptions.at(6)),
        ] {
            let mut bad = v6_packet();
            bad[at] = octet;
            assert_eq!(Packet::parse(IPV6, &bad), Err(want), "octet {at} set to {octet}");
        }
    }

    /// An extension header: what follows, and options.
    fn extension(next: u8, options: &[u8]) -> Vec<u8> {
        let mut out = vec![next, ((options.len() + 2) / 8 - 1) as u8];
        out.extend_from_slice(options);
        assert!(out.len().is_multiple_of(8));
        out
    }

    /// The packet with these octets between header and payload.
    fn v6_behind(next: u8, headers: &[Vec<u8>]) -> Vec<u8> {
        let mut packet = v6_packet();
        packet[6] = next;
        packet.splice(40..40, headers.concat());
        let len = (packet.len() - 40) as u16;
        packet[4..6].copy_from_slice(&len.to_be_bytes());
        packet
    }

    const PADN: &[u8] = &[1, 4, 0, 0, 0, 0];
    const ROUTER_ALERT: &[u8] = &[5, 2, 0, 0, 0, 0];

    #[test]
    fn options_that_every_host_skips_stand_in_front_of_the_payload() -> Result<(), Refusal> {
        let long = [0x1e, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (next, headers, len) in [
            (0, vec![extension(SCTP, PADN)], 8),
            (0, vec![extension(SCTP, ROUTER_ALERT)], 8),
            (60, vec![extension(SCTP, &[0; 6])], 8),
            (60, vec![extension(SCTP, &long)], 16),
            (0, vec![extension(60, PADN), extension(SCTP, &long)], 24),
        ] {
            let mut octets = v6_behind(next, &headers);
            let packet = Packet::parse(IPV6, &octets)?.unwrap();
            assert_eq!((packet.protocol, packet.header_len, packet.payload), (SCTP, 40 + len, PAYLOAD));
            assert_eq!(packet.total_len, 40 + len + PAYLOAD.len());
            assert!(set_lengths(&mut octets, 3));
            let shorter = Packet::parse(IPV6, &octets)?.unwrap();
            assert_eq!((shorter.header_len, shorter.payload), (40 + len, &PAYLOAD[..3]));
            assert!(!set_lengths(&mut octets, 65_536 - len));
        }
        Ok(())
    }

    #[test]
    fn what_a_host_might_read_otherwise_is_refused() {
        let home_address = [[0xc9, 16].to_vec(), vec![0; 16], vec![1, 2, 0, 0]].concat();
        for (next, headers, want, why) in [
            (60, vec![extension(SCTP, &home_address)], Reason::IpOptions.at(42), "speaks for another address"),
            (0, vec![extension(SCTP, &[0xc2, 4, 0, 1, 0, 0])], Reason::IpOptions.at(42), "has another length"),
            (0, vec![extension(SCTP, &[0, 0x63, 2, 0, 0, 0])], Reason::IpOptions.at(43), "discarded where not known"),
            (0, vec![extension(SCTP, &[5, 5, 0, 0, 0, 0])], Reason::IpOptions.at(42), "an option that is cut"),
            (0, vec![extension(SCTP, &[0, 0, 0, 0, 0, 5])], Reason::IpOptions.at(47), "an option without length"),
            (60, vec![extension(0, PADN), extension(SCTP, PADN)], Reason::IpOptions.at(40), "the wrong order"),
            (0, vec![extension(0, PADN), extension(SCTP, PADN)], Reason::IpOptions.at(40), "hop-by-hop twice"),
            (60, vec![extension(60, PADN), extension(SCTP, PADN)], Reason::IpOptions.at(40), "options twice"),
            (0, vec![extension(43, PADN), extension(SCTP, PADN)], Reason::IpOptions.at(40), "a route"),
            (60, vec![extension(44, PADN), extension(SCTP, PADN)], Reason::IpOptions.at(40), "options of a route"),
            (0, vec![extension(44, PADN), extension(SCTP, PADN)], Reason::IpFragment.at(40), "a fragment"),
            (0, vec![extension(SCTP, &[0; 262])], Reason::IpOptions.at(41), "too long"),
            (0, vec![extension(60, &[0; 126]), extension(SCTP, &[0; 134])], Reason::IpOptions.at(169), "too long"),
        ] {
            assert_eq!(Packet::parse(IPV6, &v6_behind(next, &headers)), Err(want), "{why}");
        }
        let whole = v6_behind(0, &[extension(60, &[0; 126]), extension(SCTP, &[0; 126])]);
        assert!(Packet::parse(IPV6, &whole).is_ok(), "as long as may be");
        for (len, want) in [(0, 40), (1, 40), (7, 40), (8, 48), (9, 48), (15, 48)] {
            let mut cut = v6_behind(0, &[extension(60, PADN), extension(SCTP, PADN)]);
            cut[5] = len;
            assert_eq!(Packet::parse(IPV6, &cut), Err(Reason::IpHeader.at(want)), "{len} octets");
        }
    }

    #[test]
    fn options_are_refused_only_under_a_right_checksum() {
        let mut packet = v4_with(0, 0x46);
        packet[20] ^= 1; // inside what the header now covers
        assert_eq!(Packet::parse(IPV4, &packet), Err(Reason::IpChecksum.at(10)));
    }

    #[test]
    fn cuts_are_header_faults() {
        let (four, six) = (v4_packet(), v6_packet());
        for n in 0..20 {
            assert_eq!(Packet::parse(IPV4, &four[..n]), Err(Reason::IpHeader.at(n)));
        }
        assert_eq!(Packet::parse(IPV4, &four[..20]), Err(Reason::IpHeader.at(2)));
        for n in 0..40 {
            assert_eq!(Packet::parse(IPV6, &six[..n]), Err(Reason::IpHeader.at(n)));
        }
        assert_eq!(Packet::parse(IPV6, &six[..40]), Err(Reason::IpHeader.at(4)));
    }

    #[test]
    fn new_lengths_read_back() {
        for (ethertype, mut octets) in [(IPV4, v4_packet()), (IPV6, v6_packet())] {
            for n in [0, 1, PAYLOAD.len() - 1] {
                assert!(set_lengths(&mut octets, n));
                let packet = Packet::parse(ethertype, &octets);
                assert_eq!(packet.map(|packet| packet.map(|packet| packet.payload)), Ok(Some(&PAYLOAD[..n])));
            }
            let before = octets.clone();
            assert!(!set_lengths(&mut octets, 65536));
            assert!(!set_lengths(&mut octets[..19], 1));
            assert_eq!(octets, before);
        }
        assert!(!set_lengths(&mut [], 0));
    }

    proptest! {
        #[test]
        fn no_octets_panic(v6: bool, octets in vec(any::<u8>(), 0..80)) {
            let head: &[u8] = if v6 { &[0x86, 0xdd, 0x60] } else { &[8, 0, 0x45] };
            crate::fuzzing::lower::ip(&[head, &octets].concat());
            crate::fuzzing::lower::ip(&octets);
        }

        #[test]
        fn the_checksum_is_the_sum_of_words(octets in vec(any::<u8>(), 0..80)) {
            let words = octets.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(*w.get(1).unwrap_or(&0)));
            let mut sum: u32 = words.sum();
            sum = (sum & 0xffff) + (sum >> 16);
            sum = (sum & 0xffff) + (sum >> 16);
            prop_assert_eq!(u32::from(inet_checksum(&octets)), !sum & 0xffff);
        }
    }
}
