//! Ports over the system's libdpdk 22.11.
//!
//! [`Eal`] is started once in a process, with the arguments that [`eal_args`](super::eal_args) decides on. A [`Mempool`]
//! lives as long as the process. A [`Port`] is plugged in by name and gives out one [`Queue`] for each worker; it is
//! stopped, closed and unplugged when the last of them is dropped. An [`Mbuf`] owns its buffer and frees it when dropped.
//!
//! Together with the crate `dpdk-sys` this is the only place with `unsafe`. What makes it sound:
//! * no function of DPDK but those of `Eal::init` can be reached without an [`Eal`], which exists once EAL runs;
//! * what configures or asks ports holds one lock, since DPDK wants one thread at a time there;
//! * a queue is one value, not cloned, so each direction of it has one thread at a time;
//! * bursts need a started port, and a port stops only when no queue is left;
//! * a buffer has one handle, and its pool is never freed.

#[cfg(feature = "cryptodev")]
pub mod crypto;
mod device;
mod eal;
mod mbuf;
mod open;
mod pool;
mod port;
mod queue;

pub use eal::{Eal, EalError, Registered};
pub use mbuf::Mbuf;
pub use open::{OpenError, Opened, open};
pub use pool::{Mempool, PoolError};
pub use port::{Link, Port, PortError, Stats};
pub use queue::Queue;

use std::ffi::CStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One thread at a time in what is not a burst: DPDK's control functions take no lock of their own.
fn control() -> MutexGuard<'static, ()> {
    static CONTROL: Mutex<()> = Mutex::new(());
    CONTROL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an errno, negative or positive, means.
fn errno_text(code: i32) -> String {
    // SAFETY: rte_strerror takes any number and returns a string in a buffer of this thread, which is copied before
    // the next call can change it. It needs no EAL.
    unsafe { CStr::from_ptr(dpdk_sys::sg_strerror(code.wrapping_abs())) }.to_string_lossy().into_owned()
}
