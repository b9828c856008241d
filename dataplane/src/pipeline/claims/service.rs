//! UDTS, XUDTS and LUDTS from interconnect: accepted only when they bring back what we signed (formats 4.6).

use std::time::Duration;

use sealgate_wire::ber::Rules;
use sealgate_wire::sccp::Unitdata;
use sealgate_wire::sec::tcap1;
use sealgate_wire::{Reason, Refusal, tcap};

use super::sccp::Shape;
use super::{Carrier, Found, Next, Party, Scene, busy, native_opcode, sg_tcap1};
use crate::pipeline::slots::{Message, MessageId, SignatureState};
use crate::policy::Snapshot;
use crate::policy::snapshot::Peer;

/// How long an own message may have been on its way.
const RETURN_WINDOW: Duration = Duration::from_secs(60);

/// Judges a service message up to its signature, which must be our own over addresses exchanged.
///
/// # Errors
/// [`Reason::SccpServiceUnsolicited`] whatever it is that does not fit.
pub(super) fn inbound(
    scene: &mut Scene<'_>,
    user: &[u8],
    unitdata: Unitdata<'_>,
    parties: Option<(Party, Party)>,
    message: &mut Message,
    id: MessageId,
) -> Result<Next, Refusal> {
    let unsolicited = Reason::SccpServiceUnsolicited.at(0);
    let (called, calling) = parties.ok_or(unsolicited)?;
    let known = scene.snapshot.peer(&calling.0);
    let peer_id = known.unwrap_or(0);
    let peer = scene.snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = peer_id;
    message.returned = true;
    let carrier = Carrier { kind: message.kind, user, unitdata, segmented: false, opc: None, called, calling };
    if !scene.snapshot.is_home(&called.0) {
        return Err(unsolicited);
    }
    if claim(scene, &carrier, peer.opcode_map, peer.opcode_other, message, id)? {
        return Ok(Next::Wait);
    }
    // Nothing of ours in it. Peers that we do not sign towards cannot send our signature back; what nobody may send, and
    // what has somebody's signature in it, stays out.
    let may = known.is_some() && peer.sign.is_none() && !is_signed(scene.snapshot, &carrier, peer);
    let rate = scene.snapshot.defaults.abort_per_peer;
    if may && scene.snapshot.lets_service_messages() && scene.shared.allow(peer_id, rate, scene.now_ms) {
        message.state = SignatureState::Absent;
        return Ok(Next::Judge);
    }
    Err(unsolicited)
}

/// Whether there is a security component in what came back. What SCCP cut off so that it cannot be read has none.
fn is_signed(snapshot: &Snapshot, carrier: &Carrier<'_>, peer: &Peer) -> bool {
    let opcode = native_opcode(snapshot, peer, carrier.called.1, carrier.calling.1);
    let parsed = tcap::Message::parse(carrier.unitdata.data, Rules::Lenient);
    parsed.is_ok_and(|parsed| Found::within(&parsed, opcode).count > 0)
}

/// Submits our own signature for checking; false if the message does not carry it.
fn claim(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    opcode_map: i32,
    opcode_other: i32,
    message: &mut Message,
    id: MessageId,
) -> Result<bool, Refusal> {
    let Some(own) = &scene.snapshot.own else { return Ok(false) };
    let Ok(parsed) = tcap::Message::parse(carrier.unitdata.data, scene.snapshot.rules) else { return Ok(false) };
    let other = scene.snapshot.is_other_tcap(carrier.called.1.0, carrier.calling.1.0);
    let found = Found::within(&parsed, if other { opcode_other } else { opcode_map });
    let Some(place) = found.native.filter(|place| found.count == 1 && place + 1 == parsed.components.len()) else {
        return Ok(false);
    };
    let Some(component) = parsed.components.get(place) else { return Ok(false) };
    let Ok(protection) = tcap1::parse(component.parameter) else { return Ok(false) };
    let header = &protection.header;
    let fresh = header.tvp.check(scene.now_ms, RETURN_WINDOW, RETURN_WINDOW).is_ok();
    if header.sai != own.sai || header.alg != own.alg || !fresh {
        return Ok(false);
    }
    // What is called now was calling when we signed.
    sg_tcap1::tbs(&parsed, place, &protection, carrier.called, carrier.calling, &mut scene.scratch.tbs);
    let scratch = &mut *scene.scratch;
    scratch.tcap.clear();
    tcap::rebuild(&parsed, Some(place), None, false, &mut scratch.tcap);
    let shape = Shape { udt: false, segmented: false, ludt: false };
    carrier.put(&scratch.tcap, shape, &mut scratch.sccp, &mut message.output)?;
    message.state = SignatureState::Claimed;
    scene
        .crypto
        .verify(u64::from(id), u32::from(message.peer), &own.public, &scratch.tbs, protection.signature)
        .map_err(busy)?;
    Ok(true)
}
