//! The demo's traffic: MAP messages over TCAP, SCCP, M3UA and SCTP, most of them good, some of every kind of bad, and a
//! note of what each is. The same seed gives the same messages, up to signatures.

use super::kind::Kind;
use super::world::{Operator, Signer, Wallet};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::ber::{self, Rules};
use sealgate_wire::frame_builder::{Path, emit_sack};
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::sec::{FLAG_WAS_UDT, Header, Tvp, tcap1};
use sealgate_wire::{m3ua, map, sccp, tcap};
use serde::Serialize;
use std::time::Duration;

/// SCTP port of M3UA (RFC 4666 §1.4.8).
const PORT: u16 = 2905;
/// All traffic lies within this time, whatever its amount.
const SPAN: Duration = Duration::from_secs(2);
/// Octets of user data that packets with more than one message are filled to.
const BUNDLE: usize = 900;

/// One message of the traffic, as the side file tells of it.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Its frame in the capture of both directions, from 1.
    pub frame: u64,
    /// Its chunk among the frame's DATA chunks, from 1.
    pub chunk: usize,
    /// `in` or `out`.
    pub way: &'static str,
    /// Its link in the policy.
    pub link: &'static str,
    /// Its number in its association.
    pub tsn: u32,
    /// Row of the counters that it must appear in.
    pub peer: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The MAP operation.
    pub operation: &'static str,
    /// The reason that the gateway must give.
    pub expected: &'static str,
}

impl Sent {
    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        if self.way == "in" { Direction::In } else { Direction::Out }
    }
}

/// Frames in the order of their time, and what is in them.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Time since 1970, direction, octets.
    pub frames: Vec<(Duration, Direction, Vec<u8>)>,
    /// Every user message.
    pub sent: Vec<Sent>,
}

/// Why no traffic was made. None of them can come from what a user says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrafficError {
    /// A number that is none.
    #[error("a number of the demo is malformed")]
    Digits,
    /// A message outgrew its carrier.
    #[error("a message of the demo does not fit its carrier")]
    Room,
    /// A key is missing or does not sign.
    #[error("a key of the demo does not sign")]
    Key,
}

/// One path between us and a carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Carrier {
    One,
    Two,
}

impl Carrier {
    const fn name(self) -> &'static str {
        match self {
            Carrier::One => "carrier-1",
            Carrier::Two => "carrier-2",
        }
    }

    fn path(self, way: Direction) -> Path {
        let (last, tag) = match self {
            Carrier::One => (10, 0x5ea1_9a7e),
            Carrier::Two => (20, 0x5ea1_9a7f),
        };
        let inbound = Path {
            source_mac: [2, 0, 0, 0, 0, last],
            destination_mac: [2, 0, 0, 0, 0, 1],
            vlan: None,
            source: [192, 0, 2, last].into(),
            destination: [198, 51, 100, 10].into(),
            source_port: PORT,
            destination_port: PORT,
            vtag: tag,
        };
        match way {
            Direction::In => inbound,
            Direction::Out => inbound.reversed(tag ^ 0xffff),
        }
    }
}

/// A question of HOME that waits for its answer.
#[derive(Clone, Copy)]
struct Question {
    to: Operator,
    id: tcap::Tid,
    subscriber: u64,
}

/// Numbers that look random and come out the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// A message before it has its place in a packet.
struct Built {
    user: Vec<u8>,
    kind: Kind,
    operation: &'static str,
    carrier: Carrier,
    way: Direction,
    peer: &'static str,
}

/// What is put into SCCP: who speaks to whom, and the TCAP message without signature.
#[derive(Clone)]
struct Plain {
    calling: (GlobalTitle, Ssn),
    called: (GlobalTitle, Ssn),
    tcap: Vec<u8>,
    operation: &'static str,
}

/// Makes the traffic.
struct Maker<'w> {
    wallet: &'w Wallet,
    dice: Dice,
    /// Last sequence number of each signer.
    numbers: Vec<u64>,
    /// Last transaction id.
    transaction: u32,
    now_ms: u64,
    questions: Vec<Question>,
    /// Good messages of A, for replay.
    recorded: Vec<(Vec<u8>, &'static str)>,
}

