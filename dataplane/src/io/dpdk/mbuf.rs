//! A packet buffer with one owner.

use super::super::{Frame, NoRoom};
use dpdk_sys::sg_frame;
use std::ffi::c_void;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A frame in one packet buffer. Dropping it gives the buffer back to its pool.
///
/// Invariant: `mbuf` is an `rte_mbuf` of one segment that nobody else refers to, and `data` are `len` octets within it.
pub struct Mbuf {
    mbuf: NonNull<c_void>,
    data: NonNull<u8>,
    len: u32,
    rss: Option<u32>,
}

// SAFETY: an rte_mbuf belongs to no thread. Its pool takes buffers back from any thread, and this is its only handle.
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// Takes ownership of a frame that was received or allocated. `None`, and the buffer is freed, if its segments
    /// cannot be brought into one.
    /// # Safety
    /// `raw` describes a valid mbuf that the caller owns and gives away.
    pub(super) unsafe fn own(mut raw: sg_frame) -> Option<Self> {
        if raw.nb_segs != 1 {
            // SAFETY: a valid mbuf of ours alone. On success `raw` describes its only segment.
            let code = unsafe { dpdk_sys::sg_frame_linearise(raw.mbuf, &mut raw) };
            if code != 0 {
                // SAFETY: still valid and ours, and not used again.
                unsafe { dpdk_sys::sg_frame_free(raw.mbuf) };
                return None;
            }
        }
        // Neither is null: an mbuf that was received is there, and its data lies in it.
        let (mbuf, data) = (NonNull::new(raw.mbuf)?, NonNull::new(raw.data)?);
        let rss = (raw.ol_flags & dpdk_sys::SG_RX_RSS_HASH != 0).then_some(raw.rss);
        Some(Self { mbuf, data, len: raw.len, rss })
    }

    /// The hash that the device computed over addresses and ports, if it did.
    pub fn rss(&self) -> Option<u32> {
        self.rss
    }

    /// The `rte_mbuf`, still owned by this handle.
    pub(super) fn raw(&self) -> *mut c_void {
        self.mbuf.as_ptr()
    }

    /// Forgets the handle of a buffer that a transmit queue has taken.
    pub(super) fn taken(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl Frame for Mbuf {
    fn octets(&self) -> &[u8] {
        // SAFETY: `data` and `len` are the only segment of an mbuf that is ours (invariant); all octets of a buffer
        // are initialised memory of the pool. `&self` keeps `set` and `drop` away while the slice lives.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len as usize) }
    }

    fn set(&mut self, octets: &[u8]) -> Result<(), NoRoom> {
        // SAFETY: a valid mbuf (invariant); reads two of its fields.
        let room = unsafe { dpdk_sys::sg_frame_room(self.mbuf.as_ptr()) };
        let refuse = NoRoom { need: octets.len(), room: room as usize };
        let len = u32::try_from(octets.len()).ok().filter(|len| *len <= room).ok_or(refuse)?;
        // SAFETY: a valid mbuf that nobody else reads (`&mut self`); `octets` cannot lie within it, since a slice of it
        // would borrow `self`. The shim checks the length against the buffer once more.
        let code = unsafe { dpdk_sys::sg_frame_set(self.mbuf.as_ptr(), octets.as_ptr(), len) };
        if code != 0 {
            return Err(refuse);
        }
        self.len = len;
        Ok(())
    }
}

impl Drop for Mbuf {
    fn drop(&mut self) {
        // SAFETY: a valid mbuf that is ours (invariant), and this was its only handle. The pool is never freed.
        unsafe { dpdk_sys::sg_frame_free(self.mbuf.as_ptr()) }
    }
}

impl fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mbuf({} octets)", self.len)
    }
}
