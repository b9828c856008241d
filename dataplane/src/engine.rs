//! Starts, watches and stops the workers: the only door for control and perf.
//!
//! Each worker is a thread with its queue of each port; the loop around [`Worker::turn`](crate::pipeline::Worker::turn) is here and nowhere else, and
//! reads the clock once a turn. Everything that control may learn goes through copies of counters, everything that it
//! may change through [`Engine::publish`] and [`Engine::stop`].
//!
//! A worker that panics takes its queues with it: nothing is forwarded in its place, what others hand to it is dropped as
//! overload, and [`Engine::is_healthy`] says so. In `sealgate` it ends the whole process. No way leads from a fault to open
//! traffic.

mod gate;
mod idle;
mod task;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use crossbeam::queue::ArrayQueue;
use sealgate_crypto::pool::{Pool, PoolConfig, PoolError, PoolStats};

use self::gate::Gate;
pub use self::idle::Idle;
use self::task::{Common, Seat, Task};
use crate::io::FrameIo;
use crate::pipeline::worker::{Mailbox, Shared};
use crate::pipeline::{Sides, WorkerConfig};
use crate::policy::{PolicyCell, Snapshot};
use crate::stats::{Stats, StatsCell};

/// How long a worker that was told to drop everything may take until it is left alone.
const ABANDON: Duration = Duration::from_secs(1);

/// What the workers are started with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// One worker each, pinned to this core; `None`: wherever the scheduler puts it.
    pub cores: Vec<Option<usize>>,
    /// How a worker tells which way a frame goes.
    pub sides: Sides,
    /// Frames that may wait at a time, for each worker.
    pub frames: usize,
    /// Associations that each worker may remember.
    pub associations: usize,
    /// Frames that may be on their way from other workers to one, at least 1; beyond that they are dropped as overload.
    pub mailbox: usize,
    /// The crypto threads.
    pub crypto: PoolConfig,
    /// What a worker does while nothing comes.
    pub idle: Idle,
    /// Milliseconds since 1970, asked once a turn.
    pub clock: fn() -> u64,
    /// When the gateway started, milliseconds since 1970.
    pub started_ms: u64,
    /// First value of each worker's sequence counter: the start in microseconds since 1970 (formats 1.5).
    pub first_seq: u64,
}

impl Default for EngineConfig {
    /// One worker that started now, is not pinned and verifies for itself.
    fn default() -> Self {
        let worker = WorkerConfig::default();
        let started = since_1970();
        Self {
            cores: vec![None],
            sides: worker.sides,
            frames: worker.frames,
            associations: worker.associations,
            mailbox: 1024,
            crypto: PoolConfig::default(),
            idle: Idle::POLITE,
            clock: now_ms,
            started_ms: u64::try_from(started.as_millis()).unwrap_or(0),
            first_seq: u64::try_from(started.as_micros()).unwrap_or(0).max(1),
        }
    }
}

/// The system's clock, milliseconds since 1970; 0 where it stands before that.
pub fn now_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Why the engine does not start. No thread is left behind.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Workers and queues are not equally many, or there are none.
    #[error("{workers} workers cannot share {queues} queue pairs")]
    Queues {
        /// Workers configured.
        workers: usize,
        /// Queues of each port.
        queues: usize,
    },
    /// The crypto threads do not start.
    #[error(transparent)]
    Crypto(#[from] PoolError),
    /// The system refused a thread.
    #[error("cannot start worker {0}: {1}")]
    Spawn(usize, std::io::Error),
    /// No such core, or not ours.
    #[error("cannot pin worker {worker} to core {core}; see cores.workers")]
    Pin {
        /// The worker.
        worker: usize,
        /// The core.
        core: usize,
    },
    /// The ports' library does not take the thread.
    #[error("worker {0} cannot use its ports: {1}")]
    Enter(usize, String),
    /// The thread ended before it was up.
    #[error("worker {0} failed while it started")]
    Died(usize),
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// It is being set up.
    Starting,
    /// It turns.
    Running,
    /// It ended as it should.
    Done,
    /// It panicked, or could not be set up.
    Failed,
}

impl WorkerState {
    const ALL: [Self; 4] = [Self::Starting, Self::Running, Self::Done, Self::Failed];

    /// The word for output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What one worker shows of itself.
#[derive(Clone, Debug)]
pub struct WorkerView {
    /// The core it is pinned to.
    pub core: Option<usize>,
    /// What it is doing.
    pub state: WorkerState,
    /// A copy of its counters, at most a tenth of a second old.
    pub stats: Stats,
}

/// How stopping went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Workers that still held frames at the deadline, which were dropped, or that did not answer.
    pub late: usize,
    /// Workers that had panicked.
    pub failed: usize,
    /// Crypto threads that did not end in time.
    pub stuck: usize,
}

