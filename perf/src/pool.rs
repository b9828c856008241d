//! The crypto pool end to end: a worker that hashes and submits, a crypto thread that verifies, against the bare engine.
//!
//! Both are asked the same messages of the same keys with tables of the same width, in turns, on the same core: that of the
//! crypto thread. What counts is CPU time of whoever verifies, so that others who want the core do not count. The thread's
//! includes all that the pool adds there: taking jobs from rings, looking for keys, sorting, answering, and looking in vain.

use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use sealgate_crypto::bare::{Bare, Question};
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::keyring::{KeyHandle, KeyRing};
use sealgate_crypto::pool::{Busy, Client, Outcome, Pool, PoolConfig};
use sealgate_crypto::sign::{SigningKey, sha256};
use sealgate_crypto::tables::Tier;
use sealgate_crypto::verify::PublicKey;

use crate::measure::cpu_now;
use crate::record::Document;

/// Octets of what is signed: a MAP request with its header.
const MESSAGE: usize = 200;

/// Messages that are there to be asked about; more than any cache keeps of them.
const MESSAGES: usize = 20_000;

/// Jobs that are kept in flight.
const IN_FLIGHT: usize = 1024;

/// What was measured, verifications per second of one core each, a sample a round.
#[derive(Clone, Debug, Default)]
pub struct Speeds {
    /// aws-lc-rs alone.
    pub reference: Vec<f64>,
    /// The engine alone, batches of 64, digests ready.
    pub bare: Vec<f64>,
    /// The pool with its thread on another core: by CPU time of that thread.
    pub pool: Vec<f64>,
    /// The same by wall time: less where others want the two cores.
    pub pool_wall: Vec<f64>,
    /// Inline: hashing, rings and verification on one core. Its rounds come after those of all others.
    pub inline: Vec<f64>,
}

impl Speeds {
    /// Adds all of them to a document, and what they are of the engine alone in the same round.
    pub fn tell(&self, document: &mut Document) {
        for (name, samples) in [
            ("reference_p256_per_s", &self.reference),
            ("bare_p256_per_s", &self.bare),
            ("pool_p256_per_s", &self.pool),
            ("pool_p256_per_s_wall", &self.pool_wall),
            ("inline_p256_per_s", &self.inline),
        ] {
            samples.iter().for_each(|speed| document.add(name, "/s", *speed));
        }
        for (name, over, under) in [
            ("pool_to_bare", &self.pool, &self.bare),
            ("inline_to_bare", &self.inline, &self.bare),
            ("bare_to_reference", &self.bare, &self.reference),
        ] {
            over.iter().zip(under).for_each(|(over, under)| document.add_or_note(name, "", over / under));
        }
    }
}

struct Signed {
    key: usize,
    message: [u8; MESSAGE],
    digest: [u8; 32],
    signature: [u8; 64],
}

/// The keys, and messages of theirs in random order.
pub struct Load {
    own: Vec<SigningKey>,
    signed: Vec<Signed>,
}

impl Load {
    /// So many fresh P-256 keys, and their messages.
    ///
    /// # Errors
    /// The library makes no key or no signature.
    pub fn new(keys: usize) -> Result<Self, Box<dyn Error>> {
        let key = |_| -> Result<SigningKey, Box<dyn Error>> {
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
            Ok(SigningKey::from_pkcs8_der(der.as_ref())?)
        };
        let own = (0..keys.max(1)).map(key).collect::<Result<Vec<_>, _>>()?;
        let mut signed = Vec::new();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for number in 0..MESSAGES {
            // xorshift64: enough to spread over keys.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let key = usize::try_from(random >> 33)? % own.len();
            let mut message = [0; MESSAGE];
            message.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let mut out = [0; 256];
            own.get(key).ok_or("no key")?.sign(&message, &mut out)?;
            let mut signature = [0; 64];
            signature.iter_mut().zip(out).for_each(|(to, from)| *to = from);
            signed.push(Signed { key, digest: sha256(&message), message, signature });
        }
        Ok(Self { own, signed })
    }

    /// Octets of tables of the middle width of these keys.
    ///
    /// # Errors
    /// A table came out wrong.
    pub(crate) fn table_octets(keys: &[PublicKey]) -> Result<usize, Box<dyn Error>> {
        Ok(Bare::new(keys, Tier::Base, 10).ok_or("a table came out wrong")?.octets())
    }
}

