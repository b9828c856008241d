//! A look at the front of a message that may not be whole: its first segment, on its way out.

use super::dialogue::Dialogue;
use super::{DIALOGUE, DTID, MessageKind, OTID, Oid, Tid};
use crate::ber::{self, Rules};

/// What a message of ours opens, or goes on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening<'a> {
    /// BEGIN or CONTINUE.
    pub kind: MessageKind,
    /// Originating transaction id.
    pub id: Tid,
    /// Destination transaction id, which a CONTINUE has.
    pub answers: Option<Tid>,
    /// Application context name, where there is a dialogue portion that has one.
    pub context: Option<Oid<'a>>,
}

/// Transaction id and application context of a BEGIN or CONTINUE whose end may be missing.
///
/// Only for messages that are not judged: nothing behind the dialogue portion is looked at.
pub fn opening(octets: &[u8]) -> Option<Opening<'_>> {
    let (kind, rest) = inside(octets)?;
    if !matches!(kind, MessageKind::Begin | MessageKind::Continue) {
        return None;
    }
    let (own, behind) = id(OTID, rest)?;
    let (answers, portion) = match (kind, id(DTID, behind)) {
        (MessageKind::Continue, Some((id, portion))) => (Some(id), Some(portion)),
        (MessageKind::Continue, None) => (None, None),
        _ => (None, Some(behind)),
    };
    Some(Opening { kind, id: own, answers, context: portion.and_then(|portion| context(kind, portion)) })
}

/// Destination transaction id of an END or ABORT whose end may be missing. Only for messages that are not judged.
pub fn ending(octets: &[u8]) -> Option<Tid> {
    let (kind, rest) = inside(octets)?;
    let ends = matches!(kind, MessageKind::End | MessageKind::Abort);
    id(DTID, rest).filter(|_| ends).map(|(id, _)| id)
}

/// What kind of message it is, and what is in it.
fn inside(octets: &[u8]) -> Option<(MessageKind, &[u8])> {
    let (&tag, rest) = octets.split_first()?;
    let kind = MessageKind::from_tag(tag)?;
    let (&length, rest) = rest.split_first()?;
    let skipped = if length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    Some((kind, rest.get(skipped..)?))
}

/// The id with this tag at the front, and what is behind it.
fn id(tag: u8, octets: &[u8]) -> Option<(Tid, &[u8])> {
    let (&[found, length], rest) = octets.split_first_chunk()?;
    let (id, behind) = rest.split_at_checked(usize::from(length)).filter(|_| found == tag)?;
    Some((Tid::new(id)?, behind))
}

fn context(kind: MessageKind, octets: &[u8]) -> Option<Oid<'_>> {
    if octets.first() != Some(&DIALOGUE) {
        return None;
    }
    let (portion, _) = ber::next(octets, Rules::Lenient, 0).ok()?;
    let dialogue = Dialogue::read(&portion, kind, Rules::Lenient, &mut true).ok()?;
    dialogue.context(kind, Rules::Lenient).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_a_cut_message_of_any_length_form() {
        for octets in [
            &b"\x62\x50\x48\x04\x11\x22\x33\x44\x6b"[..],
            b"\x62\x81\xc0\x48\x04\x11\x22\x33\x44",
            b"\x65\x80\x48\x04\x11\x22\x33\x44",
        ] {
            assert_eq!(opening(octets).map(|found| found.id), Tid::new(&[0x11, 0x22, 0x33, 0x44]), "{octets:02x?}");
        }
        for octets in [
            &b""[..],
            b"\x64\x06\x49\x04\x11\x22\x33\x44",
            b"\x62\x50\x48\x05\x11\x22\x33\x44\x55",
            b"\x62\x50\x48\x04\x11",
        ] {
            assert_eq!(opening(octets), None, "{octets:02x?}");
        }
    }

    #[test]
    fn the_id_of_the_other_side_is_found_in_what_has_one() {
        let id = Tid::new(&[0x11, 0x22, 0x33, 0x44]);
        let other = Tid::new(&[7, 8]);
        for (octets, answers, ends) in [
            (&b"\x62\x50\x48\x04\x11\x22\x33\x44\x49\x02\x07\x08"[..], None, None),
            (b"\x65\x50\x48\x04\x11\x22\x33\x44\x49\x02\x07\x08\x6c", other, None),
            (b"\x65\x50\x48\x04\x11\x22\x33\x44\x49\x02\x07", None, None),
            (b"\x64\x81\x80\x49\x04\x11\x22\x33\x44\x6c", None, id),
            (b"\x67\x80\x49\x04\x11\x22\x33\x44", None, id),
            (b"\x67\x80\x48\x04\x11\x22\x33\x44", None, None),
            (b"\x64\x06\x49\x04\x11\x22\x33", None, None),
        ] {
            assert_eq!(opening(octets).and_then(|found| found.answers), answers, "{octets:02x?}");
            assert_eq!(ending(octets), ends, "{octets:02x?}");
        }
    }

    #[test]
    fn the_context_is_found_where_its_portion_is_whole() {
        let name = [4, 0, 0, 1, 0, 20, 3];
        let id = Tid::new(&[1, 2]).unwrap();
        let (mut begin, mut answer, mut later) = (Vec::new(), Vec::new(), Vec::new());
        crate::tcap::emit_begin(id, Some(&name), &[], &mut begin);
        crate::tcap::emit_continue(id, id, Some(&name), &[], &mut answer);
        crate::tcap::emit_continue(id, id, None, &[], &mut later);
        for (octets, want) in [(&begin, Some(Oid(&name))), (&answer, Some(Oid(&name))), (&later, None)] {
            assert_eq!(opening(octets).map(|found| (found.id, found.context)), Some((id, want)), "{octets:02x?}");
            let cut = &octets[..octets.len() - 1];
            assert_eq!(opening(cut).and_then(|found| found.context), None, "{octets:02x?}");
        }
    }
}
