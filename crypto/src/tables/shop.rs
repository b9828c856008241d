//! Where tables are made.

use super::{Kind, P256Table, Table, Tier};
use crate::alg::Alg;
use crate::verify::PublicKey;
use crate::weierstrass::digits::{entries, windows};
use std::hash::{BuildHasher, RandomState};

/// Makes tables. A trait, so that the tiers are tested without arithmetic.
pub(crate) trait Workshop: Send + Sync {
    /// Octets of a table of each tier; `None`: there are no tables for this algorithm.
    fn costs(&self, alg: Alg) -> Option<[usize; 4]>;

    /// Makes a table and checks it against an independent product. `None`: it is not to be used.
    fn make(&self, key: &PublicKey, tier: Tier) -> Option<Table>;
}

/// The tables of our engines.
pub(crate) struct Curves;

/// Windows by tier (crypto.md 4): 51 KiB, 256 KiB and 802 KiB for P-256.
const P256_WINDOWS: [u32; 4] = [0, 5, 8, 10];

/// Octets of a P-256 table: a line is two coordinates.
const fn p256_octets(window: u32) -> usize {
    windows(256, window) * entries(window) * 64
}

impl Workshop for Curves {
    fn costs(&self, alg: Alg) -> Option<[usize; 4]> {
        match alg {
            Alg::P256 => Some(P256_WINDOWS.map(|window| if window > 0 { p256_octets(window) } else { 0 })),
            Alg::Ed25519 | Alg::P384 | Alg::Rsa2048 => None,
        }
    }

    fn make(&self, key: &PublicKey, tier: Tier) -> Option<Table> {
        // Which lines are compared changes from table to table, so that a defect in any place shows in the end.
        let pick = usize::try_from(RandomState::new().hash_one(key.ski())).unwrap_or(0);
        match key.alg() {
            Alg::P256 => {
                let window = *P256_WINDOWS.get(tier as usize).filter(|window| **window > 0)?;
                let table = P256Table::of_key(key.bits(), window, pick)?;
                Some(Table { tier, octets: table.octets(), kind: Kind::P256(table) })
            }
            Alg::Ed25519 | Alg::P384 | Alg::Rsa2048 => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::selftest::test_keys;

    #[test]
    fn tables_cost_what_they_said() {
        let key = test_keys(1).remove(0);
        let costs = Curves.costs(key.alg()).unwrap();
        assert_eq!(costs, [0, 53_248, 262_144, 851_968]);
        for tier in [Tier::Small, Tier::Base, Tier::Wide] {
            let table = Curves.make(&key, tier).unwrap();
            assert_eq!((table.tier(), table.octets()), (tier, costs[tier as usize]));
        }
        assert!(Curves.make(&key, Tier::None).is_none());
    }
}
