//! Numbers modulo p = 2^255 - 19, one at a time: five limbs of 51 bits.
//!
//! Limbs are kept "loose": below 2^52, so the value is below 2^256 and not unique. [`Fe::to_words`] makes it unique.
//! Variable time throughout: only public numbers come here.

use super::inverse;

/// 2^51 - 1.
const MASK: u64 = (1 << 51) - 1;

/// A number modulo p, limbs below 2^52, least significant first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe([u64; 5]);

/// 16 p in limbs of about 2^55: what is added before a subtraction, so that no limb falls below zero.
const SIXTEEN_P: [u64; 5] = [16 * (MASK - 18), 16 * MASK, 16 * MASK, 16 * MASK, 16 * MASK];

/// Product of two words.
const fn wide(a: u64, b: u64) -> u128 {
    a as u128 * b as u128
}

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 5]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0, 0]);

    /// From 256 bits, least significant word first; any value.
    pub(crate) const fn from_words(w: [u64; 4]) -> Self {
        // The last limb takes the 52 bits that are left: still loose.
        Self([
            w[0] & MASK,
            (w[0] >> 51 | w[1] << 13) & MASK,
            (w[1] >> 38 | w[2] << 26) & MASK,
            (w[2] >> 25 | w[3] << 39) & MASK,
            w[3] >> 12,
        ])
    }

    /// From limbs of 51 bits with a sign each, below 2^53 either way.
    pub(crate) fn from_signed(limbs: [i64; 5]) -> Self {
        let mut out = SIXTEEN_P;
        // 16 p has limbs above 2^54.9, so each sum is positive and below 2^56.
        out.iter_mut().zip(limbs).for_each(|(to, from)| *to = to.wrapping_add_signed(from));
        Self::carry(out)
    }

    /// The unique value below p, least significant word first.
    pub(crate) fn to_words(self) -> [u64; 4] {
        let [a, b, c, d, e] = Self::carry(self.0).0;
        // At most 2^255 + 2^205 now, so p is in it once at most: q says whether value + 19 reaches 2^255.
        let q = (a + 19) >> 51;
        let q = (b + q) >> 51;
        let q = (c + q) >> 51;
        let q = (d + q) >> 51;
        let q = (e + q) >> 51;
        let a = a + 19 * q;
        let b = b + (a >> 51);
        let c = c + (b >> 51);
        let d = d + (c >> 51);
        let e = e + (d >> 51);
        let (a, b, c, d, e) = (a & MASK, b & MASK, c & MASK, d & MASK, e & MASK);
        [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12]
    }

    /// One carry of all limbs at once: in below 2^56, out below 2^51 + 19 * 2^5, so loose.
    const fn carry(l: [u64; 5]) -> Self {
        Self([
            (l[0] & MASK) + 19 * (l[4] >> 51),
            (l[1] & MASK) + (l[0] >> 51),
            (l[2] & MASK) + (l[1] >> 51),
            (l[3] & MASK) + (l[2] >> 51),
            (l[4] & MASK) + (l[3] >> 51),
        ])
    }

    pub(crate) const fn add(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self::carry([a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]])
    }

    pub(crate) const fn sub(self, other: Self) -> Self {
        let (a, b, p) = (self.0, other.0, SIXTEEN_P);
        // Each limb: above 2^54.9 - 2^52, below 2^52 + 2^55.
        Self::carry([
            a[0] + p[0] - b[0],
            a[1] + p[1] - b[1],
            a[2] + p[2] - b[2],
            a[3] + p[3] - b[3],
            a[4] + p[4] - b[4],
        ])
    }

    pub(crate) const fn neg(self) -> Self {
        Self::ZERO.sub(self)
    }

    /// Columns of a product, each below 5 * 19 * 2^104 < 2^111.
    const fn reduce(c: [u128; 5]) -> Self {
        // A carry is below 2^60; two of them pass the first limb, the second one tiny.
        let c1 = c[1] + (c[0] >> 51);
        let c2 = c[2] + (c1 >> 51);
        let c3 = c[3] + (c2 >> 51);
        let c4 = c[4] + (c3 >> 51);
        // c4 has no factor of 19 in it: below 5 * 2^104 + 2^61, so the carry is below 2^56 and 19 times it below 2^61.
        let first = (c[0] as u64 & MASK) + 19 * (c4 >> 51) as u64;
        Self([first & MASK, (c1 as u64 & MASK) + (first >> 51), c2 as u64 & MASK, c3 as u64 & MASK, c4 as u64 & MASK])
    }

    pub(crate) const fn mul(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let (b1, b2, b3, b4) = (19 * b[1], 19 * b[2], 19 * b[3], 19 * b[4]);
        Self::reduce([
            wide(a[0], b[0]) + wide(a[1], b4) + wide(a[2], b3) + wide(a[3], b2) + wide(a[4], b1),
            wide(a[0], b[1]) + wide(a[1], b[0]) + wide(a[2], b4) + wide(a[3], b3) + wide(a[4], b2),
            wide(a[0], b[2]) + wide(a[1], b[1]) + wide(a[2], b[0]) + wide(a[3], b4) + wide(a[4], b3),
            wide(a[0], b[3]) + wide(a[1], b[2]) + wide(a[2], b[1]) + wide(a[3], b[0]) + wide(a[4], b4),
            wide(a[0], b[4]) + wide(a[1], b[3]) + wide(a[2], b[2]) + wide(a[3], b[1]) + wide(a[4], b[0]),
        ])
    }

    pub(crate) const fn square(self) -> Self {
        let a = self.0;
        let (d0, d1, d3) = (2 * a[0], 2 * a[1], 2 * a[3]);
        let (a3, a4) = (19 * a[3], 19 * a[4]);
        Self::reduce([
            wide(a[0], a[0]) + wide(d1, a4) + wide(2 * a[2], a3),
            wide(d0, a[1]) + wide(2 * a[2], a4) + wide(a[3], a3),
            wide(d0, a[2]) + wide(a[1], a[1]) + wide(d3, a4),
            wide(d0, a[3]) + wide(d1, a[2]) + wide(a[4], a4),
            wide(d0, a[4]) + wide(d1, a[3]) + wide(a[2], a[2]),
        ])
    }

    /// self^(2^times).
    const fn squares(self, times: u32) -> Self {
        let (mut out, mut left) = (self, times);
        while left > 0 {
            out = out.square();
            left -= 1;
        }
        out
    }

    /// self^(2^250 - 1) and self^11: what both powers below begin with.
    const fn powers(self) -> (Self, Self) {
        let t9 = self.squares(3).mul(self);
        let t11 = t9.mul(self.square());
        let t5 = t11.square().mul(t9); // 2^5 - 1
        let t10 = t5.squares(5).mul(t5);
        let t20 = t10.squares(10).mul(t10);
        let t40 = t20.squares(20).mul(t20);
        let t50 = t40.squares(10).mul(t10);
        let t100 = t50.squares(50).mul(t50);
        let t200 = t100.squares(100).mul(t100);
        (t200.squares(50).mul(t50), t11)
    }

    /// 1 / self; zero stays zero.
    pub(crate) fn invert(self) -> Self {
        inverse::invert(self)
    }

    /// 1 / self by Fermat's theorem.
    #[cfg(test)]
    pub(crate) fn fermat(self) -> Self {
        let (t250, t11) = self.powers();
        t250.squares(5).mul(t11) // p - 2 = 2^255 - 21
    }

    /// self^((p - 5) / 8), which square roots are made of (RFC 8032 5.1.3).
    pub(crate) const fn root_power(self) -> Self {
        self.powers().0.squares(2).mul(self) // 2^252 - 3
    }

    pub(crate) fn is_zero(self) -> bool {
        self.to_words() == [0; 4]
    }

    /// Lowest bit of the unique value: the "sign" of a point's x (RFC 8032 5.1.2).
    pub(crate) fn is_odd(self) -> bool {
        self.to_words()[0] & 1 == 1
    }
}

