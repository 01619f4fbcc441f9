//! The shapes of a saved dump: which read, with what, and which are refused, with what words.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use kai::decode::{DecodeError, DumpEnd, Records, read_dump};
use kai::snapshot::{Event, Object, ObjectKey, PodKey};
use rstest::rstest;

const POD_A: &str =
    r#"{"metadata":{"name":"a","namespace":"x"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}"#;
const POD_B: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","namespace":"x"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}"#;
const NAMESPACE: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}"#;
const BROKEN: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad","namespace":"x"},"spec":{"containers":[{"name":"c","image":5}]}}"#;
const SERVICE: &str =
    r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s","namespace":"x"},"spec":{"containers":7}}"#;

const YAML_POD: &str = "  apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      note: |
        - this is no item

        items:
      other: \"a text of
        several lines: \\
        kind: None\"
    name: a
    namespace: x
  spec:
    containers:
    - name: c
      image: nginx:1
    - image: busybox # the last
      name: d
";

/// Gives a few bytes at a time, as a pipe may.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

/// What each event is, in a word or two.
fn read_in(input: &[u8], chunk: usize) -> (Vec<String>, Result<DumpEnd, DecodeError>) {
    let mut events = Vec::new();
    let end = read_dump(&mut Trickle(input, chunk), &mut Records::default(), &mut |event| {
        events.push(match event {
            Event::Applied(Object::Pod(pod)) => format!("pod {}/{} {}", pod.namespace, pod.name, pod.containers.len()),
            Event::Applied(Object::Namespace(namespace)) => format!("namespace {}", namespace.name),
            Event::Skipped(skipped) => format!("skipped {}: {}", skipped.item, skipped.problem),
            Event::Deleted(ObjectKey::Pod(PodKey { namespace, name, uid })) => {
                format!("deleted pod {namespace}/{name} {}", uid.as_deref().unwrap_or("of any uid"))
            }
            Event::Deleted(ObjectKey::Namespace(name)) => format!("deleted namespace {name}"),
            other => panic!("{other:?}"),
        });
        ControlFlow::Continue(())
    });
    (events, end)
}

/// Reads in large chunks and in tiny ones, which must not matter.
fn read(input: &[u8]) -> (Vec<String>, Result<DumpEnd, DecodeError>) {
    let (events, end) = read_in(input, usize::MAX);
    let (in_parts, end_in_parts) = read_in(input, 7);
    assert_eq!(events, in_parts);
    assert_eq!(format!("{end:?}"), format!("{end_in_parts:?}"));
    (events, end)
}

