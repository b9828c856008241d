//! ECDSA on P-256 (NIST SP 800-186 3.2.1.3).

mod field;
#[cfg(target_arch = "x86_64")]
mod kernels;
mod portable;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;

use crate::weierstrass::field::Curve;
use field::{Fe, P, less, words_of};

use portable::Portable;
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
    type Vector = Portable;
    type Twin = Portable;
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
mod tests {
    use super::*;
    use crate::weierstrass::choice::{Base, Job, Kernels, Table, Verifier};
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    fn agrees(kernels: Kernels) {
        let Some(base) = Base::<P256>::build(kernels, 8) else { return };
        assert!(base.holds(77));
        let rng = SystemRandom::new();
        let mut verifier = Verifier::new(&base);
        let keys: Vec<_> = (0..4)
            .map(|at| {
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
                let table = Table::build(kernels, key.public_key().as_ref(), [8, 5, 4, 7][at]).unwrap();
                assert!(table.holds(at * 1000 + 13));
                (key, table)
            })
            .collect();
        for len in [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 64, 100] {
            let inputs: Vec<_> = (0..len)
                .map(|at: usize| {
                    let message = [at as u8; 40];
                    let mut signature = keys[at % 4].0.sign(&rng, &message).unwrap().as_ref().to_vec();
                    let good = at % 3 != 2;
                    if !good {
                        signature[at % 64] ^= 1;
                    }
                    (digest(&SHA256, &message), signature, good)
                })
                .collect();
            let jobs: Vec<_> = inputs
                .iter()
                .enumerate()
                .map(|(at, (digest, signature, _))| Job { table: &keys[at % 4].1, digest: digest.as_ref(), signature })
                .collect();
            let mut granted = vec![false; len];
            verifier.verify(&jobs, &mut |at| granted[at] = true);
            let want: Vec<_> = inputs.iter().map(|(_, _, good)| *good).collect();
            assert_eq!(granted, want, "{len}");
        }
    }

    #[test]
    fn the_twin_agrees_with_the_library() {
        agrees(Kernels::Twin);
    }

    #[test]
    fn the_vector_kernels_agree_with_the_library() {
        agrees(Kernels::Vector);
    }
}
