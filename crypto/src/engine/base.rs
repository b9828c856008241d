//! Tables of generators: one a NUMA node and window, made once in a process by the first thread there that needs it.

use crate::ed25519::BaseTable;
use crate::p256::P256;
use crate::p384::P384;
use crate::weierstrass::choice::{Base, Kernels};
use crate::weierstrass::field::Curve;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

/// Line that is compared, beside the first and the last; any will do.
const PICK: usize = 12_345;

/// NUMA node and window.
type Place = (usize, u32);

/// Tables of one curve.
struct Shelf<B>(Mutex<Vec<(Place, Arc<B>)>>);

impl<B> Shelf<B> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The table of the caller's node. Who comes while it is made waits; what cannot be made is tried again.
    fn get(&self, window: u32, make: impl FnOnce() -> Option<B>) -> Option<Arc<B>> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (node(), window);
        if let Some((_, base)) = shelf.iter().find(|(at, _)| *at == place) {
            return Some(Arc::clone(base));
        }
        // Written here for the first time, so its memory is the node's.
        let base = Arc::new(make()?);
        shelf.push((place, Arc::clone(&base)));
        Some(base)
    }
}

/// A table that agrees with products that take none.
fn made<C: Curve>(window: u32) -> Option<Base<C>> {
    Base::build(Kernels::best::<C>(), window).filter(|base| base.holds(PICK))
}

static SHELF_P256: Shelf<Base<P256>> = Shelf::new();
static SHELF_P384: Shelf<Base<P384>> = Shelf::new();

/// P-256's for this thread; `None` without memory for it, or if it came out wrong.
pub(crate) fn p256(window: u32) -> Option<Arc<Base<P256>>> {
    SHELF_P256.get(window, || made(window))
}

/// P-384's, as [`p256`].
pub(crate) fn p384(window: u32) -> Option<Arc<Base<P384>>> {
    SHELF_P384.get(window, || made(window))
}

static SHELF_ED25519: Shelf<Arc<BaseTable>> = Shelf::new();

/// Ed25519's, as [`p256`].
pub(crate) fn ed25519(window: u32) -> Option<Arc<BaseTable>> {
    let base = SHELF_ED25519.get(window, || BaseTable::build(window).filter(|base| base.holds()))?;
    Some(Arc::clone(&base))
}

/// NUMA node of the core that this thread runs on; 0 where the system does not say.
fn node() -> usize {
    let path = format!("/sys/devices/system/cpu/cpu{}", rustix::thread::sched_getcpu());
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.find_map(|name| name.to_str()?.strip_prefix("node")?.parse().ok()).unwrap_or(0)
}
