//! Which of the receiver's interfaces takes the reports, and how that is found out.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{Answer, Failure};
use crate::config::AnchoreApi;
use crate::views::PayloadForm;

/// Where the receiver names the interfaces that it has.
pub(super) const VERSION: &str = "version";

/// An interface that takes inventories, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ApiVersion {
    /// `POST /v2/kubernetes-inventory`, Anchore Enterprise 5.
    KubernetesV2,
    /// `POST /v1/enterprise/kubernetes-inventory`, late 4.x.
    KubernetesV1,
    /// `POST /v1/enterprise/inventories`, which KAI uses.
    Inventories,
}

impl ApiVersion {
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
pub(super) struct ApiVersions {
    fixed: Option<ApiVersion>,
    known: Mutex<Option<ApiVersion>>,
}

/// What `GET /version` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advertised {
    /// The receiver has the second version of the interface: a 404 of it is wrong.
    Second,
    /// It has an older one.
    Older,
    /// What answered does not know: a page, a refusal.
    Unknown,
}

/// The interfaces that one delivery has found missing.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<ApiVersion>);

impl ApiVersions {
    pub(super) fn new(api: AnchoreApi) -> Self {
        let fixed = match api {
            AnchoreApi::Auto => None,
            AnchoreApi::Inventories => Some(ApiVersion::Inventories),
            AnchoreApi::KubernetesInventoryV1 => Some(ApiVersion::KubernetesV1),
            AnchoreApi::KubernetesInventoryV2 => Some(ApiVersion::KubernetesV2),
        };
        Self { fixed, known: Mutex::new(None) }
    }

    /// Whether the settings name it, so that there is no other.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// The interface to send to.
    pub(super) fn current(&self) -> ApiVersion {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.fixed.or(known).unwrap_or(ApiVersion::KubernetesV2)
    }

    pub(super) fn worked(&self, version: ApiVersion) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
    }

    /// The next one to try when `version` is not there; `None` when none is left. What was remembered is forgotten: the
    /// receiver is another one than it was.
    pub(super) fn after(&self, version: ApiVersion, missing: &mut Missing) -> Option<ApiVersion> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == Some(version) {
            *known = None;
        }
        missing.0.push(version);
        ApiVersion::ALL.into_iter().find(|version| !missing.0.contains(version))
    }
}

impl Advertised {
    /// Reads an answer to `GET /version`.
    ///
    /// # Errors
    /// The failure, when a later try may know more.
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
    #[case::second(json!({"service": {"version": "5.12.0"}, "api": {"version": "2"}}), Advertised::Second)]
    #[case::second_in_full(json!({"api": {"version": "2.13.0"}}), Advertised::Second)]
    #[case::none_as_in_4(json!({"service": {"version": "4.9.0"}, "db": {"schema_version": "490"}}), Advertised::Older)]
    #[case::older(json!({"api": {"version": "0.5.0"}}), Advertised::Older)]
    #[case::twenty(json!({"api": {"version": "20"}}), Advertised::Older)]
    #[case::no_object(json!("2"), Advertised::Unknown)]
    fn the_version_names_the_interface(#[case] json: Value, #[case] expected: Advertised) {
        assert_eq!(Advertised::of_json(&json), expected);
    }

    #[test]
    fn each_interface_is_tried_once_and_what_worked_first() {
        let versions = ApiVersions::new(AnchoreApi::Auto);
        assert_eq!(versions.current(), ApiVersion::KubernetesV2);
        versions.worked(ApiVersion::KubernetesV1);
        assert_eq!(versions.current(), ApiVersion::KubernetesV1);
        let mut missing = Missing::default();
        assert_eq!(versions.after(ApiVersion::KubernetesV1, &mut missing), Some(ApiVersion::KubernetesV2));
        assert_eq!(versions.current(), ApiVersion::KubernetesV2, "what gave a 404 is forgotten");
        assert_eq!(versions.after(ApiVersion::KubernetesV2, &mut missing), Some(ApiVersion::Inventories));
        assert_eq!(versions.after(ApiVersion::Inventories, &mut missing), None);
    }
}
