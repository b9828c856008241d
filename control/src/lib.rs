//! Control.

pub mod authority;
pub mod cli;
