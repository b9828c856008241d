//! Every way in which a device can fail, with one that fails as it is told.

mod faults;
mod lies;
mod pool;
mod property;
mod service;

use super::board::Hardware;
use super::queue::PROBATION;
use super::stand_in::{Fate, Software, StandIn, questions};
use super::{Assisted, DeviceStats};
use crate::alg::Alg;
use crate::engine::{CHECKS, Check, Engine, Verdicts};
use crate::keeper::lock;
use crate::verify::PublicKey;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Question = (PublicKey, Vec<u8>, Vec<u8>, bool);

/// A device, and the engine of one thread that has a queue of it.
struct Scene {
    device: StandIn,
    board: Hardware,
    engine: Assisted,
    software: Arc<Mutex<usize>>,
    questions: Vec<Question>,
}

impl Scene {
    /// A device that does P-256, as it is before anybody asked it.
    fn opened(device: StandIn) -> Self {
        let software = Arc::<Mutex<usize>>::default();
        let behind = Software { asked: Arc::clone(&software), truth: device.truth() };
        let board = Hardware::new(Box::new(device.clone()));
        let engine = Assisted::new(Box::new(behind), &board);
        Self { device, board, engine, software, questions: questions(Alg::P256) }
    }

    fn new() -> Self {
        Self::opened(StandIn::new(128, &[Alg::P256]))
    }

    /// A device that has been in service for a while.
    fn trusted() -> Self {
        let mut scene = Self::new();
        scene.pass_probation();
        scene
    }

    fn pass_probation(&mut self) {
        for _ in 0..PROBATION.div_ceil(CHECKS) {
            self.round(CHECKS);
        }
        *lock(&self.software) = 0;
        self.round(CHECKS);
        assert_eq!(*lock(&self.software), 0, "software still answers");
    }

    fn stats(&self) -> DeviceStats {
        self.board.stats()
    }

    fn fates(&self, fates: &[Fate]) {
        self.device.with(|world| world.fates.extend(fates));
    }

    /// Asks `count` questions and sees to it that each verdict is right. Returns what software was asked.
    fn round(&mut self, count: usize) -> usize {
        let (verdicts, software) = self.ask(count);
        for (place, (.., holds)) in self.questions.iter().cycle().take(count).enumerate() {
            assert_eq!(verdicts.held(place), *holds, "place {place}");
        }
        software
    }

    fn ask(&mut self, count: usize) -> (Verdicts, usize) {
        let before = *lock(&self.software);
        let checks: Vec<_> = self.questions.iter().cycle().take(count).map(check).collect();
        let mut verdicts = Verdicts::default();
        self.engine.verify(&checks, &mut verdicts);
        (verdicts, *lock(&self.software) - before)
    }

    /// Lets control do its round and time pass until the device is tried again.
    fn after(&mut self, time: Duration) {
        self.device.wait(time);
        self.round(1);
        self.board.tend();
        self.device.wait(Duration::from_millis(20));
    }
}

fn check((key, digest, signature, _): &Question) -> Check<'_> {
    Check { key, table: None, digest, message: &[], signature }
}
