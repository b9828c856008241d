//! What is known of subscribers as octets, and back: length of a tick, ticks that an entry lasts, how many buckets, the table's
//! key, how many entries, then each entry as its bucket and its word. Peers and places have other numbers in the next run, so
//! whoever reads says which.

use sealgate_wire::cursor::Reader;

use super::super::carry::{CarryError, be32, be64};
use super::super::keyed::Key;
use super::super::words::Words;
use super::{Location, PEER_BITS, PLACE_BITS, Subscribers};

/// Octets of an entry.
const ENTRY: usize = 12;

/// The numbers that peers and places have now, by the numbers that they had.
#[derive(Clone, Debug, Default)]
pub struct Renamed {
    /// Peers; `None`: nobody knows that one any more.
    pub peers: Vec<Option<u16>>,
    /// Places; 0: not known.
    pub places: Vec<u16>,
}

impl Renamed {
    fn location(&self, before: Location) -> Option<Location> {
        let peer = (*self.peers.get(usize::from(before.peer))?)?;
        Some(Location { peer, place: self.places.get(usize::from(before.place)).copied().unwrap_or(0) })
    }
}

/// Entries that were read and found good.
pub struct Entries<'a> {
    key: Key,
    octets: &'a [u8],
}

type Table = Words<{ PEER_BITS + PLACE_BITS }>;

impl Subscribers {
    /// Appends all that has not expired. Only once nobody writes any more: what is written meanwhile may be missing.
    pub fn export(&self, now_ms: u64, out: &mut Vec<u8>) {
        let (timeout, buckets) = self.words.shape();
        let (k0, k1) = self.key.halves();
        for number in [self.tick_ms, u64::from(timeout), buckets as u64, k0, k1] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        let count_at = out.len();
        out.extend_from_slice(&[0; 4]);
        let mut count: u32 = 0;
        for (at, word) in self.words.all(now_ms) {
            out.extend_from_slice(&(at as u32).to_be_bytes());
            out.extend_from_slice(&word.to_be_bytes());
            count += 1;
        }
        if let Some(place) = out.get_mut(count_at..count_at + 4) {
            place.copy_from_slice(&count.to_be_bytes());
        }
    }

    /// Reads what [`Subscribers::export`] wrote, all of `octets`; [`Subscribers::apply`] then takes it in.
    ///
    /// * `left_ms`: when it was written; `now_ms`: not before that
    /// # Errors
    /// [`CarryError::Room`] if the table has another size or keeps for another time; [`CarryError::Malformed`].
    pub fn read<'a>(&self, octets: &'a [u8], left_ms: u64, now_ms: u64) -> Result<Entries<'a>, CarryError> {
        let mut reader = Reader::new(octets);
        let (timeout, buckets) = self.words.shape();
        let ours = [self.tick_ms, u64::from(timeout), buckets as u64];
        let theirs = [be64(&mut reader)?, be64(&mut reader)?, be64(&mut reader)?];
        if ours != theirs {
            return Err(CarryError::Room);
        }
        let key = Key::new(be64(&mut reader)?, be64(&mut reader)?);
        let (count, at) = (be32(&mut reader)? as usize, reader.at());
        let octets = count.checked_mul(ENTRY).and_then(|len| reader.take(len)).ok_or(CarryError::Malformed(at))?;
        if !reader.is_empty() {
            return Err(CarryError::Malformed(reader.at()));
        }
        let stranger = |chunk: &[u8]| parts(chunk).is_none_or(|(bucket, word)| bucket >= buckets || word == 0);
        if let Some(i) = octets.chunks_exact(ENTRY).position(stranger) {
            return Err(CarryError::Malformed(at + i * ENTRY));
        }
        // The time in an entry wraps: one whose time is over must not look young a month later.
        let over = now_ms.saturating_sub(left_ms) / self.tick_ms > u64::from(timeout);
        Ok(Entries { key, octets: if over { &[] } else { octets } })
    }

    /// The half of an import that cannot fail: into an empty table, under the key that its entries were made with.
    pub fn apply(&mut self, entries: &Entries<'_>, renamed: &Renamed) {
        self.key = entries.key;
        for (bucket, word) in entries.octets.chunks_exact(ENTRY).filter_map(parts) {
            let before = Location::unpack(Table::value(word));
            if let Some(value) = renamed.location(before).and_then(Location::pack) {
                self.words.put_back(bucket, word, value);
            }
        }
    }

    /// Whether nobody is known. Looks at all of the table.
    pub fn is_empty(&self, now_ms: u64) -> bool {
        self.words.all(now_ms).next().is_none()
    }
}

