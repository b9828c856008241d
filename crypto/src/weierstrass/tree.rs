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
    /// Points left in each lane; they lie [`Tree::step`] apart.
    count: usize,
    /// Lanes that met two points with the same x: their sum is not what is left.
    failed: [bool; 4],
}

impl Group {
    /// The first point of pair `pair`. Where the count is odd, the first point of all is left over; a sum takes the place
    /// of the second point of its pair. So what is left lies at even distances again.
    fn pair(&self, pair: usize, step: usize) -> usize {
        self.start + (2 * pair + self.count % 2) * step
    }

    /// After a level over points `step` apart.
    fn halve(&mut self, step: usize) {
        if self.count.is_multiple_of(2) {
            self.start += step;
        }
        self.count = self.count.div_ceil(2);
    }
}

/// The points of a chunk on their way to their sums. Keeps its memory from chunk to chunk.
pub(crate) struct Tree<L: Lanes> {
    groups: Vec<Group>,
    /// As many as were ever needed; `used` of them are of this chunk.
    points: Vec<Points<L>>,
    used: usize,
    signs: Vec<Signs>,
    step: usize,
    /// Of the level: x2 - x1 of each pair, and the product of those before it. As many as were ever needed.
    differences: Vec<L>,
    prefixes: Vec<L>,
    scratch: L,
    one: L,
    zero: L,
}

/// Four sums in coordinates (X, Y, ZZ, ZZZ), see [`Point`].
pub(crate) struct Sums<L> {
    x: L,
    y: L,
    zz: L,
    zzz: L,
    signs: Signs,
    /// Lanes that must be summed again by complete additions.
    pub(crate) failed: [bool; 4],
}

impl<L: Lanes> Sums<L> {
    /// The sum of one lane.
    pub(crate) fn lane(&self, lane: usize) -> Point<L::Fe> {
        let y = self.y.get(lane);
        let y = if self.signs.is_negative(lane) { L::Fe::ZERO.sub(&y) } else { y };
        Point { x: self.x.get(lane), y, zz: self.zz.get(lane), zzz: self.zzz.get(lane) }
    }

    /// In which lanes the x coordinate is this one.
    pub(crate) fn is_x(&self, x: &L) -> [bool; 4] {
        let mut difference = self.zz;
        difference.mul_sub(x, &self.zz, &self.x);
        difference.zeros()
    }
}

impl<L: Lanes> Tree<L> {
    pub(crate) fn new() -> Self {
        let zero = L::splat(&L::Fe::ZERO);
        Self {
            groups: Vec::new(),
            points: Vec::new(),
            used: 0,
            signs: Vec::new(),
            step: 1,
            differences: Vec::new(),
            prefixes: Vec::new(),
            scratch: zero,
            one: L::splat(&L::Fe::ONE),
            zero,
        }
    }

