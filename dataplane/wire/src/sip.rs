//! SIP (RFC 3261) as far as STIR needs it: a view of any message, the values that verdicts ask for, and what is written.
//!
//! [`Message::of`] is the strict decoding of formats 11.4. [`View`] reads start line, headers and border of the body and
//! judges nothing above them. Nothing is copied: a folded value is read with its folds.
//!
//! What two decoders could read differently, and what becomes of it here:
//! * a line that ends in a lone CR or LF, NUL and other control characters, also behind a backslash: refused. RFC 3261
//!   §25.1 lets a quoted pair hold them, but a reader in C stops at a NUL;
//! * white space before the colon and folded lines (RFC 3261 §7.3.1): accepted, [`View::is_canonical`] is false, and
//!   [`rebuild`] writes them the plain way. A fold of white space alone is refused: who trims first sees the end of the
//!   headers;
//! * a header line without a colon or with another name than a token, a first header line that is a fold: refused;
//! * a second Content-Length, equal or not: refused, as is one with a sign or a comma;
//! * octets of a datagram behind Content-Length: not part of the message (RFC 3261 §18.3), [`View::trailing`] counts them
//!   and [`rebuild`] leaves them out. A body that is cut short is refused;
//! * a method that is a known one but for its case: refused, since methods are compared by case (RFC 3261 §7.1) and not
//!   by everybody;
//! * more than one space in the start line, headers in a Request-URI, a second `@` in a URI: refused.

mod address;
mod answer;
mod date;
mod header;
pub(crate) mod lex;
mod message;
mod number;
mod rewrite;
mod stream;
mod uri;
mod view;

pub use address::{Address, Param, Params};
pub use answer::{emit_reason, emit_rejection, phrase};
pub use date::{emit_date, unix_seconds};
pub use header::{Header, Headers, Name, Values};
pub use message::{CSeq, Identities, Message};
pub use number::Tn;
pub use rewrite::{Verstat, fill, has_verstat, mark, rebuild};
pub use stream::{Borders, Piece, stream_len};
pub use uri::{Scheme, Uri};
pub use view::{Method, Start, View};

/// The longest message: 64 KiB (formats 11.4).
pub const MAX_LEN: usize = 0x1_0000;
/// The port of SIP over UDP, TCP and SCTP (RFC 3261 §19.1.2).
pub const PORT: u16 = 5060;

/// True for what neighbours send to keep a path open and no message: nothing, or one or two CR LF (RFC 5626 §3.5.1, §4.4.1).
pub fn is_keepalive(datagram: &[u8]) -> bool {
    matches!(datagram, b"" | b"\r\n" | b"\r\n\r\n")
}

/// True for what may stand between two messages of a stream: CR LF pairs (RFC 3261 §7.5), and a LF as [`fill`] leaves it.
pub fn is_idle(octets: &[u8]) -> bool {
    octets.iter().all(|octet| matches!(octet, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests;
