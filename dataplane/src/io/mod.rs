//! Where frames come from and where they go: one trait pair, and the ports behind it.
//!
//! The pipeline sees [`FrameIo`] and [`Frame`] only. Behind them stand [`mem`] (tests, fuzzing, benchmarks), [`pcap`]
//! (capture files, no privileges) and, with feature `dpdk`, the ports of libdpdk 22.11. A port never looks into a frame.

#[cfg(feature = "dpdk")]
#[allow(unsafe_code)]
pub mod dpdk;
pub mod eal_args;
pub mod mem;
pub mod pcap;
pub mod sizing;

use std::collections::VecDeque;

/// An owned frame: octets from the first of the link layer to the last before the check sequence.
///
/// Dropping it gives the buffer back to where it came from. It is never cloned: a buffer has one owner.
pub trait Frame: Send {
    /// The octets of the frame, in one piece.
    fn octets(&self) -> &[u8];

    /// Replaces the whole content.
    /// # Errors
    /// [`NoRoom`] if the buffer is too small; the content is then what it was.
    fn set(&mut self, octets: &[u8]) -> Result<(), NoRoom>;
}

/// One queue pair of one port, owned by one worker.
///
/// Neither direction blocks, and a warm queue allocates nothing.
pub trait FrameIo {
    /// What the queue receives and sends.
    type Frame: Frame;

    /// Appends at most `max` frames to `out`, in the order of arrival, and returns how many.
    ///
    /// The caller gives `out` the capacity for `max` more, so that nothing is allocated here.
    fn rx(&mut self, out: &mut Vec<Self::Frame>, max: usize) -> usize;

    /// Sends frames from the front, in order, and returns how many.
    ///
    /// Those sent leave `frames`; the others stay in it because the queue is full. The caller tries again or drops them.
    fn tx(&mut self, frames: &mut VecDeque<Self::Frame>) -> usize;

    /// A fresh frame without content, for a packet that has to be split. `None` while no buffer is free.
    fn alloc(&mut self) -> Option<Self::Frame>;

    /// True once no more input will ever come: a file that ended. A wire never ends.
    fn exhausted(&self) -> bool;
}

/// Octets that do not fit the buffer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{need} octets do not fit a frame buffer of {room}")]
pub struct NoRoom {
    /// Octets that were to be stored.
    pub need: usize,
    /// Octets that the buffer can hold.
    pub room: usize,
}
