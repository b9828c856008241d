//! What a reader must grasp in ten seconds: which machine, how many messages, how long, at what cost; and what to doubt.

use super::Input;
use super::pick;
use super::text::{number, percent, quantity};
use super::trials;
use crate::record::{Document, Figure, Machine};

/// One answer.
pub(super) struct Tile {
    pub(super) question: &'static str,
    /// The answer, large; `None` if no document has one.
    pub(super) answer: Option<String>,
    /// What it holds for, and further answers: a name and its value, or one text.
    pub(super) lines: Vec<(String, String)>,
}

pub(super) fn tiles(inputs: &[Input]) -> Vec<Tile> {
    let documents: Vec<_> = inputs.iter().map(|input| &input.document).collect();
    vec![machine(&documents), rate(&documents), latency(&documents), cost(&documents)]
}

/// A line of one piece.
fn said(text: String) -> (String, String) {
    (text, String::new())
}

fn spread(low: f64, high: f64) -> (String, String) {
    said(format!("from {} to {}", number(low), number(high)))
}

/// How many trials of these documents say nothing, if any does.
fn spoiled(documents: &[&Document]) -> Option<(String, String)> {
    let count = |document: &&Document| (trials::count(&document.trials)[2], document.trials.len());
    let (spoiled, of) = documents.iter().map(count).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (spoiled > 0).then(|| ("trials spoiled".to_owned(), format!("{spoiled} of {of}")))
}

fn machine(documents: &[&Document]) -> Tile {
    let machine = documents.first().map(|document| &document.run.machine);
    let lines = machine.map_or_else(Vec::new, |machine| {
        let kind = if machine.virtual_machine { "virtual machine" } else { "no virtual machine" };
        vec![
            said(format!("{kind}, {} cores, {} GiB", machine.cores, machine.memory_gib)),
            said(format!("Linux {}", machine.kernel)),
            said(format!("commit {}, {} build", machine.commit, machine.build)),
        ]
    });
    Tile { question: "Machine", answer: machine.map(|machine| machine.processor.clone()), lines }
}

fn rate(documents: &[&Document]) -> Tile {
    let rates: Vec<_> = documents.iter().flat_map(|document| pick::rates(document)).collect();
    let Some((first, rest)) = rates.split_first() else { return per_core(documents) };
    let mut lines = vec![said(first.mix.clone()), spread(first.low, first.fails)];
    lines.extend(rest.iter().map(|rate| (rate.mix.clone(), number(rate.holds))));
    let tester = documents.iter().find_map(|document| document.figures.get("tester.msgs_per_s_per_core"));
    lines.extend(tester.map(|figure| ("tester alone sends".to_owned(), number(figure.median))));
    lines.extend(spoiled(documents));
    Tile { question: "Messages/s without loss", answer: Some(number(first.holds)), lines }
}

/// Without a search, what one core does: not the same, and so called.
fn per_core(documents: &[&Document]) -> Tile {
    let mut tile = figures(
        documents,
        "Messages/s of one core",
        &[("unsigned", "unsigned_msgs_per_s_per_core"), ("signed", "signed_msgs_per_s_per_core")],
    );
    if tile.answer.is_some() {
        tile.lines.push(said("by CPU time; no search for loss".to_owned()));
    } else {
        tile.question = "Messages/s without loss";
    }
    tile
}

fn cost(documents: &[&Document]) -> Tile {
    let tile = figures(
        documents,
        "CPU time of a message",
        &[
            ("unsigned", "unsigned_ns"),
            ("signed", "signed_ns"),
            ("refused", "refused_ns"),
            ("signed, but for crypto", "signed_without_crypto_ns"),
        ],
    );
    let swept = documents.iter().flat_map(|document| &document.series).find(|series| series.name == "signed");
    let ends = swept.and_then(|series| series.points.split_first());
    match ends {
        Some((first, rest)) if tile.answer.is_none() => {
            let ns = |y: f64| quantity(y, "ns");
            let share = |x: f64| format!("{} % signed", number(x));
            let mut lines = vec![said(share(first.x)), spread(first.low, first.high)];
            lines.extend(rest.iter().map(|point| (share(point.x), ns(point.y))));
            Tile { answer: Some(ns(first.y)), lines, ..tile }
        }
        _ => tile,
    }
}

