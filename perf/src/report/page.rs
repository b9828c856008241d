//! The page as a whole.

use super::headline::{Tile, tiles};
use super::plots::{About, Plot};
use super::sections::{self, table};
use super::svg;
use super::text::{address, escape, utc};
use super::{Input, png};

const STYLE: &str = include_str!("page.css");
const DARK: &str = include_str!("dark.css");

pub(super) fn html(inputs: &[Input], plots: &[Plot], warnings: &[String]) -> String {
    let mut page = String::with_capacity(1 << 16);
    page.push_str(&head(inputs));
    page.push_str(&answers(&tiles(inputs)));
    if !warnings.is_empty() {
        let items: String = warnings.iter().map(|warning| format!("<li>{}</li>\n", escape(warning))).collect();
        page.push_str(&format!(
            "<section class=\"doubt\" aria-label=\"What to doubt\">\n<h2>Read this first</h2>\n<ul>\n{items}</ul>\n</section>\n"
        ));
    }
    page.push_str("<div class=\"plots\">\n");
    for plot in plots {
        page.push_str(&figure(plot, inputs.len()));
    }
    page.push_str("</div>\n");
    page.push_str(&sections::ratios(inputs));
    page.push_str(&sections::documents(inputs));
    page.push_str(&files(inputs, plots));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn head(inputs: &[Input]) -> String {
    let light = svg::LIGHT;
    let mut when: Vec<_> = inputs.iter().map(|input| input.document.run.began_unix_s).collect();
    when.sort_unstable();
    let first = when.first().copied().map(utc).unwrap_or_default();
    let last = when.last().copied().map(utc).filter(|last| *last != first);
    let span = last.map_or_else(|| first.clone(), |last| format!("{first} to {last}"));
    // Nothing runs, nothing is fetched: what a document says cannot do more than be read.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Sealgate: what it costs</title>\n<style>\n:root {{\n{light}}}\n\
         @media (prefers-color-scheme: dark) {{ @media not print {{ :root {{\n{DARK}}} }} }}\n{}{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<header>\n<h1>Sealgate: what it costs</h1>\n<p>Measured {}</p>\n</header>\n",
        svg::STYLE,
        escape(&span)
    )
}

fn answers(tiles: &[Tile]) -> String {
    let tile = |tile: &Tile| {
        let answer = match &tile.answer {
            Some(answer) if answer.chars().count() > 14 => format!("<p class=\"name\">{}</p>", escape(answer)),
            Some(answer) => format!("<p class=\"answer\">{}</p>", escape(answer)),
            None => "<p class=\"none\">not measured in these documents</p>".to_owned(),
        };
        let line = |(name, value): &(String, String)| match value.as_str() {
            "" => format!("<li>{}</li>\n", escape(name)),
            value => format!("<li><span>{}</span> <b>{}</b></li>\n", escape(name), escape(value)),
        };
        let lines: String = tile.lines.iter().map(line).collect();
        let lines = if lines.is_empty() { lines } else { format!("<ul>\n{lines}</ul>\n") };
        format!("<div class=\"tile\">\n<h2>{}</h2>\n{answer}\n{lines}</div>\n", escape(tile.question))
    };
    format!(
        "<section class=\"tiles\" aria-label=\"In short\">\n{}</section>\n",
        tiles.iter().map(tile).collect::<String>()
    )
}

fn figure(plot: &Plot, documents: usize) -> String {
    let from: Vec<_> = plot.from.iter().map(|place| (place + 1).to_string()).collect();
    let from = match from.len() {
        _ if documents < 2 => String::new(),
        1 => format!("From document {}.", from.concat()),
        _ => format!("From documents {}.", from.join(", ")),
    };
    // Why a trial was spoiled stands open: nobody has to look for it.
    let open = if plot.about == About::Trials { " open" } else { "" };
    let rows = if plot.rows.is_empty() {
        String::new()
    } else {
        let name = if plot.about == About::Trials { "Spoiled trials" } else { "Numbers" };
        format!("<details{open}>\n<summary>{name}</summary>\n{}</details>\n", table(&plot.head, &plot.rows))
    };
    let file = |kind: &str| address(&["plots", &format!("{}.{kind}", plot.id)]);
    format!(
        "<figure id=\"{}\">\n<h2>{}</h2>\n<div class=\"scroll\">{}</div>\n<figcaption>{} {} \
         <span class=\"get\">\
         <a href=\"{}\">SVG</a> <a href=\"{}\">PNG</a></span></figcaption>\n{rows}</figure>\n",
        escape(&plot.id),
        escape(&plot.title),
        plot.svg.inline(&plot.title),
        escape(&plot.caption),
        from,
        file("svg"),
        file("png")
    )
}

fn files(inputs: &[Input], plots: &[Plot]) -> String {
    let mut items = String::new();
    for (place, input) in inputs.iter().enumerate() {
        let folder = (place + 1).to_string();
        for name in std::iter::once(&input.name).chain(input.histograms.iter().map(|(name, _)| name)) {
            let link = address(&["raw", &folder, name]);
            items.push_str(&format!("<li><a href=\"{link}\">raw/{folder}/{}</a></li>\n", escape(name)));
        }
    }
    format!(
        "<section>\n<h2>Files</h2>\n<p>The documents as sgperf printed them, and the whole histograms in HdrHistogram's \
         interval log format. {} plots lie in <code>plots/</code>, each as SVG and as PNG of {} pixels for each of its \
         own.</p>\n<ul class=\"files\">\n{items}</ul>\n</section>\n",
        plots.len(),
        png::SCALE
    )
}
