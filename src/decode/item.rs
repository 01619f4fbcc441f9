//! One item of a list, or one object of its own: told what it is, and read.

use serde::de::DeserializeSeed;

use super::forms::{Map, text};
use super::namespace::read_namespace;
use super::node::read_node;
use super::peek::{Peek, PeekSeed};
use super::pod::{Broken, read_pod};
use super::records::Records;
use super::sieve::{Sifted, sieve};
use super::sink::ITEM_MAX;
use super::wire::Object;
use super::yaml;
use crate::inventory::{NamespaceRecord, NodeRecord, PodRecord};

/// How the bytes of an item are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// What an item must be, where its list tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A pod, whatever it calls itself.
    Pod,
    /// A namespace, whatever it calls itself.
    Namespace,
    /// A node, whatever it calls itself.
    Node,
    /// By its own kind; without one a pod.
    KindOrPod,
    /// By its own kind; without one a namespace.
    KindOrNamespace,
    /// By its own kind; without one a node.
    KindOrNode,
    /// By its own kind; without one something else.
    KindOrOther,
    /// By its own kind; without one a pod when it has containers.
    KindOrShape,
}

/// What became of an item.
#[derive(Debug)]
pub(super) enum Item {
    Pod(PodRecord),
    Namespace(NamespaceRecord),
    Node(NodeRecord),
    /// Another kind.
    Other(String),
    /// Neither a kind nor containers: what it is must be told by its list.
    Shapeless(Box<Shapeless>),
    Broken(BrokenItem),
}

/// An item that is told by its list alone.
#[derive(Debug)]
pub(super) struct Shapeless {
    pub(super) peek: Peek,
    /// What it is if it is a pod.
    pub(super) pod: Option<PodRecord>,
    /// What it is if it is a namespace.
    pub(super) namespace: Option<NamespaceRecord>,
    /// What it is if it is a node, and nodes are kept.
    pub(super) node: Option<NodeRecord>,
}

/// An item that could not be read.
#[derive(Debug)]
pub(super) struct BrokenItem {
    /// What it calls itself.
    pub(super) peek: Peek,
    pub(super) kind: Kind,
    /// The field and what is wrong with it, as the input has it.
    pub(super) problem: String,
    /// Where another object begins inside this one, when that is what broke it.
    pub(super) splice: bool,
}

impl BrokenItem {
    /// An item of more bytes than are held.
    pub(super) fn too_large(peek: Peek, expected: Expected) -> Self {
        let problem = format!("more than {} MiB", ITEM_MAX >> 20);
        let kind = kind_of(&peek.api_version, &peek.kind, peek.has_containers, expected);
        Self { peek, kind, problem, splice: false }
    }
}

/// What an object is, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pod,
    Namespace,
    Node,
    Other,
    Shapeless,
}

/// Reads one item that is known to be whole.
pub(super) fn read_item(bytes: &[u8], format: Format, expected: Expected, records: &mut Records) -> Item {
    match format {
        Format::Json => match serde_json::from_slice::<Map<Object<'_>>>(bytes) {
            Ok(object) => read_object(&object, || peek_json(bytes), expected, records),
            Err(error) => broken(peek_json(bytes), expected, || json_problem(bytes, &error)),
        },
        Format::Yaml => yaml::read_item(bytes, expected, records),
    }
}

/// What became of the item at the start of some bytes.
#[derive(Debug)]
pub(super) enum AtStart<T> {
    /// Read, with its length.
    Read(T, usize),
    /// The bytes end inside it.
    Unfinished,
    /// Not in order: it must be cut out and read by [`read_item`], which tells what is wrong.
    Irregular,
}

/// Reads the JSON item at the start of `bytes`. `sifted` is room that is used again.
pub(super) fn read_item_at_start(
    bytes: &[u8],
    expected: Expected,
    records: &mut Records,
    sifted: &mut Vec<u8>,
) -> AtStart<Item> {
    let length = match sieve(bytes, records.schema(expected), sifted) {
        Sifted::Whole(length) => length,
        Sifted::Unfinished => return AtStart::Unfinished,
        Sifted::Irregular => return AtStart::Irregular,
    };
    match serde_json::from_slice::<Map<Object<'_>>>(sifted) {
        Ok(object) => AtStart::Read(read_object(&object, || peek_json(&bytes[..length]), expected, records), length),
        Err(_) => AtStart::Irregular,
    }
}

