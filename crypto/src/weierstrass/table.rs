//! The odd multiples of one point, window by window: what doublings would make anew for each signature.

use super::digits::{entries, windows};
use super::field::{Curve, Field, Lanes};
use super::point::{Affine, Point, normalised};
use core::marker::PhantomData;

/// Widest window: 2^15 lines each.
pub(crate) const MAX_WINDOW: u32 = 16;

/// Line `i 2^(w-1) + e` is (2 e + 1) 2^(w i) P.
pub(crate) struct Table<C: Curve, L: Lanes<Fe = C::Fe>> {
    lines: Vec<L::Line>,
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
    /// `None` if the octets are no point of the curve, or the window is out of range.
    pub(crate) fn build(octets: &[u8], window: u32) -> Option<Self> {
        let point = Affine::from_octets::<C>(octets)?;
        (2..=MAX_WINDOW).contains(&window).then(|| Self::of(point, window))
    }

    /// The table of the generator.
    pub(crate) fn generator(window: u32) -> Self {
        Self::of(Affine::generator::<C>(), window.clamp(2, MAX_WINDOW))
    }

    fn of(point: Affine<C::Fe>, window: u32) -> Self {
        let count = windows(C::BITS, window);
        // 2^m P for each bit of each window.
        let mut doubles = vec![Point::from_affine(&point); count * window as usize];
        for at in 1..doubles.len() {
            doubles[at] = doubles[at - 1].double();
        }
        let doubles = normalised(&doubles);
        let half = entries(window);
        let mut points = vec![point; count * half];
        for (window, points) in
            points.chunks_exact_mut(half).enumerate().map(|(at, points)| (at * window as usize, points))
        {
            points[0] = doubles[window];
        }
        // From the multiples below 2^j those below 2^(j+1), by adding 2^j: never a point to itself or its negative, since
        // the multiples differ and are all small against the order.
        let mut prefix = Vec::with_capacity(count * half / 2);
        for level in 1..window as usize {
            let known = 1 << (level - 1);
            prefix.clear();
            let mut product = C::Fe::ONE;
            for at in 0..count {
                let step = &doubles[at * window as usize + level];
                for point in &points[at * half..at * half + known] {
                    prefix.push(product);
                    product = product.mul(&step.x.sub(&point.x));
                }
            }
            let mut inverse = product.inv();
            for at in (0..count).rev() {
                let step = &doubles[at * window as usize + level];
                for entry in (at * half..at * half + known).rev() {
                    let point = points[entry];
                    let dx = step.x.sub(&point.x);
                    let before = prefix.pop().unwrap_or(C::Fe::ONE);
                    let slope = step.y.sub(&point.y).mul(&inverse.mul(&before));
                    inverse = inverse.mul(&dx);
                    let x = slope.sqr().sub(&point.x).sub(&step.x);
                    let y = slope.mul(&point.x.sub(&x)).sub(&point.y);
                    points[entry + known] = Affine { x, y };
                }
            }
        }
        let lines = points.iter().map(|point| L::line(&point.x, &point.y)).collect();
        Self { lines, point, window, count, curve: PhantomData }
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
        size_of_val(self.lines.as_slice())
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
