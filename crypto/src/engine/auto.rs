//! The fastest engine for each check: its key's table where there is one, else the reference.

use super::{Check, Choice, Engine, Reference, Verdicts};
use crate::alg::Alg;

/// Sorts checks by algorithm and width of their table, each group to its engine.
#[derive(Default)]
pub(crate) struct Auto {
    reference: Reference,
}

impl Auto {
    /// Which engine answers for which algorithm, and why.
    pub(crate) fn choices() -> Vec<Choice> {
        Alg::ALL.map(|alg| Choice { alg, engine: "reference", why: "no tables for this algorithm".to_owned() }).to_vec()
    }
}

impl Engine for Auto {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        self.reference.verify(checks, verdicts);
    }
}
