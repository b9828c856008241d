//! Tunnels of GTP-C (formats 10): which of our endpoints was given to which peer. Shared by all workers, since a subscriber who
//! moves is spoken of from another node than before; lock-free.
//!
//! An entry is one word: 21 bits of fingerprint, the contexts that share the endpoint, the peer, and the time.

use core::net::IpAddr;

use super::count::Count;
use super::keyed::Key;
use super::words::{self, Words};

/// Limits of [`Tunnels`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How many endpoints there is room for, rounded up to a power of two of buckets of eight. Plan twice as many as are in
    /// use at once.
    pub entries: usize,
    /// How long an endpoint is remembered of which nobody speaks, milliseconds. At most 40 days.
    pub idle_ms: u64,
}

/// Events since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Endpoints remembered: see [`words::Counters::opened`].
    pub opened: u64,
    /// Of these, those that were in use before this gateway knew of them.
    pub adopted: u64,
    /// Endpoints whose last context was deleted.
    pub closed: u64,
    /// Endpoints forgotten for want of room.
    pub evicted: u64,
    /// Endpoints of which nobody spoke for too long.
    pub expired: u64,
}

/// How long a deleted endpoint stays known: its deletion may come again until its answer arrived.
const LINGER_MS: u64 = 60_000;
/// Ticks that the longest time is counted in.
const TICKS: u64 = 1 << 15;
const SECOND_MS: u64 = 1000;
/// Octets of an endpoint in front of its TEID, so that no request has the key of a tunnel.
const ENDPOINT: &[u8] = b"endpoint";

/// Our endpoints in use. Share it behind an `Arc`; all memory is taken in [`Tunnels::new`].
///
/// With 2^n buckets a key counts as 21 + n bits: a TEID made up finds an entry by chance once in 2^18, but then one of its
/// sender's own.
pub struct Tunnels {
    words: Words<27>,
    key: Key,
    linger: u16,
    adopted: Count,
    closed: Count,
}

impl Tunnels {
    /// No tunnels. `key` is what keeps others from aiming at a bucket.
    pub fn new(config: Config, key: Key) -> Self {
        let tick_ms = config.idle_ms.div_ceil(TICKS).max(SECOND_MS);
        Self {
            words: Words::new(config.entries, config.idle_ms, tick_ms),
            key,
            linger: LINGER_MS.div_ceil(tick_ms) as u16 + 1,
            adopted: Count::default(),
            closed: Count::default(),
        }
    }

    /// The key of an endpoint.
    ///
    /// * `version`: of the protocol, which numbers its endpoints on its own
    pub fn key(&self, version: u8, address: IpAddr, teid: u32) -> u64 {
        self.key.hash(&[ENDPOINT, &[version], &octets(address), &teid.to_be_bytes()])
    }

    /// An endpoint is now this peer's, with these contexts besides those that it has there already. In a full bucket the
    /// oldest of the peer goes that has the most there: who fills the table pushes itself out.
    ///
    /// * `contexts`: a bit each, 11 of them
    pub fn give(&self, key: u64, peer: u16, contexts: u16, now_ms: u64) {
        let value = |old: Option<u64>| {
            let before = old.filter(|old| *old as u16 == peer).unwrap_or(0);
            before | u64::from(contexts) << 16 | u64::from(peer)
        };
        self.words.put(key, now_ms, value, |value| value & 0xffff);
    }

    /// The same of an endpoint that was in use before anything was known of it.
    pub fn adopt(&self, key: u64, peer: u16, contexts: u16, now_ms: u64) {
        self.adopted.add();
        self.give(key, peer, contexts, now_ms);
    }

    /// Whose an endpoint is; renews its time unless it was deleted.
    pub fn peer(&self, key: u64, now_ms: u64) -> Option<u16> {
        let (value, age) = self.words.get(key, now_ms)?;
        // Only now and then: a write takes the line from other workers.
        if age > 0 && value >> 16 != 0 {
            self.words.change(key, now_ms, |value| Some((value, u16::MAX)));
        }
        Some(value as u16)
    }

    /// These contexts are no more; with its last one an endpoint ends.
    pub fn close(&self, key: u64, contexts: u16, now_ms: u64) {
        let Some((value, _)) = self.words.get(key, now_ms) else { return };
        let left = |value: u64| value & !(u64::from(contexts) << 16);
        if value >> 16 != 0 && left(value) >> 16 == 0 {
            self.closed.add();
        }
        let change = |value| match left(value) {
            left if left >> 16 == 0 => Some((left, self.linger)),
            left => Some((left, u16::MAX)),
        };
        if value >> 16 != 0 {
            self.words.change(key, now_ms, change);
        }
    }

