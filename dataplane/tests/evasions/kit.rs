//! What the families are made with: messages of operator B to HOME, by hand where they must be malformed, and the gateway that
//! judges them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use sealgate_config::model::{Ber, Policy, RouterTitle, SmsRouter};
use sealgate_wire::addr::Ssn;
use sealgate_wire::ber::{put_integer, put_tlv};
use sealgate_wire::diameter::WATCHDOG_ANSWER;
use sealgate_wire::sctp::Data;
use sealgate_wire::{Reason, sccp};

use crate::common::traffic::{Call, chunks_of, inbound, outbound, packet, title};
use crate::common::{Gateway, NOW_MS, diameter, policy};

/// A node of B, which need not sign: its mode is prefer. And one of HOME.
pub const THEIRS: &str = "999030000011";
pub const OURS: &str = "999010000001";
/// A subscriber of B, one of HOME, one of A.
pub const B: &str = "001030000000001";
pub const HOME: &str = "001010000000001";
pub const A: &str = "001020000000001";

/// What one frame carries.
#[derive(Clone)]
pub enum Carried {
    /// A message of M3UA to us.
    In(Vec<u8>),
    /// One of ours.
    Out(Vec<u8>),
    /// One of M3UA to us in DATA chunks of their own, each with B, E and its octets.
    Pieces(Vec<(bool, bool, Vec<u8>)>),
    /// A message of Diameter to us.
    DiameterIn(Vec<u8>),
    /// One of ours.
    DiameterOut(Vec<u8>),
    /// A whole frame to us.
    Frame(Vec<u8>),
}

/// One evasion or its benign twin.
pub struct Case {
    pub name: String,
    pub setting: &'static str,
    /// What comes before.
    pub before: Vec<Carried>,
    pub last: Carried,
    pub want: Reason,
    /// The octet where it shows, where that is asked for.
    pub at: Option<u32>,
    /// The message that must leave, where it is not the one that came.
    pub leaves: Option<Vec<u8>>,
}

/// A message that comes alone.
pub fn case(name: impl Into<String>, last: Carried, want: Reason) -> Case {
    Case { name: name.into(), setting: "strict", before: Vec::new(), last, want, at: None, leaves: None }
}

/// One that passes.
pub fn benign(name: impl Into<String>, last: Carried) -> Case {
    case(name, last, Reason::OkUnsignedAllowed)
}

impl Case {
    pub fn at(self, at: usize) -> Self {
        Self { at: Some(at as u32), ..self }
    }

    pub fn after(self, before: Vec<Carried>) -> Self {
        Self { before, ..self }
    }

    pub fn under(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    pub fn leaving(self, user: Vec<u8>) -> Self {
        Self { leaves: Some(user), ..self }
    }
}

/// The policy of the vectors in one of a few settings.
fn setting(name: &str) -> Policy {
    let mut policy = policy();
    match name {
        "strict" => {}
        "canonicalise" => policy.defaults.ber = Ber::Canonicalise,
        // Answers need their question from the first moment on.
        "open" => (policy.defaults.transactions.check, policy.defaults.transactions.grace_s) = (true, 0),
        // Segments leave as one message, which UDT does not hold.
        "ludt" => policy.peers[1].ludt = true,
        "version-1" => policy.peers[1].allow_no_ac = true,
        // Where short messages are to go is asked of a router, or of whom a subscriber's number leads to.
        "sms-router" => {
            policy.links[1].applications = policy.tables.diameter.iter().map(|known| known.id).collect();
            (policy.peers[1].allow_no_ac, policy.peers[1].ludt) = (true, true);
            let title = |digits: &str, prefix| RouterTitle { digits: digits.parse().expect("digits"), prefix };
            policy.home.sms_router = Some(SmsRouter {
                gt: vec![title("99901000077", false), title("999015", true)],
                hosts: vec![format!("smsr.{}", diameter::realm(1))],
            });
        }
        "applications" => policy.links[1].applications = policy.tables.diameter.iter().map(|known| known.id).collect(),
        "table-categories" => {
            policy.links[1].applications = policy.tables.diameter.iter().map(|known| known.id).collect();
            policy.categories = sealgate_config::Categories::of(&policy.tables);
        }
        other => panic!("no setting {other}"),
    }
    policy
}

/// How a family did.
pub struct Score {
    pub passed: usize,
    pub faults: Vec<String>,
}

/// Judges each case by a gateway of its setting that has seen those before it.
pub fn run(cases: &[Case]) -> Score {
    let mut benches: HashMap<&str, Bench> = HashMap::new();
    let mut score = Score { passed: 0, faults: Vec::new() };
    for case in cases {
        let bench = benches.entry(case.setting).or_insert_with(|| Bench::new(&setting(case.setting)));
        match bench.judge(case) {
            Ok(()) => score.passed += 1,
            Err(fault) => score.faults.push(format!("{} ({}): {fault}", case.name, case.setting)),
        }
    }
    score
}

/// A DATA chunk that is a whole message.
fn chunk(tsn: u32, ppid: u32, user: &[u8]) -> Data<'_> {
    let (begin, end, unordered, immediate) = (true, true, false, false);
    Data { begin, end, unordered, immediate, tsn, stream: 1, ssn: tsn as u16, ppid, user }
}

