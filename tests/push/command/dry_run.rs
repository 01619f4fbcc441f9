//! `kai push --dry-run`: what would go where, in the very bytes of the push that follows, and nothing is asked or sent.

use serde_json::{Value, json};

use super::arrived;
use super::process::{DUMP, Kai};
use super::settings::settings;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::FakeAnchore;

/// `team` by a route of its own, `b` and `c` both by expressions, `other` by its route and the default's credentials.
const ROUTES: &str = "\
inventory-report-limits: {namespaces: 4}
account-routes:
  team: {user: bob, password: hunter2-route, namespaces: [shop, data]}
  other: {namespaces: [^sand]}
  wide: {namespaces: ['sho']}
";

const DRY_RUN: [&str; 4] = ["push", "--dry-run", "--input", DUMP];

/// The body without the time at which the dump was read.
fn timeless(mut body: Value) -> Value {
    let time = body["timestamp"].take();
    assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{time}");
    body
}

#[tokio::test]
async fn a_dry_run_shows_what_the_push_then_sends_and_sends_nothing() {
    for (more, scenario) in [
        ("", Scenario::v2()),
        (ROUTES, Scenario::v2()),
        ("  api: inventories", Scenario::inventories_only()),
        ("  api: kubernetes-inventory-v1\ninventory-report-limits: {payload-threshold-bytes: 4000}", Scenario::v1()),
    ] {
        let anchore = FakeAnchore::start(scenario);
        let kai = Kai::new(&settings(&format!("{}/", anchore.url()), "", more));
        let shown = kai.run(&DRY_RUN).await;
        shown.assert(0, &[]);
        assert!(anchore.received().is_empty(), "a dry run asks the receiver nothing");
        let shown = shown.json();
        kai.run(&["push", "--input", DUMP]).await.assert(0, &[]);

        let mut received: Vec<Value> = arrived::all(&anchore)
            .into_iter()
            .map(|received| {
                let url = format!("{}{}", anchore.url(), received.path);
                let (bytes, body) = (received.body.len(), timeless(received.json()));
                let fields = (received.method, url, received.account, received.user, bytes, body);
                let (method, url, account, user, bytes, body) = fields;
                json!({"method": method, "url": url, "account": account, "user": user, "bytes": bytes, "body": body})
            })
            .collect();
        let mut requests: Vec<Value> = shown["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|request| {
                let mut request = request.clone();
                let body = timeless(request["body"].take());
                for counted in ["namespaces", "pods", "containers"] {
                    let count = request.as_object_mut().unwrap().remove(counted).unwrap();
                    let is_listed = counted != "pods" || body["pods"].is_array();
                    assert!(!is_listed || count == listed(&body, counted), "{counted}: {count}");
                }
                request["body"] = body;
                request
            })
            .collect();
        // Accounts do not wait for one another; the payloads of one keep their order.
        received.sort_by_key(|request| request["account"].to_string());
        requests.sort_by_key(|request| request["account"].to_string());
        assert_eq!(requests, received, "{more}");
        assert!(!received.is_empty());
    }
}

/// How many of these stand in the body. KAI's form lists images, each once, and no pods.
fn listed(body: &Value, counted: &str) -> usize {
    let length = |list: &Value| list.as_array().unwrap().len();
    let Some(results) = body["results"].as_array() else { return length(&body[counted]) };
    match counted {
        "namespaces" => results.len(),
        "containers" => results.iter().map(|entry| length(&entry["images"])).sum(),
        other => panic!("{other} are not listed"),
    }
}

#[tokio::test]
async fn each_namespace_is_shown_with_its_account_the_rule_and_what_k8s_inventory_would_do() {
    let kai = Kai::new(&settings("http://127.0.0.1:1", "", ROUTES));
    let shown = kai.run(&DRY_RUN).await;
    shown.assert(0, &[]);
    let shown = shown.json();
    let of = |name: &str| {
        let all = shown["namespaces"].as_array().unwrap();
        all.iter().find(|entry| entry["namespace"] == name).unwrap().clone()
    };
    assert_eq!(
        of("shop"),
        json!({"namespace": "shop", "account": "team", "rule": "account-routes.team (exactly shop)", "k8s_inventory": ["team", "wide"]})
    );
    assert_eq!(
        of("sandbox"),
        json!({"namespace": "sandbox", "account": "other", "rule": "account-routes.other (expression ^sand)"})
    );
    assert_eq!(of("ci"), json!({"namespace": "ci", "account": "admin", "rule": "anchore.account"}));
    assert_eq!(
        [&shown["receiver"], &shown["cluster_name"], &shown["complete"], &shown["withheld"]],
        [&json!("http://127.0.0.1:1"), &json!("prod"), &json!(true), &Value::Null]
    );
    let users = |account: &str| -> Vec<Value> {
        let requests = shown["requests"].as_array().unwrap();
        requests.iter().filter(|request| request["account"] == account).map(|request| request["user"].clone()).collect()
    };
    assert_eq!((users("team"), users("other")), (vec![json!("bob")], vec![json!("ann")]));
    assert_eq!(users("admin").len(), 3, "nine namespaces in payloads of four");

    let table = kai.run(&[&DRY_RUN[..], &["-o", "table"]].concat()).await;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = table.stdout.lines().map(words).collect();
    assert_eq!(lines[0], "NAMESPACE ACCOUNT RULE K8S-INVENTORY");
    assert!(lines.contains(&"shop team account-routes.team (exactly shop) team, wide".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"ci admin anchore.account as here".to_owned()), "{lines:#?}");
    assert_eq!(lines.len(), 13);
}

#[tokio::test]
async fn a_dry_run_of_what_would_not_all_be_sent_ends_as_that_push_would() {
    let twice = "account-routes: {a: {namespaces: [^sho]}, b: {namespaces: [op$]}}";
    let kai = Kai::new(&settings("http://127.0.0.1:1", "", twice));
    let ended = kai.run(&DRY_RUN).await;
    ended
        .assert(1, &["shop", "account-routes.a (expression ^sho) and account-routes.b (expression op$) both match it"]);
    let shop =
        ended.json()["namespaces"].as_array().unwrap().iter().find(|entry| entry["namespace"] == "shop").cloned();
    assert_eq!(shop.unwrap()["account"], Value::Null);

    let kai = Kai::new(&settings("http://127.0.0.1:1", "", ""));
    kai.file(
        "broken.json",
        r#"{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"a","namespace":"n"},"spec":{"containers":5}}]}"#,
    );
    let ended = kai.run(&["push", "--dry-run", "--input", "broken.json"]).await;
    ended.assert(1, &["error: nothing would be pushed: the inventory is incomplete"]);
    assert_eq!((&ended.json()["complete"], &ended.json()["requests"]), (&json!(false), &json!([])));

    let ended = kai.run(&[&DRY_RUN[..], &["-o", "csv"]].concat()).await;
    ended.assert(2, &["-o csv: a dry run is printed as json or table"]);
}