fn parts(chunk: &[u8]) -> Option<(usize, u64)> {
    let mut reader = Reader::new(chunk);
    Some((reader.be32()? as usize, u64::from_be_bytes(*reader.array()?)))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Config, Domain, Update, entry};
    use super::*;

    const CONFIG: Config = Config { subscribers: 64, idle_ms: 36_000_000 };
    const NOW: u64 = 1_795_000_000_000;

    fn table(key: u64) -> Subscribers {
        Subscribers::new(CONFIG, Key::new(key, 2))
    }

    fn left() -> (Subscribers, Vec<u8>) {
        let table = table(1);
        for (name, peer, place, at) in [("001010000000001", 3, 5, 0), ("001010000000002", 4, 6, 60_000)] {
            let key = table.key(&name.parse().unwrap());
            table.accepted(&Update { key, domain: Domain::Lte, location: Location { peer, place } }, NOW + at);
        }
        let mut out = Vec::new();
        table.export(NOW + 100_000, &mut out);
        (table, out)
    }

    fn places() -> Renamed {
        Renamed { peers: vec![None, None, None, Some(9), None], places: vec![0, 0, 0, 0, 0, 7] }
    }

    #[test]
    fn a_location_comes_back_under_the_names_of_today_and_as_old_as_it_is() {
        let (before, octets) = left();
        assert_eq!(entry(0, Domain::Circuit, false), 0);
        let mut after = table(77);
        let entries = after.read(&octets, NOW + 100_000, NOW + 130_000).unwrap_or_else(|fault| panic!("{fault}"));
        after.apply(&entries, &places());
        let key = after.key(&"001010000000001".parse().unwrap());
        assert_eq!(key, before.key(&"001010000000001".parse().unwrap()), "the key goes along");
        let seen = after.last(key, Domain::Lte, NOW + 130_000).expect("known");
        assert_eq!((seen.location, seen.least_ms), (Location { peer: 9, place: 7 }, 129_000));
        let gone = after.key(&"001010000000002".parse().unwrap());
        assert_eq!(after.last(gone, Domain::Lte, NOW + 130_000), None, "of a peer that is no more");
    }

    #[test]
    fn a_memory_that_does_not_fit_or_is_damaged_is_no_use() {
        let (table, octets) = left();
        let read = |octets: &[u8]| table.read(octets, NOW, NOW).err();
        assert_eq!(read(&octets), None);
        assert_eq!(read(&octets[..octets.len() - 1]), Some(CarryError::Malformed(44)));
        let mut more = octets.clone();
        more.push(0);
        assert_eq!(read(&more), Some(CarryError::Malformed(octets.len())));
        for (at, want) in [(7, CarryError::Room), (15, CarryError::Room), (23, CarryError::Room)] {
            let mut other = octets.clone();
            other[at] ^= 1;
            assert_eq!(read(&other), Some(want), "octet {at}");
        }
        let mut astray = octets.clone();
        astray[44] = 0xff; // the bucket of the first entry
        assert_eq!(read(&astray), Some(CarryError::Malformed(44)));
        let month = 40 * 24 * 3_600_000;
        let late = table.read(&octets, NOW, NOW + month).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(late.octets.is_empty(), "the time in a word has come round");
    }
}
