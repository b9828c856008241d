//! BER as signalling uses it (X.690 §8.1): elements read in place, walked to the leaves, and written definite and minimal.
//!
//! Offsets in refusals count from the first octet of the slice that the call was given.

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
}

impl<'a> Tlv<'a> {
    /// The elements inside.
    pub fn elements(&self, rules: Rules, depth: u8) -> Elements<'a> {
        Elements { octets: self.value, at: 0, rules, depth }
    }

    /// Octets of tag and length before the value.
    pub fn header_len(&self) -> usize {
        let end_of_contents = usize::from(self.is_indefinite()) * 2;
        self.raw.len().saturating_sub(self.value.len() + end_of_contents)
    }

    fn is_indefinite(&self) -> bool {
        let long_tag = self.raw.iter().skip(1).take_while(|octet| **octet & 0x80 != 0).count() + 1;
        let place = 1 + if self.tag & 0x1f == 0x1f { long_tag } else { 0 };
        self.raw.get(place) == Some(&0x80)
    }
}

/// Where one element lies in the buffer it was read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Span {
    pub tag: u8,
    pub number: u32,
    pub start: usize,
    /// First octet of the value.
    pub body: usize,
    /// Behind the value.
    pub end: usize,
    /// Behind the element: `end`, or two more after end-of-contents octets.
    pub next: usize,
    pub canonical: bool,
}

impl Span {
    pub fn tlv<'a>(&self, octets: &'a [u8]) -> Tlv<'a> {
        Tlv {
            tag: self.tag,
            number: self.number,
            raw: slice(octets, self.start, self.next),
            value: self.value(octets),
            canonical: self.canonical,
        }
    }

    pub fn value<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        slice(octets, self.body, self.end)
    }

    /// True for a tag in the short form with exactly this octet.
    pub fn is(&self, tag: u8) -> bool {
        self.tag == tag
    }
}

/// Spans are bounded when they are made; an empty slice answers for one that is not of this buffer.
pub(crate) fn slice(octets: &[u8], from: usize, to: usize) -> &[u8] {
    octets.get(from..to).unwrap_or(&[])
}

/// A tag and a length, before anybody looked inside.
struct Header {
    tag: u8,
    number: u32,
    body: usize,
    /// `None`: indefinite.
    len: Option<usize>,
    minimal: bool,
}

/// Which first octets are a whole tag: the number below 31, and not that of end-of-contents octets.
static SHORT_TAG: [bool; 256] = {
    let mut table = [false; 256];
    let mut tag = 0;
    while tag < 256 {
        table[tag] = tag & 0x1f != 0x1f && tag & 0xdf != 0;
        tag += 1;
    }
    table
};

/// The common case in a few instructions: a short tag and a length below 128 that fits. Anything else is left to [`header`].
#[inline(always)]
fn short(octets: &[u8], start: usize, end: usize) -> Option<(u8, usize, usize)> {
    let &[tag, len @ 0..0x80, ..] = octets.get(start..end)? else { return None };
    let last = start + 2 + usize::from(len);
    (SHORT_TAG[usize::from(tag)] && last <= end).then_some((tag, start + 2, last))
}

fn header(octets: &[u8], start: usize, end: usize, rules: Rules) -> Result<Header, Refusal> {
    let octets = octets.get(..end).unwrap_or(octets);
    let Some(&tag) = octets.get(start) else { return Err(Reason::BerLength.at(start)) };
    if tag & 0xdf == 0 {
        // X.690 §8.1.5 keeps tag 0 for end-of-contents: with no indefinite length open, two decoders would part here.
        return Err(Reason::BerLength.at(start));
    }
    let mut place = start + 1;
    let mut number = u32::from(tag & 0x1f);
    if number == 31 {
        (number, place) = long_tag(octets, start)?;
    }
    let Some(&first) = octets.get(place) else { return Err(Reason::BerLength.at(start)) };
    let (len, body, minimal) = if first < 0x80 {
        (usize::from(first), place + 1, true)
    } else if first == 0x80 {
        if rules == Rules::Strict {
            return Err(Reason::BerIndefinite.at(place));
        }
        if !is_constructed(tag) {
            return Err(Reason::BerLength.at(place));
        }
        return Ok(Header { tag, number, body: place + 1, len: None, minimal: false });
    } else {
        long_length(octets, place, rules)?
    };
    if len > octets.len() - body.min(octets.len()) {
        return Err(Reason::BerLength.at(place));
    }
    Ok(Header { tag, number, body, len: Some(len), minimal })
}

