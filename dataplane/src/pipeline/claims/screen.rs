//! The built-in checks of a TCAP message that need no memory: formats 13.2, steps 2 to 8.

use sealgate_wire::addr::Digits;
use sealgate_wire::tcap::{self, ComponentKind, MessageKind, Operation};
use sealgate_wire::{Reason, Refusal, cap, map};

use super::asked::Asked;
use super::{Carrier, Found, Scene};
use crate::pipeline::slots::Message;
use crate::policy::Snapshot;
use crate::policy::snapshot::{Peer, PeerId};

/// Screens everything but the security components.
///
/// # Errors
/// The reason of the first check that fails, with the octet of the TCAP message.
pub(super) fn screen(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    message: &tcap::Message<'_>,
    found: Found,
    opcode: i32,
    slot: &mut Message,
) -> Result<(), Refusal> {
    let snapshot = scene.snapshot;
    let peer_id = slot.peer;
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    let plain = found.count == 0;
    let is_user = |i: usize| plain || !found.is(message, i, opcode);
    let user = || message.components.iter().enumerate().filter(|(i, _)| is_user(*i)).map(|(_, component)| component);
    let mut seen = [0_u64; 4];
    for component in user() {
        if matches!(component.operation, Operation::Global(_)) {
            return Err(Reason::TcapGlobalOpcode.at(component.parameter_offset));
        }
    }
    for component in user().filter(|component| component.kind == ComponentKind::Invoke) {
        let Some(id) = component.invoke_id else { continue };
        let (word, bit) = (&mut seen[usize::from(id >> 6)], 1 << (id & 63));
        if std::mem::replace(word, *word | bit) & bit != 0 {
            return Err(Reason::TcapInvokeIdDup.at(component.parameter_offset));
        }
    }
    // What we are asked is decided by who is called: the caller's subsystem is his own claim.
    let is_map = !snapshot.is_other_tcap(carrier.called.1.0, carrier.called.1.0);
    let rules = Asked::of(scene, carrier, message, is_map, slot);
    // A check of the whole message is switched off where it is for each part of it.
    let mut excuse = |reason: Reason| {
        let excused = rules.as_ref().is_some_and(|rules| user().all(|component| rules.excuses(reason, component)));
        slot.excused |= excused;
        excused
    };
    let context = match message.kind {
        MessageKind::Begin => match context(message, peer) {
            Err(refusal) if excuse(refusal.reason) => Dialogue::Running,
            other => other?,
        },
        _ => Dialogue::Running,
    };
    let (version, map_context) = match context {
        Dialogue::Running => (0, is_map),
        Dialogue::Nameless => (1, true),
        Dialogue::Map(context) => (context.version, true),
        Dialogue::Cap => (0, false),
    };
    // A category 1 operation is never meant for us, whichever message of a dialogue brings it.
    if map_context {
        for component in user().filter(|component| component.kind == ComponentKind::Invoke) {
            let cat1 = component.local().is_some_and(|op| snapshot.categories.is_cat1(op));
            if cat1 && !Asked::excuse(&rules, slot, Reason::PolCat1, component) {
                return Err(Reason::PolCat1.at(component.parameter_offset));
            }
        }
    }
    if let Dialogue::Map(context) = context {
        for stranger in strangers(&context, user()) {
            if !Asked::excuse(&rules, slot, Reason::TcapAcOpcode, stranger) {
                return Err(Reason::TcapAcOpcode.at(stranger.parameter_offset));
            }
        }
    }
    let mut parts = 0;
    for component in user().filter(|component| component.kind == ComponentKind::Invoke) {
        let mut found = map::Identities::default();
        if map_context {
            let known = &mut scene.scratch.arguments;
            identities(snapshot, known, component, version, &mut found)?;
            if let Some(reason) = stranger(snapshot, component, &found, carrier, peer, peer_id)
                && !Asked::excuse(&rules, slot, reason, component)
            {
                return Err(reason.at(component.parameter_offset));
            }
        }
        parts += 1;
        if let Some(rules) = &rules {
            rules.part(component, found.imsi, slot);
        }
    }
    // What asks nothing is still a message.
    if let Some(rules) = rules.filter(|_| parts == 0) {
        rules.whole(slot);
    }
    Ok(())
}

/// What is known of the dialogue that a message belongs to.
#[derive(Clone, Copy)]
enum Dialogue {
    /// It was opened before: this message does not say how.
    Running,
    /// It has no application context: MAP version 1.
    Nameless,
    Map(map::Context),
    Cap,
}

/// Application context of a BEGIN.
fn context(message: &tcap::Message<'_>, peer: &Peer) -> Result<Dialogue, Refusal> {
    match message.application_context()? {
        None if peer.allow_no_ac => Ok(Dialogue::Nameless),
        None => Err(Reason::TcapAcMissing.at(0)),
        Some(oid) => match map::context(oid.0) {
            Some(context) => Ok(Dialogue::Map(context)),
            None if cap::context(oid.0).is_some() => Ok(Dialogue::Cap),
            None => Err(Reason::TcapAcOpcode.at(0)),
        },
    }
}

/// Invoked operations that do not belong to the application context.
fn strangers<'m>(
    context: &map::Context,
    user: impl Iterator<Item = &'m tcap::Component<'m>>,
) -> impl Iterator<Item = &'m tcap::Component<'m>> {
    let own = |op: i32| context.operations.iter().any(|&own| i32::from(own) == op);
    user.filter(move |component| component.kind == ComponentKind::Invoke && component.local().is_none_or(|op| !own(op)))
}

/// Identities inside a MAP argument, coded well and once.
fn identities(
    snapshot: &Snapshot,
    known: &mut map::Known,
    component: &tcap::Component<'_>,
    version: u8,
    found: &mut map::Identities,
) -> Result<(), Refusal> {
    let Some(op) = component.local() else { return Ok(()) };
    let at = component.parameter_offset;
    known
        .read(op, component.kind, version, component.parameter, snapshot.rules, found)
        .map_err(|refusal| refusal.reason.at(at + refusal.at as usize))
}

/// What is wrong with whom an argument speaks of: they are the sender's where they must be.
fn stranger(
    snapshot: &Snapshot,
    component: &tcap::Component<'_>,
    found: &map::Identities,
    carrier: &Carrier<'_>,
    peer: &Peer,
    peer_id: PeerId,
) -> Option<Reason> {
    let op = component.local()?;
    // The sender mostly speaks of itself, and whose the calling title is we know.
    let calling = &carrier.calling.0.digits;
    let foreign = |digits: &Digits| digits != calling && snapshot.peer_by_digits(digits) != Some(peer_id);
    if peer_id != 0 && found.nodes.iter().any(foreign) {
        return Some(Reason::PolXlayerAddr);
    }
    let imsi = found.imsi.filter(|_| snapshot.categories.is_cat2(op))?;
    let of = |plmns: &[Digits]| plmns.iter().any(|plmn| imsi.starts_with(plmn));
    match () {
        () if of(&snapshot.home_plmns) => Some(Reason::PolHomeImsi),
        () if !of(&peer.plmns) => Some(Reason::PolImsiGt),
        () => None,
    }
}