/// Reads an object whose fields have the right types.
pub(super) fn read_object(
    object: &Object<'_>,
    peek: impl Fn() -> Peek,
    expected: Expected,
    records: &mut Records,
) -> Item {
    let has_containers = object.spec.as_ref().is_some_and(|spec| spec.containers.is_some());
    let kind = text(object.kind.as_ref());
    let lacks = |found: Broken, kind| {
        let problem = format!("{}: {}", found.field, found.problem);
        Item::Broken(BrokenItem { peek: peek(), kind, problem, splice: false })
    };
    match kind_of(text(object.api_version.as_ref()), kind, has_containers, expected) {
        Kind::Pod => read_pod(object, records).map_or_else(|found| lacks(found, Kind::Pod), Item::Pod),
        Kind::Namespace => {
            read_namespace(object, records).map_or_else(|found| lacks(found, Kind::Namespace), Item::Namespace)
        }
        Kind::Node => match read_node(object, records) {
            Some(node) => node.map_or_else(|found| lacks(found, Kind::Node), Item::Node),
            None => Item::Other(kind.to_owned()),
        },
        Kind::Other => Item::Other(kind.to_owned()),
        Kind::Shapeless => {
            let (pod, namespace) = (read_pod(object, records).ok(), read_namespace(object, records).ok());
            let node = read_node(object, records).and_then(Result::ok);
            Item::Shapeless(Box::new(Shapeless { peek: peek(), pod, namespace, node }))
        }
    }
}

/// What to say of an item whose bytes could not be read into the fields kept.
pub(super) fn broken(peek: Peek, expected: Expected, problem: impl FnOnce() -> (String, bool)) -> Item {
    match kind_of(&peek.api_version, &peek.kind, peek.has_containers, expected) {
        Kind::Other if !peek.kind.is_empty() => Item::Other(peek.kind),
        kind => {
            let (problem, splice) = problem();
            Item::Broken(BrokenItem { peek, kind, problem, splice })
        }
    }
}

fn kind_of(api_version: &str, kind: &str, has_containers: bool, expected: Expected) -> Kind {
    match expected {
        Expected::Pod => return Kind::Pod,
        Expected::Namespace => return Kind::Namespace,
        Expected::Node => return Kind::Node,
        _ => {}
    }
    match (kind, expected) {
        // Other groups have pods, namespaces and nodes of their own.
        ("Pod", _) if matches!(api_version, "" | "v1") => Kind::Pod,
        ("Namespace", _) if matches!(api_version, "" | "v1") => Kind::Namespace,
        ("Node", _) if matches!(api_version, "" | "v1") => Kind::Node,
        ("", Expected::KindOrPod) => Kind::Pod,
        ("", Expected::KindOrNamespace) => Kind::Namespace,
        ("", Expected::KindOrNode) => Kind::Node,
        ("", Expected::KindOrShape) if has_containers => Kind::Pod,
        ("", Expected::KindOrShape) => Kind::Shapeless,
        _ => Kind::Other,
    }
}

impl Format {
    /// What an object calls itself.
    pub(super) fn peek(self, bytes: &[u8]) -> Peek {
        match self {
            Self::Json => peek_json(bytes),
            Self::Yaml => yaml::peek(&yaml::text_of(bytes)),
        }
    }
}

/// What a JSON object calls itself.
pub(super) fn peek_json(bytes: &[u8]) -> Peek {
    let mut peek = Peek::default();
    // A failure leaves what was found before it, which is all that is wanted.
    let _ = PeekSeed(&mut peek).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    peek
}

/// Where and why the fields kept could not be read, and whether another object begins there.
fn json_problem(bytes: &[u8], error: &serde_json::Error) -> (String, bool) {
    let splice = error.is_syntax() && begins_object(bytes, error);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Err(located) = serde_path_to_error::deserialize::<_, Map<Object<'_>>>(&mut deserializer) else {
        return (without_place(&error.to_string()).to_owned(), splice);
    };
    let path = located.path().to_string();
    let reason = located.inner().to_string();
    let reason = without_place(&reason);
    let problem = if path == "." { reason.to_owned() } else { format!("{path}: {reason}") };
    (problem, splice)
}

