//! Bodies of the fuzz targets, replayed over their corpus by plain tests.

pub mod diameter;
pub mod gtp;
pub mod isup;
pub mod lower;
pub mod sec;
pub mod sigtran;
pub mod sip;
pub mod tcp;
pub mod upper;
