//! Steps of procedures that go over several requests or protocols (formats 13.4, classes 2 to 4): who was told where a subscriber
//! is, by whom it was purged, and where it moved to. Shared by all workers, lock-free.
//!
//! An entry is one word: 32 bits of a keyed hash of the subscriber and the step, the peer, and the time in seconds.

use super::words::Words;

pub use super::words::Counters;

/// How long a step is remembered, milliseconds: several times the longest window, for who asked earlier and delivers now.
const KEEP_MS: u64 = 3_600_000;
const SECOND_MS: u64 = 1000;
/// Entries for each subscriber: who was told last, and that this one was told.
const WORDS: usize = 2;

/// The memory. Share it behind an `Arc`; all of it is taken in [`Steps::new`].
pub struct Steps {
    words: Words<16>,
}

/// Which step.
#[derive(Clone, Copy)]
enum Step {
    /// Somebody was told where the subscriber is; the value says who was last.
    Told,
    /// This peer was told.
    ToldTo(u16),
    /// A peer has purged the subscriber.
    Purged,
    /// The subscriber moved to a peer in MAP.
    MovedInMap,
    /// The same in S6a.
    MovedInLte,
    /// The subscriber was seen on S6a at a peer.
    OnLte,
}

/// A peer that took a step, and how long ago, milliseconds: less than that.
pub type Taken = (u16, u64);

impl Steps {
    /// No step yet.
    ///
    /// * `subscribers`: of whom steps are remembered
    pub fn new(subscribers: usize) -> Self {
        Self { words: Words::new(subscribers.saturating_mul(WORDS), KEEP_MS, SECOND_MS) }
    }

    /// A peer was told where a subscriber is.
    ///
    /// * `key`: keyed hash of the subscriber
    pub fn tell(&self, key: u64, peer: u16, now_ms: u64) {
        self.put(key, Step::Told, peer, now_ms);
        self.put(key, Step::ToldTo(peer), peer, now_ms);
    }

    /// Who was told last, unless this peer was told too.
    pub fn told_another(&self, key: u64, peer: u16, now_ms: u64) -> Option<Taken> {
        let last = self.get(key, Step::Told, now_ms)?;
        (last.0 != peer && self.get(key, Step::ToldTo(peer), now_ms).is_none()).then_some(last)
    }

    /// A peer has purged a subscriber.
    pub fn purge(&self, key: u64, peer: u16, now_ms: u64) {
        self.put(key, Step::Purged, peer, now_ms);
    }

    /// Who purged a subscriber last.
    pub fn purged(&self, key: u64, now_ms: u64) -> Option<Taken> {
        self.get(key, Step::Purged, now_ms)
    }

    /// A subscriber moves to a peer.
    ///
    /// * `lte`: in S6a, else in MAP
    pub fn moves(&self, key: u64, lte: bool, peer: u16, now_ms: u64) {
        self.put(key, if lte { Step::MovedInLte } else { Step::MovedInMap }, peer, now_ms);
        if lte {
            self.put(key, Step::OnLte, peer, now_ms);
        }
    }

    /// It did not, says its register.
    pub fn stays(&self, key: u64, lte: bool, peer: u16, now_ms: u64) {
        let steps: &[Step] = if lte { &[Step::MovedInLte, Step::OnLte] } else { &[Step::MovedInMap] };
        for step in steps {
            if self.get(key, *step, now_ms).is_some_and(|(other, _)| other == peer) {
                self.words.change(at(key, *step), now_ms, |_| None);
            }
        }
    }

    /// To whom a subscriber moved last.
    ///
    /// * `lte`: in S6a, else in MAP
    pub fn moved(&self, key: u64, lte: bool, now_ms: u64) -> Option<Taken> {
        self.get(key, if lte { Step::MovedInLte } else { Step::MovedInMap }, now_ms)
    }

    /// Something was seen of a subscriber on S6a, at the peer where it is.
    pub fn seen_on_lte(&self, key: u64, peer: u16, now_ms: u64) {
        if self.on_lte(key, now_ms).is_some_and(|(other, _)| other == peer) {
            self.put(key, Step::OnLte, peer, now_ms);
        }
    }

    /// At which peer a subscriber was last seen on S6a.
    pub fn on_lte(&self, key: u64, now_ms: u64) -> Option<Taken> {
        self.get(key, Step::OnLte, now_ms)
    }

    /// Clears what has expired out of the next `buckets` buckets; all should be visited within six hours.
    pub fn sweep(&self, buckets: u32, now_ms: u64) -> usize {
        self.words.sweep(buckets, now_ms)
    }

