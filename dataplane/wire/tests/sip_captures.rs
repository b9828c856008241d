//! Our SIP decoder against tshark's, field by field, over every capture that carries SIP on UDP or TCP, tunnelled in GTP or
//! not.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in `sip_captures/known.rs` is red, and so is one there that went
//! away. A message that tshark reads and strict decoding refuses is a disagreement of field `refused`.

#[path = "sip_captures/known.rs"]
mod known;
#[path = "captures/ledger.rs"]
mod ledger;
#[path = "sip_captures/ours.rs"]
mod ours;
#[path = "captures/pcap.rs"]
mod pcap;
#[path = "captures/tshark.rs"]
mod tshark;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use known::{KNOWN, PASSPORTS};
use ledger::Ledger;
use ours::{Decoder, FIELDS};
use sealgate_wire::Reason;
use tshark::{Comparison, Fields, Line, captures, rows};

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    sip: bool,
    malformed: bool,
}

impl Row {
    fn of(line: &Line<'_>) -> Self {
        let sip = line.has("sip");
        Row { fields: line.fields(FIELDS, sip), sip, malformed: line.malformed() }
    }
}

#[derive(Default)]
struct Outcome {
    messages: usize,
    read: Comparison,
    passports: Vec<Result<(), Reason>>,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path, Row::of)?;
    let mut outcome = Outcome::default();
    if rows.iter().all(|row| row.fields.is_empty()) {
        return Some(outcome); // no SIP, and perhaps no Ethernet
    }
    let file = std::fs::read(path).ok()?;
    let frames = pcap::frames(&file)?;
    assert_eq!(frames.len(), rows.len(), "one line for each frame");
    let mut decoder = Decoder::default();
    for (i, (octets, row)) in frames.iter().zip(rows).enumerate() {
        let ours = decoder.frame(octets, row.sip);
        if row.malformed {
            continue;
        }
        outcome.messages += ours.messages;
        outcome.passports.extend_from_slice(&ours.passports);
        if !ours.refusals.is_empty() && row.sip {
            outcome.read.compared += 1;
            outcome.read.refused(i + 1, ours.refusals, row.fields);
            continue;
        }
        outcome.read.fields(i + 1, &ours.fields, &row.fields);
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_sip() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut messages, mut said) = (Ledger::new(KNOWN), 0, BTreeMap::new());
    let mut seen = BTreeSet::new();
    for path in captures(&folder, |_| true) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        if outcome.read.compared == 0 {
            continue;
        }
        messages += outcome.messages;
        seen.insert(name.clone());
        let Outcome { messages, read, passports } = outcome;
        for passport in passports {
            let end = passport.err().map_or("", Reason::name);
            *said.entry(format!("{name} {end}")).or_insert(0_usize) += 1;
        }
        println!("sip captures {name} {}/{} of {messages} messages", read.agreed(), read.compared);
        ledger.enter(&name, &read.differences);
    }
    println!("sip captures: {messages} messages in {} files", ledger.close());
    let listed = PASSPORTS.iter().filter(|(name, ..)| seen.contains(*name));
    let listed: BTreeMap<_, _> = listed.map(|(name, passport, count)| (format!("{name} {passport}"), *count)).collect();
    assert_eq!(said, listed, "PASSporTs of initial INVITEs");
}
