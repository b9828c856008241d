//! What the crypto pool does that an operator must hear of, each thing once when it gets worse.

use sealgate_crypto::engine::hardware::{DeviceState, DeviceStats};
use sealgate_crypto::pool::PoolStats;

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Verdicts cannot be relied on as before, or part of the machine is lost: somebody must act now.
    pub critical: bool,
    /// What happened, and what to do.
    pub text: String,
}

/// What was already told.
#[derive(Debug, Default)]
pub struct Alarms {
    mismatches: u64,
    lost: usize,
    restarts: u64,
    faulty: u64,
    device_wrong: u64,
    device_outs: u64,
    device_refused: u64,
}

impl Alarms {
    /// What is new since the last look.
    pub fn look(&mut self, crypto: &PoolStats) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        let mut tell = |seen: &mut u64, now: u64, critical: bool, text: &dyn Fn(u64) -> String| {
            if now > *seen {
                alarms.push(Alarm { critical, text: text(now) });
            }
            *seen = now;
        };
        tell(&mut self.mismatches, crypto.mismatches, true, &|count| {
            format!(
                "an engine gave {count} wrong verdict(s); from now on the reference alone answers, which is slower; \
                 \"sealgate show\" has the evidence: report it"
            )
        });
        if let Some(device) = &crypto.device {
            let DeviceStats { name, why, .. } = device;
            // Known answers are wrong without a verdict that could be counted.
            let wrong = device.wrong.max(u64::from(device.state == DeviceState::Wrong));
            tell(&mut self.device_wrong, wrong, true, &|_| {
                format!(
                    "crypto.device {name} is not asked any more: {why}; the processor verifies. \"sealgate show\" has the \
                     evidence: report it"
                )
            });
            tell(&mut self.device_outs, device.outs, false, &|count| {
                format!(
                    "crypto.device {name} was taken out of service ({count} time(s) so far): {why}; it is tried again"
                )
            });
            let refused = device.state == DeviceState::Refused
                || device.state == DeviceState::Out && device.outs == 0 && !why.is_empty();
            tell(&mut self.device_refused, u64::from(refused), false, &|_| {
                format!("crypto.device {name} is not used: {why}; the processor verifies")
            });
        }
        tell(&mut self.faulty, crypto.tables.faulty, true, &|count| {
            format!("{count} table(s) of keys came out wrong and are not used; this machine's memory may be faulty")
        });
        tell(&mut self.restarts, crypto.restarts, false, &|count| {
            format!(
                "a crypto thread ended or hung and was started again ({count} time(s) so far); its jobs were refused"
            )
        });
        let mut lost = self.lost as u64;
        tell(&mut lost, crypto.lost as u64, true, &|count| {
            format!("{count} crypto thread(s) died again and again and are not started any more")
        });
        self.lost = crypto.lost;
        alarms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_crypto::engine::hardware::Hardware;

    #[test]
    fn each_thing_is_told_once_and_again_when_it_gets_worse() {
        let (mut alarms, mut stats) = (Alarms::default(), PoolStats::default());
        assert_eq!(alarms.look(&stats), []);
        stats.restarts = 1;
        assert!(matches!(alarms.look(&stats).as_slice(), [Alarm { critical: false, text }] if text.contains("1 time")));
        assert_eq!(alarms.look(&stats), []);
        (stats.mismatches, stats.lost, stats.tables.faulty) = (1, 1, 1);
        assert_eq!(alarms.look(&stats).iter().filter(|alarm| alarm.critical).count(), 3);
        stats.mismatches = 2;
        assert!(matches!(alarms.look(&stats).as_slice(), [Alarm { critical: true, text }] if text.contains("2 wrong")));
    }

    #[test]
    fn a_device_that_is_refused_goes_out_or_lies_is_told_of() {
        let (mut alarms, mut stats) = (Alarms::default(), PoolStats::default());
        let refused = Hardware::refused("0000:3d:01.0".to_owned(), "no such device".to_owned());
        stats.device = Some(refused.stats());
        let told = alarms.look(&stats);
        assert!(
            matches!(told.as_slice(), [Alarm { critical: false, text }] if text.contains("no such device")),
            "{told:?}"
        );
        assert_eq!(alarms.look(&stats), []);
        let set = |stats: &mut PoolStats, state, outs, wrong| {
            stats.device = Some(DeviceStats { state, outs, wrong, why: "so".to_owned(), ..refused.stats() });
        };
        set(&mut stats, DeviceState::Out, 1, 0);
        let told = alarms.look(&stats);
        assert!(matches!(told.as_slice(), [Alarm { critical: false, text }] if text.contains("1 time")), "{told:?}");
        for (state, wrong, count) in
            [(DeviceState::Wrong, 0, 1), (DeviceState::Wrong, 1, 0), (DeviceState::Wrong, 2, 1)]
        {
            set(&mut stats, state, 1, wrong);
            let told = alarms.look(&stats);
            assert_eq!(told.len(), count, "{told:?}");
            assert!(told.iter().all(|alarm| alarm.critical && alarm.text.contains("not asked any more: so")));
        }
    }
}
