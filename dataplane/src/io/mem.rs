//! Ports in memory: for tests, fuzzing and benchmarks.
//!
//! A [`MemPool`] behaves like a pool of packet buffers: it has a limit, it can run dry, and it knows how many buffers are
//! out, so a test can prove that none was lost. Ports take what a burst wants from it at once, and give back likewise.

mod pool;

use super::{FrameIo, NoRoom};
use crossbeam::queue::ArrayQueue;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

pub use pool::{MemFrame, MemPool};

/// Octets of a buffer that holds any frame of MTU 1500 with two VLAN tags, as DPDK's default buffer does.
pub const ROOM: usize = 2048;

/// One direction of a cable between two ports.
type Wire = Arc<ArrayQueue<MemFrame>>;

/// Where received frames come from.
enum Source {
    /// What a test injected; `closed` says that nothing will follow.
    Injected { frames: VecDeque<MemFrame>, closed: bool },
    /// A corpus from `at` on, `rounds` times more or for ever.
    Corpus { frames: Arc<[Vec<u8>]>, at: usize, rounds: Option<u64> },
    /// The other end of a cable.
    Wire(Wire),
}

/// Where sent frames go.
enum Sink {
    /// Kept until a test takes them.
    Kept(VecDeque<MemFrame>),
    /// Given back to their pool at once.
    Dropped,
    /// The other end of a cable.
    Wire(Wire),
}

/// A queue pair in memory.
pub struct MemPort {
    pool: MemPool,
    source: Source,
    sink: Sink,
    /// Buffers on their way from the pool into frames; empty between two bursts.
    blank: Vec<Vec<u8>>,
    /// Frames that one call of `tx` takes at most.
    tx_limit: usize,
    sent: u64,
    starved: u64,
}

impl MemPort {
    fn with(pool: &MemPool, source: Source, sink: Sink) -> Self {
        Self { pool: pool.clone(), source, sink, blank: Vec::new(), tx_limit: usize::MAX, sent: 0, starved: 0 }
    }

    /// A port that receives what [`inject`](Self::inject) gives it and keeps what it sends.
    pub fn new(pool: &MemPool) -> Self {
        Self::with(pool, Source::Injected { frames: VecDeque::new(), closed: false }, Sink::Kept(VecDeque::new()))
    }

    /// A port that receives `corpus` over and over and drops what it sends: a benchmark's endless input.
    ///
    /// * `rounds`: how often the corpus is played; `None` for ever. Then, and when the corpus is empty, the port is
    ///   [exhausted](FrameIo::exhausted).
    /// # Errors
    /// [`NoRoom`] if a frame of the corpus does not fit the pool's buffers.
    pub fn looping(pool: &MemPool, corpus: Arc<[Vec<u8>]>, rounds: Option<u64>) -> Result<Self, NoRoom> {
        let room = pool.room();
        if let Some(need) = corpus.iter().map(Vec::len).find(|need| *need > room) {
            return Err(NoRoom { need, room });
        }
        Ok(Self::with(pool, Source::Corpus { frames: corpus, at: 0, rounds }, Sink::Dropped))
    }

    /// Both ends of a cable: what one sends, the other receives. The ends may live on different threads.
    ///
    /// * `depth`: frames in flight in each direction, at least one; a full cable refuses more.
    ///
    /// An end is exhausted once the other is gone and its last frame was received.
    pub fn cable(pool: &MemPool, depth: usize) -> (Self, Self) {
        let (one, two): (Wire, Wire) =
            (Arc::new(ArrayQueue::new(depth.max(1))), Arc::new(ArrayQueue::new(depth.max(1))));
        (
            Self::with(pool, Source::Wire(Arc::clone(&one)), Sink::Wire(Arc::clone(&two))),
            Self::with(pool, Source::Wire(two), Sink::Wire(one)),
        )
    }

    /// Lets the port receive this frame, after those injected before. False when the pool is dry, and on a port that
    /// has another source: a corpus or a cable.
    /// # Errors
    /// [`NoRoom`] if the octets do not fit a buffer.
    pub fn inject(&mut self, octets: &[u8]) -> Result<bool, NoRoom> {
        let Source::Injected { frames, .. } = &mut self.source else { return Ok(false) };
        let Some(frame) = self.pool.filled(octets)? else { return Ok(false) };
        frames.push_back(frame);
        Ok(true)
    }

    /// Ends the input: the port is exhausted once what it still holds was received. A looping port ends at once.
    pub fn close(&mut self) {
        match &mut self.source {
            Source::Injected { closed, .. } => *closed = true,
            Source::Corpus { rounds, .. } => *rounds = Some(0),
            Source::Wire(_) => {}
        }
    }

