//! What became of each message, read from the frames that left the gateway.

use sealgate_wire::{eth, ip, sctp, udp};

use super::Side;
use super::invite;
use super::lane::{Ends, HOSTS, NEIGHBOURS, number_of};
use super::operation::Protocol;
use super::world::World;

/// What became of a DATA chunk, or of a datagram; but of a refused datagram nothing is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Its message left, as it came or rewritten.
    Passed,
    /// The no-op of M3UA or of Diameter stands in its place.
    Refused,
}

/// Reads frames of the associations of one world.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    ends: Ends,
    per_link: u16,
}

const IP_AT: usize = eth::HEADER_LEN;
const SCTP_AT: usize = IP_AT + ip::V4_HEADER_LEN;
const CHUNKS_AT: usize = SCTP_AT + sctp::HEADER_LEN;
/// IPv4 with a header of five words.
const PLAIN_IP: u8 = 0x45;
const DATA: u8 = 0;
/// Heartbeat Ack: ASPSM, type 6 (RFC 4666 §3.5.6), which nobody sends in these associations but the gateway.
const HEARTBEAT_ACK: [u8; 2] = [3, 6];
/// Payload protocol identifier of Diameter, and its Device-Watchdog-Answer: the flags of an answer, and the command.
const DIAMETER: [u8; 4] = [0, 0, 0, 46];
const WATCHDOG_ANSWER: [u8; 4] = [0, 0, 1, 24];

impl Reader {
    /// A reader of this world's frames.
    pub fn new(world: &World) -> Self {
        let profile = world.profile();
        let mut end = 0;
        let ends = Protocol::CARRIERS.map(|protocol| {
            end += profile.links_of(protocol);
            end
        });
        Self { ends, per_link: profile.associations }
    }

    /// Calls `seen` for each DATA chunk, and for a datagram, with the side by which it had entered, its association, its TSN and its fate.
    ///
    /// Checksums are not checked: the gateway made them, and whoever receives its frames judges them elsewhere.
    ///
    /// `false`: not a frame of these associations. A frame that is cut is theirs as far as it goes.
    #[inline]
    pub fn read(&self, frame: &[u8], seen: &mut impl FnMut(Side, u16, u32, Fate)) -> bool {
        let Some((side, protocol, association)) = self.whose(frame) else { return false };
        let total = frame.get(IP_AT + 2..IP_AT + 4).and_then(|octets| octets.first_chunk::<2>());
        let end = IP_AT + total.map_or(0, |octets| usize::from(u16::from_be_bytes(*octets)));
        if protocol == Protocol::Sip {
            let request = frame.get(SCTP_AT + udp::HEADER_LEN..end.min(frame.len())).unwrap_or(&[]);
            if let Some(number) = invite::datagram_of(request) {
                seen(side, association, number, Fate::Passed);
            }
            return true;
        }
        let mut rest = frame.get(CHUNKS_AT..end.min(frame.len())).unwrap_or(&[]);
        while let Some(&[kind, _, high, low]) = rest.first_chunk::<4>() {
            let len = usize::from(u16::from_be_bytes([high, low]));
            if len < 4 {
                break;
            }
            if kind == DATA
                && let Some(head) = rest.first_chunk::<20>()
            {
                let tsn = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
                let refused = if head[12..16] == DIAMETER {
                    rest.get(20..24) == Some(&WATCHDOG_ANSWER)
                } else {
                    head[18..20] == HEARTBEAT_ACK
                };
                let fate = if refused { Fate::Refused } else { Fate::Passed };
                seen(side, association, tsn, fate);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        }
        true
    }

    /// The side by which a frame had entered, its carrier and its association.
    #[inline]
    fn whose(&self, frame: &[u8]) -> Option<(Side, Protocol, u16)> {
        let head = frame.first_chunk::<CHUNKS_AT>()?;
        if head[12..14] != eth::IPV4.to_be_bytes() || head[IP_AT] != PLAIN_IP {
            return None;
        }
        let network = |at: usize| [head[at], head[at + 1]];
        let (source, destination) = (network(IP_AT + 12), network(IP_AT + 16));
        let port = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let ports = [port(SCTP_AT), port(SCTP_AT + 2)];
        let (side, ports) = match (source, destination) {
            (NEIGHBOURS, HOSTS) => (Side::Interconnect, ports),
            (HOSTS, NEIGHBOURS) => (Side::Home, [ports[1], ports[0]]),
            _ => return None,
        };
        let (one, other) = (network(IP_AT + 14), network(IP_AT + 18));
        let (protocol, number) = number_of(one, ports, self.per_link, self.ends)?;
        let over = if protocol == Protocol::Sip { udp::PROTOCOL } else { ip::SCTP };
        (one == other && head[IP_AT + 9] == over).then_some((side, protocol, number))
    }
}

#[cfg(test)]
mod tests {
    use super::super::lane::Association;
    use super::*;

