//! Numbers modulo p in vectors, four side by side, and the constants of their product.
//!
//! A number is five limbs of 51 bits, each a whole number with its sign, held in an f64 as limb * 2^-51. The product of
//! two limbs has up to 102 bits; two fused multiply-adds split it exactly: the first, added to 3, leaves in its low
//! bits q = product / 2^51, rounded; the second gives product - q 2^51, added to 1.5 * 2^-50. Both have a whole number
//! in the low bits of the f64, so columns are summed as 64-bit integers, and the constant upper parts are taken from
//! the sum at once. That is five instructions a limb product, against two on 29-bit limbs, but 25 of them instead of
//! 81; and sums and differences of numbers are five instructions without a carry.
//!
//! M = 2^50 + 2^11 bounds the limbs of every result. A product needs its limbs' products below 2^102 - 2^51, so that
//! the first multiply-add stays within [2, 4): 3 M by M, and 2 M by 2^50, are below.
//! # Source
//! Emmart, Zheng, Weems: "Faster Modular Exponentiation Using Double Precision Floating Point Arithmetic on the GPU"
//! (2018) for the split.

use super::sum::LANES;

/// A limb in each lane.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Limb(pub(super) [f64; LANES]);

/// A number in each lane.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Four(pub(super) [Limb; 5]);

impl Four {
    pub(super) const ZERO: Self = Self([Limb([0.0; LANES]); 5]);
}

/// Five columns of 64-bit integers in each lane.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Columns(pub(super) [[u64; LANES]; 5]);

impl Columns {
    pub(super) const ZERO: Self = Self([[0; LANES]; 5]);
}

/// 2^-51: a limb's unit.
pub(super) const UNIT: f64 = 1.0 / (1_u64 << 51) as f64;
/// A unit in its last place is 2^-51: a product's high part, or a limb, is a whole number there.
pub(super) const HIGH: f64 = 3.0;
/// 1.5 * 2^-50: a unit in its last place is 2^-102.
const LOW: f64 = 3.0 * UNIT;
/// Exponent of [2, 4) in a column: bit 62 alone.
const EXPONENT: u64 = 1 << 62;
/// What keeps a column positive: more than its size, and half of 2^51, to round instead of cutting off. With the
/// exponent, and below 2^63 together with any column.
const BIAS: u64 = EXPONENT + (1 << 60) + (1 << 50);
/// The low 51 bits, and the exponent, which are the limb as an f64: 2 plus its value. Bits 51 to 61 are the carry.
const KEEP: u64 = EXPONENT | ((1 << 51) - 1);

/// What each column begins with, so that only `bias` is left of the constant parts of a product and of `wholes` numbers
/// added to HIGH.
const fn start(bias: u64, wholes: u64) -> Columns {
    let mut out = Columns::ZERO;
    let mut k = 0;
    while k < 5 {
        // Limb products with i + j = k, k + 1 of them, and with i + j = k + 5, 4 - k; q goes one column up.
        let (lows, highs) = (k as u64 + 1 + 19 * (4 - k as u64), k as u64 + 19 * (5 - k as u64));
        let each = lows.wrapping_mul(LOW.to_bits()).wrapping_add(highs.wrapping_mul(HIGH.to_bits()));
        let all = each.wrapping_add(HIGH.to_bits().wrapping_mul(wholes));
        out.0[k] = [bias.wrapping_sub(all); LANES];
        k += 1;
    }
    out
}

/// Constants of the kernel, in the order that its addresses know.
#[repr(C, align(64))]
pub(super) struct Constants {
    high: [f64; LANES],
    both: [f64; LANES],
    keep: [u64; LANES],
    nineteen: [u64; LANES],
    /// What is too much in limb 0 and in the others: the exponent's 2, the rounding, and the bias of the carry in.
    excess: [[f64; LANES]; 2],
}

pub(super) static CONSTANTS: Constants = {
    let (whole, rounding, carry) = ((1_u64 << 52) as f64, (1_u64 << 50) as f64, (BIAS >> 51) as f64);
    Constants {
        high: [HIGH; LANES],
        both: [HIGH + LOW; LANES],
        keep: [KEEP; LANES],
        nineteen: [19; LANES],
        excess: [[(whole + rounding + 19.0 * carry) * UNIT; LANES], [(whole + rounding + carry) * UNIT; LANES]],
    }
};

pub(super) static ONE_PRODUCT: Columns = start(BIAS, 0);
/// For a product added to columns that have their bias.
pub(super) static ANOTHER_PRODUCT: Columns = start(0, 0);
pub(super) static PRODUCT_AND_NUMBER: Columns = start(BIAS, 1);