struct Bench {
    gateway: Gateway,
    tsn: u32,
}

/// What one message came to: its reasons with their octets, and what left.
type Came = (Vec<(Reason, u32)>, Vec<Vec<u8>>);

impl Bench {
    fn new(policy: &Policy) -> Self {
        Self { gateway: Gateway::running(policy), tsn: 0 }
    }

    fn give(&mut self, carried: &Carried) -> Came {
        let mut next = || {
            self.tsn += 1;
            self.tsn
        };
        let (port, frames): (usize, Vec<Vec<u8>>) = match carried {
            Carried::In(user) => (0, vec![packet(&inbound(), &[chunk(next(), 3, user)])]),
            Carried::Out(user) => (1, vec![packet(&outbound(), &[chunk(next(), 3, user)])]),
            Carried::DiameterIn(user) => (0, vec![packet(&diameter::inbound(), &[chunk(next(), 46, user)])]),
            Carried::DiameterOut(user) => (1, vec![packet(&diameter::outbound(), &[chunk(next(), 46, user)])]),
            Carried::Frame(frame) => (0, vec![frame.clone()]),
            Carried::Pieces(pieces) => {
                let ssn = self.tsn as u16 + 1;
                let frame = |(begin, end, user): &(bool, bool, Vec<u8>)| {
                    self.tsn += 1;
                    let data = Data { begin: *begin, end: *end, ssn, ..chunk(self.tsn, 3, user) };
                    packet(&inbound(), &[data])
                };
                (0, pieces.iter().map(frame).collect())
            }
        };
        let (mut reasons, mut left) = (Vec::new(), Vec::new());
        for frame in frames {
            let step = self.gateway.frame(port, &frame, NOW_MS);
            reasons.extend(step.records.iter().map(|record| (record.reason, record.at)));
            left.extend(step.sent.into_iter().flatten());
        }
        (reasons, left)
    }

    fn judge(&mut self, case: &Case) -> Result<(), String> {
        for (i, carried) in case.before.iter().enumerate() {
            let (reasons, _) = self.give(carried);
            if reasons.iter().any(|(reason, _)| !reason.passes() && *reason != Reason::OkHeld) {
                return Err(format!("message {i} before it: {reasons:?}"));
            }
        }
        let (reasons, left) = self.give(&case.last);
        let [(reason, at)] = reasons[..] else { return Err(format!("want {:?}, got {reasons:?}", case.want)) };
        if reason != case.want {
            return Err(format!("want {:?}, got {reason:?} at {at}", case.want));
        }
        if let Some(want) = case.at.filter(|want| *want != at) {
            return Err(format!("{reason:?} at {at}, not at {want}"));
        }
        self.leaves(case, &left)
    }

