//! The built-in checks of a TCAP message: formats 13.2, steps 2 to 8.

use sealgate_wire::addr::Digits;
use sealgate_wire::tcap::{self, ComponentKind, MessageKind, Operation};
use sealgate_wire::{Reason, Refusal, map};

use super::asked::Asked;
use super::{Carrier, Found, Scene};
use crate::pipeline::slots::Message;
use crate::policy::Snapshot;
use crate::policy::snapshot::{Peer, PeerId};
use crate::policy::tables::{Context, Protocol};

/// A message and what of it is not the security step's.
#[derive(Clone, Copy)]
pub(super) struct User<'m, 'a> {
    pub message: &'m tcap::Message<'a>,
    /// Its security components, which are not looked at.
    pub found: Found,
    /// Operation code of those.
    pub opcode: i32,
    /// Key of the transaction of ours that it answers.
    pub open: Option<u64>,
}

impl<'m, 'a> User<'m, 'a> {
    fn components(self) -> impl Iterator<Item = &'m tcap::Component<'a>> {
        let plain = self.found.count == 0;
        let is_user = move |i: usize| plain || !self.found.is(self.message, i, self.opcode);
        self.message.components.iter().enumerate().filter(move |(i, _)| is_user(*i)).map(|(_, component)| component)
    }

    fn invokes(self) -> impl Iterator<Item = &'m tcap::Component<'a>> {
        self.components().filter(|component| component.kind == ComponentKind::Invoke)
    }
}

/// Screens everything but the security components.
///
/// # Errors
/// The reason of the first check that fails, with the octet of the TCAP message.
pub(super) fn screen(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    user: User<'_, '_>,
    slot: &mut Message,
) -> Result<(), Refusal> {
    let snapshot = scene.snapshot;
    let peer_id = slot.peer;
    let peer = snapshot.peers.get(usize::from(peer_id)).ok_or(Reason::IntBug.at(0))?;
    let mut seen = [0_u64; 4];
    for component in user.components() {
        if matches!(component.operation, Operation::Global(_)) {
            return Err(Reason::TcapGlobalOpcode.at(component.parameter_offset));
        }
    }
    for component in user.invokes() {
        let Some(id) = component.invoke_id else { continue };
        let (word, bit) = (&mut seen[usize::from(id >> 6)], 1 << (id & 63));
        if std::mem::replace(word, *word | bit) & bit != 0 {
            return Err(Reason::TcapInvokeIdDup.at(component.parameter_offset));
        }
    }
    // What we are asked is decided by who is called: the caller's subsystem is his own claim.
    let called_map = !snapshot.is_other_tcap(carrier.called.1.0, carrier.called.1.0);
    let rules = Asked::of(scene, carrier, user.message, called_map, slot);
    let dialogue = match dialogue(scene, user, peer) {
        // A check of the whole message is switched off where it is for each part of it.
        Err(refusal) => {
            let excused = |rules: &Asked<'_>| user.invokes().all(|one| rules.excuses(refusal.reason, one));
            if !rules.as_ref().is_some_and(excused) {
                return Err(refusal);
            }
            slot.excused = true;
            Dialogue::Unknown
        }
        Ok(dialogue) => dialogue,
    };
    let protocol = match dialogue {
        Dialogue::Unknown if !called_map => None,
        Dialogue::Unknown | Dialogue::Nameless => Some(Protocol::Map),
        Dialogue::Known { context, .. } => Some(context.protocol),
    };
    let categories = match protocol {
        Some(Protocol::Map) => &snapshot.categories,
        Some(Protocol::Cap) => &snapshot.cap_categories,
        None => {
            // Of another protocol, which is not taken apart: rules may say something of it all the same.
            if let Some(rules) = rules {
                let invokes = user.invokes().map(|one| rules.part(one, None, slot)).count();
                if invokes == 0 {
                    rules.whole(slot);
                }
            }
            return Ok(());
        }
    };
    // No operation of either protocol is beyond an octet, but some hosts read no more than that of one.
    for component in user.invokes() {
        if component.local().is_some_and(|op| u8::try_from(op).is_err()) {
            return Err(Reason::TcapAcOpcode.at(component.parameter_offset));
        }
    }
    // A category 1 operation is never meant for us, whichever message of a dialogue brings it.
    for component in user.invokes() {
        let cat1 = component.local().is_some_and(|op| categories.is_cat1(op));
        if cat1 && !Asked::excuse(&rules, slot, Reason::PolCat1, component) {
            return Err(Reason::PolCat1.at(component.parameter_offset));
        }
    }
    if let Dialogue::Known { context, theirs } = dialogue {
        let own = if theirs { &context.initiator } else { &context.responder };
        for component in user.invokes().filter(|component| component.local().is_none_or(|op| !own.has(op))) {
            if !Asked::excuse(&rules, slot, Reason::TcapAcOpcode, component) {
                return Err(Reason::TcapAcOpcode.at(component.parameter_offset));
            }
        }
    }
    let mut sender = Sender { snapshot, known: &mut scene.scratch.arguments, dialogue, carrier, peer, peer_id };
    let mut parts = 0;
    for component in user.invokes() {
        let mut found = map::Identities::default();
        if protocol == Some(Protocol::Map) {
            sender.reads(component, &mut found)?;
            if let Some(reason) = sender.is_not(component, &found)
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
enum Dialogue<'s> {
    /// It was opened before, and nobody noted how.
    Unknown,
    /// It has no application context: MAP version 1.
    Nameless,
    /// `theirs`: the sender of this message opened it.
    Known { context: &'s Context, theirs: bool },
}

/// Application context of a BEGIN, or the one under which a dialogue was opened before.
fn dialogue<'s>(scene: &Scene<'s>, user: User<'_, '_>, peer: &Peer) -> Result<Dialogue<'s>, Refusal> {
    let contexts = &scene.snapshot.contexts;
    let name = user.message.application_context()?;
    if user.message.kind != MessageKind::Begin {
        let asks = name.is_some() || user.invokes().next().is_some();
        let word = user.open.filter(|_| asks).and_then(|key| scene.shared.dialogues.about(key, scene.now_ms));
        let Some((context, theirs)) = word.and_then(|word| contexts.read(word)) else { return Ok(Dialogue::Unknown) };
        // An answer takes up the context that it was asked under, or refuses the dialogue.
        let refuses = user.message.kind == MessageKind::Abort;
        return match name {
            Some(name) if !refuses && *name.0 != *context.oid => Err(Reason::TcapAcOpcode.at(0)),
            _ => Ok(Dialogue::Known { context, theirs }),
        };
    }
    match name {
        None if peer.allow_no_ac => Ok(Dialogue::Nameless),
        None => Err(Reason::TcapAcMissing.at(0)),
        Some(name) => {
            let (_, context) = contexts.find(name.0).ok_or(Reason::TcapAcOpcode.at(0))?;
            Ok(Dialogue::Known { context, theirs: true })
        }
    }
}

/// Who sends MAP operations, and what is known of him.
struct Sender<'w> {
    snapshot: &'w Snapshot,
    known: &'w mut map::Known,
    dialogue: Dialogue<'w>,
    carrier: &'w Carrier<'w>,
    peer: &'w Peer,
    peer_id: PeerId,
}

