//! A report for people: one page that needs no network, its plots as files, and what was measured beside it.
//!
//! The page shows what the documents say and nothing else. All of their text is shown as text: a file name or a note
//! cannot become markup, and the page forbids scripts and anything from elsewhere.

mod axis;
mod bars;
mod chart;
mod folder;
mod headline;
mod page;
mod pick;
mod plots;
mod png;
mod sections;
mod svg;
mod text;
mod trials;

use std::error::Error;
use std::fs;
use std::path::{Component, Path, PathBuf};

use self::folder::Folder;
use self::png::Painter;
pub use self::png::SCALE;
use crate::record::Document;

/// A document, and what lies beside it.
pub(crate) struct Input {
    /// Name of its file.
    name: String,
    document: Document,
    octets: Vec<u8>,
    /// Histograms that it names.
    histograms: Vec<(String, Vec<u8>)>,
    /// Histograms that it names and that are not there, and why.
    missing: Vec<String>,
}

impl Input {
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let document = Document::read(path)?;
        let octets = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_name().map_or_else(|| "document.json".to_owned(), |name| name.display().to_string());
        // The list of files has a line each.
        let name = name.replace(char::is_control, "_");
        let (mut histograms, mut missing) = (Vec::new(), Vec::new());
        for file in document.latencies.iter().filter_map(|latency| latency.file.as_deref()) {
            if histograms.iter().any(|(known, _)| known == file) {
                continue;
            }
            match histogram(path, file) {
                Ok(octets) => histograms.push((file.to_owned(), octets)),
                Err(why) => missing.push(format!("{file}: {why}")),
            }
        }
        Ok(Self { name, document, octets, histograms, missing })
    }
}

/// A document may come from anybody: what it names is a file beside it, and no other.
fn histogram(document: &Path, file: &str) -> Result<Vec<u8>, String> {
    let mut parts = Path::new(file).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !plain || file.contains(char::is_control) {
        return Err("not a name of a file beside the document; it was not copied".to_owned());
    }
    let path = document.parent().unwrap_or(Path::new("")).join(file);
    match fs::symlink_metadata(&path) {
        Ok(about) if about.is_file() => fs::read(&path).map_err(|error| error.to_string()),
        Ok(_) => Err("not a plain file; it was not copied".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// Number of plots.
    pub plots: usize,
    /// Number of files.
    pub files: usize,
    /// What a reader is told that the documents do not say themselves.
    pub warnings: Vec<String>,
}

/// Writes the report of some documents into a folder.
///
/// * `folder`: made if it is not there, cleared of an earlier report if that is all it holds
/// * `force`: write where other files are; but overwrite only files of the same name
/// * `progress`: told of each file, how many are written of how many
/// # Errors
/// No document, a file that is none, or a folder that may not be written to.
pub fn write(
    documents: &[PathBuf],
    folder: &Path,
    force: bool,
    mut progress: impl FnMut(usize, usize),
) -> Result<Written, Box<dyn Error>> {
    if documents.is_empty() {
        return Err("no document given; make one with --json, for example sgperf loop --json > loop.json".into());
    }
    // All is read before anything is removed: the documents may lie in an earlier report's folder.
    let inputs = documents.iter().map(|path| Input::read(path)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<_> = inputs.iter().map(|input| &input.document).collect();
    let plots = plots::all(&all);
    let warnings = headline::warnings(&inputs);
    let mut out = Folder::open(folder, force)?;
    let painter = Painter::new();
    for (done, plot) in plots.iter().enumerate() {
        progress(done, plots.len());
        let svg = plot.svg.file(&plot.title, &plots::source(plot, &all));
        out.write(&format!("plots/{}.svg", plot.id), svg.as_bytes())?;
        out.write(&format!("plots/{}.png", plot.id), &painter.paint(&svg, plot.svg.size())?)?;
    }
    for (place, input) in inputs.iter().enumerate() {
        // A folder each: names keep what they say, and a document still finds its histograms.
        out.write(&format!("raw/{}/{}", place + 1, input.name), &input.octets)?;
        for (name, octets) in &input.histograms {
            out.write(&format!("raw/{}/{name}", place + 1), octets)?;
        }
    }
    out.write("index.html", page::html(&inputs, &plots, &warnings).as_bytes())?;
    let files = out.finish()?;
    progress(plots.len(), plots.len());
    Ok(Written { page: folder.join("index.html"), plots: plots.len(), files: files.len(), warnings })
}
