//! What an operator must hear of: one list of what stands, each with its name, severity, time since and text. `show alarms`,
//! `show status`, the log and the metrics read it.
//!
//! The repository's alarms (formats 12.5) are kept and logged by the thread that follows it; they join the list where it is
//! read.

pub mod clock;
mod crypto;
mod memory;

pub use crypto::look as look_at_crypto;
pub use memory::look as look_at_memories;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most characters of a text.
const MAX_TEXT: usize = 400;
/// Seconds between two lines of the log about an alarm that gets worse.
const PAUSE_S: i64 = 60;
/// Seconds for which something that happens now and then stands after the last time.
pub const HOLD_S: i64 = 300;

/// What may be wrong, apart from the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alarm {
    /// The system's clock is more than 1 s off, or nobody sets it (formats 1.4).
    ClockUnsynced,
    /// Messages left unsigned because they could not grow, or could not be signed.
    Oversize,
    /// Digests of accepted messages had to go within their time (formats 1.5).
    ReplayTableEvicted,
    /// Messages are refused because there is no room for another signer's replay window.
    ReplayTableFull,
    /// A peer begins more dialogues than it may have open, or we with it.
    TransactionsRefused,
    /// Detectors have found messages that passed, since they alert only or still learn (formats 13.4).
    Detection,
    /// Messages passed that operator rules of action alert match, or that are beyond a rate which alerts.
    RuleAlert,
    /// An engine's verdict was wrong.
    CryptoMismatch,
    /// The crypto device's verdict was wrong.
    CryptoDeviceWrong,
    /// The crypto device is out of service.
    CryptoDeviceOut,
    /// The crypto device cannot be used.
    CryptoDeviceRefused,
    /// Tables of keys came out wrong.
    CryptoTableFaulty,
    /// A crypto thread was started again.
    CryptoThreadRestarted,
    /// A crypto thread is not started any more.
    CryptoThreadLost,
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClockUnsynced,
        Self::Oversize,
        Self::ReplayTableEvicted,
        Self::ReplayTableFull,
        Self::TransactionsRefused,
        Self::Detection,
        Self::RuleAlert,
        Self::CryptoMismatch,
        Self::CryptoDeviceWrong,
        Self::CryptoDeviceOut,
        Self::CryptoDeviceRefused,
        Self::CryptoTableFaulty,
        Self::CryptoThreadRestarted,
        Self::CryptoThreadLost,
    ];

    /// Its name, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockUnsynced => "clock_unsynced",
            Self::Oversize => "oversize",
            Self::ReplayTableEvicted => "replay_table_evicted",
            Self::ReplayTableFull => "replay_table_full",
            Self::TransactionsRefused => "transactions_refused",
            Self::Detection => "detection",
            Self::RuleAlert => "rule_alert",
            Self::CryptoMismatch => "crypto_mismatch",
            Self::CryptoDeviceWrong => "crypto_device_wrong",
            Self::CryptoDeviceOut => "crypto_device_out",
            Self::CryptoDeviceRefused => "crypto_device_refused",
            Self::CryptoTableFaulty => "crypto_table_faulty",
            Self::CryptoThreadRestarted => "crypto_thread_restarted",
            Self::CryptoThreadLost => "crypto_thread_lost",
        }
    }

    /// Whether somebody must act now: verdicts cannot be relied on as before, or part of the machine is lost.
    pub const fn is_critical(self) -> bool {
        match self {
            Self::CryptoMismatch | Self::CryptoDeviceWrong | Self::CryptoTableFaulty | Self::CryptoThreadLost => true,
            Self::ClockUnsynced
            | Self::Oversize
            | Self::ReplayTableEvicted
            | Self::ReplayTableFull
            | Self::TransactionsRefused
            | Self::Detection
            | Self::RuleAlert
            | Self::CryptoDeviceOut
            | Self::CryptoDeviceRefused
            | Self::CryptoThreadRestarted => false,
        }
    }
}

/// One alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    since: i64,
    text: String,
    /// When the log was told last.
    told: i64,
}

/// Something counted, which is an alarm when the count grows.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    total: u64,
    /// When it grew last.
    grown: i64,
}

#[derive(Debug, Default)]
struct Inner {
    standing: BTreeMap<Alarm, Standing>,
    counted: BTreeMap<Alarm, Counted>,
}

/// The list. Times are seconds since 1970.
#[derive(Debug, Default)]
pub struct Registry(Mutex<Inner>);

