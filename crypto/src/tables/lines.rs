//! Memory for the lines of tables, in huge pages where the kernel has some.
//!
//! A verification reads some fifty lines at random places. With pages of 4 KiB nearly each of them is a miss of the
//! translation cache too, so tables lie in slabs of 2 MiB, aligned so, with `madvise(MADV_HUGEPAGE)`: a large table takes
//! slabs of its own, small ones of equal size share one. Memory goes back to the system when a slab is empty.
#![allow(unsafe_code, reason = "maps memory and hands out parts of it, each to one owner")]

use core::mem::{align_of, size_of};
use core::ops::Deref;
use core::ptr::NonNull;
use core::slice;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A huge page of x86-64 and, with 4 KiB granules, of aarch64.
const SLAB: usize = 2 << 20;

/// The system has no memory left for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory for a table of {0} octets")]
pub(crate) struct NoMemory(usize);

/// What so many octets of lines take of the system's memory: small tables share a slab, but not all of it can be used.
pub(crate) const fn room(octets: usize) -> usize {
    if octets > SLAB { octets.next_multiple_of(SLAB) } else { SLAB / (SLAB / octets.next_multiple_of(64)) }
}

/// Lines of a table; immutable once filled.
pub(crate) struct Lines<T: Copy> {
    at: NonNull<T>,
    len: usize,
    /// Octets of its place in the slab.
    room: usize,
}

// SAFETY: the memory has this one owner and is only read after it was filled.
unsafe impl<T: Copy + Send> Send for Lines<T> {}
// SAFETY: as above.
unsafe impl<T: Copy + Sync> Sync for Lines<T> {}

impl<T: Copy> Lines<T> {
    /// Takes memory and fills it.
    ///
    /// * `lines`: as many as it says
    /// # Errors
    /// [`NoMemory`].
    pub(crate) fn new(lines: impl ExactSizeIterator<Item = T>) -> Result<Self, NoMemory> {
        const { assert!(align_of::<T>() <= 64 && size_of::<T>() > 0) };
        let len = lines.len();
        let octets = len.checked_mul(size_of::<T>()).ok_or(NoMemory(usize::MAX))?.max(64);
        let room = if octets > SLAB { octets.next_multiple_of(SLAB) } else { octets.next_multiple_of(64) };
        let at = slabs().take(room).ok_or(NoMemory(octets))?.cast::<T>();
        let mut filled = 0;
        for line in lines.take(len) {
            // SAFETY: fewer than `len` lines were written, which fit `room`; the place is aligned to 64 and nobody else's.
            unsafe { at.add(filled).write(line) };
            filled += 1;
        }
        Ok(Self { at, len: filled, room })
    }
}

