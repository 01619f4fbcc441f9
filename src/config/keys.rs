//! Every key that kai takes, once: its path, kind and default. Files, variables, flags, suggestions and `kai config`
//! all read this table, so none of them can know a key that another does not. Each line also makes the constant by which
//! the sections read the key, so a misspelt key or one read as another kind does not compile.

use std::fmt;
use std::time::Duration;

use super::receiver::{AnchoreApi, PushWhen};
use super::settings::{CollectionMethod, Mode};
use super::words::{Level, StoreKind, TagPolicy, UserType, Word, same};
use crate::views::Format;

/// What a key's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Switch,
    /// A whole number in decimal, within bounds.
    Number {
        least: i64,
        most: i64,
        /// Named in messages, so that nobody writes `30s`.
        seconds: bool,
    },
    /// One of these, in lower case.
    Word(&'static [&'static str]),
    /// Texts; in a variable comma-separated.
    List,
}

/// What counts when nobody sets the key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fallback {
    Text(&'static str),
    Switch(bool),
    Number(i64),
    /// The place of one of the kind's words, and the word itself.
    Word(usize, &'static str),
    EmptyList,
}

/// Which values of a key are never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    No,
    Whole,
    /// Every value but the path of a file: beside a certificate its key may stand.
    UnlessPath,
    /// What stands before the host of a URL.
    UserInfo,
    /// The password in a URL of PostgreSQL.
    UrlPassword,
}

/// A row of the table. Sections are implied by the dots of `path`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Fallback,
    /// What of it is never shown.
    pub(super) secret: Secret,
    /// `$NAME` as the whole value in the file is replaced by that variable.
    pub(super) expands: bool,
    /// The key under its own name when this is an older or other spelling of it.
    pub(super) alias_of: Option<&'static str>,
}

/// A key of the table whose values are read as `T`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<T> {
    pub(super) path: &'static str,
    /// Its row in [`KEYS`].
    pub(super) position: usize,
    pub(super) default: T,
}

impl<T> fmt::Display for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

impl<T> AsRef<str> for Key<T> {
    fn as_ref(&self) -> &str {
        self.path
    }
}

/// The type of a key that is read as a text, which may be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text;

/// The type of a key that is read as a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct List;

/// The one section whose keys the user names: `account-routes.<account>.{user, password, namespaces}`.
pub(super) const ACCOUNT_ROUTES: &str = "account-routes";
/// The keys of one account there.
pub(super) const ROUTE_KEYS: [&str; 3] = ["user", "password", "namespaces"];
/// KAI's section for its developers: accepted and ignored.
pub(super) const DEV: &str = "dev";
/// The listen address that the container image brings along. Below the file, so no ordinary variable.
pub(super) const LISTEN_DEFAULT_VARIABLE: &str = "KAI_SERVER_LISTEN_DEFAULT";

/// The longest time that a setting takes: more could overflow an instant.
const MOST_SECONDS: i64 = u32::MAX as i64;

/// A row with the type that its values are read as.
struct Definition<T> {
    row: Row,
    default: T,
}

impl<T: Copy> Definition<T> {
    const fn new(path: &'static str, kind: Kind, written: Fallback, default: T) -> Self {
        let row = Row { path, kind, default: written, secret: Secret::No, expands: false, alias_of: None };
        Self { row, default }
    }

    const fn secret(self, secret: Secret) -> Self {
        Self { row: Row { secret, ..self.row }, ..self }
    }

    const fn expanded(self) -> Self {
        Self { row: Row { expands: true, ..self.row }, ..self }
    }

    const fn alias_of(self, path: &'static str) -> Self {
        Self { row: Row { alias_of: Some(path), ..self.row }, ..self }
    }

    const fn key(self) -> Key<T> {
        let mut position = 0;
        while !same(KEYS[position].path, self.row.path) {
            position += 1;
        }
        Key { path: self.row.path, position, default: self.default }
    }
}

const fn text(path: &'static str, default: &'static str) -> Definition<Text> {
    Definition::new(path, Kind::Text, Fallback::Text(default), Text)
}

