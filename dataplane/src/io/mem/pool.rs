//! The pool of buffers behind ports in memory.
//!
//! Buffers are made at first use and recycled for ever after, the one that came back last first, as in DPDK's caches: it is
//! still near the core.

use super::super::{Frame, NoRoom};
use super::ROOM;
use crossbeam::queue::ArrayQueue;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A bounded pool of equal buffers. A clone is the same pool.
#[derive(Clone)]
pub struct MemPool(Arc<Shared>);

/// Buffers that are kept as a stack.
const NEAR: usize = 512;

/// What the pool and its frames share.
struct Shared {
    /// The last [`NEAR`] that came back. Who finds it taken goes to `far`, so nobody waits for anybody on the way of a frame.
    near: Mutex<Vec<Vec<u8>>>,
    far: ArrayQueue<Vec<u8>>,
    /// Buffers made so far, free or not; never above `limit`.
    made: AtomicUsize,
    limit: usize,
    room: usize,
}

impl Shared {
    /// A buffer that is not in the stack, or a new one.
    fn other(&self) -> Option<Vec<u8>> {
        self.far.pop().or_else(|| {
            // The counter is a reservation only: it guards no other data.
            let more = |made: usize| (made < self.limit).then_some(made + 1);
            self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
            // Never without memory, by which a frame knows that it has a buffer.
            Some(Vec::with_capacity(self.room.max(1)))
        })
    }

    /// Any buffer that is free, even if that means to wait for whoever is at the stack: before the pool says that it is dry.
    fn last(&self) -> Option<Vec<u8>> {
        let mut near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        // With the stack held and empty, what comes back meanwhile goes to `far`.
        near.pop().or_else(|| self.far.pop())
    }

    /// Moves at most `count` free buffers to `out`, which is empty: fewer when the others are out.
    fn take(&self, out: &mut Vec<Vec<u8>>, count: usize) {
        if let Ok(mut near) = self.near.try_lock() {
            let from = near.len().saturating_sub(count);
            out.extend(near.drain(from..));
        }
        while out.len() < count
            && let Some(octets) = self.other()
        {
            out.push(octets);
        }
        if out.is_empty() {
            out.extend(self.last());
        }
    }

    /// Takes buffers back.
    fn give_back(&self, buffers: impl Iterator<Item = Vec<u8>>) {
        let mut buffers = buffers.map(|mut octets| {
            octets.clear();
            octets
        });
        if let Ok(mut near) = self.near.try_lock() {
            let room = NEAR.saturating_sub(near.len());
            near.extend(buffers.by_ref().take(room));
        }
        // It has room for every buffer ever made, so it cannot refuse one.
        buffers.for_each(|octets| drop(self.far.push(octets)));
    }
}

impl MemPool {
    /// A pool of at most `limit` buffers (at least one) of `room` octets each.
    pub fn new(limit: usize, room: usize) -> Self {
        let limit = limit.max(1);
        let near = Mutex::new(Vec::with_capacity(limit.min(NEAR)));
        Self(Arc::new(Shared { near, far: ArrayQueue::new(limit), made: AtomicUsize::new(0), limit, room }))
    }

    /// An empty frame; `None` when all buffers are out.
    pub fn frame(&self) -> Option<MemFrame> {
        let near = self.0.near.try_lock().ok().and_then(|mut near| near.pop());
        near.or_else(|| self.0.other()).or_else(|| self.0.last()).map(|octets| self.framed(octets))
    }

    /// A frame in this buffer of the pool.
    pub(super) fn framed(&self, octets: Vec<u8>) -> MemFrame {
        MemFrame { octets, pool: Arc::clone(&self.0) }
    }

    /// Moves at most `count` free buffers to `out`, which is empty: fewer when the others are out.
    pub(super) fn take(&self, out: &mut Vec<Vec<u8>>, count: usize) {
        self.0.take(out, count);
    }

    /// Takes buffers back that were not used.
    pub(super) fn give_back(&self, buffers: impl Iterator<Item = Vec<u8>>) {
        self.0.give_back(buffers);
    }

