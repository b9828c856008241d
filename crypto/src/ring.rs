//! A bounded way for octets from one thread to one other: no lock, no wake-up, no allocation after its making.
//!
//! The ring is an array of 64-bit atomic words, so it needs no `unsafe`: a word is stored and loaded whole, in any order,
//! and it is the two positions that order them. The producer stores its words and then publishes its position (release);
//! the consumer sees the position (acquire) and with it all the words before it. The other way round the consumer's
//! position tells which words may be written over. On the machines we know a relaxed store of a word is a plain store.
//!
//! A record is some words of header and some runs of octets, each run padded to whole words; where it ends must stand in
//! its header. Positions count words and wrap; a record may lie across the end of the array.

use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use crossbeam::utils::CachePadded;
use std::sync::Arc;

/// Octets of a word.
const WORD: usize = 8;

struct Shared {
    words: Box<[AtomicU64]>,
    mask: usize,
    /// Consumed up to here; each position on a cache line of its own, because each has another writer.
    head: CachePadded<AtomicUsize>,
    /// Published up to here.
    tail: CachePadded<AtomicUsize>,
}

impl Shared {
    fn word(&self, at: usize) -> Option<&AtomicU64> {
        self.words.get(at & self.mask)
    }
}

/// Words that this many octets fill.
pub(crate) const fn words_for(octets: usize) -> usize {
    octets.div_ceil(WORD)
}

/// A ring of at least `words` words, as its two ends.
pub(crate) fn ring(words: usize) -> (Producer, Consumer) {
    let len = words.max(2).next_power_of_two();
    let shared = Arc::new(Shared {
        words: (0..len).map(|_| AtomicU64::new(0)).collect(),
        mask: len - 1,
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
    });
    let producer = Producer { shared: Arc::clone(&shared), tail: 0, published: 0, head: 0 };
    (producer, Consumer { shared, head: 0, released: 0, tail: 0 })
}

/// The end that writes.
pub(crate) struct Producer {
    shared: Arc<Shared>,
    tail: usize,
    published: usize,
    /// Where the consumer was when last looked at: no more than that is free for sure.
    head: usize,
}

impl Producer {
    /// Whether a record of so many words fits now. Looks at the consumer's position only when it must.
    pub(crate) fn has_room(&mut self, words: usize) -> bool {
        let fits = |head: usize| self.shared.words.len() - self.tail.wrapping_sub(head) >= words;
        if fits(self.head) {
            return true;
        }
        self.head = self.shared.head.load(Ordering::Acquire);
        fits(self.head)
    }

    /// Writes one record of `words` words in all: its header, then each run of octets. The rest keeps what it had.
    ///
    /// The consumer sees it after [`Producer::publish`]. False, and nothing written, if it does not fit, or is longer than
    /// it says.
    pub(crate) fn push(&mut self, words: usize, header: &[u64], runs: &[&[u8]]) -> bool {
        let used = header.len() + runs.iter().map(|run| words_for(run.len())).sum::<usize>();
        if used > words || !self.has_room(words) {
            return false;
        }
        let mut at = self.tail;
        let mut put = |value: u64| {
            if let Some(word) = self.shared.word(at) {
                word.store(value, Ordering::Relaxed);
            }
            at = at.wrapping_add(1);
        };
        header.iter().for_each(|&word| put(word));
        for run in runs {
            let (whole, rest) = run.as_chunks::<WORD>();
            whole.iter().for_each(|octets| put(u64::from_le_bytes(*octets)));
            if !rest.is_empty() {
                let mut last = [0; WORD];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                put(u64::from_le_bytes(last));
            }
        }
        self.tail = self.tail.wrapping_add(words);
        true
    }

    /// Shows the consumer all that was pushed.
    pub(crate) fn publish(&mut self) {
        if self.published != self.tail {
            self.shared.tail.store(self.tail, Ordering::Release);
            self.published = self.tail;
        }
    }

    /// Words pushed since the last [`Producer::publish`].
    pub(crate) fn unpublished(&self) -> usize {
        self.tail.wrapping_sub(self.published)
    }
}

/// The end that reads.
pub(crate) struct Consumer {
    shared: Arc<Shared>,
    head: usize,
    released: usize,
    /// Where the producer was when last looked at.
    tail: usize,
}

impl Consumer {
    /// Words that are here to be read.
    pub(crate) fn waiting(&mut self) -> usize {
        self.tail = self.shared.tail.load(Ordering::Acquire);
        self.tail.wrapping_sub(self.head)
    }

    /// First word of the next record; `None` if there is none.
    pub(crate) fn peek(&mut self) -> Option<u64> {
        if self.head == self.tail && self.waiting() == 0 { None } else { Some(self.word(0)) }
    }

