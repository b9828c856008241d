//! Whether a sync of thousands of operators makes any turn of a worker longer.
//!
//! The worker turns as in the product, over ports in memory. Beside it, on other cores, control reads the certificates,
//! compiles and publishes the snapshot, and the keeper makes a table for each key. Each turn is timed twice: by the CPU time
//! of the worker's thread, which others who want the core do not lengthen, and by the clock. Turns within which the system
//! took the core away are counted apart: on an isolated core there are none.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{Identifiers, Object, Role, oid};
use sealgate_crypto::pool::PoolConfig;
use sealgate_crypto::tables::Tier;

use crate::gateway::{Gateway, NOW_MS, compile, policy};
use crate::measure::cpu_now;
use crate::pool::stay_on;
use crate::traffic;

const REGION_KEY: &str = include_str!("../../dataplane/vectors/keys/region.key.pem");

/// Octets of a table that every key gets, with room to spare: 51 KiB.
const TABLE: usize = 64 << 10;

/// Turns that are timed in one phase at most: some ten seconds of them.
const TURNS: usize = 4 << 20;

/// Turns of one phase.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// CPU time of each, nanoseconds, from the shortest.
    pub cpu_ns: Vec<u64>,
    /// By the clock, of turns in which the core was not taken away, from the shortest.
    pub clock_ns: Vec<u64>,
    /// Times that the core was taken from the worker.
    pub taken_away: u64,
    /// How long the phase took.
    pub elapsed: Duration,
}

