//! A namespace of the API becomes a record.

use super::objects::Namespace;
use super::records::{Records, kept};
use super::skipped::Lack;
use crate::inventory::{Metadata, NamespaceRecord};

/// The namespace of that object.
pub(super) fn read_namespace(namespace: &Namespace, records: &mut Records) -> Result<NamespaceRecord, Lack> {
    let Records { interner, detail } = records;
    let metadata = namespace.metadata.as_ref();
    let name = metadata.and_then(|metadata| metadata.name.as_deref()).unwrap_or_default();
    let Some(metadata) = metadata.filter(|_| !name.is_empty()) else { return Err(Lack::missing("metadata.name")) };
    let uid = metadata.uid.as_deref().filter(|uid| !uid.is_empty() && detail.namespace_objects);
    Ok(NamespaceRecord {
        name: interner.string(name),
        uid: uid.map(Into::into),
        metadata: Metadata {
            labels: kept(&metadata.labels, |key| detail.keeps_namespace_label(key), interner),
            annotations: kept(&metadata.annotations, |key| detail.namespaces.annotations.keeps(key), interner),
        },
    })
}
