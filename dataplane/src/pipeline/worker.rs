//! The worker: one thread, its queue of each port, and the turn that does everything.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;
use sealgate_config::model::IpFragments;
use sealgate_crypto::pool::Client;
use sealgate_wire::{Reason, Refusal};

use super::association::Associations;
use super::carrier;
use super::claims::{self, Scene, Scratch, SignerState};
use super::connection::{self, Offer};
use super::fragment::Defragmenter;
use super::parked::Parked;
use super::reassembly::Reassembly;
use super::rewrite::{self, Desk, Left};
use super::slots::{Action, AssocId, FrameSlot, Message, MessageId, Record, Slab};
use super::tap::{Ear, Viewed};
use super::timed::{Clock, Part, Timed};
use super::verdict::{self, Ledger};
use crate::io::FrameIo;
use crate::policy::snapshot::PeerId;
use crate::policy::{PolicyReader, Snapshot};
use crate::state::Direction;
use crate::state::fingerprint::Fingerprints;
use crate::state::retransmit::{Outcome, Seen, Stored, What};
use crate::state::stream;
use crate::state::stream::Streams;
use crate::stats::{Stats, StatsCell};

pub use super::shared::Shared;

/// Stands for any peer in a transaction: what a test opens without saying towards whom.
pub const ANY_PEER: PeerId = PeerId::MAX;

/// Frames taken from a port in one turn.
pub const BURST: usize = 32;
/// Turns between two copies of the counters.
const OFFER_TURNS: u64 = 1024;
/// Milliseconds between two looks for what expired.
const SWEEP_MS: u64 = 10;
/// The most that one turn adds to the clock of holds.
const HOLD_STEP_MS: u64 = 50;
/// Buckets of open transactions looked through at each: the whole table in minutes.
const SWEEP_BUCKETS: u32 = 8;

/// How a worker tells which way a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sides {
    /// By the port it came in: port 0 is interconnect, port 1 is home. An address on the wrong side is a forgery.
    #[default]
    ByPort,
    /// By its addresses: port 0 gives both directions, as a capture file does. All leaves by port 1.
    ByAddress,
}

/// What makes one worker differ from another.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Its number, from 0.
    pub index: usize,
    /// How many there are.
    pub workers: usize,
    /// How it tells which way a frame goes.
    pub sides: Sides,
    /// Frames that may wait at a time.
    pub frames: usize,
    /// Associations it may remember.
    pub associations: usize,
    /// When the gateway started, milliseconds since 1970.
    pub started_ms: u64,
    /// First value of its sequence counter; the boot time in microseconds (formats 1.5).
    pub first_seq: u64,
    /// Whether each verdict is written down; for replay and tests, since it allocates.
    pub journal: bool,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            index: 0,
            workers: 1,
            sides: Sides::ByPort,
            frames: 4096,
            associations: 1024,
            started_ms: 0,
            first_seq: 1,
            journal: false,
        }
    }
}

/// A part of the turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Receiving, decoding, and everything that is claimed and checked before a signature.
    Claims,
    /// Signatures: submitted, and taken in as they are answered; inline also computed.
    Verify,
    /// Verdicts, and what becomes of each chunk.
    Verdict,
    /// Making the packets that leave.
    Rewrite,
    /// Handing them to the port, and counting.
    Transmit,
}

/// Somebody who measures a turn.
pub trait Watch {
    /// A stage has ended just now.
    fn ended(&mut self, stage: Stage);
}

/// Nobody.
struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn ended(&mut self, _: Stage) {}
}

/// Frames handed from the worker whose queue they came by to the worker that owns their association.
pub type Mailbox<F> = Arc<ArrayQueue<(F, usize)>>;

