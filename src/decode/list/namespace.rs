//! The answer to a `get` of one namespace.

use serde::Deserialize;

use crate::decode::error::DecodeError;
use crate::decode::fields::{Fields, object};
use crate::decode::json::without_place;
use crate::decode::namespace::read_namespace;
use crate::decode::objects::{Namespace, ObjectMeta};
use crate::decode::records::Records;
use crate::inventory::{NamespaceRecord, excerpt};

/// In JSON an object has its kind.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    kind: Option<String>,
    #[serde(deserialize_with = "object")]
    metadata: Option<ObjectMeta>,
}

/// Reads the answer to a `get` of one namespace, in JSON.
///
/// # Errors
/// It is cut short, or no namespace.
pub fn read_one_namespace(body: &[u8], records: &mut Records) -> Result<NamespaceRecord, DecodeError> {
    let answer = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            return DecodeError::EndedEarly("inside a namespace".to_owned());
        }
        let problem = excerpt(without_place(&error.to_string())).to_string();
        DecodeError::Malformed { line: error.line() as u64, problem }
    });
    let Fields(Answer { kind, metadata }) = answer?;
    match kind.as_deref().unwrap_or_default() {
        "Namespace" => read_namespace(&Namespace { metadata }, records)
            .map_err(|_| DecodeError::NotKubernetes("a namespace without a name".to_owned())),
        "" => Err(DecodeError::NotKubernetes("an object without kind".to_owned())),
        kind => Err(DecodeError::NotKubernetes(format!("`{}`", excerpt(kind)))),
    }
}