/// Makes at least `messages` messages that are sent within two seconds from `start_ms`, milliseconds since 1970.
/// # Errors
/// [`TrafficError`].
pub fn build(wallet: &Wallet, messages: usize, start_ms: u64) -> Result<Traffic, TrafficError> {
    let plan = plan(messages);
    let mut maker = Maker {
        wallet,
        dice: Dice(1),
        numbers: vec![start_ms * 1000; wallet.len()],
        transaction: 0x1000_0000,
        now_ms: start_ms,
        questions: Vec::new(),
        recorded: Vec::new(),
    };
    let (mut packer, mut answering) = (Packer::new(), false);
    let step = SPAN.as_nanos() as u64 / plan.len().max(1) as u64;
    for (i, &kind) in plan.iter().enumerate() {
        let time = Duration::from_millis(start_ms) + Duration::from_nanos(step * i as u64);
        maker.now_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        if kind == Kind::Answer && !answering {
            answering = true;
            packer.flush(time)?; // no question may still wait for its packet
        }
        for built in maker.message(kind)? {
            packer.add(built, time, maker.dice.below(10) < 3)?;
        }
    }
    packer.finish()
}

/// Which kinds, in which order: good ones first, so that there is something to record; answers when all questions have
/// left.
fn plan(messages: usize) -> Vec<Kind> {
    let bad = (messages / 200).max(1);
    let mut middle: Vec<Kind> = Kind::BAD.into_iter().flat_map(|kind| std::iter::repeat_n(kind, bad)).collect();
    middle.extend(std::iter::repeat_n(Kind::Tolerated, (messages / 20).max(1)));
    middle.extend(std::iter::repeat_n(Kind::FirstSegment, bad));
    let questions = (messages / 10).max(1);
    let first = (messages / 20).max(4);
    let good = messages.saturating_sub(middle.len() + 2 * questions + first).max(1);
    middle.extend(std::iter::repeat_n(Kind::Signed, good));
    let mut dice = Dice(7);
    let mut shuffle = |kinds: &mut [Kind]| {
        for i in (1..kinds.len()).rev() {
            kinds.swap(i, dice.below(i + 1));
        }
    };
    shuffle(&mut middle);
    // Our questions leave in the first half, their answers come in the last quarter among the rest.
    let last = middle.split_off(middle.len() * 3 / 4);
    let second = middle.split_off(middle.len() * 2 / 3);
    let mut asked: Vec<_> = middle.into_iter().chain(std::iter::repeat_n(Kind::Outgoing, questions)).collect();
    let mut answered: Vec<_> = last.into_iter().chain(std::iter::repeat_n(Kind::Answer, questions)).collect();
    shuffle(&mut asked);
    shuffle(&mut answered);
    std::iter::repeat_n(Kind::Signed, first).chain(asked).chain(second).chain(answered).collect()
}

fn digits(text: &str) -> Result<Digits, TrafficError> {
    text.parse().map_err(|_| TrafficError::Digits)
}

fn title(operator: Operator, node: u32) -> Result<GlobalTitle, TrafficError> {
    Ok(GlobalTitle { plan: Plan::E164, digits: digits(&format!("{}{node:07}", operator.gt()))? })
}

fn imsi(operator: Operator, subscriber: u64) -> Result<Digits, TrafficError> {
    digits(&format!("{}{:010}", operator.plmn(), subscriber % 10_000_000_000))
}

fn msisdn(operator: Operator, subscriber: u64) -> Result<Digits, TrafficError> {
    digits(&format!("{}{:07}", operator.gt(), subscriber % 10_000_000))
}

/// Application context of MAP with this number and version (TS 29.002 §17.3).
const fn context(number: u8, version: u8) -> [u8; 7] {
    [4, 0, 0, 1, 0, number, version]
}

