//! What right settings mean, section by section.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kai::config::{HistoryStore, InlineUser, KubeconfigSource, Password, PostgresHost, PostgresTls};
use kai::inventory::MissingTagPolicy;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use tracing::level_filters::LevelFilter;

use crate::{Case, file, nothing, secret};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

/// An inline connection of both kinds of user.
fn inline(kind: &str) -> Vec<String> {
    let lines = [
        "kubeconfig:".to_owned(),
        "  cluster: prod".to_owned(),
        "  server: https://10.0.0.1:6443".to_owned(),
        format!("  cluster-cert: {}", encoded(CERTIFICATE)),
        "  user:".to_owned(),
        format!("    type: {kind}"),
        format!("    client-cert: {}", encoded(CERTIFICATE)),
        format!("    private-key: {}", encoded(KEY)),
        "    token: t0ken".to_owned(),
    ];
    lines.to_vec()
}

fn source_of(case: &Case) -> KubeconfigSource {
    case.load().settings.cluster.source
}

#[test]
fn an_inline_connection_is_decoded() {
    let KubeconfigSource::Inline(cluster) = source_of(&file(&inline("token").join("\n"))) else { panic!("not inline") };
    assert_eq!(cluster.server, "https://10.0.0.1:6443");
    assert_eq!(cluster.cluster_cert.as_deref(), Some(CERTIFICATE.as_bytes()));
    let InlineUser::Token(token) = &cluster.user else { panic!("no token") };
    assert_eq!(token.expose_secret(), "t0ken");
    assert!(!format!("{cluster:?}").contains("t0ken"));

    let KubeconfigSource::Inline(cluster) = source_of(&file(&inline("private_key").join("\n"))) else {
        panic!("not inline")
    };
    let InlineUser::PrivateKey { client_cert, private_key } = &cluster.user else { panic!("no key") };
    assert_eq!((client_cert.as_slice(), private_key.expose_secret()), (CERTIFICATE.as_bytes(), KEY));
}

#[rstest]
#[case::server("private_key", "server")]
#[case::kind("token", "user.type")]
#[case::token("token", "user.token")]
#[case::certificate("private_key", "user.client-cert")]
#[case::key("private_key", "user.private-key")]
fn each_needed_key_of_an_inline_connection_is_named_when_missing(#[case] kind: &str, #[case] missing: &str) {
    let name = missing.rsplit('.').next().unwrap();
    let mut lines = inline(kind);
    lines.retain(|line| !line.trim_start().starts_with(&format!("{name}:")));
    let problems = file(&lines.join("\n")).problems();
    let variable = format!("KAI_KUBECONFIG_{}", missing.to_uppercase().replace(['.', '-'], "_"));
    let expected = if missing == "user.type" {
        "kai.yaml:3: kubeconfig.user.type: is not set, and other keys of kubeconfig describe a connection; write private_key or token, \
         or empty those keys"
            .to_owned()
    } else {
        format!(
            "kai.yaml:3: kubeconfig.{missing}: is not set; set it in the file or by the variable {variable}, because other keys of \
             kubeconfig describe a connection that needs it"
        )
    };
    assert_eq!(problems, [expected]);
}

#[rstest]
#[case::not_base64("client-cert", "'%%%'", "is not base64; write PEM text encoded with base64")]
#[case::not_pem(
    "client-cert",
    "aGVsbG8=",
    "is base64, but not of a PEM certificate; encode a file that has a BEGIN CERTIFICATE line"
)]
#[case::key_not_pem(
    "private-key",
    "aHVudGVyMg==",
    "is base64, but not of a PEM private key; encode a file that has a BEGIN PRIVATE KEY line and no passphrase"
)]
#[case::der("client-cert", "MIL/gg==", "is base64, but not of text; encode the PEM form, not the DER form")]
#[case::plain_pem("private-key", "'-----BEGIN PRIVATE KEY-----'", "is plain PEM text; encode it once with base64")]
fn certificates_and_keys_are_checked_and_never_shown(#[case] key: &str, #[case] value: &str, #[case] reason: &str) {
    let mut lines = inline("private_key");
    let at = lines.iter().position(|line| line.trim_start().starts_with(&format!("{key}:"))).unwrap();
    lines[at] = format!("    {key}: {value}");
    assert_eq!(file(&lines.join("\n")).problems(), [format!("kai.yaml:{}: kubeconfig.user.{key}: {reason}", at + 1)]);
}

