//! GTP-C (TS 29.060, TS 29.274): the control messages of both versions, read for screening and never written.
//!
//! [`View`] reads one header and its information elements in place. [`Message::parse`] is the strict decoding of one message,
//! [`Datagram::parse`] that of a whole datagram, in which version 2 may carry a second message behind the first
//! (TS 29.274 §5.5.1). GTP' and the user plane have the same first octets and are no control messages: [`user_plane`] looks at
//! the latter.

mod ie;
mod message;
mod names;
mod roles;
pub mod user_plane;

pub use ie::{Ie, Ies, MAX_IES};
pub use message::{Apn, Datagram, FTeid, Message, Rai};
pub use names::{ie_name, message_name};
pub use roles::{Role, role};

use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// UDP port of GTP-C (TS 29.060 §10.1.1, TS 29.274 §4.2).
pub const PORT: u16 = 2123;
/// UDP port of the user plane (TS 29.281 §4.4).
pub const PORT_USER: u16 = 2152;
/// UDP port of GTP' (TS 32.295 §5.1).
pub const PORT_PRIME: u16 = 3386;

/// Octets of a version 1 header before what its flags add, and of what they add.
const V1_FIXED: usize = 8;
const V1_OPTIONAL: usize = 4;
/// Octets of a version 2 header that its length does not count.
const V2_UNCOUNTED: usize = 4;
/// Extension headers of one message. The control plane has four types (TS 29.060 §6).
const MAX_EXTENSIONS: usize = 4;

/// Which of the two control protocols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// GTPv1-C (TS 29.060).
    V1,
    /// GTPv2-C (TS 29.274).
    V2,
}

/// Type of a message; one number means another thing in each version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u8);

impl Kind {
    /// Whether the other side is there, in both versions.
    pub const ECHO_REQUEST: Kind = Kind(1);
    /// Its answer.
    pub const ECHO_RESPONSE: Kind = Kind(2);
    /// The sender's version is not spoken here, in both versions.
    pub const VERSION_NOT_SUPPORTED: Kind = Kind(3);
    /// User data, which is no control message (TS 29.281 §7.3.1).
    pub const G_PDU: Kind = Kind(255);
}

/// One GTP-C message, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<'a> {
    /// Which protocol.
    pub version: Version,
    /// Message type.
    pub kind: Kind,
    /// Tunnel endpoint of the receiver; `None` in version 2 messages without one. 0 where the sender knows none.
    pub teid: Option<u32>,
    /// Sequence number: 16 bits in version 1, 24 in version 2.
    pub sequence: u32,
    /// Another message follows in the datagram.
    pub piggyback: bool,
    /// Octet of the datagram where the message begins.
    pub at: usize,
    header_len: usize,
    body: &'a [u8],
}

impl<'a> View<'a> {
    /// Checks flags, length and extension headers of the message at the front of `octets`; returns it and what follows it.
    ///
    /// * `at`: octet of the datagram where `octets` begin
    /// # Errors
    /// * [`Reason::GtpVersion`]: neither version, GTP', or flags that no control message has: without a sequence number
    ///   (TS 29.060 §8.1.1), or with and without a tunnel endpoint where the type wants the other (TS 29.274 §5.5.1)
    /// * [`Reason::GtpLength`]: cut short, or a length beyond `octets`; an extension header that is none; something behind a
    ///   message that does not announce it
    /// * [`Reason::GtpInGtp`]: user data on the control port
    pub fn split(octets: &'a [u8], at: usize) -> Result<(Self, &'a [u8]), Refusal> {
        let (&[flags, kind, l0, l1], _) = octets.split_first_chunk().ok_or(Reason::GtpLength.at(at + octets.len()))?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let split = |whole: usize| octets.split_at_checked(whole).ok_or(Reason::GtpLength.at(at + 2));
        let (view, rest) = match flags >> 5 {
            1 => {
                let (whole, rest) = split(V1_FIXED + len)?;
                (Self::v1(flags, Kind(kind), whole, at)?, rest)
            }
            2 => {
                let (whole, rest) = split(V2_UNCOUNTED + len)?;
                (Self::v2(flags, Kind(kind), whole, at)?, rest)
            }
            _ => return Err(Reason::GtpVersion.at(at)),
        };
        if view.piggyback == rest.is_empty() {
            return Err(Reason::GtpLength.at(at + 2)); // too long, or nothing where another message is announced
        }
        Ok((view, rest))
    }

