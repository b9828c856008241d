//! Each rule of `state::stream`, met by one segment after another.

#[path = "tcp_rules/limits.rs"]
mod limits;
mod tcp_model;

use sealgate_dataplane::state::Direction::{self, In, Out};
use sealgate_dataplane::state::stream::{Config, DIAMETER, Departure, Fate, Gone, Key, Sink, Streams, Ticket};
use sealgate_wire::Reason;
use sealgate_wire::tcp::{Blocks, Flags, Header, Options, Segment};
use tcp_model::{Dice, KEY, Verdict, Weather, World, filler, head, message, stream, verdict};

/// Initial sequence numbers of both ends: In begins at 1000.
const ISN: [u32; 2] = [1000, 0xffff_fff0];
const ACK: Flags = Flags::ACK;

/// A segment that left; numbers count from behind the greetings.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    way: Direction,
    at: i32,
    ack: i32,
    window: u16,
    flags: Flags,
    options: Options,
    payload: Vec<u8>,
}

struct Bench {
    streams: Streams,
    key: Key,
    now: u64,
    sent: Vec<Sent>,
    offers: Vec<(Ticket, Vec<u8>)>,
}

impl Sink for Bench {
    fn send(&mut self, departure: &Departure<'_>) {
        let Departure { way, header, options, payload, .. } = *departure;
        let (here, back) = (way as usize, 1 - way as usize);
        self.sent.push(Sent {
            way,
            at: header.seq.wrapping_sub(ISN[here].wrapping_add(1)) as i32,
            ack: header.ack.wrapping_sub(ISN[back].wrapping_add(1)) as i32,
            window: header.window,
            flags: header.flags,
            options: *options,
            payload: payload.to_vec(),
        });
    }

    fn offer(&mut self, ticket: Ticket, octets: &[u8]) {
        self.offers.push((ticket, octets.to_vec()));
    }
}

impl Bench {
    fn new(config: Config) -> Self {
        Self { streams: Streams::new(config), key: KEY, now: 1000, sent: Vec::new(), offers: Vec::new() }
    }

    /// With a handshake: windows of 20,000 octets, MSS 1460, no scale.
    fn open(config: Config) -> Self {
        let mut bench = Self::new(config);
        let options = Options { mss: Some(1460), sack_permitted: true, ..Options::default() };
        bench.raw(In, ISN[0], 0, Flags::SYN, 20_000, options, b"");
        bench.raw(Out, ISN[1], ISN[0] + 1, Flags::SYN.with(ACK), 20_000, options, b"");
        bench.give(In, 0, 0, ACK, b"");
        assert_eq!(bench.take().len(), 3);
        bench
    }

    #[expect(clippy::too_many_arguments, reason = "a whole segment")]
    fn raw(
        &mut self,
        way: Direction,
        seq: u32,
        ack: u32,
        flags: Flags,
        window: u16,
        options: Options,
        payload: &[u8],
    ) -> Reason {
        let header = Header { source_port: 7, destination_port: 7, seq, ack, flags, window, urgent: 3 };
        let segment = Segment { header, options, payload };
        let mut streams = std::mem::replace(&mut self.streams, Streams::new(Config { flows: 1, ..Config::default() }));
        let (key, now) = (self.key, self.now);
        let reason = streams.segment(&key, way, &head(way), &segment, &DIAMETER, now, self);
        self.streams = streams;
        reason
    }

    fn give(&mut self, way: Direction, at: i32, ack: i32, flags: Flags, payload: &[u8]) -> Reason {
        self.give_with(way, at, ack, flags, 20_000, Options::default(), payload)
    }

    #[expect(clippy::too_many_arguments, reason = "a whole segment")]
    fn give_with(
        &mut self,
        way: Direction,
        at: i32,
        ack: i32,
        flags: Flags,
        window: u16,
        options: Options,
        payload: &[u8],
    ) -> Reason {
        let (here, back) = (way as usize, 1 - way as usize);
        let seq = ISN[here].wrapping_add(1).wrapping_add(at as u32);
        let ack = ISN[back].wrapping_add(1).wrapping_add(ack as u32);
        self.raw(way, seq, ack, flags, window, options, payload)
    }

