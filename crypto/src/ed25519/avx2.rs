//! Four sums of table lines in AVX2 vectors, a lane each.
//!
//! A number modulo p is five limbs of 51 bits, each a whole number in an f64, with its sign. The product of two limbs
//! has up to 102 bits; two fused multiply-adds split it exactly: the first, added to 1.5 * 2^103, leaves in its low
//! bits q = the product over 2^51, rounded; the second gives product - q 2^51, added to 1.5 * 2^52. Both have their
//! integer in the low bits of the f64, so columns are summed as 64-bit integers, from which the constant upper parts
//! are taken at the end. That is five instructions a limb product instead of two on 29-bit limbs, but 25 instead of 81
//! of them, and sums and differences of numbers take five instructions and no carry.
//!
//! In what follows M = 2^50 + 2^11 bounds the limbs of a reduced number, and "k M" a sum of k of them. A product needs
//! its limbs' products below 2^102 - 2^51.
//! # Source
//! Emmart, Zheng, Weems: "Faster Modular Exponentiation Using Double Precision Floating Point Arithmetic on the GPU"
//! (2018) for the split; Hisil et al. (2008) for the addition.
#![allow(unsafe_code, reason = "vector loads and the step into code for a checked CPU feature")]

use super::curve::Extended;
use super::field::Fe;
use super::line::{Line, MINUS_INVERSE_D, OFFSET};
use super::sum::{Group, LANES, Pick};
use core::arch::x86_64::*;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// A number in each lane.
type Four = [__m256d; 5];

/// Columns of a product or a sum, folded to five, not yet carried; 64-bit integers.
type Columns = [__m256i; 5];

/// Four points as in [`Extended`]; every number reduced.
#[derive(Clone, Copy)]
struct Points {
    x: Four,
    y: Four,
    z: Four,
    t: Four,
}

/// 1.5 * 2^103: a unit in the last place is 2^51.
const HIGH: f64 = 1.5 * (1_u128 << 103) as f64;
/// 1.5 * 2^52: a unit in the last place is 1.
const LOW: f64 = 1.5 * (1_u64 << 52) as f64;
/// 2^52 as a number: a 51-bit integer put into its low bits is added to it.
const WHOLE: f64 = (1_u64 << 52) as f64;
/// What makes a column positive: more than any column's size, and rounding instead of cutting off at 2^51.
const BIAS: u64 = (1 << 60) + (1 << 50);
const MASK: i64 = (1 << 51) - 1;

/// What to add to each folded column of `products` products, `whole` numbers put on LOW, so that only `bias` is left of
/// the constant parts.
const fn start(products: u64, whole: u64, bias: u64) -> [i64; 5] {
    let (high, low) = (HIGH.to_bits(), LOW.to_bits());
    let mut out = [0; 5];
    let mut k = 0;
    while k < 5 {
        // Limb products i + j = k: k + 1 of them, and 4 - k with i + j = k + 5; q goes one column up.
        let (lows, highs) = (k as u64 + 1 + 19 * (4 - k as u64), k as u64 + 19 * (5 - k as u64));
        let constant = lows.wrapping_mul(low).wrapping_add(highs.wrapping_mul(high)).wrapping_mul(products);
        out[k] = bias.wrapping_sub(constant).wrapping_sub(whole.wrapping_mul(low)) as i64;
        k += 1;
    }
    out
}

