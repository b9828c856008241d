//! One worker's thread: set up, turn until there is nothing left to do, end.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;

use core_affinity::CoreId;
use sealgate_crypto::pool::Client;

use super::gate::Gate;
use super::idle::Rest;
use super::{EngineConfig, EngineError, WorkerState, lock};
use crate::io::FrameIo;
use crate::pipeline::worker::{Mailbox, Shared};
use crate::pipeline::{Worker, WorkerConfig};
use crate::policy::{PolicyReader, Snapshot};
use crate::stats::{Stats, StatsCell};

/// Milliseconds between two copies of a worker's counters, at most.
const PUBLISH_MS: u64 = 100;
/// Core numbers that a thread can be pinned to.
const MAX_CORE: usize = 1024;
/// How often a worker tries to leave its last counters while somebody reads the ones before.
const LAST_TRIES: usize = 1000;

/// What a worker's thread and control have in common.
pub(super) struct Seat {
    pub(super) core: Option<usize>,
    pub(super) state: AtomicU8,
    /// No frame will come in by its own ports any more, so it hands none to others.
    pub(super) over: AtomicBool,
    pub(super) stats: Mutex<StatsCell>,
}

impl Seat {
    /// What the worker is doing.
    pub(super) fn state(&self) -> WorkerState {
        let state = usize::from(self.state.load(Ordering::Acquire));
        WorkerState::ALL.get(state).copied().unwrap_or(WorkerState::Failed)
    }

    /// The last copy of the worker's counters.
    pub(super) fn read(&self) -> Stats {
        lock(&self.stats).clone().read()
    }

    /// Says what the worker is doing.
    pub(super) fn set(&self, state: WorkerState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// True once the worker does nothing any more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state(), WorkerState::Done | WorkerState::Failed)
    }
}

/// What all of them have in common.
pub(super) struct Common {
    pub(super) seats: Vec<Seat>,
    /// Receive nothing more, finish what is in hand, end.
    pub(super) stop: AtomicBool,
    /// End now.
    pub(super) abandon: AtomicBool,
}

/// Everything that a worker's thread needs to make its worker.
pub(super) struct Task<P: FrameIo> {
    pub(super) index: usize,
    pub(super) config: EngineConfig,
    pub(super) common: Arc<Common>,
    pub(super) ports: [Gate<P>; 2],
    pub(super) policy: PolicyReader<Snapshot>,
    pub(super) client: Client,
    pub(super) shared: Arc<Shared>,
    pub(super) mailboxes: Vec<Mailbox<P::Frame>>,
}

impl<P: FrameIo> Task<P> {
    /// The whole life of a worker. `report` hears once whether it is up.
    pub(super) fn run<G>(self, enter: &dyn Fn() -> Result<G, String>, report: &Sender<Result<(), EngineError>>) {
        let Self { index, config, common, ports, policy, client, shared, mailboxes } = self;
        let Some(seat) = common.seats.get(index) else { return };
        let end = End(seat);
        if let Some(core) = seat.core
            && (core >= MAX_CORE || !core_affinity::set_for_current(CoreId { id: core }))
        {
            let _ = report.send(Err(EngineError::Pin { worker: index, core }));
            return;
        }
        // After pinning, so that the ports' library sees the right core; alive until the worker and its queues are gone.
        let entered = match enter() {
            Ok(entered) => entered,
            Err(why) => {
                let _ = report.send(Err(EngineError::Enter(index, why)));
                return;
            }
        };
        // Made on its own core: the memory of its tables is then near it.
        let settings = WorkerConfig {
            index,
            workers: config.cores.len(),
            sides: config.sides,
            frames: config.frames,
            associations: config.associations,
            started_ms: config.started_ms,
            first_seq: config.first_seq,
            journal: false,
        };
        let mut worker = Worker::new(settings, ports, policy, client, shared, mailboxes);
        *lock(&seat.stats) = worker.stats_cell();
        seat.set(WorkerState::Running);
        let _ = report.send(Ok(()));
        turn(&mut worker, &config, &common, seat);
        for _ in 0..LAST_TRIES {
            if worker.publish() {
                break;
            }
            thread::yield_now();
        }
        drop(worker);
        drop(entered);
        end.well();
    }
}

/// Turns until all input of all workers is over and nothing is in hand, or control gives up waiting for that.
fn turn<P: FrameIo>(worker: &mut Worker<Gate<P>>, config: &EngineConfig, common: &Common, seat: &Seat) {
    let mut rest = Rest::new(config.idle);
    let mut published_ms = 0;
    let mut taken = 0;
    let mut closed = false;
    loop {
        let now_ms = (config.clock)();
        let received = worker.turn(now_ms);
        // The clock may be set back as well as forward.
        if now_ms.abs_diff(published_ms) >= PUBLISH_MS {
            published_ms = now_ms;
            worker.publish();
        }
        if !closed && common.stop.load(Ordering::Relaxed) {
            closed = true;
            close(worker);
        }
        let moved = received > 0 || worker.stats().taken != taken;
        taken = worker.stats().taken;
        if moved {
            rest.reset();
            continue;
        }
        if common.abandon.load(Ordering::Relaxed) {
            return;
        }
        if is_exhausted(worker) {
            // What this worker handed to others was handed before this, and is in their mailboxes when they see it.
            seat.over.store(true, Ordering::Release);
            if common.seats.iter().all(|seat| seat.over.load(Ordering::Acquire)) && worker.is_done() {
                return;
            }
        }
        rest.pause(worker.in_flight() > 0);
    }
}

/// Lets nothing more in.
fn close<P: FrameIo>(worker: &mut Worker<Gate<P>>) {
    for number in 0..2 {
        if let Some(port) = worker.port_mut(number) {
            port.close();
        }
    }
}

/// True once nothing will come in by the worker's own ports any more.
fn is_exhausted<P: FrameIo>(worker: &mut Worker<Gate<P>>) -> bool {
    (0..2).all(|number| worker.port_mut(number).is_none_or(|port| port.exhausted()))
}

/// Leaves word of how a worker ended, also when it panicked.
struct End<'a>(&'a Seat);

impl End<'_> {
    fn well(self) {
        self.0.set(WorkerState::Done);
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        // Nobody waits for the input of one that is gone.
        self.0.over.store(true, Ordering::Release);
        if self.0.state() != WorkerState::Done {
            self.0.set(WorkerState::Failed);
        }
    }
}
