//! A panic ends the process, but not where the pool starts another thread.

use std::process::Command;
use std::thread::Builder;

const NAME: &str = "SEALGATE_TEST_THREAD";

/// What this program does when it is started again with the name of a thread.
fn die_as(name: String) {
    sealgate_control::fate::settle();
    let thread = Builder::new().name(name).spawn(|| panic!("as told")).expect("a thread");
    assert!(thread.join().is_err());
}

#[test]
fn only_a_crypto_thread_may_die_alone() {
    if let Ok(name) = std::env::var(NAME) {
        return die_as(name);
    }
    let ends = |name: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        let child = child.args(["--exact", "only_a_crypto_thread_may_die_alone", "--test-threads=1"]).env(NAME, name);
        child.output().expect("a process").status.success()
    };
    assert!(ends("crypto-0") && ends("crypto-131"));
    for name in ["worker-0", "crypto-keeper", "crypto-", "tables-0", "repository", "admin", "main"] {
        assert!(!ends(name), "{name}");
    }
}