/// For a product that is carried by itself.
const ALONE: [i64; 5] = start(1, 0, BIAS);
/// For a product that is added to another's columns.
const ADDED: [i64; 5] = start(1, 0, 0);
/// For a product with one number added.
const WITH_NUMBER: [i64; 5] = start(1, 1, BIAS);

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// As [`Lanes::sum`](super::sum::Lanes::sum).
    pub(crate) fn sum(self, group: &Group<'_>, next: &Group<'_>) -> [Extended; LANES] {
        // SAFETY: `self` exists only where detect() found AVX2 and FMA.
        unsafe { sum(group, next) }
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

#[target_feature(enable = "avx2,fma")]
fn sum(group: &Group<'_>, next: &Group<'_>) -> [Extended; LANES] {
    let mut ahead = next.steps.iter();
    let mut look = || {
        if let Some(step) = ahead.next() {
            for (pick, tables) in step.iter().zip(&next.tables) {
                fetch(pick.line(tables));
            }
        }
    };
    let mut steps = group.steps.iter();
    let Some(first) = steps.next() else { return [Extended::NEUTRAL; LANES] };
    look();
    let (plus, minus, product) = load(&core::array::from_fn(|lane| first[lane].line(&group.tables[lane])), first);
    // The line as a point. Its y - x and y + x, the next operands, are exactly twice `minus` and `plus`: at most 2^51.
    let mut points = Points {
        x: subtract(&plus, &minus),
        y: add(&plus, &minus),
        z: splat(Fe::ONE),
        t: carried(&columns(&product, &splat(MINUS_INVERSE_D), &ALONE)),
    };
    for step in steps {
        look();
        let (plus, minus, product) = load(&core::array::from_fn(|lane| step[lane].line(&group.tables[lane])), step);
        points = add_line(&points, &plus, &minus, &product);
    }
    split(&points)
}

/// Seven products. `plus`, `minus`, `product` have limbs of at most 2^50; y - x and y + x of `to` at most 2 M, z and t M.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_line(to: &Points, plus: &Four, minus: &Four, product: &Four) -> Points {
    // Limb products here: 2 M 2^50 and M 2^50.
    let a = columns(&subtract(&to.y, &to.x), minus, &ALONE);
    let b = columns(&add(&to.y, &to.x), plus, &ADDED);
    let h = carried(&add_columns(&a, &b));
    let a = carried(&a);
    // F = Z - C, where the line has -C's factor; G = Z + C = 2 Z - F; E = B - A = H - 2 A: at most 3 M each.
    let f = carried(&add_whole(&columns(&to.t, product, &WITH_NUMBER), &to.z));
    let e = twice_from(&a, &h);
    let g = twice_less(&to.z, &f);
    // Each pairs a 3 M with an M: 3 M^2 is below 2^102 - 2^51.
    Points {
        x: carried(&columns(&e, &f, &ALONE)),
        y: carried(&columns(&g, &h, &ALONE)),
        z: carried(&columns(&f, &g, &ALONE)),
        t: carried(&columns(&e, &h, &ALONE)),
    }
}

/// Products of all limbs, folded to five columns; `start` is added.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn columns(a: &Four, b: &Four, start: &[i64; 5]) -> Columns {
    let (high, both, zero) = (_mm256_set1_pd(HIGH), _mm256_set1_pd(HIGH + LOW), _mm256_setzero_si256());
    let mut column = zero;
    let mut all = [zero; 10];
    for k in 0..9 {
        // `column` holds what came up from the column below; `up` goes to the one above.
        let mut up = zero;
        for i in 0..5 {
            if i <= k && k - i < 5 {
                let (a, b) = (a[i], b[k - i]);
                let q = _mm256_fmadd_pd(a, b, high);
                let rest = _mm256_fmadd_pd(a, b, _mm256_sub_pd(both, q));
                up = _mm256_add_epi64(up, _mm256_castpd_si256(q));
                column = _mm256_add_epi64(column, _mm256_castpd_si256(rest));
            }
        }
        all[k] = column;
        column = up;
    }
    all[9] = column;
    // 2^255 = 19: 19 v = v + 2 (v + 8 v).
    core::array::from_fn(|k| {
        let upper = all[k + 5];
        let nine = _mm256_add_epi64(upper, _mm256_slli_epi64::<3>(upper));
        let nineteen = _mm256_add_epi64(upper, _mm256_slli_epi64::<1>(nine));
        _mm256_add_epi64(_mm256_add_epi64(all[k], _mm256_set1_epi64x(start[k])), nineteen)
    })
}

/// Carries all columns at once. Their size without the bias is below 2^59, so a carry is below 2^9, 19 times it below
/// 2^11, and the limbs come out at most M.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn carried(columns: &Columns) -> Four {
    let carries = columns.map(|column| _mm256_srli_epi64::<51>(column));
    let around = _mm256_mul_epu32(carries[4], _mm256_set1_epi64x(19));
    let whole = _mm256_castpd_si256(_mm256_set1_pd(WHOLE));
    // What the bias left in a limb and in the carry into it.
    let (rounding, carry) = ((1_u64 << 50) as f64, (BIAS >> 51) as f64);
    core::array::from_fn(|k| {
        let low = _mm256_or_si256(_mm256_and_si256(columns[k], _mm256_set1_epi64x(MASK)), whole);
        let (carry_in, bias) = if k == 0 { (around, 19.0 * carry) } else { (carries[k - 1], carry) };
        // Below 2^52 + 2^51 + 2^15: still one unit a whole.
        let limb = _mm256_castsi256_pd(_mm256_add_epi64(low, carry_in));
        _mm256_sub_pd(limb, _mm256_set1_pd(WHOLE + rounding + bias))
    })
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_columns(a: &Columns, b: &Columns) -> Columns {
    core::array::from_fn(|k| _mm256_add_epi64(a[k], b[k]))
}

