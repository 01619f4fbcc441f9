//! Which store the settings want, and how it is opened; until that works, memory serves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::memory::MemoryStore;
use super::postgres::{PostgresError, PostgresStore};
use super::recorder::Identity;
use super::sqlite::SqliteStore;
use super::store::{Store, StoreError};
use crate::config::{HistoryStore, PostgresSettings};

/// What `history.store` says.
pub(super) enum Wanted {
    Memory,
    File(PathBuf),
    Database(Box<PostgresSettings>),
}

/// The store in use.
pub(super) enum Kind {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
    Postgres(Box<PostgresStore>),
}

/// A store that could be opened.
pub(super) struct Opened {
    pub(super) store: Kind,
    /// Where a file went that could not be read.
    pub(super) put_aside: Option<PathBuf>,
}

impl Wanted {
    pub(super) fn of(settings: &HistoryStore) -> Self {
        match settings {
            HistoryStore::Memory => Self::Memory,
            HistoryStore::Sqlite(path) => Self::File(path.clone()),
            HistoryStore::Postgres(settings) => Self::Database(settings.clone()),
        }
    }

    /// `None`: memory is all that is wanted. `retry`: how often a database that is away is asked.
    pub(super) fn open(&self, identity: &Identity, retry: Duration) -> Option<Result<Opened, StoreError>> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(open_file(path)),
            Self::Database(settings) => Some(open_database(settings, identity, retry)),
        }
    }
}

fn open_file(path: &Path) -> Result<Opened, StoreError> {
    let opened = |store, put_aside| Opened { store: Kind::Sqlite(store), put_aside };
    match SqliteStore::open(path) {
        Ok(store) => Ok(opened(store, None)),
        Err(error @ StoreError::Broken { .. }) => {
            let aside = SqliteStore::put_aside(path, Timestamp::now())
                .map_err(|reason| StoreError::Open { path: path.to_owned(), reason: reason.to_string() })?;
            tracing::error!("{error}; it is now {}, and a new history begins", aside.display());
            SqliteStore::open(path).map(|store| opened(store, Some(aside)))
        }
        Err(other) => Err(other),
    }
}

fn open_database(settings: &PostgresSettings, identity: &Identity, retry: Duration) -> Result<Opened, StoreError> {
    let uid = match (&settings.cluster_id, &identity.uid) {
        (Some(id), _) => id,
        (None, Some(Ok(uid))) => uid,
        (None, Some(Err(reason))) => return Err(PostgresError::UnreadableCluster(reason.clone()).into()),
        (None, None) => return Err(PostgresError::NoCluster.into()),
    };
    let mut store = PostgresStore::open(settings, uid, retry)?;
    store.set_name(&identity.name);
    Ok(Opened { store: Kind::Postgres(Box::new(store)), put_aside: None })
}

impl Kind {
    pub(super) fn get(&mut self) -> &mut dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Sqlite(store) => store,
            Self::Postgres(store) => &mut **store,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    pub(super) fn is_memory(&self) -> bool {
        matches!(self, Self::Memory(_))
    }
}
