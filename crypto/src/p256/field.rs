//! Integers modulo p of P-256 in four 64-bit words: the scalar twin of the vector kernels.

use crate::inverse::Modulus;

/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 3.2.1.3), words least first.
pub(crate) const P: [u64; 4] =
    [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0x0000_0000_0000_0000, 0xffff_ffff_0000_0001];

static MODULUS: Modulus<4, 5> = Modulus::new(&P);

/// 2^512 modulo p: what a number is multiplied by to bring it into Montgomery form.
const R2: Fe = Fe([0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);
/// 2^768 modulo p.
const R3: Fe = R2.mul(&R2);

/// An element: x 2^256 modulo p, always below p, so that equal elements have equal words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fe(pub(super) [u64; 4]);

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self::from_words([1, 0, 0, 0]);

    /// From an integer below 2^256.
    pub(crate) const fn from_words(words: [u64; 4]) -> Self {
        Self(words).mul(&R2)
    }

    /// From 32 octets, most significant first; `None` unless below p.
    pub(crate) fn from_octets(octets: &[u8; 32]) -> Option<Self> {
        let words = words_of(octets);
        (less(&words, &P)).then(|| Self::from_words(words))
    }

    /// The integer below p.
    pub(crate) const fn to_words(self) -> [u64; 4] {
        self.mul(&Self([1, 0, 0, 0])).0
    }

    pub(crate) const fn is_zero(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    pub(crate) const fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add(&self.0, &other.0);
        Self(reduced_once(sum, carry))
    }

    pub(crate) const fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = sub(&self.0, &other.0);
        Self(if borrow { add(&difference, &P).0 } else { difference })
    }

    pub(crate) const fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The Montgomery product: x y / 2^256 of the words.
    ///
    /// p is -1 modulo 2^64, so the lowest word is its own Montgomery quotient m, and m p = m (2^256 - 2^224 + 2^192 +
    /// 2^96) - m clears it: 2^96 m is a shift, the rest one multiplication by the highest word of p.
    #[inline]
    pub(crate) const fn mul(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        // t stays below 2 p 2^256 / 2^64 in each round: five words and no more.
        let mut t = [0_u64; 5];
        let mut at = 0;
        while at < 4 {
            let x = a[at] as u128;
            let mut c = x * b[0] as u128 + t[0] as u128;
            let m = c as u64;
            c = (c >> 64) + x * b[1] as u128 + t[1] as u128;
            let t1 = c as u64;
            c = (c >> 64) + x * b[2] as u128 + t[2] as u128;
            let t2 = c as u64;
            c = (c >> 64) + x * b[3] as u128 + t[3] as u128;
            let t3 = c as u64;
            c = (c >> 64) + t[4] as u128;
            let (t4, over) = (c as u64, (c >> 64) as u64);
            // Word 0 is m and goes away; the others move down.
            let mut c = t1 as u128 + (m << 32) as u128;
            t[0] = c as u64;
            c = (c >> 64) + t2 as u128 + (m >> 32) as u128;
            t[1] = c as u64;
            c = (c >> 64) + t3 as u128 + m as u128 * P[3] as u128;
            t[2] = c as u64;
            c = (c >> 64) + t4 as u128;
            t[3] = c as u64;
            t[4] = (c >> 64) as u64 + over;
            at += 1;
        }
        Self(reduced_once([t[0], t[1], t[2], t[3]], t[4] != 0))
    }

    pub(crate) const fn sqr(&self) -> Self {
        self.mul(self)
    }

    /// 1 / x; zero for zero. Variable time.
    pub(crate) fn inv(&self) -> Self {
        // The words are x R; their inverse is 1 / (x R), and two factors R bring it back into form.
        Self(MODULUS.invert(&self.0)).mul(&R3)
    }
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
pub(super) const fn less(a: &[u64; 4], b: &[u64; 4]) -> bool {
    sub(a, b).1
}

pub(super) const fn add(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut sum, mut carry, mut at) = ([0; 4], false, 0);
    while at < 4 {
        let wide = a[at] as u128 + b[at] as u128 + carry as u128;
        (sum[at], carry) = (wide as u64, wide >> 64 != 0);
        at += 1;
    }
    (sum, carry)
}

pub(super) const fn sub(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow, mut at) = ([0; 4], false, 0);
    while at < 4 {
        let wide = (a[at] as u128).wrapping_sub(b[at] as u128).wrapping_sub(borrow as u128);
        (difference[at], borrow) = (wide as u64, wide >> 64 != 0);
        at += 1;
    }
    (difference, borrow)
}

/// A number below 2 p, with its bit 256 in `carry`, brought below p.
const fn reduced_once(words: [u64; 4], carry: bool) -> [u64; 4] {
    let (less, borrow) = sub(&words, &P);
    if borrow && !carry { words } else { less }
}