/// Measures all four, in turns.
///
/// * `worker`, `crypto`: cores; `rounds`: of so many milliseconds each
///
/// # Errors
/// A pool that does not start, or a signature that does not hold.
pub fn measure(load: &Load, worker: usize, crypto: usize, rounds: usize, ms: u64) -> Result<Speeds, Box<dyn Error>> {
    stay_on(worker);
    let slice = Duration::from_millis(ms);
    let public: Vec<_> = load.own.iter().map(SigningKey::public).collect();
    let mut bare = Bare::new(&public, Tier::Base, 16).ok_or("a table came out wrong")?;
    let questions: Vec<_> = load.signed.iter().map(question).collect();
    let ring = KeyRing::new();
    let handles = ring.install_all(&public)?;
    // Memory for a table of the middle width for each, and no more: what the bare engine has.
    let table_memory = bare.octets();
    let config = |cores: &[usize]| PoolConfig {
        cores: cores.to_vec(),
        avoid: vec![worker],
        share_percent: 100,
        engine: EngineKind::Auto,
        table_memory,
        base_window: 16,
        ..PoolConfig::default()
    };
    let mut speeds = Speeds::default();
    for cores in [vec![crypto], vec![]] {
        let (pool, mut clients) = Pool::start(config(&cores), 1, &ring)?;
        let client = clients.first_mut().ok_or("no client")?;
        wait_for_tables(&pool, load.own.len(), || {
            through(client, &handles, load, Duration::from_millis(50)).map(drop)
        })?;
        for _ in 0..rounds {
            if cores.is_empty() {
                let began = cpu_now();
                let (done, _) = through(client, &handles, load, slice)?;
                speeds.inline.push(done as f64 / cpu_now().saturating_sub(began).as_secs_f64());
                continue;
            }
            stay_on(crypto);
            speeds.reference.push(alone(&questions, slice, |part| bare.reference(part))?);
            speeds.bare.push(alone(&questions, slice, |part| bare.verify(part))?);
            stay_on(worker);
            let before = thread_cpu(crypto)?;
            let (done, wall) = through(client, &handles, load, slice)?;
            speeds.pool.push(done as f64 / thread_cpu(crypto)?.saturating_sub(before).as_secs_f64());
            speeds.pool_wall.push(done as f64 / wall.as_secs_f64());
        }
        pool.stop();
    }
    Ok(speeds)
}

/// Keeps the keys asked until each has a table of the middle width.
///
/// Tables are made on the cores that are left, and by threads that let pollers go first: on a machine of two cores only
/// while nobody polls.
///
/// # Errors
/// They are not there after 30 seconds: what would be measured is something else.
pub(crate) fn wait_for_tables(
    pool: &Pool,
    keys: usize,
    mut ask: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let stats = pool.stats();
        if stats.tables.keys.iter().skip(Tier::Base as usize).sum::<usize>() >= keys {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(format!("tables are not made in time: {:?}", stats.tables).into());
        }
        ask()?;
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Moves the calling thread. Refused, it stays where it is: the figures then are of another core.
pub fn stay_on(core: usize) {
    core_affinity::set_for_current(core_affinity::CoreId { id: core });
}

/// CPU time so far of the crypto thread of a core: the last one that was started there.
pub(crate) fn thread_cpu(core: usize) -> Result<Duration, Box<dyn Error>> {
    let name = format!("crypto-{core}");
    let mut found = None;
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        if std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name) {
            // Nanoseconds on a core, nanoseconds of waiting for one, slices (Documentation/scheduler/sched-stats.rst).
            let stat = std::fs::read_to_string(path.join("schedstat"))?;
            let ns = stat.split(' ').next().and_then(|ns| ns.parse().ok()).ok_or("schedstat cannot be read")?;
            found = found.max(Some(Duration::from_nanos(ns)));
        }
    }
    found.ok_or_else(|| format!("there is no thread {name}").into())
}

fn question(signed: &Signed) -> Question<'_> {
    Question { key: signed.key, digest: &signed.digest, message: &[], signature: &signed.signature }
}

/// Verifications per second of CPU time, 64 at a time.
fn alone(
    questions: &[Question<'_>],
    slice: Duration,
    mut verify: impl FnMut(&[Question<'_>]) -> usize,
) -> Result<f64, Box<dyn Error>> {
    let (began, mut done) = (cpu_now(), 0);
    for part in questions.chunks(64).cycle() {
        if verify(part) != part.len() {
            return Err("a signature does not hold".into());
        }
        done += part.len();
        if cpu_now().saturating_sub(began) >= slice {
            break;
        }
    }
    Ok(done as f64 / cpu_now().saturating_sub(began).as_secs_f64())
}

/// Verifications through a pool in a slice of wall time, and how long it took: in turns of 32, as a worker's.
fn through(
    client: &mut Client,
    handles: &[KeyHandle],
    load: &Load,
    slice: Duration,
) -> Result<(u64, Duration), Box<dyn Error>> {
    let began = Instant::now();
    let (mut done, mut wrong) = (0_u64, 0_u64);
    let mut collect = |client: &mut Client| {
        client.flush();
        client.collect(&mut |outcome| match outcome {
            Outcome::Verified(_) => done += 1,
            _ => wrong += 1,
        });
    };
    let mut next = load.signed.iter().cycle();
    while began.elapsed() < slice {
        // No more in flight than keeps the thread busy while this one has to wait for its core: messages wait in front of a
        // gateway, not in it. Inline there is never anything in flight after a flush, so the time ends this too.
        while client.in_flight() < IN_FLIGHT && began.elapsed() < slice {
            for signed in next.by_ref().take(32) {
                let handle = handles.get(signed.key).ok_or("no handle")?;
                match client.verify(0, 0, handle, &signed.message, &signed.signature) {
                    // Until its key has a table, a job takes as much of the queue as twenty.
                    Err(Busy::Queue) => break,
                    other => other?,
                }
            }
            collect(client);
        }
        collect(client);
    }
    // All that was asked counts, so that none of the thread's time is left out.
    while client.in_flight() > 0 {
        collect(client);
    }
    if wrong > 0 { Err("a signature does not hold".into()) } else { Ok((done, began.elapsed())) }
}
