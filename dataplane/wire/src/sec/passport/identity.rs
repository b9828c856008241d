//! One Identity header: its parts and the checks that need nothing but them (RFC 8224 §4, §6.2; formats 8, S1 to S9).

use super::claims::{Attest, Claims, Head, Party};
use super::json::Object;
use super::write::{write_head, write_payload};
use super::{MAX_INFO, MAX_PART, base64url};
use crate::addr::Digits;
use crate::cursor::Reader;
use crate::sip::{Header, Message, lex};
use crate::{Reason, Refusal};

/// The value of an Identity header, split; the token is not read yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity<'a> {
    /// `header.payload.signature`, or `..signature`.
    pub token: &'a [u8],
    /// Octet of the message where the token begins; refusals of it point there.
    pub at: usize,
    /// URI of the certificate, without its brackets.
    pub info: &'a [u8],
    /// Parameter `alg`.
    pub alg: Option<&'a [u8]>,
    /// Parameter `ppt`.
    pub ppt: Option<&'a [u8]>,
}

/// What the compact form leaves to the message to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compact<'a> {
    /// Canonical number that calls.
    pub orig: &'a Digits,
    /// Canonical number that is called.
    pub dest: &'a Digits,
    /// Date in unix seconds.
    pub date: Option<u64>,
}

/// Buffers that a PASSporT is read from. They grow to [`MAX_PART`] and stay.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) head: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) input: Vec<u8>,
}

/// A PASSporT whose form holds; its signature was not looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passport<'a> {
    /// The first part.
    pub head: Head<'a>,
    /// The second part.
    pub claims: Claims<'a>,
    /// The octets that the signature covers: as received in full form, rebuilt in compact form.
    pub input: &'a [u8],
}

const ALG: &[u8] = b"ES256";
const DIV: &[u8] = b"div";

impl<'a> Identity<'a> {
    /// Splits a value into token and parameters, in any order, each at most once; others may be there.
    ///
    /// A list of several values in one header is not of the grammar: a comma is refused, since who splits there reads two.
    /// # Errors
    /// [`Reason::StirSyntax`]
    /// # Source
    /// RFC 8224 §4; formats 8, S2.
    pub fn parse(header: &Header<'a>) -> Result<Self, Refusal> {
        let mut reader = Reader::new_at(header.value, header.value_at);
        let refuse = |reader: &Reader<'_>| Reason::StirSyntax.at(reader.at());
        let at = reader.at();
        let len = reader.peek().iter().take_while(|&&octet| octet != b';' && !lex::is(octet, lex::SPACE)).count();
        let token = reader.take(len).unwrap_or_default();
        let (mut info, mut alg, mut ppt) = (None, None, None);
        while lex::eat_spaced(&mut reader, b';') {
            let name = lex::run(&mut reader, lex::TOKEN);
            let is = |want: &str| name.eq_ignore_ascii_case(want.as_bytes());
            let named = lex::eat_spaced(&mut reader, b'=');
            let place = reader;
            let bracketed = lex::eat(&mut reader, b'<');
            let value = if bracketed {
                let uri = lex::run(&mut reader, lex::URI);
                lex::eat(&mut reader, b'>').then_some(uri)
            } else if reader.peek().first() == Some(&b'"') {
                // An escape in what is compared would be read by some and not by others.
                lex::quoted(&mut reader).filter(|text| !text.contains(&b'\\'))
            } else {
                Some(lex::run(&mut reader, lex::VALUE))
            };
            let value = value.filter(|value| !name.is_empty() && named != value.is_empty()).ok_or(refuse(&place))?;
            let slot = match () {
                () if is("info") => Some((&mut info, true)),
                () if is("alg") => Some((&mut alg, false)),
                () if is("ppt") => Some((&mut ppt, false)),
                () => None,
            };
            if let Some((slot, brackets)) = slot
                && (slot.replace(value).is_some() || brackets != bracketed || value.is_empty())
            {
                return Err(refuse(&place));
            }
        }
        let info = info.filter(|info| info.len() <= MAX_INFO && info.contains(&b':')).ok_or(refuse(&reader))?;
        if !reader.is_empty() || token.is_empty() {
            return Err(refuse(&reader));
        }
        Ok(Self { token, at, info, alg, ppt })
    }

