//! Digests as octets, and back: how many buckets, how long they are kept, the table's key, how many entries, then each
//! entry as its bucket and its word, in the order of buckets. The key goes along since an entry is a part of a keyed hash.

use sealgate_wire::cursor::Reader;

use super::super::carry::{CarryError, be32, be64};
use super::super::keyed::Key;
use super::super::sync::Ordering;
use super::{DigestMemory, EMPTY, SLOTS, TIME};

/// Octets of an entry.
const ENTRY: usize = 12;

/// Entries that were read and found good.
pub struct Entries<'a> {
    key: Key,
    octets: &'a [u8],
}

impl Entries<'_> {
    fn each(octets: &[u8]) -> impl Iterator<Item = (usize, u64)> {
        octets.chunks_exact(ENTRY).filter_map(|entry| {
            let mut reader = Reader::new(entry);
            Some((reader.be32()? as usize, u64::from_be_bytes(*reader.array()?)))
        })
    }
}

impl DigestMemory {
    /// Appends all digests that have not expired at `now_ms`. Only once nobody inserts any more: an insertion meanwhile
    /// may be missing.
    pub fn export(&self, now_ms: u64, out: &mut Vec<u8>) {
        let now = (now_ms / 100) & TIME;
        let (k0, k1) = self.key.halves();
        out.extend_from_slice(&(self.buckets.len() as u32).to_be_bytes());
        for number in [self.keep, k0, k1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        let count_at = out.len();
        out.extend_from_slice(&[0; 4]);
        let mut count: u32 = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            for word in bucket.0.iter().map(|slot| slot.load(Ordering::Acquire)) {
                if self.age(word, now).is_some() {
                    out.extend_from_slice(&(at as u32).to_be_bytes());
                    out.extend_from_slice(&word.to_be_bytes());
                    count += 1;
                }
            }
        }
        if let Some(place) = out.get_mut(count_at..count_at + 4) {
            place.copy_from_slice(&count.to_be_bytes());
        }
    }

    /// Fills an empty memory with what [`DigestMemory::export`] wrote. The borrow says when: before workers share it.
    ///
    /// * `left_ms`: when that was; at `now_ms` as much of their time is over as has gone by
    /// # Errors
    /// [`CarryError`]; nothing was changed.
    pub fn import(&mut self, octets: &[u8], left_ms: u64, now_ms: u64) -> Result<(), CarryError> {
        let entries = self.read(Reader::new(octets), left_ms, now_ms)?;
        self.apply(entries);
        Ok(())
    }

    /// The half of an import that can fail, and changes nothing.
    /// # Errors
    /// [`CarryError`].
    pub(in crate::state) fn read<'a>(
        &self,
        mut reader: Reader<'a>,
        left_ms: u64,
        now_ms: u64,
    ) -> Result<Entries<'a>, CarryError> {
        if self.buckets.iter().any(|bucket| bucket.0.iter().any(|slot| slot.load(Ordering::Relaxed) != EMPTY)) {
            return Err(CarryError::InUse);
        }
        if be32(&mut reader)? as usize != self.buckets.len() {
            return Err(CarryError::Room);
        }
        let keep = be64(&mut reader)?;
        if keep < self.keep {
            let ms = |tenths: u64| tenths.saturating_mul(100);
            return Err(CarryError::Kept { theirs_ms: ms(keep), ours_ms: ms(self.keep) });
        }
        let key = Key::new(be64(&mut reader)?, be64(&mut reader)?);
        let count = be32(&mut reader)? as usize;
        let at = reader.at();
        let octets = count.checked_mul(ENTRY).and_then(|len| reader.take(len)).ok_or(CarryError::Malformed(at))?;
        if !reader.is_empty() {
            return Err(CarryError::Malformed(reader.at()));
        }
        let mut last = (0, 0);
        for (i, (bucket, word)) in Entries::each(octets).enumerate() {
            let ordered = bucket >= last.0;
            last = if bucket == last.0 { (bucket, last.1 + 1) } else { (bucket, 1) };
            // A word without a fingerprint is none that an insertion makes.
            if !ordered || bucket >= self.buckets.len() || last.1 > SLOTS || word & !TIME == 0 {
                return Err(CarryError::Malformed(at + i * ENTRY));
            }
        }
        // The time in an entry wraps: one whose time is over must not look young a day later.
        let over = now_ms.saturating_sub(left_ms) / 100 > self.keep;
        Ok(Entries { key, octets: if over { &[] } else { octets } })
    }

    /// The half of an import that cannot fail.
    pub(in crate::state) fn apply(&mut self, entries: Entries<'_>) {
        self.key = entries.key;
        for (at, word) in Entries::each(entries.octets) {
            let Some(bucket) = self.buckets.get(at) else { continue };
            if let Some(free) = bucket.0.iter().find(|slot| slot.load(Ordering::Relaxed) == EMPTY) {
                free.store(word, Ordering::Release);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::Config;
    use super::*;
    use proptest::prelude::*;
    use sealgate_wire::Reason;

    const SMALL: Config = Config { entries: 64, keep_ms: 60_000 };

    fn exported(memory: &DigestMemory, now_ms: u64) -> Vec<u8> {
        let mut out = Vec::new();
        memory.export(now_ms, &mut out);
        out
    }

    #[test]
    fn digests_keep_their_time() {
        let old = DigestMemory::new(SMALL, Key::new(1, 2));
        for seed in 0..30_u8 {
            old.insert_new(&[seed; 32], u64::from(seed) * 1_000).unwrap();
        }
        let mut new = DigestMemory::new(SMALL, Key::new(3, 4));
        new.import(&exported(&old, 70_000), 70_000, 75_000).unwrap();
        for seed in 0..30_u8 {
            // 60 s, and a tenth or two for what was rounded.
            let want = if u64::from(seed) * 1_000 + 60_000 < 75_000 { Ok(()) } else { Err(Reason::SecReplay) };
            assert_eq!(new.check(&[seed; 32], 75_000), want, "{seed}");
            assert_eq!(new.insert_new(&[seed; 32], 75_000), want, "{seed}");
        }
        assert_eq!(new.import(&exported(&old, 70_000), 70_000, 75_000), Err(CarryError::InUse));
    }

    #[test]
    fn a_full_bucket_goes_over_and_still_evicts_its_oldest() {
        let config = Config { entries: 8, ..SMALL };
        let old = DigestMemory::new(config, Key::new(1, 2));
        for seed in 0..8_u8 {
            old.insert_new(&[seed; 32], u64::from(seed) * 100).unwrap();
        }
        let mut new = DigestMemory::new(config, Key::new(3, 4));
        new.import(&exported(&old, 1_000), 1_000, 1_000).unwrap();
        for seed in 0..8_u8 {
            assert_eq!(new.insert_new(&[seed; 32], 1_000), Err(Reason::SecReplay), "{seed}");
        }
        assert_eq!(new.insert_new(&[9; 32], 1_000), Ok(()));
        assert_eq!(new.check(&[0; 32], 1_000), Ok(()), "the oldest went");
        assert_eq!(new.counters().evicted, 1);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..96), head in 0..33_usize) {
            let empty = DigestMemory::new(SMALL, Key::new(1, 2));
            let mut all = exported(&empty, 0)[..head].to_vec();
            all.extend(octets);
            let mut memory = DigestMemory::new(SMALL, Key::new(1, 2));
            if memory.import(&all, 0, 0).is_err() {
                prop_assert_eq!(exported(&memory, 0), exported(&empty, 0));
            }
        }
    }
}