fn event(kind: &str, object: &str) -> String {
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

fn list(kind: &str, items: &[&str]) -> String {
    format!(
        r#"{{"apiVersion":"v1","items":[{}],"kind":"{kind}","metadata":{{"resourceVersion":""}}}}"#,
        items.join(",")
    )
}

fn kind_first(kind: &str, items: &[&str]) -> String {
    format!(r#"{{"kind":"{kind}","items":[{}]}}"#, items.join(",\n"))
}

fn yaml_list(items: &[&str]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("-{}", &item[1..])).collect();
    let items = items.concat();
    format!("apiVersion: v1\nitems:\n{items}kind: List\nmetadata:\n  resourceVersion: \"\"\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

#[rstest]
#[case::list(list("List", &[NAMESPACE, POD_B]), &["namespace x", "pod x/b 1"])]
#[case::kind_first(kind_first("List", &[NAMESPACE, POD_B]), &["namespace x", "pod x/b 1"])]
#[case::pod_list(kind_first("PodList", &[POD_A, POD_B]), &["pod x/a 1", "pod x/b 1"])]
#[case::pod_list_named_late(list("PodList", &[POD_A]), &["pod x/a 1"])]
#[case::pod_without_containers_in_a_pod_list_named_late(list("PodList", &[r#"{"metadata":{"name":"a","namespace":"x"}}"#]), &["pod x/a 0"])]
#[case::namespace_list(kind_first("NamespaceList", &[r#"{"metadata":{"name":"x"}}"#]), &["namespace x"])]
#[case::namespace_list_named_late(list("NamespaceList", &[r#"{"metadata":{"name":"x"}}"#]), &["namespace x"])]
#[case::no_kind_anywhere(format!(r#"{{"metadata":{{}},"items":[{POD_A}]}}"#), &["pod x/a 1"])]
#[case::one_pod(POD_B.to_owned(), &["pod x/b 1"])]
#[case::array(format!("[{POD_A},\n{NAMESPACE}]\n"), &["pod x/a 1", "namespace x"])]
#[case::array_of_lists(format!("[{},{}]", list("PodList", &[POD_A]), list("List", &[NAMESPACE, POD_B])), &["pod x/a 1", "namespace x", "pod x/b 1"])]
#[case::arrays_in_an_array(format!("[[{POD_A}], [], [{POD_B}]]"), &["pod x/a 1", "pod x/b 1"])]
#[case::array_and_more(format!("[{POD_A}]{POD_B}"), &["pod x/a 1", "pod x/b 1"])]
#[case::list_in_list(kind_first("List", &[&list("PodList", &[POD_A]), POD_B]), &["pod x/a 1", "pod x/b 1"])]
#[case::lists_deep(kind_first("List", &[&list("List", &[&list("PodList", &[POD_A, POD_A]), NAMESPACE]), POD_B]),
    &["pod x/a 1", "pod x/a 1", "namespace x", "pod x/b 1"])]
#[case::list_without_kind_in_list(list("List", &[&format!(r#"{{"items":[{POD_A}]}}"#)]), &["pod x/a 1"])]
#[case::watch_events(format!("{}\n{}\n{}\n",
    event("ADDED", POD_B), event("MODIFIED", POD_B),
    r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9"}}}"#), &["pod x/b 1", "pod x/b 1"])]
#[case::deletions(format!("{}\n{}\n{}\n{}\n", event("DELETED", &POD_B.replace(r#""name":"b","#, r#""name":"b","uid":"1","#)),
    event("DELETED", POD_A), event("DELETED", NAMESPACE), event("DELETED", SERVICE)), &["deleted pod x/b 1", "deleted pod x/a of any uid", "deleted namespace x"])]
#[case::deletion_in_yaml("type: DELETED\nobject: {kind: Namespace, metadata: {name: x}}\n".to_owned(), &["deleted namespace x"])]
#[case::deletion_of_what_cannot_be_read(event("DELETED", BROKEN), &["skipped pod x/bad: spec.containers[0].image: invalid type: integer `5`, expected a string"])]
#[case::deletion_of_nothing_known(format!("{}{POD_B}", event("DELETED", r#"{"metadata":{"name":"a"}}"#)),
    &["skipped item 1 (a): the object of a DELETED event is no single object with its kind", "pod x/b 1"])]
#[case::deletion_of_a_list(format!("{}{POD_B}", event("DELETED", &list("PodList", &[POD_A]))),
    &["skipped item 1: the object of a DELETED event is no single object with its kind", "pod x/b 1"])]
#[case::watch_events_in_an_array(format!("[{}]", event("ADDED", POD_B)), &["pod x/b 1"])]
#[case::lower_case_kinds(r#"{"kind":"list","items":[{"kind":"pod","metadata":{"name":"b","namespace":"x"}}]}"#.to_owned(), &["pod x/b 0"])]
#[case::marks_between(format!("---\n{POD_A}\n---\n{NAMESPACE}\n...\n# end\n"), &["pod x/a 1", "namespace x"])]
#[case::marks_with_carriage_returns(format!("---\r\n{POD_A}\r\n---\r\n{POD_B}"), &["pod x/a 1", "pod x/b 1"])]
#[case::byte_order_marks_between(format!("\u{feff}{POD_A}\n\u{feff}{POD_B}"), &["pod x/a 1", "pod x/b 1"])]
#[case::log_blocks(format!("{POD_A}\n==== START logs for container c of pod x/a ====\n{{\"kind\":\n==== END logs for container d of pod x/a ====\nno line break==== END logs for container c of pod x/a ====\n{POD_B}\n"),
    &["pod x/a 1", "pod x/b 1"])]
