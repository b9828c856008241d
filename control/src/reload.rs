//! Reading everything again while a gateway forwards: files, check, compile, the policy's own examples, one swap. Whatever is
//! wrong, what was in force stays.

use crate::diff::{Change, changes};
use crate::examples;
use crate::gather::{self, Files, Problems};
use crate::publish::{Publisher, Refused};
use crate::tsca::keeper::Handle;
use sealgate_config::model::{Appliance, Policy};
use sealgate_wire::Reason;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Reads a gateway's files again.
pub struct Reloader {
    file: PathBuf,
    /// As the gateway was started with it.
    appliance: Appliance,
    /// The policy it was started with: what is sized by it stays so.
    first: Policy,
    publisher: Arc<Publisher>,
    trust: Handle,
    /// One at a time.
    turn: Mutex<()>,
}

/// What a reload came to.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// Number of the swap, and what it took.
    pub swap: crate::publish::Swap,
    /// What the policy says otherwise than before.
    pub changes: Vec<Change>,
    /// Keys whose new value takes effect at the next start only.
    pub later: Vec<String>,
    /// Examples that were judged as they should be.
    pub examples: usize,
    /// What works and should not stay so.
    pub warnings: Vec<String>,
    /// From the request to the swap.
    pub took: Duration,
}

impl Reloaded {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        json!({
            "generation": self.swap.generation, "took_us": micros(self.took), "compile_us": micros(self.swap.compile),
            "workers_us": self.swap.workers.map(micros), "changes": self.changes.iter().map(Change::to_json).collect::<Vec<_>>(),
            "next_start": self.later, "examples": self.examples, "warnings": self.warnings,
        })
    }
}

/// Most changes that are logged one by one.
const LOGGED: usize = 20;

/// Tells the log how a reload went.
pub fn log(outcome: &Result<Reloaded, Problems>) {
    match outcome {
        Ok(reloaded) => {
            for warning in &reloaded.warnings {
                tracing::warn!("{warning}");
            }
            for change in reloaded.changes.iter().take(LOGGED) {
                tracing::info!("reload: {change}");
            }
            let (changes, examples) = (reloaded.changes.len(), reloaded.examples);
            tracing::info!(
                "reload: generation {} in force after {} ms: {changes} change(s), {examples} example(s) as expected",
                reloaded.swap.generation,
                reloaded.took.as_millis()
            );
            if !reloaded.later.is_empty() {
                tracing::warn!("reload: takes effect at the next start: {}", reloaded.later.join(", "));
            }
        }
        Err(problems) => {
            for fault in &problems.faults {
                tracing::error!(reason = Reason::IntConfig.name(), "reload refused: {fault}");
            }
            tracing::error!(reason = Reason::IntConfig.name(), "reload refused: what was in force stays");
        }
    }
}

/// Why nothing changed.
enum Stop {
    Found(Problems),
    Refused(Refused),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Stop {
    /// As faults of the files.
    fn problems(self, policy: &Path) -> Problems {
        let faults = match self {
            Self::Found(problems) => return problems,
            Self::Refused(Refused::Compile(errors)) => {
                errors.iter().map(|error| gather::compile_fault(policy, error)).collect()
            }
            Self::Refused(Refused::Closed) => {
                vec![gather::fault(policy, "", "the gateway is stopping".to_owned(), "start it again")]
            }
        };
        Problems { faults, ..Problems::default() }
    }
}

impl Reloader {
    /// For a gateway that was started from this file.
    pub fn new(file: &Path, appliance: Appliance, publisher: Arc<Publisher>, trust: Handle) -> Self {
        let first = publisher.policy();
        Self { file: file.to_owned(), appliance, first, publisher, trust, turn: Mutex::default() }
    }

    /// The policy in force.
    pub fn policy(&self) -> Policy {
        self.publisher.policy()
    }

    /// Reads all files, and puts policy, keys, certificates and revocation lists into force in one step.
    ///
    /// * `now`: seconds since 1970
    /// # Errors
    /// All that is wrong; nothing has changed then.
    pub fn reload(&self, now: i64) -> Result<Reloaded, Problems> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let files = Files::read(&self.file)?;
        let mut later = appliance_later(&self.appliance, &files.appliance);
        later.extend(policy_later(&self.first, &files.policy));
        let changes = changes(&self.publisher.policy(), &files.policy);
        let Files { appliance, policy, local, keys, mut warnings } = files;
        let mut judged = 0;
        let swap = self.trust.reload(policy, keys, local, now, |client, policy, keys, trust| {
            let mut found = Problems::default();
            gather::check_anchors(&self.file, client, &mut found);
            warnings.extend(gather::doubts(trust, now));
            let wrong = examples::judge(policy, trust, keys, gather::mtu(&self.appliance), now);
            let wrong = wrong.map_err(Refused::Compile)?;
            judged = policy.examples.len();
            found.faults.extend(wrong.into_iter().map(|wrong| wrong.fault(&appliance.policy)));
            if found.faults.is_empty() { Ok(()) } else { Err(Stop::Found(found)) }
        });
        let swap = swap.map_err(|stop| stop.problems(&appliance.policy))?;
        warnings.extend(swap.warnings.iter().cloned());
        Ok(Reloaded { swap, changes, later, examples: judged, warnings, took: began.elapsed() })
    }
}

/// Keys of the appliance file that differ and are read at start only.
fn appliance_later(running: &Appliance, next: &Appliance) -> Vec<String> {
    let mut keys = Vec::new();
    let mut differs = |key: &str, differs: bool| {
        if differs {
            keys.push(key.to_owned());
        }
    };
    differs("cores", running.cores != next.cores);
    differs("ports", running.ports != next.ports);
    differs("memory", running.memory != next.memory);
    differs("crypto", running.crypto != next.crypto);
    differs("state", running.state != next.state);
    differs("admin", running.admin != next.admin);
    differs("service", running.service != next.service);
    differs("trust.repository", running.trust.repository != next.trust.repository);
    differs("trust.enrolment", running.trust.enrolment != next.trust.enrolment);
    differs("trust.x5u", running.trust.x5u != next.trust.x5u);
    let (old, new) = (&running.trust, &next.trust);
    differs("trust.crl_grace", old.crl_grace_s != new.crl_grace_s);
    differs("trust.crl_stale", old.crl_stale != new.crl_stale);
    keys
}

/// Keys of the policy by which memory was sized at start.
fn policy_later(first: &Policy, next: &Policy) -> Vec<String> {
    let (old, new) = (&first.defaults, &next.defaults);
    let node_base = |policy: &Policy| policy.home.signing.as_ref().map(|signing| signing.node_base);
    let mut keys = Vec::new();
    let mut differs = |key: &str, differs: bool| {
        if differs {
            keys.push(key.to_owned());
        }
    };
    differs("defaults.window.seq", old.window.seq != new.window.seq);
    differs("defaults.transactions.limit", old.transactions.limit != new.transactions.limit);
    let (old, new) = (&first.detection, &next.detection);
    differs("detection.subscribers", old.subscribers != new.subscribers);
    differs("detection.steps", old.steps != new.steps);
    differs("detection.sources", old.sources != new.sources);
    differs("home.signing.node_base", node_base(next).is_some() && node_base(first) != node_base(next));
    keys
}
