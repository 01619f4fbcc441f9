//! What a dump held, counted while it is read, and what that comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gaps::Gaps;
use super::pages::Pages;
use crate::decode::error::DecodeError;
use crate::decode::identity::Identity;
use crate::inventory::excerpt;

/// As many other kinds are counted each for itself.
const KINDS_MAX: usize = 1_000;
/// Top-level keys as Go programs print them.
const GO_NAMES: [&str; 9] =
    ["TypeMeta", "ObjectMeta", "ListMeta", "Metadata", "Items", "Spec", "Status", "typemeta", "objectmeta"];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DumpEnd {
    pub pods: u64,
    /// Namespaces that were read; without any the namespaces are those of the pods.
    pub namespaces: u64,
    pub nodes: u64,
    /// Whether a list that has pods, or may have had, was there: an empty one means that there are none.
    pub had_pod_list: bool,
    /// Whether pods or namespaces, or lists of them, were found, be they empty or broken.
    pub is_recognised: bool,
    /// How many objects of each other kind were passed over; nodes are counted here too.
    pub other_kinds: BTreeMap<String, u64>,
    /// Why the dump is not whole: it ended too early, a document could not be read, or a list is one page of several.
    /// Escaped and cut for messages.
    pub cut_short: Option<Arc<str>>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) end: DumpEnd,
    pub(super) gaps: Gaps,
    pub(super) pages: Pages,
    /// The first object that neither says nor shows what it is.
    pub(super) unknown: Option<String>,
    /// What the API server answered in place of objects.
    pub(super) refusal: Option<String>,
    go_names: Option<String>,
}

impl Found {
    /// Pods and namespaces that were read.
    pub(super) fn objects(&self) -> u64 {
        self.end.pods + self.end.namespaces
    }

    /// Whether nothing of Kubernetes was found.
    pub(super) fn is_foreign(&self) -> bool {
        !self.end.is_recognised && self.end.other_kinds.is_empty() && self.refusal.is_none()
    }

    /// One more object of another kind.
    pub(super) fn count_other(&mut self, kind: &str) {
        let kinds = &mut self.end.other_kinds;
        let kind = if kind.is_empty() { "(no kind)".to_owned() } else { excerpt(kind).to_string() };
        let is_new = !kinds.contains_key(&kind);
        let kind = if is_new && kinds.len() >= KINDS_MAX { "(more kinds)".to_owned() } else { kind };
        *kinds.entry(kind).or_default() += 1;
    }

    /// Takes note of the keys that Go gives the fields of an object.
    pub(super) fn note_go_names(&mut self, identity: &Identity) {
        let is_go = |key: &&String| GO_NAMES.contains(&key.as_str());
        let found: Vec<String> = identity.keys.iter().filter(is_go).map(|key| format!("`{key}`")).collect();
        if !found.is_empty() && self.go_names.is_none() {
            self.go_names = Some(found.join(", "));
        }
    }

    /// What it all comes to.
    pub(super) fn finish(mut self) -> Result<DumpEnd, DecodeError> {
        for page in self.pages.unfinished() {
            self.gaps.push(page);
        }
        self.end.cut_short = self.gaps.joined();
        if self.end.is_recognised {
            return Ok(self.end);
        }
        match (self.go_names, self.refusal) {
            (Some(names), _) => Err(DecodeError::GoFieldNames(names)),
            (None, Some(message)) => Err(DecodeError::Refused(message)),
            (None, None) if self.end.other_kinds.is_empty() => {
                Err(self.unknown.map_or(DecodeError::Empty, DecodeError::NotKubernetes))
            }
            (None, None) => Ok(self.end),
        }
    }
}
