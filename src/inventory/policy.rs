//! What the user wants in a report, read from the settings, applied by the views.

/// How the KAI report is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPolicy {
    /// What stands for the tag of an image that is pinned by digest alone.
    pub missing_tag: MissingTagPolicy,
    /// Count only pods in phase `Running`.
    pub ignore_not_running: bool,
    /// Leave namespaces without images out.
    pub ignore_empty: bool,
    /// A registry put before names that have none, as written without a closing slash.
    pub missing_registry_override: Option<Box<str>>,
}

/// What stands for the tag of an image that is pinned by digest alone. An implied `latest` is not missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingTagPolicy {
    /// The encoded part of the entry's own digest.
    Digest,
    /// This text, never empty.
    Insert(Box<str>),
    /// The entry is left out.
    Drop,
}

impl Default for ReportPolicy {
    fn default() -> Self {
        Self {
            missing_tag: MissingTagPolicy::Digest,
            ignore_not_running: true,
            ignore_empty: false,
            missing_registry_override: None,
        }
    }
}
