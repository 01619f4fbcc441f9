//! What the settings of a push mean, and which of them cannot go together.

use std::time::Duration;

use kai::config::{
    AnchoreApi, AnchoreSettings, AnchoreUser, NO_CLUSTER_NAME, Password, Pem, PushWhen, RegistrationSettings,
};
use rstest::rstest;
use secrecy::ExposeSecret as _;

use crate::{Case, file, nothing, secret};

#[test]
fn the_url_of_the_receiver_may_name_a_variable() {
    let settings = "anchore: {url: $ANCHORE_URL, user: me, password: secret}\nkubeconfig: {cluster: demo}\n";
    let case = file(settings).variable("ANCHORE_URL", "https://anchore.example.com");
    let push = case.load().settings.anchore.push.expect("a receiver");
    assert_eq!(push.url, "https://anchore.example.com");

    let problems = file(settings).problems();
    let expected = "kai.yaml:1: anchore.url: the variable ANCHORE_URL that it names is not set or is empty; set it, or \
                    empty the key to push nothing";
    assert_eq!(problems, [expected]);
}

/// A receiver in four lines; what is added to it starts in line 5.
const TARGET: &str = "anchore:\n  url: https://a\n  user: u\n  password: p\n";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

fn with(lines: &str) -> Case {
    file(&format!("{TARGET}{lines}"))
}

fn anchore(case: &Case) -> AnchoreSettings {
    case.load().settings.anchore
}

#[test]
fn without_a_url_nothing_of_the_push_is_needed() {
    let text = "\
anchore:
  user: u
  password: $UNSET
  password-file: /nowhere
  account: ' é'
  http: {insecure: true, ca-certificate: ca.pem, client-key: $UNSET, client-certificate: a.pem, proxy: 'x y'}
account-routes: {a: {user: x, password: $UNSET, namespaces: [n]}, b: {namespaces: [n]}, c: {}}
account-route-by-namespace-label: {default-account: d}
kubeconfig: {cluster: docker-desktop}
";
    let loaded = file(text).load();
    assert_eq!(loaded.warnings, [""; 0]);
    assert!(loaded.settings.anchore.push.is_none());
    assert!(loaded.settings.anchore.credentials("a").is_none());
    assert!(loaded.settings.anchore.account_routes["a"].credentials.is_none());
    let account = |written: &str| anchore(&file(&format!("anchore: {{account: {written}}}"))).account;
    assert_eq!([account("''"), account("x")], ["admin", "x"]);
}

#[test]
fn what_goes_with_a_push_is_kept() {
    let text = "\
anchore: {url: https://a/base, user: u, password: p, account: acc, http: {insecure: true, timeout-seconds: 3}}
anchore-registration: {registration-id: id, integration-name: n, integration-description: d}
health-report-interval-seconds: 30
inventory-report-limits: {namespaces: 5, payload-threshold-bytes: 1000}
account-route-by-namespace-label: {key: team, default-account: d, ignore-namespace-missing-label: true}
account-routes:
  Team-A: {user: x, password: y, namespaces: [a, ^b-]}
  team-b: {Namespaces: c}
metadata-collection: {nodes: {disable: true}, pods: {include-labels: [^app]}}
";
    let anchore = anchore(&file(text));
    assert_eq!(anchore.push.as_ref().unwrap().url, "https://a/base");
    assert_eq!((anchore.account.as_str(), anchore.http.insecure), ("acc", true));
    assert_eq!(anchore.http.timeout, Duration::from_secs(3));
    assert_eq!(anchore.registration.integration_name.as_deref(), Some("n"));
    assert_eq!(anchore.health_report_interval, Duration::from_secs(30));
    assert_eq!((anchore.namespaces_per_report, anchore.payload_threshold_bytes), (Some(5), Some(1000)));
    let label = anchore.route_by_label.unwrap();
    assert_eq!(
        (label.key.as_str(), label.default_account.as_deref(), label.ignore_missing_label),
        ("team", Some("d"), true)
    );
    assert_eq!(anchore.account_routes.keys().collect::<Vec<_>>(), ["Team-A", "team-b"]);
    assert!(anchore.account_routes["Team-A"].namespaces[1].matches("b-1"));
    assert!(anchore.account_routes["team-b"].namespaces[0].matches("c"));
    assert!(anchore.metadata.nodes.is_none());
    assert!(anchore.metadata.pods.labels.keeps("app.kubernetes.io/name"));
}

