//! The steps of SG-TCAP-0, the SigFW form, that need no signature (formats 5).

use std::time::Duration;

use sealgate_config::model::Profile;
use sealgate_crypto::verify::sha256;
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::tcap0;
use sealgate_wire::tcap::MessageKind;
use sealgate_wire::{Reason, Refusal, tcap};

use super::inbound::Claim;
use super::sg_tcap1::{below, reason_of};
use super::{Carrier, Found, Scene};
use crate::pipeline::slots::{Message, Once};
use crate::policy::snapshot::Peer;

/// Checks everything but the signature and leaves in `scratch.tbs` what it must cover.
///
/// # Errors
/// The reason of the first step that fails.
pub(super) fn check<'a, 'w: 'a>(
    scene: &mut Scene<'w>,
    carrier: &Carrier<'_>,
    parsed: &tcap::Message<'a>,
    found: Found,
    peer: &Peer,
    message: &mut Message,
) -> Result<Claim<'a>, Refusal> {
    let (Some(place), Some(component)) = (found.sigfw, found.sigfw.and_then(|i| parsed.components.get(i))) else {
        return Err(Reason::IntBug.at(0));
    };
    let fail = |reason: Reason| reason.at(component.parameter_offset);
    if place + 1 != parsed.components.len() {
        return Err(fail(Reason::SecPosition));
    }
    if !peer.allows_profile(Profile::SgTcap0) || parsed.kind != MessageKind::Begin {
        return Err(fail(Reason::SecProfile));
    }
    let protection = tcap0::parse(component.parameter).map_err(|refusal| below(refusal, component))?;
    let snapshot = scene.snapshot;
    let known = snapshot.sigfw_key(&carrier.calling.0).ok_or(fail(Reason::CrtUnknownSai))?;
    if let Some(signer) = known.signer.and_then(|id| scene.snapshot.signers.get(id as usize))
        && let Some(reason) = reason_of(signer.trust.state((scene.now_ms / 1000) as i64))
    {
        return Err(fail(reason));
    }
    let window = &scene.snapshot.defaults.compat_window;
    let limit = |ms: u32| Duration::from_millis(ms.into());
    protection.tvp.check(scene.now_ms, limit(window.past_ms), limit(window.future_ms)).map_err(fail)?;
    scene.remembers(protection.tvp).map_err(fail)?;
    if protection.signature.len() != known.key.key().signature_len() {
        return Err(fail(Reason::SecSigForm));
    }
    let lenient = scene.snapshot.rules == Rules::Lenient;
    string(parsed, Some(place), carrier, protection.tvp, lenient, &mut scene.scratch.canonical, &mut scene.scratch.tbs);
    let digest = sha256(&scene.scratch.tbs);
    scene.shared.digests.check(&digest, scene.now_ms).map_err(fail)?;
    message.once = Once::Digest(digest);
    Ok(Claim { key: &known.key, signature: protection.signature })
}

/// Writes the signed string over all components but `skip`, each as SigFW encodes it again: component and parameter
/// definite and minimal, what is inside unchanged.
pub(super) fn string(
    parsed: &tcap::Message<'_>,
    skip: Option<usize>,
    carrier: &Carrier<'_>,
    tvp: sealgate_wire::sec::Tvp,
    lenient: bool,
    canonical: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    let kept = || parsed.components.iter().enumerate().filter(move |(i, _)| Some(*i) != skip).map(|(_, c)| c.raw);
    let (calling, called) = (&carrier.calling.0, &carrier.called.0);
    if !lenient {
        return tcap0::write_tbs(calling, called, tvp, kept(), out);
    }
    canonical.clear();
    let mut ends = [0_usize; tcap::MAX_COMPONENTS];
    for (raw, end) in kept().zip(&mut ends) {
        tcap0::put_component(raw, Rules::Lenient, canonical);
        *end = canonical.len();
    }
    let mut from = 0;
    let coded = ends.iter().take(kept().count()).map(|&end| {
        let octets = canonical.get(from..end).unwrap_or(&[]);
        from = end;
        octets
    });
    tcap0::write_tbs(calling, called, tvp, coded, out);
}
