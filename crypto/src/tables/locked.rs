//! A buffer for octets of a secret: pages of its own, kept out of swap and core dumps, wiped before they go back.
#![allow(unsafe_code, reason = "maps memory with one owner, and locks it")]

use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};
use core::slice;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use zeroize::Zeroize;

/// Octets of a secret; all zero at first.
pub(crate) struct Locked {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping has this one owner, and what is behind a shared reference is only read.
unsafe impl Send for Locked {}
// SAFETY: as above.
unsafe impl Sync for Locked {}

impl Locked {
    /// A buffer of `len` octets, at least one. Where `RLIMIT_MEMLOCK` forbids locking it is still what it is besides.
    /// # Errors
    /// The system has no memory left.
    pub(crate) fn new(len: usize) -> Result<Self, Errno> {
        let len = len.max(1);
        // SAFETY: a new private mapping at a place of the kernel's choice.
        let at =
            unsafe { mmap_anonymous(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)? };
        let at = NonNull::new(at.cast::<u8>()).ok_or(Errno::NOMEM)?;
        // SAFETY: the mapping just made; locking does not change what it holds.
        let _ = unsafe { mlock(at.as_ptr().cast(), len) };
        // A child of ours has no use for secrets, a core file even less.
        for advice in [Advice::LinuxDontDump, Advice::LinuxDontFork] {
            // SAFETY: the mapping just made; this advice does not change what it holds for us.
            let _ = unsafe { madvise(at.as_ptr().cast(), len, advice) };
        }
        Ok(Self { at, len })
    }
}

impl Deref for Locked {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `len` octets were mapped at `at`, zeroed by the kernel, and are ours until we are dropped.
        unsafe { slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and we are borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.zeroize();
        // SAFETY: the mapping is ours, and nobody borrows from it any more. Unmapping unlocks.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags of the mapping that holds `at`, as the kernel abbreviates them.
    fn flags(at: usize) -> Option<String> {
        let text = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in text.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let octets = |text| usize::from_str_radix(text, 16).ok();
            if let Some((Some(from), Some(to))) = range.map(|(from, to)| (octets(from), octets(to))) {
                inside = (from..to).contains(&at);
            } else if inside && line.starts_with("VmFlags:") {
                return Some(line.to_owned());
            }
        }
        None
    }

    #[test]
    fn a_secret_is_locked_and_left_out_of_dumps() {
        let mut secret = Locked::new(5000).unwrap();
        assert!(secret.iter().all(|&octet| octet == 0) && secret.len() == 5000);
        secret.fill(7);
        let at = secret.as_ptr() as usize;
        let has = |flag: &str| flags(at).is_some_and(|flags| flags.split(' ').any(|word| word == flag));
        assert!(has("dd") && has("dc"), "dumped or inherited: {:?}", flags(at));
        assert!(has("lo"), "not locked, or RLIMIT_MEMLOCK is below two pages: {:?}", flags(at));
    }
}
