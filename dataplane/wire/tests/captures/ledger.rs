//! Where we and tshark 4.0.17 read otherwise, against the list of such places that have a cause.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Disagreements of one cause in one capture.
pub struct Known {
    pub file: &'static str,
    /// First and last frame, from 1.
    pub frames: (usize, usize),
    /// Name of the field, or its beginning; empty for all.
    pub field: &'static str,
    /// How many fields of frames there disagree: one more or one less is news.
    pub count: usize,
    pub cause: &'static str,
}

pub const fn known(
    file: &'static str,
    frames: (usize, usize),
    field: &'static str,
    count: usize,
    cause: &'static str,
) -> Known {
    Known { file, frames, field, count, cause }
}

impl Known {
    fn covers(&self, name: &str, difference: &Difference) -> bool {
        self.file == name
            && (self.frames.0..=self.frames.1).contains(&difference.frame)
            && difference.field.starts_with(self.field)
    }
}

/// One field of one frame that we read otherwise.
pub struct Difference {
    pub frame: usize,
    pub field: &'static str,
    pub ours: String,
    pub theirs: String,
}

/// What is not as the list has it.
pub struct Ledger {
    list: &'static [Known],
    hits: Vec<usize>,
    done: BTreeSet<String>,
    red: Vec<String>,
}

impl Ledger {
    pub fn new(list: &'static [Known]) -> Self {
        Self { list, hits: vec![0; list.len()], done: BTreeSet::new(), red: Vec::new() }
    }

    /// A capture that could not be compared.
    pub fn unread(&mut self, name: &str) {
        self.red.push(format!("{name}: cannot be read"));
    }

    /// A capture that was compared.
    pub fn enter(&mut self, name: &str, differences: &[Difference]) {
        for difference in differences {
            match self.list.iter().position(|known| known.covers(name, difference)) {
                Some(i) => self.hits[i] += 1,
                None => {
                    let Difference { frame, field, ours, theirs } = difference;
                    self.red.push(format!("{name} frame {frame} {field}: ours {ours:?}, tshark {theirs:?}"));
                }
            }
        }
        self.done.insert(name.to_owned());
    }

    /// Fails at a difference that is not in the list, and at one in it that is gone; returns how many captures were compared.
    pub fn close(mut self) -> usize {
        for (known, hits) in self.list.iter().zip(self.hits) {
            let Known { file, frames, field, count, cause } = known;
            if self.done.contains(*file) && hits != *count {
                self.red.push(format!("{file} frames {frames:?} {field:?}: {count} listed, {hits} seen ({cause})"));
            }
        }
        let red = self.red;
        assert!(red.is_empty(), "{} disagreements that the list does not know:\n{}", red.len(), red.join("\n"));
        self.done.len()
    }
}

/// The folder of captures: what `SEALGATE_CAPTURES` names, which must be there, or `shared/captures` beside the repository.
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SEALGATE_CAPTURES").map(PathBuf::from) {
        assert!(named.is_dir(), "SEALGATE_CAPTURES: {} is no folder", named.display());
        return Some(named);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if beside.is_dir() {
        return Some(beside);
    }
    println!("captures: {} not found, nothing compared", beside.display());
    None
}