/// The number of a long tag, at most 28 bits, and the place behind it.
#[cold]
fn long_tag(octets: &[u8], start: usize) -> Result<(u32, usize), Refusal> {
    let mut number = 0;
    for (i, &octet) in octets.iter().enumerate().skip(start + 1).take(4) {
        number = number << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            // A number that the short form holds, or a leading zero group: filters that compare octets miss such a tag.
            if number < 31 || octets.get(start + 1) == Some(&0x80) {
                return Err(Reason::BerTagLong.at(start));
            }
            return Ok((number, i + 1));
        }
    }
    Err(Reason::BerLength.at(start))
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

/// Reads one element at `start` without looking inside, except to find the end of an indefinite one.
#[inline(always)]
pub(crate) fn span(octets: &[u8], start: usize, end: usize, rules: Rules, depth: u8) -> Result<Span, Refusal> {
    if depth > MAX_DEPTH {
        return Err(Reason::BerDepth.at(start));
    }
    if let Some((tag, body, end)) = short(octets, start, end) {
        return Ok(Span { tag, number: u32::from(tag & 0x1f), start, body, end, next: end, canonical: true });
    }
    long_span(octets, start, end, rules, depth)
}

#[cold]
fn long_span(octets: &[u8], start: usize, end: usize, rules: Rules, depth: u8) -> Result<Span, Refusal> {
    let header = header(octets, start, end, rules)?;
    let (last, next) = match header.len {
        Some(len) => (header.body + len, header.body + len),
        None => {
            let next = run(octets, header.body, end, true, rules, depth + 1, &mut false)?;
            (next - 2, next)
        }
    };
    let Header { tag, number, body, minimal, .. } = header;
    Ok(Span { tag, number, start, body, end: last, next, canonical: minimal })
}

/// Walks the elements from `at` to `end` (`open`: to end-of-contents octets) down to the leaves; returns where they end.
///
/// `canonical` is cleared at the first length that is not definite and minimal. Recursion is bounded by [`MAX_DEPTH`].
fn run(
    octets: &[u8],
    mut at: usize,
    end: usize,
    open: bool,
    rules: Rules,
    depth: u8,
    canonical: &mut bool,
) -> Result<usize, Refusal> {
    loop {
        if open {
            if at + 2 <= end && octets.get(at..at + 2) == Some(&[0, 0]) {
                return Ok(at + 2);
            }
        } else if at >= end {
            return Ok(at);
        }
        if depth > MAX_DEPTH {
            return Err(Reason::BerDepth.at(at));
        }
        if let Some((tag, body, last)) = short(octets, at, end) {
            if is_constructed(tag) {
                run(octets, body, last, false, rules, depth + 1, canonical)?;
            }
            at = last;
            continue;
        }
        let header = header(octets, at, end, rules)?;
        *canonical &= header.minimal;
        at = match header.len {
            Some(len) => {
                let last = header.body + len;
                if is_constructed(header.tag) {
                    run(octets, header.body, last, false, rules, depth + 1, canonical)?;
                }
                last
            }
            None => run(octets, header.body, end, true, rules, depth + 1, canonical)?,
        };
    }
}

/// Walks elements down to the leaves as long as all have a short tag and a length below 128, which is what nearly every
/// message is made of; false at the first thing that is not so, be it well formed or not.
///
/// What it walks, [`run`] walks too, and finds canonical.
fn run_short(octets: &[u8], mut at: usize, mut end: usize, depth: u8) -> bool {
    // Behind each element that is open.
    let mut ends = [0; MAX_DEPTH as usize + 1];
    let first = usize::from(depth);
    let mut level = first;
    loop {
        while at == end {
            if level == first {
                return true;
            }
            level -= 1;
            let Some(outer) = ends.get(level) else { return false };
            end = *outer;
        }
        let (Some((tag, body, last)), Some(place)) = (short(octets, at, end), ends.get_mut(level)) else {
            return false;
        };
        if is_constructed(tag) {
            *place = end;
            level += 1;
            (at, end) = (body, last);
        } else {
            at = last;
        }
    }
}

/// Walks everything inside `span`, whose children are at level `depth`; true if every length is definite and minimal.
#[inline]
pub(crate) fn walk_inside(octets: &[u8], span: &Span, rules: Rules, depth: u8) -> Result<bool, Refusal> {
    if !is_constructed(span.tag) || run_short(octets, span.body, span.end, depth) {
        return Ok(true);
    }
    let mut canonical = true;
    run(octets, span.body, span.end, false, rules, depth, &mut canonical)?;
    Ok(canonical)
}

/// Walks a run of elements down to the leaves.
///
/// Returns true if every length is definite and minimal; under [`Rules::Strict`] it always is.
/// # Errors
/// [`Reason::BerLength`], [`Reason::BerIndefinite`], [`Reason::BerNonMinimal`], [`Reason::BerTagLong`],
/// [`Reason::BerDepth`]; `at` counts from the first octet of `octets`.
pub fn walk(octets: &[u8], rules: Rules, depth: u8) -> Result<bool, Refusal> {
    let mut canonical = true;
    if !run_short(octets, 0, octets.len(), depth) {
        run(octets, 0, octets.len(), false, rules, depth, &mut canonical)?;
    }
    Ok(canonical)
}

