//! Rows of the file, one by one.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, Result, Row, Transaction, params};

use crate::history::store::Query;
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{FirstSeen, Sighting, SightingKey, Workloads};

/// The columns that [`read_key`] and, from the fourth on, [`read_values`] read.
const COLUMNS: &str =
    "reference, digest.digest, name, first_seen, first_is_exact, last_seen, started_at, workloads, workloads_dropped";
const SOURCE: &str = "sighting JOIN image ON image.id = sighting.image JOIN namespace ON namespace.id = sighting.namespace \
    LEFT JOIN digest ON digest.id = sighting.digest";
/// The same from a few digests on.
const BY_DIGEST: &str = "digest CROSS JOIN sighting ON sighting.digest = digest.id JOIN image ON image.id = sighting.image \
    JOIN namespace ON namespace.id = sighting.namespace";

/// Nobody can rely on what others have written into the file: a row that makes no sense is none, and takes no other with it.
pub(super) fn if_readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(
            Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..),
        ) => Ok(None),
        read => read.map(Some),
    }
}

/// A time beyond all times is none.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    let milliseconds: i64 = row.get(column)?;
    Timestamp::from_millisecond(milliseconds).map_err(|_| Error::IntegralValueOutOfRange(column, milliseconds))
}

/// The same of a time before which nothing can have been. One beyond all times is as late as there is one.
pub(super) fn time_after(first: Timestamp, milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(first).max(first)
}

/// Adds a sighting to what is known of the same image.
pub(super) fn put(transaction: &Transaction<'_>, sighting: &Sighting) -> Result<()> {
    let SightingKey { namespace, image, digest } = &sighting.key;
    let image = id(transaction, "image", "reference", image.written())?;
    let namespace = id(transaction, "namespace", "name", namespace)?;
    let digest = digest.as_ref().map_or(Ok(0), |digest| id(transaction, "digest", "digest", digest.as_str()))?;
    let known = transaction
        .prepare_cached(
            "SELECT first_seen, first_is_exact, last_seen, started_at, workloads, workloads_dropped FROM sighting \
             WHERE digest = ?1 AND image = ?2 AND namespace = ?3",
        )?
        .query_row([digest, image, namespace], |row| if_readable(read_values(row, 0, &sighting.key)))
        .optional()?;
    let merged = known.flatten().map(|mut known| {
        known.merge(sighting);
        known
    });
    let Sighting { first, last, started_at, workloads, .. } = merged.as_ref().unwrap_or(sighting);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO sighting VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute(params![
            digest,
            image,
            namespace,
            first.at.as_millisecond(),
            first.is_exact,
            last.map(Timestamp::as_millisecond),
            started_at,
            workloads.names.join("\n"),
            i64::try_from(workloads.dropped).unwrap_or(i64::MAX),
        ])?;
    Ok(())
}

fn id(transaction: &Transaction<'_>, table: &str, column: &str, text: &str) -> Result<i64> {
    let known = transaction
        .prepare_cached(&format!("SELECT id FROM {table} WHERE {column} = ?1"))?
        .query_row([text], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction.prepare_cached(&format!("INSERT INTO {table} ({column}) VALUES (?1)"))?.insert([text])
}

pub(super) fn read(connection: &Connection, query: &Query, take: &mut dyn FnMut(Sighting)) -> Result<()> {
    let since = query.since.map(Timestamp::as_millisecond);
    let until = query.until.map(Timestamp::as_millisecond);
    let in_window = "(?1 IS NULL OR last_seen IS NULL OR last_seen >= ?1) AND (?2 IS NULL OR first_seen <= ?2)";
    let mut references = References::default();
    let mut row = |row: &Row<'_>| -> Result<()> {
        let Some(key) = if_readable(read_key(row, &mut references))? else { return Ok(()) };
        if query.image.as_ref().is_none_or(|wants| wants(&key.image)) {
            if_readable(read_values(row, 3, &key))?.into_iter().for_each(&mut *take);
        }
        Ok(())
    };
    if query.digests.is_empty() {
        let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {SOURCE} WHERE {in_window}"))?;
        let mut rows = statement.query(params![since, until])?;
        while let Some(found) = rows.next()? {
            row(found)?;
        }
        return Ok(());
    }
    // Digits and small letters alone: `g` stands behind all that begin so.
    let ranges = "digest.digest >= ?3 AND digest.digest < ?3 || 'g'";
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {BY_DIGEST} WHERE {in_window} AND {ranges}"))?;
    for digest in &query.digests {
        let mut rows = statement.query(params![since, until, digest])?;
        while let Some(found) = rows.next()? {
            row(found)?;
        }
    }
    Ok(())
}

