//! `kai serve` beside a receiver: what the probes tell of the pushes, that nothing waits for the receiver, and how it stops.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::arrived;
use super::process::{Kai, Service};
use super::settings::settings;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On as At};
use crate::fake_api::server::FakeApi;

/// The kubeconfig of a cluster of two namespaces with three pods each.
async fn cluster() -> (FakeApi, String) {
    let api = FakeApi::start(FakeCluster::of(2, 3)).await;
    let kubeconfig = api.kubeconfig("{}").to_str().unwrap().to_owned();
    (api, kubeconfig)
}

/// How it goes with one account, in what readiness tells.
fn push_of(body: &Value, account: &str) -> Value {
    let pushes = body["push"].as_array().unwrap();
    pushes.iter().find(|push| push["account"] == account).cloned().unwrap_or_default()
}

/// Waits until it goes so with one account, while the service is ready all along.
async fn wait_for_outcome(service: &Service<'_>, account: &str, outcome: &str) -> Value {
    let body = service
        .wait_until(|status, body| {
            assert!(status == 200 || body["snapshot"].is_null(), "readiness follows from no push: {body:#}");
            push_of(body, account)["outcome"] == outcome
        })
        .await;
    push_of(&body, account)
}

#[tokio::test]
async fn the_probes_tell_of_each_account_how_its_last_push_went() {
    let (_api, kubeconfig) = cluster().await;
    let routes = "account-routes: {team: {user: bob, password: hunter2-route, namespaces: [ns-1]}}";
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::account("team"), Reply::Forbidden));
    let kai = Kai::new(&settings(&anchore.url(), "", routes));
    let service = kai.serve(&[], &["-p", "1", "-k", &kubeconfig, "-vv"]).await;

    let admin = wait_for_outcome(&service, "admin", "accepted").await;
    assert_eq!((&admin["containers"], &admin["next_try_at"]), (&json!(3), &Value::Null));
    assert!(admin["generation"].as_u64() >= Some(1), "{admin:#}");
    assert!(admin["detail"].as_str().unwrap().contains("POST v2/kubernetes-inventory"), "{admin:#}");
    assert!(admin["at"].is_string() && admin["at"] == admin["last_accepted_at"], "{admin:#}");
    let mut received = arrived::inventories(&anchore);
    received.retain(|received| received.account.as_deref() == Some("admin"));
    assert_eq!(admin["bytes"], received[0].body.len());

    let team = wait_for_outcome(&service, "team", "failed").await;
    assert_eq!((&team["containers"], &team["bytes"], &team["last_accepted_at"]), (&json!(0), &json!(0), &Value::Null));
    assert!(team["detail"].as_str().unwrap().contains("give the user \"bob\" the right"), "{team:#}");
    service.stop().await.assert(0, &["inventory pushed account=admin", "account=team", "stopped"]);
}

