//! Each worker's counters: plain fields on the packet path, copied out for whoever asks.

mod rows;

use std::sync::{Arc, Mutex, PoisonError};

use sealgate_wire::Reason;
use sealgate_wire::reason::COUNT;

use self::rows::Rows;
use crate::state::Direction;

/// Counters of one worker since its start. All are totals; none ever goes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Turns of the loop.
    pub turns: u64,
    /// Turns that received nothing.
    pub idle_turns: u64,
    /// Frames received, by port.
    pub rx: [u64; 2],
    /// Frames sent, by port.
    pub tx: [u64; 2],
    /// Frames made: by splitting a packet that outgrew its link, as responses, and all that leave over TCP.
    pub made: u64,
    /// Frames over TCP whose segments went into their connection. What leaves of it counts as made.
    pub streamed: u64,
    /// IP fragments that went into a packet that leaves, or would have, in place of them.
    pub joined: u64,
    /// Frames handed to the worker that owns their association, and frames taken over from others.
    pub handed: u64,
    /// See `handed`.
    pub taken: u64,
    /// Frames that were not forwarded, by reason.
    pub frames_dropped: [u64; COUNT],
    /// Frames that wait for a signature or a fragment now.
    pub frames_held: u64,
    /// User messages that arrived whole; retransmissions count as `repeated`.
    pub messages: u64,
    /// User messages that wait for a signature now.
    pub messages_waiting: u64,
    /// Verdicts. Copied with `messages`, where the rows of [`Stats::verdicts`] are those of the moment they are read.
    pub judged: u64,
    /// DATA chunks that came again and got their first verdict again.
    pub repeated: u64,
    /// Things that happened to messages besides their verdict, by reason: a message that left unsigned because it
    /// could not grow, segments that never became a message.
    pub events: [u64; COUNT],
    /// Verification tags taken over from running traffic.
    pub adopted: u64,
    /// Verdicts: a row for each peer and direction, a column for each reason. See [`Stats::verdicts`].
    rows: Rows,
    /// The same of what passed and would be refused, were its peer screened actively. See [`Stats::would_be`].
    would: Rows,
}

impl Stats {
    /// Counters for this many peers, the unknown one included.
    pub fn new(peers: usize) -> Self {
        Self {
            turns: 0,
            idle_turns: 0,
            rx: [0; 2],
            tx: [0; 2],
            made: 0,
            streamed: 0,
            joined: 0,
            handed: 0,
            taken: 0,
            frames_dropped: [0; COUNT],
            frames_held: 0,
            messages: 0,
            messages_waiting: 0,
            judged: 0,
            repeated: 0,
            events: [0; COUNT],
            adopted: 0,
            rows: Rows::new(peers),
            would: Rows::new(peers),
        }
    }

    /// Counts a verdict. A peer beyond the table counts as unknown.
    pub fn count(&mut self, peer: u16, way: Direction, reason: Reason) {
        self.judged += 1;
        self.rows.count(peer, way, reason);
    }

    /// Counts an event.
    pub fn event(&mut self, reason: Reason) {
        self.events[reason.index()] += 1;
    }

    /// Verdicts of one peer and direction, in the order of [`sealgate_wire::reason::ALL`].
    pub fn verdicts(&self, peer: u16, way: Direction) -> Option<[u64; COUNT]> {
        self.rows.read(peer, way)
    }

    /// Counts a message that passes and would be refused for this reason, were its peer screened actively.
    pub fn count_would(&mut self, peer: u16, way: Direction, reason: Reason) {
        self.would.count(peer, way, reason);
    }

    /// Messages of one peer and direction that passed and would be refused, in the order of [`sealgate_wire::reason::ALL`].
    pub fn would_be(&self, peer: u16, way: Direction) -> Option<[u64; COUNT]> {
        self.would.read(peer, way)
    }

    /// How many peers have a row.
    pub fn peers(&self) -> usize {
        self.rows.peers()
    }

    /// Verdicts under this reason, over all peers and both directions.
    pub fn total(&self, reason: Reason) -> u64 {
        self.rows.total(reason)
    }

    /// Frames in and frames accounted for: equal, or a frame was lost inside.
    pub fn frame_balance(&self) -> (u64, u64) {
        let received = self.rx.iter().sum::<u64>() + self.made + self.taken;
        let dropped: u64 = self.frames_dropped.iter().sum();
        let inside = self.frames_held + self.handed + self.streamed + self.joined;
        (received, self.tx.iter().sum::<u64>() + dropped + inside)
    }

    /// Messages in and messages accounted for: equal, or a message was lost inside.
    pub fn message_balance(&self) -> (u64, u64) {
        (self.messages, self.judged + self.messages_waiting)
    }

