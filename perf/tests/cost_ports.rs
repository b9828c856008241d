//! Our worker, our ports alone and dpdk-testpmd forward the same capture, and each of them all of it.
#![cfg(feature = "dpdk")]

use sealgate_perf::rival::testpmd::{self, Forward};
use sealgate_perf::rival::vdev::{Captures, Cost};
use sealgate_perf::traffic;
use std::process::Command;

fn ours(captures: &Captures, mode: &str) -> Cost {
    let output = Command::new(env!("CARGO_BIN_EXE_sgperf"))
        .args(["vdev-work", mode])
        .args([captures.full(), captures.quiet()])
        .args(["0".to_owned(), captures.lead.to_string()])
        .output()
        .expect("sgperf runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let cost = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    cost.unwrap_or_else(|| panic!("{mode}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_forwarder_takes_every_frame() {
    let captures = Captures::new(&traffic::unsigned(false)).expect("a temporary folder");
    let (all, lead) = (captures.frames, captures.lead);
    let (forward, work) = (ours(&captures, "forward"), ours(&captures, "work"));
    assert_eq!((forward.frames, work.frames), (all, all - lead));
    assert!(work.per_frame() > forward.per_frame(), "a turn is cheaper than its ports: {work:?} {forward:?}");
    assert!(ours(&captures, "null").frames > 0);
    testpmd::present().expect("scripts/test installs it");
    for mode in [Forward::Io, Forward::Csum] {
        let cost = testpmd::run(Some(&captures), mode, 0).expect("testpmd runs");
        assert_eq!(cost.frames, all, "{mode:?}");
    }
    assert!(testpmd::run(None, Forward::Io, 0).expect("testpmd runs").frames > 0);
}
