//! What our decoders read in each frame of a capture, under the names of tshark's fields.

use super::tshark::Fields;

use sealgate_wire::eth::Frame;
use sealgate_wire::gtp::{self, Datagram, Ies, Message, Version, user_plane};
use sealgate_wire::{Reason, Refusal, ip, udp};

/// What is compared as it is.
pub const FIELDS: &[&str] = &[
    "gtp.flags.version",
    "gtp.message",
    "gtp.teid",
    "gtp.seq_number",
    "gtp.apn",
    "gtpv2.version",
    "gtpv2.message_type",
    "gtpv2.teid",
    "gtpv2.seq",
    "gtpv2.apn",
    "gtpv2.cause",
    "e212.imsi",
    "e164.msisdn",
];

/// What one frame holds.
#[derive(Default)]
pub struct Found {
    pub messages: usize,
    /// Packets of the user plane in which nobody speaks GTP.
    pub tunnelled: usize,
    /// Messages of GTP'.
    pub prime: usize,
    pub fields: Fields,
    /// Why messages would be refused.
    pub refusals: Vec<Refusal>,
}

/// Reads one frame.
pub fn frame(octets: &[u8]) -> Found {
    let mut found = Found::default();
    let Ok(frame) = Frame::parse(octets) else { return found };
    let payload = super::pcap::mended(&frame);
    let Ok(Some(packet)) = ip::Packet::parse(frame.ethertype, &payload) else { return found };
    if packet.protocol != udp::PROTOCOL {
        return found;
    }
    // Some captures have no UDP checksums, and tshark does not look at them.
    let Some((&[s0, s1, d0, d1, _, _, _, _], payload)) = packet.payload.split_first_chunk() else { return found };
    let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let is = |port| source == port || destination == port;
    if is(gtp::PORT) {
        control(payload, &mut found);
    } else if is(gtp::PORT_USER) {
        match user_plane::judge(payload) {
            Ok(()) => found.tunnelled += 1,
            Err(refusal) => found.refusals.push(refusal),
        }
    } else if is(gtp::PORT_PRIME) {
        match Datagram::parse(payload) {
            Err(refusal) if refusal.reason == Reason::GtpVersion => found.prime += 1,
            other => panic!("{other:?} on the port of GTP'"),
        }
    }
    found
}

fn control(octets: &[u8], found: &mut Found) {
    match Datagram::parse(octets) {
        Ok(read) => read.messages().for_each(|message| message_of(message, found)),
        Err(refusal) => found.refusals.push(refusal),
    }
}

fn message_of(message: &Message<'_>, found: &mut Found) {
    found.messages += 1;
    let mut add = |name: &'static str, value: String| {
        let text = found.fields.entry(name).or_default();
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(&value);
    };
    let view = &message.view;
    let apn = message.apn.map(|apn| {
        let mut out = Vec::new();
        apn.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    });
    match view.version {
        Version::V1 => {
            add("gtp.flags.version", "1".into());
            add("gtp.message", format!("0x{:02x}", view.kind.0));
            add("gtp.teid", format!("0x{:08x}", view.teid.unwrap_or_default()));
            add("gtp.seq_number", format!("0x{:04x}", view.sequence));
            apn.into_iter().for_each(|apn| add("gtp.apn", apn));
        }
        Version::V2 => {
            add("gtpv2.version", "2".into());
            add("gtpv2.message_type", view.kind.0.to_string());
            view.teid.iter().for_each(|teid| add("gtpv2.teid", format!("0x{teid:08x}")));
            add("gtpv2.seq", format!("0x{:06x}", view.sequence));
            apn.into_iter().for_each(|apn| add("gtpv2.apn", apn));
            let mut causes = Vec::new();
            collect(view.ies(), &mut causes);
            causes.iter().for_each(|cause| add("gtpv2.cause", cause.to_string()));
        }
    }
    message.imsi.iter().for_each(|imsi| add("e212.imsi", imsi.to_string()));
    message.msisdn.iter().for_each(|msisdn| add("e164.msisdn", msisdn.to_string()));
}

/// Causes of the message and of its bearers, in the order they stand there.
fn collect(ies: Ies<'_>, causes: &mut Vec<u8>) {
    for ie in ies.flatten() {
        if ie.kind == 2 {
            causes.extend(ie.value.first());
        }
        collect(ie.children(), causes);
    }
}
