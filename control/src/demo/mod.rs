//! The main job in one go, for somebody who has nothing: a world of operators, their traffic with some forgery in it,
//! the gateway over it, and a check that each message got the verdict it must.

pub mod drive;
pub mod judge;
pub mod kind;
pub mod traffic;
pub mod world;

use crate::cli::CliError;
use crate::offline::millis;
use sealgate_dataplane::io::pcap::{Resolution, Writer};
use sealgate_dataplane::state::Direction;
use serde_json::json;
use std::path::Path;
use traffic::{Traffic, TrafficError};
use world::{Files, Wallet};

impl From<TrafficError> for CliError {
    fn from(fault: TrafficError) -> Self {
        Self::new(fault.to_string(), "this is a fault of the demo itself")
    }
}

/// Makes the traffic and writes it: both directions in `traffic.pcap`, each alone in `interconnect.pcap` and
/// `home.pcap`, and what each message is in `traffic.json`.
/// # Errors
/// What the files give.
pub fn prepare(files: &Files, wallet: &Wallet, messages: usize, start_ms: u64) -> Result<Traffic, CliError> {
    let traffic = traffic::build(wallet, messages, start_ms)?;
    let every = |_: Direction| true;
    write(&files.at("traffic.pcap"), &traffic, every)?;
    write(&files.at("interconnect.pcap"), &traffic, |way| way == Direction::In)?;
    write(&files.at("home.pcap"), &traffic, |way| way == Direction::Out)?;
    let note = json!({ "about": "what each message of traffic.pcap is; frames and chunks are counted from 1",
        "messages": traffic.sent });
    world::write(&files.at("traffic.json"), &format!("{note:#}\n"))?;
    Ok(traffic)
}

fn write(path: &Path, traffic: &Traffic, wanted: impl Fn(Direction) -> bool) -> Result<(), CliError> {
    let mut writer = Writer::create(path, Resolution::Micro)?;
    for (time, _, octets) in traffic.frames.iter().filter(|(_, way, _)| wanted(*way)) {
        writer.write(*time, octets)?;
    }
    writer.finish()?;
    Ok(())
}

/// The time at which the last frame of the traffic was sent, milliseconds since 1970.
pub fn end_ms(traffic: &Traffic) -> u64 {
    traffic.frames.last().map_or(0, |(time, ..)| millis(*time))
}