/// The first figure that there is, large, and the others.
fn figures(documents: &[&Document], question: &'static str, names: &[(&str, &str)]) -> Tile {
    let find = |name: &str| documents.iter().find_map(|document| document.figures.get(name));
    let found: Vec<(&str, &Figure)> = names.iter().filter_map(|(kind, name)| Some((*kind, find(name)?))).collect();
    let Some(((kind, first), rest)) = found.split_first() else {
        return Tile { question, answer: None, lines: Vec::new() };
    };
    let value = |figure: &Figure| quantity(figure.median, if figure.unit == "/s" { "" } else { &figure.unit });
    let mut lines = vec![said((*kind).to_owned()), spread(first.low, first.high)];
    lines.extend(rest.iter().map(|(kind, figure)| ((*kind).to_owned(), value(figure))));
    Tile { question, answer: Some(value(first)), lines }
}

fn latency(documents: &[&Document]) -> Tile {
    let mut tile = Tile { question: "Latency, 99.9 % of the messages", answer: None, lines: Vec::new() };
    let Some(document) = documents.iter().find(|document| pick::typical(document).is_some()) else { return tile };
    if let Some(latency) = pick::typical(document) {
        let at = |share| pick::percentile(latency, share).map_or_else(|| "–".to_owned(), |us| quantity(us, "µs"));
        tile.answer = Some(at(99.9));
        tile.lines = vec![
            said(latency.name.clone()),
            ("50 %".to_owned(), at(50.0)),
            ("99 %".to_owned(), at(99.0)),
            ("longest".to_owned(), at(100.0)),
        ];
    }
    if let Some(floor) = document.latencies.iter().find(|latency| pick::is_floor(latency)) {
        let us = pick::percentile(floor, 99.9).map_or_else(|| "–".to_owned(), |us| quantity(us, "µs"));
        tile.lines.push(("tester alone, 99.9 %".to_owned(), us));
    }
    tile.lines.extend(spoiled(&[document]));
    tile
}

/// What a reader should doubt.
pub(super) fn warnings(inputs: &[Input]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        let (document, place) = (&input.document, place + 1);
        let [_, _, spoiled] = trials::count(&document.trials);
        if spoiled > 0 {
            let of = document.trials.len();
            let share = percent(spoiled as f64 / of as f64);
            warnings.push(format!(
                "Document {place}: {spoiled} of {of} trials ({share}) were spoiled; each is named with its cause below."
            ));
        }
        let machine = &document.run.machine;
        if machine.build != "release" {
            warnings
                .push(format!("Document {place}: measured with a {} build, not with the product's.", machine.build));
        }
        if machine.commit.ends_with('+') {
            warnings.push(format!(
                "Document {place}: the sources were changed after commit {}; nobody can measure this again.",
                machine.commit.trim_end_matches('+')
            ));
        }
        warnings.extend(input.missing.iter().map(|missing| format!("Document {place} names {missing}.")));
    }
    let machines = || inputs.iter().map(|input| &input.document.run.machine);
    let first = machines().next();
    // Not the number of cores: that is of those a process may use.
    let same = |one: &Machine, other: &Machine| {
        (&one.processor, &one.kernel, one.memory_gib) == (&other.processor, &other.kernel, other.memory_gib)
    };
    if machines().any(|machine| first.is_some_and(|first| !same(first, machine))) {
        warnings.push("The documents are of different machines: their figures cannot be compared.".to_owned());
    }
    if machines().any(|machine| Some(&machine.commit) != first.map(|machine| &machine.commit)) {
        warnings.push("The documents are of different commits.".to_owned());
    }
    warnings
}
