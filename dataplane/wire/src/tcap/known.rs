//! Messages like ones that were read before.

use super::dialogue::Dialogue;
use super::{Component, ComponentKind, Message, MessageKind, Oid, Operation, Room, Tid};
use crate::ber::{self, Elements, Rules};
use crate::list::List;
use crate::reason::Refusal;
use crate::template::{Decides, LONGEST, Templates};

/// Reads messages as [`Room::read`] does, those that are like one before them with a third of the work.
///
/// Alike are messages whose octets are the same but for transaction ids, invoke ids, and what the primitive elements of
/// parameters hold. Each worker has its own.
#[derive(Debug)]
pub struct Known(Templates<Plan>);

/// Octets of a message: the first, and behind the last.
type Place = (u8, u8);

/// Where everything lies in a message of at most [`LONGEST`] octets.
#[derive(Debug)]
struct Plan {
    kind: MessageKind,
    otid: Option<Place>,
    dtid: Option<Place>,
    elements: List<Place, 4>,
    context: Option<Place>,
    components: List<Part, 3>,
}

/// A component: what of it is the same in all such messages, and where the rest is.
#[derive(Clone, Copy, Debug)]
struct Part {
    kind: ComponentKind,
    raw: Place,
    invoke_id: Option<u8>,
    linked_id: Option<u8>,
    operation: Option<i32>,
    error: Option<i32>,
    parameter: Place,
    parameter_offset: u8,
}

impl Known {
    /// The most memory that one takes, in octets.
    pub const MEMORY: usize = Templates::<Plan>::MEMORY;

    /// One that knows none.
    pub fn new() -> Self {
        Self(Templates::new())
    }

    /// Reads one message; see [`Room::read`].
    ///
    /// # Errors
    /// As [`Room::read`].
    #[inline]
    pub fn read<'r, 'a>(
        &mut self,
        room: &'r mut Room<'a>,
        octets: &'a [u8],
        rules: Rules,
    ) -> Result<&'r Message<'a>, Refusal> {
        if !room.0.octets.is_empty() {
            *room = Room::new();
        }
        if let Some(plan) = self.0.find(0, octets) {
            plan.fill(octets, rules, &mut room.0);
            return Ok(&room.0);
        }
        room.0.read(octets, rules)?;
        self.0.learn(0, octets, || Plan::of(&room.0));
        Ok(&room.0)
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new()
    }
}

impl Plan {
    /// Where everything lies in this message, and which of its octets decide; `None` if it is none of the usual.
    fn of(message: &Message<'_>) -> Option<(Decides, Self)> {
        if !message.canonical || message.abort_cause.is_some() || message.octets.len() > LONGEST {
            return None;
        }
        let place = |part: &[u8]| {
            let from = part.as_ptr() as usize - message.octets.as_ptr() as usize;
            Some((u8::try_from(from).ok()?, u8::try_from(from + part.len()).ok()?))
        };
        let mut decides = Decides::all();
        let mut elements = List::new();
        let (mut otid, mut dtid) = (None, None);
        for element in &message.elements {
            elements.push(place(element)?);
            let (element, _) = ber::next(element, Rules::Strict, 0).ok()?;
            let id = match element.tag {
                super::OTID => &mut otid,
                super::DTID => &mut dtid,
                _ => continue,
            };
            let value = place(element.value)?;
            decides.leave_out(usize::from(value.0), usize::from(value.1));
            *id = Some(value);
        }
        let context = match message.dialogue {
            Dialogue::None => None,
            Dialogue::Usual(name) => Some(place(name.0)?),
            Dialogue::Other(_) => return None,
        };
        let mut components = List::new();
        for component in &message.components {
            let operation = match component.operation {
                Operation::None => None,
                Operation::Local(code) => Some(code),
                Operation::Global(_) => return None,
            };
            let (raw, parameter) = (place(component.raw)?, place_or_none(&place, component.parameter)?);
            // Its first element, and, where it has one, the next: octets that decide nothing.
            let (inside, _) = ber::next(component.raw, Rules::Strict, 0).ok()?;
            let mut ids = inside.elements(Rules::Strict, 0).flatten();
            let mut id = || place(ids.next()?.value);
            let invoke_id = component.invoke_id.and_then(|_| id());
            let linked_id = component.linked_id.and_then(|_| id());
            for (from, to) in [invoke_id, linked_id].into_iter().flatten() {
                decides.leave_out(usize::from(from), usize::from(to));
            }
            let values = Elements::new(component.parameter, Rules::Strict, 0);
            decides.leave_out_values(values, usize::from(parameter.0))?;
            let first = |id: Option<Place>| id.map(|(from, _)| from);
            let fits = components.push(Part {
                kind: component.kind,
                raw,
                invoke_id: first(invoke_id),
                linked_id: first(linked_id),
                operation,
                error: component.error,
                parameter,
                parameter_offset: u8::try_from(component.parameter_offset).ok()?,
            });
            if !fits {
                return None;
            }
        }
        Some((decides, Self { kind: message.kind, otid, dtid, elements, context, components }))
    }

