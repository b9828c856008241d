//! What comes in M3UA elsewhere, in M2PA and in SUA.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::IpAddr;

use sealgate_config::model::{Link, LinkKind};
use sealgate_wire::addr::PointCode;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sccp::{self, Unitdata};
use sealgate_wire::sctp::{ChunkKind, Data, Packet};
use sealgate_wire::{eth, ip, m2pa, m3ua, sctp, sua};

/// Number of the last message that came from the other end.
pub const BSN: u32 = 0xbead;

/// Makes a link of M3UA one that carries this.
pub fn turn(link: &mut Link, kind: LinkKind) {
    link.kind = kind;
    match kind {
        LinkKind::M2pa => link.routing_contexts.clear(),
        LinkKind::Sua => {
            (link.si, link.ni) = (Vec::new(), Vec::new());
            (link.opcs, link.dpcs) = (Vec::new(), Vec::new());
        }
        _ => {}
    }
}

pub fn ppid(kind: LinkKind) -> u32 {
    match kind {
        LinkKind::M2pa => m2pa::PPID,
        LinkKind::Sua => sua::PPID,
        _ => m3ua::PPID,
    }
}

/// The message of M3UA in the other protocol; `None`: it cannot be said there.
pub fn message(kind: LinkKind, fsn: u32, user: &[u8]) -> Option<Vec<u8>> {
    let data = m3ua::View::new(user).and_then(m3ua::Data::parse).ok()?;
    match kind {
        LinkKind::M2pa => in_m2pa(fsn, &data),
        LinkKind::Sua => in_sua(&data),
        _ => Some(user.to_vec()),
    }
}

fn in_m2pa(fsn: u32, data: &m3ua::Data<'_>) -> Option<Vec<u8>> {
    let m3ua::Data { si, ni, dpc, opc, user, .. } = *data;
    let label = m2pa::Msu { si, ni, spare: 0, dpc, opc, sls: data.sls & 15, user };
    let mut msu = Vec::new();
    label.emit(&mut msu).then_some(())?;
    Some(around(fsn, &msu))
}

/// M2PA around an MSU.
pub fn around(fsn: u32, msu: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let message = m2pa::Message { bsn: BSN, fsn: fsn & 0xff_ffff, body: m2pa::Body::Data { priority: 0x40, msu } };
    assert!(message.emit(&mut out));
    out
}

fn in_sua(data: &m3ua::Data<'_>) -> Option<Vec<u8>> {
    let unitdata = Unitdata::parse(data.user).ok().filter(|_| data.si == 3)?;
    let address = |octets| {
        let read = sccp::Address::parse(octets).ok()?;
        let title = match read.gt {
            Some(gt) => Some(sua::Title {
                indicator: gt.indicator,
                translation: gt.translation_type?,
                plan: gt.plan?,
                nature: gt.nature?,
                digits: gt.digits().filter(|_| matches!(gt.scheme, Some(1 | 2)))?,
            }),
            None => None,
        };
        Some(sua::Address {
            routing: if title.is_some() { sua::Routing::Title } else { sua::Routing::Subsystem },
            includes: u16::from(read.ssn.is_some()) | u16::from(title.is_some()) << 2,
            title,
            point_code: read.point_code.map(|code| PointCode(code.into())),
            ssn: read.ssn,
        })
    };
    let segment = unitdata.segmentation.map(|segment| {
        let [a, b, c] = segment.local_ref;
        let reference = u32::from_be_bytes([0, a, b, c]);
        sua::Segment { first: segment.first, remaining: segment.remaining, reference }
    });
    let service = unitdata.kind.is_service();
    let message = sua::Connectionless {
        kind: match service {
            true => sua::Kind::Response { cause: 0x100 | u16::from(unitdata.class) },
            false => sua::Kind::Data { class: unitdata.class, sequence: data.sls.into() },
        },
        routing_context: data.routing_context.unwrap_or(1),
        source: address(unitdata.calling)?,
        destination: address(unitdata.called)?,
        hops: unitdata.hop,
        importance: unitdata.importance,
        priority: None,
        correlation: data.correlation,
        segment,
        data: Some(unitdata.data),
    };
    let mut out = Vec::new();
    message.emit(&mut out).then_some(())?;
    // What reads it back refuses it for what SCCP cannot say either.
    sua::View::new(&out).and_then(sua::Connectionless::parse).is_ok().then_some(out)
}

/// The DATA chunks of a frame over SCTP.
pub fn data_of(frame: &[u8]) -> Option<(Path, Vec<Data<'_>>)> {
    let ethernet = eth::Frame::parse(frame).ok()?;
    let network = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok()??;
    let packet = (network.protocol == ip::SCTP).then(|| Packet::parse(network.payload).ok())??;
    let (to, rest) = frame.split_first_chunk()?;
    let path = Path {
        source_mac: *rest.first_chunk()?,
        destination_mac: *to,
        vlan: None,
        source: network.source,
        destination: network.destination,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
        vtag: packet.vtag,
    };
    let data = packet.chunks().filter(|chunk| chunk.kind == ChunkKind::DATA).map(|chunk| Data::parse(&chunk).ok());
    Some((path, data.collect::<Option<_>>()?))
}

/// A frame of M3UA with its messages in the other protocol, each numbered by its TSN.
pub fn frame(kind: LinkKind, octets: &[u8]) -> Option<Vec<u8>> {
    frame_between(kind, None, octets)
}

/// The same between the hosts with this last octet.
pub fn frame_between(kind: LinkKind, host: Option<u8>, octets: &[u8]) -> Option<Vec<u8>> {
    let (mut path, data) = data_of(octets)?;
    for address in [&mut path.source, &mut path.destination] {
        if let (Some(host), IpAddr::V4(v4)) = (host, *address) {
            let [a, b, c, _] = v4.octets();
            *address = IpAddr::from([a, b, c, host]);
        }
    }
    let message = |data: &Data<'_>| {
        let whole = data.is_whole() && data.ppid == m3ua::PPID;
        message(kind, data.tsn, data.user).filter(|_| whole)
    };
    let users: Vec<Vec<u8>> = data.iter().map(message).collect::<Option<_>>()?;
    if users.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    let emit = |out: &mut Vec<u8>| {
        for (data, user) in data.iter().zip(&users) {
            assert!(sctp::emit_data(&Data { user, ppid: ppid(kind), ..*data }, out));
        }
    };
    path.emit(1, emit, &mut out).then_some(out)
}
