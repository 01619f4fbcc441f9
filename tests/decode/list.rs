//! One page of the API server: what comes out, whatever way its bytes come in.

use kai::decode::{DecodeError, ListDecoder, PageEnd, Records};
use kai::inventory::{ContainerKind, ContainerState, Phase, PodRecord};
use kai::snapshot::{Event, ListScope, Object};
use rstest::rstest;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Pushes the body in chunks of that many bytes.
fn decode(body: &[u8], scope: ListScope, chunk: usize) -> (Vec<Event>, Result<PageEnd, DecodeError>) {
    let (mut records, mut events) = (Records::default(), Vec::new());
    let mut decoder = ListDecoder::new(scope);
    for part in body.chunks(chunk) {
        if let Err(error) = decoder.push(part, &mut records, &mut events) {
            return (events, Err(error));
        }
    }
    let end = decoder.finish();
    (events, end)
}

fn pods(body: &str) -> (Vec<Event>, PageEnd) {
    let (events, end) = decode(body.as_bytes(), ListScope::AllPods, body.len().max(1));
    (events, end.expect("a page"))
}

fn only_pod(item: &str) -> PodRecord {
    let (events, _) = pods(&format!(r#"{{"kind":"PodList","items":[{item}]}}"#));
    match events.into_iter().next() {
        Some(Event::Applied(Object::Pod(pod))) => pod,
        other => panic!("no pod but {other:?}"),
    }
}

/// The item and the problem of the only skipped item of a page of pods.
fn only_skipped(item: &[u8]) -> (String, String) {
    let body = [br#"{"kind":"PodList","items":["#, item, b"]}"].concat();
    let (events, _) = decode(&body, ListScope::AllPods, body.len());
    match events.as_slice() {
        [Event::Skipped(skipped)] => (skipped.item.to_string(), skipped.problem.to_string()),
        other => panic!("not one skipped item but {other:?}"),
    }
}

const PAGE: &str = r#"{
  "kind": "PodList", "apiVersion": "v1",
  "metadata": {"resourceVersion": "42", "continue": "tok\"en", "remainingItemCount": 7},
  "items": [
    {"metadata": {"name": "a", "namespace": "apps", "uid": "u-1", "managedFields": [{"x": "]}\\\"["}],
      "ownerReferences": [{"kind": "ReplicaSet", "name": "a-1", "controller": true}]},
     "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "nginx:1"}]},
     "status": {"phase": "Running", "containerStatuses": [{"name": "c", "image": "nginx:1", "imageID": "", "state": {"running": {}}}]}},
    {"metadata": {"name": "b\u0021", "namespace": "apps"}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}},
    null,
    {"metadata": {"name": "d", "namespace": "apps"}, "spec": {"containers": [{"name": "c", "image": 5}]}}
  ]
}
"#;

#[test]
fn chunks_of_any_size_give_the_same_page() {
    let (whole, end) = decode(PAGE.as_bytes(), ListScope::AllPods, PAGE.len());
    assert_eq!(
        end.expect("a page"),
        PageEnd {
            continue_token: Some("tok\"en".to_owned()),
            remaining: Some(7),
            resource_version: Some("42".to_owned()),
            items: 4
        }
    );
    assert_eq!(whole.len(), 4);
    for chunk in 1..64 {
        let (events, end) = decode(PAGE.as_bytes(), ListScope::AllPods, chunk);
        assert_eq!(format!("{events:?}"), format!("{whole:?}"), "in chunks of {chunk}");
        assert_eq!(end.expect("a page").items, 4);
    }
}

#[test]
fn a_body_that_ends_anywhere_before_its_end_is_an_error() {
    let body = PAGE.trim_end();
    for length in 0..body.len() {
        let (_, end) = decode(&body.as_bytes()[..length], ListScope::AllPods, 37);
        let error = end.expect_err("cut short");
        let expected = if length == 0 { "empty" } else { "ends too early" };
        assert!(error.to_string().contains(expected), "{length}: {error}");
    }
}

#[test]
fn a_pod_is_read_into_the_fields_kept() {
    let pod = only_pod(&format!(
        r#"{{"metadata":{{"name":"web-1","namespace":"apps","uid":"u-1","generation":1,
             "ownerReferences":[{{"kind":"Job","name":"not-me"}},{{"kind":"ReplicaSet","name":"web","controller":true}}]}},
           "spec":{{"nodeName":"n1",
             "initContainers":[{{"name":"setup","image":"busybox"}},{{"name":"proxy","image":"envoy:1","restartPolicy":"Always"}}],
             "containers":[{{"name":"web","image":"nginx:1.25"}},{{"name":"log","image":"fluent:2"}}],
             "ephemeralContainers":[{{"name":"debug","image":"alpine:3"}}],
             "volumes":[{{"name":"none","emptyDir":{{}}}},{{"name":"model","image":{{"reference":"r.io/model:1"}}}},{{"name":"draft","image":{{}}}}]}},
           "status":{{"phase":"Running","observedGeneration":1,
             "containerStatuses":[
               {{"name":"log","image":"fluent:2","imageID":"docker.io/library/fluent@sha256:{HEX}","state":{{"waiting":{{"reason":"CrashLoopBackOff"}}}}}},
               {{"name":"ghost","image":"x","imageID":"x"}},
               {{"name":"web","image":"docker.io/library/nginx:1.25","imageID":"docker.io/library/nginx@sha256:{HEX}","state":{{"running":{{}}}},
                 "volumeMounts":[{{"name":"model","volumeStatus":{{"image":{{"imageRef":"r.io/model@sha256:{HEX}"}}}}}}]}}],
             "initContainerStatuses":[{{"name":"proxy","image":"envoy:1","imageID":"","state":{{"running":{{}}}}}}]}}}}"#
    ));
    assert_eq!((&*pod.namespace, &*pod.name, pod.uid.as_deref()), ("apps", "web-1", Some("u-1")));
    assert_eq!((pod.phase, pod.node.as_deref()), (Phase::Running, Some("n1")));
    let owner = pod.owner.as_ref().expect("an owner");
    assert_eq!((&*owner.kind, &*owner.name), ("ReplicaSet", "web"));
    assert_eq!(pod.stray_statuses.iter().map(|name| &**name).collect::<Vec<_>>(), ["ghost"]);
    let digest = format!("sha256:{HEX}");
    let read: Vec<_> = pod
        .containers
        .iter()
        .map(|entry| {
            (
                &*entry.name,
                entry.kind,
                entry.image.written(),
                entry.running.as_ref().map(kai::inventory::Digest::as_str),
                entry.state,
                entry.reason.as_deref(),
            )
        })
        .collect();
    let (digest, no_reason) = (Some(digest.as_str()), None);
    assert_eq!(
        read,
        [
            ("setup", ContainerKind::Init, "busybox", None, ContainerState::Pending, no_reason),
            ("proxy", ContainerKind::Sidecar, "envoy:1", None, ContainerState::Running, no_reason),
            ("web", ContainerKind::Container, "nginx:1.25", digest, ContainerState::Running, no_reason),
            ("log", ContainerKind::Container, "fluent:2", digest, ContainerState::Waiting, Some("CrashLoopBackOff")),
            ("debug", ContainerKind::Ephemeral, "alpine:3", None, ContainerState::Pending, no_reason),
            ("model", ContainerKind::Volume, "r.io/model:1", digest, ContainerState::Running, no_reason),
        ]
    );
}

