//! Each worker's counters: plain fields on the packet path, copied out for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use sealgate_wire::Reason;
use sealgate_wire::reason::COUNT;

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
    /// Frames made by splitting a packet that outgrew its link.
    pub made: u64,
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
    /// DATA chunks that came again and got their first verdict again.
    pub repeated: u64,
    /// Things that happened to messages besides their verdict, by reason: a message that left unsigned because it
    /// could not grow, segments that never became a message.
    pub events: [u64; COUNT],
    /// Verification tags taken over from running traffic.
    pub adopted: u64,
    /// Verdicts: a row for each peer and direction, a column for each reason. See [`Stats::verdicts`].
    rows: Vec<[u64; COUNT]>,
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
            handed: 0,
            taken: 0,
            frames_dropped: [0; COUNT],
            frames_held: 0,
            messages: 0,
            messages_waiting: 0,
            repeated: 0,
            events: [0; COUNT],
            adopted: 0,
            rows: vec![[0; COUNT]; peers * 2],
        }
    }

    /// Counts a verdict. A peer beyond the table counts as unknown.
    pub fn count(&mut self, peer: u16, way: Direction, reason: Reason) {
        let row = usize::from(peer) * 2 + way as usize;
        let row = if row < self.rows.len() { row } else { way as usize };
        if let Some(cell) = self.rows.get_mut(row).and_then(|row| row.get_mut(reason.index())) {
            *cell += 1;
        }
    }

    /// Counts an event.
    pub fn event(&mut self, reason: Reason) {
        self.events[reason.index()] += 1;
    }

    /// Verdicts of one peer and direction, in the order of [`sealgate_wire::reason::ALL`].
    pub fn verdicts(&self, peer: u16, way: Direction) -> Option<&[u64; COUNT]> {
        self.rows.get(usize::from(peer) * 2 + way as usize)
    }

    /// How many peers have a row.
    pub fn peers(&self) -> usize {
        self.rows.len() / 2
    }

    /// Verdicts under this reason, over all peers and both directions.
    pub fn total(&self, reason: Reason) -> u64 {
        self.rows.iter().filter_map(|row| row.get(reason.index())).sum()
    }

    /// Frames in and frames accounted for: equal, or a frame was lost inside.
    pub fn frame_balance(&self) -> (u64, u64) {
        let received = self.rx.iter().sum::<u64>() + self.made + self.taken;
        let dropped: u64 = self.frames_dropped.iter().sum();
        (received, self.tx.iter().sum::<u64>() + dropped + self.frames_held + self.handed)
    }

    /// Messages in and messages accounted for: equal, or a message was lost inside.
    pub fn message_balance(&self) -> (u64, u64) {
        let judged: u64 = self.rows.iter().flatten().sum();
        (self.messages, judged + self.messages_waiting)
    }

    /// Adds another worker's counters; rows beyond ours are left out.
    pub fn add(&mut self, other: &Stats) {
        let Self {
            turns,
            idle_turns,
            rx,
            tx,
            made,
            handed,
            taken,
            frames_dropped,
            frames_held,
            messages,
            messages_waiting,
            repeated,
            events,
            adopted,
            rows,
        } = self;
        let pairs = [
            (turns, other.turns),
            (idle_turns, other.idle_turns),
            (made, other.made),
            (handed, other.handed),
            (taken, other.taken),
            (frames_held, other.frames_held),
            (messages, other.messages),
            (messages_waiting, other.messages_waiting),
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
        rows.iter_mut().zip(&other.rows).for_each(|(mine, theirs)| add(mine, theirs));
    }
}

/// Where a worker leaves a copy of its counters, and control finds it.
#[derive(Clone, Debug)]
pub struct StatsCell(Arc<Mutex<Stats>>);

impl StatsCell {
    /// A cell for a worker with this many peers.
    pub fn new(peers: usize) -> Self {
        Self(Arc::new(Mutex::new(Stats::new(peers))))
    }

    /// The worker's side: leaves a copy, unless somebody is reading just now. Never waits.
    pub fn offer(&self, stats: &Stats) -> bool {
        self.0.try_lock().map(|mut copy| copy.clone_from(stats)).is_ok()
    }

    /// Control's side: the last copy.
    pub fn read(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
    fn adding_adds_every_field() {
        let mut one = Stats::new(1);
        one.rx = [1, 2];
        one.events[3] = 4;
        one.count(0, Direction::In, Reason::OkVerified);
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!((sum.rx, sum.events[3], sum.total(Reason::OkVerified)), ([2, 4], 8, 2));
    }
}
