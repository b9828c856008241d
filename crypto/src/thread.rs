//! A crypto thread: turns its server, and steps aside when there is nothing to do.
//!
//! It ends when it is told to, when control has given it up, or by a panic. Its workers then find its seat empty, and
//! answer what they gave it as failed; control starts another one.

use crate::server::Server;
use crossbeam::utils::{Backoff, CachePadded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Turns without work that yield the core before the thread sleeps.
const YIELDS: u32 = 64;

/// Sleep of an idle thread. Workers never wake it, because a wake-up is a system call on their side; so this is
/// also the longest delay (with the timer's own slack) of the first jobs after a pause.
const NAP: Duration = Duration::from_micros(50);

/// The name of the thread on a core.
pub(crate) fn name(core: usize) -> String {
    format!("{PREFIX}{core}")
}

const PREFIX: &str = "crypto-";

/// Whether a panic of the thread of this name is answered by another thread in its place: that of a crypto thread is.
#[must_use]
pub fn is_replaced(name: Option<&str>) -> bool {
    let core = name.and_then(|name| name.strip_prefix(PREFIX));
    core.is_some_and(|core| core.parse::<usize>().is_ok())
}

/// What a thread, its workers and control have in common. Each new thread has a new one.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Taken: jobs are answered. Emptied by the thread as the last thing it does, or by control that gives it up.
    taken: AtomicBool,
    /// Turns. A thread that lives counts on.
    beat: CachePadded<AtomicU64>,
    chunks: AtomicU64,
}

impl Seat {
    pub(crate) fn new() -> Arc<Self> {
        let beat = CachePadded::new(AtomicU64::new(0));
        Arc::new(Self { taken: AtomicBool::new(true), beat, chunks: AtomicU64::new(0) })
    }

    /// Once `false`, all that the thread will ever be believed is in the rings of answers.
    pub(crate) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    /// Nobody waits for this thread any more, whatever it does.
    pub(crate) fn give_up(&self) {
        self.taken.store(false, Ordering::Release);
    }

    pub(crate) fn beat(&self) -> u64 {
        self.beat.load(Ordering::Relaxed)
    }

    pub(crate) fn chunks(&self) -> u64 {
        self.chunks.load(Ordering::Relaxed)
    }

    /// Counts chunks; one writer.
    pub(crate) fn add_chunks(&self, more: u64) {
        self.chunks.store(self.chunks() + more, Ordering::Relaxed);
    }
}

/// Drop, not a statement at the end: a panic passes here too.
struct Exit<'a>(&'a Seat);

impl Drop for Exit<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// The thread's life. Jobs not begun are left for their workers to fail.
pub(crate) fn work(mut server: Server, stop: &AtomicBool, seat: &Seat) {
    let _exit = Exit(seat);
    let (mut idle, mut beat) = (0_u32, 0_u64);
    let mut backoff = Backoff::new();
    while !stop.load(Ordering::Acquire) && seat.is_taken() {
        beat += 1;
        seat.beat.store(beat, Ordering::Relaxed);
        match server.turn() {
            Some(answered) => {
                seat.add_chunks(u64::from(answered > 0));
                idle = 0;
                backoff = Backoff::new();
            }
            // Spins first, then yields.
            None if !backoff.is_completed() => backoff.snooze(),
            None if idle < YIELDS => {
                idle += 1;
                thread::yield_now();
            }
            // A worker that shares this core gets it; `Pool::stop` unparks.
            None => thread::park_timeout(NAP),
        }
    }
}
