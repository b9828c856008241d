//! What a message says of itself, and what must still be proven: a file a direction and a file a security profile.
//!
//! Everything that needs the message's octets happens here, so that the stages behind work on plain values: the octets
//! that leave if the message passes are made now, and a signature of ours is put into them when it is there.

mod asked;
pub(crate) mod diameter;
pub(crate) mod gtp;
mod inbound;
mod isup;
mod outbound;
mod ruling;
mod sccp;
mod screen;
mod service;
mod sg_tcap0;
mod sg_tcap1;
pub(crate) mod sip;

pub(crate) use inbound::inbound;
pub(crate) use outbound::outbound;

use sealgate_config::model::LinkKind;
use sealgate_crypto::pool::{Busy, Client};
use sealgate_wire::addr::{GlobalTitle, PointCode, Ssn};
use sealgate_wire::sccp::{Segmentation, Unitdata};
use sealgate_wire::sec::{Sorter, Tvp, passport};
use sealgate_wire::{Reason, Refusal, map, tcap};

use crate::pipeline::timed::Timed;
use crate::policy::Snapshot;
use crate::policy::snapshot::{LinkId, Peer};
use crate::state::Direction;
use crate::state::segments::{Progress, Segment};
use crate::stats::Stats;

use super::carrier;
use super::reassembly::Reassembly;
use super::worker::Shared;

/// What a stage may ask and use while it judges one message.
pub(crate) struct Scene<'w> {
    pub snapshot: &'w Snapshot,
    pub shared: &'w Shared,
    pub crypto: &'w mut Client,
    pub segments: &'w mut Reassembly,
    pub scratch: &'w mut Scratch,
    pub signer: &'w mut SignerState,
    pub stats: &'w mut Stats,
    pub now_ms: u64,
    pub started_ms: u64,
}

impl Scene<'_> {
    /// The cold start (formats 1.5): what was signed before our memory begins may be a replay of what was accepted then.
    pub fn remembers(&self, tvp: Tvp) -> Result<(), Reason> {
        self.remembers_ms(i64::from(tvp.age_tenths(self.now_ms)) * 100)
    }

    /// The same of an age in milliseconds.
    pub fn remembers_ms(&self, age_ms: i64) -> Result<(), Reason> {
        let known_ms = self.now_ms.saturating_sub(self.shared.known_since_ms(self.started_ms));
        if self.snapshot.strict_cold_start() && age_ms > known_ms as i64 {
            return Err(Reason::SecTimePast);
        }
        Ok(())
    }
}

/// Buffers that keep their memory from message to message, and what is known of how messages are made.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// TCAP messages like ones before.
    pub messages: tcap::Known,
    /// MAP arguments like ones before.
    pub arguments: map::Known,
    /// PASSporTs of a call in plain text.
    pub passports: [passport::Scratch; sip::MOST_PASSPORTS],
    /// AVPs in the order in which they are signed.
    pub sorter: Sorter,
    /// Octets that a signature covers.
    pub tbs: Vec<u8>,
    /// A security header.
    pub covered: Vec<u8>,
    /// A security component.
    pub component: Vec<u8>,
    /// Components in canonical form.
    pub canonical: Vec<u8>,
    /// A TCAP message on its way out.
    pub tcap: Vec<u8>,
    /// Another one.
    pub other: Vec<u8>,
    /// An SCCP message on its way out.
    pub sccp: Vec<u8>,
    /// A message put together from its parts.
    pub whole: Vec<u8>,
    /// Requests of GTP that wait for their answer.
    pub gtp: gtp::tunnels::Waiting,
    /// How long policy takes, for who asks.
    pub timed: Timed,
}

/// Our sequence counter (formats 1.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignerState {
    /// Number of this counter among our workers.
    pub node: u8,
    /// Last number used.
    pub seq: u64,
}

/// How a message goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// It leaves as it came, under this reason, and nobody needs to be asked.
    Pass(Reason),
    /// A segment: it becomes a no-op now, and its message leaves with the last one.
    Held,
    /// The verdict can be found without a signature.
    Judge,
    /// A signature must be checked or made first.
    Wait,
    /// A certificate is being fetched: the message is looked at again once another policy is in force, or after a while.
    Later,
}

impl Next {
    /// The verdict that a message has by now, if it needs no other: its reason, where it showed, and whether it leaves.
    pub fn settled(next: Result<Self, Refusal>) -> Option<(Reason, u32, bool)> {
        match next {
            Ok(Self::Wait | Self::Judge | Self::Later) => None,
            Ok(Self::Pass(reason)) => Some((reason, 0, true)),
            Ok(Self::Held) => Some((Reason::OkHeld, 0, false)),
            Err(refusal) => Some((refusal.reason, refusal.at, false)),
        }
    }
}

