//! One page of the API server in protobuf: the same events as from JSON, whatever way its bytes come in.

use kai::decode::{ApiStatus, DecodeError, Encoding, ListDecoder, PageEnd, Records, read_status};
use kai::inventory::{Detail, PodRecord};
use kai::snapshot::{Event, ListScope, Object};
use kai::testing::everything;
use proptest::prelude::*;
use rstest::rstest;

use crate::protobuf::{Message, body, list, list_meta, metadata, pod_list};

const PODS: &[u8] = include_bytes!("../cases/protobuf/pods.pb");
const PODS_JSON: &[u8] = include_bytes!("../cases/protobuf/pods.json");
const NAMESPACES: &[u8] = include_bytes!("../cases/protobuf/namespaces.pb");
const NAMESPACES_JSON: &[u8] = include_bytes!("../cases/protobuf/namespaces.json");

/// Pushes the body in chunks of that many bytes.
fn decode(
    body: &[u8],
    scope: ListScope,
    encoding: Encoding,
    chunk: usize,
) -> (Vec<Event>, Result<PageEnd, DecodeError>) {
    decode_with(Detail::default(), body, scope, encoding, chunk)
}

fn decode_with(
    detail: Detail,
    body: &[u8],
    scope: ListScope,
    encoding: Encoding,
    chunk: usize,
) -> (Vec<Event>, Result<PageEnd, DecodeError>) {
    let (mut records, mut events) = (Records::new(detail), Vec::new());
    let mut decoder = ListDecoder::of_encoding(scope, encoding);
    for part in body.chunks(chunk) {
        if let Err(error) = decoder.push(part, &mut records, &mut events) {
            return (events, Err(error));
        }
    }
    let end = decoder.finish();
    (events, end)
}

fn pods_of(body: &[u8], chunk: usize) -> (Vec<Event>, Result<PageEnd, DecodeError>) {
    decode(body, ListScope::AllPods, Encoding::Protobuf, chunk)
}

/// What came out, comparable.
fn outcome((events, end): &(Vec<Event>, Result<PageEnd, DecodeError>)) -> String {
    format!("{events:#?} {end:#?}")
}

fn only_pod(pod: &Message) -> PodRecord {
    let (events, _) = pods_of(&pod_list(std::slice::from_ref(pod)), usize::MAX);
    match events.into_iter().next() {
        Some(Event::Applied(Object::Pod(pod))) => pod,
        other => panic!("no pod but {other:?}"),
    }
}

/// The item and the problem of the only skipped item of a page of pods.
fn only_skipped(pod: &Message) -> (String, String) {
    let (events, end) = pods_of(&pod_list(std::slice::from_ref(pod)), 7);
    assert_eq!(end.expect("a page").items, 1);
    match events.as_slice() {
        [Event::Skipped(skipped)] => (skipped.item.to_string(), skipped.problem.to_string()),
        other => panic!("not one skipped item but {other:?}"),
    }
}

#[rstest]
#[case::pods(PODS, PODS_JSON, ListScope::AllPods, 3)]
#[case::pods_of_a_namespace(PODS, PODS_JSON, ListScope::PodsOf("apps".into()), 3)]
#[case::namespaces(NAMESPACES, NAMESPACES_JSON, ListScope::Namespaces, 5)]
fn what_an_api_server_wrote_gives_the_same_from_both_encodings(
    #[case] protobuf: &[u8],
    #[case] json: &[u8],
    #[case] scope: ListScope,
    #[case] items: u64,
) {
    for detail in [Detail::default(), everything()] {
        let from_protobuf = decode_with(detail.clone(), protobuf, scope.clone(), Encoding::Protobuf, usize::MAX);
        let from_json = decode_with(detail, json, scope.clone(), Encoding::Json, usize::MAX);
        assert_eq!(outcome(&from_protobuf), outcome(&from_json));
        assert_eq!(from_protobuf.1.expect("a page").items, items);
        assert!(!from_protobuf.0.iter().any(|event| matches!(event, Event::Skipped(_))), "{:?}", from_protobuf.0);
    }
}

