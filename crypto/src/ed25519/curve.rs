//! Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 over p = 2^255 - 19.
//!
//! -1 is a square modulo p and d is none, so the addition formulas have no exceptions: they hold for equal points, for
//! the neutral one and for those of small order.
//! # Source
//! RFC 8032 5.1; Hisil, Wong, Carter, Dawson: "Twisted Edwards Curves Revisited" (2008), sections 3.1 and 3.3.

use super::field::Fe;
use super::scalar;

/// -121665 / 121666.
pub(crate) const D: Fe =
    Fe::from_words([0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73]);

/// A square root of -1.
const ROOT: Fe =
    Fe::from_words([0xc4ee_1b27_4a0e_a0b0, 0x2f43_1806_ad2f_e478, 0x2b4d_0099_3dfb_d7a7, 0x2b83_2480_4fc1_df0b]);

/// The base point B, encoded: y = 4 / 5, x even.
pub(crate) const BASE: [u8; 32] = {
    let mut octets = [0x66; 32];
    octets[0] = 0x58;
    octets
};

/// A point as x = X / Z, y = Y / Z, with T = X Y / Z. Z is never zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extended {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
    pub(crate) z: Fe,
    pub(crate) t: Fe,
}

impl Extended {
    /// (0, 1).
    pub(crate) const NEUTRAL: Self = Self { x: Fe::ZERO, y: Fe::ONE, z: Fe::ONE, t: Fe::ZERO };

    /// Reads an encoded point as aws-lc does: y from p on is refused, and so is x = 0 with its sign bit set.
    /// # Source
    /// RFC 8032 5.1.3.
    pub(crate) fn decode(octets: &[u8; 32]) -> Option<Self> {
        let mut words = scalar::words(octets);
        let odd = words[3] >> 63 == 1;
        words[3] &= u64::MAX >> 1;
        let y = Fe::from_words(words);
        if y.to_words() != words {
            return None;
        }
        // x^2 = u / v; the candidate root is u v^3 (u v^7)^((p - 5) / 8).
        let square = y.square();
        let (u, v) = (square.sub(Fe::ONE), square.mul(D).add(Fe::ONE));
        let v3 = v.square().mul(v);
        let mut x = u.mul(v3).mul(u.mul(v3.square()).mul(v).root_power());
        let check = v.mul(x.square());
        if check == u.neg() {
            x = x.mul(ROOT);
        } else if check != u {
            return None;
        }
        if x.is_zero() && odd {
            return None;
        }
        if x.is_odd() != odd {
            x = x.neg();
        }
        Some(Self { x, y, z: Fe::ONE, t: x.mul(y) })
    }

    /// Sum of any two points.
    pub(crate) fn add(&self, other: &Self) -> Self {
        let a = self.y.sub(self.x).mul(other.y.sub(other.x));
        let b = self.y.add(self.x).mul(other.y.add(other.x));
        let c = self.t.mul(other.t).mul(D.add(D));
        let d = self.z.mul(other.z);
        Self::from_parts(b.sub(a), d.add(d).sub(c), d.add(d).add(c), b.add(a))
    }

    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    /// The last four products of every addition.
    pub(crate) fn from_parts(e: Fe, f: Fe, g: Fe, h: Fe) -> Self {
        Self { x: e.mul(f), y: g.mul(h), z: f.mul(g), t: e.mul(h) }
    }

    /// x and y, given 1 / Z.
    pub(crate) fn affine(&self, inverse: Fe) -> (Fe, Fe) {
        (self.x.mul(inverse), self.y.mul(inverse))
    }

    /// `times` P, one bit at a time: slow, and of other making than the tables it checks.
    pub(crate) fn times(&self, times: &[u64; 4]) -> Self {
        (0..256).rev().fold(Self::NEUTRAL, |sum, bit| {
            let sum = sum.double();
            if times[bit / 64] >> (bit % 64) & 1 == 1 { sum.add(self) } else { sum }
        })
    }
}

impl PartialEq for Extended {
    fn eq(&self, other: &Self) -> bool {
        self.x.mul(other.z) == other.x.mul(self.z) && self.y.mul(other.z) == other.y.mul(self.z)
    }
}

