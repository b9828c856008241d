//! One queue pair of a port.

use super::super::FrameIo;
use super::mbuf::Mbuf;
use super::pool::Mempool;
use super::port::Plugged;
use dpdk_sys::{SG_BURST, sg_mbuf};
use std::collections::VecDeque;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// One queue pair of a port, for one worker. It keeps its port open.
pub struct Queue {
    port: Arc<Plugged>,
    /// Of the port.
    id: u16,
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
        Self { id: port.id(), port, number, pool, ends, ended: false, refused: 0 }
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
    ///
    /// * `max`: at most [`SG_BURST`]
    fn burst(&mut self, out: &mut Vec<Mbuf>, max: usize) -> usize {
        // Nothing happens where the caller kept its promise.
        out.reserve(max);
        let mut segments = 0;
        // SAFETY: the port is started as long as a queue of it lives, `number` is below its queues, and `&mut self` makes
        // this the only receiver on it. The shim writes at most `max` addresses behind the end of `out`, where there is
        // room for so many: an `Mbuf` is an address.
        let count = unsafe {
            let to = out.as_mut_ptr().add(out.len()).cast();
            dpdk_sys::sg_rx(self.id, self.number, to, max as u16, &mut segments)
        };
        let count = usize::from(count);
        if segments <= 1 {
            // SAFETY: `count` addresses were written behind the end, each of a received mbuf of one segment that is now ours.
            unsafe { out.set_len(out.len() + count) };
        } else {
            self.join(out, count);
        }
        count
    }

    /// Takes over a burst that was written behind the end of `out`, and brings the segments of each of its frames into one.
    #[cold]
    fn join(&mut self, out: &mut Vec<Mbuf>, count: usize) {
        let mut raw = [ptr::null_mut::<sg_mbuf>(); SG_BURST];
        for (to, spare) in raw.iter_mut().zip(out.spare_capacity_mut()).take(count) {
            // SAFETY: the first `count` places behind the end hold addresses.
            *to = unsafe { spare.as_ptr().cast::<*mut sg_mbuf>().read() };
        }
        for mbuf in raw.into_iter().take(count).filter_map(NonNull::new) {
            // SAFETY: a received mbuf that is ours, and taken over once: `out` ends before the places it was read from, and
            // what is pushed there has been read before.
            match unsafe { Mbuf::own(mbuf) } {
                Some(frame) => out.push(frame),
                None => self.refused += 1,
            }
        }
    }
}

impl FrameIo for Queue {
    type Frame = Mbuf;

    #[inline]
    fn rx(&mut self, out: &mut Vec<Mbuf>, max: usize) -> usize {
        let before = out.len();
        let mut left = max;
        while left > 0 {
            let most = left.min(SG_BURST);
            let count = self.burst(out, most);
            // The file driver gives nothing too when it finds no buffer, and then it has not ended.
            self.ended |= self.ends && count == 0 && self.pool.has_free();
            left -= count.min(left);
            if count < most {
                break;
            }
        }
        out.len() - before
    }

    #[inline]
    fn tx(&mut self, frames: &mut VecDeque<Mbuf>) -> usize {
        let mut total = 0;
        loop {
            // Those at the front that lie side by side: all, or all up to where the deque begins again.
            let (front, _) = frames.as_mut_slices();
            let count = front.len().min(SG_BURST);
            if count == 0 {
                break;
            }
            // SAFETY: the port is started as long as a queue of it lives, `number` is below its queues, and `&mut self`
            // makes this the only sender on it. The first `count` are valid mbufs of ours, since an `Mbuf` is an address;
            // the handles of those that the device took are given up below without freeing, and not used before.
            let sent = unsafe { dpdk_sys::sg_tx(self.id, self.number, front.as_mut_ptr().cast(), count as u16) };
            let sent = usize::from(sent);
            frames.drain(..sent).for_each(Mbuf::taken);
            total += sent;
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
