//! Every key that kai takes, once: its path, kind and default. Files, variables, flags, suggestions and `kai config`
//! all read this table, so none of them can know a key that another does not.

use crate::views::Format;

/// What a key's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// True or false.
    Switch,
    /// A whole number in decimal, within bounds.
    Number {
        least: i64,
        most: i64,
        /// Said in messages, so that nobody writes `30s`.
        seconds: bool,
    },
    /// One of these, in lower case.
    Word(&'static [&'static str]),
    /// Texts; in a variable comma-separated.
    List,
}

/// Which values of a key are never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// None.
    No,
    /// Every value.
    Whole,
    /// Every value but the path of a file: beside a certificate its key may stand.
    UnlessPath,
    /// What stands before the host of a URL.
    UserInfo,
}

/// A key of the table. Sections are implied by the dots of `path`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// As in the file; empty for an empty text or list.
    pub(super) default: &'static str,
    /// What of it is never shown.
    pub(super) secret: Secret,
    /// `$NAME` as the whole value in the file is replaced by that variable.
    pub(super) expands: bool,
    /// The key under its own name when this is an older or other spelling of it.
    pub(super) alias_of: Option<&'static str>,
}

/// The one section whose keys the user names: `account-routes.<account>.{user, password, namespaces}`.
pub(super) const ACCOUNT_ROUTES: &str = "account-routes";
/// The keys of one account there.
pub(super) const ROUTE_KEYS: [&str; 3] = ["user", "password", "namespaces"];
/// KAI's section for its developers: accepted and ignored.
pub(super) const DEV: &str = "dev";
/// The listen address that the container image brings along. Below the file, so no ordinary variable.
pub(super) const LISTEN_DEFAULT_VARIABLE: &str = "KAI_SERVER_LISTEN_DEFAULT";
/// On as well when another key of its section is set, as the successor has it, which knows no such key.
pub(super) const REGISTRATION_ENABLED: &str = "anchore-registration.enabled";
/// What a report's format may be.
pub(super) const OUTPUTS: &[&str] = &Format::NAMES;
/// What the mode may be.
pub(super) const MODES: &[&str] = &["adhoc", "periodic"];
/// Log levels: `tracing`'s, and those of KAI's own library.
pub(super) const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "warning", "error", "panic", "fatal"];
/// `missing-tag-policy.policy`
pub(super) const POLICIES: &[&str] = &["digest", "insert", "drop"];
/// `anchore.api`
pub(super) const APIS: &[&str] = &["auto", "inventories", "kubernetes-inventory-v1", "kubernetes-inventory-v2"];
/// `anchore.push-when`
pub(super) const PUSH_TIMES: &[&str] = &["interval", "change", "both"];
/// `kubeconfig.user.type`; empty until an inline connection is wanted.
pub(super) const USER_TYPES: &[&str] = &["private_key", "token"];

/// The longest time that a setting takes: more could overflow an instant.
const MOST_SECONDS: i64 = u32::MAX as i64;

const fn key(path: &'static str, kind: Kind, default: &'static str) -> Key {
    Key { path, kind, default, secret: Secret::No, expands: false, alias_of: None }
}

const fn text(path: &'static str, default: &'static str) -> Key {
    key(path, Kind::Text, default)
}

const fn switch(path: &'static str, default: &'static str) -> Key {
    key(path, Kind::Switch, default)
}

