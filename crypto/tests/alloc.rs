//! Submitting, flushing and collecting leave the Rust heap alone, on the worker and on the crypto thread.
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait; this one counts and passes on")]

mod common;

use common::{SIGNERS, public, sign, signing};
use sealgate_crypto::job::Outcome;
use sealgate_crypto::keyring::{KeyHandle, KeyRing, SignHandle};
use sealgate_crypto::pool::{Client, Pool, PoolConfig};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls that get memory, by any thread.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// Octets handed out and not yet given back.
static LIVE: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: each call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs `submit` for `rounds` rounds and returns what was asked of the heap meanwhile.
fn measure(client: &mut Client, rounds: usize, mut submit: impl FnMut(&mut Client) -> usize) -> (u64, i64) {
    let before = (ALLOCATIONS.load(Ordering::SeqCst), LIVE.load(Ordering::SeqCst));
    let (mut asked, mut good) = (0, 0);
    for _ in 0..rounds {
        asked += submit(client);
        while client.in_flight() > 0 {
            client.flush();
            client.collect(&mut |outcome| {
                good += usize::from(matches!(outcome, Outcome::Verified(_) | Outcome::Signed { .. }));
            });
        }
    }
    let after = (ALLOCATIONS.load(Ordering::SeqCst), LIVE.load(Ordering::SeqCst));
    assert_eq!(good, asked);
    (after.0 - before.0, after.1.wrapping_sub(before.1).cast_signed())
}

/// Measures until no more than `most` is asked of the heap, since the counters see control's threads too, which start up and make
/// tables meanwhile: they come to rest, while memory taken on the way would be taken every time.
fn at_rest(client: &mut Client, most: u64, submit: impl Fn(&mut Client) -> usize) -> (u64, i64) {
    let mut seen = (u64::MAX, i64::MAX);
    for _ in 0..200 {
        seen = measure(client, 10, &submit);
        if seen.0 <= most && seen.1 == 0 {
            break;
        }
    }
    seen
}

struct Sample {
    key: KeyHandle,
    own: SignHandle,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// One test in the file: the counters see every thread of the process.
#[test]
fn the_way_through_the_pool_takes_no_memory() {
    let (message, ring) = (vec![7; 900], KeyRing::new());
    let samples = SIGNERS.map(|(name, _)| {
        let own = signing(name);
        Sample {
            key: ring.install(&public(name)).unwrap(),
            signature: sign(&own, &message),
            own: ring.install_signer(&own).unwrap(),
            message: message.clone(),
        }
    });
    for cores in [vec![], vec![0]] {
        let config = PoolConfig {
            cores: cores.clone(),
            batch: 8,
            batch_us: 0,
            queue: 1024,
            share_percent: 100,
            ..PoolConfig::default()
        };
        let (pool, mut clients) = Pool::start(config, 1, &ring).unwrap();
        let client = &mut clients[0];
        let verify = |client: &mut Client| {
            for (share, sample) in (0..).zip(&samples) {
                for ticket in 0..5 {
                    client.verify(ticket, share, &sample.key, &sample.message, &sample.signature).unwrap();
                }
            }
            samples.len() * 5
        };
        measure(client, 2, verify);
        assert_eq!(at_rest(client, 0, verify), (0, 0), "verify, cores {cores:?}");

        // What remains: the library returns each signature in a fresh box, and shrinks it for ECDSA. Nothing is kept.
        for sample in samples.iter().filter(|sample| sample.signature.len() == 64) {
            let sign = |client: &mut Client| {
                (0..20).for_each(|ticket| client.sign(ticket, &sample.own, &sample.message).unwrap());
                20
            };
            measure(client, 2, sign);
            let (allocations, kept) = at_rest(client, 400, sign);
            println!("{:?}, cores {cores:?}: {allocations} allocations for 200 signatures", sample.own.public().alg());
            assert!((200..=400).contains(&allocations), "sign, cores {cores:?}: {allocations}");
            assert_eq!(kept, 0, "sign, cores {cores:?}");
        }
        assert_eq!(pool.stop(), 0);
    }
}
