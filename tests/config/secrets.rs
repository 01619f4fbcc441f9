//! Secrets are shown nowhere: not by what prints the settings, and not by what is said about broken ones.

use proptest::prelude::*;
use rstest::rstest;

use crate::{Case, file};

/// In every secret of [`WHOLE`], and nowhere else.
const MARK: &str = "s3cr3t";

/// A secret in each place that takes one.
const WHOLE: &str = "\
history:
  postgres:
    url: postgres://kai:s3cr3t-url@db.example.com/kai?sslmode=disable
kubeconfig:
  path: use-in-cluster
  cluster: prod
  user:
    token: s3cr3t-token
    private-key: s3cr3t-key
anchore:
  url: https://a.example.com
  user: me
  password: s3cr3t-password
  http:
    insecure: true
    ca-certificate: |
      -----BEGIN CERTIFICATE-----
      s3cr3t+authority
      -----END CERTIFICATE-----
    client-certificate: |
      -----BEGIN PRIVATE KEY-----
      s3cr3t+key+beside+its+certificate
      -----END PRIVATE KEY-----
    client-key: |
      -----BEGIN PRIVATE KEY-----
      s3cr3t+client+key
      -----END PRIVATE KEY-----
    proxy: http://me:s3cr3t-proxy@proxy.example.com:3128
account-routes:
  a: {user: x, password: s3cr3t-route, namespaces: [n]}
  b: {user: y, password: $NAMED, namespaces: []}
";

fn case(text: &str) -> Case {
    file(text).variable("NAMED", "s3cr3t-named")
}

/// Everything that a user can come to see of the settings.
fn shown(case: &Case) -> String {
    match case.try_load() {
        Ok(loaded) => {
            format!("{loaded:?}\n{:#?}\n{}\n{}", loaded.settings, loaded.warnings.join("\n"), loaded.to_yaml())
        }
        Err(errors) => format!("{errors:?}\n{errors}"),
    }
}

#[test]
fn right_settings_show_no_secret() {
    let case = case(WHOLE);
    assert_eq!(case.load().warnings.len(), 2);
    let shown = shown(&case);
    assert!(!shown.contains(MARK), "{shown}");
    assert!(shown.contains("proxy: \"http://[REDACTED]@proxy.example.com:3128\" # "), "{shown}");
    for key in ["token", "private-key", "password", "ca-certificate", "client-certificate", "client-key"] {
        assert!(shown.contains(&format!("{key}: \"[REDACTED]\" # ")), "{key} in {shown}");
    }
    assert!(shown.contains("url: \"postgres://kai:[REDACTED]@db.example.com/kai?sslmode=disable\" # "), "{shown}");
    assert!(shown.contains("from $NAMED"), "{shown}");
}

#[test]
fn a_path_and_a_proxy_without_a_user_are_shown() {
    let text = file(
        "anchore: {password-file: /etc/kai/password, http: {ca-certificate: /ca.pem, client-certificate: a.pem, client-key: \
         /key.pem, proxy: 'socks5://proxy:1080'}}",
    )
    .load()
    .to_yaml();
    for line in [
        "password-file: /etc/kai/password #",
        "ca-certificate: /ca.pem #",
        "client-certificate: a.pem #",
        "client-key: /key.pem #",
        "proxy: \"socks5://proxy:1080\" #",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
}

/// Each edit breaks the settings in one way.
#[rstest]
#[case::elsewhere("path: use-in-cluster", "path: /nowhere")]
#[case::url("url: https://a.example.com", "url: https://me:s3cr3t-url@a.example.com")]
#[case::no_user("user: me\n", "user: $NOTHING\n")]
#[case::two_passwords("  user: me", "  user: me\n  password-file: /p")]
#[case::password_as_a_map("password: s3cr3t-password", "password: {s3cr3t-password: x}")]
#[case::misspelt_password("password: s3cr3t-password", "pasword: s3cr3t-password")]
#[case::password_a_level_up("  url: https://a.example.com", "  url: https://a.example.com\nlog: s3cr3t-password")]
#[case::key_in_base64("client-key: |\n", "client-key: LS0tLS1CRUdJTis3cr3t\n    x: |\n")]
#[case::key_in_bare_base64(
    "client-key: |\n",
    "client-key: MC4CAQAwBQYDK2VwBCIEIJ0Jg4pQ8Nq2u1fXxqQvO0mH5S9wq0JmYc8rs3cr3t00\n    x: |\n"
)]
#[case::folded_key("client-key: |\n", "client-key: >\n")]
#[case::no_begin_line(
    "-----BEGIN PRIVATE KEY-----\n      s3cr3t+client+key\n",
    "s3cr3t+client+key\n      s3cr3t+client+key\n"
)]
#[case::key_as_a_list("client-key: |\n", "client-key: [s3cr3t]\n    x: |\n")]
#[case::misspelt_key("client-key: |", "clientkey2: |")]
#[case::no_certificate("client-certificate: |", "client-certificate:\n    ca-certificates: |")]
#[case::proxy_scheme("proxy: http:", "proxy: ftp:")]
#[case::proxy_without_a_scheme("proxy: http://", "proxy: ")]
#[case::proxy_without_an_at("s3cr3t-proxy@proxy.example.com", "s3cr3t-proxy.proxy.example.com")]
#[case::proxy_with_a_space("s3cr3t-proxy@", "s3cr3t proxy@")]
#[case::proxy_with_a_slash("s3cr3t-proxy@", "s3cr3t/proxy@")]
#[case::half_a_pair("{user: x, password: s3cr3t-route", "{password: s3cr3t-route")]
#[case::misspelt_route_password("password: s3cr3t-route", "pass: s3cr3t-route")]
#[case::route_as_a_text("a: {user: x, password: s3cr3t-route, namespaces: [n]}", "a: s3cr3t-route")]
#[case::not_yaml("password: s3cr3t-password", "password: \"s3cr3t-password")]
fn broken_settings_show_no_secret(#[case] from: &str, #[case] to: &str) {
    let text = WHOLE.replacen(from, to, 1);
    assert_ne!(text, WHOLE, "nothing was broken");
    let case = case(&text);
    case.try_load().expect_err("broken");
    let shown = shown(&case);
    assert!(!shown.contains(MARK), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_misspelt_proxy_or_key_shows_no_secret(
        at in 0_usize..64,
        inserted in "|[ -~]|\\n",
        pushing in any::<bool>(),
        key in any::<bool>(),
    ) {
        // One character outside the mark is taken out or is another.
        let secret = if key {
            "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n"
        } else {
            "https://me:s3cr3t@proxy:3128/"
        };
        let mark = secret.find(MARK).unwrap();
        let at = at % (secret.len() - MARK.len());
        let at = if at < mark { at } else { at + MARK.len() };
        let mut spoilt = secret.to_owned();
        spoilt.replace_range(at..=at, &inserted);
        let written = serde_json::to_string(&spoilt).unwrap();
        let name = if key { "client-certificate: a.pem, client-key" } else { "proxy" };
        let url = if pushing { "https://a" } else { "" };
        let shown = shown(&file(&format!("anchore: {{url: '{url}', user: u, password: p, http: {{{name}: {written}}}}}")));
        prop_assert!(!shown.contains(MARK), "{written} in {shown}");
    }
}
