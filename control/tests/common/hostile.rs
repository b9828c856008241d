//! A server on loopback that does to its callers whatever a test wants, and a scale for what that costs us.
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait; this one counts and passes on")]

use super::repository::{Memory, NOW, Publisher, local};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sealgate_control::authority::serve;
use sealgate_control::tsca::fetch::{Base, Limits, Mirror, roots};
use sealgate_control::tsca::source::Source;
use sealgate_control::tsca::sync::{Client, Settings};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// The limits of the tests: those of a gateway are ten times as long and more.
pub const LIMITS: Limits = Limits {
    connect: Duration::from_millis(500),
    read: Duration::from_millis(400),
    whole: Duration::from_millis(1200),
};
/// What a look may take beyond its limit on a busy machine.
const GRACE: Duration = Duration::from_secs(4);
/// Most octets that a look may hold: all of a synchronisation as text, as values and as certificates.
const MAX_MEMORY: usize = 256 << 20;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn add(size: usize) {
    let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: each call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a server does with a request for a path.
pub type Answer = Arc<dyn Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync>;

/// What a server does with a caller.
#[derive(Clone)]
pub enum Manner {
    /// Speaks TLS and answers one request.
    Https(Answer),
    /// Does this to the bare connection.
    Raw(Arc<dyn Fn(TcpStream) + Send + Sync>),
}

pub fn https(answer: impl Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> Manner {
    Manner::Https(Arc::new(answer))
}

pub fn raw(act: impl Fn(TcpStream) + Send + Sync + 'static) -> Manner {
    Manner::Raw(Arc::new(act))
}

/// Serves files as they should be.
pub fn file(files: &std::collections::BTreeMap<String, Vec<u8>>, name: &str, out: &mut dyn Write) -> io::Result<()> {
    match files.get(name) {
        None => out.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Some(octets) => {
            write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", octets.len())?;
            out.write_all(octets)
        }
    }
}

/// The files of a publisher, but for what `instead` does.
pub fn files_but(
    publisher: &Publisher,
    instead: impl Fn(&str, &mut dyn Write) -> Option<io::Result<()>> + Send + Sync + 'static,
) -> Manner {
    let files = publisher.files.clone();
    https(move |name, out| instead(name, out).unwrap_or_else(|| file(&files, name, out)))
}

/// The server's certificate, made once for all tests of a process.
fn identity() -> (Arc<ServerConfig>, PathBuf) {
    static MADE: OnceLock<(Arc<ServerConfig>, PathBuf)> = OnceLock::new();
    let make = || {
        let dir = std::env::temp_dir().join(format!("sealgate-hostile-{}", std::process::id()));
        serve::identity(&dir, &["localhost".to_owned()]).expect("an identity")
    };
    MADE.get_or_init(make).clone()
}

pub struct Hostile {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hostile {
    pub fn start(manner: Manner) -> Self {
        let (tls, _) = identity();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let port = listener.local_addr().expect("an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Acquire) {
                let Ok((stream, _)) = listener.accept() else {
                    sleep(Duration::from_millis(2));
                    continue;
                };
                stream.set_nonblocking(false).expect("set");
                stream.set_write_timeout(Some(Duration::from_secs(2))).expect("set");
                stream.set_read_timeout(Some(Duration::from_secs(2))).expect("set");
                let (manner, tls) = (manner.clone(), Arc::clone(&tls));
                std::thread::spawn(move || match manner {
                    Manner::Raw(act) => act(stream),
                    // A caller that hangs up on us is what we are here for.
                    Manner::Https(answer) => drop(attend(stream, tls, &answer)),
                });
            }
        });
        Self { port, stop, thread: Some(thread) }
    }

    /// Where it listens on loopback, and the certificates that it is checked against.
    pub fn place(&self) -> (u16, Vec<rustls::pki_types::CertificateDer<'static>>) {
        (self.port, roots(&[identity().1]).expect("roots"))
    }

    pub fn mirror(&self) -> Mirror {
        self.mirror_with(LIMITS)
    }

    pub fn mirror_with(&self, limits: Limits) -> Mirror {
        let roots = roots(&[identity().1]).expect("roots");
        Mirror::new(Base::Https(format!("https://localhost:{}/", self.port)), &roots, limits)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn attend(stream: TcpStream, tls: Arc<ServerConfig>, answer: &Answer) -> io::Result<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(tls).map_err(io::Error::other)?, stream);
    let (mut head, mut octet) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let name = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    answer(&name, &mut Flushing(&mut stream))?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Each write goes out at once: a drip is a drip.
struct Flushing<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Flushing<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.0.write(octets)?;
        self.0.flush()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A client that holds serial 1 of a publisher, and at whose next failure somebody is told.
pub fn synced(publisher: &Publisher) -> Client {
    let mut client = Client::new(Settings::default(), local(), None, NOW);
    client.round(&mut [&mut Memory::of(publisher)], NOW, 0);
    assert!(client.held().is_some() && client.alarms().iter().next().is_none());
    for _ in 0..2 {
        client.round(&mut [&mut Memory::down()], NOW, 0);
    }
    client
}

static ALONE: Mutex<()> = Mutex::new(());

thread_local! {
    static IS_ALONE: Cell<bool> = const { Cell::new(false) };
}

/// No other test is measured, or prepares much, while this lives.
pub struct Alone(Option<MutexGuard<'static, ()>>);

/// Waits for the others. A thread that is alone already goes on.
pub fn alone() -> Alone {
    if IS_ALONE.replace(true) { Alone(None) } else { Alone(Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner))) }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if self.0.is_some() {
            IS_ALONE.set(false);
        }
    }
}

/// Lets a client look once; says how long it took and how many octets of memory, and prints both. One case at a time; a
/// test that prepares much does so alone.
fn look(name: &str, client: &mut Client, manner: Manner, now: i64, whole: Duration) -> bool {
    let _alone = alone();
    let server = Hostile::start(manner);
    let mut mirror = server.mirror();
    let began = Instant::now();
    let base = LIVE.load(Ordering::Relaxed);
    PEAK.store(base, Ordering::Relaxed);
    mirror.begin(began + whole);
    let round = client.round(&mut [&mut mirror as &mut dyn Source], now, 0);
    let took = began.elapsed();
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(base);
    println!("hostile {name}: {:.3} s, peak {:.1} MiB", took.as_secs_f64(), peak as f64 / f64::from(1 << 20));
    assert!(took < whole + GRACE, "{name}: {took:?}");
    assert!(peak < MAX_MEMORY, "{name}: {peak} octets");
    round.applied.is_some()
}

/// Lets a client look once with time for large files, and returns its alarms.
pub fn patient(name: &str, client: &mut Client, manner: Manner) -> Vec<&'static str> {
    look(name, client, manner, NOW, Duration::from_secs(20));
    client.alarms().iter().map(|(alarm, _)| alarm.name()).collect()
}

/// Lets a client look once at a hostile server: within its time and memory, with what it held still in force and these
/// alarms raised.
pub fn case(name: &str, client: &mut Client, manner: Manner, now: i64, alarms: &[&str]) {
    let before = client.held().map(|held| (held.manifest.clone(), held.objects.clone()));
    let good = client.trust().signers.len();
    assert!(!look(name, client, manner, now, LIMITS.whole), "{name}: nothing is taken");
    let found: Vec<_> = client.alarms().iter().map(|(alarm, one)| (alarm.name(), one.text.clone())).collect();
    assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), alarms, "{name}: {found:?}");
    let after = client.held().map(|held| (held.manifest.clone(), held.objects.clone()));
    assert!(before == after && client.trust().signers.len() == good, "{name}: the last good is in force");
}