const fn switch(path: &'static str, default: bool) -> Definition<bool> {
    Definition::new(path, Kind::Switch, Fallback::Switch(default), default)
}

const fn word<W: Word>(path: &'static str, default: &'static str) -> Definition<W> {
    let mut position = 0;
    while !same(W::NAMES[position], default) {
        position += 1;
    }
    Definition::new(path, Kind::Word(W::NAMES), Fallback::Word(position, W::NAMES[position]), W::VALUES[position])
}

/// A word that has no default.
const fn unset_word<W: Word>(path: &'static str) -> Definition<Option<W>> {
    Definition::new(path, Kind::Word(W::NAMES), Fallback::Text(""), None)
}

const fn list(path: &'static str) -> Definition<List> {
    Definition::new(path, Kind::List, Fallback::EmptyList, List)
}

const fn number(path: &'static str, least: i64, most: i64, default: u32) -> Definition<u64> {
    let kind = Kind::Number { least, most, seconds: false };
    Definition::new(path, kind, Fallback::Number(default as i64), default as u64)
}

const fn small_number(path: &'static str, least: u32, default: u32) -> Definition<u32> {
    let kind = Kind::Number { least: least as i64, most: u32::MAX as i64, seconds: false };
    Definition::new(path, kind, Fallback::Number(default as i64), default)
}

const fn seconds(path: &'static str, least: i64, most: i64, default: u32) -> Definition<Duration> {
    let kind = Kind::Number { least, most, seconds: true };
    Definition::new(path, kind, Fallback::Number(default as i64), Duration::from_secs(default as u64))
}

const fn secret(path: &'static str) -> Definition<Text> {
    text(path, "").expanded().secret(Secret::Whole)
}

const fn pem(path: &'static str) -> Definition<Text> {
    text(path, "").expanded().secret(Secret::UnlessPath)
}

/// A file alone; but a text of that kind may be written all the same, and must not be shown then either.
const fn pem_file(path: &'static str) -> Definition<Text> {
    text(path, "").secret(Secret::UnlessPath)
}

/// Makes the table, and from each line the constant of that name. Lines without a name (`_`) are known and read by nobody:
/// other spellings, and keys that mean nothing any more.
macro_rules! keys {
    ($($name:tt: $type:ty = $definition:expr;)*) => {
        /// The table, in the order of `kai config`: keys of one section stand together.
        pub(super) const KEYS: &[Row] = &[$({
            const KEY: Definition<$type> = $definition;
            KEY.row
        }),*];
        $(pub(super) const $name: Key<$type> = { const KEY: Definition<$type> = $definition; KEY }.key();)*
    };
}

