//! Ethernet II with up to two VLAN tags (IEEE 802.3 §3, 802.1Q §9).

use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// Ether type of IPv4.
pub const IPV4: u16 = 0x0800;
/// Ether type of IPv6.
pub const IPV6: u16 = 0x86dd;
/// Ether type of a customer VLAN tag (IEEE 802.1Q).
pub const DOT1Q: u16 = 0x8100;
/// Ether type of a service VLAN tag (IEEE 802.1ad).
pub const DOT1AD: u16 = 0x88a8;
/// Octets of a frame without VLAN tags before its payload.
pub const HEADER_LEN: usize = 14;
/// The least octets of a frame without its check sequence; shorter ones are filled up with zeros.
pub const MIN_LEN: usize = 60;

const TAG_LEN: usize = 4;
const MAX_TAGS: u8 = 2;

/// A frame, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Octets before the network layer, VLAN tags included: 14, 18 or 22.
    pub header_len: usize,
    /// VLAN tags, at most two.
    pub vlans: u8,
    /// Type of the payload. MPLS, and lengths of IEEE 802.3, stay what they are: no type that anybody here knows.
    pub ethertype: u16,
    /// The rest, with the padding of a short frame: only the network layer knows where that begins.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads header and tags.
    /// # Errors
    /// [`Reason::L2Runt`] if the headers are cut (`at`: octets there are), [`Reason::Vlan`] on a third tag.
    #[inline]
    pub fn parse(frame: &'a [u8]) -> Result<Self, Refusal> {
        let runt = Reason::L2Runt.at(frame.len());
        let mut reader = Reader::new(frame);
        reader.skip(HEADER_LEN - 2).ok_or(runt)?;
        let mut ethertype = reader.be16().ok_or(runt)?;
        let mut vlans = 0;
        while matches!(ethertype, DOT1Q | DOT1AD) {
            if vlans == MAX_TAGS {
                return Err(Reason::Vlan.at(reader.at() - 2));
            }
            reader.skip(TAG_LEN - 2).ok_or(runt)?;
            ethertype = reader.be16().ok_or(runt)?;
            vlans += 1;
        }
        Ok(Self { header_len: reader.at(), vlans, ethertype, payload: reader.rest() })
    }
}

/// Appends an Ethernet header.
///
/// * `vlans`: tag control information (priority, then 12 bits of VLAN) of each tag, the outer one first. With two, the
///   outer one is a service tag.
pub fn emit_header(destination: [u8; 6], source: [u8; 6], vlans: &[u16], ethertype: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&destination);
    out.extend_from_slice(&source);
    for (i, control) in vlans.iter().enumerate() {
        let tag = if i + 1 < vlans.len() { DOT1AD } else { DOT1Q };
        out.extend_from_slice(&tag.to_be_bytes());
        out.extend_from_slice(&control.to_be_bytes());
    }
    out.extend_from_slice(&ethertype.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn frame(vlans: &[u16]) -> Vec<u8> {
        let mut out = Vec::new();
        emit_header([2; 6], [3; 6], vlans, IPV4, &mut out);
        out.extend_from_slice(b"payload");
        out
    }

    #[test]
    fn tags_move_the_payload_and_hide_nothing() {
        for (tags, header_len) in [(&[][..], 14), (&[100], 18), (&[7, 100], 22)] {
            let frame = frame(tags);
            let want = Frame { header_len, vlans: tags.len() as u8, ethertype: IPV4, payload: b"payload" };
            assert_eq!(Frame::parse(&frame), Ok(want));
        }
        assert_eq!(frame(&[7, 100])[12..14], DOT1AD.to_be_bytes());
    }

    #[test]
    fn a_third_tag_is_refused_where_it_stands() {
        assert_eq!(Frame::parse(&frame(&[1, 2, 3])), Err(Reason::Vlan.at(20)));
    }

    #[test]
    fn a_cut_inside_the_headers_is_a_runt() {
        for tags in [&[][..], &[100], &[7, 100]] {
            let frame = frame(tags);
            let header_len = frame.len() - b"payload".len();
            for n in 0..header_len {
                assert_eq!(Frame::parse(&frame[..n]), Err(Reason::L2Runt.at(n)), "{} tags", tags.len());
            }
            assert!(Frame::parse(&frame[..header_len]).is_ok_and(|frame| frame.payload.is_empty()));
        }
    }

    #[test]
    fn mpls_and_802_3_lengths_are_types_nobody_knows() {
        for ethertype in [0x8847, 0x002e] {
            let mut octets = frame(&[]);
            octets.splice(12..14, u16::to_be_bytes(ethertype));
            assert_eq!(Frame::parse(&octets).map(|frame| frame.ethertype), Ok(ethertype));
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..40)) { crate::fuzzing::lower::eth(&octets); }
    }
}