impl Registry {
    /// A condition: it stands while there is a text.
    pub fn state(&self, alarm: Alarm, text: Option<String>, now: i64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            Some(text) => raise(&mut inner, alarm, &text, false, now),
            None => clear(&mut inner, alarm),
        }
    }

    /// A count: it stands once the count has grown, and is told of again when it grows further.
    ///
    /// * `hold`: seconds after which it is over if it did not grow; `None`: it stands until the next start
    pub fn count(&self, alarm: Alarm, total: u64, hold: Option<i64>, text: impl FnOnce(u64) -> String, now: i64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = inner.counted.entry(alarm).or_default();
        let grew = total > counted.total;
        counted.total = counted.total.max(total);
        if grew {
            counted.grown = now;
            raise(&mut inner, alarm, &text(total), true, now);
        } else if hold.is_some_and(|hold| now.saturating_sub(counted.grown) >= hold) {
            clear(&mut inner, alarm);
        }
    }

    /// All that stand, critical ones first, as documents: name, severity, since, text.
    ///
    /// * `repository`: the document of the thread that follows it
    pub fn document(&self, repository: &Value) -> Value {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = inner.standing.iter().map(|(alarm, one)| {
            json!({ "name": alarm.name(), "severity": severity(alarm.is_critical()), "since": one.since,
                "text": one.text })
        });
        let theirs = repository.get("alarms").and_then(Value::as_array).into_iter().flatten().cloned();
        let mut all: Vec<Value> = own.chain(theirs).collect();
        all.sort_by_key(|one| one.get("severity").and_then(Value::as_str) != Some("critical"));
        all.into()
    }
}

/// The word for it.
pub const fn severity(critical: bool) -> &'static str {
    if critical { "critical" } else { "warning" }
}

/// * `worse`: the log hears again, though not more than once a minute
fn raise(inner: &mut Inner, alarm: Alarm, text: &str, worse: bool, now: i64) {
    // It may quote what strangers wrote.
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    let told = match inner.standing.get_mut(&alarm) {
        Some(standing) => {
            let quiet = !worse || now.saturating_sub(standing.told) < PAUSE_S;
            standing.text.clone_from(&text);
            if !quiet {
                standing.told = now;
            }
            quiet
        }
        None => {
            inner.standing.insert(alarm, Standing { since: now, text: text.clone(), told: now });
            false
        }
    };
    if told {
        return;
    }
    match alarm.is_critical() {
        true => tracing::error!(alarm = alarm.name(), "critical: {}: {text}", alarm.name()),
        false => tracing::warn!(alarm = alarm.name(), "{}: {text}", alarm.name()),
    }
}

fn clear(inner: &mut Inner, alarm: Alarm) {
    if inner.standing.remove(&alarm).is_some() {
        tracing::info!(alarm = alarm.name(), "{} is over", alarm.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(registry: &Registry) -> Vec<String> {
        let document = registry.document(&Value::Null);
        let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
        document.as_array().expect("a list").iter().map(name).collect()
    }

    #[test]
    fn a_condition_stands_since_it_began_and_until_it_ends() {
        let registry = Registry::default();
        registry.state(Alarm::ClockUnsynced, Some("one\x1b[2J".to_owned()), 10);
        registry.state(Alarm::ClockUnsynced, Some("two".to_owned()), 20);
        let want = json!([{ "name": "clock_unsynced", "severity": "warning", "since": 10, "text": "two" }]);
        assert_eq!(registry.document(&Value::Null), want);
        registry.state(Alarm::ClockUnsynced, None, 30);
        assert_eq!(registry.document(&Value::Null), json!([]));
        registry.state(Alarm::ClockUnsynced, Some("x\x1b[2J\n".repeat(1000)), 40);
        let text = registry.document(&Value::Null)[0]["text"].as_str().expect("a text").to_owned();
        assert!(text.len() == MAX_TEXT && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn a_count_stands_for_its_time_after_it_grew_last_or_for_good() {
        let registry = Registry::default();
        let see = |total, now| {
            registry.count(Alarm::Oversize, total, Some(HOLD_S), |count| format!("{count} so far"), now);
            registry.count(Alarm::CryptoMismatch, total, None, |count| format!("{count} wrong"), now);
            names(&registry)
        };
        assert_eq!(see(0, 0), [] as [&str; 0]);
        assert_eq!(see(1, 10), ["crypto_mismatch", "oversize"]);
        assert_eq!(see(2, 300), ["crypto_mismatch", "oversize"]);
        assert_eq!(see(2, 599), ["crypto_mismatch", "oversize"], "it grew at 300");
        assert_eq!(see(2, 600), ["crypto_mismatch"]);
        assert_eq!(see(1, 601), ["crypto_mismatch"], "a lower count is nothing new");
        assert_eq!(see(3, 602), ["crypto_mismatch", "oversize"]);
        assert_eq!(registry.document(&Value::Null)[1]["since"], 602);
    }

    #[test]
    fn those_of_the_repository_join() {
        let registry = Registry::default();
        registry.state(Alarm::ClockUnsynced, Some("late".to_owned()), 1);
        let theirs = json!({ "alarms": [{ "name": "repo_hash", "severity": "warning", "since": 2, "text": "x" }] });
        let all = registry.document(&theirs);
        assert_eq!((&all[0]["name"], &all[1]), (&json!("clock_unsynced"), &theirs["alarms"][0]));
        registry.state(Alarm::CryptoThreadLost, Some("gone".to_owned()), 3);
        assert_eq!(registry.document(&theirs)[0]["name"], "crypto_thread_lost", "critical ones come first");
    }

    #[test]
    fn each_name_is_there_once() {
        let names: std::collections::BTreeSet<_> = Alarm::ALL.iter().map(|alarm| alarm.name()).collect();
        assert_eq!(names.len(), Alarm::ALL.len());
    }
}
