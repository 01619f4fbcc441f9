//! `kai config`: what counts, and where it came from.

use proptest::prelude::*;

use crate::{file, nothing};

/// The line of a key, without its indentation.
fn line<'a>(text: &'a str, key: &str) -> &'a str {
    let start = format!("{key}: ");
    text.lines()
        .map(str::trim_start)
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("no {key} in\n{text}"))
}

#[test]
fn each_line_says_where_its_value_came_from() {
    let case = file("output: table\nnamespaces:\n  - a\n  - \"0\"\n")
        .variable("KAI_MODE", "periodic")
        .variable("KAI_SERVER_LISTEN_DEFAULT", ":8080")
        .flags(|flags| {
            flags.verbose = 2;
            flags.cluster_name = Some("prod: 1".to_owned());
        });
    let place = case.path("kai.yaml").display().to_string();
    let text = case.load().to_yaml();
    assert_eq!(text.lines().next(), Some(format!("# Read from {place}").as_str()));
    assert_eq!(line(&text, "output"), format!("output: table # {place}:1"));
    assert_eq!(line(&text, "namespaces"), format!("namespaces: [a, 0] # {place}:3"));
    assert_eq!(line(&text, "mode"), "mode: periodic # variable KAI_MODE");
    assert_eq!(line(&text, "listen"), "listen: \":8080\" # variable KAI_SERVER_LISTEN_DEFAULT");
    assert_eq!(line(&text, "level"), "level: trace # flag -v");
    assert_eq!(line(&text, "cluster"), "cluster: \"prod: 1\" # flag --cluster-name");
    assert_eq!(line(&text, "quiet"), "quiet: false # default");
    for line in text.lines().filter(|line| !line.ends_with(':')) {
        assert!(line.contains("# "), "no origin in {line}");
    }
}

#[test]
fn secrets_are_redacted_everywhere() {
    let case = file(
        "anchore:\n  url: https://a.example.com\n  user: me\n  password: $PASSWORD\nkubeconfig:\n  path: use-in-cluster\n  \
         cluster: prod\n  user:\n    token: hunter2-token\n    private-key: hunter2-key\naccount-routes:\n  team:\n    \
         user: u\n    password: hunter2-route\n",
    )
    .variable("PASSWORD", "hunter2-password");
    let loaded = case.load();
    let text = loaded.to_yaml();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!format!("{loaded:?}").contains("hunter2"));
    let place = case.path("kai.yaml").display().to_string();
    assert_eq!(line(&text, "password"), format!("password: \"[REDACTED]\" # {place}:4, from $PASSWORD"));
    assert_eq!(line(&text, "token"), format!("token: \"[REDACTED]\" # {place}:9"));
    assert_eq!(line(&text, "private-key"), format!("private-key: \"[REDACTED]\" # {place}:10"));
    assert_eq!(text.matches("[REDACTED]").count(), 4);
}

#[test]
fn what_is_printed_is_a_file_that_means_the_same() {
    let case = file(
        "log: {level: warning, file: \"/tmp/a b\"}\nmissing-tag-policy: {policy: insert, tag: \"\\t#\"}\nkubeconfig: {path: \
         use-in-cluster, cluster: \"true\"}\nnamespace-selectors: {include: [a, b], exclude: ['^x{1,2}$', y]}\n\
         server: {listen: '[::]:1', cors-origins: ['*']}\nanchore: {url: https://a, user: '012', password: p}\n\
         account-routes:\n  'Team: A': {user: u, password: p, namespaces: [a, ^b]}\n  empty:\n\
         metadata-collection: {pods: {labels: ['^app']}}\nkubernetes-request-timeout-seconds: -1\n",
    );
    let first = case.load();
    let again = file(&first.to_yaml()).load();
    let without_comments = |text: String| -> Vec<String> {
        text.lines().map(|line| line.split(" # ").next().unwrap_or_default().to_owned()).skip(1).collect()
    };
    assert_eq!(without_comments(again.to_yaml()), without_comments(first.to_yaml()));
    assert_eq!(again.settings.selection.include_entries().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(again.settings.anchore.account_routes.keys().collect::<Vec<_>>(), ["Team: A", "empty"]);
    assert!(!again.settings.anchore.metadata.pods.labels.keeps("nothing-of-the-kind"));
}

#[test]
fn the_defaults_are_printed_whole() {
    insta::assert_snapshot!(nothing().load().to_yaml());
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    let text = nothing().load().to_yaml();
    let again = file(&text).load();
    assert_eq!(again.warnings, [""; 0]);
    assert!(again.to_yaml().lines().count() >= 80);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_password_is_ever_shown(text in "\\PC{0,12}", broken in any::<bool>()) {
        let password = format!("s3cr3t{text}");
        let quoted = serde_json::to_string(&password).unwrap();
        let case = file(&format!(
            "anchore: {{url: 'https://a', user: u, password: {quoted}}}\nkubeconfig: {{path: use-in-cluster, cluster: c, user: {{token: {quoted}, private-key: \
             {quoted}}}}}\naccount-routes: {{a: {{user: u, password: {quoted}}}}}\nmode: {}\n",
            if broken { "hourly" } else { "adhoc" }
        ));
        let shown = match case.try_load() {
            Ok(loaded) => format!("{loaded:?}{}", loaded.to_yaml()),
            Err(errors) => errors.to_string(),
        };
        prop_assert!(!shown.contains("s3cr3t"), "{}", shown);
    }
}
