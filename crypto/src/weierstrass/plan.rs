//! What a chunk of signatures needs before anything is summed: its scalars, and the table lines of their digits.

use super::digits;
use super::field::{Curve, Lanes, Signs};
use super::table::Table;

/// One question: does the signature hold?
pub(crate) struct Job<'a, C: Curve, L: Lanes<Fe = C::Fe>> {
    pub(crate) table: &'a Table<C, L>,
    /// At least as many octets as a coordinate; the first so many count (FIPS 186-5 6.4.2).
    pub(crate) digest: &'a [u8],
    /// r then s.
    pub(crate) signature: &'a [u8],
}

/// A signature whose numbers are in range.
pub(super) struct Claim<'a, C: Curve, L: Lanes<Fe = C::Fe>> {
    /// Number in the batch.
    pub(super) job: usize,
    pub(super) table: &'a Table<C, L>,
    pub(super) r: C::Words,
    s: C::Words,
    /// z / s and r / s, once s is inverted (FIPS 186-5 6.4.2).
    u1: C::Words,
    u2: C::Words,
}

/// Four lanes of a chunk: one signature each, or parts of the sums of one or two.
#[derive(Clone, Copy)]
pub(super) struct Team {
    /// Its first claim.
    pub(super) first: usize,
    /// Signatures.
    pub(super) len: usize,
    /// Lanes a signature; lanes beyond them repeat the first signature's.
    pub(super) ways: usize,
    /// Points a lane. A signature may have up to `ways` - 1 more, the last ones, which are in no lane.
    pub(super) points: usize,
}

/// A chunk, ready to be summed: its lines can be fetched while another one is.
pub(super) struct Plan<'a, C: Curve, L: Lanes<Fe = C::Fe>> {
    pub(super) claims: Vec<Claim<'a, C, L>>,
    pub(super) teams: Vec<Team>,
    /// A line a lane, for each point of each team.
    pub(super) lines: Vec<[&'a L::Line; 4]>,
    /// As many as lines.
    pub(super) signs: Vec<Signs>,
}

impl<'a, C: Curve, L: Lanes<Fe = C::Fe>> Plan<'a, C, L> {
    pub(super) fn new() -> Self {
        Self { claims: Vec::new(), teams: Vec::new(), lines: Vec::new(), signs: Vec::new() }
    }

    /// The same memory for a batch whose tables live for another time.
    pub(super) fn recycle<'b>(self) -> Plan<'b, C, L> {
        let Self { claims, teams, lines, signs } = self;
        Plan { claims: emptied(claims), teams: emptied(teams), lines: emptied(lines), signs: emptied(signs) }
    }

    /// Begins a chunk.
    pub(super) fn clear(&mut self) {
        self.claims.clear();
        self.teams.clear();
        self.lines.clear();
        self.signs.clear();
    }

    /// One more signature. A malformed one is left out, hence refused.
    pub(super) fn claim(&mut self, number: usize, job: &Job<'a, C, L>) {
        let read = || {
            let (r, s) = job.signature.split_at_checked(C::OCTETS)?;
            let (r, s) = (C::integer(r)?, C::integer(s)?);
            let z = C::integer(job.digest.get(..C::OCTETS)?)?;
            let valid = C::in_range(&r) && C::in_range(&s);
            valid.then_some(Claim { job: number, table: job.table, r, s, u1: z, u2: r })
        };
        self.claims.extend(read());
    }

    /// Divides by s, forms teams and finds their lines.
    ///
    /// * `base`: the table of the generator
    /// * `prefixes`: memory to work with
    /// * `fetch`: whether to ask the memory for each line at once
    pub(super) fn complete(&mut self, base: &'a Table<C, L>, prefixes: &mut Vec<C::Words>, fetch: bool) {
        self.divide(prefixes);
        // A team shares one window.
        self.claims.sort_unstable_by_key(|claim| claim.table.window());
        let mut first = 0;
        while let Some(claim) = self.claims.get(first) {
            let window = claim.table.window();
            let len = self.claims[first..].iter().take(4).take_while(|claim| claim.table.window() == window).count();
            let points = base.windows() + claim.table.windows();
            // One or two signatures use all lanes. What cannot be dealt out evenly, up to three points, is added at the end.
            let ways = [4, 2, 1].into_iter().find(|ways| ways * len <= 4).unwrap_or(1);
            self.teams.push(Team { first, len, ways, points: points / ways });
            self.deal(base, fetch);
            first += len;
        }
    }

    /// One inversion for all s (Montgomery's trick). Products in the Montgomery sense lose a factor R each; the inverse is
    /// R / s, so that u1 = z (R / s) / R.
    fn divide(&mut self, prefixes: &mut Vec<C::Words>) {
        let Some((first, rest)) = self.claims.split_first() else { return };
        prefixes.clear();
        let mut product = first.s;
        for claim in rest {
            prefixes.push(product);
            product = C::order_mul(&product, &claim.s);
        }
        let mut inverse = C::order_inv(&product);
        for claim in self.claims.iter_mut().rev() {
            let over_s = match prefixes.pop() {
                Some(prefix) => C::order_mul(&inverse, &prefix),
                None => inverse,
            };
            inverse = C::order_mul(&inverse, &claim.s);
            claim.u1 = C::order_mul(&claim.u1, &over_s);
            claim.u2 = C::order_mul(&claim.u2, &over_s);
        }
    }

    /// The lines of the last team. Point `p` of a signature goes to its lane `p` modulo `ways`.
    fn deal(&mut self, base: &'a Table<C, L>, fetch: bool) {
        let Some(&Team { first, len, ways, points }) = self.teams.last() else { return };
        let from = self.lines.len();
        self.lines.resize(from + points, [base.at(0); 4]);
        self.signs.resize(from + points, Signs::default());
        let (lines, signs) = (&mut self.lines[from..], &mut self.signs[from..]);
        for (number, first_lane) in (0..4).step_by(ways).enumerate() {
            let claim = &self.claims[first + if number < len { number } else { 0 }];
            let (mut places, mut lane) = (lines.iter_mut().zip(&mut *signs), first_lane);
            let mut place = places.next();
            claim.each_line(base, |line, negative| {
                if fetch {
                    L::prefetch(line);
                }
                let Some((lines, signs)) = &mut place else { return };
                lines[lane] = line;
                signs.turn(lane, negative);
                lane += 1;
                if lane == first_lane + ways {
                    lane = first_lane;
                    place = places.next();
                }
            });
        }
    }
}

impl<'a, C: Curve, L: Lanes<Fe = C::Fe>> Claim<'a, C, L> {
    /// Calls `each` with the lines of u1 G + u2 Q and their signs (true: negative).
    #[inline(always)]
    pub(super) fn each_line(&self, base: &'a Table<C, L>, mut each: impl FnMut(&'a L::Line, bool)) {
        for (u, table) in [(&self.u1, base), (&self.u2, self.table)] {
            let even = u.as_ref().first().is_some_and(|word| word & 1 == 0);
            let odd = if even { C::order_minus(u) } else { *u };
            let (window, mut first) = (table.window(), 0);
            digits::each(odd.as_ref(), table.windows(), window, even, |entry, negative| {
                each(table.at(first + entry), negative);
                first += digits::entries(window);
            });
        }
    }
}

/// The memory of a vector for values of the same shape with other lifetimes: collecting in place takes no new memory.
fn emptied<A, B>(mut values: Vec<A>) -> Vec<B> {
    const { assert!(size_of::<A>() == size_of::<B>() && align_of::<A>() == align_of::<B>()) };
    values.clear();
    values.into_iter().map_while(|_| None).collect()
}
