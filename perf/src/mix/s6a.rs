//! Messages of S6a (TS 29.272): a mobility node asks a subscriber database, and is answered.

use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, View};
use sealgate_wire::sec::dess::{Signer, SystemTime};
use sealgate_wire::sec::{Header, Sorter, Tvp, dia1};

use super::Side;
use super::message::{Form, HOME_PLMN, Kind, NODE, Octets, P256};
use super::operation::Operation;
use super::values::{Values, visited};

/// Application of S6a and S6d (TS 29.272 §7.1.8).
pub(super) const S6A: u32 = 16_777_251;
/// Our realm.
pub(super) const HOME_REALM: &str = "epc.mnc001.mcc001.3gppnetwork.org";
/// What is behind the number in the realms of peers; their authority may issue certificates below it.
const PEERS: &str = ".ipx.example";
/// Our network, 00101, as a Visited-PLMN-Id.
const HOME_VISITED: [u8; 3] = [0x00, 0xf1, 0x10];
const SUCCESS: u32 = 2001;
const REQUESTED_VECTORS: AvpId = AvpId::new(AvpId::TGPP, 1410);
const EUTRAN_VECTORS: AvpId = AvpId::new(AvpId::TGPP, 1408);
const ULR_FLAGS: AvpId = AvpId::new(AvpId::TGPP, 1405);
const RAT_TYPE: AvpId = AvpId::new(AvpId::TGPP, 1032);

/// The realm of a peer whose number has so many digits.
pub(super) fn realm(number: u32, number_len: usize) -> String {
    format!("p{:0number_len$}{PEERS}", number % 10_u32.saturating_pow(number_len as u32))
}

/// The octets of one message.
///
/// * `number_len`: digits of a peer's number
/// * `Err`: the layer into which it does not fit
pub(super) fn compose(kind: Kind, number_len: usize, values: &Values) -> Result<Octets, &'static str> {
    let peer = realm(values.number, number_len);
    let (own, other) = match (kind.side, kind.form) {
        (Side::Interconnect, Form::Spoofed) => (HOME_REALM, peer.as_str()),
        (Side::Interconnect, _) => (peer.as_str(), HOME_REALM),
        (Side::Home, _) => (HOME_REALM, peer.as_str()),
    };
    let plain = plain(kind, own, other, values)?;
    if kind.form != Form::Signed {
        return Ok(Octets { user: plain, tbs: Vec::new() });
    }
    let view = View::new(&plain).map_err(|_| "Diameter")?;
    let (tvp, seq) = (Tvp(u32::from_be_bytes(values.tvp)), u64::from_be_bytes(values.seq));
    let header = Header { alg: P256, flags: 0, node: NODE, sai: values.sai, tvp, seq, copy: None };
    let (mut covered, mut tbs, mut added, mut user) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    header.emit(&mut covered);
    let time = SystemTime(u32::from_be_bytes(values.seconds));
    let signer = Signer::new(own.as_bytes(), time, P256, Some(&covered));
    dia1::write_tbs(&view, &covered, signer.parts(), &mut Sorter::new(), &mut tbs).map_err(|_| "Diameter")?;
    let made = signer.emit(&values.signature, &mut added) && diameter::rebuild(&view, |_| false, &added, &mut user);
    if made { Ok(Octets { user, tbs }) } else { Err("Diameter") }
}

/// The message without a signature.
fn plain(kind: Kind, own: &str, other: &str, values: &Values) -> Result<Vec<u8>, &'static str> {
    let asker = if kind.answer { kind.side.other() } else { kind.side };
    // A visited network asks about the subscribers of the one that is asked.
    let [a, b, c] = values.plmn;
    let foreign = [a, b, c].map(|pair| format!("{}{}", pair & 0x0f, pair >> 4)).concat();
    let network = if asker == Side::Interconnect { HOME_PLMN } else { foreign.as_str() };
    let imsi = format!("{network}{:08}0", values.subscriber);
    let (node, database) = ("mme1", "hss1");
    let (asking, asked) = if kind.answer { (other, own) } else { (own, other) };
    let session = format!("{node}.{asking};1;{:08}", values.subscriber);
    let host = if kind.answer { format!("{database}.{asked}") } else { format!("{node}.{asking}") };
    let identifier = u32::from_be_bytes(values.transaction);
    let flags = if kind.answer { Flags::PROXIABLE } else { Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0) };
    let command = kind.operation.code() as u32;
    let header = diameter::Header { flags, command, application: S6A, hop_by_hop: identifier, end_to_end: identifier };
    let mut out = Vec::new();
    let start = diameter::begin(&header, &mut out);
    let mut whole = true;
    let mut put = |id, data: &[u8]| whole &= diameter::emit_avp(id, FLAG_MANDATORY, data, &mut out);
    put(AvpId::SESSION_ID, session.as_bytes());
    if kind.answer {
        put(AvpId::RESULT_CODE, &SUCCESS.to_be_bytes());
    }
    put(AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1]);
    put(AvpId::ORIGIN_HOST, host.as_bytes());
    put(AvpId::ORIGIN_REALM, own.as_bytes());
    if !kind.answer {
        put(AvpId::DESTINATION_REALM, other.as_bytes());
        put(AvpId::USER_NAME, imsi.as_bytes());
        if kind.operation == Operation::S6aAuthenticationInformation {
            let mut group = Vec::new();
            diameter::emit_avp(EUTRAN_VECTORS, FLAG_MANDATORY, &[0, 0, 0, 1], &mut group);
            put(REQUESTED_VECTORS, &group);
        } else {
            put(RAT_TYPE, &1004_u32.to_be_bytes());
            put(ULR_FLAGS, &[0, 0, 0, 2]);
        }
        if diameter::names_visited_network(&header) {
            let network = if asker == Side::Interconnect { visited(values.plmn) } else { HOME_VISITED };
            put(AvpId::VISITED_PLMN_ID, &network);
        }
    }
    if whole && diameter::finish(start, &mut out) { Ok(out) } else { Err("Diameter") }
}
