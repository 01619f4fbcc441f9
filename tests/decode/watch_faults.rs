//! A server that lies, and a stream that is damaged on its way: nothing panics, and nothing false comes out.

use kai::decode::Encoding;
use kai::snapshot::ListScope;
use rstest::rstest;
use serde_json::{Value, json};

use crate::protobuf::{self, Message, frame_of, list, pod_list};
use crate::watch::{frame, outcome, pod, pods};

/// The pod with other values in places that are named by their path.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut object = pod("web", "7");
    for (path, value) in changes {
        *object.pointer_mut(path).expect(path) = value.clone();
    }
    object
}

#[rstest]
#[case::another_kind(
    "ADDED",
    with(&[("/kind", "Deployment".into()), ("/apiVersion", "apps/v1".into())]),
    "7 skipped frame 1 (apps/web): object.apiVersion: expected `v1`, found `apps/v1`"
)]
#[case::another_kind_of_the_core(
    "MODIFIED",
    with(&[("/kind", "Service".into())]),
    "7 skipped frame 1 (apps/web): object.kind: expected `Pod`, found `Service`"
)]
#[case::another_kind_that_is_deleted(
    "DELETED",
    with(&[("/kind", "Service".into())]),
    "7 skipped frame 1 (apps/web): object.kind: expected `Pod`, found `Service`"
)]
#[case::a_bookmark_of_another_kind(
    "BOOKMARK",
    with(&[("/kind", "Service".into())]),
    "7 skipped frame 1 (apps/web): object.kind: expected `Pod`, found `Service`"
)]
#[case::no_kind("ADDED", with(&[("/kind", "".into())]), "7 skipped frame 1 (apps/web): object.kind: missing")]
#[case::an_unknown_type(
    "PATCHED",
    pod("web", "7"),
    "7 skipped frame 1 (apps/web): type: `PATCHED` is no type of a watch event"
)]
#[case::a_type_in_small_letters(
    "added",
    pod("web", "7"),
    "7 skipped frame 1 (apps/web): type: `added` is no type of a watch event"
)]
#[case::no_type("", pod("web", "7"), "7 skipped frame 1 (apps/web): type: missing")]
#[case::no_name("ADDED", with(&[("/metadata/name", "".into())]), "7 skipped frame 1: metadata.name: missing")]
#[case::no_namespace("ADDED", with(&[("/metadata/namespace", "".into())]), "7 skipped pod web: metadata.namespace: missing")]
#[case::no_name_of_what_is_deleted("DELETED", with(&[("/metadata/name", "".into())]), "7 skipped frame 1: metadata.name: missing")]
#[case::no_metadata("ADDED", json!({"kind": "Pod", "apiVersion": "v1"}), "- skipped frame 1: metadata.name: missing")]
#[case::a_control_character(
    "ADDED",
    with(&[("/kind", "Pod\u{1b}[2J".into()), ("/metadata/name", "a\u{1b}".into())]),
    "7 skipped frame 1 (apps/a\\u{1b}): object.kind: expected `Pod`, found `Pod\\u{1b}[2J`"
)]
#[case::no_version("ADDED", with(&[("/metadata/resourceVersion", "".into())]), "- pod apps/web")]
#[case::a_version_that_is_no_number("MODIFIED", with(&[("/metadata/resourceVersion", "abc".into())]), "- pod apps/web")]
#[case::the_version_of_anything("ADDED", with(&[("/metadata/resourceVersion", "0".into())]), "- pod apps/web")]
#[case::no_version_of_what_is_deleted(
    "DELETED",
    with(&[("/metadata/resourceVersion", "-1".into())]),
    "- deleted pod apps/web u-web, last nginx:1"
)]
#[case::a_bookmark_without_version("BOOKMARK", with(&[("/metadata/resourceVersion", "x".into())]), "- bookmark")]
#[case::no_uid_of_what_is_deleted("DELETED", with(&[("/metadata/uid", "".into())]), "7 deleted pod apps/web -, last nginx:1")]
#[case::an_error_that_is_no_status(
    "ERROR",
    pod("web", "7"),
    "7 error 0 : an ERROR without a Status that can be read: it has `Pod`"
)]
#[case::an_error_that_says_nothing("ERROR", json!({"kind": "Status", "apiVersion": "v1"}), "- error 0 : ")]
#[case::an_error_of_the_server(
    "ERROR",
    json!({"kind": "Status", "apiVersion": "v1", "message": "etcdserver: no leader", "code": 500}),
    "- error 500 : etcdserver: no leader"
)]
#[case::gone_in_a_word_alone(
    "ERROR",
    json!({"kind": "Status", "apiVersion": "v1", "message": "old", "reason": "Gone"}),
    "- error 0 Gone: old, expired"
)]
fn a_frame_that_lies_gives_nothing_false_in_either_encoding(
    #[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding,
    #[case] event_type: &str,
    #[case] object: Value,
    #[case] expected: &str,
) {
    // The next frame is read all the same.
    let stream = [frame(encoding, event_type, &object), frame(encoding, "ADDED", &pod("next", "8"))].concat();
    assert_eq!(pods(&stream, encoding), [expected, "8 pod apps/next"]);
}

