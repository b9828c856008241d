//! The strict decoding of a message (formats 11.4), with what verdicts ask for.

use super::{Address, Header, Headers, Method, Name, Params, Scheme, Start, Tn, Uri, View, lex, unix_seconds};
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// The most values of P-Asserted-Identity: one by name, one by number (RFC 3325 §9.1).
const MAX_ASSERTED: usize = 2;

/// CSeq: number and method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// Below 2^31 (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// That of the request, or of the request that the response answers.
    pub method: Method<'a>,
}

/// A message whose head is proven, with the headers that everybody asks for (RFC 3261 §8.1.1, formats 11.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// All of it.
    pub view: View<'a>,
    /// Who calls, as it says.
    pub from: Address<'a>,
    /// Who is called.
    pub to: Address<'a>,
    /// Call-ID: visible octets.
    pub call_id: &'a [u8],
    /// CSeq.
    pub cseq: CSeq<'a>,
    /// Date, not yet read: see [`Message::date`].
    date: Option<Header<'a>>,
    /// How many Identity headers there are; [`Message::identities`] reads them.
    pub identity_count: usize,
    /// How many P-Asserted-Identity headers there are.
    asserted_count: usize,
}

impl<'a> Message<'a> {
    /// Reads the message of a datagram.
    /// # Errors
    /// Those of [`View::datagram`], then those of [`Message::of`].
    pub fn datagram(octets: &'a [u8]) -> Result<Self, Refusal> {
        View::datagram(octets).and_then(Self::of)
    }

    /// Reads a message that [`super::stream_len`] has found in a stream.
    /// # Errors
    /// Those of [`View::stream`], then those of [`Message::of`].
    pub fn stream(octets: &'a [u8]) -> Result<Self, Refusal> {
        View::stream(octets).and_then(Self::of)
    }

    /// Reads what a view holds.
    /// # Errors
    /// In this order: [`Reason::SipHdrMissing`] without From, To, Call-ID or CSeq; [`Reason::SipHdrDup`] for a second one
    /// of these, of Date, Max-Forwards or Content-Length; [`Reason::SipSyntax`] for a value of them or a Request-URI that
    /// is not of the grammar, a Max-Forwards above 255, a CSeq from 2^31 on or of another method than the request.
    /// # Source
    /// formats 2 and 11.4.
    pub fn of(view: View<'a>) -> Result<Self, Refusal> {
        let (mut from, mut to, mut call_id, mut cseq, mut date, mut hops) = (None, None, None, None, None, None);
        let (mut identity_count, mut asserted_count) = (0, 0);
        let mut twice = None;
        for header in view.headers() {
            let slot = match header.name {
                Name::From => &mut from,
                Name::To => &mut to,
                Name::CallId => &mut call_id,
                Name::CSeq => &mut cseq,
                Name::Date => &mut date,
                Name::MaxForwards => &mut hops,
                Name::Identity => {
                    identity_count += 1;
                    continue;
                }
                Name::PAssertedIdentity => {
                    asserted_count += 1;
                    continue;
                }
                _ => continue,
            };
            if slot.is_none() {
                *slot = Some(header);
            } else if twice.is_none() {
                twice = Some(Reason::SipHdrDup.at(header.at));
            }
        }
        let (Some(from), Some(to), Some(call_id), Some(cseq)) = (from, to, call_id, cseq) else {
            return Err(Reason::SipHdrMissing.at(view.body_at()));
        };
        if let Some(twice) = twice {
            return Err(twice);
        }
        if let Some(hops) = hops {
            lex::number(hops.value).filter(|hops| *hops <= 255).ok_or(Reason::SipSyntax.at(hops.value_at))?;
        }
        if call_id.value.is_empty() || !call_id.value.iter().all(u8::is_ascii_graphic) {
            return Err(Reason::SipSyntax.at(call_id.value_at));
        }
        let message = Self {
            view,
            from: Address::parse(from.value, from.value_at)?,
            to: Address::parse(to.value, to.value_at)?,
            call_id: call_id.value,
            cseq: read_cseq(&cseq)?,
            date,
            identity_count,
            asserted_count,
        };
        if let Start::Request { method, uri, uri_at } = view.start() {
            if message.cseq.method != method {
                return Err(Reason::SipSyntax.at(cseq.value_at));
            }
            Uri::parse(uri, uri_at)?;
        }
        Ok(message)
    }

