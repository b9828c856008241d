//! Taking the demo's traffic through the gateway: over DPDK's ports for capture files, or without DPDK.

use super::world::Files;
use crate::cli::CliError;
use crate::gather::Gathered;
use crate::offline::{self, How};
use sealgate_dataplane::io::pcap::{Reader, Resolution, Writer};
use sealgate_dataplane::pipeline::Record;
use sealgate_dataplane::stats::Stats;
use std::path::PathBuf;
use std::time::Duration;

/// What the gateway did.
#[derive(Debug)]
pub struct Ran {
    /// Its counters.
    pub stats: Stats,
    /// Each verdict, where the gateway could be asked to write them down.
    pub records: Option<Vec<Record>>,
    /// Time from the first frame to the last.
    pub took: Duration,
    /// Captures of what left.
    pub outputs: Vec<PathBuf>,
    /// How its ports were made, for people.
    pub ports: String,
}

/// Both directions in one capture, and the capture's own times as clock.
/// # Errors
/// Files that cannot be read, written or compiled.
pub fn files(files: &Files, now_ms: u64) -> Result<Ran, CliError> {
    let gathered = Gathered::read(&files.config(), None, seconds(now_ms))?;
    let output = files.at("out.pcap");
    let input = Reader::open(&files.at("traffic.pcap"))?;
    let writer = Writer::create(&output, Resolution::Nano)?;
    let replayed = offline::replay(gathered.snapshot, input, Some(writer), How { cold: false, journal: true })?;
    Ok(Ran {
        stats: replayed.stats,
        records: Some(replayed.records),
        took: replayed.took,
        outputs: vec![output],
        ports: "plain capture files".to_owned(),
    })
}

fn seconds(now_ms: u64) -> i64 {
    i64::try_from(now_ms / 1000).unwrap_or(i64::MAX)
}

/// Two ports, each with a file for what it receives and one for what it sends, as `sealgate.yaml` has them.
///
/// The gateway's clock stands at the time of the traffic, so that time stamps mean the same however slow the machine is.
/// # Errors
/// What the machine lacks, a port refuses, or a worker that did not end.
#[cfg(feature = "dpdk")]
pub fn dpdk(files: &Files, now_ms: u64) -> Result<Ran, CliError> {
    use sealgate_dataplane::engine::{Engine, EngineConfig};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Instant;

    /// What the gateway's clock shows.
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    /// Nobody waits longer for a demo.
    const PATIENCE: Duration = Duration::from_secs(300);

    let gathered = Gathered::read(&files.config(), None, seconds(now_ms))?;
    CLOCK.store(now_ms, Ordering::Relaxed);
    let config = EngineConfig {
        clock: || CLOCK.load(Ordering::Relaxed),
        started_ms: 0,
        first_seq: now_ms.saturating_mul(1000),
        ..EngineConfig::default()
    };
    let opened = crate::ports::dpdk::open(&gathered.appliance, config.frames)?;
    let eal = opened.eal;
    let enter = move || eal.register_thread().map_err(|error| error.to_string());
    let began = Instant::now();
    let engine = Engine::start(config, gathered.snapshot, opened.queues, enter)
        .map_err(|error| CliError::new(error.to_string(), "sealgate demo --no-dpdk does without DPDK's ports"))?;
    while !engine.is_finished() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = began.elapsed();
    let (finished, stopped) = (engine.is_finished(), engine.stop(Duration::from_secs(1)));
    let stats = engine.stats();
    if !finished || stopped != Default::default() {
        return Err(CliError::new("the gateway did not come to its end", "sealgate demo --no-dpdk does without DPDK"));
    }
    drop(engine);
    // Closing the ports writes their files to the end.
    drop(opened.views);
    let outputs = vec![files.at("to-home.pcap"), files.at("to-interconnect.pcap")];
    Ok(Ran { stats, records: None, took, outputs, ports: "two DPDK 22.11 ports (net_pcap)".to_owned() })
}
