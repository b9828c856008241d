//! What our decoders read in each frame of a capture, under the names of tshark's fields.

use std::collections::HashSet;

use sealgate_wire::eth::Frame;
use sealgate_wire::isup::{self, Iam, View};
use sealgate_wire::sctp::{ChunkKind, Data};
use sealgate_wire::{Refusal, ip, m3ua, sctp};

use super::tshark::Fields;

/// What is compared.
pub const FIELDS: &[&str] = &["isup.cic", "isup.message_type", "isup.called", "isup.calling"];

/// Service indicator of ISUP (Q.704 §14.2.1).
const SI: u8 = 5;

/// What one frame holds.
#[derive(Default)]
pub struct Found {
    pub messages: usize,
    pub calls: usize,
    pub fields: Fields,
    /// Why messages would be refused.
    pub refusals: Vec<Refusal>,
}

/// Reads the frames of one capture in order.
#[derive(Default)]
pub struct Decoder {
    /// What came once is not read again: addresses as text, ports, verification tag, TSN.
    seen: HashSet<(String, u16, u16, u32, u32)>,
}

impl Decoder {
    /// Reads one frame.
    pub fn frame(&mut self, octets: &[u8]) -> Found {
        let mut found = Found::default();
        let Ok(frame) = Frame::parse(octets) else { return found };
        let payload = super::pcap::mended(&frame);
        let Ok(Some(ip)) = ip::Packet::parse(frame.ethertype, &payload) else { return found };
        let Ok(packet) = sctp::Packet::parse(ip.payload) else { return found };
        let hosts = format!("{:?} {:?}", ip.source, ip.destination);
        for chunk in packet.chunks().filter(|chunk| ip.protocol == ip::SCTP && chunk.kind == ChunkKind::DATA) {
            let Ok(data) = Data::parse(&chunk) else { continue };
            let place = (hosts.clone(), packet.source_port, packet.destination_port, packet.vtag, data.tsn);
            // Generated packets without a tag belong to no association.
            if data.is_whole() && data.ppid == m3ua::PPID && (self.seen.insert(place) || packet.vtag == 0) {
                user(data.user, &mut found);
            }
        }
        found
    }
}

/// Reads one M3UA message.
fn user(octets: &[u8], found: &mut Found) {
    let Ok(view) = m3ua::View::new(octets) else { return };
    let Some(data) = m3ua::Data::parse(view).ok().filter(|data| view.is_data() && data.si == SI) else { return };
    let view = match View::new(data.user) {
        Ok(view) => view,
        Err(refusal) => return found.refusals.push(refusal),
    };
    found.messages += 1;
    add(found, "isup.cic", view.cic().to_string());
    add(found, "isup.message_type", view.kind().to_string());
    if view.kind() != isup::IAM {
        return;
    }
    match Iam::parse(view) {
        Ok(iam) => {
            found.calls += 1;
            for (name, number) in [("isup.called", Some(iam.called)), ("isup.calling", iam.calling)] {
                if let Some(number) = number {
                    add(found, name, number.digits().map_or("?".to_owned(), |digits| digits.to_string()));
                }
            }
        }
        Err(refusal) => found.refusals.push(refusal),
    }
}

fn add(found: &mut Found, name: &'static str, value: String) {
    let text = found.fields.entry(name).or_default();
    if !text.is_empty() {
        text.push(';');
    }
    text.push_str(&value);
}