const HTML: &str = "<!DOCTYPE html>\n<html><title>Sign in</title></html>\n";

#[rstest]
#[case::broken_json(
    r#"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b"}"#,
    "- skipped frame 1 (b/a): it ends too early"
)]
#[case::no_json_inside(
    r#"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b"},"spec":{"nodeName":x}}}"#,
    "- skipped pod b/a: spec.nodeName: expected value"
)]
#[case::two_frames_in_a_line(
    r#"{"type":"BOOKMARK","object":{}}{"type":"BOOKMARK","object":{}}"#,
    "- skipped frame 1: expected nothing behind the event, found `{`"
)]
#[case::two_objects(
    r#"{"type":"DELETED","object":{},"object":{}}"#,
    "- skipped frame 1: the key \"object\" stands twice"
)]
#[case::an_object_that_is_none(r#"{"type":"ADDED","object":[1]}"#, "- skipped frame 1: object.kind: missing")]
#[case::no_object(r#"{"type":"DELETED"}"#, "- skipped frame 1: object.kind: missing")]
#[case::no_type(r#"{"object":{"kind":"Pod","apiVersion":"v1"}}"#, "- skipped frame 1: type: missing")]
#[case::an_error_that_is_none(
    r#"{"type":"ERROR","object":null}"#,
    "- error 0 : an ERROR without a Status that can be read: it has an object without kind"
)]
#[case::a_field_of_a_wrong_type(
    r#"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b","resourceVersion":7},"spec":5}}"#,
    "- skipped pod b/a: spec: invalid type: integer `5`, expected an object"
)]
#[case::a_last_state_that_cannot_be_read(
    r#"{"type":"DELETED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b","uid":"u"},"spec":5}}"#,
    "- deleted pod b/a u, last nothing"
)]
fn a_line_of_json_that_cannot_be_read_is_named(#[case] line: &str, #[case] expected: &str) {
    let stream = [line.as_bytes(), b"\n", &frame(Encoding::Json, "ADDED", &pod("next", "8"))].concat();
    assert_eq!(pods(&stream, Encoding::Json), [expected, "8 pod apps/next"]);
}

#[rstest]
#[case::a_page(HTML, "only text that begins with `<`")]
#[case::words("upstream connect error\n", "only text that begins with `u`")]
#[case::an_array("[]\n", "only an array")]
#[case::a_byte_order_mark("\u{feff}{}\n", "only text that begins with the byte 0xef")]
#[case::an_error_in_place_of_frames(
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"etcd is slow\",\"code\":504}\n",
    "only what the API server answered: etcd is slow"
)]
#[case::the_same_without_an_end_of_line(
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"etcd is slow\",\"code\":504}",
    "only what the API server answered: etcd is slow"
)]
#[case::a_list_in_place_of_frames("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[]}\n", "only `PodList`")]
#[case::another_object("{\"a\":1}\n", "only an object without kind, with the keys `a`")]
fn an_answer_in_json_that_is_no_watch_ends_the_stream(#[case] body: &str, #[case] expected: &str) {
    for before in [vec![], frame(Encoding::Json, "ADDED", &pod("web", "7"))] {
        let shown = pods(&[&before, body.as_bytes()].concat(), Encoding::Json);
        assert_eq!(shown.len(), 1 + usize::from(!before.is_empty()), "{shown:?}");
        assert!(shown.last().unwrap().contains(expected), "{shown:?}");
    }
}

