//! The demo's telephone calls: the message that sets one up, in ISUP.

use super::super::kind::Kind;
use super::super::world::{Operator, Signer};
use super::TrafficError;
use super::maker::{Maker, msisdn};
use super::packer::{Built, Carrier};
use super::wrap::m3ua;
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::Digits;
use sealgate_wire::isup::{self, Iam, View};
use sealgate_wire::sec::isup1;
use sealgate_wire::sec::{Header, Tvp};

/// Service indicator of ISUP (Q.704 §14.2.1).
const SI: u8 = 5;
/// Code of the calling party number (Q.763 table 5).
const CALLING_NUMBER: u8 = 0x0a;
/// An ordinary subscriber calls (Q.763 §3.11).
const ORDINARY: u8 = 10;

/// One call of A for HOME.
pub(super) fn message(maker: &mut Maker<'_>, kind: Kind, subscriber: u64) -> Result<Vec<Built>, TrafficError> {
    let called = msisdn(Operator::Home, subscriber)?;
    let plain = initial_address(&msisdn(Operator::A, subscriber)?, &called, subscriber);
    let parameter = signature(maker, &plain)?;
    let sent = match kind {
        Kind::CallChanged => initial_address(&msisdn(Operator::A, subscriber ^ 1)?, &called, subscriber),
        _ => plain,
    };
    let mut whole = Vec::new();
    if !isup::append(&read(&sent)?, &parameter, &mut whole) {
        return Err(TrafficError::Room);
    }
    let (carrier, way, peer) = (Carrier::One, Direction::In, Operator::A.name());
    let user = m3ua(SI, &whole, Operator::A, carrier)?;
    Ok(vec![Built { user, kind, operation: "initial address", carrier, way, peer }])
}

/// An IAM: who calls whom, on which circuit (Q.763 table 32).
fn initial_address(calling: &Digits, called: &Digits, circuit: u64) -> Vec<u8> {
    let (called, calling) = (number(called), number(calling));
    let [low, high, ..] = circuit.to_le_bytes();
    let mut out = vec![low, high & 0x0f, isup::IAM, 0, 0x20, 0, ORDINARY, 0];
    // Two pointers: to the called number behind them, and to the optional parameters behind that.
    out.extend_from_slice(&[2, called.len() as u8 + 2, called.len() as u8]);
    out.extend_from_slice(&called);
    out.extend_from_slice(&[CALLING_NUMBER, calling.len() as u8]);
    out.extend_from_slice(&calling);
    out.push(0);
    out
}

/// A number of the demo, all of which have an even count of digits: international, E.164, may be shown (Q.763 §3.9, §3.10).
fn number(digits: &Digits) -> Vec<u8> {
    let mut out = vec![0x04, 0x10];
    digits.write_packed(0, &mut out);
    out
}

fn read(octets: &[u8]) -> Result<Iam<'_>, TrafficError> {
    View::new(octets).and_then(Iam::parse).map_err(|_| TrafficError::Digits)
}

/// The parameter with A's signature over a call (formats 9).
fn signature(maker: &mut Maker<'_>, plain: &[u8]) -> Result<Vec<u8>, TrafficError> {
    let iam = read(plain)?;
    let calling = iam.calling.and_then(|number| number.digits()).ok_or(TrafficError::Digits)?;
    let called = iam.called.digits().ok_or(TrafficError::Digits)?;
    let tvp = Tvp::from_unix_ms(maker.now_ms);
    let (key, seq) = maker.pen(Signer::A)?;
    let header = Header { alg: key.alg() as u8, flags: 0, node: 1, sai: key.public().sai(), tvp, seq, copy: None };
    let (mut covered, mut tbs, mut parameter) = (Vec::new(), Vec::new(), Vec::new());
    isup1::put_covered(&header, None, &mut covered);
    isup1::write_tbs(&covered, None, &calling, &called, iam.cpc, 0, &mut tbs);
    let mut raw = [0; sealgate_crypto::sign::MAX_OWN_SIGNATURE];
    let len = key.sign(&tbs, &mut raw).map_err(|_| TrafficError::Key)?;
    let made = raw.get(..len).is_some_and(|signature| isup1::emit_parameter(&covered, signature, &mut parameter));
    if made { Ok(parameter) } else { Err(TrafficError::Room) }
}