#[case::log_blocks_first(format!("==== START logs for container c of pod x/a ====\r\n==== END logs for container c of pod x/a ====\r\n{POD_B}"), &["pod x/b 1"])]
#[case::log_block_without_end(format!("{POD_A}\n==== START logs for container c of pod x/a ====\nx\n"), &["pod x/a 1"])]
#[case::yaml_log_blocks(format!("{}==== START logs for container c of pod x/a ====\nx: y\n==== END logs for container c of pod x/a ====\n---\n{}", yaml_list(&[YAML_POD]), yaml_list(&[YAML_POD])), &["pod x/a 2", "pod x/a 2"])]
#[case::half_a_pair_in_an_annotation(POD_A.replace(r#""x"}"#, r#""x","annotations":{"a":"\udc00\ud800x"}}"#), &["pod x/a 1"])]
#[case::half_a_pair_in_the_environment(POD_A.replace(r#""name":"c","#, r#""name":"c","env":[{"name":"E","value":"\ud800"}],"#), &["pod x/a 1"])]
#[case::half_a_pair_in_an_image(list("List", &[&POD_B.replace("nginx", r"\ud800"), POD_A]),
    &["skipped pod x/b: spec.containers[0].image: unexpected end of hex escape", "pod x/a 1"])]
#[case::a_container_without_image(POD_A.replace(r#"[{"name"#, r#"[{"name":"d"},{"image":"e"},null,{"name"#), &[
    "skipped pod x/a: spec.containers[0].image: missing",
    "skipped pod x/a: spec.containers[1].name: missing",
    "skipped pod x/a: spec.containers[2].name: missing",
    "pod x/a 1"])]
#[case::python_names(r#"{"api_version":"v1","kind":"PodList","items":[{"api_version":null,"kind":null,"metadata":{"name":"a","namespace":"x"},
    "spec":{"init_containers":[{"name":"i","image":"b"}],"containers":[{"name":"c","image":"n"}],"ephemeral_containers":[{"name":"e","image":"d"}]}}]}"#.to_owned(), &["pod x/a 3"])]
#[case::lower_case_names("kind: Pod\nmetadata: {name: a, namespace: x}\nspec: {initcontainers: [{name: i, image: b}], containers: [{name: c, image: n}]}\n".to_owned(), &["pod x/a 2"])]
#[case::null_items_in_yaml("kind: PodList\nitems: null\n".to_owned(), &[])]
#[case::yaml_array(format!("- kind: Namespace\n  metadata: {{name: x}}\n-{}", &YAML_POD[1..]), &["namespace x", "pod x/a 2"])]
#[case::yaml_list_in_list(format!("kind: List\nitems:\n- kind: PodList\n  items:\n  -{}", indented(YAML_POD).trim_start().replacen("apiVersion", " apiVersion", 1)), &["pod x/a 2"])]
#[case::yaml_watch_events("type: ADDED\nobject: {kind: Pod, metadata: {name: a, namespace: x}}\n---\ntype: MODIFIED\nobject: {kind: Pod, metadata: {name: a, namespace: x}}\n".to_owned(), &["pod x/a 0", "pod x/a 0"])]
#[case::yaml_anchors("kind: List\nitems:\n- kind: Pod\n  metadata: {name: a, namespace: x, labels: &l {a: b}}\n  spec:\n    containers: &c\n    - &one {name: c, image: n}\n    - {name: d, image: n}\n- kind: Pod\n  metadata: {name: b, namespace: x, labels: *l}\n  spec: {containers: *c}\n- kind: Pod\n  metadata: {name: c, namespace: x}\n  spec: {containers: [*one]}\n".to_owned(),
    &["pod x/a 2", "pod x/b 2", "pod x/c 1"])]
