//! Where control leaves an immutable value and the threads of the packet path find it.

use crate::sync::{AtomicU64, Mutex, Ordering};
use std::mem;
use std::sync::{Arc, PoisonError};

/// One immutable value at a time, replaced as a whole.
#[derive(Debug)]
pub struct Published<T> {
    epoch: AtomicU64,
    current: Mutex<Arc<T>>,
}

impl<T> Published<T> {
    /// A cell that holds `first`.
    pub fn new(first: T) -> Self {
        Self { epoch: AtomicU64::new(1), current: Mutex::new(Arc::new(first)) }
    }

    /// Control only. Keep the returned value until its strong count is 1: no reader holds it then, and the free of a
    /// large table happens on control's core.
    pub fn publish(&self, next: Arc<T>) -> Arc<T> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *current, next);
        self.epoch.fetch_add(1, Ordering::Release);
        old
    }

    /// The value of this moment; for control.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A view of the cell for one thread.
    pub fn reader(self: &Arc<Self>) -> Reader<T> {
        let seen = self.epoch.load(Ordering::Acquire);
        Reader { cell: Arc::clone(self), seen, held: self.current() }
    }
}

/// One thread's view of a [`Published`]: one value, held from turn to turn.
#[derive(Debug)]
pub struct Reader<T> {
    cell: Arc<Published<T>>,
    seen: u64,
    held: Arc<T>,
}

impl<T> Reader<T> {
    /// Once a turn. One atomic load where nothing changed; never waits, not even for control.
    ///
    /// True if a newer value was picked up.
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

    /// Whether the held value is the newest of which this thread can know: all that was published before something
    /// that reached this thread (by a release and an acquire) is in it. False only while control is at the cell.
    pub fn is_current(&self) -> bool {
        self.cell.epoch.load(Ordering::Acquire) == self.seen
    }

    /// The value in force since the last [`Reader::refresh`].
    pub fn held(&self) -> &Arc<T> {
        &self.held
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_the_new_one_at_refresh_and_control_frees_the_old() {
        let cell = Arc::new(Published::new(1));
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
        let cell = Arc::new(Published::new(1));
        let mut reader = cell.reader();
        cell.publish(Arc::new(2));
        let held = cell.current.lock();
        assert!(!reader.refresh());
        assert_eq!(**reader.held(), 1);
        drop(held);
        assert!(reader.refresh());
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;

    /// Whatever the order: a value is never torn, a reader never goes back, and what was published before a message to
    /// the reader is found after it.
    #[test]
    fn a_reader_finds_what_was_published_before_its_message() {
        loom::model(|| {
            let cell = Arc::new(Published::new((0, 0)));
            let message = Arc::new(AtomicU64::new(0));
            let control = {
                let (cell, message) = (Arc::clone(&cell), Arc::clone(&message));
                loom::thread::spawn(move || {
                    let mut retired = Vec::new();
                    for n in 1..3 {
                        retired.push(cell.publish(Arc::new((n, n))));
                        message.store(n, Ordering::Release);
                    }
                    retired
                })
            };
            let mut reader = cell.reader();
            let mut last = reader.held().0;
            for _ in 0..2 {
                let told = message.load(Ordering::Acquire);
                reader.refresh();
                let (a, b) = **reader.held();
                assert!(a == b && a >= last);
                assert!(a >= told || !reader.is_current());
                last = a;
            }
            let retired = control.join().unwrap();
            reader.refresh();
            assert_eq!(reader.held().0, 2);
            assert!(retired.iter().all(|old| Arc::strong_count(old) == 1));
        });
    }
}
