//! From messages to packets: paths, bundles, acknowledgements.

use super::super::kind::Kind;
use super::{Sent, Traffic, TrafficError};
use sealgate_dataplane::state::Direction;
use sealgate_wire::frame_builder::{Path, emit_sack};
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::{diameter, gtp, ip, m3ua, udp};
use std::net::IpAddr;
use std::time::Duration;

/// SCTP port of M3UA (RFC 4666 §1.4.8).
const PORT: u16 = 2905;
/// That of Diameter (RFC 6733 §11.4).
const DIAMETER_PORT: u16 = 3868;
/// That of SIP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// Where HOME's network begins.
const OUR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Octets of user data that packets with more than one message are filled to.
const BUNDLE: usize = 900;

/// One path between us and a carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    One,
    Two,
    /// Of 4G.
    Four,
    /// Of calls over IP.
    Calls,
    /// Of roaming data.
    Data,
}

impl Carrier {
    const fn name(self) -> &'static str {
        match self {
            Carrier::One => "carrier-1",
            Carrier::Two => "carrier-2",
            Carrier::Four => "carrier-4g",
            Carrier::Calls => "carrier-calls",
            Carrier::Data => "carrier-data",
        }
    }

    /// The port of UDP where each message is a datagram of its own.
    const fn datagrams(self) -> Option<u16> {
        match self {
            Carrier::Calls => Some(SIP_PORT),
            Carrier::Data => Some(gtp::PORT),
            Carrier::One | Carrier::Two | Carrier::Four => None,
        }
    }

    /// Last octet of the addresses at both ends, outside and ours.
    const fn ends(self) -> (u8, u8) {
        match self {
            Carrier::One => (10, 10),
            Carrier::Two => (20, 10),
            Carrier::Four => (30, 30),
            Carrier::Calls => (40, 40),
            Carrier::Data => (50, 50),
        }
    }

    /// Address of the end outside.
    pub(super) const fn outside(self) -> [u8; 4] {
        [192, 0, 2, self.ends().0]
    }

    const fn ours(self) -> [u8; 4] {
        [198, 51, 100, self.ends().1]
    }

    fn path(self, way: Direction) -> Path {
        let (port, tag) = match self {
            Carrier::One => (PORT, 0x5ea1_9a7e),
            Carrier::Two => (PORT, 0x5ea1_9a7f),
            Carrier::Four | Carrier::Calls | Carrier::Data => (DIAMETER_PORT, 0x5ea1_9a80),
        };
        let inbound = Path {
            source_mac: [2, 0, 0, 0, 0, self.ends().0],
            destination_mac: OUR_MAC,
            vlan: None,
            source: self.outside().into(),
            destination: self.ours().into(),
            source_port: port,
            destination_port: port,
            vtag: tag,
        };
        match way {
            Direction::In => inbound,
            Direction::Out => inbound.reversed(tag ^ 0xffff),
        }
    }
}

