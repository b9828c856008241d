//! What must hold of datagrams that leave, found out without the pipeline.

use std::collections::HashSet;

use sealgate_wire::sip::{self, Message};
use sealgate_wire::{eth, ip, udp};

/// What a frame carries over UDP; `None` if it is none, or none that is whole.
pub(super) fn payload_of(frame: &[u8]) -> Option<&[u8]> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    if packet.protocol != udp::PROTOCOL {
        return None;
    }
    udp::Datagram::parse(packet.source, packet.destination, packet.payload).ok().map(|datagram| datagram.payload)
}

/// A datagram left: as one came, in the plain form of one that came, or on its way out with a PASSporT more.
///
/// * `came`: frames of this direction; `port`: 1 is home
pub(super) fn left(came: &HashSet<Vec<u8>>, port: usize, frame: &[u8], payload: &[u8]) {
    let message = Message::datagram(payload);
    if port == 1 {
        let known = sip::is_keepalive(payload) || message.is_ok_and(|message| message.view.trailing() == 0);
        assert!(known, "a datagram left towards home that we cannot read: {payload:02x?}");
    }
    if came.contains(frame) {
        return;
    }
    let Ok(message) = message else { panic!("a datagram left that never came: {payload:02x?}") };
    let plain = |octets: &[u8], without_identities: bool| {
        let message = Message::datagram(octets).ok()?;
        let mut out = Vec::new();
        let leave = |header: &sip::Header<'_>| without_identities && header.name == sip::Name::Identity;
        sip::rebuild(&message.view, true, leave, b"", &mut out).then_some(out)
    };
    let signed = port == 0 && message.identity_count == 1;
    let want = plain(payload, signed);
    let same = |came: &Vec<u8>| payload_of(came).and_then(|came| plain(came, false)) == want;
    assert!(came.iter().any(same), "changed without a reason: {}", String::from_utf8_lossy(payload));
}
