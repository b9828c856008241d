//! The built-in checks of a TCAP message: formats 13.2, steps 2 to 8.

use sealgate_config::model::Category;
use sealgate_wire::addr::Digits;
use sealgate_wire::tcap::{self, ComponentKind, MessageKind, Operation};
use sealgate_wire::{Reason, Refusal, map};

use super::asked::Asked;
use super::{Carrier, Found, Scene};
use crate::pipeline::slots::Message;
use crate::policy::Snapshot;
use crate::policy::snapshot::{Peer, PeerId};
use crate::policy::tables::{Context, Protocol};

/// sendRoutingInfoForSM (TS 29.002 §12).
const SEND_ROUTING_INFO_FOR_SM: i32 = 45;

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
    /// Calls `check` with each component that is the user's, up to the first that it refuses.
    ///
    /// Loops instead of filters: an iterator over what is left after two of them is not taken apart by the compiler.
    #[inline(always)]
    fn each(self, mut check: impl FnMut(&'m tcap::Component<'a>) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let plain = self.found.count == 0;
        for (i, component) in self.message.components.iter().enumerate() {
            if plain || !self.found.is(self.message, i, self.opcode) {
                check(component)?;
            }
        }
        Ok(())
    }

    /// The same of those that ask for an operation.
    #[inline(always)]
    pub fn each_invoke(
        self,
        mut check: impl FnMut(&'m tcap::Component<'a>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.each(|component| if component.kind == ComponentKind::Invoke { check(component) } else { Ok(()) })
    }

    /// Whether there is one.
    pub fn asks(self) -> bool {
        self.each_invoke(|_| Err(Reason::IntBug.at(0))).is_err()
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
    user.each(|component| match component.operation {
        Operation::Global(_) => Err(Reason::TcapGlobalOpcode.at(component.parameter_offset)),
        Operation::Local(_) | Operation::None => Ok(()),
    })?;
    user.each_invoke(|component| {
        let Some(id) = component.invoke_id else { return Ok(()) };
        let (word, bit) = (&mut seen[usize::from(id >> 6)], 1 << (id & 63));
        let twice = std::mem::replace(word, *word | bit) & bit != 0;
        if twice { Err(Reason::TcapInvokeIdDup.at(component.parameter_offset)) } else { Ok(()) }
    })?;
    // What we are asked is decided by who is called: the caller's subsystem is his own claim.
    let called_map = !snapshot.is_other_tcap(carrier.called.1.0, carrier.called.1.0);
    let dialogue = dialogue(scene, user, peer);
    let known = match dialogue {
        Ok(Dialogue::Known { context, .. }) => Some(context.protocol),
        Ok(Dialogue::Unknown | Dialogue::Nameless) | Err(_) => None,
    };
    let mut rules = Asked::of(scene, carrier, user.message, called_map, known, slot);
    let dialogue = match dialogue {
        // A check of the whole message is switched off where it is for each part of it.
        Err(refusal) => {
            let rules = rules.as_ref().ok_or(refusal)?;
            user.each_invoke(|one| if rules.excuses(refusal.reason, one) { Ok(()) } else { Err(refusal) })?;
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
            if let Some(mut rules) = rules {
                rules.all(user, slot);
            }
            return Ok(());
        }
    };
    // A category 1 operation is never meant for us, whichever message of a dialogue brings it. None of either protocol is beyond
    // an octet, but some hosts read no more than that of one.
    user.each_invoke(|component| match component.local().map(u8::try_from) {
        Some(Ok(op)) if categories.of(op) == Category::Cat1 => Asked::refuse(&rules, slot, Reason::PolCat1, component),
        Some(Err(_)) => Err(Reason::TcapAcOpcode.at(component.parameter_offset)),
        Some(Ok(_)) | None => Ok(()),
    })?;
    if let Dialogue::Known { context, theirs } = dialogue {
        let own = if theirs { &context.initiator } else { &context.responder };
        user.each_invoke(|component| match component.local() {
            Some(op) if own.has(op) => Ok(()),
            _ => Asked::refuse(&rules, slot, Reason::TcapAcOpcode, component),
        })?;
    }
    if protocol == Some(Protocol::Map) {
        let mut sender = Sender { snapshot, known: &mut scene.scratch.arguments, dialogue, carrier, peer, peer_id };
        user.each_invoke(|component| {
            let mut found = map::Identities::default();
            sender.reads(component, &mut found)?;
            if sender.bypasses_router(component) {
                Asked::refuse(&rules, slot, Reason::PolHomeRouting, component)?;
            }
            if let Some(reason) = sender.is_not(component, &found) {
                Asked::refuse(&rules, slot, reason, component)?;
            }
            if let Some(rules) = &mut rules {
                rules.part(component, found.imsi, slot);
            }
            Ok(())
        })?;
    }
    match rules {
        Some(mut rules) if protocol != Some(Protocol::Map) => rules.all(user, slot),
        Some(rules) if !user.asks() => rules.whole(slot),
        Some(_) | None => {}
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
        let asks = name.is_some() || user.asks();
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

    /// Whether it asks another than our SMS router where a subscriber is to get a short message.
    fn bypasses_router(&self, component: &tcap::Component<'_>) -> bool {
        let asks = component.local() == Some(SEND_ROUTING_INFO_FOR_SM);
        asks && !self.snapshot.home_router.is_called_by(&self.carrier.called.0)
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
