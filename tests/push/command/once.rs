//! `kai` and `kai push` once: what is printed whatever becomes of the push, and the exit status that tells both.

use std::time::{Duration, SystemTime};

use rstest::rstest;
use serde_json::Value;

use super::arrived;
use super::process::{DUMP, Ended, Kai};
use super::settings::settings;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On as At};
use crate::fake_api::server::FakeApi;

const INCOMPLETE: &str = "  push-incomplete: true";
const NS_1: &str = "/api/v1/namespaces/ns-1/pods";

/// Two namespaces of three pods, of which the second may be one that must not be read.
async fn api(is_whole: bool) -> FakeApi {
    let cluster = FakeCluster::of(2, 3);
    FakeApi::start(if is_whole { cluster } else { cluster.fault(At::Path(NS_1), Fault::Forbidden) }).await
}

async fn run(anchore: &FakeAnchore, api: &FakeApi, more: &str, arguments: &[&str]) -> Ended {
    let kubeconfig = api.kubeconfig("{}");
    let kai = Kai::new(&settings(&anchore.url(), "", more));
    kai.run(&[&["-n", "ns-0,ns-1", "-k", kubeconfig.to_str().unwrap()], arguments].concat()).await
}

/// The namespaces in a report, of whichever form.
fn namespaces(report: &Value) -> Vec<&str> {
    let (list, name) = if report["results"].is_array() { ("results", "namespace") } else { ("namespaces", "name") };
    report[list].as_array().unwrap().iter().map(|entry| entry[name].as_str().unwrap()).collect()
}

#[rstest]
#[case::all_is_well(true, false, "", &[], 0)]
#[case::the_receiver_refuses(true, true, "", &[], 1)]
#[case::incomplete_and_withheld(false, false, "", &[], 1)]
#[case::incomplete_and_withheld_though_it_may_be(false, false, "", &["--allow-incomplete"], 1)]
#[case::incomplete_and_pushed(false, false, INCOMPLETE, &[], 3)]
#[case::incomplete_and_pushed_and_allowed(false, false, INCOMPLETE, &["--allow-incomplete"], 0)]
#[case::incomplete_and_refused(false, true, INCOMPLETE, &["--allow-incomplete"], 1)]
#[tokio::test]
async fn the_report_is_printed_whatever_becomes_of_the_push(
    #[case] is_whole: bool,
    #[case] is_refused: bool,
    #[case] more: &str,
    #[case] arguments: &[&str],
    #[case] status: i32,
) {
    let scenario = Scenario::v2();
    let scenario = if is_refused { scenario.reply(On::Everything, Reply::Forbidden) } else { scenario };
    let (anchore, api) = (FakeAnchore::start(scenario), api(is_whole).await);
    let ended = run(&anchore, &api, more, arguments).await;
    ended.assert(status, &[]);
    let expected = if is_whole { &["ns-0", "ns-1"] as &[&str] } else { &["ns-0"] };
    assert_eq!(namespaces(&ended.json()), expected, "{}", ended.stderr);

    let is_withheld = !is_whole && more.is_empty();
    let arrived = arrived::inventories(&anchore);
    assert_eq!(arrived.len(), usize::from(!is_withheld), "{}", ended.stderr);
    for received in arrived {
        let body = received.json();
        assert_eq!((namespaces(&body).as_slice(), &body["cluster_name"]), (expected, &"prod".into()));
    }
    match (is_withheld, is_refused) {
        (true, _) => ended.assert(
            1,
            &["error: nothing was pushed: the inventory is incomplete: namespace ns-1: ", "anchore.push-incomplete"],
        ),
        (false, true) => ended.assert(1, &["answers 403", "error: the inventory of 1 of 1 accounts was not pushed"]),
        (false, false) => ended.assert(status, &["inventory pushed"]),
    }
    let said = if is_withheld { "the inventory is incomplete" } else { "answers 403" };
    assert!(ended.stderr.matches(said).count() <= 1, "the same is not said twice: {}", ended.stderr);
}

#[tokio::test]
async fn a_run_without_a_push_prints_and_sends_nothing() {
    let (anchore, api) = (FakeAnchore::start(Scenario::v2()), api(true).await);
    let ended = run(&anchore, &api, "", &["--no-push"]).await;
    ended.assert(0, &[]);
    assert_eq!(namespaces(&ended.json()), ["ns-0", "ns-1"]);
    assert!(anchore.received().is_empty());
}

#[tokio::test]
async fn nothing_empty_is_pushed_where_nothing_may_be_read() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let api = FakeApi::start(FakeCluster::of(2, 1).fault(At::Everything, Fault::Forbidden)).await;
    for arguments in [&[] as &[&str], &["push"]] {
        run(&anchore, &api, INCOMPLETE, arguments).await.assert(1, &["error: ", "forbidden"]);
    }
    assert!(anchore.received().is_empty());
}

