//! Products of four field elements at once: assembly for AVX2.
//!
//! Operand scanning: thirteen accumulators of 64 bits stay in ymm0 to ymm12, and row i adds `a b[i]`, then one step of
//! Montgomery's reduction with 30 bits. Written by hand because compilers spill the accumulators. What an accumulator
//! was called before a step, its neighbour is called after it; so the rows differ in the order of their registers.
//!
//! The step: -1/p is 1 modulo 2^32, so m is just the low 30 bits of the lowest accumulator, and t + m p is
//! t - m + m (2^384 - 2^128 - 2^96 + 2^32). In limbs of 30 bits: the lowest is left with its carry; 4 m goes to limb 1,
//! 2^24 m to limb 12, and -2^6 m to limb 3, -2^8 m to limb 4. The last two are taken together with those of the
//! neighbouring step: limb 3 of step i gets `-2^6 (m[i] + 4 m[i-1])`.
//!
//! Bounds. Limbs of the factors are at most 2^30 + 2^6, so thirteen products are below 13 (2^60 + 2^37) + 2^13; the terms of
//! m add at most 2^54 + 2^33, carries 2^34, the constants 2^40: below 14 * 2^60 < 2^64. The terms subtracted from limbs 3 to 16
//! are below 2^6 (2^30 + 2^32) < 2^39, and a multiple of p with 2^39 and more in each of those limbs is added first
//! ([`super::limbs`]), so no limb is negative when it is carried.
//! With factors below 8 p the result is at most (64 p^2 + R p + 2^131 R) / R <= 2 p + 2^131, where R = 2^390.
#![allow(unsafe_code, reason = "assembly kernels; held to the scalar twin by tests")]

use super::limbs::{CONSTANTS, Limbs};
use core::arch::asm;

/// `to = a operation b`, all of them registers.
macro_rules! op {
    ($operation:literal $to:literal $a:literal $b:literal) => {
        concat!($operation, " ymm", $to, ", ymm", $a, ", ymm", $b, "\n")
    };
}

/// `to = a shifted by bits`.
macro_rules! shift {
    ($operation:literal $to:literal $a:literal $bits:literal) => {
        concat!($operation, " ymm", $to, ", ymm", $a, ", ", $bits, "\n")
    };
}

/// `to = a operation` vector `at` of an operand.
macro_rules! with {
    ($operation:literal $to:literal $a:literal $operand:literal $at:literal) => {
        concat!($operation, " ymm", $to, ", ymm", $a, ", [{", $operand, "} + 32*(", $at, ")]\n")
    };
}

/// Adds ymm13 times limb `$j` of a to an accumulator.
macro_rules! product {
    ($acc:literal, $j:literal) => {
        concat!(with!("vpmuludq" 14 13 "a" $j), op!("vpaddq" $acc $acc 14))
    };
}

/// The first time an accumulator is used, it is set.
macro_rules! first_product {
    ($acc:literal, $j:literal) => {
        with!("vpmuludq" $acc 13 "a" $j)
    };
}

/// Sets an accumulator for limb `$j` (3 to 12) to its bias (constant j - 1) and a product.
macro_rules! biased_product {
    ($acc:literal, $j:literal) => {
        concat!(first_product!($acc, $j), "vpaddq ymm", $acc, ", ymm", $acc, ", [{k} + 32*(", $j, " - 1)]\n")
    };
}

/// The reduction step: the lowest accumulator, and those of limbs 1, 3 and 12. ymm15 holds 4 m of the step before.
macro_rules! step {
    ($r0:literal, $r1:literal, $r3:literal, $r12:literal) => {
        concat!(
            with!("vpand" 13 $r0 "k" 0),
            shift!("vpsrlq" $r0 $r0 30),
            op!("vpaddq" $r1 $r1 $r0),
            op!("vpaddq" 14 15 13),
            shift!("vpsllq" 15 13 2),
            op!("vpaddq" $r1 $r1 15),
            shift!("vpsllq" 14 14 6),
            op!("vpsubq" $r3 $r3 14),
            shift!("vpsllq" 13 13 24),
            op!("vpaddq" $r12 $r12 13),
        )
    };
}

/// Row `$i` of a product, from the second on.
macro_rules! row {
    ($i:literal: $r0:literal $r1:literal $r2:literal $r3:literal $r4:literal $r5:literal $r6:literal $r7:literal
     $r8:literal $r9:literal $r10:literal $r11:literal $r12:literal) => {
        concat!(
            "vmovdqa ymm13, [{b} + 32*",
            $i,
            "]\n",
            product!($r0, 0),
            product!($r1, 1),
            product!($r2, 2),
            product!($r3, 3),
            product!($r4, 4),
            product!($r5, 5),
            product!($r6, 6),
            product!($r7, 7),
            product!($r8, 8),
            product!($r9, 9),
            product!($r10, 10),
            product!($r11, 11),
            first_product!($r12, 12),
            step!($r0, $r1, $r3, $r12),
        )
    };
}

