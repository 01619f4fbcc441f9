//! What a client can ask, normalised: two requests that mean the same share one body.

use std::io::{self, Write};
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};
use super::process::Process;
use super::rows::Rows;
use crate::inventory::escape_controls;
use crate::snapshot::{ContentHash, NamespacePart, NamespaceState, Snapshot};
use crate::views::{Format, KaiReport, Layout, NamespaceImages, NamespaceList};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// The report; of these namespaces alone, sorted, when there are any.
    Inventory {
        namespaces: Option<Arc<[Arc<str>]>>,
        format: Format,
    },
    Namespaces,
    /// The images of one namespace.
    Images {
        namespace: Arc<str>,
    },
    /// A page of rows.
    Rows(Rows),
}

/// What an answer is, besides its bytes.
pub(super) struct Said {
    /// The hash of its content.
    pub(super) content: ContentHash,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}

/// Which generation an answer is of. What takes long to render is a moment behind while the cluster changes without a
/// pause, so that nobody waits for it: neither those who ask for it nor those who ask for little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// One namespace, or what is made for whoever asks.
    Short,
    /// Many.
    Long,
}

impl Question {
    /// How many questions are standard.
    pub(super) const STANDARD: usize = 1 + Format::SERVED.len();

    /// The questions of which every generation keeps the bodies; of the others clients can make up any number.
    pub(super) fn all_standard() -> [Self; Self::STANDARD] {
        std::array::from_fn(|place| match place.checked_sub(1) {
            Some(served) => Self::Inventory { namespaces: None, format: Format::SERVED[served] },
            None => Self::Namespaces,
        })
    }

    /// The report of the namespaces of these names, sorted; of all when there are none.
    pub(super) fn inventory(snapshot: &Snapshot, names: &[String], format: Format) -> Result<Self, Problem> {
        if names.is_empty() {
            return Ok(Self::Inventory { namespaces: None, format });
        }
        let namespaces: Result<Vec<_>, _> =
            names.iter().map(|name| Ok(Arc::clone(answerable(snapshot, name)?.name()))).collect();
        Ok(Self::Inventory { namespaces: Some(namespaces?.into()), format })
    }

    /// The images of the namespace of that name.
    pub(super) fn images(snapshot: &Snapshot, name: &str) -> Result<Self, Problem> {
        Ok(Self::Images { namespace: Arc::clone(answerable(snapshot, name)?.name()) })
    }

    /// Its place among the standard questions.
    pub(super) fn standard(&self) -> Option<usize> {
        match self {
            Self::Namespaces => Some(0),
            Self::Inventory { namespaces: None, format } => {
                Format::SERVED.iter().position(|served| served == format).map(|place| 1 + place)
            }
            Self::Inventory { .. } | Self::Images { .. } | Self::Rows(_) => None,
        }
    }

    /// The hash of everything in the snapshot that the answer depends on, besides when it was observed. Two snapshots with
    /// an equal hash share the body. `None` when the snapshot has no answer.
    pub(super) fn content(&self, snapshot: &Snapshot) -> Option<ContentHash> {
        match self {
            Self::Namespaces => Some(snapshot.content_hash()),
            Self::Inventory { namespaces: None, .. } => Some(snapshot.images_hash()),
            Self::Inventory { namespaces: Some(names), .. } => {
                let parts = names.iter().map(|name| Some(answerable(snapshot, name).ok()?.images_hash()));
                let parts: Vec<ContentHash> = parts.collect::<Option<_>>()?;
                Some(ContentHash::of(&(snapshot.cluster_name(), snapshot.server_version(), parts)))
            }
            Self::Images { namespace } => answerable(snapshot, namespace).ok().map(|part| part.images_hash()),
            // A page says of which snapshot it is.
            Self::Rows(_) => Some(ContentHash::of(&snapshot.generation())),
        }
    }

    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Images { .. } | Self::Rows(_) => Lane::Short,
            Self::Inventory { .. } | Self::Namespaces => Lane::Long,
        }
    }

    /// Whether the next generation has the answer ready for those who keep asking. A page is another one in each generation,
    /// and whoever has read it asks for the next.
    pub(super) fn is_made_ahead(&self) -> bool {
        !matches!(self, Self::Rows(_))
    }

    /// The format of the answer.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Inventory { format, .. } => *format,
            Self::Namespaces | Self::Images { .. } | Self::Rows(_) => Format::Json,
        }
    }

    /// About how many bytes the question itself takes where it is kept.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Inventory { namespaces: Some(names), .. } => names.len() * size_of::<Arc<str>>(),
            _ => 0,
        }
    }

    /// Whether the report is to have a namespace of that name.
    pub(super) fn wants(&self, name: &str) -> bool {
        match self {
            Self::Inventory { namespaces: Some(sorted), .. } => {
                sorted.binary_search_by(|known| (**known).cmp(name)).is_ok()
            }
            _ => true,
        }
    }

    /// Writes the answer.
    pub(super) fn write(&self, snapshot: &Snapshot, process: &Process, mut writer: impl Write) -> io::Result<Said> {
        let (policy, mut next) = (&process.policy, None);
        let content = match self {
            Self::Inventory { format, .. } => {
                let report = KaiReport::of(snapshot, policy, |name| self.wants(name));
                format.write(&report, Layout::Compact, writer)?;
                report.content_hash()
            }
            Self::Namespaces => {
                let list = NamespaceList::of(snapshot, policy);
                serde_json::to_writer(writer, &list)?;
                list.content_hash()
            }
            Self::Images { namespace } => {
                let part = snapshot.namespace(namespace).ok_or(io::ErrorKind::NotFound)?;
                let images = NamespaceImages::of(part, policy);
                serde_json::to_writer(writer, &images)?;
                images.content_hash()
            }
            Self::Rows(rows) => {
                let page = rows.write(snapshot, process)?;
                writer.write_all(&page.body)?;
                next = page.next;
                ContentHash::of(&page.body)
            }
        };
        Ok(Said { content, next })
    }
}

/// The namespace, when kai knows what runs in it: nothing at all in one that was included and does not exist.
fn answerable<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Arc<NamespacePart>, Problem> {
    let part = snapshot.namespace(name).ok_or_else(|| Problem::unknown_namespace(name))?;
    match part.state() {
        NamespaceState::Read | NamespaceState::Unknown => Ok(part),
        NamespaceState::Excluded => Err(Problem::unknown_namespace(name)),
        NamespaceState::Refused => {
            let reason = escape_controls(part.reason().unwrap_or("no reason was given")).into_owned();
            let detail = format!(
                "kai may not list the pods of the namespace \"{name}\": {reason}; grant the right, or exclude it."
            );
            let problem = Problem::new(ProblemKind::RefusedNamespace, detail);
            Err(problem.with("namespace", name).with("reason", reason))
        }
    }
}
