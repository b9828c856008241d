//! ECDSA on P-384 (NIST SP 800-186 §3.2.1.4).

mod field;
#[cfg(target_arch = "x86_64")]
mod kernels;
#[cfg(target_arch = "x86_64")]
mod limbs;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;
mod words;

use crate::weierstrass::field::Curve;
use crate::weierstrass::portable::Portable;
use field::{Fe, P};
use words::Words;

#[cfg(target_arch = "x86_64")]
use vector::Avx2;

/// The curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P384;

const B: Fe = Fe::new(&[
    0x2a85_c8ed_d3ec_2aef,
    0xc656_398d_8a2e_d19d,
    0x0314_088f_5013_875a,
    0x181d_9c6e_fe81_4112,
    0x988e_056b_e3f8_2d19,
    0xb331_2fa7_e23e_e7e4,
]);
const GX: Fe = Fe::new(&[
    0x3a54_5e38_7276_0ab7,
    0x5502_f25d_bf55_296c,
    0x59f7_41e0_8254_2a38,
    0x6e1d_3b62_8ba7_9b98,
    0x8eb1_c71e_f320_ad74,
    0xaa87_ca22_be8b_0537,
]);
const GY: Fe = Fe::new(&[
    0x7a43_1d7c_90ea_0e5f,
    0x0a60_b1ce_1d7e_819d,
    0xe9da_3113_b5f0_b8c0,
    0xf8f4_1dbd_289a_147c,
    0x5d9e_98bf_9292_dc29,
    0x3617_de4a_9626_2c6f,
]);

impl Curve for P384 {
    type Fe = Fe;
    #[cfg(target_arch = "x86_64")]
    type Vector = Avx2;
    #[cfg(not(target_arch = "x86_64"))]
    type Vector = Portable<Fe>;
    type Twin = Portable<Fe>;
    const OCTETS: usize = 48;
    const BITS: usize = 384;
    type Words = Words;

    fn b() -> Fe {
        B
    }

    fn generator() -> (Fe, Fe) {
        (GX, GY)
    }

    fn coordinate(octets: &[u8]) -> Option<Fe> {
        Self::element(&Self::integer(octets)?)
    }

    fn element(words: &Words) -> Option<Fe> {
        Fe::from_words(words)
    }

    fn integer(octets: &[u8]) -> Option<Words> {
        octets.try_into().ok().map(words::from_octets)
    }

    fn in_range(x: &Words) -> bool {
        scalar::in_range(x)
    }

    fn order_minus(x: &Words) -> Words {
        scalar::minus(x)
    }

    fn plus_order(x: &Words) -> Option<Words> {
        scalar::plus(x).filter(|sum| words::less(sum, &P))
    }

    fn order_mul(a: &Words, b: &Words) -> Words {
        scalar::mul(a, b)
    }

    fn order_inv(x: &Words) -> Words {
        scalar::inv(x)
    }
}

#[cfg(test)]
mod tests;