/// Row `$i` of a square: `a[i]^2` to limb i, then `2 a[i] a[j]` to limb j, the last of them the first time. The accumulators
/// of the step come first.
macro_rules! square_row {
    ($i:literal: $r0:literal $r1:literal $r3:literal $r12:literal; $diagonal:literal; $(($acc:literal $j:literal))*) => {
        concat!(
            "vmovdqa ymm13, [{a} + 32*", $i, "]\n",
            op!("vpmuludq" 14 13 13),
            op!("vpaddq" $diagonal $diagonal 14),
            op!("vpaddq" 13 13 13),
            $(product!($acc, $j),)*
            first_product!($r12, 12),
            step!($r0, $r1, $r3, $r12),
        )
    };
}

/// Moves what exceeds 30 bits to the next limb. ymm15 is the mask.
macro_rules! carry {
    ($from:literal, $to:literal) => {
        concat!(shift!("vpsrlq" 13 $from 30), op!("vpand" $from $from 15), op!("vpaddq" $to $to 13))
    };
}

/// Adds to accumulator `$j` the constant for subtraction (`$from`: where the thirteen begin), less limb `$j` of each operand.
macro_rules! subtract {
    (all $from:literal, $operands:tt) => {
        concat!(
            subtract!(0, $from, $operands), subtract!(1, $from, $operands), subtract!(2, $from, $operands),
            subtract!(3, $from, $operands), subtract!(4, $from, $operands), subtract!(5, $from, $operands),
            subtract!(6, $from, $operands), subtract!(7, $from, $operands), subtract!(8, $from, $operands),
            subtract!(9, $from, $operands), subtract!(10, $from, $operands), subtract!(11, $from, $operands),
            subtract!(12, $from, $operands),
        )
    };
    ($j:literal, $from:literal, [$($operand:literal)*]) => {
        concat!(
            "vpaddq ymm", $j, ", ymm", $j, ", [{k} + 32*(", $from, " + ", $j, ")]\n",
            $(with!("vpsubq" $j $j $operand $j),)*
        )
    };
}

/// The first row of a product or a square: its first operand, how later limbs begin, and the step with no m before.
macro_rules! rows {
    (product) => {
        concat!(
            "vpxor xmm15, xmm15, xmm15\n",
            "vmovdqa ymm13, [{b}]\n",
            first_product!(0, 0), first_product!(1, 1), first_product!(2, 2), biased_product!(3, 3),
            biased_product!(4, 4), biased_product!(5, 5), biased_product!(6, 6), biased_product!(7, 7),
            biased_product!(8, 8), biased_product!(9, 9), biased_product!(10, 10), biased_product!(11, 11),
            biased_product!(12, 12),
            step!(0, 1, 3, 12),
            row!(1: 1 2 3 4 5 6 7 8 9 10 11 12 0),
            row!(2: 2 3 4 5 6 7 8 9 10 11 12 0 1),
            row!(3: 3 4 5 6 7 8 9 10 11 12 0 1 2),
            row!(4: 4 5 6 7 8 9 10 11 12 0 1 2 3),
            row!(5: 5 6 7 8 9 10 11 12 0 1 2 3 4),
            row!(6: 6 7 8 9 10 11 12 0 1 2 3 4 5),
            row!(7: 7 8 9 10 11 12 0 1 2 3 4 5 6),
            row!(8: 8 9 10 11 12 0 1 2 3 4 5 6 7),
            row!(9: 9 10 11 12 0 1 2 3 4 5 6 7 8),
            row!(10: 10 11 12 0 1 2 3 4 5 6 7 8 9),
            row!(11: 11 12 0 1 2 3 4 5 6 7 8 9 10),
            row!(12: 12 0 1 2 3 4 5 6 7 8 9 10 11),
            last_term!(),
        )
    };
    (square) => {
        concat!(
            "vpxor xmm15, xmm15, xmm15\n",
            "vmovdqa ymm13, [{a}]\n",
            op!("vpmuludq" 0 13 13),
            op!("vpaddq" 13 13 13),
            first_product!(1, 1), first_product!(2, 2), biased_product!(3, 3),
            biased_product!(4, 4), biased_product!(5, 5), biased_product!(6, 6), biased_product!(7, 7),
            biased_product!(8, 8), biased_product!(9, 9), biased_product!(10, 10), biased_product!(11, 11),
            biased_product!(12, 12),
            step!(0, 1, 3, 12),
            square_row!(1: 1 2 4 0; 2; (3 2) (4 3) (5 4) (6 5) (7 6) (8 7) (9 8) (10 9) (11 10) (12 11)),
            square_row!(2: 2 3 5 1; 4; (5 3) (6 4) (7 5) (8 6) (9 7) (10 8) (11 9) (12 10) (0 11)),
            square_row!(3: 3 4 6 2; 6; (7 4) (8 5) (9 6) (10 7) (11 8) (12 9) (0 10) (1 11)),
            square_row!(4: 4 5 7 3; 8; (9 5) (10 6) (11 7) (12 8) (0 9) (1 10) (2 11)),
            square_row!(5: 5 6 8 4; 10; (11 6) (12 7) (0 8) (1 9) (2 10) (3 11)),
            square_row!(6: 6 7 9 5; 12; (0 7) (1 8) (2 9) (3 10) (4 11)),
            square_row!(7: 7 8 10 6; 1; (2 8) (3 9) (4 10) (5 11)),
            square_row!(8: 8 9 11 7; 3; (4 9) (5 10) (6 11)),
            square_row!(9: 9 10 12 8; 5; (6 10) (7 11)),
            square_row!(10: 10 11 0 9; 7; (8 11)),
            square_row!(11: 11 12 1 10; 9;),
            "vmovdqa ymm13, [{a} + 32*12]\n",
            op!("vpmuludq" 11 13 13),
            step!(12, 0, 2, 11),
            last_term!(),
        )
    };
}

