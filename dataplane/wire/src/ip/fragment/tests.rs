use super::*;
use crate::ip::{Packet, SCTP, emit_v4, emit_v6, inet_checksum};
use core::net::Ipv6Addr;
use proptest::collection::vec;
use proptest::prelude::*;

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7) as u8).collect()
}

/// A whole packet.
fn packet(v6: bool, len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if v6 {
        assert!(emit_v6(Ipv6Addr::LOCALHOST, Ipv6Addr::from(10), SCTP, len, &mut out));
    } else {
        assert!(emit_v4([192, 0, 2, 10].into(), [198, 51, 100, 10].into(), SCTP, len, 0x1234, &mut out));
    }
    out.extend_from_slice(&body(len));
    out
}

/// The same with a hop-by-hop header.
fn alerted(len: usize) -> Vec<u8> {
    let mut out = packet(true, len);
    out[6] = 0;
    out.splice(40..40, [SCTP, 0, 5, 2, 0, 0, 1, 0]);
    let payload = (out.len() - 40) as u16;
    out[4..6].copy_from_slice(&payload.to_be_bytes());
    out
}

fn ethertype(packet: &[u8]) -> u16 {
    if packet[0] >> 4 == 4 { IPV4 } else { IPV6 }
}

fn cut(packet: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    let mut cuts = Cuts::new(packet, mtu, 0xfeed_beef).expect("can be cut");
    let mut pieces = Vec::new();
    loop {
        let mut piece = Vec::new();
        if !cuts.next(&mut piece) {
            assert!(piece.is_empty());
            return pieces;
        }
        pieces.push(piece);
    }
}

#[test]
fn a_packet_is_cut_to_the_octet() {
    let pieces = cut(&packet(false, 100), 60);
    let places: Vec<_> = pieces.iter().map(|piece| (piece.len(), u16::from_be_bytes([piece[6], piece[7]]))).collect();
    assert_eq!(places, [(60, 0x2000), (60, 0x2005), (40, 0x000a)], "DF is gone, all but the last are even");
    for piece in &pieces {
        assert_eq!(inet_checksum(&piece[..20]), 0);
        assert_eq!(u16::from_be_bytes([piece[2], piece[3]]) as usize, piece.len());
        assert_eq!(piece[4..6], [0x12, 0x34], "the packet's own identification");
    }
    for whole in [packet(true, 100), alerted(100)] {
        let front = if whole[6] == 0 { 48 } else { 40 };
        let pieces = cut(&whole, front + 8 + 47);
        let heads: Vec<_> = pieces.iter().map(|piece| &piece[front..front + 8]).collect();
        assert_eq!(
            heads,
            [
                [SCTP, 0, 0, 1, 0xfe, 0xed, 0xbe, 0xef],
                [SCTP, 0, 0, 41, 0xfe, 0xed, 0xbe, 0xef],
                [SCTP, 0, 0, 80, 0xfe, 0xed, 0xbe, 0xef]
            ]
        );
        let named_at = if front == 48 { 40 } else { 6 };
        assert!(pieces.iter().all(|piece| piece[named_at] == 44));
    }
    assert!(Cuts::new(&packet(false, 100), 27, 0).is_none() && Cuts::new(&packet(false, 100), 28, 0).is_some());
    assert!(Cuts::new(&packet(true, 100), 55, 0).is_none() && Cuts::new(&packet(true, 100), 56, 0).is_some());
    assert!(Cuts::new(&[], 1500, 0).is_none());
}

#[test]
fn fragments_read_field_by_field() -> Result<(), Refusal> {
    let piece = &cut(&packet(false, 100), 60)[1];
    let read = Fragment::parse(IPV4, piece)?.expect("a fragment");
    assert_eq!((read.source, read.destination), ([192, 0, 2, 10].into(), [198, 51, 100, 10].into()));
    assert_eq!((read.id, read.offset, read.more), ((0x1234, SCTP), 40, true));
    assert_eq!((read.headers, read.payload), (&piece[..20], &body(100)[40..80]));
    let mut piece = cut(&alerted(100), 104)[2].clone();
    piece.push(0); // padding
    let read = Fragment::parse(IPV6, &piece)?.expect("a fragment");
    assert_eq!((read.source, read.id), (Ipv6Addr::LOCALHOST.into(), (0xfeed_beef, 0)));
    assert_eq!((read.offset, read.more), (96, false));
    assert_eq!((read.headers, read.payload), (&piece[..56], &body(100)[96..]));
    for whole in [packet(false, 100), packet(true, 100), alerted(100)] {
        assert_eq!(Fragment::parse(ethertype(&whole), &whole), Ok(None));
    }
    assert_eq!(Fragment::parse(0x0806, &piece), Ok(None));
    Ok(())
}

/// Sets octets of an IPv4 fragment and makes the checksum right again.
fn v4_with(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut piece = cut(&packet(false, 100), 60).remove(1);
    for &(at, octet) in changes {
        piece[at] = octet;
    }
    piece[10..12].fill(0);
    let header_len = usize::from(piece[0] & 15) * 4;
    let checksum = inet_checksum(&piece[..header_len]).to_be_bytes();
    piece[10..12].copy_from_slice(&checksum);
    piece
}

