//! A lossy memory of small values for some time, in one word a place: what has the same place takes it over, and what is lost is
//! as if it had never been. For what is good to know and needed for no verdict.

use std::sync::atomic::{AtomicU64, Ordering};

use super::keyed::Key;

/// Unit of the time that is kept, milliseconds.
const TICK_MS: u64 = 4000;
/// A word: print, value, time.
const TIME_BITS: u32 = 16;
const VALUE_BITS: u32 = 8;
const PRINT: u64 = u64::MAX << (TIME_BITS + VALUE_BITS);

/// The memory. All workers share it.
pub struct Prints {
    places: Box<[AtomicU64]>,
    key: Key,
    ticks: u16,
}

impl Prints {
    /// An empty one.
    ///
    /// * `places`: how many values at most; `keep_ms`: for how long, at least, less than two days; `key`: spreads what is named
    pub fn new(places: usize, keep_ms: u64, key: Key) -> Self {
        let ticks = u16::try_from(keep_ms.div_ceil(TICK_MS)).unwrap_or(u16::MAX / 2);
        Self { places: std::iter::repeat_with(AtomicU64::default).take(places.max(1)).collect(), key, ticks }
    }

    fn place(&self, name: &[&[u8]]) -> (u64, Option<&AtomicU64>) {
        let hash = self.key.hash(name);
        // The low bits choose the place, and need not be kept.
        (hash & PRINT, self.places.get(hash as usize % self.places.len()))
    }

    /// Keeps a value under a name.
    pub fn put(&self, name: &[&[u8]], value: u8, now_ms: u64) {
        let (print, Some(place)) = self.place(name) else { return };
        let time = u64::from((now_ms / TICK_MS) as u16);
        place.store(print | u64::from(value) << TIME_BITS | time, Ordering::Relaxed);
    }

    /// The value under a name, if it is still there.
    pub fn get(&self, name: &[&[u8]], now_ms: u64) -> Option<u8> {
        let (print, place) = self.place(name);
        let word = place?.load(Ordering::Relaxed);
        let age = ((now_ms / TICK_MS) as u16).wrapping_sub(word as u16);
        // Time that went back is no age.
        (word & PRINT == print && word != 0 && age <= self.ticks).then_some((word >> TIME_BITS) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_for_its_time_or_until_another_takes_its_place() {
        let prints = Prints::new(64, 60_000, Key::random());
        let now_ms = 1_795_000_000_000;
        assert_eq!(prints.get(&[b"a"], now_ms), None);
        prints.put(&[b"a"], 7, now_ms);
        for (after_s, want) in [(0, Some(7)), (60, Some(7)), (68, None), (3600, None)] {
            assert_eq!(prints.get(&[b"a"], now_ms + after_s * 1000), want, "after {after_s} s");
        }
        assert_eq!((prints.get(&[b"b"], now_ms), prints.get(&[b"", b"a"], now_ms)), (None, None));
        prints.put(&[b"a"], 8, now_ms);
        assert_eq!(prints.get(&[b"a"], now_ms), Some(8));
        for i in 0..10_000_u32 {
            prints.put(&[&i.to_be_bytes()], 1, now_ms);
        }
        assert_eq!(prints.get(&[b"a"], now_ms), None, "pushed out");
        let kept = (0..10_000_u32).filter(|i| prints.get(&[&i.to_be_bytes()], now_ms).is_some()).count();
        assert!((1..=64).contains(&kept), "{kept}");
    }
}
