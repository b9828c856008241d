//! TCAP messages and components (ITU-T Q.773), read in place with one walk over the whole tree.
//!
//! [`Message`] is what a message is made of, [`Component`] what a component is; the `emit_` functions write both.

mod component;
mod emit;
mod peek;

pub use component::{Component, ComponentKind, Components, MAX_COMPONENTS, Operation};
pub use emit::{
    emit_abort, emit_begin, emit_continue, emit_dialogue, emit_end, emit_error, emit_invoke, emit_result_last,
    emit_unidirectional, rebuild,
};
pub use peek::originating_id;

use core::fmt;

use crate::ber::{self, Rules, Span, Tlv};
use crate::list::List;
use crate::reason::{Reason, Refusal};

pub(crate) const OTID: u8 = 0x48;
pub(crate) const DTID: u8 = 0x49;
pub(crate) const ABORT_CAUSE: u8 = 0x4a;
pub(crate) const DIALOGUE: u8 = 0x6b;
pub(crate) const COMPONENTS: u8 = 0x6c;
pub(crate) const EXTERNAL: u8 = 0x28;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const ABSTRACT: u8 = 0xa0;
/// AARQ, and AUDT in a unidirectional message (Q.773 §3.2).
pub(crate) const AARQ: u8 = 0x60;
pub(crate) const AARE: u8 = 0x61;
pub(crate) const CONTEXT_NAME: u8 = 0xa1;

/// Message types; the value is the tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum MessageKind {
    /// No transaction, no answer.
    Unidirectional = 0x61,
    /// Opens a transaction.
    Begin = 0x62,
    /// Closes one.
    End = 0x64,
    /// Goes on in one.
    Continue = 0x65,
    /// Breaks one off.
    Abort = 0x67,
}

impl MessageKind {
    /// The kind with this tag.
    pub const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0x61 => MessageKind::Unidirectional,
            0x62 => MessageKind::Begin,
            0x64 => MessageKind::End,
            0x65 => MessageKind::Continue,
            0x67 => MessageKind::Abort,
            _ => return None,
        })
    }

    /// The elements that this message may have, in their order.
    const fn elements(self) -> &'static [u8] {
        match self {
            MessageKind::Unidirectional => &[DIALOGUE, COMPONENTS],
            MessageKind::Begin => &[OTID, DIALOGUE, COMPONENTS],
            MessageKind::End => &[DTID, DIALOGUE, COMPONENTS],
            MessageKind::Continue => &[OTID, DTID, DIALOGUE, COMPONENTS],
            MessageKind::Abort => &[DTID, ABORT_CAUSE, DIALOGUE],
        }
    }

    /// True if the message has a component portion or could be given one.
    pub const fn has_components(self) -> bool {
        !matches!(self, MessageKind::Abort)
    }
}

/// A transaction id: one to four octets, compared as they stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tid {
    octets: [u8; 4],
    len: u8,
}

impl Tid {
    /// An id of these octets; `None` unless there are one to four.
    pub fn new(octets: &[u8]) -> Option<Self> {
        if !(1..=4).contains(&octets.len()) {
            return None;
        }
        let mut id = Self { octets: [0; 4], len: octets.len() as u8 };
        id.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(id)
    }

    /// The octets as they stand on the wire.
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or(&self.octets)
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_octets().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// The content of an OBJECT IDENTIFIER; shown in dotted form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Oid<'a>(pub &'a [u8]);

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc = 0_u64;
        let mut first = true;
        for octet in self.0 {
            arc = arc << 7 | u64::from(octet & 0x7f);
            if octet & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(f, "{root}.{}", arc - root * 40)?;
            } else {
                write!(f, ".{arc}")?;
            }
            (arc, first) = (0, false);
        }
        Ok(())
    }
}