/// One poll-mode worker. It owns its queues and its state and shares only what [`Shared`] holds.
pub struct Worker<P: FrameIo> {
    pub(super) config: WorkerConfig,
    pub(super) ports: [P; 2],
    pub(super) policy: PolicyReader<Snapshot>,
    pub(super) crypto: Client,
    pub(super) shared: Arc<Shared>,
    pub(super) mailboxes: Vec<Mailbox<P::Frame>>,
    /// Boxed like messages, so that each moves by its address.
    pub(super) frames: Slab<Box<FrameSlot<P::Frame>>>,
    pub(super) messages: Slab<Box<Message>>,
    pub(super) spare_frames: Vec<Box<FrameSlot<P::Frame>>>,
    #[expect(clippy::vec_box, reason = "what is kept is the box itself")]
    pub(super) spare_messages: Vec<Box<Message>>,
    pub(super) associations: Associations,
    pub(super) segments: Reassembly,
    pub(super) fingerprints: Fingerprints,
    pub(super) scratch: Scratch,
    pub(super) signer: SignerState,
    pub(super) stats: Stats,
    pub(super) journal: Option<Vec<Record>>,
    pub(super) ear: Ear,
    /// Connections over TCP, and messages of them that are to be judged.
    pub(super) streams: Streams,
    pub(super) offered: Vec<Offer>,
    /// Calls that wait for a certificate.
    pub(super) parked: VecDeque<Parked>,
    /// How often something changed that calls wait for, and how often that was hope that was given up.
    pub(super) looks: u64,
    given_up: u64,
    viewed: Viewed,
    /// Messages whose verdict can be found now.
    pub(super) ready: Vec<(MessageId, Result<(), Reason>)>,
    /// Flows whose first frame may be able to leave.
    pub(super) dirty: Vec<(AssocId, Direction)>,
    /// Flows that hold fragments.
    pub(super) holding: Vec<(AssocId, Direction)>,
    pub(super) received: u64,
    pub(super) now_ms: u64,
    /// The clock of holds, milliseconds from an arbitrary start.
    pub(super) hold_ms: u64,
    burst: Vec<P::Frame>,
    pub(super) out: [VecDeque<P::Frame>; 2],
    desk: Desk,
    /// A datagram on its way out, and a response in it.
    pub(super) datagram: Vec<u8>,
    pub(super) response: Vec<u8>,
    pub(super) fragments: Defragmenter,
    offer: StatsCell,
    swept_ms: u64,
}

impl<P: FrameIo> Worker<P> {
    /// A worker over port 0 (interconnect) and port 1 (home).
    ///
    /// * `mailboxes`: one a worker, the own one at `config.index`; empty for a single worker
    pub fn new(
        config: WorkerConfig,
        ports: [P; 2],
        policy: PolicyReader<Snapshot>,
        crypto: Client,
        shared: Arc<Shared>,
        mailboxes: Vec<Mailbox<P::Frame>>,
    ) -> Self {
        let snapshot = Arc::clone(policy.held());
        let node_base = snapshot.own.as_ref().map_or(0, |own| own.node_base);
        let stats = Stats::new(snapshot.peers.len());
        Self {
            frames: Slab::new(config.frames),
            messages: Slab::new(config.frames * 4),
            spare_frames: Vec::with_capacity(config.frames),
            spare_messages: Vec::with_capacity(config.frames),
            associations: Associations::new(config.associations),
            segments: Reassembly::new(shared.key),
            fingerprints: Fingerprints::random(),
            scratch: Scratch::default(),
            signer: SignerState {
                node: node_base.wrapping_add(config.index as u8),
                seq: config.first_seq.saturating_sub(1),
            },
            offer: StatsCell::new(&stats),
            stats,
            journal: config.journal.then(Vec::new),
            ear: Ear::new(config.index),
            streams: connection::streams(&snapshot),
            offered: Vec::with_capacity(config.frames),
            parked: VecDeque::new(),
            looks: 0,
            given_up: 0,
            viewed: Viewed::default(),
            ready: Vec::with_capacity(config.frames),
            dirty: Vec::with_capacity(config.frames),
            holding: Vec::new(),
            received: 0,
            now_ms: config.started_ms,
            hold_ms: 0,
            burst: Vec::with_capacity(BURST),
            out: [VecDeque::with_capacity(config.frames), VecDeque::with_capacity(config.frames)],
            desk: Desk::default(),
            datagram: Vec::new(),
            response: Vec::new(),
            fragments: Defragmenter::new((config.first_seq as u32).wrapping_add((config.index as u32) << 24)),
            swept_ms: 0,
            config,
            ports,
            policy,
            crypto,
            shared,
            mailboxes,
        }
    }

