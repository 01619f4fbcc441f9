//! `history.*`: where what was seen is kept, and how much of it.

use std::path::Path;

use super::Given;
use crate::config::keys::{
    HISTORY_MAX_ROWS, HISTORY_PATH, HISTORY_POSTGRES_CA_FILE, HISTORY_POSTGRES_CLUSTER_ID,
    HISTORY_POSTGRES_PASSWORD_FILE, HISTORY_POSTGRES_URL, HISTORY_RETENTION_DAYS, HISTORY_STORE, Key, Text,
};
use crate::config::postgres_url::PostgresUrl;
use crate::config::problem::Problems;
use crate::config::receiver::Password;
use crate::config::settings::{HistorySettings, HistoryStore, PostgresSettings};
use crate::config::words::StoreKind;

/// The longest id of a cluster: that of a name in PostgreSQL, so that roles can be named after clusters.
const CLUSTER_ID_MAX: usize = 59;

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> HistorySettings {
    HistorySettings {
        store: store(given, problems),
        retention_days: given.values.small_number(HISTORY_RETENTION_DAYS),
        max_rows: given.values.number(HISTORY_MAX_ROWS),
    }
}

/// A path alone means SQLite, a URL alone PostgreSQL.
fn store(given: Given<'_>, problems: &mut Problems) -> HistoryStore {
    let values = given.values;
    let path = values.text(HISTORY_PATH).map(|path| given.environment.resolve(Path::new(path)));
    let url = values.get(HISTORY_POSTGRES_URL);
    let has_url = url.text().is_some() || url.expanded_from.is_some();
    let kind = values.word_if_set(HISTORY_STORE);
    match (kind, &path) {
        (None, Some(_)) if has_url => {
            let text = format!(
                "is set, and so is {HISTORY_POSTGRES_URL} ({}); choose one by {HISTORY_STORE}, sqlite or postgres",
                url.origin
            );
            problems.add(values.origin(HISTORY_PATH), HISTORY_PATH, text);
            return HistoryStore::Memory;
        }
        (Some(StoreKind::Memory), Some(_)) => {
            has_no_effect(given, HISTORY_PATH, "keep the history in that file", problems);
        }
        (Some(StoreKind::Memory | StoreKind::Sqlite), _) if has_url => {
            has_no_effect(given, HISTORY_POSTGRES_URL, "keep the history in that database", problems);
        }
        (Some(StoreKind::Postgres), Some(_)) => {
            has_no_effect(given, HISTORY_PATH, "keep the history in that file, and remove the URL", problems);
        }
        _ => {}
    }
    match (kind, path) {
        (Some(StoreKind::Postgres), _) | (None, None) if has_url => postgres(given, problems),
        (Some(StoreKind::Postgres), _) => {
            let text = "is empty, and history.store is postgres; write the URL of the database, for example \
                        postgres://kai@db.example.com:5432/kai";
            problems.add_missing(values.origin_or(HISTORY_POSTGRES_URL, HISTORY_STORE), HISTORY_POSTGRES_URL, text);
            HistoryStore::Memory
        }
        (None | Some(StoreKind::Sqlite), Some(path)) => HistoryStore::Sqlite(path),
        (Some(StoreKind::Sqlite), None) => {
            let text = "is empty, and history.store is sqlite; write the path of the file, which kai makes where there is none";
            problems.add_missing(values.origin_or(HISTORY_PATH, HISTORY_STORE), HISTORY_PATH, text);
            HistoryStore::Memory
        }
        (None | Some(StoreKind::Memory), _) => HistoryStore::Memory,
    }
}

fn has_no_effect(given: Given<'_>, key: Key<Text>, purpose: &str, problems: &mut Problems) {
    let kind = given.values.get(HISTORY_STORE).text().unwrap_or_default();
    let text =
        format!("{key}: has no effect, because {HISTORY_STORE} is {kind}; leave {HISTORY_STORE} out to {purpose}");
    problems.warn(given.values.origin(key), text);
}

fn postgres(given: Given<'_>, problems: &mut Problems) -> HistoryStore {
    let Given { values, environment, .. } = given;
    let file = |key: Key<Text>| values.text(key).map(|path| environment.resolve(Path::new(path)));
    let Some(text) = values.text(HISTORY_POSTGRES_URL) else {
        let text = format!("{}, or empty the key", values.missing(HISTORY_POSTGRES_URL));
        problems.add(values.origin(HISTORY_POSTGRES_URL), HISTORY_POSTGRES_URL, text);
        return HistoryStore::Memory;
    };
    let url = match PostgresUrl::parse(text) {
        Ok(url) => url,
        Err(reason) => {
            problems.add(values.origin(HISTORY_POSTGRES_URL), HISTORY_POSTGRES_URL, reason);
            return HistoryStore::Memory;
        }
    };
    let password = match (url.password, file(HISTORY_POSTGRES_PASSWORD_FILE)) {
        (Some(_), Some(_)) => {
            let text = format!("is set, and {HISTORY_POSTGRES_URL} has a password too; keep one of them");
            problems.add(values.origin(HISTORY_POSTGRES_PASSWORD_FILE), HISTORY_POSTGRES_PASSWORD_FILE, text);
            None
        }
        (Some(password), None) => Some(Password::Text(password)),
        (None, file) => file.map(Password::File),
    };
    let cluster_id = values.text(HISTORY_POSTGRES_CLUSTER_ID).map(str::to_owned);
    if cluster_id
        .as_ref()
        .is_some_and(|id| id.len() > CLUSTER_ID_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        let text = format!(
            "has more than {CLUSTER_ID_MAX} characters, or others than ASCII; write a name that no other cluster has"
        );
        problems.add(values.origin(HISTORY_POSTGRES_CLUSTER_ID), HISTORY_POSTGRES_CLUSTER_ID, text);
    }
    HistoryStore::Postgres(Box::new(PostgresSettings {
        host: url.host,
        port: url.port,
        user: url.user,
        database: url.database,
        password,
        tls: url.tls,
        ca_file: file(HISTORY_POSTGRES_CA_FILE),
        cluster_id,
        is_read_only: false,
    }))
}
