//! What a link carries its messages in, the one place that knows it: how a message is marked in SCTP, how it is taken apart into
//! what a user part sees and put together again, and what takes the place of a refused one.
//!
//! M3UA, M2PA and SUA differ in nothing but this. A message of M3UA or M2PA is one of MTP level 3; one of SUA says at once what SCCP
//! would say, and is read as the LUDT or LUDTS that it stands for.

use sealgate_config::model::{Link, LinkKind};
use sealgate_wire::addr::{GlobalTitle, PointCode, Ssn};
use sealgate_wire::sccp::{self, Segmentation, Unitdata};
use sealgate_wire::{Reason, Refusal, diameter, m2pa, m3ua, sua};

use super::slots::{FrameSlot, Message, Slab};
use super::tap::user_data;
use crate::io::Frame;

/// The SCTP payload protocol identifier of a link's messages. What runs in DTLS (Diameter's 47) nobody could judge here.
const fn ppid(kind: LinkKind) -> u32 {
    match kind {
        LinkKind::M3ua => m3ua::PPID,
        LinkKind::M2pa => m2pa::PPID,
        LinkKind::Sua => sua::PPID,
        LinkKind::Diameter => diameter::PPID,
        LinkKind::Sip | LinkKind::Gtp => 0, // none of it is let in over SCTP
    }
}

/// Whether a message of this link may come under this identifier.
pub(super) const fn may_come_as(kind: LinkKind, identifier: u32) -> bool {
    match kind {
        LinkKind::Diameter => diameter::is_ppid(identifier),
        _ => identifier == ppid(kind),
    }
}

/// The identifier under which leaves what takes the place of a message: the one that it came under, where that is good.
pub(super) const fn leaves_as(kind: LinkKind, identifier: u32) -> u32 {
    if may_come_as(kind, identifier) { identifier } else { ppid(kind) }
}

/// Whether a receiver goes on where a FORWARD TSN takes messages away. M2PA numbers them itself and takes its link down over one
/// that is missing.
pub(super) fn may_skip(kind: LinkKind) -> bool {
    kind != LinkKind::M2pa
}

/// A message of M3UA, M2PA or SUA, taken apart.
pub(super) enum Opened<'a> {
    /// It is between the two ends of the link: no user part gets it.
    Neighbours,
    /// One of MTP level 3.
    Mtp3(Mtp3<'a>),
    /// One of SCCP's users, without SCCP.
    Users(Users<'a>),
    /// One of theirs that nothing here reads, and why it is not let in.
    Unread(Refusal),
}

/// What MTP level 3 says.
pub(super) struct Mtp3<'a> {
    /// M3UA: traffic that the association was registered for.
    routing_context: Option<u32>,
    pub opc: PointCode,
    dpc: PointCode,
    pub si: u8,
    ni: u8,
    /// From the first octet of the user part on.
    pub user: &'a [u8],
}

/// What SUA says.
pub(super) struct Users<'a> {
    routing_context: u32,
    pub opc: Option<PointCode>,
    dpc: Option<PointCode>,
    /// It in the words of SCCP; the addresses are as SUA has them.
    pub unitdata: Unitdata<'a>,
    /// As [`sccp::party`] has them.
    pub called: Result<Party, Refusal>,
    pub calling: Result<Party, Refusal>,
}

/// Title and subsystem of an address, as far as it has them.
pub(super) type Party = (Option<GlobalTitle>, Option<Ssn>);

/// Takes a message apart.
///
/// * `user`: one whole SCTP user message
///
/// # Errors
/// The reasons of its protocol.
pub(super) fn open(kind: LinkKind, user: &[u8]) -> Result<Opened<'_>, Refusal> {
    match kind {
        LinkKind::Sua => open_sua(user),
        _ => Ok(open_mtp3(kind, user)?.map_or(Opened::Neighbours, Opened::Mtp3)),
    }
}

/// The same of M3UA and M2PA, without the weight of what SUA says; `None`: it is between the two ends of the link.
///
/// # Errors
/// The reasons of its protocol.
#[inline(always)]
pub(super) fn open_mtp3(kind: LinkKind, user: &[u8]) -> Result<Option<Mtp3<'_>>, Refusal> {
    if kind == LinkKind::M2pa {
        return open_m2pa(user);
    }
    let view = m3ua::View::new(user)?;
    if !view.is_data() {
        return between_m3ua(view.kind());
    }
    let m3ua::Data { routing_context, opc, dpc, si, ni, user, .. } = m3ua::Data::parse(view)?;
    Ok(Some(Mtp3 { routing_context, opc, dpc, si, ni, user }))
}