    /// One turn: receives a burst from each port, judges what can be judged, sends what is settled. Never waits.
    ///
    /// * `now_ms`: milliseconds since 1970; time never comes from anywhere else
    ///
    /// Returns how many frames were received.
    pub fn turn(&mut self, now_ms: u64) -> usize {
        self.turn_watched(now_ms, &mut Unwatched)
    }

    /// The same turn, with somebody told when each stage has ended: for measurements.
    pub fn turn_watched(&mut self, now_ms: u64, watch: &mut impl Watch) -> usize {
        // What stalls us stalls what we wait for: only time in which we looked counts against a hold.
        self.hold_ms += now_ms.saturating_sub(self.now_ms).min(HOLD_STEP_MS);
        self.now_ms = now_ms;
        let renewed = self.policy.refresh();
        if renewed {
            // Takes over rows for peers that are new.
            self.publish();
            self.streams.limit(&connection::limits(self.policy.held()));
        }
        self.ear.refresh(&self.shared.tap);
        let given_up = self.shared.misses.given_up();
        let again = renewed || given_up != self.given_up;
        if again {
            (self.given_up, self.looks) = (given_up, self.looks + 1);
        }
        let snapshot = Arc::clone(self.policy.held());
        if !self.parked.is_empty() {
            self.judge_parked(&snapshot, again);
        }
        let received = self.receive(&snapshot);
        watch.ended(Stage::Claims);
        self.crypto.flush();
        self.collect();
        watch.ended(Stage::Verify);
        self.judge(&snapshot);
        watch.ended(Stage::Verdict);
        if now_ms.saturating_sub(self.swept_ms) >= SWEEP_MS {
            self.swept_ms = now_ms;
            self.sweep();
        }
        self.release(&snapshot);
        watch.ended(Stage::Rewrite);
        self.transmit();
        self.stats.turns += 1;
        if received == 0 {
            self.stats.idle_turns += 1;
        }
        if self.stats.turns.is_multiple_of(OFFER_TURNS) {
            self.publish();
        }
        watch.ended(Stage::Transmit);
        received
    }

    /// True once no more input will come and nothing is on its way.
    pub fn is_done(&self) -> bool {
        self.ports.iter().all(FrameIo::exhausted)
            && self.frames.is_empty()
            && self.messages.is_empty()
            && self.offered.is_empty()
            && self.out.iter().all(VecDeque::is_empty)
            && self.mailboxes.get(self.config.index).is_none_or(|mailbox| mailbox.is_empty())
    }

    /// Frames on their way: waiting for a verdict, a fragment, or room in a transmit queue.
    pub fn in_flight(&self) -> usize {
        self.frames.len() + self.out.iter().map(VecDeque::len).sum::<usize>()
    }

    /// The counters as they are now.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Where copies of the counters are left.
    pub fn stats_cell(&self) -> StatsCell {
        self.offer.clone()
    }

    /// Leaves a copy of the counters; false if somebody reads the last one just now.
    pub fn publish(&mut self) -> bool {
        self.stats.frames_held = self.frames.len() as u64 + self.out.iter().map(VecDeque::len).sum::<usize>() as u64;
        self.stats.messages_waiting = self.messages.len() as u64;
        let (views, index) = (self.shared.tap.views(), self.config.index);
        self.viewed.answer(views, index, self.now_ms, self.associations.all());
        self.offer.offer(&mut self.stats)
    }

