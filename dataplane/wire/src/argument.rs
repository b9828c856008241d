//! Finding subscribers and nodes inside the arguments of MAP and CAP operations, by a table for each operation.
//!
//! A table lists the elements of one SEQUENCE that matter, in their order; everything else is passed over, so extensions of
//! later releases do not hurt. Elements that share a tag are told apart by their order, as ASN.1 does.

use crate::addr::Digits;
use crate::ber::{Elements, Rules, Tlv};
use crate::reason::{Reason, Refusal};

/// What a number inside an argument stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// IMSI of the subscriber.
    Imsi,
    /// Number of the subscriber.
    Msisdn,
    /// A node that speaks for itself: it must belong to the sender.
    Node,
    /// A node or number of somebody else: the one that is asked, forwarded to or told about.
    Other,
}

/// How the octets of a number are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coding {
    /// As [`read_imsi`] does.
    Imsi,
    /// As [`read_address`] does, at least one digit, all of them decimal.
    Number,
    /// As [`read_address`] does. Nobody decides by it: what cannot be read is not reported.
    Address,
    /// As [`read_isup`] does, and not reported if it cannot be read.
    Isup,
}

impl Coding {
    #[inline(always)]
    pub fn read(self, octets: &[u8]) -> Option<Digits> {
        match self {
            Coding::Imsi => read_imsi(octets),
            Coding::Number => read_address(octets).filter(|number| !number.is_empty() && number.is_decimal()),
            Coding::Address => read_address(octets),
            Coding::Isup => read_isup(octets),
        }
    }

    /// True if an argument is refused for a number that cannot be read.
    #[inline(always)]
    pub fn must_be_read(self) -> bool {
        matches!(self, Coding::Imsi | Coding::Number)
    }
}

/// Where a number stands in an argument, counted from its first octet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub party: Party,
    pub coding: Coding,
    pub from: usize,
    pub to: usize,
}

/// How the octets of an element are read, and for whom.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Imsi,
    Msisdn,
    Node,
    Other,
    /// A short message service centre: the destination where it is the first element, else the sender.
    Centre,
    /// A number as ISUP codes it, of somebody else.
    Isup,
    /// Nothing to read, but it takes a place among elements with its tag.
    Skip,
    /// A SEQUENCE or an explicit tag with these inside.
    Enter(&'static [Field]),
    /// A SEQUENCE OF: the fields may come any number of times.
    Each(&'static [Field]),
}

impl Role {
    /// True for a number by which somebody decides.
    const fn must_be_read(self) -> bool {
        matches!(self, Role::Imsi | Role::Msisdn | Role::Node | Role::Centre)
    }
}

/// One element that matters.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// First tag octet; for numbers above 30 that octet and the number, as in 0x9f32.
    tag: u16,
    role: Role,
    /// One bit for each element that must be there; alternatives of a CHOICE share a bit.
    need: u8,
    /// Only as the first element of its SEQUENCE.
    first: bool,
}

impl Field {
    pub(crate) const fn new(tag: u16, role: Role) -> Self {
        Self { tag, role, need: 0, first: false }
    }

    /// The element is mandatory: one of those with this bit.
    pub(crate) const fn need(self, bit: u8) -> Self {
        Self { need: 1 << bit, ..self }
    }

    pub(crate) const fn first(self) -> Self {
        Self { first: true, ..self }
    }
}

pub(crate) const fn imsi(tag: u16) -> Field {
    Field::new(tag, Role::Imsi)
}
pub(crate) const fn msisdn(tag: u16) -> Field {
    Field::new(tag, Role::Msisdn)
}
pub(crate) const fn node(tag: u16) -> Field {
    Field::new(tag, Role::Node)
}
pub(crate) const fn other(tag: u16) -> Field {
    Field::new(tag, Role::Other)
}
pub(crate) const fn centre(tag: u16) -> Field {
    Field::new(tag, Role::Centre)
}
pub(crate) const fn isup(tag: u16) -> Field {
    Field::new(tag, Role::Isup)
}
pub(crate) const fn skip(tag: u16) -> Field {
    Field::new(tag, Role::Skip)
}
pub(crate) const fn enter(tag: u16, inside: &'static [Field]) -> Field {
    Field::new(tag, Role::Enter(inside))
}
pub(crate) const fn each(tag: u16, inside: &'static [Field]) -> Field {
    Field::new(tag, Role::Each(inside))
}

/// A table in an expression: constants inside are made at compile time.
macro_rules! fields {
    ($($field:expr),* $(,)?) => {{
        const FIELDS: &[$crate::argument::Field] = &[$($field),*];
        FIELDS
    }};
}
pub(crate) use fields;

