//! Four elements one after the other: for processors without the vector kernels, and what those are held to.

use super::field::{Field, Lanes, Signs};

/// Four elements, each fully reduced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable<F>([F; 4]);

/// x and y.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<F>(F, F);

impl<F: Field> Portable<F> {
    fn each(&mut self, each: impl Fn(usize) -> F) {
        self.0 = core::array::from_fn(each);
    }
}

impl<F: Field> Lanes for Portable<F> {
    type Fe = F;
    type Line = Line<F>;

    fn supported() -> bool {
        true
    }

    fn splat(value: &F) -> Self {
        Self([*value; 4])
    }

    fn get(&self, lane: usize) -> F {
        self.0[lane]
    }

    fn set(&mut self, lane: usize, value: &F) {
        self.0[lane] = *value;
    }

    fn line(x: &F, y: &F) -> Line<F> {
        Line(*x, *y)
    }

    fn coordinates(line: &Line<F>) -> (F, F) {
        (line.0, line.1)
    }

    fn gather(lines: [&Line<F>; 4], x: &mut Self, y: &mut Self) {
        x.each(|lane| lines[lane].0);
        y.each(|lane| lines[lane].1);
    }

    fn prefetch(_: *const Line<F>) {}

    fn difference(&mut self, a: &Self, b: &Self) {
        self.each(|lane| a.0[lane].sub(&b.0[lane]));
    }

    fn signed_difference(&mut self, a: &Self, negative: Signs, b: &Self) {
        self.each(|lane| {
            let a = if negative.is_negative(lane) { F::ZERO.sub(&a.0[lane]) } else { a.0[lane] };
            a.sub(&b.0[lane])
        });
    }

    fn mul(&mut self, a: &Self, b: &Self) {
        self.each(|lane| a.0[lane].mul(&b.0[lane]));
    }

    fn mul_by(&mut self, b: &Self) {
        for (value, b) in self.0.iter_mut().zip(&b.0) {
            *value = value.mul(b);
        }
    }

    fn mul_sub(&mut self, a: &Self, b: &Self, c: &Self) {
        self.each(|lane| a.0[lane].mul(&b.0[lane]).sub(&c.0[lane]));
    }

    fn sqr(&mut self, a: &Self) {
        self.each(|lane| a.0[lane].sqr());
    }

    fn sqr_sub(&mut self, a: &Self, b: &Self) {
        let c = *self;
        self.each(|lane| a.0[lane].sqr().sub(&b.0[lane]).sub(&c.0[lane]));
    }

    fn twice(&mut self, a: &Self) {
        self.each(|lane| a.0[lane].add(&a.0[lane]));
    }

    fn zeros(&self) -> [bool; 4] {
        self.0.map(|value| value.is_zero())
    }
}
