//! The threads of a pool: started, watched, and started again.

use crate::backoff::Backoff;
use crate::client::{Ends, Lane, Relief};
use crate::engine::{Choice, Engine, Mode};
use crate::keeper::lock;
use crate::keyring::KeyRing;
use crate::pool::{PoolConfig, PoolError};
use crate::ring::ring;
use crate::sample::{self, Auditor, Sampler, Skipped};
use crate::selftest;
use crate::server::{End, Server, Tempo, Tools};
use crate::tables::Hits;
use crate::thread::{self, Seat};
use core_affinity::CoreId;
use crossbeam::channel;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Core numbers that a thread can be pinned to.
const MAX_CORE: usize = 1024;

/// How long a thread may take until it is ready: to make the generators' tables and to find its known answers.
const LAUNCH: Duration = Duration::from_secs(20);

/// After so long a life a thread that dies is started again as if it were the first time.
const LONG_LIFE: Duration = Duration::from_secs(60);

/// How often a thread is started again before it is left dead.
const RESTARTS: u32 = 8;

/// Makes an engine for a thread, on that thread.
pub(crate) type Maker = Arc<dyn Fn() -> Box<dyn Engine> + Send + Sync>;

/// What all servers of a pool are made with.
#[derive(Clone)]
pub(crate) struct Kit {
    pub(crate) config: PoolConfig,
    pub(crate) ring: KeyRing,
    pub(crate) mode: Mode,
    pub(crate) maker: Maker,
    pub(crate) skipped: Arc<Skipped>,
    /// What the engine that was made last says of itself; they are all alike.
    pub(crate) choices: Arc<Mutex<Vec<Choice>>>,
    /// The first pause between two starts of a thread.
    pub(crate) pause: Duration,
    pub(crate) stop: Arc<AtomicBool>,
}

/// A server's side that control keeps.
pub(crate) struct Outlook {
    pub(crate) hits: Arc<Hits>,
    pub(crate) auditor: Auditor,
}

impl Kit {
    /// An engine that knows its known answers: none is used that does not.
    pub(crate) fn engine(&self) -> Result<Box<dyn Engine>, PoolError> {
        let mut engine = (self.maker)();
        selftest::run(engine.as_mut()).map_err(PoolError::SelfTest)?;
        *lock(&self.choices) = engine.choices();
        Ok(engine)
    }

    /// A server with its rings: one end of each for a worker, and what control keeps. Nothing of it needs an engine, so
    /// that the engine can be made where it will work.
    pub(crate) fn server(&self, workers: usize, seat: &Arc<Seat>) -> (Vec<Ends>, Unmanned, Outlook) {
        let (ours, theirs): (Vec<_>, Vec<_>) = (0..workers).map(|_| Ends::new(&self.config, seat)).unzip();
        let (out, from) = ring(sample::RING);
        let hits = Arc::<Hits>::default();
        hits.make_room(self.ring.current().slots().max(1));
        let unmanned = Unmanned {
            kit: self.clone(),
            ends: theirs,
            hits: Arc::clone(&hits),
            sampler: Sampler::new(out, Arc::clone(&self.skipped)),
        };
        (ours, unmanned, Outlook { hits, auditor: Auditor::new(from) })
    }
}

/// A server without its engine.
pub(crate) struct Unmanned {
    kit: Kit,
    ends: Vec<End>,
    hits: Arc<Hits>,
    sampler: Sampler,
}

impl Unmanned {
    pub(crate) fn with(self, engine: Box<dyn Engine>) -> Server {
        let Self { kit, ends, hits, sampler } = self;
        let tempo = Tempo { most: kit.config.batch, age: Duration::from_micros(u64::from(kit.config.batch_us)) };
        let sampler = (!engine.is_reference()).then_some(sampler);
        Server::new(ends, tempo, Tools { engine, mode: kit.mode, keys: kit.ring.reader(), hits, sampler })
    }
}

/// One thread, in all its lives.
pub(crate) struct Member {
    core: usize,
    seat: Arc<Seat>,
    handle: JoinHandle<()>,
    /// One a worker.
    reliefs: Vec<Arc<Relief>>,
    pub(crate) outlook: Outlook,
    restarts: u32,
    /// Pauses between its starts, and the last start.
    backoff: Backoff,
    born: Instant,
    /// Chunks of earlier lives.
    chunks: u64,
    beat: u64,
    still: u32,
    lost: bool,
}

/// What a look at the threads shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roll {
    pub(crate) threads: usize,
    pub(crate) alive: usize,
    pub(crate) lost: usize,
    pub(crate) restarts: u64,
    pub(crate) chunks: u64,
}

impl Member {
    /// Starts a thread on `core` and hands each worker its lane.
    pub(crate) fn start(kit: &Kit, core: usize, workers: usize) -> Result<(Self, Vec<Lane>), PoolError> {
        let reliefs: Vec<_> = (0..workers).map(|_| Relief::new()).collect();
        let (seat, handle, ends, outlook) = launch(kit, core, workers)?;
        let lanes = ends.into_iter().zip(&reliefs).map(|(ends, relief)| Lane::new(ends, Arc::clone(relief))).collect();
        let (restarts, chunks, beat, still, lost) = (0, 0, 0, 0, false);
        let (backoff, born) = (Backoff::from(kit.pause), Instant::now());
        Ok((Self { core, seat, handle, reliefs, outlook, restarts, backoff, born, chunks, beat, still, lost }, lanes))
    }