/// Every row's key with its first time. Gives how many rows make no sense.
pub(super) fn keys(connection: &Connection, take: &mut dyn FnMut(SightingKey, FirstSeen)) -> Result<u64> {
    let (mut references, mut unreadable) = (References::default(), 0);
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM {SOURCE}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let read = read_first(row, 3).and_then(|first| Ok((read_key(row, &mut references)?, first)));
        match if_readable(read)? {
            Some((key, first)) => take(key, first),
            None => unreadable += 1,
        }
    }
    Ok(unreadable)
}

/// The keys of rows that were last seen before.
pub(super) fn older_than(connection: &Connection, milliseconds: i64) -> Result<Vec<SightingKey>> {
    found(connection, "WHERE last_seen < ?1", milliseconds)
}

/// Drops the rows that were not seen for longest, and gives their keys.
pub(super) fn drop_oldest(connection: &Connection, rows: i64, now: Timestamp) -> Result<Vec<SightingKey>> {
    const ORDER: &str = "ORDER BY coalesce(last_seen, 9223372036854775807), first_seen LIMIT ?1";
    let gone = found(connection, ORDER, rows)?;
    let oldest = format!("SELECT digest, image, namespace FROM sighting {ORDER}");
    let until: Option<i64> = connection.query_row(
        &format!("SELECT max(coalesce(last_seen, ?2)) FROM (SELECT last_seen FROM sighting {ORDER})"),
        params![rows, now.as_millisecond()],
        |row| row.get(0),
    )?;
    connection.execute(&format!("DELETE FROM sighting WHERE (digest, image, namespace) IN ({oldest})"), [rows])?;
    connection
        .execute("UPDATE dropped SET rows = rows + ?1, until = max(coalesce(until, ?2), ?2)", params![rows, until])?;
    Ok(gone)
}

fn found(connection: &Connection, which: &str, parameter: i64) -> Result<Vec<SightingKey>> {
    let mut references = References::default();
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM {SOURCE} {which}"))?;
    let mut rows = statement.query([parameter])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(if_readable(read_key(row, &mut references))?);
    }
    Ok(found)
}

/// The last reference and namespace that were read: rows of one follow each other.
#[derive(Default)]
struct References {
    image: Option<Arc<ImageRef>>,
    namespace: Option<Arc<str>>,
}

fn read_key(row: &Row<'_>, last: &mut References) -> Result<SightingKey> {
    let text = row.get_ref(0)?.as_str()?;
    let image = match &last.image {
        Some(image) if image.written() == text => Arc::clone(image),
        _ => Arc::clone(last.image.insert(Arc::new(ImageRef::parse(text)))),
    };
    let digest = row.get_ref(1)?.as_str_or_null()?;
    let digest = digest
        .map(|text| Digest::parse(text).ok_or_else(|| Error::InvalidColumnType(1, text.to_owned(), Type::Text)))
        .transpose()?;
    let text = row.get_ref(2)?.as_str()?;
    let namespace = match &last.namespace {
        Some(namespace) if **namespace == *text => Arc::clone(namespace),
        _ => Arc::clone(last.namespace.insert(text.into())),
    };
    Ok(SightingKey { namespace, image, digest })
}

fn read_first(row: &Row<'_>, column: usize) -> Result<FirstSeen> {
    Ok(FirstSeen { at: time(row, column)?, is_exact: row.get(column + 1)? })
}

/// The values behind the key, from a column on.
fn read_values(row: &Row<'_>, column: usize, key: &SightingKey) -> Result<Sighting> {
    let last: Option<i64> = row.get(column + 2)?;
    let workloads = row.get_ref(column + 4)?.as_str()?;
    let dropped: i64 = row.get(column + 5)?;
    let first = read_first(row, column)?;
    Ok(Sighting {
        key: key.clone(),
        first,
        last: last.map(|last| time_after(first.at, last)),
        started_at: row.get(column + 3)?,
        workloads: Workloads { names: workloads.lines().map(Box::from).collect(), dropped: dropped.unsigned_abs() },
    })
}
