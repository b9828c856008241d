//! A table of TCP flows that has met its load allocates nothing: a counting allocator looks on while connections open,
//! carry messages that pass, grow, shrink and are refused, lose segments, and close.

#[path = "../wire/tests/counting/allocator.rs"]
mod allocator;

use std::net::{IpAddr, Ipv4Addr};

use sealgate_dataplane::state::Direction::{self, In, Out};
use sealgate_dataplane::state::stream::{Config, DIAMETER, Departure, Fate, Key, Sink, Streams, Ticket};
use sealgate_wire::tcp::{Flags, Header, Options, Segment};

/// What left, as far as the receivers' acknowledgements need it.
struct Ends {
    end: [u32; 2],
    tickets: Vec<Ticket>,
    octets: u64,
}

impl Sink for Ends {
    fn send(&mut self, departure: &Departure<'_>) {
        let len = departure.payload.len() as u32 + u32::from(departure.header.flags.has(Flags::FIN));
        let end = &mut self.end[departure.way as usize];
        *end = (*end).max(departure.header.seq + len);
        self.octets += u64::from(len);
    }

    fn offer(&mut self, ticket: Ticket, _: &[u8]) {
        self.tickets.push(ticket);
    }
}

fn message(len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    (DIAMETER.fill)(len, 0, &mut out);
    out
}

/// One connection from greeting to the end; every fourth segment comes late, every fifth twice.
fn connection(streams: &mut Streams, ends: &mut Ends, key: &Key, messages: &[u8], now_ms: u64) {
    let mut give = |ends: &mut Ends, way: Direction, seq: u32, flags: Flags, payload: &[u8]| {
        let ack = ends.end[1 - way as usize];
        let header = Header { seq, ack, flags: flags.with(Flags::ACK), window: 60_000, ..Header::default() };
        let header = if flags == Flags::SYN && way == In { Header { flags, ..header } } else { header };
        let segment = Segment { header, options: Options::default(), payload };
        streams.segment(key, way, &[0; 34], &segment, &DIAMETER, now_ms, ends);
        while let Some(ticket) = ends.tickets.pop() {
            let len = streams.message(ticket).map_or(0, <[u8]>::len);
            let other = [7; 2000];
            let fate = match len % 5 {
                0 => Fate::Octets(&other[..len + 60]),
                1 => Fate::Octets(&other[..len - 16]),
                2 => Fate::Refused,
                _ => Fate::AsCame,
            };
            assert!(streams.settle(ticket, fate, now_ms, ends).is_ok());
        }
        streams.expire(now_ms, ends);
    };
    ends.end = [0; 2];
    give(ends, In, 0, Flags::SYN, b"");
    ends.end[0] = 1;
    give(ends, Out, 0, Flags::SYN, b"");
    ends.end[1] = 1;
    let mut at = 1;
    let mut late: Option<(u32, &[u8])> = None;
    for (i, piece) in messages.chunks(700).enumerate() {
        for way in [In, Out] {
            if i % 4 != 3 || way == Out {
                give(ends, way, at, Flags::PSH, piece);
            } else {
                late = Some((at, piece));
            }
            if i % 5 == 0 {
                give(ends, way, at, Flags::PSH, piece);
            }
        }
        if i % 4 == 0
            && let Some((at, piece)) = late.take()
        {
            give(ends, In, at, Flags::PSH, piece);
        }
        at += piece.len() as u32;
    }
    if let Some((at, piece)) = late.take() {
        give(ends, In, at, Flags::PSH, piece);
    }
    for _ in 0..3 {
        give(ends, In, at, Flags::FIN, b"");
        give(ends, Out, at, Flags::FIN, b"");
    }
}

#[test]
fn a_warm_table_allocates_nothing() {
    let mut streams = Streams::new(Config { flows: 64, ..Config::default() });
    let mut ends = Ends { end: [0; 2], tickets: Vec::with_capacity(64), octets: 0 };
    let messages: Vec<u8> = (0..120).flat_map(|i| message(28 + 4 * (i * 37 % 300))).collect();
    let mut now_ms = 1_000_000;
    let mut round = |streams: &mut Streams, ends: &mut Ends, rounds: u32| {
        for i in 0..rounds {
            now_ms += 7;
            let remote = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + now_ms as u32));
            let key = Key { link: i, remote, local: remote, remote_port: 1, local_port: 2 };
            connection(streams, ends, &key, &messages, now_ms);
        }
    };
    round(&mut streams, &mut ends, 200);
    let before = (allocator::so_far(), ends.octets);
    round(&mut streams, &mut ends, 200);
    let after = (allocator::so_far(), ends.octets);
    println!("{:?}", streams.counters());
    assert_eq!(after.0 - before.0, 0, "allocations for {} octets", after.1 - before.1);
    assert!(after.1 - before.1 > 200 * 2 * messages.len() as u64);
    let counters = streams.counters();
    assert_eq!((counters.opened, counters.resets, counters.table_full), (400, 0, 0));
    assert!(counters.evicted > 200 && counters.retransmitted > 1000 && counters.offered > 40_000);
}
