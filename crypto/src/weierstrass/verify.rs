//! From signatures to verdicts: chunk by chunk, each summed while the lines of the next one are fetched.

use super::field::{Curve, Field, Lanes};
use super::plan::{Claim, Plan};
use super::point::{Affine, Point};
use super::table::Table;
use super::tree::Tree;
use crate::engine::CHECKS;
use core::ops::Range;
use std::sync::Arc;

pub(crate) use super::plan::Job;

/// Signatures summed together. More share an inversion but fall out of the second-level cache.
const CHUNK: usize = 32;

/// Lines asked of the memory at a time: some beside each addition, all of a chunk within the first level.
const FETCH: usize = 1;

/// Points between the last request for a line and its use: time for the third-level cache to answer.
const AHEAD: usize = 16;

/// Verifies batches of signatures with tables. One a thread; allocates nothing once it is warm.
pub(crate) struct Verifier<C: Curve, L: Lanes<Fe = C::Fe>> {
    base: Arc<Table<C, L>>,
    tree: Tree<L>,
    plans: [Plan<'static, C, L>; 2],
    prefixes: Vec<C::Words>,
    x: L,
    /// Jobs of the last batch that were summed a second time.
    again: Vec<usize>,
}

impl<C: Curve, L: Lanes<Fe = C::Fe>> Verifier<C, L> {
    /// * `base`: the table of the generator
    pub(crate) fn new(base: Arc<Table<C, L>>) -> Self {
        Self {
            base,
            tree: Tree::new(),
            plans: [Plan::new(), Plan::new()],
            prefixes: Vec::new(),
            x: L::splat(&C::Fe::ZERO),
            again: Vec::with_capacity(CHECKS),
        }
    }

    /// Numbers of the jobs of the last batch that the tree could not sum: who made them knows the private key, and meant it.
    pub(crate) fn again(&self) -> &[usize] {
        &self.again
    }

    /// The table of the generator.
    pub(crate) fn base(&self) -> Arc<Table<C, L>> {
        Arc::clone(&self.base)
    }

    /// Calls `grant` with the number of each job whose signature holds.
    ///
    /// * `jobs`: job `number` of `len`
    pub(crate) fn verify<'a>(&mut self, len: usize, jobs: impl Fn(usize) -> Job<'a, C, L>, grant: &mut dyn FnMut(usize))
    where
        C: 'a,
        L: 'a,
    {
        self.again.clear();
        let base = self.base();
        let plans = core::mem::replace(&mut self.plans, [Plan::new(), Plan::new()]);
        let [mut now, mut next] = plans.map(Plan::recycle);
        for from in (0..len.next_multiple_of(CHUNK)).step_by(CHUNK) {
            if from == 0 {
                // Nothing is there to be summed while its lines come: the first may come while the last are worked out.
                plan(&mut now, 0..len.min(CHUNK), &jobs);
                now.complete(&base, &mut self.prefixes, true);
            }
            plan(&mut next, from + CHUNK..len.min(from + 2 * CHUNK), &jobs);
            next.complete(&base, &mut self.prefixes, false);
            self.sum(&base, &now, &next, grant);
            core::mem::swap(&mut now, &mut next);
        }
        self.plans = [now.recycle(), next.recycle()];
    }

    /// Sums a chunk and compares.
    fn sum<'a>(
        &mut self,
        base: &'a Table<C, L>,
        now: &Plan<'a, C, L>,
        next: &Plan<'a, C, L>,
        grant: &mut dyn FnMut(usize),
    ) {
        self.tree.clear();
        let mut from = 0;
        for team in &now.teams {
            self.tree.begin();
            let to = from + team.points;
            for point in from..to {
                // Asked for long ago, but what is written meanwhile may have driven them out of the second-level cache.
                now.lines.get(point + AHEAD).into_iter().flatten().for_each(|&line| L::prefetch(line));
                self.tree.push(now.lines[point], now.signs[point]);
            }
            from = to;
        }
        let mut wanted = next.lines.chunks(FETCH);
        self.tree.reduce(&mut || {
            wanted.next().into_iter().flatten().flatten().for_each(|&line| L::prefetch(line));
        });
        wanted.flatten().flatten().for_each(|&line| L::prefetch(line));
        for (team, sums) in now.teams.iter().zip(self.tree.sums()) {
            let claims = &now.claims[team.first..team.first + team.len];
            let mut holds = [false; 4];
            if team.ways == 1 {
                for (lane, claim) in claims.iter().enumerate() {
                    if let Some(x) = C::element(&claim.r) {
                        self.x.set(lane, &x);
                    }
                }
                holds = sums.is_x(&self.x);
            }
            for (number, claim) in claims.iter().enumerate() {
                let mut lanes = number * team.ways..(number + 1) * team.ways;
                // By itself: what the tree could not add, what lies in several lanes, and what r + n might be equal to.
                let holds = if sums.failed[lanes.clone()].contains(&true) {
                    self.again.push(claim.job);
                    is_r::<C>(&plus_lines(Point::INFINITY, claim, base, 0), &claim.r)
                } else if team.ways > 1 || C::plus_order(&claim.r).is_some() {
                    let sum = lanes.fold(Point::INFINITY, |sum, lane| sum.add(&sums.lane(lane)));
                    is_r::<C>(&plus_lines(sum, claim, base, team.ways * team.points), &claim.r)
                } else {
                    lanes.any(|lane| holds[lane])
                };
                if holds {
                    grant(claim.job);
                }
            }
        }
    }
}

/// Begins a chunk with these jobs.
fn plan<'a: 'b, 'b, C: Curve, L: Lanes<Fe = C::Fe>>(
    plan: &mut Plan<'b, C, L>,
    range: Range<usize>,
    jobs: &impl Fn(usize) -> Job<'a, C, L>,
) {
    plan.clear();
    range.for_each(|number| plan.claim(number, &jobs(number)));
}

/// `sum` and the lines of a signature from the `from`th on, by complete additions: for what the tree cannot add.
fn plus_lines<'a, C: Curve, L: Lanes<Fe = C::Fe>>(
    mut sum: Point<C::Fe>,
    claim: &Claim<'a, C, L>,
    base: &'a Table<C, L>,
    from: usize,
) -> Point<C::Fe> {
    if from == base.windows() + claim.table.windows() {
        return sum;
    }
    let mut number = 0;
    claim.each_line(base, |line, negative| {
        if number >= from {
            let (x, y) = L::coordinates(line);
            sum = sum.add(&Point::from_affine(&Affine { x, y }.negated_if(negative)));
        }
        number += 1;
    });
    sum
}

/// Whether the x coordinate is r modulo n: r itself, or r + n where that is below p.
fn is_r<C: Curve>(sum: &Point<C::Fe>, r: &C::Words) -> bool {
    let is = |x: &C::Words| C::element(x).is_some_and(|x| x.mul(&sum.zz) == sum.x);
    !sum.is_infinity() && (is(r) || C::plus_order(r).is_some_and(|x| is(&x)))
}
