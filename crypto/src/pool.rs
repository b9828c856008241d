//! The crypto pool: pinned threads, or none, and one [`Client`] for each worker.

use crate::backoff;
use crate::client::{Counters, Lane, Relief};
use crate::crew::{Kit, Maker, Member};
use crate::engine::hardware::{Assisted, DeviceState, DeviceStats, Hardware};
use crate::engine::{Auto, Choice, Engine, EngineKind, Mode, Reference};
use crate::job::MAX_BATCH;
use crate::keeper::{Common, Keeper, PATIENCE, lock};
use crate::keyring::KeyRing;
use crate::sample::{Evidence, Skipped};
use crate::tables::{Curves, TableStats, Workshop};
use crate::thread::Seat;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use crate::client::{Busy, Client};
pub use crate::job::{MAX_MESSAGE, Outcome};
pub use crate::thread::is_replaced;

/// How long [`Pool::stop`] waits; the longest chunk (256 RSA signatures) takes a quarter of it.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Jobs in flight per worker at most; each costs a worker about 200 octets for each thread.
const MAX_QUEUE: usize = 1 << 16;

/// The pool's size and tempo. `Default` is inline, with DESIGN.md's numbers for the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// One thread is pinned to each of these cores; empty: workers compute for themselves.
    pub cores: Vec<usize>,
    /// Cores of other poll-mode threads: tables of keys are not made there if there is any other core.
    pub avoid: Vec<usize>,
    /// Jobs of one chunk at most, 1 to [`MAX_BATCH`].
    pub batch: usize,
    /// Age in microseconds of its first job at which a chunk is begun although more jobs keep coming.
    pub batch_us: u32,
    /// Jobs that one worker may have in flight, 1 to 65,536.
    pub queue: usize,
    /// Part of the queue that one peer alone may have in flight, 1 to 100 per cent (formats.md 1.6, crypto_share).
    pub share_percent: u8,
    /// Which engines may answer.
    pub engine: EngineKind,
    /// A device that is asked first, where [`EngineKind::Auto`] may answer.
    pub hardware: Option<Hardware>,
    /// Octets that the tables of keys may have.
    pub table_memory: usize,
    /// Window of the generators' tables, 10 to 16: 32 MiB at 16 for P-256, 2.7 MiB at 12.
    pub base_window: u32,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            cores: Vec::new(),
            avoid: Vec::new(),
            batch: 64,
            batch_us: 20,
            queue: 4096,
            share_percent: 50,
            engine: EngineKind::Auto,
            hardware: None,
            table_memory: 256 << 20,
            base_window: 12,
        }
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
    /// The thread is not ready after so long, or panicked.
    #[error("crypto thread on core {0} does not come up")]
    Launch(usize),
    /// The thread cannot be pinned: no such core, or not ours.
    #[error("cannot pin a crypto thread to core {0}")]
    Pin(usize),
}

/// What the pool is and did since the start, over all workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Threads configured; 0: inline.
    pub threads: usize,
    /// Threads that take jobs. Fewer than `threads` while one is started again.
    pub alive: usize,
    /// Threads that died too often and are not started again: an alarm.
    pub lost: usize,
    /// Threads started again.
    pub restarts: u64,
    /// Chunks answered; jobs over chunks tells how well batching works.
    pub batches: u64,
    /// Signatures that held.
    pub verified: u64,
    /// Signatures that did not hold.
    pub refused: u64,
    /// Signatures made.
    pub signed: u64,
    /// Jobs whose key was withdrawn while they waited.
    pub stale: u64,
    /// Jobs lost to an ended thread or a library fault.
    pub failed: u64,
    /// Which engine answers for which algorithm, and why.
    pub engines: Vec<Choice>,
    /// Tables of keys.
    pub tables: TableStats,
    /// Verdicts that the reference checked again.
    pub checked: u64,
    /// Verdicts to be checked again that were passed over, because control was behind.
    pub unchecked: u64,
    /// Verdicts of our engines that the reference does not share: a critical alarm. Since the first, only the reference
    /// answers.
    pub mismatches: u64,
    /// The device, if one is configured.
    pub device: Option<DeviceStats>,
    /// The first wrong verdicts, of engines and of the device.
    pub evidence: Vec<Evidence>,
}

