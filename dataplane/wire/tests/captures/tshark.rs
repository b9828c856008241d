//! What tshark 4.0.17 reads in each frame, the `.tshark.tsv.gz` beside each capture; and how two readings are compared.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::ledger::Difference;

/// Fields of a frame that are there, each with its values.
pub type Fields = BTreeMap<&'static str, String>;

/// One frame in the table.
pub struct Line<'a> {
    columns: &'a HashMap<&'a str, usize>,
    values: Vec<&'a str>,
}

impl Line<'_> {
    /// The values of a column; empty if it has none.
    pub fn get(&self, name: &str) -> &str {
        self.columns.get(name).and_then(|at| self.values.get(*at)).copied().unwrap_or_default()
    }

    /// Whether it found this protocol.
    pub fn has(&self, protocol: &str) -> bool {
        self.get("frame.protocols").split(':').any(|other| other == protocol)
    }

    /// Those of these columns that have a value, where they are wanted.
    pub fn fields(&self, names: &[&'static str], wanted: bool) -> Fields {
        let used = names.iter().filter(|name| wanted && !self.get(name).is_empty());
        used.map(|name| (*name, self.get(name).to_owned())).collect()
    }

    /// Whether it calls it malformed.
    pub fn malformed(&self) -> bool {
        !self.get("_ws.malformed").is_empty()
    }
}

/// The table of a capture; `None` if it has none.
pub fn rows<R>(capture: &Path, row: impl Fn(&Line<'_>) -> R) -> Option<Vec<R>> {
    let mut name = capture.as_os_str().to_owned();
    name.push(".tshark.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(name).ok()?).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let columns: HashMap<_, _> = lines.next()?.split('\t').enumerate().map(|(at, name)| (name, at)).collect();
    Some(lines.map(|line| row(&Line { columns: &columns, values: line.split('\t').collect() })).collect())
}

/// Every capture of the folder that has such a name, in the order of names.
pub fn captures(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let list = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = list(folder.into()).chain(list(folder.join("synthetic")));
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy()));
    let ends = |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap");
    let mut files: Vec<_> = all.filter(|path| ends(path) && named(path)).collect();
    files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    files
}

/// What came of comparing the readings of a capture.
#[derive(Default)]
pub struct Comparison {
    pub compared: usize,
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// A field of a frame that we read otherwise.
    pub fn differ(&mut self, frame: usize, field: &'static str, ours: impl Into<String>, theirs: impl Into<String>) {
        self.differences.push(Difference { frame, field, ours: ours.into(), theirs: theirs.into() });
    }

    /// A message that tshark reads and strict decoding refuses.
    pub fn refused(&mut self, frame: usize, refusals: impl Debug, theirs: impl Debug) {
        self.differ(frame, "refused", format!("{refusals:?}"), format!("{theirs:?}"));
    }

    /// All fields that one of the two has.
    pub fn fields(&mut self, frame: usize, ours: &Fields, theirs: &Fields) {
        let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for field in names {
            self.compared += 1;
            let text = |fields: &Fields| fields.get(field).cloned().unwrap_or_default();
            let (ours, theirs) = (text(ours), text(theirs));
            if ours != theirs {
                self.differ(frame, field, ours, theirs);
            }
        }
    }

    /// How many fields are the same.
    pub fn agreed(&self) -> usize {
        self.compared - self.differences.len().min(self.compared)
    }
}
