//! What a stream carries: where a message ends, and what takes a refused one's place octet for octet.

use std::sync::LazyLock;

use sealgate_wire::diameter::{self, WATCHDOG_ANSWER};
use sealgate_wire::sip::{self, Piece};

/// Where the message at the front of some octets ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Border {
    /// More octets are needed to tell.
    NeedMore,
    /// After so many octets; not all of them need to be here.
    Whole(usize),
    /// No message begins like that: nobody can tell where the next one does.
    Malformed,
}

/// A protocol over TCP. Both functions are pure: the same octets give the same answer.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// The border of the message at the front: `(octets, looked)`. It gets all octets in order that are here, and more
    /// later if it asks; `looked`: how many there were when it asked for more the last time, 0 if it did not.
    pub border: fn(&[u8], usize) -> Border,
    /// Writes octets `at..at + out.len()` of the filler for a message of `total` octets: `(total, at, out)`.
    pub fill: fn(usize, usize, &mut [u8]),
}

/// Diameter (RFC 6733): the length stands in the header, the filler is a Device-Watchdog-Answer to no request.
pub const DIAMETER: Protocol = Protocol { border: diameter_border, fill: diameter_fill };

/// SIP (RFC 3261 §18.3): the header Content-Length tells, and what stands between two messages is a piece of its own.
pub const SIP: Protocol = Protocol { border: sip_border, fill: sip::fill };

fn sip_border(octets: &[u8], looked: usize) -> Border {
    // A lone CR may be the begin of an idle pair: whoever has looked no further begins anew.
    let mut borders = if looked > 1 { sip::Borders::resume(looked) } else { sip::Borders::default() };
    match borders.next(octets) {
        Ok(Some(Piece::Idle(len) | Piece::Message(len))) => Border::Whole(len),
        Ok(None) => Border::NeedMore,
        Err(_) => Border::Malformed,
    }
}

fn diameter_border(octets: &[u8], _: usize) -> Border {
    match diameter::stream_len(octets) {
        Ok(Some(len)) => Border::Whole(len),
        Ok(None) => Border::NeedMore,
        Err(_) => Border::Malformed,
    }
}

/// From this length on a filler is [`WATCHDOG_ANSWER`] and an AVP of zeros.
const LONG: usize = WATCHDOG_ANSWER.len() + 8;
/// Code of Proxy-State.
const PROXY_STATE: u8 = 33;

/// The fillers of short messages, by their number of words.
static SHORT: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let make = |words: usize| {
        let mut filler = Vec::new();
        // 24 octets are no message that holds an AVP: of those the header alone is filler.
        if diameter::watchdog_answer_len(4 * words) == 4 * words {
            diameter::emit_watchdog_answer(4 * words, &mut filler);
        } else {
            diameter::emit_watchdog_answer(0, &mut filler);
            filler.resize(4 * words, 0);
            if let Some(len) = filler.get_mut(3) {
                *len = 4 * words as u8;
            }
        }
        filler
    };
    (0..LONG / 4).map(make).collect()
});

fn diameter_fill(total: usize, at: usize, out: &mut [u8]) {
    out.fill(0);
    let mut head = [0; LONG];
    let head = if total < LONG {
        SHORT.get(total / 4).map_or(&[][..], Vec::as_slice)
    } else {
        let (answer, proxy_state) = head.split_at_mut(WATCHDOG_ANSWER.len());
        answer.copy_from_slice(&WATCHDOG_ANSWER);
        let [_, a, b, c] = (total as u32).to_be_bytes();
        let [_, d, e, f] = ((total - WATCHDOG_ANSWER.len()) as u32).to_be_bytes();
        answer.iter_mut().skip(1).zip([a, b, c]).for_each(|(to, from)| *to = from);
        proxy_state.copy_from_slice(&[0, 0, 0, PROXY_STATE, 0, d, e, f]);
        &head
    };
    for (to, from) in out.iter_mut().zip(head.iter().skip(at)) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_those_of_the_codec_in_any_pieces() {
        for total in (20..400).step_by(4).filter(|&total| total != 24) {
            let (mut want, mut filler) = (Vec::new(), vec![0xee; total]);
            assert!(diameter::emit_watchdog_answer(total, &mut want));
            for cut in [0, 1, 19, total / 2, total] {
                let (front, back) = filler.split_at_mut(cut.min(total));
                diameter_fill(total, 0, front);
                diameter_fill(total, front.len(), back);
                assert_eq!(filler, want, "{total} cut at {cut}");
            }
        }
        let mut odd = [0; 24];
        diameter_fill(24, 0, &mut odd);
        assert_eq!(diameter_border(&odd, 0), Border::Whole(24));
    }

    #[test]
    fn a_message_of_sip_is_found_in_any_pieces() {
        let message = b"OPTIONS sip:a@b SIP/2.0\r\nl: 3\r\n\r\nabc";
        let (mut looked, head) = (0, message.len() - 3);
        for here in 1..head {
            assert_eq!(sip_border(&message[..here], looked), Border::NeedMore, "{here}");
            looked = here;
        }
        assert_eq!(sip_border(&message[..head], looked), Border::Whole(message.len()));
        assert_eq!(sip_border(message, 0), Border::Whole(message.len()));
        assert_eq!(sip_border(b"\r", 0), Border::NeedMore);
        assert_eq!(sip_border(b"\r\n", 1), Border::Whole(2));
        assert_eq!(sip_border(b"\rA", 1), Border::NeedMore);
        assert_eq!(sip_border(b"\0A\r\n\r\n", 0), Border::Malformed);
    }
}
