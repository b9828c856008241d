//! A packet buffer with one owner.

use super::super::{Frame, NoRoom};
use dpdk_sys::sg_mbuf;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A frame in one packet buffer. Dropping it gives the buffer back to its pool.
///
/// It is the address of the buffer and nothing else, so that drivers write frames straight into a worker's burst and take
/// them straight from its queue; all that is known of a frame stands in the head of its buffer.
///
/// Invariant: an `rte_mbuf` of one segment that nobody else refers to.
#[repr(transparent)]
pub struct Mbuf(NonNull<sg_mbuf>);

// SAFETY: an rte_mbuf belongs to no thread. Its pool takes buffers back from any thread, and this is its only handle.
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// Takes ownership of a frame that was received or allocated. `None`, and the buffer is freed, if its segments
    /// cannot be brought into one.
    /// # Safety
    /// A valid mbuf that the caller owns and gives away.
    pub(super) unsafe fn own(raw: NonNull<sg_mbuf>) -> Option<Self> {
        // SAFETY: a valid mbuf of ours alone. After a failure it is so still, and is not used again.
        unsafe {
            if (*raw.as_ptr()).nb_segs != 1 && dpdk_sys::sg_mbuf_linearise(raw.as_ptr()) != 0 {
                dpdk_sys::sg_mbuf_free(raw.as_ptr());
                return None;
            }
        }
        Some(Self(raw))
    }

    /// The hash that the device computed over addresses and ports, if it did.
    pub fn rss(&self) -> Option<u32> {
        // SAFETY: two fields of a valid mbuf that nobody writes (invariant).
        unsafe {
            let mbuf = self.0.as_ptr();
            ((*mbuf).ol_flags & dpdk_sys::SG_RX_RSS_HASH != 0).then_some((*mbuf).rss)
        }
    }

    /// Forgets the handle of a buffer that a transmit queue has taken.
    pub(super) fn taken(self) {
        let _ = ManuallyDrop::new(self);
    }

    /// Octets from the first of the frame to the end of the buffer.
    fn room(&self) -> usize {
        // SAFETY: two fields of a valid mbuf that nobody writes (invariant).
        unsafe {
            let mbuf = self.0.as_ptr();
            usize::from((*mbuf).buf_len.saturating_sub((*mbuf).data_off))
        }
    }
}

impl Frame for Mbuf {
    fn octets(&self) -> &[u8] {
        // SAFETY: the octets of the only segment of an mbuf that is ours (invariant): they begin `data_off` into its buffer
        // and end within it, and all octets of a buffer are initialised memory of its pool. `&self` keeps `set` and `drop`
        // away while the slice lives.
        unsafe {
            let mbuf = self.0.as_ptr();
            let first = (*mbuf).buf_addr.add((*mbuf).data_off.into());
            std::slice::from_raw_parts(first, (*mbuf).data_len.into())
        }
    }

    fn set(&mut self, octets: &[u8]) -> Result<(), NoRoom> {
        let refuse = NoRoom { need: octets.len(), room: self.room() };
        let len = u32::try_from(octets.len()).map_err(|_| refuse)?;
        // SAFETY: a valid mbuf that nobody else reads (`&mut self`); `octets` cannot lie within it, since a slice of it
        // would borrow `self`. The shim checks the length against the buffer.
        match unsafe { dpdk_sys::sg_mbuf_set(self.0.as_ptr(), octets.as_ptr(), len) } {
            0 => Ok(()),
            _ => Err(refuse),
        }
    }
}

impl Drop for Mbuf {
    fn drop(&mut self) {
        // SAFETY: a valid mbuf that is ours (invariant), and this was its only handle. The pool is never freed.
        unsafe { dpdk_sys::sg_mbuf_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mbuf({} octets)", self.octets().len())
    }
}