#[rstest]
#[case::image_of_a_wrong_type(
    br#"{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"name":"c","image":5}]}}"#,
    "pod b/a",
    "spec.containers[0].image: invalid type: integer `5`, expected a string"
)]
#[case::containers_of_a_wrong_type(
    br#"{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":{}}}"#,
    "pod b/a",
    "spec.containers: invalid type: map, expected a sequence"
)]
#[case::spec_as_a_sequence(
    br#"{"spec":["n"],"metadata":{"name":"a","namespace":"b"}}"#,
    "pod b/a",
    "spec: invalid type: sequence, expected an object"
)]
#[case::no_name(br#"{"metadata":{"namespace":"b"}}"#, "item 1", "metadata.name: missing")]
#[case::no_namespace(br#"{"metadata":{"name":"a"}}"#, "pod a", "metadata.namespace: missing")]
#[case::a_key_twice(
    br#"{"metadata":{"name":"a","namespace":"b","name":"c"}}"#,
    "pod b/c",
    "metadata: duplicate field `name`"
)]
#[case::no_utf8_in_a_kept_text(
    b"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"},\"spec\":{\"nodeName\":\"\xff\"}}",
    "pod b/a",
    "spec.nodeName: invalid unicode code point"
)]
#[case::null(b"null", "item 1", "invalid type: null, expected an object")]
#[case::a_control_character_in_the_name(
    br#"{"metadata":{"name":"a\u001b[2J","namespace":"b"},"spec":5}"#,
    "pod b/a\\u{1b}[2J",
    "spec: invalid type: integer `5`, expected an object"
)]
fn a_broken_item_is_named_with_its_field(#[case] item: &[u8], #[case] named: &str, #[case] problem: &str) {
    assert_eq!(only_skipped(item), (named.to_owned(), problem.to_owned()));
}

