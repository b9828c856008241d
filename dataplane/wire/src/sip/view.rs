//! One message read in place: start line, headers, border of the body (RFC 3261 §7).

use super::{Headers, MAX_LEN, Name, lex};
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// A method. Compared by case, as RFC 3261 §7.1 has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Method<'a>(pub &'a [u8]);

impl Method<'_> {
    /// Opens a dialog, or changes one.
    pub const INVITE: Method<'static> = Method(b"INVITE");
    /// Confirms the final response to an INVITE; never answered.
    pub const ACK: Method<'static> = Method(b"ACK");
    /// Asks what the other side can do; a keep-alive among neighbours.
    pub const OPTIONS: Method<'static> = Method(b"OPTIONS");
}

/// Methods of RFC 3261, 3262, 6665, 3903, 6086, 3515, 3428 and 3311.
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
    "MESSAGE",
    "UPDATE",
];

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start<'a> {
    /// Of a request.
    Request {
        /// What is asked.
        method: Method<'a>,
        /// Request-URI: visible octets. [`super::Message`] reads it.
        uri: &'a [u8],
        /// Octet where the URI begins.
        uri_at: usize,
    },
    /// Of a response.
    Response {
        /// 100 to 699.
        status: u16,
        /// Reason-Phrase, perhaps empty; of any charset.
        phrase: &'a [u8],
    },
}

/// One message, read in place (RFC 3261 §7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<'a> {
    /// Up to the end of the body.
    octets: &'a [u8],
    start: Start<'a>,
    headers_at: usize,
    body_at: usize,
    trailing: usize,
    canonical: bool,
}

/// What the head of a message says.
pub(super) struct Head<'a> {
    start: Start<'a>,
    headers_at: usize,
    pub(super) body_at: usize,
    /// Content-Length and where its value stands.
    pub(super) content_length: Option<(usize, usize)>,
    canonical: bool,
}

impl<'a> View<'a> {
    /// Reads the message of a datagram (RFC 3261 §18.3).
    ///
    /// The body ends where Content-Length says, or with the datagram where there is none.
    /// # Errors
    /// [`Reason::SipTooBig`] above [`MAX_LEN`]. [`Reason::SipSyntax`] for a head that is not of the grammar, see the module,
    /// or a body that is cut short; [`Reason::SipMethod`] for a known method in another case; [`Reason::SipHdrDup`] for a
    /// second Content-Length.
    pub fn datagram(octets: &'a [u8]) -> Result<Self, Refusal> {
        let head = bounded(octets).and_then(head)?;
        let end = match head.content_length {
            Some((len, at)) => {
                head.body_at.checked_add(len).filter(|end| *end <= octets.len()).ok_or(Reason::SipSyntax.at(at))?
            }
            None => octets.len(),
        };
        Self::new(octets, head, end)
    }

    /// Reads a message that [`super::stream_len`] has found in a stream: Content-Length is there and says where it ends.
    /// # Errors
    /// Those of [`View::datagram`]; [`Reason::SipHdrMissing`] without Content-Length (RFC 3261 §20.14), and
    /// [`Reason::SipSyntax`] where it says another length than `octets` have.
    pub fn stream(octets: &'a [u8]) -> Result<Self, Refusal> {
        let head = bounded(octets).and_then(head)?;
        let (len, at) = head.content_length.ok_or(Reason::SipHdrMissing.at(head.body_at))?;
        let end = head.body_at.checked_add(len).filter(|end| *end == octets.len()).ok_or(Reason::SipSyntax.at(at))?;
        Self::new(octets, head, end)
    }

    fn new(octets: &'a [u8], head: Head<'a>, end: usize) -> Result<Self, Refusal> {
        let Head { start, headers_at, body_at, canonical, .. } = head;
        let (octets, trailing) = octets.split_at_checked(end).ok_or(Reason::SipSyntax.at(body_at))?;
        let canonical = canonical && trailing.is_empty();
        Ok(Self { octets, start, headers_at, body_at, trailing: trailing.len(), canonical })
    }

    /// The first line.
    pub const fn start(&self) -> Start<'a> {
        self.start
    }

    /// The method of a request.
    pub const fn method(&self) -> Option<Method<'a>> {
        match self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The first line with its CR LF.
    pub fn start_line(&self) -> &'a [u8] {
        self.octets.get(..self.headers_at).unwrap_or_default()
    }

    /// The headers in their order.
    pub fn headers(&self) -> Headers<'a> {
        // The empty line, two octets, is none of them.
        let octets = self.octets.get(self.headers_at..self.body_at.saturating_sub(2)).unwrap_or_default();
        Headers::new(octets, self.headers_at)
    }

    /// The body.
    pub fn body(&self) -> &'a [u8] {
        self.octets.get(self.body_at..).unwrap_or_default()
    }

    /// All octets of the message; those behind Content-Length are none.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Octet where the body begins.
    pub const fn body_at(&self) -> usize {
        self.body_at
    }

    /// Octets of the datagram behind the message.
    pub const fn trailing(&self) -> usize {
        self.trailing
    }

    /// False if another decoder might read it otherwise: a fold, white space before a colon, octets behind the message.
    ///
    /// Such a message passes only as [`super::rebuild`] writes it.
    pub const fn is_canonical(&self) -> bool {
        self.canonical
    }
}

