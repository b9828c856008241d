//! Four elements side by side on AVX2: what is left to do around the kernels.
#![allow(unsafe_code, reason = "vector instructions, for which a value of `Avx2` is the licence")]

use super::field::{Fe, P, add, sub};
use super::kernels::{self, Limbs};
use crate::weierstrass::field::{Lanes, Signs};
use core::arch::x86_64::{
    __m256i, _MM_HINT_T1, _mm_prefetch, _mm256_add_epi64, _mm256_and_si256, _mm256_cmpeq_epi64, _mm256_load_si256,
    _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set1_epi64x, _mm256_slli_epi64, _mm256_srli_epi64,
    _mm256_store_si256, _mm256_sub_epi64, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

const LIMB: u64 = (1 << 29) - 1;

/// Four elements. Values are made by [`Lanes::splat`] only, which asks for AVX2: whoever has one may use the kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(Limbs);

/// x and y in Montgomery form with R = 2^261, below p, four words each; a cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line([u64; 4], [u64; 4]);

/// 16 p, with so much lent from limb to limb that any product can be taken from it limb by limb.
const BIAS: [u64; 9] = {
    let (mut bias, mut at) = ([0; 9], 0);
    while at < 9 {
        // Bits 29 at.. of 16 p.
        let bit = 29 * at;
        bias[at] = if bit < 4 { P[0] << 4 } else { word(&P, bit - 4) };
        bias[at] &= if at < 8 { LIMB } else { u64::MAX };
        // Two limbs' worth lent by each but the last, paid by the next.
        bias[at] = bias[at] + if at < 8 { 2 << 29 } else { 0 } - if at > 0 { 2 } else { 0 };
        at += 1;
    }
    bias
};

/// 64 bits from bit `from` on.
const fn word(words: &[u64; 4], from: usize) -> u64 {
    let (word, shift) = (from / 64, from % 64);
    let low = if word < 4 { words[word] >> shift } else { 0 };
    if shift > 0 && word + 1 < 4 { low | words[word + 1] << (64 - shift) } else { low }
}

const fn limbs(words: &[u64; 4]) -> [u64; 9] {
    let (mut limbs, mut at) = ([0; 9], 0);
    while at < 9 {
        limbs[at] = word(words, 29 * at) & LIMB;
        at += 1;
    }
    limbs
}

/// k p for k up to 4.
const MULTIPLES: [[u64; 9]; 5] = {
    let (mut multiples, mut k) = ([[0; 9]; 5], 0);
    while k < 5 {
        let (mut at, mut carry) = (0, 0);
        while at < 9 {
            let sum = k as u64 * (word(&P, 29 * at) & LIMB) + carry;
            multiples[k][at] = if at < 8 { sum & LIMB } else { sum };
            carry = sum >> 29;
            at += 1;
        }
        k += 1;
    }
    multiples
};

/// 32 = 2^261 / 2^256: the factor between the form of [`Fe`] and that of lanes, and back.
const INTO: Fe = Fe([0x0000_0000_0000_0020, 0xffff_ffe0_0000_0000, 0xffff_ffff_ffff_ffff, 0x0000_001f_ffff_ffdf]);
/// 1 / 32 modulo p: 1/32 = (k p + 1) / 32, in Montgomery form 2^251.
const BACK: Fe = Fe([0, 0, 0, 1 << 59]);

fn into_words(value: &Fe) -> [u64; 4] {
    value.mul(&INTO).0
}

fn from_words(words: [u64; 4]) -> Fe {
    Fe(words).mul(&BACK)
}

impl Avx2 {
    /// One lane as it is, in the lanes' Montgomery form, below p.
    #[inline]
    fn words(&self, lane: usize) -> [u64; 4] {
        let limb = |at: usize| self.0.0[at][lane];
        // Limbs of a difference overlap: carried on, they are below 2^29 like those of a product. The value is below 2^261.
        let (mut carry, mut l) = (0, [0; 9]);
        for (at, to) in l.iter_mut().enumerate() {
            let sum = limb(at) + carry;
            (*to, carry) = if at < 8 { (sum & LIMB, sum >> 29) } else { (sum, 0) };
        }
        let low = [
            l[0] | l[1] << 29 | l[2] << 58,
            l[2] >> 6 | l[3] << 23 | l[4] << 52,
            l[4] >> 12 | l[5] << 17 | l[6] << 46,
            l[6] >> 18 | l[7] << 11 | l[8] << 40,
        ];
        // With q = value / 2^256, rounded down, value - q p = low + q (2^256 - p), which is below 2 p.
        let q = l[8] >> 24;
        let some = u64::from(q > 0);
        let rest = [q, (q << 32).wrapping_neg(), some.wrapping_neg(), q * 0xffff_ffff - some];
        let (sum, carry) = add(&low, &rest);
        let (less, borrow) = sub(&sum, &P);
        if borrow && !carry { sum } else { less }
    }
}

impl Lanes for Avx2 {
    type Fe = Fe;
    type Line = Line;

    fn supported() -> bool {
        is_x86_feature_detected!("avx2")
    }

    fn splat(value: &Fe) -> Self {
        assert!(Self::supported(), "vector kernels chosen without AVX2");
        Self(Limbs(limbs(&into_words(value)).map(|limb| [limb; 4])))
    }

    fn get(&self, lane: usize) -> Fe {
        from_words(self.words(lane))
    }

    fn set(&mut self, lane: usize, value: &Fe) {
        for (to, limb) in self.0.0.iter_mut().zip(limbs(&into_words(value))) {
            to[lane] = limb;
        }
    }

    fn line(x: &Fe, y: &Fe) -> Line {
        Line(into_words(x), into_words(y))
    }

    fn line_of(x: &Self, y: &Self, lane: usize) -> Line {
        Line(x.words(lane), y.words(lane))
    }

    fn coordinates(line: &Line) -> (Fe, Fe) {
        (from_words(line.0), from_words(line.1))
    }

    #[inline]
    fn gather(lines: [&Line; 4], x: &mut Self, y: &mut Self) {
        // SAFETY: AVX2 is there, since `x` is.
        unsafe {
            gather(lines.map(|line| &line.0), &mut x.0);
            gather(lines.map(|line| &line.1), &mut y.0);
        }
    }

    #[inline]
    fn prefetch(line: *const Line) {
        // SAFETY: a hint, which any address may be given to.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.cast()) };
    }

    #[inline]
    fn difference(&mut self, a: &Self, b: &Self) {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { difference(&mut self.0, &a.0, &b.0) };
    }

    #[inline]
    fn signed_difference(&mut self, a: &Self, negative: Signs, b: &Self) {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { signed_difference(&mut self.0, &a.0, negative, &b.0) };
    }

    #[inline]
    fn mul(&mut self, a: &Self, b: &Self) {
        // SAFETY: AVX2 is there, since `self` is; bounds as `Lanes` says of products and differences.
        unsafe { kernels::mul(&mut self.0, &a.0, &b.0) };
    }

    #[inline]
    fn mul_by(&mut self, b: &Self) {
        let this = &raw mut self.0;
        // SAFETY: AVX2 is there, since `self` is; a kernel's result may take an operand's place.
        unsafe { kernels::mul(this, this, &b.0) };
    }

    #[inline]
    fn mul_sub(&mut self, a: &Self, b: &Self, c: &Self) {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { kernels::mul_sub(&mut self.0, &a.0, &b.0, &c.0) };
    }

    #[inline]
    fn sqr(&mut self, a: &Self) {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { kernels::sqr(&mut self.0, &a.0) };
    }

    #[inline]
    fn sqr_sub(&mut self, a: &Self, b: &Self) {
        let this = &raw mut self.0;
        // SAFETY: AVX2 is there, since `self` is; a kernel's result may take an operand's place.
        unsafe { kernels::sqr_sub(this, &a.0, &b.0, this) };
    }

    #[inline]
    fn twice(&mut self, a: &Self) {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { twice(&mut self.0, &a.0) };
    }

    fn zeros(&self) -> [bool; 4] {
        // SAFETY: AVX2 is there, since `self` is.
        unsafe { zeros(&self.0) }
    }
}

/// One limb of four elements, or four words of one.
#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[u64; 4]) -> __m256i {
    // SAFETY: all that is loaded lies in types aligned to 32 octets.
    unsafe { _mm256_load_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(to: &mut [u64; 4], value: __m256i) {
    // SAFETY: as for `load`.
    unsafe { _mm256_store_si256(to.as_mut_ptr().cast(), value) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(value: u64) -> __m256i {
    _mm256_set1_epi64x(value.cast_signed())
}

/// A mask of each set of lanes. Looked up, since one that was just put together from smaller parts is slow to load.
static MASKS: [Mask; 16] = {
    let (mut masks, mut bits) = ([Mask([0; 4]); 16], 0);
    while bits < 16 {
        let mut lane = 0;
        while lane < 4 {
            masks[bits].0[lane] = if bits >> lane & 1 == 1 { u64::MAX } else { 0 };
            lane += 1;
        }
        bits += 1;
    }
    masks
};

#[repr(C, align(32))]
#[derive(Clone, Copy)]
struct Mask([u64; 4]);

#[inline]
#[target_feature(enable = "avx2")]
fn mask(signs: Signs) -> __m256i {
    load(&MASKS[signs.bits()].0)
}

/// Four words of four numbers, turned into four numbers' words and cut into limbs.
#[target_feature(enable = "avx2")]
fn gather(words: [&[u64; 4]; 4], out: &mut Limbs) {
    let [a, b, c, d] = words.map(|words| load(words));
    let (ab02, ab13) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd02, cd13) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    let w0 = _mm256_permute2x128_si256::<0x20>(ab02, cd02);
    let w1 = _mm256_permute2x128_si256::<0x20>(ab13, cd13);
    let w2 = _mm256_permute2x128_si256::<0x31>(ab02, cd02);
    let w3 = _mm256_permute2x128_si256::<0x31>(ab13, cd13);
    let mask = all(LIMB);
    let limbs = &mut out.0;
    let mut put = |at: usize, value| store(&mut limbs[at], _mm256_and_si256(value, mask));
    put(0, w0);
    put(1, _mm256_srli_epi64::<29>(w0));
    put(2, _mm256_or_si256(_mm256_srli_epi64::<58>(w0), _mm256_slli_epi64::<6>(w1)));
    put(3, _mm256_srli_epi64::<23>(w1));
    put(4, _mm256_or_si256(_mm256_srli_epi64::<52>(w1), _mm256_slli_epi64::<12>(w2)));
    put(5, _mm256_srli_epi64::<17>(w2));
    put(6, _mm256_or_si256(_mm256_srli_epi64::<46>(w2), _mm256_slli_epi64::<18>(w3)));
    put(7, _mm256_srli_epi64::<11>(w3));
    put(8, _mm256_srli_epi64::<40>(w3));
}

/// a + 16 p - b. Limbs: below 2^29 + (2^30 + 2^29) = 2^31, the last below 2^27 + 2^28.
#[target_feature(enable = "avx2")]
fn difference(out: &mut Limbs, a: &Limbs, b: &Limbs) {
    for (((out, a), b), bias) in out.0.iter_mut().zip(&a.0).zip(&b.0).zip(BIAS) {
        store(out, _mm256_sub_epi64(_mm256_add_epi64(load(a), all(bias)), load(b)));
    }
}

/// 16 p + a - b, or 16 p - a - b: two limbs below 2^29 are less than a limb of 16 p as it is written here.
#[target_feature(enable = "avx2")]
fn signed_difference(out: &mut Limbs, a: &Limbs, negative: Signs, b: &Limbs) {
    let negative = mask(negative);
    for (((out, a), b), bias) in out.0.iter_mut().zip(&a.0).zip(&b.0).zip(BIAS) {
        // -a is (a xor -1) - (-1).
        let a = _mm256_sub_epi64(_mm256_xor_si256(load(a), negative), negative);
        store(out, _mm256_sub_epi64(_mm256_add_epi64(a, all(bias)), load(b)));
    }
}

/// 2 a, limb by limb: limbs below 2^30.
#[target_feature(enable = "avx2")]
fn twice(out: &mut Limbs, a: &Limbs) {
    for (out, a) in out.0.iter_mut().zip(&a.0) {
        store(out, _mm256_add_epi64(load(a), load(a)));
    }
}

/// Lanes of a product that are 0, p, 2 p, 3 p or 4 p: its limbs are below 2^29, so each of these has one form.
#[target_feature(enable = "avx2")]
fn zeros(value: &Limbs) -> [bool; 4] {
    let mut any = all(0);
    for multiple in MULTIPLES {
        let mut same = all(u64::MAX);
        for (limb, want) in value.0.iter().zip(multiple) {
            same = _mm256_and_si256(same, _mm256_cmpeq_epi64(load(limb), all(want)));
        }
        any = _mm256_or_si256(any, same);
    }
    let mut lanes = Limbs([[0; 4]; 9]);
    store(&mut lanes.0[0], any);
    lanes.0[0].map(|lane| lane != 0)
}

#[cfg(test)]
#[path = "vector_tests.rs"]
mod tests;
