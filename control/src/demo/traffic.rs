//! The demo's traffic: MAP messages over TCAP, SCCP, M3UA and SCTP, some of Diameter, ISUP, SIP and GTP, most of them good, some
//! of every kind of bad, and a note of what each is. The same seed gives the same messages, up to signatures.

mod diameter;
mod gtp;
mod isup;
mod maker;
mod packer;
mod sip;
mod wrap;

use self::maker::{Dice, Maker};
use self::packer::Packer;
use super::kind::Kind;
use super::world::Wallet;
use crate::compose::Unfit;
use sealgate_dataplane::state::Direction;
use serde::Serialize;
use std::time::Duration;

/// All traffic lies within this time, whatever its amount.
const SPAN: Duration = Duration::from_secs(2);

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
    /// Its number in its association; of a datagram, that of its IP packet.
    pub tsn: u32,
    /// Row of the counters that it must appear in.
    pub peer: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The operation of MAP, the command of Diameter, the message of ISUP or GTP, or the method of SIP.
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

impl From<Unfit> for TrafficError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Room => Self::Room,
            Unfit::Key => Self::Key,
        }
    }
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
        four_questions: Vec::new(),
        four_recorded: Vec::new(),
        calls: Vec::new(),
    };
    let (mut packer, mut answering) = (Packer::new(), false);
    let step = SPAN.as_nanos() as u64 / plan.len().max(1) as u64;
    for (i, &kind) in plan.iter().enumerate() {
        let time = Duration::from_millis(start_ms) + Duration::from_nanos(step * i as u64);
        maker.now_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        if matches!(kind, Kind::Answer | Kind::FourAnswer) && !answering {
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
    middle.extend(std::iter::repeat_n(Kind::FourSigned, (messages / 20).max(1)));
    for kind in [Kind::CallSigned, Kind::NetSigned, Kind::NetOutgoing, Kind::DataSession] {
        middle.extend(std::iter::repeat_n(kind, (messages / 40).max(1)));
    }
    let (questions, four_questions) = ((messages / 10).max(1), (messages / 40).max(1));
    let first = (messages / 20).max(4);
    let early = first + 2; // one of 4G among them, and a call over IP
    let good = messages.saturating_sub(middle.len() + 2 * (questions + four_questions) + early).max(1);
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
    asked.extend(std::iter::repeat_n(Kind::FourOutgoing, four_questions));
    let mut answered: Vec<_> = last.into_iter().chain(std::iter::repeat_n(Kind::Answer, questions)).collect();
    answered.extend(std::iter::repeat_n(Kind::FourAnswer, four_questions));
    shuffle(&mut asked);
    shuffle(&mut answered);
    let early = std::iter::repeat_n(Kind::Signed, first).chain([Kind::FourSigned, Kind::NetSigned]);
    early.chain(asked).chain(second).chain(answered).collect()
}
