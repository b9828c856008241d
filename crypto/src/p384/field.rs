//! Integers modulo the prime of P-384, one at a time. The lanes are checked against these.

use super::words::{self, Words, adc, mac, sbb};
use crate::inverse::Modulus;
use crate::weierstrass::field::Field;

/// The prime, 2^384 - 2^128 - 2^96 + 2^32 - 1.
pub(crate) const P: Words = [
    0x0000_0000_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

static MODULUS: Modulus<6, 7> = Modulus::new(&P);

/// An integer modulo [`P`]: x 2^384 modulo p, always below p (Montgomery's form).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fe(Words);

impl Fe {
    /// 0.
    pub(crate) const ZERO: Self = Self([0; 6]);
    /// 1.
    pub(crate) const ONE: Self = Self::power_of_two(0);
    /// 2^768, which brings integers into Montgomery's form.
    const R2: Words = words::power_of_two(768, &P);
    /// What brings the inverse of a word form back: 2^1152, as words.
    const R3: Fe = Self::power_of_two(768);

    /// `2^bits`.
    pub(crate) const fn power_of_two(bits: u32) -> Self {
        Self(words::power_of_two(384 + bits, &P))
    }

    /// The integer with these words; `None` if it is not below p.
    pub(crate) const fn from_words(words: &Words) -> Option<Self> {
        if words::less(words, &P) { Some(Self::new(words)) } else { None }
    }

    /// The integer with these words, modulo p.
    pub(crate) const fn new(words: &Words) -> Self {
        Self(*words).mul(&Self(Self::R2))
    }

    /// The integer itself, below p.
    pub(crate) const fn to_words(self) -> Words {
        self.mul(&Self([1, 0, 0, 0, 0, 0])).0
    }

    /// The words of Montgomery's form, as they stand; `None` if not below p.
    pub(crate) const fn from_form(form: &Words) -> Option<Self> {
        if words::less(form, &P) { Some(Self(*form)) } else { None }
    }

    /// The words of Montgomery's form, as they stand.
    pub(crate) const fn to_form(self) -> Words {
        self.0
    }

    /// Whether it is 0.
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 6]
    }

    /// `self + b`.
    #[inline]
    pub(crate) const fn add(&self, b: &Self) -> Self {
        Self(words::add_mod(&self.0, &b.0, &P))
    }

    /// `self - b`.
    #[inline]
    pub(crate) const fn sub(&self, b: &Self) -> Self {
        Self(words::sub_mod(&self.0, &b.0, &P))
    }

    /// `-self`.
    #[inline]
    pub(crate) const fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// `self * b`.
    #[inline]
    pub(crate) const fn mul(&self, b: &Self) -> Self {
        let (a, b) = (&self.0, &b.0);
        let mut t = [0; 7];
        t = row(t, a[0], b);
        t = row(t, a[1], b);
        t = row(t, a[2], b);
        t = row(t, a[3], b);
        t = row(t, a[4], b);
        t = row(t, a[5], b);
        Self(words::reduce_once(&[t[0], t[1], t[2], t[3], t[4], t[5]], t[6], &P))
    }

    /// `self * self`.
    #[inline]
    pub(crate) const fn sqr(&self) -> Self {
        Self(reduce(&square(&self.0)))
    }

    /// `1 / self`, and 0 for 0.
    pub(crate) fn inv(&self) -> Self {
        // 1 / (x R) as an integer, times R^3 / R.
        Self(MODULUS.invert(&self.0)).mul(&Self::R3)
    }
}

