//! Messages and frames.

use super::page::{Label, Page, level};
use crate::report::{Board, State, shares};
use sealgate_dataplane::policy::snapshot::PeerId;
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use sealgate_wire::reason::{ALL, COUNT};
use std::fmt;

/// Directions with their words.
const WAYS: [(Direction, &str); 2] = [(Direction::In, "in"), (Direction::Out, "out")];

pub(super) fn write(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let (stats, snapshot) = (board.engine.stats(), board.engine.snapshot());
    let peers: Vec<(&str, [[u64; COUNT]; 2])> = (0..stats.peers())
        .filter_map(|id| {
            let (id, peer) = (PeerId::try_from(id).ok()?, snapshot.peers.get(id)?);
            let row = |way| stats.verdicts(id, way).unwrap_or([0; COUNT]);
            Some((peer.name.as_str(), [row(Direction::In), row(Direction::Out)]))
        })
        .filter(|(_, rows)| rows.iter().flatten().any(|count| *count > 0))
        .collect();
    let sides =
        || peers.iter().flat_map(|(name, rows)| WAYS.iter().zip(rows).map(move |((_, way), row)| (name, way, row)));
    let sum = |row: &[u64; COUNT], passes| -> u64 {
        ALL.iter()
            .zip(row)
            .filter(|(reason, _)| if passes { reason.passes() } else { reason.refuses() })
            .map(|(_, count)| count)
            .sum()
    };
    page.counters(
        "peer_messages",
        "Messages that got a verdict, by peer, direction and whether they passed.",
        sides().flat_map(|(peer, way, row)| {
            [("passed", true), ("refused", false)].map(|(result, passes)| {
                ([label("peer", peer), label("direction", way), label("result", result)], sum(row, passes))
            })
        }),
    )?;
    let states = || peers.iter().map(|(name, rows)| (name, shares(rows.first().unwrap_or(&[0; COUNT]))));
    page.counters(
        "peer_signatures",
        "Messages from a peer by the state of their signature. Those refused before it was looked at, or by policy after that, \
         have none.",
        states().flat_map(|(peer, shares)| {
            State::ALL.map(|state| ([label("peer", peer), label("state", state.name())], shares.count(state)))
        }),
    )?;
    page.gauges(
        "peer_signature_share",
        "Part of a peer's messages since the start whose signature is in this state.",
        None,
        states().flat_map(|(peer, shares)| {
            State::ALL.map(|state| ([label("peer", peer), label("state", state.name())], shares.share(state)))
        }),
    )?;
    let verdicts = ALL.iter().flat_map(|reason| {
        let peers = &peers;
        WAYS.map(move |(way, word)| {
            let counts = peers.iter().filter_map(|(_, rows)| rows.get(way as usize)?.get(reason.index()));
            ([label("reason", reason.name()), label("direction", word)], counts.sum::<u64>())
        })
    });
    page.counters(
        "verdicts",
        "Verdicts by reason and direction, of all peers.",
        verdicts.filter(|(_, count)| *count > 0),
    )?;
    let by_reason = |row: &'static str, counts: &[u64; COUNT]| -> Vec<([Label; 1], u64)> {
        let used = ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
        used.map(|(reason, count)| ([label(row, reason.name())], *count)).collect()
    };
    let dropped = by_reason("reason", &stats.frames_dropped);
    page.counters("frames_dropped", "Frames that were not forwarded, by reason.", dropped)?;
    let events = by_reason("reason", &stats.events);
    page.counters("events", "What happened to messages besides their verdict, by reason.", events)?;
    page.infos(
        "reason",
        "What each reason means.",
        ALL.iter().map(|reason: &Reason| {
            let passes = if reason.passes() { "true" } else { "false" };
            [
                label("reason", reason.name()),
                label("code", reason.code()),
                label("text", reason.text()),
                label("passes", passes),
            ]
        }),
    )?;
    let ports = ["interconnect", "home"];
    let port = |counts: [u64; 2]| ports.into_iter().zip(counts).map(|(port, count)| ([label("port", port)], count));
    page.counters("frames_received", "Frames received, by port.", port(stats.rx))?;
    page.counters("frames_sent", "Frames sent, by port.", port(stats.tx))?;
    page.counter(
        "frames_made",
        "Frames made: all that leave over TCP, responses, parts of what outgrew its link.",
        stats.made,
    )?;
    page.counter("frames_streamed", "Frames over TCP whose octets went into their connection.", stats.streamed)?;
    page.gauge(
        "frames_held",
        "Frames that wait for a verdict, a fragment or room now.",
        None,
        level(stats.frames_held),
    )?;
    page.counter("messages", "User messages that arrived whole.", stats.messages)?;
    page.gauge("messages_waiting", "Messages that wait for a signature now.", None, level(stats.messages_waiting))?;
    page.counter("chunks_repeated", "DATA chunks that came again and got their first verdict again.", stats.repeated)?;
    page.counter("associations_adopted", "Associations whose tags were taken over from running traffic.", stats.adopted)
}

pub(super) fn label(name: &'static str, value: impl ToString) -> Label {
    (name, value.to_string())
}
