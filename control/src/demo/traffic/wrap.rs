//! From a TCAP message to the user data of a chunk: M3UA between the demo's operators.

use super::super::world::Operator;
use super::TrafficError;
use super::packer::Carrier;
use crate::compose::Plain;
use sealgate_wire::addr::PointCode;
use sealgate_wire::m3ua;

/// Service indicator of SCCP (Q.704 §14.2.1).
pub(super) const SCCP: u8 = 3;

/// A TCAP message in UDT and M3UA.
pub(super) fn packed(plain: &Plain, tcap: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    m3ua(SCCP, &plain.udt(tcap)?, from, carrier)
}

/// A message of the user part `si`.
pub(super) fn m3ua(si: u8, user: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    let other = if carrier == Carrier::One { Operator::A } else { Operator::C };
    let to = if from == Operator::Home { other } else { Operator::Home };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(if carrier == Carrier::One { 1 } else { 2 }),
        correlation: None,
        opc: PointCode(from.point_code()),
        dpc: PointCode(to.point_code()),
        si,
        ni: 0,
        mp: 0,
        sls: 3,
        user,
    };
    let mut out = Vec::new();
    if data.emit(&mut out) { Ok(out) } else { Err(TrafficError::Room) }
}