impl PartialEq for Fe {
    fn eq(&self, other: &Self) -> bool {
        self.to_words() == other.to_words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sums of 64-bit shifts and doublings: an independent product, one bit at a time.
    fn slow_mul(a: Fe, b: Fe) -> Fe {
        let words = b.to_words();
        (0..256).rev().fold(Fe::ZERO, |sum, bit| {
            let sum = sum.add(sum);
            if words[bit / 64] >> (bit % 64) & 1 == 1 { sum.add(a) } else { sum }
        })
    }

    const P: [u64; 4] = [u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1];

    #[test]
    fn unique_value_around_the_modulus() {
        for offset in 0..40_u64 {
            let (low, over) = (P[0] - 20).overflowing_add(offset);
            let value = if over { [low, 0, 0, 1 << 63] } else { [low, P[1], P[2], P[3]] };
            let want = if offset < 20 { value } else { [offset - 20, 0, 0, 0] };
            assert_eq!(Fe::from_words(value).to_words(), want, "p - 20 + {offset}");
        }
        assert_eq!(Fe::from_words([u64::MAX; 4]).to_words(), [37, 0, 0, 0]);
        // 2 p and 2 p - 1, and loose limbs at their very top.
        assert_eq!(Fe([2 * (MASK - 18), 2 * MASK, 2 * MASK, 2 * MASK, 2 * MASK]).to_words(), [0; 4]);
        let top = Fe([(1 << 52) - 1; 5]);
        assert_eq!(top.sub(top).to_words(), [0; 4]);
        assert_eq!(top.mul(top), slow_mul(top, top));
        assert_eq!(top.square(), slow_mul(top, top));
    }

    fn loose() -> impl Strategy<Value = Fe> {
        let limb = prop_oneof![Just(0), Just((1_u64 << 52) - 1), Just(MASK), 0..1_u64 << 52];
        prop::array::uniform5(limb).prop_map(Fe)
    }

    proptest! {
        #[test]
        fn ring_laws(a in loose(), b in loose(), c in loose()) {
            prop_assert_eq!(a.mul(b), slow_mul(a, b));
            prop_assert_eq!(a.square(), a.mul(a));
            prop_assert_eq!(a.add(b).sub(b), a);
            prop_assert_eq!(a.add(b).mul(c), a.mul(c).add(b.mul(c)));
            prop_assert_eq!(a.neg().add(a), Fe::ZERO);
            prop_assert!(a.add(b).0.into_iter().chain(a.sub(b).0).chain(a.mul(b).0).all(|limb| limb < 1 << 52));
        }

        #[test]
        fn inverse_and_root(a in loose()) {
            prop_assume!(!a.is_zero());
            prop_assert_eq!(a.invert().mul(a), Fe::ONE);
            prop_assert_eq!(a.fermat().mul(a), Fe::ONE);
            // (a^((p-5)/8))^8 a^4 = a^(p-1) = 1.
            prop_assert_eq!(a.root_power().squares(3).mul(a.squares(2)), Fe::ONE);
        }

        #[test]
        fn signed_limbs(limbs in prop::array::uniform5(-(1_i64 << 53)..1 << 53)) {
            let part = |sign: i64| Fe::carry(limbs.map(|limb| u64::try_from(limb * sign).unwrap_or(0)));
            prop_assert_eq!(Fe::from_signed(limbs), part(1).sub(part(-1)));
        }
    }
}
