//! Asking memory for a cache line before it is read.
#![allow(unsafe_code, reason = "one hint to the processor, which nothing safe gives")]

/// Fetches the line in which a value begins, and goes on at once.
#[inline(always)]
pub(super) fn read<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which any address may be given to.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
