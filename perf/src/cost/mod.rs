//! What a message costs on one core, in one process: the worker's turn over ports in memory, its parts, and its rivals.
//!
//! Candidates take turns in short slices, in another order each round, so that a ratio compares the same seconds. Time is CPU
//! time of the thread: what others do on the same core does not count.

mod bench;
pub mod charging;
mod clock;
pub mod codec;
pub mod forwarders;
mod laps;
mod policy;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use sealgate_dataplane::pipeline::worker::Stage;

use self::bench::{Bench, Candidate};
pub use self::clock::Tsc;
pub use self::laps::{Burn, STAGES, Stages, by_stage};
pub use self::policy::{PolicyNs, policy_ns};
use crate::icount;
use crate::record::Document;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds, in each of which every candidate has one slice.
    pub rounds: usize,
    /// CPU time of a slice.
    pub slice: Duration,
}

/// The samples of one round by name, each with its unit.
#[derive(Default)]
struct Round(BTreeMap<&'static str, (&'static str, f64)>);

impl Round {
    fn ns(&mut self, name: &'static str, value: f64) {
        self.0.insert(name, ("ns", value));
    }

    fn put(&mut self, name: &'static str, unit: &'static str, value: f64) {
        self.0.insert(name, (unit, value));
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|(_, value)| *value)
    }

    /// A figure that follows from others of the same round.
    fn derive(&mut self, name: &'static str, unit: &'static str, of: impl FnOnce(&Self) -> Option<f64>) {
        if let Some(value) = of(self).filter(|value| value.is_finite()) {
            self.put(name, unit, value);
        }
    }
}

/// Measures all candidates and adds their figures to a document.
///
/// Ratios to rivals say how many times as long the rival takes: above 1, ours is faster.
///
/// * `each`: told the number of every round that begins
///
/// # Errors
/// A corpus that is not judged as it should be: a defect of this program.
pub fn measure(plan: &Plan, document: &mut Document, mut each: impl FnMut(usize)) -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::new(plan)?;
    document.notes.append(&mut bench.notes);
    if bench.tsc.hz().is_none() {
        document.notes.push("no cycles: the processor has no time stamp counter of a constant pace".to_owned());
    }
    let order = Candidate::ALL;
    for number in 0..plan.rounds {
        each(number);
        let mut round = Round::default();
        for place in 0..order.len() {
            if let Some(&candidate) = order.get((place + number) % order.len()) {
                bench.take(candidate, &mut round)?;
            }
        }
        conclude(&mut round, bench.tsc.hz());
        for &(name, _) in NAMES {
            if let Some((unit, value)) = round.0.get(name) {
                document.add(name, unit, *value);
            }
        }
    }
    document.notes.push(format!(
        "stages by the time stamp counter, without what reading it costs; {} of {} watched turns were interrupted and left out",
        bench.interrupted, bench.watched
    ));
    Ok(())
}

/// Instructions of an unsigned message through the whole turn, as callgrind counts them; where it cannot, a note instead.
///
/// * `program`: this program, whose verb `icount-work` runs what is counted
pub fn instructions(program: &Path, document: &mut Document) {
    match icount::take(program, &["icount-work", "--only", "unsigned/"]) {
        Ok(counts) => {
            let sum = counts.cases.values().map(|count| count.whole).sum();
            document.add("unsigned_instructions", "instructions", sum);
        }
        Err(error) => document.notes.push(format!("no unsigned_instructions: {error}")),
    }
}

/// What follows from the samples of a round.
fn conclude(round: &mut Round, hz: Option<f64>) {
    let ratio =
        |over: &'static str, under: &'static str| move |round: &Round| Some(round.get(over)? / round.get(under)?);
    round.derive("claims_ns", "ns", |round| {
        let rest = round.get("claims_stage_ns")? - round.get("receive_ns")? - round.get("decode_ns")?;
        Some(rest.max(0.0))
    });
    round.derive("decode_ratio_to_crates", "", ratio("crates_decode_ns", "signalling_decode_ns"));
    round.derive("decode_anew_ratio_to_crates", "", ratio("crates_decode_ns", "signalling_decode_anew_ns"));
    round.derive("diameter_ratio_to_crate", "", ratio("diameter_crate_decode_ns", "diameter_decode_ns"));
    round.derive("verify_ratio_to_aws_lc", "", ratio("aws_lc_verify_ns", "verify_ns"));
    for (cycles, ns) in [("unsigned_cycles", "unsigned_ns"), ("signed_cycles", "signed_ns")] {
        round.derive(cycles, "cycles", |round| Some(round.get(ns)? * hz? / 1e9));
    }
}

