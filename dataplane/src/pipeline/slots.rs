//! Frame slots and message slots. A packet may carry several messages and a message may lie in several packets: claims
//! and verdicts belong to messages, and a frame leaves when all its messages are settled.

use sealgate_config::model::LinkKind;
use sealgate_crypto::verify::Verified;
use sealgate_wire::{Reason, Refusal, udp};

use super::detect::Event;
use crate::io::Frame;
use crate::policy::rules::Ruling;
use crate::policy::snapshot::{LinkId, PeerId, SignerId};
use crate::state::Direction;
use crate::state::dialogues::Begun;
use crate::state::fingerprint::Fingerprint;
use crate::state::stream::Ticket;

/// Place of a frame in its slab.
pub type FrameId = u32;
/// Place of a message in its slab.
pub type MessageId = u32;
/// Place of an association in a worker's table.
pub type AssocId = u32;

/// A SHA-256 of what was signed.
pub type Digest = [u8; 32];

/// Slots that are reused and never given back, so that a warm worker allocates nothing.
#[derive(Debug)]
pub struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    limit: usize,
}

impl<T> Slab<T> {
    /// A slab of at most `limit` slots.
    pub fn new(limit: usize) -> Self {
        Self { slots: Vec::with_capacity(limit), free: Vec::with_capacity(limit), limit }
    }

    /// Puts a value in; gives it back when all slots are taken.
    pub fn insert(&mut self, value: T) -> Result<u32, T> {
        if let Some(id) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(id as usize) {
                *slot = Some(value);
            }
            return Ok(id);
        }
        if self.slots.len() >= self.limit {
            return Err(value);
        }
        self.slots.push(Some(value));
        Ok(self.slots.len() as u32 - 1)
    }

    /// The value in a slot.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    /// Takes the value out.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let value = self.slots.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(value)
    }

    /// Slots that are taken.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True if no slot is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slots that are still free.
    pub fn room(&self) -> usize {
        self.limit - self.len()
    }
}

/// Whether the sender of a refused request gets an answer, where the gateway can give one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// As its link has it.
    AsLink,
    /// Yes.
    Given,
    /// No.
    Withheld,
}

/// What becomes of one DATA chunk of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It leaves as it came.
    AsCame,
    /// It becomes the no-op of its protocol; `total`: octets of the no-op, at least as many as its shortest form.
    Filler {
        /// Octets of user data.
        total: u32,
    },
    /// It gets other user data: this part of the frame slot's `octets`.
    Octets {
        /// First octet.
        from: u32,
        /// Behind the last.
        to: u32,
    },
    /// A datagram that goes nowhere, and whether its sender is told.
    Drop(Reason, Answer),
    /// A FORWARD TSN takes its place (RFC 3758).
    ForwardTsn,
    /// It is left out, and the neighbour's stack sends it again.
    Discard,
    /// A message that is not settled yet.
    Wait(MessageId),
    /// A retransmission of a chunk that is not settled yet.
    Again,
    /// A part of a message whose other parts are not here yet.
    Fragment,
}

/// One DATA chunk of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Its transmission sequence number.
    pub tsn: u32,
    /// What must be equal for a retransmission to be one.
    pub print: Fingerprint,
    /// Octets of its user data as it came.
    pub user_len: u32,
    /// What becomes of it.
    pub action: Action,
}

/// A frame on its way.
#[derive(Debug)]
pub struct FrameSlot<F> {
    /// The frame; `None` in a spare slot.
    pub frame: Option<F>,
    /// How many frames this worker received before it.
    pub number: u64,
    /// Which way it goes.
    pub way: Direction,
    /// The port it leaves by.
    pub exit: usize,
    /// Its link.
    pub link: LinkId,
    /// What its link carries.
    pub kind: LinkKind,
    /// Its association.
    pub assoc: AssocId,
    /// First octet of the IP header.
    pub ip: usize,
    /// First octet of the SCTP header.
    pub sctp: usize,
    /// Behind the SCTP packet.
    pub end: usize,
    /// DATA chunks that are not settled.
    pub waiting: usize,
    /// Its DATA chunks, in their order.
    pub plans: Vec<Plan>,
    /// Octets that [`Action::Octets`] points into.
    pub octets: Vec<u8>,
}