#[test]
fn a_container_that_lacks_its_image_is_named_and_the_pod_keeps_the_others() {
    let item = r#"{"metadata":{"name":"a","namespace":"b"},"spec":{"initContainers":[{"name":"x","image":"y"},{"name":"c"}],
        "volumes":[{"image":{"reference":"r"}}]}}"#;
    let (events, _) = pods(&format!(r#"{{"kind":"PodList","items":[{item}]}}"#));
    let [Event::Skipped(image), Event::Skipped(volume), Event::Applied(Object::Pod(pod))] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((&*image.item, &*image.problem), ("pod b/a", "spec.initContainers[1].image: missing"));
    assert_eq!((&*volume.item, &*volume.problem), ("pod b/a", "spec.volumes[0].name: missing"));
    assert_eq!(pod.containers.len(), 1);
}

#[test]
fn entries_without_names_beyond_a_bound_are_counted_alone() {
    let item =
        format!(r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"containers":[{}null]}}}}"#, "{},".repeat(200));
    let (events, _) = pods(&format!(r#"{{"kind":"PodList","items":[{item}]}}"#));
    let problems: Vec<&str> = events
        .iter()
        .filter_map(|event| if let Event::Skipped(skipped) = event { Some(&*skipped.problem) } else { None })
        .collect();
    assert_eq!((problems.len(), problems.last()), (101, Some(&"101 more entries: without name or image")));
}

#[rstest]
#[case::nulls(r#"{"metadata":{"name":"a","namespace":"b","uid":null,"annotations":null,"ownerReferences":null,"generation":null},"spec":null,"status":null}"#)]
#[case::odd_uid_and_annotations(r#"{"metadata":{"name":"a","namespace":"b","uid":{"x":[1]},"annotations":[1,2]}}"#)]
#[case::odd_values_in_fields_not_kept(
    r#"{"metadata":{"name":"a","namespace":"b","labels":5,"creationTimestamp":[]},"spec":{"hostNetwork":"x"}}"#
)]
fn what_is_not_kept_breaks_nothing(#[case] item: &str) {
    let pod = only_pod(item);
    assert_eq!((&*pod.namespace, &*pod.name, pod.uid), ("b", "a", None));
}

#[test]
fn bytes_that_are_no_utf8_in_an_ignored_text_do_not_matter() {
    let body = b"{\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"labels\":{\"x\":\"\xff\xfe\"}}}]}";
    let (events, _) = decode(body, ListScope::AllPods, 9);
    assert!(matches!(events.as_slice(), [Event::Applied(Object::Pod(_))]), "{events:?}");
}

