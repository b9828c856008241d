//! No false refusals: captures of traffic that nobody here made, and that harms nobody, through the whole pipeline with the
//! policy that an operator at one of the two ends would write; all checks on, in active mode.
//!
//! Each case says what is refused all the same, and why that is right. `SEALGATE_CAPTURES` names the folder of the captures;
//! without it `shared/captures` beside the repository is taken, and where that is missing nothing is compared.
//! `SEALGATE_BENIGN=NAME` prints each refusal of one capture with what tshark says of its frame.

#[path = "benign/anew.rs"]
mod anew;
#[path = "benign/attacks.rs"]
mod attacks;
#[path = "benign/carriers.rs"]
mod carriers;
#[path = "benign/case.rs"]
mod case;
mod common;
#[path = "benign/diameter.rs"]
mod diameter;
#[path = "benign/frames.rs"]
mod frames;
#[path = "benign/gtp.rs"]
mod gtp;
#[path = "benign/sip.rs"]
mod sip;
#[path = "benign/ss7.rs"]
mod ss7;
#[path = "benign/synthetic.rs"]
mod synthetic;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anew::{question, reframe};
use case::Case;
use common::Gateway;
use common::captures::{folder, rows};
use frames::{in_causal_order, mend, part, read};
use sealgate_config::model::Policy;
use sealgate_dataplane::pipeline::{Record, Sides, WorkerConfig};
use sealgate_wire::Reason;
use sealgate_wire::reason::ALL;

/// What becomes of a capture.
#[derive(Default)]
struct Outcome {
    runs: usize,
    frames: usize,
    mended: usize,
    messages: u64,
    /// Verdicts upon messages that are no refusals, and of those the ones upon what a signature could have been on.
    passed: u64,
    subject: u64,
    refused: BTreeMap<String, usize>,
}

/// Whether it is no refusal.
fn is_good(reason: Reason) -> bool {
    reason.code() < Reason::L2Runt.code()
}

/// Runs a capture as the gateway of one end sees it, at the time of the capture.
fn run(folder: &Path, case: &Case, home: usize, policy: &Policy) -> Outcome {
    let path = folder.join(case.capture).with_extension("pcap");
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let config = WorkerConfig { journal: true, sides: Sides::ByAddress, ..WorkerConfig::default() };
    let mut gateway = Gateway::with_buffers(policy, config, 65_536);
    let shown = std::env::var("SEALGATE_BENIGN").is_ok_and(|name| name == case.capture);
    let rows = if shown { rows(&path) } else { Vec::new() };
    // Which frame of the capture each of those is that the gateway got.
    let mut numbers = Vec::new();
    let (mut clock, mut tsns, mut asked) = (0, [0; 2], 0);
    for frame in in_causal_order(read(&path)) {
        let mut octets = frame.octets;
        // What gets another address gets another checksum, whatever the old one was.
        if part(&mut octets, case.apart) {
            mend(&mut octets);
        } else if case.mend && mend(&mut octets) {
            outcome.mended += 1;
        }
        outcome.frames += 1;
        // What waits for more of a message, or for an answer, waits by this clock.
        if clock != 0 {
            let step = (frame.at_ms - clock).div_ceil(STEPS).max(50);
            while clock + step < frame.at_ms {
                clock += step;
                outcome.note(gateway.turn(clock).records, home, &rows, &numbers);
            }
        }
        clock = frame.at_ms;
        let question = if case.asks { question(&octets, &mut asked) } else { None };
        let laid = if case.anew { reframe(&octets, case, &mut tsns) } else { vec![octets] };
        for octets in question.into_iter().chain(laid) {
            numbers.push(frame.number);
            outcome.note(gateway.frame(0, &octets, clock).records, home, &rows, &numbers);
        }
    }
    for _ in 0..STEPS {
        clock += 1000;
        outcome.note(gateway.turn(clock).records, home, &rows, &numbers);
    }
    gateway.worker.publish();
    let stats = gateway.worker.stats();
    let balance = stats.frame_balance();
    assert_eq!(balance.0, balance.1, "{}: a frame was lost inside", case.capture);
    outcome.messages = stats.messages;
    outcome.passed = ALL.iter().filter(|reason| is_good(**reason)).map(|reason| stats.total(*reason)).sum();
    outcome.subject = outcome.passed - stats.total(Reason::OkNotSubject);
    for reason in ALL.iter().filter(|reason| !is_good(**reason)) {
        let events = stats.events[reason.index()] as usize;
        if events > 0 {
            *outcome.refused.entry(format!("event {}", reason.name())).or_default() += events;
        }
    }
    outcome
}