#[rstest]
#[case("", AnchoreApi::Auto)]
#[case("  api: AUTO", AnchoreApi::Auto)]
#[case("  api: inventories", AnchoreApi::Inventories)]
#[case("  api: kubernetes-inventory-v1", AnchoreApi::KubernetesInventoryV1)]
#[case("  api: kubernetes-inventory-v2", AnchoreApi::KubernetesInventoryV2)]
fn the_wire_is_chosen(#[case] lines: &str, #[case] expected: AnchoreApi) {
    assert_eq!(anchore(&with(lines)).api, expected);
}

#[rstest]
#[case("", PushWhen::Interval, false, false)]
#[case("  push-when: interval\n  push-incomplete: false\n  http: {compress: false}", PushWhen::Interval, false, false)]
#[case("  push-when: change\n  push-incomplete: true", PushWhen::Change, true, false)]
#[case("  push-when: Both\n  http: {compress: true}", PushWhen::Both, false, true)]
fn when_and_how_is_chosen(
    #[case] lines: &str,
    #[case] when: PushWhen,
    #[case] incomplete: bool,
    #[case] compress: bool,
) {
    let anchore = anchore(&with(lines));
    assert_eq!((anchore.push_when, anchore.push_incomplete, anchore.http.compress), (when, incomplete, compress));
}

#[test]
fn each_key_of_the_push_has_its_variable() {
    let case = with("")
        .variable("KAI_ANCHORE_API", "inventories")
        .variable("KAI_ANCHORE_PUSH_WHEN", "both")
        .variable("KAI_ANCHORE_PUSH_INCOMPLETE", "true")
        .variable("KAI_ANCHORE_HTTP_COMPRESS", "1")
        .variable("KAI_ANCHORE_HTTP_CA_CERTIFICATE", CERTIFICATE)
        .variable("KAI_ANCHORE_HTTP_CLIENT_CERTIFICATE", "tls.crt")
        .variable("KAI_ANCHORE_HTTP_CLIENT_KEY", KEY)
        .variable("KAI_ANCHORE_HTTP_PROXY", "socks5://proxy:1080")
        .variable("KAI_ANCHORE_REGISTRATION_ENABLED", "true");
    assert_eq!(case.warnings(), [""; 0]);
    let AnchoreSettings { api, push_when, push_incomplete, http, registration, .. } = anchore(&case);
    assert_eq!((api, push_when, push_incomplete), (AnchoreApi::Inventories, PushWhen::Both, true));
    assert!(http.compress && registration.enabled);
    assert!(matches!(http.ca_certificate, Some(Pem::Text(text)) if text.expose_secret() == CERTIFICATE));
    let client = http.client.unwrap();
    assert!(matches!(client.certificate, Pem::File(path) if path == case.path("tls.crt")));
    assert!(matches!(client.key, Pem::Text(text) if text.expose_secret() == KEY));
    assert_eq!(http.proxy.unwrap().expose_secret(), "socks5://proxy:1080");

    let case = file("anchore: {url: https://a, user: u}").variable("KAI_ANCHORE_PASSWORD_FILE", "~/password");
    let password = anchore(&case).push.unwrap().credentials.password;
    assert!(matches!(password, Password::File(path) if path == case.path("home/password")));
}

#[test]
fn certificates_and_the_proxy_may_name_variables() {
    let case = with("  http: {ca-certificate: $CA, client-certificate: $CERT, client-key: '${CERT}', proxy: $PROXY}\n")
        .variable("CA", CERTIFICATE)
        .variable("CERT", "/both.pem")
        .variable("PROXY", "http://me:pass@proxy");
    let http = anchore(&case).http;
    assert!(matches!(http.ca_certificate, Some(Pem::Text(text)) if text.expose_secret() == CERTIFICATE));
    let client = http.client.unwrap();
    for pem in [client.certificate, client.key] {
        assert!(matches!(pem, Pem::File(path) if path.to_str() == Some("/both.pem")));
    }
    assert_eq!(http.proxy.unwrap().expose_secret(), "http://me:pass@proxy");
}

#[test]
fn a_block_of_the_file_is_pem_text() {
    let indented = KEY.replace('\n', "\n      ");
    let case = with(&format!("  http:\n    client-certificate: a.pem\n    client-key: |\n      {indented}\n"));
    let key = anchore(&case).http.client.unwrap().key;
    assert!(matches!(key, Pem::Text(text) if text.expose_secret() == KEY));
}

