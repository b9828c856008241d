//! Replays the fuzz corpus on stable Rust: what fuzzing once found stays found.

use std::fs;
use std::path::Path;

use sealgate_wire::fuzzing::{diameter, gtp, isup, lower, sec, sigtran, sip, tcp, upper};

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 19] = [
    ("eth", lower::eth),
    ("ip", lower::ip),
    ("sctp", lower::sctp),
    ("tcp", tcp::tcp),
    ("m3ua", lower::m3ua),
    ("m2pa", sigtran::m2pa),
    ("sua", sigtran::sua),
    ("ber", upper::ber),
    ("sccp", upper::sccp),
    ("tcap", upper::tcap),
    ("map", upper::map),
    ("cap", upper::cap),
    ("sec", sec::sec),
    ("diameter", diameter::diameter),
    ("diameter_sec", diameter::diameter_sec),
    ("gtp", gtp::gtp),
    ("isup", isup::isup),
    ("sip", sip::sip),
    ("passport", sip::passport),
];

#[test]
fn the_corpus_replays() {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"));
    for (name, body) in TARGETS {
        for seed in fs::read_dir(corpus.join(name)).expect("a folder of each target").flatten() {
            body(&fs::read(seed.path()).expect("a seed"));
        }
    }
}

#[test]
fn each_target_has_its_file() {
    let targets = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets"));
    for (name, _) in TARGETS {
        assert!(targets.join(name).with_extension("rs").is_file(), "{name}");
    }
}
