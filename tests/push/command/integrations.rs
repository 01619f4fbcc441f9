//! Registration and reports of health: what Anchore 5.11 is told, that an older one is told nothing twice, and nobody unasked.

use std::time::Duration;

use serde_json::{Value, json};

use super::arrived;
use super::process::{Ended, Kai};
use super::settings::settings;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::{FakeAnchore, Received};
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::server::FakeApi;

const REGISTRATION: &str = "/v2/system/integrations/registration";
/// The id that the fake gives.
const HEALTH_REPORT: &str = "/v2/system/integrations/84993c1f-863f-41f3-9bd8-dfcc821b1c8a/health-report";
const ENABLED: &str = "anchore-registration: {enabled: true}\nhealth-report-interval-seconds: 30";

fn of(anchore: &FakeAnchore, path: &str) -> Vec<Received> {
    arrived::all(anchore).into_iter().filter(|received| received.path == path).collect()
}

/// A service with a poll each second, until `paths` have arrived so often.
async fn serve(anchore: &FakeAnchore, more: &str, host: &str, paths: &[(&str, usize)]) -> Ended {
    let api = FakeApi::start(FakeCluster::of(2, 3)).await;
    let kubeconfig = api.kubeconfig("{}");
    let kai = Kai::new(&settings(&anchore.url(), "", more));
    let arguments = ["-p", "1", "-vv", "-k", kubeconfig.to_str().unwrap()];
    let service = kai.serve(&[("HOSTNAME", host)], &arguments).await;
    for count in 1.. {
        anchore.wait_for(count).await;
        if paths.iter().all(|(path, count)| of(anchore, path).len() >= *count) {
            break;
        }
    }
    service.stop().await
}

#[tokio::test]
async fn an_installation_registers_under_the_same_ids_after_a_restart_and_under_others_elsewhere() {
    let ids = async |host: &'static str, more: &'static str| -> Value {
        let anchore = FakeAnchore::start(Scenario::v2_with_integrations());
        let more = format!("{ENABLED}\n{more}");
        serve(&anchore, &more, host, &[(REGISTRATION, 1), (HEALTH_REPORT, 1)])
            .await
            .assert(0, &["registered with Anchore"]);
        let received = of(&anchore, REGISTRATION).remove(0);
        assert_eq!((received.user.as_deref(), received.account.as_deref()), (Some("ann"), None));
        let body = received.json();
        assert_eq!(
            [&body["name"], &body["username"], &body["cluster_name"], &body["health_report_interval"]],
            [&json!("kai"), &json!("ann"), &json!("prod"), &json!(30)]
        );
        assert_eq!(body["registration_instance_id"], host);
        json!([body["registration_id"], body["registration_instance_id"]])
    };
    let (first, again, elsewhere) = tokio::join!(ids("kai-0", ""), ids("kai-0", ""), ids("kai-1", ""));
    assert_eq!(first, again);
    assert_ne!(first[0], elsewhere[0]);
    uuid::Uuid::parse_str(first[0].as_str().unwrap()).unwrap();
}

#[tokio::test]
async fn the_settings_name_the_installation() {
    let anchore = FakeAnchore::start(Scenario::v2_with_integrations());
    let more = "anchore-registration: {registration-id: my-id, integration-name: my name, integration-description: mine}\n\
                account-routes: {team: {namespaces: [ns-1]}}\nnamespace-selectors: {include: [ns-0, ns-1]}";
    serve(&anchore, more, "host", &[(REGISTRATION, 1)]).await.assert(0, &[]);
    let body = of(&anchore, REGISTRATION)[0].json();
    assert_eq!(
        [&body["registration_id"], &body["name"], &body["description"]],
        [&json!("my-id"), &json!("my name"), &json!("mine")]
    );
    assert_eq!(
        [&body["explicitly_account_bound"], &body["namespaces"], &body["health_report_interval"]],
        [&json!(["team"]), &json!(["ns-0", "ns-1"]), &json!(60)]
    );
}

#[tokio::test]
async fn a_report_of_health_tells_how_the_last_pushes_went() {
    // The registration takes its time, so that there is something to tell.
    let scenario = Scenario::v2_with_integrations()
        .reply(On::Path(REGISTRATION), Reply::Slow(Duration::from_secs(4)))
        .reply(On::account("team"), Reply::Forbidden);
    let anchore = FakeAnchore::start(scenario);
    let routes = "account-routes: {team: {user: bob, password: hunter2-route, namespaces: [ns-1]}}";
    serve(&anchore, &format!("{ENABLED}\n{routes}"), "host", &[(HEALTH_REPORT, 1)]).await.assert(0, &[]);
    let body = of(&anchore, HEALTH_REPORT)[0].json();
    assert_eq!(body["health_report_interval"], 30);
    let reports = &body["health_data"]["account_k8s_inventory_reports"];
    let told = |account: &str| {
        let report = &reports[account];
        let batch = &report["batches"][0];
        json!([
            report["sent_as_user"],
            report["batch_size"],
            report["last_successful_index"],
            report["has_errors"],
            batch["error"].is_string()
        ])
    };
    assert_eq!(told("admin"), json!(["ann", 1, 1, false, false]), "{reports:#}");
    assert_eq!(told("team"), json!(["bob", 1, -1, true, true]), "{reports:#}");
    let errors = body["health_data"]["errors"].as_array().unwrap();
    assert!(errors.len() == 1 && errors[0].as_str().unwrap().starts_with("team: failed: "), "{errors:#?}");
}

#[tokio::test]
async fn an_older_anchore_is_asked_once_and_gets_its_inventories() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let ended = serve(&anchore, ENABLED, "host", &[(REGISTRATION, 1), ("/v2/kubernetes-inventory", 2)]).await;
    ended.assert(0, &["need Anchore Enterprise 5.11 or later, inventories do not"]);
    assert_eq!(ended.stderr.matches(" WARN ").count(), ended.stderr.matches(" WARN nodes").count() + 1);
    assert_eq!((of(&anchore, REGISTRATION).len(), of(&anchore, HEALTH_REPORT).len()), (1, 0));
}

#[tokio::test]
async fn nobody_is_registered_who_has_not_asked_for_it() {
    let anchore = FakeAnchore::start(Scenario::v2_with_integrations());
    serve(&anchore, "", "host", &[("/v2/kubernetes-inventory", 2)]).await.assert(0, &[]);
    assert!(anchore.received().iter().all(|received| received.path == "/v2/kubernetes-inventory"));
}