impl Maker<'_> {
    /// The packets' worth of one kind: one message, or two segments.
    fn message(&mut self, kind: Kind) -> Result<Vec<Built>, TrafficError> {
        let subscriber = self.dice.next();
        let inbound = |user, carrier, peer: Operator, operation| {
            vec![Built { user, kind, operation, carrier, way: Direction::In, peer: peer.name() }]
        };
        let one = Carrier::One;
        Ok(match kind {
            Kind::Signed => {
                // The first one is A's, so that there is something to replay.
                let die = if self.recorded.is_empty() { 0 } else { self.dice.below(3) };
                let who = Operator::OTHERS.get(die).copied().unwrap_or(Operator::A);
                let (signer, carrier) = usual(who);
                let plain = self.request(who, subscriber)?;
                let user = self.signed(&plain, signer, who, carrier)?;
                if who == Operator::A {
                    self.recorded.push((user.clone(), plain.operation));
                }
                inbound(user, carrier, who, plain.operation)
            }
            Kind::Answer => {
                let Some(question) = self.questions.pop() else { return Ok(Vec::new()) };
                let (signer, carrier) = usual(question.to);
                let plain = self.answer(question)?;
                let user = self.signed(&plain, signer, question.to, carrier)?;
                inbound(user, carrier, question.to, plain.operation)
            }
            Kind::FirstSegment | Kind::LastSegment => self.segmented(subscriber)?,
            Kind::Tolerated => {
                let plain = self.request(Operator::C, subscriber)?;
                let user = packed(&plain, &plain.tcap, Operator::C, Carrier::Two)?;
                inbound(user, Carrier::Two, Operator::C, plain.operation)
            }
            Kind::Unsigned => {
                let plain = self.request(Operator::A, subscriber)?;
                inbound(packed(&plain, &plain.tcap, Operator::A, one)?, one, Operator::A, plain.operation)
            }
            Kind::ChangedSubscriber => {
                let plain = self.location_update(Operator::A, subscriber)?;
                self.transaction -= 1; // all the same but one digit
                let other = self.location_update(Operator::A, subscriber ^ 1)?;
                self.forged(kind, &plain, &other, Operator::A)?
            }
            Kind::ChangedSender => {
                let plain = self.request(Operator::A, subscriber)?;
                let other = Plain { calling: (title(Operator::A, 66)?, plain.calling.1), ..plain.clone() };
                self.forged(kind, &plain, &other, Operator::A)?
            }
            Kind::ChangedContext => {
                let plain = self.location_update(Operator::B, subscriber)?;
                let mut other = plain.clone();
                // networkLocUp version 3 becomes version 2: an old trick to get a weaker answer.
                let version =
                    other.tcap.windows(7).position(|window| window == context(1, 3)).ok_or(TrafficError::Room)?;
                *other.tcap.get_mut(version + 6).ok_or(TrafficError::Room)? = 2;
                self.forged(kind, &plain, &other, Operator::B)?
            }
            Kind::Replayed => {
                let at = self.dice.below(self.recorded.len());
                let Some((user, operation)) = self.recorded.get(at).cloned() else { return Ok(Vec::new()) };
                inbound(user, one, Operator::A, operation)
            }
            Kind::Late => {
                let plain = self.request(Operator::A, subscriber)?;
                let now = self.now_ms;
                self.now_ms = now.saturating_sub(60_000);
                let user = self.signed(&plain, Signer::A, Operator::A, one);
                self.now_ms = now;
                inbound(user?, one, Operator::A, plain.operation)
            }
            Kind::Borrowed => {
                let plain = self.request(Operator::A, subscriber)?;
                inbound(self.signed(&plain, Signer::B, Operator::B, one)?, one, Operator::A, plain.operation)
            }
            Kind::Rogue => {
                let plain = self.request(Operator::A, subscriber)?;
                let user = self.signed(&plain, Signer::Rogue, Operator::C, Carrier::Two)?;
                inbound(user, Carrier::Two, Operator::A, plain.operation)
            }
            Kind::Expired => {
                let plain = self.request(Operator::B, subscriber)?;
                inbound(self.signed(&plain, Signer::BOld, Operator::B, one)?, one, Operator::B, plain.operation)
            }
            Kind::Revoked => {
                let plain = self.request(Operator::C, subscriber)?;
                let user = self.signed(&plain, Signer::CStolen, Operator::C, Carrier::Two)?;
                inbound(user, Carrier::Two, Operator::C, plain.operation)
            }
            Kind::Forbidden => {
                let scf = title(Operator::B, 30)?;
                let mut argument = Vec::new();
                map::any_time_interrogation(&imsi(Operator::Home, subscriber)?, &scf.digits, &mut argument);
                let plain =
                    self.begin((scf, Ssn(147)), (title(Operator::Home, 1)?, Ssn::HLR), (29, 3), 71, &argument)?;
                inbound(self.signed(&plain, Signer::B, Operator::B, one)?, one, Operator::B, plain.operation)
            }
            Kind::OurSubscriber => {
                let mut argument = Vec::new();
                map::cancel_location(&imsi(Operator::Home, subscriber)?, &mut argument);
                let parties = ((title(Operator::C, 1)?, Ssn::HLR), (title(Operator::Home, 20)?, Ssn::VLR));
                let plain = self.begin(parties.0, parties.1, (2, 3), 3, &argument)?;
                let user = self.signed(&plain, Signer::C, Operator::C, Carrier::Two)?;
                inbound(user, Carrier::Two, Operator::C, plain.operation)
            }
            Kind::OurNumber => {
                let plain = self.request(Operator::A, subscriber)?;
                let plain = Plain { calling: (title(Operator::Home, 5)?, plain.calling.1), ..plain };
                let user = packed(&plain, &plain.tcap, Operator::C, Carrier::Two)?;
                let operation = plain.operation;
                vec![Built { user, kind, operation, carrier: Carrier::Two, way: Direction::In, peer: "unknown" }]
            }
            Kind::Outgoing => {
                let to = Operator::OTHERS.get(self.dice.below(3)).copied().unwrap_or(Operator::A);
                let (_, carrier) = usual(to);
                let plain = self.question(to, subscriber)?;
                let user = packed(&plain, &plain.tcap, Operator::Home, carrier)?;
                vec![Built { user, kind, operation: plain.operation, carrier, way: Direction::Out, peer: to.name() }]
            }
        })
    }

    /// A message signed as `plain` and sent as `other`.
    fn forged(&mut self, kind: Kind, plain: &Plain, other: &Plain, who: Operator) -> Result<Vec<Built>, TrafficError> {
        let (signer, carrier) = usual(who);
        let component = self.component(plain, signer, 0)?;
        let user = packed(other, &attached(&other.tcap, &component)?, who, carrier)?;
        Ok(vec![Built { user, kind, operation: plain.operation, carrier, way: Direction::In, peer: who.name() }])
    }

    /// A usual request of an operator to HOME.
    fn request(&mut self, who: Operator, subscriber: u64) -> Result<Plain, TrafficError> {
        let node = 11 + (subscriber % 8) as u32;
        let own = title(who, node)?;
        let (hlr, msc) = ((title(Operator::Home, 1)?, Ssn::HLR), (title(Operator::Home, 20)?, Ssn::MSC));
        let mut argument = Vec::new();
        match self.dice.below(6) {
            0 | 1 => self.location_update(who, subscriber),
            2 => {
                map::send_authentication_info(&imsi(Operator::Home, subscriber)?, 3, &mut argument);
                self.begin((own, Ssn::VLR), hlr, (14, 3), 56, &argument)
            }
            3 => {
                map::send_routing_info_for_sm(&msisdn(Operator::Home, subscriber)?, &own.digits, &mut argument);
                self.begin((own, Ssn::MSC), hlr, (20, 3), 45, &argument)
            }
            4 => {
                let text = [
                    0x04, 0x03, 0x81, 0x21, 0xf3, 0x00, 0x00, 0x62, 0x11, 0x32, 0x20, 0x01, 0x00, 0x00, 0x02, 0xe8,
                    0x34,
                ];
                map::mt_forward_sm(&imsi(who, subscriber)?, &own.digits, &text, &mut argument);
                self.begin((own, Ssn::MSC), msc, (25, 3), 44, &argument)
            }
            _ => {
                let number = msisdn(Operator::Home, subscriber)?;
                ber::put_with(0x30, &mut argument, |out| {
                    ber::put_tlv(0x04, &[0x0f], out);
                    ber::put_tlv(0x04, &[0xaa, 0x18, 0x0c, 0x36, 0x02], out); // *100#
                    ber::put_with(0x80, out, |out| {
                        out.push(0x91);
                        number.write_packed(0x0f, out);
                    });
                });
                self.begin((own, Ssn::VLR), hlr, (19, 2), 59, &argument)
            }
        }
    }

    /// HOME's subscriber has arrived in a network of `who`.
    fn location_update(&mut self, who: Operator, subscriber: u64) -> Result<Plain, TrafficError> {
        let own = title(who, 11)?;
        let mut argument = Vec::new();
        map::update_location(&imsi(Operator::Home, subscriber)?, &own.digits, &own.digits, &mut argument);
        self.begin((own, Ssn::VLR), (title(Operator::Home, 1)?, Ssn::HLR), (1, 3), 2, &argument)
    }

    /// HOME wants to deliver a short message.
    fn question(&mut self, to: Operator, subscriber: u64) -> Result<Plain, TrafficError> {
        let centre = title(Operator::Home, 30)?;
        let mut argument = Vec::new();
        map::send_routing_info_for_sm(&msisdn(to, subscriber)?, &centre.digits, &mut argument);
        let plain = self.begin((centre, Ssn::MSC), (title(to, 1)?, Ssn::HLR), (20, 3), 45, &argument)?;
        let id = tcap::Tid::new(&self.transaction.to_be_bytes()).ok_or(TrafficError::Room)?;
        self.questions.push(Question { to, id, subscriber });
        Ok(plain)
    }

    /// The answer to it.
    fn answer(&mut self, question: Question) -> Result<Plain, TrafficError> {
        let Question { to, id, subscriber } = question;
        let (mut argument, mut component, mut tcap) = (Vec::new(), Vec::new(), Vec::new());
        let msc = title(to, 12)?;
        map::send_routing_info_for_sm_result(&imsi(to, subscriber)?, &msc.digits, &mut argument);
        tcap::emit_result_last(1, 45, &argument, &mut component);
        tcap::emit_end(id, Some(&context(20, 3)), &component, &mut tcap);
        let calling = (title(to, 1)?, Ssn::HLR);
        Ok(Plain { calling, called: (title(Operator::Home, 30)?, Ssn::MSC), tcap, operation: "sendRoutingInfoForSM" })
    }

    fn begin(
        &mut self,
        calling: (GlobalTitle, Ssn),
        called: (GlobalTitle, Ssn),
        (number, version): (u8, u8),
        operation: i32,
        argument: &[u8],
    ) -> Result<Plain, TrafficError> {
        let (mut component, mut tcap) = (Vec::new(), Vec::new());
        self.transaction += 1;
        let id = tcap::Tid::new(&self.transaction.to_be_bytes()).ok_or(TrafficError::Room)?;
        tcap::emit_invoke(1, operation, argument, &mut component);
        tcap::emit_begin(id, Some(&context(number, version)), &component, &mut tcap);
        Ok(Plain { calling, called, tcap, operation: map::operation_name(operation).unwrap_or("") })
    }

    /// The security component over a message (formats 4.2, 4.3).
    fn component(&mut self, plain: &Plain, signer: Signer, flags: u8) -> Result<Vec<u8>, TrafficError> {
        let at = self.wallet.iter().position(|(who, _)| *who == signer).ok_or(TrafficError::Key)?;
        let (_, key): &(Signer, SigningKey) = self.wallet.get(at).ok_or(TrafficError::Key)?;
        let number = self.numbers.get_mut(at).ok_or(TrafficError::Key)?;
        *number += 1;
        let sai = key.public().sai();
        let header = Header {
            alg: key.alg() as u8,
            flags,
            node: 1,
            sai,
            tvp: Tvp::from_unix_ms(self.now_ms),
            seq: *number,
            copy: None,
        };
        let (mut covered, mut tbs, mut component) = (Vec::new(), Vec::new(), Vec::new());
        header.emit(&mut covered);
        let parsed = tcap::Message::parse(&plain.tcap, Rules::Strict).map_err(|_| TrafficError::Room)?;
        let subject = tcap1::Subject { calling: plain.calling, called: plain.called, tag: parsed.kind as u8 };
        let elements = parsed.elements.iter().map(|element| element.raw);
        let components = parsed.components.iter().map(|component| component.raw);
        tcap1::write_tbs(&covered, None, &subject, elements, components, &mut tbs);
        let mut signature = [0; 256];
        let len = key.sign(&tbs, &mut signature).map_err(|_| TrafficError::Key)?;
        let signature = signature.get(..len).ok_or(TrafficError::Key)?;
        tcap1::emit_component(127, 81, sai, &covered, signature, &mut component);
        Ok(component)
    }

    fn signed(
        &mut self,
        plain: &Plain,
        signer: Signer,
        from: Operator,
        carrier: Carrier,
    ) -> Result<Vec<u8>, TrafficError> {
        let component = self.component(plain, signer, 0)?;
        packed(plain, &attached(&plain.tcap, &component)?, from, carrier)
    }

    /// A long short message of A, signed, in two segments.
    fn segmented(&mut self, subscriber: u64) -> Result<Vec<Built>, TrafficError> {
        let own = title(Operator::A, 13)?;
        let mut argument = Vec::new();
        map::mt_forward_sm(&imsi(Operator::A, subscriber)?, &own.digits, &[0x5a; 130], &mut argument);
        let called = (title(Operator::Home, 20)?, Ssn::MSC);
        let plain = self.begin((own, Ssn::MSC), called, (25, 3), 44, &argument)?;
        let component = self.component(&plain, Signer::A, FLAG_WAS_UDT)?;
        let whole = attached(&plain.tcap, &component)?;
        let (called, calling) = addresses(&plain);
        let (first, last) = whole.split_at(whole.len().div_ceil(2));
        let local_ref = (subscriber as u32).to_be_bytes();
        let local_ref = [local_ref[0], local_ref[1], local_ref[2]];
        let mut parts = Vec::new();
        for (kind, octets, remaining) in [(Kind::FirstSegment, first, 1), (Kind::LastSegment, last, 0)] {
            let segmentation = sccp::Segmentation { first: remaining == 1, in_sequence: false, remaining, local_ref };
            let mut xudt = Vec::new();
            sccp::emit(sccp::Kind::Xudt, 1, Some(15), &called, &calling, octets, Some(segmentation), None, &mut xudt)
                .map_err(|_| TrafficError::Room)?;
            let user = m3ua(&xudt, Operator::A, Carrier::One)?;
            let (carrier, way, peer) = (Carrier::One, Direction::In, Operator::A.name());
            parts.push(Built { user, kind, operation: plain.operation, carrier, way, peer });
        }
        Ok(parts)
    }
}

