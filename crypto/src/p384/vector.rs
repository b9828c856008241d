//! Four elements at a time on AVX2: everything but the products, which are in [`kernels`].
//!
//! An element lies in thirteen limbs of 30 bits, as x 2^390 modulo p (Montgomery's form for R = 2^390), not fully
//! reduced. All limbs are at most 2^30 + 2^6. A *product* (also a table's coordinate) is at most 2 p + 2^131, a
//! *difference* below 11 p. A product times a difference is at most (2 p 11 p + R p) / R + 2^131 < 2 p: a product.
#![allow(unsafe_code, reason = "intrinsics, and calls of the kernels; both held to the scalar twin by tests")]

use super::field::{Fe, P};
use super::kernels;
use super::limbs::{LEAST, LIMBS, Limbs, MASK, multiple, split};
use super::words::{self, Words};
use crate::weierstrass::field::{Lanes, Signs};
use core::arch::x86_64::*;

/// Four elements. There are none on a processor without AVX2: [`Lanes::splat`] makes the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(Limbs);

/// The words of x 2^390 and y 2^390, both below p. Aligned so that no line touches more than two cache lines.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line([u64; 12]);

/// 2^6, which turns the form for 2^384 into the one for 2^390.
const TO_LANES: Fe = Fe::power_of_two(6);
/// 1 / 2^6 = (p + 1) / 2^6, since p is -1 modulo 2^6.
const FROM_LANES: Fe = {
    let mut sum = words::add(&P, &[1, 0, 0, 0, 0, 0]).0;
    let mut i = 0;
    while i < 6 {
        sum[i] = sum[i] >> 6 | if i < 5 { sum[i + 1] << 58 } else { 0 };
        i += 1;
    }
    Fe::new(&sum)
};

/// 4 p in limbs that each exceed a product's.
static FOUR_P: [u64; LIMBS] = multiple(4, LEAST);

/// 0, p and 2 p.
static MULTIPLES: [[u64; LIMBS]; 3] = {
    let mut multiples = [[0; LIMBS], split(&P), [0; LIMBS]];
    let (mut i, mut carry) = (0, 0);
    while i < LIMBS {
        let sum = 2 * multiples[1][i] + carry;
        multiples[2][i] = if i < LIMBS - 1 { sum & MASK } else { sum };
        carry = sum >> 30;
        i += 1;
    }
    multiples
};

impl Avx2 {
    /// A lane as it stands, modulo p.
    fn reduced(&self, lane: usize) -> Words {
        // Limbs overlap by a few bits, so they are added; 65 bits are the most that stay over.
        let (mut words, mut acc, mut bits, mut at) = ([0u64; 7], 0u128, 0, 0);
        for limb in &self.0.0 {
            acc += u128::from(limb[lane]) << bits;
            bits += 30;
            if bits >= 64 {
                words[at] = acc as u64;
                (acc, bits, at) = (acc >> 64, bits - 64, at + 1);
            }
        }
        words[at] = acc as u64;
        let [a, b, c, d, e, f, mut top] = words;
        let mut low = [a, b, c, d, e, f];
        // At most ten times.
        while top > 0 || !words::less(&low, &P) {
            let (less, borrow) = words::sub(&low, &P);
            (low, top) = (less, top - borrow);
        }
        low
    }
}

fn form(value: &Fe) -> Words {
    value.mul(&TO_LANES).to_form()
}

/// `form` is below p wherever it comes from, a table's line or a lane reduced.
fn element(form: &Words) -> Fe {
    Fe::from_form(form).map_or(Fe::ZERO, |value| value.mul(&FROM_LANES))
}

impl Lanes for Avx2 {
    type Fe = Fe;
    type Line = Line;

    fn supported() -> bool {
        std::is_x86_feature_detected!("avx2")
    }

    fn splat(value: &Fe) -> Self {
        assert!(Self::supported(), "four lanes need AVX2");
        Self(Limbs(split(&form(value)).map(|limb| [limb; 4])))
    }

    fn get(&self, lane: usize) -> Fe {
        element(&self.reduced(lane))
    }

    fn set(&mut self, lane: usize, value: &Fe) {
        for (limbs, limb) in self.0.0.iter_mut().zip(split(&form(value))) {
            limbs[lane] = limb;
        }
    }

    fn line(x: &Fe, y: &Fe) -> Line {
        let mut words = [0; 12];
        words[..6].copy_from_slice(&form(x));
        words[6..].copy_from_slice(&form(y));
        Line(words)
    }

    fn coordinates(line: &Line) -> (Fe, Fe) {
        let [x0, x1, x2, x3, x4, x5, y0, y1, y2, y3, y4, y5] = line.0;
        (element(&[x0, x1, x2, x3, x4, x5]), element(&[y0, y1, y2, y3, y4, y5]))
    }

