//! What is counted: work in phases, with a mark after each.
//!
//! This runs under callgrind, which leaves off one profile and begins another whenever [`mark`] is entered. Nothing here
//! depends on time, and all input is made from fixed numbers; only keys that spread hash tables and nonces of signatures
//! differ from run to run, and change a count by less than one part in a hundred.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_crypto::tables::Tier;
use sealgate_dataplane::pipeline::worker::{BURST, Stage, Watch};
use sealgate_wire::addr::Ssn;
use sealgate_wire::ber::Rules;
use sealgate_wire::{diameter, m3ua, map, sccp, sec::tcap1, tcap};
use serde::{Deserialize, Serialize};

use crate::cost::{charging, codec};
use crate::gateway::{Gateway, NOW_MS, operator_key};
use crate::traffic;

/// Frames that each codec works on.
const FRAMES: u32 = 256;
/// Turns before those that are counted, so that memories, pools and caches of memory are in use.
const LEAD: usize = 64;
/// Turns that are counted.
const TURNS: usize = 8;
/// Turns of those that find nothing.
const EMPTY_TURNS: u32 = 1024;
/// Signed messages after which a key is busy enough for the widest table.
const WARM: u32 = 2048;
/// How long that may take, in a program that runs fifty times as slow as usual.
const WARM_FOR: Duration = Duration::from_secs(60);

/// Work whose instructions are counted apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Name of the case; `None` for what lies between cases.
    pub case: Option<String>,
    /// Messages, frames or turns that it did.
    pub units: u64,
}

/// Entered after each phase. Never inlined, so that callgrind sees it.
#[inline(never)]
pub fn mark(number: usize) {
    black_box(number);
}

/// Phases that are room for; more would be copied while instructions are counted.
const PHASES: usize = 1024;

/// A case, without work to name it: group and stage, or group and name.
#[derive(Clone, Copy, Debug)]
enum Case {
    Between,
    Named(&'static str),
    Stage(&'static str, Stage),
}

/// The phases so far.
#[derive(Debug)]
struct Marks<'a> {
    only: &'a str,
    phases: Vec<(Case, u64)>,
}

impl<'a> Marks<'a> {
    fn new(only: &'a str) -> Self {
        Self { only, phases: Vec::with_capacity(PHASES) }
    }

    /// Whether cases of this group, or this case, are asked for.
    fn wants(&self, name: &str) -> bool {
        name.starts_with(self.only) || self.only.starts_with(name)
    }

    fn end(&mut self, case: Case, units: u64) {
        mark(self.phases.len());
        self.phases.push((case, units));
    }

    /// Counts some work.
    fn count(&mut self, case: &'static str, units: u64, work: impl FnOnce()) {
        if !self.wants(case) {
            return;
        }
        self.end(Case::Between, 0);
        work();
        self.end(Case::Named(case), units);
    }

