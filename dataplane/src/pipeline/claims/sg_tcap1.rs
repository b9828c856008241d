//! The steps of SG-TCAP-1 that need no signature: V1 to V16 of formats 4.5, in their order.

use sealgate_config::model::{CdpaRewrite, Profile};
use sealgate_crypto::pki::CertState;
use sealgate_wire::sec::{FLAG_WAS_UDT, Header, tcap1};
use sealgate_wire::{Reason, Refusal, tcap};

use super::inbound::Claim;
use super::{Carrier, Found, Party, Scene};
use crate::pipeline::slots::{Message, Once};
use crate::policy::Snapshot;
use crate::policy::snapshot::{Peer, SignerId};

/// Checks V1 to V16 and leaves in `scratch.tbs` what the signature must cover.
///
/// # Errors
/// The reason of the first step that fails.
pub(super) fn check<'a, 'w: 'a>(
    scene: &mut Scene<'w>,
    carrier: &Carrier<'_>,
    parsed: &tcap::Message<'a>,
    found: Found,
    opcode: i32,
    peer: &Peer,
    message: &mut Message,
) -> Result<Claim<'a>, Refusal> {
    // V1 to V3
    if found.count > 1 {
        return Err(Reason::SecDup.at(0));
    }
    let (Some(place), Some(component)) = (found.native, found.native.and_then(|i| parsed.components.get(i))) else {
        return Err(Reason::IntBug.at(0));
    };
    if place + 1 != parsed.components.len() {
        return Err(Reason::SecPosition.at(component.parameter_offset));
    }
    if !peer.allows_profile(Profile::SgTcap1) {
        return Err(Reason::SecProfile.at(component.parameter_offset));
    }
    // V4 to V7
    let protection = tcap1::parse(component.parameter).map_err(|refusal| below(refusal, component))?;
    let header = &protection.header;
    let fail = |reason: Reason| reason.at(component.parameter_offset);
    // V8, V9
    if !peer.allows_alg(header.alg) {
        return Err(fail(Reason::SecAlgDowngrade));
    }
    if scene.snapshot.is_own_sai(header.sai) {
        return Err(fail(Reason::SecReflected));
    }
    // V10, V11
    let signers = known(scene.snapshot, header).map_err(fail)?;
    let now_s = (scene.now_ms / 1000) as i64;
    in_force(scene.snapshot, signers, now_s).map_err(fail)?;
    // V12, V13
    header.tvp.check(scene.now_ms, peer.window.0, peer.window.1).map_err(fail)?;
    scene.remembers(header.tvp).map_err(fail)?;
    scene.shared.replay.check(header.sai, header.node, header.seq, scene.now_ms).map_err(fail)?;
    // V14
    if let Some(copy) = header.copy {
        let actual = &mut scene.scratch.other;
        actual.clear();
        carrier.called.0.write_canonical(carrier.called.1, actual);
        let ours = peer.cdpa_rewrite == CdpaRewrite::Own
            && copy.title().is_some_and(|(title, _)| scene.snapshot.is_home(&title));
        if copy.octets() != actual.as_slice() && !ours {
            return Err(fail(Reason::SecCdpaMismatch));
        }
    }
    // V15, V16
    let signer = entitled(scene.snapshot, signers, now_s, &carrier.calling, peer).map_err(fail)?;
    let snapshot = scene.snapshot;
    let key = &snapshot.signers.get(signer as usize).ok_or(fail(Reason::IntBug))?.key;
    tbs(parsed, place, &protection, carrier.calling, carrier.called, &mut scene.scratch.tbs);
    message.signer = Some(signer);
    message.once = Once::Sequence { sai: header.sai, node: header.node, seq: header.seq };
    debug_assert!(opcode != tcap1::OPCODE_MAP || component.local() == Some(opcode));
    Ok(Claim { key, signature: protection.signature })
}

/// Whether the security component says that the message was a UDT; a component that cannot be read says nothing.
pub(super) fn was_udt(parsed: &tcap::Message<'_>, place: usize) -> bool {
    let component = parsed.components.get(place);
    let protection = component.and_then(|component| tcap1::parse(component.parameter).ok());
    protection.is_some_and(|protection| protection.header.flags & FLAG_WAS_UDT != 0)
}

/// Offsets in the parameter become offsets in the TCAP message.
pub(super) fn below(refusal: Refusal, component: &tcap::Component<'_>) -> Refusal {
    refusal.reason.at(component.parameter_offset + refusal.at as usize)
}

/// V10: the certificates of the SAI, whose key must be of the header's algorithm.
pub(super) fn known<'s>(snapshot: &'s Snapshot, header: &Header<'_>) -> Result<&'s [SignerId], Reason> {
    let signers = snapshot.signers_of(header.sai);
    let first = signers.first().and_then(|&id| snapshot.signers.get(id as usize)).ok_or(Reason::CrtUnknownSai)?;
    if first.alg == header.alg { Ok(signers) } else { Err(Reason::SecKeyType) }
}

/// V11: at least one certificate of the key is in force now.
pub(super) fn in_force(snapshot: &Snapshot, signers: &[SignerId], now_s: i64) -> Result<(), Reason> {
    let mut worst = Reason::CrtUnknownSai;
    for &id in signers {
        let Some(signer) = snapshot.signers.get(id as usize) else { continue };
        match reason_of(signer.trust.state(now_s)) {
            None => return Ok(()),
            Some(reason) => worst = reason,
        }
    }
    Err(worst)
}

/// Why a certificate in this state does not count; `None`: it does.
pub(super) fn reason_of(state: CertState) -> Option<Reason> {
    match state {
        CertState::Good => None,
        CertState::NotYetValid => Some(Reason::CrtNotYetValid),
        CertState::Expired => Some(Reason::CrtExpired),
        CertState::Revoked => Some(Reason::CrtRevoked),
        CertState::CrlStale => Some(Reason::CrtCrlStale),
        CertState::RepoStale => Some(Reason::CrtRepoStale),
    }
}

/// V15 and V16: a certificate in force that covers the calling title, with a role that the peer accepts.
fn entitled(
    snapshot: &Snapshot,
    signers: &[SignerId],
    now_s: i64,
    calling: &Party,
    peer: &Peer,
) -> Result<SignerId, Reason> {
    // The first in the order of certificates, whatever the order in which they are found.
    let (mut first, mut why) = (None::<SignerId>, Reason::CrtResource);
    snapshot.each_covering(signers, &calling.0, |id| {
        let Some(signer) = snapshot.signers.get(id as usize) else { return };
        if reason_of(signer.trust.state(now_s)).is_some() {
            return;
        }
        if peer.allows_role(signer.trust.certificate.role) {
            first = Some(first.map_or(id, |first| first.min(id)));
        } else {
            why = Reason::CrtRole;
        }
    });
    first.ok_or(why)
}

/// Writes what the signature covers.
pub(super) fn tbs(
    parsed: &tcap::Message<'_>,
    place: usize,
    protection: &tcap1::Protection<'_>,
    calling: Party,
    called: Party,
    out: &mut Vec<u8>,
) {
    let components = parsed.components.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, c)| c.raw);
    let subject = tcap1::Subject { calling, called, tag: parsed.kind as u8 };
    let copy = protection.header.copy.map(|copy| copy.octets());
    tcap1::write_tbs(protection.covered, copy, &subject, parsed.elements.iter().copied(), components, out);
}
