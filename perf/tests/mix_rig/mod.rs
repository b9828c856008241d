//! A real worker over ports in memory, and a source whose word it is held to.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sealgate_crypto::job::MAX_BATCH;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::PolicyCell;
use sealgate_perf::gateway::NOW_MS;
use sealgate_perf::mix::{Fate, Profile, Reader, Sent, Side, Source, World};

pub type Fallible<T = ()> = Result<T, Box<dyn Error>>;

/// What must become of each message: by side, association and TSN.
pub type Expected = HashMap<(Side, u16, u32), Fate>;

pub struct Rig {
    pub worker: Worker<MemPort>,
    pub crypto: Pool,
    pub source: Source,
    reader: Reader,
    pub now_ms: u64,
    pub expected: Expected,
    /// Datagrams that must be refused, and then do not come.
    pub silent: HashSet<(Side, u16, u32)>,
    /// Fates that were not as expected.
    pub misjudged: Vec<String>,
}

impl Rig {
    /// Of a profile's mix.
    pub fn new(profile: &Profile) -> Fallible<Self> {
        let world = World::at(profile, (NOW_MS / 1000) as i64)?;
        let source = Source::new(profile, &world)?;
        Self::with(&world, source)
    }

    pub fn with(world: &World, source: Source) -> Fallible<Self> {
        // A peer in whose name much is forged may have one batch in flight. While its key has no table each message counts
        // for many: with small batches some would be refused for that, and how many would depend on the machine.
        Self::on(world, source, PoolConfig { batch: MAX_BATCH, ..PoolConfig::default() })
    }

    /// * `crypto`: its threads, if any
    pub fn on(world: &World, source: Source, crypto: PoolConfig) -> Fallible<Self> {
        let snapshot = world.snapshot(&KeyRing::new())?;
        let shared = Arc::new(Shared::new(&snapshot));
        let cell = Arc::new(PolicyCell::new(snapshot));
        let (crypto, mut clients) = Pool::start(crypto, 1, &cell.current().ring)?;
        let pool = MemPool::default();
        let ports = [MemPort::new(&pool), MemPort::new(&pool)];
        let client = clients.pop().ok_or("no client")?;
        // Long enough ago that nobody's answer is taken for one to a question of before.
        let config = WorkerConfig { started_ms: NOW_MS - 120_000, ..WorkerConfig::default() };
        let worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
        let reader = Reader::new(world);
        let (expected, silent, misjudged) = (HashMap::new(), HashSet::new(), Vec::new());
        Ok(Self { worker, crypto, source, reader, now_ms: NOW_MS, expected, silent, misjudged })
    }

    pub fn shake(&mut self) -> Fallible {
        let mut before = None;
        for (side, frame) in self.source.handshake() {
            if before.is_some_and(|before| before != side) {
                self.turns()?;
            }
            self.inject(side, &frame)?;
            before = Some(side);
        }
        self.turns()
    }

    pub fn inject(&mut self, side: Side, frame: &[u8]) -> Fallible {
        let port = self.worker.port_mut(side as usize).ok_or("a port")?;
        assert!(port.inject(frame)?);
        Ok(())
    }

    pub fn expect(&mut self, sent: &Sent) {
        for chunk in 0..sent.chunks {
            let fate = if sent.refuse >> chunk & 1 == 1 { Fate::Refused } else { Fate::Passed };
            let tsn = sent.first_tsn.wrapping_add(chunk.into());
            if sent.datagram && fate == Fate::Refused {
                // One that comes all the same is not expected.
                assert!(self.silent.insert((sent.side, sent.association, tsn)), "a number twice");
                continue;
            }
            assert!(self.expected.insert((sent.side, sent.association, tsn), fate).is_none(), "a TSN twice");
        }
    }

    /// Turns until all is out, and reads it.
    pub fn turns(&mut self) -> Fallible {
        for _ in 0..8 {
            self.worker.turn(self.now_ms);
        }
        for side in [Side::Interconnect, Side::Home] {
            let port = self.worker.port_mut(side.other() as usize).ok_or("a port")?;
            while let Some(frame) = port.take_sent() {
                let ours = self.reader.read(frame.octets(), &mut |from, association, tsn, fate| {
                    assert_eq!(from, side);
                    let expected = self.expected.remove(&(from, association, tsn));
                    if expected != Some(fate) {
                        self.misjudged.push(format!("{from:?} {association} {tsn}: {fate:?}, not {expected:?}"));
                    }
                });
                assert!(ours, "not of this world: {:x?}", frame.octets());
            }
        }
        Ok(())
    }

    /// Turns until nothing is expected any more, for ten seconds at most.
    pub fn drain(&mut self) -> Fallible {
        let begun = Instant::now();
        while !self.expected.is_empty() && begun.elapsed() < Duration::from_secs(10) {
            self.turns()?;
            std::thread::yield_now();
        }
        Ok(())
    }

    pub fn run(&mut self, messages: u64) -> Fallible {
        let mut frame = Vec::new();
        while self.source.made().messages < messages {
            for _ in 0..32 {
                let sent = self.source.next(self.now_ms, &mut frame);
                self.inject(sent.side, &frame)?;
                self.expect(&sent);
            }
            self.turns()?;
            self.now_ms += 1;
        }
        Ok(())
    }
}

/// An empty directory of this test.
pub fn scratch(name: &str) -> Fallible<PathBuf> {
    let dir = std::env::temp_dir().join(format!("sealgate-mix-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}
