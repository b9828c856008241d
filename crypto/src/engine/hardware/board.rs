//! A device as the pool has it: who gives queues, what all threads together saw of it, and whether it is still believed.

use super::device::{Device, Source};
use crate::alg::Alg;
use crate::keeper::lock;
use crate::sample::Evidence;
use core::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A device that verifies, or one that cannot be used and why. A clone is the same device.
#[derive(Clone)]
pub struct Hardware(Arc<Inner>);

struct Inner {
    name: String,
    /// None: it cannot be used.
    source: Option<Box<dyn Source>>,
    distrusted: AtomicBool,
    /// Threads that ask it now.
    serving: AtomicUsize,
    counts: [AtomicU64; COUNTS],
    said: Mutex<Said>,
}

/// What changes seldom.
#[derive(Default)]
struct Said {
    why: String,
    algs: Vec<Alg>,
    evidence: Vec<Evidence>,
}

const COUNTS: usize = 9;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Answered,
    Full,
    Lost,
    Late,
    Stray,
    Errors,
    Outs,
    Restarts,
    Wrong,
}

/// How a device is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Threads ask it.
    Serving,
    /// It is not asked now; it is tried again.
    Out,
    /// It gave a wrong answer and is not asked until the next start.
    Wrong,
    /// It cannot be used.
    Refused,
}

impl DeviceState {
    /// The word for output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serving => "in service",
            Self::Out => "out of service",
            Self::Wrong => "out for good",
            Self::Refused => "not used",
        }
    }
}

/// What a device is and did since the start, over all threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStats {
    /// As configured, and what drives it.
    pub name: String,
    /// How it is doing.
    pub state: DeviceState,
    /// Why it is not asked, or was not the last time; empty if it always was.
    pub why: String,
    /// Threads that ask it.
    pub serving: usize,
    /// The algorithms that it answers for; empty while no thread asks it.
    pub algs: Vec<Alg>,
    /// Checks of which its answer counted.
    pub answered: u64,
    /// Checks that it would not take: its queue was full.
    pub full: u64,
    /// Operations that did not come back in time.
    pub lost: u64,
    /// Such that came back later.
    pub late: u64,
    /// Completions of operations that were not on their way.
    pub strays: u64,
    /// Operations that came back with an error although their signature holds, or without an answer.
    pub errors: u64,
    /// How often a thread stopped asking it: an alarm.
    pub outs: u64,
    /// Restarts that succeeded.
    pub restarts: u64,
    /// Verdicts that the reference does not share: a critical alarm.
    pub wrong: u64,
}

impl Hardware {
    /// A device that was opened.
    #[must_use]
    pub fn new(source: Box<dyn Source>) -> Self {
        Self::with(source.name(), Some(source), String::new())
    }

    /// A device that cannot be used.
    #[must_use]
    pub fn refused(name: String, why: String) -> Self {
        Self::with(name, None, why)
    }

    fn with(name: String, source: Option<Box<dyn Source>>, why: String) -> Self {
        Self(Arc::new(Inner {
            name,
            source,
            distrusted: AtomicBool::new(false),
            serving: AtomicUsize::new(0),
            counts: Default::default(),
            said: Mutex::new(Said { why, ..Said::default() }),
        }))
    }

    /// How it is doing.
    #[must_use]
    pub fn stats(&self) -> DeviceStats {
        let get = |count: Count| self.0.counts.get(count as usize).map_or(0, |count| count.load(Ordering::Relaxed));
        let serving = self.0.serving.load(Ordering::Acquire);
        let state = match (&self.0.source, self.is_distrusted(), serving) {
            (None, ..) => DeviceState::Refused,
            (_, true, _) => DeviceState::Wrong,
            (_, _, 0) => DeviceState::Out,
            _ => DeviceState::Serving,
        };
        let said = lock(&self.0.said);
        DeviceStats {
            name: self.0.name.clone(),
            state,
            why: said.why.clone(),
            serving,
            algs: if state == DeviceState::Serving { said.algs.clone() } else { Vec::new() },
            answered: get(Count::Answered),
            full: get(Count::Full),
            lost: get(Count::Lost),
            late: get(Count::Late),
            strays: get(Count::Stray),
            errors: get(Count::Errors),
            outs: get(Count::Outs),
            restarts: get(Count::Restarts),
            wrong: get(Count::Wrong),
        }
    }

    /// Whether it gave a wrong answer: nobody asks it any more.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.0.distrusted.load(Ordering::Acquire)
    }

    /// From now on nobody asks it, until the gateway is started again.
    pub(super) fn distrust(&self, why: &str) {
        self.0.distrusted.store(true, Ordering::Release);
        why.clone_into(&mut lock(&self.0.said).why);
    }

    /// So many verdicts were found wrong.
    pub(crate) fn convict(&self, wrong: usize) {
        self.add(Count::Wrong, wrong);
        if !self.is_distrusted() {
            self.distrust("it gave a wrong verdict");
        }
    }

    /// Control's round: restarts the device where that was asked for, and takes what threads found wrong.
    pub(crate) fn tend(&self) -> Vec<Evidence> {
        if let Some(source) = self.0.source.as_ref().filter(|_| !self.is_distrusted()) {
            source.tend();
        }
        std::mem::take(&mut lock(&self.0.said).evidence)
    }

    /// A queue for the calling thread, and what the device declares.
    pub(super) fn queue(&self) -> Option<(Box<dyn Device>, Vec<Alg>)> {
        let source = self.0.source.as_ref()?;
        let queue = source.queue();
        if queue.is_none() {
            self.say("no queue of it is left for a thread");
        }
        Some((queue?, source.algs()))
    }

    pub(super) fn add(&self, count: Count, more: usize) {
        if let Some(count) = self.0.counts.get(count as usize).filter(|_| more > 0) {
            count.fetch_add(more as u64, Ordering::Relaxed);
        }
    }

    /// The restarts that a thread knows of; they are the same for all.
    pub(super) fn restarts(&self, epoch: u64) {
        if let Some(count) = self.0.counts.get(Count::Restarts as usize) {
            count.fetch_max(epoch, Ordering::Relaxed);
        }
    }

    /// A thread asks the device from now on, for these algorithms.
    pub(super) fn enter(&self, algs: &[Alg]) {
        lock(&self.0.said).algs = algs.to_vec();
        self.0.serving.fetch_add(1, Ordering::AcqRel);
    }

    /// A thread that entered stops asking.
    pub(super) fn leave(&self) {
        self.0.serving.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn say(&self, why: &str) {
        // What was said of a wrong answer stays.
        if !self.is_distrusted() {
            why.clone_into(&mut lock(&self.0.said).why);
        }
    }

    /// A thread found a wrong answer, of the device or of the engine behind it.
    pub(super) fn accuse(&self, evidence: Evidence) {
        lock(&self.0.said).evidence.push(evidence);
    }
}

impl fmt::Debug for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hardware({})", self.0.name)
    }
}

impl PartialEq for Hardware {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Hardware {}
