//! Products of four elements at a time on AVX2: the only assembly of P-256.
//!
//! An element lies in nine limbs of 29 bits, one vector a limb, one element a 64-bit lane. Values are in Montgomery form
//! with R = 2^261. A product is made row by row ("operand scanning"): row i adds a_i b to nine column registers, then
//! clears the lowest column and drops it, so that all columns stay in registers. p is -1 modulo 2^96, so what clears a
//! column is its own low 29 bits m, and nothing has to be computed for it:
//!
//! m p = -m + m 2^9 B^3 + m 2^18 B^6 + m (2^29 - 2^21) B^7 + m (2^24 - 1) B^8, with B = 2^29.
//!
//! The last two terms are -m 2^224 + m 2^256 written so that no column is ever decreased: columns are unsigned.
//!
//! | operand | limbs | value |
//! |---|---|---|
//! | product: result of a kernel, or read from a table | < 2^29, the last < 2^27 | < 4.2 p |
//! | difference | < 2^31 + 2^29, the last < 2^29 | < 20.2 p |
//!
//! A column is below 9 2^29 (2^31 + 2^29) + 2^59 < 2^63.6. A product a b / R of values below x p and y p is below
//! (x y / 32 + 1) p, since p < 2^256 and R = 2^261; what is subtracted from it adds at most 1.01 p.
//!
//! So in a level of the tree, with 2.1 p for x and 3 p for y, the running product stays below 2.4 p, a slope below 1.7 p, and
//! the sum has 2.1 p and 3 p again. In additions one by one x stays below 2.5 p, r below 3.7 p, y below 4 p.
#![allow(unsafe_code, reason = "assembly kernels; tests hold each to its scalar twin")]

use core::arch::asm;

/// Four elements: limb by limb, lane by lane.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limbs(pub(super) [[u64; 4]; 9]);

/// Constants, each in all four lanes.
#[repr(C, align(32))]
struct Constants([[u64; 4]; 8]);

static CONSTANTS: Constants = Constants([
    [(1 << 29) - 1; 4],         // 0: mask of a limb
    [(1 << 29) - (1 << 21); 4], // 32: limb 7 of p
    [(1 << 24) - 1; 4],         // 64: limb 8 of p
    [1 << 35; 4],               // 96: what limb 0 lends to what is subtracted from it
    [(1 << 35) - (1 << 6); 4],  // 128: limbs 1 to 7 lend, and pay for the limb below
    [1 << 6; 4],                // 160: limb 8 pays
    [(1 << 24) + 1; 4],         // 192: to the quotient of one subtrahend
    [(1 << 24) + 3; 4],         // 224: to the quotient of the sum of two, one of them doubled
]);

/// a_i (in ymm9) times limb `at` of b, into column `r` by way of `t`.
macro_rules! mac {
    ($r:literal, $t:literal, $at:literal) => {
        concat!(
            "vpmuludq ymm",
            $t,
            ", ymm9, ymmword ptr [{b} + ",
            $at,
            "]\n",
            "vpaddq ymm",
            $r,
            ", ymm",
            $r,
            ", ymm",
            $t,
            "\n",
        )
    };
}

/// Clears column `r0`: nothing of it is left but what it carries into `r1`.
macro_rules! reduce {
    ($r0:literal $r1:literal $r3:literal $r6:literal $r7:literal $r8:literal) => {
        concat!(
            "vpand ymm14, ymm",
            $r0,
            ", ymm15\n",
            "vpsrlq ymm",
            $r0,
            ", ymm",
            $r0,
            ", 29\n",
            "vpaddq ymm",
            $r1,
            ", ymm",
            $r1,
            ", ymm",
            $r0,
            "\n",
            "vpmuludq ymm12, ymm14, ymmword ptr [{c} + 32]\n",
            "vpsllq ymm10, ymm14, 9\n",
            "vpaddq ymm",
            $r3,
            ", ymm",
            $r3,
            ", ymm10\n",
            "vpmuludq ymm13, ymm14, ymmword ptr [{c} + 64]\n",
            "vpsllq ymm11, ymm14, 18\n",
            "vpaddq ymm",
            $r6,
            ", ymm",
            $r6,
            ", ymm11\n",
            "vpaddq ymm",
            $r7,
            ", ymm",
            $r7,
            ", ymm12\n",
            "vpaddq ymm",
            $r8,
            ", ymm",
            $r8,
            ", ymm13\n",
        )
    };
}

