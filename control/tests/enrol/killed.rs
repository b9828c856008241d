//! An authority whose process is killed: no certificate without its line in the audit log, no serial number twice.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Processes that are killed, each a little later than the one before.
const KILLS: u32 = 60;

#[test]
fn a_kill_at_any_moment_leaves_log_and_certificates_in_agreement() {
    let lab = Lab::new("killed");
    let tsca = lab.tsca();
    let numbering = Numbering::parse("operator,kind,value\n").expect("empty");
    lab.authority().set_numbering(&numbering, now()).expect("loaded");
    let (mut killed, mut finished) = (0, 0);
    let issue = |n: u32| {
        Command::new(env!("CARGO_BIN_EXE_sealgate"))
            .args(["tsca", "issue"])
            .arg(&tsca)
            .args([&format!("op{n}"), "--gt", &format!("999{n:02}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started")
    };
    // How long one takes here and now; kills are spread over that, and a little beyond.
    let start = Instant::now();
    assert!(issue(99).wait().expect("ended").success());
    let whole = start.elapsed();
    for n in 0..KILLS {
        let mut child = issue(n);
        std::thread::sleep(whole * (n + 1) * 5 / (KILLS * 4));
        let _ = child.kill();
        match child.wait().expect("ended").success() {
            true => finished += 1,
            false => killed += 1,
        }
    }
    let authority = lab.authority();
    let log = authority.audit().expect("a log");
    let issued = &authority.state().issued;
    let serials: BTreeSet<u64> = issued.iter().map(|one| one.serial).collect();
    assert_eq!(serials.len(), issued.len(), "no serial number twice");
    let logged: BTreeMap<u64, usize> = log
        .iter()
        .filter(|one| one.what.name() == "issue")
        .filter_map(|one| one.serial)
        .fold(BTreeMap::new(), |mut all, serial| {
            *all.entry(serial).or_default() += 1;
            all
        });
    // The root has no row: its number is 1.
    let all: BTreeSet<u64> = logged.keys().copied().filter(|serial| *serial != 1).collect();
    assert!(all == serials && logged.values().all(|count| *count == 1), "each is logged once");
    let (files, faults) = objects_from_dir(&tsca.join("certs"), Kind::Certificate).expect("a directory");
    assert!(faults.is_empty(), "{faults:?}");
    let on_disk: BTreeSet<&str> = files.iter().map(|one| one.name.as_str()).collect();
    let in_rows: BTreeSet<&str> = issued.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(on_disk, in_rows, "each certificate has its row, and each row its certificate");
    println!("{killed} killed, {finished} finished, {} certificates", issued.len());
    assert!(killed > 0, "nothing was killed");
    assert!(issued.len() > finished, "what finished is there, and the first");
}