    /// The method of a request.
    pub const fn method(&self) -> Option<Method<'a>> {
        self.view.method()
    }

    /// True for a request that opens a dialog, the only message that STIR protects here: INVITE without a tag in To
    /// (formats 8).
    pub fn is_initial_invite(&self) -> bool {
        self.method() == Some(Method::INVITE) && self.to.tag.is_none()
    }

    /// The number that calls: of P-Asserted-Identity if `use_pai` and there is one, else of From.
    ///
    /// Where several values of P-Asserted-Identity name a number, all must name the same: a host may look at any of them.
    /// Those that name none, a SIP URI by name, count only if there is no other.
    /// # Errors
    /// [`Reason::SipTnForm`]; those of [`Message::asserted`].
    pub fn calling(&self, use_pai: bool) -> Result<Tn, Refusal> {
        if !use_pai || self.asserted_count == 0 {
            return self.from.uri.tn();
        }
        let (mut found, mut none) = (None, None);
        self.asserted(|address| {
            match address.uri.tn() {
                Ok(tn) if found.is_some_and(|found: Tn| found.digits != tn.digits) => {
                    return Err(Reason::SipTnForm.at(address.uri.at));
                }
                Ok(tn) => found = Some(tn),
                Err(refusal) => none = Some(refusal),
            }
            Ok(())
        })?;
        found.ok_or(none.unwrap_or(Reason::SipTnForm.at(0)))
    }

    /// The number that is called: of To.
    /// # Errors
    /// [`Reason::SipTnForm`]
    pub fn called(&self) -> Result<Tn, Refusal> {
        self.to.uri.tn()
    }

    /// True if there is a P-Asserted-Identity.
    pub const fn has_asserted(&self) -> bool {
        self.asserted_count > 0
    }

    /// Reports each value of P-Asserted-Identity.
    /// # Errors
    /// [`Reason::SipSyntax`] for one that is no address; [`Reason::SipHdrDup`] for more than two, or two of one scheme
    /// (RFC 3325 §9.1; `sips` counts as `sip`); what `each` says.
    pub fn asserted(&self, mut each: impl FnMut(&Address<'a>) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut seen: [Option<bool>; MAX_ASSERTED] = [None; MAX_ASSERTED];
        for header in self.view.headers().filter(|header| header.name == Name::PAssertedIdentity) {
            for (value, at) in header.values() {
                let address = Address::parse(value, at)?;
                let is_tel = address.uri.scheme == Scheme::Tel;
                let place = seen.iter_mut().find(|place| place.is_none_or(|seen| seen == is_tel));
                match place {
                    Some(place @ None) => *place = Some(is_tel),
                    _ => return Err(Reason::SipHdrDup.at(at)),
                }
                each(&address)?;
            }
        }
        Ok(())
    }

    /// Date in unix seconds.
    /// # Errors
    /// [`Reason::SipSyntax`] where it is not exactly a SIP-date.
    pub fn date(&self) -> Result<Option<u64>, Refusal> {
        let Some(header) = self.date else { return Ok(None) };
        unix_seconds(header.value).map(Some).ok_or(Reason::SipSyntax.at(header.value_at))
    }

    /// The Identity headers in their order.
    pub fn identities(&self) -> Identities<'a> {
        Identities(self.view.headers())
    }

    /// Parameter `branch` of the topmost Via: with Call-ID and CSeq it names the transaction (RFC 3261 §17.2.3).
    pub fn branch(&self) -> Option<&'a [u8]> {
        let via = self.view.headers().find(|header| header.name == Name::Via)?;
        let (value, at) = via.values().next()?;
        let params = value.iter().position(|&octet| octet == b';')?;
        let mut params = Params(Reader::new_at(value.get(params..)?, at + params));
        params.find_map(|(name, value)| name.eq_ignore_ascii_case(b"branch").then_some(value))
    }
}

/// Walks the Identity headers of a message.
#[derive(Clone, Copy, Debug)]
pub struct Identities<'a>(Headers<'a>);

impl<'a> Iterator for Identities<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.0.find(|header| header.name == Name::Identity)
    }
}

/// `1*DIGIT LWS Method`.
fn read_cseq<'a>(header: &Header<'a>) -> Result<CSeq<'a>, Refusal> {
    let refuse = Reason::SipSyntax.at(header.value_at);
    let mut reader = Reader::new(header.value);
    let number = lex::number(lex::run(&mut reader, lex::TOKEN)).ok_or(refuse)?;
    let number = u32::try_from(number).ok().filter(|number| *number < 1 << 31).ok_or(refuse)?;
    if !lex::space(&mut reader) {
        return Err(refuse);
    }
    let method = lex::run(&mut reader, lex::TOKEN);
    if method.is_empty() || !reader.is_empty() { Err(refuse) } else { Ok(CSeq { number, method: Method(method) }) }
}