/// Row `i` of a product, `i` from 1; the register that the row before cleared is the column at the top.
macro_rules! row {
    ($a:literal: $r0:literal $r1:literal $r2:literal $r3:literal $r4:literal $r5:literal $r6:literal $r7:literal
     $r8:literal) => {
        concat!(
            "vmovdqa ymm9, ymmword ptr [{a} + ", $a, "]\n",
            mac!($r0, "10", "0"),
            mac!($r1, "11", "32"),
            mac!($r2, "12", "64"),
            mac!($r3, "13", "96"),
            mac!($r4, "10", "128"),
            mac!($r5, "11", "160"),
            mac!($r6, "12", "192"),
            mac!($r7, "13", "224"),
            "vpmuludq ymm", $r8, ", ymm9, ymmword ptr [{b} + 256]\n",
            reduce!($r0 $r1 $r3 $r6 $r7 $r8),
        )
    };
}

/// The rows of a b; columns 9 to 16 are then in ymm0 to ymm7.
macro_rules! product {
    () => {
        concat!(
            "vmovdqa ymm15, ymmword ptr [{c}]\n",
            "vmovdqa ymm9, ymmword ptr [{a}]\n",
            "vpmuludq ymm0, ymm9, ymmword ptr [{b}]\n",
            "vpmuludq ymm1, ymm9, ymmword ptr [{b} + 32]\n",
            "vpmuludq ymm2, ymm9, ymmword ptr [{b} + 64]\n",
            "vpmuludq ymm3, ymm9, ymmword ptr [{b} + 96]\n",
            "vpmuludq ymm4, ymm9, ymmword ptr [{b} + 128]\n",
            "vpmuludq ymm5, ymm9, ymmword ptr [{b} + 160]\n",
            "vpmuludq ymm6, ymm9, ymmword ptr [{b} + 192]\n",
            "vpmuludq ymm7, ymm9, ymmword ptr [{b} + 224]\n",
            "vpmuludq ymm8, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("0" "1" "3" "6" "7" "8"),
            row!("32": "1" "2" "3" "4" "5" "6" "7" "8" "0"),
            row!("64": "2" "3" "4" "5" "6" "7" "8" "0" "1"),
            row!("96": "3" "4" "5" "6" "7" "8" "0" "1" "2"),
            row!("128": "4" "5" "6" "7" "8" "0" "1" "2" "3"),
            row!("160": "5" "6" "7" "8" "0" "1" "2" "3" "4"),
            row!("192": "6" "7" "8" "0" "1" "2" "3" "4" "5"),
            row!("224": "7" "8" "0" "1" "2" "3" "4" "5" "6"),
            row!("256": "8" "0" "1" "2" "3" "4" "5" "6" "7"),
        )
    };
}

