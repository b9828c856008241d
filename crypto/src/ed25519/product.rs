//! The product kernel: four products modulo p side by side, in assembly. See `limbs` for the form of numbers.
//!
//! In the compiler's hands the sixty live vectors of a product go to the stack and back; here each column stays in its
//! register and the second operand is read from memory.
#![allow(unsafe_code, reason = "assembly")]

use super::limbs::{ANOTHER_PRODUCT, CONSTANTS, Columns, Four, ONE_PRODUCT, PRODUCT_AND_NUMBER};
use core::arch::asm;

/// Limb product a_i b_j: its low part to column `lo`, its high part to column `hi` (numbers of ymm registers); `new`
/// where it is the first to come there.
macro_rules! term {
    ($i:literal $j:literal, $lo:literal, $hi:literal) => {
        concat!(
            "vmovapd ymm9, ymm5\n",
            concat!("vfmadd231pd ymm9, ymm", $i, ", [{b} + 32*", $j, "]\n"),
            "vsubpd ymm10, ymm6, ymm9\n",
            concat!("vpaddq ymm", $hi, ", ymm", $hi, ", ymm9\n"),
            concat!("vfmadd231pd ymm10, ymm", $i, ", [{b} + 32*", $j, "]\n"),
            concat!("vpaddq ymm", $lo, ", ymm", $lo, ", ymm10\n"),
        )
    };
    ($i:literal $j:literal, $lo:literal, new $hi:literal) => {
        concat!(
            concat!("vmovapd ymm", $hi, ", ymm5\n"),
            concat!("vfmadd231pd ymm", $hi, ", ymm", $i, ", [{b} + 32*", $j, "]\n"),
            concat!("vsubpd ymm10, ymm6, ymm", $hi, "\n"),
            concat!("vfmadd231pd ymm10, ymm", $i, ", [{b} + 32*", $j, "]\n"),
            concat!("vpaddq ymm", $lo, ", ymm", $lo, ", ymm10\n"),
        )
    };
    ($i:literal $j:literal, new $lo:literal, new $hi:literal) => {
        concat!(
            concat!("vmovapd ymm", $hi, ", ymm5\n"),
            concat!("vfmadd231pd ymm", $hi, ", ymm", $i, ", [{b} + 32*", $j, "]\n"),
            concat!("vsubpd ymm", $lo, ", ymm6, ymm", $hi, "\n"),
            concat!("vfmadd231pd ymm", $lo, ", ymm", $i, ", [{b} + 32*", $j, "]\n"),
        )
    };
}

/// Column k + 5 becomes 19 times itself, which is its worth in column k (2^255 = 19), plus what column k begins with.
macro_rules! fold {
    ($column:literal, $k:literal) => {
        concat!(
            concat!("vpsllq ymm9, ymm", $column, ", 3\n"),
            concat!("vpaddq ymm9, ymm9, ymm", $column, "\n"),
            "vpaddq ymm9, ymm9, ymm9\n",
            concat!("vpaddq ymm", $column, ", ymm", $column, ", [{start} + 32*", $k, "]\n"),
            concat!("vpaddq ymm", $column, ", ymm", $column, ", ymm9\n"),
        )
    };
}

/// The product's columns 0 to 4 in ymm11 to ymm15, from a in ymm0 to ymm4 and b in memory. Column 4 first, kept in ymm8,
/// for what it sends up; then 5 to 9, folded; then 0 to 3 onto them.
#[rustfmt::skip]
macro_rules! columns {
    () => {
        concat!(
            "vmovapd ymm0, [{a}]\n",
            "vmovapd ymm1, [{a} + 32]\n",
            "vmovapd ymm2, [{a} + 64]\n",
            "vmovapd ymm3, [{a} + 96]\n",
            "vmovapd ymm4, [{a} + 128]\n",
            "vmovapd ymm5, [{c}]\n",
            "vmovapd ymm6, [{c} + 32]\n",
            term!(0 4, new 8, new 11), term!(1 3, 8, 11), term!(2 2, 8, 11), term!(3 1, 8, 11), term!(4 0, 8, 11),
            term!(1 4, 11, new 12), term!(2 3, 11, 12), term!(3 2, 11, 12), term!(4 1, 11, 12),
            fold!(11, 0),
            term!(2 4, 12, new 13), term!(3 3, 12, 13), term!(4 2, 12, 13),
            fold!(12, 1),
            term!(3 4, 13, new 14), term!(4 3, 13, 14),
            fold!(13, 2),
            term!(4 4, 14, new 15),
            fold!(14, 3),
            fold!(15, 4),
            term!(0 0, 11, 12),
            term!(0 1, 12, 13), term!(1 0, 12, 13),
            term!(0 2, 13, 14), term!(1 1, 13, 14), term!(2 0, 13, 14),
            term!(0 3, 14, 15), term!(1 2, 14, 15), term!(2 1, 14, 15), term!(3 0, 14, 15),
            "vpaddq ymm15, ymm15, ymm8\n",
        )
    };
}

