//! How control sees single verdicts: refused messages with their octets, verdicts that match a filter, and what a worker
//! knows of its associations. A worker never waits, allocates or locks for any of it.
//!
//! * **Refused** ([`Refused`]): for each reason there are so many buffers, and a credit for each. Without a credit nothing
//!   is copied, so a flood of one reason costs a load a message and takes no place of another reason.
//! * **Trace** ([`Tap::begin`]): the worker filters, since a rare message would not survive a queue filled with others. While
//!   nobody traces this is one relaxed load a turn. What does not fit the queue is counted.
//! * **Associations** ([`View`]): copied where a worker publishes its counters, when somebody asked since the last time.

mod filter;
mod refused;
mod view;

pub use filter::{Filter, ReasonSet, Spoken};
pub use refused::{Capture, Refused, SNAP, is_sampled};
pub(super) use view::Viewed;
pub use view::{AssociationView, MAX_VIEWED, View};

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam::queue::ArrayQueue;
use sealgate_wire::Reason;
use sealgate_wire::sctp::{ChunkKind, Data, Packet};

use super::slots::{FrameSlot, Message, Part, Record, Slab};
use crate::io::Frame;
use crate::state::Direction;

/// Traces at a time.
pub const SESSIONS: usize = 4;
/// Verdicts of one trace that may wait for control.
pub const TRACE_QUEUE: usize = 512;

/// One verdict, by whom and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Milliseconds since 1970, as the worker's turn had it.
    pub time_ms: u64,
    /// The worker.
    pub worker: usize,
    /// What became of which message or frame.
    pub record: Record,
}

/// A verdict that matched a trace's filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traced {
    session: u32,
    /// The verdict.
    pub seen: Seen,
    /// What the message says of itself.
    pub spoken: Spoken,
}

/// A trace under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    slot: usize,
    number: u32,
}

/// A filter that is in force.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    session: u32,
    filter: Filter,
}

/// Where one trace's verdicts wait.
struct Trace {
    queue: ArrayQueue<Traced>,
    missed: AtomicU64,
}

/// What all workers and control share.
pub struct Tap {
    /// Changes with the filters.
    epoch: AtomicU32,
    wanted: Mutex<[Option<Wanted>; SESSIONS]>,
    traces: [Trace; SESSIONS],
    refused: Refused,
    views: view::Views,
}

impl Default for Tap {
    /// Traces only: no refused message is kept, nothing is sampled, and no associations are shown.
    fn default() -> Self {
        Self::new(0, 0)
    }
}

impl Tap {
    /// * `workers`: how many there are; `kept`: refused messages of each reason that may wait for control, 0: none are kept.
    ///   Messages that pass unsigned are sampled all the same
    pub fn new(workers: usize, kept: u32) -> Self {
        Self {
            epoch: AtomicU32::new(0),
            wanted: Mutex::default(),
            traces: std::array::from_fn(|_| Trace { queue: ArrayQueue::new(TRACE_QUEUE), missed: AtomicU64::new(0) }),
            refused: Refused::new(kept, workers > 0),
            views: view::Views::new(workers),
        }
    }

    /// Refused messages and samples, for control to take.
    pub fn refused(&self) -> &Refused {
        &self.refused
    }

    /// Control asks for the associations of each worker; they come with its counters, within some tenths of a second.
    pub fn ask_views(&self) -> u32 {
        self.views.ask()
    }

    /// What this worker showed last of its associations; with the number of the question it answers.
    pub fn view(&self, worker: usize) -> Option<View> {
        self.views.read(worker)
    }

    /// Where a worker finds whether somebody asked, and leaves the answer.
    pub(super) fn views(&self) -> &view::Views {
        &self.views
    }

    /// Begins a trace; `None` while there are [`SESSIONS`] already. Each worker has the filter a turn later.
    pub fn begin(&self, filter: Filter) -> Option<Session> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = wanted.iter().position(Option::is_none)?;
        let number = self.epoch.load(Ordering::Relaxed).wrapping_add(1);
        if let (Some(place), Some(trace)) = (wanted.get_mut(slot), self.traces.get(slot)) {
            *place = Some(Wanted { session: number, filter });
            trace.missed.store(0, Ordering::Relaxed);
        }
        self.epoch.store(number, Ordering::Release);
        Some(Session { slot, number })
    }

    /// Takes the verdicts of a trace that have come, at most `max`. Returns how many did not fit its queue until now.
    pub fn take(&self, session: Session, max: usize, out: &mut Vec<Traced>) -> u64 {
        let Some(trace) = self.traces.get(session.slot) else { return 0 };
        for _ in 0..max {
            let Some(traced) = trace.queue.pop() else { break };
            // A worker may still have had the filter of a trace before this one.
            if traced.session == session.number {
                out.push(traced);
            }
        }
        trace.missed.load(Ordering::Relaxed)
    }

    /// Traces under way.
    pub fn sessions(&self) -> usize {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().count()
    }

    /// Ends a trace.
    pub fn end(&self, session: Session) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = wanted.get_mut(session.slot)
            && place.is_some_and(|one| one.session == session.number)
        {
            *place = None;
            self.epoch.fetch_add(1, Ordering::Release);
        }
    }
}

