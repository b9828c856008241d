//! Callgrind's profiles: instructions by function.

use std::collections::BTreeMap;

/// Instructions by function, without those of the functions that it called.
pub type Functions = BTreeMap<String, u64>;

/// Reads one part of a profile.
///
/// # Errors
/// A part whose functions do not add up to its own sum: another form than this reads.
/// # Source
/// Valgrind manual, Callgrind format specification: name compression, subposition lines, `calls=` with the inclusive cost on
/// the line below.
pub fn read(text: &str) -> Result<Functions, String> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut functions = Functions::new();
    let (mut current, mut sum, mut called) = (None, None, false);
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")) {
            sum = sum.or(value.trim().parse::<u64>().ok());
        } else if let Some(value) = line.strip_prefix("fn=") {
            current = name(value, &mut names);
        } else if let Some(value) = line.strip_prefix("cfn=") {
            // A name may be given here first and only referred to later.
            name(value, &mut names);
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
            if std::mem::take(&mut called) {
                continue;
            }
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if let (Some(function), Some(cost)) = (current, cost) {
                *functions.entry(plain(function)).or_default() += cost;
            }
        }
    }
    let found: u64 = functions.values().sum();
    match sum {
        Some(sum) if sum == found => Ok(functions),
        sum => Err(format!("a callgrind profile says {sum:?} instructions, its functions have {found}")),
    }
}

/// The name in `(id) name`, or the one that was given with this id before.
fn name<'t>(value: &'t str, names: &mut BTreeMap<&'t str, &'t str>) -> Option<&'t str> {
    let (id, name) = value.split_once(' ').map_or((value, None), |(id, name)| (id, Some(name)));
    match name {
        Some(name) => {
            names.insert(id, name);
            Some(name)
        }
        None => names.get(id).copied(),
    }
}

/// A function's name without what differs between two builds of the same source.
fn plain(function: &str) -> String {
    // Recursion levels of callgrind ('2), and addresses of code without a symbol.
    let function = function.split_once('\'').map_or(function, |(name, level)| {
        if level.chars().all(|digit| digit.is_ascii_digit()) { name } else { function }
    });
    if function.starts_with("0x") { "(without a name)".to_owned() } else { function.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "\
# callgrind format
version: 1
positions: line
events: Ir
summary: 60

fl=(1) a.rs
fn=(1) one
3 10
+2 5
cfi=(2) b.rs
cfn=(2) two<A, B>
calls=3 7
* 40
-1 5

fl=(2)
fn=(2)
7 30
fn=(3) two<A, B>'2
7 10
";

    #[test]
    fn costs_of_calls_are_those_of_the_called() {
        let functions = read(PART).expect("it is well-formed");
        assert_eq!(functions, [("one".to_owned(), 20), ("two<A, B>".to_owned(), 40)].into());
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        assert!(read(&PART.replace("-1 5", "-1 6")).is_err());
        assert!(read("fn=(1) one\n3 10\n").is_err(), "no sum");
    }
}
