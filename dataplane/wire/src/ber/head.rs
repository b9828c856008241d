//! Tag and length of one element.

use super::{Rules, is_constructed};
use crate::reason::{Reason, Refusal};

/// A tag and a length, before anybody looked inside.
pub(super) struct Head {
    /// First tag octet.
    pub tag: u8,
    /// Tag number, also in the long form.
    pub number: u32,
    /// Octets of tag and length.
    pub size: usize,
    /// Octets of the value; `None`: indefinite.
    pub len: Option<usize>,
    /// True for a definite length in the fewest octets.
    pub minimal: bool,
}

/// What a first octet begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A long tag, or that of end-of-contents octets.
    Unusual,
    /// A whole tag, of an element that holds a value.
    Primitive,
    /// A whole tag, of an element that holds others.
    Constructed,
}

static FORMS: [Form; 256] = {
    let mut table = [Form::Unusual; 256];
    let mut tag = 0;
    while tag < 256 {
        if tag & 0x1f != 0x1f && tag & 0xdf != 0 {
            table[tag] = if tag & 0x20 == 0 { Form::Primitive } else { Form::Constructed };
        }
        tag += 1;
    }
    table
};

/// An element cut off from what follows it.
pub(super) struct Cut<'a> {
    pub form: Form,
    /// From tag to last octet.
    pub raw: &'a [u8],
    pub value: &'a [u8],
    pub behind: &'a [u8],
}

/// The common case in a few instructions: a short tag and a length below 128 that fits. Anything else is left to [`head`].
#[inline(always)]
pub(super) fn short(octets: &[u8]) -> Option<Cut<'_>> {
    let &[tag, len @ 0..0x80] = octets.first_chunk()? else { return None };
    let (raw, behind) = octets.split_at_checked(2 + usize::from(len))?;
    let form = FORMS[usize::from(tag)];
    (form != Form::Unusual).then_some(Cut { form, raw, value: raw.get(2..)?, behind })
}

/// Reads one tag and one length of any form, from the front of octets that end where the element's parent does.
///
/// # Errors
/// Those of [`walk`](super::walk), `at` counts from the tag.
pub(super) fn head(octets: &[u8], rules: Rules) -> Result<Head, Refusal> {
    let Some(&tag) = octets.first() else { return Err(Reason::BerLength.at(0)) };
    if tag & 0xdf == 0 {
        // X.690 §8.1.5 keeps tag 0 for end-of-contents: with no indefinite length open, two decoders would part here.
        return Err(Reason::BerLength.at(0));
    }
    let (mut number, mut place) = (u32::from(tag & 0x1f), 1);
    if number == 31 {
        (number, place) = long_tag(octets)?;
    }
    let Some(&first) = octets.get(place) else { return Err(Reason::BerLength.at(0)) };
    let (len, size, minimal) = match first {
        0..0x80 => (usize::from(first), place + 1, true),
        0x80 if rules == Rules::Strict => return Err(Reason::BerIndefinite.at(place)),
        0x80 if !is_constructed(tag) => return Err(Reason::BerLength.at(place)),
        0x80 => return Ok(Head { tag, number, size: place + 1, len: None, minimal: false }),
        _ => long_length(octets, place, rules)?,
    };
    if len > octets.len() - size.min(octets.len()) {
        return Err(Reason::BerLength.at(place));
    }
    Ok(Head { tag, number, size, len: Some(len), minimal })
}

/// The number of a long tag, at most 28 bits, and the place behind it.
#[cold]
fn long_tag(octets: &[u8]) -> Result<(u32, usize), Refusal> {
    let mut number = 0;
    for (i, &octet) in octets.iter().enumerate().skip(1).take(4) {
        number = number << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            // A number that the short form holds, or a leading zero group: filters that compare octets miss such a tag.
            if number < 31 || octets.get(1) == Some(&0x80) {
                return Err(Reason::BerTagLong.at(0));
            }
            return Ok((number, i + 1));
        }
    }
    Err(Reason::BerLength.at(0))
}

/// A length in the long form: its value, the place behind it, and whether no shorter form would do.
fn long_length(octets: &[u8], place: usize, rules: Rules) -> Result<(usize, usize, bool), Refusal> {
    let count = usize::from(octets.get(place).map_or(0, |octet| octet & 0x7f));
    if count > 4 {
        return Err(Reason::BerLength.at(place));
    }
    let Some(digits) = octets.get(place + 1..place + 1 + count) else { return Err(Reason::BerLength.at(place)) };
    let len = digits.iter().fold(0_u64, |len, &octet| len << 8 | u64::from(octet));
    let minimal = len >= 0x80 && digits.first() != Some(&0);
    if rules == Rules::Strict && !minimal {
        return Err(Reason::BerNonMinimal.at(place));
    }
    let len = usize::try_from(len).map_err(|_| Reason::BerLength.at(place))?;
    Ok((len, place + 1 + count, minimal))
}
