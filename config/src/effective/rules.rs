//! Operator rules as they are written.

use serde_yaml::Value;

use super::{LEFT_OUT, map, some, text, word, yes};
use crate::model::*;
use crate::words::*;

pub(super) fn rule(rule: &Rule) -> Value {
    let (action, rate) = match &rule.action {
        Action::RateLimit(rate) => ("rate_limit", rate_of(rate)),
        plain => {
            let is = |word: &&(&str, ActionWord)| matches!(word.1, ActionWord::Plain(action) if action == *plain);
            (ACTION.iter().find(is).map_or("", |(word, _)| *word), LEFT_OUT)
        }
    };
    map([
        ("id", text(&rule.id)),
        ("match", matching(&rule.matches)),
        ("action", action.into()),
        ("rate", rate),
        ("overrides", some(&rule.overrides, |check| word(CHECK, check).into())),
        ("log", yes(rule.log)),
    ])
}

fn rate_of(rate: &Rate) -> Value {
    map([
        ("per", word(PER, &rate.per).into()),
        ("tokens_per_s", rate.per_second.into()),
        ("burst", rate.burst.into()),
        ("over", word(OVER, &rate.over).into()),
    ])
}

fn matching(matches: &Match) -> Value {
    let codes = |codes: &[u32]| some(codes, |code| Value::from(*code));
    let sai = |sai: &[u8; 8]| text(&format_args!("{:016x}", u64::from_be_bytes(*sai)));
    let signer = match (matches.sai.as_slice(), matches.role.as_slice()) {
        ([], []) => LEFT_OUT,
        (sais, roles) => map([("sai", some(sais, sai)), ("role", some(roles, |role| word(ROLE, role).into()))]),
    };
    let clock = |minute: u16| text(&format_args!("{:02}:{:02}", minute / 60, minute % 60));
    let time = |span: &Span| map([("from", clock(span.from)), ("to", clock(span.to)), ("tz", "UTC".into())]);
    map([
        ("protocol", matches.protocol.map_or(LEFT_OUT, |protocol| word(PROTOCOL, &protocol).into())),
        ("direction", matches.outbound.map_or(LEFT_OUT, |outbound| word(EXAMPLE_DIRECTION, &outbound).into())),
        ("peer", some(&matches.peer, text)),
        ("opcode", codes(&matches.opcode)),
        ("command", codes(&matches.command)),
        ("message", codes(&matches.message)),
        ("method", some(&matches.method, text)),
        ("ac", some(&matches.ac, |ac| text(&dotted(ac)))),
        ("calling_gt", some(&matches.calling, text)),
        ("called_gt", some(&matches.called, text)),
        ("opc", codes(&matches.opc)),
        ("origin_realm", some(&matches.realm, text)),
        ("imsi_prefix", some(&matches.imsi, text)),
        ("category", some(&matches.category, |category| word(CATEGORY, category).into())),
        ("signature", some(&matches.signature, |state| word(SIGNATURE, state).into())),
        ("signer", signer),
        ("time", matches.time.as_ref().map_or(LEFT_OUT, time)),
    ])
}

/// The arcs of an OBJECT IDENTIFIER (X.690 §8.19).
fn dotted(octets: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0;
    for octet in octets {
        arc = arc << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - first * 40]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
