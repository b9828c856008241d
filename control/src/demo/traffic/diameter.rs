//! The demo's messages of 4G: Diameter between the operators' subscriber databases and mobility nodes (S6a).

use super::super::kind::Kind;
use super::super::world::{Operator, Signer};
use super::TrafficError;
use super::maker::{Maker, digits, imsi};
use super::packer::{Built, Carrier};
use sealgate_dataplane::state::Direction;
use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, View};
use sealgate_wire::sec::dess::{Signer as Dess, SystemTime};
use sealgate_wire::sec::{self, Sorter, Tvp, dia1};

/// S6a and S6d (TS 29.272 §7.1.8).
const S6A: u32 = 16_777_251;
/// Commands: a subscriber has arrived; a database writes to a node.
const UPDATE_LOCATION: u32 = 316;
const INSERT_SUBSCRIBER_DATA: u32 = 319;

/// One message of a kind.
pub(super) fn message(maker: &mut Maker<'_>, kind: Kind, subscriber: u64) -> Result<Vec<Built>, TrafficError> {
    let (from, to) =
        if kind == Kind::FourOutgoing { (Operator::Home, Operator::A) } else { (Operator::A, Operator::Home) };
    let (command, operation, about) = match kind {
        Kind::FourOurSubscriber => (INSERT_SUBSCRIBER_DATA, "Insert-Subscriber-Data", Operator::Home),
        Kind::FourOutgoing => (UPDATE_LOCATION, "Update-Location", Operator::A),
        _ => (UPDATE_LOCATION, "Update-Location", Operator::Home),
    };
    let way = if from == Operator::Home { Direction::Out } else { Direction::In };
    let built = |user| Ok(vec![Built { user, kind, operation, carrier: Carrier::Four, way, peer: Operator::A.name() }]);
    if kind == Kind::FourReplayed {
        let at = maker.dice.below(maker.four_recorded.len());
        return maker.four_recorded.get(at).cloned().map_or(Ok(Vec::new()), built);
    }
    if kind == Kind::FourAnswer {
        let Some(question) = maker.four_questions.pop() else { return Ok(Vec::new()) };
        let plain = answer(from, question)?;
        let added = signature(maker, &plain, from)?;
        return built(with(&plain, &added)?);
    }
    maker.transaction += 1;
    let id = maker.transaction;
    let request = |subscriber| request(command, (from, to), id, about, subscriber);
    let plain = request(subscriber)?;
    if kind == Kind::FourOutgoing {
        maker.four_questions.push(id);
    }
    let user = match kind {
        Kind::FourUnsigned | Kind::FourOutgoing => plain,
        Kind::FourChanged => {
            let added = signature(maker, &plain, from)?;
            with(&request(subscriber ^ 1)?, &added)?
        }
        _ => {
            let added = signature(maker, &plain, from)?;
            with(&plain, &added)?
        }
    };
    if kind == Kind::FourSigned {
        maker.four_recorded.push(user.clone());
    }
    built(user)
}

/// What the database of `from` says to our Update-Location: success (RFC 6733 §7.1.2).
fn answer(from: Operator, id: u32) -> Result<Vec<u8>, TrafficError> {
    let flags = Flags::PROXIABLE;
    let header = diameter::Header { flags, command: UPDATE_LOCATION, application: S6A, hop_by_hop: id, end_to_end: id };
    let (host, realm) = (format!("node.{}", from.realm()), from.realm());
    let session = format!("node.{};{id};1", Operator::Home.realm());
    put(
        &header,
        &[
            (AvpId::SESSION_ID, session.as_bytes()),
            (AvpId::RESULT_CODE, &2001_u32.to_be_bytes()),
            (AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1]),
            (AvpId::ORIGIN_HOST, host.as_bytes()),
            (AvpId::ORIGIN_REALM, realm.as_bytes()),
        ],
    )
}

fn request(
    command: u32,
    (from, to): (Operator, Operator),
    id: u32,
    about: Operator,
    subscriber: u64,
) -> Result<Vec<u8>, TrafficError> {
    let flags = Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0);
    let header = diameter::Header { flags, command, application: S6A, hop_by_hop: id, end_to_end: id };
    let host = format!("node.{}", from.realm());
    let session = format!("{host};{id};1");
    let user = imsi(about, subscriber)?.to_string();
    let visited = diameter::plmn_octets(&digits(from.plmn())?).ok_or(TrafficError::Room)?;
    let (from, to) = (from.realm(), to.realm());
    let mut avps = vec![
        (AvpId::SESSION_ID, session.as_bytes()),
        (AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1][..]),
        (AvpId::ORIGIN_HOST, host.as_bytes()),
        (AvpId::ORIGIN_REALM, from.as_bytes()),
        (AvpId::DESTINATION_REALM, to.as_bytes()),
        (AvpId::USER_NAME, user.as_bytes()),
    ];
    if diameter::names_visited_network(&header) {
        avps.push((AvpId::VISITED_PLMN_ID, &visited));
    }
    put(&header, &avps)
}

/// A message of these AVPs.
fn put(header: &diameter::Header, avps: &[(AvpId, &[u8])]) -> Result<Vec<u8>, TrafficError> {
    let mut out = Vec::new();
    let start = diameter::begin(header, &mut out);
    let mut whole = true;
    for &(avp, data) in avps {
        whole &= diameter::emit_avp(avp, FLAG_MANDATORY, data, &mut out);
    }
    if whole && diameter::finish(start, &mut out) { Ok(out) } else { Err(TrafficError::Room) }
}

/// The signature of A over a message (formats 6).
fn signature(maker: &mut Maker<'_>, plain: &[u8], from: Operator) -> Result<Vec<u8>, TrafficError> {
    let now_ms = maker.now_ms;
    let (key, seq) = maker.pen(Signer::A)?;
    let view = View::new(plain).map_err(|_| TrafficError::Room)?;
    let alg = key.alg() as u8;
    let tvp = Tvp::from_unix_ms(now_ms);
    let header = sec::Header { alg, flags: 0, node: 1, sai: key.public().sai(), tvp, seq, copy: None };
    let (mut covered, mut tbs, mut added) = (Vec::new(), Vec::new(), Vec::new());
    header.emit(&mut covered);
    let identity = from.realm();
    let signer = Dess::new(identity.as_bytes(), SystemTime::from_unix_ms(now_ms), alg, Some(&covered));
    dia1::write_tbs(&view, &covered, signer.parts(), &mut Sorter::new(), &mut tbs).map_err(|_| TrafficError::Room)?;
    let mut raw = [0; sealgate_crypto::sign::MAX_OWN_SIGNATURE];
    let len = key.sign(&tbs, &mut raw).map_err(|_| TrafficError::Key)?;
    let made = raw.get(..len).is_some_and(|signature| signer.emit(signature, &mut added));
    if made { Ok(added) } else { Err(TrafficError::Room) }
}

/// A message with AVPs behind its own.
fn with(plain: &[u8], added: &[u8]) -> Result<Vec<u8>, TrafficError> {
    let view = View::new(plain).map_err(|_| TrafficError::Room)?;
    let mut out = Vec::new();
    if diameter::rebuild(&view, |_| false, added, &mut out) { Ok(out) } else { Err(TrafficError::Room) }
}
