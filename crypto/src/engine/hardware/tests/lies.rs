//! A device that lies, and how it is found out.

use super::super::Assisted;
use super::super::board::DeviceState;
use super::super::device::Status;
use super::super::queue::LONGEST_PAUSE;
use super::super::stand_in::{Fate, StandIn};
use super::Scene;
use crate::alg::Alg;
use crate::engine::{Check, Engine, Verdicts};

#[test]
fn a_device_that_says_yes_to_another_message_is_never_asked_again() {
    for usual in [Fate::As(Status::Success), Fate::As(Status::AuthFailed)] {
        let device = StandIn::new(128, &[Alg::P256]);
        device.with(|world| world.usual = usual);
        let mut scene = Scene::opened(device);
        let stats = scene.stats();
        assert_eq!((stats.state, stats.serving), (DeviceState::Wrong, 0));
        let (word, said) = if usual == Fate::As(Status::Success) { ("valid", true) } else { ("invalid", false) };
        assert!(stats.why.starts_with(&format!("it calls {word} p256: ")), "{}", stats.why);
        let evidence = scene.board.tend();
        assert!(matches!(evidence.as_slice(), [one] if one.by_device && one.engine == said && one.reference != said));
        // Not even when it is good again.
        scene.device.with(|world| world.usual = Fate::Good);
        scene.after(LONGEST_PAUSE);
        assert_eq!((scene.round(10), scene.stats().state), (10, DeviceState::Wrong));
    }
}

#[test]
fn a_single_lie_among_the_known_answers_is_enough() {
    for place in 0..27 {
        let device = StandIn::new(128, &[Alg::P256]);
        device.with(|world| {
            world.fates.extend([Fate::Good; 27]);
            world.fates[place] = Fate::Lie;
        });
        assert_eq!(Scene::opened(device).stats().state, DeviceState::Wrong, "question {place}");
    }
}

#[test]
fn a_lie_on_probation_does_no_harm_and_is_the_last() {
    for place in [0, 1] {
        let mut scene = Scene::new();
        let mut fates = [Fate::Good; 5];
        fates[place] = Fate::Lie;
        scene.fates(&fates);
        // `round` sees to it that every verdict is right.
        assert_eq!(scene.round(5), 5);
        assert_eq!((scene.stats().state, scene.stats().serving), (DeviceState::Wrong, 0));
        let evidence = scene.board.tend();
        assert!(matches!(evidence.as_slice(), [one] if one.by_device && one.reference != one.engine));
        scene.board.convict(evidence.len());
        assert_eq!(scene.stats().wrong, 1);
    }
}

#[test]
fn on_probation_a_wrong_engine_behind_is_found_as_well() {
    /// Says no to everything.
    struct No;
    impl Engine for No {
        fn verify(&mut self, _: &[Check<'_>], _: &mut Verdicts) {}
    }
    let mut scene = Scene::new();
    scene.engine = Assisted::new(Box::new(No), &scene.board);
    scene.round(2);
    let evidence = scene.board.tend();
    assert!(matches!(evidence.as_slice(), [one] if !one.by_device && one.reference && !one.engine));
    assert_ne!(scene.stats().state, DeviceState::Wrong);
}

#[test]
fn found_wrong_by_a_sample_it_is_not_asked_any_more() {
    let mut scene = Scene::trusted();
    scene.board.convict(1);
    assert_eq!((scene.round(10), scene.stats().state, scene.stats().serving), (10, DeviceState::Wrong, 0));
    assert!(scene.stats().why.contains("wrong verdict"));
}
