//! SIP: the caller's number of an initial INVITE, verified by its PASSporT or signed with one (formats 8).

mod verify;

use sealgate_config::model::{self as config, Mode, OnFail, Protocol, Unmatched, X5uMiss};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::verify::sha256;
use sealgate_wire::addr::Digits;
use sealgate_wire::ber::Rules;
use sealgate_wire::reason::ALL;
use sealgate_wire::sec::passport::{self, Outgoing};
use sealgate_wire::sip::{self, Method, Start, Verstat};
use sealgate_wire::{Reason, Refusal, ip, udp};

pub(crate) use verify::MOST as MOST_PASSPORTS;

use super::ruling::{Rulings, facts};
use super::{Next, Scene, busy};
use crate::pipeline::slots::{Message, MessageId, SignatureState};
use crate::policy::rules::Facts;
use crate::policy::snapshot::Peer;
use crate::state::Direction;

/// Judges all of a SIP message from interconnect but its signature.
///
/// * `octets`: the payload of a datagram, or a message of a connection
///
/// # Errors
/// The first reason of formats 8, steps S1 to S10, S12 and S13.
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
        return match () {
            () if ours => Err(Reason::OkAnswered.at(0)),
            () if ruled_request(scene, &parsed, rules, message) => Ok(Next::Judge),
            () => Ok(Next::Pass(Reason::OkNotSubject)),
        };
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
    let subject = Subject { parsed: &parsed, calling, called, peer, rules };
    message.state = match passport::select(&parsed, |_| false) {
        // Nothing that we could check: the same as no signature, which the mode decides upon.
        Err(refusal) if matches!(refusal.reason, Reason::StirMissing | Reason::StirPpt) => match peer.mode {
            Mode::Require => return Err(refusal),
            Mode::Prefer | Mode::Ignore => SignatureState::Absent,
        },
        _ if peer.mode == Mode::Ignore => SignatureState::Unchecked,
        Err(refusal) => return Err(refusal),
        Ok(identity) => match verify::call(scene, &identity, &subject, message, id) {
            Ok(()) => {
                subject.ruled(scene, message)?;
                return Ok(Next::Wait);
            }
            Err(refusal) if refusal.reason == Reason::StirX5uUnavailable => {
                match (snapshot.stir.x5u_miss, peer.mode) {
                    (X5uMiss::Hold, _) if message.may_wait => return Ok(Next::Later),
                    // As an unknown signer in other profiles: no certificate is at hand for what may be good.
                    (X5uMiss::Unverified, _) | (_, Mode::Prefer) => SignatureState::UnknownSigner,
                    _ => return Err(refusal),
                }
            }
            Err(refusal) => return Err(refusal),
        },
    };
    subject.for_home(None, message)?;
    subject.ruled(scene, message)?;
    Ok(Next::Judge)
}

