//! What was sent and has not come back yet: the due time of each message, and what became of it.

use hdrhistogram::Histogram;

use super::feed::{Fate, Side};

/// The longest latency that is told apart from longer ones, nanoseconds: ten seconds.
const LONGEST_NS: u64 = 10_000_000_000;

/// Messages in flight that the ledger knows, over all associations.
const ROOM: usize = 1 << 20;

/// One message.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// When it was due, nanoseconds from the begin of the trial.
    due_ns: u64,
    /// Its number, counted from 1; 0: no message.
    number: u32,
    refuse: bool,
    silent: bool,
    came: bool,
    passed: bool,
}

/// One direction of one association.
struct Flow {
    first: u32,
    sent: u32,
    /// Number of the last one that came.
    last: u32,
    entries: Vec<Entry>,
}

/// Counts of one trial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages handed to the port, or that should have been.
    pub sent: u64,
    /// Messages that came, each counted once.
    pub received: u64,
    /// Messages that came again.
    pub duplicates: u64,
    /// Messages that came after a later one of their flow.
    pub misordered: u64,
    /// Messages that passed and should have been refused.
    pub let_through: u64,
    /// Messages that were refused and should have passed.
    pub turned_down: u64,
    /// Messages in whose place nothing comes, since they must be refused, and did not come.
    pub silent: u64,
    /// Chunks that were never sent, or so long ago that they count as lost.
    pub strange: u64,
}

impl Counts {
    /// Messages that did not come and should have, or something in their place.
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received + self.silent)
    }
}

/// All messages of a trial.
pub struct Ledger {
    flows: Vec<Flow>,
    counts: Counts,
    latency: Histogram<u64>,
    /// Only of messages that were to pass: what a good peer sees of a flood.
    passed: Counts,
}

impl Ledger {
    /// For so many associations, whose first numbers `first_tsn` gives.
    pub fn new(associations: usize, first_tsn: impl Fn(u16, Side) -> u32) -> Self {
        let room = (ROOM / (2 * associations.max(1))).next_power_of_two().max(1024);
        let sides = [Side::Interconnect, Side::Home];
        let flows = (0..associations).flat_map(|association| sides.map(|side| (association as u16, side)));
        let flow = |(association, side)| Flow {
            first: first_tsn(association, side),
            sent: 0,
            last: 0,
            entries: vec![Entry::default(); room],
        };
        Self {
            flows: flows.map(flow).collect(),
            counts: Counts::default(),
            latency: histogram(),
            passed: Counts::default(),
        }
    }

    /// Forgets counts and latencies; messages in flight stay known, so that they are strange to nobody.
    pub fn begin(&mut self) {
        self.counts = Counts::default();
        self.passed = Counts::default();
        self.latency.reset();
        for flow in &mut self.flows {
            // What comes late from the trial before is no message of this one.
            flow.entries.fill(Entry::default());
            flow.last = flow.sent;
        }
    }

    /// A message that goes out.
    ///
    /// * `refuse`: whether the gateway must refuse it; `datagram`: whether nothing comes then
    pub fn sent(&mut self, side: Side, association: u16, tsn: u32, due_ns: u64, refuse: bool, datagram: bool) {
        let silent = refuse && datagram;
        let Some(flow) = self.flows.get_mut(place(side, association)) else { return };
        let number = tsn.wrapping_sub(flow.first).wrapping_add(1);
        flow.sent = number;
        let mask = flow.entries.len() - 1;
        if let Some(entry) = flow.entries.get_mut(number as usize & mask) {
            *entry = Entry { due_ns, number, refuse, silent, came: false, passed: false };
        }
        self.counts.sent += 1;
        self.counts.silent += u64::from(silent);
        self.passed.sent += u64::from(!refuse);
    }

    /// A message that came back.
    pub fn came(&mut self, side: Side, association: u16, tsn: u32, fate: Fate, now_ns: u64) {
        let known = self.flows.get_mut(place(side, association)).and_then(|flow| {
            let number = tsn.wrapping_sub(flow.first).wrapping_add(1);
            let mask = flow.entries.len() - 1;
            let entry = flow.entries.get_mut(number as usize & mask)?;
            (entry.number == number && number != 0).then_some((entry, &mut flow.last))
        });
        let Some((entry, last)) = known else {
            self.counts.strange += 1;
            return;
        };
        if std::mem::replace(&mut entry.came, true) {
            self.counts.duplicates += 1;
            return;
        }
        entry.passed = fate == Fate::Passed;
        self.counts.received += 1;
        self.counts.silent -= u64::from(entry.silent);
        self.passed.received += u64::from(!entry.refuse && fate == Fate::Passed);
        if (entry.number.wrapping_sub(*last) as i32) < 0 {
            self.counts.misordered += 1;
        } else {
            *last = entry.number;
        }
        match (fate, entry.refuse) {
            (Fate::Passed, true) => self.counts.let_through += 1,
            (Fate::Refused, false) => self.counts.turned_down += 1,
            _ => {}
        }
        if !entry.refuse {
            self.latency.saturating_record(now_ns.saturating_sub(entry.due_ns));
        }
    }

