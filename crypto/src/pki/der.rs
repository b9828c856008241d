//! A strict reader and a small writer for DER (ITU-T X.690 clause 10 and 11).
//!
//! `x509-parser` reads certificates for us but takes some BER with them. A certificate has one encoding here: what a
//! signature covers must be the only way to say it, and two gateways must never read one file differently.

/// Deepest nesting that is followed. A certificate of ours needs seven levels.
const MAX_DEPTH: u8 = 16;

/// Why octets are not DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not DER: {0}")]
pub struct NotDer(pub(crate) &'static str);

/// One element: its identifier octet and its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tlv<'a> {
    pub tag: u8,
    pub value: &'a [u8],
}

/// Walks the elements of one level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Octets not yet taken.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The identifier octet of the next element, without taking it.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes the next element: low tag number, definite length in its shortest form.
    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, NotDer> {
        let (&tag, rest) = self.rest.split_first().ok_or(NotDer("an element is missing"))?;
        if tag & 0x1f == 0x1f {
            return Err(NotDer("a tag number above 30"));
        }
        let (&first, mut rest) = rest.split_first().ok_or(NotDer("a length is missing"))?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if count == 0 {
                return Err(NotDer("an indefinite length"));
            }
            if count > 4 {
                return Err(NotDer("a length of more than four octets"));
            }
            let (octets, after) = rest.split_at_checked(count).ok_or(NotDer("a length is cut"))?;
            length = octets.iter().fold(0, |sum, &octet| sum << 8 | usize::from(octet));
            if length < 0x80 || octets.first() == Some(&0) {
                return Err(NotDer("a length in a longer form than needed"));
            }
            rest = after;
        }
        let (value, after) = rest.split_at_checked(length).ok_or(NotDer("an element is cut"))?;
        self.rest = after;
        Ok(Tlv { tag, value })
    }

    /// Takes the next element, which must carry this identifier octet.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        let tlv = self.next()?;
        if tlv.tag == tag { Ok(tlv.value) } else { Err(NotDer("another type than the profile puts here")) }
    }

    /// Ends a level: nothing may follow.
    pub(crate) fn end(&self) -> Result<(), NotDer> {
        if self.is_empty() { Ok(()) } else { Err(NotDer("octets follow the last element")) }
    }
}

/// The one element that `octets` are, with nothing after it.
pub(crate) fn only(octets: &[u8], tag: u8) -> Result<&[u8], NotDer> {
    let mut reader = Reader::new(octets);
    let value = reader.expect(tag)?;
    reader.end()?;
    Ok(value)
}

/// The value of a non-negative INTEGER or ENUMERATED in its shortest form.
pub(crate) fn unsigned(content: &[u8]) -> Result<u64, NotDer> {
    integer(content)?;
    let digits = match content {
        [first, ..] if *first >= 0x80 => return Err(NotDer("a negative number")),
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => content,
    };
    if digits.len() > 8 {
        return Err(NotDer("a number beyond 64 bits"));
    }
    Ok(digits.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet)))
}

/// Checks that `octets` are exactly one element and DER all the way down.
///
/// Contents of OCTET STRINGs are not entered: their owner checks them.
pub(crate) fn check(octets: &[u8]) -> Result<(), NotDer> {
    let mut reader = Reader::new(octets);
    element(reader.next()?, 0)?;
    reader.end()
}

fn element(tlv: Tlv<'_>, depth: u8) -> Result<(), NotDer> {
    if depth > MAX_DEPTH {
        return Err(NotDer("nested too deep"));
    }
    let universal = tlv.tag & 0xc0 == 0;
    if tlv.tag & 0x20 != 0 {
        if universal && !matches!(tlv.tag, 0x30 | 0x31) {
            return Err(NotDer("a string in parts"));
        }
        let mut inner = Reader::new(tlv.value);
        while !inner.is_empty() {
            element(inner.next()?, depth + 1)?;
        }
        return Ok(());
    }
    if !universal {
        return Ok(());
    }
    match tlv.tag {
        // Every BOOLEAN of RFC 5280 has DEFAULT FALSE, and DER leaves a default value out.
        0x01 if tlv.value != [0xff] => Err(NotDer("a BOOLEAN other than TRUE")),
        0x02 | 0x0a => integer(tlv.value),
        0x03 => bit_string(tlv.value).map(|_| ()),
        0x05 if !tlv.value.is_empty() => Err(NotDer("a NULL with content")),
        0x06 => object_identifier(tlv.value),
        0x00 | 0x10 | 0x11 => Err(NotDer("an element of an impossible form")),
        _ => Ok(()),
    }
}

