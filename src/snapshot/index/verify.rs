//! A second list, compared with what is known.

use std::sync::Arc;

use super::PodIndex;
use crate::snapshot::audit::{Audit, Subject};
use crate::snapshot::event::{Event, Object, ObjectKey, PodKey};

impl PodIndex {
    /// Begins to compare a second list with what is known.
    pub fn begin_audit(&mut self) {
        self.audit = Some(Audit::default());
    }

    /// Takes an event of the second list.
    pub fn audit(&mut self, event: Event) {
        let Some(mut audit) = self.audit.take() else { return };
        match event {
            Event::RelistBegun(scope) => audit.begin(&scope),
            Event::RelistEnded(scope) => audit.end(scope),
            Event::Applied(Object::Pod(pod)) if !self.selection.selects(&pod.namespace) => {}
            Event::Applied(object) => {
                let is_known = self.knows(&object);
                audit.list(object, is_known);
            }
            _ => {}
        }
        self.audit = Some(audit);
    }

    /// The second list has ended.
    pub fn compare_audit(&mut self) {
        let Some(mut audit) = self.audit.take() else { return };
        let pods = self.namespaces.values().flat_map(|namespace| namespace.pods().records());
        let pods = pods.map(|pod| Subject::Pod(Arc::clone(&pod.namespace), pod.name.clone()));
        let named = self.namespaces.iter().filter(|(_, namespace)| namespace.record.is_some());
        let namespaces = named.map(|(name, _)| Subject::Namespace(Arc::clone(name)));
        let nodes = self.nodes.keys().map(|name| Subject::Node(Arc::clone(name)));
        audit.compare(pods.chain(namespaces).chain(nodes));
        self.audit = Some(audit);
    }

    /// Lets the second list win where the watch has told nothing since. Gives what it had missed, sorted.
    pub fn settle_audit(&mut self) -> Vec<String> {
        let suspects = self.audit.take().map(Audit::suspects).unwrap_or_default();
        // Nodes may not be watched, and nothing depends on them.
        let counts = |subject: &&Subject| !matches!(subject, Subject::Node(_));
        let names = suspects.keys().filter(counts).map(ToString::to_string).collect();
        let known_until = self.observed_at();
        for (subject, object) in suspects {
            // It came or went at some time before.
            if let Subject::Pod(namespace, _) = &subject {
                self.seeing.listed(namespace, known_until);
            }
            self.apply(match (object, subject) {
                (Some(object), _) => Event::Applied(object),
                (None, Subject::Pod(namespace, name)) => {
                    Event::Deleted(ObjectKey::Pod(PodKey { namespace, name, uid: None }))
                }
                (None, Subject::Namespace(name)) => Event::Deleted(ObjectKey::Namespace(name)),
                (None, Subject::Node(name)) => Event::Deleted(ObjectKey::Node(name)),
            });
        }
        names
    }

    /// Whether the object is known as it is.
    fn knows(&self, object: &Object) -> bool {
        match object {
            Object::Pod(pod) => {
                let known = self.namespaces.get(&pod.namespace).and_then(|namespace| namespace.pods().same_as(pod));
                known.is_some_and(|known| *known.record == *pod)
            }
            Object::Namespace(record) => {
                let known = self.namespaces.get(&record.name).and_then(|known| known.record.as_deref());
                known == Some(record)
            }
            Object::Node(node) => self.nodes.get(&node.name).is_some_and(|known| **known == *node),
        }
    }
}
