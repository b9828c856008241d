//! The dialogue portion (Q.773 §3.2 and §4.2.3), as far as anybody decides by it: the application context name.

use super::{Message, MessageKind, Oid};
use crate::ber::{self, Rules, Tlv};
use crate::reason::{Reason, Refusal};

pub(super) const EXTERNAL: u8 = 0x28;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const ABSTRACT: u8 = 0xa0;
/// AARQ, and AUDT in a unidirectional message (Q.773 §3.2).
pub(super) const AARQ: u8 = 0x60;
pub(super) const AARE: u8 = 0x61;
const ABRT: u8 = 0x64;
pub(super) const CONTEXT_NAME: u8 = 0xa1;
/// dialogue-as-id and uniDialogue-as-id: {itu-t recommendation q 773 as(1) ...} (Q.773 §3.2).
const STRUCTURED: &[u8] = &[0, 0x11, 0x86, 5, 1, 1, 1];
const UNSTRUCTURED: &[u8] = &[0, 0x11, 0x86, 5, 1, 2, 1];

/// A dialogue portion as it was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialogue<'a> {
    /// There is none.
    None,
    /// The usual octets around this name.
    Usual(Oid<'a>),
    /// Another one, well encoded.
    Other(Tlv<'a>),
}

impl<'a> Dialogue<'a> {
    /// Walks the portion; clears `canonical` at a length that is not definite and minimal.
    #[inline(always)]
    pub fn read(portion: &Tlv<'a>, kind: MessageKind, rules: Rules, canonical: &mut bool) -> Result<Self, Refusal> {
        if let Some(name) = usual(portion.value, kind) {
            return Ok(Dialogue::Usual(name));
        }
        *canonical &= ber::walk_inside(portion, rules, 1)?;
        Ok(Dialogue::Other(*portion))
    }

    /// See [`Message::application_context`].
    #[inline]
    pub fn context(&self, kind: MessageKind, rules: Rules) -> Result<Option<Oid<'a>>, Refusal> {
        match self {
            Dialogue::None => Ok(None),
            Dialogue::Usual(name) => Ok(Some(*name)),
            Dialogue::Other(portion) => context(portion, kind, rules).ok_or(Reason::TcapDialogue.at(portion.at)),
        }
    }
}

/// Octets of an application context name of MAP and CAP.
const NAME: usize = 7;

/// EXTERNAL of the structured dialogue with an AARQ up to the context name, without and with the protocol version.
const REQUEST: &[u8; 19] = b"\x28\x18\x06\x07\0\x11\x86\x05\x01\x01\x01\xa0\x0d\x60\x0b\xa1\x09\x06\x07";
const REQUEST_1: &[u8; 23] =
    b"\x28\x1c\x06\x07\0\x11\x86\x05\x01\x01\x01\xa0\x11\x60\x0f\x80\x02\x07\x80\xa1\x09\x06\x07";
/// The same with an AARE, and what follows the name in one that accepts.
const ANSWER: &[u8; 19] = b"\x28\x24\x06\x07\0\x11\x86\x05\x01\x01\x01\xa0\x19\x61\x17\xa1\x09\x06\x07";
const ANSWER_1: &[u8; 23] =
    b"\x28\x28\x06\x07\0\x11\x86\x05\x01\x01\x01\xa0\x1d\x61\x1b\x80\x02\x07\x80\xa1\x09\x06\x07";
const ACCEPTED: &[u8; 12] = b"\xa2\x03\x02\x01\0\xa3\x05\xa1\x03\x02\x01\0";

/// The context name where the portion is, but for the name, one of the four that nearly all nodes send: to compare them
/// costs a tenth of a walk. `None` says nothing about a portion.
#[inline(always)]
fn usual(portion: &[u8], kind: MessageKind) -> Option<Oid<'_>> {
    let (name, behind) = match (portion.len(), kind) {
        (26, MessageKind::Begin) => portion.strip_prefix(REQUEST)?,
        (30, MessageKind::Begin) => portion.strip_prefix(REQUEST_1)?,
        (38, MessageKind::Continue | MessageKind::End) => portion.strip_prefix(ANSWER)?,
        (42, MessageKind::Continue | MessageKind::End) => portion.strip_prefix(ANSWER_1)?,
        _ => return None,
    }
    .split_first_chunk::<NAME>()?;
    let whole = behind.is_empty() || behind == ACCEPTED;
    (whole && name[NAME - 1] & 0x80 == 0).then_some(Oid(name))
}