    /// Whether a message of this trial came back and had passed, as far as the ledger remembers.
    pub fn passed_on(&self, side: Side, association: u16, tsn: u32) -> bool {
        self.flows.get(place(side, association)).is_some_and(|flow| {
            let number = tsn.wrapping_sub(flow.first).wrapping_add(1);
            let entry = flow.entries.get(number as usize & (flow.entries.len() - 1));
            entry.is_some_and(|entry| entry.number == number && entry.passed)
        })
    }

    /// What came of all messages.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What came of those that were to pass: only sent and received.
    pub fn passed(&self) -> &Counts {
        &self.passed
    }

    /// From due to come, nanoseconds, of messages that were to pass.
    pub fn latency(&self) -> &Histogram<u64> {
        &self.latency
    }
}

fn place(side: Side, association: u16) -> usize {
    usize::from(association) * 2 + usize::from(side == Side::Home)
}

/// Empty, for nanoseconds, three digits exact.
pub fn histogram() -> Histogram<u64> {
    // These bounds are valid whatever the version.
    Histogram::new_with_bounds(1, LONGEST_NS, 3).unwrap_or_else(|_| unreachable!("1 to 10^10 in three digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fate::{Passed, Refused};
    use Side::{Home, Interconnect};

    fn ledger() -> Ledger {
        // Just before the numbers wrap around.
        Ledger::new(2, |_, _| u32::MAX - 1)
    }

    #[test]
    fn each_message_is_counted_once() {
        let mut ledger = ledger();
        let first = u32::MAX - 1;
        for number in 0..6_u32 {
            ledger.sent(Interconnect, 1, first.wrapping_add(number), u64::from(number) * 100, number == 4, false);
        }
        // 1 before 0, 2 twice, 3 lost, 4 passed and should not have, 5 refused and should not have been.
        for (number, fate) in [(1, Passed), (0, Passed), (2, Passed), (2, Passed), (4, Passed), (5, Refused)] {
            ledger.came(Interconnect, 1, first.wrapping_add(number), fate, 1000);
        }
        // Another side, another association, one never sent.
        ledger.came(Home, 1, first, Passed, 1000);
        ledger.came(Interconnect, 0, first, Passed, 1000);
        ledger.came(Interconnect, 1, first.wrapping_add(6), Passed, 1000);
        let want = Counts {
            sent: 6,
            received: 5,
            duplicates: 1,
            misordered: 1,
            let_through: 1,
            turned_down: 1,
            silent: 0,
            strange: 3,
        };
        assert_eq!((ledger.counts(), ledger.counts().lost()), (&want, 1));
        assert_eq!((ledger.passed().sent, ledger.passed().received), (5, 3));
        assert!(ledger.passed_on(Interconnect, 1, first) && !ledger.passed_on(Interconnect, 1, first.wrapping_add(3)));
        assert!(!ledger.passed_on(Home, 1, first) && !ledger.passed_on(Interconnect, 1, first.wrapping_add(5)));
        assert_eq!(ledger.latency().len(), 4);
        assert!(ledger.latency().max() >= 1000 && ledger.latency().min() <= 500);
    }

    #[test]
    fn a_datagram_that_is_refused_is_not_lost() {
        let mut ledger = ledger();
        let first = u32::MAX - 1;
        for number in 0..4_u32 {
            ledger.sent(Interconnect, 0, first.wrapping_add(number), 0, number < 3, true);
        }
        assert_eq!((ledger.counts().silent, ledger.counts().lost()), (3, 1), "one should have come");
        for number in [2, 3, 2] {
            ledger.came(Interconnect, 0, first.wrapping_add(number), Passed, 1000);
        }
        let want = Counts { sent: 4, received: 2, duplicates: 1, let_through: 1, silent: 2, ..Counts::default() };
        assert_eq!((ledger.counts(), ledger.counts().lost()), (&want, 0));
        assert!(!ledger.passed_on(Interconnect, 0, first));
    }

    #[test]
    fn a_new_trial_knows_nothing_of_the_one_before() {
        let mut ledger = ledger();
        ledger.sent(Home, 0, u32::MAX - 1, 0, false, false);
        ledger.begin();
        ledger.came(Home, 0, u32::MAX - 1, Passed, 10);
        assert_eq!(ledger.counts(), &Counts { strange: 1, ..Counts::default() });
        ledger.sent(Home, 0, u32::MAX, 0, false, false);
        ledger.came(Home, 0, u32::MAX, Passed, 10);
        assert_eq!((ledger.counts().received, ledger.counts().misordered), (1, 0));
    }

    #[test]
    fn a_message_that_is_overtaken_by_a_whole_ledger_is_lost() {
        let mut ledger = Ledger::new(1, |_, _| 0);
        let room = (ROOM / 2) as u32;
        for tsn in 0..=room {
            ledger.sent(Interconnect, 0, tsn, 0, false, false);
        }
        ledger.came(Interconnect, 0, 0, Passed, 0);
        assert_eq!((ledger.counts().strange, ledger.counts().lost()), (1, u64::from(room) + 1));
    }
}
