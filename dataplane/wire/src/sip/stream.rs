//! Where one message of a stream ends and the next begins (RFC 3261 §18.3).

use super::MAX_LEN;
use super::view::head;
use crate::{Reason, Refusal};

/// What a stream begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Octets between two messages that mean nothing: CR LF pairs (RFC 3261 §7.5), or a LF as [`super::fill`] leaves it.
    Idle(usize),
    /// A message of this many octets, of which some may not be here yet.
    Message(usize),
}

/// Finds the borders of messages in one direction of one stream; remembers how far it looked.
///
/// Without that, a sender of single octets would make each of them cost a walk over all before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Borders {
    searched: usize,
    known: Option<usize>,
}

impl Borders {
    /// One that asked for more when it had so many octets.
    pub const fn resume(looked: usize) -> Self {
        Self { searched: looked, known: None }
    }

    /// What `octets` begin with, which begin at a border; `None` if it takes more of them to tell.
    ///
    /// Once it said something and the octets it told of are all here, the next call is for what follows them.
    /// # Errors
    /// [`Reason::SipTooBig`] if the head does not end within [`MAX_LEN`], or the message would be longer; those of the
    /// head, see [`super::View::stream`]. A stream is lost then: nobody can tell where its next message begins.
    pub fn next(&mut self, octets: &[u8]) -> Result<Option<Piece>, Refusal> {
        if let Some(len) = self.known {
            return Ok(Some(self.tell(octets, len)));
        }
        if self.searched == 0 {
            let idle = idle_len(octets);
            if idle > 0 {
                return Ok(Some(Piece::Idle(idle)));
            }
            if octets == b"\r" {
                return Ok(None); // idle or malformed: its LF tells
            }
        }
        let window = octets.get(..MAX_LEN).unwrap_or(octets);
        let from = self.searched.saturating_sub(3);
        let found = window.get(from..).unwrap_or_default().windows(4).position(|four| four == b"\r\n\r\n");
        let Some(found) = found else {
            self.searched = window.len();
            return if octets.len() < MAX_LEN { Ok(None) } else { Err(Reason::SipTooBig.at(MAX_LEN)) };
        };
        let head = head(window.get(..from + found + 4).unwrap_or_default())?;
        let (len, at) = head.content_length.ok_or(Reason::SipHdrMissing.at(head.body_at))?;
        let len = head.body_at.checked_add(len).filter(|len| *len <= MAX_LEN).ok_or(Reason::SipTooBig.at(at))?;
        Ok(Some(self.tell(octets, len)))
    }

    fn tell(&mut self, octets: &[u8], len: usize) -> Piece {
        *self = if len <= octets.len() { Self::default() } else { Self { searched: 0, known: Some(len) } };
        Piece::Message(len)
    }
}

/// CR LF pairs and LF at the front. A CR waits for its LF.
fn idle_len(octets: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match octets.get(at..) {
            Some([b'\r', b'\n', ..]) => at += 2,
            Some([b'\n', ..]) => at += 1,
            _ => return at,
        }
    }
}

/// [`Borders::next`] for one who keeps nothing.
/// # Errors
/// Those of [`Borders::next`].
pub fn stream_len(octets: &[u8]) -> Result<Option<Piece>, Refusal> {
    Borders::default().next(octets)
}
