//! Sums of table points, pair by pair, with one inversion a level.
//!
//! An affine addition needs 1 / (x2 - x1). All additions of a level share one inversion (Montgomery's trick), which makes
//! an addition 5 products and 1 square, whatever becomes of the points. Points lie in groups of four lanes; a group has as
//! many points a lane as its lanes need, and a pair is two neighbours of one group.
//!
//! A table holds P, not -P: each point carries the sign it counts with. s1 P1 + s2 P2 = s1 (P1 + s1 s2 P2), so a sum takes
//! over the sign of its first point, and only the second y is ever turned.

use super::field::{Field, Lanes, Signs};
use super::point::Point;

/// From so many pairs on a level is worth its inversion. Below, points are added up one by one without one.
const WORTH_A_LEVEL: usize = 12;

/// Lines asked of the memory beside each addition.
const FETCH: usize = 6;

#[derive(Clone, Copy)]
struct Points<L> {
    x: L,
    y: L,
}

/// Four sums side by side.
#[derive(Clone, Copy)]
struct Group {
    /// First of its points.
    start: usize,
    /// Points left in each lane; they lie `step` apart.
    count: usize,
    /// Lanes that met two points with the same x: their sum is not what is left.
    failed: [bool; 4],
}

/// The points of a chunk on their way to their sums. Keeps its memory from chunk to chunk.
pub(crate) struct Tree<L: Lanes> {
    groups: Vec<Group>,
    points: Vec<Points<L>>,
    signs: Vec<Signs>,
    step: usize,
    /// Of the level: x2 - x1 of each pair, and the product of those before it.
    differences: Vec<L>,
    prefixes: Vec<L>,
    one: L,
    zero: L,
}

/// Four sums in coordinates (X, Y, ZZ, ZZZ), see [`Point`].
pub(crate) struct Sums<L> {
    pub(crate) x: L,
    pub(crate) zz: L,
    y: L,
    zzz: L,
    signs: Signs,
    /// Lanes that must be summed again by complete additions.
    pub(crate) failed: [bool; 4],
}

impl<L: Lanes> Sums<L> {
    /// The sum of one lane.
    pub(crate) fn lane(&self, lane: usize) -> Point<L::Fe> {
        let y = self.y.get(lane);
        let y = if self.signs.0[lane] == 0 { y } else { L::Fe::ZERO.sub(&y) };
        Point { x: self.x.get(lane), y, zz: self.zz.get(lane), zzz: self.zzz.get(lane) }
    }
}

impl<L: Lanes> Tree<L> {
    pub(crate) fn new() -> Self {
        Self {
            groups: Vec::new(),
            points: Vec::new(),
            signs: Vec::new(),
            step: 1,
            differences: Vec::new(),
            prefixes: Vec::new(),
            one: L::splat(&L::Fe::ONE),
            zero: L::splat(&L::Fe::ZERO),
        }
    }

