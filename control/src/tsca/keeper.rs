//! The thread that follows a repository while a gateway forwards: it looks, compiles, swaps and stores, and wakes up for
//! what time alone changes. Traffic never waits for it.

use super::alarm::{Alarm, Alarms};
use super::fetch::Mirror;
use super::proof::LastGood;
use super::source::Source;
use super::store::Store;
use super::sync::Client;
use crate::gather::keep_own;
use crate::report::Current;
use sealgate_config::model::{KeyRef, Policy};
use sealgate_crypto::pki::Trust;
use sealgate_dataplane::engine::{Engine, now_ms};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::Keys;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The longest sleep: a wall clock that was set is noticed by then.
const SLEEP: Duration = Duration::from_secs(1);

/// What the thread works with.
pub struct Parts {
    /// What was held last.
    pub client: Client,
    /// The mirrors, the first first.
    pub mirrors: Vec<Mirror>,
    /// Where the last good state goes.
    pub store: Store,
    /// With what trust is compiled.
    pub policy: Policy,
    /// All private keys that were found; which are ours depends on whose certificates are known.
    pub keys: Keys,
    /// Largest IP packet of the ports.
    pub mtu: u16,
    /// Where the trust in force is shown.
    pub trust: Arc<Current>,
}

/// What others ask of the thread.
#[derive(Default)]
struct Wishes {
    stop: bool,
    look: bool,
    confirm: bool,
}

/// What others see of it.
#[derive(Default)]
struct View {
    document: Value,
    held_back: bool,
}

struct Common {
    wishes: Mutex<Wishes>,
    woken: Condvar,
    view: Mutex<View>,
    /// Held while something is published, so that nobody closes ports meanwhile; true once nothing may be any more.
    closed: Mutex<bool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks about the repository, and tells the thread to act. A clone is the same.
#[derive(Clone)]
pub struct Handle(Arc<Common>);

impl Handle {
    /// How it stands, for people and programs.
    pub fn document(&self) -> Value {
        lock(&self.0.view).document.clone()
    }

    /// Looks at the repository now.
    pub fn look(&self) {
        lock(&self.0.wishes).look = true;
        self.0.woken.notify_all();
    }

    /// Agrees to what is held back. False if nothing is.
    pub fn confirm(&self) -> bool {
        let held_back = lock(&self.0.view).held_back;
        if held_back {
            let mut wishes = lock(&self.0.wishes);
            (wishes.confirm, wishes.look) = (true, true);
            self.0.woken.notify_all();
        }
        held_back
    }
}

/// The thread. Dropping it ends it; a look in progress may go on for its time and is then forgotten.
pub struct Keeper {
    handle: Handle,
    _thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts to follow the repository.
    /// # Errors
    /// What the system says of the store's directory or the thread.
    pub fn start(parts: Parts, engine: &Arc<Engine>) -> io::Result<Self> {
        parts.store.make()?;
        let common = Arc::new(Common {
            wishes: Mutex::default(),
            woken: Condvar::new(),
            view: Mutex::default(),
            closed: Mutex::new(false),
        });
        let handle = Handle(Arc::clone(&common));
        let work =
            Work { parts, engine: Arc::downgrade(engine), common, told: Alarms::default(), swaps: 0, stale: false };
        work.show(None);
        let thread = Builder::new().name("repository".to_owned()).spawn(move || work.run())?;
        Ok(Self { handle, _thread: thread })
    }

    /// For whoever asks.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let common = &self.handle.0;
        lock(&common.wishes).stop = true;
        common.woken.notify_all();
        // From here on nothing of the engine is touched; the thread ends by itself.
        *lock(&common.closed) = true;
    }
}

struct Work {
    parts: Parts,
    engine: Weak<Engine>,
    common: Arc<Common>,
    /// The alarms that were told already.
    told: Alarms,
    swaps: u64,
    stale: bool,
}

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

impl Work {
    fn run(mut self) {
        let mut next = Instant::now();
        loop {
            let mut changed = false;
            let now = now_s();
            let wishes = std::mem::take(&mut *lock(&self.common.wishes));
            if wishes.stop {
                return;
            }
            if wishes.confirm {
                self.parts.client.confirm_shrink();
            }
            if wishes.look || Instant::now() >= next {
                let (applied, pause) = self.look(now);
                next = Instant::now() + pause;
                if let Some(good) = applied {
                    self.publish(now);
                    // After it is in force: a revocation does not wait for a disk.
                    self.save(&good, now);
                }
            }
            let now = now_s();
            if self.parts.client.trust().next_change.is_some_and(|at| at <= now) {
                self.parts.client.reload(now);
                changed = true;
            }
            let stale = self.parts.client.is_stale(now);
            changed |= stale != self.stale;
            self.stale = stale;
            if changed {
                self.publish(now);
            }
            self.tell();
            self.show(Some(next));
            let pause = next.saturating_duration_since(Instant::now()).min(SLEEP);
            let wishes = lock(&self.common.wishes);
            if !(wishes.stop || wishes.look) {
                drop(self.common.woken.wait_timeout(wishes, pause));
            }
        }
    }

