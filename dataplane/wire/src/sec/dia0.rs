//! SG-DIA-0: the DESS form as the SigFW firewall signs it (formats 7).

use super::Sorter;
use super::dess::Part;
use super::tcap0::{put_base64, put_decimal};
use crate::Refusal;
use crate::diameter::{AvpId, FLAG_MANDATORY, FLAG_PROTECTED, View, emit_avp};

/// Builds the ASCII string that a DESS signature of SigFW covers: application, command, end-to-end identifier, and an
/// item for each AVP, sorted, with a colon between any two.
///
/// An item is the code in decimal, a bar, and the data in base64; vendors and flags are not in it. Route-Record is left
/// out. The item of DESS-Signature is its children in their order, written again without the signature.
/// `out` is cleared first and, like `sorter`, belongs to the caller: a warm worker allocates nothing.
/// * `children`: those of DESS-Signature, from [`super::dess::Group::parts`] or, to sign, [`super::dess::Signer::parts`]
///
/// # Errors
/// [`crate::Reason::DiaAvpLength`] if the AVPs cannot be walked.
/// # Source
/// formats 7. SigFW and its stack look at codes alone: a Route-Record or signature of any vendor is one, and a child
/// that names vendor 0 is written without a vendor.
pub fn write_tbs<'e>(
    view: &View<'_>,
    children: impl Iterator<Item = Part<'e>>,
    sorter: &mut Sorter,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut group = core::mem::take(&mut sorter.group);
    group.clear();
    for child in children.filter(|child| child.id.code() != AvpId::DESS_DIGITAL_SIGNATURE.code()) {
        emit_avp(child.id, child.flags & (FLAG_MANDATORY | FLAG_PROTECTED), child.data, &mut group);
    }
    sorter.clear();
    sorter.add(|run| put_item(AvpId::DESS_SIGNATURE, &group, run));
    sorter.group = group;
    for avp in view.avps() {
        let avp = avp?;
        if avp.id != AvpId::DESS_SIGNATURE && avp.id.code() != AvpId::ROUTE_RECORD.code() {
            sorter.add(|run| put_item(avp.id, avp.data, run));
        }
    }
    out.clear();
    let header = view.header();
    put_decimal(header.application, out);
    out.push(b':');
    put_decimal(header.command, out);
    out.push(b':');
    put_decimal(header.end_to_end, out);
    sorter.write(b":", out);
    Ok(())
}

/// Appends one item.
#[inline]
fn put_item(id: AvpId, data: &[u8], out: &mut Vec<u8>) {
    put_decimal(id.code(), out);
    out.push(b'|');
    put_base64(data, out);
}
