//! The frames of a capture, as they were on the wire when they were there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use sealgate_wire::{eth, ip, sctp, tcp, udp};

use crate::common::captures;

/// One frame and when it came, milliseconds; of a capture made of several ones, time only goes forward.
pub struct Timed {
    /// Its number in the capture, from 0.
    pub number: usize,
    pub at_ms: u64,
    pub octets: Vec<u8>,
}

/// The frames of a capture.
pub fn read(path: &Path) -> Vec<Timed> {
    let (mut last, mut ahead) = (0, 0);
    let timed = |(number, (at_ms, octets)): (usize, (u64, Vec<u8>))| {
        if at_ms + ahead < last {
            ahead = last + JOIN_MS - at_ms;
        }
        last = at_ms + ahead;
        Timed { number, at_ms: last, octets }
    };
    captures::frames(path).into_iter().enumerate().map(timed).collect()
}

/// Puts segments of TCP behind what they acknowledge, where the capture has them before it: from several queues frames come in
/// an order that they never had on the wire.
pub fn in_causal_order(frames: Vec<Timed>) -> Vec<Timed> {
    let segments: Vec<_> = frames.iter().map(|frame| segment(&frame.octets)).collect();
    let mut order: Vec<(usize, u32)> = (0..frames.len()).map(|place| (place, 0)).collect();
    let mut sent = BTreeMap::new();
    for (place, read) in segments.iter().enumerate() {
        let Some(read) = read else { continue };
        let (from, to) = read.ends;
        let beyond = |next: &u32| read.ack.wrapping_sub(*next) as i32 > 0;
        if read.acknowledges && sent.get(&(to, from)).is_some_and(beyond) {
            let behind =
                segments.iter().enumerate().skip(place + 1).take(LATE).find(|(_, later)| {
                    later.as_ref().is_some_and(|later| later.ends == (to, from) && !beyond(&later.end))
                });
            if let Some((at, _)) = behind {
                order[place] = (at, place as u32 + 1);
            }
        }
        let end = sent.entry((from, to)).or_insert(read.end);
        if read.end.wrapping_sub(*end) as i32 > 0 {
            *end = read.end;
        }
    }
    let mut frames: Vec<_> = order.into_iter().zip(frames).collect();
    frames.sort_by_key(|(order, _)| *order);
    let mut last = 0;
    let mut timed = |(_, frame): (_, Timed)| {
        last = last.max(frame.at_ms);
        Timed { at_ms: last, ..frame }
    };
    frames.into_iter().map(&mut timed).collect()
}

/// How many frames too early one may be.
const LATE: usize = 64;

/// A segment of TCP: between whom, the number behind its octets, and what it acknowledges.
struct Order {
    ends: ((IpAddr, u16), (IpAddr, u16)),
    end: u32,
    ack: u32,
    acknowledges: bool,
}

fn segment(octets: &[u8]) -> Option<Order> {
    let at = layers(octets).filter(|at| at.protocol == tcp::PROTOCOL)?;
    let segment = tcp::Segment::parse(&octets[at.transport..at.end]).ok()?;
    let header = &segment.header;
    let counted = [tcp::Flags::SYN, tcp::Flags::FIN].into_iter().filter(|flag| header.flags.has(*flag)).count();
    Some(Order {
        ends: ((at.source, header.source_port), (at.destination, header.destination_port)),
        end: header.seq.wrapping_add((segment.payload.len() + counted) as u32),
        ack: header.ack,
        acknowledges: header.flags.has(tcp::Flags::ACK),
    })
}

/// What lies between two captures in one file whose times overlap.
const JOIN_MS: u64 = 60_000;

/// Gives hosts that share an address one each, by their ports; `false`: nothing was to be done.
pub fn part(octets: &mut [u8], apart: &[(u16, &str)]) -> bool {
    let Some(layers) = layers(octets) else { return false };
    if layers.source != layers.destination {
        return false;
    }
    let Some(&[a, b, c, d]) = octets.get(layers.transport..layers.end).and_then(<[u8]>::first_chunk) else {
        return false;
    };
    let ports = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    let mut parted = false;
    for (place, port) in [(12, ports[0]), (16, ports[1])] {
        let Some((_, address)) = apart.iter().find(|(of, _)| *of == port) else { continue };
        let address: Ipv4Addr = address.parse().expect("an address");
        octets[layers.ip + place..layers.ip + place + 4].copy_from_slice(&address.octets());
        parted = true;
    }
    parted
}

/// Puts checksums right; returns whether one was wrong.
pub fn mend(octets: &mut [u8]) -> bool {
    let Some(at) = layers(octets) else { return false };
    let before = octets.to_vec();
    if let (IpAddr::V4(_), header) = (at.source, &mut octets[at.ip..at.transport]) {
        header[10..12].fill(0);
        let sum = ip::inet_checksum(header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    let payload = &mut octets[at.transport..at.end];
    match at.protocol {
        ip::SCTP if payload.len() > sctp::HEADER_LEN => {
            let crc = sctp::packet_crc32c(payload);
            sctp::seal(payload, crc);
        }
        tcp::PROTOCOL if payload.len() >= tcp::HEADER_LEN => {
            tcp::seal(at.source, at.destination, payload);
        }
        // A checksum of zero means none (RFC 768).
        udp::PROTOCOL if payload.len() >= udp::HEADER_LEN && payload[6..8] != [0, 0] => {
            let port = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
            if usize::from(port(4)) == payload.len() {
                let mut made = Vec::new();
                let (from, to) = ((at.source, port(0)), (at.destination, port(2)));
                if udp::emit(from, to, &payload[udp::HEADER_LEN..], &mut made) {
                    payload.copy_from_slice(&made);
                }
            }
        }
        _ => {}
    }
    before != octets
}

/// Where the layers of a packet lie that is whole.
pub struct Layers {
    pub ip: usize,
    pub transport: usize,
    pub end: usize,
    pub protocol: u8,
    pub source: IpAddr,
    pub destination: IpAddr,
}

/// Those of an IPv4 packet whatever its checksum, or of IPv6; `None` for a fragment or what is no IP.
pub fn layers(octets: &[u8]) -> Option<Layers> {
    let ethernet = eth::Frame::parse(octets).ok()?;
    let at = ethernet.header_len;
    let mut packet = ethernet.payload.to_vec();
    if ethernet.ethertype == eth::IPV4 {
        let header = usize::from(packet.first()? & 15) * 4;
        packet.get(..header)?;
        packet[10..12].fill(0);
        let sum = ip::inet_checksum(&packet[..header]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    let read = ip::Packet::parse(ethernet.ethertype, &packet).ok()??;
    Some(Layers {
        ip: at,
        transport: at + read.header_len,
        end: at + read.total_len,
        protocol: read.protocol,
        source: read.source,
        destination: read.destination,
    })
}