/// Takes note of what operator rules say of a request that is no call and belongs to none: whether they say anything.
fn ruled_request(scene: &Scene<'_>, parsed: &sip::Message<'_>, rules: &config::Sip, message: &mut Message) -> bool {
    let way = message.way.unwrap_or(Direction::In);
    let begins =
        parsed.to.tag.is_none() && parsed.method().is_some_and(|method| method != Method::ACK && method.0 != b"CANCEL");
    let Some(rulings) = Rulings::of(scene.snapshot, Protocol::Sip, way).filter(|_| begins) else { return false };
    let number = |tn: Result<sip::Tn, Refusal>| tn.ok()?.canonical(rules.default_cc.as_ref());
    let (calling, called) = (number(parsed.calling(rules.use_pai)), number(parsed.called()));
    if way == Direction::In {
        message.peer = calling.and_then(|calling| scene.snapshot.peer_of_number(&calling)).unwrap_or(0);
    }
    let method = parsed.method().map_or(&[][..], |method| method.0);
    rulings.part(&Facts { method, called, ..facts(scene, message, calling) }, 0, message);
    message.ruling.is_some() || scene.snapshot.ruleset.unmatched != Unmatched::Allow
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

/// A call that is judged.
struct Subject<'s, 'a> {
    parsed: &'s sip::Message<'a>,
    calling: Digits,
    called: Digits,
    peer: &'s Peer,
    rules: &'s config::Sip,
}

impl Subject<'_, '_> {
    /// Takes note of what operator rules say of the call, and marks it where they want that.
    fn ruled(&self, scene: &Scene<'_>, message: &mut Message) -> Result<(), Refusal> {
        let way = message.way.unwrap_or(Direction::In);
        let Some(rulings) = Rulings::of(scene.snapshot, Protocol::Sip, way) else { return Ok(()) };
        let method = Method::INVITE.0;
        let facts = Facts { method, called: Some(self.called), ..facts(scene, message, Some(self.calling)) };
        rulings.part(&facts, 0, message);
        let marks = message.ruling.is_some_and(|ruling| ruling.action == config::Action::Mark);
        if !marks || way == Direction::Out {
            return Ok(());
        }
        message.output.clear();
        sip::mark(self.parsed, Some(Verstat::Failed), self.rules.use_pai, |_| false, &[], &mut message.output)
    }

    /// Makes the message that home gets if it passes, where that is another one: what somebody outside said of a verification
    /// goes, and ours stands there where the link marks.
    fn for_home(&self, verdict: Option<Verstat>, message: &mut Message) -> Result<(), Refusal> {
        let verdict = verdict.filter(|_| self.rules.on_fail == OnFail::Mark);
        if verdict.is_none() && !sip::has_verstat(self.parsed)? {
            return Ok(());
        }
        message.output.clear();
        sip::mark(self.parsed, verdict, self.rules.use_pai, |_| false, &[], &mut message.output)
    }
}

/// Writes a refused call again with a mark that says so, where its link marks calls.
///
/// * `octets`: the message as it came; `reason`: one of a PASSporT
///
/// Returns whether it passes so.
#[cold]
pub(crate) fn mark_refused(scene: &Scene<'_>, octets: &[u8], message: &mut Message, reason: Reason) -> bool {
    let snapshot = scene.snapshot;
    let Some(rules) = snapshot.links.get(usize::from(message.link)).map(|link| &link.config.sip) else { return false };
    if rules.on_fail != OnFail::Mark || message.way != Some(Direction::In) {
        return false;
    }
    let Ok(parsed) = parse(octets, message) else { return false };
    message.output.clear();
    let made = sip::mark(&parsed, Some(Verstat::Failed), rules.use_pai, |_| false, &[], &mut message.output).is_ok();
    if made {
        let value = (reason.code() - Reason::StirMissing.code()) as u8;
        scene.shared.marked.put(&call_name(&parsed), value, scene.now_ms);
    }
    made
}

/// What an INVITE and its responses have in common (RFC 3261 §17.1.3).
fn call_name<'a>(parsed: &sip::Message<'a>) -> [&'a [u8]; 3] {
    [parsed.call_id, parsed.branch().unwrap_or_default(), parsed.cseq.method.0]
}

/// Tells the caller's side with a response what was wrong with its call, where that went on all the same (RFC 9410).
fn reason_header(scene: &mut Scene<'_>, parsed: &sip::Message<'_>, message: &mut Message) {
    let Start::Response { status, .. } = parsed.view.start() else { return };
    let Some(value) = scene.shared.marked.get(&call_name(parsed), scene.now_ms) else { return };
    let reason = ALL.iter().find(|reason| reason.code() == Reason::StirMissing.code() + u16::from(value));
    let cause = reason.and_then(|reason| Some((reason.sip_status()?, *reason == Reason::StirStale)));
    let (Some((cause, stale)), true) = (cause, status > 100) else { return };
    let line = &mut scene.scratch.component;
    line.clear();
    sip::emit_reason(cause, stale, None, line);
    if !sip::rebuild(&parsed.view, !parsed.view.is_canonical(), |_| false, line, &mut message.output) {
        message.output.clear();
    }
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
    let snapshot = scene.snapshot;
    let rules = &snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?.config.sip;
    let parsed = parse(octets, message).ok();
    if let Some(parsed) = parsed.as_ref().filter(|_| rules.on_fail == OnFail::Mark) {
        reason_header(scene, parsed, message);
    }
    let Some(parsed) = parsed.filter(sip::Message::is_initial_invite) else {
        return Ok(Next::Pass(Reason::OkNotSubject));
    };
    let number = |tn: Result<sip::Tn, Refusal>| tn.ok()?.canonical(rules.default_cc.as_ref());
    let (Some(calling), Some(called)) = (number(parsed.calling(rules.use_pai)), number(parsed.called())) else {
        return Ok(Next::Judge);
    };
    let peer_id = snapshot.peer_by_digits(&called).unwrap_or(0);
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    Subject { parsed: &parsed, calling, called, peer, rules }.ruled(scene, message)?;
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
        attest: sign.attest_of(&calling),
        origid: &sign.origid,
        orig: calling,
        dest: std::slice::from_ref(&called),
        iat: scene.now_ms / 1000,
    };
    let scratch = &mut *scene.scratch;
    scratch.component.clear();
    scratch.tbs.clear();
    let [passport, ..] = &mut scratch.passports;
    let Some(input) = outgoing.input(passport) else { return plain(scene) };
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
