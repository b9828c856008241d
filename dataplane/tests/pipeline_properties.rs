//! What must hold of every turn (`fuzzing::pipeline`), over the corpus of its fuzz target, over the vectors, and over
//! vectors that were changed and mixed.

mod common;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use common::{hex, sigtran, vectors};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sealgate_config::model::LinkKind;
use sealgate_dataplane::fuzzing::{Entry, M2PA, Rig, START_MS, SUA, control, input, option, pipeline};
use serde_json::Value;

static RIG: LazyLock<Rig> =
    LazyLock::new(|| Rig::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|fault| panic!("{fault}")));

/// The frames of each vector, at their times.
static VECTORS: LazyLock<Vec<Vec<Entry>>> = LazyLock::new(|| {
    let files = [
        "tcap_native",
        "tcap_sigfw",
        "tcap_policy",
        "transport",
        "isup",
        "sip_identity",
        "diameter_native",
        "diameter_dess",
    ];
    files.into_iter().flat_map(read).collect()
});

/// Those that can be said in M2PA and in SUA too.
static OTHERS: LazyLock<Vec<Vec<Entry>>> = LazyLock::new(|| {
    let kinds = [(LinkKind::M2pa, M2PA), (LinkKind::Sua, SUA)];
    kinds.into_iter().flat_map(|(kind, host)| said_in(kind, host, &VECTORS)).collect()
});
static ALL: LazyLock<Vec<Vec<Entry>>> = LazyLock::new(|| [VECTORS.as_slice(), OTHERS.as_slice()].concat());

/// What of the vectors can be said in another protocol, between the hosts of its link.
fn said_in(kind: LinkKind, host: u8, vectors: &[Vec<Entry>]) -> Vec<Vec<Entry>> {
    let said = |entry: &Entry| Some(Entry { frame: sigtran::frame_between(kind, Some(host), &entry.frame)?, ..*entry });
    vectors.iter().filter_map(|entries| entries.iter().map(said).collect()).collect()
}

fn read(file: &str) -> Vec<Vec<Entry>> {
    let text = fs::read_to_string(vectors().join(file).with_extension("json")).expect("a file of vectors");
    let parsed: Value = serde_json::from_str(&text).expect("JSON");
    parsed["vectors"].as_array().expect("vectors").iter().map(entries_of).collect()
}

fn entries_of(vector: &Value) -> Vec<Entry> {
    let mut now_ms = START_MS;
    let from_home = if vector["direction"] == "egress" { control::FROM_HOME } else { 0 };
    let frames = vector["frames"].as_array().expect("frames").iter();
    frames
        .map(|frame| {
            let at_ms = frame["at_unix_ms"].as_u64().expect("time");
            let step = u16::try_from(at_ms.saturating_sub(now_ms) / 10).unwrap_or(u16::MAX);
            now_ms = at_ms;
            Entry { control: from_home, step, frame: hex(frame["frame_hex"].as_str().expect("hex")) }
        })
        .collect()
}

#[test]
fn the_corpus_replays() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pipeline");
    for seed in fs::read_dir(corpus).expect("a corpus").flatten() {
        println!("{}", seed.path().display());
        pipeline(&RIG, &fs::read(seed.path()).expect("a seed"));
    }
}

#[test]
fn every_vector_holds_under_every_policy() {
    for entries in VECTORS.iter() {
        for policy in 0..4 {
            for bits in [0, option::SLOW_PORT, option::FEW_BUFFERS, option::SHORT_QUEUE] {
                pipeline(&RIG, &input(policy | bits, entries));
            }
            let join = |e: &Entry| Entry { control: e.control | control::BURST, ..e.clone() };
            let burst: Vec<_> = entries.iter().map(join).collect();
            pipeline(&RIG, &input(policy, &burst));
        }
    }
}

#[test]
fn so_does_every_one_of_m2pa_and_sua() {
    for entries in OTHERS.iter() {
        for policy in [1, 3] {
            pipeline(&RIG, &input(policy, entries));
        }
    }
}

/// Changes of one frame: octets put in the place of others, octets taken out or put in.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Cut(Index, u8),
    Insert(Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Change::Set(at, octet)),
        1 => (any::<Index>(), 1..20_u8).prop_map(|(at, octets)| Change::Cut(at, octets)),
        1 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, octets)| Change::Insert(at, octets)),
    ]
}

fn apply(change: &Change, frame: &mut Vec<u8>) {
    match change {
        Change::Set(at, octet) if !frame.is_empty() => {
            let at = at.index(frame.len());
            frame[at] = *octet;
        }
        Change::Set(..) => {}
        Change::Cut(at, octets) => {
            let from = at.index(frame.len() + 1);
            let to = (from + usize::from(*octets)).min(frame.len());
            frame.drain(from..to);
        }
        Change::Insert(at, octets) => {
            let at = at.index(frame.len() + 1);
            frame.splice(at..at, octets.iter().copied());
        }
    }
}

/// A frame of a vector with some changes, mended as its control octet says.
fn entry() -> impl Strategy<Value = Entry> {
    let mended = select(vec![0, 0, control::LENGTHS, control::SIGN, control::LENGTHS | control::SIGN, control::BURST]);
    (any::<Index>(), any::<Index>(), vec(change(), 0..4), mended, select(vec![0_u16, 1, 21, 6000])).prop_map(
        |(vector, frame, changes, mended, step)| {
            let vector = vector.get(&ALL);
            let mut entry = frame.get(vector).clone();
            changes.iter().for_each(|change| apply(change, &mut entry.frame));
            Entry { control: entry.control | mended, step: if entry.step == 0 { step } else { entry.step }, ..entry }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_break_a_turn(octets in vec(any::<u8>(), 0..600)) {
        pipeline(&RIG, &octets);
    }

    #[test]
    fn no_frames_break_a_turn(options in any::<u8>(), frames in vec((any::<u8>(), any::<u16>(), vec(any::<u8>(), 0..200)), 0..8)) {
        let entries: Vec<_> =
            frames.into_iter().map(|(control, step, frame)| Entry { control, step, frame }).collect();
        pipeline(&RIG, &input(options, &entries));
    }

    #[test]
    fn changed_vectors_break_no_turn(options in any::<u8>(), entries in vec(entry(), 1..8)) {
        pipeline(&RIG, &input(options, &entries));
    }

    #[test]
    fn spliced_vectors_break_no_turn(
        options in any::<u8>(), one in any::<Index>(), other in any::<Index>(), cut in any::<Index>(), mend in any::<u8>(),
    ) {
        let (one, other) = (one.get(&ALL), other.get(&ALL));
        let (Some(head), Some(tail)) = (one.last(), other.first()) else { return Ok(()) };
        let at = cut.index(head.frame.len().min(tail.frame.len()));
        let frame = [&head.frame[..at], &tail.frame[at..]].concat();
        let spliced = Entry { control: head.control | mend & 0x30, step: 6000, frame };
        let entries = [&[spliced], one.as_slice(), other.as_slice()].concat();
        pipeline(&RIG, &input(options, &entries));
    }
}