#[test]
fn every_field_that_is_kept_is_there_in_what_an_api_server_wrote() {
    let (events, _) = pods_of(PODS, usize::MAX);
    let shown = format!("{events:?}");
    for kept in ["Sidecar", "Init", "Ephemeral", "Volume", "CrashLoopBackOff", "Evicted", "Node", "ReplicaSet", "n1"] {
        assert!(shown.contains(kept), "{kept}: {shown}");
    }
}

#[rstest]
#[case::pods(PODS, ListScope::AllPods)]
#[case::namespaces(NAMESPACES, ListScope::Namespaces)]
fn chunks_of_any_size_give_the_same_page(#[case] body: &[u8], #[case] scope: ListScope) {
    let whole = decode(body, scope.clone(), Encoding::Protobuf, usize::MAX);
    for chunk in (1..64).chain([100, 1_000, 4_096]) {
        let cut = decode(body, scope.clone(), Encoding::Protobuf, chunk);
        assert_eq!(outcome(&cut), outcome(&whole), "in chunks of {chunk}");
    }
}

#[rstest]
#[case::protobuf(PODS, Encoding::Protobuf)]
#[case::json(PODS_JSON, Encoding::Json)]
fn the_next_page_is_known_before_the_first_item(#[case] body: &[u8], #[case] encoding: Encoding) {
    let (mut records, mut events) = (Records::default(), Vec::new());
    let mut decoder = ListDecoder::of_encoding(ListScope::AllPods, encoding);
    let mut early = None;
    for byte in body.chunks(1) {
        decoder.push(byte, &mut records, &mut events).expect("bytes of a page");
        if events.is_empty() {
            early = decoder.next_page().map(str::to_owned);
        }
    }
    assert!(early.is_some());
    assert_eq!(early, decoder.finish().expect("a page").continue_token);
}

#[test]
fn a_body_that_ends_anywhere_inside_its_list_is_an_error() {
    // Behind the list stand two empty texts, of two bytes each: without them nothing is missing.
    let list_end = PODS.len() - 4;
    for length in 0..PODS.len() {
        let (_, end) = pods_of(&PODS[..length], 37);
        match end {
            Ok(end) => {
                assert!(end.items == 3 && length >= list_end && (length - list_end).is_multiple_of(2), "{length}");
            }
            Err(error) => {
                let expected = if length == 0 { "empty" } else { "ends too early" };
                assert!(error.to_string().contains(expected), "{length}: {error}");
            }
        }
    }
}

#[rstest]
#[case::image_of_a_wrong_type(
    metadata("b", "a").message(2, &Message::new().message(2, &Message::new().text(1, "c").number(2, 5))),
    "pod b/a",
    "spec.containers.image: invalid wire type: Varint (expected LengthDelimited)"
)]
#[case::containers_of_a_wrong_type(
    metadata("b", "a").message(2, &Message::new().number(2, 5)),
    "pod b/a",
    "spec.containers: invalid wire type: Varint (expected LengthDelimited)"
)]
#[case::no_utf8_in_a_kept_text(
    metadata("b", "a").message(2, &Message::new().bytes(10, b"\xff")),
    "pod b/a",
    "spec.node_name: invalid string value: data is not UTF-8 encoded"
)]
#[case::a_message_that_is_cut_short(
    metadata("b", "a").bytes(3, &[0x0a, 0x05, b'R']),
    "pod b/a",
    "status.phase: buffer underflow"
)]
#[case::a_reason_of_a_wrong_type(
    metadata("b", "a").message(3, &Message::new().message(8, &Message::new().message(2, &Message::new().message(3, &Message::new().number(3, 1))))),
    "pod b/a",
    "status.container_statuses.state.terminated.reason: invalid wire type: Varint (expected LengthDelimited)"
)]
#[case::a_group(metadata("b", "a").raw(&[0x1b]), "pod b/a", "status: invalid wire type: StartGroup (expected LengthDelimited)")]
#[case::no_name(Message::new().message(1, &Message::new().text(3, "b")), "item 1", "metadata.name: missing")]
#[case::no_namespace(Message::new().message(1, &Message::new().text(1, "a")), "pod a", "metadata.namespace: missing")]
#[case::nothing(Message::new(), "item 1", "metadata.name: missing")]
#[case::a_control_character_in_the_name(
    metadata("b", "a\u{1b}[2J").number(2, 5),
    "pod b/a\\u{1b}[2J",
    "spec: invalid wire type: Varint (expected LengthDelimited)"
)]
fn a_broken_item_is_named_with_its_field(#[case] pod: Message, #[case] named: &str, #[case] problem: &str) {
    assert_eq!(only_skipped(&pod), (named.to_owned(), problem.to_owned()));
}

