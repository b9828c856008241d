//! ISUP in M3UA and M2PA: the calling line of an initial address message, verified, stripped and signed (formats 9).

use std::time::Duration;

use sealgate_config::model::{Isup, LinkKind, Mode, Protocol};
use sealgate_wire::addr::{Digits, PointCode};
use sealgate_wire::isup::{self, Iam, Mark, View};
use sealgate_wire::sec::{Header, Tvp, isup1};
use sealgate_wire::{Reason, Refusal};

use super::ruling::{Rulings, facts};
use super::sg_tcap1::{in_force, known, reason_of};
use super::{Next, Scene, busy};
use crate::pipeline::carrier;
use crate::pipeline::slots::{Message, MessageId, Once, SignatureState};
use crate::policy::Snapshot;
use crate::policy::decide;
use crate::policy::rules::Facts;
use crate::policy::snapshot::SignerId;
use crate::state::Direction;

/// Octets of an ISUP message that fit behind the label into the signal information of MTP (Q.704 §2.3.8: 272).
const MAX_LEN: usize = 268;

/// Judges all of an ISUP message from interconnect but its signature.
///
/// * `user`: the message of the link around it; `octets`: from the circuit identification code on; `opc`: where it comes from
///
/// # Errors
/// The first reason of formats 9.
pub(super) fn inbound(
    scene: &mut Scene<'_>,
    user: &[u8],
    (octets, opc): (&[u8], PointCode),
    rules: &Isup,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let view = View::new(octets)?;
    if view.kind() != isup::IAM {
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    let iam = Iam::parse(view)?;
    if rules.mode == Mode::Ignore || rules.mode == Mode::Prefer && iam.app.is_none() {
        // Nothing is vouched for: a call without a number, or with one that is not international, is as good as any.
        let calling = iam.calling.and_then(|number| number.digits());
        message.peer = calling.and_then(|digits| scene.snapshot.peer_by_digits(&digits)).unwrap_or(0);
        message.state = if iam.app.is_some() { SignatureState::Unchecked } else { SignatureState::Absent };
        ruled(scene, calling, iam.called.digits(), opc, message);
        for_exchange(scene, user, &iam, rules.mark.then_some(Mark::Unverified), message)?;
        return Ok(Next::Judge);
    }
    let calling = iam.calling.ok_or(Reason::IsupCgpnMissing.at(2))?;
    let form = Reason::IsupNumForm.at(2);
    let digits = calling.digits().filter(|_| calling.is_international()).ok_or(form)?;
    let called = iam.called.digits().ok_or(form)?;
    // ISUP names no operator. Whose number it says to be is only for counters: what may speak for it, certificates say.
    message.peer = scene.snapshot.peer_by_digits(&digits).unwrap_or(0);
    let mut claim = None;
    message.state = match &iam.app {
        None => decide::unsigned_of(rules.mode).map_err(|reason| reason.at(0))?,
        Some(app) => {
            let subject = Subject { calling: digits, called, iam: &iam };
            match check(scene, app, &subject, message) {
                Ok(found) => {
                    claim = Some(found);
                    SignatureState::Claimed
                }
                Err(refusal) => decide::after_failure(rules.mode, refusal.reason)
                    .map_err(|reason| reason.at(refusal.at as usize))?,
            }
        }
    };
    ruled(scene, Some(digits), Some(called), opc, message);
    // What is not claimed and comes this far has an unknown signer, or none: the latter has gone another way.
    let mark = if claim.is_some() { Mark::Passed } else { Mark::Failed };
    for_exchange(scene, user, &iam, rules.mark.then_some(mark), message)?;
    let Some((signer, signature)) = claim else { return Ok(Next::Judge) };
    let key = &scene.snapshot.signers.get(signer as usize).ok_or(Reason::IntBug.at(0))?.key;
    let tbs = &scene.scratch.tbs;
    scene.crypto.verify(u64::from(id), u32::from(message.peer), key, tbs, signature).map_err(busy)?;
    Ok(Next::Wait)
}

/// Takes note of what operator rules say of a call.
fn ruled(scene: &Scene<'_>, calling: Option<Digits>, called: Option<Digits>, opc: PointCode, message: &mut Message) {
    let way = message.way.unwrap_or(Direction::In);
    let Some(rulings) = Rulings::of(scene.snapshot, Protocol::Isup, way) else { return };
    let facts = Facts { called, opc: Some(opc.0), ..facts(scene, message, calling) };
    rulings.part(&facts, 0, message);
}

/// Makes the message that our exchange gets: without the parameter of the profile, and marked where the link marks. What is as
/// it shall be already goes on as it came.
fn for_exchange(
    scene: &mut Scene<'_>,
    user: &[u8],
    iam: &Iam<'_>,
    mark: Option<Mark>,
    message: &mut Message,
) -> Result<(), Refusal> {
    if iam.app.is_none() && mark.is_none() {
        return Ok(());
    }
    let scratch = &mut *scene.scratch;
    scratch.other.clear();
    let mut made = isup::strip(iam, &mut scratch.other);
    let mut changed = iam.app.is_some();
    if let Some(mark) = mark {
        scratch.component.clear();
        made &= isup::mark(&scratch.other, mark, &mut scratch.component);
        changed |= scratch.component != scratch.other;
        std::mem::swap(&mut scratch.other, &mut scratch.component);
    }
    if !made {
        return Err(Reason::IntBug.at(0));
    }
    if changed { carrier::put(message.kind, user, &scratch.other, &mut message.output) } else { Ok(()) }
}

/// What a signature speaks of.
struct Subject<'i, 'a> {
    calling: Digits,
    called: Digits,
    iam: &'i Iam<'a>,
}

/// Checks everything but the signature and leaves in `scratch.tbs` what it must cover.
fn check<'a>(
    scene: &mut Scene<'_>,
    app: &isup::App<'a>,
    subject: &Subject<'_, '_>,
    message: &mut Message,
) -> Result<(SignerId, &'a [u8]), Refusal> {
    let protection = isup1::parse(app)?;
    let (header, snapshot) = (&protection.header, scene.snapshot);
    let fail = |reason: Reason| reason.at(0);
    let signers = known(snapshot, header).map_err(fail)?;
    let now_s = (scene.now_ms / 1000) as i64;
    in_force(snapshot, signers, now_s).map_err(fail)?;
    let window = &snapshot.defaults.window;
    let limit = |ms: u32| Duration::from_millis(ms.into());
    header.tvp.check(scene.now_ms, limit(window.past_ms), limit(window.future_ms)).map_err(fail)?;
    scene.remembers(header.tvp).map_err(fail)?;
    scene.shared.replay.check(header.sai, header.node, header.seq, scene.now_ms).map_err(fail)?;
    let (calling, called) = (Ascii::of(&subject.calling), Ascii::of(&subject.called));
    // The copy is the called number as it was signed; on its way it may lose digits in front, and no others.
    let copy = protection.copy;
    match copy {
        Some(copy) if copy.get(2..).is_none_or(|digits| !digits.ends_with(called.as_str().as_bytes())) => {
            return Err(fail(Reason::SecCdpaMismatch));
        }
        None if !subject.iam.called.is_international() => return Err(fail(Reason::IsupNumForm)),
        _ => {}
    }
    let signer = entitled(snapshot, signers, now_s, calling.as_str()).map_err(fail)?;
    let apri = subject.iam.calling.as_ref().map_or(0, isup::Number::presentation);
    let tbs = &mut scene.scratch.tbs;
    isup1::write_tbs(protection.covered, copy, &subject.calling, &subject.called, subject.iam.cpc, apri, tbs);
    message.signer = Some(signer);
    message.once = Once::Sequence { sai: header.sai, node: header.node, seq: header.seq };
    Ok((signer, protection.signature))
}

