//! Which of the receiver's interfaces takes the reports, and how that is found out.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{Answer, Failure};
use crate::config::AnchoreApi;
use crate::views::PayloadForm;

/// Says which interfaces the receiver has.
pub(super) const VERSION: &str = "version";

/// An interface that takes inventories, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wire {
    /// `POST /v2/kubernetes-inventory`, Anchore Enterprise 5.
    KubernetesV2,
    /// `POST /v1/enterprise/kubernetes-inventory`, late 4.x.
    KubernetesV1,
    /// `POST /v1/enterprise/inventories`, which KAI spoke.
    Inventories,
}

impl Wire {
    const ALL: [Self; 3] = [Self::KubernetesV2, Self::KubernetesV1, Self::Inventories];

    /// Where it is, below the receiver's URL.
    #[must_use]
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::KubernetesV2 => "v2/kubernetes-inventory",
            Self::KubernetesV1 => "v1/enterprise/kubernetes-inventory",
            Self::Inventories => "v1/enterprise/inventories",
        }
    }

    /// What it takes.
    #[must_use]
    pub(super) fn form(self) -> PayloadForm {
        match self {
            Self::KubernetesV2 | Self::KubernetesV1 => PayloadForm::KubernetesInventory,
            Self::Inventories => PayloadForm::Inventories,
        }
    }
}

/// The interface in use: the one of the settings, or the one that worked last.
#[derive(Debug)]
pub(super) struct Wires {
    fixed: Option<Wire>,
    known: Mutex<Option<Wire>>,
}

/// What `GET /version` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// The receiver has the second version of the interface: an answer that says otherwise is wrong.
    Second,
    /// It has an older one.
    Older,
    /// What answered cannot tell: a page, a refusal.
    Unknown,
}

/// The interfaces that one delivery has found missing.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<Wire>);

impl Wires {
    pub(super) fn new(api: AnchoreApi) -> Self {
        let fixed = match api {
            AnchoreApi::Auto => None,
            AnchoreApi::Inventories => Some(Wire::Inventories),
            AnchoreApi::KubernetesInventoryV1 => Some(Wire::KubernetesV1),
            AnchoreApi::KubernetesInventoryV2 => Some(Wire::KubernetesV2),
        };
        Self { fixed, known: Mutex::new(None) }
    }

    /// Whether the settings name it, so that there is no other.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// The interface to send to.
    pub(super) fn current(&self) -> Wire {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.fixed.or(known).unwrap_or(Wire::KubernetesV2)
    }

    /// This one took something.
    pub(super) fn worked(&self, wire: Wire) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(wire);
    }

    /// The next one to try when `wire` is not there; `None` when none is left. What was remembered is forgotten: the
    /// receiver is another one than it was.
    pub(super) fn after(&self, wire: Wire, missing: &mut Missing) -> Option<Wire> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == Some(wire) {
            *known = None;
        }
        missing.0.push(wire);
        Wire::ALL.into_iter().find(|wire| !missing.0.contains(wire))
    }
}

impl Version {
    /// Reads an answer to `GET /version`.
    ///
    /// # Errors
    /// The failure, when a later try may tell more.
    pub(super) fn of(answer: Result<Answer, Failure>) -> Result<Self, Failure> {
        match answer {
            Ok(Answer { json: Some(json), .. }) => Ok(Self::of_json(&json)),
            Err(failure) if failure.is_retryable() => Err(failure),
            Ok(_) | Err(_) => Ok(Self::Unknown),
        }
    }

    fn of_json(json: &Value) -> Self {
        if !json.is_object() {
            return Self::Unknown;
        }
        match json["api"]["version"].as_str() {
            Some(version) if version.split('.').next() == Some("2") => Self::Second,
            _ => Self::Older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::second(json!({"service": {"version": "5.12.0"}, "api": {"version": "2"}}), Version::Second)]
    #[case::second_in_full(json!({"api": {"version": "2.13.0"}}), Version::Second)]
    #[case::none_as_in_4(json!({"service": {"version": "4.9.0"}, "db": {"schema_version": "490"}}), Version::Older)]
    #[case::older(json!({"api": {"version": "0.5.0"}}), Version::Older)]
    #[case::twenty(json!({"api": {"version": "20"}}), Version::Older)]
    #[case::no_object(json!("2"), Version::Unknown)]
    fn the_version_tells_the_interface(#[case] json: Value, #[case] expected: Version) {
        assert_eq!(Version::of_json(&json), expected);
    }

    #[test]
    fn each_interface_is_tried_once_and_what_worked_first() {
        let wires = Wires::new(AnchoreApi::Auto);
        assert_eq!(wires.current(), Wire::KubernetesV2);
        wires.worked(Wire::KubernetesV1);
        assert_eq!(wires.current(), Wire::KubernetesV1);
        let mut missing = Missing::default();
        assert_eq!(wires.after(Wire::KubernetesV1, &mut missing), Some(Wire::KubernetesV2));
        assert_eq!(wires.current(), Wire::KubernetesV2, "what gave a 404 is forgotten");
        assert_eq!(wires.after(Wire::KubernetesV2, &mut missing), Some(Wire::Inventories));
        assert_eq!(wires.after(Wire::Inventories, &mut missing), None);
    }
}