    /// What is refused becomes a no-op, and what passes leaves as it came or as it should.
    fn leaves(&self, case: &Case, left: &[Vec<u8>]) -> Result<(), String> {
        let users = || left.iter().flat_map(|frame| chunks_of(frame)).map(|(.., user)| user);
        let (came, filler): (&[u8], &[u8]) = match &case.last {
            Carried::In(user) => (user, &[1, 0, 3, 6]),
            Carried::DiameterIn(user) => (user, &WATCHDOG_ANSWER),
            Carried::Frame(frame) => {
                let passed = left.iter().any(|other| other == frame);
                return if passed == case.want.passes() { Ok(()) } else { Err("a frame left that should not".into()) };
            }
            Carried::Pieces(_) => {
                let refused = users().collect::<Vec<_>>().concat().starts_with(&[1, 0, 3, 6]);
                return if refused != case.want.passes() { Ok(()) } else { Err("the wrong octets left".into()) };
            }
            Carried::Out(_) | Carried::DiameterOut(_) => return Ok(()),
        };
        let want = case.leaves.as_deref().unwrap_or(came);
        let right = match case.want.passes() {
            true => users().eq([want]),
            false => users().all(|user| user.starts_with(&filler[..4])) && users().count() == 1,
        };
        if right { Ok(()) } else { Err(format!("left {:02x?}", users().collect::<Vec<_>>())) }
    }
}

/// One element.
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_tlv(tag, value, &mut out);
    out
}

/// One element of these.
pub fn of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

fn tbcd(digits: &str) -> Vec<u8> {
    let mut nibbles: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    nibbles.extend((nibbles.len() % 2 == 1).then_some(15));
    nibbles.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect()
}

/// An IMSI.
pub fn imsi(tag: u8, digits: &str) -> Vec<u8> {
    tlv(tag, &tbcd(digits))
}

/// An address string, international.
pub fn number(tag: u8, digits: &str) -> Vec<u8> {
    tlv(tag, &[&[0x91][..], &tbcd(digits)].concat())
}

/// updateLocation of this subscriber by this node.
pub fn update_location(subscriber: &str, node: &str) -> Vec<u8> {
    of(0x30, &[&imsi(4, subscriber), &number(0x81, node), &number(4, node)])
}

/// insertSubscriberData, of category 2.
pub fn insert_data(subscriber: &str) -> Vec<u8> {
    of(0x30, &[&imsi(0x80, subscriber), &number(0x81, "999035550001")])
}

/// anyTimeInterrogation, of category 1.
pub fn interrogation(subscriber: &str) -> Vec<u8> {
    of(0x30, &[&of(0xa0, &[&imsi(0x80, subscriber)]), &[0xa1, 2, 0x80, 0], &number(0x83, THEIRS)])
}

/// An application context of MAP.
pub fn map(number: u8, version: u8) -> [u8; 7] {
    [4, 0, 0, 1, 0, number, version]
}

pub const LOCATION: [u8; 7] = [4, 0, 0, 1, 0, 1, 3];
pub const SUBSCRIBER_DATA: [u8; 7] = [4, 0, 0, 1, 0, 16, 3];
pub const INTERROGATION: [u8; 7] = [4, 0, 0, 1, 0, 29, 3];
pub const CAP_2: [u8; 7] = [4, 0, 0, 1, 0, 50, 1];

/// An operation code of the fewest octets.
pub fn code(op: i32) -> Vec<u8> {
    let mut out = Vec::new();
    put_integer(op, &mut out);
    out
}

pub fn invoke(id: u8, op: i32, argument: &[u8]) -> Vec<u8> {
    of(0xa1, &[&[2, 1, id], &code(op), argument])
}

pub fn result(id: u8, op: i32, argument: &[u8]) -> Vec<u8> {
    of(0xa2, &[&[2, 1, id], &of(0x30, &[&code(op), argument])])
}

