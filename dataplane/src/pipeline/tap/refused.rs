//! Refused messages on their way to control, with the frame as it came; and samples of those that pass without a signature that
//! held, so that control can say who would be refused if the peer's mode were require (formats 13.3).

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use sealgate_wire::Reason;
use sealgate_wire::reason::{ALL, COUNT};

use super::{Seen, is_refusal};
use crate::pipeline::slots::Record;
use crate::state::credits::Credits;

/// Octets of a frame that are kept; what is longer is cut, and says so.
pub const SNAP: usize = 2048;

/// Samples that may wait for control, of each reason of [`is_sampled`].
const SAMPLES: u32 = 8;

/// Messages that rules want in the log, and which may wait for control. It takes them twenty times a second.
const LOG: u32 = 256;
/// Their class of credits, behind those of all reasons.
const LOGGED: usize = COUNT;

/// Whether messages from interconnect under this reason are sampled: they pass, and would not in mode require.
pub fn is_sampled(reason: Reason) -> bool {
    matches!(reason, Reason::OkUnsignedAllowed | Reason::OkUnknownSigner | Reason::OkIgnored)
}

/// A message that was refused, or one of those that are sampled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capture {
    /// The verdict.
    pub seen: Seen,
    /// The frame as it was received, at most [`SNAP`] octets: the last one, where the message came in several.
    pub octets: Vec<u8>,
    /// Octets that the frame had.
    pub len: usize,
    /// Whose credit it came by: that of a reason, or [`LOGGED`].
    class: usize,
}

impl Capture {
    /// Whether it is for the log: not if that had no credit left.
    pub fn is_logged(&self) -> bool {
        self.class == LOGGED
    }

    fn blank() -> Box<Self> {
        let record = Record::of(0, None, None, Reason::IntBug);
        let seen = Seen { time_ms: 0, worker: 0, record };
        Box::new(Self { seen, octets: Vec::with_capacity(SNAP), len: 0, class: 0 })
    }
}

/// Buffers for refused messages. There is one for each credit, so whoever has a credit finds a buffer.
pub struct Refused {
    credits: Vec<Credits>,
    /// Messages for the log that found no credit.
    unlogged: AtomicU64,
    blank: ArrayQueue<Box<Capture>>,
    full: ArrayQueue<Box<Capture>>,
}

impl Refused {
    /// * `kept`: buffers for each reason; `sampled`: whether messages that pass unsigned are sampled
    pub(super) fn new(kept: u32, sampled: bool) -> Self {
        let places = |reason: &Reason| match (is_refusal(*reason), sampled && is_sampled(*reason)) {
            (true, _) => kept,
            (_, true) => SAMPLES,
            _ => 0,
        };
        let places: Vec<u32> = ALL.iter().map(places).chain([if sampled { LOG } else { 0 }]).collect();
        let buffers: usize = places.iter().map(|places| *places as usize).sum();
        let blank = ArrayQueue::new(buffers.max(1));
        for _ in 0..buffers {
            // There is room for all of them.
            let _ = blank.push(Capture::blank());
        }
        Self {
            credits: places.into_iter().map(Credits::new).collect(),
            unlogged: AtomicU64::new(0),
            blank,
            full: ArrayQueue::new(buffers.max(1)),
        }
    }

    /// The worker's side: copies the frame, if its reason, or the log, has a credit left.
    pub(super) fn offer(&self, seen: &Seen, octets: &[u8]) {
        let has = |class: usize| self.credits.get(class).is_some_and(Credits::take);
        let own = seen.record.counts_as().index();
        let class = match seen.record.logged {
            true if has(LOGGED) => LOGGED,
            logged => {
                self.unlogged.fetch_add(u64::from(logged), Ordering::Relaxed);
                if !has(own) {
                    return;
                }
                own
            }
        };
        let Some(mut capture) = self.blank.pop() else { return };
        capture.seen = *seen;
        capture.class = class;
        capture.len = octets.len();
        capture.octets.clear();
        capture.octets.extend_from_slice(octets.get(..SNAP).unwrap_or(octets));
        // There is room for as many as there are.
        let _ = self.full.push(capture);
    }

