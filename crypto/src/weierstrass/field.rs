//! What the sum of points asks of a curve: its field one by one and in four lanes, and its scalars.

use core::fmt::Debug;

/// An element of the field, fully reduced: equal elements compare equal. The scalar twin of [`Lanes`].
pub(crate) trait Field: Copy + PartialEq + Debug + Send + Sync + 'static {
    const ZERO: Self;
    const ONE: Self;
    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn sqr(&self) -> Self {
        self.mul(self)
    }
    /// 1 / x; zero for zero.
    fn inv(&self) -> Self;
    fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

/// Which lanes' points count negative: a bit a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signs(u8);

impl Signs {
    /// Turns the sign of a lane where `negative`.
    #[inline]
    pub(crate) fn turn(&mut self, lane: usize, negative: bool) {
        self.0 ^= u8::from(negative) << lane;
    }

    /// Whether a lane is negative.
    pub(crate) fn is_negative(self, lane: usize) -> bool {
        self.0 >> lane & 1 == 1
    }

    /// Lanes in which exactly one of the two is negative.
    pub(crate) fn differ(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// As a number below 16.
    pub(crate) fn bits(self) -> usize {
        usize::from(self.0 & 15)
    }
}

/// Four elements, reduced lazily.
///
/// Two sorts of values are told apart by the operations' words: a *product* is what [`Lanes::mul`] and the fused forms give
/// and what a table line holds; a *difference* is what [`Lanes::difference`] gives. The first factor is always a product, the
/// second may be either. An implementation states its bounds, and that the sums of `tree` and `table` keep them: not every
/// sequence of operations does.
pub(crate) trait Lanes: Copy + Debug + Send + Sync + 'static {
    type Fe: Field;
    /// One point as a table holds it.
    type Line: Copy + Debug + Send + Sync + 'static;

    /// Whether this processor can do it.
    fn supported() -> bool;
    /// The same element in all lanes.
    fn splat(value: &Self::Fe) -> Self;
    /// One lane, fully reduced; of a product or a difference.
    fn get(&self, lane: usize) -> Self::Fe;
    /// Replaces one lane.
    fn set(&mut self, lane: usize, value: &Self::Fe);

    fn line(x: &Self::Fe, y: &Self::Fe) -> Self::Line;
    /// The point in one lane of two products.
    fn line_of(x: &Self, y: &Self, lane: usize) -> Self::Line {
        Self::line(&x.get(lane), &y.get(lane))
    }
    fn coordinates(line: &Self::Line) -> (Self::Fe, Self::Fe);
    /// The coordinates of four table points.
    fn gather(lines: [&Self::Line; 4], x: &mut Self, y: &mut Self);
    /// Asks the memory for a line that will be gathered soon.
    fn prefetch(line: *const Self::Line);

    /// a - b, both products; gives a difference.
    fn difference(&mut self, a: &Self, b: &Self);
    /// (+ or - a) - b, both products; minus where `negative`. Gives a difference.
    fn signed_difference(&mut self, a: &Self, negative: Signs, b: &Self);
    /// a b.
    fn mul(&mut self, a: &Self, b: &Self);
    /// Itself, a product, times b.
    fn mul_by(&mut self, b: &Self);
    /// a b - c; c a product.
    fn mul_sub(&mut self, a: &Self, b: &Self, c: &Self);
    /// a a; a product.
    fn sqr(&mut self, a: &Self);
    /// a a - b - itself; a and itself products, b a product or twice one.
    fn sqr_sub(&mut self, a: &Self, b: &Self);
    /// 2 a of a product: only to be subtracted by [`Lanes::sqr_sub`].
    fn twice(&mut self, a: &Self);
    /// In which lanes a product is zero.
    fn zeros(&self) -> [bool; 4];
    /// 1 / x in each lane of a product, zero where x is; says in which lanes it is.
    fn invert(&mut self) -> [bool; 4] {
        let values: [Self::Fe; 4] = core::array::from_fn(|lane| self.get(lane));
        let zero = values.map(|value| value.is_zero());
        // One inversion for the four (Montgomery's trick); a zero sits it out.
        let safe: [Self::Fe; 4] = core::array::from_fn(|lane| if zero[lane] { Self::Fe::ONE } else { values[lane] });
        let (low, high) = (safe[0].mul(&safe[1]), safe[2].mul(&safe[3]));
        let all = low.mul(&high).inv();
        let (low_inv, high_inv) = (all.mul(&high), all.mul(&low));
        let inverses = [low_inv.mul(&safe[1]), low_inv.mul(&safe[0]), high_inv.mul(&safe[3]), high_inv.mul(&safe[2])];
        for (lane, inverse) in inverses.iter().enumerate() {
            let value = if zero[lane] { Self::Fe::ZERO } else { *inverse };
            self.set(lane, &value);
        }
        zero
    }
}

/// A curve y^2 = x^3 - 3 x + b of prime order n.
pub(crate) trait Curve: Copy + Debug + Send + Sync + 'static {
    type Fe: Field;
    /// Four elements by vector instructions, where the processor has them.
    type Vector: Lanes<Fe = Self::Fe>;
    /// Four elements on any processor.
    type Twin: Lanes<Fe = Self::Fe>;
    /// Octets of a coordinate, and of r and s.
    const OCTETS: usize;
    /// Bits of n.
    const BITS: usize;
    /// Words of an integer.
    type Words: Copy + PartialEq + Debug + AsRef<[u64]> + Default + Send + Sync + 'static;

    fn b() -> Self::Fe;
    fn generator() -> (Self::Fe, Self::Fe);
    /// A coordinate, most significant octet first; `None` unless below p.
    fn coordinate(octets: &[u8]) -> Option<Self::Fe>;
    /// An integer below p as an element.
    fn element(words: &Self::Words) -> Option<Self::Fe>;

    /// An integer of [`Curve::OCTETS`], most significant octet first.
    fn integer(octets: &[u8]) -> Option<Self::Words>;
    /// Whether 0 < x < n.
    fn in_range(x: &Self::Words) -> bool;
    /// n - x, for x up to n.
    fn order_minus(x: &Self::Words) -> Self::Words;
    /// x + n, where that is below p.
    fn plus_order(x: &Self::Words) -> Option<Self::Words>;
    /// a b / R modulo n, for one of them below n; R = 2^(64 words).
    fn order_mul(a: &Self::Words, b: &Self::Words) -> Self::Words;
    /// R / x modulo n, for x in range.
    fn order_inv(x: &Self::Words) -> Self::Words;
}
