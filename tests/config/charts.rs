//! Configurations as the charts of KAI and its successor write them: many keys without a value, credentials by name.

use std::time::Duration;

use kai::config::{KubeconfigSource, Mode};
use rstest::rstest;

use crate::{file, secret};

/// KAI's keys, as a chart with nearly empty values fills them.
const OLD_CHART: &str = "\
output: json
quiet: false
log:
  structured: false
  level:
  file:
kubeconfig:
  path: use-in-cluster
  cluster: docker-desktop
  cluster-cert:
  server:
  user:
    type:
    client-cert:
    private-key:
    token:
namespaces:
  - all
namespace-selectors:
  include: []
  exclude:
kubernetes-request-timeout-seconds:
kubernetes:
  request-timeout-seconds: 60
  request-batch-size: 100
  worker-pool-size: 100
mode: periodic
polling-interval-seconds: 60
missing-tag-policy:
  policy: digest
  tag: UNKNOWN
ignore-not-running: true
anchore:
  url:
  user: admin
  password: $KAI_ANCHORE_PASSWORD
  account: admin
  http:
    insecure: true
    timeout-seconds: 10
verbose-inventory-reports: false
";

/// The successor's, with its additions.
const NEW_CHART: &str = "\
output: json
quiet: \"false\"
log:
  structured: false
  level: \"info\"
  file: \"\"
kubeconfig:
  path: \"use-in-cluster\"
  cluster: \"staging\"
  cluster-cert: \"\"
  server: \"\"
  user:
    type: \"\"
    client-cert: \"\"
    private-key: \"\"
    token: \"\"
anchore-registration:
  registration-id: \"\"
  integration-name: \"\"
  integration-description: \"\"
health-report-interval-seconds: 60
namespace-selectors:
  include: []
  exclude: []
  ignore-empty: false
account-routes:
  team-a:
    user: a
    password: ${TEAM_A_PASSWORD}
    namespaces:
      - team-a
      - ^team-a-
account-route-by-namespace-label:
  key:
  default-account: admin
  ignore-namespace-missing-label: false
kubernetes:
  request-timeout-seconds: \"60\"
  request-batch-size: 100
  worker-pool-size: 100
mode: periodic
polling-interval-seconds: 300
missing-registry-override: \"\"
missing-tag-policy:
  policy: \"digest\"
  tag: \"UNKNOWN\"
ignore-not-running: true
inventory-report-limits:
  namespaces: 0
  payload-threshold-bytes: 0
metadata-collection:
  nodes:
    include-annotations: []
    include-labels:
    disable: false
  namespaces:
    annotations: []
    labels: [^app]
    disable: false
  pods:
    disable: true
anchore:
  url: https://anchore.example.com
  user: admin
  password: $KAI_ANCHORE_PASSWORD
  account: admin
  http:
    insecure: false
    timeout-seconds: 10
verbose-inventory-reports: false
";

#[test]
fn the_old_chart_without_a_url_pushes_nothing_and_warns_of_nothing() {
    let loaded = file(OLD_CHART).load();
    assert_eq!(loaded.warnings, [""; 0]);
    let settings = loaded.settings;
    assert!(settings.anchore.push.is_none());
    assert!(matches!(settings.cluster.source, KubeconfigSource::InCluster));
    assert_eq!(settings.mode, Mode::Periodic);
    assert_eq!(settings.cluster.page_size, 100);
    assert_eq!(settings.selection.included(), None);
    assert_eq!(settings.collection.cycle_timeout, Duration::from_mins(5));
}

#[test]
fn the_old_chart_with_a_url_warns_of_the_samples_cluster_name() {
    let text = OLD_CHART.replace("  url:\n", "  url: https://anchore.example.com\n");
    let case = file(&text).variable("KAI_ANCHORE_PASSWORD", "$ecret");
    let expected = [
        "kai.yaml:9: kubeconfig.cluster: docker-desktop is the name in KAI's sample file; clusters with the same name overwrite each other in Anchore, so give each cluster its own with the key kubeconfig.cluster, the variable \
         KAI_KUBECONFIG_CLUSTER or the flag --cluster-name",
    ];
    assert_eq!(case.warnings(), expected);
    let push = case.load().settings.anchore.push.unwrap();
    assert_eq!(secret(&push.credentials.password), "$ecret");
    assert!(!format!("{push:?}").contains("$ecret"));
}

#[test]
fn the_new_chart_is_read_whole() {
    let case = file(NEW_CHART).variable("KAI_ANCHORE_PASSWORD", "p").variable("TEAM_A_PASSWORD", "a");
    let loaded = case.load();
    let expected = "kai.yaml:35: account-route-by-namespace-label.default-account: does nothing while \
                    account-route-by-namespace-label.key is empty; name the label there, or empty this key";
    assert_eq!(case.warnings(), [expected]);
    let anchore = loaded.settings.anchore;
    let route = &anchore.account_routes["team-a"];
    assert_eq!(secret(&route.credentials.as_ref().unwrap().password), "a");
    assert!(!anchore.registration.enabled);
    assert!(route.namespaces[0].matches("team-a") && !route.namespaces[0].matches("team-a-b"));
    assert!(route.namespaces[1].matches("team-a-b"));
    assert!(anchore.route_by_label.is_none());
    assert_eq!(anchore.namespaces_per_report, None);
    assert!(!anchore.metadata.namespaces.labels.keeps("nothing-of-the-kind"));
    assert!(anchore.metadata.pods.is_none() && !anchore.metadata.nodes.is_none());
}

#[test]
fn the_new_chart_without_its_secrets_names_each_of_them() {
    let expected = [
        "kai.yaml:29: account-routes.team-a.password: the variable TEAM_A_PASSWORD that it names is not set or is empty; \
         set it; an account has its own user and password, or neither",
        "kai.yaml:65: anchore.password: the variable KAI_ANCHORE_PASSWORD that it names is not set or is empty; set it, or \
         name a file with it in anchore.password-file, or empty anchore.url to push nothing",
    ];
    assert_eq!(file(NEW_CHART).problems(), expected);
}

#[rstest]
#[case::old(OLD_CHART)]
#[case::new(NEW_CHART)]
fn every_value_of_a_chart_may_be_left_out(#[case] chart: &str) {
    let emptied: String = chart
        .lines()
        .filter(|line| !line.trim_start().starts_with("- "))
        .map(|line| format!("{}:\n", line.split(':').next().unwrap_or_default()))
        .collect::<Vec<_>>()
        .concat();
    let loaded = file(&emptied).load();
    assert_eq!(loaded.warnings, [""; 0]);
    assert!(matches!(loaded.settings.cluster.source, KubeconfigSource::Search));
}
