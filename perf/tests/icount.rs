//! The gate of instruction counts, with this build of sgperf: what it finds does not depend on how well it is optimised.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether it passed, and what it said, of these cases only.
fn icount(only: &str, baseline: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sgperf"))
        .args(["icount", "--only", only, "--baseline"])
        .arg(baseline)
        .args(arguments)
        .output()
        .expect("sgperf runs");
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// The line of a case.
fn line<'t>(text: &'t str, case: &str) -> &'t str {
    text.lines()
        .find(|line| line.split([' ', '\t']).next() == Some(case))
        .unwrap_or_else(|| panic!("no {case}: {text}"))
}

#[test]
#[ignore = "needs valgrind; scripts/test runs it"]
fn a_hundred_nanoseconds_in_one_stage_shut_the_gate_and_name_the_stage() {
    let baseline = file("baseline.tsv");
    let (accepted, said) = icount("unsigned/", &baseline, &["--accept"]);
    assert!(accepted, "{said}");
    // One case that cost twice as much before: now better, which passes and asks to be accepted. The others are the same.
    let text = std::fs::read_to_string(&baseline).expect("it was written");
    let own = line(&text, "unsigned/transmit").split_once('\t').and_then(|(_, own)| own.parse::<f64>().ok());
    let dear = format!("unsigned/transmit\t{}", 2.0 * own.expect("a number"));
    std::fs::write(&baseline, text.replace(line(&text, "unsigned/transmit"), &dear)).expect("a temporary file");
    let (same, said) = icount("unsigned/", &baseline, &[]);
    assert!(same && said.contains("0 failed") && !said.contains("WORSE"), "{said}");
    assert!(line(&said, "unsigned/transmit").ends_with("better") && said.contains("--accept"), "{said}");

    let (slower, said) = icount("unsigned/", &baseline, &["--burn", "rewrite"]);
    assert!(!slower, "{said}");
    assert!(line(&said, "unsigned/rewrite").ends_with("WORSE"), "{said}");
    assert!(said.contains("sealgate_perf::icount::cases::hold_up"), "the function that grew is not named: {said}");
    let worse: Vec<_> = said.lines().filter(|line| line.ends_with("WORSE")).collect();
    assert!(worse.iter().all(|line| line.contains("/rewrite ")), "other cases too: {worse:?}");
    std::fs::remove_file(&baseline).expect("it was written");
}

#[test]
#[ignore = "needs valgrind; scripts/test runs it"]
fn another_compiler_is_no_slowdown_and_no_pass() {
    let baseline = file("other.tsv");
    std::fs::write(&baseline, "#: rustc 1.0.0\ndecode/eth_ip\t1.0\n").expect("a temporary file");
    let (passed, said) = icount("decode/eth_ip", &baseline, &[]);
    assert!(passed && said.contains("cannot be compared") && said.contains("0 passed; 0 failed"), "{said}");
    std::fs::remove_file(&baseline).expect("it was written");
    let (passed, said) = icount("decode/eth_ip", &baseline, &[]);
    assert!(!passed && said.contains("--accept writes it"), "{said}");
}
