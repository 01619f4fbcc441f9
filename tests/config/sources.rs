//! Where settings come from, and which source counts.

use std::time::Duration;

use kai::config::{Flags, Listen, Mode};
use kai::views::Format;
use rstest::rstest;

use crate::{file, nothing, secret};

#[test]
fn flags_cover_variables_cover_the_file_covers_the_defaults() {
    let case = nothing();
    assert_eq!(case.load().settings.output, Format::Json);
    assert_eq!(case.load().file, None);
    let case = file("output: table\npolling-interval-seconds: 7\n");
    assert_eq!(case.load().settings.output, Format::Table);
    let case = case.variable("KAI_OUTPUT", "csv").variable("KAI_POLLING_INTERVAL_SECONDS", "8");
    assert_eq!(case.load().settings.output, Format::Csv);
    let case = case.flags(|flags| flags.output = Some("JSON".to_owned()));
    let loaded = case.load();
    assert_eq!(loaded.settings.output, Format::Json);
    assert_eq!(loaded.settings.collection.interval, Duration::from_secs(8));
    assert_eq!(loaded.file, Some(case.path("kai.yaml")));
}

#[test]
fn the_images_own_listen_address_is_weaker_than_the_file() {
    let case = nothing().variable("KAI_SERVER_LISTEN_DEFAULT", "[::]:8080");
    assert_eq!(case.load().settings.server.listen, Listen::DualStack(8080));
    assert_eq!(case.warnings(), [""; 0]);
    case.write("kai.yaml", "server:\n  listen: none\n");
    assert_eq!(case.load().settings.server.listen, Listen::None);
    let case = case.variable("KAI_SERVER_LISTEN", ":9090");
    assert_eq!(case.load().settings.server.listen, Listen::DualStack(9090));
    let case = case.flags(|flags| flags.listen = Some("127.0.0.1:1".to_owned()));
    assert_eq!(case.load().settings.server.listen, Listen::Address(([127, 0, 0, 1], 1).into()));
}

#[test]
fn the_first_file_found_is_the_only_one_read() {
    let case = nothing().variable("XDG_CONFIG_HOME", "/nonexistent");
    let case = {
        let system = case.path("system").to_string_lossy().into_owned();
        case.variable("XDG_CONFIG_DIRS", &system)
    };
    let order = ["kai.yaml", ".kai.yaml", ".kai/config.yaml", "home/.kai.yaml", "system/kai/config.yaml"];
    for (index, path) in order.iter().enumerate().rev() {
        case.write(path, format!("polling-interval-seconds: {}\n", index + 1));
        let loaded = case.load();
        assert_eq!(loaded.file, Some(case.path(path)));
        assert_eq!(loaded.settings.collection.interval, Duration::from_secs(index as u64 + 1));
    }
    case.write("given.yaml", "polling-interval-seconds: 99\n");
    let case = case.flags(|flags| flags.config = Some("given.yaml".into()));
    assert_eq!(case.load().settings.collection.interval, Duration::from_secs(99));
    assert_eq!(case.load().file, Some("given.yaml".into()));
}

#[test]
fn the_users_config_folder_is_home_config_unless_said_otherwise() {
    let case = nothing();
    case.write("home/.config/kai/config.yaml", "output: csv");
    assert_eq!(case.load().settings.output, Format::Csv);
    let elsewhere = case.path("elsewhere").to_string_lossy().into_owned();
    let case = case.variable("XDG_CONFIG_HOME", &elsewhere);
    assert_eq!(case.load().file, None);
    case.write("elsewhere/kai/config.yaml", "output: table");
    assert_eq!(case.load().settings.output, Format::Table);
}

#[test]
fn a_folder_of_the_files_name_is_no_file() {
    let case = nothing();
    std::fs::create_dir(case.path("kai.yaml")).unwrap();
    case.write(".kai.yaml", "output: csv");
    assert_eq!(case.load().settings.output, Format::Csv);
}

#[rstest]
#[case::empty("")]
#[case::comments("# nothing\n")]
#[case::null("~")]
#[case::byte_order_mark("\u{feff}output: json\n")]
#[case::windows_lines("output: json\r\nquiet: false\r\n")]
#[case::end_marker("---\noutput: json\n...\n")]
fn harmless_files_load(#[case] text: &str) {
    assert_eq!(file(text).load().settings.output, Format::Json);
}

#[test]
fn the_case_of_keys_does_not_matter() {
    let loaded = file("Ignore-Not-Running: false\nANCHORE:\n  HTTP:\n    Timeout-Seconds: 3\n").load();
    assert!(!loaded.settings.report.ignore_not_running);
    assert_eq!(loaded.settings.anchore.http.timeout, Duration::from_secs(3));
}

#[test]
fn a_dotted_key_is_taken_as_kai_takes_it() {
    let loaded = file("anchore.http.timeout-seconds: 3\nlog.structured: true\n").load();
    assert_eq!(loaded.settings.anchore.http.timeout, Duration::from_secs(3));
    assert!(loaded.settings.log.structured);
}

#[test]
fn quoted_numbers_and_booleans_are_taken() {
    let settings =
        file("polling-interval-seconds: \"60\"\nquiet: 'true'\nignore-not-running: \"False\"\n").load().settings;
    assert_eq!(settings.collection.interval, Duration::from_mins(1));
    assert!(settings.quiet);
    assert!(!settings.report.ignore_not_running);
}

