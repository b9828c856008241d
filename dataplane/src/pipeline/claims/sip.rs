//! SIP: the caller's number of an initial INVITE, verified by its PASSporT or signed with one (formats 8).

use sealgate_config::model::{Mode, OnFail};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::verify::sha256;
use sealgate_wire::addr::Digits;
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::passport::{self, Compact, Outgoing, Passport};
use sealgate_wire::sip::{self, Method};
use sealgate_wire::{Reason, Refusal, ip, udp};

use super::isup::Ascii;
use super::sg_tcap1::reason_of;
use super::{Next, Scene, busy};
use crate::pipeline::slots::{Digest, Message, MessageId, Once, SignatureState};
use crate::policy::snapshot::{LinkId, Peer, SignerId};

/// Judges all of a SIP message from interconnect but its signature.
///
/// * `octets`: the payload of a datagram, or a message of a connection
///
/// # Errors
/// The first reason of formats 8, steps S1 to S10.
pub(crate) fn inbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    if sip::is_keepalive(octets) || message.ticket.is_some() && sip::is_idle(octets) {
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    let parsed = parse(octets, message)?;
    let canonicalise = scene.snapshot.rules == Rules::Lenient && !parsed.view.is_canonical();
    if canonicalise || parsed.view.trailing() > 0 {
        // Two readers could see two messages in it: home gets the one that was judged.
        if !sip::rebuild(&parsed.view, canonicalise, |_| false, &[], &mut message.output) {
            return Err(Reason::SipTooBig.at(0));
        }
    }
    let snapshot = scene.snapshot;
    let rules = &snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?.config.sip;
    if !parsed.is_initial_invite() {
        // Whoever rejected an INVITE takes its ACK (RFC 3261 §17.2.1): home has never heard of that call.
        let ours = parsed.method() == Some(Method::ACK)
            && rules.on_fail == OnFail::Reject
            && parsed.to.tag == Some(&rejection_tag(parsed.call_id));
        return if ours { Err(Reason::OkAnswered.at(0)) } else { Ok(Next::Pass(Reason::OkNotSubject)) };
    }
    let number = |tn: sip::Tn| tn.canonical(rules.default_cc.as_ref()).ok_or(Reason::SipTnForm.at(0));
    let calling = number(parsed.calling(rules.use_pai)?)?;
    let called = number(parsed.called()?)?;
    let unknown = Reason::PolPeerUnknown.at(0);
    let peer_id = snapshot.peer_of_number(&calling).ok_or(unknown)?;
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    if !peer.links.is_empty() && !peer.links.contains(&message.link) {
        return Err(unknown);
    }
    let mut claim = None;
    message.state = match passport::select(&parsed, |_| false) {
        // Nothing that we could check: the same as no signature, which the mode decides upon.
        Err(refusal) if matches!(refusal.reason, Reason::StirMissing | Reason::StirPpt) => match peer.mode {
            Mode::Require => return Err(refusal),
            Mode::Prefer | Mode::Ignore => SignatureState::Absent,
        },
        _ if peer.mode == Mode::Ignore => SignatureState::Unchecked,
        Err(refusal) => return Err(refusal),
        Ok(identity) => {
            let subject = Subject { parsed: &parsed, calling, called, peer };
            match check(scene, &identity, &subject, message) {
                Ok(found) => {
                    claim = Some(found);
                    SignatureState::Claimed
                }
                // As an unknown signer in other profiles: no certificate is at hand for what may be good.
                Err(refusal) if refusal.reason == Reason::StirX5uUnavailable && peer.mode == Mode::Prefer => {
                    SignatureState::UnknownSigner
                }
                Err(refusal) => return Err(refusal),
            }
        }
    };
    let Some((signer, signature)) = claim else { return Ok(Next::Judge) };
    let key = &snapshot.signers.get(signer as usize).ok_or(Reason::IntBug.at(0))?.key;
    let tbs = &scene.scratch.tbs;
    scene.crypto.verify(u64::from(id), u32::from(peer_id), key, tbs, &signature).map_err(busy)?;
    Ok(Next::Wait)
}