#[tokio::test]
async fn inventory_is_served_while_the_receiver_is_down_and_reported_when_it_comes_up() {
    let (_api, kubeconfig) = cluster().await;
    let mut anchore = FakeAnchore::down(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let service = kai.serve(&[], &["-p", "3", "-k", &kubeconfig]).await;
    let begun = Instant::now();
    while service.get("/inventory").await.0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let waiting = wait_for_outcome(&service, "admin", "waiting").await;
    assert!(waiting["next_try_at"].is_string(), "{waiting:#}");
    assert!(waiting["detail"].as_str().unwrap().contains("connection refused"), "{waiting:#}");
    let (status, body) = service.get("/inventory").await;
    assert!(status == 200 && body.contains("ns-1"), "{status} {body}");

    anchore.come_up();
    let accepted = wait_for_outcome(&service, "admin", "accepted").await;
    assert_eq!((&accepted["containers"], &accepted["next_try_at"]), (&json!(6), &Value::Null));
    service.stop().await.assert(0, &["cannot reach", "next try in", "inventory pushed"]);
}

#[tokio::test]
async fn what_is_incomplete_is_withheld_each_time_and_pushed_when_it_is_whole() {
    let cluster = FakeCluster::of(2, 3).fault(At::Path("/api/v1/namespaces/ns-1/pods"), Fault::Forbidden);
    let api = FakeApi::start(cluster).await;
    let kubeconfig = api.kubeconfig("{}").to_str().unwrap().to_owned();
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let service = kai.serve(&[], &["-p", "1", "-n", "ns-0,ns-1", "-k", &kubeconfig]).await;

    let first = wait_for_outcome(&service, "admin", "withheld").await;
    assert!(first["detail"].as_str().unwrap().contains("namespace ns-1: "), "{first:#}");
    // Nothing changes, so the generation stands; the time of the outcome moves.
    let at = |push: &Value| push["at"].as_str().map(str::to_owned);
    service.wait_until(|_, body| at(&push_of(body, "admin")) > at(&first)).await;
    assert!(service.written().matches("ERROR nothing is pushed: the inventory is incomplete").count() >= 2);
    assert!(anchore.received().is_empty());

    api.change(|_| FakeCluster::of(2, 3));
    assert_eq!(wait_for_outcome(&service, "admin", "accepted").await["containers"], 6);
    for received in arrived::inventories(&anchore) {
        assert_eq!(received.json()["namespaces"].as_array().unwrap().len(), 2);
    }
    service.stop().await.assert(0, &[]);
}

#[tokio::test]
async fn a_stop_finishes_the_push_that_is_under_way() {
    let (_api, kubeconfig) = cluster().await;
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Slow(Duration::from_secs(3))));
    let kai = Kai::new(&settings(&anchore.url(), "timeout-seconds: 30", ""));
    let service = kai.serve(&[], &["-p", "1", "-k", &kubeconfig]).await;
    anchore.wait_for(1).await;
    service.terminate();
    let ended = service.end().await;
    ended.assert(0, &["SIGTERM received", "inventory pushed account=admin", "stopped"]);
    let received = arrived::inventories(&anchore);
    assert_eq!(received.len(), 1, "nothing is begun after the stop");
    assert_eq!(received[0].json()["containers"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_stop_waits_no_longer_for_the_receiver_than_its_setting_allows() {
    let (_api, kubeconfig) = cluster().await;
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Slow(Duration::from_mins(5))));
    let text = settings(&anchore.url(), "timeout-seconds: 300", "");
    let kai = Kai::new(&text.replace("server: {", "server: {shutdown-timeout-seconds: 1, "));
    let service = kai.serve(&[], &["-p", "1", "-k", &kubeconfig]).await;
    anchore.wait_for(1).await;
    let ended = service.stop().await;
    ended.assert(0, &["server.shutdown-timeout-seconds", "stopped"]);
    assert!(!ended.stderr.contains("inventory pushed"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_stop_waits_for_no_further_try() {
    let (_api, kubeconfig) = cluster().await;
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Busy(503, Some("3600".to_owned()))));
    let kai = Kai::new(&settings(&anchore.url(), "", ""));
    let service = kai.serve(&[], &["-p", "5", "-k", &kubeconfig]).await;
    wait_for_outcome(&service, "admin", "waiting").await;
    service.stop().await.assert(0, &["answers 503", "kai stops before the next try", "stopped"]);
}

#[tokio::test]
async fn a_dump_that_is_served_is_not_pushed() {
    let anchore = FakeAnchore::start(Scenario::v2_with_integrations());
    let kai = Kai::new(&settings(&anchore.url(), "", "anchore-registration: {enabled: true}"));
    let service = kai.serve(&[], &["-p", "1", "--input", super::process::DUMP]).await;
    let body = service.wait_until(|status, _| status == 200).await;
    assert_eq!(body["push"], json!([]));
    service.stop().await.assert(0, &["a file is not sent by itself; `kai push --input` sends it"]);
    assert!(anchore.received().is_empty());
}
