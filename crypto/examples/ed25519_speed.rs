//! Batched Ed25519 verification against aws-lc-rs in the same process, one core.
//!
//! `cargo run --release -p sealgate-crypto --features bench --example ed25519_speed [-- BASE_WINDOW KEY_WINDOW OCTETS KEYS BATCH ROUNDS]`
//!
//! Both take turns in slices of 2 ms of the thread's CPU time; what is shown are 10th percentiles of the slices and
//! their ratio. Keys are drawn at random for each of many distinct requests, so table lines are cold.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
use rustix::time::{ClockId, clock_gettime};
use sealgate_crypto::ed25519_bench::{Base, Key, Request, Runner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::ptr::null_mut;
use std::sync::Mutex;

const SLICE_NS: u64 = 2_000_000;
const REQUESTS: usize = 40_000;

/// Puts tables into huge pages, as the gateway does: with pages of 4 KiB each line costs a walk of the page tables.
struct Huge(Mutex<(usize, usize)>);

#[global_allocator]
static HUGE: Huge = Huge(Mutex::new((0, 0)));

/// What is less is left to the system.
const TABLE: usize = 32 << 10;
const PAGE: usize = 2 << 20;

// SAFETY: what is handed out is part of a fresh mapping, each part once; it is never taken back.
unsafe impl GlobalAlloc for Huge {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < TABLE || layout.align() > 64 {
            // SAFETY: the caller's.
            return unsafe { System.alloc(layout) };
        }
        let Ok(mut room) = self.0.lock() else { return null_mut() };
        let size = layout.size().next_multiple_of(64);
        if size > room.1 - room.0 {
            let map = (64 << 20).max(size.next_multiple_of(PAGE)) + PAGE;
            let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
            // SAFETY: a new anonymous mapping, at no given address.
            let Ok(start) = (unsafe { mmap_anonymous(null_mut(), map, protection, flags) }) else { return null_mut() };
            // SAFETY: advice on the mapping just made; without huge pages it is only slower.
            let _ = unsafe { madvise(start, map, Advice::LinuxHugepage) };
            *room = (start as usize, start as usize + map);
            room.0 = room.0.next_multiple_of(PAGE);
        }
        room.0 += size;
        (room.0 - size) as *mut u8
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if layout.size() < TABLE || layout.align() > 64 {
            // SAFETY: the caller's.
            unsafe { System.dealloc(at, layout) }
        }
    }
}

/// CPU time of this thread in nanoseconds.
fn cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Nanoseconds for each of the verifications that `some` makes (it says how many), over one slice.
fn slice(mut some: impl FnMut() -> usize) -> f64 {
    let (start, mut count) = (cpu_ns(), 0);
    loop {
        // Reading the clock takes a third of a microsecond: after a few only.
        for _ in 0..2 {
            count += some();
        }
        let took = cpu_ns() - start;
        if took >= SLICE_NS {
            return took as f64 / count as f64;
        }
    }
}

fn tenth(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 10]
}

struct Signed {
    key: usize,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (base_window, key_window, octets) = (number(14)?, number(8)?, number(200)?);
    let (only_keys, only_batch, rounds) = (number(0)?, number(0)?, number(41)?);
    let base = Base::new(u32::try_from(base_window)?);
    println!("window of B {base_window}: {} KiB; messages of {octets} octets", base.octets() / 1024);
    println!("  keys  KiB each  batch  aws-lc-rs us  tables us  ratio");
    for key_count in [1, 100, 1_000].into_iter().filter(|&keys| only_keys == 0 || keys == only_keys) {
        let pairs: Vec<_> = (0..key_count).map(|_| Ed25519KeyPair::generate()).collect::<Result<_, _>>()?;
        let mut tables = Vec::new();
        let start = cpu_ns();
        for pair in &pairs {
            let public = pair.public_key().as_ref().try_into()?;
            tables.push(Key::new(public, u32::try_from(key_window)?).ok_or("not a point")?);
        }
        let build_us = (cpu_ns() - start) / 1_000 / key_count as u64;
        let parsed: Vec<_> = pairs
            .iter()
            .map(|pair| ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()))
            .collect::<Result<_, _>>()?;
        // A multiplicative walk is random enough for choosing keys and filling messages.
        let mut state = 1_u64;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let mut signed = Vec::new();
        for _ in 0..REQUESTS {
            let key = word() as usize % key_count;
            let message: Vec<u8> = (0..octets).map(|_| word() as u8).collect();
            let signature = pairs[key].sign(&message).as_ref().try_into()?;
            signed.push(Signed { key, message, signature });
        }
        let requests: Vec<_> = signed
            .iter()
            .map(|one| Request { key: &tables[one.key], message: &one.message, signature: &one.signature })
            .collect();
        for batch in [1, 2, 4, 8, 16, 32, 64].into_iter().filter(|&batch| only_batch == 0 || batch == only_batch) {
            let mut runner = Runner::new(&base);
            let mut ours = requests.chunks_exact(batch).cycle();
            let mut theirs = signed.chunks_exact(batch).cycle();
            let (mut tables_ns, mut reference_ns) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                tables_ns.push(slice(|| {
                    let batch = ours.next().unwrap_or_default();
                    assert_eq!(runner.verify(batch), batch.len());
                    batch.len()
                }));
                reference_ns.push(slice(|| {
                    let batch = theirs.next().unwrap_or_default();
                    assert!(batch.iter().all(|one| parsed[one.key].verify_sig(&one.message, &one.signature).is_ok()));
                    batch.len()
                }));
            }
            let (tables_ns, reference_ns) = (tenth(tables_ns), tenth(reference_ns));
            println!(
                "{key_count:6} {:9} {batch:6} {:13.2} {:10.2} {:6.2}",
                requests[0].key.octets() / 1024,
                reference_ns / 1e3,
                tables_ns / 1e3,
                reference_ns / tables_ns
            );
        }
        println!("  a table took {build_us} us to build");
    }
    Ok(())
}
