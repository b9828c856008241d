//! Control's thread beside a pool: watches crypto threads, judges samples, keeps the tables of keys.
//!
//! It never touches the path: it reads counters and rings of its own, and publishes what it made by one pointer.

use crate::crew::{self, Crew, Kit, Outlook};
use crate::sample::{Audit, Evidence};
use crate::tables::{TableStats, Tables, Workshop};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Looks between two counts of what keys were asked.
const COUNT: u32 = 50;

/// Samples judged in one look, for each engine: more than one in 1,024 of what it can answer meanwhile.
const SAMPLES: usize = 64;

/// Wrong verdicts that are kept whole.
const EVIDENCE: usize = 16;

/// Looks without a turn after which a thread is given up: some seconds, in which it could verify RSA a hundred thousand
/// times.
pub(crate) const PATIENCE: u32 = 500;

/// Threads that make tables, at most.
const MAKERS: usize = 8;

/// What everybody may know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) tables: TableStats,
    pub(crate) checked: u64,
    pub(crate) mismatches: u64,
    pub(crate) evidence: Vec<Evidence>,
}

/// What the keeper and the pool have in common.
#[derive(Default)]
pub(crate) struct Common {
    pub(crate) crew: Mutex<Crew>,
    /// Servers that workers turn themselves.
    pub(crate) inline: Mutex<Vec<Outlook>>,
    pub(crate) shown: Mutex<Shown>,
}

/// Locks, also after a panic: what is behind these locks is whole after each statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keeper's work.
pub(crate) struct Keeper {
    kit: Kit,
    common: Arc<Common>,
    patience: u32,
    tables: Option<Tables>,
    looks: u32,
}

impl Keeper {
    /// Starts the thread.
    /// * `workshop`: where tables are made; `None`: there are none
    /// # Errors
    /// The system refused a thread.
    pub(crate) fn start(
        kit: Kit,
        common: Arc<Common>,
        workshop: Option<Arc<dyn Workshop>>,
        patience: u32,
    ) -> std::io::Result<JoinHandle<()>> {
        Builder::new().name("crypto-keeper".to_owned()).spawn(move || {
            step_aside(&kit.config.cores, &kit.config.avoid);
            let (ring, budget) = (&kit.ring, kit.config.table_memory);
            let tables = workshop.and_then(|workshop| Tables::tend(ring, workshop, budget, makers()));
            let mut keeper = Self { kit, common, patience, tables, looks: 0 };
            while !keeper.kit.stop.load(Ordering::Acquire) {
                keeper.look();
                // `Pool::stop` unparks.
                std::thread::park_timeout(LOOK);
            }
        })
    }

    fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        let mut audit = Audit::default();
        crew::watch(&self.common.crew, &self.kit, self.patience);
        {
            let mut crew = lock(&self.common.crew);
            let mut inline = lock(&self.common.inline);
            let keys = self.kit.ring.current();
            let threads = crew.members.iter_mut().map(|member| &mut member.outlook);
            for outlook in threads.chain(inline.iter_mut()) {
                outlook.auditor.run(&keys, SAMPLES, &mut audit);
            }
            drop(keys);
            if let Some(tables) = &mut self.tables
                && self.looks.is_multiple_of(COUNT)
            {
                let threads = crew.members.iter().map(|member| &member.outlook.hits);
                tables.count(threads.chain(inline.iter().map(|outlook| &outlook.hits)));
            }
        }
        let hardware = self.kit.config.hardware.as_ref();
        if let Some(hardware) = hardware {
            audit.evidence.extend(hardware.tend());
        }
        // Before anybody is told: nothing more is answered by what was found wrong.
        let foreign = audit.evidence.iter().filter(|one| one.by_device).count();
        let ours = audit.evidence.len() - foreign;
        if let Some(hardware) = hardware.filter(|_| foreign > 0) {
            hardware.convict(foreign);
        }
        if ours > 0 {
            self.kit.mode.distrust();
        }
        self.kit.ring.sweep();
        if let Some(tables) = self.tables.as_mut().filter(|_| !self.kit.mode.is_distrusted()) {
            tables.round();
        }
        let mut shown = lock(&self.common.shown);
        shown.checked += audit.checked;
        shown.mismatches += ours as u64;
        let room = EVIDENCE - shown.evidence.len().min(EVIDENCE);
        shown.evidence.extend(audit.evidence.into_iter().take(room));
        if let Some(tables) = &self.tables {
            shown.tables.clone_from(tables.stats());
        }
    }
}

/// Leaves the cores of poll-mode threads to them, where the process may run anywhere else.
fn step_aside(crypto: &[usize], others: &[usize]) {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut rest = allowed;
    for &core in crypto.iter().chain(others).filter(|core| **core < CpuSet::MAX_CPU) {
        rest.unset(core);
    }
    if rest.count() > 0 {
        // Refused, the thread stays where it was: slower for others, but not wrong.
        let _ = sched_setaffinity(None, &rest);
    }
}

/// Threads that make tables: on the keeper's cores, and after everybody else who wants these.
fn makers() -> Option<rayon::ThreadPool> {
    let cores = sched_getaffinity(None).map_or(1, |set| set.count() as usize);
    rayon::ThreadPoolBuilder::new()
        .num_threads(cores.clamp(1, MAKERS))
        .thread_name(|index| format!("tables-{index}"))
        .start_handler(|_| {
            // Of this thread alone (Linux). Refused, it competes as an equal.
            let _ = setpriority_process(None, 10);
        })
        .build()
        .ok()
}
