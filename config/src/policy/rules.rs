//! The section `rules`: what operators say of messages, first match first (formats 13.1).

use std::collections::HashMap;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, once, twice};
use crate::words::*;

/// Most rules.
const MOST: usize = 1_000_000;
/// The longest that a burst may need to fill up again, seconds.
const LONGEST_PAUSE_S: u32 = 3600;
/// A rule for remedies.
const EXAMPLE: &str = "{id: no-ati, match: {protocol: map, opcode: [71]}, action: drop}";

/// A rule and where it names peers.
pub(super) type Placed<'a> = (Rule, Vec<(String, Item<'a>)>);

/// The rules, in their order.
pub(super) fn read<'a>(item: &Item<'a>) -> Vec<Placed<'a>> {
    let items = item.list_or_none(EXAMPLE);
    if items.len() > MOST {
        item.fault(format!("{} rules", items.len()), format!("give at most {MOST}"));
        return Vec::new();
    }
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut rules = Vec::with_capacity(items.len());
    for item in &items {
        let Some(rule) = one(item) else { continue };
        match lines.get(&rule.0.id) {
            Some(first) => item.fault(format!("a rule {:?} stands here already", rule.0.id), twice(first)),
            None => {
                lines.insert(rule.0.id.clone(), item.line());
                rules.push(rule);
            }
        }
    }
    rules
}

fn one<'a>(item: &Item<'a>) -> Option<Placed<'a>> {
    let mut section = Section::open(item);
    let id = section.need("id", "no-ati").and_then(|item| name(&item));
    let matches_item = section.need("match", "{protocol: map, opcode: [71]}");
    let matches = matches_item.as_ref().map(matching);
    let action_item = section.need("action", "drop");
    let word = action_item.as_ref().and_then(|item| item.word("an action", ACTION));
    let rate_item = section.get("rate");
    let rate = rate_item.as_ref().and_then(rate);
    let overrides_item = section.get("overrides");
    let overrides = overrides_item.as_ref().map(|item| item.set("cat1", |item| item.word("a built-in check", CHECK)));
    let log = section.get("log").and_then(|item| item.flag());
    section.close();

    let (matches, peers) = matches.unwrap_or_default();
    let action = match word? {
        ActionWord::RateLimit => match (rate, &rate_item) {
            (Some(rate), _) => Some(Action::RateLimit(rate)),
            (None, Some(_)) => None,
            (None, None) => {
                item.fault("no rate", "give rate: {per: calling_gt, tokens_per_s: 20, burst: 100}");
                None
            }
        },
        ActionWord::Plain(action) => {
            if let Some(item) = &rate_item {
                item.fault("only action rate_limit has a rate", "take the key out, or use rate_limit");
            }
            Some(action)
        }
    };
    if let Some(item) = action_item.filter(|_| action == Some(Action::Mark)) {
        let marks = [Some(Protocol::Sip)].contains(&matches.protocol);
        if !marks {
            item.fault("nothing but a call of SIP can be marked", "give match.protocol: sip, or use alert");
        }
    }
    if let Some(item) = overrides_item.filter(|_| matches!(action, Some(Action::Drop | Action::Reject))) {
        item.fault("a rule that refuses switches no check off", "take overrides out, or use action: allow");
    }
    let rule =
        Rule { id: id?, matches, action: action?, overrides: overrides.unwrap_or_default(), log: log.unwrap_or(false) };
    Some((rule, peers))
}

fn name(item: &Item<'_>) -> Option<String> {
    let text = item.written("the name of a rule")?;
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if !begins || text.len() > 32 || !text.bytes().all(good) {
        item.fault(
            format!("{text:?} cannot name a rule"),
            "use 1 to 32 letters, digits, - _ or ., a letter or digit first",
        );
        return None;
    }
    Some(text.to_owned())
}

