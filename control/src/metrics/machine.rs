//! The process, its workers, ports and crypto threads, and what stands.

use super::page::{Page, level};
use super::traffic::label;
use crate::alarms::{Alarm, severity};
use crate::report::Board;
use prometheus_client::registry::Unit;
use sealgate_crypto::tables::Tier;
use serde_json::Value;
use std::fmt;

pub(super) fn write(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    page.infos("build", "The version that runs.", [[label("version", env!("CARGO_PKG_VERSION"))]])?;
    let started = level(board.engine.started_ms()) / 1000.0;
    page.gauge("start_time", "When it started, since 1970.", Some(Unit::Seconds), started)?;
    let forwarding = board.state() == "forwarding";
    page.gauge(
        "forwarding",
        "1 while it forwards, 0 once it was drained, ended or failed.",
        None,
        f64::from(u8::from(forwarding)),
    )?;
    alarms(board, page)?;
    workers(board, page)?;
    ports(board, page)?;
    crypto(board, page)
}

fn alarms(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let document = board.alarms();
    let standing: Vec<(&str, &str)> = document
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("name")?.as_str()?, one.get("severity")?.as_str()?)))
        .collect();
    let stands = |name: &str| standing.iter().any(|(one, _)| *one == name);
    let silent = Alarm::ALL.iter().map(|alarm| (alarm.name(), severity(alarm.is_critical())));
    let silent = silent.filter(|(name, _)| !stands(name)).map(|(name, severity)| (name, severity, 0.0));
    let all = standing.iter().map(|(name, severity)| (*name, *severity, 1.0)).chain(silent);
    page.gauges(
        "alarm",
        "1 while an alarm stands; those of the repository only then.",
        None,
        all.map(|(name, severity, value)| ([label("name", name), label("severity", severity)], value)),
    )
}

fn workers(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let workers = board.engine.workers();
    let each = |number: usize| [label("worker", number)];
    let turns = workers.iter().enumerate().map(|(number, worker)| (each(number), worker.stats.turns));
    page.counters("worker_turns", "Turns of a worker's loop.", turns)?;
    let idle = workers.iter().enumerate().map(|(number, worker)| (each(number), worker.stats.idle_turns));
    page.counters("worker_idle_turns", "Turns of a worker's loop in which nothing came.", idle)?;
    let mut states: Vec<(&str, u32)> = Vec::new();
    for worker in &workers {
        match states.iter_mut().find(|(name, _)| *name == worker.state.name()) {
            Some((_, count)) => *count += 1,
            None => states.push((worker.state.name(), 1)),
        }
    }
    let states = states.into_iter().map(|(name, count)| ([label("state", name)], f64::from(count)));
    page.gauges("workers", "Workers by what they do.", None, states)
}

fn ports(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let sides = ["interconnect", "home"];
    let counted: Vec<(&str, Value)> =
        sides.into_iter().zip(&board.ports).map(|(side, port)| (side, (port.counters)())).collect();
    let of = |key: &'static str| {
        counted.iter().filter_map(move |(side, counters)| Some((*side, counters.get(key)?.as_u64()?)))
    };
    let missed = of("missed").map(|(side, count)| ([label("port", side)], count));
    page.counters("port_missed_frames", "Frames that a port's device lost because nobody took them.", missed)?;
    let kinds = ["rx_errors", "tx_errors", "no_buffer"];
    let errors = kinds
        .into_iter()
        .flat_map(|kind| of(kind).map(move |(side, count)| ([label("port", side), label("kind", kind)], count)));
    page.counters("port_errors", "Errors that a port's device counts, by kind.", errors.collect::<Vec<_>>())
}

fn crypto(board: &Board, page: &mut Page<'_>) -> fmt::Result {
    let crypto = board.engine.crypto();
    let threads = [("configured", crypto.threads), ("alive", crypto.alive), ("lost", crypto.lost)];
    let threads = threads.map(|(state, count)| ([label("state", state)], level(count)));
    page.gauges("crypto_threads", "Crypto threads; none are configured where workers verify inline.", None, threads)?;
    let jobs = [
        ("verified", crypto.verified),
        ("refused", crypto.refused),
        ("signed", crypto.signed),
        ("stale", crypto.stale),
        ("failed", crypto.failed),
    ];
    let jobs = jobs.map(|(result, count)| ([label("result", result)], count));
    page.counters("crypto_jobs", "Signatures that held, did not hold, were made, or got no answer.", jobs)?;
    page.counter("crypto_batches", "Batches in which they were computed.", crypto.batches)?;
    page.counter("crypto_thread_restarts", "Crypto threads that were started again.", crypto.restarts)?;
    page.counter("crypto_checks", "Verdicts that the reference checked again.", crypto.checked)?;
    page.counter("crypto_mismatches", "Verdicts that the reference did not share.", crypto.mismatches)?;
    let tables = &crypto.tables;
    let tiers = Tier::ALL.iter().zip(tables.keys).map(|(tier, keys)| ([label("table", tier.name())], level(keys)));
    page.gauges("crypto_keys", "Keys by the table they have.", None, tiers)?;
    page.gauge("crypto_table_size", "Memory that tables of keys take.", Some(Unit::Bytes), level(tables.octets))?;
    page.gauge("crypto_table_limit", "Memory that they may take.", Some(Unit::Bytes), level(tables.budget))
}