#[rstest]
#[case::variable("p\n")]
#[case::only_spaces("  ")]
#[case::around("\n p\t\r\n")]
fn a_password_keeps_its_line_ends(#[case] password: &str) {
    let case = with("").variable("KAI_ANCHORE_PASSWORD", password);
    assert_eq!(secret(&anchore(&case).push.unwrap().credentials.password), password);
    let quoted = serde_json::to_string(password).unwrap();
    let case = file(&format!("anchore: {{url: https://a, user: u, password: {quoted}}}"));
    assert_eq!(secret(&anchore(&case).push.unwrap().credentials.password), password);
}

#[rstest]
#[case::both(
    "  password-file: /p",
    "kai.yaml:5: anchore.password-file: is set, and so is anchore.password (kai.yaml:4); keep one of them"
)]
#[case::certificate_alone(
    "  http:\n    client-certificate: a.pem",
    "kai.yaml:6: anchore.http.client-key: is not set; set it in the file or by the variable KAI_ANCHORE_HTTP_CLIENT_KEY, because anchore.http.client-certificate is set and has no use without it; both may name the same file, or empty anchore.http.client-certificate"
)]
#[case::key_alone(
    "  http:\n    client-certificate: ''\n    client-key: a.pem",
    "kai.yaml:6: anchore.http.client-certificate: is not set; set it in the file or by the variable KAI_ANCHORE_HTTP_CLIENT_CERTIFICATE, because anchore.http.client-key is set and has no use without it; both may name the same file, or empty anchore.http.client-key"
)]
#[case::unset_key(
    "  http:\n    client-certificate: a.pem\n    client-key: $NOTHING",
    "kai.yaml:7: anchore.http.client-key: the variable NOTHING that it names is not set or is empty; set it, or empty the key"
)]
#[case::unset_authority(
    "  http:\n    ca-certificate: $NOTHING",
    "kai.yaml:6: anchore.http.ca-certificate: the variable NOTHING that it names is not set or is empty; set it, or empty the key"
)]
#[case::unset_proxy(
    "  http:\n    proxy: $NOTHING",
    "kai.yaml:6: anchore.http.proxy: the variable NOTHING that it names is not set or is empty; set it, or empty the key"
)]
#[case::folded_text(
    "  http:\n    ca-certificate: -----BEGIN CERTIFICATE-----\n      AAAA\n      -----END CERTIFICATE-----",
    "kai.yaml:6: anchore.http.ca-certificate: is PEM text without its line breaks; keep them, in a YAML file as a block after |"
)]
#[case::proxy(
    "  http:\n    proxy: proxy.example.com:3128",
    "kai.yaml:6: anchore.http.proxy: has no proxy scheme; write http, https, socks5 or socks5h, host and port, for example http://proxy.example.com:3128, and percent-encode special characters of a password (@ is %40)"
)]
#[case::api(
    "  api: v2",
    "kai.yaml:5: anchore.api: \"v2\" is not valid; write one of auto, inventories, kubernetes-inventory-v1, kubernetes-inventory-v2"
)]
#[case::push_when(
    "  push-when: never",
    "kai.yaml:5: anchore.push-when: \"never\" is not valid; write one of interval, change, both"
)]
#[case::account(
    "  account: 'team é'",
    "kai.yaml:5: anchore.account: \"team é\" is not a valid account name; use ASCII letters, digits and punctuation, without a space at either end"
)]
#[case::account_of_a_route(
    "account-routes:\n  'team ': {namespaces: [a]}",
    "kai.yaml:6: account-routes.team : \"team \" is not a valid account name; use ASCII letters, digits and punctuation, without a space at either end"
)]
#[case::account_without_a_label(
    "account-route-by-namespace-label:\n  key: team\n  default-account: \"a\\nb\"",
    "kai.yaml:7: account-route-by-namespace-label.default-account: \"a\\nb\" is not a valid account name; use ASCII letters, digits and punctuation, without a space at either end"
)]
#[case::namespace_of_two_accounts(
    "account-routes:\n  a: {namespaces: [x, y]}\n  b:\n    namespaces:\n      - z\n      - y",
    "kai.yaml:10: account-routes.b.namespaces: \"y\" is listed for the account \"a\" too (kai.yaml:6); a namespace goes to one account, so keep one of them"
)]
#[case::half_a_pair(
    "account-routes:\n  a: {user: x, namespaces: [n]}\n  b: {namespaces: [m]}",
    "kai.yaml:6: account-routes.a.password: is not set; set it in the file; an account has its own user and password, or neither"
)]
fn what_cannot_go_together_is_refused(#[case] lines: &str, #[case] message: &str) {
    assert_eq!(with(lines).problems(), [message]);
    if !message.contains("is not valid") {
        assert_eq!(file(&format!("{TARGET}{lines}").replace("url: https://a", "url: ''")).warnings(), [""; 0]);
    }
}

