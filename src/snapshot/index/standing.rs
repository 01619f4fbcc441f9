//! How a namespace stands: what is known of it, and why nothing is.

use std::sync::Arc;

use super::PodIndex;
use crate::snapshot::event::ListScope;
use crate::snapshot::namespace::Namespace;
use crate::snapshot::part::{NamespacePart, NamespaceState};

impl PodIndex {
    /// The namespace as it is now; `None` when nothing is known of it.
    pub(super) fn part(&self, name: &Arc<str>) -> Option<NamespacePart> {
        let known = self.namespaces.get(name);
        let (state, reason) = self.state(name, known);
        let (record, pods) = known.map_or((None, None), |known| (known.record.clone(), Some(known.pods())));
        let is_there = record.is_some() || pods.is_some_and(|pods| !pods.is_empty());
        if !is_there && state != NamespaceState::Refused && !self.selection.is_included(name) {
            return None;
        }
        let pods = pods.cloned().unwrap_or_default();
        let images = known.map(|known| known.images().clone()).unwrap_or_default();
        Some(NamespacePart::new(Arc::clone(name), state, reason, record, pods, images))
    }

    fn state(&self, name: &Arc<str>, known: Option<&Namespace>) -> (NamespaceState, Option<Arc<str>>) {
        if !self.selection.selects(name) {
            return (NamespaceState::Excluded, None);
        }
        let refused = |scope: &ListScope| self.lists.get(scope).and_then(|outcome| outcome.refused.clone());
        let reason = refused(&ListScope::AllPods).or_else(|| refused(&ListScope::PodsOf(Arc::clone(name))));
        if reason.is_some() {
            return (NamespaceState::Refused, reason);
        }
        // Where the pods of the whole cluster are listed, a namespace that nothing names does not exist.
        let is_unnamed = || {
            self.lists.contains_key(&ListScope::AllPods)
                && refused(&ListScope::Namespaces).is_none()
                && known.is_none_or(|known| known.record.is_none())
        };
        let is_unknown = known.is_some_and(|known| known.is_unknown) || is_unnamed();
        let is_empty = known.is_none_or(|known| known.pods().is_empty());
        (if is_unknown && is_empty { NamespaceState::Unknown } else { NamespaceState::Read }, None)
    }
}
