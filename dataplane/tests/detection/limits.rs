//! Memories filled to their limit by an attacker's pattern, through the whole gateway.

use std::time::Instant;

use sealgate_config::model::Detection;
use sealgate_wire::Reason;

use super::world::{Said, World, all};
use super::{A, B, D, PASSES, moves};

fn victim(n: u32) -> String {
    format!("00101{n:010}")
}

#[test]
fn who_fills_the_memories_pushes_out_nobody_else() {
    const VICTIMS: u32 = 400;
    const MADE_UP: u32 = 20_000;
    let mut world = World::with(all);
    for n in 0..VICTIMS {
        assert_eq!(moves(&mut world, B, &victim(n)), PASSES);
    }
    let before = world.gateway.shared.detection.memory();
    // D makes up subscribers, whom our register even accepts, from a new node each time.
    world.after(60);
    let clock = Instant::now();
    for n in 0..MADE_UP {
        let mut update = Said::update(D, world.id(), &victim(1_000_000 + n));
        update.calling = format!("99905{n:07}");
        assert_eq!(world.from(&update.begin()), PASSES);
        if n % 2 == 0 {
            assert_eq!(world.home(&update.accepted()), PASSES);
        }
    }
    let per_message = clock.elapsed().as_nanos() / u128::from(MADE_UP);
    let memories = &world.gateway.shared.detection;
    let (subscribers, sources) = (memories.subscribers.counters(), memories.sources.evicted());
    println!(
        "{MADE_UP} made up: {} subscribers and {sources} sources evicted, {} octets before and after; {per_message} ns each with the test around it",
        subscribers.evicted,
        memories.memory()
    );
    assert_eq!(memories.memory(), before);
    assert!(subscribers.evicted > 10_000 && sources > 15_000, "{subscribers:?} {sources}");
    // The others' subscribers are judged as before.
    let mut forgotten = 0;
    for n in 0..VICTIMS {
        let elsewhere = Said::ussd(A, world.id(), &victim(n));
        match world.from(&elsewhere.begin()) {
            Reason::DetPrevLocation => {}
            PASSES => forgotten += 1,
            other => panic!("{other:?}"),
        }
        assert_eq!(moves(&mut world, B, &victim(n)), PASSES, "and where it is nobody refuses it");
    }
    println!("{forgotten} of {VICTIMS} subscribers forgotten");
    // Keys are made by chance, and with them who shares a bucket with whom: 3 to 33 in fifty runs. Were it the oldest that
    // goes, all would.
    assert!(forgotten <= VICTIMS / 5, "{forgotten}");
}

/// What detection costs, by the same messages with and without it. Prints; asserts nothing of time.
#[test]
fn what_it_costs() {
    const MESSAGES: u32 = 20_000;
    let run = |name: &str, change: &dyn Fn(&mut Detection)| {
        let mut world = World::with(change);
        let frames: Vec<_> = (0..MESSAGES)
            .map(|n| {
                let id = world.id();
                let said = if n % 2 == 0 {
                    Said::update(B, id, &victim(n / 2 % 500))
                } else {
                    Said::ussd(B, id, &victim(n / 2 % 500))
                };
                super::common::traffic::frame(&super::common::traffic::inbound(), 1_000_000 + n, &said.begin())
            })
            .collect();
        let mut best = u128::MAX;
        for part in frames.chunks(2000) {
            let bursts: Vec<Vec<&[u8]>> =
                part.chunks(32).map(|burst| burst.iter().map(Vec::as_slice).collect()).collect();
            let clock = Instant::now();
            let mut passed = 0;
            for burst in &bursts {
                let step = world.gateway.burst(0, burst, world.now_ms);
                passed += step.records.iter().filter(|record| record.reason == PASSES).count();
            }
            best = best.min(clock.elapsed().as_nanos() / part.len() as u128);
            assert_eq!(passed, part.len(), "{name}");
        }
        best
    };
    let (off, on) = (run("off", &|_| ()), run("on", &all));
    println!("a message of the test: {off} ns with all detectors off, {on} ns with all of them on");
}
