//! What swaps of policy and trust cost the worker: its turns with and without them, and what it lost.
//!
//! The worker turns as in the product, over ports in memory. Beside it, on another core, control compiles one of two policies,
//! publishes it, waits until the worker has moved on and frees the old one, again and again.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sealgate_config::model::{Mode, Peer, Policy};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_dataplane::stats::StatsCell;
use sealgate_wire::Reason;

use crate::gateway::{Gateway, material, policy};
use crate::pool::stay_on;
use crate::sync::{Turns, leave, turns};
use crate::traffic;

/// Prefixes of one peer.
const PER_PEER: usize = 1000;

/// What was seen.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// No swaps.
    pub quiet: Turns,
    /// With swaps.
    pub swaps: Turns,
    /// How long control took to compile, from the shortest.
    pub compile: Vec<Duration>,
    /// From a swap until the worker had let go of what was before, from the shortest.
    pub moved_on: Vec<Duration>,
    /// Messages received while there were swaps.
    pub messages: u64,
    /// Of these, how many neither left nor were refused as they should be.
    pub lost: u64,
}

/// One round.
///
/// * `prefixes`: of Global Titles, in each of the two policies, in thousands
/// * `core`: the worker's; control takes another
/// # Errors
/// A policy that does not compile.
pub fn measure(prefixes: usize, swaps: usize, core: usize, quiet: Duration) -> Result<Outcome, Box<dyn Error>> {
    let (ring, frames) = (KeyRing::new(), traffic::unsigned(false));
    let mut gateway = Gateway::new(Mode::Prefer, false, frames, Vec::new(), None, PoolConfig::default(), &ring)?;
    stay_on(core);
    turns(&mut gateway, |elapsed, _| elapsed < quiet / 2);
    let before = turns(&mut gateway, |elapsed, _| elapsed < quiet);
    let from = gateway.worker.stats().clone();
    let (turning, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let control = {
        let (cell, counters) = (Arc::clone(&gateway.cell), gateway.worker.stats_cell());
        let policies = [large(prefixes, Mode::Prefer)?, large(prefixes, Mode::Require)?];
        let (turning, done) = (Arc::clone(&turning), Arc::clone(&done));
        std::thread::spawn(move || -> Result<_, String> {
            leave(core);
            while !turning.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_micros(100));
            }
            let swapped = swap(&cell, &counters, &policies, swaps);
            done.store(true, Ordering::Release);
            swapped
        })
    };
    let during = turns(&mut gateway, |_, _| {
        turning.store(true, Ordering::Release);
        !done.load(Ordering::Acquire)
    });
    let (mut compile, mut moved_on) = control.join().map_err(|_| "control panicked")??;
    gateway.crypto.stop();
    compile.sort_unstable();
    moved_on.sort_unstable();
    let stats = gateway.worker.stats();
    let judged = |reason: Reason| stats.total(reason) - from.total(reason);
    let messages = stats.messages - from.messages;
    let as_meant = judged(Reason::OkUnsignedAllowed) + judged(Reason::SecMissing);
    Ok(Outcome { quiet: before, swaps: during, compile, moved_on, messages, lost: messages - as_meant })
}

type Times = (Vec<Duration>, Vec<Duration>);

fn swap(
    cell: &PolicyCell<Snapshot>,
    counters: &StatsCell,
    policies: &[Policy; 2],
    swaps: usize,
) -> Result<Times, String> {
    let (trust, keys) = material().map_err(|fault| fault.to_string())?;
    let (mut compile, mut moved_on) = (Vec::new(), Vec::new());
    for policy in policies.iter().cycle().take(swaps) {
        let began = Instant::now();
        let next = cell.current().next(policy, &trust, &keys, 1500).map_err(|faults| format!("{faults:?}"))?;
        compile.push(began.elapsed());
        counters.grow(next.peers.len());
        let swapped = Instant::now();
        let old = cell.publish(Arc::new(next));
        while Arc::strong_count(&old) > 1 {
            std::thread::sleep(Duration::from_micros(20));
        }
        moved_on.push(swapped.elapsed());
    }
    Ok((compile, moved_on))
}

/// The vectors' policy with so many prefixes more, a thousand of each peer.
fn large(prefixes: usize, mode: Mode) -> Result<Policy, Box<dyn Error>> {
    let mut policy = policy(mode, false)?;
    // Nothing measured uses it.
    policy.sigfw_keys.clear();
    policy.dess_keys.clear();
    policy.stir.certificates.clear();
    let template = policy.peers.first().cloned().ok_or("no peer")?;
    for peer in 0..prefixes / PER_PEER {
        let gt = (0..PER_PEER).map(|one| format!("98{peer:04}{one:04}").parse()).collect::<Result<_, _>>();
        let gt = gt.map_err(|_| "digits")?;
        policy.peers.push(Peer { name: format!("p-{peer}"), gt, plmns: Vec::new(), ..template.clone() });
    }
    Ok(policy)
}