/// The rows of a a: a_i times itself, and twice a_i times the limbs above it. Column i + j is register (i + j) modulo 9.
macro_rules! square {
    () => {
        concat!(
            "vmovdqa ymm15, ymmword ptr [{c}]\n",
            "vmovdqa ymm9, ymmword ptr [{b}]\n",
            "vpmuludq ymm0, ymm9, ymm9\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            "vpmuludq ymm1, ymm9, ymmword ptr [{b} + 32]\n",
            "vpmuludq ymm2, ymm9, ymmword ptr [{b} + 64]\n",
            "vpmuludq ymm3, ymm9, ymmword ptr [{b} + 96]\n",
            "vpmuludq ymm4, ymm9, ymmword ptr [{b} + 128]\n",
            "vpmuludq ymm5, ymm9, ymmword ptr [{b} + 160]\n",
            "vpmuludq ymm6, ymm9, ymmword ptr [{b} + 192]\n",
            "vpmuludq ymm7, ymm9, ymmword ptr [{b} + 224]\n",
            "vpmuludq ymm8, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("0" "1" "3" "6" "7" "8"),
            "vmovdqa ymm9, ymmword ptr [{b} + 32]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm2, ymm2, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("3", "12", "64"),
            mac!("4", "13", "96"),
            mac!("5", "10", "128"),
            mac!("6", "11", "160"),
            mac!("7", "12", "192"),
            mac!("8", "13", "224"),
            "vpmuludq ymm0, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("1" "2" "4" "7" "8" "0"),
            "vmovdqa ymm9, ymmword ptr [{b} + 64]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm4, ymm4, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("5", "13", "96"),
            mac!("6", "10", "128"),
            mac!("7", "11", "160"),
            mac!("8", "12", "192"),
            mac!("0", "13", "224"),
            "vpmuludq ymm1, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("2" "3" "5" "8" "0" "1"),
            "vmovdqa ymm9, ymmword ptr [{b} + 96]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm6, ymm6, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("7", "10", "128"),
            mac!("8", "11", "160"),
            mac!("0", "12", "192"),
            mac!("1", "13", "224"),
            "vpmuludq ymm2, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("3" "4" "6" "0" "1" "2"),
            "vmovdqa ymm9, ymmword ptr [{b} + 128]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm8, ymm8, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("0", "11", "160"),
            mac!("1", "12", "192"),
            mac!("2", "13", "224"),
            "vpmuludq ymm3, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("4" "5" "7" "1" "2" "3"),
            "vmovdqa ymm9, ymmword ptr [{b} + 160]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm1, ymm1, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("2", "12", "192"),
            mac!("3", "13", "224"),
            "vpmuludq ymm4, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("5" "6" "8" "2" "3" "4"),
            "vmovdqa ymm9, ymmword ptr [{b} + 192]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm3, ymm3, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            mac!("4", "13", "224"),
            "vpmuludq ymm5, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("6" "7" "0" "3" "4" "5"),
            "vmovdqa ymm9, ymmword ptr [{b} + 224]\n",
            "vpmuludq ymm10, ymm9, ymm9\n",
            "vpaddq ymm5, ymm5, ymm10\n",
            "vpaddq ymm9, ymm9, ymm9\n",
            "vpmuludq ymm6, ymm9, ymmword ptr [{b} + 256]\n",
            reduce!("7" "8" "1" "4" "5" "6"),
            "vmovdqa ymm9, ymmword ptr [{b} + 256]\n",
            "vpmuludq ymm7, ymm9, ymm9\n",
            reduce!("8" "0" "2" "5" "6" "7"),
        )
    };
}

/// Brings column `r` below 2^29 and stores it as limb `at`.
macro_rules! carry {
    ($r:literal $next:literal, $at:literal) => {
        concat!(
            "vpsrlq ymm10, ymm",
            $r,
            ", 29\n",
            "vpand ymm",
            $r,
            ", ymm",
            $r,
            ", ymm15\n",
            "vpaddq ymm",
            $next,
            ", ymm",
            $next,
            ", ymm10\n",
            "vmovdqa ymmword ptr [{out} + ",
            $at,
            "], ymm",
            $r,
            "\n",
        )
    };
}

macro_rules! carries {
    () => {
        concat!(
            carry!("0" "1", "0"),
            carry!("1" "2", "32"),
            carry!("2" "3", "64"),
            carry!("3" "4", "96"),
            carry!("4" "5", "128"),
            carry!("5" "6", "160"),
            carry!("6" "7", "192"),
        )
    };
}

/// Carries where nothing is in limb 8 yet.
macro_rules! finish {
    () => {
        concat!(
            carries!(),
            "vpsrlq ymm8, ymm7, 29\n",
            "vpand ymm7, ymm7, ymm15\n",
            "vmovdqa ymmword ptr [{out} + 224], ymm7\n",
            "vmovdqa ymmword ptr [{out} + 256], ymm8\n",
        )
    };
}

/// Takes limb `at` of the subtrahend from column `r`, which is lent ymm14.
macro_rules! take {
    ($r:literal, $subtrahend:literal) => {
        concat!("vpaddq ymm", $r, ", ymm", $r, ", ymm14\n", "vpsubq ymm", $r, ", ymm", $r, ", ", $subtrahend, "\n",)
    };
}

/// Adds q p for the q in ymm13, subtracts limb 8 of the subtrahend (in ymm9), and carries.
///
/// q is the subtrahend over 2^256, rounded up, and one for its limbs below the last: q p exceeds it by less than 1.01 p.
macro_rules! quotient {
    () => {
        concat!(
            "vpsubq ymm0, ymm0, ymm13\n",
            "vpsllq ymm10, ymm13, 9\n",
            "vpaddq ymm3, ymm3, ymm10\n",
            "vpsllq ymm11, ymm13, 18\n",
            "vpaddq ymm6, ymm6, ymm11\n",
            "vpsllq ymm12, ymm13, 21\n",
            "vpsubq ymm7, ymm7, ymm12\n",
            "vpsllq ymm8, ymm13, 24\n",
            "vpsubq ymm8, ymm8, ymm9\n",
            "vpsubq ymm8, ymm8, ymmword ptr [{c} + 160]\n",
            carries!(),
            carry!("7" "8", "224"),
            "vmovdqa ymmword ptr [{out} + 256], ymm8\n",
        )
    };
}

