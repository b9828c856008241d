//! The associations: their addresses, their counters, and packets of them.

use std::net::{IpAddr, Ipv4Addr};

use sealgate_wire::frame_builder::{Path, emit_init};
use sealgate_wire::sctp::{self, ChunkKind};
use sealgate_wire::{diameter, eth, ip, m3ua, sip, udp};

use super::Side;
use super::operation::Protocol;
use super::profile::Profile;

/// Our side's point code, and that of the first neighbour; the others follow.
pub(super) const HOME_CODE: u32 = 1;
pub(super) const FIRST_CODE: u32 = 2000;
/// SCTP port of our host; that of the first association of a link at the neighbour, the others follow.
pub(super) const PORT: u16 = 2905;
/// The same of Diameter (RFC 6733 §2.1).
pub(super) const DIAMETER_PORT: u16 = 3868;
/// The same of SIP, over UDP.
pub(super) const SIP_PORT: u16 = sip::PORT;

/// SCTP or UDP port of a protocol.
pub(super) const fn port_of(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tcap | Protocol::Isup => PORT,
        Protocol::Diameter => DIAMETER_PORT,
        Protocol::Sip => SIP_PORT,
    }
}
/// First two octets of the neighbours' addresses and of our hosts' (RFC 2544 §C.2.2: networks for measurements).
pub(super) const NEIGHBOURS: [u8; 2] = [198, 18];
pub(super) const HOSTS: [u8; 2] = [198, 19];
/// Streams 1 to 8 carry data; stream 0 is for management (RFC 4666 §1.4.7).
const STREAMS: usize = 8;

const IP_AT: usize = eth::HEADER_LEN;
const SCTP_AT: usize = IP_AT + ip::V4_HEADER_LEN;
const HEAD: usize = SCTP_AT + sctp::HEADER_LEN;

/// The name of a link in the policy.
pub(super) fn link_name(link: u16) -> String {
    format!("link-{}", link + 1)
}

/// The neighbour's address on a link, or our host's.
pub(super) fn address([a, b]: [u8; 2], link: u16) -> Ipv4Addr {
    let [c, d] = (link + 1).to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// The place of an association in the list of all.
///
/// * `last`: the last two octets of its link's addresses; `ports`: the neighbour's and our host's
/// * `ends`: behind the last link of each of [`Protocol::CARRIERS`]
#[inline]
pub(super) fn number_of(last: [u8; 2], ports: [u16; 2], per_link: u16, ends: Ends) -> Option<(Protocol, u16)> {
    let link = u16::from_be_bytes(last).checked_sub(1)?;
    let [neighbour, host] = ports;
    let (protocol, _) = Protocol::CARRIERS.into_iter().zip(ends).find(|(_, end)| link < *end)?;
    let first = port_of(protocol);
    let inside = neighbour.checked_sub(first).filter(|_| host == first).filter(|inside| *inside < per_link)?;
    Some((protocol, link * per_link + inside))
}

/// Behind the last link of each of [`Protocol::CARRIERS`].
pub(super) type Ends = [u16; Protocol::CARRIERS.len()];

/// What M3UA says of a message besides the message: routing context, point codes and so on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Label {
    pub(super) routing_context: [u8; 4],
    /// OPC, DPC, SI, NI, MP, SLS.
    pub(super) octets: [u8; 12],
    /// Number of the datagram, where there is no M3UA; it counts as TSNs do.
    pub(super) datagram: u32,
}

impl Label {
    pub(super) fn new(routing_context: u32, opc: u32, dpc: u32, sls: u8) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (opc.to_be_bytes(), dpc.to_be_bytes());
        let octets = [a, b, c, d, e, f, g, h, 3, 0, 0, sls];
        Self { routing_context: routing_context.to_be_bytes(), octets, datagram: 0 }
    }

    /// The same for another signalling link selection.
    #[inline]
    pub(super) fn with_sls(mut self, sls: u8) -> Self {
        let [.., last] = &mut self.octets;
        *last = sls;
        self
    }
}

/// One direction of an association.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Ethernet, IP and SCTP or UDP header of a packet without chunks, its checksums zero.
    head: [u8; HEAD],
    /// Octets of it: a UDP header is shorter.
    head_len: usize,
    /// Sum of ports, addresses and protocol, as UDP wants it.
    pseudo_sum: u32,
    /// Sum of the IP header as far as it is the same for all packets.
    ip_sum: u32,
    pub(super) label: Label,
    pub(super) first_tsn: u32,
    pub(super) tsn: u32,
    numbers: [u16; STREAMS],
    ppid: u8,
}

