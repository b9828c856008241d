//! YAML as it stands in the file: values with their places, before anybody asks what they mean.
//!
//! serde_yaml says what a scalar is, but not where it stands, and gives up at the first fault. So saphyr-parser gives
//! structure and places, serde_yaml the values; [`agrees`] holds the two against each other at the end, since a file
//! that two readers understand differently is not one to run a gateway on.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_yaml::{Mapping, Value};

use crate::fault::Report;

/// The largest file that is read, octets: two million prefixes.
pub(crate) const MAX_FILE: usize = 32 * 1024 * 1024;
/// How deep lists and mappings may nest. Our own files need six levels.
const MAX_DEPTH: usize = 16;
/// Values that aliases may repeat in all. A few lines of aliases of aliases would otherwise fill the memory.
const MAX_ALIASED: usize = 10_000;

/// A place in the file, both from 1, in lines and characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    fn of(span: Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Mark,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    /// The characters, without quotes.
    pub(crate) text: String,
    /// True without quotes: then the characters say whether it is a number, a word or nothing.
    pub(crate) plain: bool,
    /// What serde_yaml takes it for.
    pub(crate) value: Value,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Mark,
    pub(crate) value: Node,
}

impl Node {
    /// How many values it is made of, itself included.
    fn size(&self) -> usize {
        1 + match &self.body {
            Body::Scalar(_) => 0,
            Body::List(items) => items.iter().map(Node::size).sum(),
            Body::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }

    fn to_value(&self) -> Value {
        match &self.body {
            Body::Scalar(scalar) => scalar.value.clone(),
            Body::List(items) => Value::Sequence(items.iter().map(Node::to_value).collect()),
            Body::Map(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|entry| (Value::from(entry.key.as_str()), entry.value.to_value()))
                    .collect::<Mapping>(),
            ),
        }
    }
}

/// Reads `text`; `None` if nothing can be said about its contents. Faults of form go to `report`.
pub(crate) fn read(text: &str, report: &Report) -> Option<Node> {
    if text.len() > MAX_FILE {
        report.add(None, "", format!("{} octets are too many", text.len()), format!("a file may have {MAX_FILE}"));
        return None;
    }
    let mut builder =
        Builder { report, stack: Vec::new(), anchors: HashMap::new(), aliased: 0, root: None, documents: 0 };
    for event in Parser::new_from_str(text) {
        let read = match event {
            Ok((event, span)) => builder.take(event, Mark::of(span)),
            Err(error) => {
                syntax(text, &error, report);
                None
            }
        };
        read?;
    }
    if builder.root.is_none() {
        report.add(None, "", "the file is empty", "begin with the example that comes with Sealgate");
    }
    builder.root
}

/// True if serde_yaml reads the same values from `text` as stand in `node`.
pub(crate) fn agrees(text: &str, node: &Node) -> bool {
    serde_yaml::from_str::<Value>(text).is_ok_and(|value| plain_keys(value) == node.to_value())
}

/// `value` with every key as text: a link may be called 7.
fn plain_keys(value: Value) -> Value {
    match value {
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(plain_keys).collect()),
        Value::Mapping(map) => Value::Mapping(
            map.into_iter()
                .map(|(key, value)| {
                    let key = match key {
                        Value::String(text) => text,
                        Value::Number(number) => number.to_string(),
                        Value::Bool(flag) => flag.to_string(),
                        _ => String::new(),
                    };
                    (Value::from(key), plain_keys(value))
                })
                .collect::<Mapping>(),
        ),
        other => other,
    }
}

/// Reports a syntax fault; where tabs are the likely cause, each line that is indented with one.
fn syntax(text: &str, error: &ScanError, report: &Report) {
    let mark = Mark { line: error.marker().line().max(1), column: error.marker().col() + 1 };
    let tabs = text.lines().enumerate().filter_map(|(i, line)| {
        let indent = line.len() - line.trim_start().len();
        let column = line.get(..indent)?.find('\t')? + 1;
        Some(Mark { line: i + 1, column })
    });
    let mut found = false;
    for tab in tabs {
        found = true;
        report.add(Some(tab), "", "a tab in the indentation", "indent with spaces");
    }
    if !found {
        let remedy = "check indentation, colons, brackets and quotes here and on the line above";
        report.add(Some(mark), "", format!("not YAML: {}", error.info()), remedy);
    }
}

enum Open {
    List { at: Mark, anchor: usize, items: Vec<Node> },
    Map { at: Mark, anchor: usize, entries: Vec<Entry>, key: Option<(String, Mark)> },
}