/// What a rule matches, and where it names peers.
fn matching<'a>(item: &Item<'a>) -> (Match, Vec<(String, Item<'a>)>) {
    let mut section = Section::open(item);
    let protocol = section.get("protocol").and_then(|item| item.word("a protocol", PROTOCOL));
    let outbound = section.get("direction").and_then(|item| item.word("a direction", EXAMPLE_DIRECTION));
    let peers = section.get("peer").map(|item| item.list("A")).unwrap_or_default();
    let peers: Vec<_> =
        peers.into_iter().filter_map(|item| Some((item.written("the name of a peer")?.to_owned(), item))).collect();
    // What only some protocols have, and which.
    let mut given: Vec<(Item<'a>, &'static [Protocol])> = Vec::new();
    let mut get = |key, of: &'static [Protocol]| {
        let item = section.get(key)?;
        given.push((item.clone(), of));
        Some(item)
    };
    use Protocol::{Cap, Diameter, Gtp, Isup, Map, Sip};
    let opcode = get("opcode", &[Map, Cap]);
    let opcode = opcode.map(|item| item.set("71", |item| units::number(item, 0..=255, "(an operation code)")));
    let command = get("command", &[Diameter]);
    let command = command.map(|item| item.set("317", |item| units::number(item, 1..=0xff_ffff, "(a command code)")));
    let message = get("message", &[Gtp]);
    let message = message.map(|item| item.set("32", |item| units::number(item, 1..=255, "(a message type)")));
    let method = get("method", &[Sip]).map(|item| item.set("INVITE", method));
    let ac = get("ac", &[Map, Cap]).map(|item| item.set("\"0.4.0.0.1.0.29.3\"", object_identifier));
    let calling = get("calling_gt", &[Map, Cap, Isup, Sip]).map(|item| item.set("\"99902\"", units::prefix));
    let called = get("called_gt", &[Map, Cap, Isup, Sip]).map(|item| item.set("\"99901\"", units::prefix));
    let opc = get("opc", &[Map, Cap, Isup]);
    let opc = opc.map(|item| item.set("4128", |item| units::number(item, 0..=16_383, "(a point code)")));
    let realm = get("origin_realm", &[Diameter]);
    let realm = realm.map(|item| item.set(super::parties::REALM, units::realm));
    let imsi = get("imsi_prefix", &[Map, Cap, Diameter, Gtp]).map(|item| item.set("\"00101\"", units::prefix));
    let category = get("category", &[Map, Cap, Diameter]);
    let category = category.map(|item| item.set("cat1", |item| item.word("a category", CATEGORY)));
    let signature = section.get("signature");
    let signature = signature.map(|item| item.set("valid", |item| item.word("a state of signatures", SIGNATURE)));
    let signer = section.get("signer").map(|item| signer(&item)).unwrap_or_default();
    let time = section.get("time").and_then(|item| span(&item));
    section.close();

    for (item, of) in given {
        let has = protocol.is_none_or(|protocol| of.contains(&protocol));
        if !has {
            let words: Vec<&str> = PROTOCOL.iter().filter(|(_, one)| of.contains(one)).map(|(word, _)| *word).collect();
            let message = "a message of this protocol has none";
            item.fault(message, format!("take the key out, or use protocol {}", crate::names::either(&words)));
        }
    }
    let kinds = [&opcode, &command, &message];
    if kinds.iter().filter(|codes| codes.is_some()).count() > 1 {
        let remedy = "keep one: opcode for MAP and CAP, command for Diameter, message for GTP";
        item.fault("a message has one code", remedy);
    }
    let matches = Match {
        protocol,
        outbound,
        peer: once(peers.clone()),
        opcode: opcode.unwrap_or_default(),
        command: command.unwrap_or_default(),
        message: message.unwrap_or_default(),
        method: method.unwrap_or_default(),
        ac: ac.unwrap_or_default(),
        calling: calling.unwrap_or_default(),
        called: called.unwrap_or_default(),
        opc: opc.unwrap_or_default(),
        realm: realm.unwrap_or_default(),
        imsi: imsi.unwrap_or_default(),
        category: category.unwrap_or_default(),
        signature: signature.unwrap_or_default(),
        sai: signer.0,
        role: signer.1,
        time,
    };
    (matches, peers)
}

/// A method of SIP (RFC 3261 §7.1): a token, in capitals as all that are registered.
fn method(item: &Item<'_>) -> Option<String> {
    let text = item.written("a method")?;
    if text.is_empty() || text.len() > 32 || !text.bytes().all(|octet| octet.is_ascii_uppercase()) {
        item.fault(format!("{text:?} is no method of SIP"), "give one in capitals, as INVITE");
        return None;
    }
    Some(text.to_owned())
}

/// The content of an OBJECT IDENTIFIER (X.690 §8.19) from its arcs.
fn object_identifier(item: &Item<'_>) -> Option<Vec<u8>> {
    let text = item.quoted("an object identifier")?;
    let octets = arcs(text);
    if octets.is_none() {
        let remedy = "give numbers with dots between them, as \"0.4.0.0.1.0.29.3\"";
        item.fault(format!("{text:?} is no object identifier"), remedy);
    }
    octets
}

fn arcs(text: &str) -> Option<Vec<u8>> {
    let number = |arc: &str| arc.bytes().all(|octet| octet.is_ascii_digit()).then(|| arc.parse::<u32>().ok())?;
    let arcs: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let [first, second, rest @ ..] = arcs.as_slice() else { return None };
    if *first > 2 || *first < 2 && *second > 39 {
        return None;
    }
    let mut octets = Vec::new();
    for arc in std::iter::once(first.checked_mul(40)?.checked_add(*second)?).chain(rest.iter().copied()) {
        let groups = (32 - arc.leading_zeros()).div_ceil(7).max(1);
        octets.extend((0..groups).rev().map(|i| (arc >> (7 * i) & 0x7f) as u8 | if i > 0 { 0x80 } else { 0 }));
    }
    Some(octets)
}

fn signer(item: &Item<'_>) -> (Vec<[u8; 8]>, Vec<RoleName>) {
    let mut section = Section::open(item);
    let sai = section.get("sai").map(|item| item.set("\"691cc3aef5924685\"", sai));
    let role = section.get("role").map(|item| item.set("csp", |item| item.word("a role", ROLE)));
    section.close();
    (sai.unwrap_or_default(), role.unwrap_or_default())
}

