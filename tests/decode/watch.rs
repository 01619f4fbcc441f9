//! A watch of the API server: the frames that come out, in both encodings, whatever way its bytes come in.

use kai::decode::{DecodeError, Encoding, ListDecoder, Records, WatchEvent, WatchFrame, WatchReader};
use kai::inventory::Detail;
use kai::snapshot::{Event, ListScope, Object, ObjectKey};
use kai::testing::everything;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use crate::protobuf;

pub(crate) const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Protobuf];

/// A frame as an API server writes it.
pub(crate) fn frame(encoding: Encoding, event_type: &str, object: &Value) -> Vec<u8> {
    match encoding {
        Encoding::Json => format!("{{\"type\":{},\"object\":{object}}}\n", json!(event_type)).into_bytes(),
        Encoding::Protobuf => protobuf::frame(event_type, object),
    }
}

/// A pod with a container, as the API server writes it in a watch.
pub(crate) fn pod(name: &str, version: &str) -> Value {
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "apps", "uid": format!("u-{name}"), "resourceVersion": version},
        "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
        "status": {"phase": "Running"},
    })
}

/// Pushes the stream in parts of those lengths, over and over.
pub(crate) fn read_with(
    detail: Detail,
    bytes: &[u8],
    scope: &ListScope,
    encoding: Encoding,
    lengths: &[usize],
) -> (Vec<WatchFrame>, Result<(), DecodeError>) {
    let (mut records, mut frames) = (Records::new(detail), Vec::new());
    let mut reader = WatchReader::new(scope.clone(), encoding);
    let mut rest = bytes;
    for length in lengths.iter().cycle().take_while(|_| !bytes.is_empty()) {
        let (part, after) = rest.split_at((*length).min(rest.len()));
        if let Err(error) = reader.push(part, &mut records, &mut frames) {
            return (frames, Err(error));
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    (frames, reader.finish())
}

/// What came of a stream, a line each, and the error that ended it.
pub(crate) fn outcome(bytes: &[u8], scope: &ListScope, encoding: Encoding, length: usize) -> Vec<String> {
    let (frames, end) = read_with(Detail::default(), bytes, scope, encoding, &[length]);
    frames.iter().map(shown).chain(end.err().map(|error| format!("error: {error}"))).collect()
}

/// What came of a watch of pods.
pub(crate) fn pods(bytes: &[u8], encoding: Encoding) -> Vec<String> {
    let whole = outcome(bytes, &ListScope::AllPods, encoding, usize::MAX);
    assert_eq!(outcome(bytes, &ListScope::AllPods, encoding, 7), whole, "in parts");
    whole
}

fn shown(frame: &WatchFrame) -> String {
    let version = frame.resource_version.map_or("-".to_owned(), |version| version.to_string());
    let event = match &frame.event {
        WatchEvent::Applied(Object::Pod(pod)) => format!("pod {}/{}", pod.namespace, pod.name),
        WatchEvent::Applied(Object::Namespace(namespace)) => format!("namespace {}", namespace.name),
        WatchEvent::Applied(Object::Node(node)) => format!("node {}", node.name),
        WatchEvent::Deleted { key, last } => {
            let key = match key {
                ObjectKey::Pod(pod) => {
                    format!("pod {}/{} {}", pod.namespace, pod.name, pod.uid.as_deref().unwrap_or("-"))
                }
                ObjectKey::Namespace(name) => format!("namespace {name}"),
                ObjectKey::Node(name) => format!("node {name}"),
            };
            let last = match last {
                Some(Object::Pod(pod)) => pod.containers[0].image.written().to_owned(),
                Some(_) => "an object".to_owned(),
                None => "nothing".to_owned(),
            };
            format!("deleted {key}, last {last}")
        }
        WatchEvent::Bookmark { ends_initial_events: true } => "bookmark behind the initial events".to_owned(),
        WatchEvent::Bookmark { ends_initial_events: false } => "bookmark".to_owned(),
        WatchEvent::Error(status) => {
            let expired = if status.is_expired() { ", expired" } else { "" };
            format!("error {} {}: {}{expired}", status.code.unwrap_or_default(), status.reason, status.message)
        }
        WatchEvent::Skipped(skipped) => format!("skipped {}: {}", skipped.item, skipped.problem),
    };
    format!("{version} {event}")
}

fn bookmark(version: &str, annotations: &Value) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": version, "annotations": annotations},
        "spec": {"containers": null}, "status": {}})
}