/// All columns carried at once, and stored. Without the bias a column is below 2^59: at most 2 * 172 * 2^50 for two
/// products of 2 M by 2^50, less for one of 3 M by M. So a carry is below 2^9 either way; into limb 0 comes 19 times
/// that of column 4, which has at most 2 * 28 * 2^50: below 2^10. Limbs come out at most M.
macro_rules! carry {
    () => {
        concat!(
            "vmovdqa ymm7, [{c} + 64]\n",
            "vpsrlq ymm4, ymm15, 51\n",
            "vpsrlq ymm0, ymm11, 51\n",
            "vpsrlq ymm1, ymm12, 51\n",
            "vpsrlq ymm2, ymm13, 51\n",
            "vpsrlq ymm3, ymm14, 51\n",
            "vpmuludq ymm4, ymm4, [{c} + 96]\n",
            "vmovapd ymm5, [{c} + 160]\n",
            "vpand ymm11, ymm11, ymm7\n",
            "vpand ymm12, ymm12, ymm7\n",
            "vpand ymm13, ymm13, ymm7\n",
            "vpand ymm14, ymm14, ymm7\n",
            "vpand ymm15, ymm15, ymm7\n",
            "vpaddq ymm12, ymm12, ymm0\n",
            "vpaddq ymm13, ymm13, ymm1\n",
            "vpaddq ymm14, ymm14, ymm2\n",
            "vpaddq ymm15, ymm15, ymm3\n",
            "vpaddq ymm11, ymm11, ymm4\n",
            "vsubpd ymm12, ymm12, ymm5\n",
            "vsubpd ymm13, ymm13, ymm5\n",
            "vsubpd ymm14, ymm14, ymm5\n",
            "vsubpd ymm15, ymm15, ymm5\n",
            "vsubpd ymm11, ymm11, [{c} + 128]\n",
            "vmovapd [{out} + 32], ymm12\n",
            "vmovapd [{out} + 64], ymm13\n",
            "vmovapd [{out} + 96], ymm14\n",
            "vmovapd [{out} + 128], ymm15\n",
            "vmovapd [{out}], ymm11\n",
        )
    };
}

/// Adds `{more}` to the columns.
macro_rules! more {
    () => {
        concat!(
            "vpaddq ymm11, ymm11, [{more}]\n",
            "vpaddq ymm12, ymm12, [{more} + 32]\n",
            "vpaddq ymm13, ymm13, [{more} + 64]\n",
            "vpaddq ymm14, ymm14, [{more} + 96]\n",
            "vpaddq ymm15, ymm15, [{more} + 128]\n",
        )
    };
}

/// Stores the columns in `{more}`.
macro_rules! keep {
    () => {
        concat!(
            "vmovdqa [{more}], ymm11\n",
            "vmovdqa [{more} + 32], ymm12\n",
            "vmovdqa [{more} + 64], ymm13\n",
            "vmovdqa [{more} + 96], ymm14\n",
            "vmovdqa [{more} + 128], ymm15\n",
        )
    };
}

/// One of the kernels: the operands' addresses and the registers that all of them use.
macro_rules! kernel {
    ($text:expr, $a:expr, $b:expr, $out:expr, $start:expr $(, $more:expr)?) => {
        asm!(
            $text,
            a = in(reg) core::ptr::from_ref($a),
            b = in(reg) core::ptr::from_ref($b),
            c = in(reg) core::ptr::from_ref(&CONSTANTS),
            start = in(reg) core::ptr::from_ref($start),
            out = in(reg) core::ptr::from_mut($out),
            $(more = in(reg) $more,)?
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
            out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nostack, preserves_flags),
        )
    };
}

/// out = a b.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply(a: &Four, b: &Four, out: &mut Four) {
    // SAFETY: reads the five vectors of a, b and the constants, writes those of `out`; all are 32-octet aligned by
    // their types. The features are the function's own.
    unsafe { kernel!(concat!(columns!(), carry!()), a, b, out, &ONE_PRODUCT) }
}

/// out = a b, and its columns as they were before the carry.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_keeping(a: &Four, b: &Four, out: &mut Four, columns: &mut Columns) {
    // SAFETY: as in `multiply`; also writes the five vectors of `columns`.
    unsafe {
        kernel!(concat!(columns!(), keep!(), carry!()), a, b, out, &ONE_PRODUCT, core::ptr::from_mut(columns));
    }
}

/// out = a b plus the product whose columns [`multiply_keeping`] kept.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_onto(a: &Four, b: &Four, columns: &Columns, out: &mut Four) {
    // SAFETY: as in `multiply`; also reads the five vectors of `columns`.
    unsafe {
        kernel!(concat!(columns!(), more!(), carry!()), a, b, out, &ANOTHER_PRODUCT, core::ptr::from_ref(columns));
    }
}

