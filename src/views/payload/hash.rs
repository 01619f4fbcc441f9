//! The hash of what is sent, which shows whether there is anything new to send.

use super::{PayloadForm, PayloadRequest};
use crate::inventory::{KeyValues, Metadata, NodeRecord};
use crate::snapshot::{ContentHash, ContentHasher};

impl PayloadRequest {
    /// What is sent in equal bodies has an equal hash, in every process. The timestamp is not content; limits do not count.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let Self { snapshot, namespaces, form, .. } = self;
        let mut hasher = ContentHasher::default();
        hasher.number(*form as u64).text(snapshot.cluster_name());
        snapshot.server_version().hash_into(&mut hasher);
        let mut parts: Vec<_> = namespaces.iter().collect();
        parts.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        hasher.number(parts.len() as u64);
        match form {
            PayloadForm::Inventories => {
                for part in parts {
                    hasher.hash(part.images_hash());
                }
            }
            PayloadForm::KubernetesInventory => {
                for part in parts {
                    hasher.hash(part.content_hash());
                }
                hasher.number(snapshot.nodes().len() as u64);
                snapshot.nodes().iter().for_each(|node| hash_node(node, &mut hasher));
            }
        }
        hasher.finish()
    }
}

fn hash_node(node: &NodeRecord, hasher: &mut ContentHasher) {
    let NodeRecord {
        name,
        uid,
        architecture,
        operating_system,
        kernel_version,
        kubelet_version,
        kube_proxy_version,
        container_runtime_version,
        metadata: Metadata { labels, annotations },
    } = node;
    hasher.text(name).optional(uid.as_deref()).text(architecture).text(operating_system).text(kernel_version);
    hasher.text(kubelet_version).text(kube_proxy_version).text(container_runtime_version);
    hash_values(labels, hasher);
    hash_values(annotations, hasher);
}

fn hash_values(values: &KeyValues, hasher: &mut ContentHasher) {
    hasher.number(values.len() as u64);
    for (key, value) in values {
        hasher.text(key).text(value);
    }
}