    /// The verdicts since the last call; empty without `journal`.
    pub fn take_journal(&mut self) -> Vec<Record> {
        self.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// From now on times the policy step of single messages by this clock, or no longer.
    pub fn time_policy(&mut self, clock: Option<Clock>) {
        self.scratch.timed = Timed::by(clock);
    }

    /// How long that part of it took each message that was timed, since the last call, in ticks of the clock.
    pub fn policy_times(&mut self, part: Part) -> Vec<u64> {
        self.scratch.timed.take(part)
    }

    /// The port with this number.
    pub fn port_mut(&mut self, number: usize) -> Option<&mut P> {
        self.ports.get_mut(number)
    }

    /// Memories shared with the other workers.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Connections over TCP that the worker remembers, and what happened to them.
    pub fn connections(&self) -> (usize, &stream::Counters) {
        (self.streams.len(), self.streams.counters())
    }

    /// Associations that the worker remembers.
    pub fn associations(&self) -> usize {
        self.associations.len()
    }

    /// Takes a burst from the mailbox and from each port, as far as there are slots for it.
    fn receive(&mut self, snapshot: &Snapshot) -> usize {
        let mut received = 0;
        for _ in 0..BURST {
            let mailbox = self.mailboxes.get(self.config.index);
            let Some((frame, port)) = mailbox.filter(|_| self.frames.room() > 0).and_then(|mailbox| mailbox.pop())
            else {
                break;
            };
            self.stats.taken += 1;
            self.take_frame(snapshot, frame, port, true);
        }
        for number in 0..self.ports.len() {
            let max = BURST.min(self.frames.room());
            let mut burst = std::mem::take(&mut self.burst);
            let got = self.ports.get_mut(number).map_or(0, |port| port.rx(&mut burst, max));
            if let Some(counter) = self.stats.rx.get_mut(number) {
                *counter += got as u64;
            }
            received += got;
            for frame in burst.drain(..) {
                self.take_frame(snapshot, frame, number, false);
            }
            self.burst = burst;
        }
        if !self.offered.is_empty() {
            self.take_offered(snapshot);
        }
        received
    }

    /// Takes in what the crypto pool has answered.
    fn collect(&mut self) {
        let (messages, ready) = (&mut self.messages, &mut self.ready);
        self.crypto.collect(&mut |outcome| verdict::answered(messages, outcome, ready));
    }

    /// Finds the verdict of every message that waits for nothing any more.
    fn judge(&mut self, snapshot: &Snapshot) {
        let mut ready = std::mem::take(&mut self.ready);
        for (id, so_far) in ready.drain(..) {
            let Some(mut message) = self.messages.remove(id) else { continue };
            self.settle_one(snapshot, &mut message, so_far);
            message.reset();
            self.spare_messages.push(message);
        }
        self.ready = ready;
        if !self.offered.is_empty() {
            self.take_offered(snapshot);
        }
    }

    /// The same apart from the others, which keep its octets to themselves.
    #[cold]
    pub(super) fn settle_at_once(&mut self, snapshot: &Snapshot, message: &mut Message) {
        self.settle_one(snapshot, message, Ok(()));
    }

    #[inline(always)]
    fn settle_one(&mut self, snapshot: &Snapshot, message: &mut Message, so_far: Result<(), Reason>) {
        let way = message.way.unwrap_or(Direction::In);
        if message.ticket.is_none() {
            self.dirty.push((message.assoc, way));
        }
        let mut scene = Scene {
            snapshot,
            shared: &self.shared,
            crypto: &mut self.crypto,
            segments: &mut self.segments,
            scratch: &mut self.scratch,
            signer: &mut self.signer,
            stats: &mut self.stats,
            now_ms: self.now_ms,
            started_ms: self.config.started_ms,
        };
        let (mut reason, at, mut leaves) = match message.settled {
            Some(settled) => settled,
            None => match verdict::judge(&mut scene, message, so_far) {
                Ok(reason) => (reason, 0, true),
                Err((reason, at)) => (reason, at, false),
            },
        };
        if reason.is_of_passport() && !leaves {
            let octets = match message.ticket {
                Some(ticket) => self.streams.message(ticket),
                None => {
                    message.parts.first().and_then(|part| self.frames.get_mut(part.frame)).and_then(|slot| slot.user())
                }
            };
            if claims::sip::mark_refused(&scene, octets.unwrap_or_default(), message, reason) {
                scene.stats.event(reason);
                (reason, leaves) = (Reason::OkMarked, true);
            }
        }
        let picture: &[u8] = match message.ticket {
            Some(ticket) => connection::picture(&self.streams, ticket, reason, &mut self.response),
            None => &[],
        };
        let mut ledger = Ledger {
            frames: &mut self.frames,
            associations: &mut self.associations,
            journal: &mut self.journal,
            ear: &self.ear,
            picture,
        };
        let leaves = verdict::settle(&mut ledger, &mut scene, message, reason, at, leaves);
        if let Some(ticket) = message.ticket {
            self.settle_stream(message, ticket, leaves);
        }
    }

    /// Gives up what waited too long.
    fn sweep(&mut self) {
        if !self.streams.is_empty() {
            self.expire_streams();
        }
        self.shared.dialogues.sweep(SWEEP_BUCKETS, self.now_ms);
        self.shared.tunnels.sweep(SWEEP_BUCKETS, self.now_ms);
        self.shared.buckets.sweep(SWEEP_BUCKETS, self.now_ms);
        self.shared.detection.sweep(&self.policy.held().detection, self.now_ms);
        for table in self.segments.tables() {
            let expired = table.expire(self.now_ms);
            self.stats.events[Reason::SccpReasmTimeout.index()] += expired as u64;
        }
        self.stats.events[Reason::IpFragment.index()] += self.fragments.expire(self.now_ms);
        let mut holding = std::mem::take(&mut self.holding);
        holding.retain(|&(assoc, way)| self.expire_fragments(assoc, way));
        self.holding = holding;
    }

    /// Lets go of fragments past their deadline; false once the flow holds none.
    fn expire_fragments(&mut self, assoc: AssocId, way: Direction) -> bool {
        loop {
            let Some(association) = self.associations.get_mut(assoc) else { return false };
            let kind = self.policy.held().links.get(usize::from(association.key.link)).map(|link| link.config.kind);
            let offered = association.tags.forward_tsn() && kind.is_some_and(carrier::may_skip);
            let Some(flow) = association.flows.get_mut(way as usize) else { return false };
            let Some(held) = flow.held.as_mut() else { return false };
            let Some(lost) = held.expired(self.hold_ms) else { return held.held() > 0 };
            let forward = offered && flow.acked.is_none_or(|acked| acked.wrapping_add(1) == lost.first_tsn);
            if forward {
                held.abandon(lost, self.hold_ms);
            }
            self.stats.event(Reason::SctpReasm);
            self.give_up(assoc, way, (lost.first_tsn, lost.last_tsn), forward);
        }
    }

    /// Turns the held chunks of a range into FORWARD TSN, or has them sent again.
    pub(super) fn give_up(&mut self, assoc: AssocId, way: Direction, (first, last): (u32, u32), forward: bool) {
        let Some(association) = self.associations.get_mut(assoc) else { return };
        let Some(flow) = association.flows.get_mut(way as usize) else { return };
        for &frame in &flow.queue {
            let Some(slot) = self.frames.get_mut(frame) else { continue };
            for plan in &mut slot.plans {
                if plan.action == Action::Fragment && plan.tsn.wrapping_sub(first) <= last.wrapping_sub(first) {
                    plan.action = if forward { Action::ForwardTsn } else { Action::Discard };
                    slot.waiting = slot.waiting.saturating_sub(1);
                }
            }
        }
        self.dirty.push((assoc, way));
    }

    /// Sends the frames at the front of each touched flow whose messages are all settled.
    fn release(&mut self, snapshot: &Snapshot) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for (assoc, way) in dirty.drain(..) {
            while let Some(id) = self.first_settled(assoc, way) {
                if let Some(association) = self.associations.get_mut(assoc) {
                    association.flows[way as usize].queue.pop_front();
                }
                let Some(slot) = self.frames.remove(id) else { continue };
                self.leave(snapshot, slot);
            }
        }
        self.dirty = dirty;
    }

