//! Signature states of each peer over the last hour, day and week (formats 13.3), out of samples of its counters.

use super::state::{Shares, State};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Names of windows, their lengths and the time between two of their samples, seconds.
const WINDOWS: [(&str, i64, i64); 3] = [("1h", 3600, 600), ("24h", 24 * 3600, 3600), ("7d", 7 * 24 * 3600, 6 * 3600)];

/// The counters of all peers at a moment, by their place.
#[derive(Debug)]
struct Sample {
    at: i64,
    peers: Vec<Shares>,
}

/// Samples for each window: 61 in all, 24 MB for 10,000 peers.
#[derive(Debug, Default)]
pub struct History([VecDeque<Sample>; WINDOWS.len()]);

/// What a peer sent within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name.
    pub name: &'static str,
    /// Seconds that it covers: less than its name says after a start, and up to one sample more later.
    pub span_s: i64,
    /// Messages by state.
    pub shares: Shares,
}

impl History {
    /// Whether a sample is due at `now`, seconds since 1970.
    pub fn is_due(&self, now: i64) -> bool {
        WINDOWS.iter().zip(&self.0).any(|((_, _, step), samples)| due(samples, *step, now))
    }

    /// Takes a sample where one is due.
    ///
    /// * `peers`: counters since the start, by the peer's place
    pub fn take(&mut self, now: i64, peers: &[Shares]) {
        for ((_, length, step), samples) in WINDOWS.iter().zip(&mut self.0) {
            if !due(samples, *step, now) {
                continue;
            }
            samples.push_back(Sample { at: now, peers: peers.to_vec() });
            // One that is older than the window is kept: what came since is the window.
            while samples.get(1).is_some_and(|second| now - second.at >= *length) {
                samples.pop_front();
            }
        }
    }

    /// What one peer sent within each window.
    ///
    /// * `counters`: as they are now
    pub fn windows(&self, now: i64, peer: usize, counters: Shares) -> [Window; WINDOWS.len()] {
        std::array::from_fn(|i| {
            let (name, length, _) = WINDOWS.get(i).copied().unwrap_or_default();
            let samples = self.0.get(i);
            let before = |sample: &&Sample| now - sample.at >= length;
            let first = samples.and_then(|samples| samples.iter().rev().find(before).or(samples.front()));
            let then = first.and_then(|sample| sample.peers.get(peer)).copied().unwrap_or_default();
            let span_s = first.map_or(0, |sample| (now - sample.at).max(0));
            Window { name, span_s, shares: counters.since(&then) }
        })
    }
}

/// Whether a sample of this window is due. A clock that was set back begins anew.
fn due(samples: &VecDeque<Sample>, step: i64, now: i64) -> bool {
    samples.back().is_none_or(|last| now - last.at >= step || now < last.at)
}

impl Window {
    /// For people and programs.
    pub fn document(&self) -> Value {
        let share = |state: State| (state.name().to_owned(), json!(self.shares.count(state)));
        json!({ "window": self.name, "span_s": self.span_s,
            "signatures": Value::Object(State::ALL.iter().map(|state| share(*state)).collect()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::shares;
    use sealgate_wire::Reason;
    use sealgate_wire::reason::COUNT;

    fn counted(valid: u64, absent: u64) -> Shares {
        let mut row = [0; COUNT];
        (row[Reason::OkVerified.index()], row[Reason::SecMissing.index()]) = (valid, absent);
        shares(&row)
    }

    #[test]
    fn a_window_has_what_came_within_it() {
        let (mut history, start) = (History::default(), 1_000_000);
        // An unsigned message a minute for two days, then a signed one a minute.
        let at = |minute: i64| {
            let minute = u64::try_from(minute).expect("positive");
            counted(minute.saturating_sub(2880), minute.min(2880))
        };
        for minute in 0..=2880 + 60 {
            let now = start + minute * 60;
            if history.is_due(now) {
                history.take(now, &[Shares::default(), at(minute)]);
            }
        }
        let now = start + (2880 + 60) * 60;
        let windows = history.windows(now, 1, at(2880 + 60));
        let counts = windows.map(|window| {
            (window.name, window.span_s, window.shares.count(State::Valid), window.shares.count(State::Absent))
        });
        assert_eq!(counts, [("1h", 3600, 60, 0), ("24h", 86_400, 60, 1380), ("7d", 176_400, 60, 2880)]);
        assert!(history.0.iter().map(VecDeque::len).sum::<usize>() <= 61);
        let unknown = history.windows(now, 7, counted(1, 2));
        assert_eq!((unknown[0].shares, unknown[0].span_s), (counted(1, 2), 3600), "a peer that came since");
    }

    #[test]
    fn nothing_grows_without_end() {
        let mut history = History::default();
        for i in 0..20_000 {
            history.take(i * 600, &[]);
        }
        assert_eq!(history.0.each_ref().map(VecDeque::len), [7, 25, 29]);
    }
}
