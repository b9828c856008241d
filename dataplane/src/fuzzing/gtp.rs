//! What must hold of datagrams of GTP that leave, found out without the pipeline.

use std::collections::HashSet;

use sealgate_config::model::LinkKind;
use sealgate_wire::gtp::{Datagram, user_plane};
use sealgate_wire::{eth, ip};

use crate::policy::Snapshot;

/// Whether a frame is of a link that carries GTP.
pub(super) fn is_of(snapshot: &Snapshot, frame: &[u8]) -> bool {
    let Ok(ethernet) = eth::Frame::parse(frame) else { return false };
    let Ok(Some(packet)) = ip::Packet::parse(ethernet.ethertype, ethernet.payload) else { return false };
    let (source, destination) = (packet.source, packet.destination);
    let link = snapshot.link(source, destination).or_else(|| snapshot.link(destination, source));
    let link = link.and_then(|link| snapshot.links.get(usize::from(link)));
    link.is_some_and(|link| link.config.kind == LinkKind::Gtp)
}

/// A datagram left: just as it came, and towards home only what reads as one plane or the other.
///
/// * `came`: frames of this direction; `port`: 1 is home
pub(super) fn left(came: &HashSet<Vec<u8>>, port: usize, frame: &[u8], payload: &[u8]) {
    assert!(came.contains(frame), "a datagram left that never came: {frame:02x?}");
    // A tunnel with GTP in it is neither.
    let known = user_plane::judge(payload).is_ok() || Datagram::parse(payload).is_ok();
    assert!(port == 0 || known, "a datagram left towards home that we cannot read: {payload:02x?}");
}