    /// Gives the thread up if it has not turned for `patience` looks. A machine that stalls stalls the looks too.
    fn look(&mut self, patience: u32) {
        let beat = self.seat.beat();
        self.still = if beat == self.beat { self.still + 1 } else { 0 };
        self.beat = beat;
        if self.still >= patience {
            self.seat.give_up();
        }
    }

    /// Whether the thread is to be started again: it has ended or was given up, and not too often.
    ///
    /// The first time at once, then with a pause that doubles, in which its jobs fail or go to other threads: what kills a
    /// thread is most often there still when it is started again.
    fn is_due(&mut self, now: Instant) -> bool {
        for relief in &self.reliefs {
            // Rings that a worker gave back are freed here.
            drop(relief.spent.pop());
        }
        if self.seat.is_taken() || self.lost {
            return false;
        }
        if now.duration_since(self.born) >= LONG_LIFE {
            self.backoff.succeeded();
        }
        if !self.backoff.is_over(now) {
            return false;
        }
        self.backoff.failed(now);
        self.born = now;
        self.lost = self.restarts >= RESTARTS;
        self.restarts += u32::from(!self.lost);
        !self.lost
    }

    /// Puts a new thread in the place of the one before, and leaves its rings to workers.
    ///
    /// The one before is left alone: it holds nothing that anybody waits for, and ends when it looks at its seat.
    fn replace(&mut self, (seat, handle, ends, outlook): Launched) {
        self.chunks += self.seat.chunks();
        (self.seat, self.handle, self.outlook, self.beat, self.still) = (seat, handle, outlook, 0, 0);
        for (relief, ends) in self.reliefs.iter().zip(ends) {
            // One that no worker took over is replaced: its thread has ended as well.
            drop(relief.fresh.force_push(Box::new(ends)));
        }
    }

    fn unpark(&self) {
        self.handle.thread().unpark();
    }
}

type Launched = (Arc<Seat>, JoinHandle<()>, Vec<Ends>, Outlook);

/// Starts a thread, and returns when it is pinned and its engine has passed its known answers, or does not come so far.
fn launch(kit: &Kit, core: usize, workers: usize) -> Result<Launched, PoolError> {
    if core >= MAX_CORE {
        return Err(PoolError::Pin(core));
    }
    let seat = Seat::new();
    let (ends, unmanned, outlook) = kit.server(workers, &seat);
    let (report, reports) = channel::bounded(1);
    let (own, kit, stop) = (Arc::clone(&seat), kit.clone(), Arc::clone(&kit.stop));
    let handle = Builder::new().name(thread::name(core)).spawn(move || {
        let engine = if core_affinity::set_for_current(CoreId { id: core }) {
            // Made after pinning: its memory is then near the core.
            kit.engine()
        } else {
            Err(PoolError::Pin(core))
        };
        match engine {
            Ok(engine) => {
                let server = unmanned.with(engine);
                // The other end waits for it below.
                let _ = report.send(Ok(()));
                thread::work(server, &stop, &own);
            }
            Err(error) => drop(report.send(Err(error))),
        }
    })?;
    match reports.recv_timeout(LAUNCH) {
        Ok(report) => report.map(|()| (seat, handle, ends, outlook)),
        Err(_) => {
            // It panicked, or hangs already. Should it come to itself, it finds its seat empty.
            seat.give_up();
            Err(PoolError::Launch(core))
        }
    }
}

/// A thread that is to be started again.
struct Due {
    index: usize,
    core: usize,
    workers: usize,
}

/// Looks at each thread, and starts again those that have ended or hang. Whoever asks for the crew meanwhile need not wait
/// until a new thread is ready.
pub(crate) fn watch(crew: &Mutex<Crew>, kit: &Kit, patience: u32) {
    let due = lock(crew).watch(patience);
    for Due { index, core, workers } in due {
        if kit.stop.load(Ordering::Acquire) {
            return;
        }
        if let Ok(launched) = launch(kit, core, workers)
            && let Some(member) = lock(crew).members.get_mut(index)
        {
            member.replace(launched);
        }
    }
}

/// All threads of a pool.
#[derive(Default)]
pub(crate) struct Crew {
    pub(crate) members: Vec<Member>,
}

impl Crew {
    /// One look at each thread. Called at even intervals by control. Returns which are to be started again.
    fn watch(&mut self, patience: u32) -> Vec<Due> {
        let (mut due, now) = (Vec::new(), Instant::now());
        for (index, member) in self.members.iter_mut().enumerate() {
            member.look(patience);
            if member.is_due(now) {
                due.push(Due { index, core: member.core, workers: member.reliefs.len() });
            }
        }
        due
    }

    pub(crate) fn roll(&self) -> Roll {
        let mut roll = Roll { threads: self.members.len(), ..Roll::default() };
        for member in &self.members {
            roll.alive += usize::from(member.seat.is_taken());
            roll.lost += usize::from(member.lost);
            roll.restarts += u64::from(member.restarts);
            roll.chunks += member.chunks + member.seat.chunks();
        }
        roll
    }

    /// Wakes threads that sleep, so that they see that they are to stop.
    pub(crate) fn wake(&self) {
        self.members.iter().for_each(Member::unpark);
    }

    /// Joins the threads, for at most so long. Returns how many did not end in time; they are left alone.
    pub(crate) fn join(&mut self, time: Duration) -> usize {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline && self.members.iter().any(|member| !member.handle.is_finished()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let members = std::mem::take(&mut self.members);
        let (ended, stuck): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.handle.is_finished());
        for member in ended {
            // An error is the panic of a thread whose workers have noticed already.
            let _ = member.handle.join();
        }
        stuck.len()
    }
}
