//! A history in a file of SQLite: one connection, a rollback journal, every commit on the disk before it counts.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod kills;
mod open;
mod rows;
mod schema;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};

use super::error::StoreError;
use super::memory::oldest_kept;
use super::store::{Batch, Dropped, Limits, Query, Store};
use crate::snapshot::{FirstSeen, Period, Sighting, SightingKey};

/// An open file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// Of the file that is open.
    number: (u64, u64),
    connection: Connection,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// Tells a file from others, also from one that takes its place.
fn file_number(path: &Path) -> std::io::Result<(u64, u64)> {
    let file = path.metadata()?;
    Ok((file.dev(), file.ino()))
}

impl Store for SqliteStore {
    fn load(&mut self, row: &mut dyn FnMut(SightingKey, FirstSeen)) -> Result<Vec<Period>, StoreError> {
        let end: Option<i64> = self.connection.query_row("SELECT max(end) FROM period", [], |row| row.get(0))?;
        self.connection.execute(
            "UPDATE sighting SET last_seen = max(first_seen, coalesce(?1, first_seen)) WHERE last_seen IS NULL",
            [end],
        )?;
        let unreadable = rows::keys(&self.connection, row)?;
        if unreadable > 0 {
            let path = self.path.display();
            tracing::warn!("history.path: {path} has {unreadable} rows that make no sense; they are left out");
        }
        self.periods()
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for sighting in batch.sightings {
            rows::put(&transaction, sighting)?;
        }
        for Period { start, end, missing, ended } in batch.periods {
            transaction.prepare_cached("INSERT OR REPLACE INTO period VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                start.as_millisecond(),
                end.as_millisecond(),
                missing.join("\n"),
                ended.as_deref()
            ])?;
        }
        Ok(transaction.commit()?)
    }

    fn prune(&mut self, limits: Limits, now: Timestamp) -> Result<Vec<SightingKey>, StoreError> {
        let oldest = oldest_kept(limits, now).as_millisecond();
        let transaction = self.connection.transaction()?;
        let mut gone = rows::older_than(&transaction, oldest)?;
        transaction.execute("DELETE FROM sighting WHERE last_seen < ?1", [oldest])?;
        let rows: i64 = transaction.query_row("SELECT count(*) FROM sighting", [], |row| row.get(0))?;
        let too_many = rows.saturating_sub(i64::try_from(limits.max_rows).unwrap_or(i64::MAX));
        if too_many > 0 {
            gone.extend(rows::drop_oldest(&transaction, too_many, now)?);
        }
        transaction.execute("DELETE FROM period WHERE end < ?1", [oldest])?;
        if !gone.is_empty() {
            transaction.execute_batch(
                "DELETE FROM image WHERE id NOT IN (SELECT image FROM sighting);
                 DELETE FROM digest WHERE id NOT IN (SELECT digest FROM sighting);
                 DELETE FROM namespace WHERE id NOT IN (SELECT namespace FROM sighting);",
            )?;
        }
        transaction.commit()?;
        Ok(gone)
    }

    fn read(&mut self, query: &Query, row: &mut dyn FnMut(Sighting)) -> Result<(), StoreError> {
        Ok(rows::read(&self.connection, query, row)?)
    }

    fn periods(&mut self) -> Result<Vec<Period>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT start, end, missing, ended FROM period ORDER BY start")?;
        let read = |row: &Row<'_>| {
            let missing: String = row.get(2)?;
            let ended: Option<String> = row.get(3)?;
            let start = rows::time(row, 0)?;
            Ok(Period {
                start,
                end: rows::time_after(start, row.get(1)?),
                missing: missing.lines().map(Box::from).collect(),
                ended: ended.map(String::into_boxed_str),
            })
        };
        let periods = statement.query_map([], |row| rows::if_readable(read(row)))?;
        Ok(periods.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    fn rows(&mut self) -> Result<u64, StoreError> {
        let rows: i64 = self.connection.query_row("SELECT count(*) FROM sighting", [], |row| row.get(0))?;
        Ok(rows.unsigned_abs())
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    fn lose(&mut self, lost: Dropped) -> Result<(), StoreError> {
        let Dropped { rows, until } = self.dropped()?.and(lost);
        let (rows, until) = (i64::try_from(rows).unwrap_or(i64::MAX), until.map(Timestamp::as_millisecond));
        self.connection.execute("UPDATE dropped SET rows = ?1, until = ?2", params![rows, until])?;
        Ok(())
    }

    fn dropped(&mut self) -> Result<Dropped, StoreError> {
        let dropped = self.connection.query_row("SELECT rows, until FROM dropped", [], |row| {
            let (rows, until): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(Dropped { rows: rows.unsigned_abs(), until: until.map(|until| rows::time_after(Timestamp::MIN, until)) })
        });
        Ok(dropped.optional()?.unwrap_or_default())
    }

    /// SQLite itself goes on with a file that was removed, and nobody would find what it writes.
    fn check(&mut self) -> Result<(), StoreError> {
        match file_number(&self.path) {
            Ok(number) if number == self.number => Ok(()),
            // The disk may not answer for a moment.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(StoreError::Moved { path: self.path.clone() }),
        }
    }
}
