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

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use known::KNOWN;
use ledger::{Difference, Ledger};
use ours::{Decoder, FIELDS, Fields};

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    malformed: bool,
}

/// Reads the `.tshark.tsv.gz` beside a capture.
fn rows(capture: &Path) -> Option<Vec<Row>> {
    let mut name = capture.as_os_str().to_owned();
    name.push(".tshark.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(name).ok()?).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let column: HashMap<_, _> = lines.next()?.split('\t').enumerate().map(|(i, name)| (name, i)).collect();
    let row = |line: &str| {
        let values: Vec<_> = line.split('\t').collect();
        let get = |name: &str| column.get(name).and_then(|i| values.get(*i)).copied().unwrap_or_default();
        // Other carriers of ISUP (M2PA, bodies of SIP) are no matter of this test.
        let isup = ["m3ua", "isup"].iter().all(|name| get("frame.protocols").split(':').any(|other| other == *name));
        let used = FIELDS.iter().filter(|name| isup && !get(name).is_empty());
        let fields = used.map(|name| (*name, get(name).to_owned())).collect();
        Row { fields, malformed: !get("_ws.malformed").is_empty() }
    };
    Some(lines.map(row).collect())
}

/// Every capture of the folder, by name.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = list(folder.into()).chain(list(folder.join("synthetic")));
    let mut files: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "pcap")).collect();
    files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    files
}

#[derive(Default)]
struct Outcome {
    messages: usize,
    calls: usize,
    compared: usize,
    differences: Vec<Difference>,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path)?;
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
        let mut differ = |field, ours: String, theirs: String| {
            outcome.differences.push(Difference { frame: i + 1, field, ours, theirs });
        };
        if !ours.refusals.is_empty() {
            outcome.compared += 1;
            differ("refused", format!("{:?}", ours.refusals), format!("{:?}", row.fields));
            continue;
        }
        let fields: BTreeSet<_> = ours.fields.keys().chain(row.fields.keys()).copied().collect();
        for field in fields {
            outcome.compared += 1;
            let text = |fields: &Fields| fields.get(field).cloned().unwrap_or_default();
            let (ours, theirs) = (text(&ours.fields), text(&row.fields));
            if ours != theirs {
                differ(field, ours, theirs);
            }
        }
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_isup() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut sum) = (Ledger::new(KNOWN), (0, 0));
    for path in captures(&folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        let Outcome { messages, calls, compared, differences } = outcome;
        if compared == 0 {
            continue;
        }
        sum = (sum.0 + messages, sum.1 + calls);
        let agreed = compared - differences.len().min(compared);
        println!("isup captures {name} {agreed}/{compared} of {messages} messages, {calls} calls");
        ledger.enter(&name, &differences);
    }
    println!("isup captures: {} messages, {} calls in {} files", sum.0, sum.1, ledger.close());
    assert!(sum.0 >= 500 && sum.1 >= 90, "messages are missing: {sum:?}");
}
