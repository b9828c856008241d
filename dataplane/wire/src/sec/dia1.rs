//! SG-DIA-1: the native Diameter profile, a security header inside of a DESS-Signature (formats 6).

use super::dess::{Claim, Group, Part};
use super::{Header, Sorter, signature_len};
use crate::diameter::{AvpId, FLAG_MANDATORY, Flags, View};
use crate::{Reason, Refusal};

/// The flags of a command that the signature covers: request, proxiable, error.
const COVERED_FLAGS: u8 = Flags::REQUEST.0 | Flags::PROXIABLE.0 | Flags::ERROR.0;

/// What agents on the way add or change: Route-Record, Proxy-Info, DRMP, OC-Supported-Features, OC-OLR, Load.
const fn is_hop_local(id: AvpId) -> bool {
    id.vendor() == 0 && matches!(id.code(), 282 | 284 | 301 | 621 | 623 | 650)
}

/// The security AVPs of a message: a header, the octets of it that are signed, and the claim of DESS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection<'a> {
    /// The header.
    pub header: Header<'a>,
    /// The header's octets, as the signature covers them.
    pub covered: &'a [u8],
    /// Signing identity, system time, type, and the raw signature, of the length that its algorithm demands.
    pub claim: Claim<'a>,
}

/// Reads a group in the native form: what formats 6 wants before it asks who signed.
///
/// # Errors
/// In this order: those of [`Group::claim`]; [`Reason::SecSyntax`] if there is no header of 24 octets;
/// [`Reason::SecVersion`]; [`Reason::SecFlags`] for any flag; [`Reason::SecAlgUnsupported`]; [`Reason::SecSigForm`].
pub fn parse<'a>(group: &Group<'a>) -> Result<Protection<'a>, Refusal> {
    let claim = group.claim()?;
    let avp = group.find(AvpId::SG_SECURITY_HEADER).ok_or(Reason::SecSyntax.at(0))?;
    let Ok::<&[u8; Header::LEN], _>(&[version, alg, flags, ..]) = avp.data.try_into() else {
        return Err(Reason::SecSyntax.at(avp.at));
    };
    let at = avp.data_at();
    if version != 1 {
        return Err(Reason::SecVersion.at(at));
    }
    // A flag that other profiles know comes after the algorithm, as the header's own steps are the same everywhere.
    if flags & !3 != 0 || flags != 0 && signature_len(alg).is_some() {
        return Err(Reason::SecFlags.at(at + 2));
    }
    let (header, covered, _) =
        Header::parse(avp.data).map_err(|refusal| refusal.reason.at(at + refusal.at as usize))?;
    if signature_len(alg) != Some(claim.signature.len()) {
        let signature = group.find(AvpId::DESS_DIGITAL_SIGNATURE).unwrap_or(avp);
        return Err(Reason::SecSigForm.at(signature.at));
    }
    Ok(Protection { header, covered, claim })
}

/// Builds the octets that an SG-DIA-1 signature covers.
///
/// AVPs are sorted, so an agent may reorder them; DESS-Signature itself is covered through its children. `out` is
/// cleared first and, like `sorter`, belongs to the caller: a warm worker allocates nothing.
/// * `covered`: the header's octets, 24
/// * `children`: those of DESS-Signature, from [`Group::parts`] or, to sign, [`super::dess::Signer::parts`]
///
/// # Errors
/// [`Reason::DiaAvpLength`] if the AVPs cannot be walked.
/// # Source
/// formats 6.
pub fn write_tbs<'e>(
    view: &View<'_>,
    covered: &[u8],
    children: impl Iterator<Item = Part<'e>>,
    sorter: &mut Sorter,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut group = core::mem::take(&mut sorter.group);
    group.clear();
    sorter.clear();
    for child in children.filter(|child| child.id != AvpId::DESS_DIGITAL_SIGNATURE) {
        sorter.add(|run| put_part(&child, run));
    }
    sorter.write(&[], &mut group);
    sorter.clear();
    sorter.add(|run| put_part(&Part { id: AvpId::DESS_SIGNATURE, flags: 0, data: &group }, run));
    sorter.group = group;
    for avp in view.avps() {
        let avp = avp?;
        if avp.id != AvpId::DESS_SIGNATURE && !is_hop_local(avp.id) {
            sorter.add(|run| put_part(&Part::from(&avp), run));
        }
    }
    out.clear();
    out.extend_from_slice(b"SG-DIA-1\0");
    out.push(covered.len() as u8);
    out.extend_from_slice(covered);
    let header = view.header();
    let flags = u32::from(header.flags.0 & COVERED_FLAGS) << 24;
    out.extend_from_slice(&(flags | header.command).to_be_bytes());
    out.extend_from_slice(&header.application.to_be_bytes());
    out.extend_from_slice(&header.end_to_end.to_be_bytes());
    sorter.write(&[], out);
    Ok(())
}

