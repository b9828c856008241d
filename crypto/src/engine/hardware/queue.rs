//! One thread's queue of a device: sends, waits with a bound, and decides whether the device is fit to be asked.
//!
//! In service, nothing is on its way between two rounds. A round that breaks this takes the queue out of service; it comes back
//! when all that was on its way has come back, or the device was restarted, and all known answers are right again.

use super::board::{Count, Hardware};
use super::device::{Device, Done, Life, Op};
use super::known::{Known, known};
use super::range::{is_in_range, order};
use super::round::Round;
use super::slots::{Back, Slots};
use crate::alg::Alg;
use crate::engine::{CHECKS, Check};
use crate::sample::Evidence;
use core::hint::spin_loop;
use std::time::Duration;

/// How long a thread waits for what it sent, once it has nothing else to do: many times what a device takes, and short enough
/// for the messages behind.
pub(super) const BOUND: Duration = Duration::from_millis(10);

/// How long a device that failed is left alone, doubled with each failure up to the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Service after which earlier failures are forgotten.
const HEALED: Duration = Duration::from_secs(600);

/// Between two looks at a restart, and when it counts as failed.
const LOOK: Duration = Duration::from_millis(10);
pub(super) const RESTART: Duration = Duration::from_secs(5);

/// Verdicts after each start that software gives as well.
pub(super) const PROBATION: usize = 1024;

/// Errors one after another, on good signatures or without any answer, after which a device is not fit.
pub(super) const ERRORS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Serving,
    /// Not asked before then. With a time in `restart` a restart was asked for, and has failed when it comes.
    Out {
        until: Duration,
        restart: Option<Duration>,
    },
    /// It lied.
    Wrong,
}

/// How known answers came out.
enum Proof {
    /// For these algorithms they are right; why not for the others.
    Good(Vec<Alg>, String),
    /// The device did not get through.
    Trouble(&'static str),
    /// A wrong one.
    Lie(String, Box<Evidence>),
}

pub(super) struct Queue {
    device: Box<dyn Device>,
    board: Hardware,
    slots: Slots,
    done: [Done; CHECKS],
    declared: Vec<Alg>,
    questions: Vec<Known>,
    /// Whose known answers are right.
    algs: Vec<Alg>,
    life: Life,
    state: State,
    /// Only a restart can help.
    unfit: bool,
    probation: usize,
    errors: usize,
    since: Duration,
    pause: Duration,
}

impl Queue {
    /// Takes a queue of the device, if there is one, and asks it its known answers.
    pub(super) fn open(board: &Hardware) -> Option<Self> {
        let (mut device, declared) = board.queue()?;
        let (life, now, places) = (device.life(), device.now(), device.places());
        let mut queue = Self {
            device,
            board: board.clone(),
            slots: Slots::new(places),
            done: [Done::default(); CHECKS],
            questions: declared.iter().copied().flat_map(known).collect(),
            declared,
            algs: Vec::new(),
            life,
            state: State::Out { until: now, restart: None },
            unfit: false,
            probation: 0,
            errors: 0,
            since: now,
            pause: FIRST_PAUSE,
        };
        queue.recover(now);
        Some(queue)
    }

    /// Whether the device may be asked now. Brings one that is out of service back when it is time to.
    pub(super) fn is_ready(&mut self) -> bool {
        match self.state {
            State::Serving if self.device.life() == self.life && self.slots.out() == 0 => true,
            State::Serving => {
                // It was restarted for another thread, or tried to be. Not our failure, but it must prove itself again.
                self.slots.abandon();
                let until = self.device.now();
                self.leave(State::Out { until, restart: None });
                self.recover(until)
            }
            State::Out { until, .. } => {
                let now = self.device.now();
                now >= until && self.recover(now)
            }
            State::Wrong => false,
        }
    }

    /// Whether software gives the device's verdicts as well.
    pub(super) fn is_on_probation(&self) -> bool {
        self.probation > 0
    }

    /// So many verdicts more were as software's.
    pub(super) fn proven(&mut self, more: usize) {
        self.probation = self.probation.saturating_sub(more);
    }

