//! The decision: a pure function of what a message claims, what was proven, and what its peer must do.

use sealgate_config::model::{Mode, Profile};
use sealgate_crypto::verify::Verified;
use sealgate_wire::Reason;
use sealgate_wire::tcap::MessageKind;

use super::snapshot::Peer;
use crate::pipeline::slots::SignatureState;

/// Why a message may leave. [`Verified`] is neither `Clone` nor buildable outside crypto, and names the job it answers.
#[derive(Debug)]
pub enum Grant {
    /// Its signature held.
    Signed(Verified),
    /// The operator lets it pass without one, under this reason.
    Exempt(Reason),
}

impl Grant {
    /// The reason under which the message is counted.
    pub fn reason(&self) -> Reason {
        match self {
            Grant::Signed(_) => Reason::OkVerified,
            Grant::Exempt(reason) => *reason,
        }
    }
}

/// What becomes of a failed security step (formats 1.6): a state to go on with, or the refusal.
///
/// # Errors
/// The failure itself, unless the signer is merely unknown and the peer's mode is prefer: a broken signature is never
/// better than none.
pub fn after_failure(mode: Mode, failure: Reason) -> Result<SignatureState, Reason> {
    let unknown = matches!(failure, Reason::CrtUnknownSai | Reason::CrtCrlStale | Reason::CrtRepoStale);
    match mode {
        Mode::Prefer if unknown => Ok(SignatureState::UnknownSigner),
        Mode::Ignore => Ok(SignatureState::Unchecked),
        Mode::Prefer | Mode::Require => Err(failure),
    }
}

/// Whether a message without a security element may go on (formats 1.6, 4.6, 5).
///
/// An ABORT cannot carry one, and a SigFW sender signs BEGIN only: both then depend on their transaction.
///
/// # Errors
/// [`Reason::SecMissing`].
pub fn unsigned(peer: &Peer, kind: MessageKind) -> Result<SignatureState, Reason> {
    let cannot = kind == MessageKind::Abort
        || matches!(kind, MessageKind::Continue | MessageKind::End)
            && peer.allows_profile(Profile::SgTcap0)
            && !peer.allows_profile(Profile::SgTcap1);
    if peer.mode == Mode::Require && !cannot { Err(Reason::SecMissing) } else { Ok(SignatureState::Absent) }
}

/// The same of a message that could carry a signature: all of Diameter can, answers and errors too, and every IAM (formats 6, 9).
///
/// # Errors
/// [`Reason::SecMissing`].
pub fn unsigned_of(mode: Mode) -> Result<SignatureState, Reason> {
    if mode == Mode::Require { Err(Reason::SecMissing) } else { Ok(SignatureState::Absent) }
}

/// The grant of a message whose other checks all held.
///
/// # Errors
/// [`Reason::IntBug`] if the message claims a signature and no proof came with it.
pub fn grant(state: SignatureState, proof: Option<Verified>) -> Result<Grant, Reason> {
    match (state, proof) {
        (SignatureState::Claimed, Some(proof)) => Ok(Grant::Signed(proof)),
        (SignatureState::Claimed, None) => Err(Reason::IntBug),
        (SignatureState::Absent, _) => Ok(Grant::Exempt(Reason::OkUnsignedAllowed)),
        (SignatureState::UnknownSigner, _) => Ok(Grant::Exempt(Reason::OkUnknownSigner)),
        (SignatureState::Unchecked, _) => Ok(Grant::Exempt(Reason::OkIgnored)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prefer_forgives_an_unknown_signer_and_only_ignore_a_broken_signature() {
        use SignatureState::{Unchecked, UnknownSigner};
        for (mode, failure, want) in [
            (Mode::Require, Reason::CrtUnknownSai, Err(Reason::CrtUnknownSai)),
            (Mode::Prefer, Reason::CrtUnknownSai, Ok(UnknownSigner)),
            (Mode::Prefer, Reason::CrtCrlStale, Ok(UnknownSigner)),
            (Mode::Prefer, Reason::SecSigInvalid, Err(Reason::SecSigInvalid)),
            (Mode::Prefer, Reason::CrtRevoked, Err(Reason::CrtRevoked)),
            (Mode::Ignore, Reason::SecSigInvalid, Ok(Unchecked)),
        ] {
            assert_eq!(after_failure(mode, failure), want, "{mode:?} {failure:?}");
        }
    }

    #[test]
    fn a_claim_without_proof_is_never_a_grant() {
        assert_eq!(grant(SignatureState::Claimed, None).map(|grant| grant.reason()), Err(Reason::IntBug));
        assert_eq!(grant(SignatureState::Absent, None).map(|grant| grant.reason()), Ok(Reason::OkUnsignedAllowed));
    }
}
