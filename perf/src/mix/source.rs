//! Frames without end, each with the fate it must meet.

mod tape;

use std::error::Error;

use sealgate_wire::sec::Tvp;
use sealgate_wire::sec::dess::SystemTime;

use self::tape::Tape;
use super::Side;
use super::asked::{Asked, Question};
use super::dice::{Choice, Dice, scale};
use super::lane::{Association, associations};
use super::made::{Made, Worth};
use super::message::{Form, Kind};
use super::nonces::{Signer, TestKey};
use super::operation::{Operation, Protocol};
use super::past::{Past, Record};
use super::policy::Numbering;
use super::profile::{Mode, Profile};
use super::stock;
use super::template::Template;
use super::values::Values;
use super::world::{Peer, World};

/// Largest packet, counted from Ethernet: an IP packet of 1500 octets.
const MAX_FRAME: usize = 1514;
/// Octets of a DATA chunk besides its user data.
const CHUNK: usize = 16;
/// Most messages in a packet.
const BUNDLE: u32 = 8;
/// Associations that are set up at once: fewer than a gateway lets wait for their handshake.
const GREETINGS: usize = 16;

/// What was put into a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The port by which it enters the gateway.
    pub side: Side,
    /// Its association.
    pub association: u16,
    /// TSN of its first DATA chunk; the next has the next one. Of a datagram: its number in its association.
    pub first_tsn: u32,
    /// DATA chunks.
    pub chunks: u8,
    /// Bit i: chunk i must be refused.
    pub refuse: u32,
    /// A datagram, which counts as one chunk: if it must be refused, nothing comes in its place.
    pub datagram: bool,
}

/// A message that is drawn but not yet signed and written.
#[derive(Clone, Copy)]
struct Draft {
    worth: Worth,
    kind: Kind,
    template: usize,
    /// Octets of user data.
    len: usize,
    values: Values,
    key: u32,
    /// The only association that it may use.
    association: Option<u16>,
}

/// Makes frames of a profile. One seed gives one sequence of octets, as long as it is asked at the same times.
pub struct Source {
    associations: Vec<Association>,
    /// First association and number of associations of each protocol.
    ranges: [(u32, u32); Protocol::CARRIERS.len()],
    templates: Vec<Option<Template>>,
    numbering: Numbering,
    peers: Vec<Peer>,
    keys: Vec<(TestKey, [u8; 8])>,
    /// Last sequence number of each key; empty until the first frame.
    sequences: Vec<u64>,
    operations: Choice<Operation>,
    worth: Choice<Worth>,
    /// Shares of 2^32.
    outbound: u64,
    answers: u64,
    bundled: u64,
    xudt: u64,
    require: bool,
    signer: Signer,
    dice: Dice,
    transaction: u32,
    /// For each side a message that did not fit into the packet before.
    waiting: [Option<Draft>; 2],
    past: Past,
    /// What each side has asked.
    asked: [Asked; 2],
    /// What is played instead of the mix; empty: nothing.
    tape: Tape,
    covered: Vec<u8>,
    made: Made,
}