/// Whose key an operator signs with, and the way it comes.
fn usual(who: Operator) -> (Signer, Carrier) {
    match who {
        Operator::B => (Signer::B, Carrier::One),
        Operator::C => (Signer::C, Carrier::Two),
        Operator::A | Operator::Home => (Signer::A, Carrier::One),
    }
}

/// A TCAP message with a security component as its last.
fn attached(tcap: &[u8], component: &[u8]) -> Result<Vec<u8>, TrafficError> {
    let parsed = tcap::Message::parse(tcap, Rules::Strict).map_err(|_| TrafficError::Room)?;
    let mut out = Vec::new();
    tcap::rebuild(&parsed, None, Some(component), false, &mut out);
    Ok(out)
}

fn addresses(plain: &Plain) -> (Vec<u8>, Vec<u8>) {
    let (mut called, mut calling) = (Vec::new(), Vec::new());
    sccp::emit_address(&plain.called.0, plain.called.1, 0, &mut called);
    sccp::emit_address(&plain.calling.0, plain.calling.1, 0, &mut calling);
    (called, calling)
}

/// A TCAP message in UDT and M3UA.
fn packed(plain: &Plain, tcap: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    let (called, calling) = addresses(plain);
    let mut udt = Vec::new();
    sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, tcap, None, None, &mut udt)
        .map_err(|_| TrafficError::Room)?;
    m3ua(&udt, from, carrier)
}

