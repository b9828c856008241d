//! The thread that watches a gateway from outside: it takes refused messages from the workers' tap, looks for alarms, and
//! sees whether every worker still turns. It reads copies of counters and clocks, and no worker waits for it.

use crate::alarms::clock::{self, ClockState};
use crate::alarms::{self, Registry};
use crate::report::history::History;
use crate::report::refused::{Ring, names, spoken};
use crate::report::sources::Sources;
use crate::report::{Shares, states_of};
use sealgate_config::model::Screening;
use sealgate_dataplane::engine::{Engine, WorkerState, now_ms};
use sealgate_dataplane::pipeline::tap::{Capture, is_refusal, is_sampled};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_wire::{Reason, tcap};
use serde_json::Value;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Between two looks at the tap: so often the credits of each reason are given back.
const TAP: Duration = Duration::from_millis(50);
/// Between two looks for alarms.
const ALARMS: Duration = Duration::from_millis(500);
/// Between two looks at the clock.
const CLOCK: Duration = Duration::from_secs(5);
/// A worker whose counters stand still for so long does not turn any more. They are published ten times a second.
const STALL: Duration = Duration::from_secs(5);

/// What the thread works with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Refused messages of each reason that are kept.
    pub keep: u32,
    /// What the kernel says of its clock; a test says something else.
    pub clock: fn() -> Option<ClockState>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keep: sealgate_config::Admin::REFUSED, clock: clock::ask }
    }
}

/// When a worker's turns were seen to grow last.
struct Pulse {
    turns: u64,
    at: Instant,
}

struct Common {
    engine: Weak<Engine>,
    settings: Settings,
    alarms: Registry,
    ring: Mutex<Ring>,
    /// Messages that passed, and would be refused if their peers were screened actively.
    would: Mutex<Ring>,
    sources: Mutex<Sources>,
    history: Mutex<History>,
    pulses: Mutex<Vec<Pulse>>,
    /// Messages of rules that were not logged, when it was told last.
    unlogged: Mutex<u64>,
    stop: Mutex<bool>,
    woken: Condvar,
}