/// One whole TCAP message, read in place.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Message type.
    pub kind: MessageKind,
    /// The octets it was read from: exactly this message.
    pub octets: &'a [u8],
    /// Originating transaction id: BEGIN and CONTINUE.
    pub otid: Option<Tid>,
    /// Destination transaction id: CONTINUE, END and ABORT.
    pub dtid: Option<Tid>,
    /// All top-level elements but the component portion, in message order.
    pub elements: List<Tlv<'a>, 4>,
    /// The dialogue portion, one of `elements`.
    pub dialogue: Option<Tlv<'a>>,
    /// P-Abort cause of an ABORT that has one.
    pub abort_cause: Option<u8>,
    /// The components in message order.
    pub components: Components<'a>,
    /// True if the lengths of the message and of its component portion are definite and minimal.
    pub outer_minimal: bool,
    /// True if every length in the tree is.
    pub canonical: bool,
    rules: Rules,
    dialogue_at: Option<Span>,
}

/// Room for one message, which is too large to be moved for nothing: it is read in its place and lent out.
pub struct Room<'a>(Message<'a>);

impl<'a> Room<'a> {
    /// Room that holds nothing yet.
    #[inline(always)]
    pub fn new() -> Self {
        Self(Message {
            kind: MessageKind::Begin,
            octets: &[],
            otid: None,
            dtid: None,
            elements: List::new(),
            dialogue: None,
            abort_cause: None,
            components: Components::new(),
            outer_minimal: false,
            canonical: false,
            rules: Rules::Strict,
            dialogue_at: None,
        })
    }

    /// Reads one message and walks it to the leaves.
    ///
    /// Encoding comes before contents: a broken length anywhere is reported before a misplaced element.
    /// # Errors
    /// [`Reason::TcapTag`], the BER reasons of [`ber::walk`], [`Reason::TcapTrailing`], [`Reason::TcapElement`],
    /// [`Reason::TcapTid`], [`Reason::TcapComponent`], [`Reason::TcapComponentCount`]; `at` counts from the message tag.
    /// # Source
    /// Q.773 §3.1 and §3.4; formats 11.1.
    #[inline]
    pub fn read(&mut self, octets: &'a [u8], rules: Rules) -> Result<&Message<'a>, Refusal> {
        if !self.0.octets.is_empty() {
            *self = Self::new();
        }
        self.0.read(octets, rules)?;
        Ok(&self.0)
    }
}

impl Default for Room<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Message<'a> {
    /// Reads one message; see [`Room::read`].
    /// # Errors
    /// As [`Room::read`].
    pub fn parse(octets: &'a [u8], rules: Rules) -> Result<Self, Refusal> {
        let mut room = Room::new();
        room.0.read(octets, rules)?;
        Ok(room.0)
    }

    /// Reads into a message that is blank.
    fn read(&mut self, octets: &'a [u8], rules: Rules) -> Result<(), Refusal> {
        let kind = octets.first().copied().and_then(MessageKind::from_tag).ok_or(Reason::TcapTag.at(0))?;
        let outer = ber::span(octets, 0, octets.len(), rules, 0)?;
        if outer.next != octets.len() {
            return Err(Reason::TcapTrailing.at(outer.next));
        }
        (self.kind, self.octets, self.rules, self.outer_minimal) = (kind, octets, rules, outer.canonical);
        let mut portion = None;
        let mut fault = Ok(());
        let mut wanted = kind.elements();
        let mut at = outer.body;
        let mut canonical = outer.canonical;
        while at < outer.end {
            let element = ber::span(octets, at, outer.end, rules, 0)?;
            canonical &= element.canonical;
            if fault.is_ok() {
                fault = self.take_element(&element, &mut wanted);
            }
            if element.is(COMPONENTS) {
                portion = Some(element);
            }
            at = element.next;
        }
        fault?;
        let wants = |id| kind.elements().contains(&id);
        if (self.otid.is_none() && wants(OTID)) || (self.dtid.is_none() && wants(DTID)) {
            return Err(Reason::TcapTid.at(outer.body));
        }
        if let Some(dialogue) = &self.dialogue_at {
            canonical &= ber::walk_inside(octets, dialogue, rules, 1)?;
        }
        if let Some(portion) = portion {
            self.outer_minimal &= portion.canonical;
            canonical &= component::read_all(octets, &portion, rules, &mut self.components)?;
        }
        self.canonical = canonical;
        Ok(())
    }

