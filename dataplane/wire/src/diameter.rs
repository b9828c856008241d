//! Diameter (RFC 6733): a view of any message, the values that screening needs, and what takes a message's place.
//!
//! [`Message::parse`] is the strict decoding of formats 11.3 in one walk. [`View`] reads header and AVPs and judges
//! nothing above them. What an AVP is called and holds, [`dictionary`] knows.

mod avp;
pub mod dictionary;
mod emit;
mod filler;
mod identities;
mod message;
mod show;

pub use avp::{Avp, AvpId, Avps, FLAG_MANDATORY, FLAG_PROTECTED, FLAG_VENDOR, MAX_DEPTH};
pub use emit::{begin, clear_padding, emit_avp, finish, rebuild};
pub use filler::{WATCHDOG_ANSWER, emit_watchdog_answer, watchdog_answer_len};
pub use identities::{Identities, Party, identities, names_visited_network, plmn, plmn_octets, visit};
pub use message::{MAX_AVPS, Message};
pub use show::{Shown, tree};

use crate::{Reason, Refusal};

/// SCTP payload protocol identifier of Diameter in the clear (RFC 6733 §11.4).
pub const PPID: u32 = 46;
/// Whether Diameter in the clear may come under this identifier. Its own is younger than the protocol, so that ends take the
/// unspecified one too, and many send nothing else (RFC 6733 §2.1.1).
pub const fn is_ppid(identifier: u32) -> bool {
    const UNSPECIFIED: u32 = 0;
    matches!(identifier, PPID | UNSPECIFIED)
}

/// That of Diameter over DTLS, which nobody between the ends can read.
pub const PPID_DTLS: u32 = 47;
/// Octets of the header.
pub const HEADER_LEN: usize = 20;
/// The longest message: its length has three octets and is a multiple of four (RFC 6733 §3).
pub const MAX_LEN: usize = 0xff_fffc;

/// The flags of a command (RFC 6733 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// A request; without it an answer.
    pub const REQUEST: Flags = Flags(0x80);
    /// May be proxied, relayed or redirected.
    pub const PROXIABLE: Flags = Flags(0x40);
    /// The answer reports a protocol error.
    pub const ERROR: Flags = Flags(0x20);
    /// May have been sent before.
    pub const RETRANSMITTED: Flags = Flags(0x10);

    /// True if all flags of `other` are set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The values of a header; its version is 1 and its length follows from what is behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Command flags.
    pub flags: Flags,
    /// Command code, 24 bits.
    pub command: u32,
    /// Application identifier; 0 is the base protocol.
    pub application: u32,
    /// Identifier that an agent chooses anew; names the request to the next hop.
    pub hop_by_hop: u32,
    /// Identifier that stays from end to end.
    pub end_to_end: u32,
}

impl Header {
    /// True for a request.
    #[inline]
    pub const fn is_request(&self) -> bool {
        self.flags.has(Flags::REQUEST)
    }

    /// True for what two neighbours tell each other and nobody forwards: Capabilities-Exchange, Device-Watchdog and
    /// Disconnect-Peer of the base protocol (RFC 6733 §5.3 to §5.5).
    #[inline]
    pub const fn is_hop_local(&self) -> bool {
        self.application == 0 && matches!(self.command, 257 | 280 | 282)
    }
}

/// One Diameter message, read in place (RFC 6733 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<'a> {
    hdr: &'a [u8; HEADER_LEN],
    avps: &'a [u8],
}

impl<'a> View<'a> {
    /// Checks version and length once; after that no accessor can fail or panic.
    ///
    /// * `octets`: one whole message, as its carrier delimits it
    /// # Errors
    /// [`Reason::DiaLength`] if the header is cut or its length is not that of `octets`, [`Reason::DiaVersion`].
    #[inline]
    pub fn new(octets: &'a [u8]) -> Result<Self, Refusal> {
        let (hdr, avps) = octets.split_first_chunk::<HEADER_LEN>().ok_or(Reason::DiaLength.at(octets.len()))?;
        let &[version, l0, l1, l2, ..] = hdr;
        if version != 1 {
            return Err(Reason::DiaVersion.at(0));
        }
        if be24(l0, l1, l2) as usize != octets.len() {
            return Err(Reason::DiaLength.at(1)); // too short and too long alike
        }
        Ok(Self { hdr, avps })
    }

    /// The values of the header.
    #[inline]
    pub fn header(&self) -> Header {
        let &[_, _, _, _, flags, c0, c1, c2, a0, a1, a2, a3, h0, h1, h2, h3, e0, e1, e2, e3] = self.hdr;
        Header {
            flags: Flags(flags),
            command: be24(c0, c1, c2),
            application: u32::from_be_bytes([a0, a1, a2, a3]),
            hop_by_hop: u32::from_be_bytes([h0, h1, h2, h3]),
            end_to_end: u32::from_be_bytes([e0, e1, e2, e3]),
        }
    }

    /// Walks the AVPs in message order; `at` counts from the first octet of the message.
    #[inline]
    pub fn avps(&self) -> Avps<'a> {
        Avps::new(self.avps, HEADER_LEN)
    }

    /// Octets of the whole message.
    #[inline]
    pub const fn total_len(&self) -> usize {
        HEADER_LEN + self.avps.len()
    }
}

/// Octets of the message that begins at the front of a byte stream; `None` as long as fewer than four are here.
///
/// # Errors
/// [`Reason::DiaVersion`]; [`Reason::DiaLength`] for a length that no message has: below the header, or no multiple
/// of four (RFC 6733 §3). After either nobody can tell where the next message begins.
#[inline]
pub fn stream_len(octets: &[u8]) -> Result<Option<usize>, Refusal> {
    let Some(&version) = octets.first() else { return Ok(None) };
    if version != 1 {
        return Err(Reason::DiaVersion.at(0));
    }
    let Some(&[_, l0, l1, l2]) = octets.first_chunk() else { return Ok(None) };
    let len = be24(l0, l1, l2) as usize;
    if len < HEADER_LEN || !len.is_multiple_of(4) {
        return Err(Reason::DiaLength.at(1));
    }
    Ok(Some(len))
}

/// True if `name` is `realm` or lies under it, by whole labels and whatever the case (RFC 6733 §4.3.1: an FQDN).
pub fn is_within(name: &[u8], realm: &[u8]) -> bool {
    let Some((host, end)) = name.len().checked_sub(realm.len()).and_then(|at| name.split_at_checked(at)) else {
        return false;
    };
    !realm.is_empty() && end.eq_ignore_ascii_case(realm) && host.last().is_none_or(|&octet| octet == b'.')
}

/// Three octets, big-endian.
#[inline]
const fn be24(a: u8, b: u8, c: u8) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

#[cfg(test)]
mod tests;