    /// Begins the next chunk.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.points.clear();
        self.signs.clear();
        self.step = 1;
    }

    /// Begins the next group; its points follow.
    pub(crate) fn begin(&mut self) {
        self.groups.push(Group { start: self.points.len(), count: 0, failed: [false; 4] });
    }

    /// One more point for each lane of the last group.
    #[inline]
    pub(crate) fn push(&mut self, lines: [&L::Line; 4], signs: Signs) {
        let mut points = Points { x: self.zero, y: self.zero };
        L::gather(lines, &mut points.x, &mut points.y);
        self.points.push(points);
        self.signs.push(signs);
        if let Some(group) = self.groups.last_mut() {
            group.count += 1;
        }
    }

    /// Adds until a level is not worth an inversion. `fetch`: lines that are wanted soon.
    pub(crate) fn reduce<'a>(&mut self, fetch: &mut impl Iterator<Item = &'a L::Line>) {
        while self.groups.iter().map(|group| group.count / 2).sum::<usize>() >= WORTH_A_LEVEL {
            self.level(fetch);
        }
        fetch.for_each(L::prefetch);
    }

    fn level<'a>(&mut self, fetch: &mut impl Iterator<Item = &'a L::Line>) {
        self.prefixes.clear();
        self.differences.clear();
        let mut product = self.one;
        for group in &self.groups {
            for pair in 0..group.count / 2 {
                let first = group.start + 2 * pair * self.step;
                let mut difference = self.zero;
                difference.difference(&self.points[first + self.step].x, &self.points[first].x);
                self.prefixes.push(product);
                self.differences.push(difference);
                let before = product;
                product.mul(&before, &difference);
                fetch.take(FETCH / 2).for_each(L::prefetch);
            }
        }
        let mut inverse = product;
        let zero = inverse.invert();
        if zero != [false; 4] {
            inverse = self.patch(zero);
        }
        let mut at = self.prefixes.len();
        for group in self.groups.iter().rev() {
            for pair in (0..group.count / 2).rev() {
                at -= 1;
                let first = group.start + 2 * pair * self.step;
                let (a, b) = (self.points[first], self.points[first + self.step]);
                let signs = self.signs[first].differ(&self.signs[first + self.step]);
                let (mut one_over, mut dy, mut slope) = (self.zero, self.zero, self.zero);
                one_over.mul(&inverse, &self.prefixes[at]);
                let before = inverse;
                inverse.mul(&before, &self.differences[at]);
                dy.signed_difference(&b.y, &signs, &a.y);
                slope.mul(&one_over, &dy);
                let sum = &mut self.points[first];
                sum.x.sqr_sub(&slope, &a.x, &b.x);
                let mut back = self.zero;
                back.difference(&a.x, &sum.x);
                sum.y.mul_sub(&slope, &back, &a.y);
                fetch.take(FETCH / 2).for_each(L::prefetch);
            }
        }
        for group in &mut self.groups {
            group.count = group.count.div_ceil(2);
        }
        self.step *= 2;
    }

    /// Two points of a pair have the same x in some lane. Marks those sums, puts 1 in the place of the zeros, and gives
    /// the inverse of the product that is left.
    fn patch(&mut self, zero: [bool; 4]) -> L {
        let mut product = self.one;
        let mut at = 0;
        for group in &mut self.groups {
            for _ in 0..group.count / 2 {
                for lane in (0..4).filter(|&lane| zero[lane]) {
                    if self.differences[at].get(lane).is_zero() {
                        self.differences[at].set(lane, &L::Fe::ONE);
                        group.failed[lane] = true;
                    }
                }
                self.prefixes[at] = product;
                let before = product;
                product.mul(&before, &self.differences[at]);
                at += 1;
            }
        }
        product.invert();
        product
    }

    /// Adds up what the levels left of each group.
    pub(crate) fn sums(&self) -> impl Iterator<Item = Sums<L>> {
        self.groups.iter().map(|group| self.sum(group))
    }

    fn sum(&self, group: &Group) -> Sums<L> {
        let at = |point: usize| group.start + point * self.step;
        let first = self.points[at(0)];
        let signs = self.signs[at(0)];
        let mut sum = Sums { x: first.x, y: first.y, zz: self.one, zzz: self.one, signs, failed: group.failed };
        for point in 1..group.count {
            let point = at(point);
            self.add(&mut sum, &self.points[point], &signs.differ(&self.signs[point]), point == at(1));
        }
        // A factor 0 of ZZ: two equal x were subtracted somewhere.
        for lane in 0..4 {
            sum.failed[lane] |= sum.zz.get(lane).is_zero();
        }
        sum
    }

    /// `affine`: the sum is still its first point, with ZZ = 1.
    fn add(&self, sum: &mut Sums<L>, point: &Points<L>, negative: &Signs, affine: bool) {
        let (mut turned, mut y2) = (self.zero, self.zero);
        turned.sub(&self.zero, &point.y);
        y2.select(negative, &turned, &point.y);
        let mut x2 = point.x;
        if !affine {
            x2.mul(&point.x, &sum.zz);
            let y = y2;
            y2.mul(&y, &sum.zzz);
        }
        let [mut p, mut r, mut pp, mut ppp, mut q, mut t, mut x] = [self.zero; 7];
        p.sub(&x2, &sum.x);
        r.sub(&y2, &sum.y);
        pp.sqr(&p);
        ppp.mul(&p, &pp);
        q.mul(&sum.x, &pp);
        // x = r^2 - ppp - 2 q
        t.sqr_sub(&r, &ppp, &q);
        x.sub(&t, &q);
        // y = r (q - x) - y ppp
        let (mut back, mut yp) = (self.zero, self.zero);
        back.difference(&q, &x);
        yp.mul(&sum.y, &ppp);
        sum.y.mul_sub(&r, &back, &yp);
        sum.x = x;
        if affine {
            (sum.zz, sum.zzz) = (pp, ppp);
        } else {
            let (zz, zzz) = (sum.zz, sum.zzz);
            sum.zz.mul(&zz, &pp);
            sum.zzz.mul(&zzz, &ppp);
        }
    }
}
