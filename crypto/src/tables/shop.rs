//! Where tables are made.

use super::{Kind, Table, Tier, lines};
use crate::alg::Alg;
use crate::ed25519::KeyTable;
use crate::p256::P256;
use crate::p384::P384;
use crate::verify::PublicKey;
use crate::weierstrass::choice::{self, Kernels};
use crate::weierstrass::digits::{entries, windows};
use crate::weierstrass::field::{Curve, Lanes};
use std::hash::{BuildHasher, RandomState};

/// Makes tables. A trait, so that the tiers are tested without arithmetic.
pub(crate) trait Workshop: Send + Sync {
    /// Octets of a table of each tier; `None`: there are no tables for this algorithm.
    fn costs(&self, alg: Alg) -> Option<[usize; 4]>;

    /// Makes a table and checks it against an independent product.
    /// # Errors
    /// Why the key stays without.
    fn make(&self, key: &PublicKey, tier: Tier) -> Result<Table, Unmade>;
}

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmade {
    /// The key is no point of its curve (which Ed25519 keys show only here), there are no tables for its algorithm, or
    /// there is no memory. The reference answers for it.
    Unfit,
    /// The table does not agree with a product that takes none: a defect of ours, or of the machine.
    Wrong,
}

/// Windows by tier.
type Windows = [u32; 4];

/// 51 KiB, 256 KiB and 802 KiB (crypto.md 4).
const P256_WINDOWS: Windows = [0, 5, 8, 10];

/// Their lines are half as long again and their windows half as many again.
const P384_WINDOWS: Windows = [0, 4, 6, 8];

/// 48 KiB, 373 KiB and 1.2 MiB.
const ED25519_WINDOWS: Windows = [0, 4, 8, 10];

/// The tables of our engines.
pub(crate) struct Curves;

impl Workshop for Curves {
    fn costs(&self, alg: Alg) -> Option<[usize; 4]> {
        match alg {
            Alg::P256 => Some(costs::<P256>(P256_WINDOWS)),
            Alg::P384 => Some(costs::<P384>(P384_WINDOWS)),
            Alg::Ed25519 => Some(
                ED25519_WINDOWS.map(|window| if window == 0 { 0 } else { lines::room(KeyTable::octets_at(window)) }),
            ),
            Alg::Rsa2048 => None,
        }
    }

    fn make(&self, key: &PublicKey, tier: Tier) -> Result<Table, Unmade> {
        // Which lines are compared changes from table to table, so that a defect in any place shows in the end.
        let pick = usize::try_from(RandomState::new().hash_one(key.ski())).unwrap_or(0);
        let (octets, kind) = match key.alg() {
            Alg::P256 => {
                let table = table::<P256>(key, P256_WINDOWS, tier, pick)?;
                (lines::room(table.octets()), Kind::P256(table))
            }
            Alg::P384 => {
                let table = table::<P384>(key, P384_WINDOWS, tier, pick)?;
                (lines::room(table.octets()), Kind::P384(table))
            }
            Alg::Ed25519 => {
                let window = window(ED25519_WINDOWS, tier)?;
                let point = key.bits().try_into().map_err(|_| Unmade::Unfit)?;
                let table = KeyTable::build(point, window).ok_or(Unmade::Unfit)?;
                if !table.holds() {
                    return Err(Unmade::Wrong);
                }
                (lines::room(table.octets()), Kind::Ed25519(table))
            }
            Alg::Rsa2048 => return Err(Unmade::Unfit),
        };
        Ok(Table { tier, octets, kind })
    }
}

/// Memory of tables with such windows, in the form that this processor uses.
fn costs<C: Curve>(of: Windows) -> [usize; 4] {
    let line = match Kernels::best::<C>() {
        Kernels::Vector => size_of::<<C::Vector as Lanes>::Line>(),
        Kernels::Twin => size_of::<<C::Twin as Lanes>::Line>(),
    };
    of.map(|window| if window == 0 { 0 } else { lines::room(windows(C::BITS, window) * entries(window) * line) })
}

fn window(of: Windows, tier: Tier) -> Result<u32, Unmade> {
    of.get(tier as usize).copied().filter(|window| *window > 0).ok_or(Unmade::Unfit)
}

fn table<C: Curve>(key: &PublicKey, of: Windows, tier: Tier, pick: usize) -> Result<choice::Table<C>, Unmade> {
    let table = choice::Table::build(Kernels::best::<C>(), key.bits(), window(of, tier)?).ok_or(Unmade::Unfit)?;
    if table.holds(pick) { Ok(table) } else { Err(Unmade::Wrong) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::selftest::test_key;

    #[test]
    fn tables_cost_what_they_said() {
        for alg in [Alg::P256, Alg::Ed25519, Alg::P384] {
            let key = test_key(alg);
            let costs = Curves.costs(alg).unwrap();
            println!("{alg}: {costs:?} octets");
            for tier in [Tier::Small, Tier::Base, Tier::Wide] {
                let table = Curves.make(&key, tier).unwrap();
                assert_eq!((table.tier(), table.octets()), (tier, costs[tier as usize]));
            }
            assert!(Curves.make(&key, Tier::None).is_err());
        }
        // On no curve: y = 2 has no x (RFC 8032 5.1.3).
        let mut stray = [0; 32];
        stray[0] = 2;
        let stray = PublicKey::from_bits(Alg::Ed25519, &stray, false).unwrap();
        assert_eq!(Curves.make(&stray, Tier::Small).err(), Some(Unmade::Unfit));
        assert!(Curves.costs(Alg::Rsa2048).is_none() && Curves.make(&test_key(Alg::Rsa2048), Tier::Small).is_err());
    }
}