/// Both directions of an association, by [`Side`], and how it is set up.
#[derive(Clone, Debug)]
pub(super) struct Association {
    pub(super) lanes: [Lane; 2],
    paths: [Path; 2],
}

impl Association {
    /// Number `inside` of a link; `dice` gives its tags and first TSNs.
    pub(super) fn new(protocol: Protocol, link: u16, inside: u16, mut dice: impl FnMut() -> u64) -> Option<Self> {
        let port = port_of(protocol);
        let mut tag = || (dice() as u32) | 1; // not zero, which is the tag of an INIT
        let [from, to] = [NEIGHBOURS, HOSTS].map(|network| IpAddr::V4(address(network, link)));
        let [high, low] = link.to_be_bytes();
        let path = Path {
            source_mac: [2, 0, 0, 1, high, low],
            destination_mac: [2, 0, 0, 2, high, low],
            vlan: None,
            source: from,
            destination: to,
            source_port: port + inside,
            destination_port: port,
            vtag: tag(),
        };
        let paths = [path, path.reversed(tag())];
        let (ours, theirs, context) = (HOME_CODE, FIRST_CODE + u32::from(link), u32::from(link) + 1);
        let inward = Lane::new(&path, Label::new(context, theirs, ours, 0), dice() as u32)?;
        let [_, back] = &paths;
        let outward = Lane::new(back, Label::new(context, ours, theirs, 0), dice() as u32)?;
        let ppid = match protocol {
            Protocol::Tcap | Protocol::Isup => m3ua::PPID,
            Protocol::Diameter => diameter::PPID,
            Protocol::Sip => 0,
        };
        let lanes = [inward, outward].map(|lane| {
            let lane = Lane { ppid: ppid as u8, ..lane };
            if protocol == Protocol::Sip { lane.over_udp() } else { lane }
        });
        Some(Self { lanes, paths })
    }

    /// The four packets that set it up, called for by the neighbour (RFC 9260 §5.1). Over UDP nothing is set up.
    pub(super) fn handshake(&self) -> Option<[(Side, Vec<u8>); 4]> {
        if self.lanes.iter().any(Lane::is_datagram) {
            return None;
        }
        let [inward, outward] = &self.paths;
        let [from_neighbour, from_host] = self.lanes.each_ref().map(|lane| lane.first_tsn);
        let packet = |side, path: Path, chunk: &dyn Fn(&mut Vec<u8>)| {
            let mut frame = Vec::new();
            path.emit(1, |out| chunk(out), &mut frame);
            (side, frame)
        };
        let (neighbour, host) = (Side::Interconnect, Side::Home);
        let greeting = Path { vtag: 0, ..*inward };
        Some([
            packet(neighbour, greeting, &|out| emit_init(ChunkKind::INIT, outward.vtag, from_neighbour, false, out)),
            packet(host, *outward, &|out| emit_init(ChunkKind::INIT_ACK, inward.vtag, from_host, false, out)),
            packet(neighbour, *inward, &|out| {
                sctp::emit_chunk(ChunkKind::COOKIE_ECHO, 0, &[b"cookie"], out);
            }),
            packet(host, *outward, &|out| {
                sctp::emit_chunk(ChunkKind::COOKIE_ACK, 0, &[], out);
            }),
        ])
    }
}

/// All associations of a profile, those of one link behind each other, and the links of each protocol.
pub(super) fn associations(profile: &Profile, mut dice: impl FnMut() -> u64) -> Option<Vec<Association>> {
    let mut all = Vec::new();
    let mut first = 0;
    for protocol in Protocol::CARRIERS {
        let links = profile.links_of(protocol);
        for link in first..first + links {
            for inside in 0..profile.associations {
                all.push(Association::new(protocol, link, inside, &mut dice)?);
            }
        }
        first += links;
    }
    Some(all)
}