#[test]
fn a_password_that_names_no_variable_is_still_one_of_two() {
    let case = file("anchore:\n  url: https://a\n  user: u\n  password: $NOTHING\n  password-file: /p\n");
    let expected =
        "kai.yaml:5: anchore.password-file: is set, and so is anchore.password (kai.yaml:4); keep one of them";
    assert_eq!(case.problems(), [expected]);
    let case = file("anchore: {url: https://a, user: u, password-file: /p}").variable("KAI_ANCHORE_PASSWORD", "p");
    let expected = "kai.yaml:1: anchore.password-file: is set, and so is anchore.password (variable KAI_ANCHORE_PASSWORD); \
                    keep one of them";
    assert_eq!(case.problems(), [expected]);
}

#[rstest]
#[case::unchecked(
    "  http:\n    insecure: true\n    ca-certificate: ca.pem",
    "kai.yaml:6: anchore.http.insecure: is true, so the certificate of the receiver is not checked at all, and anchore.http.ca-certificate does nothing; set anchore.http.insecure to false, or empty anchore.http.ca-certificate"
)]
#[case::route_of_nothing(
    "account-routes:\n  a: {user: x, password: y}",
    "kai.yaml:6: account-routes.a: names no namespaces, so that nothing goes to this account by its route; list them in its key namespaces, or remove it"
)]
#[case::route_of_nothing_beside_labels(
    "account-route-by-namespace-label: {key: team}\naccount-routes:\n  a: {namespaces: []}",
    "kai.yaml:7: account-routes.a: names no namespaces, so that nothing goes to this account by its route; list them in its key namespaces, or remove it"
)]
#[case::default_without_a_label(
    "account-route-by-namespace-label:\n  default-account: d",
    "kai.yaml:6: account-route-by-namespace-label.default-account: does nothing while account-route-by-namespace-label.key is empty; name the label there, or empty this key"
)]
#[case::ignored_without_a_label(
    "account-route-by-namespace-label:\n  ignore-missing-label: true",
    "kai.yaml:6: account-route-by-namespace-label.ignore-missing-label: does nothing while account-route-by-namespace-label.key is empty; name the label there, or empty this key"
)]
#[case::sample_name(
    "kubeconfig:\n  cluster: docker-desktop",
    "kai.yaml:6: kubeconfig.cluster: docker-desktop is the name in KAI's sample file; clusters with the same name overwrite each other in Anchore, so give each cluster its own with the key kubeconfig.cluster, the variable KAI_KUBECONFIG_CLUSTER or the flag --cluster-name"
)]
fn what_does_nothing_or_harm_is_warned_about(#[case] lines: &str, #[case] warning: &str) {
    assert_eq!(with(lines).warnings(), [warning]);
    assert_eq!(file(&format!("{TARGET}{lines}").replace("url: https://a", "url: ''")).warnings(), [""; 0]);
}

#[rstest]
#[case::authority_alone("  http: {ca-certificate: ca.pem}")]
#[case::insecure_alone("  http: {insecure: true}")]
#[case::default_account("account-routes: {admin: {namespaces: [a]}}")]
#[case::listed_twice_for_one("account-routes: {a: {namespaces: [n, n]}}")]
#[case::same_expression("account-routes: {a: {namespaces: [^n]}, b: {namespaces: [^n, n1]}}")]
#[case::credentials_for_labels(
    "account-route-by-namespace-label: {key: team}\naccount-routes: {a: {user: x, password: y}}"
)]
#[case::name("kubeconfig: {cluster: prod}")]
fn what_has_its_use_is_not_warned_about(#[case] lines: &str) {
    assert_eq!(with(lines).warnings(), [""; 0]);
}

#[test]
fn the_sample_name_is_warned_about_wherever_it_came_from() {
    let case = with("").flags(|flags| flags.cluster_name = Some("docker-desktop".to_owned()));
    assert!(case.warnings()[0].starts_with("flag --cluster-name: kubeconfig.cluster: docker-desktop is the name in"));
    let case = with("").variable("KAI_KUBECONFIG_CLUSTER", "docker-desktop").flags(|flags| flags.input = true);
    assert!(case.warnings()[0].starts_with("variable KAI_KUBECONFIG_CLUSTER: kubeconfig.cluster: docker-desktop"));
}

