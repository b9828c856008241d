//! Replays the corpora of the fuzz targets `pki`, `ecdsa` and `ed25519` on stable Rust: what fuzzing once found stays found.

use std::fs;
use std::path::Path;

use sealgate_crypto::{fuzzing, pki};

/// Calls `each` with the octets of every seed of a target.
fn replay(target: &str, each: impl Fn(&[u8])) {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dataplane/fuzz/corpus")).join(target);
    let mut seeds = 0;
    for seed in fs::read_dir(corpus).expect("a corpus").flatten() {
        each(&fs::read(seed.path()).expect("a seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "{target}");
}

#[test]
fn certificates() {
    replay("pki", |octets| {
        pki::fuzzing::pki(octets);
        pki::fuzzing::chain(octets);
    });
}

#[test]
fn signatures() {
    replay("ecdsa", fuzzing::ecdsa);
    replay("ed25519", fuzzing::ed25519);
}
