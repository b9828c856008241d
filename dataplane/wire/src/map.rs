//! MAP (3GPP TS 29.002, versions 1 to 3): operations, application contexts, and who an argument speaks of.

mod contexts;
mod emit;
mod known;
mod open;
mod operations;
mod shapes;

pub use contexts::{Context, context, context_of};
pub use emit::{
    any_time_interrogation, cancel_location, insert_subscriber_data, mt_forward_sm, purge_ms, send_authentication_info,
    send_routing_info_for_sm, send_routing_info_for_sm_result, update_location, update_location_result,
};
pub use known::Known;
pub use open::{destination_imsi, open_for};
pub use operations::{OPERATIONS, OpCode, operation_name};

pub use crate::argument::{Party, read_address, read_imsi};

use crate::addr::Digits;
use crate::argument::{self, Field};
use crate::ber::Rules;
use crate::list::List;
use crate::reason::{Reason, Refusal};
use crate::tcap::ComponentKind;

/// Whom an argument or result speaks of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identities {
    /// The subscriber by IMSI.
    pub imsi: Option<Digits>,
    /// The subscriber by number.
    pub msisdn: Option<Digits>,
    /// Numbers of nodes that speak for themselves (MSC, VLR, SGSN, service centre, gsmSCF, GMLC, HLR): they must belong to
    /// the sender. Digits only, the nature of the number is not part of it.
    pub nodes: List<Digits, 4>,
    /// Numbers of others: the node that is asked, a roaming number, a forwarding target. The first four.
    pub others: List<Digits, 4>,
}

/// Reports every number in the argument or result of an operation, in the order of the tree.
///
/// Return errors, rejects and operations without identities report nothing.
/// * `version`: of the application context, 1 to 3; 0 reads the shapes of all versions
/// * `parameter`: the parameter of the component, one element or empty
/// # Errors
/// [`Reason::MapDupParam`]: an identity twice at its place, or two alternatives of one choice. [`Reason::MapParam`]: a
/// mandatory identity is missing, or one is badly coded. Reasons of [`crate::ber::walk`] for a parameter that was never
/// walked. `at` counts from the first octet of `parameter`.
/// # Source
/// TS 29.002 §17.7; formats 11.1.
pub fn visit(
    op: i32,
    kind: ComponentKind,
    version: u8,
    parameter: &[u8],
    rules: Rules,
    each: &mut impl FnMut(Party, Digits),
) -> Result<(), Refusal> {
    match fields(op, kind, version) {
        Some(fields) => argument::visit(parameter, fields, rules, 0, &mut |place, number| {
            if let Some(number) = number {
                each(place.party, number);
            }
        }),
        None => Ok(()),
    }
}

/// Where numbers stand in an argument or result; `None`: nowhere.
fn fields(op: i32, kind: ComponentKind, version: u8) -> Option<&'static [Field]> {
    match kind {
        ComponentKind::Invoke => shapes::argument(op, version),
        ComponentKind::ReturnResultLast | ComponentKind::ReturnResultNotLast => shapes::result(op),
        ComponentKind::ReturnError | ComponentKind::Reject => None,
    }
}

/// The identities inside the argument or result of an operation; see [`visit`].
///
/// # Errors
/// Those of [`Identities::read`].
pub fn identities(
    op: i32,
    kind: ComponentKind,
    version: u8,
    parameter: &[u8],
    rules: Rules,
) -> Result<Identities, Refusal> {
    let mut found = Identities::default();
    found.read(op, kind, version, parameter, rules)?;
    Ok(found)
}

impl Identities {
    /// Adds those inside an argument or result: [`identities`] without moving what was found.
    ///
    /// # Errors
    /// Those of [`visit`]; [`Reason::MapDupParam`] also for a subscriber named by two IMSIs or two numbers.
    #[inline]
    pub fn read(
        &mut self,
        op: i32,
        kind: ComponentKind,
        version: u8,
        parameter: &[u8],
        rules: Rules,
    ) -> Result<(), Refusal> {
        let mut once = true;
        visit(op, kind, version, parameter, rules, &mut |party, digits| once &= self.take(party, digits))?;
        if once { Ok(()) } else { Err(Reason::MapDupParam.at(0)) }
    }

    /// Adds one; false if the subscriber has another already, or there are too many nodes.
    #[inline(always)]
    fn take(&mut self, party: Party, digits: Digits) -> bool {
        match party {
            Party::Imsi => self.imsi.replace(digits).is_none_or(|before| before == digits),
            Party::Msisdn => self.msisdn.replace(digits).is_none_or(|before| before == digits),
            Party::Node => self.nodes.push(digits),
            Party::Other => {
                self.others.push(digits);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;