#[case::yaml_unknown_alias("kind: List\nitems:\n- kind: Pod\n  metadata: {name: b, namespace: x, labels: *l}\n".to_owned(), &["skipped pod x/b: metadata: alias references unknown anchor"])]
#[case::one_pod_without_kind(POD_A.to_owned(), &["pod x/a 1"])]
#[case::one_namespace(NAMESPACE.to_owned(), &["namespace x"])]
#[case::documents_on_lines(format!("{NAMESPACE}\n{POD_B}\n"), &["namespace x", "pod x/b 1"])]
#[case::documents_without_a_break(format!("{}{POD_A}", list("List", &[NAMESPACE])), &["namespace x", "pod x/a 1"])]
#[case::byte_order_mark(format!("\u{feff}{POD_A}"), &["pod x/a 1"])]
#[case::carriage_returns(list("List", &[POD_B]).replace(',', ",\r\n"), &["pod x/b 1"])]
#[case::blanks_around(format!("\n\n  {POD_A}  \n\n"), &["pod x/a 1"])]
#[case::other_kinds_among_known(list("List", &[SERVICE, POD_B, SERVICE]), &["pod x/b 1"])]
#[case::other_documents_among_known(format!("{SERVICE}{POD_B}"), &["pod x/b 1"])]
#[case::empty_list(list("List", &[]), &[])]
#[case::empty_null_list(r#"{"kind":"PodList","items":null}"#.to_owned(), &[])]
#[case::empty_list_without_kind(r#"{"items":[]}"#.to_owned(), &[])]
#[case::broken_among_good(list("List", &[POD_B, BROKEN, POD_B]),
    &["pod x/b 1", "skipped pod x/bad: spec.containers[0].image: invalid type: integer `5`, expected a string", "pod x/b 1"])]
#[case::nothing_but_broken(list("List", &[BROKEN]),
    &["skipped pod x/bad: spec.containers[0].image: invalid type: integer `5`, expected a string"])]
#[case::nameless_and_formless(list("List", &[POD_B, "{}", "null"]),
    &["pod x/b 1", "skipped item 3: invalid type: null, expected an object", "skipped item 2: neither `kind` nor `spec.containers` says what it is"])]
#[case::yaml_list(yaml_list(&[YAML_POD, YAML_POD]), &["pod x/a 2", "pod x/a 2"])]
#[case::yaml_carriage_returns(yaml_list(&[YAML_POD]).replace('\n', "\r\n"), &["pod x/a 2"])]
#[case::yaml_indented_items(format!("kind: List\nitems:\n{}", indented(&format!("-{}", &YAML_POD[1..]))), &["pod x/a 2"])]
#[case::yaml_indented_whole(indented(&yaml_list(&[YAML_POD])), &["pod x/a 2"])]
#[case::yaml_no_last_break(yaml_list(&[YAML_POD]).trim_end().to_owned(), &["pod x/a 2"])]
#[case::yaml_flow(format!("kind: List\nitems: [{POD_A},\n  {POD_B}\n]\n"), &["pod x/a 1", "pod x/b 1"])]
#[case::yaml_all_flow("{kind: List, items: [{kind: Namespace, metadata: {name: x}}]}".to_owned(), &["namespace x"])]
#[case::yaml_flow_with_a_broken_item(format!("kind: List\nitems: [{BROKEN}, {POD_B}]\n"),
    &["skipped pod x/bad: spec.containers[0].image: invalid type: integer `5`, expected a string", "pod x/b 1"])]
#[case::yaml_with_a_broken_item(yaml_list(&[&YAML_POD.replace("busybox", "5"), YAML_POD]),
    &["skipped pod x/a: spec.containers[1].image: The string value [5] must be quoted", "pod x/a 2"])]
#[case::yaml_words_that_are_texts("kind: Pod\nmetadata: {name: no, namespace: on}\n".to_owned(), &["pod on/no 0"])]
#[case::yaml_empty("apiVersion: v1\nitems: []\nkind: List\n".to_owned(), &[])]
#[case::yaml_null("apiVersion: v1\nitems:\nkind: List\n".to_owned(), &[])]
#[case::yaml_documents(
    "# saved today\n---\nkind: Namespace\nmetadata: {name: x}\n---\n# none\n--- # next\nkind: ConfigMap\ndata:\n  items: |\n    - a\n...\n---\nkind: Pod\nmetadata:\n  name: a\n  namespace: x\nspec:\n  containers:\n  - {name: c, image: nginx}\n".to_owned(),
    &["namespace x", "pod x/a 1"])]
#[case::yaml_nulls("kind: Pod\nmetadata: {name: a, namespace: x, uid: ~}\nspec:\n  containers:\n  - name: c\n    image: nginx\n  initContainers: null\nstatus:\n".to_owned(), &["pod x/a 1"])]
fn a_dump_reads(#[case] input: String, #[case] expected: &[&str]) {
    let (events, end) = read(input.as_bytes());
    let end = end.expect("a dump");
    assert_eq!(events, expected);
    assert_eq!(end.cut_short, None);
    let count = |word| expected.iter().filter(|event| event.starts_with(word)).count() as u64;
    assert_eq!((end.pods, end.namespaces), (count("pod"), count("namespace")));
    assert!(end.is_recognised);
}

