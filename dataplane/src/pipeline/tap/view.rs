//! What a worker shows of its associations.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::pipeline::association::Association;
use crate::policy::snapshot::LinkId;
use crate::state::Direction;

/// Associations of one worker that are shown, those whose tags are proven first.
pub const MAX_VIEWED: usize = 256;
/// Milliseconds between two copies, however often somebody asks.
const PAUSE_MS: u64 = 100;

/// One association.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AssociationView {
    /// Its link.
    pub link: LinkId,
    /// The neighbour's port.
    pub remote: u16,
    /// Our host's port.
    pub local: u16,
    /// Whether both verification tags are known.
    pub proven: bool,
    /// When its last packet came, milliseconds since 1970.
    pub seen_ms: u64,
    /// Frames that wait for a verdict, or behind one that does: from interconnect, and to it.
    pub waiting: [usize; 2],
    /// DATA chunks held until the rest of their message is here, in the same order.
    pub fragments: [usize; 2],
}

/// What one worker shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// The question that this answers.
    pub answers: u32,
    /// Associations that it has, those that are not shown among them.
    pub total: usize,
    /// Some of them.
    pub list: Vec<AssociationView>,
}

/// One of each worker, and the question.
pub(in crate::pipeline) struct Views {
    asked: AtomicU32,
    cells: Vec<Mutex<View>>,
}

impl Views {
    pub(super) fn new(workers: usize) -> Self {
        let cell = || Mutex::new(View { list: Vec::with_capacity(MAX_VIEWED), ..View::default() });
        Self { asked: AtomicU32::new(0), cells: (0..workers).map(|_| cell()).collect() }
    }

    pub(super) fn ask(&self) -> u32 {
        self.asked.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    pub(super) fn read(&self, worker: usize) -> Option<View> {
        self.cells.get(worker).map(|cell| cell.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The worker's side of its view.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Viewed {
    answered: u32,
    at_ms: u64,
}

impl Viewed {
    /// Leaves a view, if somebody asked and nobody is reading just now.
    pub(in crate::pipeline) fn answer(&mut self, views: &Views, worker: usize, now_ms: u64, all: &[Association]) {
        let asked = views.asked.load(Ordering::Relaxed);
        if asked == self.answered || now_ms.abs_diff(self.at_ms) < PAUSE_MS {
            return;
        }
        let Some(Ok(mut view)) = views.cells.get(worker).map(Mutex::try_lock) else { return };
        (self.answered, self.at_ms) = (asked, now_ms);
        (view.answers, view.total) = (asked, all.len());
        view.list.clear();
        for proven in [true, false] {
            let room = MAX_VIEWED - view.list.len();
            view.list.extend(all.iter().filter(|one| one.tags.is_proven() == proven).take(room).map(shown));
        }
    }
}

fn shown(association: &Association) -> AssociationView {
    let ways = [Direction::In, Direction::Out];
    let flow = |way: Direction| association.flows.get(way as usize);
    let held = |way| flow(way).and_then(|flow| flow.held.as_ref()).map_or(0, |held| held.held());
    AssociationView {
        link: association.key.link,
        remote: association.key.remote,
        local: association.key.local,
        proven: association.tags.is_proven(),
        seen_ms: association.seen_ms,
        waiting: ways.map(|way| flow(way).map_or(0, |flow| flow.queue.len())),
        fragments: ways.map(held),
    }
}
