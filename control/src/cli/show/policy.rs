//! Operator rules, and what active screening would refuse, in tables.

use super::super::table::Table;
use super::more::verdict;
use super::{list, number, rows, text};
use serde_json::Value;
use std::fmt::Write;

/// The rules in their order.
pub(super) fn rules(document: &Value) -> String {
    let compiled = format!(
        "{} rules with {} values, compiled in {:.1} ms to {} octets; at most {} are compared one by one\n",
        number(document, "compiled.rules"),
        number(document, "compiled.values"),
        document.pointer("/compiled/took_ms").and_then(Value::as_f64).unwrap_or_default(),
        number(document, "compiled.octets"),
        number(document, "compiled.compared_at_most").max(1),
    );
    let all = list(document, "rules");
    if all.is_empty() {
        return "the policy has no rules\n".to_owned();
    }
    let mut table = Table::new(&["rule", "#matched", "#refused"]);
    for one in all {
        table.row([text(one, "rule"), text(one, "matched"), text(one, "refused")]);
    }
    format!("{}{compiled}", table.show())
}

/// Peers, what each would lose, and the last examples.
pub(super) fn screening(document: &Value) -> String {
    let mut table = Table::new(&["peer", "screening", "direction", "would be refused for", "#messages"]);
    let mut examples = String::new();
    for peer in rows(document) {
        let head = || [text(peer, "peer"), text(peer, "screening")];
        if number(peer, "would_be_refused") == 0 {
            table.row(head());
        }
        for way in ["in", "out"] {
            let reasons = peer.get(way).and_then(Value::as_object);
            for (reason, count) in reasons.into_iter().flatten() {
                let [name, screening] = head();
                table.row([name, screening, way.to_owned(), reason.clone(), count.to_string()]);
            }
        }
        for one in list(peer, "examples") {
            let _ = writeln!(examples, "{}", verdict(one));
        }
    }
    let examples = if examples.is_empty() { examples } else { format!("\nexamples, the last first\n{examples}") };
    format!("{}{examples}", table.show())
}
