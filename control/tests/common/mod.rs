//! Two operators of a lab authority, their gateways' files, and a message that one sends to the other.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_control::authority::{Authority, Request, Setup};
use sealgate_crypto::pki::Identifiers;
use sealgate_dataplane::io::pcap::{Reader, Resolution, Writer};
use sealgate_wire::frame_builder::Path as Route;
use sealgate_wire::sctp::{self, Data};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;

/// One operator: name, Global Title, network, point code, address.
pub struct Operator {
    pub name: &'static str,
    pub gt: &'static str,
    pub plmn: &'static str,
    pub code: u16,
    pub address: &'static str,
}

pub const HOME: Operator = Operator { name: "home", gt: "99901", plmn: "00101", code: 4112, address: "198.51.100.10" };
pub const OTHER: Operator = Operator { name: "other", gt: "99902", plmn: "00102", code: 4128, address: "192.0.2.10" };

/// A directory with an authority and the files of gateways, which goes away with the test.
pub struct Lab(pub PathBuf);

impl Lab {
    /// An authority with a certificate for both operators, made now.
    pub fn new(test: &str) -> Self {
        let lab = Self(std::env::temp_dir().join(format!("sealgate-{test}-{}", std::process::id())));
        let _ = fs::remove_dir_all(&lab.0);
        fs::create_dir_all(&lab.0).expect("a directory");
        let now = OffsetDateTime::now_utc();
        let mut authority = Authority::init(&lab.file("tsca"), &Setup::default(), now).expect("an authority");
        for operator in [HOME, OTHER] {
            let identifiers = Identifiers {
                gt_prefixes: vec![(1, operator.gt.into())],
                plmns: vec![operator.plmn.into()],
                ..Identifiers::default()
            };
            authority.issue(&Request::new(operator.name, identifiers), now).expect("issued");
        }
        lab
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes the files of an operator's gateway, which requires signatures of the other, and names the first.
    pub fn gateway(&self, own: &Operator, peer: &Operator, interconnect: &str, home: &str) -> PathBuf {
        let name = own.name;
        let core = core_affinity::get_core_ids().and_then(|cores| cores.first().map(|core| core.id)).unwrap_or(0);
        let file = self.file(&format!("{name}.yaml"));
        let appliance = format!(
            "cores: {{workers: [{core}], crypto: []}}\n\
             ports:\n  interconnect: {{device: \"{interconnect}\"}}\n  home: {{device: \"{home}\"}}\n\
             memory: {{hugepages: off}}\n\
             trust: {{anchors: [tsca/anchors/root.pem], certificates: tsca/certs, crls: tsca/crls, keys: tsca/keys}}\n\
             policy: {name}-policy.yaml\n\
             admin: {{socket: {name}.sock}}\n"
        );
        fs::write(&file, appliance).expect("written");
        // A window that a busy machine keeps.
        let policy = format!(
            "version: 1\n\
             home:\n  gt_prefixes: [{{plan: e164, digits: \"{}\"}}]\n  plmns: [\"{}\"]\n  \
             signing: {{cert: {name}, node_base: 1}}\n\
             defaults: {{cold_start: lenient, window: {{past: 60s, future: 60s}}}}\n\
             links:\n  wire: {{type: m3ua, remote: [{}], local: [{}], opcs: [{}], dpcs: [{}], ni: [international], \
             routing_contexts: [1], si: [sccp]}}\n\
             peers:\n  {}: {{gt: [\"{}\"], plmns: [\"{}\"], mode: require, profiles: [SG-TCAP-1], algs: [p256], \
             signer_roles: [csp], sign: yes}}\n",
            own.gt, own.plmn, peer.address, own.address, peer.code, own.code, peer.name, peer.gt, peer.plmn
        );
        fs::write(self.file(&format!("{name}-policy.yaml")), policy).expect("written");
        file
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An M3UA message of HOME to OTHER: a BEGIN with sendRoutingInfoForSM, as vector tn-100 has it.
pub fn message() -> Vec<u8> {
    const HEX: &str = "01000101000000880006000800000001021000770000101000001020030000030900030e190b12060012049909020000\
        210b120800120499090100002049624748040102030a6b1e281c060700118605010101a011600f80020780a1090607040000010014\
        036c1fa11d02010102012d30158007919909525500908101ff82079199090100002000";
    let digits: Vec<u8> = HEX.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    digits.chunks(2).map(octet).collect()
}

/// A frame of HOME to OTHER with one message.
pub fn frame(number: u32, user: &[u8]) -> Vec<u8> {
    let route = Route {
        source_mac: [2, 0, 0, 0, 0, 1],
        destination_mac: [2, 0, 0, 0, 0, 2],
        vlan: None,
        source: HOME.address.parse().expect("address"),
        destination: OTHER.address.parse().expect("address"),
        source_port: 2905,
        destination_port: 2905,
        vtag: 0x1234,
    };
    let (ssn, ppid) = (number as u16, 3);
    let data =
        Data { begin: true, end: true, unordered: false, immediate: false, tsn: number, stream: 1, ssn, ppid, user };
    let mut out = Vec::new();
    assert!(route.emit(ssn, |out| assert!(sctp::emit_data(&data, out)), &mut out));
    out
}

pub fn write_capture(path: &Path, frames: &[Vec<u8>]) {
    let mut writer = Writer::create(path, Resolution::Micro).expect("a capture");
    for octets in frames {
        writer.write(Duration::from_secs(1), octets).expect("written");
    }
    writer.finish().expect("written");
}

pub fn read_capture(path: &Path) -> Vec<Vec<u8>> {
    let (mut reader, mut octets, mut frames) = (Reader::open(path).expect("a capture"), Vec::new(), Vec::new());
    while reader.read(&mut octets).expect("a frame").is_some() {
        frames.push(octets.clone());
    }
    frames
}