/// Columns plus a number of limbs below 2^51; its LOW is allowed for in [`WITH_NUMBER`].
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_whole(columns: &Columns, number: &Four) -> Columns {
    let low = _mm256_set1_pd(LOW);
    core::array::from_fn(|k| _mm256_add_epi64(columns[k], _mm256_castpd_si256(_mm256_add_pd(number[k], low))))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add(a: &Four, b: &Four) -> Four {
    core::array::from_fn(|k| _mm256_add_pd(a[k], b[k]))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn subtract(a: &Four, b: &Four) -> Four {
    core::array::from_fn(|k| _mm256_sub_pd(a[k], b[k]))
}

/// b - 2 a.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn twice_from(a: &Four, b: &Four) -> Four {
    core::array::from_fn(|k| _mm256_fnmadd_pd(a[k], _mm256_set1_pd(2.0), b[k]))
}

/// 2 a - b.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn twice_less(a: &Four, b: &Four) -> Four {
    core::array::from_fn(|k| _mm256_fmsub_pd(a[k], _mm256_set1_pd(2.0), b[k]))
}

/// The three numbers of a line in each lane; those of the negative are swapped and negated.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(lines: &[&Line; LANES], picks: &[Pick; LANES]) -> (Four, Four, Four) {
    let plus = core::array::from_fn(|lane| {
        let line = lines[lane];
        if picks[lane].is_negative() { &line.minus } else { &line.plus }
    });
    let minus = core::array::from_fn(|lane| {
        let line = lines[lane];
        if picks[lane].is_negative() { &line.plus } else { &line.minus }
    });
    let sign = |lane: usize| i64::from(picks[lane].is_negative()) << 63;
    let signs = _mm256_castsi256_pd(_mm256_set_epi64x(sign(3), sign(2), sign(1), sign(0)));
    let product = limbs(&core::array::from_fn(|lane| &lines[lane].product));
    (limbs(&plus), limbs(&minus), product.map(|limb| _mm256_xor_pd(limb, signs)))
}

/// Four stored numbers as limbs from -2^50 to 2^50 - 1.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn limbs(words: &[&[u64; 4]; LANES]) -> Four {
    let half = |lane: usize, at: usize| {
        let from = words[lane].as_ptr().wrapping_add(at).cast::<__m128i>();
        // SAFETY: `at` is 0 or 2, so two of the four words are read; no alignment is asked for.
        unsafe { _mm_loadu_si128(from) }
    };
    let pair = |lane, at| _mm256_set_m128i(half(lane + 2, at), half(lane, at));
    let (a, b, c, d) = (pair(0, 0), pair(1, 0), pair(0, 2), pair(1, 2));
    let (w0, w1) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (w2, w3) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    let (mask, whole) = (_mm256_set1_epi64x(MASK), _mm256_castpd_si256(_mm256_set1_pd(WHOLE)));
    let limbs = [
        w0,
        _mm256_or_si256(_mm256_srli_epi64::<51>(w0), _mm256_slli_epi64::<13>(w1)),
        _mm256_or_si256(_mm256_srli_epi64::<38>(w1), _mm256_slli_epi64::<26>(w2)),
        _mm256_or_si256(_mm256_srli_epi64::<25>(w2), _mm256_slli_epi64::<39>(w3)),
        _mm256_srli_epi64::<12>(w3),
    ];
    let offset = _mm256_set1_pd(WHOLE + (1_u64 << 50) as f64);
    limbs.map(|limb| {
        let low = _mm256_or_si256(_mm256_and_si256(limb, mask), whole);
        _mm256_sub_pd(_mm256_castsi256_pd(low), offset)
    })
}

/// One number in all lanes, limbs at most 2^50.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn splat(number: Fe) -> Four {
    let stored = number.add(OFFSET).to_words();
    limbs(&[&stored; LANES])
}

/// The points, lane by lane; limbs below 2^53.
#[target_feature(enable = "avx2,fma")]
fn split(points: &Points) -> [Extended; LANES] {
    let [x, y, z, t] = [&points.x, &points.y, &points.z, &points.t].map(|number| number.map(|limb| lanes(limb)));
    core::array::from_fn(|lane| {
        let [x, y, z, t] = [x, y, z, t].map(|number| Fe::from_signed(number.map(|limb| limb[lane] as i64)));
        Extended { x, y, z, t }
    })
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn lanes(limb: __m256d) -> [f64; LANES] {
    let mut out = [0.0; LANES];
    // SAFETY: `out` has the 32 octets that are written; no alignment is asked for.
    unsafe { _mm256_storeu_pd(out.as_mut_ptr(), limb) };
    out
}