/// An event with an object of those bytes.
fn event(event_type: &str, object: &[u8]) -> Vec<u8> {
    frame_of(&Message::new().text(1, event_type).message(2, &Message::new().bytes(1, object)))
}

#[rstest]
#[case::an_empty_object(
    event("ADDED", b""),
    "- skipped frame 1: object: it does not begin with the four bytes of Kubernetes"
)]
#[case::an_object_in_json(
    event("ADDED", b"{}"),
    "- skipped frame 1: object: it does not begin with the four bytes of Kubernetes"
)]
#[case::an_object_packed_otherwise(
    event("ADDED", &[list("Pod", &protobuf::metadata("b", "a")), Message::new().text(4, "application/json").into_bytes()].concat()),
    "- skipped frame 1: object: it is wrapped in another form than protobuf"
)]
#[case::an_event_without_object(frame_of(&Message::new().text(1, "DELETED")), "- skipped frame 1: object: it does not begin with the four bytes of Kubernetes")]
#[case::an_event_without_type(
    frame_of(&Message::new().message(2, &Message::new().bytes(1, &list("Pod", &protobuf::metadata("b", "a"))))),
    "- skipped frame 1 (b/a): type: missing"
)]
#[case::an_event_that_is_a_list(frame_of(&Message::new().raw(&pod_list(&[]))), "- skipped frame 1: object: invalid tag value: 0")]
#[case::an_event_cut_short(frame_of(&Message::new().text(1, "ADDED").raw(&[0x12, 0x7f, 0x0a])), "- skipped frame 1: object: a field goes on behind the end of its message")]
#[case::an_error_cut_short(
    frame_of(&Message::new().text(1, "ERROR").raw(&[0x12, 0x7f, 0x0a])),
    "- error 0 : an ERROR without a Status that can be read: object: a field goes on behind the end of its message"
)]
#[case::a_field_of_a_wrong_type(
    event("ADDED", &list("Pod", &protobuf::metadata("b", "a").number(2, 5))),
    "- skipped pod b/a: spec: invalid wire type: Varint (expected LengthDelimited)"
)]
#[case::a_last_state_that_cannot_be_read(
    event("DELETED", &list("Pod", &protobuf::metadata("b", "a").number(2, 5))),
    "- deleted pod b/a -, last nothing"
)]
fn a_frame_of_protobuf_that_cannot_be_read_is_named(#[case] stream: Vec<u8>, #[case] expected: &str) {
    let stream = [stream, frame(Encoding::Protobuf, "ADDED", &pod("next", "8"))].concat();
    assert_eq!(pods(&stream, Encoding::Protobuf), [expected, "8 pod apps/next"]);
}

#[rstest]
#[case::no_length(vec![0; 8], "byte 3 of the protobuf body: a frame of 0 bytes")]
#[case::a_length_that_none_has(vec![0x08, 0, 0, 1, 0], "byte 3 of the protobuf body: a frame of 134217729 bytes")]
#[case::the_largest_length(vec![0xff; 9], "byte 3 of the protobuf body: a frame of 4294967295 bytes")]
#[case::a_page(HTML.as_bytes().to_vec(), "byte 3 of the protobuf body: a frame of 1008813135 bytes")]
#[case::empty_lines(b"\n\n\n\n".to_vec(), "byte 3 of the protobuf body: a frame of 168430090 bytes")]
#[case::json(b"{\"type\":".to_vec(), "byte 3 of the protobuf body: a frame of")]
#[case::an_error_in_place_of_frames(
    protobuf::status_of(&json!({"status": "Failure", "message": "etcd is slow", "code": 504})),
    "only what the API server answered: etcd is slow"
)]
#[case::a_list_in_place_of_frames(pod_list(&[protobuf::metadata("b", "a")]), "only `PodList`")]
#[case::a_long_list_in_place_of_frames(
    pod_list(&[protobuf::metadata("b", "a").bytes(99, &vec![b'x'; 2 << 20])]),
    "byte 1048576 of the protobuf body: more than 1 MiB that are no frame"
)]
fn an_answer_in_protobuf_that_is_no_watch_ends_the_stream(#[case] body: Vec<u8>, #[case] expected: &str) {
    let shown = pods(&body, Encoding::Protobuf);
    assert!(shown.len() == 1 && shown[0].contains(expected), "{shown:?}");
}

