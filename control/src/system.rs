//! Questions to the kernel for which no library we use has a safe way. The only unsafe code of this crate.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// Most groups of a caller that are looked at.
const MAX_GROUPS: usize = 1024;

/// Whether the kernel's clock is synchronised, and how far it may be off, microseconds (adjtimex(2)).
/// # Errors
/// What the kernel says.
pub fn clock() -> io::Result<(bool, i64)> {
    // SAFETY: `timex` is numbers only, for which zeros are a value; no mode bit is set, so nothing is changed.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: a valid pointer to a `timex` of this C library, written within its bounds.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    let synchronised = state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0;
    #[allow(clippy::useless_conversion, reason = "32 bits on some targets")]
    Ok((synchronised, i64::from(timex.esterror)))
}

/// The groups of whoever is at the other end of a Unix socket, besides its own one (unix(7), SO_PEERGROUPS).
/// # Errors
/// What the kernel says; more than 1024 groups.
pub fn peer_groups(stream: &UnixStream) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; MAX_GROUPS];
    let Ok(mut len) = libc::socklen_t::try_from(MAX_GROUPS * size_of::<u32>()) else { return Ok(Vec::new()) };
    // SAFETY: the descriptor is open while `stream` lives; buffer and length belong together, and `gid_t` is `u32`.
    let done = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    groups.truncate(usize::try_from(len).unwrap_or(0) / size_of::<u32>());
    Ok(groups)
}
