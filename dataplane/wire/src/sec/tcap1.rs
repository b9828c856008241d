//! SG-TCAP-1: one extra Invoke component in the shape of MAP secureTransport, last in the component portion (formats 4).

use super::{Header, der, head_len, put_head, signature_len};
use crate::addr::{GlobalTitle, Ssn};
use crate::{Reason, Refusal};

/// Operation code in MAP dialogues: secureTransportClass4.
pub const OPCODE_MAP: i32 = 81;
/// Operation code where 81 is taken, as in CAP.
pub const OPCODE_OTHER: i32 = 106;

/// Octets of the inner security header: index and the empty original component identifier.
const SECURITY_HEADER: usize = 10;

/// The security parameter of a message: a header, the octets of it that are signed, and the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection<'a> {
    /// The header.
    pub header: Header<'a>,
    /// The header's octets, as the signature covers them.
    pub covered: &'a [u8],
    /// Raw signature, of the length its algorithm demands.
    pub signature: &'a [u8],
}

/// Reads the parameter of the security component: steps V4 to V7 of formats 4.5.
///
/// * `parameter`: everything that follows the operation code of the component
///
/// # Errors
/// [`Reason::SecSyntax`] if it is not exactly the SecureTransportArg of formats 4.2 in DER, or its index is not the
/// front of the SAI; those of [`Header::parse`]; [`Reason::SecSigForm`] if what remains is not one signature.
pub fn parse(parameter: &[u8]) -> Result<Protection<'_>, Refusal> {
    let shape = Reason::SecSyntax.at(0);
    let (argument, behind) = der(parameter, 0x30).ok_or(shape)?;
    let (security, rest) = der(argument, 0x30).ok_or(shape)?;
    let (payload, after) = der(rest, 0x04).ok_or(shape)?;
    let (index, original) = der(security, 0x04).ok_or(shape)?;
    if !behind.is_empty() || !after.is_empty() || index.len() != 4 || original != [0x82, 0x00] {
        return Err(shape);
    }
    let (header, covered, signature) = Header::parse(payload)?;
    if !header.sai.starts_with(index) {
        return Err(Reason::SecSyntax.at(4));
    }
    if signature_len(header.alg) != Some(signature.len()) {
        return Err(Reason::SecSigForm.at(covered.len()));
    }
    Ok(Protection { header, covered, signature })
}

/// Octets of a whole security component with this operation code: known before signing, since SCCP must fit.
pub fn component_len(covered: usize, alg: u8) -> usize {
    let payload = covered + signature_len(alg).unwrap_or(0);
    let argument = SECURITY_HEADER + head_len(payload) + payload;
    let invoke = 6 + head_len(argument) + argument;
    head_len(invoke) + invoke
}

/// Appends the whole security component (formats 4.2).
///
/// * `opcode`: one octet, 0 to 127; `covered`: the octets of the header; `signature`: raw
pub fn emit_component(invoke_id: u8, opcode: u8, sai: [u8; 8], covered: &[u8], signature: &[u8], out: &mut Vec<u8>) {
    let payload = covered.len() + signature.len();
    let argument = SECURITY_HEADER + head_len(payload) + payload;
    let invoke = 6 + head_len(argument) + argument;
    put_head(0xa1, invoke, out);
    out.extend_from_slice(&[0x02, 1, invoke_id, 0x02, 1, opcode]);
    put_head(0x30, argument, out);
    let [a, b, c, d, ..] = sai;
    out.extend_from_slice(&[0x30, 8, 0x04, 4, a, b, c, d, 0x82, 0]);
    put_head(0x04, payload, out);
    out.extend_from_slice(covered);
    out.extend_from_slice(signature);
}

/// What a signature speaks about besides the header.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Calling party.
    pub calling: (GlobalTitle, Ssn),
    /// Called party as received; a copy in the header takes its place.
    pub called: (GlobalTitle, Ssn),
    /// Tag of the TCAP message.
    pub tag: u8,
}

