//! What became of each message, read from the frames that left the gateway.

use sealgate_wire::{eth, ip, sctp};

use super::Side;
use super::lane::{HOSTS, NEIGHBOURS, PORT, number_of};
use super::world::World;

/// What became of a DATA chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Its message left, as it came or rewritten.
    Passed,
    /// The no-op of M3UA stands in its place.
    Refused,
}

/// Reads frames of the associations of one world.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    links: u16,
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

impl Reader {
    /// A reader of this world's frames.
    pub fn new(world: &World) -> Self {
        Self { links: world.profile().links, per_link: world.profile().associations }
    }

    /// Calls `seen` for each DATA chunk with the side by which it had entered, its association, its TSN and its fate.
    ///
    /// Checksums are not checked: the gateway made them, and whoever receives its frames judges them elsewhere.
    ///
    /// `false`: not a frame of these associations. A frame that is cut is theirs as far as it goes.
    #[inline]
    pub fn read(&self, frame: &[u8], seen: &mut impl FnMut(Side, u16, u32, Fate)) -> bool {
        let Some((side, association)) = self.whose(frame) else { return false };
        let total = frame.get(IP_AT + 2..IP_AT + 4).and_then(|octets| octets.first_chunk::<2>());
        let end = IP_AT + total.map_or(0, |octets| usize::from(u16::from_be_bytes(*octets)));
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
                let fate = if head[18..20] == HEARTBEAT_ACK { Fate::Refused } else { Fate::Passed };
                seen(side, association, tsn, fate);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        }
        true
    }

    /// The side by which a frame had entered, and its association.
    #[inline]
    fn whose(&self, frame: &[u8]) -> Option<(Side, u16)> {
        let head = frame.first_chunk::<CHUNKS_AT>()?;
        if head[12..14] != eth::IPV4.to_be_bytes() || head[IP_AT] != PLAIN_IP || head[IP_AT + 9] != ip::SCTP {
            return None;
        }
        let network = |at: usize| [head[at], head[at + 1]];
        let (source, destination) = (network(IP_AT + 12), network(IP_AT + 16));
        let port = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let ports = [port(SCTP_AT), port(SCTP_AT + 2)];
        let (side, [neighbour, host]) = match (source, destination) {
            (NEIGHBOURS, HOSTS) => (Side::Interconnect, ports),
            (HOSTS, NEIGHBOURS) => (Side::Home, [ports[1], ports[0]]),
            _ => return None,
        };
        let (one, other) = (network(IP_AT + 14), network(IP_AT + 18));
        let number = number_of(one, neighbour, self.per_link, self.links)?;
        (one == other && host == PORT).then_some((side, number))
    }
}
