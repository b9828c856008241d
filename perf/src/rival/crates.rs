//! The decoders `m3ua`, `sccp`, `tcap` and `gsm_map` from crates.io, on the same octets.
//!
//! They decode into values that own their octets and allocate for that; ours lend. Their `gsm_map` leaves the IMSI as octets,
//! ours makes digits of it. A ratio between the two is that of what each is made for, and holds only as long as both read the
//! same: see [`agree`].

use gsm_map::operations::location::UpdateLocationArg;
use m3ua::{M3uaMessage, ProtocolData};
use sccp::{SccpAddress, SubsystemNumber, UnitData};
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::tcap::Tid;
use tcap::{Component, OperationCode, TcapMessage};

use crate::cost::codec::{self, Reading};

/// All that the four crates make of one message.
#[derive(Debug)]
pub struct Decoded {
    label: ProtocolData,
    unitdata: UnitData,
    message: TcapMessage,
    argument: UpdateLocationArg,
}

/// From an M3UA message to the argument of updateLocation.
///
/// # Errors
/// What the crate that refuses it says.
#[inline(never)]
pub fn decode(user: &[u8]) -> Result<Decoded, String> {
    let label = M3uaMessage::decode(user).and_then(|message| message.protocol_data());
    let label = label.map_err(|error| format!("m3ua: {error}"))?;
    let unitdata = UnitData::decode(&label.user_data).map_err(|error| format!("sccp: {error}"))?;
    let message = tcap::decode(&unitdata.data).map_err(|error| format!("tcap: {error}"))?;
    let Some(Component::Invoke(invoke)) = message.components().first() else {
        return Err("tcap: the first component is no invoke".to_owned());
    };
    let parameter = invoke.parameter.as_ref().ok_or("tcap: the invoke has no parameter")?;
    let argument = gsm_map::decode(parameter.as_bytes()).map_err(|error| format!("gsm_map: {error}"))?;
    Ok(Decoded { label, unitdata, message, argument })
}

impl Decoded {
    /// The same in our terms.
    ///
    /// # Errors
    /// Something that our terms have no word for.
    pub fn reading(&self) -> Result<Reading, String> {
        let operation = match self.message.components().first() {
            Some(Component::Invoke(invoke)) => match &invoke.operation_code {
                OperationCode::Local(code) => i32::try_from(*code).map_err(|_| format!("operation {code}"))?,
                OperationCode::Global(code) => return Err(format!("operation {code}")),
            },
            _ => return Err("no invoke".to_owned()),
        };
        let otid = self.message.otid().and_then(|id| Tid::new(id)).ok_or("no transaction id")?;
        Ok(Reading {
            opc: PointCode(self.label.opc),
            dpc: PointCode(self.label.dpc),
            called: party(&self.unitdata.called_party)?,
            calling: party(&self.unitdata.calling_party)?,
            otid,
            operation,
            imsi: Digits::from_tbcd(&self.argument.imsi).ok_or("an IMSI that is none")?,
        })
    }
}

fn party(address: &SccpAddress) -> Result<(GlobalTitle, Ssn), String> {
    let sccp::GlobalTitle::Gt0100 { numbering_plan, digits, .. } = &address.global_title else {
        return Err(format!("global title {:?}", address.global_title));
    };
    let plan = Plan::from_wire(*numbering_plan).ok_or_else(|| format!("numbering plan {numbering_plan}"))?;
    let digits = digits.parse().map_err(|_| format!("digits {digits}"))?;
    let ssn = address.ssn.as_ref().map(SubsystemNumber::value).ok_or("no subsystem number")?;
    Ok((GlobalTitle { plan, digits }, Ssn(ssn)))
}

/// Whether both read the same from every message.
///
/// # Errors
/// The first message on which they differ, and in what.
pub fn agree<'a>(users: impl IntoIterator<Item = &'a [u8]>) -> Result<(), String> {
    let mut reader = codec::Reader::default();
    for (number, user) in users.into_iter().enumerate() {
        let ours = codec::signalling(user).ok_or_else(|| format!("message {number}: ours refuses it"))?;
        if reader.signalling(user).as_ref() != Some(&ours) {
            return Err(format!("message {number}: read otherwise where one like it is known"));
        }
        let theirs = decode(user).and_then(|decoded| decoded.reading());
        let theirs = theirs.map_err(|error| format!("message {number}: theirs refuse it: {error}"))?;
        if ours != theirs {
            return Err(format!("message {number}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;

    fn users(frames: &[Vec<u8>]) -> Vec<&[u8]> {
        frames.iter().filter_map(|frame| codec::user(codec::packet(frame)?)).collect()
    }

    #[test]
    fn both_read_the_same_from_every_message_of_the_corpus() {
        let frames = traffic::unsigned(false);
        let users = users(&frames);
        assert_eq!(users.len(), frames.len());
        assert_eq!(agree(users), Ok(()));
    }

    #[test]
    fn a_difference_is_found_in_every_field() {
        let frames = traffic::unsigned(false);
        let user = users(&frames)[5];
        let theirs = decode(user).and_then(|decoded| decoded.reading()).expect("it agreed above");
        let other = users(&frames)[6];
        let (mut seen, mut refused) = (0, 0);
        // Each octet of the message changed: read alike by both, or by neither, or noticed.
        for at in 0..user.len() {
            let mut changed = user.to_vec();
            changed[at] ^= 1;
            match (codec::signalling(&changed), decode(&changed).and_then(|decoded| decoded.reading())) {
                (Some(ours), Ok(their)) if ours != their => panic!("octet {at}: {ours:?} and {their:?}"),
                (Some(ours), Ok(_)) if ours != theirs => seen += 1,
                (None, Err(_)) => refused += 1,
                _ => {}
            }
        }
        assert!(seen > 20 && refused > 5, "{seen} changes were read, {refused} refused by both");
        assert!(agree([user, other]).is_ok());
        assert!(agree([&user[..user.len() - 1]]).is_err());
    }
}
