//! Tables: ratios, and each document as it is.

use super::Input;
use super::pick;
use super::text::{escape, number, percent, quantity, utc};
use crate::model::{ASSUMPTIONS, Coefficient};
use crate::record::{Calm, Document, Figure, Trial};

/// A table; columns of numbers stand to the right.
pub(super) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let numeric = |column: usize| {
        let cells = || rows.iter().filter_map(|row| row.get(column));
        cells().any(|cell| cell != "–")
            && cells().all(|cell| cell == "–" || cell.starts_with(|first: char| first.is_ascii_digit() || first == '-'))
    };
    let class: Vec<_> = (0..head.len()).map(|column| if numeric(column) { " class=\"n\"" } else { "" }).collect();
    let class = |column: usize| class.get(column).copied().unwrap_or("");
    let mut out = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
    for (column, cell) in head.iter().enumerate() {
        out.push_str(&format!("<th scope=\"col\"{}>{}</th>", class(column), escape(cell)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            out.push_str(&format!("<td{}>{}</td>", class(column), escape(cell)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

fn owned<const N: usize>(head: [&str; N]) -> Vec<String> {
    head.map(str::to_owned).into()
}

/// Every ratio, and what it is against.
pub(super) fn ratios(inputs: &[Input]) -> String {
    let mut rows = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        for (name, figure) in input.document.figures.iter().filter(|(name, figure)| pick::is_ratio(name, figure)) {
            let mut row: Vec<_> = pick::meaning(name).into();
            row.extend([figure.median, figure.low, figure.high].map(number));
            row.extend([
                percent(figure.spread),
                figure.samples.len().to_string(),
                format!("{name}, document {}", place + 1),
            ]);
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = owned(["what", "against", "read", "median", "lowest", "highest", "spread", "samples", "figure"]);
    format!(
        "<section>\n<h2>Ratios</h2>\n<p>Both sides of a ratio were measured in turns in one run.</p>\n{}</section>\n",
        table(&head, &rows)
    )
}

/// Each document: what ran, its figures, trials and notes.
pub(super) fn documents(inputs: &[Input]) -> String {
    let mut out = String::new();
    for (place, input) in inputs.iter().enumerate() {
        let document = &input.document;
        let (run, machine) = (&document.run, &document.run.machine);
        out.push_str(&format!(
            "<section>\n<h2>Document {}: sgperf {}</h2>\n<dl>\n{}</dl>\n",
            place + 1,
            escape(&run.command),
            [
                ("File", input.name.clone()),
                ("Arguments", run.arguments.join(" ")),
                ("Began", format!("{}, took {}", utc(run.began_unix_s), quantity(run.took_s, "s"))),
                (
                    "Machine",
                    format!(
                        "{}; {} cores; {} GiB; {}",
                        machine.processor,
                        machine.cores,
                        machine.memory_gib,
                        if machine.virtual_machine { "virtual machine" } else { "no virtual machine" }
                    )
                ),
                ("System", format!("Linux {}", machine.kernel)),
                ("Commit", format!("{}, {} build", machine.commit, machine.build)),
            ]
            .iter()
            .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
            .collect::<String>()
        ));
        out.push_str(&notes(document));
        if !document.figures.is_empty() {
            let rows: Vec<_> = document.figures.iter().map(|(name, figure)| figure_row(name, figure)).collect();
            let head = owned(["figure", "median", "lowest", "highest", "unit", "spread", "samples"]);
            out.push_str(&table(&head, &rows));
            out.push_str(
                "<p class=\"hint\">Spread: half the distance between the quartiles, as a share of the median.</p>\n",
            );
        }
        out.push_str(&model(document));
        out.push_str(&trials(&document.trials));
        out.push_str("</section>\n");
    }
    out
}

/// The equation of a document, with the error of each coefficient.
fn model(document: &Document) -> String {
    let Some(model) = &document.model else { return String::new() };
    let mut out = String::from("<h3>Model</h3>\n");
    let fits = [
        ("CPU time of a worker for a message", Some(&model.worker)),
        ("CPU time of a crypto thread for a signature", model.crypto.as_ref()),
    ];
    for (what, fit) in fits.into_iter().filter_map(|(what, fit)| Some((what, fit?))) {
        let row = |one: &Coefficient| vec![one.name.clone(), number(one.ns), number(one.error), one.meaning.clone()];
        let rows: Vec<_> = fit.coefficients.iter().map(row).collect();
        out.push_str(&format!(
            "<p>{what}, at {} GHz: {} points, {} of them beyond the number of coefficients and knees; scatter {}. Each point against \
             the equation of all others: {}, at worst {}.</p>\n{}",
            number(model.ghz),
            fit.points,
            fit.freedom,
            percent(fit.scatter),
            percent(fit.left_out),
            percent(fit.left_out_worst),
            table(&owned(["term", "ns", "standard error", "meaning"]), &rows)
        ));
    }
    let rows: Vec<_> =
        model.swept.iter().map(|(name, (low, high))| vec![name.clone(), number(*low), number(*high)]).collect();
    out.push_str(&format!("<p>It holds within what was swept:</p>\n{}", table(&owned(["", "from", "to"]), &rows)));
    let items: String = ASSUMPTIONS.iter().map(|one| format!("<li>{}</li>\n", escape(one))).collect();
    out.push_str(&format!("<p>It assumes:</p>\n<ul class=\"notes\">\n{items}</ul>\n"));
    out
}

fn notes(document: &Document) -> String {
    if document.notes.is_empty() {
        return String::new();
    }
    let items: String = document.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
    format!("<h3>Notes</h3>\n<ul class=\"notes\">\n{items}</ul>\n")
}

fn figure_row(name: &str, figure: &Figure) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    row.extend([figure.median, figure.low, figure.high].map(number));
    row.extend([figure.unit.clone(), percent(figure.spread), figure.samples.len().to_string()]);
    row
}

/// All trials, closed; the spoiled ones are named with their plot.
fn trials(trials: &[Trial]) -> String {
    if trials.is_empty() {
        return String::new();
    }
    let head = owned([
        "trial",
        "phase",
        "target /s",
        "offered /s",
        "s",
        "sent",
        "received",
        "came to nothing",
        "lost",
        "twice",
        "out of order",
        "misjudged",
        "50 % µs",
        "99 %",
        "99.9 %",
        "99.99 %",
        "longest",
        "tester: taken away",
        "share",
        "gap µs",
        "gateway: taken away",
        "share",
        "gap µs",
        "spoiled",
    ]);
    let rows: Vec<_> = trials.iter().enumerate().map(|(place, trial)| trial_row(place + 1, trial)).collect();
    format!(
        "<details>\n<summary>All {} trials</summary>\n<p class=\"hint\">Came to nothing: datagrams that had to be \
         refused. Taken away: times that the system took the core from the thread. Share: CPU time over time by the \
         clock. Gap: the longest time between two looks at the queues.</p>\n{}</details>\n",
        trials.len(),
        table(&head, &rows)
    )
}

fn trial_row(place: usize, trial: &Trial) -> Vec<String> {
    let calm = |calm: Option<&Calm>| match calm {
        Some(calm) => [number(calm.switches as f64), percent(calm.share), number(calm.longest_gap_us)],
        None => ["–", "–", "–"].map(str::to_owned),
    };
    let mut row = vec![place.to_string(), trial.phase.clone()];
    row.extend([trial.target_per_s, trial.offered_per_s, trial.seconds].map(number));
    let counts =
        [trial.sent, trial.received, trial.silent, trial.lost, trial.duplicates, trial.misordered, trial.misjudged];
    row.extend(counts.map(|count| number(count as f64)));
    row.extend(trial.latency_us.map(number));
    row.extend(calm(Some(&trial.tester)));
    row.extend(calm(trial.gateway.as_ref()));
    row.push(trial.spoiled.clone().unwrap_or_else(|| "–".to_owned()));
    row
}
