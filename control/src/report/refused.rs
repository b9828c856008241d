//! The last refused messages of each reason, with their frames.

use sealgate_config::model::LinkKind;
use sealgate_dataplane::pipeline::tap::{Capture, Seen, Spoken};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_wire::reason::ALL;
use sealgate_wire::sctp::{ChunkKind, Data, Packet};
use sealgate_wire::{Reason, eth, ip, m2pa, sua};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// A refused message, with the names it had when it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The verdict.
    pub seen: Seen,
    /// Who it claimed to be from, or whom it was for; empty where that was not known.
    pub peer: String,
    /// Its link; empty where that was not known.
    pub link: String,
    /// The frame as it came, perhaps cut.
    pub octets: Vec<u8>,
    /// Octets that it had.
    pub len: usize,
    /// The operator rule that counted, if one did and is still there.
    pub rule: Option<String>,
}

/// The last of each reason.
#[derive(Debug)]
pub struct Ring {
    keep: usize,
    reasons: Vec<VecDeque<Kept>>,
}

impl Ring {
    /// Keeps so many of each reason.
    pub fn new(keep: usize) -> Self {
        Self { keep, reasons: ALL.iter().map(|_| VecDeque::new()).collect() }
    }

    /// Puts one in; the oldest of its reason goes if need be.
    pub fn put(&mut self, capture: &Capture, snapshot: &Snapshot) {
        let seen = capture.seen;
        let Some(reason) = self.reasons.get_mut(seen.record.counts_as().index()) else { return };
        if self.keep == 0 {
            return;
        }
        while reason.len() >= self.keep {
            reason.pop_front();
        }
        let (peer, link) = names(&seen, snapshot);
        let octets = capture.octets.clone();
        let rule = snapshot.ruleset.name_of(seen.record.rule).map(str::to_owned);
        reason.push_back(Kept { seen, peer, link, octets, len: capture.len, rule });
    }

    /// Those of one reason, or all, oldest first.
    pub fn list(&self, reason: Option<Reason>) -> Vec<&Kept> {
        let wanted = ALL.iter().zip(&self.reasons).filter(|(one, _)| reason.is_none_or(|reason| reason == **one));
        let mut list: Vec<_> = wanted.flat_map(|(_, kept)| kept).collect();
        list.sort_by_key(|kept| kept.seen.time_ms);
        list
    }

    /// The same as a document.
    ///
    /// * `frames`: with the octets, in base64
    pub fn document(&self, reason: Option<Reason>, frames: bool) -> Value {
        self.list(reason).into_iter().map(|kept| entry(kept, frames)).collect()
    }
}

/// Names of the peer and the link of a verdict.
pub fn names(seen: &Seen, snapshot: &Snapshot) -> (String, String) {
    let record = &seen.record;
    let peer = snapshot.peers.get(usize::from(record.peer)).filter(|_| record.tsn.is_some());
    let link = record.link.and_then(|link| snapshot.links.get(usize::from(link)));
    (peer.map(|peer| peer.name.clone()).unwrap_or_default(), link.map(|link| link.name.clone()).unwrap_or_default())
}

/// A verdict in the words of documents.
pub fn verdict(seen: &Seen, peer: &str, link: &str, spoken: &Spoken, rule: Option<&str>) -> Value {
    let record = &seen.record;
    let reason = record.reason;
    let title = |party: Option<(sealgate_wire::addr::Digits, sealgate_wire::addr::Ssn)>| {
        party.map(|(digits, ssn)| json!({ "title": digits.to_string(), "ssn": ssn.0 }))
    };
    let direction = record.way.map(|way| match way {
        Direction::In => "in",
        Direction::Out => "out",
    });
    let mut verdict = json!({
        "time_ms": seen.time_ms, "worker": seen.worker, "direction": direction, "link": link, "peer": peer,
        "tsn": record.tsn, "code": reason.code(), "reason": reason.name(), "text": reason.text(), "octet": record.at,
        "passes": reason.passes(), "calling": title(spoken.calling), "called": title(spoken.called),
        "tcap": spoken.kind.map(|kind| format!("{kind:?}").to_lowercase()), "operations": spoken.operations(),
    });
    if let Some(fields) = verdict.as_object_mut() {
        if let Some(rule) = rule {
            fields.insert("rule".to_owned(), rule.into());
        }
        if let Some(would) = record.would {
            fields.insert("would".to_owned(), would.name().into());
        }
    }
    verdict
}

/// One of them in the words of documents.
///
/// * `frames`: with its octets, in base64
pub(super) fn entry(kept: &Kept, frames: bool) -> Value {
    let spoken = kept.seen.record.tsn.and_then(|tsn| spoken(&kept.octets, tsn)).unwrap_or_default();
    let mut entry = verdict(&kept.seen, &kept.peer, &kept.link, &spoken, kept.rule.as_deref());
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("len".to_owned(), kept.len.into());
        if frames {
            use base64::Engine;
            let octets = base64::engine::general_purpose::STANDARD.encode(&kept.octets);
            fields.insert("frame".to_owned(), octets.into());
        }
    }
    entry
}

/// What the message in the DATA chunk of this TSN says, if the frame is whole.
pub fn spoken(frame: &[u8], tsn: u32) -> Option<Spoken> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    let packet = Packet::parse(packet.payload).ok()?;
    let chunks = packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA);
    let data = chunks.filter_map(|chunk| Data::parse(&chunk).ok()).find(|data| data.tsn == tsn)?;
    let kind = match data.ppid {
        m2pa::PPID => LinkKind::M2pa,
        sua::PPID => LinkKind::Sua,
        _ => LinkKind::M3ua,
    };
    Some(Spoken::read(kind, data.user))
}
