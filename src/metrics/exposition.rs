//! All metrics as the text that a scraper reads.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::families::Families;
use super::inventory::{self, Counted, ImageRules};
use super::process::Process;
use super::{Metrics, Serving};
use crate::config::MetricsSettings;
use crate::health::{Health, HealthReport};
use crate::inventory::ReportPolicy;
use crate::snapshot::Snapshot;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes what was recorded, and what can be read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Exposition(Arc<Sources>);

#[derive(Debug)]
struct Sources {
    metrics: Metrics,
    health: Health,
    images: ImageRules,
    /// The counts of the last snapshot that was asked about.
    counted: Mutex<Option<Arc<Counted>>>,
}

#[derive(Debug)]
struct Scrape {
    metrics: Metrics,
    report: HealthReport,
    counted: Option<Arc<Counted>>,
    images: ImageRules,
    serving: Serving,
    process: Process,
}

impl Exposition {
    /// Of what `metrics` records and `health` knows. `policy` has which images count, `settings` how many
    /// have a series of their own.
    #[must_use]
    pub fn new(metrics: Metrics, health: Health, policy: &ReportPolicy, settings: &MetricsSettings) -> Self {
        let images =
            ImageRules { only_running: policy.ignore_not_running, info_limit: settings.image_info_limit as usize };
        Self(Arc::new(Sources { metrics, health, images, counted: Mutex::default() }))
    }

    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The whole text. Blocks: the first time in each generation it walks the snapshot.
    ///
    /// # Errors
    /// A family could not be written, which is a bug.
    pub fn text(&self, serving: Serving) -> Result<String, fmt::Error> {
        let Sources { metrics, health, images, counted: _ } = &*self.0;
        let report = health.report(Timestamp::now());
        let counted = report.snapshot.as_deref().map(|snapshot| self.counted(snapshot));
        let (metrics, images, process) = (metrics.clone(), *images, Process::read());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { metrics, report, counted, images, serving, process }));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }

    fn counted(&self, snapshot: &Snapshot) -> Arc<Counted> {
        let mut kept = self.0.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(counted) if counted.generation == snapshot.generation() => Arc::clone(counted),
            _ => Arc::clone(kept.insert(Arc::new(Counted::of(snapshot, self.0.images)))),
        }
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { metrics, report, counted, images, serving, process } = self;
        let families = &mut Families::new(encoder);
        let build = [("version", env!("CARGO_PKG_VERSION")), ("revision", env!("BUILD_COMMIT"))];
        families.info("kai_build", "Version and revision of kai.", [build])?;
        inventory::write(
            families,
            report.snapshot.as_deref().zip(counted.as_deref()),
            report.observed_at,
            report.age.as_secs_f64(),
            *images,
        )?;
        metrics.polls().write(families)?;
        metrics.api().write(families)?;
        metrics.watch().write(families)?;
        metrics.http().write(families, serving)?;
        metrics.push().write(families, &report.push)?;
        metrics.history().write(families, report.history.as_ref())?;
        families.counter(
            "kai_log_lines_lost",
            "Log lines that were not written: the log was read too slowly, or its disk is full.",
            metrics.lost_log_lines(),
        )?;
        process.write(families, metrics.started_at())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::feed::feed;
    use crate::health::PushBoard;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::PodIndex;
    use crate::testing::cluster;

    #[test]
    fn a_snapshot_is_counted_once_however_often_it_is_scraped() {
        let health = Health::new(feed().1, None, Duration::from_mins(1), PushBoard::default());
        let (policy, settings) = (ReportPolicy::default(), MetricsSettings::default());
        let exposition = Exposition::new(Metrics::default(), health, &policy, &settings);
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        let mut snapshot_with = |namespace: &str| cluster().namespace(namespace).relist_into(&mut index);
        let (first, second) = (snapshot_with("apps"), snapshot_with("shop"));
        let counted = exposition.counted(&first);
        assert!(Arc::ptr_eq(&counted, &exposition.counted(&first)));
        assert_eq!(exposition.counted(&second).generation, 2);
    }
}