#[tokio::test]
async fn push_says_nothing_on_standard_output_and_ends_as_the_push_does() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let (whole, part) = (api(true).await, api(false).await);
    for (api, more, status) in [(&whole, "", 0), (&part, "", 1), (&part, INCOMPLETE, 0)] {
        let ended = run(&anchore, api, more, &["push"]).await;
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{}", ended.stderr);
    }
    let names: Vec<Value> = arrived::inventories(&anchore).iter().map(arrived_names).collect();
    assert_eq!(names, [serde_json::json!(["ns-0", "ns-1"]), serde_json::json!(["ns-0"])]);

    // Quiet hides no error.
    let ended = run(&anchore, &part, "", &["push", "-q"]).await;
    ended.assert(1, &["error: nothing was pushed: the inventory is incomplete"]);
    let ended = run(&anchore, &whole, "", &["push", "-q"]).await;
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
}

fn arrived_names(received: &crate::fake_anchore::server::Received) -> Value {
    namespaces(&received.json()).into()
}

#[tokio::test]
async fn a_dump_is_pushed_only_when_that_was_asked_for() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let ended = kai.run(&["--input", DUMP]).await;
    ended.assert(0, &["a file is not sent by itself; `kai push --input` sends it"]);
    assert!(namespaces(&ended.json()).len() >= 12);
    assert!(anchore.received().is_empty());

    let ended = kai.run(&["push", "--input", DUMP]).await;
    ended.assert(0, &["inventory pushed"]);
    assert!(!ended.stderr.contains("hours old"), "{}", ended.stderr);
    assert_eq!(arrived::inventories(&anchore).len(), 1);
}

#[tokio::test]
async fn a_dump_of_last_week_is_pushed_with_a_warning() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let path = kai.file("old.json", r#"{"kind":"List","apiVersion":"v1","items":[]}"#);
    let week = Duration::from_hours(7 * 24);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - week).unwrap();
    kai.run(&["push", "--input", "old.json"])
        .await
        .assert(0, &["WARN", "--input is 168 hours old", "inventory pushed"]);
    kai.run(&["push", "--dry-run", "--input", "old.json"]).await.assert(0, &["--input is 168 hours old"]);
    assert_eq!(arrived::inventories(&anchore).len(), 1, "a whole cluster of nothing is a report too");
}

#[tokio::test]
async fn a_namespace_that_was_typed_wrong_is_an_error_behind_the_push() {
    const SAID: &str = "error: the namespace \"ingres\" of -n is not in the input; did you mean \"ingress\"?\n";
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let typed = ["push", "--input", DUMP, "-n", "ingres,shop"];
    let ended = kai.run(&typed).await;
    ended.assert(3, &["inventory pushed", SAID]);
    assert!(!ended.stderr.contains("WARN"), "{}", ended.stderr);
    kai.run(&[&typed[..], &["--dry-run"]].concat()).await.assert(3, &[SAID]);
    let variable = [("KAI_NAMESPACE_SELECTORS_INCLUDE", "ingres,shop")];
    kai.run_with(&variable, &typed[..3]).await.assert(0, &["WARN", "namespace ingres is included by name"]);
    assert_eq!(arrived::inventories(&anchore).len(), 2);
}

#[tokio::test]
async fn one_page_of_a_list_is_not_pushed() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let pod = r#"{"metadata":{"name":"a","namespace":"n"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}"#;
    let metadata = r#"{"continue":"next","remainingItemCount":7}"#;
    kai.file("page.json", &format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{metadata},"items":[{pod}]}}"#));
    let ended = kai.run(&["push", "--input", "page.json"]).await;
    ended.assert(1, &["error: nothing was pushed: the inventory is incomplete: ", "page.json"]);
    assert!(anchore.received().is_empty());
}

#[tokio::test]
async fn a_broken_item_of_a_dump_withholds_its_push() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let pod = |name: &str, image: &str| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"name":"{name}","namespace":"n"}},"spec":{{"containers":[{{"name":"c","image":{image}}}]}},"status":{{"phase":"Running"}}}}"#
        )
    };
    let items = [pod("good", "\"nginx:1\""), pod("bad", "5")].join(",");
    kai.file("broken.json", &format!(r#"{{"kind":"List","items":[{items}]}}"#));
    let ended = kai.run(&["push", "--input", "broken.json"]).await;
    ended.assert(1, &["error: nothing was pushed: the inventory is incomplete: pod n/bad: "]);
    assert!(anchore.received().is_empty());
}