impl Lane {
    fn new(path: &Path, label: Label, first_tsn: u32) -> Option<Self> {
        let mut frame = Vec::new();
        if !path.emit(0, |_| (), &mut frame) {
            return None;
        }
        let mut head = *frame.first_chunk::<HEAD>()?;
        // Total length and checksum of IP, checksum of SCTP.
        for range in [IP_AT + 2..IP_AT + 4, IP_AT + 10..IP_AT + 12, SCTP_AT + 8..SCTP_AT + 12] {
            head.get_mut(range)?.fill(0);
        }
        let (ip_sum, pseudo_sum) = (sum(head.get(IP_AT..SCTP_AT)?), sum(head.get(IP_AT + 12..SCTP_AT + 4)?));
        let head_len = HEAD;
        Some(Self {
            head,
            head_len,
            ip_sum,
            pseudo_sum,
            label,
            first_tsn,
            tsn: first_tsn,
            numbers: [0; STREAMS],
            ppid: m3ua::PPID as u8,
        })
    }

    /// The same between the same ports over UDP.
    fn over_udp(mut self) -> Self {
        const PROTOCOL: usize = IP_AT + 9;
        let udp = u32::from(udp::PROTOCOL);
        self.ip_sum = self.ip_sum - u32::from(self.head[PROTOCOL]) + udp;
        self.pseudo_sum += udp;
        self.head[PROTOCOL] = udp::PROTOCOL;
        self.head[SCTP_AT + 4..].fill(0);
        self.head_len = SCTP_AT + udp::HEADER_LEN;
        self
    }

    /// Whether each of its packets is one message.
    #[inline]
    pub(super) fn is_datagram(&self) -> bool {
        self.head_len < HEAD
    }

    /// Begins again with the first TSN.
    pub(super) fn restart(&mut self) {
        (self.tsn, self.numbers) = (self.first_tsn, [0; STREAMS]);
    }

    /// Makes `out` the beginning of a packet.
    #[inline]
    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.head.get(..self.head_len).unwrap_or(&[]));
    }

    /// Appends a DATA chunk whose user data `fill` appends with this SLS, or the one message of a datagram.
    #[inline]
    pub(super) fn chunk(&mut self, len: usize, sls: u8, out: &mut Vec<u8>, fill: impl FnOnce(&Label, &mut Vec<u8>)) {
        const WHOLE: u8 = 3; // begin and end
        if self.is_datagram() {
            let label = Label { datagram: self.tsn, ..self.label };
            self.tsn = self.tsn.wrapping_add(1);
            return fill(&label, out);
        }
        let stream = sls as usize % STREAMS;
        let number = self.numbers.get_mut(stream).map_or(0, |number| {
            let now = *number;
            *number = now.wrapping_add(1);
            now
        });
        let [t0, t1, t2, t3] = self.tsn.to_be_bytes();
        let ([l0, l1], [n0, n1]) = (((sctp::DATA_HEADER_LEN + len) as u16).to_be_bytes(), number.to_be_bytes());
        self.tsn = self.tsn.wrapping_add(1);
        out.extend_from_slice(&[0, WHOLE, l0, l1, t0, t1, t2, t3, 0, stream as u8 + 1, n0, n1, 0, 0, 0, self.ppid]);
        fill(&self.label.with_sls(sls), out);
    }

    /// Lengths and checksums of the packet that `frame` is.
    #[inline]
    pub(super) fn end(&self, frame: &mut [u8]) {
        let total = (frame.len() - IP_AT) as u16;
        let sum = !folded(self.ip_sum + u32::from(total));
        if self.is_datagram() {
            return self.end_datagram(frame, total, sum);
        }
        let Some((head, chunks)) = frame.split_first_chunk_mut::<HEAD>() else { return };
        let [from, to] = [IP_AT + 2, IP_AT + 10];
        for (at, value) in [(from, total), (to, sum)] {
            if let Some(place) = head.get_mut(at..at + 2) {
                place.copy_from_slice(&value.to_be_bytes());
            }
        }
        let Some(header) = head.get_mut(SCTP_AT..) else { return };
        let crc = crc32c::crc32c_append(crc32c::crc32c(header), chunks);
        if let Some(place) = header.get_mut(8..) {
            place.copy_from_slice(&crc.to_le_bytes()); // RFC 9260 appendix A: the low octet first
        }
    }
}

