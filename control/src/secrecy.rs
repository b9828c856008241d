//! Keeps what this process holds to itself: no core dump, no debugger of the same user, no page in swap.
//!
//! aws-lc puts private keys on its own heap. Locking the whole process is what keeps those copies out of swap.

use crate::cli::CliError;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{CapabilitySet, capabilities};
use sealgate_config::model::MemoryLock;

/// What to do about a lock that the system forbids.
const REMEDY: &str = "LimitMEMLOCK=infinity in the unit, ulimit -l unlimited in a shell, or CAP_IPC_LOCK";

/// Whether the memory of this process stays out of swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locking {
    /// It does.
    Locked,
    /// The operator did not want it.
    Off,
    /// The system does not let us, and why.
    Refused(String),
}

/// Forbids core dumps, and debuggers of the same user.
/// # Errors
/// What the system says; there is no limit that forbids this.
pub fn forbid_dumps() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // A core file that goes into a pipe heeds no limit.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Locks the memory of this process, now and what it takes later, page by page as it is used: stacks, pools and reserved
/// addresses that nobody touches cost nothing. Huge pages are never swapped; the lock does not touch them.
/// * `drops`: this process will lose its capabilities, so only a limit that is lifted counts
/// # Errors
/// With [`MemoryLock::On`], that the system forbids it.
pub fn lock_memory(wanted: MemoryLock, drops: bool) -> Result<Locking, CliError> {
    if wanted == MemoryLock::Off {
        return Ok(Locking::Off);
    }
    match lock(drops) {
        Ok(()) => Ok(Locking::Locked),
        Err(why) if wanted == MemoryLock::On => {
            Err(CliError::new(format!("memory.lock is on, but {why}"), format!("{REMEDY}; or set it to auto")))
        }
        Err(why) => {
            tracing::warn!("memory may reach swap, and private keys with it: {why}; {REMEDY}");
            Ok(Locking::Refused(why))
        }
    }
}

fn lock(drops: bool) -> Result<(), String> {
    // The hard limit is root's to raise, the soft one ours. That they cannot be shows below.
    if setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None }).is_err() {
        let limit = getrlimit(Resource::Memlock);
        let _ = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
    let capable = !drops && capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    may_lock(getrlimit(Resource::Memlock).current, capable)?;
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .map_err(|error| format!("the system does not lock memory: {error}"))
}

/// Whether locking can be risked. Under a limit it may work now, and a mapping fail in the middle of the traffic.
///
/// * `limit`: `RLIMIT_MEMLOCK`, octets; `None`: unlimited
fn may_lock(limit: Option<u64>, capable: bool) -> Result<(), String> {
    match limit {
        Some(octets) if !capable => Err(format!("RLIMIT_MEMLOCK is {} KiB", octets / 1024)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_forbids_unless_a_capability_lifts_it() {
        assert_eq!(may_lock(None, false), Ok(()));
        assert_eq!(may_lock(Some(8 << 20), true), Ok(()));
        assert_eq!(may_lock(Some(8 << 20), false), Err("RLIMIT_MEMLOCK is 8192 KiB".to_owned()));
        assert_eq!(lock_memory(MemoryLock::Off, false).unwrap(), Locking::Off);
    }

    #[test]
    fn a_lock_is_one_that_the_system_knows() {
        let told = lock_memory(MemoryLock::Auto, false).unwrap();
        assert!(matches!(told, Locking::Locked | Locking::Refused(_)));
        let demanded = lock_memory(MemoryLock::On, false);
        assert_eq!(demanded.is_ok(), told == Locking::Locked, "{told:?}");
        // Octets that this process touched after the lock count as locked.
        let touched = vec![1_u8; 4 << 20];
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        assert_eq!(kib > 4096, told == Locking::Locked, "{kib} KiB, {}", touched.len());
    }
}
