//! The PASSporTs of a call: everything that formats 8 asks of them, and then their signatures.

use sealgate_crypto::alg::Alg;
use sealgate_crypto::verify::sha256;
use sealgate_wire::addr::Digits;
use sealgate_wire::sec::passport::{self, Attest, Compact, Identity, MAX_DIVS, Passport};
use sealgate_wire::sip::{self, Verstat};
use sealgate_wire::{Reason, Refusal};

use super::Subject;
use crate::pipeline::claims::isup::Ascii;
use crate::pipeline::claims::sg_tcap1::reason_of;
use crate::pipeline::claims::{Scene, busy};
use crate::pipeline::slots::{Digest, Message, MessageId, Once, SignatureState};
use crate::policy::snapshot::{LinkId, Signer};

/// PASSporTs of a call: the first one, and one each time that it was diverted.
pub(crate) const MOST: usize = 1 + MAX_DIVS;

/// A PASSporT that holds up to its signature.
struct Sound<'p, 's> {
    passport: Passport<'p>,
    signer: &'s Signer,
    signature: [u8; 64],
}

/// Judges a call by its PASSporT, and by those of its diversions where these are followed, and asks for their signatures; on
/// success at least one was asked for.
///
/// # Errors
/// The first reason of S2 to S10, S12 and S13 of the first PASSporT, then of each diversion; a full crypto queue.
pub(super) fn call(
    scene: &mut Scene<'_>,
    base: &Identity<'_>,
    subject: &Subject<'_, '_>,
    message: &mut Message,
    id: MessageId,
) -> Result<(), Refusal> {
    let mut texts = std::mem::take(&mut scene.scratch.passports);
    let judged = judge(scene, base, subject, &mut texts, message, id);
    scene.scratch.passports = texts;
    judged
}

fn judge(
    scene: &mut Scene<'_>,
    base: &Identity<'_>,
    subject: &Subject<'_, '_>,
    texts: &mut [passport::Scratch; MOST],
    message: &mut Message,
    id: MessageId,
) -> Result<(), Refusal> {
    let fail = |reason: Reason| reason.at(base.at);
    let Subject { parsed, calling, called, peer, .. } = subject;
    let (mut texts, snapshot) = (texts.iter_mut(), scene.snapshot);
    let mut text = || texts.next().ok_or(fail(Reason::StirDiv));
    let compact = Compact { orig: calling, dest: called, date: parsed.date()? };
    let first = sound(scene, base, &compact, text()?, &mut message.may_wait)?;
    let mut sounds: [Option<Sound<'_, '_>>; MOST] = [const { None }; MOST];
    if snapshot.stir.div && parsed.identity_count > 1 {
        let mut divs = [first.passport; MAX_DIVS];
        let mut count = 0;
        for identity in passport::diversions(parsed) {
            let identity = identity?;
            let div = sound(scene, &identity, &compact, text()?, &mut message.may_wait)?;
            let diverted = div.passport.claims.div.and_then(|party| party.number());
            // Who says that a number's calls go elsewhere must speak for that number (RFC 8946 §4.2).
            if !diverted.is_some_and(|number| covers(div.signer, &number)) {
                return Err(Reason::StirTn.at(identity.at));
            }
            if let Some(place) = divs.get_mut(count) {
                *place = div.passport;
            }
            count += 1;
            if let Some(place) = sounds.get_mut(count) {
                *place = Some(div);
            }
        }
        let divs = divs.get(..count).ok_or(fail(Reason::StirDiv))?;
        passport::div_chain(&first.passport, divs, calling, called).map_err(fail)?;
    } else {
        first.passport.names(calling, called).map_err(fail)?;
    }
    if !covers(first.signer, calling) {
        return Err(fail(Reason::StirTn));
    }
    first.passport.attested(peer.min_attest).map_err(fail)?;
    let vouched = first.passport.attested(Attest::A).is_ok();
    sounds[0] = Some(first);
    // The same PASSporTs again are a replay, unless it is the same transaction: UDP sends an INVITE until it is answered.
    let scratch = &mut *scene.scratch;
    scratch.tbs.clear();
    for sound in sounds.iter().flatten() {
        scratch.tbs.extend_from_slice(sound.passport.input);
    }
    let input = sha256(&scratch.tbs);
    let call = transaction(&input, message.link, parsed, &mut scratch.other);
    let seen = |digest: &Digest| scene.shared.digests.check(digest, scene.now_ms) == Err(Reason::SecReplay);
    if seen(&input) && !seen(&call) {
        return Err(fail(Reason::StirReplay));
    }
    message.signer = snapshot.stir.signer(base.info);
    message.once = Once::Call { input, call };
    message.state = SignatureState::Claimed;
    subject.for_home(vouched.then_some(Verstat::Passed), message)?;
    submit(scene, sounds.iter().flatten(), message, id)
}

