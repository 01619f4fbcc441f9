//! How a connection is found and described, and what is said when it cannot be.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};

use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::proxy::FakeProxy;
use crate::fake_api::reader::{all, connect, relist, settings};
use crate::fake_api::server::{FakeApi, kubeconfig};
use kai::cluster::{ClusterError, ClusterSource, Environment};
use kai::config::{ClusterSettings, KubeconfigSource};
use rstest::rstest;

const ADDRESS: &str = "https://10.1.2.3:6443";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn search() -> ClusterSettings {
    let mut settings = settings(Path::new("unused"));
    settings.source = KubeconfigSource::Search;
    settings
}

fn environment(kubeconfigs: &[&Path]) -> Environment {
    Environment { kubeconfig: Some(std::env::join_paths(kubeconfigs).unwrap()), ..Environment::default() }
}

async fn configuration_error(settings: &ClusterSettings, environment: &Environment) -> String {
    let error = ClusterSource::connect(settings, environment).await.unwrap_err();
    assert!(error.is_configuration(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn the_current_context_names_server_and_cluster() {
    let folder = Folder::new();
    let source = connect(&settings(&folder.write("config", &kubeconfig(ADDRESS, "{token: x}")))).await.unwrap();
    assert_eq!((source.address(), source.cluster_name()), (ADDRESS, Some("fake-cluster")));
}

#[tokio::test]
async fn kubeconfig_files_are_merged_the_first_wins_and_missing_ones_are_passed_over() {
    let folder = Folder::new();
    let first = folder.write("first", "current-context: other\n");
    let second = folder.write("second", &kubeconfig(ADDRESS, "{}").replace("fake", "other"));
    let third = folder.write("third", &kubeconfig("https://third", "{}"));
    let missing = folder.0.path().join("missing");
    let environment = environment(&[&missing, &first, &second, &third]);
    let source = ClusterSource::connect(&search(), &environment).await.unwrap();
    assert_eq!((source.address(), source.cluster_name()), (ADDRESS, Some("other-cluster")));

    let settings = ClusterSettings { context: Some("fake".to_owned()), ..search() };
    let source = ClusterSource::connect(&settings, &environment).await.unwrap();
    assert_eq!(source.address(), "https://third");
}

#[tokio::test]
async fn the_file_at_home_is_read_when_no_variable_names_one() {
    let folder = Folder::new();
    folder.write(".kube/config", &kubeconfig(ADDRESS, "{}"));
    let environment = Environment { home: Some(folder.0.path().to_owned()), ..Environment::default() };
    let source = ClusterSource::connect(&search(), &environment).await.unwrap();
    assert_eq!(source.address(), ADDRESS);
}

#[tokio::test]
async fn files_that_the_kubeconfig_names_are_relative_to_it() {
    let folder = Folder::new();
    let identity = crate::certificates::Identity::new("127.0.0.1", 2999);
    folder.write("sub/ca.pem", &identity.authority);
    let text = kubeconfig(ADDRESS, "{}").replace("{server: ", "{certificate-authority: ca.pem, server: ");
    connect(&settings(&folder.write("sub/config", &text))).await.unwrap();
    std::fs::remove_file(folder.0.path().join("sub/ca.pem")).unwrap();
    let message = configuration_error(&settings(&folder.0.path().join("sub/config")), &Environment::default()).await;
    assert!(message.starts_with("certificate-authority of cluster \"fake-cluster\" in kubeconfig /"), "{message}");
    assert!(message.contains("sub/ca.pem cannot be read: no such file or directory"), "{message}");
}

#[tokio::test]
async fn a_service_account_is_taken_when_there_is_no_kubeconfig() {
    let folder = Folder::new();
    let identity = crate::certificates::Identity::new("127.0.0.1", 2999);
    folder.write("ca.crt", &identity.authority);
    folder.write("token", "t0ken");
    let api = FakeApi::start_tls(FakeCluster::of(1, 2).token("t0ken"), &identity).await;
    let environment = Environment {
        service_host: Some("127.0.0.1".to_owned()),
        service_port: Some(api.address().rsplit(':').next().unwrap().to_owned()),
        service_account: folder.0.path().to_owned(),
        https_proxy: Some("http://127.0.0.1:9".to_owned()),
        ..Environment::default()
    };
    let mut source = ClusterSource::connect(&search(), &environment).await.unwrap();
    assert_eq!(source.cluster_name(), None);
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 2);
}

#[tokio::test]
async fn nothing_found_says_where_it_was_looked_for() {
    let folder = Folder::new();
    let home = folder.0.path().to_owned();
    let place = home.join(".kube/config").display().to_string();
    let at_home = Environment { home: Some(home), ..Environment::default() };
    let message = configuration_error(&search(), &at_home).await;
    let expected = format!(
        "no kubeconfig found at {place}, and not in a cluster (KUBERNETES_SERVICE_HOST is not set); name one with \
         --kubeconfig, kubeconfig.path or the variable KUBECONFIG"
    );
    assert_eq!(message, expected);

    let settings = ClusterSettings { context: Some("dev".to_owned()), ..search() };
    let message = configuration_error(&settings, &at_home).await;
    assert!(message.starts_with(&format!("--context dev needs a kubeconfig, and none is at {place}")), "{message}");
}

#[tokio::test]
async fn in_cluster_outside_of_one_says_what_is_missing() {
    let settings = ClusterSettings { source: KubeconfigSource::InCluster, ..search() };
    let message = configuration_error(&settings, &Environment::default()).await;
    assert!(message.starts_with("not in a cluster: KUBERNETES_SERVICE_HOST is not set; "), "{message}");

    let folder = Folder::new();
    let environment = Environment {
        service_host: Some("10.0.0.1".to_owned()),
        service_port: Some("443".to_owned()),
        service_account: folder.0.path().to_owned(),
        ..Environment::default()
    };
    let message = configuration_error(&settings, &environment).await;
    assert!(message.contains("/token cannot be read: no such file or directory"), "{message}");
}

#[rstest]
#[case::unknown_context(
    Some("fak"),
    kubeconfig(ADDRESS, "{}"),
    "context \"fak\" is not in kubeconfig FILE (did you mean \"fake\"?); contexts: fake"
)]
#[case::no_current_context(None, kubeconfig(ADDRESS, "{}").replace("current-context: fake\n", ""), "kubeconfig FILE has no current-context; choose one with --context or `kubectl config use-context` (contexts: fake)")]
#[case::unknown_cluster(None, kubeconfig(ADDRESS, "{}").replace("name: fake-cluster", "name: b"), "cluster \"fake-cluster\" of context \"fake\" in kubeconfig FILE is not there; clusters: b")]
#[case::no_server(
    None,
    kubeconfig("", "{}"),
    "cluster \"fake-cluster\" of context \"fake\" in kubeconfig FILE has no server; set its URL"
)]
#[case::no_scheme(
    None,
    kubeconfig("10.1.2.3:6443", "{}"),
    "server of cluster \"fake-cluster\" in kubeconfig FILE is \"10.1.2.3:6443\", which has no scheme; write it as https://HOST:PORT"
)]
#[case::other_scheme(
    None,
    kubeconfig("ftp://10.1.2.3", "{}"),
    "server of cluster \"fake-cluster\" in kubeconfig FILE is \"ftp://10.1.2.3\", which is not the URL of an API server; write it as https://HOST:PORT"
)]
#[case::authority_is_no_base64(None, kubeconfig(ADDRESS, "{}").replace("{server", "{certificate-authority-data: '%', server"), "certificate-authority-data of cluster \"fake-cluster\" in kubeconfig FILE cannot be used: it is not base64 (Invalid symbol 37, offset 0.)")]
#[case::authority_is_no_certificate(None, kubeconfig(ADDRESS, "{}").replace("{server", "{certificate-authority-data: aGVsbG8K, server"), "certificate-authority-data of cluster \"fake-cluster\" in kubeconfig FILE cannot be used: there is no certificate in it; it must be PEM with BEGIN CERTIFICATE")]
#[case::provider_of_the_past(
    None,
    kubeconfig(ADDRESS, "{auth-provider: {name: gcp}}"),
    "auth-provider \"gcp\" of user \"ann\" in kubeconfig FILE cannot be used: Kubernetes has removed it; let the provider's own tool write the kubeconfig anew, with a credential plugin (gke-gcloud-auth-plugin, kubelogin)"
)]
#[tokio::test]
async fn a_kubeconfig_that_does_not_fit_says_so(
    #[case] context: Option<&str>,
    #[case] text: String,
    #[case] expected: &str,
) {
    let folder = Folder::new();
    let path = folder.write("config", &text);
    let settings = ClusterSettings { context: context.map(str::to_owned), ..settings(&path) };
    let message = configuration_error(&settings, &Environment::default()).await;
    assert_eq!(message, expected.replace("FILE", &path.display().to_string()));
}

