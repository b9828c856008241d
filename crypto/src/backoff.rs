//! How long something that failed is left alone: a token, a crypto thread.

use std::time::{Duration, Instant};

/// The first pause.
pub(crate) const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);

/// A pause that doubles with each failure, and begins anew after a success.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    until: Option<Instant>,
    last: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::from(FIRST)
    }
}

impl Backoff {
    /// With a first pause of its own.
    pub(crate) fn from(first: Duration) -> Self {
        Self { first, until: None, last: Duration::ZERO }
    }

    /// Whether another try is due.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    /// Whether several tries in a row have failed.
    #[cfg(any(test, feature = "pkcs11"))]
    pub(crate) fn is_lasting(&self) -> bool {
        self.last >= self.first * 4
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.last = (self.last * 2).clamp(self.first, LONGEST);
        self.until = now.checked_add(self.last);
    }

    /// Notes a success.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::from(self.first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        assert!(backoff.is_over(now));
        for ms in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            backoff.failed(now);
            assert!(!backoff.is_over(now + Duration::from_millis(ms - 1)));
            now += Duration::from_millis(ms);
            assert!(backoff.is_over(now), "{ms}");
            assert_eq!(backoff.is_lasting(), ms >= 400);
        }
        backoff.succeeded();
        backoff.failed(now);
        assert!(backoff.is_over(now + FIRST));
    }
}
