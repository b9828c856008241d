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

#[cfg(test)]
mod tests {
    use super::super::dess::{Signer, SystemTime};
    use super::*;
    use crate::diameter::{Header, begin, finish};

    #[test]
    fn items_are_sorted_text_and_know_no_vendor() {
        let mut message = Vec::new();
        let header = Header { command: 316, application: 16_777_251, end_to_end: 7, ..Header::default() };
        let start = begin(&header, &mut message);
        for (vendor, code, data) in [(0, 264, &b"h"[..]), (10415, 26, b"f"), (0, 1, b""), (9, 282, b"left out")] {
            assert!(emit_avp(AvpId::new(vendor, code), FLAG_MANDATORY, data, &mut message));
        }
        assert!(finish(start, &mut message));
        let signer = Signer::new(b"r", SystemTime(0), 3, None);
        let (mut inside, mut tbs) = (Vec::new(), Vec::new());
        for part in signer.parts() {
            assert!(emit_avp(part.id, 0, part.data, &mut inside));
        }
        let view = View::new(&message).expect("ours");
        assert_eq!(write_tbs(&view, signer.parts(), &mut Sorter::new(), &mut tbs), Ok(()));
        let mut want = b"16777251:316:7:1000|".to_vec();
        put_base64(&inside, &mut want);
        want.extend_from_slice(b":1|:264|aA==:26|Zg=="); // a digit sorts before the bar
        assert_eq!(String::from_utf8_lossy(&tbs), String::from_utf8_lossy(&want));
    }
}
