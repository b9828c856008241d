//! Field elements in limbs of 30 bits, four side by side, and the constants of the kernels in that form.

use super::field::P;
use super::words::{self, Words};

/// Limbs of an element.
pub(super) const LIMBS: usize = 13;

/// The bits of a limb.
pub(super) const MASK: u64 = (1 << 30) - 1;

/// Four elements: `limbs[i][lane]`.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limbs(pub(super) [[u64; 4]; LIMBS]);

/// What the subtracted limbs cannot exceed: 2^30 + 2^6, and room for what folding takes from limb 1.
pub(super) const LEAST: u64 = (1 << 30) + (1 << 12);

/// What the assembly reads, each constant four times. Offsets are in vectors of 32 octets.
#[repr(C, align(32))]
pub(super) struct Constants {
    /// 0: the low 30 bits.
    mask: [u64; 4],
    /// 1: the low 24 bits; those of the top limb below 2^384.
    mask_top: [u64; 4],
    /// 2 to 15: for limbs 3 to 16.
    bias: [[u64; 4]; 14],
    /// 16 to 28: 4 p in limbs that none to be subtracted exceeds, and the last four of `bias`.
    less_one: [[u64; 4]; 13],
    /// 29 to 41: the same with 12 p, for two subtractions of which one is twice as large.
    less_two: [[u64; 4]; 13],
}

pub(super) static CONSTANTS: Constants = {
    let four = multiple(4, LEAST);
    let (mut less_one, mut less_two) = ([[0; 4]; 13], [[0; 4]; 13]);
    let mut i = 0;
    while i < LIMBS {
        let bias = if i < 4 { BIAS[i + 10] } else { 0 };
        less_one[i] = [four[i] + bias; 4];
        less_two[i] = [3 * four[i] + bias; 4];
        i += 1;
    }
    let mut bias = [[0; 4]; 14];
    let mut i = 0;
    while i < 14 {
        bias[i] = [BIAS[i]; 4];
        i += 1;
    }
    Constants { mask: [MASK; 4], mask_top: [(1 << 24) - 1; 4], bias, less_one, less_two }
};

/// Limbs 3 to 16 of a multiple of p, each from 2^39 to 2^39 + 2^30: 2^39 in each, and what is missing to the next
/// multiple, which is below p. As a part of the result it counts 2^90 2^(39 + 390 + 1) / R = 2^130.
const BIAS: [u64; 14] = {
    // 2^39 (1 + 2^30 + .. + 2^390) modulo p.
    let (mut sum, mut power) = ([0u64; 6], words::power_of_two(39, &P));
    let mut i = 0;
    while i < 14 {
        sum = words::add_mod(&sum, &power, &P);
        let mut doubled = 0;
        while doubled < 30 {
            power = words::add_mod(&power, &power, &P);
            doubled += 1;
        }
        i += 1;
    }
    let missing = split(&words::sub_mod(&[0; 6], &sum, &P));
    let mut bias = [1 << 39; 14];
    let mut i = 0;
    while i < LIMBS {
        bias[i] += missing[i];
        i += 1;
    }
    bias
};

/// A number below 2^384 as limbs of 30 bits.
pub(super) const fn split(words: &Words) -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (word, shift) = (30 * i / 64, 30 * i % 64);
        limbs[i] = words[word] >> shift;
        if shift > 34 && word < 5 {
            limbs[i] |= words[word + 1] << (64 - shift);
        }
        limbs[i] &= MASK;
        i += 1;
    }
    limbs
}

/// `times * p` in limbs of which all but the top one are at least `least`, and at most 2^30 more. `times` is below 64.
pub(super) const fn multiple(times: u64, least: u64) -> [u64; LIMBS] {
    let mut limbs = split(&P);
    let (mut carry, mut lent, mut i) = (0, 0, 0);
    while i < LIMBS {
        let sum = times * limbs[i] + carry;
        if i == LIMBS - 1 {
            limbs[i] = sum - lent;
            break;
        }
        carry = sum >> 30;
        let (low, mut borrowed) = (sum & MASK, 1);
        while low + (borrowed << 30) - lent < least {
            borrowed += 1;
        }
        limbs[i] = low + (borrowed << 30) - lent;
        lent = borrowed;
        i += 1;
    }
    limbs
}