    /// Begins the next chunk.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.used = 0;
        self.signs.clear();
        self.step = 1;
    }

    /// Begins the next group; its points follow.
    pub(crate) fn begin(&mut self) {
        self.groups.push(Group { start: self.used, count: 0, failed: [false; 4] });
    }

    /// One more point for each lane of the last group.
    #[inline]
    pub(crate) fn push(&mut self, lines: [&L::Line; 4], signs: Signs) {
        if self.points.len() == self.used {
            self.points.push(Points { x: self.zero, y: self.zero });
        }
        let (Some(points), Some(group)) = (self.points.get_mut(self.used), self.groups.last_mut()) else { return };
        L::gather(lines, &mut points.x, &mut points.y);
        self.signs.push(signs);
        self.used += 1;
        group.count += 1;
    }

    /// Adds until a level is not worth an inversion.
    ///
    /// * `meanwhile`: called twice an addition; what the memory may be asked for
    pub(crate) fn reduce(&mut self, meanwhile: &mut impl FnMut()) {
        loop {
            let pairs = self.groups.iter().map(|group| group.count / 2).sum();
            if pairs < WORTH_A_LEVEL {
                break;
            }
            self.level(pairs, meanwhile);
        }
    }

    fn level(&mut self, pairs: usize, meanwhile: &mut impl FnMut()) {
        let Self { groups, points, signs, differences, prefixes, scratch, step, .. } = self;
        let step = *step;
        if differences.len() < pairs {
            differences.resize(pairs, self.zero);
            // One more: the last is the product of all.
            prefixes.resize(pairs + 1, self.zero);
        }
        let (differences, prefixes) = (&mut differences[..pairs], &mut prefixes[..pairs + 1]);
        prefixes[0] = self.one;
        let mut at = 0;
        for group in &*groups {
            for pair in 0..group.count / 2 {
                let first = group.pair(pair, step);
                differences[at].difference(&points[first + step].x, &points[first].x);
                let (before, after) = prefixes.split_at_mut(at + 1);
                after[0].mul(&before[at], &differences[at]);
                meanwhile();
                at += 1;
            }
        }
        let mut inverse = prefixes[pairs];
        let zero = inverse.invert();
        if zero != [false; 4] {
            inverse = patch(groups, differences, prefixes, zero);
        }
        for group in groups.iter().rev() {
            for pair in (0..group.count / 2).rev() {
                at -= 1;
                let first = group.pair(pair, step);
                let (before, after) = points.split_at_mut(first + step);
                let (a, b) = (&before[first], &mut after[0]);
                // 1 / (x2 - x1), then the slope; the last of its uses takes the prefix's place.
                let slope = &mut prefixes[at];
                slope.mul_by(&inverse);
                inverse.mul_by(&differences[at]);
                scratch.signed_difference(&b.y, signs[first].differ(signs[first + step]), &a.y);
                slope.mul_by(scratch);
                b.x.sqr_sub(slope, &a.x);
                scratch.difference(&a.x, &b.x);
                b.y.mul_sub(slope, scratch, &a.y);
                signs[first + step] = signs[first];
                meanwhile();
            }
        }
        groups.iter_mut().for_each(|group| group.halve(step));
        self.step *= 2;
    }

    /// What the levels left of each group, added up.
    pub(crate) fn sums(&self) -> impl Iterator<Item = Sums<L>> {
        self.groups.iter().map(|group| self.sum(group))
    }

    fn sum(&self, group: &Group) -> Sums<L> {
        let first = &self.points[group.start];
        let signs = self.signs[group.start];
        let mut sum = Sums { x: first.x, y: first.y, zz: self.one, zzz: self.one, signs, failed: group.failed };
        for number in 1..group.count {
            let at = group.start + number * self.step;
            self.add(&mut sum, &self.points[at], signs.differ(self.signs[at]), number == 1);
        }
        // A factor 0 of ZZ: two equal x were subtracted somewhere.
        for (failed, zero) in sum.failed.iter_mut().zip(sum.zz.zeros()) {
            *failed |= zero;
        }
        sum
    }

    /// Adds one point, with its sign turned where `negative`.
    ///
    /// * `affine`: the sum is still its first point, with ZZ = 1
    fn add(&self, sum: &mut Sums<L>, point: &Points<L>, negative: Signs, affine: bool) {
        let [mut p, mut r, mut pp, mut t] = [self.zero; 4];
        // p = x2 zz - x, and r = y2 (+ or - zzz) - y.
        p.mul_sub(&point.x, &sum.zz, &sum.x);
        t.signed_difference(&sum.zzz, negative, &self.zero);
        r.mul_sub(&point.y, &t, &sum.y);
        pp.sqr(&p);
        // From here on p is p pp, and sum.x is q = x pp.
        p.mul_by(&pp);
        sum.x.mul_by(&pp);
        if affine {
            (sum.zz, sum.zzz) = (pp, p);
        } else {
            sum.zz.mul_by(&pp);
            sum.zzz.mul_by(&p);
        }
        // x = r^2 - p pp - 2 q, into pp; y = r (q - x) - y p pp.
        t.twice(&sum.x);
        pp = p;
        pp.sqr_sub(&r, &t);
        t.difference(&sum.x, &pp);
        sum.x = pp;
        p.mul_by(&sum.y);
        sum.y.mul_sub(&r, &t, &p);
    }
}

/// Two points of a pair have the same x in some lane. Marks those sums, puts 1 in the place of the zeros, and gives the
/// inverse of the product that is left.
fn patch<L: Lanes>(groups: &mut [Group], differences: &mut [L], prefixes: &mut [L], zero: [bool; 4]) -> L {
    let mut at = 0;
    for group in groups {
        for _ in 0..group.count / 2 {
            for lane in (0..4).filter(|&lane| zero[lane]) {
                if differences[at].get(lane).is_zero() {
                    differences[at].set(lane, &L::Fe::ONE);
                    group.failed[lane] = true;
                }
            }
            let (before, after) = prefixes.split_at_mut(at + 1);
            after[0].mul(&before[at], &differences[at]);
            at += 1;
        }
    }
    let mut inverse = prefixes[at];
    inverse.invert();
    inverse
}