impl<'a> Message<'a> {
    /// The application context name of the dialogue request, response or unidirectional dialogue.
    ///
    /// `None`: there is no dialogue portion, or it holds an ABRT.
    /// # Errors
    /// [`Reason::TcapDialogue`] if the portion is not exactly one EXTERNAL of Q.773's own syntax with exactly one dialogue unit,
    /// the unit is not one of this type of message, or it has no application context name or two: a host may pass over
    /// each of these, and take the dialogue for one without a context. `at` counts from the message tag.
    /// # Source
    /// Q.773 §3.2 and §4.2.3.
    #[inline]
    pub fn application_context(&self) -> Result<Option<Oid<'a>>, Refusal> {
        self.dialogue.context(self.kind, self.rules)
    }
}

/// The name in a portion that was walked; the outer `None` where it is not as Q.773 has it.
fn context<'a>(portion: &Tlv<'a>, kind: MessageKind, rules: Rules) -> Option<Option<Oid<'a>>> {
    // The one element inside another.
    let only = |outer: &Tlv<'a>, depth| {
        let mut inside = outer.elements(rules, depth);
        inside.pull().ok().flatten().filter(|_| inside.is_empty())
    };
    let external = only(portion, 1).filter(|element| element.is(EXTERNAL))?;
    let mut inside = external.elements(rules, 2);
    let syntax = if kind == MessageKind::Unidirectional { UNSTRUCTURED } else { STRUCTURED };
    inside.pull().ok()?.filter(|element| element.is(OBJECT_ID) && element.value == syntax)?;
    let value = inside.pull().ok()?.filter(|value| value.is(ABSTRACT) && inside.is_empty())?;
    let unit = only(&value, 3)?;
    match (kind, unit.tag) {
        (MessageKind::Begin | MessageKind::Unidirectional, AARQ) => {}
        (MessageKind::Continue | MessageKind::End | MessageKind::Abort, AARE) => {}
        (MessageKind::Abort, ABRT) => return Some(None),
        _ => return None,
    }
    let mut context = None;
    for field in unit.elements(rules, 4) {
        let field = field.ok()?;
        if field.is(CONTEXT_NAME) && context.replace(field).is_some() {
            return None;
        }
    }
    let name = only(&context?, 5).filter(|element| element.is(OBJECT_ID))?.value;
    let ends = name.last().is_some_and(|octet| octet & 0x80 == 0);
    ends.then_some(Some(Oid(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcap::{Tid, emit_begin, emit_continue, emit_end};

    fn portion_of(octets: &[u8]) -> Result<Tlv<'_>, Refusal> {
        let (outer, _) = ber::next(octets, Rules::Strict, 0)?;
        let mut elements = outer.elements(Rules::Strict, 0).flatten();
        elements.find(|element| element.is(0x6b)).ok_or(Reason::TcapDialogue.at(0))
    }

    /// The usual portions are what a walk says of them, whatever the name, and one changed octet makes them others.
    #[test]
    fn a_usual_portion_is_read_as_a_walk_reads_it() -> Result<(), Refusal> {
        let id = Tid::new(&[1, 2, 3, 4]).unwrap();
        let name = [4, 0, 0, 1, 0, 20, 3];
        let (mut begin, mut answer, mut end) = (Vec::new(), Vec::new(), Vec::new());
        emit_begin(id, Some(&name), &[], &mut begin);
        emit_continue(id, id, Some(&name), &[], &mut answer);
        emit_end(id, Some(&name), &[], &mut end);
        // The same without a protocol version.
        let bare = |hex: &[u8], lengths: &[usize]| {
            let version = hex.windows(4).position(|four| four == [0x80, 2, 7, 0x80]).unwrap();
            let mut octets = [&hex[..version], &hex[version + 4..]].concat();
            lengths.iter().for_each(|at| octets[*at] -= 4);
            octets
        };
        let all = [bare(&begin, &[1, 9, 11, 22, 24]), bare(&end, &[1, 9, 11, 22, 24]), begin, answer, end];
        for octets in &all {
            let message = Message::parse(octets, Rules::Strict)?;
            assert!(matches!(message.dialogue, Dialogue::Usual(_)), "{octets:02x?}");
            assert_eq!(message.application_context(), Ok(Some(Oid(&name))));
            let mut walked = message.clone();
            let portion = portion_of(octets)?;
            walked.dialogue = Dialogue::Other(portion);
            assert_eq!(walked.application_context(), Ok(Some(Oid(&name))));
            for at in portion.body..octets.len() {
                let mut changed = octets.clone();
                changed[at] ^= 1;
                let Ok(message) = Message::parse(&changed, Rules::Strict) else { continue };
                let mut walked = message.clone();
                walked.dialogue = Dialogue::Other(portion_of(&changed)?);
                assert_eq!(message.application_context(), walked.application_context(), "octet {at} of {octets:02x?}");
            }
        }
        Ok(())
    }
}
