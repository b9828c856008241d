//! The packet path of Sealgate: from receive to verdict to transmit.
#![deny(unsafe_code)]

pub mod engine;
pub mod fuzzing;
pub mod io;
pub mod pipeline;
pub mod policy;
pub mod state;
pub mod stats;
