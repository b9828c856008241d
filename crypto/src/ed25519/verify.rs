//! A batch of signatures: hash, digits, sums, one inversion a chunk, comparison.

use super::challenge::{self, Input};
use super::curve::{self, Extended, invert_all};
use super::field::Fe;
use super::scalar;
use super::sum::{AHEAD, Group, LANES, Lanes, Pick};
use super::table::{BaseTable, KeyTable, Table, WIDTHS};
use std::sync::Arc;

/// Signatures that are prepared together and share an inversion.
const CHUNK: usize = 32;

/// Groups of a chunk: full ones, then one of two signatures and one of a single one.
const GROUPS: usize = CHUNK / LANES + 1;

/// Lines that a signature adds at most: two tables of the narrowest windows.
const MOST_LINES: usize = 2 * scalar::windows(*WIDTHS.start());

/// What a signature was made over.
#[derive(Clone, Copy)]
pub(crate) enum Signed<'a> {
    /// The message itself.
    Message(&'a [u8]),
    /// SHA-512 of R, A and the message, if the caller has made it.
    Digest(&'a [u8; 64]),
}

/// One question: does this key's signature hold over this?
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// Multiples of the point that `public` encodes.
    pub(crate) table: &'a KeyTable,
    pub(crate) public: &'a [u8; 32],
    pub(crate) signed: Signed<'a>,
    pub(crate) signature: &'a [u8; 64],
}

impl Job<'_> {
    /// R and S.
    fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        let (r, s) = self.signature.as_chunks::<32>().0.split_at(1);
        (&r[0], &s[0])
    }

    /// What is hashed; the message is empty where the digest is there already.
    fn input(&self) -> Input<'_> {
        let message = match self.signed {
            Signed::Message(message) => message,
            Signed::Digest(_) => &[],
        };
        Input { r: self.halves().0, a: self.public, message }
    }
}

/// A job whose scalars are known.
#[derive(Clone, Copy, Default)]
struct Ready {
    /// Place in the chunk.
    index: usize,
    s: [u64; 4],
    k: [u64; 4],
    /// Lines that are to be added.
    lines: usize,
}

/// Verifies batches; keeps its scratch, so that nothing is allocated on the Rust heap after it is made.
pub(crate) struct Verifier {
    base: Arc<BaseTable>,
    lanes: Lanes,
    picks: Box<[[Pick; LANES]]>,
}

impl Verifier {
    /// Whether this processor has vector kernels for it.
    pub(crate) fn is_vector() -> bool {
        !matches!(Lanes::best(), Lanes::Scalar)
    }

    pub(crate) fn new(base: Arc<BaseTable>) -> Self {
        Self::with_lanes(base, Lanes::best())
    }

    pub(super) fn with_lanes(base: Arc<BaseTable>, lanes: Lanes) -> Self {
        let most = scalar::windows(base.table().width()) + scalar::windows(*WIDTHS.start());
        Self { base, lanes, picks: vec![[Pick::NEUTRAL; LANES]; GROUPS * most].into() }
    }

