//! What a message means to detectors, read from its octets.

use std::num::NonZeroU64;

use sealgate_wire::addr::{Digits, GlobalTitle};
use sealgate_wire::ber::Rules;
use sealgate_wire::tcap::{self, ComponentKind, MessageKind};
use sealgate_wire::{cap, diameter, map};

use super::{Event, Hash, What};
use crate::pipeline::claims::{Carrier, Found, Scene};
use crate::pipeline::slots::{Message, Transaction};
use crate::policy::Snapshot;
use crate::policy::detection::Detector;
use crate::policy::geo::PlaceId;
use crate::state::subscribers::Domain;

/// SSN of an SGSN (TS 23.003 §13).
const SGSN: u8 = 149;
/// S6a and S6d.
const S6A: u32 = 16_777_251;
/// What goes into a hash with a number: subscribers by number, and sources.
const MSISDN: u8 = 1;
const SOURCE: u8 = 2;
/// The longest Origin-Host that is counted as it stands; of a longer one its beginning.
const HOST: usize = 128;

/// What an operation of MAP does, and to which registration.
///
/// # Source
/// FS.11 categories 2 and 3; TS 29.002 §8 to §12.
fn operation(op: i32, ssn: u8) -> (What, Option<Domain>) {
    let node = if ssn == SGSN { Domain::Packet } else { Domain::Circuit };
    match op {
        2 => (What::Moves, Some(Domain::Circuit)),
        23 => (What::Moves, Some(Domain::Packet)),
        67 => (What::Purges, Some(node)),
        56 => (What::Fetches, Some(node)),
        44 => (What::Delivers, None),
        // restoreData is a VLR's.
        57 => (What::Acts, Some(Domain::Circuit)),
        // Supplementary services, unstructured ones, short messages, readiness for them, and notes of what a subscriber did.
        10..=14 | 17..=19 | 46 | 59 | 66 | 72 | 77 | 89 => (What::Acts, None),
        22 | 24 | 45 | 47 | 58 | 62 | 65 | 70 | 71 | 83 | 85 => (What::Asks, None),
        _ => (What::Comes, None),
    }
}

fn hash(word: u64) -> Hash {
    NonZeroU64::new(word)
}

/// One of our own subscribers: others' have no place in a memory of ours.
fn own(snapshot: &Snapshot, imsi: &Digits) -> bool {
    snapshot.home_plmns.iter().any(|plmn| imsi.starts_with(plmn))
}

/// What a TCAP message from interconnect means; `None` where no detector looks.
#[inline]
pub(crate) fn of_tcap(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    message: &tcap::Message<'_>,
    found: Found,
    opcode: i32,
) -> Option<Event> {
    if !scene.snapshot.detection.any {
        return None;
    }
    let asks = matches!(message.kind, MessageKind::Begin | MessageKind::Continue | MessageKind::Unidirectional);
    if asks { read_tcap(scene, carrier, message, found, opcode) } else { None }
}

#[inline(never)]
fn read_tcap(
    scene: &mut Scene<'_>,
    carrier: &Carrier<'_>,
    message: &tcap::Message<'_>,
    found: Found,
    opcode: i32,
) -> Option<Event> {
    let (snapshot, shared) = (scene.snapshot, scene.shared);
    let detection = &snapshot.detection;
    let opens = message.kind != MessageKind::Continue;
    let calling = &carrier.calling.0.digits;
    let source = if opens && detection.counts() { hash(shared.key.number(SOURCE, calling)) } else { None };
    let comes =
        Event { what: What::Comes, domain: None, place: 0, subscriber: None, asked: None, source, answer: None };
    // Only who opens a dialogue says what it is: a name in the middle of one is nothing that a host goes by.
    let begins = message.kind == MessageKind::Begin;
    let context = message.application_context().ok().flatten().filter(|_| begins);
    let cap = match context {
        Some(name) => cap::context(name.0).is_some(),
        None => snapshot.is_other_tcap(carrier.called.1.0, carrier.called.1.0),
    };
    let version = context.and_then(|name| map::context(name.0)).map_or(u8::from(begins), |context| context.version);
    let mut all: Option<Event> = None;
    let invokes = message.components.iter().enumerate().filter(|(i, component)| {
        component.kind == ComponentKind::Invoke && !(found.count > 0 && found.is(message, *i, opcode))
    });
    for (_, component) in invokes {
        let Some(op) = component.local() else { continue };
        let mut event = comes;
        let (imsi, msisdn, node) = if cap {
            let read = cap::identities(op, component.kind, component.parameter, snapshot.rules);
            let Ok(found) = read else { continue };
            // A call, a message or a session begins where the subscriber is.
            event.what = if matches!(op, 0 | 60 | 78) { What::Acts } else { What::Comes };
            (found.imsi, found.msisdn, found.node)
        } else {
            let mut found = map::Identities::default();
            let known = &mut scene.scratch.arguments;
            // What cannot be read was refused before.
            if known.read(op, component.kind, version, component.parameter, snapshot.rules, &mut found).is_err() {
                continue;
            }
            (event.what, event.domain) = operation(op, carrier.calling.1.0);
            if op == 46 && found.imsi.is_some() && found.msisdn.is_none() {
                event.what = What::Delivers; // version 2: to the subscriber, not from it
            }
            let named = event.what == What::Acts && found.imsi.is_none();
            let imsi = if named { map::destination_imsi(message) } else { found.imsi };
            (imsi, found.msisdn, found.nodes.last().copied())
        };
        let key = imsi.map(|imsi| shared.detection.subscribers.key(&imsi));
        event.subscriber = imsi.filter(|imsi| own(snapshot, imsi)).and(key).and_then(hash);
        if event.what >= What::Asks && detection.looks(Detector::Scan) {
            event.asked = key.or_else(|| msisdn.map(|number| shared.key.number(MSISDN, &number))).and_then(hash);
        }
        if event.what == What::Moves {
            let at = node.map_or(0, |node| detection.geo.of_number(&node));
            event.place = if at == 0 { detection.geo.of_number(calling) } else { at };
            event.answer = message.otid.and_then(|id| hash(shared.transaction_key(id.as_octets(), calling)));
        }
        all = Some(all.map_or(event, |before| before.and(event)));
    }
    all.or(Some(comes))
}

