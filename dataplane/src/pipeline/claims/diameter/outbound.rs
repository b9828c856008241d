//! A Diameter message of our own network: signed where its operator is signed towards (formats 6, 7).

use sealgate_config::model::{Oversize, Profile};
use sealgate_crypto::alg::Alg;
use sealgate_wire::sec::dess::{Signer, SystemTime};
use sealgate_wire::sec::{Header, Tvp, dia0, dia1};
use sealgate_wire::{Reason, Refusal, diameter};

use super::super::outbound::{too_long, unsigned};
use super::super::{Next, Scene, busy};
use super::asked::Asked;
use super::{request_key, transaction};
use crate::pipeline::detect;
use crate::pipeline::slots::{Message, MessageId};
use crate::policy::snapshot::{Own, Peer, PeerId};
use crate::state::Direction;

/// Prepares a message of our own network for its way out.
///
/// What is malformed is not ours to refuse here: it leaves as it came, unsigned, and the other side judges it.
///
/// # Errors
/// [`Reason::ResSignFailed`] where it should be signed and cannot, and the peer's `oversize` is refuse.
pub(crate) fn outbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let Ok(parsed) = diameter::Message::parse(octets) else { return Ok(Next::Pass(Reason::OkNotSubject)) };
    let (header, snapshot) = (&parsed.header, scene.snapshot);
    if header.is_hop_local() {
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    if header.is_request() {
        message.transaction = transaction(scene, message, header);
        let peer = parsed.destination_realm.and_then(|realm| snapshot.peer_by_realm(realm));
        return towards(scene, &parsed, peer, message, id);
    }
    // An answer names nobody: it goes to who asked.
    let key = request_key(scene, message.link, Direction::In, header);
    message.event = detect::of_answer(scene, &parsed, key);
    let asked = scene.shared.dialogues.lookup(key, scene.now_ms);
    let next = towards(scene, &parsed, asked, message, id);
    // What finds no room in the pool may be asked for again, and goes to the same one then.
    if next.is_ok() {
        scene.shared.dialogues.close(key);
    }
    next
}

/// Signs a message where its receiver is signed towards.
fn towards(
    scene: &mut Scene<'_>,
    parsed: &diameter::Message<'_>,
    peer_id: Option<PeerId>,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let snapshot = scene.snapshot;
    let known = peer_id.and_then(|peer_id| Some((peer_id, snapshot.peers.get(usize::from(peer_id))?)));
    message.peer = known.map_or(0, |(peer_id, _)| peer_id);
    if let Some(rules) = Asked::of(scene, parsed, message) {
        if parsed.header.is_request() { rules.request(message) } else { rules.answer(message) }
    }
    let Some((_, peer)) = known else { return Ok(Next::Judge) };
    let (Some(profile), Some(own)) = (peer.sign_diameter, &snapshot.own) else { return Ok(Next::Judge) };
    let ours = parsed.origin_realm.is_some_and(|realm| snapshot.is_home_realm(realm));
    if !ours || parsed.dess.is_some() {
        return Ok(Next::Judge); // not ours to speak for, or signed behind us already
    }
    sign(scene, parsed, own, profile, peer, message, id)
}

/// Makes the message with room for our signature and asks for it.
fn sign(
    scene: &mut Scene<'_>,
    parsed: &diameter::Message<'_>,
    own: &Own,
    profile: Profile,
    peer: &Peer,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    // DESS has RSA signatures of a length known before; those of ECDSA in DER have not.
    if profile == Profile::SgDia0 && own.alg != Alg::Rsa2048 as u8 {
        return unsigned(scene, peer);
    }
    let signature_len = own.public.key().signature_len();
    let identity = scene.snapshot.identity.as_bytes();
    let time = SystemTime::from_unix_ms(scene.now_ms);
    let scratch = &mut *scene.scratch;
    scratch.covered.clear();
    let native = profile == Profile::SgDia1;
    if native {
        scene.signer.seq += 1;
        let header = Header {
            alg: own.alg,
            flags: 0,
            node: scene.signer.node,
            sai: own.sai,
            tvp: Tvp::from_unix_ms(scene.now_ms),
            seq: scene.signer.seq,
            copy: None,
        };
        header.emit(&mut scratch.covered);
    }
    let signer = Signer::new(identity, time, own.alg, native.then_some(scratch.covered.as_slice()));
    let covers = if native {
        dia1::write_tbs(&parsed.view, &scratch.covered, signer.parts(), &mut scratch.sorter, &mut scratch.tbs)
    } else {
        dia0::write_tbs(&parsed.view, signer.parts(), &mut scratch.sorter, &mut scratch.tbs)
    };
    scratch.component.clear();
    let zeros = [0; 512];
    let room = zeros.get(..signature_len).filter(|_| covers.is_ok() && !identity.is_empty());
    let made = room.is_some_and(|room| {
        signer.emit(room, &mut scratch.component)
            && diameter::rebuild(&parsed.view, |_| false, &scratch.component, &mut message.output)
    });
    if !made || too_long(scene, message) {
        message.output.clear();
        return unsigned(scene, peer);
    }
    // A signature is a whole number of words in each algorithm: nothing pads it.
    let end = message.output.len();
    message.signature = end.checked_sub(signature_len).map(|from| (from, end));
    message.unsigned_instead = peer.oversize == Oversize::Unsigned;
    scene.crypto.sign(u64::from(id), &own.key, &scene.scratch.tbs).map_err(busy)?;
    Ok(Next::Wait)
}