#[test]
fn an_ephemeral_container_without_image_is_named_and_the_pod_stays() {
    let container = Message::new().message(1, &Message::new().text(1, "c"));
    let pod = metadata("b", "a").message(2, &Message::new().message(34, &container));
    let (events, _) = pods_of(&pod_list(&[pod]), 7);
    let [Event::Skipped(skipped), Event::Applied(Object::Pod(pod))] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&*skipped.item, &*skipped.problem), ("pod b/a", "spec.ephemeralContainers[0].image: missing"));
    assert_eq!(pod.containers.len(), 0);
}

#[test]
fn what_is_not_kept_breaks_nothing() {
    let odd = metadata("b", "a")
        .bytes(99, b"\xff")
        .number(77, 1)
        .raw(&[0xf5, 0x05, 1, 2, 3, 4])
        .raw(&[0xf1, 0x05, 1, 2, 3, 4, 5, 6, 7, 8]);
    let pod = only_pod(&odd);
    assert_eq!((&*pod.namespace, &*pod.name, pod.uid), ("b", "a", None));
}

#[test]
fn a_message_in_two_pieces_is_one() {
    let pod = Message::new()
        .message(1, &Message::new().text(1, "old").text(3, "b"))
        .message(1, &Message::new().text(1, "a"))
        .message(2, &Message::new().text(10, "n1"))
        .message(2, &Message::new().message(2, &Message::new().text(1, "c").text(2, "nginx")));
    let pod = only_pod(&pod);
    assert_eq!((&*pod.namespace, &*pod.name, pod.node.as_deref()), ("b", "a", Some("n1")));
    assert_eq!(pod.containers.len(), 1);
}

#[test]
fn an_absent_generation_is_no_generation() {
    // 0 is how protobuf writes that the node has not looked at the pod: nothing is then known to be pending.
    let hex = "0123456789abcdef".repeat(4);
    let status = Message::new()
        .text(1, "c")
        .text(6, "docker.io/library/nginx:1")
        .text(7, &format!("docker.io/library/nginx@sha256:{hex}"))
        .message(2, &Message::new().message(2, &Message::new()));
    let pod = Message::new()
        .message(1, &Message::new().text(1, "a").text(3, "b").number(7, 2))
        .message(2, &Message::new().message(2, &Message::new().text(1, "c").text(2, "nginx:2")));
    let seen = |observed| pod.clone().message(3, &Message::new().message(8, &status).number(17, observed));
    assert!(only_pod(&seen(0)).containers[0].updating_from.is_none());
    assert!(only_pod(&seen(1)).containers[0].updating_from.is_some());
}

#[test]
fn an_item_above_the_bound_is_skipped_and_the_rest_goes_on() {
    let large = metadata("b", "a").bytes(99, &vec![b'x'; 17 << 20]);
    let body = pod_list(&[large, metadata("b", "c")]);
    for chunk in [64 << 10, usize::MAX] {
        let (events, end) = pods_of(&body, chunk);
        assert_eq!(end.expect("a page").items, 2);
        let [Event::Skipped(skipped), Event::Applied(Object::Pod(pod))] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!((&*skipped.item, &*skipped.problem, &*pod.name), ("pod b/a", "more than 16 MiB", "c"));
    }
}

#[test]
fn a_claimed_length_costs_nothing_before_its_bytes_come() {
    // An item of 15 MiB in a list of as much, of which nothing follows.
    let body = [&body("PodList")[..], &[0x12, 0x90, 0x80, 0xc0, 0x07, 0x12, 0x80, 0x80, 0xc0, 0x07]].concat();
    let (_, end) = pods_of(&body, usize::MAX);
    assert!(matches!(end, Err(DecodeError::EndedEarly(_))), "{end:?}");
}