/// The running workers. A value of this may be shared: nothing in it waits for a worker but [`Engine::stop`].
pub struct Engine {
    common: Arc<Common>,
    policy: Arc<PolicyCell<Snapshot>>,
    /// Snapshots that a worker may still hold.
    retired: Mutex<Vec<Arc<Snapshot>>>,
    handles: Mutex<Vec<JoinHandle<()>>>,
    pool: Mutex<Option<Pool>>,
    crypto: Mutex<PoolStats>,
    shared: Arc<Shared>,
    started_ms: u64,
}

impl Engine {
    /// [`Engine::start_with`] memories that are empty.
    /// # Errors
    /// [`EngineError`]; workers started so far are ended.
    pub fn start<P, G>(
        config: EngineConfig,
        snapshot: Snapshot,
        queues: Vec<[P; 2]>,
        enter: impl Fn() -> Result<G, String> + Clone + Send + 'static,
    ) -> Result<Self, EngineError>
    where
        P: FrameIo + Send + 'static,
    {
        let shared = Shared::new(&snapshot);
        Self::start_with(config, snapshot, shared, queues, enter)
    }

    /// Starts crypto threads and workers, and returns when each worker turns.
    ///
    /// * `shared`: made for this snapshot, and perhaps filled with what an earlier run left
    /// * `queues`: for each worker its queue of port 0 (interconnect) and of port 1 (home)
    /// * `enter`: called on each worker's thread after it was pinned; what it returns lives as long as the thread
    /// # Errors
    /// [`EngineError`]; workers started so far are ended.
    pub fn start_with<P, G>(
        config: EngineConfig,
        snapshot: Snapshot,
        shared: Shared,
        queues: Vec<[P; 2]>,
        enter: impl Fn() -> Result<G, String> + Clone + Send + 'static,
    ) -> Result<Self, EngineError>
    where
        P: FrameIo + Send + 'static,
    {
        let workers = config.cores.len();
        if workers == 0 || queues.len() != workers {
            return Err(EngineError::Queues { workers, queues: queues.len() });
        }
        let shared = Arc::new(shared);
        let seats = config.cores.iter().map(|&core| Seat {
            core,
            state: AtomicU8::new(WorkerState::Starting as u8),
            over: AtomicBool::new(false),
            stats: Mutex::new(StatsCell::new(&Stats::new(snapshot.peers.len()))),
        });
        let common =
            Arc::new(Common { seats: seats.collect(), stop: AtomicBool::new(false), abandon: AtomicBool::new(false) });
        let policy = Arc::new(PolicyCell::new(snapshot));
        let (pool, clients) = Pool::start(config.crypto.clone(), workers, &policy.current().ring)?;
        let mailboxes: Vec<Mailbox<P::Frame>> = match workers {
            1 => Vec::new(),
            _ => (0..workers).map(|_| Arc::new(ArrayQueue::new(config.mailbox.max(1)))).collect(),
        };
        let engine = Self {
            common,
            policy,
            retired: Mutex::default(),
            handles: Mutex::default(),
            crypto: Mutex::new(pool.stats()),
            pool: Mutex::new(Some(pool)),
            shared: Arc::clone(&shared),
            started_ms: config.started_ms,
        };
        let (report, reports) = mpsc::channel();
        for (index, (ports, client)) in queues.into_iter().zip(clients).enumerate() {
            let task = Task {
                index,
                config: config.clone(),
                common: Arc::clone(&engine.common),
                ports: ports.map(Gate::new),
                policy: engine.policy.reader(),
                client,
                shared: Arc::clone(&shared),
                mailboxes: mailboxes.clone(),
            };
            let (enter, report) = (enter.clone(), report.clone());
            let thread = thread::Builder::new().name(format!("worker-{index}"));
            let handle = thread.spawn(move || task.run(&enter, &report)).map_err(|error| {
                engine.stop(Duration::ZERO);
                EngineError::Spawn(index, error)
            })?;
            lock(&engine.handles).push(handle);
        }
        drop(report);
        for _ in 0..workers {
            // A thread that panics before it reports drops its sender; then the channel ends early.
            let up = reports.recv().unwrap_or_else(|_| Err(EngineError::Died(engine.first_failed())));
            if let Err(error) = up {
                engine.stop(Duration::ZERO);
                return Err(error);
            }
        }
        Ok(engine)
    }

    fn first_failed(&self) -> usize {
        self.common.seats.iter().position(|seat| seat.state() == WorkerState::Failed).unwrap_or(0)
    }

    /// Puts another policy and trust into force; each worker picks it up at its next turn.
    ///
    /// * `snapshot`: [`Snapshot::next`] of the one in force, or no signature holds under it and peers change places
    pub fn publish(&self, snapshot: Snapshot) {
        for seat in &self.common.seats {
            lock(&seat.stats).grow(snapshot.peers.len());
        }
        let old = self.policy.publish(Arc::new(snapshot));
        lock(&self.retired).push(old);
        self.reclaim();
    }

