//! When a gateway renews its certificate, how often it tries, and when it wakes its operator. No clock, file or socket here:
//! time, chance and outcomes come in as values. [`Renewer`] is the thread that lends it those.

mod runner;

pub use runner::{Handle, Parts, Renewer};

use crate::tsca::alarm::{Alarm, Alarms};

/// Pause after the first failure, seconds; twice as long after each further one.
const FIRST_PAUSE_S: i64 = 60;
/// Longest pause, seconds.
const MAX_PAUSE_S: i64 = 6 * 3600;
/// Longest pause in the last day of the certificate, seconds.
const LAST_DAY_PAUSE_S: i64 = 15 * 60;
const DAY_S: i64 = 86_400;
/// Failures in a row of which the operator hears.
const PATIENCE: u32 = 3;
/// For how long a request may wait for approval before the operator hears of it, seconds.
const APPROVAL_S: i64 = DAY_S;
/// Part of the time before the end for which a new certificate lies installed and the one before is signed with.
const HOLD_PART: i64 = 14;
/// Renewals of many gateways are spread over so much of the time before the end, percent.
const SPREAD_PERCENT: i64 = 10;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The new certificate is in force until then, seconds since 1970.
    Renewed(i64),
    /// Somebody must approve it; ask again after so many seconds.
    Waiting(u64),
    /// No answer, or none that is final.
    Failed(String),
    /// The authority said no, or its answer cannot be used. Asked again rarely: a person must do something.
    Refused(String),
}

/// The renewal of one certificate.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Last second of the certificate in force, seconds since 1970.
    not_after: i64,
    /// How long before that it is renewed, seconds.
    before_s: i64,
    /// When the next attempt is due.
    due: i64,
    failures: u32,
    /// Since when a request waits for approval.
    waiting: Option<i64>,
    alarms: Alarms,
}

impl Renewal {
    /// The renewal of a certificate that ends at `not_after`.
    ///
    /// * `before_s`: how long before its end it is renewed, seconds
    /// * `dice`: any number
    pub fn new(not_after: i64, before_s: u32, dice: u32) -> Self {
        let before_s = i64::from(before_s);
        let mut renewal = Self { not_after, before_s, due: 0, failures: 0, waiting: None, alarms: Alarms::default() };
        renewal.due = renewal.first_due(dice);
        renewal
    }

    /// Renewals begin a little later than they might, each gateway's by another while.
    fn first_due(&self, dice: u32) -> i64 {
        let spread = self.before_s * SPREAD_PERCENT / 100;
        self.not_after.saturating_sub(self.before_s).saturating_add(i64::from(dice) % spread.max(1))
    }

    /// When the next attempt is due, seconds since 1970; in the past: now.
    pub fn due(&self) -> i64 {
        self.due
    }

    /// Last second of the certificate in force.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Attempts in a row that failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How long a certificate that was renewed at `now` lies installed before it is signed with, seconds: others refuse it
    /// until their repository has it. A day of the usual fourteen, and never beyond the end of the one before.
    ///
    /// Ask before [`Renewal::took`].
    pub fn hold_s(&self, now: i64) -> i64 {
        (self.before_s / HOLD_PART).min(self.not_after.saturating_sub(now) / 2).max(0)
    }

    /// The alarms that stand.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Tries at once: somebody asked for it.
    pub fn hurry(&mut self) {
        self.due = i64::MIN;
    }

    /// Takes what became of an attempt.
    pub fn took(&mut self, outcome: Outcome, now: i64, dice: u32) {
        match outcome {
            Outcome::Renewed(not_after) => {
                // A certificate that ends no later than the one before is no reason to ask again at once.
                let least = now + FIRST_PAUSE_S;
                (self.not_after, self.failures, self.waiting) = (not_after, 0, None);
                self.due = self.first_due(dice).max(least);
                self.alarms.clear(Alarm::EnrolmentFailed);
            }
            Outcome::Waiting(retry_s) => {
                let since = *self.waiting.get_or_insert(now);
                self.failures = 0;
                self.due = now + jittered(i64::try_from(retry_s).unwrap_or(MAX_PAUSE_S).clamp(1, MAX_PAUSE_S), dice);
                let long = now - since >= APPROVAL_S;
                let text = "the renewal of our certificate waits for the authority's approval";
                self.alarms.set(Alarm::EnrolmentFailed, long.then(|| text.to_owned()), now);
            }
            Outcome::Failed(why) => {
                self.failures = self.failures.saturating_add(1);
                self.due = now + jittered(self.pause(now), dice);
                if self.failures >= PATIENCE {
                    self.alarms.raise(Alarm::EnrolmentFailed, why, now);
                }
            }
            Outcome::Refused(why) => {
                self.failures = self.failures.saturating_add(1);
                self.waiting = None;
                self.due = now + jittered(self.longest(now), dice);
                self.alarms.raise(Alarm::EnrolmentFailed, why, now);
            }
        }
        self.look(now);
    }

    /// Raises or ends what time alone raises: a certificate that should have been replaced and was not.
    pub fn look(&mut self, now: i64) {
        let left = self.not_after.saturating_sub(now);
        let text = if left < 0 {
            Some("our certificate has ended: other operators refuse what we sign".to_owned())
        } else if left < self.before_s / 2 {
            Some(format!("our certificate ends in {} hours and is not renewed yet", left / 3600))
        } else {
            None
        };
        self.alarms.set(Alarm::CertificateExpires, text, now);
    }

    fn longest(&self, now: i64) -> i64 {
        if self.not_after.saturating_sub(now) < DAY_S { LAST_DAY_PAUSE_S } else { MAX_PAUSE_S }
    }

    fn pause(&self, now: i64) -> i64 {
        let doublings = self.failures.saturating_sub(1).min(16);
        (FIRST_PAUSE_S << doublings).min(self.longest(now))
    }
}

/// A pause, up to a tenth longer.
fn jittered(pause: i64, dice: u32) -> i64 {
    pause + i64::from(dice) % (pause / 10).max(1)
}

#[cfg(test)]
mod tests;