    /// The oldest frame sent and not yet taken; `None` too on a port that keeps none.
    pub fn take_sent(&mut self) -> Option<MemFrame> {
        match &mut self.sink {
            Sink::Kept(frames) => frames.pop_front(),
            Sink::Dropped | Sink::Wire(_) => None,
        }
    }

    /// From now on frames sent are counted and given back at once.
    pub fn drop_sent(&mut self) {
        self.sink = Sink::Dropped;
    }

    /// Lets each call of [`tx`](FrameIo::tx) take at most this many frames, to show a full queue to the worker.
    pub fn limit_tx(&mut self, frames: usize) {
        self.tx_limit = frames;
    }

    /// Frames sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How often a looping port had a frame to give but no buffer was free.
    pub fn starved(&self) -> u64 {
        self.starved
    }
}

impl FrameIo for MemPort {
    type Frame = MemFrame;

    fn rx(&mut self, out: &mut Vec<MemFrame>, max: usize) -> usize {
        let before = out.len();
        match &mut self.source {
            Source::Injected { frames, .. } => {
                let count = max.min(frames.len());
                out.extend(frames.drain(..count));
            }
            Source::Wire(wire) => out.extend(std::iter::from_fn(|| wire.pop()).take(max)),
            Source::Corpus { frames, .. } if frames.is_empty() => {}
            Source::Corpus { rounds: Some(0), .. } => {}
            Source::Corpus { frames, at, rounds } => {
                for left in (1..=max).rev() {
                    if *rounds == Some(0) {
                        break;
                    }
                    let Some(octets) = frames.get(*at) else { break };
                    if self.blank.is_empty() {
                        // All that the burst can still want, at once.
                        let most = if *rounds == Some(1) { left.min(frames.len() - *at) } else { left };
                        self.pool.take(&mut self.blank, most);
                    }
                    let Some(mut blank) = self.blank.pop() else {
                        self.starved += 1;
                        break;
                    };
                    // It fits: that was asked when the port was made.
                    blank.extend_from_slice(octets);
                    out.push(self.pool.framed(blank));
                    *at += 1;
                    if *at == frames.len() {
                        *at = 0;
                        *rounds = rounds.map(|left| left.saturating_sub(1));
                    }
                }
                if !self.blank.is_empty() {
                    self.pool.give_back(self.blank.drain(..));
                }
            }
        }
        out.len() - before
    }

    fn tx(&mut self, frames: &mut VecDeque<MemFrame>) -> usize {
        let offered = frames.len().min(self.tx_limit);
        let taken = match &mut self.sink {
            Sink::Kept(kept) => {
                kept.extend(frames.drain(..offered));
                offered
            }
            Sink::Dropped => {
                self.pool.give_back_frames(frames.drain(..offered));
                offered
            }
            Sink::Wire(wire) => {
                let mut taken = 0;
                while taken < offered
                    && let Some(frame) = frames.pop_front()
                {
                    if let Err(refused) = wire.push(frame) {
                        frames.push_front(refused);
                        break;
                    }
                    taken += 1;
                }
                taken
            }
        };
        self.sent += taken as u64;
        taken
    }

    fn alloc(&mut self) -> Option<MemFrame> {
        self.pool.frame()
    }

