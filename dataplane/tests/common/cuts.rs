//! Frames cut into IP fragments, and put together again.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_wire::ip::fragment::{self, Cuts, Fragment};
use sealgate_wire::{eth, ip};

/// The frame in fragments of packets of at most `mtu` octets.
pub fn cut(frame: &[u8], mtu: usize, id: u32) -> Vec<Vec<u8>> {
    let ethernet = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    let mut octets = ethernet.payload[..packet.total_len].to_vec();
    if octets[0] >> 4 == 4 {
        octets[4..6].copy_from_slice(&(id as u16).to_be_bytes());
    }
    let mut cuts = Cuts::new(&octets, mtu, id).expect("can be cut");
    let mut pieces = Vec::new();
    loop {
        let mut piece = frame[..ethernet.header_len].to_vec();
        if !cuts.next(&mut piece) {
            return pieces;
        }
        pieces.push(piece);
    }
}

/// One frame of fragments that came in order and lack nothing; `mtu`: what none of their packets is longer than.
pub fn whole(pieces: &[Vec<u8>], mtu: usize) -> Vec<u8> {
    let (mut front, mut body) = (Vec::new(), Vec::new());
    let mut id = None;
    for (i, frame) in pieces.iter().enumerate() {
        let ethernet = eth::Frame::parse(frame).expect("Ethernet");
        assert!(ethernet.payload.len() <= mtu);
        let read = Fragment::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("a fragment");
        assert_eq!((read.offset, read.more), (body.len(), i + 1 < pieces.len()));
        assert_eq!(*id.get_or_insert(read.id), read.id);
        if i == 0 {
            front.extend_from_slice(&frame[..ethernet.header_len + read.headers.len()]);
        }
        body.extend_from_slice(read.payload);
    }
    let link = eth::Frame::parse(&front).expect("Ethernet").header_len;
    let mut out = front[..link].to_vec();
    assert!(fragment::emit_whole(&front[link..], body.len(), &mut out));
    out.extend_from_slice(&body);
    out
}

/// The same frame behind other octets of the link layer: tags and labels, up to the type of what follows.
pub fn behind(frame: &[u8], link: &[u8]) -> Vec<u8> {
    [&frame[..12], link, &frame[14..]].concat()
}

/// Link layers of an IPv4 packet: plain, a tag, two, labels, a tag and labels.
pub const LINKS: &[&[u8]] = &[
    &[0x08, 0],
    &[0x81, 0, 0x20, 100, 0x08, 0],
    &[0x88, 0xa8, 0, 7, 0x81, 0, 0x20, 100, 0x08, 0],
    &[0x81, 0, 0, 7, 0x81, 0, 0x20, 100, 0x08, 0],
    &[0x88, 0x47, 0x03, 0xe8, 0x11, 64],
    &[0x88, 0x47, 0x03, 0xe8, 0x10, 64, 0x03, 0xe8, 0x20, 64, 0, 0, 0x01, 64],
    &[0x81, 0, 0, 77, 0x88, 0x47, 0x03, 0xe8, 0x11, 64],
];
