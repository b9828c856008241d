//! The detectors: whether what a message does goes with what was seen before, and what is to be remembered of it.

use sealgate_config::model::DetectMode;
use sealgate_wire::Reason;

use super::{Event, What};
use crate::pipeline::claims::Scene;
use crate::pipeline::slots::Message;
use crate::policy::detection::Detector;
use crate::policy::snapshot::PeerId;
use crate::state::steps::Taken;
use crate::state::subscribers::{Domain, Known, Location, Seen, Update};

/// Whether a message may pass; nothing is remembered yet.
///
/// # Errors
/// The reason of the first detector that refuses it. What one merely alerts of is counted as an event.
#[inline]
pub(in crate::pipeline) fn judge(scene: &mut Scene<'_>, message: &Message) -> Result<(), Reason> {
    match &message.event {
        None => Ok(()),
        Some(event) => look(scene, event, message.peer),
    }
}

#[inline(never)]
fn look(scene: &mut Scene<'_>, event: &Event, peer: PeerId) -> Result<(), Reason> {
    let (detection, memories, now_ms) = (&scene.snapshot.detection, &scene.shared.detection, scene.now_ms);
    let key = event.subscriber.map(u64::from);
    let known = match key.filter(|_| detection.follows() && event.what >= What::Acts) {
        Some(key) => memories.subscribers.known(key, now_ms),
        None => Known::default(),
    };
    let source = event.source.and_then(|source| memories.sources.find(source.get(), peer, now_ms));
    let lte = event.domain == Some(Domain::Lte);
    let another =
        |step: Option<Taken>, window_ms| step.is_some_and(|(other, most_ms)| other != peer && most_ms <= window_ms);
    if event.what == What::MovesMany {
        found(scene, Detector::Velocity, Reason::PolCat3)?;
    }
    for detector in Detector::ALL {
        if !detection.looks(detector) {
            continue;
        }
        let is_found = match detector {
            Detector::Velocity => {
                let reach = |seen: &Seen| {
                    detection.geo.is_within_reach(seen.location.place, event.place, seen.most_ms, detection.kmh)
                };
                event.what == What::Moves && !known.last.iter().flatten().all(reach)
            }
            Detector::PreviousLocation => {
                matches!(event.what, What::Acts | What::Purges) && is_elsewhere(event.domain, &known, peer)
            }
            Detector::MultiRequest => {
                let step = match event.what {
                    What::Delivers => key.and_then(|key| memories.steps.told_another(key, peer, now_ms)),
                    What::Moves => key.and_then(|key| memories.steps.purged(key, now_ms)),
                    _ => None,
                };
                another(step, detection.steps_ms)
            }
            Detector::MultiProtocol => {
                let step =
                    key.filter(|_| event.what == What::Moves).and_then(|key| memories.steps.moved(key, !lte, now_ms));
                another(step, detection.protocols_ms)
            }
            Detector::CrossGeneration => {
                let fetches = event.what == What::Fetches && !lte;
                let step = key.filter(|_| fetches).and_then(|key| memories.steps.on_lte(key, now_ms));
                another(step, detection.generations_ms)
            }
            Detector::Scan => {
                event.asked.zip(source).is_some_and(|(asked, source)| source.scans(asked.get(), detection.scan, now_ms))
            }
            Detector::Flood => source.is_some_and(|source| !source.takes(detection.flood, now_ms)),
        };
        if is_found {
            found(scene, detector, detector.reason())?;
        }
    }
    Ok(())
}

/// What becomes of a message that a detector has found.
#[cold]
fn found(scene: &mut Scene<'_>, detector: Detector, reason: Reason) -> Result<(), Reason> {
    let detection = &scene.snapshot.detection;
    match detection.switch(detector).mode {
        DetectMode::Off => Ok(()),
        DetectMode::Drop if !scene.shared.detection.learns(detection, detector, scene.now_ms) => Err(reason),
        DetectMode::Alert | DetectMode::Drop => {
            scene.stats.event(reason);
            Ok(())
        }
    }
}

/// Whether a subscriber was seen, and not at this operator. A location update that is still on its way lets it be at both.
fn is_elsewhere(domain: Option<Domain>, known: &Known, peer: PeerId) -> bool {
    let concerned = |of: &Domain| domain.is_none_or(|domain| domain == *of);
    let at = || Domain::ALL.iter().zip(known.last.iter().zip(&known.coming)).filter(|(of, _)| concerned(of));
    let here = |(last, coming): (&Option<Seen>, &Option<Location>)| {
        last.is_some_and(|seen| seen.location.peer == peer) || coming.is_some_and(|coming| coming.peer == peer)
    };
    at().any(|(_, (last, _))| last.is_some()) && !at().any(|(_, both)| here(both))
}

/// Remembers a message that passes.
#[inline]
pub(in crate::pipeline) fn remember(scene: &Scene<'_>, message: &Message) {
    if let Some(event) = &message.event {
        note(scene, event, message.peer);
    }
}

#[inline(never)]
fn note(scene: &Scene<'_>, event: &Event, peer: PeerId) {
    let (detection, memories, now_ms) = (&scene.snapshot.detection, &scene.shared.detection, scene.now_ms);
    if let (Some(asked), Some(source), true) = (event.asked, event.source, detection.looks(Detector::Scan))
        && let Some(source) = memories.sources.find(source.get(), peer, now_ms)
    {
        source.asks(asked.get(), detection.scan, now_ms);
    }
    let lte = event.domain == Some(Domain::Lte);
    if let Some(key) = event.subscriber.map(u64::from) {
        let steps = detection.steps().then_some(&memories.steps);
        match event.what {
            // The request passes on to our register. It moves nobody yet: see `state::subscribers`.
            What::Moves => {
                let Some(domain) = event.domain else { return };
                let update = Update { key, domain, location: Location { peer, place: event.place } };
                if detection.follows() {
                    memories.subscribers.arrives(&update, now_ms);
                }
                if let Some(steps) = steps {
                    steps.moves(key, lte, peer, now_ms);
                }
                if let Some(answer) = event.answer {
                    memories.pending.put(answer.get(), &update, now_ms);
                }
            }
            What::Acts if detection.follows() => {
                memories.subscribers.acts(key, event.domain, peer, now_ms);
            }
            _ => {}
        }
        match (event.what, steps) {
            (What::Purges, Some(steps)) => steps.purge(key, peer, now_ms),
            (What::Told, Some(steps)) => steps.tell(key, peer, now_ms),
            (What::Acts | What::Fetches, Some(steps)) if lte => steps.seen_on_lte(key, peer, now_ms),
            _ => {}
        }
    }
    if matches!(event.what, What::Accepted | What::Refused)
        && let Some(update) = event.answer.and_then(|answer| memories.pending.take(answer.get(), now_ms))
    {
        answered(scene, &update, event.what == What::Accepted);
    }
}

/// Our register has answered a location update.
fn answered(scene: &Scene<'_>, update: &Update, accepted: bool) {
    let (memories, now_ms) = (&scene.shared.detection, scene.now_ms);
    if accepted {
        memories.subscribers.accepted(update, now_ms);
    } else {
        memories.subscribers.refused(update, now_ms);
        memories.steps.stays(update.key, update.domain == Domain::Lte, update.location.peer, now_ms);
    }
}
