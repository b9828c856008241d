//! IP packets in several fragments (RFC 791 §3.2, RFC 8200 §4.5), put together before anything in them is judged.
//!
//! A datagram is judged as its receiver would see it, so what two receivers could put together in two ways is refused: of
//! fragments that overlap nothing leaves (RFC 5722), and what comes behind them of that datagram goes the same way until its
//! time is up. A copy of a fragment, octet by octet, is no overlap. Each source address has a share of the places; in a full
//! share its own oldest datagram goes, so that nobody takes the places of another, and a lost fragment holds up nothing.

use std::net::IpAddr;

use sealgate_wire::Reason;

use super::Direction;
use crate::policy::snapshot::LinkId;

/// Limits of [`IpFragments`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Most datagrams at once.
    pub places: usize,
    /// Most of one source address.
    pub share: usize,
    /// Most octets of one, without its headers.
    pub octets: usize,
    /// Most fragments of one.
    pub pieces: usize,
    /// Longest wait since its first fragment that came, milliseconds.
    pub timeout_ms: u64,
}

impl Default for Config {
    /// 256 datagrams, 8 of each source, of 16 KiB in 64 fragments: 4 MiB a worker if all are in use. Two seconds: four times
    /// what SIP waits before it sends again (RFC 3261 §17.1.1.1), and far less than identifications need to come round.
    fn default() -> Self {
        Self { places: 256, share: 8, octets: 16 << 10, pieces: 64, timeout_ms: 2000 }
    }
}

/// What fragments of one datagram have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its link.
    pub link: LinkId,
    /// Which way it goes.
    pub way: Direction,
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// Identification and protocol.
    pub id: (u32, u8),
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Where it begins in the datagram, octets.
    pub offset: usize,
    /// Whether more follows.
    pub more: bool,
    /// What stands in front of it in its frame; of the first piece this becomes the front of the whole.
    pub front: &'a [u8],
    /// Its octets.
    pub payload: &'a [u8],
}

/// What a fragment led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress<'a> {
    /// Others are missing.
    Held,
    /// It was here already.
    Again,
    /// It was the last one.
    Whole {
        /// What stood in front of the first piece.
        front: &'a [u8],
        /// All pieces.
        body: &'a [u8],
    },
}

#[derive(Debug, Default)]
struct Entry {
    key: Option<Key>,
    since_ms: u64,
    /// Something about it had two readings.
    refused: bool,
    /// Where it ends, once its last piece is here.
    end: Option<usize>,
    /// Octets that are here.
    got: usize,
    /// First and behind-the-last octet of each piece.
    pieces: Vec<(usize, usize)>,
    front: Vec<u8>,
    body: Vec<u8>,
}

impl Entry {
    fn reset(&mut self) {
        let Self { pieces, front, body, .. } = std::mem::take(self);
        (self.pieces, self.front, self.body) = (pieces, front, body);
        self.pieces.clear();
        self.front.clear();
        self.body.clear();
    }

    /// Takes a piece in. `None` if it contradicts those before; `Some(false)` if it was here already.
    fn take(&mut self, piece: &Piece<'_>, limits: &Config) -> Option<bool> {
        let (from, to) = (piece.offset, piece.offset.checked_add(piece.payload.len())?);
        if to > limits.octets || from == to {
            return None;
        }
        if self.pieces.contains(&(from, to)) {
            let same = self.body.get(from..to) == Some(piece.payload) && piece.more == (self.end != Some(to));
            return same.then_some(false);
        }
        let overlaps = self.pieces.iter().any(|&(start, end)| from < end && start < to);
        // Behind the end, or another end; and an end in front of what is here.
        let beyond = self.end.is_some_and(|end| to > end || !piece.more || to == end);
        let before = !piece.more && self.pieces.iter().any(|&(_, end)| end > to);
        if overlaps || beyond || before || self.pieces.len() >= limits.pieces {
            return None;
        }
        if !piece.more {
            self.end = Some(to);
        }
        if from == 0 {
            self.front.extend_from_slice(piece.front);
        }
        if self.body.len() < to {
            self.body.resize(to, 0);
        }
        self.body.get_mut(from..to)?.copy_from_slice(piece.payload);
        self.pieces.push((from, to));
        self.got += to - from;
        Some(true)
    }
}

