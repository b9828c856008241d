//! aws-lc-rs, one by one, every algorithm. Each other engine must agree with it.

use super::{Check, Choice, Engine, Verdicts};
use crate::alg::Alg;

#[derive(Debug, Default)]
pub(crate) struct Reference;

impl Reference {
    /// The verdict on one check.
    pub(crate) fn holds(check: &Check<'_>) -> bool {
        if check.key.takes_message() {
            check.key.verify_message(check.message, check.signature)
        } else {
            check.key.verify_digest(check.digest, check.signature)
        }
    }
}

impl Engine for Reference {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        for (index, check) in checks.iter().enumerate() {
            if Self::holds(check) {
                verdicts.grant(index);
            }
        }
    }

    fn is_reference(&self) -> bool {
        true
    }

    fn choices(&self) -> Vec<Choice> {
        let why = || "crypto.engine: reference".to_owned();
        Alg::ALL.map(|alg| Choice { alg, engine: "reference", why: why() }).to_vec()
    }
}
