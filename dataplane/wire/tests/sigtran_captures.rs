//! Our decoders of M2PA and SUA against tshark's, field by field, over every capture that carries them.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in the list is red, and so is one there that went away. A message
//! that tshark reads and strict decoding refuses is a disagreement of field `refused`.

#[path = "captures/ledger.rs"]
mod ledger;
#[path = "captures/pcap.rs"]
mod pcap;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use ledger::{Difference, Known, Ledger, known};
use sealgate_wire::eth::Frame;
use sealgate_wire::m2pa::{self, Body, Msu};
use sealgate_wire::sctp::{self, ChunkKind, Data};
use sealgate_wire::sua::{self, Address, Connectionless};
use sealgate_wire::{Refusal, ip};

const CONNECTION: &str = "connection-oriented: nothing in it is read";

const KNOWN: &[Known] = &[known("syn_sua", (37, 37), "sua.destination", 2, CONNECTION)];

type Fields = BTreeMap<&'static str, String>;

const FIELDS: &[&str] = &[
    "m2pa.type",
    "mtp3.opc",
    "mtp3.dpc",
    "mtp3.service_indicator",
    "mtp3.network_indicator",
    "mtp3.sls",
    "sua.message_class",
    "sua.message_type",
    "sua.source.global_title_digits",
    "sua.source.point_code",
    "sua.source.ssn",
    "sua.destination.global_title_digits",
    "sua.destination.point_code",
    "sua.destination.ssn",
];

/// What tshark 4.0.17 reads in each frame of a capture, and whether it found M2PA or SUA there.
fn rows(capture: &Path) -> Option<Vec<(Fields, bool)>> {
    let mut name = capture.as_os_str().to_owned();
    name.push(".tshark.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(name).ok()?).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let column: HashMap<_, _> = lines.next()?.split('\t').enumerate().map(|(i, name)| (name, i)).collect();
    let row = |line: &str| {
        let values: Vec<_> = line.split('\t').collect();
        let get = |name: &str| column.get(name).and_then(|i| values.get(*i)).copied().unwrap_or_default();
        let there = get("frame.protocols").split(':').any(|protocol| matches!(protocol, "m2pa" | "sua"));
        let used = FIELDS.iter().filter(|name| there && !get(name).is_empty());
        (used.map(|name| (*name, get(name).to_owned())).collect(), there && get("_ws.malformed").is_empty())
    };
    Some(lines.map(row).collect())
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = list(folder.into()).chain(list(folder.join("synthetic")));
    let mut files: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "pcap")).collect();
    files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    files
}

/// What our decoders read in one frame.
#[derive(Default)]
struct Found {
    messages: usize,
    fields: Fields,
    refusals: Vec<Refusal>,
}

impl Found {
    fn add(&mut self, name: &'static str, value: impl ToString) {
        let text = self.fields.entry(name).or_default();
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(&value.to_string());
    }

    fn frame(octets: &[u8]) -> Self {
        let mut found = Self::default();
        let Ok(frame) = Frame::parse(octets) else { return found };
        let payload = pcap::mended(&frame);
        let Ok(Some(packet)) = ip::Packet::parse(frame.ethertype, &payload) else { return found };
        if packet.protocol != ip::SCTP {
            return found;
        }
        let Ok(packet) = sctp::Packet::parse(packet.payload) else { return found };
        for chunk in packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA) {
            let Ok(data) = Data::parse(&chunk) else { continue };
            let read = match data.ppid {
                m2pa::PPID => found.m2pa(data.user),
                sua::PPID => found.sua(data.user),
                _ => continue,
            };
            found.messages += 1;
            found.refusals.extend(read.err());
        }
        found
    }

    fn m2pa(&mut self, user: &[u8]) -> Result<(), Refusal> {
        let message = m2pa::Message::parse(user)?;
        self.add("m2pa.type", if matches!(message.body, Body::Status(_)) { 2 } else { 1 });
        if let Body::Data { msu, .. } = message.body {
            let msu = Msu::parse(msu)?;
            self.add("mtp3.opc", msu.opc.0);
            self.add("mtp3.dpc", msu.dpc.0);
            self.add("mtp3.service_indicator", format!("0x{:02x}", msu.si));
            self.add("mtp3.network_indicator", format!("0x{:02x}", msu.ni));
            self.add("mtp3.sls", msu.sls);
        }
        Ok(())
    }

    fn sua(&mut self, user: &[u8]) -> Result<(), Refusal> {
        let view = sua::View::new(user)?;
        let (class, kind) = view.kind();
        self.add("sua.message_class", class);
        self.add("sua.message_type", kind);
        if class != sua::CONNECTIONLESS {
            return Ok(());
        }
        let message = Connectionless::parse(view)?;
        let mut address = |address: &Address, [digits, code, ssn]: [&'static str; 3]| {
            address.title.iter().for_each(|title| self.add(digits, title.digits));
            address.point_code.iter().for_each(|found| self.add(code, found.0));
            address.ssn.iter().for_each(|found| self.add(ssn, found.0));
        };
        address(&message.source, ["sua.source.global_title_digits", "sua.source.point_code", "sua.source.ssn"]);
        let names = ["sua.destination.global_title_digits", "sua.destination.point_code", "sua.destination.ssn"];
        address(&message.destination, names);
        Ok(())
    }
}

#[test]
fn tshark_reads_the_same_m2pa_and_sua() {
    let Some(folder) = ledger::folder() else { return };
    let (mut ledger, mut messages) = (Ledger::new(KNOWN), 0);
    for path in captures(&folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(rows) = rows(&path).filter(|rows| rows.iter().any(|(_, there)| *there)) else { continue };
        let file = std::fs::read(&path).expect("readable");
        let Some(frames) = pcap::frames(&file) else {
            ledger.unread(&name);
            continue;
        };
        assert_eq!(frames.len(), rows.len(), "one line for each frame");
        let (mut compared, mut differences) = (0, Vec::new());
        for (i, (octets, (theirs, there))) in frames.iter().zip(rows).enumerate() {
            let found = Found::frame(octets);
            if !there {
                continue;
            }
            messages += found.messages;
            let mut differ = |field, ours: String, theirs: String| {
                differences.push(Difference { frame: i + 1, field, ours, theirs });
            };
            if !found.refusals.is_empty() {
                differ("refused", format!("{:?}", found.refusals), format!("{theirs:?}"));
            }
            let names: BTreeSet<_> = found.fields.keys().chain(theirs.keys()).copied().collect();
            for field in names {
                compared += 1;
                let text = |fields: &Fields| fields.get(field).cloned().unwrap_or_default();
                let (ours, theirs) = (text(&found.fields), text(&theirs));
                if ours != theirs {
                    differ(field, ours, theirs);
                }
            }
        }
        println!("sigtran captures {name} {}/{compared}", compared - differences.len().min(compared));
        ledger.enter(&name, &differences);
    }
    println!("sigtran captures: {messages} messages in {} files", ledger.close());
}
