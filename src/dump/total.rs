//! What all files of an input hold together, and what that means.

use std::collections::BTreeMap;

use crate::decode::DumpEnd;
use crate::inventory::excerpt;

/// As many kinds as a message names.
const KINDS_SHOWN: usize = 8;
/// Kinds whose objects make pods.
const WORKLOADS: [&str; 9] = [
    "CronJob",
    "DaemonSet",
    "Deployment",
    "DeploymentConfig",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "StatefulSet",
];
/// Counted among the other kinds, and read all the same.
const NODE: &str = "Node";

#[derive(Debug, Default)]
pub(super) struct Total {
    /// Pods or namespaces, or lists of them, were found.
    pub(super) is_recognised: bool,
    /// Pods, or a list of pods, were found: an empty one means that there are none.
    has_pods: bool,
    other_kinds: BTreeMap<String, u64>,
}

impl Total {
    pub(super) fn add(&mut self, end: &DumpEnd) {
        self.is_recognised |= end.is_recognised;
        self.has_pods |= end.pods > 0 || end.had_pod_list;
        for (kind, count) in &end.other_kinds {
            *self.other_kinds.entry(kind.clone()).or_default() += count;
        }
    }

    /// Why pods must be missing: what makes pods is there, and no pod.
    pub(super) fn lacks_pods(&self) -> Option<String> {
        let is_workload = |kind: &str| WORKLOADS.contains(&kind);
        let workloads = self.counted(is_workload).filter(|_| !self.has_pods && self.is_recognised)?;
        Some(format!(
            "the input has no pods, only what makes them ({workloads}); save it with `kubectl get namespaces,pods`"
        ))
    }

    /// What was passed over, as in `3 Deployment, 2 Service`; `None` when nothing was.
    pub(super) fn passed_over(&self) -> Option<String> {
        self.counted(|kind| kind != NODE)
    }

    pub(super) fn others(&self) -> Option<String> {
        self.counted(|_| true)
    }

    /// The kinds with their counts, the most frequent first.
    fn counted(&self, is_meant: impl Fn(&str) -> bool) -> Option<String> {
        let mut kinds: Vec<_> = self.other_kinds.iter().filter(|(kind, _)| is_meant(kind)).collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut texts: Vec<String> =
            kinds.iter().take(KINDS_SHOWN).map(|(kind, count)| format!("{count} {}", excerpt(kind))).collect();
        let more: u64 = kinds.iter().skip(KINDS_SHOWN).map(|(_, count)| *count).sum();
        if more > 0 {
            texts.push(format!("{more} more"));
        }
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn total(pods: u64, had_pod_list: bool, others: &[(&str, u64)]) -> Total {
        let other_kinds = others.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let mut total = Total::default();
        total.add(&DumpEnd { pods, had_pod_list, is_recognised: true, other_kinds, ..DumpEnd::default() });
        total
    }

    #[rstest]
    #[case::pods_are_there(1, true, &[("Deployment", 1)], false)]
    #[case::a_list_of_none(0, true, &[("Deployment", 1)], false)]
    #[case::nobody_makes_pods(0, false, &[("ConfigMap", 1)], false)]
    #[case::nothing_else(0, false, &[], false)]
    #[case::pods_are_missing(0, false, &[("Deployment", 1)], true)]
    fn what_makes_pods_without_pods_is_not_whole(
        #[case] pods: u64,
        #[case] had_pod_list: bool,
        #[case] others: &[(&str, u64)],
        #[case] expected: bool,
    ) {
        assert_eq!(total(pods, had_pod_list, others).lacks_pods().is_some(), expected);
    }

    #[test]
    fn kinds_are_counted_over_all_files() {
        let mut all = total(0, true, &[("Node", 7), ("Service", 1)]);
        all.add(&DumpEnd {
            other_kinds: [("Secret".to_owned(), 2), ("Service".to_owned(), 2)].into(),
            ..DumpEnd::default()
        });
        assert_eq!(all.passed_over().as_deref(), Some("3 Service, 2 Secret"));
        assert_eq!(all.others().as_deref(), Some("7 Node, 3 Service, 2 Secret"));
        let many: Vec<String> = (0..10).map(|at| format!("Kind{at}")).collect();
        let many: Vec<_> = many.iter().map(|kind| (kind.as_str(), 1)).collect();
        assert!(total(0, true, &many).passed_over().is_some_and(|text| text.ends_with("1 Kind7, 2 more")));
    }
}
