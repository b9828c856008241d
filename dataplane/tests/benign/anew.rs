//! Messages of a capture in frames of ours: for what has a carrier that is made up, or one that no link has.

use std::net::IpAddr;

use sealgate_wire::addr::PointCode;
use sealgate_wire::ber::Rules;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::{diameter, ip, m3ua, map, sccp, sctp, tcap, tcp};

use crate::case::Case;
use crate::frames::layers;

/// Lays the messages of a frame into frames anew, over SCTP: what was taken from a link of M2UA (RFC 3331) into M3UA, as a
/// signalling gateway would send it on; what has an envelope of one direction on the way that its sender has; Diameter of
/// segments that belong to no connection.
///
/// * `tsns`: the last number of either way
pub fn reframe(octets: &[u8], case: &Case, tsns: &mut [u32; 2]) -> Vec<Vec<u8>> {
    let Some(at) = layers(octets) else { return vec![octets.to_vec()] };
    let payload = &octets[at.transport..at.end];
    let mut anew = |(one, other): (IpAddr, IpAddr), back: bool, ppid, user: &[u8]| {
        let tsn = &mut tsns[usize::from(back)];
        *tsn += 1;
        if back { laid((other, one), 2, *tsn, ppid, user) } else { laid((one, other), 1, *tsn, ppid, user) }
    };
    match at.protocol {
        tcp::PROTOCOL => {
            let segment = tcp::Segment::parse(payload).expect("a segment");
            let whole = (!segment.payload.is_empty()).then_some(segment.payload);
            let ends = (at.source, at.destination);
            whole.map(|user| anew(ends, false, diameter::PPID, user)).into_iter().collect()
        }
        ip::SCTP => {
            let hosts = case.links[0].hosts.map(|hosts| hosts[0].parse().expect("an address"));
            let packet = sctp::Packet::parse(payload).expect("a packet");
            let data = packet.chunks().filter(|chunk| chunk.kind == sctp::ChunkKind::DATA);
            let units = data.filter_map(|chunk| {
                let data = sctp::Data::parse(&chunk).expect("DATA");
                let unit = if data.ppid == M2UA {
                    of_unit(protocol_data(data.user).expect("a signal unit"))
                } else {
                    m3ua::Data::parse(m3ua::View::new(data.user).ok()?).ok()?
                };
                let back = case.answers.contains(&unit.opc.0) || is_of(unit.user, case.titles);
                // Whoever speaks does so under a code of its own.
                let strange = case.links[0].codes[usize::from(!back)].contains(&unit.opc.0);
                let (opc, dpc) = if strange { (unit.dpc, unit.opc) } else { (unit.opc, unit.dpc) };
                let mut user = Vec::new();
                assert!(m3ua::Data { opc, dpc, ..unit }.emit(&mut user));
                Some((back, user))
            });
            units.map(|(back, user)| anew((hosts[0], hosts[1]), back, m3ua::PPID, &user)).collect()
        }
        _ => vec![octets.to_vec()],
    }
}

/// The question that an answer of MAP answers, from whom that is for: a short message is to be delivered (operation 45).
pub fn question(octets: &[u8], tsn: &mut u32) -> Option<Vec<u8>> {
    const SHORT_MESSAGE_GATEWAY_3: [u8; 7] = [4, 0, 0, 1, 0, 20, 3];
    let at = layers(octets).filter(|at| at.protocol == ip::SCTP)?;
    let packet = sctp::Packet::parse(&octets[at.transport..at.end]).ok()?;
    let chunk = packet.chunks().find(|chunk| chunk.kind == sctp::ChunkKind::DATA)?;
    let asked = m3ua::Data::parse(m3ua::View::new(sctp::Data::parse(&chunk).ok()?.user).ok()?).ok()?;
    let unitdata = sccp::Unitdata::parse(asked.user).ok()?;
    let id = tcap::Message::parse(unitdata.data, Rules::Lenient).ok()?.dtid?;
    let number = "999700000000".parse().expect("digits");
    let (mut argument, mut component, mut begin) = (Vec::new(), Vec::new(), Vec::new());
    map::send_routing_info_for_sm(&number, &number, &mut argument);
    tcap::emit_invoke(1, 45, &argument, &mut component);
    tcap::emit_begin(id, Some(&SHORT_MESSAGE_GATEWAY_3), &component, &mut begin);
    let (mut udt, mut user) = (Vec::new(), Vec::new());
    let (called, calling) = (unitdata.calling, unitdata.called);
    sccp::emit(sccp::Kind::Udt, 0, None, called, calling, &begin, None, None, &mut udt).ok()?;
    assert!(m3ua::Data { opc: asked.dpc, dpc: asked.opc, user: &udt, ..asked }.emit(&mut user));
    *tsn += 1;
    Some(laid((at.destination, at.source), 9, *tsn, m3ua::PPID, &user))
}

/// A frame with one DATA chunk.
fn laid(ends: (IpAddr, IpAddr), vtag: u32, tsn: u32, ppid: u32, user: &[u8]) -> Vec<u8> {
    let path = Path {
        source_mac: [2, 0, 0, 0, 0, 1],
        destination_mac: [2, 0, 0, 0, 0, 2],
        vlan: None,
        source: ends.0,
        destination: ends.1,
        source_port: 2905,
        destination_port: 2905,
        vtag,
    };
    let (begin, end, ssn) = (true, true, tsn as u16);
    let chunk = sctp::Data { begin, end, unordered: false, immediate: false, tsn, stream: 1, ssn, ppid, user };
    let mut frame = Vec::new();
    assert!(path.emit(1, |out| assert!(sctp::emit_data(&chunk, out)), &mut frame));
    frame
}

/// Whether the calling title of a message of SCCP is one of these.
fn is_of(octets: &[u8], titles: &[&str]) -> bool {
    let Ok(unitdata) = sccp::Unitdata::parse(octets) else { return false };
    let calling = sccp::party(unitdata.calling).ok().and_then(|(title, _)| title);
    calling.is_some_and(|title| titles.contains(&title.digits.to_string().as_str()))
}

/// The payload protocol identifier of M2UA.
const M2UA: u32 = 2;

/// The message signal unit in a message of M2UA: its parameter 0x0300 (RFC 3331 §3.3.1.1).
fn protocol_data(message: &[u8]) -> Option<&[u8]> {
    let mut rest = message.get(8..)?;
    loop {
        let (tag, len) = (rest.get(..2)?, usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?])));
        if tag == [3, 0] {
            return rest.get(4..len);
        }
        rest = rest.get(len.next_multiple_of(4).max(4)..)?;
    }
}

/// A message signal unit with a label of 14 bits (Q.704 §14), as M3UA has it.
fn of_unit(unit: &[u8]) -> m3ua::Data<'_> {
    let label = u32::from_le_bytes(unit[1..5].try_into().expect("a label"));
    let (dpc, opc, sls) = (label & 0x3fff, label >> 14 & 0x3fff, label >> 28);
    m3ua::Data {
        network_appearance: None,
        routing_context: None,
        correlation: None,
        opc: PointCode(opc),
        dpc: PointCode(dpc),
        si: unit[0] & 15,
        ni: unit[0] >> 6,
        mp: 0,
        sls: sls as u8,
        user: &unit[5..],
    }
}