const fn word(path: &'static str, words: &'static [&'static str], default: &'static str) -> Key {
    key(path, Kind::Word(words), default)
}

const fn list(path: &'static str) -> Key {
    key(path, Kind::List, "")
}

const fn number(path: &'static str, least: i64, most: i64, default: &'static str) -> Key {
    key(path, Kind::Number { least, most, seconds: false }, default)
}

const fn seconds(path: &'static str, least: i64, most: i64, default: &'static str) -> Key {
    key(path, Kind::Number { least, most, seconds: true }, default)
}

const fn expanded(key: Key) -> Key {
    Key { expands: true, ..key }
}

const fn secret(path: &'static str) -> Key {
    Key { secret: Secret::Whole, ..expanded(text(path, "")) }
}

const fn pem(path: &'static str) -> Key {
    Key { secret: Secret::UnlessPath, ..expanded(text(path, "")) }
}

/// A file alone; but a text of that kind may be written all the same, and must not be shown then either.
const fn pem_file(path: &'static str) -> Key {
    Key { secret: Secret::UnlessPath, ..text(path, "") }
}

const fn alias(key: Key, alias_of: &'static str) -> Key {
    Key { alias_of: Some(alias_of), ..key }
}

/// The table, in the order of `kai config`: keys of one section stand together.
pub(super) const KEYS: &[Key] = &[
    word("output", OUTPUTS, "json"),
    switch("quiet", "false"),
    switch("check-for-app-update", "true"),
    switch("log.structured", "false"),
    word("log.level", LEVELS, "info"),
    text("log.file", ""),
    word("mode", MODES, "adhoc"),
    seconds("polling-interval-seconds", 1, MOST_SECONDS, "300"),
    switch("verbose-inventory-reports", "false"),
    text("kubeconfig.path", ""),
    text("kubeconfig.cluster", ""),
    text("kubeconfig.server", ""),
    expanded(text("kubeconfig.cluster-cert", "")),
    word("kubeconfig.user.type", USER_TYPES, ""),
    expanded(text("kubeconfig.user.client-cert", "")),
    secret("kubeconfig.user.private-key"),
    secret("kubeconfig.user.token"),
    list("namespaces"),
    list("namespace-selectors.include"),
    list("namespace-selectors.exclude"),
    switch("namespace-selectors.ignore-empty", "false"),
    seconds("kubernetes.request-timeout-seconds", 1, MOST_SECONDS, "60"),
    number("kubernetes.request-batch-size", 1, u32::MAX as i64, "500"),
    number("kubernetes.worker-pool-size", 1, u32::MAX as i64, "100"),
    // The older form; it shares its variable with the key of the section, as in KAI.
    seconds("kubernetes-request-timeout-seconds", -MOST_SECONDS, MOST_SECONDS, "0"),
    seconds("collection.cycle-timeout-seconds", 0, MOST_SECONDS, "0"),
    seconds("collection.stale-after-seconds", 0, MOST_SECONDS, "0"),
    switch("ignore-not-running", "true"),
    word("missing-tag-policy.policy", POLICIES, "digest"),
    text("missing-tag-policy.tag", "UNKNOWN"),
    text("missing-registry-override", ""),
    text("server.listen", "127.0.0.1:8080"),
    text("server.probe-listen", ""),
    seconds("server.request-timeout-seconds", 1, MOST_SECONDS, "30"),
    number("server.max-concurrent-requests", 1, u32::MAX as i64, "512"),
    seconds("server.shutdown-timeout-seconds", 0, MOST_SECONDS, "20"),
    number("server.cache-max-bytes", 0, i64::MAX, "67108864"),
    list("server.cors-origins"),
    pem_file("server.tls.certificate"),
    pem_file("server.tls.private-key"),
    pem_file("server.tls.client-ca"),
    number("metrics.image-info-limit", 0, u32::MAX as i64, "0"),
    text("anchore.url", ""),
    expanded(text("anchore.user", "")),
    secret("anchore.password"),
    text("anchore.password-file", ""),
    text("anchore.account", "admin"),
    word("anchore.api", APIS, "auto"),
    word("anchore.push-when", PUSH_TIMES, "interval"),
    switch("anchore.push-incomplete", "false"),
    switch("anchore.http.insecure", "false"),
    seconds("anchore.http.timeout-seconds", 1, MOST_SECONDS, "10"),
    switch("anchore.http.compress", "false"),
    pem("anchore.http.ca-certificate"),
    pem("anchore.http.client-certificate"),
    pem("anchore.http.client-key"),
    Key { secret: Secret::UserInfo, ..expanded(text("anchore.http.proxy", "")) },
    switch(REGISTRATION_ENABLED, "false"),
    text("anchore-registration.registration-id", ""),
    text("anchore-registration.integration-name", ""),
    text("anchore-registration.integration-description", ""),
    seconds("health-report-interval-seconds", 30, 600, "60"),
    text("account-route-by-namespace-label.key", ""),
    text("account-route-by-namespace-label.default-account", ""),
    switch("account-route-by-namespace-label.ignore-missing-label", "false"),
    alias(
        switch("account-route-by-namespace-label.ignore-namespace-missing-label", "false"),
        "account-route-by-namespace-label.ignore-missing-label",
    ),
    number("inventory-report-limits.namespaces", 0, i64::MAX, "0"),
    number("inventory-report-limits.payload-threshold-bytes", 0, i64::MAX, "0"),
    list("metadata-collection.nodes.include-annotations"),
    list("metadata-collection.nodes.include-labels"),
    alias(list("metadata-collection.nodes.annotations"), "metadata-collection.nodes.include-annotations"),
    alias(list("metadata-collection.nodes.labels"), "metadata-collection.nodes.include-labels"),
    switch("metadata-collection.nodes.disable", "false"),
    list("metadata-collection.namespaces.include-annotations"),
    list("metadata-collection.namespaces.include-labels"),
    alias(list("metadata-collection.namespaces.annotations"), "metadata-collection.namespaces.include-annotations"),
    alias(list("metadata-collection.namespaces.labels"), "metadata-collection.namespaces.include-labels"),
    switch("metadata-collection.namespaces.disable", "false"),
    list("metadata-collection.pods.include-annotations"),
    list("metadata-collection.pods.include-labels"),
    alias(list("metadata-collection.pods.annotations"), "metadata-collection.pods.include-annotations"),
    alias(list("metadata-collection.pods.labels"), "metadata-collection.pods.include-labels"),
    switch("metadata-collection.pods.disable", "false"),
];

/// The key of this path, which is in lower case.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether `path` is a section: some key stands below it.
pub(super) fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| below(key.path, path).is_some())
}

