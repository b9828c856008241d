//! Credits: how many more things somebody may hand over before it is told that there is room again.

use super::sync::{AtomicU32, Ordering};

/// A count of free places that those who take them and the one who gives them back share. Nobody waits.
///
/// What is made ready before [`Credits::give`] is seen by whoever takes that credit.
pub struct Credits(AtomicU32);

impl Credits {
    /// So many places.
    pub fn new(places: u32) -> Self {
        Self(AtomicU32::new(places))
    }

    /// Takes a place; false if none is left, which costs one load.
    pub fn take(&self) -> bool {
        let mut left = self.0.load(Ordering::Relaxed);
        while left > 0 {
            match self.0.compare_exchange_weak(left, left - 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => left = now,
            }
        }
        false
    }

    /// Gives one place back.
    pub fn give(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Places that are free now.
    pub fn left(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_were_given() {
        let credits = Credits::new(2);
        assert!(credits.take() && credits.take() && !credits.take());
        credits.give();
        assert_eq!((credits.left(), credits.take(), credits.take()), (1, true, false));
        assert!(!Credits::new(0).take());
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn one_place_is_never_taken_twice_and_a_taker_sees_what_was_made_ready() {
        loom::model(|| {
            let shared = Arc::new((Credits::new(1), AtomicU32::new(0)));
            let take = |shared: Arc<(Credits, AtomicU32)>| {
                thread::spawn(move || shared.0.take().then(|| shared.1.load(Ordering::Relaxed)))
            };
            let takers = [take(Arc::clone(&shared)), take(Arc::clone(&shared))];
            // The place in use is made ready again, whoever has it, and given back.
            shared.1.store(1, Ordering::Relaxed);
            shared.0.give();
            let taken: Vec<_> = takers.into_iter().map(|taker| taker.join().unwrap()).collect();
            let count = taken.iter().flatten().count();
            assert_eq!(shared.0.left() as usize, 2 - count, "what was not taken is left");
            assert!(count < 2 || taken.contains(&Some(1)), "who has the place that was given sees it ready");
        });
    }
}