fn m3ua(sccp: &[u8], from: Operator, carrier: Carrier) -> Result<Vec<u8>, TrafficError> {
    let other = if carrier == Carrier::One { Operator::A } else { Operator::C };
    let to = if from == Operator::Home { other } else { Operator::Home };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(if carrier == Carrier::One { 1 } else { 2 }),
        correlation: None,
        opc: PointCode(from.point_code()),
        dpc: PointCode(to.point_code()),
        si: 3,
        ni: 0,
        mp: 0,
        sls: 3,
        user: sccp,
    };
    let mut out = Vec::new();
    if data.emit(&mut out) { Ok(out) } else { Err(TrafficError::Room) }
}

/// Puts messages into packets: one a packet, or several where the dice say so.
struct Packer {
    traffic: Traffic,
    /// For each path: what waits for its packet.
    lanes: Vec<Lane>,
}

struct Lane {
    carrier: Carrier,
    way: Direction,
    tsn: u32,
    waiting: Vec<Built>,
    since_sack: u32,
}

impl Packer {
    fn new() -> Self {
        let lane = |carrier, way| Lane { carrier, way, tsn: 1000, waiting: Vec::new(), since_sack: 0 };
        let lanes = [Carrier::One, Carrier::Two]
            .into_iter()
            .flat_map(|carrier| [Direction::In, Direction::Out].map(|way| lane(carrier, way)))
            .collect();
        Self { traffic: Traffic::default(), lanes }
    }

