//! From messages to packets: paths, bundles, acknowledgements.

use super::super::kind::Kind;
use super::{Sent, Traffic, TrafficError};
use sealgate_dataplane::state::Direction;
use sealgate_wire::frame_builder::{Path, emit_sack};
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::{diameter, m3ua};
use std::time::Duration;

/// SCTP port of M3UA (RFC 4666 §1.4.8).
const PORT: u16 = 2905;
/// That of Diameter (RFC 6733 §11.4).
const DIAMETER_PORT: u16 = 3868;
/// Octets of user data that packets with more than one message are filled to.
const BUNDLE: usize = 900;

/// One path between us and a carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    One,
    Two,
    /// Of 4G.
    Four,
}

impl Carrier {
    const fn name(self) -> &'static str {
        match self {
            Carrier::One => "carrier-1",
            Carrier::Two => "carrier-2",
            Carrier::Four => "carrier-4g",
        }
    }

    fn path(self, way: Direction) -> Path {
        let (last, ours, port, tag) = match self {
            Carrier::One => (10, 10, PORT, 0x5ea1_9a7e),
            Carrier::Two => (20, 10, PORT, 0x5ea1_9a7f),
            Carrier::Four => (30, 30, DIAMETER_PORT, 0x5ea1_9a80),
        };
        let inbound = Path {
            source_mac: [2, 0, 0, 0, 0, last],
            destination_mac: [2, 0, 0, 0, 0, 1],
            vlan: None,
            source: [192, 0, 2, last].into(),
            destination: [198, 51, 100, ours].into(),
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
        let lanes = [Carrier::One, Carrier::Two, Carrier::Four]
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
        for (i, built) in self.waiting.drain(..).enumerate() {
            traffic.sent.push(Sent {
                frame,
                chunk: i + 1,
                way: if self.way == Direction::In { "in" } else { "out" },
                link: self.carrier.name(),
                tsn: self.tsn,
                peer: built.peer,
                kind: built.kind,
                operation: built.operation,
                expected: built.kind.expected().name(),
            });
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