#[tokio::test]
async fn a_malformed_file_is_told_by_line_without_its_content() {
    let folder = Folder::new();
    let text = "apiVersion: v1\nusers:\n- name: ann\n  user: {token: s3cret\n";
    let path = folder.write("config", text);
    let message = configuration_error(&settings(&path), &Environment::default()).await;
    assert!(message.starts_with(&format!("kubeconfig {}:", path.display())), "{message}");
    assert!(message.contains(" is malformed: ") && !message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing");
    let message = configuration_error(&settings(&missing), &Environment::default()).await;
    let expected = format!("kubeconfig {} does not exist; check --kubeconfig or kubeconfig.path", missing.display());
    assert_eq!(message, expected);

    let message = configuration_error(&settings(folder.0.path()), &Environment::default()).await;
    assert!(message.contains("cannot be read: is a directory"), "{message}");
    let message = configuration_error(&search(), &environment(&[folder.0.path()])).await;
    assert!(
        message.contains("cannot be read: is a directory"),
        "what is there and unreadable is not passed over: {message}"
    );
}

fn exec(script: &str, more: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [\"-c\", {script}], \
         interactiveMode: Never{more}}}}}"
    )
}

#[tokio::test]
async fn a_plugin_that_is_not_installed_is_named_with_the_kubeconfigs_hint() {
    let folder = Folder::new();
    let user = "{exec: {command: kai-no-such-plugin, apiVersion: client.authentication.k8s.io/v1, installHint: \"brew install it\"}}";
    let error = connect(&settings(&folder.write("config", &kubeconfig(ADDRESS, user)))).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, ClusterError::Plugin { .. }) && !error.is_configuration());
    assert!(
        message.starts_with("credential plugin kai-no-such-plugin of the credentials of user \"ann\""),
        "{message}"
    );
    assert!(
        message.ends_with("is not installed (not found in PATH); the kubeconfig says: brew install it"),
        "{message}"
    );
}

