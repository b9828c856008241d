//! Messages through a TCP flow, octet for octet, whatever the network does.

mod tcp_model;

use sealgate_dataplane::state::stream::Config;
use tcp_model::{Weather, World, stream};

/// Runs one connection with messages both ways and compares what arrives.
fn flow(seed: u64, messages: u32, weather: Weather, change: impl Fn(&mut World)) -> World {
    let (a, wanted_b) = stream(0, messages, seed, 6000);
    let (b, wanted_a) = stream(1_000_000, messages, seed + 1, 6000);
    // Both number spaces wrap on the way.
    let isns = [u32::MAX - (a.len() / 2) as u32, u32::MAX - (b.len() / 3) as u32];
    // A lossy path with delays beyond the deadline is a matter of its own.
    let config = Config { hold_deadline_ms: 100_000, sack_held: seed.is_multiple_of(4), ..Config::default() };
    let mut world = World::new(config, seed, weather, [a, b], isns);
    change(&mut world);
    world.connect();
    let done = world.run(10_000_000);
    let [one, two] = &world.ends;
    println!(
        "seed {seed}: {} ms, sent {}/{} and {}/{}, retransmitted {} and {}, late {} {}, {:?}",
        world.now - 1_000_000,
        one.una,
        one.out.len(),
        two.una,
        two.out.len(),
        one.retransmissions,
        two.retransmissions,
        one.late,
        two.late,
        world.streams.counters()
    );
    assert!(done, "both senders finish");
    assert!(!one.reset && !two.reset);
    assert!(two.got == wanted_b, "towards home: {} of {}", two.got.len(), wanted_b.len());
    assert!(one.got == wanted_a, "towards the neighbour: {} of {}", one.got.len(), wanted_a.len());
    assert_eq!((one.fin_at, two.fin_at), (Some(wanted_a.len() as u64), Some(wanted_b.len() as u64)));
    assert_eq!(world.streams.counters().conflicts, 0);
    world
}

#[test]
fn fair_weather() {
    let world = flow(1, 500, Weather { loss: 0, delay: 1, verdict: 0 }, |_| ());
    assert_eq!(world.streams.counters().offered, 1000);
}

#[test]
fn ten_thousand_messages_both_ways_in_foul_weather() {
    flow(2, 10_000, Weather { loss: 3, delay: 8, verdict: 12 }, |_| ());
}

#[test]
fn many_short_connections() {
    for seed in 10..310 {
        let weather = Weather { loss: seed % 10, delay: 1 + seed % 7, verdict: seed % 30 };
        flow(seed, 60, weather, |world| {
            world.ends[0].sack = seed.is_multiple_of(2);
            world.ends[1].sack = seed.is_multiple_of(2);
            world.ends[1].timestamps = !seed.is_multiple_of(3);
            world.ends[0].mss = [1460, 1460, 600, 250][seed as usize % 4];
            world.ends[1].cwnd = [14_600, 9000, 60_000][seed as usize % 3];
        });
    }
}

#[test]
fn tiny_windows_and_shut_ones() {
    for seed in 1000..1100 {
        let weather = Weather { loss: seed % 4, delay: 3, verdict: 5 };
        flow(seed, 100, weather, |world| {
            world.reads = Some(200 + 50 * seed % 7);
            world.ends[0].capacity = 300 + 100 * (seed % 5);
            world.ends[1].capacity = 120 + 700 * (seed % 3);
            world.ends[1].shift = 0;
        });
    }
}

#[test]
fn octet_by_octet() {
    flow(90, 40, Weather { loss: 0, delay: 1, verdict: 3 }, |world| {
        world.ends.iter_mut().for_each(|end| end.largest = 1)
    });
    flow(91, 40, Weather { loss: 1, delay: 1, verdict: 3 }, |world| {
        for end in &mut world.ends {
            (end.largest, end.cwnd) = (1, 7000);
        }
    });
}

#[test]
fn the_corpus_replays() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/stream");
    for seed in std::fs::read_dir(corpus).expect("a corpus").flatten() {
        println!("{}", seed.path().display());
        sealgate_dataplane::state::stream::fuzzing::stream(&std::fs::read(seed.path()).expect("a seed"));
    }
}
