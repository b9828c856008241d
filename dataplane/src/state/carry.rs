//! What one run of a gateway leaves to the next: replay windows and digests as octets, for a restart that forgets nothing.
//!
//! All numbers are big-endian. Magic, version, since when the memory is complete, when it was left (milliseconds since
//! 1970), then the windows and the digests, each with its length before it, and SHA-256 over all of that. The digest is
//! against accidents: who may write the file is its owner's business.
//!
//! A memory is complete from its beginning only. A run that itself began cold knows nothing of what came before it, and
//! hands that on: so a chain of warm starts never forgets where its first one began.

use sealgate_crypto::verify::sha256;
use sealgate_wire::cursor::Reader;

use super::digest::DigestMemory;
use super::replay::ReplayMemory;

const MAGIC: &[u8; 8] = b"SGMEMORY";
const VERSION: u16 = 1;
/// Octets of the SHA-256 at the end.
const DIGEST: usize = 32;

/// Why octets are not a memory to go on with. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CarryError {
    /// Another kind of file.
    #[error("not a replay memory of Sealgate")]
    Magic,
    /// Another release wrote it.
    #[error("version {0} of the format, which this release does not read")]
    Version(u16),
    /// Cut short, or changed.
    #[error("cut short or damaged: its SHA-256 is another")]
    Digest,
    /// Whole, but no memory writes that.
    #[error("malformed at octet {0}")]
    Malformed(usize),
    /// The clock was set back since.
    #[error("left in the future by this clock")]
    Future,
    /// `window.seq` is another one now.
    #[error("its windows are {theirs} numbers wide, the policy asks for {ours}")]
    Width {
        /// Of the memory that was left.
        theirs: u32,
        /// Of this one.
        ours: u32,
    },
    /// A time window is longer now: what it had forgotten could be replayed.
    #[error("it kept for {theirs_ms} ms what the policy now asks to keep for {ours_ms} ms")]
    Kept {
        /// By the memory that was left, milliseconds.
        theirs_ms: u64,
        /// By this one, milliseconds.
        ours_ms: u64,
    },
    /// The tables are of another size.
    #[error("its tables do not fit into ours")]
    Room,
    /// A memory that has begun to remember.
    #[error("this memory is in use")]
    InUse,
}

/// What a memory says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    /// All that was accepted of what was signed since then is in it, milliseconds since 1970.
    pub since_ms: u64,
    /// When it was left, milliseconds since 1970: after the last mark.
    pub left_ms: u64,
}

/// Both memories as octets. Only once nobody marks any more: a mark meanwhile may be missing.
pub fn export(replay: &ReplayMemory, digests: &DigestMemory, left: Left) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&left.since_ms.to_be_bytes());
    out.extend_from_slice(&left.left_ms.to_be_bytes());
    section(&mut out, |out| replay.export(out));
    section(&mut out, |out| digests.export(left.left_ms, out));
    let digest = sha256(&out);
    out.extend_from_slice(&digest);
    out
}

/// Fills two empty memories with what [`export`] wrote.
///
/// * `now_ms`: not before it was left
/// # Errors
/// [`CarryError`]; both memories are as they were.
pub fn import(
    octets: &[u8],
    now_ms: u64,
    replay: &mut ReplayMemory,
    digests: &mut DigestMemory,
) -> Result<Left, CarryError> {
    let (body, digest) = octets.split_at_checked(octets.len().saturating_sub(DIGEST)).ok_or(CarryError::Magic)?;
    let mut reader = Reader::new(body);
    if reader.array() != Some(MAGIC) {
        return Err(CarryError::Magic);
    }
    let version = reader.be16().ok_or(CarryError::Digest)?;
    if version != VERSION {
        return Err(CarryError::Version(version));
    }
    if sha256(body) != digest {
        return Err(CarryError::Digest);
    }
    let left = Left { since_ms: be64(&mut reader)?, left_ms: be64(&mut reader)? };
    if left.since_ms > left.left_ms || left.left_ms > now_ms {
        return Err(CarryError::Future);
    }
    let mut part = || {
        let len = be32(&mut reader)? as usize;
        reader.sub(len).ok_or(CarryError::Malformed(reader.at()))
    };
    let (windows, entries) = (part()?, part()?);
    if !reader.is_empty() {
        return Err(CarryError::Malformed(reader.at()));
    }
    // Both are read to their end before either is applied.
    let windows = replay.read(windows, now_ms)?;
    let entries = digests.read(entries, left.left_ms, now_ms)?;
    replay.apply(windows);
    digests.apply(entries);
    Ok(left)
}

