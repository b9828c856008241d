//! ECDSA on P-256 (NIST SP 800-186 3.2.1.3).

mod field;
#[cfg(target_arch = "x86_64")]
mod kernels;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;

use crate::weierstrass::field::Curve;
use crate::weierstrass::portable::Portable;
use field::{Fe, P, less, words_of};

#[cfg(target_arch = "x86_64")]
use vector::Avx2;

/// The curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P256;

const B: [u64; 4] = [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];
const GX: [u64; 4] = [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247];
const GY: [u64; 4] = [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b];

impl Curve for P256 {
    type Fe = Fe;
    #[cfg(target_arch = "x86_64")]
    type Vector = Avx2;
    #[cfg(not(target_arch = "x86_64"))]
    type Vector = Portable<Fe>;
    type Twin = Portable<Fe>;
    const OCTETS: usize = 32;
    const BITS: usize = 256;
    type Words = [u64; 4];

    fn b() -> Fe {
        Fe::from_words(B)
    }

    fn generator() -> (Fe, Fe) {
        (Fe::from_words(GX), Fe::from_words(GY))
    }

    fn coordinate(octets: &[u8]) -> Option<Fe> {
        Self::element(&Self::integer(octets)?)
    }

    fn element(words: &[u64; 4]) -> Option<Fe> {
        less(words, &P).then(|| Fe::from_words(*words))
    }

    fn integer(octets: &[u8]) -> Option<[u64; 4]> {
        octets.try_into().ok().map(words_of)
    }

    fn in_range(x: &[u64; 4]) -> bool {
        scalar::in_range(x)
    }

    fn order_minus(x: &[u64; 4]) -> [u64; 4] {
        scalar::minus(x)
    }

    fn plus_order(x: &[u64; 4]) -> Option<[u64; 4]> {
        scalar::plus(x).filter(|sum| less(sum, &P))
    }

    fn order_mul(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        scalar::mul(a, b)
    }

    fn order_inv(x: &[u64; 4]) -> [u64; 4] {
        scalar::inv(x)
    }
}

#[cfg(test)]
mod tests;