/// `enc(AVP)` of formats 6: code, vendor, the M flag, length of the data, data.
#[inline]
fn put_part(part: &Part<'_>, out: &mut Vec<u8>) {
    let [c0, c1, c2, c3] = part.id.code().to_be_bytes();
    let [v0, v1, v2, v3] = part.id.vendor().to_be_bytes();
    let [l0, l1, l2, l3] = (part.data.len() as u32).to_be_bytes();
    // One write for all of it: what grows a vector costs more than the octets.
    out.extend_from_slice(&[c0, c1, c2, c3, v0, v1, v2, v3, part.flags & FLAG_MANDATORY, l0, l1, l2, l3]);
    out.extend_from_slice(part.data);
}

#[cfg(test)]
mod tests {
    use super::super::dess::{Signer, SystemTime};
    use super::super::{FLAG_CALLED_COPY, Tvp};
    use super::*;
    use crate::diameter::{Avps, begin, emit_avp, finish};

    const HEADER: Header<'static> = Header {
        alg: 1,
        flags: 0,
        node: 1,
        sai: [0xa0, 0xc3, 0xb8, 0xf3, 0x14, 0xb1, 0xbf, 0xa7],
        tvp: Tvp(0x2de7_4380),
        seq: 1,
        copy: None,
    };

    /// A group with these octets for a header, at octet 20 of a message.
    fn sample(covered: &[u8], signature: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Signer::new(b"r.example", SystemTime(9), 1, Some(covered)).emit(signature, &mut out));
        out
    }

    fn checked(octets: &[u8]) -> Result<(u64, usize), Refusal> {
        let dess = Avps::new(octets, 20).next().expect("one").expect("sound");
        let group = Group::read(&dess)?;
        assert!(group.is_native());
        parse(&group).map(|found| (found.header.seq, found.claim.signature.len()))
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        let mut covered = Vec::new();
        HEADER.emit(&mut covered);
        assert_eq!(checked(&sample(&covered, &[0x55; 64])), Ok((1, 64)));
        let avp = 20 + 12 + 24 + 16 + 16; // behind identity, time and type
        let data = avp + 12;
        let signature = data + 24;
        for (at, octet, want) in [
            (0, 2, Reason::SecVersion.at(data)),
            (1, 9, Reason::SecAlgUnsupported.at(data + 1)),
            (1, 4, Reason::SecSigForm.at(signature)),
            (2, 4, Reason::SecFlags.at(data + 2)),
            (2, FLAG_CALLED_COPY, Reason::SecFlags.at(data + 2)),
        ] {
            let mut bad = covered.clone();
            bad[at] = octet;
            assert_eq!(checked(&sample(&bad, &[0x55; 64])), Err(want), "octet {at} set to {octet}");
        }
        assert_eq!(checked(&sample(&covered, &[0x55; 63])), Err(Reason::SecSigForm.at(signature)));
        assert_eq!(checked(&sample(&covered[..23], &[0x55; 64])), Err(Reason::SecSyntax.at(avp)));
        covered.push(0);
        assert_eq!(checked(&sample(&covered, &[0x55; 64])), Err(Reason::SecSyntax.at(avp)));
    }

    /// What a signature over these flags and AVPs covers.
    fn covers(flags: u8, avps: &[(AvpId, u8, &[u8])]) -> Vec<u8> {
        let header = crate::diameter::Header { flags: Flags(flags), command: 316, ..Default::default() };
        let (mut message, mut tbs) = (Vec::new(), Vec::new());
        let start = begin(&header, &mut message);
        avps.iter().for_each(|(id, flags, data)| assert!(emit_avp(*id, *flags, data, &mut message)));
        assert!(finish(start, &mut message));
        let signer = Signer::new(b"r.example", SystemTime(9), 1, Some(&[1; 24]));
        let view = View::new(&message).expect("ours");
        assert_eq!(write_tbs(&view, &[1; 24], signer.parts(), &mut Sorter::new(), &mut tbs), Ok(()));
        tbs
    }

    #[test]
    fn agents_may_do_what_agents_do_and_nothing_else() {
        let host: (AvpId, u8, &[u8]) = (AvpId::ORIGIN_HOST, 0x40, b"h.example");
        let name: (AvpId, u8, &[u8]) = (AvpId::USER_NAME, 0x40, b"001");
        let good = covers(0xc0, &[host, name]);
        assert_eq!(covers(0xd0, &[name, (host.0, 0x60, host.2)]), good, "order, T of the command, P of an AVP");
        for code in [282, 284, 301, 621, 623, 650] {
            assert_eq!(covers(0xc0, &[host, (AvpId::new(0, code), 0, b"x"), name]), good, "{code}");
            assert_ne!(covers(0xc0, &[host, (AvpId::new(9, code), 0, b"x"), name]), good, "vendor 9, {code}");
        }
        for (flags, avps) in [
            (0x80, [host, name]),
            (0xe0, [host, name]),
            (0xc0, [host, (name.0, 0, name.2)]),
            (0xc0, [host, (name.0, 0x40, b"002")]),
            (0xc0, [host, (AvpId::new(1, 1), 0x40, name.2)]),
            (0xc0, [host, host]),
        ] {
            assert_ne!(covers(flags, &avps), good, "{flags:x} {avps:?}");
        }
    }
}