#[rstest]
#[case::empty("", "the input is empty")]
#[case::blanks(" \n\n", "the input is empty")]
#[case::nul("a\0b", "binary data")]
#[case::utf_16("\u{0}{\u{0}\"\u{0}a", "UTF-16")]
#[case::binary("ab\u{1}\u{2}", "binary data")]
#[case::number("42", "the input is a number")]
#[case::word("null", "text that begins with `n`")]
#[case::string("\"text\"", "the input is a string")]
#[case::text(
    "Unable to connect to the server\n",
    "line 1 is not part of a Kubernetes object: `Unable to connect to the server`"
)]
#[case::no_kubernetes(r#"{"a":1,"b\n":2}"#, "only an object without kind, with the keys `a`, `b\\n`")]
#[case::status(
    r#"{"kind":"Status","status":"Failure"}"#,
    "only what the API server answered: it failed, without a message"
)]
#[case::describe(
    "Name:         web-1\nNamespace:    shop\nLabels:       app=web\n",
    "the input is what `kubectl describe` prints"
)]
#[case::table(
    "NAMESPACE   NAME    READY   STATUS\nshop        web-1   1/1     Running\n",
    "the input is a table of `kubectl get`"
)]
#[case::error_in_place_of_objects(
    "error: You must be logged in to the server (Unauthorized)\n",
    "line 1 is not part of a Kubernetes object: `error: You must be logged in to the server (Unauthorized)`; kubectl failed there"
)]
#[case::log_line_before_json(&format!("I1130 10:00:00.000000 1 loader.go:395] Config loaded\n{POD_A}"), "line 1 is not part")]
#[case::key_like_line_before_json(&format!("Warning: v1 is: old\n{{\n{}", &POD_A[1..]), "line 1 is not part")]
#[case::text_of_an_array("[5]", "an object that could not be read")]
#[case::list_without_items(r#"{"kind":"List","metadata":{}}"#, "a `List` without `items`")]
#[case::items_of_a_wrong_type(r#"{"kind":"PodList","items":{}}"#, "a `PodList` without `items`")]
#[case::go_list(r#"{"ListMeta":{},"Items":[{"ObjectMeta":{}}]}"#, "field names of Go (`ListMeta`, `Items`)")]
#[case::go_items(r#"{"items":[{"Metadata":{},"Spec":{}}]}"#, "field names of Go (`Metadata`, `Spec`)")]
#[case::go_yaml("Metadata:\n  Name: a\nSpec:\n  x: 1\n", "field names of Go (`Metadata`, `Spec`)")]
#[case::lines_before_yaml(
    "Warning: old\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n",
    "line 1 is not part of a Kubernetes object: `Warning: old`"
)]
#[case::lines_before_json(&format!("Switched to context\n{POD_A}"), "line 1 is not part of a Kubernetes object: `Switched to context`")]
#[case::json_lines_before_yaml(
    "\n{\"tool\":1}\n{\"status\":\"ok\"}\napiVersion: v1\nkind: Pod\n",
    "line 2 is not part of a Kubernetes object: `{\"tool\":1}`"
)]
#[case::items_twice(&format!(r#"{{"items":[{POD_A}],"kind":"List","items":[]}}"#), "`items` stands twice")]
#[case::spliced_item(&list("List", &[POD_B, &format!(r#"{{"metadata":{{"name":"c" {}}}}}"#, list("List", &[POD_B]))]), "another document begins inside")]
#[case::spliced_at_the_end(&format!(r#"{{"items":[{POD_A}],"kind":"List"{{"items":[]}}}}"#), "expected `,` or `}`, found `{`")]
#[case::spliced_and_never_closed(&format!(r#"{{"items":[{POD_A},{{"metadata":{{"name":"b" {}"#, list("List", &[POD_B])), "another document begins inside")]
#[case::cut_inside_a_text(&format!(r#"{{"kind":"List","items":[{POD_A},{{"kind":"Pod","metadata":{{"name":"b{}"#, list("List", &[POD_B])), "line 1: another document begins inside the one of line 1")]
#[case::cut_in_the_same_line(&format!("{{\n\"kind\":\"List\",\"items\":[\n{{\"kind\":\"Pod\",\"spec\":{{\"containers\":[\n{}", list("List", &[POD_B])), "line 4: another document begins inside the one of line 1")]
#[case::cut_between_items(&format!("{{\"kind\":\"List\",\"items\":[\n{POD_A},\n{}", list("List", &[POD_B])), "line 3: another document begins inside the one of line 1")]
#[case::cut_behind_an_item(&format!("{{\"kind\":\"List\",\"items\":[\n{POD_A}\n{}", list("List", &[POD_B])), "line 3: another document begins inside the one of line 1 (expected `,` or `]`, found `{`)")]
#[case::spliced_yaml(&yaml_list(&[YAML_POD]).repeat(2), "`apiVersion` stands twice")]
#[case::cut_before_anything(r#"{"items":[{"metadata":{"name":"web"#, "the input ends too early, inside item 1")]
#[case::cut_inside_a_text_with_a_line_break("{\"kind\":\"PodL\n", "the input ends too early")]
#[case::cut_inside_a_name_with_a_line_break(
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\n",
    "the input ends too early"
)]
#[case::yaml_cut_before_anything(
    "apiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: web\n",
    "the input ends too early, inside item 1 (web)"
)]
#[case::strange_items_without_end(&format!(r#"{{"items":[{}"#, "[],".repeat(200_000)), "an object that could not be read")]
#[case::nested_arrays(&"[".repeat(1 << 20), "an array")]
#[case::nested_in_items(&format!(r#"{{"items":{}"#, "[".repeat(1 << 20)), "the input ends too early")]
#[case::nested_in_an_item(&format!(r#"{{"items":[{{"spec":{}"#, "[".repeat(1 << 20)), "the input ends too early")]
#[case::nested_in_metadata(&format!(r#"{{"metadata":{}"#, "[".repeat(1 << 20)), "the input ends too early")]
#[case::nested_yaml(&format!("items:\n- {}", "[".repeat(1 << 16)), "recursion limit exceeded")]
fn an_input_is_refused_with_what_was_found(#[case] input: &str, #[case] expected: &str) {
    let (_, end) = read(input.as_bytes());
    let error = end.expect_err("refused").to_string();
    assert!(error.contains(expected), "{error}");
    assert!(error.len() < 1000 && !error.contains(char::is_control), "{error:?}");
}