#[test]
fn bytes_that_are_no_utf8_matter_in_a_kept_text_alone() {
    let line = |from: &str, to: &str| {
        let object = pod("web", "7").to_string().replace(from, to);
        let line = format!("{{\"type\":\"ADDED\",\"object\":{object}}}\n");
        line.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect::<Vec<u8>>()
    };
    let in_a_label = line("\"uid\"", "\"labels\":{\"x\":\"?\"},\"uid\"");
    assert_eq!(pods(&in_a_label, Encoding::Json), ["7 pod apps/web"]);
    let in_an_image = line("nginx:1", "nginx?");
    let problem = "spec.containers[0].image: invalid unicode code point";
    assert_eq!(pods(&in_an_image, Encoding::Json), [format!("7 skipped pod apps/web: {problem}")]);
}

#[rstest]
fn a_frame_above_the_bound_is_named_and_the_rest_goes_on(
    #[values(Encoding::Json, Encoding::Protobuf)] encoding: Encoding,
) {
    let large = |event_type: &str, kind: &str, padding: usize| {
        let mut object = pod("large", "7");
        object["kind"] = kind.into();
        object["spec"]["containers"][0]["command"] = "x".repeat(padding).into();
        frame(encoding, event_type, &object)
    };
    let stream = [
        large("ADDED", "Pod", 15 << 20),
        large("MODIFIED", "Pod", 17 << 20),
        large("DELETED", "Pod", 17 << 20),
        large("DELETED", "Service", 17 << 20),
        frame(encoding, "ERROR", &json!({"kind": "Status", "apiVersion": "v1", "message": "x".repeat(17 << 20)})),
        frame(encoding, "ADDED", &pod("next", "8")),
    ]
    .concat();
    for length in [64 << 10, usize::MAX] {
        let shown = outcome(&stream, &ListScope::AllPods, encoding, length);
        assert_eq!(shown.len(), 6, "{shown:?}");
        assert_eq!(shown[0], "7 pod apps/large");
        assert_eq!(shown[1], "7 skipped pod apps/large: more than 16 MiB");
        assert_eq!(shown[2], "7 deleted pod apps/large u-large, last nothing");
        assert_eq!(shown[3], "7 skipped frame 4 (apps/large): object.kind: expected `Pod`, found `Service`");
        assert!(shown[4].starts_with("- error 0 : "), "{}", shown[4]);
        assert_eq!(shown[5], "8 pod apps/next");
    }
}

#[test]
fn a_line_above_the_bound_may_not_have_said_its_type() {
    let mut object = pod("large", "7");
    object["spec"]["containers"][0]["command"] = "x".repeat(17 << 20).into();
    let stream = format!("{{\"object\":{object},\"type\":\"DELETED\"}}\n");
    let shown = outcome(stream.as_bytes(), &ListScope::AllPods, Encoding::Json, 64 << 10);
    assert_eq!(shown, ["7 skipped frame 1 (apps/large): more than 16 MiB"]);
}

#[test]
fn a_line_that_never_ends_is_refused() {
    let begun = br#"{"type":"ADDED","object":{"x":""#;
    let stream = [&begun[..], &vec![b'x'; 129 << 20]].concat();
    let shown = outcome(&stream, &ListScope::AllPods, Encoding::Json, 1 << 20);
    assert_eq!(shown, ["error: line 1: a frame of more than 128 MiB"]);
}