impl Lane {
    /// * `total`, `sum`: of IP
    #[inline]
    fn end_datagram(&self, frame: &mut [u8], total: u16, sum: u16) {
        let len = total.saturating_sub(ip::V4_HEADER_LEN as u16);
        let payload = !ip::inet_checksum(frame.get(self.head_len..).unwrap_or(&[]));
        let check = !folded(self.pseudo_sum + 2 * u32::from(len) + u32::from(payload));
        let check = if check == 0 { 0xffff } else { check }; // zero would say that there is none (RFC 768)
        for (at, value) in [(IP_AT + 2, total), (IP_AT + 10, sum), (SCTP_AT + 4, len), (SCTP_AT + 6, check)] {
            if let Some(place) = frame.get_mut(at..at + 2) {
                place.copy_from_slice(&value.to_be_bytes());
            }
        }
    }
}

/// The sum of words of two octets, as the Internet checksum has it before it is folded.
fn sum(octets: &[u8]) -> u32 {
    octets.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum()
}

/// The same in two octets.
#[inline]
fn folded(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_wire::sctp::{Data, Packet};

    #[test]
    fn a_packet_is_what_the_frame_builder_makes() -> Result<(), sealgate_wire::Refusal> {
        let mut numbers = 0..;
        let mut association = Association::new(Protocol::Tcap, 300, 5, || numbers.next().unwrap_or(0)).expect("a path");
        for (lane, path) in association.lanes.iter_mut().zip(association.paths) {
            let mut frame = Vec::new();
            lane.begin(&mut frame);
            for sls in [3, 11, 4] {
                lane.chunk(8, sls, &mut frame, |label, out| out.extend_from_slice(&label.octets[4..]));
            }
            lane.end(&mut frame);
            let sctp = Packet::parse(&frame[SCTP_AT..])?;
            assert_eq!(sctp.checksum, sctp::packet_crc32c(&frame[SCTP_AT..]));
            let chunks: Vec<_> = sctp.chunks().map(|chunk| Data::parse(&chunk)).collect::<Result<_, _>>()?;
            let first = lane.first_tsn;
            let seen: Vec<_> =
                chunks.iter().map(|data| (data.tsn.wrapping_sub(first), data.stream, data.ssn)).collect();
            assert_eq!(seen, [(0, 4, 0), (1, 4, 1), (2, 5, 0)]);
            let mut built = Vec::new();
            let made =
                path.emit(0, |out| chunks.iter().for_each(|data| assert!(sctp::emit_data(data, out))), &mut built);
            assert!(made);
            assert_eq!(frame, built);
        }
        let number = |last, neighbour, host| number_of(last, [neighbour, host], 6, [300, 301, 302]);
        assert_eq!(number([1, 44], PORT + 5, PORT), Some((Protocol::Tcap, 299 * 6 + 5)));
        assert_eq!((number([1, 47], SIP_PORT, SIP_PORT), number([0, 1], PORT + 6, PORT)), (None, None));
        assert_eq!(number([1, 45], DIAMETER_PORT + 5, DIAMETER_PORT), Some((Protocol::Diameter, 300 * 6 + 5)));
        assert_eq!(number([1, 46], SIP_PORT + 5, SIP_PORT), Some((Protocol::Sip, 301 * 6 + 5)));
        assert_eq!((number([1, 45], PORT, PORT), number([0, 1], PORT, DIAMETER_PORT)), (None, None));
        Ok(())
    }

    #[test]
    fn a_datagram_is_what_wire_makes() {
        let mut numbers = 7..;
        let mut association = Association::new(Protocol::Sip, 300, 5, || numbers.next().unwrap_or(0)).expect("a path");
        assert!(association.handshake().is_none());
        for (lane, path) in association.lanes.iter_mut().zip(association.paths) {
            for (number, text) in [&b"odd"[..], b"even", b"", &[0xff; 1400]].into_iter().enumerate() {
                let (mut frame, mut want) = (Vec::new(), Vec::new());
                lane.begin(&mut frame);
                let first = lane.first_tsn;
                lane.chunk(text.len(), 3, &mut frame, |label, out| {
                    assert_eq!(label.datagram.wrapping_sub(first), number as u32);
                    out.extend_from_slice(text);
                });
                lane.end(&mut frame);
                let (from, to) = ((path.source, path.source_port), (path.destination, path.destination_port));
                assert!(udp::emit(from, to, text, &mut want));
                assert_eq!(frame[SCTP_AT..], want);
                let packet = ip::Packet::parse(eth::IPV4, &frame[IP_AT..]).expect("IP").expect("IPv4");
                assert_eq!((packet.payload, frame[IP_AT + 9]), (want.as_slice(), udp::PROTOCOL));
            }
        }
    }
}