    fn phases(self) -> Vec<Phase> {
        let name = |case| match case {
            Case::Between => None,
            Case::Named(name) => Some(name.to_owned()),
            Case::Stage(traffic, stage) => Some(format!("{traffic}/{stage:?}").to_lowercase()),
        };
        let wanted = |case: &String| case.starts_with(self.only);
        self.phases.iter().map(|&(case, units)| Phase { case: name(case).filter(wanted), units }).collect()
    }
}

/// Runs all cases and returns the phases in their order.
///
/// * `only`: cases whose name begins so; empty for all
/// * `burn`: a stage in which each message is held up for some 300 instructions, to see whether the gate notices
///
/// # Errors
/// A table that is not made in time, or a corpus that is not judged as it should be.
pub fn run(only: &str, burn: Option<Stage>) -> Result<Vec<Phase>, Box<dyn Error>> {
    let mut marks = Marks::new(only);
    if ["decode/", "emit/", "sec/"].iter().any(|group| marks.wants(group)) {
        codecs(&mut marks);
    }
    let none = KeyRing::new();
    let pool = PoolConfig::default;
    if marks.wants("turn/") {
        let mut idle = Gateway::new(Mode::Prefer, false, Vec::new(), Vec::new(), None, pool(), &none)?;
        idle.worker.turn(NOW_MS);
        marks.count("turn/empty", EMPTY_TURNS.into(), || crate::measure::turns(&mut idle, EMPTY_TURNS));
    }
    if marks.wants("unsigned/") {
        let plain = traffic::first(((LEAD + TURNS) * BURST) as u32, false);
        let mut gateway = Gateway::new(Mode::Prefer, false, plain, Vec::new(), None, pool(), &none)?;
        stages(&mut gateway, "unsigned", burn, &mut marks)?;
    }
    if marks.wants("signed/") {
        // The first pool of a ring of keys is the one that makes tables.
        let (key, keys) = (operator_key()?, KeyRing::new());
        let _warm = warm(traffic::signed(&key, WARM), &keys)?;
        // Now with all tables there: each message once, in a gateway that has not seen it.
        let fresh = traffic::signed(&key, ((LEAD + TURNS) * BURST) as u32);
        let mut gateway = Gateway::new(Mode::Require, false, fresh, Vec::new(), Some(1), pool(), &keys)?;
        stages(&mut gateway, "signed", burn, &mut marks)?;
    }
    // The last profile is left off here, not when all is torn down.
    marks.end(Case::Between, 0);
    Ok(marks.phases())
}

/// A gateway that keeps the widest table of the operator's key.
fn warm(signed: Vec<Vec<u8>>, keys: &KeyRing) -> Result<Gateway, Box<dyn Error>> {
    let until = Instant::now() + WARM_FOR;
    let mut gateway = Gateway::new(Mode::Require, false, signed, Vec::new(), Some(1), PoolConfig::default(), keys)?;
    while gateway.crypto.stats().tables.keys[Tier::Wide as usize] == 0 {
        if gateway.worker.turn(NOW_MS) > 0 {
            continue;
        }
        if Instant::now() >= until {
            return Err(format!("no table in time: {:?}", gateway.crypto.stats().tables).into());
        }
        // All was verified: the keeper makes tables in its own time.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(gateway)
}

/// A watch that marks the end of each stage.
struct Stops<'a, 'b> {
    traffic: &'static str,
    burn: Option<Stage>,
    marks: &'a mut Marks<'b>,
}

impl Watch for Stops<'_, '_> {
    fn ended(&mut self, stage: Stage) {
        if self.burn == Some(stage) {
            hold_up(BURST);
        }
        self.marks.end(Case::Stage(self.traffic, stage), BURST as u64);
    }
}

/// About 300 instructions for each message.
#[inline(never)]
fn hold_up(messages: usize) {
    for step in 0..messages * 75 {
        black_box(step);
    }
}

fn stages(
    gateway: &mut Gateway,
    traffic: &'static str,
    burn: Option<Stage>,
    marks: &mut Marks<'_>,
) -> Result<(), String> {
    crate::measure::turns(gateway, LEAD as u32);
    let before = gateway.worker.stats().messages;
    for _ in 0..TURNS {
        marks.end(Case::Between, 0);
        gateway.worker.turn_watched(NOW_MS, &mut Stops { traffic, burn, marks: &mut *marks });
    }
    let judged = gateway.worker.stats().messages - before;
    if judged == (TURNS * BURST) as u64 {
        Ok(())
    } else {
        Err(format!("{judged} {traffic} messages were judged in {TURNS} turns, not {BURST} in each"))
    }
}

/// Each decoder and encoder by itself, on the octets that the layer below gave.
fn codecs(marks: &mut Marks<'_>) {
    let frames = traffic::first(FRAMES, false);
    let packets: Vec<_> = frames.iter().filter_map(|frame| codec::packet(frame)).collect();
    let users: Vec<_> = packets.iter().filter_map(|packet| codec::user(packet)).collect();
    let data: Vec<_> = users.iter().filter_map(|user| codec::sccp_of(user)).collect();
    let octets: Vec<_> = data.iter().filter_map(|data| Some(codec::parties(data.user)?.2)).collect();
    let read = |octets| tcap::Message::parse(octets, Rules::Lenient).ok();
    let messages: Vec<_> = octets.iter().filter_map(|octets| read(octets)).collect();
    let invokes: Vec<_> = messages.iter().filter_map(|message| message.components.iter().next()).collect();
    each(marks, "decode/eth_ip", &frames, |frame| codec::packet(frame));
    each(marks, "decode/sctp", &packets, |packet| (codec::crc(packet), codec::user(packet)));
    each(marks, "decode/crc32c", &packets, |packet| codec::crc(packet));
    each(marks, "decode/m3ua", &users, |user| codec::sccp_of(user));
    each(marks, "decode/sccp", &data, |data| codec::parties(data.user));
    each(marks, "decode/tcap", &octets, |octets| {
        let mut room = tcap::Room::new();
        room.read(octets, Rules::Lenient).is_ok_and(|message| message.canonical)
    });
    each(marks, "decode/map", &invokes, |invoke| codec::subscriber(2, invoke.parameter));
    let mut reader = codec::Reader::default();
    each(marks, "decode/m3ua_to_map_known", &users, |user| reader.signalling(user));
    let credit: Vec<_> = (0..FRAMES).filter_map(charging::message).collect();
    each(marks, "decode/diameter", &credit, |octets| diameter::Message::parse(octets));
    each(marks, "decode/diameter_read", &credit, |octets| charging::read(octets));
    emitters(marks, &data, &octets);
    security(marks);
}

/// Each encoder by itself, into buffers that are there already.
fn emitters(marks: &mut Marks<'_>, data: &[m3ua::Data<'_>], tcaps: &[&[u8]]) {
    let imsis: Vec<_> = (0..FRAMES).map(|number| traffic::digits(&format!("00102{number:010}"))).collect();
    let node = traffic::digits(traffic::OPERATOR);
    let (mut argument, mut component, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let Some(id) = tcap::Tid::new(&[0, 0, 0, 7]) else { return };
    each(marks, "emit/tcap_map", &imsis, |imsi| {
        argument.clear();
        component.clear();
        out.clear();
        map::update_location(imsi, &node, &node, &mut argument);
        tcap::emit_invoke(1, 2, &argument, &mut component);
        tcap::emit_begin(id, Some(&traffic::LOCATION_UPDATE), &component, &mut out);
        out.len()
    });
    let (called, calling) = (traffic::title(traffic::HOME), traffic::title(traffic::OPERATOR));
    each(marks, "emit/sccp", tcaps, |tcap| {
        argument.clear();
        component.clear();
        out.clear();
        sccp::emit_address(&called, Ssn::HLR, 0, &mut argument);
        sccp::emit_address(&calling, Ssn::VLR, 0, &mut component);
        sccp::emit(sccp::Kind::Udt, 0, None, &argument, &component, tcap, None, None, &mut out).is_ok()
    });
    let path = traffic::path(false);
    each(marks, "emit/frame_m3ua", data, |data| {
        out.clear();
        path.emit_m3ua(data, 1, 1, 1, &mut out)
    });
}

/// The security component: read, and what its signature covers.
fn security(marks: &mut Marks<'_>) {
    let Ok(key) = operator_key() else { return };
    let frames = traffic::signed(&key, FRAMES);
    let user = |frame| codec::user(codec::packet(frame)?);
    let octets: Vec<_> =
        frames.iter().filter_map(|frame| Some(codec::parties(codec::sccp_of(user(frame)?)?.user)?.2)).collect();
    let messages: Vec<_> =
        octets.iter().filter_map(|octets| tcap::Message::parse(octets, Rules::Strict).ok()).collect();
    let parameters: Vec<_> =
        messages.iter().filter_map(|message| Some(message.components.iter().last()?.parameter)).collect();
    each(marks, "sec/component", &parameters, |parameter| tcap1::parse(parameter));
    let both: Vec<_> = messages.iter().zip(&parameters).collect();
    let subject = |message: &tcap::Message<'_>| tcap1::Subject {
        calling: (traffic::title(traffic::OPERATOR), Ssn::VLR),
        called: (traffic::title(traffic::HOME), Ssn::HLR),
        tag: message.kind as u8,
    };
    let covered: Vec<_> = both
        .iter()
        .filter_map(|(message, parameter)| Some((*message, tcap1::parse(parameter).ok()?.covered, subject(message))))
        .collect();
    let mut tbs = Vec::with_capacity(1024);
    each(marks, "sec/tbs", &covered, |(message, covered, subject)| {
        let elements = message.elements.iter().copied();
        // The security component is the last, and does not cover itself.
        let components = message.components.iter().take(message.components.len() - 1).map(|component| component.raw);
        tcap1::write_tbs(covered, None, subject, elements, components, &mut tbs);
        tbs.len()
    });
}

fn each<'t, T, R>(marks: &mut Marks<'_>, case: &'static str, input: &'t [T], mut work: impl FnMut(&'t T) -> R) {
    if !marks.wants(case) {
        return;
    }
    // Once before, as any message but the first.
    input.iter().for_each(|one| drop(black_box(work(black_box(one)))));
    marks.count(case, input.len() as u64, || input.iter().for_each(|one| drop(black_box(work(black_box(one))))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_case_works_on_all_that_it_was_given() -> Result<(), Box<dyn Error>> {
        let mut units: BTreeMap<String, u64> = BTreeMap::new();
        for phase in run("", None)? {
            if let Some(case) = phase.case {
                *units.entry(case).or_default() += phase.units;
            }
        }
        for (case, units) in &units {
            let want = if case == "turn/empty" { EMPTY_TURNS.into() } else { u64::from(FRAMES) };
            assert_eq!(*units, want, "{case}");
        }
        assert_eq!(units.len(), 13 + 2 + 1 + 10, "{units:?}");
        Ok(())
    }
}