keys! {
    OUTPUT: Format = word("output", "json");
    QUIET: bool = switch("quiet", false);
    _: bool = switch("check-for-app-update", true);
    LOG_STRUCTURED: bool = switch("log.structured", false);
    LOG_LEVEL: Level = word("log.level", "info");
    LOG_FILE: Text = text("log.file", "");
    MODE: Mode = word("mode", "adhoc");
    POLLING_INTERVAL: Duration = seconds("polling-interval-seconds", 1, MOST_SECONDS, 300);
    VERBOSE_INVENTORY_REPORTS: bool = switch("verbose-inventory-reports", false);
    KUBECONFIG_PATH: Text = text("kubeconfig.path", "");
    KUBECONFIG_CLUSTER: Text = text("kubeconfig.cluster", "");
    KUBECONFIG_SERVER: Text = text("kubeconfig.server", "");
    KUBECONFIG_CLUSTER_CERT: Text = text("kubeconfig.cluster-cert", "").expanded();
    KUBECONFIG_USER_TYPE: Option<UserType> = unset_word("kubeconfig.user.type");
    KUBECONFIG_USER_CLIENT_CERT: Text = text("kubeconfig.user.client-cert", "").expanded();
    KUBECONFIG_USER_PRIVATE_KEY: Text = secret("kubeconfig.user.private-key");
    KUBECONFIG_USER_TOKEN: Text = secret("kubeconfig.user.token");
    NAMESPACES: List = list("namespaces");
    NAMESPACE_INCLUDE: List = list("namespace-selectors.include");
    NAMESPACE_EXCLUDE: List = list("namespace-selectors.exclude");
    IGNORE_EMPTY: bool = switch("namespace-selectors.ignore-empty", false);
    REQUEST_TIMEOUT: Duration = seconds("kubernetes.request-timeout-seconds", 1, MOST_SECONDS, 60);
    REQUEST_BATCH_SIZE: u32 = small_number("kubernetes.request-batch-size", 1, 500);
    WORKER_POOL_SIZE: u32 = small_number("kubernetes.worker-pool-size", 1, 100);
    // The older form; it shares its variable with the key of the section, as in KAI.
    OLDER_REQUEST_TIMEOUT: Duration = seconds("kubernetes-request-timeout-seconds", -MOST_SECONDS, MOST_SECONDS, 0);
    COLLECTION_METHOD: CollectionMethod = word("collection.method", "auto");
    CYCLE_TIMEOUT: Duration = seconds("collection.cycle-timeout-seconds", 0, MOST_SECONDS, 0);
    VERIFY_INTERVAL: Duration = seconds("collection.verify-interval-seconds", 0, MOST_SECONDS, 3600);
    STALE_AFTER: Duration = seconds("collection.stale-after-seconds", 0, MOST_SECONDS, 0);
    IGNORE_NOT_RUNNING: bool = switch("ignore-not-running", true);
    MISSING_TAG_POLICY: TagPolicy = word("missing-tag-policy.policy", "digest");
    MISSING_TAG: Text = text("missing-tag-policy.tag", "UNKNOWN");
    MISSING_REGISTRY_OVERRIDE: Text = text("missing-registry-override", "");
    SERVER_LISTEN: Text = text("server.listen", "127.0.0.1:8080");
    SERVER_PROBE_LISTEN: Text = text("server.probe-listen", "");
    SERVER_REQUEST_TIMEOUT: Duration = seconds("server.request-timeout-seconds", 1, MOST_SECONDS, 30);
    SERVER_MAX_CONCURRENT_REQUESTS: u32 = small_number("server.max-concurrent-requests", 1, 512);
    SERVER_SHUTDOWN_TIMEOUT: Duration = seconds("server.shutdown-timeout-seconds", 0, MOST_SECONDS, 20);
    SERVER_CACHE_MAX_BYTES: u64 = number("server.cache-max-bytes", 0, i64::MAX, 64 << 20);
    SERVER_CORS_ORIGINS: List = list("server.cors-origins");
    SERVER_ALLOWED_HOSTS: List = list("server.allowed-hosts");
    SERVER_TLS_CERTIFICATE: Text = pem_file("server.tls.certificate");
    SERVER_TLS_PRIVATE_KEY: Text = pem_file("server.tls.private-key");
    SERVER_TLS_CLIENT_CA: Text = pem_file("server.tls.client-ca");
    HISTORY_STORE: Option<StoreKind> = unset_word("history.store");
    HISTORY_PATH: Text = text("history.path", "");
    HISTORY_POSTGRES_URL: Text = text("history.postgres.url", "").expanded().secret(Secret::UrlPassword);
    HISTORY_POSTGRES_PASSWORD_FILE: Text = text("history.postgres.password-file", "");
    HISTORY_POSTGRES_CA_FILE: Text = pem_file("history.postgres.ca-file");
    HISTORY_POSTGRES_CLUSTER_ID: Text = text("history.postgres.cluster-id", "");
    HISTORY_RETENTION_DAYS: u32 = small_number("history.retention-days", 1, 400);
    HISTORY_MAX_ROWS: u64 = number("history.max-rows", 1, i64::MAX, 500_000);
    IMAGE_INFO_LIMIT: u32 = small_number("metrics.image-info-limit", 0, 0);
    ANCHORE_URL: Text = text("anchore.url", "").expanded();
    ANCHORE_USER: Text = text("anchore.user", "").expanded();
    ANCHORE_PASSWORD: Text = secret("anchore.password");
    ANCHORE_PASSWORD_FILE: Text = text("anchore.password-file", "");
    ANCHORE_ACCOUNT: Text = text("anchore.account", "admin");
    ANCHORE_API: AnchoreApi = word("anchore.api", "auto");
    ANCHORE_PUSH_WHEN: PushWhen = word("anchore.push-when", "interval");
    ANCHORE_PUSH_MIN_INTERVAL: Duration = seconds("anchore.push-min-interval-seconds", 0, MOST_SECONDS, 60);
    ANCHORE_PUSH_INCOMPLETE: bool = switch("anchore.push-incomplete", false);
    ANCHORE_INSECURE: bool = switch("anchore.http.insecure", false);
    ANCHORE_TIMEOUT: Duration = seconds("anchore.http.timeout-seconds", 1, MOST_SECONDS, 10);
    ANCHORE_COMPRESS: bool = switch("anchore.http.compress", false);
    ANCHORE_CA_CERTIFICATE: Text = pem("anchore.http.ca-certificate");
    ANCHORE_CLIENT_CERTIFICATE: Text = pem("anchore.http.client-certificate");
    ANCHORE_CLIENT_KEY: Text = pem("anchore.http.client-key");
    ANCHORE_PROXY: Text = text("anchore.http.proxy", "").expanded().secret(Secret::UserInfo);
    // On as well when another key of its section is set, as k8s-inventory has it, which knows no such key.
    REGISTRATION_ENABLED: bool = switch("anchore-registration.enabled", false);
    REGISTRATION_ID: Text = text("anchore-registration.registration-id", "");
    INTEGRATION_NAME: Text = text("anchore-registration.integration-name", "");
    INTEGRATION_DESCRIPTION: Text = text("anchore-registration.integration-description", "");
    HEALTH_REPORT_INTERVAL: Duration = seconds("health-report-interval-seconds", 30, 600, 60);
    ROUTE_LABEL: Text = text("account-route-by-namespace-label.key", "");
    ROUTE_LABEL_DEFAULT: Text = text("account-route-by-namespace-label.default-account", "");
    ROUTE_LABEL_IGNORE_MISSING: bool = switch("account-route-by-namespace-label.ignore-missing-label", false);
    _: bool = switch("account-route-by-namespace-label.ignore-namespace-missing-label", false).alias_of("account-route-by-namespace-label.ignore-missing-label");
    REPORT_NAMESPACES: u64 = number("inventory-report-limits.namespaces", 0, i64::MAX, 0);
    REPORT_BYTES: u64 = number("inventory-report-limits.payload-threshold-bytes", 0, i64::MAX, 0);
    NODE_ANNOTATIONS: List = list("metadata-collection.nodes.include-annotations");
    NODE_LABELS: List = list("metadata-collection.nodes.include-labels");
    _: List = list("metadata-collection.nodes.annotations").alias_of("metadata-collection.nodes.include-annotations");
    _: List = list("metadata-collection.nodes.labels").alias_of("metadata-collection.nodes.include-labels");
    NODES_DISABLED: bool = switch("metadata-collection.nodes.disable", false);
    NAMESPACE_ANNOTATIONS: List = list("metadata-collection.namespaces.include-annotations");
    NAMESPACE_LABELS: List = list("metadata-collection.namespaces.include-labels");
    _: List = list("metadata-collection.namespaces.annotations").alias_of("metadata-collection.namespaces.include-annotations");
    _: List = list("metadata-collection.namespaces.labels").alias_of("metadata-collection.namespaces.include-labels");
    NAMESPACES_DISABLED: bool = switch("metadata-collection.namespaces.disable", false);
    POD_ANNOTATIONS: List = list("metadata-collection.pods.include-annotations");
    POD_LABELS: List = list("metadata-collection.pods.include-labels");
    _: List = list("metadata-collection.pods.annotations").alias_of("metadata-collection.pods.include-annotations");
    _: List = list("metadata-collection.pods.labels").alias_of("metadata-collection.pods.include-labels");
    PODS_DISABLED: bool = switch("metadata-collection.pods.disable", false);
}

/// The key of this path, which is in lower case.
pub(super) fn find(path: &str) -> Option<&'static Row> {
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