impl Field for Fe {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn add(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn sub(&self, other: &Self) -> Self {
        self.sub(other)
    }

    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn sqr(&self) -> Self {
        self.sqr()
    }

    fn inv(&self) -> Self {
        self.inv()
    }
}

/// `(t + a b + m p) / 2^64`, with the m below 2^64 that makes it even out: see [`reduce`]. t stays below 2 p, for
/// (2 p + (2^64 - 1) p + (2^64 - 1) p) / 2^64 < 2 p.
#[inline(always)]
const fn row(t: [u64; 7], a: u64, b: &Words) -> [u64; 7] {
    let (t0, c) = mac(t[0], a, b[0], 0);
    let m = t0.wrapping_add(t0 << 32);
    let (low, high) = (m << 32, m >> 32);
    let (q1, borrow) = sbb(low, high, (m < low) as u64);
    let q2 = (high as u128 + m as u128).wrapping_sub(borrow as u128);
    let (t1, c) = mac(t[1], a, b[1], c);
    let (r1, d) = sbb(t1, q1, 0);
    let (t2, c) = mac(t[2], a, b[2], c);
    let (r2, d) = sbb(t2, q2 as u64, d);
    let (t3, c) = mac(t[3], a, b[3], c);
    let (r3, d) = sbb(t3, (q2 >> 64) as u64, d);
    let (t4, c) = mac(t[4], a, b[4], c);
    let (r4, d) = sbb(t4, 0, d);
    let (t5, c) = mac(t[5], a, b[5], c);
    let (r5, d) = sbb(t5, 0, d);
    let r6 = t[6] as u128 + c as u128 + m as u128 - d as u128;
    [r1, r2, r3, r4, r5, r6 as u64, (r6 >> 64) as u64]
}

/// `a * a`, all twelve words: the products of different words once, doubled, and the squares.
#[inline(always)]
const fn square(a: &Words) -> [u64; 12] {
    let mut t = [0; 12];
    let mut i = 0;
    while i < 5 {
        let (mut carry, mut j) = (0, i + 1);
        while j < 6 {
            (t[i + j], carry) = mac(t[i + j], a[i], a[j], carry);
            j += 1;
        }
        t[i + 6] = carry;
        i += 1;
    }
    let (mut carry, mut shifted, mut i) = (0, 0, 0);
    while i < 6 {
        let square = a[i] as u128 * a[i] as u128;
        let (low, high) = (t[2 * i] << 1 | shifted, t[2 * i + 1] << 1 | t[2 * i] >> 63);
        shifted = t[2 * i + 1] >> 63;
        (t[2 * i], carry) = adc(low, square as u64, carry);
        (t[2 * i + 1], carry) = adc(high, (square >> 64) as u64, carry);
        i += 1;
    }
    t
}

/// `t / 2^384` modulo p, for t below p 2^384: Montgomery's reduction, a word at a time.
///
/// Step i adds the multiple m p 2^(64 i) that makes word i zero. -1/p is 2^32 + 1 modulo 2^64, and
/// m p = m 2^384 - q with q = m (2^128 + 2^96 - 2^32 + 1), whose lowest word is `t[i]`. The sum stays below 2 p 2^384.
#[inline(always)]
const fn reduce(t: &[u64; 12]) -> Words {
    let mut t = *t;
    let (mut carry, mut i) = (0, 0);
    while i < 6 {
        let m = t[i].wrapping_add(t[i] << 32);
        let (low, high) = (m << 32, m >> 32);
        // Words of q: m - low, low - high, high + m, with their borrows; q is not negative, so the last one is none.
        let (q1, borrow) = sbb(low, high, (m < low) as u64);
        let q2 = (high as u128 + m as u128).wrapping_sub(borrow as u128);
        let c;
        (t[i + 1], c) = sbb(t[i + 1], q1, 0);
        let (t2, c) = sbb(t[i + 2], q2 as u64, c);
        let (t3, c) = sbb(t[i + 3], (q2 >> 64) as u64, c);
        let (t4, c) = sbb(t[i + 4], 0, c);
        let (t5, c) = sbb(t[i + 5], 0, c);
        (t[i + 2], t[i + 3], t[i + 4], t[i + 5]) = (t2, t3, t4, t5);
        // Not negative: a borrow means that q was not 0, so m is at least 1.
        let sum = t[i + 6] as u128 + m as u128 + carry as u128 - c as u128;
        (t[i + 6], carry) = (sum as u64, (sum >> 64) as u64);
        i += 1;
    }
    words::reduce_once(&[t[6], t[7], t[8], t[9], t[10], t[11]], carry, &P)
}

#[cfg(test)]
mod tests {
    use super::super::words::naive;
    use super::*;
    use proptest::prelude::*;

    fn fe(words: &Words) -> Fe {
        Fe::from_words(words).expect("below p")
    }

    #[test]
    fn integers_must_be_below_p() {
        let (one, last) = ([1, 0, 0, 0, 0, 0], words::sub(&P, &[1, 0, 0, 0, 0, 0]).0);
        assert_eq!(Fe::from_words(&last), Some(Fe::ONE.neg()));
        for above in [P, words::add(&P, &one).0, [u64::MAX; 6]] {
            assert_eq!((Fe::from_words(&above), Fe::from_form(&above)), (None, None));
        }
        assert_eq!((Fe::from_words(&[0; 6]), Fe::from_words(&one)), (Some(Fe::ZERO), Some(Fe::ONE)));
        assert_eq!((Fe::new(&P), Fe::new(&words::add(&P, &one).0)), (Fe::ZERO, Fe::ONE));
    }

    #[test]
    fn constants_are_what_they_say() {
        assert_eq!(Fe::ONE.to_words(), [1, 0, 0, 0, 0, 0]);
        assert_eq!(Fe::power_of_two(65).to_words(), [0, 2, 0, 0, 0, 0]);
        assert_eq!(Fe::power_of_two(384).to_words(), [0xffff_ffff_0000_0001, 0xffff_ffff, 1, 0, 0, 0]);
        assert!(Fe::ZERO.is_zero() && !Fe::ONE.is_zero());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_simple_arithmetic(a in naive::below(P), b in naive::below(P)) {
            let (x, y) = (fe(&a), fe(&b));
            prop_assert_eq!(x.to_words(), a);
            prop_assert_eq!(x.mul(&y).to_words(), naive::mul(&a, &b, &P));
            prop_assert_eq!(x.sqr().to_words(), naive::mul(&a, &a, &P));
            prop_assert_eq!(x.add(&y).to_words(), words::add_mod(&a, &b, &P));
            prop_assert_eq!(x.sub(&y).to_words(), words::sub_mod(&a, &b, &P));
            prop_assert_eq!(x.add(&x.neg()), Fe::ZERO);
            prop_assert_eq!(x.mul(&x.inv()), if x.is_zero() { Fe::ZERO } else { Fe::ONE });
        }

        /// The forms themselves at their ends, where the reduction's carries are largest.
        #[test]
        fn every_form_below_p_is_good(a in naive::below(P), b in naive::below(P)) {
            let (x, y) = (Fe::from_form(&a).expect("below p"), Fe::from_form(&b).expect("below p"));
            prop_assert_eq!(x.to_form(), a);
            prop_assert_eq!(x.mul(&y).to_words(), naive::mul(&x.to_words(), &y.to_words(), &P));
        }
    }
}
