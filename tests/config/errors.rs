//! Every problem with its exact message: where, the key, the value, and what is allowed.

use rstest::rstest;

use crate::{file, nothing};

#[rstest]
#[case::unknown_key("quite: true", "kai.yaml:1: unknown key `quite`; did you mean `quiet`?")]
#[case::camel_case(
    "\nignoreNotRunning: true",
    "kai.yaml:2: unknown key `ignoreNotRunning`; did you mean `ignore-not-running`?"
)]
#[case::unknown_below(
    "anchore:\n  pasword: hunter2",
    "kai.yaml:2: unknown key `anchore.pasword`; did you mean `anchore.password`?"
)]
#[case::known_ones_listed(
    "log:\n  colour: x",
    "kai.yaml:2: unknown key `log.colour`; known keys of `log` are structured, level, file"
)]
#[case::wrong_section("exclude: [a]", "kai.yaml:1: unknown key `exclude`; did you mean `namespace-selectors.exclude`?")]
#[case::push_key(
    "anchore:\n  version: v2",
    "kai.yaml:2: unknown key `anchore.version`; known keys of `anchore` are url, user, password, password-file, account, api, push-when, push-min-interval-seconds, push-incomplete, http"
)]
#[case::key_of_the_server(
    "server:\n  auth: {token: a}",
    "kai.yaml:2: unknown key `server.auth`; known keys of `server` are listen, probe-listen, request-timeout-seconds, max-concurrent-requests, shutdown-timeout-seconds, cache-max-bytes, cors-origins, allowed-hosts, tls"
)]
#[case::later_key(
    "collection:\n  page: 500",
    "kai.yaml:2: unknown key `collection.page`; known keys of `collection` are method, cycle-timeout-seconds, verify-interval-seconds, stale-after-seconds"
)]
#[case::route_key(
    "account-routes:\n  a:\n    pass: hunter2",
    "kai.yaml:3: unknown key `account-routes.a.pass`; known keys of `account-routes.a` are user, password, namespaces"
)]
#[case::route_typo(
    "account-routes:\n  a:\n    namespace: [x]",
    "kai.yaml:3: unknown key `account-routes.a.namespace`; did you mean `account-routes.a.namespaces`?"
)]
#[case::control_characters("\"a\\e[31m\\nb\": 1\nquiet: false", "kai.yaml:1: unknown key `a\\u{1b}[31m\\nb`; ")]
fn an_unknown_key_is_refused(#[case] text: &str, #[case] message: &str) {
    let problems = file(text).problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0] == message || (message.ends_with("; ") && problems[0].starts_with(message)), "{}", problems[0]);
}

