//! What a device that verifies ECDSA looks like from here. Whoever opens it brings its own.

use crate::alg::Alg;
use std::time::Duration;

/// A queue of a device, owned by one thread. No call waits.
pub trait Device: Send {
    /// Operations that may be on their way at a time. Each has a place of its own, from 0; at most 65,536 are used.
    fn places(&self) -> usize;

    /// Hands operations over, from the front, and returns how many were taken; the others were not begun.
    fn enqueue(&mut self, ops: &[Op<'_>]) -> usize;

    /// Writes what came back since the last call from the front, and returns how many.
    fn dequeue(&mut self, done: &mut [Done]) -> usize;

    /// In which of its lives the device is.
    fn life(&self) -> Life;

    /// Asks for the end of this life and returns at once; of one that is over nothing comes. It has happened when
    /// [`Life::epoch`] has grown.
    fn restart(&mut self, epoch: u64);

    /// Time that only goes forward.
    fn now(&mut self) -> Duration;
}

/// One verification.
#[derive(Clone, Copy, Debug)]
pub struct Op<'a> {
    /// Place that is not on its way.
    pub place: u16,
    /// Comes back with the answer.
    pub cookie: u64,
    /// The curve: [`Alg::P256`] or [`Alg::P384`].
    pub alg: Alg,
    /// The public point: x then y, big-endian, each as long as the order.
    pub point: &'a [u8],
    /// The digest, as long as the order.
    pub digest: &'a [u8],
    /// r then s, big-endian, each as long as the order and in 1 to n - 1.
    pub signature: &'a [u8],
}

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Of the operation.
    pub cookie: u64,
    /// What the device says of it.
    pub status: Status,
}

/// How an operation ended: `rte_crypto_op_status`.
///
/// Only [`Status::Success`] ever grants. [`Status::AuthFailed`] is the API's word for a signature that does not hold, and
/// refuses. [`Status::Error`] and [`Status::InvalidArgs`] may mean the same (the drivers of QAT and of cnxk have no other
/// word for a forged signature) or that the device did not get to an answer: software decides, so that neither a device's
/// trouble refuses good messages nor a forger puts the device out of service. The rest is never an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// The signature holds.
    Success,
    /// The signature does not hold.
    AuthFailed,
    /// The device calls the operation's arguments invalid.
    InvalidArgs,
    /// The device failed at it, for whatever reason.
    Error,
    /// It came back as it went.
    NotProcessed,
    /// The device does not know the session.
    InvalidSession,
    /// A number that the API does not have.
    #[default]
    Unknown,
}

/// A device's life: what was handed over in an earlier one never comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Restarts that succeeded.
    pub epoch: u64,
    /// Whether operations are taken: not while a restart is under way, nor after one that failed.
    pub is_up: bool,
}

/// A device as it was opened: gives each thread its queue.
pub trait Source: Send + Sync {
    /// As configured, and what drives it.
    fn name(&self) -> String;

    /// The algorithms that the device declares.
    fn algs(&self) -> Vec<Alg>;

    /// A queue that nobody has; dropping it gives it back. `None`: there is none.
    fn queue(&self) -> Option<Box<dyn Device>>;

    /// Restarts the device if a queue asked for it. Control calls this off the path, now and then.
    fn tend(&self);
}
