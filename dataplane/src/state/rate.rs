//! Rate limits per peer (formats 4.6 `abort_per_peer`), shared by all workers.
//!
//! The generic cell rate algorithm (ITU-T I.371): one word a peer, the time at which the next message would be due if
//! all kept an even pace. A message passes while that time is no more than the burst ahead of now. It does what a
//! token bucket does, with one compare-and-swap and without a second word for the tokens.

use super::count::Count;
use super::sync::{AtomicU64, Ordering};
use sealgate_wire::Reason;

/// The limit of one peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Messages a second in the long run; 0 lets nothing pass.
    pub per_second: u32,
    /// Messages at once after a pause; at least 1.
    pub burst: u32,
}

/// What each peer has used up of its limit. Share it behind an `Arc`; all memory is taken in [`Rates::new`].
pub struct Rates {
    /// When the next message of each peer is due, nanoseconds since 1970: 64 bits last until 2554.
    due: Box<[AtomicU64]>,
    refused: Count,
}

const NANOS: u64 = 1_000_000_000;

impl Rates {
    /// Room for this many peers, which have used up nothing.
    pub fn new(peers: usize) -> Self {
        Self { due: (0..peers).map(|_| AtomicU64::new(0)).collect(), refused: Count::default() }
    }

    /// Takes one message of the peer with this index. A refused one does not count against the next.
    ///
    /// * `limit`: the peer's; from one message to the next it may be another
    /// # Errors
    /// [`Reason::PolRate`] if it is beyond the limit, or there is no room for such a peer.
    pub fn take(&self, peer: u16, limit: Limit, now_ms: u64) -> Result<(), Reason> {
        match self.due.get(usize::from(peer)) {
            Some(due) if limit.take(due, now_ms.saturating_mul(1_000_000)) => Ok(()),
            _ => {
                self.refused.add();
                Err(Reason::PolRate)
            }
        }
    }

    /// Messages refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }
}

impl Limit {
    /// Takes one message where `next` says when the next one is due; times are nanoseconds since 1970.
    pub(super) fn take(self, next: &AtomicU64, now: u64) -> bool {
        let Some(interval) = NANOS.checked_div(self.per_second.into()) else { return false };
        let ahead = interval.saturating_mul(u64::from(self.burst.max(1)) - 1);
        let mut due = next.load(Ordering::Relaxed);
        loop {
            if due.saturating_sub(now) > ahead {
                return false;
            }
            let after = due.max(now).saturating_add(interval);
            match next.compare_exchange(due, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => due = other,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn count(rates: &Rates, limit: Limit, peer: u16, tries: usize, now_ms: u64) -> usize {
        (0..tries).filter(|_| rates.take(peer, limit, now_ms).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let limit = Limit { per_second: 50, burst: 10 };
        let rates = Rates::new(3);
        let passed = |peer, tries, now_ms| count(&rates, limit, peer, tries, now_ms);
        assert_eq!(passed(0, 100, NOW), 10);
        assert_eq!(passed(0, 100, NOW + 19), 0);
        assert_eq!(passed(0, 100, NOW + 20), 1);
        assert_eq!(passed(0, 100, NOW + 120), 5);
        assert_eq!(passed(0, 100, NOW + 60_000), 10, "a pause earns no more than the burst");
        assert_eq!(passed(1, 5, NOW), 5, "peers do not share");
        assert_eq!(count(&rates, Limit { per_second: 0, burst: 5 }, 2, 5, NOW), 0);
        assert_eq!(passed(3, 5, NOW), 0, "no such peer");
        assert_eq!(rates.refused(), 90 + 100 + 99 + 95 + 90 + 10);
    }

    #[test]
    fn in_the_long_run_the_rate_holds() {
        let (rates, limit) = (Rates::new(1), Limit { per_second: 1000, burst: 1 });
        let total: usize = (0..10_000).map(|ms| count(&rates, limit, 0, 3, NOW + ms)).sum();
        assert_eq!(total, 10_000);
    }
}
