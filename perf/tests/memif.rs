//! `sgperf load` over shared memory interfaces of DPDK: tester and gateway in processes of their own. Needs no privileges.
#![cfg(feature = "dpdk")]

use std::error::Error;
use std::process::Command;

use sealgate_perf::record::Document;

type Result = std::result::Result<(), Box<dyn Error>>;

fn load(arguments: &[&str]) -> std::result::Result<Document, Box<dyn Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_sgperf")).arg("load").args(arguments).arg("--json").output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn two_processes_measure_and_end() -> Result {
    // So little that a gateway that waits for its core loses nothing: a ring of memif holds 1,024 frames.
    let rate = ["--rate", "2000", "--seconds", "0.2", "--over", "memif", "--measure", "floor,latency,reload"];
    let document = load(&[&["default"][..], &rate].concat())?;
    for name in ["tester.frames_per_s_per_core", "floor.latency_100k_p50_us", "default.latency_50_p99_us"] {
        assert!(document.median(name).is_some_and(|median| median > 0.0), "{name}: {:?}", document.figures.keys());
    }
    assert!(document.median("default.reload_lost").is_some());
    let judged: Vec<_> = document.trials.iter().filter(|trial| trial.phase.starts_with("default: latency")).collect();
    assert!(!judged.is_empty());
    for trial in judged {
        assert!(trial.received > 0 && trial.gateway.is_some(), "{trial:?}");
        assert_eq!((trial.let_through, trial.duplicates, trial.misordered), (0, 0, 0), "{trial:?}");
        assert!(trial.lost == 0 || trial.spoiled.is_some(), "{trial:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_measured_says_why() {
    let memif = |id| format!("memif:role=client,id={id},socket=/nonexistent/memif.sock");
    let (one, two) = (memif(0), memif(1));
    for (arguments, words) in [
        (vec!["unsigned", "--ports", "af_packet:sg-no-such", "af_packet:sg-none"], "there is no interface sg-no-such"),
        (vec!["unsigned", "signed-10", "--ports", &one, &two], "carries one traffic"),
        (vec!["unsigned", "signed-100", "--ports", "null", "null"], "need gateways of different configurations"),
        (vec!["unsigned", "--ports", &one, &two], "starting failed"),
    ] {
        let error = load(&[&arguments[..], &["--measure", "ndr"]].concat()).err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}