    /// What reading such a message gives.
    #[inline(always)]
    fn fill<'a>(&self, octets: &'a [u8], rules: Rules, message: &mut Message<'a>) {
        let part = |(from, to): Place| ber::slice(octets, usize::from(from), usize::from(to));
        let octet = |at: Option<u8>| at.and_then(|at| octets.get(usize::from(at)).copied());
        (message.kind, message.octets, message.rules) = (self.kind, octets, rules);
        (message.outer_minimal, message.canonical) = (true, true);
        message.otid = self.otid.and_then(|id| Tid::new(part(id)));
        message.dtid = self.dtid.and_then(|id| Tid::new(part(id)));
        for element in &self.elements {
            message.elements.push(part(*element));
        }
        if let Some(name) = self.context {
            message.dialogue = Dialogue::Usual(Oid(part(name)));
        }
        for component in &self.components {
            message.components.push(Component {
                kind: component.kind,
                raw: part(component.raw),
                invoke_id: octet(component.invoke_id),
                linked_id: octet(component.linked_id),
                operation: component.operation.map_or(Operation::None, Operation::Local),
                error: component.error,
                parameter: part(component.parameter),
                parameter_offset: usize::from(component.parameter_offset),
            });
        }
    }
}

/// An empty parameter lies nowhere.
fn place_or_none(place: &impl Fn(&[u8]) -> Option<Place>, parameter: &[u8]) -> Option<Place> {
    if parameter.is_empty() { Some((0, 0)) } else { place(parameter) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcap::{emit_begin, emit_continue, emit_end, emit_error, emit_invoke, emit_result_last};
    use proptest::{collection::vec, prelude::*};

    fn messages() -> Vec<Vec<u8>> {
        let id = |octets: &[u8]| Tid::new(octets).unwrap();
        let parameter = [0x30, 10, 4, 3, 0x21, 0x43, 0x65, 0xa0, 3, 0x80, 1, 7];
        let (mut invoke, mut two, mut result, mut error) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        emit_invoke(1, 2, &parameter, &mut invoke);
        emit_invoke(1, 2, &parameter, &mut two);
        emit_invoke(2, 81, &[0x30, 3, 4, 1, 9], &mut two);
        emit_result_last(1, 45, &parameter, &mut result);
        emit_result_last(3, 45, &[], &mut result);
        emit_error(1, 34, &[], &mut error);
        let linked = [0xa1, 9, 2, 1, 5, 0x80, 1, 4, 2, 1, 2];
        let name = [4, 0, 0, 1, 0, 20, 3];
        let mut all = Vec::new();
        for components in [&invoke[..], &two, &result, &error, &linked, &[]] {
            let mut three = [Vec::new(), Vec::new(), Vec::new()];
            emit_begin(id(&[1, 2, 3]), Some(&name), components, &mut three[0]);
            emit_continue(id(&[1, 2, 3, 4]), id(&[9]), None, components, &mut three[1]);
            emit_end(id(&[8, 8]), Some(&name), components, &mut three[2]);
            all.extend(three);
        }
        all
    }

    /// Reads as both do, after the one with a memory has seen every message often enough to know it.
    fn alike(known: &mut Known, octets: &[u8]) -> Result<(), TestCaseError> {
        let (mut room, mut other) = (Room::new(), Room::new());
        for rules in [Rules::Strict, Rules::Lenient] {
            let want = other.read(octets, rules).map(|message| format!("{message:?}"));
            let got = known.read(&mut room, octets, rules).map(|message| format!("{message:?}"));
            prop_assert_eq!(&got, &want, "{:02x?}", octets);
        }
        Ok(())
    }

    #[test]
    fn a_message_like_one_before_is_read_alike() {
        let mut known = Known::new();
        let all = messages();
        for octets in all.iter().cycle().take(all.len() * 20) {
            alike(&mut known, octets).unwrap();
        }
        let plans = all.iter().filter(|octets| known.0.find(0, octets).is_some()).count();
        assert_eq!(plans, all.len(), "each has a template by now");
        // Other ids, another subscriber: no new template is needed. Each other octet decides.
        let octets = &all[0];
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 0x10;
            alike(&mut known, &changed).unwrap();
        }
    }

    proptest! {
        #[test]
        fn no_change_is_overlooked(which: usize, changes in vec((any::<usize>(), any::<u8>()), 1..4), teach: bool) {
            let mut known = Known::new();
            let all = messages();
            let mut octets = all[which % all.len()].clone();
            for _ in 0..16 {
                alike(&mut known, &octets)?;
            }
            for (at, octet) in changes {
                let at = at % octets.len();
                octets[at] = octet;
                for _ in 0..if teach { 16 } else { 1 } {
                    alike(&mut known, &octets)?;
                }
            }
        }
    }
}