#[rstest]
#[case::number(
    "polling-interval-seconds: soon",
    "kai.yaml:1: polling-interval-seconds: \"soon\" is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case::unit(
    "polling-interval-seconds: 30s",
    "kai.yaml:1: polling-interval-seconds: \"30s\" is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case::fraction(
    "polling-interval-seconds: 1.5",
    "kai.yaml:1: polling-interval-seconds: \"1.5\" is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case::zero(
    "polling-interval-seconds: 0",
    "kai.yaml:1: polling-interval-seconds: \"0\" is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case::negative(
    "server: {cache-max-bytes: -1}",
    "kai.yaml:1: server.cache-max-bytes: \"-1\" is not valid; write a whole number, 0 or more"
)]
#[case::plain_number(
    "kubernetes: {worker-pool-size: x}",
    "kai.yaml:1: kubernetes.worker-pool-size: \"x\" is not valid; write a whole number from 1 to 4294967295"
)]
#[case::health_low(
    "health-report-interval-seconds: 29",
    "kai.yaml:1: health-report-interval-seconds: \"29\" is not valid; write a whole number of seconds from 30 to 600, without a unit"
)]
#[case::health_high(
    "health-report-interval-seconds: 601",
    "kai.yaml:1: health-report-interval-seconds: \"601\" is not valid; write a whole number of seconds from 30 to 600, without a unit"
)]
#[case::boolean("quiet: maybe", "kai.yaml:1: quiet: \"maybe\" is not valid; write true or false")]
#[case::output("output: xml", "kai.yaml:1: output: \"xml\" is not valid; write one of json, table, csv")]
#[case::mode("mode: hourly", "kai.yaml:1: mode: \"hourly\" is not valid; write one of adhoc, periodic")]
#[case::level(
    "log:\n  level: loud",
    "kai.yaml:2: log.level: \"loud\" is not valid; write one of trace, debug, info, warn, warning, error, panic, fatal"
)]
#[case::policy(
    "missing-tag-policy:\n  policy: guess",
    "kai.yaml:2: missing-tag-policy.policy: \"guess\" is not valid; write one of digest, insert, drop"
)]
#[case::user_type(
    "kubeconfig: {server: https://a, user: {type: cookie}}",
    "kai.yaml:1: kubeconfig.user.type: \"cookie\" is not valid; write one of private_key, token"
)]
#[case::list_for_text("anchore:\n  url: [a]", "kai.yaml:2: anchore.url: a list is not valid; write a text")]
#[case::map_for_number(
    "polling-interval-seconds: {a: 1}",
    "kai.yaml:1: polling-interval-seconds: a map is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case::map_for_list(
    "namespaces: {a: b}",
    "kai.yaml:1: namespaces: is a map, an older form of KAI; write its lists include and exclude under `namespace-selectors`, as namespace-selectors.include and namespace-selectors.exclude, or a list of names here"
)]
#[case::map_for_secret(
    "anchore: {password: {a: hunter2}}",
    "kai.yaml:1: anchore.password: a map is not valid; write a text"
)]
#[case::map_as_entry(
    "namespaces:\n  - a\n  - {b: c}",
    "kai.yaml:3: namespaces: a map is not a valid entry; write text"
)]
#[case::text_for_section(
    "anchore: hunter2",
    "kai.yaml:1: anchore: is a section, not a text; its keys are url, user, password, password-file, account, api, push-when, push-min-interval-seconds, push-incomplete, http"
)]
#[case::list_for_section("log: []", "kai.yaml:1: log: is a section, not a list; its keys are structured, level, file")]
#[case::list_for_routes(
    "account-routes: [a]",
    "kai.yaml:1: account-routes: a list is not valid; write accounts, each with user, password, namespaces"
)]
#[case::text_for_route(
    "account-routes:\n  a: b",
    "kai.yaml:2: account-routes.a: a text is not valid; its keys are user, password, namespaces"
)]
#[case::set_twice(
    "mode: adhoc\nquiet: true\nmode: periodic",
    "kai.yaml:3: mode: is set twice, here and in line 1; keep one"
)]
#[case::set_twice_by_case("mode: adhoc\nMode: adhoc", "kai.yaml:2: mode: is set twice, here and in line 1; keep one")]
#[case::set_twice_below(
    "log:\n  level: info\n  level: warn",
    "kai.yaml:3: log.level: is set twice, here and in line 2; keep one"
)]
#[case::set_twice_in_two_forms(
    "log.level: info\nlog: {level: warn}",
    "kai.yaml:2: log.level: is set twice, here and at kai.yaml:1; keep one"
)]
#[case::two_names(
    "account-route-by-namespace-label:\n  ignore-missing-label: true\n  ignore-namespace-missing-label: false",
    "kai.yaml:3: account-route-by-namespace-label.ignore-namespace-missing-label: is another name of account-route-by-namespace-label.ignore-missing-label, which kai.yaml:2 sets otherwise; keep one"
)]
#[case::escaped(
    "mode: \"a\\e[2J\\nb\"",
    "kai.yaml:1: mode: \"a\\u{1b}[2J\\nb\" is not valid; write one of adhoc, periodic"
)]
fn a_value_of_the_wrong_kind_is_refused(#[case] text: &str, #[case] message: &str) {
    assert_eq!(file(text).problems(), [message]);
}

