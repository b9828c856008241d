//! Full queues, lost, late, doubled and failed operations, restarts.

use super::super::board::DeviceState;
use super::super::device::{Source, Status};
use super::super::queue::{BOUND, ERRORS, FIRST_PAUSE, LONGEST_PAUSE, PROBATION, RESTART};
use super::super::stand_in::{Fate, StandIn};
use super::Scene;
use crate::alg::Alg;
use crate::engine::CHECKS;
use std::time::Duration;

#[test]
fn what_a_full_queue_does_not_take_software_answers() {
    let mut scene = Scene::trusted();
    for room in [0, 1, 20, 63] {
        let full = scene.stats().full;
        scene.device.with(|world| world.room = room);
        assert_eq!((scene.round(CHECKS), scene.stats().full - full), (CHECKS - room, (CHECKS - room) as u64));
    }
    assert_eq!((scene.stats().state, scene.stats().outs), (DeviceState::Serving, 0));
    // Fewer places than checks are the same.
    let mut scene = Scene::opened(StandIn::new(10, &[Alg::P256]));
    for _ in 0..PROBATION.div_ceil(10) {
        scene.round(CHECKS);
    }
    assert_eq!(scene.round(CHECKS), CHECKS - 10);
}

#[test]
fn what_comes_back_late_but_in_time_counts() {
    let mut scene = Scene::trusted();
    scene.device.with(|world| world.usual = Fate::After(BOUND / 2));
    assert_eq!((scene.round(CHECKS), scene.stats().outs), (0, 0));
}

#[test]
fn what_never_comes_back_is_answered_by_software_and_the_device_is_restarted() {
    let mut scene = Scene::trusted();
    scene.fates(&[Fate::Good, Fate::Never, Fate::Never]);
    let begun = scene.device.with(|world| world.now);
    // Two are lost; those that came back count.
    assert_eq!(scene.round(10), 2);
    let waited = scene.device.with(|world| world.now) - begun;
    assert!((BOUND..BOUND * 2).contains(&waited), "{waited:?}");
    let stats = scene.stats();
    assert_eq!((stats.state, stats.outs, stats.lost), (DeviceState::Out, 1, 2));
    assert!(stats.why.contains("in time") && stats.algs.is_empty(), "{stats:?}");
    // Left alone while the pause lasts.
    let taken = scene.device.with(|world| world.taken);
    assert_eq!(scene.round(10), 10);
    assert_eq!(scene.device.with(|world| (world.taken, world.asked)), (taken, 0));
    // Then a restart is asked for, once; control does it; and all is proven anew.
    scene.device.wait(FIRST_PAUSE);
    assert_eq!(scene.round(10), 10);
    scene.device.wait(Duration::from_millis(20));
    assert_eq!(scene.round(10), 10);
    assert_eq!(scene.device.with(|world| (world.taken, world.asked)), (taken, 1));
    scene.board.tend();
    scene.device.wait(Duration::from_millis(20));
    assert_eq!(scene.round(10), 10, "on probation again");
    let stats = scene.stats();
    assert_eq!((stats.state, stats.restarts, stats.outs, stats.why.as_str()), (DeviceState::Serving, 1, 1, ""));
    scene.pass_probation();
}

#[test]
fn a_device_whose_operations_all_came_back_late_needs_no_restart() {
    let mut scene = Scene::trusted();
    scene.fates(&[Fate::Never; 5]);
    assert_eq!(scene.round(5), 5);
    scene.device.with(|world| world.release());
    // They hold, but nobody waits for them: the same places now ask other questions.
    scene.device.wait(FIRST_PAUSE);
    scene.questions.rotate_left(1);
    assert_eq!(scene.round(5), 5);
    let stats = scene.stats();
    assert_eq!((stats.state, stats.late, stats.strays, stats.restarts), (DeviceState::Serving, 5, 0, 0));
}

