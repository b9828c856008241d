//! The alarms of the repository (formats 12.5) and of our own certificate, each with the time since which it stands.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// Most characters of an alarm's text.
const MAX_TEXT: usize = 400;

/// What is wrong with the repository, with what it gave, or with our own certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alarm {
    /// No mirror answered, three times in a row.
    RepoUnreachable,
    /// The manifest, its signature or its signer cannot be relied on.
    RepoSignature,
    /// The manifest is past its next_update.
    RepoStale,
    /// An older manifest than the one in force was offered.
    RepoRollback,
    /// Two manifests of one serial number.
    RepoEquivocation,
    /// The repository began another session.
    RepoSession,
    /// A delta was missing or wrong; the snapshot was taken instead.
    RepoDelta,
    /// The snapshot is not what the manifest says.
    RepoHash,
    /// Objects that are not used.
    CertRejected,
    /// Too many operators would go at once; held back.
    RepoShrink,
    /// No successful check for so long that trust itself is stale.
    RepoStaleHard,
    /// The last good state on disk could not be read.
    StoreLost,
    /// A revocation list was withdrawn, or went back to a lower number; the one before stays in force (formats 12.3).
    CrlRollback,
    /// What was taken could not be written to disk.
    StoreWrite,
    /// What was taken does not go with the policy; the one before stays in force.
    TrustNotApplied,
    /// Our own certificate could not be renewed, or waits for approval for long.
    EnrolmentFailed,
    /// Our own certificate ends soon or has ended.
    CertificateExpires,
}