    /// The first frame of a flow, if nothing in it waits any more.
    fn first_settled(&mut self, assoc: AssocId, way: Direction) -> Option<u32> {
        let id = *self.associations.get_mut(assoc)?.flows.get(way as usize)?.queue.front()?;
        match self.frames.get_mut(id) {
            Some(slot) if slot.waiting > 0 => None,
            _ => Some(id),
        }
    }

    fn leave(&mut self, snapshot: &Snapshot, mut slot: Box<FrameSlot<P::Frame>>) {
        self.repeat(&mut slot);
        let link = snapshot.links.get(usize::from(slot.link));
        let mtu = link.map_or(usize::MAX, |link| usize::from(link.mtu));
        let cuts = link.is_some_and(|link| link.config.ip_fragments == IpFragments::Reassemble);
        let exit = slot.exit;
        let queued = if cuts { self.out.get(exit).map_or(0, VecDeque::len) } else { 0 };
        if slot.kind.is_datagram() {
            self.leave_datagram(snapshot, &mut slot);
            if cuts {
                self.cut(exit, queued, mtu);
            }
            return self.keep(slot);
        }
        let (Some(port), Some(queue)) = (self.ports.get_mut(exit), self.out.get_mut(exit)) else { return };
        match rewrite::send(&mut slot, mtu, port, queue, &mut self.desk) {
            Ok(Left::Sent { more }) => self.stats.made += more,
            Ok(Left::Dropped(reason)) | Err(reason) => self.stats.frames_dropped[reason.index()] += 1,
        }
        if cuts {
            self.cut(exit, queued, mtu);
        }
        self.keep(slot);
    }