/// Subtracts the element at {y}.
macro_rules! less_one {
    () => {
        concat!(
            "vmovdqa ymm9, ymmword ptr [{y} + 256]\n",
            "vpaddq ymm13, ymm9, ymmword ptr [{c} + 192]\n",
            "vpsrlq ymm13, ymm13, 24\n",
            "vmovdqa ymm14, ymmword ptr [{c} + 96]\n",
            take!("0", "ymmword ptr [{y}]"),
            "vmovdqa ymm14, ymmword ptr [{c} + 128]\n",
            take!("1", "ymmword ptr [{y} + 32]"),
            take!("2", "ymmword ptr [{y} + 64]"),
            take!("3", "ymmword ptr [{y} + 96]"),
            take!("4", "ymmword ptr [{y} + 128]"),
            take!("5", "ymmword ptr [{y} + 160]"),
            take!("6", "ymmword ptr [{y} + 192]"),
            take!("7", "ymmword ptr [{y} + 224]"),
            quotient!(),
        )
    };
}

/// Limb `at` of the sum of the two elements, in ymm`t`.
macro_rules! both {
    ($t:literal, $at:literal) => {
        concat!(
            "vmovdqa ymm",
            $t,
            ", ymmword ptr [{y} + ",
            $at,
            "]\n",
            "vpaddq ymm",
            $t,
            ", ymm",
            $t,
            ", ymmword ptr [{z} + ",
            $at,
            "]\n",
        )
    };
}

/// Subtracts the elements at {y} and {z}; one of them may be twice a product, with limbs below 2^30.
macro_rules! less_two {
    () => {
        concat!(
            both!("9", "256"),
            "vpaddq ymm13, ymm9, ymmword ptr [{c} + 224]\n",
            "vpsrlq ymm13, ymm13, 24\n",
            "vmovdqa ymm14, ymmword ptr [{c} + 96]\n",
            both!("10", "0"),
            take!("0", "ymm10"),
            "vmovdqa ymm14, ymmword ptr [{c} + 128]\n",
            both!("11", "32"),
            take!("1", "ymm11"),
            both!("12", "64"),
            take!("2", "ymm12"),
            both!("10", "96"),
            take!("3", "ymm10"),
            both!("11", "128"),
            take!("4", "ymm11"),
            both!("12", "160"),
            take!("5", "ymm12"),
            both!("10", "192"),
            take!("6", "ymm10"),
            both!("11", "224"),
            take!("7", "ymm11"),
            quotient!(),
        )
    };
}

/// A kernel: a function of its own, so that its two thousand octets of code are there once and stay in the cache.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident($($operand:ident),*): $($text:expr),*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The CPU has AVX2; each pointer is to valid limbs, within the bounds of the file's head. `out` may be one of the
        /// operands: all of them are read before anything is written.
        #[inline(never)]
        pub(super) unsafe fn $name(out: *mut Limbs, $($operand: *const Limbs),*) {
            // SAFETY: reads 288 octets at each operand and the constants, then writes 288 at `out`, all aligned to 32 by
            // their type; every vector register is named as clobbered.
            unsafe {
                asm!(
                    $($text,)*
                    // Else SSE code that follows may wait for the upper halves.
                    "vzeroupper",
                    $($operand = in(reg) $operand,)*
                    out = in(reg) out,
                    c = in(reg) &raw const CONSTANTS,
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
    /// a b / R; a a product, b a product or a difference.
    mul(a, b): product!(), finish!()
}

kernel! {
    /// b b / R; b a product.
    sqr(b): square!(), finish!()
}

kernel! {
    /// a b / R - y, plus a multiple of p that keeps it positive; y a product.
    mul_sub(a, b, y): product!(), less_one!()
}

kernel! {
    /// b b / R - y - z, plus a multiple of p that keeps it positive; products, or y or z twice one.
    sqr_sub(b, y, z): square!(), less_two!()
}
