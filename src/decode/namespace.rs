//! A namespace of the wire becomes a record.

use serde::Deserialize as _;

use super::error::DecodeError;
use super::forms::{Map, text};
use super::item::without_place;
use super::pod::Broken;
use super::records::{Records, kept};
use super::wire::Object;
use crate::inventory::{Metadata, NamespaceRecord, excerpt};

/// The namespace of that object.
pub(super) fn read_namespace(object: &Object<'_>, records: &mut Records) -> Result<NamespaceRecord, Broken> {
    let Records { interner, detail } = records;
    let metadata = object.metadata.as_deref();
    let name = metadata.map_or("", |metadata| text(metadata.name.as_ref()));
    let Some(metadata) = metadata.filter(|_| !name.is_empty()) else { return Err(Broken::missing("metadata.name")) };
    let uid = metadata.uid.0.as_ref().filter(|_| detail.wants_namespaces());
    Ok(NamespaceRecord {
        name: interner.string(name),
        uid: uid.map(|uid| uid.as_str().into()),
        metadata: Metadata {
            labels: kept(&metadata.labels, |key| detail.keeps_namespace_label(key), interner),
            annotations: kept(&metadata.annotations, |key| detail.namespaces.annotations.keeps(key), interner),
        },
    })
}

/// Reads the answer to a `get` of one namespace, in JSON.
///
/// # Errors
/// It is cut short, or no namespace.
pub fn read_one_namespace(body: &[u8], records: &mut Records) -> Result<NamespaceRecord, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let object =
        Map::<Object<'_>>::deserialize(&mut deserializer).and_then(|object| deserializer.end().map(|()| object));
    let object = object.map_err(|error| {
        if error.is_eof() {
            return DecodeError::EndedEarly("inside a namespace".to_owned());
        }
        let problem = excerpt(without_place(&error.to_string())).to_string();
        DecodeError::Malformed { line: error.line() as u64, problem }
    })?;
    match text(object.kind.as_ref()) {
        "Namespace" => read_namespace(&object, records)
            .map_err(|_| DecodeError::NotKubernetes("a namespace without a name".to_owned())),
        "" => Err(DecodeError::NotKubernetes("an object without kind".to_owned())),
        kind => Err(DecodeError::NotKubernetes(format!("`{}`", excerpt(kind)))),
    }
}