    /// Calls `grant` with the place of each job whose signature holds, in any order. What is not granted is refused.
    pub(crate) fn verify(&mut self, jobs: &[Job<'_>], grant: &mut dyn FnMut(usize)) {
        for (chunk, jobs) in jobs.chunks(CHUNK).enumerate() {
            self.chunk(jobs, &mut |index| grant(chunk * CHUNK + index));
        }
    }

    fn chunk(&mut self, jobs: &[Job<'_>], grant: &mut dyn FnMut(usize)) {
        let mut all = [Ready::default(); CHUNK];
        let mut count = 0;
        for (index, job) in jobs.iter().enumerate() {
            let Some(s) = scalar::canonical(job.halves().1) else { continue };
            let lines = scalar::windows(self.base.table().width()) + scalar::windows(job.table.table().width());
            all[count] = Ready { index, s, k: [0; 4], lines };
            count += 1;
        }
        let ready = &mut all[..count];
        self.challenges(jobs, ready);
        // Signatures of the same number of lines side by side: no lane waits for another.
        ready.sort_unstable_by_key(|one| one.lines);

        let mut sums = [Extended::NEUTRAL; CHUNK];
        self.sum(jobs, ready, &mut sums);

        let (mut inverses, mut scratch) = ([Fe::ZERO; CHUNK], [Fe::ZERO; CHUNK]);
        inverses.iter_mut().zip(&sums).for_each(|(to, sum)| *to = sum.z);
        invert_all(&mut inverses[..count], &mut scratch[..count]);
        for ((one, sum), inverse) in ready.iter().zip(&sums).zip(inverses) {
            let (x, y) = sum.affine(inverse);
            if curve::encode(x, y) == *jobs[one.index].halves().0 {
                grant(one.index);
            }
        }
    }

    /// Fills in k of each of `ready`.
    fn challenges(&self, jobs: &[Job<'_>], ready: &mut [Ready]) {
        // Blocks and place in `ready` of each message that is to be hashed.
        let mut hashed = [(0, 0); CHUNK];
        let mut count = 0;
        for (at, one) in ready.iter_mut().enumerate() {
            let job = &jobs[one.index];
            if let Signed::Digest(digest) = job.signed {
                one.k = scalar::reduce(digest);
            } else {
                hashed[count] = (job.input().blocks(), at);
                count += 1;
            }
        }
        let hashed = &mut hashed[..count];
        // Messages of about the same length side by side: a lane that has ended works for nothing.
        hashed.sort_unstable();
        for four in hashed.chunks(LANES) {
            let inputs = [0, 1, 2, 3].map(|lane| jobs[ready[four[lane.min(four.len() - 1)].1].index].input());
            let mut digests = [[0; 64]; LANES];
            challenge::digests(self.lanes, &inputs[..four.len()], &mut digests);
            for ((_, at), digest) in four.iter().zip(&digests) {
                ready[*at].k = scalar::reduce(digest);
            }
        }
    }

    /// [S]B - [k]A of each of `ready`.
    fn sum(&mut self, jobs: &[Job<'_>], ready: &[Ready], sums: &mut [Extended; CHUNK]) {
        let lanes = self.lanes;
        let mut groups = [Group::NONE; GROUPS];
        let mut shares = [LANES; GROUPS];
        let mut count = 0;
        let (mut left, mut room) = (ready, &mut *self.picks);
        while !left.is_empty() {
            // Four signatures take a lane each, two take two lanes each, one takes all.
            let together = if left.len() >= LANES { LANES } else { 1 << left.len().ilog2() };
            let (group, rest) = left.split_at(together);
            let share = LANES / together;
            let steps = group.iter().map(|one| one.lines.div_ceil(share)).max().unwrap_or(0);
            let (picks, more) = room.split_at_mut(steps);
            picks.fill([Pick::NEUTRAL; LANES]);
            for (one, at) in group.iter().zip((0..).step_by(share)) {
                let table = jobs[one.index].table.table();
                let tables = [self.base.table(), table];
                let lines = tables.map(Table::lines);
                groups[count].tables[at..at + share].fill(lines);
                let mut all = [Pick::NEUTRAL; MOST_LINES];
                let (of_base, of_key) = all.split_at_mut(scalar::windows(tables[0].width()));
                choose(tables[0], &one.s, of_base, |pick, digit| Pick::new(pick, false, digit < 0));
                // -[k]A by the digits' signs. Not by L - k: A may have a part of small order, which L leaves.
                choose(tables[1], &one.k, of_key, |pick, digit| Pick::new(pick, true, digit > 0));
                let each = one.lines.div_ceil(share);
                for (lane, share) in (at..).zip(all[..one.lines].chunks(each)) {
                    for (step, pick) in picks.iter_mut().zip(share) {
                        step[lane] = *pick;
                    }
                    if count == 0 {
                        share.iter().take(AHEAD).for_each(|pick| lanes.fetch(pick.line(&lines)));
                    }
                }
            }
            groups[count].steps = picks;
            shares[count] = share;
            count += 1;
            (left, room) = (rest, more);
        }
        let mut out = sums.iter_mut();
        for (at, (group, share)) in groups[..count].iter().zip(shares).enumerate() {
            let parts = lanes.sum(group, groups.get(at + 1).unwrap_or(&Group::NONE));
            for (parts, to) in parts.chunks(share).zip(out.by_ref()) {
                *to = parts.iter().skip(1).fold(parts[0], |sum, part| sum.add(part));
            }
        }
    }
}

/// The lines of `table` that make up `scalar` times its point, in the order of its rows.
fn choose(table: &Table, scalar: &[u64; 4], out: &mut [Pick], pick: impl Fn(usize, i32) -> Pick) {
    for (row, (to, digit)) in out.iter_mut().zip(scalar::digits(scalar, table.width())).enumerate() {
        *to = pick(table.place(row, digit.unsigned_abs()), digit);
    }
}
