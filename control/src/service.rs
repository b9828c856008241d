//! What the service manager hears of us (sd_notify(3)): ready, reloading, stopping, a line of status, and a beat for its
//! watchdog as long as the gateway is really well. Where nobody listens (`NOTIFY_SOCKET` is not set) nothing happens.

use sd_notify::{NotifyState, notify};
use sealgate_dataplane::engine::{WorkerState, WorkerView};
use std::time::{Duration, Instant};

/// Beats in the time after which the manager loses patience.
const BEATS: u32 = 3;
/// How soon a beat that was held back is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Frames are forwarded from now on, or again by the new configuration.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again; [`ready`] must follow, whatever becomes of it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Nothing more is received.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: what is in hand may still leave")]);
}

/// The line that `systemctl status` shows; it stays until the next one, so it must stay true.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// The watchdog of this process's manager, if it has one (`WATCHDOG_USEC`).
pub fn watchdog() -> Option<Watchdog> {
    let patience = sd_notify::watchdog_enabled()?;
    Some(Watchdog { every: patience / BEATS, due: Instant::now(), last: Vec::new() })
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = notify(states) {
        // A manager that does not hear of us acts on its own; there is nothing better to do here.
        tracing::debug!("the service manager was not told: {error}");
    }
}

/// Beats for the manager while all is well. Called by control's loop, so a loop that stands still does not beat either.
#[derive(Debug)]
pub struct Watchdog {
    every: Duration,
    due: Instant,
    last: Vec<u64>,
}

impl Watchdog {
    /// True once [`Watchdog::beat`] has something to look at.
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Beats, unless a worker stands still. Then the manager ends this process when its patience is over.
    pub fn beat(&mut self, now: Instant, workers: &[WorkerView]) {
        match still(&self.last, workers) {
            None => {
                tell(&[NotifyState::Watchdog]);
                self.last = workers.iter().map(|worker| worker.stats.turns).collect();
                self.due = now + self.every;
            }
            Some(worker) => {
                tracing::error!("worker {worker} stands still: no beat for the service manager's watchdog");
                self.due = now + AGAIN.min(self.every);
            }
        }
    }
}

/// The first worker that is not well. A worker turns also when nothing comes, so one whose turns are as many as at the last
/// beat hangs; only one whose input has come to its end may stand still.
///
/// * `last`: turns of each worker at the last beat; empty before the first one
fn still(last: &[u64], workers: &[WorkerView]) -> Option<usize> {
    workers.iter().enumerate().position(|(index, worker)| match worker.state {
        WorkerState::Running => last.get(index).is_some_and(|turns| worker.stats.turns == *turns),
        WorkerState::Done => false,
        WorkerState::Starting | WorkerState::Failed => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_dataplane::stats::Stats;

    fn worker(state: WorkerState, turns: u64) -> WorkerView {
        let mut stats = Stats::new(1);
        stats.turns = turns;
        WorkerView { core: None, state, stats }
    }

    #[test]
    fn a_beat_needs_each_worker_to_turn_or_to_be_done() {
        use WorkerState::{Done, Failed, Running, Starting};
        let workers = [worker(Running, 10), worker(Running, 20)];
        assert_eq!(still(&[], &workers), None, "the first beat");
        assert_eq!(still(&[9, 19], &workers), None);
        assert_eq!(still(&[9, 20], &workers), Some(1), "the second hangs");
        assert_eq!(still(&[10, 19], &workers), Some(0), "the first hangs");
        assert_eq!(still(&[10], &[worker(Done, 10)]), None, "its input is over");
        assert_eq!(still(&[10], &[worker(Failed, 11)]), Some(0));
        assert_eq!(still(&[], &[worker(Starting, 0)]), Some(0));
    }

    #[test]
    fn a_beat_held_back_is_tried_again_and_counts_from_the_last_one_given() {
        let start = Instant::now();
        let mut dog = Watchdog { every: Duration::from_secs(10), due: start, last: Vec::new() };
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(dog.is_due(start));
        dog.beat(start, &[worker(WorkerState::Running, 5)]);
        assert!(!dog.is_due(at(9)) && dog.is_due(at(10)));
        dog.beat(at(10), &[worker(WorkerState::Running, 5)]);
        assert!(!dog.is_due(at(10)) && dog.is_due(at(11)), "held back");
        dog.beat(at(11), &[worker(WorkerState::Running, 6)]);
        assert!(!dog.is_due(at(20)) && dog.is_due(at(21)), "given");
    }
}
