//! Copies of counters as documents.

use super::hex;
use sealgate_crypto::pool::PoolStats;
use sealgate_crypto::tables::Tier;
use sealgate_dataplane::policy::snapshot::PeerId;
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::stats::Stats;
use sealgate_wire::Reason;
use sealgate_wire::reason::{ALL, COUNT};
use serde_json::{Value, json};

/// The crypto pool: its threads, its engines, its tables, and what the reference found wrong with them.
pub(super) fn pool(crypto: &PoolStats) -> Value {
    let tables = &crypto.tables;
    let tiers = Tier::ALL.iter().zip(tables.keys).map(|(tier, keys)| (tier.name().to_owned(), json!(keys)));
    let evidence = crypto.evidence.iter().map(|one| {
        json!({ "alg": one.alg.name(), "key": hex(&one.key), "signed": hex(&one.signed),
            "signature": hex(&one.signature), "engine": one.engine, "reference": one.reference,
            "by_device": one.by_device })
    });
    json!({
        "threads": crypto.threads, "alive": crypto.alive, "lost": crypto.lost, "restarts": crypto.restarts,
        "batches": crypto.batches, "verified": crypto.verified, "refused": crypto.refused, "signed": crypto.signed,
        "stale": crypto.stale, "failed": crypto.failed,
        "engines": crypto.engines.iter().map(|choice| json!({ "alg": choice.alg.name(), "engine": choice.engine,
            "why": choice.why })).collect::<Vec<_>>(),
        "device": crypto.device.as_ref().map(|device| json!({ "name": device.name, "state": device.state.name(),
            "why": device.why, "threads": device.serving, "answered": device.answered, "full": device.full,
            "lost": device.lost, "late": device.late, "strays": device.strays, "errors": device.errors,
            "outs": device.outs, "restarts": device.restarts, "wrong": device.wrong })),
        "tables": { "keys": Value::Object(tiers.collect()), "octets": tables.octets, "budget": tables.budget,
            "pending": tables.pending, "built": tables.built, "faulty": tables.faulty },
        "self_check": { "checked": crypto.checked, "skipped": crypto.unchecked, "mismatches": crypto.mismatches,
            "evidence": evidence.collect::<Vec<_>>() },
    })
}

/// Counts of each reason that has any, by direction; frames that never became messages, and events, beside them.
pub(super) fn reasons(stats: &Stats) -> Value {
    let way = |way: Direction| {
        let mut sum = [0u64; COUNT];
        for peer in 0..stats.peers() {
            let row = PeerId::try_from(peer).ok().and_then(|peer| stats.verdicts(peer, way));
            for (sum, count) in sum.iter_mut().zip(row.into_iter().flatten()) {
                *sum += count;
            }
        }
        sum
    };
    let (inbound, outbound) = (way(Direction::In), way(Direction::Out));
    let counts = inbound.iter().zip(&outbound).zip(stats.frames_dropped.iter().zip(&stats.events));
    let used = ALL.iter().zip(counts).filter(|(_, ((i, o), (f, e)))| **i + **o + **f + **e > 0);
    used.map(|(reason, ((inbound, outbound), (frames, events)))| {
        json!({ "code": reason.code(), "name": reason.name(), "text": reason.text(), "passes": reason.passes(),
            "in": inbound, "out": outbound, "frames": frames, "events": events })
    })
    .collect()
}

pub(super) fn totals(stats: &Stats) -> [u64; COUNT] {
    let mut row = [0; COUNT];
    for (sum, reason) in row.iter_mut().zip(ALL) {
        *sum = stats.total(*reason);
    }
    row
}

pub(super) fn passed_and_refused(row: &[u64; COUNT]) -> (u64, u64) {
    let sum =
        |counts: fn(Reason) -> bool| ALL.iter().zip(row).filter(|(reason, _)| counts(**reason)).map(|(_, n)| n).sum();
    (sum(Reason::passes), sum(Reason::refuses))
}

pub(super) fn by_name(row: &[u64; COUNT]) -> Value {
    let used = ALL.iter().zip(row).filter(|(_, count)| **count > 0);
    Value::Object(used.map(|(reason, count)| (reason.name().to_owned(), json!(count))).collect())
}
