//! Arguments like ones that were read before.

use super::{Identities, fields};
use crate::argument::{self, Coding, Party};
use crate::ber::{self, Elements, Rules};
use crate::list::List;
use crate::reason::{Reason, Refusal};
use crate::tcap::ComponentKind;
use crate::template::{Decides, LONGEST, Templates};

/// Finds identities as [`Identities::read`] does, those of arguments that are like one before them with a third of the work.
///
/// Alike are arguments of one operation whose octets are the same but for what their primitive elements hold. Each worker
/// has its own.
#[derive(Debug)]
pub struct Known(Templates<Plan>);

/// Where the numbers stand.
#[derive(Debug)]
struct Plan(List<Place, 8>);

/// Like [`argument::Place`], in a parameter of at most [`LONGEST`] octets.
#[derive(Clone, Copy, Debug)]
struct Place {
    party: Party,
    coding: Coding,
    from: u8,
    to: u8,
}

impl Known {
    /// The most memory that one takes, in octets.
    pub const MEMORY: usize = Templates::<Plan>::MEMORY;

    /// One that knows none.
    pub fn new() -> Self {
        Self(Templates::new())
    }

    /// The identities inside an argument or result, put into `found`, which has none yet; see [`Identities::read`].
    ///
    /// # Errors
    /// As [`Identities::read`].
    #[inline]
    pub fn read(
        &mut self,
        op: i32,
        kind: ComponentKind,
        version: u8,
        parameter: &[u8],
        rules: Rules,
        found: &mut Identities,
    ) -> Result<(), Refusal> {
        // An operation that is no octet is none of ours: it has no table, and needs no template.
        let key = u32::from(version) << 16 | (kind as u32) << 8 | u32::from(op as u8);
        if i32::from(op as u8) == op
            && let Some(plan) = self.0.find(key, parameter)
        {
            match plan.fill(parameter, found) {
                Some(true) => return Ok(()),
                Some(false) => return Err(Reason::MapDupParam.at(0)),
                None => *found = Identities::default(), // the reader knows which number is bad
            }
            return found.read(op, kind, version, parameter, rules);
        }
        found.read(op, kind, version, parameter, rules)?;
        self.0.learn(key, parameter, || Plan::of(op, kind, version, parameter));
        Ok(())
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new()
    }
}

impl Plan {
    /// Where the numbers stand, and which octets decide that; `None` if it is none of the usual arguments.
    fn of(op: i32, kind: ComponentKind, version: u8, parameter: &[u8]) -> Option<(Decides, Self)> {
        u8::try_from(op).ok()?;
        if parameter.len() > LONGEST || ber::walk(parameter, Rules::Strict, 0).is_err() {
            return None;
        }
        let (mut places, mut all) = (List::new(), true);
        argument::visit(parameter, fields(op, kind, version)?, Rules::Strict, 0, &mut |place, _| {
            let argument::Place { party, coding, from, to } = place;
            let (from, to) = (u8::try_from(from).unwrap_or(u8::MAX), u8::try_from(to).unwrap_or(u8::MAX));
            all &= places.push(Place { party, coding, from, to });
        })
        .ok()?;
        let mut decides = Decides::all();
        decides.leave_out_values(Elements::new(parameter, Rules::Strict, 0), 0)?;
        all.then_some((decides, Self(places)))
    }

    /// Reads the numbers; false if the subscriber has two, `None` if one cannot be read that must be.
    #[inline(always)]
    fn fill(&self, parameter: &[u8], found: &mut Identities) -> Option<bool> {
        let mut once = true;
        for place in &self.0 {
            let number = place.coding.read(ber::slice(parameter, usize::from(place.from), usize::from(place.to)));
            match number {
                Some(number) => once &= found.take(place.party, number),
                None if place.coding.must_be_read() => return None,
                None => {}
            }
        }
        Some(once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Digits;
    use crate::map::{cancel_location, mt_forward_sm, purge_ms, send_routing_info_for_sm, update_location};
    use proptest::{collection::vec, prelude::*};

    fn arguments() -> Vec<(i32, Vec<u8>)> {
        let digits = |text: &str| text.parse::<Digits>().unwrap();
        let (imsi, gt) = (digits("001020123456789"), digits("999020000011"));
        let mut all = vec![(2, Vec::new()), (3, Vec::new()), (44, Vec::new()), (45, Vec::new()), (67, Vec::new())];
        update_location(&imsi, &gt, &gt, &mut all[0].1);
        cancel_location(&imsi, &mut all[1].1);
        mt_forward_sm(&imsi, &gt, b"short message", &mut all[2].1);
        send_routing_info_for_sm(&gt, &gt, &mut all[3].1);
        purge_ms(&imsi, &gt, &mut all[4].1);
        // One that may be unreadable, and one with two subscribers: MNPInfoRes of a subscriber's information.
        all.push((10, vec![0x30, 8, 0x04, 1, 0x21, 0x84, 3, 0x91, 0x21, 0x43]));
        all.push((22, vec![0x30, 9, 0x80, 3, 0x91, 0x21, 0x43, 0x86, 2, 0x91, 0x21]));
        all
    }

    fn alike(known: &mut Known, op: i32, parameter: &[u8]) -> Result<(), TestCaseError> {
        for (kind, version, rules) in [
            (ComponentKind::Invoke, 3, Rules::Strict),
            (ComponentKind::Invoke, 1, Rules::Lenient),
            (ComponentKind::ReturnResultLast, 0, Rules::Lenient),
        ] {
            let want = crate::map::identities(op, kind, version, parameter, rules);
            let mut found = Identities::default();
            let got = known.read(op, kind, version, parameter, rules, &mut found).map(|()| found);
            prop_assert_eq!(got, want, "operation {} of version {}: {:02x?}", op, version, parameter);
        }
        Ok(())
    }

    #[test]
    fn an_argument_like_one_before_is_read_alike() {
        let mut known = Known::new();
        let all = arguments();
        for (op, parameter) in all.iter().cycle().take(all.len() * 20) {
            alike(&mut known, *op, parameter).unwrap();
        }
        for (op, parameter) in &all {
            let key = 3 << 16 | (ComponentKind::Invoke as u32) << 8 | *op as u32;
            assert!(known.0.find(key, parameter).is_some(), "operation {op} has a template by now");
            for at in 0..parameter.len() {
                for bit in 0..8 {
                    let mut changed = parameter.clone();
                    changed[at] ^= 1 << bit;
                    alike(&mut known, *op, &changed).unwrap();
                }
            }
        }
    }

    /// What decides are tags: an element that is entered must have its tag say so, and one that is read must not.
    #[test]
    fn tables_enter_constructed_elements_only() {
        for (op, version) in (0..=255).flat_map(|op| (0..4).map(move |version| (op, version))) {
            for kind in [ComponentKind::Invoke, ComponentKind::ReturnResultLast] {
                assert!(
                    fields(op, kind, version).is_none_or(argument::forms_hold),
                    "operation {op} of version {version}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_change_is_overlooked(which: usize, changes in vec((any::<usize>(), any::<u8>()), 1..4), other in 0..90) {
            let mut known = Known::new();
            let all = arguments();
            let (op, mut parameter) = all[which % all.len()].clone();
            for _ in 0..16 {
                alike(&mut known, op, &parameter)?;
            }
            for (at, octet) in changes {
                let at = at % parameter.len();
                parameter[at] = octet;
                alike(&mut known, op, &parameter)?;
                alike(&mut known, other, &parameter)?;
            }
        }
    }
}