/// The figures in the order in which they are shown, and what they say.
pub const NAMES: &[(&str, &str)] = &[
    ("unsigned_msgs_per_s_per_core", "unsigned messages through the whole turn"),
    ("signed_msgs_per_s_per_core", "signed messages, verified on the same core, through the whole turn"),
    ("signing_msgs_per_s_per_core", "outbound messages that are signed on the same core"),
    ("unsigned_ns", "the turn, a message"),
    ("unsigned_cycles", "the same in cycles of the time stamp counter: CPU time times its pace"),
    ("signed_ns", "the turn with a signature to verify, a message"),
    ("signed_cycles", "the same in cycles"),
    ("diameter_signed_ns", "the turn with a signed Update-Location-Request of Diameter, over SCTP"),
    ("isup_signed_ns", "the turn with a signed call of ISUP"),
    ("sip_signed_ns", "the turn with an INVITE of SIP over UDP and its PASSporT"),
    ("refused_ns", "a message that is refused for want of a signature"),
    ("turn_empty_ns", "a turn that finds nothing"),
    ("receive_ns", "the port in memory: copying a frame into a buffer, and giving it back"),
    ("decode_ns", "decoders from Ethernet to the subscriber, with the check of the packet"),
    ("crc_ns", "CRC-32C of the packet; a part of decode_ns"),
    ("signalling_decode_ns", "decoders from M3UA to the subscriber, messages like ones before; a part of decode_ns"),
    ("signalling_decode_anew_ns", "the same, each message read as if none like it came before"),
    ("claims_stage_ns", "unsigned: the stage of receiving, decoding and claims as a whole"),
    ("claims_ns", "the same without receive_ns and decode_ns, which are measured apart"),
    ("policy_ns", "unsigned: verdicts"),
    ("rewrite_ns", "unsigned: what leaves; nothing is changed"),
    ("transmit_ns", "unsigned: handing over and counting"),
    ("verify_ns", "signed: hashing, queues, verification"),
    ("strip_rewrite_ns", "signed: the packet made anew without its signature"),
    ("signed_without_crypto_ns", "signed: all stages but verification"),
    ("signing_without_crypto_ns", "signing: all stages but the signature"),
    ("crates_decode_ns", "the layers of signalling_decode_ns by crates m3ua, sccp, tcap and gsm_map"),
    ("diameter_decode_ns", "Credit-Control-Request of Diameter: strict decoding, and its fields read"),
    ("diameter_crate_decode_ns", "the same octets and fields by the crate diameter (feature rival-diameter)"),
    ("diameter_ratio_to_crate", "diameter_crate_decode_ns over diameter_decode_ns"),
    ("aws_lc_verify_ns", "hashing and verification by aws-lc-rs, one by one"),
    ("decode_ratio_to_crates", "crates_decode_ns over signalling_decode_ns"),
    ("decode_anew_ratio_to_crates", "crates_decode_ns over signalling_decode_anew_ns"),
    ("verify_ratio_to_aws_lc", "aws_lc_verify_ns over verify_ns"),
];

/// The name of a stage's figure in unsigned traffic.
fn stage_name(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Claims => Some("claims_stage_ns"),
        Stage::Verify => None,
        Stage::Verdict => Some("policy_ns"),
        Stage::Rewrite => Some("rewrite_ns"),
        Stage::Transmit => Some("transmit_ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_measured_and_shown() -> Result<(), Box<dyn Error>> {
        let mut document = Document::begin("loop");
        measure(&Plan { rounds: 2, slice: Duration::from_millis(2) }, &mut document, |_| {})?;
        let cycles = document.notes.iter().all(|note| !note.starts_with("no cycles"));
        for &(name, _) in NAMES {
            let needs = match name {
                "unsigned_cycles" | "signed_cycles" => cycles,
                "crates_decode_ns" | "decode_ratio_to_crates" | "decode_anew_ratio_to_crates" => {
                    cfg!(feature = "rivals")
                }
                "diameter_crate_decode_ns" | "diameter_ratio_to_crate" => cfg!(feature = "rival-diameter"),
                _ => true,
            };
            let figure = document.figures.get(name);
            assert_eq!(figure.is_some(), needs, "{name}: {:?}", document.notes);
            if let Some(figure) = figure.filter(|_| name != "claims_ns") {
                assert!(figure.low > 0.0 && figure.samples.len() == 2, "{name}: {figure:?}");
            }
        }
        assert_eq!(
            document.figures.len(),
            document.figures.keys().filter(|name| NAMES.iter().any(|n| n.0 == *name)).count()
        );
        Ok(())
    }
}
