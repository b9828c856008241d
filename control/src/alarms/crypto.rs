//! What the crypto pool does that an operator must hear of.

use super::{Alarm, HOLD_S, Registry};
use sealgate_crypto::engine::hardware::{DeviceState, DeviceStats};
use sealgate_crypto::pool::PoolStats;

/// Looks at the counts of the pool.
pub fn look(registry: &Registry, crypto: &PoolStats, now: i64) {
    let forever = |alarm, total, text: &dyn Fn(u64) -> String| registry.count(alarm, total, None, text, now);
    forever(Alarm::CryptoMismatch, crypto.mismatches, &|count| {
        format!(
            "an engine gave {count} wrong verdict(s); from now on the reference alone answers, which is slower; \
             \"sealgate show\" has the evidence: report it"
        )
    });
    if let Some(device) = &crypto.device {
        let DeviceStats { name, why, .. } = device;
        // Known answers are wrong without a verdict that could be counted.
        let wrong = device.wrong.max(u64::from(device.state == DeviceState::Wrong));
        forever(Alarm::CryptoDeviceWrong, wrong, &|_| {
            format!(
                "crypto.device {name} is not asked any more: {why}; the processor verifies. \"sealgate show\" has the \
                 evidence: report it"
            )
        });
        let out = device.state == DeviceState::Out && device.outs > 0;
        let text = || {
            let outs = device.outs;
            format!("crypto.device {name} was taken out of service ({outs} time(s) so far): {why}; it is tried again")
        };
        registry.state(Alarm::CryptoDeviceOut, out.then(text), now);
        let refused = device.state == DeviceState::Refused
            || device.state == DeviceState::Out && device.outs == 0 && !why.is_empty();
        let text = || format!("crypto.device {name} is not used: {why}; the processor verifies");
        registry.state(Alarm::CryptoDeviceRefused, refused.then(text), now);
    }
    forever(Alarm::CryptoTableFaulty, crypto.tables.faulty, &|count| {
        format!("{count} table(s) of keys came out wrong and are not used; this machine's memory may be faulty")
    });
    let text = |count| {
        format!("a crypto thread ended or hung and was started again ({count} time(s) so far); its jobs were refused")
    };
    registry.count(Alarm::CryptoThreadRestarted, crypto.restarts, Some(HOLD_S), text, now);
    forever(Alarm::CryptoThreadLost, crypto.lost as u64, &|count| {
        format!("{count} crypto thread(s) died again and again and are not started any more")
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_crypto::engine::hardware::Hardware;
    use serde_json::Value;

    /// What stands after a look: name and text.
    fn standing(registry: &Registry, stats: &PoolStats, now: i64) -> Vec<(String, String)> {
        look(registry, stats, now);
        let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
        let document = registry.document(&Value::Null);
        document.as_array().expect("a list").iter().map(|one| (text(one, "name"), text(one, "text"))).collect()
    }

    #[test]
    fn what_gets_worse_stands_and_what_is_mended_does_not() {
        let (registry, mut stats) = (Registry::default(), PoolStats::default());
        assert_eq!(standing(&registry, &stats, 0), []);
        stats.restarts = 1;
        let now = standing(&registry, &stats, 1);
        assert!(
            matches!(now.as_slice(), [(name, text)] if name == "crypto_thread_restarted" && text.contains("1 time"))
        );
        assert_eq!(standing(&registry, &stats, 1 + HOLD_S), []);
        (stats.mismatches, stats.lost, stats.tables.faulty) = (2, 1, 1);
        let names: Vec<_> = standing(&registry, &stats, 10_000).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["crypto_mismatch", "crypto_table_faulty", "crypto_thread_lost"]);
        assert_eq!(standing(&registry, &stats, i64::MAX).len(), 3, "they do not mend by themselves");
    }

    #[test]
    fn a_device_that_is_refused_goes_out_or_lies_is_told_of() {
        let (registry, mut stats) = (Registry::default(), PoolStats::default());
        let refused = Hardware::refused("0000:3d:01.0".to_owned(), "no such device".to_owned());
        stats.device = Some(refused.stats());
        let now = standing(&registry, &stats, 0);
        assert!(
            matches!(now.as_slice(), [(name, text)] if name == "crypto_device_refused" && text.contains("no such"))
        );
        let mut set = |state, outs, wrong| {
            stats.device = Some(DeviceStats { state, outs, wrong, why: "so".to_owned(), ..refused.stats() });
            standing(&registry, &stats, 1)
        };
        let now = set(DeviceState::Out, 1, 0);
        assert!(matches!(now.as_slice(), [(name, text)] if name == "crypto_device_out" && text.contains("1 time")));
        assert_eq!(set(DeviceState::Serving, 1, 0), []);
        for wrong in [0, 1] {
            let now = set(DeviceState::Wrong, 1, wrong);
            assert!(matches!(now.as_slice(), [(name, text)] if name == "crypto_device_wrong" && text.contains("so")));
        }
    }
}
