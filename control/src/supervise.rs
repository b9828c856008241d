//! From checked files to a gateway that forwards, and back to nothing: ports, engine, their watch and their end.

use crate::callers::Callers;
use crate::cli::CliError;
use crate::enrol::Wish;
use crate::enrol::renew::{self, Renewer};
use crate::gather::{self, Gathered};
use crate::observe::{Observer, Settings};
use crate::ports::{self, PortView};
use crate::privilege::{self, Account};
use crate::publish::Publisher;
use crate::reload::Reloader;
use crate::report::{Board, Current, DRAIN, Wishes};
use crate::secrecy;
use crate::tsca::fetch::{self, Base, Limits, Mirror};
use crate::tsca::keeper::{Keeper, Parts};
use crate::tsca::store::Store;
use crate::warm::State;
use sealgate_config::model::{Appliance, CryptoEngine, Policy, RepoUrl, Repository, TrustFiles, X5u};
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::engine::{Engine, EngineConfig, EngineError, Stopped, now_ms};
use sealgate_dataplane::pipeline::tap::Tap;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::policy::Snapshot;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// Window of the generators' tables in a gateway that runs for long: the widest, 32 MiB for P-256.
const BASE_WINDOW: u32 = 16;

/// How a gateway is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It forwards, or was drained and waits for its end.
    Forwarding,
    /// All input came to its end; there is nothing left to do.
    Finished,
    /// Something in it broke; stop it. It lets nothing through because of that.
    Broken(String),
}

/// A gateway that forwards.
pub struct Gateway {
    board: Arc<Board>,
    /// What the ports complain of.
    faults: Receiver<String>,
    /// Where the replay memory goes in the end.
    state: Option<State>,
    /// What fetches certificates of callers.
    fetcher: Option<Callers>,
    /// What keeps trust up to date.
    keeper: Keeper,
    /// What renews our certificate.
    _renewer: Option<Renewer>,
}

impl Gateway {
    /// Opens the ports and starts the workers; on return it forwards.
    ///
    /// Call this on the main thread before others are made: with `cores.main` it is pinned there, and threads made after
    /// that stay with it.
    ///
    /// * `file`: the appliance file, for output
    /// # Errors
    /// What the machine or this build lacks, with its remedy. Nothing is left running.
    pub fn start(file: &Path, gathered: Gathered) -> Result<Self, CliError> {
        let Gathered { appliance, policy, trust, keys, client, snapshot, .. } = gathered;
        ports::check_build(&appliance)?;
        let account = privilege::account(&appliance)?;
        let memory = secrecy::lock_memory(appliance.memory.lock, account.is_some())?;
        if let Some(core) = appliance.cores.main
            && !core_affinity::set_for_current(core_affinity::CoreId { id: core })
        {
            return Err(CliError::new(format!("cannot run on core {core}"), "see cores.main"));
        }
        let renewal = renewal(&appliance.trust, &policy)?;
        let mirrors = appliance.trust.repository.as_ref().map(mirrors).transpose()?;
        let state = appliance.state.as_deref().map(State::open).transpose()?;
        let crypto = &appliance.crypto;
        let config = EngineConfig {
            cores: appliance.cores.workers.iter().copied().map(Some).collect(),
            crypto: PoolConfig {
                cores: appliance.cores.crypto.clone(),
                avoid: appliance.cores.workers.clone(),
                batch: crypto.batch,
                batch_us: crypto.batch_us,
                queue: crypto.queue,
                share_percent: crypto.share_percent,
                engine: match crypto.engine {
                    CryptoEngine::Auto => EngineKind::Auto,
                    CryptoEngine::Reference => EngineKind::Reference,
                },
                hardware: None,
                table_memory: usize::try_from(crypto.table_memory_mb).unwrap_or(0) << 20,
                base_window: BASE_WINDOW,
            },
            idle: ports::idle(&appliance),
            ..EngineConfig::default()
        };
        let (complain, faults) = mpsc::channel();
        let (engine, ports) = open(&appliance, config, snapshot, state.as_ref(), account.as_ref(), complain)?;
        let (engine, trust) = (Arc::new(engine), Arc::new(Current::new(trust)));
        let settings = Settings { keep: appliance.admin.refused, ..Settings::default() };
        let observer = Observer::start(&engine, settings).map_err(|error| {
            engine.stop(Duration::ZERO);
            CliError::new(format!("no thread to observe with: {error}"), "see the system's limits")
        })?;
        let publisher = Arc::new(Publisher::new(&engine, policy, keys, gather::mtu(&appliance), Arc::clone(&trust)));
        let store = appliance.trust.repository.as_ref().map(|repository| Store::at(&repository.store));
        let parts = Parts { client, mirrors: mirrors.unwrap_or_default(), store, publisher: Arc::clone(&publisher) };
        let keeper = follow(parts, &engine)?;
        let repository = Some(keeper.handle());
        let fetcher = appliance.trust.x5u.as_ref().map(|x5u| fetch_callers(x5u, &engine, &keeper)).transpose()?;
        let callers = fetcher.as_ref().map(Callers::view);
        let reloader = Arc::new(Reloader::new(file, appliance, publisher, keeper.handle()));
        let renewer = renewal.map(|(wish, before_s)| renew(wish, before_s, &reloader, &engine)).transpose()?;
        let enrolment = renewer.as_ref().map(Renewer::handle);
        let (config, wishes, reloader) = (file.to_owned(), Wishes::default(), Some(reloader));
        let board =
            Board { config, engine, trust, repository, callers, enrolment, reloader, ports, memory, observer, wishes };
        Ok(Self { board: Arc::new(board), faults, state, fetcher, keeper, _renewer: renewer })
    }

