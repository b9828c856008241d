//! What our decoders read in each frame of a capture, under the names of tshark's fields.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sealgate_wire::diameter::{self, Avp, AvpId, Avps, Message, Party, View, dictionary};
use sealgate_wire::eth::Frame;
use sealgate_wire::sctp::{ChunkKind, Data};
use sealgate_wire::{Refusal, ip, sctp};

use super::tshark::Fields;

/// What is compared as it is.
pub const FIELDS: &[&str] = &[
    "diameter.cmd.code",
    "diameter.flags",
    "diameter.applicationId",
    "diameter.length",
    "diameter.hopbyhopid",
    "diameter.endtoendid",
    "diameter.Session-Id",
    "diameter.Origin-Host",
    "diameter.Origin-Realm",
    "diameter.Destination-Host",
    "diameter.Destination-Realm",
    "diameter.User-Name",
    "diameter.Result-Code",
    "diameter.Experimental-Result-Code",
    "diameter.Visited-PLMN-Id",
    "diameter.avp.code",
];

/// The port of Diameter (RFC 6733 §11.4).
const PORT: u16 = 3868;
const TCP: u8 = 6;

/// What one frame holds.
#[derive(Default)]
pub struct Found {
    pub messages: usize,
    pub fields: Fields,
    /// IMSIs and numbers, under tshark's names.
    pub numbers: BTreeSet<(&'static str, String)>,
    /// Why messages would be refused.
    pub refusals: Vec<Refusal>,
}

/// An association or connection in one direction: addresses as text, ports, verification tag.
type Flow = (String, u16, u16, u32);

/// A DATA chunk that waits for the rest of its message.
struct Fragment {
    begin: bool,
    end: bool,
    octets: Vec<u8>,
}

/// Octets of a stream that are no whole message yet, and the number of the next one.
#[derive(Default)]
struct Stream {
    next: u32,
    octets: Vec<u8>,
}

/// Reads the frames of one capture in order.
#[derive(Default)]
pub struct Decoder {
    /// What came once is not read again.
    seen: HashSet<(Flow, u32)>,
    fragments: HashMap<(Flow, u16), BTreeMap<u32, Fragment>>,
    streams: HashMap<Flow, Stream>,
}

impl Decoder {
    /// Reads one frame.
    pub fn frame(&mut self, octets: &[u8]) -> Found {
        let mut found = Found::default();
        let Ok(frame) = Frame::parse(octets) else { return found };
        let payload = super::pcap::mended(&frame);
        if let Ok(Some(packet)) = ip::Packet::parse(frame.ethertype, &payload) {
            let hosts = format!("{:?} {:?}", packet.source, packet.destination);
            match packet.protocol {
                ip::SCTP => self.sctp(hosts, packet.payload, &mut found),
                TCP => self.tcp(hosts, packet.payload, &mut found),
                _ => {}
            }
        }
        found
    }

    fn sctp(&mut self, hosts: String, octets: &[u8], found: &mut Found) {
        let Ok(packet) = sctp::Packet::parse(octets) else { return };
        let flow = (hosts, packet.source_port, packet.destination_port, packet.vtag);
        for chunk in packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA) {
            let Ok(data) = Data::parse(&chunk) else { continue };
            let by_port = data.ppid == 0 && (flow.1 == PORT || flow.2 == PORT); // as tshark does
            if (data.ppid == diameter::PPID || by_port)
                && self.seen.insert((flow.clone(), data.tsn))
                && let Some(user) = self.whole(&flow, &data)
            {
                message(&user, found);
            }
        }
    }

    /// The user message that this chunk completes.
    fn whole(&mut self, flow: &Flow, data: &Data<'_>) -> Option<Vec<u8>> {
        if data.is_whole() {
            return Some(data.user.to_vec());
        }
        let waiting = self.fragments.entry((flow.clone(), data.stream)).or_default();
        let fragment = Fragment { begin: data.begin, end: data.end, octets: data.user.to_vec() };
        waiting.insert(data.tsn, fragment);
        let mut tsn = data.tsn;
        while !waiting.get(&tsn)?.begin {
            tsn = tsn.wrapping_sub(1);
        }
        let mut user = Vec::new();
        loop {
            let fragment = waiting.get(&tsn)?;
            user.extend_from_slice(&fragment.octets);
            if fragment.end {
                return Some(user);
            }
            tsn = tsn.wrapping_add(1);
        }
    }

