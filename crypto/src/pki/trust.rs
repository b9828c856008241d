//! What loading answers: who may sign, in which state, and what was refused.

use super::certificate::Certificate;
use super::crl::Crl;
use super::identifiers::Identifiers;
use std::fmt;
use std::sync::Arc;

/// A configured trust anchor.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The self-signed certificate.
    pub der: Vec<u8>,
    /// Narrows whatever certificates below this anchor claim; `None` leaves them as they are (formats 12.1).
    pub limit: Option<Identifiers>,
}

/// What to do once a revocation list is late by more than the grace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrlStale {
    /// Its certificates become [`CertState::CrlStale`].
    #[default]
    Fail,
    /// They stay as the late list has them; raise an alarm. A list that was never there is stale all the same.
    Keep,
}

/// How strictly to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Seconds past `nextUpdate` during which a revocation list still counts as fresh.
    pub crl_grace_s: i64,
    /// What happens after that.
    pub crl_stale: CrlStale,
}

impl Default for Options {
    /// One day of grace, then fail (formats 12.3).
    fn default() -> Self {
        Self { crl_grace_s: 86_400, crl_stale: CrlStale::Fail }
    }
}

/// Why a certificate may not sign, in the order of the load procedure (formats 12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Its octets do not follow the profile (`R_CRT_PROFILE`).
    Profile,
    /// No trusted issuer made it (`R_CRT_CHAIN`).
    Chain,
    /// Its time has not come (`R_CRT_NOT_YET_VALID`).
    NotYetValid,
    /// Its time is over (`R_CRT_EXPIRED`).
    Expired,
    /// Its issuer's revocation list is missing or late (`R_CRT_CRL_STALE`).
    CrlStale,
    /// It, or an authority above it, is revoked (`R_CRT_REVOKED`).
    Revoked,
    /// Its extended key usage is not one of ours (`R_CRT_EKU`).
    Eku,
    /// It claims more than its issuer has (`R_CRT_OVERCLAIM`).
    Overclaim,
    /// Another key has the same SAI; neither is used (`R_CRT_SAI_AMBIGUOUS`).
    SaiAmbiguous,
    /// The repository was not checked for too long (`R_CRT_REPO_STALE`).
    RepoStale,
}

impl Fault {
    /// The name in formats 14, for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "R_CRT_PROFILE",
            Self::Chain => "R_CRT_CHAIN",
            Self::NotYetValid => "R_CRT_NOT_YET_VALID",
            Self::Expired => "R_CRT_EXPIRED",
            Self::CrlStale => "R_CRT_CRL_STALE",
            Self::Revoked => "R_CRT_REVOKED",
            Self::Eku => "R_CRT_EKU",
            Self::Overclaim => "R_CRT_OVERCLAIM",
            Self::SaiAmbiguous => "R_CRT_SAI_AMBIGUOUS",
            Self::RepoStale => "R_CRT_REPO_STALE",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fault and what exactly is wrong, for the operator of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}: {detail}")]
pub struct Refused {
    /// The first check that failed.
    pub fault: Fault,
    /// The field and what it should be.
    pub detail: String,
}

/// An object that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The name of the object.
    pub name: String,
    /// The first check that failed.
    pub fault: Fault,
    /// The field and what it should be.
    pub detail: String,
}

/// Whether a certificate may be used at a time, in the order of the load procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertState {
    /// It may.
    Good,
    /// It, or an authority above it, is not valid yet.
    NotYetValid,
    /// It, or an authority above it, has expired.
    Expired,
    /// A revocation list on its way to the anchor is missing or late.
    CrlStale,
    /// It, or an authority above it, is revoked.
    Revoked,
    /// Whoever fetches certificates was told to trust none once the repository is too old.
    RepoStale,
}

impl CertState {
    /// The fault that this state is, or `None` if it may be used.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Good => None,
            Self::NotYetValid => Some(Fault::NotYetValid),
            Self::Expired => Some(Fault::Expired),
            Self::CrlStale => Some(Fault::CrlStale),
            Self::Revoked => Some(Fault::Revoked),
            Self::RepoStale => Some(Fault::RepoStale),
        }
    }
}

/// A certificate that chains to an anchor, and what time does to it.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The certificate; its identifiers are narrowed by the anchor's limit.
    pub certificate: Arc<Certificate>,
    /// It, or an authority above it, is on a revocation list.
    pub revoked: bool,
    /// First second at which a revocation list on its way to the anchor is too late; `i64::MIN` if one is missing.
    pub crl_stale_from: Option<i64>,
    /// The repository was not checked for too long; [`load`](super::load) never says so, [`Trust::without_repository`] does.
    pub repo_stale: bool,
    /// First second at which it and every authority above it are valid.
    pub valid_from: i64,
    /// Last second at which it and every authority above it are valid.
    pub valid_to: i64,
}

impl Signer {
    /// The state at `now`, seconds since 1970.
    pub fn state(&self, now: i64) -> CertState {
        if now < self.valid_from {
            CertState::NotYetValid
        } else if now > self.valid_to {
            CertState::Expired
        } else if self.crl_stale_from.is_some_and(|from| now >= from) {
            CertState::CrlStale
        } else if self.revoked {
            CertState::Revoked
        } else if self.repo_stale {
            CertState::RepoStale
        } else {
            CertState::Good
        }
    }

    /// The next second after `now` at which [`Signer::state`] may answer otherwise.
    pub fn next_change(&self, now: i64) -> Option<i64> {
        let ends = self.valid_to.checked_add(1);
        [Some(self.valid_from), ends, self.crl_stale_from].into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// The answer of [`load`](super::load).
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Message signers, also those that may not sign now. Several may share one key and SAI; two keys never share one.
    pub signers: Vec<Signer>,
    /// Trust anchors and the authorities below them.
    pub authorities: Vec<Signer>,
    /// Signers of repository manifests.
    pub repository: Vec<Signer>,
    /// The revocation lists in use, one an authority at most. Compare their numbers with the last ones seen: a number
    /// that went backwards is an alarm (formats 12.3).
    pub crls: Vec<Arc<Crl>>,
    /// What is not used, and why. An object appears once.
    pub rejected: Vec<Rejected>,
    /// The next second at which loading again would answer otherwise; `None` if time alone changes nothing.
    pub next_change: Option<i64>,
    /// Certificates of callers that were fetched from where their calls say. They speak for calls and nothing else.
    pub callers: Vec<Caller>,
}

/// A certificate by the URL that calls name it by (RFC 8225, x5u).
#[derive(Clone, Debug)]
pub struct Caller {
    /// The URL.
    pub x5u: Arc<str>,
    /// The certificate, its key and its times.
    pub signer: Signer,
}

impl Trust {
    /// The same trust once the repository was not checked for too long: no message signer is good any more.
    #[must_use]
    pub fn without_repository(mut self) -> Self {
        for signer in self.signers.iter_mut().chain(self.callers.iter_mut().map(|caller| &mut caller.signer)) {
            signer.repo_stale = true;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_failed_check_counts() {
        let faults =
            [CertState::NotYetValid, CertState::Expired, CertState::CrlStale, CertState::Revoked, CertState::RepoStale];
        let order: Vec<Fault> = faults.iter().filter_map(|state| state.fault()).collect();
        assert!(order.is_sorted());
        assert_eq!(CertState::Good.fault(), None);
    }
}
