//! What is wrong with a profile, and what to do about it.

use std::fmt;

/// One thing that is wrong with a profile file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the name of a built-in profile.
    pub file: String,
    /// Counted from 1; 0 where no line is to blame.
    pub line: usize,
    /// Its keys from the outside in, as `judgement.forged`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, key, message, remedy } = self;
        write!(f, "{file}:")?;
        if *line > 0 {
            write!(f, "{line}:")?;
        }
        if !key.is_empty() {
            write!(f, " {key}:")?;
        }
        write!(f, " {message}; {remedy}")
    }
}

impl std::error::Error for Fault {}

/// The line on which a key stands, from 1; that of the innermost key that is found, or 0.
///
/// * `key`: as [`Fault::key`]
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let mut found = 0;
    let mut lines = text.lines().enumerate().peekable();
    'keys: for part in key.split('.') {
        while let Some((number, line)) = lines.peek() {
            if has_key(line, part) {
                found = number + 1;
                continue 'keys; // the next key may stand on the same line: {share: 0.1}
            }
            lines.next();
        }
        break;
    }
    found
}

/// The last line on which a key stands, from 1; 0 if none.
pub(super) fn last_line_of(text: &str, key: &str) -> usize {
    text.lines().enumerate().filter(|(_, line)| has_key(line, key)).last().map_or(0, |(number, _)| number + 1)
}

/// Whether a line has this key outside of a comment.
fn has_key(line: &str, key: &str) -> bool {
    let line = line.split('#').next().unwrap_or("");
    line.match_indices(key).any(|(at, _)| {
        let before = line.get(..at).and_then(|front| front.chars().next_back());
        let behind = line.get(at + key.len()..).unwrap_or("").trim_start();
        before.is_none_or(|c| matches!(c, ' ' | '{' | ',' | '"' | '\''))
            && behind.trim_start_matches(['"', '\'']).starts_with(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "# peers: 1\npeers: 3\njudgement:\n  signed: 1\noperations: {mt-forwardSM: 1, purgeMS: 0}\n";
        for (key, line) in
            [("peers", 2), ("judgement.signed", 4), ("operations.purgeMS", 5), ("judgement.forged", 3), ("seed", 0)]
        {
            assert_eq!(line_of(text, key), line, "{key}");
        }
    }
}
