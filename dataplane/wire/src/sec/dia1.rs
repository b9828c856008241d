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
        return Err(Reason::SecSigForm.at(avp.at));
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
    out.extend_from_slice(&part.id.code().to_be_bytes());
    out.extend_from_slice(&part.id.vendor().to_be_bytes());
    out.push(part.flags & FLAG_MANDATORY);
    out.extend_from_slice(&(part.data.len() as u32).to_be_bytes());
    out.extend_from_slice(part.data);
}