#[rstest]
#[case::exclude(
    "namespace-selectors:\n  exclude:\n    - ok\n    - ^(kube",
    "kai.yaml:4: namespace-selectors.exclude: \"^(kube\" is neither a name nor a regular expression: unclosed group; correct it"
)]
#[case::star(
    "namespace-selectors: {exclude: ['*']}",
    "kai.yaml:1: namespace-selectors.exclude: \"*\" is neither a name nor a regular expression: repetition operator missing expression; correct it"
)]
#[case::empty_exclude(
    "namespace-selectors:\n  exclude:\n    - ''",
    "kai.yaml:3: namespace-selectors.exclude: an empty entry selects nothing; remove it"
)]
#[case::null_exclude(
    "namespace-selectors:\n  exclude:\n    - a\n    -",
    "kai.yaml:4: namespace-selectors.exclude: an empty entry selects nothing; remove it"
)]
#[case::empty_include(
    "namespace-selectors: {include: ['']}",
    "kai.yaml:1: namespace-selectors.include: an empty entry selects nothing; remove it"
)]
#[case::include_expression(
    "namespace-selectors:\n  include: [^kube-.*]",
    "kai.yaml:2: namespace-selectors.include: \"^kube-.*\" is not a valid namespace name (lower-case letters, digits and -, at most 63); write exact names, expressions only work in namespace-selectors.exclude"
)]
#[case::old_form(
    "namespaces: [Upper]",
    "kai.yaml:1: namespaces: \"Upper\" is not a valid namespace name (lower-case letters, digits and -, at most 63); write exact names, expressions only work in namespace-selectors.exclude"
)]
#[case::route(
    "account-routes:\n  a:\n    namespaces: [ok, 'x[']",
    "kai.yaml:3: account-routes.a.namespaces: \"x[\" is neither a name nor a regular expression: unclosed character class; correct it"
)]
#[case::labels(
    "metadata-collection:\n  pods:\n    include-labels: ['(']",
    "kai.yaml:3: metadata-collection.pods.include-labels: \"(\" is not a regular expression: unclosed group; correct it"
)]
#[case::annotations(
    "metadata-collection:\n  nodes:\n    annotations: ['']",
    "kai.yaml:3: metadata-collection.nodes.include-annotations: an empty entry selects nothing; remove it"
)]
#[case::tag(
    "missing-tag-policy: {policy: insert, tag: ''}",
    "kai.yaml:1: missing-tag-policy.tag: is empty, and missing-tag-policy.policy is insert; write the tag to insert, or the policy digest or drop"
)]
#[case::override_scheme(
    "missing-registry-override: https://r.example.com",
    "kai.yaml:1: missing-registry-override: \"https://r.example.com\" has a scheme; write a registry, for example registry.example.com:5000"
)]
#[case::override_space(
    "missing-registry-override: 'a b'",
    "kai.yaml:1: missing-registry-override: \"a b\" has a space or control character in it; write a registry, for example registry.example.com:5000"
)]
#[case::override_slash(
    "missing-registry-override: /",
    "kai.yaml:1: missing-registry-override: \"/\" has an empty name before or after a slash; write a registry, for example registry.example.com:5000"
)]
#[case::listen(
    "server:\n  listen: '8080'",
    "kai.yaml:2: server.listen: \"8080\" is not a listen address; write an IP address with a port, for example 127.0.0.1:8080, :8080 for every address, or none"
)]
#[case::cors(
    "server:\n  cors-origins:\n    - https://a.example.com/x",
    "kai.yaml:3: server.cors-origins: \"https://a.example.com/x\" is not an origin; write, for example, https://dashboard.example.com or http://localhost:3000, without a path, or * alone"
)]
#[case::allowed_hosts(
    "server:\n  allowed-hosts: ['kai.example.com:8080']",
    "kai.yaml:2: server.allowed-hosts: \"kai.example.com:8080\" is no host name; write one as in kai.example.com, without a scheme, a port or a path"
)]
#[case::cors_star(
    "server:\n  cors-origins: ['*', 'https://a']",
    "kai.yaml:2: server.cors-origins: \"*\" means every origin and must be the only entry; remove it or the others"
)]
#[case::url(
    "anchore: {url: a.example.com, user: u, password: p}",
    "kai.yaml:1: anchore.url: \"a.example.com\" has no scheme http or https; write a URL, for example https://anchore.example.com"
)]
#[case::url_with_password(
    "anchore: {url: 'https://me:hunter2@a', user: u, password: p}",
    "kai.yaml:1: anchore.url: has an @, and a URL must not have a user or password in it; write them to their own keys"
)]
#[case::path(
    "kubeconfig:\n  path: ./nowhere",
    "kai.yaml:2: kubeconfig.path: \"./nowhere\" does not exist; write the path of a kubeconfig, or use-in-cluster for the service account of the pod"
)]
#[case::path_below_home(
    "kubeconfig:\n  path: ~/nowhere",
    "kai.yaml:2: kubeconfig.path: \"~/nowhere\" does not exist; write the path of a kubeconfig, or use-in-cluster for the service account of the pod"
)]
#[case::path_is_a_folder(
    "kubeconfig:\n  path: .",
    "kai.yaml:2: kubeconfig.path: \".\" is a folder; write the path of a kubeconfig, or use-in-cluster for the service account of the pod"
)]
#[case::no_cluster_name(
    "kubeconfig: {path: use-in-cluster}\nanchore: {url: 'https://a', user: u, password: p}",
    "kai.yaml:2: kubeconfig.cluster: is empty, and nothing else names the cluster, but anchore.url is set: clusters with the same name overwrite each other in Anchore; name this cluster with the key kubeconfig.cluster, the variable KAI_KUBECONFIG_CLUSTER or the flag --cluster-name"
)]
fn a_value_that_cannot_work_is_refused(#[case] text: &str, #[case] message: &str) {
    assert_eq!(file(text).problems(), [message]);
}

