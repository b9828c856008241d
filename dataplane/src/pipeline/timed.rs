//! How long the policy step of single messages takes: for measurements. Where nobody asked for it, nobody looks at a clock.

use std::fmt;
use std::sync::atomic::{Ordering, fence};

/// Of so many messages one is timed: a prime, so that it is no fixed place in a burst.
const EVERY: u32 = 7;

/// Ticks since an arbitrary start.
pub type Clock = Box<dyn Fn() -> u64 + Send>;

/// A part of the policy step (formats 13.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Built-in checks of a TCAP message, and which rule is for it.
    Screen,
    /// What the checks and the rule make of it, with the verdict.
    Apply,
}

/// Times of both parts, in ticks of whatever clock it is.
#[derive(Default)]
pub(crate) struct Timed(Option<Box<Watch>>);

struct Watch {
    clock: Clock,
    turn: [u32; 2],
    ticks: [Vec<u64>; 2],
}

impl Timed {
    /// Begins anew, by this clock or by none.
    pub(crate) fn by(clock: Option<Clock>) -> Self {
        Self(clock.map(|clock| Box::new(Watch { clock, turn: [0; 2], ticks: Default::default() })))
    }

    /// The times since the last call.
    pub(crate) fn take(&mut self, part: Part) -> Vec<u64> {
        self.0.as_mut().map(|watch| std::mem::take(&mut watch.ticks[part as usize])).unwrap_or_default()
    }

    /// When a part begins, if it is one of those that are timed.
    #[inline(always)]
    pub(crate) fn begin(&mut self, part: Part) -> Option<u64> {
        self.0.as_mut().and_then(|watch| watch.begin(part))
    }

    /// The same part has ended.
    #[inline(always)]
    pub(crate) fn end(&mut self, part: Part, began: Option<u64>) {
        if let (Some(began), Some(watch)) = (began, self.0.as_mut()) {
            watch.end(part, began);
        }
    }
}

impl Watch {
    #[cold]
    fn begin(&mut self, part: Part) -> Option<u64> {
        let turn = &mut self.turn[part as usize];
        *turn = (*turn + 1) % EVERY;
        (*turn == 0).then(|| self.now())
    }

    #[cold]
    fn end(&mut self, part: Part, began: u64) {
        let took = self.now().wrapping_sub(began);
        self.ticks[part as usize].push(took);
    }

    fn now(&self) -> u64 {
        alone(&self.clock)
    }
}

/// Looks at a clock when what stands before has ended, and before what follows begins: a processor would do both at once.
#[inline]
pub fn alone(clock: impl Fn() -> u64) -> u64 {
    fence(Ordering::SeqCst);
    let now = clock();
    fence(Ordering::SeqCst);
    now
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timed").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn one_of_seven_is_timed_and_nobody_unasked() {
        let mut timed = Timed::default();
        let began = timed.begin(Part::Screen);
        timed.end(Part::Screen, began);
        assert_eq!((began, timed.take(Part::Screen)), (None, Vec::new()));
        let now = AtomicU64::new(0);
        let mut timed = Timed::by(Some(Box::new(move || now.fetch_add(5, Ordering::Relaxed))));
        for _ in 0..21 {
            let began = timed.begin(Part::Apply);
            timed.end(Part::Apply, began);
        }
        assert_eq!((timed.take(Part::Apply), timed.take(Part::Apply)), (vec![5; 3], Vec::new()));
        assert_eq!(timed.take(Part::Screen), Vec::new());
    }
}
