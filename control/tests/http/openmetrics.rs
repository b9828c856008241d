//! A reader of OpenMetrics text (OpenMetrics 1.0, section 5) that takes no liberties.

use std::collections::{BTreeMap, BTreeSet};

/// One family: its type and its unit.
struct Family {
    name: String,
    kind: String,
}

/// Every sample with its labels as written.
pub fn check(page: &str) -> Result<BTreeMap<String, f64>, String> {
    let mut lines = page.lines();
    let Some("# EOF") = lines.next_back() else { return Err("it does not end with # EOF".to_owned()) };
    let (mut samples, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let (mut help, mut family): (Option<String>, Option<Family>) = (None, None);
    for line in lines {
        let fault = |why: &str| format!("{why}: {line}");
        if let Some(text) = line.strip_prefix("# HELP ") {
            let (name, text) = text.split_once(' ').ok_or(fault("no help"))?;
            if text.is_empty() || !is_name(name) || !seen.insert(name.to_owned()) {
                return Err(fault("no help, no name, or a family twice"));
            }
            (help, family) = (Some(name.to_owned()), None);
        } else if let Some(text) = line.strip_prefix("# TYPE ") {
            let (name, kind) = text.split_once(' ').ok_or(fault("no type"))?;
            if help.as_deref() != Some(name) || !["counter", "gauge", "info"].contains(&kind) {
                return Err(fault("a type without help, or of no kind"));
            }
            family = Some(Family { name: name.to_owned(), kind: kind.to_owned() });
        } else if let Some(text) = line.strip_prefix("# UNIT ") {
            let (name, unit) = text.split_once(' ').ok_or(fault("no unit"))?;
            if help.as_deref() != Some(name) || !name.ends_with(&format!("_{unit}")) {
                return Err(fault("the unit does not end the name"));
            }
        } else {
            let family = family.as_ref().ok_or(fault("a sample without its type"))?;
            let (labelled, value) = line.rsplit_once(' ').ok_or(fault("no value"))?;
            let (name, labels) = match labelled.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').ok_or(fault("labels do not end"))?),
                None => (labelled, ""),
            };
            let suffix = match family.kind.as_str() {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            if name != format!("{}{suffix}", family.name) || !is_name(name) {
                return Err(fault("not of its family"));
            }
            labels_are_good(labels).map_err(|why| fault(&why))?;
            let value: f64 = value.parse().map_err(|_| fault("no number"))?;
            if family.kind == "info" && value != 1.0 || family.kind == "counter" && value < 0.0 {
                return Err(fault("a value that its type cannot have"));
            }
            if samples.insert(labelled.to_owned(), value).is_some() {
                return Err(fault("a sample twice"));
            }
        }
    }
    Ok(samples)
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_') && !name.is_empty()
}

/// `a="x",b="y"`, with backslash, quote and line feed escaped.
fn labels_are_good(labels: &str) -> Result<(), String> {
    let (mut rest, mut names) = (labels, BTreeSet::new());
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").ok_or("a label without value")?;
        if !is_name(name) || !names.insert(name) {
            return Err("a label's name".to_owned());
        }
        let mut escaped = false;
        let end = value.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let (end, _) = end.ok_or("a value that does not end")?;
        rest = value.get(end + 1..).unwrap_or_default();
        rest = match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            None if rest.is_empty() => rest,
            _ => return Err("what follows a label".to_owned()),
        };
    }
    Ok(())
}