/// Reads the elements of `octets` after the table and reports every number, in the order of the tree; `None`: it cannot be
/// read, and need not be.
///
/// # Errors
/// [`Reason::MapDupParam`] at the second element for one place; [`Reason::MapParam`] at an element that is badly coded, or
/// behind the last one if a mandatory element is missing; those of [`crate::ber::walk`]. `at` counts from the first of `octets`.
pub(crate) fn visit(
    octets: &[u8],
    fields: &[Field],
    rules: Rules,
    depth: u8,
    each: &mut impl FnMut(Place, Option<Digits>),
) -> Result<(), Refusal> {
    run(Elements::new(octets, rules, depth), fields, false, each)
}

/// * `repeats`: each field may come any number of times
fn run(
    mut elements: Elements<'_>,
    fields: &[Field],
    repeats: bool,
    each: &mut impl FnMut(Place, Option<Digits>),
) -> Result<(), Refusal> {
    let (mut taken, mut seen, mut first) = (0_u32, 0_u8, true);
    while let Some(element) = elements.pull()? {
        let tag = tag_of(&element);
        let leads = std::mem::replace(&mut first, false);
        let twice = Reason::MapDupParam.at(element.at);
        let (mut place, mut full) = (None, false);
        for (i, field) in fields.iter().enumerate() {
            if field.tag != tag {
                continue;
            }
            if field.first && !leads {
                // What is an alternative of the first element, and no other.
                full |= field.role.must_be_read();
                continue;
            }
            if repeats || taken & 1 << i == 0 {
                place = Some((1 << i, field));
                break;
            }
            full = true;
        }
        let Some((bit, field)) = place else {
            if full {
                return Err(twice);
            }
            // A string in parts (X.690 §8.7.3): a host may put them together where we would see no number at all.
            if fields.iter().any(|field| field.tag == in_parts(tag) && field.role.must_be_read()) {
                return Err(Reason::MapParam.at(element.at));
            }
            continue;
        };
        if seen & field.need != 0 && !repeats {
            return Err(twice); // two alternatives of one choice
        }
        taken |= bit;
        seen |= field.need;
        let bad = Reason::MapParam.at(element.at);
        let (party, coding) = match field.role {
            Role::Skip => continue,
            Role::Enter(inside) => {
                run(elements.inside(&element), inside, false, each)?;
                continue;
            }
            Role::Each(inside) => {
                run(elements.inside(&element), inside, true, each)?;
                continue;
            }
            Role::Imsi => (Party::Imsi, Coding::Imsi),
            Role::Other => (Party::Other, Coding::Address),
            Role::Isup => (Party::Other, Coding::Isup),
            Role::Msisdn => (Party::Msisdn, Coding::Number),
            Role::Node => (Party::Node, Coding::Number),
            Role::Centre if leads => (Party::Other, Coding::Number),
            Role::Centre => (Party::Node, Coding::Number),
        };
        let number = coding.read(element.value);
        if number.is_none() && coding.must_be_read() {
            return Err(bad);
        }
        each(Place { party, coding, from: element.body, to: element.end() }, number);
    }
    let needed = fields.iter().fold(0, |needed, field| needed | field.need);
    if seen & needed != needed {
        return Err(Reason::MapParam.at(elements.offset()));
    }
    Ok(())
}

/// The tag of the same element in its other form, primitive or constructed.
#[inline(always)]
const fn in_parts(tag: u16) -> u16 {
    tag ^ if tag > 0xff { 0x2000 } else { 0x20 }
}

#[inline(always)]
fn tag_of(element: &Tlv<'_>) -> u16 {
    if element.tag & 0x1f != 0x1f {
        return u16::from(element.tag);
    }
    u16::from(element.tag) << 8 | u16::try_from(element.number).unwrap_or(u16::MAX)
}

/// Reads an IMSI: TBCD-STRING of 3 to 8 octets, 5 to 15 decimal digits (TS 29.002 §17.7.8, TS 23.003 §2.2).
#[inline]
pub fn read_imsi(octets: &[u8]) -> Option<Digits> {
    if !(3..=8).contains(&octets.len()) {
        return None;
    }
    Digits::from_tbcd(octets).filter(|digits| (5..=15).contains(&digits.len()) && digits.is_decimal())
}

/// Reads the digits of an AddressString of at most 20 octets (TS 29.002 §17.7.8): whatever they are, nature and plan aside.
///
/// `None` if it is empty, has an extension of its first octet, or more digits than [`Digits::MAX`].
#[inline]
pub fn read_address(octets: &[u8]) -> Option<Digits> {
    let (first, digits) = octets.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    Digits::from_tbcd(digits)
}

