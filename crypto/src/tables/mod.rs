//! Tables of keys: what they cost, how they are made, and which key gets which.
//!
//! A key's table holds multiples of its point, so that a verification adds and never doubles. The wider the window, the
//! fewer additions and the more memory. Everything here runs on control's cores.
//!
//! Beside them lies what else we map ourselves: locked pages for secrets.

mod hits;
mod keep;
pub(crate) mod lines;
pub(crate) mod locked;
mod plan;
mod shop;

pub(crate) use hits::Hits;
pub(crate) use keep::Tables;
pub(crate) use shop::{Curves, Unmade, Workshop};

use crate::ed25519;
use crate::p256::P256;
use crate::p384::P384;
use crate::weierstrass::choice;

/// How wide a key's table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// No table: the reference verifies.
    #[default]
    None,
    /// For every key that is known.
    Small,
    /// For keys in use.
    Base,
    /// For the busiest.
    Wide,
}

impl Tier {
    /// From the narrowest on.
    pub const ALL: [Self; 4] = [Self::None, Self::Small, Self::Base, Self::Wide];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Small => "small",
            Self::Base => "base",
            Self::Wide => "wide",
        }
    }
}

/// A key's table. An engine reads the kind that is its own.
pub(crate) struct Table {
    tier: Tier,
    octets: usize,
    kind: Kind,
}

/// What a table is of.
pub(crate) enum Kind {
    P256(choice::Table<P256>),
    P384(choice::Table<P384>),
    Ed25519(ed25519::KeyTable),
    /// None at all: holds the place of a real one in tests of everything but engines.
    #[cfg(test)]
    StandIn,
}

impl Table {
    #[cfg(test)]
    pub(crate) fn stand_in(octets: usize) -> Self {
        Self::stand_in_at(Tier::Small, octets)
    }

    #[cfg(test)]
    pub(crate) fn stand_in_at(tier: Tier, octets: usize) -> Self {
        Self { tier, octets, kind: Kind::StandIn }
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// The table of a P-256 key.
    pub(crate) fn p256(&self) -> Option<&choice::Table<P256>> {
        if let Kind::P256(table) = &self.kind { Some(table) } else { None }
    }

    /// The table of an Ed25519 key.
    pub(crate) fn ed25519(&self) -> Option<&ed25519::KeyTable> {
        if let Kind::Ed25519(table) = &self.kind { Some(table) } else { None }
    }

    /// The table of a P-384 key.
    pub(crate) fn p384(&self) -> Option<&choice::Table<P384>> {
        if let Kind::P384(table) = &self.kind { Some(table) } else { None }
    }
}

/// What control shows of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Keys by tier, in the order of [`Tier::ALL`].
    pub keys: [usize; 4],
    /// Octets of all tables of keys.
    pub octets: usize,
    /// Octets they may have.
    pub budget: usize,
    /// Tables that are still to be made.
    pub pending: usize,
    /// Tables made since the start.
    pub built: u64,
    /// Tables that did not agree with an independent product, and were thrown away.
    pub faulty: u64,
}