/// The datagrams of one worker that wait for a fragment.
#[derive(Debug, Default)]
pub struct IpFragments {
    limits: Config,
    open: Vec<Entry>,
    spare: Vec<Entry>,
    whole: Entry,
    lost: u64,
}

impl IpFragments {
    /// An empty table; its places are made as they are used, and kept.
    pub fn new(limits: Config) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes one fragment.
    /// # Errors
    /// [`Reason::IpFragment`] for one that overlaps another, that is not where the datagram lies, or whose datagram was refused
    /// before; [`Reason::ResTableFull`] where other sources have all places.
    pub fn push(&mut self, key: &Key, piece: &Piece<'_>, now_ms: u64) -> Result<Progress<'_>, Reason> {
        self.expire(now_ms);
        let at = match self.open.iter().position(|entry| entry.key.as_ref() == Some(key)) {
            Some(at) => at,
            None => self.place(key, now_ms)?,
        };
        let entry = self.open.get_mut(at).ok_or(Reason::IntBug)?;
        if entry.refused {
            return Err(Reason::IpFragment);
        }
        match entry.take(piece, &self.limits) {
            None => {
                entry.refused = true;
                return Err(Reason::IpFragment);
            }
            Some(false) => return Ok(Progress::Again),
            Some(true) if entry.end != Some(entry.got) => return Ok(Progress::Held),
            Some(true) => {}
        }
        let done = self.open.swap_remove(at);
        let mut before = std::mem::replace(&mut self.whole, done);
        before.reset();
        self.spare.push(before);
        Ok(Progress::Whole { front: &self.whole.front, body: &self.whole.body })
    }

    /// A place for another datagram: in a full share that of the oldest of its source.
    fn place(&mut self, key: &Key, now_ms: u64) -> Result<usize, Reason> {
        let (mut of_source, mut oldest) = (0, None::<(u64, usize)>);
        for (i, entry) in self.open.iter().enumerate() {
            if entry.key.is_some_and(|other| other.source == key.source) {
                of_source += 1;
                oldest = Some(oldest.map_or((entry.since_ms, i), |oldest| oldest.min((entry.since_ms, i))));
            }
        }
        if let Some((_, i)) = oldest.filter(|_| of_source >= self.limits.share) {
            self.drop_entry(i);
        }
        if self.open.len() >= self.limits.places {
            return Err(Reason::ResTableFull);
        }
        let mut entry = self.spare.pop().unwrap_or_default();
        entry.key = Some(*key);
        entry.since_ms = now_ms;
        self.open.push(entry);
        Ok(self.open.len() - 1)
    }

    fn drop_entry(&mut self, at: usize) {
        let mut entry = self.open.swap_remove(at);
        // Of what was refused, each fragment was counted.
        self.lost += u64::from(!entry.refused);
        entry.reset();
        self.spare.push(entry);
    }

    /// Lets go of what waited too long.
    pub fn expire(&mut self, now_ms: u64) {
        let mut at = 0;
        while let Some(entry) = self.open.get(at) {
            if now_ms.saturating_sub(entry.since_ms) > self.limits.timeout_ms {
                self.drop_entry(at);
            } else {
                at += 1;
            }
        }
    }

    /// Datagrams given up since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Datagrams that wait.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True if none waits.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(source: u8, id: u32) -> Key {
        let source = [192, 0, 2, source].into();
        Key { link: 0, way: Direction::In, source, destination: [198, 51, 100, 1].into(), id: (id, 17) }
    }

    fn octets(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
    }

