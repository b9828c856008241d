//! What the packet path's own counters say that an operator must hear of.

use super::{Alarm, HOLD_S, Registry};
use sealgate_dataplane::state::{digest, replay};
use sealgate_dataplane::stats::Stats;
use sealgate_wire::Reason;

/// Looks at copies of counters.
pub fn look(registry: &Registry, stats: &Stats, digests: digest::Counters, replay: replay::Counters, now: i64) {
    let unsigned = stats.events.get(Reason::ResSignFailed.index()).copied().unwrap_or(0);
    let text = |count| {
        format!(
            "{count} message(s) so far left without our signature because they could not carry it (oversize: unsigned); set \
             the hosts' MTU 150 octets below the link's"
        )
    };
    registry.count(Alarm::Oversize, unsigned, Some(HOLD_S), text, now);
    let text = |count| {
        format!(
            "{count} digest(s) of SG-TCAP-0 messages so far were forgotten within the time window; such a message could be \
             accepted twice"
        )
    };
    registry.count(Alarm::ReplayTableEvicted, digests.evicted, Some(HOLD_S), text, now);
    let text = |count| format!("{count} message(s) so far were refused: no replay window is free for their signer");
    registry.count(Alarm::ReplayTableFull, replay.full + replay.signer_full, Some(HOLD_S), text, now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_is_counted_is_told_of() {
        let (registry, mut stats) = (Registry::default(), Stats::new(1));
        let see = |stats: &Stats, evicted, full| {
            let (digests, replay) = (digest::Counters::default(), replay::Counters::default());
            let digests = digest::Counters { evicted, ..digests };
            look(&registry, stats, digests, replay::Counters { full, ..replay }, 2);
            let alarms = registry.document(&Value::Null);
            alarms.as_array().expect("a list").iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
        };
        assert!(see(&stats, 0, 0).is_empty());
        stats.event(Reason::ResSignFailed);
        assert_eq!(see(&stats, 0, 0), ["oversize"]);
        assert_eq!(see(&stats, 1, 1), ["oversize", "replay_table_evicted", "replay_table_full"]);
    }
}