/// The thread and what it has seen. Dropping it ends the thread.
pub struct Observer {
    common: Arc<Common>,
    thread: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer {
    /// Begins to watch. It never keeps the engine alive for longer than a look.
    /// # Errors
    /// The system gives no thread.
    pub fn start(engine: &Arc<Engine>, settings: Settings) -> io::Result<Self> {
        let common = Arc::new(Common {
            engine: Arc::downgrade(engine),
            settings,
            alarms: Registry::default(),
            ring: Mutex::new(Ring::new(settings.keep as usize)),
            would: Mutex::new(Ring::new(settings.keep as usize)),
            sources: Mutex::default(),
            history: Mutex::default(),
            pulses: Mutex::default(),
            unlogged: Mutex::default(),
            stop: Mutex::new(false),
            woken: Condvar::new(),
        });
        let work = Arc::clone(&common);
        let thread = Builder::new().name("observe".to_owned()).spawn(move || work.run())?;
        Ok(Self { common, thread: Some(thread) })
    }

    /// All alarms that stand, those in the repository's document among them.
    pub fn alarms(&self, repository: &Value) -> Value {
        self.common.alarms.document(repository)
    }

    /// Refused messages, oldest first, as [`Ring::document`] has them.
    pub fn refused(&self, reason: Option<Reason>, frames: bool) -> Value {
        self.common.tap();
        lock(&self.common.ring).document(reason, frames)
    }

    /// What `show` makes of messages that passed and would be refused, were their peers screened actively.
    pub fn would_be_refused(&self, show: impl FnOnce(&Ring) -> Value) -> Value {
        self.common.tap();
        show(&lock(&self.common.would))
    }

    /// What a peer sent within the last hour, day and week, and who of it would be refused in mode require.
    ///
    /// * `peer`: its place; `counters`: as they are now; `now`: seconds since 1970
    pub fn migration(&self, peer: usize, name: &str, counters: Shares, now: i64) -> (Value, Value) {
        let windows = lock(&self.common.history).windows(now, peer, counters);
        let sources = lock(&self.common.sources).document(name, now);
        (windows.iter().map(|window| window.document()).collect(), sources)
    }

    /// Looks for alarms now, and not only when it is time.
    pub fn look(&self) {
        self.common.look();
    }

    /// Workers that do not turn any more; those that ended as they should are not among them.
    pub fn stalled(&self) -> Vec<usize> {
        let Some(engine) = self.common.engine.upgrade() else { return Vec::new() };
        let pulses = lock(&self.common.pulses);
        let still = |worker: &usize| pulses.get(*worker).is_some_and(|pulse| pulse.at.elapsed() >= STALL);
        let views = engine.workers();
        (0..views.len())
            .filter(|worker| match views.get(*worker).map(|view| view.state) {
                Some(WorkerState::Running) => still(worker),
                Some(WorkerState::Failed) => true,
                _ => false,
            })
            .collect()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        *lock(&self.common.stop) = true;
        self.common.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

impl Common {
    fn run(&self) {
        let (mut alarms, mut next_clock) = (Instant::now(), Instant::now());
        loop {
            self.tap();
            if Instant::now() >= alarms {
                alarms = Instant::now() + ALARMS;
                self.look();
            }
            if Instant::now() >= next_clock {
                next_clock = Instant::now() + CLOCK;
                clock::look(&self.alarms, (self.settings.clock)(), now_s());
            }
            let stop = lock(&self.stop);
            if *stop || *self.woken.wait_timeout(stop, TAP).unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// Takes refused messages, and with that makes room for others.
    fn tap(&self) {
        let Some(engine) = self.engine.upgrade() else { return };
        let snapshot = engine.snapshot();
        let (mut ring, mut would, mut sources) = (lock(&self.ring), lock(&self.would), lock(&self.sources));
        let refused = engine.shared().tap.refused();
        refused.drain(|capture| {
            let record = &capture.seen.record;
            if capture.is_logged() {
                log_ruled(capture, &snapshot);
            }
            let inbound = record.way == Some(Direction::In);
            match (record.would, inbound && is_sampled(record.reason)) {
                (Some(reason), _) => {
                    log_would(capture, reason, &snapshot);
                    would.put(capture, &snapshot);
                }
                (None, true) => sample(&mut sources, capture, &snapshot),
                (None, false) if is_refusal(record.reason) => ring.put(capture, &snapshot),
                (None, false) => {}
            }
        });
        let unlogged = refused.unlogged();
        let before = std::mem::replace(&mut *lock(&self.unlogged), unlogged);
        if unlogged > before {
            tracing::warn!("{} message(s) of rules are not in the log: they came too fast", unlogged - before);
        }
    }

    fn look(&self) {
        let Some(engine) = self.engine.upgrade() else { return };
        let (now, shared) = (now_s(), engine.shared());
        alarms::look_at_crypto(&self.alarms, &engine.crypto(), now);
        let (digests, replay) = (shared.digests.counters(), shared.replay.counters());
        let dialogues = shared.dialogues.refused();
        alarms::look_at_memories(&self.alarms, &engine.stats(), digests, replay, dialogues, now);
        let mut history = lock(&self.history);
        if history.is_due(now) {
            let stats = engine.stats();
            let peers: Vec<_> = (0..stats.peers()).map(|peer| states_of(&stats, peer)).collect();
            history.take(now, &peers);
        }
        drop(history);
        let mut pulses = lock(&self.pulses);
        for (worker, view) in engine.workers().into_iter().enumerate() {
            let turns = view.stats.turns;
            match pulses.get_mut(worker) {
                Some(pulse) if pulse.turns == turns => {}
                Some(pulse) => *pulse = Pulse { turns, at: Instant::now() },
                None => pulses.push(Pulse { turns, at: Instant::now() }),
            }
        }
    }
}

/// Logs a message that would be refused, where its peer is tested and not only learned. What comes here is bounded by the credits
/// of its reason.
fn log_would(capture: &Capture, reason: Reason, snapshot: &Snapshot) {
    let record = &capture.seen.record;
    let peer = snapshot.peers.get(usize::from(record.peer));
    if peer.is_none_or(|peer| peer.screening != Screening::Test) {
        return;
    }
    let rule = snapshot.ruleset.name_of(record.rule).unwrap_or_default();
    let (peer, what) = said(capture, snapshot);
    tracing::info!(peer, rule, reason = reason.name(), "would be {}, were screening active: {what}", reason.name());
}

/// The peer of a message, and all of it in words.
fn said(capture: &Capture, snapshot: &Snapshot) -> (String, String) {
    let record = &capture.seen.record;
    let (peer, link) = names(&capture.seen, snapshot);
    let spoken = record.tsn.and_then(|tsn| spoken(&capture.octets, tsn)).unwrap_or_default();
    let way = if record.way == Some(Direction::Out) { "to" } else { "from" };
    let mut text = format!("{way} {peer} on {link}");
    if let (Some((calling, _)), Some((called, _))) = (spoken.calling, spoken.called) {
        text += &format!(", {calling} > {called}");
    }
    if !spoken.operations().is_empty() {
        text += &format!(", operations {:?}", spoken.operations());
    }
    if let Some(rule) = snapshot.ruleset.name_of(record.rule) {
        text += &format!(", rule {rule}");
    }
    text += &format!(", octet {}", record.at);
    (peer, text)
}

/// Logs a message that a rule wants in the log. What comes here is bounded by the credits of the log.
fn log_ruled(capture: &Capture, snapshot: &Snapshot) {
    let record = &capture.seen.record;
    let rule = snapshot.ruleset.name_of(record.rule).unwrap_or_default();
    let (peer, what) = said(capture, snapshot);
    let reason = record.counts_as().name();
    tracing::info!(peer, rule, reason, "{}{reason}: {what}", if record.would.is_some() { "would be " } else { "" });
}

/// Notes who sent a message that passed without a signature that holds.
fn sample(sources: &mut Sources, capture: &Capture, snapshot: &Snapshot) {
    let (peer, _) = names(&capture.seen, snapshot);
    let said = capture.seen.record.tsn.and_then(|tsn| spoken(&capture.octets, tsn));
    let now = i64::try_from(capture.seen.time_ms / 1000).unwrap_or(i64::MAX);
    // An ABORT cannot be signed and passes in mode require too.
    if let Some(said) = said.filter(|said| said.kind != Some(tcap::MessageKind::Abort))
        && let Some((title, _)) = said.calling
    {
        sources.put(&peer, &title.to_string(), now);
    }
}
