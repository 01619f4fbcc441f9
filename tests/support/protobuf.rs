//! A writer of the API's protobuf, for what no server writes, and pods in both encodings.
//!
//! Written apart from the decoder: the numbers stand here once more, as in `generated.proto`.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What the server calls this encoding.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// The bytes of a message, field by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn number(mut self, field: u32, value: i64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value.cast_unsigned());
        self
    }

    pub(crate) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u32, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }
}

/// A body up to its `raw`.
pub(crate) fn body(kind: &str) -> Vec<u8> {
    head("v1", kind)
}

fn head(api_version: &str, kind: &str) -> Vec<u8> {
    let type_meta = Message::new().text(1, api_version).text(2, kind);
    [b"k8s\0".to_vec(), Message::new().message(1, &type_meta).0].concat()
}

/// A whole body.
pub(crate) fn list(kind: &str, list: &Message) -> Vec<u8> {
    wrap("v1", kind, list)
}

/// A whole body of an API that may be another than the core's.
pub(crate) fn wrap(api_version: &str, kind: &str, object: &Message) -> Vec<u8> {
    [head(api_version, kind), Message::new().message(2, object).text(3, "").text(4, "").0].concat()
}

pub(crate) fn list_meta(resource_version: &str, token: &str) -> Message {
    Message::new().text(1, "").text(2, resource_version).text(3, token)
}

pub(crate) fn pod_list(pods: &[Message]) -> Vec<u8> {
    let meta = Message::new().message(1, &list_meta("7", ""));
    list("PodList", &pods.iter().fold(meta, |list, pod| list.message(2, pod)))
}

/// The body of a list in JSON: of pods, of namespaces, whose metadata is written alike, or of nodes.
pub(crate) fn list_of(body: &Value) -> Vec<u8> {
    let metadata = &body["metadata"];
    let meta = list_meta(
        metadata["resourceVersion"].as_str().unwrap_or_default(),
        metadata["continue"].as_str().unwrap_or_default(),
    );
    let meta = metadata["remainingItemCount"]
        .as_i64()
        .map_or_else(|| meta.clone(), |remaining| meta.clone().number(4, remaining));
    let kind = body["kind"].as_str().unwrap_or_default();
    let table = if kind == "NodeList" { NODE } else { POD };
    let items = body["items"].as_array().into_iter().flatten();
    let whole = items.fold(Message::new().message(1, &meta), |list, item| list.message(2, &write(item, table)));
    list(kind, &whole)
}

/// The body of a `Status` in JSON.
pub(crate) fn status_of(status: &Value) -> Vec<u8> {
    list("Status", &write(status, STATUS_OF_A_REQUEST))
}

/// A frame of a watch, whose object is given in JSON.
pub(crate) fn frame(event_type: &str, object: &Value) -> Vec<u8> {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let table = match text("kind") {
        "Status" => STATUS_OF_A_REQUEST,
        "Node" => NODE,
        _ => POD,
    };
    let wrapped = wrap(text("apiVersion"), text("kind"), &write(object, table));
    frame_of(&Message::new().text(1, event_type).message(2, &Message::new().bytes(1, &wrapped)))
}

/// A frame of any bytes.
pub(crate) fn frame_of(event: &Message) -> Vec<u8> {
    let length = u32::try_from(event.0.len()).expect("a length");
    [&length.to_be_bytes(), &event.0[..]].concat()
}

/// A pod that has a name and nothing else.
pub(crate) fn metadata(namespace: &str, name: &str) -> Message {
    Message::new().message(1, &Message::new().text(1, name).text(3, namespace))
}