/// The first eight octets of a key's identifier, as 16 hexadecimal digits.
fn sai(item: &Item<'_>) -> Option<[u8; 8]> {
    let text = item.quoted("16 hexadecimal digits")?;
    let good = text.len() == 16 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let sai = good.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(u64::to_be_bytes);
    if sai.is_none() {
        item.fault(
            format!("{text:?} is no identifier of a key"),
            "give 16 hexadecimal digits, see sealgate show trust",
        );
    }
    sai
}

/// A time of day, as minutes of UTC.
fn span(item: &Item<'_>) -> Option<Span> {
    let mut section = Section::open(item);
    let from = section.need("from", "\"06:00\"").and_then(|item| minute(&item));
    let to = section.need("to", "\"22:00\"").and_then(|item| minute(&item));
    let east = section.get("tz").map_or(Some(0), |item| zone(&item));
    section.close();
    let (from, to, east) = (from?, to?, east?);
    if from == to {
        item.fault("from and to are the same", "leave time out for the whole day");
        return None;
    }
    let utc = |minute: i32| (minute - east).rem_euclid(1440) as u16;
    Some(Span { from: utc(from), to: utc(to) })
}

/// Hours and minutes.
fn minute(item: &Item<'_>) -> Option<i32> {
    let text = item.written("a time of day")?;
    let read = clock(text).filter(|minute| *minute < 1440);
    if read.is_none() {
        item.fault(format!("{text:?} is no time of day"), "give hours and minutes in quotes, as \"06:00\"");
    }
    read
}

fn clock(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let good = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_digit());
        good.then(|| text.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

/// Minutes east of Greenwich. Places with summer time have none that holds the year round.
fn zone(item: &Item<'_>) -> Option<i32> {
    let text = item.written("a distance from UTC")?;
    let read = match text.split_at_checked(1) {
        _ if text == "UTC" => Some(0),
        Some(("+", rest)) => clock(rest).filter(|minutes| *minutes <= 14 * 60),
        Some(("-", rest)) => clock(rest).filter(|minutes| *minutes <= 12 * 60).map(|minutes| -minutes),
        _ => None,
    };
    if read.is_none() {
        item.fault(format!("{text:?} is no distance from UTC"), "use UTC, or hours and minutes, as \"+01:00\"");
    }
    read
}

fn rate(item: &Item<'_>) -> Option<Rate> {
    let mut section = Section::open(item);
    let per = section.get("per").and_then(|item| item.word("what has a bucket", PER));
    let tokens = section.need("tokens_per_s", "20");
    let tokens = tokens.and_then(|item| units::number(&item, 1..=1_000_000, "messages a second"));
    let burst_item = section.need("burst", "100");
    let burst = burst_item.as_ref().and_then(|item| units::number(item, 1..=1_000_000, "messages"));
    let over = section.get("over").and_then(|item| item.word("what becomes of the rest", OVER));
    section.close();
    let (per_second, burst) = (tokens?, burst?);
    if let Some(item) = burst_item.filter(|_| burst / per_second >= LONGEST_PAUSE_S) {
        item.fault(
            format!("{burst} messages take more than an hour at {per_second} a second"),
            format!("give at most {}", u64::from(per_second) * u64::from(LONGEST_PAUSE_S)),
        );
    }
    Some(Rate { per: per.unwrap_or_default(), per_second, burst, over: over.unwrap_or_default() })
}

/// Peers that rules name are there.
pub(super) fn check(rules: &[Placed<'_>], peers: &[(Peer, super::parties::PeerPlaces<'_>)]) {
    let known: std::collections::HashSet<&str> = peers.iter().map(|(peer, _)| peer.name.as_str()).collect();
    for (name, item) in rules.iter().flat_map(|(_, named)| named) {
        if name != UNKNOWN && !known.contains(name.as_str()) {
            let names = peers.iter().map(|(peer, _)| peer.name.as_str()).chain([UNKNOWN]);
            let hint = crate::names::hint(name, names);
            item.fault(format!("there is no peer {name:?}{hint}"), "name one of peers, or unknown for senders of none");
        }
    }
}

/// The peer of senders that belong to none.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_become_octets() {
        assert_eq!(arcs("0.4.0.0.1.0.29.3"), Some(vec![4, 0, 0, 1, 0, 29, 3]));
        assert_eq!(arcs("2.999.128.16384"), Some(vec![0x88, 0x37, 0x81, 0, 0x81, 0x80, 0]));
        for wrong in ["", "1", "3.1", "1.40", "0.4.", "0.4.-1", "0.4.4294967296", "2.4294967290"] {
            assert_eq!(arcs(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_to_the_minute() {
        assert_eq!(
            (clock("06:00"), clock("23:59"), clock("6:00"), clock("06:60")),
            (Some(360), Some(1439), None, None)
        );
    }
}