#[rstest]
#[case::inside_an_item(&list("List", &[POD_B, POD_B])[..200], "the input ends too early, inside item 2, after 1 pods and namespaces")]
#[case::between_items(r#"{"items":[{"kind":"Namespace","metadata":{"name":"x"}}"#, "the input ends too early")]
#[case::later_document(&format!("{POD_B}\n{{\"items\":5,,}}"), "document 2 of the input could not be read: line 2")]
#[case::text_behind(&format!("{POD_B}\ndone\n"), "line 2 is not part of a Kubernetes object: `done`")]
#[case::text_between(&format!("{NAMESPACE}\nError from server (Forbidden): no\nx\n{SERVICE}"), "line 2 is not part of a Kubernetes object: `Error from server (Forbidden): no`; kubectl failed there")]
#[case::array_cut(&format!("[{POD_B},"), "the input ends too early")]
#[case::yaml_without_kind(&format!("apiVersion: v1\nitems:\n-{}-{}", &YAML_POD[1..], &YAML_POD[1..300]), "the input ends too early, inside item 2")]
#[case::yaml_later_document(&format!("{}---\nfoo\n", yaml_list(&[YAML_POD])), "line 26 is not part of a Kubernetes object: `foo`")]
fn what_came_before_the_end_is_kept(#[case] input: &str, #[case] expected: &str) {
    let (events, end) = read(input.as_bytes());
    let end = end.expect("a dump cut short");
    assert_eq!((events.len(), end.pods + end.namespaces), (1, 1), "{events:?}");
    let reason = end.cut_short.expect("a reason");
    assert!(reason.contains(expected), "{reason}");
}

