//! What our decoders read in each frame of a capture, under the names of tshark's fields.

use std::collections::HashMap;

use sealgate_wire::eth::Frame;
use sealgate_wire::sec::passport::{Compact, Identity, Scratch};
use sealgate_wire::sip::{self, Borders, Message, Name, Piece, Start};
use sealgate_wire::{Reason, Refusal, ip};

use super::tshark::Fields;

/// What is compared as it is.
pub const FIELDS: &[&str] = &[
    "sip.Method",
    "sip.r-uri",
    "sip.Status-Code",
    "sip.Call-ID",
    "sip.CSeq",
    "sip.from.addr",
    "sip.to.addr",
    "sip.pai.addr",
    "sip.Identity",
    "sip.Content-Type",
];

const TCP: u8 = 6;
const UDP: u8 = 17;
const GTP_U: u16 = 2152;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// What one frame holds.
#[derive(Default)]
pub struct Found {
    pub messages: usize,
    pub fields: Fields,
    /// Why messages would be refused.
    pub refusals: Vec<Refusal>,
    /// What becomes of the form of each PASSporT in an initial INVITE.
    pub passports: Vec<Result<(), Reason>>,
}

/// A connection in one direction: addresses as text, ports.
type Flow = (String, u16, u16);

/// Octets of a stream that are no whole message yet, and the number of the next one.
#[derive(Default)]
struct Stream {
    next: u32,
    octets: Vec<u8>,
    borders: Borders,
}

/// Reads the frames of one capture in order.
#[derive(Default)]
pub struct Decoder {
    streams: HashMap<Flow, Stream>,
}

impl Decoder {
    /// Reads one frame; `sip`: tshark found SIP there, on whatever port.
    pub fn frame(&mut self, octets: &[u8], sip: bool) -> Found {
        let mut found = Found::default();
        let Ok(frame) = Frame::parse(octets) else { return found };
        let payload = super::pcap::mended(&frame);
        self.packet(frame.ethertype, &payload, sip, &mut found);
        found
    }

    fn packet(&mut self, ethertype: u16, octets: &[u8], sip: bool, found: &mut Found) {
        let Ok(Some(packet)) = ip::Packet::parse(ethertype, octets) else { return };
        let hosts = format!("{:?} {:?}", packet.source, packet.destination);
        let Some((&[s0, s1, d0, d1], rest)) = packet.payload.split_first_chunk() else { return };
        let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let by_port = source == sip::PORT || destination == sip::PORT;
        match packet.protocol {
            UDP => {
                let Some(payload) = rest.get(4..) else { return };
                if destination == GTP_U {
                    self.tunnel(payload, sip, found);
                } else if (sip || by_port) && !sip::is_keepalive(payload) {
                    read(Message::datagram(payload), found);
                }
            }
            TCP if sip || by_port || self.streams.contains_key(&(hosts.clone(), source, destination)) => {
                self.tcp((hosts, source, destination), rest, found);
            }
            _ => {}
        }
    }

    /// A G-PDU (TS 29.281 §5): the packet behind its header.
    fn tunnel(&mut self, octets: &[u8], sip: bool, found: &mut Found) {
        let (Some(&flags), Some(0xff)) = (octets.first(), octets.get(1)) else { return };
        let header = if flags & 7 == 0 { 8 } else { 12 };
        let Some(packet) = octets.get(header..) else { return };
        let ethertype = if packet.first().is_some_and(|first| first >> 4 == 4) { IPV4 } else { IPV6 };
        self.packet(ethertype, packet, sip, found);
    }

    /// Puts a stream together as far as its segments come in order: enough for these captures.
    fn tcp(&mut self, flow: Flow, octets: &[u8], found: &mut Found) {
        let Some((&[n0, n1, n2, n3, _, _, _, _, offset, flags], _)) = octets.split_first_chunk() else { return };
        let Some(payload) = octets.get((usize::from(offset >> 4) * 4).saturating_sub(4)..) else { return };
        let number = u32::from_be_bytes([n0, n1, n2, n3]);
        let stream = self.streams.entry(flow).or_default();
        if flags & 2 != 0 {
            *stream = Stream { next: number.wrapping_add(1), ..Stream::default() };
            return;
        }
        let ahead = number.wrapping_sub(stream.next);
        if payload.is_empty() || ahead > u32::MAX - 0x1_0000 {
            return; // nothing new, or sent before
        }
        if ahead != 0 {
            *stream = Stream::default(); // the capture begins here, or lost something
        }
        stream.octets.extend_from_slice(payload);
        stream.next = number.wrapping_add(payload.len() as u32);
        loop {
            match stream.borders.next(&stream.octets) {
                Ok(Some(Piece::Idle(len))) => {
                    stream.octets.drain(..len);
                }
                Ok(Some(Piece::Message(len))) if len <= stream.octets.len() => {
                    let rest = stream.octets.split_off(len);
                    read(Message::stream(&stream.octets), found);
                    stream.octets = rest;
                }
                Ok(_) => break,
                Err(refusal) => {
                    found.refusals.push(refusal);
                    *stream = Stream { next: stream.next, ..Stream::default() };
                    break;
                }
            }
        }
    }
}

fn read(message: Result<Message<'_>, Refusal>, found: &mut Found) {
    let message = match message {
        Ok(message) => message,
        Err(refusal) => {
            found.refusals.push(refusal);
            return;
        }
    };
    found.messages += 1;
    let mut add = |name: &'static str, value: &[u8]| {
        let text = found.fields.entry(name).or_default();
        if !text.is_empty() {
            text.push(';');
        }
        let value = String::from_utf8_lossy(value).into_owned();
        text.push_str(&value.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r"));
    };
    match message.view.start() {
        Start::Request { method, uri, .. } => {
            add("sip.Method", method.0);
            add("sip.r-uri", uri);
        }
        Start::Response { status, .. } => add("sip.Status-Code", status.to_string().as_bytes()),
    }
    add("sip.Call-ID", message.call_id);
    add("sip.from.addr", message.from.uri.raw);
    add("sip.to.addr", message.to.uri.raw);
    for header in message.view.headers() {
        match header.name {
            Name::CSeq => add("sip.CSeq", header.value),
            Name::Identity => add("sip.Identity", header.value),
            Name::ContentType => add("sip.Content-Type", header.value),
            _ => {}
        }
    }
    let asserted = message.asserted(|address| {
        add("sip.pai.addr", address.uri.raw);
        Ok(())
    });
    found.refusals.extend(asserted.err());
    let (Ok(calling), Ok(called)) = (message.calling(true), message.called()) else { return };
    for header in message.identities().filter(|_| message.is_initial_invite()) {
        let compact = Compact { orig: &calling.digits, dest: &called.digits, date: message.date().ok().flatten() };
        let read = Identity::parse(&header).and_then(|identity| {
            identity.signature()?;
            identity
                .read(&compact, &mut Scratch::default())?
                .names(&calling.digits, &called.digits)
                .map_err(|reason| reason.at(0))
        });
        found.passports.push(read.map_err(|refusal| refusal.reason));
    }
}
