//! What may pass: compiled tables, the cell that workers read them from, and the decision.

pub mod decide;
pub mod detection;
mod fast;
pub mod geo;
mod home_router;
mod networks;
mod party;
mod places;
mod prefetch;
mod prefix;
mod realms;
pub mod rules;
pub mod snapshot;
pub mod stir;
pub mod tables;

pub use prefix::PrefixTree;
pub use realms::Realms;
pub use sealgate_crypto::cell::{Published as PolicyCell, Reader as PolicyReader};
pub use snapshot::Snapshot;