    /// Drops frames: the same as one by one, but that it goes to the pool once. Those of other pools go there.
    pub(super) fn give_back_frames(&self, frames: impl Iterator<Item = MemFrame>) {
        // A frame without its buffer has nothing to give back.
        let ours = frames.filter(|frame| Arc::ptr_eq(&frame.pool, &self.0));
        self.0.give_back(ours.map(|mut frame| std::mem::take(&mut frame.octets)));
    }

    /// A frame with this content; `Ok(None)` when all buffers are out.
    /// # Errors
    /// [`NoRoom`] if the octets do not fit a buffer.
    pub fn filled(&self, octets: &[u8]) -> Result<Option<MemFrame>, NoRoom> {
        let Some(mut frame) = self.frame() else { return Ok(None) };
        frame.set(octets)?;
        Ok(Some(frame))
    }

    /// Buffers that are out. Zero at the end of a test, or a frame was lost.
    pub fn in_use(&self) -> usize {
        let near = self.0.near.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.0.made.load(Ordering::Relaxed).saturating_sub(self.0.far.len() + near)
    }

    /// Buffers that the pool may make.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Octets that a buffer holds.
    pub fn room(&self) -> usize {
        self.0.room
    }
}

impl Default for MemPool {
    /// 4096 buffers of [`ROOM`] octets.
    fn default() -> Self {
        Self::new(4096, ROOM)
    }
}

impl fmt::Debug for MemPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemPool({} of {} in use)", self.in_use(), self.0.limit)
    }
}

/// A frame in memory. Dropping it gives the buffer back to its pool.
pub struct MemFrame {
    /// Without memory once the pool has it back.
    octets: Vec<u8>,
    pool: Arc<Shared>,
}

impl Frame for MemFrame {
    fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn set(&mut self, octets: &[u8]) -> Result<(), NoRoom> {
        let (need, room) = (octets.len(), self.pool.room);
        if need > room {
            return Err(NoRoom { need, room });
        }
        self.octets.clear();
        self.octets.extend_from_slice(octets);
        Ok(())
    }
}

impl MemFrame {
    /// Apart from `drop`, which is short then wherever a list of frames is dropped, most often an empty one.
    #[inline(never)]
    fn give_back(&mut self) {
        self.pool.give_back(std::iter::once(std::mem::take(&mut self.octets)));
    }
}

impl Drop for MemFrame {
    #[inline]
    fn drop(&mut self) {
        if self.octets.capacity() > 0 {
            self.give_back();
        }
    }
}

impl fmt::Debug for MemFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemFrame({} octets)", self.octets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_refuses_what_does_not_fit_and_keeps_what_it_has() {
        let mut frame = MemPool::new(1, 4).filled(&[1, 2]).unwrap().unwrap();
        assert_eq!(frame.set(&[0; 5]), Err(NoRoom { need: 5, room: 4 }));
        assert_eq!(frame.octets(), [1, 2]);
        frame.set(&[9; 4]).unwrap();
        assert_eq!(frame.octets(), [9; 4]);
    }

    #[test]
    fn buffers_come_back_from_another_thread() {
        let pool = MemPool::new(4, 16);
        let frames: Vec<_> = std::iter::from_fn(|| pool.frame()).collect();
        std::thread::spawn(move || drop(frames)).join().unwrap();
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn the_buffer_that_came_back_last_is_given_out_first_and_more_than_are_kept_so_are_not_lost() {
        let pool = MemPool::new(2 * NEAR, 16);
        let all = || std::iter::from_fn(|| pool.frame()).collect::<Vec<_>>();
        let at = |frame: &MemFrame| frame.octets.as_ptr();
        let mut held = all();
        assert_eq!((held.len(), pool.in_use()), (2 * NEAR, 2 * NEAR));
        let last: Vec<_> = held.drain(..3).map(|frame| at(&frame)).collect();
        assert_eq!(pool.in_use(), 2 * NEAR - 3);
        assert!(all().iter().map(at).eq(last.into_iter().rev()));
        drop(held);
        assert_eq!(pool.in_use(), 0);
        assert_eq!(all().len(), 2 * NEAR);
        let mut blank = Vec::new();
        pool.take(&mut blank, NEAR + 1);
        assert_eq!((blank.len(), pool.in_use()), (NEAR + 1, NEAR + 1));
        pool.give_back(blank.drain(..));
        assert_eq!(pool.in_use(), 0);
    }
}
