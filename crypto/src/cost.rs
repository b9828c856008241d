//! What a job costs a core: the measure by which peers and workers get their parts.
//!
//! By number alone, a peer with a key that no table is there for would get twenty times the time of another one.

use crate::alg::Alg;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the cost of a key's jobs depends on, beside its algorithm. One for all handles and entries of a key: written by
/// control and by engines, read by workers before they submit.
#[derive(Debug, Default)]
pub(crate) struct Class {
    table: AtomicBool,
    again: AtomicBool,
}

impl Class {
    /// Whether the key has a table.
    pub(crate) fn set_table(&self, table: bool) {
        self.table.store(table, Ordering::Relaxed);
    }

    /// Whether it had one when last looked at: engines may have gone on already.
    pub(crate) fn has_table(&self) -> bool {
        self.table.load(Ordering::Relaxed)
    }

    /// A signature of the key was made so that its points meet, and had to be summed a second time.
    ///
    /// By chance that happens to nobody (once in 2^240), and nobody who does not know the private key can make one. So the
    /// key counts as dear for as long as it is installed.
    pub(crate) fn mark_again(&self) {
        self.again.store(true, Ordering::Relaxed);
    }

    /// Whether it was marked so.
    pub(crate) fn is_again(&self) -> bool {
        self.again.load(Ordering::Relaxed)
    }

    /// Cost of verifying one signature, in verifications of P-256 as the pool does most of them.
    /// * `len`: octets of the signature; `tables`: whether the pool has engines that read tables
    /// # Source
    /// `sgperf crypto` and crypto.md 3, rounded up: 3.2 microseconds from a table, 62 by the
    /// reference.
    pub(crate) fn verification(&self, alg: Alg, len: usize, tables: bool) -> u8 {
        match alg {
            Alg::P384 if !tables => 4,
            _ if !tables => 1,
            Alg::Rsa2048 if len <= 256 => 7,
            Alg::Rsa2048 if len <= 384 => 12,
            Alg::Rsa2048 => 20,
            _ if self.has_table() => match (alg, self.is_again()) {
                (Alg::P384, false) => 4,
                (Alg::P384, true) => 16,
                (_, false) => 1,
                (_, true) => 5,
            },
            Alg::P256 => 20,
            Alg::Ed25519 => 13,
            Alg::P384 => 75,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_table_or_is_summed_twice_is_dear() {
        let class = Class::default();
        let cost = |alg: Alg| class.verification(alg, alg.signature_len(), true);
        assert_eq!(Alg::ALL.map(cost), [20, 13, 7, 75]);
        class.set_table(true);
        assert_eq!(Alg::ALL.map(cost), [1, 1, 7, 4]);
        class.mark_again();
        assert_eq!([cost(Alg::P256), cost(Alg::P384)], [5, 16]);
        let all = Alg::ALL.map(|alg| class.verification(alg, alg.signature_len(), false));
        assert_eq!(all, [1, 1, 1, 4]);
    }
}
