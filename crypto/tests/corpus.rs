//! Replays the corpus of the fuzz target `pki` on stable Rust: what fuzzing once found stays found.

use std::fs;
use std::path::Path;

use sealgate_crypto::pki::fuzzing;

#[test]
fn the_corpus_replays() {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dataplane/fuzz/corpus/pki"));
    for seed in fs::read_dir(corpus).expect("a corpus").flatten() {
        let octets = fs::read(seed.path()).expect("a seed");
        fuzzing::pki(&octets);
        fuzzing::chain(&octets);
    }
}
