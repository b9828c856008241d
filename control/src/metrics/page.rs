//! Writing families of samples.

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use std::fmt;

/// A label's name and value.
pub(super) type Label = (&'static str, String);

/// A page that is being written. Families without a sample are left out.
pub(super) struct Page<'a>(DescriptorEncoder<'a>);

impl<'a> Page<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    /// Totals since the start; the name without `_total`.
    pub(super) fn counters<L: AsRef<[Label]>>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        self.family(
            name,
            help,
            None,
            MetricType::Counter,
            samples.into_iter().map(|(labels, value)| (labels, Value::Count(value))),
        )
    }

    /// One total.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counters(name, help, [([], value)])
    }

    /// Values as they are now; `unit` is added to the name.
    pub(super) fn gauges<L: AsRef<[Label]>>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let samples = samples.into_iter().map(|(labels, value)| (labels, Value::Level(value)));
        self.family(name, help, unit.as_ref(), MetricType::Gauge, samples)
    }

    /// One value.
    pub(super) fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) -> fmt::Result {
        self.gauges(name, help, unit, [([], value)])
    }

    /// Facts in labels; the name without `_info`.
    pub(super) fn infos<L: AsRef<[Label]>>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = L>,
    ) -> fmt::Result {
        self.family(name, help, None, MetricType::Info, samples.into_iter().map(|labels| (labels, Value::Fact)))
    }

    fn family<L: AsRef<[Label]>>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        kind: MetricType,
        samples: impl Iterator<Item = (L, Value)>,
    ) -> fmt::Result {
        let mut samples = samples.peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, unit, kind)?;
        for (labels, value) in samples {
            let labels = labels.as_ref();
            match value {
                Value::Fact => metric.encode_info(&labels)?,
                Value::Count(value) if labels.is_empty() => {
                    metric.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
                }
                Value::Count(value) => {
                    metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
                }
                Value::Level(value) if labels.is_empty() => metric.encode_gauge(&value)?,
                Value::Level(value) => metric.encode_family(&labels)?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }
}

/// A sample's value.
enum Value {
    Count(u64),
    Level(f64),
    Fact,
}

/// A number that a page can hold; beyond 2^53 it is rounded.
pub(super) fn level(number: impl TryInto<u64>) -> f64 {
    number.try_into().map_or(f64::NAN, |number: u64| number as f64)
}
