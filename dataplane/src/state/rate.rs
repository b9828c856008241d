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

/// The limits of all peers. Share it behind an `Arc`; all memory is taken in [`Rates::new`].
pub struct Rates {
    peers: Box<[Peer]>,
    refused: Count,
}

/// Times in nanoseconds since 1970: 64 bits last until 2554.
struct Peer {
    interval: u64,
    ahead: u64,
    due: AtomicU64,
}

const NANOS: u64 = 1_000_000_000;

impl Rates {
    /// One limit for each peer, in the order of their indices.
    pub fn new(limits: impl IntoIterator<Item = Limit>) -> Self {
        let peer = |limit: Limit| {
            let interval = NANOS.checked_div(limit.per_second.into()).unwrap_or(u64::MAX);
            let ahead = interval.saturating_mul(u64::from(limit.burst.max(1)) - 1);
            Peer { interval, ahead, due: AtomicU64::new(0) }
        };
        Self { peers: limits.into_iter().map(peer).collect(), refused: Count::default() }
    }

    /// Takes one message of the peer with this index. A refused one does not count against the next.
    /// # Errors
    /// [`Reason::PolRate`] if it is beyond the limit, or there is no such peer.
    pub fn take(&self, peer: u16, now_ms: u64) -> Result<(), Reason> {
        match self.peers.get(usize::from(peer)) {
            Some(peer) if peer.take(now_ms.saturating_mul(1_000_000)) => Ok(()),
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

impl Peer {
    fn take(&self, now: u64) -> bool {
        if self.interval == u64::MAX {
            return false;
        }
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            if due.saturating_sub(now) > self.ahead {
                return false;
            }
            let next = due.max(now).saturating_add(self.interval);
            match self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed) {
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

    fn passed(rates: &Rates, peer: u16, tries: usize, now_ms: u64) -> usize {
        (0..tries).filter(|_| rates.take(peer, now_ms).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let limit = Limit { per_second: 50, burst: 10 };
        let rates = Rates::new([limit, limit, Limit { per_second: 0, burst: 5 }]);
        assert_eq!(passed(&rates, 0, 100, NOW), 10);
        assert_eq!(passed(&rates, 0, 100, NOW + 19), 0);
        assert_eq!(passed(&rates, 0, 100, NOW + 20), 1);
        assert_eq!(passed(&rates, 0, 100, NOW + 120), 5);
        assert_eq!(passed(&rates, 0, 100, NOW + 60_000), 10, "a pause earns no more than the burst");
        assert_eq!(passed(&rates, 1, 5, NOW), 5, "peers do not share");
        assert_eq!(passed(&rates, 2, 5, NOW), 0);
        assert_eq!(passed(&rates, 3, 5, NOW), 0, "no such peer");
        assert_eq!(rates.refused(), 90 + 100 + 99 + 95 + 90 + 10);
    }

    #[test]
    fn in_the_long_run_the_rate_holds() {
        let rates = Rates::new([Limit { per_second: 1000, burst: 1 }]);
        let total: usize = (0..10_000).map(|ms| passed(&rates, 0, 3, NOW + ms)).sum();
        assert_eq!(total, 10_000);
    }
}