/// A frame with one datagram, whose IP packet has this number.
fn datagram(carrier: Carrier, port: u16, way: Direction, number: u16, user: &[u8]) -> Option<Vec<u8>> {
    let mut ends = [(carrier.outside(), [2, 0, 0, 0, 0, carrier.ends().0]), (carrier.ours(), OUR_MAC)];
    if way == Direction::Out {
        ends.reverse();
    }
    let [(from, from_mac), (to, to_mac)] = ends;
    let mut out = [to_mac, from_mac].concat();
    let [n0, n1] = number.to_be_bytes();
    out.extend_from_slice(&[8, 0, 0x45, 0, 0, 0, n0, n1, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    let made = udp::emit((IpAddr::from(from), port), (IpAddr::from(to), port), user, &mut out);
    let set = ip::set_lengths(out.get_mut(14..)?, udp::HEADER_LEN + user.len());
    (made && set).then_some(out)
}

/// A message before it has its place in a packet.
pub(super) struct Built {
    pub(super) user: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) operation: &'static str,
    pub(super) carrier: Carrier,
    pub(super) way: Direction,
    pub(super) peer: &'static str,
}

/// Puts messages into packets: one a packet, or several where the dice say so.
pub(super) struct Packer {
    traffic: Traffic,
    /// For each path: what waits for its packet.
    lanes: Vec<Lane>,
}

struct Lane {
    carrier: Carrier,
    way: Direction,
    tsn: u32,
    waiting: Vec<Built>,
    since_sack: u32,
}

impl Packer {
    pub(super) fn new() -> Self {
        let lane = |carrier, way| Lane { carrier, way, tsn: 1000, waiting: Vec::new(), since_sack: 0 };
        let lanes = [Carrier::One, Carrier::Two, Carrier::Four, Carrier::Calls, Carrier::Data]
            .into_iter()
            .flat_map(|carrier| [Direction::In, Direction::Out].map(|way| lane(carrier, way)))
            .collect();
        Self { traffic: Traffic::default(), lanes }
    }

    /// Takes a message; `more`: others may share its packet.
    pub(super) fn add(&mut self, built: Built, time: Duration, more: bool) -> Result<(), TrafficError> {
        let lane = self.lanes.iter_mut().find(|lane| lane.carrier == built.carrier && lane.way == built.way);
        let Some(lane) = lane else { return Err(TrafficError::Room) };
        lane.waiting.push(built);
        if let Some(port) = lane.carrier.datagrams() {
            return lane.send_datagram(port, time, &mut self.traffic);
        }
        let octets: usize = lane.waiting.iter().map(|built| built.user.len()).sum();
        if more && octets < BUNDLE {
            return Ok(());
        }
        let (carrier, way) = (lane.carrier, lane.way);
        let acked = lane.send(time, &mut self.traffic)?;
        // The other end acknowledges now and then.
        if let Some(tsn) = acked {
            let mut octets = Vec::new();
            if !carrier.path(way.opposite()).emit(1, |out| emit_sack(tsn, out), &mut octets) {
                return Err(TrafficError::Room);
            }
            self.traffic.frames.push((time, way.opposite(), octets));
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Traffic, TrafficError> {
        let time = self.traffic.frames.last().map(|(time, ..)| *time).unwrap_or_default();
        self.flush(time)?;
        Ok(self.traffic)
    }

    /// Sends everything that waits.
    pub(super) fn flush(&mut self, time: Duration) -> Result<(), TrafficError> {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.waiting.is_empty()) {
            lane.send(time, &mut self.traffic)?;
        }
        Ok(())
    }
}

impl Lane {
    /// Sends the one that waits as a packet of its own.
    fn send_datagram(&mut self, port: u16, time: Duration, traffic: &mut Traffic) -> Result<(), TrafficError> {
        let Some(built) = self.waiting.pop() else { return Ok(()) };
        // A number that comes again would be taken for the same packet.
        let number = u16::try_from(self.tsn).map_err(|_| TrafficError::Room)?;
        let octets = datagram(self.carrier, port, self.way, number, &built.user).ok_or(TrafficError::Room)?;
        traffic.frames.push((time, self.way, octets));
        let frame = traffic.frames.len() as u64;
        traffic.sent.push(self.sent(frame, 1, &built));
        self.tsn += 1;
        Ok(())
    }

    /// What the side file says of a message.
    fn sent(&self, frame: u64, chunk: usize, built: &Built) -> Sent {
        Sent {
            frame,
            chunk,
            way: if self.way == Direction::In { "in" } else { "out" },
            link: self.carrier.name(),
            tsn: self.tsn,
            peer: built.peer,
            kind: built.kind,
            operation: built.operation,
            expected: built.kind.expected().name(),
        }
    }

    /// Sends what waits as one packet; the TSN to acknowledge, if it is time for that.
    fn send(&mut self, time: Duration, traffic: &mut Traffic) -> Result<Option<u32>, TrafficError> {
        let frame = traffic.frames.len() as u64 + 1;
        let (first, carrier, mut fits) = (self.tsn, self.carrier, true);
        let mut octets = Vec::new();
        let chunks = |out: &mut Vec<u8>| {
            for (tsn, built) in (first..).zip(&self.waiting) {
                let data = Data {
                    begin: true,
                    end: true,
                    unordered: false,
                    immediate: false,
                    tsn,
                    stream: 1,
                    ssn: tsn as u16,
                    ppid: if carrier == Carrier::Four { diameter::PPID } else { m3ua::PPID },
                    user: &built.user,
                };
                fits &= sctp::emit_data(&data, out);
            }
        };
        let built = self.carrier.path(self.way).emit(frame as u16, chunks, &mut octets);
        if !built || !fits {
            return Err(TrafficError::Room);
        }
        traffic.frames.push((time, self.way, octets));
        for (i, built) in std::mem::take(&mut self.waiting).iter().enumerate() {
            traffic.sent.push(self.sent(frame, i + 1, built));
            self.tsn = self.tsn.wrapping_add(1);
            self.since_sack += 1;
        }
        let due = self.since_sack >= 16;
        if due {
            self.since_sack = 0;
        }
        Ok(due.then(|| self.tsn.wrapping_sub(1)))
    }
}