#[rstest]
#[case::json(b"{\"kind\":\"PodList\"}".to_vec(), "byte 0 of the protobuf body: the body does not begin")]
#[case::status(list("Status", &Message::new()), "only `Status`")]
#[case::another_list(list("NamespaceList", &Message::new()), "only `NamespaceList`")]
#[case::no_kind([&b"k8s\0"[..], &[0x12, 0x00]].concat(), "only an object without kind")]
#[case::a_second_list([pod_list(&[]), vec![0x12, 0x00]].concat(), "a second document")]
#[case::a_packed_list([pod_list(&[]), vec![0x1a, 0x04], b"gzip".to_vec()].concat(), "another form than protobuf")]
#[case::a_field_beyond_the_list([&body("PodList")[..], &[0x12, 0x04, 0x12, 0x05, 0, 0]].concat(), "the list ends inside a field")]
#[case::a_tag_beyond_the_list([&body("PodList")[..], &[0x12, 0x01, 0x92]].concat(), "the list ends inside a field")]
#[case::items_that_are_numbers(list("PodList", &Message::new().number(2, 1)), "another wire type")]
#[case::metadata_without_end(list("PodList", &Message::new().bytes(1, &[0x1a, 0x05])), "metadata: continue_token: buffer underflow")]
#[case::a_long_kind([&b"k8s\0"[..], &[0x0a, 0x80, 0x80, 0x80, 0x01]].concat(), "2097152 bytes outside the items")]
#[case::a_long_number([&b"k8s\0"[..], &[0xff; 11]].concat(), "a number of more than 64 bits")]
fn a_body_that_is_no_list_is_refused(#[case] body: Vec<u8>, #[case] expected: &str) {
    for chunk in [1, usize::MAX] {
        let (_, end) = pods_of(&body, chunk);
        let error = end.expect_err("no list").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_list_may_be_empty() {
    let meta = list_meta("7", "");
    for body in [list("PodList", &Message::new()), list("PodList", &Message::new().message(1, &meta))] {
        let (events, end) = pods_of(&body, 1);
        assert!(events.is_empty() && end.expect("a page").continue_token.is_none());
    }
}

#[test]
fn an_error_in_protobuf_is_read() {
    let details = Message::new().text(1, "").number(5, 7);
    let status =
        Message::new().text(2, "Failure").text(3, "too old").text(4, "Expired").message(5, &details).number(6, 429);
    let read = read_status(&list("Status", &status));
    let expected = ApiStatus {
        message: "too old".to_owned(),
        reason: "Expired".to_owned(),
        code: Some(429),
        retry_after_seconds: Some(7),
    };
    assert_eq!(read, Some(expected));
    assert_eq!(read_status(&pod_list(&[])), None);
    assert_eq!(read_status(br#"{"kind":"Status"}"#), None);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), chunk in 1_usize..50, wrapped in any::<bool>()) {
        let bytes = if wrapped { list("PodList", &Message::new().raw(&bytes)) } else { [b"k8s\0".to_vec(), bytes].concat() };
        let _ = read_status(&bytes);
        let whole = pods_of(&bytes, usize::MAX);
        prop_assert_eq!(outcome(&pods_of(&bytes, chunk)), outcome(&whole));
    }

    #[test]
    fn a_changed_byte_never_panics_and_chunks_never_matter(at in 0..PODS.len(), byte in any::<u8>(), chunk in 1_usize..300) {
        let mut bytes = PODS.to_vec();
        bytes[at] = byte;
        let whole = pods_of(&bytes, usize::MAX);
        prop_assert_eq!(outcome(&pods_of(&bytes, chunk)), outcome(&whole));
    }

    #[test]
    fn the_same_pods_give_the_same_events_from_both_encodings(pods in prop::collection::vec(crate::protobuf::pod(), 0..5), chunk in 1_usize..2_000) {
        let json = serde_json::json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": pods });
        let json = serde_json::to_vec(&json).expect("JSON");
        let messages: Vec<Message> = pods.iter().map(crate::protobuf::pod_message).collect();
        for detail in [Detail::default(), everything()] {
            let from_protobuf = decode_with(detail.clone(), &pod_list(&messages), ListScope::AllPods, Encoding::Protobuf, chunk);
            let from_json = decode_with(detail, &json, ListScope::AllPods, Encoding::Json, usize::MAX);
            prop_assert_eq!(outcome(&from_protobuf), outcome(&from_json));
        }
    }
}