impl Source {
    /// A source of `profile`'s traffic under the keys of `world`, which was made for the same peers, keys and links.
    ///
    /// # Errors
    /// A profile and a world that do not fit each other; a message that does not fit into its layer: a defect.
    pub fn new(profile: &Profile, world: &World) -> Result<Self, Box<dyn Error>> {
        if !world.profile().same_gateway(profile) {
            return Err("the world is of another profile: make it of this one".into());
        }
        let mut dice = Dice::new(profile.seed);
        let associations = associations(profile, || dice.next()).ok_or("an association cannot be made")?;
        let judgement = profile.judgement;
        let worth = Choice::new([
            (Worth::Unsigned, judgement.unsigned),
            (Worth::Signed, judgement.signed),
            (Worth::Forged, judgement.forged),
            (Worth::Spoofed, judgement.spoofed),
            (Worth::Replayed, judgement.replayed),
        ]);
        let operations = Choice::new(Operation::ALL.map(|operation| (operation, profile.operations.share(operation))));
        let of_all = |share: f64| (share * 4_294_967_296.0) as u64;
        let mut first = 0;
        let ranges = Protocol::CARRIERS.map(|protocol| {
            let range = (first, u32::from(profile.links_of(protocol)) * u32::from(profile.associations));
            first += range.1;
            range
        });
        Ok(Self {
            associations,
            ranges,
            templates: stock::templates(profile, world.numbering.title_len())?,
            numbering: world.numbering,
            peers: world.peers.clone(),
            keys: world.keys.clone(),
            sequences: Vec::new(),
            operations: operations.ok_or("no operation has a share")?,
            worth: worth.ok_or("no judgement has a share")?,
            outbound: of_all(profile.outbound),
            // Who speaks alone is not answered.
            answers: if profile.outbound > 0.0 && profile.outbound < 1.0 { of_all(profile.answers) } else { 0 },
            bundled: of_all(profile.bundled),
            xudt: of_all(profile.xudt),
            require: profile.mode == Mode::Require,
            signer: Signer::new(profile.seed).ok_or("no nonces")?,
            dice,
            transaction: profile.seed as u32,
            waiting: [None; 2],
            past: Past::new(),
            asked: [Asked::new(), Asked::new()],
            tape: Tape::default(),
            covered: Vec::new(),
            made: Made::default(),
        })
    }

    /// How many associations there are; their numbers are 0 to one less.
    pub fn associations(&self) -> usize {
        self.associations.len()
    }

    /// The first TSN of an association's direction; 0 for an association that is not there.
    ///
    /// * `side`: where its packets enter
    pub fn first_tsn(&self, association: u16, side: Side) -> u32 {
        let association = self.associations.get(usize::from(association));
        association.map_or(0, |association| association.lanes[side as usize].first_tsn)
    }

    /// The frames that set all associations up, before the first of [`Source::next`].
    ///
    /// All of one side that stand together may enter at once; they must leave the gateway before the next of the other side
    /// enters, since two ports keep no order between them. A gateway that knew these associations before forgets what it had
    /// seen of them: a new source may begin again with the same TSNs.
    pub fn handshake(&self) -> Vec<(Side, Vec<u8>)> {
        let mut frames = Vec::new();
        for group in self.associations.chunks(GREETINGS) {
            let packets: Vec<_> = group.iter().filter_map(Association::handshake).collect();
            for step in 0..4 {
                frames.extend(packets.iter().filter_map(|packets| packets.get(step).cloned()));
            }
        }
        frames
    }

    /// What it has made so far.
    pub fn made(&self) -> &Made {
        &self.made
    }

    /// Makes `out` the next frame.
    ///
    /// * `now_ms`: milliseconds since 1970, for the time of signing; the first call's begins the sequence numbers, so that
    ///   a source that starts later goes on above what an earlier one used
    pub fn next(&mut self, now_ms: u64, out: &mut Vec<u8>) -> Sent {
        self.next_after(now_ms, out, |_, _, _| true)
    }

    /// The same where messages may be lost on their way to the gateway, or refused by it for want of room: what it never
    /// accepted is no replay when it comes.
    ///
    /// * `passed`: whether a chunk that entered by this side, of this association and with this TSN, passed
    pub fn next_after(&mut self, now_ms: u64, out: &mut Vec<u8>, passed: impl Fn(Side, u16, u32) -> bool) -> Sent {
        if self.sequences.is_empty() {
            self.sequences.resize(self.keys.len(), now_ms * 1000);
        }
        let sent = if self.tape.plays.is_empty() { self.mix(now_ms, out, &passed) } else { self.play(now_ms, out) };
        if let Some(association) = self.associations.get(usize::from(sent.association)) {
            association.lanes[sent.side as usize].end(out);
        }
        self.made.frames += 1;
        self.made.octets += out.len() as u64;
        self.made.bundles += u64::from(sent.chunks > 1);
        sent
    }

