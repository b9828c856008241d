//! A gateway without a wire: the same turn over a capture file, whose times are its clock.

use sealgate_crypto::pool::{Pool, PoolConfig, PoolError};
use sealgate_dataplane::io::mem::MemPool;
use sealgate_dataplane::io::pcap::{PcapError, PcapPort, Reader, Writer};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Record, Sides, Worker, WorkerConfig};
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_dataplane::stats::Stats;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Octets of a frame that a buffer holds: an IP packet of any length and its link layer.
const ROOM: usize = 65_536 + 22;
/// Frames on their way at most; buffers are made as they are needed.
const FRAMES: usize = 4096;
/// Between two turns while frames wait and the capture is silent.
const STEP: Duration = Duration::from_millis(10);
/// How long what waits at the end of the capture may take.
const AFTER: Duration = Duration::from_secs(10);

/// Why a capture was not gone through.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A capture file.
    #[error(transparent)]
    Pcap(#[from] PcapError),
    /// The crypto library.
    #[error(transparent)]
    Crypto(#[from] PoolError),
}

/// How to go through a capture.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// The gateway starts with the first frame: what was signed before that is refused where the policy says so, and
    /// for its grace answers to unknown transactions pass. Otherwise it has been running for ever.
    pub cold: bool,
    /// Write each verdict down.
    pub journal: bool,
}

/// What came of a capture.
#[derive(Debug)]
pub struct Replayed {
    /// All counters.
    pub stats: Stats,
    /// Each verdict, if asked for.
    pub records: Vec<Record>,
    /// Time in the capture from its first frame to its last.
    pub span: Duration,
    /// Time that it took.
    pub took: Duration,
    /// Frames passed over since they are longer than any IP packet.
    pub oversized: u64,
    /// Frames that still waited for a part of their message at the end.
    pub waiting: usize,
}

/// What a worker is made with for captures.
pub(crate) fn worker_config(first: Duration, how: How) -> WorkerConfig {
    WorkerConfig {
        sides: Sides::ByAddress,
        frames: FRAMES,
        associations: FRAMES,
        started_ms: if how.cold { millis(first) } else { 0 },
        first_seq: u64::try_from(first.as_micros()).unwrap_or(1).max(1),
        journal: how.journal,
        ..WorkerConfig::default()
    }
}

/// Milliseconds since 1970.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The time of the first frame in a capture; `None`: it has none.
/// # Errors
/// What is wrong with the file.
pub fn first_time(path: &Path) -> Result<Option<Duration>, PcapError> {
    let record = Reader::open(path)?.read(&mut Vec::new())?;
    Ok(record.map(|record| record.time))
}

/// Takes a capture that holds both directions through one worker, and writes what leaves with the time it leaves at.
/// # Errors
/// [`OfflineError`]; what was written until then stays.
pub fn replay<R: Read, W: Write>(
    snapshot: Snapshot,
    input: Reader<R>,
    output: Option<Writer<W>>,
    how: How,
) -> Result<Replayed, OfflineError> {
    let began = Instant::now();
    let pool = MemPool::new(2 * FRAMES, ROOM);
    let ports = [PcapPort::new(&pool, Some(input), None)?, PcapPort::new(&pool, None, output)?];
    let first = ports[0].next_time().unwrap_or_default();
    let shared = Arc::new(Shared::new(&snapshot));
    let cell = Arc::new(PolicyCell::new(snapshot));
    let (crypto, mut clients) = Pool::start(PoolConfig::default(), 1, &cell.current().ring)?;
    let Some(client) = clients.pop() else { return Err(PoolError::Config("workers").into()) };
    let mut worker = Worker::new(worker_config(first, how), ports, cell.reader(), client, shared, Vec::new());
    let mut records = Vec::new();
    let mut now = first;
    while let Some(next) = worker.port_mut(0).and_then(|port| port.next_time()) {
        // Deadlines pass in the silence between two frames too.
        while worker.in_flight() > 0 && now + STEP < next && is_well(&mut worker) {
            now += STEP;
            turn(&mut worker, now, now, &mut records);
        }
        now = now.max(next);
        turn(&mut worker, now, now, &mut records);
        if !is_well(&mut worker) {
            break;
        }
    }
    let (last, end) = (now, now + AFTER);
    while worker.in_flight() > 0 && now < end && is_well(&mut worker) {
        now += STEP;
        turn(&mut worker, now, now, &mut records);
    }
    worker.publish();
    let (stats, waiting) = (worker.stats().clone(), worker.in_flight());
    let oversized = worker.port_mut(0).map_or(0, |port| port.oversized());
    crypto.stop();
    for number in 0..2 {
        let empty = PcapPort::new(&pool, None, None)?;
        if let Some(port) = worker.port_mut(number) {
            std::mem::replace(port, empty).finish()?;
        }
    }
    Ok(Replayed { stats, records, span: last.saturating_sub(first), took: began.elapsed(), oversized, waiting })
}

fn turn<R: Read, W: Write>(
    worker: &mut Worker<PcapPort<R, W>>,
    until: Duration,
    now: Duration,
    records: &mut Vec<Record>,
) {
    if let Some(port) = worker.port_mut(0) {
        port.release(until);
    }
    if let Some(port) = worker.port_mut(1) {
        port.set_time(now);
    }
    worker.turn(millis(now));
    records.append(&mut worker.take_journal());
}

/// False once a file could not be read or written on.
fn is_well<R: Read, W: Write>(worker: &mut Worker<PcapPort<R, W>>) -> bool {
    (0..2).all(|number| worker.port_mut(number).is_none_or(|port| port.fault().is_none()))
}
