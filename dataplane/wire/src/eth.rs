//! Ethernet II with up to two VLAN tags and four MPLS labels (IEEE 802.3 §3, 802.1Q §9; RFC 3032).

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
/// Ether type of a packet behind MPLS labels (RFC 5332: labels that its receiver gave out).
pub const MPLS: u16 = 0x8847;
/// Octets of a frame without VLAN tags before its payload.
pub const HEADER_LEN: usize = 14;
/// The least octets of a frame without its check sequence; shorter ones are filled up with zeros.
pub const MIN_LEN: usize = 60;

const TAG_LEN: usize = 4;
const MAX_TAGS: u8 = 2;
const LABEL_LEN: usize = 4;
/// A tunnel, a service, and an entropy label with its indicator (RFC 6790).
const MAX_LABELS: u8 = 4;
/// The last label of the stack.
const BOTTOM: u32 = 0x100;
/// Labels that say what follows them (RFC 3032 §2.1).
const EXPLICIT_V4: u32 = 0;
const EXPLICIT_V6: u32 = 2;

/// A frame, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Octets before the network layer: 14, four for each VLAN tag, four for each label.
    pub header_len: usize,
    /// VLAN tags, at most two.
    pub vlans: u8,
    /// MPLS labels in front of an IP packet, at most four.
    pub labels: u8,
    /// Type of the payload. Labels in front of anything but IP, and lengths of IEEE 802.3, stay what they are: no type that
    /// anybody here knows.
    pub ethertype: u16,
    /// The rest, with the padding of a short frame: only the network layer knows where that begins.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads header and tags.
    /// # Errors
    /// [`Reason::L2Runt`] if the headers are cut (`at`: octets there are), [`Reason::Vlan`] on a third tag,
    /// [`Reason::L2Ethertype`] on a fifth label.
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
        let plain = Self { header_len: reader.at(), vlans, labels: 0, ethertype, payload: reader.rest() };
        if ethertype == MPLS { plain.behind_labels(frame.len()) } else { Ok(plain) }
    }

    /// The same frame with its labels read, if they lead to an IP packet: what else they lead to, no label says.
    fn behind_labels(self, frame_len: usize) -> Result<Self, Refusal> {
        let (mut rest, mut labels) = (self.payload, 0);
        loop {
            let at = frame_len - rest.len();
            if labels == MAX_LABELS {
                return Err(Reason::L2Ethertype.at(at));
            }
            let (&label, behind) = rest.split_first_chunk::<LABEL_LEN>().ok_or(Reason::L2Runt.at(frame_len))?;
            let label = u32::from_be_bytes(label);
            (rest, labels) = (behind, labels + 1);
            if label & BOTTOM == 0 {
                continue;
            }
            let ethertype = match (label >> 12, rest.first().map(|octet| octet >> 4)) {
                (EXPLICIT_V6, Some(4)) | (EXPLICIT_V4, Some(6)) => return Ok(self),
                (_, Some(4)) => IPV4,
                (_, Some(6)) => IPV6,
                _ => return Ok(self),
            };
            return Ok(Self { header_len: at + LABEL_LEN, labels, ethertype, payload: rest, ..self });
        }
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
            let want = Frame { header_len, vlans: tags.len() as u8, labels: 0, ethertype: IPV4, payload: b"payload" };
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

    /// A frame with these labels, the last of them the bottom of the stack.
    fn labelled(vlans: &[u16], labels: &[u32], payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        emit_header([2; 6], [3; 6], vlans, MPLS, &mut out);
        for (i, label) in labels.iter().enumerate() {
            let bottom = if i + 1 == labels.len() { BOTTOM } else { 0 };
            out.extend_from_slice(&(label << 12 | bottom | 64).to_be_bytes());
        }
        out.extend_from_slice(payload);
        out
    }

    #[test]
    fn labels_lead_to_ip_packets_or_stay_what_they_are() {
        for (labels, payload, want) in [
            (&[16][..], [0x45, 0], IPV4),
            (&[16, 17, 7, 18], [0x60, 0], IPV6),
            (&[0], [0x45, 0], IPV4),
            (&[2], [0x60, 0], IPV6),
        ] {
            for vlans in [&[][..], &[7], &[7, 100]] {
                let octets = labelled(vlans, labels, &payload);
                let header_len = 14 + 4 * (vlans.len() + labels.len());
                let (vlans, labels) = (vlans.len() as u8, labels.len() as u8);
                let want = Frame { header_len, vlans, labels, ethertype: want, payload: &payload };
                assert_eq!(Frame::parse(&octets), Ok(want));
                for n in 14 + 4 * usize::from(vlans)..header_len {
                    assert_eq!(Frame::parse(&octets[..n]), Err(Reason::L2Runt.at(n)));
                }
            }
        }
        // A pseudowire, nothing at all, and labels that say something else than the packet.
        for (label, payload) in [(16, &[0, 0][..]), (16, &[]), (0, &[0x60]), (2, &[0x45])] {
            let octets = labelled(&[], &[label], payload);
            let frame = Frame::parse(&octets).expect("a frame");
            assert_eq!((frame.ethertype, frame.labels, frame.header_len), (MPLS, 0, 14), "{label} {payload:?}");
        }
        assert_eq!(Frame::parse(&labelled(&[7], &[1, 2, 3, 4, 5], &[0x45])), Err(Reason::L2Ethertype.at(34)));
        // The stack goes on where its bottom is not marked.
        let mut octets = labelled(&[], &[16, 17], &[0x45]);
        octets[20] &= !1;
        assert_eq!(Frame::parse(&octets), Err(Reason::L2Runt.at(octets.len())));
    }

    #[test]
    fn mpls_of_many_and_802_3_lengths_are_types_nobody_knows() {
        for ethertype in [0x8848, 0x002e] {
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