#[test]
fn a_key_given_as_the_certificate_is_noticed() {
    let text = inline("private_key").join("\n").replace(&encoded(CERTIFICATE), &encoded(KEY));
    assert_eq!(file(&text).problems().len(), 2);
}

#[test]
fn wrapped_base64_is_taken() {
    let mut lines = inline("private_key");
    let certificate = encoded(CERTIFICATE);
    let (first, second) = certificate.split_at(20);
    lines[6] = format!("    client-cert: |\n      {first}\n      {second}");
    assert!(matches!(source_of(&file(&lines.join("\n"))), KubeconfigSource::Inline(_)));
}

#[test]
fn a_path_counts_before_an_inline_connection_before_the_search() {
    let case = file(&inline("token").join("\n"));
    assert!(matches!(source_of(&case), KubeconfigSource::Inline(_)));
    case.write("kube", "");
    let path = case.path("kube");
    let case = case.variable("KAI_KUBECONFIG_PATH", "kube");
    assert!(matches!(source_of(&case), KubeconfigSource::Path(found) if found == path));
    let case = case.variable("KAI_KUBECONFIG_PATH", "use-in-cluster");
    assert!(matches!(source_of(&case), KubeconfigSource::InCluster));
    let case = case.flags(|flags| flags.kubeconfig = Some("kube".into()));
    assert!(matches!(source_of(&case), KubeconfigSource::Path(found) if found == path));
    assert!(matches!(source_of(&nothing()), KubeconfigSource::Search));
}

#[test]
fn a_tilde_is_the_users_folder() {
    let case = file("kubeconfig: {path: ~/.kube/config}\nlog: {file: ~/kai.log}\n");
    case.write("home/.kube/config", "");
    let path = case.path("home/.kube/config");
    assert!(matches!(source_of(&case), KubeconfigSource::Path(found) if found == path));
    assert_eq!(case.load().settings.log.file, Some(case.path("home/kai.log")));
}

#[test]
fn a_dump_needs_no_kubeconfig() {
    let text = "kubeconfig: {path: /nowhere/config}\n";
    assert_eq!(file(text).problems().len(), 1);
    file(text).flags(|flags| flags.input = true).load();
    let text = "kubeconfig: {path: use-in-cluster}\nanchore: {url: https://a, user: u, password: p}\n";
    assert_eq!(file(text).problems().len(), 1);
    file(text).flags(|flags| flags.input = true).load();
}

