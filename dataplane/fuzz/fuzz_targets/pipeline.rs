#![no_main]
//! The whole turn. The mutator works on one frame at a time, so that what it does to one leaves the others whole.

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sealgate_dataplane::fuzzing::{Entry, Rig, control, entries, input, pipeline};

static RIG: LazyLock<Rig> = LazyLock::new(|| {
    Rig::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))).unwrap_or_else(|fault| panic!("{fault}"))
});

fuzz_target!(|octets: &[u8]| pipeline(&RIG, octets));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice(seed);
    let mut found = match data.get(1..size) {
        Some(octets) if dice.one_of(16) != 0 => entries(octets),
        _ => return fuzzer_mutate(data, size, max_size),
    };
    let mut options = data[0];
    if found.is_empty() {
        return fuzzer_mutate(data, size, max_size);
    }
    let chosen = dice.one_of(found.len());
    match dice.one_of(12) {
        0 => {
            let copy = found[chosen].clone();
            found.insert(dice.one_of(found.len() + 1), copy);
        }
        1 => drop(found.remove(chosen)),
        2 => {
            let other = dice.one_of(found.len());
            found.swap(chosen, other);
        }
        3 => found[chosen].control ^= 1 << dice.one_of(8),
        4 => found[chosen].step = [0, 1, 5, 19, 21, 100, 501, 999, 1001, 3001, 6001][dice.one_of(11)],
        5 => options = dice.one_of(256) as u8,
        n => change(&mut found[chosen], n < 9, &mut dice),
    }
    let made = input(options, &found);
    if made.is_empty() || made.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..made.len()].copy_from_slice(&made);
    made.len()
});

/// Changes what lies behind some octet of the frame; `same`: its length stays, so that all lengths around it hold.
fn change(entry: &mut Entry, same: bool, dice: &mut Dice) {
    const ROOM: usize = 48;
    let from = match dice.one_of(4) {
        0 => dice.one_of(entry.frame.len() + 1),
        1 => 50, // user data of the first chunk
        2 => 34, // SCTP
        _ => 80 + dice.one_of(80),
    };
    let from = from.min(entry.frame.len());
    let len = match same {
        true => (1 + dice.one_of(24)).min(entry.frame.len() - from),
        false => entry.frame.len() - from,
    };
    if same && len == 0 {
        return;
    }
    let mut part = entry.frame[from..from + len].to_vec();
    let room = if same { len } else { len + ROOM };
    part.resize(room, 0);
    let made = fuzzer_mutate(&mut part, len, room);
    part.truncate(made);
    if same {
        part.resize(len, 0);
    } else {
        entry.control |= control::LENGTHS;
    }
    entry.frame.splice(from..from + len, part);
}

/// Numbers out of libFuzzer's seed (xorshift).
struct Dice(u32);

impl Dice {
    fn one_of(&mut self, n: usize) -> usize {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % n
    }
}