fn bounded(octets: &[u8]) -> Result<&[u8], Refusal> {
    if octets.len() > MAX_LEN { Err(Reason::SipTooBig.at(MAX_LEN)) } else { Ok(octets) }
}

/// Reads the line that begins at `at`: where its CR LF stands.
fn line(octets: &[u8], at: usize) -> Result<usize, Refusal> {
    let rest = octets.get(at..).unwrap_or_default();
    let end = at + rest.iter().position(|&octet| !lex::is(octet, lex::LINE)).unwrap_or(rest.len());
    match octets.get(end..end + 2) {
        Some(b"\r\n") => Ok(end),
        _ => Err(Reason::SipSyntax.at(end)),
    }
}

/// Reads a whole head, to the empty line that ends it.
pub(super) fn head(octets: &[u8]) -> Result<Head<'_>, Refusal> {
    let end = line(octets, 0)?;
    let start = start_line(octets.get(..end).unwrap_or_default())?;
    let headers_at = end + 2;
    let mut at = headers_at;
    let mut canonical = true;
    let mut content_length_at = None;
    loop {
        let end = line(octets, at)?;
        let text = octets.get(at..end).unwrap_or_default();
        match text.first() {
            None => break,
            Some(b' ' | b'\t') => {
                if at == headers_at || lex::all(text, lex::SPACE) {
                    return Err(Reason::SipSyntax.at(at));
                }
                canonical = false;
            }
            Some(_) => {
                let mut reader = Reader::new_at(text, at);
                let name = lex::run(&mut reader, lex::TOKEN);
                canonical &= !lex::space(&mut reader);
                if name.is_empty() || !lex::eat(&mut reader, b':') {
                    return Err(Reason::SipSyntax.at(reader.at()));
                }
                if Name::of(name) == Name::ContentLength {
                    if content_length_at.is_some() {
                        return Err(Reason::SipHdrDup.at(at));
                    }
                    content_length_at = Some(at);
                }
            }
        }
        at = end + 2;
    }
    let body_at = at + 2;
    let content_length = match content_length_at {
        None => None,
        // Once more, since a fold may hold the value.
        Some(begin) => {
            let header = Headers::new(octets.get(begin..at).unwrap_or_default(), begin).next();
            let (value, at) = header.map_or((&[][..], begin), |header| (header.value, header.value_at));
            let len = lex::number(value).and_then(|len| usize::try_from(len).ok());
            Some((len.ok_or(Reason::SipSyntax.at(at))?, at))
        }
    };
    Ok(Head { start, headers_at, body_at, content_length, canonical })
}

/// `Method SP Request-URI SP SIP/2.0` or `SIP/2.0 SP Status-Code SP Reason-Phrase`; the version in any case.
fn start_line(text: &[u8]) -> Result<Start<'_>, Refusal> {
    const VERSION: &[u8] = b"SIP/2.0";
    let is_version = |octets: &[u8]| octets.eq_ignore_ascii_case(VERSION);
    if let Some((version, rest)) = text.split_at_checked(VERSION.len())
        && is_version(version)
    {
        let at = |octet: usize| Reason::SipSyntax.at(octet);
        let Some((&[b' ', a, b, c, b' '], phrase)) = rest.split_first_chunk() else { return Err(at(VERSION.len())) };
        let status = lex::number(&[a, b, c]).and_then(|number| u16::try_from(number).ok());
        let status = status.filter(|status| (100..700).contains(status)).ok_or(at(VERSION.len() + 1))?;
        return Ok(Start::Response { status, phrase });
    }
    let mut reader = Reader::new(text);
    let method = lex::run(&mut reader, lex::TOKEN);
    if method.is_empty() || !lex::eat(&mut reader, b' ') {
        return Err(Reason::SipSyntax.at(reader.at()));
    }
    let uri_at = reader.at();
    let uri = lex::run(&mut reader, lex::URI);
    if uri.is_empty() || !lex::eat(&mut reader, b' ') || !is_version(reader.peek()) {
        return Err(Reason::SipSyntax.at(reader.at()));
    }
    let other_case = |known: &&str| known.as_bytes() != method && known.as_bytes().eq_ignore_ascii_case(method);
    if METHODS.iter().any(other_case) {
        return Err(Reason::SipMethod.at(0));
    }
    Ok(Start::Request { method: Method(method), uri, uri_at })
}
