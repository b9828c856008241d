//! What goes to the device and what does not, while all is well or nothing is.

use super::super::Assisted;
use super::super::board::{DeviceState, Hardware};
use super::super::device::Status;
use super::super::stand_in::{Fate, StandIn, questions};
use super::Scene;
use crate::alg::Alg;
use crate::engine::{CHECKS, Engine, Reference};
use crate::selftest;

#[test]
fn a_good_device_answers_for_itself_after_its_probation() {
    let mut scene = Scene::new();
    assert_eq!(
        (scene.stats().state, scene.stats().serving, scene.stats().algs),
        (DeviceState::Serving, 1, vec![Alg::P256])
    );
    // On probation software is asked all that the device is.
    assert_eq!((scene.round(CHECKS), scene.stats().answered), (CHECKS, 0));
    scene.pass_probation();
    let before = scene.stats().answered;
    let (verdicts, software) = scene.ask(27);
    assert_eq!((software, scene.stats().answered), (0, before + 27));
    assert!((0..27).all(|place| verdicts.is_by_device(place)) && !verdicts.is_by_device(27));
    let stats = scene.stats();
    assert_eq!((stats.full, stats.lost, stats.late, stats.strays, stats.errors, stats.outs), (0, 0, 0, 0, 0, 0));
    drop(scene.engine);
    assert_eq!((scene.board.stats().state, scene.board.stats().serving), (DeviceState::Out, 0));
}

#[test]
fn a_whole_engine_with_a_device_has_its_known_answers() {
    let device = StandIn::new(64, &[Alg::P256, Alg::P384]);
    let board = Hardware::new(Box::new(device.clone()));
    let mut engine = Assisted::new(Box::new(Reference), &board);
    let before = device.with(|world| world.taken);
    assert_eq!(selftest::run(&mut engine), Ok(()));
    assert!(device.with(|world| world.taken) > before + 100);
    assert_eq!(board.stats().algs, [Alg::P256, Alg::P384]);
}

#[test]
fn what_it_does_not_declare_goes_to_software() {
    let mut scene = Scene::trusted();
    let taken = scene.device.with(|world| world.taken);
    scene.questions = questions(Alg::P384);
    assert_eq!(scene.round(27), 27);
    scene.questions = vec![{
        let key = selftest::test_key(Alg::Ed25519);
        (key, vec![], vec![0; 64], false)
    }];
    assert_eq!((scene.round(3), scene.device.with(|world| world.taken)), (3, taken));
}

#[test]
fn numbers_out_of_range_and_of_other_lengths_never_reach_it() {
    let mut scene = Scene::trusted();
    let taken = scene.device.with(|world| world.taken);
    let (key, digest, signature, _) = scene.questions[0].clone();
    let (r, s) = signature.split_at(32);
    // A device that says yes to anything would grant them.
    scene.device.with(|world| world.usual = Fate::As(Status::Success));
    let outside = [[&[0; 32], s], [r, &[0; 32]], [&[0xff; 32], s], [r, &[0xff; 32]], [&[0; 32], &[0; 32]]];
    scene.questions = outside.iter().map(|parts| (key.clone(), digest.clone(), parts.concat(), false)).collect();
    assert_eq!((scene.round(5), scene.device.with(|world| world.taken)), (0, taken));
    // The engine behind refuses what has another length.
    for (digest, signature) in [(digest[1..].to_vec(), signature.clone()), (digest.clone(), signature[1..].to_vec())] {
        scene.questions = vec![(key.clone(), digest, signature, false)];
        assert_eq!((scene.round(1), scene.device.with(|world| world.taken)), (1, taken));
    }
}

#[test]
fn a_device_that_does_one_curve_only_is_asked_for_that_one() {
    let device = StandIn::new(128, &[Alg::P256, Alg::P384]);
    // Known answers of P-256 come first: 27. Those of P-384 are errors.
    device.with(|world| world.fates.extend([Fate::Good; 27].into_iter().chain([Fate::As(Status::InvalidArgs); 27])));
    let scene = Scene::opened(device);
    let stats = scene.stats();
    assert_eq!((stats.state, stats.algs), (DeviceState::Serving, vec![Alg::P256]));
    assert!(stats.why.contains("p384"), "{}", stats.why);
}

#[test]
fn a_device_that_does_nothing_at_all_is_out_from_the_start() {
    for (places, room, usual, algs) in [
        (0, 64, Fate::Good, [Alg::P256]),
        (64, 0, Fate::Good, [Alg::P256]),
        (64, 64, Fate::Never, [Alg::P256]),
        (64, 64, Fate::As(Status::NotProcessed), [Alg::P256]),
        (64, 64, Fate::Good, [Alg::Ed25519]),
    ] {
        let device = StandIn::new(places, &algs);
        device.with(|world| (world.room, world.usual) = (room, usual));
        let mut scene = Scene::opened(device);
        assert_eq!((scene.stats().state, scene.round(10)), (DeviceState::Out, 10), "{places} {room} {usual:?}");
        assert!(!scene.stats().why.is_empty());
    }
    let refused = Hardware::refused("0000:3d:01.0".to_owned(), "no such device".to_owned());
    let engine = Assisted::new(Box::new(Reference), &refused);
    assert_eq!((refused.stats().state, refused.stats().why.as_str()), (DeviceState::Refused, "no such device"));
    assert!(engine.choices().iter().all(|choice| choice.engine == "reference"));
}
