//! The candidates, and a slice of each.

use std::collections::VecDeque;
use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{self, MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::{BURST, Stage};

use super::clock::Tsc;
use super::laps::{STAGES, Stages, by_stage};
use super::{Plan, Round, charging, codec, stage_name};
use crate::gateway::{Gateway, operator_key};
use crate::measure::{self, cpu_now};
use crate::rival::aws_lc::Verifier;
use crate::traffic;

/// What is run before a slice, to fill the caches that the candidate before had: this part of a slice.
const LEAD: u32 = 4;
/// Signed messages that a core may verify in a second, at most: so many are made for the slices of all rounds.
const SIGNED_PER_S: f64 = 300_000.0;
/// The least and the most that are made of them.
const SIGNED: (f64, f64) = (2_000.0, 60_000.0);

/// What takes a slice of every round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Candidate {
    Unsigned,
    UnsignedStages,
    Refused,
    Empty,
    Receive,
    Decode,
    Crc,
    Signalling,
    SignallingAnew,
    Crates,
    Signed,
    SignedStages,
    SigningStages,
    AwsLc,
    Charging,
    ChargingCrate,
    Diameter,
    Isup,
    Sip,
}

impl Candidate {
    /// Those that a ratio compares stand side by side.
    pub(super) const ALL: [Self; 19] = [
        Self::Unsigned,
        Self::UnsignedStages,
        Self::Receive,
        Self::Decode,
        Self::Crc,
        Self::Signalling,
        Self::Crates,
        Self::SignallingAnew,
        Self::Refused,
        Self::Empty,
        Self::Signed,
        Self::SignedStages,
        Self::AwsLc,
        Self::SigningStages,
        Self::Charging,
        Self::ChargingCrate,
        Self::Diameter,
        Self::Isup,
        Self::Sip,
    ];
}

/// A gateway whose messages are good for one play only; it is made anew when they are used up.
struct Once {
    frames: Vec<Vec<u8>>,
    sign: bool,
    gateway: Gateway,
}

impl Once {
    fn new(frames: Vec<Vec<u8>>, sign: bool, keys: &KeyRing) -> Result<Self, Box<dyn Error>> {
        Ok(Self { gateway: Self::make(&frames, sign, keys)?, frames, sign })
    }

    fn make(frames: &[Vec<u8>], sign: bool, keys: &KeyRing) -> Result<Gateway, Box<dyn Error>> {
        let (inbound, outbound) = if sign { (Vec::new(), frames.to_vec()) } else { (frames.to_vec(), Vec::new()) };
        Gateway::new(Mode::Require, sign, inbound, outbound, Some(1), PoolConfig::default(), keys)
    }

    /// The gateway with at least half of its messages to come.
    fn ready(&mut self, keys: &KeyRing) -> Result<&mut Gateway, Box<dyn Error>> {
        if self.gateway.worker.stats().messages * 2 > self.frames.len() as u64 {
            self.gateway = Self::make(&self.frames, self.sign, keys)?;
        }
        Ok(&mut self.gateway)
    }
}

/// All candidates, ready to run.
pub(super) struct Bench {
    slice: Duration,
    pub(super) tsc: Tsc,
    pub(super) notes: Vec<String>,
    /// Turns that were watched, and those of them that were interrupted.
    pub(super) watched: u64,
    pub(super) interrupted: u64,
    frames: Vec<Vec<u8>>,
    plain: Gateway,
    refused: Gateway,
    idle: Gateway,
    reader: codec::Reader,
    port: MemPort,
    burst: Vec<mem::MemFrame>,
    out: VecDeque<mem::MemFrame>,
    keys: KeyRing,
    checked: Once,
    signing: Once,
    aws_lc: Verifier,
    charging: Vec<Vec<u8>>,
    /// Signed messages of Diameter, ISUP and SIP.
    others: [Once; 3],
    /// Whether the crates read what we read.
    #[cfg_attr(not(feature = "rivals"), expect(dead_code, reason = "there are no crates to compare with"))]
    crates_agree: bool,
}

