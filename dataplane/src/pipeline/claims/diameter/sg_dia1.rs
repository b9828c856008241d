//! The steps of SG-DIA-1 that need no signature (formats 6).

use sealgate_config::model::Profile;
use sealgate_wire::sec::dess::Group;
use sealgate_wire::sec::dia1;
use sealgate_wire::{Reason, Refusal, diameter};

use super::super::sg_tcap1::{in_force, known, reason_of};
use super::{Claim, Signature};
use crate::pipeline::claims::Scene;
use crate::pipeline::slots::{Message, Once};
use crate::policy::Snapshot;
use crate::policy::snapshot::{Peer, SignerId};

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
    if !peer.allows_profile(Profile::SgDia1) {
        return Err(fail(Reason::SecProfile));
    }
    let found = dia1::parse(group)?;
    let (header, snapshot) = (&found.header, scene.snapshot);
    // V8 to V13 of formats 4.5
    if !peer.allows_alg(header.alg) {
        return Err(fail(Reason::SecAlgDowngrade));
    }
    if snapshot.is_own_sai(header.sai) {
        return Err(fail(Reason::SecReflected));
    }
    let signers = known(snapshot, header).map_err(fail)?;
    let now_s = (scene.now_ms / 1000) as i64;
    in_force(snapshot, signers, now_s).map_err(fail)?;
    header.tvp.check(scene.now_ms, peer.window.0, peer.window.1).map_err(fail)?;
    scene.remembers(header.tvp).map_err(fail)?;
    scene.shared.replay.check(header.sai, header.node, header.seq, scene.now_ms).map_err(fail)?;
    let realm = parsed.origin_realm.ok_or(fail(Reason::IntBug))?;
    let signer = entitled(snapshot, signers, now_s, realm, found.claim.identity, peer).map_err(fail)?;
    let key = &snapshot.signers.get(signer as usize).ok_or(fail(Reason::IntBug))?.key;
    let scratch = &mut *scene.scratch;
    dia1::write_tbs(&parsed.view, found.covered, group.parts(), &mut scratch.sorter, &mut scratch.tbs)?;
    message.signer = Some(signer);
    message.once = Once::Sequence { sai: header.sai, node: header.node, seq: header.seq };
    Ok(Claim { key, signature: Signature::Raw(found.claim.signature) })
}

/// A certificate in force that covers the Origin-Realm and who says to have signed, with a role that the peer accepts.
fn entitled(
    snapshot: &Snapshot,
    signers: &[SignerId],
    now_s: i64,
    realm: &[u8],
    identity: &[u8],
    peer: &Peer,
) -> Result<SignerId, Reason> {
    let identity = std::str::from_utf8(identity).map_err(|_| Reason::CrtResource)?;
    let (mut first, mut why) = (None::<SignerId>, Reason::CrtResource);
    snapshot.each_covering_realm(signers, realm, |id| {
        let Some(signer) = snapshot.signers.get(id as usize) else { return };
        let certificate = &signer.trust.certificate;
        if reason_of(signer.trust.state(now_s)).is_some() || !certificate.identifiers.covers_realm(identity) {
            return;
        }
        if peer.allows_role(certificate.role) {
            first = Some(first.map_or(id, |first| first.min(id)));
        } else {
            why = Reason::CrtRole;
        }
    });
    first.ok_or(why)
}
