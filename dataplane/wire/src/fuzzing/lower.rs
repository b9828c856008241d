//! Lower layers: Ethernet to M3UA.

use crate::ip::fragment::{self, Cuts, Fragment};
use crate::m3ua::View;
use crate::{eth, ip, m3ua, sctp};

/// An Ethernet frame: headers and payload are the whole of it.
pub fn eth(octets: &[u8]) {
    let Ok(frame) = eth::Frame::parse(octets) else { return };
    assert_eq!(frame.header_len + frame.payload.len(), octets.len());
    assert_eq!(frame.header_len, eth::HEADER_LEN + 4 * usize::from(frame.vlans + frame.labels));
}

/// An ether type and a packet: with its own length written again, it still reads the same.
pub fn ip(octets: &[u8]) {
    let Some((&ethertype, octets)) = octets.split_first_chunk() else { return };
    let ethertype = u16::from_be_bytes(ethertype);
    if let Ok(Some(fragment)) = Fragment::parse(ethertype, octets) {
        return fragmented(ethertype, &fragment);
    }
    let Ok(Some(packet)) = ip::Packet::parse(ethertype, octets) else { return };
    assert_eq!(packet.header_len + packet.payload.len(), packet.total_len);
    let mut again = octets.to_vec();
    assert!(ip::set_lengths(&mut again, packet.payload.len()));
    assert_eq!(ip::Packet::parse(ethertype, &again), Ok(Some(packet)));
    cut(ethertype, &again[..packet.total_len]);
}

/// A fragment alone, as if it were the whole: that reads, or is refused, but never as a fragment.
fn fragmented(ethertype: u16, fragment: &Fragment<'_>) {
    let mut whole = Vec::new();
    assert!(fragment::emit_whole(fragment.headers, fragment.payload.len(), &mut whole));
    whole.extend_from_slice(fragment.payload);
    assert_eq!(Fragment::parse(ethertype, &whole).ok().flatten().filter(|_| ethertype == eth::IPV4), None);
}

/// What is cut reads as fragments, none too long, that are the packet again.
fn cut(ethertype: u16, packet: &[u8]) {
    for mtu in [1280, 576, 120, 56] {
        let Some(mut cuts) = Cuts::new(packet, mtu, 7) else { continue };
        let (mut piece, mut body, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        while cuts.next(&mut piece) {
            if packet.len() <= mtu {
                break; // never asked for
            }
            assert!(piece.len() <= mtu);
            let read = Fragment::parse(ethertype, &piece).ok().flatten();
            let read = read.unwrap_or_else(|| panic!("no fragment: {piece:02x?}"));
            assert_eq!(read.offset, body.len());
            if headers.is_empty() {
                headers.extend_from_slice(read.headers);
            }
            body.extend_from_slice(read.payload);
            piece.clear();
        }
        if packet.len() > mtu {
            let mut again = Vec::new();
            assert!(fragment::emit_whole(&headers, body.len(), &mut again));
            again.extend_from_slice(&body);
            let read = |octets: &[u8]| {
                let read = ip::Packet::parse(ethertype, octets).ok().flatten();
                read.map(|read| (read.source, read.destination, read.protocol, read.payload.to_vec()))
            };
            assert_eq!(read(&again), read(packet));
        }
    }
}

/// An SCTP packet: chunks written one by one read back as the same chunks; so does what is inside them.
pub fn sctp(octets: &[u8]) {
    let Ok(packet) = sctp::Packet::parse(octets) else { return };
    let mut out = Vec::new();
    sctp::emit_header(&packet.header(), &mut out);
    for chunk in packet.chunks() {
        assert!(chunk.emit(&mut out));
        chunk_contents(&chunk);
    }
    assert!(sctp::seal(&mut out, packet.checksum));
    assert_eq!(sctp::Packet::parse(&out).map(|again| again.header()), Ok(packet.header()));
    assert!(sctp::Packet::parse(&out).is_ok_and(|again| again.chunks().eq(packet.chunks())));
}

fn chunk_contents(chunk: &sctp::Chunk<'_>) {
    if let Ok(init) = sctp::Init::parse(chunk) {
        init.addresses().for_each(drop);
    }
    if let Ok(sack) = sctp::Sack::parse(chunk) {
        assert!(sack.gaps().count() <= usize::from(u16::MAX));
    }
    let mut out = Vec::new();
    sctp::emit_header(&sctp::Header::default(), &mut out);
    let skipped = sctp::ForwardTsn::parse(chunk).ok().filter(|skipped| skipped.streams().count() <= 1);
    if let Some(skipped) = skipped {
        sctp::emit_forward_tsn(skipped.cumulative_tsn, skipped.streams().next(), &mut out);
    }
    let data = sctp::Data::parse(chunk).ok();
    if let Some(data) = data {
        assert!(sctp::emit_data(&data, &mut out));
    }
    let again = sctp::Packet::parse(&out).ok().and_then(|packet| packet.chunks().next());
    assert_eq!(again.and_then(|chunk| sctp::Data::parse(&chunk).ok()), data);
    assert_eq!(again.and_then(|chunk| sctp::ForwardTsn::parse(&chunk).ok()), skipped);
}

/// An M3UA message: what decodes, encodes back to itself, and a rebuilt one differs in its user part alone.
pub fn m3ua(octets: &[u8]) {
    let Ok(data) = View::new(octets).and_then(m3ua::Data::parse) else { return };
    let mut out = Vec::new();
    assert!(data.emit(&mut out));
    assert_eq!(View::new(&out).and_then(m3ua::Data::parse), Ok(data));
    for user in [data.user, b"another"] {
        out.clear();
        assert!(m3ua::rebuild(octets, user, &mut out));
        assert_eq!(View::new(&out).and_then(m3ua::Data::parse), Ok(m3ua::Data { user, ..data }));
    }
    out.clear();
    m3ua::emit_beat_ack(octets.len(), &mut out);
    assert_eq!(out.len(), m3ua::beat_ack_len(octets.len()));
    assert!(View::new(&out).is_ok_and(|ack| ack.kind() == (3, 6) && ack.params().all(|param| param.is_ok())));
}