    /// Events so far.
    pub fn counters(&self) -> Counters {
        self.words.counters()
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        self.words.memory()
    }

    fn put(&self, key: u64, step: Step, peer: u16, now_ms: u64) {
        self.words.put(at(key, step), now_ms, |_| u64::from(peer), |owner| owner);
    }

    fn get(&self, key: u64, step: Step, now_ms: u64) -> Option<Taken> {
        let (peer, age) = self.words.get(at(key, step), now_ms)?;
        Some((peer as u16, (u64::from(age) + 1) * SECOND_MS))
    }
}

/// The key of an entry. Steps of one subscriber lie in one bucket: they differ in the bits that are kept.
fn at(key: u64, step: Step) -> u64 {
    let mix = match step {
        Step::Told => 1,
        Step::Purged => 2,
        Step::MovedInMap => 3,
        Step::MovedInLte => 4,
        Step::OnLte => 5,
        Step::ToldTo(peer) => (1 << 31) | ((u64::from(peer) * 0x9e37_79b1) & 0x7fff_ffff),
    };
    key ^ mix << 32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    #[test]
    fn who_was_told_may_deliver_and_others_are_seen() {
        let steps = Steps::new(1024);
        let key = 0x1234_5678_9abc_def0;
        assert_eq!(steps.told_another(key, 7, NOW), None);
        steps.tell(key, 7, NOW);
        assert_eq!(steps.told_another(key, 7, NOW), None);
        assert_eq!(steps.told_another(key, 8, NOW + 5000), Some((7, 6000)));
        steps.tell(key, 9, NOW + 10_000);
        assert_eq!(steps.told_another(key, 7, NOW + 11_000), None, "told before");
        assert_eq!(steps.told_another(key, 8, NOW + 11_000), Some((9, 2000)));
        assert_eq!(steps.told_another(key ^ 1 << 40, 8, NOW), None);
        assert_eq!(steps.told_another(key, 8, NOW + 3_700_000), None);
    }

    #[test]
    fn a_purge_is_no_telling() {
        let steps = Steps::new(1024);
        steps.purge(5 << 33, 3, NOW);
        assert_eq!((steps.purged(5 << 33, NOW + 1000), steps.purged(6 << 33, NOW)), (Some((3, 2000)), None));
        assert_eq!(steps.told_another(5 << 33, 8, NOW), None);
        assert_eq!(steps.memory(), 256 * 64);
    }

    #[test]
    fn a_subscriber_moves_in_each_protocol_for_itself() {
        let (steps, key) = (Steps::new(1024), 77 << 33);
        steps.moves(key, false, 3, NOW);
        assert_eq!(
            (steps.moved(key, false, NOW), steps.moved(key, true, NOW), steps.on_lte(key, NOW)),
            (Some((3, 1000)), None, None)
        );
        steps.moves(key, true, 4, NOW + 5000);
        steps.seen_on_lte(key, 9, NOW + 60_000);
        assert_eq!(
            (steps.moved(key, true, NOW + 60_000), steps.on_lte(key, NOW + 60_000)),
            (Some((4, 56_000)), Some((4, 56_000)))
        );
        steps.seen_on_lte(key, 4, NOW + 60_000);
        assert_eq!(
            (steps.moved(key, true, NOW + 60_000), steps.on_lte(key, NOW + 60_000)),
            (Some((4, 56_000)), Some((4, 1000)))
        );
        steps.stays(key, true, 3, NOW + 60_000);
        assert!(steps.moved(key, true, NOW + 60_000).is_some(), "another one's");
        steps.stays(key, true, 4, NOW + 60_000);
        assert_eq!((steps.moved(key, true, NOW + 60_000), steps.on_lte(key, NOW + 60_000)), (None, None));
        assert!(steps.moved(key, false, NOW + 60_000).is_some());
    }

    #[test]
    fn the_owner_of_most_steps_loses_one() {
        let steps = Steps::new(4);
        for peer in 0..4_u16 {
            steps.purge((100 + u64::from(peer)) << 40, 10 + peer, NOW);
        }
        for n in 0..1000 {
            steps.purge((1000 + n) << 40, 2, NOW + 1000);
        }
        for peer in 0..4_u16 {
            assert!(steps.purged((100 + u64::from(peer)) << 40, NOW + 2000).is_some(), "{peer}");
        }
        assert_eq!(steps.counters().evicted, 996);
    }
}