    /// Looks once. Returns what was taken and is to be swapped in, and how long to wait.
    fn look(&mut self, now: i64) -> (Option<Arc<LastGood>>, Duration) {
        let Parts { client, mirrors, .. } = &mut self.parts;
        for mirror in mirrors.iter_mut() {
            mirror.begin(Instant::now() + mirror.limits().whole);
        }
        let mut sources: Vec<&mut dyn Source> = mirrors.iter_mut().map(|one| one as &mut dyn Source).collect();
        let round = client.round(&mut sources, now, dice());
        if let Some(good) = &round.applied {
            let manifest = &good.manifest;
            tracing::info!("repository: serial {} of session {} taken", manifest.serial, manifest.session);
        }
        (round.applied, Duration::from_secs(round.next_s))
    }

    /// Writes down what is in force, for the next start. What cannot be written holds all the same.
    fn save(&mut self, good: &LastGood, now: i64) {
        let Parts { client, store, .. } = &mut self.parts;
        let fault = store.save(good).err().map(|fault| format!("{}: {fault}", store.file().display()));
        client.alarms_mut().set(Alarm::StoreWrite, fault, now);
    }

    /// Compiles what is in force and swaps it in. What does not compile changes nothing.
    fn publish(&mut self, now: i64) {
        let trust = self.parts.client.in_force(now);
        let Parts { client, policy, keys, mtu, trust: shown, .. } = &mut self.parts;
        let (policy, missing) = without_lost_keys(policy, &trust);
        let mut own = keys.clone();
        keep_own(&mut own, &policy, &trust);
        let closed = lock(&self.common.closed);
        let Some(engine) = self.engine.upgrade().filter(|_| !*closed) else { return };
        let ring = engine.snapshot().ring.clone();
        let fault = match Snapshot::compile(&policy, &trust, &own, *mtu, &ring) {
            Ok(snapshot) => {
                engine.publish(snapshot);
                shown.set(trust);
                self.swaps += 1;
                (!missing.is_empty()).then(|| format!("keys without a certificate: {}", missing.join(", ")))
            }
            Err(errors) => Some(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        };
        client.alarms_mut().set(Alarm::TrustNotApplied, fault, now);
    }

    /// Logs the alarms that are new, and those that are over.
    fn tell(&mut self) {
        let alarms = self.parts.client.alarms();
        let (new, over) = alarms.changes(&self.told);
        for (alarm, standing) in new {
            match alarm.is_critical() {
                true => tracing::error!("critical: {alarm}: {}", standing.text),
                false => tracing::warn!("{alarm}: {}", standing.text),
            }
        }
        for alarm in over {
            tracing::info!("{alarm} is over");
        }
        self.told = alarms.clone();
    }

    /// Leaves what others may see.
    fn show(&self, next: Option<Instant>) {
        let Parts { client, mirrors, store, .. } = &self.parts;
        let held = client.held();
        let alarm = |(alarm, standing): (Alarm, &super::alarm::Standing)| {
            json!({ "name": alarm.name(), "severity": if alarm.is_critical() { "critical" } else { "warning" },
                "since": standing.since, "text": standing.text })
        };
        let document = json!({
            "followed": true,
            "session": held.map(|held| held.manifest.session.to_string()),
            "serial": held.map(|held| held.manifest.serial),
            "this_update": held.map(|held| held.manifest.this_update),
            "next_update": held.map(|held| held.manifest.next_update),
            "objects": held.map_or(0, |held| held.objects.len()),
            "checked": client.checked(),
            "stale": self.stale,
            "failures": client.failures(),
            "held_back": client.is_held_back(),
            "mirrors": mirrors.iter().map(Mirror::name).collect::<Vec<_>>(),
            "asked_first": client.mirror() % mirrors.len().max(1),
            "next_look_s": next.map(|next| next.saturating_duration_since(Instant::now()).as_secs()),
            "swaps": self.swaps,
            "store": store.file(),
            "alarms": client.alarms().iter().map(alarm).collect::<Vec<_>>(),
        });
        *lock(&self.common.view) = View { document, held_back: client.is_held_back() };
    }
}

/// The policy without the keys of SG-TCAP-0 whose certificates are gone, and their names: one certificate that was
/// withdrawn must not keep a revocation of others from taking effect.
pub fn without_lost_keys(policy: &Policy, trust: &Trust) -> (Policy, Vec<String>) {
    let names: HashSet<&str> = trust.signers.iter().map(|one| one.certificate.name.as_str()).collect();
    let (mut policy, mut missing) = (policy.clone(), Vec::new());
    policy.sigfw_keys.retain(|key| match &key.key {
        KeyRef::Certificate(name) if !names.contains(name.as_str()) => {
            missing.push(name.clone());
            false
        }
        KeyRef::Certificate(_) | KeyRef::Spki(_) => true,
    });
    (policy, missing)
}

/// Any number.
fn dice() -> u32 {
    let mut octets = [0; 4];
    // Without randomness all gateways look at the same second, which is a nuisance and no more.
    let _ = rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut octets);
    u32::from_le_bytes(octets)
}