#[test]
fn a_search_that_ends_at_the_service_account_needs_a_cluster_name_too() {
    let text = "anchore: {url: https://a, user: u, password: p}\n";
    let case = file(text).variable("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    assert!(case.problems()[0].starts_with("kai.yaml:1: kubeconfig.cluster: is empty"), "{:?}", case.problems());
    case.write("home/.kube/config", "");
    case.load();
    file(text).variable("KUBERNETES_SERVICE_HOST", "10.0.0.1").variable("KUBECONFIG", "/x").load();
    file(text).load();
}

#[test]
fn the_cluster_name_may_come_from_anywhere() {
    let text = "kubeconfig: {path: use-in-cluster}\nanchore: {url: https://a, user: u, password: p}\n";
    let name = |case: Case| case.load().settings.cluster.name;
    assert_eq!(name(file(text).variable("KAI_KUBECONFIG_CLUSTER", "v")).as_deref(), Some("v"));
    assert_eq!(name(file(text).flags(|flags| flags.cluster_name = Some("f".to_owned()))).as_deref(), Some("f"));
    assert_eq!(name(file("kubeconfig: {path: use-in-cluster}")), None);
}

#[rstest]
#[case::default("", 60)]
#[case::new("kubernetes: {request-timeout-seconds: 7}", 7)]
#[case::old_wins("kubernetes-request-timeout-seconds: 5\nkubernetes: {request-timeout-seconds: 7}", 5)]
#[case::old_zero("kubernetes-request-timeout-seconds: 0\nkubernetes: {request-timeout-seconds: 7}", 7)]
#[case::old_negative("kubernetes-request-timeout-seconds: -1\nkubernetes: {request-timeout-seconds: 7}", 7)]
fn the_older_request_timeout_wins_when_it_says_something(#[case] text: &str, #[case] seconds: u64) {
    assert_eq!(file(text).load().settings.cluster.request_timeout, Duration::from_secs(seconds));
}

#[test]
fn the_variable_of_the_request_timeout_covers_both_forms() {
    let case = file("kubernetes-request-timeout-seconds: 5").variable("KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS", "9");
    assert_eq!(case.load().settings.cluster.request_timeout, Duration::from_secs(9));
}

#[rstest]
#[case("", 300, None)]
#[case("polling-interval-seconds: 10", 300, None)]
#[case("polling-interval-seconds: 1000", 1000, None)]
#[case("collection: {cycle-timeout-seconds: 20, stale-after-seconds: 30}", 20, Some(30))]
fn the_cycle_timeout_follows_the_interval(#[case] text: &str, #[case] cycle: u64, #[case] stale: Option<u64>) {
    let collection = file(text).load().settings.collection;
    assert_eq!(collection.cycle_timeout, Duration::from_secs(cycle));
    assert_eq!(collection.stale_after, stale.map(Duration::from_secs));
}

#[rstest]
#[case("trace", LevelFilter::TRACE)]
#[case("debug", LevelFilter::DEBUG)]
#[case("info", LevelFilter::INFO)]
#[case("WARN", LevelFilter::WARN)]
#[case("warning", LevelFilter::WARN)]
#[case("error", LevelFilter::ERROR)]
#[case("fatal", LevelFilter::ERROR)]
#[case("panic", LevelFilter::ERROR)]
fn log_levels_are_read(#[case] word: &str, #[case] level: LevelFilter) {
    let case = file(&format!("log: {{level: {word}}}"));
    assert_eq!(case.load().settings.log.level, level);
    assert_eq!(case.flags(|flags| flags.quiet = true).load().settings.log.level, LevelFilter::ERROR);
}

#[test]
fn v_raises_the_level_above_quiet_in_a_file() {
    let level = |verbose| nothing().flags(|flags| flags.verbose = verbose).load().settings.log.level;
    assert_eq!(
        [level(0), level(1), level(2), level(9)],
        [LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE, LevelFilter::TRACE]
    );
    let case = file("quiet: true");
    assert_eq!(case.load().settings.log.level, LevelFilter::ERROR);
    assert_eq!(case.flags(|flags| flags.verbose = 1).load().settings.log.level, LevelFilter::DEBUG);
}

#[rstest]
#[case::all("namespaces: [all]", None)]
#[case::all_as_text("namespaces: all", None)]
#[case::all_among_others("namespaces: [a, all]", None)]
#[case::old("namespaces: [b, a]", Some(vec!["a", "b"]))]
#[case::old_ignored("namespaces: [Bad, all]\nnamespace-selectors: {include: [c]}", Some(vec!["c"]))]
#[case::all_is_a_name_in_include("namespace-selectors: {include: [all]}", Some(vec!["all"]))]
#[case::excluded("namespace-selectors: {include: [a, b], exclude: [b]}", Some(vec!["a"]))]
fn namespaces_are_selected(#[case] text: &str, #[case] expected: Option<Vec<&str>>) {
    assert_eq!(file(text).load().settings.selection.included(), expected);
}

#[test]
fn an_expression_meant_as_a_shell_pattern_is_warned_about() {
    let case = file("namespace-selectors:\n  exclude:\n    - ^kube-*\n    - ^ok-.*\n");
    let expected = "kai.yaml:3: namespace-selectors.exclude: \"^kube-*\" is a regular expression, in which -* means any \
                    number of -, so it also matches kubeflow; to exclude what starts with kube-, write ^kube-.*";
    assert_eq!(case.warnings(), [expected]);
    assert!(case.load().settings.selection.is_excluded("kubeflow"));
}

#[rstest]
#[case("", MissingTagPolicy::Digest)]
#[case("missing-tag-policy: {policy: drop, tag: ''}", MissingTagPolicy::Drop)]
#[case("missing-tag-policy: {policy: insert}", MissingTagPolicy::Insert("UNKNOWN".into()))]
#[case("missing-tag-policy: {policy: Insert, tag: none}", MissingTagPolicy::Insert("none".into()))]
fn the_policy_for_missing_tags_is_read(#[case] text: &str, #[case] expected: MissingTagPolicy) {
    assert_eq!(file(text).load().settings.report.missing_tag, expected);
}

#[rstest]
#[case("''", None)]
#[case("registry.example.com:5000", Some("registry.example.com:5000"))]
#[case("registry.example.com/", Some("registry.example.com"))]
#[case("registry.example.com/mirror", Some("registry.example.com/mirror"))]
fn the_registry_for_names_without_one_loses_its_slash(#[case] written: &str, #[case] expected: Option<&str>) {
    let report = file(&format!("missing-registry-override: {written}")).load().settings.report;
    assert_eq!(report.missing_registry_override.as_deref(), expected);
}

#[rstest]
#[case::dollar("$NAME", "value")]
#[case::braces("'${NAME}'", "value")]
#[case::literal("a$NAME", "a$NAME")]
#[case::digits("$1", "$1")]
fn a_credential_of_the_file_may_name_a_variable(#[case] written: &str, #[case] expected: &str) {
    let case =
        file(&format!("anchore: {{url: https://a, user: $NAME, password: {written}}}")).variable("NAME", "value");
    let push = case.load().settings.anchore.push.unwrap();
    assert_eq!((push.credentials.user.as_str(), secret(&push.credentials.password)), ("value", expected));
}

#[test]
fn only_credentials_name_variables() {
    let loaded = file("anchore: {account: $NAME}\nkubeconfig: {cluster: $NAME}").variable("NAME", "value").load();
    assert_eq!(loaded.settings.anchore.account, "$NAME");
    assert_eq!(loaded.settings.cluster.name.as_deref(), Some("$NAME"));
}

#[test]
fn a_credential_in_a_variable_is_literal() {
    let case = file("anchore: {url: https://a, user: u, password: p}")
        .variable("KAI_ANCHORE_PASSWORD", "$NAME")
        .variable("NAME", "value");
    assert_eq!(secret(&case.load().settings.anchore.push.unwrap().credentials.password), "$NAME");
}

#[test]
fn an_inline_token_may_name_a_variable() {
    let text = inline("token").join("\n").replace("t0ken", "$TOKEN");
    let KubeconfigSource::Inline(cluster) = source_of(&file(&text).variable("TOKEN", "t")) else {
        panic!("not inline")
    };
    assert!(matches!(&cluster.user, InlineUser::Token(token) if token.expose_secret() == "t"));
    let expected = "kai.yaml:9: kubeconfig.user.token: the variable TOKEN that it names is not set or is empty; set it, \
                    because other keys of kubeconfig describe a connection that needs it";
    assert_eq!(file(&text).problems(), [expected]);
    assert!(matches!(source_of(&file("kubeconfig: {user: {token: $TOKEN}}")), KubeconfigSource::Search));
}

#[test]
fn origins_are_kept_in_lower_case() {
    let server = file("server: {cors-origins: ['https://A.example.com', 'http://b:3000']}").load().settings.server;
    assert_eq!(server.cors_origins, ["https://a.example.com", "http://b:3000"]);
    assert_eq!(
        file("server: {allowed-hosts: [kai.example.com]}").load().settings.server.allowed_hosts,
        ["kai.example.com"]
    );
    assert_eq!(file("server: {cors-origins: ['*']}").load().settings.server.cors_origins, ["*"]);
}

#[test]
fn no_image_is_told_one_by_one_unless_that_is_asked_for() {
    assert_eq!(nothing().load().settings.metrics.image_info_limit, 0);
    assert_eq!(file("metrics: {image-info-limit: 500}").load().settings.metrics.image_info_limit, 500);
}

#[rstest]
#[case::nothing("{}", HistoryStore::Memory)]
#[case::path("history: {path: /data/history.db}", HistoryStore::Sqlite("/data/history.db".into()))]
#[case::both("history: {store: sqlite, path: /data/history.db}", HistoryStore::Sqlite("/data/history.db".into()))]
#[case::memory("history: {store: memory}", HistoryStore::Memory)]
fn a_path_keeps_the_history(#[case] text: &str, #[case] expected: HistoryStore) {
    let history = file(text).load().settings.history;
    assert_eq!(format!("{:?}", history.store), format!("{expected:?}"));
    assert_eq!((history.retention_days, history.max_rows), (400, 500_000));
}

#[rstest]
#[case::alone("history: {postgres: {url: 'postgres://kai:hunter2@db/images'}}")]
#[case::named("history: {store: postgres, path: /x, postgres: {url: 'postgres://kai:hunter2@db/images'}}")]
fn a_url_keeps_the_history_in_postgresql(#[case] text: &str) {
    let HistoryStore::Postgres(postgres) = file(text).load().settings.history.store else { panic!("another store") };
    assert_eq!((&postgres.host, postgres.port), (&PostgresHost::Name("db".to_owned()), 5432));
    assert_eq!((&*postgres.user, &*postgres.database, postgres.tls), ("kai", "images", PostgresTls::Verified));
    assert!(matches!(&postgres.password, Some(Password::Text(_))) && !format!("{postgres:?}").contains("hunter2"));
}

#[test]
fn files_of_postgresql_are_named_from_the_working_folder() {
    let case = file(
        "history: {postgres: {url: 'postgres://kai@db', password-file: password, ca-file: ca.pem, cluster-id: prod-1}}",
    );
    let HistoryStore::Postgres(postgres) = case.load().settings.history.store else { panic!("another store") };
    assert!(matches!(&postgres.password, Some(Password::File(path)) if *path == case.path("password")));
    assert_eq!((postgres.ca_file.clone(), postgres.cluster_id.as_deref()), (Some(case.path("ca.pem")), Some("prod-1")));
}

#[rstest]
#[case::no_url(
    "history: {store: postgres}",
    "history.postgres.url: is empty, and history.store is postgres; write the URL of the database, for example postgres://kai@db.example.com:5432/kai"
)]
#[case::both(
    "history: {path: /x, postgres: {url: 'postgres://kai@db'}}",
    "history.path: is set, and so is history.postgres.url (kai.yaml:1); choose one by history.store, sqlite or postgres"
)]
#[case::two_passwords(
    "history: {postgres: {url: 'postgres://kai:hunter2@db', password-file: x}}",
    "history.postgres.password-file: is set, and history.postgres.url has a password too; keep one of them"
)]
#[case::mode(
    "history: {postgres: {url: 'postgres://kai:hunter2@db?sslmode=prefer'}}",
    "history.postgres.url: has another sslmode than disable, require or verify-full; with both of the latter kai checks the certificate and the host's name, and a private authority is named in history.postgres.ca-file"
)]
#[case::variable(
    "history: {postgres: {url: $NOTHING}}",
    "history.postgres.url: the variable NOTHING that it names is not set or is empty; set it, or empty the key"
)]
#[case::id(
    "history: {postgres: {url: 'postgres://kai@db', cluster-id: a b}}",
    "history.postgres.cluster-id: has more than 59 characters, or others than ASCII; write a name that no other cluster has"
)]
fn a_database_that_cannot_be_used_is_a_problem(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(file(text).problems(), [format!("kai.yaml:1: {expected}")]);
}

#[test]
fn a_database_that_is_not_used_is_a_warning() {
    let text = "history: {store: sqlite, path: /x, postgres: {url: 'postgres://kai@db'}}";
    let expected = "kai.yaml:1: history.postgres.url: has no effect, because history.store is sqlite; leave history.store \
                    out to keep the history in that database";
    assert_eq!(file(text).warnings(), [expected]);
}

#[test]
fn a_history_without_a_file_is_a_problem_and_a_file_without_a_history_a_warning() {
    let expected = "kai.yaml:1: history.path: is empty, and history.store is sqlite; write the path of the file, which kai \
                    makes where there is none";
    assert_eq!(file("history: {store: sqlite}").problems(), [expected]);
    let warnings = file("history: {store: memory, path: /data/history.db}").load().warnings;
    let expected = "kai.yaml:1: history.path: has no effect, because history.store is memory; leave history.store out to \
                    keep the history in that file";
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.ends_with(expected), "{warning}");
}