/// An M3UA message that is not DATA (RFC 4666 §3.1.2): management, network state, ASP state and traffic, routing keys.
fn between_m3ua<'a>(kind: (u8, u8)) -> Result<Option<Mtp3<'a>>, Refusal> {
    match kind.0 {
        0 | 2 | 3 | 4 | 9 => Ok(None),
        _ => Err(Reason::M3uaClass.at(2)),
    }
}

/// M2PA. Link states and acknowledgements are between the two ends, and so is what MTP level 3 tells its neighbour: signalling
/// network management and its tests (Q.704 §14.2.1, service indicators 0 to 2).
#[inline(never)]
fn open_m2pa(user: &[u8]) -> Result<Option<Mtp3<'_>>, Refusal> {
    const NETWORK: core::ops::RangeInclusive<u8> = 0..=2;
    let m2pa::Body::Data { msu, .. } = m2pa::Message::parse(user)?.body else { return Ok(None) };
    let behind = user.len() - msu.len();
    let msu = m2pa::Msu::parse(msu).map_err(|refusal| refusal.reason.at(behind + refusal.at as usize))?;
    if NETWORK.contains(&msu.si) {
        return Ok(None);
    }
    let m2pa::Msu { opc, dpc, si, ni, user, .. } = msu;
    Ok(Some(Mtp3 { routing_context: None, opc, dpc, si, ni, user }))
}

/// SUA. The classes between neighbours are M3UA's (RFC 3868 §3.1.2); connections are refused as SCCP's are.
#[inline(never)]
fn open_sua(user: &[u8]) -> Result<Opened<'_>, Refusal> {
    let view = sua::View::new(user)?;
    match view.kind().0 {
        0 | 2 | 3 | 4 | 9 => return Ok(Opened::Neighbours),
        sua::CONNECTIONLESS => {}
        sua::CONNECTION => return Ok(Opened::Unread(Reason::SccpType.at(2))),
        _ => return Err(Reason::SuaForm.at(2)),
    }
    let said = match sua::Connectionless::parse(view) {
        Ok(said) => said,
        Err(refusal) => return Ok(Opened::Unread(refusal)),
    };
    let (kind, class) = match said.kind {
        sua::Kind::Data { class, .. } => (sccp::Kind::Ludt, class),
        sua::Kind::Response { cause } => (sccp::Kind::Ludts, cause as u8),
    };
    let segmentation = said.segment.map(|segment| {
        let [_, local_ref @ ..] = segment.reference.to_be_bytes();
        Segmentation { first: segment.first, in_sequence: class & 1 == 1, remaining: segment.remaining, local_ref }
    });
    // Only who puts segments together asks for the addresses as they came.
    let (calling, called) = if segmentation.is_some() { sua::addresses(view) } else { (&[][..], &[][..]) };
    Ok(Opened::Users(Users {
        routing_context: said.routing_context,
        opc: said.source.point_code,
        dpc: said.destination.point_code,
        unitdata: Unitdata {
            kind,
            class,
            hop: said.hops,
            called,
            calling,
            data: said.data.unwrap_or(&[]),
            segmentation,
            importance: said.importance,
            options: &[],
        },
        called: said.destination.party(),
        calling: said.source.party(),
    }))
}

impl Mtp3<'_> {
    /// Whether a link lets the label in.
    ///
    /// # Errors
    /// [`Reason::M3uaRc`], [`Reason::Mtp3Si`], [`Reason::Mtp3Opc`], [`Reason::Mtp3Dpc`], [`Reason::Mtp3Ni`], in this order. `at`
    /// counts from the first octet of the label, in M2PA from the service information octet.
    #[inline]
    pub(super) fn screen(&self, link: &Link) -> Result<(), Refusal> {
        let refused = |reason: Reason, at: usize, m2pa: usize| {
            Err(reason.at(if link.kind == LinkKind::M2pa { m2pa } else { at }))
        };
        if self.routing_context.is_some_and(|rc| !allows(&link.routing_contexts, rc)) {
            return Err(Reason::M3uaRc.at(0));
        }
        if !link.si.contains(&self.si) {
            return refused(Reason::Mtp3Si, 8, 0);
        }
        if !link.opcs.contains(&self.opc.0) {
            return refused(Reason::Mtp3Opc, 0, 2);
        }
        if !link.dpcs.contains(&self.dpc.0) {
            return refused(Reason::Mtp3Dpc, 4, 1);
        }
        if !link.ni.contains(&self.ni) {
            return refused(Reason::Mtp3Ni, 9, 0);
        }
        Ok(())
    }
}