    /// The three parts of the token.
    fn parts(&self) -> Result<[&'a [u8]; 3], Refusal> {
        let refuse = Reason::StirSyntax.at(self.at);
        let mut parts = self.token.split(|&octet| octet == b'.');
        let (Some(head), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse);
        };
        if head.is_empty() != payload.is_empty() || head.len() > MAX_PART || payload.len() > MAX_PART {
            return Err(refuse);
        }
        Ok([head, payload, signature])
    }

    /// Reads the token: its form (S2), what the compact one may be (S3), and what head and parameters say of each other (S4).
    /// # Errors
    /// [`Reason::StirSyntax`], [`Reason::StirDate`] for the compact form without Date, [`Reason::StirAlg`]. In this order:
    /// three parts of base64url, JSON of the first two, the compact form, algorithm, type, certificate, extension, claims.
    pub fn read<'b>(&self, compact: &Compact<'_>, scratch: &'b mut Scratch) -> Result<Passport<'b>, Refusal> {
        let refuse = Reason::StirSyntax.at(self.at);
        let [head, payload, signature] = self.parts()?;
        if !base64url::is_sound(signature) {
            return Err(Reason::StirSyntax.at(self.at + self.token.len() - signature.len()));
        }
        let Scratch { head: head_json, payload: payload_json, input } = scratch;
        [&mut *head_json, payload_json, input].into_iter().for_each(Vec::clear);
        if head.is_empty() {
            if self.ppt.is_some() {
                return Err(refuse);
            }
            let date = compact.date.ok_or(Reason::StirDate.at(self.at))?;
            if self.alg.is_some_and(|alg| alg != ALG) {
                return Err(Reason::StirAlg.at(self.at));
            }
            write_head(self.info, None, head_json);
            write_payload(None, compact.orig, core::slice::from_ref(compact.dest), date, payload_json);
            base64url::encode(head_json, input);
            input.push(b'.');
            base64url::encode(payload_json, input);
        } else {
            base64url::decode(head, head_json).ok_or(refuse)?;
            base64url::decode(payload, payload_json).ok_or(refuse)?;
            input.extend_from_slice(self.token.get(..head.len() + 1 + payload.len()).unwrap_or_default());
        }
        let head = Object::parse(head_json).ok_or(refuse)?;
        let payload = Object::parse(payload_json).ok_or(refuse)?;
        let head = Head::of(head).ok_or(refuse)?;
        if !is(head.alg, ALG) || self.alg.is_some_and(|alg| alg != ALG) {
            return Err(Reason::StirAlg.at(self.at));
        }
        let same_ppt = match (head.ppt, self.ppt) {
            (Some(inside), Some(outside)) => is(inside, outside),
            (None, None) => true,
            _ => false,
        };
        if !head.typ.is("passport") || !is(head.x5u, self.info) || !same_ppt {
            return Err(refuse);
        }
        let claims = Claims::of(payload).ok_or(refuse)?;
        let complete = match self.ppt {
            Some(b"shaken") => claims.attest.is_some() && claims.origid.is_some(),
            Some(DIV) => claims.div.is_some(),
            _ => true,
        };
        if !complete {
            return Err(refuse);
        }
        Ok(Passport { head, claims, input })
    }

    /// The signature as keys want it, r then s (RFC 7518 §3.4).
    /// # Errors
    /// [`Reason::StirSyntax`] if it is no base64url, [`Reason::StirSig`] if it has not 64 octets.
    pub fn signature(&self) -> Result<[u8; 64], Refusal> {
        let [_, _, text] = self.parts()?;
        let at = self.at + self.token.len() - text.len();
        if !base64url::is_sound(text) {
            return Err(Reason::StirSyntax.at(at));
        }
        // 86 digits are 64 octets; the last one has four bits of them.
        let mut raw = [0; 64];
        base64url::decode_into(text, &mut raw).ok_or(Reason::StirSig.at(at))?;
        Ok(raw)
    }

    /// The third part of the token, which names it in a Reason header (RFC 9410).
    pub fn signature_text(&self) -> &'a [u8] {
        self.token.rsplit(|&octet| octet == b'.').next().unwrap_or_default()
    }
}