    /// Sends what the device can do, and sorts out what nobody needs to do.
    pub(super) fn send(&mut self, checks: &[Check<'_>], round: &mut Round) {
        const NONE: Op<'static> = Op { place: 0, cookie: 0, alg: Alg::P256, point: &[], digest: &[], signature: &[] };
        let (mut ops, mut places, mut count) = ([NONE; CHECKS], [0; CHECKS], 0);
        for (at, check) in checks.iter().enumerate() {
            let (alg, Check { digest, signature, .. }) = (check.key.alg(), *check);
            let Some(order) = order(alg).filter(|_| self.algs.contains(&alg)) else { continue };
            // Of another length: the engine behind refuses it.
            if digest.len() != order.len() || signature.len() != 2 * order.len() {
                continue;
            }
            if !is_in_range(order, signature) {
                round.refused.add(at);
                continue;
            }
            // 04, x, y.
            let Some(point) = check.key.bits().get(1..).filter(|point| point.len() == 2 * order.len()) else {
                continue;
            };
            round.wanted.add(at);
            let Some((op, to)) = ops.get_mut(count).zip(places.get_mut(count)) else { continue };
            if let Some((place, cookie)) = self.slots.take(at) {
                (*op, *to) = (Op { place, cookie, alg, point, digest, signature }, at);
                count += 1;
            }
        }
        let ops = ops.get(..count).unwrap_or_default();
        let taken = if ops.is_empty() { 0 } else { self.device.enqueue(ops) };
        for (number, (op, at)) in ops.iter().zip(places).enumerate().rev() {
            if number < taken { round.sent.add(at) } else { self.slots.put_back(op.place) }
        }
    }

    /// Waits for what was sent. Afterwards nothing is on its way, or the queue is out of service.
    pub(super) fn receive(&mut self, round: &mut Round) {
        if round.sent.is_empty() {
            return;
        }
        let begun = self.device.now();
        while round.answered() != round.sent && !self.unfit {
            if self.collect(round) == 0 {
                if self.device.life() != self.life || self.device.now().saturating_sub(begun) > BOUND {
                    break;
                }
                spin_loop();
            }
        }
        let lost = self.slots.abandon();
        if self.unfit {
            // Which answer is whose is not sure any more.
            round.forget();
            self.fail("operations came back that were not on their way");
        } else if lost > 0 && self.device.life() == self.life {
            self.board.add(Count::Lost, lost);
            self.fail("operations did not come back in time");
        }
    }

    /// Sees what came back; returns how much.
    fn collect(&mut self, round: &mut Round) -> usize {
        let got = self.device.dequeue(&mut self.done);
        let (mut late, mut strays) = (0, 0);
        for done in self.done.iter().take(got) {
            match self.slots.back(done.cookie) {
                Back::Answer(place) => round.see(place, done.status),
                Back::Late => late += 1,
                Back::Stray => strays += 1,
            }
        }
        self.unfit |= strays > 0;
        self.board.add(Count::Late, late);
        self.board.add(Count::Stray, strays);
        got
    }

    /// Counts errors, which `good` ends. A device that has only errors left is out of service.
    pub(super) fn judge(&mut self, errors: usize, good: bool) {
        self.board.add(Count::Errors, errors);
        self.errors = if good { 0 } else { self.errors + errors };
        if self.errors >= ERRORS && self.state == State::Serving {
            self.unfit = true;
            self.fail("it answers nothing but errors");
        }
    }

    /// A verdict was wrong: the device is not asked any more, by nobody.
    pub(super) fn condemn(&mut self, why: &str, evidence: Evidence) {
        self.board.accuse(evidence);
        self.board.distrust(why);
        self.leave(State::Wrong);
    }

    /// Leaves it alone for a while.
    fn fail(&mut self, why: &str) {
        let now = self.device.now();
        if self.state == State::Serving && now.saturating_sub(self.since) >= HEALED {
            self.pause = FIRST_PAUSE;
        }
        self.board.say(why);
        self.board.add(Count::Outs, usize::from(self.state == State::Serving));
        self.leave(State::Out { until: now + self.pause, restart: None });
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn leave(&mut self, state: State) {
        if self.state == State::Serving {
            self.board.leave();
        }
        self.state = state;
    }

    /// Tries to take the device into service. Never waits but for known answers, which have the bound of a round.
    fn recover(&mut self, now: Duration) -> bool {
        // What comes back late frees its place. A device that never ends is looked at again later.
        let mut rounds = 0..self.slots.places().div_ceil(CHECKS) + 1;
        while rounds.next().is_some() && self.collect(&mut Round::default()) > 0 {}
        let life = self.device.life();
        if life.epoch != self.life.epoch {
            self.slots.reclaim();
            self.unfit = false;
            self.board.restarts(life.epoch);
        }
        self.life = life;
        if life.is_up && self.slots.out() == 0 && !self.unfit {
            return self.prove(now);
        }
        match self.state {
            State::Out { restart: Some(end), .. } if now >= end => self.fail("it cannot be restarted"),
            State::Out { restart: Some(end), .. } => self.look_again(now, end),
            _ => {
                // Where one is under way, this asks for nothing more.
                self.device.restart(life.epoch);
                self.look_again(now, now + RESTART);
            }
        }
        false
    }

    fn look_again(&mut self, now: Duration, end: Duration) {
        self.state = State::Out { until: now + LOOK, restart: Some(end) };
    }

    /// Asks all known answers.
    fn prove(&mut self, now: Duration) -> bool {
        self.state = State::Out { until: now, restart: None };
        let questions = std::mem::take(&mut self.questions);
        let proof = self.ask(&questions);
        self.questions = questions;
        match proof {
            Proof::Good(algs, why) => {
                (self.algs, self.errors, self.probation) = (algs, 0, PROBATION);
                (self.since, self.state) = (self.device.now(), State::Serving);
                self.board.say(&why);
                self.board.enter(&self.algs);
                return true;
            }
            Proof::Lie(why, evidence) => self.condemn(&why, *evidence),
            // Where a round was broken off, it has said so already.
            Proof::Trouble(why) if matches!(self.state, State::Out { until, .. } if until == now) => self.fail(why),
            Proof::Trouble(_) => {}
        }
        false
    }

    fn ask(&mut self, questions: &[Known]) -> Proof {
        self.algs.clone_from(&self.declared);
        let mut lacking: Vec<(Alg, &str)> = Vec::new();
        let mut rest = questions;
        while !rest.is_empty() {
            let checks: Vec<_> = rest.iter().take(CHECKS).map(Known::check).collect();
            let mut round = Round::default();
            self.send(&checks, &mut round);
            self.receive(&mut round);
            if round.sent.is_empty() {
                return Proof::Trouble("it takes no operations");
            }
            if round.answered() != round.sent {
                return Proof::Trouble("it does not give its known answers");
            }
            let taken = rest.get(..round.sent.count()).unwrap_or_default();
            for (place, known) in taken.iter().enumerate() {
                let said = round.yes.has(place);
                if round.verdicts().has(place) && said != known.holds {
                    let why =
                        format!("it calls {} {}: {}", if said { "valid" } else { "invalid" }, known.alg, known.what);
                    return Proof::Lie(why, Box::new(Evidence::of(&known.check(), said, known.holds, true)));
                }
                if said != known.holds || round.unanswered.has(place) {
                    lacking.push((known.alg, known.what));
                }
            }
            rest = rest.get(taken.len()..).unwrap_or_default();
        }
        let good = |alg: &Alg| {
            questions.iter().any(|known| known.alg == *alg) && lacking.iter().all(|(other, _)| other != alg)
        };
        let algs: Vec<_> = self.declared.iter().copied().filter(good).collect();
        match lacking.first() {
            Some(_) if algs.is_empty() => Proof::Trouble("it has errors for known answers"),
            Some((alg, what)) => Proof::Good(algs, format!("it has no answer for {alg}: {what}")),
            None if algs.is_empty() => Proof::Trouble("it has no algorithm of ours"),
            None => Proof::Good(algs, String::new()),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.leave(State::Wrong);
    }
}
