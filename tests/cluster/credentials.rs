//! Credentials of kubeconfigs as people have them: what kubectl accepts is accepted, and nothing else reaches a library.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::certificates::Identity;
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::reader::{all, connect, relist, settings};
use crate::fake_api::server::{FakeApi, kubeconfig};
use kai::cluster::{ClusterSource, Environment};
use kai::config::{ClusterSettings, Impersonation, InlineCluster, InlineUser, KubeconfigSource};
use rstest::rstest;

const ADDRESS: &str = "https://10.1.2.3:6443";

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "config", text);
    let error = connect(&settings(&path)).await.unwrap_err();
    error.to_string().replace(&path.display().to_string(), "FILE")
}

/// A user with a plugin that prints this.
fn plugin(printed: &str, fields: &str) -> String {
    let script = serde_json::to_string(&format!("echo '{printed}'")).unwrap();
    format!("{{exec: {{command: sh, args: [\"-c\", {script}], {fields}}}}}")
}

/// What the server gets as `Authorization` from this user.
async fn authorization(user: &str) -> Vec<String> {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let mut source = connect(&settings(&api.kubeconfig(user))).await.unwrap();
    assert!(relist(&mut source, &all()).await.ended());
    api.last_header("authorization")
}

#[rstest]
#[case::line_break(r#""s3\ncret""#, "a line break")]
#[case::control_character(r#""s3\acret""#, "a control character")]
#[case::nul(r#""s3\0cret""#, "a control character")]
#[tokio::test]
async fn a_token_that_no_header_can_carry_is_an_error_and_no_panic(#[case] token: &str, #[case] what: &str) {
    let message = refused(&kubeconfig(ADDRESS, &format!("{{token: {token}}}"))).await;
    let expected = format!(
        "token of user \"ann\" in kubeconfig FILE cannot be used: it has {what} in it, which no HTTP header can carry; \
         write it in one line"
    );
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_server_name_that_no_certificate_can_have_is_named() {
    let text = kubeconfig(&format!("{ADDRESS}\", tls-server-name: \"api example"), "{token: good}");
    assert_eq!(
        refused(&text).await,
        "tls-server-name of cluster \"fake-cluster\" in kubeconfig FILE is \"api example\", which no server can be named; \
         write a DNS name or an IP address that the server's certificate has"
    );
}

#[tokio::test]
async fn a_token_of_a_file_a_plugin_or_the_settings_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(&folder, "token", "s3\ncret\n");
    let message = refused(&kubeconfig(ADDRESS, &format!("{{tokenFile: {}}}", token.display()))).await;
    assert!(message.starts_with("tokenFile of user \"ann\" in kubeconfig FILE cannot be used: it has a"), "{message}");

    let user = plugin(r#"{"status": {"token": "s3\\u0007cret"}}"#, "interactiveMode: Never");
    let message = refused(&kubeconfig(ADDRESS, &user)).await;
    let expected = "gives no usable credentials: its token cannot be used: it has a control character";
    assert!(message.contains(expected) && !message.contains("s3"), "{message}");

    let mut settings = settings(Path::new("unused"));
    settings.source = KubeconfigSource::Inline(Box::new(InlineCluster {
        server: ADDRESS.to_owned(),
        cluster_cert: None,
        user: InlineUser::Token("s3\ncret".into()),
    }));
    let message = connect(&settings).await.unwrap_err().to_string();
    assert!(message.starts_with("kubeconfig.user.token cannot be used: it has a line break in it"), "{message}");
    assert!(!message.contains("s3"), "{message}");
}

#[rstest]
#[case::blanks_around_a_token(r#"{token: " good\n"}"#, &["Bearer good"])]
#[case::empty_token(r#"{token: ""}"#, &[])]
#[case::null_token("{token: null}", &[])]
#[case::nothing("{}", &[])]
#[case::no_user("null", &[])]
#[case::empty_user_and_password(r#"{username: "", password: ""}"#, &[])]
#[case::empty_user_beside_a_token(r#"{username: "", password: "", token: good}"#, &["Bearer good"])]
#[case::user_and_password("{username: ann, password: pw}", &["Basic YW5uOnB3"])]
#[case::user_without_password("{username: ann}", &["Basic YW5uOg=="])]
#[case::empty_certificates(r#"{token: good, client-certificate-data: "", client-key-data: ""}"#, &["Bearer good"])]
#[case::empty_certificate_files(r#"{token: good, client-certificate: "", client-key: ""}"#, &["Bearer good"])]
#[case::empty_token_file(r#"{token: good, tokenFile: ""}"#, &["Bearer good"])]
#[case::no_plugin("{token: good, exec: null}", &["Bearer good"])]
#[case::provider_of_kubectl("{token: good, auth-provider: {config: null}}", &["Bearer good"])]
#[case::nothing_but_an_empty_provider(r#"{auth-provider: {config: null, name: ""}}"#, &[])]
#[case::token_twice("{token: bad, token: good}", &["Bearer good"])]
#[tokio::test]
async fn empty_means_unset(#[case] user: &str, #[case] expected: &[&str]) {
    assert_eq!(authorization(user).await, expected);
}

#[tokio::test]
async fn empty_files_are_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(&folder, "empty", "\n");
    let user = format!("{{token: good, tokenFile: {0}, client-certificate: {0}, client-key: {0}}}", empty.display());
    assert_eq!(authorization(&user).await, ["Bearer good"]);
}