#[rstest]
#[case::list("- a\n- b\n", "kai.yaml:1: the file is a list; write keys with values, such as `output: json`")]
#[case::scalar("\nhello\n", "kai.yaml:2: the file is a text; write keys with values, such as `output: json`")]
#[case::two_documents(
    "mode: adhoc\n---\nquiet: true\n",
    "kai.yaml:3: the file has more than one YAML document; write all settings in one, without a line `---` between them"
)]
#[case::tab("log:\n\tlevel: info\n", "kai.yaml:2: not YAML: ")]
#[case::unclosed("namespaces: [a, b\nmode: adhoc\n", "kai.yaml:2: not YAML: ")]
#[case::unknown_anchor("mode: *x\n", "kai.yaml:1: not YAML: ")]
#[case::list_as_key("? [a]\n: b\n", "kai.yaml:1: not YAML: ")]
#[case::deep("a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", "kai.yaml:1: not YAML: ")]
fn a_file_that_is_no_map_of_keys_is_refused_with_its_line(#[case] text: &str, #[case] message: &str) {
    let problems = file(text).problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let matches = if message.ends_with(": ") {
        problems[0].starts_with(message) && problems[0].len() > message.len()
    } else {
        problems[0] == message
    };
    assert!(matches, "{}", problems[0]);
}

#[test]
fn a_syntax_error_shows_no_line_of_the_file() {
    for text in [
        "anchore:\n  password: \"hunter2\n",
        "anchore:\n  password: hunter2: x\n",
        "password: !!int hunter2",
        "anchore: {password: *hunter2x",
    ] {
        let problems = file(text).problems();
        assert!(!problems[0].contains("password"), "{}", problems[0]);
    }
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let case = nothing();
    case.write("kai.yaml", b"output: \xff\n");
    assert_eq!(case.problems(), ["the configuration file \"kai.yaml\" is not UTF-8 text (byte 9); save it as UTF-8"]);
    case.write("kai.yaml", vec![b'#'; (4 << 20) + 1]);
    assert_eq!(
        case.problems(),
        ["the configuration file \"kai.yaml\" is larger than 4194304 bytes; this is no configuration file"]
    );
}

#[test]
fn the_file_of_the_flag_must_be_there() {
    let case = file("mode: periodic").flags(|flags| flags.config = Some("missing.yaml".into()));
    assert_eq!(case.problems(), ["flag --config: \"missing.yaml\" does not exist; give the path of a YAML file"]);
    let case = case.flags(|flags| flags.config = Some(".".into()));
    assert_eq!(case.problems(), ["flag --config: \".\" is a folder; give the path of a YAML file in it"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let case = nothing();
    // Unreadable for root too.
    std::os::unix::fs::symlink("kai.yaml", case.path("kai.yaml")).unwrap();
    let problems = case.problems();
    assert!(problems[0].starts_with("the configuration file \"kai.yaml\" cannot be read: "), "{}", problems[0]);
}

#[test]
fn all_problems_are_listed_at_once_in_the_files_order() {
    let case =
        file("mode: hourly\nquite: true\nanchore:\n  url: ftp://a\n  http:\n    insecure: 2\nserver:\n  listen: x\n")
            .variable("KAI_POLLING_INTERVAL_SECONDS", "soon")
            .flags(|flags| flags.output = Some("xml".to_owned()));
    let expected = [
        "kai.yaml:1: mode: \"hourly\" is not valid; write one of adhoc, periodic",
        "kai.yaml:2: unknown key `quite`; did you mean `quiet`?",
        "kai.yaml:4: anchore.url: \"ftp://a\" has no scheme http or https; write a URL, for example https://anchore.example.com",
        "kai.yaml:4: anchore.user: is not set; set it in the file or by the variable KAI_ANCHORE_USER, or empty \
         anchore.url to push nothing",
        "kai.yaml:4: anchore.password: is not set; set it in the file or by the variable KAI_ANCHORE_PASSWORD, or name a \
         file with it in anchore.password-file, or empty anchore.url to push nothing",
        "kai.yaml:6: anchore.http.insecure: \"2\" is not valid; write true or false",
        "kai.yaml:8: server.listen: \"x\" is not a listen address; write an IP address with a port, for example \
         127.0.0.1:8080, :8080 for every address, or none",
        "variable KAI_POLLING_INTERVAL_SECONDS: polling-interval-seconds: \"soon\" is not valid; write a whole number of \
         seconds from 1 to 4294967295, without a unit",
        "flag --output: output: \"xml\" is not valid; write one of json, table, csv",
    ];
    assert_eq!(case.problems(), expected);
}

#[test]
fn a_long_value_is_cut() {
    let problems = file(&format!("mode: {}\n", "x".repeat(500))).problems();
    let shown = "x".repeat(200);
    assert_eq!(
        problems,
        [format!("kai.yaml:1: mode: \"{shown}… (300 more characters)\" is not valid; write one of adhoc, periodic")]
    );
}

#[rstest]
#[case("KAI_QUIET", "maybe", "variable KAI_QUIET: quiet: \"maybe\" is not valid; write true or false")]
#[case("KAI_MODE", "hourly", "variable KAI_MODE: mode: \"hourly\" is not valid; write one of adhoc, periodic")]
#[case(
    "KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS",
    "x",
    "variable KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS: kubernetes.request-timeout-seconds: \"x\" is not valid; write a whole number of seconds from 1 to 4294967295, without a unit"
)]
#[case("KAI_NAMESPACES", "a,,b", "variable KAI_NAMESPACES: namespaces: an empty entry selects nothing; remove it")]
#[case(
    "KAI_NAMESPACES",
    "[a: b]",
    "variable KAI_NAMESPACES: namespaces: \"[a: b]\" is not a YAML list (an entry is not text); write [a, b] or a,b"
)]
#[case(
    "KAI_SERVER_LISTEN_DEFAULT",
    "x",
    "variable KAI_SERVER_LISTEN_DEFAULT: server.listen: \"x\" is not a listen address; write an IP address with a port, for example 127.0.0.1:8080, :8080 for every address, or none"
)]
fn a_wrong_variable_is_refused_by_its_name(#[case] name: &str, #[case] value: &str, #[case] message: &str) {
    assert_eq!(nothing().variable(name, value).problems(), [message]);
}