/// A certificate in force whose TNAuthList covers the calling number.
fn entitled(snapshot: &Snapshot, signers: &[SignerId], now_s: i64, calling: &str) -> Result<SignerId, Reason> {
    let covers = |id: &&SignerId| {
        snapshot.signers.get(**id as usize).is_some_and(|signer| {
            let good = reason_of(signer.trust.state(now_s)).is_none();
            good && signer.trust.certificate.numbers.covers(calling)
        })
    };
    signers.iter().find(covers).copied().ok_or(Reason::CrtResource)
}

/// Prepares an ISUP message of our own network for its way out: an IAM with a calling number of ours leaves signed where the
/// link says so.
///
/// # Errors
/// A full crypto queue.
pub(super) fn outbound(
    scene: &mut Scene<'_>,
    user: &[u8],
    (octets, opc): (&[u8], PointCode),
    rules: &Isup,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let asked = rules.sign || Rulings::of(scene.snapshot, Protocol::Isup, Direction::Out).is_some();
    let iam = View::new(octets).ok().filter(|view| view.kind() == isup::IAM && asked);
    let Some(iam) = iam.and_then(|view| Iam::parse(view).ok()) else { return Ok(Next::Pass(Reason::OkNotSubject)) };
    let snapshot = scene.snapshot;
    let called = iam.called.digits();
    message.peer = called.and_then(|digits| snapshot.peer_by_digits(&digits)).unwrap_or(0);
    let calling = iam.calling.filter(isup::Number::is_international).and_then(|number| number.digits());
    ruled(scene, calling, called, opc, message);
    let ours = calling.filter(|digits| rules.sign && snapshot.is_home_number(digits));
    let (Some(own), Some(calling), None) = (&snapshot.own, ours, &iam.app) else { return Ok(Next::Judge) };
    let plain = |scene: &mut Scene<'_>| {
        scene.stats.event(Reason::ResSignFailed);
        Ok(Next::Judge)
    };
    let Some(called) = called.filter(|_| iam.called.is_international()) else { return plain(scene) };
    let signature_len = own.public.key().signature_len();
    scene.signer.seq += 1;
    let scratch = &mut *scene.scratch;
    let header = Header {
        alg: own.alg,
        flags: 0,
        node: scene.signer.node,
        sai: own.sai,
        tvp: Tvp::from_unix_ms(scene.now_ms),
        seq: scene.signer.seq,
        copy: None,
    };
    isup1::put_covered(&header, rules.copy_called.then_some(&called), &mut scratch.covered);
    let copy = scratch.covered.get(Header::LEN + 1..).filter(|copy| !copy.is_empty());
    let apri = iam.calling.as_ref().map_or(0, isup::Number::presentation);
    isup1::write_tbs(&scratch.covered, copy, &calling, &called, iam.cpc, apri, &mut scratch.tbs);
    let zeros = [0; 512];
    scratch.component.clear();
    scratch.other.clear();
    let room = zeros.get(..signature_len).unwrap_or(&[]);
    let made = isup1::emit_parameter(&scratch.covered, room, &mut scratch.component);
    if !made || !isup::append(&iam, &scratch.component, &mut scratch.other) || scratch.other.len() > MAX_LEN {
        return plain(scene);
    }
    carrier::put(message.kind, user, &scratch.other, &mut message.output)?;
    message.signature = place_of_signature(message.kind, &message.output, signature_len);
    if message.signature.is_none() {
        return Err(Reason::IntBug.at(0));
    }
    message.unsigned_instead = true;
    scene.crypto.sign(u64::from(id), &own.key, &scene.scratch.tbs).map_err(busy)?;
    Ok(Next::Wait)
}

/// Where our signature lies in the message: it ends the last parameter, behind which one octet ends the optional part.
fn place_of_signature(kind: LinkKind, output: &[u8], signature_len: usize) -> Option<(usize, usize)> {
    let isup = carrier::part(kind, output)?;
    let end = (isup.as_ptr() as usize - output.as_ptr() as usize + isup.len()).checked_sub(1)?;
    Some((end.checked_sub(signature_len)?, end))
}

/// A number as the ASCII that certificates and copies have.
pub(super) struct Ascii {
    octets: [u8; 16],
    len: usize,
}

impl Ascii {
    pub(super) fn of(digits: &Digits) -> Self {
        let mut octets = [0; 16];
        for (place, digit) in octets.iter_mut().zip(digits.iter()) {
            *place = b'0' + digit;
        }
        Self { octets, len: digits.len().min(16) }
    }

    pub(super) fn as_str(&self) -> &str {
        self.octets.get(..self.len).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or("")
    }
}