/// A party of an SCCP message.
pub(crate) type Party = (GlobalTitle, Ssn);

/// What carries a TCAP message.
pub(crate) struct Carrier<'a> {
    /// What its link carries.
    pub kind: LinkKind,
    /// The message of the link, or the last one.
    pub user: &'a [u8],
    /// The SCCP message in it, or what stands for it.
    pub unitdata: Unitdata<'a>,
    /// It came in more than one segment.
    pub segmented: bool,
    /// Where it says to come from, where its link says that.
    pub opc: Option<PointCode>,
    pub called: Party,
    pub calling: Party,
}

impl Carrier<'_> {
    /// Makes the message that carries this TCAP message instead.
    ///
    /// * `sccp`: room for the SCCP message around it, where there is one
    /// # Errors
    /// [`Reason::ResSignFailed`] if nothing that the link carries can carry it.
    fn put(&self, tcap: &[u8], shape: sccp::Shape, sccp: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.kind == LinkKind::Sua {
            return carrier::put(self.kind, self.user, tcap, out);
        }
        sccp.clear();
        sccp::rebuild(&self.unitdata, tcap, shape, sccp)?;
        carrier::put(self.kind, self.user, sccp, out)
    }
}

/// The security components of a message.
#[derive(Clone, Copy, Default)]
pub(crate) struct Found {
    /// Place of the first one in the native form.
    pub native: Option<usize>,
    /// Place of the first one in the SigFW form.
    pub sigfw: Option<usize>,
    /// How many in either form.
    pub count: usize,
}

impl Found {
    /// Looks through the components; `opcode`: that of the native form in this dialogue.
    pub fn within(message: &tcap::Message<'_>, opcode: i32) -> Self {
        let mut found = Self::default();
        for (i, component) in message.components.iter().enumerate() {
            if component.kind != tcap::ComponentKind::Invoke {
                continue;
            }
            let place = match component.local() {
                Some(code) if code == opcode => &mut found.native,
                Some(code) if code == sealgate_wire::sec::tcap0::OPCODE => &mut found.sigfw,
                _ => continue,
            };
            place.get_or_insert(i);
            found.count += 1;
        }
        found
    }

    /// Whether component `i` is one of them.
    pub fn is(&self, message: &tcap::Message<'_>, i: usize, opcode: i32) -> bool {
        let sigfw = sealgate_wire::sec::tcap0::OPCODE;
        message.components.get(i).is_some_and(|component| {
            component.kind == tcap::ComponentKind::Invoke
                && component.local().is_some_and(|code| code == opcode || code == sigfw)
        })
    }
}

/// Operation code of the native security component between these subsystems.
pub(crate) fn native_opcode(snapshot: &Snapshot, peer: &Peer, a: Ssn, b: Ssn) -> i32 {
    if snapshot.is_other_tcap(a.0, b.0) { peer.opcode_other } else { peer.opcode_map }
}

/// Takes one segment of a message; with the last one, all of its octets.
///
/// They come in the buffer of `scratch.whole`, which the caller puts back when it has read them.
///
/// # Errors
/// [`Reason::SccpReasmConflict`], [`Reason::SccpReasmLimit`].
fn reassemble(
    scene: &mut Scene<'_>,
    link: LinkId,
    way: Direction,
    unitdata: &Unitdata<'_>,
    segmentation: Segmentation,
) -> Result<Option<Vec<u8>>, Refusal> {
    let segment = Segment {
        calling: unitdata.calling,
        called: unitdata.called,
        local_ref: segmentation.local_ref,
        first: segmentation.first,
        remaining: segmentation.remaining,
        data: unitdata.data,
    };
    let table = scene.segments.table(link, way, &scene.snapshot.defaults).ok_or(Reason::IntBug.at(0))?;
    match table.push(&segment, scene.now_ms) {
        Err(reason) => Err(reason.at(0)),
        Ok(Progress::Held) => Ok(None),
        Ok(Progress::Complete(octets)) => {
            let mut whole = std::mem::take(&mut scene.scratch.whole);
            whole.clear();
            whole.extend_from_slice(octets);
            Ok(Some(whole))
        }
    }
}

/// A pool that takes no more is a refusal, never a way around (formats 1.6).
fn busy(why: Busy) -> Refusal {
    match why {
        Busy::Queue | Busy::TooLong => Reason::ResCryptoQueue.at(0),
        Busy::Share => Reason::ResCryptoShare.at(0),
        // The pool and the policy do not know the same keys: a defect of ours.
        Busy::Foreign => Reason::IntBug.at(0),
    }
}

/// Service indicator of SCCP (Q.704 §14.2.1).
const SI_SCCP: u8 = 3;
/// That of ISUP.
const SI_ISUP: u8 = 5;
