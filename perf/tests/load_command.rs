//! `sgperf load` over rings in memory, as a user calls it: what must run to its end, and what it says of itself.

use std::error::Error;
use std::process::{Command, Output};

use sealgate_perf::record::Document;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn load(arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sgperf")).args(["load", "--over", "ring"]).args(arguments).output()?)
}

/// So little that a gateway which waits for its core loses nothing in rings of this depth.
const LITTLE: [&str; 8] = ["--depth", "16384", "--max-rate", "20000", "--seconds", "0.1", "--width", "0.2"];

#[test]
fn searches_bursts_overload_and_a_soak_run_to_their_end() -> Result {
    let measures = "ndr,pdr,overload,soak,back-to-back";
    let arguments =
        ["attack", "--trials", "3", "--exceed", "0.4", "--soak-seconds", "1", "--measure", measures, "--json"];
    let output = load(&[&LITTLE[..], &arguments].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Document = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| document.median(&format!("attack.{name}")).ok_or(format!("no {name}"));
    let ndr = figure("ndr_msgs_per_s")?;
    assert!((1_000.0..=20_000.0).contains(&ndr), "{ndr}");
    for (times, factor) in [("2x", 2.0), ("10x", 10.0)] {
        let offered = figure(&format!("overload_{times}_offered_msgs_per_s"))?;
        assert!(offered > ndr && offered < ndr * factor * 1.02, "{times}: {offered} of {ndr}");
        assert_eq!(figure(&format!("overload_{times}_bad_that_passed"))?, 0.0);
        assert!((0.0..=1.0).contains(&figure(&format!("overload_{times}_good_that_passed"))?));
    }
    assert!(figure("pdr_msgs_per_s")? >= 1_000.0 && figure("soak_sent")? > 500.0);
    assert!(figure("soak_lost")? <= figure("soak_sent")? && figure("back_to_back_msgs")? >= 1.0);
    // A second at nine tenths of it, and not the ten of a whole piece.
    let soak: Vec<_> = document.trials.iter().filter(|trial| trial.phase == "attack: soak, 1 of 1").collect();
    assert!(soak.len() == 1 && soak.iter().all(|trial| trial.seconds < 3.0), "{soak:?}");
    assert!(document.notes.iter().any(|note| note.contains("rings in memory of 16384 frames")), "{:?}", document.notes);
    Ok(())
}

#[test]
fn what_a_load_is_a_share_of_is_said() -> Result {
    let arguments = ["unsigned", "--rate", "5000", "--measure", "latency", "--json"];
    let output = load(&[&LITTLE[..], &arguments].concat())?;
    let document: Document = serde_json::from_slice(&output.stdout)?;
    let names: Vec<_> = document.latencies.iter().map(|latency| latency.name.as_str()).collect();
    assert_eq!(names, ["unsigned, 10 % of 5000/s", "unsigned, 50 % of 5000/s", "unsigned, 90 % of 5000/s"]);
    Ok(())
}

#[test]
fn what_would_measure_nothing_is_refused() -> Result {
    for (arguments, words) in [
        (vec!["--measure", "overload"], "overload needs a load"),
        (vec!["--measure", "back-to-back,soak"], "soak needs a load"),
        (vec!["--measure", "ndr", "--rate", "1000"], "takes the place of the search"),
        (vec!["unsigned", "latency", "--measure", "ndr"], "latency is no traffic but a measurement"),
        (vec!["signed-20", "--measure", "ndr"], "take one of default, unsigned"),
        (vec!["no/such.yaml", "--measure", "ndr"], "no/such.yaml: cannot be read"),
    ] {
        let output = load(&arguments)?;
        let told = String::from_utf8(output.stderr)?;
        assert!(!output.status.success() && told.contains(words), "{arguments:?}: {told}");
    }
    Ok(())
}
