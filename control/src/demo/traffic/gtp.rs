//! The demo's roaming data: A's network asks HOME's for a session of a subscriber (TS 29.274 §7.2.1).

use super::super::kind::Kind;
use super::super::world::Operator;
use super::TrafficError;
use super::maker::{Maker, imsi};
use super::packer::{Built, Carrier};
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::Digits;
use sealgate_wire::gtp;

/// Type of a Create Session Request.
const CREATE_SESSION: u8 = 32;

/// One request.
pub(super) fn message(maker: &mut Maker<'_>, kind: Kind, subscriber: u64) -> Result<Vec<Built>, TrafficError> {
    let of = if kind == Kind::DataStranger { Operator::B } else { Operator::Home };
    maker.transaction += 1;
    let user = create_session(&imsi(of, subscriber)?, maker.transaction)?;
    let (carrier, way, peer) = (Carrier::Data, Direction::In, Operator::A.name());
    Ok(vec![Built { user, kind, operation: "Create Session", carrier, way, peer }])
}

/// Whose session, which network serves it, and where its node wants the answer.
fn create_session(imsi: &Digits, number: u32) -> Result<Vec<u8>, TrafficError> {
    let mut body = Vec::new();
    let mut element = |kind: u8, value: &[u8]| -> Option<()> {
        body.push(kind);
        body.extend_from_slice(&u16::try_from(value.len()).ok()?.to_be_bytes());
        body.push(0); // spare, instance 0
        body.extend_from_slice(value);
        Some(())
    };
    let mut put = || {
        let mut digits = Vec::new();
        imsi.write_packed(0x0f, &mut digits);
        element(1, &digits)?; // IMSI
        element(83, &[0x00, 0xf1, 0x20])?; // serving network: 001 02, A's
        let [a, b, c, d] = Carrier::Data.outside();
        let [t0, t1, t2, t3] = number.to_be_bytes();
        element(87, &[0x86, t0, t1, t2, t3, a, b, c, d]) // F-TEID of an S8 control plane, with its IPv4 address
    };
    put().ok_or(TrafficError::Room)?;
    let [_, s0, s1, s2] = number.to_be_bytes();
    // Version 2 with a TEID, which is 0 where there is no session yet.
    let mut out = vec![0x48, CREATE_SESSION];
    let length = u16::try_from(body.len() + 8).map_err(|_| TrafficError::Room)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 0, s0, s1, s2, 0]);
    out.extend_from_slice(&body);
    match gtp::Datagram::parse(&out) {
        Ok(_) => Ok(out),
        Err(_) => Err(TrafficError::Digits),
    }
}
