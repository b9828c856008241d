//! Integers modulo p of P-256 in four 64-bit words: the scalar twin of the vector kernels.

use crate::inverse::Modulus;
use crate::weierstrass::field::Field;

/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 3.2.1.3), words least first.
pub(crate) const P: [u64; 4] =
    [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0x0000_0000_0000_0000, 0xffff_ffff_0000_0001];

static MODULUS: Modulus<4, 5> = Modulus::new(&P);

/// 2^512 modulo p: what a number is multiplied by to bring it into Montgomery form.
const R2: Fe = Fe([0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);
/// 2^768 modulo p.
const R3: Fe = Fe([0xffff_fffd_0000_000a, 0xffff_ffed_ffff_fff7, 0x0000_0005_ffff_fffc, 0x0000_0018_0000_0001]);

/// An element: x 2^256 modulo p, always below p, so that equal elements have equal words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fe(pub(super) [u64; 4]);

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self =
        Self([0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_fffe]);

    /// From an integer below 2^256.
    pub(crate) fn from_words(words: [u64; 4]) -> Self {
        Self(words).mul(&R2)
    }

    /// From 32 octets, most significant first; `None` unless below p.
    pub(crate) fn from_octets(octets: &[u8; 32]) -> Option<Self> {
        let words = words_of(octets);
        (less(&words, &P)).then(|| Self::from_words(words))
    }

    /// The integer below p.
    pub(crate) fn to_words(self) -> [u64; 4] {
        self.mul(&Self([1, 0, 0, 0])).0
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add(&self.0, &other.0);
        Self(reduced_once(sum, carry))
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = sub(&self.0, &other.0);
        let mask = (borrow as u64).wrapping_neg();
        Self(add(&difference, &[P[0] & mask, P[1] & mask, P[2] & mask, P[3] & mask]).0)
    }

    pub(crate) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The Montgomery product: x y / 2^256 of the words.
    ///
    /// Always inlined: a result that is copied through memory sixteen octets at a time waits for its eight-octet stores,
    /// which costs as much as the product.
    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let b = &other.0;
        let mut t = [0; 5];
        t = round(t, self.0[0], b);
        t = round(t, self.0[1], b);
        t = round(t, self.0[2], b);
        t = round(t, self.0[3], b);
        Self(reduced_once([t[0], t[1], t[2], t[3]], t[4] != 0))
    }

    pub(crate) fn sqr(&self) -> Self {
        self.mul(self)
    }

    /// 1 / x; zero for zero. Variable time.
    pub(crate) fn inv(&self) -> Self {
        // The words are x R; their inverse is 1 / (x R), and two factors R bring it back into form.
        Self(MODULUS.invert(&self.0)).mul(&R3)
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

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        self.mul(other)
    }

    fn inv(&self) -> Self {
        self.inv()
    }
}

/// (t + a b) / 2^64 modulo p. From t below 2 p to a result below 2 p.
///
/// p is -1 modulo 2^64, so the lowest word is its own Montgomery quotient m, and m p = m (2^256 - 2^224 + 2^192 + 2^96) - m
/// clears it: 2^96 m is a shift, the rest one multiplication by the highest word of p.
#[inline(always)]
fn round(t: [u64; 5], a: u64, b: &[u64; 4]) -> [u64; 5] {
    let (m, c) = mac(t[0], a, b[0], 0);
    let (t1, c) = mac(t[1], a, b[1], c);
    let (t2, c) = mac(t[2], a, b[2], c);
    let (t3, c) = mac(t[3], a, b[3], c);
    let (t4, over) = t[4].overflowing_add(c);
    let high = u128::from(m) * u128::from(P[3]);
    let (r0, c) = t1.carrying_add(m << 32, false);
    let (r1, c) = t2.carrying_add(m >> 32, c);
    let (r2, c) = t3.carrying_add(high as u64, c);
    let (r3, c) = t4.carrying_add((high >> 64) as u64, c);
    [r0, r1, r2, r3, u64::from(over) + u64::from(c)]
}

/// t + a b + c as low and high word; it cannot overflow.
#[inline(always)]
pub(super) fn mac(t: u64, a: u64, b: u64, c: u64) -> (u64, u64) {
    let wide = u128::from(a) * u128::from(b) + u128::from(t) + u128::from(c);
    (wide as u64, (wide >> 64) as u64)
}

/// Octets, most significant first, as words, least first.
pub(crate) fn words_of(octets: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, octets) in words.iter_mut().rev().zip(octets.as_chunks().0) {
        *word = u64::from_be_bytes(*octets);
    }
    words
}

/// a < b.
pub(super) fn less(a: &[u64; 4], b: &[u64; 4]) -> bool {
    sub(a, b).1
}

#[inline(always)]
pub(super) fn add(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (s0, carry) = a[0].carrying_add(b[0], false);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, carry) = a[3].carrying_add(b[3], carry);
    ([s0, s1, s2, s3], carry)
}

#[inline(always)]
pub(super) fn sub(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (d0, borrow) = a[0].borrowing_sub(b[0], false);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

/// A number below 2 p, with its bit 256 in `carry`, brought below p.
#[inline(always)]
fn reduced_once(words: [u64; 4], carry: bool) -> [u64; 4] {
    let (less, borrow) = sub(&words, &P);
    if borrow && !carry { words } else { less }
}