    /// Begins a packet.
    fn begin(&self, side: Side, association: u16, out: &mut Vec<u8>) -> Sent {
        let lanes = self.associations.get(usize::from(association)).map(|association| &association.lanes);
        let (first_tsn, datagram) = lanes.map_or((0, false), |lanes| {
            let lane = &lanes[side as usize];
            lane.begin(out);
            (lane.tsn, lane.is_datagram())
        });
        Sent { side, association, first_tsn, chunks: 0, refuse: 0, datagram }
    }

    /// A packet of the mix.
    #[inline]
    fn mix(&mut self, now_ms: u64, out: &mut Vec<u8>, passed: &impl Fn(Side, u16, u32) -> bool) -> Sent {
        let (bits, more) = (self.dice.next(), self.dice.next());
        let side = if (bits & 0xffff_ffff) < self.outbound { Side::Home } else { Side::Interconnect };
        let count = if more >> 32 < self.bundled { 2 + scale(more as u32, BUNDLE - 1) } else { 1 };
        let mut draft = self.waiting[side as usize].take().unwrap_or_else(|| self.draw(side, passed));
        let carrier = draft.kind.operation.protocol().carrier();
        let (first, all) = self.ranges.get(carrier as usize).copied().unwrap_or_default();
        let any = (first + scale((bits >> 32) as u32, all)) as u16;
        let association = draft.association.unwrap_or(any);
        let mut sent = self.begin(side, association, out);
        loop {
            sent.refuse |= u32::from(self.write(&mut draft, association, now_ms, out)) << sent.chunks;
            sent.chunks += 1;
            if u32::from(sent.chunks) >= count || sent.datagram {
                return sent;
            }
            draft = self.draw(side, passed);
            let fits =
                out.len() + CHUNK + draft.len <= MAX_FRAME && draft.kind.operation.protocol().carrier() == carrier;
            if !fits || draft.association.is_some_and(|only| only != association) {
                self.waiting[side as usize] = Some(draft);
                return sent;
            }
        }
    }

    /// A new transaction of a key's owner, everything else zero.
    fn values(&mut self, key: u32) -> Values {
        self.transaction = self.transaction.wrapping_add(0x9e37_79b1); // odd: none comes twice in 2^32
        Values {
            number: 0,
            subscriber: 0,
            plmn: [0; 3],
            transaction: self.transaction.to_be_bytes(),
            sai: self.keys.get(key as usize).map_or([0; 8], |(_, sai)| *sai),
            tvp: [0; 4],
            seconds: [0; 4],
            seq: [0; 8],
            signature: [0; 64],
        }
    }

    /// Draws the next message of a side.
    #[inline]
    fn draw(&mut self, side: Side, passed: &impl Fn(Side, u16, u32) -> bool) -> Draft {
        let (bits, more, who) = (self.dice.next(), self.dice.next(), self.dice.next());
        let operation = self.operations.pick((bits >> 32) as u32);
        let mut worth = match side {
            _ if operation.is_exempt() => Worth::Exempt,
            Side::Home => Worth::Outbound,
            Side::Interconnect => self.worth.pick(bits as u32),
        };
        if worth == Worth::Replayed {
            let record = self.past.pick(more as u32);
            if let Some(record) = record.filter(|record| passed(side, record.association, record.tsn)) {
                let &Record { kind, template, values, association, .. } = record;
                let len = self.len_of(template);
                return Draft { worth, kind, template, len, values, key: 0, association: Some(association) };
            }
            worth = Worth::Signed; // nothing is old enough yet, or it was lost
        }
        let form = match worth {
            Worth::Outbound | Worth::Unsigned | Worth::Exempt => Form::Plain,
            Worth::Signed | Worth::Forged | Worth::Replayed | Worth::Played(_) => Form::Signed,
            Worth::Spoofed => Form::Spoofed,
        };
        let extended = more >> 32 < self.xudt;
        if form != Form::Spoofed
            && worth != Worth::Exempt
            && self.answers > 0
            && self.dice.next() >> 32 < self.answers
            && let Some(Question { operation, values, key, sent: (association, _) }) =
                self.asked[side.other() as usize].take(|association, tsn| passed(side.other(), association, tsn))
        {
            let kind = Kind { operation, side, answer: true, form, extended };
            let template = stock::index(kind);
            // An answer of Diameter goes back the way of its question, one of TCAP by any.
            let association = (operation.protocol() == Protocol::Diameter).then_some(association);
            return Draft { worth, kind, template, len: self.len_of(template), values, key, association };
        }
        let kind = Kind { operation, side, answer: false, form, extended };
        let number = scale(who as u32, self.peers.len() as u32);
        let peer = self.peers.get(number as usize).copied().unwrap_or(Peer { prefixes: 1, key: 0, plmn: [0; 3] });
        let prefix = scale((who >> 32) as u32, peer.prefixes);
        let node = match operation.protocol() {
            Protocol::Tcap | Protocol::Isup => self.numbering.number(number, prefix, who as u32 & 7),
            Protocol::Diameter | Protocol::Sip => self.numbering.realm_number(number),
        };
        let values = Values {
            number: node,
            subscriber: scale(more as u32, 100_000_000),
            plmn: peer.plmn,
            ..self.values(peer.key)
        };
        let template = stock::index(kind);
        Draft { worth, kind, template, len: self.len_of(template), values, key: peer.key, association: None }
    }