#[test]
fn wrong_flags_are_refused_by_their_names() {
    let case = nothing().flags(|flags| {
        flags.mode = Some(String::new());
        flags.polling_interval_seconds = Some("5m".to_owned());
        flags.listen = Some("x".to_owned());
        flags.kubeconfig = Some("nowhere".into());
        flags.namespaces = vec!["a,".to_owned()];
    });
    let expected = [
        "flag --mode: mode: \"\" is not valid; write one of adhoc, periodic",
        "flag --polling-interval-seconds: polling-interval-seconds: \"5m\" is not valid; write a whole number of seconds \
         from 1 to 4294967295, without a unit",
        "flag --kubeconfig: kubeconfig.path: \"nowhere\" does not exist; write the path of a kubeconfig, or \
         use-in-cluster for the service account of the pod",
        "flag --namespaces: namespace-selectors.include: an empty entry selects nothing; remove it",
        "flag --listen: server.listen: \"x\" is not a listen address; write an IP address with a port, for example \
         127.0.0.1:8080, :8080 for every address, or none",
    ];
    assert_eq!(case.problems(), expected);
}

#[test]
fn flags_that_cannot_go_together_are_refused() {
    let case = file("log:\n  level: info\n").flags(|flags| flags.verbose = 1);
    assert_eq!(case.problems(), ["flag -v: cannot be given while kai.yaml:2 sets log.level; leave one of them out"]);

    let case = nothing().variable("KAI_LOG_LEVEL", "warn").flags(|flags| flags.verbose = 2);
    assert_eq!(
        case.problems(),
        ["flag -v: cannot be given while variable KAI_LOG_LEVEL sets log.level; leave one of them out"]
    );

    let case = nothing().flags(|flags| (flags.verbose, flags.quiet) = (1, true));
    assert_eq!(case.problems(), ["flag -v: cannot be given together with -q; leave one of them out"]);

    let case = nothing().flags(|flags| {
        flags.input = true;
        flags.kubeconfig = Some("nowhere".into());
        flags.context = Some("c".to_owned());
        flags.impersonation.user = Some("jane".to_owned());
        flags.impersonation.groups = vec!["ops".to_owned()];
        flags.impersonation.uid = Some("7".to_owned());
    });
    let expected = ["--kubeconfig", "--context", "--as", "--as-group", "--as-uid"].map(|flag| {
        format!("flag --input: reads a saved dump and asks no cluster, so {flag} has no meaning; leave one of them out")
    });
    assert_eq!(case.problems(), expected);

    let case = file("kubeconfig: {path: use-in-cluster}").flags(|flags| flags.context = Some("c".to_owned()));
    assert_eq!(
        case.problems(),
        ["flag --context: names a context of a kubeconfig, but kubeconfig.path (kai.yaml:1) is use-in-cluster; give \
          --kubeconfig too, or leave --context out"]
    );
}