impl Bench {
    pub(super) fn new(plan: &Plan) -> Result<Self, Box<dyn Error>> {
        let keys = KeyRing::new();
        let key = operator_key()?;
        let frames = traffic::unsigned(false);
        let count = (plan.slice.as_secs_f64() * 2.5 * SIGNED_PER_S).clamp(SIGNED.0, SIGNED.1);
        let signed = traffic::signed(&key, count as u32);
        let others = count as u32 / 2;
        let gateway =
            |mode, frames, rounds| Gateway::new(mode, false, frames, Vec::new(), rounds, PoolConfig::default(), &keys);
        // Keys have the tables that they have after a while of traffic; they last as long as a gateway has the ring.
        let mut warm = gateway(Mode::Require, signed.clone(), Some(1))?;
        measure::warm(&mut warm);
        let pool = MemPool::new(256, mem::ROOM);
        let port = MemPort::looping(&pool, frames.clone().into(), None)?;
        let (mut notes, mut crates_agree) = (Vec::new(), false);
        agreement(&frames, &mut notes, &mut crates_agree);
        Ok(Self {
            slice: plan.slice,
            tsc: Tsc::new(),
            notes,
            watched: 0,
            interrupted: 0,
            plain: gateway(Mode::Prefer, frames.clone(), None)?,
            refused: gateway(Mode::Require, frames.clone(), None)?,
            idle: gateway(Mode::Prefer, Vec::new(), None)?,
            checked: Once::new(signed, false, &keys)?,
            signing: Once::new(traffic::unsigned(true), true, &keys)?,
            aws_lc: Verifier::new(&key)?,
            others: [
                Once::new(traffic::others::diameter(&key, others), false, &keys)?,
                Once::new(traffic::others::isup(&key, others), false, &keys)?,
                Once::new(traffic::others::sip(&key, others), false, &keys)?,
            ],
            charging: (0..charging::MESSAGES).filter_map(charging::message).collect(),
            reader: codec::Reader::default(),
            port,
            burst: Vec::with_capacity(BURST),
            out: VecDeque::with_capacity(BURST),
            frames,
            keys,
            crates_agree,
        })
    }

    /// One slice of a candidate.
    pub(super) fn take(&mut self, candidate: Candidate, round: &mut Round) -> Result<(), Box<dyn Error>> {
        let slice = self.slice;
        match candidate {
            Candidate::Unsigned => {
                let outcome = turns(&mut self.plain, slice)?;
                round.ns("unsigned_ns", outcome.ns());
                round.put("unsigned_msgs_per_s_per_core", "/s", outcome.per_second());
            }
            Candidate::Refused => round.ns("refused_ns", turns(&mut self.refused, slice)?.ns()),
            Candidate::Signed => {
                let outcome = turns(self.checked.ready(&self.keys)?, slice)?;
                round.ns("signed_ns", outcome.ns());
                round.put("signed_msgs_per_s_per_core", "/s", outcome.per_second());
            }
            Candidate::Empty => round.ns("turn_empty_ns", measure::empty_turn(&mut self.idle, slice)),
            Candidate::UnsignedStages => {
                let stages = by_stage(&mut self.plain.worker, &self.tsc, slice, None);
                self.watch(&stages)?;
                for (stage, name) in STAGES.into_iter().filter_map(|stage| Some((stage, stage_name(stage)?))) {
                    round.ns(name, stages.ns(stage));
                }
            }
            Candidate::SignedStages => {
                let stages = by_stage(&mut self.checked.ready(&self.keys)?.worker, &self.tsc, slice, None);
                self.watch(&stages)?;
                round.ns("verify_ns", stages.ns(Stage::Verify));
                round.ns("strip_rewrite_ns", stages.ns(Stage::Rewrite));
                round.ns("signed_without_crypto_ns", stages.sum() - stages.ns(Stage::Verify));
            }
            Candidate::SigningStages => {
                let stages = by_stage(&mut self.signing.ready(&self.keys)?.worker, &self.tsc, slice, None);
                self.watch(&stages)?;
                round.put("signing_msgs_per_s_per_core", "/s", 1e9 / stages.sum());
                round.ns("signing_without_crypto_ns", stages.sum() - stages.ns(Stage::Verify));
            }
            Candidate::Receive => {
                let (port, burst, out) = (&mut self.port, &mut self.burst, &mut self.out);
                let ns = repeat(slice, || {
                    let got = port.rx(burst, BURST);
                    out.extend(burst.drain(..));
                    port.tx(out);
                    got
                });
                round.ns("receive_ns", ns);
            }
            Candidate::Decode => {
                let (mut frames, reader) = (self.frames.iter().cycle(), &mut self.reader);
                let mut decode = |frame: &Vec<u8>| black_box(reader.whole(black_box(frame))).is_some();
                round.ns("decode_ns", each(slice, || read(frames.next().is_some_and(&mut decode)))?);
            }
            Candidate::Crc => {
                let packets: Vec<_> = self.frames.iter().filter_map(|frame| codec::packet(frame)).collect();
                let mut packets = packets.into_iter().cycle();
                let crc = |packet| black_box(codec::crc(black_box(packet))) != 0;
                round.ns("crc_ns", each(slice, || read(packets.next().is_some_and(crc)))?);
            }
            Candidate::Signalling => {
                let (mut users, reader) = (users(&self.frames).into_iter().cycle(), &mut self.reader);
                let mut decode = |user| black_box(reader.signalling(black_box(user))).is_some();
                round.ns("signalling_decode_ns", each(slice, || read(users.next().is_some_and(&mut decode)))?);
            }
            Candidate::SignallingAnew => {
                let mut users = users(&self.frames).into_iter().cycle();
                let decode = |user| black_box(codec::signalling(black_box(user))).is_some();
                round.ns("signalling_decode_anew_ns", each(slice, || read(users.next().is_some_and(decode)))?);
            }
            #[cfg(feature = "rivals")]
            Candidate::Crates if self.crates_agree => {
                let mut users = users(&self.frames).into_iter().cycle();
                let decode = |user| black_box(crate::rival::crates::decode(black_box(user))).is_ok();
                round.ns("crates_decode_ns", each(slice, || read(users.next().is_some_and(decode)))?);
            }
            Candidate::Crates => {}
            Candidate::AwsLc => {
                let verifier = &mut self.aws_lc;
                round.ns("aws_lc_verify_ns", each(slice, || read(verifier.verify_one()))?);
            }
            Candidate::Charging => {
                let mut messages = self.charging.iter().cycle();
                let decode = |octets: &Vec<u8>| black_box(charging::read(black_box(octets))).is_some();
                round.ns("diameter_decode_ns", each(slice, || read(messages.next().is_some_and(decode)))?);
            }
            #[cfg(feature = "rival-diameter")]
            Candidate::ChargingCrate => {
                // Equal results, or no figure: each message is read by both before any is timed.
                use crate::rival::diameter::{Decoder, agree, reading};
                agree(&self.charging)?;
                let (decoder, mut messages) = (Decoder::default(), self.charging.iter().cycle());
                // Decoded, and the same fields read, as ours is.
                let decode = |octets: &Vec<u8>| {
                    decoder.decode(black_box(octets)).is_ok_and(|message| black_box(reading(&message)).is_some())
                };
                round.ns("diameter_crate_decode_ns", each(slice, || read(messages.next().is_some_and(decode)))?);
            }
            #[cfg(not(feature = "rival-diameter"))]
            Candidate::ChargingCrate => {}
            Candidate::Diameter => self.other(0, "diameter_signed_ns", round)?,
            Candidate::Isup => self.other(1, "isup_signed_ns", round)?,
            Candidate::Sip => self.other(2, "sip_signed_ns", round)?,
        }
        Ok(())
    }

