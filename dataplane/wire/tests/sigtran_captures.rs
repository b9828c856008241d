//! Our decoders of M2PA and SUA against tshark's, field by field, over every capture that carries them.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared. A disagreement that is not in the list is red, and so is one there that went away. A message
//! that tshark reads and strict decoding refuses is a disagreement of field `refused`.

#[path = "captures/ledger.rs"]
mod ledger;
#[path = "captures/pcap.rs"]
mod pcap;
#[path = "captures/tshark.rs"]
mod tshark;

use ledger::{Known, Ledger, known};
use sealgate_wire::eth::Frame;
use sealgate_wire::m2pa::{self, Body, Msu};
use sealgate_wire::sctp::{self, ChunkKind, Data};
use sealgate_wire::sua::{self, Address, Connectionless};
use sealgate_wire::{Refusal, ip};
use tshark::{Comparison, Fields, Line, captures, rows};

const CONNECTION: &str = "connection-oriented: nothing in it is read";

const KNOWN: &[Known] = &[known("syn_sua", (37, 37), "sua.destination", 2, CONNECTION)];

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

/// What tshark reads in a frame, and whether it found sound M2PA or SUA there.
fn row(line: &Line<'_>) -> (Fields, bool) {
    let there = line.has("m2pa") || line.has("sua");
    (line.fields(FIELDS, there), there && !line.malformed())
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
    for path in captures(&folder, |_| true) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(rows) = rows(&path, row).filter(|rows| rows.iter().any(|(_, there)| *there)) else { continue };
        let file = std::fs::read(&path).expect("readable");
        let Some(frames) = pcap::frames(&file) else {
            ledger.unread(&name);
            continue;
        };
        assert_eq!(frames.len(), rows.len(), "one line for each frame");
        let mut read = Comparison::default();
        for (i, (octets, (theirs, there))) in frames.iter().zip(rows).enumerate() {
            let found = Found::frame(octets);
            if !there {
                continue;
            }
            messages += found.messages;
            if !found.refusals.is_empty() {
                read.refused(i + 1, found.refusals, &theirs);
            }
            read.fields(i + 1, &found.fields, &theirs);
        }
        println!("sigtran captures {name} {}/{}", read.agreed(), read.compared);
        ledger.enter(&name, &read.differences);
    }
    println!("sigtran captures: {messages} messages in {} files", ledger.close());
}
