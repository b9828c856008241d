//! The highest load that holds: a search over trials, after the idea of MLRsearch (draft-ietf-bmwg-mlrsearch).
//!
//! Short trials come first and narrow the interval; only the last phase has trials of full length, and a load holds when
//! enough of them do. The search knows nothing of time or ports: it is given a function that makes a trial.

use std::collections::BTreeMap;

/// What a load must do to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Share of the messages that may be lost: 0 for the non-drop rate (NDR), 0.005 for the partial drop rate (PDR).
    pub loss_ratio: f64,
    /// Seconds of a trial of the last phase.
    pub seconds: f64,
    /// Trials of the last phase.
    pub trials: u32,
    /// Share of these that may lose more; 0: none.
    pub exceed: f64,
    /// How close the bounds come, as a share of the load.
    pub width: f64,
    /// Lowest and highest load tried, messages a second.
    pub range: (f64, f64),
    /// How often a trial is made again that lost too much and was disturbed from outside.
    pub repeats: u32,
}

impl Goal {
    /// No loss, 21 trials of one second, bounds 0.5 % apart: what MLRsearch has by default, without trials that may lose.
    pub const NDR: Self = Self {
        loss_ratio: 0.0,
        seconds: 1.0,
        trials: 21,
        exceed: 0.0,
        width: 0.005,
        range: (1_000.0, 5_000_000.0),
        repeats: 5,
    };

    /// One message of 200 may be lost.
    pub const PDR: Self = Self { loss_ratio: 0.005, ..Self::NDR };
}

/// What the search needs to know of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// Messages offered.
    pub sent: u64,
    /// Messages that did not come.
    pub lost: u64,
    /// Messages that came, a second.
    pub forwarded_per_s: f64,
    /// Whether somebody outside disturbed it.
    pub spoiled: bool,
}

impl Shot {
    fn holds(&self, goal: &Goal) -> bool {
        self.sent > 0 && self.lost as f64 <= goal.loss_ratio * self.sent as f64
    }
}

/// What was asked to be tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// Messages a second.
    pub rate: f64,
    /// For so long.
    pub seconds: f64,
    /// Whether it is one of the trials that count in the end.
    pub last_phase: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The highest load that held, messages a second; `None`: not even the lowest did.
    pub holds: Option<f64>,
    /// The lowest load above it that did not; `None`: the highest that was allowed held.
    pub fails: Option<f64>,
    /// Trials made.
    pub trials: u32,
    /// Trials that were made again since they were disturbed.
    pub repeated: u32,
    /// Trials that were disturbed to the end and counted as loss: the true value may be higher.
    pub flagged: u32,
}

/// One phase.
struct Phase<'a, T> {
    goal: Goal,
    last: bool,
    trial: &'a mut T,
    known: BTreeMap<u64, bool>,
    found: &'a mut Found,
}

impl<T: FnMut(Ask) -> Shot> Phase<'_, T> {
    /// Whether this load holds.
    fn holds(&mut self, rate: f64) -> bool {
        if let Some(known) = self.known.get(&rate.to_bits()) {
            return *known;
        }
        let may_fail = (self.goal.exceed * f64::from(self.goal.trials)) as u32;
        let (mut good, mut bad, mut repeats) = (0, 0, 0);
        // Repeats are counted for each trial: a machine that disturbs every third one says all the same what it carries.
        while good + may_fail < self.goal.trials && bad <= may_fail {
            let shot = (self.trial)(Ask { rate, seconds: self.goal.seconds, last_phase: self.last });
            self.found.trials += 1;
            if shot.holds(&self.goal) {
                // Whoever disturbed it: nothing was lost.
                (good, repeats) = (good + 1, 0);
            } else if shot.spoiled && repeats < self.goal.repeats {
                repeats += 1;
                self.found.repeated += 1;
            } else {
                (bad, repeats) = (bad + 1, 0);
                self.found.flagged += u32::from(shot.spoiled);
            }
        }
        let holds = bad <= may_fail;
        self.known.insert(rate.to_bits(), holds);
        holds
    }

    /// Bounds that are `width` apart, from `start` on.
    fn run(&mut self, start: f64) -> (Option<f64>, Option<f64>) {
        let (lowest, highest) = self.goal.range;
        let (mut low, mut high) = (start.clamp(lowest, highest), None);
        let mut step = self.goal.width;
        while !self.holds(low) {
            high = Some(low);
            if low <= lowest {
                return (None, high);
            }
            low = (low / (1.0 + step)).max(lowest);
            step *= 2.0;
        }
        step = self.goal.width;
        let mut above = match high {
            Some(high) => high,
            None => loop {
                if low >= highest {
                    return (Some(low), None);
                }
                let next = (low * (1.0 + step)).min(highest);
                if !self.holds(next) {
                    break next;
                }
                low = next;
                step *= 2.0;
            },
        };
        while above > low * (1.0 + self.goal.width) {
            let middle = (low * above).sqrt();
            if self.holds(middle) { low = middle } else { above = middle }
        }
        (Some(low), Some(above))
    }
}

