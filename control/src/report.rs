//! What a running gateway says of itself: one JSON document for each question, made from copies of counters.
//!
//! The admin socket, HTTP and the summary at the end of a run give the same documents.

mod counts;
pub mod history;
pub mod pcapng;
pub mod refused;
mod screening;
pub mod sources;
mod state;
mod tables;
mod what;

pub use state::{Shares, State, shares};
pub(crate) use tables::{OpenWith, open_with};
pub use what::What;

use self::counts::{by_name, passed_and_refused, pool, reasons, totals};
use crate::callers;
use crate::enrol::renew;
use crate::observe::Observer;
use crate::ports::PortView;
use crate::reload::Reloader;
use crate::secrecy::Locking;
use crate::tsca::keeper::Handle;
use sealgate_config::model::{Mode, UnknownPeer};
use sealgate_crypto::pki::{CertState, Signer, Trust};
use sealgate_dataplane::engine::{Engine, Stopped, WorkerState, WorkerView};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::{Peer, PeerId};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::stats::Stats;
use sealgate_wire::reason::COUNT;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The trust in force, which whoever follows a repository changes.
pub struct Current(Mutex<Arc<Trust>>);

impl Current {
    /// Begins with this.
    pub fn new(trust: Arc<Trust>) -> Self {
        Self(Mutex::new(trust))
    }

    /// As it is now.
    pub fn get(&self) -> Arc<Trust> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows another from now on.
    pub fn set(&self, trust: Arc<Trust>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trust;
    }
}

/// A running gateway, for whoever asks about it. Asking never reaches a worker.
pub struct Board {
    /// The appliance file.
    pub config: PathBuf,
    /// The workers.
    pub engine: Arc<Engine>,
    /// Certificates and revocation lists in force.
    pub trust: Arc<Current>,
    /// What follows a repository, if one is followed.
    pub repository: Option<Handle>,
    /// Who fetches certificates of callers, if anybody does.
    pub callers: Option<callers::View>,
    /// Who renews our certificate, if anybody does.
    pub enrolment: Option<renew::Handle>,
    /// Who reads the files again, if anybody does.
    pub reloader: Option<Arc<Reloader>>,
    /// The ports, interconnect first.
    pub ports: Vec<PortView>,
    /// Whether the memory of the process stays out of swap.
    pub memory: Locking,
    /// Who watches it for alarms and refused messages.
    pub observer: Observer,
    /// What an operator wishes of it.
    pub wishes: Wishes,
}

/// How long frames in hand may take to leave when the gateway stops: fragments wait for 200 ms by default.
pub const DRAIN: Duration = Duration::from_secs(2);

/// What an operator wishes.
#[derive(Debug, Default)]
pub struct Wishes {
    drained: AtomicBool,
    stop: AtomicBool,
}

impl Board {
    /// Receives nothing more and lets what is in hand leave; questions are answered as before. Returns when the workers have
    /// ended, after some seconds at most.
    pub fn drain(&self) -> Stopped {
        // First, or the end of the workers would look like the end of all input.
        self.wishes.drained.store(true, Ordering::Release);
        self.engine.stop(DRAIN)
    }

    /// Whether somebody had it drained.
    pub fn is_drained(&self) -> bool {
        self.wishes.drained.load(Ordering::Acquire)
    }

    /// Wishes that the process ends.
    pub fn wish_stop(&self) {
        self.wishes.stop.store(true, Ordering::Release);
    }

    /// Whether somebody wishes that.
    pub fn stop_wished(&self) -> bool {
        self.wishes.stop.load(Ordering::Acquire)
    }