#[rstest]
#[case::mirror(r#""annotations":{"kubernetes.io/config.mirror":"x"}"#, Some(("Node", "n1")))]
#[case::file(r#""annotations":{"kubernetes.io/config.source":"file"}"#, Some(("Node", "n1")))]
#[case::api(r#""annotations":{"kubernetes.io/config.source":"api"}"#, None)]
#[case::not_controlling(r#""ownerReferences":[{"kind":"Node","name":"n1"}]"#, None)]
fn static_pods_belong_to_their_node(#[case] metadata: &str, #[case] expected: Option<(&str, &str)>) {
    let pod =
        only_pod(&format!(r#"{{"metadata":{{"name":"a","namespace":"b",{metadata}}},"spec":{{"nodeName":"n1"}}}}"#));
    assert_eq!(pod.owner.as_ref().map(|owner| (&*owner.kind, &*owner.name)), expected);
}

#[rstest]
#[case::pending(r#"{"phase":"Pending"}"#, ContainerState::Pending, None)]
#[case::evicted(r#"{"phase":"Failed","reason":"Evicted"}"#, ContainerState::Terminated, Some("Evicted"))]
#[case::waiting(
    r#"{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ErrImagePull"}}}]}"#,
    ContainerState::Waiting,
    Some("ErrImagePull")
)]
#[case::ended(
    r#"{"containerStatuses":[{"name":"c","state":{"terminated":{"reason":"Completed"}}}]}"#,
    ContainerState::Terminated,
    Some("Completed")
)]
#[case::runs_without_image_id(
    r#"{"containerStatuses":[{"name":"c","state":{"running":{}}}]}"#,
    ContainerState::Running,
    None
)]
fn the_state_is_the_status_or_else_the_pods(
    #[case] status: &str,
    #[case] state: ContainerState,
    #[case] reason: Option<&str>,
) {
    let pod = only_pod(&format!(
        r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"containers":[{{"name":"c","image":"a:1"}}]}},"status":{status}}}"#
    ));
    assert_eq!((pod.containers[0].state, pod.containers[0].reason.as_deref()), (state, reason));
}

#[rstest]
#[case::running(r#"{"running":{"startedAt":"2026-10-01T08:15:41Z"}}"#, Some("2026-10-01T08:15:41Z"))]
#[case::elsewhere(r#"{"running":{"startedAt":"2026-10-01T10:15:41.7+02:00"}}"#, Some("2026-10-01T08:15:41Z"))]
#[case::absent(r#"{"running":{"startedAt":null}}"#, None)]
#[case::no_time(r#"{"running":{"startedAt":"soon"}}"#, None)]
#[case::no_text(r#"{"running":{"startedAt":[7]}}"#, None)]
#[case::ended(r#"{"terminated":{"startedAt":"2026-10-01T08:15:41Z"}}"#, None)]
fn what_runs_has_a_start(#[case] state: &str, #[case] expected: Option<&str>) {
    let pod = only_pod(&format!(
        r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"containers":[{{"name":"c","image":"a:1"}}]}},"status":{{"containerStatuses":[{{"name":"c","state":{state}}}]}}}}"#
    ));
    let started = pod.containers[0].started_at.map(kai::inventory::StartTime::second);
    assert_eq!(started, expected.map(|time| time.parse::<jiff::Timestamp>().expect("a time").as_second()));
}

#[rstest]
#[case::in_the_api_types(r#"{"name":"v","volumeStatus":{"image":{"imageRef":"r.io/m@DIGEST"}}}"#, true)]
#[case::in_the_documentation(r#"{"name":"v","imageRef":"r.io/m@DIGEST"}"#, true)]
#[case::of_another_volume(r#"{"name":"w","imageRef":"r.io/m@DIGEST"}"#, false)]
#[case::absent(r#"{"name":"v","volumeStatus":null}"#, false)]
fn the_digest_of_an_image_volume_stands_in_a_mount(#[case] mount: &str, #[case] is_found: bool) {
    let digest = format!("sha256:{HEX}");
    let pod = only_pod(&format!(
        r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"volumes":[{{"name":"v","image":{{"reference":"r.io/m:1"}}}}]}},
            "status":{{"initContainerStatuses":[{{"name":"c","volumeMounts":[{}]}}]}}}}"#,
        mount.replace("DIGEST", &digest)
    ));
    let [volume] = &*pod.containers else { panic!("{:?}", pod.containers) };
    assert_eq!(volume.running.as_ref().map(ToString::to_string), is_found.then_some(digest));
}

