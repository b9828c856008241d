//! What may be asked.

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Is it well, and what went through.
    Status,
    /// What each worker did.
    Workers,
    /// Verdicts by operator.
    Peers,
    /// Verdicts by reason.
    Reasons,
    /// Certificates and revocation lists.
    Trust,
    /// The repository that is followed, and its alarms.
    Repository,
    /// The policy in force, every key given.
    Policy,
    /// Associations of each worker.
    Associations,
    /// Memories against replays, and open transactions.
    Replay,
    /// What stands, those of the repository among them.
    Alarms,
    /// The last refused messages of each reason.
    Refused,
    /// How far each peer is from mode require (formats 13.3).
    Migration,
    /// Operator rules, and what each has done.
    Rules,
    /// What active screening of each peer would refuse (formats 13.3).
    Screening,
    /// All of these but the policy, the refused messages, the migration, the rules and the screening.
    All,
}

impl What {
    /// Every question, by its word.
    pub const ALL: [(&'static str, Self); 15] = [
        ("status", Self::Status),
        ("workers", Self::Workers),
        ("peers", Self::Peers),
        ("reasons", Self::Reasons),
        ("trust", Self::Trust),
        ("repository", Self::Repository),
        ("policy", Self::Policy),
        ("associations", Self::Associations),
        ("replay", Self::Replay),
        ("alarms", Self::Alarms),
        ("refused", Self::Refused),
        ("migration", Self::Migration),
        ("rules", Self::Rules),
        ("screening", Self::Screening),
        ("all", Self::All),
    ];

    /// Whether it is a part of [`What::All`].
    pub fn is_part(self) -> bool {
        !matches!(self, Self::All | Self::Refused | Self::Policy | Self::Migration | Self::Rules | Self::Screening)
    }

    /// The question of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| *word == name).map(|(_, what)| *what)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, what)| *what == self).map_or("all", |(word, _)| word)
    }
}
