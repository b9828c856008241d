//! The pool as a worker sees it: each accepted job is answered once and truly, whatever the order.

mod common;

use common::{SIGNERS, public, sign, signing};
use proptest::prelude::*;
use sealgate_crypto::engine::EngineKind;
use sealgate_crypto::job::{MAX_MESSAGE, Outcome};
use sealgate_crypto::keyring::{KeyHandle, KeyRing, SignHandle};
use sealgate_crypto::pool::{Busy, Client, Pool, PoolConfig, PoolError};
use sealgate_crypto::sign::SigningKey;
use std::collections::HashMap;
use std::time::{Duration, Instant};

struct Signer {
    key: KeyHandle,
    own: SigningKey,
    hand: SignHandle,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn signers(ring: &KeyRing) -> Vec<Signer> {
    SIGNERS
        .iter()
        .map(|(name, _)| {
            let (own, message) = (signing(name), format!("message of {name}").into_bytes());
            let (key, hand) = (ring.install(&public(name)).unwrap(), ring.install_signer(&own).unwrap());
            Signer { key, signature: sign(&own, &message), own, hand, message }
        })
        .collect()
}

fn config(cores: &[usize]) -> PoolConfig {
    PoolConfig { cores: cores.to_vec(), batch: 4, queue: 1024, ..PoolConfig::default() }
}

/// Flushes and collects until nothing is in flight; a pool that forgets a job fails here and not by hanging.
fn drain(client: &mut Client, mut each: impl FnMut(Outcome<'_>)) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while client.in_flight() > 0 {
        client.flush();
        client.collect(&mut each);
        assert!(Instant::now() < deadline, "{} jobs never came back", client.in_flight());
        std::thread::yield_now();
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Good(usize),
    Damaged(usize, usize),
    Short(usize),
    Sign(usize),
    Flush,
    Collect,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..4_usize).prop_map(Op::Good),
        3 => (0..4_usize, 0..512_usize).prop_map(|(who, bit)| Op::Damaged(who, bit)),
        1 => (0..4_usize).prop_map(Op::Short),
        1 => (0..4_usize).prop_map(Op::Sign),
        2 => Just(Op::Flush),
        2 => Just(Op::Collect),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Want {
    Verified,
    Refused,
    Signed(usize),
}

fn play(cores: &[usize], ring: &KeyRing, signers: &[Signer], ops: &[Op]) {
    let (pool, mut clients) = Pool::start(config(cores), 1, ring).unwrap();
    let client = &mut clients[0];
    let mut wanted = HashMap::new();
    let check = |wanted: &mut HashMap<u64, Want>, outcome: Outcome<'_>| {
        // Missing: answered twice, or never asked.
        let want = wanted.remove(&outcome.ticket()).expect("one answer a ticket");
        match (want, outcome) {
            (Want::Verified, Outcome::Verified(_)) | (Want::Refused, Outcome::Refused { .. }) => {}
            (Want::Signed(who), Outcome::Signed { signature, .. }) => {
                assert!(signers[who].key.key().verify(&signers[who].message, signature));
            }
            (want, outcome) => panic!("{want:?} became {outcome:?}"),
        }
    };
    for (ticket, &op) in (0..).zip(ops) {
        let mut verify = |who: usize, signature: &[u8], want| {
            let Signer { key, message, .. } = &signers[who];
            match client.verify(ticket, who as u32, key, message, signature) {
                Ok(()) => drop(wanted.insert(ticket, want)),
                Err(busy) => assert_ne!(busy, Busy::TooLong),
            }
        };
        match op {
            Op::Good(who) => verify(who, &signers[who].signature, Want::Verified),
            Op::Damaged(who, bit) => {
                let mut bad = signers[who].signature.clone();
                bad[bit / 8 % 64] ^= 1 << (bit % 8);
                verify(who, &bad, Want::Refused);
            }
            Op::Short(who) => verify(who, &signers[who].signature[1..], Want::Refused),
            Op::Sign(who) => match client.sign(ticket, &signers[who].hand, &signers[who].message) {
                Ok(()) => drop(wanted.insert(ticket, Want::Signed(who))),
                Err(busy) => assert_eq!(busy, Busy::Queue),
            },
            Op::Flush => client.flush(),
            Op::Collect => client.collect(&mut |outcome| check(&mut wanted, outcome)),
        }
        assert_eq!(client.in_flight(), wanted.len());
    }
    drain(client, |outcome| check(&mut wanted, outcome));
    assert!(wanted.is_empty(), "{wanted:?}");
    assert_eq!(pool.stats().failed, 0);
    assert_eq!(pool.stop(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn each_ticket_is_answered_once(ops in proptest::collection::vec(op(), 0..120)) {
        let ring = KeyRing::new();
        let signers = signers(&ring);
        for cores in [&[][..], &[0], &[0, 1]] {
            play(cores, &ring, &signers, &ops);
        }
    }
}

#[test]
fn a_full_queue_and_a_used_share_are_told_apart() {
    let ring = KeyRing::new();
    let signers = signers(&ring);
    let Signer { key, hand, message, signature, .. } = &signers[0];
    // With the reference alone such a job costs 1, with tables that are not made yet it costs 20.
    let reference = PoolConfig { engine: EngineKind::Reference, queue: 32, ..config(&[]) };
    let (_pool, mut clients) = Pool::start(reference, 1, &ring).unwrap();
    let client = &mut clients[0];
    for ticket in 0..16 {
        client.verify(ticket, 7, key, message, signature).unwrap();
    }
    assert_eq!(client.verify(16, 7, key, message, signature), Err(Busy::Share));
    // Each further peer gets as much as is left then: nobody fills the queue against those who come later.
    for (share, tickets) in [(8, 16..24), (9, 24..28), (10, 28..30), (11, 30..31)] {
        for ticket in tickets {
            client.verify(ticket, share, key, message, signature).unwrap();
        }
        assert_eq!(client.verify(31, share, key, message, signature), Err(Busy::Share), "{share}");
    }
    // Our own signatures use nobody's share, but the same queue.
    client.sign(31, hand, message).unwrap();
    assert_eq!(client.verify(32, 12, key, message, signature), Err(Busy::Queue));
    assert_eq!(client.verify(32, 7, key, message, signature), Err(Busy::Queue));
    assert_eq!(client.sign(32, hand, message), Err(Busy::Queue));
    assert_eq!(client.in_flight(), 32);
    let mut answers = 0;
    client.flush();
    client.collect(&mut |_| answers += 1);
    assert_eq!((answers, client.in_flight()), (32, 0));
    client.verify(33, 7, key, message, signature).unwrap();
}

#[test]
fn long_messages_fit_or_are_refused_and_never_cut() {
    let ring = KeyRing::new();
    let signers = signers(&ring);
    let (long, too_long) = (vec![3; MAX_MESSAGE], vec![3; MAX_MESSAGE + 1]);
    for cores in [&[][..], &[0]] {
        let (_pool, mut clients) = Pool::start(config(cores), 1, &ring).unwrap();
        let client = &mut clients[0];
        for (ticket, Signer { key, own, hand, .. }) in (0..).zip(&signers) {
            client.verify(ticket, 0, key, &long, &sign(own, &long)).unwrap();
            client.sign(100 + ticket, hand, &long).unwrap();
            assert_eq!(client.sign(0, hand, &too_long), Err(Busy::TooLong));
            let hashed = client.verify(200 + ticket, 0, key, &too_long, &sign(own, &too_long));
            // Only Ed25519 needs the message itself.
            assert_eq!(
                hashed,
                if key.key().signature_len() == 64 && ticket == 1 { Err(Busy::TooLong) } else { Ok(()) }
            );
        }
        let (mut verified, mut signed) = (0, 0);
        drain(client, |outcome| match outcome {
            Outcome::Verified(_) => verified += 1,
            Outcome::Signed { ticket, signature } => {
                assert!(signers[ticket as usize - 100].key.key().verify(&long, signature));
                signed += 1;
            }
            other => panic!("{other:?}"),
        });
        assert_eq!((verified, signed), (7, 4));
    }
}

#[test]
fn the_octets_of_the_rings_are_a_limit_too() {
    let ring = KeyRing::new();
    let signers = signers(&ring);
    let Signer { hand, .. } = &signers[1];
    let (_pool, mut clients) = Pool::start(PoolConfig { batch: 256, queue: 4096, ..config(&[]) }, 1, &ring).unwrap();
    let client = &mut clients[0];
    let long = vec![1; MAX_MESSAGE];
    let taken = (0..4096).take_while(|&ticket| client.sign(ticket, hand, &long).is_ok()).count();
    assert!((32..4096).contains(&taken), "{taken}");
    assert_eq!(client.sign(0, hand, &long), Err(Busy::Queue));
    let mut answers = 0;
    drain(client, |outcome| answers += usize::from(matches!(outcome, Outcome::Signed { .. })));
    assert_eq!(answers, taken);
}

#[test]
fn a_stopped_pool_answers_all_that_was_accepted() {
    let ring = KeyRing::new();
    let signers = signers(&ring);
    let Signer { key, message, signature, .. } = &signers[2];
    let (pool, mut clients) = Pool::start(config(&[0]), 2, &ring).unwrap();
    for client in &mut clients {
        for ticket in 0..15 {
            client.verify(ticket, 0, key, message, signature).unwrap();
        }
    }
    assert_eq!(pool.stats().alive, 1);
    assert_eq!(pool.stop(), 0);
    for client in &mut clients {
        let mut seen = Vec::new();
        drain(client, |outcome| {
            assert!(matches!(outcome, Outcome::Verified(_) | Outcome::Failed { .. }), "{outcome:?}");
            seen.push(outcome.ticket());
        });
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..15));
        // Nobody is left: later jobs fail, they do not wait and they do not pass.
        client.verify(99, 0, key, message, signature).unwrap();
        drain(client, |outcome| assert_eq!(outcome, Outcome::Failed { ticket: 99 }));
    }
}

#[test]
fn a_dropped_pool_fails_its_jobs() {
    let ring = KeyRing::new();
    let signers = signers(&ring);
    let Signer { key, message, .. } = &signers[0];
    let (pool, mut clients) = Pool::start(config(&[0]), 1, &ring).unwrap();
    drop(pool);
    clients[0].verify(1, 0, key, message, &[0; 64]).unwrap();
    drain(&mut clients[0], |outcome| {
        assert!(matches!(outcome, Outcome::Refused { ticket: 1 } | Outcome::Failed { ticket: 1 }));
    });
}

#[test]
fn numbers_out_of_range_do_not_start() {
    let start = |config: PoolConfig| Pool::start(config, 1, &KeyRing::new()).map(|_| ()).unwrap_err().to_string();
    assert_eq!(start(PoolConfig { batch: 0, ..config(&[]) }), "crypto.batch is out of range");
    assert_eq!(start(PoolConfig { batch: 257, ..config(&[]) }), "crypto.batch is out of range");
    assert_eq!(start(PoolConfig { queue: 0, ..config(&[]) }), "crypto.queue is out of range");
    assert_eq!(start(PoolConfig { queue: 65_537, ..config(&[]) }), "crypto.queue is out of range");
    assert_eq!(start(PoolConfig { share_percent: 0, ..config(&[]) }), "crypto.share_percent is out of range");
    assert_eq!(start(PoolConfig { share_percent: 101, ..config(&[]) }), "crypto.share_percent is out of range");
    for core in [900, 100_000] {
        assert!(
            matches!(Pool::start(config(&[core]), 1, &KeyRing::new()), Err(PoolError::Pin(found)) if found == core)
        );
    }
    assert!(Pool::start(config(&[]), 0, &KeyRing::new()).is_ok());
}

#[test]
fn a_key_of_another_ring_is_not_taken() {
    let (ring, other) = (KeyRing::new(), KeyRing::new());
    let signers = [signers(&ring), signers(&other)];
    let (_pool, mut clients) = Pool::start(config(&[]), 1, &ring).unwrap();
    let ask = |client: &mut Client, signer: &Signer| {
        let Signer { key, hand, message, signature, .. } = signer;
        (client.verify(1, 0, key, message, signature), client.sign(2, hand, message))
    };
    assert_eq!(ask(&mut clients[0], &signers[1][0]), (Err(Busy::Foreign), Err(Busy::Foreign)));
    assert_eq!(ask(&mut clients[0], &signers[0][0]), (Ok(()), Ok(())));
}

#[test]
fn a_key_that_is_withdrawn_while_its_job_waits_has_an_answer_of_its_own() {
    for cores in [&[][..], &[0]] {
        let ring = KeyRing::new();
        let mut signers = signers(&ring);
        let (pool, mut clients) = Pool::start(config(cores), 1, &ring).unwrap();
        let client = &mut clients[0];
        let Signer { key, hand, message, signature, .. } = signers.remove(0);
        client.verify(1, 0, &key, &message, &signature).unwrap();
        client.sign(2, &hand, &message).unwrap();
        drop((key, hand));
        // The next key takes the slot, and would refuse; the one after takes that of the private key.
        let next = ring.install_all([&public("b-ec"), &public("hub-ec")]).unwrap();
        let mut stale = Vec::new();
        drain(client, |outcome| match outcome {
            Outcome::Stale { ticket } => stale.push(ticket),
            other => panic!("{other:?}"),
        });
        stale.sort_unstable();
        assert_eq!((stale, pool.stats().stale), (vec![1, 2], 2));
        drop(next);
    }
}