/// What is looked at of a message.
pub(super) struct Looked<'w, F> {
    pub(super) frames: &'w mut Slab<Box<FrameSlot<F>>>,
    pub(super) message: &'w Message,
    /// Its frame, if it lies in none of those.
    pub(super) picture: &'w [u8],
}

/// Whether a message with this verdict is offered to control.
pub(super) fn is_offered(reason: Reason, way: Option<Direction>) -> bool {
    is_refusal(reason) || is_sampled(reason) && way == Some(Direction::In)
}

/// A worker's side: the filters it knows of.
#[derive(Debug)]
pub(super) struct Ear {
    worker: usize,
    epoch: u32,
    wanted: [Option<Wanted>; SESSIONS],
    /// Whether any of them is.
    tracing: bool,
}

impl Ear {
    pub(super) fn new(worker: usize) -> Self {
        Self { worker, epoch: 0, wanted: [None; SESSIONS], tracing: false }
    }

    /// Once a turn: picks up filters that changed, unless control is at them just now.
    pub(super) fn refresh(&mut self, tap: &Tap) {
        let epoch = tap.epoch.load(Ordering::Relaxed);
        if epoch != self.epoch
            && let Ok(wanted) = tap.wanted.try_lock()
        {
            (self.epoch, self.wanted) = (tap.epoch.load(Ordering::Relaxed), *wanted);
            self.tracing = self.wanted.iter().any(Option::is_some);
        }
    }

    /// A frame's own verdict: it was dropped.
    pub(super) fn frame(&self, tap: &Tap, time_ms: u64, record: Record, octets: &[u8]) {
        let seen = Seen { time_ms, worker: self.worker, record };
        tap.refused.offer(&seen, octets);
        if self.tracing {
            self.trace(tap, seen, Spoken::default);
        }
    }

    /// A message's verdict, its frames still as they came.
    pub(super) fn message<F: Frame>(&self, tap: &Tap, time_ms: u64, record: Record, looked: Looked<'_, F>) {
        let offered = is_offered(record.reason, record.way) || record.would.is_some() || record.logged;
        if !offered && !self.tracing {
            return;
        }
        let seen = Seen { time_ms, worker: self.worker, record };
        let Looked { frames, message, picture } = looked;
        if offered {
            let frame = message.parts.last().and_then(|part| frames.get_mut(part.frame));
            let octets = frame.and_then(|slot| slot.frame.as_ref()).map_or(picture, |frame| frame.octets());
            tap.refused.offer(&seen, octets);
        }
        if self.tracing {
            self.trace(tap, seen, || spoken(frames, message));
        }
    }

    #[cold]
    fn trace(&self, tap: &Tap, seen: Seen, spoken: impl FnOnce() -> Spoken) {
        let matches = |wanted: &&Wanted| wanted.filter.may_match(&seen.record);
        if !self.wanted.iter().flatten().any(|wanted| matches(&wanted)) {
            return;
        }
        let spoken = spoken();
        for (wanted, trace) in self.wanted.iter().zip(&tap.traces) {
            let Some(wanted) = wanted.as_ref().filter(matches) else { continue };
            if wanted.filter.matches(&spoken)
                && trace.queue.push(Traced { session: wanted.session, seen, spoken }).is_err()
            {
                trace.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Whether something under this reason did not get through for good: neither passed nor held for its other segments.
pub fn is_refusal(reason: Reason) -> bool {
    reason.refuses()
}

/// The longest message in several chunks that is read for a trace.
const LONGEST: usize = 4096;

/// What a message says: read again from its frames as they came, since only who traces wants it.
fn spoken<F: Frame>(frames: &mut Slab<Box<FrameSlot<F>>>, message: &Message) -> Spoken {
    if let [part] = message.parts.as_slice() {
        return user_data(frames, *part).map(|user| Spoken::read(message.kind, user)).unwrap_or_default();
    }
    let mut whole = [0; LONGEST];
    let mut len = 0;
    for part in &message.parts {
        let Some(user) = user_data(frames, *part) else { return Spoken::default() };
        let Some(place) = whole.get_mut(len..len + user.len()) else { return Spoken::default() };
        place.copy_from_slice(user);
        len += user.len();
    }
    Spoken::read(message.kind, whole.get(..len).unwrap_or(&[]))
}

/// The user data of one DATA chunk.
pub(super) fn user_data<F: Frame>(frames: &mut Slab<Box<FrameSlot<F>>>, part: Part) -> Option<&[u8]> {
    let slot = frames.get_mut(part.frame)?;
    let packet = Packet::parse(slot.frame.as_ref()?.octets().get(slot.sctp..slot.end)?).ok()?;
    let chunk = packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA).nth(part.plan)?;
    Data::parse(&chunk).ok().map(|data| data.user)
}