#[tokio::test]
async fn a_plugin_that_fails_shows_its_complaint_and_not_its_output() {
    let folder = Folder::new();
    let user = exec("echo s3cret; echo log in first >&2; exit 3", "");
    let error = connect(&settings(&folder.write("config", &kubeconfig(ADDRESS, &user)))).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("failed (exit status: 3): log in first; run it by hand"), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn a_plugin_runs_once_for_a_client_and_is_told_the_cluster() {
    let folder = Folder::new();
    let runs = folder.0.path().join("runs");
    let script = format!(
        "echo \"$KUBERNETES_EXEC_INFO $EXTRA\" >> {}; echo '{{\"status\": {{\"token\": \"good\"}}}}'",
        runs.display()
    );
    let api = FakeApi::start(FakeCluster::of(1, 1).token("good")).await;
    let user = exec(&script, ", provideClusterInfo: true, env: [{name: EXTRA, value: more}]");
    let mut source = connect(&settings(&api.kubeconfig(&user))).await.unwrap();
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 1);
    let runs = std::fs::read_to_string(runs).unwrap();
    assert_eq!(runs.lines().count(), 1, "{runs}");
    assert!(runs.contains(api.address()) && runs.ends_with("more\n"), "{runs}");
}

#[rstest]
#[case::expired(", \\\"expirationTimestamp\\\": \\\"2020-01-01T00:00:00Z\\\"", 0)]
#[case::revoked("", 1)]
#[tokio::test]
async fn a_plugin_runs_again_when_its_token_ran_out(#[case] expiration: &str, #[case] refusals: u32) {
    let folder = Folder::new();
    let runs = folder.0.path().join("runs");
    let script = format!(
        "echo run >> {}; echo '{{\"status\": {{\"token\": \"good\"{}}}}}'",
        runs.display(),
        expiration.replace('\\', "")
    );
    let cluster =
        FakeCluster::of(1, 1).token("good").fault_times(On::Path("/api/v1/pods"), Fault::Unauthorized, refusals);
    let api = FakeApi::start(cluster).await;
    let mut source = connect(&settings(&api.kubeconfig(&exec(&script, "")))).await.unwrap();
    let read = relist(&mut source, &all()).await;
    assert_eq!(read.pods().len(), 1, "{:?}", read.result);
    assert_eq!(std::fs::read_to_string(runs).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_plugin_that_hangs_ends_at_the_deadline_of_a_request() {
    let folder = Folder::new();
    let path = folder.write("config", &kubeconfig(ADDRESS, &exec("exec sleep 30", "")));
    let settings = ClusterSettings { request_timeout: std::time::Duration::from_millis(200), ..settings(&path) };
    let message = connect(&settings).await.unwrap_err().to_string();
    assert!(message.contains("did not end within 200ms (kubernetes.request-timeout-seconds)"), "{message}");
}

#[tokio::test]
async fn a_token_file_may_end_in_a_line_break_and_is_read_again_when_refused() {
    let folder = Folder::new();
    let token = folder.write("token", "good\n");
    let api = FakeApi::start(FakeCluster::of(1, 1).token("good")).await;
    let mut source = connect(&settings(&api.kubeconfig(&format!("{{tokenFile: {}}}", token.display())))).await.unwrap();
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 1);
    folder.write("token", "better\n");
    api.change(|_| FakeCluster::of(1, 2).token("better"));
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 2);
}

