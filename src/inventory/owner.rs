//! Who manages a pod: its controlling owner, and the workload behind that, as far as names tell.
//!
//! A pod names its ReplicaSet or Job alone. Whose they are is read from names that Kubernetes' own controllers give, so that
//! no right beyond pods is needed; such a workload is marked as inferred.

use std::sync::Arc;

/// Digits at the end of a Job's name that a CronJob made: the minute for which it was due.
const CRON_DIGITS: usize = 8;

/// The object that manages a pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnerRef {
    /// `ReplicaSet`, `DaemonSet`, `Node`, …
    pub kind: Arc<str>,
    pub name: Arc<str>,
    /// Whose template's hash the name ends in, by the pod's label.
    pub template: Option<Template>,
}

/// Whose template a ReplicaSet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Template {
    /// The label `pod-template-hash`.
    Deployment,
    /// The label `rollouts-pod-template-hash`, of Argo Rollouts.
    Rollout,
}

/// What a user calls the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload<'a> {
    /// `Deployment`, `CronJob`, `DaemonSet`, `Node`, …
    pub kind: &'a str,
    pub name: &'a str,
    /// Read from the owner's name, and not from the pod.
    pub is_inferred: bool,
}

impl Template {
    /// The label of a pod that has the hash.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deployment => "pod-template-hash",
            Self::Rollout => "rollouts-pod-template-hash",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::Rollout => "Rollout",
        }
    }
}

impl OwnerRef {
    /// An owner, and whose template its name tells of. `hash` gives the pod's value of a label.
    #[must_use]
    pub fn new<'h>(kind: Arc<str>, name: Arc<str>, hash: impl Fn(&str) -> Option<&'h str>) -> Self {
        let is_of = |template: &Template| {
            let rest = hash(template.label()).filter(|hash| !hash.is_empty()).and_then(|hash| name.strip_suffix(hash));
            rest.and_then(|rest| rest.strip_suffix('-')).is_some_and(|rest| !rest.is_empty())
        };
        let template = [Template::Rollout, Template::Deployment]
            .into_iter()
            .find(|template| &*kind == "ReplicaSet" && is_of(template));
        Self { kind, name, template }
    }

    /// The workload that it belongs to, or that it is.
    #[must_use]
    pub fn workload(&self) -> Workload<'_> {
        let Self { kind, name, template } = self;
        // Neither a hash nor a number has a hyphen in it.
        let inferred = name.rsplit_once('-').filter(|(before, _)| !before.is_empty()).and_then(|(name, last)| {
            let is_time = last.len() >= CRON_DIGITS && last.bytes().all(|byte| byte.is_ascii_digit());
            let kind = match template {
                Some(template) => template.kind(),
                None if **kind == *"Job" && is_time => "CronJob",
                None => return None,
            };
            Some(Workload { kind, name, is_inferred: true })
        });
        inferred.unwrap_or(Workload { kind, name, is_inferred: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::deployment("ReplicaSet", "web-6b7f9c", &[("pod-template-hash", "6b7f9c")], "Deployment", "web", true)]
    #[case::hyphens("ReplicaSet", "web-api-6b7f9c", &[("pod-template-hash", "6b7f9c")], "Deployment", "web-api", true)]
    #[case::rollout("ReplicaSet", "web-6b7f9c", &[("rollouts-pod-template-hash", "6b7f9c")], "Rollout", "web", true)]
    #[case::of_another("ReplicaSet", "web-6b7f9c", &[("pod-template-hash", "ffffff")], "ReplicaSet", "web-6b7f9c", false)]
    #[case::no_label("ReplicaSet", "web-6b7f9c", &[], "ReplicaSet", "web-6b7f9c", false)]
    #[case::empty_label("ReplicaSet", "web-", &[("pod-template-hash", "")], "ReplicaSet", "web-", false)]
    #[case::hash_alone("ReplicaSet", "-6b7f9c", &[("pod-template-hash", "6b7f9c")], "ReplicaSet", "-6b7f9c", false)]
    #[case::no_hyphen("ReplicaSet", "web6b7f9c", &[("pod-template-hash", "6b7f9c")], "ReplicaSet", "web6b7f9c", false)]
    #[case::other_kind("StatefulSet", "db-6b7f9c", &[("pod-template-hash", "6b7f9c")], "StatefulSet", "db-6b7f9c", false)]
    #[case::cron_job("Job", "backup-29401230", &[], "CronJob", "backup", true)]
    #[case::long_time("Job", "backup-294012301", &[], "CronJob", "backup", true)]
    #[case::job("Job", "backup-2940123", &[], "Job", "backup-2940123", false)]
    #[case::named_job("Job", "migrate-v12345678", &[], "Job", "migrate-v12345678", false)]
    #[case::time_alone("Job", "-29401230", &[], "Job", "-29401230", false)]
    #[case::node("Node", "worker-12345678", &[], "Node", "worker-12345678", false)]
    fn names_tell_the_workload(
        #[case] kind: &str,
        #[case] name: &str,
        #[case] labels: &[(&str, &str)],
        #[case] workload: &str,
        #[case] called: &str,
        #[case] is_inferred: bool,
    ) {
        let hash = |label: &str| labels.iter().find(|(key, _)| *key == label).map(|(_, value)| *value);
        let owner = OwnerRef::new(kind.into(), name.into(), hash);
        assert_eq!(owner.workload(), Workload { kind: workload, name: called, is_inferred });
    }
}
