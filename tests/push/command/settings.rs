//! Settings with which nothing can be pushed: each stops the start before anything is read, and says what to write.

use rstest::rstest;

use super::process::{DUMP, Kai};
use crate::certificates::Identity;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::FakeAnchore;

/// A receiver with a user, a cluster with a name, a port of its own for the service. `http` and `more` are YAML.
pub(crate) fn settings(url: &str, http: &str, more: &str) -> String {
    format!(
        "kubeconfig: {{cluster: prod}}\nserver: {{listen: '127.0.0.1:0'}}\nanchore:\n  url: {url}\n  user: ann\n  password: \
         hunter2-default\n  http: {{{http}}}\n{more}\n"
    )
}

const URL: &str = "http://127.0.0.1:1";

#[rstest]
#[case::no_url("kubeconfig: {cluster: prod}", &["anchore.url is not set", "KAI_ANCHORE_URL", "anchore.user and anchore.password"])]
#[case::no_user("anchore: {url: http://127.0.0.1:1, password: hunter2}", &["kai.yaml", "anchore.user"])]
#[case::no_password("anchore: {url: http://127.0.0.1:1, user: ann}", &["kai.yaml", "anchore.password", "anchore.password-file"])]
#[case::unset_variable(
    "anchore: {url: http://127.0.0.1:1, user: ann, password: $NOT_SET}",
    &["kai.yaml", "anchore.password", "the variable NOT_SET"]
)]
#[case::scheme("anchore: {url: ftp://127.0.0.1:1, user: ann, password: hunter2}", &["anchore.url", "ftp://127.0.0.1:1", "http"])]
#[case::user_in_the_url("anchore: {url: 'http://ann:hunter2@127.0.0.1:1', user: ann, password: hunter2}", &["anchore.url"])]
#[case::route("anchore: {url: http://127.0.0.1:1, user: ann, password: hunter2}\naccount-routes: {team: {namespaces: ['(shop']}}", &["account-routes.team", "(shop"])]
#[case::two_problems("anchore: {url: ftp://a, user: ann, password: $NOT_SET}", &["anchore.url", "anchore.password"])]
#[tokio::test]
async fn what_cannot_work_ends_every_command_that_pushes(#[case] settings: &str, #[case] said: &[&str]) {
    let kai = Kai::new(settings);
    // A dump that is not there: nothing is read before the settings are right.
    for arguments in [&["push", "--input", "gone.json"] as &[&str], &["push", "--dry-run", "--input", "gone.json"]] {
        let ended = kai.run(arguments).await;
        ended.assert(2, said);
        assert_eq!((ended.stdout.as_str(), ended.stderr.contains("gone.json")), ("", false), "{}", ended.stderr);
    }
    if !said.contains(&"anchore.url is not set") {
        for arguments in [&["serve"] as &[&str], &[]] {
            kai.run(arguments).await.assert(2, said);
        }
    }
}

#[tokio::test]
async fn certificates_and_keys_that_do_not_fit_end_the_start() {
    let (one, two) = (Identity::new("kai", 2999), Identity::new("kai", 2999));
    let cases = [
        ("ca-certificate: gone.pem", "anchore.http.ca-certificate", "gone.pem) cannot be used: it cannot be read"),
        (
            "ca-certificate: text.pem",
            "anchore.http.ca-certificate",
            "text.pem) cannot be used: there is no certificate in it",
        ),
        ("client-certificate: one.pem", "anchore.http.client-key", "because anchore.http.client-certificate is set"),
        (
            "client-certificate: one.pem, client-key: two-key.pem",
            "anchore.http.client-key",
            "does not belong to the first",
        ),
        ("proxy: 'ftp://me:hunter2@proxy'", "anchore.http.proxy", "socks5"),
    ];
    for (http, key, problem) in cases {
        let mut kai = Kai::new(&settings("https://127.0.0.1:1", http, ""));
        kai.file("one.pem", &one.certificate);
        kai.file("text.pem", "hunter2");
        kai.key("two-key.pem", &two.key);
        for arguments in
            [&["push", "--input", DUMP, "-vv"] as &[&str], &["push", "--dry-run", "--input", DUMP], &["serve"]]
        {
            let ended = kai.run(arguments).await;
            ended.assert(2, &[key, problem]);
            assert_eq!(ended.stdout, "");
        }
    }
}

#[tokio::test]
async fn a_cluster_without_a_name_is_refused_before_it_is_read() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let kai = Kai::new(&settings(&anchore.url(), "", "").replace("cluster: prod", "cluster: ''"));
    let said = ["kubeconfig.cluster", "KAI_KUBECONFIG_CLUSTER", "--cluster-name"];
    for arguments in [&["push", "--input", "gone.json"] as &[&str], &["push", "--dry-run", "--input", "gone.json"]] {
        let ended = kai.run(arguments).await;
        ended.assert(2, &said);
        assert!(!ended.stderr.contains("gone.json"), "{}", ended.stderr);
    }
    // In a pod, where nothing names the cluster.
    let pod = [("KUBERNETES_SERVICE_HOST", "127.0.0.1"), ("KUBERNETES_SERVICE_PORT", "1")];
    for arguments in [&[] as &[&str], &["serve"], &["push"]] {
        kai.run_with(&pod, arguments).await.assert(2, &said);
    }
    kai.run(&["push", "--input", DUMP, "--cluster-name", "prod"]).await.assert(0, &["inventory pushed"]);
    kai.run_with(&[("KAI_KUBECONFIG_CLUSTER", "prod")], &["push", "--input", DUMP])
        .await
        .assert(0, &["inventory pushed"]);
    assert_eq!(anchore.received().len(), 2);
}

#[tokio::test]
async fn a_receiver_by_variables_alone_is_enough() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let url = anchore.url();
    let variables =
        [("KAI_ANCHORE_URL", url.as_str()), ("KAI_ANCHORE_USER", "eve"), ("KAI_ANCHORE_PASSWORD", "hunter2")];
    let kai = Kai::new("");
    let ended = kai.run_with(&variables, &["push", "--input", DUMP, "--cluster-name", "prod"]).await;
    ended.assert(0, &["inventory pushed account=admin"]);
    assert_eq!(anchore.received()[0].user.as_deref(), Some("eve"));
    assert_eq!(anchore.received()[0].password.as_deref(), Some("hunter2"));
}

#[tokio::test]
async fn a_password_file_that_is_missing_fails_the_push_and_is_named() {
    let text = settings(URL, "", "  password-file: gone.txt").replace("  password: hunter2-default\n", "");
    let ended = Kai::new(&text).run(&["push", "--input", DUMP]).await;
    ended.assert(1, &["anchore.password-file", "gone.txt", "write the password into its first line"]);
    assert!(!ended.stderr.contains("next try"), "{}", ended.stderr);
}