/// A transaction id that nobody had before.
pub fn fresh() -> [u8; 4] {
    static LAST: AtomicU32 = AtomicU32::new(0x4000_0000);
    LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes()
}

/// The dialogue portion with an AARQ.
pub fn request(context: &[u8]) -> Vec<u8> {
    unit(0x60, context, &[])
}

/// The same with an AARE that accepts.
pub fn accept(context: &[u8]) -> Vec<u8> {
    unit(0x61, context, &[0xa2, 3, 2, 1, 0, 0xa3, 5, 0xa1, 3, 2, 1, 0])
}

/// A portion with this dialogue unit.
pub fn unit(tag: u8, context: &[u8], behind: &[u8]) -> Vec<u8> {
    let version = [0x80, 2, 7, 0x80];
    portion(&of(tag, &[&version, &of(0xa1, &[&tlv(6, context)]), behind]))
}

/// dialogue-as-id.
pub const SYNTAX: [u8; 9] = [6, 7, 0, 0x11, 0x86, 5, 1, 1, 1];

pub fn portion(unit: &[u8]) -> Vec<u8> {
    of(0x6b, &[&of(0x28, &[&SYNTAX, &tlv(0xa0, unit)])])
}

/// BEGIN.
pub fn begin(context: &[u8], components: &[&[u8]]) -> Vec<u8> {
    begin_with(&request(context), components)
}

/// The same with this dialogue portion.
pub fn begin_with(dialogue: &[u8], components: &[&[u8]]) -> Vec<u8> {
    of(0x62, &[&tlv(0x48, &fresh()), dialogue, &portion_of(components)])
}

/// Component portion, if there are any.
pub fn portion_of(components: &[&[u8]]) -> Vec<u8> {
    if components.is_empty() { Vec::new() } else { of(0x6c, components) }
}

/// CONTINUE from this transaction to that one.
pub fn go_on(from: &[u8], to: &[u8], dialogue: &[u8], components: &[&[u8]]) -> Vec<u8> {
    of(0x65, &[&tlv(0x48, from), &tlv(0x49, to), dialogue, &portion_of(components)])
}

pub fn end(to: &[u8], dialogue: &[u8], components: &[&[u8]]) -> Vec<u8> {
    of(0x64, &[&tlv(0x49, to), dialogue, &portion_of(components)])
}

/// The octets of an address with a global title of indicator 4.
pub fn address(digits: &str, ssn: u8) -> Vec<u8> {
    let mut out = Vec::new();
    sccp::emit_address(&title(digits), Ssn(ssn), 0, &mut out);
    out
}

/// UDT around TCAP, or LUDT where that is too short.
pub fn udt(called: &[u8], calling: &[u8], tcap: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let kind = if tcap.len() > 220 { sccp::Kind::Ludt } else { sccp::Kind::Udt };
    sccp::emit(kind, 0, None, called, calling, tcap, None, None, &mut out).expect("fits");
    out
}

/// M3UA around SCCP, to us.
pub fn inward(sccp: &[u8]) -> Vec<u8> {
    Call::inbound(0).m3ua(sccp)
}

/// From B's VLR to our HLR.
pub fn ss7(tcap: &[u8]) -> Carried {
    to_ssn(6, tcap)
}

/// The same to another subsystem of ours.
pub fn to_ssn(ssn: u8, tcap: &[u8]) -> Carried {
    Carried::In(inward(&udt(&address(OURS, ssn), &address(THEIRS, 7), tcap)))
}

/// From our node to B.
pub fn ours(tcap: &[u8]) -> Carried {
    Carried::Out(Call::outbound(0).m3ua(&udt(&address(THEIRS, 7), &address(OURS, 6), tcap)))
}

/// Where `part` begins in a message.
pub fn place(whole: &[u8], part: &[u8]) -> usize {
    whole.windows(part.len()).position(|octets| octets == part).expect("it is in it")
}