    fn exhausted(&self) -> bool {
        match &self.source {
            Source::Injected { frames, closed } => *closed && frames.is_empty(),
            Source::Corpus { frames, rounds, .. } => frames.is_empty() || *rounds == Some(0),
            Source::Wire(wire) => {
                // The count first, and what the other end sent before it went away must show in the second read.
                let alone = Arc::strong_count(wire) == 1;
                fence(Ordering::Acquire);
                alone && wire.is_empty()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Frame;

    fn all(port: &mut MemPort) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| port.take_sent()).map(|frame| frame.octets().to_vec()).collect()
    }

    #[test]
    fn frames_go_through_in_order_and_every_buffer_comes_back() {
        let pool = MemPool::new(8, 16);
        let mut port = MemPort::new(&pool);
        for n in 0..5 {
            assert_eq!(port.inject(&[n; 3]), Ok(true));
        }
        let mut got = Vec::with_capacity(8);
        assert_eq!((port.rx(&mut got, 3), port.rx(&mut got, 8), port.rx(&mut got, 8)), (3, 2, 0));
        let mut out: VecDeque<_> = got.drain(..).collect();
        port.limit_tx(2);
        assert_eq!((port.tx(&mut out), out.len()), (2, 3));
        port.limit_tx(usize::MAX);
        assert_eq!((port.tx(&mut out), out.len(), port.sent()), (3, 0, 5));
        assert_eq!(pool.in_use(), 5);
        assert_eq!(all(&mut port), (0..5).map(|n| vec![n; 3]).collect::<Vec<_>>());
        assert_eq!(pool.in_use(), 0);
        assert!(!port.exhausted());
        port.close();
        assert!(port.exhausted());
    }

    #[test]
    fn a_pool_runs_dry_and_recovers_with_the_same_buffers() {
        let pool = MemPool::new(2, 16);
        let held: Vec<_> = std::iter::from_fn(|| pool.frame()).collect();
        assert_eq!((held.len(), pool.in_use()), (2, 2));
        let mut port = MemPort::new(&pool);
        assert!(port.alloc().is_none());
        assert_eq!(port.inject(&[1]), Ok(false));
        let at = held[1].octets().as_ptr();
        drop(held);
        let again = [pool.frame().unwrap(), pool.frame().unwrap()];
        assert!(again.iter().any(|frame| frame.octets().as_ptr() == at), "the buffer was not recycled");
        assert!(again.iter().all(|frame| frame.octets().is_empty()), "old content shows");
    }

    #[test]
    fn a_corpus_plays_its_rounds_and_survives_a_dry_pool() {
        let pool = MemPool::new(4, 16);
        let corpus: Arc<[Vec<u8>]> = vec![vec![1], vec![2], vec![3]].into();
        let mut port = MemPort::looping(&pool, Arc::clone(&corpus), Some(2)).unwrap();
        let mut got = Vec::new();
        assert_eq!((port.rx(&mut got, 32), port.starved()), (4, 1));
        let mut seen: Vec<u8> = got.iter().map(|f| f.octets()[0]).collect();
        let mut out: VecDeque<_> = got.drain(..).collect();
        assert_eq!((port.tx(&mut out), pool.in_use()), (4, 0));
        assert_eq!((port.rx(&mut got, 32), port.exhausted()), (2, true));
        seen.extend(got.iter().map(|f| f.octets()[0]));
        assert_eq!(seen, [1, 2, 3, 1, 2, 3]);
        assert_eq!(MemPort::looping(&MemPool::new(1, 0), corpus, None).err(), Some(NoRoom { need: 1, room: 0 }));
        assert!(MemPort::looping(&pool, Vec::new().into(), None).unwrap().exhausted());
    }

    #[test]
    fn a_cable_carries_both_ways_is_bounded_and_ends_with_its_other_end() {
        let pool = MemPool::new(8, 16);
        let (mut near, mut far) = MemPort::cable(&pool, 2);
        let mut out: VecDeque<_> = (0..3).map(|n| pool.filled(&[n]).unwrap().unwrap()).collect();
        assert_eq!((near.tx(&mut out), out.len(), out[0].octets()), (2, 1, &[2u8][..]));
        let mut got = Vec::new();
        assert_eq!((far.rx(&mut got, 8), near.tx(&mut out), far.rx(&mut got, 8)), (2, 1, 1));
        assert!(got.iter().map(|f| f.octets()[0]).eq(0..3));
        let mut back: VecDeque<_> = got.drain(..1).collect();
        assert_eq!(far.tx(&mut back), 1);
        drop(far);
        assert!(!near.exhausted());
        assert_eq!((near.rx(&mut got, 8), near.exhausted()), (1, true));
        drop(got);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn a_frame_goes_back_to_its_own_pool_wherever_it_is_sent() {
        let (one, two) = (MemPool::new(4, 16), MemPool::new(4, 16));
        let mut port = MemPort::new(&two);
        port.drop_sent();
        let frames = [one.filled(&[1]), two.filled(&[2]), one.filled(&[3]), two.filled(&[4])];
        let mut out: VecDeque<_> = frames.into_iter().filter_map(|frame| frame.unwrap()).collect();
        assert_eq!((one.in_use(), two.in_use()), (2, 2));
        assert_eq!((port.tx(&mut out), one.in_use(), two.in_use()), (4, 0, 0));
    }

    #[test]
    fn two_threads_at_one_pool_lose_no_buffer_and_find_it_dry_only_when_it_is() {
        let pool = MemPool::new(64, 16);
        std::thread::scope(|scope| {
            for number in 0..2_u8 {
                let pool = pool.clone();
                scope.spawn(move || {
                    let corpus: Arc<[Vec<u8>]> = vec![vec![number; 4], vec![number; 9]].into();
                    let mut port = MemPort::looping(&pool, corpus, None).unwrap();
                    let (mut got, mut out) = (Vec::with_capacity(32), VecDeque::with_capacity(32));
                    for _ in 0..20_000 {
                        // Half of the buffers are enough for each, whoever is at the stack just now.
                        assert_eq!(port.rx(&mut got, 32), 32);
                        assert!(got.iter().all(|frame| frame.octets().iter().all(|&octet| octet == number)));
                        out.extend(got.drain(..));
                        assert_eq!(port.tx(&mut out), 32);
                    }
                });
            }
        });
        assert_eq!(pool.in_use(), 0);
    }
}
