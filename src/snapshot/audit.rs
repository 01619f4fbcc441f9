//! A second list beside what is known: it shows what a watch has missed.
//!
//! The list and the watch run side by side. What differs counts only when the watch has said nothing of that object since
//! the list began: else one of them is just ahead of the other.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::event::{ListScope, Object, ObjectKey};
use super::hash::ContentHash;

/// An object, whatever its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    Namespace(Arc<str>),
    Node(Arc<str>),
    Pod(Arc<str>, Box<str>),
}

/// A list under way, or what it has left to doubt.
#[derive(Debug, Default)]
pub(super) struct Audit {
    /// Objects that the list has as they are known.
    same: HashSet<ContentHash>,
    /// Objects of which the watch has told since.
    told: HashSet<ContentHash>,
    /// Objects that are others in the list: what it has of them.
    suspects: BTreeMap<Subject, Option<Object>>,
    ended: Vec<ListScope>,
}

impl Subject {
    pub(super) fn of(object: &Object) -> Self {
        match object {
            Object::Pod(pod) => Self::Pod(Arc::clone(&pod.namespace), pod.name.clone()),
            Object::Namespace(namespace) => Self::Namespace(Arc::clone(&namespace.name)),
            Object::Node(node) => Self::Node(Arc::clone(&node.name)),
        }
    }

    pub(super) fn of_key(key: &ObjectKey) -> Self {
        match key {
            ObjectKey::Pod(pod) => Self::Pod(Arc::clone(&pod.namespace), pod.name.clone()),
            ObjectKey::Namespace(name) => Self::Namespace(Arc::clone(name)),
            ObjectKey::Node(name) => Self::Node(Arc::clone(name)),
        }
    }

    fn is_in(&self, scope: &ListScope) -> bool {
        match (self, scope) {
            (Self::Pod(..), ListScope::AllPods)
            | (Self::Namespace(_), ListScope::Namespaces)
            | (Self::Node(_), ListScope::Nodes) => true,
            (Self::Pod(namespace, _), ListScope::PodsOf(listed)) => namespace == listed,
            _ => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::Node(name) => write!(f, "node {name}"),
            Self::Pod(namespace, name) => write!(f, "pod {namespace}/{name}"),
        }
    }
}

impl Audit {
    /// A list begins again: what it gave is dropped.
    pub(super) fn begin(&mut self, scope: &ListScope) {
        self.suspects.retain(|subject, _| !subject.is_in(scope));
    }

    pub(super) fn end(&mut self, scope: ListScope) {
        self.ended.push(scope);
    }

    /// The list has this object, as it is known or not.
    pub(super) fn list(&mut self, object: Object, is_known: bool) {
        let subject = Subject::of(&object);
        let hash = ContentHash::of(&subject);
        if is_known {
            self.same.insert(hash);
        } else if !self.told.contains(&hash) {
            self.suspects.insert(subject, Some(object));
        }
    }

    /// The watch tells of an object.
    pub(super) fn tell(&mut self, subject: &Subject) {
        self.told.insert(ContentHash::of(subject));
        self.suspects.remove(subject);
    }

    /// The lists have ended. Of `known`, what they do not have is in doubt, too.
    pub(super) fn compare(&mut self, known: impl Iterator<Item = Subject>) {
        for subject in known.filter(|subject| self.ended.iter().any(|scope| subject.is_in(scope))) {
            let hash = ContentHash::of(&subject);
            if !self.same.contains(&hash) && !self.told.contains(&hash) {
                self.suspects.entry(subject).or_insert(None);
            }
        }
        // Of those of a list that did not end nothing is known.
        let ended = std::mem::take(&mut self.ended);
        self.suspects.retain(|subject, _| ended.iter().any(|scope| subject.is_in(scope)));
        (self.same, self.told) = (HashSet::new(), HashSet::new());
    }

    /// What is in doubt still.
    pub(super) fn suspects(self) -> BTreeMap<Subject, Option<Object>> {
        self.suspects
    }
}
