//! BER as signalling uses it (X.690 §8.1): elements read in place, walked to the leaves, and written definite and minimal.
//!
//! Offsets in refusals count from the first octet of the slice that the call was given.

mod head;
mod put;
mod walk;

pub use put::{length_octets, put_canonical, put_integer, put_len, put_tlv, put_with};
pub use walk::walk;

pub(crate) use walk::walk_inside;

use head::{Cut, Head, head};

use crate::reason::{Reason, Refusal};

/// How far an encoding may leave DER before it is refused (formats 11.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rules {
    /// Definite and minimal lengths only.
    #[default]
    Strict,
    /// Indefinite and non-minimal lengths are read too; whoever forwards such a message writes it anew.
    Lenient,
}

/// The deepest level whose elements are read; the elements directly inside a message are level 0.
pub const MAX_DEPTH: u8 = 16;

/// True if the element with this first tag octet has elements inside.
pub const fn is_constructed(tag: u8) -> bool {
    tag & 0x20 != 0
}

/// One element, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tlv<'a> {
    /// First tag octet: class, constructed bit, and the number where it is below 31.
    pub tag: u8,
    /// Tag number, also in the long form.
    pub number: u32,
    /// The element from tag to last octet, end-of-contents octets included.
    pub raw: &'a [u8],
    /// What is inside, end-of-contents octets not included.
    pub value: &'a [u8],
    /// True if this element's own length is definite and minimal; its children are not asked.
    pub canonical: bool,
    /// Where the element begins, and where its value does: octets of what was first given to [`Elements::new`].
    pub at: usize,
    /// See `at`.
    pub body: usize,
}

impl<'a> Tlv<'a> {
    /// The elements inside; their offsets count as this one's do.
    #[inline(always)]
    pub fn elements(&self, rules: Rules, depth: u8) -> Elements<'a> {
        Elements { left: self.value, end: self.end(), rules, depth }
    }

    /// Octets of tag and length before the value.
    #[inline]
    pub fn header_len(&self) -> usize {
        self.body - self.at
    }

    /// Where the value ends.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        self.body + self.value.len()
    }

    /// True for a tag in the short form with exactly this octet.
    #[inline(always)]
    pub(crate) fn is(&self, tag: u8) -> bool {
        self.tag == tag
    }
}

/// An empty slice answers for one that is not of this buffer.
#[inline]
pub(crate) fn slice(octets: &[u8], from: usize, to: usize) -> &[u8] {
    octets.get(from..to).unwrap_or(&[])
}

/// Reads the first element of `octets` and returns it with the octets behind it.
///
/// What is inside is not walked. `depth` is the level of the element, see [`MAX_DEPTH`].
/// # Errors
/// As [`walk`]; an empty slice is [`Reason::BerLength`].
pub fn next(octets: &[u8], rules: Rules, depth: u8) -> Result<(Tlv<'_>, &[u8]), Refusal> {
    let mut elements = Elements::new(octets, rules, depth);
    let element = elements.pull()?.ok_or(Reason::BerLength.at(0))?;
    Ok((element, elements.left))
}

/// The elements of a run, one after the other; ends after the first refusal.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    left: &'a [u8],
    /// Where `left` ends, counted as offsets are.
    end: usize,
    rules: Rules,
    depth: u8,
}

impl<'a> Elements<'a> {
    /// Starts at the first element of `octets`; `depth` is their level.
    #[inline(always)]
    pub fn new(octets: &'a [u8], rules: Rules, depth: u8) -> Self {
        Self { left: octets, end: octets.len(), rules, depth }
    }

    /// Where the next element begins.
    #[inline(always)]
    pub fn offset(&self) -> usize {
        self.end - self.left.len()
    }

    /// True if there is no further element.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The elements inside one of these, under the same rules, a level below.
    #[inline(always)]
    pub fn inside(&self, element: &Tlv<'a>) -> Self {
        element.elements(self.rules, self.depth + 1)
    }

