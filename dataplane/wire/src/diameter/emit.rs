//! Writing AVPs and messages, and a message again without some AVPs and with others.

use super::message::is_entered;
use super::{Avp, AvpId, Avps, FLAG_VENDOR, HEADER_LEN, Header, MAX_DEPTH, MAX_LEN, View};
use crate::cursor::{pad, padded};

/// Appends one AVP with its padding; the vendor and its flag follow from `id`.
///
/// `false`, and nothing appended, if the data is too long for the three octets of a length.
/// * `flags`: [`super::FLAG_MANDATORY`], [`super::FLAG_PROTECTED`], or 0
#[inline]
pub fn emit_avp(id: AvpId, flags: u8, data: &[u8], out: &mut Vec<u8>) -> bool {
    let vendor = id.vendor();
    let len = data.len() + if vendor == 0 { 8 } else { 12 };
    if len > MAX_LEN {
        return false;
    }
    let flags = if vendor == 0 { flags & !FLAG_VENDOR } else { flags | FLAG_VENDOR };
    out.extend_from_slice(&id.code().to_be_bytes());
    out.extend_from_slice(&((len as u32) | u32::from(flags) << 24).to_be_bytes());
    if vendor != 0 {
        out.extend_from_slice(&vendor.to_be_bytes());
    }
    out.extend_from_slice(data);
    pad(len, out);
    true
}

/// Appends a header without its length; gives the place of its first octet to [`finish`].
pub fn begin(header: &Header, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[1, 0, 0, 0]);
    out.extend_from_slice(&(header.command & 0xff_ffff | u32::from(header.flags.0) << 24).to_be_bytes());
    out.extend_from_slice(&header.application.to_be_bytes());
    out.extend_from_slice(&header.hop_by_hop.to_be_bytes());
    out.extend_from_slice(&header.end_to_end.to_be_bytes());
    start
}

/// Writes the length of the message that begins at `start` and ends with `out`.
///
/// `false`, and the message taken away again, if it is longer than [`MAX_LEN`].
pub fn finish(start: usize, out: &mut Vec<u8>) -> bool {
    let len = out.len().saturating_sub(start);
    match out.get_mut(start..).and_then(|message| message.first_chunk_mut::<HEADER_LEN>()) {
        Some(hdr) if len <= MAX_LEN => {
            [_, hdr[1], hdr[2], hdr[3]] = (len as u32).to_be_bytes();
            true
        }
        _ => {
            out.truncate(start);
            false
        }
    }
}

/// Appends a message without the AVPs that `strips` names and with `added` at its end; the length is made again.
///
/// Every other AVP stays as it came and in its order. `false`, and nothing appended, if the AVPs cannot be walked or
/// the message would be longer than [`MAX_LEN`].
/// * `strips`: asked for each AVP that is in no group
/// * `added`: whole AVPs, or nothing
pub fn rebuild(view: &View<'_>, mut strips: impl FnMut(&Avp<'_>) -> bool, added: &[u8], out: &mut Vec<u8>) -> bool {
    let start = begin(&view.header(), out);
    let mut kept = view.avps; // what goes out from the front, once it is known to end
    let mut seen = 0; // octets of it that were looked at and stay
    for avp in view.avps() {
        let Ok(avp) = avp else {
            out.truncate(start);
            return false;
        };
        if strips(&avp) {
            let (before, after) = kept.split_at_checked(seen).unwrap_or((kept, &[]));
            out.extend_from_slice(before);
            kept = after.get(avp.raw.len()..).unwrap_or_default();
            seen = 0;
        } else {
            seen += avp.raw.len();
        }
    }
    out.extend_from_slice(kept);
    out.extend_from_slice(added);
    finish(start, out)
}

/// Makes the padding zero, in groups that are known too: no octet goes on that nobody looked at (formats 11.3).
///
/// * `message`: one whole message that [`super::Message::parse`] reads
pub fn clear_padding(message: &mut [u8]) {
    if let Some(avps) = message.get_mut(HEADER_LEN..) {
        clear(avps, 0);
    }
}

fn clear(avps: &mut [u8], depth: usize) {
    let mut rest = avps;
    loop {
        let Some(Ok(avp)) = Avps::new(rest, 0).next() else { return };
        let (id, header, len) = (avp.id, avp.data_at(), avp.data_at() + avp.data.len());
        let Some((whole, behind)) = rest.split_at_mut_checked(padded(len)) else { return };
        let (used, padding) = whole.split_at_mut(len);
        padding.fill(0);
        if depth < MAX_DEPTH && is_entered(id) {
            clear(used.get_mut(header..).unwrap_or_default(), depth + 1);
        }
        rest = behind;
    }
}
