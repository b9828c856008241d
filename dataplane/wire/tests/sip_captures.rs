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

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use known::{KNOWN, PASSPORTS};
use ledger::{Difference, Ledger};
use ours::{Decoder, FIELDS, Fields};
use sealgate_wire::Reason;

/// One frame as tshark 4.0.17 reads it.
struct Row {
    fields: Fields,
    sip: bool,
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
        let sip = get("frame.protocols").split(':').any(|protocol| protocol == "sip");
        let used = FIELDS.iter().filter(|name| sip && !get(name).is_empty());
        let fields = used.map(|name| (*name, get(name).to_owned())).collect();
        Row { fields, sip, malformed: !get("_ws.malformed").is_empty() }
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
    compared: usize,
    differences: Vec<Difference>,
    passports: Vec<Result<(), Reason>>,
}

/// `None` if the capture cannot be read.
fn compare(path: &Path) -> Option<Outcome> {
    let rows = rows(path)?;
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
        let mut differ = |field, ours: String, theirs: String| {
            outcome.differences.push(Difference { frame: i + 1, field, ours, theirs });
        };
        if !ours.refusals.is_empty() && row.sip {
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
fn tshark_reads_the_same_sip() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut messages, mut said) = (Ledger::new(KNOWN), 0, BTreeMap::new());
    let mut seen = BTreeSet::new();
    for path in captures(&folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path) else {
            ledger.unread(&name);
            continue;
        };
        if outcome.compared == 0 {
            continue;
        }
        messages += outcome.messages;
        seen.insert(name.clone());
        let Outcome { messages, compared, differences, passports } = outcome;
        for passport in passports {
            let end = passport.err().map_or("", Reason::name);
            *said.entry(format!("{name} {end}")).or_insert(0_usize) += 1;
        }
        let agreed = compared - differences.len().min(compared);
        println!("sip captures {name} {agreed}/{compared} of {messages} messages");
        ledger.enter(&name, &differences);
    }
    println!("sip captures: {messages} messages in {} files", ledger.close());
    let listed = PASSPORTS.iter().filter(|(name, ..)| seen.contains(*name));
    let listed: BTreeMap<_, _> = listed.map(|(name, passport, count)| (format!("{name} {passport}"), *count)).collect();
    assert_eq!(said, listed, "PASSporTs of initial INVITEs");
}
