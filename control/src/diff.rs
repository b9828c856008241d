//! What one policy says otherwise than another, key by key of the effective configuration: no key can be forgotten here.

use sealgate_config::model::Policy;
use serde_json::{Value as Json, json};
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Items of a list that are named one by one; of more, their number.
const NAMED: usize = 8;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key, as `peers.A.mode`.
    pub path: String,
    /// What was said before; `None`: nothing.
    pub before: Option<String>,
    /// What is said now; `None`: nothing.
    pub after: Option<String>,
}

impl Change {
    /// For programs.
    pub fn to_json(&self) -> Json {
        json!({ "path": self.path, "before": self.before, "after": self.after })
    }
}

impl Change {
    /// Of a gateway's answer.
    pub fn from_json(value: &Json) -> Self {
        let text = |key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
        Self { path: text("path").unwrap_or_default(), before: text("before"), after: text("after") }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "+ {}: {after}", self.path),
            (Some(before), None) => write!(f, "- {}: {before}", self.path),
            (before, after) => {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                write!(f, "~ {}: {} -> {}", self.path, text(before), text(after))
            }
        }
    }
}

/// All differences, in the order of the keys.
pub fn changes(before: &Policy, after: &Policy) -> Vec<Change> {
    if before == after {
        return Vec::new();
    }
    // Printed by us: it always reads.
    let tree = |policy: &Policy| serde_yaml::from_str::<Value>(&policy.to_yaml()).unwrap_or_default();
    let mut found = Vec::new();
    compare(String::new(), Some(&tree(before)), Some(&tree(after)), &mut found);
    found
}

fn compare(path: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Mapping(old)), Some(Value::Mapping(new))) => {
            let fresh = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(fresh) {
                let name = key.as_str().unwrap_or_default();
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                compare(path, old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Sequence(old)), Some(Value::Sequence(new))) => lists(path, old, new, found),
        (before, after) => {
            found.push(Change { path, before: before.map(brief), after: after.map(brief) });
        }
    }
}

/// Lists are sets, but for their order where that is all that differs.
fn lists(path: String, old: &[Value], new: &[Value], found: &mut Vec<Change>) {
    let (olds, news): (Vec<_>, Vec<_>) = (old.iter().map(brief).collect(), new.iter().map(brief).collect());
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (olds.iter().collect(), news.iter().collect());
    let gone: Vec<_> = olds.iter().filter(|one| !after.contains(one)).cloned().collect();
    let come: Vec<_> = news.iter().filter(|one| !before.contains(one)).cloned().collect();
    if gone.is_empty() && come.is_empty() {
        found.push(Change { path, before: Some(some(&olds)), after: Some(some(&news)) });
        return;
    }
    for (items, is_new) in [(gone, false), (come, true)].into_iter().filter(|(items, _)| !items.is_empty()) {
        let text = Some(some(&items));
        let (before, after) = if is_new { (None, text) } else { (text, None) };
        found.push(Change { path: path.clone(), before, after });
    }
}

fn some(items: &[String]) -> String {
    let named = items.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(NAMED) {
        0 => format!("[{named}]"),
        more => format!("[{named}, and {more} more]"),
    }
}

/// A value in one line.
fn brief(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(items) => some(&items.iter().map(brief).collect::<Vec<_>>()),
        Value::Mapping(entries) => {
            let entry = |(key, value): (&Value, &Value)| format!("{}: {}", brief(key), brief(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Tagged(tagged) => brief(&tagged.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\nhome:\n  gt_prefixes: [{plan: e164, digits: \"99901\"}]\n  plmns: [\"00101\"]\nlinks:\n  wire: \
                        {type: m3ua, remote: [192.0.2.10], local: [198.51.100.10], opcs: [4128], dpcs: [4112]}\npeers:\n  A: {gt: \
                        [\"99902\", \"99903\"], mode: require}\n  B: {gt: [\"99904\"]}\n";

    fn policy(text: &str) -> Policy {
        Policy::parse(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn what_differs_is_named_by_its_key() {
        let after = TEXT.replace("mode: require", "mode: prefer").replace("\"99903\"", "\"99905\"").replace("B:", "C:");
        let found: Vec<_> = changes(&policy(TEXT), &policy(&after)).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 5, "{found:#?}");
        assert_eq!(found.first().map(String::as_str), Some("- peers.A.gt: [99903]"));
        assert!(
            found.contains(&"+ peers.A.gt: [99905]".to_owned())
                && found.contains(&"~ peers.A.mode: require -> prefer".to_owned())
        );
        assert!(found.iter().any(|one| one.starts_with("- peers.B: {gt: [99904]")), "{found:#?}");
        assert!(found.iter().any(|one| one.starts_with("+ peers.C: {gt: [99904]")), "{found:#?}");
        assert_eq!(changes(&policy(TEXT), &policy(TEXT)), []);
    }

    #[test]
    fn long_lists_are_cut_and_an_order_is_a_change() {
        let many = (0..100).map(|number| format!("\"9990{number:03}\"")).collect::<Vec<_>>().join(", ");
        let after = TEXT.replace("\"99903\"", &many.replace("\"9990", "\"9980"));
        let found = changes(&policy(TEXT), &policy(&after));
        assert!(found.iter().any(|one| one.to_string().ends_with("and 92 more]")), "{found:?}");
        let turned = TEXT.replace("\"99902\", \"99903\"", "\"99903\", \"99902\"");
        let found: Vec<_> = changes(&policy(TEXT), &policy(&turned)).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["~ peers.A.gt: [99902, 99903] -> [99903, 99902]"]);
    }
}
