//! Settings whose value is one of a few words, each word beside what it means.

use tracing::level_filters::LevelFilter;

use super::receiver::{AnchoreApi, PushWhen};
use super::settings::{CollectionMethod, Mode};
use crate::views::Format;

/// A type whose values have words.
pub(super) trait Word: Copy + 'static {
    /// The words, in lower case.
    const NAMES: &'static [&'static str];
    /// What each of them means.
    const VALUES: &'static [Self];
}

/// A value without a word does not compile.
macro_rules! words {
    ($type:ty: $($word:literal => $value:path),+ $(,)?) => {
        impl Word for $type {
            const NAMES: &'static [&'static str] = &[$($word),+];
            const VALUES: &'static [Self] = &[$($value),+];
        }

        const _: fn($type) = |value| match value {
            $($value => {})+
        };
    };
}

/// `log.level`: those of `tracing`, and those of KAI's own library.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Warning,
    Error,
    Panic,
    Fatal,
}

impl Level {
    pub(super) fn filter(self) -> LevelFilter {
        match self {
            Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warn | Self::Warning => LevelFilter::WARN,
            Self::Error | Self::Panic | Self::Fatal => LevelFilter::ERROR,
        }
    }
}

/// `kubeconfig.user.type`
#[derive(Debug, Clone, Copy)]
pub(super) enum UserType {
    PrivateKey,
    Token,
}

/// `history.store`
#[derive(Debug, Clone, Copy)]
pub(super) enum StoreKind {
    Memory,
    Sqlite,
    Postgres,
}

/// `missing-tag-policy.policy`
#[derive(Debug, Clone, Copy)]
pub(super) enum TagPolicy {
    Digest,
    Insert,
    Drop,
}

impl Word for Format {
    const NAMES: &'static [&'static str] = &Self::NAMES;
    const VALUES: &'static [Self] = &Self::REPORT;
}

words!(Mode: "adhoc" => Mode::Adhoc, "periodic" => Mode::Periodic);
words!(CollectionMethod:
    "auto" => CollectionMethod::Auto,
    "watch" => CollectionMethod::Watch,
    "poll" => CollectionMethod::Poll,
);
words!(Level:
    "trace" => Level::Trace,
    "debug" => Level::Debug,
    "info" => Level::Info,
    "warn" => Level::Warn,
    "warning" => Level::Warning,
    "error" => Level::Error,
    "panic" => Level::Panic,
    "fatal" => Level::Fatal,
);
words!(StoreKind:
    "memory" => StoreKind::Memory,
    "sqlite" => StoreKind::Sqlite,
    "postgres" => StoreKind::Postgres,
);
words!(UserType: "private_key" => UserType::PrivateKey, "token" => UserType::Token);
words!(TagPolicy: "digest" => TagPolicy::Digest, "insert" => TagPolicy::Insert, "drop" => TagPolicy::Drop);
words!(AnchoreApi:
    "auto" => AnchoreApi::Auto,
    "inventories" => AnchoreApi::Inventories,
    "kubernetes-inventory-v1" => AnchoreApi::KubernetesInventoryV1,
    "kubernetes-inventory-v2" => AnchoreApi::KubernetesInventoryV2,
);
words!(PushWhen: "interval" => PushWhen::Interval, "change" => PushWhen::Change, "both" => PushWhen::Both);

/// Whether two texts are the same, also while compiling.
pub(super) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
