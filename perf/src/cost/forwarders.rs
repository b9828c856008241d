//! The worker over DPDK's ports against DPDK's own forwarder.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use crate::record::Document;
use crate::rival::testpmd::{self, Forward};
use crate::rival::vdev::{Captures, Cost};
use crate::traffic;

/// The figures, in the order in which they are shown, and what they say.
pub const NAMES: &[(&str, &str)] = &[
    (
        "testpmd_null_cycles",
        "an empty frame from null device to null device through dpdk-testpmd that does not look at it",
    ),
    ("port_null_cycles", "the same through our ports"),
    ("testpmd_io_cycles", "a frame through dpdk-testpmd that does not look at it"),
    ("testpmd_csum_cycles", "a frame through dpdk-testpmd that reads its headers and makes the IPv4 checksum anew"),
    ("port_forward_cycles", "a frame through our ports, received and sent and not looked at"),
    ("worker_cycles", "a message through the whole turn over the same ports"),
    ("testpmd_io_ratio", "worker_cycles over testpmd_io_cycles: how many times as dear a judged message is"),
    ("testpmd_csum_ratio", "worker_cycles over testpmd_csum_cycles"),
    ("io_forward_ratio", "port_null_cycles over testpmd_null_cycles: 1 if our ports cost what DPDK's own loop costs"),
];

/// What takes its turn in a round.
#[derive(Clone, Copy)]
enum Runner {
    Testpmd(Forward),
    /// The same over null devices.
    TestpmdNull,
    /// This program, by the words of its hidden verb.
    Ours(&'static str),
}

const ORDER: [(Runner, &str); 6] = [
    (Runner::TestpmdNull, "testpmd_null_cycles"),
    (Runner::Ours("null"), "port_null_cycles"),
    (Runner::Testpmd(Forward::Io), "testpmd_io_cycles"),
    (Runner::Ours("forward"), "port_forward_cycles"),
    (Runner::Ours("work"), "worker_cycles"),
    (Runner::Testpmd(Forward::Csum), "testpmd_csum_cycles"),
];

/// Measures all in turns, in another order each round, and adds their figures to a document; where something is missing
/// for that, a note instead.
///
/// * `program`: this program, whose verb `vdev-work` takes a mode, two captures, a core and a lead, and prints a [`Cost`] as JSON
///
/// # Errors
/// A forwarder that does not start or loses frames.
pub fn measure(
    rounds: usize,
    core: usize,
    program: &Path,
    document: &mut Document,
    mut each: impl FnMut(usize),
) -> Result<(), Box<dyn Error>> {
    let ready = if cfg!(feature = "dpdk") {
        testpmd::present()
    } else {
        Err("built without feature \"dpdk\": cargo run --release -p sealgate-perf --features dpdk -- loop".to_owned())
    };
    if let Err(missing) = ready {
        document.notes.push(format!("no testpmd_io_ratio, testpmd_csum_ratio, io_forward_ratio: {missing}"));
        return Ok(());
    }
    let captures = Captures::new(&traffic::unsigned(false))?;
    for round in 0..rounds {
        each(round);
        let mut cycles = std::collections::BTreeMap::new();
        for place in 0..ORDER.len() {
            let Some(&(runner, name)) = ORDER.get((place + round) % ORDER.len()) else { continue };
            let cost = match runner {
                Runner::Testpmd(forward) => testpmd::run(Some(&captures), forward, core)?,
                Runner::TestpmdNull => testpmd::run(None, Forward::Io, core)?,
                Runner::Ours(mode) => ours(program, mode, &captures, core)?,
            };
            cycles.insert(name, cost.per_frame());
        }
        let ratio = |over: &str, under: &str| Some(cycles.get(over)? / cycles.get(under)?);
        for &(name, _) in NAMES {
            let (unit, value) = match name {
                "testpmd_io_ratio" => ("", ratio("worker_cycles", "testpmd_io_cycles")),
                "testpmd_csum_ratio" => ("", ratio("worker_cycles", "testpmd_csum_cycles")),
                "io_forward_ratio" => ("", ratio("port_null_cycles", "testpmd_null_cycles")),
                _ => ("cycles", cycles.get(name).copied()),
            };
            if let Some(value) = value {
                document.add(name, unit, value);
            }
        }
    }
    document.notes.push(format!(
        "testpmd and the worker over its ports read the same capture of {} frames once, by net_pcap: its cost is in both; \
         the first {} are not counted for the worker, whose memories are touched for the first time by them",
        captures.frames, captures.lead
    ));
    Ok(())
}

fn ours(program: &Path, mode: &str, captures: &Captures, core: usize) -> Result<Cost, Box<dyn Error>> {
    let output = Command::new(program)
        .args(["vdev-work", mode])
        .args([captures.full(), captures.quiet()])
        .args([core.to_string(), captures.lead.to_string()])
        .output()?;
    let want = match mode {
        "work" => Some(captures.frames - captures.lead),
        "forward" => Some(captures.frames),
        _ => None,
    };
    // EAL writes to standard output too: the answer is the last line.
    let text = String::from_utf8_lossy(&output.stdout);
    let cost: Option<Cost> = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    match cost {
        Some(cost) if output.status.success() && want.is_none_or(|want| want == cost.frames) => Ok(cost),
        cost => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last: Vec<_> = said.lines().rev().take(3).collect();
            Err(format!("vdev-work {mode}: {}, {cost:?}, not {want:?} frames: {last:?}", output.status).into())
        }
    }
}
