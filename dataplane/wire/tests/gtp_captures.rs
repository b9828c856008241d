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

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use known::{KNOWN, MALFORMED};
use ledger::{Difference, Ledger};
use ours::{FIELDS, Fields, Found};

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    gtp: bool,
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
        let gtp = get("frame.protocols").split(':').any(|protocol| protocol == "gtp");
        let outer = |name| get(name).split(';').next() == Some("2123");
        let control = gtp && (outer("udp.srcport") || outer("udp.dstport"));
        let used = FIELDS.iter().filter(|name| control && !get(name).is_empty());
        let fields = used.map(|name| (*name, get(name).to_owned())).collect();
        Row { fields, gtp, malformed: !get("_ws.malformed").is_empty() }
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
    tunnelled: usize,
    prime: usize,
    compared: usize,
    differences: Vec<Difference>,
    malformed: Vec<(usize, String)>,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path)?;
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
        let mut differ = |field, ours: String, theirs: String| {
            outcome.differences.push(Difference { frame: i + 1, field, ours, theirs });
        };
        if !refusals.is_empty() {
            outcome.compared += 1;
            differ("refused", format!("{refusals:?}"), format!("{:?}", row.fields));
            continue;
        }
        let names: BTreeSet<_> = fields.keys().chain(row.fields.keys()).copied().collect();
        for field in names {
            outcome.compared += 1;
            let text = |fields: &Fields| fields.get(field).cloned().unwrap_or_default();
            let (ours, theirs) = (text(&fields), text(&row.fields));
            if ours != theirs {
                differ(field, ours, theirs);
            }
        }
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same_gtp() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut all) = (Ledger::new(KNOWN), Outcome::default());
    let mut refused = BTreeSet::new();
    for path in captures(&folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        all.tunnelled += outcome.tunnelled;
        all.prime += outcome.prime;
        if outcome.compared == 0 {
            continue;
        }
        all.messages += outcome.messages;
        let agreed = outcome.compared - outcome.differences.len().min(outcome.compared);
        println!("gtp captures {name} {agreed}/{} of {} messages", outcome.compared, outcome.messages);
        ledger.enter(&name, &outcome.differences);
        refused.extend(outcome.malformed.into_iter().map(|(frame, refusal)| format!("{name} {frame} {refusal}")));
    }
    let files = ledger.close();
    let Outcome { messages, tunnelled, prime, .. } = all;
    println!("gtp captures: {messages} messages in {files} files, {tunnelled} in tunnels, {prime} of GTP'");
    let listed: BTreeSet<_> = MALFORMED.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(refused, listed, "what tshark calls malformed");
}
