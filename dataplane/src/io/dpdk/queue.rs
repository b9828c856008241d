//! One queue pair of a port.

use super::super::FrameIo;
use super::mbuf::Mbuf;
use super::pool::Mempool;
use super::port::Plugged;
use dpdk_sys::{SG_BURST, sg_frame};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// One queue pair of a port, for one worker. It keeps its port open.
pub struct Queue {
    port: Arc<Plugged>,
    number: u16,
    pool: Mempool,
    /// The port reads a file, whose first empty burst is its end.
    ends: bool,
    ended: bool,
    refused: u64,
}

impl Queue {
    /// Queue `number` of a port that has it and is started.
    pub(super) fn new(port: Arc<Plugged>, number: u16, pool: Mempool, ends: bool) -> Self {
        Self { port, number, pool, ends, ended: false, refused: 0 }
    }

    /// Frames received in several segments that fit no single buffer: they were dropped.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Number of this queue within its port.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// One burst; returns how many frames the device gave, refused ones included.
    fn burst(&mut self, out: &mut Vec<Mbuf>, max: usize) -> usize {
        let mut raw = [const { MaybeUninit::<sg_frame>::uninit() }; SG_BURST];
        // At most SG_BURST, so it fits 16 bits.
        let max = max.min(SG_BURST) as u16;
        // SAFETY: the port is started as long as a queue of it lives, `number` is below its queues, and `&mut self` makes
        // this the only receiver on it. The shim writes at most SG_BURST descriptions.
        let count = unsafe { dpdk_sys::sg_rx(self.port.id(), self.number, raw.as_mut_ptr().cast(), max) };
        for frame in raw.iter().take(count.into()) {
            // SAFETY: the first `count` are filled in, each with a received mbuf that is now ours and is read once.
            match unsafe { Mbuf::own(frame.assume_init_read()) } {
                Some(frame) => out.push(frame),
                None => self.refused += 1,
            }
        }
        count.into()
    }
}

impl FrameIo for Queue {
    type Frame = Mbuf;

    fn rx(&mut self, out: &mut Vec<Mbuf>, max: usize) -> usize {
        let before = out.len();
        let mut left = max;
        while left > 0 {
            let count = self.burst(out, left);
            // The file driver gives nothing too when it finds no buffer, and then it has not ended.
            self.ended |= self.ends && count == 0 && self.pool.has_free();
            left -= count.min(left);
            if count < SG_BURST {
                break;
            }
        }
        out.len() - before
    }

    fn tx(&mut self, frames: &mut VecDeque<Mbuf>) -> usize {
        let mut total = 0;
        while !frames.is_empty() {
            let mut raw = [std::ptr::null_mut::<c_void>(); SG_BURST];
            let mut count = 0;
            for (room, frame) in raw.iter_mut().zip(frames.iter()) {
                *room = frame.raw();
                count += 1;
            }
            // SAFETY: the port is started as long as a queue of it lives, `number` is below its queues, and `&mut self`
            // makes this the only sender on it. The first `count` are valid mbufs of ours; the handles of those that
            // the device took are given up below without freeing.
            let sent = unsafe { dpdk_sys::sg_tx(self.port.id(), self.number, raw.as_mut_ptr(), count) };
            frames.drain(..usize::from(sent)).for_each(Mbuf::taken);
            total += usize::from(sent);
            if sent < count {
                break;
            }
        }
        total
    }

    fn alloc(&mut self) -> Option<Mbuf> {
        self.pool.frame()
    }

    fn exhausted(&self) -> bool {
        self.ended
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({} of {:?})", self.number, self.port)
    }
}