/// What the last m still takes from limb 3 of the result; the freed accumulator becomes its top limb.
macro_rules! last_term {
    () => {
        concat!(shift!("vpsllq" 15 15 6), op!("vpsubq" 3 3 15), "vpxor xmm12, xmm12, xmm12\n")
    };
}

/// Carries and stores the result. Two chains, limbs 6 to 12 and 0 to 6, so that few carries wait for each other; limb 7
/// may keep 2^5 more than 30 bits. `folded` first brings what the upper chain carried beyond 2^384 back to the lower
/// limbs, as 2^128 + 2^96 - 2^32 + 1: the result is then below 2^384 + 2^230. Values are below 14 p, so what is beyond is
/// below 2^4; limb 1 needs 2^6 for it and has them from [`super::limbs::LEAST`].
macro_rules! finish {
    (plain) => {
        concat!("vmovdqa ymm15, [{k}]\n", finish!(upper), finish!(lower))
    };
    (folded) => {
        concat!(
            "vmovdqa ymm15, [{k}]\n",
            finish!(upper),
            shift!("vpsrlq" 13 12 24),
            with!("vpand" 12 12 "k" 1),
            op!("vpaddq" 0 0 13),
            shift!("vpsllq" 14 13 2),
            op!("vpsubq" 1 1 14),
            shift!("vpsllq" 14 13 6),
            op!("vpaddq" 3 3 14),
            shift!("vpsllq" 14 13 8),
            op!("vpaddq" 4 4 14),
            finish!(lower),
        )
    };
    (upper) => {
        concat!(carry!(6, 7), carry!(7, 8), carry!(8, 9), carry!(9, 10), carry!(10, 11), carry!(11, 12))
    };
    (lower) => {
        concat!(
            carry!(0, 1), carry!(1, 2), carry!(2, 3), carry!(3, 4), carry!(4, 5), carry!(5, 6), carry!(6, 7),
            finish!(store 0), finish!(store 1), finish!(store 2), finish!(store 3), finish!(store 4),
            finish!(store 5), finish!(store 6), finish!(store 7), finish!(store 8), finish!(store 9),
            finish!(store 10), finish!(store 11), finish!(store 12),
            // Else the SSE code that follows waits: 150 cycles at each change were seen on Zen 3.
            "vzeroupper\n",
        )
    };
    (store $j:literal) => {
        concat!("vmovdqa [{out} + 32*", $j, "], ymm", $j, "\n")
    };
}

/// The bias of limbs 13 to 16, now the lowest four.
macro_rules! finish_bias {
    () => {
        concat!(
            with!("vpaddq" 0 0 "k" 12), with!("vpaddq" 1 1 "k" 13),
            with!("vpaddq" 2 2 "k" 14), with!("vpaddq" 3 3 "k" 15),
        )
    };
}

/// One function of the assembly: its operands in order, and its text.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident($($operand:ident),*) $($text:expr),*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has AVX2. All point to limbs that may be read, and `out` to limbs that may be written; they may be
        /// the same.
        #[inline(never)]
        pub(super) unsafe fn $name(out: *mut Limbs, $($operand: *const Limbs),*) {
            // SAFETY: the text reads the thirteen vectors of each operand and the 42 of CONSTANTS, all aligned to 32 octets
            // by their types, then writes the thirteen of `out`; it uses no stack and names every register it changes.
            unsafe {
                asm!(
                    $($text,)*
                    $($operand = in(reg) $operand,)*
                    k = in(reg) &raw const CONSTANTS,
                    out = in(reg) out,
                    out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
                    out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                    out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                    options(nostack, preserves_flags),
                );
            }
        }
    };
}

kernel! {
    /// `a * b`. Factors below 8 p, their limbs at most 2^30 + 2^6; so are the result's, which is at most 2 p + 2^131.
    mul(a, b) rows!(product), finish_bias!(), finish!(plain)
}
kernel! {
    /// `a * b - y`. Factors as for [`mul`]; y as its result. The result is below 2^384 + 2^230.
    mul_sub(a, b, y) rows!(product), subtract!(all 16, ["y"]), finish!(folded)
}
kernel! {
    /// `a * a`. As [`mul`].
    sqr(a) rows!(square), finish_bias!(), finish!(plain)
}
kernel! {
    /// `a * a - x - y`. As [`mul_sub`]; y as the result of [`mul`], x as that or twice that.
    sqr_sub(a, x, y) rows!(square), subtract!(all 29, ["x" "y"]), finish!(folded)
}
