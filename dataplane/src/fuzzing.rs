//! The whole turn as a fuzz body: frames in, frames out, and what must hold whatever comes.
//!
//! An input is an option octet and records, each a control octet, a time step of two octets in units of 10 ms, a length
//! of two octets, and a frame:
//!
//! | bit of the control octet | meaning |
//! |---|---|
//! | 7 | the frame comes in by port 1, from home |
//! | 6 | its checksums stay as they are; else they are made good, so that a change inside is seen by the layers above |
//! | 5 | lengths of IP, of a single chunk and of M3UA are made good as well |
//! | 4 | an SG-TCAP-1 component is stamped anew and signed with the key of its SAI, where the vectors have it |
//! | 3 | the next frame comes in the same burst |
//!
//! Nothing of the gateway survives an input, so each input stands alone.

mod diameter;
mod gtp;
mod isup;
mod judge;
mod mend;
mod rig;
mod sigtran;
mod sip;

pub use rig::{M2PA, Rig, SUA};

use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::pool::{Pool, PoolConfig};
use std::sync::Arc;

use crate::io::Frame;
use crate::io::mem::{MemPool, MemPort, ROOM};
use crate::pipeline::worker::{Shared, Worker, WorkerConfig};

/// A minute before the vectors were signed.
pub const START_MS: u64 = 1_795_000_000_000 - 60_000;
/// Frames of one input that are looked at.
const FRAMES: usize = 24;
/// Buffers of the ports, unless the option octet asks for few.
const BUFFERS: usize = 256;

/// Bits of the control octet of a record.
pub mod control {
    /// The frame comes from home.
    pub const FROM_HOME: u8 = 0x80;
    /// Checksums stay.
    pub const RAW: u8 = 0x40;
    /// Lengths are made good.
    pub const LENGTHS: u8 = 0x20;
    /// The signature is made good.
    pub const SIGN: u8 = 0x10;
    /// More of the burst follows.
    pub const BURST: u8 = 0x08;
}

/// Bits of the option octet. The lowest two choose a policy of [`Rig`].
pub mod option {
    /// Only a few buffers: the pool runs dry.
    pub const FEW_BUFFERS: u8 = 0x10;
    /// A port sends one frame a turn.
    pub const SLOW_PORT: u8 = 0x20;
    /// Crypto takes few jobs at a time.
    pub const SHORT_QUEUE: u8 = 0x40;
}

/// One frame of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bits of [`control`].
    pub control: u8,
    /// Time since the frame before, in units of 10 ms.
    pub step: u16,
    /// The frame.
    pub frame: Vec<u8>,
}

/// Reads the records of an input; a length beyond its end takes what is there.
pub fn entries(mut octets: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    while let Some((&[control, s0, s1, n0, n1], rest)) = octets.split_first_chunk() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_be_bytes([n0, n1])).min(rest.len()));
        found.push(Entry { control, step: u16::from_be_bytes([s0, s1]), frame: frame.to_vec() });
        octets = rest;
    }
    found
}

/// Writes what [`entries`] reads, behind an option octet.
pub fn input(options: u8, entries: &[Entry]) -> Vec<u8> {
    let mut out = vec![options];
    for Entry { control, step, frame } in entries {
        out.push(*control);
        out.extend_from_slice(&step.to_be_bytes());
        out.extend_from_slice(&(frame.len() as u16).to_be_bytes());
        out.extend_from_slice(frame);
    }
    out
}