#[rstest]
#[case::variable("", true)]
#[case::exempt("api.kai.invalid", false)]
#[tokio::test]
async fn a_proxy_of_the_environment_is_used_unless_the_server_is_exempt(#[case] no_proxy: &str, #[case] is_used: bool) {
    let api = FakeApi::start(FakeCluster::of(1, 2)).await;
    let proxy = FakeProxy::to(api.address()).await;
    let path = api.kubeconfig_text(&kubeconfig("http://api.kai.invalid:6443", "{}"));
    let environment = Environment {
        http_proxy: Some(format!("ann:s3cret@{}", proxy.address())),
        no_proxy: Some(no_proxy.to_owned()),
        ..Environment::default()
    };
    let mut source = ClusterSource::connect(&settings(&path), &environment).await.unwrap();
    let read = relist(&mut source, &all()).await;
    assert_eq!(read.pods().len(), if is_used { 2 } else { 0 }, "{:?}", read.result);
    let seen = proxy.seen();
    assert_eq!(seen.iter().any(|line| line == "CONNECT api.kai.invalid:6443 HTTP/1.1"), is_used, "{seen:?}");
    assert_eq!(
        seen.iter().any(|line| line.to_lowercase().starts_with("proxy-authorization: basic ")),
        is_used,
        "{seen:?}"
    );
}
