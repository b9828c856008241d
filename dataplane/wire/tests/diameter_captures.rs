//! Our Diameter decoder against tshark's, field by field, over every capture that carries Diameter on SCTP or TCP.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in `diameter_captures/known.rs` is red, and so is one there that
//! went away. Every message that tshark reads must also pass the strict decoding.

#[path = "diameter_captures/known.rs"]
mod known;
#[path = "captures/ledger.rs"]
mod ledger;
#[path = "diameter_captures/ours.rs"]
mod ours;
#[path = "captures/pcap.rs"]
mod pcap;
#[path = "captures/tshark.rs"]
mod tshark;

use std::path::Path;

use known::KNOWN;
use ledger::Ledger;
use ours::{Decoder, FIELDS};
use tshark::{Comparison, Fields, Line, captures, rows};

/// Numbers of subscribers and nodes: tshark knows those of some applications, we must find each of them.
const NUMBERS: &[&str] = &["e212.imsi", "e164.msisdn"];

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    numbers: Fields,
    malformed: bool,
}

impl Row {
    fn of(line: &Line<'_>) -> Self {
        let diameter = line.get("frame.protocols").contains("diameter");
        let take = |names: &[&'static str]| line.fields(names, diameter);
        Row { fields: take(FIELDS), numbers: take(NUMBERS), malformed: line.malformed() }
    }
}

#[derive(Default)]
struct Outcome {
    messages: usize,
    read: Comparison,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path, Row::of)?;
    let mut outcome = Outcome::default();
    if rows.iter().all(|row| row.fields.is_empty()) {
        return Some(outcome); // no Diameter, and perhaps no Ethernet
    }
    let file = std::fs::read(path).ok()?;
    let frames = pcap::frames(&file)?;
    assert_eq!(frames.len(), rows.len(), "one line for each frame");
    let mut decoder = Decoder::default();
    for (i, (octets, row)) in frames.iter().zip(rows).enumerate() {
        let ours = decoder.frame(octets);
        if row.malformed {
            continue;
        }
        outcome.messages += ours.messages;
        let read = &mut outcome.read;
        read.fields(i + 1, &ours.fields, &row.fields);
        for (field, numbers) in &row.numbers {
            for number in numbers.split(';') {
                read.compared += 1;
                if !ours.numbers.contains(&(*field, number.to_owned())) {
                    read.differ(i + 1, field, format!("{:?}", ours.numbers), number);
                }
            }
        }
        for refusal in &ours.refusals {
            read.differ(i + 1, "strict", format!("{refusal:?}"), "");
        }
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_diameter() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut messages) = (Ledger::new(KNOWN), 0);
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
        let Outcome { messages, read } = outcome;
        println!("diameter captures {name} {}/{} of {messages} messages", read.agreed(), read.compared);
        ledger.enter(&name, &read.differences);
    }
    println!("diameter captures: {messages} messages in {} files", ledger.close());
}