/// One frame of each kind.
fn every_kind(encoding: Encoding) -> Vec<u8> {
    let end = json!({"a": "b", "k8s.io/initial-events-end": "true"});
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version: 1 (7)", "reason": "Expired", "code": 410});
    [
        frame(encoding, "ADDED", &pod("web", "40")),
        frame(encoding, "BOOKMARK", &bookmark("41", &end)),
        frame(encoding, "MODIFIED", &pod("web", "42")),
        frame(encoding, "DELETED", &pod("web", "43")),
        frame(encoding, "BOOKMARK", &bookmark("44", &Value::Null)),
        frame(encoding, "BOOKMARK", &bookmark("45", &json!({"k8s.io/initial-events-end": "false"}))),
        frame(encoding, "ERROR", &status),
    ]
    .concat()
}

#[rstest]
fn every_kind_of_frame_is_read_in_any_parts(#[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding) {
    let stream = every_kind(encoding);
    for length in (1..64).chain([stream.len()]) {
        assert_eq!(
            outcome(&stream, &ListScope::AllPods, encoding, length),
            [
                "40 pod apps/web",
                "41 bookmark behind the initial events",
                "42 pod apps/web",
                "43 deleted pod apps/web u-web, last nginx:1",
                "44 bookmark",
                "45 bookmark",
                "- error 410 Expired: too old resource version: 1 (7), expired",
            ],
            "in parts of {length}"
        );
    }
}

#[test]
fn what_an_api_server_wrote_gives_the_same_from_both_encodings() {
    let json = include_bytes!("../cases/protobuf/watch.json");
    let protobuf = include_bytes!("../cases/protobuf/watch.pb");
    for length in [1, 97, usize::MAX] {
        assert_eq!(
            outcome(protobuf, &ListScope::AllPods, Encoding::Protobuf, length),
            [
                "214 pod apps/first",
                "214 bookmark behind the initial events",
                "215 pod apps/second",
                "216 pod apps/second",
                "217 pod apps/second",
                "218 pod apps/second",
                "219 pod apps/first",
                "220 deleted pod apps/first 4536151d-d4d4-4ae3-9b96-0cb53c67271c, last envoy:1",
                "220 bookmark",
                "220 bookmark",
            ]
        );
        let read = |bytes: &[u8], encoding| {
            let (frames, end) = read_with(everything(), bytes, &ListScope::AllPods, encoding, &[length]);
            end.expect("a stream");
            format!("{frames:#?}")
        };
        assert_eq!(read(protobuf, Encoding::Protobuf), read(json, Encoding::Json), "in parts of {length}");
    }
}

#[rstest]
#[case::namespaces(ListScope::Namespaces, "Namespace", "namespace n", "namespace n")]
#[case::nodes(ListScope::Nodes, "Node", "node n", "node n")]
#[case::pods_of_a_namespace(ListScope::PodsOf("b".into()), "Pod", "pod b/n", "pod b/n -")]
fn every_kind_of_object_is_read(
    #[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding,
    #[case] scope: ListScope,
    #[case] kind: &str,
    #[case] applied: &str,
    #[case] deleted: &str,
) {
    let metadata = json!({"name": "n", "namespace": "b", "resourceVersion": "7"});
    let image = json!([{"name": "c", "image": "nginx:1"}]);
    let object = json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "spec": {"containers": image}});
    let stream = [frame(encoding, "ADDED", &object), frame(encoding, "DELETED", &object)].concat();
    let (frames, end) = read_with(everything(), &stream, &scope, encoding, &[11]);
    end.expect("a stream");
    let last = if kind == "Pod" { "nginx:1" } else { "an object" };
    let shown: Vec<String> = frames.iter().map(shown).collect();
    assert_eq!(shown, [format!("7 {applied}"), format!("7 deleted {deleted}, last {last}")]);
}

#[rstest]
fn nodes_that_are_not_kept_are_left_out(#[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding) {
    let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n", "resourceVersion": "7"}});
    let stream = frame(encoding, "ADDED", &node);
    assert_eq!(outcome(&stream, &ListScope::Nodes, encoding, 9), Vec::<String>::new());
}

#[rstest]
fn a_stream_may_end_between_frames_and_nowhere_else(#[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding) {
    let parts = [frame(encoding, "ADDED", &pod("a", "1")), frame(encoding, "DELETED", &pod("a", "2"))];
    let ends: Vec<usize> = [0, parts[0].len(), parts[0].len() + parts[1].len()].to_vec();
    let stream = parts.concat();
    for length in 0..=stream.len() {
        let (frames, end) = read_with(Detail::default(), &stream[..length], &ListScope::AllPods, encoding, &[23]);
        let ended = ends.iter().filter(|end| **end > 0 && **end <= length).count();
        assert_eq!(frames.len(), ended, "{length}");
        match end {
            Ok(()) => assert!(ends.contains(&length), "{length}"),
            Err(error) => {
                let expected = format!("the input ends too early, inside frame {}", ended + 1);
                assert!(!ends.contains(&length) && error.to_string() == expected, "{length}: {error}");
            }
        }
    }
}

