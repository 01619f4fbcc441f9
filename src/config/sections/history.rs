//! `history.*`: where what was seen is kept, and how much of it.

use std::path::Path;

use super::Given;
use crate::config::keys::{HISTORY_MAX_ROWS, HISTORY_PATH, HISTORY_RETENTION_DAYS, HISTORY_STORE};
use crate::config::problem::Problems;
use crate::config::settings::{HistorySettings, HistoryStore};
use crate::config::words::StoreKind;

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> HistorySettings {
    HistorySettings {
        store: store(given, problems),
        retention_days: given.values.small_number(HISTORY_RETENTION_DAYS),
        max_rows: given.values.number(HISTORY_MAX_ROWS),
    }
}

/// A path alone means SQLite.
fn store(given: Given<'_>, problems: &mut Problems) -> HistoryStore {
    let values = given.values;
    let path = values.text(HISTORY_PATH).map(|path| given.environment.resolve(Path::new(path)));
    match (values.word_if_set(HISTORY_STORE), path) {
        (None | Some(StoreKind::Sqlite), Some(path)) => HistoryStore::Sqlite(path),
        (Some(StoreKind::Sqlite), None) => {
            let text = "is empty, and history.store is sqlite; write the path of the file, which kai makes where there is none";
            problems.add_missing(values.origin_or(HISTORY_PATH, HISTORY_STORE), HISTORY_PATH, text);
            HistoryStore::Memory
        }
        (Some(StoreKind::Memory), Some(_)) => {
            problems.warn(
                values.origin(HISTORY_PATH),
                format!("{HISTORY_PATH}: has no effect, because {HISTORY_STORE} is memory; leave {HISTORY_STORE} out to keep the history in that file"),
            );
            HistoryStore::Memory
        }
        (None | Some(StoreKind::Memory), None) => HistoryStore::Memory,
    }
}
