//! IPv6 extension headers in front of a transport layer (RFC 8200 §4).
//!
//! Read are one hop-by-hop header and one of destination options, with options alone that a host which does not know them
//! skips. Refused is what may change who speaks to whom, or where the payload lies: routing headers (the address that counts is
//! another one), mobility, HIP and Shim6, home addresses and jumbo payloads among the options, and more headers than a host needs.

use super::FRAGMENT_HEADER;
use crate::{Reason, Refusal};

// Protocol numbers of IANA.
pub(super) const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
pub(super) const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Octets of all extension headers of a packet, at most.
pub const MAX_LEN: usize = 256;

/// An option that pads by one octet, and has no length.
const PAD1: u8 = 0;
/// What a host does that does not know an option; none of these bits: it skips it (RFC 8200 §4.2).
const NOT_SKIPPED: u8 = 0xc0;

/// What stands behind the extension headers.
pub(super) struct Behind {
    /// The upper layer, or that of a fragment header.
    pub(super) protocol: u8,
    /// Octets of the headers.
    pub(super) len: usize,
    /// Octet of the packet that names `protocol`.
    pub(super) named_at: usize,
}

/// Walks the extension headers.
///
/// * `next`: what the header before names, at octet `named_at` of the packet; `octets`: behind that header, from octet `at`
///
/// # Errors
/// [`Reason::IpOptions`] for a header, an option or an order that is refused; [`Reason::IpHeader`] where one is cut.
pub(super) fn walk(next: u8, named_at: usize, octets: &[u8], at: usize) -> Result<Behind, Refusal> {
    let mut behind = Behind { protocol: next, len: 0, named_at };
    for wanted in [HOP_BY_HOP, DESTINATION_OPTIONS] {
        if behind.protocol != wanted {
            continue;
        }
        let here = at + behind.len;
        let cut = Reason::IpHeader.at(here);
        let rest = octets.get(behind.len..).ok_or(cut)?;
        let &[protocol, units] = rest.first_chunk().ok_or(cut)?;
        let len = (usize::from(units) + 1) * 8;
        if behind.len + len > MAX_LEN {
            return Err(Reason::IpOptions.at(here + 1));
        }
        skippable(rest.get(2..len).ok_or(cut)?, here + 2)?;
        behind = Behind { protocol, len: behind.len + len, named_at: here };
        // Options for the destination in front of a fragment header are for the stops of a route (RFC 8200 §4.1).
        if wanted == DESTINATION_OPTIONS && protocol == FRAGMENT_HEADER {
            return Err(Reason::IpOptions.at(here));
        }
    }
    match behind.protocol {
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6 => {
            Err(Reason::IpOptions.at(behind.named_at))
        }
        _ => Ok(behind),
    }
}

/// Whether a host that knows none of these options reads on as one that knows them all.
fn skippable(mut options: &[u8], at: usize) -> Result<(), Refusal> {
    let end = at + options.len();
    while let Some((&kind, rest)) = options.split_first() {
        let refused = Reason::IpOptions.at(end - options.len());
        if kind == PAD1 {
            options = rest;
            continue;
        }
        let (&len, rest) = rest.split_first().ok_or(refused)?;
        options = rest.get(usize::from(len)..).filter(|_| kind & NOT_SKIPPED == 0).ok_or(refused)?;
    }
    Ok(())
}