/// The place is counted within the item and would mislead.
pub(super) fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}

/// Whether an object begins where the grammar failed: `{` and a key.
fn begins_object(bytes: &[u8], error: &serde_json::Error) -> bool {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', bytes).nth(line - 2).map_or(0, |at| at + 1),
    };
    let at = line_start + error.column();
    let near = bytes.get(at.saturating_sub(2)..).unwrap_or_default();
    let Some(open) = near.iter().take(3).position(|byte| *byte == b'{') else { return false };
    let inside = near[open + 1..].trim_ascii_start();
    [&b"\"apiVersion\""[..], b"\"kind\"", b"\"items\"", b"\"metadata\""].iter().any(|key| inside.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::super::sieve::Schema;
    use super::*;

    /// Every field that the wire types name, so that one which the sieve forgets shows.
    fn everything() -> String {
        let container = r#"{"name":"c","image":"i:1","restartPolicy":"Always","env":[{"name":"E"}]}"#;
        let status = r#"{"name":"c","image":"i","imageID":"j","containerID":"containerd://k","ready":true,"state":{"running":{"startedAt":"t"},
            "waiting":{"reason":"w","message":"x"},"terminated":{"reason":"t","exitCode":0}},
            "volumeMounts":[{"name":"v","imageRef":"k","volumeStatus":{"image":{"imageRef":"l"}},"mountPath":"/"}]}"#;
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","x":1,
            "metadata":{{"name":"a","namespace":"b","uid":"u","generation":2,"labels":{{"name":"z"}},
                "annotations":{{"kubernetes.io/config.mirror":"m","kubernetes.io/config.source":"file","x":"y"}},
                "ownerReferences":[{{"kind":"Job","name":"j","controller":true,"uid":"u"}}]}},
            "spec":{{"nodeName":"n","volumes":[{{"name":"v","image":{{"reference":"r:1","pullPolicy":"Always"}}}}],
                "containers":[{container}],"initContainers":[{container}],"ephemeralContainers":[{container}]}},
            "status":{{"phase":"Failed","reason":"Evicted","observedGeneration":1,"message":"x",
                "containerStatuses":[{status}],"initContainerStatuses":[{status}],
                "ephemeralContainerStatuses":[{status}],
                "nodeInfo":{{"architecture":"a","operatingSystem":"o","kernelVersion":"k","kubeletVersion":"l",
                    "kubeProxyVersion":"p","containerRuntimeVersion":"c","machineID":"m"}}}}}}"#
        )
    }

    #[test]
    fn the_sieve_keeps_all_that_is_read() {
        let (item, mut sifted) = (everything(), Vec::new());
        assert_eq!(sieve(item.as_bytes(), Schema::Wide, &mut sifted), Sifted::Whole(item.len()));
        let whole: Map<Object<'_>> = serde_json::from_str(&item).expect("an object");
        let kept: Map<Object<'_>> = serde_json::from_slice(&sifted).expect("an object");
        let whole = format!("{whole:?}");
        assert_eq!(format!("{kept:?}"), whole);
        assert!(!whole.contains("None"), "a field of the wire types is missing in this test: {whole}");
    }

    #[test]
    fn what_is_not_wanted_does_not_reach_the_parser() {
        let (item, mut sifted) = (everything(), Vec::new());
        assert_eq!(sieve(item.as_bytes(), Schema::Lean, &mut sifted), Sifted::Whole(item.len()));
        let kept = String::from_utf8(sifted).expect("text");
        for field in ["labels", "\"x\"", "containerID", "nodeInfo"] {
            assert!(!kept.contains(field), "{field}: {kept}");
        }
        let mut records = Records::default();
        let read = |item: &str, records: &mut Records| {
            format!("{:?}", read_item(item.as_bytes(), Format::Json, Expected::Pod, records))
        };
        assert_eq!(read(&kept, &mut records), read(&item, &mut records));
    }
}