    /// Takes a message; `more`: others may share its packet.
    fn add(&mut self, built: Built, time: Duration, more: bool) -> Result<(), TrafficError> {
        let lane = self.lanes.iter_mut().find(|lane| lane.carrier == built.carrier && lane.way == built.way);
        let Some(lane) = lane else { return Err(TrafficError::Room) };
        lane.waiting.push(built);
        let octets: usize = lane.waiting.iter().map(|built| built.user.len()).sum();
        if more && octets < BUNDLE {
            return Ok(());
        }
        let (carrier, way) = (lane.carrier, lane.way);
        let acked = lane.send(time, &mut self.traffic)?;
        // The other end acknowledges now and then.
        if let Some(tsn) = acked {
            let mut octets = Vec::new();
            if !carrier.path(way.opposite()).emit(1, |out| emit_sack(tsn, out), &mut octets) {
                return Err(TrafficError::Room);
            }
            self.traffic.frames.push((time, way.opposite(), octets));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Traffic, TrafficError> {
        let time = self.traffic.frames.last().map(|(time, ..)| *time).unwrap_or_default();
        self.flush(time)?;
        Ok(self.traffic)
    }

    /// Sends everything that waits.
    fn flush(&mut self, time: Duration) -> Result<(), TrafficError> {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.waiting.is_empty()) {
            lane.send(time, &mut self.traffic)?;
        }
        Ok(())
    }
}

impl Lane {
    /// Sends what waits as one packet; the TSN to acknowledge, if it is time for that.
    fn send(&mut self, time: Duration, traffic: &mut Traffic) -> Result<Option<u32>, TrafficError> {
        let frame = traffic.frames.len() as u64 + 1;
        let (first, mut fits) = (self.tsn, true);
        let mut octets = Vec::new();
        let chunks = |out: &mut Vec<u8>| {
            for (tsn, built) in (first..).zip(&self.waiting) {
                let data = Data {
                    begin: true,
                    end: true,
                    unordered: false,
                    immediate: false,
                    tsn,
                    stream: 1,
                    ssn: tsn as u16,
                    ppid: m3ua::PPID,
                    user: &built.user,
                };
                fits &= sctp::emit_data(&data, out);
            }
        };
        let built = self.carrier.path(self.way).emit(frame as u16, chunks, &mut octets);
        if !built || !fits {
            return Err(TrafficError::Room);
        }
        traffic.frames.push((time, self.way, octets));
        for (i, built) in self.waiting.drain(..).enumerate() {
            traffic.sent.push(Sent {
                frame,
                chunk: i + 1,
                way: if self.way == Direction::In { "in" } else { "out" },
                link: self.carrier.name(),
                tsn: self.tsn,
                peer: built.peer,
                kind: built.kind,
                operation: built.operation,
                expected: expected(built.kind).name(),
            });
            self.tsn = self.tsn.wrapping_add(1);
            self.since_sack += 1;
        }
        let due = self.since_sack >= 16;
        if due {
            self.since_sack = 0;
        }
        Ok(due.then(|| self.tsn.wrapping_sub(1)))
    }
}

fn expected(kind: Kind) -> Reason {
    kind.expected()
}