/// Reads an international E.164 number as ISUP codes it (Q.763 §3.9 and §3.10): two octets of nature and plan, the first
/// with the odd bit on top. `None` for every other nature and plan.
pub fn read_isup(octets: &[u8]) -> Option<Digits> {
    const INTERNATIONAL: u8 = 4;
    const E164: u8 = 1;
    let (&[nature, plan], digits) = octets.split_first_chunk()?;
    if nature & 0x7f != INTERNATIONAL || plan >> 4 & 0x07 != E164 {
        return None;
    }
    Digits::from_nibbles(digits, (digits.len() * 2).checked_sub(usize::from(nature >> 7))?)
}

/// True if what is entered has a constructed tag, and what is read a primitive one.
#[cfg(test)]
pub(crate) fn forms_hold(fields: &[Field]) -> bool {
    fields.iter().all(|field| {
        let first = if field.tag > 0xff { field.tag >> 8 } else { field.tag };
        let constructed = crate::ber::is_constructed(first as u8);
        match field.role {
            Role::Enter(inside) | Role::Each(inside) => constructed && forms_hold(inside),
            Role::Skip => true,
            _ => !constructed,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Field] =
        &[imsi(0x04).need(0), enter(0xa0, CHOICE).need(1), node(0x04), imsi(0x9f32), each(0xa5, LIST)];
    const CHOICE: &[Field] = &[imsi(0x80).need(0), msisdn(0x81).need(0)];
    const LIST: &[Field] = &[other(0x85)];

    fn seen(octets: &[u8]) -> Result<String, Refusal> {
        let mut text = String::new();
        visit(octets, TABLE, Rules::Strict, 0, &mut |place, number| {
            if let Some(digits) = number {
                text += &format!("{:?} {digits} ", place.party);
            }
        })?;
        Ok(text)
    }

    #[test]
    fn places_with_one_tag_are_told_apart_by_their_order() {
        let octets = [4, 3, 0x21, 0x43, 0x65, 0xa0, 4, 0x81, 2, 0x91, 0x21, 4, 2, 0x91, 0x43, 0x83, 1, 0];
        assert_eq!(seen(&octets).as_deref(), Ok("Imsi 123456 Msisdn 12 Node 34 "));
        let long = [4, 3, 0x21, 0x43, 0x65, 0xa0, 4, 0x81, 2, 0x91, 0x21, 0x9f, 0x32, 3, 0x99, 0x99, 0xf9];
        assert_eq!(seen(&long).as_deref(), Ok("Imsi 123456 Msisdn 12 Imsi 99999 "));
        let list = [4, 3, 0x21, 0x43, 0x65, 0xa0, 4, 0x81, 2, 0x91, 0x21, 0xa5, 8, 0x85, 2, 0x91, 1, 0x85, 2, 0x91, 2];
        assert_eq!(seen(&list).as_deref(), Ok("Imsi 123456 Msisdn 12 Other 10 Other 20 "));
    }

    #[test]
    fn each_check_is_earned() {
        for (octets, want) in [
            (&[][..], Reason::MapParam.at(0)),
            (&[4, 3, 0x21, 0x43, 0x65], Reason::MapParam.at(5)),
            (&[4, 2, 0x21, 0x43], Reason::MapParam.at(0)),
            (&[4, 3, 0x21, 0x43, 0xa5], Reason::MapParam.at(0)),
            (&[4, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1], Reason::MapParam.at(0)),
            (&[0xa0, 8, 0x80, 3, 1, 1, 1, 0x81, 1, 0x91], Reason::MapDupParam.at(7)), // both alternatives
            (&[0xa0, 10, 0x80, 3, 1, 1, 1, 0x80, 3, 1, 1, 1], Reason::MapDupParam.at(7)),
            (&[0xa0, 4, 0x81, 2, 0x11, 0x21], Reason::MapParam.at(2)), // extension of the first octet
            (&[0xa0, 4, 0x81, 2, 0x91, 0x2b], Reason::MapParam.at(2)),
            (&[0xa0, 3, 0x81, 1, 0x91], Reason::MapParam.at(2)),
            (&[0xa0, 0], Reason::MapParam.at(2)),
            (&[4, 3, 1, 1, 1, 4, 2, 0x91, 1, 4, 2, 0x91, 1], Reason::MapDupParam.at(9)),
            (&[4, 3, 1, 1, 1, 4, 9], Reason::BerLength.at(6)),
            (&[0x24, 5, 4, 3, 0x21, 0x43, 0x65], Reason::MapParam.at(0)), // in parts
            (&[0xa0, 4, 0xa1, 2, 4, 0], Reason::MapParam.at(2)),
            (&[4, 3, 1, 1, 1, 0xbf, 0x32, 0], Reason::MapParam.at(5)),
        ] {
            assert_eq!(seen(octets), Err(want), "{octets:02x?}");
        }
    }
}
