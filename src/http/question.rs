//! What a client can ask, normalised: two requests that mean the same share one body.

use std::io::{self, Write};
use std::sync::Arc;

use super::negotiate::Format;
use crate::inventory::ReportPolicy;
use crate::snapshot::{ContentHash, NamespacePart, NamespaceState, Snapshot};
use crate::views::{self, KaiReport, Layout, NamespaceImages, NamespaceList};

/// What a body answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// The report; of these namespaces alone, sorted, when there are any.
    Inventory { namespaces: Option<Arc<[Arc<str>]>>, format: Format },
    /// The list of namespaces.
    Namespaces,
    /// The images of one namespace.
    Images { namespace: Arc<str> },
}

/// The state that a body is of. A namespace's body stays good for as long as the namespace is the same; the others say
/// when the cluster was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Version {
    Generation(u64),
    Part(ContentHash),
}

/// Why a namespace has no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Unknown to kai or excluded.
    Unknown(String),
    /// Its pods could not be listed.
    Refused { namespace: Arc<str>, reason: String },
}

impl Question {
    /// The report of the namespaces of these names, sorted; of all when there are none.
    pub(super) fn inventory(snapshot: &Snapshot, names: &[String], format: Format) -> Result<Self, NoAnswer> {
        if names.is_empty() {
            return Ok(Self::Inventory { namespaces: None, format });
        }
        let namespaces: Result<Vec<_>, _> =
            names.iter().map(|name| Ok(Arc::clone(answerable(snapshot, name)?.name()))).collect();
        Ok(Self::Inventory { namespaces: Some(namespaces?.into()), format })
    }

    /// The images of the namespace of that name.
    pub(super) fn images(snapshot: &Snapshot, name: &str) -> Result<Self, NoAnswer> {
        Ok(Self::Images { namespace: Arc::clone(answerable(snapshot, name)?.name()) })
    }

    /// Which state of the snapshot the body is of; `None` when the snapshot has no answer.
    pub(super) fn version(&self, snapshot: &Snapshot) -> Option<Version> {
        let generation = Version::Generation(snapshot.generation());
        match self {
            Self::Namespaces | Self::Inventory { namespaces: None, .. } => Some(generation),
            Self::Inventory { namespaces: Some(names), .. } => {
                names.iter().all(|name| answerable(snapshot, name).is_ok()).then_some(generation)
            }
            Self::Images { namespace } => {
                answerable(snapshot, namespace).ok().map(|part| Version::Part(part.content_hash()))
            }
        }
    }

    /// Whether a client can make up any number of questions like it.
    pub(super) fn is_a_choice(&self) -> bool {
        matches!(self, Self::Inventory { namespaces: Some(_), .. })
    }

    /// The media type of the answer.
    pub(super) fn media_type(&self) -> &'static str {
        match self {
            Self::Inventory { format: Format::Csv, .. } => "text/csv; charset=utf-8",
            _ => "application/json",
        }
    }

    /// About how many bytes the question itself takes where it is kept.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Inventory { namespaces: Some(names), .. } => names.len() * size_of::<Arc<str>>(),
            _ => 0,
        }
    }

    /// Writes the answer and gives the opaque part of its ETag.
    pub(super) fn write(&self, snapshot: &Snapshot, policy: &ReportPolicy, writer: impl Write) -> io::Result<String> {
        match self {
            Self::Inventory { namespaces, format } => {
                let wanted = |name: &str| namespaces.as_ref().is_none_or(|names| contains(names, name));
                let report = KaiReport::of(snapshot, policy, wanted);
                match format {
                    Format::Json => serde_json::to_writer(writer, &report)?,
                    Format::Csv => views::Format::Csv.write(&report, Layout::Compact, writer)?,
                }
                let format = match format {
                    Format::Json => "json",
                    Format::Csv => "csv",
                };
                Ok(format!("{}-{format}", report.content_hash()))
            }
            Self::Namespaces => {
                let list = NamespaceList::of(snapshot, policy);
                serde_json::to_writer(writer, &list)?;
                Ok(format!("{}-json", list.content_hash()))
            }
            Self::Images { namespace } => {
                let part = snapshot.namespace(namespace).ok_or(io::ErrorKind::NotFound)?;
                let images = NamespaceImages::of(part, policy);
                serde_json::to_writer(writer, &images)?;
                Ok(format!("{}-json", images.content_hash()))
            }
        }
    }
}

/// The namespace, when kai can say what runs in it: nothing at all in one that was included and does not exist.
fn answerable<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Arc<NamespacePart>, NoAnswer> {
    let part = snapshot.namespace(name).ok_or_else(|| NoAnswer::Unknown(name.to_owned()))?;
    match part.state() {
        NamespaceState::Read | NamespaceState::Unknown => Ok(part),
        NamespaceState::Excluded => Err(NoAnswer::Unknown(name.to_owned())),
        NamespaceState::Refused => Err(NoAnswer::Refused {
            namespace: Arc::clone(part.name()),
            reason: part.reason().unwrap_or("no reason was given").to_owned(),
        }),
    }
}

fn contains(sorted: &[Arc<str>], name: &str) -> bool {
    sorted.binary_search_by(|known| (**known).cmp(name)).is_ok()
}
