//! What the log says of a snapshot: each thing once, not at every poll.

use std::collections::BTreeSet;

use crate::inventory::excerpt;
use crate::snapshot::{NamespaceState, Snapshot};

/// Remembers what was said, so that a state that lasts is a line and not a line every interval.
#[derive(Debug, Default)]
pub struct Reporter {
    said: BTreeSet<String>,
}

impl Reporter {
    /// Warns of everything that is missing or odd and was not so in the last snapshot.
    pub fn report(&mut self, snapshot: &Snapshot) {
        let now: BTreeSet<String> = findings(snapshot).collect();
        for finding in now.difference(&self.said) {
            tracing::warn!("{finding}");
        }
        self.said = now;
    }
}

fn findings(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    let completeness = snapshot.completeness();
    let missing = completeness.missing.iter().map(|missing| match &missing.namespace {
        Some(namespace) => format!("incomplete: namespace {}: {}", excerpt(namespace), missing.reason),
        None => format!("incomplete: {}", missing.reason),
    });
    let skipped = completeness.skipped_samples.iter().map(|item| format!("skipped: {}: {}", item.item, item.problem));
    let more = completeness.skipped.saturating_sub(completeness.skipped_samples.len() as u64);
    let more = (more > 0).then(|| format!("skipped: {more} more items that could not be read"));
    let unknown = snapshot.namespaces().iter().filter(|part| part.state() == NamespaceState::Unknown).map(|part| {
        format!("namespace {} is included by name, and the cluster does not have it", excerpt(part.name()))
    });
    let stray = snapshot.namespaces().iter().flat_map(|part| part.pods()).filter_map(|pod| {
        let names: Vec<String> = pod.stray_statuses.iter().map(|name| excerpt(name).to_string()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "pod {}/{} reports containers that its spec does not have, left out: {}",
                excerpt(&pod.namespace),
                excerpt(&pod.name),
                names.join(", ")
            )
        })
    });
    missing.chain(skipped).chain(more).chain(unknown).chain(stray)
}