/// How often the gateway turns between two frames, at most.
const STEPS: u64 = 20;

impl Outcome {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.frames += other.frames;
        self.mended += other.mended;
        self.messages += other.messages;
        self.passed += other.passed;
        self.subject += other.subject;
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
    }

    fn note(&mut self, records: Vec<Record>, home: usize, rows: &[BTreeMap<String, String>], numbers: &[usize]) {
        for record in records.iter().filter(|record| !is_good(record.reason)) {
            *self.refused.entry(record.reason.name().to_owned()).or_default() += 1;
            let number = numbers.get(record.frame as usize).copied().unwrap_or_default();
            if let Some(row) = rows.get(number) {
                let (reason, at, way) = (record.reason.name(), record.at, record.way);
                println!("  home={home} frame {}: {reason} at {at} {way:?} | {}", number + 1, said(row));
            }
        }
    }
}

/// What tshark reads in a frame, in one line.
fn said(row: &BTreeMap<String, String>) -> String {
    const LEFT_OUT: &[&str] = &["frame.time_epoch", "frame.len", "frame.cap_len", "eth.type", "sctp.checksum.status"];
    let fields = row.iter().filter(|(name, value)| !value.is_empty() && !LEFT_OUT.contains(&name.as_str()));
    fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// All of them.
fn cases() -> impl Iterator<Item = &'static Case> {
    [ss7::CASES, diameter::CASES, sip::CASES, gtp::CASES, synthetic::CASES, carriers::CASES].into_iter().flatten()
}

/// What is refused of one run: how often for each reason, and why that is right.
type Refusals = BTreeMap<String, (usize, String)>;

/// The refusals that are right, by capture, end and party.
struct Listed(BTreeMap<(String, usize, String), Refusals>);

impl Listed {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/benign/refusals.tsv");
        let text = std::fs::read_to_string(path).expect("a table");
        let mut all: BTreeMap<_, Refusals> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            let [capture, home, party, reason, count, why] = columns[..] else { panic!("not six columns: {line}") };
            let place = (capture.to_owned(), home.parse().expect("an end"), party.to_owned());
            let row = (count.parse().expect("a number"), why.to_owned());
            assert!(!why.is_empty(), "without a cause: {line}");
            assert_eq!(all.entry(place).or_default().insert(reason.to_owned(), row), None, "twice: {line}");
        }
        Self(all)
    }

    /// Runs a capture under the policy of one end, prints what became of it, and says what is not as listed.
    fn compare(&mut self, word: &str, folder: &Path, case: &Case, home: usize) -> (Outcome, Option<String>) {
        let outcome = run(folder, case, home, &case.policy(home));
        let Outcome { frames, mended, messages, passed, subject, .. } = outcome;
        let sum: usize = outcome.refused.values().sum();
        let (capture, party) = (case.capture, case.party);
        println!(
            "{word} {capture} home={home} {party} frames={frames} mended={mended} messages={messages} passed={passed} \
             subject={subject} refused={sum}"
        );
        let listed = self.0.remove(&(capture.to_owned(), home, party.to_owned())).unwrap_or_default();
        for (reason, count) in &outcome.refused {
            println!("  {reason} {count}: {}", listed.get(reason).map_or("NOT LISTED", |(_, why)| why));
        }
        let listed: BTreeMap<_, _> = listed.into_iter().map(|(reason, (count, _))| (reason, count)).collect();
        let refused = &outcome.refused;
        let red =
            (*refused != listed).then(|| format!("{capture} home {home} {party}: {refused:?}, listed {listed:?}"));
        (outcome, red)
    }
}

/// The capture that is asked for, if one is.
fn is_asked_for(capture: &str) -> bool {
    std::env::var("SEALGATE_BENIGN").map_or(true, |name| name == capture)
}

#[test]
fn what_harms_nobody_passes_and_each_refusal_has_its_cause() {
    let Some(folder) = folder() else { return };
    let (mut red, mut listed, mut all) = (Vec::new(), Listed::read(), Outcome::default());
    let mut captures = BTreeSet::new();
    for case in cases().filter(|case| is_asked_for(case.capture)) {
        for home in case.homes {
            let (outcome, unlike) = listed.compare("benign", &folder, case, *home);
            captures.insert(case.capture);
            all.add(outcome);
            red.extend(unlike);
        }
    }
    let Outcome { runs, frames, messages, passed, subject, refused, .. } = all;
    let (captures, sum) = (captures.len(), refused.values().sum::<usize>());
    println!(
        "benign all captures={captures} runs={runs} frames={frames} messages={messages} passed={passed} subject={subject} \
         refused={sum}"
    );
    refused.iter().for_each(|(reason, count)| println!("  {reason} {count}"));
    for (capture, why) in carriers::NOT_RUN {
        println!("not run {capture}: {why}");
    }
    assert!(red.is_empty(), "{}", red.join("\n"));
}

