//! The demo's calls over IP: an INVITE, and the PASSporT that vouches for its caller (RFC 8224, 8588).

use super::super::kind::Kind;
use super::super::world::{Operator, Signer};
use super::TrafficError;
use super::maker::{Maker, msisdn};
use super::packer::{Built, Carrier};
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::Digits;
use sealgate_wire::sec::passport::{Attest, Outgoing, Scratch};

/// Where A's certificate is, as the policy has it.
const X5U: &str = "https://certs.demo.example/a.pem";
/// A UUID that stands for A.
const ORIGID: &str = "123e4567-e89b-12d3-a456-426614174000";

/// One call, between A and HOME.
pub(super) fn message(maker: &mut Maker<'_>, kind: Kind, subscriber: u64) -> Result<Vec<Built>, TrafficError> {
    let (caller, called) = (msisdn(Operator::A, subscriber)?, msisdn(Operator::Home, subscriber)?);
    let (way, user) = match kind {
        Kind::NetOutgoing => (Direction::Out, invite(maker, &called, &caller, "")),
        Kind::NetUnsigned => (Direction::In, invite(maker, &caller, &called, "")),
        Kind::NetReplayed => {
            let at = maker.dice.below(maker.calls.len());
            let Some((caller, called, identity)) = maker.calls.get(at).cloned() else { return Ok(Vec::new()) };
            (Direction::In, invite(maker, &caller, &called, &identity))
        }
        _ => {
            let identity = passport(maker, &caller, &called)?;
            let shown = if kind == Kind::NetChanged { msisdn(Operator::A, subscriber ^ 1)? } else { caller };
            if kind == Kind::NetSigned {
                maker.calls.push((caller, called, identity.clone()));
            }
            (Direction::In, invite(maker, &shown, &called, &identity))
        }
    };
    let peer = Operator::A.name();
    Ok(vec![Built { user, kind, operation: "INVITE", carrier: Carrier::Calls, way, peer }])
}

/// An INVITE with a body that says nothing.
fn invite(maker: &mut Maker<'_>, caller: &Digits, called: &Digits, identity: &str) -> Vec<u8> {
    maker.transaction += 1;
    let id = maker.transaction;
    format!(
        "INVITE sip:+{called}@demo.example;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP edge.demo.example;branch=z9hG4bK{id:08x}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+{caller}@demo.example;user=phone>;tag={id:08x}\r\n\
         To: <sip:+{called}@demo.example;user=phone>\r\nCall-ID: {id:08x}@edge.demo.example\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:edge.demo.example>\r\n{identity}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The Identity header of A.
fn passport(maker: &mut Maker<'_>, caller: &Digits, called: &Digits) -> Result<String, TrafficError> {
    let iat = maker.now_ms / 1000;
    let (key, _) = maker.pen(Signer::A)?;
    let (dest, attest) = ([*called], Attest::A);
    let outgoing = Outgoing { x5u: X5U, attest, origid: ORIGID, orig: *caller, dest: &dest, iat };
    let (mut scratch, mut line) = (Scratch::default(), Vec::new());
    let input = outgoing.input(&mut scratch).ok_or(TrafficError::Digits)?;
    let mut raw = [0; sealgate_crypto::sign::MAX_OWN_SIGNATURE];
    key.sign(input, &mut raw).map_err(|_| TrafficError::Key)?;
    outgoing.emit(input, raw.first_chunk().ok_or(TrafficError::Key)?, &mut line);
    String::from_utf8(line).map_err(|_| TrafficError::Digits)
}
