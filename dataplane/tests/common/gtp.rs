//! GTP between a peer's gateway and ours.

use std::net::IpAddr;

use sealgate_wire::{ip, udp};

/// Our gateway, and one of peer A, of peer B and of nobody.
pub const OURS: [u8; 4] = [198, 51, 100, 40];
pub const A: [u8; 4] = [192, 0, 2, 65];
pub const B: [u8; 4] = [192, 0, 2, 81];
pub const NOBODY: [u8; 4] = [192, 0, 2, 125];

/// A frame between two ends.
pub fn frame(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from.0);
    out.extend_from_slice(&to.0);
    assert!(udp::emit((IpAddr::from(from.0), from.1), (IpAddr::from(to.0), to.1), payload, &mut out));
    assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + payload.len()));
    out
}

/// A message of the control plane to us.
pub fn control(from: [u8; 4], payload: &[u8]) -> Vec<u8> {
    frame((from, 2123), (OURS, 2123), payload)
}

fn tbcd(digits: &str) -> Vec<u8> {
    let mut nibbles: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    nibbles.resize(16, 15);
    nibbles.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect()
}

/// MCC 001 and an MNC of two digits.
pub fn plmn(mnc: u8) -> [u8; 3] {
    [0x00, 0xf1, (mnc / 10) | ((mnc % 10) << 4)]
}

/// Version 1 around elements.
pub fn v1(kind: u8, teid: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x32, kind];
    out.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
    out.extend_from_slice(&teid.to_be_bytes());
    out.extend_from_slice(&[0, 7, 0, 0]);
    out.extend_from_slice(body);
    out
}

/// Version 2 around elements.
pub fn v2(kind: u8, teid: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x48, kind];
    out.extend_from_slice(&(body.len() as u16 + 8).to_be_bytes());
    out.extend_from_slice(&teid.to_be_bytes());
    out.extend_from_slice(&[0, 0, 7, 0]);
    out.extend_from_slice(body);
    out
}

/// Echo Request of version 2.
pub const ECHO: [u8; 13] = [0x40, 1, 0, 9, 0, 0, 7, 0, 3, 0, 1, 0, 9];

/// What a message says of its subscriber and its sender.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    pub imsi: &'a str,
    pub network: u8,
    pub address: [u8; 4],
}

impl Said<'_> {
    /// Elements of a Create PDP Context Request.
    pub fn v1(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if !self.imsi.is_empty() {
            body.push(2);
            body.extend_from_slice(&tbcd(self.imsi));
        }
        body.push(3);
        body.extend_from_slice(&plmn(self.network));
        body.extend_from_slice(&[0, 1, 0xff, 17, 0, 0, 0, 9, 131, 0, 9, 8]);
        body.extend_from_slice(b"internet");
        body.extend_from_slice(&[133, 0, 4]);
        body.extend_from_slice(&self.address);
        body
    }

    /// Elements of a Create Session Request.
    pub fn v2(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if !self.imsi.is_empty() {
            body.extend_from_slice(&[1, 0, 8, 0]);
            body.extend_from_slice(&tbcd(self.imsi));
        }
        body.extend_from_slice(&[83, 0, 3, 0]);
        body.extend_from_slice(&plmn(self.network));
        body.extend_from_slice(&[87, 0, 9, 0, 0x86, 0, 0, 0, 9]);
        body.extend_from_slice(&self.address);
        body
    }
}

/// A packet in a tunnel, to this port of UDP.
pub fn tunnelled(port: u16) -> Vec<u8> {
    let mut out = vec![0x30, 255, 0, 28, 0, 0, 0, 9];
    out.extend_from_slice(&[0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 90, 0, 1, 0xc0, 0]);
    out.extend_from_slice(&port.to_be_bytes());
    out.extend_from_slice(&[0, 8, 0, 0]);
    out
}