impl<F> FrameSlot<F> {
    /// A slot without a frame.
    pub fn spare() -> Self {
        Self {
            frame: None,
            number: 0,
            way: Direction::In,
            exit: 0,
            link: 0,
            kind: LinkKind::default(),
            assoc: 0,
            ip: 0,
            sctp: 0,
            end: 0,
            waiting: 0,
            plans: Vec::new(),
            octets: Vec::new(),
        }
    }

    /// What a datagram carries.
    pub fn user(&self) -> Option<&[u8]>
    where
        F: Frame,
    {
        self.frame.as_ref()?.octets().get(self.sctp + udp::HEADER_LEN..self.end)
    }

    /// Empties a slot for its next frame; buffers keep their memory.
    pub fn reset(&mut self) {
        self.frame = None;
        self.waiting = 0;
        self.plans.clear();
        self.octets.clear();
    }
}

/// Where a part of a message lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The frame.
    pub frame: FrameId,
    /// Place among the frame's DATA chunks.
    pub plan: usize,
}

/// What has to be remembered when a signature held, so that the message passes only once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Once {
    /// Nothing.
    #[default]
    Nothing,
    /// A sequence number.
    Sequence {
        /// Signer.
        sai: [u8; 8],
        /// Its counter.
        node: u8,
        /// The number.
        seq: u64,
    },
    /// The digest of what was signed.
    Digest(Digest),
    /// The same, where it may be known already.
    DigestAgain(Digest),
    /// A PASSporT, which may come again in its own transaction alone.
    Call {
        /// Of what was signed.
        input: Digest,
        /// Of that and the transaction.
        call: Digest,
    },
}

/// Signature state of a message (formats 1.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SignatureState {
    /// Signed, and everything but the signature itself already held.
    Claimed,
    /// No security element.
    #[default]
    Absent,
    /// The signer is not known, or its standing is not.
    UnknownSigner,
    /// The peer's mode is ignore.
    Unchecked,
}

/// What a message must find open, or opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Transaction {
    /// Nothing to look at.
    #[default]
    None,
    /// An answer to what we opened under this key; `ends`: it closes it; `abort`: it is an ABORT.
    Answers {
        /// Key of the transaction.
        key: u64,
        /// It closes the transaction.
        ends: bool,
        /// It is an ABORT, which nobody can sign.
        abort: bool,
        /// Others than who was asked may answer.
        anybody: bool,
        /// Until when a transaction that is not known is taken for one of before the start, milliseconds since 1970;
        /// `None`: it need not be open. Noted with the claims, so that no message is judged by two policies.
        unknown_until_ms: Option<u64>,
        /// By what the sender knows the transaction, where it says so.
        counterpart: Option<u64>,
    },
    /// The peer begins one, which becomes one of ours with our first answer.
    Begins,
    /// Opens one: of ours towards the peer, or of the peer's towards us.
    Opens {
        /// Key of the transaction.
        key: u64,
        /// What it is about, as [`crate::policy::tables::Contexts::word`] has it; `None`: what was known of it before.
        about: Option<u16>,
        /// Who began it; `None`: who did as far as is known, and otherwise they did.
        begun: Option<Begun>,
        /// By what the other side knows it, where it has an id there.
        counterpart: Option<u64>,
    },
    /// We end what the other side knows by this.
    Ends {
        /// See [`crate::state::dialogues::Dialogues::counterpart`].
        counterpart: u64,
    },
}

