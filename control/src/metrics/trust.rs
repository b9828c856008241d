//! Certificates, the repository, and memories against replays.

use super::page::{Page, level};
use super::traffic::label;
use crate::callers::View;
use crate::report::{Board, OpenWith, open_with};
use prometheus_client::registry::Unit;
use sealgate_crypto::pki::CertState;
use sealgate_dataplane::state::Direction;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

pub(super) fn write(board: &Board, now_ms: u64, page: &mut Page<'_>) -> fmt::Result {
    let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
    let trust = board.trust.get();
    let mut states: BTreeMap<&str, u32> = BTreeMap::from([("good", 0)]);
    for signer in &trust.signers {
        let state = signer.state(now);
        *states.entry(state.fault().map_or("good", |fault| fault.name())).or_default() += 1;
    }
    let states = states.into_iter().map(|(state, count)| ([label("state", state)], f64::from(count)));
    page.gauges("signers", "Signers by the state of their certificate.", None, states)?;
    let rejected = level(trust.rejected.len());
    page.gauge("rejected_objects", "Certificates and revocation lists that are not used.", None, rejected)?;
    let snapshot = board.engine.snapshot();
    let own = snapshot.own.as_ref().map(|own| own.sai);
    let own = trust.signers.iter().filter(|signer| own.is_some_and(|sai| signer.certificate.sai == sai));
    page.gauges(
        "own_certificate_expiry",
        "When a certificate that we sign with expires, since 1970.",
        Some(Unit::Seconds),
        own.map(|signer| ([label("certificate", &signer.certificate.name)], signer.valid_to as f64)),
    )?;
    let good = trust.signers.iter().filter(|signer| signer.state(now) == CertState::Good);
    page.gauges(
        "signer_earliest_expiry",
        "When the next of the good signers' certificates expires, since 1970.",
        Some(Unit::Seconds),
        good.map(|signer| signer.valid_to).min().map(|at| ([], at as f64)),
    )?;
    let due = trust.crls.iter().map(|crl| crl.next_update).min();
    page.gauges(
        "crl_earliest_due",
        "When the next revocation list is due, since 1970.",
        Some(Unit::Seconds),
        due.map(|at| ([], at as f64)),
    )?;
    repository(&board.repository_document(), now, page)?;
    callers(board, page)?;
    replay(board, page)
}

fn repository(document: &Value, now: i64, page: &mut Page<'_>) -> fmt::Result {
    let number = |key: &str| document.get(key).and_then(Value::as_i64).map(|number| ([], number as f64));
    page.gauges("repository_serial", "Serial number of the repository's manifest in force.", None, number("serial"))?;
    page.gauges("repository_objects", "Objects that the manifest in force lists.", None, number("objects"))?;
    page.gauges("repository_failures", "Looks at the repository in a row that failed.", None, number("failures"))?;
    let age = document.get("checked").and_then(Value::as_i64).map(|at| ([], now.saturating_sub(at).max(0) as f64));
    page.gauges("repository_age", "Time since the last successful look.", Some(Unit::Seconds), age)?;
    let swaps = document.get("swaps").and_then(Value::as_u64).map(|count| ([], count));
    page.counters("repository_swaps", "Times that trust was swapped in while traffic ran.", swaps)
}

fn callers(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let document = board.callers.as_ref().map(View::document).unwrap_or_default();
    let number = |key: &str| document.get(key).and_then(Value::as_u64);
    page.gauges(
        "caller_certificates",
        "Certificates of callers that were fetched and are used.",
        None,
        number("certificates").map(|count| ([], count as f64)),
    )?;
    let outcomes = ["fetched", "failed", "refused"];
    let counts = outcomes.iter().filter_map(|outcome| Some(([label("outcome", outcome)], number(outcome)?)));
    page.counters("caller_certificate_fetches", "URLs of certificates that calls named, by what they gave.", counts)
}

fn replay(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let shared = board.engine.shared();
    let (replay, digests, dialogues) =
        (shared.replay.counters(), shared.digests.counters(), shared.dialogues.counters());
    page.gauge("replay_windows", "Replay windows that have an owner.", None, level(shared.replay.in_use()))?;
    page.gauge("replay_windows_limit", "Replay windows that there are.", None, level(shared.replay.capacity()))?;
    page.counter(
        "replays_refused",
        "Messages refused because they were accepted before.",
        replay.replays + digests.replays,
    )?;
    page.counter(
        "replay_table_evicted",
        "Digests of accepted messages that had to go within their time.",
        digests.evicted,
    )?;
    page.counter(
        "transactions_opened",
        "Transactions in which our network waits for something, or is waited for.",
        dialogues.opened,
    )?;
    page.counter("transactions_evicted", "Of these, those forgotten for want of room.", dialogues.evicted)?;
    page.counter(
        "transactions_expired",
        "Of these, those in which our side was silent for too long.",
        dialogues.expired,
    )?;
    page.counter(
        "transactions_refused",
        "Messages that would have opened one more than their peer may have open: refused, or where a peer is only looked at, passed.",
        shared.dialogues.refused(),
    )?;
    let (snapshot, stats) = (board.engine.snapshot(), board.engine.stats());
    let spoke = |id, way| stats.verdicts(id, way).is_some_and(|row| row.iter().any(|count| *count > 0));
    let shown = |peer: &OpenWith<'_>| peer.any() || spoke(peer.id, Direction::In) || spoke(peer.id, Direction::Out);
    let peers: Vec<_> = open_with(&shared.dialogues, &snapshot).filter(shown).collect();
    page.gauges(
        "transactions_open",
        "Transactions that are open with a peer, by who began them; those that have expired until they are looked at.",
        None,
        peers.iter().flat_map(|peer| {
            [("peer", peer.by_them), ("us", peer.by_us)]
                .map(|(begun_by, open)| ([label("peer", peer.name), label("begun_by", begun_by)], f64::from(open)))
        }),
    )?;
    page.gauges(
        "transactions_limit",
        "How many of them either side may have begun.",
        None,
        peers.iter().map(|peer| ([label("peer", peer.name)], f64::from(peer.limit))),
    )?;
    let tunnels = shared.tunnels.counters();
    page.counter("tunnels_opened", "Endpoints of GTP-C of our own network that a peer was given.", tunnels.opened)?;
    page.counter(
        "tunnels_adopted",
        "Of these, those that were in use before the gateway knew of them.",
        tunnels.adopted,
    )?;
    page.counter("tunnels_closed", "Of these, those whose last context was deleted.", tunnels.closed)?;
    page.counter("tunnels_expired", "Of these, those of which nobody spoke for too long.", tunnels.expired)?;
    page.counter("tunnels_evicted", "Of these, those forgotten for want of room.", tunnels.evicted)?;
    let memories = &shared.detection;
    let (subscribers, steps) = (memories.subscribers.counters(), memories.steps.counters());
    page.counter("subscribers_seen", "Registrations of subscribers that detection remembered.", subscribers.opened)?;
    page.counter(
        "subscribers_expired",
        "Of these, those of which nothing was seen for too long.",
        subscribers.expired,
    )?;
    page.counter("subscribers_evicted", "Of these, those forgotten for want of room.", subscribers.evicted)?;
    page.counter("detection_steps_evicted", "Steps of subscribers forgotten for want of room.", steps.evicted)?;
    page.counter(
        "detection_updates_evicted",
        "Location updates whose answer could not be waited for, for want of room.",
        memories.pending.evicted(),
    )?;
    page.counter("detection_sources_evicted", "Sources forgotten for want of room.", memories.sources.evicted())
}
