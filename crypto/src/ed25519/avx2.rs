//! Four sums of table lines in AVX2 vectors, a lane each, on the product kernel; see `limbs` for the form of numbers.
//! # Source
//! Hisil, Wong, Carter, Dawson: "Twisted Edwards Curves Revisited" (2008), 3.1, for the addition.

#![allow(unsafe_code, reason = "vector loads and stores, and the step into code for a checked CPU feature")]

use super::challenge::Input;
use super::curve::Extended;
use super::field::Fe;
use super::limbs::{Columns, Four, HIGH, Limb};
use super::line::{Line, MINUS_INVERSE_D, OFFSET};
use super::product::{multiply, multiply_add, multiply_keeping, multiply_onto};
use super::rows::rows;
use super::sha512::digests;
use super::sum::{AHEAD, Group, LANES, Pick};
use core::arch::x86_64::*;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// Four points as in [`Extended`]; limbs at most M, but x and y of a line are only so in y - x and y + x, at most 2 M.
#[derive(Clone, Copy)]
pub(super) struct Points {
    pub(super) x: Four,
    pub(super) y: Four,
    pub(super) z: Four,
    t: Four,
}

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// As [`Lanes::sum`](super::sum::Lanes::sum).
    pub(crate) fn sum(self, group: &Group<'_>, next: &Group<'_>) -> [Extended; LANES] {
        // SAFETY: `self` exists only where detect() found AVX2 and FMA.
        unsafe { sum(group, next) }
    }

    /// As [`rows`].
    pub(crate) fn rows(self, firsts: &[Line; LANES], count: usize, out: &mut dyn FnMut(usize, usize, Line)) {
        // SAFETY: `self` exists only where detect() found AVX2 and FMA.
        unsafe { rows(firsts, count, out) }
    }

    /// SHA-512 of one to four inputs.
    pub(crate) fn digests(self, inputs: &[Input<'_>], out: &mut [[u8; 64]]) {
        // SAFETY: `self` exists only where detect() found AVX2.
        unsafe { digests(inputs, out) }
    }

    pub(crate) fn fetch(self, line: &Line) {
        fetch(line);
    }
}

#[inline(always)]
fn fetch(line: &Line) {
    let first = core::ptr::from_ref(line).cast::<i8>();
    // SAFETY: a prefetch reads nothing and faults nowhere; SSE is part of x86-64. A line lies in two cache lines, and
    // its octet 64 is in the second one.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(first);
        _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(64));
    }
}

/// Steps whose lines are fetched together. A fetch whose page is in no TLB holds up what comes after it until the page
/// is found; those next to it are found meanwhile.
const TOGETHER: usize = 2;

#[target_feature(enable = "avx2,fma")]
fn sum(group: &Group<'_>, next: &Group<'_>) -> [Extended; LANES] {
    // Steps of this group and then of the next, each fetched about AHEAD steps before its turn.
    let this = group.steps.iter().skip(AHEAD).map(|step| (step, &group.tables));
    let mut ahead = this.chain(next.steps.iter().take(AHEAD).map(|step| (step, &next.tables)));
    let mut look = |steps: usize| {
        for (step, tables) in ahead.by_ref().take(steps) {
            for (pick, tables) in step.iter().zip(tables) {
                fetch(pick.line(tables));
            }
        }
    };
    let mut steps = group.steps.iter();
    let Some(first) = steps.next() else { return [Extended::NEUTRAL; LANES] };
    let mut line = Entry::ZERO;
    load(&group.tables, first, &mut line);
    let mut points = points_of(&line);
    for (turn, step) in steps.enumerate() {
        if turn % TOGETHER == 0 {
            look(TOGETHER);
        }
        load(&group.tables, step, &mut line);
        add_line(&mut points, &line);
    }
    split(&points)
}

/// A line in each lane, limbs at most 2^50.
pub(super) struct Entry {
    plus: Four,
    minus: Four,
    product: Four,
}

impl Entry {
    pub(super) const ZERO: Self = Self { plus: Four::ZERO, minus: Four::ZERO, product: Four::ZERO };
}

/// The lines as points. y - x and y + x, the next operands, are exactly twice `minus` and `plus`.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn points_of(line: &Entry) -> Points {
    let (y, x) = sum_and_difference(&line.plus, &line.minus);
    let mut t = Four::ZERO;
    multiply(&line.product, &splat(MINUS_INVERSE_D), &mut t);
    Points { x, y, z: splat(Fe::ONE), t }
}

