//! Messages of operator A and of HOME, and packets that carry them.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::sec::{Header, Tvp, tcap1};
use sealgate_wire::{m3ua, map, sccp, tcap};

/// networkLocUp version 3.
const LOCATION_UPDATE: [u8; 7] = [0x04, 0x00, 0x00, 0x01, 0x00, 0x01, 0x03];

pub fn digits(text: &str) -> Digits {
    text.parse().expect("digits")
}

pub fn title(text: &str) -> GlobalTitle {
    GlobalTitle { plan: Plan::E164, digits: digits(text) }
}

/// Verification tag of packets from interconnect, as the policy has it.
pub const VTAG_IN: u32 = 0x5ea1_9a7e;
/// Verification tag of the other direction.
pub const VTAG_OUT: u32 = 0x00dd_ba11;

/// From the neighbour to our host.
pub fn inbound() -> Path {
    Path {
        source_mac: [2, 0, 0, 0, 0, 0x0a],
        destination_mac: [2, 0, 0, 0, 0, 0x0b],
        vlan: None,
        source: [192, 0, 2, 10].into(),
        destination: [198, 51, 100, 10].into(),
        source_port: 2905,
        destination_port: 2905,
        vtag: VTAG_IN,
    }
}

/// From our host to the neighbour.
pub fn outbound() -> Path {
    inbound().reversed(VTAG_OUT)
}

/// One updateLocation on its way.
#[derive(Clone, Debug)]
pub struct Call {
    pub calling: &'static str,
    pub called: &'static str,
    pub id: u32,
    /// Node numbers inside the argument.
    pub node: &'static str,
    pub outbound: bool,
}

impl Call {
    /// From operator A to HOME.
    pub fn inbound(id: u32) -> Self {
        Self { calling: "999020000011", called: "999010000001", id, node: "999020000011", outbound: false }
    }

    /// From HOME to operator A.
    pub fn outbound(id: u32) -> Self {
        Self { calling: "999010000001", called: "999020000011", id, node: "999010000001", outbound: true }
    }

    pub fn tcap(&self) -> Vec<u8> {
        let (mut argument, mut component, mut message) = (Vec::new(), Vec::new(), Vec::new());
        let imsi = format!("00102{:010}", self.id);
        map::update_location(&digits(&imsi), &digits(self.node), &digits(self.node), &mut argument);
        tcap::emit_invoke(1, 2, &argument, &mut component);
        let id = tcap::Tid::new(&self.id.to_be_bytes()).expect("four octets");
        tcap::emit_begin(id, Some(&LOCATION_UPDATE), &component, &mut message);
        message
    }

    /// The SCCP message around `tcap`, as UDT.
    pub fn udt(&self, tcap: &[u8]) -> Vec<u8> {
        let (called, calling) = self.addresses();
        let mut out = Vec::new();
        sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, tcap, None, None, &mut out).expect("fits");
        out
    }

    pub fn addresses(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut called, mut calling) = (Vec::new(), Vec::new());
        sccp::emit_address(&title(self.called), Ssn::HLR, 0, &mut called);
        sccp::emit_address(&title(self.calling), Ssn::VLR, 0, &mut calling);
        (called, calling)
    }

    /// The M3UA message around `sccp`.
    pub fn m3ua(&self, sccp: &[u8]) -> Vec<u8> {
        let (opc, dpc) = if self.outbound { (4112, 4128) } else { (4128, 4112) };
        let data = m3ua::Data {
            network_appearance: None,
            routing_context: Some(1),
            correlation: None,
            opc: PointCode(opc),
            dpc: PointCode(dpc),
            si: 3,
            ni: 0,
            mp: 0,
            sls: 3,
            user: sccp,
        };
        let mut out = Vec::new();
        assert!(data.emit(&mut out));
        out
    }

    pub fn unsigned(&self) -> Vec<u8> {
        self.m3ua(&self.udt(&self.tcap()))
    }

    /// An END with this number, as if it answered one of ours.
    pub fn end(&self) -> Vec<u8> {
        let (mut component, mut message) = (Vec::new(), Vec::new());
        tcap::emit_result_last(1, 2, &[], &mut component);
        let id = tcap::Tid::new(&self.id.to_be_bytes()).expect("four octets");
        tcap::emit_end(id, None, &component, &mut message);
        message
    }

    /// The TCAP message with a security component of this key.
    pub fn signed_tcap(&self, key: &SigningKey, seq: u64, at_ms: u64) -> Vec<u8> {
        self.sign(&self.tcap(), key, seq, at_ms)
    }

    /// Another message between the same titles with a security component of this key.
    pub fn sign(&self, plain: &[u8], key: &SigningKey, seq: u64, at_ms: u64) -> Vec<u8> {
        let parsed = tcap::Message::parse(plain, Rules::Strict).expect("ours");
        let sai = key.public().sai();
        let alg = key.alg() as u8;
        let header = Header { alg, flags: 0, node: 1, sai, tvp: Tvp::from_unix_ms(at_ms), seq, copy: None };
        let (mut covered, mut tbs, mut component, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        header.emit(&mut covered);
        let subject = tcap1::Subject {
            calling: (title(self.calling), Ssn::VLR),
            called: (title(self.called), Ssn::HLR),
            tag: parsed.kind as u8,
        };
        let elements = parsed.elements.iter().copied();
        let components = parsed.components.iter().map(|component| component.raw);
        tcap1::write_tbs(&covered, None, &subject, elements, components, &mut tbs);
        let mut signature = [0; 256];
        let len = key.sign(&tbs, &mut signature).expect("signed");
        tcap1::emit_component(127, 81, sai, &covered, &signature[..len], &mut component);
        tcap::rebuild(&parsed, None, Some(&component), false, &mut out);
        out
    }

    pub fn signed(&self, key: &SigningKey, seq: u64, at_ms: u64) -> Vec<u8> {
        self.m3ua(&self.udt(&self.signed_tcap(key, seq, at_ms)))
    }
}

/// A DATA chunk that is a whole message.
pub fn chunk(tsn: u32, user: &[u8]) -> Data<'_> {
    Data { begin: true, end: true, unordered: false, immediate: false, tsn, stream: 1, ssn: tsn as u16, ppid: 3, user }
}

/// A frame with these DATA chunks.
pub fn packet(path: &Path, chunks: &[Data<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let emit = |out: &mut Vec<u8>| chunks.iter().for_each(|chunk| assert!(sctp::emit_data(chunk, out)));
    assert!(path.emit(1, emit, &mut out));
    out
}

/// A frame with one message.
pub fn frame(path: &Path, tsn: u32, user: &[u8]) -> Vec<u8> {
    packet(path, &[chunk(tsn, user)])
}

/// The DATA chunks of a frame: TSN, flags B and E, user data.
pub fn chunks_of(frame: &[u8]) -> Vec<(u32, bool, bool, Vec<u8>)> {
    let ethernet = sealgate_wire::eth::Frame::parse(frame).expect("Ethernet");
    let ip = sealgate_wire::ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    assert_eq!(sctp::packet_crc32c(ip.payload), sctp::Header::parse(ip.payload).expect("SCTP").checksum, "CRC32c");
    let packet = sctp::Packet::parse(ip.payload).expect("SCTP");
    packet
        .chunks()
        .filter(|chunk| chunk.kind == sctp::ChunkKind::DATA)
        .map(|chunk| {
            let data = Data::parse(&chunk).expect("DATA");
            (data.tsn, data.begin, data.end, data.user.to_vec())
        })
        .collect()
}