    #[inline(always)]
    fn gather(lines: [&Line; 4], x: &mut Self, y: &mut Self) {
        // SAFETY: there are values of this type, so the processor has AVX2.
        unsafe { gather(lines, &mut x.0, &mut y.0) }
    }

    #[inline(always)]
    fn prefetch(line: *const Line) {
        let first: *const i8 = line.cast();
        // SAFETY: hints, which any address may be given to. The second is for the line's end.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(first);
            _mm_prefetch::<_MM_HINT_T1>(first.wrapping_add(64));
        }
    }

    #[inline(always)]
    fn difference(&mut self, a: &Self, b: &Self) {
        // SAFETY: as for `gather`.
        unsafe { difference(&mut self.0, &a.0, &b.0) }
    }

    #[inline(always)]
    fn signed_difference(&mut self, a: &Self, negative: Signs, b: &Self) {
        // SAFETY: as for `gather`.
        unsafe { signed_difference(&mut self.0, &a.0, negative, &b.0) }
    }

    #[inline(always)]
    fn mul(&mut self, a: &Self, b: &Self) {
        // SAFETY: as for `gather`.
        unsafe { kernels::mul(&mut self.0, &a.0, &b.0) }
    }

    #[inline(always)]
    fn mul_by(&mut self, b: &Self) {
        let this = &raw mut self.0;
        // SAFETY: as for `gather`; a kernel's result may take an operand's place.
        unsafe { kernels::mul(this, this, &b.0) }
    }

    #[inline(always)]
    fn mul_sub(&mut self, a: &Self, b: &Self, c: &Self) {
        // SAFETY: as for `gather`.
        unsafe { kernels::mul_sub(&mut self.0, &a.0, &b.0, &c.0) }
    }

    #[inline(always)]
    fn sqr(&mut self, a: &Self) {
        // SAFETY: as for `gather`.
        unsafe { kernels::sqr(&mut self.0, &a.0) }
    }

    #[inline(always)]
    fn sqr_sub(&mut self, a: &Self, b: &Self) {
        let this = &raw mut self.0;
        // SAFETY: as for `gather`; a kernel's result may take an operand's place.
        unsafe { kernels::sqr_sub(this, &a.0, &b.0, this) }
    }

    #[inline(always)]
    fn twice(&mut self, a: &Self) {
        // SAFETY: as for `gather`.
        unsafe { twice(&mut self.0, &a.0) }
    }

    #[inline(always)]
    fn zeros(&self) -> [bool; 4] {
        // SAFETY: as for `gather`.
        unsafe { zeros(&self.0) }
    }
}

/// Reads a limb.
#[inline]
#[target_feature(enable = "avx2")]
fn get(limb: &[u64; 4]) -> __m256i {
    // SAFETY: 32 octets are read of 32; this load asks for no alignment.
    unsafe { _mm256_loadu_si256(limb.as_ptr().cast()) }
}

/// Writes a limb.
#[inline]
#[target_feature(enable = "avx2")]
fn put(limb: &mut [u64; 4], vector: __m256i) {
    // SAFETY: 32 octets are written of 32; this store asks for no alignment.
    unsafe { _mm256_storeu_si256(limb.as_mut_ptr().cast(), vector) }
}

/// A number in all four places.
#[inline]
#[target_feature(enable = "avx2")]
fn same(number: u64) -> __m256i {
    _mm256_set1_epi64x(number.cast_signed())
}