impl Sender<'_> {
    /// Identities inside an argument, coded well and once.
    fn reads(&mut self, component: &tcap::Component<'_>, found: &mut map::Identities) -> Result<(), Refusal> {
        let Some(op) = component.local() else { return Ok(()) };
        let at = component.parameter_offset;
        let version = match self.dialogue {
            Dialogue::Unknown => 0,
            Dialogue::Nameless => 1,
            Dialogue::Known { context, .. } => context.version,
        };
        self.known
            .read(op, component.kind, version, component.parameter, self.snapshot.rules, found)
            .map_err(|refusal| refusal.reason.at(at + refusal.at as usize))
    }

    /// What is wrong with whom an argument speaks of, where that must be the sender or its subscriber.
    fn is_not(&self, component: &tcap::Component<'_>, found: &map::Identities) -> Option<Reason> {
        let op = component.local()?;
        let Self { snapshot, peer, peer_id, .. } = *self;
        // The sender mostly speaks of itself, and whose the calling title is we know.
        let calling = &self.carrier.calling.0.digits;
        let foreign = |digits: &Digits| digits != calling && snapshot.peer_by_digits(digits) != Some(peer_id);
        if peer_id != 0 && found.nodes.iter().any(foreign) {
            return Some(Reason::PolXlayerAddr);
        }
        if !snapshot.categories.is_cat2(op) {
            return None;
        }
        let Some(imsi) = found.imsi else {
            // Only who answers us need not say whom he speaks of. Not known is not harmless.
            let asks = matches!(self.dialogue, Dialogue::Nameless | Dialogue::Known { theirs: true, .. });
            return asks.then_some(Reason::PolCat2);
        };
        let of = |plmns: &[Digits]| plmns.iter().any(|plmn| imsi.starts_with(plmn));
        match () {
            () if of(&snapshot.home_plmns) => Some(Reason::PolHomeImsi),
            () if !of(&peer.plmns) => Some(Reason::PolImsiGt),
            () => None,
        }
    }
}