struct Builder<'r> {
    report: &'r Report,
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    /// `None` stops the reading; the fault is reported.
    fn take(&mut self, event: Event<'_>, at: Mark) -> Option<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(at, "a second document begins", "keep one, and no line of --- after it");
                }
            }
            Event::Alias(anchor) => {
                // An anchor inside which we still are has no value yet: a value cannot contain itself.
                let Some(node) = self.anchors.get(&anchor) else {
                    return self.stop(at, "an alias of what is not complete yet", "write the value out");
                };
                self.aliased += node.size();
                if self.aliased > MAX_ALIASED {
                    return self.stop(at, "aliases repeat too much", "write the values out");
                }
                let node = Node { at, body: node.body.clone() };
                return self.put(node, 0);
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return self.stop(at, "a tag (!...)", "tags have no meaning here: take it out");
            }
            Event::Scalar(text, style, anchor, None) => {
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                let value = match plain {
                    true => serde_yaml::from_str(&text).unwrap_or(Value::Null),
                    false => Value::from(text.as_str()),
                };
                return self.put(Node { at, body: Body::Scalar(Scalar { text, plain, value }) }, anchor);
            }
            Event::SequenceStart(anchor, None) => return self.open(Open::List { at, anchor, items: Vec::new() }, at),
            Event::MappingStart(anchor, None) => {
                return self.open(Open::Map { at, anchor, entries: Vec::new(), key: None }, at);
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::List { at, anchor, items }) => {
                    return self.put(Node { at, body: Body::List(items) }, anchor);
                }
                Some(Open::Map { at, anchor, entries, .. }) => {
                    return self.put(Node { at, body: Body::Map(entries) }, anchor);
                }
                None => {}
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn open(&mut self, open: Open, at: Mark) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            return self.stop(at, "nested too deep", "no key of ours is that deep: check the indentation");
        }
        if matches!(self.stack.last(), Some(Open::Map { key: None, .. })) {
            return self.stop(
                at,
                "a list or mapping as a key",
                "a key is one word; quote text that begins with { or [",
            );
        }
        self.stack.push(open);
        Some(())
    }

    /// Puts a complete value where it belongs: a key, the value of a key, an item, or the root.
    fn put(&mut self, node: Node, anchor: usize) -> Option<()> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match (key.take(), node.body) {
                (Some((key, at)), body) => entries.push(Entry { key, at, value: Node { at: node.at, body } }),
                (None, Body::Scalar(scalar)) => *key = Some((scalar.text, node.at)),
                (None, _) => return self.stop(node.at, "an alias of a list or mapping as a key", "write the key out"),
            },
        }
        Some(())
    }

    fn stop(&self, at: Mark, message: &str, remedy: &str) -> Option<()> {
        self.report.add(Some(at), "", message, remedy);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        let report = Report::new("t");
        read(text, &report);
        report.into_faults().iter().map(|fault| (fault.line, fault.message.clone())).collect()
    }

    #[test]
    fn what_is_no_plain_document_is_named_with_its_line() {
        let deep = "[".repeat(17) + &"]".repeat(17);
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                      c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n";
        for (text, line, want) in [
            ("", 0, "the file is empty"),
            ("# only a comment\n", 0, "the file is empty"),
            ("a:\n\tb: 1\n", 2, "a tab in the indentation"),
            ("a: [1\nb: 2\n", 2, "not YAML"),
            ("a: \"x\nb: 2\n", 1, "not YAML"),
            ("a: 1\n---\nb: 2\n", 2, "a second document"),
            ("a: !!str 1\n", 1, "a tag"),
            ("a: 1\n[b]: 1\n", 2, "a list or mapping as a key"),
            ("a: &x [*x]\n", 1, "an alias of what"),
            (deep.as_str(), 1, "nested too deep"),
            (laughs, 4, "aliases repeat too much"),
        ] {
            let found = faults(text);
            assert!(found.len() == 1 && found[0].0 == line && found[0].1.starts_with(want), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn both_readers_agree_on_what_is_plain() {
        let text = "a: 1\n7: {b: [x, \"02\", 02, yes, 0x10], c: &k {d: null}}\ne: *k\n";
        let report = Report::new("t");
        let node = read(text, &report);
        assert!(node.is_some_and(|node| agrees(text, &node)));
        assert!(report.is_clean());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-c:\\- \\[\\]{},\n\t\"'#&*!|>?%01]{0,60}") {
            read(&text, &Report::new("t"));
        }
    }
}