    /// The word for how it is: forwarding, draining, drained, done, or failed.
    pub fn state(&self) -> &'static str {
        match (self.engine.is_healthy(), self.engine.is_finished(), self.is_drained()) {
            (false, _, _) => "failed",
            (true, true, true) => "drained",
            (true, false, true) => "draining",
            (true, true, false) => "done",
            (true, false, false) => "forwarding",
        }
    }

    /// Answers a question at `now_ms`, milliseconds since 1970.
    pub fn document(&self, what: What, now_ms: u64) -> Value {
        match what {
            What::Status => self.status(now_ms),
            What::Workers => self.workers(),
            What::Peers => self.peers(),
            What::Reasons => reasons(&self.engine.stats()),
            What::Trust => self.trust(now_ms),
            What::Repository => self.repository_document(),
            What::Policy => json!({ "yaml": self.reloader.as_ref().map(|reloader| reloader.policy().to_yaml()) }),
            What::Associations => tables::associations(&self.engine),
            What::Replay => tables::replay(&self.engine),
            What::Alarms => self.alarms(),
            What::Refused => self.observer.refused(None, false),
            What::Migration => self.migration(now_ms),
            What::Rules => screening::rules(&self.engine.snapshot()),
            What::Screening => {
                let (snapshot, stats) = (self.engine.snapshot(), self.engine.stats());
                self.observer.would_be_refused(|kept| screening::screening(&snapshot, &stats, kept))
            }
            What::All => {
                let parts = What::ALL.iter().filter(|(_, what)| what.is_part());
                Value::Object(parts.map(|(name, what)| ((*name).to_owned(), self.document(*what, now_ms))).collect())
            }
        }
    }

    fn status(&self, now_ms: u64) -> Value {
        let (stats, crypto, snapshot) = (self.engine.stats(), self.engine.crypto(), self.engine.snapshot());
        let workers = self.engine.workers();
        let running = workers.iter().filter(|worker| worker.state == WorkerState::Running).count();
        let sides = ["interconnect", "home"];
        let ports = self.ports.iter().zip(sides).zip(stats.rx.iter().zip(&stats.tx)).map(|((port, side), (rx, tx))| {
            json!({ "side": side, "device": port.device, "driver": port.driver, "rx": rx, "tx": tx,
                "device_counters": (port.counters)() })
        });
        let open = snapshot.peers.iter().skip(unknown_are_refused(&snapshot).into());
        let open = open.filter(|peer| peer.mode != Mode::Require && !peer.gone);
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        let trust = self.trust.get();
        let good = trust.signers.iter().filter(|signer| signer.state(now) == CertState::Good).count();
        let (passed, refused) = passed_and_refused(&totals(&stats));
        let (entered, left) = stats.frame_balance();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "state": self.state(),
            "pid": std::process::id(),
            "config": self.config,
            "started_ms": self.engine.started_ms(),
            "uptime_s": now_ms.saturating_sub(self.engine.started_ms()) / 1000,
            "ports": ports.collect::<Vec<_>>(),
            "workers": { "configured": workers.len(), "running": running },
            "crypto": pool(&crypto),
            "frames": { "received": stats.rx.iter().sum::<u64>(), "sent": stats.tx.iter().sum::<u64>(),
                "made": stats.made, "streamed": stats.streamed,
                "dropped": stats.frames_dropped.iter().sum::<u64>(), "held": stats.frames_held,
                "unaccounted": i128::from(entered) - i128::from(left) },
            "messages": { "received": stats.messages, "passed": passed, "refused": refused,
                "waiting": stats.messages_waiting, "repeated": stats.repeated },
            "memory": match &self.memory {
                Locking::Locked => json!({ "locked": true }),
                Locking::Off => json!({ "locked": false, "why": "memory.lock is off" }),
                Locking::Refused(why) => json!({ "locked": false, "why": why }),
            },
            "associations_adopted": stats.adopted,
            "not_requiring_signatures": open.map(|peer| json!({ "peer": peer.name, "mode": mode(peer.mode) }))
                .collect::<Vec<_>>(),
            "signs": snapshot.own.is_some(),
            "signers": { "good": good, "other": trust.signers.len() - good, "rejected": trust.rejected.len() },
            "alarms": self.alarms(),
        })
    }

    fn workers(&self) -> Value {
        let one = |(number, worker): (usize, WorkerView)| {
            let stats = &worker.stats;
            json!({
                "worker": number, "core": worker.core, "state": worker.state.name(),
                "turns": stats.turns, "idle_turns": stats.idle_turns, "rx": stats.rx, "tx": stats.tx,
                "handed": stats.handed, "joined": stats.joined, "taken": stats.taken, "dropped": stats.frames_dropped.iter().sum::<u64>(),
                "held": stats.frames_held, "messages": stats.messages, "waiting": stats.messages_waiting,
            })
        };
        self.engine.workers().into_iter().enumerate().map(one).collect()
    }

    fn peers(&self) -> Value {
        let (stats, snapshot) = (self.engine.stats(), self.engine.snapshot());
        let side = |id: usize, way: Direction| {
            let row = PeerId::try_from(id).ok().and_then(|id| stats.verdicts(id, way));
            let row = row.unwrap_or([0; COUNT]);
            let (passed, refused) = passed_and_refused(&row);
            let mut side = json!({ "passed": passed, "refused": refused, "reasons": by_name(&row) });
            if way == Direction::In
                && let Some(fields) = side.as_object_mut()
            {
                fields.insert("signatures".to_owned(), shares(&row).document());
            }
            side
        };
        let counts = |id: usize| [Direction::In, Direction::Out].map(|way| side(id, way));
        let is_shown = |(id, peer): &(usize, &Peer)| {
            !peer.gone || counts(*id).iter().any(|side| side.get("reasons") != Some(&json!({})))
        };
        let one = |(id, peer): (usize, &Peer)| {
            let mode = match id {
                0 if unknown_are_refused(&snapshot) => "refused",
                _ if peer.gone => "removed",
                _ => mode(peer.mode),
            };
            let [inbound, outbound] = counts(id);
            json!({ "peer": peer.name, "mode": mode, "sign": peer.sign.is_some() && !peer.gone, "in": inbound,
                "out": outbound })
        };
        snapshot.peers.iter().enumerate().filter(is_shown).map(one).collect()
    }

    fn migration(&self, now_ms: u64) -> Value {
        let (stats, snapshot) = (self.engine.stats(), self.engine.snapshot());
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        let peers = snapshot.peers.iter().enumerate().skip(1).filter(|(_, peer)| !peer.gone);
        peers
            .map(|(id, peer)| {
                let (windows, sources) = self.observer.migration(id, &peer.name, states_of(&stats, id), now);
                json!({ "peer": peer.name, "mode": mode(peer.mode), "windows": windows, "sources": sources })
            })
            .collect()
    }

    /// All alarms that stand.
    pub fn alarms(&self) -> Value {
        // Those of the repository and of our own certificate have one form.
        let mut document = self.repository_document();
        let own = self.enrolment.as_ref().map(|enrolment| enrolment.alarms().document());
        let ours = own.as_ref().and_then(Value::as_array).into_iter().flatten().cloned();
        match document.get_mut("alarms").and_then(Value::as_array_mut) {
            Some(alarms) => alarms.extend(ours),
            None => document = json!({ "alarms": ours.collect::<Vec<_>>() }),
        }
        self.observer.alarms(&document)
    }

    /// How the thread that follows a repository stands.
    pub fn repository_document(&self) -> Value {
        self.repository.as_ref().map_or_else(|| json!({ "followed": false }), Handle::document)
    }

    fn trust(&self, now_ms: u64) -> Value {
        let trust = self.trust.get();
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        let state = |state: CertState| state.fault().map_or("good", |fault| fault.name());
        let signer = |signer: &Signer| {
            let certificate = &signer.certificate;
            json!({
                "name": certificate.name, "subject": certificate.subject, "alg": certificate.key.alg().name(),
                "role": certificate.role.map(|role| format!("{role:?}").to_lowercase()), "state": state(signer.state(now)),
                "sai": hex(&certificate.sai), "serial": certificate.serial_hex(),
                "valid_from": signer.valid_from, "valid_to": signer.valid_to, "next_change": signer.next_change(now),
                "gt_prefixes": certificate.identifiers.gt_prefixes.iter().map(|(_, digits)| digits).collect::<Vec<_>>(),
            })
        };
        json!({
            "enrolment": self.enrolment.as_ref().map(renew::Handle::document),
            "signers": trust.signers.iter().map(signer).collect::<Vec<_>>(),
            "callers": trust.callers.iter().map(|caller| {
                let mut document = signer(&caller.signer);
                document["name"] = json!(&*caller.x5u);
                document
            }).collect::<Vec<_>>(),
            "fetching": self.callers.as_ref().map(callers::View::document),
            "authorities": trust.authorities.iter().map(signer).collect::<Vec<_>>(),
            "crls": trust.crls.iter().map(|crl| json!({ "name": crl.name, "issuer": crl.issuer,
                "this_update": crl.this_update, "next_update": crl.next_update, "revoked": crl.len() }))
                .collect::<Vec<_>>(),
            "rejected": trust.rejected.iter().map(|one| json!({ "name": one.name, "fault": one.fault.name(),
                "detail": one.detail })).collect::<Vec<_>>(),
        })
    }
}

/// Signature states of what came from one peer, since the start.
pub fn states_of(stats: &Stats, peer: usize) -> Shares {
    let row = PeerId::try_from(peer).ok().and_then(|peer| stats.verdicts(peer, Direction::In));
    row.map(|row| shares(&row)).unwrap_or_default()
}

/// Whether senders of no configured peer are refused, whatever the default mode; their row is the first.
fn unknown_are_refused(snapshot: &Snapshot) -> bool {
    snapshot.defaults.unknown_peer == UnknownPeer::Drop
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Require => "require",
        Mode::Prefer => "prefer",
        Mode::Ignore => "ignore",
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