    /// For whoever asks how it is. Give it back before [`Gateway::stop`]: ports close when the last one is gone.
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// How it is doing.
    pub fn condition(&self) -> Condition {
        let engine = &self.board.engine;
        if let Ok(fault) = self.faults.try_recv() {
            Condition::Broken(fault)
        } else if !engine.is_healthy() {
            Condition::Broken(
                "a worker ended before its time, or a crypto thread again and again; see the messages above".to_owned(),
            )
        } else if engine.is_finished() && !self.board.is_drained() {
            Condition::Finished
        } else {
            Condition::Forwarding
        }
    }

    /// Stops receiving, lets what is in hand leave, ends all threads, and leaves the replay memory to the next run.
    ///
    /// * `last`: sees the board once all counters stand still; then the ports are closed and their files written out
    ///
    /// Returns how it went, and what the ports complained of in the end.
    pub fn stop<T>(self, last: impl FnOnce(&Board) -> T) -> (T, Stopped, Option<String>) {
        // First, so that nothing is swapped in from here on and nobody else holds the engine.
        drop(self.fetcher);
        drop(self.keeper);
        let stopped = self.board.engine.stop(DRAIN);
        if let Some(state) = &self.state {
            leave(state, &self.board.engine);
        }
        let seen = last(&self.board);
        drop(self.board);
        (seen, stopped, self.faults.try_iter().next())
    }
}

/// The mirrors of a repository, none of which was asked yet.
fn mirrors(repository: &Repository) -> Result<Vec<Mirror>, CliError> {
    let roots = fetch::roots_of(repository)
        .map_err(|fault| CliError::new(format!("trust.repository.roots: {fault}"), "see sealgate check"))?;
    let base = |url: &RepoUrl| match url {
        RepoUrl::Https(url) => Base::Https(url.clone()),
        RepoUrl::Directory(path) => Base::Directory(path.clone()),
    };
    Ok(repository.urls.iter().map(|url| Mirror::new(base(url), &roots, Limits::default())).collect())
}

/// Starts to follow the repository; without that the engine ends again.
fn follow(parts: Parts, engine: &Arc<Engine>) -> Result<Keeper, CliError> {
    let store = parts.store.as_ref().map(|store| store.file().display().to_string()).unwrap_or_default();
    Keeper::start(parts).map_err(|fault| {
        engine.stop(Duration::ZERO);
        let message = format!("trust.repository.store: {store}: {fault}");
        CliError::new(message, "give a directory that this user may make and write")
    })
}

/// Starts to fetch certificates of callers; without that the engine ends again.
fn fetch_callers(x5u: &X5u, engine: &Arc<Engine>, keeper: &Keeper) -> Result<Callers, CliError> {
    let limit = usize::try_from(x5u.limit).unwrap_or(usize::MAX);
    let started = fetch::roots(&x5u.roots)
        .map_err(|fault| fault.to_string())
        .and_then(|roots| Callers::start(engine, roots, limit, keeper.handle()).map_err(|fault| fault.to_string()));
    started.map_err(|fault| {
        engine.stop(Duration::ZERO);
        CliError::new(format!("trust.x5u: {fault}"), "see sealgate check")
    })
}

/// How our certificate is renewed, and how long before its end, seconds; `None`: an operator sees to it.
fn renewal(trust: &TrustFiles, policy: &Policy) -> Result<Option<(Wish, u32)>, CliError> {
    let (Some(enrolment), Some(signing)) = (&trust.enrolment, &policy.home.signing) else { return Ok(None) };
    let wish = Wish::of(trust, &signing.cert).map_err(|fault| CliError::new(fault.to_string(), fault.remedy()))?;
    Ok(wish.map(|wish| (wish, enrolment.renew_before_s)))
}

