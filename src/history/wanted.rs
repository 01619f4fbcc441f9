//! Which store the settings want, and how it is opened; until that works, memory serves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::error::{PostgresError, StoreError};
use super::memory::MemoryStore;
use super::postgres::PostgresStore;
use super::recorder::Identity;
use super::sqlite::SqliteStore;
use super::store::Store;
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

impl Wanted {
    pub(super) fn of(settings: &HistoryStore) -> Self {
        match settings {
            HistoryStore::Memory => Self::Memory,
            HistoryStore::Sqlite(path) => Self::File(path.clone()),
            HistoryStore::Postgres(settings) => Self::Database(settings.clone()),
        }
    }

    /// `None`: memory is all that is wanted. `retry`: how often a database that is away is asked. `put_aside`: where a file went that
    /// could not be read.
    pub(super) fn open(
        &self,
        identity: &Identity,
        retry: Duration,
        put_aside: &mut Option<PathBuf>,
    ) -> Option<Result<Kind, StoreError>> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(open_file(path, put_aside).map(Kind::Sqlite)),
            Self::Database(settings) => Some(open_database(settings, identity, retry)),
        }
    }
}

fn open_file(path: &Path, put_aside: &mut Option<PathBuf>) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path).or_else(|error| match error {
        StoreError::Broken { .. } => {
            let aside = SqliteStore::put_aside(path, Timestamp::now())
                .map_err(|reason| StoreError::Open { path: path.to_owned(), reason: reason.to_string() })?;
            tracing::error!("{error}; it is now {}, and a new history begins", aside.display());
            *put_aside = Some(aside);
            SqliteStore::open(path)
        }
        other => Err(other),
    })
}

fn open_database(settings: &PostgresSettings, identity: &Identity, retry: Duration) -> Result<Kind, StoreError> {
    if settings.is_read_only {
        return Ok(Kind::Postgres(Box::new(PostgresStore::reader(settings, retry)?)));
    }
    let uid = match (&settings.cluster_id, &identity.uid) {
        (Some(id), _) => id,
        (None, Some(Ok(uid))) => uid,
        (None, Some(Err(reason))) => return Err(PostgresError::UnreadableCluster(reason.clone()).into()),
        (None, None) => return Err(PostgresError::NoCluster.into()),
    };
    let mut store = PostgresStore::open(settings, uid, retry)?;
    store.set_name(&identity.name);
    Ok(Kind::Postgres(Box::new(store)))
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

    /// Only what others write is read.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self, Self::Postgres(store) if store.is_read_only())
    }

    pub(super) fn is_memory(&self) -> bool {
        matches!(self, Self::Memory(_))
    }
}
