//! Crypto devices that verify, by DPDK's cryptodev library.
//!
//! [`CryptoDevice::open`] finds the device, refuses what must not verify, and gives the crypto pool a [`Source`] of queues.
//! What a device may do with them, and when it is not asked any more, the pool decides; here is only how it is asked.
//!
//! What makes this sound, beside what holds for ports:
//! * a queue is one value, so it has one thread at a time, and bursts hold the device's gate open while it is started;
//! * an operation is written to only while it is not on its way: the queue keeps account of that for itself;
//! * after a restart nothing is on its way: the device was stopped and its queues were made anew.
//!
//! [`Source`]: sealgate_crypto::engine::hardware::Source

mod found;
mod opened;
mod queue;
#[cfg(test)]
mod tests;

pub use found::{Refused, present};
pub use opened::CryptoDevice;
