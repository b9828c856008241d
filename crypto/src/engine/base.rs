//! Tables of generators: one a NUMA node and window, made once in a process by the first thread there that needs it.

use super::ecdsa::Base;
use crate::p256;
use std::fs;
use std::sync::Mutex;
use std::sync::PoisonError;

#[cfg(target_arch = "x86_64")]
pub(crate) type P256Vector = p256::Avx2;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type P256Vector = p256::Portable;

pub(crate) type P256Base = Base<p256::P256, P256Vector, p256::Portable>;

/// Tables by NUMA node and window.
struct Shelf<B>(Mutex<Vec<((usize, u32), B)>>);

impl<B: Clone> Shelf<B> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The table of the caller's node. Who comes while it is made waits; what cannot be made is asked for again.
    fn get(&self, window: u32, make: impl FnOnce() -> Option<B>) -> Option<B> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (node(), window);
        if let Some((_, base)) = shelf.iter().find(|(at, _)| *at == place) {
            return Some(base.clone());
        }
        // Written here for the first time, so its memory is the node's.
        let base = make()?;
        shelf.push((place, base.clone()));
        Some(base)
    }
}

static P256: Shelf<P256Base> = Shelf::new();

/// The table of P-256's generator for this thread; `None` if it came out wrong.
pub(crate) fn p256(window: u32) -> Option<P256Base> {
    P256.get(window, || P256Base::generator(window, 12_345))
}

/// NUMA node of the core that this thread runs on; 0 where the system does not say.
fn node() -> usize {
    let path = format!("/sys/devices/system/cpu/cpu{}", rustix::thread::sched_getcpu());
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.find_map(|name| name.to_str()?.strip_prefix("node")?.parse().ok()).unwrap_or(0)
}
