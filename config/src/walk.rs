//! Asking a tree for what a configuration must have: each question that is not answered well leaves a fault.
//!
//! A question returns `None` after it reported why, so callers go on with a stand-in and find the next fault too.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::ops::RangeInclusive;

use serde_yaml::Value;

use crate::fault::Report;
use crate::names;
use crate::raw::{Body, Entry, Mark, Node, Scalar};

/// A value, where it stands, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    report: &'a Report,
    node: &'a Node,
    at: Mark,
    path: String,
    /// Whether its key must be there.
    required: bool,
}

impl<'a> Item<'a> {
    pub(crate) fn root(node: &'a Node, report: &'a Report) -> Self {
        Self { report, node, at: node.at, path: String::new(), required: true }
    }

    pub(crate) fn report(&self) -> &'a Report {
        self.report
    }

    pub(crate) fn line(&self) -> usize {
        self.at.line
    }

    /// Reports a fault of this value.
    pub(crate) fn fault(&self, message: impl Into<String>, remedy: impl Into<String>) {
        self.report.add(Some(self.at), &self.path, message, remedy);
    }

    /// The value as it is shown in a fault.
    pub(crate) fn shown(&self) -> String {
        match &self.node.body {
            Body::Scalar(Scalar { text, plain: true, value }) if !value.is_string() => text.clone(),
            Body::Scalar(scalar) => format!("{:?}", scalar.text),
            Body::List(_) => "a list".to_owned(),
            Body::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The scalar, or a fault that says what was wanted.
    fn scalar(&self, wanted: &str) -> Option<&'a Scalar> {
        match &self.node.body {
            Body::Scalar(scalar) => Some(scalar),
            _ => {
                self.fault(format!("{} is not {wanted}", self.shown()), format!("give {wanted}"));
                None
            }
        }
    }

    /// The characters of a scalar, quoted or not, numbers too: for values whose form tells them from numbers.
    pub(crate) fn written(&self, wanted: &str) -> Option<&'a str> {
        self.scalar(wanted).map(|scalar| scalar.text.as_str())
    }

    /// Text. What YAML takes for a number or a truth value must be in quotes.
    pub(crate) fn text(&self, wanted: &str) -> Option<&'a str> {
        let scalar = self.scalar(wanted)?;
        if !scalar.value.is_string() {
            self.fault(format!("{} is not text for YAML", scalar.text), quote(&scalar.text));
            return None;
        }
        if scalar.text.is_empty() || scalar.text.chars().any(char::is_control) {
            self.fault(format!("{} is not {wanted}", self.shown()), format!("give {wanted}"));
            return None;
        }
        Some(&scalar.text)
    }

    /// Text that must be in quotes because unquoted digits are a number, which loses its leading zeros.
    pub(crate) fn quoted(&self, wanted: &str) -> Option<&'a str> {
        let scalar = self.scalar(wanted)?;
        let number = scalar.plain && (!scalar.value.is_string() || scalar.text.bytes().all(|b| b.is_ascii_digit()));
        if number {
            self.fault(format!("{} is a number, not {wanted}", scalar.text), quote(&scalar.text));
            return None;
        }
        Some(&scalar.text)
    }

    /// One of `words`; `kind` with its article, as in "a mode".
    pub(crate) fn word<T: Copy>(&self, kind: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.written(kind)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = names::hint(text, known.iter().copied());
        self.fault(format!("{text:?} is not {kind}{hint}"), format!("use {}", names::either(&known)));
        None
    }

    /// Yes or no.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self.written("yes or no")? {
            "yes" | "true" | "on" => Some(true),
            "no" | "false" | "off" => Some(false),
            other => {
                self.fault(format!("{other:?} is neither yes nor no"), "use yes or no");
                None
            }
        }
    }

    /// A whole number in `range`; `unit` as in "octets", or empty.
    pub(crate) fn number(&self, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let scalar = self.scalar("a whole number")?;
        let space = if unit.is_empty() { "" } else { " " };
        let wanted = format!("give {} to {}{space}{unit}", range.start(), range.end());
        match &scalar.value {
            Value::Number(number) => match number.as_u64() {
                Some(number) if range.contains(&number) => return Some(number),
                _ => self.fault(format!("{} is out of range", scalar.text), wanted),
            },
            _ if scalar.text.parse::<u64>().is_ok() && !scalar.plain => {
                self.fault(format!("{:?} is text, not a number", scalar.text), "take the quotes away");
            }
            _ if scalar.text.parse::<u64>().is_ok() => {
                self.fault(format!("{} has leading zeros", scalar.text), "write the number without them");
            }
            _ => self.fault(format!("{:?} is not a whole number", scalar.text), wanted),
        }
        None
    }

    /// A power of two in `range`.
    pub(crate) fn power_of_two(&self, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let number = self.number(range.clone(), unit)?;
        if number.is_power_of_two() {
            return Some(number);
        }
        let above = number.next_power_of_two();
        let near: Vec<String> = [above / 2, above].iter().filter(|n| range.contains(n)).map(u64::to_string).collect();
        self.fault(format!("{number} is not a power of two"), format!("use {}", names::either(&near)));
        None
    }

    /// The items of a list that must not be empty; `example` is one item.
    pub(crate) fn list(&self, example: &str) -> Vec<Item<'a>> {
        let items = self.list_or_none(example);
        if matches!(&self.node.body, Body::List(items) if items.is_empty()) {
            let or = if self.required { "" } else { ", or leave the key out" };
            self.fault("the list is empty", format!("give at least one, as [{example}]{or}"));
        }
        items
    }

    /// How many items a list has; none of what is no list.
    pub(crate) fn len(&self) -> usize {
        if let Body::List(items) = &self.node.body { items.len() } else { 0 }
    }

    /// The items of a list that may be empty.
    pub(crate) fn list_or_none(&self, example: &str) -> Vec<Item<'a>> {
        let Body::List(nodes) = &self.node.body else {
            let remedy = match &self.node.body {
                Body::Scalar(_) => format!("put it in brackets: [{}]", self.shown()),
                _ => format!("give a list, as [{example}]"),
            };
            self.fault(format!("{} is not a list", self.shown()), remedy);
            return Vec::new();
        };
        let item = |(i, node): (usize, &'a Node)| Item {
            report: self.report,
            node,
            at: node.at,
            path: format!("{}[{i}]", self.path),
            required: true,
        };
        nodes.iter().enumerate().map(item).collect()
    }

    /// The values of a list that must not be empty, each read by `read`, each at most once.
    pub(crate) fn set<T: Eq + Hash + Clone>(&self, example: &str, read: impl Fn(&Item<'a>) -> Option<T>) -> Vec<T> {
        once(self.list(example).into_iter().filter_map(|item| Some((read(&item)?, item))).collect())
    }

    /// The names and values of a mapping whose keys the operator chooses; `kind` as in "link".
    pub(crate) fn named(&self, kind: &str) -> Vec<(String, Item<'a>)> {
        let section = Section::open(self);
        let mut seen: Vec<(String, Item<'a>)> = Vec::new();
        for entry in section.entries {
            let item = section.item_of(entry);
            let good = (1..=32).contains(&entry.key.len())
                && entry.key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if !good {
                let remedy = "use 1 to 32 letters, digits, - _ or .";
                self.report.add(Some(entry.at), &self.path, format!("{:?} cannot name a {kind}", entry.key), remedy);
            } else {
                seen.push((entry.key.clone(), item));
            }
        }
        section.report_repeats();
        if section.entries.is_empty() && section.is_map {
            self.fault("the mapping is empty", format!("name at least one {kind}"));
        }
        seen
    }
}

fn quote(text: &str) -> String {
    format!("put it in quotes: \"{text}\"")
}

/// Keeps the values and reports those that stand twice.
pub(crate) fn once<T: Eq + Hash + Clone>(values: Vec<(T, Item<'_>)>) -> Vec<T> {
    let mut lines = HashMap::with_capacity(values.len());
    let mut kept = Vec::with_capacity(values.len());
    for (value, item) in values {
        match lines.get(&value) {
            Some(first) => item.fault(format!("{} stands here twice", item.shown()), twice(first)),
            None => {
                lines.insert(value.clone(), item.line());
                kept.push(value);
            }
        }
    }
    kept
}

/// The remedy for what is given twice.
pub(crate) fn twice(first: impl Display) -> String {
    format!("keep one; the first is on line {first}")
}

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    item: Item<'a>,
    entries: &'a [Entry],
    is_map: bool,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(crate) fn open(item: &Item<'a>) -> Self {
        let (entries, is_map): (&[Entry], bool) = match &item.node.body {
            Body::Map(entries) => (entries, true),
            _ => {
                item.fault(format!("{} is not a mapping", item.shown()), "give keys and values, as key: value");
                (&[], false)
            }
        };
        Self { item: item.clone(), entries, is_map, known: Vec::new() }
    }

    fn item_of(&self, entry: &'a Entry) -> Item<'a> {
        // A block begins on the line after its key; what is meant is the key.
        let at = match &entry.value.body {
            Body::Scalar(scalar) if !scalar.value.is_null() => entry.value.at,
            _ => entry.at,
        };
        Item { report: self.item.report, node: &entry.value, at, path: self.path_of(&entry.key), required: false }
    }

    fn path_of(&self, key: &str) -> String {
        if self.item.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.item.path) }
    }

    /// The value of a key that may be left out, and the word null too.
    pub(crate) fn get_or_null(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        Some(self.item_of(self.entries.iter().find(|entry| entry.key == key)?))
    }

    /// The value of a key that may be left out.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        let item = self.get_or_null(key)?;
        if matches!(&item.node.body, Body::Scalar(scalar) if scalar.value.is_null()) {
            item.fault("no value", "give one, or take the key out");
            return None;
        }
        Some(item)
    }

    /// The value of a key that must be there; `example` shows it.
    pub(crate) fn need(&mut self, key: &'static str, example: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() && !self.entries.iter().any(|entry| entry.key == key) {
            self.missing(key, example);
        }
        item.map(|item| Item { required: true, ..item })
    }

    /// Reports that a key is not there.
    pub(crate) fn missing(&self, key: &str, example: &str) {
        if self.is_map {
            let at = Some(self.item.at);
            self.item.report.add(at, &self.path_of(key), "missing", format!("give it, as {key}: {example}"));
        }
    }

    /// Reports every key that nobody asked for, and every key that stands twice.
    pub(crate) fn close(self) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let hint = names::hint(&entry.key, self.known.iter().copied());
            let remedy = format!("known here: {}", self.known.join(", "));
            self.item.report.add(Some(entry.at), &self.path_of(&entry.key), format!("unknown key{hint}"), remedy);
        }
        self.report_repeats();
    }

    fn report_repeats(&self) {
        let mut first = HashMap::new();
        for entry in self.entries {
            match first.get(entry.key.as_str()) {
                Some(line) => {
                    let path = self.path_of(&entry.key);
                    self.item.report.add(Some(entry.at), &path, "the key stands here twice", twice(line));
                }
                None => {
                    first.insert(entry.key.as_str(), entry.at.line);
                }
            }
        }
    }
}
