//! Pools of packet buffers.

use super::super::sizing::{CACHE, Sizing};
use super::mbuf::Mbuf;
use super::{Eal, control, errno_text};
use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// A pool of packet buffers. A copy is the same pool.
///
/// It lives as long as the process: a frame may outlive its port and its worker, and a pool must outlive its frames.
#[derive(Clone, Copy)]
pub struct Mempool {
    raw: NonNull<c_void>,
    sizing: Sizing,
}

// SAFETY: rte_pktmbuf_pool_create makes a pool for many producers and consumers; taking, giving back and counting are
// safe from any thread, whether EAL knows it or not. It is never freed.
unsafe impl Send for Mempool {}
// SAFETY: as above.
unsafe impl Sync for Mempool {}

/// No pool could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no pool of {count} buffers for frames of {room} octets ({memory_mb} MB): {text}")]
pub struct PoolError {
    /// Buffers wanted.
    pub count: u32,
    /// Octets of a frame in each.
    pub room: u16,
    /// Memory that takes in huge pages, MB; in ordinary ones it is more.
    pub memory_mb: u64,
    /// What DPDK says.
    pub text: String,
}

impl Mempool {
    /// Makes a pool, on a NUMA node or on any.
    /// # Errors
    /// [`PoolError`], mostly for want of memory.
    pub fn create(_eal: Eal, sizing: Sizing, node: Option<u32>) -> Result<Self, PoolError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let refuse = |text: String| PoolError {
            count: sizing.count,
            room: sizing.room,
            memory_mb: sizing.memory(1).huge_mb,
            text,
        };
        // Unique, and short enough for RTE_MEMPOOL_NAMESIZE.
        let name = CString::new(format!("sealgate_{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
            .map_err(|error| refuse(error.to_string()))?;
        // DPDK wants one and a half caches to fit the pool.
        let cache = CACHE.min(sizing.count / 2);
        let node = node.and_then(|node| i32::try_from(node).ok()).unwrap_or(-1);
        let _control = control();
        // SAFETY: EAL runs. The name is copied; -1 is SOCKET_ID_ANY. A bad number is an error, not a fault.
        let raw = unsafe { dpdk_sys::sg_pool_create(name.as_ptr(), sizing.count, cache, sizing.room, node) };
        match NonNull::new(raw) {
            Some(raw) => Ok(Self { raw, sizing }),
            // SAFETY: rte_errno is a variable of this thread.
            None => Err(refuse(errno_text(unsafe { dpdk_sys::sg_errno() }))),
        }
    }

    /// A frame without content; `None` when all buffers are out.
    pub fn frame(&self) -> Option<Mbuf> {
        // SAFETY: the pool is one of packet buffers and is never freed. What is not null is ours alone:
        // rte_pktmbuf_alloc gives one segment with one reference.
        unsafe { NonNull::new(dpdk_sys::sg_mbuf_alloc(self.raw.as_ptr())).and_then(|mbuf| Mbuf::own(mbuf)) }
    }

    /// Buffers that are out: in frames, in receive rings, in transmit rings. Exact while nobody moves frames; with all
    /// ports closed and all frames dropped it is zero, or one was lost.
    pub fn in_use(&self) -> usize {
        // SAFETY: counts; the pool is never freed.
        unsafe { dpdk_sys::sg_pool_in_use(self.raw.as_ptr()) as usize }
    }

    /// True while a buffer is free.
    pub(super) fn has_free(&self) -> bool {
        // SAFETY: counts; the pool is never freed.
        unsafe { dpdk_sys::sg_pool_free_count(self.raw.as_ptr()) > 0 }
    }

    /// What the pool was made for.
    pub fn sizing(&self) -> Sizing {
        self.sizing
    }

    /// Octets of memory that one buffer takes.
    pub fn element(&self) -> u32 {
        // SAFETY: reads constants of the pool, which is never freed.
        unsafe { dpdk_sys::sg_pool_element(self.raw.as_ptr()) }
    }

    /// The pool itself, for the queues that fill their rings from it.
    pub(super) fn raw(&self) -> *mut c_void {
        self.raw.as_ptr()
    }
}

impl fmt::Debug for Mempool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mempool({} of {} in use)", self.in_use(), self.sizing.count)
    }
}