/// Seven products, three carries of them for A, A + B and Z - C.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn add_line(points: &mut Points, line: &Entry) {
    let mut columns = Columns::ZERO;
    let (mut a, mut h, mut f) = (Four::ZERO, Four::ZERO, Four::ZERO);
    // 2 M by 2^50.
    let (plus, minus) = sum_and_difference(&points.y, &points.x);
    multiply_keeping(&minus, &line.minus, &mut a, &mut columns);
    multiply_onto(&plus, &line.plus, &columns, &mut h);
    // F = Z - C, as a line has the factor of -C.
    multiply_add(&points.t, &line.product, &whole(&points.z), &mut f);
    // E = B - A = H - 2 A and G = Z + C = 2 Z - F: at most 3 M. Each meets one of H and F below, which have M.
    let (e, g) = (less_twice(&h, &a), twice_less(&points.z, &f));
    multiply(&e, &h, &mut points.t);
    multiply(&e, &f, &mut points.x);
    multiply(&g, &h, &mut points.y);
    multiply(&g, &f, &mut points.z);
}

/// One vector from one or two, limb by limb.
macro_rules! limb_by_limb {
    ($k:ident => $limb:expr) => {{
        let mut out = Four::ZERO;
        for $k in 0..5 {
            out.0[$k] = put($limb);
        }
        out
    }};
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn get(limb: &Limb) -> __m256d {
    // SAFETY: a Limb is 32 octets, 32-octet aligned.
    unsafe { _mm256_load_pd(limb.0.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn put(vector: __m256d) -> Limb {
    let mut limb = Limb([0.0; LANES]);
    // SAFETY: a Limb is 32 octets, 32-octet aligned.
    unsafe { _mm256_store_pd(limb.0.as_mut_ptr(), vector) };
    limb
}

/// a + b and a - b.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn sum_and_difference(a: &Four, b: &Four) -> (Four, Four) {
    let sum = limb_by_limb!(k => _mm256_add_pd(get(&a.0[k]), get(&b.0[k])));
    (sum, limb_by_limb!(k => _mm256_sub_pd(get(&a.0[k]), get(&b.0[k]))))
}

/// a - 2 b.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn less_twice(a: &Four, b: &Four) -> Four {
    limb_by_limb!(k => _mm256_fnmadd_pd(get(&b.0[k]), _mm256_set1_pd(2.0), get(&a.0[k])))
}

/// 2 a - b.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn twice_less(a: &Four, b: &Four) -> Four {
    limb_by_limb!(k => _mm256_fmsub_pd(get(&a.0[k]), _mm256_set1_pd(2.0), get(&b.0[k])))
}

/// Limbs with [`HIGH`] added: whole numbers in the low bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn whole(a: &Four) -> Four {
    limb_by_limb!(k => _mm256_add_pd(get(&a.0[k]), _mm256_set1_pd(HIGH)))
}

/// The three numbers of a line in each lane; those of the negative are swapped and negated.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn load(tables: &[[&[Line]; 2]; LANES], picks: &[Pick; LANES], out: &mut Entry) {
    let (mut plus, mut minus) = ([&Line::NEUTRAL.plus; LANES], [&Line::NEUTRAL.plus; LANES]);
    let mut product = plus;
    let mut signs = [0; LANES];
    for lane in 0..LANES {
        let (line, negative) = (picks[lane].line(&tables[lane]), picks[lane].is_negative());
        (plus[lane], minus[lane]) = if negative { (&line.minus, &line.plus) } else { (&line.plus, &line.minus) };
        product[lane] = &line.product;
        signs[lane] = i64::from(negative) << 63;
    }
    let signs = _mm256_castsi256_pd(_mm256_set_epi64x(signs[3], signs[2], signs[1], signs[0]));
    limbs(&plus, _mm256_setzero_pd(), &mut out.plus);
    limbs(&minus, _mm256_setzero_pd(), &mut out.minus);
    limbs(&product, signs, &mut out.product);
}