    const READER: Reader = Reader { ends: [3, 3, 4], per_link: 4 };

    fn seen(frame: &[u8]) -> Option<Vec<(Side, u16, u32, Fate)>> {
        let mut seen = Vec::new();
        READER
            .read(frame, &mut |side, association, tsn, fate| seen.push((side, association, tsn, fate)))
            .then_some(seen)
    }

    /// A packet of the last association with three chunks, the second a no-op.
    fn packet(side: Side) -> (Vec<u8>, u32) {
        let mut numbers = 0..;
        let mut association = Association::new(Protocol::Tcap, 2, 3, || numbers.next().unwrap_or(0)).expect("a path");
        let lane = &mut association.lanes[side as usize];
        let mut frame = Vec::new();
        lane.begin(&mut frame);
        for message in [&[1, 0, 1, 1, 0, 0, 0, 9, 7][..], &[1, 0, 3, 6, 0, 0, 0, 8], &[1, 0, 1, 1, 0, 0, 0, 8]] {
            lane.chunk(message.len(), 0, &mut frame, |_, out| out.extend_from_slice(message));
            let padded = (frame.len() - CHUNKS_AT).next_multiple_of(4);
            frame.resize(CHUNKS_AT + padded, 0);
        }
        lane.end(&mut frame);
        (frame, lane.first_tsn)
    }

    #[test]
    fn each_chunk_is_seen_with_its_fate() {
        for side in [Side::Interconnect, Side::Home] {
            let (mut frame, tsn) = packet(side);
            frame.extend_from_slice(&[0; 9]); // behind the IP packet: filling of Ethernet
            let want = [(0, Fate::Passed), (1, Fate::Refused), (2, Fate::Passed)];
            assert_eq!(seen(&frame), Some(want.map(|(i, fate)| (side, 11, tsn + i, fate)).to_vec()));
        }
    }

    #[test]
    fn a_datagram_is_seen_by_the_number_in_its_branch() {
        let mut numbers = 0..;
        let mut association = Association::new(Protocol::Sip, 3, 3, || numbers.next().unwrap_or(0)).expect("a path");
        for side in [Side::Interconnect, Side::Home] {
            let lane = &mut association.lanes[side as usize];
            let mut frame = Vec::new();
            lane.begin(&mut frame);
            lane.chunk(0, 0, &mut frame, |label, out| {
                out.extend_from_slice(b"BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK");
                out.extend_from_slice(format!("{:08x}\r\n", label.datagram).as_bytes());
            });
            lane.end(&mut frame);
            assert_eq!(seen(&frame), Some(vec![(side, 15, lane.first_tsn, Fate::Passed)]));
            let (branch, protocol) = (frame.len() - 10, IP_AT + 9);
            for (at, octet, want) in [(branch, b'g', Some(Vec::new())), (protocol, ip::SCTP, None)] {
                let mut other = frame.clone();
                other[at] = octet;
                assert_eq!(seen(&other), want, "octet {at}");
            }
            for len in 0..frame.len() - 2 {
                assert!(seen(&frame[..len]).is_none_or(|seen| seen.is_empty()), "cut to {len}");
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_not_read() {
        let (frame, _) = packet(Side::Home);
        for (at, octet) in [(12, 9), (14, 0x46), (23, 6), (26, 197), (29, 4), (30, 10), (33, 2), (34, 12), (37, 99)] {
            let mut other = frame.clone();
            other[at] = octet;
            assert_eq!(seen(&other), None, "octet {at}");
        }
        let association = Association::new(Protocol::Tcap, 0, 0, || 7).expect("a path");
        for (side, frame) in association.handshake().into_iter().flatten() {
            assert_eq!(seen(&frame), Some(Vec::new()), "{side:?}: ours, without messages");
        }
    }

    #[test]
    fn a_frame_that_is_cut_is_read_as_far_as_it_goes() {
        let (frame, _) = packet(Side::Interconnect);
        let counts: Vec<_> = (0..=frame.len()).map(|len| seen(&frame[..len]).map_or(0, |seen| seen.len())).collect();
        assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]) && counts.last() == Some(&3));
        let mut endless = frame;
        endless[48..50].fill(0); // the length of its first chunk
        assert_eq!(seen(&endless), Some(Vec::new()));
    }
}