/// Searches for the highest load that holds.
///
/// * `trial`: offers a load for so many seconds and says what came of it
pub fn search(goal: &Goal, mut trial: impl FnMut(Ask) -> Shot) -> Found {
    let mut found = Found { holds: None, fails: None, trials: 1, repeated: 0, flagged: 0 };
    // Overload shows what is forwarded at most: a first guess that is not far off.
    let flood = trial(Ask { rate: goal.range.1, seconds: goal.seconds / 5.0, last_phase: false });
    let mut start = flood.forwarded_per_s.clamp(goal.range.0, goal.range.1);
    let phases = [(5.0, 8.0, false), (2.0, 3.0, false), (1.0, 1.0, true)];
    for (shorter, wider, last) in phases {
        let one = if last { goal.trials } else { 1 };
        let goal = Goal { seconds: goal.seconds / shorter, trials: one, width: goal.width * wider, ..*goal };
        let mut phase = Phase { goal, last, trial: &mut trial, known: BTreeMap::new(), found: &mut found };
        let (holds, fails) = phase.run(start);
        (found.holds, found.fails) = (holds, fails);
        start = holds.unwrap_or(goal.range.0);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gateway in thought: so much it takes, one message of so many it loses, and every so many trials it is disturbed.
    struct Model {
        capacity: f64,
        lose_one_in: u64,
        disturb_every: u64,
        sent: u64,
        asked: Vec<Ask>,
    }

    impl Model {
        fn new(capacity: f64) -> Self {
            Self { capacity, lose_one_in: 0, disturb_every: 0, sent: 0, asked: Vec::new() }
        }

        fn trial(&mut self, ask: Ask) -> Shot {
            self.asked.push(ask);
            let sent = (ask.rate * ask.seconds) as u64;
            let over = ((ask.rate - self.capacity).max(0.0) * ask.seconds) as u64;
            let by_fault = match self.lose_one_in {
                0 => 0,
                n => (self.sent + sent) / n - self.sent / n,
            };
            self.sent += sent;
            let spoiled = self.disturb_every > 0 && (self.asked.len() as u64).is_multiple_of(self.disturb_every);
            let lost = over + by_fault + if spoiled { 100 } else { 0 };
            Shot { sent, lost, forwarded_per_s: (sent - lost.min(sent)) as f64 / ask.seconds, spoiled }
        }
    }

    #[test]
    fn the_capacity_is_found_within_the_width() {
        for capacity in [1_500.0, 87_654.0, 1_234_567.0, 4_999_000.0] {
            let mut model = Model::new(capacity);
            let found = search(&Goal::NDR, |ask| model.trial(ask));
            let holds = found.holds.unwrap_or(0.0);
            assert!(holds <= capacity * 1.000_01 && holds >= capacity / 1.006, "{capacity}: {found:?}");
            let time: f64 = model.asked.iter().map(|ask| ask.seconds).sum();
            assert!(time < 150.0, "{capacity}: {time} s");
            let last = model.asked.iter().filter(|ask| ask.last_phase && ask.rate == holds);
            assert_eq!(last.count(), 21, "every trial of the load that holds was made");
        }
    }

    #[test]
    fn a_gateway_faster_than_the_tester_is_said_to_be() {
        let mut model = Model::new(9e6);
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        assert_eq!((found.holds, found.fails), (Some(5_000_000.0), None));
    }

    #[test]
    fn one_lost_in_a_million_is_found() {
        let mut model = Model { lose_one_in: 1_000_000, ..Model::new(1_000_000.0) };
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        // 21 trials of a second without the one that loses: at most 48,000 a second.
        assert!(found.holds.is_none_or(|holds| holds < 50_000.0), "{found:?}");
        let pdr = search(&Goal::PDR, |ask| model.trial(ask));
        assert!(pdr.holds.is_some_and(|holds| holds > 990_000.0), "{pdr:?}");
    }

    #[test]
    fn what_always_loses_holds_at_no_load() {
        let mut model = Model { lose_one_in: 100, ..Model::new(1e6) };
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        assert_eq!((found.holds, found.fails), (None, Some(Goal::NDR.range.0)));
    }

    #[test]
    fn a_disturbed_trial_is_made_again() {
        // Every second one: far more than a load has trials to spare, never six in a row.
        let mut model = Model { disturb_every: 2, ..Model::new(500_000.0) };
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        assert!(found.holds.is_some_and(|holds| holds > 497_000.0) && found.flagged == 0, "{found:?}");
        let mut model = Model { disturb_every: 7, ..Model::new(500_000.0) };
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        assert!(found.holds.is_some_and(|holds| holds > 497_000.0), "{found:?}");
        assert!(found.repeated > 0 && found.flagged == 0, "{found:?}");
        // Always disturbed: it ends, and says so.
        let mut model = Model { disturb_every: 1, ..Model::new(500_000.0) };
        let found = search(&Goal::NDR, |ask| model.trial(ask));
        assert!(found.holds.is_none() && found.flagged > 0, "{found:?}");
    }
}
