//! Which plots a set of documents gives.

use super::axis::Scale;
use super::bars::{self, Bar};
use super::chart::{Chart, Curve, Kind, Side};
use super::pick::{self, Rate};
use super::svg::Svg;
use super::text::{number, quantity, words};
use super::trials;
use crate::record::{Document, Latency, Point, Series};

/// What a plot is about; also the order of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Rate,
    Latency,
    Stages,
    Scaling,
    Trials,
}

/// One plot, and its numbers.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) about: About,
    /// Name of its files.
    pub(super) id: String,
    pub(super) title: String,
    /// Places of the documents that it is made of.
    pub(super) from: Vec<usize>,
    /// What a reader must know to read it.
    pub(super) caption: String,
    pub(super) svg: Svg,
    /// The same as a table.
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// All plots of these documents, in the order of [`About`].
pub(super) fn all(documents: &[&Document]) -> Vec<Plot> {
    let mut plots = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        let id = |what: &str| format!("{}-{what}", place + 1);
        plots.extend(rates(document, &id("ndr"), place));
        plots.extend(latencies(document, &id("latency"), place));
        for (number, series) in document.series.iter().enumerate() {
            plots.push(scaling(series, &id(&format!("scaling-{}-{}", number + 1, file_name(&series.name))), place));
        }
        if !document.trials.is_empty() {
            plots.push(validity(document, &id("trials"), place));
        }
    }
    plots.extend(stages(documents));
    plots.sort_by_key(|plot| plot.about);
    plots
}

/// Where the numbers of a plot come from, for a file that goes its own way.
pub(super) fn source(plot: &Plot, documents: &[&Document]) -> String {
    let of = |place: &usize| {
        let run = &documents.get(*place)?.run;
        Some(format!("sgperf {}: {}, commit {}", run.command, run.machine.processor, run.machine.commit))
    };
    plot.from.iter().filter_map(of).collect::<Vec<_>>().join("; ")
}

/// What of a name may be part of a file's.
fn file_name(name: &str) -> String {
    let plain = name.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' });
    plain.take(40).collect()
}

fn rates(document: &Document, id: &str, place: usize) -> Option<Plot> {
    let rates = pick::rates(document);
    let point = |rate: &Rate| Some(Point { x: rate.signed?, y: rate.holds, low: rate.low, high: rate.fails });
    let points: Vec<_> = rates.iter().filter_map(point).collect();
    if points.is_empty() {
        return None;
    }
    let chart = Chart {
        x: side("signed", "%", Scale::Linear),
        y: side("messages/s", "", Scale::Log),
        curves: vec![Curve { name: "without loss".to_owned(), kind: Kind::Measured, points }],
    };
    let row = |rate: &Rate| {
        let share = rate.signed.map_or_else(|| "–".to_owned(), number);
        vec![rate.mix.clone(), share, number(rate.holds), number(rate.low), number(rate.fails)]
    };
    Some(Plot {
        about: About::Rate,
        id: id.to_owned(),
        title: "Rate without loss against share signed".to_owned(),
        from: vec![place],
        caption:
            "The highest rate at which no message was lost. Bars reach from the lowest of all searches to the lowest \
                  rate that did not hold."
                .to_owned(),
        svg: chart.draw(),
        head: ["mix", "signed, %", "holds /s", "lowest", "does not hold"].map(str::to_owned).into(),
        rows: rates.iter().map(row).collect(),
    })
}

fn axis_name(label: &str, unit: &str) -> String {
    if unit.is_empty() { label.to_owned() } else { format!("{label}, {unit}") }
}

fn side(label: &str, unit: &str, scale: Scale) -> Side {
    Side { label: axis_name(label, unit), scale }
}

/// A plot for each mix; what the tester itself adds is in all of them.
fn latencies(document: &Document, id: &str, place: usize) -> Vec<Plot> {
    let (floors, gateway): (Vec<_>, Vec<_>) = document.latencies.iter().partition(|latency| pick::is_floor(latency));
    let mut mixes: Vec<&str> = Vec::new();
    for latency in if gateway.is_empty() { &floors } else { &gateway } {
        let (mix, _) = pick::mix_and_load(latency);
        if !mixes.contains(&mix) {
            mixes.push(mix);
        }
    }
    let of = |mix: &str| gateway.iter().filter(|latency| pick::mix_and_load(latency).0 == mix).copied().collect();
    let plot = |(number, mix): (usize, &&str)| {
        let own: Vec<&Latency> = of(mix);
        let id = if mixes.len() > 1 { format!("{id}-{}-{}", number + 1, file_name(mix)) } else { id.to_owned() };
        let title = if mix.is_empty() { "Latency".to_owned() } else { format!("Latency: {mix}") };
        latency(&floors, &own, id, title, place)
    };
    mixes.iter().enumerate().map(plot).collect()
}