impl Turns {
    /// So many of a thousand turns took no longer, microseconds.
    pub fn at(sorted: &[u64], of_1000: usize) -> f64 {
        let place = (sorted.len() * of_1000 / 1000).min(sorted.len().saturating_sub(1));
        sorted.get(place).map_or(f64::NAN, |ns| *ns as f64 / 1e3)
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Nothing goes on beside the worker.
    pub quiet: Turns,
    /// From before certificates are read until the last table is made.
    pub sync: Turns,
    /// Time until the snapshot was published, and until all tables were made.
    pub published: Duration,
    /// Tables that were made.
    pub tables: usize,
}

/// One round: quiet turns, turns beside a sync of `operators` certificates, and nothing left of it afterwards.
///
/// * `core`: the worker's; control and the keeper take the others
///
/// # Errors
/// A certificate that is refused, or tables that are not made in two minutes.
pub fn measure(operators: &[Object], core: usize, quiet: Duration) -> Result<Outcome, Box<dyn Error>> {
    let ring = KeyRing::new();
    let pool = PoolConfig { avoid: vec![core], table_memory: (operators.len() + 16) * TABLE, ..PoolConfig::default() };
    let frames = traffic::unsigned(false);
    let mut gateway = Gateway::new(Mode::Prefer, false, frames, Vec::new(), None, pool, &ring)?;
    stay_on(core);
    // Warm, and the tables of the vectors' own keys made.
    turns(&mut gateway, |elapsed, _| elapsed < quiet / 2);
    let before = turns(&mut gateway, |elapsed, _| elapsed < quiet);
    let published = Arc::new(AtomicBool::new(false));
    let control = {
        let (published, cell, operators) = (Arc::clone(&published), Arc::clone(&gateway.cell), operators.to_vec());
        let ring = ring.clone();
        std::thread::spawn(move || -> Result<Duration, String> {
            // A thread begins where its maker is: on the worker's core.
            leave(core);
            let began = Instant::now();
            let policy = policy(Mode::Prefer, false).map_err(|fault| fault.to_string())?;
            let snapshot = compile(&policy, &ring, &operators).map_err(|fault| fault.to_string())?;
            let old = cell.publish(Arc::new(snapshot));
            let took = began.elapsed();
            published.store(true, Ordering::Release);
            // The worker's share of it goes first; then it is freed here.
            while Arc::strong_count(&old) > 1 && began.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(took)
        })
    };
    let limit = Duration::from_secs(120);
    let mut made = 0;
    let during = turns(&mut gateway, |elapsed, gateway| {
        let stats = gateway.crypto.stats().tables;
        made = stats.keys.iter().skip(Tier::Small as usize).sum();
        elapsed < limit && !(control.is_finished() && made >= operators.len())
    });
    let published = control.join().map_err(|_| "control panicked")??;
    gateway.crypto.stop();
    if made < operators.len() {
        return Err(format!("only {made} of {} tables were made", operators.len()).into());
    }
    Ok(Outcome { quiet: before, sync: during, published, tables: made })
}

/// Turns as long as `go_on` says, which is asked every so often and outside what is timed.
pub(crate) fn turns(gateway: &mut Gateway, mut go_on: impl FnMut(Duration, &Gateway) -> bool) -> Turns {
    let mut turns =
        Turns { cpu_ns: Vec::with_capacity(TURNS), clock_ns: Vec::with_capacity(TURNS), ..Turns::default() };
    // Written once, so that no page of it is met for the first time in a turn.
    turns.cpu_ns.resize(TURNS, 0);
    turns.clock_ns.resize(TURNS, 0);
    let (mut count, mut kept) = (0, 0);
    let began = Instant::now();
    let first = switches();
    let mut seen = first;
    loop {
        let mark = kept;
        for _ in 0..64 {
            let (clock, cpu) = (Instant::now(), cpu_now());
            gateway.worker.turn(NOW_MS);
            let (cpu, clock) = (cpu_now().saturating_sub(cpu), clock.elapsed());
            if let (Some(to), Some(by_clock)) = (turns.cpu_ns.get_mut(count), turns.clock_ns.get_mut(kept)) {
                (*to, *by_clock) = (ns(cpu), ns(clock));
                (count, kept) = (count + 1, kept + 1);
            }
        }
        let now = switches();
        if now != seen {
            // One of these 64 was interrupted; which one is not known.
            (seen, kept) = (now, mark);
        }
        if !go_on(began.elapsed(), gateway) || count >= TURNS {
            break;
        }
    }
    turns.cpu_ns.truncate(count);
    turns.clock_ns.truncate(kept);
    turns.cpu_ns.sort_unstable();
    turns.clock_ns.sort_unstable();
    turns.taken_away = seen - first;
    turns.elapsed = began.elapsed();
    turns
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Times that the system took the core from this thread (proc(5)).
fn switches() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Goes to some other core than this one; refused, it stays.
pub(crate) fn leave(core: usize) {
    let others = core_affinity::get_core_ids().unwrap_or_default().into_iter().find(|id| id.id != core);
    let other = others.unwrap_or(core_affinity::CoreId { id: usize::from(core == 0) });
    core_affinity::set_for_current(other);
}

/// So many operators' certificates, with a key of P-256 each, issued by the vectors' region.
///
/// # Errors
/// A library that makes no key or no certificate.
pub fn operators(count: usize) -> Result<Vec<Object>, Box<dyn Error>> {
    let key = KeyPair::from_pem(REGION_KEY)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Sealgate Test");
    params.distinguished_name.push(DnType::CommonName, "TSCA Test Region 999");
    params.key_identifier_method = KeyIdMethod::PreSpecified(ski(&key));
    let issuer = Issuer::from_params(&params, &key);
    (0..count).map(|number| operator(number, &issuer)).collect()
}

fn operator(number: usize, issuer: &Issuer<'_, &KeyPair>) -> Result<Object, Box<dyn Error>> {
    let (key, mut params) = (KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?, CertificateParams::default());
    let name = format!("operator-{number}");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name.as_str());
    params.serial_number = Some((1_000_000 + number as u64).into());
    params.not_before = rcgen::date_time_ymd(2026, 6, 1);
    params.not_after = rcgen::date_time_ymd(2027, 6, 1);
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::PreSpecified(ski(&key));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
    let identifiers = Identifiers { gt_prefixes: vec![(1, format!("99902{number:05}"))], ..Identifiers::default() };
    let mut claims = CustomExtension::from_oid_content(oid::CSP_IDENTIFIERS, identifiers.to_der()?);
    claims.set_criticality(true);
    params.custom_extensions = vec![claims, CustomExtension::from_oid_content(oid::SIGNER_ROLE, Role::Csp.to_der())];
    Ok(Object { name, der: params.signed_by(&key, issuer)?.der().to_vec() })
}

/// RFC 7093 method 1.
fn ski(key: &KeyPair) -> Vec<u8> {
    digest(&SHA256, key.der_bytes()).as_ref().iter().take(20).copied().collect()
}
