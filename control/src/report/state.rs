//! Signature states (formats 1.6) out of the counters of reasons.

use sealgate_wire::Reason;
use sealgate_wire::reason::{ALL, COUNT};
use serde_json::{Value, json};

/// How messages from a peer stood with their signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The signature held, and the message passed.
    Valid,
    /// There was none.
    Absent,
    /// The signer is not known, or its standing is not.
    UnknownSigner,
    /// It did not hold, or something else was wrong with it.
    Invalid,
    /// The peer's mode is ignore.
    Unchecked,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Valid, Self::Absent, Self::UnknownSigner, Self::Invalid, Self::Unchecked];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Absent => "absent",
            Self::UnknownSigner => "unknown_signer",
            Self::Invalid => "invalid",
            Self::Unchecked => "unchecked",
        }
    }

    /// What an inbound verdict says of it; `None` where it says nothing: the message was refused before its signature was
    /// looked at, or by policy after that.
    pub fn of(reason: Reason) -> Option<Self> {
        Some(match reason {
            Reason::OkVerified => Self::Valid,
            Reason::OkUnsignedAllowed | Reason::SecMissing | Reason::StirMissing | Reason::StirPpt => Self::Absent,
            Reason::OkUnknownSigner
            | Reason::CrtUnknownSai
            | Reason::CrtCrlStale
            | Reason::CrtRepoStale
            | Reason::StirX5uUnavailable => Self::UnknownSigner,
            Reason::OkIgnored => Self::Unchecked,
            // Of the security step, of certificates and of PASSporTs (formats 14).
            other if (400..540).contains(&other.code()) => Self::Invalid,
            _ => return None,
        })
    }
}

/// Messages by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares([u64; State::ALL.len()]);

/// Adds up a row of inbound verdicts.
pub fn shares(row: &[u64; COUNT]) -> Shares {
    let mut shares = Shares::default();
    for (reason, count) in ALL.iter().zip(row) {
        if let Some(sum) = State::of(*reason).and_then(|state| shares.0.get_mut(state as usize)) {
            *sum += count;
        }
    }
    shares
}

impl Shares {
    /// Messages in this state.
    pub fn count(&self, state: State) -> u64 {
        self.0.get(state as usize).copied().unwrap_or(0)
    }

    /// What part of all that have a state is in this one, 0 to 1; 0 where there are none.
    pub fn share(&self, state: State) -> f64 {
        let all: u64 = self.0.iter().sum();
        if all == 0 { 0.0 } else { self.count(state) as f64 / all as f64 }
    }

    /// What was counted since these were.
    pub fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|i| {
            let at = |shares: &Self| shares.0.get(i).copied().unwrap_or(0);
            at(self).saturating_sub(at(before))
        }))
    }

    /// Counts by name.
    pub fn document(&self) -> Value {
        Value::Object(State::ALL.iter().map(|state| (state.name().to_owned(), json!(self.count(*state)))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_go_to_their_states() {
        let mut row = [0; COUNT];
        for (reason, count) in [
            (Reason::OkVerified, 3),
            (Reason::SecMissing, 1),
            (Reason::OkUnsignedAllowed, 1),
            (Reason::CrtRepoStale, 2),
            (Reason::SecSigInvalid, 1),
            (Reason::CrtRevoked, 1),
            (Reason::StirMissing, 1),
            (Reason::StirX5uUnavailable, 2),
            (Reason::StirReplay, 1),
            (Reason::OkIgnored, 1),
            (Reason::PolCat1, 50),
            (Reason::L2Runt, 50),
        ] {
            row[reason.index()] = count;
        }
        let shares = shares(&row);
        assert_eq!(State::ALL.map(|state| shares.count(state)), [3, 3, 4, 3, 1]);
        assert!((shares.share(State::Valid) - 3.0 / 14.0).abs() < 1e-9);
        assert_eq!(Shares::default().share(State::Valid), 0.0);
    }
}
