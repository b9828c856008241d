//! SG-ISUP-1: the security header in an application transport parameter of an initial address message (formats 9).

use super::{FLAG_CALLED_COPY, Header, signature_len};
use crate::addr::Digits;
use crate::isup::{APPLICATION_TRANSPORT, App, CONTEXT};
use crate::{Reason, Refusal};

/// In front of the header: the context, no notification and no release where it is not known, one segment, no addresses.
const PREFIX: [u8; 5] = [CONTEXT, 0x80, 0xc0, 0, 0];

/// What the parameter carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection<'a> {
    /// The header; its copy of the called number is in `covered`.
    pub header: Header<'a>,
    /// The header's octets with the copy, as the signature covers them.
    pub covered: &'a [u8],
    /// The copy of the called number in canonical form, where there is one.
    pub copy: Option<&'a [u8]>,
    /// The signature, of the length that its algorithm demands.
    pub signature: &'a [u8],
}

/// Reads the parameter.
///
/// # Errors
/// In this order: [`Reason::SecSyntax`] for other octets in front or less than a header; [`Reason::SecVersion`];
/// [`Reason::SecFlags`] for any flag but that of a copy; [`Reason::SecAlgUnsupported`]; [`Reason::SecSyntax`] for a copy
/// that is cut or not canonical; [`Reason::SecSigForm`].
pub fn parse<'a>(app: &App<'a>) -> Result<Protection<'a>, Refusal> {
    let payload = app.content.strip_prefix(&PREFIX).ok_or(Reason::SecSyntax.at(app.at))?;
    let at = app.at + PREFIX.len();
    let fixed = payload.first_chunk::<{ Header::LEN }>().ok_or(Reason::SecSyntax.at(app.at))?;
    let &[version, _, flags, ..] = fixed;
    if version == 1 && flags & !FLAG_CALLED_COPY != 0 {
        return Err(Reason::SecFlags.at(at + 2)); // one that other profiles have, too, and before the algorithm is looked at
    }
    // Read without its flag, since the copy has the form of ISUP numbers and not of SCCP addresses.
    let mut bare = *fixed;
    bare[2] &= !FLAG_CALLED_COPY;
    let (read, ..) = Header::parse(&bare).map_err(|refusal| refusal.reason.at(at + refusal.at as usize))?;
    let Header { alg, node, sai, tvp, seq, .. } = read;
    let header = Header { alg, flags, node, sai, tvp, seq, copy: None };
    let (copy, covered_len) = if flags == 0 {
        (None, Header::LEN)
    } else {
        let cut = Reason::SecSyntax.at(at + Header::LEN);
        let len = usize::from(*payload.get(Header::LEN).ok_or(cut)?);
        let end = Header::LEN + 1 + len;
        let copy = payload.get(Header::LEN + 1..end).filter(|copy| is_canonical(copy)).ok_or(cut)?;
        (Some(copy), end)
    };
    let (covered, signature) = payload.split_at_checked(covered_len).ok_or(Reason::SecSyntax.at(at))?;
    if signature_len(alg) != Some(signature.len()) {
        return Err(Reason::SecSigForm.at(at + covered_len));
    }
    Ok(Protection { header, covered, copy, signature })
}

/// True for a number in canonical form (formats 1.1): plan 1, its count, 1 to 15 digits.
fn is_canonical(copy: &[u8]) -> bool {
    matches!(copy, [1, count, digits @ ..] if usize::from(*count) == digits.len()
        && (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
}

/// Builds the octets that an SG-ISUP-1 signature covers. `out` is cleared first and belongs to the caller.
///
/// * `covered`: the header's octets with its copy; `copy`: that copy alone, which stands for the called number
/// * `cpc`: calling party's category; `apri`: presentation of the calling number, 0 to 3
/// # Source
/// formats 9.
pub fn write_tbs(
    covered: &[u8],
    copy: Option<&[u8]>,
    calling: &Digits,
    called: &Digits,
    cpc: u8,
    apri: u8,
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(b"SG-ISUP-1\0");
    out.push(covered.len() as u8);
    out.extend_from_slice(covered);
    put_number(calling, out);
    match copy {
        Some(copy) => {
            out.push(copy.len() as u8);
            out.extend_from_slice(copy);
        }
        None => put_number(called, out),
    }
    out.extend_from_slice(&[cpc, apri]);
}

/// Appends a number in canonical form with its length.
fn put_number(digits: &Digits, out: &mut Vec<u8>) {
    let len = digits.len() as u8;
    out.extend_from_slice(&[len + 2, 1, len]);
    digits.write_ascii(out);
}

/// Writes the header's octets, with a copy of the called number where one is given, into `covered`, which is cleared first.
pub fn put_covered(header: &Header<'_>, called: Option<&Digits>, covered: &mut Vec<u8>) {
    covered.clear();
    header.emit(covered);
    if let Some(called) = called {
        if let Some(flags) = covered.get_mut(2) {
            *flags |= FLAG_CALLED_COPY;
        }
        put_number(called, covered);
    }
}

/// Appends the whole parameter, whose last octets are the signature; `false`, and nothing appended, if it is longer than any.
///
/// * `covered`: the header's octets with its copy
pub fn emit_parameter(covered: &[u8], signature: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(len) = u8::try_from(PREFIX.len() + covered.len() + signature.len()) else { return false };
    out.extend_from_slice(&[APPLICATION_TRANSPORT, len]);
    out.extend_from_slice(&PREFIX);
    out.extend_from_slice(covered);
    out.extend_from_slice(signature);
    true
}
