//! What others need for the same work, measured in the same run.

pub mod aws_lc;
#[cfg(feature = "rivals")]
pub mod crates;
#[cfg(feature = "rival-diameter")]
pub mod diameter;
#[cfg(feature = "dpdk")]
pub mod ports;
pub mod testpmd;
pub mod vdev;
