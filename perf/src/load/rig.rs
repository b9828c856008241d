//! The gateway under test: the product's engine over any ports, with what a bench wants to know of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sealgate_config::Admin;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::engine::{Engine, EngineConfig, Idle};
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::pipeline::tap::Tap;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_wire::reason::ALL;
use serde::{Deserialize, Serialize};

use super::calm::{Mark, Watched};
use crate::fault::{Burner, Fault, Gap, Probe};
use crate::mix::{TABLES, World};
use crate::record::Calm;

/// How the gateway is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Core of each worker.
    pub workers: Vec<usize>,
    /// Core of each crypto thread; empty: workers verify for themselves.
    pub crypto: Vec<usize>,
    /// What goes wrong on purpose.
    #[serde(default)]
    pub fault: Fault,
}

/// What a bench asks of the gateway under test, wherever that runs.
pub trait Device {
    /// A trial begins.
    /// # Errors
    /// A gateway that does not answer.
    fn begin(&mut self) -> Result<(), String>;

    /// A trial has ended: how calm the least calm of the workers was; `None` where nobody knows.
    /// # Errors
    /// A gateway that does not answer.
    fn end(&mut self) -> Result<Option<Calm>, String>;

    /// Compiles the policy again and puts it into force.
    /// # Errors
    /// A policy that does not compile, or a gateway that cannot be reached from here.
    fn reload(&mut self) -> Result<(), String>;

    /// Messages so far, by the name of the verdict's reason.
    /// # Errors
    /// A gateway that does not answer.
    fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String>;

    /// How far the tables of keys are; `None` where nobody knows.
    /// # Errors
    /// A gateway that does not answer.
    fn tables(&mut self) -> Result<Option<Tables>, String> {
        Ok(None)
    }
}

/// How far the tables of keys are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Keys without a table, and with one from the smallest kind on.
    pub keys: [usize; 4],
    /// Tables still to be made.
    pub pending: usize,
}

/// No gateway here: it runs elsewhere, or there is none.
pub struct Nobody;

impl Device for Nobody {
    fn begin(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Calm>, String> {
        Ok(None)
    }

    fn reload(&mut self) -> Result<(), String> {
        Err("the gateway is not ours: reload it there".to_owned())
    }

    fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String> {
        Ok(Vec::new())
    }
}

/// The engine in this process.
pub struct Rig {
    engine: Engine,
    world: Arc<World>,
    gaps: Vec<Gap>,
    burners: Vec<Burner>,
    threads: Vec<Watched>,
    marks: Vec<Option<Mark>>,
}

impl Rig {
    /// Starts it, with one queue pair for each worker.
    ///
    /// * `enter`: called on each worker's thread before its first turn
    /// # Errors
    /// A policy that does not compile, or threads that do not start on their cores.
    pub fn start<P, G>(
        world: Arc<World>,
        setup: &Setup,
        queues: Vec<[P; 2]>,
        enter: impl Fn() -> Result<G, String> + Clone + Send + 'static,
    ) -> Result<Self, String>
    where
        P: FrameIo + Send + 'static,
        P::Frame: 'static,
    {
        let snapshot = world.snapshot(&KeyRing::new()).map_err(|fault| fault.to_string())?;
        let mut shared = Shared::new(&snapshot);
        // As in the product.
        shared.tap = Tap::new(setup.workers.len(), Admin::REFUSED);
        let config = EngineConfig {
            cores: setup.workers.iter().copied().map(Some).collect(),
            crypto: PoolConfig {
                cores: setup.crypto.clone(),
                avoid: setup.workers.clone(),
                table_memory: TABLES,
                ..PoolConfig::default()
            },
            idle: Idle::POLL,
            ..EngineConfig::default()
        };
        let gaps: Vec<Gap> = setup.workers.iter().map(|_| Gap::default()).collect();
        let fault = setup.fault;
        // One port tells how often the worker turns; both burn and lose, and one alone stalls.
        let other = Fault { burn: fault.burn, lose_one_in: fault.lose_one_in, ..Fault::default() };
        let probed: Vec<_> = queues
            .into_iter()
            .zip(&gaps)
            .map(|([interconnect, home], gap)| {
                [Probe::new(interconnect, fault, gap.clone()), Probe::new(home, other, Gap::default())]
            })
            .collect();
        let burners = probed.iter().flatten().map(Probe::burner).collect();
        let threads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&threads);
        let enter = move || {
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(Watched::this());
            enter()
        };
        let engine = Engine::start_with(config, snapshot, shared, probed, enter).map_err(|error| error.to_string())?;
        let threads = threads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Self { engine, world, gaps, burners, marks: vec![None; threads.len()], threads })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// From now on each frame received takes so many steps more.
    pub fn burn(&self, steps: u32) {
        self.burners.iter().for_each(|burner| burner.set(steps));
    }

    /// Ends all threads.
    pub fn stop(self) {
        self.engine.stop(Duration::from_secs(2));
    }
}

impl Device for Rig {
    fn begin(&mut self) -> Result<(), String> {
        for gap in &self.gaps {
            gap.take();
        }
        self.marks = self.threads.iter().map(Watched::mark).collect();
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Calm>, String> {
        // A gap has no name of its thread: the longest counts for all.
        let gap = self.gaps.iter().map(Gap::take).max().unwrap_or_default();
        let marked = self.threads.iter().zip(&self.marks);
        let calms = marked.filter_map(|(thread, mark)| Some(thread.since(mark.as_ref()?, gap)));
        Ok(calms.reduce(|one, other| Calm {
            switches: one.switches.max(other.switches),
            cpu_ms: one.cpu_ms.min(other.cpu_ms),
            share: one.share.min(other.share),
            longest_gap_us: one.longest_gap_us.max(other.longest_gap_us),
            stolen_ms: one.stolen_ms.max(other.stolen_ms),
        }))
    }

    fn reload(&mut self) -> Result<(), String> {
        let next = self.world.next(&self.engine.snapshot()).map_err(|fault| fault.to_string())?;
        self.engine.publish(next);
        Ok(())
    }

    fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String> {
        let stats = self.engine.stats();
        let counts = ALL.iter().map(|reason| (reason.name().to_owned(), stats.total(*reason)));
        Ok(counts.filter(|(_, count)| *count > 0).collect())
    }

    fn tables(&mut self) -> Result<Option<Tables>, String> {
        let tables = self.engine.crypto().tables;
        Ok(Some(Tables { keys: tables.keys, pending: tables.pending }))
    }
}
