//! The entry of a table: one affine point in the form that an addition takes it in.

use super::curve::{D, Extended};
use super::field::Fe;

/// Sum of 2^50 2^(51 i). Added to each stored number, so that taking 2^50 from each of its five 51-bit limbs gives the
/// number in limbs from -2^50 to 2^50 - 1, without a carry at use.
pub(crate) const OFFSET: Fe =
    Fe::from_words([0x0004_0000_0000_0000, 0x0000_0020_0000_0000, 0x0000_0000_0100_0000, 0x4000_0000_0000_0800]);

/// 1 / 2.
pub(crate) const HALF: Fe = Fe::from_words([u64::MAX - 8, u64::MAX, u64::MAX, u64::MAX >> 2]);

/// -1 / d.
pub(crate) const MINUS_INVERSE_D: Fe =
    Fe::from_words([0xda1f_0d89_3236_07aa, 0xf4a2_2967_bd86_abd1, 0xd4e9_deeb_3246_3099, 0x3f6f_812d_eb2a_31bc]);

/// A point (x, y) as (y + x) / 2, (y - x) / 2 and -d x y, each below p, plus [`OFFSET`], as four words.
///
/// The halves keep the vector kernel's sums small; -d x y saves it a negation. 96 octets at 32-octet alignment lie in
/// exactly two cache lines, as 128 would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(32))]
pub(crate) struct Line {
    pub(crate) plus: [u64; 4],
    pub(crate) minus: [u64; 4],
    pub(crate) product: [u64; 4],
}

impl Line {
    /// The neutral point (0, 1): what a zero digit adds.
    pub(crate) const NEUTRAL: Self = Self {
        plus: [0x0004_0000_0000_000a, 0x0000_0020_0000_0000, 0x0000_0000_0100_0000, 0x0000_0000_0000_0800],
        minus: [0x0004_0000_0000_000a, 0x0000_0020_0000_0000, 0x0000_0000_0100_0000, 0x0000_0000_0000_0800],
        product: [0x0004_0000_0000_0000, 0x0000_0020_0000_0000, 0x0000_0000_0100_0000, 0x4000_0000_0000_0800],
    };

    pub(crate) fn new(x: Fe, y: Fe) -> Self {
        let stored = |number: Fe| number.add(OFFSET).to_words();
        Self {
            plus: stored(y.add(x).mul(HALF)),
            minus: stored(y.sub(x).mul(HALF)),
            product: stored(x.mul(y).mul(D).neg()),
        }
    }

    /// (y + x) / 2, (y - x) / 2 and -d x y of the point, or of its negative.
    fn numbers(&self, negative: bool) -> (Fe, Fe, Fe) {
        let number = |words: [u64; 4]| Fe::from_words(words).sub(OFFSET);
        let (plus, minus, product) = (number(self.plus), number(self.minus), number(self.product));
        if negative { (minus, plus, product.neg()) } else { (plus, minus, product) }
    }

    /// The point, or its negative.
    pub(crate) fn point(&self, negative: bool) -> Extended {
        let (plus, minus, product) = self.numbers(negative);
        Extended { x: plus.sub(minus), y: plus.add(minus), z: Fe::ONE, t: product.mul(MINUS_INVERSE_D) }
    }

    /// `to` plus the point or its negative; seven products.
    ///
    /// The formulas of Hisil et al. with Z = 1 and each of E, F, G, H halved, which scales all four results alike.
    pub(crate) fn add(&self, negative: bool, to: &Extended) -> Extended {
        let (plus, minus, product) = self.numbers(negative);
        let a = to.y.sub(to.x).mul(minus);
        let b = to.y.add(to.x).mul(plus);
        let c = to.t.mul(product);
        Extended::from_parts(b.sub(a), to.z.add(c), to.z.sub(c), b.add(a))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::curve::BASE;
    use crate::ed25519::curve::tests::small_order;

    #[test]
    fn constants() {
        assert_eq!(HALF.add(HALF), Fe::ONE);
        assert_eq!(MINUS_INVERSE_D.mul(D), Fe::ONE.neg());
        assert_eq!(Line::NEUTRAL, Line::new(Fe::ZERO, Fe::ONE));
        let limbs = (0..5).fold(Fe::ZERO, |sum, at| {
            let mut words = [0; 5];
            words[(50 + 51 * at) / 64] = 1 << ((50 + 51 * at) % 64);
            sum.add(Fe::from_words([words[0], words[1], words[2], words[3]]))
        });
        assert_eq!(OFFSET, limbs);
        assert_eq!(size_of::<Line>(), 96);
    }

    #[test]
    fn lines_add_like_points() {
        let base = Extended::decode(&BASE).unwrap();
        let mut points = small_order();
        points.extend(small_order().iter().map(|point| point.add(&base)));
        points.push(base.double());
        for b in &points {
            let (x, y) = b.affine(b.z.invert());
            let line = Line::new(x, y);
            let opposite = Extended { x: x.neg(), y, z: Fe::ONE, t: x.mul(y).neg() };
            assert_eq!(line.point(false), *b);
            assert_eq!(line.point(true), opposite);
            for a in &points {
                let a = a.double().add(&base);
                for (negative, other) in [(false, *b), (true, opposite)] {
                    let sum = line.add(negative, &a);
                    assert_eq!(sum, a.add(&other));
                    assert_eq!(sum.t.mul(sum.z), sum.x.mul(sum.y));
                }
            }
        }
    }
}
