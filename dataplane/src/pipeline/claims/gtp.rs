//! GTP over UDP (formats 10): who may speak, with which messages, and of whom. No signature profile: a message is judged by what
//! it says, where it comes from, and what was said before, and passes unchanged or goes nowhere.

pub(super) mod tunnels;

use core::net::IpAddr;

use sealgate_config::model::{Protocol, Screening, TunnelCheck, UnknownPeer};
use sealgate_wire::addr::Digits;
use sealgate_wire::gtp::{self, Datagram, Kind, Message as Control, Role, Version, role, user_plane};
use sealgate_wire::{Reason, Refusal};

use super::ruling::{Rulings, facts};
use super::{Next, Scene};
use crate::pipeline::slots::Message;
use crate::policy::rules::Facts;
use crate::policy::snapshot::{Link, Peer, PeerId};
use crate::state::Direction;
use crate::state::requests::Asked;

/// Between whom a datagram goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// The neighbour.
    pub remote: IpAddr,
    /// Our node.
    pub local: IpAddr,
    /// Which of them speaks.
    pub way: Direction,
    /// Port that it comes from.
    pub source_port: u16,
    /// Port that it goes to.
    pub destination_port: u16,
}

/// What a datagram is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Plane {
    Control,
    User,
}

impl Ends {
    /// The port that somebody listens at says it; of answers it is the one they come from (TS 29.274 §4.2, TS 29.281 §4.4).
    fn plane(&self) -> Option<Plane> {
        match (self.source_port, self.destination_port) {
            (_, gtp::PORT) => Some(Plane::Control),
            (_, gtp::PORT_USER) => Some(Plane::User),
            (gtp::PORT, _) => Some(Plane::Control),
            (gtp::PORT_USER, _) => Some(Plane::User),
            _ => None,
        }
    }

    /// Speaker and listener.
    fn order(&self) -> (IpAddr, IpAddr) {
        match self.way {
            Direction::In => (self.remote, self.local),
            Direction::Out => (self.local, self.remote),
        }
    }

    /// What names a question.
    fn question(&self, control: &Control<'_>) -> Asked {
        let (from, to) = self.order();
        Asked { version: number(control), from: (from, self.source_port), to, sequence: control.view.sequence }
    }

    /// What names the question that a message answers: it goes back the way that it came (TS 29.060 §10.2, TS 29.274 §4.2.2).
    fn answered(&self, control: &Control<'_>) -> Asked {
        let (from, to) = self.order();
        Asked { version: number(control), from: (to, self.destination_port), to: from, sequence: control.view.sequence }
    }
}

/// Screens a datagram from interconnect.
///
/// # Errors
/// * [`Reason::L4PeerUnknown`]: neither port is one of GTP, or the user plane does not pass here
/// * [`Reason::PolPeerUnknown`]: the address is no peer's, or not on this link
/// * those of decoding, and of [`screen`]
pub(crate) fn inbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    ends: Ends,
) -> Result<Next, Refusal> {
    let snapshot = scene.snapshot;
    let link = snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
    let plane = ends.plane().filter(|plane| *plane == Plane::Control || link.config.gtp.user_plane);
    let plane = plane.ok_or(Reason::L4PeerUnknown.at(2))?;
    let unknown = Reason::PolPeerUnknown.at(0);
    let treat = snapshot.defaults.unknown_peer == UnknownPeer::TreatAsDefault;
    let id = snapshot.peer_by_node(ends.remote).or(treat.then_some(0)).ok_or(unknown)?;
    let peer = snapshot.peers.get(usize::from(id)).ok_or(Reason::IntBug.at(0))?;
    message.peer = id;
    if !peer.links.is_empty() && !peer.links.contains(&message.link) {
        return Err(unknown);
    }
    if plane == Plane::User {
        user_plane::judge(octets)?;
        return Ok(Next::Pass(Reason::OkNotSubject));
    }
    let mut passes = Reason::OkNotSubject;
    let datagram = Datagram::parse(octets)?;
    for control in datagram.messages() {
        if let Err(refusal) = screen(scene, link, (id, peer), control) {
            // A peer that is only looked at goes on: the verdict takes note of it.
            if peer.screening == Screening::Active || !refusal.reason.is_policy() {
                return Err(refusal);
            }
            message.screened.get_or_insert(refusal);
        }
        ruled(scene, control, message);
    }
    for control in datagram.messages() {
        if link.config.gtp.tunnels != TunnelCheck::Ignore {
            tunnels::inbound(scene, link.config.gtp.tunnels, ends, id, control)?;
        }
        if !is_of_nodes(control) {
            passes = Reason::OkUnsignedAllowed;
        }
    }
    let judged = message.screened.is_some() || message.ruling.is_some() || message.unmatched;
    Ok(if judged { Next::Judge } else { Next::Pass(passes) })
}

