//! Our GTP decoder against tshark's, field by field, over every capture that carries GTP-C; and what is no GTP-C is taken for
//! none.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in `gtp_captures/known.rs` is red, and so is one there that went
//! away. A message that tshark reads and strict decoding refuses is a disagreement of field `refused`.

#[path = "gtp_captures/known.rs"]
mod known;
#[path = "captures/ledger.rs"]
mod ledger;
#[path = "gtp_captures/ours.rs"]
mod ours;
#[path = "captures/pcap.rs"]
mod pcap;
#[path = "captures/tshark.rs"]
mod tshark;

use std::collections::BTreeSet;
use std::path::Path;

use known::{KNOWN, MALFORMED};
use ledger::Ledger;
use ours::{FIELDS, Found};
use tshark::{Comparison, Fields, Line, captures, rows};

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    gtp: bool,
    malformed: bool,
}

impl Row {
    fn of(line: &Line<'_>) -> Self {
        let gtp = line.has("gtp");
        let outer = |name| line.get(name).split(';').next() == Some("2123");
        let control = gtp && (outer("udp.srcport") || outer("udp.dstport"));
        Row { fields: line.fields(FIELDS, control), gtp, malformed: line.malformed() }
    }
}

#[derive(Default)]
struct Outcome {
    messages: usize,
    tunnelled: usize,
    prime: usize,
    read: Comparison,
    malformed: Vec<(usize, String)>,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path, Row::of)?;
    let mut outcome = Outcome::default();
    if !rows.iter().any(|row| row.gtp) {
        return Some(outcome); // no GTP, and perhaps no Ethernet
    }
    let file = std::fs::read(path).ok()?;
    let frames = pcap::frames(&file)?;
    assert_eq!(frames.len(), rows.len(), "one line for each frame");
    for (i, (octets, row)) in frames.iter().zip(rows).enumerate() {
        let Found { messages, tunnelled, prime, fields, refusals } = ours::frame(octets);
        if row.malformed {
            outcome.malformed.extend(refusals.iter().map(|refusal| (i + 1, format!("{refusal:?}"))));
            continue;
        }
        outcome.messages += messages;
        outcome.tunnelled += tunnelled;
        outcome.prime += prime;
        if !refusals.is_empty() {
            outcome.read.compared += 1;
            outcome.read.refused(i + 1, refusals, row.fields);
            continue;
        }
        outcome.read.fields(i + 1, &fields, &row.fields);
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_gtp() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut all) = (Ledger::new(KNOWN), Outcome::default());
    let mut refused = BTreeSet::new();
    for path in captures(&folder, |_| true) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        all.tunnelled += outcome.tunnelled;
        all.prime += outcome.prime;
        let read = &outcome.read;
        if read.compared == 0 {
            continue;
        }
        all.messages += outcome.messages;
        println!("gtp captures {name} {}/{} of {} messages", read.agreed(), read.compared, outcome.messages);
        ledger.enter(&name, &read.differences);
        refused.extend(outcome.malformed.into_iter().map(|(frame, refusal)| format!("{name} {frame} {refusal}")));
    }
    let files = ledger.close();
    let Outcome { messages, tunnelled, prime, .. } = all;
    println!("gtp captures: {messages} messages in {files} files, {tunnelled} in tunnels, {prime} of GTP'");
    let listed: BTreeSet<_> = MALFORMED.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(refused, listed, "what tshark calls malformed");
}