#[rstest]
#[case::the_keys_the_other_way(r#"{"object":OBJECT,"type":"ADDED"}"#)]
#[case::blanks_and_other_keys("{ \"type\" : \"ADDED\",\t\"x\":[{\"type\":\"ERROR\"}], \"object\" : OBJECT }\r")]
#[case::behind_empty_lines("\n\r\n  {\"type\":\"ADDED\",\"object\":OBJECT}")]
fn a_line_of_json_is_written_in_any_way(#[case] line: &str) {
    let line = line.replace("OBJECT", &pod("a", "1").to_string()) + "\n";
    assert_eq!(pods(&[line.as_bytes(), line.as_bytes()].concat(), Encoding::Json), ["1 pod apps/a", "1 pod apps/a"]);
}

/// What a list of those items gives. What has no name is called by its place, as in a watch.
fn of_list(detail: Detail, list: &Value, encoding: Encoding, length: usize) -> Vec<String> {
    let body = match encoding {
        Encoding::Json => list.to_string().into_bytes(),
        Encoding::Protobuf => protobuf::list_of(list),
    };
    let (mut records, mut events) = (Records::new(detail), Vec::new());
    let mut decoder = ListDecoder::of_encoding(ListScope::AllPods, encoding);
    body.chunks(length).for_each(|part| decoder.push(part, &mut records, &mut events).expect("a list"));
    decoder.finish().expect("a list");
    events.iter().map(|event| format!("{event:?}").replace("item: \"item ", "item: \"frame ")).collect()
}

fn of_frames(detail: Detail, items: &[Value], encoding: Encoding, lengths: &[usize]) -> Vec<String> {
    let object = |item: &Value| {
        let mut object = item.clone();
        object["kind"] = "Pod".into();
        object["apiVersion"] = "v1".into();
        object
    };
    let stream: Vec<u8> = items.iter().flat_map(|item| frame(encoding, "ADDED", &object(item))).collect();
    let (frames, end) = read_with(detail, &stream, &ListScope::AllPods, encoding, lengths);
    end.expect("a stream");
    let event = |frame: WatchFrame| match frame.event {
        WatchEvent::Applied(object) => Event::Applied(object),
        WatchEvent::Skipped(skipped) => Event::Skipped(skipped),
        other => panic!("{other:?}"),
    };
    frames.into_iter().map(|frame| format!("{:?}", event(frame))).collect()
}

/// What happens to a stream on its way.
fn damage() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    let token =
        prop::sample::select(vec!["", "\n", "{", "}", "\"", "\\", ",", "\0\0\0\u{5}", "k8s\0", "\"type\":\"ADDED\""]);
    let bytes =
        prop_oneof![token.prop_map(|token| token.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 0..9)];
    (any::<usize>(), 0..80_usize, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_frames_of_a_list_equal_that_list(
        items in prop::collection::vec(protobuf::pod(), 0..5),
        lengths in prop::collection::vec(1..700_usize, 1..6),
    ) {
        let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
        for (encoding, detail) in ENCODINGS.into_iter().flat_map(|encoding| [(encoding, Detail::default()), (encoding, everything())]) {
            let expected = of_list(detail.clone(), &list, encoding, usize::MAX);
            prop_assert_eq!(of_frames(detail, &items, encoding, &lengths), expected);
        }
    }

    #[test]
    fn a_damaged_stream_reads_the_same_in_any_parts(
        damages in prop::collection::vec(damage(), 0..4),
        lengths in prop::collection::vec(1..300_usize, 1..6),
    ) {
        for encoding in ENCODINGS {
            let mut bytes = every_kind(encoding);
            for (at, length, new) in &damages {
                let at = at % (bytes.len() + 1);
                bytes.splice(at..(at + length).min(bytes.len()), new.iter().copied());
            }
            let read = |lengths: &[usize]| format!("{:?}", read_with(Detail::default(), &bytes, &ListScope::AllPods, encoding, lengths));
            prop_assert_eq!(read(&lengths), read(&[usize::MAX]));
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), length in 1..50_usize) {
        for encoding in ENCODINGS {
            // Behind a length that is true more of it is read.
            let framed = [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), &bytes[..], b"\n{\"type\":\"ADDED\",\"object\":", &bytes].concat();
            for bytes in [&bytes, &framed] {
                let read = |length| outcome(bytes, &ListScope::AllPods, encoding, length);
                prop_assert_eq!(read(length), read(usize::MAX));
            }
        }
    }
}