    /// TS 29.060 §6.
    fn v1(flags: u8, kind: Kind, octets: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let (protocol_type, extended, numbered) = (flags & 0x10, flags & 4 != 0, flags & 2 != 0);
        if protocol_type == 0 {
            return Err(Reason::GtpVersion.at(at)); // GTP'
        }
        if kind == Kind::G_PDU {
            return Err(Reason::GtpInGtp.at(at + 1));
        }
        if !numbered {
            return Err(Reason::GtpVersion.at(at));
        }
        let mut reader = Reader::new_at(octets, at);
        let cut = Reason::GtpLength.at(at + 2);
        reader.skip(4).ok_or(cut)?;
        let teid = reader.be32().ok_or(cut)?;
        let &[s0, s1, _, mut next] = reader.array::<V1_OPTIONAL>().ok_or(cut)?;
        // Who does not look at the flag sees an extension header, who does sees elements.
        if !extended && next != 0 {
            return Err(Reason::GtpLength.at(at + 11));
        }
        for _ in 0..=MAX_EXTENSIONS {
            if next == 0 {
                break;
            }
            let here = reader.at();
            // Those of the control plane, and those that nobody must understand (TS 29.060 §6, figure 4).
            if next >= 0x80 && !matches!(next, 0xc1 | 0xc2) {
                return Err(Reason::GtpLength.at(here - 1));
            }
            let units = reader.u8().filter(|units| *units > 0).ok_or(Reason::GtpLength.at(here))?;
            let mut rest = reader.sub(usize::from(units) * 4 - 1).ok_or(Reason::GtpLength.at(here))?;
            next = rest.rest().last().copied().unwrap_or(0);
        }
        if next != 0 {
            return Err(Reason::GtpLength.at(reader.at() - 1));
        }
        Ok(Self {
            version: Version::V1,
            kind,
            teid: Some(teid),
            sequence: u32::from(u16::from_be_bytes([s0, s1])),
            piggyback: false,
            at,
            header_len: reader.at() - at,
            body: reader.rest(),
        })
    }

    /// TS 29.274 §5.
    fn v2(flags: u8, kind: Kind, octets: &'a [u8], at: usize) -> Result<Self, Refusal> {
        let (piggyback, has_teid) = (flags & 0x10 != 0, flags & 8 != 0);
        let node = matches!(kind, Kind::ECHO_REQUEST | Kind::ECHO_RESPONSE | Kind::VERSION_NOT_SUPPORTED);
        if has_teid == node {
            return Err(Reason::GtpVersion.at(at));
        }
        let mut reader = Reader::new_at(octets, at);
        let cut = Reason::GtpLength.at(at + 2);
        reader.skip(V2_UNCOUNTED).ok_or(cut)?;
        let teid = if has_teid { Some(reader.be32().ok_or(cut)?) } else { None };
        let &[s0, s1, s2, _] = reader.array().ok_or(cut)?;
        Ok(Self {
            version: Version::V2,
            kind,
            teid,
            sequence: u32::from_be_bytes([0, s0, s1, s2]),
            piggyback,
            at,
            header_len: reader.at() - at,
            body: reader.rest(),
        })
    }

    /// What the message is called; `None` for types that the standard does not have, or has for other interfaces.
    pub fn name(&self) -> Option<&'static str> {
        message_name(self.version, self.kind)
    }

    /// Walks the information elements in message order; `at` counts from the first octet of the datagram.
    pub fn ies(&self) -> Ies<'a> {
        Ies::new(self.version, self.body, self.at + self.header_len)
    }

    /// Octets of the whole message.
    pub fn total_len(&self) -> usize {
        self.header_len + self.body.len()
    }
}

#[cfg(test)]
mod tests;
