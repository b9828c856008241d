//! Diameter messages of operators A and B and of HOME, and packets that carry them.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header};
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::Data;
use sealgate_wire::sec::dess::{Signer, SystemTime};
use sealgate_wire::sec::{self, Sorter, Tvp, dia1};

use super::traffic;

/// S6a and S6d.
pub const S6A: u32 = 16_777_251;
/// Update-Location.
pub const UPDATE_LOCATION: u32 = 316;
/// Purge-UE, which names no visited network.
pub const PURGE: u32 = 321;
/// Insert-Subscriber-Data, of category 2.
pub const INSERT_DATA: u32 = 319;
/// Verification tag of packets from interconnect, as the policy has it.
pub const VTAG_IN: u32 = 0x5ea1_9a7f;

/// From the neighbour to our host.
pub fn inbound() -> Path {
    Path {
        source: [192, 0, 2, 20].into(),
        destination: [198, 51, 100, 20].into(),
        source_port: 3868,
        destination_port: 3868,
        vtag: VTAG_IN,
        ..traffic::inbound()
    }
}

/// From our host to the neighbour.
pub fn outbound() -> Path {
    inbound().reversed(traffic::VTAG_OUT)
}

/// The realm of operator `n`; HOME is 1, A is 2.
pub fn realm(n: u8) -> String {
    format!("epc.mnc00{n}.mcc001.3gppnetwork.org")
}

/// One message.
#[derive(Clone, Debug)]
pub struct Said {
    pub header: Header,
    /// Operators, 1 is HOME.
    pub from: u8,
    /// Nobody in an answer.
    pub to: Option<u8>,
    pub imsi: &'static str,
    /// More AVPs, each with its code.
    pub more: Vec<(u32, Vec<u8>)>,
}

impl Said {
    pub fn request(command: u32, from: u8, to: u8, id: u32) -> Self {
        let flags = Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0);
        let header = Header { flags, command, application: S6A, hop_by_hop: id, end_to_end: id + 7 };
        Self { header, from, to: Some(to), imsi: "001020000000001", more: Vec::new() }
    }

    /// The answer of whom it was for.
    pub fn answer(&self) -> Self {
        let flags = Flags(Flags::PROXIABLE.0);
        let header = Header { flags, ..self.header };
        Self { header, from: self.to.expect("a request"), to: None, imsi: "", more: Vec::new() }
    }

    pub fn plain(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let start = diameter::begin(&self.header, &mut out);
        let mut put = |id: AvpId, data: &[u8]| assert!(diameter::emit_avp(id, FLAG_MANDATORY, data, &mut out));
        let from = realm(self.from);
        put(AvpId::SESSION_ID, b"s;1;2");
        put(AvpId::ORIGIN_HOST, format!("node.{from}").as_bytes());
        put(AvpId::ORIGIN_REALM, from.as_bytes());
        match self.to {
            Some(to) => put(AvpId::DESTINATION_REALM, realm(to).as_bytes()),
            None => put(AvpId::RESULT_CODE, &2001_u32.to_be_bytes()),
        }
        if !self.imsi.is_empty() {
            put(AvpId::USER_NAME, self.imsi.as_bytes());
        }
        if diameter::names_visited_network(&self.header) {
            put(AvpId::VISITED_PLMN_ID, &super::gtp::plmn(self.from));
        }
        for (code, data) in &self.more {
            put(AvpId::new(0, *code), data);
        }
        assert!(diameter::finish(start, &mut out));
        out
    }

    /// Signed in the native profile.
    pub fn signed(&self, key: &SigningKey, seq: u64, at_ms: u64) -> Vec<u8> {
        let plain = self.plain();
        let view = diameter::View::new(&plain).expect("ours");
        let (alg, sai) = (key.alg() as u8, key.public().sai());
        let header = sec::Header { alg, flags: 0, node: 1, sai, tvp: Tvp::from_unix_ms(at_ms), seq, copy: None };
        let (mut covered, mut tbs, mut added, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        header.emit(&mut covered);
        let identity = realm(self.from);
        let signer = Signer::new(identity.as_bytes(), SystemTime::from_unix_ms(at_ms), alg, Some(&covered));
        dia1::write_tbs(&view, &covered, signer.parts(), &mut Sorter::new(), &mut tbs).expect("sound");
        let mut signature = [0; 256];
        let len = key.sign(&tbs, &mut signature).expect("signed");
        assert!(signer.emit(&signature[..len], &mut added));
        assert!(diameter::rebuild(&view, |_| false, &added, &mut out));
        out
    }
}

/// A DATA chunk that is a whole message.
pub fn chunk(tsn: u32, user: &[u8]) -> Data<'_> {
    Data { ppid: diameter::PPID, ..traffic::chunk(tsn, user) }
}

/// A frame with one message.
pub fn frame(path: &Path, tsn: u32, user: &[u8]) -> Vec<u8> {
    traffic::packet(path, &[chunk(tsn, user)])
}
