//! A device for tests: it does what it is told, and its time passes as it is looked at.

use super::device::{Device, Done, Life, Op, Source, Status};
use super::known::known;
use crate::alg::Alg;
use crate::engine::{Check, Engine, Reference, Verdicts};
use crate::keeper::lock;
use crate::verify::PublicKey;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What passes between two looks at the device.
const TICK: Duration = Duration::from_micros(100);

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is answered rightly.
    Good,
    /// It stays away until it is released.
    Never,
    /// It is answered rightly after so long.
    After(Duration),
    /// It comes back twice.
    Twice,
    /// It comes back with this.
    As(Status),
    /// It is answered wrongly.
    Lie,
    /// Something else comes back beside it.
    Ghost(u64),
}

pub(super) struct World {
    pub(super) now: Duration,
    pub(super) life: Life,
    /// Fates of the next operations; then all are good.
    pub(super) fates: VecDeque<Fate>,
    /// Of all operations without a fate of their own.
    pub(super) usual: Fate,
    /// Operations taken at a time, at most.
    pub(super) room: usize,
    /// What it says of a signature that does not hold.
    pub(super) no: Status,
    pub(super) restarts_well: bool,
    pub(super) wanted: bool,
    /// Operations taken.
    pub(super) taken: usize,
    /// Restarts asked for.
    pub(super) asked: usize,
    on_way: Vec<(Duration, Done)>,
    held_back: Vec<Done>,
    truth: Truth,
}

impl World {
    /// What stayed away comes back now.
    pub(super) fn release(&mut self) {
        let (now, back) = (self.now, std::mem::take(&mut self.held_back));
        self.on_way.extend(back.into_iter().map(|done| (now, done)));
    }

    fn take(&mut self, op: &Op<'_>) {
        self.taken += 1;
        let fate = self.fates.pop_front().unwrap_or(self.usual);
        let holds = self.truth.holds(op.alg, op.point, op.digest, op.signature);
        let status = |holds: bool| if holds { Status::Success } else { self.no };
        let (done, now) = (Done { cookie: op.cookie, status: status(holds) }, self.now);
        match fate {
            Fate::Good => self.on_way.push((now + TICK, done)),
            Fate::Never => self.held_back.push(done),
            Fate::After(delay) => self.on_way.push((now + delay, done)),
            Fate::Twice => self.on_way.extend([(now + TICK, done), (now + TICK * 2, done)]),
            Fate::As(status) => self.on_way.push((now + TICK, Done { status, ..done })),
            Fate::Lie => {
                let status = if holds { Status::AuthFailed } else { Status::Success };
                self.on_way.push((now + TICK, Done { status, ..done }));
            }
            Fate::Ghost(cookie) => {
                self.on_way.extend([(now, Done { cookie, status: Status::Success }), (now + TICK, done)]);
            }
        }
    }
}

/// What holds, found by the reference once for each question.
#[derive(Clone, Default)]
pub(super) struct Truth(Arc<Mutex<BTreeMap<Vec<u8>, bool>>>);

impl Truth {
    fn holds(&self, alg: Alg, point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
        let question = [point, digest, signature].concat();
        *lock(&self.0).entry(question).or_insert_with(|| {
            let key = PublicKey::from_bits(alg, &[&[4], point].concat(), false).unwrap();
            key.verify_digest(digest, signature)
        })
    }
}

/// A handle on the device, for a test and for the queue.
#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) world: Arc<Mutex<World>>,
    places: usize,
    algs: Vec<Alg>,
}

impl StandIn {
    pub(super) fn new(places: usize, algs: &[Alg]) -> Self {
        let world = World {
            now: Duration::from_secs(1),
            life: Life { epoch: 0, is_up: true },
            fates: VecDeque::new(),
            usual: Fate::Good,
            room: usize::MAX,
            no: Status::AuthFailed,
            restarts_well: true,
            wanted: false,
            taken: 0,
            asked: 0,
            on_way: Vec::new(),
            held_back: Vec::new(),
            truth: Truth::default(),
        };
        Self { world: Arc::new(Mutex::new(world)), places, algs: algs.to_vec() }
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.world))
    }

    pub(super) fn truth(&self) -> Truth {
        self.with(|world| world.truth.clone())
    }

    /// Time passes.
    pub(super) fn wait(&self, time: Duration) {
        self.with(|world| world.now += time);
    }
}

impl Device for StandIn {
    fn places(&self) -> usize {
        self.places
    }

    fn enqueue(&mut self, ops: &[Op<'_>]) -> usize {
        self.with(|world| {
            let count = if world.life.is_up { ops.len().min(world.room) } else { 0 };
            ops[..count].iter().for_each(|op| world.take(op));
            count
        })
    }

    fn dequeue(&mut self, done: &mut [Done]) -> usize {
        self.with(|world| {
            world.now += TICK;
            world.on_way.sort_by_key(|(due, _)| *due);
            let ready = world.on_way.iter().take_while(|(due, _)| *due <= world.now).count().min(done.len());
            world.on_way.drain(..ready).zip(done).for_each(|((_, from), to)| *to = from);
            ready
        })
    }

    fn life(&self) -> Life {
        self.with(|world| world.life)
    }

    fn restart(&mut self, epoch: u64) {
        self.with(|world| (world.wanted, world.asked) = (epoch == world.life.epoch, world.asked + 1));
    }

    fn now(&mut self) -> Duration {
        self.with(|world| world.now)
    }
}

impl Source for StandIn {
    fn name(&self) -> String {
        "stand-in".to_owned()
    }

    fn algs(&self) -> Vec<Alg> {
        self.algs.clone()
    }

    fn queue(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn tend(&self) {
        self.with(|world| {
            if std::mem::take(&mut world.wanted) {
                world.life.is_up = world.restarts_well;
                if world.restarts_well {
                    world.on_way.clear();
                    world.held_back.clear();
                    world.life.epoch += 1;
                }
            }
        });
    }
}

/// The engine behind: right, and it counts.
pub(super) struct Software {
    pub(super) asked: Arc<Mutex<usize>>,
    pub(super) truth: Truth,
}

impl Engine for Software {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        *lock(&self.asked) += checks.len();
        for (place, check) in checks.iter().enumerate() {
            let holds = match check.key.alg() {
                Alg::P256 | Alg::P384 => {
                    self.truth.holds(check.key.alg(), &check.key.bits()[1..], check.digest, check.signature)
                }
                Alg::Ed25519 | Alg::Rsa2048 => Reference::holds(check),
            };
            if holds {
                verdicts.grant(place);
            }
        }
    }
}

/// Questions to ask, owned: good and bad of a curve, in turns.
pub(super) fn questions(alg: Alg) -> Vec<(PublicKey, Vec<u8>, Vec<u8>, bool)> {
    known(alg).into_iter().map(|one| (one.key, one.digest, one.signature, one.holds)).collect()
}
