//! Writes families of metrics: a description, then its series.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::durations::{Durations, Observed};

/// Names and values of a series' labels.
pub(super) type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// Takes families one after another. A name has its unit (`_seconds`, `_bytes`) and, as OpenMetrics has it, leaves the
/// ending out that its series get: `_total` of a counter, `_info` of an info.
pub(super) struct Families<'e>(DescriptorEncoder<'e>);

impl<'e> Families<'e> {
    pub(super) fn new(encoder: DescriptorEncoder<'e>) -> Self {
        Self(encoder)
    }

    /// One number; nothing but the description when there is none.
    pub(super) fn gauge<V: EncodeGaugeValue>(&mut self, name: &str, help: &str, value: Option<V>) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Gauge)?;
        value.map_or(Ok(()), |value| family.encode_gauge(&value))
    }

    pub(super) fn gauges<'a, V: EncodeGaugeValue, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a, N>, V)>,
    ) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Gauge)?;
        series.into_iter().try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Counter)?;
        family.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    pub(super) fn seconds_counter(&mut self, name: &str, help: &str, value: Option<f64>) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Counter)?;
        value.map_or(Ok(()), |value| family.encode_counter::<NoLabelSet, _, f64>(&value, None))
    }

    pub(super) fn counters<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a, N>, u64)>,
    ) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Counter)?;
        series.into_iter().try_for_each(|(labels, value)| {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    /// Facts in labels; each series is 1.
    pub(super) fn info<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = Labels<'a, N>>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Info)?;
        series.into_iter().try_for_each(|labels| family.encode_info(&labels))
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, durations: &Durations) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Histogram)?;
        let Observed { count, sum, buckets } = durations.observed();
        family.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    pub(super) fn histograms<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a, N>, Observed)>,
    ) -> fmt::Result {
        let (stem, unit) = unit_of(name);
        let mut family = self.0.encode_descriptor(stem, help, unit.as_ref(), MetricType::Histogram)?;
        series.into_iter().try_for_each(|(labels, Observed { count, sum, buckets })| {
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        })
    }
}

/// The library writes the unit behind the name by itself, and a line that has it.
fn unit_of(name: &str) -> (&str, Option<Unit>) {
    for (ending, unit) in [("_seconds", Unit::Seconds), ("_bytes", Unit::Bytes)] {
        if let Some(stem) = name.strip_suffix(ending) {
            return (stem, Some(unit));
        }
    }
    (name, None)
}