    /// The next element, if there is one more. What is inside is not looked at, except to find the end of an indefinite one.
    ///
    /// # Errors
    /// As [`walk`].
    #[inline(always)]
    pub fn pull(&mut self) -> Result<Option<Tlv<'a>>, Refusal> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let at = self.offset();
        if self.depth > MAX_DEPTH {
            return Err(Reason::BerDepth.at(at));
        }
        let whole = self.left;
        if let (Some(Cut { raw, value, behind, .. }), Some(&tag)) = (head::short(whole), whole.first()) {
            self.left = behind;
            return Ok(Some(Tlv { tag, number: u32::from(tag & 0x1f), raw, value, canonical: true, at, body: at + 2 }));
        }
        let (element, left) = long(whole, at, self.rules, self.depth)?;
        self.left = left;
        Ok(Some(element))
    }
}

/// The first element of `octets` in any form, and what follows. Apart, so that the common case lives in registers.
#[inline(never)]
fn long(octets: &[u8], at: usize, rules: Rules, depth: u8) -> Result<(Tlv<'_>, &[u8]), Refusal> {
    let Head { tag, number, size, len, minimal } = head(octets, rules).map_err(|refusal| refusal.later(at))?;
    let body = at + size;
    let inside = slice(octets, size, octets.len());
    let (len, taken) = match len {
        Some(len) => (len, len),
        None => {
            let taken = walk::indefinite(inside, rules, depth + 1).map_err(|refusal| refusal.later(body))?;
            (taken - 2, taken)
        }
    };
    let raw = slice(octets, 0, size + taken);
    let element = Tlv { tag, number, raw, value: slice(inside, 0, len), canonical: minimal, at, body };
    Ok((element, slice(inside, taken, inside.len())))
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Tlv<'a>, Refusal>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let taken = self.pull();
        if taken.is_err() {
            self.left = &[];
        }
        taken.transpose()
    }
}

