//! The thread that fetches certificates of callers (formats 8, S6): workers note the URLs that calls name, a fetch of its own asks
//! each host, and what leads to an anchor comes into force with the next swap. The packet path never waits for any of it.

mod book;

use crate::publish::Refused;
use crate::tsca::callers::Fetched;
use crate::tsca::fetch::{Base, Limits, Mirror};
use crate::tsca::keeper::Handle;
use crate::tsca::source::Source;
use book::Book;
use rustls::pki_types::CertificateDer;
use sealgate_crypto::pki::{Kind, objects_from_octets};
use sealgate_dataplane::engine::{Engine, now_ms};
use serde_json::{Value, json};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Most octets of a file (formats 8).
const MAX_FILE: usize = 64 * 1024;
/// Most certificates in it.
const MAX_CHAIN: usize = 8;
/// How long a fetch may take (formats 8).
const LIMITS: Limits = Limits {
    connect: Duration::from_millis(1000),
    read: Duration::from_millis(2000),
    whole: Duration::from_millis(3000),
};
/// How often the thread looks for URLs: a call waits for half a second at most.
const LOOK: Duration = Duration::from_millis(5);
/// How often it looks for what time alone changes.
const PASS: Duration = Duration::from_secs(1);

/// What happened so far.
#[derive(Default)]
struct Counts {
    fetched: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    known: AtomicU64,
    last: Mutex<Option<String>>,
}

/// What others see.
#[derive(Clone, Default)]
pub struct View(Arc<Counts>);

impl View {
    /// How it stands: certificates held, fetches that gave one and that gave none, URLs left alone because of a limit, and why
    /// the last one gave none.
    pub fn document(&self) -> Value {
        let Counts { fetched, failed, refused, known, last } = &*self.0;
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        json!({
            "certificates": number(known), "fetched": number(fetched), "failed": number(failed),
            "refused": number(refused), "last_failure": last,
        })
    }
}

/// The thread. Dropping it ends it; a fetch in progress may go on for its time and is then forgotten.
pub struct Callers {
    stop: Arc<AtomicBool>,
    view: View,
    _thread: JoinHandle<()>,
}

impl Callers {
    /// Starts to fetch what the workers of an engine note.
    ///
    /// * `limit`: certificates that are kept at a time; `trust`: who puts them into force
    /// # Errors
    /// What the system says of the thread.
    pub fn start(
        engine: &Arc<Engine>,
        roots: Vec<CertificateDer<'static>>,
        limit: usize,
        trust: Handle,
    ) -> io::Result<Self> {
        let (stop, view) = (Arc::new(AtomicBool::new(false)), View::default());
        let (sender, results) = mpsc::channel();
        let work = Work {
            engine: Arc::downgrade(engine),
            roots: Arc::new(roots),
            trust,
            book: Book::new(limit),
            view: view.clone(),
            stop: Arc::clone(&stop),
            sender,
            results,
        };
        let thread = Builder::new().name("callers".to_owned()).spawn(move || work.run())?;
        engine.shared().misses.follow(true);
        Ok(Self { stop, view, _thread: thread })
    }

    /// For whoever asks how it stands.
    pub fn view(&self) -> View {
        self.view.clone()
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What a URL gave, or why nothing.
type Outcome = (Arc<str>, Result<Fetched, String>);

struct Work {
    engine: Weak<Engine>,
    roots: Arc<Vec<CertificateDer<'static>>>,
    trust: Handle,
    book: Book,
    view: View,
    stop: Arc<AtomicBool>,
    sender: Sender<Outcome>,
    results: Receiver<Outcome>,
}

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}

impl Work {
    fn run(mut self) {
        let mut passed = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let Some(engine) = self.engine.upgrade() else { return };
            let now = now_s();
            while let Some(url) = engine.shared().misses.next() {
                let wanted = std::str::from_utf8(&url).is_ok_and(|url| self.book.want(url, now));
                if !wanted {
                    engine.shared().misses.give_up(&url, now_ms());
                }
            }
            drop(engine);
            let mut gone = Vec::new();
            if passed.elapsed() >= PASS {
                passed = Instant::now();
                gone = self.book.pass(now);
            }
            while let Some(url) = self.book.next() {
                self.fetch(url, now);
            }
            let mut found = Vec::new();
            while let Ok((url, outcome)) = self.results.try_recv() {
                match outcome {
                    Ok(one) => found.push(one),
                    Err(why) => self.failed(&url, &why, now),
                }
            }
            let changed = !found.is_empty() || !gone.is_empty();
            if changed && !self.take_in(&gone, found, now) {
                return;
            }
            let counts = &self.view.0;
            counts.refused.store(self.book.refused, Ordering::Relaxed);
            counts.known.store(self.book.known() as u64, Ordering::Relaxed);
            std::thread::sleep(LOOK);
        }
    }

    /// Puts what was fetched into force. `false` once the gateway is stopping.
    fn take_in(&mut self, gone: &[Arc<str>], found: Vec<Fetched>, now: i64) -> bool {
        let urls: Vec<_> = found.iter().map(|one| Arc::clone(&one.x5u)).collect();
        match self.trust.callers(gone, found, now) {
            Ok(used) => {
                for url in urls {
                    match used.iter().find(|(one, _)| *one == url) {
                        Some((_, not_after)) => {
                            self.book.done(&url, Some(*not_after), now);
                            self.view.0.fetched.fetch_add(1, Ordering::Relaxed);
                            tracing::info!("certificate of callers taken from {url}");
                        }
                        None => self.failed(&url, "its certificate leads to no anchor", now),
                    }
                }
                true
            }
            Err(Refused::Closed) => false,
            Err(Refused::Compile(errors)) => {
                let why = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                urls.iter().for_each(|url| self.failed(url, &why, now));
                true
            }
        }
    }

    fn failed(&mut self, url: &str, why: &str, now: i64) {
        self.book.done(url, None, now);
        if let Some(engine) = self.engine.upgrade() {
            engine.shared().misses.give_up(url.as_bytes(), now_ms());
        }
        self.view.0.failed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("no certificate of callers from {url}: {why}");
        *self.view.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{url}: {why}"));
    }

    /// Starts to fetch a URL, apart from all others: a host that drips holds up nobody.
    fn fetch(&mut self, url: Arc<str>, now: i64) {
        let (sender, roots, asked) = (self.sender.clone(), Arc::clone(&self.roots), Arc::clone(&url));
        let fetch = move || {
            let outcome = get(&asked, &roots);
            let _ = sender.send((asked, outcome)); // nobody listens once the gateway stops
        };
        if let Err(fault) = Builder::new().name("caller".to_owned()).spawn(fetch) {
            self.failed(&url, &format!("no thread: {fault}"), now);
        }
    }
}

/// What a URL gives: the certificate of the caller first, then authorities (RFC 8226 §8).
fn get(url: &Arc<str>, roots: &[CertificateDer<'static>]) -> Result<Fetched, String> {
    let mut mirror = Mirror::new(Base::Https(url.to_string()), roots, LIMITS);
    mirror.begin(Instant::now() + LIMITS.whole);
    let octets = mirror.get("", MAX_FILE).map_err(|fault| fault.to_string())?;
    let chain = objects_from_octets(url, &octets, Kind::Certificate).map_err(|fault| fault.to_string())?;
    match chain.len() {
        1..=MAX_CHAIN => Ok(Fetched { x5u: Arc::clone(url), chain }),
        many => Err(format!("{many} certificates, at most {MAX_CHAIN} are read")),
    }
}