/// Reads the first element of `octets` and returns it with the octets behind it.
///
/// What is inside is not walked. `depth` is the level of the element, see [`MAX_DEPTH`].
/// # Errors
/// As [`walk`]; an empty slice is [`Reason::BerLength`].
pub fn next(octets: &[u8], rules: Rules, depth: u8) -> Result<(Tlv<'_>, &[u8]), Refusal> {
    let span = span(octets, 0, octets.len(), rules, depth)?;
    Ok((span.tlv(octets), slice(octets, span.next, octets.len())))
}

/// The elements of a run, one after the other; ends after the first refusal.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    octets: &'a [u8],
    at: usize,
    rules: Rules,
    depth: u8,
}

impl<'a> Elements<'a> {
    /// Starts at the first element of `octets`; `depth` is their level.
    pub fn new(octets: &'a [u8], rules: Rules, depth: u8) -> Self {
        Self { octets, at: 0, rules, depth }
    }

    /// Octet, in the slice given to [`Elements::new`], where the next element begins.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Tlv<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.octets.len() {
            return None;
        }
        let read = span(self.octets, self.at, self.octets.len(), self.rules, self.depth);
        self.at = read.as_ref().map_or(self.octets.len(), |span| span.next);
        Some(read.map(|span| span.tlv(self.octets)))
    }
}

/// How many octets a definite minimal length of `len` takes.
pub const fn length_octets(len: usize) -> usize {
    match len {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x100_0000 => 4,
        _ => 5,
    }
}

/// Appends a definite minimal length; `len` is below 2^32, as every length that [`next`] reads.
pub fn put_len(len: usize, out: &mut Vec<u8>) {
    let octets = (len as u32).to_be_bytes();
    let extra = length_octets(len) - 1;
    if extra == 0 {
        out.push(len as u8);
    } else {
        out.push(0x80 | extra as u8);
        out.extend_from_slice(slice(&octets, 4 - extra, 4));
    }
}

/// Appends an element with a one-octet tag.
pub fn put_tlv(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_len(value.len(), out);
    out.extend_from_slice(value);
}

/// Appends an INTEGER with the fewest octets (X.690 §8.3.2).
pub fn put_integer(value: i32, out: &mut Vec<u8>) {
    let octets = value.to_be_bytes();
    let spare = octets.windows(2).take_while(|pair| matches!(pair, [0, 0..0x80] | [0xff, 0x80..=0xff])).count();
    put_tlv(0x02, slice(&octets, spare, 4), out);
}

/// Appends an element whose value `inside` writes; the length is put in front of it afterwards, without an allocation
/// of its own.
pub fn put_with(tag: u8, out: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let body = open_len(out);
    inside(out);
    close_len(body, out);
}

/// Leaves one octet for a length and returns where the value begins.
fn open_len(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of the value from `body` to the end, moving the value where the length needs more octets.
fn close_len(body: usize, out: &mut Vec<u8>) {
    let len = out.len().saturating_sub(body);
    let extra = length_octets(len) - 1;
    if extra > 0 {
        out.resize(out.len() + extra, 0);
        out.copy_within(body..body + len, body + extra);
    }
    let octets = (len as u32).to_be_bytes();
    if let Some((first, rest)) = out.get_mut(body - 1..body + extra).and_then(|place| place.split_first_mut()) {
        *first = if extra == 0 { len as u8 } else { 0x80 | extra as u8 };
        rest.copy_from_slice(slice(&octets, 4 - extra, 4));
    }
}

/// Appends a run of elements with every constructed one definite and minimal; primitive contents stay as they are.
///
/// # Errors
/// As [`walk`]; `out` then holds a part of the run.
pub fn put_canonical(octets: &[u8], rules: Rules, depth: u8, out: &mut Vec<u8>) -> Result<(), Refusal> {
    for element in Elements::new(octets, rules, depth) {
        let element = element?;
        let tag_len = if element.tag & 0x1f == 0x1f {
            2 + element.raw.iter().skip(1).take_while(|octet| **octet & 0x80 != 0).count()
        } else {
            1
        };
        out.extend_from_slice(slice(element.raw, 0, tag_len));
        let body = open_len(out);
        if is_constructed(element.tag) {
            put_canonical(element.value, rules, depth + 1, out)?;
        } else {
            out.extend_from_slice(element.value);
        }
        close_len(body, out);
    }
    Ok(())
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
