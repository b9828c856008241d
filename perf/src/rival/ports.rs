//! Our worker, and our ports alone, over the same devices as testpmd.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use sealgate_config::model::{Device, Mode, Port as Model};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::dpdk::{Eal, Mbuf, Mempool, Port, Queue};
use sealgate_dataplane::io::sizing::Sizing;
use sealgate_dataplane::pipeline::worker::{BURST, Shared};
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::PolicyCell;

use super::vdev::{BUFFERS, Cost, eal_arguments};
use crate::gateway::{NOW_MS, compile, policy};

/// Frames over null devices, which never end.
const NULL_FRAMES: u64 = 4_000_000;

/// Receives and sends, and nothing else. Starts EAL, and so can run once in a process.
///
/// * `full`, `quiet`: captures of the two ports
///
/// # Errors
/// EAL or a port does not start.
pub fn forward(full: &Path, quiet: &Path, core: usize) -> Result<Cost, Box<dyn Error>> {
    let Opened { eal, queues: [mut from, mut to] } = open([capture(full), capture(quiet)], core)?;
    let mut cost = Cost { frames: 0, cycles: 0.0 };
    let mut room = Room::default();
    while !from.exhausted() {
        one_way(eal, &mut from, &mut to, &mut room, &mut cost);
    }
    Ok(cost)
}

/// The same both ways over null devices: the loop alone.
///
/// # Errors
/// EAL or a port does not start.
pub fn null(core: usize) -> Result<Cost, Box<dyn Error>> {
    let Opened { eal, queues: [mut one, mut two] } = open([Device::Null, Device::Null], core)?;
    let mut cost = Cost { frames: 0, cycles: 0.0 };
    let mut room = Room::default();
    while cost.frames < NULL_FRAMES {
        one_way(eal, &mut one, &mut two, &mut room, &mut cost);
        one_way(eal, &mut two, &mut one, &mut room, &mut cost);
    }
    Ok(cost)
}

/// Frames on their way.
#[derive(Default)]
struct Room {
    burst: Vec<Mbuf>,
    out: VecDeque<Mbuf>,
}

fn one_way(eal: Eal, from: &mut Queue, to: &mut Queue, room: &mut Room, cost: &mut Cost) {
    room.burst.reserve(BURST);
    let start = eal.tsc();
    let got = from.rx(&mut room.burst, BURST);
    if got == 0 {
        return;
    }
    room.out.extend(room.burst.drain(..));
    to.tx(&mut room.out);
    cost.cycles += eal.tsc().wrapping_sub(start) as f64;
    cost.frames += got as u64;
    room.out.clear();
}

/// The whole turn: every frame is a message that is judged and forwarded. Starts EAL, and so can run once in a process.
///
/// * `lead`: frames that are not counted, see [`super::vdev::Captures`]
///
/// # Errors
/// EAL or a port does not start; a frame that is not forwarded.
pub fn work(full: &Path, quiet: &Path, lead: u64, core: usize) -> Result<Cost, Box<dyn Error>> {
    let Opened { eal, queues } = open([capture(full), capture(quiet)], core)?;
    let keys = KeyRing::new();
    let snapshot = compile(&policy(Mode::Prefer, false)?, &keys, &[])?;
    let shared = Arc::new(Shared::new(&snapshot));
    let cell = Arc::new(PolicyCell::new(snapshot));
    let config = PoolConfig { avoid: vec![core], ..PoolConfig::default() };
    let (_pool, mut clients) = Pool::start(config, 1, &cell.current().ring)?;
    let client = clients.pop().ok_or("no crypto client")?;
    let mut worker = Worker::new(WorkerConfig::default(), queues, cell.reader(), client, shared, Vec::new());
    let (mut all, mut cost) = (0, Cost { frames: 0, cycles: 0.0 });
    while !worker.is_done() {
        let start = eal.tsc();
        let got = worker.turn(NOW_MS) as u64;
        if got > 0 && all >= lead {
            cost.cycles += eal.tsc().wrapping_sub(start) as f64;
            cost.frames += got;
        }
        all += got;
    }
    let stats = worker.stats();
    if stats.messages != all || stats.tx[1] != all {
        return Err(format!("{all} frames, {} messages, {} forwarded", stats.messages, stats.tx[1]).into());
    }
    Ok(cost)
}

fn capture(path: &Path) -> Device {
    Device::Pcap { rx: Some(path.to_owned()), tx: None }
}

/// EAL, and a queue of each of two ports. A port stays open as long as its queue lives.
struct Opened {
    eal: Eal,
    queues: [Queue; 2],
}

fn open(devices: [Device; 2], core: usize) -> Result<Opened, Box<dyn Error>> {
    let mut arguments = eal_arguments()?;
    arguments.push(format!("--lcores=0@{core}"));
    let eal = Eal::init(&arguments)?;
    let pool = Mempool::create(eal, Sizing { count: BUFFERS, room: 2048 }, None)?;
    let queue = |device| -> Result<Queue, Box<dyn Error>> {
        let model = Model { device, mtu: Model::MTU, rx_ring: Model::RING, tx_ring: Model::RING };
        let (_, mut queues) = Port::open(eal, &model, 1, &pool)?;
        Ok(queues.pop().ok_or("a port without a queue")?)
    };
    let [one, two] = devices;
    Ok(Opened { eal, queues: [queue(one)?, queue(two)?] })
}
