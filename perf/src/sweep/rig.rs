//! One point of a sweep: a worker with its world, and slices of its traffic.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_crypto::tables::Tier;
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{self, MemFrame, MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::{BURST, Shared};
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_wire::Reason;

use crate::gateway::NOW_MS;
use crate::measure::cpu_now;
use crate::mix::{Profile, Side, Source, World};

/// Signed messages in flight at most: they wait in front of a gateway, not in it.
const IN_FLIGHT: usize = 1024;
/// Part of a slice that is run before it, to fill the caches that another rig had.
const LEAD: u32 = 4;
/// Buffers: few, used again at once.
const BUFFERS: usize = 256;
/// Longest wait for tables of keys, and how much longer for each key: one takes some 3 ms where a core is free.
const SETTLE: Duration = Duration::from_secs(20);
const SETTLE_KEY: Duration = Duration::from_millis(10);
/// Keys are counted twice a second: after so long nothing changes any more, and after so long no memory is left for more.
const SETTLED: Duration = Duration::from_millis(1500);
const SPENT: Duration = Duration::from_secs(5);

/// A port in memory that gives so many frames at a time.
pub(super) struct Trickle {
    port: MemPort,
    burst: usize,
}

impl FrameIo for Trickle {
    type Frame = MemFrame;

    fn rx(&mut self, out: &mut Vec<MemFrame>, max: usize) -> usize {
        self.port.rx(out, max.min(self.burst))
    }

    fn tx(&mut self, frames: &mut VecDeque<MemFrame>) -> usize {
        self.port.tx(frames)
    }

    fn alloc(&mut self) -> Option<MemFrame> {
        self.port.alloc()
    }

    fn exhausted(&self) -> bool {
        self.port.exhausted()
    }
}

/// What a slice came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) messages: u64,
    /// CPU time of the worker's thread, without turns that had nothing to do.
    pub(super) cpu: Duration,
    /// By the clock.
    pub(super) wall: Duration,
}

impl Slice {
    /// Nanoseconds of CPU time for a message.
    pub(super) fn ns(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / self.messages.max(1) as f64
    }
}

/// Frames that were made beforehand.
pub(super) struct Load {
    frames: Arc<[Vec<u8>]>,
    messages: u64,
}

/// What workers of one gateway share, and the world it is made of.
pub(super) struct Common {
    pub(super) world: World,
    pub(super) ring: KeyRing,
    cell: Arc<PolicyCell<Snapshot>>,
}

impl Common {
    /// # Errors
    /// A world that the product refuses: a defect.
    pub(super) fn new(profile: &Profile) -> Result<Self, Box<dyn Error>> {
        let world = World::at(profile, (NOW_MS / 1000) as i64)?;
        let ring = KeyRing::new();
        let cell = Arc::new(PolicyCell::new(world.snapshot(&ring)?));
        Ok(Self { world, ring, cell })
    }
}

/// A worker and its traffic.
pub(super) struct Rig {
    worker: Worker<Trickle>,
    pub(super) crypto: Pool,
    source: Source,
    buffers: MemPool,
    burst: usize,
    offload: bool,
    now_ms: u64,
    /// The last cost of a message, to know how many a slice takes.
    ns: f64,
}

impl Rig {
    /// * `burst`: frames that a turn finds at most
    /// # Errors
    /// A pool that does not start, or traffic that is not of this world.
    pub(super) fn new(
        common: &Common,
        profile: &Profile,
        burst: usize,
        crypto: PoolConfig,
    ) -> Result<Self, Box<dyn Error>> {
        let shared = Arc::new(Shared::new(common.cell.reader().held()));
        let offload = !crypto.cores.is_empty();
        let (crypto, mut clients) = Pool::start(crypto, 1, &common.ring)?;
        let client = clients.pop().ok_or("no crypto client")?;
        let buffers = MemPool::new(BUFFERS.max(2 * IN_FLIGHT), mem::ROOM);
        let port = || Trickle { port: MemPort::new(&buffers), burst };
        let config = WorkerConfig { started_ms: NOW_MS, ..WorkerConfig::default() };
        let worker = Worker::new(config, [port(), port()], common.cell.reader(), client, shared, Vec::new());
        let source = Source::new(profile, &common.world)?;
        let (now_ms, ns) = (NOW_MS, 1000.0 + 6000.0 * profile.judgement.signed);
        let mut rig = Self { worker, crypto, source, buffers, burst, offload, now_ms, ns };
        rig.shake()?;
        Ok(rig)
    }

