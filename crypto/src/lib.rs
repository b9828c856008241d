//! Keys, signatures and certificates of Sealgate. Has never heard of a packet.
#![deny(unsafe_code)]

pub mod alg;
mod client;
mod der;
mod engine;
pub mod job;
pub mod pki;
pub mod pool;
mod selftest;
mod shares;
pub mod sign;
mod thread;
pub mod verify;