/// The keys and sections directly in the section `path` (`""`: the whole file), in the table's order.
pub(super) fn children(path: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for key in KEYS {
        let rest = if path.is_empty() { Some(key.path) } else { below(key.path, path) };
        let name = rest.and_then(|rest| rest.split('.').next());
        if let Some(name) = name
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    if path.is_empty() {
        names.push(ACCOUNT_ROUTES);
    }
    names
}

fn below(path: &'static str, section: &str) -> Option<&'static str> {
    path.strip_prefix(section)?.strip_prefix('.')
}

/// The variable that sets the key of this path.
pub(super) fn variable(path: &str) -> String {
    let mut name = String::from("KAI_");
    name.extend(path.chars().map(|character| match character {
        '.' | '-' => '_',
        character => character.to_ascii_uppercase(),
    }));
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_variable_follows_the_rule() {
        let names: BTreeSet<_> = KEYS.iter().map(|key| variable(key.path)).collect();
        // `kubernetes-request-timeout-seconds` and `kubernetes.request-timeout-seconds` do, as in KAI.
        assert_eq!(names.len(), KEYS.len() - 1, "two keys share a variable");
        for key in KEYS {
            let name = variable(key.path);
            assert_eq!(name, format!("KAI_{}", key.path.to_uppercase().replace(['.', '-'], "_")));
            assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{name}");
            assert_ne!(name, LISTEN_DEFAULT_VARIABLE);
            assert!(!name.starts_with("KAI_SERVICE_") && !name.starts_with("KAI_PORT"), "{name} is a Service's");
        }
        assert!(names.contains("KAI_ANCHORE_HTTP_TIMEOUT_SECONDS"));
        assert!(names.contains("KAI_NAMESPACE_SELECTORS_IGNORE_EMPTY"));
    }

    #[test]
    fn paths_are_lower_case_and_no_key_is_a_section() {
        for key in KEYS {
            assert_eq!(key.path, key.path.to_lowercase());
            assert!(!is_section(key.path), "{}", key.path);
            assert!(key.alias_of.is_none_or(|path| find(path).is_some_and(|found| found.kind == key.kind)));
        }
    }

    #[test]
    fn a_section_knows_its_children() {
        assert_eq!(children("log"), ["structured", "level", "file"]);
        assert_eq!(children("kubeconfig.user"), ["type", "client-cert", "private-key", "token"]);
        assert_eq!(children("kubeconfig").last(), Some(&"user"));
        assert!(children("").contains(&"anchore") && children("").contains(&"account-routes"));
    }
}
