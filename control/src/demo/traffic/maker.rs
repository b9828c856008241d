//! One message of each kind: what it says, who signs it, and what is wrong with it.

use super::super::kind::Kind;
use super::super::world::{Operator, Signer, Wallet};
use super::TrafficError;
use super::diameter;
use super::gtp;
use super::isup;
use super::packer::{Built, Carrier};
use super::sip;
use super::wrap::{SCCP, m3ua, packed};
use crate::compose::{Plain, attached, oid};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, Ssn};
use sealgate_wire::ber;
use sealgate_wire::sec::{FLAG_WAS_UDT, Header, Tvp};
use sealgate_wire::{map, sccp, tcap};

/// A question of HOME that waits for its answer.
#[derive(Clone, Copy)]
pub(super) struct Question {
    to: Operator,
    id: tcap::Tid,
    subscriber: u64,
}

/// Operation code of the security component in MAP dialogues.
const OPCODE: u8 = 81;

/// Numbers that look random and come out the same each time (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Makes the traffic.
pub(super) struct Maker<'w> {
    pub(super) wallet: &'w Wallet,
    pub(super) dice: Dice,
    /// Last sequence number of each signer.
    pub(super) numbers: Vec<u64>,
    /// Last transaction id.
    pub(super) transaction: u32,
    pub(super) now_ms: u64,
    pub(super) questions: Vec<Question>,
    /// Good messages of A, for replay.
    pub(super) recorded: Vec<(Vec<u8>, &'static str)>,
    /// Identifiers of what HOME asked over 4G, as long as no answer has come.
    pub(super) four_questions: Vec<u32>,
    /// Good messages of A over 4G.
    pub(super) four_recorded: Vec<Vec<u8>>,
    /// Good calls of A over IP: who called whom, with which header.
    pub(super) calls: Vec<(Digits, Digits, String)>,
}

pub(super) fn digits(text: &str) -> Result<Digits, TrafficError> {
    text.parse().map_err(|_| TrafficError::Digits)
}

fn title(operator: Operator, node: u32) -> Result<GlobalTitle, TrafficError> {
    Ok(GlobalTitle { plan: Plan::E164, digits: digits(&format!("{}{node:07}", operator.gt()))? })
}

pub(super) fn imsi(operator: Operator, subscriber: u64) -> Result<Digits, TrafficError> {
    digits(&format!("{}{:010}", operator.plmn(), subscriber % 10_000_000_000))
}

pub(super) fn msisdn(operator: Operator, subscriber: u64) -> Result<Digits, TrafficError> {
    digits(&format!("{}{:07}", operator.gt(), subscriber % 10_000_000))
}

impl Maker<'_> {
    /// The packets' worth of one kind: one message, or two segments.
    pub(super) fn message(&mut self, kind: Kind) -> Result<Vec<Built>, TrafficError> {
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
                    other.tcap.windows(7).position(|window| window == oid((1, 3))).ok_or(TrafficError::Room)?;
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
            Kind::CallSigned | Kind::CallChanged => isup::message(self, kind, subscriber)?,
            Kind::NetSigned | Kind::NetChanged | Kind::NetUnsigned | Kind::NetReplayed | Kind::NetOutgoing => {
                sip::message(self, kind, subscriber)?
            }
            Kind::DataSession | Kind::DataStranger => gtp::message(self, kind, subscriber)?,
            Kind::FourSigned
            | Kind::FourAnswer
            | Kind::FourChanged
            | Kind::FourUnsigned
            | Kind::FourReplayed
            | Kind::FourOurSubscriber
            | Kind::FourOutgoing => diameter::message(self, kind, subscriber)?,
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
        tcap::emit_end(id, Some(&oid((20, 3))), &component, &mut tcap);
        let calling = (title(to, 1)?, Ssn::HLR);
        Ok(Plain { calling, called: (title(Operator::Home, 30)?, Ssn::MSC), tcap, operation: "sendRoutingInfoForSM" })
    }

    fn begin(
        &mut self,
        calling: (GlobalTitle, Ssn),
        called: (GlobalTitle, Ssn),
        context: (u8, u8),
        operation: i32,
        argument: &[u8],
    ) -> Result<Plain, TrafficError> {
        self.transaction += 1;
        Ok(Plain::begin(calling, called, self.transaction, context, operation, argument)?)
    }

    /// A key, and the next number of its counter.
    pub(super) fn pen(&mut self, signer: Signer) -> Result<(&SigningKey, u64), TrafficError> {
        let at = self.wallet.iter().position(|(who, _)| *who == signer).ok_or(TrafficError::Key)?;
        let (_, key): &(Signer, SigningKey) = self.wallet.get(at).ok_or(TrafficError::Key)?;
        let number = self.numbers.get_mut(at).ok_or(TrafficError::Key)?;
        *number += 1;
        Ok((key, *number))
    }

    /// The security component over a message (formats 4.2, 4.3).
    fn component(&mut self, plain: &Plain, signer: Signer, flags: u8) -> Result<Vec<u8>, TrafficError> {
        let now_ms = self.now_ms;
        let (key, seq) = self.pen(signer)?;
        let header = Header {
            alg: key.alg() as u8,
            flags,
            node: 1,
            sai: key.public().sai(),
            tvp: Tvp::from_unix_ms(now_ms),
            seq,
            copy: None,
        };
        Ok(plain.component(key, &header, OPCODE)?)
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
        let (called, calling) = plain.addresses();
        let (first, last) = whole.split_at(whole.len().div_ceil(2));
        let local_ref = (subscriber as u32).to_be_bytes();
        let local_ref = [local_ref[0], local_ref[1], local_ref[2]];
        let mut parts = Vec::new();
        for (kind, octets, remaining) in [(Kind::FirstSegment, first, 1), (Kind::LastSegment, last, 0)] {
            let segmentation = sccp::Segmentation { first: remaining == 1, in_sequence: false, remaining, local_ref };
            let mut xudt = Vec::new();
            sccp::emit(sccp::Kind::Xudt, 1, Some(15), &called, &calling, octets, Some(segmentation), None, &mut xudt)
                .map_err(|_| TrafficError::Room)?;
            let user = m3ua(SCCP, &xudt, Operator::A, Carrier::One)?;
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
