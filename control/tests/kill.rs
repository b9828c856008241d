//! A process that writes and is killed, again and again, at moments that nobody chose: what it reported as written is there,
//! whole, and what it reported as used up is not there again. Each test starts itself as the process that is killed.

mod common;

use common::{HOME, Lab, OTHER};
use sealgate_control::authority::{Authority, Publication};
use sealgate_control::gather::Gathered;
use sealgate_control::tsca::format::{Manifest, Snapshot};
use sealgate_control::tsca::proof::{LastGood, prove_again};
use sealgate_control::tsca::store::{LoadError, Store};
use sealgate_control::tsca::sync::Local;
use sealgate_control::warm::State;
use sealgate_crypto::pki::{Anchor, Kind, Object, objects_from_file};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::policy::Snapshot as Compiled;
use sealgate_wire::Reason;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Times that a process is killed.
const KILLS: usize = 250;
/// Where the process that is killed finds its files; not set: it is the one that kills.
const DIR: &str = "SEALGATE_KILL_DIR";
/// The number that it goes on from.
const FROM: &str = "SEALGATE_KILL_FROM";

/// The process that is killed: its directory and the number that it goes on from.
fn victim() -> Option<(PathBuf, u64)> {
    let from = std::env::var(FROM).ok()?.parse().expect("a number");
    Some((PathBuf::from(std::env::var_os(DIR)?), from))
}

/// Says something in one call, so that it is heard whole or not at all.
fn say(what: &str, number: u64) {
    std::io::stderr().write_all(format!("{what} {number}\n").as_bytes()).expect("somebody listens");
}

/// Starts a test of this file as the process that is killed, kills it after this time from its first word on, and returns
/// all that it said.
fn kill(test: &str, dir: &Path, from: u64, after: Duration) -> Vec<(String, u64)> {
    let mut child = Command::new(std::env::current_exe().expect("this file"))
        .args(["--exact", test, "--nocapture"])
        .env(DIR, dir)
        .env(FROM, from.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut pipe, mut heard) = (child.stderr.take().expect("piped"), vec![0]);
    // Its first word: it is about to begin.
    pipe.read_exact(&mut heard).expect("a word");
    std::thread::sleep(after);
    child.kill().expect("SIGKILL");
    pipe.read_to_end(&mut heard).expect("all that it said");
    assert!(!child.wait().expect("dead").success(), "it does not end by itself");
    let heard = String::from_utf8(heard).expect("text");
    let word = |line: &str| {
        let (what, number) = line.split_once(' ').unwrap_or_else(|| panic!("{heard}"));
        (what.to_owned(), number.parse().unwrap_or_else(|_| panic!("{heard}")))
    };
    heard.lines().map(word).collect()
}

/// Moments from 0 to 50 ms, the same in each run as far as the machine allows.
fn moments() -> impl Iterator<Item = Duration> {
    let step = |seed: &mut u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(Duration::from_micros((*seed >> 33) % 50_000))
    };
    std::iter::successors(Some(1), |_| Some(1)).scan(4711, move |seed, _: u64| step(seed)).take(KILLS)
}

fn local(dir: &Path) -> Local {
    let root = objects_from_file(&dir.join("tsca/anchors/root.pem"), Kind::Certificate).expect("root").remove(0);
    Local { anchors: vec![Anchor { der: root.der, limit: None }], ..Local::default() }
}

/// Publications that were put aside in `states/N`, with a megabyte beside each so that writing takes its time.
fn states(dir: &Path, count: u64) -> Vec<LastGood> {
    let state = |number| {
        let read = |name: &str| fs::read(dir.join(format!("states/{number}/{name}"))).expect("published");
        let octets = read("manifest.json");
        let manifest = Manifest::parse(&octets).expect("good");
        let snapshot = read(manifest.snapshot.uri.as_str());
        let snapshot = Snapshot::parse(&snapshot, manifest.session, manifest.serial).expect("good");
        let retained = vec![Object { name: "retained".to_owned(), der: vec![number as u8; 1 << 20] }];
        let signature = read("manifest.sig");
        prove_again(&local(dir), octets, signature, read("signer.pem"), snapshot.into(), retained).expect("proven")
    };
    (0..count).map(state).collect()
}

/// States that the process goes round in.
const STATES: u64 = 5;

