//! Additions that are right for all points, one at a time: for building tables, for what the tree cannot add, for checks.
//!
//! Coordinates (X, Y, ZZ, ZZZ) with x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; infinity has ZZ = 0. Formulas: Bernstein and
//! Lange, Explicit-Formulas Database, "XYZZ coordinates for short Weierstrass curves" (madd-2008-s, add-2008-s, dbl-2008-s-1).

use super::field::{Curve, Field};

/// A point of the curve that is not infinity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine<F> {
    pub(crate) x: F,
    pub(crate) y: F,
}

impl<F: Field> Affine<F> {
    /// Reads an uncompressed point `04 x y` (SEC 1 2.3.4) and checks that it lies on the curve.
    pub(crate) fn from_octets<C: Curve<Fe = F>>(octets: &[u8]) -> Option<Self> {
        let (&4, rest) = octets.split_first()? else { return None };
        let (x, y) = rest.split_at_checked(C::OCTETS)?;
        let point = Self { x: C::coordinate(x)?, y: C::coordinate(y)? };
        point.is_on::<C>().then_some(point)
    }

    /// The curve's generator.
    pub(crate) fn generator<C: Curve<Fe = F>>() -> Self {
        let (x, y) = C::generator();
        Self { x, y }
    }

    fn is_on<C: Curve<Fe = F>>(&self) -> bool {
        // y^2 = x^3 - 3 x + b
        let three_x = self.x.add(&self.x).add(&self.x);
        self.y.sqr() == self.x.sqr().mul(&self.x).sub(&three_x).add(&C::b())
    }

    pub(crate) fn negated_if(self, negative: bool) -> Self {
        if negative { Self { y: F::ZERO.sub(&self.y), ..self } } else { self }
    }
}

/// Any point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) zz: F,
    pub(crate) zzz: F,
}

impl<F: Field> Point<F> {
    pub(crate) const INFINITY: Self = Self { x: F::ONE, y: F::ONE, zz: F::ZERO, zzz: F::ZERO };

    pub(crate) fn from_affine(point: &Affine<F>) -> Self {
        Self { x: point.x, y: point.y, zz: F::ONE, zzz: F::ONE }
    }

    pub(crate) fn is_infinity(&self) -> bool {
        self.zz.is_zero()
    }

    pub(crate) fn double(&self) -> Self {
        // Infinity doubles to itself: all products with ZZ = ZZZ = 0 stay 0. No point has y = 0, the order being odd.
        let u = self.y.add(&self.y);
        let v = u.sqr();
        let w = u.mul(&v);
        let s = self.x.mul(&v);
        // 3 x^2 + a zz^2 with a = -3.
        let m = self.x.sub(&self.zz).mul(&self.x.add(&self.zz));
        let m = m.add(&m).add(&m);
        let x = m.sqr().sub(&s).sub(&s);
        let y = m.mul(&s.sub(&x)).sub(&w.mul(&self.y));
        Self { x, y, zz: v.mul(&self.zz), zzz: w.mul(&self.zzz) }
    }

    /// The sum, whatever the two points are.
    pub(crate) fn add(&self, other: &Self) -> Self {
        if self.is_infinity() {
            return *other;
        }
        if other.is_infinity() {
            return *self;
        }
        let (u1, u2) = (self.x.mul(&other.zz), other.x.mul(&self.zz));
        let (s1, s2) = (self.y.mul(&other.zzz), other.y.mul(&self.zzz));
        let (p, r) = (u2.sub(&u1), s2.sub(&s1));
        if p.is_zero() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        let pp = p.sqr();
        let ppp = p.mul(&pp);
        let q = u1.mul(&pp);
        let x = r.sqr().sub(&ppp).sub(&q).sub(&q);
        let y = r.mul(&q.sub(&x)).sub(&s1.mul(&ppp));
        Self { x, y, zz: self.zz.mul(&other.zz).mul(&pp), zzz: self.zzz.mul(&other.zzz).mul(&ppp) }
    }

    /// k times the point; words least first. Double and add.
    pub(crate) fn times(&self, words: &[u64]) -> Self {
        let mut sum = Self::INFINITY;
        for word in words.iter().rev() {
            for bit in (0..64).rev() {
                sum = sum.double();
                if word >> bit & 1 == 1 {
                    sum = sum.add(self);
                }
            }
        }
        sum
    }

    /// Whether this is that affine point.
    pub(crate) fn equals(&self, other: &Affine<F>) -> bool {
        !self.is_infinity() && self.x == other.x.mul(&self.zz) && self.y == other.y.mul(&self.zzz)
    }
}

/// Affine forms of points none of which is infinity, with one inversion for all.
pub(crate) fn normalised<F: Field>(points: &[Point<F>]) -> Vec<Affine<F>> {
    let mut prefix = Vec::with_capacity(points.len());
    let mut product = F::ONE;
    for point in points {
        prefix.push(product);
        product = product.mul(&point.zzz);
    }
    let mut inverse = product.inv();
    let mut affine: Vec<_> = points
        .iter()
        .zip(&prefix)
        .rev()
        .map(|(point, prefix)| {
            let zzz_inv = inverse.mul(prefix);
            inverse = inverse.mul(&point.zzz);
            // ZZ / ZZZ = 1 / Z, and its square is 1 / ZZ.
            let zz_inv = point.zz.mul(&zzz_inv).sqr();
            Affine { x: point.x.mul(&zz_inv), y: point.y.mul(&zzz_inv) }
        })
        .collect();
    affine.reverse();
    affine
}
