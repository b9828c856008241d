//! What tables and memory of connections do when they are full, and whole connections in bad weather.

use super::*;

/// Keeps whole frames.
#[derive(Default)]
struct Frames(Vec<(Direction, Vec<u8>)>);

impl Sink for Frames {
    fn send(&mut self, departure: &Departure<'_>) {
        let mut frame = vec![0xee];
        assert!(departure.lay(&mut frame));
        self.0.push((departure.way, frame.split_off(1)));
        let bad = Departure { head: &departure.head[..10], ..*departure };
        assert!(!bad.lay(&mut frame) && frame == [0xee]);
    }

    fn offer(&mut self, _: Ticket, _: &[u8]) {}
}

#[test]
fn frames_are_laid_under_the_head_of_their_way() {
    use sealgate_wire::{eth, ip, tcp};
    use std::net::{IpAddr, Ipv6Addr};
    let [remote, local] = [1, 2].map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    let key = Key { remote: IpAddr::V6(remote), local: IpAddr::V6(local), ..KEY };
    let head = |vlan: u8, hops: u8| {
        let mut head = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, vlan, 0x86, 0xdd];
        head.extend([0x60, 0, 0, 0, 0, 0, tcp::PROTOCOL, hops]);
        head.extend(remote.octets());
        head.extend(local.octets());
        head
    };
    let mut streams = Streams::new(Config::default());
    let mut frames = Frames::default();
    let mut give = |way, head: &[u8], seq, ack, flags, payload: &[u8]| {
        let header = Header { seq, ack, flags, window: 9000, ..Header::default() };
        let segment = Segment { header, options: Options::default(), payload };
        streams.segment(&key, way, head, &segment, &DIAMETER, 5, &mut frames);
    };
    give(In, &head(7, 60), 10, 0, Flags::SYN, b"");
    let mut back = head(8, 50);
    back[26..42].copy_from_slice(&local.octets());
    back[42..58].copy_from_slice(&remote.octets());
    give(Out, &back, 20, 11, Flags::SYN.with(ACK), b"");
    give(In, &head(7, 61), 11, 21, ACK, b"");
    // Out of place: its head is not taken over.
    give(In, &head(9, 1), 11 + (1 << 29), 21, ACK, b"");
    give(In, &head(7, 61), 11, 21, ACK.with(Flags::FIN), &message(1, 1600)[..1000]);
    let last = frames.0.iter().rev().find(|(way, _)| *way == In).unwrap();
    let frame = eth::Frame::parse(&last.1).unwrap();
    let packet = ip::Packet::parse(frame.ethertype, frame.payload).unwrap().unwrap();
    assert_eq!((packet.source, packet.destination), (key.remote, key.local));
    assert_eq!(tcp::checksum(packet.source, packet.destination, packet.payload), Some(0));
    let segment = Segment::parse(packet.payload).unwrap();
    assert_eq!((segment.header.source_port, segment.header.destination_port), (KEY.remote_port, KEY.local_port));
    assert!(segment.header.flags.has(Flags::FIN) && !segment.payload.is_empty());
    assert_eq!((last.1[15], last.1[25]), (7, 61));
    for (way, frame) in &frames.0 {
        assert_eq!(frame[15], if *way == In { 7 } else { 8 });
    }
}

#[test]
fn a_full_table_lets_nobody_push_out_who_is_in_use() {
    let mut bench = Bench::open(Config { flows: 4, ..Config::default() });
    for port in 0..100 {
        bench.key = Key { remote_port: port, ..KEY };
        assert_eq!(bench.raw(In, 1, 0, Flags::SYN, 100, Options::default(), b""), Reason::OkNotSubject);
    }
    assert_eq!((bench.streams.len(), bench.streams.counters().evicted), (4, 97));
    bench.key = KEY;
    bench.give(In, 0, 0, ACK, &message(1, 100));
    assert_eq!(bench.offers.len(), 1, "the open one is still there");
    for port in 200..203 {
        bench.key = Key { remote_port: port, ..KEY };
        bench.raw(In, 1, 0, Flags::SYN, 100, Options::default(), b"");
        bench.raw(Out, 5, 2, Flags::SYN.with(ACK), 100, Options::default(), b"");
    }
    bench.key = Key { remote_port: 300, ..KEY };
    assert_eq!(bench.raw(In, 1, 0, Flags::SYN, 100, Options::default(), b""), Reason::ResTableFull);
    assert_eq!(bench.streams.counters().table_full, 1);
    bench.now += 60_000;
    assert_eq!(bench.raw(In, 1, 0, Flags::SYN, 100, Options::default(), b""), Reason::OkNotSubject, "silent ones go");
    bench.wait(7_200_001);
    bench.wait(1);
    assert!(bench.streams.is_empty());
    assert_eq!(bench.settle(0, Fate::AsCame), Err(Gone));
}

