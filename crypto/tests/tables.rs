//! Keys in use get tables, and with tables of any width the pool says what it said before.

mod common;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use common::sign;
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::keyring::{KeyHandle, KeyRing};
use sealgate_crypto::pool::{Client, Outcome, Pool, PoolConfig, PoolStats};
use sealgate_crypto::sign::SigningKey;
use std::time::{Duration, Instant};

struct Signer {
    key: KeyHandle,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn signers(ring: &KeyRing, count: usize) -> Vec<Signer> {
    let one = |number: usize| {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let own = SigningKey::from_pkcs8_der(der.as_ref()).unwrap();
        let message = format!("message {number}").into_bytes();
        Signer { key: ring.install(&own.public()).unwrap(), signature: sign(&own, &message), message }
    };
    (0..count).map(one).collect()
}

/// Asks each signer's good signature and a damaged one, `times` times.
fn ask(client: &mut Client, signers: &[Signer], times: usize) {
    for round in 0..times {
        for (number, signer) in (0..).zip(signers) {
            let mut bad = signer.signature.clone();
            bad[round % 64] ^= 1 << (number % 8);
            // Each of a peer of its own: one whose signatures do not hold has few in flight.
            for (ticket, signature) in [(2 * number, &signer.signature), (2 * number + 1, &bad)] {
                let peer = u32::try_from(ticket).unwrap();
                client.verify(ticket, peer, &signer.key, &signer.message, signature).unwrap();
            }
        }
        while client.in_flight() > 0 {
            client.flush();
            client.collect(&mut |outcome| match outcome {
                Outcome::Verified(proof) => assert_eq!(proof.ticket() % 2, 0),
                Outcome::Refused { ticket } => assert_eq!(ticket % 2, 1),
                other => panic!("{other:?}"),
            });
        }
    }
}

fn wait_for(pool: &Pool, client: &mut Client, signers: &[Signer], what: impl Fn(&PoolStats) -> bool) -> PoolStats {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let stats = pool.stats();
        if what(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "{stats:?}");
        ask(client, signers, 1);
    }
}

fn config(cores: &[usize]) -> PoolConfig {
    PoolConfig { cores: cores.to_vec(), share_percent: 100, base_window: 10, ..PoolConfig::default() }
}

#[test]
fn verdicts_stay_while_tables_come_and_grow() {
    for cores in [&[][..], &[0]] {
        let ring = KeyRing::new();
        let signers = signers(&ring, 12);
        let (pool, mut clients) = Pool::start(config(cores), 1, &ring).unwrap();
        let client = &mut clients[0];
        ask(client, &signers, 3);
        let stats = wait_for(&pool, client, &signers, |stats| stats.tables.keys == [0, 0, 0, 12]);
        assert_eq!((stats.tables.octets, stats.tables.faulty), (12 << 20, 0));
        assert_eq!((stats.mismatches, stats.failed), (0, 0));
        assert!(stats.checked >= 12, "the first verdict of each table and one of 1,024: {}", stats.checked);
        let engine = stats.engines.iter().find(|choice| choice.alg.name() == "p256").unwrap();
        assert_eq!(engine.engine, "tables");
        ask(client, &signers, 3);
        assert_eq!(pool.stop(), 0);
    }
}

#[test]
fn a_small_budget_is_kept() {
    let ring = KeyRing::new();
    let signers = signers(&ring, 10);
    // A table of 52 KiB is one of 39 in a slab of 2 MiB.
    let config = PoolConfig { table_memory: (2 << 20) / 39 * 6, ..config(&[]) };
    let (pool, mut clients) = Pool::start(config, 1, &ring).unwrap();
    let stats = wait_for(&pool, &mut clients[0], &signers, |stats| stats.tables.keys[1] == 6);
    assert_eq!((stats.tables.keys, stats.tables.octets), ([4, 6, 0, 0], stats.tables.budget));
    ask(&mut clients[0], &signers, 3);
    assert_eq!(pool.stop(), 0);
}

#[test]
fn the_reference_makes_no_tables() {
    let ring = KeyRing::new();
    let signers = signers(&ring, 2);
    let config = PoolConfig { engine: EngineKind::Reference, ..config(&[0]) };
    let (pool, mut clients) = Pool::start(config, 1, &ring).unwrap();
    ask(&mut clients[0], &signers, 100);
    let stats = pool.stats();
    assert_eq!((stats.tables.built, stats.checked), (0, 0));
    assert!(stats.engines.iter().all(|choice| choice.engine == "reference" && choice.why.contains("crypto.engine")));
    assert_eq!(pool.stop(), 0);
}
