//! Associations with neighbours: who is at both ends, and what they carry.

use std::net::IpAddr;

use sealgate_wire::addr::Digits;

use super::{Mode, Network, TunnelCheck};

/// One association with a neighbour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its name in this file.
    pub name: String,
    /// What it carries (`type` in the file).
    pub kind: LinkKind,
    /// Over what; at least one of them.
    pub transports: Transports,
    /// The neighbour's addresses, all of them; never empty but over GTP, whose neighbours are in `gtp.remote`.
    pub remote: Vec<IpAddr>,
    /// Our host's addresses, all of them; never empty.
    pub local: Vec<IpAddr>,
    /// SCTP ports; `None`: any.
    pub ports: Option<LinkPorts>,
    /// Verification tag of packets from the neighbour; `None`: learned.
    pub vtag_in: Option<u32>,
    /// M3UA, M2PA: point codes that may speak here; never empty. SUA: those that a source address may have; empty: any.
    pub opcs: Vec<u32>,
    /// M3UA, M2PA: point codes that may be spoken to; never empty. SUA: those that a destination address may have; empty: any.
    pub dpcs: Vec<u32>,
    /// M3UA, M2PA: network indicators: 0 international, 1 spare, 2 national, 3 reserved; never empty.
    pub ni: Vec<u8>,
    /// M3UA, SUA: routing contexts; empty: any, or none.
    pub routing_contexts: Vec<u32>,
    /// M3UA, M2PA: service indicators: 3 SCCP, 5 ISUP; never empty.
    pub si: Vec<u8>,
    /// M3UA, M2PA: what holds of ISUP, whose messages name no operator.
    pub isup: Isup,
    /// SIP: how numbers are read, and what becomes of a refused call.
    pub sip: Sip,
    /// GTP: who may speak here, and what.
    pub gtp: Gtp,
    /// Diameter: identifiers of the applications that may be used here; never empty.
    pub applications: Vec<u32>,
    /// Largest IP packet on this link, octets: 576 to 9600; `None`: that of the port.
    pub mtu: Option<u16>,
    /// What becomes of IP fragments.
    pub ip_fragments: IpFragments,
}

/// What becomes of IP fragments on a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IpFragments {
    /// They are refused.
    #[default]
    Refuse,
    /// They are put together and judged as the packet that they are; what outgrows the link's MTU leaves in new fragments.
    Reassemble,
}

/// What a link carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkKind {
    /// M3UA over SCTP.
    #[default]
    M3ua,
    /// Diameter over SCTP or TCP.
    Diameter,
    /// SIP over UDP or TCP.
    Sip,
    /// GTP-C over UDP, and what of GTP-U comes by the same way.
    Gtp,
    /// M2PA over SCTP: the links of MTP level 3 itself.
    M2pa,
    /// SUA over SCTP: SCCP's users without SCCP.
    Sua,
}

impl LinkKind {
    /// Whether a refused message of it goes nowhere, and nothing takes its place: none of it comes over SCTP.
    pub const fn is_datagram(self) -> bool {
        matches!(self, Self::Sip | Self::Gtp)
    }

    /// Whether its messages are those of MTP level 3, with point codes and a service indicator.
    pub const fn is_mtp3(self) -> bool {
        matches!(self, Self::M3ua | Self::M2pa)
    }
}

/// Who may speak GTP on a link, and what (formats 10).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gtp {
    /// Networks of the neighbours' nodes; never empty.
    pub remote: Vec<Network>,
    /// Message types that may be used here; an empty list: that version is not spoken.
    pub messages: GtpMessages,
    /// Whether the user plane passes, as far as no subscriber speaks GTP in it.
    pub user_plane: bool,
    /// What the memory of tunnels decides here.
    pub tunnels: TunnelCheck,
}

/// Types of GTP-C messages by version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GtpMessages {
    /// Of version 1 (TS 29.060 table 1).
    pub v1: Vec<u8>,
    /// Of version 2 (TS 29.274 table 6.1-1).
    pub v2: Vec<u8>,
}

impl Default for GtpMessages {
    /// What two operators tell each other over Gp and S8 while a subscriber roams. Not: questions for a subscriber's place
    /// (version 1, 32), contexts that move between neighbours (48 to 60; version 2, 128 to 141), whole sets of connections
    /// (version 2, 101 and 200), tracing and broadcasts.
    fn default() -> Self {
        let v1 = [1, 2, 3].into_iter().chain(16..=21).chain(27..=31).chain(128..=129);
        let v2 = [1, 2, 3].into_iter().chain(32..=39).chain(64..=69).chain(95..=100).chain(162..=165);
        Self { v1: v1.collect(), v2: v2.collect() }
    }
}

/// What the messages of a link come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Transports {
    /// SCTP (RFC 9260): of M3UA, M2PA and SUA always, of Diameter unless the file says otherwise.
    pub sctp: bool,
    /// UDP: of GTP always, of SIP unless the file says otherwise.
    pub udp: bool,
    /// TCP (RFC 9293): of Diameter and SIP, where the file says so.
    pub tcp: bool,
}

/// How SIP is read on a link (formats 8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sip {
    /// Whether P-Asserted-Identity, where it is there, names the caller and not From.
    pub use_pai: bool,
    /// Country code that a number without "+" gets in front; `None`: it is taken as it is.
    pub default_cc: Option<Digits>,
    /// What becomes of a refused call.
    pub on_fail: OnFail,
}

impl Default for Sip {
    fn default() -> Self {
        Self { use_pai: true, default_cc: None, on_fail: OnFail::Drop }
    }
}

/// What becomes of a refused request of SIP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnFail {
    /// Its datagram goes nowhere.
    #[default]
    Drop,
    /// The same, and the sender gets the response of formats 14.
    Reject,
    /// A call whose PASSporT does not hold goes on with `verstat=TN-Validation-Failed` at its caller's number, one that does with
    /// `TN-Validation-Passed` where its signer vouches for the number (TS 24.229 §7.2A.20). What else is wrong is dropped.
    Mark,
}

/// What holds of ISUP on a link (formats 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Isup {
    /// What an initial address message must have to pass.
    pub mode: Mode,
    /// Whether calls from our numbers leave signed.
    pub sign: bool,
    /// Whether the exchange is told who vouches for a calling number, instead of what its sender says of it.
    pub mark: bool,
    /// Whether the called number is copied into the signature: others may take its country code away.
    pub copy_called: bool,
}

/// SCTP ports of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkPorts {
    /// The neighbour's port.
    pub remote: u16,
    /// Our host's port.
    pub local: u16,
}