    /// A slice of signed messages of another protocol.
    fn other(&mut self, which: usize, name: &'static str, round: &mut Round) -> Result<(), Box<dyn Error>> {
        let once = self.others.get_mut(which).ok_or("no such protocol")?;
        round.ns(name, turns(once.ready(&self.keys)?, self.slice)?.ns());
        Ok(())
    }

    fn watch(&mut self, stages: &Stages) -> Result<(), &'static str> {
        self.watched += stages.turns + stages.interrupted;
        self.interrupted += stages.interrupted;
        if stages.messages == 0 {
            Err("every turn was interrupted; give the core to this program alone")
        } else {
            Ok(())
        }
    }
}

/// The M3UA messages of frames.
fn users(frames: &[Vec<u8>]) -> Vec<&[u8]> {
    frames.iter().filter_map(|frame| codec::user(codec::packet(frame)?)).collect()
}

#[cfg(feature = "rivals")]
fn agreement(frames: &[Vec<u8>], notes: &mut Vec<String>, agree: &mut bool) {
    match crate::rival::crates::agree(users(frames)) {
        Ok(()) => *agree = true,
        Err(difference) => notes.push(format!("no decode_ratio_to_crates: the crates read otherwise: {difference}")),
    }
}

#[cfg(not(feature = "rivals"))]
fn agreement(_: &[Vec<u8>], notes: &mut Vec<String>, _: &mut bool) {
    notes.push("no decode_ratio_to_crates: built without feature \"rivals\"".to_owned());
}

/// A slice of whole turns, after a lead.
fn turns(gateway: &mut Gateway, slice: Duration) -> Result<measure::Outcome, &'static str> {
    measure::run(gateway, slice / LEAD);
    let outcome = measure::run(gateway, slice);
    if outcome.messages == 0 { Err("no message was judged in a slice; give --ms more") } else { Ok(outcome) }
}

fn read(well: bool) -> Result<usize, &'static str> {
    if well { Ok(1) } else { Err("a message of the corpus cannot be read") }
}

/// Nanoseconds of one call.
fn each(slice: Duration, mut call: impl FnMut() -> Result<usize, &'static str>) -> Result<f64, &'static str> {
    let mut fault = None;
    let ns = repeat(slice, || {
        call().unwrap_or_else(|error| {
            fault = Some(error);
            1
        })
    });
    fault.map_or(Ok(ns), Err)
}

/// Nanoseconds of one unit of work.
///
/// * `work`: does some and says how much
fn repeat(slice: Duration, mut work: impl FnMut() -> usize) -> f64 {
    for _ in 0..64 {
        black_box(work());
    }
    let (began, mut done) = (cpu_now(), 0);
    loop {
        for _ in 0..64 {
            done += black_box(work());
        }
        let taken = cpu_now().saturating_sub(began);
        if taken >= slice {
            return taken.as_secs_f64() * 1e9 / done.max(1) as f64;
        }
    }
}