    /// A word of the next record, which must be here.
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.shared.word(self.head.wrapping_add(at)).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Octets of the next record, from its word `at` on, as many as `out` takes.
    pub(crate) fn copy(&self, at: usize, out: &mut [u8]) {
        for (at, octets) in (at..).zip(out.chunks_mut(WORD)) {
            octets.iter_mut().zip(self.word(at).to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }

    /// Goes past a record of so many words. Its room is given back by [`Consumer::release`].
    pub(crate) fn skip(&mut self, words: usize) {
        self.head = self.head.wrapping_add(words.min(self.tail.wrapping_sub(self.head)));
    }

    /// Gives back the room of all records that were gone past.
    pub(crate) fn release(&mut self) {
        if self.released != self.head {
            self.shared.head.store(self.head, Ordering::Release);
            self.released = self.head;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn a_record_is_as_it_was_and_a_full_ring_takes_nothing() {
        let (mut producer, mut consumer) = ring(8);
        assert!(consumer.peek().is_none());
        assert!(producer.push(4, &[4], &[b"abc", b"0123456789"]));
        assert!(consumer.peek().is_none(), "not published");
        assert_eq!(producer.unpublished(), 4);
        producer.publish();
        assert!(producer.push(4, &[44], &[]));
        producer.publish();
        assert!(!producer.push(1, &[1], &[]), "full");
        let (mut a, mut b) = ([0; 3], [0; 10]);
        assert_eq!(consumer.peek(), Some(4));
        consumer.copy(1, &mut a);
        consumer.copy(2, &mut b);
        assert_eq!((&a, &b), (b"abc", b"0123456789"));
        consumer.skip(4);
        assert!(!producer.push(1, &[1], &[]), "not given back");
        consumer.release();
        assert!(!producer.push(2, &[1, 2, 3], &[]) && !producer.push(2, &[1], &[b"123456789"]), "longer than it says");
        assert!(producer.push(1, &[1], &[]));
        assert_eq!(consumer.peek(), Some(44));
        consumer.skip(usize::MAX);
        assert!(consumer.peek().is_none(), "never beyond what was published");
    }

    proptest! {
        #[test]
        fn goes_as_a_queue_does(ops in proptest::collection::vec((any::<bool>(), 0..40_usize), 0..400)) {
            let ((mut producer, mut consumer), mut queue) = (ring(32), VecDeque::new());
            for (n, (push, len)) in (0_u64..).zip(ops) {
                if push {
                    let octets: Vec<u8> = (0..len).map(|at| at as u8 ^ n as u8).collect();
                    let words = 2 + words_for(len);
                    let free = 32 - queue.iter().map(|(_, octets): &(u64, Vec<u8>)| 2 + words_for(octets.len())).sum::<usize>();
                    prop_assert_eq!(producer.push(words, &[len as u64, n], &[&octets]), free >= words);
                    producer.publish();
                    if free >= words {
                        queue.push_back((n, octets));
                    }
                } else {
                    let got = consumer.peek().map(|len| {
                        let mut octets = vec![0; len as usize];
                        consumer.copy(2, &mut octets);
                        let n = consumer.word(1);
                        consumer.skip(2 + words_for(octets.len()));
                        consumer.release();
                        (n, octets)
                    });
                    prop_assert_eq!(got, queue.pop_front());
                }
            }
        }
    }

    #[test]
    fn two_threads_lose_nothing_and_tear_nothing() {
        let (mut producer, mut consumer) = ring(64);
        let most = 200_000_u64;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for n in 0..most {
                    let len = n as usize % 7;
                    while !producer.push(1 + len, &[n << 8 | len as u64], &[&[n as u8; 56][..len * 8]]) {
                        producer.publish();
                        std::thread::yield_now();
                    }
                    if n % 5 == 0 {
                        producer.publish();
                    }
                }
                producer.publish();
            });
            for n in 0..most {
                let first = loop {
                    match consumer.peek() {
                        Some(first) => break first,
                        None => std::thread::yield_now(),
                    }
                };
                let len = n as usize % 7;
                assert_eq!(first, n << 8 | len as u64);
                let mut octets = [0; 56];
                consumer.copy(1, &mut octets[..len * 8]);
                assert!(octets[..len * 8].iter().all(|&octet| octet == n as u8));
                consumer.skip(1 + len);
                if n % 3 == 0 {
                    consumer.release();
                }
            }
        });
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;

    /// More records than fit, of different lengths, over the end of the array: each comes once, whole and in order, and
    /// none is written over before it was read.
    #[test]
    fn records_come_whole_and_in_order() {
        loom::model(|| {
            let (mut producer, mut consumer) = ring(4);
            let writer = loom::thread::spawn(move || {
                let mut sent = 0;
                for n in 1..=3_u64 {
                    let words = 1 + n as usize % 2;
                    let octets = [n as u8; 8];
                    let runs = [octets.as_slice()];
                    if !producer.push(words, &[n], runs.get(..words - 1).unwrap_or_default()) {
                        break;
                    }
                    producer.publish();
                    sent = n;
                }
                sent
            });
            let mut seen = 0;
            let mut read = |consumer: &mut Consumer| {
                while let Some(n) = consumer.peek() {
                    assert_eq!(n, seen + 1);
                    let words = 1 + n as usize % 2;
                    if words == 2 {
                        assert_eq!(consumer.word(1), u64::from_le_bytes([n as u8; 8]));
                    }
                    consumer.skip(words);
                    consumer.release();
                    seen = n;
                }
                seen
            };
            read(&mut consumer);
            let sent = writer.join().unwrap();
            assert_eq!(read(&mut consumer), sent);
        });
    }
}
