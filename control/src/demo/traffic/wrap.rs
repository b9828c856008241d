//! From a TCAP message to the user data of a chunk: security component, SCCP, M3UA.

use super::super::world::Operator;
use super::TrafficError;
use super::packer::Carrier;
use sealgate_wire::addr::{GlobalTitle, PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::{m3ua, sccp, tcap};

/// What is put into SCCP: who speaks to whom, and the TCAP message without signature.
#[derive(Clone)]
pub(super) struct Plain {
    pub(super) calling: (GlobalTitle, Ssn),
    pub(super) called: (GlobalTitle, Ssn),
    pub(super) tcap: Vec<u8>,
    pub(super) operation: &'static str,
}

/// A TCAP message with a security component as its last.
pub(super) fn attached(tcap: &[u8], component: &[u8]) -> Result<Vec<u8>, TrafficError> {
    let parsed = tcap::Message::parse(tcap, Rules::Strict).map_err(|_| TrafficError::Room)?;
    let mut out = Vec::new();
    tcap::rebuild(&parsed, None, Some(component), false, &mut out);
    Ok(out)
}

pub(super) fn addresses(plain: &Plain) -> (Vec<u8>, Vec<u8>) {
    let (mut called, mut calling) = (Vec::new(), Vec::new());
    sccp::emit_address(&plain.called.0, plain.called.1, 0, &mut called);
    sccp::emit_address(&plain.calling.0, plain.calling.1, 0, &mut calling);
    (called, calling)
}

/// A TCAP message in UDT and M3UA.
pub(super) fn packed(plain: &Plain, tcap: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    let (called, calling) = addresses(plain);
    let mut udt = Vec::new();
    sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, tcap, None, None, &mut udt)
        .map_err(|_| TrafficError::Room)?;
    m3ua(&udt, from, carrier)
}

pub(super) fn m3ua(sccp: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    let other = if carrier == Carrier::One { Operator::A } else { Operator::C };
    let to = if from == Operator::Home { other } else { Operator::Home };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(if carrier == Carrier::One { 1 } else { 2 }),
        correlation: None,
        opc: PointCode(from.point_code()),
        dpc: PointCode(to.point_code()),
        si: 3,
        ni: 0,
        mp: 0,
        sls: 3,
        user: sccp,
    };
    let mut out = Vec::new();
    if data.emit(&mut out) { Ok(out) } else { Err(TrafficError::Room) }
}