#[tokio::test]
async fn a_token_file_wins_over_a_token_unless_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(&folder, "token", "from-file\n");
    let user = format!("{{token: beside, tokenFile: {}}}", token.display());
    assert_eq!(authorization(&user).await, ["Bearer from-file"]);
    assert_eq!(authorization(&user.replace("/token}", "/gone}")).await, ["Bearer beside"]);
}

#[tokio::test]
async fn a_token_file_is_read_again_before_each_poll() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(&folder, "token", "first");
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let user = format!("{{tokenFile: {}}}", token.display());
    let mut source = connect(&settings(&api.kubeconfig(&user))).await.unwrap();
    for text in ["first", "second\n"] {
        write(&folder, "token", text);
        assert!(relist(&mut source, &all()).await.ended());
        assert_eq!(api.last_header("authorization"), [format!("Bearer {}", text.trim())]);
    }
}

#[tokio::test]
async fn the_token_of_the_pod_may_end_in_a_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new("127.0.0.1", 2999);
    write(&folder, "ca.crt", &identity.authority);
    write(&folder, "token", "t0ken\n");
    let api = FakeApi::start_tls(FakeCluster::of(1, 2).token("t0ken"), &identity).await;
    let environment = Environment {
        service_host: Some("127.0.0.1".to_owned()),
        service_port: Some(api.address().rsplit(':').next().unwrap().to_owned()),
        service_account: folder.path().to_owned(),
        ..Environment::default()
    };
    let settings = ClusterSettings { source: KubeconfigSource::InCluster, ..settings(Path::new("unused")) };
    let mut source = ClusterSource::connect(&settings, &environment).await.unwrap();
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 2);
}

/// Entries of each list that kubectl passes over, too, when another context is chosen.
const UNUSED: [(&str, &str); 3] = [
    (
        "users:\n",
        "- {name: old, user: {auth-provider: {config: null}}}\n- {user: {token: [1]}}\n- {name: x, user: {exec: \
         {command: 7, provideClusterInfo: null, interactiveMode: never, env: [{name: A, value: 1}]}}}\n- 7\n",
    ),
    ("clusters:\n", "- name: bad\n  cluster: {server: {a: b}}\n- cluster: null\n"),
    (
        "contexts:\n",
        "- {name: without}\n- {name: nothing, context: null}\n- {name: null-cluster, context: {cluster: null}}\n- \
         {context: {cluster: 7}}\n",
    ),
];

