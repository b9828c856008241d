//! What may pass: compiled tables, the cell that workers read them from, and the decision.

mod cell;
pub mod decide;
mod prefix;
pub mod snapshot;

pub use cell::{PolicyCell, PolicyReader};
pub use prefix::PrefixTree;
pub use snapshot::Snapshot;
