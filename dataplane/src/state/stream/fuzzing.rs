//! One connection as a fuzz body: segments of both ends as an attacker likes, verdicts and time in between, and what must
//! hold whatever comes.
//!
//! An input is an option octet and records of eight octets, each with the payload that its length octet counts:
//!
//! | octet | meaning |
//! |---|---|
//! | 0 | bit 7: towards our network. Bits 6 and 5: the sequence number counts from what this end sent last, from what the other acknowledged, from the begin. Bit 4: a verdict instead. Bit 3: time passes instead. Bits 2 to 0: timestamps, SACK, other options |
//! | 1, 2 | added to the sequence number, signed |
//! | 3, 4 | added to the acknowledgement of all that left to this end, signed |
//! | 5 | window |
//! | 6 | flags |
//! | 7 | octets of payload |
//!
//! A message is a length octet and what it counts. One that has an `E` in it is evil: it never gets the verdict that it may
//! pass, so no `E` may ever leave.

use std::net::{IpAddr, Ipv4Addr};

use sealgate_wire::Reason;
use sealgate_wire::tcp::{Blocks, Flags, Header, Options, Segment};

use super::{Border, Config, Departure, Direction, Fate, Key, Protocol, Sink, Streams, Ticket};

/// Bits of the option octet.
pub mod option {
    /// Without a handshake.
    pub const MID_STREAM: u8 = 1;
    /// Neither end scales its window.
    pub const UNSCALED: u8 = 2;
    /// Buffers for little.
    pub const SHORT_POOL: u8 = 4;
    /// Tables for little.
    pub const SHORT_LISTS: u8 = 8;
}

const EVIL: u8 = b'E';
const FILL: u8 = b'.';
/// Where both ends begin: the numbers wrap soon.
const START: [u32; 2] = [u32::MAX - 300, u32::MAX - 5];
const SHIFT: u8 = 2;
const MSS: usize = 100;
const KEY: Key = Key {
    link: 0,
    remote: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    local: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    remote_port: 1,
    local_port: 2,
};

/// Length octets below 4 or above 250 are no message's; 251 asks for two octets more.
const PROTOCOL: Protocol = Protocol {
    border: |octets, _| match octets {
        [] | [251] => Border::NeedMore,
        [251, high, ..] => Border::Whole(256 * usize::from(*high) + 256),
        [len @ 4..=250, ..] => Border::Whole(usize::from(*len)),
        _ => Border::Malformed,
    },
    fill: |_, _, out| out.fill(FILL),
};

/// What left one way: each position always has the octet it had first.
#[derive(Default)]
struct Left {
    octets: Vec<Option<u8>>,
    /// Positions behind the greeting.
    end: i64,
    /// What the other end offered at most, in positions of this way.
    offered: i64,
    acked: Option<i64>,
    /// The end of what this end sent.
    sent: i64,
}

struct Judge {
    ways: [Left; 2],
    offers: Vec<(Ticket, Vec<u8>)>,
    /// Nothing is checked any more: the connection was set up anew, or its numbers are not ours.
    loose: bool,
}

impl Sink for Judge {
    fn send(&mut self, departure: &Departure<'_>) {
        let Departure { way, header, options, payload, .. } = *departure;
        assert!(!payload.contains(&EVIL), "an evil octet left");
        assert!(payload.len() + options.len() <= MSS, "{} and {} octets", payload.len(), options.len());
        assert!(!header.flags.has(Flags::URG) && header.urgent == 0 && !options.others);
        if self.loose || header.flags.has(Flags::SYN) || header.flags.has(Flags::RST) {
            return;
        }
        let here = way as usize;
        let at = i64::from(header.seq.wrapping_sub(START[here]).wrapping_sub(1) as i32);
        let end = at + payload.len() as i64;
        let left = &mut self.ways[here];
        if !payload.is_empty() {
            assert!(at >= 0 && end <= left.offered, "{at}..{end} of {} that are offered", left.offered);
            if left.octets.len() < end as usize {
                left.octets.resize(end as usize, None);
            }
            for (place, octet) in left.octets[at as usize..].iter_mut().zip(payload) {
                assert_eq!(*place.get_or_insert(*octet), *octet, "other octets under one number");
            }
            assert!(left.octets.iter().all(Option::is_some), "a hole");
        }
        left.end = left.end.max(end + i64::from(header.flags.has(Flags::FIN)));
        // What an end is told is acknowledged, it sent; and never less than before.
        let back = 1 - here;
        let acked = i64::from(header.ack.wrapping_sub(START[back]).wrapping_sub(1) as i32);
        let other = &mut self.ways[back];
        assert!(acked <= other.sent, "{acked} acknowledged of {} that were sent", other.sent);
        assert!(other.acked.is_none_or(|before| before <= acked), "{acked} after {:?}", other.acked);
        other.acked = Some(acked);
    }