fn integer(content: &[u8]) -> Result<(), NotDer> {
    match content {
        [] => Err(NotDer("a number without octets")),
        [0, second, ..] if *second < 0x80 => Err(NotDer("a number in a longer form than needed")),
        [0xff, second, ..] if *second >= 0x80 => Err(NotDer("a number in a longer form than needed")),
        _ => Ok(()),
    }
}

/// The bits of a BIT STRING and how many at its end are unused.
pub(crate) fn bit_string(content: &[u8]) -> Result<(&[u8], u8), NotDer> {
    let (&unused, bits) = content.split_first().ok_or(NotDer("a BIT STRING without octets"))?;
    let last = bits.last().copied().unwrap_or(0);
    if unused > 7 || (bits.is_empty() && unused != 0) || last & ((1u8 << (unused & 7)) - 1) != 0 {
        return Err(NotDer("unused bits of a BIT STRING"));
    }
    Ok((bits, unused))
}

fn object_identifier(content: &[u8]) -> Result<(), NotDer> {
    let mut start = true;
    for &octet in content {
        if start && octet == 0x80 {
            return Err(NotDer("an OBJECT IDENTIFIER in a longer form than needed"));
        }
        start = octet < 0x80;
    }
    if content.is_empty() || !start { Err(NotDer("an OBJECT IDENTIFIER is cut")) } else { Ok(()) }
}

/// Appends one element.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    let length = value.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count();
        out.push(0x80 | (octets.len() - skip) as u8);
        out.extend(octets.iter().skip(skip));
    }
    out.extend_from_slice(value);
}

/// Appends a non-negative INTEGER.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, value: u64) {
    let octets = value.to_be_bytes();
    let skip = octets.iter().take(7).take_while(|octet| **octet == 0).count();
    let mut content = Vec::with_capacity(9);
    if octets.get(skip).is_some_and(|first| *first >= 0x80) {
        content.push(0);
    }
    content.extend(octets.iter().skip(skip));
    put(out, 0x02, &content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_der_is_earned() {
        for (octets, want) in [
            (&[0x30, 0x80, 0x00, 0x00][..], "an indefinite length"),
            (&[0x04, 0x81, 0x01, 0x00], "a length in a longer form than needed"),
            (&[0x04, 0x82, 0x00, 0x80], "a length in a longer form than needed"),
            (&[0x04, 0x85, 0, 0, 0, 0, 0], "a length of more than four octets"),
            (&[0x04, 0x02, 0x00], "an element is cut"),
            (&[0x04], "a length is missing"),
            (&[], "an element is missing"),
            (&[0x1f, 0x01, 0x00], "a tag number above 30"),
            (&[0x24, 0x02, 0x04, 0x00], "a string in parts"),
            (&[0x01, 0x01, 0x01], "a BOOLEAN other than TRUE"),
            (&[0x01, 0x01, 0x00], "a BOOLEAN other than TRUE"),
            (&[0x02, 0x00], "a number without octets"),
            (&[0x02, 0x02, 0x00, 0x7f], "a number in a longer form than needed"),
            (&[0x02, 0x02, 0xff, 0x80], "a number in a longer form than needed"),
            (&[0x03, 0x02, 0x01, 0x01], "unused bits of a BIT STRING"),
            (&[0x03, 0x00], "a BIT STRING without octets"),
            (&[0x05, 0x01, 0x00], "a NULL with content"),
            (&[0x06, 0x02, 0x80, 0x01], "an OBJECT IDENTIFIER in a longer form than needed"),
            (&[0x06, 0x02, 0x2a, 0x81], "an OBJECT IDENTIFIER is cut"),
            (&[0x10, 0x00], "an element of an impossible form"),
            (&[0x05, 0x00, 0x05, 0x00], "octets follow the last element"),
        ] {
            assert_eq!(check(octets), Err(NotDer(want)), "{octets:02x?}");
        }
        let mut deep = vec![0x05, 0x00];
        for _ in 0..=MAX_DEPTH {
            let inner = std::mem::take(&mut deep);
            put(&mut deep, 0x30, &inner);
        }
        assert_eq!(check(&deep), Err(NotDer("nested too deep")));
    }

    #[test]
    fn numbers_and_lengths_read_back() {
        for value in [0, 1, 0x7f, 0x80, 0xff, 0x100, 16383, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_unsigned(&mut out, value);
            assert_eq!(check(&out), Ok(()));
            assert_eq!(only(&out, 0x02).and_then(unsigned), Ok(value));
        }
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let mut out = Vec::new();
            put(&mut out, 0x04, &vec![7; length]);
            assert_eq!(only(&out, 0x04).map(<[u8]>::len), Ok(length));
        }
    }
}