    /// Adds another worker's counters.
    pub fn add(&mut self, other: &Stats) {
        let Self {
            turns,
            idle_turns,
            rx,
            tx,
            made,
            streamed,
            joined,
            handed,
            taken,
            frames_dropped,
            frames_held,
            messages,
            messages_waiting,
            judged,
            repeated,
            events,
            adopted,
            rows,
            would,
        } = self;
        let pairs = [
            (turns, other.turns),
            (idle_turns, other.idle_turns),
            (made, other.made),
            (streamed, other.streamed),
            (joined, other.joined),
            (handed, other.handed),
            (taken, other.taken),
            (frames_held, other.frames_held),
            (messages, other.messages),
            (messages_waiting, other.messages_waiting),
            (judged, other.judged),
            (repeated, other.repeated),
            (adopted, other.adopted),
        ];
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
        let add = |mine: &mut [u64], theirs: &[u64]| mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        add(rx, &other.rx);
        add(tx, &other.tx);
        add(frames_dropped, &other.frames_dropped);
        add(events, &other.events);
        rows.add(&other.rows);
        would.add(&other.would);
    }

    /// The same fields, and the rows not as a copy but as they are counted in.
    fn view(&self) -> Self {
        let Self { rows, would, frames_dropped, events, .. } = self;
        let (rows, would) = (rows.share(), would.share());
        Self { rows, would, frames_dropped: *frames_dropped, events: *events, ..*self }
    }
}

/// Where a worker leaves a copy of its counters, and control finds it.
#[derive(Clone, Debug)]
pub struct StatsCell(Arc<Mutex<Desk>>);

#[derive(Debug)]
struct Desk {
    /// Its rows are those that the worker counts in, or longer.
    stats: Stats,
    /// Rows that the worker may still use: freed here, by control.
    before: Option<[Rows; 2]>,
}

impl StatsCell {
    /// A cell for the worker with these counters.
    pub fn new(stats: &Stats) -> Self {
        Self(Arc::new(Mutex::new(Desk { stats: stats.view(), before: None })))
    }

    /// The worker's side: leaves a copy and takes over what control has made longer, unless somebody reads just now. Never
    /// waits.
    pub fn offer(&self, stats: &mut Stats) -> bool {
        let Ok(mut desk) = self.0.try_lock() else { return false };
        if desk.stats.rows.peers() > stats.rows.peers() {
            stats.rows = desk.stats.rows.share();
            stats.would = desk.stats.would.share();
        }
        desk.stats = stats.view();
        true
    }

    /// Control's side: room for this many peers, which the worker takes over when it next leaves a copy.
    pub fn grow(&self, peers: usize) {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if peers > desk.stats.rows.peers() {
            let (rows, would) = (desk.stats.rows.grown(peers), desk.stats.would.grown(peers));
            let stats = &mut desk.stats;
            let before = [std::mem::replace(&mut stats.rows, rows), std::mem::replace(&mut stats.would, would)];
            desk.before = Some(before);
        }
    }

    /// Control's side: the last copy, with the verdicts of this moment.
    pub fn read(&self) -> Stats {
        let view = self.0.lock().unwrap_or_else(PoisonError::into_inner).stats.view();
        view.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_beyond_the_table_counts_as_unknown() {
        let mut stats = Stats::new(2);
        stats.count(7, Direction::In, Reason::SecMissing);
        stats.count(1, Direction::Out, Reason::OkSignedEgress);
        assert_eq!(stats.verdicts(0, Direction::In).map(|row| row[Reason::SecMissing.index()]), Some(1));
        assert_eq!((stats.total(Reason::OkSignedEgress), stats.message_balance()), (1, (0, 2)));
    }

    #[test]
    fn rows_grow_under_a_worker_and_lose_no_count() {
        let mut stats = Stats::new(1);
        let cell = StatsCell::new(&stats);
        stats.count(0, Direction::In, Reason::OkVerified);
        cell.grow(40);
        stats.count(39, Direction::In, Reason::SecMissing);
        let count =
            |stats: &Stats, peer, reason: Reason| stats.verdicts(peer, Direction::In).map(|row| row[reason.index()]);
        assert_eq!(count(&cell.read(), 0, Reason::OkVerified), Some(1), "read where it is counted");
        assert_eq!(count(&stats, 0, Reason::SecMissing), Some(1), "not taken over yet: unknown");
        assert!(cell.offer(&mut stats));
        stats.count(39, Direction::In, Reason::SecMissing);
        assert_eq!((stats.peers(), count(&cell.read(), 39, Reason::SecMissing)), (40, Some(1)));
        assert_eq!((count(&stats, 0, Reason::OkVerified), stats.total(Reason::SecMissing)), (Some(1), 2));
        let copy = stats.clone();
        stats.count(39, Direction::In, Reason::SecMissing);
        assert_eq!((copy.total(Reason::SecMissing), stats.total(Reason::SecMissing)), (2, 3), "a clone stands still");
    }

    #[test]
    fn adding_adds_every_field() {
        let mut one = Stats::new(1);
        one.rx = [1, 2];
        one.events[3] = 4;
        one.count(0, Direction::In, Reason::OkVerified);
        one.count_would(0, Direction::In, Reason::PolCat1);
        let mut sum = Stats::new(0);
        sum.add(&one);
        sum.add(&one);
        assert_eq!((sum.rx, sum.events[3], sum.total(Reason::OkVerified)), ([2, 4], 8, 2));
        assert_eq!(sum.would_be(0, Direction::In).map(|row| row[Reason::PolCat1.index()]), Some(2));
    }
}
