//! A look at the front of a message that is not whole: its first segment, on its way out.

use super::{MessageKind, OTID, Tid};

/// The originating transaction id of a BEGIN or CONTINUE whose end may be missing.
///
/// Only for messages that are not judged: nothing behind the id is looked at.
pub fn originating_id(octets: &[u8]) -> Option<Tid> {
    let (&tag, rest) = octets.split_first()?;
    if !matches!(MessageKind::from_tag(tag)?, MessageKind::Begin | MessageKind::Continue) {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    let skipped = if length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    let rest = rest.get(skipped..)?;
    match rest.split_first_chunk()? {
        (&[OTID, length], id) => Tid::new(id.get(..usize::from(length))?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_a_cut_message_of_any_length_form() {
        for octets in [
            &b"\x62\x50\x48\x04\x11\x22\x33\x44\x6b"[..],
            b"\x62\x81\xc0\x48\x04\x11\x22\x33\x44",
            b"\x65\x80\x48\x04\x11\x22\x33\x44",
        ] {
            assert_eq!(originating_id(octets), Tid::new(&[0x11, 0x22, 0x33, 0x44]), "{octets:02x?}");
        }
        for octets in [
            &b""[..],
            b"\x64\x06\x49\x04\x11\x22\x33\x44",
            b"\x62\x50\x48\x05\x11\x22\x33\x44\x55",
            b"\x62\x50\x48\x04\x11",
        ] {
            assert_eq!(originating_id(octets), None, "{octets:02x?}");
        }
    }
}