    /// Puts a stream together as far as its segments come in order: enough for these captures.
    fn tcp(&mut self, hosts: String, octets: &[u8], found: &mut Found) {
        let Some((&[s0, s1, d0, d1, n0, n1, n2, n3, _, _, _, _, offset, flags], _)) = octets.split_first_chunk() else {
            return;
        };
        let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let Some(payload) = octets.get(usize::from(offset >> 4) * 4..) else { return };
        if source != PORT && destination != PORT {
            return;
        }
        let number = u32::from_be_bytes([n0, n1, n2, n3]);
        let stream = self.streams.entry((hosts, source, destination, 0)).or_default();
        if flags & 2 != 0 {
            *stream = Stream { next: number.wrapping_add(1), octets: Vec::new() };
            return;
        }
        let ahead = number.wrapping_sub(stream.next);
        if payload.is_empty() || ahead > u32::MAX - 0x1_0000 {
            return; // nothing new, or sent before
        }
        if ahead != 0 {
            stream.octets.clear(); // the capture begins here, or lost something
        }
        stream.octets.extend_from_slice(payload);
        stream.next = number.wrapping_add(payload.len() as u32);
        loop {
            match diameter::stream_len(&stream.octets) {
                Ok(Some(len)) if len <= stream.octets.len() => {
                    let rest = stream.octets.split_off(len);
                    message(&stream.octets, found);
                    stream.octets = rest;
                }
                Ok(_) => break,
                Err(_) => {
                    stream.octets.clear();
                    break;
                }
            }
        }
    }
}

fn add(found: &mut Found, name: &'static str, value: String) {
    let text = found.fields.entry(name).or_default();
    if !text.is_empty() {
        text.push(';');
    }
    text.push_str(&value);
}

fn message(octets: &[u8], found: &mut Found) {
    let Ok(view) = View::new(octets) else { return };
    let header = view.header();
    found.messages += 1;
    add(found, "diameter.cmd.code", header.command.to_string());
    add(found, "diameter.flags", format!("0x{:02x}", header.flags.0));
    add(found, "diameter.applicationId", header.application.to_string());
    add(found, "diameter.length", view.total_len().to_string());
    add(found, "diameter.hopbyhopid", format!("0x{:08x}", header.hop_by_hop));
    add(found, "diameter.endtoendid", format!("0x{:08x}", header.end_to_end));
    tree(view.avps(), found);
    match Message::parse(octets) {
        Ok(message) => diameter::visit(&message, &mut |party, digits, _| {
            let name = if party == Party::Imsi { "e212.imsi" } else { "e164.msisdn" };
            found.numbers.insert((name, digits.to_string()));
        }),
        Err(refusal) => found.refusals.push(refusal),
    }
}

/// Every AVP, and those in groups behind their group.
fn tree(avps: Avps<'_>, found: &mut Found) {
    for avp in avps.flatten() {
        add(found, "diameter.avp.code", avp.id.code().to_string());
        named(&avp, found);
        if dictionary::is_grouped(avp.id) {
            tree(avp.children(), found);
        }
    }
}

fn named(avp: &Avp<'_>, found: &mut Found) {
    let text = |avp: &Avp<'_>| {
        let text = String::from_utf8_lossy(avp.data).into_owned();
        text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
    };
    let name = match avp.id {
        AvpId::SESSION_ID => "diameter.Session-Id",
        AvpId::ORIGIN_HOST => "diameter.Origin-Host",
        AvpId::ORIGIN_REALM => "diameter.Origin-Realm",
        AvpId::DESTINATION_HOST => "diameter.Destination-Host",
        AvpId::DESTINATION_REALM => "diameter.Destination-Realm",
        AvpId::USER_NAME => "diameter.User-Name",
        AvpId::RESULT_CODE => return number(avp, "diameter.Result-Code", found),
        AvpId::EXPERIMENTAL_RESULT_CODE => return number(avp, "diameter.Experimental-Result-Code", found),
        AvpId::VISITED_PLMN_ID => {
            let octets = avp.data.iter().map(|octet| format!("{octet:02x}")).collect();
            return add(found, "diameter.Visited-PLMN-Id", octets);
        }
        _ => return,
    };
    add(found, name, text(avp));
}

fn number(avp: &Avp<'_>, name: &'static str, found: &mut Found) {
    if let Some(value) = avp.u32() {
        add(found, name, value.to_string());
    }
}
