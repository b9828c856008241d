//! The crypto pool: pinned threads, or none, and one [`Client`] for each worker.

use crate::client::{Counters, Crew, Lane};
use crate::engine::{Engine, Reference};
use crate::job::MAX_BATCH;
use crate::selftest;
use crate::thread::{self, Alive, Rings};
use core_affinity::CoreId;
use crossbeam::channel;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

pub use crate::client::{Busy, Client};
pub use crate::job::{MAX_MESSAGE, Outcome};

/// How long [`Pool::stop`] waits; the longest batch (256 RSA signatures) takes a quarter of it.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Jobs in flight per worker at most; each costs a worker about one KiB.
const MAX_QUEUE: usize = 1 << 16;

/// Core numbers that a thread can be pinned to.
const MAX_CORE: usize = 1024;

/// The pool's size and tempo. `Default` is inline, with DESIGN.md's numbers for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// One thread is pinned to each of these cores; empty: workers compute for themselves.
    pub cores: Vec<usize>,
    /// Jobs of one batch at most, 1 to [`MAX_BATCH`].
    pub batch: usize,
    /// Age in microseconds of its first job at which a part-filled batch is handed over.
    pub batch_us: u32,
    /// Jobs that one worker may have in flight, 1 to 65,536.
    pub queue: usize,
    /// Part of the queue that one peer may have in flight, 1 to 100 per cent (formats.md 1.6, crypto_share).
    pub share_percent: u8,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { cores: Vec::new(), batch: 64, batch_us: 20, queue: 4096, share_percent: 50 }
    }
}

/// Why the pool does not start. No thread is left behind.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// A number of [`PoolConfig`] is out of its range.
    #[error("crypto.{0} is out of range")]
    Config(&'static str),
    /// A known answer came out wrong: nothing this library says can be trusted.
    #[error("crypto library fails its known answers for {0}")]
    SelfTest(crate::alg::Alg),
    /// The system refused a thread.
    #[error("cannot start a crypto thread")]
    Spawn(#[from] std::io::Error),
    /// The thread cannot be pinned: no such core, or not ours.
    #[error("cannot pin a crypto thread to core {0}")]
    Pin(usize),
}

/// Counts since the start, over all clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Threads started; 0: inline.
    pub threads: usize,
    /// Threads that still take batches. Fewer than `threads` is an alarm.
    pub alive: usize,
    /// Batches answered; jobs over batches tells how well batching works.
    pub batches: u64,
    /// Signatures that held.
    pub verified: u64,
    /// Signatures that did not hold.
    pub refused: u64,
    /// Signatures made.
    pub signed: u64,
    /// Jobs lost to an ended thread or a library fault.
    pub failed: u64,
}

struct Member {
    handle: JoinHandle<()>,
    alive: Alive,
}

/// The threads. Dropping it tells them to end; [`Pool::stop`] also waits.
pub struct Pool {
    members: Vec<Member>,
    stop: Arc<AtomicBool>,
    counters: Vec<Arc<Counters>>,
}

impl Pool {
    /// Checks the library against known answers, starts and pins the threads, and makes a client for each worker.
    /// # Errors
    /// [`PoolError`]; threads started so far are told to end.
    pub fn start(config: PoolConfig, workers: usize) -> Result<(Self, Vec<Client>), PoolError> {
        Self::start_with(&config, workers, || Box::new(Reference))
    }

