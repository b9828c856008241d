//! Whether a thread had its core to itself: what the kernel says of it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::record::Calm;

/// Below this share of its core a polling thread was disturbed.
const SHARE: f64 = 0.98;
/// A thread that looked at its queues more often than this lost nothing by a disturbance, microseconds.
const GAP_US: f64 = 100.0;

/// The kernel counts a thread's time at its ticks: so much may be missing from what it says.
const TICK: Duration = Duration::from_millis(10);

/// A thread, watched from outside; it may belong to another process.
#[derive(Clone, Debug)]
pub struct Watched {
    folder: PathBuf,
    core: Option<usize>,
}

/// What the kernel has counted so far.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    at: Instant,
    switches: u64,
    cpu: Duration,
    /// Ticks that the host took from the core, of 10 ms.
    stolen: u64,
}

impl Watched {
    fn new(process: u32, thread: u32, core: Option<usize>) -> Self {
        Self { folder: PathBuf::from(format!("/proc/{process}/task/{thread}")), core }
    }

    /// This very thread. If it is pinned to a core, it is known whether the host takes that away.
    pub fn this() -> Self {
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let core = if let [core] = cores.as_slice() { Some(core.id) } else { None };
        let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        Self::new(std::process::id(), thread, core)
    }

    /// What the kernel has counted so far; `None` once the thread is gone.
    pub fn mark(&self) -> Option<Mark> {
        let status = fs::read_to_string(self.folder.join("status")).ok()?;
        let schedule = fs::read_to_string(self.folder.join("schedstat")).ok()?;
        let switches = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
        Some(Mark {
            at: Instant::now(),
            switches: switches.trim().parse().ok()?,
            cpu: Duration::from_nanos(schedule.split(' ').next()?.trim().parse().ok()?),
            stolen: self.core.and_then(stolen).unwrap_or(0),
        })
    }

    /// How calm it was since the mark.
    ///
    /// * `gap`: the longest time between two looks at its queues, by its own count
    pub fn since(&self, mark: &Mark, gap: Duration) -> Calm {
        let Some(now) = self.mark() else { return Calm::default() };
        let time = now.at.duration_since(mark.at).as_secs_f64().max(1e-9);
        let cpu = now.cpu.saturating_sub(mark.cpu);
        Calm {
            cpu_ms: cpu.as_secs_f64() * 1e3,
            switches: now.switches.saturating_sub(mark.switches),
            share: ((cpu + TICK).as_secs_f64() / time).min(1.0),
            longest_gap_us: gap.as_secs_f64() * 1e6,
            stolen_ms: now.stolen.saturating_sub(mark.stolen) * 10,
        }
    }
}

/// Ticks that the host took from this core (proc(5): the eighth number of its line).
fn stolen(core: usize) -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    line.split_whitespace().nth(7)?.parse().ok()
}

/// Why this says nothing about the thread's own work; `None` if it was undisturbed.
///
/// A long gap alone is no reason: it may be the thread's own doing, which is to be found. Neither is a core that was taken
/// away so shortly that the thread looked at its queues in time all the same.
pub fn spoiled(who: &str, calm: &Calm) -> Option<String> {
    if calm.share < SHARE {
        return Some(format!("{who} had {:.1} % of its core", calm.share * 100.0));
    }
    let gap = calm.longest_gap_us;
    match (calm.switches, calm.stolen_ms) {
        _ if gap < GAP_US => None,
        (0, 0) => None,
        (0, _) => Some(format!("the host took the core from {who}, which did not poll for {gap:.0} us")),
        (times, _) => {
            Some(format!("the system took the core from {who} ({times} times), which did not poll for {gap:.0} us"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_is_told_from_one_that_sleeps() -> Result<(), &'static str> {
        let this = Watched::this();
        let mark = this.mark().ok_or("no mark")?;
        std::thread::sleep(Duration::from_millis(50));
        let calm = this.since(&mark, Duration::ZERO);
        assert!(calm.share < 0.5, "{calm:?}");
        assert!(spoiled("it", &calm).is_some());
        let mark = this.mark().ok_or("no mark")?;
        let until = Instant::now() + Duration::from_millis(50);
        while Instant::now() < until {}
        assert!(this.since(&mark, Duration::ZERO).share > calm.share);
        Ok(())
    }

    #[test]
    fn it_takes_a_disturbance_and_a_gap() {
        let calm = Calm { switches: 0, share: 0.999, longest_gap_us: 2000.0, ..Calm::default() };
        assert_eq!(spoiled("it", &calm), None);
        assert!(spoiled("it", &Calm { switches: 1, ..calm }).is_some());
        assert!(spoiled("it", &Calm { stolen_ms: 10, ..calm }).is_some());
        assert_eq!(spoiled("it", &Calm { switches: 3, longest_gap_us: 20.0, ..calm }), None);
        assert!(spoiled("it", &Calm { share: 0.97, longest_gap_us: 20.0, ..calm }).is_some());
    }
}
