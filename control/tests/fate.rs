//! A panic ends the process, but not where the pool starts another thread.

use std::process::Command;
use std::thread::Builder;

const NAME: &str = "SEALGATE_TEST_THREAD";

/// Not a test by itself: what the child does.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let name = std::env::var(NAME).expect("the name of a thread");
    sealgate_control::fate::settle();
    let thread = Builder::new().name(name).spawn(|| panic!("as told")).expect("a thread");
    assert!(thread.join().is_err());
}

#[test]
fn only_a_crypto_thread_may_die_alone() {
    let ends = |name: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        let child = child.args(["--exact", "child", "--ignored", "--test-threads=1"]).env(NAME, name);
        child.output().expect("a process").status.success()
    };
    assert!(ends("crypto-0") && ends("crypto-131"));
    for name in ["worker-0", "crypto-keeper", "crypto-", "tables-0", "repository", "admin", "main"] {
        assert!(!ends(name), "{name}");
    }
}