#[test]
fn each_check_is_earned_by_one_octet() {
    let refused = |octets: &[u8]| Fragment::parse(ethertype(octets), octets).map(|_| ());
    assert_eq!(refused(&v4_with(&[])), Ok(()));
    assert_eq!(refused(&v4_with(&[(3, 59)])), Err(Reason::IpFragment.at(2)), "uneven");
    assert_eq!(refused(&v4_with(&[(3, 59), (6, 0)])), Ok(()), "uneven, but the last");
    assert_eq!(refused(&v4_with(&[(3, 20), (6, 0)])), Err(Reason::IpFragment.at(2)), "empty");
    assert_eq!(refused(&v4_with(&[(6, 0x3f), (7, 0xff)])), Err(Reason::IpFragment.at(2)), "behind the longest");
    assert_eq!(refused(&v4_with(&[(6, 0x1f), (7, 0xfb), (3, 39)])), Ok(()), "65535 octets");
    assert_eq!(refused(&v4_with(&[(6, 0x1f), (7, 0xfb), (3, 40)])), Err(Reason::IpFragment.at(2)), "65536 octets");
    assert_eq!(refused(&v4_with(&[(0, 0x46)])), Err(Reason::IpOptions.at(20)));
    assert_eq!(refused(&v4_with(&[(3, 61)])), Err(Reason::IpHeader.at(2)));
    let mut bad = v4_with(&[]);
    bad[8] ^= 1;
    assert_eq!(refused(&bad), Err(Reason::IpChecksum.at(10)));
    let good = cut(&packet(true, 100), 95).remove(1);
    assert_eq!(refused(&good), Ok(()));
    for (at, octet, want) in [
        (5, good[5] + 1, Reason::IpHeader.at(4)),
        (5, good[5] - 1, Reason::IpFragment.at(4)),
        (5, 8, Reason::IpFragment.at(4)),
        (5, 7, Reason::IpHeader.at(40)),
        (6, 43, Reason::IpOptions.at(6)),
    ] {
        let mut bad = good.clone();
        bad[at] = octet;
        assert_eq!(refused(&bad), Err(want), "octet {at} set to {octet}");
    }
    for (place, want) in [(0xffa1, Ok(())), (0xffa9, Err(Reason::IpFragment.at(4)))] {
        let mut bad = good.clone();
        bad[42..44].copy_from_slice(&u16::to_be_bytes(place));
        assert_eq!(refused(&bad), want, "{place:04x}: 65528 octets, and eight more");
    }
    for n in 0..good.len() {
        assert!(Fragment::parse(IPV6, &good[..n]).is_err(), "{n} octets");
    }
}

#[test]
fn headers_of_the_whole_are_those_of_a_packet() {
    for whole in [packet(false, 100), packet(true, 100), alerted(100)] {
        let first = &cut(&whole, 104)[0];
        let read = Fragment::parse(ethertype(&whole), first).ok().flatten().expect("a fragment");
        let mut out = b"before".to_vec();
        assert!(emit_whole(read.headers, 100, &mut out));
        out.extend_from_slice(&body(100));
        let mut want = whole.clone();
        if want[0] == 0x45 {
            want[6] = 0; // DF is gone with the cut
            want[10..12].fill(0);
            let checksum = inet_checksum(&want[..20]).to_be_bytes();
            want[10..12].copy_from_slice(&checksum);
        }
        assert_eq!(out[6..], want);
        out.truncate(6);
        assert!(!emit_whole(read.headers, 65_536, &mut out) && !emit_whole(&read.headers[..4], 1, &mut out));
        assert_eq!(out, b"before");
    }
    // Who sent fragments that must not be cut again gets a packet that must not be cut.
    let mut out = Vec::new();
    assert!(emit_whole(&v4_with(&[(6, 0x60)])[..20], 8, &mut out));
    assert_eq!((out[6], out[7]), (0x40, 0));
}

proptest! {
    #[test]
    fn pieces_are_the_packet_again(v6: bool, len in 1..3000_usize, mtu in 80..1600_usize) {
        let whole = packet(v6, len);
        let (mut at, mut again, mut headers) = (0, Vec::new(), Vec::new());
        let pieces = cut(&whole, mtu);
        for (i, piece) in pieces.iter().enumerate() {
            prop_assert!(piece.len() <= mtu.max(whole.len() + 8));
            if pieces.len() == 1 {
                return Ok(()); // never asked for
            }
            let read = Fragment::parse(ethertype(&whole), piece).unwrap().unwrap();
            prop_assert_eq!((read.offset, read.more), (at, i + 1 < pieces.len()));
            at += read.payload.len();
            again.extend_from_slice(read.payload);
            headers = read.headers.to_vec();
        }
        let mut out = Vec::new();
        prop_assert!(emit_whole(&headers, again.len(), &mut out));
        out.extend_from_slice(&again);
        let read = Packet::parse(ethertype(&whole), &out).unwrap().unwrap();
        prop_assert_eq!(read.payload, &whole[whole.len() - len..]);
    }

    #[test]
    fn no_octets_panic(v6: bool, octets in vec(any::<u8>(), 0..80)) {
        let head: &[u8] = if v6 { &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 40, 44] } else { &[8, 0, 0x45] };
        crate::fuzzing::lower::ip(&[head, &octets].concat());
    }
}
