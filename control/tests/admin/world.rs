//! A gateway over ports in memory, and unsigned messages that it refuses.
#![allow(dead_code, reason = "each test file uses its part")]

use crate::common::{HOME, Lab, OTHER, frame, message};
use sealgate_control::alarms::clock::ClockState;
use sealgate_control::gather::Gathered;
use sealgate_control::observe::{Observer, Settings};
use sealgate_control::ports::PortView;
use sealgate_control::report::{Board, Current, Wishes};
use sealgate_control::secrecy::Locking;
use sealgate_dataplane::engine::{Engine, EngineConfig, now_ms};
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::io::{Frame, FrameIo};
use sealgate_dataplane::pipeline::tap::Tap;
use sealgate_dataplane::pipeline::worker::Shared;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

/// The board of OTHER's gateway over two ports, with everything else as its files say.
///
/// * `policy`: in the place of the one that requires signatures
pub fn board_over<P>(lab: &Lab, ports: [P; 2], policy: Option<&str>) -> Arc<Board>
where
    P: FrameIo + Send + 'static,
{
    let file = lab.gateway(&OTHER, &HOME, "null", "null");
    if let Some(policy) = policy {
        fs::write(lab.file("other-policy.yaml"), policy).expect("written");
    }
    let now = i64::try_from(now_ms() / 1000).expect("this century");
    let gathered = Gathered::read(&file, None, now).unwrap_or_else(|problems| panic!("{problems}"));
    let mut shared = Shared::new(&gathered.snapshot);
    shared.tap = Tap::new(1, 4);
    let engine = Engine::start_with(EngineConfig::default(), gathered.snapshot, shared, vec![ports], || Ok(()));
    let view = |device: &str| PortView {
        device: device.to_owned(),
        driver: "memory".to_owned(),
        counters: Box::new(|| Value::Null),
    };
    let engine = Arc::new(engine.expect("started"));
    let observer =
        Observer::start(&engine, Settings { clock: || Some(ClockState { synchronised: true, error_us: 0 }), keep: 4 })
            .expect("a thread");
    Arc::new(Board {
        config: file,
        engine,
        trust: Arc::new(Current::new(gathered.trust)),
        repository: None,
        callers: None,
        enrolment: None,
        reloader: None,
        ports: vec![view("one"), view("two")],
        memory: Locking::Off,
        observer,
        wishes: Wishes::default(),
    })
}

/// The same over ports by which nothing comes.
pub fn board(lab: &Lab) -> Arc<Board> {
    let pool = MemPool::new(16, 2048);
    board_over(lab, [MemPort::new(&pool), MemPort::new(&pool)], None)
}

/// A gateway under a stream of unsigned messages, some thousands a second.
pub struct Busy {
    pub board: Arc<Board>,
    over: Arc<AtomicBool>,
    sender: Option<JoinHandle<()>>,
}

impl Busy {
    pub fn new(lab: &Lab) -> Self {
        Self::start(lab, None)
    }

    pub fn with_policy(lab: &Lab, policy: &str) -> Self {
        Self::start(lab, Some(policy))
    }

    fn start(lab: &Lab, policy: Option<&str>) -> Self {
        let pool = MemPool::new(1024, 2048);
        let (mut outside, interconnect) = MemPort::cable(&pool, 256);
        let mut home = MemPort::new(&pool);
        home.drop_sent();
        let board = board_over(lab, [interconnect, home], policy);
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let sender = spawn(move || {
            let (mut number, mut frames) = (0, VecDeque::new());
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..16 {
                    let Some(mut one) = outside.alloc() else { break };
                    number += 1;
                    one.set(&frame(number, &message())).expect("room");
                    frames.push_back(one);
                }
                outside.tx(&mut frames);
                frames.clear();
                sleep(Duration::from_millis(2));
            }
        });
        Self { board, over, sender: Some(sender) }
    }

    /// Waits until the workers have refused some more: they turn, and no frame was lost inside.
    pub fn goes_on(&self) {
        let refused = || self.board.engine.stats().message_balance().1;
        let before = refused();
        for _ in 0..2000 {
            if refused() > before + 100 {
                let (entered, left) = self.board.engine.stats().frame_balance();
                assert_eq!(entered, left, "frames are unaccounted for");
                assert_eq!(self.board.observer.stalled(), [] as [usize; 0]);
                return;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("the worker stands still");
    }

    /// The worker still turns, and once it was drained no frame and no message is unaccounted for.
    pub fn comes_out_even(&self) {
        self.goes_on();
        self.board.drain();
        let stats = self.board.engine.stats();
        for (entered, left) in [stats.frame_balance(), stats.message_balance()] {
            assert_eq!(entered, left, "something is unaccounted for");
            assert!(entered > 100);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
    }
}
