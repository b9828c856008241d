//! What the packet path's own counters say that an operator must hear of.

use super::{Alarm, HOLD_S, Registry};
use sealgate_dataplane::state::{digest, replay};
use sealgate_dataplane::stats::Stats;
use sealgate_wire::Reason;

/// Looks at copies of counters.
///
/// * `dialogues`: messages that the limit of their peer's open dialogues speaks against
pub fn look(
    registry: &Registry,
    stats: &Stats,
    digests: digest::Counters,
    replay: replay::Counters,
    dialogues: u64,
    now: i64,
) {
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
    let text = |count| {
        format!(
            "{count} message(s) so far would have opened one dialogue more than their peer may have open; show replay names \
             the peer, transactions.per_peer or its own transactions.limit gives it more"
        )
    };
    registry.count(Alarm::TransactionsRefused, dialogues, Some(HOLD_S), text, now);
    let found = |reason: &Reason| {
        stats.events.get(reason.index()).copied().filter(|count| *count > 0).map(|count| (reason.name(), count))
    };
    let by_reason: Vec<_> = FOUND.iter().filter_map(found).collect();
    let text = |count| {
        let each: Vec<_> = by_reason.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!("{count} finding(s) of detectors so far passed, since they alert or learn: {}", each.join(", "))
    };
    registry.count(Alarm::Detection, by_reason.iter().map(|(_, count)| count).sum(), Some(HOLD_S), text, now);
    let event = |reason: Reason| stats.events.get(reason.index()).copied().unwrap_or(0);
    let text = |count| {
        format!(
            "{count} message(s) so far passed that rules of the policy alert to; show rules counts them, the log has them"
        )
    };
    registry.count(Alarm::RuleAlert, event(Reason::PolRule) + event(Reason::PolRate), Some(HOLD_S), text, now);
}

/// Reasons of detectors that look at more than one message (formats 13.4).
const FOUND: [Reason; 7] = [
    Reason::DetVelocity,
    Reason::DetPrevLocation,
    Reason::DetMultiRequest,
    Reason::DetMultiProtocol,
    Reason::DetCrossGeneration,
    Reason::DetScan,
    Reason::DetFlood,
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_is_counted_is_told_of() {
        let (registry, mut stats) = (Registry::default(), Stats::new(1));
        let see_all = |stats: &Stats, evicted, full, dialogues| {
            let (digests, replay) = (digest::Counters::default(), replay::Counters::default());
            let digests = digest::Counters { evicted, ..digests };
            look(&registry, stats, digests, replay::Counters { full, ..replay }, dialogues, 2);
            let alarms = registry.document(&Value::Null);
            alarms.as_array().expect("a list").iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
        };
        let see = |stats: &Stats, evicted, full| see_all(stats, evicted, full, 0);
        assert!(see(&stats, 0, 0).is_empty());
        stats.event(Reason::ResSignFailed);
        assert_eq!(see(&stats, 0, 0), ["oversize"]);
        assert_eq!(see(&stats, 1, 1), ["oversize", "replay_table_evicted", "replay_table_full"]);
        // What neither alerts nor learns is refused, and a forged answer always is.
        stats.event(Reason::DetResponseSpoof);
        assert_eq!(see(&stats, 1, 1), ["oversize", "replay_table_evicted", "replay_table_full"]);
        (0..2).for_each(|_| stats.event(Reason::DetScan));
        stats.event(Reason::DetVelocity);
        assert_eq!(see(&stats, 1, 1), ["oversize", "replay_table_evicted", "replay_table_full", "detection"]);
        let texts = registry.document(&Value::Null);
        let text =
            texts.as_array().expect("a list").iter().find(|one| one["name"] == "detection").map(|one| &one["text"]);
        let want = "3 finding(s) of detectors so far passed, since they alert or learn: R_DET_VELOCITY 1, R_DET_SCAN 2";
        assert_eq!(text, Some(&Value::from(want)));
        assert_eq!(see_all(&stats, 1, 1, 1)[3..], ["transactions_refused", "detection"]);
        stats.event(Reason::PolRule);
        stats.event(Reason::PolRate);
        assert_eq!(see(&stats, 1, 1).last(), Some(&Value::from("rule_alert")));
    }
}
