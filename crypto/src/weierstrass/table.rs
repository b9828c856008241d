//! The odd multiples of one point, window by window: what doublings would make anew for each signature.

use super::digits::{entries, windows};
use super::field::{Curve, Field, Lanes};
use super::point::{Affine, Point, normalised};
use crate::tables::lines::Lines;
use core::marker::PhantomData;

/// Widest window: 2^15 lines each.
pub(crate) const MAX_WINDOW: u32 = 16;

/// Line `i 2^(w-1) + e` is (2 e + 1) 2^(w i) P.
pub(crate) struct Table<C: Curve, L: Lanes<Fe = C::Fe>> {
    lines: Lines<L::Line>,
    point: Affine<C::Fe>,
    window: u32,
    count: usize,
    curve: PhantomData<C>,
}

impl<C: Curve, L: Lanes<Fe = C::Fe>> Table<C, L> {
    /// The table of a public key.
    ///
    /// * `octets`: the point, `04 x y`
    /// * `window`: bits of a window, 2 to [`MAX_WINDOW`]; each bit more nearly doubles the memory
    ///
    /// `None` if the octets are no point of the curve, the window is out of range, or there is no memory.
    pub(crate) fn build(octets: &[u8], window: u32) -> Option<Self> {
        let point = Affine::from_octets::<C>(octets)?;
        if (2..=MAX_WINDOW).contains(&window) { Self::of(point, window) } else { None }
    }

    /// The table of the generator; `None` if there is no memory.
    pub(crate) fn generator(window: u32) -> Option<Self> {
        Self::of(Affine::generator::<C>(), window.clamp(2, MAX_WINDOW))
    }

    fn of(point: Affine<C::Fe>, window: u32) -> Option<Self> {
        let count = windows(C::BITS, window);
        // 2^m P for each bit of each window.
        let mut doubles = vec![Point::from_affine(&point); count * window as usize];
        for at in 1..doubles.len() {
            doubles[at] = doubles[at - 1].double();
        }
        let multiples = Multiples::<L>::of(&normalised(&doubles), window);
        let lines = Lines::new((0..count * entries(window)).map(|at| multiples.line(at))).ok()?;
        Some(Self { lines, point, window, count, curve: PhantomData })
    }

    /// Bits of a window.
    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// Windows: lines that one scalar needs.
    pub(crate) fn windows(&self) -> usize {
        self.count
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        size_of_val(&*self.lines)
    }

    /// The point that the table is of.
    pub(crate) fn point(&self) -> &Affine<C::Fe> {
        &self.point
    }

    /// Line `at`; digits give no others than there are.
    #[inline]
    pub(crate) fn at(&self, at: usize) -> &L::Line {
        &self.lines[at]
    }

    /// Line `at` as a point.
    pub(crate) fn point_at(&self, at: usize) -> Affine<C::Fe> {
        let (x, y) = L::coordinates(self.at(at));
        Affine { x, y }
    }

    /// Whether the first line, the last and one that `pick` chooses are what double-and-add says.
    pub(crate) fn holds(&self, pick: usize) -> bool {
        let half = entries(self.window);
        [0, self.lines.len() - 1, pick % self.lines.len()].into_iter().all(|at| {
            let (window, entry) = (at / half, at % half);
            let bit = window * self.window as usize;
            // (2 e + 1) 2^bit; a window reaches at most MAX_WINDOW bits beyond the words of a scalar.
            let mut multiple = vec![0_u64; (bit + MAX_WINDOW as usize) / 64 + 2];
            let wide = (2 * entry as u128 + 1) << (bit % 64);
            multiple[bit / 64] = wide as u64;
            multiple[bit / 64 + 1] = (wide >> 64) as u64;
            Point::from_affine(&self.point).times(&multiple).equals(&self.point_at(at))
        })
    }
}

/// The odd multiples of four windows side by side.
struct Multiples<L: Lanes> {
    /// x and y, entry by entry, four windows by four windows; the last windows repeat where there are no more.
    points: Vec<(L, L)>,
    window: u32,
}

impl<L: Lanes> Multiples<L> {
    /// * `doubles`: 2^m P for each bit m of each window
    fn of(doubles: &[Affine<L::Fe>], window: u32) -> Self {
        let width = window as usize;
        let count = doubles.len() / width;
        let quads = count.div_ceil(4);
        let zero = L::splat(&L::Fe::ZERO);
        // 2^bit P of four windows.
        let step = |quad: usize, bit: usize| {
            let (mut x, mut y) = (zero, zero);
            for lane in 0..4 {
                let double = &doubles[(4 * quad + lane).min(count - 1) * width + bit];
                x.set(lane, &double.x);
                y.set(lane, &double.y);
            }
            (x, y)
        };
        let half = entries(window);
        let mut points = vec![(zero, zero); quads * half];
        for (quad, points) in points.chunks_exact_mut(half).enumerate() {
            points[0] = step(quad, 0);
        }
        // From the multiples below 2^bit those below 2^(bit + 1), by adding 2^bit: never a point to itself or its negative,
        // since the multiples differ and are all small against the order. All of a level share one inversion.
        let mut prefixes = vec![zero; quads * half / 2 + 1];
        let mut differences = vec![zero; quads * half / 2];
        for bit in 1..width {
            let known = 1 << (bit - 1);
            let steps: Vec<_> = (0..quads).map(|quad| step(quad, bit)).collect();
            prefixes[0] = L::splat(&L::Fe::ONE);
            let places = || (0..quads).flat_map(|quad| (0..known).map(move |entry| (quad, quad * half + entry)));
            for (at, (quad, entry)) in places().enumerate() {
                differences[at].difference(&steps[quad].0, &points[entry].0);
                let (before, after) = prefixes.split_at_mut(at + 1);
                after[0].mul(&before[at], &differences[at]);
            }
            let mut inverse = prefixes[quads * known];
            inverse.invert();
            let (mut slope, mut other) = (zero, zero);
            for at in (0..quads * known).rev() {
                let (quad, entry) = (at / known, at / known * half + at % known);
                let (before, after) = points.split_at_mut(entry + known);
                let ((x, y), sum, (step_x, step_y)) = (&before[entry], &mut after[0], &steps[quad]);
                slope.mul(&inverse, &prefixes[at]);
                inverse.mul_by(&differences[at]);
                other.difference(step_y, y);
                slope.mul_by(&other);
                sum.0 = *step_x;
                sum.0.sqr_sub(&slope, x);
                other.difference(x, &sum.0);
                sum.1.mul_sub(&slope, &other, y);
            }
        }
        Self { points, window }
    }

    /// Line `at` of a table.
    fn line(&self, at: usize) -> L::Line {
        let half = entries(self.window);
        let (window, entry) = (at / half, at % half);
        let (x, y) = &self.points[window / 4 * half + entry];
        L::line_of(x, y, window % 4)
    }
}