/// Reads the content of an INTEGER that fits 32 bits and has no superfluous leading octet (X.690 §8.3.2).
///
/// # Errors
/// `None` inside `Ok` if it is empty or longer than four octets; [`Reason::BerNonMinimal`] at octet 0 of `value`.
pub fn integer(value: &[u8]) -> Result<Option<i32>, Refusal> {
    if let [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] = value {
        return Err(Reason::BerNonMinimal.at(0));
    }
    let Some(&first) = value.first() else { return Ok(None) };
    if value.len() > 4 {
        return Ok(None);
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(Some(value.iter().fold(sign, |sum, &octet| sum << 8 | i32::from(octet))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// SEQUENCE { [0] "ab", long tag 31 "c", SEQUENCE {} }.
    const RUN: [u8; 12] = [0x30, 0x0a, 0x80, 0x02, b'a', b'b', 0x9f, 0x1f, 0x01, b'c', 0x30, 0x00];

    #[test]
    fn elements_read_in_order() -> Result<(), Refusal> {
        let (outer, rest) = next(&RUN, Rules::Strict, 0)?;
        assert_eq!((outer.tag, outer.header_len(), rest.len()), (0x30, 2, 0));
        let inner: Vec<_> = outer.elements(Rules::Strict, 1).collect::<Result<_, _>>()?;
        let seen: Vec<_> = inner.iter().map(|tlv| (tlv.tag, tlv.number, tlv.value)).collect();
        assert_eq!(seen, [(0x80, 0, &b"ab"[..]), (0x9f, 31, b"c"), (0x30, 16, b"")]);
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (at, octet, want) in [
            (0, 0x00, Reason::BerLength.at(0)),     // end-of-contents where nothing is open
            (1, 0x0b, Reason::BerLength.at(1)),     // past its parent
            (1, 0x09, Reason::BerLength.at(10)),    // the last child keeps only its tag
            (1, 0x80, Reason::BerIndefinite.at(1)), // strict
            (1, 0x85, Reason::BerLength.at(1)),     // five length octets
            (3, 0x81, Reason::BerNonMinimal.at(3)), // then 'a' = 0x61, below 0x80
            (3, 0x80, Reason::BerIndefinite.at(3)), // strict looks at the form before the tag
            (7, 0x1e, Reason::BerTagLong.at(6)),    // 30 has a short form
            (7, 0x80, Reason::BerTagLong.at(6)),    // leading zero group
            (11, 0x01, Reason::BerLength.at(11)),
        ] {
            let mut bad = RUN;
            bad[at] = octet;
            assert_eq!(walk(&bad, Rules::Strict, 0), Err(want), "octet {at} set to {octet:#x}");
        }
        assert_eq!(walk(&[0x80, 0x80, 0, 0], Rules::Lenient, 0), Err(Reason::BerLength.at(1)), "indefinite primitive");
        assert_eq!(walk(&[0x9f, 0x81, 0x81, 0x81, 0x81, 0x01, 0], Rules::Lenient, 0), Err(Reason::BerLength.at(0)));
    }

    #[test]
    fn depth_is_bounded_in_both_forms() {
        for (levels, fits) in [(17, true), (18, false)] {
            let mut definite = Vec::new();
            for _ in 0..levels {
                definite = {
                    let mut out = Vec::new();
                    put_tlv(0x30, &definite, &mut out);
                    out
                };
            }
            assert_eq!(walk(&definite, Rules::Strict, 0).is_ok(), fits);
            let open: Vec<u8> = [0x30, 0x80].repeat(levels).into_iter().chain(vec![0; levels * 2]).collect();
            assert_eq!(walk(&open, Rules::Lenient, 0).is_ok(), fits);
        }
    }

    #[test]
    fn lenient_reads_indefinite_and_writes_definite() -> Result<(), Refusal> {
        let open = [0x30, 0x80, 0xa0, 0x80, 0x04, 0x81, 0x01, 0x07, 0, 0, 0x05, 0x00, 0, 0];
        assert_eq!(walk(&open, Rules::Lenient, 0), Ok(false));
        let (outer, _) = next(&open, Rules::Lenient, 0)?;
        assert_eq!((outer.header_len(), outer.value.len(), outer.canonical), (2, 10, false));
        let mut out = Vec::new();
        put_canonical(&open, Rules::Lenient, 0, &mut out)?;
        assert_eq!(out, [0x30, 0x07, 0xa0, 0x03, 0x04, 0x01, 0x07, 0x05, 0x00]);
        Ok(())
    }

    #[test]
    fn lengths_and_integers_take_the_fewest_octets() {
        for (len, head) in [(127, vec![0x04, 0x7f]), (128, vec![0x04, 0x81, 0x80]), (256, vec![0x04, 0x82, 1, 0])] {
            let value = vec![7; len];
            let (mut plain, mut patched) = (Vec::new(), Vec::new());
            put_tlv(0x04, &value, &mut plain);
            put_with(0x04, &mut patched, |out| out.extend_from_slice(&value));
            assert_eq!(plain, patched);
            assert_eq!(plain[..head.len()], head);
        }
        for value in [0, 1, 127, 128, 255, 256, 32768, -1, -128, -129, i32::MAX, i32::MIN] {
            let mut out = Vec::new();
            put_integer(value, &mut out);
            assert_eq!(integer(&out[2..]), Ok(Some(value)), "{out:02x?}");
        }
        assert_eq!(integer(&[0x00, 0x47]), Err(Reason::BerNonMinimal.at(0)));
        assert_eq!(integer(&[0xff, 0x80]), Err(Reason::BerNonMinimal.at(0)));
        assert_eq!((integer(&[]), integer(&[1, 2, 3, 4, 5])), (Ok(None), Ok(None)));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) { crate::fuzzing::upper::ber(&octets); }
    }
}
