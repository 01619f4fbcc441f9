//! Opens the file, makes or brings up to date its tables, and puts one aside that cannot be read.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::STEPS;
use super::{SqliteStore, file_number};
use crate::history::error::StoreError;

/// How long a statement waits for whoever reads the file at the moment.
const BUSY: Duration = Duration::from_secs(2);

/// One process has the file, and every commit is on the disk before it counts. The cache is given in KiB, as less than nothing.
/// WAL would need shared memory, which a file system over the network does not have.
const PRAGMAS: [(&str, &str); 5] = [
    ("locking_mode", "EXCLUSIVE"),
    ("journal_mode", "DELETE"),
    ("synchronous", "FULL"),
    ("cache_size", "-2048"),
    ("temp_store", "MEMORY"),
];

impl SqliteStore {
    /// Opens the file, and makes it where there is none. One process has it at a time.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let failed = |error: rusqlite::Error| of_error(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        for (pragma, value) in PRAGMAS {
            connection.pragma_update(None, pragma, value).map_err(failed)?;
        }
        migrate(path, &mut connection)?;
        let number =
            file_number(path).map_err(|error| StoreError::Open { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Self { path: path.to_owned(), number, connection })
    }

    /// Puts a file aside that cannot be read, makes an empty one in its place, and says where it is. A link stays what it is.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
        let path = path.canonicalize()?;
        let behind = |path: &Path, text: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(text);
            PathBuf::from(name)
        };
        let time = now.strftime(".broken-%Y%m%dT%H%M%SZ").to_string();
        let name = |number: u32| match number {
            0 => behind(&path, &time),
            _ => behind(&path, &format!("{time}-{number}")),
        };
        // A second one within a second does not take the place of the first: the name is taken before it is used.
        let free = (0..10_000).map(name).find_map(|name| match create(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => None,
            taken => Some(taken.map(|_| name)),
        });
        let aside = free.unwrap_or_else(|| Err(ErrorKind::AlreadyExists.into()))?;
        std::fs::rename(&path, &aside)?;
        // What the broken file had not finished belongs to it.
        match std::fs::rename(behind(&path, "-journal"), behind(&aside, "-journal")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        create(&path)?;
        Ok(aside)
    }
}

/// Makes a file for its user alone, where there is nothing.
fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the file, where there is none, for its user alone. What is no file is not opened: a pipe would wait for ever.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let failed = |reason: String| Err(StoreError::Open { path: path.to_owned(), reason });
    match create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match path.metadata() {
            Ok(known) if known.is_file() => Ok(()),
            Ok(_) => failed("it is no file".to_owned()),
            Err(error) => failed(error.to_string()),
        },
        Err(error) => failed(error.to_string()),
        Ok(_) => Ok(()),
    }
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| of_error(path, &error);
    // Takes the lock, so that nobody else migrates it at the same time.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).map_err(failed)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let steps = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    let Some(steps) = steps else {
        let reason = format!("it is of version {version}, and this kai knows up to {}", STEPS.len());
        return Err(StoreError::Broken { path: path.to_owned(), reason });
    };
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if version == 0 && tables > 0 {
        let reason = "it is a database of something else".to_owned();
        return Err(StoreError::Broken { path: path.to_owned(), reason });
    }
    for step in steps {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if !steps.is_empty() {
        transaction
            .pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or(i64::MAX))
            .map_err(failed)?;
    }
    let check: String = transaction.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if check != "ok" {
        return Err(StoreError::Broken { path: path.to_owned(), reason: check });
    }
    transaction.commit().map_err(failed)
}

fn of_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Broken { path, reason: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
        _ => StoreError::Open { path, reason: error.to_string() },
    }
}
