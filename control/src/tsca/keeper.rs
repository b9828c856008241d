//! The thread that keeps trust up to date while a gateway forwards: it looks at the repository, swaps and stores, and wakes up
//! for what time alone changes. Traffic never waits for it, and neither does an operator who reloads: a look works on a copy of
//! what is held, and what was reloaded meanwhile is put under its result.

use super::alarm::{Alarm, Alarms};
use super::callers::Fetched;
use super::fetch::Mirror;
use super::proof::LastGood;
use super::source::Source;
use super::store::Store;
use super::sync::{Client, Local};
use crate::publish::{Publisher, Refused, Swap};
use sealgate_config::model::Policy;
use sealgate_crypto::pki::Trust;
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::policy::snapshot::Keys;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The longest sleep: a wall clock that was set is noticed by then.
const SLEEP: Duration = Duration::from_secs(1);

/// What the thread works with.
pub struct Parts {
    /// What was held last.
    pub client: Client,
    /// The mirrors, the first first; none: no repository is followed.
    pub mirrors: Vec<Mirror>,
    /// Where the last good state goes.
    pub store: Option<Store>,
    /// Who puts it into force.
    pub publisher: Arc<Publisher>,
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

/// What is held, and how often others changed it.
struct Held {
    client: Client,
    reloads: u64,
}

struct Common {
    wishes: Mutex<Wishes>,
    woken: Condvar,
    view: Mutex<View>,
    /// Locked while something of it is put into force, never during a look.
    held: Mutex<Held>,
    publisher: Arc<Publisher>,
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

    /// Takes in certificates of callers, and lets go of those of `gone`, in one swap. Returns those that are used from now on, with
    /// the second at which they end.
    pub fn callers(&self, gone: &[Arc<str>], more: Vec<Fetched>, now: i64) -> Result<Vec<(Arc<str>, i64)>, Refused> {
        let mut held = lock(&self.0.held);
        let before = held.client.callers().clone();
        let named: Vec<Arc<str>> = more.iter().map(|one| Arc::clone(&one.x5u)).collect();
        held.client.set_callers(before.with(gone, more), now);
        // What leads to no anchor is not kept: it would be judged again at each change.
        let used = |client: &Client| -> Vec<(Arc<str>, i64)> {
            let callers = client.trust().callers.iter().filter(|caller| named.contains(&caller.x5u));
            callers.map(|caller| (Arc::clone(&caller.x5u), caller.signer.certificate.not_after)).collect()
        };
        let good = used(&held.client);
        let lost: Vec<_> = named.iter().filter(|x5u| !good.iter().any(|(one, _)| one == *x5u)).cloned().collect();
        if !lost.is_empty() {
            let kept = held.client.callers().with(&lost, Vec::new());
            held.client.set_callers(kept, now);
        }
        if good.is_empty() && gone.is_empty() {
            return Ok(good);
        }
        let trust = held.client.in_force(now);
        self.0.publisher.trust(trust)?;
        Ok(good)
    }

    /// Certificates of callers that are held.
    pub fn callers_held(&self) -> usize {
        lock(&self.0.held).client.callers().len()
    }

    /// Puts another policy and other files into force, in one step with the certificates of the repository that are held.
    ///
    /// * `check`: sees the certificates that would be in force, before anything changes
    /// # Errors
    /// What `check` says, or [`Refused`]; what was in force stays.
    pub fn reload<E: From<Refused>>(
        &self,
        policy: Policy,
        keys: Keys,
        local: Local,
        now: i64,
        check: impl FnOnce(&Client, &Policy, &Keys, &Arc<Trust>) -> Result<(), E>,
    ) -> Result<Swap, E> {
        let common = &self.0;
        let mut held = lock(&common.held);
        let own = policy.home.signing.as_ref().map(|signing| signing.cert.as_str());
        let mut client = held.client.with_local(local, own, now);
        let trust = client.in_force(now);
        check(&client, &policy, &keys, &trust)?;
        let swap = common.publisher.all(policy, keys, trust)?;
        client.alarms_mut().set(Alarm::TrustNotApplied, missing(&swap), now);
        *held = Held { client, reloads: held.reloads + 1 };
        drop(held);
        // What is shown follows.
        common.woken.notify_all();
        Ok(swap)
    }
}

/// What a swap left out, for an alarm.
fn missing(swap: &Swap) -> Option<String> {
    (!swap.missing.is_empty()).then(|| format!("keys without a certificate: {}", swap.missing.join(", ")))
}

/// The thread. Dropping it ends it; a look in progress may go on for its time and is then forgotten.
pub struct Keeper {
    handle: Handle,
    _thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts to follow the repository, and the time.
    /// # Errors
    /// What the system says of the store's directory or the thread.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let Parts { client, mirrors, store, publisher } = parts;
        if let Some(store) = &store {
            store.make()?;
        }
        let common = Arc::new(Common {
            wishes: Mutex::default(),
            woken: Condvar::new(),
            view: Mutex::default(),
            held: Mutex::new(Held { client, reloads: 0 }),
            publisher,
        });
        let handle = Handle(Arc::clone(&common));
        let work = Work { mirrors, store, common, told: Alarms::default(), stale: false };
        work.show(None);
        let thread = Builder::new().name("trust".to_owned()).spawn(move || work.run())?;
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
        common.publisher.close();
    }
}

