//! What is wrong with a file: every fault with its place, what it is, and what to do about it.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::raw::Mark;

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The file as it was named by who asked to load it.
    pub file: String,
    /// Line, from 1; 0: the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0: the file as a whole.
    pub column: usize,
    /// The key and all above it, `peers.A.gt[0]`; empty: the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}; {}", self.message, self.remedy)
    }
}

/// All faults of a load, by file in the order read, then by line; of more than 1000, how many more. Never empty.
///
/// Displays as one line a fault; a refused core map follows as a table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    core_map: Option<String>,
}

impl Faults {
    /// The faults.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True if there is none; a load never returns that.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The core map that was refused, a line a core; `None` if the cores are not at fault.
    pub fn core_map(&self) -> Option<&str> {
        self.core_map.as_deref()
    }

    /// These faults, then those of another file.
    pub(crate) fn and(mut self, other: Faults) -> Faults {
        self.list.extend(other.list);
        self.core_map = self.core_map.or(other.core_map);
        self
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.list.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        match &self.core_map {
            Some(map) => write!(f, "\n\ncore map refused:\n{map}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Faults {}

/// Where faults are gathered while a file is read.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    list: RefCell<Vec<Fault>>,
    core_map: RefCell<Option<String>>,
    /// Faults beyond [`MOST_FAULTS`].
    more: Cell<usize>,
    /// Faults of files that this one names.
    others: RefCell<Vec<Fault>>,
}

/// Faults that are kept. A megabyte of anything else than YAML of ours would make a hundred megabytes of them.
const MOST_FAULTS: usize = 1000;

impl Report {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            list: RefCell::default(),
            core_map: RefCell::default(),
            more: Cell::new(0),
            others: RefCell::default(),
        }
    }

    /// Adds a fault. `at: None` is the file as a whole.
    pub(crate) fn add(&self, at: Option<Mark>, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        if self.list.borrow().len() >= MOST_FAULTS {
            self.more.set(self.more.get() + 1);
            return;
        }
        self.list.borrow_mut().push(Fault {
            file: self.file.clone(),
            line: at.map_or(0, |at| at.line),
            column: at.map_or(0, |at| at.column),
            path: one_line(path.to_owned()),
            message: one_line(message.into()),
            remedy: one_line(remedy.into()),
        });
    }

    pub(crate) fn refuse_cores(&self, map: String) {
        self.core_map.replace(Some(map));
    }

    /// Adds all that is wrong with a file that this one names.
    pub(crate) fn absorb(&self, faults: Faults) {
        self.others.borrow_mut().extend(faults.list);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.list.borrow().is_empty() && self.others.borrow().is_empty()
    }

    pub(crate) fn into_faults(self) -> Faults {
        let mut list = self.list.into_inner();
        list.sort_by_key(|fault| (fault.line, fault.column));
        if self.more.get() > 0 {
            let message = format!("{} more faults are not shown", self.more.get());
            let remedy = "mend those above and check again".to_owned();
            list.push(Fault { file: self.file, line: 0, column: 0, path: String::new(), message, remedy });
        }
        list.extend(self.others.into_inner());
        Faults { list, core_map: self.core_map.into_inner() }
    }
}

/// `text` fit for a line of a terminal: what stands in a file may be a megabyte, or move the cursor.
fn one_line(text: String) -> String {
    const MOST: usize = 400;
    if text.len() <= MOST && !text.chars().any(char::is_control) {
        return text;
    }
    let mut line = String::new();
    for c in text.chars() {
        if line.len() >= MOST {
            line.push_str("...");
            break;
        }
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { list: vec![fault], core_map: None }
    }
}
