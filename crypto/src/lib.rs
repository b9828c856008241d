//! Keys, signatures and certificates of Sealgate. Has never heard of a packet.
#![deny(unsafe_code)]

pub mod alg;
mod der;
pub mod job;
pub mod pki;
pub mod pool;
pub mod sign;
pub mod verify;
