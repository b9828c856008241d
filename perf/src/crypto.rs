//! The verification engines against aws-lc-rs: ratios by algorithm, number of keys and batch, in one process and in turns.
//!
//! A core is often shared with somebody whom we do not see. So both candidates take turns in slices of thread CPU time, each
//! ratio is one of two slices next to each other, and around each slice a fixed piece of work tells how fast the core was.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::bare::{Bare, Question};
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::tables::Tier;
use sealgate_crypto::verify::PublicKey;

use crate::measure::cpu_now;

/// Octets of a message: a MAP request with its header.
const MESSAGE: usize = 200;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Algorithms that have tables.
    pub algs: Vec<Alg>,
    /// Numbers of keys, drawn uniformly.
    pub keys: Vec<usize>,
    /// Signatures asked at a time.
    pub batches: Vec<usize>,
    /// Distinct signatures: so many that no table line is met again soon.
    pub requests: usize,
    /// Pairs of slices of each figure.
    pub rounds: usize,
    /// One slice.
    pub slice: Duration,
    /// Width of the keys' tables.
    pub tier: Tier,
    /// Window of the generators' tables.
    pub base_window: u32,
}

/// One algorithm with so many keys.
#[derive(Clone, Debug)]
pub struct Case {
    /// The algorithm.
    pub alg: Alg,
    /// Keys.
    pub keys: usize,
    /// Octets of a key's table.
    pub table_octets: usize,
    /// CPU time of making and checking one, microseconds.
    pub build_us: f64,
    /// One a batch size.
    pub rows: Vec<Row>,
}

/// What one batch size came to, a sample a round.
#[derive(Clone, Debug)]
pub struct Row {
    /// Signatures asked at a time.
    pub batch: usize,
    /// aws-lc-rs's time over ours.
    pub ratio: Vec<f64>,
    /// Our time for one signature, microseconds.
    pub us: Vec<f64>,
    /// aws-lc-rs's.
    pub reference_us: Vec<f64>,
    /// Speed of the core around our slice against the best of the run.
    pub core: Vec<f64>,
}

struct Request {
    key: usize,
    message: [u8; MESSAGE],
    digest: Vec<u8>,
    signature: Vec<u8>,
}

/// Measures all of a plan; `progress` is told of each case that begins.
///
/// # Errors
/// A library that makes no key, a table that came out wrong, or a signature that does not hold.
pub fn measure(plan: &Plan, mut progress: impl FnMut(Alg, usize)) -> Result<Vec<Case>, Box<dyn Error>> {
    let mut cases = Vec::new();
    let mut best = 0.0;
    for &alg in &plan.algs {
        for &keys in &plan.keys {
            progress(alg, keys);
            cases.push(case(plan, alg, keys, &mut best)?);
        }
    }
    for core in cases.iter_mut().flat_map(|case| &mut case.rows).flat_map(|row| &mut row.core) {
        *core /= best;
    }
    Ok(cases)
}

fn case(plan: &Plan, alg: Alg, count: usize, best: &mut f64) -> Result<Case, Box<dyn Error>> {
    let own = (0..count.max(1)).map(|_| new_key(alg)).collect::<Result<Vec<_>, _>>()?;
    let requests = requests(alg, &own, plan.requests)?;
    let public: Vec<PublicKey> = own.iter().map(SigningKey::public).collect();
    // The generator's table is made once in a process and must not count for the first key.
    drop(Bare::new(&[], plan.tier, plan.base_window));
    let began = cpu_now();
    let mut bare = Bare::new(&public, plan.tier, plan.base_window).ok_or("a table came out wrong")?;
    let build = cpu_now().saturating_sub(began);
    let table_octets = bare.octets() / public.len();
    let questions: Vec<_> = requests.iter().map(|request| question(alg, request)).collect();
    let mut next = questions.iter().copied().cycle();
    let mut rows = Vec::new();
    for &batch in &plan.batches {
        let (mut ours, mut theirs, mut speeds) = (Vec::new(), Vec::new(), Vec::new());
        let mut part = Vec::with_capacity(batch);
        for _ in 0..plan.rounds {
            let before = probe();
            ours.push(slice(plan.slice, || {
                part.clear();
                part.extend(next.by_ref().take(batch));
                (bare.verify(&part), batch)
            })?);
            let after = probe();
            speeds.push(f64::midpoint(before, after));
            *best = before.max(after).max(*best);
            theirs.push(slice(plan.slice, || {
                part.clear();
                part.extend(next.by_ref().take(batch.min(8)));
                (bare.reference(&part), part.len())
            })?);
        }
        let ratio = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect();
        rows.push(Row { batch, ratio, us: ours, reference_us: theirs, core: speeds });
    }
    Ok(Case { alg, keys: count, table_octets, build_us: build.as_secs_f64() * 1e6 / public.len() as f64, rows })
}

fn new_key(alg: Alg) -> Result<SigningKey, Box<dyn Error>> {
    let rng = SystemRandom::new();
    let der = match alg {
        Alg::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)?,
        Alg::P384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &rng)?,
        Alg::Ed25519 => Ed25519KeyPair::generate_pkcs8(&rng)?,
        Alg::Rsa2048 => return Err("RSA has no tables".into()),
    };
    Ok(SigningKey::from_pkcs8_der(der.as_ref())?)
}

fn requests(alg: Alg, own: &[SigningKey], count: usize) -> Result<Vec<Request>, Box<dyn Error>> {
    // xorshift64: enough to spread over keys.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    (0..count)
        .map(|number| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let key = usize::try_from(random >> 33)? % own.len();
            let mut message = [0; MESSAGE];
            message.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let mut out = [0; 256];
            let len = own.get(key).ok_or("no key")?.sign(&message, &mut out)?;
            let digest = match alg {
                Alg::P256 => digest(&SHA256, &message).as_ref().to_vec(),
                Alg::P384 => digest(&SHA384, &message).as_ref().to_vec(),
                Alg::Ed25519 | Alg::Rsa2048 => Vec::new(),
            };
            Ok(Request { key, message, digest, signature: out.get(..len).ok_or("no signature")?.to_vec() })
        })
        .collect()
}

fn question(alg: Alg, request: &Request) -> Question<'_> {
    let message: &[u8] = if alg == Alg::Ed25519 { &request.message } else { &[] };
    Question { key: request.key, digest: &request.digest, message, signature: &request.signature }
}

/// Microseconds of thread CPU time for one signature. All must hold.
fn slice(time: Duration, mut ask: impl FnMut() -> (usize, usize)) -> Result<f64, Box<dyn Error>> {
    let (began, mut done) = (cpu_now(), 0);
    loop {
        let (held, asked) = ask();
        if held != asked {
            return Err("a signature does not hold".into());
        }
        done += asked;
        let spent = cpu_now().saturating_sub(began);
        if spent >= time {
            return Ok(spent.as_secs_f64() * 1e6 / done as f64);
        }
    }
}

/// How fast the core is just now: four independent chains of additions and shifts, in steps per microsecond of wall time.
fn probe() -> f64 {
    const STEPS: u32 = 4_000;
    let began = Instant::now();
    let mut chains = black_box([1_u64, 2, 3, 5]);
    for _ in 0..STEPS {
        chains = chains.map(|x| x.wrapping_add(x >> 7 | 1));
    }
    black_box(chains);
    f64::from(STEPS) / began.elapsed().as_secs_f64().max(1e-9) / 1e6
}
