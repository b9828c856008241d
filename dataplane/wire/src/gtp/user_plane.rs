//! GTP-U (TS 29.281), as far as it takes to see whether a subscriber speaks GTP to the network through a tunnel.

use super::{Kind, PORT, PORT_PRIME, PORT_USER};
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// Extension headers of one packet.
const MAX_EXTENSIONS: usize = 16;
const UDP: u8 = 17;
const TCP: u8 = 6;
/// Extension headers of IPv6 with a length in units of eight octets (RFC 8200 §4, RFC 7045 §1): hop-by-hop, routing,
/// destination, mobility, HIP, Shim6.
const IPV6_OPTIONS: [u8; 6] = [0, 43, 60, 135, 139, 140];
const IPV6_FRAGMENT: u8 = 44;
/// Authentication header, whose length has units of four octets (RFC 4302 §2).
const AUTHENTICATION: u8 = 51;

/// Judges a datagram of the user plane.
///
/// # Errors
/// * [`Reason::GtpVersion`], [`Reason::GtpLength`]: not of GTP-U version 1, cut, or not as long as its datagram
/// * [`Reason::GtpType`]: a type that the user plane does not have
/// * [`Reason::GtpInGtp`]: a packet of a subscriber to a port of GTP, which only nodes of the network have to speak, or one
///   that does not show its ports
pub fn judge(octets: &[u8]) -> Result<(), Refusal> {
    let mut reader = Reader::new(octets);
    let cut = |at: usize| Reason::GtpLength.at(at);
    let &[flags, kind, l0, l1, ..] = reader.array::<8>().ok_or(cut(octets.len()))?;
    if flags >> 4 != 3 {
        return Err(Reason::GtpVersion.at(0)); // version 1 of GTP, not of GTP'
    }
    if usize::from(u16::from_be_bytes([l0, l1])) != reader.len() {
        return Err(cut(2));
    }
    // Echo, Error Indication, Supported Extension Headers Notification, Tunnel Status, End Marker (TS 29.281 table 6.1-1).
    if !matches!(kind, 1 | 2 | 26 | 31 | 253 | 254 | 255) {
        return Err(Reason::GtpType.at(1));
    }
    if flags & 7 != 0 {
        let &[.., mut next] = reader.array::<4>().ok_or(cut(8))?;
        if flags & 4 == 0 {
            next = 0;
        }
        for _ in 0..MAX_EXTENSIONS {
            if next == 0 {
                break;
            }
            let at = reader.at();
            let units = reader.u8().filter(|units| *units > 0).ok_or(cut(at))?;
            next = reader.take(usize::from(units) * 4 - 1).and_then(|rest| rest.last().copied()).ok_or(cut(at))?;
        }
        if next != 0 {
            return Err(cut(reader.at()));
        }
    }
    match Kind(kind) == Kind::G_PDU && speaks_gtp(reader.peek()) {
        true => Err(Reason::GtpInGtp.at(reader.at())),
        false => Ok(()),
    }
}

/// Whether an IP packet goes to a port of GTP over UDP, or of GTP' over TCP; also where that cannot be told, since the ports
/// come in another fragment (RFC 7112 §1). Later fragments, other protocols and what is no IP packet do not.
fn speaks_gtp(packet: &[u8]) -> bool {
    let found = match packet.first().map(|first| first >> 4) {
        Some(4) => ipv4(packet),
        Some(6) => ipv6(packet),
        _ => Some(None),
    };
    let Some(found) = found else { return true };
    let Some((protocol @ (UDP | TCP), segment)) = found else { return false };
    let Some(&[_, _, d0, d1]) = segment.first_chunk() else { return true };
    let to = u16::from_be_bytes([d0, d1]);
    to == PORT_PRIME || protocol == UDP && matches!(to, PORT | PORT_USER)
}

/// Protocol and payload of a packet, or nothing of a later fragment; `None` where they cannot be found.
type Payload<'a> = Option<Option<(u8, &'a [u8])>>;

fn ipv4(packet: &[u8]) -> Payload<'_> {
    let &[first, _, _, _, _, _, o0, o1, _, protocol, ..] = packet.first_chunk::<20>()?;
    if u16::from_be_bytes([o0 & 0x1f, o1]) != 0 {
        return Some(None);
    }
    let mut reader = Reader::new(packet.get(usize::from(first & 15).max(5) * 4..)?);
    let mut next = protocol;
    if next == AUTHENTICATION {
        next = authentication(&mut reader)?;
    }
    Some(Some((next, reader.rest())))
}

fn ipv6(packet: &[u8]) -> Payload<'_> {
    let mut reader = Reader::new(packet);
    let &[_, _, _, _, _, _, mut next, ..] = reader.array::<40>()?;
    for _ in 0..MAX_EXTENSIONS {
        if IPV6_OPTIONS.contains(&next) {
            let &[then, units] = reader.array()?;
            reader.skip(usize::from(units) * 8 + 6)?;
            next = then;
        } else if next == IPV6_FRAGMENT {
            let &[then, _, o0, o1, ..] = reader.array::<8>()?;
            if u16::from_be_bytes([o0, o1]) >> 3 != 0 {
                return Some(None);
            }
            next = then;
        } else if next == AUTHENTICATION {
            next = authentication(&mut reader)?;
        } else {
            return Some(Some((next, reader.rest())));
        }
    }
    None // more than any host sends
}

/// Moves over an authentication header; returns what follows it.
fn authentication(reader: &mut Reader<'_>) -> Option<u8> {
    let &[next, units] = reader.array()?;
    reader.skip(usize::from(units) * 4 + 6)?;
    Some(next)
}