fn latency(floors: &[&Latency], own: &[&Latency], id: String, title: String, place: usize) -> Plot {
    let curve = |latency: &&Latency| {
        let floor = pick::is_floor(latency);
        // The longest stands where one message of all that were counted does.
        let last = 100.0 * (1.0 - 1.0 / latency.count.max(2) as f64);
        let points = latency.percentiles.iter().filter(|(_, us)| *us > 0.0);
        Curve {
            name: if floor { latency.name.clone() } else { pick::mix_and_load(latency).1.to_owned() },
            kind: if floor { Kind::Floor } else { Kind::Distribution },
            points: points.map(|(share, us)| Point { x: share.min(last), y: *us, low: *us, high: *us }).collect(),
        }
    };
    let all = || floors.iter().chain(own);
    let chart = Chart {
        x: Side { label: "share of the messages that took no longer".to_owned(), scale: Scale::Nines },
        y: Side { label: "µs from the due time".to_owned(), scale: Scale::Log },
        curves: all().map(curve).collect(),
    };
    let rows = all().map(|latency| {
        let mut row = vec![latency.name.clone(), quantity(latency.offered_per_s, "/s"), number(latency.count as f64)];
        row.extend(pick::SHARES.map(|share| pick::percentile(latency, share).map_or_else(|| "–".to_owned(), number)));
        row
    });
    let mut head = vec!["µs".to_owned(), "offered".to_owned(), "messages".to_owned()];
    head.extend(pick::SHARES.map(|share| if share >= 100.0 { "longest".to_owned() } else { format!("{share} %") }));
    let floor = if floors.is_empty() { "" } else { " Dotted grey lines are the tester alone, without a gateway." };
    Plot {
        about: About::Latency,
        id,
        title,
        from: vec![place],
        caption: format!(
            "Counted from the time at which a message was due, so a stall counts for all that waited.{floor}"
        ),
        svg: chart.draw(),
        head,
        rows: rows.collect(),
    }
}

fn scaling(series: &Series, id: &str, place: usize) -> Plot {
    let scale = |log| if log { Scale::Log } else { Scale::Linear };
    let mut curves = vec![Curve { name: "measured".to_owned(), kind: Kind::Measured, points: series.points.clone() }];
    let mut caption = "Medians; bars reach from the lowest round to the highest.".to_owned();
    let mut head: Vec<_> =
        [&axis_name(&series.x.label, &series.x.unit), &axis_name(&series.y.label, &series.y.unit), "lowest", "highest"]
            .map(str::to_owned)
            .into();
    if !series.model.is_empty() {
        let points = series.model.iter().map(|(x, y)| Point { x: *x, y: *y, low: *y, high: *y }).collect();
        curves.push(Curve { name: "model".to_owned(), kind: Kind::Model, points });
        caption.push_str(" The dashed line is the model that was fitted to all sweeps at once.");
        head.push("model".to_owned());
    }
    let rows = series.points.iter().map(|point| {
        let mut row: Vec<_> = [point.x, point.y, point.low, point.high].map(number).into();
        if !series.model.is_empty() {
            let said = series.model.iter().find(|(x, _)| (x - point.x).abs() <= 1e-9 * point.x.abs());
            row.push(said.map_or_else(|| "–".to_owned(), |(_, y)| number(*y)));
        }
        row
    });
    Plot {
        about: About::Scaling,
        id: id.to_owned(),
        title: series.title.clone(),
        from: vec![place],
        caption,
        svg: Chart {
            x: side(&series.x.label, &series.x.unit, scale(series.x.log)),
            y: side(&series.y.label, &series.y.unit, scale(series.y.log)),
            curves,
        }
        .draw(),
        head,
        rows: rows.collect(),
    }
}

fn validity(document: &Document, id: &str, place: usize) -> Plot {
    let [held, lost, spoiled] = trials::count(&document.trials);
    let rows = document.trials.iter().enumerate().filter_map(|(place, trial)| {
        let why = trial.spoiled.as_ref()?;
        Some(vec![(place + 1).to_string(), trial.phase.clone(), quantity(trial.target_per_s, "/s"), why.clone()])
    });
    Plot {
        about: About::Trials,
        id: id.to_owned(),
        title: format!("Trials: {held} without loss, {lost} with loss, {spoiled} spoiled"),
        from: vec![place],
        caption:
            "A spoiled trial says nothing about the gateway, because the system took a core away or the tester fell \
                  behind. It is repeated and stays here."
                .to_owned(),
        svg: trials::draw(&document.trials),
        head: ["trial", "phase", "target", "spoiled because"].map(str::to_owned).into(),
        rows: rows.collect(),
    }
}

fn stages(documents: &[&Document]) -> Option<Plot> {
    let (mut stacked, mut from): (Vec<(usize, Bar)>, Vec<usize>) = (Vec::new(), Vec::new());
    for (place, document) in documents.iter().enumerate() {
        let bars = pick::stages(document);
        if !bars.is_empty() {
            from.push(place);
        }
        stacked.extend(bars.into_iter().map(|bar| (place, bar)));
    }
    // Said only where it tells bars apart.
    let several = from.len() > 1;
    let named = stacked.into_iter().map(|(place, bar)| {
        let name = if several { format!("{} (document {})", bar.name, place + 1) } else { bar.name };
        Bar { name, parts: bar.parts }
    });
    let stacked: Vec<_> = named.collect();
    if stacked.is_empty() {
        return None;
    }
    let rows = stacked.iter().flat_map(|bar| {
        bar.parts.iter().map(|(part, ns)| vec![bar.name.clone(), words(part), number(*ns)]).collect::<Vec<_>>()
    });
    Some(Plot {
        about: About::Stages,
        id: "stages".to_owned(),
        title: "What a message costs, by stage".to_owned(),
        from,
        caption: "CPU time of the worker's thread per message, nanoseconds; medians. Parts are measured apart: their \
                  sum need not be that of the whole turn."
            .to_owned(),
        rows: rows.collect(),
        svg: bars::draw(&stacked, "ns"),
        head: ["message", "stage", "ns"].map(str::to_owned).into(),
    })
}