#[test]
fn a_store_has_what_was_reported_as_saved_or_the_next_whatever_the_moment() {
    if let Some((dir, from)) = victim() {
        let (states, store) = (states(&dir, STATES), Store::at(&dir.join("store")));
        say("from", from);
        for number in from + 1.. {
            store.save(&states[usize::try_from(number % STATES).expect("small")]).expect("saved");
            say("saved", number);
        }
        return;
    }
    let lab = Lab::new("kill-store");
    let mut authority = Authority::open(&lab.file("tsca")).expect("there");
    for number in 0..STATES {
        let made = authority.publish_repository(Publication::default(), OffsetDateTime::now_utc()).expect("published");
        let aside = lab.file(&format!("states/{number}"));
        fs::create_dir_all(&aside).expect("made");
        for file in fs::read_dir(made.dir).expect("there") {
            let file = file.expect("one");
            fs::copy(file.path(), aside.join(file.file_name())).expect("copied");
        }
    }
    let (states, local, store) = (states(&lab.0, STATES), local(&lab.0), Store::at(&lab.file("store")));
    store.make().expect("made");
    let is = |good: &LastGood, number: u64| {
        let state = &states[usize::try_from(number % STATES).expect("small")];
        (&good.octets, &good.retained, &good.objects) == (&state.octets, &state.retained, &state.objects)
    };
    let (start, mut last, mut torn, mut kills) = (Instant::now(), 0, 0, 0);
    for after in moments() {
        let test = "a_store_has_what_was_reported_as_saved_or_the_next_whatever_the_moment";
        let heard = kill(test, &lab.0, last, after);
        kills += 1;
        torn += usize::from(store.file().with_extension("new").exists());
        let saved = heard.last().expect("its first word").1;
        match store.load(&local) {
            // The next one may be in force without a word of it.
            Ok(good) => {
                last = [saved, saved + 1].into_iter().find(|number| is(&good, *number)).unwrap_or_else(|| {
                    panic!(
                        "after {kills} kills: serial {} is neither that of {saved} nor of the next",
                        good.manifest.serial
                    )
                })
            }
            Err(LoadError::None) if saved == 0 => {}
            Err(fault) => panic!("after {kills} kills, {saved} saved: {fault}"),
        }
    }
    println!("{kills} kills in {:?}, {torn} in the middle of a write; {last} states saved", start.elapsed());
    assert!(torn > 0 && last > STATES, "{torn} torn, {last} saved: this proves nothing");
}

const SAI: [u8; 8] = *b"signer-1";
const NOW_MS: u64 = 1_795_000_000_000;

fn compiled(dir: &Path) -> Compiled {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Gathered::read(&dir.join("home.yaml"), None, now).unwrap_or_else(|problems| panic!("{problems}")).snapshot
}

fn knows(shared: &Shared, number: u64) -> bool {
    shared.replay.check(SAI, 0, number, NOW_MS) == Err(Reason::SecReplay)
}

#[test]
fn a_replay_memory_is_the_last_one_left_and_never_loaded_twice_whatever_the_moment() {
    if let Some((dir, from)) = victim() {
        let (snapshot, state) = (compiled(&dir), State::open(&dir.join("state")).expect("free"));
        say("from", from);
        for number in from + 1.. {
            let shared = Shared::new(&snapshot);
            shared.replay.mark(SAI, 0, number, NOW_MS).expect("new");
            state.leave(&shared.export(NOW_MS - 1000, NOW_MS)).expect("left");
            say("left", number);
            let mut next = Shared::new(&snapshot);
            assert!(state.take_over(&mut next, NOW_MS) && knows(&next, number));
            say("loaded", number);
        }
        return;
    }
    let lab = Lab::new("kill-warm");
    lab.gateway(&HOME, &OTHER, "null", "null");
    let snapshot = compiled(&lab.0);
    let (start, mut last, mut warm, mut kills) = (Instant::now(), 0, 0, 0);
    for after in moments() {
        let test = "a_replay_memory_is_the_last_one_left_and_never_loaded_twice_whatever_the_moment";
        let heard = kill(test, &lab.0, last, after);
        kills += 1;
        let (word, number) = heard.last().expect("its first word").clone();
        let mut shared = Shared::new(&snapshot);
        let is_warm = State::open(&lab.file("state")).expect("free").take_over(&mut shared, NOW_MS);
        warm += usize::from(is_warm);
        // Nothing is left, or what was left last; of what was loaded only the one after it.
        let good = match word.as_str() {
            "left" => !is_warm || knows(&shared, number),
            _ => !is_warm || knows(&shared, number + 1),
        };
        assert!(good, "after {kills} kills: warm, but not from what was left after \"{word} {number}\"");
        last = number + 1;
    }
    println!("{kills} kills in {:?}, {warm} warm starts; {last} memories", start.elapsed());
    assert!(warm > 0 && warm < kills, "{warm} warm of {kills}: this proves nothing");
}
