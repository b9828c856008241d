//! Counts on file, so that a change of cost is a line in a diff.

use std::fmt::Write as _;
use std::path::Path;

use indexmap::IndexMap;

/// Functions below this share of their case are not written down.
const SHARE: f64 = 0.01;

/// Instructions of one unit of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Count {
    /// All of them.
    pub whole: f64,
    /// By function, without those of the functions that it called.
    pub functions: IndexMap<String, f64>,
}

/// What was counted, and with what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Compiler, valgrind, processor: where one of them differs, counts cannot be compared.
    pub with: Vec<String>,
    /// By case, in the order in which they ran.
    pub cases: IndexMap<String, Count>,
}

const HEAD: &str = "\
# Instructions per message, frame or turn: a case, then its functions by their own cost.
# Written by scripts/icount --accept; scripts/icount compares with it.
";

impl Counts {
    /// As text: lines of a name, a tab and a number; functions stand below their case, behind a tab.
    pub fn write(&self) -> String {
        let mut text = HEAD.to_owned();
        for with in &self.with {
            let _ = writeln!(text, "#: {with}");
        }
        for (case, count) in &self.cases {
            let _ = writeln!(text, "{case}\t{:.1}", count.whole);
            let mut functions: Vec<_> = count.functions.iter().filter(|one| *one.1 >= SHARE * count.whole).collect();
            // Dearest first; equals by name, so that the same counts are the same text.
            functions.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
            for (function, own) in functions {
                let _ = writeln!(text, "\t{function}\t{own:.1}");
            }
        }
        text
    }

    /// # Errors
    /// A line that is none of [`Counts::write`], with its number.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut counts = Self::default();
        for (number, line) in text.lines().enumerate() {
            let fault = || format!("line {}: expected a name, a tab and a number, found {line:?}", number + 1);
            if let Some(with) = line.strip_prefix("#: ") {
                counts.with.push(with.to_owned());
                continue;
            }
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let (name, value) = line.rsplit_once('\t').ok_or_else(fault)?;
            let value: f64 = value.parse().map_err(|_| fault())?;
            match name.strip_prefix('\t') {
                Some(function) => {
                    let (_, count) = counts.cases.last_mut().ok_or_else(fault)?;
                    count.functions.insert(function.to_owned(), value);
                }
                None => {
                    counts.cases.insert(name.to_owned(), Count { whole: value, functions: IndexMap::new() });
                }
            }
        }
        Ok(counts)
    }

    /// # Errors
    /// A file that cannot be read, or is no baseline.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}; scripts/icount --accept writes it", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let functions = [("a<B, C>".to_owned(), 10.5), ("d".to_owned(), 80.0), ("small".to_owned(), 0.9)];
        let count = Count { whole: 100.0, functions: functions.into_iter().collect() };
        let counts =
            Counts { with: vec!["rustc 1".to_owned()], cases: [("x/y".to_owned(), count)].into_iter().collect() };
        let text = counts.write();
        assert!(text.ends_with("#: rustc 1\nx/y\t100.0\n\td\t80.0\n\ta<B, C>\t10.5\n"), "{text}");
        let read = Counts::parse(&text).expect("it was written by us");
        assert_eq!(read.write(), text);
        assert_eq!((read.with.len(), read.cases["x/y"].functions.len()), (1, 2), "{read:?}");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, line) in [("x/y 100\n", "line 1"), ("# c\nx\tmany\n", "line 2"), ("\tf\t1\n", "line 1")] {
            let fault = Counts::parse(text).expect_err(text);
            assert!(fault.starts_with(line), "{fault}");
        }
    }
}
