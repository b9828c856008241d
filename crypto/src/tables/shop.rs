//! Where tables are made.

use super::{Table, Tier};
use crate::alg::Alg;
use crate::verify::PublicKey;

/// Makes tables. A trait, so that the tiers are tested without arithmetic.
pub(crate) trait Workshop: Send + Sync {
    /// Octets of a table of each tier; `None`: there are no tables for this algorithm.
    fn costs(&self, alg: Alg) -> Option<[usize; 4]>;

    /// Makes a table and checks it against an independent product. `None`: it is not to be used.
    fn make(&self, key: &PublicKey, tier: Tier) -> Option<Table>;
}

/// The tables of our engines.
pub(crate) struct Curves;

impl Workshop for Curves {
    fn costs(&self, alg: Alg) -> Option<[usize; 4]> {
        match alg {
            Alg::P256 | Alg::Ed25519 | Alg::P384 | Alg::Rsa2048 => None,
        }
    }

    fn make(&self, _: &PublicKey, _: Tier) -> Option<Table> {
        None
    }
}
