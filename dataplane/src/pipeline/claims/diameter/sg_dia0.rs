//! The steps of SG-DIA-0, DESS as SigFW signs it, that need no signature (formats 7).

use std::time::Duration;

use sealgate_config::model::{DessSameSecond, Profile};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::verify::sha256;
use sealgate_wire::sec::dess::{Group, signature_type};
use sealgate_wire::sec::{dia0, ecdsa};
use sealgate_wire::{Reason, Refusal, diameter};

use super::super::sg_tcap1::reason_of;
use super::{Claim, Signature};
use crate::pipeline::claims::Scene;
use crate::pipeline::slots::{Message, Once};
use crate::policy::snapshot::Peer;

/// Checks everything but the signature and leaves in `scratch.tbs` what it must cover.
///
/// * `at`: octet of the message where the group begins
///
/// # Errors
/// The reason of the first step that fails.
pub(super) fn check<'a, 'w: 'a>(
    scene: &mut Scene<'w>,
    parsed: &diameter::Message<'a>,
    group: &Group<'a>,
    at: usize,
    peer: &Peer,
    message: &mut Message,
) -> Result<Claim<'a>, Refusal> {
    let fail = |reason: Reason| reason.at(at);
    if !peer.allows_profile(Profile::SgDia0) {
        return Err(fail(Reason::SecProfile));
    }
    let claim = group.claim()?;
    let snapshot = scene.snapshot;
    let realm = parsed.origin_realm.ok_or(fail(Reason::IntBug))?;
    let known = snapshot.dess_key(realm, claim.identity).ok_or(fail(Reason::CrtUnknownSai))?;
    if let Some(signer) = known.signer.and_then(|id| snapshot.signers.get(id as usize))
        && let Some(reason) = reason_of(signer.trust.state((scene.now_ms / 1000) as i64))
    {
        return Err(fail(reason));
    }
    let key = known.key.key();
    if claim.kind != signature_type(key.alg() as u8) {
        return Err(fail(Reason::SecKeyType));
    }
    let window = &snapshot.defaults.compat_window;
    let limit = |ms: u32| Duration::from_millis(ms.into());
    claim.time.check(scene.now_ms, limit(window.past_ms), limit(window.future_ms)).map_err(fail)?;
    let age_ms = claim.time.age_ms(scene.now_ms);
    scene.remembers_ms(age_ms).map_err(fail)?;
    let signature = match key.alg() {
        Alg::P256 => ecdsa::from_der(claim.signature).map(Signature::Made),
        _ => (claim.signature.len() == key.signature_len()).then_some(Signature::Raw(claim.signature)),
    };
    let signature = signature.ok_or(fail(Reason::SecSigForm))?;
    let scratch = &mut *scene.scratch;
    dia0::write_tbs(&parsed.view, group.parts(), &mut scratch.sorter, &mut scratch.tbs)?;
    // Host, identifiers and command are in the string; what is signed alike in both ways is request and answer.
    let mut seen = [0; 42];
    let (label, rest) = seen.split_at_mut(10);
    label.copy_from_slice(if parsed.header.is_request() { b"SG-DIA-0/R" } else { b"SG-DIA-0/A" });
    rest.copy_from_slice(&sha256(&scratch.tbs));
    let digest = sha256(&seen);
    let again = snapshot.defaults.dess_same_second == DessSameSecond::Allow && (0..1000).contains(&age_ms);
    if again {
        message.once = Once::DigestAgain(digest);
    } else {
        scene.shared.digests.check(&digest, scene.now_ms).map_err(fail)?;
        message.once = Once::Digest(digest);
    }
    Ok(Claim { key: &known.key, signature })
}
