//! What all workers of a gateway share.

use sealgate_wire::addr::Digits;

use super::detect::Memories;
use super::tap::Tap;
use crate::policy::Snapshot;
use crate::policy::snapshot::{LinkId, PeerId};
use crate::state::Direction;
use crate::state::buckets::Buckets;
use crate::state::carry::{self, CarryError};
use crate::state::dialogues::{self, Dialogues};
use crate::state::digest::{self, DigestMemory};
use crate::state::keyed::Key;
use crate::state::misses::Misses;
use crate::state::prints::Prints;
use crate::state::rate::{Limit, Rates};
use crate::state::replay::{self, ReplayMemory};
use crate::state::tunnels::{self, Tunnels};

/// The longest time windows that a policy may have, past and future together, for native profiles and for SigFW's
/// (formats 1.4). Memories keep for so long whatever the policy says: the next one may say more, and what was forgotten by
/// then could be replayed.
const LONGEST_WINDOW_MS: u64 = 120_000;
/// The same of signatures without a number: PASSporTs have the longest window.
const LONGEST_DIGEST_WINDOW_MS: u64 = 120_000;

/// Calls that go on though they failed, for how long they are remembered: the longest that an INVITE is answered (RFC 3261 §16.6,
/// timer C).
const MARKED: usize = 65_536;
const MARKED_MS: u64 = 180_000;

/// Token buckets that may be in use at once, in 2 MiB: an idle one needs no place.
const BUCKETS: usize = 262_144;

/// Memories that all workers share: one signer, and one dialogue, may use several associations.
pub struct Shared {
    /// Replay windows of native profiles.
    pub replay: ReplayMemory,
    /// Digests of SG-TCAP-0 messages.
    pub digests: DigestMemory,
    /// Transactions that our own network has open.
    pub dialogues: Dialogues,
    /// Certificates of callers that nobody has yet.
    pub misses: Misses,
    /// What was wrong with calls that went on all the same, for the responses to them.
    pub(crate) marked: Prints,
    /// Endpoints of GTP-C that our own network has given out.
    pub tunnels: Tunnels,
    /// What detectors remember.
    pub detection: Memories,
    /// How control sees single verdicts.
    pub tap: Tap,
    /// What each peer may send unsigned because it cannot be signed.
    rates: Rates,
    /// What has been used up of the rates of operator rules.
    pub buckets: Buckets,
    /// Spreads keys from outside over tables.
    pub key: Key,
    /// Since when replay windows and digests know all that was accepted, milliseconds since 1970; `None`: since the start.
    known_since_ms: Option<u64>,
}

impl Shared {
    /// Empty memories of the sizes that the policy asks for.
    pub fn new(snapshot: &Snapshot) -> Self {
        let defaults = &snapshot.defaults;
        let key = Key::random();
        Self {
            replay: ReplayMemory::new(
                replay::Config {
                    windows: (snapshot.signers.len() * 2).clamp(256, 16_384),
                    w: defaults.window.seq,
                    idle_ms: 2 * LONGEST_WINDOW_MS,
                    ..replay::Config::default()
                },
                key,
            ),
            digests: DigestMemory::new(
                digest::Config { keep_ms: LONGEST_DIGEST_WINDOW_MS, ..digest::Config::default() },
                key,
            ),
            dialogues: Dialogues::new(
                dialogues::Config { entries: defaults.transactions.limit, ..dialogues::Config::default() },
                key,
            ),
            misses: Misses::new(key),
            marked: Prints::new(MARKED, MARKED_MS, key),
            tunnels: Tunnels::new(
                tunnels::Config { entries: defaults.tunnels.limit, idle_ms: u64::from(defaults.tunnels.idle_s) * 1000 },
                key,
            ),
            detection: Memories::new(snapshot, key),
            tap: Tap::default(),
            rates: Rates::new(usize::from(PeerId::MAX)),
            buckets: Buckets::new(BUCKETS),
            key,
            known_since_ms: None,
        }
    }

    /// Replay windows and digests for [`Shared::import`] of the next run. Only once all workers have ended.
    ///
    /// * `started_ms`: when this run started; `now_ms`: both milliseconds since 1970
    pub fn export(&self, started_ms: u64, now_ms: u64) -> Vec<u8> {
        let left = carry::Left { since_ms: self.known_since_ms(started_ms), left_ms: now_ms };
        carry::export(&self.replay, &self.digests, left)
    }

    /// Goes on with the replay windows and digests of the run before: what was signed before this start, but not before
    /// the beginning of that memory, is from now on judged by the time window alone (formats 1.5). Whoever lets a memory
    /// be imported must know that no gateway ran since it was left.
    /// # Errors
    /// [`CarryError`]; nothing was changed.
    pub fn import(&mut self, octets: &[u8], now_ms: u64) -> Result<carry::Left, CarryError> {
        let left = carry::import(octets, now_ms, &mut self.replay, &mut self.digests)?;
        self.known_since_ms = Some(left.since_ms);
        Ok(left)
    }

    /// Since when replay windows and digests know all that was accepted, milliseconds since 1970.
    pub(crate) fn known_since_ms(&self, started_ms: u64) -> u64 {
        self.known_since_ms.unwrap_or(started_ms)
    }

    /// Whether one more message of this peer may pass that nobody could sign.
    ///
    /// * `per_second`: how many may, and as many at once after a pause
    pub(crate) fn allow(&self, peer: PeerId, per_second: u32, now_ms: u64) -> bool {
        self.rates.take(peer, Limit { per_second, burst: per_second }, now_ms).is_ok()
    }

    /// The key under which a transaction of ours is remembered.
    /// * `id`: its octets; `ours`: our title that opened it
    pub fn transaction_key(&self, id: &[u8], ours: &Digits) -> u64 {
        self.dialogues.key(id, &ours.packed())
    }

    /// The key of what the other side knows one of our transactions by.
    /// * `id`: the octets of its own; `theirs`, `ours`: the titles
    pub fn counterpart_key(&self, id: &[u8], theirs: &Digits, ours: &Digits) -> u64 {
        self.dialogues.counterpart(id, &theirs.packed(), &ours.packed())
    }

    /// The key under which a Diameter request is remembered that came by this link, this way.
    pub fn request_key(&self, link: LinkId, way: Direction, hop_by_hop: u32, end_to_end: u32) -> u64 {
        let [l0, l1] = link.to_be_bytes();
        // Two octets more than any transaction identifier: no answer of one protocol finds a question of the other.
        let place = [way as u8, l0, l1, 0, 0, 0];
        self.dialogues.key(&place, &(u64::from(hop_by_hop) << 32 | u64::from(end_to_end)).to_be_bytes())
    }
}
