//! From signatures to verdicts: scalars, table lines, sums, and the comparison with r.

use super::digits;
use super::field::{Curve, Field, Lanes, Signs};
use super::point::Point;
use super::table::Table;
use super::tree::Tree;
use std::sync::Arc;

/// Signatures summed together. More share an inversion but fall out of the second-level cache.
const CHUNK: usize = 32;

/// A place is a line of the signer's table, or with this bit one of the generator's.
const BASE: u32 = 1 << 31;

/// One question: does the signature hold?
pub(crate) struct Job<'a, C: Curve, L: Lanes<Fe = C::Fe>> {
    pub(crate) table: &'a Table<C, L>,
    /// At least as many octets as a coordinate; the first so many count (FIPS 186-5 6.4.2).
    pub(crate) digest: &'a [u8],
    /// r then s.
    pub(crate) signature: &'a [u8],
}

/// What the equation needs of one signature.
#[derive(Clone, Copy)]
struct Claim<W> {
    /// Place in the batch.
    job: usize,
    r: W,
    s: W,
    /// u1 and u2 (FIPS 186-5 6.4.2), once s is inverted.
    u1: W,
    u2: W,
}

/// Four lanes of a chunk: one signature each, or parts of the sum of one or two.
#[derive(Clone, Copy)]
struct Team {
    /// Claim of each lane. Without a claim of its own a lane repeats another's work.
    claims: [usize; 4],
    /// Lanes a signature.
    ways: usize,
    /// Signatures.
    len: usize,
}

/// A chunk whose lines are known: they can be fetched while another one is summed.
#[derive(Default)]
struct Plan<W> {
    claims: Vec<Claim<W>>,
    teams: Vec<Team>,
    /// Points of each team, in its order.
    counts: Vec<usize>,
    /// For each point of each team a line a lane.
    places: Vec<[u32; 4]>,
    signs: Vec<Signs>,
}

/// Verifies batches of signatures with tables. One a thread; allocates nothing once it is warm.
pub(crate) struct Verifier<C: Curve, L: Lanes<Fe = C::Fe>> {
    base: Arc<Table<C, L>>,
    tree: Tree<L>,
    plans: [Plan<C::Words>; 2],
    prefixes: Vec<C::Words>,
    digits: Vec<(u32, bool)>,
    x: L,
}

impl<C: Curve, L: Lanes<Fe = C::Fe>> Verifier<C, L> {
    /// * `base`: the table of the generator
    pub(crate) fn new(base: Arc<Table<C, L>>) -> Self {
        Self {
            base,
            tree: Tree::new(),
            plans: [Plan::default(), Plan::default()],
            prefixes: Vec::new(),
            digits: Vec::new(),
            x: L::splat(&C::Fe::ZERO),
        }
    }