#[tokio::test]
async fn entries_that_are_not_used_are_not_judged() {
    let text = UNUSED.iter().fold(kubeconfig(ADDRESS, "{token: good}"), |text, (list, entries)| {
        text.replace(list, &format!("{list}{entries}"))
    });
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "config", &text);
    connect(&settings(&path)).await.unwrap();

    for name in ["without", "nothing", "null-cluster"] {
        let settings = ClusterSettings { context: Some(name.to_owned()), ..settings(&path) };
        let message = connect(&settings).await.unwrap_err().to_string();
        let expected = format!(
            "cluster of context \"{name}\" in kubeconfig {} is not set; name a cluster there (clusters: bad, fake-cluster)",
            path.display()
        );
        assert_eq!(message, expected);
    }
}

#[rstest]
#[case("{token: 7}", "token of user \"ann\" in kubeconfig FILE is a number; write a text, in quotes")]
#[case("{token: {a: s3cret}}", "token of user \"ann\" in kubeconfig FILE is a mapping; write a text, in quotes")]
#[case("{exec: [1]}", "exec of user \"ann\" in kubeconfig FILE is a list; write its fields")]
#[case(
    "{exec: {command: sh, args: [1]}}",
    "args of exec of user \"ann\" in kubeconfig FILE has a number in its list; write a list of texts, each in quotes"
)]
#[case(
    "{exec: {args: []}}",
    "command of exec of user \"ann\" in kubeconfig FILE is not set; write the program that gives credentials"
)]
#[case(
    "{exec: {command: sh, interactiveMode: sometimes}}",
    "interactiveMode of exec of user \"ann\" in kubeconfig FILE is none of Never, IfAvailable and Always; write one of them"
)]
#[case(
    "{client-certificate-data: aGVsbG8K}",
    "client-key of user \"ann\" in kubeconfig FILE is not set, and there is a client certificate; set it or \
     client-key-data, or leave the certificate out"
)]
#[tokio::test]
async fn errors_name_the_entry_and_the_field(#[case] user: &str, #[case] expected: &str) {
    assert_eq!(refused(&kubeconfig(ADDRESS, user)).await, expected);
}

#[rstest]
#[case("interactiveMode: never")]
#[case("provideClusterInfo: null, interactiveMode: Never")]
#[case("env: null, installHint: null, interactiveMode: Never")]
#[tokio::test]
async fn a_plugin_may_have_fields_that_are_null(#[case] fields: &str) {
    let user = plugin(r#"{"status": {"token": "good", "clientKeyData": "", "expirationTimestamp": null}}"#, fields);
    assert_eq!(authorization(&user).await, ["Bearer good"]);
}

#[tokio::test]
async fn an_empty_current_context_lets_the_next_file_choose() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(&folder, "first", "current-context: \"\"\nclusters: null\ncontexts: []\n");
    let second = write(&folder, "second", &kubeconfig(ADDRESS, "{}"));
    let environment =
        Environment { kubeconfig: Some(std::env::join_paths([first, second]).unwrap()), ..Environment::default() };
    let settings = ClusterSettings { source: KubeconfigSource::Search, ..settings(Path::new("unused")) };
    assert_eq!(ClusterSource::connect(&settings, &environment).await.unwrap().address(), ADDRESS);
}

#[rstest]
#[case("https://ann:hunter2@10.1.2.3:6443")]
#[case("ann:hunter2@10.1.2.3")]
#[case("https://ann:hunt/er2@10.1.2.3")]
#[case("https://ann:hunter 2@10.1.2.3")]
#[tokio::test]
async fn a_password_in_the_servers_url_is_refused_and_never_shown(#[case] server: &str) {
    let message = refused(&kubeconfig(server, "{}")).await;
    assert!(message.starts_with("server of cluster \"fake-cluster\" in kubeconfig FILE has an @, and a"), "{message}");
    assert!(!message.contains("hunt") && !message.contains("er2"), "{message}");
}