/// Appends what `write` appends, with its length before it.
fn section(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    // One that is longer than its length can say does not load; control writes none that long.
    let len = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

pub(super) fn be32(reader: &mut Reader<'_>) -> Result<u32, CarryError> {
    reader.be32().ok_or(CarryError::Malformed(reader.at()))
}

pub(super) fn be64(reader: &mut Reader<'_>) -> Result<u64, CarryError> {
    reader.array().map(|octets| u64::from_be_bytes(*octets)).ok_or(CarryError::Malformed(reader.at()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::keyed::Key;
    use super::super::{digest, replay};
    use super::*;
    use proptest::prelude::*;
    use sealgate_wire::Reason;

    const SAI: [u8; 8] = *b"signer-1";
    const LEFT: Left = Left { since_ms: 1_000_000, left_ms: 2_000_000 };
    const DIGESTS: digest::Config = digest::Config { entries: 64, keep_ms: 60_000 };

    fn memories(key: u64) -> (ReplayMemory, DigestMemory) {
        let config = replay::Config { windows: 8, w: 1024, nodes_per_signer: 16, idle_ms: 30_000 };
        (ReplayMemory::new(config, Key::new(key, 1)), DigestMemory::new(DIGESTS, Key::new(key, 2)))
    }

    fn left() -> Vec<u8> {
        let (replay, digests) = memories(1);
        for seq in [5_000, 5_001, 5_900] {
            replay.mark(SAI, 3, seq, LEFT.left_ms - 10).unwrap();
        }
        digests.insert_new(&[7; 32], LEFT.left_ms - 10).unwrap();
        export(&replay, &digests, LEFT)
    }

    /// The octets with their SHA-256 made good.
    fn sealed(mut octets: Vec<u8>) -> Vec<u8> {
        let body = octets.len() - DIGEST;
        let digest = sha256(&octets[..body]);
        octets[body..].copy_from_slice(&digest);
        octets
    }

    /// Whether `octets` are refused, and if so, that nothing came of them.
    fn refused(octets: &[u8], now_ms: u64) -> Option<CarryError> {
        let (mut replay, mut digests) = memories(9);
        let error = import(octets, now_ms, &mut replay, &mut digests).err()?;
        assert_eq!(replay.in_use(), 0);
        let (mut windows, mut none) = (Vec::new(), Vec::new());
        digests.export(now_ms, &mut windows);
        memories(9).1.export(now_ms, &mut none);
        assert_eq!(windows, none, "nothing was applied, the key included");
        Some(error)
    }

    #[test]
    fn what_was_accepted_stays_marked_and_what_was_not_passes() {
        let (mut replay, mut digests) = memories(2);
        let now = LEFT.left_ms + 3_000;
        assert_eq!(import(&left(), now, &mut replay, &mut digests), Ok(LEFT));
        for (seq, want) in [
            (5_000, Err(Reason::SecReplay)),
            (5_001, Err(Reason::SecReplay)),
            (5_900, Err(Reason::SecReplay)),
            (4_876, Err(Reason::SecSeqOld)),
            (5_002, Ok(())),
            (5_899, Ok(())),
            (5_901, Ok(())),
        ] {
            assert_eq!(replay.check(SAI, 3, seq, now), want, "{seq}");
            assert_eq!(replay.mark(SAI, 3, seq, now), want, "{seq}");
        }
        assert_eq!(replay.mark(SAI, 4, 5_000, now), Ok(()), "another node");
        assert_eq!(digests.check(&[7; 32], now), Err(Reason::SecReplay));
        assert_eq!(digests.insert_new(&[7; 32], now), Err(Reason::SecReplay));
        assert_eq!(digests.insert_new(&[8; 32], now), Ok(()));
        assert_eq!(digests.insert_new(&[7; 32], now + 60_000), Ok(()), "expiry is what it was");
        assert_eq!(import(&left(), now, &mut replay, &mut digests), Err(CarryError::InUse));
    }

    #[test]
    fn each_check_is_earned() {
        let good = left();
        assert_eq!(refused(&good, LEFT.left_ms), None);
        assert_eq!(refused(&good, LEFT.left_ms - 1), Some(CarryError::Future));
        assert_eq!(refused(&[], 0), Some(CarryError::Magic));
        let with = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            octets
        };
        let now = LEFT.left_ms;
        assert_eq!(refused(&with(0, 0), now), Some(CarryError::Magic));
        assert_eq!(refused(&with(9, 2), now), Some(CarryError::Version(2)));
        assert_eq!(refused(&with(60, 0xff), now), Some(CarryError::Digest));
        assert_eq!(refused(&good[..good.len() - 1], now), Some(CarryError::Digest));
        assert_eq!(refused(&sealed(with(12, 1)), now), Some(CarryError::Future), "complete since after it was left");
        // The section of the windows begins at 30: width, time kept, how many, and the first one at 46.
        let windows = 30;
        assert_eq!(refused(&sealed(with(windows + 2, 8)), now), Some(CarryError::Width { theirs: 2048, ours: 1024 }));
        assert_eq!(
            refused(&sealed(with(windows + 10, 0)), now),
            Some(CarryError::Kept { theirs_ms: 30_000 & 0xff, ours_ms: 30_000 })
        );
        for (at, octet, what) in [
            (windows - 1, 0, "a section that ends early"),
            (windows - 1, 255, "one that goes too far"),
            (windows + 15, 0, "windows nobody counted"),
            (windows + 15, 2, "a window that is missing"),
            (windows + 16 + 9 + 7, 0, "a mark above the highest number"),
            (windows + 16 + 28, 1, "more marks than there are"),
            (windows + 16 + 29 + 3, 40, "marks out of order"),
        ] {
            let error = refused(&sealed(with(at, octet)), now);
            assert!(matches!(error, Some(CarryError::Malformed(_))), "{what}: {error:?}");
        }
        let mut longer = good.clone();
        longer.splice(good.len() - DIGEST..good.len() - DIGEST, [0]);
        assert!(matches!(refused(&sealed(longer), now), Some(CarryError::Malformed(_))));
    }

    #[test]
    fn a_memory_that_kept_less_or_does_not_fit_is_no_use() {
        let octets = left();
        let (mut replay, _) = memories(1);
        let mut longer = DigestMemory::new(digest::Config { keep_ms: 60_001, ..DIGESTS }, Key::new(1, 1));
        let error = import(&octets, LEFT.left_ms, &mut replay, &mut longer);
        assert!(matches!(error, Err(CarryError::Kept { .. })), "{error:?}");
        let mut smaller = DigestMemory::new(digest::Config { entries: 8, ..DIGESTS }, Key::new(1, 1));
        assert_eq!(import(&octets, LEFT.left_ms, &mut replay, &mut smaller), Err(CarryError::Room));
        assert_eq!(replay.in_use(), 0);
    }

    #[test]
    fn long_after_it_was_left_no_digest_comes_back_to_life() {
        // The time in an entry wraps after 2^20 tenths of a second.
        let later = LEFT.left_ms + (1 << 20) * 100;
        let (mut replay, mut digests) = memories(2);
        assert_eq!(import(&left(), later, &mut replay, &mut digests), Ok(LEFT));
        assert_eq!(digests.insert_new(&[7; 32], later), Ok(()));
        assert_eq!(replay.mark(SAI, 3, 5_000, later), Err(Reason::SecReplay), "a window may stay");
    }

    proptest! {
        #[test]
        fn a_changed_octet_never_panics_and_is_seen(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut octets = left();
            let at = at.index(octets.len());
            prop_assume!(octets[at] != octet);
            octets[at] = octet;
            prop_assert!(refused(&octets, LEFT.left_ms).is_some());
        }

        #[test]
        fn hostile_octets_never_panic_and_change_nothing_or_load(
            edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in 0..40_usize,
        ) {
            let mut octets = left();
            for (at, octet) in edits {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            octets.truncate(octets.len() - cut);
            refused(&sealed(octets), u64::MAX);
        }

        #[test]
        fn a_second_hand_memory_is_the_same(
            numbers in proptest::collection::vec((0..3_u8, 0..3_000_u64), 0..200),
            seeds in proptest::collection::btree_set(any::<u8>(), 0..8),
        ) {
            let (replay, digests) = memories(1);
            for &(node, seq) in &numbers {
                let _ = replay.mark(SAI, node, 7_000 + seq, LEFT.left_ms);
            }
            for &seed in &seeds {
                prop_assert!(digests.insert_new(&[seed; 32], LEFT.left_ms).is_ok());
            }
            let octets = export(&replay, &digests, LEFT);
            let (mut second, mut others) = memories(2);
            prop_assert_eq!(import(&octets, LEFT.left_ms, &mut second, &mut others), Ok(LEFT));
            for node in 0..4 {
                for seq in 5_900..10_100 {
                    prop_assert_eq!(second.check(SAI, node, seq, 0), replay.check(SAI, node, seq, 0));
                }
                for seq in (5_900..10_100).rev() {
                    prop_assert_eq!(second.mark(SAI, node, seq, 0), replay.mark(SAI, node, seq, 0));
                }
            }
            for seed in 0..=255 {
                prop_assert_eq!(others.check(&[seed; 32], LEFT.left_ms).is_err(), seeds.contains(&seed));
            }
        }
    }
}