impl Alarm {
    /// The name in formats 12.5, or in its manner.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RepoUnreachable => "repo_unreachable",
            Self::RepoSignature => "repo_signature",
            Self::RepoStale => "repo_stale",
            Self::RepoRollback => "repo_rollback",
            Self::RepoEquivocation => "repo_equivocation",
            Self::RepoSession => "repo_session",
            Self::RepoDelta => "repo_delta",
            Self::RepoHash => "repo_hash",
            Self::CertRejected => "cert_rejected",
            Self::RepoShrink => "repo_shrink",
            Self::RepoStaleHard => "repo_stale_hard",
            Self::StoreLost => "store_lost",
            Self::CrlRollback => "crl_rollback",
            Self::StoreWrite => "store_write",
            Self::TrustNotApplied => "trust_not_applied",
            Self::EnrolmentFailed => "enrolment_failed",
            Self::CertificateExpires => "certificate_expires",
        }
    }

    /// Whether somebody must act now: the repository lies, or trust no longer follows it.
    pub const fn is_critical(self) -> bool {
        match self {
            Self::RepoSignature
            | Self::RepoRollback
            | Self::RepoEquivocation
            | Self::RepoStaleHard
            | Self::CrlRollback
            | Self::TrustNotApplied
            | Self::CertificateExpires => true,
            Self::RepoUnreachable
            | Self::RepoStale
            | Self::RepoSession
            | Self::RepoDelta
            | Self::RepoHash
            | Self::CertRejected
            | Self::RepoShrink
            | Self::StoreLost
            | Self::StoreWrite
            | Self::EnrolmentFailed => false,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Since when, seconds since 1970.
    pub since: i64,
    /// What happened last.
    pub text: String,
}

/// All alarms that stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms(BTreeMap<Alarm, Standing>);

impl Alarms {
    /// Raises an alarm, or tells more of one that stands already.
    ///
    /// * `text`: may quote what strangers wrote; what is kept of it cannot move a cursor or fill a log
    pub fn raise(&mut self, alarm: Alarm, text: impl Into<String>, now: i64) {
        let text: String = text.into().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
        match self.0.get_mut(&alarm) {
            Some(standing) => standing.text = text,
            None => drop(self.0.insert(alarm, Standing { since: now, text })),
        }
    }

    /// Ends an alarm.
    pub fn clear(&mut self, alarm: Alarm) {
        self.0.remove(&alarm);
    }

    /// Raises it or ends it.
    pub fn set(&mut self, alarm: Alarm, text: Option<String>, now: i64) {
        match text {
            Some(text) => self.raise(alarm, text, now),
            None => self.clear(alarm),
        }
    }

    /// Whether it stands.
    pub fn stands(&self, alarm: Alarm) -> bool {
        self.0.contains_key(&alarm)
    }

    /// All that stand, in the order of [`Alarm`].
    pub fn iter(&self) -> impl Iterator<Item = (Alarm, &Standing)> {
        self.0.iter().map(|(alarm, standing)| (*alarm, standing))
    }

    /// What an operator should hear: alarms of `self` that `before` had not, and those of `before` that are over.
    pub fn changes<'a>(&'a self, before: &'a Self) -> (Vec<(Alarm, &'a Standing)>, Vec<Alarm>) {
        let new = self.iter().filter(|(alarm, _)| !before.stands(*alarm)).collect();
        let over = before.iter().map(|(alarm, _)| alarm).filter(|alarm| !self.stands(*alarm)).collect();
        (new, over)
    }

    /// Logs what an operator should hear since `told`.
    pub fn tell(&self, told: &Self) {
        let (new, over) = self.changes(told);
        for (alarm, standing) in new {
            match alarm.is_critical() {
                true => tracing::error!(alarm = alarm.name(), "critical: {alarm}: {}", standing.text),
                false => tracing::warn!(alarm = alarm.name(), "{alarm}: {}", standing.text),
            }
        }
        for alarm in over {
            tracing::info!(alarm = alarm.name(), "{alarm} is over");
        }
    }

    /// For programs.
    pub fn document(&self) -> Value {
        let one = |(alarm, standing): (Alarm, &Standing)| {
            json!({ "name": alarm.name(), "severity": if alarm.is_critical() { "critical" } else { "warning" },
                "since": standing.since, "text": standing.text })
        };
        self.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_keeps_the_time_since_which_it_stands_and_is_told_once() {
        let (before, mut alarms) = (Alarms::default(), Alarms::default());
        alarms.raise(Alarm::RepoHash, "one", 10);
        alarms.raise(Alarm::RepoHash, "two", 20);
        let standing = Standing { since: 10, text: "two".to_owned() };
        assert_eq!(alarms.iter().collect::<Vec<_>>(), [(Alarm::RepoHash, &standing)]);
        assert_eq!(alarms.changes(&before), (vec![(Alarm::RepoHash, &standing)], vec![]));
        assert_eq!(alarms.changes(&alarms), (vec![], vec![]));
        assert_eq!(before.changes(&alarms), (vec![], vec![Alarm::RepoHash]));
        alarms.set(Alarm::RepoHash, None, 30);
        assert_eq!(alarms, before);
    }

    #[test]
    fn what_strangers_wrote_neither_moves_the_cursor_nor_fills_the_log() {
        let mut alarms = Alarms::default();
        alarms.raise(Alarm::CertRejected, format!("CN=\x1b[2J\n{}", "x".repeat(100_000)), 0);
        let text = alarms.iter().map(|(_, one)| one.text.clone()).collect::<String>();
        assert!(text.starts_with("CN=[2Jxx") && text.chars().count() == MAX_TEXT, "{}", text.len());
    }

    #[test]
    fn each_alarm_of_formats_12_5_has_its_name_and_severity() {
        use Alarm::*;
        let critical: Vec<_> = [
            RepoUnreachable,
            RepoSignature,
            RepoStale,
            RepoRollback,
            RepoEquivocation,
            RepoSession,
            RepoDelta,
            RepoHash,
            CertRejected,
            RepoShrink,
            RepoStaleHard,
            StoreLost,
        ]
        .into_iter()
        .filter(|alarm| alarm.is_critical())
        .map(Alarm::name)
        .collect();
        assert_eq!(critical, ["repo_signature", "repo_rollback", "repo_equivocation", "repo_stale_hard"]);
    }
}
