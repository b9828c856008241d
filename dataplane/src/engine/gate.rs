//! A port that can be closed to input while its output goes on.

use std::collections::VecDeque;

use crate::io::FrameIo;

/// A port in front of its worker. Closed, it receives nothing and is exhausted, and sends as before: so a worker drains.
pub(super) struct Gate<P> {
    port: P,
    open: bool,
}

impl<P> Gate<P> {
    pub(super) fn new(port: P) -> Self {
        Self { port, open: true }
    }

    pub(super) fn close(&mut self) {
        self.open = false;
    }
}

impl<P: FrameIo> FrameIo for Gate<P> {
    type Frame = P::Frame;

    fn rx(&mut self, out: &mut Vec<P::Frame>, max: usize) -> usize {
        if self.open { self.port.rx(out, max) } else { 0 }
    }

    fn tx(&mut self, frames: &mut VecDeque<P::Frame>) -> usize {
        self.port.tx(frames)
    }

    fn alloc(&mut self) -> Option<P::Frame> {
        self.port.alloc()
    }

    fn exhausted(&self) -> bool {
        !self.open || self.port.exhausted()
    }
}