#[test]
fn the_message_on_a_missing_cluster_name_names_what_sets_it() {
    for name in
        ["kubeconfig.cluster:", "anchore.url", "KAI_KUBECONFIG_CLUSTER", "--cluster-name", "overwrite each other"]
    {
        assert!(NO_CLUSTER_NAME.contains(name), "{NO_CLUSTER_NAME}");
    }
    let case = with("").variable("KAI_KUBECONFIG_PATH", "use-in-cluster");
    assert_eq!(case.problems(), [format!("kai.yaml:2: {NO_CLUSTER_NAME}")]);
}

#[rstest]
#[case::nothing("", false)]
#[case::empty("anchore-registration: {registration-id: '', integration-name: ~}", false)]
#[case::enabled("anchore-registration: {enabled: true}", true)]
#[case::id("anchore-registration: {registration-id: x}", true)]
#[case::name("anchore-registration: {integration-name: x}", true)]
#[case::description("anchore-registration: {integration-description: x}", true)]
#[case::unset("anchore-registration: {enabled: , integration-name: x}", true)]
#[case::disabled("anchore-registration: {enabled: false, registration-id: x, integration-name: y}", false)]
fn registration_is_on_when_it_is_asked_for(#[case] text: &str, #[case] expected: bool) {
    let loaded = file(text).load();
    assert_eq!(loaded.settings.anchore.registration.enabled, expected);
    // What is printed says the same when it is read again.
    assert_eq!(anchore(&file(&loaded.to_yaml())).registration.enabled, expected);
}

#[test]
fn registration_keeps_what_was_written() {
    let text = "anchore-registration: {registration-id: i, integration-name: n}";
    let RegistrationSettings { enabled, registration_id, integration_name, integration_description } =
        anchore(&file(text)).registration;
    assert_eq!(
        (enabled, registration_id.as_deref(), integration_name.as_deref(), integration_description),
        (true, Some("i"), Some("n"), None)
    );
    let case = file(text).variable("KAI_ANCHORE_REGISTRATION_ENABLED", "false");
    assert!(!anchore(&case).registration.enabled);
}

#[test]
fn an_account_has_its_own_credentials_or_the_default_ones() {
    let routes = "account-routes:\n  a: {user: x, password: y, namespaces: [n]}\n  b: {namespaces: [m]}\n";
    let anchore = anchore(&with(routes));
    let of = |account: &str| {
        let AnchoreUser { user, password } = anchore.credentials(account).unwrap();
        (user.clone(), secret(password).to_owned())
    };
    assert_eq!(of("a"), ("x".to_owned(), "y".to_owned()));
    for account in ["b", "admin", "unknown"] {
        assert_eq!(of(account), ("u".to_owned(), "p".to_owned()), "{account}");
    }
}

#[rstest]
#[case("auto", true)]
#[case("kubernetes-inventory-v1", true)]
#[case("kubernetes-inventory-v2", true)]
#[case("inventories", false)]
fn what_is_sent_is_kept_while_reading(#[case] api: &str, #[case] objects: bool) {
    let rest = "metadata-collection: {nodes: {labels: [^zone]}, namespaces: {disable: true}, pods: {annotations: [^note]}}\n\
                account-route-by-namespace-label: {key: team}\n";
    let case = with(&format!("  api: {api}\n{rest}"));
    let detail = anchore(&case).detail();
    assert_eq!(detail.namespace_label.as_deref(), Some("team"));
    assert_eq!((detail.container_ids, detail.nodes.is_some()), (objects, objects));
    assert!(detail.namespace_objects, "their labels name accounts");
    assert_eq!(detail.pods.annotations.keeps("note"), objects);
    assert!(!detail.pods.annotations.keeps("other") && detail.namespaces.is_none());
    assert!(detail.nodes.is_none_or(|nodes| nodes.labels.keeps("zone") && !nodes.labels.keeps("arch")));

    let detail = anchore(&file(&format!("anchore: {{api: {api}}}\n{rest}"))).detail();
    assert!(!detail.namespace_objects && detail.pods.is_none() && detail.nodes.is_none());
}

#[test]
fn nodes_are_listed_even_when_nothing_of_their_metadata_is_kept() {
    let detail = anchore(&with("metadata-collection: {nodes: {disable: true}}\n")).detail();
    assert!(detail.nodes.is_some_and(|nodes| nodes.is_none()));
    assert!(nothing().load().settings.anchore.detail().nodes.is_none());
}
