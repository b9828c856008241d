//! Our ISUP decoder against tshark's, field by field, over every capture that carries ISUP in M3UA.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in `isup_captures/known.rs` is red, and so is one there that went
//! away. A message that tshark reads and strict decoding refuses is a disagreement of field `refused`. The captures have no
//! column of natures of address and categories.

#[path = "isup_captures/known.rs"]
mod known;
#[path = "captures/ledger.rs"]
mod ledger;
#[path = "isup_captures/ours.rs"]
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

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    malformed: bool,
}

impl Row {
    fn of(line: &Line<'_>) -> Self {
        // Other carriers of ISUP (M2PA, bodies of SIP) are no matter of this test.
        let isup = line.has("m3ua") && line.has("isup");
        Row { fields: line.fields(FIELDS, isup), malformed: line.malformed() }
    }
}

#[derive(Default)]
struct Outcome {
    messages: usize,
    calls: usize,
    read: Comparison,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path, Row::of)?;
    let mut outcome = Outcome::default();
    let file = std::fs::read(path).ok()?;
    let Some(frames) = pcap::frames(&file) else {
        // No Ethernet: then no ISUP in M3UA either.
        return rows.iter().all(|row| row.fields.is_empty()).then_some(outcome);
    };
    assert_eq!(frames.len(), rows.len(), "one line for each frame");
    let mut decoder = Decoder::default();
    for (i, (octets, row)) in frames.iter().zip(rows).enumerate() {
        let ours = decoder.frame(octets);
        if row.malformed {
            continue;
        }
        outcome.messages += ours.messages;
        outcome.calls += ours.calls;
        if !ours.refusals.is_empty() {
            outcome.read.compared += 1;
            outcome.read.refused(i + 1, ours.refusals, row.fields);
            continue;
        }
        outcome.read.fields(i + 1, &ours.fields, &row.fields);
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_isup() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut sum) = (Ledger::new(KNOWN), (0, 0));
    for path in captures(&folder, |_| true) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        let Outcome { messages, calls, read } = outcome;
        if read.compared == 0 {
            continue;
        }
        sum = (sum.0 + messages, sum.1 + calls);
        println!("isup captures {name} {}/{} of {messages} messages, {calls} calls", read.agreed(), read.compared);
        ledger.enter(&name, &read.differences);
    }
    println!("isup captures: {} messages, {} calls in {} files", sum.0, sum.1, ledger.close());
    assert!(sum.0 >= 500 && sum.1 >= 90, "messages are missing: {sum:?}");
}
