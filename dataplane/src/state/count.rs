//! Counters of the shared memories. They order nothing, so loom need not explore them.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An event counter that all workers share. For events that are rare in good traffic: each costs a cache line.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// The value by now.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