impl<T: Copy> Deref for Lines<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` lines were written at `at`, which is ours until we are dropped.
        unsafe { slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl<T: Copy> Drop for Lines<T> {
    fn drop(&mut self) {
        slabs().give(self.at.cast(), self.room);
    }
}

/// One mapping that is cut into places of one size.
struct Slab {
    base: NonNull<u8>,
    len: usize,
    room: usize,
    free: Vec<usize>,
}

// SAFETY: an address; what lies there is handed out under the lock of [`SLABS`].
unsafe impl Send for Slab {}

#[derive(Default)]
struct Slabs(Vec<Slab>);

static SLABS: Mutex<Slabs> = Mutex::new(Slabs(Vec::new()));

fn slabs() -> MutexGuard<'static, Slabs> {
    SLABS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slabs {
    /// A place of `room` octets, aligned to 64.
    fn take(&mut self, room: usize) -> Option<NonNull<u8>> {
        let at = match self.0.iter().position(|slab| slab.room == room && !slab.free.is_empty()) {
            Some(at) => at,
            None => {
                self.0.push(Slab::map(room)?);
                self.0.len() - 1
            }
        };
        let slab = &mut self.0[at];
        let place = slab.free.pop()?;
        // SAFETY: places lie within the mapping.
        Some(unsafe { slab.base.add(place * room) })
    }

    fn give(&mut self, place: NonNull<u8>, room: usize) {
        let from = place.as_ptr() as usize;
        let mine = |slab: &Slab| (from.wrapping_sub(slab.base.as_ptr() as usize)) < slab.len;
        let Some(at) = self.0.iter().position(|slab| slab.room == room && mine(slab)) else { return };
        let slab = &mut self.0[at];
        slab.free.push((from - slab.base.as_ptr() as usize) / room);
        if slab.free.len() == slab.len / room {
            self.0.swap_remove(at);
        }
    }
}

impl Slab {
    fn map(room: usize) -> Option<Self> {
        let len = room.max(SLAB);
        // One slab more, so that an aligned one lies within; what is around it goes back.
        let wide = len + SLAB;
        // SAFETY: a new private mapping at a place of the kernel's choice.
        let raw = unsafe {
            mmap_anonymous(core::ptr::null_mut(), wide, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        };
        let raw = NonNull::new(raw.ok()?.cast::<u8>())?;
        let before = raw.as_ptr().align_offset(SLAB);
        // SAFETY: `before` is below SLAB, so the slab and the parts around it lie within the mapping, in whole pages.
        let base = unsafe { raw.add(before) };
        for (at, len) in [(raw, before), (end_of(base, len), wide - before - len)] {
            if len > 0 {
                // SAFETY: part of the mapping just made, which nobody uses.
                let _ = unsafe { munmap(at.as_ptr().cast(), len) };
            }
        }
        // Without huge pages it works as well, only slower.
        // SAFETY: the mapping just made; advice does not change what it holds.
        let _ = unsafe { madvise(base.as_ptr().cast(), len, Advice::LinuxHugepage) };
        Some(Self { base, len, room, free: (0..len / room).rev().collect() })
    }
}

/// Behind a slab.
fn end_of(base: NonNull<u8>, len: usize) -> NonNull<u8> {
    // SAFETY: the caller's mapping reaches at least so far.
    unsafe { base.add(len) }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the slab's own mapping; it is dropped when all its places have come back.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(64))]
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Line([u64; 8]);

    fn filled(len: usize, seed: u64) -> Lines<Line> {
        Lines::new((0..len).map(|at| Line([at as u64 ^ seed; 8]))).unwrap()
    }

    #[test]
    fn tables_keep_what_they_were_filled_with_while_others_come_and_go() {
        let mut live: Vec<(usize, u64, Lines<Line>)> = Vec::new();
        for round in 0..200_u64 {
            let len = [800, 4096, 12_800, 40_000][(round * 7 % 4) as usize];
            if live.len() > 12 {
                let (len, seed, lines) = live.swap_remove((round % 12) as usize);
                assert!(lines.iter().zip(0..).all(|(line, at)| *line == Line([at ^ seed; 8])) && lines.len() == len);
            }
            let lines = filled(len, round);
            assert_eq!(lines.as_ptr() as usize % 64, 0);
            live.push((len, round, lines));
        }
        for (len, seed, lines) in &live {
            assert_eq!(lines.len(), *len);
            assert!(lines.iter().zip(0..).all(|(line, at)| *line == Line([at ^ seed; 8])), "{seed}");
        }
    }

    #[test]
    fn small_tables_share_a_slab() {
        // A size that no other test uses.
        let first = filled(4095, 1);
        let second = filled(4095, 2);
        let apart = (first.as_ptr() as usize).abs_diff(second.as_ptr() as usize);
        assert!(apart < SLAB, "{apart}");
    }

    #[test]
    fn a_slab_goes_back_with_its_last_table() {
        // As above: eight of these fit a slab.
        let (len, room) = (4093, 4093 * 64);
        let count = || slabs().0.iter().filter(|slab| slab.room == room).count();
        let mut tables: Vec<_> = (0..9).map(|seed| filled(len, seed)).collect();
        assert_eq!(count(), 2);
        let place = tables[3].as_ptr();
        tables.remove(3);
        assert_eq!(count(), 2);
        tables.push(filled(len, 9));
        assert_eq!(tables.last().map(|table| table.as_ptr()), Some(place), "a free place is used again");
        // The ninth lies in a slab of its own.
        tables.remove(7);
        assert_eq!(count(), 1);
        for table in &tables {
            assert!(table.iter().zip(0..).all(|(line, at)| line.0[0] == table[0].0[0] ^ at));
        }
        tables.clear();
        assert_eq!(count(), 0);
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let line = |at: usize| Line([at as u64; 8]);
        assert_eq!(Lines::new((0..usize::MAX / 32).map(line)).err(), Some(NoMemory(usize::MAX)));
        // Beyond any address space.
        assert_eq!(Lines::new((0..1 << 52).map(line)).err(), Some(NoMemory(1 << 58)));
    }
}