/// Four stored numbers as limbs from -2^50 to 2^50 - 1, negated where `signs` has its sign bit.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn limbs(words: &[&[u64; 4]; LANES], signs: __m256d, out: &mut Four) {
    let half = |lane: usize, at: usize| {
        let from = words[lane].as_ptr().wrapping_add(at).cast::<__m128i>();
        // SAFETY: `at` is 0 or 2, so two of the four words are read; no alignment is asked for.
        unsafe { _mm_loadu_si128(from) }
    };
    let pair = |lane, at| _mm256_set_m128i(half(lane + 2, at), half(lane, at));
    let (a, b, c, d) = (pair(0, 0), pair(1, 0), pair(0, 2), pair(1, 2));
    let (w0, w1) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (w2, w3) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    let limbs = [
        w0,
        _mm256_or_si256(_mm256_srli_epi64::<51>(w0), _mm256_slli_epi64::<13>(w1)),
        _mm256_or_si256(_mm256_srli_epi64::<38>(w1), _mm256_slli_epi64::<26>(w2)),
        _mm256_or_si256(_mm256_srli_epi64::<25>(w2), _mm256_slli_epi64::<39>(w3)),
        _mm256_srli_epi64::<12>(w3),
    ];
    // Bits of 51-bit limbs behind the exponent of [2, 4); then the exponent's 2 and the offset's 2^50 are taken away.
    let mask = _mm256_set1_epi64x((1 << 51) - 1);
    let (two, excess) = (_mm256_castpd_si256(_mm256_set1_pd(2.0)), _mm256_set1_pd(2.5));
    for (limb, out) in limbs.into_iter().zip(&mut out.0) {
        let limb = _mm256_castsi256_pd(_mm256_or_si256(_mm256_and_si256(limb, mask), two));
        *out = put(_mm256_xor_pd(_mm256_sub_pd(limb, excess), signs));
    }
}

/// A number in each lane, limbs at most 2^50.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn join(numbers: &[Fe; LANES]) -> Four {
    let stored = numbers.map(|number| number.add(OFFSET).to_words());
    let mut out = Four::ZERO;
    limbs(&stored.each_ref(), _mm256_setzero_pd(), &mut out);
    out
}

/// One number in all lanes.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn splat(number: Fe) -> Four {
    join(&[number; LANES])
}

/// The number of one lane; limbs from -2^51 to 2^51 - 1.
#[inline]
pub(super) fn lane_of(number: &Four, lane: usize) -> Fe {
    Fe::from_signed(number.0.map(|limb| {
        let limb = limb.0[lane];
        debug_assert!((-1.0..1.0).contains(&limb), "HIGH + {limb} is not in [2, 4)");
        // HIGH added, its bits taken from the sum: the limb as an integer.
        (limb + HIGH).to_bits().wrapping_sub(HIGH.to_bits()) as i64
    }))
}

/// The points, lane by lane; x and y of a line have limbs from -2^51 to 2^51 - 1, being sums of two of its numbers.
fn split(points: &Points) -> [Extended; LANES] {
    core::array::from_fn(|lane| {
        let [x, y, z, t] = [&points.x, &points.y, &points.z, &points.t].map(|number| lane_of(number, lane));
        Extended { x, y, z, t }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::limbs::UNIT;

    #[test]
    fn lanes_keep_their_numbers_to_the_ends_of_their_limbs() {
        for limb in [-(1_i64 << 51), 1 - (1 << 51), -(1 << 50), -1, 0, 1, 1 << 50, (1 << 51) - 1] {
            let limbs = [limb, -1, limb, 1, limb];
            let four = Four(limbs.map(|limb| Limb([0.5, limb as f64 * UNIT, 0.25, -0.5])));
            assert_eq!(lane_of(&four, 1), Fe::from_signed(limbs), "{limb}");
        }
    }

    #[test]
    fn numbers_go_in_and_out() {
        if Avx2::detect().is_none() {
            return;
        }
        let top = Fe::ZERO.sub(Fe::ONE);
        let ones = Fe::from_words([u64::MAX; 4]);
        for numbers in [[Fe::ZERO, Fe::ONE, top, ones], [OFFSET, OFFSET.neg(), top.add(top), MINUS_INVERSE_D]] {
            // SAFETY: the features were found above.
            let four = unsafe { join(&numbers) };
            assert!(four.0.iter().flat_map(|limb| limb.0).all(|limb| (-0.5..0.5).contains(&limb)));
            assert_eq!([0, 1, 2, 3].map(|lane| lane_of(&four, lane)), numbers);
        }
    }
}