#[rstest]
#[case::items(list("List", &[SERVICE, SERVICE]), &[("Service", 2)])]
#[case::documents(format!("{SERVICE}{SERVICE}"), &[("Service", 2)])]
#[case::a_named_list(list("SecretList", &["{}", "{}"]), &[("Secret", 2)])]
#[case::a_list_that_names_itself_first(kind_first("SecretList", &["{}"]), &[("Secret", 1)])]
#[case::an_empty_list(list("SecretList", &[]), &[("SecretList", 1)])]
#[case::another_group(POD_B.replace("v1", "metrics.k8s.io/v1beta1"), &[("Pod", 1)])]
#[case::nodes(kind_first("NodeList", &[r#"{"metadata":{"name":"n"}}"#]), &[("Node", 1)])]
fn objects_of_other_kinds_are_counted(#[case] input: String, #[case] expected: &[(&str, u64)]) {
    let (events, end) = read(input.as_bytes());
    let end = end.expect("objects");
    let kinds: Vec<(&str, u64)> = end.other_kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!((kinds.as_slice(), end.is_recognised, events.len()), (expected, false, 0), "{events:?}");
}

#[rstest]
#[case::a_page(r#"{"kind":"PodList","metadata":{"continue":"x","remainingItemCount":9500},"items":[]}"#.to_owned(), &["document 1 is one page of a list", "9500 further items"])]
#[case::python_page(r#"{"kind":"PodList","metadata":{"_continue":"x","remaining_item_count":7},"items":[]}"#.to_owned(), &["7 further items"])]
#[case::yaml_page("kind: PodList\nmetadata: {continue: x}\nitems: []\n".to_owned(), &["lacks further items"])]
#[case::a_page_in_an_array(r#"[{"kind":"PodList","metadata":{"continue":"x"},"items":[]}]"#.to_owned(), &["one page of a list"])]
#[case::the_page_between_is_missing(
    r#"{"kind":"PodList","metadata":{"continue":"x","remainingItemCount":2,"resourceVersion":"1"},"items":[]}
       {"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[POD]}"#.replace("POD", POD_A), &["document 1 is one page", "2 further items"])]
#[case::a_status(format!("{POD_A}{}", r#"{"kind":"Status","status":"Failure","message":"pods is forbidden"}"#), &["document 2: the API server answered with an error: pods is forbidden"])]
#[case::a_status_among_items(list("List", &[POD_A, r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old"}"#]), &["the API server answered with an error: too old"])]
#[case::a_watch_error(format!(r#"{POD_A}{{"type":"ERROR","object":{{"kind":"Status","status":"Failure","message":"too old"}}}}"#), &["too old"])]
#[case::yaml_error_behind(format!("{}Error from server (Timeout): no\n", yaml_list(&[YAML_POD])), &["line 25 is not part of a Kubernetes object: `Error from server (Timeout): no`"])]
#[case::error_among_items(format!("{{\"items\":[{POD_A},\nError from server: no\n{POD_B}\nW1130 x\n]}}"), &["line 2 is not part of a Kubernetes object: `Error from server: no`", "line 4 is not part"])]
#[case::yaml_error_without_a_colon(format!("{}No resources found\nin default namespace.\n", yaml_list(&[YAML_POD])), &["line 25", "(and 1 more lines)"])]
#[case::yaml_short_error_behind(format!("{}error: no such host\r\n", yaml_list(&[YAML_POD])), &["line 25"])]
#[case::yaml_error_among_items(yaml_list(&[YAML_POD, YAML_POD]).replacen("- apiVersion", "W1130 x: y z\n- apiVersion", 1), &["line 3 is not part"])]
fn a_dump_that_is_not_whole_says_so(#[case] input: String, #[case] expected: &[&str]) {
    let (_, end) = read(input.as_bytes());
    let reason = end.expect("a dump").cut_short.expect("a reason");
    assert!(expected.iter().all(|part| reason.contains(part)), "{reason}");
    assert!(!reason.contains(char::is_control), "{reason:?}");
}

#[rstest]
#[case::the_next_page_follows(
    r#"{"kind":"PodList","metadata":{"continue":"x","remainingItemCount":1,"resourceVersion":"1"},"items":[POD]}
       {"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[POD]}"#.replace("POD", POD_A), 2)]
#[case::a_status_of_success(format!("{POD_A}{}", r#"{"kind":"Status","status":"Success"}"#), 1)]
fn a_dump_is_whole(#[case] input: String, #[case] pods: u64) {
    let (_, end) = read(input.as_bytes());
    let end = end.expect("a dump");
    assert_eq!((end.pods, end.cut_short), (pods, None));
}

#[rstest]
#[case::empty_pod_list(list("PodList", &[]), true)]
#[case::empty_list(list("List", &[]), true)]
#[case::namespaces(list("List", &[NAMESPACE]), false)]
#[case::empty_namespace_list(list("NamespaceList", &[]), false)]
#[case::pods(list("List", &[NAMESPACE, POD_A]), true)]
#[case::a_broken_pod(list("List", &[BROKEN]), true)]
fn whether_pods_were_listed_is_told(#[case] input: String, #[case] expected: bool) {
    let (_, end) = read(input.as_bytes());
    let end = end.expect("a dump");
    assert_eq!((end.had_pod_list, end.is_recognised), (expected, true));
}

/// Small inputs modelled on other people's files: what is read, and why the rest is missing.
#[rstest]
#[case::yaml_then_error_line("yaml-then-error-line.yaml", &["namespace shop"], Some("line 10 is not part of a Kubernetes object: `Error from server (Timeout): the server was unable"))]
#[case::yaml_then_forbidden("yaml-then-forbidden.yaml", &["namespace shop"], Some("line 10 is not part of a Kubernetes object: `Error from server (Forbidden): pods is forbidden"))]
#[case::snake_case_fields("snake-case-fields.json", &["pod x/a 2"], None)]
#[case::two_pods_of_one_name("two-pods-of-one-name.json", &["pod x/REDACTED 1", "pod x/REDACTED 1"], None)]
#[case::list_in_list("list-in-list.json", &["pod x/a 1", "pod y/b 1"], None)]
#[case::cluster_info_dump("cluster-info-dump.txt", &["pod kube-system/a 1", "pod default/b 1"], None)]
#[case::yaml_anchor_across_items("yaml-anchor-across-items.yaml", &["pod x/a 1", "pod x/b 1"], None)]
#[case::surrogate_in_annotation("surrogate-in-annotation.json", &["pod b/a 1"], None)]
fn files_of_other_people_read(#[case] file: &str, #[case] expected: &[&str], #[case] missing: Option<&str>) {
    let (events, end) = read(&report(file));
    let cut_short = end.expect("a dump").cut_short;
    assert_eq!(events, expected);
    assert_eq!(cut_short.is_some(), missing.is_some(), "{cut_short:?}");
    assert!(cut_short.as_deref().unwrap_or_default().contains(missing.unwrap_or_default()), "{cut_short:?}");
}

#[rstest]
#[case::spliced_documents("spliced-documents.json", "line 4: another document begins inside the one of line 1")]
#[case::warning_line_then(
    "warning-line-then.json",
    "line 1 is not part of a Kubernetes object: `Warning: v1 ComponentStatus is deprecated in v1.19+`"
)]
#[case::status_object(
    "status-object.json",
    "only what the API server answered: pods is forbidden: User \"u\" cannot list resource \"pods\""
)]
fn files_of_other_people_are_refused(#[case] file: &str, #[case] expected: &str) {
    let error = read(&report(file)).1.expect_err("refused").to_string();
    assert!(error.contains(expected), "{error}");
}

fn report(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/reports").join(file)).expect("a file")
}

#[test]
fn the_digest_and_uid_of_a_status_with_names_of_python_are_read() {
    let mut pods = Vec::new();
    let bytes = report("snake-case-fields.json");
    read_dump(&mut bytes.as_slice(), &mut Records::default(), &mut |event| {
        pods.push(event);
        ControlFlow::Continue(())
    })
    .expect("a dump");
    let [Event::Applied(Object::Pod(pod))] = pods.as_slice() else { panic!("{pods:?}") };
    assert_eq!(pod.containers[1].image.written(), "nginx:1.25");
    assert!(pod.containers[1].running.is_some(), "{pod:?}");
}

#[test]
fn reading_ends_when_no_more_is_wanted() {
    let input = list("List", &[POD_B; 9]);
    let mut count = 0;
    let end = read_dump(&mut input.as_bytes(), &mut Records::default(), &mut |_| {
        count += 1;
        if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((count, end.expect("no error").cut_short), (3, None));
}