#[test]
fn a_key_without_a_value_is_unset() {
    let text = "output:\nquiet: ~\nlog:\n  level:\n  file:\nmode: null\npolling-interval-seconds: \"\"\nserver:\nnamespaces:\n";
    let settings = file(text).load().settings;
    assert_eq!(settings.output, Format::Json);
    assert_eq!(settings.mode, Mode::Adhoc);
    assert_eq!(settings.collection.interval, Duration::from_mins(5));
    assert_eq!(settings.server.listen, Listen::Address(([127, 0, 0, 1], 8080).into()));
}

#[test]
fn an_empty_variable_is_unset() {
    let case = file("mode: periodic\n").variable("KAI_MODE", "").variable("KAI_ANCHORE_URL", "");
    assert_eq!(case.load().settings.mode, Mode::Periodic);
    assert!(case.load().settings.anchore.push.is_none());
}

#[rstest]
#[case("a,b", &["a", "b"])]
#[case(" a , b ", &["a", "b"])]
#[case("[a, b]", &["a", "b"])]
#[case("[\"a\", 0123]", &["0123", "a"])]
#[case("[]", &[])]
fn a_list_in_a_variable_is_comma_separated_or_a_flow_list(#[case] text: &str, #[case] expected: &[&str]) {
    let loaded =
        file("namespace-selectors:\n  include: [z]\n").variable("KAI_NAMESPACE_SELECTORS_INCLUDE", text).load();
    assert_eq!(loaded.settings.selection.include_entries().collect::<Vec<_>>(), expected);
}

#[test]
fn an_expression_with_a_comma_fits_into_a_flow_list() {
    let case = nothing().variable("KAI_NAMESPACE_SELECTORS_EXCLUDE", "['^a{2,3}$', b]");
    let selection = case.load().settings.selection;
    assert!(selection.is_excluded("aaa") && selection.is_excluded("b") && !selection.is_excluded("a"));
}

#[test]
fn an_expression_in_brackets_is_no_flow_list() {
    let selection = nothing().variable("KAI_NAMESPACE_SELECTORS_EXCLUDE", "[0-9]+$").load().settings.selection;
    assert!(selection.is_excluded("team-7") && !selection.is_excluded("team"));
}

#[test]
fn every_flag_sets_its_key() {
    let case = nothing();
    case.write("config-of-kube", "");
    let case = case.flags(|flags| {
        *flags = Flags {
            kubeconfig: Some("config-of-kube".into()),
            context: Some("ctx".to_owned()),
            cluster_name: Some("prod".to_owned()),
            namespaces: vec!["a,b".to_owned(), "c".to_owned()],
            output: Some("table".to_owned()),
            quiet: true,
            mode: Some("periodic".to_owned()),
            polling_interval_seconds: Some("9".to_owned()),
            verbose_inventory_reports: true,
            ..Flags::default()
        };
    });
    let settings = case.load().settings;
    assert!(settings.quiet && settings.verbose_inventory_reports);
    assert_eq!((settings.output, settings.mode), (Format::Table, Mode::Periodic));
    assert_eq!(settings.collection.interval, Duration::from_secs(9));
    assert_eq!(settings.cluster.name.as_deref(), Some("prod"));
    assert_eq!(settings.cluster.context.as_deref(), Some("ctx"));
    assert_eq!(settings.selection.include_entries().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn passwords_stay_as_written() {
    for (written, expected) in [("0123", "0123"), ("no", "no"), ("1e3", "1e3"), ("'a $b'", "a $b"), ("true", "true")] {
        let case = file(&format!("anchore: {{url: https://a, user: 007, password: {written}}}\n"));
        let push = case.load().settings.anchore.push.unwrap();
        assert_eq!(push.credentials.user, "007");
        assert_eq!(secret(&push.credentials.password), expected);
    }
}

#[test]
fn a_variable_that_names_no_key_is_a_warning() {
    let case = nothing()
        .variable("KAI_ANCHORE_PASWORD", "x")
        .variable("KAI_SOMETHING", "x")
        .variable("KAI_DEV_PROFILE_CPU", "true")
        .variable("KAI_SERVICE_HOST", "10.0.0.1")
        .variable("KAI_SERVICE_PORT_HTTP", "80")
        .variable("KAI_PORT_80_TCP_ADDR", "10.0.0.1")
        .variable("OTHER", "x");
    let expected = [
        "variable KAI_ANCHORE_PASWORD: names no key; did you mean KAI_ANCHORE_PASSWORD?",
        "variable KAI_DEV_PROFILE_CPU: kai has no section dev any more; it is ignored, remove it",
        "variable KAI_SOMETHING: names no key; it is ignored; see `kai config` for the keys",
    ];
    assert_eq!(case.warnings(), expected);
}

#[test]
fn the_developers_section_of_kai_is_ignored_and_said() {
    let case = file("quiet: false\ndev:\n  profile-cpu: true\n");
    assert_eq!(case.warnings(), ["kai.yaml:2: dev: kai has no such section any more; it is ignored, remove it"]);
}
