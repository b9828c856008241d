//! Signatures a second and core, by algorithm: thread CPU time, the median of several samples and the best.
//!
//! `cargo run --release -p sealgate-crypto --example signing`

use rustix::time::{ClockId, clock_gettime};
use sealgate_crypto::sign::{MAX_OWN_SIGNATURE, SigningKey};
use std::hint::black_box;

/// Octets that a signature of SG-TCAP-1 covers, of a usual size.
const MESSAGE: [u8; 180] = [0x62; 180];

/// CPU time of a sample, seconds.
const SAMPLE_S: f64 = 0.1;

/// Samples of each algorithm, taken in turn so that all of them see the same neighbours.
const SAMPLES: usize = 15;

fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// Signatures a second.
fn sample(key: &SigningKey) -> f64 {
    let mut out = [0; MAX_OWN_SIGNATURE];
    let (begin, mut made) = (cpu_s(), 0_u32);
    loop {
        for _ in 0..16 {
            black_box(key.sign(black_box(&MESSAGE), &mut out)).expect("a signature");
        }
        made += 16;
        let taken = cpu_s() - begin;
        if taken >= SAMPLE_S {
            return f64::from(made) / taken;
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kinds = [
        ("p256", &rcgen::PKCS_ECDSA_P256_SHA256),
        ("ed25519", &rcgen::PKCS_ED25519),
        ("p384", &rcgen::PKCS_ECDSA_P384_SHA384),
        ("rsa2048", &rcgen::PKCS_RSA_SHA256),
    ];
    let mut rows = Vec::new();
    for (name, kind) in kinds {
        let pair = rcgen::KeyPair::generate_for(kind)?;
        rows.push((name, SigningKey::from_pkcs8_der(&pair.serialize_der())?, Vec::new()));
    }
    for _ in 0..SAMPLES {
        for (_, key, rates) in &mut rows {
            rates.push(sample(key));
        }
    }
    println!("{:<8} {:>10} {:>10}  {:>8}", "", "median /s", "best /s", "us each");
    for (name, _, rates) in &mut rows {
        rates.sort_by(f64::total_cmp);
        let (median, best) = (rates[rates.len() / 2], rates[rates.len() - 1]);
        println!("{name:<8} {median:>10.0} {best:>10.0}  {:>8.1}", 1e6 / median);
    }
    Ok(())
}
