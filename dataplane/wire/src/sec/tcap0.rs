//! SG-TCAP-0: the form of the SigFW firewall, an Invoke with operation code 100 in TC-BEGIN (formats 5).

use super::{Tvp, der, head_len, put_head};
use crate::addr::GlobalTitle;
use crate::ber::{self, Rules};
use crate::{Reason, Refusal};

/// The operation code of the security component.
pub const OPCODE: i32 = 100;

/// The security parameter: when it was signed, and the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection<'a> {
    /// Time of signing.
    pub tvp: Tvp,
    /// RSA signature; its length is the key's.
    pub signature: &'a [u8],
}

/// Reads everything that follows the operation code of the security component.
///
/// # Errors
/// [`Reason::SecSyntax`] if it is not one constructed OCTET STRING of "v1", a time stamp and a signature.
pub fn parse(parameter: &[u8]) -> Result<Protection<'_>, Refusal> {
    read(parameter).ok_or(Reason::SecSyntax.at(0))
}

fn read(parameter: &[u8]) -> Option<Protection<'_>> {
    let (set, behind) = der(parameter, 0x24)?;
    let (version, rest) = der(set, 0xc4)?;
    let (tvp, rest) = der(rest, 0xc4)?;
    let (signature, after) = der(rest, 0xc4)?;
    let whole = behind.is_empty() && after.is_empty() && version == b"v1";
    whole.then_some(Protection { tvp: Tvp(u32::from_be_bytes(tvp.try_into().ok()?)), signature })
}

/// Appends the whole security component; its invoke id is always 1, as SigFW has it.
pub fn emit_component(tvp: Tvp, signature: &[u8], out: &mut Vec<u8>) {
    let set = 4 + 6 + head_len(signature.len()) + signature.len();
    let invoke = 6 + head_len(set) + set;
    put_head(0xa1, invoke, out);
    out.extend_from_slice(&[0x02, 1, 1, 0x02, 1, OPCODE as u8]);
    put_head(0x24, set, out);
    out.extend_from_slice(b"\xc4\x02v1\xc4\x04");
    out.extend_from_slice(&tvp.0.to_be_bytes());
    put_head(0xc4, signature.len(), out);
    out.extend_from_slice(signature);
}

/// Octets of a whole security component for a signature of this length.
pub fn component_len(signature: usize) -> usize {
    let set = 4 + 6 + head_len(signature) + signature;
    let invoke = 6 + head_len(set) + set;
    head_len(invoke) + invoke
}

/// Appends a component as SigFW encodes it again before it signs: itself and the elements in it with definite minimal
/// lengths, what is inside those unchanged. Octets that are no such component go out as they are.
pub fn put_component(raw: &[u8], rules: Rules, out: &mut Vec<u8>) {
    let start = out.len();
    if put_elements(raw, rules, out).is_none() {
        out.truncate(start);
        out.extend_from_slice(raw);
    }
}

fn put_elements(raw: &[u8], rules: Rules, out: &mut Vec<u8>) -> Option<()> {
    let (component, behind) = ber::next(raw, rules, 0).ok()?;
    if !ber::is_constructed(component.tag) || component.number >= 31 || !behind.is_empty() {
        return None;
    }
    let mut sound = true;
    ber::put_with(component.tag, out, |out| {
        for element in component.elements(rules, 1) {
            match element {
                Ok(element) if element.number < 31 => ber::put_tlv(element.tag, element.value, out),
                Ok(element) => out.extend_from_slice(element.raw),
                Err(_) => sound = false,
            }
        }
    });
    sound.then_some(())
}

/// Builds the ASCII string that a SigFW signature covers: digits of both addresses, the stamp in decimal, and each
/// component in base64, without separators.
///
/// * `components`: whole TLVs of all components but the security component, already in definite minimal form
pub fn write_tbs<'e>(
    calling: &GlobalTitle,
    called: &GlobalTitle,
    tvp: Tvp,
    components: impl Iterator<Item = &'e [u8]>,
    out: &mut Vec<u8>,
) {
    out.clear();
    calling.digits.write_ascii(out);
    called.digits.write_ascii(out);
    put_decimal(tvp.0, out);
    components.for_each(|component| put_base64(component, out));
}

/// Appends a number in decimal without leading zeros.
pub(super) fn put_decimal(number: u32, out: &mut Vec<u8>) {
    let mut started = false;
    for power in [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] {
        let digit = (number / power % 10) as u8;
        started |= digit != 0 || power == 1;
        if started {
            out.push(b'0' + digit);
        }
    }
}

/// Appends the standard alphabet with padding (RFC 4648 §4).
pub(super) fn put_base64(octets: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| ALPHABET[(bits & 63) as usize];
    for chunk in octets.chunks(3) {
        let mut bits = 0;
        for i in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0));
        }
        out.push(letter(bits >> 18));
        out.push(letter(bits >> 12));
        out.push(if chunk.len() > 1 { letter(bits >> 6) } else { b'=' });
        out.push(if chunk.len() > 2 { letter(bits) } else { b'=' });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_and_decimal_as_everybody_writes_them() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = Vec::new();
            put_base64(plain.as_bytes(), &mut out);
            assert_eq!(out, coded.as_bytes());
        }
        for number in [0, 7, 10, 770_130_816, u32::MAX] {
            let mut out = Vec::new();
            put_decimal(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn only_the_outer_two_lengths_are_made_again() {
        let mut out = Vec::new();
        put_component(b"\xa1\x81\x0b\x02\x01\x05\x02\x01\x02\x30\x81\x02\x04\x00", Rules::Lenient, &mut out);
        assert_eq!(out, b"\xa1\x0a\x02\x01\x05\x02\x01\x02\x30\x02\x04\x00");
        out.clear();
        put_component(b"\xa1\x7f", Rules::Lenient, &mut out);
        assert_eq!(out, b"\xa1\x7f");
    }

    #[test]
    fn a_component_reads_back_and_each_octet_counts() -> Result<(), Refusal> {
        let mut component = Vec::new();
        emit_component(Tvp(7), &[9; 256], &mut component);
        assert_eq!(component.len(), component_len(256));
        let parameter = &component[component.len() - (component_len(256) - 4 - 6)..];
        assert_eq!(parse(parameter)?, Protection { tvp: Tvp(7), signature: &[9; 256] });
        for (at, octet) in [(0, 0x30), (2, 0), (4, 0x84), (6, b'V'), (9, 3)] {
            let mut bad = parameter.to_vec();
            bad[at] = octet;
            assert_eq!(parse(&bad), Err(Reason::SecSyntax.at(0)), "octet {at} set to {octet:#x}");
        }
        Ok(())
    }
}
