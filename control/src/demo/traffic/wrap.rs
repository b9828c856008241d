//! From a TCAP message to the user data of a chunk: M3UA between the demo's operators.

use super::super::world::Operator;
use super::TrafficError;
use super::packer::Carrier;
use crate::compose::Plain;
use sealgate_wire::addr::PointCode;
use sealgate_wire::m3ua;

/// A TCAP message in UDT and M3UA.
pub(super) fn packed(plain: &Plain, tcap: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    m3ua(&plain.udt(tcap)?, from, carrier)
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
