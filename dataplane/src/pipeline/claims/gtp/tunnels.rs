//! What was said before decides (formats 10): a message to an endpoint of ours comes from the peer to whom we gave it, and an
//! answer from whom we asked.
//!
//! Endpoints are those that our own network gives out, in its requests and in answers by which it accepts. A peer cannot make
//! one: what it asks for is kept only while its answer is open. Whose an endpoint is says a peer, not a node of it, so that a
//! subscriber may move among the nodes of one network; who moves on to another network begins a session there.

use sealgate_config::model::TunnelCheck;
use sealgate_wire::gtp::{Message as Control, Role, Version, role};
use sealgate_wire::{Reason, Refusal};

use super::super::Scene;
use super::{Ends, number};
use crate::policy::snapshot::PeerId;
use crate::state::requests::{Asked, Open, Requests, Then, WAIT_MS};

/// Requests that wait, by who asked: nobody outside can take the places of ours.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    theirs: Requests,
    ours: Requests,
}

/// Contexts of a message that names none: of version 2 the connection, which has its endpoint to itself.
const ONE: u16 = 1;
/// All contexts of a subscriber: of an endpoint of version 1 whose contexts are not known.
const ALL: u16 = 0x7ff;

/// Judges what a peer says by what was said before.
///
/// # Errors
/// [`Reason::GtpState`] where the link enforces it: an endpoint that was not given to this peer, none where there must be one,
/// or an answer to nothing. Where it learns, that is counted as an event.
pub(super) fn inbound(
    scene: &mut Scene<'_>,
    check: TunnelCheck,
    ends: Ends,
    peer: PeerId,
    control: &Control<'_>,
) -> Result<(), Refusal> {
    let view = control.view;
    let teid_at = view.at + 4;
    match role(view.version, view.kind) {
        Role::Node => {}
        Role::Request { answer, first } => {
            let (on, then) = endpoint(scene, check, ends, peer, control, first)?;
            let open = Open { answer: answer.0, peer, contexts: contexts(control), on, then };
            wait(scene, false, ends.question(control), open);
        }
        Role::Alone { first } => {
            endpoint(scene, check, ends, peer, control, first)?;
        }
        Role::Answer { then } => {
            let number_at = view.at + if view.teid.is_some() { 8 } else { 4 };
            let asked = take(scene, true, ends, control).filter(|open| open.peer == peer);
            // What was asked just before we started is not known.
            let early = scene.now_ms < scene.started_ms.saturating_add(WAIT_MS);
            if asked.is_none() && !early {
                refuse(scene, check, number_at)?;
            }
            let key = our_endpoint(scene, ends, control);
            let owner = key.and_then(|key| scene.shared.tunnels.peer(key, scene.now_ms));
            if owner.is_some_and(|owner| owner != peer) {
                refuse(scene, check, teid_at)?;
            } else if let (Some(key), Some(open)) = (key, asked)
                && matches!((open.then, control.is_accepted()), (Then::Ends, true) | (Then::Gets, false))
            {
                scene.shared.tunnels.close(key, open.contexts, scene.now_ms);
            }
            if let Some(answer) = then {
                let open = Open { answer: answer.0, peer, contexts: ONE, on: None, then: Then::Stays };
                wait(scene, false, ends.question(control), open);
            }
        }
    }
    Ok(())
}

/// Notes what our own network says to a peer: which endpoints it gives out, what it asks and what it answers.
pub(super) fn outbound(scene: &mut Scene<'_>, ends: Ends, peer: PeerId, control: &Control<'_>) {
    let view = control.view;
    let now_ms = scene.now_ms;
    let give = |scene: &Scene<'_>, contexts| {
        let mut any = false;
        for (address, teid) in control.given(ends.local) {
            let tunnels = &scene.shared.tunnels;
            tunnels.give(tunnels.key(number(control), address, teid), peer, contexts, now_ms);
            any = true;
        }
        any
    };
    let question = match role(view.version, view.kind) {
        Role::Node | Role::Alone { .. } => None,
        Role::Request { answer, .. } => {
            give(scene, contexts(control));
            Some(answer)
        }
        Role::Answer { then: third } => {
            let asked = take(scene, false, ends, control);
            if control.is_accepted() {
                let contexts = asked.map_or(if view.version == Version::V1 { ALL } else { ONE }, |open| open.contexts);
                let any = give(scene, contexts);
                let tunnels = &scene.shared.tunnels;
                match asked.and_then(|open| Some((open.on?, open.then))) {
                    Some((on, Then::Ends)) => tunnels.close(on, contexts, now_ms),
                    Some((on, Then::Gets)) if !any => tunnels.give(on, peer, contexts, now_ms),
                    Some((on, Then::Adopted)) => {
                        let ends = asked_to_end(view.version, view.kind.0);
                        let all = if view.version == Version::V1 { ALL } else { ONE };
                        if !ends {
                            tunnels.adopt(on, peer, all, now_ms);
                        }
                    }
                    _ => {}
                }
            }
            third
        }
    };
    if let Some(answer) = question {
        let open = Open { answer: answer.0, peer, contexts: contexts(control), on: None, then: then(control) };
        wait(scene, true, ends.question(control), open);
    }
}

