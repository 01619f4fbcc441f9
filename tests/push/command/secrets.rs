//! No secret shows in what kai writes and answers: not in its settings as it prints them, not in its log at every level, not in
//! its errors. Each run of these tests is searched (`process.rs`); here are those that have every kind of secret.

use super::process::{DUMP, Kai};
use super::settings::settings;
use crate::certificates::Identity;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::proxy::FakeProxy;
use crate::fake_api::server::FakeApi;

const ROUTES: &str = "\
account-routes:
  team: {user: bob, password: hunter2-route, namespaces: [shop, ns-1]}
  other: {user: eve, password: $OTHER, namespaces: [data]}
anchore-registration: {enabled: true}
";

/// Every kind of secret at once: passwords of the default, by a file, and of routes, credentials of a proxy, a client's key.
fn kai(anchore: &FakeAnchore, proxy: &FakeProxy, server: &Identity, own: &Identity, log: &str) -> Kai {
    let http = format!(
        "ca-certificate: ca.pem, client-certificate: own.pem, client-key: own-key.pem, proxy: 'http://me:hunter2-proxy@{}'",
        proxy.address()
    );
    let text = settings(&anchore.url(), &http, &format!("  password-file: password.txt\n{ROUTES}log: {log}"));
    let mut kai = Kai::new(&text.replace("  password: hunter2-default\n", ""));
    kai.file("ca.pem", &server.authority);
    kai.file("own.pem", &own.certificate);
    kai.file("password.txt", "hunter2-file\n");
    kai.key("own-key.pem", &own.key);
    kai
}

const OTHER: [(&str, &str); 1] = [("OTHER", "hunter2-other")];

#[tokio::test]
async fn no_secret_shows_in_any_command_whatever_the_receiver_answers() {
    let (server, own) = (Identity::new("127.0.0.1", 2999), Identity::new("kai", 2999));
    let anchore = FakeAnchore::start_tls_for(Scenario::v2_with_integrations(), &server, &own);
    let proxy = FakeProxy::to(&anchore.url()).await;
    let kai = kai(&anchore, &proxy, &server, &own, "{level: trace, file: kai.log}");
    let config = kai.run_with(&OTHER, &["config"]).await;
    config.assert(0, &[]);
    assert!(config.stdout.contains("[REDACTED]"), "{}", config.stdout);
    kai.run_with(&OTHER, &["push", "--dry-run", "--input", DUMP]).await.assert(0, &[]);

    for (reply, status) in [
        (None, 0),
        (Some(Reply::Unauthorized), 1),
        (Some(Reply::Text(400, "text/plain", "no")), 1),
        (Some(Reply::UnknownAccount(403)), 1),
    ] {
        let scenario = Scenario::v2_with_integrations();
        anchore.switch(match reply {
            Some(reply) => scenario.reply(On::Everything, reply),
            None => scenario,
        });
        let ended = kai.run_with(&OTHER, &["push", "--input", DUMP]).await;
        assert_eq!(ended.status, status, "{}", ended.log);
        assert!(ended.log.contains("DEBUG"), "{}", ended.log);
    }
    let passwords = anchore.received().into_iter().filter_map(|received| received.password);
    let mut passwords: Vec<String> = passwords.collect();
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords, ["hunter2-file", "hunter2-other", "hunter2-route"], "each was used");
}

#[tokio::test]
async fn no_secret_shows_in_the_service_and_what_it_answers() {
    let (server, own) = (Identity::new("127.0.0.1", 2999), Identity::new("kai", 2999));
    let scenario = Scenario::v2_with_integrations().reply(On::account("team"), Reply::Unauthorized);
    let anchore = FakeAnchore::start_tls_for(scenario, &server, &own);
    let proxy = FakeProxy::to(&anchore.url()).await;
    let kai = kai(&anchore, &proxy, &server, &own, "{level: trace}");
    let api = FakeApi::start(FakeCluster::of(2, 1)).await;
    kai.file("kubeconfig", &std::fs::read_to_string(api.kubeconfig("{}")).unwrap());
    let service = kai.serve(&OTHER, &["-p", "1", "-k", "kubeconfig"]).await;
    service
        .wait_until(|status, body| status == 200 && body["push"].as_array().is_some_and(|push| push.len() == 2))
        .await;
    for path in ["/inventory", "/healthz?verbose", "/openapi.json", "/nowhere"] {
        service.get(path).await;
    }
    let ended = service.stop().await;
    ended.assert(0, &["answers 401", "DEBUG"]);
}

/// The search itself: it finds a password as it is and as basic authentication encodes it, wherever it stands.
#[tokio::test]
async fn a_secret_that_shows_is_found() {
    use base64::Engine as _;
    for text in ["hunter2-default", "a:hunter2-default", "ab:hunter2", "abc:hunter2", "abcd:hunter2!"] {
        let shown = [text.to_owned(), base64::engine::general_purpose::STANDARD.encode(text)];
        for shown in shown {
            assert!(Kai::new("").finds(&format!("authorization: Basic {shown}")), "{shown}");
        }
    }
    assert!(!Kai::new("").finds("authorization: Basic YW5uOnNvbWV0aGluZw=="));
}