#[test]
fn attacks_are_refused_under_such_a_policy() {
    let Some(folder) = folder() else { return };
    let (mut red, mut listed, mut refused) = (Vec::new(), Listed::read(), BTreeMap::<_, usize>::new());
    for (case, passes, why) in attacks::CASES.iter().filter(|(case, ..)| is_asked_for(case.capture)) {
        for home in case.homes {
            let (outcome, unlike) = listed.compare("attack", &folder, case, *home);
            red.extend(unlike);
            if outcome.subject > 0 {
                println!("  passes {}: {why}", outcome.subject);
            }
            if outcome.subject != *passes {
                red.push(format!("{}: {} pass, listed {passes}", case.capture, outcome.subject));
            }
            *refused.entry(case.capture).or_default() += outcome.refused.values().sum::<usize>();
        }
    }
    assert!(red.is_empty(), "{}", red.join("\n"));
    assert!(refused.values().all(|count| *count > 0), "{refused:?}");
}

/// A policy that does not fit lets the same traffic in no more: what passes above passes for what the policy says.
#[test]
fn nothing_passes_where_the_policy_names_somebody_else() {
    let Some(folder) = folder() else { return };
    let somebody = |policy: &mut Policy| {
        let peer = policy.peers.first_mut().expect("a peer");
        peer.gt = vec!["99998".parse().expect("digits")];
        peer.realms = vec!["somebody.example".to_owned()];
        peer.gtp.from.clear();
    };
    for (capture, home) in [
        ("ss7_wrapped_m3ua_map_ul_errors", 1),
        ("ss7_m2ua_camel2", 1),
        ("dia_sctp_s6a_gx_gy_load", 1),
        ("sip_udp_calls_accept_isup", 1),
        ("gtp_v2c_session", 1),
    ] {
        let case = cases().find(|case| case.capture == capture).expect("a case");
        let fits = run(&folder, case, home, &case.policy(home));
        let mut policy = case.policy(home);
        somebody(&mut policy);
        let other = run(&folder, case, home, &policy);
        let unknown = |outcome: &Outcome| outcome.refused.get("R_POL_PEER_UNKNOWN").copied().unwrap_or_default();
        println!("control {capture}: {} pass as they should, {} of a stranger", fits.subject, other.subject);
        println!("  R_POL_PEER_UNKNOWN {}", unknown(&other));
        assert!(unknown(&fits) == 0 && unknown(&other) > 0, "{capture}");
        // What is left are messages of our own network.
        assert_eq!(fits.subject, other.subject + unknown(&other) as u64, "{capture}");
    }
}

/// Each line of the table is of a run.
#[test]
fn no_cause_is_of_nothing() {
    let runs = cases().chain(attacks::CASES.iter().map(|(case, ..)| case));
    let runs =
        runs.flat_map(|case| case.homes.iter().map(|home| (case.capture.to_owned(), *home, case.party.to_owned())));
    let runs: BTreeSet<_> = runs.collect();
    let Listed(listed) = Listed::read();
    let odd: Vec<_> = listed.keys().filter(|place| !runs.contains(place)).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// Each capture is run, or there is a cause why not.
#[test]
fn no_capture_is_forgotten() {
    let Some(folder) = folder() else { return };
    let files = |sub: &str| {
        let entries = std::fs::read_dir(folder.join(sub)).expect("a folder").filter_map(Result::ok);
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let pcap = |name: String| name.strip_suffix(".pcap").map(|name| format!("{sub}{name}"));
        names.filter_map(pcap).collect::<Vec<_>>()
    };
    let known: Vec<_> = cases()
        .map(|case| case.capture)
        .chain(attacks::CASES.iter().map(|(case, ..)| case.capture))
        .chain(carriers::NOT_RUN.iter().map(|(name, _)| *name))
        .collect();
    let all: Vec<_> = ["", "synthetic/"].iter().flat_map(|sub| files(sub)).collect();
    let forgotten: Vec<_> = all.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