    /// Frees the snapshots that no worker holds any more: here, on control's core. Call it now and then after
    /// [`Engine::publish`].
    ///
    /// Returns how many are still held: a worker lets go of one with its next turn.
    pub fn reclaim(&self) -> usize {
        let mut retired = lock(&self.retired);
        let (held, free) = std::mem::take(&mut *retired).into_iter().partition(|old| Arc::strong_count(old) > 1);
        *retired = held;
        let held = retired.len();
        // Large tables take their time: not under the lock.
        drop(retired);
        drop::<Vec<_>>(free);
        held
    }

    /// The policy and trust in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.policy.current()
    }

    /// What each worker shows of itself.
    pub fn workers(&self) -> Vec<WorkerView> {
        let view = |seat: &Seat| WorkerView { core: seat.core, state: seat.state(), stats: seat.read() };
        self.common.seats.iter().map(view).collect()
    }

    /// The counters of all workers added up.
    pub fn stats(&self) -> Stats {
        let mut sum: Option<Stats> = None;
        for seat in &self.common.seats {
            let one = seat.read();
            match &mut sum {
                Some(sum) => sum.add(&one),
                None => sum = Some(one),
            }
        }
        sum.unwrap_or_else(|| Stats::new(0))
    }

    /// Counts and liveness of the crypto threads; after a stop, those of its moment.
    pub fn crypto(&self) -> PoolStats {
        match lock(&self.pool).as_ref() {
            Some(pool) => pool.stats(),
            None => lock(&self.crypto).clone(),
        }
    }

    /// The memories that all workers share, for whoever looks at single verdicts, associations or replay windows.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// When the gateway started, milliseconds since 1970.
    pub fn started_ms(&self) -> u64 {
        self.started_ms
    }

    /// True once every worker has ended: all input was read to its end, or the engine was stopped.
    pub fn is_finished(&self) -> bool {
        self.common.seats.iter().all(Seat::has_ended)
    }

    /// False once a worker has panicked or a crypto thread has died too often to be started again.
    pub fn is_healthy(&self) -> bool {
        let crypto = self.crypto();
        self.common.seats.iter().all(|seat| seat.state() != WorkerState::Failed) && crypto.lost == 0
    }

    /// Stops: no frame is received any more, those in hand get their verdict and leave, then all threads end.
    ///
    /// * `deadline`: how long frames in hand may take; what is left then is dropped
    ///
    /// A second call finds nothing to do.
    pub fn stop(&self, deadline: Duration) -> Stopped {
        self.common.stop.store(true, Ordering::Release);
        let mut late = 0;
        if !self.ends_within(deadline) {
            late = self.common.seats.iter().filter(|seat| !seat.has_ended()).count();
            self.common.abandon.store(true, Ordering::Release);
            self.ends_within(ABANDON);
        }
        // One that does not end although it was told to twice is left alone: it ends with the process.
        for handle in std::mem::take(&mut *lock(&self.handles)).into_iter().filter(JoinHandle::is_finished) {
            // An error is the panic of a worker, whose seat says so.
            let _ = handle.join();
        }
        let stuck = match lock(&self.pool).take() {
            Some(pool) => {
                *lock(&self.crypto) = pool.stats();
                pool.stop()
            }
            None => 0,
        };
        let failed = self.common.seats.iter().filter(|seat| seat.state() == WorkerState::Failed).count();
        Stopped { late, failed, stuck }
    }

    /// What [`Shared::import`] of the next run goes on from; `None` unless every worker has ended as it should, since only
    /// then nothing is missing.
    ///
    /// * `now_ms`: milliseconds since 1970
    pub fn export(&self, now_ms: u64) -> Option<Vec<u8>> {
        let done = self.common.seats.iter().all(|seat| seat.state() == WorkerState::Done);
        done.then(|| self.shared.export(self.started_ms, now_ms))
    }

    /// What was seen of subscribers, for [`Shared::import_seen`] of the next run; `None` as in [`Engine::export`], or if no
    /// detector must know it.
    ///
    /// * `now_ms`: milliseconds since 1970
    pub fn export_seen(&self, now_ms: u64) -> Option<Vec<u8>> {
        let done = self.common.seats.iter().all(|seat| seat.state() == WorkerState::Done);
        let snapshot = self.snapshot();
        (done && snapshot.detection.follows()).then(|| self.shared.export_seen(&snapshot, now_ms))
    }

    /// Waits until all workers have ended, at most so long.
    fn ends_within(&self, time: Duration) -> bool {
        let until = Instant::now().checked_add(time);
        while !lock(&self.handles).iter().all(JoinHandle::is_finished) {
            if until.is_none_or(|until| Instant::now() >= until) {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.common.stop.store(true, Ordering::Release);
        self.common.abandon.store(true, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