#[test]
fn a_restart_that_fails_is_tried_again_after_ever_longer_pauses() {
    let mut scene = Scene::trusted();
    scene.device.with(|world| world.restarts_well = false);
    scene.fates(&[Fate::Never]);
    scene.round(1);
    let mut pause = FIRST_PAUSE;
    for asked in 1..=12 {
        scene.device.wait(pause - Duration::from_millis(5));
        scene.round(1);
        assert_eq!(scene.device.with(|world| world.asked), asked - 1, "after {pause:?}");
        scene.device.wait(Duration::from_millis(5));
        scene.round(1);
        assert_eq!(scene.device.with(|world| world.asked), asked);
        scene.board.tend();
        scene.device.wait(RESTART);
        scene.round(1);
        assert!(scene.stats().why.contains("cannot be restarted"), "{:?}", scene.stats());
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    assert_eq!((pause, scene.stats().outs), (LONGEST_PAUSE, 1), "one alarm");
    scene.device.with(|world| world.restarts_well = true);
    scene.after(LONGEST_PAUSE);
    scene.round(1);
    assert_eq!((scene.stats().state, scene.stats().restarts), (DeviceState::Serving, 1));
}

#[test]
fn a_completion_that_nobody_asked_for_spoils_its_round_and_no_verdict() {
    // Cookies: none at all, place 0 in a use of long ago, a place that there is not.
    for ghost in [0, 1 << 16, 5 << 16 | 9999] {
        let mut scene = Scene::trusted();
        scene.fates(&[Fate::Good, Fate::Ghost(ghost)]);
        assert_eq!(scene.round(20), 20);
        let stats = scene.stats();
        assert_eq!((stats.state, stats.outs, stats.strays), (DeviceState::Out, 1, 1));
        scene.after(FIRST_PAUSE);
        scene.round(1);
        assert_eq!((scene.stats().state, scene.stats().restarts), (DeviceState::Serving, 1));
    }
}

#[test]
fn a_completion_that_comes_twice_counts_once() {
    let mut scene = Scene::trusted();
    // The second one comes in the next round, where its place asks something else.
    scene.fates(&[Fate::Twice]);
    assert_eq!(scene.round(1), 0);
    scene.questions.rotate_left(1);
    assert_eq!(scene.round(CHECKS), CHECKS);
    assert_eq!((scene.stats().state, scene.stats().strays), (DeviceState::Out, 1));
}

#[test]
fn only_success_grants_and_only_auth_failed_refuses() {
    use Status::{Error, InvalidArgs, InvalidSession, NotProcessed, Unknown};
    for status in [Error, InvalidArgs, InvalidSession, NotProcessed, Unknown] {
        let mut scene = Scene::trusted();
        let answer = |held: bool| if held { Fate::As(status) } else { Fate::Good };
        let fates: Vec<_> = scene.questions.iter().map(|(.., holds)| answer(*holds)).collect();
        scene.fates(&fates);
        // The eight good ones are asked again, and pass.
        assert_eq!((scene.round(27), scene.stats().errors), (8, 8), "{status:?}");
        let fates: Vec<_> = scene.questions.iter().map(|(.., holds)| answer(!*holds)).collect();
        scene.fates(&fates);
        // For a forged one an error is a way to say so; to come back without an answer is not.
        let errors = if matches!(status, Error | InvalidArgs) { 8 } else { 8 + 19 };
        assert_eq!((scene.round(27), scene.stats().errors), (19, errors), "{status:?}");
        assert_eq!(scene.stats().outs, 0);
    }
}

#[test]
fn a_device_whose_no_is_an_error_is_fit_and_no_forger_puts_it_out() {
    let device = StandIn::new(128, &[Alg::P256]);
    device.with(|world| world.no = Status::Error);
    let mut scene = Scene::opened(device);
    for _ in 0..PROBATION.div_ceil(8) {
        scene.round(27);
    }
    scene.questions.retain(|(.., holds)| !holds);
    for _ in 0..10 {
        assert_eq!(scene.round(CHECKS), CHECKS);
    }
    assert_eq!((scene.stats().state, scene.stats().errors, scene.stats().outs), (DeviceState::Serving, 0, 0));
}

#[test]
fn a_device_that_has_only_errors_left_is_restarted() {
    let mut scene = Scene::trusted();
    scene.questions.retain(|(.., holds)| *holds);
    scene.device.with(|world| world.usual = Fate::As(Status::Error));
    assert_eq!(scene.round(ERRORS - 1), ERRORS - 1);
    assert_eq!(scene.stats().state, DeviceState::Serving);
    assert_eq!(scene.round(1), 1);
    assert_eq!((scene.stats().state, scene.stats().outs, scene.stats().errors), (DeviceState::Out, 1, ERRORS as u64));
    // A restart does not help: its known answers are errors as well.
    scene.after(FIRST_PAUSE);
    assert_eq!(scene.round(1), 1);
    let stats = scene.stats();
    assert_eq!((stats.state, stats.restarts), (DeviceState::Out, 1));
    assert!(stats.why.contains("known answers"), "{}", stats.why);
    scene.device.with(|world| world.usual = Fate::Good);
    scene.after(FIRST_PAUSE * 2);
    assert_eq!(scene.stats().state, DeviceState::Serving);
}

#[test]
fn a_restart_for_another_thread_is_noticed_before_anything_is_asked() {
    let mut scene = Scene::trusted();
    scene.device.with(|world| world.life.is_up = false);
    let taken = scene.device.with(|world| world.taken);
    assert_eq!(scene.round(10), 10);
    assert_eq!((scene.stats().serving, scene.device.with(|world| world.taken)), (0, taken));
    scene.device.with(|world| (world.life.is_up, world.life.epoch) = (true, 1));
    scene.device.wait(Duration::from_millis(20));
    assert_eq!(scene.round(10), 10, "on probation");
    assert_eq!((scene.stats().state, scene.stats().outs, scene.stats().restarts), (DeviceState::Serving, 0, 1));
}

#[test]
fn a_restart_in_the_middle_of_a_round_costs_that_round() {
    let mut scene = Scene::trusted();
    scene.fates(&[Fate::Never; 3]);
    let other = scene.device.clone();
    // Another thread's restart comes while this one waits: simulated time has a second hand.
    let restarter = std::thread::spawn(move || {
        while other.with(|world| world.fates.len() == 3) {
            std::thread::yield_now();
        }
        other.with(|world| (world.wanted, world.restarts_well) = (true, true));
        other.tend();
    });
    assert_eq!(scene.round(3), 3);
    restarter.join().unwrap();
    scene.after(FIRST_PAUSE);
    scene.round(1);
    assert_eq!((scene.stats().state, scene.stats().restarts), (DeviceState::Serving, 1));
}