/// The threads. Dropping it tells them to end; [`Pool::stop`] also waits.
pub struct Pool {
    kit: Kit,
    common: Arc<Common>,
    keeper: Option<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
    /// Of workers that compute for themselves.
    seats: Vec<Arc<Seat>>,
}

impl Pool {
    /// Checks the engines against known answers, starts and pins the threads, and makes a client for each worker.
    /// * `ring`: where the keys of all jobs are installed
    /// # Errors
    /// [`PoolError`]; threads started so far are told to end.
    pub fn start(config: PoolConfig, workers: usize, ring: &KeyRing) -> Result<(Self, Vec<Client>), PoolError> {
        let kind = config.engine;
        let maker: Maker = match kind {
            EngineKind::Reference => Arc::new(|| Box::new(Reference)),
            EngineKind::Auto => {
                let (window, hardware) = (config.base_window, config.hardware.clone());
                Arc::new(move || with(Box::new(Auto::new(window)), hardware.as_ref()))
            }
        };
        let workshop: Option<Arc<dyn Workshop>> = match kind {
            EngineKind::Reference => None,
            EngineKind::Auto => Some(Arc::new(Curves)),
        };
        Self::start_with(config, workers, ring, Parts { maker, workshop, patience: PATIENCE, pause: backoff::FIRST })
    }

    /// As [`Pool::start`], with engines and tables of the caller's.
    pub(crate) fn start_with(
        config: PoolConfig,
        workers: usize,
        ring: &KeyRing,
        parts: Parts,
    ) -> Result<(Self, Vec<Client>), PoolError> {
        check(&config)?;
        let Parts { maker, workshop, patience, pause } = parts;
        let kit = Kit {
            config,
            ring: ring.clone(),
            mode: Mode::default(),
            maker,
            skipped: Arc::<Skipped>::default(),
            choices: Arc::default(),
            pause,
            stop: Arc::<AtomicBool>::default(),
        };
        let counters: Vec<_> = (0..workers).map(|_| Arc::<Counters>::default()).collect();
        let common = Arc::<Common>::default();
        let mut pool = Self { kit: kit.clone(), common, keeper: None, counters: counters.clone(), seats: Vec::new() };
        let mut lanes: Vec<Vec<Lane>> = (0..workers).map(|_| Vec::new()).collect();
        for &core in &kit.config.cores {
            let (member, theirs) = Member::start(&kit, core, workers)?;
            lock(&pool.common.crew).members.push(member);
            lanes.iter_mut().zip(theirs).for_each(|(lanes, lane)| lanes.push(lane));
        }
        let mut clients = Vec::new();
        for (mut lanes, counters) in lanes.into_iter().zip(counters) {
            let mut inline = None;
            if kit.config.cores.is_empty() {
                let (lane, server) = pool.inline(&kit)?;
                lanes.push(lane);
                inline = Some(server);
            }
            clients.push(Client::new(&kit.config, ring.clone(), lanes, inline, counters, workshop.is_some()));
        }
        // Without threads, tables and engines of our own there is nothing to keep.
        if !kit.config.cores.is_empty() || kit.config.engine != EngineKind::Reference {
            pool.keeper = Some(Keeper::start(kit, Arc::clone(&pool.common), workshop, patience)?);
        }
        Ok((pool, clients))
    }

    /// A server for one worker to turn itself, and its only lane.
    fn inline(&mut self, kit: &Kit) -> Result<(Lane, Box<crate::server::Server>), PoolError> {
        let seat = Seat::new();
        let (ends, unmanned, outlook) = kit.server(1, &seat);
        let ends = ends.into_iter().next().ok_or(PoolError::Config("workers"))?;
        let server = Box::new(unmanned.with(kit.engine()?));
        lock(&self.common.inline).push(outlook);
        self.seats.push(seat);
        Ok((Lane::new(ends, Relief::new()), server))
    }