impl Users<'_> {
    /// Whether a link lets routing context and point codes in.
    ///
    /// # Errors
    /// [`Reason::M3uaRc`], [`Reason::Mtp3Opc`], [`Reason::Mtp3Dpc`].
    pub(super) fn screen(&self, link: &Link) -> Result<(), Refusal> {
        if !allows(&link.routing_contexts, self.routing_context) {
            return Err(Reason::M3uaRc.at(0));
        }
        if self.opc.is_some_and(|code| !allows(&link.opcs, code.0)) {
            return Err(Reason::Mtp3Opc.at(0));
        }
        if self.dpc.is_some_and(|code| !allows(&link.dpcs, code.0)) {
            return Err(Reason::Mtp3Dpc.at(0));
        }
        Ok(())
    }
}

/// Whether a list that may be empty, and then allows all, allows this.
#[inline]
fn allows(list: &[u32], value: u32) -> bool {
    list.is_empty() || list.contains(&value)
}

/// Makes the message that carries `part` where `user` carried another: the user part of M3UA and M2PA, the data of SUA. `out` is
/// cleared first.
///
/// # Errors
/// [`Reason::ResSignFailed`] if M2PA or SUA cannot carry so much; [`Reason::IntBug`] of M3UA, whose room nothing here fills.
pub(super) fn put(kind: LinkKind, user: &[u8], part: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.clear();
    let (made, reason) = match kind {
        LinkKind::M2pa => (m2pa::rebuild(user, part, out), Reason::ResSignFailed),
        LinkKind::Sua => (sua::rebuild(user, part, out), Reason::ResSignFailed),
        _ => (m3ua::rebuild(user, part, out), Reason::IntBug),
    };
    if made { Ok(()) } else { Err(reason.at(0)) }
}

/// What [`put`] put in, read again from what it made.
pub(super) fn part(kind: LinkKind, made: &[u8]) -> Option<&[u8]> {
    match kind {
        LinkKind::M2pa => match m2pa::Message::parse(made).ok()?.body {
            m2pa::Body::Data { msu, .. } => Some(m2pa::Msu::parse(msu).ok()?.user),
            _ => None,
        },
        LinkKind::Sua => sua::View::new(made).and_then(sua::Connectionless::parse).ok()?.data,
        _ => Some(m3ua::Data::parse(m3ua::View::new(made).ok()?).ok()?.user),
    }
}

/// Appends the no-op of a link's protocol (formats 3).
///
/// * `refused`: what it takes the place of, as far as it lies in one piece
/// * `total`: octets that it shall have, at least; 0: its usual form
pub(super) fn emit_filler(kind: LinkKind, refused: &[u8], total: usize, out: &mut Vec<u8>) {
    match kind {
        LinkKind::M3ua | LinkKind::Sua => m3ua::emit_beat_ack(total, out),
        LinkKind::M2pa => {
            // What has no number to keep is no M2PA, and a class that is not M2PA's is passed over like it.
            if !m2pa::emit_filler(refused, total.max(refused.len()), out) {
                m3ua::emit_beat_ack(total, out);
            }
        }
        LinkKind::Sip | LinkKind::Gtp => {} // its datagrams go nowhere
        LinkKind::Diameter if total == 0 => out.extend_from_slice(&diameter::WATCHDOG_ANSWER),
        LinkKind::Diameter => {
            if !diameter::emit_watchdog_answer(total, out) {
                out.extend_from_slice(&diameter::WATCHDOG_ANSWER); // longer than any message: never held either
            }
        }
    }
}

/// Puts the no-op of a message that lies in several chunks into its `output`.
pub(super) fn fill<F: Frame>(message: &mut Message, frames: &mut Slab<Box<FrameSlot<F>>>) {
    let mut head = [0; m2pa::FILLER_HEAD];
    let mut len = 0;
    if message.kind == LinkKind::M2pa {
        for part in &message.parts {
            let Some(user) = user_data(frames, *part) else { break };
            let room = head.get_mut(len..).unwrap_or(&mut []);
            len += room.iter_mut().zip(user).map(|(to, from)| *to = *from).count();
            if len == head.len() {
                break;
            }
        }
    }
    emit_filler(message.kind, head.get(..len).unwrap_or(&[]), message.len, &mut message.output);
}
