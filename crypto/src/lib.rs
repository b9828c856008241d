//! Keys, signatures and certificates of Sealgate. Has never heard of a packet.
#![deny(unsafe_code)]

pub mod alg;
mod backoff;
pub mod bare;
pub mod cell;
mod client;
mod cost;
mod crew;
mod der;
mod ed25519;
pub mod engine;
pub mod fuzzing;
mod inverse;
pub mod job;
mod keeper;
pub mod keyring;
#[allow(dead_code, reason = "some of its forms are there for tests and other curves")]
mod p256;
#[allow(dead_code, reason = "some of its forms are there for tests and other curves")]
mod p384;
pub mod pki;
pub mod pool;
mod ring;
mod sample;
pub mod secret;
mod selftest;
mod server;
mod shares;
pub mod sign;
mod sync;
pub mod tables;
mod thread;
pub mod token;
#[cfg(all(test, not(loom)))]
mod trial;
pub mod verify;
#[allow(dead_code, reason = "some of its forms are there for tests and other curves")]
mod weierstrass;