/// out = a b plus the number whose limbs, at most M, were added to [`HIGH`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_add(a: &Four, b: &Four, number: &Four, out: &mut Four) {
    // SAFETY: as in `multiply`; also reads the five vectors of `number`.
    unsafe {
        kernel!(concat!(columns!(), more!(), carry!()), a, b, out, &PRODUCT_AND_NUMBER, core::ptr::from_ref(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::avx2::Avx2;
    use crate::ed25519::field::Fe;
    use crate::ed25519::limbs::{HIGH, Limb, UNIT};
    use crate::ed25519::sum::LANES;
    use proptest::prelude::*;

    /// Bound of reduced limbs, and of a stored line's.
    const M: i64 = (1 << 50) + (1 << 11);
    const STORED: i64 = 1 << 50;

    type Lane = [i64; 5];

    /// Limbs up to `most` either way, mostly at the ends.
    fn number(most: i64) -> impl Strategy<Value = [Lane; LANES]> {
        let limb = prop_oneof![Just(most), Just(-most), Just(0), Just(1 - most), -most..=most];
        prop::array::uniform4(prop::array::uniform5(limb))
    }

    fn four(lanes: &[Lane; LANES]) -> Four {
        Four(std::array::from_fn(|k| Limb(std::array::from_fn(|lane| lanes[lane][k] as f64 * UNIT))))
    }

    /// The limbs, which are whole and at most M.
    fn reduced(four: &Four) -> [Fe; LANES] {
        std::array::from_fn(|lane| {
            Fe::from_signed(std::array::from_fn(|k| {
                let limb = four.0[k].0[lane] / UNIT;
                assert!(limb.fract() == 0.0 && limb.abs() <= M as f64, "limb {k} is {limb}");
                limb as i64
            }))
        })
    }

    fn twin(a: &[Lane; LANES], b: &[Lane; LANES]) -> [Fe; LANES] {
        std::array::from_fn(|lane| Fe::from_signed(a[lane]).mul(Fe::from_signed(b[lane])))
    }

    fn check(a: &[Lane; LANES], b: &[Lane; LANES], c: &[Lane; LANES]) {
        let mut out = Four::ZERO;
        // SAFETY: the caller asked for the CPU's features.
        unsafe { multiply(&four(a), &four(b), &mut out) };
        assert_eq!(reduced(&out), twin(a, b));
        let number = Four(four(c).0.map(|limb| Limb(limb.0.map(|limb| limb + HIGH))));
        // SAFETY: as above.
        unsafe { multiply_add(&four(a), &four(b), &number, &mut out) };
        let want = twin(a, b);
        assert_eq!(reduced(&out), std::array::from_fn(|lane| want[lane].add(Fe::from_signed(c[lane]))));
    }

    fn check_two(a: [&[Lane; LANES]; 2], b: [&[Lane; LANES]; 2]) {
        let (mut first, mut both, mut columns) = (Four::ZERO, Four::ZERO, Columns::ZERO);
        // SAFETY: the caller asked for the CPU's features.
        unsafe {
            multiply_keeping(&four(a[0]), &four(b[0]), &mut first, &mut columns);
            multiply_onto(&four(a[1]), &four(b[1]), &columns, &mut both);
        }
        let (one, two) = (twin(a[0], b[0]), twin(a[1], b[1]));
        assert_eq!(reduced(&first), one);
        assert_eq!(reduced(&both), std::array::from_fn(|lane| one[lane].add(two[lane])));
    }

    #[test]
    fn limbs_at_the_very_top() {
        if Avx2::detect().is_none() {
            return;
        }
        for signs in 0..64 {
            let sign = |bit: u32| if signs >> bit & 1 == 1 { -1 } else { 1 };
            let number = |most: i64, even: u32, odd: u32| {
                [std::array::from_fn(|k| most * if k % 2 == 0 { sign(even) } else { sign(odd) }); LANES]
            };
            check(&number(3 * M, 0, 1), &number(M, 2, 3), &number(M, 4, 5));
            let (a, b) = (number(2 * M, 0, 1), number(STORED, 2, 3));
            check_two([&a, &number(2 * M, 4, 5)], [&b, &b]);
        }
    }

    proptest! {
        #[test]
        fn products_are_their_twin(a in number(3 * M), b in number(M), c in number(M)) {
            if Avx2::detect().is_some() {
                check(&a, &b, &c);
            }
        }

        #[test]
        fn sums_of_products_are_their_twin(
            a in number(2 * M), b in number(STORED), c in number(2 * M), d in number(STORED),
        ) {
            if Avx2::detect().is_some() {
                check_two([&a, &c], [&b, &d]);
            }
        }
    }
}
