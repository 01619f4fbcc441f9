//! `log.*`, the intervals of collection, `metrics.*`, and what a report says.

use std::path::Path;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::Given;
use crate::config::effective::Effective;
use crate::config::keys::{
    COLLECTION_METHOD, CYCLE_TIMEOUT, IGNORE_EMPTY, IGNORE_NOT_RUNNING, IMAGE_INFO_LIMIT, LOG_FILE, LOG_LEVEL,
    LOG_STRUCTURED, MISSING_REGISTRY_OVERRIDE, MISSING_TAG, MISSING_TAG_POLICY, POLLING_INTERVAL, QUIET, STALE_AFTER,
    VERIFY_INTERVAL,
};
use crate::config::problem::Problems;
use crate::config::settings::{CollectionSettings, LogSettings, MetricsSettings};
use crate::config::words::TagPolicy;
use crate::inventory::{MissingTagPolicy, ReportPolicy, excerpt};

/// The shortest deadline of one poll when none is set: a large cluster must be readable at a short interval too.
const LEAST_CYCLE_TIMEOUT: Duration = Duration::from_mins(5);

pub(super) fn log(given: Given<'_>) -> LogSettings {
    let values = given.values;
    // `-v` is typed for this one run and so counts more than `quiet` in a file.
    let quiet = values.switch(QUIET) && given.flags.verbose == 0;
    LogSettings {
        structured: values.switch(LOG_STRUCTURED),
        level: if quiet { LevelFilter::ERROR } else { values.word(LOG_LEVEL).filter() },
        file: values.text(LOG_FILE).map(|path| given.environment.resolve(Path::new(path))),
    }
}

pub(super) fn collection(values: &Effective) -> CollectionSettings {
    let interval = values.seconds(POLLING_INTERVAL);
    let cycle_timeout = values.seconds(CYCLE_TIMEOUT);
    let stale_after = values.seconds(STALE_AFTER);
    CollectionSettings {
        method: values.word(COLLECTION_METHOD),
        interval,
        cycle_timeout: if cycle_timeout.is_zero() { interval.max(LEAST_CYCLE_TIMEOUT) } else { cycle_timeout },
        verify_interval: Some(values.seconds(VERIFY_INTERVAL)).filter(|interval| !interval.is_zero()),
        stale_after: (!stale_after.is_zero()).then_some(stale_after),
    }
}

pub(super) fn metrics(values: &Effective) -> MetricsSettings {
    MetricsSettings { image_info_limit: values.small_number(IMAGE_INFO_LIMIT) }
}

pub(super) fn report(values: &Effective, problems: &mut Problems) -> ReportPolicy {
    ReportPolicy {
        missing_tag: missing_tag(values, problems),
        ignore_not_running: values.switch(IGNORE_NOT_RUNNING),
        ignore_empty: values.switch(IGNORE_EMPTY),
        missing_registry_override: registry_override(values, problems),
    }
}

fn missing_tag(values: &Effective, problems: &mut Problems) -> MissingTagPolicy {
    match values.word(MISSING_TAG_POLICY) {
        TagPolicy::Insert => {
            let tag = values.text(MISSING_TAG);
            if tag.is_none() {
                let text = "is empty, and missing-tag-policy.policy is insert; write the tag to insert, or the policy \
                            digest or drop";
                problems.add_missing(values.origin(MISSING_TAG), MISSING_TAG, text);
            }
            MissingTagPolicy::Insert(tag.unwrap_or_default().into())
        }
        TagPolicy::Drop => MissingTagPolicy::Drop,
        TagPolicy::Digest => MissingTagPolicy::Digest,
    }
}

fn registry_override(values: &Effective, problems: &mut Problems) -> Option<Box<str>> {
    let written = values.text(MISSING_REGISTRY_OVERRIDE)?;
    let registry = written.strip_suffix('/').unwrap_or(written);
    let reason = if registry.contains("://") {
        "has a scheme"
    } else if registry.contains(|character: char| character.is_whitespace() || character.is_control()) {
        "has a space or control character in it"
    } else if registry.is_empty() || registry.starts_with('/') || registry.ends_with('/') {
        "has an empty name before or after a slash"
    } else {
        return Some(registry.into());
    };
    let text = format!("\"{}\" {reason}; write a registry, for example registry.example.com:5000", excerpt(written));
    problems.add(values.origin(MISSING_REGISTRY_OVERRIDE), MISSING_REGISTRY_OVERRIDE, text);
    None
}