    fn take_element(&mut self, element: &Span, wanted: &mut &'static [u8]) -> Result<(), Refusal> {
        let misplaced = Reason::TcapElement.at(element.start);
        let place = wanted.iter().position(|tag| element.is(*tag)).ok_or(misplaced)?;
        *wanted = wanted.get(place + 1..).unwrap_or(&[]);
        let tlv = element.tlv(self.octets);
        match element.tag {
            COMPONENTS => return Ok(()),
            OTID => self.otid = Some(Tid::new(tlv.value).ok_or(Reason::TcapTid.at(element.start))?),
            DTID => self.dtid = Some(Tid::new(tlv.value).ok_or(Reason::TcapTid.at(element.start))?),
            ABORT_CAUSE => self.abort_cause = tlv.value.first().copied(),
            _ => (self.dialogue, self.dialogue_at) = (Some(tlv), Some(*element)),
        }
        if self.elements.push(tlv) { Ok(()) } else { Err(misplaced) }
    }

    /// The application context name of the dialogue request, response or unidirectional dialogue.
    ///
    /// `None`: there is no dialogue portion, or it holds an ABRT.
    /// # Errors
    /// [`Reason::TcapDialogue`] if the portion is not exactly one EXTERNAL with exactly one dialogue unit, or the unit has
    /// no application context name or two; `at` counts from the message tag.
    /// # Source
    /// Q.773 §3.2 and §4.2.3.
    pub fn application_context(&self) -> Result<Option<Oid<'a>>, Refusal> {
        let Some(portion) = self.dialogue_at else { return Ok(None) };
        let bad = Reason::TcapDialogue.at(portion.start);
        self.context_inside(&portion).ok_or(bad)
    }

    /// `None` where the portion is not as Q.773 has it.
    fn context_inside(&self, portion: &Span) -> Option<Option<Oid<'a>>> {
        let external = self.only(portion, 1).filter(|element| element.is(EXTERNAL))?;
        let syntax = self.child(external.body, &external, 2).filter(|element| element.is(OBJECT_ID))?;
        let value = self.child(syntax.next, &external, 2).filter(|element| element.is(ABSTRACT))?;
        if value.next != external.end {
            return None;
        }
        let unit = self.only(&value, 3)?;
        if !unit.is(AARQ) && !unit.is(AARE) {
            return Some(None);
        }
        let mut context = None;
        let mut at = unit.body;
        while at < unit.end {
            let field = self.child(at, &unit, 4)?;
            if field.is(CONTEXT_NAME) && context.replace(field).is_some() {
                return None;
            }
            at = field.next;
        }
        let name = self.only(&context?, 5).filter(|element| element.is(OBJECT_ID))?.value(self.octets);
        let ends = name.last().is_some_and(|octet| octet & 0x80 == 0);
        ends.then_some(Some(Oid(name)))
    }

    /// The element at `at` inside `parent`; `None` at its end. It was walked when the message was read.
    fn child(&self, at: usize, parent: &Span, depth: u8) -> Option<Span> {
        ber::span(self.octets, at, parent.end, self.rules, depth).ok()
    }

    /// The one element inside `parent`.
    fn only(&self, parent: &Span, depth: u8) -> Option<Span> {
        self.child(parent.body, parent, depth).filter(|element| element.next == parent.end)
    }

    /// The rules it was read under.
    pub fn rules(&self) -> Rules {
        self.rules
    }
}

#[cfg(test)]
mod tests;
