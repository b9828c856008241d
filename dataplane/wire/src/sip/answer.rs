//! The response that refuses a request (RFC 3261 §8.2.6), and what a Reason header says of STIR (RFC 9410).

use super::rewrite::{emit_header, emit_joined};
use super::{Message, Method, Name, Start};

/// The Reason-Phrase of a status that a reason can carry (RFC 3261 §21, RFC 8224 §6.2.2).
///
/// * `stale`: the 403 is for a Date or `iat` that is not fresh
pub const fn phrase(status: u16, stale: bool) -> &'static str {
    match status {
        400 => "Bad Request",
        403 if stale => "Stale Date",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        428 => "Use Identity Header",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        513 => "Message Too Large",
        _ => "Refused",
    }
}

/// Appends a Reason header of protocol STIR: for a response on its way back to the caller when the call was let through, and
/// in a rejection where several Identity headers leave open which one failed.
///
/// * `signature`: third part of the token that failed, base64url: names the PASSporT in compact form, since the full one
///   may tell others more than they should know (RFC 9410 §9)
/// # Source
/// RFC 9410, RFC 3326 §2.
pub fn emit_reason(status: u16, stale: bool, signature: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Reason: STIR;cause=");
    out.extend_from_slice(&status_digits(status));
    out.extend_from_slice(b";text=\"");
    out.extend_from_slice(phrase(status, stale).as_bytes());
    out.push(b'"');
    if let Some(signature) = signature {
        out.extend_from_slice(b";ppi=\"..");
        out.extend_from_slice(signature);
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
}

const fn status_digits(status: u16) -> [u8; 3] {
    [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8]
}

/// Appends the response that refuses a request: Via in its order, From, To, Call-ID and CSeq of the request, no body.
///
/// It goes to where the datagram came from. Via is copied as it is, without `received`: the sender finds its transaction by
/// branch. Folds are joined, names are long.
/// * `tag`: a token that To gets if it has none; the same one for a request that comes again (RFC 3261 §8.2.6.2)
/// * `added`: further header lines, each with its CR LF, as of [`emit_reason`]; a 405 wants Allow
///
/// `false`, and nothing appended, for what must not be answered, a response or an ACK, and for a status below 300.
pub fn emit_rejection(
    message: &Message<'_>,
    status: u16,
    stale: bool,
    tag: &[u8],
    added: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    let Start::Request { method, .. } = message.view.start() else { return false };
    if method == Method::ACK || !(300..700).contains(&status) {
        return false;
    }
    out.extend_from_slice(b"SIP/2.0 ");
    out.extend_from_slice(&status_digits(status));
    out.push(b' ');
    out.extend_from_slice(phrase(status, stale).as_bytes());
    out.extend_from_slice(b"\r\n");
    for header in message.view.headers() {
        let name = match header.name {
            Name::Via | Name::From | Name::CallId | Name::CSeq => header.name.long().unwrap_or_default(),
            Name::To => {
                out.extend_from_slice(b"To: ");
                emit_joined(header.value, out);
                if message.to.tag.is_none() {
                    out.extend_from_slice(b";tag=");
                    out.extend_from_slice(tag);
                }
                out.extend_from_slice(b"\r\n");
                continue;
            }
            _ => continue,
        };
        emit_header(name.as_bytes(), header.value, out);
    }
    out.extend_from_slice(added);
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    true
}