    /// Opens the associations, step by step as their hosts would.
    fn shake(&mut self) -> Result<(), Box<dyn Error>> {
        let mut before = None;
        for (side, frame) in self.source.handshake() {
            if before.is_some_and(|before| before != side) {
                self.turns(8);
            }
            before = Some(side);
            let port = self.worker.port_mut(side as usize).ok_or("a port")?;
            port.burst = BURST;
            if !port.port.inject(&frame)? {
                return Err("more associations than buffers".into());
            }
            self.worker.turn(self.now_ms);
        }
        self.turns(8);
        for side in [Side::Interconnect, Side::Home] {
            let out = self.worker.port_mut(side as usize).ok_or("a port")?;
            out.port.drop_sent();
            out.burst = self.burst;
        }
        Ok(())
    }

    fn turns(&mut self, turns: u32) {
        for _ in 0..turns {
            self.worker.turn(self.now_ms);
        }
    }

    /// Frames for a slice, and for what leads into it.
    pub(super) fn load(&mut self, slice: Duration) -> [Load; 2] {
        self.now_ms += 1;
        let count = (slice.as_secs_f64() * 1e9 / self.ns) as u64;
        [count / u64::from(LEAD), count].map(|count| self.made(count))
    }

    fn made(&mut self, count: u64) -> Load {
        let (before, mut frames) = (self.source.made().messages, Vec::new());
        while self.source.made().messages - before < count.max(64) {
            let mut frame = Vec::new();
            self.source.next(self.now_ms, &mut frame);
            frames.push(frame);
        }
        Load { frames: frames.into(), messages: self.source.made().messages - before }
    }

    /// Octets of an unsigned frame of such traffic, mean.
    ///
    /// # Errors
    /// Traffic that is not of this world.
    pub(super) fn octets(profile: &Profile, world: &World) -> Result<f64, Box<dyn Error>> {
        let profile = Profile { judgement: signed(0.0), ..profile.clone() };
        let mut source = Source::new(&profile, world)?;
        let mut frame = Vec::new();
        for _ in 0..4000 {
            source.next(NOW_MS, &mut frame);
        }
        Ok(source.made().octets as f64 / source.made().messages as f64)
    }

    /// CPU time of a turn that finds nothing, nanoseconds.
    fn empty_ns(&mut self) -> f64 {
        const TURNS: u32 = 4096;
        let began = cpu_now();
        self.turns(TURNS);
        cpu_now().saturating_sub(began).as_secs_f64() * 1e9 / f64::from(TURNS)
    }

    /// One slice: a lead that nobody counts, then all of the load.
    ///
    /// # Errors
    /// A message that was not judged as its source says: a defect.
    pub(super) fn slice(&mut self, [lead, load]: [Load; 2]) -> Result<Slice, Box<dyn Error>> {
        self.lead(lead)?;
        self.count(load)
    }

    /// What leads into a slice.
    ///
    /// # Errors
    /// As [`Rig::slice`].
    pub(super) fn lead(&mut self, lead: Load) -> Result<(), Box<dyn Error>> {
        self.play(lead, 0.0).map(drop)
    }

    /// What counts.
    ///
    /// # Errors
    /// As [`Rig::slice`].
    pub(super) fn count(&mut self, load: Load) -> Result<Slice, Box<dyn Error>> {
        let empty_ns = if self.offload { self.empty_ns() } else { 0.0 };
        let slice = self.play(load, empty_ns)?;
        self.ns = slice.ns().clamp(50.0, 1e7);
        Ok(slice)
    }

