//! What others need for the same work, measured in the same run.

pub mod aws_lc;
#[cfg(feature = "rivals")]
pub mod crates;
