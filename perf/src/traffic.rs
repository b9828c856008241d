//! Frames to measure with: updateLocation from one operator, each message its own.

pub mod others;
pub mod roaming;

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sec::{Header, Tvp, tcap1};
use sealgate_wire::{m3ua, map, sccp, tcap};

use crate::gateway::{NOW_MS, VTAG_IN};

/// networkLocUp version 3.
pub(crate) const LOCATION_UPDATE: [u8; 7] = [0x04, 0x00, 0x00, 0x01, 0x00, 0x01, 0x03];
pub(crate) const OPERATOR: &str = "999020000011";
pub(crate) const HOME: &str = "999010000001";

/// Messages of a corpus that is played again and again.
///
/// More than twice the retransmission memory, and TSNs far apart go once around their circle: the first message of each
/// round is then younger than the last of the round before, none is ever taken for a copy, and each is judged anew.
pub const CORPUS: u32 = 16384;
/// From one TSN of the corpus to the next; odd, so that they fill the memory evenly.
pub(crate) const STRIDE: u32 = (1 << 18) + 1;

pub(crate) fn digits(text: &str) -> Digits {
    text.parse().unwrap_or_default()
}

pub(crate) fn title(text: &str) -> GlobalTitle {
    GlobalTitle { plan: Plan::E164, digits: digits(text) }
}

/// The neighbour's path to our host, or back.
pub(crate) fn path(outbound: bool) -> Path {
    let inbound = Path {
        source_mac: [2, 0, 0, 0, 0, 0x0a],
        destination_mac: [2, 0, 0, 0, 0, 0x0b],
        vlan: None,
        source: [192, 0, 2, 10].into(),
        destination: [198, 51, 100, 10].into(),
        source_port: 2905,
        destination_port: 2905,
        vtag: VTAG_IN,
    };
    if outbound { inbound.reversed(0x00dd_ba11) } else { inbound }
}

/// The TCAP message number `i`.
fn message(i: u32) -> Vec<u8> {
    update(&digits(OPERATOR), &digits(&format!("00102{i:010}")), i)
}

/// A BEGIN with updateLocation from a node about a subscriber.
fn update(node: &Digits, imsi: &Digits, i: u32) -> Vec<u8> {
    let (mut argument, mut component, mut out) = (Vec::new(), Vec::new(), Vec::new());
    map::update_location(imsi, node, node, &mut argument);
    tcap::emit_invoke(1, 2, &argument, &mut component);
    if let Some(id) = tcap::Tid::new(&i.to_be_bytes()) {
        tcap::emit_begin(id, Some(&LOCATION_UPDATE), &component, &mut out);
    }
    out
}

/// The frame that carries a TCAP message as UDT.
fn frame(tcap: &[u8], tsn: u32, outbound: bool) -> Vec<u8> {
    let (from, to) = if outbound { (HOME, OPERATOR) } else { (OPERATOR, HOME) };
    carried(&unitdata(tcap, &title(from), &title(to)), path(outbound), tsn, outbound)
}

/// A TCAP message as UDT from a VLR to an HLR, or back.
fn unitdata(tcap: &[u8], from: &GlobalTitle, to: &GlobalTitle) -> Vec<u8> {
    let (mut called, mut calling, mut out) = (Vec::new(), Vec::new(), Vec::new());
    sccp::emit_address(to, Ssn::HLR, 0, &mut called);
    sccp::emit_address(from, Ssn::VLR, 0, &mut calling);
    let fits = sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, tcap, None, None, &mut out).is_ok();
    debug_assert!(fits);
    out
}

/// The frame that carries an SCCP message.
fn carried(unitdata: &[u8], path: Path, tsn: u32, outbound: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let (opc, dpc) = if outbound { (4112, 4128) } else { (4128, 4112) };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(opc),
        dpc: PointCode(dpc),
        si: 3,
        ni: 0,
        mp: 0,
        sls: (tsn & 15) as u8,
        user: unitdata,
    };
    let sent = path.emit_m3ua(&data, tsn, 1, tsn as u16, &mut out);
    debug_assert!(sent);
    out
}

/// [`CORPUS`] unsigned messages.
pub fn unsigned(outbound: bool) -> Vec<Vec<u8>> {
    first(CORPUS, outbound)
}

/// The first of them.
pub(crate) fn first(count: u32, outbound: bool) -> Vec<Vec<u8>> {
    (0..count).map(|i| frame(&message(i), i.wrapping_mul(STRIDE), outbound)).collect()
}

/// `count` messages signed by the operator's key, each with its own sequence number.
pub fn signed(key: &SigningKey, count: u32) -> Vec<Vec<u8>> {
    (0..count).filter_map(|i| Some(frame(&sign(key, i)?, i, false))).collect()
}

fn sign(key: &SigningKey, i: u32) -> Option<Vec<u8>> {
    let plain = message(i);
    let parsed = tcap::Message::parse(&plain, Rules::Strict).ok()?;
    let sai = key.public().sai();
    let tvp = Tvp::from_unix_ms(NOW_MS);
    let header = Header { alg: key.alg() as u8, flags: 0, node: 1, sai, tvp, seq: u64::from(i) + 1, copy: None };
    let (mut covered, mut tbs, mut component, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    header.emit(&mut covered);
    let subject = tcap1::Subject {
        calling: (title(OPERATOR), Ssn::VLR),
        called: (title(HOME), Ssn::HLR),
        tag: parsed.kind as u8,
    };
    let elements = parsed.elements.iter().copied();
    let components = parsed.components.iter().map(|component| component.raw);
    tcap1::write_tbs(&covered, None, &subject, elements, components, &mut tbs);
    let mut signature = [0; 256];
    let len = key.sign(&tbs, &mut signature).ok()?;
    tcap1::emit_component(127, 81, sai, &covered, signature.get(..len)?, &mut component);
    tcap::rebuild(&parsed, None, Some(&component), false, &mut out);
    Some(out)
}