    /// Calls `grant` with the place of each job whose signature holds.
    pub(crate) fn verify(&mut self, jobs: &[Job<'_, C, L>], grant: &mut dyn FnMut(usize)) {
        let mut chunks = jobs.chunks(CHUNK).enumerate();
        let Some((_, first)) = chunks.next() else { return };
        self.plan(0, first, 0);
        for place in 0.. {
            let next = chunks.next();
            let now = place % 2;
            if let Some((number, chunk)) = next {
                self.plan(1 - now, chunk, number * CHUNK);
            } else {
                self.plans[1 - now].clear();
            }
            self.sum(now, jobs, grant);
            if next.is_none() {
                return;
            }
        }
    }

    /// Works out which lines the jobs of a chunk need, and asks the memory for them: they come while another chunk is summed.
    /// Malformed signatures are left out, hence refused.
    fn plan(&mut self, plan: usize, jobs: &[Job<'_, C, L>], from: usize) {
        let plan = &mut self.plans[plan];
        plan.clear();
        for (at, job) in jobs.iter().enumerate() {
            let read = || {
                let (r, s) = job.signature.split_at_checked(C::OCTETS)?;
                let (r, s) = (C::integer(r)?, C::integer(s)?);
                let z = C::integer(job.digest.get(..C::OCTETS)?)?;
                let valid = C::in_range(&r) && C::in_range(&s);
                valid.then_some(Claim { job: from + at, r, s, u1: z, u2: r })
            };
            plan.claims.extend(read());
        }
        if plan.claims.is_empty() {
            return;
        }
        // A team shares one window.
        plan.claims.sort_unstable_by_key(|claim| jobs[claim.job - from].table.window());
        // Products in the Montgomery sense lose a factor R each; R / s makes up for it in u1 = z (R / s) / R.
        self.prefixes.clear();
        let mut product = plan.claims[0].s;
        for claim in &plan.claims[1..] {
            self.prefixes.push(product);
            product = C::order_mul(&product, &claim.s);
        }
        let mut inverse = C::order_inv(&product);
        for claim in plan.claims.iter_mut().rev() {
            let over_s = match self.prefixes.pop() {
                Some(prefix) => C::order_mul(&inverse, &prefix),
                None => inverse,
            };
            inverse = C::order_mul(&inverse, &claim.s);
            claim.u1 = C::order_mul(&claim.u1, &over_s);
            claim.u2 = C::order_mul(&claim.u2, &over_s);
        }
        let window = |claim: usize| jobs[plan.claims[claim].job - from].table.window();
        let mut at = 0;
        while at < plan.claims.len() {
            let len = (at..plan.claims.len().min(at + 4)).take_while(|&next| window(next) == window(at)).count();
            let table = jobs[plan.claims[at].job - from].table;
            let points = self.base.windows() + table.windows();
            // One or two signatures use all lanes where their points can be dealt out evenly.
            let ways = [4, 2, 1].into_iter().find(|ways| ways * len <= 4 && points.is_multiple_of(*ways)).unwrap_or(1);
            let claims = core::array::from_fn(|lane| at + (lane / ways).min(len - 1));
            plan.teams.push(Team { claims, ways, len });
            plan.counts.push(points / ways);
            let first = plan.places.len();
            plan.places.resize(first + points / ways, [0; 4]);
            plan.signs.resize(first + points / ways, Signs::default());
            let (places, signs) = (&mut plan.places[first..], &mut plan.signs[first..]);
            for (number, lanes) in (0..4).step_by(ways).enumerate() {
                let claim = &plan.claims[claims[lanes]];
                if number >= len {
                    // Repeats the lanes before.
                    for (places, signs) in places.iter_mut().zip(&mut *signs) {
                        for lane in lanes..lanes + ways {
                            places[lane] = places[lane - ways];
                            let negative = signs.is_negative(lane - ways);
                            signs.turn(lane, negative);
                        }
                    }
                    continue;
                }
                let table = jobs[claim.job - from].table;
                self.digits.clear();
                digits_of::<C>(&claim.u1, self.base.windows(), self.base.window(), BASE, &mut self.digits);
                digits_of::<C>(&claim.u2, table.windows(), table.window(), 0, &mut self.digits);
                for (at, &(place, negative)) in self.digits.iter().enumerate() {
                    let (point, lane) = (at / ways, lanes + at % ways);
                    places[point][lane] = place;
                    signs[point].turn(lane, negative);
                    let table = if place & BASE == 0 { table } else { &self.base };
                    L::prefetch(table.at((place & !BASE) as usize));
                }
            }
            at += len;
        }
    }

    /// Sums a chunk and compares.
    fn sum(&mut self, plan: usize, jobs: &[Job<'_, C, L>], grant: &mut dyn FnMut(usize)) {
        let now = &self.plans[plan];
        let base = &*self.base;
        self.tree.clear();
        for lines in now.lines(base, jobs) {
            self.tree.begin();
            for (lines, signs) in lines {
                self.tree.push(lines, signs);
            }
        }
        self.tree.reduce();
        for (team, sums) in now.teams.iter().zip(self.tree.sums()) {
            let claims = || (0..team.len).map(|number| (number, &now.claims[team.claims[number * team.ways]]));
            let mut holds = [false; 4];
            if team.ways == 1 {
                for (lane, claim) in claims() {
                    if let Some(x) = C::element(&claim.r) {
                        self.x.set(lane, &x);
                    }
                }
                holds = sums.is_x(&self.x);
            }
            for (number, claim) in claims() {
                let mut lanes = number * team.ways..(number + 1) * team.ways;
                let rare = lanes.clone().any(|lane| sums.failed[lane]);
                // By itself: what the tree could not add, what lies in several lanes, and what r + n might be equal to.
                let sum = if rare {
                    complete::<C, L>(claim, base, jobs[claim.job].table, &mut self.digits)
                } else if team.ways > 1 || C::plus_order(&claim.r).is_some() {
                    lanes.by_ref().fold(Point::INFINITY, |sum, lane| sum.add(&sums.lane(lane)))
                } else {
                    if holds[number] {
                        grant(claim.job);
                    }
                    continue;
                };
                if is_r::<C>(&sum, &claim.r) {
                    grant(claim.job);
                }
            }
        }
    }
}

impl<W> Plan<W> {
    fn clear(&mut self) {
        self.claims.clear();
        self.teams.clear();
        self.counts.clear();
        self.places.clear();
        self.signs.clear();
    }

    /// The lines of each team, point by point.
    fn lines<'a, C: Curve<Words = W>, L: Lanes<Fe = C::Fe>>(
        &'a self,
        base: &'a Table<C, L>,
        jobs: &'a [Job<'a, C, L>],
    ) -> impl Iterator<Item = impl Iterator<Item = ([&'a L::Line; 4], Signs)>> {
        let mut from = 0;
        self.teams.iter().zip(&self.counts).map(move |(team, &count)| {
            let tables = team.claims.map(|claim| jobs[self.claims[claim].job].table);
            let (places, signs) = (&self.places[from..from + count], &self.signs[from..from + count]);
            from += count;
            places.iter().zip(signs).map(move |(places, signs)| {
                let line = |lane: usize| {
                    let place = places[lane];
                    let table = if place & BASE == 0 { tables[lane] } else { base };
                    table.at((place & !BASE) as usize)
                };
                ([line(0), line(1), line(2), line(3)], *signs)
            })
        })
    }
}

/// Appends the places and signs of one scalar's digits.
fn digits_of<C: Curve>(u: &C::Words, count: usize, window: u32, base: u32, out: &mut Vec<(u32, bool)>) {
    let even = u.as_ref().first().is_some_and(|word| word & 1 == 0);
    let odd = if even { C::order_minus(u) } else { *u };
    let half = digits::entries(window);
    digits::each(odd.as_ref(), count, window, even, |at, entry, negative| {
        out.push((base | (at * half + entry) as u32, negative));
    });
}

/// The sum by complete additions, for what the tree cannot add.
fn complete<C: Curve, L: Lanes<Fe = C::Fe>>(
    claim: &Claim<C::Words>,
    base: &Table<C, L>,
    table: &Table<C, L>,
    places: &mut Vec<(u32, bool)>,
) -> Point<C::Fe> {
    places.clear();
    digits_of::<C>(&claim.u1, base.windows(), base.window(), BASE, places);
    digits_of::<C>(&claim.u2, table.windows(), table.window(), 0, places);
    places.iter().fold(Point::INFINITY, |sum, &(place, negative)| {
        let table = if place & BASE == 0 { table } else { base };
        sum.add(&Point::from_affine(&table.point_at((place & !BASE) as usize).negated_if(negative)))
    })
}

/// Whether the x coordinate is r modulo n: r itself, or r + n where that is below p.
fn is_r<C: Curve>(sum: &Point<C::Fe>, r: &C::Words) -> bool {
    let is = |x: &C::Words| C::element(x).is_some_and(|x| x.mul(&sum.zz) == sum.x);
    !sum.is_infinity() && (is(r) || C::plus_order(r).is_some_and(|x| is(&x)))
}
