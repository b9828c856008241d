//! The built-in checks of a TCAP message that need no memory: formats 13.2, steps 2 to 8.

use sealgate_wire::addr::Digits;
use sealgate_wire::tcap::{self, ComponentKind, MessageKind, Operation};
use sealgate_wire::{Reason, Refusal, cap, map};

use super::{Carrier, Found, Scene};
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
    peer_id: PeerId,
) -> Result<(), Refusal> {
    let (snapshot, known) = (scene.snapshot, &mut scene.scratch.arguments);
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
    let context = if message.kind == MessageKind::Begin { context(message, peer)? } else { Dialogue::Running };
    let (version, map_context) = match context {
        Dialogue::Running => (0, is_map),
        Dialogue::Nameless => (1, true),
        Dialogue::Map(context) => (context.version, true),
        Dialogue::Cap => (0, false),
    };
    // A category 1 operation is never meant for us, whichever message of a dialogue brings it.
    if map_context {
        for component in user().filter(|component| component.kind == ComponentKind::Invoke) {
            if component.local().is_some_and(|op| snapshot.categories.is_cat1(op)) {
                return Err(Reason::PolCat1.at(component.parameter_offset));
            }
        }
    }
    if let Dialogue::Map(context) = context {
        belongs(&context, user())?;
    }
    if !map_context {
        return Ok(());
    }
    user()
        .filter(|component| component.kind == ComponentKind::Invoke)
        .try_for_each(|component| identities(snapshot, known, component, version, carrier, peer, peer_id))
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

/// Every invoked operation belongs to the application context.
fn belongs<'m>(context: &map::Context, mut user: impl Iterator<Item = &'m tcap::Component<'m>>) -> Result<(), Refusal> {
    let stranger = user.find(|component| {
        component.kind == ComponentKind::Invoke
            && component.local().is_none_or(|op| !context.operations.iter().any(|&own| i32::from(own) == op))
    });
    stranger.map_or(Ok(()), |component| Err(Reason::TcapAcOpcode.at(component.parameter_offset)))
}

/// Identities inside a MAP argument: coded well, once, and those of the sender where they must be.
fn identities(
    snapshot: &Snapshot,
    known: &mut map::Known,
    component: &tcap::Component<'_>,
    version: u8,
    carrier: &Carrier<'_>,
    peer: &Peer,
    peer_id: PeerId,
) -> Result<(), Refusal> {
    let Some(op) = component.local() else { return Ok(()) };
    let at = component.parameter_offset;
    let mut found = map::Identities::default();
    known
        .read(op, component.kind, version, component.parameter, snapshot.rules, &mut found)
        .map_err(|refusal| refusal.reason.at(at + refusal.at as usize))?;
    // The sender mostly speaks of itself, and whose the calling title is we know.
    let calling = &carrier.calling.0.digits;
    let foreign = |digits: &Digits| digits != calling && snapshot.peer_by_digits(digits) != Some(peer_id);
    if peer_id != 0 && found.nodes.iter().any(foreign) {
        return Err(Reason::PolXlayerAddr.at(at));
    }
    if let Some(imsi) = found.imsi.filter(|_| snapshot.categories.is_cat2(op)) {
        if snapshot.home_plmns.iter().any(|plmn| imsi.starts_with(plmn)) {
            return Err(Reason::PolHomeImsi.at(at));
        }
        if !peer.plmns.iter().any(|plmn| imsi.starts_with(plmn)) {
            return Err(Reason::PolImsiGt.at(at));
        }
    }
    Ok(())
}
