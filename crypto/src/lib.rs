//! Keys, signatures and certificates of Sealgate. Has never heard of a packet.
#![deny(unsafe_code)]

pub mod alg;
mod client;
mod der;
mod engine;
mod inverse;
pub mod job;
#[allow(dead_code)]
mod p256;
#[allow(dead_code)]
mod p384;
pub mod pki;
pub mod pool;
pub mod secret;
mod selftest;
mod shares;
pub mod sign;
#[allow(dead_code)]
mod tables;
mod thread;
pub mod token;
pub mod verify;
#[allow(dead_code)]
mod weierstrass;