    fn offer(&mut self, ticket: Ticket, octets: &[u8]) {
        assert!(matches!((PROTOCOL.border)(octets, 0), Border::Whole(len) if len == octets.len()));
        self.offers.push((ticket, octets.to_vec()));
    }
}

/// Drives one connection. Panics where one of these does not hold:
///
/// * no octet of a message leaves that no verdict let pass, whole and in order;
/// * each sequence number always carries the octet that it carried first, and there are no holes;
/// * nothing leaves beyond what a receiver offered, or larger than it takes;
/// * nothing is acknowledged that was not sent, and acknowledgements never go back;
/// * memory stays within its bounds, and after its time nothing is left.
pub fn stream(octets: &[u8]) {
    let Some((&options, mut octets)) = octets.split_first() else { return };
    let shift = if options & option::UNSCALED == 0 { SHIFT } else { 0 };
    let few = options & option::SHORT_LISTS != 0;
    let config = Config {
        flows: 2,
        hold_octets: 400,
        growth_octets: 40,
        output_octets: 600,
        messages: if few { 2 } else { 64 },
        steps: if few { 1 } else { 64 },
        pool_octets: if options & option::SHORT_POOL == 0 { 1 << 20 } else { 6000 },
        settled_octets: if few { 256 } else { 1 << 16 },
        mss: MSS,
        ..Config::default()
    };
    let mut streams = Streams::new(config);
    let mut judge = Judge { ways: Default::default(), offers: Vec::new(), loose: options & option::MID_STREAM != 0 };
    let mut now_ms = 1000;
    if !judge.loose {
        greet(&mut streams, &mut judge, shift, now_ms);
    }
    while let Some((&record, rest)) = octets.split_first_chunk::<8>() {
        let [control, s0, s1, a0, a1, window, flags, len] = record;
        let (payload, rest) = rest.split_at(usize::from(len).min(rest.len()));
        octets = rest;
        if control & 0x10 != 0 {
            settle(&mut streams, &mut judge, control, payload, now_ms);
        } else if control & 0x08 != 0 {
            now_ms += u64::from(s1);
            streams.expire(now_ms, &mut judge);
        } else {
            let way = if control & 0x80 == 0 { Direction::Out } else { Direction::In };
            let added = [[s0, s1], [a0, a1]].map(i16::from_be_bytes).map(i64::from);
            send(&mut streams, &mut judge, (way, control, window, Flags(flags)), added, payload, shift, now_ms);
        }
        assert!(streams.buffered() <= config.pool_octets && streams.len() <= 1);
    }
    while let Some((ticket, _)) = judge.offers.pop() {
        let _ = streams.settle(ticket, Fate::Refused, now_ms, &mut judge);
    }
    now_ms += config.idle_ms + 1;
    judge.loose = true;
    streams.expire(now_ms, &mut judge);
    assert!(streams.is_empty());
}

fn greet(streams: &mut Streams, judge: &mut Judge, shift: u8, now_ms: u64) {
    let options = Options {
        mss: Some(1460),
        window_scale: (shift > 0).then_some(shift),
        sack_permitted: true,
        ..Options::default()
    };
    let [start, answer] = START;
    let syn = Header { seq: start, flags: Flags::SYN, window: 200, ..Header::default() };
    let syn_ack = Header {
        seq: answer,
        ack: start.wrapping_add(1),
        flags: Flags::SYN.with(Flags::ACK),
        window: 300,
        ..Header::default()
    };
    for (way, header) in [(Direction::In, syn), (Direction::Out, syn_ack)] {
        let segment = Segment { header, options, payload: &[] };
        streams.segment(&KEY, way, &[0; 34], &segment, &PROTOCOL, now_ms, judge);
    }
    judge.ways[0].offered = 300;
    judge.ways[1].offered = 200;
}