    /// Counts and liveness, for metrics and alarms.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let sum = |one: fn(&Counters) -> &AtomicU64| {
            self.counters.iter().map(|counters| one(counters).load(Ordering::Relaxed)).sum()
        };
        let roll = lock(&self.common.crew).roll();
        let shown = lock(&self.common.shown).clone();
        let mut engines = lock(&self.kit.choices).clone();
        let mut device = self.kit.config.hardware.as_ref().map(Hardware::stats);
        if self.kit.mode.is_distrusted() {
            let why = || "an engine of ours gave a wrong verdict".to_owned();
            for choice in &mut engines {
                (choice.engine, choice.why) = ("reference", why());
            }
            if let Some(device) = device.as_mut().filter(|device| device.state == DeviceState::Serving) {
                (device.state, device.why, device.algs) = (DeviceState::Out, why(), Vec::new());
            }
        }
        for choice in &mut engines {
            if let Some(device) = device.as_ref().filter(|device| device.algs.contains(&choice.alg)) {
                choice.why = format!("{}, else {}: {}", device.name, choice.engine, choice.why);
                choice.engine = "device";
            }
        }
        PoolStats {
            threads: roll.threads,
            alive: roll.alive,
            lost: roll.lost,
            restarts: roll.restarts,
            batches: roll.chunks + self.seats.iter().map(|seat| seat.chunks()).sum::<u64>(),
            verified: sum(|counters| &counters.verified),
            refused: sum(|counters| &counters.refused),
            signed: sum(|counters| &counters.signed),
            stale: sum(|counters| &counters.stale),
            failed: sum(|counters| &counters.failed),
            engines,
            tables: shown.tables,
            checked: shown.checked,
            unchecked: self.kit.skipped.get(),
            mismatches: shown.mismatches,
            device,
            evidence: shown.evidence,
        }
    }

    /// Ends the threads after the chunk each has in hand and joins them, for at most two seconds. Returns how many
    /// did not end in time; they are left alone and end with their chunk.
    ///
    /// Clients stay usable: what the threads did not begin comes back as `Failed`.
    pub fn stop(mut self) -> usize {
        self.tell();
        let deadline = Instant::now() + STOP_DEADLINE;
        // First the keeper: it would start threads again.
        let mut stuck = 0;
        if let Some(keeper) = self.keeper.take() {
            while !keeper.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            if keeper.is_finished() {
                let _ = keeper.join();
            } else {
                stuck += 1;
            }
        }
        stuck + lock(&self.common.crew).join(deadline.saturating_duration_since(Instant::now()))
    }

    fn tell(&self) {
        self.kit.stop.store(true, Ordering::Release);
        if let Some(keeper) = &self.keeper {
            keeper.thread().unpark();
        }
        // The keeper may be at it, and wakes nobody; those that sleep do so for microseconds.
        if let Ok(crew) = self.common.crew.try_lock() {
            crew.wake();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.tell();
    }
}

/// An engine, with the device in front of it if there is one.
fn with(engine: Box<dyn Engine>, hardware: Option<&Hardware>) -> Box<dyn Engine> {
    match hardware {
        Some(hardware) => Box::new(Assisted::new(engine, hardware)),
        None => engine,
    }
}

/// What a pool is put together from.
pub(crate) struct Parts {
    pub(crate) maker: Maker,
    pub(crate) workshop: Option<Arc<dyn Workshop>>,
    pub(crate) patience: u32,
    /// The first pause between two starts of a thread.
    pub(crate) pause: Duration,
}

fn check(config: &PoolConfig) -> Result<(), PoolError> {
    if !(1..=MAX_BATCH).contains(&config.batch) {
        Err(PoolError::Config("batch"))
    } else if !(1..=MAX_QUEUE).contains(&config.queue) {
        Err(PoolError::Config("queue"))
    } else if !(1..=100).contains(&config.share_percent) {
        Err(PoolError::Config("share_percent"))
    } else if !(10..=16).contains(&config.base_window) {
        Err(PoolError::Config("base_window"))
    } else {
        Ok(())
    }
}
