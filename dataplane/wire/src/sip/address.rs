//! Whom a From, To or P-Asserted-Identity names (RFC 3261 §20.10).

use super::{Uri, lex};
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// A value of From, To or P-Asserted-Identity: who, and what is said of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address<'a> {
    /// The display name as written, quotes included; empty if there is none.
    pub display: &'a [u8],
    /// Who.
    pub uri: Uri<'a>,
    /// True if the URI stands in angle brackets. Without them, what follows a `;` belongs to the header.
    pub bracketed: bool,
    /// Parameters of the header.
    pub params: Params<'a>,
    /// Parameter `tag`.
    pub tag: Option<&'a [u8]>,
}

impl<'a> Address<'a> {
    /// Reads one value.
    ///
    /// An unquoted display name may hold what is no ASCII, since many send it so; nothing else beyond its grammar.
    /// * `value`: without white space at its ends; `at`: octet of the message where it begins
    /// # Errors
    /// [`Reason::SipSyntax`], also for a second tag, one without value, and for octets behind the value.
    pub fn parse(value: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new_at(value, at);
        let display = display_name(&mut reader)?;
        let bracketed = lex::eat(&mut reader, b'<');
        if !bracketed && !display.is_empty() {
            return Err(Reason::SipSyntax.at(reader.at()));
        }
        let uri_at = reader.at();
        let uri = if bracketed {
            let raw = lex::run(&mut reader, lex::URI);
            if !lex::eat(&mut reader, b'>') {
                return Err(Reason::SipSyntax.at(reader.at()));
            }
            raw
        } else {
            let octets = reader.peek();
            // A comma or question mark must stand in brackets; here they end up in no host and are refused.
            let len =
                octets.iter().position(|&octet| octet == b';' || !lex::is(octet, lex::URI)).unwrap_or(octets.len());
            reader.take(len).unwrap_or_default()
        };
        if !bracketed && uri.iter().any(|octet| b",?".contains(octet)) {
            return Err(Reason::SipSyntax.at(uri_at));
        }
        let uri = Uri::parse(uri, uri_at)?;
        let params = Params(reader);
        let mut tag = None;
        let mut walk = params;
        while let Some((name, value)) = walk.read()? {
            if name.eq_ignore_ascii_case(b"tag") {
                let sound = !value.is_empty() && lex::all(value, lex::TOKEN);
                if tag.replace(value).is_some() || !sound {
                    return Err(Reason::SipSyntax.at(walk.0.at()));
                }
            }
        }
        Ok(Self { display, uri, bracketed, params, tag })
    }
}

/// A quoted string, or words before a `<`; moves to what follows.
fn display_name<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Refusal> {
    let start = *reader;
    if reader.peek().first() == Some(&b'"') {
        lex::quoted(reader).ok_or(Reason::SipSyntax.at(start.at()))?;
    } else {
        let words = |octet: &u8| lex::is(*octet, lex::TOKEN | lex::SPACE) || *octet >= 0x80;
        let len = reader.peek().iter().take_while(|octet| words(octet)).count();
        if reader.peek().get(len) != Some(&b'<') {
            return Ok(&[]); // no name: a URI begins with one that a colon ends
        }
        reader.skip(len);
    }
    let display = start.peek().get(..reader.at() - start.at()).unwrap_or_default();
    lex::space(reader);
    Ok(lex::trim(display))
}

/// Name and value of a parameter.
pub type Param<'a> = (&'a [u8], &'a [u8]);

/// Parameters of a header behind its value: name, and value without quotes, empty if there is none. Escapes stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Params<'a>(pub(super) Reader<'a>);

impl<'a> Params<'a> {
    /// The next one; `None` behind the last.
    pub(super) fn read(&mut self) -> Result<Option<Param<'a>>, Refusal> {
        let reader = &mut self.0;
        if !lex::eat_spaced(reader, b';') {
            lex::space(reader);
            return if reader.is_empty() { Ok(None) } else { Err(Reason::SipSyntax.at(reader.at())) };
        }
        let name = lex::run(reader, lex::TOKEN);
        if name.is_empty() {
            return Err(Reason::SipSyntax.at(reader.at()));
        }
        if !lex::eat_spaced(reader, b'=') {
            return Ok(Some((name, &[])));
        }
        let at = reader.at();
        if let Some(value) = lex::quoted(reader) {
            return Ok(Some((name, value)));
        }
        let value = lex::run(reader, lex::VALUE);
        if value.is_empty() { Err(Reason::SipSyntax.at(at)) } else { Ok(Some((name, value))) }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().ok().flatten()
    }
}