/// What our own network sends passes, but for GTP in tunnels: it would be our subscribers who speak to another's nodes.
///
/// # Errors
/// [`Reason::GtpInGtp`]; [`Reason::L4PeerUnknown`] as above.
pub(crate) fn outbound(
    scene: &mut Scene<'_>,
    octets: &[u8],
    message: &mut Message,
    ends: Ends,
) -> Result<Next, Refusal> {
    let snapshot = scene.snapshot;
    let link = snapshot.links.get(usize::from(message.link)).ok_or(Reason::IntBug.at(0))?;
    message.peer = snapshot.peer_by_node(ends.remote).unwrap_or(0);
    if ends.plane() == Some(Plane::Control) && !snapshot.ruleset.is_idle(Protocol::Gtp, Direction::Out) {
        let datagram = Datagram::parse(octets);
        datagram.iter().flat_map(Datagram::messages).for_each(|control| ruled(scene, control, message));
    }
    match ends.plane() {
        Some(Plane::Control) if link.config.gtp.tunnels != TunnelCheck::Ignore => {
            let datagram = Datagram::parse(octets);
            for control in datagram.iter().flat_map(Datagram::messages) {
                tunnels::outbound(scene, ends, message.peer, control);
            }
        }
        Some(Plane::Control) => {}
        Some(Plane::User) if link.config.gtp.user_plane => match user_plane::judge(octets) {
            Err(refusal) if refusal.reason == Reason::GtpInGtp => return Err(refusal),
            _ => {}
        },
        _ => return Err(Reason::L4PeerUnknown.at(2)),
    }
    let judged = message.ruling.is_some() || message.unmatched;
    Ok(if judged { Next::Judge } else { Next::Pass(Reason::OkNotSubject) })
}

/// Takes note of what operator rules say of a message.
fn ruled(scene: &Scene<'_>, control: &Control<'_>, message: &mut Message) {
    let way = message.way.unwrap_or(Direction::In);
    let Some(rulings) = Rulings::of(scene.snapshot, Protocol::Gtp, way) else { return };
    let code = Some(u32::from(control.view.kind.0));
    let facts = Facts { code, imsi: control.imsi, ..facts(scene, message, None) };
    match role(control.view.version, control.view.kind) {
        Role::Request { .. } | Role::Alone { .. } => rulings.part(&facts, 0, message),
        Role::Answer { .. } | Role::Node => {
            rulings.answer(&facts, 0, message);
        }
    }
}

/// Checks of one message that need no memory.
///
/// # Errors
/// * [`Reason::GtpType`]: link or peer may not use this type
/// * [`Reason::PolHomeImsi`]: our own subscriber, in a message that nobody sends about another's
/// * [`Reason::PolImsiGt`]: a subscriber of a third network; none at all where a session begins
/// * [`Reason::PolVplmnRealm`]: the subscriber is said to be in a network that is not the peer's
/// * [`Reason::PolXlayerAddr`]: the sender wants its answers somewhere else than at the peer
fn screen(scene: &Scene<'_>, link: &Link, from: (PeerId, &Peer), control: &Control<'_>) -> Result<(), Refusal> {
    let snapshot = scene.snapshot;
    let (id, peer) = from;
    let (version, kind) = (control.view.version, control.view.kind);
    if !link.gtp.has(version, kind) || !peer.gtp.has(version, kind) {
        return Err(Reason::GtpType.at(control.view.at + 1));
    }
    let at = control.view.at;
    let of = |imsi: &Digits, plmns: &[Digits]| plmns.iter().any(|plmn| imsi.starts_with(plmn));
    let stranger = match &control.imsi {
        Some(imsi) if of(imsi, &snapshot.home_plmns) => (!visits(version, kind)).then_some(Reason::PolHomeImsi),
        Some(imsi) => (!of(imsi, &peer.plmns)).then_some(Reason::PolImsiGt),
        None => begins(control).then_some(Reason::PolImsiGt),
    };
    if let Some(reason) = stranger {
        return Err(reason.at(at));
    }
    if says_where(version, kind) && control.network().is_some_and(|network| !peer.plmns.contains(&network)) {
        return Err(Reason::PolVplmnRealm.at(at));
    }
    let elsewhere = |address: IpAddr| snapshot.peer_by_node(address).unwrap_or(0) != id;
    if says_from(version, kind) && control.sender_addresses().any(elsewhere) {
        return Err(Reason::PolXlayerAddr.at(at));
    }
    Ok(())
}

fn number(control: &Control<'_>) -> u8 {
    match control.view.version {
        Version::V1 => 1,
        Version::V2 => 2,
    }
}

/// Nodes tell each other that they are there, and in which version: of no subscriber.
fn is_of_nodes(control: &Control<'_>) -> bool {
    matches!((control.view.version, control.view.kind.0), (_, 1..=3) | (Version::V1, 31))
}

/// Whether a visited network sends this about subscribers of another, whose home has to answer: sessions that begin, move or
/// change there, and contexts that follow a subscriber to a neighbour.
const fn visits(version: Version, kind: Kind) -> bool {
    match version {
        // Create and Update PDP Context, Identification and SGSN Context Response, Forward Relocation, MS Info Change.
        Version::V1 => matches!(kind.0, 16 | 18 | 49 | 51 | 53 | 128),
        // Create Session, Modify Bearer, Change Notification, Remote UE Report, Identification Response, Context Request and
        // Response, Forward Relocation, Suspend, Resume.
        Version::V2 => matches!(kind.0, 32 | 34 | 38 | 40 | 129 | 130 | 131 | 133 | 162 | 164),
    }
}

/// Whether a session begins with it: of version 1 the first context, which has no tunnel yet.
fn begins(control: &Control<'_>) -> bool {
    match (control.view.version, control.view.kind.0) {
        (Version::V1, 16) => control.view.teid == Some(0),
        (Version::V2, 32) => true,
        _ => false,
    }
}

/// Whether the network in it is the sender's own. In others it is the one that a subscriber comes from.
const fn says_where(version: Version, kind: Kind) -> bool {
    match version {
        Version::V1 => matches!(kind.0, 16 | 18 | 128),
        Version::V2 => matches!(kind.0, 32 | 34 | 38),
    }
}

/// Whether its endpoints of the control plane are the sender's own.
const fn says_from(version: Version, kind: Kind) -> bool {
    match version {
        Version::V1 => matches!(kind.0, 16..=19),
        Version::V2 => matches!(kind.0, 32..=35),
    }
}
