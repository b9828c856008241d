//! Devices that fail in any order.

use super::super::board::DeviceState;
use super::super::device::Status;
use super::super::stand_in::Fate;
use super::Scene;
use crate::engine::CHECKS;
use proptest::prelude::*;
use std::time::Duration;

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Good),
        1 => Just(Fate::Never),
        2 => (0..15_000_u64).prop_map(|us| Fate::After(Duration::from_micros(us))),
        1 => Just(Fate::Twice),
        1 => Just(Fate::As(Status::Error)),
        1 => Just(Fate::As(Status::InvalidArgs)),
        1 => Just(Fate::As(Status::NotProcessed)),
        1 => Just(Fate::As(Status::InvalidSession)),
        1 => any::<u64>().prop_map(Fate::Ghost),
        1 => (0..4_u64, 0..64_u64).prop_map(|(generation, place)| Fate::Ghost(generation << 16 | place)),
    ]
}

/// A round: fates of its operations, questions, room in the queue, milliseconds before it, and what happens then.
type Step = (Vec<Fate>, Vec<usize>, usize, u64, u8);

fn step() -> impl Strategy<Value = Step> {
    (
        prop::collection::vec(fate(), 0..80),
        prop::collection::vec(0..32_usize, 1..=CHECKS),
        prop_oneof![4 => Just(usize::MAX), 1 => 0..CHECKS],
        prop_oneof![3 => 0..5_u64, 1 => 0..3000_u64],
        0..8_u8,
    )
}

proptest! {
    /// Whatever a device does but lie, verdicts are the reference's.
    #[test]
    fn verdicts_are_the_references_whatever_the_device_does(steps in prop::collection::vec(step(), 1..40), calm in 0..2_u8) {
        let mut scene = Scene::trusted();
        let outside = scene.questions[0].clone();
        scene.questions.extend([32, 63].map(|end| {
            let mut signature = outside.2.clone();
            signature[end - 31..=end].fill(0);
            (outside.0.clone(), outside.1.clone(), signature, false)
        }));
        let all = std::mem::take(&mut scene.questions);
        for (fates, places, room, pause, event) in steps {
            scene.device.with(|world| {
                // What is left over of the round before is not carried into this one's known answers in a calm run.
                world.fates.clear();
                world.fates.extend(fates.iter().filter(|_| calm == 0 || world.life.epoch < 3));
                world.room = room;
                match event {
                    0 => world.release(),
                    1 => world.restarts_well = !world.restarts_well,
                    2 => world.life.is_up = !world.life.is_up,
                    _ => {}
                }
            });
            if event > 4 {
                scene.board.tend();
            }
            scene.device.wait(Duration::from_millis(pause));
            scene.questions = places.iter().map(|place| all[place % all.len()].clone()).collect();
            let (verdicts, _) = scene.ask(places.len());
            for (place, question) in scene.questions.iter().enumerate() {
                // The reference's, as the known answers' own test shows.
                prop_assert_eq!(verdicts.held(place), question.3, "place {}", place);
            }
        }
        prop_assert_ne!(scene.stats().state, DeviceState::Wrong);
    }
}
