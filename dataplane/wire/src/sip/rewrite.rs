//! Writing a message again: without a header, with one more, in the plain form, with a verdict on the caller.

use super::{Address, Header, MAX_LEN, Message, Name, Scheme, View, lex};
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// Writes a message again, without the headers that `leave_out` names and with `added` behind the last one.
///
/// Octets behind Content-Length are never written. `canonical` joins folds to one space and takes the white space before
/// colons away (RFC 3261 §7.3.1); without it headers stay as they came.
/// * `added`: header lines, each with its CR LF
///
/// `false`, and nothing appended, if that is longer than [`MAX_LEN`].
pub fn rebuild(
    view: &View<'_>,
    canonical: bool,
    mut leave_out: impl FnMut(&Header<'_>) -> bool,
    added: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.extend_from_slice(view.start_line());
    for header in view.headers().filter(|header| !leave_out(header)) {
        emit_plain(&header, canonical, out);
    }
    out.extend_from_slice(added);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(view.body());
    bounded(start, out)
}

fn bounded(start: usize, out: &mut Vec<u8>) -> bool {
    let fits = out.len() - start <= MAX_LEN;
    if !fits {
        out.truncate(start);
    }
    fits
}

/// Appends a header as it came, or in its plain form if `canonical` and it is not.
fn emit_plain(header: &Header<'_>, canonical: bool, out: &mut Vec<u8>) {
    if canonical && !header.is_canonical() {
        emit_header(header.written, header.value, out);
    } else {
        out.extend_from_slice(header.raw);
    }
}

/// Appends `name: value` and CR LF, folds of the value joined.
pub(super) fn emit_header(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    emit_joined(value, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends a value with each fold, and the white space around it, as one space.
pub(super) fn emit_joined(value: &[u8], out: &mut Vec<u8>) {
    let mut reader = Reader::new(value);
    while !reader.is_empty() {
        let len = reader.peek().iter().position(|&octet| lex::is(octet, lex::SPACE)).unwrap_or(reader.len());
        out.extend_from_slice(reader.take(len).unwrap_or_default());
        let space = lex::run(&mut reader, lex::SPACE);
        out.extend_from_slice(if space.contains(&b'\r') { b" " } else { space });
    }
}

/// What verification made of the caller's number (TS 24.229 §7.2A.20).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verstat {
    /// The number is the caller's.
    Passed,
    /// It could not be shown.
    Failed,
}

impl Verstat {
    /// The parameter with its value.
    pub const fn text(self) -> &'static str {
        match self {
            Verstat::Passed => "verstat=TN-Validation-Passed",
            Verstat::Failed => "verstat=TN-Validation-Failed",
        }
    }
}

/// Whether somebody outside has put a `verstat` at a number, escaped or not: what [`mark`] takes away.
/// # Errors
/// Those of [`Message::asserted`].
pub fn has_verstat(message: &Message<'_>) -> Result<bool, Refusal> {
    let within = |address: &Address<'_>| {
        let uri = &address.uri;
        let user = uri.user.unwrap_or_default();
        let mut parts = [user, uri.params, address.params.0.peek()].into_iter();
        parts.any(|part| {
            let names =
                part.split(|&octet| octet == b';').skip(1).filter_map(|p| p.split(|&octet| octet == b'=').next());
            names.map(lex::trim).any(|name| lex::is_name(name, b"verstat"))
        })
    };
    let mut found = within(&message.from);
    message.asserted(|address| {
        found |= within(address);
        Ok(())
    })?;
    Ok(found)
}