    /// Gives retransmissions of what was not settled when they came the verdict of the first time.
    fn repeat(&mut self, slot: &mut FrameSlot<P::Frame>) {
        for plan in &mut slot.plans {
            if plan.action != Action::Again {
                continue;
            }
            let flow = self.associations.get_mut(slot.assoc).and_then(|a| a.flows.get_mut(slot.way as usize));
            let seen = flow.and_then(|flow| flow.sent.as_mut()).map(|sent| sent.look(plan.tsn, plan.print));
            plan.action = match seen {
                Some(Seen::Same(Stored::Kept(outcome))) if !is_pending(&outcome) => {
                    action_of(outcome.what, &mut slot.octets)
                }
                // The first one is gone from memory: what cannot be known is refused.
                _ => Action::Filler { total: 0 },
            };
        }
    }

    pub(super) fn keep(&mut self, mut slot: Box<FrameSlot<P::Frame>>) {
        slot.reset();
        self.spare_frames.push(slot);
    }

    /// A frame that needs no verdict leaves by this port.
    pub(super) fn forward(&mut self, frame: P::Frame, exit: usize) {
        if let Some(queue) = self.out.get_mut(exit) {
            queue.push_back(frame);
        }
    }

    /// Hands settled frames to the ports; what a full queue does not take waits, and past a burst's worth of bursts it
    /// is dropped from the front: the youngest frame is the one still worth sending.
    fn transmit(&mut self) {
        for (number, (port, queue)) in self.ports.iter_mut().zip(&mut self.out).enumerate() {
            if queue.is_empty() {
                continue;
            }
            let sent = port.tx(queue);
            if let Some(counter) = self.stats.tx.get_mut(number) {
                *counter += sent as u64;
            }
            while queue.len() > self.config.frames {
                queue.pop_front();
                self.stats.frames_dropped[Reason::ResOverload.index()] += 1;
            }
        }
    }

    /// A frame that is not forwarded, with its octets as far as they are still here.
    pub(super) fn drop_frame(
        &mut self,
        number: u64,
        way: Option<Direction>,
        link: Option<u16>,
        refusal: Refusal,
        octets: &[u8],
    ) {
        let Refusal { reason, at } = refusal;
        self.stats.frames_dropped[reason.index()] += 1;
        let record = Record { at, ..Record::of(number, way, link, reason) };
        self.ear.frame(&self.shared.tap, self.now_ms, record, octets);
        if let Some(journal) = &mut self.journal {
            journal.push(record);
        }
    }
}

/// Whether an outcome says only that its chunk waits for a verdict.
pub(super) fn is_pending(outcome: &Outcome<'_>) -> bool {
    outcome.verdict == Reason::OkHeld && outcome.what == What::AsCame
}

/// The action that repeats what left the first time.
pub(super) fn action_of(what: What<'_>, octets: &mut Vec<u8>) -> Action {
    match what {
        What::AsCame => Action::AsCame,
        What::Filler => Action::Filler { total: 0 },
        What::ForwardTsn => Action::ForwardTsn,
        What::Octets(stored) => {
            let from = octets.len();
            octets.extend_from_slice(stored);
            Action::Octets { from: from as u32, to: octets.len() as u32 }
        }
    }
}
