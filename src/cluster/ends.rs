//! How lists end, and from which versions their watches go on.

use std::collections::BTreeMap;

use crate::decode::ResourceVersion;
use crate::snapshot::ListScope;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListEnd {
    /// Read to its end.
    Read {
        items: u64,
        /// What the list is as of: where a watch goes on.
        version: Option<ResourceVersion>,
    },
    /// 403: the right that is missing.
    Refused(String),
}

/// How the lists of a relist ended.
#[derive(Debug, Clone, Default)]
pub struct Relisted {
    /// What each is as of, of those that were read to their end.
    pub(super) versions: BTreeMap<ListScope, Option<ResourceVersion>>,
    /// One that the picture depends on was refused.
    pub(super) is_refused: bool,
    /// Why they are more than may be watched one by one.
    pub(super) unwatchable: Option<String>,
}

impl Relisted {
    /// Whether a list was refused that the picture depends on.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Whether namespaces were listed, and not asked for one by one.
    pub(crate) fn has_namespaces(&self) -> bool {
        self.versions.contains_key(&ListScope::Namespaces)
    }

    pub(super) fn note(&mut self, scope: &ListScope, end: &ListEnd) {
        match end {
            ListEnd::Read { version, .. } => drop(self.versions.insert(scope.clone(), *version)),
            ListEnd::Refused(_) => self.is_refused |= *scope != ListScope::Nodes,
        }
    }
}