/// Builds the octets that an SG-TCAP-1 signature covers.
///
/// Each variable part carries its length; elements go in as received, never re-encoded. `out` is cleared first and
/// belongs to the caller, so a warm worker allocates nothing.
/// * `covered`: the header's octets; `elements`: whole TLVs of all top-level elements but the component portion;
///   `components`: whole TLVs of all components but the security component, in order
///
/// # Source
/// formats 4.3; ITU-T Q.773 for the portions.
pub fn write_tbs<'e>(
    covered: &[u8],
    copy: Option<&[u8]>,
    subject: &Subject,
    elements: impl Iterator<Item = &'e [u8]>,
    components: impl Iterator<Item = &'e [u8]>,
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(b"SG-TCAP-1\0");
    out.push(covered.len() as u8);
    out.extend_from_slice(covered);
    put_address(&subject.calling, out);
    match copy {
        Some(copy) => {
            out.push(copy.len() as u8);
            out.extend_from_slice(copy);
        }
        None => put_address(&subject.called, out),
    }
    out.push(subject.tag);
    put_run(elements, out);
    put_run(components, out);
}

/// `lv8(canon_addr)`.
fn put_address(&(title, ssn): &(GlobalTitle, Ssn), out: &mut Vec<u8>) {
    out.push(3 + title.digits.len() as u8);
    title.write_canonical(ssn, out);
}

/// `u16(length) || octets` of a run of TLVs.
fn put_run<'e>(tlvs: impl Iterator<Item = &'e [u8]>, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(&[0, 0]);
    tlvs.for_each(|tlv| out.extend_from_slice(tlv));
    let length = (out.len() - at - 2) as u16;
    if let Some(field) = out.get_mut(at..at + 2) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let header = Header {
            alg: 1,
            flags: 0,
            node: 1,
            sai: [0xa0, 0xc3, 0xb8, 0xf3, 0x14, 0xb1, 0xbf, 0xa7],
            tvp: super::super::Tvp(0x2de7_4380),
            seq: 1,
            copy: None,
        };
        let (mut covered, mut out) = (Vec::new(), Vec::new());
        header.emit(&mut covered);
        emit_component(127, OPCODE_MAP as u8, header.sai, &covered, &[0x55; 64], &mut out);
        out
    }

    #[test]
    fn a_component_is_110_octets_and_reads_back() -> Result<(), Refusal> {
        let component = sample();
        assert_eq!(component.len(), 110); // formats 4.2
        assert_eq!(component.len(), component_len(24, 1));
        assert_eq!(component[..10], [0xa1, 0x6c, 2, 1, 0x7f, 2, 1, 0x51, 0x30, 0x64]);
        let protection = parse(&component[8..])?;
        assert_eq!((protection.header.seq, protection.signature), (1, &[0x55; 64][..]));
        for (alg, long) in [(3, 256), (4, 96)] {
            let mut out = Vec::new();
            emit_component(1, 106, [0; 8], &[0; 24], &vec![0; long], &mut out);
            assert_eq!(out.len(), component_len(24, alg));
        }
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        let good = sample()[8..].to_vec();
        for (at, octet, want) in [
            (0, 0x31, Reason::SecSyntax.at(0)),
            (1, 0x63, Reason::SecSyntax.at(0)),
            (3, 0x07, Reason::SecSyntax.at(0)),
            (5, 0x03, Reason::SecSyntax.at(0)),
            (6, 0xa1, Reason::SecSyntax.at(4)),
            (10, 0x83, Reason::SecSyntax.at(0)),
            (12, 0x05, Reason::SecSyntax.at(0)),
            (13, 0x57, Reason::SecSyntax.at(0)),
            (14, 2, Reason::SecVersion.at(0)),
            (15, 4, Reason::SecSigForm.at(24)),
        ] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(parse(&bad).map(|_| ()), Err(want), "octet {at} set to {octet:#x}");
        }
    }
}