    /// Clears what has expired out of the next `buckets` buckets, and says how many entries that were.
    ///
    /// Any worker may call it, once a turn; all buckets should be visited within hours.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        self.words.sweep(buckets, now_ms)
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        let words::Counters { opened, evicted, expired } = self.words.counters();
        Counters { opened, adopted: self.adopted.get(), closed: self.closed.get(), evicted, expired }
    }
}

/// An address of either family as 16 octets.
pub(super) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn table(entries: usize, idle_ms: u64) -> Tunnels {
        Tunnels::new(Config { entries, idle_ms }, Key::new(7, 8))
    }

    fn ours(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    #[test]
    fn an_endpoint_is_a_peers_until_its_last_context_goes_or_nobody_speaks_of_it() {
        let table = table(1 << 10, 720 * HOUR_MS);
        let start = 1_795_000_000_000;
        let key = table.key(2, ours(40), 9);
        assert_eq!(table.peer(key, start), None);
        table.give(key, 3, 0b01, start);
        assert_eq!(table.peer(key, start), Some(3));
        for (version, address, teid) in [(1, ours(40), 9), (2, ours(41), 9), (2, ours(40), 10)] {
            assert_eq!(table.peer(table.key(version, address, teid), start), None, "{version} {address} {teid}");
        }
        table.give(key, 3, 0b10, start);
        table.close(key, 0b01, start);
        assert_eq!(table.peer(key, start + 719 * HOUR_MS), Some(3), "a context is left; and now it was spoken of");
        assert_eq!(table.peer(key, start + 1400 * HOUR_MS), Some(3));
        let end = start + 1401 * HOUR_MS;
        table.close(key, 0b10, end);
        assert_eq!(table.peer(key, end + LINGER_MS), Some(3), "its deletion may come again");
        table.close(key, 0b10, end + LINGER_MS);
        assert_eq!(table.peer(key, end + 5 * LINGER_MS), None, "which renews nothing");
        assert_eq!(table.counters(), Counters { opened: 1, closed: 1, ..Counters::default() });
        table.give(key, 3, 1, end + 6 * LINGER_MS);
        assert_eq!(table.peer(key, end + 6 * LINGER_MS + 721 * HOUR_MS), None, "idle");
    }

    #[test]
    fn an_endpoint_given_to_another_is_his_alone() {
        let table = table(1 << 10, HOUR_MS);
        let key = table.key(1, ours(40), 9);
        let now = 10 * HOUR_MS;
        table.give(key, 3, 0b101, now);
        table.adopt(key, 4, 0b010, now);
        assert_eq!(table.peer(key, now), Some(4));
        table.close(key, 0b010, now);
        assert_eq!(table.peer(key, now + 3 * LINGER_MS), None, "the contexts of the one before went with him");
        assert_eq!(table.counters(), Counters { opened: 1, adopted: 1, closed: 1, ..Counters::default() });
    }

    #[test]
    fn who_fills_the_table_pushes_itself_out() {
        let table = table(1 << 8, HOUR_MS);
        let keys = |peer: u8, count: u32| (0..count).map(move |teid| (u16::from(peer), ours(peer), teid));
        // As others have them: fewer in any bucket than the one who comes then, and older.
        let others: Vec<_> = (1..=20).flat_map(|peer| keys(peer, 2)).collect();
        for &(peer, address, teid) in &others {
            table.give(table.key(2, address, teid), peer, 1, 0);
        }
        for (peer, address, teid) in keys(99, 20_000) {
            table.give(table.key(2, address, teid), peer, 1, 1000 + u64::from(teid));
        }
        let left = others
            .iter()
            .filter(|(peer, address, teid)| table.peer(table.key(2, *address, *teid), 100_000) == Some(*peer));
        assert_eq!(left.count(), others.len());
        let counters = table.counters();
        assert_eq!((counters.opened, counters.evicted), (20_040, 20_040 - 256));
    }

    #[test]
    fn a_sweep_counts_what_expired() {
        let table = table(64, HOUR_MS);
        (0..20).for_each(|teid| table.give(table.key(2, ours(1), teid), 1, 1, 0));
        assert_eq!((table.sweep(8, HOUR_MS), table.sweep(8, HOUR_MS + 1000)), (0, 20));
        assert_eq!(table.counters().expired, 20);
    }
}