#[test]
fn statuses_are_joined_by_name_in_lists_of_any_length() {
    for count in [2, 16, 17, 100] {
        let containers: Vec<String> =
            (0..count).map(|at| format!(r#"{{"name":"c{at}","image":"r.io/i{at}:1"}}"#)).collect();
        // In the opposite order, the first one missing and one of no container added.
        let statuses: Vec<String> = (1..=count)
            .rev()
            .map(|at| {
                format!(r#"{{"name":"c{at}","imageID":"r.io/i{at}@sha256:{at:064x}","state":{{"running":{{}}}}}}"#)
            })
            .collect();
        let pod = only_pod(&format!(
            r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"containers":[{}]}},"status":{{"containerStatuses":[{}]}}}}"#,
            containers.join(","),
            statuses.join(",")
        ));
        assert_eq!(pod.containers.len(), count);
        for (at, entry) in pod.containers.iter().enumerate() {
            let expected = (at > 0).then(|| format!("sha256:{at:064x}"));
            assert_eq!(entry.running.as_ref().map(ToString::to_string), expected, "{at} of {count}");
        }
        assert_eq!(pod.stray_statuses.iter().map(|name| &**name).collect::<Vec<_>>(), [format!("c{count}")]);
    }
}

#[test]
fn an_item_above_the_bound_is_skipped_and_the_rest_goes_on() {
    let large = "x".repeat(17 << 20);
    let body = format!(
        r#"{{"items":[{{"metadata":{{"name":"a","namespace":"b"}},"x":"{large}"}},{{"metadata":{{"name":"c","namespace":"b"}}}}]}}"#
    );
    for chunk in [64 << 10, body.len()] {
        let (events, end) = decode(body.as_bytes(), ListScope::AllPods, chunk);
        assert_eq!(end.expect("a page").items, 2);
        let [Event::Skipped(skipped), Event::Applied(Object::Pod(pod))] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!((&*skipped.item, &*skipped.problem, &*pod.name), ("pod b/a", "more than 16 MiB", "c"));
    }
}

#[rstest]
#[case::status(r#"{"kind":"Status","status":"Failure"}"#, "only `Status`")]
#[case::array("[]", "the input is an array")]
#[case::html("<html>", "text that begins with `<`")]
#[case::a_second_document(r#"{"items":[]}{"items":[]}"#, "a second document")]
#[case::items_twice(r#"{"items":[],"items":[]}"#, "`items` stands twice")]
#[case::no_comma(r#"{"items":[{} {}]}"#, "expected `,` or `]`, found `{`")]
#[case::no_items(r#"{"kind":"PodList"}"#, "only `PodList`")]
fn a_body_that_is_no_list_is_refused(#[case] body: &str, #[case] expected: &str) {
    let (_, end) = decode(body.as_bytes(), ListScope::AllPods, 5);
    let error = end.expect_err("no list").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn an_empty_list_may_be_null() {
    for body in [r#"{"kind":"PodList","items":null}"#, r#"{"items":[],"kind":"PodList"}"#] {
        assert_eq!(pods(body).1, PageEnd::default());
    }
}

#[test]
fn namespaces_are_read_by_scope() {
    let body = r#"{"kind":"NamespaceList","items":[{"metadata":{"name":"apps"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}},{}]}"#;
    let (events, _) = decode(body.as_bytes(), ListScope::Namespaces, 11);
    let [Event::Applied(Object::Namespace(namespace)), Event::Skipped(skipped)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((&*namespace.name, &*skipped.item), ("apps", "item 2"));
}