/// The endpoint of ours that a request came to, if it names one, and what becomes of it.
///
/// # Errors
/// Where the link enforces it: there must be one, or it is not this peer's.
fn endpoint(
    scene: &mut Scene<'_>,
    check: TunnelCheck,
    ends: Ends,
    peer: PeerId,
    control: &Control<'_>,
    first: bool,
) -> Result<(Option<u64>, Then), Refusal> {
    let at = control.view.at + 4;
    let Some(key) = our_endpoint(scene, ends, control) else {
        if !first {
            refuse(scene, check, at)?;
        }
        return Ok((None, then(control)));
    };
    match scene.shared.tunnels.peer(key, scene.now_ms) {
        Some(owner) if owner == peer => Ok((Some(key), then(control))),
        Some(_) => {
            refuse(scene, check, at)?;
            Ok((None, then(control)))
        }
        // It may be older than our memory: if our node knows it, that shows in its answer.
        None => {
            let adopt_ms = u64::from(scene.snapshot.defaults.tunnels.adopt_s) * 1000;
            if scene.now_ms >= scene.started_ms.saturating_add(adopt_ms) {
                refuse(scene, check, at)?;
            }
            Ok((Some(key), Then::Adopted))
        }
    }
}

/// The endpoint that a message of a peer came to.
fn our_endpoint(scene: &Scene<'_>, ends: Ends, control: &Control<'_>) -> Option<u64> {
    let teid = control.view.teid.filter(|teid| *teid != 0)?;
    Some(scene.shared.tunnels.key(number(control), ends.local, teid))
}

fn refuse(scene: &mut Scene<'_>, check: TunnelCheck, at: usize) -> Result<(), Refusal> {
    if check == TunnelCheck::Enforce {
        return Err(Reason::GtpState.at(at));
    }
    scene.stats.event(Reason::GtpState);
    Ok(())
}

fn wait(scene: &mut Scene<'_>, ours: bool, asked: Asked, open: Open) {
    let key = asked.key(&scene.shared.key);
    let Waiting { theirs, ours: own } = &mut scene.scratch.gtp;
    let table = if ours { own } else { theirs };
    table.open(key, open, scene.now_ms);
    for _ in 0..table.take_evicted() {
        scene.stats.event(Reason::ResTableFull);
    }
}

/// What a message answers; `ours`: a question of our own network.
fn take(scene: &mut Scene<'_>, ours: bool, ends: Ends, control: &Control<'_>) -> Option<Open> {
    let key = ends.answered(control).key(&scene.shared.key);
    let Waiting { theirs, ours: own } = &mut scene.scratch.gtp;
    let table = if ours { own } else { theirs };
    table.take(key, control.view.kind.0, scene.now_ms)
}

/// What an accepted request does to the endpoint that its receiver has for it.
fn then(control: &Control<'_>) -> Then {
    match (control.view.version, control.view.kind.0) {
        _ if control.ends() => Then::Ends,
        (Version::V1, 16) | (Version::V2, 32) => Then::Gets,
        _ => Then::Stays,
    }
}

/// Whether the answer is to a request that ends a tunnel.
fn asked_to_end(version: Version, answer: u8) -> bool {
    matches!((version, answer), (Version::V1, 21) | (Version::V2, 37 | 100))
}

/// The contexts that a message speaks of: a bit for each NSAPI of version 1, from 5 to 15.
fn contexts(control: &Control<'_>) -> u16 {
    control.nsapi().map_or(ONE, |nsapi| ONE << (nsapi - 5))
}