    fn piece(whole: &[u8], from: usize, to: usize) -> Piece<'_> {
        let front: &[u8] = if from == 0 { b"first" } else { b"other" };
        Piece { offset: from, more: to < whole.len(), front, payload: &whole[from..to] }
    }

    #[test]
    fn pieces_in_any_order_are_the_whole_with_the_front_of_the_first() {
        let whole = octets(40);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut table = IpFragments::new(Config::default());
            for (i, which) in order.into_iter().enumerate() {
                let (from, to) = [(0, 16), (16, 24), (24, 40)][which];
                let got = table.push(&key(1, 7), &piece(&whole, from, to), 0);
                let want = if i < 2 { Progress::Held } else { Progress::Whole { front: b"first", body: &whole } };
                assert_eq!(got, Ok(want), "{order:?}");
            }
            assert!(table.is_empty());
            // The place is as good as new.
            assert_eq!(table.push(&key(1, 7), &piece(&whole, 16, 24), 0), Ok(Progress::Held));
            assert_eq!(table.take_lost(), 0);
        }
    }

    #[test]
    fn what_has_two_readings_is_refused_until_its_time_is_up() {
        let whole = octets(64);
        let other: Vec<_> = whole.iter().map(|octet| octet ^ 1).collect();
        let of = |octets: &'static [u8], from, more| Piece { offset: from, more, front: b"", payload: octets };
        let [whole, other] = [whole, other].map(|octets| -> &'static [u8] { octets.leak() });
        for (first, second, why) in [
            (piece(whole, 0, 16), piece(other, 0, 16), "other octets"),
            (piece(whole, 0, 16), of(&whole[..16], 0, false), "the same, but the last"),
            (piece(whole, 0, 16), piece(whole, 8, 24), "an overlap"),
            (piece(whole, 8, 24), piece(whole, 0, 16), "an overlap from the front"),
            (piece(whole, 0, 32), piece(whole, 8, 16), "inside"),
            (piece(whole, 8, 16), piece(whole, 0, 32), "around"),
            (of(&whole[..8], 8, false), of(&whole[..8], 16, true), "behind the end"),
            (of(&whole[..8], 8, false), of(&whole[..8], 16, false), "another end"),
            (of(&whole[..8], 16, true), of(&whole[..8], 8, false), "an end in front"),
            (of(&whole[..8], 8, false), of(&whole[..8], 8, true), "an end, and then none"),
        ] {
            let mut table = IpFragments::new(Config::default());
            assert_eq!(table.push(&key(1, 7), &first, 0), Ok(Progress::Held), "{why}");
            assert_eq!(table.push(&key(1, 7), &second, 1), Err(Reason::IpFragment), "{why}");
            // Nothing of it is put together from now on, not even from pieces that go together.
            for (from, to) in [(0, 32), (32, 64)] {
                assert_eq!(table.push(&key(1, 7), &piece(whole, from, to), 2000), Err(Reason::IpFragment), "{why}");
            }
            assert_eq!(table.push(&key(1, 8), &piece(whole, 0, 32), 2000), Ok(Progress::Held), "another datagram");
            assert_eq!(table.push(&key(1, 7), &piece(whole, 0, 32), 2001), Ok(Progress::Held));
            assert!(table.push(&key(1, 7), &piece(whole, 32, 64), 2001).is_ok_and(|p| p != Progress::Held));
        }
    }

    #[test]
    fn a_copy_is_no_overlap() {
        let whole = octets(40);
        let mut table = IpFragments::new(Config::default());
        for (from, to, want) in [(24, 40, Progress::Held), (24, 40, Progress::Again), (0, 16, Progress::Held)] {
            assert_eq!(table.push(&key(1, 7), &piece(&whole, from, to), 0), Ok(want));
        }
        assert_eq!(table.push(&key(1, 7), &piece(&whole, 0, 16), 0), Ok(Progress::Again));
        let done = table.push(&key(1, 7), &piece(&whole, 16, 24), 0);
        assert_eq!(done, Ok(Progress::Whole { front: b"first", body: &whole }));
    }

    #[test]
    fn lengths_and_counts_have_a_most() {
        let limits = Config { octets: 64, pieces: 3, ..Config::default() };
        let whole = octets(80);
        let mut table = IpFragments::new(limits);
        assert_eq!(table.push(&key(1, 1), &piece(&whole, 0, 64), 0), Ok(Progress::Held), "as long as may be");
        assert_eq!(table.push(&key(1, 2), &piece(&whole, 56, 72), 0), Err(Reason::IpFragment));
        assert_eq!(table.push(&key(1, 3), &piece(&whole, 8, 8), 0), Err(Reason::IpFragment), "empty");
        let far = Piece { offset: usize::MAX, ..piece(&whole, 0, 8) };
        assert_eq!(table.push(&key(1, 4), &far, 0), Err(Reason::IpFragment));
        for (from, want) in
            [(0, Ok(Progress::Held)), (8, Ok(Progress::Held)), (16, Ok(Progress::Held)), (24, Err(Reason::IpFragment))]
        {
            assert_eq!(table.push(&key(1, 5), &piece(&whole, from, from + 8), 0), want);
        }
    }

    #[test]
    fn one_source_takes_its_share_and_no_more() {
        let limits = Config { places: 20, share: 8, ..Config::default() };
        let whole = octets(16);
        let mut table = IpFragments::new(limits);
        let mut begin = |source, id| table.push(&key(source, id), &piece(&whole, 0, 8), id.into()).map(|_| ());
        assert_eq!(begin(2, 0), Ok(()));
        for id in 1..1000 {
            assert_eq!(begin(1, id), Ok(()), "the youngest always find a place");
        }
        assert_eq!(begin(3, 1000), Ok(()));
        for id in 1001..1011 {
            assert_eq!(begin(4, id), Ok(()), "eight of it stay");
        }
        assert_eq!((table.len(), table.take_lost()), (18, 991 + 2));
        // Of the flooding source the last eight are there, of others all.
        for (source, id, there) in [(2, 0, true), (1, 992, true), (1, 999, true), (3, 1000, true), (1, 991, false)] {
            let done = table.push(&key(source, id), &piece(&whole, 8, 16), 1011);
            assert_eq!(matches!(done, Ok(Progress::Whole { .. })), there, "{source} {id}");
        }
    }

    #[test]
    fn a_full_table_refuses_and_empties_itself() {
        let limits = Config { places: 4, share: 2, ..Config::default() };
        let whole = octets(16);
        let mut table = IpFragments::new(limits);
        for (source, id) in [(1, 1), (1, 2), (2, 3), (2, 4)] {
            assert_eq!(table.push(&key(source, id), &piece(&whole, 0, 8), 10), Ok(Progress::Held));
        }
        assert_eq!(table.push(&key(3, 5), &piece(&whole, 0, 8), 2010), Err(Reason::ResTableFull));
        assert_eq!(table.take_lost(), 0);
        assert_eq!(table.push(&key(3, 5), &piece(&whole, 0, 8), 2011), Ok(Progress::Held), "two seconds are over");
        assert_eq!((table.len(), table.take_lost(), table.take_lost()), (1, 4, 0));
        table.expire(4012);
        assert_eq!((table.len(), table.take_lost()), (0, 1));
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let whole = octets(16);
        let one = key(1, 7);
        for other in [
            Key { link: 1, ..one },
            Key { way: Direction::Out, ..one },
            Key { source: [192, 0, 2, 9].into(), ..one },
            Key { destination: [198, 51, 100, 9].into(), ..one },
            Key { id: (8, 17), ..one },
            Key { id: (7, 6), ..one },
        ] {
            let mut table = IpFragments::new(Config::default());
            assert_eq!(table.push(&one, &piece(&whole, 0, 8), 0), Ok(Progress::Held));
            assert_eq!(table.push(&other, &piece(&whole, 8, 16), 0), Ok(Progress::Held));
            assert_eq!(table.len(), 2);
        }
    }

    /// Whether each part of a body, from an octet on, is a piece that was sent just so. Pieces of one place may be of several
    /// lengths, so that each of them is tried.
    fn is_made_of(body: &[u8], at: usize, sent: &[(usize, Vec<u8>, bool)]) -> bool {
        at == body.len()
            || sent.iter().any(|(from, octets, more)| {
                let end = at + octets.len();
                let is_next = *from == at && body.get(at..end) == Some(octets) && *more == (end < body.len());
                is_next && is_made_of(body, end, sent)
            })
    }

    proptest! {
        /// Whatever comes in whatever order: what is whole is what some sender sent, piece by piece.
        #[test]
        fn nothing_is_put_together_that_was_not_sent(
            pieces in proptest::collection::vec((0..6_usize, 1..4_usize, any::<bool>(), 0..3_u8), 1..12)
        ) {
            let mut table = IpFragments::new(Config { octets: 64, ..Config::default() });
            let mut sent: Vec<(usize, Vec<u8>, bool)> = Vec::new();
            for (at, len, more, fill) in pieces {
                let payload = vec![fill; len * 8];
                let piece = Piece { offset: at * 8, more, front: &[fill], payload: &payload };
                sent.push((at * 8, payload.clone(), more));
                if let Ok(Progress::Whole { front, body }) = table.push(&key(1, 1), &piece, 0) {
                    prop_assert_eq!(front, &body[..1]);
                    prop_assert!(is_made_of(body, 0, &sent), "{:?}", body);
                }
            }
        }
    }
}
