//! Whether the system's clock can be relied on: messages are refused by their time (formats 1.4).

use super::{Alarm, Registry};
use crate::system;

/// The largest error that is no alarm, microseconds.
const MAX_ERROR_US: i64 = 1_000_000;

/// What the kernel says of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockState {
    /// Whether somebody keeps it synchronised.
    pub synchronised: bool,
    /// How far it may be off, microseconds.
    pub error_us: i64,
}

/// Asks the kernel; `None` where it does not say, which is no better than a wrong clock.
pub fn ask() -> Option<ClockState> {
    let (synchronised, error_us) = system::clock().ok()?;
    Some(ClockState { synchronised, error_us })
}

/// Raises or ends `clock_unsynced`.
pub fn look(registry: &Registry, clock: Option<ClockState>, now: i64) {
    let remedy = "messages are judged by their time: run chrony or systemd-timesyncd on this host";
    let text = match clock {
        None => Some(format!("the system does not say whether this host's clock is set (adjtimex); {remedy}")),
        Some(ClockState { synchronised: false, .. }) => Some(format!("nobody sets this host's clock; {remedy}")),
        Some(ClockState { error_us, .. }) if error_us > MAX_ERROR_US => {
            Some(format!("this host's clock may be {} ms off; {remedy}", error_us / 1000))
        }
        Some(_) => None,
    };
    registry.state(Alarm::ClockUnsynced, text, now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn it_stands_while_the_clock_is_off_or_nobody_sets_it() {
        let registry = Registry::default();
        let see = |synchronised, error_us| {
            look(&registry, Some(ClockState { synchronised, error_us }), 7);
            registry.document(&Value::Null)
        };
        assert_eq!(see(true, MAX_ERROR_US), json!([]));
        assert_eq!(see(true, MAX_ERROR_US + 1)[0]["name"], "clock_unsynced");
        look(&registry, None, 7);
        assert!(registry.document(&Value::Null)[0]["text"].as_str().is_some_and(|text| text.contains("does not say")));
        assert!(see(false, 0)[0]["text"].as_str().is_some_and(|text| text.starts_with("nobody sets")));
        assert_eq!(see(true, 3), json!([]));
    }

    #[test]
    fn the_kernel_answers() {
        let clock = ask().expect("Linux says");
        assert!(clock.error_us >= 0, "{clock:?}");
    }
}