#[test]
fn memory_is_bounded_and_what_finds_none_comes_again() {
    let mut bench = Bench::open(Config { pool_octets: 8192, ..Config::default() });
    let one = message(1, 6000);
    let mut at = 0;
    let mut refused = 0;
    for piece in one.chunks(1000) {
        refused += u32::from(bench.give(In, at, 0, ACK, piece) == Reason::ResMempool);
        at += 1000;
    }
    assert!(refused > 0 && bench.streams.buffered() <= 8192);
    assert_eq!(u64::from(refused), bench.streams.counters().no_buffer);
    bench.wait(200);
    assert_eq!(bench.octets(In).1[..], filler(6000)[..2000], "refused, and so the rest finds room");
}

#[test]
fn verdicts_without_room_are_refusals() {
    let mut bench = Bench::open(Config { settled_octets: 128, ..Config::default() });
    let one = message(1, 100);
    bench.give(In, 0, 0, ACK, &[&one[..], &one, &one].concat());
    bench.take();
    bench.settle(0, Fate::Octets(&[7; 200])).unwrap();
    bench.settle(1, Fate::Octets(b"")).unwrap();
    bench.settle(2, Fate::Octets(&[7; 128])).unwrap();
    assert_eq!(bench.octets(In), (0, [&filler(100)[..], &filler(100), &[7; 128]].concat()));
    assert_eq!(bench.streams.counters().no_room, 2);
}

/// Loss and order with the deadline of the default: what is late is refused, everything else arrives, nobody stands still.
#[test]
fn with_the_real_deadline_connections_still_finish() {
    let mut refused = 0;
    for seed in 0..40 {
        let weather = Weather { loss: seed % 8, delay: 6, verdict: 10 };
        let outs = [stream(0, 60, seed, 3000).0, stream(500, 60, seed + 9, 9000).0];
        let lens = [outs[0].len() as u64, outs[1].len() as u64];
        let mut world = World::new(Config::default(), seed, weather, outs, [7, 9]);
        world.judge = |octets| match verdict(octets) {
            Verdict::Other(_) => Verdict::Pass,
            other => other,
        };
        // The second sends messages that it cannot have under way at once.
        world.ends[1].cwnd = 5000;
        world.connect();
        assert!(world.run(3_000_000), "seed {seed}: {:?}", world.streams.counters());
        let got = [world.ends[1].got.len() as u64, world.ends[0].got.len() as u64];
        assert_eq!(got, lens, "nothing changed its length");
        refused += world.streams.counters().refused_late;
    }
    assert!(refused > 20, "{refused}");
}

/// A gateway that forgets everything in the middle of connections whose messages keep their length.
#[test]
fn connections_survive_a_restart() {
    let (mut dice, mut adopted) = (Dice::new(5), 0);
    for seed in 0..30 {
        let weather = Weather { loss: seed % 3, delay: 3, verdict: 3 };
        let (a, b) = (stream(0, 150, seed, 900).0, stream(5000, 150, seed + 9, 900).0);
        let config = Config { hold_deadline_ms: 100_000, ..Config::default() };
        let mut world = World::new(config, seed, weather, [a.clone(), b.clone()], [3, u32::MAX]);
        world.judge = |_| Verdict::Pass;
        world.connect();
        world.run(20 + dice.below(60));
        world.streams = Streams::new(config);
        let done = world.run(3_000_000);
        let counters = *world.streams.counters();
        if world.ends.iter().any(|end| end.reset) {
            // A message was half acknowledged: nobody can tell where the next begins.
            assert!(counters.resets > 0);
            continue;
        }
        assert!(done, "seed {seed}: {counters:?}");
        assert!(world.ends[1].got == a && world.ends[0].got == b, "seed {seed}");
        adopted += counters.adopted;
    }
    assert!(adopted > 10, "{adopted}");
}