/// Asks for signatures. Once one is asked for, its answer will come: the message must wait for it, whatever becomes of the others.
fn submit<'v, 'p: 'v, 's: 'v>(
    scene: &mut Scene<'_>,
    sounds: impl Iterator<Item = &'v Sound<'p, 's>>,
    message: &mut Message,
    id: MessageId,
) -> Result<(), Refusal> {
    for (asked, sound) in sounds.enumerate() {
        let Sound { passport, signer, signature } = sound;
        let submitted =
            scene.crypto.verify(u64::from(id), u32::from(message.peer), &signer.key, passport.input, signature);
        match submitted {
            Ok(()) => message.further = asked as u8,
            Err(fault) if asked == 0 => return Err(busy(fault)),
            Err(fault) => {
                message.failed = Some(busy(fault).reason);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// S2 to S8 of a PASSporT that is read into `text`, and the certificate that it names.
///
/// * `may_wait`: becomes false where a certificate is missing and no hope is left for it
fn sound<'p, 'w>(
    scene: &Scene<'w>,
    identity: &Identity<'p>,
    compact: &Compact<'_>,
    text: &'p mut passport::Scratch,
    may_wait: &mut bool,
) -> Result<Sound<'p, 'w>, Refusal> {
    let fail = |reason: Reason| reason.at(identity.at);
    let (snapshot, now_s) = (scene.snapshot, scene.now_ms / 1000);
    let passport: Passport<'p> = identity.read(compact, text)?;
    let host = passport::x5u_host(identity.info).filter(|host| snapshot.stir.allows_host(host));
    host.ok_or(fail(Reason::StirX5uDenied))?;
    let Some(signer) = snapshot.stir.signer(identity.info) else {
        let misses = &scene.shared.misses;
        misses.note(identity.info);
        *may_wait &= misses.has_hope(identity.info, scene.now_ms);
        return Err(fail(Reason::StirX5uUnavailable));
    };
    let signer = snapshot.signers.get(signer as usize).ok_or(fail(Reason::IntBug))?;
    if signer.alg != Alg::P256 as u8 || reason_of(signer.trust.state(now_s as i64)).is_some() {
        return Err(fail(Reason::StirCert));
    }
    scene.remembers_ms((now_s as i64 - passport.claims.iat as i64) * 1000).map_err(|_| fail(Reason::StirStale))?;
    passport::fresh(now_s, passport.claims.iat, compact.date, u64::from(snapshot.stir.window_s)).map_err(fail)?;
    let signature = identity.signature()?;
    Ok(Sound { passport, signer, signature })
}

/// Whether a certificate speaks for a number (S10).
fn covers(signer: &Signer, number: &Digits) -> bool {
    signer.trust.certificate.numbers.covers(Ascii::of(number).as_str())
}

/// The digest of PASSporTs in their transaction: branch, Call-ID and CSeq (RFC 3261 §17.2.3).
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
