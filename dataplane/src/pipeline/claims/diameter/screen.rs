//! The built-in checks of a Diameter message that need no memory: formats 13.2.

use sealgate_config::model::Category;
use sealgate_wire::addr::Digits;
use sealgate_wire::diameter::{self, identities, is_within, names_visited_network, plmn};
use sealgate_wire::{Reason, Refusal};

use super::asked::Asked;
use crate::pipeline::claims::Scene;
use crate::pipeline::slots::Message as Slot;
use crate::policy::snapshot::Peer;

/// Send-Routing-Info-for-SM of S6c (TS 29.338 §5).
const SEND_ROUTING_INFO_FOR_SM: u32 = 8_388_647;

/// The most agents on a way. More than a few is a loop, or somebody's way to keep us busy.
const MAX_ROUTE_RECORDS: usize = 32;

/// Screens what a message says of itself against its link and its peer.
///
/// # Errors
/// The reason of the first check that fails.
pub(super) fn screen(
    scene: &Scene<'_>,
    message: &diameter::Message<'_>,
    peer: &Peer,
    slot: &mut Slot,
) -> Result<(), Refusal> {
    let snapshot = scene.snapshot;
    let header = &message.header;
    let link = snapshot.links.get(usize::from(slot.link)).ok_or(Reason::IntBug.at(0))?;
    let rules = Asked::of(scene, message, slot);
    let mut check = |refusal: Refusal| match &rules {
        Some(rules) if rules.excuses(refusal.reason) => {
            slot.excused = true;
            Ok(())
        }
        _ => Err(refusal),
    };
    if !link.config.applications.contains(&header.application) {
        return Err(Reason::DiaApp.at(8));
    }
    let category = match snapshot.commands.category(header.application, header.command) {
        Some(category) => category,
        None if !snapshot.commands.has(header.application) => return Err(Reason::DiaApp.at(8)),
        None => {
            check(Reason::DiaCmdApp.at(5))?;
            Category::None
        }
    };
    // A host that goes by what the message says inside must read the same.
    if let Some(at) = message.other_application() {
        return Err(Reason::DiaApp.at(at));
    }
    let (host, realm) = (message.origin_host.unwrap_or_default(), message.origin_realm.unwrap_or_default());
    if !is_within(host, realm) {
        check(Reason::PolHostRealm.at(0))?;
    }
    if !header.is_request() {
        if let Some(rules) = rules {
            rules.answer(slot);
        }
        return Ok(());
    }
    route(scene, message)?;
    if category == Category::Cat1 {
        check(Reason::PolCat1.at(5))?;
    }
    if header.command == SEND_ROUTING_INFO_FOR_SM && !snapshot.home_router.is_named_by(message.destination_host) {
        check(Reason::PolHomeRouting.at(0))?;
    }
    // Where it matters whom a request speaks of, nothing may speak of somebody in words that we do not know.
    if let Some(at) = message.unknown().filter(|_| category != Category::None) {
        return Err(Reason::DiaAvpUnknown.at(at));
    }
    let of_peer = |digits: &Digits| peer.plmns.iter().any(|plmn| digits.starts_with(plmn));
    let of_its_network = match message.visited_plmn {
        Some(visited) => plmn(visited).is_some_and(|visited| peer.plmns.contains(&visited)),
        None => !names_visited_network(header),
    };
    if !of_its_network {
        check(Reason::PolVplmnRealm.at(0))?;
    }
    if category == Category::Cat2 {
        let found = identities(message);
        // A subscriber that cannot be read, or more of them than are looked at: not known is not harmless.
        if found.more || found.imsi.is_empty() {
            check(Reason::PolCat2.at(0))?;
        } else if found.imsi.iter().any(|imsi| snapshot.home_plmns.iter().any(|plmn| imsi.starts_with(plmn))) {
            check(Reason::PolHomeImsi.at(0))?;
        } else if !found.imsi.iter().all(of_peer) {
            check(Reason::PolRealmImsi.at(0))?;
        }
    }
    if let Some(rules) = rules {
        rules.request(slot);
    }
    Ok(())
}

/// The way of a request: it has not been here before, and nowhere twice (RFC 6733 §6.1.3).
fn route(scene: &Scene<'_>, message: &diameter::Message<'_>) -> Result<(), Refusal> {
    if message.route_record_count == 0 {
        return Ok(());
    }
    let refused = Err(Reason::DiaRouteRecord.at(0));
    if message.route_record_count > MAX_ROUTE_RECORDS {
        return refused;
    }
    for (i, agent) in message.route_records().enumerate() {
        let before = || message.route_records().take(i).any(|other| other.eq_ignore_ascii_case(agent));
        if scene.snapshot.is_home_realm(agent) || before() {
            return refused;
        }
    }
    Ok(())
}