/// What a message's field becomes: its number and how it is written.
enum Form {
    Text,
    Number,
    Flag,
    Message(&'static Table),
    /// A message of seconds, for a text of RFC 3339.
    Time,
    /// A map of texts.
    Texts,
}

type Table = [(&'static str, u32, Form)];

const POD: &Table =
    &[("metadata", 1, Form::Message(METADATA)), ("spec", 2, Form::Message(SPEC)), ("status", 3, Form::Message(STATUS))];
const NODE: &Table = &[("metadata", 1, Form::Message(METADATA)), ("status", 3, Form::Message(NODE_STATUS))];
const NODE_STATUS: &Table = &[("phase", 3, Form::Text), ("nodeInfo", 7, Form::Message(NODE_INFO))];
const NODE_INFO: &Table = &[
    ("machineID", 1, Form::Text),
    ("kernelVersion", 4, Form::Text),
    ("osImage", 5, Form::Text),
    ("containerRuntimeVersion", 6, Form::Text),
    ("kubeletVersion", 7, Form::Text),
    ("kubeProxyVersion", 8, Form::Text),
    ("operatingSystem", 9, Form::Text),
    ("architecture", 10, Form::Text),
];
const STATUS_OF_A_REQUEST: &Table = &[
    ("status", 2, Form::Text),
    ("message", 3, Form::Text),
    ("reason", 4, Form::Text),
    ("details", 5, Form::Message(&[("retryAfterSeconds", 5, Form::Number)])),
    ("code", 6, Form::Number),
];
const METADATA: &Table = &[
    ("name", 1, Form::Text),
    ("namespace", 3, Form::Text),
    ("uid", 5, Form::Text),
    ("resourceVersion", 6, Form::Text),
    ("generation", 7, Form::Number),
    ("labels", 11, Form::Texts),
    ("annotations", 12, Form::Texts),
    ("ownerReferences", 13, Form::Message(OWNER)),
];
const OWNER: &Table =
    &[("kind", 1, Form::Text), ("name", 3, Form::Text), ("uid", 4, Form::Text), ("controller", 6, Form::Flag)];
const SPEC: &Table = &[
    ("volumes", 1, Form::Message(VOLUME)),
    ("containers", 2, Form::Message(CONTAINER)),
    ("nodeName", 10, Form::Text),
    ("hostNetwork", 11, Form::Flag),
    ("initContainers", 20, Form::Message(CONTAINER)),
    ("ephemeralContainers", 34, Form::Message(CONTAINER)),
];
const CONTAINER: &Table =
    &[("name", 1, Form::Text), ("image", 2, Form::Text), ("command", 3, Form::Text), ("restartPolicy", 24, Form::Text)];
const VOLUME: &Table = &[("name", 1, Form::Text), ("image", 30, Form::Message(IMAGE_VOLUME))];
const IMAGE_VOLUME: &Table = &[("reference", 1, Form::Text), ("pullPolicy", 2, Form::Text)];
const STATUS: &Table = &[
    ("phase", 1, Form::Text),
    ("reason", 4, Form::Text),
    ("podIP", 6, Form::Text),
    ("containerStatuses", 8, Form::Message(CONTAINER_STATUS)),
    ("initContainerStatuses", 10, Form::Message(CONTAINER_STATUS)),
    ("ephemeralContainerStatuses", 13, Form::Message(CONTAINER_STATUS)),
    ("observedGeneration", 17, Form::Number),
];
const CONTAINER_STATUS: &Table = &[
    ("name", 1, Form::Text),
    ("state", 2, Form::Message(STATE)),
    ("ready", 4, Form::Flag),
    ("image", 6, Form::Text),
    ("imageID", 7, Form::Text),
    ("containerID", 8, Form::Text),
    ("volumeMounts", 12, Form::Message(MOUNT)),
];
const STATE: &Table = &[
    ("waiting", 1, Form::Message(&[("reason", 1, Form::Text), ("message", 2, Form::Text)])),
    ("running", 2, Form::Message(&[("startedAt", 1, Form::Time)])),
    ("terminated", 3, Form::Message(&[("exitCode", 1, Form::Number), ("reason", 3, Form::Text)])),
];
const MOUNT: &Table = &[
    ("name", 1, Form::Text),
    ("mountPath", 2, Form::Text),
    ("volumeStatus", 5, Form::Message(&[("image", 1, Form::Message(&[("imageRef", 1, Form::Text)]))])),
];

/// The message of a pod in JSON.
pub(crate) fn pod_message(pod: &Value) -> Message {
    write(pod, POD)
}

/// Writes fields as the API server does: by number, those that are no pointers even when they are empty.
fn write(object: &Value, table: &Table) -> Message {
    table.iter().fold(Message::new(), |message, (name, number, form)| match (form, &object[*name]) {
        (Form::Text, Value::Null) => message.text(*number, ""),
        (Form::Number, Value::Null) => message.number(*number, 0),
        (_, Value::Null) => message,
        (form, Value::Array(values)) => {
            values.iter().fold(message, |message, value| one(message, name, *number, form, value))
        }
        (form, value) => one(message, name, *number, form, value),
    })
}

fn one(message: Message, name: &str, number: u32, form: &Form, value: &Value) -> Message {
    match form {
        Form::Text => message.text(number, value.as_str().expect("a text")),
        Form::Number => message.number(number, value.as_i64().expect("a number")),
        Form::Flag => message.number(number, i64::from(value.as_bool().expect("a flag"))),
        Form::Time => {
            let time: jiff::Timestamp = value.as_str().expect("a text").parse().expect("a time");
            message.message(number, &Message::new().number(1, time.as_second()))
        }
        Form::Message(table) => {
            let inner = write(value, table);
            match (name, number) {
                // A message more than in JSON.
                ("image", 30) => message.message(2, &Message::new().message(30, &inner)),
                ("ephemeralContainers", _) => message.message(number, &Message::new().message(1, &inner)),
                _ => message.message(number, &inner),
            }
        }
        Form::Texts => value.as_object().expect("a map").iter().fold(message, |message, (key, value)| {
            message.message(number, &Message::new().text(1, key).text(2, value.as_str().expect("a text")))
        }),
    }
}

/// A pod in JSON as an API server writes it: no field is empty, and none has a wrong type.
pub(crate) fn pod() -> impl Strategy<Value = Value> {
    (pod_metadata(), pod_spec(), pod_status())
        .prop_map(|(metadata, spec, status)| json!({"metadata": metadata, "spec": spec, "status": status}))
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "[a-z]{1,9}", "[ -~é☃\"\\\\\n]{1,12}"]
}

fn image() -> impl Strategy<Value = String> {
    let hex = "0123456789abcdef".repeat(4);
    prop_oneof![
        Just("nginx".to_owned()),
        Just("r.io/app:1".to_owned()),
        Just(format!("docker.io/library/nginx@sha256:{hex}")),
        Just(format!("sha256:{hex}")),
        word()
    ]
}

/// An object of those fields; a field that is null is left out, as the API server does.
fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn maybe<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}

fn pod_metadata() -> impl Strategy<Value = Value> {
    let mark = prop_oneof![
        Just(json!({"kubernetes.io/config.mirror": "x", "z": "é"})),
        Just(json!({"kubernetes.io/config.source": "file"})),
        Just(json!({"kubernetes.io/config.source": "api"})),
        Just(json!({"other": "file"})),
    ];
    let owner = (word(), word(), prop::option::of(any::<bool>())).prop_map(|(kind, name, controller)| {
        object([("kind", kind.into()), ("name", name.into()), ("uid", "u".into()), ("controller", maybe(controller))])
    });
    let named = (prop::option::weighted(0.9, word()), prop::option::weighted(0.9, word()));
    let rest = (
        prop::option::of(word()),
        prop::option::of(1_i64..4),
        prop::option::of(mark),
        prop::collection::vec(owner, 0..3),
        prop::option::of(prop::collection::btree_map(word(), "[ -~é☃]{0,9}", 1..4)),
    );
    (named, rest).prop_map(|((name, namespace), (uid, generation, annotations, owners, labels))| {
        object([
            ("name", maybe(name)),
            ("namespace", maybe(namespace)),
            ("uid", maybe(uid)),
            ("generation", maybe(generation)),
            ("labels", labels.map_or(Value::Null, |labels| json!(labels))),
            ("annotations", maybe(annotations)),
            ("ownerReferences", owners.into()),
        ])
    })
}

fn container() -> impl Strategy<Value = Value> {
    let fields = (word(), prop::option::weighted(0.95, image()), prop::option::of(Just("Always")));
    fields.prop_map(|(name, image, restarts)| {
        object([
            ("name", name.into()),
            ("image", maybe(image)),
            ("command", json!(["x", "y"])),
            ("restartPolicy", maybe(restarts)),
        ])
    })
}

fn pod_spec() -> impl Strategy<Value = Value> {
    let reference = prop::option::of(image())
        .prop_map(|image| object([("reference", maybe(image)), ("pullPolicy", "Always".into())]));
    let volume = (word(), prop::option::of(reference))
        .prop_map(|(name, image)| object([("name", name.into()), ("image", maybe(image))]));
    let containers = || prop::collection::vec(container(), 0..4);
    (prop::option::of(word()), containers(), containers(), containers(), prop::collection::vec(volume, 0..3)).prop_map(
        |(node, containers, init, ephemeral, volumes)| {
            object([
                ("nodeName", maybe(node)),
                ("containers", containers.into()),
                ("initContainers", init.into()),
                ("ephemeralContainers", ephemeral.into()),
                ("volumes", volumes.into()),
                ("hostNetwork", true.into()),
            ])
        },
    )
}

fn container_status() -> impl Strategy<Value = Value> {
    let reason = || prop::option::of(word()).prop_map(|reason| object([("reason", maybe(reason))]));
    let state = prop_oneof![
        Just(json!({})),
        Just(json!({"running": {}})),
        Just(json!({"running": {"startedAt": "2026-10-01T08:15:41Z"}})),
        reason().prop_map(|reason| json!({"waiting": reason})),
        reason().prop_map(|reason| json!({"terminated": reason})),
    ];
    let mount = (word(), prop::option::of(image())).prop_map(|(name, image)| {
        object([
            ("name", name.into()),
            ("mountPath", "/x".into()),
            ("volumeStatus", maybe(image.map(|image| json!({"image": {"imageRef": image}})))),
        ])
    });
    let ids = (prop::option::of(image()), prop::option::of(word()));
    (word(), prop::option::of(image()), ids, state, prop::collection::vec(mount, 0..3)).prop_map(
        |(name, image, (image_id, container_id), state, mounts)| {
            object([
                ("name", name.into()),
                ("image", maybe(image)),
                ("imageID", maybe(image_id)),
                ("containerID", maybe(container_id)),
                ("ready", true.into()),
                ("state", state),
                ("volumeMounts", mounts.into()),
            ])
        },
    )
}

fn pod_status() -> impl Strategy<Value = Value> {
    let phase = prop_oneof![Just("Running"), Just("Pending"), Just("Failed"), Just("Succeeded"), Just("Odd")];
    let statuses = || prop::collection::vec(container_status(), 0..4);
    (prop::option::of(phase), prop::option::of(word()), statuses(), statuses(), statuses(), prop::option::of(1_i64..4))
        .prop_map(|(phase, reason, containers, init, ephemeral, observed)| {
            object([
                ("phase", maybe(phase)),
                ("reason", maybe(reason)),
                ("containerStatuses", containers.into()),
                ("initContainerStatuses", init.into()),
                ("ephemeralContainerStatuses", ephemeral.into()),
                ("observedGeneration", maybe(observed)),
            ])
        })
}