fn send(
    streams: &mut Streams,
    judge: &mut Judge,
    (way, control, window, flags): (Direction, u8, u8, Flags),
    added: [i64; 2],
    payload: &[u8],
    shift: u8,
    now_ms: u64,
) {
    let (here, back) = (way as usize, 1 - way as usize);
    let from = match control >> 5 & 3 {
        0 | 3 => judge.ways[here].sent,
        1 => judge.ways[here].acked.unwrap_or(0),
        _ => 0,
    };
    let at = from + added[0];
    let acked = judge.ways[back].end + added[1];
    let seq = START[here].wrapping_add(1).wrapping_add(at as u32);
    let ack = START[back].wrapping_add(1).wrapping_add(acked as u32);
    // SYN seldom, or there would be little else.
    let flags = if flags.has(Flags(0xe7)) { flags } else { Flags(flags.0 & !Flags::SYN.0) };
    let flags = if flags.has(Flags::RST) && !flags.has(Flags(0xa4)) { Flags(flags.0 & !Flags::RST.0) } else { flags };
    let flags = if flags.0 & 0x18 == 0 { flags } else { flags.with(Flags::ACK) };
    judge.loose |= flags.has(Flags::SYN);
    let mut options = Options::default();
    if control & 4 != 0 {
        options.timestamps = Some((now_ms as u32, window.into()));
    }
    if control & 2 != 0 {
        options.sack = Blocks::default();
        options.sack.push(ack.wrapping_add(u32::from(window)), ack.wrapping_add(100));
        options.sack.push(ack.wrapping_sub(50), ack.wrapping_add(flags.0.into()));
    }
    options.others = control & 1 != 0;
    let header = Header { source_port: 1, destination_port: 2, seq, ack, flags, window: window.into(), urgent: 7 };
    // Upper bounds: what the gateway refuses to believe stays in them.
    if acked <= judge.ways[back].end {
        let offered = acked + (i64::from(window) << shift);
        judge.ways[back].offered = judge.ways[back].offered.max(offered);
    }
    let end = at + payload.len() as i64 + i64::from(flags.has(Flags::FIN));
    if end < 1 << 20 {
        judge.ways[here].sent = judge.ways[here].sent.max(end);
    }
    let segment = Segment { header, options, payload };
    let reason = streams.segment(&KEY, way, &[0; 34], &segment, &PROTOCOL, now_ms, judge);
    let known = [Reason::OkHeld, Reason::OkNotSubject, Reason::TcpStream, Reason::ResMempool];
    assert!(known.contains(&reason), "{reason:?}");
}

fn settle(streams: &mut Streams, judge: &mut Judge, control: u8, payload: &[u8], now_ms: u64) {
    if judge.offers.is_empty() {
        return;
    }
    let i = usize::from(control & 0x0f) % judge.offers.len();
    let (ticket, octets) = judge.offers.swap_remove(i);
    if let Some(now) = streams.message(ticket) {
        assert_eq!(now, octets, "a message changed while it waited");
    }
    let other: Vec<u8> = payload.iter().map(|octet| if *octet == EVIL { b'e' } else { *octet }).collect();
    let fate = match control >> 5 {
        0 | 1 => Fate::Refused,
        2 | 3 => Fate::Octets(&other),
        _ if octets.contains(&EVIL) => Fate::Refused,
        _ => Fate::AsCame,
    };
    let done = streams.settle(ticket, fate, now_ms, judge);
    assert!(done.is_err() || streams.settle(ticket, Fate::AsCame, now_ms, judge).is_err(), "settled twice");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Mostly a stream of messages in segments that follow each other.
    fn record() -> impl Strategy<Value = Vec<u8>> {
        let small = prop_oneof![6 => Just(0_i16), 1 => -60..60_i16, 1 => any::<i16>()];
        let payload = prop_oneof![
            3 => vec(vec(any::<u8>(), 3..30), 0..4).prop_map(|bodies| {
                bodies.into_iter().flat_map(|body| [vec![body.len() as u8 + 1], body].concat()).collect::<Vec<_>>()
            }),
            2 => vec(any::<u8>(), 0..80),
            1 => (0_u8..4).prop_map(|high| vec![251, high]),
        ];
        let flags = prop_oneof![8 => Just(0x10_u8), 1 => Just(0x11), 1 => any::<u8>()];
        (any::<u8>(), small.clone(), small, any::<u8>(), flags, payload).prop_map(
            |(control, seq, ack, window, flags, payload)| {
                let mut out = vec![control];
                out.extend(seq.to_be_bytes());
                out.extend(ack.to_be_bytes());
                out.extend([window, flags, payload.len() as u8]);
                out.extend(payload);
                out
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn no_octets_break_a_rule(options in 0_u8..16, records in vec(record(), 0..80)) {
            let mut input = vec![options];
            records.iter().for_each(|record| input.extend(record));
            stream(&input);
        }
    }
}