fn is(text: super::Text<'_>, octets: &[u8]) -> bool {
    core::str::from_utf8(octets).is_ok_and(|octets| text.is(octets))
}

/// The Identity header that decides: the first one without `ppt`, of `shaken`, or of an extension that `supports` knows.
///
/// One of `div` never decides: it says where a call went, not whose it is. [`diversions`] gives those.
/// # Errors
/// [`Reason::StirMissing`] if there is no Identity header, [`Reason::StirPpt`] if each names an extension that is not known;
/// [`Reason::StirSyntax`] for a header before it that cannot be split.
/// # Source
/// formats 8, S1.
pub fn select<'a>(message: &Message<'a>, supports: impl Fn(&[u8]) -> bool) -> Result<Identity<'a>, Refusal> {
    let mut none = Reason::StirMissing.at(message.view.body_at());
    for header in message.identities() {
        let identity = Identity::parse(&header)?;
        if identity.ppt.is_none_or(|ppt| ppt == b"shaken" || ppt != DIV && supports(ppt)) {
            return Ok(identity);
        }
        none = Reason::StirPpt.at(header.at);
    }
    Err(none)
}

/// The Identity headers of `div` in their order, for [`super::div_chain`]; one that cannot be split is an error among them.
pub fn diversions<'a>(message: &Message<'a>) -> impl Iterator<Item = Result<Identity<'a>, Refusal>> + use<'a> {
    let all = message.identities().map(|header| Identity::parse(&header));
    all.filter(|identity| identity.is_err() || identity.is_ok_and(|identity| identity.ppt == Some(DIV)))
}

/// The host of an `https` URI; `None` for another scheme, for user information before the host, and for an IPv6 address.
///
/// `https://certs.example@other/` leads to `other`: the list of hosts must see what a client would connect to.
/// # Source
/// formats 8, S5.
pub fn x5u_host(info: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = info.split_at_checked(8)?;
    if !scheme.eq_ignore_ascii_case(b"https://") {
        return None;
    }
    let mut reader = Reader::new(rest);
    let host = lex::run(&mut reader, lex::HOST);
    if lex::eat(&mut reader, b':') {
        let port = lex::run(&mut reader, lex::HOST);
        lex::number(port).filter(|port| *port <= 0xffff)?;
    }
    (!host.is_empty() && lex::eat(&mut reader, b'/')).then_some(host)
}

/// True to within `window_s`, past and future, inclusive.
///
/// * `now_s`: unix seconds; `date`: of the Date header, if there is one
/// # Errors
/// [`Reason::StirStale`]
/// # Source
/// formats 8, S8; RFC 8224 §6.2.
pub fn fresh(now_s: u64, iat: u64, date: Option<u64>, window_s: u64) -> Result<(), Reason> {
    let near = |time: u64| now_s.abs_diff(time) <= window_s;
    if near(iat) && date.is_none_or(near) { Ok(()) } else { Err(Reason::StirStale) }
}

impl Passport<'_> {
    /// Who calls and who is called are those of the message.
    /// # Errors
    /// [`Reason::StirOrig`], then [`Reason::StirDest`].
    /// # Source
    /// formats 8, S9.
    pub fn names(&self, calling: &Digits, called: &Digits) -> Result<(), Reason> {
        match (&self.claims.orig, self.claims.dest.has_tn(called)) {
            (orig @ Party::Tn(_), has_dest) if orig.is_tn(calling) => {
                if has_dest {
                    Ok(())
                } else {
                    Err(Reason::StirDest)
                }
            }
            _ => Err(Reason::StirOrig),
        }
    }

    /// A PASSporT of `shaken` attests no less than `least`; another one attests nothing, and is not asked.
    /// # Errors
    /// [`Reason::StirAttest`]
    /// # Source
    /// formats 8, S13.
    pub fn attested(&self, least: Attest) -> Result<(), Reason> {
        let shaken = self.head.ppt.is_some_and(|ppt| ppt.is("shaken"));
        if !shaken || self.claims.attest >= Some(least) { Ok(()) } else { Err(Reason::StirAttest) }
    }
}
