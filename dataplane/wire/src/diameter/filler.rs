//! What takes the place of a refused message: an answer that nobody waits for (formats 3).

use super::{AvpId, FLAG_MANDATORY, HEADER_LEN, Header, MAX_LEN, begin, emit_avp, finish};
use crate::cursor::padded;

/// A Device-Watchdog-Answer to no request. Its receiver finds no request of that identifier and throws it away.
#[rustfmt::skip]
pub const WATCHDOG_ANSWER: [u8; 68] = [
    1, 0, 0, 68, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 1, 12, 0x40, 0, 0, 12, 0, 0, 7, 209, // Result-Code 2001
    0, 0, 1, 8, 0x40, 0, 0, 18, b's', b'g', b'.', b'i', b'n', b'v', b'a', b'l', b'i', b'd', 0, 0,
    0, 0, 1, 40, 0x40, 0, 0, 15, b'i', b'n', b'v', b'a', b'l', b'i', b'd', 0,
];

/// An AVP of the answer.
type Said = (AvpId, &'static [u8]);

const RESULT: Said = (AvpId::RESULT_CODE, &2001_u32.to_be_bytes());
const HOST: Said = (AvpId::ORIGIN_HOST, b"sg.invalid");
/// Four octets longer, for the one length that [`HOST`] and padding cannot make.
const LONGER_HOST: Said = (AvpId::ORIGIN_HOST, b"sg.sg.invalid");
const REALM: Said = (AvpId::ORIGIN_REALM, b"invalid");

/// What an answer says, from the most to the least; the octets it takes.
const FORMS: [(usize, &[Said]); 6] = [
    (68, &[RESULT, HOST, REALM]),
    (72, &[RESULT, LONGER_HOST, REALM]),
    (52, &[RESULT, HOST]),
    (48, &[RESULT, REALM]),
    (32, &[RESULT]),
    (20, &[]),
];

/// Octets of the filler for a message of `total_len` octets: the same number, where such a message can exist.
///
/// A message has a multiple of four, and an AVP at least eight octets: 20 and all from 28 on exist. Other lengths,
/// which only malformed messages have, grow to the next one that exists, never shrink.
#[inline]
pub const fn watchdog_answer_len(total_len: usize) -> usize {
    match padded(total_len) {
        0..=HEADER_LEN => HEADER_LEN,
        24 => 28,
        len => len,
    }
}

/// Appends the filler for a refused message of `total_len` octets, [`watchdog_answer_len`] octets long.
///
/// From 68 octets on it is [`WATCHDOG_ANSWER`], filled up with a Proxy-State of zeros without the M flag; below it says
/// less. `false`, and nothing appended, if that is longer than any message.
pub fn emit_watchdog_answer(total_len: usize, out: &mut Vec<u8>) -> bool {
    let len = watchdog_answer_len(total_len);
    if len > MAX_LEN {
        return false;
    }
    let start = begin(&Header { command: 280, ..Header::default() }, out);
    let form = FORMS.iter().find(|(octets, _)| len == *octets || len >= octets + 8);
    for (id, data) in form.map_or(&[][..], |(_, avps)| avps) {
        emit_avp(*id, FLAG_MANDATORY, data, out);
    }
    if let Some(zeros) = (start + len).checked_sub(out.len() + 8) {
        // An AVP whose data is written in place: no octets of that number need to lie around.
        emit_avp(AvpId::PROXY_STATE, 0, &[], out);
        let field = out.len() - 3;
        out.resize(out.len() + zeros, 0);
        if let Some(field) = out.get_mut(field..).and_then(|field| field.first_chunk_mut()) {
            let [_, a, b, c] = (8 + zeros as u32).to_be_bytes();
            *field = [a, b, c];
        }
    }
    finish(start, out)
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Message};
    use super::*;
    use crate::Refusal;

    #[test]
    fn a_filler_is_as_long_as_what_it_replaces() -> Result<(), Refusal> {
        let mut least = Vec::new();
        assert!(emit_watchdog_answer(WATCHDOG_ANSWER.len(), &mut least));
        assert_eq!(least, WATCHDOG_ANSWER);
        for len in 0..400 {
            let mut out = vec![0xee];
            assert!(emit_watchdog_answer(len, &mut out));
            let filler = &out[1..];
            let same = len >= 20 && len != 24 && len.is_multiple_of(4);
            assert!(filler.len() >= len && filler.len() < len.max(17) + 8 && (!same || filler.len() == len), "{len}");
            let answer = Message::parse(filler)?;
            assert_eq!((answer.header.command, answer.header.flags, answer.header.application), (280, Flags(0), 0));
            assert_eq!((answer.header.hop_by_hop, answer.header.end_to_end), (0, 0));
            assert_eq!(
                answer.origin_realm.is_some(),
                filler.len() == 48 || filler.len() == 56 || filler.len() >= 68,
                "{len}"
            );
        }
        let mut out = Vec::new();
        assert!(emit_watchdog_answer(MAX_LEN, &mut out) && out.len() == MAX_LEN);
        assert!(!emit_watchdog_answer(MAX_LEN + 1, &mut out) && out.len() == MAX_LEN);
        Ok(())
    }
}