/// Writes a message again with `verdict` at the number that was judged, and without any `verstat` from outside.
///
/// The parameter goes behind the number: in the user part of a SIP URI, where it is one of the telephone number in it, or in
/// the `tel` URI. What stood in From and each P-Asserted-Identity, in the user part, behind the host or behind the value, is
/// taken away, escaped or not. With `None` it is only taken away. `leave_out` and `added` as in [`rebuild`], which writes the
/// other headers in their plain form.
/// * `use_pai`: the number judged is that of the first P-Asserted-Identity that has one, if there is one; else From's
/// # Errors
/// Those of [`Message::asserted`]; [`Reason::SipTnForm`] if no number is there to be marked; [`Reason::SipTooBig`]. Nothing
/// is appended then.
/// # Source
/// formats 8, TS 24.229 §7.2A.20.
pub fn mark(
    message: &Message<'_>,
    verdict: Option<Verstat>,
    use_pai: bool,
    mut leave_out: impl FnMut(&Header<'_>) -> bool,
    added: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut target = None;
    message.asserted(|address| {
        if use_pai && target.is_none() && address.uri.tn().is_ok() {
            target = Some(address.uri.at);
        }
        Ok(())
    })?;
    let target = match target {
        None if use_pai && message.has_asserted() => None,
        None => message.from.uri.tn().is_ok().then_some(message.from.uri.at),
        found => found,
    };
    if verdict.is_some() && target.is_none() {
        return Err(Reason::SipTnForm.at(message.from.uri.at));
    }
    let start = out.len();
    out.extend_from_slice(message.view.start_line());
    for header in message.view.headers().filter(|header| !leave_out(header)) {
        match header.name {
            Name::From | Name::PAssertedIdentity => {
                let name = header.name.long().unwrap_or_default();
                out.extend_from_slice(name.as_bytes());
                // From is no list, but none of its values holds a comma outside of quotes and brackets either.
                for (i, (value, at)) in header.values().enumerate() {
                    out.extend_from_slice(if i == 0 { b": " } else { b", " });
                    match Address::parse(value, at) {
                        Ok(address) => emit_address(&address, verdict.filter(|_| target == Some(address.uri.at)), out),
                        Err(refusal) => {
                            out.truncate(start);
                            return Err(refusal);
                        }
                    }
                }
                out.extend_from_slice(b"\r\n");
            }
            _ => emit_plain(&header, true, out),
        }
    }
    out.extend_from_slice(added);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(message.view.body());
    if bounded(start, out) { Ok(()) } else { Err(Reason::SipTooBig.at(MAX_LEN)) }
}

/// Appends an address in angle brackets, which a URI with parameters needs, with this `verstat` and no other.
fn emit_address(address: &Address<'_>, verdict: Option<Verstat>, out: &mut Vec<u8>) {
    if !address.display.is_empty() {
        emit_joined(address.display, out);
        out.push(b' ');
    }
    out.push(b'<');
    let uri = &address.uri;
    match uri.user {
        // Params of `tel` are within `user`; those of a SIP URI stand on either side of the host.
        Some(user) => {
            let scheme = uri.raw.iter().position(|&octet| octet == b':').map_or(0, |colon| colon + 1);
            out.extend_from_slice(uri.raw.get(..scheme).unwrap_or_default());
            let number = uri.subscriber().unwrap_or_default();
            out.extend_from_slice(number);
            if let Some(verdict) = verdict {
                out.push(b';');
                out.extend_from_slice(verdict.text().as_bytes());
            }
            emit_params(user.get(number.len()..).unwrap_or_default(), out);
            if uri.scheme != Scheme::Tel {
                let host = uri.raw.get(scheme + user.len()..uri.raw.len() - uri.params.len());
                out.extend_from_slice(host.unwrap_or_default());
                emit_params(uri.params, out);
            }
        }
        None => {
            out.extend_from_slice(uri.raw.get(..uri.raw.len() - uri.params.len()).unwrap_or_default());
            emit_params(uri.params, out);
        }
    }
    out.push(b'>');
    let (mut params, behind) = (address.params, address.params.0);
    let mut rest = behind;
    loop {
        let at = rest.at();
        match params.read() {
            Ok(Some((name, _))) => {
                let raw = rest.take(params.0.at() - at).unwrap_or_default();
                if !lex::is_name(name, b"verstat") {
                    emit_joined(lex::trim(raw), out);
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
}

/// Appends parameters of a URI but `verstat`.
fn emit_params(params: &[u8], out: &mut Vec<u8>) {
    for param in params.split(|&octet| octet == b';').skip(1) {
        let name = param.split(|&octet| octet == b'=').next().unwrap_or_default();
        if !lex::is_name(name, b"verstat") {
            out.push(b';');
            out.extend_from_slice(param);
        }
    }
}

/// Overwrites a refused message of a stream, or a part of it, with what its receiver skips before a start line: CR LF pairs, and
/// one LF at the end of an odd number (formats 3, RFC 3261 §7.5).
///
/// * `total`: octets of the message; `at`: of them the first one in `out`
pub fn fill(total: usize, at: usize, out: &mut [u8]) {
    for (i, octet) in (at..).zip(out) {
        let last = i + 1 == total;
        *octet = if i.is_multiple_of(2) && !last { b'\r' } else { b'\n' };
    }
}