    fn settle(&mut self, i: usize, fate: Fate<'_>) -> Result<(), Gone> {
        let mut streams = std::mem::replace(&mut self.streams, Streams::new(Config { flows: 1, ..Config::default() }));
        let (ticket, now) = (self.offers[i].0, self.now);
        let done = streams.settle(ticket, fate, now, self);
        self.streams = streams;
        done
    }

    fn wait(&mut self, ms: u64) {
        let mut streams = std::mem::replace(&mut self.streams, Streams::new(Config { flows: 1, ..Config::default() }));
        self.now += ms;
        let now = self.now;
        streams.expire(now, self);
        self.streams = streams;
    }

    fn take(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// Octets that left one way since the last call, with their first position; the segments must follow each other.
    fn octets(&mut self, way: Direction) -> (i32, Vec<u8>) {
        let mut found: Option<(i32, Vec<u8>)> = None;
        for sent in self.take().into_iter().filter(|sent| sent.way == way && !sent.payload.is_empty()) {
            let (at, octets) = found.get_or_insert((sent.at, Vec::new()));
            assert_eq!(*at + octets.len() as i32, sent.at);
            octets.extend(sent.payload);
        }
        found.unwrap_or_default()
    }
}

#[test]
fn verdicts_may_come_in_any_order_and_octets_leave_in_theirs() {
    let mut bench = Bench::open(Config::default());
    let messages = [message(1, 100), message(2, 60), message(3, 200)];
    assert_eq!(bench.give(In, 0, 0, ACK, &messages.concat()), Reason::OkHeld);
    let sent = bench.take();
    assert_eq!((sent.len(), sent[0].payload.len(), sent[0].at), (1, 0, 0), "the acknowledgement goes on alone");
    assert_eq!(bench.offers.iter().map(|offer| &offer.1).collect::<Vec<_>>(), messages.iter().collect::<Vec<_>>());
    assert_eq!(bench.settle(2, Fate::AsCame), Ok(()));
    assert_eq!(bench.settle(1, Fate::Octets(b"longer or shorter")), Ok(()));
    assert_eq!(bench.streams.message(bench.offers[0].0), Some(&messages[0][..]));
    assert!(bench.take().is_empty());
    assert_eq!(bench.settle(0, Fate::Refused), Ok(()));
    assert_eq!(bench.octets(In), (0, [&filler(100)[..], b"longer or shorter", &messages[2]].concat()));
    assert_eq!(bench.settle(0, Fate::AsCame), Err(Gone), "one verdict a message");
    assert_eq!(bench.streams.message(bench.offers[0].0), None);
}

#[test]
fn acknowledgements_inside_a_changed_message_are_its_start() {
    let mut bench = Bench::open(Config::default());
    let messages = [message(1, 100), message(2, 60), message(3, 200)];
    bench.give(In, 0, 0, ACK, &messages.concat());
    let other = [7; 90];
    for (i, fate) in [Fate::AsCame, Fate::Octets(&other), Fate::AsCame].into_iter().enumerate() {
        bench.settle(i, fate).unwrap();
    }
    assert_eq!(bench.octets(In).1.len(), 390);
    for (ack, want) in [(40, 40), (100, 100), (101, 100), (189, 100), (190, 160), (191, 161), (390, 360)] {
        bench.give(Out, 0, ack, ACK, b"");
        let sent = bench.take();
        assert_eq!((sent.len(), sent[0].way, sent[0].ack), (1, Out, want), "{ack}");
    }
    assert_eq!(bench.give(Out, 0, 391, ACK, b""), Reason::TcpStream, "never sent");
    assert!(bench.take().is_empty());
    assert_eq!(bench.streams.counters().beyond, 1);
}

#[test]
fn selective_acknowledgements_claim_whole_messages_only() {
    let mut bench = Bench::open(Config::default());
    let messages = [message(1, 100), message(2, 60), message(3, 200)];
    bench.give(In, 0, 0, ACK, &messages.concat());
    bench.settle(0, Fate::AsCame).unwrap();
    bench.settle(1, Fate::Octets(&[7; 90])).unwrap();
    bench.settle(2, Fate::AsCame).unwrap();
    bench.take();
    let first = ISN[0] + 1;
    for (block, want) in [
        ((50, 100), Some((50, 100))),
        ((50, 150), Some((50, 100))),
        ((110, 180), None),
        ((110, 200), Some((160, 170))),
        ((100, 190), Some((100, 160))),
        ((200, 400), None),
    ] {
        let mut options = Options { sack: Blocks::default(), ..Options::default() };
        options.sack.push(first + block.0, first + block.1);
        bench.give_with(Out, 0, 20, ACK, 20_000, options, b"");
        let sent = bench.take();
        let got: Vec<_> = sent[0].options.sack.iter().map(|(l, r)| (l - first, r - first)).collect();
        assert_eq!(got, want.into_iter().collect::<Vec<_>>(), "{block:?}");
    }
}

#[test]
fn the_same_octets_again_leave_as_they_left() {
    let mut bench = Bench::open(Config::default());
    let (one, two) = (message(1, 100), message(2, 60));
    bench.give(In, 0, 0, ACK, &[&one[..], &two].concat());
    let other: Vec<u8> = (0..90).collect();
    bench.settle(0, Fate::Octets(&other)).unwrap();
    bench.settle(1, Fate::AsCame).unwrap();
    bench.take();
    let again: [(i32, &[u8], i32, Vec<u8>); 5] = [
        (0, &one, 0, other.clone()),
        (0, &one[..30], 0, other[..30].to_vec()),
        (30, &one[30..], 30, other[30..].to_vec()),
        (95, &[0xee; 5], 90, Vec::new()),
        (100, &[0xee; 30], 90, two[..30].to_vec()),
    ];
    for (at, octets, left, want) in again {
        assert_eq!(bench.give(In, at, 0, ACK, octets), Reason::OkHeld);
        if want.is_empty() {
            continue;
        }
        assert_eq!(bench.octets(In), (left, want), "again from {at}");
    }
    // The receiver has 40 octets of the first: its sender knows of none, and what is missing leaves.
    bench.give(Out, 0, 40, ACK, b"");
    bench.take();
    bench.give(In, 0, 0, ACK, &[0xee; 10]);
    assert_eq!(bench.octets(In), (40, other[40..].to_vec()));
    // All acknowledged: the octets are gone, and the receiver is asked.
    bench.give(Out, 0, 150, ACK, b"");
    bench.take();
    bench.give(In, 0, 0, ACK, &one);
    let sent = bench.take();
    assert_eq!((sent.len(), sent[0].way, sent[0].at, sent[0].payload.len()), (1, In, 149, 0));
    assert_eq!(bench.offers.len(), 2, "nothing is judged twice");
}

#[test]
fn of_conflicting_octets_those_seen_first_stand() {
    let mut bench = Bench::open(Config::default());
    let good = message(1, 200);
    let mut evil = good.clone();
    evil[100..].fill(0xee);
    bench.give(In, 120, 0, ACK, &good[120..]);
    assert_eq!(bench.streams.counters().conflicts, 0);
    bench.give(In, 90, 0, ACK, &[&good[90..100], &evil[100..150]].concat());
    assert_eq!(bench.streams.counters().conflicts, 1);
    bench.give(In, 0, 0, ACK, &good[..90]);
    let mixed = [&good[..100], &evil[100..120], &good[120..]].concat();
    assert_eq!(bench.offers[0].1, mixed);
    // While it waits, and after.
    bench.give(In, 0, 0, ACK, &evil);
    assert_eq!(bench.streams.counters().conflicts, 2);
    assert_eq!(bench.streams.message(bench.offers[0].0), Some(&mixed[..]));
    bench.take();
    bench.settle(0, Fate::AsCame).unwrap();
    assert_eq!(bench.octets(In), (0, mixed.clone()));
    bench.give(In, 0, 0, ACK, &evil);
    assert_eq!(bench.octets(In), (0, mixed));
}

#[test]
fn half_a_message_is_refused_after_its_deadline_and_the_next_one_judged() {
    let mut bench = Bench::open(Config::default());
    let (long, next) = (message(1, 600), message(2, 48));
    bench.give(In, 0, 0, ACK, &long[..200]);
    bench.wait(199);
    bench.take();
    bench.wait(1);
    assert_eq!(bench.octets(In), (0, filler(600)[..200].to_vec()));
    bench.give(In, 200, 0, ACK, &long[200..500]);
    assert_eq!(bench.octets(In), (200, filler(600)[200..500].to_vec()));
    bench.give(In, 500, 0, ACK, &[&long[500..], &next].concat());
    assert_eq!(bench.octets(In), (500, filler(600)[500..].to_vec()));
    assert_eq!(bench.offers.len(), 1);
    bench.settle(0, Fate::AsCame).unwrap();
    assert_eq!(bench.octets(In), (600, next));
    let counters = bench.streams.counters();
    assert_eq!((counters.refused_late, counters.refused_long, counters.resets), (1, 0, 0));
}

#[test]
fn a_message_that_is_too_long_is_refused_from_its_header_on() {
    let mut bench = Bench::open(Config { hold_octets: 1000, ..Config::default() });
    let long = message(1, 30_000);
    let mut left = 0;
    for piece in long.chunks(1400) {
        bench.give(In, left, 0, ACK, piece);
        assert_eq!(bench.octets(In), (left, filler(30_000)[left as usize..][..piece.len()].to_vec()));
        left += piece.len() as i32;
        bench.give(Out, 0, left, ACK, b"");
    }
    assert_eq!((bench.streams.counters().refused_long, bench.offers.len()), (1, 0));
}

/// Both ends get RST, and nothing else leaves.
fn assert_reset(bench: &mut Bench, next: [i32; 2]) {
    let resets: Vec<_> = bench.take().into_iter().filter(|sent| sent.flags.has(Flags::RST)).collect();
    assert_eq!(resets.iter().map(|sent| sent.way).collect::<Vec<_>>(), [In, Out]);
    assert_eq!([resets[0].at, resets[1].at], next);
    assert_eq!(bench.streams.counters().resets, 1);
    // Who goes on is told again, under the number that it waits for.
    assert_eq!(bench.give(Out, 0, 77, ACK, b""), Reason::TcpStream);
    let sent = bench.take();
    assert_eq!((sent.len(), sent[0].way, sent[0].at, sent[0].flags), (1, In, 77, Flags::RST));
    assert_eq!(bench.give(In, 0, 0, ACK, &message(9, 40)), Reason::TcpStream);
    assert!(bench.take().iter().all(|sent| sent.payload.is_empty()));
}

#[test]
fn who_cannot_be_followed_is_reset() {
    let mut late = Bench::open(Config::default());
    late.give(In, 0, 0, ACK, &message(1, 100)[..3]);
    late.wait(200);
    assert_reset(&mut late, [0, 0]);

    let mut malformed = Bench::open(Config::default());
    malformed.give(In, 0, 0, ACK, &[&message(1, 100)[..], b"GET / HTTP/1.1\r\n"].concat());
    assert_reset(&mut malformed, [0, 0]);
    assert_eq!(malformed.settle(0, Fate::AsCame), Err(Gone));

    let mut cut = Bench::open(Config::default());
    cut.give(In, 0, 0, ACK.with(Flags::FIN), &message(1, 100)[..3]);
    assert_reset(&mut cut, [0, 0]);
}

#[test]
fn fin_inside_a_message_of_known_length_leaves_filler_and_fin() {
    let mut bench = Bench::open(Config::default());
    bench.give(In, 0, 0, ACK.with(Flags::FIN), &message(1, 100)[..40]);
    let sent: Vec<_> = bench.take().into_iter().filter(|sent| sent.way == In).collect();
    assert_eq!((sent.len(), &sent[0].payload[..]), (1, &filler(100)[..40]));
    assert!(sent[0].flags.has(Flags::FIN));
    bench.give(Out, 0, 41, ACK.with(Flags::FIN), b"");
    let sent = bench.take();
    assert_eq!((sent[0].ack, sent[0].flags.has(Flags::FIN)), (41, true));
    bench.give(In, 41, 1, ACK, b"");
    assert_eq!(bench.take()[0].at, 41);
    bench.wait(120_001);
    assert!(bench.streams.is_empty(), "closed");
}

#[test]
fn a_receiver_gets_no_more_than_it_takes() {
    let mut bench = Bench::open(Config::default());
    bench.give(In, 0, 0, ACK, &message(9, 40));
    bench.settle(0, Fate::AsCame).unwrap();
    bench.take();
    bench.give_with(Out, 0, 40, ACK, 0, Options::default(), b"");
    assert_eq!(bench.take()[0].window, 19_960, "a promise is kept: what comes is kept here");
    bench.give(In, 40, 0, ACK, &message(1, 100));
    assert_eq!(bench.take()[0].at, 39, "the receiver is asked for its window");
    bench.settle(1, Fate::Octets(&[7; 300])).unwrap();
    assert!(bench.take().is_empty());
    bench.give_with(Out, 0, 40, ACK, 120, Options::default(), b"");
    let sent = bench.take();
    assert_eq!(sent.iter().map(|sent| (sent.way, sent.payload.len())).collect::<Vec<_>>(), [(Out, 0), (In, 120)]);
    bench.give_with(Out, 0, 160, ACK, 1000, Options::default(), b"");
    let sent = bench.take();
    assert_eq!(sent.iter().map(|sent| (sent.at, sent.payload.len())).collect::<Vec<_>>(), [(0, 0), (160, 180)]);
    assert_eq!((sent[0].ack, sent[0].window), (40, 19_960));
    bench.give_with(Out, 0, 340, ACK, 30_000, Options::default(), b"");
    assert_eq!((bench.take()[0].ack, bench.streams.counters().resets), (140, 0));
    bench.give_with(Out, 0, 340, ACK, 30_001, Options::default(), b"");
    assert_eq!(bench.take()[0].window, 30_001);
}

#[test]
fn growth_is_split_at_the_receivers_segment_size() {
    let mut bench = Bench::new(Config::default());
    let mss = |mss| Options { mss: Some(mss), ..Options::default() };
    bench.raw(In, ISN[0], 0, Flags::SYN, 20_000, mss(9000), b"");
    bench.raw(Out, ISN[1], ISN[0] + 1, Flags::SYN.with(ACK), 20_000, mss(600), b"");
    let sent = bench.take();
    assert_eq!((sent[0].options.mss, sent[1].options.mss), (Some(1460), Some(600)), "lowered to the link's");
    let stamped = Options { timestamps: Some((5, 6)), ..Options::default() };
    bench.give_with(In, 0, 0, ACK, 20_000, stamped, &message(1, 600));
    bench.settle(0, Fate::Octets(&[7; 1300])).unwrap();
    let sent: Vec<_> = bench.take().into_iter().filter(|sent| !sent.payload.is_empty()).collect();
    assert_eq!(
        sent.iter().map(|sent| (sent.at, sent.payload.len())).collect::<Vec<_>>(),
        [(0, 588), (588, 588), (1176, 124)]
    );
    assert!(sent.iter().all(|sent| sent.options.timestamps == Some((5, 6))));
}

#[test]
fn a_late_segment_does_not_turn_time_back() {
    let mut bench = Bench::open(Config::default());
    let stamped = |value| Options { timestamps: Some((value, 1)), ..Options::default() };
    let (one, two) = (message(1, 40), message(2, 40));
    bench.give_with(In, 40, 0, ACK, 20_000, stamped(101), &two);
    bench.give_with(In, 0, 0, ACK, 20_000, stamped(100), &one);
    bench.settle(0, Fate::AsCame).unwrap();
    bench.settle(1, Fate::AsCame).unwrap();
    assert!(bench.take().iter().filter(|sent| sent.way == In).all(|sent| sent.options.timestamps == Some((101, 1))));
}

#[test]
fn behind_a_hole_the_last_acknowledgement_is_said_again() {
    for sack_held in [false, true] {
        let mut bench = Bench::open(Config { sack_held, ..Config::default() });
        bench.give(Out, 0, 0, ACK, b"");
        bench.take();
        bench.give(In, 100, 0, ACK, &message(2, 60));
        let sent = bench.take();
        let again: Vec<_> = sent.iter().filter(|sent| sent.way == Out).collect();
        assert_eq!((again.len(), again[0].ack, again[0].payload.len()), (1, 0, 0));
        let blocks: Vec<_> = again[0].options.sack.iter().map(|(l, r)| (l - ISN[0] - 1, r - ISN[0] - 1)).collect();
        assert_eq!(blocks, if sack_held { vec![(100, 160)] } else { vec![] });
        assert!(bench.offers.is_empty());
    }
}

#[test]
fn what_a_greeting_may_not_carry_is_taken_off() {
    let mut bench = Bench::new(Config::default());
    let options = Options { mss: Some(1000), others: true, ..Options::default() };
    bench.raw(In, ISN[0], 0, Flags::SYN.with(Flags::URG).with(Flags::ECE), 100, options, &message(1, 40));
    let sent = bench.take();
    assert_eq!((sent.len(), sent[0].payload.len(), sent[0].options.others), (1, 0, false));
    assert_eq!(sent[0].flags, Flags::SYN.with(Flags::ECE));
    let counters = bench.streams.counters();
    assert_eq!((counters.syn_data, counters.options, counters.urgent), (1, 1, 1));
    bench.raw(Out, ISN[1], ISN[0] + 1, Flags::SYN.with(ACK), 20_000, Options::default(), b"");
    // Sent again behind the handshake, with an urgent octet: all of it is in line.
    bench.give(In, 0, 0, ACK.with(Flags::URG), &message(1, 40));
    assert_eq!(bench.offers[0].1, message(1, 40));
    bench.settle(0, Fate::AsCame).unwrap();
    assert!(bench.take().iter().all(|sent| !sent.flags.has(Flags::URG)));
}

#[test]
fn only_a_reset_with_the_right_number_ends_a_flow() {
    let mut bench = Bench::open(Config::default());
    bench.give(In, 0, 0, ACK, &message(1, 100));
    bench.settle(0, Fate::Octets(&[7; 300])).unwrap();
    bench.take();
    assert_eq!(bench.give(In, 5000, 0, Flags::RST, b""), Reason::OkNotSubject);
    assert_eq!(bench.take()[0].at, 5200, "in the window, not exact: its receiver asks");
    assert_eq!(bench.give(In, 1 << 20, 0, Flags::RST, b""), Reason::TcpStream);
    assert!(bench.take().is_empty());
    assert_eq!(bench.give(In, 100, 0, ACK, b""), Reason::OkNotSubject, "still open");
    bench.take();
    assert_eq!(bench.give(In, 100, 0, Flags::RST, b""), Reason::OkNotSubject);
    assert_eq!(bench.take()[0].at, 300);
    assert_eq!(bench.give(In, 100, 0, ACK, b"late"), Reason::TcpStream);
    assert!(bench.take().is_empty());
    bench.wait(120_001);
    assert!(bench.streams.is_empty());
}

#[test]
fn a_greeting_in_an_open_flow_counts_once_it_is_answered() {
    let mut bench = Bench::open(Config::default());
    let options = Options { mss: Some(1460), ..Options::default() };
    bench.give(In, 0, 0, ACK, &message(1, 100));
    bench.raw(In, 777, 0, Flags::SYN, 500, options, b"");
    assert_eq!(bench.raw(Out, 99, 555, Flags::SYN.with(ACK), 500, options, b""), Reason::TcpStream, "answers nothing");
    assert_eq!(bench.streams.message(bench.offers[0].0), Some(&message(1, 100)[..]), "the old one stays");
    bench.raw(Out, 99, 778, Flags::SYN.with(ACK), 500, options, b"");
    assert_eq!(bench.settle(0, Fate::AsCame), Err(Gone));
    assert_eq!(bench.streams.counters().opened, 2);
}

#[test]
fn a_probe_of_a_quiet_connection_arrives_as_one() {
    let mut bench = Bench::open(Config::default());
    bench.give(In, 0, 0, ACK, &message(1, 100));
    bench.settle(0, Fate::Octets(&[7; 300])).unwrap();
    bench.give(Out, 0, 300, ACK, b"");
    bench.take();
    for octets in [&b""[..], b"x"] {
        bench.give(In, 99, 0, ACK, octets);
        let sent = bench.take();
        assert_eq!((sent.len(), sent[0].at, sent[0].payload.len()), (1, 299, 0));
    }
}

#[test]
fn a_connection_met_in_mid_stream_goes_on_at_what_its_receiver_says() {
    let mut bench = Bench::new(Config::default());
    let one = message(1, 100);
    assert_eq!(bench.give(In, 5000, 800, ACK, &one), Reason::OkHeld);
    let sent = bench.take();
    assert_eq!((sent.len(), sent[0].at, sent[0].ack, sent[0].payload.len()), (1, 4999, 800, 0), "asked");
    assert!(bench.offers.is_empty());
    bench.give(Out, 800, 5000, ACK, b"");
    assert_eq!(bench.take()[0].ack, 5000);
    bench.give(In, 5000, 800, ACK, &one);
    assert_eq!(bench.offers.len(), 1);
    bench.settle(0, Fate::AsCame).unwrap();
    assert_eq!(bench.octets(In), (5000, one));
    bench.give(Out, 800, 5100, ACK, &message(2, 60));
    assert_eq!(bench.offers.len(), 2, "the other way is known since its receiver's first segment");
    assert_eq!((bench.streams.counters().adopted, bench.streams.counters().unsynced), (1, 1));
}

#[test]
fn what_is_no_border_in_mid_stream_does_not_pass() {
    for octets in [&b"in the middle of something"[..], &[&message(1, 40)[..], b"but no other"].concat()] {
        let mut bench = Bench::new(Config::default());
        bench.give(Out, 800, 5000, ACK, b"");
        bench.give(In, 5000, 800, ACK, octets);
        assert!(bench.offers.is_empty());
        assert!(bench.take().iter().all(|sent| sent.payload.is_empty()));
        assert_eq!(bench.streams.counters().resets, 1);
    }
    let mut off = Bench::new(Config { adopt: false, ..Config::default() });
    assert_eq!(off.give(Out, 800, 5000, ACK, b""), Reason::TcpStream);
    assert_eq!(off.streams.counters().resets, 1);
    assert!(off.take().is_empty(), "no frame of the other way was seen");
    off.give(In, 5000, 800, ACK, &message(1, 40));
    assert_eq!(
        off.take().iter().map(|sent| (sent.way, sent.at, sent.flags)).collect::<Vec<_>>(),
        [(Out, 800, Flags::RST)]
    );
}

#[test]
fn numbers_that_the_gateway_before_had_moved_end_in_a_reset() {
    // The sender's octets are a hundred further than the receiver waits for, or a hundred before.
    for at in [5100, 4900] {
        let mut bench = Bench::new(Config::default());
        bench.give(Out, 800, 5000, ACK, b"");
        let again = (0..20).take_while(|_| {
            bench.give(In, at, 800, ACK, &message(1, 40));
            bench.give(Out, 800, 5000, ACK, b"");
            bench.streams.counters().resets == 0
        });
        assert!((5..15).contains(&again.count()));
        assert!(bench.offers.is_empty() && bench.take().iter().all(|sent| sent.payload.is_empty()));
    }
}