struct Work {
    mirrors: Vec<Mirror>,
    store: Option<Store>,
    common: Arc<Common>,
    /// The alarms that were told already.
    told: Alarms,
    stale: bool,
}

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

impl Work {
    fn run(mut self) {
        let mut next = Instant::now();
        loop {
            let wishes = std::mem::take(&mut *lock(&self.common.wishes));
            if wishes.stop {
                return;
            }
            if wishes.confirm {
                lock(&self.common.held).client.confirm_shrink();
            }
            if !self.mirrors.is_empty() && (wishes.look || Instant::now() >= next) {
                let (applied, pause) = self.look(now_s());
                next = Instant::now() + pause;
                if let Some(good) = applied {
                    // After it is in force: a revocation does not wait for a disk.
                    self.save(&good, now_s());
                }
            }
            self.keep_time(now_s());
            self.common.publisher.reclaim();
            self.tell();
            self.show(Some(next));
            let due = if self.mirrors.is_empty() { SLEEP } else { next.saturating_duration_since(Instant::now()) };
            let wishes = lock(&self.common.wishes);
            if !(wishes.stop || wishes.look) {
                drop(self.common.woken.wait_timeout(wishes, due.min(SLEEP)));
            }
        }
    }

    /// Looks once, and puts into force what was taken. Returns that, and how long to wait.
    fn look(&mut self, now: i64) -> (Option<Arc<LastGood>>, Duration) {
        for mirror in &mut self.mirrors {
            mirror.begin(Instant::now() + mirror.limits().whole);
        }
        let mut sources: Vec<&mut dyn Source> = self.mirrors.iter_mut().map(|one| one as &mut dyn Source).collect();
        let (mut client, reloads) = {
            let held = lock(&self.common.held);
            (held.client.clone(), held.reloads)
        };
        let round = client.round(&mut sources, now, dice());
        let now = now_s();
        let mut held = lock(&self.common.held);
        if !client.callers().is_same(held.client.callers()) {
            client.set_callers(held.client.callers().clone(), now);
        }
        if held.reloads != reloads {
            let policy = self.common.publisher.policy();
            let own = policy.home.signing.as_ref().map(|signing| signing.cert.as_str());
            client = client.with_local(held.client.local().clone(), own, now);
        }
        held.client = client;
        if let Some(good) = &round.applied {
            let manifest = &good.manifest;
            tracing::info!("repository: serial {} of session {} taken", manifest.serial, manifest.session);
            self.publish(&mut held.client, now);
        }
        (round.applied, Duration::from_secs(round.next_s))
    }

    /// Writes down what is in force, for the next start. What cannot be written holds all the same.
    fn save(&mut self, good: &LastGood, now: i64) {
        let Some(store) = &self.store else { return };
        let fault = store.save(good).err().map(|fault| format!("{}: {fault}", store.file().display()));
        lock(&self.common.held).client.alarms_mut().set(Alarm::StoreWrite, fault, now);
    }

    /// What time alone changes: certificates that begin or end, lists that are late, trust that gets stale.
    fn keep_time(&mut self, now: i64) {
        let mut held = lock(&self.common.held);
        let client = &mut held.client;
        let mut changed = false;
        if client.trust().next_change.is_some_and(|at| at <= now) {
            client.reload(now);
            changed = true;
        }
        let stale = client.is_stale(now);
        changed |= stale != self.stale;
        self.stale = stale;
        if changed {
            self.publish(client, now);
        }
    }

    /// Puts into force what is held. What does not go with the policy changes nothing.
    fn publish(&self, client: &mut Client, now: i64) {
        let fault = match self.common.publisher.trust(client.in_force(now)) {
            Ok(swap) => missing(&swap),
            Err(Refused::Closed) => return,
            Err(Refused::Compile(errors)) => {
                Some(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
        };
        client.alarms_mut().set(Alarm::TrustNotApplied, fault, now);
    }

    /// Logs the alarms that are new, and those that are over.
    fn tell(&mut self) {
        let alarms = lock(&self.common.held).client.alarms().clone();
        alarms.tell(&self.told);
        self.told = alarms;
    }

    /// Leaves what others may see.
    fn show(&self, next: Option<Instant>) {
        let Self { mirrors, store, .. } = self;
        let held = lock(&self.common.held);
        let client = &held.client;
        let held = client.held();
        let document = json!({
            "followed": !mirrors.is_empty(),
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
            "next_look_s": next.filter(|_| !mirrors.is_empty()).map(|next| next.saturating_duration_since(Instant::now()).as_secs()),
            "swaps": self.common.publisher.swaps(),
            "store": store.as_ref().map(Store::file),
            "alarms": client.alarms().document(),
        });
        *lock(&self.common.view) = View { document, held_back: client.is_held_back() };
    }
}

/// Any number, for jitter.
pub(crate) fn dice() -> u32 {
    let mut octets = [0; 4];
    // Without randomness all gateways look in the same second, which is a nuisance and no more.
    let _ = rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut octets);
    u32::from_le_bytes(octets)
}
