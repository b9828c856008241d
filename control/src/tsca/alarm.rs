//! The alarms of the repository (formats 12.5), each with the time since which it stands.

use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with the repository or with what it gave.
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
            | Self::TrustNotApplied => true,
            Self::RepoUnreachable
            | Self::RepoStale
            | Self::RepoSession
            | Self::RepoDelta
            | Self::RepoHash
            | Self::CertRejected
            | Self::RepoShrink
            | Self::StoreLost
            | Self::StoreWrite => false,
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
    pub fn raise(&mut self, alarm: Alarm, text: impl Into<String>, now: i64) {
        let text = text.into();
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
}
