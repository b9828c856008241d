//! Where control leaves a snapshot and workers find it.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One immutable snapshot at a time, replaced as a whole.
#[derive(Debug)]
pub struct PolicyCell<P> {
    epoch: AtomicU64,
    current: Mutex<Arc<P>>,
}

impl<P> PolicyCell<P> {
    /// A cell that holds `first`.
    pub fn new(first: P) -> Self {
        Self { epoch: AtomicU64::new(1), current: Mutex::new(Arc::new(first)) }
    }

    /// Control only. Keep the returned snapshot until its strong count is 1: no worker holds it then, and the free of a
    /// large table happens on control's core.
    pub fn publish(&self, next: Arc<P>) -> Arc<P> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *current, next);
        self.epoch.fetch_add(1, Ordering::Release);
        old
    }

    /// The snapshot of this moment; for control.
    pub fn current(&self) -> Arc<P> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A worker's view of the cell.
    pub fn reader(self: &Arc<Self>) -> PolicyReader<P> {
        let seen = self.epoch.load(Ordering::Acquire);
        PolicyReader { cell: Arc::clone(self), seen, held: self.current() }
    }
}

/// A worker's view of a [`PolicyCell`]: one snapshot, held from turn to turn.
#[derive(Debug)]
pub struct PolicyReader<P> {
    cell: Arc<PolicyCell<P>>,
    seen: u64,
    held: Arc<P>,
}

impl<P> PolicyReader<P> {
    /// Once a turn. One atomic load where nothing changed; never waits, not even for control.
    ///
    /// True if a newer snapshot was picked up.
    pub fn refresh(&mut self) -> bool {
        let epoch = self.cell.epoch.load(Ordering::Acquire);
        if epoch == self.seen {
            return false;
        }
        let Ok(current) = self.cell.current.try_lock() else { return false };
        self.seen = epoch;
        self.held = Arc::clone(&current);
        true
    }

    /// The snapshot in force since the last [`PolicyReader::refresh`].
    pub fn held(&self) -> &Arc<P> {
        &self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_the_new_one_at_refresh_and_control_frees_the_old() {
        let cell = Arc::new(PolicyCell::new(1));
        let mut reader = cell.reader();
        assert!(!reader.refresh());
        let old = cell.publish(Arc::new(2));
        assert_eq!((**reader.held(), Arc::strong_count(&old)), (1, 2));
        assert!(reader.refresh());
        assert_eq!((**reader.held(), Arc::strong_count(&old)), (2, 1));
        assert!(!reader.refresh());
    }

    #[test]
    fn a_reader_that_meets_control_at_work_goes_on_with_what_it_has() {
        let cell = Arc::new(PolicyCell::new(1));
        let mut reader = cell.reader();
        cell.publish(Arc::new(2));
        let held = cell.current.lock();
        assert!(!reader.refresh());
        assert_eq!(**reader.held(), 1);
        drop(held);
        assert!(reader.refresh());
    }
}
