//! Keys, signatures and certificates of Sealgate. Has never heard of a packet.
#![deny(unsafe_code)]

pub mod alg;
mod client;
mod der;
mod ed25519;
mod engine;
pub mod job;
pub mod pki;
pub mod pool;
mod selftest;
mod shares;
pub mod sign;
mod thread;
pub mod verify;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use ed25519::bench as ed25519_bench;
