//! `output`, `mode`, `log.*`, the intervals of collection, `metrics.*`, and what a report says.

use std::path::Path;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::Given;
use crate::config::effective::Effective;
use crate::config::problem::Problems;
use crate::config::settings::{CollectionSettings, LogSettings, MetricsSettings, Mode};
use crate::inventory::{MissingTagPolicy, ReportPolicy, excerpt};
use crate::views::Format;

/// The shortest deadline of one poll when none is set: a large cluster must be readable at a short interval too.
const LEAST_CYCLE_TIMEOUT: Duration = Duration::from_mins(5);

pub(super) fn output(values: &Effective) -> Format {
    Format::named(values.word("output")).unwrap_or(Format::ALL[0])
}

pub(super) fn mode(values: &Effective) -> Mode {
    match values.word("mode") {
        "periodic" => Mode::Periodic,
        _ => Mode::Adhoc,
    }
}

pub(super) fn log(given: Given<'_>) -> LogSettings {
    let values = given.values;
    let level = match values.word("log.level") {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "warn" | "warning" => LevelFilter::WARN,
        "error" | "panic" | "fatal" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    // `-v` is typed for this one run and so counts more than `quiet` in a file.
    let quiet = values.switch("quiet") && given.flags.verbose == 0;
    LogSettings {
        structured: values.switch("log.structured"),
        level: if quiet { LevelFilter::ERROR } else { level },
        file: values.text("log.file").map(|path| given.environment.resolve(Path::new(path))),
    }
}

pub(super) fn collection(values: &Effective) -> CollectionSettings {
    let interval = values.seconds("polling-interval-seconds");
    let cycle_timeout = values.seconds("collection.cycle-timeout-seconds");
    let stale_after = values.seconds("collection.stale-after-seconds");
    CollectionSettings {
        interval,
        cycle_timeout: if cycle_timeout.is_zero() { interval.max(LEAST_CYCLE_TIMEOUT) } else { cycle_timeout },
        stale_after: (!stale_after.is_zero()).then_some(stale_after),
    }
}

pub(super) fn metrics(values: &Effective) -> MetricsSettings {
    MetricsSettings { image_info_limit: values.small_number("metrics.image-info-limit") }
}

pub(super) fn report(values: &Effective, problems: &mut Problems) -> ReportPolicy {
    ReportPolicy {
        missing_tag: missing_tag(values, problems),
        ignore_not_running: values.switch("ignore-not-running"),
        ignore_empty: values.switch("namespace-selectors.ignore-empty"),
        missing_registry_override: registry_override(values, problems),
    }
}

fn missing_tag(values: &Effective, problems: &mut Problems) -> MissingTagPolicy {
    match values.word("missing-tag-policy.policy") {
        "insert" => {
            let tag = values.text("missing-tag-policy.tag");
            if tag.is_none() {
                let text = "is empty, and missing-tag-policy.policy is insert; write the tag to insert, or the policy \
                            digest or drop";
                problems.add_missing(values.origin("missing-tag-policy.tag"), "missing-tag-policy.tag", text);
            }
            MissingTagPolicy::Insert(tag.unwrap_or_default().into())
        }
        "drop" => MissingTagPolicy::Drop,
        _ => MissingTagPolicy::Digest,
    }
}

fn registry_override(values: &Effective, problems: &mut Problems) -> Option<Box<str>> {
    const KEY: &str = "missing-registry-override";
    let written = values.text(KEY)?;
    let registry = written.strip_suffix('/').unwrap_or(written);
    let reason = if registry.contains("://") {
        "has a scheme"
    } else if registry.contains(|character: char| character.is_whitespace() || character.is_control()) {
        "has a space or control character in it"
    } else if registry.is_empty() || registry.starts_with('/') || registry.ends_with('/') {
        "has a slash where no name stands"
    } else {
        return Some(registry.into());
    };
    let text = format!("\"{}\" {reason}; write a registry as in registry.example.com:5000", excerpt(written));
    problems.add(values.origin(KEY), KEY, text);
    None
}