    fn play(&mut self, load: Load, empty_ns: f64) -> Result<Slice, Box<dyn Error>> {
        let before = self.worker.stats().clone();
        let port = MemPort::looping(&self.buffers, load.frames, Some(1))?;
        let entrance = self.worker.port_mut(Side::Interconnect as usize).ok_or("a port")?;
        entrance.port = port;
        let (began, clock, mut idle) = (cpu_now(), Instant::now(), 0_u64);
        loop {
            let room = if self.worker.in_flight() < IN_FLIGHT { self.burst } else { 0 };
            let entrance = self.worker.port_mut(Side::Interconnect as usize).ok_or("a port")?;
            entrance.burst = room;
            let over = entrance.exhausted();
            let received = self.worker.turn(self.now_ms);
            idle += u64::from(received == 0);
            if over && self.worker.in_flight() == 0 {
                break;
            }
        }
        let cpu = cpu_now().saturating_sub(began).saturating_sub(Duration::from_nanos((idle as f64 * empty_ns) as u64));
        let wall = clock.elapsed();
        let after = self.worker.stats();
        let judged = [Reason::OkVerified, Reason::OkUnsignedAllowed]
            .map(|reason| after.total(reason) - before.total(reason))
            .iter()
            .sum::<u64>();
        if judged != load.messages {
            return Err(format!("{judged} of {} messages were judged as they should be", load.messages).into());
        }
        Ok(Slice { messages: load.messages, cpu, wall })
    }

    /// Ends its threads.
    ///
    /// # Errors
    /// One that does not end.
    pub(super) fn stop(self) -> Result<(), Box<dyn Error>> {
        if self.crypto.stop() > 0 { Err("a crypto thread does not end".into()) } else { Ok(()) }
    }

    /// Plays signed traffic until each of its keys has a table for keys in use and none changes any more, or until none
    /// was made for a while: tables may have less memory than they want. Returns how many there are by width, from none on.
    ///
    /// # Errors
    /// As [`Rig::slice`].
    pub(super) fn settle(&mut self, keys: u32) -> Result<[usize; 4], Box<dyn Error>> {
        let until = Instant::now() + SETTLE + SETTLE_KEY * keys;
        let (mut seen, mut since) = ([0; 4], Instant::now());
        while Instant::now() < until {
            let load = self.load(Duration::from_millis(80));
            self.slice(load)?;
            // Tables are made on cores that nobody polls, or while nobody does.
            std::thread::sleep(Duration::from_millis(40));
            let tables = self.crypto.stats().tables;
            if tables.keys != seen || tables.pending > 0 {
                (seen, since) = (tables.keys, Instant::now());
            }
            let in_use: usize = tables.keys.iter().skip(Tier::Base as usize).sum();
            if since.elapsed() > if in_use < keys as usize { SPENT } else { SETTLED } {
                break;
            }
        }
        Ok(seen)
    }

    /// Keeps keys in use, so that their tables stay as wide as they are.
    ///
    /// # Errors
    /// As [`Rig::slice`].
    pub(super) fn keep_warm(&mut self, keys: u32) -> Result<(), Box<dyn Error>> {
        const ASKED: u64 = 32;
        /// Messages that are held at a time.
        const PART: u64 = 20_000;
        let mut left = u64::from(keys) * ASKED;
        while left > 0 {
            let load = self.made(left.min(PART));
            left = left.saturating_sub(load.messages);
            self.lead(load)?;
        }
        Ok(())
    }
}

/// Traffic with this share of good signatures, and nothing wrong with the rest.
pub(super) fn signed(share: f64) -> crate::mix::Judgement {
    crate::mix::Judgement { signed: share, unsigned: 1.0 - share, ..Default::default() }
}