    /// Control's side: takes what has come, oldest first, and gives its places back.
    pub fn drain(&self, mut keep: impl FnMut(&Capture)) {
        // Bounded, or a flood would hold control here.
        for _ in 0..self.full.capacity() {
            let Some(capture) = self.full.pop() else { return };
            keep(&capture);
            let class = capture.class;
            // The buffer first: who sees the credit finds it.
            let _ = self.blank.push(capture);
            if let Some(credits) = self.credits.get(class) {
                credits.give();
            }
        }
    }

    /// Messages that a rule wants in the log, and which came faster than control could take them; so far.
    pub fn unlogged(&self) -> u64 {
        self.unlogged.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn seen(reason: Reason, frame: u64) -> Seen {
        let record = Record { at: 3, ..Record::of(frame, None, None, reason) };
        Seen { time_ms: 1, worker: 0, record }
    }

    #[test]
    fn a_flood_of_one_reason_takes_no_place_of_another() {
        let refused = Refused::new(4, true);
        (0..1000).for_each(|i| refused.offer(&seen(Reason::SecMissing, i), b"flood"));
        refused.offer(&seen(Reason::SecReplay, 7), &[9; SNAP + 1]);
        refused.offer(&seen(Reason::OkVerified, 8), b"passed");
        let mut kept = Vec::new();
        refused.drain(|capture| kept.push(capture.clone()));
        let of = |reason| kept.iter().filter(move |one| one.seen.record.reason == reason);
        assert_eq!((of(Reason::SecMissing).count(), of(Reason::SecReplay).count(), kept.len()), (4, 1, 5));
        assert!(of(Reason::SecReplay).all(|one| one.len == SNAP + 1 && one.octets.len() == SNAP));
        assert!(of(Reason::SecMissing).all(|one| one.octets == b"flood"));
        refused.offer(&seen(Reason::SecMissing, 2000), b"later");
        let mut again = 0;
        refused.drain(|one| again += one.seen.record.frame);
        assert_eq!(again, 2000, "its places are free again");
        (0..100).for_each(|i| refused.offer(&seen(Reason::OkUnsignedAllowed, i), b"sampled"));
        let mut samples = 0;
        refused.drain(|_| samples += 1);
        assert_eq!(samples, SAMPLES);
        Refused::new(0, false).offer(&seen(Reason::SecMissing, 1), b"");
    }

    #[test]
    fn workers_and_control_at_once_lose_no_buffer() {
        let (refused, over) = (Arc::new(Refused::new(3, false)), Arc::new(AtomicBool::new(false)));
        let workers: Vec<_> = [Reason::SecMissing, Reason::SecReplay, Reason::SecMissing]
            .into_iter()
            .enumerate()
            .map(|(n, reason)| {
                let (refused, over) = (Arc::clone(&refused), Arc::clone(&over));
                std::thread::spawn(move || {
                    let mut i = 0;
                    while !over.load(Ordering::Relaxed) {
                        refused.offer(&seen(reason, i), &[n as u8; 100]);
                        i += 1;
                    }
                })
            })
            .collect();
        let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
        while counts.len() < 2 || counts.values().any(|count| *count < 10_000) {
            refused.drain(|capture| {
                assert!(capture.octets.len() == 100 && capture.octets.windows(2).all(|pair| pair[0] == pair[1]));
                *counts.entry(capture.seen.record.reason).or_default() += 1;
            });
        }
        over.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
        refused.drain(|_| ());
        assert_eq!(refused.blank.len(), refused.blank.capacity());
        assert!(ALL.iter().zip(&refused.credits).all(|(reason, one)| one.left() == 3 * u32::from(is_refusal(*reason))));
    }
}
