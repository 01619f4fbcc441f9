//! Labels and annotations, and which of them are kept: none, unless they are sent.

use std::sync::Arc;

use regex::Regex;

/// Labels or annotations, sorted by key.
pub type KeyValues = Box<[(Arc<str>, Arc<str>)]>;

/// What is kept of an object's labels and annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// `metadata.labels`.
    pub labels: KeyValues,
    /// `metadata.annotations`.
    pub annotations: KeyValues,
}

impl Metadata {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    /// The value of a label that was kept.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&Arc<str>> {
        let position = self.labels.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        self.labels.get(position).map(|(_, value)| value)
    }
}

#[derive(Debug, Clone, Default)]
pub enum KeyFilter {
    #[default]
    None,
    All,
    /// Those in which one of the expressions is found anywhere.
    Matching(Arc<[Regex]>),
}

impl KeyFilter {
    /// Whether a key is kept.
    #[must_use]
    pub fn keeps(&self, key: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Matching(expressions) => expressions.iter().any(|expression| expression.is_match(key)),
        }
    }

    /// Whether no key is kept, whatever it is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Which labels and annotations of a kind of object are kept.
#[derive(Debug, Clone, Default)]
pub struct MetadataRule {
    pub labels: KeyFilter,
    pub annotations: KeyFilter,
}

impl MetadataRule {
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.labels.is_none() && self.annotations.is_none()
    }
}

/// How much is kept of what is read, beyond what the report of images needs. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    pub pods: MetadataRule,
    pub namespaces: MetadataRule,
    /// A label of namespaces that is kept whatever `namespaces` says: it names an account.
    pub namespace_label: Option<Box<str>>,
    /// Nodes are listed, and this is kept of them.
    pub nodes: Option<MetadataRule>,
    /// Namespaces are asked for as objects, and not just by name: their uids or labels are sent.
    pub namespace_objects: bool,
    /// `containerID` of each container.
    pub container_ids: bool,
}

impl Detail {
    /// Whether a label of a namespace is kept.
    #[must_use]
    pub fn keeps_namespace_label(&self, key: &str) -> bool {
        self.namespace_label.as_deref() == Some(key) || self.namespaces.labels.keeps(key)
    }
}
