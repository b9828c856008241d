//! A crypto thread: polls the rings of its clients in turn, and steps aside when there is nothing to do.
//!
//! It has two ways to end: told to, or by a panic where panics unwind (a release build aborts as a whole). Either way
//! each batch comes back to its client, and one that was not run to its end answers `Failed`.

use crate::engine::Engine;
use crate::job::Batch;
use crossbeam::queue::ArrayQueue;
use crossbeam::utils::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Turns without work that yield the core before the thread sleeps.
const YIELDS: u32 = 64;

/// Sleep of an idle thread. Clients never wake it, because a wake-up is a system call on their side; so this is
/// also the longest delay (with the timer's own slack) of the first batch after a pause.
const NAP: Duration = Duration::from_micros(50);

/// A bounded ring of batches.
pub(crate) type Ring = ArrayQueue<Box<Batch>>;

/// The two rings between one client and one thread. Both hold all batches of the client, so a push always fits.
#[derive(Clone)]
pub(crate) struct Rings {
    pub(crate) requests: Arc<Ring>,
    pub(crate) results: Arc<Ring>,
}

impl Rings {
    pub(crate) fn new(batches: usize) -> Self {
        Self { requests: Arc::new(ArrayQueue::new(batches)), results: Arc::new(ArrayQueue::new(batches)) }
    }
}

/// Whether a thread still takes batches. Turned off by the thread itself, as the last thing it does, however it ends.
#[derive(Clone)]
pub(crate) struct Alive(Arc<AtomicBool>);

impl Alive {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Once `false`, all that the thread will ever hand back is in the result rings.
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Drop, not a statement at the end: a panic passes here too.
struct Exit(Alive);

impl Drop for Exit {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

/// A batch in the hands of the thread goes back whatever happens; not run to its end, it answers `Failed`.
struct InHand<'a> {
    batch: Option<Box<Batch>>,
    results: &'a Ring,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            let pushed = self.results.push(batch);
            debug_assert!(pushed.is_ok(), "the ring holds all batches of its client");
        }
    }
}

/// The thread's life: until `stop`, or until an engine panics. Batches not begun are left for their clients to fail.
pub(crate) fn work(clients: &[Rings], engine: &mut dyn Engine, stop: &AtomicBool, alive: Alive) {
    let _exit = Exit(alive);
    let mut idle = 0_u32;
    let mut backoff = Backoff::new();
    while !stop.load(Ordering::Acquire) {
        let mut busy = false;
        for rings in clients {
            let mut hand = InHand { batch: rings.requests.pop(), results: &rings.results };
            if let Some(batch) = &mut hand.batch {
                busy = true;
                batch.run(engine);
            }
        }
        if busy {
            idle = 0;
            backoff = Backoff::new();
        } else if !backoff.is_completed() {
            // Spins first, then yields.
            backoff.snooze();
        } else if idle < YIELDS {
            idle += 1;
            thread::yield_now();
        } else {
            // A worker that shares this core gets it; `Pool::stop` unparks.
            thread::park_timeout(NAP);
        }
    }
}