/// Starts to look after our certificate; without that the engine ends again.
fn renew(wish: Wish, before_s: u32, reloader: &Arc<Reloader>, engine: &Engine) -> Result<Renewer, CliError> {
    let reloader = Arc::clone(reloader);
    let reload = move || {
        let outcome = reloader.reload(i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX));
        crate::reload::log(&outcome);
        outcome.map(drop).map_err(|problems| problems.to_string())
    };
    Renewer::start(renew::Parts { wish, before_s, reload: Box::new(reload) }).map_err(|fault| {
        engine.stop(Duration::ZERO);
        CliError::new(
            format!("trust.enrolment: {fault}"),
            "get a first certificate with sealgate enrol, or leave the section out",
        )
    })
}

/// The memories that the workers begin with. Call this last before they run: who took a memory over must go on from it.
fn memories(appliance: &Appliance, snapshot: &Snapshot, state: Option<&State>) -> Shared {
    let mut shared = Shared::new(snapshot);
    shared.tap = Tap::new(appliance.cores.workers.len(), appliance.admin.refused);
    if let Some(state) = state {
        state.take_over(&mut shared, now_ms());
        if snapshot.detection.follows() {
            state.take_over_seen(&mut shared, snapshot, now_ms());
        }
    }
    shared
}

/// Leaves what the workers remember, if they have all ended as they should.
fn leave(state: &State, engine: &Engine) {
    let left = match engine.export(now_ms()) {
        Some(octets) => state.leave(&octets).map_err(|error| error.to_string()),
        None => Err("a worker did not end as it should".to_owned()),
    };
    match left {
        Ok(()) => tracing::info!("replay memory left to the next start"),
        Err(why) => tracing::warn!("no replay memory left, the next start is a cold one: {why}"),
    }
    if let Some(Err(error)) = engine.export_seen(now_ms()).map(|octets| state.leave_seen(&octets)) {
        tracing::warn!("no subscriber memory left, detectors learn anew after the next start: {error}");
    }
}

fn engine_error(error: EngineError) -> CliError {
    let remedy = match &error {
        EngineError::Pin { .. } => "the process may not run there: see cores, taskset and the container's cpuset",
        EngineError::Crypto(_) => "see crypto and cores.crypto in the configuration",
        EngineError::Queues { .. } | EngineError::Spawn(..) | EngineError::Enter(..) | EngineError::Died(_) => {
            "see the messages above"
        }
    };
    CliError::new(error.to_string(), remedy)
}

#[cfg(feature = "dpdk")]
fn open(
    appliance: &Appliance,
    config: EngineConfig,
    snapshot: Snapshot,
    state: Option<&State>,
    account: Option<&Account>,
    _complain: Sender<String>,
) -> Result<(Engine, Vec<PortView>), CliError> {
    let opened = ports::dpdk::open(appliance, config.frames * config.cores.len())?;
    let eal = opened.eal;
    let enter = move || eal.register_thread().map_err(|error| error.to_string());
    #[cfg(feature = "cryptodev")]
    let config = {
        let hardware = ports::dpdk::crypto(appliance, eal);
        EngineConfig { crypto: PoolConfig { hardware, ..config.crypto }, ..config }
    };
    // Nothing from here on needs root, and each worker is made by the user.
    account.map_or(Ok(()), Account::become_it)?;
    let shared = memories(appliance, &snapshot, state);
    let engine = Engine::start_with(config, snapshot, shared, opened.queues, enter).map_err(engine_error)?;
    Ok((engine, opened.views))
}

#[cfg(not(feature = "dpdk"))]
fn open(
    appliance: &Appliance,
    config: EngineConfig,
    snapshot: Snapshot,
    state: Option<&State>,
    account: Option<&Account>,
    complain: Sender<String>,
) -> Result<(Engine, Vec<PortView>), CliError> {
    use crate::ports::files::FilePort;
    use sealgate_dataplane::io::mem::{MemPool, ROOM};
    use sealgate_dataplane::io::sizing::Sizing;
    let sides = [&appliance.ports.interconnect, &appliance.ports.home];
    let sizing = Sizing::of(&sides, 1, config.frames, appliance.memory.mbufs).holding(appliance.memory.buffer);
    let pool = MemPool::new(usize::try_from(sizing.count).unwrap_or(usize::MAX), ROOM.max(sizing.room.into()));
    let (one, first) = FilePort::open(&pool, sides[0], complain.clone())?;
    let (two, second) = FilePort::open(&pool, sides[1], complain)?;
    // Nothing from here on needs root, and each worker is made by the user.
    account.map_or(Ok(()), Account::become_it)?;
    let shared = memories(appliance, &snapshot, state);
    let engine = Engine::start_with(config, snapshot, shared, vec![[one, two]], || Ok(())).map_err(engine_error)?;
    Ok((engine, vec![first, second]))
}
