//! The shapes of a saved dump: which read, with what, and which are refused, with what words.

use std::io::Read;
use std::ops::ControlFlow;

use kai::decode::{DecodeError, DumpEnd, Records, read_dump};
use kai::snapshot::Event;
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
            Event::Pod(pod) => format!("pod {}/{} {}", pod.namespace, pod.name, pod.containers.len()),
            Event::Namespace(namespace) => format!("namespace {}", namespace.name),
            Event::Skipped(skipped) => format!("skipped {}: {}", skipped.item, skipped.problem),
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
    assert_eq!(end.objects, expected.iter().filter(|event| !event.starts_with("skipped")).count() as u64);
    assert_eq!(end.had_namespaces, expected.iter().any(|event| event.starts_with("namespace")));
}

#[rstest]
#[case::empty("", "the input is empty")]
#[case::blanks(" \n\n", "the input is empty")]
#[case::nul("a\0b", "binary data")]
#[case::utf_16("\u{0}{\u{0}\"\u{0}a", "UTF-16")]
#[case::binary("ab\u{1}\u{2}", "binary data")]
#[case::array(&format!("[{POD_A}]"), "an array, not an object with `items` (a `List`)")]
#[case::yaml_array("- kind: Pod\n- kind: Pod\n", "an array")]
#[case::number("42", "the input is a number")]
#[case::word("null", "text that begins with `n`")]
#[case::string("\"text\"", "the input is a string")]
#[case::text(
    "Unable to connect to the server\n",
    "line 1 is not part of a Kubernetes object: `Unable to connect to the server`"
)]
#[case::no_kubernetes(r#"{"a":1,"b\n":2}"#, "only an object without kind, with the keys `a`, `b\\n`")]
#[case::status(r#"{"kind":"Status","status":"Failure"}"#, "only `Status`")]
#[case::other_list(&list("List", &[SERVICE, SERVICE]), "no pod and no namespace in the input, only `Service`")]
#[case::other_named_list(&list("SecretList", &["{}"]), "only `SecretList`")]
#[case::empty_other_list(&list("SecretList", &[]), "only `SecretList`")]
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
#[case::spliced_yaml(&yaml_list(&[YAML_POD]).repeat(2), "`apiVersion` stands twice")]
#[case::cut_before_anything(r#"{"items":[{"metadata":{"name":"web"#, "the input ends too early, inside item 1")]
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
#[case::text_behind(&format!("{POD_B}\ndone\n"), "document 2 of the input could not be read: the input is text")]
#[case::yaml_without_kind(&format!("apiVersion: v1\nitems:\n-{}-{}", &YAML_POD[1..], &YAML_POD[1..300]), "the input ends too early, inside item 2")]
#[case::yaml_later_document(&format!("{}---\nfoo\n", yaml_list(&[YAML_POD])), "document 2 of the input could not be read: line 26")]
fn what_came_before_the_end_is_kept(#[case] input: &str, #[case] expected: &str) {
    let (events, end) = read(input.as_bytes());
    let end = end.expect("a dump cut short");
    assert_eq!((events.len(), end.objects), (1, 1), "{events:?}");
    let reason = end.cut_short.expect("a reason");
    assert!(reason.contains(expected), "{reason}");
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