    fn len_of(&self, template: usize) -> usize {
        self.templates.get(template).and_then(Option::as_ref).map_or(0, Template::len)
    }

    /// Signs a message if need be and appends its chunk; true if it must be refused.
    #[inline]
    fn write(&mut self, draft: &mut Draft, number: u16, now_ms: u64, out: &mut Vec<u8>) -> bool {
        let Some(Some(template)) = self.templates.get(draft.template) else { return false };
        let Some(association) = self.associations.get_mut(usize::from(number)) else { return false };
        let lane = &mut association.lanes[draft.kind.side as usize];
        let tsn = lane.tsn;
        let values = &mut draft.values;
        // A call is spoofed under a good signature.
        let good = matches!(draft.worth, Worth::Signed | Worth::Played(true))
            || draft.worth == Worth::Spoofed && template.is_signed();
        if good || draft.worth == Worth::Forged {
            values.tvp = Tvp::from_unix_ms(now_ms).0.to_be_bytes();
            values.seconds = SystemTime::from_unix_ms(now_ms).0.to_be_bytes();
            if let Some(sequence) = self.sequences.get_mut(draft.key as usize) {
                *sequence += 1;
                values.seq = sequence.to_be_bytes();
            }
        }
        if draft.worth == Worth::Forged {
            values.signature = self.signer.forge(&mut self.dice);
        }
        if good && let Some((key, _)) = self.keys.get(draft.key as usize) {
            template.covered(values, &mut self.covered);
            values.signature = self.signer.sign(key, &self.covered);
            if draft.worth == Worth::Signed {
                let (kind, template, values) = (draft.kind, draft.template, *values);
                self.past.add(Record { kind, template, values, association: number, tsn });
            }
        }
        let [.., sls] = values.transaction;
        // Two nibbles of the identifier: all links are selected alike.
        lane.chunk(template.len(), (sls ^ sls >> 4) & 0x0f, out, |label, out| template.append(values, label, out));
        self.made.count(draft.worth, draft.kind);
        let refuse = match draft.worth {
            Worth::Outbound | Worth::Signed | Worth::Exempt | Worth::Played(_) => false,
            Worth::Unsigned => self.require,
            Worth::Forged | Worth::Spoofed | Worth::Replayed => true,
        };
        if self.answers > 0 && !draft.kind.answer && !refuse && draft.kind.operation.is_answered() {
            let Draft { values, key, kind, .. } = *draft;
            self.asked[kind.side as usize].add(Question {
                operation: kind.operation,
                values,
                key,
                sent: (number, tsn),
            });
        }
        refuse
    }
}
