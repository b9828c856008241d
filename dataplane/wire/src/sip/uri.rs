//! URIs of SIP and telephony, as far as somebody is named by them (RFC 3261 §19.1, RFC 3966).

use super::lex;
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// How a URI begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel`.
    Tel,
    /// Any other; only its characters were looked at.
    Other,
}

/// A URI in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uri<'a> {
    /// All of it.
    pub raw: &'a [u8],
    /// Octet of the message where it begins.
    pub at: usize,
    /// How it begins.
    pub scheme: Scheme,
    /// What stands before `:` and `@`, parameters of a telephone number included; of `tel` the number with them. `None` if
    /// there is no user part.
    pub user: Option<&'a [u8]>,
    /// Host name or address, IPv6 in brackets. Empty for `tel` and others.
    pub host: &'a [u8],
    /// Port, if one is given.
    pub port: Option<u16>,
    /// Parameters of the URI behind the host, each with its `;`.
    pub params: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI that names somebody, or a Request-URI.
    ///
    /// * `raw`: all of it, without angle brackets; `at`: octet of the message where it begins
    /// # Errors
    /// [`Reason::SipSyntax`] where it is not of the grammar, and for what names nobody: more than one `@`, headers behind a
    /// `?` (RFC 3261 §19.1.1 has them in a Contact only). A decoder that looks for the first `@` and one that looks for the
    /// last would else call two people.
    pub fn parse(raw: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new_at(raw, at);
        let refuse = |octet: usize| Reason::SipSyntax.at(octet);
        let colon = raw.iter().position(|&octet| octet == b':').ok_or(refuse(at))?;
        let name = reader.take(colon).unwrap_or_default();
        reader.skip(1);
        let scheme = match name {
            name if name.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
            name if name.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            name if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            name => {
                let plain = name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(octet));
                if !plain || !name.first().is_some_and(u8::is_ascii_alphabetic) {
                    return Err(refuse(at));
                }
                Scheme::Other
            }
        };
        if !lex::all(raw, lex::URI) || !lex::escapes_hold(raw) || reader.is_empty() {
            return Err(refuse(at));
        }
        let mut uri = Self { raw, at, scheme, user: None, host: &[], port: None, params: &[] };
        match scheme {
            Scheme::Sip | Scheme::Sips => uri.sip(reader)?,
            Scheme::Tel => uri.tel(reader)?,
            Scheme::Other => {}
        }
        Ok(uri)
    }

    /// `[user[:password]@]host[:port];params`.
    fn sip(&mut self, mut reader: Reader<'a>) -> Result<(), Refusal> {
        let refuse = |reader: &Reader<'_>| Reason::SipSyntax.at(reader.at());
        if reader.peek().contains(&b'@') {
            let user = lex::run(&mut reader, lex::USER);
            if user.is_empty() {
                return Err(refuse(&reader));
            }
            self.user = Some(user);
            if lex::eat(&mut reader, b':') {
                lex::run(&mut reader, lex::USER); // a password, which nobody should send
            }
            if !lex::eat(&mut reader, b'@') {
                return Err(refuse(&reader));
            }
        }
        let start = reader;
        self.host = if lex::eat(&mut reader, b'[') {
            let inside = reader.peek().iter().position(|&octet| octet == b']').ok_or(refuse(&reader))?;
            let address = reader.take(inside).unwrap_or_default();
            let plain = address.iter().all(|octet| octet.is_ascii_hexdigit() || b":.".contains(octet));
            if !plain || address.len() < 2 {
                return Err(refuse(&start));
            }
            reader.skip(1);
            start.peek().get(..inside + 2).unwrap_or_default()
        } else {
            lex::run(&mut reader, lex::HOST)
        };
        if self.host.is_empty() {
            return Err(refuse(&reader));
        }
        if lex::eat(&mut reader, b':') {
            let at = reader;
            let digits = lex::run(&mut reader, lex::HOST);
            let port = lex::number(digits).filter(|_| digits.len() <= 5).and_then(|port| u16::try_from(port).ok());
            self.port = Some(port.ok_or(refuse(&at))?);
        }
        self.params(reader)
    }

    /// `number;params`.
    fn tel(&mut self, mut reader: Reader<'a>) -> Result<(), Refusal> {
        let rest = reader.peek();
        let len = rest.iter().position(|&octet| octet == b';').unwrap_or(rest.len());
        let number = reader.take(len).unwrap_or_default();
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let plain = digits.iter().all(|octet| octet.is_ascii_hexdigit() || b"*#-.()".contains(octet));
        if digits.is_empty() || !plain {
            return Err(Reason::SipSyntax.at(self.at));
        }
        self.user = Some(rest);
        self.params(reader)
    }

    /// `;name[=value]`, as many as there are and nothing behind.
    fn params(&mut self, mut reader: Reader<'a>) -> Result<(), Refusal> {
        self.params = reader.peek();
        while lex::eat(&mut reader, b';') {
            let name = lex::run(&mut reader, lex::PARAM);
            let bare = lex::eat(&mut reader, b'=') && lex::run(&mut reader, lex::PARAM).is_empty();
            if name.is_empty() || bare {
                return Err(Reason::SipSyntax.at(reader.at()));
            }
        }
        if reader.is_empty() { Ok(()) } else { Err(Reason::SipSyntax.at(reader.at())) }
    }

    /// The user part without parameters: the number of a telephone subscriber, if it is one.
    pub fn subscriber(&self) -> Option<&'a [u8]> {
        self.user?.split(|&octet| octet == b';').next()
    }

    /// Value of the first parameter of the URI of this name, in any case; empty if it has none.
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        let mut params = self.params.split(|&octet| octet == b';').skip(1);
        params.find_map(|param| {
            let at = param.iter().position(|&octet| octet == b'=').unwrap_or(param.len());
            let (written, value) = param.split_at_checked(at)?;
            lex::is_name(written, name.as_bytes()).then(|| value.get(1..).unwrap_or_default())
        })
    }
}
