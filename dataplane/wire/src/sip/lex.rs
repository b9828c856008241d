//! Characters and the smallest words of SIP's grammar (RFC 3261 §25.1).

use crate::cursor::Reader;

/// Of a token.
pub(crate) const TOKEN: u8 = 1;
/// Of a line of the head: visible, space, tab, and whatever is no ASCII.
pub(crate) const LINE: u8 = 2;
/// Of the user part of a URI, `%` included.
pub(crate) const USER: u8 = 4;
/// Of a URI parameter, `%` included.
pub(crate) const PARAM: u8 = 8;
/// Of a host name or IPv4 address. The underscore is in no grammar and in many networks.
pub(crate) const HOST: u8 = 16;
/// Of the value of a header parameter: a token or a host.
pub(crate) const VALUE: u8 = 32;
/// Of any URI: visible, and nothing that ends a URI in angle brackets.
pub(crate) const URI: u8 = 64;
/// White space; CR and LF stand only in folds once a view was made.
pub(crate) const SPACE: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let c = octet as u8;
        let mut class = 0;
        if c == b'\t' || c == b' ' || c > b' ' && c != 0x7f {
            class |= LINE;
        }
        if c > b' ' && c < 0x7f && !one_of(c, b"<>\"\\^`{|}") {
            class |= URI;
        }
        if one_of(c, b" \t\r\n") {
            class |= SPACE;
        }
        let letter = c.is_ascii_alphanumeric();
        if letter || one_of(c, b"-.!%*_+`'~") {
            class |= TOKEN | VALUE;
        }
        if one_of(c, b"[]:") {
            class |= VALUE;
        }
        let unreserved = letter || one_of(c, b"-_.!~*'()%");
        if unreserved || one_of(c, b"&=+$,;?/") {
            class |= USER;
        }
        if unreserved || one_of(c, b"[]/:&+$") {
            class |= PARAM;
        }
        if letter || one_of(c, b"-._") {
            class |= HOST;
        }
        table[octet] = class;
        octet += 1;
    }
    table
};

const fn one_of(c: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == c {
            return true;
        }
        i += 1;
    }
    false
}

/// True if the octet is of one of these classes.
#[inline]
pub(crate) const fn is(octet: u8, classes: u8) -> bool {
    CLASSES[octet as usize] & classes != 0
}

/// True if all octets are of one of these classes.
#[inline]
pub(crate) fn all(octets: &[u8], classes: u8) -> bool {
    octets.iter().all(|&octet| is(octet, classes))
}

/// The longest run of these classes, perhaps empty.
#[inline]
pub(crate) fn run<'a>(reader: &mut Reader<'a>, classes: u8) -> &'a [u8] {
    let octets = reader.peek();
    let len = octets.iter().position(|&octet| !is(octet, classes)).unwrap_or(octets.len());
    reader.take(len).unwrap_or_default()
}

/// Moves over white space; true if there was some.
#[inline]
pub(crate) fn space(reader: &mut Reader<'_>) -> bool {
    !run(reader, SPACE).is_empty()
}

/// Moves over this octet if it is the next one.
#[inline]
pub(crate) fn eat(reader: &mut Reader<'_>, octet: u8) -> bool {
    reader.peek().first() == Some(&octet) && reader.skip(1).is_some()
}

/// Moves over this octet with white space on either side; unmoved if it is not there.
pub(crate) fn eat_spaced(reader: &mut Reader<'_>, octet: u8) -> bool {
    let before = *reader;
    space(reader);
    if eat(reader, octet) {
        space(reader);
        return true;
    }
    *reader = before;
    false
}

/// What stands between the quotes of a quoted string, its escapes as they are.
pub(crate) fn quoted<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    if !eat(reader, b'"') {
        return None;
    }
    let octets = reader.peek();
    let mut at = 0;
    loop {
        match octets.get(at)? {
            b'"' => break,
            // A fold behind a backslash is no quoted pair.
            b'\\' if octets.get(at + 1).is_none_or(|next| matches!(next, b'\r' | b'\n')) => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    let inside = reader.take(at)?;
    reader.skip(1)?;
    Some(inside)
}

/// A number of one to ten decimal digits, leading zeros included, that is all of `octets`.
pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    if octets.is_empty() || octets.len() > 10 || !octets.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(octets.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit & 0x0f)))
}

/// Without white space at either end.
pub(crate) fn trim(octets: &[u8]) -> &[u8] {
    let from = octets.iter().position(|&octet| !is(octet, SPACE)).unwrap_or(octets.len());
    let to = octets.iter().rposition(|&octet| !is(octet, SPACE)).map_or(from, |last| last + 1);
    octets.get(from..to).unwrap_or_default()
}

/// True if every `%` is followed by two hexadecimal digits.
pub(crate) fn escapes_hold(octets: &[u8]) -> bool {
    octets.iter().enumerate().all(|(i, &octet)| {
        octet != b'%' || octets.get(i + 1..i + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    })
}

/// True if the text is `name` in any case, with or without `%` escapes: a reader may take those away first.
pub(crate) fn is_name(text: &[u8], name: &[u8]) -> bool {
    let mut rest = text;
    let mut want = name.iter();
    loop {
        let (octet, behind) = match rest {
            [b'%', high, low, behind @ ..] => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return false };
                ((high << 4 | low) as u8, behind)
            }
            [octet, behind @ ..] => (*octet, behind),
            [] => return want.next().is_none(),
        };
        if want.next().is_none_or(|want| !want.eq_ignore_ascii_case(&octet)) {
            return false;
        }
        rest = behind;
    }
}
