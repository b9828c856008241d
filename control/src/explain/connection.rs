//! Messages over TCP, as the worker finds them: the same engine, beside it, which lets everything pass.

use sealgate_config::model::LinkKind;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::stream::{Config, DIAMETER, Departure, Fate, Key, SIP, Sink, Streams, Ticket};
use sealgate_wire::tcp::{Flags, Segment};
use sealgate_wire::{eth, ip, tcp};

use super::{Line, link_of};

/// The connections of a capture.
pub(super) struct Connections {
    streams: Streams,
    found: Found,
}

impl Default for Connections {
    fn default() -> Self {
        // What the worker refuses for its length or for being late is no message here either way: nobody asks for it.
        Self { streams: Streams::new(Config::default()), found: Found::default() }
    }
}

#[derive(Default)]
struct Found(Vec<(Ticket, Vec<u8>)>);

impl Sink for Found {
    fn send(&mut self, _: &Departure<'_>) {}

    fn offer(&mut self, ticket: Ticket, octets: &[u8]) {
        self.0.push((ticket, octets.to_vec()));
    }
}

/// What a frame over TCP is.
pub(super) struct Piece {
    pub(super) link: u16,
    pub(super) way: Direction,
    pub(super) kind: LinkKind,
    /// Messages that are whole with it: sequence number of the first octet, and octets.
    pub(super) messages: Vec<(u32, Vec<u8>)>,
}

impl Connections {
    /// Takes a frame; `None` if it carries no TCP of a link.
    pub(super) fn take(
        &mut self,
        snapshot: &Snapshot,
        octets: &[u8],
        now_ms: u64,
        lines: &mut Vec<Line>,
    ) -> Option<Piece> {
        let frame = eth::Frame::parse(octets).ok()?;
        let packet = ip::Packet::parse(frame.ethertype, frame.payload).ok()??;
        let (link, way) = link_of(snapshot, (packet.source, packet.destination))?;
        let config = &snapshot.links.get(usize::from(link))?.config;
        let protocol = match config.kind {
            LinkKind::Diameter => DIAMETER,
            LinkKind::Sip => SIP,
            LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua | LinkKind::Gtp => return None,
        };
        if packet.protocol != tcp::PROTOCOL || !config.transports.tcp {
            return None;
        }
        let segment = Segment::parse(packet.payload).ok()?;
        let header = &segment.header;
        let (from, to) = ((packet.source, header.source_port), (packet.destination, header.destination_port));
        let ((remote, remote_port), (local, local_port)) = if way == Direction::In { (from, to) } else { (to, from) };
        let names = [(Flags::SYN, "SYN"), (Flags::FIN, "FIN"), (Flags::RST, "RST"), (Flags::ACK, "ACK")];
        let flags: Vec<_> = names.iter().filter(|(flag, _)| header.flags.has(*flag)).map(|(_, name)| *name).collect();
        let text = format!(
            "port {} to {}, {}: sequence number {}, {} octets",
            header.source_port,
            header.destination_port,
            flags.join(" "),
            header.seq,
            segment.payload.len()
        );
        lines.push(Line { layer: "TCP", text });
        let key = Key { link: u32::from(link), remote, local, remote_port, local_port };
        let Self { streams, found } = self;
        streams.segment(&key, way, &[0], &segment, &protocol, now_ms, found);
        let mut messages = Vec::new();
        // Each verdict may make room for another message.
        while !found.0.is_empty() {
            for (ticket, octets) in std::mem::take(&mut found.0) {
                messages.extend(streams.place(ticket).map(|seq| (seq, octets)));
                let _ = streams.settle(ticket, Fate::AsCame, now_ms, found);
            }
        }
        if messages.is_empty() && !segment.payload.is_empty() {
            let text = "no message is whole with it, or all of it was here before".to_owned();
            lines.push(Line { layer: "connection", text });
        }
        Some(Piece { link, way, kind: config.kind, messages })
    }
}