#[rstest]
#[case("https://fd00::1:6443")]
#[case("fd00::1")]
#[tokio::test]
async fn an_ipv6_address_without_brackets_gets_the_hint(#[case] server: &str) {
    let message = refused(&kubeconfig(server, "{}")).await;
    let expected = format!(
        "server of cluster \"fake-cluster\" in kubeconfig FILE is \"{server}\", which has an IPv6 address without \
         brackets; write it as https://[ADDRESS]:PORT"
    );
    assert_eq!(message, expected);
}

fn act_as(user: &str, groups: &[&str], uid: &str) -> Impersonation {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Impersonation { user: text(user), groups: groups.iter().map(|group| (*group).to_owned()).collect(), uid: text(uid) }
}

#[rstest]
#[case::nobody("{}", act_as("", &[], ""), ["", "", ""])]
#[case::flags("{token: t}", act_as("jane", &["dev", "ops"], "7"), ["jane", "dev,ops", "7"])]
#[case::kubeconfig(r#"{as: jane, as-groups: [dev], as-uid: "7"}"#, act_as("", &[], ""), ["jane", "dev", "7"])]
#[case::flags_win(r#"{as: jane, as-groups: [dev], as-uid: "7"}"#, act_as("joe", &["ops"], ""), ["joe", "ops", "7"])]
#[case::other_letters("{as: jörg}", act_as("", &[], ""), ["jörg", "", ""])]
#[tokio::test]
async fn kai_acts_as_somebody_else_as_kubectl_does(
    #[case] user: &str,
    #[case] impersonation: Impersonation,
    #[case] expected: [&str; 3],
) {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let settings = ClusterSettings { impersonation, ..settings(&api.kubeconfig(user)) };
    let mut source = connect(&settings).await.unwrap();
    assert!(relist(&mut source, &all()).await.ended());
    let sent = ["impersonate-user", "impersonate-group", "impersonate-uid"].map(|name| api.last_header(name).join(","));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn more_about_the_other_user_is_sent_with_its_name() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let user = "{as: jane, as-user-extra: {scopes: [view, edit]}}";
    let mut source = connect(&settings(&api.kubeconfig(user))).await.unwrap();
    assert!(relist(&mut source, &all()).await.ended());
    assert_eq!(api.last_header("impersonate-extra-scopes"), ["view", "edit"]);
}

#[rstest]
#[case(act_as("", &["dev"], ""), "no user to act as; set `as` in the kubeconfig or the flag --as too")]
#[case(act_as("ja\nne", &[], ""), "--as cannot be used: it has a line break in it")]
#[case(act_as("jane", &["d\u{7}ev"], ""), "--as-group cannot be used: it has a control character in it")]
#[tokio::test]
async fn nobody_to_act_as_is_an_error(#[case] impersonation: Impersonation, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "config", &kubeconfig(ADDRESS, "{}"));
    let settings = ClusterSettings { impersonation, ..settings(&path) };
    let message = connect(&settings).await.unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_plugin_that_times_out_takes_its_child_processes_along() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("alive");
    // The child writes its mark for as long as it lives; a minute at most, whatever becomes of this test.
    let child = format!("(for i in $(seq 600); do echo x >> {}; sleep 0.1; done) & wait", mark.display());
    let script = serde_json::to_string(&child).unwrap();
    let user = format!("{{exec: {{command: sh, args: [\"-c\", {script}], interactiveMode: Never}}}}");
    let path = write(&folder, "config", &kubeconfig(ADDRESS, &user));
    let settings = ClusterSettings { request_timeout: Duration::from_millis(800), ..settings(&path) };
    let message = connect(&settings).await.unwrap_err().to_string();
    assert!(message.contains("did not end within 800ms"), "{message}");
    let size = || std::fs::metadata(&mark).unwrap().len();
    let begun = Instant::now();
    loop {
        let before = size();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if size() == before {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "the child lives on");
    }
}
