//! The crypto pool end to end: a worker that hashes and submits, a crypto thread that verifies, against the bare engine.

use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use sealgate_crypto::bare::{Bare, Question};
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::keyring::{KeyHandle, KeyRing};
use sealgate_crypto::pool::{Client, Outcome, Pool, PoolConfig};
use sealgate_crypto::sign::{SigningKey, sha256};
use sealgate_crypto::tables::Tier;

use crate::measure::cpu_now;

/// Octets of what is signed: a MAP request with its header.
const MESSAGE: usize = 200;

/// Messages that are there to be asked about; more than any cache keeps of them.
const MESSAGES: usize = 20_000;

/// What was measured, verifications per second of one core each.
#[derive(Clone, Copy, Debug)]
pub struct Speeds {
    /// aws-lc-rs alone.
    pub reference: f64,
    /// The engine alone, batches of 64, digests ready.
    pub bare: f64,
    /// The pool with its thread on another core: by wall time.
    pub pool: f64,
    /// Inline: hashing, rings and verification on one core.
    pub inline: f64,
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
}

/// Measures all four, in turns, and gives the median of each.
///
/// * `worker`, `crypto`: cores; `rounds`: of so many milliseconds each
///
/// # Errors
/// A pool that does not start, or a signature that does not hold.
pub fn measure(load: &Load, worker: usize, crypto: usize, rounds: usize, ms: u64) -> Result<Speeds, Box<dyn Error>> {
    core_affinity::set_for_current(core_affinity::CoreId { id: worker });
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
    let mut speeds = [const { Vec::new() }; 4];
    for cores in [vec![crypto], vec![]] {
        let (pool, mut clients) = Pool::start(config(&cores), 1, &ring)?;
        let client = clients.first_mut().ok_or("no client")?;
        // Until tables are as wide as they will be. They are made on the cores that are left, and by threads that let
        // pollers go first: on a machine of two cores only while nobody polls.
        let until = Instant::now() + Duration::from_secs(20);
        while pool.stats().tables.keys[Tier::Base as usize] < load.own.len() && Instant::now() < until {
            through(client, &handles, load, Duration::from_millis(50), false)?;
            std::thread::sleep(Duration::from_millis(300));
        }
        for _ in 0..rounds {
            if cores.is_empty() {
                speeds[3].push(through(client, &handles, load, slice, true)?);
            } else {
                speeds[0].push(alone(&questions, slice, |part| bare.reference(part))?);
                speeds[1].push(alone(&questions, slice, |part| bare.verify(part))?);
                speeds[2].push(through(client, &handles, load, slice, false)?);
            }
        }
        pool.stop();
    }
    let [reference, bare, pool, inline] = speeds.map(median);
    Ok(Speeds { reference, bare, pool, inline })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
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

/// Verifications per second through a pool: in turns of 32, as a worker's.
fn through(
    client: &mut Client,
    handles: &[KeyHandle],
    load: &Load,
    slice: Duration,
    by_cpu: bool,
) -> Result<f64, Box<dyn Error>> {
    let (began, wall) = (cpu_now(), Instant::now());
    let (mut done, mut wrong) = (0_u64, 0_u64);
    let mut collect = |client: &mut Client| {
        client.flush();
        client.collect(&mut |outcome| match outcome {
            Outcome::Verified(_) => done += 1,
            _ => wrong += 1,
        });
    };
    let mut next = load.signed.iter().cycle();
    let elapsed = || if by_cpu { cpu_now().saturating_sub(began) } else { wall.elapsed() };
    while elapsed() < slice {
        // No more in flight than keeps the thread busy: messages wait in front of a gateway, not in it.
        while client.in_flight() < 512 {
            for signed in next.by_ref().take(32) {
                let handle = handles.get(signed.key).ok_or("no handle")?;
                client.verify(0, 0, handle, &signed.message, &signed.signature)?;
            }
            collect(client);
        }
        collect(client);
    }
    let time = elapsed().as_secs_f64();
    let total = done;
    while client.in_flight() > 0 {
        client.flush();
        client.collect(&mut |_| ());
    }
    if wrong > 0 { Err("a signature does not hold".into()) } else { Ok(total as f64 / time) }
}