/// Reads a message of a datagram, or of a connection.
fn parse<'a>(octets: &'a [u8], message: &Message) -> Result<sip::Message<'a>, Refusal> {
    if message.ticket.is_some() { sip::Message::stream(octets) } else { sip::Message::datagram(octets) }
}

/// The tag that To gets in a rejection of this call: the same request gets the same one, and nobody who does not know the call
/// can tell it.
pub(crate) fn rejection_tag(call_id: &[u8]) -> [u8; 16] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut tag = [0; 16];
    for (place, octet) in tag.chunks_mut(2).zip(sha256(call_id)) {
        place.copy_from_slice(&[HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]]);
    }
    tag
}

/// What a PASSporT must speak of.
struct Subject<'s, 'a> {
    parsed: &'s sip::Message<'a>,
    calling: Digits,
    called: Digits,
    peer: &'s Peer,
}

/// S2 to S10, S12 and S13; leaves in `scratch.tbs` what the signature must cover.
fn check(
    scene: &mut Scene<'_>,
    identity: &passport::Identity<'_>,
    subject: &Subject<'_, '_>,
    message: &mut Message,
) -> Result<(SignerId, [u8; 64]), Refusal> {
    let fail = |reason: Reason| reason.at(identity.at);
    let Subject { parsed, calling, called, .. } = subject;
    let date = parsed.date()?;
    let compact = Compact { orig: calling, dest: called, date };
    let mut plain = std::mem::take(&mut scene.scratch.passport);
    let checked = claims(scene, identity, &compact, subject, &mut plain);
    scene.scratch.passport = plain;
    let signer_id = checked?;
    let signature = identity.signature()?;
    // The same PASSporT again is a replay, unless it is the same transaction: UDP sends an INVITE until it is answered.
    let input = sha256(&scene.scratch.tbs);
    let call = transaction(&input, message.link, parsed, &mut scene.scratch.other);
    let seen = |digest: &Digest| scene.shared.digests.check(digest, scene.now_ms) == Err(Reason::SecReplay);
    if seen(&input) && !seen(&call) {
        return Err(fail(Reason::StirReplay));
    }
    message.once = Once::Call { input, call };
    Ok((signer_id, signature))
}

/// S2 to S10 and S13 of a PASSporT that is read into `plain`: the certificate that it names. Leaves in `scratch.tbs` what the
/// signature must cover.
fn claims(
    scene: &mut Scene<'_>,
    identity: &passport::Identity<'_>,
    compact: &Compact<'_>,
    subject: &Subject<'_, '_>,
    plain: &mut passport::Scratch,
) -> Result<SignerId, Refusal> {
    let fail = |reason: Reason| reason.at(identity.at);
    let Subject { calling, called, peer, .. } = subject;
    let (snapshot, now_s, date) = (scene.snapshot, scene.now_ms / 1000, compact.date);
    let read: Passport<'_> = identity.read(compact, plain)?;
    let host = passport::x5u_host(identity.info).filter(|host| snapshot.stir.allows_host(host));
    host.ok_or(fail(Reason::StirX5uDenied))?;
    let signer_id = snapshot.stir.signer(identity.info).ok_or(fail(Reason::StirX5uUnavailable))?;
    let signer = snapshot.signers.get(signer_id as usize).ok_or(fail(Reason::IntBug))?;
    if signer.alg != Alg::P256 as u8 || reason_of(signer.trust.state(now_s as i64)).is_some() {
        return Err(fail(Reason::StirCert));
    }
    scene.remembers_ms((now_s as i64 - read.claims.iat as i64) * 1000).map_err(|_| fail(Reason::StirStale))?;
    passport::fresh(now_s, read.claims.iat, date, u64::from(snapshot.stir.window_s)).map_err(fail)?;
    read.names(calling, called).map_err(fail)?;
    if !signer.trust.certificate.identifiers.covers_tn(Ascii::of(calling).as_str()) {
        return Err(fail(Reason::StirTn));
    }
    read.attested(peer.min_attest).map_err(fail)?;
    scene.scratch.tbs.clear();
    scene.scratch.tbs.extend_from_slice(read.input);
    Ok(signer_id)
}

