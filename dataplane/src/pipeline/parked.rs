//! Calls that wait for the certificate of their caller, apart from the flow of their link, which nobody else's certificate shall
//! hold up. What comes behind such a call in its own dialogue waits with it: a CANCEL must not be there before its INVITE.

use sealgate_config::model::{LinkKind, X5uMiss};
use sealgate_wire::sip;

use super::claims::gtp::Ends;
use super::slots::FrameId;
use super::worker::Worker;
use crate::io::FrameIo;
use crate::policy::Snapshot;
use crate::state::Direction;
use crate::state::fingerprint::{Fingerprint, Fingerprints};

/// How long a call waits, milliseconds (formats 8): a sender over UDP repeats it after as long (RFC 3261 §17.1.1.1).
pub(super) const WAIT_MS: u64 = 500;

/// A datagram that waits.
pub(super) struct Parked {
    pub frame: FrameId,
    /// Of its Call-ID.
    pub call: Fingerprint,
    pub ends: Ends,
    /// Since when, by the clock of holds.
    pub since_ms: u64,
    /// It waits for the call before it and not for a certificate.
    pub follows: bool,
}

/// What stands for a call.
pub(super) fn call_of(fingerprints: &Fingerprints, user: &[u8]) -> Option<Fingerprint> {
    Some(fingerprints.of(0, sip::Message::datagram(user).ok()?.call_id))
}

impl<P: FrameIo> Worker<P> {
    /// Whether a message may wait for a certificate; `since_ms`: when it came.
    pub(super) fn may_wait(&self, snapshot: &Snapshot, since_ms: u64) -> bool {
        snapshot.stir.x5u_miss == X5uMiss::Hold
            && self.hold_ms.saturating_sub(since_ms) < WAIT_MS
            && self.parked.len() + self.offers_waiting() < snapshot.stir.hold_max
    }

    /// Lets a datagram wait behind its call, if that waits.
    #[cold]
    pub(super) fn follows_parked(&mut self, id: FrameId, ends: Ends) -> bool {
        let Some(slot) = self.frames.get_mut(id) else { return false };
        if slot.kind != LinkKind::Sip || slot.way != Direction::In {
            return false;
        }
        let Some(call) = call_of(&self.fingerprints, slot.user().unwrap_or_default()) else { return false };
        // Twice what may wait for certificates: nobody fills a memory with what follows one call.
        let room = self.parked.len() < 2 * self.policy.held().stir.hold_max;
        let follows = room && self.parked.iter().any(|parked| parked.call == call);
        if follows {
            self.parked.push_back(Parked { frame: id, call, ends, since_ms: self.hold_ms, follows });
        }
        follows
    }

    /// Judges what waited: all of it if something changed, else what has waited too long. What waits on keeps its place.
    ///
    /// * `changed`: another policy is in force, or a certificate was given up
    pub(super) fn judge_parked(&mut self, snapshot: &Snapshot, changed: bool) {
        let over = |parked: &Parked, now_ms: u64| now_ms.saturating_sub(parked.since_ms) >= WAIT_MS;
        if !changed && !self.parked.front().is_some_and(|first| over(first, self.hold_ms)) {
            return;
        }
        let (count, mut kept) = (self.parked.len(), 0);
        for _ in 0..count {
            let Some(parked) = self.parked.pop_front() else { return };
            let behind = parked.follows && self.parked.iter().rev().take(kept).any(|other| other.call == parked.call);
            let due = parked.follows || changed || over(&parked, self.hold_ms);
            if behind || !due || self.messages.room() == 0 {
                self.parked.push_back(parked);
                kept += 1;
                continue;
            }
            let before = self.parked.len();
            let Parked { frame, ends, since_ms, .. } = parked;
            // An error is a bug, and counted with the frame's verdict.
            if let Err(refusal) = self.judge_datagram(snapshot, frame, ends, since_ms) {
                self.stats.event(refusal.reason);
            }
            kept += self.parked.len() - before;
        }
    }
}