/// The 32 octets of a point (RFC 8032 5.1.2).
pub(crate) fn encode(x: Fe, y: Fe) -> [u8; 32] {
    let mut words = y.to_words();
    words[3] |= u64::from(x.is_odd()) << 63;
    let mut out = [0; 32];
    out.as_chunks_mut::<8>().0.iter_mut().zip(words).for_each(|(to, word)| *to = word.to_le_bytes());
    out
}

/// Replaces each number by its inverse: one inversion and three products a number (Montgomery's trick). `scratch` is
/// as long as `numbers`; none of them may be zero.
pub(crate) fn invert_all(numbers: &mut [Fe], scratch: &mut [Fe]) {
    let mut product = Fe::ONE;
    for (number, before) in numbers.iter().zip(scratch.iter_mut()) {
        *before = product;
        product = product.mul(*number);
    }
    let mut inverse = product.invert();
    for (number, before) in numbers.iter_mut().zip(scratch.iter()).rev() {
        let next = inverse.mul(*number);
        *number = inverse.mul(*before);
        inverse = next;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The eight points whose order divides 8.
    pub(crate) fn small_order() -> Vec<Extended> {
        // Doubling any point L / 8 .. is the long way; L times a point with such a part leaves only the part.
        let mut generator = None;
        for first in 0..=255 {
            let mut octets = [0; 32];
            octets[0] = first;
            let Some(point) = Extended::decode(&octets) else { continue };
            let part = point.times(&scalar::L);
            if part.double().double() != Extended::NEUTRAL {
                generator = Some(part);
                break;
            }
        }
        let generator = generator.unwrap();
        std::iter::successors(Some(Extended::NEUTRAL), |last| Some(last.add(&generator))).take(8).collect()
    }

    pub(crate) fn octets(point: &Extended) -> [u8; 32] {
        let (x, y) = point.affine(point.z.invert());
        encode(x, y)
    }

    fn on_curve(point: &Extended) -> bool {
        let (x, y) = point.affine(point.z.invert());
        let (xx, yy) = (x.square(), y.square());
        yy.sub(xx) == Fe::ONE.add(D.mul(xx).mul(yy)) && point.t.mul(point.z) == point.x.mul(point.y)
    }

    #[test]
    fn constants() {
        let number = |value| Fe::from_words([value, 0, 0, 0]);
        assert_eq!(D.mul(number(121_666)), number(121_665).neg());
        assert_eq!(ROOT.square(), Fe::ONE.neg());
        let base = Extended::decode(&BASE).unwrap();
        assert_eq!(base.y.mul(number(5)), number(4));
        assert!(!base.x.is_odd() && on_curve(&base));
        assert_eq!(base.times(&scalar::L), Extended::NEUTRAL);
    }

    #[test]
    fn addition_has_no_exceptions() {
        let base = Extended::decode(&BASE).unwrap();
        let small = small_order();
        assert!(small.iter().enumerate().all(|(at, one)| small[..at].iter().all(|other| one != other)));
        let mut points = small.clone();
        points.extend(small.iter().map(|point| point.add(&base)));
        points.push(base.double());
        for a in &points {
            assert!(on_curve(a));
            assert_eq!(a.add(&Extended::NEUTRAL), *a);
            assert_eq!(a.times(&scalar::L).double().double().double(), Extended::NEUTRAL);
            for b in &points {
                assert!(on_curve(&a.add(b)));
                assert_eq!(a.add(b), b.add(a));
                for c in &points {
                    assert_eq!(a.add(b).add(c), a.add(&b.add(c)));
                }
            }
        }
    }

    #[test]
    fn decoding_is_the_inverse_of_encoding() {
        let base = Extended::decode(&BASE).unwrap();
        let mut point = base;
        for small in small_order().iter().cycle().take(64) {
            point = point.add(&base).add(small);
            let back = Extended::decode(&octets(&point)).unwrap();
            assert_eq!(back, point);
            assert_eq!(back.t, back.x.mul(back.y));
        }
    }

    #[test]
    fn all_inverses_at_once() {
        let mut numbers: Vec<_> = (1..=33).map(|value| Fe::from_words([value, value, 0, value])).collect();
        let want: Vec<_> = numbers.iter().map(|number| number.invert()).collect();
        invert_all(&mut numbers, &mut [Fe::ZERO; 33]);
        assert_eq!(numbers, want);
    }
}
