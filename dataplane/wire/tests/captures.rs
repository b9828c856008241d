//! Our decoders against tshark's, field by field, over every capture that carries SS7 or SCTP.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in `captures/known.rs` is red, and so is one there that went away.

#[path = "captures/known.rs"]
mod known;
#[path = "captures/ledger.rs"]
mod ledger;
#[path = "captures/ours.rs"]
mod ours;
#[path = "captures/pcap.rs"]
mod pcap;
#[path = "captures/theirs.rs"]
mod theirs;
#[path = "captures/tshark.rs"]
mod tshark;

use std::collections::BTreeSet;
use std::path::Path;

use known::KNOWN;
use ledger::{Difference, Ledger};

struct Outcome {
    compared: usize,
    differences: Vec<Difference>,
}

/// Whether a capture is of SS7 or SCTP.
fn wanted(name: &str) -> bool {
    let prefixes = ["ss7_", "mix_", "sctp_", "l2_sctp_", "syn_"];
    let other = ["ss7_native_", "syn_sip_", "syn_gtpc_", "syn_diameter_tcp"];
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    begins(&prefixes) && !begins(&other)
}

/// Adaptations that we do not read: there only SCTP is compared.
fn only_sctp(name: &str) -> bool {
    ["ss7_m2ua_", "syn_sua", "syn_m2pa"].iter().any(|prefix| name.starts_with(prefix))
}

fn compare(path: &Path, name: &str) -> Option<Outcome> {
    let file = std::fs::read(path).ok()?;
    let (frames, rows) = (pcap::frames(&file)?, theirs::rows(path)?);
    assert_eq!(frames.len(), rows.len(), "{name}: one line for each frame");
    let mut decoder = ours::Decoder::new(!only_sctp(name));
    let mut outcome = Outcome { compared: 0, differences: Vec::new() };
    for (i, (octets, row)) in frames.iter().zip(rows).enumerate() {
        let mut ours = decoder.frame(octets);
        if row.malformed {
            continue;
        }
        let mut theirs = row.fields;
        if only_sctp(name) {
            theirs.retain(|field, _| field.starts_with("sctp."));
        } else if !row.protocols.contains("sccp") {
            // Identities of ISUP, Diameter, S1AP and others.
            theirs.retain(|field, _| !field.starts_with('e'));
        }
        if !row.protocols.contains("gsm_map") {
            ours.remove("invoke ids"); // no column
        }
        let fields: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for field in fields {
            outcome.compared += 1;
            let text = |values: Option<&Vec<String>>| values.map(|values| values.join(";")).unwrap_or_default();
            let (ours, theirs) = (text(ours.get(field)), text(theirs.get(field)));
            if ours != theirs {
                outcome.differences.push(Difference { frame: i + 1, field, ours, theirs });
            }
        }
    }
    Some(outcome)
}

#[test]
fn tshark_reads_the_same() {
    let Some(folder) = ledger::folder() else { return };
    let mut ledger = Ledger::new(KNOWN);
    for path in tshark::captures(&folder, wanted) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(outcome) = compare(&path, &name) else {
            ledger.unread(&name);
            continue;
        };
        println!("captures {name} {}/{}", outcome.compared - outcome.differences.len(), outcome.compared);
        ledger.enter(&name, &outcome.differences);
    }
    ledger.close();
}