/// The digest of a PASSporT in its transaction: branch, Call-ID and CSeq (RFC 3261 §17.2.3).
fn transaction(input: &Digest, link: LinkId, parsed: &sip::Message<'_>, buffer: &mut Vec<u8>) -> Digest {
    buffer.clear();
    buffer.extend_from_slice(b"STIR");
    buffer.extend_from_slice(input);
    buffer.extend_from_slice(&link.to_be_bytes());
    for part in [parsed.branch().unwrap_or_default(), parsed.call_id, &parsed.cseq.number.to_be_bytes()] {
        buffer.extend_from_slice(&(part.len() as u32).to_be_bytes());
        buffer.extend_from_slice(part);
    }
    sha256(buffer)
}

/// Prepares a SIP message of our own network for its way out: an initial INVITE from a number of ours leaves signed for peers
/// that are signed towards.
///
/// # Errors
/// A full crypto queue.
pub(crate) fn outbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let parsed = parse(octets, message).ok().filter(sip::Message::is_initial_invite);
    let Some(parsed) = parsed else { return Ok(Next::Pass(Reason::OkNotSubject)) };
    let snapshot = scene.snapshot;
    let rules = &snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?.config.sip;
    let number = |tn: Result<sip::Tn, Refusal>| tn.ok()?.canonical(rules.default_cc.as_ref());
    let (Some(calling), Some(called)) = (number(parsed.calling(rules.use_pai)), number(parsed.called())) else {
        return Ok(Next::Judge);
    };
    let peer_id = snapshot.peer_by_digits(&called).unwrap_or(0);
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    let (Some(own), Some(sign)) = (&snapshot.own, &snapshot.stir.sign) else { return Ok(Next::Judge) };
    if peer.sign.is_none() || !snapshot.is_home_number(&calling) || parsed.identity_count > 0 {
        return Ok(Next::Judge); // nobody asks for it, not ours to speak for, or signed behind us already
    }
    let plain = |scene: &mut Scene<'_>| {
        scene.stats.event(Reason::ResSignFailed);
        Ok(Next::Judge)
    };
    if own.alg != Alg::P256 as u8 {
        return plain(scene); // SHAKEN knows no other
    }
    let outgoing = Outgoing {
        x5u: &sign.x5u,
        attest: sign.attest,
        origid: &sign.origid,
        orig: calling,
        dest: std::slice::from_ref(&called),
        iat: scene.now_ms / 1000,
    };
    let scratch = &mut *scene.scratch;
    scratch.component.clear();
    scratch.tbs.clear();
    let Some(input) = outgoing.input(&mut scratch.passport) else { return plain(scene) };
    scratch.tbs.extend_from_slice(input);
    outgoing.emit(input, &[0; 64], &mut scratch.component);
    // The signature is text in the middle of a header: it is put in where 64 zeros stand now.
    let blank = scratch.component.windows(PLACE).position(|window| window.iter().all(|&octet| octet == b'A'));
    let canonical = !parsed.view.is_canonical();
    let made = sip::rebuild(&parsed.view, canonical, |_| false, &scratch.component, &mut message.output);
    let (Some(blank), true) = (blank, made) else {
        message.output.clear();
        return plain(scene);
    };
    // Header lines end two octets of CR LF before the body.
    let body = parsed.view.body().len() + 2;
    let line = message.output.len().checked_sub(body + scratch.component.len()).ok_or(Reason::IntBug.at(0))?;
    message.signature = Some((line + blank, line + blank + PLACE));
    message.unsigned_instead = true;
    let link = snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
    let ip =
        if link.config.remote.iter().any(|remote| remote.is_ipv6()) { ip::V6_HEADER_LEN } else { ip::V4_HEADER_LEN };
    if message.ticket.is_none() && ip + udp::HEADER_LEN + message.output.len() > usize::from(link.mtu) {
        message.output.clear();
        message.signature = None;
        return plain(scene);
    }
    scene.crypto.sign(u64::from(id), &own.key, &scene.scratch.tbs).map_err(busy)?;
    Ok(Next::Wait)
}

/// Octets of a P-256 signature in base64url.
const PLACE: usize = 86;
