//! TCAP messages and components (ITU-T Q.773), read in place with one walk over the whole tree.
//!
//! [`Message`] is what a message is made of, [`Component`] what a component is; the `emit_` functions write both.

mod component;
mod dialogue;
mod emit;
mod known;
mod peek;

pub use component::{Component, ComponentKind, Components, MAX_COMPONENTS, Operation};
pub use emit::{
    emit_abort, emit_begin, emit_continue, emit_dialogue, emit_end, emit_error, emit_invoke, emit_result_last,
    emit_unidirectional, rebuild,
};
pub use known::Known;
pub use peek::{Opening, ending, opening};

use core::fmt;

use dialogue::Dialogue;

use crate::ber::{self, Rules, Tlv};
use crate::list::List;
use crate::reason::{Reason, Refusal};

pub(crate) const OTID: u8 = 0x48;
pub(crate) const DTID: u8 = 0x49;
pub(crate) const ABORT_CAUSE: u8 = 0x4a;
pub(crate) const DIALOGUE: u8 = 0x6b;
pub(crate) const COMPONENTS: u8 = 0x6c;

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

    /// The elements that this message may have, a bit of [`place`] each.
    const fn elements(self) -> u8 {
        match self {
            MessageKind::Unidirectional => place::DIALOGUE | place::COMPONENTS,
            MessageKind::Begin => place::OTID | place::DIALOGUE | place::COMPONENTS,
            MessageKind::End => place::DTID | place::DIALOGUE | place::COMPONENTS,
            MessageKind::Continue => place::OTID | place::DTID | place::DIALOGUE | place::COMPONENTS,
            MessageKind::Abort => place::DTID | place::ABORT_CAUSE | place::DIALOGUE,
        }
    }

    /// True if the message has a component portion or could be given one.
    pub const fn has_components(self) -> bool {
        !matches!(self, MessageKind::Abort)
    }
}

/// The elements of all messages, a bit each, in the order in which they stand (Q.773 §3.1).
mod place {
    pub const OTID: u8 = 1 << 0;
    pub const DTID: u8 = 1 << 1;
    pub const ABORT_CAUSE: u8 = 1 << 2;
    pub const DIALOGUE: u8 = 1 << 3;
    pub const COMPONENTS: u8 = 1 << 4;

    /// The bit of the element with this tag; 0 if there is none.
    #[inline(always)]
    pub const fn of(tag: u8) -> u8 {
        match tag {
            super::OTID => OTID,
            super::DTID => DTID,
            super::ABORT_CAUSE => ABORT_CAUSE,
            super::DIALOGUE => DIALOGUE,
            super::COMPONENTS => COMPONENTS,
            _ => 0,
        }
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
    #[inline]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let (octets, len) = match *octets {
            [a, b, c, d] => ([a, b, c, d], 4),
            [a, b, c] => ([a, b, c, 0], 3),
            [a, b] => ([a, b, 0, 0], 2),
            [a] => ([a, 0, 0, 0], 1),
            _ => return None,
        };
        Some(Self { octets, len })
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
    /// All top-level elements but the component portion, each from tag to last octet, in message order.
    pub elements: List<&'a [u8], 4>,
    /// P-Abort cause of an ABORT that has one.
    pub abort_cause: Option<u8>,
    /// The components in message order.
    pub components: Components<'a>,
    /// True if the lengths of the message and of its component portion are definite and minimal.
    pub outer_minimal: bool,
    /// True if every length in the tree is.
    pub canonical: bool,
    rules: Rules,
    dialogue: Dialogue<'a>,
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
            abort_cause: None,
            components: Components::new(),
            outer_minimal: false,
            canonical: false,
            rules: Rules::Strict,
            dialogue: Dialogue::None,
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
        let (outer, behind) = ber::next(octets, rules, 0)?;
        if !behind.is_empty() {
            return Err(Reason::TcapTrailing.at(octets.len() - behind.len()));
        }
        (self.kind, self.octets, self.rules, self.outer_minimal) = (kind, octets, rules, outer.canonical);
        let mut left = outer.elements(rules, 0);
        // How the elements behind it are encoded comes before what is wrong with one.
        self.take_elements(&outer, &mut left).map_err(|fault| left.find_map(Result::err).unwrap_or(fault))
    }

    /// Reads the elements of the message up to the first fault: in one of them, or in which there are.
    #[inline(always)]
    fn take_elements(&mut self, outer: &Tlv<'a>, left: &mut ber::Elements<'a>) -> Result<(), Refusal> {
        let (wanted, rules) = (self.kind.elements(), self.rules);
        let ids = wanted & (place::OTID | place::DTID);
        let nameless = Reason::TcapTid.at(outer.body);
        let (mut places, mut canonical) = (0, outer.canonical);
        while let Some(element) = left.pull()? {
            let misplaced = Reason::TcapElement.at(element.at);
            let place = place::of(element.tag) & wanted;
            if place <= places {
                return Err(misplaced); // not one of this message, or not behind those before it
            }
            places |= place;
            canonical &= element.canonical;
            if place <= place::DTID {
                let id = Some(Tid::new(element.value).ok_or(Reason::TcapTid.at(element.at))?);
                if place == place::OTID { self.otid = id } else { self.dtid = id }
            } else if ids & !places != 0 {
                return Err(nameless);
            } else if place == place::DIALOGUE {
                self.dialogue = Dialogue::read(&element, self.kind, rules, &mut canonical)?;
            } else if place == place::COMPONENTS {
                self.outer_minimal &= element.canonical;
                self.canonical = canonical & self.take_components(&element)?;
                return left.pull()?.map_or(Ok(()), |more| Err(Reason::TcapElement.at(more.at)));
            } else {
                self.abort_cause = element.value.first().copied();
            }
            if !self.elements.push(element.raw) {
                return Err(misplaced);
            }
        }
        self.canonical = canonical;
        if ids & !places != 0 { Err(nameless) } else { Ok(()) }
    }

    /// Reads the components; true if every length in them is definite and minimal.
    #[inline(always)]
    fn take_components(&mut self, portion: &Tlv<'a>) -> Result<bool, Refusal> {
        // As above: all encodings come before any contents.
        component::read_all(portion, self.rules, &mut self.components)
            .or_else(|fault| ber::walk_inside(portion, self.rules, 1).and(Err(fault)))
    }

    /// The rules it was read under.
    pub fn rules(&self) -> Rules {
        self.rules
    }
}

#[cfg(test)]
mod tests;
