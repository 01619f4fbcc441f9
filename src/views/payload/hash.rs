//! The hash of what is sent, which shows whether there is anything new to send.

use super::{PayloadForm, PayloadRequest};
use crate::snapshot::ContentHash;

impl PayloadRequest {
    /// What is sent in equal bodies has an equal hash, in every process. The timestamp is not content; limits do not count.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let Self { snapshot, namespaces, form, .. } = self;
        let mut parts: Vec<_> = namespaces.iter().collect();
        parts.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        let (parts, nodes): (Vec<ContentHash>, _) = match form {
            PayloadForm::Inventories => (parts.iter().map(|part| part.images_hash()).collect(), None),
            PayloadForm::KubernetesInventory => {
                (parts.iter().map(|part| part.content_hash()).collect(), Some(snapshot.nodes()))
            }
        };
        ContentHash::of(&(form, snapshot.cluster_name(), snapshot.server_version(), parts, nodes))
    }
}
