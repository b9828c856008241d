//! Writing a PASSporT: JSON of RFC 8225 §9, keys in lexicographic order and no white space, and its header line.

use super::claims::Attest;
use super::identity::Scratch;
use super::{MAX_INFO, base64url};
use crate::addr::Digits;
use crate::sip::lex;

/// An INVITE that we sign (RFC 8588).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outgoing<'a> {
    /// Where our certificate is.
    pub x5u: &'a str,
    /// What we vouch for.
    pub attest: Attest,
    /// Origination identifier, a UUID.
    pub origid: &'a str,
    /// Canonical number that calls.
    pub orig: Digits,
    /// Canonical numbers that are called.
    pub dest: &'a [Digits],
    /// Unix seconds.
    pub iat: u64,
}

impl Outgoing<'_> {
    /// Writes both parts and gives the octets to sign.
    ///
    /// `None` if nobody is called, if a number is empty or not decimal, or if `x5u` or `origid` holds what JSON or the
    /// header would have to escape.
    pub fn input<'b>(&self, scratch: &'b mut Scratch) -> Option<&'b [u8]> {
        let decimal = |number: &Digits| number.is_decimal() && !number.is_empty();
        let plain = |text: &str| !text.is_empty() && text.len() <= MAX_INFO && lex::all(text.as_bytes(), lex::URI);
        let numbers = !self.dest.is_empty() && self.dest.iter().chain([&self.orig]).all(decimal);
        if !numbers || !plain(self.x5u) || !plain(self.origid) {
            return None;
        }
        let Scratch { head, payload, input } = scratch;
        [&mut *head, payload, input].into_iter().for_each(Vec::clear);
        write_head(self.x5u.as_bytes(), Some("shaken"), head);
        write_payload(Some((self.attest, self.origid)), &self.orig, self.dest, self.iat, payload);
        base64url::encode(head, input);
        input.push(b'.');
        base64url::encode(payload, input);
        Some(input)
    }

    /// Appends the Identity header of these octets and their signature, r then s.
    pub fn emit(&self, input: &[u8], signature: &[u8; 64], out: &mut Vec<u8>) {
        emit_identity(input, signature, self.x5u.as_bytes(), Some("shaken"), out);
    }
}

/// Appends an Identity header with its CR LF (RFC 8224 §4).
///
/// * `input`: first two parts with the dot between them, or one dot for the compact form
pub fn emit_identity(input: &[u8], signature: &[u8; 64], info: &[u8], ppt: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Identity: ");
    out.extend_from_slice(input);
    out.push(b'.');
    base64url::encode(signature, out);
    out.extend_from_slice(b";info=<");
    out.extend_from_slice(info);
    out.extend_from_slice(b">;alg=ES256");
    if let Some(ppt) = ppt {
        out.extend_from_slice(b";ppt=\"");
        out.extend_from_slice(ppt.as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends `{"alg":..,"ppt":..,"typ":..,"x5u":..}`; `x5u` holds nothing to escape.
pub(super) fn write_head(x5u: &[u8], ppt: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"alg\":\"ES256\"");
    if let Some(ppt) = ppt {
        out.extend_from_slice(b",\"ppt\":\"");
        out.extend_from_slice(ppt.as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b",\"typ\":\"passport\",\"x5u\":\"");
    out.extend_from_slice(x5u);
    out.extend_from_slice(b"\"}");
}

/// Appends `{"attest":..,"dest":{"tn":[..]},"iat":..,"orig":{"tn":..},"origid":..}`.
pub(super) fn write_payload(
    shaken: Option<(Attest, &str)>,
    orig: &Digits,
    dest: &[Digits],
    iat: u64,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    if let Some((attest, _)) = shaken {
        out.extend_from_slice(b"\"attest\":\"");
        out.extend_from_slice(attest.text().as_bytes());
        out.extend_from_slice(b"\",");
    }
    out.extend_from_slice(b"\"dest\":{\"tn\":[");
    for (i, number) in dest.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"\"" } else { b",\"" });
        number.write_ascii(out);
        out.push(b'"');
    }
    out.extend_from_slice(b"]},\"iat\":");
    write_number(iat, out);
    out.extend_from_slice(b",\"orig\":{\"tn\":\"");
    orig.write_ascii(out);
    out.extend_from_slice(b"\"}");
    if let Some((_, origid)) = shaken {
        out.extend_from_slice(b",\"origid\":\"");
        out.extend_from_slice(origid.as_bytes());
        out.push(b'"');
    }
    out.push(b'}');
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut unit = 1;
    while number / unit > 9 {
        unit *= 10;
    }
    while unit > 0 {
        out.push(b'0' + (number / unit % 10) as u8);
        unit /= 10;
    }
}
