//! The one place from which policy and trust are put into force: whoever has new ones, the thread that follows the repository or
//! an operator who reloads, comes through here, one at a time.

use crate::gather::Ready;
use crate::report::Current;
use sealgate_config::model::Policy;
use sealgate_crypto::pki::Trust;
use sealgate_dataplane::engine::Engine;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::{CompileError, Keys};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long to wait at most for the workers to let go of the snapshot before; a turn takes microseconds. What they hold
/// longer is freed later.
const LET_GO: Duration = Duration::from_millis(200);

/// What a swap came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Its number: 1 is what the gateway started with.
    pub generation: u64,
    /// How long compiling took.
    pub compile: Duration,
    /// From the swap until no worker held what was before; `None`: a worker still did.
    pub workers: Option<Duration>,
    /// What was left out, a sentence each.
    pub warnings: Vec<String>,
    /// Certificates that the policy names as keys of SG-TCAP-0 and nobody has.
    pub missing: Vec<String>,
}

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The gateway is stopping.
    Closed,
    /// The policy names what the certificates and keys do not hold.
    Compile(Vec<CompileError>),
}

/// What is in force.
struct State {
    policy: Policy,
    keys: Keys,
    generation: u64,
    closed: bool,
}

/// Compiles and swaps.
pub struct Publisher {
    engine: Weak<Engine>,
    mtu: u16,
    trust: Arc<Current>,
    state: Mutex<State>,
}

impl Publisher {
    /// For an engine that was started with these.
    ///
    /// * `keys`: all that were found; `mtu`: largest IP packet of the ports; `trust`: where the one in force is shown
    pub fn new(engine: &Arc<Engine>, policy: Policy, keys: Keys, mtu: u16, trust: Arc<Current>) -> Self {
        let state = State { policy, keys, generation: 1, closed: false };
        Self { engine: Arc::downgrade(engine), mtu, trust, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy in force.
    pub fn policy(&self) -> Policy {
        self.state().policy.clone()
    }

    /// How many swaps there were.
    pub fn swaps(&self) -> u64 {
        self.state().generation - 1
    }

    /// Puts other certificates into force, under the same policy.
    /// # Errors
    /// [`Refused`]; what was in force stays.
    pub fn trust(&self, trust: Arc<Trust>) -> Result<Swap, Refused> {
        let mut state = self.state();
        let began = Instant::now();
        let engine = self.engine(&state)?;
        let ready = Ready::new(&state.policy, &state.keys, &trust);
        let next = engine.snapshot().next_trust(&ready.policy, &trust, &ready.own, self.mtu);
        Ok(self.swap(&mut state, &engine, next.map_err(Refused::Compile)?, trust, ready, began))
    }

    /// Puts another policy, other keys and other certificates into force, in one step.
    /// # Errors
    /// [`Refused`]; what was in force stays.
    pub fn all(&self, policy: Policy, keys: Keys, trust: Arc<Trust>) -> Result<Swap, Refused> {
        let mut state = self.state();
        let began = Instant::now();
        let engine = self.engine(&state)?;
        let ready = Ready::new(&policy, &keys, &trust);
        let next = engine.snapshot().next(&ready.policy, &trust, &ready.own, self.mtu);
        let swap = self.swap(&mut state, &engine, next.map_err(Refused::Compile)?, trust, ready, began);
        (state.policy, state.keys) = (policy, keys);
        Ok(swap)
    }

    fn engine(&self, state: &State) -> Result<Arc<Engine>, Refused> {
        self.engine.upgrade().filter(|_| !state.closed).ok_or(Refused::Closed)
    }

    fn swap(
        &self,
        state: &mut State,
        engine: &Engine,
        next: Snapshot,
        trust: Arc<Trust>,
        ready: Ready,
        began: Instant,
    ) -> Swap {
        let compile = began.elapsed();
        let swapped = Instant::now();
        engine.publish(next);
        self.trust.set(trust);
        state.generation += 1;
        let mut held = engine.reclaim();
        while held > 0 && swapped.elapsed() < LET_GO {
            std::thread::sleep(Duration::from_micros(50));
            held = engine.reclaim();
        }
        let workers = (held == 0).then(|| swapped.elapsed());
        let warnings = ready.warnings().collect();
        Swap { generation: state.generation, compile, workers, warnings, missing: ready.missing }
    }

    /// Frees what workers have let go of since.
    pub fn reclaim(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.reclaim();
        }
    }

    /// From here on nothing is swapped and nothing of the engine is touched.
    pub fn close(&self) {
        self.state().closed = true;
    }
}
