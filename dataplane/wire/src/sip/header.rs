//! Headers by name, and lists inside of one header.

use super::lex;
use crate::cursor::Reader;

/// The headers that somebody here asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// `From`, `f`.
    From,
    /// `To`, `t`.
    To,
    /// `Call-ID`, `i`.
    CallId,
    /// `CSeq`.
    CSeq,
    /// `Via`, `v`.
    Via,
    /// `Max-Forwards`.
    MaxForwards,
    /// `Date`.
    Date,
    /// `Content-Length`, `l`.
    ContentLength,
    /// `Content-Type`, `c`.
    ContentType,
    /// `Contact`, `m`.
    Contact,
    /// `Subject`, `s`.
    Subject,
    /// `Supported`, `k`.
    Supported,
    /// `Identity`, `y` (RFC 8224 §4).
    Identity,
    /// `P-Asserted-Identity` (RFC 3325 §9.1).
    PAssertedIdentity,
    /// Any other.
    Other,
}

/// Long name, compact name or 0, and what it is.
const NAMES: [(&str, u8, Name); 14] = [
    ("From", b'f', Name::From),
    ("To", b't', Name::To),
    ("Call-ID", b'i', Name::CallId),
    ("CSeq", 0, Name::CSeq),
    ("Via", b'v', Name::Via),
    ("Max-Forwards", 0, Name::MaxForwards),
    ("Date", 0, Name::Date),
    ("Content-Length", b'l', Name::ContentLength),
    ("Content-Type", b'c', Name::ContentType),
    ("Contact", b'm', Name::Contact),
    ("Subject", b's', Name::Subject),
    ("Supported", b'k', Name::Supported),
    ("Identity", b'y', Name::Identity),
    ("P-Asserted-Identity", 0, Name::PAssertedIdentity),
];

impl Name {
    /// The name of these octets, long or compact, in any case.
    pub fn of(octets: &[u8]) -> Self {
        if let [letter] = octets {
            let lower = letter.to_ascii_lowercase();
            return NAMES.iter().find(|(_, compact, _)| *compact == lower).map_or(Name::Other, |(_, _, name)| *name);
        }
        let same = |long: &str| long.as_bytes().eq_ignore_ascii_case(octets);
        NAMES.iter().find(|(long, _, _)| same(long)).map_or(Name::Other, |(_, _, name)| *name)
    }

    /// The long name; `None` for [`Name::Other`].
    pub fn long(self) -> Option<&'static str> {
        NAMES.iter().find(|(_, _, name)| *name == self).map(|(long, _, _)| *long)
    }
}

/// One header as it was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// What its name stands for.
    pub name: Name,
    /// The name as written, without white space.
    pub written: &'a [u8],
    /// The value without white space at its ends; folds inside stay.
    pub value: &'a [u8],
    /// Octet of the message where the value begins.
    pub value_at: usize,
    /// The whole header with its folds and the CR LF that ends it.
    pub raw: &'a [u8],
    /// Octet of the message where it begins: names the header when [`super::rebuild`] is to leave it out.
    pub at: usize,
}

impl<'a> Header<'a> {
    /// The values of a header whose grammar is a list: split at commas outside of quotes and angle brackets.
    pub fn values(&self) -> Values<'a> {
        Values { octets: self.value, at: self.value_at, done: false }
    }

    /// True if nobody reads it in another way: no fold, and no white space before the colon.
    pub fn is_canonical(&self) -> bool {
        let line = self.raw.strip_suffix(b"\r\n").unwrap_or(self.raw);
        self.raw.get(self.written.len()) == Some(&b':') && !line.contains(&b'\r')
    }
}

/// Walks the headers of a message whose head was checked.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(Reader<'a>);

impl<'a> Headers<'a> {
    /// * `octets`: header lines that [`super::View`] has checked, without the empty one; `at`: where they begin
    pub(super) const fn new(octets: &'a [u8], at: usize) -> Self {
        Self(Reader::new_at(octets, at))
    }
}

/// Octets up to the end of the header that `octets` begins with: its CR LF that no fold follows.
fn header_len(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(lf) = octets.get(at..).and_then(|rest| rest.iter().position(|&octet| octet == b'\n')) {
        at += lf + 1;
        if !matches!(octets.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
    octets.len()
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        let at = self.0.at();
        let raw = self.0.take(header_len(self.0.peek())).filter(|raw| !raw.is_empty())?;
        let mut line = Reader::new_at(raw, at);
        let written = lex::run(&mut line, lex::TOKEN);
        lex::space(&mut line);
        lex::eat(&mut line, b':');
        lex::space(&mut line);
        let value_at = line.at();
        Some(Header { name: Name::of(written), written, value: lex::trim(line.rest()), value_at, raw, at })
    }
}

/// Values of a list and the octet of the message where each begins. An empty one is given, too: its reader refuses it.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    octets: &'a [u8],
    at: usize,
    done: bool,
}

impl<'a> Iterator for Values<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let (mut quotes, mut angle, mut escaped) = (false, false, false);
        let comma = self.octets.iter().position(|&octet| {
            match octet {
                _ if escaped => escaped = false,
                b'\\' if quotes => escaped = true,
                b'"' if !angle => quotes = !quotes,
                b'<' if !quotes => angle = true,
                b'>' if !quotes => angle = false,
                b',' => return !quotes && !angle,
                _ => {}
            }
            false
        });
        self.done = comma.is_none();
        let (value, behind) = self.octets.split_at_checked(comma.unwrap_or(self.octets.len()))?;
        let before = value.iter().take_while(|&&octet| lex::is(octet, lex::SPACE)).count();
        let item = (lex::trim(value), self.at + before);
        self.octets = behind.get(1..).unwrap_or_default();
        self.at += value.len() + 1;
        Some(item)
    }
}