/// Drives a gateway with the frames of an input. Panics where one of these does not hold:
///
/// * frames and messages in are those accounted for, after each turn, and no buffer is lost;
/// * no verdict says that the fault is ours;
/// * what leaves is a well-formed packet, of chunks that came in the same way;
/// * user data towards home came in like that and was granted, or was granted and stripped, or is a filler;
/// * no whole message towards home has a security component, and one of a peer that must sign had a good one;
/// * some turns and a hold deadline after the last frame nothing is held any more.
pub fn pipeline(rig: &Rig, octets: &[u8]) {
    let Some((&options, octets)) = octets.split_first() else { return };
    let mut gateway = Gateway::new(rig, options);
    let mut now_ms = START_MS;
    let mut entries = entries(octets).into_iter().take(FRAMES).peekable();
    let mut seq = 1 << 32;
    while let Some(mut entry) = entries.next() {
        now_ms += u64::from(entry.step) * 10;
        entry.frame.truncate(ROOM);
        if entry.control & control::LENGTHS != 0 {
            mend::lengths(&mut entry.frame);
        }
        if entry.control & control::SIGN != 0 {
            seq += 1;
            mend::sign(rig, &mut entry.frame, now_ms, seq);
        }
        if entry.control & control::RAW == 0 {
            mend::checksums(&mut entry.frame);
        }
        gateway.inject(usize::from(entry.control >> 7), &entry.frame);
        if entry.control & control::BURST == 0 || entries.peek().is_none() {
            gateway.turn(now_ms);
        }
    }
    for _ in 0..4 * FRAMES {
        now_ms += 300;
        gateway.turn(now_ms);
        if gateway.worker.in_flight() == 0 {
            break;
        }
    }
    gateway.at_rest();
}

/// One worker with inline crypto between two ports in memory.
struct Gateway<'r> {
    worker: Worker<MemPort>,
    pool: MemPool,
    crypto: Option<Pool>,
    judge: judge::Judge<'r>,
}

impl<'r> Gateway<'r> {
    fn new(rig: &'r Rig, options: u8) -> Self {
        let cell = rig.cell(usize::from(options & 3));
        let snapshot = cell.current();
        let queue = if options & option::SHORT_QUEUE == 0 { 64 } else { 2 };
        // Inputs are many and short: no thread is started for any of them.
        let config = PoolConfig { queue, batch: 8, engine: EngineKind::Reference, ..PoolConfig::default() };
        let (crypto, mut clients) = Pool::start(config, 1, &snapshot.ring).unwrap_or_else(|fault| panic!("{fault}"));
        let Some(client) = clients.pop() else { panic!("one client a worker") };
        let pool = MemPool::new(if options & option::FEW_BUFFERS == 0 { BUFFERS } else { 3 }, ROOM);
        let mut ports = [MemPort::new(&pool), MemPort::new(&pool)];
        if options & option::SLOW_PORT != 0 {
            ports.iter_mut().for_each(|port| port.limit_tx(1));
        }
        let config = WorkerConfig { frames: 64, associations: 4, journal: true, ..WorkerConfig::default() };
        let shared = Arc::new(Shared::new(&snapshot));
        let judge = judge::Judge::new(rig, snapshot);
        let worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
        Self { worker, pool, crypto: Some(crypto), judge }
    }

    fn inject(&mut self, port: usize, octets: &[u8]) {
        let Some(entry) = self.worker.port_mut(port) else { return };
        if entry.inject(octets) == Ok(true) {
            self.judge.came(port, octets);
        }
    }

    fn turn(&mut self, now_ms: u64) {
        self.worker.turn(now_ms);
        self.judge.verdicts(&self.worker.take_journal());
        for number in 0..2 {
            let Some(port) = self.worker.port_mut(number) else { continue };
            while let Some(frame) = port.take_sent() {
                self.judge.left(number, frame.octets());
            }
        }
        self.worker.publish();
        let stats = self.worker.stats();
        let (came, accounted) = stats.frame_balance();
        assert_eq!(came, accounted, "frames in, frames accounted for: {stats:?}");
        let (came, accounted) = stats.message_balance();
        assert_eq!(came, accounted, "messages in, messages accounted for");
        assert_eq!(self.pool.in_use(), self.worker.in_flight(), "buffers out, frames in flight");
        judge::no_fault_of_ours(stats);
    }

    fn at_rest(&self) {
        let stats = self.worker.stats();
        assert_eq!((self.worker.in_flight(), self.pool.in_use()), (0, 0), "frames held for ever: {stats:?}");
        assert_eq!(stats.messages_waiting, 0, "messages that wait for ever");
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.crypto.take() {
            pool.stop();
        }
    }
}
