//! What is logged about a snapshot: each thing once, not at every poll.

use std::collections::BTreeSet;

use crate::inventory::{excerpt, join_names};
use crate::snapshot::{NamespaceState, Snapshot};
use crate::warned::Warned;

/// As many names stand in one line of the log.
const NAMES_MAX: usize = 10;

/// What is missing, in one line, for whoever sees no log; `None` when nothing is.
#[must_use]
pub fn lacking(snapshot: &Snapshot) -> Option<String> {
    let completeness = snapshot.completeness();
    let missing = completeness.missing.iter().map(|missing| match &missing.namespace {
        Some(namespace) => format!("namespace {}: {}", excerpt(namespace), missing.reason),
        None => missing.reason.to_string(),
    });
    let skipped = completeness.skipped_samples.iter().map(|item| format!("{}: {}", item.item, item.problem));
    let first = missing.chain(skipped).next()?;
    let more = completeness.missing.len() as u64 + completeness.skipped - 1;
    Some(if more > 0 { format!("{first} (and {more} more, which the log names)") } else { first })
}

/// Remembers what was logged, so that a state that lasts is a line and not a line every interval.
#[derive(Debug, Default)]
pub struct Reporter {
    warned: Warned,
    /// Namespaces of which somebody else reports that they do not exist.
    typed: BTreeSet<String>,
}

impl Reporter {
    /// Says nothing of these namespaces when they do not exist.
    #[must_use]
    pub fn without(typed: &[String]) -> Self {
        Self { typed: typed.iter().cloned().collect(), ..Self::default() }
    }

    /// Warns of everything that is missing or odd and was not so in the last snapshot.
    pub fn report(&mut self, snapshot: &Snapshot) {
        for finding in self.news(snapshot) {
            tracing::warn!("{finding}");
        }
    }

    /// What was not so in the last snapshot, sorted.
    fn news(&mut self, snapshot: &Snapshot) -> Vec<String> {
        self.warned.replace(findings(snapshot, &self.typed))
    }
}

fn findings(snapshot: &Snapshot, typed: &BTreeSet<String>) -> impl Iterator<Item = String> {
    let completeness = snapshot.completeness();
    let missing = completeness.missing.iter().map(|missing| match &missing.namespace {
        Some(namespace) => format!("incomplete: namespace {}: {}", excerpt(namespace), missing.reason),
        None => format!("incomplete: {}", missing.reason),
    });
    let skipped = completeness.skipped_samples.iter().map(|item| format!("skipped: {}: {}", item.item, item.problem));
    let more = completeness.skipped.saturating_sub(completeness.skipped_samples.len() as u64);
    let more = (more > 0).then(|| format!("skipped: {more} more items that could not be read"));
    let unknown = snapshot
        .namespaces()
        .iter()
        .filter(|part| part.state() == NamespaceState::Unknown && !typed.contains(&**part.name()))
        .map(|part| {
            format!("namespace {} is included by name, and the cluster does not have it", excerpt(part.name()))
        });
    let stray = snapshot.namespaces().iter().flat_map(|part| part.pods()).filter(|pod| !pod.stray_statuses.is_empty());
    let stray = stray.map(|pod| {
        format!(
            "pod {}/{} reports containers that its spec does not have, left out: {}",
            excerpt(&pod.namespace),
            excerpt(&pod.name),
            join_names(&pod.stray_statuses, NAMES_MAX)
        )
    });
    missing.chain(skipped).chain(more).chain(unknown).chain(stray)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::{Event, ListScope, Observation, PodIndex};

    /// Relists of a cluster of which one namespace was asked for by name.
    fn relist(index: &mut PodIndex, shop: Event) -> std::sync::Arc<Snapshot> {
        for event in [Event::RelistBegun(ListScope::Namespaces), shop, Event::RelistEnded(ListScope::Namespaces)] {
            index.apply(event);
        }
        index.apply(Event::Observed(Observation::at("2026-11-24T09:30:00Z".parse().expect("time"))));
        index.publish();
        std::sync::Arc::clone(index.snapshot().expect("a snapshot"))
    }

    fn index() -> PodIndex {
        PodIndex::new("demo", NamespaceSelection::new([Box::from("shop")], Vec::new()))
    }

    #[test]
    fn a_namespace_that_the_cluster_does_not_have_is_said_once_and_again_after_it_was_there() {
        let (mut index, mut reporter) = (index(), Reporter::default());
        let unknown = || Event::NamespaceUnknown("shop".into());
        let there = || Event::from(crate::inventory::NamespaceRecord::named("shop"));
        let said = ["namespace shop is included by name, and the cluster does not have it"];
        assert_eq!(reporter.news(&relist(&mut index, unknown())), said);
        assert_eq!(reporter.news(&relist(&mut index, unknown())), [] as [&str; 0]);
        assert_eq!(reporter.news(&relist(&mut index, there())), [] as [&str; 0]);
        assert_eq!(reporter.news(&relist(&mut index, unknown())), said);
    }

    #[test]
    fn a_refused_namespace_is_said_with_its_reason() {
        let (mut index, mut reporter) = (index(), Reporter::default());
        let refused =
            Event::Refused { scope: ListScope::PodsOf("shop".into()), reason: "missing right: list pods".into() };
        let said = reporter.news(&relist(&mut index, refused));
        assert_eq!(said, ["incomplete: namespace shop: missing right: list pods"]);
    }
}
