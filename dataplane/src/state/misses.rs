//! URLs of certificates that calls name and nobody has: workers note them, control fetches them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use sealgate_wire::sec::passport::MAX_INFO;

/// URLs that wait for control at a time. It looks many times a second, and what finds no room is named by the next call.
const ROOM: usize = 256;

/// A URL in a slot of fixed size: a worker that notes one allocates nothing.
struct Url {
    len: u16,
    octets: [u8; MAX_INFO],
}

/// The URLs. All workers share it, and control.
pub struct Misses {
    queue: ArrayQueue<Url>,
    followed: AtomicBool,
    lost: AtomicU64,
}

impl Default for Misses {
    fn default() -> Self {
        Self { queue: ArrayQueue::new(ROOM), followed: AtomicBool::new(false), lost: AtomicU64::new(0) }
    }
}

impl Misses {
    /// Notes a URL, if somebody follows.
    pub(crate) fn note(&self, url: &[u8]) {
        if !self.is_followed() {
            return;
        }
        let mut octets = [0; MAX_INFO];
        let Some(place) = octets.get_mut(..url.len()) else { return };
        place.copy_from_slice(url);
        if self.queue.push(Url { len: url.len() as u16, octets }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says whether somebody fetches what is noted. Where nobody does, no call waits for it.
    pub fn follow(&self, followed: bool) {
        self.followed.store(followed, Ordering::Relaxed);
    }

    /// Whether somebody fetches what is noted.
    pub fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Relaxed)
    }

    /// The next URL, the oldest first.
    pub fn next(&self) -> Option<Vec<u8>> {
        let url = self.queue.pop()?;
        Some(url.octets.get(..usize::from(url.len))?.to_vec())
    }

    /// URLs that found no room so far.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_wait_in_their_order_up_to_a_limit_if_somebody_follows() {
        let misses = Misses::default();
        misses.note(b"https://a/1");
        assert_eq!(misses.next(), None, "nobody follows");
        misses.follow(true);
        let long = [b'x'; MAX_INFO];
        misses.note(&long);
        misses.note(&[b'x'; MAX_INFO + 1]);
        for _ in 0..ROOM {
            misses.note(b"https://a/2");
        }
        assert_eq!(misses.lost(), 1);
        assert_eq!(misses.next().as_deref(), Some(&long[..]));
        assert_eq!(misses.next().as_deref(), Some(&b"https://a/2"[..]));
        assert_eq!(std::iter::from_fn(|| misses.next()).count(), ROOM - 2);
    }
}
