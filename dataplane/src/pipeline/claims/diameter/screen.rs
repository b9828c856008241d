//! The built-in checks of a Diameter message that need no memory: formats 13.2.

use sealgate_config::model::Category;
use sealgate_wire::addr::Digits;
use sealgate_wire::diameter::{self, identities, is_within, plmn};
use sealgate_wire::{Reason, Refusal};

use crate::pipeline::claims::Scene;
use crate::policy::snapshot::{LinkId, Peer};

/// The most agents on a way. More than a few is a loop, or somebody's way to keep us busy.
const MAX_ROUTE_RECORDS: usize = 32;

/// Screens what a message says of itself against its link and its peer.
///
/// # Errors
/// The reason of the first check that fails.
pub(super) fn screen(
    scene: &Scene<'_>,
    message: &diameter::Message<'_>,
    link: LinkId,
    peer: &Peer,
) -> Result<(), Refusal> {
    let snapshot = scene.snapshot;
    let header = &message.header;
    let link = snapshot.links.get(usize::from(link)).ok_or(Reason::IntBug.at(0))?;
    if !link.config.applications.contains(&header.application) {
        return Err(Reason::DiaApp.at(8));
    }
    let Some(category) = snapshot.commands.category(header.application, header.command) else {
        let known = snapshot.commands.has(header.application);
        return Err(if known { Reason::DiaCmdApp.at(5) } else { Reason::DiaApp.at(8) });
    };
    // A host that goes by what the message says inside must read the same.
    if let Some(at) = message.other_application() {
        return Err(Reason::DiaApp.at(at));
    }
    let (host, realm) = (message.origin_host.unwrap_or_default(), message.origin_realm.unwrap_or_default());
    if !is_within(host, realm) {
        return Err(Reason::PolHostRealm.at(0));
    }
    if !header.is_request() {
        return Ok(());
    }
    route(scene, message)?;
    if category == Category::Cat1 {
        return Err(Reason::PolCat1.at(5));
    }
    // Where it matters whom a request speaks of, nothing may speak of somebody in words that we do not know.
    if let Some(at) = message.unknown().filter(|_| category != Category::None) {
        return Err(Reason::DiaAvpUnknown.at(at));
    }
    let of_peer = |digits: &Digits| peer.plmns.iter().any(|plmn| digits.starts_with(plmn));
    if let Some(visited) = message.visited_plmn
        && !plmn(visited).is_some_and(|visited| peer.plmns.contains(&visited))
    {
        return Err(Reason::PolVplmnRealm.at(0));
    }
    if category == Category::Cat2 {
        let found = identities(message);
        // A subscriber that cannot be read, or more of them than are looked at: not known is not harmless.
        if found.more || found.imsi.is_empty() {
            return Err(Reason::PolCat2.at(0));
        }
        if found.imsi.iter().any(|imsi| snapshot.home_plmns.iter().any(|plmn| imsi.starts_with(plmn))) {
            return Err(Reason::PolHomeImsi.at(0));
        }
        if !found.imsi.iter().all(of_peer) {
            return Err(Reason::PolRealmImsi.at(0));
        }
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
