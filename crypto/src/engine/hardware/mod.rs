//! A device that verifies ECDSA, in front of the engines of this process.
//!
//! It gets what it declares and has proven; the rest, and whatever it does not answer well and in time, goes to the engine
//! behind it. So a device can make verification faster, never make it stop: full queues, operations that do not come back,
//! errors and restarts cost its help and nothing else. What could do harm is a device that lies, and against that stand:
//! * known answers, good and bad, at each start and restart;
//! * its first verdicts after that, which software gives as well and which do not count where they differ;
//! * one in 1,024 of the later ones, checked by the reference as all verdicts are;
//! * r and s out of range, which never reach it.
//!
//! One wrong verdict takes it out until the gateway is started again.

mod assisted;
mod board;
mod device;
mod known;
mod queue;
mod range;
mod round;
mod slots;
#[cfg(all(test, not(loom)))]
mod stand_in;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use assisted::Assisted;
pub use board::{DeviceState, DeviceStats, Hardware};
pub use device::{Device, Done, Life, Op, Source, Status};
