//! The thread that renews a running gateway's certificate.

use super::{Outcome, Renewal};
use crate::enrol::{EnrolError, Step, Wish, step};
use crate::tsca::alarm::Alarms;
use crate::tsca::keeper::dice;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest sleep: a wall clock that was set is noticed by then.
const SLEEP: Duration = Duration::from_secs(1);
/// A new certificate that the gateway did not take up is offered again after this.
const AGAIN_S: i64 = 300;

/// Takes up what was installed: reads keys and certificates again. The error is for the operator.
pub type Reload = Box<dyn FnMut() -> Result<(), String> + Send>;

/// What the thread works with.
pub struct Parts {
    /// How to ask; without identifiers, so that those of the certificate in force are asked for.
    pub wish: Wish,
    /// How long before its end the certificate is renewed, seconds.
    pub before_s: u32,
    /// Called some time after a certificate was installed, see [`Renewal::hold_s`]; at once if somebody hurries.
    pub reload: Reload,
}

#[derive(Default)]
struct Wishes {
    stop: bool,
    hurry: bool,
}

#[derive(Default)]
struct Common {
    wishes: Mutex<Wishes>,
    woken: Condvar,
    view: Mutex<(Value, Alarms)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks how renewal stands. A clone is the same.
#[derive(Clone)]
pub struct Handle(Arc<Common>);

impl Handle {
    /// How it stands, for people and programs.
    pub fn document(&self) -> Value {
        lock(&self.0.view).0.clone()
    }

    /// The alarms that stand.
    pub fn alarms(&self) -> Alarms {
        lock(&self.0.view).1.clone()
    }

    /// Renews now, however long the certificate still holds, and takes it up at once.
    pub fn hurry(&self) {
        lock(&self.0.wishes).hurry = true;
        self.0.woken.notify_all();
    }
}

/// The thread. Dropping it ends it; an attempt in progress may go on for its time, and what it gets is installed.
pub struct Renewer {
    handle: Handle,
    _thread: JoinHandle<()>,
}

impl Renewer {
    /// Starts to look after the certificate of `parts`, which must be there.
    /// # Errors
    /// No certificate, one that cannot be read, or what the system says of the thread.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let current = parts.wish.places.current().map_err(io::Error::other)?;
        let current = current.ok_or_else(|| {
            let file = parts.wish.places.certificate();
            io::Error::other(format!("{}: there is no certificate to renew; run sealgate enrol", file.display()))
        })?;
        let common = Arc::new(Common::default());
        let handle = Handle(Arc::clone(&common));
        let renewal = Renewal::new(current.not_after, parts.before_s, dice());
        let work = Work { parts, renewal, common, told: Alarms::default(), untaken: None, hurried: false };
        let thread = Builder::new().name("enrolment".to_owned()).spawn(move || work.run())?;
        Ok(Self { handle, _thread: thread })
    }

    /// For whoever asks.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Renewer {
    fn drop(&mut self) {
        lock(&self.handle.0.wishes).stop = true;
        self.handle.0.woken.notify_all();
    }
}

struct Work {
    parts: Parts,
    renewal: Renewal,
    common: Arc<Common>,
    /// The alarms that were told already.
    told: Alarms,
    /// When the gateway is to take up what is installed.
    untaken: Option<i64>,
    /// Somebody is waiting for the attempt.
    hurried: bool,
}

impl Work {
    fn run(mut self) {
        loop {
            let wishes = std::mem::take(&mut *lock(&self.common.wishes));
            if wishes.stop {
                return;
            }
            if wishes.hurry {
                self.hurried = true;
                self.renewal.hurry();
            }
            let now = now_s();
            if self.renewal.due() <= now {
                let outcome = self.attempt(now);
                self.renewal.took(outcome, now_s(), dice());
            }
            if self.untaken.is_some_and(|at| at <= now) {
                self.reload(now);
            }
            self.renewal.look(now_s());
            self.tell();
            let wishes = lock(&self.common.wishes);
            if !(wishes.stop || wishes.hurry) {
                drop(self.common.woken.wait_timeout(wishes, SLEEP));
            }
        }
    }

    fn attempt(&mut self, now: i64) -> Outcome {
        let held = self.parts.wish.places.hold();
        match held.and_then(|_held| step(&self.parts.wish, now)) {
            Ok(Step::Waiting { ticket, retry_s }) => {
                tracing::info!("enrolment: ticket {ticket} waits for approval");
                Outcome::Waiting(retry_s)
            }
            Ok(Step::Installed { certificate, serial, not_after }) => {
                let hold = if std::mem::take(&mut self.hurried) { 0 } else { self.renewal.hold_s(now) };
                let hours = hold / 3600;
                tracing::info!("enrolment: {} is renewed, serial {serial}, in use in {hours} h", certificate.display());
                self.untaken = Some(now + hold);
                Outcome::Renewed(not_after)
            }
            Err(fault) => {
                let text = format!("{fault}; {}", fault.remedy());
                tracing::warn!("enrolment: {text}");
                // The system's troubles pass as those of the network do.
                match fault.is_temporary() || matches!(fault, EnrolError::Io { .. }) {
                    true => Outcome::Failed(text),
                    false => Outcome::Refused(text),
                }
            }
        }
    }

    fn reload(&mut self, now: i64) {
        self.untaken = match (self.parts.reload)() {
            Ok(()) => None,
            Err(why) => {
                tracing::error!("enrolment: the new certificate is installed and not in use: {why}");
                Some(now + AGAIN_S)
            }
        };
    }

    /// Logs the alarms that are new and those that are over, and leaves what others may see.
    fn tell(&mut self) {
        let alarms = self.renewal.alarms();
        alarms.tell(&self.told);
        self.told = alarms.clone();
        let document = json!({
            "certificate": self.parts.wish.places.certificate(),
            "url": self.parts.wish.url,
            "not_after": self.renewal.not_after(),
            "due": self.renewal.due(),
            "failures": self.renewal.failures(),
            "in_use": self.untaken.is_none(),
            "alarms": alarms.document(),
        });
        *lock(&self.common.view) = (document, alarms.clone());
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