impl Event {
    /// Both of one message: the one that does more, unless they move different subscribers.
    fn and(self, other: Self) -> Self {
        let moves = |event: &Self| event.what >= What::Moves;
        match (moves(&self), moves(&other)) {
            (true, true) if self.subscriber != other.subscriber => Self { what: What::MovesMany, ..self },
            _ if other.what > self.what => other,
            _ => self,
        }
    }
}

/// What a message of our own network that answers one from outside means.
///
/// * `called`: who asked
#[inline]
pub(crate) fn of_result(scene: &mut Scene<'_>, octets: &[u8], called: &GlobalTitle) -> Option<Event> {
    let detection = &scene.snapshot.detection;
    let answers = matches!(
        octets.first().copied().and_then(MessageKind::from_tag),
        Some(MessageKind::End | MessageKind::Continue | MessageKind::Abort)
    );
    if !detection.any || !answers || !(detection.follows() || detection.steps()) {
        return None;
    }
    read_result(scene, octets, called)
}

#[inline(never)]
fn read_result(scene: &mut Scene<'_>, octets: &[u8], called: &GlobalTitle) -> Option<Event> {
    let (snapshot, shared) = (scene.snapshot, scene.shared);
    let mut room = tcap::Room::new();
    let message = scene.scratch.messages.read(&mut room, octets, Rules::Lenient).ok()?;
    let answer = hash(shared.transaction_key(message.dtid?.as_octets(), &called.digits));
    let event =
        |what, subscriber| Event { what, domain: None, place: 0, subscriber, asked: None, source: None, answer };
    let ends = message.kind == MessageKind::End;
    for component in message.components.iter() {
        match component.kind {
            ComponentKind::ReturnResultLast | ComponentKind::ReturnResultNotLast => {}
            ComponentKind::ReturnError | ComponentKind::Reject => return Some(event(What::Refused, None)),
            ComponentKind::Invoke => continue,
        }
        match component.local() {
            Some(2 | 23) => return Some(event(What::Accepted, None)),
            Some(45) => {
                let read = map::identities(45, component.kind, 0, component.parameter, Rules::Lenient);
                let imsi = read.ok()?.imsi.filter(|imsi| own(snapshot, imsi))?;
                return Some(event(What::Told, hash(shared.detection.subscribers.key(&imsi))));
            }
            // A result without parameter does not name its operation.
            None if ends => return Some(event(What::Accepted, None)),
            _ => {}
        }
    }
    (message.kind == MessageKind::Abort).then(|| event(What::Refused, None))
}

/// What a Diameter request from interconnect means; `None` where no detector looks.
#[inline]
pub(crate) fn of_diameter(scene: &Scene<'_>, parsed: &diameter::Message<'_>, message: &Message) -> Option<Event> {
    if !scene.snapshot.detection.any || !parsed.header.is_request() {
        return None;
    }
    Some(read_diameter(scene, parsed, message))
}

#[inline(never)]
fn read_diameter(scene: &Scene<'_>, parsed: &diameter::Message<'_>, message: &Message) -> Event {
    let (snapshot, shared) = (scene.snapshot, scene.shared);
    let detection = &snapshot.detection;
    let what = match (parsed.header.application, parsed.header.command) {
        (S6A, 316) => What::Moves,
        (S6A, 318) => What::Fetches,
        (S6A, 321) => What::Purges,
        (S6A, 323) => What::Acts,
        _ => What::Asks,
    };
    let mut event = Event {
        what,
        domain: (what > What::Asks).then_some(Domain::Lte),
        place: 0,
        subscriber: None,
        asked: None,
        source: if detection.counts() { source(scene, parsed.origin_host.unwrap_or_default()) } else { None },
        answer: None,
    };
    let scans = detection.looks(Detector::Scan);
    if what == What::Asks && !scans {
        return event;
    }
    // In S6a the subscriber is the User-Name, and nothing else (TS 29.272 §7.2).
    let user = parsed.user_name.filter(|_| parsed.header.application == S6A).and_then(digits);
    let (imsi, msisdn) = match user {
        Some(imsi) => (Some(imsi), None),
        None => {
            let found = diameter::identities(parsed);
            (found.imsi.get(0).copied(), found.msisdn.get(0).copied())
        }
    };
    let key = imsi.map(|imsi| shared.detection.subscribers.key(&imsi));
    event.subscriber = imsi.filter(|imsi| own(snapshot, imsi)).and(key).and_then(hash);
    if scans {
        event.asked = key.or_else(|| msisdn.map(|number| shared.key.number(MSISDN, &number))).and_then(hash);
    }
    if what == What::Moves {
        event.place = place(snapshot, parsed);
        if let Transaction::Opens { key, .. } = message.transaction {
            event.answer = hash(key);
        }
    }
    event
}