    /// As [`Pool::start`], with an engine for each thread, or for each client where there is none.
    pub(crate) fn start_with(
        config: &PoolConfig,
        workers: usize,
        mut engine: impl FnMut() -> Box<dyn Engine>,
    ) -> Result<(Self, Vec<Client>), PoolError> {
        check(config)?;
        let batches = Client::batches(config);
        let counters: Vec<_> = (0..workers).map(|_| Arc::new(Counters::default())).collect();
        let mut pool = Self { members: Vec::new(), stop: Arc::default(), counters: counters.clone() };
        let mut lanes: Vec<Vec<Lane>> = (0..workers).map(|_| Vec::new()).collect();
        for &core in &config.cores {
            let rings: Vec<_> = (0..workers).map(|_| Rings::new(batches)).collect();
            let alive = pool.spawn(core, rings.clone(), checked(engine())?)?;
            for (lanes, rings) in lanes.iter_mut().zip(rings) {
                lanes.push(Lane { rings, alive: alive.clone(), out: 0 });
            }
        }
        let clients: Result<_, PoolError> = lanes
            .into_iter()
            .zip(counters)
            .map(|(lanes, counters)| {
                let crew = if lanes.is_empty() { Crew::Inline(checked(engine())?) } else { Crew::Threads(lanes) };
                Ok(Client::new(config, crew, counters))
            })
            .collect();
        Ok((pool, clients?))
    }

    fn spawn(&mut self, core: usize, clients: Vec<Rings>, mut engine: Box<dyn Engine>) -> Result<Alive, PoolError> {
        if core >= MAX_CORE {
            return Err(PoolError::Pin(core));
        }
        let (alive, stop) = (Alive::new(), Arc::clone(&self.stop));
        let (report, pinned) = channel::bounded(1);
        let flag = alive.clone();
        let handle = Builder::new().name(format!("crypto-{core}")).spawn(move || {
            let held = core_affinity::set_for_current(CoreId { id: core });
            // The other end waits for it below.
            let _ = report.send(held);
            if held {
                thread::work(&clients, engine.as_mut(), &stop, flag);
            }
        })?;
        self.members.push(Member { handle, alive: alive.clone() });
        match pinned.recv() {
            Ok(true) => Ok(alive),
            Ok(false) | Err(_) => Err(PoolError::Pin(core)),
        }
    }

    /// Counts and liveness, for metrics and alarms.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let sum = |one: fn(&Counters) -> &AtomicU64| {
            self.counters.iter().map(|counters| one(counters).load(Ordering::Relaxed)).sum()
        };
        PoolStats {
            threads: self.members.len(),
            alive: self.members.iter().filter(|member| member.alive.get()).count(),
            batches: sum(|counters| &counters.batches),
            verified: sum(|counters| &counters.verified),
            refused: sum(|counters| &counters.refused),
            signed: sum(|counters| &counters.signed),
            failed: sum(|counters| &counters.failed),
        }
    }

    /// Ends the threads after the batch each has in hand and joins them, for at most two seconds. Returns how many
    /// did not end in time; they are left alone and end with their batch.
    ///
    /// Clients stay usable: what the threads did not begin comes back as `Failed`.
    pub fn stop(mut self) -> usize {
        self.tell();
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline && self.members.iter().any(|member| !member.handle.is_finished()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let members = std::mem::take(&mut self.members);
        let (ended, stuck): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.handle.is_finished());
        for member in ended {
            // An error is the panic of a thread whose clients have noticed already.
            let _ = member.handle.join();
        }
        stuck.len()
    }

    fn tell(&self) {
        self.stop.store(true, Ordering::Release);
        for member in &self.members {
            member.handle.thread().unpark();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.tell();
    }
}

/// No engine is used that does not know its known answers.
fn checked(mut engine: Box<dyn Engine>) -> Result<Box<dyn Engine>, PoolError> {
    selftest::run(engine.as_mut()).map_err(PoolError::SelfTest)?;
    Ok(engine)
}

fn check(config: &PoolConfig) -> Result<(), PoolError> {
    if !(1..=MAX_BATCH).contains(&config.batch) {
        Err(PoolError::Config("batch"))
    } else if !(1..=MAX_QUEUE).contains(&config.queue) {
        Err(PoolError::Config("queue"))
    } else if !(1..=100).contains(&config.share_percent) {
        Err(PoolError::Config("share_percent"))
    } else {
        Ok(())
    }
}