/// All ones in the negative lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(signs: Signs) -> __m256i {
    let bits = _mm256_srlv_epi64(same(signs.bits() as u64), _mm256_set_epi64x(3, 2, 1, 0));
    _mm256_sub_epi64(_mm256_setzero_si256(), _mm256_and_si256(bits, same(1)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn gather(lines: [&Line; 4], x: &mut Limbs, y: &mut Limbs) {
    let [a, b, c, d] = lines.map(|line| line.0.as_chunks::<4>().0);
    // Each line is words x0 x1 x2 x3, x4 x5 y0 y1, y2 y3 y4 y5.
    let [x0, x1, x2, x3] = transposed([&a[0], &b[0], &c[0], &d[0]]);
    let [x4, x5, y0, y1] = transposed([&a[1], &b[1], &c[1], &d[1]]);
    let [y2, y3, y4, y5] = transposed([&a[2], &b[2], &c[2], &d[2]]);
    split_words(&[x0, x1, x2, x3, x4, x5], x);
    split_words(&[y0, y1, y2, y3, y4, y5], y);
}

/// Word 0 of all four, then word 1, ..
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(of: [&[u64; 4]; 4]) -> [__m256i; 4] {
    let [a, b, c, d] = [get(of[0]), get(of[1]), get(of[2]), get(of[3])];
    let (ab_even, ab_odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd_even, cd_odd) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x20>(ab_odd, cd_odd),
        _mm256_permute2x128_si256::<0x31>(ab_even, cd_even),
        _mm256_permute2x128_si256::<0x31>(ab_odd, cd_odd),
    ]
}

/// Words of 64 bits as limbs of 30: limb i begins in word 30 i / 64 and may end in the next.
#[inline]
#[target_feature(enable = "avx2")]
fn split_words(words: &[__m256i; 6], out: &mut Limbs) {
    macro_rules! limb {
        ($($i:literal)*) => {$(
            let mut limb = _mm256_srli_epi64::<{ 30 * $i % 64 }>(words[30 * $i / 64]);
            if 30 * $i % 64 > 34 && 30 * $i / 64 < 5 {
                let next = _mm256_slli_epi64::<{ 64 - 30 * $i % 64 }>(words[(30 * $i / 64 + 1) % 6]);
                limb = _mm256_or_si256(limb, next);
            }
            put(&mut out.0[$i], _mm256_and_si256(limb, same(MASK)));
        )*};
    }
    limb!(0 1 2 3 4 5 6 7 8 9 10 11 12);
}

/// Each limb keeps 30 bits and gets what the one below carries: at most 4, for limbs up to 2^32 + 2^30. The top one keeps all.
#[inline]
#[target_feature(enable = "avx2")]
fn carried(limbs: [__m256i; LIMBS], out: &mut Limbs) {
    let mut carry = _mm256_setzero_si256();
    for (i, limb) in limbs.into_iter().enumerate() {
        let low = if i == LIMBS - 1 { limb } else { _mm256_and_si256(limb, same(MASK)) };
        put(&mut out.0[i], _mm256_add_epi64(low, carry));
        carry = _mm256_srli_epi64::<30>(limb);
    }
}

/// `a + 4 p - b`, below 7 p.
#[inline]
#[target_feature(enable = "avx2")]
fn difference(out: &mut Limbs, a: &Limbs, b: &Limbs) {
    // Between 0 and 2^30 + 2^31 + 2^13.
    let mut limbs = [_mm256_setzero_si256(); LIMBS];
    for (limb, ((a, b), more)) in limbs.iter_mut().zip(a.0.iter().zip(&b.0).zip(&FOUR_P)) {
        *limb = _mm256_sub_epi64(_mm256_add_epi64(get(a), same(*more)), get(b));
    }
    carried(limbs, out);
}

/// `8 p + a - b` or `8 p - a - b`, below 11 p.
#[inline]
#[target_feature(enable = "avx2")]
fn signed_difference(out: &mut Limbs, a: &Limbs, negative: Signs, b: &Limbs) {
    let negative = mask(negative);
    // Between 0 and 2^32 + 2^30 + 2^14.
    let mut limbs = [_mm256_setzero_si256(); LIMBS];
    for (limb, ((a, b), more)) in limbs.iter_mut().zip(a.0.iter().zip(&b.0).zip(&FOUR_P)) {
        let a = _mm256_sub_epi64(_mm256_xor_si256(get(a), negative), negative);
        *limb = _mm256_add_epi64(_mm256_sub_epi64(same(2 * more), get(b)), a);
    }
    carried(limbs, out);
}

/// Limbs twice as large as a product's: for the kernels only, which take them from 12 p.
#[inline]
#[target_feature(enable = "avx2")]
fn twice(out: &mut Limbs, a: &Limbs) {
    for (out, a) in out.0.iter_mut().zip(&a.0) {
        put(out, _mm256_add_epi64(get(a), get(a)));
    }
}

/// Lanes of a product that are 0, p or 2 p, once all limbs but the top one are below 2^30.
#[inline]
#[target_feature(enable = "avx2")]
fn zeros(value: &Limbs) -> [bool; 4] {
    let mut carry = _mm256_setzero_si256();
    let mut is = [same(u64::MAX); 3];
    for (i, limb) in value.0.iter().enumerate() {
        let sum = _mm256_add_epi64(get(limb), carry);
        carry = _mm256_srli_epi64::<30>(sum);
        let low = if i == LIMBS - 1 { sum } else { _mm256_and_si256(sum, same(MASK)) };
        for (times, is) in is.iter_mut().enumerate() {
            *is = _mm256_and_si256(*is, _mm256_cmpeq_epi64(low, same(MULTIPLES[times][i])));
        }
    }
    let mut lanes = [0; 4];
    put(&mut lanes, _mm256_or_si256(is[0], _mm256_or_si256(is[1], is[2])));
    lanes.map(|lane| lane != 0)
}

#[cfg(test)]
#[path = "vector_tests.rs"]
mod tests;