/// One user message on its way.
#[derive(Debug, Default)]
pub struct Message {
    /// Where it lies: usually one part, over TCP none.
    pub parts: Vec<Part>,
    /// Which way it goes; `None` only in a spare slot.
    pub way: Option<Direction>,
    /// Its link.
    pub link: LinkId,
    /// What its link carries.
    pub kind: LinkKind,
    /// Its association; of one over TCP none.
    pub assoc: AssocId,
    /// Its place in its connection over TCP. Such a message has no parts.
    pub ticket: Option<Ticket>,
    /// Sequence number of its first octet, and the frame that made it whole, where it has no parts.
    pub seq: u32,
    /// See `seq`.
    pub frame: u64,
    /// Octets it had.
    pub len: usize,
    /// DATA chunks it came in, and octets of the longest.
    pub fragments: usize,
    /// Octets of the longest of them.
    pub longest: usize,
    /// Who it claims to be from, or whom it is for.
    pub peer: PeerId,
    /// How it stands with its signature.
    pub state: SignatureState,
    /// What must be marked when the signature held.
    pub once: Once,
    /// What policy says apart from transactions.
    pub screened: Option<Refusal>,
    /// Transaction it belongs to.
    pub transaction: Transaction,
    /// What it means to detectors; `None`: nothing, or nobody looks.
    pub event: Option<Event>,
    /// User data that leaves if it passes; empty: as it came.
    pub output: Vec<u8>,
    /// Place of our signature in `output`, while it is being made.
    pub signature: Option<(usize, usize)>,
    /// What leaves instead if it cannot be signed: true means as it came.
    pub unsigned_instead: bool,
    /// An own message that came back: its signature is ours.
    pub returned: bool,
    /// A verdict that needs nothing more: its reason, where it showed, and whether the message leaves.
    pub settled: Option<(Reason, u32, bool)>,
    /// The answer of the crypto pool.
    pub proof: Option<Verified>,
    /// Answers of the crypto pool that are still to come before the one that settles it.
    pub further: u8,
    /// What an answer before it, or one that could not be asked for, has already made of it.
    pub failed: Option<Reason>,
    /// It may wait for a certificate.
    pub may_wait: bool,
    /// Whose certificate its signature is under, where it names one.
    pub signer: Option<SignerId>,
    /// What operator rules say of it.
    pub ruling: Option<Ruling>,
    /// No rule matches one of its parts.
    pub unmatched: bool,
    /// A rule switched a built-in check off that would have refused it.
    pub excused: bool,
    /// Who calls, as token buckets know them; 0 stands for nobody.
    pub caller: u64,
    /// What it would be refused for, were its peer screened actively.
    pub would: Option<Refusal>,
}

impl Message {
    /// Empties a slot for its next message; buffers keep their memory.
    pub fn reset(&mut self) {
        self.parts.clear();
        self.output.clear();
        let (parts, output) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.output));
        *self = Self { parts, output, ..Self::default() };
    }
}

/// What became of a message or of a frame, for journals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Number of the frame at this worker, counted from 0; of its last one where there are several.
    pub frame: u64,
    /// Which way it went, where its link is known.
    pub way: Option<Direction>,
    /// Its link.
    pub link: Option<LinkId>,
    /// Its peer.
    pub peer: PeerId,
    /// TSN of its (last) DATA chunk, over TCP the sequence number of its first octet; `None`: the record is of the frame.
    pub tsn: Option<u32>,
    /// The verdict's reason.
    pub reason: Reason,
    /// Octet of the layer named by the reason.
    pub at: u32,
    /// The operator rule that counted, see [`crate::policy::rules::tag_of`]; 0: none did.
    pub rule: u64,
    /// It passes under its reason, and would be refused for this one, were its peer screened actively.
    pub would: Option<Reason>,
    /// Whether that rule wants each message that it decides in the log.
    pub logged: bool,
}

impl Record {
    /// That of a frame, or of a message of which no more is known.
    pub(super) fn of(frame: u64, way: Option<Direction>, link: Option<LinkId>, reason: Reason) -> Self {
        Self { frame, way, link, peer: 0, tsn: None, reason, at: 0, rule: 0, would: None, logged: false }
    }

    /// The reason that an operator asks about: what the message was refused for, or would be.
    pub fn counts_as(&self) -> Reason {
        self.would.unwrap_or(self.reason)
    }
}
