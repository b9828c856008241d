//! The file that one run leaves to the next: loaded once, and not at all where anything about it is wrong.

mod common;

use common::{HOME, Lab, OTHER};
use sealgate_control::gather::Gathered;
use sealgate_control::warm::State;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::subscribers::{Domain, Location, Update};
use sealgate_wire::Reason;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use time::OffsetDateTime;

const SAI: [u8; 8] = *b"signer-1";
const NOW_MS: u64 = 1_795_000_000_000;

fn snapshot(lab: &Lab) -> Snapshot {
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Gathered::read(&file, None, now).unwrap_or_else(|problems| panic!("{problems}")).snapshot
}

/// A memory with one mark, as a run that ended at `NOW_MS` leaves it.
fn octets(snapshot: &Snapshot) -> Vec<u8> {
    let shared = Shared::new(snapshot);
    shared.replay.mark(SAI, 0, 5, NOW_MS).expect("new");
    shared.export(NOW_MS - 1000, NOW_MS)
}

fn knows(shared: &Shared) -> bool {
    shared.replay.check(SAI, 0, 5, NOW_MS) == Err(Reason::SecReplay)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("one").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_memory_is_loaded_once() {
    let lab = Lab::new("warm-once");
    let snapshot = snapshot(&lab);
    let dir = lab.file("var/lib/state");
    let state = State::open(&dir).expect("made");
    assert_eq!(fs::metadata(&dir).expect("there").permissions().mode() & 0o777, 0o700);
    let mut shared = Shared::new(&snapshot);
    assert!(!state.take_over(&mut shared, NOW_MS), "the first start");
    // What an earlier crash left half written is no obstacle.
    fs::write(dir.join("replay-memory.new"), "half").expect("written");
    state.leave(&octets(&snapshot)).expect("written");
    assert_eq!(names(&dir), ["replay-memory"]);
    assert_eq!(fs::metadata(dir.join("replay-memory")).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(state.take_over(&mut shared, NOW_MS + 500) && knows(&shared));
    assert!(names(&dir).is_empty(), "a crash from here on leaves nothing to load");
    let mut next = Shared::new(&snapshot);
    assert!(!state.take_over(&mut next, NOW_MS + 600) && !knows(&next));
}

#[test]
fn a_file_with_anything_wrong_is_moved_aside_and_nothing_of_it_used() {
    let lab = Lab::new("warm-bad");
    let snapshot = snapshot(&lab);
    let dir = lab.file("state");
    let state = State::open(&dir).expect("made");
    let (file, good) = (dir.join("replay-memory"), octets(&snapshot));
    let put = |octets: &[u8], mode: u32| {
        let _ = fs::remove_file(&file);
        fs::write(&file, octets).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("set");
    };
    let refused = |what: &str, now_ms: u64| {
        let mut shared = Shared::new(&snapshot);
        assert!(!state.take_over(&mut shared, now_ms), "{what}");
        assert!(!knows(&shared), "{what}");
        assert_eq!(names(&dir), ["replay-memory.bad"], "{what}");
    };
    put(&good, 0o600);
    refused("left in the future", NOW_MS - 1);
    put(&good, 0o640);
    refused("others can read it", NOW_MS);
    put(&good, 0o602);
    refused("others can write it", NOW_MS);
    put(&good[..good.len() - 1], 0o600);
    refused("cut", NOW_MS);
    put(&[], 0o600);
    refused("empty", NOW_MS);
    fs::rename(dir.join("replay-memory.bad"), lab.file("elsewhere")).expect("moved");
    fs::write(lab.file("elsewhere"), &good).expect("written");
    symlink(lab.file("elsewhere"), &file).expect("linked");
    refused("a link", NOW_MS);
    fs::remove_file(dir.join("replay-memory.bad")).expect("removed");
    fs::create_dir(&file).expect("made");
    refused("a directory", NOW_MS);
    fs::remove_dir(dir.join("replay-memory.bad")).expect("removed");
    put(&good, 0o600);
    let mut shared = Shared::new(&snapshot);
    assert!(state.take_over(&mut shared, NOW_MS) && knows(&shared), "nothing wrong");
}

#[test]
fn a_directory_is_for_one_gateway_at_a_time_and_for_nobody_else() {
    let lab = Lab::new("warm-dir");
    let dir = lab.file("state");
    let first = State::open(&dir).expect("made");
    let why = State::open(&dir).expect_err("held").to_string();
    assert!(why.contains("another gateway uses it"), "{why}");
    drop(first);
    drop(State::open(&dir).expect("free again"));
    fs::set_permissions(&dir, Permissions::from_mode(0o777)).expect("set");
    let why = State::open(&dir).expect_err("open to all").to_string();
    assert!(why.contains("others can write to it"), "{why}");
    fs::write(lab.file("file"), "").expect("written");
    assert!(State::open(&lab.file("file")).is_err());
}

#[test]
fn what_detectors_have_seen_is_kept_in_a_file_of_its_own() {
    let lab = Lab::new("warm-seen");
    let snapshot = snapshot(&lab);
    let dir = lab.file("state");
    let state = State::open(&dir).expect("made");
    let imsi = "001010000000077".parse().expect("digits");
    let location = Location { peer: 1, place: 0 };
    let last = |shared: &Shared| {
        let key = shared.detection.subscribers.key(&imsi);
        shared.detection.subscribers.last(key, Domain::Lte, NOW_MS + 500).map(|seen| seen.location)
    };
    let before = Shared::new(&snapshot);
    let key = before.detection.subscribers.key(&imsi);
    before.detection.subscribers.accepted(&Update { key, domain: Domain::Lte, location }, NOW_MS);
    let mut shared = Shared::new(&snapshot);
    assert!(!state.take_over_seen(&mut shared, &snapshot, NOW_MS), "the first start");
    state.leave(&octets(&snapshot)).expect("written");
    state.leave_seen(&before.export_seen(&snapshot, NOW_MS)).expect("written");
    assert_eq!(names(&dir), ["replay-memory", "subscriber-memory"]);
    assert!(state.take_over_seen(&mut shared, &snapshot, NOW_MS + 500));
    assert_eq!((last(&shared), names(&dir)), (Some(location), vec!["replay-memory".to_owned()]), "loaded once");
    assert!(state.take_over(&mut shared, NOW_MS + 500) && knows(&shared), "and the other one for itself");
    // Damaged, it is moved aside.
    let mut damaged = before.export_seen(&snapshot, NOW_MS);
    damaged[30] ^= 1;
    state.leave_seen(&damaged).expect("written");
    let mut next = Shared::new(&snapshot);
    assert!(!state.take_over_seen(&mut next, &snapshot, NOW_MS + 500));
    assert_eq!((last(&next), names(&dir)), (None, vec!["subscriber-memory.bad".to_owned()]));
}