/// Decimal digits of an IMSI.
fn digits(text: &[u8]) -> Option<Digits> {
    let text = std::str::from_utf8(text).ok().filter(|text| (6..=15).contains(&text.len()))?;
    text.parse().ok().filter(Digits::is_decimal)
}

/// Hosts are the same in capital letters (RFC 6733 §4.3.1).
fn source(scene: &Scene<'_>, host: &[u8]) -> Hash {
    let mut name = [0; HOST];
    let len = host.len().min(HOST);
    let (name, host) = (name.get_mut(..len)?, host.get(..len)?);
    name.copy_from_slice(host);
    name.make_ascii_lowercase();
    hash(scene.shared.detection.sources.key(&[name]))
}

/// Where the visited network is, or else the realm's.
fn place(snapshot: &Snapshot, parsed: &diameter::Message<'_>) -> PlaceId {
    let geo = &snapshot.detection.geo;
    let visited = parsed.visited_plmn.and_then(diameter::plmn).map_or(0, |plmn| geo.of_network(&plmn));
    if visited != 0 {
        return visited;
    }
    parsed.origin_realm.and_then(network).map_or(0, |plmn| geo.of_network(&plmn))
}

/// MCC and MNC of a realm (TS 23.003 §19.2): `epc.mnc001.mcc001.3gppnetwork.org`.
fn network(realm: &[u8]) -> Option<Digits> {
    let label = |name: &[u8; 3]| {
        let labels = realm.split(|octet| *octet == b'.');
        let mut numbers = labels.filter_map(|label| {
            let (head, digits) = label.split_first_chunk::<3>()?;
            (head.eq_ignore_ascii_case(name) && digits.len() == 3 && digits.iter().all(u8::is_ascii_digit))
                .then_some(digits)
        });
        numbers.next()
    };
    let (mcc, mnc) = (label(b"mcc")?, label(b"mnc")?);
    // An MNC of two digits has a zero before it.
    let mnc = mnc.strip_prefix(b"0").unwrap_or(mnc);
    let mut text = [0; 6];
    let (first, second) = text.split_at_mut(3);
    first.copy_from_slice(mcc);
    second.get_mut(..mnc.len())?.copy_from_slice(mnc);
    digits_of(text.get(..3 + mnc.len())?)
}

fn digits_of(text: &[u8]) -> Option<Digits> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What an answer of our own network in Diameter means.
///
/// * `key`: of the request
#[inline]
pub(crate) fn of_answer(scene: &Scene<'_>, parsed: &diameter::Message<'_>, key: u64) -> Option<Event> {
    if !scene.snapshot.detection.any || parsed.header.application != S6A || parsed.header.command != 316 {
        return None;
    }
    let accepted = parsed.result_code.is_some_and(|code| code / 1000 == 2);
    let what = if accepted { What::Accepted } else { What::Refused };
    let (subscriber, asked, source) = (None, None, None);
    Some(Event { what, domain: None, place: 0, subscriber, asked, source, answer: hash(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_says_which_network_it_is() {
        for (realm, want) in [
            ("epc.mnc002.mcc001.3gppnetwork.org", Some("00102")),
            ("EPC.MNC410.MCC310.3gppnetwork.org", Some("310410")),
            ("epc.mcc262.mnc07.org", None),
            ("epc.mnc0o2.mcc001.org", None),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(network(realm.as_bytes()).map(|plmn| plmn.to_string()).as_deref(), want, "{realm}");
        }
    }

    #[test]
    fn of_several_operations_that_counts_which_does_the_most() {
        let event = |what, subscriber| Event {
            what,
            domain: None,
            place: 0,
            subscriber: hash(subscriber),
            asked: None,
            source: None,
            answer: None,
        };
        let (harmless, moves) = (event(What::Acts, 1), event(What::Moves, 1));
        assert_eq!((harmless.and(moves), moves.and(harmless)), (moves, moves));
        assert_eq!(moves.and(moves), moves, "the same subscriber twice");
        assert_eq!(moves.and(event(What::Moves, 2)).what, What::MovesMany);
        assert_eq!(moves.and(event(What::Moves, 2)).and(moves).what, What::MovesMany);
    }
}
