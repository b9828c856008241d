//! What the policy would do: operator rules and what each has done, and what active screening of a peer would refuse (formats 13.3).

use super::counts::by_name;
use super::refused::{Ring, entry};
use sealgate_config::model::Screening;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::PeerId;
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::stats::Stats;
use serde_json::{Value, json};

/// Examples of each reason and peer that are shown.
const EXAMPLES: usize = 3;

/// The rules in their order, what each has done since its policy came into force, and what compiling them came to.
pub(super) fn rules(snapshot: &Snapshot) -> Value {
    let ruleset = &snapshot.ruleset;
    let report = ruleset.report();
    let rule = |(name, counted): (&str, sealgate_dataplane::policy::rules::Counted)| json!({ "rule": name, "matched": counted.matched, "refused": counted.refused });
    json!({
        "rules": ruleset.counted().map(rule).collect::<Vec<_>>(),
        "compiled": { "rules": report.rules, "values": report.values, "octets": report.octets,
            "compared_at_most": report.widest, "took_ms": report.took.as_secs_f64() * 1000.0 },
    })
}

/// Each peer: how it is screened, and what passed that active screening would refuse, with examples.
///
/// * `kept`: messages that would be refused, by reason
pub(super) fn screening(snapshot: &Snapshot, stats: &Stats, kept: &Ring) -> Value {
    let examples = kept.list(None);
    let peers = snapshot.peers.iter().enumerate().filter(|(_, peer)| !peer.gone);
    peers
        .map(|(id, peer)| {
            let ways = [(Direction::In, "in"), (Direction::Out, "out")];
            let mut document = json!({ "peer": peer.name, "screening": word(peer.screening) });
            let mut total = 0;
            for (way, name) in ways {
                let row = PeerId::try_from(id).ok().and_then(|id| stats.would_be(id, way));
                let row = row.unwrap_or([0; sealgate_wire::reason::COUNT]);
                total += row.iter().sum::<u64>();
                document[name] = by_name(&row);
            }
            document["would_be_refused"] = total.into();
            let mut shown: Vec<(u16, usize)> = Vec::new();
            let mut of_peer = Vec::new();
            for one in examples.iter().rev().filter(|one| one.peer == peer.name) {
                let code = one.seen.record.counts_as().code();
                match shown.iter_mut().find(|(reason, _)| *reason == code) {
                    Some((_, count)) if *count >= EXAMPLES => continue,
                    Some((_, count)) => *count += 1,
                    None => shown.push((code, 1)),
                }
                of_peer.push(entry(one, false));
            }
            document["examples"] = of_peer.into();
            document
        })
        .collect()
}

fn word(screening: Screening) -> &'static str {
    match screening {
        Screening::Learn => "learn",
        Screening::Test => "test",
        Screening::Active => "active",
    }
}
