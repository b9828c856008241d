//! What detectors remember, of all workers together.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::policy::Snapshot;
use crate::policy::detection::{Detection, Detector};
use crate::state::keyed::Key;
use crate::state::pending::Pending;
use crate::state::sources::Sources;
use crate::state::steps::Steps;
use crate::state::subscribers::{self, Subscribers};

/// Buckets looked through at each sweep, a hundred times a second: the largest table, of 2^26, in a day.
const SWEEP_BUCKETS: u32 = 8;

/// The memories, all of whose memory is taken at the start.
pub struct Memories {
    /// Where subscribers were last seen.
    pub subscribers: Subscribers,
    /// Location updates that wait for our register's answer.
    pub pending: Pending,
    /// Steps of procedures.
    pub steps: Steps,
    /// Who asks for how many, and how often.
    pub sources: Sources,
    /// Since when each detector looks, milliseconds since 1970; 0: it does not.
    since_ms: [AtomicU64; Detector::ALL.len()],
}

impl Memories {
    /// Empty ones of the sizes that the policy asks for.
    pub fn new(snapshot: &Snapshot, key: Key) -> Self {
        let sizes = &snapshot.detection.sizes;
        let config = subscribers::Config { subscribers: sizes.subscribers, idle_ms: u64::from(sizes.idle_s) * 1000 };
        Self {
            subscribers: Subscribers::new(config, key),
            pending: Pending::default(),
            steps: Steps::new(sizes.steps),
            sources: Sources::new(sizes.sources, key),
            since_ms: Default::default(),
        }
    }

    /// Octets of memory.
    pub fn memory(&self) -> usize {
        self.subscribers.memory() + self.pending.memory() + self.steps.memory() + self.sources.memory()
    }

    /// Clears some of what has expired, and notes which detectors look. Any worker may call it, once a turn.
    pub(in crate::pipeline) fn sweep(&self, detection: &Detection, now_ms: u64) {
        for detector in Detector::ALL {
            let since = self.since(detector);
            match (detection.looks(detector), since.load(Ordering::Relaxed)) {
                (true, 0) => since.store(now_ms.max(1), Ordering::Relaxed),
                (false, 1..) => since.store(0, Ordering::Relaxed),
                _ => {}
            }
        }
        if detection.follows() {
            self.subscribers.sweep(SWEEP_BUCKETS, now_ms);
        }
        if detection.steps() {
            self.steps.sweep(SWEEP_BUCKETS, now_ms);
        }
    }

    /// Whether a detector still learns: it looks on and refuses nothing.
    pub(super) fn learns(&self, detection: &Detection, detector: Detector, now_ms: u64) -> bool {
        let learn_ms = u64::from(detection.switch(detector).learn_s) * 1000;
        // One that nobody has noted yet was switched on just now.
        let since = match self.since(detector).load(Ordering::Relaxed) {
            0 => now_ms,
            since => since,
        };
        now_ms < since.saturating_add(learn_ms)
    }

    /// Since when each detector looks, in the order of [`Detector::ALL`]; 0: it does not.
    pub(in crate::pipeline) fn looking_since(&self) -> [u64; Detector::ALL.len()] {
        self.since_ms.each_ref().map(|since| since.load(Ordering::Relaxed))
    }

    /// Goes on with what a run before had learned.
    pub(in crate::pipeline) fn look_since(&mut self, since_ms: [u64; Detector::ALL.len()]) {
        self.since_ms = since_ms.map(AtomicU64::new);
    }

    fn since(&self, detector: Detector) -> &AtomicU64 {
        &self.since_ms[detector as usize]
    }
}
